// Section 7: replaying the log against the table of authority.

import { edVerify, leafHash, treeRoot } from './crypto.mjs';
import {
  decodeLeaf, encodeBody, epochOf, networkId, rotateProofBytes, verifyEntry,
} from './entry.mjs';
import { NONE, refuse } from './layout.mjs';

const hex = (b) => b.toString('hex');

function demand(step, ok, why) {
  if (!ok) refuse(step, why);
}

/** What each type needs: its subject's kind, and who may append it. */
const RULES = {
  root: { kind: 'root', by: ['root'] },
  registrar: { kind: 'registrar', by: ['root'] },
  relay: { kind: 'relay', by: ['registrar'] },
  witness: { kind: 'witness', by: ['registrar'] },
  policy: { kind: 'root', by: ['root'], needs: true },
  organisation: { kind: 'organisation', by: ['registrar'] },
  member: { kind: 'member', by: ['registrar'] },
  device: { kind: 'device', by: ['member', 'another device'] },
  'device-rotate': { kind: 'device', by: ['itself', 'itself, pending'], needs: true },
  'epoch-batch': { kind: 'device', by: ['itself'], needs: true },
  group: { kind: 'group', by: ['registrar'] },
  service: { kind: 'service', by: ['registrar'] },
  revoke: { kind: null, by: ['registrar', 'itself', 'another device', 'root'], needs: true },
};

/** What a member's devices may add: usable ones, entries that they sign in a day. */
const MAX_DEVICES = 16;
const MAX_ENTRIES = 32;
const dayOf = (time) => time / 86400n;

export class Directory {
  constructor(network) {
    this.network = network;
    this.leaves = [];
    this.clock = 0n;
    this.subjects = new Map(); // id → { kind, newest: type → { index, fields }, ended, … }
    this.names = new Map(); // address or handle → subject
    this.rootId = null;
  }

  subject(id) {
    return this.subjects.get(hex(id)) ?? null;
  }

  /** Fields of the newest own entry of a subject. */
  fields(id) {
    const s = this.subject(id);
    return s === null ? null : s.newest[s.kind].fields;
  }

  add(raw) {
    const e = decodeLeaf(raw);
    this.checkPlace(e);
    this.checkAuthority(e);
    this.checkShare(e);
    const check = CHECKS[e.type];
    if (check) check(this, e);
    this.apply(e, raw);
    return e;
  }

  checkPlace(e) {
    const rule = RULES[e.type];
    demand('order', e.seq === BigInt(this.leaves.length), 'seq');
    demand('layout', e.logged_at >= this.clock, 'logged_at goes back');
    const s = this.subject(e.subject);
    demand('missing', s !== null || !rule.needs, 'no such subject');
    demand('order', s === null || rule.kind === null || s.kind === rule.kind, 'subject of another kind');
    demand('order', e.prev === (s?.newest[e.type]?.index ?? NONE), 'prev');
    demand('revoked', !s?.revoked || e.type === 'revoke', 'subject is revoked');
  }

  capacity(e, authority) {
    if (authority.kind !== 'device') return authority.kind;
    if (!e.subject.equals(e.authority)) return 'another device';
    return this.pending(authority) ? 'itself, pending' : 'itself';
  }

  checkAuthority(e) {
    if (this.leaves.length === 0) return this.checkFirst(e);
    const a = this.subject(e.authority);
    demand('authority', a !== null, 'unknown');
    demand('authority', RULES[e.type].by.includes(this.capacity(e, a)), `${e.type} by a ${a.kind}`);
    demand('revoked', !a.revoked, 'authority is revoked');
    if (a.kind === 'root') {
      const root = this.fields(e.authority);
      if (e.type !== 'root') return this.quorum(e, root, 0);
      this.quorum(e, e.fields, 0);
      return this.quorum(e, root, 128);
    }
    const waiver = e.type === 'organisation' && e.fields.decision === 2;
    demand('authority', e.signatures.map((s) => s.key_number).join() === (waiver ? '0,1' : '0'),
      'key numbers');
    demand('signature', verifyEntry(this.network, e, this.authorityKey(e, a), 0), e.type);
    if (waiver) this.checkWaiver(e);
  }

