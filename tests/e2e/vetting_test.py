#!/usr/bin/env python3
"""A practice is vetted, refused, vetted anew: records, their faults, what the log keeps."""
import json
import os

import vetting
from network import Device, Network, check, equal, killed_at, main, shifted_clock, test


def vet(net, record, *extra, handle="clinic"):
    return net.admin("org", "vet", net.write(f"{handle}.json", json.dumps(record)), *extra)


def template(net, **over):
    return vetting.filled(net.admin("org", "template", "clinic", "--name", "The Clinic").out,
                          **over)


def orgs(net, *extra):
    return net.admin("orgs", "--json", *extra).json()


@test
def a_record_admits_and_is_kept():
    with Network() as net:
        record = template(net)
        net.write("files/minutes.txt", vetting.EVIDENCE)
        result = vet(net, record, "--evidence", net.file("files"), "--json")
        equal(0, result.code, str(result))
        said = result.json()[0]
        equal("admitted", said["decision"], "the decision")
        with open(said["record"], encoding="utf-8") as f:
            equal(json.dumps(record), f.read(), "the kept record, byte for byte")
        row = orgs(net)[0]
        equal(("clinic", "admitted", said["vetting_hash"]),
              (row["handle"], row["state"], row["vetting_hash"]), "the row")
        check(row["days_left"] in (699, 700), row)
        check(row["since"] == row["changed"] and len(row["by"]) == 32, row)

        shown = net.admin("org", "show", "clinic", "--json").json()[0]
        equal(record, shown["record"], "the record as shown")
        check("C. Reed" in net.admin("org", "show", "clinic").out, "the record in text")

        # the file is what the log has the hash of, or it is not the record
        with open(said["record"], "a", encoding="utf-8") as f:
            f.write(" ")
        result = net.admin("org", "show", "clinic")
        equal(4, result.code, str(result))
        os.unlink(said["record"])
        equal(3, net.admin("org", "show", "clinic").code, "a lost record")


@test
def every_fault_is_named_at_once():
    with Network() as net:
        record = template(net, npi="1234567890", agreement=vetting.day(1), surprise=True,
                          exclusion_check="2026-02-30", approvers=["A. Moore", "a. moore"],
                          valid_until=vetting.day(3000))
        record["domains"]["safety"]["reviewer"] = ""
        record["domains"]["quality"]["evidence"] = []
        record["domains"]["service"]["evidence"][0]["sha256"] = "beef"
        record["domains"]["governance"].update(result="conditional")
        record["domains"]["weather"] = {}
        del record["domains"]["clinical_practice"]["date"]
        result = vet(net, record)
        equal(4, result.code, str(result))
        for fault in ("npi: ", "agreement: ", 'no key "surprise"', "exclusion_check: ",
                      "approvers[1]: ", "valid_until: ", "domains.safety.reviewer: is empty",
                      "domains.quality.evidence: ", "domains.service.evidence[0].sha256: ",
                      "domains.governance.condition: is missing",
                      "domains.governance.due: is missing", 'no key "weather"',
                      "domains.clinical_practice.date: is missing"):
            check(fault in result.err, f"{fault!r} is not in: {result.err}")
        equal(3, net.admin("orgs").code, "nobody was admitted")


@test
def a_failed_or_missing_domain_admits_nobody():
    with Network() as net:
        record = template(net)
        record["domains"]["quality"]["result"] = "fail"
        del record["domains"]["service"]
        result = vet(net, record)
        equal(4, result.code, str(result))
        check("domains.quality: failed" in result.err, result.err)
        check("domains.service: is missing" in result.err, result.err)
        # the same is a refusal when that is what was decided
        result = vet(net, {**record, "decision": "refused"})
        equal(0, result.code, str(result))
        equal("refused", orgs(net)[0]["state"], "the state")
        equal(4, net.admin("invite", "a@clinic", "--name", "A", "--role", "physician", "-o",
                           net.file("a.invite")).code, "an invitation to a refused practice")
        # and a waiver is not one registrar's to give
        result = vet(net, {**record, "decision": "conditional",
                           "waiver": {"reason": "the only one in the county",
                                      "domains": ["quality", "service"]}})
        equal(4, result.code, str(result))
        check("org waive" in result.err, result.err)


@test
def evidence_has_to_fit():
    with Network() as net:
        net.write("files/minutes.txt", b"other minutes\n")
        result = vet(net, template(net), "--evidence", net.file("files"))
        equal(4, result.code, str(result))
        check("domains.safety.evidence" in result.err and "minutes.txt" in result.err, result.err)
        result = vet(net, template(net), "--evidence", net.file("nowhere"))
        equal(4, result.code, str(result))


