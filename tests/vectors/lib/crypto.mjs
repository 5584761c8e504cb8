// The primitives of section 1. Node's OpenSSL gives SHA-2, SHA-3, HMAC and
// ChaCha20-Poly1305, libsodium the rest; HKDF, HPKE, X-Wing and the trees are
// composed here from their specifications, not taken from libsodium.

import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import sodium from 'libsodium-wrappers-sumo';
import { label, refuse, u16 } from './layout.mjs';

await sodium.ready;

const cat = (...parts) => Buffer.concat(parts);

function digest(name, parts, options) {
  const h = createHash(name, options);
  for (const p of parts) h.update(p);
  return h.digest();
}

export const sha256 = (...parts) => digest('sha256', parts);
export const sha512 = (...parts) => digest('sha512', parts);
export const shake256 = (n, ...parts) => digest('shake256', parts, { outputLength: n });
export const hmac = (key, data) => createHmac('sha256', key).update(data).digest();

export function turboshake128(data) {
  const state = sodium.crypto_xof_turboshake128_init_with_domain(0x1f);
  sodium.crypto_xof_turboshake128_update(state, data);
  return Buffer.from(sodium.crypto_xof_turboshake128_squeeze(state, 32));
}

// ------------------------------------------------------------------- RFC 5869

export const hkdfExtract = (salt, ikm) => hmac(salt, ikm);

export function hkdfExpand(prk, info, n) {
  let out = Buffer.alloc(0);
  let t = Buffer.alloc(0);
  for (let i = 1; out.length < n; i++) {
    t = hmac(prk, cat(t, info, Buffer.of(i)));
    out = cat(out, t);
  }
  return out.subarray(0, n);
}

// -------------------------------------------------------------------- Ed25519

export const edKeys = (seed) => Buffer.from(sodium.crypto_sign_seed_keypair(seed).publicKey);

export function edSign(seed, message) {
  const { privateKey } = sodium.crypto_sign_seed_keypair(seed);
  return Buffer.from(sodium.crypto_sign_detached(message, privateKey));
}

export function edVerify(key, message, signature) {
  return sodium.crypto_sign_verify_detached(signature, message, key);
}

// ------------------------------------------------------------------ AEGIS-256

export function aegisSeal(key, nonce, ad, plain) {
  return Buffer.from(sodium.crypto_aead_aegis256_encrypt(plain, ad, null, nonce, key));
}

/** null where the tag is wrong. */
export function aegisOpen(key, nonce, ad, sealed) {
  try {
    return Buffer.from(sodium.crypto_aead_aegis256_decrypt(null, sealed, ad, nonce, key));
  } catch {
    return null;
  }
}

// ------------------------------------------------------- X25519 and Argon2id

export const x25519 = (secret) => Buffer.from(sodium.crypto_scalarmult_base(secret));

export function argon2id(passphrase, salt, ops, mem) {
  const { crypto_pwhash_ALG_ARGON2ID13: alg } = sodium;
  return Buffer.from(sodium.crypto_pwhash(32, passphrase, salt, ops, mem, alg));
}

// ------------------------------------ X-Wing, draft-connolly-cfrg-xwing-kem

const XWING_LABEL = Buffer.from('5c2e2f2f5e5c', 'hex');

/** seed[32]: the key pair, of which the seed is the secret half. */
export function xwing(seed) {
  const expanded = shake256(96, seed);
  const m = sodium.crypto_kem_mlkem768_seed_keypair(expanded.subarray(0, 64));
  const x = expanded.subarray(64);
  const xPublic = sodium.crypto_scalarmult_base(x);
  return { publicKey: cat(m.publicKey, xPublic), mSecret: m.privateKey, x, xPublic };
}

function combine(ssM, ssX, ctX, pkX) {
  return digest('sha3-256', [ssM, ssX, ctX, pkX, XWING_LABEL]);
}

/** coins[64] are the 32 of ML-KEM, then the X25519 ephemeral secret. */
export function xwingEncaps(publicKey, coins) {
  const pkX = publicKey.subarray(1184);
  const m = sodium.crypto_kem_mlkem768_enc_deterministic(
    publicKey.subarray(0, 1184), coins.subarray(0, 32));
  const ctX = sodium.crypto_scalarmult_base(coins.subarray(32));
  const ssX = sodium.crypto_scalarmult(coins.subarray(32), pkX);
  return { enc: cat(m.ciphertext, ctX), shared: combine(m.sharedSecret, ssX, ctX, pkX) };
}

