#include "relay/authz.h"

#include <string.h>

#include "proto/audit.h"
#include "tests/support/relay.h"
#include "tests/test.h"

static const enum cs_principal_kind everyone[] = { CS_PRINCIPAL_ANYONE,
	CS_PRINCIPAL_DEVICE, CS_PRINCIPAL_REGISTRAR, CS_PRINCIPAL_WITNESS };
#define KINDS (sizeof(everyone) / sizeof(*everyone))

/* Does the column `who` of frame.def let this kind in? */
static bool
frame_lets_in(enum cs_who who, enum cs_principal_kind kind)
{
	switch (who) {
	case CS_WHO_ANYONE:
		return true;
	case CS_WHO_LOGGED_IN:
		return kind != CS_PRINCIPAL_ANYONE;
	case CS_WHO_MEMBER:
		return kind == CS_PRINCIPAL_DEVICE;
	case CS_WHO_ADMIN:
		return kind == CS_PRINCIPAL_REGISTRAR;
	case CS_WHO_WITNESS:
		return kind == CS_PRINCIPAL_WITNESS;
	}
	return false;
}

TEST(the_table_allows_no_more_than_the_protocol_says)
{
	enum cs_authz_condition condition;

	for (uint64_t op = 0; op < 300; op++) {
		const struct cs_frame_info *info = cs_frame_info(op);

		for (unsigned k = 0; k < KINDS; k++) {
			cs_err e =
			    cs_authz_request(everyone[k], op, &condition);

			if (e == CS_OK)
				CHECK(info &&
				      frame_lets_in(info->who, everyone[k]));
			else
				CHECK_ERR(CS_DENIED, e);
		}
	}
}

TEST(every_operation_of_the_protocol_is_somebodys)
{
	enum cs_authz_condition condition;
	const struct cs_frame_info *info;

	for (unsigned i = 0; (info = cs_frame_info_at(i)) != NULL; i++) {
		unsigned n = 0;

		for (unsigned k = 0; k < KINDS; k++)
			n += cs_authz_request(everyone[k], info->op,
				 &condition) == CS_OK;
		/* login makes a principal; no principal asks for it */
		CHECK((n > 0) == (info->op != CS_OP_LOGIN));
	}
}

TEST(an_upload_is_its_senders)
{
	struct cs_principal me = { .kind = CS_PRINCIPAL_DEVICE, .id = { 1 } },
			    other = { .kind = CS_PRINCIPAL_DEVICE,
				    .id = { 2 } },
			    admin = { .kind = CS_PRINCIPAL_REGISTRAR,
				    .id = { 1 } },
			    nobody = { 0 };
	struct cs_store_record mine = { .sender = { 1 } };

	CHECK_OK(cs_authz_upload(CS_AUTHZ_NEW_UPLOAD, &me, NULL));
	CHECK_OK(cs_authz_upload(CS_AUTHZ_NEW_UPLOAD, &me, &mine));
	CHECK_ERR(CS_CLASH,
	    cs_authz_upload(CS_AUTHZ_NEW_UPLOAD, &other, &mine));
	CHECK_OK(cs_authz_upload(CS_AUTHZ_OWN_UPLOAD, &me, &mine));
	/* absent and somebody else's: the same answer */
	CHECK_ERR(CS_NOT_FOUND,
	    cs_authz_upload(CS_AUTHZ_OWN_UPLOAD, &me, NULL));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_authz_upload(CS_AUTHZ_OWN_UPLOAD, &other, &mine));
	/* an id that is equal does not make a device of a registrar */
	CHECK_ERR(CS_DENIED,
	    cs_authz_upload(CS_AUTHZ_OWN_UPLOAD, &admin, &mine));
	CHECK_ERR(CS_DENIED,
	    cs_authz_upload(CS_AUTHZ_NEW_UPLOAD, &nobody, NULL));
	CHECK_ERR(CS_DENIED, cs_authz_upload(CS_AUTHZ_OWN_MAILBOX, &me, &mine));
	CHECK_ERR(CS_DENIED, cs_authz_upload(CS_AUTHZ_ALWAYS, &me, &mine));
}

TEST(a_mailbox_is_only_ones_own)
{
	struct cs_principal me = { .kind = CS_PRINCIPAL_DEVICE, .id = { 7 } },
			    admin = { .kind = CS_PRINCIPAL_REGISTRAR,
				    .id = { 7 } };
	const uint8_t *id = NULL;

	CHECK_ERR(CS_DENIED, cs_authz_own(CS_AUTHZ_OWN_MAILBOX, &admin, &id));
	CHECK_ERR(CS_DENIED, cs_authz_own(CS_AUTHZ_ALWAYS, &me, &id));
	CHECK(id == NULL);
	CHECK_OK(cs_authz_own(CS_AUTHZ_OWN_MAILBOX, &me, &id));
	CHECK_NUM(7, id[0]);
}

