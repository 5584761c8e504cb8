"""A real Consil network on loopback for end-to-end tests: programs of $BUILD, a
home per device, everything in a temporary folder and ended by its pid.

    from network import Network, check, test, main

    @test
    def something_works():
        with Network() as net:
            net.org("clinic")
            anna = net.join("anna@clinic")
            check(anna.run("inbox").code == 0, "the inbox opens")

    main()
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import vetting
from sanitizer import BUILD, SANITIZER, SLOWDOWN, make_room

TESTS = []


class Failed(Exception):
    pass


class Skipped(Exception):
    """The test cannot be run here; the text says why."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def equal(expected, got, what):
    if expected != got:
        raise Failed(f"{what}: expected {expected!r}, got {got!r}")


def test(function):
    TESTS.append(function)
    return function


def main():
    """Runs the tests in order, one `ok NAME` or `not ok NAME - why` each. Names
    on the command line run only those."""
    failed = 0
    for function in TESTS:
        name = function.__name__
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        try:
            function()
            print(f"ok {name}", flush=True)
        except Skipped as e:
            print(f"skip {name} - {e}", flush=True)
        except Exception as e:  # a broken test is a failed test
            failed += 1
            why = str(e) if isinstance(e, Failed) else traceback.format_exc()
            print(f"not ok {name} - {why}", flush=True)
    sys.exit(1 if failed else 0)


class Result:
    def __init__(self, argv, done):
        self.argv, self.code = argv, done.returncode
        self.out, self.err = done.stdout, done.stderr

    @property
    def last_line(self):
        lines = self.out.strip().splitlines()
        return lines[-1] if lines else ""

    def json(self):
        """One object a line."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]

    def __str__(self):
        return (f"{' '.join(map(str, self.argv))} -> {self.code}\n"
                f"stdout: {self.out}\nstderr: {self.err}")


def run(program, *args, env=None, text=True, timeout=120, **kwargs):
    argv = [os.path.join(BUILD, program), *map(str, args)]
    done = subprocess.run(argv, env={**os.environ, **(env or {})}, text=text,
                          capture_output=True, timeout=timeout,
                          stdin=kwargs.pop("stdin", subprocess.DEVNULL), **kwargs)
    return Result(argv, done)


def wait_until(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failed(f"waited {seconds} s in vain: {what}")


def free_port():
    """Below those that the kernel gives to outgoing connections, and at random:
    several tests look for one at a time."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def preload(name, variable, value):
    """Environment of a program under one of the libraries of shim/."""
    if SANITIZER:
        raise Skipped("sanitizers do not share a program with a library of ours")
    shim = os.path.abspath(os.path.join(BUILD, "tests", "e2e", "shim", f"{name}.so"))
    check(os.path.exists(shim), f"{shim} is built")
    return {"LD_PRELOAD": shim, variable: str(value)}


def shifted_clock(seconds):
    """Environment of a program whose wall clock is wrong by so much."""
    return preload("clock", "CONSIL_CLOCK_SHIFT", seconds)


def killed_at(n):
    """Environment of a program that is killed before its nth call that changes a
    file system."""
    return preload("kill", "CONSIL_KILL_AT", n)


def clock_file(path):
    """Environment of programs whose wall clock is as far ahead as the file says."""
    return {**{k: v for k, v in shifted_clock(0).items() if k == "LD_PRELOAD"},
            "CONSIL_CLOCK_FILE": path}


class Device:
    """One member's device: its own home."""

    def __init__(self, net, name, home):
        self.net, self.name, self.home = net, name, home

    def run(self, verb, *args, **kwargs):
        env = {"CONSIL_HOME": self.home, **kwargs.pop("env", {})}
        return run("consil", verb, *args, env=env, cwd=self.net.path, **kwargs)

    def ok(self, verb, *args, **kwargs):
        result = self.run(verb, *args, **kwargs)
        check(result.code == 0, f"{self.name}: {result}")
        return result

    def act(self, verb, *args, **kwargs):
        """A read or ack whose receipt leaves at once, not at a random later moment."""
        result = self.ok(verb, *args, **kwargs)
        self.ok("sync", "--now", env=kwargs.get("env", {}))
        return result

    def send(self, *to, subject="S", question="Q", note="note.md", extra=()):
        """Sends a case and returns its id."""
        args = [word for address in to for word in ("--to", address)]
        result = self.ok("send", *args, "--subject", subject, "--question", question,
                         "--note", note, *extra)
        return result.last_line

    def inbox(self):
        """The messages, without what never came."""
        return [row for row in self.ok("inbox", "--json").json()
                if not row.get("gone") and "withheld" not in row]

    def sent(self, id):
        return self.ok("sent", id, "--json").json()


