#!/usr/bin/env python3
"""Write the seeds of the fixed layouts, straight from docs/protocol.md.

    tests/fuzz/seeds.py        rewrites tests/fuzz/corpus/*/seed-*

One valid input of every shape; what fuzzing adds beside them is left alone.
"""
import base64
import hashlib
import json
import os
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def u8(v):
    return struct.pack(">B", v)


def u16(v):
    return struct.pack(">H", v)


def u32(v):
    return struct.pack(">I", v)


def u64(v):
    return struct.pack(">Q", v)


def str8(text):
    return u8(len(text.encode())) + text.encode()


def str16(text):
    return u16(len(text.encode())) + text.encode()


def run(value, n):
    return bytes([value]) * n


def ident(i):
    return u16(i) + run(0x33, 14)


def envelope(n, m):
    created = 480000 * 3600
    head = (b"CSE1" + u16(2) + run(1, 32) + run(2, 16) + u64(created)
            + u64(created + 86400) + u8(1))
    recipients = b"".join(ident(i) + run(i, 32) for i in range(n))
    objects = b"".join(ident(i) + u32(i + 1) + run(i, 32) for i in range(m))
    stanzas = b"".join(run(i, 1120) + run(i + 1, 48) for i in range(n))
    return (head + u16(n) + recipients + u16(m) + objects + run(3, 32) + u32(4128)
            + stanzas + run(4, 32) + run(5, 4128))


def seen(size):
    return (u64(size) + run(7, 32) + u64(1690000000) + run(8, 16) + u64(1) + run(9, 64))


def manifest(kind, reply, m, related=0, parents=0, marks=0):
    out = u8(1) + u8(kind) + u8(1) + u8(7) + run(1, 16) + run(2, 16) + u64(3)
    out += run(4, 64) + run(5, 16) + u64(1700000000) + u64(0) + seen(6)
    out += u8(1) + run(8, 16) + run(9, 32) + run(10, 32) + run(11, 64) if reply else u8(0)
    out += u8(related) + (run(12, 48) if related else b"")
    out += u8(parents) + b"".join(ident(i) + run(13, 32) for i in range(parents))
    out += u16(marks) + b"".join(ident(i + 1) + u64(i + 1) + run(14, 32) for i in range(marks))
    out += u16(2) + str8("a@b") + u64(1) + str8("c.d@e-f") + u64(2)
    out += u16(2) + ident(1) + run(1, 32) + run(2, 16) + u8(1) + u64(2800)
    out += ident(2) + run(1, 32) + run(2, 16) + u8(2) + u64(2790)
    out += u16(m) + b"".join(ident(i) + str16("scan ü.pdf") + str8("application/pdf")
                             + u64(9) + run(3, 32) + run(4, 32) for i in range(m))
    return out + u32(4) + b"case"


def forward(kind, note):
    m = manifest(kind, kind == 2, 2)
    text = note.encode()
    return (u8(1) + run(1, 16) + run(2, 32) + run(3, 64) + u32(len(m)) + m
            + u32(len(text)) + text)


def statement(label, specific, member=4):
    return (f"consil/{label}\0".encode() + run(1, 32) + run(2, 16) + run(3, 32)
            + run(member, 16) + run(5, 16) + u64(6) + u64(1700000000) + seen(7)
            + run(0, 32) + specific)


def statements():
    message, none = run(9, 96), run(0, 96)
    ids = u16(2) + ident(1) + ident(2)
    yield "custody", statement(
        "custody", u16(1) + ident(1) + run(1, 32) + u16(2) + ident(1) + u64(1) + run(2, 32)
        + ident(2) + u64(9) + run(3, 32) + u64(5000) + u64(1800000000) + run(4, 16) + u64(1), 0)
    yield "delivered-ok", statement("delivered", message + u8(1) + u16(0))
    yield "delivered-bad", statement("delivered", none + u8(2) + u16(0))
    yield "delivered-incomplete", statement("delivered", message + u8(4) + ids)
    yield "opened", statement("opened", message + ids)
    yield "acknowledged", statement("acknowledged", message + u8(1) + str16("seen é"))
    yield "outcome", statement("outcome", ident(1) + u64(3) + u8(2), 0)
    yield "ack", statement("ack", u64(3))
    yield "purged", statement("purged", message + u8(1))


