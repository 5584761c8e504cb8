// Section 7: replaying the log against the table of authority.

import { edVerify, leafHash, treeRoot } from './crypto.mjs';
import { decodeLeaf, encodeBody, networkId, rotateProofBytes, verifyEntry } from './entry.mjs';
import { NONE, refuse } from './layout.mjs';

const hex = (b) => b.toString('hex');
const ROOT_SIGNED = ['registrar', 'policy'];
const REGISTRAR_SIGNED =
  ['relay', 'witness', 'organisation', 'member', 'group', 'service'];

function demand(step, ok, why) {
  if (!ok) refuse(step, why);
}

export class Directory {
  constructor(network) {
    this.network = network;
    this.leaves = [];
    this.newest = new Map(); // 'type subject' → { index, fields, logged_at }
    this.devices = new Map(); // subject → { index, member, key, revoked }
    this.used = new Set(); // members whose enrolment key was used
    this.names = new Map(); // address or handle → subject
    this.root = null;
  }

  last(type, subject) {
    return this.newest.get(`${type} ${hex(subject)}`) ?? null;
  }

  add(raw) {
    const e = decodeLeaf(raw);
    const index = BigInt(this.leaves.length);
    demand('order', e.seq === index, 'seq');
    demand('order', e.prev === (this.last(e.type, e.subject)?.index ?? NONE), 'prev');
    this.authorise(e);
    this.claimName(e);
    this.apply(e, index);
    this.newest.set(`${e.type} ${hex(e.subject)}`,
      { index, fields: e.fields, logged_at: e.logged_at });
    this.leaves.push(leafHash(raw));
    return e;
  }

  authorise(e) {
    if (e.type === 'root') return this.authoriseRoot(e);
    demand('order', this.root !== null, 'before the root');
    if (ROOT_SIGNED.includes(e.type)) {
      demand('authority', e.authority.equals(this.root.subject), 'not the root');
      return this.quorum(e, this.root, 0);
    }
    const key = this.signer(e);
    demand('authority', key !== null, `${e.type} by this authority`);
    return demand('signature', verifyEntry(this.network, e, key, 0), `signature of ${e.type}`);
  }

  quorum(e, root, base) {
    let good = 0;
    e.signatures.forEach((s, i) => {
      const key = root.keys[s.key_number - base];
      if (s.key_number < base || s.key_number >= base + 16) return;
      demand('quorum', key !== undefined && verifyEntry(this.network, e, key, i), 'signature');
      good++;
    });
    demand('quorum', good >= root.threshold, 'too few signatures');
  }

  authoriseRoot(e) {
    demand('authority', e.authority.equals(e.subject), 'not itself');
    if (this.root === null) {
      demand('order', e.fields.version === 1, 'first root version');
      demand('network', networkId(e.subject, encodeBody('root', e.fields)).equals(this.network), 'network_id');
      demand('quorum', e.signatures.every((s) => s.key_number < 16), 'key of no previous version');
    } else {
      demand('order', e.subject.equals(this.root.subject), 'another root');
      demand('order', e.fields.version === this.root.version + 1, 'root version');
      this.quorum(e, this.root, 128);
    }
    this.quorum(e, e.fields, 0);
  }

  registrarKey(e) {
    const r = this.last('registrar', e.authority);
    if (r === null || e.logged_at > r.fields.valid_until) return null;
    return this.revoked(e.authority) ? null : r.fields.key;
  }

  revoked(subject) {
    return this.last('revoke', subject) !== null;
  }

  deviceKey(deviceId) {
    const d = this.devices.get(hex(deviceId));
    return d === undefined || this.revoked(deviceId) ? null : d.key;
  }

  signer(e) {
    if (REGISTRAR_SIGNED.includes(e.type)) return this.registrarKey(e);
    if (e.type === 'revoke')
      return e.authority.equals(e.subject) ? this.deviceKey(e.subject) : this.registrarKey(e);
    if (e.type === 'device') return this.deviceSigner(e);
    return e.authority.equals(e.subject) ? this.deviceKey(e.subject) : null;
  }

  deviceSigner(e) {
    const member = this.last('member', e.fields.member);
    if (member === null) return null;
    if (!e.authority.equals(e.fields.member)) {
      const by = this.devices.get(hex(e.authority));
      return by?.member.equals(e.fields.member) ? this.deviceKey(e.authority) : null;
    }
    const use = `${hex(e.fields.member)} ${hex(member.fields.enrol_key)}`;
    demand('used', !this.used.has(use), 'enrolment key used before');
    if (e.logged_at > member.fields.enrol_expires) return null;
    return member.fields.enrol_key;
  }

  claimName(e) {
    const name = e.fields.address ?? e.fields.handle;
    if (name === undefined) return;
    const owner = this.names.get(name) ?? e.subject;
    demand('name', owner.equals(e.subject), `${name} belongs to another`);
    this.names.set(name, e.subject);
  }

  apply(e, index) {
    const f = e.fields;
    if (e.type === 'root') this.root = { subject: e.subject, ...f };
    if (e.type === 'device')
      this.addDevice(e, index);
    if (e.type === 'device-rotate') {
      const d = this.devices.get(hex(e.subject));
      const proved = rotateProofBytes(this.network, e.subject, d.key);
      demand('signature', edVerify(f.sign_key, proved, f.proof), 'rotation proof');
      d.key = f.sign_key;
    }
  }

  addDevice({ authority, subject, fields: f }, index) {
    const { enrol_key: key } = this.last('member', f.member).fields;
    if (authority.equals(f.member)) this.used.add(`${hex(f.member)} ${hex(key)}`);
    this.devices.set(hex(subject), { index, member: f.member, key: f.sign_key });
  }

  treeRoot(size = this.leaves.length) {
    return treeRoot(this.leaves.slice(0, size));
  }

  /** The key of a manifest's sender at `now`, null where it has no right to send. */
  sender(m, now) {
    const d = this.devices.get(hex(m.sender_device));
    if (d === undefined || d.index !== m.sender_entry || !d.member.equals(m.sender_member))
      return null;
    const member = this.last('member', d.member);
    const org = this.last('organisation', member.fields.organisation);
    if (org === null || org.fields.decision === 3 || now > org.fields.valid_until) return null;
    if ([d.member, member.fields.organisation].some((s) => this.revoked(s))) return null;
    return this.deviceKey(m.sender_device);
  }
}
