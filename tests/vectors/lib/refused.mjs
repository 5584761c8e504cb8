// Bad vectors: each is well made but for one flaw, so that only the check which
// looks for that flaw can refuse it.

import { caseInput, deliveredOf, pageInput, pattern, replyTo } from './bundles.mjs';
import { edSign, fixed, hkdfExpand, hkdfExtract, sha256, sha512 } from './crypto.mjs';
import { sealEnvelope } from './envelope.mjs';
import { label, u16 } from './layout.mjs';
import { idOf, NETWORK, NOW, onceOf, seedOf } from './network.mjs';
import { encodeManifest } from './manifest.mjs';

const flip = (raw, at) => {
  const out = Buffer.from(raw);
  out[at] ^= 1;
  return out;
};

// Row i of a list with some fields replaced.
const edit = (list, i, fields) => list.map((x, k) => (k === i ? { ...x, ...fields } : x));
const swap = ([a, b, ...rest]) => [b, a, ...rest];

/** [name, step, how sealing differs] for bundles that differ in the header. */
function headerFlaws(x) {
  const h = x.header;
  return [
    ['magic', 'layout', { magic: Buffer.from('CSE2') }],
    ['suite 3', 'version', { suite: 3 }],
    ['created within an hour', 'layout', { created: h.created + 1n }],
    ['expires at once', 'layout', { expires: h.created }],
    ['expires too late', 'layout', { expires: h.created + 90n * 86400n + 3601n }],
    ['class 0', 'layout', { class: 0 }],
    ['class 5', 'layout', { class: 5 }],
    ['recipients descend', 'layout', { recipients: swap(x.recipients) }],
    ['a recipient twice', 'layout',
      { recipients: edit(x.recipients, 1, { device_id: x.recipients[0].device_id }) }],
    ['segments 0', 'layout', { objects: [anObject(0)] }],
    ['segments 65543', 'layout', { objects: [anObject(65543)] }],
    ['objects descend', 'layout', { objects: swap([anObject(1), anObject(1, 2)]) }],
    ['another network', 'network', { network_id: fixed('other network', 32) }],
    ['keys of others', 'recipient',
      { recipients: x.recipients.map((r) => ({ ...r, key_id: flip(r.key_id, 0) })) }],
  ].map(([name, step, header]) => [name, step, { header }]);
}

function anObject(segments, n = 1) {
  return { object_id: Buffer.alloc(16, n), segments, object_root: fixed('no object', 32) };
}

function stanzaInfo(name, suite, h, r) {
  return Buffer.concat([Buffer.from(name), suite, h.network_id, h.envelope_id, r.device_id,
    r.key_id]);
}

function keyFlaws(x) {
  const prk = hkdfExtract(label('consil/file-key'), x.fk);
  return [
    ['stanza label', 'stanza', { info: (h, r) => stanzaInfo('consil/stanzb\0', u16.put(2), h, r) }],
    ['stanza label without NUL', 'stanza',
      { info: (h, r) => stanzaInfo('consil/stanza', u16.put(2), h, r) }],
    ['stanza of another suite', 'stanza',
      { info: (h, r) => stanzaInfo('consil/stanza\0', u16.put(1), h, r) }],
    ['stanza for another device', 'stanza',
      { info: (h, r) => stanzaInfo('consil/stanza\0', u16.put(2), h,
        { ...r, device_id: fixed('another', 16) }) }],
    ['stanza of another envelope', 'stanza',
      { info: (h, r) => stanzaInfo('consil/stanza\0', u16.put(2),
        { ...h, envelope_id: fixed('another', 16) }, r) }],
    ['stanza with empty aad', 'stanza', { aad: Buffer.alloc(0) }],
    ['stanzas swapped', 'stanza', { stanzas: swap }],
    ['file key differs between recipients', 'mac', { fk: [fixed('a', 32), fixed('b', 32)] }],
    ['mac key label without NUL', 'mac',
      { mac_key: hkdfExpand(prk, Buffer.from('consil/header-mac'), 32) }],
    ['mac key is the body key', 'mac',
      { mac_key: hkdfExpand(prk, label('consil/body'), 32) }],
    ['body under the mac key', 'body',
      { body_key: hkdfExpand(prk, label('consil/header-mac'), 32) }],
    ['body bound to nothing', 'body', { bodyAd: Buffer.alloc(0) }],
    ['body bound to another header', 'body', { bodyAd: sha256(Buffer.from('another')) }],
  ];
}

