#include "proto/forward.h"

#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/text.h"

#define VERSION 1

static cs_err
check_kind(const struct cs_manifest *m)
{
	return cs_manifest_is_case(m->content_kind) ||
		       m->content_kind == CS_CONTENT_WITHDRAWAL
		   ? CS_OK
		   : CS_UNSUPPORTED;
}

cs_err
cs_forward_decode(struct cs_bytes in, struct cs_forward *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_forward f = { 0 };
	cs_err e;

	if (cs_cursor_u8(&c) != VERSION && cs_cursor_err(&c) == CS_OK)
		return CS_UNSUPPORTED;
	cs_cursor_copy(&c, f.envelope_id, sizeof(f.envelope_id));
	cs_cursor_copy(&c, f.e, sizeof(f.e));
	cs_cursor_copy(&c, f.signature, sizeof(f.signature));
	f.m = cs_field_var32(&c);
	f.note = cs_field_var32(&c);
	CS_TRY(cs_cursor_end(&c));
	CS_TRY(f.note.n <= CS_FORWARD_NOTE_BYTES ? CS_OK : CS_TOO_LARGE);
	CS_TRY(cs_text_is_utf8(f.note) ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_manifest_decode(f.m, &f.manifest));
	CS_TRY(check_kind(&f.manifest));
	*ret = f;
out:
	return e;
}

static cs_err
check_forward(struct cs_bytes in)
{
	struct cs_forward f;

	return cs_forward_decode(in, &f);
}

cs_err
cs_forward_encode(const struct cs_forward *f, struct cs_buf *out)
{
	size_t from = out->n;

	if (f->m.n > CS_LIMIT_BODY_BYTES || f->note.n > CS_FORWARD_NOTE_BYTES)
		return CS_TOO_LARGE;
	cs_buf_put_u8(out, VERSION);
	cs_buf_put(out, f->envelope_id, sizeof(f->envelope_id));
	cs_buf_put(out, f->e, sizeof(f->e));
	cs_buf_put(out, f->signature, sizeof(f->signature));
	cs_field_put_var32(out, f->m);
	cs_field_put_var32(out, f->note);
	return cs_field_finish(out, from, check_forward);
}

struct cs_bytes
cs_forward_content(const struct cs_manifest *m)
{
	struct cs_forward f;

	return m->content_kind == CS_CONTENT_FORWARD &&
		       cs_forward_decode(m->content, &f) == CS_OK
		   ? f.manifest.content
		   : m->content;
}

static bool
is_same_attachment(const struct cs_manifest_object *a,
    const struct cs_manifest_object *b)
{
	return a->bytes == b->bytes && cs_bytes_eq(a->name, b->name) &&
	       cs_bytes_eq(a->media_type, b->media_type) &&
	       cs_bytes_eq(CS_BYTES(a->sha256), CS_BYTES(b->sha256));
}

bool
cs_forward_carries(const struct cs_forward *f, const struct cs_manifest *outer)
{
	struct cs_manifest_object was, is;
	size_t was_pos = 0, is_pos = 0;

	if (f->manifest.n_objects != outer->n_objects)
		return false;
	while (cs_manifest_next_object(&f->manifest, &was_pos, &was) &&
	       cs_manifest_next_object(outer, &is_pos, &is)) {
		if (!is_same_attachment(&was, &is))
			return false;
	}
	return true;
}
