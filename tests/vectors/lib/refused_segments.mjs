// Bad segments. They are large, so a vector says how one is made: AEGIS-256 of
// the pattern (see bundles.mjs) from `from`, padded to `padded` bytes with
// `padding`, stored after its nonce; `leaf_entry` proves that it was made alike.

import { pattern } from './bundles.mjs';
import { aegisSeal, fixed } from './crypto.mjs';
import { u32, u8 } from './layout.mjs';
import { idOf } from './network.mjs';
import { leafEntry, SEGMENT } from './object.mjs';

const OBJECT = {
  object_id: idOf('object refused'), object_key: fixed('object key refused', 32),
  bytes: BigInt(SEGMENT + 20001),
};
const TAIL = { index: 1, from: SEGMENT, plain: 20001, padded: 20480, padding: 0, last: 1, i: 1 };
const FIRST = { index: 0, from: 0, plain: SEGMENT, padded: SEGMENT, padding: 0, last: 0, i: 0 };

/** The stored bytes that a vector describes. */
export function buildSegment(v) {
  const plain = Buffer.alloc(v.padded, v.padding);
  const n = Math.min(v.plain, v.padded);
  pattern(v.from + n).copy(plain, 0, v.from);
  const sealed = aegisSeal(v.sealed_with, v.nonce, v.ad, plain);
  return Buffer.concat([v.nonce, sealed]).subarray(0, -v.cut || undefined);
}

function vector(name, base, over = {}) {
  const { last, i, id = OBJECT.object_id, key = OBJECT.object_key, ...rest } = { ...base, ...over };
  const v = {
    kind: 'segment', name, step: 'object', ...OBJECT, sealed_with: key,
    nonce: fixed(`nonce ${name}`, 32), ad: Buffer.concat([id, u32.put(i), u8.put(last)]), cut: 0,
    ...rest,
  };
  return { ...v, leaf_entry: leafEntry(buildSegment(v)) };
}

export function refusedSegments() {
  return [
    vector('segments swapped: the first as the second', TAIL, { i: 0 }),
    vector('segments swapped: the second as the first', FIRST, { i: 1 }),
    vector('last segment not marked', TAIL, { last: 0 }),
    vector('first segment marked as last', FIRST, { last: 1 }),
    vector('segment of another object', TAIL, { id: idOf('another') }),
    vector('segment under another key', TAIL, { key: fixed('another', 32) }),
    vector('padding not zero', TAIL, { padding: 1 }),
    vector('not padded', TAIL, { padded: 20001 }),
    vector('padded further', TAIL, { padded: 20480 + 512 }),
    vector('one byte short', TAIL, { cut: 1 }),
  ];
}
