#!/usr/bin/env python3
"""What goes wrong around the programs: each time one clear line, the right exit
code, and nothing lost.

timeout: 600
"""
import ctypes
import glob
import os
import shutil
import signal
import subprocess
import sys
import time

from network import (BUILD, Device, Network, Skipped, check, equal, free_port, main, run,
                     shifted_clock, test, wait_until)
from proxy import Proxy

CASE = ["--subject", "S", "--question", "Q", "--note", "note.md"]
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000


# ------------------------------------------------------------------- small disks

class SmallDisk:
    """A file system of so many MiB at a path."""

    private = False

    def __init__(self, path, mib):
        self.path = path
        SmallDisk.get_private()
        os.makedirs(path, mode=0o700, exist_ok=True)
        self._mount(f"size={mib}m,mode=700")

    @classmethod
    def get_private(cls):
        """Mounts of this test are seen by it and its children alone and end
        with it, whatever happens."""
        if cls.private:
            return
        libc = ctypes.CDLL(None, use_errno=True)
        uid, gid = os.getuid(), os.getgid()
        flags = CLONE_NEWNS if uid == 0 else CLONE_NEWNS | CLONE_NEWUSER
        if libc.unshare(flags) != 0:
            raise Skipped("no mounts allowed here")
        if uid != 0:
            for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"),
                               ("gid_map", f"{gid} {gid} 1")):
                with open(f"/proc/self/{name}", "w") as f:
                    f.write(text)
        done = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True)
        if done.returncode != 0:
            raise Skipped("no mounts allowed here")
        cls.private = True

    def _mount(self, options):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.path],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Skipped(f"no tmpfs here: {done.stderr.strip()}")

    def grow(self, mib):
        self._mount(f"remount,size={mib}m")

    def fill(self, leave=0):
        """Takes all space but `leave` bytes."""
        self.filler = os.path.join(self.path, "filler")
        room = os.statvfs(self.path)
        room = room.f_bavail * room.f_frsize - leave
        with open(self.filler, "wb") as f:
            f.write(b"\0" * max(room, 0))

    def empty(self):
        os.unlink(self.filler)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=True)


# ------------------------------------------------------------------------ checks

def said(result, code, *words):
    """One clear line on stderr that names these things, and this exit code."""
    equal(code, result.code, str(result))
    lines = result.err.strip().splitlines()
    equal(1, len(lines), f"one line: {result}")
    check(lines[0].startswith(("consil: ", "consil-admin: ")), f"form: {result}")
    for word in words:
        check(word in lines[0], f"names {word}: {result}")


def nothing_is_left(device):
    equal([], device.ok("sent", "--json", "--offline").json(), "nothing half sent")
    equal([], glob.glob(os.path.join(device.home, "spool", "*")), "nothing spooled")


def send(device, *extra, to="a@clinic"):
    return device.run("send", "--to", to, *CASE, *extra)


def all_arrive(device, ids):
    equal(sorted(ids), sorted(m["id"] for m in device.inbox()), f"{device.name}: all, once")


def same_content(net, device, id, name):
    """The attachment of this message is the sender's file, bit by bit."""
    out = net.file(f"saved-{id}")
    device.act("read", id, "--save", out)
    with open(os.path.join(out, os.path.basename(name)), "rb") as got:
        with open(net.file(name), "rb") as sent:
            check(got.read() == sent.read(), f"{id}: the sender's bytes")


def relay_says(net, config, code, *words):
    """A relay that cannot start: ends by itself, with the reason as the last line."""
    done = run("consil-relay", "--config", config, cwd=net.path, timeout=30)
    equal(code, done.code, str(done))
    last = (done.err.strip().splitlines() or [""])[-1]
    check(last.startswith("consil-relay: "), f"form: {done}")
    for word in words:
        check(word in last, f"names {word}: {done}")


def change(path, old, new):
    with open(path) as f:
        text = f.read()
    check(old in text, f"{old!r} is in {path}")
    with open(path, "w") as f:
        f.write(text.replace(old, new))


# --------------------------------------------------------------------- full disks

@test
def full_disk_at_the_relay_loses_nothing():
    with Network(start=False) as net, SmallDisk(os.path.join(net.net, "store"), 32) as disk:
        net.start()
        doe, a, b = net.three()
        net.write("big.bin", os.urandom(5 << 20))
        first = doe.send("a@clinic")
        ids, queued = [first], []
        for _ in range(8):
            result = send(doe, "--attach", "big.bin")
            equal(0, result.code, f"accepted here: {result}")
            ids.append(result.last_line)
            if "queued" in result.err:
                queued.append(result.last_line)
                said(result, 0, "queued", "space")
        check(queued, "the relay ran full")
        check(len(queued) < 8, "the relay took something")
        if net.relay.poll() is not None:
            check("space" in net.log_text().strip().splitlines()[-1], "it said why it ended")
            net.stop()
            net.start()
        # What was accepted can be collected and acknowledged on the full disk.
        check(first in [m["id"] for m in a.inbox()], "accepted before is handed out")
        disk.grow(400)
        doe.ok("sync")
        all_arrive(a, ids)
        for id in ids[1:3] + ids[-1:]:
            same_content(net, a, id, "big.bin")
        equal([], [m for m in doe.ok("sent", "--json").json() if m["state"] != "accepted"],
              "all accepted")


