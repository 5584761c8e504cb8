/*
 * What sealing and opening cost beside the bare primitives they are made of:
 * an envelope for 1, 10, 100 recipients beside as many bare X-Wing
 * encapsulations; opening beside one decapsulation; a segment beside bare
 * AEGIS-256 over the same bytes; unlocking a keyring beside bare Argon2id.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/epoch.h"
#include "keys/kdf.h"
#include "keys/open.h"
#include "keys/seal.h"
#include "proto/merkle.h"
#include "tests/support/bench.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW    (UINT64_C(2900) * CS_EPOCH_S + 4000)
#define MOST   100
#define TEXT   1500 /* bytes of case file: a note of a page */
#define MB     1e6
#define MICROS 1e6

struct recipient {
	struct cs_seal_recipient seal;
	uint8_t public_key[CS_KEM_PUBLIC_BYTES];
	struct cs_epoch *epoch;
};

struct letter { /* one envelope, and what it is sealed from */
	struct network *net;
	struct cs_keyring *sender;
	struct recipient *to; /* ascending, more than n */
	struct cs_seal_recipient recipients[MOST];
	struct cs_buf addressees, devices, out;
	struct cs_seal_job job;
	uint16_t n;
};

/* ---------------------------------------------------------------- envelopes */

static int
by_device(const void *a, const void *b)
{
	const struct recipient *x = a, *y = b;

	return memcmp(x->seal.device_id, y->seal.device_id, CS_ID_BYTES);
}

static void
recipient_init(struct recipient *r)
{
	uint8_t root[CS_HASH_BYTES];
	struct cs_buf key = { 0 }, leaf = { 0 };

	randombytes_buf(r->seal.device_id, CS_ID_BYTES);
	CHECK_OK(cs_epoch_new(r->seal.device_id, NOW, &r->epoch));
	CHECK_OK(cs_epoch_batch(r->epoch, cs_epoch_of(NOW), 1, &key, root));
	memcpy(r->public_key, key.p, sizeof(r->public_key));
	cs_buf_put(&leaf, r->seal.device_id, CS_ID_BYTES);
	cs_buf_put_u64(&leaf, cs_epoch_of(NOW));
	cs_buf_put_bytes(&leaf, cs_buf_view(&key));
	cs_merkle_leaf(cs_buf_view(&leaf), r->seal.key_id);
	cs_buf_fini(&key);
	cs_buf_fini(&leaf);
}

static void
letter_lists(struct letter *l)
{
	struct cs_manifest *m = &l->job.manifest;
	struct cs_manifest_addressee to = { cs_bytes_str("a@clinic"), 4 };

	cs_manifest_put_addressee(&l->addressees, &to);
	for (unsigned i = 0; i < l->n; i++) {
		struct cs_manifest_device row = { .key_kind = CS_KEY_EPOCH,
			.epoch = cs_epoch_of(NOW) };

		l->recipients[i] = l->to[i].seal;
		l->recipients[i].public_key = l->to[i].public_key;
		memcpy(row.device_id, l->to[i].seal.device_id, CS_ID_BYTES);
		memcpy(row.key_id, l->to[i].seal.key_id, CS_HASH_BYTES);
		cs_manifest_put_device(&l->devices, &row);
	}
	m->n_addressees = 1;
	m->n_devices = l->n;
	m->addressees = cs_buf_view(&l->addressees);
	m->devices = cs_buf_view(&l->devices);
}

static void
letter_init(struct letter *l, struct network *net, struct cs_keyring *sender,
    struct recipient *to, uint16_t n)
{
	static uint8_t text[TEXT];
	const struct cs_keyring_info *me = cs_keyring_info(sender);
	struct cs_manifest *m = &l->job.manifest;
	struct cs_directory_device device;

	*l = (struct letter){ .net = net, .sender = sender, .to = to, .n = n };
	memcpy(l->job.network_id, net->network_id, CS_NETWORK_ID_BYTES);
	l->job.class = CS_CLASS_ROUTINE;
	l->job.created_s = NOW;
	l->job.expires_at_s = NOW + 30 * 86400;
	l->job.n_recipients = n;
	l->job.recipients = l->recipients;
	m->content_kind = CS_CONTENT_CASE;
	memcpy(m->sender_member, me->member_id, CS_ID_BYTES);
	memcpy(m->sender_device, me->id, CS_ID_BYTES);
	CHECK_OK(cs_directory_device(net->dir, me->id, &device));
	m->sender_entry = device.entry;
	m->created_s = NOW;
	m->seen = network_seen(net);
	m->content = CS_BYTES(text);
	letter_lists(l);
}

