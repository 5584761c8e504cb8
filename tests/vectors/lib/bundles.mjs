// The bundles of the vectors.

import { fixed, sha256 } from './crypto.mjs';
import { decodeCase, encodeCase, studyRoot } from './casefile.mjs';
import { CLASSES, sealEnvelope } from './envelope.mjs';
import { decodeForward, encodeForward, openForward } from './forward.mjs';
import { chainOf, EPOCH, idOf, NETWORK, NOW, seedOf, seenOf } from './network.mjs';
import { leafEntry, objectRoot, sealSegment, segmentCount } from './object.mjs';
import { encodeStatement, signStatement } from './statement.mjs';

const ZERO = (n) => Buffer.alloc(n);
const HOUR = 3600n;

/** Attachments are this pattern: byte i is (31 i + ⌊i / 256⌋) mod 256. */
export function pattern(length) {
  const out = Buffer.alloc(length);
  for (let i = 0; i < length; i++) out[i] = (31 * i + (i >> 8)) & 255;
  return out;
}

/** An object with everything both lists say of it, and its stored segments. */
export function makeObject(name, length, mediaType, as = { mark: name }) {
  const plain = pattern(length);
  const count = segmentCount(length);
  const o = {
    object_id: as.id ?? idOf(`object ${as.mark}`), name, media_type: mediaType,
    bytes: BigInt(length), object_key: fixed(`object key ${as.mark}`, 32), sha256: sha256(plain),
    plain, segments: count,
    nonces: Array.from({ length: count }, (_, i) => fixed(`nonce ${as.mark} ${i}`, 32)),
  };
  o.stored = o.nonces.map((_, i) => sealSegment(o, plain, i));
  o.leaf_entries = o.stored.map(leafEntry);
  o.object_root = objectRoot(o.leaf_entries);
  return o;
}

const byId = (field) => (a, b) => Buffer.compare(a[field], b[field]);

/** A device as recipient, with its key of this epoch. */
function recipient(device, member, bundle, keyKind = 1) {
  const [key] = chainOf(device, 1).keys;
  return {
    device_id: idOf(device), key_id: key.key_id, member_id: idOf(member), key_kind: keyKind,
    epoch: EPOCH, seed: key.ikm, public_key: key.public_key,
    coins: fixed(`coins ${bundle} ${device}`, 64),
  };
}

const SMITH = ['smith desk', 'a.smith@mayo'];
const LAPTOP = ['smith laptop', 'a.smith@mayo'];
const THIRD = ['c desk', 'c_3@mayo'];
const DOE = ['doe desk', 'j.doe@mnoncology'];

/** Input of sealEnvelope, without what only some bundles have. */
export function bundleInput(net, name, x) {
  const [device, member] = x.from;
  const recipients = x.to.map(([d, m, kind]) => recipient(d, m, name, kind))
    .sort(byId('device_id'));
  const objects = [...(x.objects ?? [])].sort(byId('object_id'));
  const created = NOW - (NOW % HOUR);
  const envelopeId = idOf(`envelope ${name}`);
  return {
    name, fk: fixed(`file key ${name}`, 32), body_nonce: fixed(`body nonce ${name}`, 32),
    sender_seed: seedOf(x.seed ?? device), recipients, objects,
    header: {
      network_id: NETWORK, envelope_id: envelopeId, created,
      expires: created + (x.days ?? 30n) * 86400n, class: CLASSES[x.class],
    },
    manifest: {
      version: 1, content_kind: x.kind ?? 1, flags: x.flags ?? 0, receipt_policy: x.policy ?? 7,
      sender_member: idOf(member), sender_device: idOf(device),
      sender_entry: net.keyEntryOf(x.seed ?? device, device), thread_id: x.thread ?? envelopeId,
      created: NOW - 7n, answer_by: x.answerBy ?? 0n, seen: seenOf(net),
      reply: x.reply ?? null, related: x.related ?? null, parents: x.parents ?? [],
      marks: x.marks ?? [], addressees: x.addressees, recipients, objects, content: x.content,
    },
  };
}

