/*
 * Every way of lying about what became of a message, and that nothing of it is
 * kept: by whoever can write to its sender, and by the relay. The sender is
 * Ann; Bob is her recipient, Carol is not. All goes the way that receipts go.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/collect.h"
#include "client/copying.h"
#include "client/outcome.h"
#include "client/owed.h"
#include "client/receipt.h"
#include "keys/enrol.h"
#include "proto/merkle.h"
#include "tests/support/hostile.h"
#include "tests/test.h"

static struct hostile h;

LIAR_CLOCK

/* The message that is lied about, as Ann keeps it, and another one to Bob. */
static uint8_t case_id[CS_ID_BYTES], other_id[CS_ID_BYTES];

static void
begin(void)
{
	enum cs_outrec_stage stage;

	hostile_begin(&h);
	h.carol = liar_join(&h.l, "carol", "carol@clinic");
	hostile_write(&h, "bob@clinic", case_id);
	CHECK_OK(hostile_send(&h, case_id, &stage));
	hostile_write(&h, "bob@clinic", other_id);
	CHECK_OK(hostile_send(&h, other_id, &stage));
	CHECK_NUM(CS_OUTREC_ACCEPTED, stage);
	cs_client_disconnect(h.ann);
}

/* ------------------------------------------------------------- Ann's store */

/* All that Ann knows of what she sent and got, in one hash. */
static void
hash_store(uint8_t ret[static CS_HASH_BYTES])
{
	static const enum cs_local_table tables[] = { CS_LOCAL_OUT,
		CS_LOCAL_OPEN, CS_LOCAL_FACT, CS_LOCAL_IN, CS_LOCAL_WAITING,
		CS_LOCAL_ANSWER, CS_LOCAL_LOGBOOK, CS_LOCAL_SPAN,
		CS_LOCAL_ALARM, CS_LOCAL_WITHDRAW, CS_LOCAL_ABOUT,
		CS_LOCAL_THREAD, CS_LOCAL_COPY };
	uint8_t key[CS_LOCAL_KEY_BYTES], after[CS_LOCAL_KEY_BYTES];
	crypto_hash_sha256_state st;
	struct cs_local_txn *txn = NULL;
	struct cs_secret *v = NULL;
	size_t n, after_n;

	crypto_hash_sha256_init(&st);
	CHECK_OK(cs_local_begin(cs_client_local(h.ann), false, &txn));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		after_n = 0;
		while (cs_local_next(txn, tables[i], (struct cs_bytes){ 0 },
			   (struct cs_bytes){ after, after_n }, key,
			   &n) == CS_OK) {
			CHECK_OK(cs_local_get(txn, tables[i],
			    (struct cs_bytes){ key, n }, &v));
			crypto_hash_sha256_update(&st, key, n);
			crypto_hash_sha256_update(&st, cs_secret_bytes(v),
			    cs_secret_len(v));
			cs_secret_free(v);
			memcpy(after, key, n);
			after_n = n;
		}
	}
	cs_local_end(&txn);
	crypto_hash_sha256_final(&st, ret);
}

static bool
has_fact(const uint8_t *id, enum cs_fact fact)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf v = { 0 };
	uint64_t arrived_s;
	cs_err e;

	CHECK_OK(cs_local_begin(cs_client_local(h.ann), false, &txn));
	e = cs_receipt_load(txn, id, hostile_id(h.bob), fact, &v, &arrived_s);
	CHECK(e == CS_OK || e == CS_NOT_FOUND);
	cs_local_end(&txn);
	cs_buf_fini(&v);
	return e == CS_OK;
}

static cs_err
collect(struct cs_client *c, struct cs_sync_report *ret)
{
	cs_err e;

	*ret = (struct cs_sync_report){ 0 };
	cs_why_clear(cs_client_why(c));
	CS_TRY(cs_client_connect(c, 0));
	CS_TRY(cs_collect_run(c, NULL, NULL, ret));
	CS_TRY(cs_collect_acknowledge(c));
out:
	cs_client_disconnect(c);
	return e;
}

