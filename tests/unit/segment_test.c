/* Segments of attachments: cs_seal_segment, cs_open_segment, and the attacks of
 * a relay that holds them. */
#include <sodium.h>
#include <string.h>

#include "keys/open.h"
#include "keys/seal.h"
#include "proto/object.h"
#include "tests/test.h"

static const uint64_t lengths[] = { 0, 1, 16383, 16384, 16385, 100000,
	CS_SEGMENT_PLAIN_BYTES - 1, CS_SEGMENT_PLAIN_BYTES,
	CS_SEGMENT_PLAIN_BYTES + 1, 2 * CS_SEGMENT_PLAIN_BYTES + 77 };

TEST(segments_of_many_lengths)
{
	uint8_t *plain = test_alloc(3 * CS_SEGMENT_PLAIN_BYTES);
	struct cs_secret *key = NULL;
	uint8_t id[CS_ID_BYTES] = { 1 };

	randombytes_buf(plain, 3 * CS_SEGMENT_PLAIN_BYTES);
	CHECK_OK(cs_secret_random(32, &key));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct cs_buf stored = { 0 }, got = { 0 };
		uint64_t n = lengths[i], at = 0;

		cs_buf_put_str(&got, "x");
		for (uint32_t k = 0; k < cs_object_segments(n); k++) {
			size_t part = cs_object_segment_plain(n, k);

			cs_buf_reset(&stored);
			cs_buf_put_str(&stored, "x");
			CHECK_OK(cs_seal_segment(key, id, n, k,
			    (struct cs_bytes){ plain + at, part }, &stored));
			CHECK_NUM(cs_object_segment_stored(n, k), stored.n - 1);
			CHECK_OK(cs_open_segment(cs_secret_bytes(key), id, n, k,
			    (struct cs_bytes){ stored.p + 1, stored.n - 1 },
			    &got));
			at += part;
		}
		CHECK_NUM(n, at);
		CHECK_BYTES(plain, n, got.p + 1, got.n - 1);
		cs_buf_fini(&stored);
		cs_buf_fini(&got);
	}
	cs_secret_free(key);
}

/* Encrypted again, a segment has another nonce: a file that changed in
 * between costs nothing but the time. */
TEST(segment_nonce_is_new_each_time)
{
	struct cs_secret *key = NULL;
	uint8_t id[CS_ID_BYTES] = { 1 };
	struct cs_buf a = { 0 }, b = { 0 };

	CHECK_OK(cs_secret_random(32, &key));
	CHECK_OK(cs_seal_segment(key, id, 3, 0, cs_bytes_str("abc"), &a));
	CHECK_OK(cs_seal_segment(key, id, 3, 0, cs_bytes_str("abc"), &b));
	CHECK(memcmp(a.p, b.p, 32) != 0);
	CHECK(memcmp(a.p + 32, b.p + 32, 3) != 0);
	cs_buf_fini(&a);
	cs_buf_fini(&b);
	cs_secret_free(key);
}

TEST(segment_layout_is_that_of_the_protocol)
{
	struct cs_secret *key = NULL;
	uint8_t ad[16 + 4 + 1] = { 1 }, plain[16384];
	struct cs_buf a = { 0 };

	ad[20] = 1; /* object_id ‖ u32 0 ‖ last */
	CHECK_OK(cs_secret_random(32, &key));
	CHECK_OK(cs_seal_segment(key, ad, 3, 0, cs_bytes_str("abc"), &a));
	CHECK_NUM(32 + 16384 + 32, a.n);
	CHECK(crypto_aead_aegis256_decrypt(plain, NULL, NULL, a.p + 32,
		  a.n - 32, ad, sizeof(ad), a.p, cs_secret_bytes(key)) == 0);
	CHECK(memcmp(plain, "abc", 3) == 0);
	CHECK(sodium_is_zero(plain + 3, sizeof(plain) - 3));
	cs_buf_fini(&a);
	cs_secret_free(key);
}

TEST(segment_refuses_wrong_lengths_and_numbers)
{
	struct cs_secret *key = NULL;
	uint8_t id[CS_ID_BYTES] = { 1 };
	struct cs_buf out = { 0 };

	CHECK_OK(cs_secret_random(32, &key));
	CHECK_ERR(CS_MALFORMED,
	    cs_seal_segment(key, id, 4, 0, cs_bytes_str("abc"), &out));
	CHECK_ERR(CS_MALFORMED,
	    cs_seal_segment(key, id, 3, 1, cs_bytes_str("abc"), &out));
	CHECK_ERR(CS_MALFORMED,
	    cs_seal_segment(key, id, CS_LIMIT_OBJECT_BYTES + 1, 0,
		cs_bytes_str("abc"), &out));
	CHECK_NUM(0, out.n);
	cs_secret_free(key);
}

/* ----------------------------------------------------------------- attacks */

/* Three segments of one object, as the relay holds them. */
struct object {
	uint8_t key[32], id[CS_ID_BYTES];
	struct cs_secret *secret;
	struct cs_buf seg[3];
	uint64_t bytes;
};

