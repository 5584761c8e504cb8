/*
 * The seeds of the fuzz targets are written by a program of another language
 * from docs/protocol.md (tests/fuzz/seeds.py): all of them must be accepted.
 * That they are written again byte by byte is what the targets check.
 */
#include <glob.h>
#include <stdio.h>

#include "proto/base/cursor.h"
#include "proto/checkpoint.h"
#include "proto/entry.h"
#include "proto/envelope.h"
#include "proto/forward.h"
#include "proto/invite.h"
#include "proto/manifest.h"
#include "proto/statement.h"
#include "tests/test.h"

/* Gives every seed of a target to take, which must accept it. */
static void
each(const char *stem, size_t at_least, cs_err (*take)(struct cs_bytes))
{
	char pattern[256];
	glob_t found;
	cs_err e;

	snprintf(pattern, sizeof(pattern), "tests/fuzz/corpus/%s/seed-*", stem);
	CHECK(glob(pattern, 0, NULL, &found) == 0);
	CHECK(found.gl_pathc >= at_least);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		e = take(test_read(found.gl_pathv[i]));
		if (e != CS_OK)
			printf("# %s\n", found.gl_pathv[i]);
		CHECK_ERR(CS_OK, e);
	}
	globfree(&found);
}

#define TAKE(name, type, decode)                                               \
	static cs_err take_##name(struct cs_bytes in)                          \
	{                                                                      \
		type v;                                                        \
                                                                               \
		return decode(in, &v);                                         \
	}
TAKE(envelope, struct cs_envelope, cs_envelope_decode)
TAKE(manifest, struct cs_manifest, cs_manifest_decode)
TAKE(forward, struct cs_forward, cs_forward_decode)
TAKE(statement, struct cs_statement, cs_statement_decode)
TAKE(logged, struct cs_logged, cs_statement_logged_decode)
TAKE(leaf, struct cs_entry_leaf, cs_entry_leaf_decode)
TAKE(invite, struct cs_invite, cs_invite_decode)
TAKE(root, struct cs_entry_root, cs_entry_root_decode)
TAKE(registrar, struct cs_entry_registrar, cs_entry_registrar_decode)
TAKE(relay, struct cs_entry_relay, cs_entry_relay_decode)
TAKE(witness, struct cs_entry_witness, cs_entry_witness_decode)
TAKE(policy, struct cs_entry_policy, cs_entry_policy_decode)
TAKE(organisation, struct cs_entry_organisation, cs_entry_organisation_decode)
TAKE(member, struct cs_entry_member, cs_entry_member_decode)
TAKE(device, struct cs_entry_device, cs_entry_device_decode)
TAKE(rotate, struct cs_entry_device_rotate, cs_entry_device_rotate_decode)
TAKE(batch, struct cs_entry_epoch_batch, cs_entry_epoch_batch_decode)
TAKE(roster, struct cs_entry_roster, cs_entry_roster_decode)
TAKE(revoke, struct cs_entry_revoke, cs_entry_revoke_decode)

static cs_err
take_body(enum cs_entry_type type, struct cs_bytes body)
{
	static cs_err (*const take[CS_ENTRY_TYPES])(struct cs_bytes) = {
		[CS_ENTRY_ROOT] = take_root,
		[CS_ENTRY_REGISTRAR] = take_registrar,
		[CS_ENTRY_RELAY] = take_relay,
		[CS_ENTRY_WITNESS] = take_witness,
		[CS_ENTRY_POLICY] = take_policy,
		[CS_ENTRY_ORGANISATION] = take_organisation,
		[CS_ENTRY_MEMBER] = take_member,
		[CS_ENTRY_DEVICE] = take_device,
		[CS_ENTRY_DEVICE_ROTATE] = take_rotate,
		[CS_ENTRY_EPOCH_BATCH] = take_batch,
		[CS_ENTRY_GROUP] = take_roster,
		[CS_ENTRY_SERVICE] = take_roster,
		[CS_ENTRY_REVOKE] = take_revoke,
	};

	CHECK(type > 0 && type < CS_ENTRY_TYPES);
	return take[type](body);
}

static cs_err
take_typed_body(struct cs_bytes in)
{
	CHECK(in.n > 0);
	return take_body(in.p[0], (struct cs_bytes){ in.p + 1, in.n - 1 });
}

static cs_err
take_entry(struct cs_bytes in)
{
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_decode(in, &entry));
	CS_TRY(take_body(entry.type, entry.body));
out:
	return e;
}

/* A body, or a note around one that the key of the target signed. */
static cs_err
take_checkpoint(struct cs_bytes in)
{
	static const uint8_t key[CS_SIGN_PUBLIC_BYTES] = { 1 };
	struct cs_bytes origin = cs_bytes_str("consil/test");
	uint8_t signature[CS_SIGNATURE_BYTES];
	struct cs_checkpoint cp;
	struct cs_note note;
	cs_err e;

	if (cs_checkpoint_decode_body(in, origin, &cp) == CS_OK)
		return CS_OK;
	CS_TRY(cs_checkpoint_split(in, &note));
	CS_TRY(cs_checkpoint_signature(&note, origin, key, signature));
	CS_TRY(cs_checkpoint_decode_body(note.body, origin, &cp));
out:
	return e;
}

static cs_err
take_armour(struct cs_bytes in)
{
	struct cs_buf binary = { 0 };
	cs_err e = cs_invite_dearmour(in, &binary);

	cs_buf_fini(&binary);
	return e;
}

TEST(seed_envelopes)
{
	each("envelope", 2, take_envelope);
}

TEST(seed_manifests)
{
	each("manifest", 4, take_manifest);
	each("forward", 2, take_forward);
}

TEST(seed_statements)
{
	each("statement", 8, take_statement);
	each("logged", 1, take_logged);
}

TEST(seed_entries)
{
	each("entry_body", 13, take_typed_body);
	each("entry", 3, take_entry);
	each("leaf", 1, take_leaf);
}

TEST(seed_checkpoints)
{
	each("checkpoint", 3, take_checkpoint);
}

TEST(seed_invitations)
{
	each("invite", 1, take_invite);
	each("armour", 2, take_armour);
}
