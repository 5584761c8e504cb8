#include "proto/witnessfile.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/entry.h"
#include "proto/field.h"

#define MAGIC_VERSION '1'
#define URL_MAX_BYTES 255
#define MAX_BYTES     (CS_LIMIT_ENTRY_BYTES + 1024)

static const uint8_t magic[] = { 'C', 'S', 'W' };

static void
read_magic(struct cs_cursor *c)
{
	uint8_t version;

	cs_cursor_expect(c, CS_BYTES(magic));
	version = cs_cursor_u8(c);
	if (cs_cursor_err(c) == CS_OK && version != MAGIC_VERSION)
		cs_cursor_fail(c, CS_UNSUPPORTED);
}

/* Root version 1 of exactly this network. */
static void
check_root(struct cs_cursor *c, const struct cs_witnessfile *v)
{
	uint8_t id[CS_NETWORK_ID_BYTES];
	struct cs_entry root;

	if (cs_cursor_err(c) != CS_OK)
		return;
	if (cs_entry_decode(v->root_entry, &root) != CS_OK ||
	    root.type != CS_ENTRY_ROOT) {
		cs_cursor_fail(c, CS_MALFORMED);
		return;
	}
	cs_entry_network_id(&root, id);
	if (memcmp(id, v->network_id, sizeof(id)) != 0) /* public */
		cs_cursor_fail(c, CS_MALFORMED);
}

/* The SHA-256 over all of in before it: a cut copy is noticed. */
static void
check_sum(struct cs_cursor *c, struct cs_bytes in)
{
	uint8_t sum[CS_HASH_BYTES];
	struct cs_bytes said = cs_cursor_take(c, sizeof(sum));

	if (said.n == 0)
		return;
	crypto_hash_sha256(sum, in.p, (size_t)(said.p - in.p));
	if (memcmp(sum, said.p, sizeof(sum)) != 0) /* public */
		cs_cursor_fail(c, CS_MALFORMED);
}

cs_err
cs_witnessfile_decode(struct cs_bytes in, struct cs_witnessfile *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_witnessfile v = { 0 };
	cs_err e;

	if (in.n > MAX_BYTES)
		return CS_TOO_LARGE;
	read_magic(&c);
	cs_cursor_copy(&c, v.network_id, sizeof(v.network_id));
	cs_cursor_copy(&c, v.witness_id, sizeof(v.witness_id));
	cs_cursor_copy(&c, v.relay_id, sizeof(v.relay_id));
	cs_cursor_copy(&c, v.relay_noise_key, sizeof(v.relay_noise_key));
	v.relay_url = cs_field_str8(&c, 1, URL_MAX_BYTES);
	v.network_name = cs_field_str8(&c, 1, CS_LIMIT_NAME_BYTES);
	v.root_entry = cs_cursor_take(&c, cs_cursor_u16(&c));
	check_sum(&c, in);
	check_root(&c, &v);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

static cs_err
check(struct cs_bytes in)
{
	struct cs_witnessfile v;

	return cs_witnessfile_decode(in, &v);
}

cs_err
cs_witnessfile_encode(const struct cs_witnessfile *v, struct cs_buf *out)
{
	size_t from = out->n;
	uint8_t sum[CS_HASH_BYTES];

	cs_buf_put_bytes(out, CS_BYTES(magic));
	cs_buf_put_u8(out, MAGIC_VERSION);
	cs_buf_put(out, v->network_id, sizeof(v->network_id));
	cs_buf_put(out, v->witness_id, sizeof(v->witness_id));
	cs_buf_put(out, v->relay_id, sizeof(v->relay_id));
	cs_buf_put(out, v->relay_noise_key, sizeof(v->relay_noise_key));
	cs_field_put_var8(out, v->relay_url);
	cs_field_put_var8(out, v->network_name);
	cs_field_put_var16(out, v->root_entry);
	if (cs_buf_err(out) == CS_OK) {
		crypto_hash_sha256(sum, out->p + from, out->n - from);
		cs_buf_put(out, sum, sizeof(sum));
	}
	return cs_field_finish(out, from, check);
}