def auditfile():
    certs, records = genesis(3), audit(6, 1, 0) + audit(8, 0, 2)
    checkpoint = note(signature_line())
    return (b"CSA1" + run(1, 32) + run(2, 16) + u64(5) + u64(6) + u32(len(certs)) + certs
            + u32(len(checkpoint)) + checkpoint + u64(7) + run(3, 32) + u8(1) + run(4, 32)
            + u8(2) + run(5, 64) + u8(0) + u64(3) + u32(2) + records)


def note(lines):
    body = ("consil/test\n42\n" + base64.b64encode(run(0x51, 32)).decode()
            + "\ntime 1700000000\nincarnation " + "0a" * 16 + " 7\n")
    return (body + "\n" + lines if lines else body).encode()


def signature_line():
    key = bytes([1]) + run(0, 31)
    key_hash = hashlib.sha256(b"consil/test\n\x01" + key).digest()[:4]
    return f"— consil/test {base64.b64encode(key_hash + run(7, 64)).decode()}\n"


def logged():
    st = statement("ack", u64(3))
    cp = note(signature_line())
    return u32(len(st)) + st + run(1, 32) + u64(2) + u8(2) + run(3, 64) + u32(len(cp)) + cp


def audit(event, who, result):
    return (u8(1) + u64(3) + u64(1700000000) + u8(event) + u8(who)
            + (run(1, 16) if who else run(0, 16)) + run(2, 16) + u8(result) + u64(5) + u64(6)
            + run(3, 32))


BODIES = {
    "root": (1, u32(1) + u8(2) + u8(2) + run(1, 32) + run(2, 32) + str8("Net")),
    "registrar": (2, run(1, 32) + u64(1800000000) + str8("Registrar")),
    "relay": (3, run(1, 32) + run(2, 32) + str8("tcp://127.0.0.1:7700")),
    "witness": (4, run(1, 32) + str8("Witness")),
    "policy": (5, u8(2) + u8(1) + u64(86400) + u8(3) + u64(86400 * 30)),
    "organisation": (6, str8("clinic") + str8("Clinic") + run(1, 32) + u8(1) + run(0, 16)
                     + u64(1800000000)),
    "member": (7, run(1, 16) + run(2, 32) + u64(1800000000) + str8("a@clinic")
               + str8("A. Müller") + str8("physician") + str8("1234567893") + str8("oncology")
               + str8("MN") + str8("4711") + u64(1800000000)),
    "device": (8, run(1, 16) + run(2, 32) + u8(1) + u64(0) + str8("laptop")),
    "device-rotate": (9, run(1, 32) + run(2, 64)),
    "epoch-batch": (10, u64(2800) + u8(26) + run(1, 32)),
    "group": (11, str8("board@clinic") + str8("Board") + u16(2) + ident(1) + ident(2)),
    "service": (12, str8("lab@clinic") + str8("Lab") + u16(0)),
    "revoke": (13, u8(3) + u64(1700000000)),
}


def entry(kind, body, numbers=(0,)):
    core = (u8(1) + u8(kind) + u64(1700000000) + run(1, 16) + u64(2**64 - 1) + run(2, 16)
            + u16(len(body)) + body)
    return core + u8(len(numbers)) + b"".join(u8(i) + run(i, 64) for i in numbers)


def dir_entry(kind, subject, authority, body, prev=2**64 - 1, numbers=(0,)):
    core = (u8(1) + u8(kind) + u64(1700000000) + ident(subject) + u64(prev)
            + ident(authority) + u16(len(body)) + body)
    return core + u8(len(numbers)) + b"".join(u8(i) + run(i, 64) for i in numbers)


