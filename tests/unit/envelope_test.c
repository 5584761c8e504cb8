#include "proto/envelope.h"

#include <sodium.h>
#include <string.h>

#include "tests/test.h"

#define HOUR_S     3600
#define CREATED_S  (UINT64_C(480000) * HOUR_S)
#define BODY_BYTES 4128u

/* Where fields lie in H; the lists are filled in by the counts of a case. */
#define AT_VERSION 3
#define AT_SUITE   4
#define AT_CREATED 54
#define AT_EXPIRES 62
#define AT_CLASS   70
#define AT_N       71
#define AT_ROWS    73

/* An envelope to write: row i of each list starts with the bytes 0, i. */
struct draft {
	struct cs_envelope env;
	uint32_t body_bytes;
	struct cs_envelope_recipient recipients[CS_LIMIT_RECIPIENTS + 1];
	struct cs_envelope_object objects[CS_LIMIT_OBJECTS + 1];
};

static struct draft *
draft(uint16_t n, uint16_t m)
{
	struct draft *d = test_alloc(sizeof(*d));

	memset(d, 0, sizeof(*d));
	memset(d->env.network_id, 1, sizeof(d->env.network_id));
	memset(d->env.envelope_id, 2, sizeof(d->env.envelope_id));
	memset(d->env.body_nonce, 3, sizeof(d->env.body_nonce));
	d->env.created_hour_s = CREATED_S;
	d->env.expires_at_s = CREATED_S + 1;
	d->env.class = CS_CLASS_URGENT;
	d->env.n_recipients = n;
	d->env.n_objects = m;
	d->body_bytes = BODY_BYTES;
	for (uint16_t i = 0; i <= CS_LIMIT_RECIPIENTS; i++) {
		d->recipients[i].device_id[0] = (uint8_t)(i >> 8);
		d->recipients[i].device_id[1] = (uint8_t)i;
		memset(d->recipients[i].key_id, (uint8_t)(i + 1), 32);
	}
	for (uint16_t i = 0; i <= CS_LIMIT_OBJECTS; i++) {
		d->objects[i].object_id[0] = (uint8_t)(i >> 8);
		d->objects[i].object_id[1] = (uint8_t)i;
		d->objects[i].segments = i + 1u;
		memset(d->objects[i].root, (uint8_t)(i + 2), 32);
	}
	return d;
}

static cs_err
preamble(const struct draft *d, struct cs_buf *out)
{
	return cs_envelope_encode_preamble(&d->env, d->body_bytes,
	    d->recipients, d->objects, out);
}

/* The whole envelope; stanzas, tag and body are patterns. Bytes at the end of
 * memory of their exact size, and writable, to be spoilt by the caller. */
static struct cs_bytes
envelope(const struct draft *d, uint8_t **ret_p)
{
	struct cs_buf out = { 0 };
	struct cs_bytes v;

	CHECK_OK(preamble(d, &out));
	for (uint16_t i = 0; i < d->env.n_recipients; i++) {
		memset(cs_buf_extend(&out, CS_KEM_ENC_BYTES), i + 1,
		    CS_KEM_ENC_BYTES);
		memset(cs_buf_extend(&out, CS_WRAPPED_BYTES), i + 2,
		    CS_WRAPPED_BYTES);
	}
	memset(cs_buf_extend(&out, 32), 0xaa, 32);
	memset(cs_buf_extend(&out, d->body_bytes), 0xbb, d->body_bytes);
	CHECK_OK(cs_buf_err(&out));
	v.n = out.n;
	v.p = *ret_p = test_alloc(out.n);
	memcpy(*ret_p, out.p, out.n);
	cs_buf_fini(&out);
	return v;
}

