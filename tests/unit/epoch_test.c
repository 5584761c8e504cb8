#include "keys/epoch.h"

#include <sodium.h>
#include <string.h>

#include "proto/merkle.h"
#include "tests/test.h"

#define WEEK UINT64_C(604800)
#define DAY  UINT64_C(86400)
#define T0   (WEEK * 2900 + 1000)
#define E0   UINT64_C(2900)

static const uint8_t device[CS_ID_BYTES] = { 1, 2, 3 };
static const uint8_t none[CS_NETWORK_ID_BYTES];

struct fixture {
	struct cs_keyring *kr;
	struct cs_epoch *ep;
	struct cs_buf keys; /* of the first batch */
	uint8_t root[CS_HASH_BYTES];
	bool changed;
};

static void
init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, none, device, device,
	    &f->kr));
	CHECK_OK(cs_epoch_new(device, T0, &f->ep));
	CHECK_NUM(E0, cs_epoch_published_end(f->ep));
	CHECK_OK(cs_epoch_batch(f->ep, E0, CS_EPOCHS_PER_BATCH, &f->keys,
	    f->root));
	CHECK_NUM(E0 + 26, cs_epoch_published_end(f->ep));
}

static void
fini(struct fixture *f)
{
	cs_epoch_free(f->ep);
	cs_keyring_free(f->kr);
	cs_buf_fini(&f->keys);
}

static const uint8_t *
key_of(const struct fixture *f, uint64_t epoch)
{
	return f->keys.p + (epoch - E0) * CS_KEM_PUBLIC_BYTES;
}

/* Computed as docs/protocol.md says it, without epoch.c. */
static void
key_id_of(const struct fixture *f, uint64_t epoch, uint8_t ret[static 32])
{
	uint8_t data[1 + 16 + 8 + CS_KEM_PUBLIC_BYTES] = { 0 };

	memcpy(data + 1, device, 16);
	for (int i = 0; i < 8; i++)
		data[1 + 16 + i] = (uint8_t)(epoch >> (56 - 8 * i));
	memcpy(data + 25, key_of(f, epoch), CS_KEM_PUBLIC_BYTES);
	crypto_hash_sha256(ret, data, sizeof(data));
}

/* Does the device still hold the secret of this published key? */
static bool
holds(const struct fixture *f, const struct cs_epoch *ep, uint64_t epoch)
{
	struct cs_secret *s = NULL;
	uint8_t id[32], pk[CS_KEM_PUBLIC_BYTES], sk[32];
	cs_err e;

	key_id_of(f, epoch, id);
	e = cs_epoch_secret(ep, id, &s);
	if (e != CS_OK) {
		CHECK_ERR(CS_NO_KEY, e);
		CHECK(s == NULL);
		return false;
	}
	crypto_kem_xwing_seed_keypair(pk, sk, cs_secret_bytes(s));
	CHECK_BYTES(key_of(f, epoch), sizeof(pk), pk, sizeof(pk));
	cs_secret_free(s);
	return true;
}

static void
advance(struct fixture *f, uint64_t now_s)
{
	CHECK_OK(cs_epoch_advance(f->ep, now_s, &f->changed));
}

TEST(epoch_is_a_week)
{
	CHECK_NUM(0, cs_epoch_of(WEEK - 1));
	CHECK_NUM(1, cs_epoch_of(WEEK));
}

TEST(epoch_batch_has_the_root_of_its_keys)
{
	struct fixture f;
	struct cs_merkle_edge edge = { 0 };
	struct cs_buf again = { 0 };
	uint8_t id[32], root[32];

	init(&f);
	CHECK_NUM(26 * CS_KEM_PUBLIC_BYTES, f.keys.n);
	for (uint64_t i = E0; i < E0 + 26; i++) {
		key_id_of(&f, i, id);
		cs_merkle_append(&edge, id, NULL, NULL);
	}
	cs_merkle_root(&edge, root);
	CHECK_BYTES(root, 32, f.root, 32);
	/* The same batch again is the same: publishing may be repeated. */
	CHECK_OK(cs_epoch_batch(f.ep, E0, 26, &again, root));
	CHECK_BYTES(root, 32, f.root, 32);
	CHECK_VIEW(cs_buf_view(&f.keys), cs_buf_view(&again));
	cs_buf_fini(&again);
	fini(&f);
}

