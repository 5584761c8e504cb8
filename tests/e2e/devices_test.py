#!/usr/bin/env python3
"""A member's own devices: keys that rotate, a second device, fingerprints."""
import os
import shutil
import signal
import subprocess
import time

from network import BUILD, Device, Network, check, equal, killed_at, main, test


@test
def fingerprints_are_the_same_words_on_both_sides():
    with Network() as net:
        net.org("clinic")
        file = net.invite("a@clinic")
        device = Device(net, "a@clinic", net.file("a.home"))
        joined = device.ok("join", file, "--unattended")
        row = net.admin("devices", "--json").json()[0]
        words = row["fingerprint_words"]
        equal(12, len(words.split()), "words")
        equal(64, len(row["fingerprint"]), "hex digits")
        check(words in " ".join(joined.out.split()), f"words of join: {joined}")
        shown = net.admin("devices")
        check(words in " ".join(shown.out.split()), f"words of devices: {shown}")
        equal("usable", row["state"], "state")


def home_of(device):
    return set(os.listdir(device.home))


@test
def rotation_keeps_what_was_and_shuts_the_old_key_out():
    with Network() as net:
        doe, a, _ = net.three()
        before = doe.send("a@clinic", subject="before")
        answered = a.send("j.doe@mnoncology", subject="to doe")
        old = Device(net, "old", net.file("old.home"))
        shutil.copytree(a.home, old.home)
        fingerprint = net.admin("devices", "a@clinic", "--json").json()[0]["fingerprint"]
        rotated = a.ok("keys", "rotate", "--json").json()[0]
        row = net.admin("devices", "a@clinic", "--json").json()[0]
        check(row["fingerprint"] != fingerprint, "a new key")
        equal(row["fingerprint"], rotated["fingerprint"], "the one that is shown")
        check("keyring.next" not in home_of(a), "nothing is left over")
        # mail from before opens, receipts count, and new mail both ways
        a.act("read", before)
        after = a.send("j.doe@mnoncology", subject="after")
        equal({"to doe", "after"}, {m["subject"] for m in doe.inbox()}, "doe has both")
        doe.ok("read", answered)
        doe.ok("read", after)
        facts = doe.sent(before)[0]
        check(facts["delivered_at"] and facts["opened_at"], f"facts: {facts}")
        # the copy that holds the old key is nobody now
        for verb in (["sync"], ["send", "--to", "j.doe@mnoncology", "--subject", "S",
                                "--question", "Q", "--note", "note.md"]):
            result = old.run(*verb)
            equal(4, result.code, f"old key: {result}")
            check("rotated in another copy" in result.err, f"says why: {result}")
        equal(2, len(doe.inbox()), "nothing of the old key came")


@test
def plan_says_what_is_under_way_and_destroying_early_is_refused():
    with Network() as net:
        doe, a, _ = net.three()
        plan = a.ok("keys", "plan", "--json").json()
        equal("signing", plan[0]["key"], "the signing key first")
        epochs = [r for r in plan if r["key"] == "epoch"]
        check(len(epochs) >= 26, f"published ahead: {len(epochs)}")
        check(all(r["destroyed_at"] > r["until"] for r in epochs), "not before the mail")
        equal(plan, a.ok("keys", "rotate", "--plan", "--json").json(), "the same plan")
        early = a.run("keys", "destroy", epochs[0]["epoch"])
        equal(2, early.code, f"too early: {early}")
        check(epochs[0]["destroyed_at"][:10] in early.err, f"names the date: {early}")
        equal(0, a.run("keys", "destroy", epochs[0]["epoch"] - 200).code, "long gone")
        equal(3, a.run("keys", "destroy", epochs[-1]["epoch"] + 200).code, "not yet made")
        equal(2, a.run("keys", "destroy", "x").code, "no number")
        # what waits for the relay is counted under the key that signed it
        net.stop()
        doe.send("a@clinic")
        text = doe.ok("keys", "plan", "--offline")
        check("0 sealed" in text.out and "by themselves" in text.out, f"text: {text}")


@test
def watch_goes_on_with_the_new_key():
    with Network() as net:
        doe, a, _ = net.three()
        watch = net.watch(a, "--json")
        doe.send("a@clinic", subject="one")
        check("one" in watch.stdout.readline(), "watching")
        a.ok("keys", "rotate")
        doe.send("a@clinic", subject="two")
        for _ in range(5):
            line = watch.stdout.readline()
            if "two" in line:
                break
        check("two" in line, f"still watching: {line}")
        watch.send_signal(signal.SIGTERM)
        equal(0, watch.wait(timeout=20), "watch ends well")
        id = [m["id"] for m in a.inbox() if m["subject"] == "two"][0]
        a.act("ack", id)
        check(doe.sent(id)[0]["acknowledged_at"], "what it signs counts")


