#include "client/circle.h"

#include <stdlib.h>
#include <string.h>

#include "client/addressing.h"
#include "client/inrec.h"
#include "client/outrec.h"
#include "client/resolve.h"

/* One address, while the buffer it lies in grows. */
struct row {
	size_t at, n;
	bool is_stranger; /* nobody in the case named it */
	bool was_known;   /* when this member spoke last */
};

struct finding {
	struct cs_client *c;
	const struct cs_thread *t;
	struct cs_local_txn *txn;
	struct cs_buf self, addresses;
	struct row *rows; /* CS_LIMIT_RECIPIENTS of them */
	uint32_t n;
	uint32_t last;  /* place of this member's last word to all; NONE */
	bool *is_known; /* by that: message i was here then */
};

static void
finding_fini(struct finding *f)
{
	cs_buf_fini(&f->self);
	cs_buf_fini(&f->addresses);
	free(f->rows);
	free(f->is_known);
}

/* What is said to everybody who is meant; an answer or a forward is to one. */
static bool
is_round(const struct cs_thread_message *m)
{
	return m->is_ours && !m->is_lost &&
	       (m->kind == CS_CONTENT_CASE || m->kind == CS_CONTENT_ADDENDUM ||
		   m->kind == CS_CONTENT_CLOSE || m->kind == CS_CONTENT_REOPEN);
}

/* The last of those, and what this device had when it was written: itself and
 * all before it. */
static void
find_last(struct finding *f)
{
	const struct cs_thread_message *list = f->t->list;

	f->last = CS_THREAD_NONE;
	for (uint32_t i = 0; i < f->t->n; i++)
		if (is_round(&list[i]))
			f->last = i;
	if (f->last == CS_THREAD_NONE)
		return;
	f->is_known[f->last] = true;
	for (uint32_t i = f->last + 1; i-- > 0;)
		for (uint16_t k = 0; f->is_known[i] && k < list[i].n_parents;
		     k++)
			if (list[i].parent_at[k] < i)
				f->is_known[list[i].parent_at[k]] = true;
}

static struct cs_bytes
address_of(const struct finding *f, const struct row *r)
{
	return (struct cs_bytes){ f->addresses.p + r->at, r->n };
}

static void
add_address(struct finding *f, uint32_t i, struct cs_bytes address)
{
	struct row *r = NULL;

	if (address.n == 0 || cs_bytes_eq(address, cs_buf_view(&f->self)))
		return;
	for (uint32_t k = 0; k < f->n && !r; k++)
		if (cs_bytes_eq(address_of(f, &f->rows[k]), address))
			r = &f->rows[k];
	if (!r && f->n == CS_LIMIT_RECIPIENTS)
		return;
	if (!r) {
		r = &f->rows[f->n++];
		*r = (struct row){ .at = f->addresses.n,
			.n = address.n,
			.is_stranger = true };
		cs_buf_put_bytes(&f->addresses, address);
	}
	r->is_stranger &= f->t->list[i].is_stranger;
	r->was_known |= f->is_known[i];
}

static void
add_addressees(struct finding *f, uint32_t i, const struct cs_manifest *m)
{
	struct cs_manifest_addressee row;
	size_t pos = 0;

	while (cs_manifest_next_addressee(m, &pos, &row))
		add_address(f, i, row.address);
}

/* Whom a stranger names is nobody's word. */
static cs_err
add_message(struct finding *f, uint32_t i)
{
	const struct cs_thread_message *m = &f->t->list[i];
	struct cs_secret *value = NULL;
	struct cs_manifest manifest;
	struct cs_outrec sent;
	struct cs_inrec came;
	cs_err e;

	if (m->is_ours) {
		CS_TRY(cs_outrec_get(f->txn, CS_LOCAL_OUT, m->id, &sent,
		    &value));
		add_addressees(f, i, &sent.manifest);
	} else {
		CS_TRY(cs_inrec_get(f->txn, m->record_id, &came, &value));
		CS_TRY(cs_manifest_decode(came.m, &manifest));
		add_address(f, i, came.from);
		if (!m->is_stranger)
			add_addressees(f, i, &manifest);
	}
	e = cs_buf_err(&f->addresses);
out:
	cs_secret_free(value);
	return e;
}

