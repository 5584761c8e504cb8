/*
 * libsodium's primitives against published vectors: what the machine that
 * runs this has compiled or chosen at run time is what is tested.
 */
#include <sodium.h>
#include <string.h>

#include "tests/test.h"

#define EACH_TEST(file, g, t)                                                  \
	for (size_t g##_i = 0, t##_i = 0;                                      \
	     next_test(file, &g##_i, &t##_i, &g, &t);)

/* Walks the tests of a Wycheproof file. */
static bool
next_test(const json_t *file, size_t *gi, size_t *ti, const json_t **g,
    const json_t **t)
{
	const json_t *groups = json_object_get(file, "testGroups");

	while (*gi < json_array_size(groups)) {
		const json_t *tests;

		*g = json_array_get(groups, *gi);
		tests = json_object_get(*g, "tests");
		if (*ti < json_array_size(tests)) {
			*t = json_array_get(tests, (*ti)++);
			return true;
		}
		(*gi)++;
		*ti = 0;
	}
	return false;
}

static bool
is_result(const json_t *t, const char *word)
{
	return strcmp(test_json_str(t, "result"), word) == 0;
}

static bool
has_flag(const json_t *t, const char *flag)
{
	const json_t *flags = json_object_get(t, "flags"), *f;
	size_t i;

	json_array_foreach(flags, i, f)
	{
		if (strcmp(json_string_value(f), flag) == 0)
			return true;
	}
	return false;
}

static struct cs_bytes
join(struct cs_bytes a, struct cs_bytes b)
{
	uint8_t *p = test_alloc(a.n + b.n + 1);

	memcpy(p, a.p, a.n);
	memcpy(p + a.n, b.p, b.n);
	return (struct cs_bytes){ p, a.n + b.n };
}

/* Public keys of small order must be refused, the rest must agree:
 * non-canonical and twist points have a defined result. */
TEST(vectors_wycheproof_x25519)
{
	const json_t
	    *f = test_json(test_shared("vectors/wycheproof/x25519_test.json")),
	    *g, *t;
	uint8_t got[32];
	size_t agreed = 0, refused = 0;

	EACH_TEST(f, g, t)
	{
		struct cs_bytes want = test_json_hex(t, "shared");
		int r = crypto_scalarmult_curve25519(got,
		    test_json_hex(t, "private").p,
		    test_json_hex(t, "public").p);

		if (has_flag(t, "ZeroSharedSecret")) {
			CHECK(r != 0);
			refused++;
		} else {
			CHECK(r == 0);
			CHECK_VIEW(want, CS_BYTES(got));
			agreed++;
		}
	}
	CHECK_NUM(31, refused);
	CHECK_NUM(487, agreed);
}

/* Other nonce lengths cannot be given to this API: 9 tests. */
TEST(vectors_wycheproof_chacha20_poly1305)
{
	const json_t *f = test_json(test_shared("vectors/wycheproof/"
						"chacha20_poly1305_test.json")),
		     *g, *t;
	uint8_t out[1024];
	size_t n = 0, skipped = 0;

	EACH_TEST(f, g, t)
	{
		struct cs_bytes key = test_json_hex(t, "key");
		struct cs_bytes iv = test_json_hex(t, "iv");
		struct cs_bytes ad = test_json_hex(t, "aad");
		struct cs_bytes msg = test_json_hex(t, "msg");
		struct cs_bytes ct =
		    join(test_json_hex(t, "ct"), test_json_hex(t, "tag"));

		if (iv.n != 12) {
			skipped++;
			continue;
		}
		CHECK(ct.n <= sizeof(out));
		CHECK((crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL,
			   NULL, ct.p, ct.n, ad.p, ad.n, iv.p, key.p) == 0) ==
		      is_result(t, "valid"));
		if (is_result(t, "valid")) {
			CHECK_BYTES(msg.p, msg.n, out, msg.n);
			crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL,
			    msg.p, msg.n, ad.p, ad.n, NULL, iv.p, key.p);
			CHECK_BYTES(ct.p, ct.n, out, ct.n);
		}
		n++;
	}
	CHECK_NUM(316, n);
	CHECK_NUM(9, skipped);
}

