#!/usr/bin/env python3
"""Revocation as its people see it: a lost laptop, somebody who left, a practice,
a registrar. What was signed before stays, what waits comes back, nobody new gets in."""

import time

from network import Network, check, equal, main, run, test, wait_until


def admin(net, *args, code=0):
    result = run("consil-admin", "--network", net.net, *args)
    equal(code, result.code, str(result))
    return result


def device_of(net, address):
    return run("consil-admin", "--network", net.net, "devices", address, "--json").json()[-1]


def outcome(sender, case, address):
    rows = [r for r in sender.sent(case) if r["address"] == address]
    return rows[0]["outcome"] if rows else None


@test
def a_lost_laptop():
    with Network() as net:
        net.org("clinic")
        anna, bob = net.join("anna@clinic"), net.join("bob@clinic")
        read = anna.send("bob@clinic", subject="before")
        bob.ok("sync")
        bob.ok("read", read)
        waiting = anna.send("bob@clinic", subject="waits")
        device = device_of(net, "bob@clinic")["id"]
        time.sleep(1.1)  # a second is one moment: what is signed in it does not count
        result = admin(net, "revoke", "device", device[:8], "--reason", "lost", "--yes")
        check("revoked" in result.out, str(result))
        # the relay refuses at once, and the device says why
        refused = bob.run("sync")
        equal(4, refused.code, str(refused))
        check("revoked" in refused.err, refused.err)
        # what bob read he still has; his receipt from before still counts
        check("before" in bob.ok("inbox", "--offline").out, "the old case is still there")
        wait_until(lambda: anna.ok("sync") and outcome(anna, waiting, "bob@clinic") == "revoked",
                   "the sender is told")
        text = anna.ok("sent", waiting).out
        check("revoked" in text and "send it again" in text, text)
        equal("ok", [r for r in anna.sent(read)][0]["delivered_result"], "what he had is proved")
        # nothing can be sealed to him until he has a device again
        refused = anna.run("send", "--to", "bob@clinic", "--subject", "S", "--question", "Q",
                           "--note", "note.md")
        check("revoked" in refused.err and refused.code != 0, str(refused))
        # the same address, invited anew
        again = net.join("bob@clinic", home="bob2")
        anna.ok("sync")
        case = anna.send("bob@clinic", subject="after")
        again.ok("sync")
        check("after" in again.ok("read", case).out, "the new device reads")


@test
def others_of_the_same_message_get_it():
    with Network() as net:
        net.org("clinic")
        anna, bob = net.join("anna@clinic"), net.join("bob@clinic")
        carl = net.join("carl@clinic")
        case = anna.send("bob@clinic", "carl@clinic")
        admin(net, "revoke", "member", "bob@clinic", "--reason", "left", "--yes")
        carl.ok("sync")
        wait_until(lambda: anna.ok("sync") and outcome(anna, case, "bob@clinic") == "revoked",
                   "bob's is back")
        equal("fetched", outcome(anna, case, "carl@clinic"), "carl's outcome")
        equal(4, bob.run("sync").code, "bob is out")


@test
def what_was_queued_goes_to_the_others():
    with Network() as net:
        net.org("clinic")
        anna, bob = net.join("anna@clinic"), net.join("bob@clinic")
        second = net.join("carl@clinic")
        anna.ok("sync")
        net.stop()
        anna.run("send", "--to", "bob@clinic", "--subject", "queued", "--question", "Q",
                 "--note", "note.md")
        net.start()
        admin(net, "revoke", "device", device_of(net, "bob@clinic")["id"], "--reason", "lost",
              "--yes")
        anna.run("sync")
        text = anna.ok("sent").out
        check("revoked" in text, f"the sender sees why it does not go: {text}")
        again = net.join("bob@clinic", home="bob2")
        wait_until(lambda: anna.run("sync").code == 0 and "queued" in again.ok("inbox").out,
                   "it goes to the new device")
        check(second is not None and bob is not None, "joined")


