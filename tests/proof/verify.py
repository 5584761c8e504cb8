#!/usr/bin/env python3
"""verify.py FILE NETWORK_ID: judges a receipt proof, knowing nothing but the id of
the network. Written from docs/protocol.md alone (sections 1, 6, 7 and 10): the second
opinion on what `consil verify FILE --network-id NETWORK_ID` says.

One line an item, `what verdict after before` (unix seconds or -), then silence if there
is any, then the whole. Exit code 0 valid, 3 good but time unproven, 4 invalid."""
import base64
import hashlib
import re
import sys

from ed25519 import verify as ed_verify

NONE = 2**64 - 1
INVALID, UNPROVEN, VALID = 1, 2, 3
NAMES = {INVALID: "invalid", UNPROVEN: "unproven", VALID: "valid"}
HOUR = 3600


class Refused(Exception):
    pass


def need(ok, why="layout"):
    if not ok:
        raise Refused(why)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, n):
        need(n <= self.left(), "ends early")
        self.at += n
        return self.data[self.at - n:self.at]

    def num(self, width):
        return int.from_bytes(self.take(width), "big")

    def u8(self):
        return self.num(1)

    def u16(self):
        return self.num(2)

    def u32(self):
        return self.num(4)

    def u64(self):
        return self.num(8)

    def choice(self, *values):
        v = self.u8()
        need(v in values, f"value {v}")
        return v

    def blob(self, least, most):
        n = self.u32()
        need(least <= n <= most, f"length {n}")
        return self.take(n)

    def text(self, width, least, most):
        n = self.num(width)
        need(least <= n <= most, f"length {n}")
        raw = self.take(n)
        try:
            need("\0" not in raw.decode(), "NUL")
        except UnicodeDecodeError:
            raise Refused("UTF-8") from None
        return raw

    def hashes(self):
        n = self.u8()
        need(n <= 64, "too many hashes")
        return [self.take(32) for _ in range(n)]

    def rows(self, n, width, key=16):
        rows = [self.take(width) for _ in range(n)]
        need(all(a[:key] < b[:key] for a, b in zip(rows, rows[1:])), "rows do not ascend")
        return rows

    def end(self):
        need(self.left() == 0, "trailing bytes")


# ------------------------------------------------------------------ Merkle (1)

def leaf_hash(data):
    return sha256(b"\0", data)


def node(a, b):
    return sha256(b"\1", a, b)


def check_inclusion(leaf, index, size, proof, root):
    """RFC 9162 section 2.1.3.2."""
    need(index < size, "index beyond the tree")
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        need(sn > 0, "proof too long")
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and r == root, "not in the tree")


def check_consistency(old, new, proof, old_root, root):
    """RFC 9162 section 2.1.4.2."""
    need(0 < old <= new, "sizes")
    if old == new:
        need(not proof and old_root == root, "two roots of one size")
        return
    if old & (old - 1) == 0:
        proof = [old_root, *proof]
    need(proof, "no proof")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        need(sn > 0, "proof too long")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == old_root and sr == root, "not of one log")


class Tree:
    """Grows leaf by leaf from the peaks of an earlier size."""

    def __init__(self, size, peaks):
        levels = [k for k in range(63, -1, -1) if size >> k & 1]
        need(len(levels) == len(peaks), "number of peaks")
        self.size, self.nodes = size, dict(zip(levels, peaks))

    def add(self, data):
        h, k = leaf_hash(data), 0
        while self.size >> k & 1:
            h, k = node(self.nodes.pop(k), h), k + 1
        self.nodes[k] = h
        self.size += 1

    def root(self):
        r = None
        for k in sorted(self.nodes):
            r = self.nodes[k] if r is None else node(self.nodes[k], r)
        return r


# ------------------------------------------------------------- checkpoints (7)

class Checkpoint:
    pass


def number(text):
    need(re.fullmatch("0|[1-9][0-9]*", text) and int(text) < 2**64, "number")
    return int(text)


