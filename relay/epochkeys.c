#include "relay/epochkeys.h"

#include <string.h>

#include "proto/entry.h"
#include "proto/merkle.h"
#include "relay/auditlog.h"
#include "relay/dirlog.h"

/* Depth of a tree over one batch, its leaves included. */
#define LEVELS 6
_Static_assert(CS_EPOCHS_PER_BATCH <= 1 << (LEVELS - 1), "batch tree too high");

/* The tree over the keys of one batch. */
struct batch_tree {
	struct cs_merkle_edge edge;
	uint8_t node[LEVELS][CS_EPOCHS_PER_BATCH][CS_HASH_BYTES];
};

static void
on_node(void *ctx, uint8_t level, uint64_t index,
    const uint8_t hash[static CS_HASH_BYTES])
{
	struct batch_tree *t = ctx;

	memcpy(t->node[level][index], hash, CS_HASH_BYTES);
}

static cs_err
read_node(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	const struct batch_tree *t = ctx;

	if (level >= LEVELS || index >= CS_EPOCHS_PER_BATCH)
		return CS_NOT_FOUND;
	memcpy(ret, t->node[level][index], CS_HASH_BYTES);
	return CS_OK;
}

static void
grow_tree(const uint8_t *device_id, uint64_t first_epoch, struct cs_bytes keys,
    struct batch_tree *ret)
{
	uint8_t key_id[CS_HASH_BYTES];

	ret->edge = (struct cs_merkle_edge){ 0 };
	for (uint64_t i = 0; i < keys.n / CS_KEM_PUBLIC_BYTES; i++) {
		cs_entry_epoch_key_id(device_id, first_epoch + i,
		    keys.p + i * CS_KEM_PUBLIC_BYTES, key_id);
		cs_merkle_append(&ret->edge, key_id, on_node, ret);
	}
}

/* --------------------------------------------------------------- epoch_put */

/* Is exactly this batch in the log? */
static cs_err
check_logged(struct cs_core *c, const uint8_t *device_id,
    const struct cs_frame_epoch_put *put)
{
	struct cs_directory_batch logged;
	struct batch_tree tree;
	uint8_t root[CS_HASH_BYTES];
	cs_err e;

	CS_TRY(cs_dirlog_batch(c->dirlog, device_id, put->first_epoch,
	    &logged));
	CS_TRY(logged.batch.first_epoch == put->first_epoch ? CS_OK
							    : CS_NOT_FOUND);
	CS_TRY(logged.batch.count == put->keys.n / CS_KEM_PUBLIC_BYTES
		   ? CS_OK
		   : CS_CLASH);
	grow_tree(device_id, put->first_epoch, put->keys, &tree);
	cs_merkle_root(&tree.edge, root);
	CS_TRY(memcmp(root, logged.batch.root, sizeof(root)) == 0 ? CS_OK
								  : CS_CLASH);
out:
	return e;
}

/* CS_OK if the store holds this batch already. */
static cs_err
check_stored(struct cs_core *c, const uint8_t *device_id,
    const struct cs_frame_epoch_put *put)
{
	struct cs_buf keys = { 0 };
	uint64_t first;
	cs_err e;

	CS_TRY(cs_store_epochs(c->store, device_id, put->first_epoch, &keys,
	    &first));
	e = first == put->first_epoch &&
		    cs_bytes_eq(cs_buf_view(&keys), put->keys)
		? CS_OK
		: CS_NOT_FOUND;
out:
	cs_buf_fini(&keys);
	return e;
}

static cs_err
decode_put(struct cs_job *job, struct cs_frame_epoch_put *ret,
    const uint8_t **ret_device_id)
{
	struct cs_wire args = job->args;
	cs_err e;

	CS_TRY(cs_frame_epoch_put_decode(&args, ret));
	CS_TRY(cs_authz_own(job->condition, &job->who, ret_device_id));
out:
	return e;
}

cs_err
cs_epochkeys_put_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_frame_epoch_put put;
	const uint8_t *device_id;
	cs_err e;

	CS_TRY(decode_put(job, &put, &device_id));
	CS_TRY(check_logged(c, device_id, &put));
	if (check_stored(c, device_id, &put) == CS_OK)
		cs_frame_ok_encode(reply, job->id);
out:
	return e;
}

cs_err
cs_epochkeys_put_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct cs_audit_record r =
	    cs_auditlog_record(&job->who, CS_AUDIT_EPOCH_KEYS);
	struct cs_store_op op = { .kind = CS_STORE_EPOCHS };
	struct cs_frame_epoch_put put;
	const uint8_t *device_id;
	cs_err e;

	(void)c;
	CS_TRY(decode_put(job, &put, &device_id));
	memcpy(op.epochs.device_id, device_id, CS_ID_BYTES);
	op.epochs.first_epoch = put.first_epoch;
	op.epochs.keys = put.keys;
	CS_TRY(cs_batch_add(b, &op));
	memcpy(r.object, device_id, CS_ID_BYTES);
	r.a = put.first_epoch;
	r.b = put.keys.n / CS_KEM_PUBLIC_BYTES;
	CS_TRY(cs_batch_audit(b, &r));
out:
	return e;
}

/* --------------------------------------------------------------- epoch_get */

/* The key of the epoch, else the last one of the newest batch before it. */
static cs_err
find_key(struct cs_core *c, const uint8_t *device_id, uint64_t epoch,
    struct cs_buf *reply)
{
	struct cs_frame_epoch_found row = { 0 };
	struct cs_buf keys = { 0 }, proof = { 0 };
	struct batch_tree tree;
	uint64_t first, at;
	cs_err e;

	e = cs_store_epochs(c->store, device_id, epoch, &keys, &first);
	if (e == CS_NOT_FOUND) {
		cs_frame_put_epoch_found(reply, &row);
		return CS_OK;
	}
	CS_TRY(e);
	row.first_epoch = first;
	row.count = (uint8_t)(keys.n / CS_KEM_PUBLIC_BYTES);
	at = epoch - first < row.count ? epoch - first : row.count - 1u;
	row.epoch = first + at;
	row.key = (struct cs_bytes){ keys.p + at * CS_KEM_PUBLIC_BYTES,
		CS_KEM_PUBLIC_BYTES };
	grow_tree(device_id, first, cs_buf_view(&keys), &tree);
	CS_TRY(cs_merkle_prove_inclusion(read_node, &tree, at, tree.edge.size,
	    &proof));
	row.proof = cs_buf_view(&proof);
	cs_frame_put_epoch_found(reply, &row);
out:
	cs_buf_fini(&keys);
	cs_buf_fini(&proof);
	return e;
}

cs_err
cs_epochkeys_get_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_frame_epoch_get_reply answer = { 0 };
	struct cs_wire args = job->args;
	struct cs_frame_epoch_get ask;
	cs_err e;

	CS_TRY(cs_frame_epoch_get_decode(&args, &ask));
	answer.n = (uint32_t)(ask.device_ids.n / CS_ID_BYTES);
	cs_frame_epoch_get_reply_encode(reply, job->id, &answer);
	for (uint32_t i = 0; i < answer.n; i++)
		CS_TRY(find_key(c, ask.device_ids.p + i * CS_ID_BYTES,
		    ask.epoch, reply));
out:
	return e;
}
