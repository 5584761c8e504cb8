#include "proto/cosignature.h"

#include <sodium.h>
#include <string.h>

#include "proto/text.h"
#include "tests/test.h"

#define BODY "consil/test\n42\nUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVE=\n"
#define DASH "\u2014 "

static const uint8_t witness_id[CS_ID_BYTES] = { 0xab, 0xcd };
#define NAME "consil/witness/abcd0000000000000000000000000000"

/* A witness's key pair, and its word on BODY at this time. */
static struct cs_cosignature
cosign(uint64_t time_s, uint8_t pk[32])
{
	struct cs_cosignature v = { .time_s = time_s };
	struct cs_buf message = { 0 };
	uint8_t seed[32] = { 9 }, sk[64];

	crypto_sign_seed_keypair(pk, sk, seed);
	cs_cosignature_message(time_s, cs_bytes_str(BODY), &message);
	CHECK_OK(cs_buf_err(&message));
	crypto_sign_detached(v.signature, NULL, message.p, message.n, sk);
	cs_buf_fini(&message);
	return v;
}

TEST(cosignature_message_is_that_of_c2sp)
{
	json_t *v = test_json(test_shared("vectors/signed-note/example.json"));
	struct cs_buf out = { 0 };

	cs_cosignature_message(1679315147, cs_bytes_str(BODY), &out);
	CHECK_VIEW(cs_bytes_str("cosignature/v1\ntime 1679315147\n" BODY),
	    cs_buf_view(&out));
	/* which is the layout that the specification's words describe */
	CHECK(strncmp(test_json_str(v, "cosignature_v1_signed_message_layout"),
		  "cosignature/v1\ntime <decimal unix seconds>\n<note body",
		  53) == 0);
	cs_buf_reset(&out);
	cs_cosignature_message(0, cs_bytes_str("a\n"), &out);
	CHECK_VIEW(cs_bytes_str("cosignature/v1\ntime 0\na\n"),
	    cs_buf_view(&out));
	cs_buf_fini(&out);
}

/* Key hash with algorithm byte 4, eight bytes of time, 64 of signature. */
TEST(cosignature_line_is_that_of_c2sp)
{
	uint8_t pk[32], hash[32];
	struct cs_cosignature v = cosign(1679315147, pk);
	struct cs_buf out = { 0 }, raw = { 0 }, key = { 0 };
	struct cs_bytes base64;

	cs_cosignature_encode(witness_id, pk, &v, &out);
	CHECK_OK(cs_buf_err(&out));
	base64 = cs_buf_view(&out);
	CHECK(memcmp(base64.p, DASH NAME " ", strlen(DASH NAME " ")) == 0);
	base64.p += strlen(DASH NAME " ");
	base64.n -= strlen(DASH NAME " ") + 1;
	CHECK(out.p[out.n - 1] == '\n');
	CHECK_OK(cs_text_unbase64(base64, &raw));
	CHECK_NUM(4 + 8 + 64, raw.n);
	cs_buf_put_str(&key, NAME "\n\x04");
	cs_buf_put(&key, pk, 32);
	crypto_hash_sha256(hash, key.p, key.n);
	CHECK_BYTES(hash, 4, raw.p, 4);
	CHECK_VIEW(HEX("00000000 641850cb"),
	    ((struct cs_bytes){ raw.p + 4, 8 }));
	CHECK_BYTES(v.signature, 64, raw.p + 12, 64);
	cs_buf_fini(&out);
	cs_buf_fini(&raw);
	cs_buf_fini(&key);
}

TEST(cosignature_is_found_among_other_lines)
{
	uint8_t pk[32];
	struct cs_cosignature v = cosign(77, pk), got = { .time_s = 1 };
	struct cs_buf note = { 0 }, again = { 0 };
	struct cs_note parts;

	cs_buf_put_str(&note, BODY "\n" DASH "other AAAAAAQ=\n");
	cs_cosignature_encode(witness_id, pk, &v, &note);
	CHECK_OK(cs_buf_err(&note));
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_OK(cs_cosignature_find(&parts, witness_id, pk, &got));
	CHECK_NUM(77, got.time_s);
	CHECK_BYTES(v.signature, 64, got.signature, 64);

	/* the first of one key counts */
	v.time_s = 78;
	cs_cosignature_encode(witness_id, pk, &v, &note);
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_OK(cs_cosignature_find(&parts, witness_id, pk, &got));
	CHECK_NUM(77, got.time_s);
	cs_buf_fini(&note);
	cs_buf_fini(&again);
}

TEST(cosignature_of_nobody_is_not_found)
{
	static const uint8_t other_id[CS_ID_BYTES] = { 1 };
	uint8_t pk[32], signature[64];
	struct cs_cosignature v = cosign(77, pk), got = { .time_s = 1 };
	struct cs_buf note = { 0 };
	struct cs_note parts;

	cs_buf_put_str(&note, BODY "\n");
	cs_cosignature_encode(witness_id, pk, &v, &note);
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_cosignature_find(&parts, other_id, pk, &got));
	/* a key that cosigns does not sign notes */
	CHECK_ERR(CS_NOT_FOUND,
	    cs_checkpoint_signature(&parts, cs_bytes_str(NAME), pk, signature));
	pk[0] ^= 1;
	CHECK_ERR(CS_NOT_FOUND,
	    cs_cosignature_find(&parts, witness_id, pk, &got));
	CHECK_NUM(1, got.time_s);
	cs_buf_fini(&note);
}

TEST(cosignature_of_another_length_is_malformed)
{
	uint8_t pk[32];
	struct cs_cosignature got = { .time_s = 1 };
	struct cs_buf note = { 0 };
	struct cs_note parts;

	(void)cosign(77, pk);
	cs_buf_put_str(&note, BODY "\n");
	/* without the time: the layout of an ordinary signature */
	cs_checkpoint_put_line(cs_bytes_str(NAME), CS_NOTE_COSIGNATURE, pk,
	    (struct cs_bytes){ (const uint8_t[64]){ 0 }, 64 }, &note);
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_ERR(CS_MALFORMED,
	    cs_cosignature_find(&parts, witness_id, pk, &got));
	CHECK_NUM(1, got.time_s);
	cs_buf_fini(&note);
}
