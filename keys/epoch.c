#include "keys/epoch.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/file.h"
#include "keys/sealedfile.h"
#include "proto/base/cursor.h"
#include "proto/label.h"
#include "proto/merkle.h"

#define SEED_BYTES CS_KEM_SECRET_BYTES

/* How long after the end of its epoch a key may still be needed. */
#define KEEP_S (CS_LIMIT_LIFETIME_S + CS_EPOCH_KEEP_EXTRA_S)

/* Keys of past epochs: 14 within KEEP_S, one fallback, room for clock steps. */
#define KEPT_MAX 32

/* Twenty years: beyond that the clock is wrong, not the device away. */
#define STEPS_MAX 1044

/* A key of a past epoch; the chain has moved on and cannot make it again. */
struct kept {
	uint64_t epoch;
	uint64_t delete_at_s;
	uint8_t key_id[CS_HASH_BYTES];
	struct cs_secret *seed;
};

struct cs_epoch {
	uint8_t device_id[CS_ID_BYTES];
	uint64_t head;           /* epoch i of the chain value */
	struct cs_secret *chain; /* s_i */
	uint64_t published_end;
	uint16_t n_kept;
	struct kept kept[KEPT_MAX]; /* ascending epoch */
};

uint64_t
cs_epoch_of(uint64_t time_s)
{
	return time_s / CS_EPOCH_S;
}

/* ------------------------------------------------------------------- chain */

static void
expand(const struct cs_secret *s, struct cs_bytes label,
    uint8_t ret[static SEED_BYTES])
{
	crypto_kdf_hkdf_sha256_expand(ret, SEED_BYTES, (const char *)label.p,
	    label.n, cs_secret_bytes(s));
}

/* s_{i+1} in place of s_i. */
static void
step(struct cs_secret *s)
{
	uint8_t next[SEED_BYTES];

	expand(s, CS_LABEL_EPOCH_NEXT, next);
	memcpy(cs_secret_mut(s), next, sizeof(next));
	sodium_memzero(next, sizeof(next));
}

static void
public_key(const struct cs_secret *seed,
    uint8_t ret[static CS_KEM_PUBLIC_BYTES])
{
	uint8_t sk[CS_KEM_SECRET_BYTES];

	crypto_kem_xwing_seed_keypair(ret, sk, cs_secret_bytes(seed));
	sodium_memzero(sk, sizeof(sk));
}

/* key_id: leaf hash of device_id ‖ epoch ‖ public key. */
static void
leaf(const uint8_t device_id[static CS_ID_BYTES], uint64_t epoch,
    const uint8_t key[static CS_KEM_PUBLIC_BYTES],
    uint8_t ret[static CS_HASH_BYTES])
{
	uint8_t data[CS_ID_BYTES + 8 + CS_KEM_PUBLIC_BYTES];
	struct cs_buf b = cs_buf_fixed(data, sizeof(data));

	cs_buf_put(&b, device_id, CS_ID_BYTES);
	cs_buf_put_u64(&b, epoch);
	cs_buf_put(&b, key, CS_KEM_PUBLIC_BYTES);
	assert(b.err == CS_OK && b.n == sizeof(data));
	cs_merkle_leaf(CS_BYTES(data), ret);
}

static void
key_id(const struct cs_epoch *ep, uint64_t epoch, const struct cs_secret *seed,
    uint8_t ret[static CS_HASH_BYTES])
{
	uint8_t key[CS_KEM_PUBLIC_BYTES];

	public_key(seed, key);
	leaf(ep->device_id, epoch, key, ret);
}

/* A copy of s for the given epoch, stepped on from the head. */
static cs_err
chain_at(const struct cs_epoch *ep, uint64_t epoch, struct cs_secret **ret)
{
	struct cs_secret *s = NULL;
	cs_err e;

	if (epoch < ep->head || epoch - ep->head > STEPS_MAX)
		return CS_NOT_FOUND;
	CS_TRY(cs_secret_copy(cs_secret_view(ep->chain), &s));
	for (uint64_t i = ep->head; i < epoch; i++)
		step(s);
	*ret = s;
out:
	return e;
}

