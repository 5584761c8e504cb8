// Section 10: keyring, epoch and genesis files.

import {
  aegisSeal, argon2id, edKeys, fixed, hkdfExpand, hkdfExtract, sha256, x25519,
} from './crypto.mjs';
import { bytes, hash, id, label, rows, struct, u16, u32, u64, u8 } from './layout.mjs';
import { chainOf, EPOCH, idOf, NETWORK, seedOf } from './network.mjs';

const KINDS = { device: 1, registrar: 2, root: 3, relay: 4 };
const ZERO = (n) => Buffer.alloc(n);
const text = (s) => Buffer.from(s);

const header = struct(
  ['magic', bytes(4)], ['kind', u8], ['lock', u8], ['ops', u32], ['mem', u32], ['salt', id],
  ['network_id', hash], ['id', id], ['member_id', id], ['sign_key', hash], ['noise_key', hash]);
const row = struct(['epoch', u64], ['delete_at', u64], ['key_id', hash], ['ikm', hash]);
const epochPlain = struct(
  ['device_id', id], ['epoch', u64], ['chain', hash], ['unpublished', u64], ['kept', rows(u16, row)]);

/** k: { kind, id, member_id, seed, store_key, noise, lock }; lock: a key, or a passphrase. */
export function sealKeyring(name, k) {
  const salt = fixed(`salt ${name}`, 16);
  const { ops, mem, passphrase, key_file: keyFile } = k.lock;
  const head = header.put({
    magic: text('CSK1'), kind: KINDS[k.kind], lock: passphrase ? 1 : 2, ops, mem, salt,
    network_id: NETWORK, id: k.id, member_id: k.member_id, sign_key: edKeys(k.seed),
    noise_key: k.noise ? x25519(k.noise) : ZERO(32),
  });
  const K = passphrase ? argon2id(passphrase, salt, ops, mem) : keyFile;
  const prk = hkdfExtract(label('consil/keyring'), K);
  const commitment = hkdfExpand(prk, text('commitment'), 32);
  const bound = Buffer.concat([head, commitment]);
  const secrets = Buffer.concat([k.seed, k.store_key, k.noise ?? ZERO(32)]);
  const nonce = fixed(`keyring nonce ${name}`, 32);
  const sealed = aegisSeal(hkdfExpand(prk, text('seal'), 32), nonce, bound, secrets);
  const all = Buffer.concat([bound, nonce, sealed]);
  return Buffer.concat([all, sha256(all)]);
}

export function sealEpochs(name, storeKey, plain) {
  const nonce = fixed(`epoch nonce ${name}`, 32);
  const magic = text('CSP1');
  const key = hkdfExpand(storeKey, text('epoch-file'), 32);
  return Buffer.concat([magic, nonce, aegisSeal(key, nonce, magic, epochPlain.put(plain))]);
}

// The device's keys one epoch on, so that one of them is a kept row.
function epochsOf(device, count) {
  const at = EPOCH + 1n;
  const { keys, next } = chainOf(device, 1);
  const kept = keys.map((k) => ({
    epoch: k.epoch, delete_at: (k.epoch + 1n) * 604800n + 92n * 86400n, key_id: k.key_id,
    ikm: k.ikm,
  }));
  return { device_id: idOf(device), epoch: at, chain: next, unpublished: EPOCH + BigInt(count), kept };
}

function deviceFiles([device, member, count, seed, lock]) {
  const k = {
    kind: 'device', id: idOf(device), member_id: idOf(member), seed: seedOf(seed),
    store_key: fixed(`store key ${device}`, 32), lock,
  };
  return {
    name: device, ...k, sign_key: edKeys(k.seed), keyring: sealKeyring(device, k),
    epochs: sealEpochs(device, k.store_key, epochsOf(device, count)),
  };
}

const keyFile = (name) => ({ ops: 0, mem: 0, key_file: fixed(`key file ${name}`, 32) });

/** What files.json holds. */
export function fileFacts(net) {
  const relay = {
    kind: 'relay', id: idOf('relay'), member_id: ZERO(16), seed: seedOf('relay'),
    store_key: fixed('store key relay', 32), noise: fixed('noise secret relay', 32),
    lock: { ops: 2, mem: 8192 * 5, passphrase: 'käse und brot' },
  };
  const entries = net.log.raw.slice(0, 3).map((leaf) => leaf.subarray(16));
  return {
    devices: [
      ['doe desk', 'j.doe@mnoncology', 26, 'doe desk', keyFile('doe')],
      ['smith desk', 'a.smith@mayo', 26, 'smith desk', { ops: 1, mem: 8192, passphrase: 'x' }],
      ['smith laptop', 'a.smith@mayo', 7, 'smith laptop 2', keyFile('laptop')],
      ['c desk', 'c_3@mayo', 26, 'c desk', keyFile('c')],
    ].map(deviceFiles),
    relay: { ...relay, sign_key: edKeys(relay.seed), noise_key: x25519(relay.noise),
      keyring: sealKeyring('relay', relay) },
    genesis: Buffer.concat(entries.flatMap((e) => [u32.put(e.length), e])),
  };
}
