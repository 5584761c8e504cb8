#include "keys/hpke.h"

#include <sodium.h>
#include <string.h>

#include "tests/support/random.h"
#include "tests/test.h"

#define HPKE_PQ "vectors/hpke/hpke-pq-mlkem768x25519.json"
#define RFC9180 "vectors/hpke/rfc9180-x25519-hkdfsha256-chacha20poly1305.json"
#define XWING   "vectors/xwing/draft-connolly-cfrg-xwing-kem-test-vectors.json"

static long long
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* The vector of this mode and KDF; the AEAD is 3 in both files. */
static const json_t *
vector(const char *file, int mode, int kdf)
{
	const json_t *all = test_json(test_shared(file)), *v;
	size_t i;

	json_array_foreach(all, i, v)
	{
		if (number(v, "mode") == mode && number(v, "kdf_id") == kdf &&
		    number(v, "aead_id") == 3)
			return v;
	}
	return NULL;
}

static void
check_schedule(const json_t *v, const struct cs_hpke_context *c)
{
	CHECK_VIEW(test_json_hex(v, "key"), CS_BYTES(c->key));
	CHECK_VIEW(test_json_hex(v, "base_nonce"), CS_BYTES(c->base_nonce));
	CHECK_VIEW(test_json_hex(v, "exporter_secret"),
	    CS_BYTES(c->exporter_secret));
}

