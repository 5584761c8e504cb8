#!/usr/bin/env python3
"""What was sent stays readable, and its attachments need not travel twice."""
import glob
import os

from network import Network, check, equal, free_port, killed_at, main, run, test, wait_until
from proxy import Proxy

SCAN = bytes(range(256)) * (3 * 4096 + 7)  # over three segments, and a bit


class Between:
    """A network whose members reach the relay through a proxy that counts."""

    def __enter__(self):
        port = free_port()
        self.proxy = Proxy(port)
        self.net = Network(listen=self.proxy.url, start=False)
        conf = os.path.join(self.net.net, "relay.conf")
        with open(conf) as f:
            text = f.read()
        with open(conf, "w") as f:
            f.write(text.replace(self.proxy.url, f"tcp://127.0.0.1:{port}"))
        self.net.start()
        self.net.write("scan.bin", SCAN)
        self.net.write("small.txt", "small\n")
        return self.net, self.proxy

    def __exit__(self, *failure):
        self.net.__exit__(*failure)
        self.proxy.close()


def send(doe, *to, **more):
    return doe.send(*to, extra=("--attach", "scan.bin", "--attach", "small.txt"), **more)


def saved(device, id, name="scan.bin"):
    """What `read --save` writes of an attachment."""
    folder = device.net.file(f"saved.{id[:8]}.{os.urandom(4).hex()}")
    device.ok("read", id, "--save", folder)
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def spool(device):
    return glob.glob(os.path.join(device.home, "spool", "*", "*"))


@test
def what_was_sent_can_be_read_again():
    with Between() as (net, _):
        doe, a, b = net.three()
        id = send(doe, "a@clinic", "b@clinic", subject="kept", question="Why?")
        equal([], spool(doe), "the spool is empty")
        text = doe.ok("read", id).out
        check("From       you" in text and "a@clinic, b@clinic" in text and ", custody" in text
              and "Why?" in text and "a note" in text and "scan.bin" in text, text)
        equal(SCAN, saved(doe, id), "as it was sent")
        row = doe.ok("read", id, "--json").json()[0]
        equal((True, ["a@clinic", "b@clinic"], "kept", None),
              (row["own"], row["to"], row["subject"], row["received_at"]), "json")
        equal("custody", doe.ok("sent", "--offline", id, "--json").json()[0]["standing"],
              "reading one's own states nothing")
        # what only waits here is read as well
        net.stop()
        waits = send(doe, "a@clinic", subject="waits")
        check(", queued" in doe.ok("read", waits).out, "it is here")
        equal(SCAN, saved(doe, waits), "as it will be sent")
        doe.ok("withdraw", waits)
        gone = doe.run("read", waits, "--save", net.file("gone"))
        check(gone.code != 0 and "waits" in gone.out and "not kept here" in gone.out + gone.err,
              f"the text stays: {gone}")
        net.start()
        # a backup has it
        backup = net.file("doe.backup")
        made = run("tests/e2e/make_backup", doe.home, backup, "safe")
        equal(0, made.code, str(made))
        doe.home = net.file("again.home")
        with open(net.write("pass", "safe\n")) as f:
            doe.ok("keys", "import", backup, "--unattended", "--backup-passphrase-fd",
                   f.fileno(), pass_fds=(f.fileno(),))
        equal(SCAN, saved(doe, id), "from the backup")
        equal(SCAN, saved(a, a.inbox()[0]["id"]), "and a has it")


@test
def killed_anywhere_while_it_is_delivered_nothing_of_it_is_lost():
    with Between() as (net, _):
        doe, a, _ = net.three()
        ids = []
        for n in range(34, 110, 15):
            net.stop()
            ids.append(send(doe, "a@clinic"))
            net.start()
            if doe.run("sync", env=killed_at(n)).code == 0:
                break
        wait_until(lambda: doe.ok("sync").out.endswith("waiting 0\n") or not spool(doe), "sent")
        doe.ok("sync")
        equal([], spool(doe), "the spool is empty")
        for id in ids:
            equal(SCAN, saved(doe, id), f"{id} is kept")


@test
def a_forward_takes_its_attachments_from_the_relay():
    with Between() as (net, proxy):
        doe, a, b = net.three()
        id = send(doe, "a@clinic", "b@clinic")
        a.ok("sync")
        before = proxy.sent
        a.ok("forward", id, "--to", "b@clinic")
        check(proxy.sent - before < 200_000, f"none of it travels: {proxy.sent - before}")
        equal([], spool(a), "it is sent")
        came = [m for m in b.inbox() if m["is_forward"]][0]["id"]
        equal(SCAN, saved(b, came), "it came whole")
        equal(b"small\n", saved(b, came, "small.txt"), "all of it")
        equal(SCAN, saved(a, a.ok("sent", "--json").json()[0]["id"]), "and a has what a sent")
        # everybody has the original: the relay has let go of it
        b.ok("sync")
        doe.ok("sync")
        before = proxy.sent
        b.ok("forward", came, "--to", "j.doe@mnoncology")
        check(proxy.sent - before > len(SCAN), f"all of it travels: {proxy.sent - before}")
        back = [m for m in doe.inbox() if m["is_forward"]][0]
        equal("j.doe@mnoncology", back["author"], "whose it is")
        equal(SCAN, saved(doe, back["id"]), "it came whole")


main()
