/* What a receipt proof is worth. Files made by the real programs, and altered
 * in a hundred ways, are judged in tests/e2e/proof_test.py. */
#include "keys/judge.h"

#include <sodium.h>
#include <string.h>

#include "keys/excerpt.h"
#include "proto/label.h"
#include "proto/merkle.h"
#include "tests/support/fakelog.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000)
#define MAX 8

/* Ann's message to Bob; what is stated of it, in a log of the relay's. */
struct fixture {
	struct network n;
	struct fake_log log;
	struct cs_keyring *ann, *bob;
	struct cs_receiptproof proof;
	struct cs_buf certs, items, file;
	struct cs_buf bytes[MAX]; /* statements, notes, proofs */
	unsigned n_bytes;
	struct cs_judge j;
	struct cs_judge_item item[MAX];
	unsigned n_items;
	bool has_custody;
	uint64_t custody;
	struct cs_buf note, leaves;
};

static void
begin(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	network_init(&x->n, NOW);
	x->ann = network_join(&x->n, "ann@clinic");
	x->bob = network_join(&x->n, "bob@clinic");
	fake_log_init(&x->log, &x->n);
	fake_log_grow(&x->log, 3);
	x->log.now_s = NOW + 10;
	memcpy(x->proof.network_id, x->n.network_id, CS_NETWORK_ID_BYTES);
	memset(x->proof.envelope_id, 1, CS_ID_BYTES);
	memset(x->proof.e, 2, CS_HASH_BYTES);
	memset(x->proof.s, 3, CS_HASH_BYTES);
	memset(x->proof.m_hash, 4, CS_HASH512_BYTES);
}

static void
end(struct fixture *x)
{
	for (unsigned i = 0; i < x->n_bytes; i++)
		cs_buf_fini(&x->bytes[i]);
	cs_buf_fini(&x->certs);
	cs_buf_fini(&x->items);
	cs_buf_fini(&x->file);
	cs_buf_fini(&x->note);
	cs_buf_fini(&x->leaves);
	fake_log_fini(&x->log);
	cs_keyring_free(x->ann);
	cs_keyring_free(x->bob);
	network_fini(&x->n);
}

static void
put(struct fixture *x, const struct cs_receiptproof_item *item)
{
	cs_receiptproof_put_item(&x->items, item);
	x->proof.n_items++;
}

static struct cs_statement
statement(struct fixture *x, enum cs_fact fact, const struct cs_keyring *kr)
{
	struct cs_statement st = { .fact = fact,
		.result = CS_DELIVERED_OK,
		.outcome = CS_OUTCOME_FETCHED,
		.seq = 1,
		.time_s = NOW + 20 };
	struct cs_directory_device device;
	struct cs_directory_relay relay;

	memcpy(st.network_id, x->proof.network_id, CS_NETWORK_ID_BYTES);
	memcpy(st.envelope_id, x->proof.envelope_id, CS_ID_BYTES);
	memcpy(st.e, x->proof.e, CS_HASH_BYTES);
	memcpy(st.s, x->proof.s, CS_HASH_BYTES);
	memcpy(st.m_hash, x->proof.m_hash, CS_HASH512_BYTES);
	if (kr) {
		CHECK_OK(cs_directory_device(x->n.dir, cs_keyring_info(kr)->id,
		    &device));
		memcpy(st.signer_device, device.id, CS_ID_BYTES);
		memcpy(st.signer_member, device.member, CS_ID_BYTES);
		st.signer_entry = device.entry;
	} else {
		CHECK_OK(cs_directory_relay(x->n.dir, &relay));
		memcpy(st.signer_device, relay.id, CS_ID_BYTES);
		st.signer_entry = relay.entry;
	}
	return st;
}

/* States it, in the log between a checkpoint and the next, ten seconds later.
 */
