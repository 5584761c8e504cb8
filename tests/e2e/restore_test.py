#!/usr/bin/env python3
"""timeout: 300
The restore drill of docs/operations.md, with the real programs."""
import os
import shutil
import signal
import subprocess

from network import Network, Skipped, check, equal, main, run, test


def back_up(net, to):
    """As operations.md says, while the relay runs: rows first."""
    if not shutil.which("mdb_copy"):
        raise Skipped("no mdb_copy")
    for part in ("rows", "segments"):
        os.makedirs(os.path.join(to, part))
        subprocess.run(["mdb_copy", os.path.join(net.net, "store", part),
                        os.path.join(to, part)], check=True)


def copy_stopped(net, to):
    net.stop()
    shutil.copytree(os.path.join(net.net, "store"), to)
    net.start()


def put_back(net, backup):
    shutil.rmtree(os.path.join(net.net, "store"))
    shutil.copytree(backup, os.path.join(net.net, "store"))


def relay(net, *args):
    return run("consil-relay", "--config", os.path.join(net.net, "relay.conf"), *args)


def declare(net):
    """It does not start by itself on what may be an old store; told so, it does."""
    for _ in range(2):
        refused = relay(net)
        check(refused.code != 0 and "--restored" in refused.err, str(refused))
    told = relay(net, "--restored")
    check(told.code == 0 and "declared a restored backup" in told.out, str(told))
    net.start()


def drill(back, mark):
    with Network() as net:
        doc, a, _ = net.three()
        backup = net.file("backup")
        before = doc.send("a@clinic", subject="before the backup")
        back(net, backup)
        a.ok("sync")
        after = doc.send("a@clinic", subject="after the backup")
        a.ok("sync")
        doc.ok("sync")
        net.stop(signal.SIGKILL)

        put_back(net, backup)
        if not mark:
            os.unlink(os.path.join(net.net, "store.mark"))
        declare(net)
        new = doc.send("a@clinic", subject="after the restore")
        told = a.ok("sync")
        check("was restored from a backup" in told.err and "withholds" not in told.err, str(told))
        equal(sorted([before, after, new]), sorted(m["id"] for m in a.inbox()),
              "nothing is lost or doubled, and new mail arrives")
        for _ in range(2):
            net.stop()
            net.start()
        a.ok("sync")
        doc.ok("sync")
        for row in doc.sent(before):
            check(row["custody_at"], f"what was there is still told: {row}")


@test
def a_copy_of_a_running_store_is_restored():
    drill(back_up, mark=True)


@test
def a_copy_of_a_stopped_store_is_restored_on_a_new_disk():
    drill(copy_stopped, mark=False)


@test
def an_older_store_put_back_in_secret_is_no_restored_one():
    with Network() as net:
        doc, a, _ = net.three()
        doc.send("a@clinic")
        a.ok("sync")
        backup, mark = net.file("backup"), os.path.join(net.net, "store.mark")
        net.stop()
        shutil.copytree(os.path.join(net.net, "store"), backup)
        with open(mark, "rb") as f:
            old = f.read()
        net.start()
        doc.send("a@clinic")
        a.ok("sync")
        net.stop()
        put_back(net, backup)
        with open(mark, "wb") as f:
            f.write(old)
        net.start()
        told = a.run("sync")
        check(told.code != 0 and "was not restored from a backup" in told.err, str(told))
        # the number that it stated before now means another message
        refused = doc.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                          "--note", "note.md")
        shown = doc.ok("sent", refused.last_line, "--offline").out
        check("stated custody that contradicts" in shown and "/evidence" in shown, shown)
        kept = os.listdir(os.path.join(doc.home, "evidence"))
        check(any(name.startswith("custody-") for name in kept), f"both statements: {kept}")


main()
