/* Receipts: each lie refused by its own test. */
#include "client/receipt.h"

#include <string.h>

#include "proto/merkle.h"
#include "tests/support/bundle.h"
#include "tests/test.h"

/* A message as its sender keeps it, and the statement under test. */
struct fixture {
	struct bundle b;
	struct cs_outrec sent;
	struct cs_buf members, objects, envelope;
	struct cs_buf rows, recipients; /* of a custody statement */
	struct cs_directory_relay relay;
	struct cs_statement st; /* good; tests change it */
	struct cs_buf bytes;
};

static void
fill_sent(struct fixture *x)
{
	struct cs_seal_facts facts;

	bundle_seal(&x->b, &x->envelope, &facts);
	x->sent.stage = CS_OUTREC_ACCEPTED;
	x->sent.expires_s = x->b.job.expires_at_s;
	x->sent.manifest = x->b.job.manifest;
	memcpy(x->sent.id, x->b.job.envelope_id, CS_ID_BYTES);
	memcpy(x->sent.e, facts.e, CS_HASH_BYTES);
	memcpy(x->sent.s, facts.s, CS_HASH_BYTES);
	memcpy(x->sent.m_hash, facts.m_hash, CS_HASH512_BYTES);
	cs_outrec_put_object(&x->objects, &x->b.object);
	x->sent.objects = cs_buf_view(&x->objects);
}

/* Delivered, as recipient 0 says it. */
static void
begin(struct fixture *x)
{
	const struct cs_keyring_info *who;
	struct cs_directory_device device;
	struct cs_statement *st = &x->st;

	memset(x, 0, sizeof(*x));
	bundle_init(&x->b);
	fill_sent(x);
	who = cs_keyring_info(x->b.to[0].kr);
	CHECK_OK(cs_directory_device(x->b.net.dir, who->id, &device));
	CHECK_OK(cs_directory_relay(x->b.net.dir, &x->relay));
	st->fact = CS_FACT_DELIVERED;
	st->result = CS_DELIVERED_OK;
	st->time_s = BUNDLE_TIME + 60;
	st->signer_entry = device.entry;
	memcpy(st->network_id, x->b.net.network_id, CS_NETWORK_ID_BYTES);
	memcpy(st->envelope_id, x->sent.id, CS_ID_BYTES);
	memcpy(st->e, x->sent.e, CS_HASH_BYTES);
	memcpy(st->s, x->sent.s, CS_HASH_BYTES);
	memcpy(st->m_hash, x->sent.m_hash, CS_HASH512_BYTES);
	memcpy(st->signer_member, who->member_id, CS_ID_BYTES);
	memcpy(st->signer_device, who->id, CS_ID_BYTES);
}

static void
end(struct fixture *x)
{
	cs_buf_fini(&x->members);
	cs_buf_fini(&x->objects);
	cs_buf_fini(&x->envelope);
	cs_buf_fini(&x->rows);
	cs_buf_fini(&x->recipients);
	cs_buf_fini(&x->bytes);
	bundle_fini(&x->b);
}

static cs_err
check_signed_by(struct fixture *x, const struct cs_keyring *kr)
{
	uint8_t sig[CS_SIGNATURE_BYTES];
	struct cs_statement st;

	cs_buf_reset(&x->bytes);
	CHECK_OK(cs_statement_encode(&x->st, &x->bytes));
	cs_keyring_sign(kr, cs_buf_view(&x->bytes), sig);
	cs_buf_put(&x->bytes, sig, sizeof(sig));
	return cs_receipt_check(&x->sent, cs_buf_view(&x->bytes),
	    x->b.net.network_id, x->b.net.dir, &st);
}

static void
check_is(struct fixture *x, cs_err expected)
{
	CHECK_ERR(expected, check_signed_by(x, x->b.to[0].kr));
	end(x);
}

