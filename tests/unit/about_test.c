#include "client/about.h"

#include <string.h>

#include "client/inrec.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

/* What a later message says of an earlier one counts only from its sender, and
 * only about exactly that one. */

struct fixture {
	struct fake_relay relay;
	struct cs_client *bob;
	struct cs_inbox_message m;         /* the earlier one */
	struct cs_directory_device device; /* that says more; zero: any */
};

static void
begin(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	fake_relay_start(&x->relay);
	fake_relay_join(&x->relay, "bob", "bob@clinic", &x->bob);
	memset(x->m.id, 1, CS_ID_BYTES);
	memset(x->m.s, 2, CS_HASH_BYTES);
	memset(x->m.manifest.sender_member, 3, CS_ID_BYTES);
}

static void
end(struct fixture *x)
{
	cs_client_close(x->bob);
	fake_relay_stop(&x->relay);
}

/* A message of this member that says this of that message, as it is kept. */
static void
put_reason(struct fixture *x, uint8_t id, uint8_t member, uint8_t of, uint8_t s,
    enum cs_relation relation, enum cs_withdrawal_reason reason,
    uint64_t created_s)
{
	const struct cs_manifest_addressee to = {
		.address = cs_bytes_str("bob@clinic")
	};
	struct cs_withdrawal why = { reason, cs_bytes_str("sorry") };
	struct cs_manifest_device device = { .key_kind = CS_KEY_EPOCH };
	struct cs_buf addressees = { 0 }, devices = { 0 }, content = { 0 };
	struct cs_manifest m = { .content_kind =
				     relation == CS_RELATION_WITHDRAWS
					 ? CS_CONTENT_WITHDRAWAL
					 : CS_CONTENT_CASE,
		.relation = relation,
		.created_s = created_s,
		.n_addressees = 1,
		.n_devices = 1 };
	struct cs_inrec r = { .is_readable = true };
	struct cs_local_txn *txn = NULL;
	struct cs_buf bytes = { 0 };

	memset(m.sender_member, member, CS_ID_BYTES);
	memcpy(m.sender_device, x->device.id, CS_ID_BYTES);
	m.sender_entry = x->device.entry;
	memset(m.related.envelope_id, of, CS_ID_BYTES);
	memset(m.related.s, s, CS_HASH_BYTES);
	cs_manifest_put_addressee(&addressees, &to);
	cs_manifest_put_device(&devices, &device);
	CHECK_OK(cs_withdrawal_encode(&why, &content));
	m.addressees = cs_buf_view(&addressees);
	m.devices = cs_buf_view(&devices);
	m.content = cs_buf_view(&content);
	CHECK_OK(cs_manifest_encode(&m, &bytes));
	memset(r.id, id, CS_ID_BYTES);
	r.m = cs_buf_view(&bytes);
	CHECK_OK(cs_local_begin(cs_client_local(x->bob), true, &txn));
	CHECK_OK(cs_inrec_put(txn, &r));
	CHECK_OK(cs_about_put(txn, r.id, &m));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
	cs_buf_fini(&addressees);
	cs_buf_fini(&devices);
	cs_buf_fini(&content);
	cs_buf_fini(&bytes);
}

static void
put(struct fixture *x, uint8_t id, uint8_t member, uint8_t of, uint8_t s,
    enum cs_relation relation)
{
	put_reason(x, id, member, of, s, relation, CS_WITHDRAWAL_WRONG_PATIENT,
	    77);
}

TEST(taken_back_twice_the_graver_reason_stands_then_the_newer)
{
	static const struct {
		enum cs_withdrawal_reason reason;
		uint64_t at_s;
		enum cs_withdrawal_reason want;
	} rows[] = {
		{ CS_WITHDRAWAL_OTHER, 50, CS_WITHDRAWAL_OTHER },
		{ CS_WITHDRAWAL_CORRECTED, 60, CS_WITHDRAWAL_CORRECTED },
		{ CS_WITHDRAWAL_SENT_IN_ERROR, 55, CS_WITHDRAWAL_CORRECTED },
		{ CS_WITHDRAWAL_WRONG_PATIENT, 40,
		    CS_WITHDRAWAL_WRONG_PATIENT },
		{ CS_WITHDRAWAL_OTHER, 90, CS_WITHDRAWAL_WRONG_PATIENT },
	};
	struct cs_about about;
	struct fixture x;

	begin(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_reason(&x, (uint8_t)(20 + 7 * i % 5), 3, 1, 2,
		    CS_RELATION_WITHDRAWS, rows[i].reason, rows[i].at_s);
		CHECK_OK(cs_about_get(x.bob, &x.m, &about));
		CHECK_NUM(rows[i].want, about.reason);
		cs_about_fini(&about);
	}
	end(&x);
}

