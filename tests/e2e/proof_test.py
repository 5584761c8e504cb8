#!/usr/bin/env python3
"""timeout: 600
Receipt proofs: what `consil verify` says of files made after rotation, revocation and
expiry of every key involved, and of forged, altered, moved and foreign ones; and what
tests/proof/verify.py, written from docs/protocol.md alone, says of the same files."""
import base64
import calendar
import hashlib
import os
import sys
import time

from network import TESTS, Network, check, equal, main, run, shifted_clock, test
from root_test import Root, apply, ask, founded
from sanitizer import SANITIZER

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "proof"))
import verify as second  # noqa: E402

TESTS.clear()  # root_test's own

CODES = {second.VALID: 0, second.UNPROVEN: 3, second.INVALID: 4}
VERDICTS = {"valid": second.VALID, "good, time unproven": second.UNPROVEN,
            "invalid": second.INVALID}
NAMES = {"fetched": "ack", "withdrawn": "withdraw"}
MARK = "zq7marker"


def ok(result):
    check(result.code == 0, str(result))
    return result


def seconds(text):
    return text and calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def network_id(net):
    with open(os.path.join(net.net, "genesis"), "rb") as f:
        r = second.Reader(f.read())
    entry = r.take(r.u32())
    body = second.Reader(entry[50:])
    return hashlib.sha256(b"consil/network\0" + entry[10:26] + body.take(body.u16())).digest()


def first_opinion(net, path, *words, env=None):
    """(exit code, verdicts in order) of `consil verify`, without a home."""
    result = run("consil", "verify", path, "--json", *words, env=env, cwd=net.path)
    items, whole = [], None
    for row in result.json():
        if row["kind"] == "receipt proof":
            whole = VERDICTS[row["verdict"]]
        elif row["kind"] == "silence":
            items.append(("silence", VERDICTS[row["verdict"]], None, seconds(row["at"])))
        else:
            items.append((NAMES.get(row["what"], row["what"]), VERDICTS[row["verdict"]],
                          seconds(row["after"]), seconds(row["before"])))
    return result, items, whole


def both(net, path, expected=None, id=None, env=None):
    """Both opinions of a file, which must be the same; returns the items."""
    id = id or network_id(net)
    result, items, whole = first_opinion(net, path, "--network-id", id.hex(), env=env)
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    try:
        verdict, results, why = second.judge(second.unarmour(text), id)
    except second.Refused as e:
        verdict, results, why = second.INVALID, [], str(e)
    theirs = [(r.what, r.verdict, r.after, r.before) for r in results]
    # of what is refused only that it is
    ours = [x if x[1] != second.INVALID else x[1] for x in items]
    theirs = [x if x[1] != second.INVALID else x[1] for x in theirs]
    equal(theirs, ours, f"item by item ({why}): {result}")
    equal(CODES[verdict], result.code, f"the whole ({why}): {result}")
    check(whole in (None, verdict), "the same word")
    if expected is not None:
        equal(expected, verdict, f"{[str(r) for r in results]} {why} {result}")
    return items


def verdicts(items):
    return {what: verdict for what, verdict, _, _ in items}


def export(net, device, id, *words):
    net.exported = getattr(net, "exported", 0) + 1
    path = net.file(f"proof.{net.exported}")
    device.ok("receipt", "export", id, "-o", path, *words)
    return path


def answered(net, sender, reader, *others, text=None):
    """A case that reader has acknowledged, and the sender knows."""
    id = sender.send(reader.name, *(o.name for o in others), subject=MARK, question=MARK)
    reader.ok("sync")
    reader.ok("read", id)
    reader.act("ack", id, *(["--text", text] if text else []))
    sender.ok("sync")
    return id


