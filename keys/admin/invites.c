#include "keys/admin/invites.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What happens to a member's invitations, in the order of the log. */
struct event {
	uint8_t member[CS_ID_BYTES];
	struct cs_invites_row row; /* of a member entry */
	bool is_device;            /* that an invitation brought in */
};

struct events {
	struct event *p;
	size_t n, cap;
};

const char *
cs_invites_state_name(enum cs_invites_state state)
{
	static const char *const names[] = {
		[CS_INVITES_OPEN] = "open",
		[CS_INVITES_USED] = "used",
		[CS_INVITES_EXPIRED] = "expired",
		[CS_INVITES_REVOKED] = "revoked",
	};

	return names[state];
}

/* ----------------------------------------------------------------- gather */

static cs_err
add(struct events *all, const struct event *v)
{
	if (all->n == all->cap) {
		size_t cap = all->cap ? 2 * all->cap : 64;
		struct event *p = reallocarray(all->p, cap, sizeof(*p));

		if (!p)
			return CS_NO_MEMORY;
		all->p = p;
		all->cap = cap;
	}
	all->p[all->n++] = *v;
	return CS_OK;
}

static cs_err
add_leaf(const struct cs_directory *dir, struct cs_bytes bytes,
    struct events *all)
{
	struct event v = { 0 };
	struct cs_directory_member member;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_leaf_decode(bytes, &leaf));
	CS_TRY(cs_entry_decode(leaf.entry, &entry));
	if (entry.type != CS_ENTRY_MEMBER && entry.type != CS_ENTRY_DEVICE)
		goto out;
	v.is_device = entry.type == CS_ENTRY_DEVICE;
	v.row.entry = leaf.seq;
	v.row.issued_at_s = leaf.logged_at_s;
	memcpy(v.row.by, entry.authority, CS_ID_BYTES);
	if (v.is_device && /* else another device brought it in */
	    cs_directory_member(dir, entry.authority, &member) != CS_OK)
		goto out;
	memcpy(v.member, v.is_device ? entry.authority : entry.subject,
	    CS_ID_BYTES);
	if (!v.is_device)
		CS_TRY(cs_entry_member_decode(entry.body, &v.row.member));
	CS_TRY(add(all, &v));
out:
	return e;
}

/* ------------------------------------------------------------------ judge */

static int
by_member(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int order = memcmp(x->member, y->member, CS_ID_BYTES);

	if (order != 0)
		return order;
	return (x->row.entry > y->row.entry) - (x->row.entry < y->row.entry);
}

static int
by_issue(const void *a, const void *b)
{
	const struct cs_invites_row *x = a, *y = b;

	return (x->entry > y->entry) - (x->entry < y->entry);
}

/* What came next for the same member decides; else its own time does. */
static enum cs_invites_state
state_of(const struct cs_directory *dir, const struct event *v,
    const struct event *next, uint64_t now_s)
{
	struct cs_directory_member member;

	if (next && memcmp(next->member, v->member, CS_ID_BYTES) == 0)
		return next->is_device ? CS_INVITES_USED : CS_INVITES_REVOKED;
	if (cs_directory_member(dir, v->member, &member) == CS_OK &&
	    member.revoked)
		return CS_INVITES_REVOKED;
	return now_s > v->row.member.enrol_expires_s ? CS_INVITES_EXPIRED
						     : CS_INVITES_OPEN;
}

cs_err
cs_invites_read(const struct cs_directory *dir, uint64_t now_s,
    struct cs_invites_row **ret, size_t *ret_n)
{
	struct cs_invites_row *rows = NULL;
	struct events all = { 0 };
	struct cs_bytes leaf;
	size_t n = 0;
	cs_err e;

	for (uint64_t i = 0; cs_directory_leaf(dir, i, &leaf) == CS_OK; i++)
		CS_TRY(add_leaf(dir, leaf, &all));
	rows = calloc(all.n + 1, sizeof(*rows));
	CS_TRY(rows ? CS_OK : CS_NO_MEMORY);
	if (all.n > 0)
		qsort(all.p, all.n, sizeof(*all.p), by_member);
	for (size_t i = 0; i < all.n; i++) {
		const struct event *v = &all.p[i];

		/* without an end it is no invitation: particulars only */
		if (v->is_device || v->row.member.enrol_expires_s == 0)
			continue;
		rows[n] = v->row;
		rows[n++].state =
		    state_of(dir, v, i + 1 < all.n ? v + 1 : NULL, now_s);
	}
	qsort(rows, n, sizeof(*rows), by_issue);
	*ret = rows;
	*ret_n = n;
	rows = NULL;
	e = CS_OK;
out:
	free(rows);
	free(all.p);
	return e;
}
