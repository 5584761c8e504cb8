#!/usr/bin/env python3
"""The main job as its users do it: a case there, an answer back, receipts."""
import base64
import glob
import hashlib
import os
import select
import signal
import subprocess
import time

from network import BUILD, Network, check, equal, main, run, test, wait_until
from sanitizer import SANITIZER

MARKERS = ["NOTE-MARKER-0815", "QUESTION-MARKER-99", "SUBJECT-MARKER-31", "Marker^Patientname",
           "MRN-MARKER-4711", "scan-marker.pdf", "PDF-CONTENT-MARKER", "REPLY-MARKER-6174",
           "ACK-MARKER-1618"]

DUMP = """(0008,0016) UI =CTImageStorage
(0008,0018) UI [1.2.826.0.1.3680043.10.99999.3.{i}]
(0008,0020) DA [20260914]
(0008,0060) CS [CT]
(0008,1030) LO [CT chest]
(0010,0010) PN [{patient}]
(0010,0020) LO [MRN-MARKER-4711]
(0010,0030) DA [19611103]
(0020,000d) UI [1.2.826.0.1.3680043.10.99999.1]
(0020,000e) UI [1.2.826.0.1.3680043.10.99999.2]
(0020,0013) IS [{i}]
(0028,0010) US 4
(0028,0011) US 4
(7fe0,0010) OB 00\\10\\20\\30
"""


def make_study(net, patients=("Marker^Patientname",) * 3):
    os.makedirs(net.file("study"), exist_ok=True)
    for i, patient in enumerate(patients, 1):
        dump = net.write("slice.dump", DUMP.format(i=i, patient=patient))
        subprocess.run(["dump2dcm", "-q", dump, net.file(f"study/slice{i}.dcm")], check=True)
    return net.file("study")


def case_files(net):
    net.write("note.md", "# Summary\nNOTE-MARKER-0815 ünïcode\n")
    pdf = b"%PDF-1.4 PDF-CONTENT-MARKER\n" + os.urandom(3_000_000)
    net.write("scan-marker.pdf", pdf)
    make_study(net)
    return ["--attach", "scan-marker.pdf", "--imaging", "study"]


def send_case(net, doe, *to):
    return doe.send(*to, subject="SUBJECT-MARKER-31", question="QUESTION-MARKER-99?",
                    extra=case_files(net))


def forms(marker):
    """A marker as it may lie on a disk."""
    raw = marker.encode()
    yield raw
    yield marker.encode("utf-16-le")
    yield raw.hex().encode()
    for shift in range(3):  # base64 at any alignment
        yield base64.b64encode(b"\0" * shift + raw)[4 if shift else 0:][:-4].strip(b"=")


def find_markers(paths):
    hits = []
    for root in paths:
        files = [root] if os.path.isfile(root) else [
            os.path.join(d, f) for d, _, names in os.walk(root) for f in names]
        for path in files:
            with open(path, "rb") as f:
                content = f.read()
            hits += [(path, m) for m in MARKERS for form in forms(m)
                     if len(form) >= 8 and form in content]
            hits += [(path, m) for m in MARKERS if m in os.path.basename(path)]
    return hits


