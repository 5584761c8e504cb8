#ifndef CS_KEYS_EPOCH_H
#define CS_KEYS_EPOCH_H

#include "keys/keyring.h"
#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * Epoch keys of one device: DESIGN 7. The chain value s_i is deleted once
 * ikm_i and s_{i+1} are derived for good; a private key is deleted at the
 * end of its epoch + the longest envelope life + 2 days. Keys of published
 * epochs ahead are derived from s_i on demand.
 */
struct cs_epoch;

/* Number of the epoch that time_s falls in. */
uint64_t cs_epoch_of(uint64_t time_s);

/* New chain whose first epoch is the one of now_s. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_epoch_new(const uint8_t device_id[static CS_ID_BYTES],
    uint64_t now_s, struct cs_epoch **ret);
void cs_epoch_free(struct cs_epoch *ep);

/*
 * The batch of count keys from first on: public keys (count × 1216, appended)
 * and the tree root for the log. Marks them as published up to the end.
 * CS_OK, CS_NOT_FOUND (an epoch whose key is deleted, or none: count 0),
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_epoch_batch(struct cs_epoch *ep, uint64_t first,
    uint8_t count, struct cs_buf *ret_keys,
    uint8_t ret_root[static CS_HASH_BYTES]);

/* First epoch after all published ones: where the next batch begins. */
uint64_t cs_epoch_published_end(const struct cs_epoch *ep);

/*
 * What the log says was published, up to an epoch: more than the file knows
 * where an older copy of it was restored. Before cs_epoch_advance, which keeps
 * past keys only of epochs that were published.
 */
void cs_epoch_was_published(struct cs_epoch *ep, uint64_t end);

/*
 * Steps the chain to now and deletes what is past keeping; true if the file
 * must be saved. Call it before every cs_epoch_batch.
 *   now_s  what it deletes stays deleted: give a time that another clock than
 *          this machine's bears out
 * CS_OK, CS_NO_MEMORY, CS_EXPIRED (20 years past the chain: a wrong clock;
 * nothing changed).
 */
CS_MUST_USE cs_err cs_epoch_advance(struct cs_epoch *ep, uint64_t now_s,
    bool *ret_changed);

/* Secret (X-Wing seed) of the epoch key with this key_id; the caller frees.
 * CS_OK, CS_NO_KEY (never ours, or deleted), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_epoch_secret(const struct cs_epoch *ep,
    const uint8_t key_id[static CS_HASH_BYTES], struct cs_secret **ret);

/* One of our keys that mail may be sealed to. */
struct cs_epoch_key {
	uint64_t epoch;
	uint8_t key_id[CS_HASH_BYTES];
	uint64_t destroy_at_s; /* until then mail for it may be under way; of
				  the last published one it moves on */
};

/* Key i of those that are published and not destroyed, oldest first. CS_OK,
 * CS_NOT_FOUND (past the end), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_epoch_key_at(const struct cs_epoch *ep, uint32_t i,
    struct cs_epoch_key *ret);

/*
 * Destroys the key of an epoch, if its time has come; save the file then.
 *   now_s      as for cs_epoch_advance, which does this by itself
 *   ret_at_s   with CS_TOO_EARLY: when it can be destroyed
 * CS_OK, CS_TOO_EARLY, CS_NOT_FOUND (destroyed before, or never made).
 */
CS_MUST_USE cs_err cs_epoch_destroy(struct cs_epoch *ep, uint64_t epoch,
    uint64_t now_s, uint64_t *ret_at_s);

/* File sealed under the keyring (cs_keyring_derive "epoch-file"), written
 * atomically. Save: CS_OK, CS_IO, CS_FULL. Load: CS_OK, CS_NOT_FOUND,
 * CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_epoch_save(const struct cs_epoch *ep,
    const struct cs_keyring *kr, const char *path);
CS_MUST_USE cs_err cs_epoch_load(const char *path, const struct cs_keyring *kr,
    struct cs_epoch **ret);

/* Checks a served key against its batch root (client side).
 * CS_OK, CS_MALFORMED, CS_FORKED. */
CS_MUST_USE cs_err
cs_epoch_check_key(const uint8_t device_id[static CS_ID_BYTES], uint64_t epoch,
    uint64_t first_epoch, uint8_t count,
    const uint8_t root[static CS_HASH_BYTES],
    const uint8_t public_key[static CS_KEM_PUBLIC_BYTES], struct cs_bytes proof,
    uint8_t ret_key_id[static CS_HASH_BYTES]);

#endif
