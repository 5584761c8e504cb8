#include "proto/card.h"

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/label.h"

#define MAGIC_VERSION '1'
#define MAX_BYTES     512

static const uint8_t magic[] = { 'C', 'S', 'C' };

cs_err
cs_card_decode(struct cs_bytes in, struct cs_card *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_card card = { 0 };
	uint8_t version;
	cs_err e;

	if (in.n > MAX_BYTES)
		return CS_TOO_LARGE;
	cs_cursor_expect(&c, CS_BYTES(magic));
	version = cs_cursor_u8(&c);
	if (cs_cursor_err(&c) == CS_OK && version != MAGIC_VERSION)
		cs_cursor_fail(&c, CS_UNSUPPORTED);
	card.kind = cs_field_choice(&c, 1, UINT8_MAX);
	cs_cursor_copy(&c, card.id, sizeof(card.id));
	cs_cursor_copy(&c, card.sign_key, sizeof(card.sign_key));
	card.name = cs_field_str8(&c, 0, CS_LIMIT_NAME_BYTES);
	card.content = (struct cs_bytes){ in.p, (size_t)(c.p - in.p) };
	card.signature = cs_cursor_take(&c, CS_SIGNATURE_BYTES).p;
	CS_TRY(cs_cursor_end(&c));
	*ret = card;
out:
	return e;
}

void
cs_card_encode(const struct cs_card *card, struct cs_buf *out)
{
	cs_buf_put_bytes(out, CS_BYTES(magic));
	cs_buf_put_u8(out, MAGIC_VERSION);
	cs_buf_put_u8(out, card->kind);
	cs_buf_put(out, card->id, sizeof(card->id));
	cs_buf_put(out, card->sign_key, sizeof(card->sign_key));
	cs_field_put_var8(out, card->name);
}

void
cs_card_signed_bytes(struct cs_bytes content, struct cs_buf *out)
{
	cs_buf_put_bytes(out, CS_LABEL_CARD);
	cs_buf_put_bytes(out, content);
}