TEST(envelope_round_trip)
{
	struct draft *d = draft(3, 2);
	struct cs_envelope env;
	struct cs_envelope_recipient recipient;
	struct cs_envelope_object object;
	struct cs_envelope_stanza stanza;
	uint8_t *p;
	struct cs_bytes in = envelope(d, &p);

	CHECK_OK(cs_envelope_decode(in, &env));
	CHECK_BYTES(d->env.network_id, 32, env.network_id, 32);
	CHECK_BYTES(d->env.envelope_id, 16, env.envelope_id, 16);
	CHECK_BYTES(d->env.body_nonce, 32, env.body_nonce, 32);
	CHECK_NUM(CREATED_S, env.created_hour_s);
	CHECK_NUM(CREATED_S + 1, env.expires_at_s);
	CHECK_NUM(CS_CLASS_URGENT, env.class);
	CHECK_NUM(3, env.n_recipients);
	CHECK_NUM(2, env.n_objects);
	CHECK_NUM(AT_ROWS + 3 * 48 + 2 + 2 * 52 + 36, env.preamble.n);
	CHECK_NUM(env.preamble.n + 3 * 1168, env.header.n);
	CHECK(env.mac.n == 32 && env.mac.p == in.p + env.header.n);
	CHECK(env.body.n == BODY_BYTES && env.body.p == env.mac.p + 32);
	for (uint16_t i = 0; i < 3; i++) {
		cs_envelope_recipient(&env, i, &recipient);
		CHECK_BYTES(d->recipients[i].device_id, 16, recipient.device_id,
		    16);
		CHECK_BYTES(d->recipients[i].key_id, 32, recipient.key_id, 32);
		cs_envelope_stanza(&env, i, &stanza);
		CHECK(stanza.enc[0] == i + 1 &&
		      stanza.enc[CS_KEM_ENC_BYTES - 1] == i + 1);
		CHECK(stanza.wrapped[0] == i + 2 &&
		      stanza.wrapped[CS_WRAPPED_BYTES - 1] == i + 2);
	}
	for (uint16_t i = 0; i < 2; i++) {
		cs_envelope_object(&env, i, &object);
		CHECK_BYTES(d->objects[i].object_id, 16, object.object_id, 16);
		CHECK_NUM(i + 1u, object.segments);
		CHECK_BYTES(d->objects[i].root, 32, object.root, 32);
	}
}

TEST(envelope_layout_is_that_of_the_page)
{
	struct draft *d = draft(1, 0);
	uint8_t *p;
	struct cs_bytes in = envelope(d, &p);

	CHECK_VIEW(HEX("43534531 0002"), ((struct cs_bytes){ in.p, 6 }));
	CHECK(in.p[6] == 1 && in.p[38] == 2);
	CHECK_VIEW(HEX("0000000066ff3000 0000000066ff3001 02 0001"),
	    ((struct cs_bytes){ in.p + AT_CREATED, 19 }));
	CHECK_VIEW(HEX("0000"), ((struct cs_bytes){ in.p + AT_ROWS + 48, 2 }));
	CHECK_VIEW(HEX("00001020"),
	    ((struct cs_bytes){ in.p + AT_ROWS + 82, 4 }));
}

TEST(envelope_finds_its_devices)
{
	struct draft *d = draft(CS_LIMIT_RECIPIENTS, 0);
	struct cs_envelope env;
	uint8_t *p;
	uint16_t at = 7;
	uint8_t other[CS_ID_BYTES] = { 0, 9, 1 };

	CHECK_OK(cs_envelope_decode(envelope(d, &p), &env));
	for (uint16_t i = 0; i < CS_LIMIT_RECIPIENTS; i++) {
		CHECK_OK(cs_envelope_find(&env, d->recipients[i].device_id,
		    &at));
		CHECK_NUM(i, at);
	}
	at = 7;
	CHECK_ERR(CS_NOT_FOUND, cs_envelope_find(&env, other, &at));
	memset(other, 0xff, sizeof(other));
	CHECK_ERR(CS_NOT_FOUND, cs_envelope_find(&env, other, &at));
	CHECK_NUM(7, at);
}