@test
def vetting_anew_extends_it():
    with Network() as net:
        record = template(net, valid_until=vetting.day(20))
        equal(0, vet(net, record).code, "first vetting")
        equal(2, vet(net, record).code, "the same record twice")
        equal(["clinic"], [o["handle"] for o in orgs(net, "--lapsing", "30")], "lapsing")
        equal(3, net.admin("orgs", "--lapsing", "10").code, "not so soon")
        equal(0, vet(net, template(net, valid_until=vetting.day(900))).code, "vetted anew")
        row = orgs(net)[0]
        check(row["days_left"] in (899, 900), row)
        equal(3, net.admin("orgs", "--lapsing", "30").code, "none lapses")
        text = net.admin("org", "show", "clinic").out
        equal(2, text.count("by registrar"), text)


@test
def a_lapsed_practice_reads_acknowledges_and_waits():
    later = shifted_clock(3 * 86400)
    with Network() as net:
        net.org("clinic")
        net.org("mayo", valid_until=vetting.day(1))
        anna, zoe = net.join("anna@clinic"), net.join("zoe@mayo")
        case = anna.send("zoe@mayo", subject="before")
        net.stop()
        net.start(env=later)

        # what was sent before is read and acknowledged, and the sender hears it
        zoe.ok("sync", env=later)
        check("before" in zoe.ok("read", case, env=later).out, "the case")
        zoe.act("ack", case, env=later)
        anna.ok("sync", env=later)
        row = anna.ok("sent", case, "--json", env=later).json()[0]
        check(row["acknowledged_at"], row)

        # nobody can send to her, and she to nobody; both are told why
        until = f"valid until {vetting.day(1)}"
        ask = ("--subject", "S", "--question", "Q", "--note", "note.md")
        refused = anna.run("send", "--to", "zoe@mayo", *ask, env=later)
        equal(4, refused.code, str(refused))
        check(until in refused.err, refused.err)
        waits = zoe.run("send", "--to", "anna@clinic", *ask, env=later)
        check(until in waits.err and "mayo" in waits.err, str(waits))
        id = waits.last_line
        check("queued" in zoe.ok("sent", id, env=later).out, "it waits")
        check(until in zoe.ok("contacts", "zoe", "--offline", env=later).out, "contacts")

        # vetted anew, it goes
        result = net.admin("org", "vet", net.record("mayo", valid_until=vetting.day(700)),
                           env=later)
        equal(0, result.code, str(result))
        zoe.ok("sync", env=later)
        anna.ok("sync", env=later)
        check("S" in anna.ok("read", id, env=later).out, "what waited arrived")


def members(net, *extra):
    return net.admin("members", "--json", *extra).json()


def invite(net, address, file, *extra, **kwargs):
    return net.admin("invite", address, "--name", "Anna Blau", "--role", "physician", "-o",
                     net.file(file), *extra, **kwargs)


@test
def particulars_are_certified_and_shown():
    with Network() as net:
        net.org("clinic", "The Clinic")
        for wrong in (["--npi", "1234567890"], ["--licence", "MN:1"], ["--licence", "XX:1:2028-01-01"],
                      ["--licence", "mn:1:2028-01-01"],
                      ["--licence", "MN:1:2026-02-30"]):
            equal(2, invite(net, "anna@clinic", "w.invite", *wrong).code, str(wrong))
        result = invite(net, "anna@clinic", "a.invite", "--role", "chair", "--npi", vetting.NPI,
                        "--specialty", "medical oncology", "--licence",
                        f"MN:4711:{vetting.day(30)}")
        equal(0, result.code, str(result))
        anna = Device(net, "anna", net.file("anna.home"))
        anna.ok("join", net.file("a.invite"), "--unattended")
        bob = net.join("bob@clinic")
        row = next(m for m in members(net) if m["address"] == "anna@clinic")
        equal(("physician, chair", vetting.NPI, "medical oncology", "joined", "4711", False),
              (row["role"], row["npi"], row["specialty"], row["state"],
               row["licence"]["number"], row["licence"]["expired"]), "the row")
        found = bob.ok("contacts", "oncology", "--json").json()
        equal(["anna@clinic"], [c["address"] for c in found], "found by specialty")
        bob.ok("read", anna.send("bob@clinic"), "--json")
        case = anna.send("bob@clinic")
        bob.ok("sync")
        text = bob.ok("read", case).out
        check("medical oncology" in text and "The Clinic" in text and "MN 4711" in text, text)
        certified = bob.ok("read", case, "--json").json()[0]["certified"]
        equal(("physician, chair", "The Clinic"), (certified["role"], certified["practice"]),
              "who wrote")

        # what cannot be changed says why
        equal(2, net.admin("member", "update", "anna@clinic").code, "nothing to change")
        archive = net.admin("member", "update", "anna@clinic", "--role", "archive")
        equal(4, archive.code, str(archive))
        check("invite another member" in archive.err, archive.err)

        # changed without a new invitation; what expired is shown, and blocks nothing
        equal(3, net.admin("members", "--lapsing", "10").code, "not so soon")
        equal(1, len(members(net, "--lapsing", "60")), "lapsing")
        result = net.admin("member", "update", "anna@clinic", "--licence", "MN:4711:2026-01-31",
                           "--specialty", "")
        equal(0, result.code, str(result))
        check("EXPIRED" in result.out, result.out)
        row = next(m for m in members(net) if m["address"] == "anna@clinic")
        equal((True, None, vetting.NPI, 1), (row["licence"]["expired"], row["specialty"],
              row["npi"], row["devices"]), "the row")
        bob.ok("sync")
        sent = bob.ok("send", "--to", "anna@clinic", "--subject", "S", "--question", "Q",
                      "--note", "note.md")
        check("licence MN 4711 expired" in sent.err, sent.err)
        anna.ok("sync")
        anna.ok("read", sent.last_line)


