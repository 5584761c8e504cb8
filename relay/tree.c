#include "relay/tree.h"

#include <string.h>

cs_err
cs_tree_init(struct cs_tree *t, struct cs_store *store, enum cs_log log)
{
	struct cs_tree v = { .stored = { store, log } };
	uint64_t size;
	cs_err e;

	CS_TRY(cs_store_log_size(store, log, &size));
	CS_TRY(cs_merkle_read_edge(cs_store_log_read, &v.stored, size,
	    &v.edge));
	*t = v;
out:
	return e;
}

void
cs_tree_fini(struct cs_tree *t)
{
	for (unsigned i = 0; i < 64; i++)
		cs_buf_fini(&t->level[i].hashes);
}

struct completed {
	struct cs_tree *tree;
	struct cs_buf *out;
};

static void
on_node(void *ctx, uint8_t level, uint64_t index,
    const uint8_t hash[static CS_HASH_BYTES])
{
	struct completed *c = ctx;
	struct cs_tree_level *l = &c->tree->level[level];

	if (l->hashes.n == 0)
		l->first = index;
	cs_buf_put(&l->hashes, hash, CS_HASH_BYTES);
	cs_buf_put(c->out, hash, CS_HASH_BYTES);
	if (l->hashes.err != CS_OK)
		c->out->err = l->hashes.err;
}

cs_err
cs_tree_append(struct cs_tree *t, struct cs_bytes data, struct cs_buf *out)
{
	struct completed c = { t, out };
	uint8_t leaf[CS_HASH_BYTES];

	cs_merkle_leaf(data, leaf);
	cs_merkle_append(&t->edge, leaf, on_node, &c);
	return cs_buf_err(out);
}

/* A subtree: of this batch, else of the store. */
static cs_err
read_node(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_tree *t = ctx;
	const struct cs_tree_level *l = &t->level[level];
	uint64_t at = index - l->first;

	if (l->hashes.n == 0 || index < l->first)
		return cs_store_log_read(&t->stored, level, index, ret);
	if (at >= l->hashes.n / CS_HASH_BYTES)
		return CS_NOT_FOUND;
	memcpy(ret, l->hashes.p + at * CS_HASH_BYTES, CS_HASH_BYTES);
	return CS_OK;
}

cs_err
cs_tree_prove(struct cs_tree *t, uint64_t index, struct cs_buf *out)
{
	return cs_merkle_prove_inclusion(read_node, t, index, t->edge.size,
	    out);
}

cs_err
cs_tree_sign(const struct cs_tree *t, const struct cs_keyring *kr,
    const struct cs_store_incarnation *in, uint64_t time_s, struct cs_buf *out)
{
	const struct cs_keyring_info *me = cs_keyring_info(kr);
	struct cs_checkpoint cp = {
		.size = t->edge.size, .time_s = time_s, .counter = in->counter
	};
	struct cs_buf origin = { 0 }, body = { 0 };
	cs_err e;

	cs_merkle_root(&t->edge, cp.root);
	memcpy(cp.incarnation, in->id, CS_ID_BYTES);
	cs_checkpoint_origin(t->stored.log, me->network_id, me->id, &origin);
	CS_TRY(cs_buf_err(&origin));
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	CS_TRY(cs_buf_err(&body));
	cs_keyring_sign(kr, cs_buf_view(&body), cp.signature);
	cs_checkpoint_encode(cs_buf_view(&origin), &cp, me->sign_key, out);
	CS_TRY(cs_buf_err(out));
out:
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
	return e;
}
