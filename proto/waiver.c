#include "proto/waiver.h"

#include "proto/base/cursor.h"
#include "proto/field.h"

#define MAGIC_VERSION '1'

static const uint8_t magic[] = { 'C', 'S', 'V' };

cs_err
cs_waiver_decode(struct cs_bytes in, struct cs_waiver *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_waiver v = { 0 };
	uint8_t version;
	cs_err e;

	if (in.n > CS_WAIVER_MAX_BYTES)
		return CS_TOO_LARGE;
	cs_cursor_expect(&c, CS_BYTES(magic));
	version = cs_cursor_u8(&c);
	if (cs_cursor_err(&c) == CS_OK && version != MAGIC_VERSION)
		cs_cursor_fail(&c, CS_UNSUPPORTED);
	cs_cursor_copy(&c, v.network_id, sizeof(v.network_id));
	v.core = cs_cursor_take(&c, cs_cursor_u16(&c));
	v.signature = cs_cursor_take(&c, CS_SIGNATURE_BYTES).p;
	v.record = cs_field_var32(&c);
	if (v.record.n > CS_WAIVER_RECORD_BYTES)
		cs_cursor_fail(&c, CS_TOO_LARGE);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

void
cs_waiver_encode(const struct cs_waiver *v, struct cs_buf *out)
{
	cs_buf_put_bytes(out, CS_BYTES(magic));
	cs_buf_put_u8(out, MAGIC_VERSION);
	cs_buf_put(out, v->network_id, sizeof(v->network_id));
	cs_field_put_var16(out, v->core);
	cs_buf_put(out, v->signature, CS_SIGNATURE_BYTES);
	cs_field_put_var32(out, v->record);
}
