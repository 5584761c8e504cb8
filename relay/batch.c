#include "relay/batch.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/statement.h"
#include "relay/identity.h"
#include "relay/limits.h"
#include "relay/tree.h"

const uint8_t cs_batch_directory[CS_ID_BYTES];

#define NOBODY UINT32_MAX

/* Slots of the table of heads: more than twice what a batch can deliver. */
#define SLOTS 32768u
_Static_assert(SLOTS > 2 * (CS_LIMIT_BATCH_OPS + CS_LIMIT_RECIPIENTS),
    "the table of heads would get crowded");

struct kept {
	struct kept *next;
	uint8_t bytes[];
};

struct claim {
	uint8_t envelope_id[CS_ID_BYTES];
	bool exclusive;
};

struct head {
	uint8_t device_id[CS_ID_BYTES];
	struct cs_store_mailbox now;
};

struct issued {
	uint8_t envelope_id[CS_ID_BYTES], device_id[CS_ID_BYTES];
	uint8_t salt[32];
	uint64_t index;
	uint32_t task;
	struct cs_bytes statement, logged;
	struct cs_bytes signature; /* of evidence; else empty */
	bool replaces;
};

struct cs_batch {
	struct cs_core *core;
	uint32_t task;
	size_t bytes; /* that operations point to */
	struct kept *kept;

	struct cs_store_op *ops;
	uint32_t *owner; /* of each operation */
	size_t n_ops, cap_ops, cap_owner;

	struct claim *claims;
	size_t n_claims, cap_claims;

	struct head *heads;
	size_t n_heads, cap_heads;
	uint32_t slot[SLOTS]; /* 1 + number of a head; 0: free */

	struct issued *issued;
	size_t n_issued, cap_issued;
	struct cs_tree receipts;
	bool has_receipts, has_leaves;

	struct cs_audit_record *records;
	size_t n_records, cap_records;
};

/* Room for one more item of an array. */
static cs_err
grow(void **array, size_t *cap, size_t n, size_t item_bytes)
{
	size_t want = *cap ? *cap * 2 : 64;
	void *p;

	if (n < *cap)
		return CS_OK;
	p = reallocarray(*array, want, item_bytes);
	if (!p)
		return CS_NO_MEMORY;
	*array = p;
	*cap = want;
	return CS_OK;
}

#define GROW(b, array)                                                         \
	grow((void **)&(b)->array, &(b)->cap_##array, (b)->n_##array,          \
	    sizeof((b)->array[0]))

cs_err
cs_batch_new(struct cs_core *core, struct cs_batch **ret)
{
	struct cs_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return CS_NO_MEMORY;
	b->core = core;
	*ret = b;
	return CS_OK;
}

void
cs_batch_free(struct cs_batch *b)
{
	if (!b)
		return;
	cs_batch_reset(b);
	free(b->ops);
	free(b->owner);
	free(b->claims);
	free(b->heads);
	free(b->issued);
	free(b->records);
	free(b);
}

void
cs_batch_reset(struct cs_batch *b)
{
	struct kept *k;

	while ((k = b->kept) != NULL) {
		b->kept = k->next;
		free(k);
	}
	if (b->has_receipts)
		cs_tree_fini(&b->receipts);
	b->has_receipts = b->has_leaves = false;
	if (b->n_heads > 0)
		memset(b->slot, 0, sizeof(b->slot));
	b->bytes = b->n_ops = b->n_claims = b->n_heads = b->n_issued = 0;
	b->n_records = 0;
	b->task = NOBODY;
}

void
cs_batch_task(struct cs_batch *b, uint32_t task)
{
	b->task = task;
}

size_t
cs_batch_ops(const struct cs_batch *b)
{
	return b->n_ops + b->n_records;
}

bool
cs_batch_is_full(const struct cs_batch *b)
{
	return b->n_ops >= CS_LIMIT_BATCH_OPS ||
	       b->bytes >= CS_LIMIT_BATCH_BYTES;
}