TEST(receipt_that_holds)
{
	struct cs_statement said;
	struct fixture x;

	begin(&x);
	CHECK_OK(check_signed_by(&x, x.b.to[0].kr));
	CHECK_OK(cs_receipt_decode(cs_buf_view(&x.bytes), &said));
	CHECK_BYTES(x.sent.id, CS_ID_BYTES, said.envelope_id, CS_ID_BYTES);
	x.st.fact = CS_FACT_OPENED;
	CHECK_OK(check_signed_by(&x, x.b.to[0].kr));
	x.st.fact = CS_FACT_ACKNOWLEDGED;
	x.st.text = cs_bytes_str("thanks");
	CHECK_OK(check_signed_by(&x, x.b.to[0].kr));
	x.sent.stage = CS_OUTREC_SUBMITTED; /* faster than the relay's answer */
	CHECK_OK(check_signed_by(&x, x.b.to[0].kr));
	x.sent.stage = CS_OUTREC_FAILED; /* the relay said so, and lied */
	check_is(&x, CS_OK);
}

TEST(receipt_of_who_could_not_open)
{
	struct fixture x;

	begin(&x);
	x.st.result = CS_DELIVERED_UNDECRYPTABLE;
	memset(x.st.s, 0, CS_HASH_BYTES);
	memset(x.st.m_hash, 0, CS_HASH512_BYTES);
	check_is(&x, CS_OK);
}

TEST(receipt_for_another_envelope)
{
	struct fixture x;

	begin(&x);
	x.st.envelope_id[0] ^= 1;
	check_is(&x, CS_CLASH);
}

TEST(receipt_for_other_bytes_of_the_envelope)
{
	struct fixture x;

	begin(&x);
	x.st.e[0] ^= 1;
	check_is(&x, CS_CLASH);
}

TEST(receipt_for_another_signature)
{
	struct fixture x;

	begin(&x);
	x.st.s[0] ^= 1;
	check_is(&x, CS_CLASH);
}

TEST(receipt_for_another_content)
{
	struct fixture x;

	begin(&x);
	x.st.m_hash[0] ^= 1;
	check_is(&x, CS_CLASH);
}

/* Opened needs what only an opened message shows. */
TEST(receipt_opened_without_content)
{
	struct fixture x;

	begin(&x);
	x.st.fact = CS_FACT_OPENED;
	memset(x.st.s, 0, CS_HASH_BYTES);
	memset(x.st.m_hash, 0, CS_HASH512_BYTES);
	check_is(&x, CS_CLASH);
}

TEST(receipt_before_anything_was_sent)
{
	struct fixture x;

	begin(&x);
	x.sent.stage = CS_OUTREC_QUEUED;
	check_is(&x, CS_CLASH);
}

TEST(receipt_in_another_network)
{
	struct fixture x;

	begin(&x);
	x.st.network_id[0] ^= 1;
	check_is(&x, CS_WRONG_NETWORK);
}

TEST(receipt_of_a_stranger)
{
	const struct cs_keyring_info *who;
	struct cs_directory_device device;
	struct fixture x;

	begin(&x);
	who = cs_keyring_info(x.b.stranger.kr);
	CHECK_OK(cs_directory_device(x.b.net.dir, who->id, &device));
	x.st.signer_entry = device.entry;
	memcpy(x.st.signer_member, who->member_id, CS_ID_BYTES);
	memcpy(x.st.signer_device, who->id, CS_ID_BYTES);
	CHECK_ERR(CS_DENIED, check_signed_by(&x, x.b.stranger.kr));
	end(&x);
}

TEST(receipt_of_a_recipient_in_anothers_name)
{
	struct fixture x;

	begin(&x);
	CHECK_ERR(CS_BAD_SIGNATURE, check_signed_by(&x, x.b.to[1].kr));
	memcpy(x.st.signer_member, cs_keyring_info(x.b.to[1].kr)->member_id,
	    CS_ID_BYTES);
	check_is(&x, CS_DENIED);
}