TEST(epoch_secrets_of_what_is_published_only)
{
	struct fixture f;
	struct cs_secret *s = NULL;
	uint8_t id[32];

	init(&f);
	for (uint64_t i = E0; i < E0 + 26; i += 5)
		CHECK(holds(&f, f.ep, i));
	key_id_of(&f, E0, id);
	id[0] ^= 1;
	CHECK_ERR(CS_NO_KEY, cs_epoch_secret(f.ep, id, &s));
	fini(&f);
}

TEST(epoch_batch_refuses_the_past_and_nothing)
{
	struct fixture f;
	struct cs_buf out = { 0 };
	uint8_t root[32];

	init(&f);
	cs_buf_put_u8(&out, 1);
	CHECK_ERR(CS_NOT_FOUND, cs_epoch_batch(f.ep, E0 - 1, 2, &out, root));
	CHECK_ERR(CS_NOT_FOUND, cs_epoch_batch(f.ep, E0, 0, &out, root));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_epoch_batch(f.ep, UINT64_MAX - 1, 9, &out, root));
	CHECK_NUM(1, out.n);
	cs_buf_fini(&out);
	fini(&f);
}

/* Mail sealed just before the end of an epoch lives 90 days (and 2). */
TEST(epoch_key_lives_until_its_mail_is_gone)
{
	struct fixture f;
	uint64_t dies = (E0 + 1) * WEEK + 92 * DAY;

	init(&f);
	advance(&f, T0);
	CHECK(!f.changed);
	advance(&f, (E0 + 1) * WEEK);
	CHECK(f.changed);
	advance(&f, (E0 + 1) * WEEK);
	CHECK(!f.changed);
	advance(&f, dies - 1);
	CHECK(holds(&f, f.ep, E0));
	advance(&f, dies);
	CHECK(f.changed);
	CHECK(!holds(&f, f.ep, E0));
	CHECK(holds(&f, f.ep, E0 + 1));
	CHECK(holds(&f, f.ep, E0 + 25));
	fini(&f);
}

/* Nobody destroys a key that mail may be under way to, and nobody must. */
TEST(epoch_key_is_destroyed_when_its_mail_is_gone_and_not_before)
{
	const uint64_t dies = (E0 + 1) * WEEK + 92 * DAY;
	struct fixture f;
	uint64_t at_s = 0;

	init(&f);
	CHECK_ERR(CS_TOO_EARLY, cs_epoch_destroy(f.ep, E0, T0, &at_s));
	CHECK_NUM(dies, at_s);
	CHECK_ERR(CS_TOO_EARLY, cs_epoch_destroy(f.ep, E0 + 25, T0, &at_s));
	CHECK_NUM(dies + 25 * WEEK, at_s);
	CHECK_ERR(CS_NOT_FOUND, cs_epoch_destroy(f.ep, E0 + 26, T0, &at_s));
	CHECK_ERR(CS_NOT_FOUND, cs_epoch_destroy(f.ep, E0 - 1, T0, &at_s));
	advance(&f, (E0 + 2) * WEEK);
	CHECK_ERR(CS_TOO_EARLY, cs_epoch_destroy(f.ep, E0, dies - 1, &at_s));
	CHECK_NUM(dies, at_s);
	CHECK(holds(&f, f.ep, E0));
	CHECK_OK(cs_epoch_destroy(f.ep, E0, dies, &at_s));
	CHECK(!holds(&f, f.ep, E0));
	CHECK(holds(&f, f.ep, E0 + 1));
	CHECK_ERR(CS_NOT_FOUND, cs_epoch_destroy(f.ep, E0, dies, &at_s));
	fini(&f);
}

TEST(epoch_keys_are_listed_with_their_last_day)
{
	struct cs_epoch_key key = { 0 };
	struct fixture f;
	uint8_t id[32];

	init(&f);
	advance(&f, (E0 + 3) * WEEK);
	for (uint32_t i = 0; i < 26; i++) {
		CHECK_OK(cs_epoch_key_at(f.ep, i, &key));
		CHECK_NUM(E0 + i, key.epoch);
		CHECK_NUM((E0 + i + 1) * WEEK + 92 * DAY, key.destroy_at_s);
		key_id_of(&f, E0 + i, id);
		CHECK_BYTES(id, 32, key.key_id, 32);
	}
	CHECK_ERR(CS_NOT_FOUND, cs_epoch_key_at(f.ep, 26, &key));
	/* the last one, while there is no newer: it moves on */
	advance(&f, (E0 + 60) * WEEK);
	CHECK_OK(cs_epoch_key_at(f.ep, 0, &key));
	CHECK_NUM(E0 + 25, key.epoch);
	CHECK(key.destroy_at_s >= (E0 + 60) * WEEK + 92 * DAY);
	CHECK_ERR(CS_NOT_FOUND, cs_epoch_key_at(f.ep, 1, &key));
	fini(&f);
}

