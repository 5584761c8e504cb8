#include "proto/checkpoint.h"

#include <sodium.h>
#include <string.h>

#include "proto/text.h"
#include "tests/test.h"

#define ORIGIN "consil/test"
#define ROOT   "UVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVE="
#define ID     "0a0b0c0d0a0b0c0d0a0b0c0d0a0b0c0d"
#define DASH   "\u2014 "
#define BODY                                                                   \
	ORIGIN "\n"                                                            \
	       "42\n" ROOT "\n"                                                \
	       "time 1700000000\n"                                             \
	       "incarnation " ID " 7\n"

static struct cs_bytes
text(const char *s)
{
	return cs_bytes_str(s);
}

static struct cs_checkpoint
sample(void)
{
	struct cs_checkpoint cp = {
		.size = 42, .time_s = 1700000000, .counter = 7
	};

	memset(cp.root, 'Q', sizeof(cp.root));
	for (size_t i = 0; i < CS_ID_BYTES; i++)
		cp.incarnation[i] = (uint8_t)(0x0a + i % 4);
	return cp;
}

/* The key pair of the tests, and its signature of the sample. */
static void
sign(uint8_t pk[32], uint8_t signature[64])
{
	uint8_t seed[32] = { 1 }, sk[64];

	crypto_sign_seed_keypair(pk, sk, seed);
	crypto_sign_detached(signature, NULL, (const uint8_t *)BODY,
	    strlen(BODY), sk);
}

/* A whole note by that key; freed by the caller. */
static struct cs_buf
signed_note(uint8_t pk[32], uint8_t signature[64])
{
	struct cs_checkpoint cp = sample();
	struct cs_buf out = { 0 };

	sign(pk, signature);
	memcpy(cp.signature, signature, sizeof(cp.signature));
	cs_checkpoint_encode(text(ORIGIN), &cp, pk, &out);
	CHECK_OK(cs_buf_err(&out));
	return out;
}

TEST(checkpoint_origins)
{
	uint8_t network_id[32], relay_id[16];
	struct cs_buf out = { 0 };

	memset(network_id, 0xab, sizeof(network_id));
	memset(relay_id, 0x01, sizeof(relay_id));
	cs_checkpoint_origin(CS_LOG_DIRECTORY, network_id, NULL, &out);
	CHECK_VIEW(text("consil/directory/"
			"abababababababababababababababab"
			"abababababababababababababababab"),
	    cs_buf_view(&out));
	cs_buf_reset(&out);
	cs_checkpoint_origin(CS_LOG_RECEIPTS, network_id, relay_id, &out);
	CHECK_VIEW(text("consil/receipts/"
			"abababababababababababababababab"
			"abababababababababababababababab/"
			"01010101010101010101010101010101"),
	    cs_buf_view(&out));
	cs_buf_fini(&out);
}

TEST(checkpoint_body_round_trip)
{
	struct cs_checkpoint cp = sample(), got;
	struct cs_buf out = { 0 };

	cs_checkpoint_encode_body(text(ORIGIN), &cp, &out);
	CHECK_VIEW(text(BODY), cs_buf_view(&out));
	CHECK_OK(cs_checkpoint_decode_body(cs_buf_view(&out), text(ORIGIN),
	    &got));
	CHECK_NUM(42, got.size);
	CHECK_BYTES(cp.root, 32, got.root, 32);
	CHECK_NUM(1700000000, got.time_s);
	CHECK_BYTES(cp.incarnation, 16, got.incarnation, 16);
	CHECK_NUM(7, got.counter);

	cp.size = cp.time_s = cp.counter = UINT64_MAX;
	cs_buf_reset(&out);
	cs_checkpoint_encode_body(text(ORIGIN), &cp, &out);
	CHECK_OK(cs_checkpoint_decode_body(cs_buf_view(&out), text(ORIGIN),
	    &got));
	CHECK(got.size == UINT64_MAX && got.time_s == UINT64_MAX &&
	      got.counter == UINT64_MAX);
	cs_buf_fini(&out);
}

