#!/usr/bin/env python3
"""timeout: 600
The relay gets other keys while it runs: nobody enrols again, nothing is lost,
and the old keys go when nobody needs them."""
import os
import shutil
import signal

from network import (Device, Network, check, equal, main, run, shifted_clock, test, wait_until)


def ok(result):
    check(result.code == 0, str(result))
    return result


def keyring(net, end=""):
    return os.path.join(net.net, "relay.keyring" + end)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, content):
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, 0o600)


def plan(net):
    return ok(net.admin("rotate", "relay", "--plan", "--json")).json()[0]


@test
def the_relay_gets_another_key_while_it_runs():
    with Network() as net:
        doc, a, b = net.three()
        late = net.invite("late@clinic")
        before = doc.send("a@clinic", subject="before")
        watching = net.watch(a, "--json")
        wait_until(lambda: before in [m["id"] for m in a.inbox()], "it came")
        fingerprint = plan(net)["fingerprint"]
        told = ok(net.admin("rotate", "relay"))
        check("new key" in told.out, told.out)
        check(plan(net)["fingerprint"] != fingerprint, "another key")
        equal(1, plan(net)["open_invitations"], "an invitation names the old one")
        equal(None, watching.poll(), "no connection was lost")
        equal(True, os.path.exists(keyring(net, ".old")), "the old key is kept")
        equal(False, os.path.exists(keyring(net, ".next")), "nothing waits")
        # nobody has synced since: with the old key, by the mirror of then
        during = doc.send("a@clinic", subject="during")
        wait_until(lambda: during in [m["id"] for m in a.inbox()],
                   "the session of before goes on")
        for id in (before, during):
            wait_until(lambda: doc.ok("sync") and doc.sent(id)[0]["delivered_at"],
                       "its receipt, sent in the session of before, arrives")
            check(doc.sent(id)[0]["custody_at"], "custody of then holds")
        # an invitation of before names the old key
        device = Device(net, "late@clinic", net.file("late.home"))
        device.ok("join", late, "--unattended")
        check(device.send("b@clinic"), "who joined by it sends")
        b.ok("sync")
        net.join("after@clinic")
        equal(0, plan(net)["open_invitations"], "it was used")
        # a restart finds everything
        net.stop(signal.SIGKILL)
        net.start()
        doc.ok("sync")
        b.send("j.doe@mnoncology", subject="after the restart")
        doc.ok("sync")
        check(any(m["subject"] == "after the restart" for m in doc.inbox()), "mail goes on")


@test
def old_keys_are_destroyed_when_nobody_needs_them():
    with Network() as net:
        doc, a, b = net.three()
        equal(3, net.admin("rotate", "relay", "--destroy-old").code, "there are none")
        ok(net.admin("rotate", "relay"))
        state = plan(net)
        equal((3, 3), (state["devices"], state["devices_waiting"]), "nobody knows yet")
        early = net.admin("rotate", "relay", "--destroy-old")
        equal(2, early.code, str(early))
        check("3 devices" in early.err and "from 20" in early.err, early.err)
        again = net.admin("rotate", "relay")
        equal(2, again.code, str(again))
        check("--destroy-old" in again.err, again.err)
        for device in (doc, a):
            device.ok("sync")  # learns of it
            device.ok("sync")  # and says so
        wait_until(lambda: plan(net)["devices_waiting"] == 1, "two know")
        equal(2, net.admin("rotate", "relay", "--destroy-old").code, "one does not")
        net.stop()
        net.start()
        equal(1, plan(net)["devices_waiting"], "that is remembered")
        home = net.file("copy.home")
        shutil.copytree(b.home, home)  # who never hears of it
        b.ok("sync")
        b.ok("sync")
        wait_until(lambda: plan(net)["devices_waiting"] == 0, "all know")
        ok(net.admin("rotate", "relay", "--destroy-old"))
        equal(False, os.path.exists(keyring(net, ".old")), "the file is gone")
        for device in (doc, a, b):
            device.ok("sync")
        cut_off = Device(net, "b@clinic", home).run("sync")
        equal(4, cut_off.code, str(cut_off))
        check("certified" in cut_off.err or "prove" in cut_off.err, cut_off.err)
        ok(net.admin("rotate", "relay"))  # the next one


@test
def ninety_days_later_they_may_go_whoever_is_away():
    late = shifted_clock(91 * 86400)
    with Network() as net:
        net.three()
        ok(net.admin("rotate", "relay"))
        equal(2, net.admin("rotate", "relay", "--destroy-old").code, "too early")
        net.stop()
        net.start(env=late)
        gone = ok(net.admin("rotate", "relay", "--destroy-old", env=late))
        check("3 devices" in gone.out, gone.out)


@test
def a_relay_of_another_folder_gets_the_keys_as_a_file():
    with Network() as net:
        doc, a, _ = net.three()
        admin = net.file("admin")  # the registrar's machine has a copy
        shutil.copytree(net.net, admin, ignore=shutil.ignore_patterns("store*"))

        def rotate():
            return run("consil-admin", "--network", admin, "rotate", "relay")
        missing = rotate()
        equal(4, missing.code, str(missing))
        check("relay.keyring.next" in missing.err and "nothing has changed" in missing.err,
              missing.err)
        doc.send("a@clinic")
        shutil.copy(os.path.join(admin, "relay.keyring.next"), keyring(net, ".next"))
        net.relay.send_signal(signal.SIGHUP)
        wait_until(lambda: "holds the keys that are to follow" in net.log_text(), "it is told")
        ok(rotate())
        equal(False, os.path.exists(os.path.join(admin, "relay.keyring.next")), "the copy follows")
        equal(read(keyring(net)), read(os.path.join(admin, "relay.keyring")), "they are the same")
        check(doc.send("a@clinic"), "mail goes on")


@test
def a_rotation_that_is_broken_off_is_completed():
    with Network() as net:
        doc, a, _ = net.three()
        first = read(keyring(net))
        # killed before anything but the next keys was made
        net.stop()
        refused = net.admin("rotate", "relay")
        equal(5, refused.code, str(refused))
        net.start()
        ok(net.admin("rotate", "relay"))
        second = read(keyring(net))
        check(second != first, "it was rotated")
        # killed after the commit, before the files moved
        net.stop(signal.SIGKILL)
        os.unlink(keyring(net, ".old"))
        write(keyring(net), first)
        write(keyring(net, ".next"), second)
        net.start()
        equal(second, read(keyring(net)), "the relay found out")
        equal(first, read(keyring(net, ".old")), "and kept the old keys")
        # killed between the two moves
        net.stop(signal.SIGKILL)
        write(keyring(net), first)
        write(keyring(net, ".next"), second)
        os.unlink(keyring(net, ".old"))
        os.link(keyring(net), keyring(net, ".old"))
        net.start()
        equal(second, read(keyring(net)), "found out again")
        # the admin was killed before it heard of it
        write(keyring(net, ".next"), second)
        told = ok(net.admin("rotate", "relay"))
        check("complete" in told.out, told.out)
        id = doc.send("a@clinic")
        a.ok("sync")
        check(id in [m["id"] for m in a.inbox()], "mail goes on")


@test
def a_keyring_of_somebody_else_is_left_alone():
    with Network() as net, Network(start=False) as other:
        net.three()
        shutil.copy(keyring(other), keyring(net, ".next"))
        net.relay.send_signal(signal.SIGHUP)
        wait_until(lambda: "left as it is" in net.log_text(), "it says so")
        check(net.admin("rotate", "relay").code != 0, "nothing to rotate to")
        net.stop()
        net.start()
        ok(net.admin("orgs"))


main()