static void
seal(void *ctx)
{
	struct letter *l = ctx;
	struct cs_seal_facts facts;

	cs_buf_reset(&l->out);
	CHECK_OK(cs_seal_envelope(l->sender, &l->job, &l->out, &facts));
}

/* As the last recipient: the stanza that is found last. */
static void
open_letter(void *ctx)
{
	struct letter *l = ctx;
	const struct recipient *me = &l->to[l->n - 1];
	struct cs_open *o = NULL;

	CHECK_OK(cs_open_envelope(cs_buf_view(&l->out), l->net->network_id,
	    me->seal.device_id, me->epoch, l->net->dir, &o, NULL));
	cs_open_free(o);
}

static void
encapsulate(void *ctx)
{
	const struct letter *l = ctx;
	uint8_t ct[crypto_kem_xwing_CIPHERTEXTBYTES], ss[32];

	for (unsigned i = 0; i < l->n; i++)
		bench_must(crypto_kem_xwing_enc(ct, ss, l->to[i].public_key) ==
			       0,
		    "X-Wing encapsulation");
}

static void
decapsulate(void *ctx)
{
	static uint8_t pk[crypto_kem_xwing_PUBLICKEYBYTES];
	static uint8_t sk[crypto_kem_xwing_SECRETKEYBYTES];
	static uint8_t ct[crypto_kem_xwing_CIPHERTEXTBYTES];
	uint8_t ss[32];

	(void)ctx;
	if (pk[0] == 0 && pk[1] == 0)
		bench_must(crypto_kem_xwing_keypair(pk, sk) == 0 &&
			       crypto_kem_xwing_enc(ct, ss, pk) == 0,
		    "X-Wing key");
	bench_must(crypto_kem_xwing_dec(ss, ct, sk) == 0, "decapsulation");
}

static void
measure_letter(struct letter *l)
{
	struct bench b[] = { { .once = seal, .ctx = l },
		{ .once = encapsulate, .ctx = l },
		{ .once = open_letter, .ctx = l }, { .once = decapsulate } };
	char name[64];

	bench_run(b, 4);
	snprintf(name, sizeof(name), "seal_envelope_%u", l->n);
	bench_print(name, b[0].seconds * MICROS, "us");
	snprintf(name, sizeof(name), "xwing_enc_times_%u", l->n);
	bench_print(name, b[1].seconds * MICROS, "us");
	snprintf(name, sizeof(name), "seal_envelope_%u_ratio", l->n);
	bench_print(name, b[0].seconds / b[1].seconds, "x_xwing_enc");
	snprintf(name, sizeof(name), "open_envelope_%u", l->n);
	bench_print(name, b[2].seconds * MICROS, "us");
	snprintf(name, sizeof(name), "open_envelope_%u_ratio", l->n);
	bench_print(name, b[2].seconds / b[3].seconds, "x_xwing_dec");
}

static void
letter_fini(struct letter *l)
{
	cs_buf_fini(&l->addressees);
	cs_buf_fini(&l->devices);
	cs_buf_fini(&l->out);
}

static void
measure_envelopes(void)
{
	static const uint16_t sizes[] = { 1, 10, MOST };
	struct recipient *to = calloc(MOST, sizeof(*to));
	struct network net;
	struct cs_keyring *sender;

	bench_must(to != NULL, "memory");
	network_init(&net, NOW);
	sender = network_join(&net, "sender@clinic");
	for (unsigned i = 0; i < MOST; i++)
		recipient_init(&to[i]);
	qsort(to, MOST, sizeof(*to), by_device);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct letter l;

		letter_init(&l, &net, sender, to, sizes[i]);
		measure_letter(&l);
		letter_fini(&l);
	}
	for (unsigned i = 0; i < MOST; i++)
		cs_epoch_free(to[i].epoch);
	cs_keyring_free(sender);
	network_fini(&net);
	free(to);
}

/* ----------------------------------------------------------------- segments */

/* A full segment in the middle of an object. */
struct segment {
	struct cs_secret *key;
	uint8_t id[CS_ID_BYTES];
	uint8_t *plain;
	uint8_t *bare; /* where AEGIS-256 alone writes */
	struct cs_buf stored, opened;
};

#define OBJECT_BYTES (2 * (uint64_t)CS_SEGMENT_PLAIN_BYTES)

