#include "proto/withdrawal.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

static const enum cs_withdrawal_reason reasons[] = { CS_WITHDRAWAL_OTHER,
	CS_WITHDRAWAL_WRONG_PATIENT, CS_WITHDRAWAL_WRONG_RECIPIENT,
	CS_WITHDRAWAL_CORRECTED, CS_WITHDRAWAL_SENT_IN_ERROR };

TEST(withdrawal_round_trips_with_every_reason)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct cs_withdrawal w = { reasons[i], cs_bytes_str("Sorry") };
		struct cs_withdrawal got;
		struct cs_buf out = { 0 };

		CHECK(cs_withdrawal_reason_name(reasons[i]));
		CHECK_OK(cs_withdrawal_encode(&w, &out));
		CHECK_OK(cs_withdrawal_decode(cs_buf_view(&out), &got));
		CHECK_NUM(reasons[i], got.reason);
		CHECK(cs_bytes_eq(w.text, got.text));
		cs_buf_fini(&out);
	}
	CHECK(!cs_withdrawal_reason_name(0));
	CHECK(!cs_withdrawal_reason_name(CS_WITHDRAWAL_SENT_IN_ERROR + 1));
}

TEST(withdrawal_refuses_what_is_no_layout)
{
	static const struct {
		cs_err want;
		const char *hex;
	} rows[] = {
		{ CS_MALFORMED, "" },
		{ CS_UNSUPPORTED, "02 01 00 00" },
		{ CS_MALFORMED, "01 00 00 00" },
		{ CS_MALFORMED, "01 06 00 00" },
		{ CS_MALFORMED, "01 01 00" },
		{ CS_MALFORMED, "01 01 00 01" },
		{ CS_MALFORMED, "01 01 00 00 00" },
		{ CS_MALFORMED, "01 01 00 01 ff" },
		{ CS_MALFORMED, "01 01 00 01 00" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cs_withdrawal got = { .reason = 77 };

		CHECK_ERR(rows[i].want,
		    cs_withdrawal_decode(HEX(rows[i].hex), &got));
		CHECK_NUM(77, got.reason);
	}
}

TEST(withdrawal_text_has_an_end)
{
	uint8_t *text = test_alloc(CS_WITHDRAWAL_TEXT_BYTES + 1);
	struct cs_withdrawal w = { CS_WITHDRAWAL_OTHER,
		{ text, CS_WITHDRAWAL_TEXT_BYTES } };
	struct cs_buf out = { 0 };

	memset(text, 'x', CS_WITHDRAWAL_TEXT_BYTES + 1);
	CHECK_OK(cs_withdrawal_encode(&w, &out));
	cs_buf_fini(&out);
	w.text.n++;
	CHECK_ERR(CS_TOO_LARGE, cs_withdrawal_encode(&w, &out));
	CHECK_NUM(0, out.n);
	w = (struct cs_withdrawal){ .reason = 9 };
	CHECK_ERR(CS_MALFORMED, cs_withdrawal_encode(&w, &out));
	CHECK_NUM(0, out.n);
	cs_buf_fini(&out);
}