/* One long absence is the same as many short ones. */
TEST(epoch_advances_in_one_step_or_many)
{
	struct fixture f;
	uint64_t now = (E0 + 20) * WEEK + 5;

	init(&f);
	for (uint64_t t = T0; t < now; t += DAY)
		advance(&f, t);
	advance(&f, now);
	for (uint64_t i = E0; i < E0 + 26; i++)
		CHECK(holds(&f, f.ep, i) == ((i + 1) * WEEK + 92 * DAY > now));
	fini(&f);
	init(&f);
	advance(&f, now);
	for (uint64_t i = E0; i < E0 + 26; i++)
		CHECK(holds(&f, f.ep, i) == ((i + 1) * WEEK + 92 * DAY > now));
	fini(&f);
}

/* Senders fall back to the last published key for as long as there is no
 * newer one, and what they sent then lives 90 days. */
TEST(epoch_last_published_key_outlives_absence)
{
	struct fixture f;
	struct cs_buf keys = { 0 };
	uint64_t now = (E0 + 80) * WEEK;
	uint8_t root[32];

	init(&f);
	advance(&f, now);
	CHECK(holds(&f, f.ep, E0 + 25));
	CHECK(!holds(&f, f.ep, E0 + 24));
	CHECK_NUM(E0 + 80, cs_epoch_published_end(f.ep));
	/* Only that one: what was never published is not kept. */
	CHECK_OK(cs_epoch_save(f.ep, f.kr, test_path("epoch")));
	CHECK_NUM(4 + 32 + 66 + 80 + 32, test_read(test_path("epoch")).n);
	CHECK_OK(cs_epoch_batch(f.ep, E0 + 80, 26, &keys, root));
	CHECK_NUM(E0 + 106, cs_epoch_published_end(f.ep));
	advance(&f, now + 91 * DAY);
	CHECK(holds(&f, f.ep, E0 + 25));
	advance(&f, now + 94 * DAY);
	CHECK(!holds(&f, f.ep, E0 + 25));
	cs_buf_fini(&keys);
	fini(&f);
}

TEST(epoch_refuses_a_clock_gone_mad)
{
	struct fixture f;

	init(&f);
	f.changed = true;
	CHECK_ERR(CS_EXPIRED, cs_epoch_advance(f.ep, UINT64_MAX, &f.changed));
	CHECK_ERR(CS_EXPIRED,
	    cs_epoch_advance(f.ep, T0 + 21 * 365 * DAY, &f.changed));
	CHECK(f.changed); /* untouched */
	CHECK(holds(&f, f.ep, E0));
	/* A clock that went back does nothing. */
	advance(&f, 0);
	CHECK(holds(&f, f.ep, E0));
	fini(&f);
}

/* HKDF-Expand by hand: one block of HMAC over label ‖ 0x00 ‖ 0x01. */
static void
expand(const uint8_t s[static 32], const char *label, uint8_t ret[static 32])
{
	crypto_auth_hmacsha256_state st;
	const uint8_t one = 1;

	crypto_auth_hmacsha256_init(&st, s, 32);
	crypto_auth_hmacsha256_update(&st, (const uint8_t *)label,
	    strlen(label) + 1);
	crypto_auth_hmacsha256_update(&st, &one, 1);
	crypto_auth_hmacsha256_final(&st, ret);
}

/* s_0 out of the file, and from it, by docs/protocol.md alone, every key. */
TEST(epoch_chain_is_that_of_the_protocol)
{
	struct fixture f;
	struct cs_secret *key = NULL;
	struct cs_bytes file;
	uint8_t plain[66], s[32], ikm[32], pk[CS_KEM_PUBLIC_BYTES], sk[32];

	init(&f);
	CHECK_OK(cs_epoch_save(f.ep, f.kr, test_path("epoch")));
	file = test_read(test_path("epoch"));
	CHECK_OK(cs_keyring_derive(f.kr, "epoch-file", &key));
	CHECK_NUM(4 + 32 + sizeof(plain) + 32, file.n);
	CHECK(crypto_aead_aegis256_decrypt(plain, NULL, NULL, file.p + 36,
		  file.n - 36, file.p, 4, file.p + 4,
		  cs_secret_bytes(key)) == 0);
	memcpy(s, plain + 24, 32);
	for (uint64_t i = E0; i < E0 + 26; i++) {
		expand(s, "consil/epoch", ikm);
		crypto_kem_xwing_seed_keypair(pk, sk, ikm);
		CHECK_BYTES(key_of(&f, i), sizeof(pk), pk, sizeof(pk));
		expand(s, "consil/epoch-next", ikm);
		memcpy(s, ikm, 32);
	}
	cs_secret_free(key);
	fini(&f);
}

