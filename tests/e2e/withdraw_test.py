#!/usr/bin/env python3
"""Taking back, replacing and extending what was sent."""
from network import Network, check, equal, killed_at, main, test

DAY = 86400


def row(device, id):
    return next(m for m in device.ok("sent", "--offline", "--json").json() if m["id"] == id)


def standings(device, id):
    return sorted(r["standing"] for r in device.ok("sent", "--offline", id, "--json").json())


@test
def who_has_not_fetched_gets_it_no_more_and_who_has_is_told():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic", subject="the wrong one")
        a.ok("sync")
        done = doe.ok("withdraw", id, "--reason", "wrong-patient", "--text", "meant another")
        check("withdrawn" in done.out, f"says so: {done}")
        doe.ok("sync")
        equal(["delivered", "withdrawn"], standings(doe, id), "one outcome each")
        again = doe.run("withdraw", id)
        equal(0, again.code, f"said twice: {again}")
        # a, who has it, reads above the case what to do
        shown = a.ok("read", id)
        a.ok("sync")
        shown = a.ok("read", id).out
        check(shown.startswith("WITHDRAWN"), f"above the case: {shown}")
        check("ANOTHER PATIENT" in shown.splitlines()[1], f"what it means: {shown}")
        check("meant another" in shown and "a note" in shown, f"and why: {shown}")
        check(a.ok("read", id, "--json").json()[0]["withdrawn"]["reason"] == "wrong-patient", "json")
        check("WITHDRAWN" in a.ok("inbox").out, "in the list")
        # b never gets it, and is told that there was something
        equal(0, b.ok("sync", "--json").json()[0]["missing"], "nothing is missing")
        came = b.inbox()
        check(id not in [m["id"] for m in came], f"b does not have it: {came}")
        check(came and all(m["is_withdrawal"] for m in came), f"b is told: {came}")
        doe.ok("sync")
        check(not row(doe, id)["needs_attention"], "what was meant calls for nobody")


@test
def what_had_not_left_goes_without_a_trace():
    with Network() as net:
        doe, a, _ = net.three()
        net.stop()
        id = doe.send("a@clinic")
        check("had not left" in doe.ok("withdraw", id).out, "it was here only")
        equal("withdrawn", row(doe, id)["standing"], "it stays in the list")
        again = doe.run("withdraw", id)
        check(again.code != 0 and "before" in again.err, f"once: {again}")
        net.start()
        doe.ok("sync")
        equal([], a.inbox(), "nothing came")


@test
def with_the_relay_away_it_is_asked_later():
    with Network() as net:
        doe, a, _ = net.three()
        id = doe.send("a@clinic")
        net.stop()
        doe.ok("withdraw", id, "--reason", "sent-in-error")
        net.start()
        doe.ok("sync")
        equal(["withdrawn"], standings(doe, id), "then")
        check(id not in [m["id"] for m in a.inbox()], "it did not come")
        gone = [r for r in a.ok("inbox", "--json").json() if r.get("gone")]
        equal([(id, "withdrawn")], [(r["id"], r["state"]) for r in gone], "and that it never will")
        check(gone[0]["learned_at"] and "took it back" in a.ok("inbox").out, "in words too")


@test
def killed_anywhere_a_withdrawal_is_asked_for_or_was_not_accepted():
    with Network() as net:
        doe, a, _ = net.three()
        for n in range(1, 40, 6):
            id = doe.send("a@clinic")
            killed = doe.run("withdraw", id, env=killed_at(n))
            if killed.code == 0:
                break
            doe.ok("sync")
            doe.ok("sync")
            # the request and the notice are one change: both or neither
            kinds = {r.get("kind") for r in doe.ok("case", "show", id, "--json").json()}
            equal(standings(doe, id) == ["withdrawn"], "withdrawal" in kinds, f"killed at {n}")
            doe.ok("withdraw", id)
            doe.ok("sync")
            equal(["withdrawn"], standings(doe, id), f"killed at {n}")
        doe.ok("sync")
        check(not [m for m in a.inbox() if not m["is_withdrawal"]], "a has none of them")


@test
def who_cannot_be_told_keeps_nobody_else_from_being_told():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic")
        a.ok("sync")
        gone = net.admin("revoke", "member", "b@clinic", "--reason", "left", "--yes")
        equal(0, gone.code, f"b left: {gone}")
        done = doe.run("withdraw", id, "--reason", "wrong-patient")
        equal(0, done.code, f"accepted: {done}")
        check("b@clinic cannot be told" in done.err and "call them" in done.err, f"says who: {done}")
        doe.ok("sync")
        a.ok("sync")
        check("ANOTHER PATIENT" in a.ok("read", id).out, "a is told")


