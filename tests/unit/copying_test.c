/* What calls for a copy, what does not, and how many there are. */
#include "client/copying.h"

#include <string.h>

#include "client/thread.h"
#include "proto/casefile.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

static const uint8_t case_id[CS_ID_BYTES] = { 0xc0 };
static const uint8_t later_id[CS_ID_BYTES] = { 0xd0 };

/* Ann sent a case to Bob, who states something of it. */
struct fixture {
	struct fake_relay relay;
	struct cs_client *ann, *bob;
	struct cs_buf content, addressees;
	struct cs_outrec rec;
	struct cs_statement st;
};

static void
put(struct fixture *x, const struct cs_outrec *r)
{
	struct cs_local_txn *txn = NULL;

	CHECK_OK(cs_local_begin(cs_client_local(x->ann), true, &txn));
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, r));
	CHECK_OK(cs_local_commit(&txn));
}

static void
begin(struct fixture *x)
{
	const struct cs_manifest_addressee to = {
		.address = cs_bytes_str("bob@clinic")
	};
	struct cs_casefile cf = { .subject = cs_bytes_str("a case"),
		.note = cs_bytes_str("text"),
		.urgency = CS_CLASS_URGENT };
	const struct cs_keyring_info *bob;

	*x = (struct fixture){ 0 };
	fake_relay_start(&x->relay);
	fake_relay_join(&x->relay, "bob", "bob@clinic", &x->bob);
	fake_relay_join(&x->relay, "ann", "ann@clinic", &x->ann);
	bob = cs_client_self(x->bob);
	cs_casefile_encode_begin(&x->content, 0);
	CHECK_OK(cs_casefile_encode_end(&x->content, &cf));
	cs_manifest_put_addressee(&x->addressees, &to);
	x->rec = (struct cs_outrec){ .stage = CS_OUTREC_ACCEPTED,
		.class = CS_CLASS_URGENT,
		.created_s = cs_client_now(),
		.lifetime_s = 86400,
		.expires_s = cs_client_now() + 86400,
		.s = { 7 },
		.members = { bob->member_id, CS_ID_BYTES },
		.manifest = { .content_kind = CS_CONTENT_CASE,
		    .receipt_policy = CS_RECEIPT_DELIVERED,
		    .answer_by_s = 99,
		    .n_addressees = 1,
		    .addressees = cs_buf_view(&x->addressees),
		    .content = cs_buf_view(&x->content) } };
	memcpy(x->rec.id, case_id, CS_ID_BYTES);
	memcpy(x->rec.manifest.thread_id, case_id, CS_ID_BYTES);
	put(x, &x->rec);
	x->st = (struct cs_statement){ .fact = CS_FACT_DELIVERED,
		.result = CS_DELIVERED_UNDECRYPTABLE };
	memcpy(x->st.signer_member, bob->member_id, CS_ID_BYTES);
	memcpy(x->st.signer_device, bob->id, CS_ID_BYTES);
}

static void
end(struct fixture *x)
{
	cs_client_close(x->ann);
	cs_client_close(x->bob);
	cs_buf_fini(&x->content);
	cs_buf_fini(&x->addressees);
	fake_relay_stop(&x->relay);
}

static void
want(struct fixture *x, const struct cs_outrec *about)
{
	struct cs_local_txn *txn = NULL;

	CHECK_OK(cs_local_begin(cs_client_local(x->ann), true, &txn));
	CHECK_OK(cs_copying_want(x->ann, txn, about, &x->st));
	CHECK_OK(cs_local_commit(&txn));
}

/* CS_NOT_FOUND where nothing is known. */
static cs_err
get(struct fixture *x, struct cs_copying *ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CHECK_OK(cs_local_begin(cs_client_local(x->ann), false, &txn));
	e = cs_copying_get(txn, case_id, cs_client_self(x->bob)->member_id,
	    ret);
	cs_local_end(&txn);
	return e;
}

static unsigned
run(struct fixture *x)
{
	unsigned n = 77;

	CHECK_OK(cs_copying_run(x->ann, &n));
	return n;
}

static void
check_nothing(struct fixture *x, const struct cs_outrec *about)
{
	struct cs_copying copy;

	want(x, about);
	CHECK_ERR(CS_NOT_FOUND, get(x, &copy));
	CHECK_NUM(0, run(x));
}

/* The record of the newest copy, as if the relay had it; free the value. */
static struct cs_outrec
take_copy(struct fixture *x, struct cs_secret **value)
{
	struct cs_local_txn *txn = NULL;
	struct cs_copying copy;
	struct cs_outrec r;

	CHECK_OK(get(x, &copy));
	CHECK(copy.is_made);
	CHECK_OK(cs_local_begin(cs_client_local(x->ann), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, copy.id, &r, value));
	cs_local_end(&txn);
	r.stage = CS_OUTREC_ACCEPTED;
	r.expires_s = cs_client_now() + 86400;
	put(x, &r);
	return r;
}