def dir_log():
    """One entry of each type, as a log has them; signatures are not signed."""
    root = u32(1) + u8(1) + u8(1) + run(1, 32) + str8("Net")
    org = str8("clinic") + str8("Clinic") + run(1, 32) + u8(1) + run(0, 16) + u64(1800000000)
    member = (ident(4) + run(2, 32) + u64(1800000000) + str8("a@clinic")
              + str8("A") + str8("physician") + 4 * str8("") + u64(0))
    yield dir_entry(1, 1, 1, root)
    yield dir_entry(2, 2, 1, BODIES["registrar"][1])
    yield dir_entry(3, 3, 2, BODIES["relay"][1])
    yield dir_entry(6, 4, 2, org)
    yield dir_entry(7, 5, 2, member)
    yield dir_entry(8, 6, 5, ident(5) + run(6, 32) + u8(1) + u64(0) + str8("laptop"))
    yield dir_entry(10, 6, 6, u64(2810) + u8(26) + run(1, 32))
    yield dir_entry(8, 7, 6, ident(5) + run(7, 32) + u8(1) + u64(1800000000) + str8("phone"))
    yield dir_entry(9, 6, 6, BODIES["device-rotate"][1])
    yield dir_entry(4, 8, 2, BODIES["witness"][1])
    yield dir_entry(5, 1, 1, BODIES["policy"][1])
    yield dir_entry(11, 9, 2, str8("board@clinic") + str8("Board") + u16(1) + ident(5))
    yield dir_entry(12, 10, 2, BODIES["service"][1].replace(b"lab", b"xyz"))
    yield dir_entry(9, 7, 7, BODIES["device-rotate"][1])
    yield dir_entry(2, 11, 1, BODIES["registrar"][1])
    yield dir_entry(6, 12, 2, str8("waived") + str8("Waived") + run(1, 32) + u8(2) + ident(11)
                    + u64(1800000000), numbers=(0, 1))
    yield dir_entry(13, 11, 1, u8(3) + u64(1700000000))
    yield dir_entry(1, 1, 1, u32(2) + root[4:], 0, (0, 128))
    yield dir_entry(13, 7, 2, BODIES["revoke"][1])
    yield dir_entry(13, 5, 2, BODIES["revoke"][1])


def leaves(op):
    """Records of the directory target: op, length, leaf."""
    for i, one in enumerate(dir_log()):
        leaf = u64(i) + u64(1700000000 + i) + one
        yield u8(op) + u32(len(leaf)) + leaf


def genesis(n):
    return b"".join(u32(len(e)) + e for e in list(dir_log())[:n])


def forkproof(a, b, k):
    out = (b"CSF1" + run(1, 32) + seen(a) + u32(3) + b"abc" + seen(b) + u32(0)
           + run(5 if k else 0, 32) + u8(k) + run(6, 32 * k))
    return out + hashlib.sha256(out).digest()


def keyring(kind, lock, ops, mem):
    out = (b"CSK1" + u8(kind) + u8(lock) + u32(ops) + u32(mem) + run(1, 16) + run(2, 32)
           + run(3, 16) + run(4, 16) + run(5, 32) + run(6, 32) + run(7, 32) + run(8, 32)
           + run(9, 128))
    return out + hashlib.sha256(out).digest()


def invite(magic, *bodies):
    out = (magic + run(1, 32) + run(2, 16) + run(3, 32) + run(4, 32) + u64(1800000000)
           + str8("tcp://127.0.0.1:7700") + str8("Net"))
    out += b"".join(u16(len(e)) + e for e in (entry(*BODIES[b]) for b in bodies)) + run(5, 32)
    return out + hashlib.sha256(out).digest()


def card():
    return b"CSC1" + u8(3) + run(1, 16) + run(2, 32) + str8("Safe 1") + run(3, 64)


def signing(roots, cores, rows):
    """A signing request of the network that root 1 of dir_log founds."""
    body = u32(1) + u8(1) + u8(1) + run(1, 32) + str8("Net")
    network = hashlib.sha256(b"consil/network\0" + ident(1) + body).digest()
    out = (b"CSQ1" + network + run(2, 16) + run(3, 32) + run(4, 32)
           + str8("tcp://127.0.0.1:7700") + u16(len(roots)))
    out += b"".join(u16(len(e)) + e for e in roots) + u8(len(cores))
    out += b"".join(u16(len(e)) + e for e in cores) + u16(len(rows))
    out += b"".join(u8(core) + u8(number) + run(5, 64) for core, number in rows)
    return out + hashlib.sha256(out).digest()


