#include "client/withdrawing.h"

#include <string.h>

#include "client/outbox.h"
#include "client/outrec.h"
#include "proto/casefile.h"
#include "proto/checkpoint.h"
#include "proto/merkle.h"
#include "proto/statement.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

/* Taking back and extending at the sender's: what is made, what is refused, and
 * that no word of a relay is kept that does not hold. */

struct fixture {
	struct fake_relay relay;
	struct cs_client *ann, *bob;
	struct cs_buf content;
	struct cs_bytes to;
	struct cs_bytes custody; /* what the relay answers to extend */
	uint8_t id[CS_ID_BYTES];
};

static bool
hook(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	const struct fixture *x = ctx;
	struct cs_frame_custody_reply reply = { .custody = x->custody };
	struct cs_frame_extend ask;

	if (op != CS_OP_EXTEND)
		return false;
	CHECK_OK(cs_frame_extend_decode(w, &ask));
	cs_frame_custody_reply_encode(out, id, &reply);
	return true;
}

/* A case of Ann's for Bob, as it is at this stage. */
static void
begin(struct fixture *x, enum cs_outrec_stage stage)
{
	struct cs_casefile cf = { .subject = cs_bytes_str("a case"),
		.question = cs_bytes_str("what is it?"),
		.note = cs_bytes_str("a note"),
		.urgency = CS_CLASS_ROUTINE };
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outbox_job job;
	struct cs_outrec r;

	memset(x, 0, sizeof(*x));
	fake_relay_start(&x->relay);
	fake_relay_set(&x->relay,
	    (struct fake_relay_mood){ .hook = hook, .ctx = x });
	fake_relay_join(&x->relay, "bob", "bob@clinic", &x->bob);
	fake_relay_join(&x->relay, "ann", "ann@clinic", &x->ann);
	cs_casefile_encode_begin(&x->content, 0);
	CHECK_OK(cs_casefile_encode_end(&x->content, &cf));
	x->to = cs_bytes_str("bob@clinic");
	job = (struct cs_outbox_job){ .content_kind = CS_CONTENT_CASE,
		.class = CS_CLASS_ROUTINE,
		.n_to = 1,
		.to = &x->to,
		.content = cs_buf_view(&x->content) };
	CHECK_OK(cs_outbox_add(x->ann, &job, x->id));
	CHECK_OK(cs_local_begin(cs_client_local(x->ann), true, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, x->id, &r, &value));
	r.stage = stage;
	memset(r.s, stage == CS_OUTREC_QUEUED ? 0 : 7, sizeof(r.s));
	r.custody = cs_bytes_str("the first word");
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &r));
	CHECK_OK(cs_local_commit(&txn));
	cs_secret_free(value);
}

static void
end(struct fixture *x)
{
	cs_client_close(x->ann);
	cs_client_close(x->bob);
	cs_buf_fini(&x->content);
	fake_relay_stop(&x->relay);
}

static cs_err
withdraw(struct fixture *x, const uint8_t *id, enum cs_withdrawal_reason reason,
    const char *text, enum cs_withdrawing_done *ret)
{
	const struct cs_withdrawal why = { reason, cs_bytes_str(text) };
	struct cs_withdrawing_result r = { 0 };
	cs_err e;

	cs_why_clear(cs_client_why(x->ann));
	e = cs_withdrawing_add(x->ann, id, &why, &r);
	*ret = r.done;
	cs_withdrawing_fini(&r);
	return e;
}

static unsigned
count(struct fixture *x, enum cs_local_table table)
{
	struct cs_local_ids at = { .table = table };
	struct cs_local_txn *txn = NULL;
	unsigned n = 0;

	CHECK_OK(cs_local_begin(cs_client_local(x->ann), false, &txn));
	while (cs_local_next_id(txn, &at) == CS_OK)
		n++;
	cs_local_end(&txn);
	return n;
}

TEST(what_has_not_left_goes_and_nobody_is_told)
{
	enum cs_withdrawing_done done;
	struct fixture x;

	begin(&x, CS_OUTREC_QUEUED);
	CHECK_OK(withdraw(&x, x.id, CS_WITHDRAWAL_OTHER, "", &done));
	CHECK_NUM(CS_WITHDRAWING_HERE, done);
	CHECK_NUM(0, count(&x, CS_LOCAL_PENDING));
	CHECK_NUM(1,
	    count(&x, CS_LOCAL_WITHDRAW)); /* an upload may have begun */
	CHECK_ERR(CS_EXISTS,
	    withdraw(&x, x.id, CS_WITHDRAWAL_OTHER, "", &done));
	end(&x);
}

TEST(what_has_left_is_asked_back_and_told_of_once_for_each_reason)
{
	enum cs_withdrawing_done done;
	struct fixture x;

	begin(&x, CS_OUTREC_ACCEPTED);
	CHECK_OK(withdraw(&x, x.id, CS_WITHDRAWAL_OTHER, "why", &done));
	CHECK_NUM(CS_WITHDRAWING_ASKED, done);
	CHECK_NUM(2, count(&x, CS_LOCAL_OUT));
	CHECK_NUM(1, count(&x, CS_LOCAL_WITHDRAW));
	CHECK_OK(withdraw(&x, x.id, CS_WITHDRAWAL_OTHER, "", &done));
	CHECK_NUM(CS_WITHDRAWING_AGAIN, done);
	CHECK_OK(withdraw(&x, x.id, CS_WITHDRAWAL_OTHER, "why", &done));
	CHECK_NUM(CS_WITHDRAWING_AGAIN, done);
	CHECK_NUM(2, count(&x, CS_LOCAL_OUT));
	/* other words and other reasons are news */
	CHECK_OK(withdraw(&x, x.id, CS_WITHDRAWAL_OTHER, "because", &done));
	CHECK_NUM(CS_WITHDRAWING_ASKED, done);
	CHECK_OK(withdraw(&x, x.id, CS_WITHDRAWAL_WRONG_PATIENT, "", &done));
	CHECK_NUM(CS_WITHDRAWING_ASKED, done);
	CHECK_NUM(4, count(&x, CS_LOCAL_OUT));
	end(&x);
}

