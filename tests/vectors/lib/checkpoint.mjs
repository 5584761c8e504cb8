// Section 7: checkpoints as C2SP signed notes.

import { edKeys, edSign, edVerify, sha256 } from './crypto.mjs';
import { bytes, hash, id, need, refuse, struct, u64, utf8 } from './layout.mjs';

export const directoryOrigin = (networkId) => `consil/directory/${networkId.toString('hex')}`;
export const receiptsOrigin = (networkId, relayId) =>
  `consil/receipts/${networkId.toString('hex')}/${relayId.toString('hex')}`;

function keyHash(name, key) {
  return sha256(Buffer.from(`${name}\n\x01`), key).subarray(0, 4);
}

function bodyText(c) {
  return `${c.origin}\n${c.size}\n${c.root.toString('base64')}\ntime ${c.time}\n` +
    `incarnation ${c.incarnation.toString('hex')} ${c.counter}\n`;
}

function signatureLine(name, seed, body) {
  const raw = Buffer.concat([keyHash(name, edKeys(seed)), edSign(seed, Buffer.from(body))]);
  return `\u2014 ${name} ${raw.toString('base64')}\n`;
}

/** others: [{ name, seed }] of witnesses, whose lines follow. */
export function makeNote(c, seed, others = []) {
  const body = bodyText(c);
  const lines = [{ name: c.origin, seed }, ...others];
  return Buffer.from(`${body}\n${lines.map((l) => signatureLine(l.name, l.seed, body)).join('')}`);
}

const NUMBER = '(0|[1-9][0-9]*)';
const BODY = new RegExp(
  `^([^\\n]+)\\n${NUMBER}\\n([A-Za-z0-9+/]{43}=)\\ntime ${NUMBER}\\n` +
  `incarnation ([0-9a-f]{32}) ${NUMBER}\\n\\n`);
const LINE = /^\u2014 (\S+) ([A-Za-z0-9+/]+=*)$/;

function base64(s) {
  const raw = Buffer.from(s, 'base64');
  need(raw.toString('base64') === s, 'base64 is not canonical');
  return raw;
}

function u64Text(s) {
  const n = BigInt(s);
  need(n < 2n ** 64n, 'number too large');
  return n;
}

function signatures(text) {
  need(text.endsWith('\n'), 'no line end');
  return text.slice(0, -1).split('\n').map((line) => {
    const m = LINE.exec(line);
    need(m !== null, 'signature line');
    const raw = base64(m[2]);
    need(raw.length > 4, 'signature line too short');
    return { name: m[1], raw };
  });
}

/** The fields of a note, whoever signed it. */
export function decodeNote(raw) {
  need(raw.length <= 4096, 'note too long');
  const text = utf8(raw);
  need(!/[\x00-\x09\x0b-\x1f]/.test(text), 'control character');
  const m = BODY.exec(text);
  need(m !== null, 'not a checkpoint');
  return {
    origin: m[1], size: u64Text(m[2]), root: base64(m[3]), time: u64Text(m[4]),
    incarnation: Buffer.from(m[5], 'hex'), counter: u64Text(m[6]),
    signatures: signatures(text.slice(m[0].length)),
  };
}

/** A note of this origin that holds a signature by key. */
export function openNote(raw, key, origin) {
  const c = decodeNote(raw);
  if (c.origin !== origin) refuse('origin', c.origin);
  const body = Buffer.from(bodyText(c));
  const mine = c.signatures.filter((s) =>
    s.name === origin && s.raw.length === 68 &&
    s.raw.subarray(0, 4).equals(keyHash(origin, key)));
  if (!mine.some((s) => edVerify(key, body, s.raw.subarray(4)))) refuse('signature', 'checkpoint');
  return c;
}

/** A directory checkpoint as manifests and statements carry it. */
export const seenLayout = struct(
  ['size', u64], ['root', hash], ['time', u64], ['incarnation', id], ['counter', u64],
  ['signature', bytes(64)]);

export const signSeen = ({ origin, ...c }, seed) =>
  ({ ...c, signature: edSign(seed, Buffer.from(bodyText({ origin, ...c }))) });

/** Did this key sign what somebody says to have seen? */
export const isSeenSigned = (seen, key, networkId) =>
  edVerify(key, Buffer.from(bodyText({ ...seen, origin: directoryOrigin(networkId) })),
    seen.signature);