@test
def rotation_killed_at_any_moment_comes_to_its_end():
    with Network() as net:
        doe, a, _ = net.three()
        for ms in (0, 10, 20, 40, 80, 160, 320, 640, 1000, 1300):
            process = subprocess.Popen(
                [os.path.join(BUILD, "consil"), "keys", "rotate"], cwd=net.path,
                env={**os.environ, "CONSIL_HOME": a.home}, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(ms / 1000)
            process.kill()
            process.wait()
            a.ok("sync")
            left = {"keyring.next", "keyring.old"} & home_of(a)
            check(not left, f"after {ms} ms: {left}")
            id = a.send("j.doe@mnoncology", subject=f"after {ms}")
            row = net.admin("devices", "a@clinic", "--json").json()[0]
            shown = [d for d in a.ok("device", "list", "--json").json() if d["this"]][0]
            equal(row["fingerprint"], shown["fingerprint"], f"one key, after {ms} ms")
            doe.inbox()
            check("a note" in doe.ok("read", id).out, f"and it counts, after {ms} ms")


@test
def rotation_asks_no_agent_for_anything_and_leaves_it_its_key():
    with Network() as net:
        net.org("clinic")
        file = net.invite("a@clinic")
        a = Device(net, "a@clinic", net.file("a.home"))
        net.write("phrase", "a passphrase\n")

        def with_phrase(*args):
            with open(net.file("phrase")) as f:
                os.set_inheritable(f.fileno(), True)
                return a.ok(*args, "--passphrase-fd", f.fileno(), pass_fds=(f.fileno(),))
        with_phrase("join", file)
        with_phrase("agent")
        try:
            a.ok("keys", "rotate")  # nobody is asked: there is no terminal
            a.ok("sync")
            a.ok("keys", "rotate")
            check("keyring.next" not in home_of(a), "nothing is left over")
        finally:
            a.ok("agent", "--stop")
        with_phrase("sync")


def by_name(device):
    return {d["name"]: d for d in device.ok("device", "list", "--json").json()}


def invite_device(net, device, name, *extra):
    file = net.file(f"{name}.invite")
    device.ok("device", "invite", "--name", name, "-o", file, *extra)
    equal(0o600, os.stat(file).st_mode & 0o777, "mode of the invitation")
    return file


@test
def second_device_gets_mail_too_and_has_facts_of_its_own():
    with Network() as net:
        doe, a, _ = net.three()
        early = doe.send("a@clinic", subject="early")
        file = invite_device(net, a, "phone")
        phone = Device(net, "phone", net.file("phone.home"))
        equal("pending", by_name(a)["phone"]["state"], "state before")
        # nothing is sealed to a device that has not joined
        doe.send("a@clinic", subject="meanwhile")
        joined = phone.ok("join", file, "--unattended")
        mine, seen = by_name(a)["phone"], by_name(phone)["phone"]
        equal("usable", mine["state"], "state after")
        check(seen["this"] and not mine["this"], "who is who")
        check(mine["fingerprint_words"] in " ".join(joined.out.split()), f"words: {joined}")
        check("device list" in joined.out, "says what to compare with")
        late = doe.send("a@clinic", subject="late")
        equal({"early", "meanwhile", "late"}, {m["subject"] for m in a.inbox()}, "first device")
        equal({"late"}, {m["subject"] for m in phone.inbox()}, "second device")
        phone.act("read", late)
        rows = {r["device_name"]: r for r in doe.sent(late)}
        check(rows["phone"]["opened_at"] and all(r["delivered_at"] for r in rows.values()),
              f"facts per device: {rows}")
        check(not [r for n, r in rows.items() if n != "phone" and r["opened_at"]], "of its own")
        equal(1, len(doe.sent(early)), "nothing of before")
        phone.send("j.doe@mnoncology", subject="from the phone")
        equal(["a@clinic"], [m["from"] for m in doe.inbox()], "the same member")
        # keys of its own: it rotates alone, and invites a third
        phone.ok("keys", "rotate")
        third = invite_device(net, phone, "tablet")
        tablet = Device(net, "tablet", net.file("tablet.home"))
        tablet.ok("join", third, "--unattended")
        equal(3, len(by_name(a)), "three devices")
        shown = net.admin("devices", "a@clinic", "--json").json()
        equal(["usable"] * 3, [d["state"] for d in shown], "the admin sees them")


@test
def device_invitation_works_once_in_time_and_until_taken_back():
    with Network() as net:
        _, a, _ = net.three()
        file = invite_device(net, a, "phone")
        again = a.run("device", "invite", "--name", "phone", "-o", net.file("x"))
        equal(2, again.code, f"a name once: {again}")
        row = next(m for m in net.admin("members", "--json").json()
                   if m["address"] == "a@clinic")
        equal((1, 1), (row["devices"], row["devices_pending"]), "apart in members")
        check("1 device invited" in net.admin("members").out, "said so")
        for family in ("device", "keys"):
            check(f"  {family} " in a.ok(family, "--help").out, f"{family} --help")
        check("device revoke phone" in again.err, f"what helps when the file is lost: {again}")
        check(not os.path.exists(net.file("x")), "no file for nothing")
        phone = Device(net, "phone", net.file("phone.home"))
        phone.ok("join", file, "--unattended")
        thief = Device(net, "thief", net.file("thief.home"))
        used = thief.run("join", file, "--unattended")
        equal(4, used.code, f"used: {used}")
        check("used or taken back" in used.err, f"says so: {used}")
        # taken back
        file = invite_device(net, a, "tablet")
        a.ok("device", "revoke", "tablet")
        equal("revoked", by_name(a)["tablet"]["state"], "taken back")
        late = thief.run("join", file, "--unattended")
        equal(4, late.code, f"taken back: {late}")
        # the name is free again; a cut file is noticed
        os.unlink(file)
        file = invite_device(net, a, "tablet", "--expires", "1")
        with open(file) as f:
            text = f.read()
        net.write("cut", text[:-200])
        equal(4, thief.run("join", net.file("cut"), "--unattended").code, "cut")
        for bad in (["--expires", "0"], ["--expires", "31"], ["--expires", "x"]):
            equal(2, a.run("device", "invite", "--name", "n", "-o", net.file("y"), *bad).code,
                  f"{bad}")
        equal(2, a.run("device", "invite", "--name", "n").code, "no file named")
        equal(2, a.run("device", "invite", "--name", "", "-o", net.file("y")).code, "no name")


@test
def device_ends_itself_and_no_other():
    with Network() as net:
        doe, a, _ = net.three()
        file = invite_device(net, a, "phone")
        phone = Device(net, "phone", net.file("phone.home"))
        phone.ok("join", file, "--unattended", "--device", "ignored")
        other = a.run("device", "revoke", "phone")
        equal(4, other.code, f"another device: {other}")
        check("registrar" in other.err, f"whom to ask: {other}")
        equal(3, a.run("device", "revoke", "nothing").code, "no such device")
        careful = phone.run("device", "revoke", "phone")
        equal(2, careful.code, f"not by accident: {careful}")
        phone.ok("device", "revoke", "phone", "--yes")
        equal("revoked", by_name(a)["phone"]["state"], "ended")
        equal(4, phone.run("sync").code, "the relay lets it in no more")
        id = doe.send("a@clinic")
        equal(1, len(doe.sent(id)), "nothing is sealed to it")


@test
def inviting_a_device_is_killed_at_any_moment_and_done_again():
    with Network() as net:
        _, a, _ = net.three()
        os.mkdir(net.file("out"))
        at, result = 0, None
        while result is None or result.code != 0:
            at += 1
            result = a.run("device", "invite", "--name", "phone", "-o", net.file("out/phone"),
                           env=killed_at(at))
            left = os.listdir(net.file("out"))
            check(left in ([], ["phone"]), f"killed at {at}: {left}")
            if left:
                equal("pending", by_name(a)["phone"]["state"], f"killed at {at}")
                break
            check(result.code in (0, -9), str(result))
            if "phone" in by_name(a):  # its secret is lost: what the refusal says
                a.ok("device", "revoke", "phone")
        phone = Device(net, "phone", net.file("phone.home"))
        phone.ok("join", net.file("out/phone"), "--unattended")


@test
def joining_a_second_device_goes_on_where_it_was_broken_off():
    with Network() as net:
        doe, a, _ = net.three()
        file = invite_device(net, a, "phone")
        phone = Device(net, "phone", net.file("phone.home"))
        net.stop()
        equal(5, phone.run("join", file, "--unattended").code, "no relay")
        net.start()
        phone.ok("join", file, "--unattended")
        doe.send("a@clinic", subject="S")
        equal(1, len(phone.inbox()), "it works")


def join_archive(net, address, home):
    file = net.file(home + ".invite")
    made = net.admin("invite", address, "--name", "Vault", "--role", "archive", "-o", file)
    check(made.code == 0, str(made))
    archive = Device(net, address, net.file(home))
    archive.ok("join", file, "--unattended")
    return archive


def confirm_all(device):
    """Says that all entries about the device's owner are known; what they say."""
    texts = []
    for notice in device.ok("keys", "notices", "--json").json():
        if notice["must_confirm"] and not notice["settled"]:
            texts.append(notice["text"])
            device.ok("keys", "confirm", notice["seq"])
    return texts


@test
def archive_of_a_practice_keeps_a_copy_and_everybody_is_told():
    with Network() as net:
        doe, a, b = net.three()
        before = doe.send("a@clinic", subject="before")
        vault = join_archive(net, "vault@clinic", "vault.home")
        equal("archive", net.admin("devices", "vault@clinic", "--json").json()[0]["kind"], "kind")
        # to two of the practice: one copy, and the sender is told
        sent = doe.ok("send", "--to", "a@clinic", "--to", "b@clinic", "--subject", "kept",
                      "--question", "Q", "--note", "note.md")
        check("also kept by the archive of The Clinic" in sent.out, f"send says so: {sent}")
        id = sent.last_line
        equal(["kept"], [m["subject"] for m in vault.inbox()], "the archive has what came since")
        a.inbox()
        shown = a.act("read", id)
        check("also kept by the archive of The Clinic" in shown.out, f"so does read: {shown}")
        equal(["The Clinic"], a.ok("read", id, "--json").json()[0]["archives"], "and in JSON")
        # facts of the archive are its own, and nobody's answer
        vault.act("read", id)
        rows = {(r["address"], r["archive_of"]): r for r in doe.sent(id)}
        equal({("a@clinic", None), ("b@clinic", None), ("vault@clinic", "The Clinic")},
              set(rows), "rows")
        check(rows[("a@clinic", None)]["opened_at"], "a opened it")
        check(rows[("b@clinic", None)]["opened_at"] is None, "b did not, whatever the archive did")
        check(rows[("vault@clinic", "The Clinic")]["opened_at"], "the archive did")
        listed = {m["id"]: m for m in doe.ok("sent", "--json").json()}
        equal((2, 1), (listed[id]["devices"], listed[id]["delivered"]), "counts without it")
        check("archive of The Clinic" in doe.ok("sent", id).out, "sent says so")
        for verb in (["ack", id], ["reply", id, "--note", "note.md"],
                     ["send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                      "--note", "note.md"]):
            refused = vault.run(*verb)
            equal(4, refused.code, f"it answers for nobody: {refused}")
            check("archive of its practice" in refused.err, f"says why: {refused}")
        # what the practice sends, too; what goes between others, not; nor receipts
        out = ["send", "--to", "j.doe@mnoncology", "--subject", "out", "--question", "Q",
               "--note", "note.md"]
        refused = a.run(*out)
        equal(4, refused.code, f"its members confirm it first: {refused}")
        check(all("archive device" in text for text in confirm_all(a)), "what is new")
        back = a.ok(*out)
        check("archive of The Clinic" in back.out, f"{back}")
        equal({"kept", "out"}, {m["subject"] for m in vault.inbox()}, "both ways")
        equal(1, len(doe.sent(before)), "not what was sent before")
        # nobody writes to it
        direct = doe.run("send", "--to", "vault@clinic", "--subject", "S", "--question", "Q",
                         "--note", "note.md")
        equal(4, direct.code, f"{direct}")
        check("gets a copy by itself" in direct.err, f"{direct}")
        contacts = {c["address"]: c for c in doe.ok("contacts", "--json").json()}
        equal("archive", contacts["vault@clinic"]["kind"], "contacts know it")
        check(contacts["a@clinic"]["kept_by_archive"], "and whom it keeps")
        check(not contacts["j.doe@mnoncology"]["kept_by_archive"], "and whom not")
        # a second archive device of the same member; an archive at the sender's
        file = invite_device(net, vault, "vault2")
        second = Device(net, "vault2", net.file("vault2.home"))
        second.ok("join", file, "--unattended")
        own = join_archive(net, "vault@mnoncology", "own.home")
        for device in (doe, a, b):
            confirm_all(device)
        both = doe.ok("send", "--to", "a@clinic", "--subject", "both", "--question", "Q",
                      "--note", "note.md", "--json").json()[0]
        equal({"The Clinic", "Minnesota practice"}, set(both["archives"]), "both archives")
        equal(["both"], [m["subject"] for m in own.inbox()], "the sender's")
        check("both" in [m["subject"] for m in second.inbox()], "every device of it")
        equal(1, len([r for r in doe.sent(both["id"]) if not r["archive_of"]]), "one addressee")
        # queued: as of now
        net.stop()
        queued = doe.run("send", "--to", "b@clinic", "--subject", "later", "--question", "Q",
                         "--note", "note.md")
        check("archive of The Clinic" in queued.out and "archive of Minnesota" in queued.out,
              f"also while it waits: {queued}")


main()