/* Whether the last word named an address, or a group they are in. */
static bool
is_named(const struct finding *f, const struct cs_addressing *a,
    struct cs_bytes address)
{
	const struct cs_addressing_to *to;
	struct cs_directory_member m;

	for (uint16_t i = 0; (to = cs_addressing_at(a, i)); i++)
		if (cs_bytes_eq(to->address, address))
			return true;
	return cs_directory_member_by_address(cs_client_directory(f->c),
		   address, &m) == CS_OK &&
	       cs_addressing_via(a, m.id) != NULL;
}

static void
place(const struct finding *f, const struct cs_addressing *last,
    const struct row *r, struct cs_circle_person *ret)
{
	struct cs_resolve_party party;

	ret->address = address_of(f, r);
	ret->place = CS_CIRCLE_IN;
	ret->obstacle =
	    cs_resolve_address(cs_client_directory(f->c), ret->address,
		cs_client_self(f->c)->member_id, cs_client_now(), NULL, &party);
	if (last && r->was_known && !is_named(f, last, ret->address))
		ret->place = CS_CIRCLE_LEFT_OUT;
	if (ret->obstacle != CS_OK)
		ret->place = CS_CIRCLE_UNREACHABLE;
	if (r->is_stranger)
		ret->place = CS_CIRCLE_STRANGER;
}

static cs_err
place_all(struct finding *f, struct cs_circle_person *list)
{
	struct cs_addressing *last = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec sent;
	cs_err e = CS_OK;

	if (f->last != CS_THREAD_NONE) {
		CS_TRY(cs_outrec_get(f->txn, CS_LOCAL_OUT,
		    f->t->list[f->last].id, &sent, &value));
		CS_TRY(cs_addressing_new(cs_client_directory(f->c),
		    &sent.manifest, &last));
	}
	for (uint32_t i = 0; i < f->n; i++)
		place(f, last, &f->rows[i], &list[i]);
out:
	cs_addressing_free(last);
	cs_secret_free(value);
	return e;
}

cs_err
cs_circle_load(struct cs_client *c, const struct cs_thread *t,
    struct cs_circle *ret)
{
	struct finding f = { .c = c, .t = t };
	struct cs_circle_person *list = NULL;
	cs_err e = CS_NO_MEMORY;

	f.rows = calloc(CS_LIMIT_RECIPIENTS, sizeof(*f.rows));
	f.is_known = calloc(t->n + 1, sizeof(*f.is_known));
	if (!f.rows || !f.is_known)
		goto out;
	cs_client_put_address(c, cs_client_self(c)->member_id, &f.self);
	CS_TRY(cs_buf_err(&f.self));
	find_last(&f);
	CS_TRY(cs_local_begin(cs_client_local(c), false, &f.txn));
	for (uint32_t i = 0; i < t->n; i++)
		if (!t->list[i].is_lost)
			CS_TRY(add_message(&f, i));
	list = calloc(f.n + 1u, sizeof(*list));
	CS_TRY(list ? CS_OK : CS_NO_MEMORY);
	CS_TRY(place_all(&f, list));
	*ret = (struct cs_circle){ list, f.n, f.addresses };
	f.addresses = (struct cs_buf){ 0 };
	list = NULL;
out:
	cs_local_end(&f.txn);
	free(list);
	finding_fini(&f);
	return e;
}

void
cs_circle_fini(struct cs_circle *circle)
{
	free(circle->list);
	cs_buf_fini(&circle->addresses);
	*circle = (struct cs_circle){ 0 };
}
