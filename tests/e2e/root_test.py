#!/usr/bin/env python3
"""timeout: 600
The root as a quorum of offline keys, and what it signs: founding, its own
versions, registrars, policy. Ceremonies of docs/operations.md."""
import json
import datetime
import os
import pty
import shutil
import tempfile

from network import BUILD, Device, Network, check, equal, main, run, test

PASSPHRASE = "a root passphrase"


def with_passphrase(program, *args, secret=PASSPHRASE, **kwargs):
    reader, writer = os.pipe()
    os.write(writer, secret.encode() + b"\n")
    os.close(writer)
    try:
        return run(program, *args, "--passphrase-fd", reader, pass_fds=(reader,), **kwargs)
    finally:
        os.close(reader)


def ok(result):
    check(result.code == 0, str(result))
    return result


class Root:
    """Holders of root keys, each a file in a folder of its own."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="consil-root.")
        self.signed = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def file(self, name):
        return os.path.join(self.path, name)

    def make(self, *names):
        """Keys that are cheap to open; consil-admin writes their cards."""
        for name in names:
            ok(run("tests/e2e/make_rootkey", self.file(name), PASSPHRASE))
            ok(with_passphrase("consil-admin", "root", "new", self.file(name)))

    def cards(self, *names):
        return [word for name in names for word in ("--root-key", self.file(name + ".pub"))]

    def sign(self, request, *names):
        """Each holder signs the request; the files they hand back."""
        files = []
        for name in names:
            self.signed += 1
            files.append(self.file(f"signed.{self.signed}"))
            ok(with_passphrase("consil-admin", "root", "sign", request, "--key",
                               self.file(name), "-o", files[-1], "--yes"))
        return files

    def found(self, *names):
        def found(net):
            request = os.path.join(net.net, "root.request")
            ok(apply(net, *self.sign(request, *names)))
        return found


def apply(net, *files, into=None):
    return run("consil-admin", "root", "apply", into or net.net, *files)


def ask(net, *words):
    """A request that consil-admin writes."""
    net.asked = getattr(net, "asked", 0) + 1
    file = net.file(f"request.{net.asked}")
    ok(net.admin(*words, "-o", file))
    return file


def founded(root, threshold=2):
    root.make("a", "b", "c")
    return Network(init=[*root.cards("a", "b", "c"), "--threshold", str(threshold)],
                   found=root.found("a", "c"))


def rows(net, kind, *words):
    return [r for r in ok(net.admin("root", "show", "--json", *words)).json() if r["type"] == kind]


@test
def one_key_of_three_is_lost_and_nothing_changes():
    with Root() as root, founded(root) as net:
        doc, a, _ = net.three()
        os.unlink(root.file("b"))  # the drill
        root.make("d", "e", "f")
        request = ask(net, "rotate", "root", *root.cards("d", "e", "f"), "--threshold", "2")
        signed = root.sign(request, "a", "d", "c", "e")
        few = apply(net, signed[0], signed[1], signed[3])
        equal(2, few.code, "one old key of two is not enough")
        check("version 1" in few.err, few.err)
        ok(apply(net, *signed))
        ok(apply(net, *signed))  # repeatable
        versions = rows(net, "root")
        equal([False, True], [v["in_force"] for v in versions], "version 2 is in force")
        id = doc.send("a@clinic", subject="after the loss")
        a.ok("sync")
        check(id in [m["id"] for m in a.inbox()], "everything goes on")
        net.join("late@clinic")
        # the keys that were rotated away sign for nothing any more
        request = ask(net, "policy", "set", "lifetime", "30d")
        for name in ("a", "c"):
            refused = with_passphrase("consil-admin", "root", "sign", request, "--key",
                                      root.file(name), "-o", root.file("x"), "--yes")
            equal(4, refused.code, str(refused))
            check("no part of the root" in refused.err, refused.err)


@test
def with_one_key_left_the_root_cannot_be_rotated():
    with Root() as root, founded(root) as net:
        root.make("d", "e", "f")
        request = ask(net, "rotate", "root", *root.cards("d", "e", "f"), "--threshold", "2")
        refused = apply(net, *root.sign(request, "a", "d", "e", "f"))
        equal(2, refused.code, str(refused))
        equal(1, len(rows(net, "root")), "nothing changed")


@test
def a_client_walks_forward_over_versions():
    with Root() as root, founded(root) as net:
        doc, a, _ = net.three()
        root.make("d", "e", "f", "g")
        for old, new in (("abc", "bcd"), ("bcd", "def")):
            request = ask(net, "rotate", "root", *root.cards(*new), "--threshold", "2")
            ok(apply(net, *root.sign(request, *sorted(set(old[:2] + new[:2] + new[2])))))
        equal([1, 2, 3], [v["version"] for v in rows(net, "root")], "versions")
        # doc and a have the mirror of version 1, and have not synced since
        id = doc.send("a@clinic")
        a.ok("sync")
        check(id in [m["id"] for m in a.inbox()], "both walked to version 3")
        plan = ok(net.admin("rotate", "root", "--plan", "--json")).json()
        equal(3, sum(r["in_force"] for r in plan), "keys in force")
        equal(3, sum(r["destroy_from"] is not None for r in plan), "keys to destroy")
        early = net.admin("rotate", "root", "--destroy-old", root.file("d"), "--yes")
        check(early.code != 0 and "version 3" in early.err, str(early))
        equal(True, os.path.exists(root.file("d")), "it is still there")
        ok(net.admin("rotate", "root", "--destroy-old", root.file("a"), "--yes"))
        equal(False, os.path.exists(root.file("a")), "it is gone")
        stranger = net.admin("rotate", "root", "--destroy-old", root.file("g"), "--yes")
        equal(3, stranger.code, str(stranger))


@test
def a_registrar_gets_another_key():
    with Root() as root, founded(root) as net:
        doc, a, _ = net.three()
        key = rows(net, "registrar")[0]["fingerprint"]
        early = net.invite("early@clinic")
        void = net.invite("void@clinic")
        shutil.copy(void, net.file("void.first"))
        os.unlink(void)
        net.invite("void@clinic")
        request = ask(net, "rotate", "registrar")
        ok(net.admin("orgs"))  # the key in use goes on until the directory has the next one
        signed = root.sign(request, "a", "b")
        equal(2, apply(net, signed[0]).code, "one signature is too few")
        told = ok(apply(net, *signed))
        check("new key" in told.out, told.out)
        check(rows(net, "registrar")[0]["fingerprint"] != key, "another key")
        device = Device(net, "early@clinic", net.file("early.home"))
        device.ok("join", early, "--unattended")  # signed by the key of before
        refused = Device(net, "void@clinic", net.file("void.home")).run(
            "join", net.file("void.first"), "--unattended")
        equal(4, refused.code, str(refused))
        net.org("later")
        net.join("new@later")
        id = doc.send("new@later")
        check(id, "everything goes on")
        ok(net.admin("rotate", "registrar", "--plan"))
        ok(net.admin("rotate", "registrar", "--destroy-old"))
        equal(3, net.admin("rotate", "registrar", "--destroy-old").code, "there is no other")


@test
def a_rotation_that_is_broken_off_goes_on():
    with Root() as root, founded(root) as net:
        net.org("clinic")
        keyring = os.path.join(net.net, "registrar.keyring")
        request = ask(net, "rotate", "registrar", "--valid-until", "2040-01-01")
        with open(keyring + ".next", "rb") as f:
            next_key = f.read()
        again = ask(net, "rotate", "registrar")  # made again: the same key
        with open(keyring + ".next", "rb") as f:
            check(f.read() == next_key, "the next key is kept")
        signed = root.sign(again, "a", "b")
        with open(keyring, "rb") as f:
            old_key = f.read()
        ok(apply(net, *signed))

        def put(path, content):
            with open(path, "wb") as f:
                f.write(content)
            os.chmod(path, 0o600)

        # killed after the relay had it, before the files changed
        os.unlink(keyring + ".old")
        put(keyring, old_key)
        put(keyring + ".next", next_key)
        told = ok(net.admin("orgs"))
        check("new key" in told.err, told.err)
        with open(keyring, "rb") as f:
            check(f.read() == next_key, "it was taken over")
        # killed between the two changes of the files
        put(keyring, old_key)
        put(keyring + ".next", next_key)
        os.unlink(keyring + ".old")
        os.link(keyring, keyring + ".old")
        ok(net.admin("orgs"))
        equal(False, os.path.exists(keyring + ".next"), "nothing is left over")
        # the first request is void: the log has moved on
        stale = apply(net, *root.sign(request, "a", "b"))
        equal(4, stale.code, str(stale))
        check("make a new one" in stale.err, stale.err)


@test
def a_second_registrar_works_beside_the_first():
    with Root() as root, founded(root) as net:
        net.org("clinic")
        other = net.file("other")
        ok(run("consil-admin", "registrar", "new", other, "--name", "Second"))
        request = ask(net, "rotate", "registrar", "--add", os.path.join(other, "registrar.card"))
        signed = root.sign(request, "b", "c")
        early = apply(net, *signed, into=other)
        equal(4, early.code, str(early))
        check("applied the request" in early.err, early.err)
        ok(apply(net, *signed))
        ok(apply(net, *signed, into=other))
        ok(run("consil-admin", "--network", other, "org", "vet",
               net.record("theirs", "T")))
        names = [o["handle"] for o in ok(net.admin("orgs", "--json")).json()]
        equal(["clinic", "theirs"], names, "both see both")
        equal(2, len(rows(net, "registrar")), "two registrars")


@test
def the_root_ends_a_registrar_whose_key_was_stolen():
    with Root() as root, founded(root) as net:
        net.org("clinic")
        other = net.file("other")
        ok(run("consil-admin", "registrar", "new", other, "--name", "Second"))
        request = ask(net, "rotate", "registrar", "--add", os.path.join(other, "registrar.card"))
        signed = root.sign(request, "b", "c")
        ok(apply(net, *signed))
        ok(apply(net, *signed, into=other))
        stolen = next(r for r in rows(net, "registrar") if r["name"] == "Second")["id"]
        ok(run("consil-admin", "--network", other, "org", "vet", net.record("theirs", "T")))
        words = ("revoke", "registrar", stolen[:8], "--reason", "compromised",
                 "--compromised-since", "2001-01-01")
        alone = net.admin(*words)
        check(alone.code == 2 and "--output" in alone.err, str(alone))
        ok(apply(net, *root.sign(ask(net, *words), "a", "c")))
        refused = run("consil-admin", "--network", other, "org", "vet", net.record("more", "M"))
        equal(4, refused.code, str(refused))
        # what it admitted since then is in no good standing
        refused = net.admin("invite", "a@theirs", "--name", "A", "--role", "physician", "-o",
                            net.file("a.invite"))
        equal(4, refused.code, str(refused))


@test
def a_waiver_needs_two_registrars():
    with Root() as root, founded(root) as net:
        path = net.record("rural", "Rural Practice", decision="conditional", waiver={
            "reason": "the only one in the county", "domains": ["quality"]})
        with open(path, encoding="utf-8") as f:
            record = json.load(f)
        record["domains"]["quality"]["result"] = "fail"
        net.write("rural.json", json.dumps(record))
        asked = net.file("waiver")
        alone = net.admin("org", "waive", path, "-o", asked)
        equal(3, alone.code, str(alone))
        check("second registrar" in alone.err, alone.err)

        other = net.file("other")
        ok(run("consil-admin", "registrar", "new", other, "--name", "Second"))
        request = ask(net, "rotate", "registrar", "--add", os.path.join(other, "registrar.card"))
        signed = root.sign(request, "b", "c")
        ok(apply(net, *signed))
        ok(apply(net, *signed, into=other))
        ok(net.admin("org", "waive", path, "-o", asked))
        equal(3, net.admin("orgs").code, "nothing is admitted yet")
        # not by the same one, and not unseen
        equal(4, net.admin("org", "cosign", asked, "--yes").code, "its own request")
        second = ("consil-admin", "--network", other)
        unseen = run(*second, "org", "cosign", asked)
        equal(2, unseen.code, str(unseen))
        check("the only one in the county" in unseen.out, unseen.out)
        ok(run(*second, "org", "cosign", asked, "--yes"))
        again = run(*second, "org", "cosign", asked, "--yes")
        equal(4, again.code, str(again))
        row = ok(net.admin("orgs", "--json")).json()[0]
        equal("conditional", row["state"], "the state")
        check(row["co_registrar"] and row["co_registrar"] != row["by"], row)
        for shown in (net.admin("org", "show", "rural"), run(*second, "org", "show", "rural")):
            check("the only one in the county" in ok(shown).out, "both keep the record")
        net.join("a@rural")


@test
def policy_is_signed_by_the_root():
    with Root() as root, founded(root) as net:
        for key, value in (("lifetime", "30d"), ("freshness", "48h"), ("lifetime", "20d")):
            request = ask(net, "policy", "set", key, value)
            ok(apply(net, *root.sign(request, "a", "c")))
        equal({"lifetime": 20 * 86400, "freshness": 48 * 3600},
              {r["name"]: r["value"] for r in rows(net, "policy")}, "both values hold")
        doc, _, _ = net.three()
        doc.send("a@clinic")  # for 30 days, unless the network has another mind
        until = doc.ok("sent", "--json").json()[0]["expires_at"]
        days = (datetime.datetime.fromisoformat(until.replace("Z", "+00:00"))
                - datetime.datetime.now(datetime.timezone.utc)).days
        check(18 <= days <= 20, f"no longer than the policy allows: {until}")
        for bad in (("lifetime", "91d"), ("freshness", "1h"), ("cosignatures", "1h"),
                    ("nothing", "1")):
            equal(2, net.admin("policy", "set", *bad, "-o", net.file("bad")).code, str(bad))


@test
def holders_are_named_by_their_cards_and_the_keys_that_leave_are_shown():
    with Root() as root, founded(root) as net:
        ok(run("tests/e2e/make_rootkey", root.file("d"), PASSPHRASE))
        ok(with_passphrase("consil-admin", "root", "new", root.file("d"), "--name", "Holder D"))
        asked = net.admin("rotate", "root", *root.cards("b", "c", "d"), "--threshold", "2",
                          "-o", root.file("request"))
        ok(asked)
        check("says of itself: Holder D" in asked.err, asked.err)
        shown = ok(with_passphrase("consil-admin", "root", "sign", root.file("request"), "--key",
                                   root.file("b"), "-o", root.file("s"), "--yes")).out
        leaving = shown.split("Of version 1 no longer sign for it:\n")[1].split("\n")
        prints = [set(v["keys"]) for v in rows(net, "root")]
        check(leaving[0].strip() in prints[0], f"one of version 1: {shown}")
        check(not leaving[1].startswith("         "), f"one key leaves: {shown}")
        equal(1, shown.count(leaving[0].strip()), "it is no key of version 2")


@test
def what_is_signed_is_shown_and_asked_for():
    with Root() as root, founded(root) as net:
        request = ask(net, "policy", "set", "freshness", "48h")
        sign = ["consil-admin", "root", "sign", request, "--key", root.file("a"), "-o"]
        alone = with_passphrase(*sign, root.file("s"), start_new_session=True)
        equal(2, alone.code, str(alone))
        check("--yes" in alone.err, alone.err)
        for answer, code in (("no", 4), ("yes", 0)):
            pid, tty = pty.fork()
            if pid == 0:
                os.execv(os.path.join(BUILD, sign[0]), [*map(str, sign), root.file("t")])
            said = b""
            while b"[yes/no]" not in said:
                said += os.read(tty, 1000)
            check(b"freshness 2d" in said, said)
            os.write(tty, answer.encode() + b"\n")
            while answer == "yes" and b"root key:" not in said:
                said += os.read(tty, 1000)
            if answer == "yes":
                os.write(tty, PASSPHRASE.encode() + b"\n")
            try:
                while os.read(tty, 1000):
                    pass
            except OSError:
                pass  # its end
            equal(code, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), answer)
            os.close(tty)
        equal(True, os.path.exists(root.file("t")), "it was signed")
        # text around it is nothing; a changed request is nothing too
        with open(request) as f:
            text = f.read()
        lines = text.splitlines()
        middle = len(lines) // 2
        flipped = lines[middle][::-1]
        with open(net.file("forged"), "w") as f:
            f.write("\n".join(lines[:middle] + [flipped] + lines[middle + 1:]))
        forged = with_passphrase("consil-admin", "root", "sign", net.file("forged"), "--key",
                                 root.file("a"), "-o", root.file("u"), "--yes")
        equal(4, forged.code, str(forged))
        wrong = with_passphrase(*sign, root.file("v"), "--yes", secret="wrong")
        equal(4, wrong.code, str(wrong))


@test
def init_wants_whole_cards_and_a_threshold():
    with Root() as root:
        root.make("a", "b")

        def init(*words):
            return run("consil-admin", "init", root.file("net"), "--name", "N", "--listen",
                       "tcp://127.0.0.1:7700", *words)
        for words in (["--threshold", "1"],
                      root.cards("a", "b"),
                      [*root.cards("a", "b"), "--threshold", "3"],
                      [*root.cards("a", "b"), "--threshold", "0"],
                      [*root.cards("a", "a"), "--threshold", "1"]):
            equal(2, init(*words).code, str(words))
        with open(root.file("a.pub")) as f:
            text = f.read()
        with open(root.file("cut.pub"), "w") as f:
            f.write(text.replace(text.splitlines()[3][:4], "AAAA"))
        equal(4, init(*root.cards("cut")).code, "an altered card")
        equal(False, os.path.exists(root.file("net")), "no folder was made")
        ok(init(*root.cards("a")))
        done = run("consil-admin", "--network", root.file("net"), "orgs")
        equal(2, done.code, str(done))
        check("root sign" in done.err, done.err)


@test
def a_root_key_of_full_strength():
    with Root() as root:
        made = ok(with_passphrase("consil-admin", "root", "new", root.file("k"), "--name", "Safe",
                                  "--json")).json()[0]
        equal(39, len(made["fingerprint"]), "fingerprint")
        with open(root.file("k"), "rb") as f:
            equal(1 << 30, int.from_bytes(f.read()[10:14], "big"), "memory of Argon2id")
        equal(2, with_passphrase("consil-admin", "root", "new", root.file("k")).code, "no second")


if __name__ == "__main__":
    main()