def unbase64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("base64") from None
    need(base64.b64encode(raw).decode() == text, "base64")
    return raw


def body_of(origin, cp):
    return (f"{origin}\n{cp.size}\n{base64.b64encode(cp.root).decode()}\ntime {cp.time}\n"
            f"incarnation {cp.incarnation.hex()} {cp.counter}\n").encode()


def read_note(note, origin, key):
    """A note signed by key, or Refused."""
    need(len(note) <= 4096)
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise Refused("UTF-8") from None
    need(not any(c < " " and c != "\n" for c in text), "control character")
    at = text.rfind("\n\n")
    need(at >= 0, "no blank line")
    body, lines = text[:at + 1], text[at + 2:]
    need(lines.endswith("\n"), "no line end")
    parts = body.split("\n")
    need(len(parts) == 6 and parts[0] == origin, "origin or lines")
    cp = Checkpoint()
    cp.size, cp.root = number(parts[1]), unbase64(parts[2])
    need(len(cp.root) == 32 and parts[3].startswith("time "))
    cp.time = number(parts[3][5:])
    m = re.fullmatch("incarnation ([0-9a-f]{32}) ([0-9]+)", parts[4])
    need(m)
    cp.incarnation, cp.counter = bytes.fromhex(m[1]), number(m[2])
    key_hash = sha256(origin.encode(), b"\n\1", key)[:4]
    for line in lines[:-1].split("\n"):
        m = re.fullmatch("— ([^ +]+) ([A-Za-z0-9+/=]+)", line)
        need(m, "signature line")
        raw = unbase64(m[2])
        need(len(raw) > 4)
        if m[1] == origin and raw[:4] == key_hash:
            need(len(raw) == 68 and ed_verify(key, body.encode(), raw[4:]), "note signature")
            return cp
    raise Refused("not signed by that key")


def read_seen(r):
    cp = Checkpoint()
    cp.size, cp.root, cp.time = r.u64(), r.take(32), r.u64()
    cp.incarnation, cp.counter, cp.signature = r.take(16), r.u64(), r.take(64)
    return cp


# --------------------------------------------------------------- directory (7)

ROOT, REGISTRAR, RELAY, ORGANISATION, MEMBER, DEVICE, ROTATE, REVOKE = 1, 2, 3, 6, 7, 8, 9, 13
OWN = {ROOT, REGISTRAR, RELAY, ORGANISATION, MEMBER, DEVICE}
BODIES = {
    ROOT: (("version", 4), ("threshold", 1), ("keys", "keys"), ("name", "str")),
    REGISTRAR: (("key", "32"), ("valid_until", 8), ("name", "str")),
    RELAY: (("noise_key", "32"), ("sign_key", "32"), ("url", "str")),
    ORGANISATION: (("handle", "str"), ("name", "str"), ("vetting_hash", "32"), ("decision", 1),
                   ("co_registrar", "16"), ("valid_until", 8)),
    MEMBER: (("organisation", "16"), ("enrol_key", "32"), ("enrol_expires", 8),
             ("address", "str"), ("name", "str"), ("role", "str"), ("npi", "str"),
             ("specialty", "str"), ("licence_state", "str"), ("licence_number", "str"),
             ("licence_until", 8)),
    DEVICE: (("member", "16"), ("sign_key", "32"), ("kind", 1), ("enrol_expires", 8),
             ("name", "str")),
    ROTATE: (("sign_key", "32"), ("proof", "64")),
    REVOKE: (("reason", 1), ("since", 8)),
}


