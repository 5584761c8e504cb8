// Section 2: the envelope.

import {
  aegisOpen, aegisSeal, edSign, edVerify, hkdfExpand, hkdfExtract, hmac, hpkeOpen, hpkeSeal,
  openOrRefuse, padme, sha256, sha512,
} from './crypto.mjs';
import {
  bytes, constant, hash, id, label, need, oneOf, Reader, refuse, rows, struct, u16, u32, u64, u8,
  version, where,
} from './layout.mjs';
import { decodeManifest, encodeManifest, MAX_BODY } from './manifest.mjs';
import { segmentCount } from './object.mjs';

const FLOOR = 4096;
const TAG = 32;
const HOUR = 3600n;
const LONGEST = 90n * 86400n + HOUR;

export const CLASSES = { routine: 1, urgent: 2, page: 3, receipt: 4 };

const MAGIC = Buffer.from('CSE1');
const between = (layout, low, high) =>
  where(layout, (v) => v >= low && v <= high, `not ${low} to ${high}`);

const preamble = struct(
  ['magic', constant(MAGIC)], ['suite', version(u16, 2)], ['network_id', hash],
  ['envelope_id', id],
  ['created', where(u64, (v) => v % HOUR === 0n, 'created is not a whole hour')],
  ['expires', u64], ['class', oneOf(u8, 1, 2, 3, 4)],
  ['recipients', rows(u16, struct(['device_id', id], ['key_id', hash]), { min: 1, max: 1000 })],
  ['objects', rows(u16,
    struct(['object_id', id], ['segments', between(u32, 1, 65542)], ['object_root', hash]),
    { max: 1024 })],
  ['body_nonce', hash], ['body_len', between(u32, FLOOR + TAG, MAX_BODY)]);

const stanza = struct(['enc', bytes(1120)], ['wrapped', bytes(48)]);

function stanzaInfo(h, r) {
  return Buffer.concat([label('consil/stanza'), u16.put(2), h.network_id, h.envelope_id,
    r.device_id, r.key_id]);
}

function fileKeys(fk) {
  const prk = hkdfExtract(label('consil/file-key'), fk);
  return {
    mac: hkdfExpand(prk, label('consil/header-mac'), 32),
    body: hkdfExpand(prk, label('consil/body'), 32),
  };
}

/** H and its fields from the start of an envelope; `end` is the length of H. */
export function decodeHeader(envelope) {
  const r = new Reader(envelope);
  const h = preamble.get(r);
  need(h.created < h.expires && h.expires <= h.created + LONGEST, 'expires');
  h.preamble = r.bytes.subarray(0, r.at);
  h.stanzas = h.recipients.map(() => stanza.get(r));
  h.end = r.at;
  return h;
}

const bodyLength = (m) => padme(4 + m.length + 64, FLOOR);

/**
 * Seal. `x` is { header, recipients, objects, fk, body_nonce, sender_seed,
 * manifest }: each recipient also has public_key and coins. `bad` replaces one
 * step of the sealing, for vectors that must be refused.
 */
export function sealEnvelope(x, bad = {}) {
  const fields = {
    magic: MAGIC, suite: 2, ...x.header, recipients: x.recipients, objects: x.objects,
    body_nonce: x.body_nonce, body_len: 0, ...bad.header,
  };
  // The manifest holds a hash of H, whose body_len depends on its length alone.
  const m0 = encodeManifest({ ...x.manifest, header_hash: Buffer.alloc(64), ...bad.manifest });
  fields.body_len = bad.header?.body_len ??
    (bad.padded ?? bodyLength(m0) + (bad.morePadding ?? 0)) + TAG;
  const pre = preamble.put(fields);

  const stanzas = x.recipients.map((r, i) => {
    const info = bad.info ? bad.info(fields, r, i) : stanzaInfo(fields, r);
    const aad = bad.aad ?? sha256(pre);
    const sealed = hpkeSeal(r.public_key, r.coins, info, aad, bad.fk?.[i] ?? x.fk);
    return stanza.put(sealed);
  });
  const H = Buffer.concat([pre, ...(bad.stanzas ? bad.stanzas(stanzas) : stanzas)]);

  const M = encodeManifest({ ...x.manifest, header_hash: sha512(H), ...bad.manifest });
  const keys = fileKeys(x.fk);
  const headerMac = hmac(bad.mac_key ?? keys.mac, H);
  const signed = Buffer.concat([
    label(bad.signLabel ?? 'consil/envelope'), sha512(H), sha512(bad.signManifest ?? M)]);
  const sig = edSign(bad.sender_seed ?? x.sender_seed, signed);

  const plain = Buffer.alloc(fields.body_len - TAG, 0);
  u32.put(bad.manifest_len ?? M.length).copy(plain);
  M.copy(plain, 4);
  (bad.sig ?? sig).copy(plain, 4 + M.length);
  if (bad.lastByte !== undefined) plain[plain.length - 1] = bad.lastByte;
  const ad = bad.bodyAd ?? sha256(H, headerMac);
  const body = aegisSeal(bad.body_key ?? keys.body, x.body_nonce, ad, plain);

  const E = sha256(H, headerMac);
  return {
    envelope: Buffer.concat([H, headerMac, body]), M, sig, e: E, s: sha256(sig),
    manifest_hash: sha512(M), header_hash: sha512(H), file_key: x.fk,
  };
}

