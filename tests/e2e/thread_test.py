#!/usr/bin/env python3
"""Cases: who wrote what after knowing what, closing, addenda, what is missing."""
import shutil

from network import Device, Network, check, equal, main, test


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
def who_left_the_network_keeps_no_case_open():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic", subject="the case")
        net.stop()
        first = doe.ok("send", "--case", id, "--note", "note.md")
        check("to a@clinic, b@clinic" in first.err, f"says to whom: {first}")
        net.start()
        equal(0, net.admin("revoke", "member", "b@clinic", "--reason", "left", "--yes").code, "b left")
        doe.ok("sync")
        rows = {r["address"]: r for r in doe.ok("sent", first.last_line, "--json").json()}
        equal("left-out", rows["b@clinic"]["standing"], f"who left since: {rows}")
        closed = doe.ok("case", "close", id)
        check("left out: b@clinic, left the network" in closed.err, f"and is named: {closed}")
        equal("closed", state(a, id), "for who is left")
        doe.ok("case", "reopen", id)
        people = {p["address"]: p["place"] for p in doe.ok("case", "list", "--json").json()[0]["people"]}
        equal({"a@clinic": "in", "b@clinic": "unreachable"}, people, "who takes part")


@test
def whom_the_last_word_left_out_does_not_come_back_by_itself():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic", subject="the case")
        b.ok("sync")
        b.ok("reply", id, "--note", "note.md")
        doe.ok("sync")
        doe.ok("send", "--case", id, "--to", "a@clinic", "--note", "note.md")
        more = doe.ok("send", "--case", id, "--note", "note.md")
        check("to a@clinic" in more.err and "not to b@clinic" in more.err, f"says so: {more}")
        equal(2, len(shown(b, id)), "b has what b was sent, and its own")
        doe.ok("case", "close", id, "--to", "a@clinic", "--to", "b@clinic")
        equal("closed", state(b, id), "named, b is told")


@test
def a_close_and_an_addendum_that_do_not_know_each_other_leave_it_open():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic", subject="the case")
        a.ok("sync")
        doe.ok("case", "close", id)
        a.ok("send", "--case", id, "--note", "note.md")
        for device in (doe, b):
            equal("open", state(device, id), "whatever the clocks say")
        check("did not know of 1" in doe.ok("case", "show", id).out, "says why")
        doe.ok("case", "close", id)
        equal("closed", state(b, id), "by one who knows all of it")


@test
def receipts_stand_where_they_happened():
    with Network() as net:
        doe, a, _ = net.three()
        id = doe.send("a@clinic", subject="the case")
        a.act("read", id)
        a.act("ack", id, "--text", "seen")
        reply = a.ok("reply", id, "--note", "note.md").last_line
        doe.ok("sync")
        rows = doe.ok("case", "show", id, "--json").json()
        order = [r["id"] if r["event"] == "message" else r["fact"] for r in rows]
        facts = [r for r in rows if r["event"] == "receipt" and r["of"] == id]
        equal(["custody", "delivered", "opened", "acknowledged"], [f["fact"] for f in facts], "in order")
        check(order.index(id) < order.index("custody"), f"after what it is about: {order}")
        check(order.index("delivered") < order.index(reply), f"before what followed: {order}")
        equal([None, "a@clinic"], [facts[0]["recipient"], facts[1]["recipient"]], "whose")
        equal("seen", facts[3]["text"], "and said what")
        text = doe.ok("case", "show", id).out
        check("custody" in text and "by the relay" in text and "a@clinic" in text, f"in words: {text}")
        # the other end knows its own
        mine = [r for r in a.ok("case", "show", id, "--json").json()
                if r["event"] == "receipt" and r["of"] == id]
        check([r["fact"] for r in mine] == ["delivered", "opened", "acknowledged"] and
              all(r["ours"] for r in mine), f"what a stated: {mine}")
        listed = doe.ok("case", "list", "--json").json()[0]
        equal((1, False, 0), (listed["unopened"], listed["unanswered"], listed["undelivered"]),
              f"outstanding is the answer nobody opened: {listed}")


@test
def a_second_device_and_a_restored_one_tell_what_they_know():
    with Network() as net:
        doe, a, b = net.three()
        file = net.file("phone.invite")
        a.ok("device", "invite", "--name", "phone", "-o", file)
        phone = Device(net, "phone", net.file("phone.home"))
        phone.ok("join", file, "--unattended")
        id = doe.send("a@clinic", "b@clinic", subject="the case")
        for device in (a, phone):
            device.ok("sync")
            device.ok("reply", id, "--note", "note.md")
        doe.ok("sync")
        rows = shown(doe, id)
        equal([None] * 3, [r["fork_of"] for r in rows], f"two devices are no fork: {rows}")
        equal([[id], [id]], [r["parents"] for r in rows[1:]], "neither knew of the other's")
        equal(2, len(shown(phone, id)), "each has what it wrote and got")
        # a backup of doe's home is put back after doe went on
        id = doe.send("b@clinic", subject="another case")
        shutil.copytree(doe.home, doe.home + ".backup")
        before = doe.ok("send", "--case", id, "--note", "note.md").last_line
        equal([None, None], [r["fork_of"] for r in shown(b, id)], "one chain so far")
        shutil.rmtree(doe.home)
        shutil.copytree(doe.home + ".backup", doe.home)
        after = doe.ok("send", "--case", id, "--note", "note.md").last_line
        rows = {r["id"]: r["fork_of"] for r in shown(b, id)}
        equal({id, before, after}, set(rows), "all of it came")
        check((rows[before], rows[after]) in ((after, None), (None, before)), f"a fork: {rows}")
        check("FORK" in b.ok("case", "show", id).out, "and said")
        equal(1, b.ok("case", "list", "--json").json()[0]["gaps"], "in the list too")


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