/* --------------------------------------------------------------- statements */

/* What Bob truly could say of Ann's message. */
static struct cs_statement
true_word(const uint8_t *id, enum cs_fact fact)
{
	const struct cs_keyring_info *bob = cs_client_self(h.bob);
	struct cs_statement st = { .fact = fact, .time_s = liar_time_s };
	struct cs_directory_device device;
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec sent;

	CHECK_OK(cs_local_begin(cs_client_local(h.ann), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, id, &sent, &value));
	memcpy(st.envelope_id, sent.id, CS_ID_BYTES);
	memcpy(st.e, sent.e, CS_HASH_BYTES);
	memcpy(st.s, sent.s, CS_HASH_BYTES);
	memcpy(st.m_hash, sent.m_hash, CS_HASH512_BYTES);
	cs_secret_free(value);
	cs_local_end(&txn);
	CHECK_OK(cs_directory_device(h.l.r.net.dir, bob->id, &device));
	st.signer_entry = device.entry;
	st.seen = *cs_client_checkpoint(h.ann);
	memcpy(st.network_id, bob->network_id, CS_NETWORK_ID_BYTES);
	memcpy(st.signer_member, bob->member_id, CS_ID_BYTES);
	memcpy(st.signer_device, bob->id, CS_ID_BYTES);
	if (fact == CS_FACT_DELIVERED)
		st.result = CS_DELIVERED_OK;
	return st;
}

static void
sign(const struct cs_statement *st, const struct cs_client *by,
    struct cs_buf *ret)
{
	uint8_t sig[CS_SIGNATURE_BYTES];

	cs_buf_reset(ret);
	CHECK_OK(cs_statement_encode(st, ret));
	cs_keyring_sign(cs_client_keyring(by), cs_buf_view(ret), sig);
	cs_buf_put(ret, sig, sizeof(sig));
}

/* Any bytes, in an envelope of class receipt from one client to another: as a
 * message, for what is no receipt is not sent as one. */
static void
bring(struct cs_client *from, const struct cs_client *to, struct cs_bytes said)
{
	static const uint8_t table = CS_LOCAL_OUT;
	const uint8_t *member_id = cs_client_self(to)->member_id;
	struct cs_outrec r = { .stage = CS_OUTREC_QUEUED,
		.class = CS_CLASS_RECEIPT,
		.stale_ok = true,
		.created_s = cs_client_now(),
		.lifetime_s = 86400 };
	struct cs_manifest_addressee row = { 0 };
	struct cs_directory_member member;
	struct cs_local_txn *txn = NULL;
	struct cs_buf addressees = { 0 };
	struct cs_sync_report report = { 0 };

	CHECK_OK(cs_directory_member(cs_client_directory(from), member_id,
	    &member));
	row.address = member.address;
	row.entry = member.entry;
	cs_manifest_put_addressee(&addressees, &row);
	randombytes_buf(r.id, sizeof(r.id));
	r.manifest.content_kind = CS_CONTENT_RECEIPT;
	r.manifest.n_addressees = 1;
	r.manifest.addressees = cs_buf_view(&addressees);
	r.manifest.content = said;
	memcpy(r.manifest.thread_id, case_id, CS_ID_BYTES);
	r.members = (struct cs_bytes){ member_id, CS_ID_BYTES };
	CHECK_OK(cs_local_begin(cs_client_local(from), true, &txn));
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &r));
	CHECK_OK(cs_local_put(txn, CS_LOCAL_PENDING, CS_BYTES(r.id),
	    (struct cs_bytes){ &table, 1 }));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
	CHECK_OK(cs_sync_deliver(from, 0, &report));
	cs_client_disconnect(from);
	CHECK_NUM(1, report.delivered);
	cs_buf_fini(&addressees);
}