  /** A second registrar in force signs for who is admitted by waiver. */
  checkWaiver(e) {
    const { co_registrar: id } = e.fields;
    const other = this.subject(id);
    demand('authority', other?.kind === 'registrar' && !id.equals(e.authority), 'co_registrar');
    demand('revoked', !other.revoked, 'co_registrar');
    const { key, valid_until: until } = this.fields(id);
    demand('expired', e.logged_at <= until, 'co_registrar');
    demand('signature', verifyEntry(this.network, e, key, 1), 'co_registrar');
  }

  /** A second device whose one-time key has not been changed for its own. */
  pending(device) {
    return device.newest.device.fields.enrol_expires !== 0n && !device.newest['device-rotate'];
  }

  /**
   * Whether who signed an own entry of s, and so on up to the root, was sound when it did;
   * at each step by the entry that was the authority's newest then.
   */
  certified(s, entry = s.own.at(-1)) {
    if (s.kind === 'root') return true;
    const voided = ({ compromised, ended }) => compromised && ended <= entry.logged_at;
    const by = this.subject(entry.by);
    if (voided(by)) return false;
    if (s.kind === 'organisation' && entry.fields.decision === 2 &&
        voided(this.subject(entry.fields.co_registrar))) return false;
    return this.certified(by, by.own.findLast((e) => e.index < entry.index) ?? by.own[0]);
  }

  checkFirst(e) {
    demand('network', e.type === 'root' && e.fields.version === 1, 'not root version 1');
    demand('network', networkId(e.subject, encodeBody('root', e.fields)).equals(this.network),
      'network_id');
    demand('authority', e.authority.equals(e.subject), 'not itself');
    demand('quorum', e.signatures.every((s) => s.key_number < 16), 'key of no previous version');
    this.quorum(e, e.fields, 0);
  }

  /** Signatures numbered from base on are by these keys, and they suffice. */
  quorum(e, root, base) {
    const mine = e.signatures.map((s, i) => ({ n: s.key_number - base, i }))
      .filter(({ n }) => n >= 0 && n < 16);
    for (const { n, i } of mine) {
      demand('quorum', n < root.keys.length, 'no such key');
      demand('signature', verifyEntry(this.network, e, root.keys[n], i), 'root');
    }
    demand('quorum', mine.length >= root.threshold, 'too few signatures');
  }

  authorityKey(e, a) {
    if (a.kind === 'registrar') {
      const { key, valid_until: until } = this.fields(e.authority);
      demand('expired', e.logged_at <= until, 'registrar');
      return key;
    }
    const memberId = a.kind === 'device' ? a.member : e.authority;
    const member = this.subject(memberId);
    const { organisation, enrol_key: key, enrol_expires: until } = this.fields(memberId);
    demand('revoked', !member.revoked && !this.subject(organisation).revoked, 'member');
    demand('authority', this.certified(a), 'not certified');
    if (a.kind === 'device') {
      if (this.pending(a)) {
        demand('authority', e.authority.equals(e.subject), 'a pending device');
        demand('expired', e.logged_at <= a.newest.device.fields.enrol_expires, 'invitation');
      }
      return a.keys.at(-1).key;
    }
    demand('used', !member.enrolled.has(hex(key)), 'enrolment key used before');
    demand('used', this.usableDevices(memberId) === 0, 'the member has a device');
    demand('expired', e.logged_at <= until, 'invitation');
    return key;
  }

  /** How many entries the devices of this entry's member signed on its day, or null. */
  share(e) {
    const a = this.subject(e.authority);
    if (a?.kind !== 'device') return null;
    const member = this.subject(a.member);
    const day = dayOf(e.logged_at);
    if (member.share?.day !== day) member.share = { day, n: 0 };
    return member.share;
  }