TEST(what_cannot_be_taken_back)
{
	const uint8_t unknown[CS_ID_BYTES] = { 9 };
	enum cs_withdrawing_done done;
	struct fixture x;

	begin(&x, CS_OUTREC_FAILED);
	CHECK_ERR(CS_USAGE, withdraw(&x, x.id, CS_WITHDRAWAL_OTHER, "", &done));
	CHECK_ERR(CS_NOT_FOUND,
	    withdraw(&x, unknown, CS_WITHDRAWAL_OTHER, "", &done));
	end(&x);
}

TEST(a_reason_that_is_no_text_is_refused)
{
	enum cs_withdrawing_done done;
	struct fixture x;

	begin(&x, CS_OUTREC_SUBMITTED);
	CHECK_ERR(CS_MALFORMED,
	    withdraw(&x, x.id, CS_WITHDRAWAL_OTHER, "\xff", &done));
	CHECK_NUM(1, count(&x, CS_LOCAL_OUT));
	end(&x);
}

/* What is kept as the relay's word about it. */
static void
custody_is(struct fixture *x, const char *want)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec r;

	CHECK_OK(cs_local_begin(cs_client_local(x->ann), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, x->id, &r, &value));
	CHECK_VIEW(cs_bytes_str(want), r.custody);
	cs_secret_free(value);
	cs_local_end(&txn);
}

/* Signed by the relay, in its log, but of another message. */
static void
put_false_custody(struct fixture *x, struct cs_buf *ret)
{
	const struct network *n = &x->relay.net;
	struct cs_buf recipients = { 0 }, statement = { 0 }, origin = { 0 };
	struct cs_buf body = { 0 }, note = { 0 };
	struct cs_custody_recipient row = { .device_id = { 1 }, .seq = 1 };
	struct cs_checkpoint cp = { .size = 1, .time_s = n->now_s };
	struct cs_logged logged = { .salt = { 1 } };
	struct cs_statement st = { .fact = CS_FACT_CUSTODY,
		.time_s = n->now_s,
		.n_recipients = 1,
		.stored_until_s = n->now_s + 1000000 };
	struct cs_directory_relay relay;
	uint8_t leaf[CS_HASH_BYTES];

	CHECK_OK(cs_directory_relay(cs_client_directory(x->ann), &relay));
	memcpy(st.network_id, n->network_id, CS_NETWORK_ID_BYTES);
	memset(st.envelope_id, 3, CS_ID_BYTES);
	memcpy(st.signer_device, relay.id, CS_ID_BYTES);
	st.signer_entry = relay.entry;
	cs_statement_put_custody_recipient(&recipients, &row);
	st.recipients = cs_buf_view(&recipients);
	CHECK_OK(cs_statement_encode(&st, &statement));
	cs_statement_leaf(logged.salt, cs_buf_view(&statement), leaf);
	cs_merkle_leaf(CS_BYTES(leaf), cp.root);
	cs_checkpoint_origin(CS_LOG_RECEIPTS, n->network_id, relay.id, &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	cs_keyring_sign(n->relay, cs_buf_view(&body), cp.signature);
	cs_checkpoint_encode(cs_buf_view(&origin), &cp,
	    cs_keyring_info(n->relay)->sign_key, &note);
	logged.statement = cs_buf_view(&statement);
	logged.checkpoint = cs_buf_view(&note);
	cs_statement_logged_encode(&logged, ret);
	cs_buf_fini(&recipients);
	cs_buf_fini(&statement);
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
	cs_buf_fini(&note);
}

TEST(no_false_word_of_the_relay_is_kept_when_it_extends)
{
	const uint64_t until_s = cs_client_now() + 86400;
	struct cs_buf other = { 0 };
	uint64_t got_s = 77;
	struct fixture x;

	begin(&x, CS_OUTREC_ACCEPTED);
	CHECK_OK(cs_client_connect(x.ann, 0));
	x.custody = cs_bytes_str("no statement at all");
	CHECK(cs_withdrawing_extend(x.ann, x.id, until_s, &got_s) != CS_OK);
	custody_is(&x, "the first word");
	put_false_custody(&x, &other);
	x.custody = cs_buf_view(&other);
	CHECK_ERR(CS_CLASH,
	    cs_withdrawing_extend(x.ann, x.id, until_s, &got_s));
	custody_is(&x, "the first word");
	CHECK_NUM(77, got_s);
	cs_buf_fini(&other);
	end(&x);
}

TEST(only_what_the_relay_holds_is_extended)
{
	const uint8_t unknown[CS_ID_BYTES] = { 9 };
	uint64_t got_s;
	struct fixture x;

	begin(&x, CS_OUTREC_QUEUED);
	CHECK_ERR(CS_USAGE, cs_withdrawing_extend(x.ann, x.id, 1, &got_s));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_withdrawing_extend(x.ann, unknown, 1, &got_s));
	end(&x);
}