static void
seal_segment(void *ctx)
{
	struct segment *s = ctx;

	cs_buf_reset(&s->stored);
	CHECK_OK(cs_seal_segment(s->key, s->id, OBJECT_BYTES, 0,
	    (struct cs_bytes){ s->plain, CS_SEGMENT_PLAIN_BYTES }, &s->stored));
}

static void
open_segment(void *ctx)
{
	struct segment *s = ctx;

	cs_buf_reset(&s->opened);
	CHECK_OK(cs_open_segment(cs_secret_bytes(s->key), s->id, OBJECT_BYTES,
	    0, cs_buf_view(&s->stored), &s->opened));
}

static void
bare_aegis(void *ctx)
{
	static const uint8_t nonce[crypto_aead_aegis256_NPUBBYTES];
	struct segment *s = ctx;

	crypto_aead_aegis256_encrypt(s->bare, NULL, s->plain,
	    CS_SEGMENT_PLAIN_BYTES, NULL, 0, NULL, nonce,
	    cs_secret_bytes(s->key));
}

static void
measure_segments(void)
{
	struct segment s = { 0 };
	struct bench b[] = { { .once = seal_segment, .ctx = &s },
		{ .once = open_segment, .ctx = &s },
		{ .once = bare_aegis, .ctx = &s } };

	s.plain = calloc(1, CS_SEGMENT_PLAIN_BYTES);
	s.bare = calloc(1, CS_SEGMENT_BYTES);
	bench_must(s.plain != NULL && s.bare != NULL, "memory");
	CHECK_OK(cs_secret_random(32, &s.key));
	bench_run(b, 3);
	bench_print("seal_segment", CS_SEGMENT_PLAIN_BYTES / b[0].seconds / MB,
	    "MB/s");
	bench_print("open_segment", CS_SEGMENT_PLAIN_BYTES / b[1].seconds / MB,
	    "MB/s");
	bench_print("aegis256", CS_SEGMENT_PLAIN_BYTES / b[2].seconds / MB,
	    "MB/s");
	bench_print("seal_segment_ratio", b[2].seconds / b[0].seconds,
	    "x_aegis256");
	bench_print("open_segment_ratio", b[2].seconds / b[1].seconds,
	    "x_aegis256");
	cs_secret_free(s.key);
	cs_buf_fini(&s.stored);
	cs_buf_fini(&s.opened);
	free(s.plain);
	free(s.bare);
}

/* ------------------------------------------------------------------- unlock */

struct ring {
	const char *path;
	struct cs_secret *passphrase;
};

static void
unlock(void *ctx)
{
	struct ring *r = ctx;
	struct cs_keyring_lock lock = { .passphrase = r->passphrase };
	struct cs_keyring *kr = NULL;

	CHECK_OK(cs_keyring_load(r->path, &lock, &kr));
	cs_keyring_free(kr);
}

static void
bare_argon2id(void *ctx)
{
	const struct cs_kdf kdf = cs_kdf_new(CS_KDF_DAILY);
	struct ring *r = ctx;
	uint8_t key[32];

	bench_must(crypto_pwhash(key, sizeof(key),
		       (const char *)cs_secret_bytes(r->passphrase),
		       cs_secret_len(r->passphrase), kdf.salt, kdf.ops,
		       kdf.mem_bytes, crypto_pwhash_ALG_ARGON2ID13) == 0,
	    "Argon2id");
}

static void
measure_unlock(void)
{
	static const uint8_t none[CS_NETWORK_ID_BYTES];
	struct ring r = { .path = test_path("keyring") };
	struct cs_keyring_lock lock = { 0 };
	struct cs_keyring *kr = NULL;
	struct bench b[] = { { .once = unlock, .ctx = &r },
		{ .once = bare_argon2id, .ctx = &r } };

	CHECK_OK(cs_secret_copy(cs_bytes_str("correct horse battery"),
	    &r.passphrase));
	lock.passphrase = r.passphrase;
	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, none, none, none, &kr));
	CHECK_OK(cs_keyring_save(kr, r.path, &lock, false));
	cs_keyring_free(kr);
	bench_run(b, 2);
	bench_print("unlock_keyring", b[0].seconds * 1e3, "ms");
	bench_print("argon2id", b[1].seconds * 1e3, "ms");
	bench_print("unlock_keyring_ratio", b[0].seconds / b[1].seconds,
	    "x_argon2id");
	unlink(r.path);
	rmdir(test_dir());
	cs_secret_free(r.passphrase);
}

int
main(void)
{
	bench_must(sodium_init() >= 0, "libsodium");
	measure_envelopes();
	measure_segments();
	measure_unlock();
	return 0;
}