cs_err
cs_batch_claim(struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES], bool exclusive)
{
	struct claim *c;
	cs_err e;

	for (size_t i = 0; i < b->n_claims; i++) {
		c = &b->claims[i];
		if ((exclusive || c->exclusive) &&
		    memcmp(c->envelope_id, envelope_id, CS_ID_BYTES) == 0)
			return CS_BUSY;
	}
	CS_TRY(GROW(b, claims));
	c = &b->claims[b->n_claims++];
	memcpy(c->envelope_id, envelope_id, CS_ID_BYTES);
	c->exclusive = exclusive;
out:
	return e;
}

/* Bytes outside the operation itself, of those that can be large. */
static size_t
weight(const struct cs_store_op *op)
{
	switch (op->kind) {
	case CS_STORE_SEGMENT:
		return op->segment.bytes.n;
	case CS_STORE_ACCEPT:
		return op->accept.envelope.n;
	case CS_STORE_STATEMENT:
		return op->statement.bytes.n;
	case CS_STORE_APPEND:
		return op->append.data.n;
	case CS_STORE_RESERVE:
	case CS_STORE_RENEW:
	case CS_STORE_CANCEL:
	case CS_STORE_RELEASE:
	case CS_STORE_FORGET:
	case CS_STORE_EXTEND:
	case CS_STORE_DELIVER:
	case CS_STORE_TAKE:
	case CS_STORE_USAGE:
	case CS_STORE_NOTE:
	case CS_STORE_EPOCHS:
	case CS_STORE_VALUE:
		break;
	}
	return 0;
}

cs_err
cs_batch_add(struct cs_batch *b, const struct cs_store_op *op)
{
	cs_err e;

	CS_TRY(GROW(b, ops));
	CS_TRY(grow((void **)&b->owner, &b->cap_owner, b->n_ops,
	    sizeof(b->owner[0])));
	b->ops[b->n_ops] = *op;
	b->owner[b->n_ops++] = b->task;
	b->bytes += weight(op);
out:
	return e;
}

cs_err
cs_batch_keep(struct cs_batch *b, struct cs_bytes v, struct cs_bytes *ret)
{
	struct kept *k = malloc(sizeof(*k) + v.n);

	if (!k)
		return CS_NO_MEMORY;
	if (v.n > 0)
		memcpy(k->bytes, v.p, v.n);
	k->next = b->kept;
	b->kept = k;
	*ret = (struct cs_bytes){ k->bytes, v.n };
	return CS_OK;
}

/* --------------------------------------------------------------- mailboxes */

/* The head of a mailbox as this batch leaves it so far. */
static cs_err
find_head(struct cs_batch *b, const uint8_t *device_id, struct head **ret)
{
	struct head *h;
	uint32_t at;
	cs_err e;

	memcpy(&at, device_id, sizeof(at)); /* ids are random */
	for (at %= SLOTS; b->slot[at] != 0; at = (at + 1) % SLOTS) {
		h = &b->heads[b->slot[at] - 1];
		if (memcmp(h->device_id, device_id, CS_ID_BYTES) == 0) {
			*ret = h;
			return CS_OK;
		}
	}
	CS_TRY(b->n_heads < SLOTS / 2 ? CS_OK : CS_TOO_LARGE);
	CS_TRY(GROW(b, heads));
	h = &b->heads[b->n_heads];
	memcpy(h->device_id, device_id, CS_ID_BYTES);
	CS_TRY(cs_store_mailbox(b->core->store, device_id, &h->now));
	b->slot[at] = (uint32_t)++b->n_heads;
	*ret = h;
out:
	return e;
}

