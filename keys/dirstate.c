#include "keys/dirstate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Most subjects that one leaf changes: a device joins its member, behind the
 * member's last device, and the member of the device that signed it counts. */
#define TOUCHED_PER_LEAF 4

#define FIRST_CAP 64u

struct cs_dirstate_touched {
	uint32_t number;
	struct cs_dirstate_subject was;
};

void
cs_dirstate_init(struct cs_dirstate *s,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES])
{
	*s = (struct cs_dirstate){
		.now = { .root = CS_DIRSTATE_NONE, .relay = CS_DIRSTATE_NONE },
	};
	memcpy(s->network_id, network_id, CS_NETWORK_ID_BYTES);
	cs_dirindex_init(&s->ids);
	cs_dirindex_init(&s->names);
}

static void
free_leaf(struct cs_bytes leaf)
{
	free((void *)(uintptr_t)leaf.p);
}

void
cs_dirstate_fini(struct cs_dirstate *s)
{
	for (uint64_t i = 0; i < s->now.edge.size; i++)
		free_leaf(s->leaves[i]);
	free(s->leaves);
	free(s->seqs);
	free(s->nodes);
	free(s->subjects);
	free(s->members);
	free(s->devices);
	free(s->organisations);
	free(s->rosters);
	free(s->touched);
	free(s->relays);
	cs_dirindex_fini(&s->ids);
	cs_dirindex_fini(&s->names);
}

/* ------------------------------------------------------------------- find */

static struct cs_bytes
id_view(const uint8_t *id)
{
	return (struct cs_bytes){ id, CS_ID_BYTES };
}

struct cs_dirstate_subject *
cs_dirstate_find(const struct cs_dirstate *s,
    const uint8_t id[static CS_ID_BYTES])
{
	uint32_t at = CS_DIRINDEX_NONE, i;

	while ((i = cs_dirindex_next(&s->ids, id_view(id), &at)) !=
	       CS_DIRINDEX_NONE) {
		if (memcmp(s->subjects[i].id, id, CS_ID_BYTES) == 0)
			return &s->subjects[i];
	}
	return NULL;
}

/* Handle of an organisation, address of a member or roster; else empty. */
static struct cs_bytes
name_of(const struct cs_dirstate_subject *subject)
{
	switch (subject->type) {
	case CS_ENTRY_ORGANISATION:
		return subject->is.organisation.handle;
	case CS_ENTRY_MEMBER:
		return subject->is.member.address;
	case CS_ENTRY_GROUP:
	case CS_ENTRY_SERVICE:
		return subject->is.roster.address;
	case CS_ENTRY_ROOT:
	case CS_ENTRY_REGISTRAR:
	case CS_ENTRY_RELAY:
	case CS_ENTRY_WITNESS:
	case CS_ENTRY_POLICY:
	case CS_ENTRY_DEVICE:
	case CS_ENTRY_DEVICE_ROTATE:
	case CS_ENTRY_EPOCH_BATCH:
	case CS_ENTRY_REVOKE:
	case CS_ENTRY_TYPES:
		break;
	}
	return (struct cs_bytes){ 0 };
}

struct cs_dirstate_subject *
cs_dirstate_find_name(const struct cs_dirstate *s, struct cs_bytes name)
{
	uint32_t at = CS_DIRINDEX_NONE, i;

	while ((i = cs_dirindex_next(&s->names, name, &at)) !=
	       CS_DIRINDEX_NONE) {
		if (cs_bytes_eq(name_of(&s->subjects[i]), name))
			return &s->subjects[i];
	}
	return NULL;
}

struct cs_dirstate_subject *
cs_dirstate_find_type(const struct cs_dirstate *s,
    const uint8_t id[static CS_ID_BYTES], enum cs_entry_type type)
{
	struct cs_dirstate_subject *subject = cs_dirstate_find(s, id);

	return subject && subject->type == type ? subject : NULL;
}

uint32_t
cs_dirstate_number(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject)
{
	return (uint32_t)(subject - s->subjects);
}

bool
cs_dirstate_is_pending(const struct cs_dirstate_subject *device)
{
	return device->is.device.enrol_expires_s != 0 &&
	       device->newest[CS_DIRSTATE_ROTATE] == CS_ENTRY_NO_PREV;
}

bool
cs_dirstate_is_revoked(const struct cs_dirstate_subject *subject)
{
	return subject->newest[CS_DIRSTATE_REVOKE] != CS_ENTRY_NO_PREV;
}

/* ------------------------------------------------------------------- grow */

static uint64_t
doubled(uint64_t cap, uint64_t need)
{
	uint64_t to = cap ? cap : FIRST_CAP;

	while (to < need)
		to *= 2;
	return to;
}