static void
object_init(struct object *o)
{
	uint8_t *plain = test_alloc(CS_SEGMENT_PLAIN_BYTES);

	memset(o, 0, sizeof(*o));
	memset(plain, 7, CS_SEGMENT_PLAIN_BYTES);
	/* The last is as long as the others: only its number tells. */
	o->bytes = 3 * (uint64_t)CS_SEGMENT_PLAIN_BYTES;
	randombytes_buf(o->id, sizeof(o->id));
	CHECK_OK(cs_secret_random(32, &o->secret));
	memcpy(o->key, cs_secret_bytes(o->secret), 32);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_OK(cs_seal_segment(o->secret, o->id, o->bytes, i,
		    (struct cs_bytes){ plain, CS_SEGMENT_PLAIN_BYTES },
		    &o->seg[i]));
}

static void
object_fini(struct object *o)
{
	for (int i = 0; i < 3; i++)
		cs_buf_fini(&o->seg[i]);
	cs_secret_free(o->secret);
}

static void
segment_refused(const struct object *o, uint64_t bytes, uint32_t index,
    struct cs_bytes stored, cs_err want)
{
	struct cs_buf out = { 0 };

	cs_buf_put_str(&out, "x");
	CHECK_ERR(want,
	    cs_open_segment(o->key, o->id, bytes, index, stored, &out));
	CHECK_NUM(1, out.n);
	cs_buf_fini(&out);
}

TEST(attack_segments_reordered_or_repeated)
{
	struct object o;
	struct cs_buf out = { 0 };

	object_init(&o);
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t k = 0; k < 3; k++) {
			if (i == k)
				continue;
			segment_refused(&o, o.bytes, i, cs_buf_view(&o.seg[k]),
			    CS_BAD_MAC);
		}
		CHECK_OK(cs_open_segment(o.key, o.id, o.bytes, i,
		    cs_buf_view(&o.seg[i]), &out));
	}
	CHECK_NUM(o.bytes, out.n);
	cs_buf_fini(&out);
	object_fini(&o);
}

/* Dropping the end and calling the second the last. */
TEST(attack_object_truncated_at_a_segment)
{
	struct object o;

	object_init(&o);
	segment_refused(&o, 2 * (uint64_t)CS_SEGMENT_PLAIN_BYTES, 1,
	    cs_buf_view(&o.seg[1]), CS_BAD_MAC);
	/* And adding one to it. */
	segment_refused(&o, 4 * (uint64_t)CS_SEGMENT_PLAIN_BYTES, 2,
	    cs_buf_view(&o.seg[2]), CS_BAD_MAC);
	segment_refused(&o, o.bytes, 3, cs_buf_view(&o.seg[2]), CS_MALFORMED);
	object_fini(&o);
}

TEST(attack_segment_truncated)
{
	struct object o;

	object_init(&o);
	segment_refused(&o, o.bytes, 0, (struct cs_bytes){ 0 }, CS_MALFORMED);
	segment_refused(&o, o.bytes, 0,
	    (struct cs_bytes){ o.seg[0].p, o.seg[0].n - 1 }, CS_MALFORMED);
	object_fini(&o);
}

TEST(attack_segment_tampered)
{
	struct object o;

	object_init(&o);
	for (size_t i = 0; i < o.seg[1].n; i += 65521) {
		o.seg[1].p[i] ^= 1;
		segment_refused(&o, o.bytes, 1, cs_buf_view(&o.seg[1]),
		    CS_BAD_MAC);
		o.seg[1].p[i] ^= 1;
	}
	o.seg[1].p[o.seg[1].n - 1] ^= 1;
	segment_refused(&o, o.bytes, 1, cs_buf_view(&o.seg[1]), CS_BAD_MAC);
	object_fini(&o);
}

/* Even if both had the same key. */
TEST(attack_segment_of_another_object)
{
	struct object o;
	struct cs_buf other = { 0 };
	uint8_t id[CS_ID_BYTES] = { 1 };

	object_init(&o);
	CHECK_OK(cs_seal_segment(o.secret, id, 3, 0, cs_bytes_str("abc"),
	    &other));
	segment_refused(&o, 3, 0, cs_buf_view(&other), CS_BAD_MAC);
	cs_buf_fini(&other);
	object_fini(&o);
}

TEST(attack_segment_padding_not_zero)
{
	struct object o;
	uint8_t plain[16384] = "abc", ad[21], stored[32 + 16384 + 32] = { 0 };

	object_init(&o);
	memset(ad, 0, sizeof(ad));
	memcpy(ad, o.id, 16);
	ad[20] = 1;
	plain[16383] = 1;
	crypto_aead_aegis256_encrypt(stored + 32, NULL, plain, sizeof(plain),
	    ad, sizeof(ad), NULL, stored, o.key);
	segment_refused(&o, 3, 0, CS_BYTES(stored), CS_MALFORMED);
	object_fini(&o);
}
