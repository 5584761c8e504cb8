#include "client/thread.h"

#include <string.h>

#include "client/circle.h"
#include "client/outbox.h"
#include "client/outrec.h"
#include "client/parents.h"
#include "client/receipt.h"
#include "proto/casefile.h"
#include "proto/text.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

/* Threads in the store: which there are, what is named as parents, who is in
 * them. What follows from who knew what is in causal_test.c. */

struct fixture {
	struct fake_relay relay;
	struct cs_client *ann, *bob, *eve;
	struct cs_buf content;
	uint8_t id[3][CS_ID_BYTES]; /* one thread, each knowing the last */
};

static void
add(struct fixture *x, unsigned i, enum cs_content kind,
    const struct cs_bytes *to, uint32_t n_to)
{
	const struct cs_outbox_job job = { .content_kind = kind,
		.class = CS_CLASS_ROUTINE,
		.n_to = n_to,
		.to = to,
		.thread_id = i > 0 ? x->id[0] : NULL,
		.content = cs_buf_view(&x->content) };

	CHECK_OK(cs_outbox_add(x->ann, &job, x->id[i]));
}

static void
begin(struct fixture *x)
{
	const struct cs_bytes all[] = { cs_bytes_str("bob@clinic"),
		cs_bytes_str("eve@clinic") };
	struct cs_casefile cf = { .subject = cs_bytes_str("a case"),
		.question = cs_bytes_str("what is it?"),
		.note = cs_bytes_str("a note"),
		.urgency = CS_CLASS_ROUTINE };

	memset(x, 0, sizeof(*x));
	fake_relay_start(&x->relay);
	fake_relay_join(&x->relay, "bob", "bob@clinic", &x->bob);
	fake_relay_join(&x->relay, "eve", "eve@clinic", &x->eve);
	fake_relay_join(&x->relay, "ann", "ann@clinic", &x->ann);
	cs_casefile_encode_begin(&x->content, 0);
	CHECK_OK(cs_casefile_encode_end(&x->content, &cf));
	add(x, 0, CS_CONTENT_CASE, all, 2);
	add(x, 1, CS_CONTENT_ADDENDUM, all, 2);
	add(x, 2, CS_CONTENT_ADDENDUM, all, 1); /* bob alone */
}

static void
end(struct fixture *x)
{
	cs_client_close(x->ann);
	cs_client_close(x->bob);
	cs_client_close(x->eve);
	cs_buf_fini(&x->content);
	fake_relay_stop(&x->relay);
}

/* As it is at this stage; s 0: never sealed. */
static void
set(struct fixture *x, unsigned i, enum cs_outrec_stage stage, uint8_t s)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec r;

	CHECK_OK(cs_local_begin(cs_client_local(x->ann), true, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, x->id[i], &r, &value));
	r.stage = stage;
	memset(r.s, s, CS_HASH_BYTES);
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &r));
	CHECK_OK(cs_local_commit(&txn));
	cs_secret_free(value);
}

/* Message 2 names one of the first two, with this S; s 0: none. */
static void
names(struct fixture *x, unsigned which, uint8_t s)
{
	struct cs_manifest_message row;
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_buf parents = { 0 };
	struct cs_outrec r;
	size_t pos = 0;

	CHECK_OK(cs_local_begin(cs_client_local(x->ann), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, x->id[2], &r, &value));
	cs_local_end(&txn);
	CHECK_NUM(1, r.manifest.n_parents);
	CHECK_OK(cs_parents_name(x->ann, &r.manifest, &parents));
	CHECK_NUM(s > 0, r.manifest.n_parents);
	if (s > 0) {
		CHECK(cs_manifest_next_parent(&r.manifest, &pos, &row));
		CHECK_BYTES(x->id[which], CS_ID_BYTES, row.envelope_id,
		    CS_ID_BYTES);
		CHECK_NUM(s, row.s[0]);
	}
	cs_secret_free(value);
	cs_buf_fini(&parents);
}

TEST(what_cannot_be_named_is_replaced_by_its_own_parents)
{
	struct cs_local_txn *txn = NULL;
	const uint8_t device[CS_ID_BYTES] = { 1 };
	struct fixture x;

	begin(&x);
	names(&x, 0, 0); /* nothing has an S that stays */
	set(&x, 0, CS_OUTREC_ACCEPTED, 4);
	set(&x, 1, CS_OUTREC_SUBMITTED, 5);
	names(&x, 1, 5);
	set(&x, 1, CS_OUTREC_QUEUED, 0); /* still on its way */
	names(&x, 0, 4);
	set(&x, 1, CS_OUTREC_WITHDRAWN, 0);
	names(&x, 0, 4);
	set(&x, 1, CS_OUTREC_FAILED, 0);
	names(&x, 0, 4);
	set(&x, 1, CS_OUTREC_FAILED, 5); /* perhaps the relay had it … */
	names(&x, 0, 4);
	CHECK_OK(cs_local_begin(cs_client_local(x.ann), true, &txn));
	CHECK_OK(cs_receipt_store(txn, x.id[1], device, CS_FACT_DELIVERED,
	    cs_bytes_str("stated"), NULL));
	CHECK_OK(cs_local_commit(&txn));
	names(&x, 1, 5); /* … and now it is known that it had */
	end(&x);
}