/* It comes to Ann, who knows nothing then that she did not; what is about a
 * message of hers she puts aside, the rest may be for another device. */
static void
check_put_aside(const char *what, struct cs_client *from, struct cs_bytes said,
    uint32_t refused)
{
	uint8_t before[CS_HASH_BYTES], after[CS_HASH_BYTES];
	struct cs_sync_report report;

	hash_store(before);
	bring(from, h.ann, said);
	CHECK_OK(collect(h.ann, &report));
	hash_store(after);
	if (report.refused != refused ||
	    memcmp(before, after, sizeof(before)) != 0)
		printf("# %s\n", what);
	CHECK_NUM(refused, report.refused);
	CHECK_NUM(0, report.receipts);
	CHECK_BYTES(before, sizeof(before), after, sizeof(after));
}

static void
check_refused(const char *what, struct cs_client *from, struct cs_bytes said)
{
	check_put_aside(what, from, said, 1);
}

static void
check_taken(struct cs_client *from, struct cs_bytes said)
{
	struct cs_sync_report report;

	bring(from, h.ann, said);
	CHECK_OK(collect(h.ann, &report));
	CHECK_NUM(1, report.receipts);
	CHECK_NUM(0, report.refused);
}

/* ------------------------------------------------ lies of those who can write
 */

TEST(a_sender_takes_no_altered_or_moved_receipt)
{
	struct cs_statement st, other;
	struct cs_directory_device device;
	struct cs_sync_report report;
	struct cs_buf said = { 0 }, moved = { 0 };
	static const size_t at[] = { 0, 50, 100, 170, 330, 420 };

	begin();
	st = true_word(case_id, CS_FACT_ACKNOWLEDGED);
	sign(&st, h.bob, &said);
	/* a byte altered; cut short; something after it (every byte of each
	 * kind: receipt_test.c) */
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		said.p[at[i]] ^= 1;
		check_refused("altered", h.bob, cs_buf_view(&said));
		said.p[at[i]] ^= 1;
	}
	said.p[60] ^= 1;
	check_put_aside("about nothing of hers", h.bob, cs_buf_view(&said), 0);
	said.p[60] ^= 1;
	check_refused("cut", h.bob, (struct cs_bytes){ said.p, said.n - 1 });
	check_refused("nothing", h.bob, cs_bytes_str("x"));
	/* another message's signature, or head */
	other = true_word(other_id, CS_FACT_ACKNOWLEDGED);
	sign(&other, h.bob, &moved);
	memcpy(said.p + said.n - 64, moved.p + moved.n - 64, 64);
	check_refused("signature of another", h.bob, cs_buf_view(&said));
	sign(&st, h.bob, &said);
	memcpy(moved.p, said.p, moved.n - 64);
	check_refused("moved to another", h.bob, cs_buf_view(&moved));
	/* properly signed by Bob, and not about this */
	other = st;
	other.network_id[0] ^= 1;
	sign(&other, h.bob, &moved);
	check_refused("another network", h.bob, cs_buf_view(&moved));
	other = st;
	memcpy(other.envelope_id, other_id, CS_ID_BYTES);
	sign(&other, h.bob, &moved);
	check_refused("under another id", h.bob, cs_buf_view(&moved));
	other = true_word(other_id, CS_FACT_OPENED);
	memcpy(other.m_hash, st.m_hash, sizeof(st.m_hash));
	sign(&other, h.bob, &moved);
	check_refused("another content", h.bob, cs_buf_view(&moved));
	/* what is no receipt */
	other = st;
	other.fact = CS_FACT_ACK;
	other.seq = 1;
	sign(&other, h.bob, &moved);
	check_refused("an ack", h.bob, cs_buf_view(&moved));
	/* Carol was sent nothing: in her name, in Bob's, half and half */
	check_refused("Bob's, changed hands", h.carol, cs_buf_view(&moved));
	CHECK_OK(cs_directory_device(h.l.r.net.dir, hostile_id(h.carol),
	    &device));
	sign(&st, h.carol, &said);
	check_refused("in Bob's name", h.carol, cs_buf_view(&said));
	st.signer_entry = device.entry;
	sign(&st, h.carol, &said);
	check_refused("with her key", h.carol, cs_buf_view(&said));
	st.signer_entry = 10000; /* may come: it waits, and is no fact */
	sign(&st, h.carol, &said);
	bring(h.carol, h.ann, cs_buf_view(&said));
	CHECK_OK(collect(h.ann, &report));
	CHECK_NUM(1, report.waiting);
	st.signer_entry = device.entry;
	memcpy(st.signer_device, hostile_id(h.carol), CS_ID_BYTES);
	sign(&st, h.carol, &said);
	check_refused("of her device", h.carol, cs_buf_view(&said));
	memcpy(st.signer_member, cs_client_self(h.carol)->member_id,
	    CS_ID_BYTES);
	sign(&st, h.carol, &said);
	check_refused("of no recipient", h.carol, cs_buf_view(&said));
	CHECK(!has_fact(case_id, CS_FACT_ACKNOWLEDGED));
	cs_buf_fini(&said);
	cs_buf_fini(&moved);
	hostile_end(&h);
}

