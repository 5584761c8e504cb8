#!/usr/bin/env python3
"""timeout: 600
Purging: by hand and by rule, holds, and what is left and proved of it."""
import os
import shutil
import sys

from network import Network, check, equal, killed_at, main, run, shifted_clock, test
from proof_test import both, export, verdicts, second

import network

network.TESTS[:] = []  # proof_test's own

DAY = 86400


def settled(net, doe, a, **extra):
    """A case that a read and acknowledged, and all of that is known to doe."""
    id = doe.send("a@clinic", **extra)
    a.ok("sync")
    a.ok("read", id)
    a.act("ack", id)
    doe.ok("sync")
    return id


def rows(device, id):
    shown = device.ok("case", "show", id, "--offline", "--json").json()
    return [r for r in shown if r["event"] == "message"]


def files(folder):
    return [os.path.join(d, n) for d, _, names in os.walk(folder) for n in names]


def purge(device, *words):
    return device.ok("case", "purge", *words, "--yes")


@test
def what_is_purged_is_gone_and_that_it_is_gone_is_proved():
    with Network() as net:
        doe, a, _ = net.three()
        scan = net.write("thorax-scan.txt", "x" * 5000)
        net.write("note.md", "Zyxomarkerword\n")
        id = doe.send("a@clinic", subject="Second opinion", extra=("--attach", scan))
        a.ok("sync")
        for device, words in ((doe, "under way"), (a, "never opened")):
            refused = device.run("case", "purge", id, "--yes")
            equal(4, refused.code, f"under way: {refused}")
            check(words in refused.err, f"and said: {refused}")
        a.ok("read", id)
        refused = a.run("case", "purge", id, "--yes")
        check(refused.code == 4 and "acknowledged or answered" in refused.err, str(refused))
        a.act("ack", id)
        doe.ok("sync")
        asked = a.run("case", "purge", id, start_new_session=True)
        equal(2, asked.code, f"nobody there to ask: {asked}")
        check(files(os.path.join(a.home, "objects")), "the attachment is here")
        old = net.file("old")
        shutil.copytree(a.home, old)

        for device in (doe, a):
            told = purge(device, id[:10])
            check("backup made before still opens" in told.err, f"said: {told}")
            check("1 messages" in told.out, f"and what was done: {told}")
            again = device.run("case", "purge", id, "--yes")
            equal(3, again.code, f"all of it is purged: {again}")
            equal(3, device.run("case", "find", "zyxomarkerword").code, "found no more")
            equal(3, device.run("case", "find", "thorax").code, "nor by its attachment")
            equal(id, rows(device, id)[0]["id"], "the case is listed")
            equal("by hand", rows(device, id)[0]["purged_by"], "purged by whom")
            check("purged" in device.ok("case", "show", id).out, "in words")
            check(id in device.ok("case", "list", "--all").out, "in the list")
        check("content purged" in doe.ok("sent", id).out, "sent says so")
        equal("acknowledged", doe.sent(id)[0]["standing"], "and what was proved")
        refused = a.run("read", id)
        check(refused.code == 3 and "purged here" in refused.err, f"read says so: {refused}")
        equal("purged", a.inbox()[0]["state"], "and the inbox")
        for verb in (("forward", id, "--to", "b@clinic"), ("reply", id, "--note", "note.md")):
            a.run(*verb)  # whatever it says, it does not fall over
        equal([], files(os.path.join(a.home, "objects")), "its files are gone")

        # both proofs have the statement, entered in the log; both judges agree
        for device in (doe, a):
            items = both(net, export(net, device, id), second.VALID)
            equal(second.VALID, verdicts(items)["purged"], "proved")
        said = run("consil", "verify", net.file("proof.1"), "--root",
                   os.path.join(net.net, "genesis"))
        check("purged: valid" in said.out and "by hand" in said.out, f"in words: {said}")

        # the old pages and the keyring, but the archive key of now: it does not open
        shutil.copy(os.path.join(a.home, "store", "archive"), os.path.join(old, "store", "archive"))
        refused = run("consil", "inbox", "--offline", env={"CONSIL_HOME": old})
        check(refused.code != 0 and "Second opinion" not in refused.out, f"no key: {refused}")


