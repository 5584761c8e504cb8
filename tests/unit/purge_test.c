#include "client/purge.h"

#include <string.h>
#include <unistd.h>

#include "client/anchor.h"
#include "client/inbox.h"
#include "client/inrec.h"
#include "client/outrec.h"
#include "client/sent.h"
#include "client/thread.h"
#include "proto/said.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define DAY  UINT64_C(86400)
#define WAIT 1000

struct fixture {
	struct fake_relay relay;
	struct cs_client *bob;
};

static void
begin(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	fake_relay_start(&x->relay);
	fake_relay_join(&x->relay, "bob", "bob@clinic", &x->bob);
	cs_client_disconnect(x->bob);
}

static void
end(struct fixture *x)
{
	cs_client_close(x->bob);
	fake_relay_stop(&x->relay);
}

static const uint8_t *
id_of(uint8_t n)
{
	static uint8_t ids[256][CS_ID_BYTES];

	memset(ids[n], n, CS_ID_BYTES);
	return ids[n];
}

/* One that came, of a thread, as it is kept. */
struct came {
	uint8_t id, thread;
	enum cs_content kind;
	bool opened, acknowledged, waits, unreadable;
	uint64_t at_s;
};

static void
put_came(struct fixture *x, const struct came *v)
{
	const struct cs_manifest_addressee to = {
		.address = cs_bytes_str("bob@clinic")
	};
	static const uint8_t object_key[32] = { 9 };
	const struct cs_manifest_object object = {
		.name = cs_bytes_str("name-of-a-scan.dcm"), .key = object_key
	};
	struct cs_manifest_device device = { .key_kind = CS_KEY_EPOCH };
	struct cs_buf addressees = { 0 }, devices = { 0 }, objects = { 0 };
	struct cs_manifest m = { .content_kind = v->kind,
		.created_s = v->at_s,
		.n_addressees = 1,
		.n_devices = 1,
		.n_objects = 1,
		.content = cs_bytes_str("what is wrong with the patient") };
	struct cs_inrec r = { .is_readable = !v->unreadable,
		.is_waiting = v->waits,
		.received_at_s = v->at_s,
		.opened_at_s = v->opened ? v->at_s : 0,
		.acknowledged_at_s = v->acknowledged ? v->at_s : 0 };
	struct cs_local_txn *txn = NULL;
	struct cs_buf bytes = { 0 };

	memset(m.sender_member, 3, CS_ID_BYTES);
	memcpy(m.thread_id, id_of(v->thread), CS_ID_BYTES);
	cs_manifest_put_addressee(&addressees, &to);
	cs_manifest_put_device(&devices, &device);
	cs_manifest_put_object(&objects, &object);
	m.addressees = cs_buf_view(&addressees);
	m.devices = cs_buf_view(&devices);
	m.objects = cs_buf_view(&objects);
	CHECK_OK(cs_manifest_encode(&m, &bytes));
	memcpy(r.id, id_of(v->id), CS_ID_BYTES);
	memset(r.e, v->id, sizeof(r.e));
	if (!v->unreadable) {
		memset(r.s, 0x50 + v->id, sizeof(r.s));
		memset(r.m_hash, 0x60 + v->id, sizeof(r.m_hash));
		r.m = cs_buf_view(&bytes);
	}
	CHECK_OK(cs_local_begin(cs_client_local(x->bob), true, &txn));
	CHECK_OK(cs_inrec_put(txn, &r));
	if (!v->unreadable)
		CHECK_OK(cs_thread_put(txn, &m, r.id, false));
	CHECK_OK(cs_local_commit(&txn));
	cs_buf_fini(&addressees);
	cs_buf_fini(&devices);
	cs_buf_fini(&objects);
	cs_buf_fini(&bytes);
}

/* One of ours that will not be sent any more. */
static void
put_sent(struct fixture *x, uint8_t id, uint8_t thread,
    enum cs_outrec_stage stage, enum cs_content kind, uint64_t at_s)
{
	struct cs_outrec r = { .stage = stage,
		.class = CS_CLASS_ROUTINE,
		.created_s = at_s,
		.why = cs_bytes_str("name-of-a-scan.dcm is gone"),
		.manifest = { .content_kind = kind,
		    .content = cs_bytes_str("what is wrong") } };
	struct cs_local_txn *txn = NULL;

	memcpy(r.id, id_of(id), CS_ID_BYTES);
	memcpy(r.manifest.thread_id, id_of(thread), CS_ID_BYTES);
	CHECK_OK(cs_local_begin(cs_client_local(x->bob), true, &txn));
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &r));
	CHECK_OK(cs_thread_put(txn, &r.manifest, r.id, true));
	CHECK_OK(cs_local_commit(&txn));
}

