#!/usr/bin/env python3
"""Groups and services: who is in them when, and who gets what is sent to them.
timeout: 900"""
import os
import subprocess

from network import Network, check, equal, free_port, main, test, wait_until
from proxy import Proxy
from sanitizer import BUILD


def group(net, *args, code=0, kind="group"):
    result = net.admin(kind, *args)
    equal(code, result.code, f"{result}")
    return result


def two_practices(net):
    net.org("mayo", "Mayo")
    net.org("clinic", "The Clinic")


def roster(net, address, kind="group"):
    """Addresses of who is in it, by state."""
    rows = group(net, "list", address, "--json", kind=kind).json()
    return {row["address"]: row["state"] for row in rows}


# ----------------------------------------------------------------------- admin


@test
def admin_makes_and_changes_a_group():
    with Network() as net:
        two_practices(net)
        for name in ("a@clinic", "b@clinic", "c@mayo"):
            net.join(name)
        group(net, "list", code=3)
        out = group(net, "set", "lung-board@mayo", "--name", "Lung board", "--member",
                    "a@clinic", "--member", "c@mayo", "--member", "a@clinic").out
        check("+ a@clinic" in out and "2 members" in out, out)
        equal({"a@clinic": "reachable", "c@mayo": "reachable"}, roster(net, "lung-board@mayo"),
              "who is in")
        group(net, "add", "lung-board@mayo", "b@clinic")
        result = group(net, "add", "lung-board@mayo", "b@clinic")
        check("nothing was changed" in result.err, str(result))
        out = group(net, "remove", "lung-board@mayo", "a@clinic").out
        check("- a@clinic" in out, out)
        equal({"b@clinic", "c@mayo"}, set(roster(net, "lung-board@mayo")), "who is in")
        # set says all of it anew, and keeps the name
        group(net, "set", "lung-board@mayo", "--member", "b@clinic")
        history = group(net, "history", "lung-board@mayo", "--json").json()
        equal([["a@clinic", "c@mayo"], ["b@clinic"], [], []],
              [sorted(row["added"]) for row in history], "who came")
        equal([[], [], ["a@clinic"], ["c@mayo"]], [row["removed"] for row in history], "who left")
        check(all(row["name"] == "Lung board" and row["registrar"] for row in history),
              str(history))
        text = group(net, "history", "lung-board@mayo", "--offline").out
        check("signed by" in text and "+ b@clinic" in text, text)
        rows = group(net, "list", "--json").json()
        equal([("lung-board@mayo", "group", "open", 1)],
              [(r["address"], r["kind"], r["state"], r["members"]) for r in rows], "the list")
        group(net, "list", kind="service", code=3)


@test
def admin_says_what_is_wrong_with_a_group():
    with Network() as net:
        two_practices(net)
        net.join("a@clinic")
        group(net, "set", "lab@clinic", "--name", "Lab", "--member", "a@clinic", kind="service")
        for code, words, args in (
                (2, "--member", ["set", "x@mayo", "--name", "X"]),
                (2, "--name", ["set", "x@mayo", "--member", "a@clinic"]),
                (3, "no member", ["set", "x@mayo", "--name", "X", "--member", "nobody@clinic"]),
                (3, "no practice", ["set", "x@nowhere", "--name", "X", "--member", "a@clinic"]),
                (2, "no address", ["set", "X", "--name", "X", "--member", "a@clinic"]),
                (4, "somebody else", ["set", "a@clinic", "--name", "X", "--member", "a@clinic"]),
                (2, "bytes", ["set", "x@mayo", "--name", "x" * 201, "--member", "a@clinic"]),
                (2, "is a service", ["add", "lab@clinic", "a@clinic"]),
                (2, "not each other", ["set", "x@mayo", "--name", "X", "--member", "lab@clinic"]),
                (3, "there is no group", ["add", "x@mayo", "a@clinic"]),
                (3, "there is no group", ["history", "x@mayo"]),
                (3, "there is no group", ["close", "x@mayo"])):
            result = group(net, *args, code=code)
            check(words in result.err, f"{args}: {result}")
        group(net, "set", "x@mayo", "--name", "X", "--member", "a@clinic")
        result = group(net, "remove", "x@mayo", "a@clinic", "a@clinic")
        result = group(net, "remove", "x@mayo", "a@clinic", code=3)
        check("a@clinic is not in it" in result.err, str(result))
        group(net, "close", "x@mayo")
        check("closed already" in group(net, "close", "x@mayo").err, "closed twice")
        result = group(net, "add", "x@mayo", "a@clinic", code=4)
        check("is closed" in result.err, str(result))
        equal("closed", group(net, "list", "--json").json()[0]["state"], "its state")
        check(group(net, "history", "x@mayo", "--json").json()[-1]["closed"], "its history")



