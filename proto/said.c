#include "proto/said.h"

#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/merkle.h"

#define ANCHORED 1 /* the one kind of addition there is */

static void
read_anchor(struct cs_cursor *c, struct cs_said *v)
{
	uint32_t n;

	cs_field_choice(c, ANCHORED, ANCHORED);
	v->is_anchored = true;
	v->anchor.statement = v->statement;
	cs_cursor_copy(c, v->anchor.salt, sizeof(v->anchor.salt));
	v->anchor.index = cs_cursor_u64(c);
	n = cs_field_count(c, cs_cursor_u8(c), 0, CS_MERKLE_MAX_PROOF);
	v->anchor.proof = cs_cursor_take(c, (size_t)n * CS_HASH_BYTES);
	n = cs_field_count(c, cs_cursor_u32(c), 1, CS_LIMIT_CHECKPOINT_BYTES);
	v->anchor.checkpoint = cs_cursor_take(c, n);
}

cs_err
cs_said_decode(struct cs_bytes in, struct cs_said *ret,
    struct cs_statement *ret_st)
{
	struct cs_said v = { 0 };
	struct cs_statement st;
	struct cs_cursor c;
	size_t n;
	cs_err e;

	CS_TRY(cs_statement_take(in, &st, &n));
	v.statement = (struct cs_bytes){ in.p, n };
	c = cs_cursor_new((struct cs_bytes){ in.p + n, in.n - n });
	cs_cursor_copy(&c, v.signature, sizeof(v.signature));
	if (cs_cursor_err(&c) == CS_OK && c.left > 0)
		read_anchor(&c, &v);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
	if (ret_st)
		*ret_st = st;
out:
	return e;
}

void
cs_said_encode(const struct cs_said *said, struct cs_buf *out)
{
	cs_buf_put_bytes(out, said->statement);
	cs_buf_put(out, said->signature, sizeof(said->signature));
	if (!said->is_anchored)
		return;
	cs_buf_put_u8(out, ANCHORED);
	cs_buf_put(out, said->anchor.salt, sizeof(said->anchor.salt));
	cs_buf_put_u64(out, said->anchor.index);
	cs_buf_put_u8(out, (uint8_t)(said->anchor.proof.n / CS_HASH_BYTES));
	cs_buf_put_bytes(out, said->anchor.proof);
	cs_field_put_var32(out, said->anchor.checkpoint);
}
