/*
 * ML-KEM-768 as libsodium has it under X-Wing, against ACVP, Wycheproof and
 * CCTV. What its API cannot express, and so is not tested here: keys and
 * ciphertexts of a wrong length (its arguments are fixed arrays; our decoders
 * cut exact lengths), the hash check of a decapsulation key from outside
 * (Wycheproof's semi-expanded group: X-Wing makes the key from a seed in the
 * same call, none ever comes from outside), and CCTV's intermediate values
 * beyond keys, ciphertext and shared secret. The seeds d of CCTV's files are
 * of the FIPS 203 draft, which hashed them without the rank k: only their
 * keys are used.
 */
#include <sodium.h>
#include <string.h>

#include "tests/test.h"

#define PK 1184
#define SK 2400
#define CT 1088

static const json_t *
groups_of(const char *file)
{
	return json_object_get(test_json(test_shared(file)), "testGroups");
}

static bool
is_valid(const json_t *t)
{
	return strcmp(test_json_str(t, "result"), "valid") == 0;
}

/* d ‖ z, as FIPS 203's KeyGen takes them. */
static void
check_keygen(struct cs_bytes d, struct cs_bytes z, struct cs_bytes ek,
    struct cs_bytes dk)
{
	uint8_t seed[64], pk[PK], sk[SK];

	memcpy(seed, d.p, 32);
	memcpy(seed + 32, z.p, 32);
	crypto_kem_mlkem768_seed_keypair(pk, sk, seed);
	CHECK_VIEW(ek, CS_BYTES(pk));
	CHECK_VIEW(dk, CS_BYTES(sk));
}

static void
check_encaps(struct cs_bytes ek, struct cs_bytes m, struct cs_bytes c,
    struct cs_bytes k)
{
	uint8_t ct[CT], ss[32];

	CHECK(crypto_kem_mlkem768_enc_deterministic(ct, ss, ek.p, m.p) == 0);
	CHECK_VIEW(c, CS_BYTES(ct));
	CHECK_VIEW(k, CS_BYTES(ss));
}

static void
check_decaps(struct cs_bytes dk, struct cs_bytes c, struct cs_bytes k)
{
	uint8_t ss[32];

	CHECK(crypto_kem_mlkem768_dec(ss, c.p, dk.p) == 0);
	CHECK_VIEW(k, CS_BYTES(ss));
}

/* -------------------------------------------------------------------- ACVP */

TEST(vectors_acvp_keygen)
{
	const json_t *d =
	    test_json(test_shared("vectors/acvp/"
				  "ML-KEM-768-keyGen-FIPS203.json.gz"));
	const json_t *in =
	    json_object_get(json_array_get(json_object_get(json_object_get(d,
							       "prompt"),
					       "testGroups"),
				0),
		"tests");
	const json_t *want =
	    json_object_get(json_array_get(json_object_get(json_object_get(d,
							       "expectedResult"
							       "s"),
					       "testGroups"),
				0),
		"tests");
	const json_t *t, *w;
	size_t i;

	CHECK_NUM(25, json_array_size(in));
	json_array_foreach(in, i, t)
	{
		w = json_array_get(want, i);
		CHECK(json_equal(json_object_get(t, "tcId"),
		    json_object_get(w, "tcId")));
		check_keygen(test_json_hex(t, "d"), test_json_hex(t, "z"),
		    test_json_hex(w, "ek"), test_json_hex(w, "dk"));
	}
}

TEST(vectors_acvp_encaps_and_decaps)
{
	const json_t *d =
	    test_json(test_shared("vectors/acvp/"
				  "ML-KEM-768-encapDecap-FIPS203.json.gz"));
	const json_t *in =
	    json_object_get(json_object_get(d, "prompt"), "testGroups");
	const json_t *want =
	    json_object_get(json_object_get(d, "expectedResults"),
		"testGroups");
	const json_t *g, *t, *w;
	size_t i, k, n = 0;

	json_array_foreach(in, i, g)
	{
		const json_t *results =
		    json_object_get(json_array_get(want, i), "tests");
		bool enc =
		    strcmp(test_json_str(g, "function"), "encapsulation") == 0;

		json_array_foreach(json_object_get(g, "tests"), k, t)
		{
			w = json_array_get(results, k);
			CHECK(json_equal(json_object_get(t, "tcId"),
			    json_object_get(w, "tcId")));
			if (enc)
				check_encaps(test_json_hex(t, "ek"),
				    test_json_hex(t, "m"),
				    test_json_hex(w, "c"),
				    test_json_hex(w, "k"));
			else
				check_decaps(test_json_hex(g, "dk"),
				    test_json_hex(t, "c"),
				    test_json_hex(w, "k"));
			n++;
		}
	}
	CHECK_NUM(35, n);
}

/* -------------------------------------------------------------- Wycheproof */

TEST(vectors_wycheproof_keygen)
{
	const json_t *g, *t;
	size_t i, k, n = 0;

	json_array_foreach(groups_of("vectors/wycheproof/"
				     "mlkem_768_keygen_seed_test.json.gz"),
	    i, g)
	{
		json_array_foreach(json_object_get(g, "tests"), k, t)
		{
			struct cs_bytes seed = test_json_hex(t, "seed");

			CHECK_NUM(64, seed.n);
			check_keygen((struct cs_bytes){ seed.p, 32 },
			    (struct cs_bytes){ seed.p + 32, 32 },
			    test_json_hex(t, "ek"), test_json_hex(t, "dk"));
			n++;
		}
	}
	CHECK_NUM(100, n);
}