@test
def who_goes_between_the_notice_and_its_sealing_is_left_out_and_named():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic")
        a.ok("sync")
        net.stop()
        doe.ok("withdraw", id, "--reason", "wrong-patient")
        net.start()
        equal(0, net.admin("revoke", "member", "b@clinic", "--reason", "left", "--yes").code, "b left")
        doe.ok("sync")
        notice = next(r["id"] for r in doe.ok("case", "show", id, "--json").json()
                      if r.get("kind") == "withdrawal")
        rows = {r["address"]: r["standing"] for r in doe.ok("sent", notice, "--json").json()}
        equal("left-out", rows["b@clinic"], f"b is left out, and named: {rows}")
        a.ok("sync")
        check("ANOTHER PATIENT" in a.ok("read", id).out, "a is told")


@test
def said_again_it_tells_nobody_twice():
    with Network() as net:
        doe, a, _ = net.three()
        id = doe.send("a@clinic")
        a.ok("sync")

        def notices():
            return len([r for r in doe.ok("case", "show", id, "--json").json()
                        if r.get("kind") == "withdrawal"])
        doe.ok("withdraw", id, "--reason", "sent-in-error", "--text", "why")
        for again in (("--reason", "sent-in-error"), ("--reason", "sent-in-error", "--text", "why")):
            said = doe.ok("withdraw", id, *again)
            check("before, for this reason" in said.out, f"says so: {said}")
            equal(1, notices(), f"{again}")
        doe.ok("withdraw", id, "--reason", "wrong-patient")
        equal(2, notices(), "another reason is news")


@test
def what_was_forwarded_is_taken_back_from_its_last_reader_too():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", subject="the wrong one")
        a.ok("sync")
        passed = a.ok("forward", id, "--to", "b@clinic").last_line
        b.ok("read", passed)
        doe.ok("withdraw", id, "--reason", "wrong-patient", "--text", "meant another")
        a.ok("sync")
        shown = a.ok("read", id).out
        check("You forwarded it to b@clinic" in shown, f"a is told what to do: {shown}")
        notice = shown.split("consil forward ")[1].split()[0]
        check(f"consil forward {notice}" in a.ok("read", notice).out, "by the notice too")
        check(f"consil forward {notice}" in a.ok("inbox").out, "and in the list")
        # no more of it goes out by oversight
        refused = a.run("forward", id, "--to", "b@clinic")
        check(refused.code == 4 and "took it back (wrong-patient)" in refused.err, f"refused: {refused}")
        check("to b@clinic" in a.ok("forward", notice).err, "to whom it was forwarded")
        again = a.run("forward", notice)
        check(again.code == 2 and "nobody is left" in again.err, f"once: {again}")
        check("You forwarded" not in a.ok("read", id).out, "done")
        b.ok("sync")
        shown = b.ok("read", passed).out
        check(shown.startswith("WITHDRAWN  by its author: wrong-patient"), f"b reads it: {shown}")
        check("ANOTHER PATIENT" in shown and "meant another" in shown, f"as doe signed it: {shown}")
        check(b.ok("read", passed, "--json").json()[0]["withdrawn"]["by_author"], "json")
        check("WITHDRAWN" in b.ok("inbox").out, "in the list")
        carried = next(m["id"] for m in b.inbox() if m["is_withdrawal"])
        equal(id, b.ok("read", carried, "--json").json()[0]["withdraws"], "what it takes back")
        check(f"takes back {id}" in b.ok("inbox").out, "in words")
        # in the knowledge of that, it may go on
        a.ok("forward", id, "--to", "b@clinic", "--withdrawn")


@test
def only_its_sender_withdraws():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic")
        a.ok("sync")
        stranger = b.run("withdraw", id)
        equal(3, stranger.code, f"nothing of theirs: {stranger}")
        reader = a.run("withdraw", id)
        equal(3, reader.code, f"not the reader's: {reader}")
        wrong = doe.run("withdraw", id, "--reason", "why-not")
        equal(2, wrong.code, f"a reason there is: {wrong}")


@test
def another_message_stands_in_its_place():
    with Network() as net:
        doe, a, b = net.three()
        old = doe.send("a@clinic", subject="old")
        a.ok("sync")
        new = doe.send("a@clinic", subject="new", extra=("--supersedes", old))
        a.ok("sync")
        shown = a.ok("read", old).out
        check(shown.startswith("SUPERSEDED") and new in shown, f"above the old one: {shown}")
        check(f"Replaces   {old}" in a.ok("read", new).out, "and the new one says which")
        # of somebody else's message nobody can say that
        refused = b.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                        "--note", "note.md", "--supersedes", old)
        equal(3, refused.code, f"not b's: {refused}")


@test
def what_is_extended_is_kept_longer():
    with Network() as net:
        doe, a, _ = net.three()
        id = doe.send("a@clinic", extra=("--expires", "2"))
        before = row(doe, id)
        out = doe.ok("sent", "extend", id, "--days", "30", "--json").json()[0]
        check(out["stored_until"] > before["expires_at"], f"later: {out}")
        refused = doe.run("sent", "extend", id, "--days", "91")
        equal(2, refused.code, f"no longer than keys live: {refused}")
        a.ok("sync")
        doe.ok("sync")
        late = doe.run("sent", "extend", id, "--days", "40")
        check(late.code != 0, f"nobody is left: {late}")


main()
