/* The layout of receipt proofs; what they show is judged in judge_test.c. */
#include "proto/receiptproof.h"

#include <string.h>

#include "tests/test.h"

static void
make(struct cs_buf *ret)
{
	static const uint8_t hash[CS_HASH_BYTES] = { 9 };
	const struct cs_receiptproof_cert cert = {
		.leaf = cs_bytes_str("a leaf"), .proof = CS_BYTES(hash)
	};
	struct cs_receiptproof_item item = {
		.statement = cs_bytes_str("a statement"),
		.entered = { .index = 7,
		    .proof = CS_BYTES(hash),
		    .note = cs_bytes_str("after"),
		    .before = cs_bytes_str("before"),
		    .consistency = CS_BYTES(hash) },
		.entry = 5,
	};
	struct cs_buf certs = { 0 }, items = { 0 };
	struct cs_receiptproof v = { .n_certs = 1,
		.n_items = 5,
		.has_silence = true,
		.note = cs_bytes_str("end"),
		.peaks = CS_BYTES(hash),
		.leaves = CS_BYTES(hash) };

	cs_receiptproof_put_cert(&certs, &cert);
	for (item.how = CS_RECEIPTPROOF_LOGGED;
	     item.how <= CS_RECEIPTPROOF_SENDER; item.how++)
		cs_receiptproof_put_item(&items, &item);
	v.certs = cs_buf_view(&certs);
	v.items = cs_buf_view(&items);
	CHECK_OK(cs_receiptproof_encode(&v, ret));
	cs_buf_fini(&certs);
	cs_buf_fini(&items);
}

TEST(receiptproof_reads_what_it_wrote)
{
	struct cs_receiptproof_item item;
	struct cs_receiptproof_cert cert;
	struct cs_receiptproof v;
	struct cs_buf bytes = { 0 };
	size_t pos = 0;
	unsigned n = 0;

	make(&bytes);
	CHECK_OK(cs_receiptproof_decode(cs_buf_view(&bytes), &v));
	CHECK(cs_receiptproof_next_cert(&v, &pos, &cert));
	CHECK_VIEW(cs_bytes_str("a leaf"), cert.leaf);
	CHECK(!cs_receiptproof_next_cert(&v, &pos, &cert));
	for (pos = 0; cs_receiptproof_next_item(&v, &pos, &item);) {
		CHECK_NUM(++n, item.how);
		if (item.how == CS_RECEIPTPROOF_SENDER)
			CHECK_NUM(5, item.entry);
		else
			CHECK_VIEW(cs_bytes_str("a statement"), item.statement);
		if (item.how == CS_RECEIPTPROOF_ANCHORED) {
			CHECK_NUM(7, item.entered.index);
			CHECK_VIEW(cs_bytes_str("before"), item.entered.before);
		}
	}
	CHECK_NUM(5, n);
	CHECK(v.has_silence);
	CHECK_VIEW(cs_bytes_str("end"), v.note);
	CHECK_NUM(32, v.leaves.n);
	cs_buf_fini(&bytes);
}

TEST(receiptproof_refuses_what_is_cut_longer_or_changed)
{
	struct cs_receiptproof v;
	struct cs_buf bytes = { 0 };

	make(&bytes);
	for (size_t n = 0; n < bytes.n; n++)
		CHECK(cs_receiptproof_decode((struct cs_bytes){ bytes.p, n },
			  &v) != CS_OK);
	for (size_t i = 4; i < bytes.n; i += 7) {
		bytes.p[i] ^= 1;
		CHECK(cs_receiptproof_decode(cs_buf_view(&bytes), &v) != CS_OK);
		bytes.p[i] ^= 1;
	}
	cs_buf_put_u8(&bytes, 0);
	CHECK_ERR(CS_MALFORMED,
	    cs_receiptproof_decode(cs_buf_view(&bytes), &v));
	bytes.n--;
	bytes.p[3] = '2';
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_receiptproof_decode(cs_buf_view(&bytes), &v));
	CHECK_ERR(CS_TOO_LARGE,
	    cs_receiptproof_decode((struct cs_bytes){ bytes.p,
				       CS_RECEIPTPROOF_MAX_BYTES + 1 },
		&v));
	cs_buf_fini(&bytes);
}

TEST(receiptproof_of_nothing_is_none)
{
	struct cs_receiptproof v = { 0 };
	struct cs_buf bytes = { 0 };

	CHECK_ERR(CS_MALFORMED, cs_receiptproof_encode(&v, &bytes));
	CHECK_NUM(0, bytes.n);
	cs_buf_fini(&bytes);
}
