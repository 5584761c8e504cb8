#!/usr/bin/env python3
"""20,000 connections that break off in the handshake, against a real relay.

Meanwhile an honest client is served; afterwards no descriptor and no memory
is left behind. The storm comes from other addresses than the honest client,
as in life: one address has a share, and the storm uses up its own.

alone: it measures how long the honest client waits
"""
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import time

from sanitizer import BUILD, SANITIZER, SLOWDOWN, make_room

TMP = os.environ.get("TMPDIR", "/tmp")
# Sanitizers make the relay slow: a smaller storm at a pace that it can follow
# (more only fills the kernel's queue of 128) is as much of a storm. They also
# keep what was freed for a while; ASan's quarantine alone is 256 MiB.
STORM, PER_SECOND, GROWTH_KIB = {
    "": (20000, 2500, 64 * 1024),
    "address": (6000, 800, 400 * 1024),
    "thread": (3000, 400, 400 * 1024),
}[SANITIZER]
AT_ONCE = 50
SILENT = 1500       # connections that stay and say nothing, 4 addresses
LOGIN_S = 5         # the relay's patience (relay/limits.h)

failed = False


def check(name, ok, why=""):
    global failed
    failed |= not ok
    print(f"ok {name}" if ok else f"not ok {name} - {why}", flush=True)


class Relay:
    def __init__(self):
        net = os.path.join(TMP, "net")
        subprocess.run([f"{BUILD}/consil-admin", "init", net, "--name", "Storm",
                        "--listen", "tcp://127.0.0.1:0",
                        "--url", "tcp://127.0.0.1:1"], check=True,
                       stdout=subprocess.DEVNULL)
        make_room(os.path.join(net, "relay.conf"))
        self.keyring = os.path.join(net, "relay.keyring")
        self.log = os.path.join(TMP, "relay.log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [f"{BUILD}/consil-relay", "--config", os.path.join(net, "relay.conf")],
                stderr=log)
        self.url = self.wait_for(r"listening on (\S+)")[1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def wait_for(self, pattern, start=0, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with open(self.log) as log:
                text = log.read()[start:]
            if m := re.search(pattern, text):
                return m
            if self.process.poll() is not None:
                sys.exit(f"not ok relay - ended: {text}")
            time.sleep(0.02)
        sys.exit(f"not ok relay - never said {pattern}: {text}")

    def counters(self):
        """Its own account: /proc/PID is closed to others, the relay holds keys."""
        start = os.path.getsize(self.log)
        self.process.send_signal(signal.SIGUSR1)
        self.wait_for(r"counter limit_mailbox_bytes \d+\n", start)
        with open(self.log) as log:
            text = log.read()[start:]
        return {name: int(value)
                for name, value in re.findall(r"counter (\w+) (\d+)", text)}

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def settles(self, descriptors=sys.maxsize, seconds=20):
        """Counters once there is no connection and no more than so many
        descriptors, or the last. A connection counts no longer before its
        socket is closed."""
        deadline = time.monotonic() + seconds
        while True:
            now = self.counters()
            at_rest = now["connections"] == 0 and now["descriptors"] <= descriptors
            if at_rest or time.monotonic() > deadline:
                return now
            time.sleep(0.2)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


class Peer:
    """An honest client, from 127.0.0.1."""

    def __init__(self, relay):
        self.process = subprocess.Popen(
            [f"{BUILD}/tests/e2e/storm_peer", relay.keyring, relay.url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def result(self):
        """Tells it to end."""
        text = self.process.communicate(timeout=90)[0]
        m = re.search(r"served (\d+), failed (\d+), slowest (\d+) ms", text)
        if not m:
            return 0, 1, 0, text
        return int(m[1]), int(m[2]), int(m[3]), text


def connect(port, i):
    s = socket.socket()
    s.setblocking(False)
    s.bind((f"127.0.{1 + i % 200}.2", 0))
    s.connect_ex(("127.0.0.1", port))
    return s


def wait_connected(s, seconds=10):
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    poll.poll(1000 * seconds)


# What is said before breaking off: nothing, half a length, half a handshake,
# a whole handshake of garbage, another protocol, a length of 4 GiB.
WORDS = [b"", b"\0\0", b"\0\0\0\x30" + b"x" * 20, b"\0\0\0\x30" + b"x" * 48,
         b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n", b"\xff" * 64]


def break_off(port):
    """The whole storm; seconds it took."""
    start = time.monotonic()
    for base in range(0, STORM, AT_ONCE):
        sockets = [connect(port, i) for i in range(base, base + AT_ONCE)]
        for i, s in enumerate(sockets):
            try:
                wait_connected(s)
                s.send(WORDS[i % len(WORDS)])
                if i % 7 == 0:  # some break off by reset
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 b"\1\0\0\0\0\0\0\0")
            except OSError:
                pass
        for s in sockets:
            s.close()
        ahead = start + (base + AT_ONCE) / PER_SECOND - time.monotonic()
        time.sleep(max(0, ahead))
    return time.monotonic() - start


def hold_out(port):
    """Connections that stay half-open."""
    sockets = []
    for i in range(SILENT):
        s = connect(port, i % 4)
        wait_connected(s)
        sockets.append(s)
        if i % 2:
            s.send(b"\0\0\0\x30" + b"x" * 20)
    return sockets


def weather(relay):
    Peer(relay).result()  # whatever is made at the first use is made now
    before = relay.settles()
    memory = relay.memory_kib()

    peer = Peer(relay)
    took = break_off(relay.port)
    served, lost, slowest, text = peer.result()
    after = relay.settles(before["descriptors"])
    print(f"# {STORM} connections broke off in {took:.1f} s; "
          f"honest: {served} served, slowest {slowest} ms")
    check("the_storm_reached_the_relay",
          after["connections_accepted"] - before["connections_accepted"] >= STORM * 0.99,
          f"{after['connections_accepted']} accepted")
    check("honest_clients_are_served_in_the_storm",
          served > 20 and lost == 0 and slowest < 5000, text)
    check("no_connection_is_left", after["connections"] == 0, f"{after}")
    check("no_descriptor_leaks", after["descriptors"] <= before["descriptors"],
          f"{before['descriptors']} before, {after['descriptors']} after")
    check("memory_is_bounded", relay.memory_kib() - memory < GROWTH_KIB,
          f"{memory} KiB before, {relay.memory_kib()} after")

    silent = hold_out(relay.port)
    held = relay.counters()
    peer = Peer(relay)
    time.sleep(2)
    served, lost, slowest, text = peer.result()
    check("half_open_connections_are_held_back", held["connections"] + held["connections_timed_out"]
          - after["connections_timed_out"] > SILENT / 2,
          f"{held}")
    check("honest_clients_are_served_beside_half_open_ones",
          served > 10 and lost == 0, text)
    after = relay.settles(before["descriptors"], LOGIN_S + 10)
    check("half_open_connections_end_in_time", after["connections"] == 0
          and after["connections_timed_out"] >= SILENT / 2, f"{after}")
    check("their_descriptors_are_given_back",
          after["descriptors"] <= before["descriptors"], f"{after}")
    for s in silent:
        s.close()


def main():
    for program in ("consil-admin", "consil-relay"):
        if not os.path.exists(f"{BUILD}/{program}"):
            print(f"skip storm - {program} is not built")
            return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))

    relay = Relay()
    try:
        weather(relay)
    finally:
        status = relay.stop()
    check("the_relay_stops_when_told", status == 0, f"exit status {status}")


try:
    main()
except Exception as e:  # a broken test is a failed one
    check("storm", False, repr(e))
sys.exit(1 if failed else 0)