class Entry:
    def __init__(self, leaf):
        r = Reader(leaf)
        self.seq, self.logged_at = r.u64(), r.u64()
        from_ = r.at
        need(r.u8() == 1, "version")
        self.type, self.time, self.subject = r.u8(), r.u64(), r.take(16)
        self.prev, self.authority = r.u64(), r.take(16)
        self.raw_body = r.take(r.u16())
        self.core = leaf[from_:r.at]
        self.signatures = [(r.u8(), r.take(64)) for _ in range(r.u8())]
        r.end()
        numbers = [n for n, _ in self.signatures]
        need(numbers and numbers == sorted(set(numbers)), "signatures")
        need(self.type in BODIES, "an entry that does not belong here")
        b = Reader(self.raw_body)
        for name, kind in BODIES[self.type]:
            if kind == "str":
                value = b.text(1, 0, 255)
            elif kind == "keys":
                value = b.rows(b.u8(), 32, 32)
                need(1 <= self.threshold <= len(value) <= 16)
            elif isinstance(kind, str):
                value = b.take(int(kind))
            else:
                value = b.num(kind)
            setattr(self, name, value)
        b.end()


class Subject:
    def __init__(self, entry):
        self.id, self.type = entry.subject, entry.type
        self.entries, self.rotations, self.revokes = [], [], []
        self.used, self.devices = False, []  # of a member

    def newest(self):
        return self.entries[-1]

    def revoked(self):
        return bool(self.revokes)

    def ends(self):
        return min((r.logged_at if not r.since else min(r.since, r.logged_at)
                    for r in self.revokes), default=NONE)

    def compromised(self):
        return any(r.since for r in self.revokes)

    def key(self):
        return self.rotations[-1].sign_key if self.rotations else self.newest().sign_key

    def pending(self):
        return self.newest().enrol_expires != 0 and not self.rotations


