#include "proto/statement.h"

#include <sodium.h>
#include <string.h>

#include "tests/test.h"

/* A statement of each kind, every field with a value of its own. */
static struct cs_statement
statement(enum cs_fact fact)
{
	struct cs_statement st = {
		.fact = fact,
		.signer_entry = 0x0102030405060708,
		.time_s = 1700000000,
		.seen.size = 99,
		.result = CS_DELIVERED_OK,
		.outcome = CS_OUTCOME_EXPIRED,
		.purged_by = CS_PURGED_BY_HAND,
		.responsibility = true,
		.text = { (const uint8_t *)"seen by me", 10 },
		.stored_bytes = 12345,
		.stored_until_s = 1800000000,
		.counter = 3,
		.seq = 17,
	};

	memset(st.network_id, 1, sizeof(st.network_id));
	memset(st.envelope_id, 2, sizeof(st.envelope_id));
	memset(st.e, 3, sizeof(st.e));
	if (fact != CS_FACT_CUSTODY && fact != CS_FACT_OUTCOME)
		memset(st.signer_member, 4, sizeof(st.signer_member));
	memset(st.signer_device, 5, sizeof(st.signer_device));
	memset(st.seen.root, 6, sizeof(st.seen.root));
	st.seen.time_s = 1690000000;
	memset(st.seen.incarnation, 12, sizeof(st.seen.incarnation));
	st.seen.counter = 2;
	memset(st.seen.signature, 13, sizeof(st.seen.signature));
	memset(st.prev, 7, sizeof(st.prev));
	memset(st.s, 8, sizeof(st.s));
	memset(st.m_hash, 9, sizeof(st.m_hash));
	memset(st.incarnation, 10, sizeof(st.incarnation));
	memset(st.recipient_device, 11, sizeof(st.recipient_device));
	return st;
}

/* n rows of width bytes that ascend, last bytes non-zero. */
static struct cs_bytes
rows(uint16_t n, size_t width)
{
	uint8_t *p = test_alloc(n * width + 1);

	for (uint16_t i = 0; i < n; i++) {
		memset(p + i * width, 0x33, width);
		p[i * width] = (uint8_t)(i >> 8);
		p[i * width + 1] = (uint8_t)i;
	}
	return (struct cs_bytes){ p, n * width };
}

static void
set_objects(struct cs_statement *st, uint16_t n)
{
	st->n_objects = n;
	st->objects = rows(n, st->fact == CS_FACT_CUSTODY ? 48 : 16);
}

static void
set_recipients(struct cs_statement *st, uint16_t n)
{
	st->n_recipients = n;
	st->recipients = rows(n, 56);
}

/* Bytes in memory of their exact size, writable. */
static uint8_t *
encode(const struct cs_statement *st, size_t *ret_n)
{
	struct cs_buf out = { 0 };
	uint8_t *p;

	CHECK_OK(cs_statement_encode(st, &out));
	p = test_alloc(out.n);
	memcpy(p, out.p, *ret_n = out.n);
	cs_buf_fini(&out);
	return p;
}

static void
refuse(cs_err want, const struct cs_statement *st)
{
	struct cs_buf out = { 0 };

	cs_buf_put_u8(&out, 1);
	CHECK_ERR(want, cs_statement_encode(st, &out));
	CHECK_NUM(1, out.n);
	cs_buf_fini(&out);
}

static struct cs_statement
custody(void)
{
	struct cs_statement st = statement(CS_FACT_CUSTODY);

	set_objects(&st, 2);
	set_recipients(&st, 3);
	return st;
}

TEST(statement_layout_is_that_of_the_page)
{
	struct cs_statement st = statement(CS_FACT_ACK);
	size_t n;
	uint8_t *p = encode(&st, &n);

	CHECK_NUM(11 + 32 + 16 + 32 + 16 + 16 + 8 + 8 + 136 + 32 + 8, n);
	CHECK_VIEW(HEX("636f6e73696c2f61636b00 01"),
	    ((struct cs_bytes){ p, 12 }));
	CHECK_VIEW(HEX("0102030405060708 000000006553f100 0000000000000063 06"),
	    ((struct cs_bytes){ p + 123, 25 }));
	CHECK_VIEW(HEX("07 0000000000000011"),
	    ((struct cs_bytes){ p + n - 9, 9 }));
}

