#!/usr/bin/env python3
"""consil-admin by itself, and with a relay: init, org vet, invite, lists."""
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time

import vetting
from sanitizer import BUILD, make_room

ADMIN = os.path.join(BUILD, "consil-admin")
RELAY = os.path.join(BUILD, "consil-relay")
TMP = tempfile.mkdtemp(dir=os.environ.get("TMPDIR"))
LISTS = (["orgs"], ["org", "list"], ["members"], ["devices"])


class Failed(Exception):
    pass


class Skip(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failed(message)


def path(name):
    return os.path.join(TMP, name)


def admin(*args, code=0, secret=None):
    """Run consil-admin; its stdout and stderr, after checking its exit code."""
    fds, extra = (), []
    if secret is not None:
        reader, writer = os.pipe()
        os.write(writer, secret.encode() + b"\n")
        os.close(writer)
        fds, extra = (reader,), ["--passphrase-fd", str(reader)]
    done = subprocess.run([ADMIN, *args, *extra], capture_output=True, text=True,
                          pass_fds=fds, timeout=60, stdin=subprocess.DEVNULL, check=False)
    for fd in fds:
        os.close(fd)
    check(done.returncode == code, f"{args}: ended with {done.returncode}, not {code}: "
          f"{done.stdout}{done.stderr}")
    if code != 0 and args:
        check(done.stderr.startswith("consil-admin: "), f"{args}: says {done.stderr!r}")
    return done.stdout, done.stderr


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def init(name, *args, **kwargs):
    net = path(name)
    url = f"tcp://127.0.0.1:{free_port()}"
    admin("init", net, "--name", "Care Network", "--listen", url, *args, **kwargs)
    return net, url


def record(handle, name, **over):
    """A file with a vetting record that admits."""
    template, _ = admin("org", "template", handle, "--name", name)
    file = path(handle + ".json")
    with open(file, "w", encoding="utf-8") as f:
        json.dump(vetting.filled(template, **over), f)
    return file


class Relay:
    """A running consil-relay of a network."""

    def __init__(self, net, url):
        if not os.path.exists(RELAY):
            raise Skip("consil-relay is not built")
        make_room(os.path.join(net, "relay.conf"))
        # A file, not a pipe that nobody reads.
        self.log = open(net + ".log", "wb")
        self.process = subprocess.Popen([RELAY, "--config", os.path.join(net, "relay.conf")],
                                        stderr=self.log)
        host, port = url.removeprefix("tcp://").split(":")
        for _ in range(200):
            try:
                socket.create_connection((host, int(port)), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.__exit__()
        with open(net + ".log", encoding="utf-8") as f:
            raise Failed(f"the relay did not start: {f.read()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


# ---------------------------------------------------------------------- alone


def test_help_of_everything():
    out, _ = admin("--help")
    for words in (["init"], ["org", "template"], ["org", "vet"], ["org", "show"], *LISTS, ["invite"], ["status"]):
        check(words == ["orgs"] or " ".join(words) in out, f"{words} is not in the overview")
        text, _ = admin(*words, "--help")
        check("--help" in text and "Usage: consil-admin" in text, f"{words}: {text}")
    for family, verb in (("member", "member update"), ("group", "group set"), ("audit", "audit pack")):
        check(f"  {verb} " in admin(family, "--help")[0], f"{family} --help")
    admin("nothing", "--help", code=2)
    check(admin("--version")[0].startswith("consil-admin "), "version")


def test_init_makes_private_files():
    net, url = init("private")
    check(stat.S_IMODE(os.stat(net).st_mode) == 0o700, "mode of the folder")
    names = sorted(os.listdir(net))
    check(names == ["genesis", "registrar.key", "registrar.keyring", "relay.conf", "relay.key",
                    "relay.keyring", "root.key", "root.keyring"], names)
    for name in names:
        mode = stat.S_IMODE(os.stat(os.path.join(net, name)).st_mode)
        check(mode == 0o600, f"mode of {name} is {mode:o}")
    with open(os.path.join(net, "relay.conf"), encoding="utf-8") as f:
        check(f"\nlisten = {url}\n" in f.read(), "listen is in relay.conf")


def test_init_with_a_passphrase():
    net, _ = init("sealed", secret="correct horse battery")
    check(not os.path.exists(os.path.join(net, "root.key")), "root has a key file")
    check(not os.path.exists(os.path.join(net, "registrar.key")), "registrar has one")
    check(os.path.exists(os.path.join(net, "relay.key")), "the relay has none")
    _, err = admin("--network", net, "orgs", "--offline", code=4, secret="wrong")
    check("passphrase" in err, err)
    admin("--network", net, "orgs", "--offline", code=3, secret="correct horse battery")


def test_init_refuses():
    net, _ = init("there")
    _, err = admin("init", net, "--name", "N", "--listen", "tcp://127.0.0.1:1", code=2)
    check(net in err, err)
    for name, args in {
            "no name": ["--listen", "tcp://127.0.0.1:1"],
            "no listen": ["--name", "N"],
            "no URL": ["--name", "N", "--listen", "127.0.0.1:1"],
            "nothing to dial": ["--name", "N", "--listen", "tcp://0.0.0.0:7700"],
            "a long name": ["--name", "x" * 201, "--listen", "tcp://127.0.0.1:1"]}.items():
        admin("init", path("fresh"), *args, code=2)
        check(not os.path.exists(path("fresh")), f"{name}: a folder was made")
    admin("init", path("no/such/parent"), "--name", "N", "--listen", "tcp://127.0.0.1:1", code=1)


def test_init_takes_several_urls_and_an_empty_folder():
    os.mkdir(path("empty"), 0o755)
    out, _ = admin("init", path("empty"), "--json", "--name", "N", "--listen",
                   "tcp://0.0.0.0:7700", "--listen", "tls+tcp://0.0.0.0:7701", "--url",
                   "tcp://relay.example:7700")
    check(json.loads(out)["url"] == "tcp://relay.example:7700", out)
    check(stat.S_IMODE(os.stat(path("empty")).st_mode) == 0o700, "mode")
    with open(path("empty/relay.conf"), encoding="utf-8") as f:
        text = f.read()
    check(text.count("\nlisten = ") == 2 and "\ntls_cert = " in text, text)


def test_wrong_usage():
    net, _ = init("usage")
    admin(code=2)
    admin("fly", code=2)
    admin("orgs", code=2)  # no --network
    admin("--network", net, "org", "vet", code=2)
    admin("--network", net, "org", "vet", path("no.json"), code=3)
    admin("--network", net, "orgs", "--lapsing", "soon", code=2)
    admin("org", "template", "m", code=2)
    admin("org", "template", "No Handle", "--name", "N", code=2)
    admin("--network", net, "invite", "a@m", "--name", "A", "--role", "r", code=2)
    admin("--network", net, "invite", "a@m", "--name", "A", "--role", "r", "-o", path("x"),
          "--expires", "0", code=2)
    admin("--network", path("nowhere"), "orgs", code=3)


def test_absent_relay():
    net, _ = init("absent")
    for words in (*LISTS, ["org", "vet", record("m", "M")], ["status"],
                  ["invite", "a@m", "--name", "A", "--role", "r", "-o", path("absent.invite")]):
        _, err = admin("--network", net, *words, code=5)
        check(f"consil-relay --config {net}/relay.conf" in err, err)
    check(not os.path.exists(path("absent.invite")), "an invitation was written")


def test_damaged_network():
    net, _ = init("damaged")
    with open(os.path.join(net, "genesis"), "r+b") as f:
        f.seek(-1, os.SEEK_END)
        last = f.read(1)
        f.seek(-1, os.SEEK_END)
        f.write(bytes([last[0] ^ 1]))
    _, err = admin("--network", net, "orgs", "--offline", code=4)
    check("genesis" in err, err)
    os.chmod(os.path.join(net, "registrar.keyring"), 0o644)
    _, err = admin("--network", net, "orgs", "--offline", code=4)
    check("registrar.keyring" in err, err)


# --------------------------------------------------------------- with a relay


def test_relay_takes_what_init_made():
    if not os.path.exists(RELAY):
        raise Skip("consil-relay is not built")
    net, _ = init("config")
    done = subprocess.run([RELAY, "--check-config", "--config", f"{net}/relay.conf"],
                          capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, done.stdout + done.stderr)


def test_practices_and_invitations():
    net, url = init("whole")
    with Relay(net, url):
        file = record("clinic", "The Clinic")
        admin("--network", net, "org", "vet", file)
        _, err = admin("--network", net, "org", "vet", file, code=2)
        check("clinic" in err, err)
        out, _ = admin("--network", net, "orgs", "--json")
        org = json.loads(out)
        check((org["handle"], org["state"]) == ("clinic", "admitted"), org)

        file = path("a.invite")
        out, _ = admin("--network", net, "invite", "a.b@clinic", "--name", "A. B", "--role",
                       "physician", "-o", file)
        check("a.b@clinic" in out and "one-time secret" in out, out)
        check(stat.S_IMODE(os.stat(file).st_mode) == 0o600, "mode of the invitation")
        with open(file, encoding="utf-8") as f:
            check("-----BEGIN CONSIL INVITATION-----" in f.read(), "armour")
        invite = ["invite", "a.b@clinic", "--name", "A. B", "--role", "physician", "-o"]
        admin("--network", net, *invite, file, code=2)  # never overwrites
        admin("--network", net, *invite, path("again.invite"))  # not joined yet
        _, err = admin("--network", net, "invite", "a@nowhere", "--name", "A", "--role", "r",
                       "-o", path("n.invite"), code=3)
        check("nowhere" in err and "org vet" in err, err)
        admin("--network", net, "invite", "nobody", "--name", "A", "--role", "r", "-o",
              path("n.invite"), code=2)
        members = admin("--network", net, "members", "--json")[0].splitlines()
        check([json.loads(m)["state"] for m in members] == ["invited"], members)
        admin("--network", net, "devices", code=3)
        status = json.loads(admin("--network", net, "status", "--json")[0])
        check(status["reached"] and status["entries"] == 6, status)
    # the mirror stays, and says the same without the relay
    out, _ = admin("--network", net, "orgs", "--offline")
    check("The Clinic" in out, out)


def test_damaged_mirror_is_noticed():
    net, url = init("mirror")
    with Relay(net, url):
        admin("--network", net, "org", "vet", record("clinic", "The Clinic"))
    file = os.path.join(net, "admin", "directory")
    with open(file, "r+b") as f:
        data = bytearray(f.read())
        data[-1] ^= 1
        f.seek(0)
        f.write(data)
    _, err = admin("--network", net, "orgs", "--offline", code=4)
    check(file in err, err)


def test_another_relay_is_refused():
    net, url = init("mine")
    other = path("other")
    admin("init", other, "--name", "Other", "--listen", url)
    with Relay(other, url):
        admin("--network", net, "orgs", code=4)


def main():
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            print(f"ok {name[5:]}")
        except Skip as why:
            print(f"skip {name[5:]} - {why}")
        except (Failed, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"not ok {name[5:]} - {why}")
        sys.stdout.flush()
    sys.exit(failed > 0)


main()
