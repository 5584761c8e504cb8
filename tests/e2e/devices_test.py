#!/usr/bin/env python3
"""A member's own devices: keys that rotate, a second device, fingerprints."""
import os
import shutil
import signal

from network import Device, Network, check, equal, main, test, wait_until


@test
def fingerprints_are_the_same_words_on_both_sides():
    with Network() as net:
        net.org("clinic")
        file = net.invite("a@clinic")
        device = Device(net, "a@clinic", net.file("a.home"))
        joined = device.ok("join", file, "--unattended")
        row = net.admin("devices", "--json").json()[0]
        words = row["fingerprint_words"]
        equal(12, len(words.split()), "words")
        equal(64, len(row["fingerprint"]), "hex digits")
        check(words in " ".join(joined.out.split()), f"words of join: {joined}")
        shown = net.admin("devices")
        check(words in " ".join(shown.out.split()), f"words of devices: {shown}")
        equal("usable", row["state"], "state")


def home_of(device):
    return set(os.listdir(device.home))


@test
def rotation_keeps_what_was_and_shuts_the_old_key_out():
    with Network() as net:
        doe, a, _ = net.three()
        before = doe.send("a@clinic", subject="before")
        answered = a.send("j.doe@mnoncology", subject="to doe")
        old = Device(net, "old", net.file("old.home"))
        shutil.copytree(a.home, old.home)
        fingerprint = net.admin("devices", "a@clinic", "--json").json()[0]["fingerprint"]
        rotated = a.ok("keys", "rotate", "--json").json()[0]
        row = net.admin("devices", "a@clinic", "--json").json()[0]
        check(row["fingerprint"] != fingerprint, "a new key")
        equal(row["fingerprint"], rotated["fingerprint"], "the one that is shown")
        check("keyring.next" not in home_of(a), "nothing is left over")
        # mail from before opens, receipts count, and new mail both ways
        a.ok("read", before)
        after = a.send("j.doe@mnoncology", subject="after")
        equal({"to doe", "after"}, {m["subject"] for m in doe.inbox()}, "doe has both")
        doe.ok("read", answered)
        doe.ok("read", after)
        facts = doe.sent(before)[0]
        check(facts["delivered_at"] and facts["opened_at"], f"facts: {facts}")
        # the copy that holds the old key is nobody now
        for verb in (["sync"], ["send", "--to", "j.doe@mnoncology", "--subject", "S",
                                "--question", "Q", "--note", "note.md"]):
            result = old.run(*verb)
            equal(4, result.code, f"old key: {result}")
            check("rotated in another copy" in result.err, f"says why: {result}")
        equal(2, len(doe.inbox()), "nothing of the old key came")


@test
def plan_says_what_is_under_way_and_destroying_early_is_refused():
    with Network() as net:
        doe, a, _ = net.three()
        plan = a.ok("keys", "plan", "--json").json()
        equal("signing", plan[0]["key"], "the signing key first")
        epochs = [r for r in plan if r["key"] == "epoch"]
        check(len(epochs) >= 26, f"published ahead: {len(epochs)}")
        check(all(r["destroyed_at"] > r["until"] for r in epochs), "not before the mail")
        equal(plan, a.ok("keys", "rotate", "--plan", "--json").json(), "the same plan")
        early = a.run("keys", "destroy", epochs[0]["epoch"])
        equal(2, early.code, f"too early: {early}")
        check(epochs[0]["destroyed_at"][:10] in early.err, f"names the date: {early}")
        equal(0, a.run("keys", "destroy", epochs[0]["epoch"] - 200).code, "long gone")
        equal(3, a.run("keys", "destroy", epochs[-1]["epoch"] + 200).code, "not yet made")
        equal(2, a.run("keys", "destroy", "x").code, "no number")
        # what waits for the relay is counted under the key that signed it
        net.stop()
        doe.send("a@clinic")
        text = doe.ok("keys", "plan", "--offline")
        check("0 sealed" in text.out and "by themselves" in text.out, f"text: {text}")


@test
def watch_goes_on_with_the_new_key():
    with Network() as net:
        doe, a, _ = net.three()
        watch = net.watch(a, "--json")
        doe.send("a@clinic", subject="one")
        check("one" in watch.stdout.readline(), "watching")
        a.ok("keys", "rotate")
        doe.send("a@clinic", subject="two")
        for _ in range(5):
            line = watch.stdout.readline()
            if "two" in line:
                break
        check("two" in line, f"still watching: {line}")
        watch.send_signal(signal.SIGTERM)
        equal(0, watch.wait(timeout=20), "watch ends well")
        id = [m["id"] for m in a.inbox() if m["subject"] == "two"][0]
        a.ok("ack", id)
        check(doe.sent(id)[0]["acknowledged_at"], "what it signs counts")


main()