function bodyFlaws(x) {
  return [
    ['padding not zero', 'padding', { lastByte: 1 }],
    ['padding longer than it should be', 'padding', { morePadding: 1024 }],
    ['padding of an odd length', 'padding', { padded: 4099 }],
    ['manifest beyond the body', 'padding', { manifest_len: 4096 - 67 }],
    ['manifest length 2^32 - 1', 'padding', { manifest_len: 2 ** 32 - 1 }],
    ['signature label', 'signature', { signLabel: 'consil/envelopf' }],
    ['signature of another manifest', 'signature', { signManifest: Buffer.from('another') }],
    ['signature of a recipient', 'signature', { sender_seed: seedOf('smith desk') }],
    ['signature of zeros', 'signature', { sig: Buffer.alloc(64) }],
    ['the recipient rewrites', 'signature', rewrite(x)],
  ];
}

// A recipient holds the file key: it can seal any manifest again, but has only
// the sender's signature of the old one.
function rewrite(x) {
  return { sig: sealEnvelope(x).sig, manifest: { answer_by: 5n } };
}

function manifestFlaws(net, x) {
  const m = x.manifest;
  const row = (list, fields) => ({ [list]: edit(m[list], 0, fields) });
  return [
    ['version 2', 'version', { version: 2 }],
    ['content kind 0', 'manifest', { content_kind: 0 }],
    ['content kind 9', 'manifest', { content_kind: 9 }],
    ['a withdrawal of nothing', 'manifest', { content_kind: 8 }],
    ['a withdrawal that supersedes', 'manifest',
      { content_kind: 8, related: { relation: 1, ...message(1) } }],
    ['unknown flag', 'manifest', { flags: 2 }],
    ['unknown receipt', 'manifest', { receipt_policy: 8 }],
    ['a reply to nothing', 'manifest', { content_kind: 2 }],
    ['relation 4', 'manifest', { related: { relation: 4, ...message(1) } }],
    ['a case that withdraws', 'manifest', { related: { relation: 3, ...message(1) } }],
    ['a receipt in the place of another', 'manifest',
      { content_kind: 3, related: { relation: 1, ...message(1) } }],
    ['a receipt with a parent', 'manifest', { content_kind: 3, parents: [message(1)] }],
    ['parents descend', 'manifest', { parents: [message(2), message(1)] }],
    ['a parent twice', 'manifest', { parents: [message(1), message(1)] }],
    ['seventeen parents', 'manifest',
      { parents: Array.from({ length: 17 }, (_, i) => message(i)) }],
    ['mark of no recipient', 'manifest', { marks: [mark(idOf('c desk'), 1n)] }],
    ['mark 0', 'manifest', { marks: [mark(m.recipients[0].device_id, 0n)] }],
    ['marks descend', 'manifest',
      { marks: swap(m.recipients.map((r) => mark(r.device_id, 1n))) }],
    ['a mark twice', 'manifest',
      { marks: [1n, 2n].map((seq) => mark(m.recipients[0].device_id, seq)) }],
    ['no addressee', 'manifest', { addressees: [] }],
    ['address in capitals', 'manifest', row('addressees', { address: 'A.smith@mayo' })],
    ['address without a handle', 'manifest', row('addressees', { address: 'a.smith' })],
    ['key kind 3', 'manifest', row('recipients', { key_kind: 3 })],
    ['recipients descend in the manifest', 'manifest', { recipients: swap(m.recipients) }],
    ['another header', 'binding', { header_hash: sha512(Buffer.from('another')) }],
    ['a recipient left out', 'binding', { recipients: m.recipients.slice(1) }],
    ['another key of a recipient', 'binding', row('recipients', { key_id: fixed('another', 32) })],
    ['an object that the header lacks', 'binding', { objects: [smallObject()] }],
    ['unknown sender', 'certificate', { sender_device: idOf('nobody') }],
    ['sender of another member', 'certificate', { sender_member: idOf('a.smith@mayo') }],
    ['sender of another entry', 'certificate',
      { sender_entry: net.entryOf('device', 'smith desk') }],
  ].map(([name, step, manifest]) => [name, step, { manifest }]);
}