static struct cs_purge_case
look(struct fixture *x, uint8_t id)
{
	struct cs_purge_case one = { 0 };

	CHECK_OK(cs_purge_look(x->bob, id_of(id), &one));
	return one;
}

static cs_err
purge(struct fixture *x, uint8_t id, uint32_t *ret)
{
	*ret = 0;
	cs_why_clear(cs_client_why(x->bob));
	return cs_purge_cases(x->bob, id_of(id), 1, WAIT, ret);
}

static void
set_rules(struct fixture *x, uint32_t content_days, uint32_t receipt_days)
{
	CHECK_OK(cs_retention_set(x->bob,
	    &(struct cs_retention){ content_days, receipt_days }));
}

static struct cs_purge_report
by_rule(struct fixture *x, uint64_t now_s, bool is_real)
{
	struct cs_purge_report r = { 0 };

	CHECK_OK(cs_purge_run(x->bob, now_s, is_real, WAIT, NULL, NULL, &r));
	return r;
}

static cs_err
count_said(void *ctx, struct cs_bytes said)
{
	struct cs_statement st;
	struct cs_said v;

	CHECK_OK(cs_said_decode(said, &v, &st));
	CHECK_NUM(CS_FACT_PURGED, st.fact);
	++*(unsigned *)ctx;
	return CS_OK;
}

static unsigned
n_said(struct fixture *x, uint8_t id)
{
	struct cs_local_txn *txn = NULL;
	unsigned n = 0;

	CHECK_OK(cs_local_begin(cs_client_local(x->bob), false, &txn));
	CHECK_OK(cs_anchor_list(txn, id_of(id), count_said, &n));
	cs_local_end(&txn);
	return n;
}

TEST(purge_leaves_what_receipts_are_compared_with_and_a_statement)
{
	const struct came v = { 1, 7, CS_CONTENT_CASE, true, true,
		.at_s = 1000 };
	struct fixture x;
	struct cs_inbox_message m = { 0 };
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_inrec r;
	uint8_t id[CS_ID_BYTES];
	char path[CS_HOME_PATH_BYTES];
	uint32_t n;

	begin(&x);
	put_came(&x, &v);
	CHECK_OK(cs_home_mkdir(cs_client_home(x.bob), CS_HOME_OBJECTS,
	    id_of(1)));
	memcpy(id, id_of(2), CS_ID_BYTES);
	cs_home_path(cs_client_home(x.bob), CS_HOME_OBJECTS, id_of(1), id,
	    path);
	test_write(path, HEX("00"));
	CHECK_OK(purge(&x, 7, &n));
	CHECK_NUM(1, n);
	CHECK(access(path, F_OK) != 0);

	CHECK_OK(cs_local_begin(cs_client_local(x.bob), false, &txn));
	CHECK_OK(cs_inrec_get(txn, id_of(1), &r, &value));
	CHECK(memmem(r.m.p, r.m.n, "patient", 7) == NULL);
	CHECK(memmem(r.m.p, r.m.n, "scan", 4) == NULL);
	CHECK_NUM(0x51, r.s[0]);
	CHECK_NUM(0x61, r.m_hash[63]);
	CHECK_NUM(1, r.e[0]);
	CHECK_NUM(1000, r.received_at_s);
	CHECK_NUM(CS_PURGED_BY_HAND, r.purged_by);
	cs_secret_free(value);
	cs_local_end(&txn);
	CHECK_OK(cs_inbox_get(x.bob, id_of(1), &m));
	CHECK_NUM(CS_INBOX_PURGED, m.state);
	CHECK(m.purged_at_s != 0 && !m.has_case);
	CHECK_NUM(3, m.manifest.sender_member[0]);
	CHECK_NUM(0, m.manifest.n_objects);
	cs_inbox_fini(&m);
	CHECK_NUM(1, n_said(&x, 1));
	CHECK_ERR(CS_DENIED, cs_inbox_opened(x.bob, id_of(1)));
	CHECK_ERR(CS_NOTHING, purge(&x, 7, &n));
	CHECK_NUM(1, n_said(&x, 1)); /* said once */
	end(&x);
}

