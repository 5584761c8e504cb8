#include "client/parents.h"

#include <stdlib.h>
#include <string.h>

#include "client/outrec.h"
#include "client/receipt.h"
#include "client/thread.h"
#include "proto/field.h"

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct cs_manifest_message *)a)->envelope_id,
	    ((const struct cs_manifest_message *)b)->envelope_id, CS_ID_BYTES);
}

static cs_err
put_rows(struct cs_manifest_message *rows, uint16_t n, struct cs_buf *out)
{
	qsort(rows, n, sizeof(*rows), by_id);
	for (uint16_t i = 0; i < n; i++)
		cs_manifest_put_parent(out, &rows[i]);
	return cs_buf_err(out);
}

/* The newest first; ours before those of others, which alone may be more than
 * a message names: what one device writes is one chain. */
static uint16_t
pick_heads(const struct cs_thread *t, bool ours,
    struct cs_manifest_message *heads, uint16_t n)
{
	for (size_t i = t->n; i > 0 && n < CS_LIMIT_PARENTS; i--) {
		const struct cs_thread_message *m = &t->list[i - 1];

		if (!m->is_head || m->is_ours != ours)
			continue;
		memcpy(heads[n].envelope_id, m->id, CS_ID_BYTES);
		memcpy(heads[n].s, m->s, CS_HASH_BYTES);
		n++;
	}
	return n;
}

cs_err
cs_parents_put(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_buf *ret_parents,
    uint16_t *ret_n)
{
	struct cs_manifest_message heads[CS_LIMIT_PARENTS];
	struct cs_thread t = { 0 };
	uint16_t n;
	cs_err e;

	*ret_n = 0;
	e = cs_thread_look(c, txn, thread_id, &t);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	n = pick_heads(&t, true, heads, 0);
	n = pick_heads(&t, false, heads, n);
	CS_TRY(put_rows(heads, n, ret_parents));
	*ret_n = n;
out:
	cs_thread_fini(&t);
	return e;
}

/* --------------------------------------------------------------------- naming
 */

struct naming {
	struct cs_local_txn *txn;
	struct cs_manifest_message rows[CS_LIMIT_PARENTS];
	uint16_t n;
	struct cs_buf todo; /* rows to look at, packed … */
	size_t at;          /* … as far as this */
};

/* Each id once; what is looked at stays in the list. */
static void
look_later(struct naming *p, const struct cs_manifest_message *row)
{
	const size_t one = sizeof(*row);

	for (size_t at = 0; at < p->todo.n; at += one)
		if (memcmp(p->todo.p + at +
			       offsetof(struct cs_manifest_message,
				   envelope_id),
			row->envelope_id, CS_ID_BYTES) == 0)
			return;
	cs_buf_put(&p->todo, row, one);
}

static void
look_at_parents(struct naming *p, const struct cs_manifest *m)
{
	struct cs_manifest_message row;
	size_t pos = 0;

	while (cs_manifest_next_parent(m, &pos, &row))
		look_later(p, &row);
}

/* One of ours whose S was not known. What failed is named only if somebody
 * stated that they have it. */
static cs_err
name_ours(struct naming *p, struct cs_manifest_message *row)
{
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	bool known;
	cs_err e;

	e = cs_outrec_get(p->txn, CS_LOCAL_OUT, row->envelope_id, &r, &value);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	known = cs_outrec_is_final_s(&r);
	if (r.stage == CS_OUTREC_FAILED && known)
		CS_TRY(cs_receipt_any(p->txn, r.id, &known));
	if (known)
		memcpy(row->s, r.s, CS_HASH_BYTES);
	else
		look_at_parents(p, &r.manifest);
out:
	cs_secret_free(value);
	return e;
}

static cs_err
name_next(struct naming *p)
{
	struct cs_manifest_message row;
	cs_err e = CS_OK;

	memcpy(&row, p->todo.p + p->at, sizeof(row));
	p->at += sizeof(row);
	if (cs_field_is_zero(row.s, CS_HASH_BYTES))
		CS_TRY(name_ours(p, &row));
	if (!cs_field_is_zero(row.s, CS_HASH_BYTES) && p->n < CS_LIMIT_PARENTS)
		p->rows[p->n++] = row;
	e = cs_buf_err(&p->todo);
out:
	return e;
}

cs_err
cs_parents_name(struct cs_client *c, struct cs_manifest *m,
    struct cs_buf *ret_parents)
{
	struct naming p = { 0 };
	cs_err e;

	cs_buf_reset(ret_parents);
	CS_TRY(cs_local_begin(cs_client_local(c), false, &p.txn));
	look_at_parents(&p, m);
	CS_TRY(cs_buf_err(&p.todo));
	while (p.at < p.todo.n)
		CS_TRY(name_next(&p));
	CS_TRY(put_rows(p.rows, p.n, ret_parents));
	m->n_parents = p.n;
	m->parents = cs_buf_view(ret_parents);
out:
	cs_local_end(&p.txn);
	cs_buf_fini(&p.todo);
	return e;
}