TEST(statement_common_fields_round_trip)
{
	for (int fact = CS_FACT_CUSTODY; fact <= CS_FACT_PURGED; fact++) {
		struct cs_statement st = statement(fact), got;
		struct cs_buf again = { 0 };
		uint8_t *p;
		size_t n;

		if (fact == CS_FACT_CUSTODY)
			set_recipients(&st, 1);
		p = encode(&st, &n);
		CHECK_OK(cs_statement_decode((struct cs_bytes){ p, n }, &got));
		CHECK_NUM(fact, got.fact);
		CHECK_BYTES(st.network_id, 32, got.network_id, 32);
		CHECK_BYTES(st.envelope_id, 16, got.envelope_id, 16);
		CHECK_BYTES(st.e, 32, got.e, 32);
		CHECK_BYTES(st.signer_member, 16, got.signer_member, 16);
		CHECK_BYTES(st.signer_device, 16, got.signer_device, 16);
		CHECK_NUM(st.signer_entry, got.signer_entry);
		CHECK_NUM(st.time_s, got.time_s);
		CHECK_NUM(st.seen.size, got.seen.size);
		CHECK_BYTES(st.seen.root, 32, got.seen.root, 32);
		CHECK_NUM(st.seen.time_s, got.seen.time_s);
		CHECK_BYTES(st.seen.incarnation, 16, got.seen.incarnation, 16);
		CHECK_NUM(st.seen.counter, got.seen.counter);
		CHECK_BYTES(st.seen.signature, 64, got.seen.signature, 64);
		CHECK_BYTES(st.prev, 32, got.prev, 32);
		CHECK_OK(cs_statement_encode(&got, &again));
		CHECK_BYTES(p, n, again.p, again.n);
		cs_buf_fini(&again);
	}
}

TEST(statement_custody_round_trip)
{
	struct cs_statement st = statement(CS_FACT_CUSTODY), got;
	struct cs_custody_object object = { { 1 }, { 2 } }, got_object;
	struct cs_custody_recipient recipient = { { 3 }, 4, { 5 } };
	struct cs_custody_recipient got_recipient;
	struct cs_buf objects = { 0 }, recipients = { 0 };
	uint8_t *p;
	size_t n;

	cs_statement_put_custody_object(&objects, &object);
	cs_statement_put_custody_recipient(&recipients, &recipient);
	recipient.device_id[0]++;
	recipient.seq = UINT64_MAX;
	cs_statement_put_custody_recipient(&recipients, &recipient);
	st.n_objects = 1;
	st.objects = cs_buf_view(&objects);
	st.n_recipients = 2;
	st.recipients = cs_buf_view(&recipients);
	p = encode(&st, &n);
	CHECK_OK(cs_statement_decode((struct cs_bytes){ p, n }, &got));
	CHECK_NUM(1, got.n_objects);
	cs_statement_custody_object(&got, 0, &got_object);
	CHECK_BYTES(object.object_id, 16, got_object.object_id, 16);
	CHECK_BYTES(object.root, 32, got_object.root, 32);
	CHECK_NUM(2, got.n_recipients);
	cs_statement_custody_recipient(&got, 0, &got_recipient);
	CHECK_NUM(4, got_recipient.seq);
	cs_statement_custody_recipient(&got, 1, &got_recipient);
	CHECK_NUM(UINT64_MAX, got_recipient.seq);
	CHECK_BYTES(recipient.device_id, 16, got_recipient.device_id, 16);
	CHECK_BYTES(recipient.chain_head, 32, got_recipient.chain_head, 32);
	CHECK_NUM(12345, got.stored_bytes);
	CHECK_NUM(1800000000, got.stored_until_s);
	CHECK_BYTES(st.incarnation, 16, got.incarnation, 16);
	CHECK_NUM(3, got.counter);
	cs_buf_fini(&objects);
	cs_buf_fini(&recipients);
}

