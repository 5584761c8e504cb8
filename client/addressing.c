#include "client/addressing.h"

#include <stdlib.h>
#include <string.h>

struct cs_addressing {
	const struct cs_directory *d;
	const struct cs_manifest *m;
	const struct cs_addressing_to **via; /* of each device */
	uint16_t n;
	struct cs_addressing_to to[];
};

static bool
is_same_id(const uint8_t *id, const uint8_t *other_id)
{
	return memcmp(id, other_id, CS_ID_BYTES) == 0;
}

bool
cs_addressing_is_listed(const struct cs_buf *list, struct cs_bytes address)
{
	for (size_t at = 0; at < list->n;) {
		const struct cs_bytes one =
		    cs_bytes_str((const char *)list->p + at);

		if (cs_bytes_eq(one, address))
			return true;
		at += one.n + 1;
	}
	return false;
}

/* Whose address it is; of a group, who was in it by the entry that M names. */
static void
read_to(const struct cs_directory *d, const struct cs_manifest_addressee *row,
    struct cs_addressing_to *ret)
{
	struct cs_directory_member member;
	struct cs_roster now;

	*ret = (struct cs_addressing_to){ .address = row->address };
	if (cs_roster_by_address(d, row->address, &now) == CS_OK) {
		ret->is_roster = true;
		ret->is_known =
		    cs_roster_entry(d, row->entry, &ret->roster) == CS_OK &&
		    is_same_id(ret->roster.id, now.id);
	} else if (cs_directory_member_by_address(d, row->address, &member) ==
		   CS_OK) {
		ret->is_known = true;
		memcpy(ret->member_id, member.id, CS_ID_BYTES);
	}
}

/* Asked for often, and slow where a message has many addresses. */
static cs_err
read_devices(struct cs_addressing *a)
{
	struct cs_manifest_device row;
	size_t pos = 0;

	a->via = calloc((size_t)a->m->n_devices + 1, sizeof(*a->via));
	if (!a->via)
		return CS_NO_MEMORY;
	for (uint16_t i = 0; cs_manifest_next_device(a->m, &pos, &row); i++)
		a->via[i] = cs_addressing_via(a, row.member_id);
	return CS_OK;
}

cs_err
cs_addressing_new(const struct cs_directory *d, const struct cs_manifest *m,
    struct cs_addressing **ret)
{
	struct cs_addressing *a =
	    calloc(1, sizeof(*a) + (size_t)m->n_addressees * sizeof(a->to[0]));
	struct cs_manifest_addressee row;
	size_t pos = 0;
	cs_err e;

	CS_TRY(a ? CS_OK : CS_NO_MEMORY);
	a->d = d;
	a->m = m;
	while (cs_manifest_next_addressee(m, &pos, &row))
		read_to(d, &row, &a->to[a->n++]);
	CS_TRY(read_devices(a));
	*ret = a;
	a = NULL;
out:
	cs_addressing_free(a);
	return e;
}

void
cs_addressing_free(struct cs_addressing *a)
{
	if (!a)
		return;
	free((void *)a->via);
	free(a);
}

const struct cs_addressing_to *
cs_addressing_of_device(const struct cs_addressing *a, uint16_t i)
{
	return i < a->m->n_devices ? a->via[i] : NULL;
}

const struct cs_addressing_to *
cs_addressing_at(const struct cs_addressing *a, uint16_t i)
{
	return i < a->n ? &a->to[i] : NULL;
}

bool
cs_addressing_covers(const struct cs_addressing_to *to,
    const uint8_t member_id[static CS_ID_BYTES])
{
	if (!to->is_known)
		return false;
	return to->is_roster ? cs_roster_has(&to->roster, member_id)
			     : is_same_id(to->member_id, member_id);
}

const struct cs_addressing_to *
cs_addressing_via(const struct cs_addressing *a,
    const uint8_t member_id[static CS_ID_BYTES])
{
	const struct cs_addressing_to *first = NULL;

	for (uint16_t i = 0; i < a->n; i++) {
		const struct cs_addressing_to *to = &a->to[i];

		if (!cs_addressing_covers(to, member_id))
			continue;
		if (!to->is_roster)
			return to;
		if (!first)
			first = to;
	}
	return first;
}

bool
cs_addressing_reaches(const struct cs_addressing *a,
    const uint8_t member_id[static CS_ID_BYTES])
{
	struct cs_manifest_device row;
	size_t pos = 0;

	while (cs_manifest_next_device(a->m, &pos, &row))
		if (is_same_id(row.member_id, member_id))
			return true;
	return false;
}

static bool
is_of_practice(const struct cs_addressing *a, const uint8_t *member_id,
    const uint8_t *organisation)
{
	struct cs_directory_member member;

	return cs_directory_member(a->d, member_id, &member) == CS_OK &&
	       is_same_id(member.organisation, organisation);
}

/* An archive device keeps the copy of a practice that has to do with it. */
static bool
explains_archive(const struct cs_addressing *a, const uint8_t *member_id)
{
	struct cs_directory_member keeper;
	struct cs_manifest_device row;
	size_t pos = 0;

	if (cs_directory_member(a->d, member_id, &keeper) != CS_OK)
		return false;
	if (is_of_practice(a, a->m->sender_member, keeper.organisation))
		return true;
	while (cs_manifest_next_device(a->m, &pos, &row))
		if (!is_same_id(row.member_id, member_id) &&
		    is_of_practice(a, row.member_id, keeper.organisation) &&
		    cs_addressing_via(a, row.member_id))
			return true;
	return false;
}

bool
cs_addressing_explains(const struct cs_addressing *a,
    const struct cs_manifest_device *row)
{
	struct cs_directory_device device;

	if (cs_directory_device(a->d, row->device_id, &device) != CS_OK ||
	    !is_same_id(device.member, row->member_id))
		return false;
	if (cs_addressing_via(a, row->member_id))
		return true;
	return device.kind == CS_DEVICE_ARCHIVE &&
	       explains_archive(a, row->member_id);
}