static cs_err
seed_of(const struct cs_secret *chain, struct cs_secret **ret)
{
	struct cs_secret *seed = NULL;
	cs_err e;

	CS_TRY(cs_secret_new(SEED_BYTES, &seed));
	expand(chain, CS_LABEL_EPOCH, cs_secret_mut(seed));
	*ret = seed;
out:
	return e;
}

/* Secret of one epoch, from the past or the chain. */
static cs_err
seed_at(const struct cs_epoch *ep, uint64_t epoch, struct cs_secret **ret)
{
	struct cs_secret *s = NULL;
	cs_err e;

	for (uint16_t i = 0; i < ep->n_kept; i++)
		if (ep->kept[i].epoch == epoch)
			return cs_secret_copy(cs_secret_view(ep->kept[i].seed),
			    ret);
	CS_TRY(chain_at(ep, epoch, &s));
	CS_TRY(seed_of(s, ret));
out:
	cs_secret_free(s);
	return e;
}

/* --------------------------------------------------------------- life cycle */

cs_err
cs_epoch_new(const uint8_t device_id[static CS_ID_BYTES], uint64_t now_s,
    struct cs_epoch **ret)
{
	struct cs_epoch *ep = calloc(1, sizeof(*ep));
	cs_err e = CS_NO_MEMORY;

	if (!ep)
		goto out;
	CS_TRY(cs_secret_random(SEED_BYTES, &ep->chain));
	memcpy(ep->device_id, device_id, sizeof(ep->device_id));
	ep->head = ep->published_end = cs_epoch_of(now_s);
	*ret = ep;
	ep = NULL;
out:
	cs_epoch_free(ep);
	return e;
}

void
cs_epoch_free(struct cs_epoch *ep)
{
	if (!ep)
		return;
	for (uint16_t i = 0; i < ep->n_kept; i++)
		cs_secret_free(ep->kept[i].seed);
	cs_secret_free(ep->chain);
	free(ep);
}

uint64_t
cs_epoch_published_end(const struct cs_epoch *ep)
{
	return ep->published_end > ep->head ? ep->published_end : ep->head;
}

void
cs_epoch_was_published(struct cs_epoch *ep, uint64_t end)
{
	if (end > ep->published_end && end <= ep->head + STEPS_MAX)
		ep->published_end = end;
}

cs_err
cs_epoch_batch(struct cs_epoch *ep, uint64_t first, uint8_t count,
    struct cs_buf *ret_keys, uint8_t ret_root[static CS_HASH_BYTES])
{
	const size_t before = ret_keys->n;
	struct cs_merkle_edge edge = { 0 };
	struct cs_secret *seed = NULL;
	uint8_t key[CS_KEM_PUBLIC_BYTES], hash[CS_HASH_BYTES];
	cs_err e = CS_NOT_FOUND;

