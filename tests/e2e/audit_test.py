#!/usr/bin/env python3
"""The audit log as an admin and an auditor meet it: what is recorded, exports,
what is found when one was tampered with, a store that went back, the pack."""
import hashlib
import json
import os
import shutil
import signal
import struct

from network import Network, check, equal, main, run, test, wait_until

RECORD = 100


def admin(net, *args, code=0):
    """consil-admin on the network's folder."""
    result = run("consil-admin", "--network", net.net, *args)
    check(result.code == code, f"ended with {result.code}, not {code}: {result}")
    return result


def export(net, name, *args, code=0):
    path = os.path.join(net.path, name)
    admin(net, "audit", "export", "-o", path, *args, code=code)
    return path


def show(net, path):
    return admin(net, "audit", "show", path, "--json").json()


def network_id(net):
    return admin(net, "status", "--json").json()[0]["network_id"]


def judge(net, *paths, code=0):
    """`audit check` with nothing but the network id; a list, a file each."""
    result = run("consil-admin", "audit", "check", *paths, "--network-id", net.id, "--json")
    check(result.code == code, f"ended with {result.code}, not {code}: {result}")
    return result.json()


def kinds(judged):
    return [f["kind"] for one in judged for f in one["findings"]]


def split(path):
    """An export as (all before the records, the records)."""
    with open(path, "rb") as f:
        data = f.read()
    at = 4 + 32 + 16 + 8 + 8
    for _ in range(2):  # certificates, note
        at += 4 + struct.unpack_from(">I", data, at)[0]
    at += 8 + 32
    for _ in range(3):  # proofs
        at += 1 + 32 * data[at]
    at += 8
    n = struct.unpack_from(">I", data, at)[0]
    records = [data[i:i + RECORD] for i in range(at + 4, len(data), RECORD)]
    equal(n, len(records), "records of the file")
    return data[:at], records


def join(path, head, records):
    with open(path, "wb") as f:
        f.write(head + struct.pack(">I", len(records)) + b"".join(records))
    return path


def clinic():
    net = Network()
    net.org("clinic")
    net.anna = net.join("anna@clinic")
    net.bob = net.join("bob@clinic")
    net.id = network_id(net)
    return net


@test
def what_was_done_is_in_the_export_and_no_name_with_it():
    with clinic() as net:
        net.anna.send("bob@clinic", subject="A lung", question="Resect?")
        net.bob.ok("sync")
        path = export(net, "all.csa")
        records = show(net, path)
        events = [r["event"] for r in records]
        for event in ("start", "configuration", "logoff", "permission", "enrolment", "key",
                      "epoch-keys", "login"):
            check(event in events, f"{event} is in {sorted(set(events))}")
        with open(os.path.join(net.net, "relay.conf"), "rb") as f:
            conf = hashlib.sha256(f.read()).hexdigest()
        equal([conf], [r["sha256"] for r in records if r["event"] == "configuration"],
              "hash of relay.conf")
        devices = [d["id"] for d in admin(net, "devices", "--json").json()]
        enrolled = [r["object"] for r in records if r["event"] == "enrolment"]
        equal(sorted(devices), sorted(enrolled), "devices enrolled")
        check({r["id"] for r in records if r["event"] == "login" and r["who"] == "device"}
              == set(devices), "both logged in")
        with open(path, "rb") as f:
            data = f.read()
        for word in (b"anna", b"bob", b"clinic", b"lung", b"Resect"):
            check(word not in data, f"{word} is in the export")
        text = admin(net, "audit", "show", path).out.splitlines()
        equal(len(records), len(text), "lines")
        judged = judge(net, path)
        check(judged[0]["ok"] and judged[0]["first"] == 0, judged)
        text = admin(net, "audit", "check", path).out
        check("nothing is missing, moved or changed\n" in text, text)
        check("as far as the relay certificate in the file goes" in text, text)


@test
def a_failed_login_and_who_reads_the_log_are_recorded():
    with clinic() as net:
        admin(net, "revoke", "member", "bob@clinic", "--reason", "left", "--yes")
        check(net.bob.run("sync").code == 4, "who was revoked does not get in")
        export(net, "first.csa")
        records = show(net, export(net, "second.csa"))
        failed = [r for r in records if r["event"] == "login-failed"]
        check(failed and failed[-1]["refusal"] == "revoked", failed)
        reads = [r for r in records if r["event"] == "audit-export"]
        check(reads and reads[0]["who"] == "registrar", reads)
        check(any(r["event"] == "permission" and r["entry_type"] == "revoke"
                  for r in records), "the revocation")