def signings():
    unsigned = [e[:-66] for e in list(dir_log())[:2]]  # less a count and one signature
    yield "founding", signing([], unsigned, [])
    yield "signed", signing([], unsigned, [(0, 0), (1, 0)])
    yield "rotation", signing(list(dir_log())[:1], unsigned[1:], [(0, 0)])


def armour(binary):
    text = base64.b64encode(binary).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "\n".join(["For A. Müller", "-----BEGIN CONSIL INVITATION-----", *lines,
                      "-----END CONSIL INVITATION-----", ""]).encode()


def pack(value):
    """MessagePack in its shortest form; tuples are arrays."""
    if isinstance(value, tuple):
        head = u8(0x90 + len(value)) if len(value) < 16 else b"\xdc" + u16(len(value))
        return head + b"".join(map(pack, value))
    if isinstance(value, bytes):
        head = b"\xc4" + u8(len(value)) if len(value) < 256 else b"\xc5" + u16(len(value))
        return head + value
    for limit, code, width in ((1 << 8, 0xcc, u8), (1 << 16, 0xcd, u16), (1 << 32, 0xce, u32)):
        if value < limit:
            return u8(value) if value < 128 else u8(code) + width(value)
    return b"\xcf" + u64(value)


ANN, BOB, REGISTRAR = b"device of ann   ", b"device of bob   ", b"the registrar   "
NETWORK = b"the network of the fuzzed relay."


def asks(*requests):
    """Input of the service target: who asks what."""
    return b"".join(u8(who) + u16(len(data)) + data
                    for who, data in ((who, pack((op, 7, *arguments)))
                                      for who, op, *arguments in requests))


def service():
    now = 500000 * 3600
    bundle, parcel, part = run(2, 16), run(3, 16), run(4, 16)
    sealed = (b"CSE1" + u16(2) + NETWORK + bundle + u64(now) + u64(now + 3600) + u8(1)
              + u16(1) + BOB + run(1, 32) + u16(0) + run(3, 32) + u32(4128)
              + run(6, 1168) + run(4, 32) + run(5, 4128))
    begin = (1, 0x20, bundle, 1, now + 3600, BOB, b"", len(sealed))
    ack = (b"consil/ack\0" + NETWORK + bundle + run(3, 32) + run(4, 16) + BOB + u64(6)
           + u64(now) + seen(7) + run(0, 32) + u64(1))
    yield "audit", asks((3, 0x40, 0, 0, 2**64 - 1, 2**64 - 1, 1), (3, 0x40, 1, now, now, 0, 0),
                        (3, 0x41, 1, now, 0), (3, 0x41, 1, now, 0), (3, 0x41, 99, 0, 1),
                        (1, 0x40, 0, 0, 0, 0, 0))
    yield "nobody", asks((0, 1), (0, 3, (b"entry",)), (0, 0x10, 0), (0, 0x30, 0, 10, 0))
    yield "directory", asks((1, 0x10, 0), (3, 0x10, 3), (3, 0x11, (entry(*BODIES["revoke"]),)),
                            (1, 0x11, (entry(*BODIES["epoch-batch"]),)))
    yield "cosign", asks((4, 0x10, 0), (4, 0x14, run(1, 32), now, run(2, 64)),
                         (1, 0x14, run(1, 32), now, run(2, 64)))
    yield "epochs", asks((1, 0x12, 2976, run(1, 1216)), (2, 0x13, 2976, ANN + BOB))
    yield "bundle", asks(begin, begin, (1, 0x23, sealed), (1, 0x25, bundle),
                         (2, 0x30, 0, 10, 1000), (2, 0x31, bundle), (2, 0x33, ack, run(1, 64)),
                         (1, 0x23, sealed), (2, 0x25, bundle))
    yield "parcel", asks((1, 0x20, parcel, 2, now + 60, BOB, part + u32(2), 5000),
                         (1, 0x22, parcel, part), (1, 0x21, parcel, part, 1, run(9, 16448)),
                         (1, 0x22, parcel, part), (2, 0x32, parcel, part, 1),
                         (1, 0x24, parcel), (1, 0x22, parcel, part))


