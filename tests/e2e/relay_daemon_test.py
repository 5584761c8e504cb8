#!/usr/bin/env python3
"""consil-relay as a program: what it says, when it ends, with what status."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from sanitizer import BUILD, SANITIZER, TSAN_ROOM, make_room

TMP = os.environ.get("TMPDIR", "/tmp")
RELAY = f"{BUILD}/consil-relay"
failed = False


def check(name, ok, why=""):
    global failed
    failed |= not ok
    why = str(why).replace("\n", " | ")
    print(f"ok {name}" if ok else f"not ok {name} - {why}", flush=True)


def run(*args):
    return subprocess.run([RELAY, *args], capture_output=True, text=True, timeout=60)


def expect(name, status, says, *args):
    """It ends with status and one line that matches."""
    done = run(*args)
    lines = done.stderr.splitlines()
    check(name, done.returncode == status and len(lines) == 1 and re.search(says, lines[0])
          and done.stdout == "", f"{done.returncode}: {done.stdout}{done.stderr}")


class Network:
    """A fresh network with a configuration that can be changed."""

    def __init__(self, name):
        self.dir = os.path.join(TMP, name)
        self.conf = os.path.join(self.dir, "relay.conf")
        subprocess.run([f"{BUILD}/consil-admin", "init", self.dir, "--name", "Test",
                        "--listen", "tcp://127.0.0.1:0", "--url", "tcp://127.0.0.1:1"],
                       check=True, stdout=subprocess.DEVNULL)
        make_room(self.conf)

    def path(self, name):
        return os.path.join(self.dir, name)

    def variant(self, *lines, without=()):
        """Path of its configuration with other lines."""
        with open(self.conf) as f:
            text = [line for line in f.read().splitlines()
                    if not line.startswith(tuple(without) or ("\0",))]
        with open(self.path("variant.conf"), "w") as f:
            f.write("\n".join([*text, *lines]) + "\n")
        return self.path("variant.conf")

    def start(self, conf=None):
        self.log = self.path("log")
        with open(self.log, "w") as log:
            process = subprocess.Popen([RELAY, "--config", conf or self.conf],
                                       stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not self.urls() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return process

    def said(self):
        with open(self.log) as f:
            return f.read()

    def urls(self):
        return re.findall(r"^consil-relay: info: listening on (\S+)$", self.said(), re.M)


def usage():
    done = run("--help")
    check("help", done.returncode == 0 and done.stdout.startswith("usage: consil-relay")
          and done.stderr == "", done)
    done = run("--version")
    check("version", done.returncode == 0 and re.fullmatch(r"consil-relay [\d.]+\n", done.stdout),
          done)
    expect("config_is_required", 2, "--config FILE is missing")
    expect("value_is_required", 2, "missing after --config", "--config")
    expect("unknown_option", 2, "unknown option --colour", "--colour")
    expect("unknown_argument", 2, "unexpected argument x", "--config", "y", "x")
    expect("absent_config", 3, "/absent: not found", "--config", "/absent")


def configuration(net):
    done = run("--config", net.conf, "--check-config")
    check("what_admin_init_writes_is_good", done.returncode == 0 and done.stdout ==
          f"{net.conf}: ok\n" and not os.path.exists(net.path("store")), done)
    # Every key that it only shows is one there is.
    with open(net.conf) as f:
        shown = re.findall(r"^# (\w+ = .*)$", f.read(), re.M)
    for name in ("relay.crt", "relay.tls.key"):
        with open(net.path(name), "w"):
            os.chmod(net.path(name), 0o600)
    done = run("--check-config", "--config", net.variant(*shown))
    check("what_admin_init_shows_is_good", done.returncode == 0
          and len(shown) > 8 - (len(TSAN_ROOM) if SANITIZER == "thread" else 0), done)
    expect("bad_line", 2, r"variant.conf line \d+: unknown key \"lisen\"; did you mean \"listen\"",
           "--config", net.variant("lisen = x"))
    expect("absent_certificate", 3, "gone.pem: not found",
           "--config", net.variant("tls_cert = gone.pem"))


def keys(net):
    for name in ("relay.key", "relay.keyring"):
        os.chmod(net.path(name), 0o644)
        expect(f"open_{name}", 4, f"/{name}: others .*chmod 600", "--config", net.conf)
        os.chmod(net.path(name), 0o600)
        os.rename(net.path(name), net.path("moved"))
        expect(f"absent_{name}", 3, f"/{name}: not found", "--config", net.conf)
        os.rename(net.path("moved"), net.path(name))
    expect("another_key_file", 4, "relay.keyring: key_file does not open it", "--config",
           net.variant("key_file = root.key", without=["key_file"]))
    expect("keys_of_another", 2, "root.keyring: holds keys of somebody else", "--config",
           net.variant("key_file = root.key", "keyring = root.keyring",
                       without=["key_file", "keyring"]))


def running(net):
    relay = net.start()
    check("it_says_where_it_listens", len(net.urls()) == 1, net.said())
    expect("one_relay_on_a_store", 5, "store.*another relay", "--config", net.conf)
    expect("one_relay_on_an_address", 5, f"cannot listen on {net.urls()[0]}: .*another port",
           "--config", net.variant(f"listen = {net.urls()[0]}", "store = other",
                                   without=["listen", "store"]))
    relay.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while "counter limit_mailbox_bytes" not in net.said() and time.monotonic() < deadline:
        time.sleep(0.02)
    counters = re.findall(r"^consil-relay: info: counter (\w+) \d+$", net.said(), re.M)
    check("counters", len(counters) > 10 and len(set(counters)) == len(counters), net.said())
    relay.send_signal(signal.SIGTERM)
    check("sigterm_stops_it", relay.wait(20) == 0 and net.said().endswith("info: stopped\n"),
          net.said())

    relay = net.start()
    # Also with a connection that hangs in the handshake.
    host, port = net.urls()[0].removeprefix("tcp://").rsplit(":", 1)
    with socket.create_connection((host, int(port))):
        relay.send_signal(signal.SIGINT)
        check("sigint_stops_it", relay.wait(20) == 0, net.said())

    relay = net.start()
    relay.kill()
    relay.wait()
    relay = net.start()
    check("it_starts_again_after_kill", len(net.urls()) == 1, net.said())
    relay.send_signal(signal.SIGTERM)
    relay.wait(20)

    relay = net.start(net.variant("listen = ws://127.0.0.1:0/consil", "listen = tcp://127.0.0.1:0"))
    check("several_listeners", [u.split(":")[0] for u in net.urls()] == ["tcp", "ws", "tcp"],
          net.said())
    relay.send_signal(signal.SIGTERM)
    check("several_listeners_stop", relay.wait(20) == 0, net.said())


def main():
    for program in ("consil-admin", "consil-relay"):
        if not os.path.exists(f"{BUILD}/{program}"):
            print(f"skip relay_daemon - {program} is not built")
            return
    usage()
    net = Network("net")
    configuration(net)
    keys(net)
    running(net)
    shutil.rmtree(net.dir)


try:
    main()
except Exception as e:  # a broken test is a failed one
    check("relay_daemon", False, repr(e))
sys.exit(1 if failed else 0)
