#include "tests/support/clinic.h"

#include "keys/verify.h"
#include "tests/test.h"

void
test_clinic_start(struct test_clinic *c)
{
	test_relay_start(&c->r);
	test_relay_join(&c->r, "ann@clinic", &c->ann);
	test_relay_join(&c->r, "bob@clinic", &c->bob);
	test_relay_join(&c->r, "eve@clinic", &c->eve);
}

void
test_clinic_init(struct test_clinic *c)
{
	test_relay_init(&c->r);
	test_clinic_start(c);
}

void
test_clinic_fini(struct test_clinic *c)
{
	test_relay_leave(&c->ann);
	test_relay_leave(&c->bob);
	test_relay_leave(&c->eve);
	test_relay_fini(&c->r);
}

struct cs_buf
test_clinic_list_from(uint64_t after, uint32_t wait_ms)
{
	struct cs_frame_list v = { after, 100, wait_ms };
	struct cs_buf ask = { 0 };

	cs_frame_list_encode(&ask, 3, &v);
	return ask;
}

/* Counts the items with this outcome; the first of them. */
static uint32_t
count_items(struct test_clinic *c, const struct test_member *m, uint64_t after,
    uint8_t outcome, struct cs_frame_item *first,
    struct cs_frame_list_reply *head)
{
	struct cs_buf ask = test_clinic_list_from(after, 0);
	struct cs_frame_list_reply v;
	struct cs_frame_item item;
	struct test_ask a;
	uint32_t n = 0;

	CHECK_OK(test_relay_ask(&c->r, &m->who, &ask, &a));
	CHECK_OK(cs_frame_list_reply_decode(&a.w, &v));
	for (uint32_t i = 0; i < v.n; i++) {
		CHECK_OK(cs_frame_next_item(&v.items, &item));
		if (item.outcome != outcome)
			continue;
		if (n++ == 0 && first)
			*first = item;
	}
	if (head)
		*head = v;
	test_relay_end(&a);
	return n;
}

uint32_t
test_clinic_list(struct test_clinic *c, const struct test_member *m,
    uint64_t after, struct cs_frame_item *first,
    struct cs_frame_list_reply *head)
{
	return count_items(c, m, after, 0, first, head);
}

uint32_t
test_clinic_tombstones(struct test_clinic *c, const struct test_member *m,
    enum cs_outcome outcome)
{
	return count_items(c, m, 0, (uint8_t)outcome, NULL, NULL);
}

/* A device's word, in the receipt log like the outcome it caused. */
static void
check_evidence(struct test_clinic *c, struct cs_bytes bytes,
    struct cs_statement *ret)
{
	const struct cs_keyring_info *relay = cs_keyring_info(c->r.net.relay);
	uint8_t key[CS_SIGN_PUBLIC_BYTES], sig[CS_SIGNATURE_BYTES];
	struct cs_checkpoint cp;
	struct cs_statement st;
	struct cs_logged lg;

	CHECK_OK(cs_statement_evidence_decode(bytes, &lg, sig));
	CHECK_OK(cs_statement_decode(lg.statement, &st));
	CHECK_OK(cs_directory_signer(c->r.net.dir, st.signer_device,
	    st.signer_entry, st.time_s, key));
	CHECK_OK(cs_verify_evidence(bytes, relay->network_id, relay->id,
	    relay->sign_key, key, ret, &cp));
	key[0] ^= 1;
	CHECK(cs_verify_evidence(bytes, relay->network_id, relay->id,
		  relay->sign_key, key, ret, &cp) != CS_OK);
}

void
test_clinic_status(struct test_clinic *c, const struct test_member *m,
    const struct test_bundle *b, struct test_status *ret)
{
	const struct cs_keyring_info *relay = cs_keyring_info(c->r.net.relay);
	struct cs_frame_status v = { { b->id, CS_ID_BYTES } };
	struct cs_frame_status_reply rows;
	struct cs_frame_status_row row;
	struct cs_frame_outcome outcome;
	struct cs_checkpoint cp;
	struct cs_buf ask = { 0 };
	struct test_ask a;

	*ret = (struct test_status){ 0 };
	cs_frame_status_encode(&ask, 4, &v);
	CHECK_OK(test_relay_ask(&c->r, &m->who, &ask, &a));
	CHECK_OK(cs_frame_status_reply_decode(&a.w, &rows));
	CHECK_NUM(1, rows.n);
	CHECK_OK(cs_frame_next_status_row(&rows.rows, &row));
	ret->state = row.state;
	ret->n = row.n_outcomes;
	if (row.custody.n > 0)
		CHECK_OK(cs_verify_logged(row.custody, relay->network_id,
		    relay->id, relay->sign_key, &ret->custody, &cp));
	for (uint32_t i = 0; i < row.n_outcomes; i++) {
		CHECK_OK(cs_frame_next_outcome(&row.outcomes, &outcome));
		CHECK_OK(cs_verify_logged(outcome.outcome, relay->network_id,
		    relay->id, relay->sign_key, &ret->outcome[i], &cp));
		if (outcome.evidence.n > 0)
			check_evidence(c, outcome.evidence, &ret->evidence[i]);
	}
	ret->reply = a.reply;
	a.reply = (struct cs_buf){ 0 };
	test_relay_end(&a);
}

void
test_clinic_submit(struct test_clinic *c, const struct test_member *m,
    const struct test_bundle *b, struct cs_buf *ret_custody,
    struct cs_statement *ret)
{
	const struct cs_keyring_info *relay = cs_keyring_info(c->r.net.relay);
	struct cs_frame_custody_reply v;
	struct cs_checkpoint cp;
	struct cs_buf ask = { 0 };
	struct test_ask a;

	test_bundle_submit(b, &ask);
	CHECK_OK(test_relay_ask(&c->r, &m->who, &ask, &a));
	CHECK_OK(cs_frame_custody_reply_decode(&a.w, &v));
	cs_buf_put_bytes(ret_custody, v.custody);
	CHECK_OK(cs_verify_logged(cs_buf_view(ret_custody), relay->network_id,
	    relay->id, relay->sign_key, ret, &cp));
	test_relay_end(&a);
}
