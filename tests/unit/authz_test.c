#include "relay/authz.h"

#include <stdio.h>
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
	struct cs_frame_anchor anchor = { { b->e, CS_HASH_BYTES } };
	struct cs_frame_receipt_log receipts = { 0 };
	struct cs_frame_extend extend = { .expires_at_s = b->expires_s };
	struct cs_frame_segment_copy copy = { .count = 1 };
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
	case CS_OP_EXTEND:
		memcpy(extend.envelope_id, b->id, CS_ID_BYTES);
		cs_frame_extend_encode(out, 1, &extend);
		break;
	case CS_OP_WITHDRAW:
		test_bundle_withdraw(r, owner, b->id, b->e, out);
		break;
	case CS_OP_SEGMENT_COPY:
		memcpy(copy.envelope_id, b->id, CS_ID_BYTES);
		memcpy(copy.object_id, b->object[0].object_id, CS_ID_BYTES);
		cs_frame_segment_copy_encode(out, 1, &copy);
		break;
	case CS_OP_RECEIPT_LEAVES:
		cs_frame_receipt_leaves_encode(out, 1,
		    &(struct cs_frame_receipt_leaves){ .count = 1 });
		break;
	case CS_OP_ANCHOR:
		cs_frame_anchor_encode(out, 1, &anchor);
		break;
	case CS_OP_RECEIPT_LOG:
		cs_frame_receipt_log_encode(out, 1, &receipts);
		break;
	case CS_OP_SEGMENT_GET:
		cs_frame_segment_get_encode(out, 1, &segment);
		break;
	case CS_OP_ACK:
		test_bundle_ack(r, owner, b->id, b->e, 1, out);
		break;
	case CS_OP_HANDOVER:
		cs_frame_handover_encode(out, 1,
		    &(struct cs_frame_handover){ .destroy = true });
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

/* ------------------------------------------------------ the matrix, by cell */

enum actor {
	NOBODY,
	SENDER,
	RECIPIENT,
	STRANGER,
	REVOKED,
	ADMIN,
	WITNESS,
	ACTORS
};
enum object { THERE, ABSENT, OBJECTS }; /* a bundle of the sender's; none */

struct matrix {
	struct test_relay r;
	struct test_member member[4]; /* sender, recipient, stranger, revoked */
	struct test_witness witness;
	struct cs_principal who[ACTORS];
	struct test_bundle bundle[OBJECTS];
};

static void
append(struct test_relay *r, const uint8_t *subject)
{
	const struct cs_principal registrar = test_relay_registrar(r);
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_LEFT };
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_buf entry = { 0 }, ask = { 0 };

	CHECK_OK(cs_enrol_revoke(r->net.registrar, subject, &v,
	    CS_ENTRY_NO_PREV, r->net.now_s, &entry));
	entries.entry[0] = cs_buf_view(&entry);
	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &entries);
	CHECK_OK(test_relay_say(r, &registrar, &ask));
	cs_buf_fini(&entry);
}

static void
matrix_init(struct matrix *m)
{
	static const char *const addresses[] = { "ann@clinic", "bob@clinic",
		"eve@clinic", "dora@clinic" };

	memset(m, 0, sizeof(*m));
	test_relay_init(&m->r);
	test_relay_start(&m->r);
	for (unsigned i = 0; i < 4; i++) {
		test_relay_join(&m->r, addresses[i], &m->member[i]);
		m->who[SENDER + i] = m->member[i].who;
	}
	test_relay_witness(&m->r, "Witness", &m->witness);
	m->who[ADMIN] = test_relay_registrar(&m->r);
	m->who[WITNESS] = m->witness.who;
	test_bundle_make(&m->r, &m->bundle[THERE], &m->member[1], 1, 1);
	test_bundle_make(&m->r, &m->bundle[ABSENT], &m->member[1], 1, 1);
	test_bundle_send(&m->r, &m->member[0], &m->bundle[THERE]);
	append(&m->r, m->member[3].who.id);
	test_relay_stop(&m->r); /* what is swept at the start is swept */
	test_relay_start(&m->r);
}

static void
matrix_fini(struct matrix *m)
{
	test_bundle_fini(&m->bundle[THERE]);
	test_bundle_fini(&m->bundle[ABSENT]);
	cs_keyring_free(m->witness.kr);
	for (unsigned i = 0; i < 4; i++)
		test_relay_leave(&m->member[i]);
	test_relay_fini(&m->r);
}

/* What a cell must say. HIDDEN: what is said of a bundle that does not exist.
 * OPEN: anything but a denial, as far as who asks is concerned. */
enum verdict { OPEN, DENIED, GONE, HIDDEN, TAKEN };

