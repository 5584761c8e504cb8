#include "keys/excerpt.h"

#include <string.h>

#include "proto/entry.h"
#include "proto/receiptproof.h"

/* Ids, packed, in the order they were found. */
struct set {
	struct cs_buf ids;
	bool has_grown;
};

static bool
has(const struct set *s, const uint8_t *id)
{
	for (size_t at = 0; at < s->ids.n; at += CS_ID_BYTES)
		if (memcmp(s->ids.p + at, id, CS_ID_BYTES) == 0) /* public */
			return true;
	return false;
}

static void
add(struct set *s, const uint8_t *id)
{
	if (has(s, id))
		return;
	cs_buf_put(&s->ids, id, CS_ID_BYTES);
	s->has_grown = true;
}

static bool
is_wanted(const struct set *s, const struct cs_entry *entry)
{
	return entry->type != CS_ENTRY_EPOCH_BATCH &&
	       entry->type != CS_ENTRY_POLICY && has(s, entry->subject);
}

/* Whom an entry rests on. */
static void
follow(struct set *s, const struct cs_entry *entry)
{
	static const uint8_t nobody[CS_ID_BYTES] = { 0 };
	struct cs_entry_organisation organisation;
	struct cs_entry_member member;
	struct cs_entry_device device;

	add(s, entry->authority);
	if (entry->type == CS_ENTRY_DEVICE &&
	    cs_entry_device_decode(entry->body, &device) == CS_OK)
		add(s, device.member);
	if (entry->type == CS_ENTRY_MEMBER &&
	    cs_entry_member_decode(entry->body, &member) == CS_OK)
		add(s, member.organisation);
	if (entry->type == CS_ENTRY_ORGANISATION &&
	    cs_entry_organisation_decode(entry->body, &organisation) == CS_OK &&
	    memcmp(organisation.co_registrar, nobody, CS_ID_BYTES) != 0)
		add(s, organisation.co_registrar);
}

static cs_err
read_entry(const struct cs_directory *d, uint64_t i, struct cs_bytes *ret_leaf,
    struct cs_entry *ret)
{
	struct cs_entry_leaf leaf;
	cs_err e;

	CS_TRY(cs_directory_leaf(d, i, ret_leaf));
	CS_TRY(cs_entry_leaf_decode(*ret_leaf, &leaf));
	CS_TRY(cs_entry_decode(leaf.entry, ret));
out:
	return e;
}

static cs_err
put(const struct cs_directory *d, uint64_t i, uint64_t size,
    struct cs_bytes leaf, struct cs_buf *out)
{
	struct cs_receiptproof_cert row = { .leaf = leaf };
	struct cs_buf proof = { 0 };
	cs_err e;

	CS_TRY(cs_directory_prove_leaf(d, i, size, &proof));
	row.proof = cs_buf_view(&proof);
	cs_receiptproof_put_cert(out, &row);
	e = cs_buf_err(out);
out:
	cs_buf_fini(&proof);
	return e;
}

cs_err
cs_excerpt_collect(const struct cs_directory *d, struct cs_bytes ids,
    struct cs_buf *out, uint32_t *ret_n)
{
	const uint64_t size = cs_directory_view(d).size;
	struct set s = { .has_grown = true };
	struct cs_bytes leaf;
	struct cs_entry entry;
	uint32_t n = 0;
	cs_err e;

	cs_buf_put_bytes(&s.ids, ids);
	while (s.has_grown) {
		s.has_grown = false;
		for (uint64_t i = 0; i < size; i++) {
			CS_TRY(read_entry(d, i, &leaf, &entry));
			if (is_wanted(&s, &entry))
				follow(&s, &entry);
		}
		CS_TRY(cs_buf_err(&s.ids));
	}
	for (uint64_t i = 0; i < size; i++) {
		CS_TRY(read_entry(d, i, &leaf, &entry));
		if (!is_wanted(&s, &entry))
			continue;
		CS_TRY(++n > CS_RECEIPTPROOF_MAX_CERTS ? CS_TOO_LARGE : CS_OK);
		CS_TRY(put(d, i, size, leaf, out));
	}
	*ret_n = n;
out:
	cs_buf_fini(&s.ids);
	return e;
}