/* Sequence number n: base_nonce xor n (RFC 9180, section 5.2). */
static void
check_encryption(const json_t *row, const struct cs_hpke_context *c, uint64_t n)
{
	struct cs_bytes pt = test_json_hex(row, "pt");
	struct cs_bytes aad = test_json_hex(row, "aad");
	uint8_t nonce[12], ct[256];

	memcpy(nonce, c->base_nonce, sizeof(nonce));
	for (size_t i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(n >> (8 * i));
	CHECK_VIEW(test_json_hex(row, "nonce"), CS_BYTES(nonce));
	crypto_aead_chacha20poly1305_ietf_encrypt(ct, NULL, pt.p, pt.n, aad.p,
	    aad.n, NULL, nonce, c->key);
	CHECK_VIEW(test_json_hex(row, "ct"),
	    ((struct cs_bytes){ ct, pt.n + 16 }));
}

TEST(vectors_hpke_pq_key_schedule)
{
	const json_t *v = vector(HPKE_PQ, 0, 1);
	struct cs_hpke_context c;

	CHECK(v != NULL);
	CHECK_NUM(CS_HPKE_KEM_XWING, (uint64_t)number(v, "kem_id"));
	cs_hpke_key_schedule(CS_HPKE_KEM_XWING,
	    test_json_hex(v, "shared_secret").p, test_json_hex(v, "info"), &c);
	check_schedule(v, &c);
}

TEST(vectors_hpke_pq_every_sequence_number)
{
	const json_t *v = vector(HPKE_PQ, 0, 1), *rows, *row;
	struct cs_hpke_context c;
	size_t i;

	CHECK(v != NULL);
	cs_hpke_key_schedule(CS_HPKE_KEM_XWING,
	    test_json_hex(v, "shared_secret").p, test_json_hex(v, "info"), &c);
	rows = json_object_get(v, "encryptions");
	CHECK(json_array_size(rows) > 0);
	json_array_foreach(rows, i, row) check_encryption(row, &c, i);
}

TEST(vectors_hpke_pq_recipient_key)
{
	const json_t *v = vector(HPKE_PQ, 0, 1);
	uint8_t pk[CS_KEM_PUBLIC_BYTES], sk[32], seed[32];
	struct cs_bytes ikm;

	CHECK(v != NULL);
	ikm = test_json_hex(v, "skRm");
	memcpy(seed, ikm.p, 32);
	crypto_kem_xwing_seed_keypair(pk, sk, seed);
	CHECK_VIEW(test_json_hex(v, "pkRm"), CS_BYTES(pk));
}

TEST(vectors_hpke_pq_open_sequence_0)
{
	const json_t *v = vector(HPKE_PQ, 0, 1), *row;
	struct cs_secret *sk = NULL, *pt = NULL;

	CHECK(v != NULL);
	row = json_array_get(json_object_get(v, "encryptions"), 0);
	CHECK_OK(cs_secret_copy(test_json_hex(v, "skRm"), &sk));
	CHECK_OK(cs_hpke_open(sk, test_json_hex(v, "enc").p,
	    test_json_hex(v, "info"), test_json_hex(row, "aad"),
	    test_json_hex(row, "ct"), &pt));
	CHECK_VIEW(test_json_hex(row, "pt"), cs_secret_view(pt));
	cs_secret_free(sk);
	cs_secret_free(pt);
}

/* ikmE is the 64 bytes that X-Wing's encapsulation draws. */
TEST(vectors_hpke_pq_seal_with_fixed_randomness)
{
	const json_t *v = vector(HPKE_PQ, 0, 1), *row;
	uint8_t enc[CS_KEM_ENC_BYTES], ct[256];
	struct cs_bytes pt;

	CHECK(v != NULL);
	row = json_array_get(json_object_get(v, "encryptions"), 0);
	pt = test_json_hex(row, "pt");
	test_random_fixed(test_json_hex(v, "ikmE"));
	CHECK_OK(cs_hpke_seal(test_json_hex(v, "pkRm").p,
	    test_json_hex(v, "info"), test_json_hex(row, "aad"), pt, enc, ct));
	test_random_system();
	CHECK_VIEW(test_json_hex(v, "enc"), CS_BYTES(enc));
	CHECK_VIEW(test_json_hex(row, "ct"),
	    ((struct cs_bytes){ ct, pt.n + 16 }));
}

/* Mode 0 only: PSK and auth modes put another mode byte and psk_id into the
 * context, which this base-mode API does not express. */
TEST(vectors_rfc9180_x25519_base_mode)
{
	const json_t *v = vector(RFC9180, 0, 1), *rows, *row, *seqs;
	struct cs_hpke_context c;
	size_t i;

	CHECK(v != NULL);
	cs_hpke_key_schedule((uint16_t)number(v, "kem_id"),
	    test_json_hex(v, "shared_secret").p, test_json_hex(v, "info"), &c);
	check_schedule(v, &c);
	rows = json_object_get(v, "encryptions");
	seqs = json_object_get(v, "encryptions_index");
	CHECK(json_array_size(rows) > 0);
	json_array_foreach(rows, i, row) check_encryption(row, &c,
	    (uint64_t)json_integer_value(json_array_get(seqs, i)));
}

TEST(vectors_xwing_draft)
{
	const json_t *all = test_json(test_shared(XWING)), *v;
	uint8_t pk[CS_KEM_PUBLIC_BYTES], sk[32], ct[CS_KEM_ENC_BYTES], ss[32];
	size_t i;

	CHECK(json_array_size(all) > 0);
	json_array_foreach(all, i, v)
	{
		crypto_kem_xwing_seed_keypair(pk, sk,
		    test_json_hex(v, "seed").p);
		CHECK_VIEW(test_json_hex(v, "pk"), CS_BYTES(pk));
		CHECK_VIEW(test_json_hex(v, "sk"), CS_BYTES(sk));
		CHECK(crypto_kem_xwing_enc_deterministic(ct, ss, pk,
			  test_json_hex(v, "eseed").p) == 0);
		CHECK_VIEW(test_json_hex(v, "ct"), CS_BYTES(ct));
		CHECK_VIEW(test_json_hex(v, "ss"), CS_BYTES(ss));
		sodium_memzero(ss, sizeof(ss));
		CHECK(crypto_kem_xwing_dec(ss, ct, sk) == 0);
		CHECK_VIEW(test_json_hex(v, "ss"), CS_BYTES(ss));
	}
}

/* ------------------------------------------------------- the two functions */

struct fixture {
	struct cs_secret *sk;
	uint8_t pk[CS_KEM_PUBLIC_BYTES];
	uint8_t enc[CS_KEM_ENC_BYTES];
	uint8_t ct[5 + 16];
	struct cs_bytes info, aad, pt;
};

static void
fixture_init(struct fixture *f)
{
	uint8_t sk[32];

	f->info = cs_bytes_str("info");
	f->aad = cs_bytes_str("aad");
	f->pt = cs_bytes_str("plain");
	CHECK_OK(cs_secret_random(32, &f->sk));
	crypto_kem_xwing_seed_keypair(f->pk, sk, cs_secret_bytes(f->sk));
	CHECK_OK(cs_hpke_seal(f->pk, f->info, f->aad, f->pt, f->enc, f->ct));
}

static void
refused(const struct fixture *f)
{
	struct cs_secret *got = NULL;

	CHECK_ERR(CS_BAD_MAC, cs_hpke_open(f->sk, f->enc, f->info, f->aad,
				  CS_BYTES(f->ct), &got));
	CHECK(got == NULL);
}

TEST(hpke_round_trip)
{
	struct fixture f;
	struct cs_secret *got = NULL;

	fixture_init(&f);
	CHECK_OK(cs_hpke_open(f.sk, f.enc, f.info, f.aad, CS_BYTES(f.ct),
	    &got));
	CHECK_VIEW(f.pt, cs_secret_view(got));
	cs_secret_free(got);
	cs_secret_free(f.sk);
}

TEST(hpke_refuses_every_change)
{
	struct fixture f;
	struct cs_bytes keep;

	fixture_init(&f);
	for (size_t i = 0; i < sizeof(f.ct); i++) {
		f.ct[i] ^= 1;
		refused(&f);
		f.ct[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(f.enc); i += 7) {
		f.enc[i] ^= 1;
		refused(&f);
		f.enc[i] ^= 1;
	}
	keep = f.info;
	f.info = cs_bytes_str("Info");
	refused(&f);
	f.info = keep;
	f.aad = cs_bytes_str("aae");
	refused(&f);
	cs_secret_mut(f.sk)[0] ^= 1;
	f.aad = cs_bytes_str("aad");
	refused(&f);
	cs_secret_free(f.sk);
}

TEST(hpke_refuses_short_ciphertext)
{
	struct fixture f;
	struct cs_secret *got = NULL;

	fixture_init(&f);
	for (size_t n = 0; n < sizeof(f.ct); n++)
		CHECK_ERR(CS_BAD_MAC, cs_hpke_open(f.sk, f.enc, f.info, f.aad,
					  (struct cs_bytes){ f.ct, n }, &got));
	cs_secret_free(f.sk);
}

TEST(hpke_refuses_public_key_of_small_order)
{
	struct fixture f;

	fixture_init(&f);
	memset(f.pk + 1184, 0, 32);
	CHECK_ERR(CS_NO_KEY,
	    cs_hpke_seal(f.pk, f.info, f.aad, f.pt, f.enc, f.ct));
	cs_secret_free(f.sk);
}

/* FIPS 203, section 7.2: every coefficient of the key below 3329. */
TEST(hpke_refuses_keys_over_the_modulus)
{
	const json_t *groups =
	    json_object_get(test_json(test_shared("vectors/wycheproof/"
						  "mlkem_768_encaps_test.json."
						  "gz")),
		"testGroups");
	const json_t *g, *t;
	struct fixture f;
	size_t i, k, n = 0;

	fixture_init(&f);
	json_array_foreach(groups, i, g)
	{
		json_array_foreach(json_object_get(g, "tests"), k, t)
		{
			struct cs_bytes ek = test_json_hex(t, "ek");
			bool ok =
			    strcmp(test_json_str(t, "result"), "valid") == 0;

			if (ek.n != 1184)
				continue;
			memcpy(f.pk, ek.p, 1184);
			CHECK_ERR(ok ? CS_OK : CS_NO_KEY,
			    cs_hpke_seal(f.pk, f.info, f.aad, f.pt, f.enc,
				f.ct));
			n++;
		}
	}
	CHECK(n > 200);
	cs_secret_free(f.sk);
}