TEST(epoch_file_round_trip)
{
	struct fixture f;
	struct cs_epoch *got = NULL;
	struct cs_buf again = { 0 };
	const char *path = test_path("epoch");
	uint8_t root[32];

	init(&f);
	advance(&f, (E0 + 15) * WEEK);
	CHECK_OK(cs_epoch_save(f.ep, f.kr, path));
	CHECK_OK(cs_epoch_load(path, f.kr, &got));
	for (uint64_t i = E0; i < E0 + 26; i++)
		CHECK(holds(&f, got, i) == holds(&f, f.ep, i));
	CHECK_NUM(E0 + 26, cs_epoch_published_end(got));
	CHECK_OK(cs_epoch_batch(got, E0 + 15, 11, &again, root));
	CHECK_BYTES(key_of(&f, E0 + 15), 11 * CS_KEM_PUBLIC_BYTES, again.p,
	    again.n);
	cs_epoch_free(got);
	cs_buf_fini(&again);
	fini(&f);
}

TEST(epoch_file_holds_no_secret_in_clear)
{
	struct fixture f;
	struct cs_secret *s = NULL;
	struct cs_bytes file;
	uint8_t id[32];

	init(&f);
	advance(&f, (E0 + 3) * WEEK);
	CHECK_OK(cs_epoch_save(f.ep, f.kr, test_path("epoch")));
	file = test_read(test_path("epoch"));
	key_id_of(&f, E0, id);
	CHECK_OK(cs_epoch_secret(f.ep, id, &s));
	CHECK(memmem(file.p, file.n, cs_secret_bytes(s), 32) == NULL);
	CHECK(memmem(file.p, file.n, device, 16) == NULL);
	cs_secret_free(s);
	fini(&f);
}

TEST(epoch_file_missing_damaged_or_of_another)
{
	struct fixture f;
	struct cs_keyring *other = NULL;
	struct cs_epoch *got = NULL;
	const char *path = test_path("epoch");
	struct cs_bytes good;
	uint8_t *bad;

	init(&f);
	CHECK_ERR(CS_NOT_FOUND, cs_epoch_load(path, f.kr, &got));
	CHECK_OK(cs_epoch_save(f.ep, f.kr, path));
	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, none, device, device,
	    &other));
	CHECK_ERR(CS_CORRUPT, cs_epoch_load(path, other, &got));
	good = test_read(path);
	bad = test_alloc(good.n + 5000);
	memset(bad, 0, good.n + 5000);
	for (size_t i = 0; i < good.n; i++) {
		memcpy(bad, good.p, good.n);
		bad[i] ^= 4;
		test_write(path, (struct cs_bytes){ bad, good.n });
		CHECK_ERR(CS_CORRUPT, cs_epoch_load(path, f.kr, &got));
	}
	for (size_t n = 0; n < good.n; n += 9) {
		test_write(path, (struct cs_bytes){ good.p, n });
		CHECK_ERR(CS_CORRUPT, cs_epoch_load(path, f.kr, &got));
	}
	test_write(path, (struct cs_bytes){ bad, good.n + 5000 });
	CHECK_ERR(CS_CORRUPT, cs_epoch_load(path, f.kr, &got));
	CHECK(got == NULL);
	cs_keyring_free(other);
	fini(&f);
}

/* --------------------------------------------------------- the sender's side
 */

/* Inclusion proof of leaf i among all of the batch, by brute force. */
static void
subtree(const uint8_t (*leaf)[32], size_t n, uint8_t ret[static 32])
{
	struct cs_merkle_edge edge = { 0 };

	for (size_t i = 0; i < n; i++)
		cs_merkle_append(&edge, leaf[i], NULL, NULL);
	cs_merkle_root(&edge, ret);
}

