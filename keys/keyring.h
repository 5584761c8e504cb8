#ifndef CS_KEYS_KEYRING_H
#define CS_KEYS_KEYRING_H

#include <stdbool.h>

#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * The long-lived keys of one principal, and the file that holds them: Argon2id
 * over a passphrase, or a random key in a 0600 file beside it ("unattended").
 * The header carries a key commitment, so that a wrong passphrase and a
 * damaged file are told apart from an opened forgery (docs/protocol.md).
 */
enum cs_keyring_kind {
	CS_KEYRING_DEVICE = 1,
	CS_KEYRING_REGISTRAR,
	CS_KEYRING_ROOT,
	CS_KEYRING_RELAY,
	CS_KEYRING_WITNESS,
};

struct cs_keyring_info { /* public half; also readable while locked */
	enum cs_keyring_kind kind;
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t id[CS_ID_BYTES];        /* device, registrar, …, witness id */
	uint8_t member_id[CS_ID_BYTES]; /* zero unless a device */
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES];
	uint8_t noise_key[CS_NOISE_KEY_BYTES]; /* relay only, else zero */
	bool unattended;
	uint32_t unlock_bytes; /* memory that unlocking takes; 0: a key file */
};
struct cs_keyring;

/* How a file is locked: exactly one of the first three is set. */
struct cs_keyring_lock {
	const struct cs_secret *passphrase;
	const char *key_file; /* path; made (0600) by save if it is not there */
	const struct cs_secret *key; /* load only: cs_keyring_lock_key */
	/* save only; 0: those of keys/kdf.h, "kept" for a root keyring */
	uint32_t kdf_ops, kdf_mem_bytes;
};

/* Fresh random keys. The network_id may be set later (root v1 makes it).
 * CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_keyring_new(enum cs_keyring_kind kind,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t member_id[static CS_ID_BYTES], struct cs_keyring **ret);
void cs_keyring_set_network(struct cs_keyring *kr,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES]);

/* Next keys of the same principal: signing (and a relay's Noise) key anew; id,
 * network, member and the local keys stay, and save with lock NULL locks them
 * as the file that kr was loaded from. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_keyring_successor(const struct cs_keyring *kr,
    struct cs_keyring **ret);

/* Wipes and frees; NULL does nothing. */
void cs_keyring_free(struct cs_keyring *kr);

/* Borrowed; valid as long as kr. */
const struct cs_keyring_info *cs_keyring_info(const struct cs_keyring *kr);

/* Ed25519 with the principal's key; message begins with its domain label. */
void cs_keyring_sign(const struct cs_keyring *kr, struct cs_bytes message,
    uint8_t ret_sig[static CS_SIGNATURE_BYTES]);

/* Derived 32-byte key for one local purpose ("local-store", "record-tag",
 * "epoch-file"): HKDF-Expand(store key, purpose). CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_keyring_derive(const struct cs_keyring *kr,
    const char *purpose, struct cs_secret **ret);

/* X25519 static secret of a relay; borrowed. */
const struct cs_secret *cs_keyring_noise_secret(const struct cs_keyring *kr);

/* The key that opens the file kr was loaded from: what became of the passphrase
 * or stands in the key file. For an agent; borrowed. NULL if kr is of no file.
 */
const struct cs_secret *cs_keyring_lock_key(const struct cs_keyring *kr);

/*
 * Write atomically (0600, temporary file, fsync, rename, fsync of folder).
 *   lock  NULL: as the file that kr, or what it succeeds, was loaded from
 * CS_OK, CS_EXISTS (a file is there and overwrite is false), CS_USAGE (KDF
 * numbers beyond the limits, no lock), CS_CORRUPT or CS_DENIED (an existing key
 * file is not 32 bytes, or others may read it), CS_IO, CS_FULL, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_keyring_save(const struct cs_keyring *kr,
    const char *path, const struct cs_keyring_lock *lock, bool overwrite);

/*
 * Open a file made by save.
 * CS_OK, CS_NOT_FOUND (keyring or key file), CS_BAD_PASSPHRASE (commitment
 * differs: wrong passphrase or key file), CS_CORRUPT, CS_UNSUPPORTED (version,
 * KDF numbers beyond the limits), CS_USAGE (locked the other way), CS_DENIED
 * (readable by others), CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_keyring_load(const char *path,
    const struct cs_keyring_lock *lock, struct cs_keyring **ret);

/*
 * The bytes of a file that this key opens, as that of a key file would, and
 * back: for a backup, which seals both.
 *   key  32 bytes
 * Encode: appends; CS_OK, CS_USAGE (not 32 bytes), CS_NO_MEMORY. Open: CS_OK,
 * and CS_BAD_PASSPHRASE, CS_CORRUPT, CS_UNSUPPORTED as load.
 */
CS_MUST_USE cs_err cs_keyring_encode(const struct cs_keyring *kr,
    const struct cs_secret *key, struct cs_buf *out);
CS_MUST_USE cs_err cs_keyring_open(struct cs_bytes file,
    const struct cs_secret *key, struct cs_keyring **ret);

/*
 * Locks a file in another way. At every moment the old way opens it or the new
 * one does; a key file that no longer locks anything is removed, one made anew
 * is fresh.
 *   from  how it is locked
 *   to    a new passphrase, or the path of a key file
 *   ret_key  what cs_keyring_lock_key now is; the caller frees it; may be NULL
 * CS_OK, CS_EXISTS (from one key file to another), errors of load and save.
 */
CS_MUST_USE cs_err cs_keyring_relock(const char *path,
    const struct cs_keyring_lock *from, const struct cs_keyring_lock *to,
    struct cs_secret **ret_key);

/* Public half of a keyring file's bytes (not authenticated).
 * CS_OK, CS_CORRUPT, CS_UNSUPPORTED. */
CS_MUST_USE cs_err cs_keyring_decode(struct cs_bytes file,
    struct cs_keyring_info *ret);

/* Reads the public half of a locked file (not authenticated).
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_UNSUPPORTED, CS_DENIED, CS_IO. */
CS_MUST_USE cs_err cs_keyring_peek(const char *path,
    struct cs_keyring_info *ret);

#endif
