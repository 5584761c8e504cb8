#!/usr/bin/env python3
"""A witness run by another practice, and members who need its word."""
import os
import signal
import subprocess

from network import BUILD, Network, check, equal, main, run, test, wait_until


class Witness:
    """A witness's folder, entered by the registrar."""

    def __init__(self, net, name):
        self.net, self.dir = net, net.file(name)
        self.process = None
        self.made = run("consil-admin", "witness", "new", self.dir, "--name", name, "--json")
        check(self.made.code == 0, str(self.made))

    def add(self):
        file = self.dir + ".net"
        result = self.net.admin("witness", "add", os.path.join(self.dir, "card"), "-o", file,
                                "--json")
        check(result.code == 0, str(result))
        equal(self.made.json()[0]["fingerprint"], result.json()[0]["fingerprint"],
              "what both compare by telephone")
        return file

    def once(self, *args):
        return run("consil-admin", "witness", "run", self.dir, "--once", *args)

    def start(self, *args):
        log = open(self.dir + ".log", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "consil-admin"), "witness", "run", self.dir, *args],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.net.watching.append(self.process)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def log(self):
        with open(self.dir + ".log", encoding="utf-8") as f:
            return f.read()


def entered(net, name):
    witness = Witness(net, name)
    file = witness.add()
    witness.start("--network-file", file)
    return witness


def cosigned(net, name):
    """When the witness cosigned the newest checkpoint, or None."""
    rows = net.admin("witness", "list", "--json").json()
    return next(row["cosigned_at"] for row in rows if row["name"] == name)


def state(device, id):
    """Of one message: several of one second have no order."""
    rows = device.ok("sent", "--offline", "--json").json()
    return next(row["state"] for row in rows if row["id"] == id)


@test
def a_member_seals_only_what_witnesses_bear_out():
    with Network() as net:
        anna, bert, _ = net.three()
        shown = anna.run("keys", "witnesses", "1", "--json")
        equal(5, shown.code, "nobody cosigned")
        equal(0, shown.json()[0]["cosigned"], "cosigned")
        sent = anna.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                        "--note", "note.md")
        equal(0, sent.code, str(sent))
        check("queued: " in sent.err and "witnesses" in sent.err, f"send says why: {sent.err}")
        id = sent.last_line
        row = anna.ok("sent", "--offline", "--json").json()[0]
        equal("queued", row["state"], "it waits")
        check("witnesses" in row["problem"], row["problem"])
        equal([], bert.inbox(), "nothing arrived")

        witness = entered(net, "records")
        wait_until(lambda: cosigned(net, "records"), "the witness cosigned")
        synced = anna.ok("sync", "--json").json()[0]
        equal((1, 0), (synced["delivered"], synced["queued"]), "it went")
        equal(id, bert.inbox()[0]["id"], "and arrived")

        shown = anna.ok("keys", "witnesses", "--json").json()
        equal((1, 1), (shown[0]["needed"], shown[0]["cosigned"]), "the summary")
        equal("records", shown[1]["name"], "the witness")
        check(shown[1]["cosigned_newest"] and shown[1]["cosigned_at"], str(shown[1]))
        text = anna.ok("keys", "witnesses").out
        check("records" in text and "the newest" in text, text)

        # at work it is there within the moment that a sender gives it
        net.org("county")
        net.join("c@county")
        equal("accepted", state(anna, anna.send("c@county")), "sent at once")
        equal(0, witness.stop(), "SIGTERM ends it well")

        # two of them, one of them silent
        anna.run("keys", "witnesses", "2")
        other = entered(net, "county office")
        wait_until(lambda: cosigned(net, "county office"), "the second cosigned")
        equal(5, anna.run("keys", "witnesses").code, "one of two")
        equal("queued", state(anna, anna.send("c@county", subject="two")), "waits")
        witness.start()
        wait_until(lambda: cosigned(net, "records"), "the first is back")
        equal(0, anna.ok("sync", "--json").json()[0]["queued"], "it went")
        equal(0, other.stop(), "the second ends")
        check(anna.run("keys", "witnesses", "25").code == 2, "more than there can be")