static void
state(struct fixture *x, const struct cs_statement *st,
    enum cs_receiptproof_how how, const struct cs_keyring *kr)
{
	struct cs_receiptproof_item item = { .how = how };
	struct cs_buf bytes = { 0 }, before = { 0 }, after = { 0 },
		      proof = { 0 }, path = { 0 };
	const uint64_t size = x->log.n;
	uint8_t data[CS_HASH_BYTES], leaf[CS_HASH_BYTES];

	CHECK_OK(cs_statement_encode(st, &bytes));
	item.statement = cs_buf_view(&bytes);
	if (kr)
		cs_keyring_sign(kr, item.statement, item.signature);
	cs_statement_leaf(item.entered.salt, item.statement, data);
	if (how == CS_RECEIPTPROOF_ANCHORED) {
		memcpy(leaf, data, sizeof(leaf));
		cs_statement_anchor(leaf, data);
	}
	fake_log_note(&x->log, size, &before, NULL);
	memcpy(x->log.leaf[x->log.n++], data, CS_HASH_BYTES);
	x->log.now_s += 10;
	item.entered.index = size;
	if (st->fact == CS_FACT_CUSTODY) {
		x->has_custody = true;
		x->custody = size;
	}
	fake_log_note(&x->log, x->log.n, &after, NULL);
	fake_log_prove(&x->log, size, x->log.n, &proof);
	fake_log_consistency(&x->log, size, x->log.n, &path);
	item.entered.note = cs_buf_view(&after);
	item.entered.before = cs_buf_view(&before);
	item.entered.proof = cs_buf_view(&proof);
	item.entered.consistency = cs_buf_view(&path);
	put(x, &item);
	cs_buf_fini(&bytes);
	cs_buf_fini(&before);
	cs_buf_fini(&after);
	cs_buf_fini(&proof);
	cs_buf_fini(&path);
}

static cs_err
take(void *ctx, const struct cs_judge_item *item)
{
	struct fixture *x = ctx;

	CHECK(x->n_items < MAX);
	x->item[x->n_items] = *item;
	x->item[x->n_items++].address = (struct cs_bytes){ 0 };
	return CS_OK;
}

/* Writes the file, with what the directory has now. */
static void
write_file(struct fixture *x)
{
	struct cs_directory_relay relay;
	struct cs_buf ids = { 0 };

	CHECK_OK(cs_directory_relay(x->n.dir, &relay));
	cs_buf_put(&ids, relay.id, CS_ID_BYTES);
	cs_buf_put(&ids, cs_keyring_info(x->ann)->id, CS_ID_BYTES);
	cs_buf_put(&ids, cs_keyring_info(x->bob)->id, CS_ID_BYTES);
	cs_buf_reset(&x->certs);
	CHECK_OK(cs_excerpt_collect(x->n.dir, cs_buf_view(&ids), &x->certs,
	    &x->proof.n_certs));
	x->proof.seen = network_seen(&x->n);
	x->proof.certs = cs_buf_view(&x->certs);
	x->proof.items = cs_buf_view(&x->items);
	cs_buf_reset(&x->file);
	CHECK_OK(cs_receiptproof_encode(&x->proof, &x->file));
	cs_buf_fini(&ids);
}

static enum cs_verdict
judge_file(struct fixture *x, const struct cs_directory *own)
{
	x->n_items = 0;
	CHECK_OK(cs_judge_run(cs_buf_view(&x->file), x->n.network_id, own, take,
	    x, &x->j));
	return x->j.verdict;
}

static enum cs_verdict
judge(struct fixture *x)
{
	write_file(x);
	return judge_file(x, NULL);
}

static void
revoke_after(struct fixture *x, const uint8_t *id, uint64_t since_s,
    uint64_t prev)
{
	const struct cs_entry_revoke v = {
		.reason = since_s ? CS_REVOKE_COMPROMISED : CS_REVOKE_LOST,
		.compromised_since_s = since_s
	};
	struct cs_buf body = { 0 };

	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	CHECK_OK(network_append_as(&x->n, x->n.registrar, CS_ENTRY_REVOKE, id,
	    prev, cs_buf_view(&body)));
	cs_buf_fini(&body);
}