def witness_network():
    kind, body = BODIES["root"]
    root = entry(kind, body)
    network = hashlib.sha256(b"consil/network\0" + run(1, 16) + body).digest()
    out = (b"CSW1" + network + run(2, 16) + run(3, 16) + run(4, 32)
           + str8("tcp://127.0.0.1:7700") + str8("Net") + u16(len(root)) + root)
    return out + hashlib.sha256(out).digest()


def cosignature_line():
    name, key = "consil/witness/" + "09" * 16, bytes([1]) + run(0, 31)
    key_hash = hashlib.sha256(f"{name}\n\x04".encode() + key).digest()[:4]
    line = base64.b64encode(key_hash + u64(1700000000) + run(7, 64)).decode()
    return f"— {name} {line}\n"


def vetting(decision, result="pass", **over):
    domain = {"finding": "f", "evidence": [{"file": "a.pdf", "sha256": "ab" * 32}],
              "reviewer": "R", "date": "2026-11-01", "result": result}
    names = ("governance", "clinical_practice", "business_practice", "quality", "safety",
             "service")
    record = {"format": "consil vetting record 1", "handle": "clinic", "name": "Clinic",
              "npi": "1234567893", "domains": {name: domain for name in names},
              "approvers": ["A", "B"], "agreement": "2026-11-02",
              "exclusion_check": "2026-11-02", "valid_from": "2026-11-03",
              "valid_until": "2028-11-03", "decision": decision}
    return json.dumps({**record, **over}).encode()


def receiptproof(items, silence):
    st, cp = dict(statements())["opened"], note(signature_line())
    entered = (run(1, 32) + u64(2) + u8(2) + run(3, 64) + u32(len(cp)) + cp + u32(len(cp)) + cp
               + u8(1) + run(4, 32))
    rows = {1: u8(1) + u32(len(st)) + st + entered,
            2: u8(2) + u32(len(st)) + st + run(5, 64) + entered,
            3: u8(3) + u32(len(st)) + st + run(5, 64),
            4: u8(4) + u32(len(st)) + st + run(5, 64) + entered,
            5: u8(5) + run(1, 16) + run(2, 16) + u64(6) + run(3, 64) + run(4, 64)}
    whole = (b"CSR1" + run(1, 32) + run(2, 16) + run(3, 32) + run(4, 32) + run(5, 64) + seen(9)
             + u32(1) + u32(7) + b"a leaf!" + u8(1) + run(6, 32)
             + u16(len(items)) + b"".join(rows[i] for i in items))
    whole += (u8(1) + u32(len(cp)) + cp + u8(2) + run(1, 64) + u32(3) + run(2, 96) if silence
              else u8(0))
    return whole + hashlib.sha256(whole).digest()