TEST(what_failed_is_shown_and_nothing_hangs_loose)
{
	struct cs_thread t = { 0 };
	struct fixture x;

	begin(&x);
	set(&x, 0, CS_OUTREC_ACCEPTED, 4);
	set(&x, 1, CS_OUTREC_FAILED, 0);
	set(&x, 2, CS_OUTREC_FAILED, 0);
	CHECK_OK(cs_thread_load(x.ann, x.id[0], &t));
	CHECK_NUM(3, t.n);
	CHECK_NUM(0, t.n_missing + t.n_contradicted + t.n_forks);
	CHECK(t.list[0].is_head && t.list[1].is_lost && t.list[2].is_lost);
	cs_thread_fini(&t);
	end(&x);
}

/* As a home is in which messages were not kept by thread. */
static void
forget_threads(struct fixture *x)
{
	uint8_t key[CS_LOCAL_KEY_BYTES];
	const struct cs_bytes none = { 0 };
	struct cs_local_txn *txn = NULL;
	size_t n;

	CHECK_OK(cs_local_begin(cs_client_local(x->ann), true, &txn));
	while (cs_local_next(txn, CS_LOCAL_THREAD, none, none, key, &n) ==
	       CS_OK)
		CHECK_OK(cs_local_delete(txn, CS_LOCAL_THREAD,
		    (struct cs_bytes){ key, n }));
	CHECK_OK(cs_local_delete(txn, CS_LOCAL_META,
	    cs_bytes_str("threads-adopted")));
	CHECK_OK(cs_local_commit(&txn));
}

TEST(homes_from_before_threads_get_them)
{
	uint8_t id[CS_ID_BYTES];
	char hex[2 * CS_ID_BYTES + 1];
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_thread t = { 0 };
	struct cs_outrec r;
	struct fixture x;

	begin(&x);
	/* one that says of no thread is one of its own */
	CHECK_OK(cs_local_begin(cs_client_local(x.ann), true, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, x.id[2], &r, &value));
	memset(r.manifest.thread_id, 0, CS_ID_BYTES);
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &r));
	CHECK_OK(cs_local_commit(&txn));
	cs_secret_free(value);
	forget_threads(&x);
	cs_text_hex(CS_BYTES(x.id[1]), hex);
	CHECK_OK(cs_thread_find(x.ann, hex, id));
	CHECK_BYTES(x.id[0], CS_ID_BYTES, id, CS_ID_BYTES);
	CHECK_OK(cs_thread_load(x.ann, id, &t));
	CHECK_NUM(2, t.n);
	cs_thread_fini(&t);
	cs_text_hex(CS_BYTES(x.id[2]), hex);
	CHECK_OK(cs_thread_find(x.ann, hex, id));
	CHECK_BYTES(x.id[2], CS_ID_BYTES, id, CS_ID_BYTES);
	end(&x);
}

TEST(whom_the_last_word_left_out_is_known_and_not_in_it)
{
	struct cs_circle circle = { 0 };
	struct cs_thread t = { 0 };
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_thread_load(x.ann, x.id[0], &t));
	CHECK_OK(cs_circle_load(x.ann, &t, &circle));
	CHECK_NUM(2, circle.n);
	CHECK_VIEW(cs_bytes_str("bob@clinic"), circle.list[0].address);
	CHECK_NUM(CS_CIRCLE_IN, circle.list[0].place);
	CHECK_VIEW(cs_bytes_str("eve@clinic"), circle.list[1].address);
	CHECK_NUM(CS_CIRCLE_LEFT_OUT, circle.list[1].place);
	cs_circle_fini(&circle);
	cs_thread_fini(&t);
	/* had it never left, eve were in it */
	set(&x, 2, CS_OUTREC_FAILED, 0);
	CHECK_OK(cs_thread_load(x.ann, x.id[0], &t));
	CHECK_OK(cs_circle_load(x.ann, &t, &circle));
	CHECK_NUM(CS_CIRCLE_IN, circle.list[1].place);
	cs_circle_fini(&circle);
	cs_thread_fini(&t);
	end(&x);
}