static cs_err
reserve_leaf(struct cs_dirstate *s)
{
	uint64_t cap = doubled(s->cap_leaves, s->now.edge.size + 1);
	struct cs_bytes *p;
	uint8_t(*nodes)[CS_HASH_BYTES];
	uint64_t *seqs;

	if (cap == s->cap_leaves)
		return CS_OK;
	p = reallocarray(s->leaves, cap, sizeof(*p));
	if (!p)
		return CS_NO_MEMORY;
	s->leaves = p;
	nodes = reallocarray(s->nodes, 2 * cap, sizeof(*nodes));
	if (!nodes)
		return CS_NO_MEMORY;
	s->nodes = nodes;
	seqs = reallocarray(s->seqs, cap, sizeof(*seqs));
	if (!seqs)
		return CS_NO_MEMORY;
	s->seqs = seqs;
	s->cap_leaves = cap;
	return CS_OK;
}

static cs_err
reserve_touched(struct cs_dirstate *s)
{
	uint64_t need = (uint64_t)s->now.n_touched + TOUCHED_PER_LEAF;
	uint64_t cap = doubled(s->cap_touched, need);
	struct cs_dirstate_touched *p;

	if (cap == s->cap_touched)
		return CS_OK;
	p = reallocarray(s->touched, cap, sizeof(*p));
	if (!p)
		return CS_NO_MEMORY;
	s->touched = p;
	s->cap_touched = (uint32_t)cap;
	return CS_OK;
}

static cs_err
reserve_relay(struct cs_dirstate *s)
{
	uint64_t cap = doubled(s->cap_relays, (uint64_t)s->now.n_relays + 1);
	struct cs_dirstate_relay *p;

	if (cap == s->cap_relays)
		return CS_OK;
	p = reallocarray(s->relays, cap, sizeof(*p));
	if (!p)
		return CS_NO_MEMORY;
	s->relays = p;
	s->cap_relays = (uint32_t)cap;
	return CS_OK;
}

static cs_err
grow_list(uint32_t **list, uint64_t cap)
{
	uint32_t *p = reallocarray(*list, cap, sizeof(*p));

	if (!p)
		return CS_NO_MEMORY;
	*list = p;
	return CS_OK;
}

/* Subjects and, as long as they are, the lists of some of them. */
static cs_err
reserve_subject(struct cs_dirstate *s)
{
	uint64_t cap = doubled(s->cap_subjects, s->now.n_subjects + 1);
	struct cs_dirstate_subject *p;
	cs_err e;

	if (cap == s->cap_subjects)
		return CS_OK;
	CS_TRY(cap < CS_DIRSTATE_NONE / 4 ? CS_OK : CS_NO_MEMORY);
	CS_TRY(grow_list(&s->members, cap));
	CS_TRY(grow_list(&s->devices, cap));
	CS_TRY(grow_list(&s->organisations, cap));
	CS_TRY(grow_list(&s->rosters, cap));
	p = reallocarray(s->subjects, cap, sizeof(*p));
	CS_TRY(p ? CS_OK : CS_NO_MEMORY);
	s->subjects = p;
	s->cap_subjects = (uint32_t)cap;
out:
	return e;
}

cs_err
cs_dirstate_reserve(struct cs_dirstate *s)
{
	cs_err e;

	CS_TRY(reserve_leaf(s));
	CS_TRY(reserve_touched(s));
	CS_TRY(reserve_subject(s));
	CS_TRY(reserve_relay(s));
	CS_TRY(cs_dirindex_reserve(&s->ids, 1));
	CS_TRY(cs_dirindex_reserve(&s->names, 1));
out:
	return e;
}

/* Leaf i completes as many subtrees as i has ones at its end, and itself: so
 * 2 i − ones(i) nodes stand before those of leaf i. */
static uint64_t
node_at(uint8_t level, uint64_t index)
{
	const uint64_t last = ((index + 1) << level) - 1;

	return 2 * last - (uint64_t)__builtin_popcountll(last) + level;
}

static void
keep_node(void *ctx, uint8_t level, uint64_t index,
    const uint8_t hash[static CS_HASH_BYTES])
{
	struct cs_dirstate *s = ctx;

	memcpy(s->nodes[node_at(level, index)], hash, CS_HASH_BYTES);
}

static cs_err
read_node(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	const struct cs_dirstate *s = ctx;

	memcpy(ret, s->nodes[node_at(level, index)], CS_HASH_BYTES);
	return CS_OK;
}

uint64_t
cs_dirstate_end(const struct cs_dirstate *s)
{
	const uint64_t n = s->now.edge.size;

	return s->is_part && n > 0 ? s->seqs[n - 1] + 1 : n;
}

cs_err
cs_dirstate_leaf(const struct cs_dirstate *s, uint64_t number,
    struct cs_bytes *ret)
{
	uint64_t from = 0, to = s->now.edge.size, mid;

	if (!s->is_part) {
		if (number >= to)
			return CS_NOT_FOUND;
		*ret = s->leaves[number];
		return CS_OK;
	}
	while (from < to) {
		mid = from + (to - from) / 2;
		if (s->seqs[mid] == number) {
			*ret = s->leaves[mid];
			return CS_OK;
		}
		if (s->seqs[mid] < number)
			from = mid + 1;
		else
			to = mid;
	}
	return CS_NOT_FOUND;
}