@test
def completely_full_disk_at_the_relay():
    with Network(start=False) as net, SmallDisk(os.path.join(net.net, "store"), 64) as disk:
        net.start()
        doe, a, b = net.three()
        ids = [doe.send("a@clinic")]
        disk.fill()
        for _ in range(40):
            result = send(doe)
            equal(0, result.code, str(result))
            ids.append(result.last_line)
            if "queued" in result.err:
                break
        else:
            check(False, "a full disk refuses at last")
        if net.relay.poll() is None:
            net.stop(signal.SIGKILL)
        else:
            net.stop()
        disk.empty()
        net.start()
        doe.ok("sync")
        all_arrive(a, ids)


@test
def full_disk_at_the_sender_leaves_nothing_half():
    with Network() as net:
        net.org("clinic")
        a = net.join("a@clinic")
        home = net.file("doe.home")
        with SmallDisk(home, 12) as disk:
            doe = net.join("doe@clinic")
            equal(home, doe.home, "the small disk is the home")
            net.write("big.bin", os.urandom(30 << 20))
            said(send(doe, "--attach", "big.bin"), 1, "big.bin", "space")
            nothing_is_left(doe)
            disk.fill()
            result = send(doe)
            said(result, 1, "space")
            check(home in result.err, f"names the place: {result}")
            equal("", result.out, "no id: nothing was accepted")
            disk.empty()
            nothing_is_left(doe)
            all_arrive(a, [doe.send("a@clinic")])


@test
def full_disk_at_the_reader_loses_nothing():
    with Network() as net:
        net.org("clinic")
        doe, home = net.join("doe@clinic"), net.file("a.home")
        with SmallDisk(home, 12) as disk:
            a = net.join("a@clinic")
            net.write("big.bin", os.urandom(30 << 20))
            small = doe.send("a@clinic")
            a.inbox()
            big = doe.send("a@clinic", extra=["--attach", "big.bin"])
            said(a.run("inbox"), 1, "space")
            equal([small], [m["id"] for m in a.ok("inbox", "--json", "--offline").json()],
                  "what was here is here")
            disk.grow(200)
            all_arrive(a, [small, big])
            with SmallDisk(net.file("out"), 4):
                said(a.run("read", big, "--save", net.file("out")), 1, "space")
                equal([], os.listdir(net.file("out")), "no part of a file")
            same_content(net, a, big, "big.bin")


# ------------------------------------------------------------- files on their way

def with_paused_send(change_file):
    """Starts to send a large file, stops in the middle, changes it, goes on."""
    with Network() as net:
        doe, a, b = net.three()
        path = net.write("big.bin", b"")
        os.truncate(path, 400 << 20)
        sending = subprocess.Popen(
            [os.path.join(BUILD, "consil"), "send", "--to", "a@clinic", *CASE, "--attach",
             "big.bin"], env={**os.environ, "CONSIL_HOME": doe.home}, cwd=net.path,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: glob.glob(os.path.join(doe.home, "spool", "*", "*"))
                   or sending.poll() is not None, "spooling begins", 30)
        sending.send_signal(signal.SIGSTOP)
        change_file(path)
        sending.send_signal(signal.SIGCONT)
        out, err = sending.communicate(timeout=120)
        equal(1, sending.returncode, f"refused: {out}{err}")
        equal("", out, "no id")
        check("big.bin" in err and "changed" in err, f"says so: {err}")
        nothing_is_left(doe)


@test
def file_that_changes_while_it_is_sent():
    def append(path):
        with open(path, "ab") as f:
            f.write(b"more")
    with_paused_send(append)


@test
def file_that_vanishes_while_it_is_sent():
    with_paused_send(os.unlink)


@test
def file_that_is_replaced_while_it_is_sent():
    def replace(path):
        with open(path + ".new", "wb") as f:
            f.write(b"other")
        os.rename(path + ".new", path)
    with_paused_send(replace)


# ----------------------------------------------------------------- broken-off joins