static void
revoke(struct fixture *x, const uint8_t *id, uint64_t since_s)
{
	revoke_after(x, id, since_s, CS_ENTRY_NO_PREV);
}

static void
revoke_again(struct fixture *x, const uint8_t *id, uint64_t since_s)
{
	revoke_after(x, id, since_s, cs_directory_view(x->n.dir).size - 1);
}

static void
state_custody(struct fixture *x)
{
	struct cs_statement st = statement(x, CS_FACT_CUSTODY, NULL);
	struct cs_custody_recipient row = { .seq = 1 };
	struct cs_buf rows = { 0 };

	memcpy(row.device_id, cs_keyring_info(x->bob)->id, CS_ID_BYTES);
	cs_statement_put_custody_recipient(&rows, &row);
	st.n_recipients = 1;
	st.recipients = cs_buf_view(&rows);
	state(x, &st, CS_RECEIPTPROOF_LOGGED, NULL);
	cs_buf_fini(&rows);
}

TEST(what_holds_lies_between_two_checkpoints)
{
	struct cs_statement st;
	struct fixture x;

	begin(&x);
	state_custody(&x);
	st = statement(&x, CS_FACT_OPENED, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	st = statement(&x, CS_FACT_ACK, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_SHOWN, x.bob);
	st = statement(&x, CS_FACT_OUTCOME, NULL);
	memcpy(st.recipient_device, cs_keyring_info(x.bob)->id, CS_ID_BYTES);
	state(&x, &st, CS_RECEIPTPROOF_LOGGED, NULL);
	CHECK_NUM(CS_VERDICT_VALID, judge(&x));
	CHECK_NUM(4, x.n_items);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_NUM(CS_VERDICT_VALID, x.item[i].verdict);
		CHECK(x.item[i].has_before && x.item[i].has_after);
		CHECK_NUM(NOW + 10 + 10 * i, x.item[i].before_s);
		CHECK_NUM(NOW + 20 + 10 * i, x.item[i].after_s);
	}
	CHECK_STR("valid", cs_judge_name(x.j.verdict));
	CHECK(x.j.network_name[0] != '\0');
	CHECK(!x.j.is_own && !x.j.is_own_old);
	end(&x);
}

