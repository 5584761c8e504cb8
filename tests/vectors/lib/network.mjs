// The network of the vectors: one entry of every type at least, in a log that
// a client may replay. Everything secret is fixed by its name.

import {
  edKeys, edSign, fixed, inclusionProof, leafHash, sha256, treeRoot, x25519,
} from './crypto.mjs';
import { makeNote, directoryOrigin, signSeen } from './checkpoint.mjs';
import { Directory } from './directory.mjs';
import {
  encodeBody, encodeCore, encodeLeaf, epochKeys, epochOf, networkId, NOBODY, rotateProofBytes,
  signEntry,
} from './entry.mjs';
import { label, NONE } from './layout.mjs';

export const START = 1790000000n;
export const NOW = START + 2n * 86400n;
const YEAR = 365n * 86400n;

export const idOf = (name) => fixed(`id ${name}`, 16);
export const seedOf = (name) => fixed(`ed25519 ${name}`, 32);
export const keyOf = (name) => edKeys(seedOf(name));

// Root keys in the order of a body: by public key.
function rootKeys(...names) {
  return names.map((n) => ({ seed: seedOf(n), key: keyOf(n) }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
}

const ROOT1 = rootKeys('root a', 'root b', 'root c');
const ROOT2 = rootKeys('root a', 'root c', 'root d');
const ROOT_ID = idOf('root');

const rootBody = (version, keys) =>
  ({ version, threshold: 2, keys: keys.map((k) => k.key), name: 'Vector Network' });

export const NETWORK = networkId(ROOT_ID, encodeBody('root', rootBody(1, ROOT1)));

/** Key pairs of a device's chain from this epoch on. */
export const EPOCH = epochOf(NOW);
export const chainOf = (device, count = 26, first = EPOCH) =>
  epochKeys(idOf(device), fixed(`epoch chain ${device}`, 32), first, count);

export class Log {
  constructor() {
    this.dir = new Directory(NETWORK);
    this.raw = [];
    this.entries = [];
    this.prev = new Map();
    this.clock = START;
  }

  /** Entry bytes of type about subject, signed by [[key_number, seed], …]. */
  make(type, subject, authority, fields, signers, over = {}) {
    const key = `${type} ${subject.toString('hex')}`;
    const core = encodeCore({
      type, time: this.clock - 1n, subject, prev: this.prev.get(key) ?? NONE, authority, fields,
      ...over,
    });
    return signEntry(over.network ?? NETWORK, core, signers);
  }

  leaf(entry, seq = BigInt(this.raw.length)) {
    return encodeLeaf(seq, this.clock, entry);
  }

  add(type, subject, authority, fields, signers) {
    const raw = this.leaf(this.make(type, subject, authority, fields, signers));
    this.prev.set(`${type} ${subject.toString('hex')}`, BigInt(this.raw.length));
    this.entries.push(this.dir.add(raw));
    this.raw.push(raw);
    this.clock += 60n;
    return BigInt(this.raw.length - 1);
  }

  byRegistrar(type, name, fields) {
    return this.add(type, idOf(name), idOf('registrar'), fields, [[0, seedOf('registrar')]]);
  }

  byDevice(type, name, fields, seed = seedOf(name)) {
    return this.add(type, idOf(name), idOf(name), fields, [[0, seed]]);
  }

  /** A device changes to the key of this seed. */
  rotate(device, to, from) {
    return this.byDevice('device-rotate', device, rotateFields(device, to, from), seedOf(from));
  }

  /** A second device, whose one-time key it has to change for its own. */
  invite(device, by, member, kind = 1) {
    return this.add('device', idOf(device), idOf(by), pendingFields(device, member, kind),
      [[0, seedOf(by)]]);
  }
}

// A second registrar, to sign waivers, and one that the root put out; and from when on
// it no longer counted, which was found out later.
export const SECOND = 'second registrar';
export const BAD = 'bad registrar';
const registrarFields = (name, until = START + YEAR) =>
  ({ key: keyOf(name), valid_until: until, name: name === 'registrar' ? 'Registrar' : name });
const COMPROMISED = START + 300n;

const ORGANISATIONS = {
  mnoncology: { name: 'Minnesota practice', decision: 1, valid_until: START + 2n * YEAR },
  mayo: { name: 'Mäyo Clinic', decision: 2, valid_until: START + YEAR },
  lapsed: { name: 'Lapsed practice', decision: 1, valid_until: NOW - 3600n },
};
const NO_LICENCE = {
  npi: '', specialty: '', licence_state: '', licence_number: '', licence_until: 0n };
const MEMBERS = {
  'j.doe@mnoncology': {
    name: 'J. Doe', role: 'physician, on-call', npi: '1234567893', specialty: 'Oncology',
    licence_state: 'MN', licence_number: '47-11', licence_until: START + YEAR },
  'a.smith@mayo': {
    name: 'A. Smith', role: 'hæmatologist', npi: '2000000002', specialty: 'Hæmatology',
    licence_state: 'Minnesota', licence_number: '9'.repeat(40), licence_until: NOW },
  'c_3@mayo': { name: 'C.', role: '' },
  'd@lapsed': { name: 'D.', role: 'physician' },
  'e@mnoncology': { name: 'E.', role: 'left' },
  'archive@mayo': { name: 'Archive', role: 'archive' },
};

export function memberFields(address, expires = START + 86400n) {
  return {
    organisation: idOf(address.split('@')[1]), enrol_key: keyOf(`enrol ${address}`),
    enrol_expires: expires, address, ...NO_LICENCE, ...(MEMBERS[address] ?? { name: 'M.', role: '' }),
  };
}

export function organisationFields(handle, over) {
  const { decision } = ORGANISATIONS[handle] ?? { decision: 1 };
  return {
    handle, name: handle, decision, vetting_hash: sha256(label('consil/vetting'), Buffer.from(handle)),
    co_registrar: decision === 2 ? idOf(SECOND) : NOBODY, valid_until: START + YEAR,
    ...ORGANISATIONS[handle], ...over,
  };
}

// device → [member, kind, name]
const DEVICES = {
  'doe desk': ['j.doe@mnoncology', 1, 'desk'],
  'smith desk': ['a.smith@mayo', 1, 'desk'],
  'c desk': ['c_3@mayo', 1, 'c'],
  'd desk': ['d@lapsed', 1, 'd'],
  'e desk': ['e@mnoncology', 1, 'e'],
  'mayo archive': ['archive@mayo', 2, 'archive'],
};

export const deviceFields = (device, member, kind, name) =>
  ({ member: idOf(member), sign_key: keyOf(device), kind, enrol_expires: 0n, name });

/** Of a device that another one invites: its key is good for one change. */
export const onceOf = (device) => `once ${device}`;
export const pendingFields = (device, member, kind = 1) => ({
  ...deviceFields(device, member, kind, 'laptop'), sign_key: keyOf(onceOf(device)),
  enrol_expires: START + 86400n,
});

export function rotateFields(device, to, from) {
  const bytes = rotateProofBytes(NETWORK, idOf(device), keyOf(from));
  return { sign_key: keyOf(to), proof: edSign(seedOf(to), bytes) };
}

function addRoot2(log) {
  const signers = [
    ...[0, 1].map((i) => [i, ROOT2[i].seed]), ...[1, 2].map((i) => [128 + i, ROOT1[i].seed])];
  log.add('root', ROOT_ID, ROOT_ID, rootBody(2, ROOT2), signers);
}

/** Signers of a root, registrar or policy entry under version 1 or 2. */
export const rootSigners = (version, ...places) =>
  places.map((i) => [i, (version === 1 ? ROOT1 : ROOT2)[i].seed]);

function addPeople(log) {
  for (const [handle, { decision }] of Object.entries(ORGANISATIONS))
    log.add('organisation', idOf(handle), idOf('registrar'), organisationFields(handle),
      decision === 2 ? waiverSigners() : waiverSigners().slice(0, 1));
  for (const address of Object.keys(MEMBERS))
    log.byRegistrar('member', address, memberFields(address));
  for (const [device, [member, kind, name]] of Object.entries(DEVICES))
    log.add('device', idOf(device), idOf(member), deviceFields(device, member, kind, name),
      [[0, seedOf(`enrol ${member}`)]]);
  for (const [device, by, member] of [
    ['smith laptop', 'smith desk', 'a.smith@mayo'],
    ['doe laptop', 'doe desk', 'j.doe@mnoncology']]) {
    log.invite(device, by, member);
    log.rotate(device, device, onceOf(device));
  }
  log.invite('smith phone', 'smith desk', 'a.smith@mayo');
}

/** Of a conditional organisation: the registrar, and who stands beside it. */
export const waiverSigners = (second = SECOND) => [[0, seedOf('registrar')], [1, seedOf(second)]];

// What the bad registrar did before and after its key was stolen, and how the root ended
// it; of what it did after, only one member has been signed for anew, and joined then.
function addCompromise(log) {
  const bad = (type, name, fields) =>
    log.add(type, idOf(name), idOf(BAD), fields, [[0, seedOf(BAD)]]);
  const enrol = (device, member) =>
    log.add('device', idOf(device), idOf(member), deviceFields(device, member, 1, 'f'),
      [[0, seedOf(`enrol ${member}`)]]);
  bad('organisation', 'tainted', organisationFields('tainted'));
  bad('member', 'h@tainted', memberFields('h@tainted'));
  bad('member', 'i@mnoncology', memberFields('i@mnoncology'));
  for (const address of ['f@mnoncology', 'g@mnoncology'])
    bad('member', address, memberFields(address));
  enrol('f desk', 'f@mnoncology');
  enrol('h desk', 'h@tainted');
  log.byRegistrar('member', 'h@tainted', memberFields('h@tainted'));
  log.add('revoke', idOf(BAD), ROOT_ID, { reason: 3, compromised_since: COMPROMISED },
    rootSigners(2, 0, 2));
  log.byRegistrar('member', 'g@mnoncology', memberFields('g@mnoncology'));
  enrol('g desk', 'g@mnoncology');
  addBatch(log, 'g desk', 1);
}

function addBatch(log, device, count, seed) {
  const { root } = chainOf(device, count);
  return log.byDevice('epoch-batch', device, { first_epoch: EPOCH, count, root }, seed);
}

function addChanges(log) {
  log.rotate('smith laptop', 'smith laptop 2', 'smith laptop');
  addBatch(log, 'smith laptop', 7, seedOf('smith laptop 2'));
  const members = ['a.smith@mayo', 'c_3@mayo'].map(idOf).sort(Buffer.compare);
  const board = { address: 'lung-board@mayo', name: 'Lung board' };
  log.byRegistrar('group', 'lung-board', { ...board, members });
  log.byRegistrar('group', 'lung-board', { ...board, members: members.slice(0, 1) });
  log.byRegistrar('service', 'hematology',
    { address: 'hematology@mayo', name: 'Hematology', members: [] });
  log.byDevice('revoke', 'doe laptop', { reason: 1, compromised_since: 0n });
  log.byRegistrar('revoke', 'doe laptop', { reason: 3, compromised_since: START });
  log.byRegistrar('revoke', 'e@mnoncology', { reason: 2, compromised_since: 0n });
}

function indexOf(log, type, name) {
  return log.entries.find((e) => e.type === type && e.subject.equals(idOf(name))).seq;
}

/** The log, and look-ups in it. */
export function makeNetwork() {
  const log = new Log();
  log.add('root', ROOT_ID, ROOT_ID, rootBody(1, ROOT1), rootSigners(1, 0, 2));
  const registrar = (name, signers, until) =>
    log.add('registrar', idOf(name), ROOT_ID, registrarFields(name, until), signers);
  registrar('registrar', rootSigners(1, 0, 1));
  log.byRegistrar('relay', 'relay', {
    noise_key: x25519(fixed('noise secret relay', 32)),
    sign_key: keyOf('relay'), url: 'tcp://relay.example:7700',
  });
  registrar(SECOND, rootSigners(1, 1, 2));
  registrar(BAD, rootSigners(1, 0, 1, 2));
  log.byRegistrar('witness', 'witness', { key: keyOf('witness'), name: 'Witness' });
  log.add('policy', ROOT_ID, ROOT_ID, { rules: [
    { key: 1, value: 86400n }, { key: 2, value: 0n }, { key: 3, value: 90n * 86400n }] },
  rootSigners(1, 1, 2));
  addPeople(log);
  for (const d of ['doe desk', 'smith desk', 'c desk']) addBatch(log, d, 26);
  addRoot2(log);
  registrar('registrar', rootSigners(2, 0, 2), START + 2n * YEAR);
  addChanges(log);
  addCompromise(log);
  return {
    log, entryOf: (type, name) => indexOf(log, type, name),
    // where the key of this seed of a device is
    keyEntryOf: (seed, name) => log.entries.find((e) =>
      e.subject.equals(idOf(name)) && e.fields.sign_key?.equals(keyOf(seed))).seq,
    size: BigInt(log.raw.length), root: log.dir.treeRoot(),
  };
}

export function checkpointFields(net, time = NOW - 60n) {
  return {
    origin: directoryOrigin(NETWORK), size: net.size, root: net.root, time,
    incarnation: fixed('incarnation', 16), counter: 3n,
  };
}

/** What an author has seen of this network. */
export const seenOf = (net) => signSeen(checkpointFields(net), seedOf('relay'));

/** What network.json holds. */
export function networkFacts(net) {
  const checkpoint = checkpointFields(net);
  const chain = (device, count) => {
    const c = chainOf(device, count);
    const ids = c.keys.map((k) => k.key_id);
    return {
      device_id: idOf(device), first_epoch: EPOCH, count, chain: fixed(`epoch chain ${device}`, 32),
      keys: c.keys.map((k, i) => ({
        epoch: k.epoch, seed: k.ikm, key_id: k.key_id, path: inclusionProof(i, ids),
      })),
      next: c.next, root: c.root,
    };
  };
  return {
    network_id: NETWORK, relay_id: idOf('relay'), relay_key: keyOf('relay'), now: NOW,
    leaves: log2facts(net.log), tree: { size: net.size, root: net.root },
    checkpoint: { ...checkpoint, note: makeNote(checkpoint, seedOf('relay'),
      [{ name: 'witness.example', seed: seedOf('witness') }]) },
    chains: [chain('smith desk', 26), chain('smith laptop', 7)],
  };
}

function log2facts(log) {
  const hashes = log.raw.map((r) => leafHash(r));
  return log.entries.map((e, i) => ({
    type: e.type, seq: e.seq, logged_at: e.logged_at, time: e.time, subject: e.subject,
    prev: e.prev, authority: e.authority, fields: e.fields, signatures: e.signatures,
    leaf: log.raw[i], leaf_hash: hashes[i], root_up_to_here: treeRoot(hashes.slice(0, i + 1)),
  }));
}
