// Section 6: statements, the mailbox chain and the receipt log.

import { checkInclusion, edSign, edVerify, leafHash, sha256 } from './crypto.mjs';
import { decodeNote, openNote, seenLayout } from './checkpoint.mjs';
import {
  blob, bytes, constant, decode, hash, id, label, need, oneOf, Reader, refuse, rows, str16, struct, u16,
  u32, u64, u8, where,
} from './layout.mjs';

const MAX = 262144;

const common = [
  ['network_id', hash], ['envelope_id', id], ['e', hash], ['signer_member', id],
  ['signer_device', id], ['signer_entry', u64], ['time', u64], ['seen', seenLayout],
  ['prev', hash],
];
const binding = [['s', hash], ['manifest_hash', bytes(64)]];
const seq = ['seq', where(u64, (v) => v >= 1n, 'seq 0')];
const objects = ['objects', rows(u16, id, { max: 1024 })];

const SPECIFIC = {
  custody: [
    ['objects', rows(u16, struct(['object_id', id], ['object_root', hash]), { max: 1024 })],
    ['mailboxes', rows(u16, struct(['device_id', id], seq, ['chain_head', hash]),
      { min: 1, max: 1000 })],
    ['stored_bytes', u64], ['stored_until', u64], ['incarnation', id], ['counter', u64],
  ],
  delivered: [...binding, ['result', oneOf(u8, 1, 2, 3, 4)], objects],
  opened: [...binding, objects],
  acknowledged: [...binding, ['responsibility', oneOf(u8, 0, 1)], ['text', str16(0, 4096)]],
  outcome: [['recipient_device', id], seq, ['outcome', oneOf(u8, 1, 2, 3, 4, 5)]],
  ack: [seq],
  withdraw: [],
  purged: [...binding, ['by', oneOf(u8, 1, 2)]],
};

const LAYOUTS = Object.fromEntries(Object.entries(SPECIFIC).map(([fact, fields]) => [fact,
  struct(['label', constant(label(`consil/${fact}`))], ...common, ...fields)]));

const allZero = (b) => b.every((x) => x === 0);

function checkDelivered(v) {
  need((v.result === 4) === v.objects.length > 0, 'missing objects and result differ');
  const blind = v.result === 2 || v.result === 3;
  need(!blind || (allZero(v.s) && allZero(v.manifest_hash)), 'hashes of what was not opened');
}

export const encodeStatement = (fact, v) => LAYOUTS[fact].put(v);

/** The statement at the reader's place, whatever follows it. */
function readStatement(r) {
  const fact = Object.keys(LAYOUTS).find((f) =>
    label(`consil/${f}`).equals(r.bytes.subarray(r.at, r.at + label(`consil/${f}`).length)));
  need(fact !== undefined, 'unknown label');
  const from = r.at;
  const v = LAYOUTS[fact].get(r);
  need(r.at - from <= MAX, 'statement too long');
  if (fact === 'delivered') checkDelivered(v);
  return { fact, ...v };
}

export function decodeStatement(raw) {
  const r = new Reader(raw);
  const v = readStatement(r);
  need(r.left() === 0, 'trailing bytes');
  return v;
}

export const signStatement = (seed, statement) =>
  Buffer.concat([statement, edSign(seed, statement)]);

const anchor = struct(
  ['kind', oneOf(u8, 1)], ['salt', hash], ['index', u64],
  ['proof', rows(u8, hash, { max: 64, ascending: false })], ['note', blob(u32, 1, 4096)]);

/** A device's statement ‖ signature, perhaps with its entry in the receipt log. */
export function openSigned(raw, key) {
  const r = new Reader(raw);
  const v = readStatement(r);
  const statement = r.bytes.subarray(0, r.at);
  const signature = r.take(64);
  const entered = r.left() > 0 ? anchor.get(r) : undefined;
  need(r.left() === 0, 'trailing bytes');
  if (!edVerify(key, statement, signature)) refuse('signature', 'statement');
  return entered ? { ...v, anchor: entered, statement } : v;
}

export const anchorLeafData = (leaf) => sha256(label('consil/anchor'), leaf);

/** Is what openSigned gave in the receipt log, under the relay's key? */
export function checkAnchor(v, relayKey, origin) {
  const note = openNote(v.anchor.note, relayKey, origin);
  const leaf = leafHash(anchorLeafData(receiptLeafData(v.anchor.salt, v.statement)));
  if (!checkInclusion(leaf, v.anchor.index, note.size, v.anchor.proof, note.root))
    refuse('proof', 'not in the log');
  return note;
}

export function chainHead(previous, seqNo, envelopeId, e) {
  return sha256(label('consil/mailbox'), previous, u64.put(seqNo), envelopeId, e);
}

export const receiptLeafData = (salt, statement) => sha256(salt, statement);

const logged = struct(
  ['statement', blob(u32, 1, MAX)], ['salt', hash], ['index', u64],
  ['proof', rows(u8, hash, { max: 64, ascending: false })], ['note', blob(u32, 1, 4096)]);

export const encodeLogged = logged.put;

/** A logged statement, checked against the relay's key. */
export function openLogged(raw, relayKey, origin) {
  const v = decode(logged, raw);
  const note = openNote(v.note, relayKey, origin);
  const leaf = leafHash(receiptLeafData(v.salt, v.statement));
  if (!checkInclusion(leaf, v.index, note.size, v.proof, note.root)) refuse('proof', 'not in the log');
  return { ...v, checkpoint: decodeNote(v.note), fields: decodeStatement(v.statement) };
}