static void
reopen(struct cs_client **c, const char *home)
{
	cs_client_close(*c);
	*c = NULL;
	CHECK_OK(cs_client_open(test_path(home), NULL, NULL, c));
}

/* Said once, it counts once, whoever brings it however often. */
TEST(a_receipt_in_several_envelopes_counts_once)
{
	uint8_t before[CS_HASH_BYTES], after[CS_HASH_BYTES];
	struct cs_statement st, later;
	struct cs_sync_report report;
	struct cs_buf said = { 0 }, again = { 0 };

	begin();
	st = true_word(case_id, CS_FACT_OPENED);
	sign(&st, h.bob, &said);
	check_taken(h.bob, cs_buf_view(&said));
	CHECK(has_fact(case_id, CS_FACT_OPENED));
	hash_store(before);
	check_taken(h.bob, cs_buf_view(&said));
	check_taken(h.carol, cs_buf_view(&said));
	/* after a restart of everybody */
	test_relay_stop(&h.l.r);
	test_relay_start(&h.l.r);
	reopen(&h.ann, "ann");
	check_taken(h.carol, cs_buf_view(&said));
	/* said otherwise, later: the first word stays */
	later = st;
	later.time_s += 60;
	sign(&later, h.bob, &again);
	check_taken(h.bob, cs_buf_view(&again));
	hash_store(after);
	CHECK_BYTES(before, sizeof(before), after, sizeof(after));
	/* and to who did not send that message it says nothing */
	bring(h.bob, h.carol, cs_buf_view(&said));
	CHECK_OK(collect(h.carol, &report));
	CHECK_NUM(0, report.received + report.refused);
	cs_buf_fini(&said);
	cs_buf_fini(&again);
	hostile_end(&h);
}

/* The newest item of the mailbox again, under the next number. */
static void
repeats_the_newest(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	struct cs_frame_list_reply head;
	struct cs_frame_item item[16];
	struct cs_frame_list ask;
	uint8_t chain[CS_HASH_BYTES];
	struct cs_wire w;
	uint64_t code;
	uint32_t was, n;

	if (op != CS_OP_LIST || cs_frame_list_decode(&args, &ask) != CS_OK)
		return;
	CHECK_OK(cs_frame_head(cs_buf_view(reply), &w, &code, &was, &n));
	CHECK_OK(cs_frame_list_reply_decode(&w, &head));
	if (head.n == 0 || head.n > 15)
		return;
	for (uint32_t i = 0; i < head.n; i++)
		CHECK_OK(cs_frame_next_item(&head.items, &item[i]));
	item[head.n] = item[head.n - 1];
	item[head.n].seq = ++head.head_seq;
	memcpy(chain, head.head_chain, sizeof(chain));
	cs_statement_chain(chain, head.head_seq, item[head.n].envelope_id,
	    item[head.n].e, head.head_chain);
	head.n++;
	cs_buf_reset(reply);
	cs_frame_list_reply_encode(reply, id, &head);
	for (uint32_t i = 0; i < head.n; i++)
		cs_frame_put_item(reply, &item[i]);
	x->lies++;
}