@test
def an_npi_is_that_of_one_person_and_one_practice():
    with Network() as net:
        net.org("clinic")
        other = net.admin("org", "vet", net.record("mayo"))
        equal(0, other.code, str(other))
        check("NPI" in other.err and "clinic" in other.err and "mayo" in other.err, str(other))
        npi = ["--npi", vetting.NPI]
        equal(0, invite(net, "anna@clinic", "1", *npi).code, "invited")
        equal(0, invite(net, "anna@clinic", "2", *npi).code, "invited again: the same member")
        again = invite(net, "bob@mayo", "3", *npi)
        equal(2, again.code, str(again))
        check("anna@clinic" in again.err and "--same-npi" in again.err, str(again))
        check(not os.path.exists(net.file("3")), "no file for nothing")
        equal(0, invite(net, "bob@mayo", "3").code, "without")
        update = net.admin("member", "update", "bob@mayo", *npi)
        equal(2, update.code, str(update))
        equal(0, net.admin("member", "update", "bob@mayo", *npi, "--same-npi").code, "meant")
        # who has it already keeps it; an invitation that is over holds nothing
        equal(0, net.admin("member", "update", "bob@mayo", "--specialty", "lung").code, "kept")
        for who in ("anna@clinic", "bob@mayo"):
            net.admin("invite", "revoke", who)
        result = invite(net, "carl@clinic", "4", *npi, "--licence", "Ontario:7:2029-01-01")
        equal(0, result.code, str(result))


@test
def who_was_revoked_stays_so_and_the_refusals_say_it():
    with Network() as net:
        net.org("clinic")
        net.join("anna@clinic")
        equal(0, net.admin("revoke", "member", "anna@clinic", "--reason", "left", "--yes").code,
              "revoked")
        text = net.admin("members").out
        check(text.count("revoked") == 1 and "(left)" in text, text)
        refused = invite(net, "anna@clinic", "1")
        equal(4, refused.code, str(refused))
        check("never given again" in refused.err, refused.err)
        update = net.admin("member", "update", "anna@clinic", "--name", "B")
        equal(4, update.code, str(update))
        check("is revoked" in update.err, update.err)


@test
def inviting_is_killed_at_any_moment_and_done_again():
    with Network() as net:
        net.org("clinic")
        at, done = 0, False
        os.mkdir(net.file("out"))
        while not done:
            at += 1
            result = invite(net, "anna@clinic", "out/anna", env=killed_at(at))
            done = result.code == 0
            left = os.listdir(net.file("out"))
            check(left in ([], ["anna"]), f"killed at {at}: {left}")
            if left:  # whoever has the file: it is listed, and can be revoked
                equal("open", net.admin("invites", "--json").json()[-1]["state"], f"at {at}")
                done = True
            check(done or result.code == -9, str(result))
        check(at > 4, "it was killed before it wrote")
        anna = Device(net, "anna", net.file("anna.home"))
        anna.ok("join", net.file("out/anna"), "--unattended")


@test
def an_invitation_is_revoked_before_it_is_used():
    with Network() as net:
        net.org("clinic")
        equal(3, net.admin("invites").code, "none yet")
        equal(0, invite(net, "anna@clinic", "1.invite").code, "invited")
        equal(0, invite(net, "anna@clinic", "2.invite").code, "invited again")

        def states():
            return [i["state"] for i in net.admin("invites", "--json").json()]

        equal(["revoked", "open"], states(), "the second makes the first void")
        equal("invited", members(net)[0]["state"], "what members says")
        result = net.admin("invite", "revoke", "anna@clinic", "--json")
        equal(0, result.code, str(result))
        equal(["revoked", "revoked"], states(), "after")
        equal("invitation revoked", members(net)[0]["state"], "what the log says")
        anna = Device(net, "anna", net.file("anna.home"))
        for file in ("1.invite", "2.invite"):
            refused = anna.run("join", net.file(file), "--unattended")
            equal(4, refused.code, str(refused))
        # a new one is used; then it is no longer to be revoked
        equal(0, invite(net, "anna@clinic", "3.invite").code, "invited anew")
        anna.ok("join", net.file("3.invite"), "--unattended")
        equal(["revoked", "revoked", "used"], states(), "used")
        equal("joined", members(net)[0]["state"], "joined")
        equal(4, net.admin("invite", "revoke", "anna@clinic").code, "of one who has joined")
        equal(3, net.admin("invite", "revoke", "zoe@clinic").code, "of one never invited")


main()