@test
def join_broken_off_anywhere_is_taken_up_again():
    relay_port = free_port()
    proxy = Proxy(relay_port)
    with Network(listen=proxy.url, start=False) as net:
        change(os.path.join(net.net, "relay.conf"), proxy.url, f"tcp://127.0.0.1:{relay_port}")
        net.start()
        net.org("clinic")
        doe = net.join("doe@clinic")
        without_keys = 0
        for frames in range(1, 8):
            address = f"m{frames}@clinic"
            member = Device(net, address, net.file(f"m{frames}.home"))
            file = net.invite(address)
            proxy.cut_after(frames)
            broken = member.run("join", file, "--unattended")
            proxy.cut_after(None)
            if broken.code == 0:
                break  # nothing was left to cut
            said(broken, 5, "relay", proxy.url)
            result = send(doe, to=address)
            if result.code != 0:
                without_keys += 1
                check(result.code in (3, 4) and address in result.err, f"no keys yet: {result}")
            member.ok("join", file, "--unattended")
            id = doe.send(address)
            check(id in [m["id"] for m in member.inbox()], f"{address}: reached after all")
        check(frames > 4, "a join needs several requests")
        check(without_keys > 0, "somewhere in between there are no keys")
    proxy.close()


@test
def sending_broken_off_anywhere_is_delivered_once():
    relay_port = free_port()
    proxy = Proxy(relay_port)
    with Network(listen=proxy.url, start=False) as net:
        change(os.path.join(net.net, "relay.conf"), proxy.url, f"tcp://127.0.0.1:{relay_port}")
        net.start()
        doe, a, b = net.three()
        doe.ok("sync")  # knows the others
        net.write("big.bin", os.urandom(3 << 20))
        ids = []
        for frames in range(1, 16):
            proxy.cut_after(frames)
            result = send(doe, "--attach", "big.bin")
            equal(0, result.code, str(result))
            ids.append(result.last_line)
            proxy.cut_after(None)
            doe.ok("sync")
            if "queued" not in result.err:
                break
        check(len(ids) > 5, "sending needs several requests")
        for frames in range(1, 16):
            proxy.cut_after(frames)
            done = a.run("sync").code == 0
            proxy.cut_after(None)
            if done:
                break
        all_arrive(a, ids)
        same_content(net, a, ids[0], "big.bin")
        same_content(net, a, ids[-1], "big.bin")
    proxy.close()


# --------------------------------------------------------------- an absent relay

@test
def stopped_relay_runs_into_time_limits():
    with Network() as net:
        doe, a, b = net.three()
        net.relay.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        result = send(doe)
        check(time.monotonic() - start < 60, "send gives up in time")
        said(result, 0, "queued", net.listen)
        said(doe.run("sync"), 5, net.listen)
        net.relay.send_signal(signal.SIGCONT)
        doe.ok("sync")
        all_arrive(a, [result.last_line])


@test
def relay_stopped_while_a_member_watches():
    with Network() as net:
        doe, a, b = net.three()
        watch = net.watch(a, "--json")
        time.sleep(1)
        net.stop()
        net.start()
        id = doe.send("a@clinic")
        wait_until(lambda: any(id in line for line in watch.stdout), "watch comes back", 60)


@test
def relay_without_room_is_not_taken_for_another():
    with Network() as net:
        doe, a, b = net.three()
        net.stop()
        with open(os.path.join(net.net, "relay.conf"), "a") as conf:
            conf.write("max_connections_per_address = 1\n")
        net.start()
        first = net.watch(a)
        # Who comes first is let in: the other one waits for its turn.
        turned_away = []

        def is_turned_away():
            turned_away.append(b.run("sync"))
            return turned_away[-1].code == 5
        wait_until(is_turned_away, "the watch is in")
        said(turned_away[-1], 5, net.listen, "no room")
        second = net.watch(b)
        line = second.stderr.readline()
        check("no room" in line and line.endswith("; trying again\n"), f"says why: {line}")
        first.kill()
        first.wait()
        line = second.stderr.readline()
        check("the relay is back" in line, f"comes in at last: {line}")


# ------------------------------------------------------------- starting the relay

@test
def relay_configuration_that_cannot_work():
    with Network(start=False) as net:
        good = os.path.join(net.net, "relay.conf")

        def config(old, new):
            path = os.path.join(net.net, "other.conf")
            shutil.copy(good, path)
            change(path, old, new)
            return path
        # The genesis is read only while there is no directory yet.
        relay_says(net, config("genesis = genesis", "genesis = gone"), 3, "gone")
        os.rename(os.path.join(net.net, "genesis"), os.path.join(net.net, "genesis.away"))
        net.write("net/genesis", b"no genesis")
        relay_says(net, good, 4, "genesis")
        os.rename(os.path.join(net.net, "genesis.away"), os.path.join(net.net, "genesis"))
        relay_says(net, net.file("absent.conf"), 3, "absent.conf")
        equal(2, run("consil-relay").code, "no configuration named")
        listen = f"listen = {net.listen}\n"
        relay_says(net, config(listen, listen + "lisen = x\n"), 2, "other.conf", "lisen")
        relay_says(net, config(listen, ""), 2, "other.conf", "listen")
        relay_says(net, config(net.listen, "gopher://127.0.0.1:1"), 2, "gopher")
        relay_says(net, config(net.listen, "tcp://192.0.2.1:7700"), 2, "192.0.2.1")
        relay_says(net, config(listen, listen + "quota_total = many\n"), 2, "quota_total")
        relay_says(net, config("keyring = relay.keyring", "keyring = gone"), 3, "gone")
        relay_says(net, config("key_file = relay.key", "key_file = gone"), 3, "gone")
        relay_says(net, config("store = store", "store = no/such/folder"), 3, "no/such/folder")
        relay_says(net, config(net.listen, f"tls+tcp://127.0.0.1:{free_port()}"), 2, "tls")
        net.start()