/* The same envelope twice is a replay, also where the first was taken in by a
 * client that has been started anew since. */
TEST(an_envelope_is_replayed_to_nobody)
{
	uint8_t before[CS_HASH_BYTES], after[CS_HASH_BYTES];
	struct cs_local_txn *txn = NULL;
	struct cs_sync_report report;
	struct cs_statement st;
	struct cs_buf said = { 0 };

	begin();
	st = true_word(case_id, CS_FACT_OPENED);
	sign(&st, h.bob, &said);
	bring(h.bob, h.ann, cs_buf_view(&said));
	liar_set(&h.l, NULL, repeats_the_newest);
	CHECK_OK(cs_client_connect(h.ann, 0));
	report = (struct cs_sync_report){ 0 };
	CHECK_OK(cs_collect_run(h.ann, NULL, NULL, &report));
	CHECK_NUM(1, report.receipts);
	CHECK_NUM(1, report.refused);
	hash_store(before);
	/* unacknowledged, so listed again to who forgot how far it had read */
	cs_client_disconnect(h.ann);
	CHECK_OK(cs_local_begin(cs_client_local(h.ann), true, &txn));
	CHECK_OK(cs_owed_cursor_save(txn, &(struct cs_chain){ 0 }));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
	reopen(&h.ann, "ann");
	liar_set(&h.l, NULL, NULL);
	CHECK_OK(collect(h.ann, &report));
	CHECK_NUM(0, report.receipts + report.received);
	CHECK_NUM(1, report.refused);
	hash_store(after);
	CHECK_BYTES(before, sizeof(before), after, sizeof(after));
	cs_buf_fini(&said);
	hostile_end(&h);
}

static void
end_device(struct cs_client *whom, enum cs_revoke_reason reason,
    uint64_t since_s, uint64_t prev)
{
	const struct cs_entry_revoke v = { .reason = reason,
		.compromised_since_s = since_s };
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_enrol_revoke(h.l.r.net.registrar, hostile_id(whom), &v,
	    prev, liar_time_s, &entry));
	liar_append(&h.l, &entry);
	cs_buf_fini(&entry);
}

/* What a device signed before it ended counts, and nothing from then on: its
 * own claim decides, for it can no longer bring anything itself. */
TEST(a_revoked_device_states_nothing_more)
{
	const uint64_t signed_at_s = liar_time_s + 60;
	struct cs_statement delivered, opened;
	struct cs_buf said = { 0 };
	uint64_t revoked;

	begin();
	delivered = true_word(case_id, CS_FACT_DELIVERED);
	opened = true_word(case_id, CS_FACT_OPENED);
	delivered.time_s = opened.time_s = signed_at_s;
	liar_time_s += 3600;
	h.l.r.now_ms = liar_time_s * 1000;
	cs_service_tick(h.l.r.s, test_relay_now(&h.l.r));
	end_device(h.bob, CS_REVOKE_LOST, 0, CS_ENTRY_NO_PREV);
	revoked = cs_directory_view(h.l.r.net.dir).size - 1;
	/* a moment too late, by a second */
	delivered.time_s = liar_time_s;
	sign(&delivered, h.bob, &said);
	check_refused("after its end", h.carol, cs_buf_view(&said));
	delivered.time_s = signed_at_s;
	sign(&delivered, h.bob, &said);
	check_taken(h.carol, cs_buf_view(&said));
	CHECK(has_fact(case_id, CS_FACT_DELIVERED));
	/* in other hands since before that */
	end_device(h.bob, CS_REVOKE_COMPROMISED, signed_at_s, revoked);
	sign(&opened, h.bob, &said);
	check_refused("compromised by then", h.carol, cs_buf_view(&said));
	CHECK(!has_fact(case_id, CS_FACT_OPENED));
	cs_buf_fini(&said);
	hostile_end(&h);
}