/* The vectors have 128-bit tags: the two halves of ours, xored. */
TEST(vectors_wycheproof_aegis256)
{
	const json_t *
	    f = test_json(test_shared("vectors/wycheproof/aegis256_test.json")),
	   *g, *t;
	uint8_t out[1024], mac[32];
	size_t n = 0;

	EACH_TEST(f, g, t)
	{
		struct cs_bytes key = test_json_hex(t, "key");
		struct cs_bytes iv = test_json_hex(t, "iv");
		struct cs_bytes ad = test_json_hex(t, "aad");
		struct cs_bytes msg = test_json_hex(t, "msg");
		struct cs_bytes ct = test_json_hex(t, "ct");
		struct cs_bytes tag = test_json_hex(t, "tag");
		bool same;

		CHECK_NUM(32, iv.n);
		CHECK(msg.n <= sizeof(out));
		crypto_aead_aegis256_encrypt_detached(out, mac, NULL, msg.p,
		    msg.n, ad.p, ad.n, NULL, iv.p, key.p);
		for (size_t i = 0; i < 16; i++)
			mac[i] ^= mac[16 + i];
		same = tag.n == 16 && memcmp(tag.p, mac, 16) == 0 &&
		       ct.n == msg.n && memcmp(ct.p, out, ct.n) == 0;
		CHECK(same == is_result(t, "valid"));
		n++;
	}
	CHECK_NUM(472, n);
}

/* Every valid Wycheproof input once more through our use of it: opens with
 * its 256-bit tag, in place too, and with no bit of it changed. */
TEST(aegis256_opens_in_place_and_refuses_changes)
{
	const json_t *
	    f = test_json(test_shared("vectors/wycheproof/aegis256_test.json")),
	   *g, *t;
	uint8_t out[1024];

	EACH_TEST(f, g, t)
	{
		struct cs_bytes key = test_json_hex(t, "key");
		struct cs_bytes iv = test_json_hex(t, "iv");
		struct cs_bytes ad = test_json_hex(t, "aad");
		struct cs_bytes msg = test_json_hex(t, "msg");

		memcpy(out, msg.p, msg.n);
		crypto_aead_aegis256_encrypt(out, NULL, out, msg.n, ad.p, ad.n,
		    NULL, iv.p, key.p);
		out[msg.n + 31] ^= 1;
		CHECK(crypto_aead_aegis256_decrypt(NULL, NULL, NULL, out,
			  msg.n + 32, ad.p, ad.n, iv.p, key.p) != 0);
		out[msg.n + 31] ^= 1;
		CHECK(crypto_aead_aegis256_decrypt(out, NULL, NULL, out,
			  msg.n + 32, ad.p, ad.n, iv.p, key.p) == 0);
		CHECK_BYTES(msg.p, msg.n, out, msg.n);
	}
}

/* Asking for more than 255 blocks is what makes three of them invalid. */
TEST(vectors_wycheproof_hkdf_sha256)
{
	const json_t *f = test_json(test_shared("vectors/wycheproof/"
						"hkdf_sha256_test.json")),
		     *g, *t;
	uint8_t prk[32], okm[255 * 32 + 1];
	size_t n = 0;

	EACH_TEST(f, g, t)
	{
		struct cs_bytes ikm = test_json_hex(t, "ikm");
		struct cs_bytes salt = test_json_hex(t, "salt");
		struct cs_bytes info = test_json_hex(t, "info");
		struct cs_bytes want = test_json_hex(t, "okm");
		size_t size =
		    (size_t)json_integer_value(json_object_get(t, "size"));
		int r;

		CHECK(size <= sizeof(okm));
		crypto_kdf_hkdf_sha256_extract(prk, salt.p, salt.n, ikm.p,
		    ikm.n);
		r = crypto_kdf_hkdf_sha256_expand(okm, size,
		    (const char *)info.p, info.n, prk);
		CHECK((r == 0) == is_result(t, "valid"));
		if (r == 0)
			CHECK_BYTES(want.p, want.n, okm, size);
		n++;
	}
	CHECK_NUM(86, n);
}

/* Keys of any length through the streaming API; 128-bit tags are the first
 * half. */
TEST(vectors_wycheproof_hmac_sha256)
{
	const json_t *f = test_json(test_shared("vectors/wycheproof/"
						"hmac_sha256_test.json")),
		     *g, *t;
	crypto_auth_hmacsha256_state st;
	uint8_t mac[32];
	size_t n = 0;

	EACH_TEST(f, g, t)
	{
		struct cs_bytes key = test_json_hex(t, "key");
		struct cs_bytes msg = test_json_hex(t, "msg");
		struct cs_bytes tag = test_json_hex(t, "tag");

		crypto_auth_hmacsha256_init(&st, key.p, key.n);
		crypto_auth_hmacsha256_update(&st, msg.p, msg.n);
		crypto_auth_hmacsha256_final(&st, mac);
		CHECK(tag.n <= 32);
		CHECK((memcmp(tag.p, mac, tag.n) == 0) ==
		      is_result(t, "valid"));
		if (key.n == 32 && tag.n == 32)
			CHECK((crypto_auth_hmacsha256_verify(tag.p, msg.p,
				   msg.n, key.p) == 0) ==
			      is_result(t, "valid"));
		n++;
	}
	CHECK_NUM(174, n);
}