@test
def a_witness_outlives_crashes_and_its_relay():
    with Network() as net:
        net.org("clinic")
        witness = entered(net, "records")
        wait_until(lambda: cosigned(net, "records"), "it cosigned")
        for i in range(6):
            # at whatever step it is
            net.org(f"practice{i}")
            witness.stop(signal.SIGKILL)
            witness.start()
        wait_until(lambda: cosigned(net, "records"), "it cosigned after kill -9")
        equal(5, witness.once().code, "two on one folder")

        net.stop()
        wait_until(lambda: "trying again" in witness.log(), "it says that the relay is away")
        net.start()
        wait_until(lambda: "the relay is back" in witness.log(), "it came back")
        net.org("more")
        wait_until(lambda: cosigned(net, "records"), "it cosigned again")
        check(witness.process.poll() is None, "it never ended")
        equal(0, witness.stop(), "SIGTERM")
        equal(0, witness.once().code, "and once more by hand")


@test
def a_witness_does_not_follow_a_relay_that_goes_back():
    with Network() as net:
        net.org("clinic")
        net.stop()
        old = net.file("old")
        subprocess.run(["cp", "-r", os.path.join(net.net, "store"), old], check=True)
        net.start()
        net.org("hidden")
        witness = entered(net, "records")
        wait_until(lambda: cosigned(net, "records"), "it cosigned")

        # the witness's own entry is gone from the old store: it is not let in
        net.stop()
        subprocess.run(["rm", "-r", os.path.join(net.net, "store")], check=True)
        subprocess.run(["cp", "-r", old, os.path.join(net.net, "store")], check=True)
        restored = run("consil-relay", "--config", os.path.join(net.net, "relay.conf"),
                       "--restored", cwd=net.path)
        equal(0, restored.code, str(restored))
        net.start()
        equal(4, witness.process.wait(timeout=30), "it ends, and is not restarted in vain")


@test
def a_witness_keeps_the_evidence():
    with Network() as net:
        net.org("clinic")
        witness = entered(net, "records")
        wait_until(lambda: cosigned(net, "records"), "it cosigned")
        net.stop()
        old = net.file("old")
        subprocess.run(["cp", "-r", os.path.join(net.net, "store"), old], check=True)
        net.start()
        net.org("hidden")
        wait_until(lambda: cosigned(net, "records"), "it saw more")
        net.stop()
        subprocess.run(["rm", "-r", os.path.join(net.net, "store")], check=True)
        subprocess.run(["cp", "-r", old, os.path.join(net.net, "store")], check=True)
        restored = run("consil-relay", "--config", os.path.join(net.net, "relay.conf"),
                       "--restored", cwd=net.path)
        equal(0, restored.code, str(restored))
        net.start()
        equal(4, witness.process.wait(timeout=30), "it refuses")
        check("evidence" in witness.log(), witness.log())
        kept = os.listdir(os.path.join(witness.dir, "evidence"))
        equal(2, len(kept), f"both checkpoints: {kept}")
        again = witness.once()
        equal(4, again.code, "and says so as long as the relay does")
        check("restored from a backup" in again.err, again.err)


@test
def a_registrar_adds_lists_and_removes():
    with Network() as net:
        net.org("clinic")
        equal(3, net.admin("witness", "list").code, "none yet")
        witness = entered(net, "records")
        wait_until(lambda: cosigned(net, "records"), "it cosigned")
        # the file is lost: the same card again writes it again
        os.unlink(witness.dir + ".net")
        witness.add()
        equal(2, net.admin("witness", "add", os.path.join(witness.dir, "card"), "-o",
                           witness.dir + ".net").code, "not over a file")
        net.write("junk", "junk")
        equal(4, net.admin("witness", "add", net.file("junk"), "-o", net.file("x")).code,
              "no card")
        invitation = net.invite("a@clinic")
        equal(4, net.admin("witness", "add", invitation, "-o", net.file("x")).code, "nor this")
        equal(3, net.admin("witness", "remove", "nobody").code, "nobody")
        removed = net.admin("witness", "remove", "records")
        equal(0, removed.code, str(removed))
        equal(4, witness.process.wait(timeout=30), "it is not let in any more")
        check("removed this witness" in witness.log(), witness.log())
        row = net.admin("witness", "list", "--json").json()[0]
        equal(("removed", None), (row["state"], row["cosigned_at"]), "and counts no more")
        equal(4, net.admin("witness", "add", os.path.join(witness.dir, "card"), "-o",
                           net.file("x")).code, "gone for ever")