TEST(statement_device_facts_round_trip)
{
	struct cs_statement st = statement(CS_FACT_DELIVERED), got;
	uint8_t *p;
	size_t n;

	st.result = CS_DELIVERED_INCOMPLETE;
	set_objects(&st, 2);
	p = encode(&st, &n);
	CHECK_OK(cs_statement_decode((struct cs_bytes){ p, n }, &got));
	CHECK_NUM(CS_DELIVERED_INCOMPLETE, got.result);
	CHECK_BYTES(st.s, 32, got.s, 32);
	CHECK_BYTES(st.m_hash, 64, got.m_hash, 64);
	CHECK_NUM(2, got.n_objects);
	CHECK_BYTES(st.objects.p + 16, 16, cs_statement_object_id(&got, 1), 16);

	st = statement(CS_FACT_OPENED);
	set_objects(&st, 3);
	p = encode(&st, &n);
	CHECK_OK(cs_statement_decode((struct cs_bytes){ p, n }, &got));
	CHECK_NUM(3, got.n_objects);
	CHECK_BYTES(st.objects.p + 32, 16, cs_statement_object_id(&got, 2), 16);

	st = statement(CS_FACT_ACKNOWLEDGED);
	p = encode(&st, &n);
	CHECK_OK(cs_statement_decode((struct cs_bytes){ p, n }, &got));
	CHECK(got.responsibility);
	CHECK_VIEW(st.text, got.text);

	st = statement(CS_FACT_PURGED);
	st.purged_by = CS_PURGED_BY_RULE;
	p = encode(&st, &n);
	CHECK_OK(cs_statement_decode((struct cs_bytes){ p, n }, &got));
	CHECK_NUM(CS_PURGED_BY_RULE, got.purged_by);
	CHECK_BYTES(st.s, 32, got.s, 32);
	CHECK_BYTES(st.m_hash, 64, got.m_hash, 64);

	st = statement(CS_FACT_OUTCOME);
	p = encode(&st, &n);
	CHECK_OK(cs_statement_decode((struct cs_bytes){ p, n }, &got));
	CHECK_NUM(CS_OUTCOME_EXPIRED, got.outcome);
	CHECK_NUM(17, got.seq);
	CHECK_BYTES(st.recipient_device, 16, got.recipient_device, 16);
}

TEST(statement_refuses_cuts_and_trailing_bytes)
{
	for (int fact = CS_FACT_CUSTODY; fact <= CS_FACT_PURGED; fact++) {
		struct cs_statement st = statement(fact), got = { .seq = 77 };
		uint8_t *p, *longer;
		size_t n, label;

		if (fact == CS_FACT_CUSTODY)
			st = custody();
		p = encode(&st, &n);
		label = strlen((char *)p) + 1;
		for (size_t i = 0; i < n; i++)
			CHECK_ERR(i < label ? CS_UNSUPPORTED : CS_MALFORMED,
			    cs_statement_decode((struct cs_bytes){ p, i },
				&got));
		longer = test_alloc(n + 1);
		memcpy(longer, p, n);
		longer[n] = 0;
		CHECK_ERR(CS_MALFORMED,
		    cs_statement_decode((struct cs_bytes){ longer, n + 1 },
			&got));
		p[label - 2] ^= 1;
		CHECK_ERR(CS_UNSUPPORTED,
		    cs_statement_decode((struct cs_bytes){ p, n }, &got));
		CHECK_NUM(77, got.seq);
	}
}

TEST(statement_custody_refuses_bad_rows)
{
	struct cs_statement st = custody();
	uint8_t *p = (uint8_t *)(uintptr_t)st.objects.p;

	p[1] = 1; /* as the second */
	refuse(CS_MALFORMED, &st);
	p[1] = 2; /* above the second */
	refuse(CS_MALFORMED, &st);
	st = custody();
	p = (uint8_t *)(uintptr_t)st.recipients.p;
	p[57] = 0; /* the second as the first */
	refuse(CS_MALFORMED, &st);
	st = custody();
	p = (uint8_t *)(uintptr_t)st.recipients.p;
	memset(p + 56 + 16, 0, 8); /* mailbox number 0 */
	refuse(CS_MALFORMED, &st);
	st = custody();
	st.n_recipients = 0;
	st.recipients.n = 0;
	refuse(CS_MALFORMED, &st);
	st = custody();
	st.signer_member[15] = 1;
	refuse(CS_MALFORMED, &st);
}

TEST(statement_limits_are_exact)
{
	struct cs_statement st = custody(), got;
	char text[CS_LIMIT_ACK_TEXT_BYTES + 1];
	uint8_t *p;
	size_t n;

	set_objects(&st, CS_LIMIT_OBJECTS);
	set_recipients(&st, CS_LIMIT_RECIPIENTS);
	p = encode(&st, &n);
	CHECK_OK(cs_statement_decode((struct cs_bytes){ p, n }, &got));
	set_objects(&st, CS_LIMIT_OBJECTS + 1);
	refuse(CS_TOO_LARGE, &st);
	set_objects(&st, 0);
	set_recipients(&st, CS_LIMIT_RECIPIENTS + 1);
	refuse(CS_TOO_LARGE, &st);

	st = statement(CS_FACT_ACKNOWLEDGED);
	memset(text, 'x', sizeof(text));
	st.text = (struct cs_bytes){ (uint8_t *)text, sizeof(text) };
	refuse(CS_TOO_LARGE, &st);
	st.text.n--;
	encode(&st, &n);
	st.text = HEX("c328"); /* not UTF-8 */
	refuse(CS_MALFORMED, &st);

	st = statement(CS_FACT_OPENED);
	set_objects(&st, CS_LIMIT_OBJECTS + 1);
	refuse(CS_TOO_LARGE, &st);
	set_objects(&st, CS_LIMIT_OBJECTS);
	encode(&st, &n);

	p = test_alloc(CS_LIMIT_STATEMENT_BYTES + 1);
	memset(p, 0, CS_LIMIT_STATEMENT_BYTES + 1);
	CHECK_ERR(CS_TOO_LARGE,
	    cs_statement_decode((struct cs_bytes){ p,
				    CS_LIMIT_STATEMENT_BYTES + 1 },
		&got));
}