TEST(purge_of_ours_leaves_no_word_of_it)
{
	struct cs_sent_message m = { 0 };
	struct fixture x;
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	uint32_t n;

	begin(&x);
	put_sent(&x, 1, 1, CS_OUTREC_FAILED, CS_CONTENT_CASE, 1000);
	put_sent(&x, 2, 1, CS_OUTREC_WITHDRAWN, CS_CONTENT_ADDENDUM, 2000);
	CHECK_NUM(2000, look(&x, 1).last_s);
	CHECK_OK(cs_sent_get(x.bob, id_of(1), &m));
	CHECK_NUM(CS_ATTENTION_FAILED, m.attention);
	cs_sent_fini(&m);
	CHECK_OK(purge(&x, 1, &n));
	CHECK_NUM(2, n);
	/* whoever purged it is done with it */
	CHECK_OK(cs_sent_get(x.bob, id_of(1), &m));
	CHECK_NUM(CS_ATTENTION_NONE, m.attention);
	CHECK_NUM(CS_PURGED_BY_HAND, m.purged_by);
	cs_sent_fini(&m);
	CHECK_OK(cs_local_begin(cs_client_local(x.bob), false, &txn));
	for (uint8_t id = 1; id <= 2; id++) {
		CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, id_of(id), &r,
		    &value));
		CHECK_NUM(0, r.manifest.content.n);
		CHECK_NUM(0, r.why.n);
		CHECK(r.purged_at_s != 0);
		cs_secret_free(value);
		/* nobody was given it: there is nothing to state */
		CHECK_NUM(0, n_said(&x, id));
	}
	cs_local_end(&txn);
	end(&x);
}

TEST(purge_refuses_what_is_under_way)
{
	static const struct {
		struct came v;
		bool refused;
	} rows[] = {
		{ { 1, 11, CS_CONTENT_CASE, false, false, .at_s = 1 }, true },
		{ { 2, 12, CS_CONTENT_CASE, true, false, .at_s = 1 }, true },
		{ { 3, 13, CS_CONTENT_FORWARD, true, false, .at_s = 1 }, true },
		{ { 4, 14, CS_CONTENT_CASE, true, true, .at_s = 1 }, false },
		{ { 5, 15, CS_CONTENT_CLOSE, true, false, .at_s = 1 }, false },
		{ { 6, 6, 0, .waits = true, .unreadable = true, .at_s = 1 },
		    true },
		{ { 7, 7, 0, .unreadable = true, .at_s = 1 }, false },
	};
	struct fixture x;
	uint32_t n;

	begin(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct came v = rows[i].v;

		if (v.unreadable)
			v.kind = CS_CONTENT_CASE;
		put_came(&x, &v);
		CHECK((look(&x, v.thread).obstacle != NULL) == rows[i].refused);
		CHECK_ERR(rows[i].refused ? CS_DENIED : CS_OK,
		    purge(&x, v.thread, &n));
		CHECK_NUM(rows[i].refused ? 0 : 1, n);
	}
	/* answered from here, or closed: nobody waits any more */
	put_sent(&x, 20, 12, CS_OUTREC_WITHDRAWN, CS_CONTENT_REPLY, 2);
	CHECK_OK(purge(&x, 12, &n));
	put_came(&x, &(struct came){
			 21, 11, CS_CONTENT_CLOSE, false, false, .at_s = 2 });
	CHECK_OK(purge(&x, 11, &n));
	CHECK_NUM(2, n);
	CHECK_ERR(CS_NOT_FOUND, purge(&x, 99, &n));
	/* all or none */
	put_came(&x,
	    &(struct came){ 30, 30, CS_CONTENT_CASE, true, true, .at_s = 1 });
	{
		uint8_t both[2 * CS_ID_BYTES];

		memcpy(both, id_of(30), CS_ID_BYTES);
		memcpy(both + CS_ID_BYTES, id_of(13), CS_ID_BYTES);
		CHECK_ERR(CS_DENIED, cs_purge_cases(x.bob, both, 2, WAIT, &n));
		CHECK_NUM(1, look(&x, 30).n_content);
	}
	end(&x);
}

