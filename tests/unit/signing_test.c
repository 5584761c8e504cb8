#include "proto/signing.h"

#include <sodium.h>
#include <string.h>

#include "proto/card.h"
#include "tests/support/ceremony.h"
#include "tests/test.h"

static cs_err
decode(const struct cs_buf *v)
{
	struct cs_signing out = { 0 };
	cs_err e = cs_signing_decode(cs_buf_view(v), &out);

	CHECK((e == CS_OK) == (out.relay_url.p != NULL));
	return e;
}

static void
sum_again(struct cs_buf *v)
{
	crypto_hash_sha256(v->p + v->n - 32, v->p, v->n - 32);
}

TEST(signing_round_trip)
{
	struct cs_buf request = { 0 }, again = { 0 };
	struct cs_signing v;
	struct ceremony c;

	ceremony_init(&c);
	ceremony_found(&c);
	ceremony_next_root(&c, 3, &request);
	CHECK_OK(ceremony_sign(c.key[1], &request));
	CHECK_OK(ceremony_sign(c.key[3], &request));
	CHECK_OK(cs_signing_decode(cs_buf_view(&request), &v));
	CHECK_NUM(1, v.n_roots);
	CHECK_NUM(1, v.n_cores);
	CHECK_NUM(2, v.n_rows);
	CHECK_VIEW(cs_bytes_str("tcp://127.0.0.1:7700"), v.relay_url);
	CHECK_OK(cs_signing_encode(&v, &again));
	CHECK_VIEW(cs_buf_view(&request), cs_buf_view(&again));
	cs_buf_fini(&request);
	cs_buf_fini(&again);
	ceremony_fini(&c);
}

TEST(signing_notices_every_flipped_bit_and_every_cut)
{
	struct cs_buf request = { 0 };
	struct ceremony c;

	ceremony_init(&c);
	ceremony_founding(&c, &request);
	CHECK_OK(ceremony_sign(c.key[0], &request));
	for (size_t i = 0; i < request.n; i++) {
		struct cs_buf cut = { .p = request.p, .n = i };

		CHECK(decode(&cut) != CS_OK);
		request.p[i] ^= 1;
		CHECK(decode(&request) != CS_OK);
		request.p[i] ^= 1;
	}
	CHECK_OK(decode(&request));
	request.p[3] = '2';
	CHECK_ERR(CS_UNSUPPORTED, decode(&request));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

TEST(signing_refuses_what_no_root_signs)
{
	struct cs_entry_witness witness = { .name = cs_bytes_str("w") };
	struct cs_buf cores = { 0 }, body = { 0 }, out = { 0 };
	struct cs_signing v = { .n_cores = 1,
		.relay_url = cs_bytes_str("tcp://127.0.0.1:1") };
	const uint8_t id[CS_ID_BYTES] = { 1 };

	CHECK_OK(cs_entry_witness_encode(&witness, &body));
	CHECK_OK(cs_quorum_pack(CS_ENTRY_WITNESS, id, id, CS_ENTRY_NO_PREV, 1,
	    cs_buf_view(&body), &cores));
	v.cores = cs_buf_view(&cores);
	CHECK_ERR(CS_MALFORMED, cs_signing_encode(&v, &out));
	v.n_cores = 0;
	v.cores.n = 0;
	CHECK_ERR(CS_MALFORMED, cs_signing_encode(&v, &out));
	v.n_cores = CS_SIGNING_MAX_CORES + 1;
	CHECK_ERR(CS_TOO_LARGE, cs_signing_encode(&v, &out));
	CHECK_NUM(0, out.n);
	cs_buf_fini(&cores);
	cs_buf_fini(&body);
	cs_buf_fini(&out);
}

TEST(signing_refuses_rows_out_of_order_and_of_no_entry)
{
	struct cs_buf request = { 0 };
	struct ceremony c;
	size_t rows;

	ceremony_init(&c);
	ceremony_founding(&c, &request);
	CHECK_OK(ceremony_sign(c.key[0], &request)); /* two rows */
	rows = request.n - 32 - 2 * CS_SIGNING_ROW_BYTES;
	request.p[rows + CS_SIGNING_ROW_BYTES] = 2; /* there are 0 and 1 */
	sum_again(&request);
	CHECK_ERR(CS_MALFORMED, decode(&request));
	request.p[rows + CS_SIGNING_ROW_BYTES] = 0;
	sum_again(&request);
	CHECK_ERR(CS_MALFORMED, decode(&request));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

TEST(signing_rows_stand_in_order_once)
{
	static const uint8_t first[CS_SIGNATURE_BYTES] = { 1 },
			     second[CS_SIGNATURE_BYTES] = { 2 };
	static const struct {
		uint8_t core, number;
	} put[] = { { 1, 0 }, { 0, 0x81 }, { 0, 2 }, { 1, 0 }, { 2, 1 } },
	  want[] = { { 0, 2 }, { 0, 0x81 }, { 1, 0 }, { 2, 1 } };
	struct cs_buf rows = { 0 };

	for (size_t i = 0; i < sizeof(put) / sizeof(*put); i++) {
		struct cs_signing_row row = { put[i].core, put[i].number,
			i < 3 ? first : second };

		cs_signing_put_row(&rows, &row);
	}
	CHECK_OK(cs_buf_err(&rows));
	CHECK_NUM(4 * CS_SIGNING_ROW_BYTES, rows.n);
	for (uint16_t i = 0; i < 4; i++) {
		struct cs_signing_row row =
		    cs_signing_row(cs_buf_view(&rows), i);

		CHECK_NUM(want[i].core, row.core);
		CHECK_NUM(want[i].number, row.number);
		CHECK_NUM(i < 3 ? 1 : 2, row.signature[0]);
	}
	cs_buf_fini(&rows);
}
