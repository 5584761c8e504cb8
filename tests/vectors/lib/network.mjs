// The network of the vectors: one entry of every type at least, in a log that
// a client may replay. Everything secret is fixed by its name.

import { edKeys, edSign, fixed, inclusionProof, leafHash, treeRoot, x25519 } from './crypto.mjs';
import { makeNote, directoryOrigin } from './checkpoint.mjs';
import { Directory } from './directory.mjs';
import {
  encodeBody, encodeCore, encodeLeaf, epochKeys, epochOf, networkId, rotateProofBytes, signEntry,
} from './entry.mjs';
import { NONE } from './layout.mjs';

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
}

const ORGANISATIONS = {
  mnoncology: { name: 'Minnesota practice', decision: 1, valid_until: START + 2n * YEAR },
  mayo: { name: 'Mäyo Clinic', decision: 2, valid_until: START + YEAR },
  lapsed: { name: 'Lapsed practice', decision: 1, valid_until: NOW - 3600n },
};
const MEMBERS = {
  'j.doe@mnoncology': { name: 'J. Doe', role: 'physician' },
  'a.smith@mayo': { name: 'A. Smith', role: 'hæmatologist' },
  'c_3@mayo': { name: 'C.', role: '' },
  'd@lapsed': { name: 'D.', role: 'physician' },
  'e@mnoncology': { name: 'E.', role: 'left' },
};

export function memberFields(address, expires = START + 86400n) {
  return {
    organisation: idOf(address.split('@')[1]), enrol_key: keyOf(`enrol ${address}`),
    enrol_expires: expires, particulars_hash: fixed(`particulars ${address}`, 32), address,
    ...MEMBERS[address],
  };
}

// device → [member, kind, name]
const DEVICES = {
  'doe desk': ['j.doe@mnoncology', 1, 'desk'],
  'smith desk': ['a.smith@mayo', 1, 'desk'],
  'c desk': ['c_3@mayo', 2, 'archive'],
  'd desk': ['d@lapsed', 1, 'd'],
  'e desk': ['e@mnoncology', 1, 'e'],
};

export const deviceFields = (device, member, kind, name) =>
  ({ member: idOf(member), sign_key: keyOf(device), kind, name });

function addRoot2(log) {
  const signers = [
    ...[0, 1].map((i) => [i, ROOT2[i].seed]), ...[1, 2].map((i) => [128 + i, ROOT1[i].seed])];
  log.add('root', ROOT_ID, ROOT_ID, rootBody(2, ROOT2), signers);
}

/** Signers of a root, registrar or policy entry under version 1 or 2. */
export const rootSigners = (version, ...places) =>
  places.map((i) => [i, (version === 1 ? ROOT1 : ROOT2)[i].seed]);

function addPeople(log) {
  for (const [handle, o] of Object.entries(ORGANISATIONS))
    log.byRegistrar('organisation', handle,
      { handle, vetting_hash: fixed(`vetting ${handle}`, 32), ...o });
  for (const address of Object.keys(MEMBERS))
    log.byRegistrar('member', address, memberFields(address));
  for (const [device, [member, kind, name]] of Object.entries(DEVICES))
    log.add('device', idOf(device), idOf(member), deviceFields(device, member, kind, name),
      [[0, seedOf(`enrol ${member}`)]]);
  const second = (device, by, member) =>
    log.add('device', idOf(device), idOf(by), deviceFields(device, member, 1, 'laptop'),
      [[0, seedOf(by)]]);
  second('smith laptop', 'smith desk', 'a.smith@mayo');
  second('doe laptop', 'doe desk', 'j.doe@mnoncology');
}

function addBatch(log, device, count, seed) {
  const { root } = chainOf(device, count);
  return log.byDevice('epoch-batch', device, { first_epoch: EPOCH, count, root }, seed);
}

function addChanges(log) {
  const rotated = seedOf('smith laptop 2');
  const proof = edSign(rotated,
    rotateProofBytes(NETWORK, idOf('smith laptop'), keyOf('smith laptop')));
  log.byDevice('device-rotate', 'smith laptop', { sign_key: edKeys(rotated), proof });
  addBatch(log, 'smith laptop', 7, rotated);
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
  const registrar = { key: keyOf('registrar'), valid_until: START + YEAR, name: 'Registrar' };
  log.add('root', ROOT_ID, ROOT_ID, rootBody(1, ROOT1), rootSigners(1, 0, 2));
  log.add('registrar', idOf('registrar'), ROOT_ID, registrar, rootSigners(1, 0, 1));
  log.byRegistrar('relay', 'relay', {
    noise_key: x25519(fixed('noise secret relay', 32)),
    sign_key: keyOf('relay'), url: 'tcp://relay.example:7700',
  });
  log.byRegistrar('witness', 'witness', { key: keyOf('witness'), name: 'Witness' });
  log.add('policy', ROOT_ID, ROOT_ID, { rules: [
    { key: 1, value: 86400n }, { key: 2, value: 0n }, { key: 3, value: 90n * 86400n }] },
  rootSigners(1, 1, 2));
  addPeople(log);
  for (const d of ['doe desk', 'smith desk', 'c desk']) addBatch(log, d, 26);
  addRoot2(log);
  log.add('registrar', idOf('registrar'), ROOT_ID,
    { ...registrar, valid_until: START + 2n * YEAR }, rootSigners(2, 0, 2));
  addChanges(log);
  return {
    log, entryOf: (type, name) => indexOf(log, type, name),
    // where the key of this seed of a device is: "NAME 2" is the rotated one
    keyEntryOf: (seed, name) =>
      indexOf(log, seed.endsWith(' 2') ? 'device-rotate' : 'device', name),
    size: BigInt(log.raw.length), root: log.dir.treeRoot(),
  };
}

export function checkpointFields(net, time = NOW - 60n) {
  return {
    origin: directoryOrigin(NETWORK), size: net.size, root: net.root, time,
    incarnation: fixed('incarnation', 16), counter: 3n,
  };
}

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