	if (count == 0 || first > UINT64_MAX - count)
		goto out;
	for (uint64_t epoch = first; epoch < first + count; epoch++) {
		CS_TRY(seed_at(ep, epoch, &seed));
		public_key(seed, key);
		cs_secret_free(seed);
		seed = NULL;
		leaf(ep->device_id, epoch, key, hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
		cs_buf_put(ret_keys, key, sizeof(key));
	}
	CS_TRY(cs_buf_err(ret_keys));
	cs_merkle_root(&edge, ret_root);
	if (ep->published_end < first + count)
		ep->published_end = first + count;
out:
	if (e != CS_OK)
		ret_keys->n = before;
	cs_secret_free(seed);
	return e;
}

static void
forget(struct cs_epoch *ep, uint16_t i)
{
	cs_secret_free(ep->kept[i].seed);
	ep->n_kept--;
	memmove(&ep->kept[i], &ep->kept[i + 1],
	    (size_t)(ep->n_kept - i) * sizeof(ep->kept[0]));
}

/* Deletes what is past keeping. The last published key is what senders fall
 * back to while there is no newer one: it stays, and then for KEEP_S more. */
static bool
expire(struct cs_epoch *ep, uint64_t now_s)
{
	bool changed = false;

	for (uint16_t i = 0; i < ep->n_kept;) {
		struct kept *k = &ep->kept[i];

		if (k->epoch + 1 == ep->published_end) {
			/* A day's grain, or every call would rewrite the file
			 */
			uint64_t until = now_s - now_s % 86400 + 86400 + KEEP_S;

			changed |= until > k->delete_at_s;
			if (until > k->delete_at_s)
				k->delete_at_s = until;
		}
		if (k->delete_at_s <= now_s) {
			forget(ep, i);
			changed = true;
		} else {
			i++;
		}
	}
	return changed;
}

/* When the key of an epoch will be past keeping. */
static uint64_t
keep_until_s(uint64_t epoch)
{
	return (epoch + 1) * CS_EPOCH_S + KEEP_S;
}

/* Puts the head's key with the past ones, if anybody can have it and it is
 * not past keeping already. */
static cs_err
keep_head(struct cs_epoch *ep, uint64_t now_s)
{
	struct kept k = { .epoch = ep->head,
		.delete_at_s = keep_until_s(ep->head) };
	cs_err e;

	if (ep->head >= ep->published_end)
		return CS_OK;
	if (k.delete_at_s <= now_s && ep->head + 1 != ep->published_end)
		return CS_OK;
	if (ep->n_kept == KEPT_MAX)
		forget(ep, 0);
	CS_TRY(seed_of(ep->chain, &k.seed));
	key_id(ep, k.epoch, k.seed, k.key_id);
	ep->kept[ep->n_kept++] = k;
out:
	return e;
}

cs_err
cs_epoch_advance(struct cs_epoch *ep, uint64_t now_s, bool *ret_changed)
{
	uint64_t now = cs_epoch_of(now_s);
	bool changed = false;
	cs_err e = CS_OK;

	if (now > ep->head && now - ep->head > STEPS_MAX)
		return CS_EXPIRED;
	while (ep->head < now) {
		CS_TRY(keep_head(ep, now_s));
		step(ep->chain);
		ep->head++;
		changed = true;
	}
	*ret_changed = expire(ep, now_s) || changed;
out:
	return e;
}

static bool
is_same_id(const uint8_t *id, const uint8_t *other_id)
{
	return memcmp(id, other_id, CS_HASH_BYTES) == 0;
}

cs_err
cs_epoch_secret(const struct cs_epoch *ep,
    const uint8_t id[static CS_HASH_BYTES], struct cs_secret **ret)
{
	struct cs_secret *s = NULL, *seed = NULL;
	uint8_t this_id[CS_HASH_BYTES];
	cs_err e;

	for (uint16_t i = 0; i < ep->n_kept; i++)
		if (is_same_id(id, ep->kept[i].key_id))
			return cs_secret_copy(cs_secret_view(ep->kept[i].seed),
			    ret);
	CS_TRY(chain_at(ep, ep->head, &s));
	for (uint64_t i = ep->head; i < ep->published_end; i++) {
		CS_TRY(seed_of(s, &seed));
		key_id(ep, i, seed, this_id);
		if (is_same_id(id, this_id)) {
			*ret = seed;
			seed = NULL;
			goto out;
		}
		cs_secret_free(seed);
		seed = NULL;
		step(s);
	}
	e = CS_NO_KEY;
out:
	cs_secret_free(s);
	cs_secret_free(seed);
	return e;
}

cs_err
cs_epoch_key_at(const struct cs_epoch *ep, uint32_t i, struct cs_epoch_key *ret)
{
	struct cs_secret *seed = NULL;
	struct cs_epoch_key v = { 0 };
	cs_err e = CS_OK;

	if (i < ep->n_kept) {
		v.epoch = ep->kept[i].epoch;
		v.destroy_at_s = ep->kept[i].delete_at_s;
		memcpy(v.key_id, ep->kept[i].key_id, CS_HASH_BYTES);
	} else {
		v.epoch = ep->head + (i - ep->n_kept);
		CS_TRY(v.epoch < ep->published_end ? CS_OK : CS_NOT_FOUND);
		v.destroy_at_s = keep_until_s(v.epoch);
		CS_TRY(seed_at(ep, v.epoch, &seed));
		key_id(ep, v.epoch, seed, v.key_id);
	}
	*ret = v;
out:
	cs_secret_free(seed);
	return e;
}

cs_err
cs_epoch_destroy(struct cs_epoch *ep, uint64_t epoch, uint64_t now_s,
    uint64_t *ret_at_s)
{
	for (uint16_t i = 0; i < ep->n_kept; i++) {
		if (ep->kept[i].epoch != epoch)
			continue;
		if (now_s >= ep->kept[i].delete_at_s) {
			forget(ep, i);
			return CS_OK;
		}
		*ret_at_s = ep->kept[i].delete_at_s;
		return CS_TOO_EARLY;
	}
	if (epoch < ep->head || epoch >= ep->published_end)
		return CS_NOT_FOUND;
	*ret_at_s = keep_until_s(epoch);
	return CS_TOO_EARLY;
}

/* -------------------------------------------------------------------- file */

/*
 * "CSP1" ‖ nonce[32] ‖ AEGIS-256(cs_keyring_derive "epoch-file", nonce,
 * ad = "CSP1", plain), where
 * plain = device_id[16] ‖ u64 head ‖ s[32] ‖ u64 published_end ‖ u16 n
 *         ‖ n × ( u64 epoch ‖ u64 delete_at ‖ key_id[32] ‖ ikm[32] )
 */
static const uint8_t magic[4] = { 'C', 'S', 'P', '1' };
#define ROW_BYTES   (8 + 8 + CS_HASH_BYTES + SEED_BYTES)
#define PLAIN_BYTES (CS_ID_BYTES + 8 + SEED_BYTES + 8 + 2)
#define FILE_MAX_BYTES                                                         \
	(PLAIN_BYTES + KEPT_MAX * ROW_BYTES + CS_SEALEDFILE_EXTRA_BYTES)

static cs_err
encode(const struct cs_epoch *ep, struct cs_secret **ret)
{
	struct cs_secret *plain = NULL;
	struct cs_buf b;
	cs_err e;

	CS_TRY(cs_secret_new(PLAIN_BYTES + ep->n_kept * (size_t)ROW_BYTES,
	    &plain));
	b = cs_buf_fixed(cs_secret_mut(plain), cs_secret_len(plain));
	cs_buf_put_bytes(&b, CS_BYTES(ep->device_id));
	cs_buf_put_u64(&b, ep->head);
	cs_buf_put_bytes(&b, cs_secret_view(ep->chain));
	cs_buf_put_u64(&b, ep->published_end);
	cs_buf_put_u16(&b, ep->n_kept);
	for (uint16_t i = 0; i < ep->n_kept; i++) {
		cs_buf_put_u64(&b, ep->kept[i].epoch);
		cs_buf_put_u64(&b, ep->kept[i].delete_at_s);
		cs_buf_put_bytes(&b, CS_BYTES(ep->kept[i].key_id));
		cs_buf_put_bytes(&b, cs_secret_view(ep->kept[i].seed));
	}
	assert(b.err == CS_OK && b.n == cs_secret_len(plain));
	*ret = plain;
out:
	return e;
}

static cs_err
decode(struct cs_bytes plain, struct cs_epoch **ret)
{
	struct cs_cursor c = cs_cursor_new(plain);
	struct cs_epoch *ep = calloc(1, sizeof(*ep));
	uint16_t n;
	cs_err e = CS_NO_MEMORY;

	if (!ep)
		goto out;
	cs_cursor_copy(&c, ep->device_id, CS_ID_BYTES);
	ep->head = cs_cursor_u64(&c);
	CS_TRY(cs_secret_copy(cs_cursor_take(&c, SEED_BYTES), &ep->chain));
	ep->published_end = cs_cursor_u64(&c);
	n = cs_cursor_u16(&c);
	if (n > KEPT_MAX || ep->head > UINT64_MAX / CS_EPOCH_S - STEPS_MAX ||
	    (ep->published_end > ep->head &&
		ep->published_end - ep->head > STEPS_MAX))
		cs_cursor_fail(&c, CS_MALFORMED);
	for (uint16_t i = 0; i < n && cs_cursor_err(&c) == CS_OK; i++) {
		struct kept *k = &ep->kept[i];

		k->epoch = cs_cursor_u64(&c);
		k->delete_at_s = cs_cursor_u64(&c);
		cs_cursor_copy(&c, k->key_id, CS_HASH_BYTES);
		CS_TRY(cs_secret_copy(cs_cursor_take(&c, SEED_BYTES),
		    &k->seed));
		ep->n_kept++;
	}
	CS_TRY(cs_cursor_end(&c));
	*ret = ep;
	ep = NULL;
out:
	cs_epoch_free(ep);
	return e;
}

cs_err
cs_epoch_save(const struct cs_epoch *ep, const struct cs_keyring *kr,
    const char *path)
{
	struct cs_secret *key = NULL, *plain = NULL;
	struct cs_buf out = { 0 };
	cs_err e;

	CS_TRY(cs_keyring_derive(kr, "epoch-file", &key));
	CS_TRY(encode(ep, &plain));
	CS_TRY(cs_sealedfile_seal(magic, key, plain, &out));
	CS_TRY(cs_file_write(path, cs_buf_view(&out), 0600, true));
out:
	cs_secret_free(key);
	cs_secret_free(plain);
	cs_buf_fini(&out);
	return e;
}

cs_err
cs_epoch_load(const char *path, const struct cs_keyring *kr,
    struct cs_epoch **ret)
{
	struct cs_secret *key = NULL, *plain = NULL;
	struct cs_buf raw = { 0 };
	cs_err e;

