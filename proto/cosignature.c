#include "proto/cosignature.h"

#include <inttypes.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/text.h"

#define TIME_BYTES 8
#define LINE_BYTES (TIME_BYTES + CS_SIGNATURE_BYTES)

void
cs_cosignature_name(const uint8_t witness_id[static CS_ID_BYTES],
    struct cs_buf *out)
{
	char hex[2 * CS_ID_BYTES + 1];

	cs_text_hex((struct cs_bytes){ witness_id, CS_ID_BYTES }, hex);
	cs_buf_put_str(out, "consil/witness/");
	cs_buf_put_str(out, hex);
}

void
cs_cosignature_message(uint64_t time_s, struct cs_bytes note_body,
    struct cs_buf *out)
{
	cs_buf_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
	cs_buf_put_bytes(out, note_body);
}

void
cs_cosignature_encode(const uint8_t witness_id[static CS_ID_BYTES],
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    const struct cs_cosignature *v, struct cs_buf *out)
{
	uint8_t line[LINE_BYTES];
	struct cs_buf name = { 0 };

	cs_bytes_be(v->time_s, TIME_BYTES, line);
	memcpy(line + TIME_BYTES, v->signature, CS_SIGNATURE_BYTES);
	cs_cosignature_name(witness_id, &name);
	if (out->err == CS_OK)
		out->err = cs_buf_err(&name);
	cs_checkpoint_put_line(cs_buf_view(&name), CS_NOTE_COSIGNATURE,
	    public_key, CS_BYTES(line), out);
	cs_buf_fini(&name);
}

cs_err
cs_cosignature_find(const struct cs_note *note,
    const uint8_t witness_id[static CS_ID_BYTES],
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_cosignature *ret)
{
	uint8_t line[LINE_BYTES];
	struct cs_cursor c;
	struct cs_buf name = { 0 };
	cs_err e;

	cs_cosignature_name(witness_id, &name);
	CS_TRY(cs_buf_err(&name));
	CS_TRY(cs_checkpoint_find_line(note, cs_buf_view(&name),
	    CS_NOTE_COSIGNATURE, public_key, line, sizeof(line)));
	c = cs_cursor_new(CS_BYTES(line));
	ret->time_s = cs_cursor_u64(&c);
	cs_cursor_copy(&c, ret->signature, sizeof(ret->signature));
out:
	cs_buf_fini(&name);
	return e;
}