/* --------------------------------------------------------- lies of the relay
 */

/* A leaf and its place in a log of its own that the relay's key signs. */
static void
enter(const struct cs_statement *st, struct cs_buf *ret)
{
	const struct cs_keyring *relay = h.l.r.net.relay;
	struct cs_checkpoint cp = { .size = 1, .time_s = liar_time_s };
	struct cs_buf statement = { 0 }, origin = { 0 }, body = { 0 };
	struct cs_logged logged = { .salt = { 1 } };
	struct cs_buf note = { 0 };
	uint8_t leaf[CS_HASH_BYTES];

	CHECK_OK(cs_statement_encode(st, &statement));
	cs_statement_leaf(logged.salt, cs_buf_view(&statement), leaf);
	cs_merkle_leaf(CS_BYTES(leaf), cp.root);
	cs_checkpoint_origin(CS_LOG_RECEIPTS, h.l.r.net.network_id,
	    cs_keyring_info(relay)->id, &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	cs_keyring_sign(relay, cs_buf_view(&body), cp.signature);
	cs_checkpoint_encode(cs_buf_view(&origin), &cp,
	    cs_keyring_info(relay)->sign_key, &note);
	logged.statement = cs_buf_view(&statement);
	logged.checkpoint = cs_buf_view(&note);
	cs_statement_logged_encode(&logged, ret);
	CHECK_OK(cs_buf_err(ret));
	cs_buf_fini(&statement);
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
	cs_buf_fini(&note);
}

/* What the relay says in answer to status, of every message asked for. */
static struct {
	struct cs_statement outcome;
	const struct cs_client *evidence_by; /* NULL: none */
	struct cs_statement evidence;
	bool flip, flip_evidence;
	enum cs_upload_state state;
} told;

static void
tells(struct liar *x, enum cs_op op, uint32_t id, struct cs_wire args,
    struct cs_buf *reply)
{
	struct cs_frame_status_reply page = { 0 };
	struct cs_buf outcome = { 0 }, evidence = { 0 }, said = { 0 };
	struct cs_frame_outcome row;
	struct cs_frame_status v;

	if (op != CS_OP_STATUS || cs_frame_status_decode(&args, &v) != CS_OK)
		return;
	enter(&told.outcome, &outcome);
	outcome.p[outcome.n - 20] ^= told.flip;
	if (told.evidence_by) {
		enter(&told.evidence, &evidence);
		sign(&told.evidence, told.evidence_by, &said);
		said.p[said.n - 1] ^= told.flip_evidence;
		cs_buf_put(&evidence, said.p + said.n - 64, 64);
	}
	row.outcome = cs_buf_view(&outcome);
	row.evidence = cs_buf_view(&evidence);
	page.n = (uint32_t)(v.envelope_ids.n / CS_ID_BYTES);
	cs_buf_reset(reply);
	cs_frame_status_reply_encode(reply, id, &page);
	for (uint32_t i = 0; i < page.n; i++)
		cs_frame_put_status_row(reply, told.state,
		    (struct cs_bytes){ 0 }, &row, 1);
	cs_buf_fini(&outcome);
	cs_buf_fini(&evidence);
	cs_buf_fini(&said);
	x->lies++;
}

static struct cs_statement
true_outcome(enum cs_outcome outcome)
{
	struct cs_statement st = true_word(case_id, CS_FACT_OUTCOME);
	struct cs_directory_relay relay;

	CHECK_OK(cs_directory_relay(h.l.r.net.dir, &relay));
	memset(st.signer_member, 0, CS_ID_BYTES);
	memcpy(st.signer_device, relay.id, CS_ID_BYTES);
	st.signer_entry = relay.entry;
	memcpy(st.recipient_device, hostile_id(h.bob), CS_ID_BYTES);
	st.outcome = outcome;
	st.seq = 1;
	return st;
}

static void
ask_outcomes(void)
{
	CHECK_OK(cs_client_connect(h.ann, 0));
	h.l.lies = 0;
	CHECK_OK(cs_outcome_poll(h.ann));
	CHECK(h.l.lies > 0);
	cs_client_disconnect(h.ann);
}

static void
check_nothing_kept(const char *what)
{
	uint8_t before[CS_HASH_BYTES], after[CS_HASH_BYTES];

	hash_store(before);
	ask_outcomes();
	hash_store(after);
	if (memcmp(before, after, sizeof(before)) != 0)
		printf("# %s\n", what);
	CHECK_BYTES(before, sizeof(before), after, sizeof(after));
}

TEST(a_sender_takes_no_false_outcome)
{
	struct cs_statement st;

	begin();
	liar_set(&h.l, NULL, tells);
	st = true_outcome(CS_OUTCOME_FETCHED);
	memset(&told, 0, sizeof(told));
	told.state = CS_UPLOAD_GONE; /* and nobody has to ask again */
	told.outcome = st;
	told.flip = true;
	check_nothing_kept("altered");
	told.flip = false;
	told.outcome.network_id[0] ^= 1;
	check_nothing_kept("another network");
	told.outcome = st;
	told.outcome.envelope_id[0] ^= 1;
	check_nothing_kept("another message");
	told.outcome = st;
	told.outcome.e[0] ^= 1;
	check_nothing_kept("other bytes");
	told.outcome = st;
	memcpy(told.outcome.recipient_device, hostile_id(h.carol), CS_ID_BYTES);
	check_nothing_kept("no recipient");
	told.outcome = st;
	told.outcome.signer_device[0] ^= 1;
	check_nothing_kept("another relay");
	told.outcome = st;
	told.outcome.signer_entry--;
	check_nothing_kept("a key that is no relay's");
	told.outcome = true_word(case_id, CS_FACT_ACKNOWLEDGED);
	check_nothing_kept("no outcome");
	/* asked again until it is true */
	told.state = CS_UPLOAD_ACCEPTED;
	told.outcome = st;
	ask_outcomes();
	CHECK(has_fact(case_id, CS_FACT_OUTCOME));
	CHECK(!has_fact(other_id, CS_FACT_OUTCOME));
	/* the first outcome stays */
	told.outcome = true_outcome(CS_OUTCOME_REVOKED);
	check_nothing_kept("a second outcome");
	hostile_end(&h);
}

/* An outcome that is true, with a false word for what caused it: nothing is
 * kept as that device's fact, above all no receipt. */
TEST(a_sender_takes_no_false_word_for_an_outcome)
{
	static const enum cs_fact facts[] = { CS_FACT_DELIVERED, CS_FACT_OPENED,
		CS_FACT_ACKNOWLEDGED, CS_FACT_ACK, CS_FACT_WITHDRAW };
	struct cs_statement ack;

	begin();
	liar_set(&h.l, NULL, tells);
	memset(&told, 0, sizeof(told));
	told.state = CS_UPLOAD_ACCEPTED;
	told.outcome = true_outcome(CS_OUTCOME_FETCHED);
	ask_outcomes(); /* the outcome alone */
	CHECK(has_fact(case_id, CS_FACT_OUTCOME));
	ack = true_word(case_id, CS_FACT_ACK);
	ack.seq = 1;
	told.evidence_by = h.bob;
	for (int i = 0; i < 3; i++) { /* Bob's own word, and not that one */
		told.evidence = true_word(case_id, facts[i]);
		check_nothing_kept("a receipt");
	}
	told.evidence = ack;
	told.evidence.fact = CS_FACT_WITHDRAW;
	check_nothing_kept("another cause");
	told.evidence = ack;
	told.evidence.seq = 2;
	check_nothing_kept("another item");
	told.evidence = ack;
	told.evidence.e[0] ^= 1;
	check_nothing_kept("other bytes");
	told.evidence = ack;
	told.evidence.network_id[0] ^= 1;
	check_nothing_kept("another network");
	told.evidence = ack;
	told.evidence_by = h.carol;
	check_nothing_kept("signed by another");
	told.evidence_by = h.bob;
	told.flip_evidence = true;
	check_nothing_kept("altered");
	told.flip_evidence = false;
	memcpy(told.evidence.signer_device, hostile_id(h.carol), CS_ID_BYTES);
	check_nothing_kept("of another device");
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		CHECK(!has_fact(case_id, facts[i]));
	/* the true one */
	told.evidence = ack;
	ask_outcomes();
	CHECK(has_fact(case_id, CS_FACT_ACK));
	hostile_end(&h);
}

/* Who could not open it, as Bob would say it. */
static struct cs_statement
unopened_word(void)
{
	struct cs_statement st = true_word(case_id, CS_FACT_DELIVERED);

	st.result = CS_DELIVERED_UNDECRYPTABLE;
	memset(st.s, 0, sizeof(st.s));
	memset(st.m_hash, 0, sizeof(st.m_hash));
	return st;
}

static bool
is_copy_wanted(void)
{
	struct cs_local_txn *txn = NULL;
	struct cs_copying copy;
	cs_err e;

	CHECK_OK(cs_local_begin(cs_client_local(h.ann), false, &txn));
	e = cs_copying_get(txn, case_id, cs_client_self(h.bob)->member_id,
	    &copy);
	cs_local_end(&txn);
	return e == CS_OK;
}

/* Nobody but the recipient makes a sender seal it again: neither the relay nor
 * another member, who would get or keep nothing by that, but could have work
 * done and alarms silenced. */
TEST(a_sender_seals_nothing_again_upon_a_false_word)
{
	struct cs_statement st;
	struct cs_buf said = { 0 };

	begin();
	/* sealed, by who was sent nothing */
	st = unopened_word();
	sign(&st, h.carol, &said);
	check_refused("in Bob's name", h.carol, cs_buf_view(&said));
	memcpy(st.signer_device, hostile_id(h.carol), CS_ID_BYTES);
	memcpy(st.signer_member, cs_client_self(h.carol)->member_id,
	    CS_ID_BYTES);
	sign(&st, h.carol, &said);
	check_refused("of no recipient", h.carol, cs_buf_view(&said));
	/* by the relay, as the word for an outcome that is true */
	liar_set(&h.l, NULL, tells);
	memset(&told, 0, sizeof(told));
	told.state = CS_UPLOAD_ACCEPTED;
	told.outcome = true_outcome(CS_OUTCOME_FETCHED);
	ask_outcomes(); /* the outcome alone */
	st = unopened_word();
	told.evidence = st;
	told.evidence_by = h.carol;
	check_nothing_kept("signed by another");
	told.evidence_by = h.bob;
	told.flip_evidence = true;
	check_nothing_kept("altered");
	told.flip_evidence = false;
	told.evidence.e[0] ^= 1;
	check_nothing_kept("other bytes");
	told.evidence = st;
	told.evidence.network_id[0] ^= 1;
	check_nothing_kept("another network");
	told.evidence = st;
	memcpy(told.evidence.signer_device, hostile_id(h.carol), CS_ID_BYTES);
	check_nothing_kept("of another device");
	CHECK(!has_fact(case_id, CS_FACT_DELIVERED) && !is_copy_wanted());
	/* the true one */
	told.evidence = st;
	ask_outcomes();
	CHECK(has_fact(case_id, CS_FACT_DELIVERED) && is_copy_wanted());
	cs_buf_fini(&said);
	hostile_end(&h);
}
