/*
 * Statements, logged statements and the invitation of the second
 * implementation (tests/vectors, written from docs/protocol.md alone): every
 * field and hash, and the same bytes when written again.
 */
#include "keys/verify.h"
#include "proto/invite.h"
#include "proto/statement.h"
#include "tests/support/vectors.h"
#include "tests/test.h"

static void
same_statement_common(const json_t *f, const struct cs_statement *st)
{
	VECTORS_SAME(f, "network_id", st->network_id);
	VECTORS_SAME(f, "envelope_id", st->envelope_id);
	VECTORS_SAME(f, "e", st->e);
	VECTORS_SAME(f, "signer_member", st->signer_member);
	VECTORS_SAME(f, "signer_device", st->signer_device);
	vectors_same_num(f, "signer_entry", st->signer_entry);
	vectors_same_num(f, "time", st->time_s);
	vectors_same_seen(f, &st->seen);
	VECTORS_SAME(f, "prev", st->prev);
}

static void
same_custody(const json_t *f, const struct cs_statement *st)
{
	const json_t *objects = vectors_get(f, "objects");
	const json_t *boxes = vectors_get(f, "mailboxes");

	CHECK_NUM(json_array_size(objects), st->n_objects);
	for (uint16_t i = 0; i < st->n_objects; i++) {
		struct cs_custody_object o;

		cs_statement_custody_object(st, i, &o);
		VECTORS_SAME(vectors_row(objects, i), "object_id", o.object_id);
		VECTORS_SAME(vectors_row(objects, i), "object_root", o.root);
	}
	CHECK_NUM(json_array_size(boxes), st->n_recipients);
	for (uint16_t i = 0; i < st->n_recipients; i++) {
		struct cs_custody_recipient r;

		cs_statement_custody_recipient(st, i, &r);
		VECTORS_SAME(vectors_row(boxes, i), "device_id", r.device_id);
		vectors_same_num(vectors_row(boxes, i), "seq", r.seq);
		VECTORS_SAME(vectors_row(boxes, i), "chain_head", r.chain_head);
	}
	vectors_same_num(f, "stored_bytes", st->stored_bytes);
	vectors_same_num(f, "stored_until", st->stored_until_s);
	VECTORS_SAME(f, "incarnation", st->incarnation);
	vectors_same_num(f, "counter", st->counter);
}

static void
same_binding(const json_t *f, const struct cs_statement *st)
{
	VECTORS_SAME(f, "s", st->s);
	VECTORS_SAME(f, "manifest_hash", st->m_hash);
}

static void
same_delivered(const json_t *f, const struct cs_statement *st)
{
	same_binding(f, st);
	vectors_same_num(f, "result", st->result);
	vectors_same_rows(vectors_get(f, "objects"), st->objects, CS_ID_BYTES);
}

static void
same_opened(const json_t *f, const struct cs_statement *st)
{
	same_binding(f, st);
	vectors_same_rows(vectors_get(f, "objects"), st->objects, CS_ID_BYTES);
}

static void
same_acknowledged(const json_t *f, const struct cs_statement *st)
{
	same_binding(f, st);
	vectors_same_num(f, "responsibility", st->responsibility);
	vectors_same_text(f, "text", st->text);
}

static void
same_outcome(const json_t *f, const struct cs_statement *st)
{
	VECTORS_SAME(f, "recipient_device", st->recipient_device);
	vectors_same_num(f, "seq", st->seq);
	vectors_same_num(f, "outcome", st->outcome);
}

static void
same_ack(const json_t *f, const struct cs_statement *st)
{
	vectors_same_num(f, "seq", st->seq);
}

static void
same_withdraw(const json_t *f, const struct cs_statement *st)
{
	(void)f;
	(void)st;
}

static void
same_purged(const json_t *f, const struct cs_statement *st)
{
	same_binding(f, st);
	vectors_same_num(f, "by", st->purged_by);
}

static const struct {
	const char *fact;
	void (*same)(const json_t *, const struct cs_statement *);
} facts[] = {
	[CS_FACT_CUSTODY] = { "custody", same_custody },
	[CS_FACT_DELIVERED] = { "delivered", same_delivered },
	[CS_FACT_OPENED] = { "opened", same_opened },
	[CS_FACT_ACKNOWLEDGED] = { "acknowledged", same_acknowledged },
	[CS_FACT_OUTCOME] = { "outcome", same_outcome },
	[CS_FACT_ACK] = { "ack", same_ack },
	[CS_FACT_WITHDRAW] = { "withdraw", same_withdraw },
	[CS_FACT_PURGED] = { "purged", same_purged },
};

