// Section 4: attachments in segments.

import {
  aegisOpen, aegisSeal, leafHash, openOrRefuse, padme, treeRoot, turboshake128,
} from './crypto.mjs';
import { refuse, u32, u8 } from './layout.mjs';

export const SEGMENT = 1048496;
const FLOOR = 16384;
const OVERHEAD = 64;

export const segmentCount = (length) => Math.max(1, Math.ceil(length / SEGMENT));

function segmentAd(objectId, i, last) {
  return Buffer.concat([objectId, u32.put(i), u8.put(last ? 1 : 0)]);
}

function paddedLength(length, i) {
  const rest = length - i * SEGMENT;
  return rest > SEGMENT ? SEGMENT : Math.min(padme(rest, FLOOR), SEGMENT);
}

/** Stored segment i of plain; padding is zero unless a bad vector wants other. */
export function sealSegment(o, plain, i, { last, padding = 0, index = i } = {}) {
  const final = last ?? i === segmentCount(plain.length) - 1;
  const padded = Buffer.alloc(paddedLength(plain.length, i), padding);
  plain.copy(padded, 0, i * SEGMENT, Math.min(plain.length, (i + 1) * SEGMENT));
  const ad = segmentAd(o.object_id, index, final);
  return Buffer.concat([o.nonces[i], aegisSeal(o.object_key, o.nonces[i], ad, padded)]);
}

/** The bytes of stored segment i of an object of `length` bytes. */
export function openSegment(o, length, i, stored) {
  const count = segmentCount(length);
  const want = paddedLength(length, i);
  if (i >= count || stored.length !== want + OVERHEAD) refuse('object', 'wrong length');
  const ad = segmentAd(o.object_id, i, i === count - 1);
  const padded = openOrRefuse(
    aegisOpen(o.object_key, stored.subarray(0, 32), ad, stored.subarray(32)),
    'object', 'wrong tag');
  const n = Math.min(SEGMENT, length - i * SEGMENT);
  if (!padded.subarray(n).every((b) => b === 0)) refuse('object', 'padding is not zero');
  return padded.subarray(0, n);
}

export const leafEntry = turboshake128;
export const objectRoot = (entries) => treeRoot(entries.map((e) => leafHash(e)));
