#!/usr/bin/env python3
"""timeout: 600
What the relay ends by itself or at a sender's word: with nobody connected, and killed in
the middle of it."""
import os
import re
import signal

from network import (Network, check, clock_file, equal, killed_at, main, run, test,
                     wait_until)

DAY = 86400


class Clock:
    """What goes by for programs that run."""

    def __init__(self, net):
        self.path = net.file("clock")
        self.env = clock_file(self.path)
        self.set(0)

    def set(self, seconds):
        with open(self.path + ".new", "w") as f:
            f.write(f"{seconds} {seconds}")
        os.rename(self.path + ".new", self.path)


def counter(net, name):
    """What the relay logs when it is asked by a signal: nobody is connected."""
    seen = net.log_text().count(f"counter {name} ")
    net.relay.send_signal(signal.SIGUSR1)
    wait_until(lambda: net.log_text().count(f"counter {name} ") > seen, f"{name} is logged")
    return int(re.findall(rf"counter {name} (\d+)", net.log_text())[-1])


def standings(device, id, env=None):
    rows = device.ok("sent", "--offline", id, "--json", env=env or {}).json()
    return sorted(r["standing"] for r in rows)


def proved(net, device, id, env=None):
    """All that was stated of it, which must hold; the names of it."""
    net.proofs = getattr(net, "proofs", 0) + 1
    path = net.file(f"proof.{net.proofs}")
    device.ok("receipt", "export", id, "-o", path, env=env or {})
    result = device.run("verify", path, "--json", env=env or {})
    equal(0, result.code, str(result))
    return sorted(r["what"] for r in result.json() if r["kind"] == "statement")


@test
def what_nobody_fetches_ends_with_nobody_connected():
    with Network() as net:
        doe, a, b = net.three()
        clock = Clock(net)
        net.stop()
        net.start(env=clock.env)
        id = doe.send("a@clinic", "b@clinic", extra=("--expires", "2"))
        a.ok("sync")  # b never comes
        doe.ok("sync")
        clock.set(DAY)
        wait_until(lambda: counter(net, "oldest_undelivered_s") >= DAY, "how long b's waits")
        check(counter(net, "oldest_undelivered_s") < DAY + 600, "and no longer")
        equal(0, counter(net, "outcomes_expired"), "it is not over yet")
        connections = counter(net, "connections_accepted")
        clock.set(2 * DAY + 7200)
        wait_until(lambda: counter(net, "outcomes_expired") == 1, "b's ended")
        equal(connections, counter(net, "connections_accepted"), "and nobody came")
        wait_until(lambda: counter(net, "oldest_overdue_s") == 0, "nothing is late")
        equal(0, counter(net, "clock_steps"), "time went by")
        # the sender has the relay's signed word, the recipient a mark in the place
        doe.ok("sync", env=clock.env)
        equal(["delivered", "expired"], standings(doe, id, clock.env), "one outcome each")
        check("outcome" in proved(net, doe, id, clock.env), "signed")
        gone = b.ok("sync", "--json", env=clock.env).json()[0]
        equal((0, 1), (gone["received"], gone["missing"]), f"one never came: {gone}")
        equal(["expired"], [m["state"] for m in b.ok("inbox", "--json", env=clock.env).json()
                            if m["id"] == id and m["gone"]], "b never had it")


class Victim:
    """A relay that is killed before its nth change of a file from a moment on."""

    def __init__(self, net):
        self.net, self.armed = net, net.file("armed")

    def start(self, n, env=None):
        """It lives until it is armed."""
        self.net.stop()
        self.net.start(env={**(env or {}), **killed_at(n), "CONSIL_KILL_FROM": self.armed,
                            **self.preload(env)})

    def preload(self, env):
        """Both libraries, where there are two."""
        both = [killed_at(1)["LD_PRELOAD"], (env or {}).get("LD_PRELOAD")]
        return {"LD_PRELOAD": ":".join(x for x in both if x)}

    def arm(self):
        with open(self.armed, "w"):
            pass

    def back(self, env=None):
        """Whether it was killed; it runs again, and lives."""
        os.unlink(self.armed)
        died = self.net.relay.poll() is not None
        code = self.net.stop()
        check(not died or code == -signal.SIGKILL, f"by the kill alone: {code}")
        self.net.start(env=env)
        return died


def unharmed(net):
    equal(0, counter(net, "records_damaged"), "no record is damaged")
    check("error" not in net.log_text(), net.log_text()[-1000:])


KILLS = (1, 3, 6)