class Directory:
    """Some leaves of a log, in order, taken by its rules."""

    def __init__(self, network_id):
        self.network_id = network_id
        self.subjects, self.by_seq = {}, {}
        self.seq, self.logged_at = -1, 0
        self.relays = []  # (from seq, entry or None)

    def find(self, id, *types):
        s = self.subjects.get(id)
        return s if s and (not types or s.type in types) else None

    def must(self, id, *types):
        s = self.find(id, *types)
        need(s, "rests on what is not here")
        return s

    # -- standing

    def certified_from(self, entry):
        """No authority on the way up was compromised when it signed."""
        while entry.type != ROOT:
            by = self.must(entry.authority)
            need(not (by.compromised() and entry.logged_at >= by.ends()), "not certified")
            if entry.type == ORGANISATION and entry.decision == 2:
                other = self.must(entry.co_registrar)
                need(not (other.compromised() and entry.logged_at >= other.ends()),
                     "not certified")
            if by.type == ROOT:
                return
            before = [e for e in by.entries if e.seq < entry.seq]
            entry = before[-1] if before else by.entries[0]

    def certified(self, subject):
        self.certified_from(subject.newest())

    def certified_then(self, subject, at):
        then = [e for e in subject.entries if e.logged_at <= at]
        self.certified_from(then[-1] if then else subject.entries[0])

    def vetted(self, organisation, now):
        need(not organisation.revoked() and organisation.newest().decision != 3)
        self.certified(organisation)
        need(now <= organisation.newest().valid_until, "vetting lapsed")

    def registrar_acts(self, registrar, now):
        need(not registrar.revoked() and now <= registrar.newest().valid_until)

    def member_acts(self, member):
        organisation = self.must(member.newest().organisation, ORGANISATION)
        need(not member.revoked() and not organisation.revoked(), "revoked")

    # -- signatures

    def quorum(self, e, root, base, message):
        mine = [(n - base, s) for n, s in e.signatures if base <= n < base + 16]
        need(len(mine) >= root.threshold, "too few signatures")
        for n, s in mine:
            need(n < len(root.keys) and ed_verify(root.keys[n], message, s), "root signature")

    def check_root_signatures(self, e, message):
        before = self.find(e.authority, ROOT)
        if e.type != ROOT:
            self.quorum(e, before.newest(), 0, message)
            need(all(n < 16 for n, _ in e.signatures))
            return
        self.quorum(e, e, 0, message)
        if before:
            self.quorum(e, before.newest(), 128, message)
        else:
            need(all(n < 16 for n, _ in e.signatures))

    def check_one(self, e, by, subject, message):
        waiver = e.type == ORGANISATION and e.decision == 2
        need(len(e.signatures) == (2 if waiver else 1) and e.signatures[0][0] == 0)
        key = (by.newest().key if by.type == REGISTRAR else
               by.key() if by.type == DEVICE else by.newest().enrol_key)
        need(ed_verify(key, message, e.signatures[0][1]), "entry signature")
        need(not by.revoked(), "authority revoked")
        if by.type == REGISTRAR:
            self.registrar_acts(by, e.logged_at)
        else:
            member = by if by.type == MEMBER else self.must(by.newest().member, MEMBER)
            self.member_acts(member)
            self.certified(by)
        if by.type == DEVICE and by.pending():
            need(by is subject and e.logged_at <= by.newest().enrol_expires)
        if by.type == MEMBER:
            usable = [d for d in by.devices if not d.revoked()]
            need(not by.used and not usable, "invitation used")
            need(e.logged_at <= by.newest().enrol_expires, "invitation expired")
        if waiver:
            other = self.must(e.co_registrar, REGISTRAR)
            need(other is not by and e.signatures[1][0] == 1)
            need(ed_verify(other.newest().key, message, e.signatures[1][1]))
            self.registrar_acts(other, e.logged_at)

    # -- rules of each type

    def check_type(self, e, by, subject):
        kind = by.type if by else ROOT
        if e.type == ROOT:
            need(kind == ROOT)
            need(e.version == (subject.newest().version + 1 if subject else 1), "root version")
        elif e.type == REGISTRAR:
            need(kind == ROOT)
        elif e.type == RELAY:
            need(kind == REGISTRAR)
        elif e.type == ORGANISATION:
            need(kind == REGISTRAR)
            need(e.decision in (1, 2, 3) and (e.decision == 2) == (e.co_registrar != bytes(16)))
            self.check_name(subject, e.handle, "handle")
        elif e.type == MEMBER:
            need(kind == REGISTRAR)
            organisation = self.must(e.organisation, ORGANISATION)
            self.vetted(organisation, e.logged_at)
            need(e.address.split(b"@")[-1] == organisation.newest().handle)
            self.check_name(subject, e.address, "address")
            need(not subject or subject.newest().organisation == e.organisation)
            need(not subject or not subject.devices
                 or (subject.newest().role == b"archive") == (e.role == b"archive"))
            need(e.enrol_expires == 0 or e.logged_at <= e.enrol_expires)
        elif e.type == DEVICE:
            need(kind in (MEMBER, DEVICE) and not subject)
            member = self.must(e.member, MEMBER)
            need(e.member == (by.newest().member if kind == DEVICE else by.id))
            need(e.kind in (1, 2) and (member.newest().role == b"archive") == (e.kind == 2))
            need((kind == DEVICE) == (e.enrol_expires != 0))
            need(len([d for d in member.devices if not d.revoked()]) < 16)
            self.vetted(self.must(member.newest().organisation), e.logged_at)
        elif e.type == ROTATE:
            need(by is subject)
            need(ed_verify(e.sign_key, b"consil/rotate\0" + self.network_id + subject.id
                           + subject.key(), e.proof), "proof of the next key")
        elif e.type == REVOKE:
            need(e.reason in (1, 2, 3, 4, 5) and subject.type != ROOT)
            if kind == DEVICE:
                takes_back = (subject.type == DEVICE and subject.pending()
                              and subject.newest().member == by.newest().member)
                need(e.since == 0 and (by is subject or takes_back))
            elif kind == ROOT:
                need(subject.type == REGISTRAR)
            else:
                need(kind == REGISTRAR and (subject.type != REGISTRAR or by is subject))

    def check_name(self, subject, name, attribute):
        for other in self.subjects.values():
            if other is not subject and other.type in OWN:
                need(getattr(other.newest(), attribute, None) != name, "name taken")
        need(not subject or getattr(subject.newest(), attribute) == name, "name changed")

    def add(self, leaf):
        e = Entry(leaf)
        first = self.seq < 0
        need(e.seq == 0 if first else e.seq > self.seq, "seq")
        need(e.logged_at >= self.logged_at, "logged_at")
        subject, by = self.find(e.subject), self.find(e.authority)
        if first:
            need(e.type == ROOT and e.subject == e.authority)
            need(sha256(b"consil/network\0", e.subject, e.raw_body) == self.network_id,
                 "another network")
        else:
            need(by, "authority is not here")
        if subject:
            chain = {ROTATE: subject.rotations, REVOKE: subject.revokes}.get(e.type)
            need(chain is not None or subject.type == e.type, "an id of another kind")
            need(e.type != ROTATE or subject.type == DEVICE)
            chain = subject.entries if chain is None else chain
            need(e.prev == (chain[-1].seq if chain else NONE), "prev")
            need(e.type == REVOKE or not subject.revoked(), "revoked")
        else:
            need(e.type in OWN and e.prev == NONE, "prev")
        message = b"consil/directory\0" + self.network_id + e.core
        if by is None or by.type == ROOT:
            need(e.type in (ROOT, REGISTRAR, REVOKE))
            self.check_root_signatures(e, message)
        else:
            need(by.type in (REGISTRAR, MEMBER, DEVICE))
            need(by.type != MEMBER or e.type == DEVICE)
            self.check_one(e, by, subject, message)
        self.check_type(e, by, subject)
        self.apply(e, by, subject)

    def apply(self, e, by, subject):
        if not subject:
            subject = self.subjects[e.subject] = Subject(e)
        if e.type == MEMBER and subject.entries:
            if subject.newest().enrol_key != e.enrol_key:
                subject.used = False
        {ROTATE: subject.rotations, REVOKE: subject.revokes}.get(
            e.type, subject.entries).append(e)
        if e.type == DEVICE:
            member = self.subjects[e.member]
            member.devices.append(subject)
            member.used = member.used or by.type == MEMBER
        if e.type == RELAY:
            self.relays.append((e.seq, e))
        if e.type == REVOKE and subject.type == RELAY:
            left = [s.newest() for s in self.subjects.values()
                    if s.type == RELAY and not s.revoked()]
            self.relays.append((e.seq, max(left, key=lambda x: x.seq) if left else None))
        self.by_seq[e.seq] = e
        self.seq, self.logged_at = e.seq, e.logged_at

    # -- look-ups

    def relay_entries(self):
        return [e for e in self.by_seq.values() if e.type == RELAY]

    def is_past(self, entry, time):
        """The relay had its next key by then."""
        later = [e for e in self.relay_entries() if e.subject == entry.subject
                 and e.seq > entry.seq and e.sign_key != entry.sign_key]
        return bool(later) and time > min(later, key=lambda e: e.seq).logged_at

    def check_seen(self, cp):
        origin = f"consil/directory/{self.network_id.hex()}"
        rows = [e for from_, e in self.relays if from_ < cp.size]
        body = body_of(origin, cp)

        def is_by(e):
            return ed_verify(e.sign_key, body, cp.signature) and not self.is_past(e, cp.time)
        if rows and rows[-1] and is_by(rows[-1]):
            return
        need(any(is_by(e) for e in self.relay_entries()
                 if not self.subjects[e.subject].revoked()), "the directory is not signed")

    def read_receipts(self, note):
        """(checkpoint, relay entry) of a note over a receipt log."""
        for e in reversed(self.relay_entries()):
            origin = f"consil/receipts/{self.network_id.hex()}/{e.subject.hex()}"
            try:
                cp = read_note(note, origin, e.sign_key)
            except Refused:
                continue
            if not self.is_past(e, cp.time) and cp.time < self.subjects[e.subject].ends():
                return cp, e
        raise Refused("the checkpoint is not the relay's")

    def key_ends(self, device, seq):
        later = [r.logged_at for r in device.rotations if r.seq > seq]
        member = self.subjects[device.newest().member]
        organisation = self.subjects[member.newest().organisation]
        return min(later[:1] + [device.ends(), member.ends(), organisation.ends(), NONE])

    def signer(self, device_id, member_id, seq, time):
        """The key, if it is certified and had not ended by then."""
        e = self.by_seq.get(seq)
        need(e and e.subject == device_id and e.type in (DEVICE, ROTATE), "no such key")
        need(e.type == ROTATE or e.enrol_expires == 0, "a one-time key")
        device = self.subjects[device_id]
        need(device.newest().member == member_id, "not that member's")
        need(time < self.key_ends(device, seq), "the key had ended")
        self.certified(device)
        member = self.subjects[device.newest().member]
        self.certified_then(self.subjects[member.newest().organisation], time)
        return e.sign_key


