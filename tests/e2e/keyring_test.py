#!/usr/bin/env python3
"""The keys of a home and who opens them: passphrases changed, and kept out of
everybody's sight.

timeout: 1200
"""
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

from network import (BUILD, SANITIZER, Network, Skipped, check, equal, killed_at, main, run,
                     test, wait_until)

# Each unlocking takes 256 MiB for half a second, that of a root or of a backup
# four times as much: as little of it as shows what is to be shown. Each verb
# meets the real cost at least once; cheap_backup() is for the rest.


class Phrases:
    """Passphrases for a command line: --passphrase-fd and its like."""

    def __init__(self, net):
        self.net = net

    def run(self, program, *args, **kwargs):
        """What is a dict in args becomes options with descriptors."""
        words, fds = [], []
        try:
            for word in args:
                if not isinstance(word, dict):
                    words.append(word)
                    continue
                for option, phrase in word.items():
                    reader, writer = os.pipe()
                    os.write(writer, phrase.encode() + b"\n")
                    os.close(writer)
                    os.set_inheritable(reader, True)
                    fds.append(reader)
                    words += [f"--{option}", reader]
            return run(program, *words, pass_fds=fds, cwd=self.net.path,
                       start_new_session=True, **kwargs)
        finally:
            for fd in fds:
                os.close(fd)

    def consil(self, home, *args, **kwargs):
        return self.run("consil", *args, env={"CONSIL_HOME": home, **kwargs.pop("env", {})},
                        **kwargs)


def old(phrase):
    return {"passphrase-fd": phrase}


def new(phrase):
    return {"new-passphrase-fd": phrase}


@test
def a_passphrase_is_changed():
    with Network() as net:
        net.org("clinic")
        home = net.file("anna.home")
        phrases = Phrases(net)
        result = phrases.consil(home, "join", net.invite("anna@clinic"), old("one"))
        equal(0, result.code, str(result))

        wrong = phrases.consil(home, "keys", "passphrase", old("two"), new("three"))
        equal(4, wrong.code, f"a wrong one changes nothing: {wrong}")
        changed = phrases.consil(home, "keys", "passphrase", "--json", old("one"), new("two"))
        equal(0, changed.code, str(changed))
        equal([{"unattended": False}], changed.json(), "what it says")
        equal(4, phrases.consil(home, "contacts", old("one")).code, "the old one is void")
        equal(0, phrases.consil(home, "contacts", old("two")).code, "the new one opens")
        none = phrases.consil(home, "keys", "passphrase", old("two"))
        equal(2, none.code, f"nowhere to ask for the new one: {none}")

        # without one, and back
        both = phrases.consil(home, "keys", "passphrase", "--unattended", old("two"),
                              new("three"))
        equal(2, both.code, f"one or the other: {both}")
        result = phrases.consil(home, "keys", "passphrase", "--unattended", old("two"))
        equal(0, result.code, str(result))
        check("disk" in result.out, f"says what it means: {result}")
        key_file = os.path.join(home, "keyring.key")
        equal(0o600, os.stat(key_file).st_mode & 0o777, "mode of the key file")
        equal(0, phrases.consil(home, "sync").code, "works without a passphrase")
        again = phrases.consil(home, "keys", "passphrase", "--unattended")
        equal(2, again.code, f"it is so already: {again}")
        result = phrases.consil(home, "keys", "passphrase", new("four"))
        equal(0, result.code, str(result))
        check(not os.path.exists(key_file), "the key file is gone")
        equal(0, phrases.consil(home, "sync", old("four")).code, "and the same keys log in")


@test
def a_change_broken_off_leaves_the_old_way_or_the_new():
    with Network() as net:
        net.org("clinic")
        anna = net.join("anna@clinic")
        phrases = Phrases(net)
        saved = net.file("saved")
        shutil.copytree(anna.home, saved)
        # Only what the verb itself writes; opening the store writes too.
        for at in range(1, 60):
            shutil.rmtree(anna.home)
            shutil.copytree(saved, anna.home)
            result = phrases.consil(anna.home, "keys", "passphrase", new("one"),
                                    env=killed_at(at))
            if result.code == 0:
                break
            equal(-9, result.code, f"killed before call {at}: {result}")
            if anna.run("contacts").code != 0:
                result = phrases.consil(anna.home, "contacts", old("one"))
                equal(0, result.code, f"killed before call {at}: {result}")
        equal(0, result.code, "it ends at last")
        check(at > 5, f"it was killed {at - 1} times")


