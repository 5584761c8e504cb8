#include "proto/withdrawal.h"

#include "proto/base/cursor.h"
#include "proto/field.h"

#define VERSION 1

static const char *const names[] = {
	[CS_WITHDRAWAL_OTHER] = "other",
	[CS_WITHDRAWAL_WRONG_PATIENT] = "wrong-patient",
	[CS_WITHDRAWAL_WRONG_RECIPIENT] = "wrong-recipient",
	[CS_WITHDRAWAL_CORRECTED] = "corrected",
	[CS_WITHDRAWAL_SENT_IN_ERROR] = "sent-in-error",
};

const char *
cs_withdrawal_reason_name(enum cs_withdrawal_reason reason)
{
	return (size_t)reason < sizeof(names) / sizeof(names[0]) ? names[reason]
								 : NULL;
}

cs_err
cs_withdrawal_decode(struct cs_bytes in, struct cs_withdrawal *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_withdrawal w = { 0 };
	cs_err e;

	if (cs_cursor_u8(&c) != VERSION && cs_cursor_err(&c) == CS_OK)
		return CS_UNSUPPORTED;
	w.reason = cs_field_choice(&c, CS_WITHDRAWAL_OTHER,
	    CS_WITHDRAWAL_SENT_IN_ERROR);
	w.text = cs_field_str16(&c, 0, CS_WITHDRAWAL_TEXT_BYTES);
	CS_TRY(cs_cursor_end(&c));
	*ret = w;
out:
	return e;
}

static cs_err
check_withdrawal(struct cs_bytes in)
{
	struct cs_withdrawal w;

	return cs_withdrawal_decode(in, &w);
}

cs_err
cs_withdrawal_encode(const struct cs_withdrawal *w, struct cs_buf *out)
{
	size_t from = out->n;

	if (w->text.n > CS_WITHDRAWAL_TEXT_BYTES)
		return CS_TOO_LARGE;
	cs_buf_put_u8(out, VERSION);
	cs_buf_put_u8(out, (uint8_t)w->reason);
	cs_field_put_var16(out, w->text);
	return cs_field_finish(out, from, check_withdrawal);
}