# -------------------------------------------------------------- statements (6)

FACTS = ("custody", "delivered", "opened", "acknowledged", "outcome", "ack", "withdraw", "purged")
ABOUT_CONTENT = ("delivered", "opened", "acknowledged", "purged")


class Statement:
    def __init__(self, raw):
        need(len(raw) <= 262144, "too long")
        self.fact = next((f for f in FACTS if raw.startswith(f"consil/{f}\0".encode())), None)
        need(self.fact, "no statement")
        r = Reader(raw)
        r.take(len(self.fact) + 8)
        self.network_id, self.envelope_id, self.e = r.take(32), r.take(16), r.take(32)
        self.member, self.device = r.take(16), r.take(16)
        self.entry, self.time = r.u64(), r.u64()
        read_seen(r)
        self.prev = r.take(32)
        self.s, self.m_hash, self.result = bytes(32), bytes(64), 0
        getattr(self, "read_" + self.fact)(r)
        r.end()

    def count(self, r, least, most):
        n = r.u16()
        need(least <= n <= most, "count")
        return n

    def seq(self, r):
        need(r.u64() >= 1, "seq 0")

    def read_custody(self, r):
        need(self.member == bytes(16))
        r.rows(self.count(r, 0, 1024), 48)
        rows = r.rows(self.count(r, 1, 1000), 56)
        need(all(row[16:24] != bytes(8) for row in rows), "seq 0")
        self.recipients = [row[:16] for row in rows]
        r.take(8 + 8 + 16 + 8)

    def read_message(self, r):
        self.s, self.m_hash = r.take(32), r.take(64)

    def read_delivered(self, r):
        self.read_message(r)
        self.result = r.choice(1, 2, 3, 4)
        n = len(r.rows(self.count(r, 0, 1024), 16))
        need((self.result == 4) == (n > 0))
        need(self.result in (1, 4) or self.s + self.m_hash == bytes(96))

    def read_opened(self, r):
        self.read_message(r)
        r.rows(self.count(r, 0, 1024), 16)

    def read_acknowledged(self, r):
        self.read_message(r)
        r.choice(0, 1)
        r.text(2, 0, 4096)

    def read_outcome(self, r):
        need(self.member == bytes(16))
        r.take(16)
        self.seq(r)
        r.choice(1, 2, 3, 4, 5)

    def read_ack(self, r):
        self.seq(r)

    def read_withdraw(self, r):
        pass

    def read_purged(self, r):
        self.read_message(r)
        r.choice(1, 2)