  checkShare(e) {
    demand('limit', (this.share(e)?.n ?? 0) < MAX_ENTRIES, 'entries of a member in a day');
  }

  devices(memberId) {
    return [...this.subjects.values()].filter((s) =>
      s.kind === 'device' && s.member.equals(memberId));
  }

  hasDevices(memberId) {
    return this.devices(memberId).length > 0;
  }

  usableDevices(memberId) {
    return this.devices(memberId).filter((s) => !s.revoked).length;
  }

  vetted(organisationId, at) {
    const o = this.subject(organisationId);
    demand('missing', o?.kind === 'organisation', 'organisation');
    const { decision, valid_until: until } = this.fields(organisationId);
    demand('revoked', !o.revoked, 'organisation');
    demand('authority', decision !== 3, 'organisation refused');
    demand('authority', this.certified(o), 'organisation not certified');
    demand('lapsed', at <= until, 'vetting');
  }

  checkName(e, name) {
    const owner = this.names.get(name);
    demand('name', owner === undefined || owner === hex(e.subject), `${name} is taken`);
    demand('order', owner !== undefined || this.subject(e.subject) === null, 'name changes');
  }

  apply(e, raw) {
    const share = this.share(e);
    if (share !== null) share.n++;
    const index = BigInt(this.leaves.length);
    const key = hex(e.subject);
    const s = this.subjects.get(key) ??
      { kind: RULES[e.type].kind, newest: {}, revoked: false, compromised: false, ended: null,
        enrolled: new Set(), own: [] };
    s.newest[e.type] = { index, fields: e.fields, by: e.authority, logged_at: e.logged_at };
    if (e.type === s.kind) s.own.push(s.newest[e.type]);
    this.subjects.set(key, s);
    const name = e.fields.address ?? e.fields.handle;
    if (name !== undefined) this.names.set(name, key);
    if (APPLY[e.type]) APPLY[e.type](this, e, s, index);
    this.clock = e.logged_at;
    this.leaves.push(leafHash(raw));
  }

  treeRoot(size = this.leaves.length) {
    return treeRoot(this.leaves.slice(0, size));
  }

  /**
   * The key of a manifest's certified sender who had the right to send at `at`, the later of
   * the two times it claims, with a key that no rotation had ended; null where it had not.
   */
  sender(m, at) {
    const d = this.subject(m.sender_device);
    if (d?.kind !== 'device' || !d.member.equals(m.sender_member)) return null;
    const { organisation } = this.fields(d.member);
    const { decision, valid_until: until } = this.fields(organisation);
    const ended = [d, this.subject(d.member), this.subject(organisation)]
      .some((s) => s.ended !== null && at >= s.ended);
    // whose vetting lapsed still says what became of the mail they have
    if (ended || decision === 3 || (at > until && m.content_kind !== 3)) return null;
    const o = this.subject(organisation);
    const then = o.own.findLast((e) => e.logged_at <= at) ?? o.own[0];
    if (!this.certified(d) || !this.certified(o, then)) return null;
    const i = d.keys.findIndex((k) => k.index === m.sender_entry);
    if (i === 0 && d.newest.device.fields.enrol_expires !== 0n) return null; // a one-time key
    const next = d.keys[i + 1];
    return i < 0 || (next && at >= next.from) ? null : d.keys[i].key;
  }
}

const isArchive = (member) => member.role === 'archive';

const rosterCheck = (dir, e) => {
  const { address, members } = e.fields;
  demand('missing', dir.names.has(address.split('@')[1]), 'handle');
  demand('missing', members.every((m) => dir.subject(m)?.kind === 'member'), 'member');
  dir.checkName(e, address);
};