TEST(receipt_under_a_key_that_was_not_its)
{
	struct fixture x;

	begin(&x);
	x.st.signer_entry--;
	check_is(&x, CS_NOT_FOUND);
}

/* What was signed before a rotation holds; nothing by that key afterwards. */
TEST(receipt_by_a_key_that_was_rotated)
{
	struct cs_keyring *old, *next = NULL;
	struct cs_directory_device device;
	struct cs_buf entry = { 0 };
	struct fixture x;

	begin(&x);
	old = x.b.to[0].kr;
	x.b.net.now_s = BUNDLE_TIME + 120;
	CHECK_OK(cs_keyring_successor(old, &next));
	CHECK_OK(cs_enrol_rotate(old, next, CS_ENTRY_NO_PREV, BUNDLE_TIME + 120,
	    &entry));
	CHECK_OK(network_append(&x.b.net, cs_buf_view(&entry)));
	CHECK_OK(check_signed_by(&x, old));
	x.st.time_s = BUNDLE_TIME + 120;
	CHECK_ERR(CS_REVOKED, check_signed_by(&x, old));
	CHECK_OK(cs_directory_device(x.b.net.dir, cs_keyring_info(old)->id,
	    &device));
	x.st.signer_entry = device.entry;
	CHECK_ERR(CS_BAD_SIGNATURE, check_signed_by(&x, old));
	CHECK_OK(check_signed_by(&x, next));
	cs_keyring_free(next);
	cs_buf_fini(&entry);
	end(&x);
}

TEST(receipt_of_another_kind)
{
	struct fixture x;

	begin(&x);
	x.st.fact = CS_FACT_ACK;
	x.st.seq = 1;
	check_is(&x, CS_UNSUPPORTED);
}

TEST(receipt_cut_short)
{
	struct cs_statement st;
	struct fixture x;
	size_t n;

	begin(&x);
	CHECK_OK(check_signed_by(&x, x.b.to[0].kr));
	for (n = 0; n < x.bytes.n; n++) {
		const struct cs_bytes cut = { x.bytes.p, n };

		CHECK(cs_receipt_check(&x.sent, cut, x.b.net.network_id,
			  x.b.net.dir, &st) != CS_OK);
		CHECK(cs_receipt_decode(cut, &st) != CS_OK);
	}
	end(&x);
}

/* No byte of it can be another: those of the statement and of the signature. */
TEST(receipt_altered_at_every_byte)
{
	static const enum cs_fact facts[] = { CS_FACT_DELIVERED, CS_FACT_OPENED,
		CS_FACT_ACKNOWLEDGED };
	struct cs_statement st;
	struct fixture x;
	size_t i, at;

	begin(&x);
	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		x.st.fact = facts[i];
		x.st.text = facts[i] == CS_FACT_ACKNOWLEDGED
				? cs_bytes_str("seen")
				: (struct cs_bytes){ 0 };
		CHECK_OK(check_signed_by(&x, x.b.to[0].kr));
		for (at = 0; at < x.bytes.n; at++) {
			x.bytes.p[at] ^= 1 << at % 8;
			CHECK(cs_receipt_check(&x.sent, cs_buf_view(&x.bytes),
				  x.b.net.network_id, x.b.net.dir,
				  &st) != CS_OK);
			x.bytes.p[at] ^= 1 << at % 8;
		}
	}
	end(&x);
}

/* Another fact than was signed, of the same layout. */
TEST(receipt_relabelled)
{
	struct cs_buf opened = { 0 };
	struct cs_statement st;
	struct fixture x;

	begin(&x);
	x.st.fact = CS_FACT_ACKNOWLEDGED; /* one responsibility, no text … */
	CHECK_OK(check_signed_by(&x, x.b.to[0].kr));
	cs_buf_put_str(&opened, "consil/opened");
	cs_buf_put_u8(&opened, 0);
	/* … or no object, and a byte less */
	cs_buf_put(&opened, x.bytes.p + 20, x.bytes.n - 20 - 65);
	cs_buf_put(&opened, x.bytes.p + x.bytes.n - 64, 64);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_receipt_check(&x.sent, cs_buf_view(&opened), x.b.net.network_id,
		x.b.net.dir, &st));
	cs_buf_fini(&opened);
	end(&x);
}