cs_err
cs_batch_deliver(struct cs_batch *b,
    const uint8_t device_id[static CS_ID_BYTES],
    const struct cs_frame_item *item, struct cs_store_mailbox *ret_head)
{
	struct cs_store_op op = { .kind = CS_STORE_DELIVER };
	struct cs_store_deliver *d = &op.deliver;
	struct head *h;
	cs_err e;

	CS_TRY(find_head(b, device_id, &h));
	memcpy(d->device_id, device_id, CS_ID_BYTES);
	d->expected_seq = h->now.seq;
	d->item = *item;
	cs_statement_chain(h->now.chain, h->now.seq + 1, item->envelope_id,
	    item->e, d->chain);
	CS_TRY(cs_batch_add(b, &op));
	h->now.seq++;
	memcpy(h->now.chain, d->chain, CS_HASH_BYTES);
	*ret_head = h->now;
out:
	return e;
}

/* -------------------------------------------------------------------- logs */

/* Appends a leaf to the log of a tree. */
static cs_err
append_leaf(struct cs_batch *b, struct cs_tree *t, struct cs_bytes data)
{
	struct cs_store_op op = { .kind = CS_STORE_APPEND };
	struct cs_buf nodes = { 0 };
	cs_err e;

	op.append.log = t->stored.log;
	op.append.index = t->edge.size;
	CS_TRY(cs_batch_keep(b, data, &op.append.data));
	CS_TRY(cs_tree_append(t, op.append.data, &nodes));
	CS_TRY(cs_batch_keep(b, cs_buf_view(&nodes), &op.append.nodes));
	CS_TRY(cs_batch_add(b, &op));
out:
	cs_buf_fini(&nodes);
	return e;
}

/* Signs the checkpoint of a tree and stores it. */
static cs_err
put_note(struct cs_batch *b, const struct cs_tree *t, struct cs_bytes *ret)
{
	struct cs_store_op op = { .kind = CS_STORE_NOTE };
	struct cs_store_incarnation in;
	struct cs_buf note = { 0 };
	cs_err e;

	cs_store_incarnation(b->core->store, &in);
	CS_TRY(cs_tree_sign(t, cs_identity_signer(b->core->identity), &in,
	    cs_clock_now_s(&b->core->clock), &note));
	op.note.log = t->stored.log;
	op.note.size = t->edge.size;
	CS_TRY(cs_batch_keep(b, cs_buf_view(&note), &op.note.note));
	cs_batch_task(b, NOBODY);
	CS_TRY(cs_batch_add(b, &op));
	*ret = op.note.note;
out:
	cs_buf_fini(&note);
	return e;
}

/* ------------------------------------------------------------- receipt log */

/* The receipt log as this batch leaves it so far. */
static cs_err
open_receipts(struct cs_batch *b)
{
	cs_err e;

	if (b->has_receipts)
		return CS_OK;
	CS_TRY(cs_tree_init(&b->receipts, b->core->store, CS_LOG_RECEIPTS));
	b->has_receipts = true;
out:
	return e;
}

cs_err
cs_batch_anchor(struct cs_batch *b, const uint8_t leaf[static CS_HASH_BYTES],
    uint64_t *ret_index)
{
	uint8_t data[CS_HASH_BYTES];
	uint64_t index;
	cs_err e;

	CS_TRY(open_receipts(b));
	index = b->receipts.edge.size;
	cs_statement_anchor(leaf, data);
	CS_TRY(append_leaf(b, &b->receipts, CS_BYTES(data)));
	b->has_leaves = true;
	*ret_index = index;
out:
	return e;
}

static cs_err
issue(struct cs_batch *b, const uint8_t *envelope_id, const uint8_t *device_id,
    struct cs_bytes statement, struct issued **ret)
{
	uint8_t leaf[CS_HASH_BYTES];
	struct issued *is;
	cs_err e;