TEST(a_hold_wins_over_everything_also_over_what_comes_later)
{
	struct came v = { 1, 7, CS_CONTENT_CASE, true, true, .at_s = 1000 };
	struct fixture x;
	struct cs_purge_report r;
	uint32_t n;

	begin(&x);
	put_came(&x, &v);
	CHECK_ERR(CS_USAGE,
	    cs_retention_hold(x.bob, id_of(7), (struct cs_bytes){ 0 }));
	CHECK_OK(cs_retention_hold(x.bob, id_of(7), cs_bytes_str("a suit")));
	CHECK_ERR(CS_EXISTS,
	    cs_retention_hold(x.bob, id_of(7), cs_bytes_str("again")));
	v.id = 2;
	put_came(&x, &v);
	CHECK(look(&x, 7).is_held);
	CHECK_ERR(CS_DENIED, purge(&x, 7, &n));
	CHECK(strstr(cs_client_why(x.bob)->text, "held") != NULL);
	set_rules(&x, 10, CS_RETENTION_RECEIPT_DAYS_MIN);
	r = by_rule(&x, 1000 + 20 * DAY, true);
	CHECK_NUM(1, r.n_held);
	CHECK_NUM(0, r.n_messages);
	CHECK_OK(cs_retention_release(x.bob, id_of(7)));
	CHECK_ERR(CS_NOT_FOUND, cs_retention_release(x.bob, id_of(7)));
	r = by_rule(&x, 1000 + 20 * DAY, true);
	CHECK_NUM(2, r.n_messages);
	end(&x);
}

TEST(rules_purge_what_is_due_and_no_day_sooner)
{
	struct fixture x;
	struct cs_purge_report r;
	struct cs_purge_case one;

	begin(&x);
	put_came(&x, &(struct came){
			 1, 11, CS_CONTENT_CASE, true, true, .at_s = 1 * DAY });
	put_came(&x, &(struct came){ 2, 11, CS_CONTENT_ADDENDUM, true, false,
			 .at_s = 5 * DAY });
	put_came(&x, &(struct came){ 3, 12, CS_CONTENT_CASE, true, false,
			 .at_s = 1 * DAY }); /* not acknowledged */
	put_sent(&x, 4, 13, CS_OUTREC_FAILED, CS_CONTENT_CASE, 1 * DAY);
	put_came(&x, &(struct came){ 5, 5, CS_CONTENT_CASE, .unreadable = true,
			 .at_s = 1 * DAY });
	/* no rule: for ever */
	r = by_rule(&x, 10000 * DAY, true);
	CHECK_NUM(0, r.n_messages + r.n_under_way);
	set_rules(&x, 100, 0);
	r = by_rule(&x, 101 * DAY - 1, true);
	CHECK_NUM(0, r.n_messages + r.n_under_way);
	r = by_rule(&x, 105 * DAY - 1, false); /* a case by its last message */
	CHECK_NUM(1, r.n_messages);            /* what never opened */
	CHECK_NUM(2, r.n_under_way);
	r = by_rule(&x, 105 * DAY, false);
	CHECK_NUM(3, r.n_messages);
	CHECK_NUM(2, look(&x, 11).n_content); /* only told */
	r = by_rule(&x, 105 * DAY, true);
	CHECK_NUM(3, r.n_messages);
	one = look(&x, 11);
	CHECK_NUM(0, one.n_content);
	CHECK_NUM(2, one.n_messages);
	CHECK_NUM(1, look(&x, 12).n_content);
	CHECK_NUM(1, look(&x, 13).n_content); /* it calls for its sender */
	CHECK_NUM(1, n_said(&x, 1));
	CHECK_NUM(1, n_said(&x, 5));
	end(&x);
}

TEST(receipts_are_kept_for_six_years_at_least)
{
	struct fixture x;
	struct cs_purge_report r;
	struct cs_purge_case one;
	struct cs_secret *value = NULL;
	uint64_t purged_s;
	uint32_t n;

	begin(&x);
	put_came(&x,
	    &(struct came){ 1, 7, CS_CONTENT_CASE, true, true, .at_s = 1000 });
	CHECK_ERR(CS_USAGE,
	    cs_retention_set(x.bob, &(struct cs_retention){ 0,
					CS_RETENTION_RECEIPT_DAYS_MIN - 1 }));
	CHECK_ERR(CS_USAGE,
	    cs_retention_set(x.bob,
		&(struct cs_retention){ CS_RETENTION_DAYS_MAX + 1, 0 }));
	set_rules(&x, 0, CS_RETENTION_RECEIPT_DAYS_MIN);
	CHECK_OK(purge(&x, 7, &n));
	purged_s = look(&x, 7).purged_s;
	r = by_rule(&x, purged_s + 2191 * DAY, true);
	CHECK_NUM(0, r.n_records);
	CHECK_NUM(1, n_said(&x, 1));
	r = by_rule(&x, purged_s + 2192 * DAY, true);
	CHECK_NUM(1, r.n_records);
	CHECK_NUM(0, n_said(&x, 1));
	CHECK_ERR(CS_NOT_FOUND, cs_purge_look(x.bob, id_of(7), &one));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_local_read(cs_client_local(x.bob), CS_LOCAL_IN,
		(struct cs_bytes){ id_of(1), CS_ID_BYTES }, &value));
	end(&x);
}