static void
prove(const uint8_t (*leaf)[32], size_t n, size_t i, struct cs_buf *out)
{
	uint8_t hash[32];
	size_t k = 1;

	if (n == 1)
		return;
	while (2 * k < n)
		k *= 2;
	if (i < k) {
		prove(leaf, k, i, out);
		subtree(leaf + k, n - k, hash);
	} else {
		prove(leaf + k, n - k, i - k, out);
		subtree(leaf, k, hash);
	}
	cs_buf_put(out, hash, 32);
}

TEST(epoch_served_keys_are_checked)
{
	struct fixture f;
	struct cs_buf proof = { 0 };
	uint8_t leaf[26][32], id[32], other[CS_ID_BYTES] = { 9 };

	init(&f);
	for (uint64_t i = 0; i < 26; i++)
		key_id_of(&f, E0 + i, leaf[i]);
	for (uint64_t i = 0; i < 26; i++) {
		cs_buf_reset(&proof);
		prove(leaf, 26, i, &proof);
		CHECK_OK(cs_epoch_check_key(device, E0 + i, E0, 26, f.root,
		    key_of(&f, E0 + i), cs_buf_view(&proof), id));
		CHECK_BYTES(leaf[i], 32, id, 32);
		/* Another key, device, epoch, proof. */
		CHECK_ERR(CS_FORKED, cs_epoch_check_key(device, E0 + i, E0, 26,
					 f.root, key_of(&f, E0 + (i + 1) % 26),
					 cs_buf_view(&proof), id));
		CHECK_ERR(CS_FORKED,
		    cs_epoch_check_key(other, E0 + i, E0, 26, f.root,
			key_of(&f, E0 + i), cs_buf_view(&proof), id));
		CHECK(cs_epoch_check_key(device, E0 + (i + 1) % 26, E0, 26,
			  f.root, key_of(&f, E0 + i), cs_buf_view(&proof),
			  id) != CS_OK);
		proof.p[7] ^= 1;
		CHECK_ERR(CS_FORKED,
		    cs_epoch_check_key(device, E0 + i, E0, 26, f.root,
			key_of(&f, E0 + i), cs_buf_view(&proof), id));
	}
	CHECK_ERR(CS_MALFORMED,
	    cs_epoch_check_key(device, E0 + 26, E0, 26, f.root, key_of(&f, E0),
		cs_buf_view(&proof), id));
	CHECK_ERR(CS_MALFORMED,
	    cs_epoch_check_key(device, E0 - 1, E0, 26, f.root, key_of(&f, E0),
		cs_buf_view(&proof), id));
	CHECK_ERR(CS_MALFORMED,
	    cs_epoch_check_key(device, E0, E0, 26, f.root, key_of(&f, E0),
		(struct cs_bytes){ proof.p, 31 }, id));
	cs_buf_fini(&proof);
	fini(&f);
}

/* A restored file is older than what was published since: mail under those
 * keys waits at the relay all the same. */
TEST(epoch_of_a_backup_opens_what_was_published_after_it)
{
	struct fixture f;
	struct cs_epoch *old = NULL, *naive = NULL;
	struct cs_secret *s = NULL;
	uint8_t root[CS_HASH_BYTES], id[32];
	const uint64_t later = T0 + 30 * WEEK;

	init(&f);
	CHECK_OK(cs_epoch_save(f.ep, f.kr, test_path("backup")));
	CHECK_OK(cs_epoch_batch(f.ep, E0 + 26, 26, &f.keys, root));
	key_id_of(&f, E0 + 27, id);
	CHECK_OK(cs_epoch_load(test_path("backup"), f.kr, &naive));
	CHECK_OK(cs_epoch_advance(naive, later, &f.changed));
	CHECK_ERR(CS_NO_KEY, cs_epoch_secret(naive, id, &s));

	CHECK_OK(cs_epoch_load(test_path("backup"), f.kr, &old));
	cs_epoch_was_published(old, E0 + 52);
	cs_epoch_was_published(old, E0 + 10);    /* never less */
	cs_epoch_was_published(old, UINT64_MAX); /* nor what cannot be */
	CHECK_NUM(E0 + 52, cs_epoch_published_end(old));
	CHECK_OK(cs_epoch_advance(old, later, &f.changed));
	CHECK(holds(&f, old, E0 + 27));
	CHECK(holds(&f, old, E0 + 51));
	cs_epoch_free(old);
	cs_epoch_free(naive);
	fini(&f);
}