/* ------------------------------------------------------------------ custody */

static void
begin_custody(struct fixture *x)
{
	struct cs_custody_object object;
	struct cs_custody_recipient row = { .seq = 1 };
	struct cs_statement *st = &x->st;
	unsigned i;

	begin(x);
	memcpy(object.object_id, x->b.object.object_id, CS_ID_BYTES);
	memcpy(object.root, x->b.object.root, CS_HASH_BYTES);
	cs_statement_put_custody_object(&x->rows, &object);
	for (i = 0; i < BUNDLE_RECIPIENTS; i++) {
		memcpy(row.device_id, bundle_id(&x->b.to[i]), CS_ID_BYTES);
		cs_statement_put_custody_recipient(&x->recipients, &row);
	}
	st->fact = CS_FACT_CUSTODY;
	st->n_objects = 1;
	st->n_recipients = BUNDLE_RECIPIENTS;
	st->stored_until_s = x->sent.expires_s;
	st->signer_entry = x->relay.entry;
	memset(st->signer_member, 0, CS_ID_BYTES);
	memcpy(st->signer_device, x->relay.id, CS_ID_BYTES);
}

/* The only leaf of a receipt log, under a checkpoint of this keyring. */
static void
log_it(struct fixture *x, const struct cs_keyring *kr)
{
	const uint8_t *key = cs_keyring_info(kr)->sign_key;
	struct cs_checkpoint cp = { .size = 1, .time_s = BUNDLE_TIME };
	struct cs_buf statement = { 0 }, origin = { 0 }, body = { 0 };
	struct cs_buf note = { 0 };
	struct cs_logged logged = { .salt = { 1 } };
	uint8_t leaf[CS_HASH_BYTES];

	x->st.objects = cs_buf_view(&x->rows);
	x->st.recipients = cs_buf_view(&x->recipients);
	CHECK_OK(cs_statement_encode(&x->st, &statement));
	cs_statement_leaf(logged.salt, cs_buf_view(&statement), leaf);
	cs_merkle_leaf(CS_BYTES(leaf), cp.root);
	cs_checkpoint_origin(CS_LOG_RECEIPTS, x->b.net.network_id, x->relay.id,
	    &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	cs_keyring_sign(kr, cs_buf_view(&body), cp.signature);
	cs_checkpoint_encode(cs_buf_view(&origin), &cp, key, &note);
	logged.statement = cs_buf_view(&statement);
	logged.checkpoint = cs_buf_view(&note);
	cs_buf_reset(&x->bytes);
	cs_statement_logged_encode(&logged, &x->bytes);
	CHECK_OK(cs_buf_err(&x->bytes));
	cs_buf_fini(&statement);
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
	cs_buf_fini(&note);
}

static void
check_custody(struct fixture *x, cs_err expected)
{
	struct cs_statement st;

	log_it(x, x->b.net.relay);
	CHECK_ERR(expected,
	    cs_receipt_check_custody(&x->sent, cs_buf_view(&x->bytes),
		x->b.net.network_id, x->b.net.dir, &st));
	end(x);
}

TEST(custody_that_holds)
{
	struct fixture x;

	begin_custody(&x);
	check_custody(&x, CS_OK);
}

TEST(custody_of_another_envelope)
{
	struct fixture x;

	begin_custody(&x);
	x.st.e[3] ^= 1;
	check_custody(&x, CS_CLASH);
}

TEST(custody_under_another_id)
{
	struct fixture x;

	begin_custody(&x);
	x.st.envelope_id[3] ^= 1;
	check_custody(&x, CS_CLASH);
}

TEST(custody_in_another_network)
{
	struct fixture x;

	begin_custody(&x);
	x.st.network_id[3] ^= 1;
	check_custody(&x, CS_WRONG_NETWORK);
}

TEST(custody_altered_at_every_byte)
{
	struct cs_statement st;
	struct fixture x;

	begin_custody(&x);
	log_it(&x, x.b.net.relay);
	for (size_t at = 0; at < x.bytes.n; at++) {
		x.bytes.p[at] ^= 1 << at % 8;
		CHECK(cs_receipt_check_custody(&x.sent, cs_buf_view(&x.bytes),
			  x.b.net.network_id, x.b.net.dir, &st) != CS_OK);
		x.bytes.p[at] ^= 1 << at % 8;
	}
	end(&x);
}

TEST(custody_of_another_object)
{
	struct fixture x;

	begin_custody(&x);
	x.rows.p[CS_ID_BYTES] ^= 1; /* its root */
	check_custody(&x, CS_CLASH);
}

TEST(custody_without_an_object)
{
	struct fixture x;

	begin_custody(&x);
	cs_buf_reset(&x.rows);
	x.st.n_objects = 0;
	check_custody(&x, CS_CLASH);
}

TEST(custody_without_a_recipient)
{
	struct fixture x;

	begin_custody(&x);
	x.recipients.n /= BUNDLE_RECIPIENTS;
	x.st.n_recipients = 1;
	check_custody(&x, CS_CLASH);
}

TEST(custody_for_another_recipient)
{
	struct fixture x;

	begin_custody(&x);
	x.recipients.p[x.recipients.n / 2 + 15] ^= 1;
	check_custody(&x, CS_CLASH);
}

TEST(custody_that_ends_too_soon)
{
	struct fixture x;

	begin_custody(&x);
	x.st.stored_until_s--;
	check_custody(&x, CS_CLASH);
}

TEST(custody_signed_by_somebody_else)
{
	struct cs_statement st;
	struct fixture x;

	begin_custody(&x);
	log_it(&x, x.b.stranger.kr);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_receipt_check_custody(&x.sent, cs_buf_view(&x.bytes),
		x.b.net.network_id, x.b.net.dir, &st));
	end(&x);
}

