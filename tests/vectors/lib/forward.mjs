// Section 3: the content of a forward.

import { edVerify, sha256, sha512 } from './crypto.mjs';
import { blob, bytes, decode, hash, id, label, need, refuse, struct, u32, u8, utf8, version }
  from './layout.mjs';
import { decodeManifest, MAX_BODY } from './manifest.mjs';

const layout = struct(
  ['version', version(u8, 1)], ['envelope_id', id], ['e', hash], ['sig', bytes(64)],
  ['M', blob(u32, 0, MAX_BODY)], ['note', blob(u32, 0, 2 ** 20)]);

export const encodeForward = layout.put;

export function decodeForward(raw) {
  const f = decode(layout, raw);
  utf8(f.note);
  const manifest = decodeManifest(f.M);
  need(![3, 4].includes(manifest.content_kind), 'forward of what is no case');
  return { ...f, manifest };
}

const attachment = (o) => [o.name, o.media_type, o.bytes, o.sha256.toString('hex')].join('\0');

/** What a forward in the message of this manifest says; senderKey as in openEnvelope. */
export function openForward(outer, senderKey) {
  const f = decodeForward(outer.content);
  const key = senderKey(f.manifest, f.manifest.created);
  if (key === null) refuse('certificate', 'author not certified');
  const signed = Buffer.concat([
    label('consil/envelope'), f.manifest.header_hash, sha512(f.M)]);
  if (!edVerify(key, signed, f.sig)) refuse('signature', 'not by the author');
  const [was, is] = [f.manifest.objects, outer.objects];
  if (was.map(attachment).join('\n') !== is.map(attachment).join('\n')) {
    refuse('lists', 'other attachments');
  }
  return { ...f, s: sha256(f.sig), manifest_hash: sha512(f.M) };
}