def seeds():
    for name, data in service():
        yield "service", name, data
    yield "envelope", "one", envelope(1, 0)
    yield "envelope", "many", envelope(3, 2)
    yield "manifest", "case", manifest(1, False, 2)
    yield "manifest", "reply", manifest(2, True, 0)
    yield "manifest", "receipt", manifest(3, False, 0)
    yield "manifest", "forward", manifest(4, False, 1)
    yield "manifest", "addendum", manifest(5, True, 1, 1, 2, 2)
    yield "manifest", "close", manifest(6, False, 0, 2, 16, 0)
    yield "manifest", "reopen", manifest(7, False, 0, 0, 1, 1)
    yield "forward", "case", forward(1, "")
    yield "forward", "reply", forward(2, "for the board, ü")
    for name, data in statements():
        yield "statement", name, data
    yield "logged", "ack", logged()
    said = dict(statements())["opened"] + run(5, 64)
    cp = note(signature_line())
    yield "said", "signed", said
    yield "said", "anchored", (said + u8(1) + run(1, 32) + u64(2) + u8(2) + run(3, 64)
                               + u32(len(cp)) + cp)
    yield "certs", "unsigned", genesis(3)
    yield "forkproof", "one-size", forkproof(6, 6, 0)
    yield "forkproof", "two-sizes", forkproof(6, 9, 3)
    yield "receiptproof", "all", receiptproof((1, 2, 3, 4, 5), False)
    yield "receiptproof", "silence", receiptproof((1,), True)
    yield "auditfile", "unsigned", auditfile()
    yield "audit", "login", audit(6, 1, 0)
    yield "audit", "denied", audit(8, 0, 2)
    for name, (kind, body) in BODIES.items():
        yield "entry_body", name, u8(kind) + body
    yield "entry", "member", entry(*BODIES["member"])
    yield "entry", "root", entry(*BODIES["root"], (0, 1, 128))
    yield "entry", "policy", entry(*BODIES["policy"], (1, 3))
    yield "leaf", "revoke", u64(1) + u64(1700000000) + entry(*BODIES["revoke"])
    yield "checkpoint", "body", note("")
    yield "checkpoint", "note", note(signature_line())
    yield "checkpoint", "witnessed", note(signature_line() + "— witness.example AAAAAAQ=\n")
    yield "checkpoint", "cosigned", note(signature_line() + cosignature_line())
    yield "invite", "whole", invite(b"CSI1", "root", "member")
    yield "invite", "further", invite(b"CSI2", "root", "member", "device")
    yield "card", "root", card()
    for name, data in signings():
        yield "signing", name, data
    yield "witnessfile", "network", witness_network()
    yield "directory", "reload", b"".join(leaves(0))
    yield "directory", "apply", b"".join(leaves(1))
    yield "directory", "check", b"".join(leaves(2))
    yield "genesis", "founding", genesis(3)
    yield "genesis", "practice", genesis(4)
    for name, code, flag, number, key in (
            ("get", 1, 0, 0, 0), ("put", 2, 0, 3600, 7), ("put-again", 2, 0, 0, 7),
            ("lock", 3, 0, 0, 0), ("status", 5, 0, 0, 0), ("holds", 1, 1, 60, 7),
            ("unlocked", 1, 1, 60, 0)):
        yield "agentmsg", name, (b"CSA1" + u8(code) + u8(flag) + u16(0) + u64(number)
                                 + (run(key, 32) if key else bytes(32)))
    def rec(kind, body):
        return u8(kind) + u64(len(body)) + body
    yield "backuprec", "keyring", rec(1, str8("keyring") + run(1, 32) + keyring(1, 2, 0, 0))
    yield "backuprec", "row", rec(2, u8(3) + run(2, 3) + run(3, 80))
    yield "backuprec", "end", rec(4, u64(1) + u64(20) + u64(3))
    yield "backuprec", "path", b"objects/" + b"0a" * 16 + b"/" + b"0b" * 16
    yield "backuprec", "head", (b"CSB1" + u8(1) + bytes(3) + u32(4) + u32(1 << 30) + run(1, 16)
                                + u64(1800000000) + run(2, 32) + run(3, 16))
    yield "keyring", "passphrase", keyring(1, 1, 3, 256 << 20)
    yield "keyring", "key-file", keyring(4, 2, 0, 0)
    yield "waiver", "whole", (b"CSV1" + run(1, 32) + u16(9) + b"the entry" + run(2, 64)
                              + u32(10) + b"the record")
    yield "vetting", "admitted", vetting("admitted")
    yield "vetting", "failed", vetting("admitted", "fail")
    yield "vetting", "waiver", vetting("conditional", "fail", waiver={
        "reason": "r", "domains": ["governance", "clinical_practice", "business_practice",
                                   "quality", "safety", "service"]})
    yield "vetting", "accredited", vetting("refused", tin="1", address="a", site_visit="2026-11-01",
                                           accreditations=[{"name": "CoC",
                                                            "valid_until": "2027-01-01"}])
    yield "armour", "short", armour(b"abc")
    yield "armour", "lines", armour(run(6, 100))


def main():
    for stem, name, data in seeds():
        folder = os.path.join(ROOT, "tests", "fuzz", "corpus", stem)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"seed-{name}"), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()
