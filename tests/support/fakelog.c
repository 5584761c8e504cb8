#include "tests/support/fakelog.h"

#include <string.h>
#include <time.h>

#include "proto/merkle.h"
#include "proto/statement.h"
#include "tests/test.h"

void
fake_log_init(struct fake_log *l, const struct network *net)
{
	memset(l, 0, sizeof(*l));
	l->net = net;
	l->counter = 1;
	l->now_s = (uint64_t)time(NULL);
}

void
fake_log_fini(struct fake_log *l)
{
	cs_buf_fini(&l->last);
}

void
fake_log_grow(struct fake_log *l, unsigned n)
{
	for (; n > 0; n--) {
		memset(l->leaf[l->n], 0x5a, CS_HASH_BYTES);
		cs_bytes_be(l->n, 8, l->leaf[l->n]);
		l->n++;
	}
}

static cs_err
read_node(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	const struct fake_log *l = ctx;
	struct cs_merkle_edge edge = { 0 };
	uint8_t hash[CS_HASH_BYTES];

	for (uint64_t i = index << level; i < (index + 1) << level; i++) {
		cs_merkle_leaf(CS_BYTES(l->leaf[i]), hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	cs_merkle_root(&edge, ret);
	return CS_OK;
}

void
fake_log_note(struct fake_log *l, uint64_t size, struct cs_buf *ret,
    struct cs_checkpoint *ret_cp)
{
	const struct cs_keyring_info *relay = cs_keyring_info(l->net->relay);
	struct cs_checkpoint cp = {
		.size = size, .time_s = l->now_s, .counter = l->counter
	};
	struct cs_buf origin = { 0 }, body = { 0 };

	CHECK_OK(cs_merkle_read_root(read_node, l, size, cp.root));
	cs_checkpoint_origin(CS_LOG_RECEIPTS, relay->network_id, relay->id,
	    &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	cs_keyring_sign(l->net->relay, cs_buf_view(&body), cp.signature);
	cp.signature[0] ^= l->lie;
	cs_checkpoint_encode(cs_buf_view(&origin), &cp, relay->sign_key, ret);
	if (ret_cp)
		*ret_cp = cp;
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
}

void
fake_log_prove(struct fake_log *l, uint64_t index, uint64_t size,
    struct cs_buf *ret)
{
	CHECK_OK(cs_merkle_prove_inclusion(read_node, l, index, size, ret));
}

void
fake_log_consistency(struct fake_log *l, uint64_t from, uint64_t to,
    struct cs_buf *ret)
{
	CHECK_OK(cs_merkle_prove_consistency(read_node, l, from, to, ret));
}

static void
anchor(struct fake_log *l, uint32_t id, struct cs_bytes leaves,
    struct cs_buf *out)
{
	struct cs_frame_anchor_reply reply = { 0 };
	struct cs_buf note = { 0 }, proof = { 0 };

	reply.n = (uint32_t)(leaves.n / CS_HASH_BYTES);
	if (!cs_bytes_eq(leaves, cs_buf_view(&l->last))) {
		l->first_of_last = l->n;
		for (uint32_t i = 0; i < reply.n; i++)
			cs_statement_anchor(leaves.p + i * CS_HASH_BYTES,
			    l->leaf[l->n++]);
		cs_buf_reset(&l->last);
		cs_buf_put_bytes(&l->last, leaves);
	}
	if (l->mute > 0) {
		l->mute--;
		cs_frame_error_encode(out, id, CS_BUSY, "lost", 0);
		return;
	}
	fake_log_note(l, l->n, &note, NULL);
	reply.first = l->first_of_last;
	reply.checkpoint = cs_buf_view(&note);
	cs_frame_anchor_reply_encode(out, id, &reply);
	for (uint32_t i = 0; i < reply.n; i++) {
		cs_buf_reset(&proof);
		fake_log_prove(l, reply.first + i, l->n, &proof);
		cs_wire_put_bin(out, cs_buf_view(&proof));
	}
	cs_buf_fini(&note);
	cs_buf_fini(&proof);
}

static void
show(struct fake_log *l, uint32_t id, const struct cs_frame_receipt_log *v,
    struct cs_buf *out)
{
	const uint64_t to = v->to ? v->to : l->n;
	struct cs_frame_receipt_log_reply reply = { 0 };
	struct cs_buf note = { 0 }, proof = { 0 };

	if (l->n == 0 || v->from > l->n || to > l->n) {
		cs_frame_error_encode(out, id, CS_NOT_FOUND, "shorter", 0);
		return;
	}
	if (v->from > 0)
		CHECK_OK(cs_merkle_prove_consistency(read_node, l, v->from, to,
		    &proof));
	fake_log_note(l, l->n, &note, NULL);
	reply.checkpoint = cs_buf_view(&note);
	reply.consistency = cs_buf_view(&proof);
	cs_frame_receipt_log_reply_encode(out, id, &reply);
	cs_buf_fini(&note);
	cs_buf_fini(&proof);
}

bool
fake_log_hook(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	struct cs_frame_receipt_log which;
	struct fake_log *l = ctx;
	struct cs_frame_anchor v;

	if (op != CS_OP_ANCHOR && op != CS_OP_RECEIPT_LOG)
		return false;
	l->anchored += op == CS_OP_ANCHOR;
	l->asked += op == CS_OP_RECEIPT_LOG;
	if (l->refuse != CS_OK)
		cs_frame_error_encode(out, id, l->refuse, "no", 0);
	else if (op == CS_OP_ANCHOR && cs_frame_anchor_decode(w, &v) == CS_OK)
		anchor(l, id, v.leaves, out);
	else if (op == CS_OP_RECEIPT_LOG &&
		 cs_frame_receipt_log_decode(w, &which) == CS_OK)
		show(l, id, &which, out);
	else
		return false;
	return true;
}
