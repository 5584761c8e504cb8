#!/usr/bin/env python3
"""How what was sent stands: states from signed facts, silence that calls for
the sender, relay or not, and what a script is told of it."""
import json
import os
import time

from network import Network, check, clock_file, equal, main, test, wait_until

HOUR = 3600
DAY = 24 * HOUR


def hours_on(net, n):
    """Environment of a program that lives n hours later."""
    path = net.file("clock")
    with open(path, "w") as f:
        f.write(str(int(n * HOUR)))
    return clock_file(path)


def row(device, id, env=None):
    listed = device.ok("sent", "--offline", "--json", env=env or {}).json()
    return next(m for m in listed if m["id"] == id)


@test
def states_follow_from_signed_facts_alone():
    with Network() as net:
        doe, a, b = net.three()
        net.stop()
        id = doe.send("a@clinic", "b@clinic")
        equal("queued", row(doe, id)["standing"], "without the relay")
        net.start()
        doe.ok("sync")
        equal("custody", row(doe, id)["standing"], "the relay has it")
        a.ok("sync")
        doe.ok("sync")
        equal("custody", row(doe, id)["standing"], "b, who is behind, counts")
        equal(["custody", "delivered"], sorted(r["standing"] for r in doe.sent(id)), "each")
        b.ok("read", id)
        b.act("ack", id)
        doe.ok("sync")
        equal("delivered", row(doe, id)["standing"], "a is behind now")
        equal(["acknowledged", "delivered"], sorted(r["standing"] for r in doe.sent(id)), "each")
        check("b@clinic, device" in doe.ok("sent", id).out and
              ": acknowledged" in doe.ok("sent", id).out, "in words too")


@test
def the_urgency_says_how_soon_silence_is_an_alarm():
    with Network() as net:
        doe, _, _ = net.three()
        ids = [doe.send("a@clinic", extra=("--urgency", word))
               for word in ("page", "urgent", "routine")]
        net.stop()
        for hours, overdue in ((0.05, 0), (0.1, 1), (1.1, 2), (25, 3)):
            now = hours_on(net, hours)
            equal(["overdue"] * overdue + [None] * (3 - overdue),
                  [row(doe, id, now)["reason"] or None for id in ids], f"after {hours} h")


@test
def silence_is_told_once_relay_or_not():
    with Network() as net:
        doe, a, _ = net.three()
        urgent = doe.send("a@clinic", extra=("--urgency", "urgent"))
        nothing = doe.run("sent", "--offline", "--attention")
        equal(3, nothing.code, f"nothing calls: {nothing}")
        net.stop()  # and stays away
        later = hours_on(net, 2)
        equal("overdue", row(doe, urgent, later)["reason"], "after an hour")
        calls = doe.run("sent", "--offline", "--attention", env=later)
        equal(0, calls.code, f"something calls: {calls}")
        check("call them" in calls.out, f"says what to do: {calls}")
        check("call for you" in doe.run("sync", env=later).err, "sync says so too")
        told = net.file("told")
        program = net.write("notify", f"#!/bin/sh\necho \"$#\" \"$@\" >>{told}\n")
        os.chmod(program, 0o755)
        for _ in range(2):  # over a restart it is not told again
            watch = net.watch(doe, "--json", "--notify", program, env=later)
            try:
                time.sleep(3)
            finally:
                watch.terminate()
                out = watch.communicate()[0]
            events = [json.loads(line) for line in out.splitlines()]
            alarms = [e for e in events if e["event"] == "alarm"]
            if _ == 0:
                equal([{"event": "alarm", "id": urgent, "reason": "overdue"}], alarms, "told")
            else:
                equal([], alarms, "not again")
        with open(told) as f:
            equal(f"3 alarm {urgent} overdue\n", f.read(), "what the program is told")


@test
def attention_comes_first_and_ends_with_the_answer():
    with Network() as net:
        doe, a, _ = net.three()
        old = doe.send("a@clinic", subject="old", extra=("--answer-by", "4h"))
        time.sleep(1.1)  # listed by the second
        new = doe.send("a@clinic", subject="new")
        a.ok("sync")
        doe.ok("sync")
        later = hours_on(net, 5)
        listed = doe.ok("sent", "--offline", "--json", env=later).json()
        equal([old, new], [m["id"] for m in listed], "what calls for me first")
        equal("unanswered", listed[0]["reason"], "why")
        a.ok("reply", old, "--note", "note.md")
        doe.ok("sync")
        listed = doe.ok("sent", "--offline", "--json", env=later).json()
        equal([new, old], [m["id"] for m in listed], "then the newest first")
        check(listed[1]["answered"], "it is answered")
        for wrong in ("yesterday", "2020-01-01", "0h", "400d", "5", "-4h"):
            refused = doe.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                              "--note", "note.md", f"--answer-by={wrong}")
            equal(2, refused.code, f"{wrong}: {refused}")


@test
def a_program_that_is_not_there_is_refused_and_one_that_hangs_stops_nothing():
    with Network() as net:
        doe, a, _ = net.three()
        refused = a.run("watch", "--notify", "no-such-program")
        equal(3, refused.code, f"refused: {refused}")
        program = net.write("hang", "#!/bin/sh\nexec sleep 5\n")
        os.chmod(program, 0o755)
        watch = net.watch(a, "--json", "--notify", program)
        try:
            ids = [doe.send("a@clinic", subject=str(i)) for i in range(10)]
            wait_until(lambda: set(ids) <= {m["id"] for m in a.inbox()}, "all came", 30)
        finally:
            watch.terminate()
            out, err = watch.communicate()
        equal(10, sum('"arrived"' in line for line in out.splitlines()), "all were told here")
        check("still running" in err, f"and what was not told there: {err}")
        time.sleep(5)  # and leaves nothing behind


main()