def memory_of(pid):
    """What a core would hold: the writable, private memory of a process, piece by piece."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            where, mode, _, _, inode = line.split()[:5]
            start, end = (int(x, 16) for x in where.split("-"))
            if mode[:2] != "rw" or inode != "0" or end - start > 1 << 30:
                continue
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except OSError:
                pass  # guard pages


@test
def case_goes_there_and_answer_comes_back():
    with Network() as net:
        doe, a, b = net.three()
        id = send_case(net, doe, "a@clinic", "b@clinic")
        check(len(id) == 32 and int(id, 16) >= 0, f"the last line is the id: {id!r}")
        for who in (a, b):
            items = who.inbox()
            equal(1, len(items), f"{who.name}: messages")
            equal(id, items[0]["id"], "id")
            equal("j.doe@mnoncology", items[0]["from"], "from")
            equal("SUBJECT-MARKER-31", items[0]["subject"], "subject")
            equal(4, len(items[0]["attachments"]), "attachments")
            check(items[0]["size_bytes"] > 3_000_000, "true size")
            check(items[0]["received_at"].endswith("Z"), "received_at is RFC 3339")
            shown = who.act("read", id, "--save", net.file(f"out-{who.name}"))
            check("NOTE-MARKER-0815 ünïcode" in shown.out, f"note: {shown}")
            check("QUESTION-MARKER-99?" in shown.out, "question")
            for name in ("scan-marker.pdf", "study/slice1.dcm", "study/slice3.dcm"):
                saved = net.file(f"out-{who.name}/{os.path.basename(name)}")
                with open(saved, "rb") as got, open(net.file(name), "rb") as sent:
                    check(got.read() == sent.read(), f"{name}: the sender's bytes")
                equal(0o600, os.stat(saved).st_mode & 0o777, "mode of what was saved")
        net.write("reply.md", "REPLY-MARKER-6174\n")
        reply = a.ok("reply", id, "--note", "reply.md").last_line
        a.act("ack", id, "--text", "ACK-MARKER-1618")
        answer = [m for m in doe.inbox() if m["id"] == reply]
        equal(1, len(answer), "the answer came")
        shown = doe.ok("read", reply)
        check("REPLY-MARKER-6174" in shown.out and id in shown.out, f"bound reply: {shown}")
        equal(["a@clinic", "b@clinic"], [r["address"] for r in doe.sent(id)], "order")
        rows = {r["address"]: r for r in doe.sent(id)}
        equal({"a@clinic", "b@clinic"}, set(rows), "recipients")
        for fact in ("custody_at", "delivered_at", "opened_at"):
            check(all(r[fact] for r in rows.values()), f"{fact}: {rows}")
        check(rows["a@clinic"]["acknowledged_at"], "a acknowledged")
        check(rows["b@clinic"]["acknowledged_at"] is None, "b did not")
        equal("fetched", rows["a@clinic"]["outcome"], "outcome")
        # what everybody but the members' own eyes may see
        # only root may read it at all; a sanitizer adds gigabytes of its own
        if os.geteuid() == 0 and not SANITIZER:
            size, hits = 0, set()
            for piece in memory_of(net.relay.pid):
                size += len(piece)
                hits |= {m for m in MARKERS if m.encode() in piece}
            check(size > 1 << 16, "the relay's memory was read")
            equal(set(), hits, "markers in the relay's memory")
        with open(f"/proc/{net.relay.pid}/limits") as f:
            check(any(line.startswith("Max core file size") and line.split()[4:6] == ["0", "0"]
                      for line in f), "the relay dumps no core")
        net.stop()
        private = [net.file("net/store"), net.log] + glob.glob(net.file("*.home"))
        equal([], find_markers(private), "markers outside of ciphertext")
        check(find_markers([net.file("note.md")]), "the scan finds what is there")


@test
def ids_may_be_abbreviated_and_the_second_reading_makes_no_second_receipt():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic")
        a.inbox()
        a.act("read", id[:8])
        first = doe.sent(id)[0]["opened_at"]
        time.sleep(1.1)
        a.act("read", id[:8])
        equal(first, doe.sent(id)[0]["opened_at"], "opened once")
        equal(2, a.run("read", id[:4]).code, "too short an id is usage")
        equal(3, a.run("read", "00" * 16).code, "unknown id")


@test
def without_relay_a_case_is_queued_and_delivered_once():
    with Network() as net:
        doe, a, b = net.three()
        net.stop()
        result = doe.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                         "--note", "note.md")
        equal(0, result.code, "accepted without relay")
        check("queued" in result.err, f"says queued: {result}")
        id = result.last_line
        equal(5, doe.run("sync").code, "sync without relay")
        equal(0, doe.run("sent", id).code, "what is known stays readable")
        net.start()
        doe.ok("sync")
        doe.ok("sync")
        equal([id], [m["id"] for m in a.inbox()], "delivered once")
        check(doe.sent(id)[0]["delivered_at"], "receipted")


@test
def unknown_address_without_relay_is_looked_up_later_and_waits_visibly():
    with Network() as net:
        doe, a, b = net.three()
        net.stop()
        id = doe.send("nobody@clinic", "a@clinic")
        net.start()
        result = doe.run("sync")
        check("sent" in result.err, f"sync says where to look: {result}")
        row = [m for m in doe.ok("sent", "--json").json() if m["id"] == id][0]
        # A relay can hide an entry, so this is not for good.
        equal("queued", row["state"], "state")
        check("nobody@clinic" in row["problem"], f"names it: {row}")
        equal([], a.inbox(), "nothing went to the other one alone")


@test
def watch_prints_a_line_within_a_second():
    with Network() as net:
        doe, a, b = net.three()
        watch = net.watch(a, "--json")
        time.sleep(1.5)  # it is parked by then
        id = doe.send("a@clinic")
        accepted = time.monotonic()
        while True:
            ready, _, _ = select.select([watch.stdout], [], [], 10)
            check(ready, "watch printed nothing")
            line = watch.stdout.readline()
            if id in line:
                break
        check(time.monotonic() - accepted < 1.0, "within a second of arrival")
        watch.send_signal(signal.SIGTERM)
        equal(0, watch.wait(timeout=10), "watch ends with 0")


@test
def killed_relay_keeps_what_it_accepted():
    with Network() as net:
        doe, a, b = net.three()
        sent = []
        for i in range(12):
            sent.append(doe.send("a@clinic", subject=f"case {i}"))
            net.stop(signal.SIGKILL)
            net.start()
        equal(sorted(sent), sorted(m["id"] for m in a.inbox()), "all there, none twice")


@test
def relay_killed_in_the_middle_of_uploads():
    with Network() as net:
        doe, a, b = net.three()
        net.write("big.bin", os.urandom(12 << 20))
        ids = []
        for delay in (0.02, 0.05, 0.1, 0.2, 0.3):
            sending = subprocess.Popen(
                [os.path.join(BUILD, "consil"), "send", "--to",
                 "a@clinic", "--subject", "S", "--question", "Q", "--note", "note.md",
                 "--attach", "big.bin"], env={**os.environ, "CONSIL_HOME": doe.home},
                cwd=net.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(delay)
            net.stop(signal.SIGKILL)
            out, err = sending.communicate(timeout=60)
            equal(0, sending.returncode, f"send: {err}")
            ids.append(out.strip().splitlines()[-1])
            net.start()
            doe.ok("sync")
        equal(sorted(ids), sorted(m["id"] for m in a.inbox()), "all delivered, once")
        a.ok("read", ids[0], "--save", net.file("out"))
        with open(net.file("out/big.bin"), "rb") as f, open(net.file("big.bin"), "rb") as g:
            check(hashlib.sha256(f.read()).digest() == hashlib.sha256(g.read()).digest(),
                  "the sender's bytes")


@test
def client_killed_while_sending_loses_nothing_it_accepted():
    with Network() as net:
        doe, a, b = net.three()
        net.write("big.bin", os.urandom(12 << 20))
        for delay in (0.01, 0.03, 0.06, 0.1, 0.2, 0.4):
            sending = subprocess.Popen(
                [os.path.join(BUILD, "consil"), "send", "--to",
                 "a@clinic", "--subject", "S", "--question", "Q", "--note", "note.md",
                 "--attach", "big.bin"], env={**os.environ, "CONSIL_HOME": doe.home},
                cwd=net.path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            sending.kill()
            sending.communicate()
        listed = doe.ok("sent", "--json", "--offline").json()
        doe.ok("sync")
        arrived = {m["id"] for m in a.inbox()}
        equal({m["id"] for m in listed}, arrived, "what was accepted is delivered, once")
        spool = glob.glob(os.path.join(doe.home, "spool", "*"))
        check(len(spool) <= 6, f"spool: {spool}")


@test
def passphrases():
    with Network() as net:
        net.org("clinic")
        file = net.invite("anna@clinic")
        home = net.file("anna.home")
        net.write("pass.txt", "correct horse\n")
        net.write("wrong.txt", "incorrect horse\n")
        env = {"CONSIL_HOME": home}

        def consil(*args, phrase="pass.txt"):
            with open(net.file(phrase)) as f:
                fd = os.dup(f.fileno())
                os.set_inheritable(fd, True)
                try:
                    return run("consil", *args, "--passphrase-fd", fd, env=env, cwd=net.path,
                               pass_fds=(fd,))
                finally:
                    os.close(fd)
        equal(0, consil("join", file).code, "join with a passphrase")
        equal(0, consil("contacts").code, "the passphrase opens it")
        wrong = consil("contacts", phrase="wrong.txt")
        equal(4, wrong.code, f"a wrong passphrase: {wrong}")
        check("passphrase" in wrong.err, f"says so: {wrong}")
        none = run("consil", "contacts", env=env, cwd=net.path, start_new_session=True)
        equal(2, none.code, f"no terminal, no descriptor: {none}")


@test
def wrong_input_is_one_clear_line():
    with Network() as net:
        doe, a, b = net.three()
        base = ["--subject", "S", "--question", "Q", "--note", "note.md"]
        cases = [
            (["send", "--to", "nobody@clinic", *base], 3, "nobody@clinic"),
            (["send", "--to", "not an address", *base], 2, "address"),
            (["send", "--to", "a@clinic", "--subject", "S"], 2, "--question --note"),
            (["send", "--to", "a@clinic", *base, "--attach", "gone.pdf"], 3, "gone.pdf"),
            (["send", "--to", "a@clinic", *base, "--attach", "/etc"], 2, "/etc"),
            (["send", "--to", "a@clinic", "--subject", "S", "--question", "Q", "--note",
              "gone.md"], 3, "gone.md"),
            (["send", "--to", "a@clinic", *base, "--urgency", "soon"], 2, "urgency"),
            (["send", "--wat"], 2, "--wat"),
            (["read", "00112233445566778899aabbccddeeff"], 3, "00112233"),
            (["reply", "00112233445566778899aabbccddeeff", "--note", "note.md"], 3, "00112233"),
            (["contacts", "zzzz"], 3, "no member"),
            (["frobnicate"], 2, "frobnicate"),
        ]
        for args, code, word in cases:
            result = doe.run(*args)
            equal(code, result.code, str(result))
            check(word in result.err, f"names it: {result}")
            check(result.err.startswith("consil: "), f"form: {result}")
            equal("", result.out, "nothing on stdout")
        make_study(net, ("Doe^Jane", "Roe^Jane"))
        result = doe.run("send", "--to", "a@clinic", *base, "--imaging", "study")
        equal(4, result.code, f"a second patient: {result}")
        check("Roe" not in result.err, "no patient data in an error")
        equal([], doe.ok("sent", "--json").json(), "nothing half sent is left")
        equal([], glob.glob(os.path.join(doe.home, "spool", "*")), "nothing spooled")


@test
def member_who_has_not_joined_gets_nothing():
    with Network() as net:
        doe, a, b = net.three()
        net.invite("late@clinic")
        result = doe.run("send", "--to", "late@clinic", "--subject", "S", "--question", "Q",
                         "--note", "note.md")
        check(result.code in (3, 4) and "late@clinic" in result.err, str(result))


@test
def invitation_works_once_and_until_its_date():
    with Network() as net:
        net.org("clinic")
        file = net.invite("anna@clinic")
        equal(0o600, os.stat(file).st_mode & 0o777, "mode of the invitation")
        first, second = net.file("one"), net.file("two")
        result = run("consil", "join", file, "--unattended", env={"CONSIL_HOME": first})
        equal(0, result.code, str(result))
        result = run("consil", "join", file, "--unattended", env={"CONSIL_HOME": second})
        equal(4, result.code, f"second use: {result}")
        check("used" in result.err, f"says so: {result}")
        other = net.invite("berta@clinic")
        result = run("consil", "join", other, "--unattended", env={"CONSIL_HOME": second})
        equal(0, result.code, f"the home is free for another invitation: {result}")
        with open(file) as f:
            text = f.read()
        cut = net.write("cut.invite", text[: len(text) // 2])
        result = run("consil", "join", cut, "--unattended", env={"CONSIL_HOME": net.file("three")})
        equal(4, result.code, f"cut: {result}")
        check(not os.path.exists(net.file("three/keyring")), "no keys for a bad invitation")


@test
def stranger_at_the_relays_address_is_noticed():
    with Network() as net, Network() as other:
        doe, a, b = net.three()
        port = net.listen.rsplit(":", 1)[1]
        net.stop()
        conf = os.path.join(other.net, "relay.conf")
        with open(conf) as f:
            text = f.read()
        other.stop()
        with open(conf, "w") as f:
            f.write(text.replace(other.listen, f"tcp://127.0.0.1:{port}"))
        other.start()
        result = doe.run("sync")
        equal(4, result.code, f"another relay answers: {result}")


@test
def tampered_store_is_noticed_and_nothing_altered_is_handed_out():
    with Network() as net:
        doe, a, b = net.three()
        net.write("big.bin", os.urandom(3 << 20))
        id = doe.send("a@clinic", extra=["--attach", "big.bin"])
        net.stop()
        segments = [f for f in glob.glob(net.file("net/store/**/*.mdb"), recursive=True)
                    if os.path.getsize(f) > 2 << 20]
        check(segments, "a segment file")
        for path in segments:
            with open(path, "r+b") as f:
                content = f.read(64 << 20)
                for at in range(1 << 20, len(content), 1 << 19):
                    f.seek(at)
                    f.write(bytes([content[at] ^ 1]))
        net.start()
        a.run("inbox")
        result = a.run("read", id, "--save", net.file("out"))
        saved = glob.glob(net.file("out/*"))
        check(not any("big" in os.path.basename(p) for p in saved),
              f"nothing altered on disk: {saved} {result}")


@test
def tampered_home_is_noticed():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic")
        a.inbox()
        for path in glob.glob(os.path.join(a.home, "store", "data.mdb")):
            with open(path, "r+b") as f:
                content = bytearray(f.read())
                for at in range(8192, len(content), 97):
                    content[at] ^= 0x40
                f.seek(0)
                f.write(content)
        # A page that points behind the end of the file is ours to tell, not a
        # sanitizer's.
        options = os.environ.get("ASAN_OPTIONS", "") + ":handle_sigbus=0"
        result = a.run("read", id, env={"ASAN_OPTIONS": options.lstrip(":")})
        check(result.code in (1, 3, 4) and result.err, str(result))
        check("a note" not in result.out, "nothing shown")


@test
def nothing_a_sender_writes_reaches_the_terminal_raw():
    with Network() as net:
        doe, a, b = net.three()
        net.write("note.md", "note \x1b[31mred\x1b[0m \u202egnp.exe \x07\n")
        evil = net.write("files/e\x1b[2Jvil\u202e.txt", "x")
        id = doe.send("a@clinic", subject="sub\x1b]0;title\x07", question="q\x9b31m?",
                      extra=["--attach", evil])
        outputs = [a.ok("inbox"), a.ok("read", id, "--save", net.file("out")),
                   a.ok("inbox", "--json"), a.ok("read", id, "--json")]
        for result in outputs:
            for bad in ("\x1b", "\x07", "\u202e", "\x9b"):
                check(bad not in result.out + result.err, f"{bad!r} in {result}")
        names = os.listdir(net.file("out"))
        equal(1, len(names), "one file saved")
        check(all(0x20 <= ord(c) < 0x7f for c in names[0]), f"safe name: {names}")


@test
def saving_overwrites_nothing_and_leaves_the_folder_alone():
    with Network() as net:
        doe, a, b = net.three()
        for folder in ("x", "y"):
            net.write(f"{folder}/same.txt", folder)
        net.write("out/same.txt", "mine")
        os.symlink("/etc/passwd", net.file("out/same-1.txt"))
        id = doe.send("a@clinic", extra=["--attach", "x/same.txt", "--attach", "y/same.txt"])
        a.inbox()
        a.ok("read", id, "--save", net.file("out"))
        with open(net.file("out/same.txt")) as f:
            equal("mine", f.read(), "what was there")
        contents = sorted(open(net.file(f"out/{n}")).read() for n in os.listdir(net.file("out"))
                          if not os.path.islink(net.file(f"out/{n}")))
        equal(["mine", "x", "y"], contents, "all there")


@test
def attachments_stay_in_the_order_given():
    with Network() as net:
        doe, a, b = net.three()
        names = [f"page{i}.txt" for i in (3, 1, 4, 2, 9, 5)]
        for name in names:
            net.write(name, name)
        make_study(net)
        id = doe.send("a@clinic", extra=[w for n in names for w in ("--attach", n)]
                      + ["--imaging", "study"])
        got = [o["name"] for o in a.inbox()[0]["attachments"]]
        equal(names + ["slice1.dcm", "slice2.dcm", "slice3.dcm"], got, "order")


@test
def output_that_cannot_be_written_is_said_and_nothing_is_doubled():
    with Network() as net:
        doe, a, b = net.three()
        base = ["send", "--to", "a@clinic", "--subject", "S", "--question", "Q", "--note",
                net.file("note.md")]
        env = {**os.environ, "CONSIL_HOME": doe.home}
        with open("/dev/full", "w") as full:
            done = subprocess.run([os.path.join(BUILD, "consil"), *base], env=env, stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        equal(1, done.returncode, "a full disk is an error")
        check("do not send it again" in done.stderr, f"and says what became of it: {done.stderr}")
        closed = subprocess.run(["sh", "-c", '"$@" >&-', "sh", os.path.join(BUILD, "consil"),
                                 *base], env=env, stderr=subprocess.PIPE, text=True)
        equal(1, closed.returncode, "a closed descriptor too")
        equal(2, len(a.inbox()), "both went out, and no output into a store")
        doe.ok("sent")


@test
def store_that_was_cut_short_is_one_clear_line():
    with Network() as net:
        doe, a, b = net.three()
        doe.send("a@clinic")
        path = os.path.join(doe.home, "store", "data.mdb")
        os.truncate(path, 5000)
        result = doe.run("sent", "--offline")
        equal(4, result.code, str(result))
        check("store" in result.err, f"names it: {result}")


@test
def every_verb_explains_itself():
    for verb in "join send inbox read reply ack sent sync watch contacts".split():
        result = run("consil", verb, "--help")
        equal(0, result.code, str(result))
        check(f"consil {verb}" in result.out and "--json" in result.out, f"help of {verb}")
    for program in ("consil", "consil-relay", "consil-admin"):
        equal(0, run(program, "--help").code, f"{program} --help")
        check(run(program, "--version").out.strip(), f"{program} --version")


main()