/* Fields, hash, signature; and written again it has the same bytes. */
static enum cs_fact
same_statement(const json_t *want, struct cs_bytes key)
{
	const json_t *f = vectors_get(want, "fields");
	struct cs_bytes bytes = test_json_hex(want, "statement");
	struct cs_bytes is_signed = test_json_hex(want, "signed");
	struct cs_statement st;
	struct cs_buf again = { 0 };
	uint8_t hash[CS_HASH_BYTES];

	CHECK_OK(cs_statement_decode(bytes, &st));
	CHECK_STR(test_json_str(want, "fact"), facts[st.fact].fact);
	same_statement_common(f, &st);
	facts[st.fact].same(f, &st);
	CHECK_OK(cs_statement_encode(&st, &again));
	CHECK_VIEW(bytes, cs_buf_view(&again));
	cs_buf_fini(&again);
	cs_statement_hash(bytes, hash);
	VECTORS_SAME(want, "hash", hash);
	CHECK_NUM(bytes.n + CS_SIGNATURE_BYTES, is_signed.n);
	CHECK_OK(cs_verify_ed25519(key.p, bytes, is_signed.p + bytes.n));
	return st.fact;
}

TEST(statements_have_these_fields)
{
	const json_t *file = vectors_file("statements.json");
	const json_t *list = vectors_get(file, "statements");
	struct cs_bytes key = test_json_hex(vectors_get(file, "signer"), "key");
	bool seen[CS_FACT_PURGED + 1] = { 0 };

	for (size_t i = 0; i < json_array_size(list); i++)
		seen[same_statement(vectors_row(list, i), key)] = true;
	for (int fact = CS_FACT_CUSTODY; fact <= CS_FACT_PURGED; fact++)
		CHECK(seen[fact]);
}

TEST(logged_statements_are_in_the_receipt_log)
{
	const json_t *network = vectors_file("network.json");
	const json_t *list =
	    vectors_get(vectors_file("statements.json"), "logged");

	CHECK(json_array_size(list) > 1);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *want = vectors_row(list, i);
		struct cs_statement st;
		struct cs_checkpoint cp;
		struct cs_logged lg;

		CHECK_OK(cs_verify_logged(test_json_hex(want, "bytes"),
		    vectors_network_id().p,
		    test_json_hex(network, "relay_id").p,
		    test_json_hex(network, "relay_key").p, &st, &cp));
		vectors_same_num(vectors_get(want, "checkpoint"), "size",
		    cp.size);
		CHECK_OK(cs_statement_logged_decode(test_json_hex(want,
							"bytes"),
		    &lg));
		vectors_same_num(want, "index", lg.index);
		VECTORS_SAME(want, "salt", lg.salt);
		vectors_same_rows(vectors_get(want, "proof"), lg.proof,
		    CS_HASH_BYTES);
	}
}

TEST(mailbox_chain_has_these_heads)
{
	const json_t *list =
	    vectors_get(vectors_file("statements.json"), "mailbox_chain");
	uint8_t head[CS_HASH_BYTES] = { 0 };

	CHECK(json_array_size(list) > 1);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *want = vectors_row(list, i);

		cs_statement_chain(head, vectors_num(want, "seq"),
		    test_json_hex(want, "envelope_id").p,
		    test_json_hex(want, "e").p, head);
		VECTORS_SAME(want, "head", head);
	}
}

/* ------------------------------------------------------------- invitations */

TEST(invitation_has_these_fields)
{
	const json_t *file = vectors_file("invite.json");
	const json_t *f = vectors_get(file, "fields");
	struct cs_bytes text = cs_bytes_str(test_json_str(file, "text"));
	struct cs_buf binary = { 0 }, again = { 0 };
	struct cs_invite inv;

	CHECK_OK(cs_invite_dearmour(text, &binary));
	CHECK_VIEW(test_json_hex(file, "binary"), cs_buf_view(&binary));
	CHECK_OK(cs_invite_decode(cs_buf_view(&binary), &inv));
	VECTORS_SAME(f, "network_id", inv.network_id);
	VECTORS_SAME(f, "relay_id", inv.relay_id);
	VECTORS_SAME(f, "relay_noise_key", inv.relay_noise_key);
	VECTORS_SAME(f, "relay_sign_key", inv.relay_sign_key);
	vectors_same_num(f, "expires", inv.expires_s);
	vectors_same_text(f, "relay_url", inv.relay_url);
	vectors_same_text(f, "network_name", inv.network_name);
	vectors_same(f, "root_entry", inv.root_entry.p, inv.root_entry.n);
	vectors_same(f, "member_entry", inv.member_entry.p, inv.member_entry.n);
	vectors_same(f, "enrol_seed", inv.enrol_seed, 32);
	cs_invite_encode(&inv, &again);
	CHECK_VIEW(cs_buf_view(&binary), cs_buf_view(&again));
	cs_buf_fini(&again);
	cs_invite_armour(cs_buf_view(&binary), "Please join our network.\n\n",
	    &again);
	CHECK_VIEW(text, cs_buf_view(&again));
	cs_buf_fini(&again);
	cs_buf_fini(&binary);
}