@test
def a_power_cut_leaves_a_case_whole_or_gone():
    with Network() as net:
        doe, a, _ = net.three()
        settled(net, doe, a, subject="to stay")
        scan = net.write("scan.txt", "x" * 5000)
        id = settled(net, doe, a, subject="to go", extra=("--attach", scan))
        home, seen, n, code = net.file("copy"), set(), 0, None
        env = {"CONSIL_HOME": home}
        while code != 0:
            n += 1
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(a.home, home)
            code = run("consil", "case", "purge", id, "--yes", "--offline",
                       env={**env, **killed_at(n)}).code
            shown = run("consil", "case", "show", id, "--offline", "--json", env=env)
            equal(0, shown.code, f"killed at {n}: {shown}")
            gone = shown.json()[0]["purged_at"] is not None
            seen.add(gone)
            # what is to stay opens, and there is one archive key, whichever counts
            equal(0, run("consil", "case", "find", "stay", env=env).code, f"killed at {n}")
            store = os.path.join(home, "store")
            equal(["archive"], [f for f in os.listdir(store) if "archive" in f], f"killed at {n}")
            equal(109, os.path.getsize(os.path.join(store, "archive")), f"killed at {n}: one key")
            check(gone or code != 0, "done")
            if gone:  # what was left undone is done by the next run of the rules
                run("consil", "retention", "run", "--offline", "--yes", env=env)
                equal([], files(os.path.join(home, "objects")), f"killed at {n}: its files")
        equal({True, False}, seen, f"killed before and after the change, {n} places")


@test
def rules_and_holds():
    with Network() as net:
        doe, a, _ = net.three()
        doomed = settled(net, doe, a, subject="to go")
        held = settled(net, doe, a, subject="to stay")
        waits = doe.send("a@clinic", subject="nobody read it")
        a.ok("sync")
        equal({"content_days": None, "receipts_days": None},
              a.ok("retention", "--json").json()[0], "kept until told")
        check("for ever" in a.ok("retention").out, "in words")
        refused = a.run("retention", "--receipts", "2191")
        check(refused.code == 2 and "six years" in refused.err, f"not less: {refused}")
        equal(2, a.run("retention", "--content", "soon").code, "days")
        a.ok("retention", "--content", "3650", "--receipts", "2192")
        equal({"content_days": 3650, "receipts_days": 2192},
              a.ok("retention", "--json").json()[0], "kept")
        check("nothing is due" in a.ok("retention", "run", "--yes").err, "nothing yet")
        equal(2, a.run("case", "hold", held).code, "a hold has a reason")
        a.ok("case", "hold", held, "--reason", "a suit")
        equal(4, a.run("case", "purge", held, "--yes").code, "by hand neither")
        equal([(held, "a suit")], [(h["case"], h["reason"]) for h in
                                   a.ok("case", "hold", "--json").json()], "listed")
        doe.ok("send", "--case", held, "--note", "note.md")
        a.ok("sync")

        # a clock that is years ahead purges nothing by itself
        late = shifted_clock(3651 * DAY)
        told = a.ok("retention", "run", "--yes", "--offline", env=late)
        check("nothing is due" in told.err, f"the relay's clock counts: {told}")
        a.ok("retention", "--content", "1")
        net.stop()
        late = shifted_clock(2 * DAY)
        net.start(env=late)
        due = {r["case"]: r["what"] for r in
               a.ok("retention", "run", "--dry-run", "--json", env=late).json()}
        equal({doomed: "content", held: "held", waits: "under-way"}, due, "what is due")
        check(not a.run("case", "find", "go", env=late).code, "only said")
        told = a.ok("retention", "run", "--yes", env=late)
        check("content of 1 messages" in told.out, str(told))
        equal("by rule", rows(a, doomed)[0]["purged_by"], "by rule")
        equal([None, None], [r["purged_at"] for r in rows(a, held)], "held, also what came later")
        a.ok("case", "release", held)
        equal([], a.ok("case", "hold", "--json").json(), "held no more")
        equal(3, a.run("case", "release", held).code, "once")


main()