@test
def what_a_proof_says_and_what_is_not_in_it():
    with Network() as net:
        doe, a, b = net.three()
        net.write("note.md", f"{MARK}\n")
        id = answered(net, doe, a, b)
        path = export(net, doe, id)
        items = both(net, path, second.VALID)
        equal({"custody", "delivered", "opened", "acknowledged", "outcome", "ack"},
              set(verdicts(items)), "what was stated")
        for _, _, after, before in items:
            check(after is not None and after <= before, "an interval")
        with open(path) as f:
            text = f.read()
        raw = second.unarmour(text)
        check(MARK not in text and MARK.encode() not in raw, "nothing of the case")
        said = ok(doe.run("verify", path))
        check("between" in said.out and "relay's clock" in said.out, said.out)
        check("directory of this home" in said.out, said.out)
        said = ok(run("consil", "verify", path, "--root", os.path.join(net.net, "genesis")))
        check("Not checked" in said.out, said.out)
        # what came: own statements and the sender's signature
        items = both(net, export(net, a, id), second.VALID)
        equal(["message", "delivered", "opened", "acknowledged"], [x[0] for x in items], "items")
        # a sentence in an acknowledgement is signed with it, and said to be there
        id = answered(net, doe, a, text="a sentence")
        file = net.file("with-text")
        told = doe.ok("receipt", "export", id, "-o", file)
        check("--no-text" in told.err, told.err)
        check("acknowledged" in verdicts(both(net, file, second.VALID)), "it is in it")
        without = export(net, doe, id, "--no-text")
        check("acknowledged" not in verdicts(both(net, without, second.VALID)), "it is not")
        # nothing is overwritten, nothing is made of nothing
        check(doe.run("receipt", "export", id, "-o", file).code != 0, "it is there")
        equal(3, doe.run("receipt", "export", "abcdef12", "-o", net.file("x")).code, "no such")
        equal(2, doe.run("receipt", "export", id).code, "no -o")
        # a file of another network, a damaged one
        equal(4, run("consil", "verify", path, "--network-id", "00" * 32).code, "another network")
        with open(net.file("cut"), "w") as f:
            f.write(text[:len(text) // 2])
        both(net, net.file("cut"), second.INVALID)


@test
def no_acknowledgement_at_a_time():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic")
        a.ok("sync")
        a.act("read", id)
        doe.ok("sync")
        path = export(net, doe, id, "--no-ack-at", int(time.time()))
        items = both(net, path, second.VALID)
        equal("silence", items[-1][0], "there is one")
        said = ok(doe.run("verify", path))
        check("of 2 devices 1 have stated themselves" in said.out, said.out)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        both(net, export(net, doe, id, "--no-ack-at", stamp), second.VALID)
        a.act("ack", id)
        doe.ok("sync")
        # not any more; what was shown before still holds
        time.sleep(1.1)
        late = export(net, doe, id, "--no-ack-at", int(time.time()))
        items = both(net, late, second.INVALID)
        equal(second.INVALID, items[-1][1], "it is in the log")
        both(net, path, second.VALID)
        # an acknowledgement left out of the leaves is missed
        forge_silence(net, path, late)
        far = doe.run("receipt", "export", id, "-o", net.file("x"), "--no-ack-at", "2090-01-01")
        equal(2, far.code, str(far))
        far = doe.run("receipt", "export", id, "-o", net.file("x"), "--no-ack-at",
                      "2090-01-01T00:00:00Z")
        equal(3, far.code, str(far))
        mine = a.run("receipt", "export", id, "-o", net.file("x"), "--no-ack-at", "1800000000")
        equal(2, mine.code, str(mine))
        b.ok("sync")


def forge_silence(net, path, late):
    p, q = load(path), load(late)
    acked = [second.anchored(second.sha256(b"consil/acked\0", q.m_hash, d))
             for d in second.Statement(q.items[0].statement).recipients]
    for name, change in {
        "left out": lambda v: v.leaves.__setitem__(
            slice(None), [x for x in v.leaves if x not in acked]),
        "exchanged": lambda v: v.leaves.__setitem__(
            slice(None), [bytes(32) if x in acked else x for x in v.leaves]),
        "cut": lambda v: v.leaves.pop(),
        "peaks": lambda v: v.peaks.__setitem__(0, bytes(32)),
        "no peaks": lambda v: v.peaks.clear(),
        "earlier note": lambda v: setattr(v, "note", p.silence.note),
    }.items():
        r = load(late)
        change(r.silence)
        store(net, r, "forged")
        both(net, net.file("forged"), second.INVALID)
        print(f"# silence, {name}: refused")
    r = load(late)
    r.items = r.items[1:]  # no custody statement
    store(net, r, "forged")
    both(net, net.file("forged"), second.INVALID)
    # of another M nothing was acknowledged; but its devices' words name the real one
    r = load(late)
    r.m_hash = bytes(64)
    store(net, r, "forged")
    both(net, net.file("forged"), second.INVALID)


# ------------------------------------------------------------------- variants

def load(path):
    with open(path) as f:
        return second.Proof(second.unarmour(f.read()))


def u(width, n):
    return n.to_bytes(width, "big")


def blob(data):
    return u(4, len(data)) + data


def hashes(rows):
    return u(1, len(rows)) + b"".join(rows)


def item_bytes(v):
    out = u(1, v.how)
    if v.how == second.SENDER:
        return out + v.member + v.device + u(8, v.entry) + v.h_hash + v.signature
    out += blob(v.statement)
    if v.how != second.LOGGED:
        out += v.signature
    if v.how != second.SIGNED:
        out += (v.salt + u(8, v.index) + hashes(v.proof) + blob(v.note) + blob(v.before)
                + hashes(v.consistency))
    return out


def seen_bytes(cp):
    return u(8, cp.size) + cp.root + u(8, cp.time) + cp.incarnation + u(8, cp.counter) + cp.signature


def proof_bytes(p):
    out = b"CSR1" + p.network_id + p.envelope_id + p.e + p.s + p.m_hash + seen_bytes(p.seen)
    out += u(4, len(p.certs)) + b"".join(blob(leaf) + hashes(h) for leaf, h in p.certs)
    out += u(2, len(p.items)) + b"".join(item_bytes(v) for v in p.items)
    if p.silence:
        out += (b"\1" + blob(p.silence.note) + hashes(p.silence.peaks)
                + u(4, len(p.silence.leaves)) + b"".join(p.silence.leaves))
    else:
        out += b"\0"
    return out + hashlib.sha256(out).digest()


def armour(raw):
    text = base64.b64encode(raw).decode()
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return (f"-----BEGIN CONSIL RECEIPT PROOF-----\n{lines}\n"
            "-----END CONSIL RECEIPT PROOF-----\n")


def store(net, p, name):
    with open(net.file(name), "w") as f:
        f.write(armour(p if isinstance(p, bytes) else proof_bytes(p)))


def flip(data, at=0):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def by_fact(p, fact):
    return next(v for v in p.items
                if v.how != second.SENDER and v.statement.startswith(f"consil/{fact}\0".encode()))


def put(v, **values):
    for name, value in values.items():
        setattr(v, name, value)


def take(v, other, *names):
    put(v, **{name: getattr(other, name) for name in names})


ENTERED = ("salt", "index", "proof", "note", "before", "consistency")


def variants(other):
    """name -> (change, verdict or None): of a whole proof. other: a proof of another
    message of the same people."""
    def on(fact, change):
        return lambda p: change(by_fact(p, fact))

    facts = ("custody", "delivered", "opened", "acknowledged", "outcome", "ack")
    bad, open_ = second.INVALID, second.UNPROVEN
    yield "untouched", lambda p: None, second.VALID
    for fact in facts:
        yield f"{fact}: statement altered", on(
            fact, lambda v: put(v, statement=flip(v.statement, -1))), bad
        yield f"{fact}: its time altered", on(
            fact, lambda v, f=fact: put(v, statement=flip(v.statement, len(f) + 8 + 120 + 7))), bad
        yield f"{fact}: another salt", on(fact, lambda v: put(v, salt=flip(v.salt))), bad
        yield f"{fact}: another place", on(fact, lambda v: put(v, index=v.index + 1)), bad
        yield f"{fact}: proof cut", on(fact, lambda v: put(v, proof=v.proof[:-1])), bad
        yield f"{fact}: of another message", lambda p, f=fact: p.items.__setitem__(
            p.items.index(by_fact(p, f)), by_fact(other, f)), bad
        yield f"{fact}: nothing before", on(
            fact, lambda v: put(v, before=b"", consistency=[])), open_
        yield f"{fact}: after for before", on(
            fact, lambda v: put(v, before=v.note, consistency=[])), bad
    for fact in ("delivered", "opened", "acknowledged", "ack"):
        yield f"{fact}: signature altered", on(
            fact, lambda v: put(v, signature=flip(v.signature))), bad
        yield f"{fact}: signature of another", lambda p, f=fact: put(
            by_fact(p, f), signature=by_fact(other, f).signature), bad
    for fact in ("delivered", "opened", "acknowledged"):
        yield f"{fact}: without its anchor", on(fact, lambda v: put(v, how=second.SIGNED)), open_
        yield f"{fact}: as if the relay had logged it", on(
            fact, lambda v: put(v, how=second.LOGGED)), bad
        yield f"{fact}: as if shown", on(fact, lambda v: put(v, how=second.SHOWN)), bad
        yield f"{fact}: place of another", lambda p, f=fact: take(
            by_fact(p, f), by_fact(other, f), *ENTERED), bad
    yield "ack as if anchored", on("ack", lambda v: put(v, how=second.ANCHORED)), bad
    yield "ack without its place", on("ack", lambda v: put(v, how=second.SIGNED)), bad
    yield "custody as if signed", on("custody", lambda v: put(
        v, how=second.SIGNED, signature=bytes(64))), bad
    yield "said twice", lambda p: p.items.append(by_fact(p, "opened")), second.VALID
    yield "note altered", on("custody", lambda v: put(
        v, note=v.note.replace(b"\ntime 1", b"\ntime 2"))), bad
    yield "note of nobody", on("custody", lambda v: put(
        v, note=v.note[:v.note.rindex(b" ") + 1] + base64.b64encode(bytes(68)) + b"\n")), bad
    yield "consistency altered", on("ack", lambda v: put(
        v, consistency=[flip(h) for h in v.consistency] or [bytes(32)])), bad
    yield "consistency of nothing", on("custody", lambda v: put(
        v, before=b"", consistency=[bytes(32)])), bad
    yield "E altered", lambda p: put(p, e=flip(p.e)), bad
    yield "S altered", lambda p: put(p, s=flip(p.s)), bad
    yield "SHA-512(M) altered", lambda p: put(p, m_hash=flip(p.m_hash)), bad
    yield "envelope_id altered", lambda p: put(p, envelope_id=flip(p.envelope_id)), bad
    yield "head of another message", lambda p: take(
        p, other, "envelope_id", "e", "s", "m_hash"), bad
    yield "network altered", lambda p: put(p, network_id=flip(p.network_id)), bad
    yield "directory checkpoint altered", lambda p: put(p.seen, time=p.seen.time + 1), bad
    yield "directory checkpoint unsigned", lambda p: put(p.seen, signature=bytes(64)), bad
    yield "root left out", lambda p: p.certs.pop(0), bad
    yield "entries out of order", lambda p: p.certs.reverse(), bad
    yield "an entry twice", lambda p: p.certs.append(p.certs[-1]), bad
    yield "an entry in the wrong place", lambda p: p.certs.__setitem__(
        -1, (p.certs[-1][0], p.certs[-2][1])), bad
    yield "no entries but the root", lambda p: p.certs.__delitem__(slice(1, None)), bad
    yield "the last entry left out", lambda p: p.certs.pop(), None
    yield "the last two left out", lambda p: p.certs.__delitem__(slice(-2, None)), None
    yield "an entry dated otherwise", lambda p: p.certs.__setitem__(
        -1, (flip(p.certs[-1][0], 15), p.certs[-1][1])), bad
    yield "a key exchanged", lambda p: p.certs.__setitem__(
        -1, (flip(p.certs[-1][0], -80), p.certs[-1][1])), bad
    yield "nothing stated", lambda p: p.items.clear(), bad


@test
def forged_altered_moved_and_foreign_ones():
    with Network() as net, Network() as elsewhere:
        doe, a, _ = net.three()
        answered(net, doe, a)
        path = export(net, doe, answered(net, doe, a))
        other = load(export(net, doe, answered(net, doe, a)))
        foreign_doe, foreign_a, _ = elsewhere.three()
        foreign = export(elsewhere, foreign_doe, answered(elsewhere, foreign_doe, foreign_a))
        n = 0
        for name, change, expected in variants(other):
            p = load(path)
            change(p)
            store(net, p, "variant")
            try:
                both(net, net.file("variant"), expected)
            except Exception as e:
                raise type(e)(f"{name}: {e}") from e
            n += 1
        # of another network: its people, or its statements among ours
        both(net, foreign, second.INVALID)
        both(elsewhere, foreign, second.VALID)
        p = load(path)
        p.items.append(by_fact(load(foreign), "opened"))
        store(net, p, "variant")
        both(net, net.file("variant"), second.INVALID)
        p = load(path)
        p.certs = load(foreign).certs
        store(net, p, "variant")
        both(net, net.file("variant"), second.INVALID)
        # bytes altered anywhere, with the sum made right
        raw = proof_bytes(load(path))
        for i in range(24):
            at = 4 + i * (len(raw) - 40) // 24
            changed = flip(raw, at)[:-32]
            store(net, changed + hashlib.sha256(changed).digest(), "variant")
            both(net, net.file("variant"))
            n += 1
        for cut in (raw[:-1], raw + b"\0", raw[:100], b"CSR2" + raw[4:], b""):
            store(net, cut, "variant")
            both(net, net.file("variant"), second.INVALID)
            n += 1
        # of what came: the sender's signature
        came = export(net, a, other.envelope_id.hex())
        mine = load(path)
        for change in (lambda v: put(v, signature=flip(v.signature)),
                       lambda v: put(v, h_hash=flip(v.h_hash)),
                       lambda v: put(v, entry=v.entry - 1),
                       lambda v: put(v, member=flip(v.member)),
                       lambda v: put(v, device=second.Statement(
                           by_fact(mine, "opened").statement).device)):
            p = load(came)
            change(p.items[0])
            store(net, p, "variant")
            both(net, net.file("variant"), second.INVALID)
            n += 1
        p = load(came)
        p.items = p.items[:1]  # nothing shows when
        store(net, p, "variant")
        both(net, net.file("variant"), second.UNPROVEN)
        print(f"# {n} variants")
        check(n >= 40, "enough of them")


# ------------------------------------------------- keys that end or are changed

@test
def after_the_devices_keys_were_rotated():
    with Network() as net:
        doe, a, b = net.three()
        id = answered(net, doe, a)
        before = export(net, doe, id)
        time.sleep(1.1)
        a.ok("keys", "rotate")
        doe.ok("keys", "rotate")
        doe.ok("sync")
        both(net, before, second.VALID)
        after = export(net, doe, id)
        both(net, after, second.VALID)
        ok(doe.run("verify", before))
        ok(doe.run("verify", after))
        both(net, export(net, a, id), second.VALID)
        # with the new keys, and those of before in the same file
        both(net, export(net, doe, answered(net, doe, a)), second.VALID)
        # what was signed by the old key and is in no log from before its end
        p = load(after)
        put(by_fact(p, "opened"), how=second.SIGNED)
        store(net, p, "unanchored")
        both(net, net.file("unanchored"), second.UNPROVEN)
        b.ok("sync")


@test
def after_revocations():
    with Network() as net:
        doe, a, b = net.three()
        kept = {}
        for device in (a, b):
            kept[device.name] = answered(net, doe, device)
        old = {name: export(net, doe, id) for name, id in kept.items()}
        time.sleep(1.1)
        now = time.strftime("%Y-%m-%d", time.gmtime())
        id_of = {name: ok(net.admin("devices", name, "--json")).json()[0]["id"] for name in old}
        # lost after it signed: what was in the log before counts
        ok(net.admin("revoke", "device", id_of["a@clinic"], "--reason", "lost", "--yes"))
        doe.ok("sync")
        both(net, old["a@clinic"], second.VALID)
        ok(doe.run("verify", old["a@clinic"]))
        path = export(net, doe, kept["a@clinic"])
        both(net, path, second.VALID)
        p = load(path)
        put(by_fact(p, "acknowledged"), how=second.SIGNED)
        store(net, p, "unanchored")
        both(net, net.file("unanchored"), second.UNPROVEN)
        # in other hands since before it signed: nothing of it counts
        ok(net.admin("revoke", "device", id_of["b@clinic"], "--reason", "compromised",
                     "--compromised-since", now, "--yes"))
        doe.ok("sync")
        path = export(net, doe, kept["b@clinic"])
        items = verdicts(both(net, path, second.INVALID))
        equal(second.VALID, items["custody"], "the relay's word stays")
        equal(second.INVALID, items["acknowledged"], "the device's does not")
        # a file from before leaves the revocation out: only a home sees it
        both(net, old["b@clinic"], second.VALID)
        said = doe.run("verify", old["b@clinic"])
        equal(4, said.code, str(said))
        check("directory of this home" in said.out, said.out)
        # the practice, later
        third = net.join("c@clinic")
        id = answered(net, doe, third)
        time.sleep(1.1)
        ok(net.admin("revoke", "org", "clinic", "--reason", "left", "--yes"))
        doe.ok("sync")
        both(net, export(net, doe, id), second.VALID)


@test
def after_the_relays_keys_were_rotated():
    with Network() as net:
        doe, a, _ = net.three()
        id = answered(net, doe, a)
        before = export(net, doe, id)
        time.sleep(1.1)
        ok(net.admin("rotate", "relay"))
        doe.ok("sync")
        both(net, before, second.VALID)
        both(net, export(net, doe, id), second.VALID)
        next_id = answered(net, doe, a)
        both(net, export(net, doe, next_id), second.VALID)
        ok(doe.run("verify", before))
        # by the old key, of a time after it
        p = load(export(net, doe, next_id))
        q = load(before)
        take(by_fact(p, "custody"), by_fact(q, "custody"), "note")
        store(net, p, "variant")
        both(net, net.file("variant"), second.INVALID)
        silent = doe.send("a@clinic")
        both(net, export(net, doe, silent, "--no-ack-at", int(time.time())), second.VALID)


@test
def after_root_and_registrar_were_rotated():
    with Root() as root, founded(root) as net:
        doe, a, _ = net.three()
        id = answered(net, doe, a)
        before = export(net, doe, id)
        root.make("d", "e", "f")
        request = ask(net, "rotate", "registrar")
        ok(apply(net, *root.sign(request, "a", "b")))
        request = ask(net, "rotate", "root", *root.cards("d", "e", "f"), "--threshold", "2")
        ok(apply(net, *root.sign(request, "a", "d", "c", "e")))
        late = net.join("late@clinic")  # certified by the registrar's next key
        for device in (doe, a):
            device.ok("sync")
        both(net, before, second.VALID)
        both(net, export(net, doe, id), second.VALID)
        path = export(net, doe, answered(net, doe, late))
        both(net, path, second.VALID)
        # version 2 of the root left out, or with one signature less
        p = load(path)
        roots = [i for i, (leaf, _) in enumerate(p.certs) if second.Entry(leaf).type == second.ROOT]
        equal(2, len(roots), "both versions")
        leaf, places = p.certs[roots[1]]
        e = second.Entry(leaf)
        head = leaf[:16] + e.core
        for keep in (e.signatures[:-1], e.signatures[1:], e.signatures[:2]):
            p.certs[roots[1]] = (head + u(1, len(keep)) + b"".join(
                u(1, n) + s for n, s in keep), places)
            store(net, p, "variant")
            both(net, net.file("variant"), second.INVALID)


@test
def after_the_registrar_was_revoked():
    with Network() as net:
        doe, a, _ = net.three()
        id = answered(net, doe, a)
        ok(net.admin("revoke", "registrar", "self", "--reason", "superseded", "--yes"))
        doe.ok("sync")
        both(net, export(net, doe, id), second.VALID)
        next_id = answered(net, doe, a)
        both(net, export(net, doe, next_id), second.VALID)


@test
def after_an_extension_and_a_withdrawal():
    with Network() as net:
        doe, a, b = net.three()
        id = doe.send("a@clinic", "b@clinic")
        a.ok("sync")
        a.ok("read", id)
        a.act("ack", id)
        doe.ok("sent", "extend", id, "--days", "60")
        doe.ok("sync")
        items = both(net, export(net, doe, id), second.VALID)
        equal(2, [x[0] for x in items].count("custody"), "the first, and the newest")
        # what was acknowledged before the extension is not hidden by it
        time.sleep(1.1)
        items = both(net, export(net, doe, id, "--no-ack-at", int(time.time())), second.INVALID)
        equal(second.INVALID, items[-1][1], "a has acknowledged")
        p = load(export(net, doe, id, "--no-ack-at", int(time.time())))
        p.items = [v for v in p.items if v is not by_fact(p, "custody")]
        store(net, p, "variant")
        both(net, net.file("variant"), second.INVALID)
        # b never fetched it: the sender's own word ends that
        doe.ok("withdraw", id, "--reason", "wrong-recipient")
        doe.ok("sync")
        path = export(net, doe, id)
        equal(second.VALID, verdicts(both(net, path, second.VALID))["withdraw"], "by the sender")
        p = load(path)
        v = by_fact(p, "withdraw")
        put(v, signature=flip(v.signature))
        store(net, p, "variant")
        both(net, net.file("variant"), second.INVALID)
        b.ok("sync")


@test
def years_later():
    if SANITIZER:
        return
    with Network() as net:
        doe, a, _ = net.three()
        path = export(net, doe, answered(net, doe, a))
        # vetting, registrar and epochs have all expired: what held then holds
        both(net, path, second.VALID, env=shifted_clock(40 * 365 * 86400))


@test
def without_a_relay_and_what_is_in_no_log():
    with Network() as net:
        doe, a, _ = net.three()
        id = answered(net, doe, a)
        net.stop()
        path = net.file("offline")
        told = doe.run("receipt", "export", id, "-o", path)
        check(told.code == 0 and "made of what is here" in told.err, str(told))
        both(net, path, second.VALID)
        equal(0, doe.run("verify", path, "--offline").code, "and judged")
        # for silence it takes the relay's log; of what it never had there is nothing
        silent = doe.run("receipt", "export", id, "-o", net.file("x"), "--no-ack-at", "1800000000")
        equal(5, silent.code, str(silent))
        queued = doe.run("send", "--to", "a@clinic", "--subject", "S", "--question", "Q",
                         "--note", "note.md").last_line
        nothing = doe.run("receipt", "export", queued, "-o", net.file("x"))
        equal(3, nothing.code, str(nothing))
        check("nothing was stated" in nothing.err, nothing.err)
        silent = doe.run("receipt", "export", queued, "-o", net.file("x"), "--no-ack-at",
                         "1800000000")
        equal(3, silent.code, str(silent))
        equal(False, os.path.exists(net.file("x")), "no file of it")


if __name__ == "__main__":
    main()