/* Among them the keys over the modulus, which encapsulation must refuse. */
TEST(vectors_wycheproof_encaps)
{
	const json_t *g, *t;
	uint8_t ct[CT], ss[32];
	size_t i, k, valid = 0, refused = 0, other_length = 0;

	json_array_foreach(
	    groups_of("vectors/wycheproof/mlkem_768_encaps_test.json.gz"), i, g)
	{
		json_array_foreach(json_object_get(g, "tests"), k, t)
		{
			struct cs_bytes ek = test_json_hex(t, "ek");

			if (ek.n != PK) {
				CHECK(!is_valid(t));
				other_length++;
			} else if (is_valid(t)) {
				check_encaps(ek, test_json_hex(t, "m"),
				    test_json_hex(t, "c"),
				    test_json_hex(t, "K"));
				valid++;
			} else {
				CHECK(crypto_kem_mlkem768_enc_deterministic(ct,
					  ss, ek.p,
					  test_json_hex(t, "m").p) != 0);
				refused++;
			}
		}
	}
	CHECK_NUM(133, valid);
	CHECK_NUM(112, refused);
	CHECK_NUM(20, other_length);
}

/* Among them implicit rejection and CCTV's strcmp case. */
TEST(vectors_wycheproof_decaps_from_seed)
{
	const json_t *g, *t;
	uint8_t pk[PK], sk[SK];
	size_t i, k, n = 0;

	json_array_foreach(
	    groups_of("vectors/wycheproof/mlkem_768_test.json.gz"), i, g)
	{
		json_array_foreach(json_object_get(g, "tests"), k, t)
		{
			struct cs_bytes seed = test_json_hex(t, "seed");
			struct cs_bytes c = test_json_hex(t, "c");

			if (seed.n != 64 || c.n != CT) {
				CHECK(!is_valid(t));
				continue;
			}
			CHECK(is_valid(t));
			crypto_kem_mlkem768_seed_keypair(pk, sk, seed.p);
			CHECK_VIEW(test_json_hex(t, "ek"), CS_BYTES(pk));
			check_decaps(CS_BYTES(sk), c, test_json_hex(t, "K"));
			n++;
		}
	}
	CHECK_NUM(153, n);
}

TEST(vectors_wycheproof_decaps_of_semi_expanded_keys)
{
	const json_t *g, *t;
	size_t i, k, n = 0;

	json_array_foreach(groups_of("vectors/wycheproof/"
				     "mlkem_768_semi_expanded_decaps_test."
				     "json"),
	    i, g)
	{
		json_array_foreach(json_object_get(g, "tests"), k, t)
		{
			if (!is_valid(t))
				continue; /* see the head of this file */
			check_decaps(test_json_hex(t, "dk"),
			    test_json_hex(t, "c"), test_json_hex(t, "K"));
			n++;
		}
	}
	CHECK_NUM(3, n);
}

/* -------------------------------------------------------------------- CCTV */

/* Value of a line `name = hex`; the n-th of that name. */
static struct cs_bytes
line(struct cs_bytes file, const char *name, int n)
{
	char *text = test_alloc(file.n + 2), *rest, *one;
	size_t len = strlen(name);

	text[0] = '\n';
	memcpy(text + 1, file.p, file.n);
	text[file.n + 1] = 0;
	for (one = strtok_r(text, "\n", &rest); one;
	     one = strtok_r(NULL, "\n", &rest))
		if (strncmp(one, name, len) == 0 &&
		    strncmp(one + len, " = ", 3) == 0 && n-- == 0)
			return HEX(one + len + 3);
	return (struct cs_bytes){ 0 };
}

TEST(vectors_cctv_unlucky_sample)
{
	struct cs_bytes f =
	    test_read(test_shared("vectors/cctv-mlkem/"
				  "unluckysample-ML-KEM-768.txt"));

	check_encaps(line(f, "ek", 0), line(f, "m", 0), line(f, "c", 0),
	    line(f, "K", 0));
	check_decaps(line(f, "dk", 0), line(f, "c", 0), line(f, "K", 0));
}

TEST(vectors_cctv_strcmp)
{
	struct cs_bytes f =
	    test_read(test_shared("vectors/cctv-mlkem/strcmp-ML-KEM-768.txt"));

	check_decaps(line(f, "dk", 0), line(f, "c", 0), line(f, "K", 0));
}

TEST(vectors_cctv_intermediate)
{
	struct cs_bytes f =
	    test_read(test_shared("vectors/cctv-mlkem/"
				  "intermediate-ML-KEM-768.txt"));

	check_encaps(line(f, "ek", 0), line(f, "m", 0), line(f, "c", 0),
	    line(f, "K", 0));
	check_decaps(line(f, "dk", 0), line(f, "c", 0), line(f, "K", 0));
}

TEST(vectors_cctv_modulus)
{
	struct cs_bytes f = test_read(test_shared("vectors/cctv-mlkem/"
						  "modulus-ML-KEM-768.txt.gz"));
	uint8_t pk[PK], ct[CT], ss[32], m[32] = { 0 };
	size_t n = 0, used;

	for (size_t i = 0; i + 2 * PK <= f.n; i += 2 * PK + 1, n++) {
		CHECK(sodium_hex2bin(pk, PK, (const char *)f.p + i, 2 * PK,
			  NULL, &used, NULL) == 0);
		CHECK(crypto_kem_mlkem768_enc_deterministic(ct, ss, pk, m) !=
		      0);
	}
	CHECK_NUM(780, n);
}