/* ---------------------------------------------------- the whole of a relay */

/* A request of each op that is well-formed and about something that exists:
 * what is refused is refused for who asks. */
static void
encode(struct test_relay *r, const struct test_member *owner,
    const struct test_bundle *b, enum cs_op op, struct cs_buf *out)
{
	struct cs_frame_envelope_id id;
	struct cs_frame_login login = { 0 };
	struct cs_frame_dir_sync sync = { 0 };
	struct cs_frame_list list = { .max = 10 };
	struct cs_frame_status status = { { b->id, CS_ID_BYTES } };
	struct cs_frame_epoch_get get = { .epoch = 5,
		.device_ids = { owner->who.id, CS_ID_BYTES } };
	static uint8_t key[CS_KEM_PUBLIC_BYTES];
	struct cs_frame_epoch_put put = { 5, CS_BYTES(key) };
	struct cs_frame_cosign cosign = { .note_hash = { 1 } };
	struct cs_frame_segment_missing missing;
	struct cs_frame_segment_get segment = { .index = 0 };
	struct cs_frame_audit_read audit = { .until_s = UINT64_MAX,
		.anchor = CS_FRAME_AUDIT_FIRST };
	struct cs_frame_audit_note note = { .kind = CS_AUDIT_NOTE_BACKUP };
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_directory_member m;
	struct cs_bytes leaf;
	struct cs_entry_leaf parts;

	memcpy(id.envelope_id, b->id, CS_ID_BYTES);
	memcpy(missing.envelope_id, b->id, CS_ID_BYTES);
	memcpy(missing.object_id, b->object[0].object_id, CS_ID_BYTES);
	memcpy(segment.envelope_id, b->id, CS_ID_BYTES);
	memcpy(segment.object_id, b->object[0].object_id, CS_ID_BYTES);
	CHECK_OK(cs_directory_member(r->net.dir, owner->member_id, &m));
	CHECK_OK(cs_directory_leaf(r->net.dir, m.entry, &leaf));
	CHECK_OK(cs_entry_leaf_decode(leaf, &parts));
	entries.entry[0] = parts.entry;
	switch (op) {
	case CS_OP_PING:
		cs_frame_ping_encode(out, 1, &(struct cs_frame_ping){ 0 });
		break;
	case CS_OP_LOGIN:
		cs_frame_login_encode(out, 1, &login);
		break;
	case CS_OP_ENROL:
	case CS_OP_DIR_APPEND:
		cs_frame_entries_encode(out, 1, op, &entries);
		break;
	case CS_OP_DIR_SYNC:
		cs_frame_dir_sync_encode(out, 1, &sync);
		break;
	case CS_OP_COSIGN:
		cs_frame_cosign_encode(out, 1, &cosign);
		break;
	case CS_OP_EPOCH_PUT:
		cs_frame_epoch_put_encode(out, 1, &put);
		break;
	case CS_OP_EPOCH_GET:
		cs_frame_epoch_get_encode(out, 1, &get);
		break;
	case CS_OP_UPLOAD_BEGIN:
		test_bundle_begin(b, out);
		break;
	case CS_OP_SEGMENT_PUT:
		test_bundle_segment(b, 0, out);
		break;
	case CS_OP_SEGMENT_MISSING:
		cs_frame_segment_missing_encode(out, 1, &missing);
		break;
	case CS_OP_SUBMIT:
		test_bundle_submit(b, out);
		break;
	case CS_OP_UPLOAD_CANCEL:
	case CS_OP_FETCH:
		cs_frame_envelope_id_encode(out, 1, op, &id);
		break;
	case CS_OP_STATUS:
		cs_frame_status_encode(out, 1, &status);
		break;
	case CS_OP_LIST:
		cs_frame_list_encode(out, 1, &list);
		break;
	case CS_OP_SEGMENT_GET:
		cs_frame_segment_get_encode(out, 1, &segment);
		break;
	case CS_OP_ACK:
		test_bundle_ack(r, owner, b->id, b->e, 1, out);
		break;
	case CS_OP_AUDIT_READ:
		cs_frame_audit_read_encode(out, 1, &audit);
		break;
	case CS_OP_AUDIT_NOTE:
		cs_frame_audit_note_encode(out, 1, &note);
		break;
	}
}

/* What a device that has nothing to do with a bundle is told about it: the
 * very words that are said of one that does not exist. */
