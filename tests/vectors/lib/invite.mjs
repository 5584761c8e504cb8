// Section 8: invitations.

import { edKeys, sha256 } from './crypto.mjs';
import { decodeEntry, networkId, encodeBody } from './entry.mjs';
import { blob, constant, decode, hash, id, need, str8, struct, u16, u64 } from './layout.mjs';

const BEGIN = '-----BEGIN CONSIL INVITATION-----';
const END = '-----END CONSIL INVITATION-----';

const layout = struct(
  ['magic', constant(Buffer.from('CSI1'))], ['network_id', hash], ['relay_id', id],
  ['relay_noise_key', hash], ['relay_sign_key', hash], ['expires', u64],
  ['relay_url', str8(1, 255)], ['network_name', str8(1, 200)], ['root_entry', blob(u16, 1)],
  ['member_entry', blob(u16, 1)], ['enrol_seed', hash]);

export function encodeInvite(v) {
  const raw = layout.put({ magic: Buffer.from('CSI1'), ...v });
  return Buffer.concat([raw, sha256(raw)]);
}

export function decodeInvite(raw) {
  need(raw.length > 32, 'ends early');
  const [before, sum] = [raw.subarray(0, -32), raw.subarray(-32)];
  need(sha256(before).equals(sum), 'checksum');
  return decode(layout, before);
}

/** Whether what the invitation says of itself agrees. */
export function checkInvite(v) {
  const root = decodeEntry(v.root_entry);
  const member = decodeEntry(v.member_entry);
  return root.type === 'root' && member.type === 'member' &&
    networkId(root.subject, encodeBody('root', root.fields)).equals(v.network_id) &&
    edKeys(v.enrol_seed).equals(member.fields.enrol_key);
}

export function armour(raw, prose) {
  const lines = raw.toString('base64').match(/.{1,64}/g);
  return `${[prose, BEGIN, ...lines, END].join('\n')}\n`;
}

export function unarmour(text) {
  const lines = text.split('\n').map((l) => l.replace(/^[ \t\r]+|[ \t\r]+$/g, ''));
  const from = lines.indexOf(BEGIN);
  const to = lines.indexOf(END, from + 1);
  need(from >= 0 && to > from, 'no invitation');
  const joined = lines.slice(from + 1, to).join('');
  const raw = Buffer.from(joined, 'base64');
  need(raw.toString('base64') === joined, 'base64');
  return raw;
}
