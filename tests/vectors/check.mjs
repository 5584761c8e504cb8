// node check.mjs [--shared DIR] [FILE…]: reads what C made (tests/e2e/make_bundle,
// by default the committed from_c.json), and compares with what it meant. --shared:
// first this implementation's own HPKE against the published vectors.

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pattern } from './lib/bundles.mjs';
import { decodeCase } from './lib/casefile.mjs';
import { directoryOrigin, isSeenSigned, openNote, receiptsOrigin } from './lib/checkpoint.mjs';
import { hpkeOpen, hpkeSchedule, sha256, xwing, xwingDecaps } from './lib/crypto.mjs';
import { Directory } from './lib/directory.mjs';
import { openEnvelope } from './lib/envelope.mjs';
import { armour, checkInvite, decodeInvite, encodeInvite, unarmour } from './lib/invite.mjs';
import { readJson } from './lib/json.mjs';
import { encodeManifest } from './lib/manifest.mjs';
import { leafEntry, objectRoot, openSegment, segmentCount } from './lib/object.mjs';
import { checkAnchor, encodeStatement, openLogged, openSigned } from './lib/statement.mjs';

const hex = (s) => Buffer.from(s, 'hex');
let failed = 0;

function same(what, got, want) {
  const text = (v) => (Buffer.isBuffer(v) ? v.toString('hex') : String(v));
  if (text(got) !== text(want)) throw new Error(`${what}: ${text(got)}, not ${text(want)}`);
}

function check(name, run) {
  try {
    run();
    console.log(`ok ${name}`);
  } catch (e) {
    failed++;
    console.log(`not ok ${name} - ${e.message}`);
  }
}

function replay(c) {
  const dir = new Directory(hex(c.network_id));
  c.leaves.forEach((leaf) => dir.add(hex(leaf)));
  return dir;
}

function checkNetwork(c) {
  const dir = replay(c);
  const note = openNote(hex(c.checkpoint), hex(c.relay_key), directoryOrigin(hex(c.network_id)));
  same('tree', dir.treeRoot(), c.root);
  same('root', note.root, c.root);
  same('size', note.size, c.leaves.length);
}

// The author's mirror is the whole of it.
function checkSeen(c, seen) {
  same('size seen', seen.size, c.leaves.length);
  same('root seen', seen.root, c.root);
  same('signed as seen', isSeenSigned(seen, hex(c.relay_key), hex(c.network_id)), true);
}

function checkOpened(c, o) {
  const { meant } = c;
  const m = o.manifest;
  const content = decodeCase(m.content);
  for (const k of ['created', 'sender_member', 'sender_device', 'sender_entry']) same(k, m[k], meant[k]);
  for (const k of ['envelope_id', 'expires', 'class']) same(k, o.header[k], meant[k]);
  for (const k of ['e', 's', 'manifest_hash']) same(k, o[k], meant[k]);
  same('address', m.addressees[0].address, meant.address);
  same('object', m.objects[0].object_id, c.object.object_id);
  same('name', m.objects[0].name, meant.name);
  same('superseded', m.related.s, meant.related);
  same('parents', m.parents.length, 2);
  same('a parent', m.parents[0].s, meant.related);
  same('marks', m.marks.map((w) => w.device_id.toString('hex')).join(), keysOf(c).map((k) => k.device_id.toString('hex')).join());
  same('subject', content.subject, meant.subject);
  same('note', content.note, meant.note);
  same('attached', content.imaging[0].series[0].instances[0].object, c.object.object_id);
  same('M written again', encodeManifest(m), o.M);
  checkSeen(c, m.seen);
}

function openAs(c, key) {
  const dir = replay(c);
  return openEnvelope(hex(c.envelope), {
    network_id: hex(c.network_id), keys: [key], senderKey: (m, at) => dir.sender(m, at),
    seen: () => false,
  });
}

const keysOf = (c) => c.recipients.map((r) =>
  ({ device_id: hex(r.device_id), key_id: hex(r.key_id), seed: hex(r.seed) }));