static void
check_stranger(struct test_relay *r, const struct cs_principal *who,
    const struct cs_buf *real, const struct cs_buf *absent)
{
	struct test_ask a, b;

	test_relay_begin(r, who, real, &a);
	(void)test_relay_wait(&a);
	test_relay_begin(r, who, absent, &b);
	(void)test_relay_wait(&b);
	CHECK_VIEW(cs_buf_view(&b.reply), cs_buf_view(&a.reply));
	test_relay_end(&a);
	test_relay_end(&b);
}

TEST(a_denial_changes_nothing_for_any_principal_and_operation)
{
	static const struct cs_principal nobody;
	struct test_relay r;
	struct test_member ann, bob;
	struct test_bundle b;
	struct test_witness witness;
	struct cs_principal who[KINDS];
	const struct cs_frame_info *info;
	enum cs_authz_condition condition;
	uint8_t before[CS_HASH_BYTES], after[CS_HASH_BYTES];
	struct cs_buf ask = { 0 };
	unsigned denied = 0;

	test_relay_init(&r);
	test_relay_start(&r);
	test_relay_join(&r, "ann@clinic", &ann);
	test_relay_join(&r, "bob@clinic", &bob);
	test_relay_witness(&r, "Witness", &witness);
	test_bundle_make(&r, &b, &bob, 1, 1);
	test_bundle_send(&r, &ann, &b);
	who[0] = nobody;
	who[1] = ann.who;
	who[2] = test_relay_registrar(&r);
	who[3] = witness.who;
	test_relay_stop(&r); /* what is swept at the start is swept */
	test_relay_start(&r);
	CHECK_OK((encode(&r, &bob, &b, CS_OP_PING, &ask),
	    test_relay_say(&r, &nobody, &ask)));
	test_relay_hash(&r, before);
	for (unsigned i = 0; (info = cs_frame_info_at(i)) != NULL; i++) {
		for (unsigned k = 0; k < KINDS; k++) {
			if (cs_authz_request(who[k].kind, info->op,
				&condition) == CS_OK)
				continue;
			encode(&r, &bob, &b, info->op, &ask);
			CHECK_ERR(CS_DENIED, test_relay_say(&r, &who[k], &ask));
			denied++;
		}
	}
	CHECK(denied > 20);
	test_relay_hash(&r, after);
	CHECK_BYTES(before, sizeof(before), after, sizeof(after));
	CHECK_NUM(0, test_relay_counter(&r, "commits"));

	/* the same hash does see what is allowed */
	encode(&r, &bob, &b, CS_OP_ACK, &ask);
	CHECK_OK(test_relay_say(&r, &bob.who, &ask));
	test_relay_hash(&r, after);
	CHECK(memcmp(before, after, sizeof(before)) != 0);
	test_bundle_fini(&b);
	cs_keyring_free(witness.kr);
	test_relay_leave(&ann);
	test_relay_leave(&bob);
	test_relay_fini(&r);
}

TEST(a_stranger_to_a_bundle_is_told_what_he_is_told_of_none)
{
	static const enum cs_op ops[] = { CS_OP_SEGMENT_PUT,
		CS_OP_SEGMENT_MISSING, CS_OP_SUBMIT, CS_OP_UPLOAD_CANCEL,
		CS_OP_STATUS, CS_OP_FETCH, CS_OP_SEGMENT_GET, CS_OP_ACK };
	struct test_relay r;
	struct test_member ann, bob, eve;
	struct test_bundle b, none;
	uint8_t before[CS_HASH_BYTES], after[CS_HASH_BYTES];
	struct cs_buf real = { 0 }, absent = { 0 };

	test_relay_init(&r);
	test_relay_start(&r);
	test_relay_join(&r, "ann@clinic", &ann);
	test_relay_join(&r, "bob@clinic", &bob);
	test_relay_join(&r, "eve@clinic", &eve);
	test_bundle_make(&r, &b, &bob, 1, 1);
	test_bundle_make(&r, &none, &bob, 1, 1);
	test_bundle_send(&r, &ann, &b);
	test_relay_hash(&r, before);
	for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		encode(&r, &eve, &b, ops[i], &real);
		encode(&r, &eve, &none, ops[i], &absent);
		check_stranger(&r, &eve.who, &real, &absent);
		cs_buf_fini(&real);
		cs_buf_fini(&absent);
	}
	/* Another's acknowledgement, even with its right signature. */
	encode(&r, &bob, &b, CS_OP_ACK, &real);
	CHECK_ERR(CS_DENIED, test_relay_say(&r, &eve.who, &real));
	test_relay_hash(&r, after);
	CHECK_BYTES(before, sizeof(before), after, sizeof(after));
	test_bundle_fini(&b);
	test_bundle_fini(&none);
	test_relay_leave(&ann);
	test_relay_leave(&bob);
	test_relay_leave(&eve);
	test_relay_fini(&r);
}