@test
def the_root_may_require_witnesses_of_everybody():
    with Network() as net:
        anna, bert, _ = net.three()
        request, signed = net.file("request"), net.file("signed")
        for step in (net.admin("policy", "set", "cosignatures", "1", "-o", request),
                     run("consil-admin", "root", "sign", request, "--key",
                         os.path.join(net.net, "root.keyring"), "--yes", "-o", signed),
                     run("consil-admin", "root", "apply", net.net, signed)):
            equal(0, step.code, str(step))
        anna.send("a@clinic")
        row = anna.ok("sent", "--offline", "--json").json()[0]
        equal("queued", row["state"], "no witness yet")
        check("tell the registrar" in row["problem"], row["problem"])
        summary = anna.run("keys", "witnesses", "--json").json()[0]
        equal((1, 1, 0), (summary["needed"], summary["needed_by_network"],
                          summary["needed_by_device"]), "who needs it")
        entered(net, "records")
        wait_until(lambda: cosigned(net, "records"), "the witness cosigned")
        equal(0, anna.ok("sync", "--json").json()[0]["queued"], "it went")
        equal(1, len(bert.inbox()), "and arrived")
        # receipts too are sealed, and need it as well
        bert.ok("sync")
        anna.ok("sync")
        check(anna.sent(anna.ok("sent", "--json").json()[0]["id"])[0]["delivered_at"], "delivered")


@test
def a_witness_goes_on_when_the_relay_gets_other_keys():
    with Network() as net:
        net.org("clinic")
        awake, asleep = entered(net, "awake"), entered(net, "asleep")
        wait_until(lambda: cosigned(net, "awake") and cosigned(net, "asleep"), "both cosigned")
        equal(0, asleep.stop(), "SIGTERM")
        rotated = net.admin("rotate", "relay")
        equal(0, rotated.code, str(rotated))
        wait_until(lambda: cosigned(net, "awake"), "under the new key, in its session")
        # by the key of before, which is all that it knows
        asleep.start()
        wait_until(lambda: cosigned(net, "asleep"), "who slept through it")
        equal(0, awake.stop(), "SIGTERM")
        net.org("county")
        awake.start()
        wait_until(lambda: cosigned(net, "awake") and cosigned(net, "asleep"), "and both again")


@test
def a_witness_sealed_by_a_passphrase():
    with Network() as net:
        net.org("clinic")

        def with_secret(*args, secret="correct horse"):
            reader, writer = os.pipe()
            os.write(writer, secret.encode() + b"\n")
            os.close(writer)
            try:
                return run("consil-admin", *args, "--passphrase-fd", str(reader),
                           pass_fds=(reader,))
            finally:
                os.close(reader)

        dir, file = net.file("w"), net.file("w.net")
        equal(0, with_secret("witness", "new", dir, "--name", "W").code, "made")
        check(not os.path.exists(os.path.join(dir, "keyring.key")), "no key file")
        equal(0, net.admin("witness", "add", os.path.join(dir, "card"), "-o", file).code, "added")
        equal(4, with_secret("witness", "run", dir, "--once", "--network-file", file,
                             secret="wrong").code, "wrong passphrase")
        done = with_secret("witness", "run", dir, "--once", "--network-file", file, "--json")
        equal(0, done.code, str(done))
        equal(["network", "cosigned"], [row["event"] for row in done.json()], "it cosigned")
        equal("Test Network", done.json()[0]["name"], "what it watches")
        equal(3, run("consil-admin", "witness", "run", net.file("none")).code, "no witness there")


if __name__ == "__main__":
    main()