@test
def every_manipulation_is_found():
    with clinic() as net:
        net.anna.ok("sync")
        path = export(net, "all.csa")
        head, records = split(path)
        bad = os.path.join(net.path, "bad.csa")

        def found(kind, *files, code=4):
            got = kinds(judge(net, *(files or (bad,)), code=code))
            check(kind in got, f"{kind} is not in {got}")

        join(bad, head, records[:3] + records[4:])
        found("deleted")
        one = judge(net, bad, code=4)[0]["findings"][0]
        equal((3, 3), (one["first"], one["last"]), "which was deleted")
        join(bad, head, records[:3] + [records[4], records[3]] + records[5:])
        found("reordered")
        edited = records[5][:60] + bytes([records[5][60] ^ 1]) + records[5][61:]
        join(bad, head, records[:5] + [edited] + records[6:])
        found("edited")
        equal(5, judge(net, bad, code=4)[0]["findings"][0]["first"], "which was edited")
        join(bad, head, records[:-1])
        found("cut-end")
        join(bad, head, records[1:])
        found("deleted")
        join(bad, head, records[:4] + [records[3]] + records[4:])
        found("inserted")
        with open(path, "rb") as f:
            data = f.read()
        with open(bad, "wb") as f:
            f.write(data[:-1])
        check(run("consil-admin", "audit", "check", bad, "--network-id", net.id).code == 4,
              "a file that was cut")
        with Network() as other:
            result = run("consil-admin", "audit", "check", path, "--network-id",
                         network_id(other))
            check(result.code == 4 and "another network" in result.err, str(result))
        check(run("consil-admin", "audit", "check", path).code == 2, "no network named")


@test
def a_day_of_the_log_and_the_next():
    with clinic() as net:
        past = export(net, "past.csa", "--from", "2020-01-01", "--to", "2020-12-31")
        judged = judge(net, past)
        equal((0, 0), (judged[0]["first"], judged[0]["last"]),
              "nothing was then: only the record after it")
        rest = export(net, "rest.csa", "--from", "2021-01-01")
        judged = judge(net, rest, past)
        equal([os.path.basename(past), os.path.basename(rest)],
              [os.path.basename(j["file"]) for j in judged], "in order")
        # the middle one is missing
        head, records = split(rest)
        at = head[:-8] + struct.pack(">Q", 4)
        later = join(os.path.join(net.path, "later.csa"), at, records[4:])
        check("gap" in kinds(judge(net, past, later, code=4)), "gap")
        admin(net, "audit", "export", "--from", "2021-01-01", "--to", "2020-01-01",
              "-o", past, code=2)
        admin(net, "audit", "export", "--from", "yesterday", "-o", past, code=2)
        admin(net, "audit", "export", "-o", past, code=2)  # never over a file


@test
def a_log_that_was_shortened_is_found():
    with clinic() as net:
        net.stop(signal.SIGTERM)
        backup = os.path.join(net.path, "backup")
        shutil.copytree(os.path.join(net.net, "store"), backup)
        net.start()
        net.anna.ok("sync")
        before = export(net, "before.csa")
        net.stop(signal.SIGTERM)
        shutil.rmtree(os.path.join(net.net, "store"))
        shutil.copytree(backup, os.path.join(net.net, "store"))
        # without its mark the relay notices nothing: the export does
        done = run("consil-relay", "--config", os.path.join(net.net, "relay.conf"),
                   "--restored")
        check(done.code == 0, str(done))
        net.start()
        result = admin(net, "audit", "export", "-o", os.path.join(net.path, "after.csa"))
        check("restored" in result.err, str(result))
        after = os.path.join(net.path, "after.csa")
        check("shortened" in kinds(judge(net, after, code=4))
              or "forked" in kinds(judge(net, after, code=4)), "by itself")
        check(set(kinds(judge(net, before, after, code=4))) >= {"differs"}, "against another")
        restores = [r for r in show(net, after) if r["event"] == "restore"]
        equal(["operator"], [r["who"] for r in restores], "the restore is recorded")


@test
def a_relay_that_went_back_without_saying_so_is_found():
    with clinic() as net:
        store, mark = os.path.join(net.net, "store"), os.path.join(net.net, "store.mark")
        net.stop(signal.SIGTERM)
        backup = os.path.join(net.path, "backup")
        shutil.copytree(store, backup)
        shutil.copy(mark, backup + ".mark")
        net.start()
        admin(net, "audit", "note", "incident")  # what will be gone
        before = export(net, "before.csa")
        net.stop(signal.SIGTERM)
        shutil.rmtree(store)
        shutil.copytree(backup, store)
        shutil.copy(backup + ".mark", mark)  # whoever has the machine can do that
        net.start()
        after = os.path.join(net.path, "after.csa")
        result = admin(net, "audit", "export", "-o", after, code=4)
        check("does not continue" in result.err and "evidence" in result.err, str(result))
        # the evidence is kept, and holds by itself
        check(set(kinds(judge(net, after, code=4))) & {"shortened", "forked"}, "by itself")
        check(set(kinds(judge(net, before, after, code=4))) & {"shortened", "forked", "differs"},
              "against the other")
        admin(net, "audit", "export", "-o", os.path.join(net.path, "again.csa"), code=4)