TEST(envelope_hash_covers_header_and_mac)
{
	struct draft *d = draft(2, 1);
	struct cs_envelope env;
	uint8_t *p, want[32], got[32];
	struct cs_bytes in = envelope(d, &p);

	CHECK_OK(cs_envelope_decode(in, &env));
	crypto_hash_sha256(want, in.p, in.n - BODY_BYTES);
	cs_envelope_hash(&env, got);
	CHECK_BYTES(want, 32, got, 32);
}

TEST(envelope_counts_what_is_stored)
{
	struct draft *d = draft(1, 3);
	struct cs_envelope env;
	uint8_t *p;
	struct cs_bytes in = envelope(d, &p);

	CHECK_OK(cs_envelope_decode(in, &env));
	CHECK_NUM(in.n + 6 * UINT64_C(1048560),
	    cs_envelope_stored_bytes(&env, in.n));
	d = draft(1, CS_LIMIT_OBJECTS);
	for (size_t i = 0; i < CS_LIMIT_OBJECTS; i++)
		d->objects[i].segments = CS_LIMIT_SEGMENTS;
	CHECK_OK(cs_envelope_decode(envelope(d, &p), &env));
	CHECK_NUM(UINT64_C(1024) * 65542 * 1048560,
	    cs_envelope_stored_bytes(&env, 0));
}

/* Every cut, and one byte more, is refused and leaves the output alone. */
TEST(envelope_refuses_cuts_and_trailing_bytes)
{
	struct draft *d = draft(2, 1);
	struct cs_envelope env = { .n_recipients = 77 };
	uint8_t *p;
	struct cs_bytes in = envelope(d, &p);
	uint8_t *longer = test_alloc(in.n + 1);

	for (size_t n = 0; n < in.n; n++)
		CHECK_ERR(CS_MALFORMED,
		    cs_envelope_decode((struct cs_bytes){ p, n }, &env));
	memcpy(longer, in.p, in.n);
	longer[in.n] = 0;
	CHECK_ERR(CS_MALFORMED,
	    cs_envelope_decode((struct cs_bytes){ longer, in.n + 1 }, &env));
	CHECK_NUM(77, env.n_recipients);
}

TEST(envelope_refuses_spoilt_fields)
{
	static const struct {
		size_t at;
		uint8_t flip;
		cs_err want;
	} cases[] = {
		{ 0, 1, CS_MALFORMED }, { AT_VERSION, 1, CS_UNSUPPORTED },
		{ AT_SUITE, 1, CS_UNSUPPORTED },
		{ AT_SUITE + 1, 1, CS_UNSUPPORTED },
		{ AT_CREATED + 7, 1, CS_MALFORMED },     /* not on the hour */
		{ AT_EXPIRES + 7, 1, CS_MALFORMED },     /* equals created */
		{ AT_EXPIRES, 1, CS_MALFORMED },         /* aeons later */
		{ AT_CLASS, 2, CS_MALFORMED },           /* 0 */
		{ AT_CLASS, 7, CS_MALFORMED },           /* 5 */
		{ AT_N, 4, CS_TOO_LARGE },               /* 1026 recipients */
		{ AT_N + 1, 2, CS_MALFORMED },           /* none */
		{ AT_ROWS + 49, 1, CS_MALFORMED },       /* same device twice */
		{ AT_ROWS + 1, 2, CS_MALFORMED },        /* not ascending */
		{ AT_ROWS + 96, 8, CS_TOO_LARGE },       /* 2050 objects */
		{ AT_ROWS + 98 + 53, 1, CS_MALFORMED },  /* same object twice */
		{ AT_ROWS + 98 + 1, 2, CS_MALFORMED },   /* not ascending */
		{ AT_ROWS + 98 + 19, 1, CS_MALFORMED },  /* no segment */
		{ AT_ROWS + 98 + 17, 2, CS_TOO_LARGE },  /* 131073 segments */
		{ AT_ROWS + 98 + 136, 1, CS_TOO_LARGE }, /* body of 16 MiB */
		{ AT_ROWS + 98 + 138, 0x10, CS_MALFORMED }, /* body of 32 */
		{ AT_ROWS + 98 + 139, 1, CS_MALFORMED }, /* body one longer */
	};
	struct draft *d = draft(2, 2);
	struct cs_envelope env = { .n_recipients = 77 };
	uint8_t *p;
	struct cs_bytes in = envelope(d, &p);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p[cases[i].at] ^= cases[i].flip;
		CHECK_ERR(cases[i].want, cs_envelope_decode(in, &env));
		p[cases[i].at] ^= cases[i].flip;
	}
	CHECK_NUM(77, env.n_recipients);
	CHECK_OK(cs_envelope_decode(in, &env));
}

