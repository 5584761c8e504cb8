// Section 7: the layouts of directory entries, and epoch keys.

import { edSign, edVerify, hkdfExpand, leafHash, sha256, treeRoot, xwing } from './crypto.mjs';
import {
  address, bytes, decode, handle, hash, id, label, need, oneOf, rows, str8, struct, u16,
  u32, u64, u8, version, where, blob,
} from './layout.mjs';

const name = str8(1, 200);
const between = (layout, low, high) =>
  where(layout, (v) => v >= low && v <= high, `not ${low} to ${high}`);

// Luhn over 80840 and the ten digits: from the right, every second one doubled.
export function isNpi(s) {
  if (!/^[12][0-9]{9}$/.test(s)) return false;
  const digits = [...`80840${s}`].reverse().map(Number);
  const sum = digits.reduce((n, d, i) => n + (i % 2 === 0 ? d : Math.floor(2 * d / 10) + 2 * d % 10), 0);
  return sum % 10 === 0;
}

const roster = [
  ['address', address], ['name', name], ['members', rows(u16, id, { max: 1000 })]];

const BODIES = {
  root: [
    ['version', between(u32, 1, Infinity)], ['threshold', between(u8, 1, 16)],
    ['keys', rows(u8, hash, { min: 1, max: 16 })], ['name', name]],
  registrar: [['key', hash], ['valid_until', u64], ['name', name]],
  relay: [['noise_key', hash], ['sign_key', hash], ['url', str8(1, 255)]],
  witness: [['key', hash], ['name', name]],
  policy: [['rules', rows(u8, struct(['key', oneOf(u8, 1, 2, 3)], ['value', u64]))]],
  organisation: [
    ['handle', handle], ['name', name], ['vetting_hash', hash],
    ['decision', oneOf(u8, 1, 2, 3)], ['co_registrar', id], ['valid_until', u64]],
  member: [
    ['organisation', id], ['enrol_key', hash], ['enrol_expires', u64],
    ['address', address], ['name', name], ['role', str8(0, 200)],
    ['npi', where(str8(0, 10), (s) => s === '' || isNpi(s), 'not an NPI')],
    ['specialty', str8(0, 200)], ['licence_state', str8(0, 40)], ['licence_number', str8(0, 40)],
    ['licence_until', u64]],
  device: [
    ['member', id], ['sign_key', hash], ['kind', oneOf(u8, 1, 2)], ['enrol_expires', u64],
    ['name', name]],
  'device-rotate': [['sign_key', hash], ['proof', bytes(64)]],
  'epoch-batch': [
    ['first_epoch', where(u64, (v) => v < 2n ** 32n, 'epoch too late')],
    ['count', between(u8, 1, 26)], ['root', hash]],
  group: roster,
  service: roster,
  revoke: [['reason', oneOf(u8, 1, 2, 3, 4, 5)], ['compromised_since', u64]],
};

/** co_registrar where there is none. */
export const NOBODY = Buffer.alloc(16);
/** vetting_hash where there is no record. */
export const NO_RECORD = Buffer.alloc(32);

export const TYPES = Object.keys(BODIES);
const LAYOUTS = TYPES.map((t) => struct(...BODIES[t]));
/** Which key numbers an entry may have at all; which it must have, the log tells. */
const KEY_NUMBERS = {
  root: (n) => n < 16 || (n >= 128 && n < 144), registrar: (n) => n < 16, policy: (n) => n < 16,
  revoke: (n) => n < 16, organisation: (n) => n < 2,
};

const core = struct(
  ['version', version(u8, 1)], ['type', between(u8, 1, TYPES.length)], ['time', u64],
  ['subject', id], ['prev', u64], ['authority', id], ['body', blob(u16)]);
const signature = struct(['key_number', u8], ['signature', bytes(64)]);
const entryLayout = struct(
  ['core', { put: (b) => b, get: (r) => {
    const from = r.at;
    core.get(r);
    return r.bytes.subarray(from, r.at);
  } }],
  ['signatures', rows(u8, signature, { min: 1, max: 32 })]);
const leafLayout = struct(['seq', u64], ['logged_at', u64]);

const number = (type) => TYPES.indexOf(type) + 1;

export const encodeBody = (type, v) => LAYOUTS[number(type) - 1].put(v);

export function encodeCore(e) {
  return core.put({ version: 1, ...e, type: number(e.type), body: encodeBody(e.type, e.fields) });
}

function signedBytes(networkId, coreBytes) {
  return Buffer.concat([label('consil/directory'), networkId, coreBytes]);
}

/** signers: [[key_number, seed], …] */
export function signEntry(networkId, coreBytes, signers) {
  const message = signedBytes(networkId, coreBytes);
  return entryLayout.put({
    core: coreBytes,
    signatures: signers.map(([n, seed]) => ({ key_number: n, signature: edSign(seed, message) })),
  });
}

export function verifyEntry(networkId, e, key, i) {
  return edVerify(key, signedBytes(networkId, e.core), e.signatures[i].signature);
}

export function decodeEntry(raw) {
  need(raw.length <= 65535, 'entry too long');
  const e = decode(entryLayout, raw);
  need(e.core.length <= 63454, 'core too long');
  const c = decode(core, e.core);
  const type = TYPES[c.type - 1];
  const fields = decode(LAYOUTS[c.type - 1], c.body);
  need(type !== 'root' || fields.threshold <= fields.keys.length, 'threshold above the keys');
  need(type !== 'organisation' || (fields.decision === 2) !== fields.co_registrar.equals(NOBODY),
    'co_registrar');
  need(type !== 'organisation' || fields.decision === 3 || !fields.vetting_hash.equals(NO_RECORD),
    'admitted without a record');
  const allowed = KEY_NUMBERS[type] ?? ((n) => n === 0);
  need(e.signatures.every((s) => allowed(s.key_number)), 'key number');
  return { ...c, ...e, type, fields };
}

export function encodeLeaf(seq, loggedAt, entry) {
  return Buffer.concat([leafLayout.put({ seq, logged_at: loggedAt }), entry]);
}

export function decodeLeaf(raw) {
  need(raw.length > 16, 'ends early');
  return { ...decode(leafLayout, raw.subarray(0, 16)), ...decodeEntry(raw.subarray(16)) };
}

export function networkId(subject, rootBody) {
  return sha256(label('consil/network'), subject, rootBody);
}

export function rotateProofBytes(network, device, oldKey) {
  return Buffer.concat([label('consil/rotate'), network, device, oldKey]);
}

// ----------------------------------------------------------------- epoch keys

export const epochOf = (seconds) => seconds / 604800n;

const keyLeaf = struct(['device_id', id], ['epoch', u64], ['public_key', bytes(1216)]);

/** `count` keys of a chain that stands at secret s for epoch `first`. */
export function epochKeys(deviceId, s, first, count) {
  const keys = [];
  for (let i = 0; i < count; i++) {
    const ikm = hkdfExpand(s, label('consil/epoch'), 32);
    const epoch = first + BigInt(i);
    const publicKey = xwing(ikm).publicKey;
    const leaf = keyLeaf.put({ device_id: deviceId, epoch, public_key: publicKey });
    keys.push({ epoch, ikm, public_key: publicKey, key_id: leafHash(leaf) });
    s = hkdfExpand(s, label('consil/epoch-next'), 32);
  }
  return { keys, next: s, root: treeRoot(keys.map((k) => k.key_id)) };
}
