#!/usr/bin/env python3
"""The relay does not learn from the wire when somebody reads: what tells of a
human's act leaves at a random later moment, with the exact time inside."""
import calendar
import contextlib
import os
import time

from network import (Network, check, clock_file, equal, free_port, killed_at, main,
                     shifted_clock, test, wait_until)
from proxy import Proxy

SPAN_S = {"urgent": 300, "routine": 1800}


@contextlib.contextmanager
def network():
    """All that the relay gets from anybody goes through a proxy that counts."""
    port = free_port()
    proxy = Proxy(port)
    with Network(listen=proxy.url, start=False) as net:
        path = os.path.join(net.net, "relay.conf")
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace(proxy.url, f"tcp://127.0.0.1:{port}"))
        net.start()
        yield net, proxy
    proxy.close()


def utc(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def facts(sender, id):
    return sender.sent(id)[0]


def silent(proxy, act):
    """What it gives; the relay must have heard nothing meanwhile."""
    before = proxy.connections, proxy.frames
    result = act()
    equal(before, (proxy.connections, proxy.frames), "what the relay heard of it")
    return result


@test
def reading_and_acknowledging_say_nothing_to_the_relay():
    with network() as (net, proxy):
        doe, a, b = net.three()
        for urgency, span_s in SPAN_S.items():
            # one of two random moments may come within the test's own seconds
            for _ in range(3):
                id = doe.send("a@clinic", extra=["--urgency", urgency])
                a.inbox()
                began = int(time.time())
                read = silent(proxy, lambda: a.ok("read", id))
                check("sync --now" in read.err, f"says that it waits: {read}")
                silent(proxy, lambda: a.ok("ack", id, "--json"))
                ended = int(time.time())
                # any other contact leaves them where they are, and says so
                report = a.ok("sync", "--json")
                row = report.json()[0]
                if row["held"] == 2:
                    break
            check("receipts wait" in report.err, str(report))
            equal(2, row["held"], f"both wait: {report}")
            check(began < utc(row["held_until"]) <= ended + span_s, f"until: {row}, {ended}")
            row = facts(doe, id)
            check(row["delivered_at"] and not row["opened_at"] and not row["acknowledged_at"],
                  f"delivered is no act, and left at once: {row}")
            # whoever is in a hurry says so
            equal(0, a.ok("sync", "--now", "--json").json()[0]["held"], "none waits")
            row = facts(doe, id)
            for fact in ("opened_at", "acknowledged_at"):
                check(began <= utc(row[fact]) <= ended, f"the exact time is inside: {row}")
        check("receipts wait" not in a.ok("sync").err, "nothing is left to say")


@test
def now_is_remembered_without_the_relay_and_rotation_takes_all_along():
    with network() as (net, proxy):
        doe, a, b = net.three()
        ids = [doe.send("a@clinic") for _ in range(2)]
        a.inbox()
        a.ok("read", ids[0])
        net.stop()
        equal(5, a.run("sync", "--now").code, "no relay")
        net.start()
        a.ok("sync")
        check(facts(doe, ids[0])["opened_at"], "at the next contact")
        a.ok("read", ids[1])
        a.ok("keys", "rotate")
        check(facts(doe, ids[1])["opened_at"], "while the key that signed it was good")


@test
def watch_wakes_for_them_and_they_come_at_their_time():
    with network() as (net, proxy):
        doe, a, b = net.three()
        clock = net.write("clock", "0")
        env = clock_file(clock)
        id = doe.send("a@clinic")
        process = net.watch(a, "--json", env=env)
        check(id in process.stdout.readline(), "it came")
        process.stdout.readline()  # synced
        wait_until(lambda: facts(doe, id)["delivered_at"], "delivered leaves at once")
        time.sleep(0.5)
        began = int(time.time())
        def read():
            a.ok("read", id, env=env)
            net.write("clock", "-50")  # its moment may be the next second
            time.sleep(1)
        silent(proxy, read)
        ended = int(time.time())
        row = facts(doe, id)
        check(not row["opened_at"], f"still here: {row}")
        net.write("clock", str(SPAN_S["routine"] + 5))
        wait_until(lambda: facts(doe, id)["opened_at"], "its time has come", 60)
        check(began <= utc(facts(doe, id)["opened_at"]) <= ended, "and says when it was opened")


@test
def a_kill_loses_nothing_and_a_clock_set_back_keeps_nothing():
    with network() as (net, proxy):
        doe, a, b = net.three()
        ids = [doe.send("a@clinic") for _ in range(6)]
        a.inbox()
        for n, id in enumerate(ids):
            a.run("read", id, env=killed_at(n + 1))
            a.ok("read", id)
        killed = [a.run("sync", "--now", env=killed_at(n)) for n in range(1, 9)]
        check(any(r.code < 0 for r in killed), "some were killed")
        a.ok("sync", "--now")
        check(all(facts(doe, id)["opened_at"] for id in ids), "all arrived")
        # the clock was wrong when it was read
        id = doe.send("a@clinic", extra=["--urgency", "routine"])
        a.inbox()
        a.ok("read", id, env=shifted_clock(3000))
        equal(0, a.ok("sync", "--json").json()[0]["held"], "it has left")
        check(facts(doe, id)["opened_at"], "and arrived")


main()