function openBody(h, H, headerMac, body, fk) {
  const keys = fileKeys(fk);
  if (!hmac(keys.mac, H).equals(headerMac)) refuse('mac', 'header_mac');
  const plain = openOrRefuse(
    aegisOpen(keys.body, h.body_nonce, sha256(H, headerMac), body), 'body', 'wrong tag');
  const r = new Reader(plain);
  const n = u32.get(r);
  if (n + 64 > r.left()) refuse('padding', 'manifest longer than the body');
  const [M, sig] = [r.take(n), r.take(64)];
  if (plain.length !== bodyLength(M)) refuse('padding', 'wrong length');
  if (!r.take(r.left()).every((b) => b === 0)) refuse('padding', 'not zero');
  return { M, sig };
}

function sameLists(h, m) {
  const same = (a, b) => a.length === b.length && a.every((x, i) => x.equals(b[i]));
  const devices = (rows) => rows.map((x) => Buffer.concat([x.device_id, x.key_id]));
  const objects = (rows, segments) =>
    rows.map((x) => Buffer.concat([x.object_id, u32.put(segments(x))]));
  return same(devices(h.recipients), devices(m.recipients)) &&
    same(objects(h.objects, (o) => o.segments),
      objects(m.objects, (o) => segmentCount(Number(o.bytes))));
}

function inStep(step, run) {
  try {
    return run();
  } catch (e) {
    throw e.step === 'layout' ? Object.assign(e, { step }) : e;
  }
}

/**
 * Open with { network_id, keys: [{ device_id, key_id, seed }], senderKey, seen },
 * in the page's order. senderKey(manifest, at) gives the key of a sender who might send then, else null;
 * seen(envelope_id) says whether it was opened before.
 */
export function openEnvelope(envelope, me) {
  const h = decodeHeader(envelope);
  const H = envelope.subarray(0, h.end);
  const r = new Reader(envelope.subarray(h.end));
  const headerMac = hash.get(r);
  const body = r.take(h.body_len);
  need(r.left() === 0, 'trailing bytes');
  if (!h.network_id.equals(me.network_id)) refuse('network', 'another network');

  const mine = h.recipients.findIndex((x) => me.keys.some((k) => k.key_id.equals(x.key_id)));
  if (mine < 0) refuse('recipient', 'not for me');
  const to = h.recipients[mine];
  const key = me.keys.find((k) => k.key_id.equals(to.key_id));
  const { enc, wrapped } = h.stanzas[mine];
  const fk = openOrRefuse(
    hpkeOpen(key.seed, enc, stanzaInfo(h, to), sha256(h.preamble), wrapped),
    'stanza', 'wrong tag');

  const { M, sig } = openBody(h, H, headerMac, body, fk);
  const manifest = inStep('manifest', () => decodeManifest(M));
  if (!manifest.header_hash.equals(sha512(H))) refuse('binding', 'another header');
  if (!sameLists(h, manifest)) refuse('binding', 'lists differ');

  const at = manifest.created > h.created ? manifest.created : h.created;
  const signKey = me.senderKey(manifest, at);
  if (signKey === null) refuse('certificate', 'sender not certified');
  const signed = Buffer.concat([label('consil/envelope'), sha512(H), sha512(M)]);
  if (!edVerify(signKey, signed, sig)) refuse('signature', 'not the sender');
  if (me.seen(h.envelope_id)) refuse('seen', 'opened before');
  return {
    header: h, manifest, M, sig, e: sha256(H, headerMac), s: sha256(sig),
    manifest_hash: sha512(M), header_hash: sha512(H), file_key: fk,
  };
}