TEST(copying_makes_one_for_that_member_alone)
{
	const struct cs_bytes to = cs_bytes_str("bob@clinic");
	struct cs_manifest_addressee row;
	struct cs_secret *value = NULL;
	struct cs_copying copy;
	struct cs_outrec r;
	struct fixture x;
	size_t pos = 0;

	begin(&x);
	want(&x, &x.rec);
	CHECK_OK(get(&x, &copy));
	CHECK(!copy.is_made && copy.n == 0);
	CHECK_NUM(1, run(&x));
	r = take_copy(&x, &value);
	CHECK_NUM(CS_RELATION_COPY, r.manifest.relation);
	CHECK_BYTES(case_id, CS_ID_BYTES, r.manifest.related.envelope_id,
	    CS_ID_BYTES);
	CHECK_BYTES(x.rec.s, CS_HASH_BYTES, r.manifest.related.s,
	    CS_HASH_BYTES);
	CHECK_BYTES(case_id, CS_ID_BYTES, r.manifest.thread_id, CS_ID_BYTES);
	CHECK_VIEW(x.rec.manifest.content, r.manifest.content);
	CHECK_NUM(x.rec.class, r.class);
	CHECK_NUM(99, r.manifest.answer_by_s);
	CHECK_NUM(CS_RECEIPT_DELIVERED, r.manifest.receipt_policy);
	CHECK_NUM(1, r.manifest.n_addressees);
	CHECK(cs_manifest_next_addressee(&r.manifest, &pos, &row));
	CHECK_VIEW(to, row.address);
	cs_secret_free(value);
	/* stated again, by this or another device of theirs */
	want(&x, &x.rec);
	CHECK_NUM(0, run(&x));
	end(&x);
}

TEST(copying_ends_after_the_second)
{
	struct cs_secret *value = NULL, *second = NULL;
	struct cs_copying copy;
	struct cs_outrec r, r2;
	struct fixture x;

	begin(&x);
	want(&x, &x.rec);
	CHECK_NUM(1, run(&x));
	r = take_copy(&x, &value);
	want(&x, &r);
	CHECK_NUM(1, run(&x));
	CHECK_OK(get(&x, &copy));
	CHECK_NUM(2, copy.n);
	CHECK(memcmp(copy.id, r.id, CS_ID_BYTES) != 0);
	r2 = take_copy(&x, &second);
	/* of the message itself, not of the copy */
	CHECK_BYTES(case_id, CS_ID_BYTES, r2.manifest.related.envelope_id,
	    CS_ID_BYTES);
	want(&x, &r);
	want(&x, &r2);
	want(&x, &x.rec);
	CHECK_NUM(0, run(&x));
	CHECK_OK(get(&x, &copy));
	CHECK_NUM(2, copy.n);
	cs_secret_free(value);
	cs_secret_free(second);
	end(&x);
}

TEST(copying_is_called_for_by_what_a_copy_mends)
{
	static const enum cs_delivered_result no[] = { CS_DELIVERED_OK,
		CS_DELIVERED_BAD_SIGNATURE };
	struct cs_copying copy;
	struct fixture x;

	begin(&x);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		x.st.result = no[i];
		check_nothing(&x, &x.rec);
	}
	x.st.fact = CS_FACT_OPENED;
	x.st.result = 0;
	check_nothing(&x, &x.rec);
	x.st.fact = CS_FACT_DELIVERED;
	x.st.result = CS_DELIVERED_INCOMPLETE;
	want(&x, &x.rec);
	CHECK_OK(get(&x, &copy));
	end(&x);
}

TEST(copying_leaves_what_is_over)
{
	struct cs_outrec r;
	struct fixture x;

	begin(&x);
	r = x.rec;
	r.expires_s = cs_client_now() - 1;
	check_nothing(&x, &r);
	r = x.rec;
	r.stage = CS_OUTREC_WITHDRAWN;
	check_nothing(&x, &r);
	r = x.rec;
	r.manifest.content_kind = CS_CONTENT_WITHDRAWAL;
	r.manifest.relation = CS_RELATION_WITHDRAWS;
	check_nothing(&x, &r);
	r = x.rec; /* it could not say what it replaces */
	r.manifest.relation = CS_RELATION_SUPERSEDES;
	check_nothing(&x, &r);
	r = x.rec; /* its content was purged */
	r.manifest.content = (struct cs_bytes){ 0 };
	check_nothing(&x, &r);
	/* whose device is nobody's any more */
	x.st.signer_device[0] ^= 1;
	check_nothing(&x, &x.rec);
	end(&x);
}

/* Taken back or replaced before the copy is made. */
static void
check_ended(enum cs_relation relation, enum cs_content kind)
{
	struct cs_local_txn *txn = NULL;
	struct cs_outrec later;
	struct cs_copying copy;
	struct fixture x;

	begin(&x);
	want(&x, &x.rec);
	later = x.rec;
	memcpy(later.id, later_id, CS_ID_BYTES);
	later.manifest.content_kind = kind;
	later.manifest.relation = relation;
	memcpy(later.manifest.related.envelope_id, case_id, CS_ID_BYTES);
	put(&x, &later);
	CHECK_OK(cs_local_begin(cs_client_local(x.ann), true, &txn));
	CHECK_OK(cs_thread_put(txn, &later.manifest, later_id, true));
	CHECK_OK(cs_local_commit(&txn));
	CHECK_NUM(0, run(&x));
	CHECK_OK(get(&x, &copy));
	CHECK(!copy.is_made && copy.n == 0);
	CHECK_NUM(0, run(&x));
	end(&x);
}

TEST(copying_gives_up_what_was_taken_back)
{
	check_ended(CS_RELATION_WITHDRAWS, CS_CONTENT_WITHDRAWAL);
}

TEST(copying_gives_up_what_was_replaced)
{
	check_ended(CS_RELATION_SUPERSEDES, CS_CONTENT_CASE);
}

TEST(copying_is_called_off)
{
	struct cs_local_txn *txn = NULL;
	struct cs_copying copy;
	struct fixture x;

	begin(&x);
	want(&x, &x.rec);
	CHECK_OK(cs_local_begin(cs_client_local(x.ann), true, &txn));
	CHECK_OK(cs_copying_cancel(txn, case_id));
	CHECK_OK(cs_copying_cancel(txn, later_id)); /* nothing of it */
	CHECK_OK(cs_local_commit(&txn));
	CHECK_NUM(0, run(&x));
	CHECK_OK(get(&x, &copy));
	CHECK(!copy.is_made);
	end(&x);
}