	CS_TRY(open_receipts(b));
	CS_TRY(GROW(b, issued));
	is = &b->issued[b->n_issued];
	*is = (struct issued){ .task = b->task };
	memcpy(is->envelope_id, envelope_id, CS_ID_BYTES);
	memcpy(is->device_id, device_id, CS_ID_BYTES);
	CS_TRY(cs_batch_keep(b, statement, &is->statement));
	/* The salt keeps leaves shown to others from being guessed at. */
	randombytes_buf(is->salt, sizeof(is->salt));
	is->index = b->receipts.edge.size;
	cs_statement_leaf(is->salt, is->statement, leaf);
	CS_TRY(append_leaf(b, &b->receipts, CS_BYTES(leaf)));
	b->has_leaves = true;
	b->n_issued++;
	*ret = is;
out:
	return e;
}

cs_err
cs_batch_issue(struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], struct cs_bytes statement,
    size_t *ret_number)
{
	struct issued *is;
	cs_err e;

	CS_TRY(issue(b, envelope_id, device_id, statement, &is));
	*ret_number = (size_t)(is - b->issued);
out:
	return e;
}

cs_err
cs_batch_issue_again(struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_bytes statement,
    size_t *ret_number)
{
	static const uint8_t no_device[CS_ID_BYTES];
	struct issued *is;
	cs_err e;

	CS_TRY(issue(b, envelope_id, no_device, statement, &is));
	is->replaces = true;
	*ret_number = (size_t)(is - b->issued);
out:
	return e;
}

cs_err
cs_batch_evidence(struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], struct cs_bytes statement,
    const uint8_t signature[static CS_SIGNATURE_BYTES])
{
	struct cs_bytes kept;
	struct issued *is;
	cs_err e;

	CS_TRY(cs_batch_keep(b,
	    (struct cs_bytes){ signature, CS_SIGNATURE_BYTES }, &kept));
	CS_TRY(issue(b, envelope_id, device_id, statement, &is));
	is->signature = kept;
out:
	return e;
}

/* Puts the proof and the checkpoint to a statement and stores it. */
static cs_err
complete(struct cs_batch *b, struct issued *is, struct cs_bytes note)
{
	struct cs_store_op op = { .kind = CS_STORE_STATEMENT };
	struct cs_logged lg = { .statement = is->statement,
		.index = is->index,
		.checkpoint = note };
	struct cs_buf proof = { 0 }, logged = { 0 };
	cs_err e;

	CS_TRY(cs_tree_prove(&b->receipts, is->index, &proof));
	memcpy(lg.salt, is->salt, sizeof(lg.salt));
	lg.proof = cs_buf_view(&proof);
	cs_statement_logged_encode(&lg, &logged);
	cs_buf_put_bytes(&logged, is->signature);
	CS_TRY(cs_buf_err(&logged));
	CS_TRY(cs_batch_keep(b, cs_buf_view(&logged), &is->logged));
	memcpy(op.statement.envelope_id, is->envelope_id, CS_ID_BYTES);
	memcpy(op.statement.device_id, is->device_id, CS_ID_BYTES);
	op.statement.is_evidence = is->signature.n > 0;
	op.statement.replaces = is->replaces;
	op.statement.bytes = is->logged;
	cs_batch_task(b, is->task);
	CS_TRY(cs_batch_add(b, &op));
out:
	cs_buf_fini(&proof);
	cs_buf_fini(&logged);
	return e;
}

static cs_err
seal_receipts(struct cs_batch *b)
{
	struct cs_bytes note;
	cs_err e;

	if (!b->has_leaves)
		return CS_OK;
	CS_TRY(put_note(b, &b->receipts, &note));
	for (size_t i = 0; i < b->n_issued; i++)
		CS_TRY(complete(b, &b->issued[i], note));
out:
	return e;
}

/* --------------------------------------------------------------- audit log */

cs_err
cs_batch_audit(struct cs_batch *b, const struct cs_audit_record *r)
{
	cs_err e;

	CS_TRY(GROW(b, records));
	b->records[b->n_records++] = *r;
out:
	return e;
}

