#include "client/archives.h"

#include <string.h>

#include "client/resolve.h"

void
cs_archives_fini(struct cs_archives *a)
{
	cs_buf_fini(&a->practices);
}

bool
cs_archives_has(const struct cs_archives *a,
    const uint8_t practice[static CS_ID_BYTES])
{
	for (size_t at = 0; at < a->practices.n; at += CS_ID_BYTES)
		if (memcmp(a->practices.p + at, practice, CS_ID_BYTES) == 0)
			return true;
	return false;
}

cs_err
cs_archives_add(struct cs_archives *a, const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], bool *ret_new)
{
	struct cs_directory_member member;
	bool is_new;
	cs_err e;

	CS_TRY(cs_directory_member(d, member_id, &member));
	is_new = !cs_archives_has(a, member.organisation);
	if (is_new)
		cs_buf_put(&a->practices, member.organisation, CS_ID_BYTES);
	CS_TRY(cs_buf_err(&a->practices));
	if (ret_new)
		*ret_new = is_new;
out:
	return e;
}

static bool
is_usable(const struct cs_directory *d,
    const struct cs_directory_member *member, uint64_t now_s)
{
	struct cs_directory_device device;
	uint32_t pos = 0;

	return member->archive && cs_resolve_next_device(d, member->id, now_s,
				      &pos, &device) == CS_OK;
}

cs_err
cs_archives_add_all(struct cs_archives *a, const struct cs_directory *d,
    uint64_t now_s)
{
	struct cs_directory_member member;
	cs_err e = CS_OK;

	for (uint32_t i = 0; cs_directory_member_at(d, i, &member) == CS_OK;
	     i++) {
		if (is_usable(d, &member, now_s))
			CS_TRY(cs_archives_add(a, d, member.id, NULL));
	}
out:
	return e;
}

cs_err
cs_archives_next(const struct cs_archives *a, const struct cs_directory *d,
    uint64_t now_s, uint32_t *pos, struct cs_directory_member *ret)
{
	struct cs_directory_member member;
	cs_err e;

	do {
		CS_TRY(cs_directory_member_at(d, (*pos)++, &member));
	} while (!is_usable(d, &member, now_s) ||
		 !cs_archives_has(a, member.organisation));
	*ret = member;
out:
	return e;
}

bool
cs_archives_keeps(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES])
{
	struct cs_directory_member member;

	return cs_directory_member(d, member_id, &member) == CS_OK &&
	       member.archive;
}

struct cs_bytes
cs_archives_practice(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES])
{
	struct cs_directory_organisation practice;
	struct cs_directory_member member;

	if (cs_directory_member(d, member_id, &member) != CS_OK ||
	    cs_directory_organisation(d, member.organisation, &practice) !=
		CS_OK)
		return (struct cs_bytes){ 0 };
	return practice.name;
}

cs_err
cs_archives_each(const struct cs_directory *d, const struct cs_manifest *m,
    cs_archives_of *each, void *ctx)
{
	struct cs_archives told = { 0 };
	struct cs_manifest_device row;
	size_t pos = 0;
	bool is_new;
	cs_err e = CS_OK;

	while (cs_manifest_next_device(m, &pos, &row)) {
		if (!cs_archives_keeps(d, row.member_id))
			continue;
		CS_TRY(cs_archives_add(&told, d, row.member_id, &is_new));
		if (is_new)
			CS_TRY(each(ctx,
			    cs_archives_practice(d, row.member_id)));
	}
out:
	cs_archives_fini(&told);
	return e;
}
