#!/usr/bin/env python3
"""The keys of a home and who opens them: passphrases changed, and kept out of
everybody's sight.

timeout: 600
"""
import os
import shutil

from network import Network, check, equal, killed_at, main, run, test

# Each unlocking takes 256 MiB for half a second, that of a root four times as
# much: as little of it as shows what is to be shown.


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


main()