export function xwingDecaps(seed, enc) {
  const key = xwing(seed);
  const ctX = enc.subarray(1088);
  const ssM = sodium.crypto_kem_mlkem768_dec(enc.subarray(0, 1088), key.mSecret);
  return combine(ssM, sodium.crypto_scalarmult(key.x, ctX), ctX, key.xPublic);
}

// --------------------------------------------- HPKE base mode, RFC 9180 part 5

const SUITE = cat(Buffer.from('HPKE'), u16.put(0x647a), u16.put(1), u16.put(3));
const VERSION = Buffer.from('HPKE-v1');

function labeledExtract(salt, name, ikm) {
  return hkdfExtract(salt, cat(VERSION, SUITE, Buffer.from(name), ikm));
}

function labeledExpand(prk, name, info, n) {
  return hkdfExpand(prk, cat(u16.put(n), VERSION, SUITE, Buffer.from(name), info), n);
}

const EMPTY = Buffer.alloc(0);

/** Key and nonce of sequence number 0. */
export function hpkeSchedule(shared, info) {
  const context = cat(
    Buffer.of(0),
    labeledExtract(EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(EMPTY, 'info_hash', info),
  );
  const secret = labeledExtract(shared, 'secret', EMPTY);
  return {
    key: labeledExpand(secret, 'key', context, 32),
    nonce: labeledExpand(secret, 'base_nonce', context, 12),
  };
}

const CHACHA = 'chacha20-poly1305';

export function hpkeSeal(publicKey, coins, info, aad, plain) {
  const { enc, shared } = xwingEncaps(publicKey, coins);
  const { key, nonce } = hpkeSchedule(shared, info);
  const c = createCipheriv(CHACHA, key, nonce, { authTagLength: 16 });
  c.setAAD(aad, { plaintextLength: plain.length });
  return { enc, wrapped: cat(c.update(plain), c.final(), c.getAuthTag()) };
}

/** null where the tag is wrong. */
export function hpkeOpen(seed, enc, info, aad, wrapped) {
  const { key, nonce } = hpkeSchedule(xwingDecaps(seed, enc), info);
  const n = wrapped.length - 16;
  const d = createDecipheriv(CHACHA, key, nonce, { authTagLength: 16 });
  d.setAAD(aad, { plaintextLength: n });
  d.setAuthTag(wrapped.subarray(n));
  try {
    return cat(d.update(wrapped.subarray(0, n)), d.final());
  } catch {
    return null;
  }
}

// ---------------------------------------------------------- trees, RFC 6962

export const leafHash = (data) => sha256(Buffer.of(0), data);
export const nodeHash = (l, r) => sha256(Buffer.of(1), l, r);

// The largest power of two below n.
function split(n) {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** Root over leaf hashes. */
export function treeRoot(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return nodeHash(treeRoot(leaves.slice(0, k)), treeRoot(leaves.slice(k)));
}

/** PATH(m, D[n]) of section 2.1.1. */
export function inclusionProof(m, leaves) {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...inclusionProof(m, leaves.slice(0, k)), treeRoot(leaves.slice(k))]
    : [...inclusionProof(m - k, leaves.slice(k)), treeRoot(leaves.slice(0, k))];
}

/** PROOF(m, D[n]) of section 2.1.2; b: the old tree is a node of this one. */
export function consistencyProof(m, leaves, b = true) {
  if (m === leaves.length) return b ? [] : [treeRoot(leaves)];
  const k = split(leaves.length);
  return m <= k
    ? [...consistencyProof(m, leaves.slice(0, k), b), treeRoot(leaves.slice(k))]
    : [...consistencyProof(m - k, leaves.slice(k), false), treeRoot(leaves.slice(0, k))];
}

/** RFC 9162 section 2.1.3.2. */
export function checkInclusion(leaf, index, size, proof, root) {
  if (index >= size) return false;
  let [fn, sn, r] = [index, size - 1n, leaf];
  for (const p of proof) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      r = nodeHash(p, r);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      r = nodeHash(r, p);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && r.equals(root);
}

// ------------------------------------------------------------------- padding

export function padme(n, floor) {
  if (n < floor) return floor;
  const e = Math.floor(Math.log2(n));
  const s = Math.floor(Math.log2(e)) + 1;
  const mask = 2 ** (e - s) - 1;
  return Math.ceil(n / (mask + 1)) * (mask + 1);
}

/** Bytes that are fixed by their name: everything random in the vectors. */
export function fixed(name, n) {
  return shake256(n, label('consil/test-vectors'), Buffer.from(name));
}

export function openOrRefuse(plain, step, why) {
  return plain ?? refuse(step, why);
}