@test
def a_practice():
    with Network() as net:
        net.org("clinic")
        net.org("mayo")
        anna, dora = net.join("anna@clinic"), net.join("dora@mayo")
        case = anna.send("dora@mayo")
        admin(net, "revoke", "org", "mayo", "--reason", "left", "--yes")
        equal(4, dora.run("sync").code, "its members are out")
        wait_until(lambda: anna.ok("sync") and outcome(anna, case, "dora@mayo") == "revoked",
                   "mail for it is back")
        refused = anna.run("send", "--to", "dora@mayo", "--subject", "S", "--question", "Q",
                           "--note", "note.md")
        check(refused.code != 0 and "dora@mayo" in refused.err, str(refused))
        result = run("consil-admin", "--network", net.net, "invite", "eve@mayo", "--name", "E",
                     "--role", "physician", "-o", net.file("eve.invite"))
        equal(4, result.code, str(result))


@test
def a_compromised_device_in_the_past():
    with Network() as net:
        net.org("clinic")
        anna, bob = net.join("anna@clinic"), net.join("bob@clinic")
        case = bob.send("anna@clinic", subject="from whom?")
        device = device_of(net, "bob@clinic")["id"]
        admin(net, "revoke", "device", device, "--reason", "compromised",
              "--compromised-since", "2001-01-01", "--yes")
        anna.run("sync")
        result = anna.run("read", case)
        check(result.code != 0 or "from whom?" not in result.out,
              f"a message of a key in other hands is not shown as bob's: {result}")


@test
def what_was_read_before_the_key_was_found_stolen():
    with Network() as net:
        net.org("clinic")
        anna, bob = net.join("anna@clinic"), net.join("bob@clinic")
        case = bob.send("anna@clinic", subject="by a thief")
        anna.ok("sync")
        check("signature verified" in anna.ok("read", case).out, "as far as is known")
        device = device_of(net, "bob@clinic")["id"]
        stolen = ("revoke", "device", device, "--reason", "compromised", "--yes",
                  "--compromised-since")
        admin(net, *stolen, "2001-01-02")
        anna.ok("sync")
        text = anna.ok("read", case).out
        check("DOES NOT COUNT" in text and "signature verified" not in text, text)
        check(anna.ok("read", case, "--json").json()[0]["signature_counts"] is False, "in JSON")
        # what was said holds: it can only become earlier
        admin(net, "revoke", "device", device, "--reason", "lost", "--yes", code=2)
        admin(net, *stolen, "2001-01-03", code=2)
        admin(net, *stolen, "2001-01-01")


@test
def the_registrar_itself():
    with Network() as net:
        net.org("clinic")
        anna = net.join("anna@clinic")
        admin(net, "revoke", "registrar", "self", "--reason", "superseded", "--yes")
        result = run("consil-admin", "--network", net.net, "members")
        equal(4, result.code, str(result))
        anna.ok("sync")  # what it admitted before stays


@test
def wrong_lines():
    with Network() as net:
        net.org("clinic")
        net.join("anna@clinic")
        for args, code in (
                (("revoke", "device", "ffffffff", "--reason", "lost", "--yes"), 3),
                (("revoke", "member", "nobody@clinic", "--reason", "left", "--yes"), 3),
                (("revoke", "org", "nowhere", "--reason", "left", "--yes"), 3),
                (("revoke", "gadget", "x", "--reason", "lost", "--yes"), 2),
                (("revoke", "member", "anna@clinic", "--reason", "bored", "--yes"), 2),
                (("revoke", "member", "anna@clinic", "--yes"), 2),
                (("revoke", "member", "anna@clinic", "--reason", "compromised", "--yes"), 2),
                (("revoke", "member", "anna@clinic", "--reason", "left",
                  "--compromised-since", "2101-01-01", "--yes"), 2),
                (("revoke", "registrar", "other", "--reason", "left", "--yes"), 3),
                (("revoke", "device", "ffff", "--reason", "lost", "--yes"), 2),
                (("revoke", "member", "anna@clinic", "--reason", "left"), 2)):
            result = admin(net, *args, code=code)
            check(result.err.startswith("consil-admin: "), str(result))
        admin(net, "revoke", "member", "anna@clinic", "--reason", "left", "--yes")
        result = admin(net, "revoke", "member", "anna@clinic", "--reason", "left", "--yes",
                       code=2)
        check("already" in result.err, result.err)


if __name__ == "__main__":
    main()