TEST(statement_enums_are_checked)
{
	struct cs_statement st = statement(CS_FACT_DELIVERED), got;
	uint8_t *p;
	size_t n;

	st.result = 0;
	refuse(CS_MALFORMED, &st);
	st.result = CS_DELIVERED_INCOMPLETE + 1;
	refuse(CS_MALFORMED, &st);
	st = statement(CS_FACT_OUTCOME);
	st.outcome = 0;
	refuse(CS_MALFORMED, &st);
	st.outcome = CS_OUTCOME_WITHDRAWN + 1;
	refuse(CS_MALFORMED, &st);
	st = statement(CS_FACT_PURGED);
	st.purged_by = CS_PURGED_BY_RULE + 1;
	refuse(CS_MALFORMED, &st);
	st.purged_by = 0;
	refuse(CS_MALFORMED, &st);
	st = statement(0);
	refuse(CS_MALFORMED, &st);
	st = statement(CS_FACT_PURGED + 1);
	refuse(CS_MALFORMED, &st);

	st = statement(CS_FACT_ACKNOWLEDGED);
	p = encode(&st, &n);
	p[n - 13] = 2; /* responsibility: neither yes nor no */
	CHECK_ERR(CS_MALFORMED,
	    cs_statement_decode((struct cs_bytes){ p, n }, &got));
}

TEST(statement_mailbox_number_is_never_zero)
{
	struct cs_statement st = statement(CS_FACT_ACK);

	st.seq = 0;
	refuse(CS_MALFORMED, &st);
	st = statement(CS_FACT_OUTCOME);
	st.seq = 0;
	refuse(CS_MALFORMED, &st);
	st = statement(CS_FACT_OUTCOME);
	st.signer_member[0] = 1;
	refuse(CS_MALFORMED, &st);
}

/* What could not be opened or verified must not name a message, and only
 * what is incomplete lists objects. */
TEST(statement_delivered_says_no_more_than_it_can)
{
	struct cs_statement st = statement(CS_FACT_DELIVERED);
	size_t n;

	set_objects(&st, 1);
	refuse(CS_MALFORMED, &st);
	st.result = CS_DELIVERED_INCOMPLETE;
	encode(&st, &n);
	set_objects(&st, 0);
	refuse(CS_MALFORMED, &st);
	for (int r = CS_DELIVERED_UNDECRYPTABLE;
	     r <= CS_DELIVERED_BAD_SIGNATURE; r++) {
		st = statement(CS_FACT_DELIVERED);
		st.result = r;
		refuse(CS_MALFORMED, &st);
		memset(st.s, 0, sizeof(st.s));
		refuse(CS_MALFORMED, &st);
		memset(st.m_hash, 0, sizeof(st.m_hash));
		encode(&st, &n);
		st.s[31] = 1;
		refuse(CS_MALFORMED, &st);
	}
}

TEST(statement_hashes)
{
	uint8_t salt[32], head[32] = { 1 }, id[16] = { 2 }, e[32] = { 3 };
	uint8_t got[32], want[32];
	struct cs_bytes v = HEX("616263");
	struct cs_buf in = { 0 };

	cs_statement_hash(v, got);
	CHECK_VIEW(HEX("ba7816bf8f01cfea414140de5dae2223"
		       "b00361a396177a9cb410ff61f20015ad"),
	    ((struct cs_bytes){ got, 32 }));

	memset(salt, 9, sizeof(salt));
	cs_buf_put(&in, salt, sizeof(salt));
	cs_buf_put_bytes(&in, v);
	crypto_hash_sha256(want, in.p, in.n);
	cs_statement_leaf(salt, v, got);
	CHECK_BYTES(want, 32, got, 32);

	cs_buf_reset(&in);
	cs_buf_put(&in, "consil/mailbox", 15);
	cs_buf_put(&in, head, sizeof(head));
	cs_buf_put_u64(&in, 0x1122334455667788);
	cs_buf_put(&in, id, sizeof(id));
	cs_buf_put(&in, e, sizeof(e));
	crypto_hash_sha256(want, in.p, in.n);
	cs_statement_chain(head, 0x1122334455667788, id, e, got);
	CHECK_BYTES(want, 32, got, 32);
	cs_buf_fini(&in);
}

