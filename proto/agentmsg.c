#include "proto/agentmsg.h"

#include <string.h>

#include "proto/base/cursor.h"

#define MAGIC         "CSA"
#define VERSION       '1'
#define TIMEOUT_MAX_S (UINT64_C(7) * 86400)

/* Magic, a byte, a flag, two zeros, a number, a key: both ways alike. */
struct message {
	uint8_t code, flag;
	uint64_t number;
	const uint8_t *key; /* NULL: zero */
};

static void
put(struct cs_buf *out, const struct message *m)
{
	cs_buf_put_str(out, MAGIC);
	cs_buf_put_u8(out, VERSION);
	cs_buf_put_u8(out, m->code);
	cs_buf_put_u8(out, m->flag);
	cs_buf_put_u16(out, 0);
	cs_buf_put_u64(out, m->number);
	if (m->key)
		cs_buf_put(out, m->key, CS_AGENTMSG_KEY_BYTES);
	else
		cs_buf_put_zero(out, CS_AGENTMSG_KEY_BYTES);
}

/* Without a branch on bytes of a key. */
static bool
is_zero(const uint8_t *p)
{
	uint8_t any = 0;

	for (size_t i = 0; i < CS_AGENTMSG_KEY_BYTES; i++)
		any |= p[i];
	return any == 0;
}

static cs_err
decode(struct cs_bytes in, struct message *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct message m = { 0 };
	uint8_t version;

	cs_cursor_expect(&c, cs_bytes_str(MAGIC));
	version = cs_cursor_u8(&c);
	if (cs_cursor_err(&c) == CS_OK && version != VERSION)
		return CS_UNSUPPORTED;
	m.code = cs_cursor_u8(&c);
	m.flag = cs_cursor_u8(&c);
	if (cs_cursor_u16(&c) != 0)
		cs_cursor_fail(&c, CS_MALFORMED);
	m.number = cs_cursor_u64(&c);
	m.key = cs_cursor_take(&c, CS_AGENTMSG_KEY_BYTES).p;
	if (cs_cursor_end(&c) != CS_OK)
		return CS_MALFORMED;
	if (is_zero(m.key))
		m.key = NULL;
	*ret = m;
	return CS_OK;
}

void
cs_agentmsg_put_request(struct cs_buf *out, const struct cs_agentmsg_request *r)
{
	put(out, &(struct message){ .code = (uint8_t)r->op,
		     .number = r->timeout_s,
		     .key = r->key });
}

void
cs_agentmsg_put_reply(struct cs_buf *out, const struct cs_agentmsg_reply *r)
{
	put(out, &(struct message){ .code = (uint8_t)r->code,
		     .flag = r->unlocked,
		     .number = r->left_s,
		     .key = r->key });
}

cs_err
cs_agentmsg_request(struct cs_bytes in, struct cs_agentmsg_request *ret)
{
	struct message m;
	bool puts;
	cs_err e;

	CS_TRY(decode(in, &m));
	puts = m.code == CS_AGENTMSG_PUT;
	if (m.code < CS_AGENTMSG_GET || m.code > CS_AGENTMSG_STATUS ||
	    m.flag != 0 || m.number > (puts ? TIMEOUT_MAX_S : 0) ||
	    (m.key != NULL) != puts)
		return CS_MALFORMED;
	*ret = (struct cs_agentmsg_request){
		.op = m.code, .timeout_s = m.number, .key = m.key
	};
out:
	return e;
}

cs_err
cs_agentmsg_reply(struct cs_bytes in, struct cs_agentmsg_reply *ret)
{
	struct message m;
	cs_err e;

	CS_TRY(decode(in, &m));
	if (m.code < CS_AGENTMSG_DONE || m.code > CS_AGENTMSG_REFUSED ||
	    m.flag > 1 || m.number > (m.flag ? TIMEOUT_MAX_S : 0) ||
	    (m.key != NULL && (m.code != CS_AGENTMSG_DONE || m.flag == 0)))
		return CS_MALFORMED;
	*ret = (struct cs_agentmsg_reply){ .code = m.code,
		.unlocked = m.flag == 1,
		.left_s = m.number,
		.key = m.key };
out:
	return e;
}