TEST(nobody_else_takes_a_message_back)
{
	struct cs_about about;
	struct fixture x;

	begin(&x);
	put(&x, 10, 4, 1, 2, CS_RELATION_WITHDRAWS); /* another member */
	put(&x, 11, 3, 1, 9, CS_RELATION_WITHDRAWS); /* other bytes */
	put(&x, 12, 3, 5, 2, CS_RELATION_WITHDRAWS); /* another message */
	put(&x, 13, 4, 1, 2, CS_RELATION_SUPERSEDES);
	put(&x, 14, 3, 1, 2, CS_RELATION_NONE);
	put(&x, 15, 3, 1, 2, CS_RELATION_COPY);
	CHECK_OK(cs_about_get(x.bob, &x.m, &about));
	CHECK(!about.is_withdrawn && !about.is_superseded);
	cs_about_fini(&about);
	end(&x);
}

TEST(its_sender_takes_it_back_or_replaces_it)
{
	struct cs_about about;
	struct fixture x;

	begin(&x);
	put(&x, 10, 3, 1, 2, CS_RELATION_SUPERSEDES);
	CHECK_OK(cs_about_get(x.bob, &x.m, &about));
	CHECK(!about.is_withdrawn && about.is_superseded);
	CHECK_NUM(10, about.by[0]);
	cs_about_fini(&about);
	put(&x, 11, 3, 1, 2, CS_RELATION_WITHDRAWS);
	CHECK_OK(cs_about_get(x.bob, &x.m, &about));
	CHECK(about.is_withdrawn && about.is_superseded);
	CHECK_NUM(CS_WITHDRAWAL_WRONG_PATIENT, about.reason);
	CHECK_NUM(77, about.withdrawn_at_s);
	CHECK_VIEW(cs_bytes_str("sorry"), cs_buf_view(&about.text));
	cs_about_fini(&about);
	end(&x);
}

/* The sender's device was in other hands since then, it turns out now. */
static void
revoke_since(struct fixture *x, uint64_t since_s)
{
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_COMPROMISED,
		.compromised_since_s = since_s };
	struct network *n = &x->relay.net;
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_enrol_revoke(n->registrar, x->device.id, &v,
	    CS_ENTRY_NO_PREV, n->now_s, &entry));
	CHECK_OK(network_append(n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
	CHECK_OK(cs_client_connect(x->bob, 0));
	cs_client_disconnect(x->bob);
}

TEST(what_a_device_says_after_it_was_revoked_counts_for_nothing)
{
	struct cs_about about;
	struct cs_client *ann;
	struct fixture x;
	uint64_t now_s;

	begin(&x);
	fake_relay_join(&x.relay, "ann", "ann@clinic", &ann);
	now_s = cs_client_now();
	CHECK_OK(cs_client_connect(x.bob, 0));
	cs_client_disconnect(x.bob);
	CHECK_OK(cs_directory_device(cs_client_directory(x.bob),
	    cs_client_self(ann)->id, &x.device));
	put_reason(&x, 10, 3, 1, 2, CS_RELATION_WITHDRAWS, CS_WITHDRAWAL_OTHER,
	    now_s + 2);
	CHECK_OK(cs_about_get(x.bob, &x.m, &about));
	CHECK(about.is_withdrawn);
	cs_about_fini(&about);
	revoke_since(&x, now_s + 1);
	CHECK_OK(cs_about_get(x.bob, &x.m, &about));
	CHECK(!about.is_withdrawn); /* signed after it */
	cs_about_fini(&about);
	put_reason(&x, 11, 3, 1, 2, CS_RELATION_WITHDRAWS,
	    CS_WITHDRAWAL_SENT_IN_ERROR, x.relay.net.now_s - 60);
	CHECK_OK(cs_about_get(x.bob, &x.m, &about));
	CHECK(about.is_withdrawn); /* before it */
	CHECK_NUM(CS_WITHDRAWAL_SENT_IN_ERROR, about.reason);
	cs_about_fini(&about);
	cs_client_close(ann);
	end(&x);
}