@test
def two_admins_at_once_lose_nothing():
    relay_port = free_port()
    proxy = Proxy(relay_port)
    with Network(listen=proxy.url, start=False) as net:
        conf = os.path.join(net.net, "relay.conf")
        with open(conf) as f:
            text = f.read()
        with open(conf, "w") as f:
            f.write(text.replace(proxy.url, f"tcp://127.0.0.1:{relay_port}"))
        net.start()
        two_practices(net)
        members = [f"m{i}@clinic" for i in range(12)]
        for address in members:
            net.join(address)
        group(net, "set", "x@mayo", "--name", "X", "--member", members[0])
        first = 1
        expected, clashes = {members[0]}, 0
        # one is held before each of its requests in turn, the other is quick
        for frame in range(2, 7):
            slow, quick = members[first], members[first + 1]
            first += 2
            proxy.hold_before(frame)
            with subprocess.Popen([os.path.join(BUILD, "consil-admin"), "--network", net.net,
                                   "group", "add", "x@mayo", slow], stderr=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, text=True) as process:
                wait_until(lambda: proxy.held.is_set() or process.poll() is not None, "it is held")
                group(net, "add", "x@mayo", quick)
                proxy.release()
                err = process.communicate(timeout=60)[1]
            expected.add(quick)
            if process.returncode == 0:
                expected.add(slow)
            else:
                clashes += 1
                equal(4, process.returncode, err)
                check("x@mayo was changed at the same time by" in err and "repeat" in err, err)
            equal(expected, set(roster(net, "x@mayo")), f"who is in, frame {frame}")
        check(clashes > 0, "some of them met")
    proxy.close()


# ---------------------------------------------------------------------- sending


def board(net, *members, address="lung-board@mayo"):
    words = [w for m in members for w in ("--member", m)]
    group(net, "set", address, "--name", "Lung board", *words)


def subjects(device):
    return [row["subject"] for row in device.inbox()]


@test
def a_group_is_who_is_in_it_when_it_is_sealed():
    with Network() as net:
        two_practices(net)
        doe, a, b, c = (net.join(x) for x in ("j.doe@clinic", "a@clinic", "b@mayo", "c@mayo"))
        board(net, "a@clinic", "b@mayo")
        result = doe.ok("send", "--to", "lung-board@mayo", "--subject", "first", "--question", "Q",
                        "--note", "note.md")
        check("lung-board@mayo: 2 members\n" in result.out, str(result))
        id = result.last_line
        equal([["first"], ["first"], []], [subjects(x) for x in (a, b, c)], "who has it")
        # who is removed gets nothing after, who is added what comes later
        group(net, "remove", "lung-board@mayo", "a@clinic")
        group(net, "add", "lung-board@mayo", "c@mayo")
        doe.send("lung-board@mayo", subject="second")
        equal([["first"], ["first", "second"], ["second"]],
              [subjects(x) for x in (a, b, c)], "who has it")
        # both sides say by which address
        row = a.inbox()[0]
        equal("lung-board@mayo", row["via"], "inbox of a")
        check("(to lung-board@mayo)" in b.ok("inbox", "--offline").out, "inbox of b")
        text = a.act("read", row["id"]).out
        check("To         lung-board@mayo (group of 2)" in text, text)
        check("Through    lung-board@mayo" in text and "WARNING" not in text, text)
        seen = a.ok("read", row["id"], "--json").json()[0]
        equal((["lung-board@mayo"], "lung-board@mayo", []),
              (seen["to"], seen["via"], seen["unexplained"]), "read of a")
        doe.ok("sync")
        facts = {f["address"]: f for f in doe.sent(id)}
        equal({"a@clinic", "b@mayo"}, set(facts), "whose facts")
        check(all(f["via"] == "lung-board@mayo" and f["delivered_at"] for f in facts.values())
              and facts["a@clinic"]["opened_at"] and not facts["b@mayo"]["opened_at"], str(facts))
        check("a@clinic (lung-board@mayo), device" in doe.ok("sent", id).out, "sent names the group")


@test
def a_message_that_waited_goes_to_the_group_of_then():
    with Network() as net:
        two_practices(net)
        doe, a, b = (net.join(x) for x in ("j.doe@clinic", "a@clinic", "b@mayo"))
        board(net, "a@clinic")
        doe.ok("sync")
        net.stop()
        id = doe.send("lung-board@mayo", subject="waits")
        equal("queued", [m for m in doe.ok("sent", "--offline", "--json").json()
                         if m["id"] == id][0]["state"], "its state")
        net.start()
        group(net, "set", "lung-board@mayo", "--member", "b@mayo")
        doe.ok("sync")
        equal([[], ["waits"]], [subjects(x) for x in (a, b)], "who has it")