cs_err
cs_dirstate_root_at(const struct cs_dirstate *s, uint64_t size,
    uint8_t ret[static CS_HASH_BYTES])
{
	if (size > s->now.edge.size)
		return CS_NOT_FOUND;
	return cs_merkle_read_root(read_node, (void *)(uintptr_t)s, size, ret);
}

cs_err
cs_dirstate_prove(const struct cs_dirstate *s, uint64_t from, uint64_t to,
    struct cs_buf *out)
{
	if (to > s->now.edge.size)
		return CS_NOT_FOUND;
	return cs_merkle_prove_consistency(read_node, (void *)(uintptr_t)s,
	    from, to, out);
}

cs_err
cs_dirstate_prove_leaf(const struct cs_dirstate *s, uint64_t number,
    uint64_t size, struct cs_buf *out)
{
	if (size > s->now.edge.size)
		return CS_NOT_FOUND;
	return cs_merkle_prove_inclusion(read_node, (void *)(uintptr_t)s,
	    number, size, out);
}

void
cs_dirstate_add_leaf(struct cs_dirstate *s, struct cs_bytes leaf,
    uint64_t logged_at_s)
{
	uint8_t hash[CS_HASH_BYTES];

	assert(s->now.edge.size < s->cap_leaves);
	s->leaves[s->now.edge.size] = leaf;
	s->seqs[s->now.edge.size] = s->at;
	s->now.logged_at_s = logged_at_s;
	cs_merkle_leaf(leaf, hash);
	cs_merkle_append(&s->now.edge, hash, keep_node, s);
}

struct cs_dirstate_subject *
cs_dirstate_add(struct cs_dirstate *s, const uint8_t id[static CS_ID_BYTES],
    enum cs_entry_type type)
{
	struct cs_dirstate_subject *subject = &s->subjects[s->now.n_subjects];

	assert(s->now.n_subjects < s->cap_subjects);
	*subject = (struct cs_dirstate_subject){
		.type = type,
		.first_device = CS_DIRSTATE_NONE,
		.last_device = CS_DIRSTATE_NONE,
		.next_device = CS_DIRSTATE_NONE,
	};
	memcpy(subject->id, id, CS_ID_BYTES);
	for (unsigned i = 0; i < CS_DIRSTATE_CHAINS; i++)
		subject->newest[i] = CS_ENTRY_NO_PREV;
	cs_dirindex_put(&s->ids, id_view(subject->id), s->now.n_subjects++);
	return subject;
}

void
cs_dirstate_enlist(struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject)
{
	struct cs_bytes name = name_of(subject);
	uint32_t number = cs_dirstate_number(s, subject);

	if (name.n > 0) {
		cs_dirindex_put(&s->names, name, number);
		s->now.n_names++;
	}
	if (subject->type == CS_ENTRY_MEMBER)
		s->members[s->now.n_members++] = number;
	if (subject->type == CS_ENTRY_DEVICE)
		s->devices[s->now.n_devices++] = number;
	if (subject->type == CS_ENTRY_ORGANISATION)
		s->organisations[s->now.n_organisations++] = number;
	if (subject->type == CS_ENTRY_GROUP ||
	    subject->type == CS_ENTRY_SERVICE)
		s->rosters[s->now.n_rosters++] = number;
}

void
cs_dirstate_set_relay(struct cs_dirstate *s, uint32_t number, uint64_t entry)
{
	assert(s->now.n_relays < s->cap_relays);
	s->relays[s->now.n_relays++] =
	    (struct cs_dirstate_relay){ .from = s->at, .entry = entry };
	s->now.relay = number;
}

/* -------------------------------------------------------------- the way back
 */

void
cs_dirstate_touch(struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject)
{
	struct cs_dirstate_touched *t = &s->touched[s->now.n_touched];

	assert(s->now.n_touched < s->cap_touched);
	t->number = cs_dirstate_number(s, subject);
	t->was = *subject;
	s->now.n_touched++;
}

struct cs_dirstate_mark
cs_dirstate_mark(const struct cs_dirstate *s)
{
	return s->now;
}

void
cs_dirstate_rollback(struct cs_dirstate *s, const struct cs_dirstate_mark *to)
{
	while (s->now.n_touched > to->n_touched) {
		const struct cs_dirstate_touched *t =
		    &s->touched[--s->now.n_touched];

		s->subjects[t->number] = t->was;
	}
	while (s->now.n_names > to->n_names) {
		cs_dirindex_pop(&s->names);
		s->now.n_names--;
	}
	while (s->now.n_subjects > to->n_subjects) {
		cs_dirindex_pop(&s->ids);
		s->now.n_subjects--;
	}
	for (uint64_t i = to->edge.size; i < s->now.edge.size; i++)
		free_leaf(s->leaves[i]);
	s->now = *to;
}

void
cs_dirstate_commit(struct cs_dirstate *s)
{
	s->now.n_touched = 0;
}