const NOBODY = { birth_date: '', id: '', id_issuer: '', name: '', sex: '' };

function caseFile(fields) {
  return encodeCase({
    imaging: [], note: '', patient: NOBODY, question: '', subject: '', urgency: 'routine', version: 1, ...fields,
  });
}

const MUELLER = {
  birth_date: '19570304', id: 'P 7', id_issuer: 'MAYO', name: 'Müller^Änne', sex: 'F',
};

function imaging(attached) {
  const instance = (object, uid) => ({
    bytes: 70000, class: '1.2.840.10008.5.1.4.1.1.2', object, sha256: fixed(`instance ${uid}`, 32), uid,
  });
  const series = [{
    body_part: 'CHEST', description: 'axial', modality: 'CT', uid: '1.2.3.0.44.1',
    instances: [
      instance(attached.object_id, '2.25.1'), instance(ZERO(16), '2.25.20'), instance(ZERO(16), '2.25.3')],
  }];
  return [{
    accession: 'A-1', accession_issuer: 'RIS', date: '20260901', description: 'CT thorax',
    key_images: [{ note: 'the nodule', title: 'Of Interest', uid: '2.25.20' }],
    patient: MUELLER, retrieve: 'https://pacs.example/dicom-web/studies/1.2.3.0.44',
    root: studyRoot(series), series, uid: '1.2.3.0.44',
  }];
}

const addressee = (net, address, type = 'member', name = address) =>
  ({ address, entry: net.entryOf(type, name) });

export function caseInput(net, extra = {}) {
  const objects = [
    makeObject('scan.dcm', 3, 'application/dicom'),
    makeObject('Befund größer.pdf', 1048496 + 20001, 'application/pdf'),
    makeObject('', 0, ''),
  ];
  return bundleInput(net, 'case', {
    from: DOE, to: [SMITH, LAPTOP, [...THIRD, 2]], objects, class: 'routine',
    answerBy: NOW + 86400n, addressees: [
      addressee(net, 'lung-board@mayo', 'group', 'lung-board'),
      addressee(net, 'a.smith@mayo')],
    content: caseFile({
      imaging: imaging(objects[0]), patient: MUELLER, subject: 'Lung nodule, 8 mm → 11 mm',
      note: `# History\n\n${'Long. '.repeat(900)}`, question: 'Biopsy now?\n',
    }), ...extra,
  });
}

/** The smallest: no object; bad vectors are made from it too. */
export function pageInput(net, extra = {}) {
  return bundleInput(net, extra.name ?? 'page', {
    from: DOE, to: [SMITH, LAPTOP], class: 'page', flags: 1, policy: 0, days: 90n,
    addressees: [addressee(net, 'a.smith@mayo')],
    content: caseFile({ subject: 'Call me', note: '☎', urgency: 'page' }), ...extra,
  });
}

export const replyTo = (sealed, id) =>
  ({ envelope_id: id, e: sealed.e, s: sealed.s, manifest_hash: sealed.manifest_hash });

/** How a message is named in a thread. */
const named = (x, sealed) => ({ envelope_id: x.header.envelope_id, s: sealed.s });
const mark = (device, seq) =>
  ({ device_id: idOf(device), seq, head: fixed(`chain head ${device} ${seq}`, 32) });

export function replyInput(net, to, sealed) {
  return bundleInput(net, 'reply', {
    from: LAPTOP, seed: 'smith laptop 2', to: [DOE], class: 'urgent', kind: 2, policy: 3,
    thread: to.manifest.thread_id, reply: replyTo(sealed, to.header.envelope_id),
    parents: [named(to, sealed)], marks: [mark('doe desk', 1n)],
    addressees: [addressee(net, 'j.doe@mnoncology')],
    content: caseFile({ note: 'Yes.', urgency: 'urgent' }),
  });
}

