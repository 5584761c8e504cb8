#include "relay/store.h"

#include <string.h>

#include "proto/base/cursor.h"
#include "proto/statement.h"
#include "relay/store_engine.h"
#include "relay/store_lmdb.h"

#define OBJECT_ROW_BYTES (CS_ID_BYTES + 4u)

/* ------------------------------------------------- bounds of the operations
 */

static bool
is_between(struct cs_bytes v, size_t min, size_t max)
{
	return v.n >= min && v.n <= max && (v.n == 0 || v.p != NULL);
}

static bool
reserve_fits(const struct cs_store_op *op)
{
	const struct cs_bytes rows = op->reserve.objects;
	struct cs_cursor c = cs_cursor_new(rows);
	const uint8_t *last = NULL;

	if (!is_between(rows, 0, CS_LIMIT_OBJECTS * OBJECT_ROW_BYTES) ||
	    rows.n % OBJECT_ROW_BYTES != 0 ||
	    !is_between(op->reserve.terms, 0, CS_STORE_TERMS_BYTES))
		return false;
	while (c.left > 0) {
		const uint8_t *id = cs_cursor_take(&c, CS_ID_BYTES).p;
		uint32_t segments = cs_cursor_u32(&c);

		if (last && memcmp(last, id, CS_ID_BYTES) >= 0)
			return false;
		if (segments < 1 || segments > CS_LIMIT_SEGMENTS)
			return false;
		last = id;
	}
	return true;
}

static bool
segment_fits(const struct cs_store_op *op)
{
	return is_between(op->segment.bytes, 1, CS_SEGMENT_BYTES);
}

static bool
accept_fits(const struct cs_store_op *op)
{
	return is_between(op->accept.envelope, 1, CS_LIMIT_ENVELOPE_BYTES);
}

/* What the device took leaves nothing behind. */
static bool
take_fits(const struct cs_store_op *op)
{
	return op->take.outcome == 0 ||
	       (op->take.outcome >= CS_OUTCOME_EXPIRED &&
		   op->take.outcome <= CS_OUTCOME_WITHDRAWN);
}

static bool
statement_fits(const struct cs_store_op *op)
{
	return is_between(op->statement.bytes, 1, CS_STORE_STATEMENT_BYTES) &&
	       !(op->statement.is_evidence && op->statement.replaces);
}

static bool
usage_fits(const struct cs_store_op *op)
{
	return op->usage.kind >= CS_STORE_USAGE_SENDER &&
	       op->usage.kind <= CS_STORE_USAGE_SHARE;
}

static bool
is_log(enum cs_log log)
{
	return (unsigned)log < CS_LOGS;
}

static bool
append_fits(const struct cs_store_op *op)
{
	const struct cs_store_append *a = &op->append;

	return is_log(a->log) && a->index < UINT64_MAX &&
	       is_between(a->data, 1, CS_STORE_LEAF_BYTES) &&
	       a->nodes.p != NULL &&
	       a->nodes.n == CS_HASH_BYTES * cs_store_subtrees(a->index);
}

static bool
note_fits(const struct cs_store_op *op)
{
	return is_log(op->note.log) &&
	       is_between(op->note.note, 1, CS_LIMIT_CHECKPOINT_BYTES);
}

static bool
epochs_fit(const struct cs_store_op *op)
{
	const struct cs_bytes keys = op->epochs.keys;

	return is_between(keys, CS_KEM_PUBLIC_BYTES,
		   CS_EPOCHS_PER_BATCH * CS_KEM_PUBLIC_BYTES) &&
	       keys.n % CS_KEM_PUBLIC_BYTES == 0;
}

static bool
value_fits(const struct cs_store_op *op)
{
	return is_between(op->value.name, 1, CS_STORE_NAME_BYTES) &&
	       is_between(op->value.value, 0, CS_STORE_VALUE_BYTES);
}

/* Operations without a row hold ids and numbers only: any will do. */
static bool (*const fits[])(const struct cs_store_op *) = {
	[CS_STORE_RESERVE] = reserve_fits,
	[CS_STORE_SEGMENT] = segment_fits,
	[CS_STORE_ACCEPT] = accept_fits,
	[CS_STORE_TAKE] = take_fits,
	[CS_STORE_STATEMENT] = statement_fits,
	[CS_STORE_USAGE] = usage_fits,
	[CS_STORE_APPEND] = append_fits,
	[CS_STORE_NOTE] = note_fits,
	[CS_STORE_EPOCHS] = epochs_fit,
	[CS_STORE_VALUE] = value_fits,
};

static bool
op_fits(const struct cs_store_op *op)
{
	if (op->kind < CS_STORE_RESERVE || op->kind > CS_STORE_VALUE)
		return false;
	return fits[op->kind] == NULL || fits[op->kind](op);
}

unsigned
cs_store_subtrees(uint64_t index)
{
	return (unsigned)__builtin_ctzll(index + 1) + 1;
}

/* ------------------------------------------------------ what engines share */

cs_err
cs_store_open(const struct cs_store_config *config, struct cs_store **ret)
{
	return cs_store_lmdb.open(config, ret);
}

void
cs_store_close(struct cs_store *s)
{
	if (s)
		s->engine->close(s);
}

void
cs_store_incarnation(const struct cs_store *s, struct cs_store_incarnation *ret)
{
	*ret = s->incarnation;
}