TEST(checkpoint_body_has_one_spelling)
{
	static const char *const bad[] = {
		"",
		ORIGIN,
		ORIGIN "\n",
		ORIGIN "\n42\n" ROOT "\n", /* without our lines */
		BODY "more\n",
		BODY "\n",
		ORIGIN "\n042\n" ROOT "\ntime 1\nincarnation " ID " 7\n",
		ORIGIN "\n+42\n" ROOT "\ntime 1\nincarnation " ID " 7\n",
		ORIGIN "\n\n" ROOT "\ntime 1\nincarnation " ID " 7\n",
		ORIGIN "\n18446744073709551616\n" ROOT
		       "\ntime 1\nincarnation " ID " 7\n",
		ORIGIN "\n42\n" ROOT "=\ntime 1\nincarnation " ID " 7\n",
		ORIGIN "\n42\nUVE=\ntime 1\nincarnation " ID " 7\n",
		ORIGIN "\n42\n" ROOT "\ntime 01\nincarnation " ID " 7\n",
		ORIGIN "\n42\n" ROOT "\nTime 1\nincarnation " ID " 7\n",
		ORIGIN "\n42\n" ROOT "\ntime 1 \nincarnation " ID " 7\n",
		ORIGIN "\n42\n" ROOT "\ntime 1\nincarnation " ID "\n",
		ORIGIN "\n42\n" ROOT "\ntime 1\nincarnation " ID "  7\n",
		ORIGIN "\n42\n" ROOT "\ntime 1\nincarnation " ID "00 7\n",
		ORIGIN "\n42\n" ROOT "\ntime 1\nincarnation 0A"
		       "0b0c0d0a0b0c0d0a0b0c0d0a0b0c0d 7\n",
		ORIGIN "\n42\n" ROOT "\ntime 1\nincarnation " ID " 7",
	};
	struct cs_checkpoint got = { .size = 77 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_ERR(CS_MALFORMED, cs_checkpoint_decode_body(text(bad[i]),
					    text(ORIGIN), &got));
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_checkpoint_decode_body(text(BODY), text("consil/other"), &got));
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_checkpoint_decode_body(text(BODY), text("consil/tes"), &got));
	CHECK_NUM(77, got.size);
	CHECK_OK(cs_checkpoint_decode_body(text(BODY), text(ORIGIN), &got));
}

TEST(checkpoint_body_refuses_cuts)
{
	struct cs_checkpoint got;

	for (size_t n = strlen(ORIGIN) + 1; n < strlen(BODY); n++)
		CHECK_ERR(CS_MALFORMED,
		    cs_checkpoint_decode_body((struct cs_bytes){ (const uint8_t
									 *)BODY,
						  n },
			text(ORIGIN), &got));
}

TEST(checkpoint_note_round_trip)
{
	uint8_t pk[32], signature[64], got[64];
	struct cs_buf note = signed_note(pk, signature);
	struct cs_note parts;

	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_VIEW(text(BODY), parts.body);
	CHECK_OK(cs_checkpoint_signature(&parts, text(ORIGIN), pk, got));
	CHECK_BYTES(signature, 64, got, 64);
	CHECK(crypto_sign_verify_detached(got, parts.body.p, parts.body.n,
		  pk) == 0);
	cs_buf_fini(&note);
}

TEST(checkpoint_other_keys_are_not_found)
{
	uint8_t pk[32], signature[64], got[64] = { 7 };
	struct cs_buf note = signed_note(pk, signature);
	struct cs_note parts;

	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_checkpoint_signature(&parts, text("consil/tesT"), pk, got));
	pk[0] ^= 1;
	CHECK_ERR(CS_NOT_FOUND,
	    cs_checkpoint_signature(&parts, text(ORIGIN), pk, got));
	CHECK_NUM(7, got[0]);
	cs_buf_fini(&note);
}

/* Cosignatures of witnesses stand beside ours: longer, other names. */
TEST(checkpoint_skips_lines_of_others)
{
	uint8_t pk[32], signature[64], got[64];
	struct cs_buf note = signed_note(pk, signature);
	struct cs_note parts;

	cs_buf_put_str(&note, DASH "witness.example AAAAAAQ=\n");
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_OK(cs_checkpoint_signature(&parts, text(ORIGIN), pk, got));
	CHECK_BYTES(signature, 64, got, 64);
	cs_buf_fini(&note);
}

TEST(checkpoint_refuses_lines_that_are_none)
{
	static const char *const bad[] = {
		"witness AAAAAAQ=\n",       /* no dash */
		DASH "witness\n",           /* no signature */
		DASH " AAAAAAQ=\n",         /* no name */
		DASH "wit+ness AAAAAAQ=\n", /* no key name */
		DASH "witness AAAAAA==\n",  /* key hash only */
		DASH "witness AAAAAAQ\n",   /* no padding */
		DASH "witness AAAAAAR=\n",  /* not canonical */
		DASH "witness AAAAAAQ= \n",
		DASH "witness AAAAAAQ=\n" DASH "\n",
	};
	uint8_t pk[32], signature[64], got[64] = { 7 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cs_buf note = signed_note(pk, signature);
		struct cs_note parts;

		cs_buf_put_str(&note, bad[i]);
		CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
		CHECK_ERR(CS_MALFORMED,
		    cs_checkpoint_signature(&parts, text(ORIGIN), pk, got));
		cs_buf_fini(&note);
	}
	CHECK_NUM(7, got[0]);
}