/* The last value that goes and the first that does not. */
TEST(envelope_limits_are_exact)
{
	struct draft *d = draft(CS_LIMIT_RECIPIENTS, CS_LIMIT_OBJECTS);
	struct cs_envelope env;
	struct cs_buf out = { 0 };
	uint8_t *p;
	struct cs_bytes in;

	d->body_bytes = CS_LIMIT_BODY_BYTES;
	d->env.expires_at_s = CREATED_S + CS_LIMIT_LIFETIME_S + HOUR_S;
	d->objects[9].segments = CS_LIMIT_SEGMENTS;
	in = envelope(d, &p);
	CHECK(in.n <= CS_LIMIT_ENVELOPE_BYTES);
	CHECK_OK(cs_envelope_decode(in, &env));

	d->env.expires_at_s++;
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	d->env.expires_at_s--;
	d->objects[9].segments++;
	CHECK_ERR(CS_TOO_LARGE, preamble(d, &out));
	d->objects[9].segments = 0;
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	d->objects[9].segments = 1;
	d->body_bytes++;
	CHECK_ERR(CS_TOO_LARGE, preamble(d, &out));
	d->body_bytes = BODY_BYTES - 1;
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	d->body_bytes = BODY_BYTES;
	d->env.n_recipients++;
	CHECK_ERR(CS_TOO_LARGE, preamble(d, &out));
	d->env.n_recipients = 0;
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	d->env.n_recipients = 1;
	d->env.n_objects++;
	CHECK_ERR(CS_TOO_LARGE, preamble(d, &out));
	d->env.n_objects = 0;
	CHECK(out.n == 0);
	CHECK_OK(preamble(d, &out));
	cs_buf_fini(&out);

	p = test_alloc(CS_LIMIT_ENVELOPE_BYTES + 1);
	memcpy(p, in.p, in.n);
	CHECK_ERR(CS_TOO_LARGE,
	    cs_envelope_decode((struct cs_bytes){ p,
				   CS_LIMIT_ENVELOPE_BYTES + 1 },
		&env));
}

TEST(envelope_encode_refuses_what_decode_would)
{
	struct draft *d = draft(2, 2);
	struct cs_buf out = { 0 };

	d->env.class = 5;
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	d->env.class = CS_CLASS_PAGE;
	d->recipients[1] = d->recipients[0];
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	d->recipients[0].device_id[15] = 1; /* now descending */
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	d = draft(2, 2);
	d->objects[1] = d->objects[0];
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	d = draft(2, 2);
	d->env.created_hour_s++;
	CHECK_ERR(CS_MALFORMED, preamble(d, &out));
	CHECK(out.n == 0);
	cs_buf_fini(&out);
}

TEST(envelope_class_names)
{
	CHECK_STR("routine", cs_envelope_class_name(CS_CLASS_ROUTINE));
	CHECK_STR("urgent", cs_envelope_class_name(CS_CLASS_URGENT));
	CHECK_STR("page", cs_envelope_class_name(CS_CLASS_PAGE));
	CHECK_STR("receipt", cs_envelope_class_name(CS_CLASS_RECEIPT));
	CHECK_STR(NULL, cs_envelope_class_name(0));
	CHECK_STR(NULL, cs_envelope_class_name(5));
}
