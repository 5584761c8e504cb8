#!/usr/bin/env python3
"""Nobody can swap a key or show two directories unnoticed: what a member sees
of it and does about it."""
import os
import subprocess

from network import Device, Network, check, equal, main, run, test
from sanitizer import BUILD


def second_device(net, first, name):
    """Another device of the same member, invited by the first."""
    file = net.file(f"{name}.pairing")
    first.ok("device", "invite", "--name", name, "-o", file)
    device = Device(net, first.name, net.file(f"{name}.home"))
    device.ok("join", file, "--unattended")
    return device


@test
def members_compare_what_they_were_shown():
    with Network() as net:
        doe, a, _ = net.three()
        note = net.file("doe.checkpoint")
        shown = doe.ok("keys", "checkpoint", "-o", note, "--json").json()[0]
        mine = a.ok("keys", "checkpoint", "--json").json()[0]
        equal(mine["words"], shown["words"], "words to compare by telephone")
        equal(shown["note"], open(note).read(), "the file is the relay's note")
        check(shown["words"] in " ".join(doe.ok("keys", "checkpoint").out.split()), "words")
        verdict = a.ok("verify", note)
        check(verdict.out.startswith("agrees"), f"verdict: {verdict}")
        equal(True, a.ok("verify", note, "--json").json()[0]["agrees"], "verdict in JSON")
        text = open(note).read()
        lines = text.split("\n")
        bad = net.write("bad.checkpoint", text.replace(f"\n{lines[1]}\n", "\n1\n", 1).encode())
        result = a.run("verify", bad)
        equal(4, result.code, f"altered: {result}")
        # the relay goes away: what is here is compared
        net.stop()
        equal(0, a.run("verify", note).code, "without the relay")
        equal(0, a.run("verify", note, "--offline").code, "offline")


@test
def a_fork_proof_is_judged_by_its_form_without_a_home():
    with Network() as net:
        folder = net.file("evidence")
        os.mkdir(folder)
        subprocess.run([os.path.join(BUILD, "tests/e2e/make_fork"), folder], check=True)
        network_id = open(os.path.join(folder, "network-id")).read()
        nowhere = Device(net, "nobody", net.file("no.home"))
        proof = os.path.join(folder, "fork.proof")
        verdict = nowhere.run("verify", proof, "--network-id", network_id)
        equal(3, verdict.code, f"no directory to look the certificate up in: {verdict}")
        check(verdict.out.startswith("unproven: if its certificate is in the directory"), f"verdict: {verdict}")
        row = nowhere.run("verify", proof, "--network-id", network_id, "--json").json()[0]
        equal((False, "unproven", "two directories"), (row["proves"], row["verdict"], row["what"]), "verdict in JSON")
        check(row["certificate_b"]["entry"] in verdict.out, f"names the entry: {verdict}")
        check(row["a"]["root"] != row["b"]["root"], "two roots")
        for file, given, why in (
                ("honest.proof", network_id, "proves nothing"),
                ("fork.proof", "00" * 32, "another network")):
            result = nowhere.run("verify", os.path.join(folder, file), "--network-id", given)
            equal(4, result.code, f"{file}: {result}")
            check(why in result.err, f"{file}: {result}")
        equal(2, nowhere.run("verify", proof, "--network-id", "abc").code, "not an id")
        equal(3, nowhere.run("verify", proof).code, "no home, no network")
        # a home knows its own network, without being unlocked
        net.org("clinic")
        a = net.join("a@clinic")
        result = a.run("verify", proof)
        equal(4, result.code, f"of another network: {result}")
        check("another network" in result.err, f"says so: {result}")
        equal(4, a.run("verify", net.write("x", b"hello")).code, "no proof at all")
        equal(3, a.run("verify", net.file("absent")).code, "no file at all")


