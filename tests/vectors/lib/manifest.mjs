// Section 3: the manifest.

import { seenLayout } from './checkpoint.mjs';
import {
  address, blob, bytes, decode, hash, id, need, oneOf, optional, rows, str16, str8, struct, u16,
  u32, u64, u8, version, where,
} from './layout.mjs';

export const MAX_BODY = 8 * 2 ** 20;

const bits = (mask) => where(u8, (v) => (v & ~mask) === 0, 'unknown flag');
const ids = (names) => names.map((n) => [n, id]);

const reply = struct(
  ['envelope_id', id], ['e', hash], ['s', hash], ['manifest_hash', bytes(64)]);

const message = struct(['envelope_id', id], ['s', hash]);

/** 0, or what the message is to an earlier one: 1 supersedes, 2 copy, 3 withdraws. */
const related = {
  put: (v) => (v === null ? u8.put(0) : Buffer.concat([u8.put(v.relation), message.put(v)])),
  get(r) {
    const relation = oneOf(u8, 0, 1, 2, 3).get(r);
    return relation === 0 ? null : { relation, ...message.get(r) };
  },
};

const mark = struct(
  ['device_id', id], ['seq', where(u64, (v) => v > 0n, 'no such number')], ['head', hash]);

const recipient = struct(
  ['device_id', id], ['key_id', hash], ['member_id', id], ['key_kind', oneOf(u8, 1, 2)],
  ['epoch', u64]);

const object = struct(
  ['object_id', id], ['name', str16(0, 1024)], ['media_type', str8()],
  ['bytes', where(u64, (v) => v <= 2n ** 36n, 'object too long')], ['object_key', hash],
  ['sha256', hash]);

const layout = struct(
  ['version', version(u8, 1)], ['content_kind', oneOf(u8, 1, 2, 3, 4, 5, 6, 7, 8)], ['flags', bits(1)],
  ['receipt_policy', bits(7)], ...ids(['sender_member', 'sender_device']),
  ['sender_entry', u64], ['header_hash', bytes(64)], ['thread_id', id], ['created', u64],
  ['answer_by', u64], ['seen', seenLayout], ['reply', optional(reply)],
  ['related', related], ['parents', rows(u8, message, { max: 16 })],
  ['marks', rows(u16, mark, { max: 1000 })],
  ['addressees', rows(u16, struct(['address', address], ['entry', u64]),
    { min: 1, max: 1000, ascending: false })],
  ['recipients', rows(u16, recipient, { min: 1, max: 1000 })],
  ['objects', rows(u16, object, { max: 1024 })],
  ['content', blob(u32, 0, MAX_BODY)]);

export const encodeManifest = layout.put;

export function decodeManifest(raw) {
  need(raw.length <= MAX_BODY, 'manifest too long');
  const m = decode(layout, raw);
  need(m.content_kind !== 2 || m.reply !== null, 'a reply to nothing');
  need((m.content_kind === 8) === (m.related?.relation === 3), 'withdrawal and relation differ');
  need(m.content_kind !== 3 || (m.related === null && m.parents.length === 0),
    'a receipt in a thread');
  const devices = m.recipients.map((r) => r.device_id.toString('hex'));
  need(m.marks.every((w) => devices.includes(w.device_id.toString('hex'))),
    'a mark of no recipient');
  return m;
}