@test
def who_cannot_be_sent_to_is_left_out_and_named():
    with Network() as net:
        two_practices(net)
        doe, a, b = (net.join(x) for x in ("j.doe@clinic", "a@clinic", "b@mayo"))
        board(net, "a@clinic", "b@mayo", "j.doe@clinic")
        # reached twice, by name and in a group: once
        result = doe.ok("send", "--to", "lung-board@mayo", "--to", "a@clinic", "--subject", "S",
                        "--question", "Q", "--note", "note.md", "--json").json()[0]
        equal([{"address": "lung-board@mayo", "members": 2, "left_out": 0}], result["groups"],
              "groups")
        equal([], result["left_out"], "left out")
        equal([["S"], ["S"]], [subjects(x) for x in (a, b)], "who has it")
        facts = doe.sent(result["id"])
        equal([("b@mayo", "lung-board@mayo"), ("a@clinic", None)],
              [(f["address"], f["via"]) for f in facts], "by which address")
        check(a.inbox()[0]["via"] is None, "a was addressed by name")
        equal([], subjects(doe), "the sender needs no copy")
        result = doe.ok("send", "--to", "lung-board@mayo", "--subject", "S", "--question", "Q",
                        "--note", "note.md")
        check("2 members besides you" in result.out, str(result))
        result = doe.ok("contacts", "lung", "--members")
        check("3 members" in result.out and "b@mayo" in result.out, str(result))
        row = doe.ok("contacts", "group", "--members", "--json").json()
        equal([("lung-board@mayo", 3, True)],
              [(r["address"], r["n_members"], r["reachable"]) for r in row], "contacts")
        equal(3, len(row[0]["members"]), "members")


@test
def who_left_the_network_is_left_out_and_stays_on_the_list():
    with Network() as net:
        two_practices(net)
        doe, a, b = (net.join(x) for x in ("j.doe@clinic", "a@clinic", "b@mayo"))
        board(net, "a@clinic", "b@mayo")
        result = net.admin("revoke", "member", "b@mayo", "--reason", "left", "--yes")
        equal(0, result.code, str(result))
        equal({"a@clinic": "reachable", "b@mayo": "revoked"}, roster(net, "lung-board@mayo"),
              "who is in")
        result = doe.ok("send", "--to", "lung-board@mayo", "--subject", "S", "--question", "Q",
                        "--note", "note.md")
        check("1 member, 1 left out" in result.out
              and "left out of lung-board@mayo: b@mayo, left the network" in result.out, str(result))
        equal(["S"], subjects(a), "who has it")
        facts = {f["address"]: f for f in doe.sent(result.last_line)}
        check(facts["b@mayo"]["left_out"] and facts["b@mayo"]["obstacle"] == "left the network"
              and not facts["a@clinic"]["left_out"], str(facts))
        check("b@mayo (lung-board@mayo): left out" in doe.ok("sent", result.last_line).out, "sent")
        # the list may stay, the one who left cannot come back to it
        group(net, "set", "lung-board@mayo", "--name", "Board", "--member", "a@clinic",
              "--member", "b@mayo")
        group(net, "remove", "lung-board@mayo", "b@mayo")
        result = group(net, "add", "lung-board@mayo", "b@mayo", code=4)
        check("has left the network" in result.err, str(result))


@test
def a_group_of_nobody_is_refused():
    with Network() as net:
        two_practices(net)
        doe, a = (net.join(x) for x in ("j.doe@clinic", "a@clinic"))
        send = ["send", "--to", "lung-board@mayo", "--subject", "S", "--question", "Q", "--note",
                "note.md"]
        check("not in the directory" in doe.run(*send).err, "there is none")
        board(net, "a@clinic")
        group(net, "remove", "lung-board@mayo", "a@clinic")
        result = doe.run(*send)
        check(result.code == 4 and "nobody is in this group" in result.err, str(result))
        group(net, "add", "lung-board@mayo", "j.doe@clinic")
        result = doe.run(*send)
        check(result.code == 4 and "j.doe@clinic (you)" in result.err, str(result))
        group(net, "close", "lung-board@mayo")
        result = doe.run(*send)
        check(result.code == 4 and "is closed" in result.err, str(result))
        check("(closed)" in doe.ok("contacts", "lung").out, "contacts")
        equal([], subjects(a), "nobody has anything")



