#!/usr/bin/env python3
"""Attachments on a slow line: the pace that is asked for, and who is told how far they are."""
import json
import os
import pty
import subprocess
import time

from network import BUILD, Network, check, equal, main, test

SIZE = 3 << 20


def send(net, scan):
    return ("send", "--to", "a@clinic", "--subject", "S", "--question", "Q", "--note", "note.md",
            "--attach", scan, "--limit-rate", "1M")


def progress(result):
    """What it told on stderr; stdout has what was asked for and nothing else."""
    return [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]


@test
def the_line_is_shared_and_progress_is_told():
    with Network() as net:
        doe, anna, _ = net.three()
        scan = net.write("scan.bin", os.urandom(SIZE))
        begun = time.monotonic()
        sent = doe.ok(*send(net, scan), "--json")
        took = time.monotonic() - begun
        check(took > 1.5, f"3 MiB at 1 MiB/s took {took:.1f} s")
        steps = progress(sent)
        check(steps, f"--json tells of progress: {sent}")
        for e in steps:
            equal(("send", SIZE, sent.json()[0]["id"]), (e["direction"], e["total"], e["id"]),
                  "which")
            check(0 <= e["bytes"] <= SIZE and e["bytes_per_s"] < 3 << 20, str(e))
        equal(sorted(e["bytes"] for e in steps), [e["bytes"] for e in steps], "it goes up")
        got = anna.ok("sync", "--limit-rate", "1M", "--json")
        check([e for e in progress(got) if e["direction"] == "fetch"], f"fetching too: {got}")

        piped = doe.ok(*send(net, scan))
        check("%" not in piped.err + piped.out, f"a pipe gets no bar: {piped}")
        for rate in ("31K", "fast", "-1M", "0"):
            wrong = doe.run("sync", f"--limit-rate={rate}")
            equal(2, wrong.code, str(wrong))
            check("limit-rate" in wrong.err, str(wrong))


@test
def a_terminal_gets_a_bar_and_nothing_is_left_of_it():
    with Network() as net:
        doe, _, _ = net.three()
        scan = net.write("scan.bin", os.urandom(SIZE))
        ours, theirs = pty.openpty()
        done = subprocess.Popen([os.path.join(BUILD, "consil"), *send(net, scan)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=theirs, cwd=net.path,
                                env={**os.environ, "CONSIL_HOME": doe.home})
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        out = done.communicate()[0].decode()
        equal(0, done.returncode, f"{out} {shown}")
        check(b"sending" in shown and b" % of 3.0 MB" in shown or b"MB" in shown, str(shown))
        check(shown.rstrip().endswith(b"\x1b[K") or b"\r\x1b[K" in shown[-200:],
              f"it is removed: {shown!r}")
        check("sending" not in out, "and is not in what was asked for")


main()
