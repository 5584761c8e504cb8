#!/usr/bin/env python3
"""Cases: who wrote what after knowing what, closing, addenda, what is missing."""
from network import Network, check, equal, main, test


def shown(device, id):
    return [r for r in device.ok("case", "show", id, "--json").json() if r["event"] == "message"]


def state(device, id):
    rows = device.ok("case", "list", "--all", "--json").json()
    return next(r["state"] for r in rows if r["case"] == id)


@test
def a_case_is_shown_in_the_order_of_who_knew_what():
    with Network() as net:
        doe, a, b = net.three()
        first = doe.send("a@clinic", "b@clinic", subject="the case")
        a.ok("sync")
        b.ok("sync")
        # both answer without knowing of the other's answer
        by_a = a.ok("reply", first, "--note", "note.md").last_line
        by_b = b.ok("reply", first, "--note", "note.md").last_line
        doe.ok("sync")
        more = doe.ok("send", "--case", first, "--note", "note.md").last_line
        rows = shown(doe, first)
        equal([first, more], [rows[0]["id"], rows[-1]["id"]], "both answers are between")
        equal({by_a, by_b}, {r["id"] for r in rows[1:3]}, "…")
        equal(sorted([by_a, by_b]), sorted(rows[-1]["parents"]), "the addendum knew both")
        equal([first], rows[1]["parents"], "an answer knew the request")
        equal(["request", "reply", "reply", "addendum"], [r["kind"] for r in rows], "kinds")
        # found by any of its messages, and by the first digits
        equal([r["id"] for r in rows], [r["id"] for r in shown(doe, by_a[:8])], "by any")
        # a never got b's answer: that is a gap, and said
        rows = shown(a, first)
        equal([first, by_a, more], [r["id"] for r in rows], "what a has")
        equal(1, rows[-1]["missing"], "what a lacks is counted")
        check("1 that its author knew is not here" in a.ok("case", "show", first).out, "in words")
        equal(1, a.ok("case", "list", "--json").json()[0]["gaps"], "and in the list")


@test
def a_closed_case_opens_by_an_addendum_and_by_a_word():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic", subject="the case")
        doe.ok("case", "close", id)
        again = doe.run("case", "close", id)
        check(again.code != 0 and "already" in again.err, f"once: {again}")
        for device in (doe, a, b):
            equal("closed", state(device, id), "for everybody in it")
        equal([], doe.ok("case", "list", "--json").json(), "not among the open ones")
        check("The case is closed." in a.ok("read", shown(a, id)[-1]["id"]).out, "it says so")
        opened = b.ok("send", "--case", id, "--note", "note.md")
        check("opens it again" in opened.err, f"b is told: {opened}")
        for device in (doe, a, b):
            equal("open", state(device, id), "again, for everybody")
        a.ok("case", "close", id, "--note", "note.md")
        doe.ok("case", "list")
        doe.ok("case", "reopen", id)
        equal("open", state(b, id), "by a word")
        refused = b.run("case", "reopen", id)
        check(refused.code != 0 and "open already" in refused.err, f"once: {refused}")


@test
def without_the_relay_it_waits_and_keeps_its_order():
    with Network() as net:
        doe, a, _ = net.three()
        id = doe.send("a@clinic", subject="the case")
        net.stop()
        more = [doe.ok("send", "--case", id, "--note", "note.md").last_line for _ in range(3)]
        doe.ok("case", "close", id)
        equal("closed", next(r["state"] for r in
                             doe.ok("case", "list", "--all", "--offline", "--json").json()), "here")
        net.start()
        for _ in range(2):
            doe.ok("sync")
        rows = shown(a, id)
        equal(5, len(rows), f"all came: {rows}")
        equal(id, rows[0]["id"], "the request is the first")
        equal(set(more), {r["id"] for r in rows[1:4]}, "then what was added")


@test
def a_case_is_found_by_its_id_where_its_first_message_is_not():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", subject="the case")
        a.ok("sync")
        doe.ok("send", "--case", id, "--to", "b@clinic", "--note", "note.md")
        b.ok("sync")
        listed = b.ok("case", "list", "--json").json()[0]["case"]
        equal(id, listed, "it is known by the first message, which b never got")
        equal(1, len(shown(b, listed[:10])), "and shown by it")


@test
def what_is_no_case_is_not_found():
    with Network() as net:
        doe, a, _ = net.three()
        id = doe.send("a@clinic")
        equal(3, a.run("case", "show", "00000000").code, "no such message")
        equal(2, a.run("case", "show", "xyz").code, "no id")
        equal(3, doe.run("send", "--case", "00000000", "--note", "note.md").code, "nor added to")
        alone = doe.run("send", "--case", id)
        check(alone.code == 2 and "--note" in alone.err, f"a note is needed: {alone}")


main()