const message = (n) => ({ envelope_id: Buffer.alloc(16, n), s: fixed('no signature', 32) });
const mark = (device, seq) => ({ device_id: device, seq, head: fixed('no mailbox', 32) });

function smallObject() {
  return {
    object_id: idOf('none'), name: '', media_type: '', bytes: 1n, object_key: fixed('none', 32),
    sha256: fixed('none', 32),
  };
}

// Well-formed in all, but from someone who may not send.
function senderFlaws(net) {
  const from = (name, device, member) =>
    [name, 'certificate', pageInput(net, { name, from: [device, member] })];
  return [
    from('sender revoked itself', 'doe laptop', 'j.doe@mnoncology'),
    from('sender of a revoked member', 'e desk', 'e@mnoncology'),
    from('sender of a lapsed practice', 'd desk', 'd@lapsed'),
    from('sender whom a compromised key admitted', 'f desk', 'f@mnoncology'),
    from('sender of a practice that a compromised key admitted', 'h desk', 'h@tainted'),
    ['sender with the one-time key of an invitation', 'certificate', pageInput(net,
      { name: 'once', from: ['smith laptop', 'a.smith@mayo'], seed: onceOf('smith laptop') })],
    ['sender with a key from before its rotation', 'signature', oldKey(net)],
    ['sender with the entry and key from before its rotation', 'certificate', pageInput(net,
      { name: 'old entry', from: ['smith laptop', 'a.smith@mayo'] })],
  ];
}

// Names the new key's entry, but signs with the old one.
function oldKey(net) {
  const x = pageInput(net,
    { name: 'old key', from: ['smith laptop', 'a.smith@mayo'], seed: 'smith laptop 2' });
  return { ...x, sender_seed: seedOf('smith laptop') };
}

function objectLists(net) {
  const x = caseInput(net);
  const o = x.objects;
  const flaw = (name, fields) => [name, 'binding', x, { manifest: { objects: edit(o, 1, fields) } }];
  return [
    flaw('another object id', { object_id: flip(o[1].object_id, 15) }),
    flaw('length of other segments', { bytes: 3n * 1048496n }),
  ];
}

// Changes of bytes that need no key.
function byteFlaws(sealed) {
  const e = sealed.envelope;
  const H = e.length - 4128 - 32;
  return [
    ['trailing byte', 'layout', Buffer.concat([e, Buffer.of(0)])],
    ['one byte short', 'layout', e.subarray(0, -1)],
    ['no body', 'layout', e.subarray(0, H + 32)],
    ['empty', 'layout', Buffer.alloc(0)],
    ['header_mac changed', 'mac', flip(e, H)],
    ['body changed', 'body', flip(e, e.length - 40)],
    ['body tag changed', 'body', flip(e, e.length - 1)],
    ['expiry changed by the relay', 'stanza', flip(e, 4 + 2 + 32 + 16 + 8 + 6)],
    ['wrapped key changed', 'stanza', flip(e, H - 1168 - 1)],
    ['wrapped key of another changed', 'mac', flip(e, H - 1)],
  ];
}

/** [{ kind, name, step, bytes }] of envelopes; base: what most are made from. */
export function refusedEnvelopes(net) {
  const x = pageInput(net);
  const base = sealEnvelope(x);
  const made = [...headerFlaws(x), ...keyFlaws(x), ...bodyFlaws(x), ...manifestFlaws(net, x)]
    .map(([name, step, bad]) => [name, step, sealEnvelope(x, bad).envelope]);
  const others = senderFlaws(net).map(([n, step, y]) => [n, step, sealEnvelope(y).envelope]);
  const lists = objectLists(net)
    .map(([name, step, y, bad]) => [name, step, sealEnvelope(y, bad).envelope]);
  const all = [...made, ...others, ...lists, ...byteFlaws(base)];
  return all.map(([name, step, bytes]) => ({ kind: 'envelope', name, step, bytes }));
}