cs_err
cs_batch_audit_earlier(struct cs_batch *b, const struct cs_audit_record *r,
    size_t n)
{
	const size_t before = b->n_records;
	cs_err e = CS_OK;

	for (size_t i = 0; i < n; i++)
		CS_TRY(cs_batch_audit(b, &r[i]));
	if (n == 0)
		goto out;
	memmove(b->records + n, b->records, before * sizeof(*r));
	memcpy(b->records, r, n * sizeof(*r));
out:
	return e;
}

/* What the next record follows: the time and hash of the newest one. */
static cs_err
read_newest(struct cs_batch *b, uint64_t size, uint64_t *ret_time_s,
    uint8_t ret_hash[static CS_HASH_BYTES])
{
	const struct cs_keyring_info *me = b->core->me;
	struct cs_audit_record newest;
	struct cs_buf leaf = { 0 };
	struct cs_bytes record;
	struct cs_cursor c;
	size_t n;
	cs_err e = CS_OK;

	if (size == 0) {
		*ret_time_s = 0;
		cs_audit_first(me->network_id, me->id, ret_hash);
		goto out;
	}
	CS_TRY(cs_store_log_leaves(b->core->store, CS_LOG_AUDIT, size - 1, 1,
	    &leaf, &n, &size));
	c = cs_cursor_new(cs_buf_view(&leaf));
	record = cs_field_var32(&c);
	CS_TRY(cs_audit_decode(record, &newest) == CS_OK ? CS_OK : CS_CORRUPT);
	*ret_time_s = newest.time_s;
	cs_audit_hash(record, ret_hash);
out:
	cs_buf_fini(&leaf);
	return e;
}

/* A clock that went back does not show here: order is what records prove. */
static cs_err
append_record(struct cs_batch *b, struct cs_tree *t, struct cs_audit_record *r,
    uint64_t *time_s, uint8_t hash[static CS_HASH_BYTES])
{
	struct cs_buf record = { 0 };
	cs_err e;

	r->seq = t->edge.size;
	r->time_s = cs_clock_now_s(&b->core->clock);
	if (r->time_s < *time_s)
		r->time_s = *time_s;
	*time_s = r->time_s;
	memcpy(r->prev, hash, CS_HASH_BYTES);
	cs_audit_encode(r, &record);
	CS_TRY(cs_buf_err(&record));
	cs_audit_hash(cs_buf_view(&record), hash);
	CS_TRY(append_leaf(b, t, cs_buf_view(&record)));
out:
	cs_buf_fini(&record);
	return e;
}

static cs_err
seal_records(struct cs_batch *b)
{
	struct cs_tree tree = { 0 };
	uint8_t hash[CS_HASH_BYTES];
	struct cs_bytes note;
	uint64_t time_s;
	cs_err e = CS_OK;

	if (b->n_records == 0)
		return CS_OK;
	cs_batch_task(b, NOBODY);
	CS_TRY(cs_tree_init(&tree, b->core->store, CS_LOG_AUDIT));
	CS_TRY(read_newest(b, tree.edge.size, &time_s, hash));
	for (size_t i = 0; i < b->n_records; i++)
		CS_TRY(append_record(b, &tree, &b->records[i], &time_s, hash));
	CS_TRY(put_note(b, &tree, &note));
out:
	cs_tree_fini(&tree);
	return e;
}

cs_err
cs_batch_seal(struct cs_batch *b)
{
	cs_err e;

	CS_TRY(seal_receipts(b));
	CS_TRY(seal_records(b));
out:
	return e;
}

struct cs_bytes
cs_batch_logged(const struct cs_batch *b, size_t number)
{
	return b->issued[number].logged;
}

/* ------------------------------------------------------------------ commit */

cs_err
cs_batch_commit(struct cs_batch *b, uint32_t *ret_task)
{
	size_t failed = b->n_ops;
	cs_err e;

	e = cs_store_commit(b->core->store, b->ops, b->n_ops, &failed);
	if (e != CS_OK)
		*ret_task = failed < b->n_ops ? b->owner[failed] : NOBODY;
	return e;
}