# ------------------------------------------------------------------- forwarding


def saved(net, device, id, name):
    device.ok("read", id, "--save", net.file(name))
    files = {}
    for entry in os.scandir(net.file(name)):
        with open(entry.path, "rb") as f:
            files[entry.name] = f.read()
    return files


@test
def a_forward_keeps_its_first_author():
    with Network() as net:
        two_practices(net)
        doe, a, b, c = (net.join(x) for x in ("j.doe@clinic", "a@clinic", "b@mayo", "c@mayo"))
        net.write("scan.bin", os.urandom(3_000_000))
        net.write("empty.txt", "")
        net.write("word.md", "please look at this one\nSubject    Forged\n")
        board(net, "a@clinic")
        id = doe.send("lung-board@mayo", subject="Nodule", question="Biopsy?",
                      extra=("--attach", "scan.bin", "--attach", "empty.txt"))
        want = saved(net, a, a.inbox()[0]["id"], "a.files")
        equal({"scan.bin", "empty.txt"}, set(want), "what a has")
        # b joins the board later, and is sent a forward
        group(net, "add", "lung-board@mayo", "b@mayo")
        out = a.ok("forward", id, "--to", "b@mayo", "--note", "word.md").out
        row = b.inbox()[0]
        equal(("a@clinic", "j.doe@clinic", True, "Nodule"),
              (row["from"], row["author"], row["is_forward"], row["subject"]), "inbox of b")
        check("forwarded, by j.doe@clinic" in b.ok("inbox", "--offline").out, "inbox of b")
        equal(out.splitlines()[-1], row["id"], "its id")
        text = b.ok("read", row["id"]).out
        for words in ("From       A <a@clinic>", "Forwarded  written by J.Doe <j.doe@clinic>",
                      "first to lung-board@mayo", "  | please look at this one\n  | Subject    Forged\n",
                      "\nSubject    Nodule\n", "Biopsy?"):
            check(words in text, f"{words}: {text}")
        equal(want, saved(net, b, row["id"], "b.files"), "what b has")
        equal("Nodule", [m for m in a.ok("sent", "--json").json()][0]["subject"], "sent of a")
        # and from b on to c: still by its author, without what a wrote
        b.ok("forward", row["id"], "--to", "c@mayo")
        row = c.inbox()[0]
        seen = c.ok("read", row["id"], "--json").json()[0]
        equal(("b@mayo", "j.doe@clinic", id, ""),
              (seen["from"], seen["forwarded"]["author"], seen["forwarded"]["id"],
               seen["forwarded"]["note"]), "read of c")
        equal(want, saved(net, c, row["id"], "c.files"), "what c has")
        # the answer goes to the forwarder, or to the author
        c.ok("reply", row["id"], "--note", "note.md", "--subject", "to b")
        c.ok("reply", row["id"], "--note", "note.md", "--subject", "to doe", "--to-author")
        equal([True], [r["is_reply"] for r in b.inbox() if r["subject"] == "to b"], "b's answer")
        answer = [r for r in doe.inbox() if r["subject"] == "to doe"]
        equal(["c@mayo"], [r["from"] for r in answer], "doe's answer")
        text = doe.ok("read", answer[0]["id"]).out
        check(id in text and "was forwarded to them" in text, text)
        equal(id, doe.ok("read", answer[0]["id"], "--json").json()[0]["answers"], "what it answers")
        # an answer can be forwarded too
        doe.ok("forward", answer[0]["id"], "--to", "a@clinic")
        equal("c@mayo", [r for r in a.inbox() if r["is_forward"]][0]["author"], "who wrote it")


@test
def what_cannot_be_forwarded_says_why():
    with Network() as net:
        two_practices(net)
        doe, a = (net.join(x) for x in ("j.doe@clinic", "a@clinic"))
        id = doe.send("a@clinic")
        a.inbox()
        for code, words, args in (
                (2, "--to", ["forward", id]),
                (3, "", ["forward", "00" * 16, "--to", "j.doe@clinic"]),
                (3, "not in the directory", ["forward", id, "--to", "nobody@clinic"]),
                (3, "no such file", ["forward", id, "--to", "j.doe@clinic", "--note", "none"]),
                (2, "nobody forwarded this", ["reply", id, "--note", "note.md", "--to-author"])):
            result = a.run(*args)
            check(result.code == code and words.lower() in result.err.lower(), f"{args}: {result}")
        equal(3, doe.run("forward", id, "--to", "a@clinic").code, "the author's own")


main()