# --------------------------------------------------------- receipt proofs (10)

LOGGED, SHOWN, SIGNED, ANCHORED, SENDER = 1, 2, 3, 4, 5


class Row:
    pass


def read_item(r):
    v = Row()
    v.how = r.choice(LOGGED, SHOWN, SIGNED, ANCHORED, SENDER)
    if v.how == SENDER:
        v.member, v.device, v.entry, v.h_hash = r.take(16), r.take(16), r.u64(), r.take(64)
    else:
        v.statement = r.blob(1, 262144)
    if v.how != LOGGED:
        v.signature = r.take(64)
    if v.how in (LOGGED, SHOWN, ANCHORED):
        v.salt, v.index, v.proof = r.take(32), r.u64(), r.hashes()
        v.note, v.before, v.consistency = r.blob(1, 4096), r.blob(0, 4096), r.hashes()
    return v


class Proof:
    def __init__(self, raw):
        need(len(raw) <= 64 << 20)
        r = Reader(raw)
        need(r.take(4) == b"CSR1", "magic")
        self.network_id, self.envelope_id, self.e, self.s, self.m_hash = (
            r.take(32), r.take(16), r.take(32), r.take(32), r.take(64))
        self.seen = read_seen(r)
        n = r.u32()
        need(1 <= n <= 65536)
        self.certs = [(r.blob(1, 65551), r.hashes()) for _ in range(n)]
        n = r.u16()
        need(1 <= n <= 4096)
        self.items = [read_item(r) for _ in range(n)]
        self.silence = None
        if r.choice(0, 1):
            self.silence = Row()
            self.silence.note, self.silence.peaks = r.blob(1, 4096), r.hashes()
            n = r.u32()
            need(n <= 1000000)
            self.silence.leaves = [r.take(32) for _ in range(n)]
        need(r.take(32) == sha256(raw[:-32]), "sum")
        r.end()