@test
def keys_that_others_can_read_are_refused():
    with Network(start=False) as net:
        conf = os.path.join(net.net, "relay.conf")
        for name in ("relay.keyring", "relay.key"):
            os.chmod(os.path.join(net.net, name), 0o644)
            relay_says(net, conf, 4, name)
            os.chmod(os.path.join(net.net, name), 0o600)
        net.start()
        net.org("clinic")
        a = net.join("a@clinic")
        for name in ("keyring", "keyring.key"):
            os.chmod(os.path.join(a.home, name), 0o640)
            said(a.run("contacts"), 4, os.path.join(a.home, "keyring"), "chmod 600")
            os.chmod(os.path.join(a.home, name), 0o600)
        os.chmod(a.home, 0o755)
        said(a.run("contacts"), 4, a.home)
        os.chmod(a.home, 0o700)
        a.ok("contacts")


@test
def keys_of_another_network_are_refused():
    with Network(start=False) as net, Network(start=False) as other:
        for name in ("relay.keyring", "relay.key"):
            shutil.copy(os.path.join(other.net, name), os.path.join(net.net, name))
        relay_says(net, os.path.join(net.net, "relay.conf"), 4)


@test
def damaged_keyring_is_refused():
    with Network(start=False) as net:
        path = os.path.join(net.net, "relay.keyring")
        with open(path, "r+b") as f:
            f.seek(200)
            byte = f.read(1)[0]
            f.seek(200)
            f.write(bytes([byte ^ 1]))
        relay_says(net, os.path.join(net.net, "relay.conf"), 4, "relay.keyring")


@test
def second_relay_on_a_store_and_a_taken_address_are_refused():
    with Network() as net:
        doe, a, b = net.three()
        second = os.path.join(net.net, "second.conf")
        shutil.copy(os.path.join(net.net, "relay.conf"), second)
        change(second, net.listen, f"tcp://127.0.0.1:{free_port()}")
        relay_says(net, second, 5, "store")
        all_arrive(a, [doe.send("a@clinic")])  # the first one goes on
    with Network(listen=net.listen) as net, Network(listen=net.listen, start=False) as late:
        relay_says(late, os.path.join(late.net, "relay.conf"), 5, net.listen)


# ------------------------------------------------------------------ invitations

@test
def invitation_is_refused_after_its_date():
    with Network() as net:
        net.org("clinic")
        file = net.invite("late@clinic", "--expires", "1")
        late = Device(net, "late@clinic", net.file("late.home"))
        tomorrow = shifted_clock(2 * 86400 + 3600)
        said(late.run("join", file, "--unattended", env=tomorrow), 4, "invitation",
             "expired", "registrar")
        check(not os.path.exists(os.path.join(late.home, "keyring")), "no keys were made")
        # A clock set back does not help: the relay's counts.
        net.stop()
        net.start(env=tomorrow)
        said(late.run("join", file, "--unattended"), 5, "clock", "2 days behind")
        net.stop()
        net.start()


# ------------------------------------------------------------- other transports

def there_and_back(net):
    doe, a, b = net.three()
    net.write("scan.bin", os.urandom(2_500_000))
    id = doe.send("a@clinic", extra=["--attach", "scan.bin"])
    all_arrive(a, [id])
    same_content(net, a, id, "scan.bin")
    reply = a.ok("reply", id, "--note", "note.md").last_line
    check(reply in [m["id"] for m in doe.inbox()], "the answer came")
    check(doe.sent(id)[0]["opened_at"], "the receipt too")


@test
def case_over_tls():
    if not shutil.which("openssl"):
        raise Skipped("no openssl to make a certificate")
    with Network(listen=f"tls+tcp://127.0.0.1:{free_port()}", start=False) as net:
        key, cert = (os.path.join(net.net, n) for n in ("relay.tls.key", "relay.crt"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        os.chmod(key, 0o600)
        net.start()
        there_and_back(net)


@test
def case_over_websocket():
    with Network(listen=f"ws://127.0.0.1:{free_port()}/consil") as net:
        there_and_back(net)


main()