class Network:
    """A relay and the members that joined. Everything under .path."""

    def __init__(self, listen=None, start=True, conf=None, init=(), found=None):
        self.path = tempfile.mkdtemp(prefix="consil-e2e.")
        self.net = os.path.join(self.path, "net")
        self.listen = listen or f"tcp://127.0.0.1:{free_port()}"
        self.relay = None
        self.watching = []
        self.log = os.path.join(self.path, "relay.log")
        result = run("consil-admin", "init", self.net, "--name", "Test Network",
                     "--listen", self.listen, *init)
        check(result.code == 0, str(result))
        if found:
            found(self)
        self.write("note.md", "a note\n")
        make_room(os.path.join(self.net, "relay.conf"))
        if conf:
            conf(os.path.join(self.net, "relay.conf"))
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for process in self.watching:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.stop(signal.SIGKILL)
        if error is not None:
            print(f"# relay log:\n{self.log_text()[-3000:]}", file=sys.stderr)
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, content):
        path = self.file(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content.encode() if isinstance(content, str) else content)
        return path

    def start(self, wait=True, env=None):
        listening = self.log_text().count("listening on")
        with open(self.log, "a") as log:
            self.relay = subprocess.Popen(
                [os.path.join(BUILD, "consil-relay"), "--config",
                 os.path.join(self.net, "relay.conf")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, cwd=self.path)
        if wait:
            wait_until(lambda: self.log_text().count("listening on") > listening
                       or self.relay.poll() is not None, "the relay listens", 30)
            check(self.relay.poll() is None, f"relay ended: {self.log_text()[-2000:]}")

    def stop(self, how=signal.SIGTERM):
        """Ends the relay; returns its exit code."""
        if not self.relay:
            return None
        if self.relay.poll() is None:
            self.relay.send_signal(how)
        code = self.relay.wait(timeout=30)
        self.relay = None
        return code

    def log_text(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, errors="replace") as f:
            return f.read()

    def admin(self, *args, **kwargs):
        return run("consil-admin", "--network", self.net, *args, cwd=self.path, **kwargs)

    def record(self, handle, name=None, **over):
        """Writes a vetting record that admits; returns its path."""
        template = self.admin("org", "template", handle, "--name", name or handle.title())
        check(template.code == 0, str(template))
        record = vetting.filled(template.out, **over)
        return self.write(f"{handle}.json", json.dumps(record, indent=2))

    def org(self, handle, name=None, **over):
        result = self.admin("org", "vet", self.record(handle, name, **over))
        check(result.code == 0, str(result))

    def invite(self, address, *extra, name=None):
        file = self.file((name or address.split("@")[0]) + ".invite")
        result = self.admin("invite", address, "--name", address.split("@")[0].title(),
                            "--role", "physician", "-o", file, *extra)
        check(result.code == 0, str(result))
        return file

    def join(self, address, *extra, home=None):
        """Invites and enrols; returns the Device."""
        file = self.invite(address, name=home)
        device = Device(self, address, self.file((home or address.split("@")[0]) + ".home"))
        device.ok("join", file, "--unattended", *extra)
        return device

    def three(self):
        """A physician and two specialists of two practices."""
        self.org("mnoncology", "Minnesota practice")
        self.org("clinic", "The Clinic")
        return (self.join("j.doe@mnoncology"), self.join("a@clinic"), self.join("b@clinic"))

    def watch(self, device, *args, env=None):
        """Starts `consil watch`; lines come from .stdout."""
        process = subprocess.Popen(
            [os.path.join(BUILD, "consil"), "watch", *args], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "CONSIL_HOME": device.home, **(env or {})}, cwd=self.path)
        self.watching.append(process)
        return process
