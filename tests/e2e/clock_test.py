#!/usr/bin/env python3
"""Clocks that are wrong: nothing is lost by them, neither keys nor mail."""
import os

from network import Network, check, equal, main, shifted_clock, test, wait_until

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
            # The first checkpoint may still be of the wrong clock.
            wait_until(lambda: doe.ok("sync") and
                       sent.last_line in [m["id"] for m in a.inbox()], "it came later")


main()