TEST(custody_by_keys_that_the_relay_has_no_more)
{
	struct cs_keyring *next = NULL;
	struct cs_buf entry = { 0 };
	struct cs_statement st;
	struct cs_directory_relay relay;
	struct fixture x;

	begin_custody(&x);
	CHECK_OK(cs_keyring_successor(x.b.net.relay, &next));
	CHECK_OK(cs_enrol_relay(x.b.net.registrar, cs_keyring_info(next),
	    cs_bytes_str("tcp://127.0.0.1:7700"), x.relay.entry, x.b.net.now_s,
	    &entry));
	CHECK_OK(network_append(&x.b.net, cs_buf_view(&entry)));
	CHECK_OK(cs_directory_relay(x.b.net.dir, &relay));
	/* the old ones for what names their entry, the new ones for theirs */
	log_it(&x, x.b.net.relay);
	CHECK_OK(cs_receipt_check_custody(&x.sent, cs_buf_view(&x.bytes),
	    x.b.net.network_id, x.b.net.dir, &st));
	log_it(&x, next);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_receipt_check_custody(&x.sent, cs_buf_view(&x.bytes),
		x.b.net.network_id, x.b.net.dir, &st));
	x.st.signer_entry = relay.entry;
	log_it(&x, next);
	CHECK_OK(cs_receipt_check_custody(&x.sent, cs_buf_view(&x.bytes),
	    x.b.net.network_id, x.b.net.dir, &st));
	x.st.signer_entry = relay.entry + 1;
	log_it(&x, next);
	CHECK_ERR(CS_STALE,
	    cs_receipt_check_custody(&x.sent, cs_buf_view(&x.bytes),
		x.b.net.network_id, x.b.net.dir, &st));
	x.st.signer_entry = relay.entry - 1;
	log_it(&x, next);
	CHECK_ERR(CS_WRONG_RELAY,
	    cs_receipt_check_custody(&x.sent, cs_buf_view(&x.bytes),
		x.b.net.network_id, x.b.net.dir, &st));
	cs_buf_fini(&entry);
	cs_keyring_free(next);
	end(&x);
}

