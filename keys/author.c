#include "keys/author.h"

#include <sodium.h>
#include <string.h>

#include "keys/suite.h"
#include "keys/verify.h"
#include "proto/entry.h"

/* An organisation's entry in the log: was applied, so it decodes. */
static cs_err
read_practice(const struct cs_directory *d, uint64_t index,
    struct cs_entry_leaf *leaf, struct cs_entry *entry,
    struct cs_entry_organisation *ret)
{
	struct cs_bytes bytes;
	cs_err e;

	CS_TRY(cs_directory_leaf(d, index, &bytes));
	CS_TRY(cs_entry_leaf_decode(bytes, leaf));
	CS_TRY(cs_entry_decode(leaf->entry, entry));
	CS_TRY(cs_entry_organisation_decode(entry->body, ret));
out:
	return e;
}

/* Was the practice admitted at that time? By the entry in force then: what was
 * found about it later does not unsay what it signed before. */
static cs_err
check_practice(const struct cs_directory *d,
    const uint8_t organisation[static CS_ID_BYTES], uint64_t at_s)
{
	struct cs_directory_organisation now;
	struct cs_entry_organisation then;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_directory_organisation(d, organisation, &now));
	CS_TRY(read_practice(d, now.entry, &leaf, &entry, &then));
	while (leaf.logged_at_s > at_s && entry.prev != CS_ENTRY_NO_PREV)
		CS_TRY(read_practice(d, entry.prev, &leaf, &entry, &then));
	if (then.decision == CS_DECISION_REFUSED)
		e = CS_DENIED;
	else if (then.valid_until_s < at_s)
		e = CS_LAPSED;
out:
	return e;
}

cs_err
cs_author_verify(const struct cs_directory *d, const struct cs_forward *f,
    struct cs_author *ret)
{
	const struct cs_manifest *m = &f->manifest;
	struct cs_author author = { .signed_at_s = m->created_s };
	uint8_t key[CS_SIGN_PUBLIC_BYTES], message[CS_SUITE_SIGNED_BYTES];
	struct cs_directory_device device;
	struct cs_directory_member member;
	cs_err e;

	CS_TRY(cs_directory_signer(d, m->sender_device, m->sender_entry,
	    m->created_s, key));
	CS_TRY(cs_directory_device(d, m->sender_device, &device));
	CS_TRY(memcmp(device.member, m->sender_member, CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_BAD_SIGNATURE);
	CS_TRY(cs_directory_member(d, m->sender_member, &member));
	CS_TRY(check_practice(d, member.organisation, m->created_s));
	cs_suite_hash512(f->m, author.m_hash);
	cs_suite_signed(m->header_hash, author.m_hash, message);
	CS_TRY(cs_verify_ed25519(key, CS_BYTES(message), f->signature));
	memcpy(author.member_id, m->sender_member, CS_ID_BYTES);
	crypto_hash_sha256(author.s, f->signature, CS_SIGNATURE_BYTES);
	*ret = author;
out:
	return e;
}