@test
def logins_survive_kill_9_but_for_the_last_second():
    with clinic() as net:
        net.anna.ok("sync")
        before = [r for r in show(net, export(net, "a.csa")) if r["event"] == "login"]
        net.anna.ok("sync")
        wait_until(lambda: len([r for r in show(net, export(net, f"w{os.urandom(4).hex()}.csa"))
                                if r["event"] == "login"]) > len(before), "the login is recorded")
        net.stop(signal.SIGKILL)
        net.start()
        path = export(net, "b.csa")
        check(judge(net, path)[0]["ok"], "the chain holds")
        records = show(net, path)
        check(len([r for r in records if r["event"] == "login"]) > len(before), "logins")
        equal(2, len([r for r in records if r["event"] == "start"]), "starts")
        equal(0, len([r for r in records if r["event"] == "stop"]), "it was not stopped")


@test
def an_admin_notes_what_happened_outside():
    with clinic() as net:
        admin(net, "audit", "note", "restore-drill", "--date", "2024-05-06", "--failed")
        admin(net, "audit", "note", "restore-drill", "--date", "2024-05-06", "--failed")
        admin(net, "audit", "note", "backup")
        check("log-review" in admin(net, "audit", "note", "party", code=2).err, "the kinds")
        admin(net, "audit", "note", "backup", "--date", "2999-01-01", code=2)
        notes = [r for r in show(net, export(net, "a.csa")) if r["event"] == "note"]
        equal(["restore drill held", "backup made"], [r["kind"] for r in notes], "notes")
        equal("failed", notes[0]["refusal"], "the drill failed")
        check(notes[0]["date"].startswith("2024-05-0"), notes[0])


@test
def the_pack_answers_an_auditor_and_says_what_is_missing():
    with clinic() as net:
        net.anna.send("bob@clinic", subject="A lung", question="Resect?")
        net.bob.ok("sync")
        net.bob.ok("inbox")
        admin(net, "audit", "note", "backup")
        admin(net, "audit", "note", "restore-drill", "--date", "2024-05-06")
        folder = os.path.join(net.path, "pack")
        index = admin(net, "audit", "pack", "-o", folder, "--json").json()[0]
        names = [f["file"] for f in index["files"]]
        equal(sorted([*names, "index.json", "index.txt"]), sorted(os.listdir(folder)), "files")
        content = {}
        for row in index["files"]:
            with open(os.path.join(folder, row["file"]), "rb") as f:
                content[row["file"]] = f.read()
            equal(row["sha256"], hashlib.sha256(content[row["file"]]).hexdigest(), row["file"])
            check(row["paragraphs"] and all(p.startswith("164.") for p in row["paragraphs"]), row)
        asked = {p for row in index["files"] for p in row["paragraphs"]}
        for paragraph in ("164.312(a)(1)", "164.312(a)(2)(i)", "164.312(a)(2)(iii)",
                          "164.312(a)(2)(iv)", "164.312(b)", "164.312(c)(1)", "164.312(c)(2)",
                          "164.312(d)", "164.312(e)(1)", "164.312(e)(2)(i)",
                          "164.312(e)(2)(ii)"):
            check(paragraph in asked, f"{paragraph} is in {asked}")
        ids = json.loads(content["unique-ids.json"])
        equal({"anna@clinic", "bob@clinic"}, {m["address"] for m in ids["members"]}, "members")
        equal(1, len(ids["registrars"]), "registrars")
        matrix = json.loads(content["permissions.json"])["requests"]
        check({"who": "registrar", "operation": "audit_read", "condition": "always"} in matrix,
              matrix)
        check(not [r for r in matrix if r["operation"] == "fetch" and r["who"] != "device"],
              "only devices fetch")
        logoff = json.loads(content["logoff.json"])
        equal((90, 3600), (logoff["session_idle_seconds"], logoff["session_longest_seconds"]),
              "logoff")
        check(json.loads(content["integrity.json"])["audit_log"]["ok"], "integrity")
        judged = judge(net, os.path.join(folder, "audit-log.csa"))
        check(judged[0]["ok"], "the log in it")
        check(all(d["last_login"] for d in
                  json.loads(content["authentication.json"])["devices"]), "logins")
        contingency = json.loads(content["contingency.json"])
        equal("ok", contingency["backup"]["result"], "backup")
        check(contingency["restore_drill"]["newest"].startswith("2024-05-0"), contingency)
        equal("clinic", json.loads(content["vetting.json"])[0]["handle"], "vetting")
        missing = {m["paragraph"]: m["missing"] for m in index["missing"]}
        check("more than a year" in missing["164.308(a)(7)(ii)(D)"], "the drill is old")
        check("164.308(a)(7)(ii)(A)" not in missing, "the backup is there")
        check("root.keyring" in missing["164.312(a)(2)(iv)"], "the root key is at hand")
        check("no review" in missing["164.308(a)(1)(ii)(D)"], "no log review")
        everything = b"".join(content.values())
        for word in (b"lung", b"Resect", b"a note"):
            check(word not in everything, f"{word} is in the pack")
        admin(net, "audit", "pack", "-o", folder, code=2)  # not empty any more
        later = admin(net, "audit", "pack", "-o", os.path.join(net.path, "old"), "--from",
                      "2020-01-01", "--to", "2020-12-31", "--json").json()[0]
        check("164.312(b)" in {m["paragraph"] for m in later["missing"]}, "no records then")


if __name__ == "__main__":
    main()