/* ------------------------------------------------------- logged statements */

static struct cs_logged
logged(size_t statement_n, size_t hashes, size_t note_n)
{
	static uint8_t fill[CS_LIMIT_STATEMENT_BYTES + 1];
	struct cs_logged lg = { .index = 5 };

	memset(fill, 0x61, sizeof(fill));
	memset(lg.salt, 0x62, sizeof(lg.salt));
	lg.statement = (struct cs_bytes){ fill, statement_n };
	lg.proof = (struct cs_bytes){ fill, hashes * 32 };
	lg.checkpoint = (struct cs_bytes){ fill, note_n };
	return lg;
}

static cs_err
recode(struct cs_logged lg)
{
	struct cs_logged got = { 0 };
	struct cs_buf out = { 0 };
	cs_err e;

	cs_statement_logged_encode(&lg, &out);
	CHECK_OK(cs_buf_err(&out));
	e = cs_statement_logged_decode(cs_buf_view(&out), &got);
	if (e == CS_OK) {
		CHECK_VIEW(lg.statement, got.statement);
		CHECK_BYTES(lg.salt, 32, got.salt, 32);
		CHECK_NUM(lg.index, got.index);
		CHECK_VIEW(lg.proof, got.proof);
		CHECK_VIEW(lg.checkpoint, got.checkpoint);
	} else {
		CHECK(got.statement.p == NULL);
	}
	cs_buf_fini(&out);
	return e;
}

TEST(statement_logged_round_trip_and_limits)
{
	CHECK_OK(recode(logged(1, 0, 1)));
	CHECK_OK(recode(logged(CS_LIMIT_STATEMENT_BYTES, 64, 4096)));
	CHECK_ERR(CS_TOO_LARGE,
	    recode(logged(CS_LIMIT_STATEMENT_BYTES + 1, 64, 4096)));
	CHECK_ERR(CS_TOO_LARGE, recode(logged(1, 65, 1)));
	CHECK_ERR(CS_TOO_LARGE, recode(logged(1, 0, 4097)));
	CHECK_ERR(CS_MALFORMED, recode(logged(0, 0, 1)));
	CHECK_ERR(CS_MALFORMED, recode(logged(1, 0, 0)));
}

TEST(statement_logged_refuses_cuts_and_trailing_bytes)
{
	struct cs_logged lg = logged(10, 2, 30), got = { .index = 77 };
	struct cs_buf out = { 0 };

	cs_statement_logged_encode(&lg, &out);
	for (size_t n = 0; n < out.n; n++)
		CHECK_ERR(CS_MALFORMED,
		    cs_statement_logged_decode((struct cs_bytes){ out.p, n },
			&got));
	cs_buf_put_u8(&out, 0);
	CHECK_ERR(CS_MALFORMED,
	    cs_statement_logged_decode(cs_buf_view(&out), &got));
	CHECK_NUM(77, got.index);
	cs_buf_fini(&out);
}

TEST(statement_names)
{
	CHECK_STR("fetched", cs_statement_outcome_name(CS_OUTCOME_FETCHED));
	CHECK_STR("revoked", cs_statement_outcome_name(CS_OUTCOME_REVOKED));
	CHECK_STR("withdrawn", cs_statement_outcome_name(CS_OUTCOME_WITHDRAWN));
	CHECK_STR(NULL, cs_statement_outcome_name(0));
	CHECK_STR(NULL, cs_statement_outcome_name(CS_OUTCOME_WITHDRAWN + 1));
	CHECK_STR("by rule", cs_statement_purged_name(CS_PURGED_BY_RULE));
	CHECK_STR(NULL, cs_statement_purged_name(0));
	CHECK_STR(NULL, cs_statement_purged_name(CS_PURGED_BY_RULE + 1));
	CHECK_STR("ok", cs_statement_result_name(CS_DELIVERED_OK));
	CHECK_STR("incomplete",
	    cs_statement_result_name(CS_DELIVERED_INCOMPLETE));
	CHECK_STR(NULL, cs_statement_result_name(0));
	CHECK_STR(NULL, cs_statement_result_name(CS_DELIVERED_INCOMPLETE + 1));
}