class Result:
    """One item: what, verdict, why, after (came later than that), before."""

    def __init__(self, what):
        self.what, self.verdict, self.why = what, VALID, None
        self.after = self.before = None

    def unproven(self, so, why):
        if so and self.verdict == VALID:
            self.verdict, self.why = UNPROVEN, why

    def __str__(self):
        text = "-" if self.after is None else self.after
        return f"{self.what} {NAMES[self.verdict]} {text} " + (
            "-" if self.before is None else str(self.before))


def anchored(leaf):
    return sha256(b"consil/anchor\0", leaf)


class Judge:
    def __init__(self, proof, directory):
        self.p, self.d = proof, directory
        self.known = None    # by then S had been stated of
        self.custody = None  # (item, statement, checkpoint) of the first that holds

    def check_entered(self, v, data, st, result):
        """Returns (checkpoint, relay entry)."""
        cp, relay = self.d.read_receipts(v.note)
        check_inclusion(leaf_hash(data), v.index, cp.size, v.proof, cp.root)
        result.before = cp.time
        if v.before:
            old, by = self.d.read_receipts(v.before)
            need(by.subject == relay.subject and old.counter == cp.counter, "another log")
            need(old.size <= v.index, "it is in the checkpoint before")
            if old.size == 0:
                need(not v.consistency)
            else:
                check_consistency(old.size, cp.size, v.consistency, old.root, cp.root)
            result.after = old.time
            result.unproven(old.time > cp.time, "the clock went back")
        else:
            need(not v.consistency)
            result.unproven(True, "no checkpoint before")
        result.unproven(self.d.subjects[relay.subject].compromised(), "relay compromised")
        result.unproven(st.time > cp.time + HOUR, "claims a later time")
        return cp, relay

    def logged(self, v, st, result):
        need(st.fact in ("custody", "outcome"), "the relay cannot state that")
        cp, relay = self.check_entered(v, sha256(v.salt, v.statement), st, result)
        e = self.d.by_seq.get(st.entry)
        need(st.device == relay.subject and e and e.type == RELAY
             and e.subject == relay.subject and e.sign_key == relay.sign_key, "another key")
        if st.fact == "custody" and not self.custody and st.prev == bytes(32):
            self.custody = v, st, cp

    def signed(self, v, st, result):
        receipt = st.fact in ABOUT_CONTENT
        need(st.fact not in ("custody", "outcome") and receipt == (v.how != SHOWN),
             "not to be stated so")
        key = self.d.signer(st.device, st.member, st.entry, st.time)
        need(ed_verify(key, v.statement, v.signature), "signature")
        if v.how == SIGNED:
            result.unproven(True, "in no log")
            return
        data = sha256(v.salt, v.statement)
        cp, _ = self.check_entered(v, data if v.how == SHOWN else anchored(data), st, result)
        ends = self.d.key_ends(self.d.subjects[st.device], st.entry)
        result.unproven(cp.time >= ends, "the key has ended")
        if v.how == ANCHORED and st.s == self.p.s:
            self.known = min(cp.time, self.known or NONE)

    def sender(self, v, result):
        need(sha256(v.signature) == self.p.s, "another message's signature")
        key = self.d.signer(v.device, v.member, v.entry, 0)
        need(ed_verify(key, b"consil/envelope\0" + v.h_hash + self.p.m_hash, v.signature),
             "signature")
        result.before = self.known
        result.unproven(self.known is None, "nothing shows when")
        if self.known is not None:
            ends = self.d.key_ends(self.d.subjects[v.device], v.entry)
            result.unproven(self.known >= ends, "the key has ended")

    def item(self, v):
        result = Result("message" if v.how == SENDER else "statement")
        try:
            if v.how == SENDER:
                self.sender(v, result)
                return result
            st = Statement(v.statement)
            result.what = st.fact
            need((st.network_id, st.envelope_id, st.e)
                 == (self.p.network_id, self.p.envelope_id, self.p.e), "another message")
            if st.fact in ABOUT_CONTENT and st.result not in (2, 3):
                need((st.s, st.m_hash) == (self.p.s, self.p.m_hash), "another message")
            (self.logged if v.how == LOGGED else self.signed)(v, st, result)
        except Refused as e:
            result.verdict, result.why = INVALID, str(e)
        return result

    def silence(self):
        result = Result("silence")
        try:
            need(self.custody, "no custody")
            v, st, own = self.custody
            cp, relay = self.d.read_receipts(self.p.silence.note)
            need(relay.subject == st.device, "another relay")
            result.before = cp.time
            tree = Tree(v.index + 1, self.p.silence.peaks)
            met = tree.size == own.size and tree.root() == own.root
            for leaf in self.p.silence.leaves:
                tree.add(leaf)
                met = met or (tree.size == own.size and tree.root() == own.root)
            need(met and tree.size == cp.size and tree.root() == cp.root, "not the log")
            leaves = set(self.p.silence.leaves)
            for device in st.recipients:
                acked = sha256(b"consil/acked\0", self.p.m_hash, device)
                need(anchored(acked) not in leaves, "acknowledged")
            result.unproven(self.d.subjects[relay.subject].compromised(), "relay compromised")
        except Refused as e:
            result.verdict, result.why = INVALID, str(e)
        return result

    def run(self):
        for v in self.p.items:  # what a sender's signature rests on
            self.item(v)
        results = [self.item(v) for v in self.p.items]
        if self.p.silence:
            results.append(self.silence())
        return results


