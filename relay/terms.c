#include "relay/terms.h"

#include <string.h>

#include "proto/base/cursor.h"
#include "relay/limits.h"

#define OBJECT_ROW_BYTES (CS_ID_BYTES + 4u)

void
cs_terms_encode(const struct cs_frame_upload_begin *v, struct cs_buf *out)
{
	cs_buf_put_u64(out, v->expires_at_s);
	cs_buf_put_u32(out, v->envelope_bytes);
	cs_buf_put_u8(out, v->class);
	cs_buf_put_u16(out, (uint16_t)(v->device_ids.n / CS_ID_BYTES));
	cs_buf_put_bytes(out, v->device_ids);
	cs_buf_put_bytes(out, v->objects);
}

cs_err
cs_terms_decode(struct cs_bytes in, struct cs_terms *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_terms t;
	cs_err e;

	t.expires_at_s = cs_cursor_u64(&c);
	t.envelope_bytes = cs_cursor_u32(&c);
	t.class = cs_cursor_u8(&c);
	t.device_ids =
	    cs_cursor_take(&c, (size_t)cs_cursor_u16(&c) * CS_ID_BYTES);
	t.objects = cs_cursor_take(&c, c.left - c.left % OBJECT_ROW_BYTES);
	CS_TRY(cs_cursor_end(&c));
	*ret = t;
out:
	return e;
}

static uint32_t
segments_of(const struct cs_terms *t, size_t i)
{
	struct cs_cursor c = cs_cursor_new((struct cs_bytes){
	    t->objects.p + i * OBJECT_ROW_BYTES + CS_ID_BYTES, 4 });

	return cs_cursor_u32(&c);
}

uint64_t
cs_terms_bytes(const struct cs_terms *t)
{
	uint64_t segments = 0;

	for (size_t i = 0; i < t->objects.n / OBJECT_ROW_BYTES; i++)
		segments += segments_of(t, i);
	return t->envelope_bytes + segments * CS_SEGMENT_BYTES +
	       (1 + t->device_ids.n / CS_ID_BYTES) * CS_LIMIT_ROW_BYTES;
}

static bool
same_recipients(const struct cs_terms *t, const struct cs_envelope *env)
{
	struct cs_envelope_recipient r;

	if (t->device_ids.n != (size_t)env->n_recipients * CS_ID_BYTES)
		return false;
	for (uint16_t i = 0; i < env->n_recipients; i++) {
		cs_envelope_recipient(env, i, &r);
		if (memcmp(t->device_ids.p + (size_t)i * CS_ID_BYTES,
			r.device_id, CS_ID_BYTES) != 0)
			return false;
	}
	return true;
}

static bool
same_objects(const struct cs_terms *t, const struct cs_envelope *env)
{
	struct cs_envelope_object o;

	if (t->objects.n != (size_t)env->n_objects * OBJECT_ROW_BYTES)
		return false;
	for (uint16_t i = 0; i < env->n_objects; i++) {
		cs_envelope_object(env, i, &o);
		if (memcmp(t->objects.p + (size_t)i * OBJECT_ROW_BYTES,
			o.object_id, CS_ID_BYTES) != 0 ||
		    segments_of(t, i) != o.segments)
			return false;
	}
	return true;
}

cs_err
cs_terms_check(const struct cs_terms *t, const struct cs_envelope *env,
    size_t envelope_bytes)
{
	if (t->expires_at_s != env->expires_at_s ||
	    t->envelope_bytes != envelope_bytes ||
	    t->class != (uint8_t)env->class || !same_recipients(t, env) ||
	    !same_objects(t, env))
		return CS_CLASH;
	return CS_OK;
}