	CS_TRY(cs_file_read(path, FILE_MAX_BYTES, false, &raw));
	CS_TRY(cs_keyring_derive(kr, "epoch-file", &key));
	CS_TRY(cs_sealedfile_open(magic, key, cs_buf_view(&raw), &plain));
	CS_TRY(decode(cs_secret_view(plain), ret));
out:
	if (e == CS_MALFORMED || e == CS_TOO_LARGE)
		e = CS_CORRUPT;
	cs_secret_free(key);
	cs_secret_free(plain);
	cs_buf_fini(&raw);
	return e;
}

/* ------------------------------------------------------------- client's side
 */

cs_err
cs_epoch_check_key(const uint8_t device_id[static CS_ID_BYTES], uint64_t epoch,
    uint64_t first_epoch, uint8_t count,
    const uint8_t root[static CS_HASH_BYTES],
    const uint8_t key[static CS_KEM_PUBLIC_BYTES], struct cs_bytes proof,
    uint8_t ret_key_id[static CS_HASH_BYTES])
{
	uint8_t hash[CS_HASH_BYTES];
	cs_err e = CS_MALFORMED;

	if (epoch < first_epoch || epoch - first_epoch >= count)
		goto out;
	leaf(device_id, epoch, key, hash);
	CS_TRY(cs_merkle_check_inclusion(hash, epoch - first_epoch, count,
	    proof, root));
	memcpy(ret_key_id, hash, sizeof(hash));
out:
	return e;
}