class Agent:
    """`consil agent` of one home, ended whatever happens."""

    def __init__(self, phrases, home):
        self.phrases, self.home, self.pids = phrases, home, set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def run(self, *args):
        result = self.phrases.consil(self.home, "agent", *args)
        if result.code == 0 and "--json" in args:
            self.pids |= {line["pid"] for line in result.json() if line.get("pid")}
        return result

    def start(self, phrase, *args):
        result = self.run("--json", *args, old(phrase))
        equal(0, result.code, str(result))
        return result.json()[0]

    def status(self):
        return self.run("--status", "--json").json()[0]

    def verb(self):
        """Whether verbs work without the passphrase; no terminal to ask at."""
        result = self.phrases.consil(self.home, "contacts")
        check(result.code in (0, 2), str(result))
        return result.code == 0

    def ask(self, op, request=None):
        """The raw reply: what any process of this user may do."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(5)
            s.connect(os.path.join(self.home, "agent"))
            s.send(request or b"CSA1" + bytes([op]) + bytes(43))
            return s.recv(64)


def joined(net, address, phrase):
    """A home with a passphrase, and what types it."""
    phrases = Phrases(net)
    home = net.file(address.split("@")[0] + ".home")
    result = phrases.consil(home, "join", net.invite(address), old(phrase))
    equal(0, result.code, str(result))
    return phrases, home


@test
def an_agent_saves_typing():
    with Network() as net:
        net.org("clinic")
        phrases, home = joined(net, "anna@clinic", "one")
        with Agent(phrases, home) as agent:
            equal(False, agent.verb(), "no agent: it wants to ask")
            none = agent.run("--status", "--json")
            equal((3, False), (none.code, none.json()[0]["running"]), "none is running")
            equal(3, agent.run("--lock").code, "nobody to lock")
            wrong = agent.run(old("two"))
            equal(4, wrong.code, str(wrong))
            wait_until(lambda: agent.run("--status").code == 3, "no agent is left of that")

            said = agent.start("one")
            equal((True, True), (said["running"], said["unlocked"]), "it says")
            check(3500 < said["seconds_left"] <= 3600, f"an hour: {said}")
            check(agent.verb(), "verbs work without the passphrase")
            equal(0, phrases.consil(home, "sync").code, "with the relay too")
            equal(4, phrases.consil(home, "contacts", old("two")).code,
                  "but a passphrase that is given counts")
            second = agent.run(old("one"))
            equal(2, second.code, f"two agents: {second}")
            check(str(said["pid"]) in second.err, f"names the first: {second}")

            # the passphrase changes: it goes on
            result = phrases.consil(home, "keys", "passphrase", new("two"))
            equal(0, result.code, str(result))
            check(agent.verb(), "it holds the new key")
            # behind its back: said, and asked again
            with open(os.path.join(home, "keyring"), "rb") as f:
                now = f.read()
            result = phrases.consil(home, "keys", "passphrase", new("three"))
            equal(0, result.code, str(result))
            with open(os.path.join(home, "keyring"), "wb") as f:
                f.write(now)
            stale = phrases.consil(home, "contacts")
            equal(2, stale.code, str(stale))
            check("old key" in stale.err, f"says why: {stale}")
            equal(0, phrases.consil(home, "contacts", old("two")).code, "by hand it opens")
            equal(0, agent.run("--stop").code, "stop")
            agent.start("two")

            equal(0, agent.run("--lock").code, "lock")
            equal(False, agent.status()["unlocked"], "it is locked")
            equal(False, agent.verb(), "verbs ask again")
            pid = agent.status()["pid"]
            equal(pid, agent.start("two", "--timeout", "8s")["pid"], "the same one, unlocked")
            check(agent.verb(), "unlocked")
            wait_until(lambda: not agent.status()["unlocked"], "it locks itself", 60)
            equal(False, agent.verb(), "after its time")

            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not os.path.exists(os.path.join(home, "agent")), "it goes")
            said = agent.start("two")
            os.kill(said["pid"], signal.SIGKILL)
            wait_until(lambda: agent.run("--status").code == 3, "it is dead")
            check(os.path.exists(os.path.join(home, "agent")), "its socket stays behind")
            equal(False, agent.verb(), "nothing survives that")
            agent.start("two")
            check(agent.verb(), "a new one starts over it")
            result = phrases.consil(home, "keys", "passphrase", "--unattended")
            equal(0, result.code, str(result))
            wait_until(lambda: not os.path.exists(os.path.join(home, "agent")),
                       "a home without a passphrase needs none")
            useless = agent.run(old("two"))
            equal(2, useless.code, str(useless))
            check("key file" in useless.err, f"says why: {useless}")
            equal(2, agent.run("--lock", "--stop").code, "one thing at a time")


@test
def an_agent_for_a_supervisor():
    with Network(start=True) as net:
        net.org("clinic")
        phrases, home = joined(net, "anna@clinic", "one")
        with Agent(phrases, home) as agent:
            process = subprocess.Popen(
                [os.path.join(BUILD, "consil"), "agent", "--foreground"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, env={**os.environ, "CONSIL_HOME": home})
            net.watching.append(process)
            wait_until(lambda: os.path.exists(os.path.join(home, "agent")), "it listens")
            equal((process.pid, False), (agent.status()["pid"], agent.status()["unlocked"]),
                  "it is there, locked")
            equal(process.pid, agent.start("one")["pid"], "unlocked from outside")
            check(agent.verb(), "it works")
            process.terminate()
            equal(0, process.wait(timeout=10), "how it ends")
            check("consil agent" in process.stderr.read().decode(), "it said how to unlock it")
            for text in ("0", "25h", "1x", "-1", "", "9" * 30):
                wrong = agent.run("--timeout", text, old("one"))
                equal(2, wrong.code, f"--timeout {text}: {wrong}")


def memory_of(pid):
    """All that a process could read of its own."""
    found = []
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
                if not m or "[v" in line:  # vvar, vsyscall: no memory of its
                    continue
                begin, end = int(m[1], 16), int(m[2], 16)
                try:
                    mem.seek(begin)
                    found.append(mem.read(end - begin))
                except OSError:
                    continue
    except PermissionError as e:
        raise Skipped(f"reading another process is not permitted here: {e}")
    return b"".join(found)


@test
def an_agent_gives_nothing_away():
    if SANITIZER:
        raise Skipped("sanitizers keep freed memory for a while")
    phrase = "correct horse battery staple"
    with Network() as net:
        net.org("clinic")
        phrases, home = joined(net, "anna@clinic", phrase)
        with Agent(phrases, home) as agent:
            before = resource.getrlimit(resource.RLIMIT_CORE)
            resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
            pid = agent.start(phrase)["pid"]
            key = agent.ask(1)[16:]
            equal(32, len(key), "the key comes by the documented message")
            check(any(key), "and is one")
            for name in ("environ", "cmdline"):
                with open(f"/proc/{pid}/{name}", "rb") as f:
                    check(phrase.encode() not in f.read(), f"no passphrase in {name}")
            with open(f"/proc/{pid}/limits") as f:
                core = [line.split()[4:6] for line in f if line.startswith("Max core")]
            equal([["0", "0"]], core, "no core dump, and no way to allow one")
            with open(f"/proc/{pid}/status") as f:
                locked = [int(line.split()[1]) for line in f if line.startswith("VmLck")]
            check(locked and locked[0] > 0, f"secrets are locked in memory: {locked}")

            memory = memory_of(pid)
            check(key in memory, "the key is there: this looks at the right memory")
            check(phrase.encode() not in memory, "the passphrase is not")
            for junk in (b"", b"CSA1", bytes(48), bytes(49), b"x" * 5000):
                try:
                    equal(b"", agent.ask(0, junk or b"\0"), f"junk of {len(junk)} bytes")
                except ConnectionResetError:
                    pass
            equal(0, agent.run("--lock").code, "lock")
            check(key not in memory_of(pid), "locked, it is gone")

            agent.start(phrase)
            os.kill(pid, signal.SIGSEGV)
            wait_until(lambda: agent.run("--status").code == 3, "it is dead")
            for folder in ("/", home, net.path):
                check(not [n for n in os.listdir(folder) if re.match(r"core(\.\d+)?$", n)],
                      f"no core dump in {folder}")


def sealed(phrase):
    return {"backup-passphrase-fd": phrase}


def cheap_backup(device, path, phrase):
    """The backup that `consil keys export` makes, but of a cost that an import
    does not feel. Its numbers are in the file, so the import is the real one."""
    result = run("tests/e2e/make_backup", device.home, path, phrase)
    equal(0, result.code, str(result))


@test
def a_lost_home_comes_back():
    with Network() as net:
        doe, anna, bert = net.three()
        phrases = Phrases(net)
        scan = net.write("scan.pdf", os.urandom(3 << 20))
        old_case = doe.send("a@clinic", subject="Before", extra=["--attach", scan])
        anna.ok("sync")
        anna.ok("read", old_case)
        sent = anna.send("j.doe@mnoncology", subject="From Anna")
        net.stop()
        queued = anna.send("j.doe@mnoncology", subject="Queued at the time",
                            extra=["--attach", net.write("small.txt", "small")])
        net.start()

        backup = net.file("anna.backup")
        result = phrases.consil(anna.home, "keys", "export", "-o", backup, "--json",
                                sealed("safe"))
        equal(0, result.code, str(result))
        said = result.json()[0]
        equal(os.path.getsize(backup), said["bytes"], "its size")
        equal(0o600, os.stat(backup).st_mode & 0o777, "mode")
        check(said["files"] >= 3, f"epoch keys, attachment, queue: {said}")
        again = phrases.consil(anna.home, "keys", "export", "-o", backup, sealed("x"))
        equal(2, again.code, f"never over a file: {again}")
        refused = phrases.consil(anna.home, "keys", "import", backup, "--unattended",
                                 sealed("safe"))
        equal(2, refused.code, f"not over a home: {refused}")

        # what happens after the backup: fetched by the old copy, and not
        lost = doe.send("a@clinic", subject="Fetched after the backup")
        anna.ok("sync")
        doe.ok("sync")
        later = doe.send("a@clinic", subject="Waits at the relay")
        shutil.rmtree(anna.home)

        wrong = phrases.consil(anna.home, "keys", "import", backup, "--unattended",
                               sealed("unsafe"))
        equal(4, wrong.code, str(wrong))
        check(not os.path.exists(anna.home), "nothing is made")
        result = phrases.consil(anna.home, "keys", "import", backup, "--json", sealed("safe"),
                                old("new one"))
        equal(0, result.code, str(result))
        said = result.json()[0]
        equal(("a@clinic", anna.home), (said["address"], said["home"]), "who and where")
        check(not os.path.exists(anna.home + ".importing"), "nothing is left beside it")

        def consil(*args):
            result = phrases.consil(anna.home, *args, old("new one"))
            equal(0, result.code, str(result))
            return result
        got = consil("read", old_case, "--save", net.file("saved"))
        check("Before" in got.out, "old mail is read")
        saved = [os.path.join(path, name) for path, _, names in os.walk(net.file("saved"))
                 for name in names]
        with open(scan, "rb") as a, open(saved[0], "rb") as b:
            equal(a.read(), b.read(), "with its attachment")
        result = consil("sync", "--json")
        report = result.json()[0]
        check(report["received"] >= 1, f"new mail comes: {report}")
        inbox = {m["id"] for m in consil("inbox", "--json").json()}
        check(later in inbox and lost not in inbox, f"what it can have: {inbox}")
        check("Waits" in consil("read", later).out, "and opens")
        known = {m["id"]: m for m in consil("sent", "--json").json()}
        equal("accepted", known[sent]["state"], "what was sent is known")
        # the old copy sent it after the backup; it is not sent twice
        check("restored" in known[queued]["problem"], f"says why: {known[queued]}")
        doe.ok("sync")
        subjects = [m.get("subject") for m in doe.inbox()]
        equal(1, subjects.count("Queued at the time"), f"what was queued came once: {subjects}")


@test
def keys_alone_go_on_receiving():
    with Network() as net:
        doe, anna, _ = net.three()
        phrases = Phrases(net)
        old_case = doe.send("a@clinic", subject="Before")
        anna.ok("sync")
        result = phrases.consil(anna.home, "keys", "export", "-o", net.file("keys"),
                                "--keys-only", "--json", sealed("safe"))
        equal(0, result.code, str(result))
        equal((1, True), (result.json()[0]["files"], result.json()[0]["keys_only"]), "says")
        shutil.rmtree(anna.home)
        later = doe.send("a@clinic", subject="After")
        result = phrases.consil(anna.home, "keys", "import", net.file("keys"), "--unattended",
                                sealed("safe"))
        equal(0, result.code, str(result))
        check("never runs again" in result.out, f"says what must not be: {result}")
        anna.ok("sync")
        inbox = {m["id"] for m in anna.inbox()}
        equal({later}, inbox - {old_case}, "new mail comes")
        check(old_case not in inbox, "the archive was left out")
        anna.ok("read", later)
        anna.send("j.doe@mnoncology", subject="Works")


@test
def rotation_and_passphrase_and_backup():
    with Network() as net:
        doe, anna, _ = net.three()
        phrases = Phrases(net)
        # broken off within a rotation: both wait for its end
        for at in range(1, 60):
            result = phrases.consil(anna.home, "keys", "rotate", env=killed_at(at))
            if os.path.exists(os.path.join(anna.home, "keyring.next")):
                break
        else:
            raise Skipped("no rotation was broken off")
        for words in (("keys", "passphrase", new("one")),
                      ("keys", "export", "-o", net.file("b"), sealed("safe"))):
            busy = phrases.consil(anna.home, *words)
            equal(1, busy.code, f"not between two keys: {busy}")
            check("consil sync" in busy.err, f"says what to do: {busy}")
        anna.ok("sync")
        cheap_backup(anna, net.file("before"), "safe")
        case = doe.send("a@clinic", subject="Before")
        anna.ok("sync")

        # locked by a passphrase that an agent holds, it rotates
        equal(0, phrases.consil(anna.home, "keys", "passphrase", new("one")).code, "locked")
        with Agent(phrases, anna.home) as agent:
            agent.start("one")
            result = phrases.consil(anna.home, "keys", "rotate")
            equal(0, result.code, str(result))
            check(agent.verb(), "the agent's key opens the new keyring")
        equal(0, phrases.consil(anna.home, "read", case, old("one")).code,
              "so does the passphrase")

        # a backup from before a rotation reads, and is nobody to the relay
        home = net.file("restored.home")
        result = phrases.consil(home, "keys", "import", net.file("before"), "--unattended",
                                sealed("safe"))
        equal(0, result.code, str(result))
        equal(0, phrases.consil(home, "inbox", "--offline").code, "it reads")
        refused = phrases.consil(home, "sync")
        check(refused.code == 4, f"refused: {refused}")


@test
def a_backup_is_whole_or_nothing():
    with Network() as net:
        net.org("clinic")
        anna = net.join("anna@clinic")
        phrases = Phrases(net)
        backup = net.file("backup")
        cheap_backup(anna, backup, "safe")
        with open(backup, "rb") as f:
            whole = f.read()
        home = net.file("other.home")

        def restore(content, **kwargs):
            with open(backup, "wb") as f:
                f.write(content)
            return phrases.consil(home, "keys", "import", backup, "--unattended",
                                  sealed("safe"), **kwargs)
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        # each way of damage is in the unit tests
        for what, content in (("cut", whole[:-1]), ("altered", bytes(flipped)),
                              ("something else", b"x" * 5000)):
            result = restore(content)
            equal(4, result.code, f"{what}: {result}")
            check(not os.path.exists(home) and not os.path.exists(home + ".importing"),
                  f"{what}: nothing is made")
        # hostile numbers cost nothing
        result = restore(whole[:8] + b"\xff\xff\xff\xff" + whole[12:])
        equal(4, result.code, str(result))

        # killed anywhere: no home, or a whole one; the next import goes through
        for at in (10, 40, 80, 120, 160):
            result = restore(whole, env=killed_at(at))
            if result.code == 0:
                break
            equal(-9, result.code, f"killed before call {at}: {result}")
            if os.path.exists(home):
                equal(0, phrases.consil(home, "contacts").code, f"whole: killed at {at}")
                shutil.rmtree(home)
        if os.path.exists(home):
            shutil.rmtree(home)
        os.mkdir(home, 0o700)
        result = restore(whole)
        equal(0, result.code, f"into an empty folder: {result}")
        check(not os.path.exists(home + ".importing"), "nothing is left beside it")
        equal(0, phrases.consil(home, "sync").code, "it works")

        # a disk too small for the backup: no half file stays
        os.unlink(backup)
        result = phrases.consil(home, "keys", "export", "-o", backup, sealed("safe"),
                                preexec_fn=lambda: (
                                    signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                    resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))))
        equal(1, result.code, str(result))
        check(not [n for n in os.listdir(net.path) if n.startswith("backup")],
              f"nothing is left of it: {os.listdir(net.path)}")


@test
def keyrings_of_the_network_change_theirs():
    with Network(start=False) as net:
        phrases = Phrases(net)
        root, relay = net.file("net/root.keyring"), net.file("net/relay.keyring")

        def admin(*args):
            return phrases.run("consil-admin", "passphrase", *args)
        result = admin(root, "--json", new("one"))
        equal(0, result.code, str(result))
        equal([{"keyring": root, "of": "root", "unattended": False}], result.json(), "says")
        check(not os.path.exists(net.file("net/root.key")), "no key file is left")
        with open(root, "rb") as f:
            head = f.read(14)
        equal((4, 1 << 30), (int.from_bytes(head[6:10], "big"),
                             int.from_bytes(head[10:14], "big")), "cost of a root")
        equal(4, admin(root, old("two"), new("three")).code, "a wrong one")
        equal(0, admin(root, "--unattended", old("one")).code, "and back")

        result = admin(relay, new("one"))
        equal(0, result.code, str(result))
        check("--unattended" in result.err, f"the relay could not start: {result}")
        refused = run("consil-relay", "--config", net.file("net/relay.conf"))
        check(refused.code != 0 and "key file" in refused.err, f"it says why: {refused}")
        equal(0, admin(relay, "--unattended", old("one")).code, "its key file again")
        net.start()
        equal(3, admin(net.file("nothing"), new("x")).code, "no keyring there")
        equal(4, admin(net.file("note.md"), new("x")).code, "no keyring at all")


@test
def keyrings_of_the_network_are_backed_up():
    with Network() as net:
        phrases = Phrases(net)
        names = ["root.keyring", "registrar.keyring", "relay.keyring"]
        paths = [net.file(f"net/{name}") for name in names]
        backup, made = net.file("network.backup"), net.file("made")

        def admin(*args):
            return phrases.run("consil-admin", *args)
        equal(0, admin("passphrase", paths[1], new("one")).code, "one with a passphrase")
        wrong = admin("keyring", "export", *paths, "-o", backup, old("two"), sealed("safe"))
        equal(4, wrong.code, f"a wrong passphrase: {wrong}")
        check("registrar.keyring" in wrong.err, f"says of what: {wrong}")
        twice = admin("keyring", "export", paths[0], paths[0], "-o", backup, sealed("safe"))
        equal(2, twice.code, f"two of one name: {twice}")
        check(not os.path.exists(backup), "nothing is written yet")
        result = admin("keyring", "export", *paths, "-o", backup, "--json", old("one"),
                       sealed("safe"))
        equal(0, result.code, str(result))
        equal(names, result.json()[0]["keyrings"], "what is in it")

        home = net.file("home")
        other = phrases.consil(home, "keys", "import", backup, "--unattended", sealed("safe"))
        equal(2, other.code, f"no home: {other}")
        check("consil-admin" in other.err, f"says what to use: {other}")
        with open(backup, "rb") as f:
            whole = f.read()
        with open(net.file("cut"), "wb") as f:
            f.write(whole[:-1])
        cut = admin("keyring", "import", net.file("cut"), made, "--unattended", sealed("safe"))
        equal(4, cut.code, str(cut))
        check(not os.path.exists(made), "nothing is made")
        result = admin("keyring", "import", backup, made, "--unattended", sealed("safe"))
        equal(0, result.code, str(result))
        equal(2, admin("keyring", "import", backup, made, "--unattended",
                       sealed("safe")).code, "not over it")

        # they are the same keys: the registrar's work goes on with them
        for name in os.listdir(net.file("net")):
            if name.endswith((".keyring", ".key")):
                os.unlink(net.file(f"net/{name}"))
        for name in os.listdir(made):
            shutil.copy2(os.path.join(made, name), net.file("net"))
        net.stop()
        net.start()
        net.org("clinic")
        equal(0, net.join("anna@clinic").run("sync").code, "and its members'")


main()
