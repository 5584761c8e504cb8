#include "proto/card.h"

#include <string.h>

#include "tests/test.h"

static void
encode(const char *name, struct cs_buf *ret)
{
	struct cs_card card = { .kind = 3, .name = cs_bytes_str(name) };

	memset(card.id, 1, sizeof(card.id));
	memset(card.sign_key, 2, sizeof(card.sign_key));
	cs_card_encode(&card, ret);
	cs_buf_put_zero(ret, CS_SIGNATURE_BYTES);
	CHECK_OK(cs_buf_err(ret));
}

TEST(card_round_trip)
{
	struct cs_buf bytes = { 0 }, m = { 0 };
	struct cs_card card;

	encode("safe 1", &bytes);
	CHECK_OK(cs_card_decode(cs_buf_view(&bytes), &card));
	CHECK_NUM(3, card.kind);
	CHECK_VIEW(cs_bytes_str("safe 1"), card.name);
	CHECK_NUM(2, card.sign_key[31]);
	CHECK(card.signature == bytes.p + bytes.n - CS_SIGNATURE_BYTES);
	cs_card_signed_bytes(card.content, &m);
	CHECK(memcmp(m.p, "consil/card\0CSC1", 16) == 0);
	cs_buf_fini(&bytes);
	cs_buf_fini(&m);
}

TEST(card_refuses_other_layouts)
{
	struct cs_card card = { 0 };
	struct cs_buf bytes = { 0 };
	char name[256];

	encode("", &bytes);
	CHECK_OK(cs_card_decode(cs_buf_view(&bytes), &card));
	for (size_t n = 0; n < bytes.n; n++)
		CHECK_ERR(CS_MALFORMED,
		    cs_card_decode((struct cs_bytes){ bytes.p, n }, &card));
	bytes.p[3] = '2';
	CHECK_ERR(CS_UNSUPPORTED, cs_card_decode(cs_buf_view(&bytes), &card));
	cs_buf_reset(&bytes);
	cs_buf_put_zero(&bytes, 600);
	CHECK_ERR(CS_TOO_LARGE, cs_card_decode(cs_buf_view(&bytes), &card));
	cs_buf_reset(&bytes);
	memset(name, 'n', 201);
	name[201] = '\0';
	encode(name, &bytes);
	CHECK_ERR(CS_TOO_LARGE, cs_card_decode(cs_buf_view(&bytes), &card));
	cs_buf_fini(&bytes);
}