/* ------------------------------------------------------------------ outcome */

static void
begin_outcome(struct fixture *x)
{
	begin_custody(x);
	x->st.fact = CS_FACT_OUTCOME;
	x->st.outcome = CS_OUTCOME_FETCHED;
	x->st.seq = 1;
	memcpy(x->st.recipient_device, bundle_id(&x->b.to[1]), CS_ID_BYTES);
}

static void
check_outcome(struct fixture *x, cs_err expected)
{
	struct cs_statement st;

	log_it(x, x->b.net.relay);
	CHECK_ERR(expected,
	    cs_receipt_check_outcome(&x->sent, cs_buf_view(&x->bytes),
		x->b.net.network_id, x->b.net.dir, &st));
	end(x);
}

TEST(outcome_that_holds)
{
	struct fixture x;

	begin_outcome(&x);
	check_outcome(&x, CS_OK);
}

TEST(outcome_of_another_envelope)
{
	struct fixture x;

	begin_outcome(&x);
	x.st.envelope_id[0] ^= 1;
	check_outcome(&x, CS_CLASH);
	begin_outcome(&x);
	x.st.e[31] ^= 1;
	check_outcome(&x, CS_CLASH);
}

TEST(outcome_in_another_network)
{
	struct fixture x;

	begin_outcome(&x);
	x.st.network_id[3] ^= 1;
	check_outcome(&x, CS_WRONG_NETWORK);
}

TEST(outcome_of_no_recipient)
{
	struct fixture x;

	begin_outcome(&x);
	memcpy(x.st.recipient_device, bundle_id(&x.b.stranger), CS_ID_BYTES);
	check_outcome(&x, CS_CLASH);
}

TEST(outcome_that_is_custody)
{
	struct fixture x;

	begin_custody(&x);
	check_outcome(&x, CS_CLASH);
}

/* -------------------------------------------------------------------- facts */

TEST(fact_the_first_stays)
{
	static const uint8_t id[CS_ID_BYTES] = { 1 },
			     device[CS_ID_BYTES] = { 2 };
	struct cs_local_txn *txn = NULL;
	struct cs_local *l = NULL;
	struct cs_buf v = { 0 };
	uint64_t arrived_s = 0;
	bool is_new = false;
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_local_open(test_path("store"), x.b.sender.kr, &l));
	CHECK_OK(cs_local_begin(l, true, &txn));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_receipt_load(txn, id, device, CS_FACT_OPENED, &v, &arrived_s));
	CHECK_OK(cs_receipt_store(txn, id, device, CS_FACT_OPENED,
	    cs_bytes_str("first"), &is_new));
	CHECK(is_new);
	CHECK_OK(cs_receipt_store(txn, id, device, CS_FACT_OPENED,
	    cs_bytes_str("second"), &is_new));
	CHECK(!is_new);
	CHECK_OK(cs_receipt_load(txn, id, device, CS_FACT_OPENED, &v,
	    &arrived_s));
	CHECK_VIEW(cs_bytes_str("first"), cs_buf_view(&v));
	CHECK(cs_client_now() - arrived_s < 60);
	CHECK_ERR(CS_NOT_FOUND, cs_receipt_load(txn, id, device,
				    CS_FACT_DELIVERED, &v, &arrived_s));
	cs_local_end(&txn);
	cs_local_close(l);
	cs_buf_fini(&v);
	end(&x);
}