function checkObject(c) {
  const o = openAs(c, keysOf(c)[0]);
  const [row] = o.manifest.objects;
  const stored = c.object.stored.map(hex);
  const length = Number(row.bytes);
  same('bytes', row.bytes, c.object.bytes);
  same('segments', stored.length, segmentCount(length));
  same('root in H', o.header.objects[0].object_root, c.object.object_root);
  same('root', objectRoot(stored.map(leafEntry)), c.object.object_root);
  const plain = Buffer.concat(stored.map((s, i) => openSegment(row, length, i, s)));
  same('content', plain.equals(pattern(length)), true);
  same('sha256', sha256(plain), row.sha256);
}

function checkReceipts(c) {
  const network = hex(c.network_id);
  const delivered = openSigned(hex(c.delivered), hex(c.delivered_key));
  const custody = openLogged(hex(c.custody), hex(c.relay_key),
    receiptsOrigin(network, hex(c.relay_id)));
  for (const [st, fact] of [[delivered, 'delivered'], [custody.fields, 'custody']]) {
    same('fact', st.fact, fact);
    same('network', st.network_id, network);
    same('envelope_id', st.envelope_id, c.meant.envelope_id);
    same('e', st.e, c.meant.e);
    checkSeen(c, st.seen);
  }
  same('s', delivered.s, c.meant.s);
  same('manifest_hash', delivered.manifest_hash, c.meant.manifest_hash);
  same('object_root', custody.fields.objects[0].object_root, c.object.object_root);
  same('mailboxes', custody.fields.mailboxes.length, c.recipients.length);
  const said = openSigned(hex(c.said), hex(c.delivered_key));
  same('said', said.statement, hex(c.delivered).subarray(0, -64));
  const note = checkAnchor(said, hex(c.relay_key), receiptsOrigin(network, hex(c.relay_id)));
  same('place in the receipt log', `${said.anchor.index} of ${note.size}`, '5 of 9');
  same('delivered written again', encodeStatement('delivered', delivered),
    hex(c.delivered).subarray(0, -64));
  same('custody written again', encodeStatement('custody', custody.fields), custody.statement);
}

function checkInvitation(c) {
  const binary = hex(c.invite);
  const text = hex(c.invite_text).toString();
  const v = decodeInvite(binary);
  same('network', v.network_id, c.network_id);
  same('relay', v.relay_sign_key, c.relay_key);
  same('agrees with itself', checkInvite(v), true);
  same('text', unarmour(text), binary);
  same('written again', encodeInvite(v), binary);
  same('text again', armour(binary, 'For you.'), text);
}

function checkFile(path) {
  const c = readJson(path);
  const name = basename(path);
  check(`${name}: network`, () => checkNetwork(c));
  keysOf(c).forEach((key, i) =>
    check(`${name}: envelope for recipient ${i}`, () => checkOpened(c, openAs(c, key))));
  check(`${name}: object`, () => checkObject(c));
  check(`${name}: receipts`, () => checkReceipts(c));
  check(`${name}: invitation`, () => checkInvitation(c));
}

// KEM X-Wing with HKDF-SHA256 and ChaCha20-Poly1305, of which we use message 0.
function checkHpke(v) {
  const seed = hex(v.skRm);
  const [first] = v.encryptions;
  const { key, nonce } = hpkeSchedule(xwingDecaps(seed, hex(v.enc)), hex(v.info));
  same('public key', xwing(seed).publicKey, v.pkRm);
  same('shared secret', xwingDecaps(seed, hex(v.enc)), v.shared_secret);
  same('key', key, v.key);
  same('nonce', nonce, v.base_nonce);
  same('plaintext', hpkeOpen(seed, hex(v.enc), hex(v.info), hex(first.aad), hex(first.ct)), first.pt);
}

const { values, positionals } = parseArgs({
  options: { shared: { type: 'string' } }, allowPositionals: true,
});
if (values.shared) {
  const path = join(values.shared, 'vectors/hpke/hpke-pq-mlkem768x25519.json');
  const mine = existsSync(path)
    ? readJson(path).filter((v) => v.mode === 0 && v.kdf_id === 1 && v.aead_id === 3) : [];
  if (mine.length === 0) console.log(`skip published HPKE vector - no ${path}`);
  mine.forEach((v) => check('published HPKE vector', () => checkHpke(v)));
}
const committed = fileURLToPath(new URL('from_c.json', import.meta.url));
for (const path of positionals.length > 0 ? positionals : [committed]) checkFile(path);
process.exitCode = failed > 0 ? 1 : 0;