const CHECKS = {
  root: (dir, e) => {
    const previous = dir.fields(e.subject)?.version ?? 0;
    demand('order', e.fields.version === previous + 1, 'root version');
  },
  organisation: (dir, e) => dir.checkName(e, e.fields.handle),
  member: (dir, e) => {
    const { organisation, address, enrol_expires: until } = e.fields;
    dir.vetted(organisation, e.logged_at);
    demand('authority', address.split('@')[1] === dir.fields(organisation).handle, 'handle');
    dir.checkName(e, address);
    const before = dir.fields(e.subject)?.organisation ?? organisation;
    demand('order', before.equals(organisation), 'organisation changes');
    const was = dir.subject(e.subject);
    demand('authority', was === null || !dir.hasDevices(e.subject) ||
      isArchive(was.newest.member.fields) === isArchive(e.fields), 'archive or not');
    demand('expired', until === 0n || e.logged_at <= until, 'invitation');
  },
  device: (dir, e) => {
    demand('order', dir.subject(e.subject) === null, 'a second device entry');
    const by = dir.subject(e.authority);
    const member = by.kind === 'device' ? by.member : e.authority;
    demand('authority', member.equals(e.fields.member), 'another member');
    demand('authority', (e.fields.kind === 2) === isArchive(dir.fields(member)), 'kind');
    demand('authority', (e.fields.enrol_expires !== 0n) === (by.kind === 'device'), 'enrol_expires');
    demand('limit', dir.usableDevices(member) < MAX_DEVICES, 'devices of a member');
    dir.vetted(dir.fields(member).organisation, e.logged_at);
  },
  'device-rotate': (dir, e) => {
    const old = dir.subject(e.subject).keys.at(-1).key;
    demand('signature',
      edVerify(e.fields.sign_key, rotateProofBytes(dir.network, e.subject, old), e.fields.proof),
      'rotation proof');
  },
  'epoch-batch': (dir, e) => {
    const { first_epoch: first } = e.fields;
    demand('order', first >= dir.subject(e.subject).epochEnd, 'batch goes back');
    demand('layout', first <= epochOf(e.logged_at) + 26n, 'batch too far ahead');
  },
  group: rosterCheck,
  service: rosterCheck,
  revoke: (dir, e) => {
    const [s, a] = [dir.subject(e.subject), dir.subject(e.authority)];
    const [kind, by] = [s.kind, a.kind];
    demand('authority', kind !== 'root', 'the root');
    demand('authority', by !== 'device' || e.authority.equals(e.subject)
      || (kind === 'device' && dir.pending(s) && s.member.equals(a.member)), 'another device');
    demand('authority', by !== 'root' || kind === 'registrar', 'the root ends registrars only');
    demand('authority', kind !== 'registrar' || by === 'root' || e.authority.equals(e.subject),
      'a registrar');
    demand('authority', by !== 'device' || e.fields.compromised_since === 0n,
      'a device ends itself in the past');
  },
};

const APPLY = {
  root: (dir, e) => {
    dir.rootId = e.subject;
  },
  device: (dir, e, s, index) => {
    const { member, sign_key: key } = e.fields;
    Object.assign(s, { member, keys: [{ index, key, from: e.logged_at }], epochEnd: 0n });
    if (e.authority.equals(member))
      dir.subject(member).enrolled.add(hex(dir.fields(member).enrol_key));
  },
  'device-rotate': (dir, e, s, index) =>
    s.keys.push({ index, key: e.fields.sign_key, from: e.logged_at }),
  'epoch-batch': (dir, e, s) => {
    s.epochEnd = e.fields.first_epoch + BigInt(e.fields.count);
  },
  revoke: (dir, e, s) => {
    const since = e.fields.compromised_since;
    const end = since !== 0n && since < e.logged_at ? since : e.logged_at;
    if (s.ended === null || end < s.ended) s.ended = end;
    s.compromised ||= since !== 0n;
    s.revoked = true;
  },
};
