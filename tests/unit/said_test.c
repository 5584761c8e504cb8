/* What a device said, as it travels: with or without its entry in the log. */
#include "proto/said.h"

#include <string.h>

#include "keys/verify.h"
#include "proto/merkle.h"
#include "tests/test.h"

static void
fill(struct cs_statement *st, struct cs_buf *bytes)
{
	*st = (struct cs_statement){ .fact = CS_FACT_ACKNOWLEDGED,
		.responsibility = true,
		.text = cs_bytes_str("mine") };
	memset(st->m_hash, 7, sizeof(st->m_hash));
	CHECK_OK(cs_statement_encode(st, bytes));
}

TEST(said_reads_what_it_wrote)
{
	struct cs_buf bytes = { 0 }, out = { 0 };
	struct cs_statement st, got;
	struct cs_said said = { 0 }, back;
	uint8_t proof[2 * CS_HASH_BYTES] = { 3 };

	fill(&st, &bytes);
	said.statement = cs_buf_view(&bytes);
	memset(said.signature, 9, sizeof(said.signature));
	cs_said_encode(&said, &out);
	CHECK_OK(cs_said_decode(cs_buf_view(&out), &back, &got));
	CHECK(!back.is_anchored);
	CHECK_VIEW(said.statement, back.statement);
	CHECK_VIEW(st.text, got.text);

	said.is_anchored = true;
	said.anchor.index = 5;
	said.anchor.proof = CS_BYTES(proof);
	said.anchor.checkpoint = cs_bytes_str("note");
	cs_buf_reset(&out);
	cs_said_encode(&said, &out);
	CHECK_OK(cs_said_decode(cs_buf_view(&out), &back, NULL));
	CHECK(back.is_anchored);
	CHECK_NUM(5, back.anchor.index);
	CHECK_VIEW(said.anchor.proof, back.anchor.proof);
	CHECK_VIEW(said.anchor.checkpoint, back.anchor.checkpoint);
	cs_buf_fini(&bytes);
	cs_buf_fini(&out);
}

TEST(said_refuses_what_is_cut_or_longer)
{
	struct cs_buf bytes = { 0 }, out = { 0 };
	struct cs_said said = { .is_anchored = true }, back = { 0 };
	size_t n, signed_n;
	struct cs_statement st;

	fill(&st, &bytes);
	said.statement = cs_buf_view(&bytes);
	said.anchor.checkpoint = cs_bytes_str("note");
	cs_said_encode(&said, &out);
	signed_n = bytes.n + CS_SIGNATURE_BYTES;
	for (n = 0; n < out.n; n++)
		CHECK((cs_said_decode((struct cs_bytes){ out.p, n }, &back,
			   NULL) == CS_OK) == (n == signed_n));
	cs_buf_put_u8(&out, 0);
	CHECK_ERR(CS_MALFORMED, cs_said_decode(cs_buf_view(&out), &back, NULL));
	out.p[signed_n] = 2; /* an addition of another kind */
	out.n--;
	CHECK_ERR(CS_MALFORMED, cs_said_decode(cs_buf_view(&out), &back, NULL));
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_said_decode(cs_bytes_str("consil/nothing"), &back, NULL));
	cs_buf_fini(&bytes);
	cs_buf_fini(&out);
}

TEST(an_anchor_is_of_one_statement_one_salt_and_one_place)
{
	struct cs_checkpoint cp = { .size = 1 };
	struct cs_said said = { .is_anchored = true };
	uint8_t mine[CS_HASH_BYTES], data[CS_HASH_BYTES];
	struct cs_statement st;
	struct cs_buf bytes = { 0 };

	fill(&st, &bytes);
	said.statement = cs_buf_view(&bytes);
	cs_statement_leaf(said.anchor.salt, said.statement, mine);
	cs_statement_anchor(mine, data);
	cs_merkle_leaf(CS_BYTES(data), cp.root);
	CHECK_OK(cs_verify_anchor(&said, &cp));
	said.anchor.salt[0] ^= 1;
	CHECK_ERR(CS_FORKED, cs_verify_anchor(&said, &cp));
	said.anchor.salt[0] ^= 1;
	said.anchor.index = 1;
	CHECK_ERR(CS_MALFORMED, cs_verify_anchor(&said, &cp));
	said.anchor.index = 0;
	/* a leaf of the relay's own kind is none */
	cs_merkle_leaf(CS_BYTES(mine), cp.root);
	CHECK_ERR(CS_FORKED, cs_verify_anchor(&said, &cp));
	cs_buf_fini(&bytes);
}

TEST(the_mark_of_an_acknowledgement_is_of_one_message_and_device)
{
	uint8_t m[CS_HASH512_BYTES] = { 1 }, device[CS_ID_BYTES] = { 2 };
	uint8_t a[CS_HASH_BYTES], b[CS_HASH_BYTES];

	cs_statement_acked(m, device, a);
	cs_statement_acked(m, device, b);
	CHECK_BYTES(a, sizeof(a), b, sizeof(b));
	device[0]++;
	cs_statement_acked(m, device, b);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	device[0]--;
	m[0]++;
	cs_statement_acked(m, device, b);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
}