static enum verdict
judge(enum cs_authz_condition condition, enum cs_op op, enum actor who,
    enum object what)
{
	switch (condition) {
	case CS_AUTHZ_NEVER:
		return DENIED;
	case CS_AUTHZ_ALWAYS:
	case CS_AUTHZ_ANY_ENTRIES:
	case CS_AUTHZ_OWN_KEYS:
	case CS_AUTHZ_OWN_WORD:
		return OPEN;
	case CS_AUTHZ_ENROLMENT:
	case CS_AUTHZ_OWN_ENTRIES:
		return DENIED; /* shown is another member's entry */
	case CS_AUTHZ_NEW_UPLOAD:
		return what == THERE && who != SENDER ? TAKEN : OPEN;
	case CS_AUTHZ_OWN_UPLOAD:
		return what == THERE && who == SENDER ? OPEN : HIDDEN;
	case CS_AUTHZ_OWN_MAILBOX:
		return op == CS_OP_LIST || (what == THERE && who == RECIPIENT)
			   ? OPEN
			   : HIDDEN;
	}
	return DENIED;
}

static enum verdict
cell(const struct matrix *m, enum cs_op op, enum actor who, enum object what)
{
	enum cs_authz_condition condition;

	if (cs_authz_request(m->who[who].kind, op, &condition) != CS_OK)
		return DENIED;
	return who == REVOKED ? GONE : judge(condition, op, who, what);
}

/* Who signs what has to be signed by who asks. */
static const struct test_member *
signer(const struct matrix *m, enum actor who)
{
	return who >= SENDER && who <= REVOKED ? &m->member[who - SENDER]
					       : &m->member[1];
}

static void
check_hidden(struct matrix *m, enum cs_op op, enum actor who, enum object what)
{
	struct cs_buf asked = { 0 }, absent = { 0 };

	encode(&m->r, signer(m, who), &m->bundle[what], op, &asked);
	encode(&m->r, signer(m, who), &m->bundle[ABSENT], op, &absent);
	check_stranger(&m->r, &m->who[who], &asked, &absent);
	cs_buf_fini(&asked);
	cs_buf_fini(&absent);
}

static void
check_cell(struct matrix *m, enum cs_op op, enum actor who, enum object what)
{
	static const cs_err said[] = {
		[DENIED] = CS_DENIED, [GONE] = CS_REVOKED, [TAKEN] = CS_CLASH
	};
	enum verdict v = cell(m, op, who, what);
	struct cs_buf ask = { 0 };
	cs_err e;

	if (v == HIDDEN) {
		check_hidden(m, op, who, what);
		return;
	}
	/* entries are of the recipient, keys and acknowledgements one's own */
	encode(&m->r,
	    op == CS_OP_DIR_APPEND || op == CS_OP_ENROL ? &m->member[1]
							: signer(m, who),
	    &m->bundle[what], op, &ask);
	e = test_relay_say(&m->r, &m->who[who], &ask);
	if (v == OPEN ? e == CS_DENIED || e == CS_REVOKED : e != said[v])
		printf("# op %u, actor %u, object %u: %s\n", op, who, what,
		    cs_err_name(e));
	CHECK(v == OPEN ? e != CS_DENIED && e != CS_REVOKED : e == said[v]);
}

/* Runs the cells that are open, or all the others; how many. */
static unsigned
check_cells(struct matrix *m, bool open)
{
	const struct cs_frame_info *info;
	unsigned n = 0;

	for (unsigned i = 0; (info = cs_frame_info_at(i)) != NULL; i++) {
		for (unsigned who = 0; who < ACTORS; who++) {
			for (unsigned what = 0; what < OBJECTS; what++) {
				if ((cell(m, info->op, who, what) == OPEN) !=
				    open)
					continue;
				check_cell(m, info->op, who, what);
				n++;
			}
		}
	}
	return n;
}

TEST(every_cell_of_principal_operation_and_object_is_as_the_table_says)
{
	static struct matrix m;
	uint8_t before[CS_HASH_BYTES], after[CS_HASH_BYTES];
	unsigned n;

	matrix_init(&m);
	test_relay_hash(&m.r, before);
	n = check_cells(&m, false);
	CHECK(n > 150);
	/* a denial leaves the store as it was */
	test_relay_hash(&m.r, after);
	CHECK_BYTES(before, sizeof(before), after, sizeof(after));
	CHECK_NUM(0, test_relay_counter(&m.r, "commits"));
	/* and the same hash sees what is allowed */
	CHECK(check_cells(&m, true) > 40);
	test_relay_hash(&m.r, after);
	CHECK(memcmp(before, after, sizeof(before)) != 0);
	matrix_fini(&m);
}

TEST(anothers_acknowledgement_is_not_taken_even_with_its_right_signature)
{
	static struct matrix m;
	struct cs_buf ask = { 0 };

	matrix_init(&m);
	encode(&m.r, &m.member[1], &m.bundle[THERE], CS_OP_ACK, &ask);
	CHECK_ERR(CS_DENIED, test_relay_say(&m.r, &m.who[STRANGER], &ask));
	matrix_fini(&m);
}