/** A case file for the same case, in the place of the first. */
export function addendumInput(net, first, firstSealed, reply, replySealed) {
  return bundleInput(net, 'addendum', {
    from: DOE, to: [SMITH, LAPTOP], class: 'routine', kind: 5,
    thread: first.manifest.thread_id, related: { relation: 1, ...named(first, firstSealed) },
    parents: [named(first, firstSealed), named(reply, replySealed)].sort(byId('envelope_id')),
    marks: [mark('smith desk', 7n), mark('smith laptop', 2n ** 40n)].sort(byId('device_id')),
    addressees: [addressee(net, 'a.smith@mayo')],
    content: caseFile({ subject: 'Lung nodule', note: 'The other lung, I am sorry.' }),
  });
}

/** A sealed receipt: delivered, of what `to` is. */
export function receiptInput(net, to, sealed) {
  const statement = encodeStatement('delivered', deliveredOf(net, to, sealed));
  return bundleInput(net, 'receipt', {
    from: SMITH, to: [DOE], class: 'receipt', kind: 3, policy: 0,
    thread: to.manifest.thread_id, addressees: [addressee(net, 'j.doe@mnoncology')],
    content: signStatement(seedOf('smith desk'), statement),
  });
}

/** What a recipient passes on of what `to` is: new ids and keys, in the same order. */
export function forwardInput(net, to, sealed) {
  const ids = to.objects.map((_, i) => idOf(`forwarded object ${i}`)).sort(Buffer.compare);
  const objects = to.objects.map((o, i) =>
    makeObject(o.name, Number(o.bytes), o.media_type, { id: ids[i], mark: `forwarded ${i}` }));
  return bundleInput(net, 'forward', {
    from: SMITH, to: [[...THIRD, 2]], objects, class: 'routine', kind: 4,
    thread: to.manifest.thread_id, addressees: [addressee(net, 'c_3@mayo')],
    content: encodeForward({
      version: 1, envelope_id: to.header.envelope_id, e: sealed.e, sig: sealed.sig, M: sealed.M,
      note: Buffer.from('Für dich, bitte.\n'),
    }),
  });
}

/** The case file in a message, its own or the forwarded one; of a receipt none. */
function caseOf(manifest) {
  if (manifest.content_kind === 3) return null;
  return decodeCase(manifest.content_kind === 4
    ? decodeForward(manifest.content).manifest.content : manifest.content);
}

export function deliveredOf(net, to, sealed) {
  return {
    label: Buffer.from('consil/delivered\0'), network_id: NETWORK,
    envelope_id: to.header.envelope_id, e: sealed.e, signer_member: idOf('a.smith@mayo'),
    signer_device: idOf('smith desk'), signer_entry: net.entryOf('device', 'smith desk'),
    time: NOW + 5n, seen: seenOf(net), prev: ZERO(32), s: sealed.s,
    manifest_hash: sealed.manifest_hash, result: 1, objects: [],
  };
}

/** What a bundles file holds of one bundle. */
export function bundleFacts(x, sealed) {
  const objects = x.objects.map(({ plain, stored, ...o }) => o);
  const recipients = x.recipients.map(({ public_key, coins, ...r }) => r);
  return {
    name: x.name, header: x.header, body_nonce: x.body_nonce, recipients, objects,
    manifest: { ...x.manifest, header_hash: sealed.header_hash, recipients: undefined,
      objects: undefined },
    case: caseOf(x.manifest),
    file_key: x.fk, sender_seed: x.sender_seed, M: sealed.M, sig: sealed.sig, e: sealed.e,
    s: sealed.s, manifest_hash: sealed.manifest_hash, envelope: sealed.envelope,
  };
}

export function makeBundles(net) {
  const out = [];
  const seal = (x) => {
    const sealed = sealEnvelope(x);
    out.push({ x, sealed });
    return sealed;
  };
  const first = caseInput(net);
  const firstSealed = seal(first);
  seal(pageInput(net));
  const reply = replyInput(net, first, firstSealed);
  const replySealed = seal(reply);
  seal(addendumInput(net, first, firstSealed, reply, replySealed));
  seal(receiptInput(net, first, firstSealed));
  const { manifest } = forwardInput(net, first, firstSealed);
  openForward(manifest, (m, at) => net.log.dir.sender(m, at));
  seal(forwardInput(net, first, firstSealed));
  return out;
}