/* Our name and key hash, but no signature of 64 bytes behind them. */
TEST(checkpoint_refuses_short_signatures)
{
	uint8_t pk[32], signature[64], got[64];
	struct cs_buf note = signed_note(pk, signature), raw = { 0 };
	struct cs_buf other = { 0 };
	struct cs_note parts;
	struct cs_bytes line;

	line = cs_buf_view(&note);
	line.p += strlen(BODY "\n" DASH ORIGIN " ");
	line.n -= strlen(BODY "\n" DASH ORIGIN " ") + 1;
	CHECK_OK(cs_text_unbase64(line, &raw));
	CHECK_NUM(68, raw.n);
	cs_buf_put_str(&other, BODY "\n" DASH ORIGIN " ");
	cs_text_base64((struct cs_bytes){ raw.p, 67 }, &other);
	cs_buf_put_str(&other, "\n");
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&other), &parts));
	CHECK_ERR(CS_MALFORMED,
	    cs_checkpoint_signature(&parts, text(ORIGIN), pk, got));
	cs_buf_fini(&note);
	cs_buf_fini(&raw);
	cs_buf_fini(&other);
}

TEST(checkpoint_split_refuses_what_is_no_note)
{
	static const char *const bad[] = {
		"",
		"\n",
		"\n\n",
		"\n\nx\n",
		"body\n",
		"body\n\n",
		"body\n\n\n",
		"body\nsignature\n",
		"body\n\nsignature",
		"bo\tdy\n\nx\n",
		"bo\rdy\n\nx\n",
		("bo\xff"
		 "dy\n\nx\n"),
	};
	struct cs_note got = { 0 };
	uint8_t *big;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_ERR(CS_MALFORMED,
		    cs_checkpoint_split(text(bad[i]), &got));
	CHECK_ERR(CS_MALFORMED, cs_checkpoint_split(HEX("610a0a00620a"), &got));
	CHECK(got.body.p == NULL);
	CHECK_OK(cs_checkpoint_split(text("a\n\nb\n\nc\n"), &got));
	CHECK_VIEW(text("a\n\nb\n"), got.body);
	CHECK_VIEW(text("c\n"), got.signatures);

	big = test_alloc(CS_LIMIT_CHECKPOINT_BYTES + 1);
	memset(big, 'x', CS_LIMIT_CHECKPOINT_BYTES + 1);
	memcpy(big, "a\n\n", 3);
	big[CS_LIMIT_CHECKPOINT_BYTES - 1] = '\n';
	big[CS_LIMIT_CHECKPOINT_BYTES] = '\n';
	CHECK_OK(cs_checkpoint_split((struct cs_bytes){ big,
					 CS_LIMIT_CHECKPOINT_BYTES },
	    &got));
	CHECK_ERR(CS_TOO_LARGE,
	    cs_checkpoint_split((struct cs_bytes){ big,
				    CS_LIMIT_CHECKPOINT_BYTES + 1 },
		&got));
}

/* The example of C2SP signed-note: a note of another program verifies. */
TEST(checkpoint_signed_note_vector)
{
	json_t *v = test_json(test_shared("vectors/signed-note/example.json"));
	const char *vkey = test_json_str(v, "vkey");
	const char *plus = strchr(vkey, '+');
	struct cs_bytes name, note = text(test_json_str(v, "note"));
	struct cs_buf key = { 0 };
	struct cs_note parts;
	uint8_t signature[64];

	CHECK(plus != NULL);
	name =
	    (struct cs_bytes){ (const uint8_t *)vkey, (size_t)(plus - vkey) };
	CHECK_OK(cs_text_unbase64(text(strchr(plus + 1, '+') + 1), &key));
	CHECK(key.n == 33 && key.p[0] == 0x01);
	CHECK_OK(cs_checkpoint_split(note, &parts));
	CHECK_VIEW(text("This is an example message.\n"), parts.body);
	CHECK_OK(cs_checkpoint_signature(&parts, name, key.p + 1, signature));
	CHECK(crypto_sign_verify_detached(signature, parts.body.p, parts.body.n,
		  key.p + 1) == 0);
	key.p[5] ^= 1;
	CHECK_ERR(CS_NOT_FOUND,
	    cs_checkpoint_signature(&parts, name, key.p + 1, signature));
	cs_buf_fini(&key);
}