TEST(a_signature_of_another_or_over_another_is_invalid)
{
	struct cs_statement st;
	struct fixture x;

	begin(&x);
	st = statement(&x, CS_FACT_OPENED, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.ann);
	st = statement(&x, CS_FACT_OPENED, x.bob);
	memset(st.s, 9, sizeof(st.s));
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	st = statement(&x, CS_FACT_OPENED, x.bob);
	memcpy(st.signer_member,
	    statement(&x, CS_FACT_OPENED, x.ann).signer_member, CS_ID_BYTES);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	st = statement(&x, CS_FACT_OPENED, x.bob);
	st.signer_entry++;
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	st = statement(&x, CS_FACT_OPENED, x.bob); /* no relay's to state */
	state(&x, &st, CS_RECEIPTPROOF_LOGGED, NULL);
	st = statement(&x, CS_FACT_ACK, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	CHECK_NUM(CS_VERDICT_INVALID, judge(&x));
	CHECK_NUM(6, x.n_items);
	for (unsigned i = 0; i < 6; i++) {
		CHECK_NUM(CS_VERDICT_INVALID, x.item[i].verdict);
		CHECK(x.item[i].why != NULL);
	}
	end(&x);
}

TEST(what_nothing_dates_is_unproven)
{
	struct cs_receiptproof_item item = { .how = CS_RECEIPTPROOF_SIGNED };
	struct cs_buf bytes = { 0 };
	struct cs_statement st;
	struct fixture x;

	begin(&x);
	st = statement(&x, CS_FACT_OPENED, x.bob);
	CHECK_OK(cs_statement_encode(&st, &bytes));
	item.statement = cs_buf_view(&bytes);
	cs_keyring_sign(x.bob, item.statement, item.signature);
	put(&x, &item);
	st.time_s = NOW + 8000; /* it was there long before */
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	CHECK_NUM(CS_VERDICT_UNPROVEN, judge(&x));
	CHECK_NUM(CS_VERDICT_UNPROVEN, x.item[0].verdict);
	CHECK(!x.item[0].has_after);
	CHECK_NUM(CS_VERDICT_UNPROVEN, x.item[1].verdict);
	cs_buf_fini(&bytes);
	end(&x);
}

TEST(a_key_that_ended_signs_nothing_that_was_not_in_the_log_before)
{
	struct cs_statement st;
	struct fixture x;

	begin(&x);
	st = statement(&x, CS_FACT_DELIVERED, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob); /* until NOW + 20 */
	st = statement(&x, CS_FACT_OPENED, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob); /* until NOW + 30 */
	st = statement(&x, CS_FACT_ACKNOWLEDGED, x.bob);
	st.time_s = NOW + 25;
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	x.n.now_s = NOW + 25;
	revoke(&x, cs_keyring_info(x.bob)->id, 0);
	CHECK_NUM(CS_VERDICT_INVALID, judge(&x));
	CHECK_NUM(CS_VERDICT_VALID, x.item[0].verdict);
	CHECK_NUM(CS_VERDICT_UNPROVEN, x.item[1].verdict);
	CHECK_NUM(CS_VERDICT_INVALID, x.item[2].verdict);
	end(&x);
}

/* That somebody destroyed what they had is said like what they got. */
TEST(a_purge_is_judged_by_what_was_purged)
{
	struct cs_statement st;
	struct fixture x;

	begin(&x);
	st = statement(&x, CS_FACT_PURGED, x.bob);
	st.purged_by = CS_PURGED_BY_RULE;
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	CHECK_NUM(CS_VERDICT_VALID, judge(&x));
	state(&x, &st, CS_RECEIPTPROOF_SIGNED, x.bob);
	CHECK_NUM(CS_VERDICT_UNPROVEN, judge(&x));
	st.s[0] ^= 1; /* another message */
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	st.s[0] ^= 1; /* not to the relay, and not by it */
	state(&x, &st, CS_RECEIPTPROOF_SHOWN, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_LOGGED, NULL);
	CHECK_NUM(CS_VERDICT_INVALID, judge(&x));
	for (unsigned i = 2; i < 5; i++)
		CHECK_NUM(CS_VERDICT_INVALID, x.item[i].verdict);
	end(&x);
}

TEST(a_home_knows_of_what_a_file_leaves_out)
{
	struct cs_directory *other = NULL;
	struct cs_statement st;
	struct cs_bytes leaf;
	struct fixture x, y;

	begin(&x);
	st = statement(&x, CS_FACT_OPENED, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	CHECK_NUM(CS_VERDICT_VALID, judge(&x));
	CHECK_NUM(CS_VERDICT_VALID, judge_file(&x, x.n.dir));
	CHECK(x.j.is_own);
	/* one that is older than the file decides nothing */
	CHECK_OK(cs_directory_new(x.n.network_id, &other));
	for (uint64_t i = 0; i < 4; i++) {
		CHECK_OK(cs_directory_leaf(x.n.dir, i, &leaf));
		CHECK_OK(cs_directory_apply(other, leaf));
	}
	CHECK_NUM(CS_VERDICT_VALID, judge_file(&x, other));
	CHECK(!x.j.is_own && x.j.is_own_old);
	cs_directory_free(other);
	revoke(&x, cs_keyring_info(x.bob)->id, NOW);
	CHECK_NUM(CS_VERDICT_VALID, judge_file(&x, NULL));
	CHECK_NUM(CS_VERDICT_INVALID, judge_file(&x, x.n.dir));
	CHECK_NUM(CS_VERDICT_INVALID, x.item[0].verdict);
	/* and another directory than the file's is a contradiction */
	begin(&y);
	CHECK_NUM(CS_VERDICT_INVALID, judge_file(&x, y.n.dir));
	CHECK(x.j.why != NULL);
	CHECK_NUM(0, x.n_items);
	end(&y);
	end(&x);
}

TEST(a_relay_that_was_compromised_proves_no_time)
{
	struct cs_directory_relay relay;
	struct cs_statement st;
	struct fixture x;

	begin(&x);
	st = statement(&x, CS_FACT_OPENED, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	CHECK_OK(cs_directory_relay(x.n.dir, &relay));
	write_file(&x);
	x.n.now_s = NOW + 1000;
	revoke(&x, relay.id, NOW + 500);
	CHECK_NUM(CS_VERDICT_UNPROVEN, judge_file(&x, x.n.dir));
	revoke_again(&x, relay.id, NOW + 15);
	CHECK_NUM(CS_VERDICT_INVALID, judge_file(&x, x.n.dir));
	end(&x);
}

TEST(the_messages_own_signature_was_there_when_somebody_stated_it)
{
	const struct cs_bytes label = CS_LABEL_ENVELOPE;
	struct cs_receiptproof_item item = { .how = CS_RECEIPTPROOF_SENDER };
	struct cs_directory_device device;
	struct cs_buf message = { 0 };
	struct cs_statement st;
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_directory_device(x.n.dir, cs_keyring_info(x.ann)->id,
	    &device));
	memcpy(item.device, device.id, CS_ID_BYTES);
	memcpy(item.member, device.member, CS_ID_BYTES);
	item.entry = device.entry;
	memset(item.h_hash, 7, sizeof(item.h_hash));
	cs_buf_put_bytes(&message, label);
	cs_buf_put(&message, item.h_hash, CS_HASH512_BYTES);
	cs_buf_put(&message, x.proof.m_hash, CS_HASH512_BYTES);
	cs_keyring_sign(x.ann, cs_buf_view(&message), item.signature);
	crypto_hash_sha256(x.proof.s, item.signature, sizeof(item.signature));
	put(&x, &item);
	CHECK_NUM(CS_VERDICT_UNPROVEN, judge(&x));
	st = statement(&x, CS_FACT_OPENED, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	CHECK_NUM(CS_VERDICT_VALID, judge(&x));
	CHECK(!x.item[0].has_before && x.item[0].has_after);
	CHECK_NUM(x.item[1].after_s, x.item[0].after_s);
	x.proof.m_hash[0] ^= 1;
	CHECK_NUM(CS_VERDICT_INVALID, judge(&x));
	CHECK_NUM(CS_VERDICT_INVALID, x.item[0].verdict);
	cs_buf_fini(&message);
	end(&x);
}

/* The log from the custody statement to its end. */
static void
fill_silence(struct fixture *x, uint64_t from)
{
	cs_buf_reset(&x->note);
	cs_buf_reset(&x->leaves);
	fake_log_note(&x->log, x->log.n, &x->note, NULL);
	for (uint64_t i = from + 1; i < x->log.n; i++)
		cs_buf_put(&x->leaves, x->log.leaf[i], CS_HASH_BYTES);
	x->proof.has_silence = true;
	x->proof.note = cs_buf_view(&x->note);
	x->proof.leaves = cs_buf_view(&x->leaves);
}

TEST(silence_is_all_of_the_log_without_an_acknowledgement)
{
	static uint8_t peaks[64 * CS_HASH_BYTES];
	uint8_t mark[CS_HASH_BYTES], hash[CS_HASH_BYTES];
	struct cs_merkle_edge edge = { 0 };
	struct cs_statement st;
	struct fixture x;
	size_t n = 0;

	begin(&x);
	state_custody(&x);
	for (uint64_t i = 0; i <= x.custody; i++) {
		cs_merkle_leaf(CS_BYTES(x.log.leaf[i]), hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	for (int k = 63; k >= 0; k--)
		if (edge.size >> k & 1)
			memcpy(peaks + CS_HASH_BYTES * n++, edge.node[k],
			    CS_HASH_BYTES);
	x.proof.peaks = (struct cs_bytes){ peaks, n * CS_HASH_BYTES };
	fake_log_grow(&x.log, 5);
	fill_silence(&x, x.custody);
	CHECK_NUM(CS_VERDICT_VALID, judge(&x));
	CHECK_NUM(CS_VERDICT_VALID, x.j.silence);
	CHECK_NUM(1, x.j.n_recipients);
	CHECK_NUM(0, x.j.n_bound);
	CHECK_NUM(x.log.now_s, x.j.silence_s);
	/* bob says himself what he got */
	st = statement(&x, CS_FACT_OPENED, x.bob);
	state(&x, &st, CS_RECEIPTPROOF_ANCHORED, x.bob);
	fill_silence(&x, x.custody);
	CHECK_NUM(CS_VERDICT_VALID, judge(&x));
	CHECK_NUM(1, x.j.n_bound);
	/* a leaf too few, an altered one */
	x.proof.leaves.n -= CS_HASH_BYTES;
	CHECK_NUM(CS_VERDICT_INVALID, judge(&x));
	x.proof.leaves.n += CS_HASH_BYTES;
	x.leaves.p[5] ^= 1;
	CHECK_NUM(CS_VERDICT_INVALID, judge(&x));
	CHECK_NUM(CS_VERDICT_INVALID, x.j.silence);
	/* bob has acknowledged */
	cs_statement_acked(x.proof.m_hash, cs_keyring_info(x.bob)->id, mark);
	cs_statement_anchor(mark, x.log.leaf[x.log.n++]);
	fill_silence(&x, x.custody);
	CHECK_NUM(CS_VERDICT_INVALID, judge(&x));
	CHECK(strstr(x.j.silence_why, "acknowledgement") != NULL);
	end(&x);
}

static cs_err
refuse(void *ctx, const struct cs_judge_item *item)
{
	(void)ctx;
	(void)item;
	return CS_FULL;
}

TEST(what_is_no_proof_of_this_network_is_refused)
{
	uint8_t elsewhere[CS_NETWORK_ID_BYTES] = { 1 };
	struct fixture x;
	struct cs_bytes v;

	begin(&x);
	state_custody(&x);
	write_file(&x);
	v = cs_buf_view(&x.file);
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_judge_run(v, elsewhere, NULL, NULL, NULL, &x.j));
	CHECK_ERR(CS_FULL,
	    cs_judge_run(v, x.n.network_id, NULL, refuse, NULL, &x.j));
	x.file.p[3] = '2';
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_judge_run(v, x.n.network_id, NULL, NULL, NULL, &x.j));
	x.file.p[3] = '1';
	x.file.p[50] ^= 1;
	CHECK_ERR(CS_MALFORMED,
	    cs_judge_run(v, x.n.network_id, NULL, NULL, NULL, &x.j));
	v.n = CS_RECEIPTPROOF_MAX_BYTES + 1;
	CHECK_ERR(CS_TOO_LARGE,
	    cs_judge_run(v, x.n.network_id, NULL, NULL, NULL, &x.j));
	end(&x);
}

TEST(an_excerpt_is_of_those_who_signed_and_whom_they_rest_on)
{
	struct cs_keyring *carl;
	struct cs_receiptproof_cert row;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	struct fixture x;
	size_t pos = 0;
	unsigned n = 0;

	begin(&x);
	carl = network_join(&x.n, "carl@clinic");
	state_custody(&x);
	write_file(&x);
	while (cs_receiptproof_next_cert(&x.proof, &pos, &row)) {
		CHECK_OK(cs_entry_leaf_decode(row.leaf, &leaf));
		CHECK_OK(cs_entry_decode(leaf.entry, &entry));
		CHECK(memcmp(entry.subject, cs_keyring_info(carl)->id,
			  CS_ID_BYTES) != 0);
		n++;
	}
	/* root, registrar, relay, practice, two members, two devices */
	CHECK_NUM(8, n);
	cs_keyring_free(carl);
	end(&x);
}
