#!/usr/bin/env python3
"""What a recipient could not open, or did not get whole, is sealed again."""
import glob
import os
import shutil

from network import Network, check, equal, main, run, test

SCAN = bytes(range(251)) * 8000  # two segments


def lose_keys(device):
    """Returns how to get them back."""
    path, kept = os.path.join(device.home, "epochs"), device.net.file("epochs.kept")
    shutil.copy(path, kept)
    lost = run("tests/e2e/lose_keys", device.home)
    equal(0, lost.code, str(lost))
    return lambda: shutil.copy(kept, path)


def spoil(net, segment):
    """Alters a segment where the relay keeps it."""
    net.stop()
    done = 0
    for path in glob.glob(os.path.join(net.net, "**", "data.mdb"), recursive=True):
        with open(path, "r+b") as f:
            at = f.read().find(segment[:200])
            if at < 0:
                continue
            f.seek(at + 100)
            f.write(bytes([segment[100] ^ 1]))
            done += 1
    net.start()
    check(done > 0, "it was there")


def row(device, id, address):
    rows = device.ok("sent", "--offline", id, "--json").json()
    return next(r for r in rows if r["address"] == address)


def listed(device, id):
    return next(m for m in device.ok("sent", "--offline", "--json").json() if m["id"] == id)


def kinds(device, id):
    rows = device.ok("case", "show", id, "--json").json()
    return [(m["kind"], m["missing"]) for m in rows if m["event"] == "message"]


def saved(device, id):
    folder = device.net.file(f"saved.{os.urandom(4).hex()}")
    device.ok("read", id, "--save", folder)
    with open(os.path.join(folder, "scan.bin"), "rb") as f:
        return f.read()


def send(doe, *to, **more):
    doe.net.write("scan.bin", SCAN)
    return doe.send(*to, extra=("--attach", "scan.bin"), **more)


@test
def what_does_not_open_is_sealed_again_by_itself():
    with Network() as net:
        doe, a, b = net.three()
        id = send(doe, "a@clinic", "b@clinic", subject="again")
        give_back = lose_keys(a)
        came = a.ok("inbox", "--json").json()
        equal(["unreadable"], [m["state"] for m in came], "it does not open")
        give_back()
        doe.ok("sync")
        mine = row(doe, id, "a@clinic")
        copy = mine["sealed_again_as"]
        check(copy and copy != id and mine["sealed_again_at"], f"it is sealed again: {mine}")
        equal(("custody", "undecryptable"), (mine["standing"], mine["delivered_result"]),
              "how it is, and what they said")
        check(f"sealed again as {copy}" in doe.ok("sent", "--offline", id).out, "in words")
        equal([id], [m["id"] for m in doe.ok("sent", "--offline", "--json").json()], "one case")
        check(not listed(doe, id)["needs_attention"], "nothing to do")
        # the copy stands in the place of what does not open, also in the thread
        came = a.ok("inbox", "--json").json()
        equal([(copy, "new", "again")], [(m["id"], m["state"], m["subject"]) for m in came], "one")
        equal(SCAN, saved(a, copy), "whole")
        shown = a.ok("read", id)
        check("sealed again" in shown.err and "a note" in shown.out, f"by its first id: {shown}")
        equal([("request", 0)], kinds(a, copy), "one message")
        a.ok("sync", "--now")
        doe.ok("sync")
        equal("opened", row(doe, id, "a@clinic")["standing"], "it is delivered")
        # b, who has the first one, follows the answer; so does doe
        a.ok("reply", copy, "--note", "note.md")
        doe.ok("sync")
        check(listed(doe, id)["answered"], "an answer to the copy answers it")
        equal([("request", 0), ("reply", 0)], kinds(doe, id), "doe's thread")
        b.ok("sync")
        b.ok("read", id)
        # who could open it gets no copy
        equal(1, len(b.inbox()), "b has one")
        # taken back, the reader of the copy is told
        doe.ok("withdraw", id, "--reason", "wrong-patient")
        a.ok("sync")
        check(a.ok("read", copy).out.startswith("WITHDRAWN"), "above the copy")


@test
def who_goes_on_stating_it_gets_no_more():
    with Network() as net:
        doe, a, _ = net.three()
        id = send(doe, "a@clinic")
        lose_keys(a)
        copies = set()
        for _ in range(4):
            a.ok("sync")
            doe.ok("sync")
            copies.add(row(doe, id, "a@clinic")["sealed_again_as"])
        equal(2, len(copies), f"two copies, no more: {copies}")
        equal(3, len(a.ok("inbox", "--offline", "--json").json()), "what came to a")
        mine = listed(doe, id)
        equal(("undecryptable", True), (mine["standing"], mine["needs_attention"]),
              "then it calls for its sender")


@test
def what_came_in_part_is_sealed_again_and_comes_whole():
    with Network() as net:
        doe, a, b = net.three()
        id = send(doe, "a@clinic", "b@clinic")
        stored = glob.glob(os.path.join(doe.home, "sent", id, "*"))
        with open(stored[0], "rb") as f:
            spoil(net, f.read())
        came = a.ok("inbox", "--json").json()
        equal(["incomplete"], [m["state"] for m in came], "the relay lost a segment")
        doe.ok("sync")
        mine = row(doe, id, "a@clinic")
        copy = mine["sealed_again_as"]
        check(copy, f"sealed again from the own copy: {mine}")
        came = a.inbox()
        equal([(copy, "new")], [(m["id"], m["state"]) for m in came], "one case")
        equal(SCAN, saved(a, copy), "whole")
        equal([("request", 0)], kinds(a, id), "one message")
        doe.ok("sync")
        check(not listed(doe, id)["needs_attention"], "the alarm is settled")
        # what was taken back is not sealed again
        doe.ok("withdraw", id)
        b.run("sync")
        doe.ok("sync")
        equal(None, row(doe, id, "b@clinic")["sealed_again_as"], "nothing for b")


main()
