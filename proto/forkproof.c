#include "proto/forkproof.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/merkle.h"

#define MAGIC_VERSION '1'

static const uint8_t magic[] = { 'C', 'S', 'F' };

static void
read_magic(struct cs_cursor *c)
{
	uint8_t version;

	cs_cursor_expect(c, CS_BYTES(magic));
	version = cs_cursor_u8(c);
	if (cs_cursor_err(c) == CS_OK && version != MAGIC_VERSION)
		cs_cursor_fail(c, CS_UNSUPPORTED);
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

/* In one form only: what two logs of one size do not need is not there. */
static bool
is_in_order(const struct cs_forkproof *v)
{
	if (v->a.size == 0 || v->a.size > v->b.size)
		return false;
	return v->a.size < v->b.size ||
	       (v->proof.n == 0 &&
		   cs_field_is_zero(v->other_root, sizeof(v->other_root)));
}

cs_err
cs_forkproof_decode(struct cs_bytes in, struct cs_forkproof *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_forkproof v = { 0 };
	uint32_t n;
	cs_err e;

	if (in.n > CS_FORKPROOF_MAX_BYTES)
		return CS_TOO_LARGE;
	read_magic(&c);
	cs_cursor_copy(&c, v.network_id, sizeof(v.network_id));
	cs_checkpoint_take(&c, &v.a);
	v.certs_a = cs_field_var32(&c);
	cs_checkpoint_take(&c, &v.b);
	v.certs_b = cs_field_var32(&c);
	cs_cursor_copy(&c, v.other_root, sizeof(v.other_root));
	n = cs_field_count(&c, cs_cursor_u8(&c), 0, CS_MERKLE_MAX_PROOF);
	v.proof = cs_cursor_take(&c, (size_t)n * CS_HASH_BYTES);
	check_sum(&c, in);
	CS_TRY(cs_cursor_end(&c));
	CS_TRY(is_in_order(&v) ? CS_OK : CS_MALFORMED);
	*ret = v;
out:
	return e;
}

static cs_err
check(struct cs_bytes in)
{
	struct cs_forkproof v;

	return cs_forkproof_decode(in, &v);
}

cs_err
cs_forkproof_encode(const struct cs_forkproof *v, struct cs_buf *out)
{
	size_t from = out->n;
	uint8_t sum[CS_HASH_BYTES];

	if (v->proof.n > (size_t)CS_MERKLE_MAX_PROOF * CS_HASH_BYTES)
		return CS_TOO_LARGE;
	cs_buf_put_bytes(out, CS_BYTES(magic));
	cs_buf_put_u8(out, MAGIC_VERSION);
	cs_buf_put(out, v->network_id, sizeof(v->network_id));
	cs_checkpoint_put(&v->a, out);
	cs_field_put_var32(out, v->certs_a);
	cs_checkpoint_put(&v->b, out);
	cs_field_put_var32(out, v->certs_b);
	cs_buf_put(out, v->other_root, sizeof(v->other_root));
	cs_buf_put_u8(out, (uint8_t)(v->proof.n / CS_HASH_BYTES));
	cs_buf_put_bytes(out, v->proof);
	if (cs_buf_err(out) == CS_OK) {
		crypto_hash_sha256(sum, out->p + from, out->n - from);
		cs_buf_put(out, sum, sizeof(sum));
	}
	return cs_field_finish(out, from, check);
}
