#!/usr/bin/env python3
"""Clocks that are wrong: nothing is lost by them, neither keys nor mail."""
import os

from network import (Network, check, clock_file, equal, main, shifted_clock, test,
                     wait_until)

DAY = 86400


@test
def a_wrong_clock_costs_no_mail():
    with Network() as net:
        doe, a, b = net.three()
        with open(os.path.join(b.home, "epochs"), "rb") as f:
            before = f.read()
        for days in (100, 366, -100):
            wrong = b.run("sync", env=shifted_clock(days * DAY))
            equal(5, wrong.code, f"refused: {wrong}")
            check("clock" in wrong.err and f"{abs(days)} days" in wrong.err, f"says why: {wrong}")
        with open(os.path.join(b.home, "epochs"), "rb") as f:
            equal(before, f.read(), "the epoch keys are as they were")
        id = doe.send("b@clinic")
        b.inbox()
        check("a note" in b.ok("read", id).out, "and open what is sealed to them")


@test
def with_a_wrong_clock_mail_waits():
    with Network() as net:
        doe, a, b = net.three()
        for days in (100, -100):
            net.stop()
            net.start(env=shifted_clock(days * DAY))
            sent = doe.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                           "--note", "note.md")
            equal(0, sent.code, f"accepted: {sent}")
            check("queued" in sent.err and "clock" in sent.err, f"says so: {sent}")
            net.stop()
            net.start()

            def came():
                # The first checkpoint may still be of the wrong clock.
                doe.run("sync")
                got = a.run("inbox", "--json")
                return got.code == 0 and sent.last_line in [m["id"] for m in got.json()]
            wait_until(came, "it came later")


WEEK = 7 * DAY


class Calendar:
    """A network whose programs all go by one clock, which the test moves."""

    def __init__(self, net):
        self.net, self.path = net, net.file("clock")
        self.env = clock_file(self.path)
        self.set(0)
        net.stop()
        net.start(env=self.env)

    def set(self, seconds):
        with open(self.path + ".new", "w") as f:
            f.write(str(seconds))
        os.rename(self.path + ".new", self.path)

    def go_to(self, seconds):
        """A relay that was off meanwhile: sessions end, as they do each hour."""
        self.net.stop()
        self.set(seconds)
        self.net.start(env=self.env)

    def run(self, device, verb, *args):
        return device.ok(verb, *args, env=self.env)

    def send(self, device, to):
        sent = self.run(device, "send", "--to", to, "--subject", "S", "--question", "Q",
                        "--note", "note.md")
        return sent.last_line

    def row(self, device, id):
        return self.run(device, "sent", id, "--json").json()[0]

    def epochs(self, device):
        rows = self.run(device, "keys", "plan", "--json").json()
        return [r["epoch"] for r in rows if r["key"] == "epoch"]


@test
def a_relay_that_jumps_ahead_says_so_and_deletes_nothing():
    with Network() as net:
        doe, a, _ = net.three()
        time = Calendar(net)
        id = time.send(doe, "a@clinic")
        steps = net.log_text().count("the clock stepped")
        for ahead in (3600, DAY, 366 * DAY):
            for seconds in (ahead, 0):
                time.set(seconds)
                steps += 1
                wait_until(lambda: net.log_text().count("the clock stepped") >= steps,
                           f"{seconds} s ahead: it says so, with nobody asking anything", 30)
        check("a note" in time.run(a, "read", id).out, "the mail is there")


@test
def device_that_comes_once_a_year_opens_its_mail():
    with Network() as net:
        doe, a, _ = net.three()
        time = Calendar(net)
        first = time.epochs(a)[0]
        id = time.send(doe, "a@clinic")
        equal(None, time.row(doe, id)["no_forward_secrecy_since"], "a key of the week")
        time.go_to(30 * WEEK)
        id = time.send(doe, "a@clinic")
        since = time.row(doe, id)["no_forward_secrecy_since"]
        check(since, "the sender is told that the keys ran out, and when")
        check("no forward secrecy since" in time.run(doe, "sent", id).out, "in words too")
        time.go_to(51 * WEEK)
        id = time.send(doe, "a@clinic")
        equal(since, time.row(doe, id)["no_forward_secrecy_since"], "still the same key")
        check("a note" in time.run(a, "read", id).out, "it opens after all that time")
        # back again: keys of its own weeks, and the sender sees that
        id = time.send(doe, "a@clinic")
        equal(None, time.row(doe, id)["no_forward_secrecy_since"], "a key of the week")
        have = time.epochs(a)
        check(have[0] == first + 25 and have[1] == first + 51,
              f"the last one of before, and from now on: {have[:3]}")


@test
def watch_keeps_its_keys_published_for_months():
    with Network() as net:
        doe, a, _ = net.three()
        time = Calendar(net)
        first = time.epochs(a)[0]
        watch = net.watch(a, env=time.env)
        try:
            for week in (9, 18, 27, 36, 45):
                time.go_to(week * WEEK)
                id = time.send(doe, "a@clinic")
                row = wait_until(lambda: (lambda r: r["delivered_at"] and r)(time.row(doe, id)),
                                 f"week {week}: the watch has it", 90)
                equal(None, row["no_forward_secrecy_since"], f"week {week}")
        finally:
            watch.terminate()
            watch.wait()
        have = time.epochs(a)
        check(have[0] >= first + 45 - 14, f"what is past keeping is destroyed: {have[0] - first}")
        check(have[-1] >= first + 45 + 13, f"and half a year is ahead: {have[-1] - first}")


if __name__ == "__main__":
    main()