@test
def killed_while_it_withdraws_or_extends_it_did_or_did_not():
    with Network() as net:
        doe, a, b = net.three()
        net.write("scan.bin", os.urandom(1_500_000))
        victim, died = Victim(net), 0
        for n in KILLS:
            kept = doe.send("a@clinic", extra=("--expires", "2"))
            id = doe.send("a@clinic", "b@clinic", extra=("--attach", "scan.bin"))
            b.ok("sync")
            until = [m for m in doe.ok("sent", "--json").json() if m["id"] == kept][0]["expires_at"]
            # kept for longer
            victim.start(n)
            victim.arm()
            doe.run("sent", "extend", kept, "--days", "30")
            died += victim.back()
            row = doe.ok("sent", "extend", kept, "--days", "31", "--json").json()[0]
            check(row["stored_until"] > until, f"killed at {n}: {row}")
            equal(2, proved(net, doe, kept).count("custody"), "the first, the newest")
            # taken back
            victim.start(n)
            victim.arm()
            doe.run("withdraw", id)
            doe.run("sync")
            died += victim.back()
            doe.ok("sync")
            equal(["delivered", "withdrawn"], standings(doe, id), f"killed at {n}")
            stated = proved(net, doe, id)
            equal(2, stated.count("outcome"), f"one each: {stated}")
            got = [m["id"] for m in a.inbox()]
            check(kept in got and id not in got, f"killed at {n}: {got}")
            unharmed(net)
        equal(2 * len(KILLS), died, "each was killed")


@test
def killed_while_mail_expires_it_expired_once():
    with Network() as net:
        doe, a, b = net.three()
        clock, victim, died = Clock(net), Victim(net), 0
        net.write("scan.bin", os.urandom(1_500_000))
        now = 0
        for n in KILLS:
            net.stop()
            net.start(env=clock.env)
            result = doe.run("send", "--to", "a@clinic", "--to", "b@clinic", "--subject", "S",
                             "--question", "Q", "--note", "note.md", "--attach", "scan.bin",
                             "--expires", "2", env=clock.env)
            equal(0, result.code, str(result))
            id = result.last_line
            victim.start(n, clock.env)
            victim.arm()
            now += 2 * DAY + 7200
            clock.set(now)
            wait_until(lambda: net.relay.poll() is not None, "killed", 30)
            died += victim.back(clock.env)
            # a relay that was off waits an hour before it believes the clock
            now += 7200
            clock.set(now)
            wait_until(lambda: doe.run("sync", env=clock.env).code == 0
                       and standings(doe, id, clock.env) == ["expired", "expired"],
                       f"killed at {n}", 30)
            equal(2, proved(net, doe, id, clock.env).count("outcome"), "one each")
            for device in (a, b):
                rows = device.ok("inbox", "--json", env=clock.env).json()
                check(all(r.get("gone") and r["state"] == "expired" for r in rows),
                      f"nobody has it: {rows}")
            unharmed(net)
        equal(len(KILLS), died, "each was killed")


@test
def killed_while_it_copies_attachments_they_arrive_whole():
    with Network() as net:
        doe, a, b = net.three()
        content = os.urandom(2_500_000)
        net.write("scan.bin", content)
        id = doe.send("a@clinic", extra=("--attach", "scan.bin"))
        a.ok("sync")
        victim, died = Victim(net), 0
        for n in KILLS:
            victim.start(n)
            victim.arm()
            sent = a.run("forward", id, "--to", "b@clinic")
            equal(0, sent.code, f"accepted: {sent}")
            died += victim.back()
            a.ok("sync")
            came = [m["id"] for m in b.inbox()]
            equal(1 + KILLS.index(n), len(came), f"killed at {n}: once")
            out = net.file(f"out.{n}")
            b.ok("read", came[0], "--save", out)
            with open(os.path.join(out, "scan.bin"), "rb") as f:
                check(f.read() == content, f"killed at {n}: whole")
            unharmed(net)
        equal(len(KILLS), died, "each was killed")


@test
def a_store_that_was_cut_is_told():
    with Network() as net:
        doe, a, _ = net.three()
        net.write("scan.bin", os.urandom(3_000_000))
        doe.send("a@clinic", extra=("--attach", "scan.bin"))
        options = os.environ.get("ASAN_OPTIONS", "") + ":handle_sigbus=0"
        env = {"ASAN_OPTIONS": options.lstrip(":")}
        net.stop()
        net.start(env=env)
        # while it runs: the attachments are gone from the disk
        os.truncate(os.path.join(net.net, "store", "segments", "data.mdb"), 8192)
        check(a.run("sync").code != 0, "no mail")
        equal(1, net.relay.wait(timeout=30), "it ended")
        check("the store is damaged" in net.log_text().strip().splitlines()[-1], net.log_text())
        net.relay = None
        # and when it starts
        os.truncate(os.path.join(net.net, "store", "rows", "data.mdb"), 8192)
        done = run("consil-relay", "--config", os.path.join(net.net, "relay.conf"), cwd=net.path,
                   env=env, timeout=30)
        check(done.code in (1, 4) and len(done.err.strip().splitlines()) >= 1, str(done))
        check(done.err.startswith("consil-relay: error:"), str(done))


if __name__ == "__main__":
    main()