def unarmour(text):
    begin, end = ("-----%s CONSIL RECEIPT PROOF-----" % w for w in ("BEGIN", "END"))
    lines = [line.strip(" \t\r") for line in text.split("\n")]
    need(begin in lines, "no proof")
    lines = lines[lines.index(begin) + 1:]
    need(end in lines, "no end")
    return unbase64("".join(lines[:lines.index(end)]))


def judge(raw, network_id):
    """(verdict, results, why) of a binary proof."""
    try:
        proof = Proof(raw)
        need(proof.network_id == network_id, "another network")
        directory = Directory(network_id)
        for leaf, _ in proof.certs:
            directory.add(leaf)
        directory.check_seen(proof.seen)
        for leaf, hashes in proof.certs:
            check_inclusion(leaf_hash(leaf), Entry(leaf).seq, proof.seen.size, hashes,
                            proof.seen.root)
    except Refused as e:
        return INVALID, [], str(e)
    results = Judge(proof, directory).run()
    return min(r.verdict for r in results), results, None


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as f:
        text = f.read()
    try:
        verdict, results, why = judge(unarmour(text), bytes.fromhex(sys.argv[2]))
    except Refused as e:
        verdict, results, why = INVALID, [], str(e)
    for r in results:
        print(r, *([f"({r.why})"] if r.why else []))
    print("whole", NAMES[verdict], *([f"({why})"] if why else []))
    sys.exit({VALID: 0, UNPROVEN: 3, INVALID: 4}[verdict])


if __name__ == "__main__":
    main()