def go_back_to(net, old):
    """The relay on an older store, as its operator declares it restored."""
    store = os.path.join(net.net, "store")
    net.stop()
    subprocess.run(["rm", "-r", store], check=True)
    subprocess.run(["cp", "-r", old, store], check=True)
    restored = run("consil-relay", "--config", os.path.join(net.net, "relay.conf"),
                   "--restored", cwd=net.path)
    equal(0, restored.code, str(restored))
    net.start()


@test
def a_fork_proof_is_held_against_the_directory_of_a_home():
    with Network() as net:
        doe, a, _ = net.three()
        net.stop()
        old = net.file("old")
        subprocess.run(["cp", "-r", os.path.join(net.net, "store"), old], check=True)
        net.start()
        net.org("hidden")
        doe.ok("sync")
        note = net.file("doe.checkpoint")
        doe.ok("keys", "checkpoint", "-o", note)
        go_back_to(net, old)
        a.ok("keys", "rotate")
        result = a.run("verify", note)
        equal(4, result.code, f"another directory there: {result}")
        folder = os.path.join(a.home, "evidence")
        proof, = [os.path.join(folder, f) for f in os.listdir(folder) if f.startswith("fork-")]
        check(a.ok("verify", proof).out.startswith("proves: the relay of"), "by the home's directory")
        row = a.ok("verify", proof, "--offline", "--json").json()[0]
        equal((True, "proved"), (row["proves"], row["verdict"]), "verdict in JSON")
        check(doe.run("verify", proof).out.startswith("proves:"), "also to whom the relay contradicts now")


@test
def what_was_not_done_here_is_confirmed_before_anything_is_sent():
    with Network() as net:
        doe, a, _ = net.three()
        phone = second_device(net, doe, "phone")
        # the first device invited it: to know, not to confirm
        told = doe.ok("keys", "notices", "--json").json()
        check(all(not n["must_confirm"] for n in told), f"expected: {told}")
        doe.send("a@clinic", subject="goes out")
        # the phone changes its key: that may be a thief
        phone.ok("keys", "rotate")
        synced = doe.ok("sync")
        check("await your confirmation" in synced.err, f"told: {synced}")
        refused = doe.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                          "--note", "note.md")
        equal(4, refused.code, f"refused: {refused}")
        row = [n for n in doe.ok("keys", "notices", "--json").json() if n["must_confirm"]][0]
        check(f"keys confirm {row['seq']}" in refused.err, f"says how: {refused}")
        check("your device phone" in row["text"] and not row["settled"], f"notice: {row}")
        # what comes in still comes in, and is receipted
        id = a.send("j.doe@mnoncology", subject="for doe")
        equal({"for doe"}, {m["subject"] for m in doe.inbox()}, "mail comes in")
        check(any(r["delivered_at"] for r in a.sent(id)), "and is receipted")
        equal(3, doe.run("keys", "confirm", "999999").code, "no such notice")
        doe.ok("keys", "confirm", row["seq"])
        doe.send("a@clinic", subject="goes out again")
        equal({"goes out", "goes out again"}, {m["subject"] for m in a.inbox()}, "what went out")
        check("await" not in doe.ok("sync").err, "nothing waits")


@test
def a_sender_hears_who_was_enrolled_anew():
    with Network() as net:
        doe, a, _ = net.three()
        row = [m for m in doe.ok("contacts", "a@clinic", "--json").json()][0]
        equal(None, row["reenrolled_at"], "enrolled once")
        lost = net.admin("devices", "a@clinic", "--json").json()[0]
        revoked = net.admin("revoke", "device", lost["id"], "--reason", "lost", "--yes")
        equal(0, revoked.code, f"revoked: {revoked}")
        net.join("a@clinic", home="again")
        row = [m for m in doe.ok("contacts", "a@clinic", "--json").json()][0]
        check(row["reenrolled_at"], f"contacts: {row}")
        result = doe.ok("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                        "--note", "note.md")
        check("by the registrar: confirm by telephone" in result.err, f"send: {result}")


main()