cs_err
cs_store_commit(struct cs_store *s, const struct cs_store_op *ops, size_t n,
    size_t *ret_failed)
{
	size_t i, failed = n;
	cs_err e;

	for (i = 0; i < n; i++) {
		if (!op_fits(&ops[i])) {
			if (ret_failed)
				*ret_failed = i;
			return CS_MALFORMED;
		}
	}
	e = s->engine->commit(s, ops, n, &failed);
	if (e != CS_OK && ret_failed)
		*ret_failed = failed;
	return e;
}

cs_err
cs_store_log_read(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	const struct cs_store_log *l = ctx;

	return cs_store_log_node(l->store, l->log, level, index, ret);
}

/* --------------------------------------------------- reads, by the engine */

cs_err
cs_store_record(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_store_record *ret)
{
	return s->engine->record(s, envelope_id, ret);
}

cs_err
cs_store_terms(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_buf *out)
{
	return s->engine->terms(s, envelope_id, out);
}

cs_err
cs_store_envelope(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], const uint8_t *holder,
    struct cs_buf *out)
{
	return s->engine->envelope(s, envelope_id, holder, out);
}

cs_err
cs_store_segment(struct cs_store *s, const uint8_t *holder,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t object_id[static CS_ID_BYTES], uint32_t index,
    struct cs_buf *out)
{
	return s->engine->segment(s, holder, envelope_id, object_id, index,
	    out);
}

cs_err
cs_store_leaves(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t object_id[static CS_ID_BYTES], uint32_t from, size_t max,
    struct cs_store_leaf *ret, size_t *ret_n, uint32_t *ret_segments)
{
	return s->engine->leaves(s, envelope_id, object_id, from, max, ret,
	    ret_n, ret_segments);
}

cs_err
cs_store_holders(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], const uint8_t *after,
    size_t max, struct cs_store_holder *ret, size_t *ret_n)
{
	return s->engine->holders(s, envelope_id, after, max, ret, ret_n);
}

cs_err
cs_store_statement(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], struct cs_buf *out)
{
	return s->engine->statement(s, envelope_id, device_id, out);
}

cs_err
cs_store_statements(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_buf *out,
    size_t *ret_n)
{
	return s->engine->statements(s, envelope_id, out, ret_n);
}

cs_err
cs_store_mailbox(struct cs_store *s,
    const uint8_t device_id[static CS_ID_BYTES], struct cs_store_mailbox *ret)
{
	return s->engine->mailbox(s, device_id, ret);
}

cs_err
cs_store_list(struct cs_store *s, const uint8_t device_id[static CS_ID_BYTES],
    uint64_t after_seq, size_t max, struct cs_store_mailbox *ret_head,
    struct cs_frame_item *ret, size_t *ret_n)
{
	return s->engine->list(s, device_id, after_seq, max, ret_head, ret,
	    ret_n);
}

cs_err
cs_store_item(struct cs_store *s, const uint8_t device_id[static CS_ID_BYTES],
    uint64_t seq, struct cs_frame_item *ret)
{
	return s->engine->item(s, device_id, seq, ret);
}

cs_err
cs_store_oldest(struct cs_store *s, uint64_t *ret_received_at_s)
{
	return s->engine->oldest(s, ret_received_at_s);
}

cs_err
cs_store_usage(struct cs_store *s, enum cs_store_usage_kind kind,
    const uint8_t id[static CS_ID_BYTES], uint64_t *ret)
{
	return s->engine->usage(s, kind, id, ret);
}

cs_err
cs_store_log_size(struct cs_store *s, enum cs_log log, uint64_t *ret)
{
	return s->engine->log_size(s, log, ret);
}

cs_err
cs_store_log_node(struct cs_store *s, enum cs_log log, uint8_t level,
    uint64_t index, uint8_t ret[static CS_HASH_BYTES])
{
	return s->engine->log_node(s, log, level, index, ret);
}

cs_err
cs_store_log_leaves(struct cs_store *s, enum cs_log log, uint64_t from,
    size_t max_bytes, struct cs_buf *out, size_t *ret_n, uint64_t *ret_size)
{
	return s->engine->log_leaves(s, log, from, max_bytes, out, ret_n,
	    ret_size);
}

cs_err
cs_store_log_note(struct cs_store *s, enum cs_log log, struct cs_buf *out,
    uint64_t *ret_size)
{
	return s->engine->log_note(s, log, out, ret_size);
}

cs_err
cs_store_epochs(struct cs_store *s, const uint8_t device_id[static CS_ID_BYTES],
    uint64_t epoch, struct cs_buf *out, uint64_t *ret_first_epoch)
{
	return s->engine->epochs(s, device_id, epoch, out, ret_first_epoch);
}

cs_err
cs_store_value(struct cs_store *s, struct cs_bytes name, struct cs_buf *out,
    uint64_t *ret_version)
{
	return s->engine->value(s, name, out, ret_version);
}

cs_err
cs_store_due(struct cs_store *s, uint64_t now_s, size_t max,
    struct cs_store_due *ret, size_t *ret_n)
{
	return s->engine->due(s, now_s, max, ret, ret_n);
}

cs_err
cs_store_sweep(struct cs_store *s, bool full, bool *ret_more)
{
	return s->engine->sweep(s, full, ret_more);
}

cs_err
cs_store_stats(struct cs_store *s, struct cs_store_stats *ret)
{
	return s->engine->stats(s, ret);
}
