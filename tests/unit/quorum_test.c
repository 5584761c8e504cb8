#include "keys/quorum.h"

#include <string.h>

#include "tests/support/ceremony.h"
#include "tests/test.h"

static cs_err
judge(const struct cs_signing *v)
{
	struct cs_quorum q;

	return cs_quorum_open(v, &q);
}

/* The same of a request's bytes. */
static cs_err
judge_bytes(const struct cs_buf *request)
{
	struct cs_signing v;

	CHECK_OK(cs_signing_decode(cs_buf_view(request), &v));
	return judge(&v);
}

TEST(quorum_founds_a_network_by_two_of_three)
{
	struct cs_buf request = { 0 };
	struct ceremony c;

	ceremony_init(&c);
	ceremony_founding(&c, &request);
	CHECK_ERR(CS_INCOMPLETE, ceremony_apply(&c, &request, 0));
	CHECK_OK(ceremony_sign(c.key[1], &request));
	CHECK_ERR(CS_INCOMPLETE, ceremony_apply(&c, &request, 0));
	CHECK_OK(ceremony_sign(c.key[1], &request)); /* counts once */
	CHECK_ERR(CS_INCOMPLETE, ceremony_apply(&c, &request, 0));
	CHECK_OK(ceremony_sign(c.key[2], &request));
	CHECK_OK(ceremony_apply(&c, &request, 0));
	CHECK_OK(ceremony_apply(&c, &request, 1));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

TEST(quorum_loses_one_key_of_three_and_goes_on)
{
	struct cs_buf request = { 0 }, other = { 0 };
	struct ceremony c;

	ceremony_init(&c);
	ceremony_found(&c);
	/* key 1 is lost: 0 and 2 and the new ones rotate it away */
	ceremony_next_root(&c, 3, &request);
	CHECK_OK(ceremony_sign(c.key[3], &request));
	CHECK_OK(ceremony_sign(c.key[4], &request));
	CHECK_OK(ceremony_sign(c.key[0], &request));
	CHECK_ERR(CS_INCOMPLETE, ceremony_apply(&c, &request, 0));
	CHECK_OK(ceremony_sign(c.key[2], &request));
	CHECK_OK(ceremony_apply(&c, &request, 0));
	/* the old keys have no say any more, the new ones have */
	ceremony_registrar(&c, c.registrar, 1, &other);
	CHECK_ERR(CS_DENIED, ceremony_sign(c.key[0], &other));
	CHECK_OK(ceremony_sign(c.key[4], &other));
	CHECK_OK(ceremony_sign(c.key[5], &other));
	CHECK_OK(ceremony_apply(&c, &other, 0));
	cs_buf_fini(&request);
	cs_buf_fini(&other);
	ceremony_fini(&c);
}

TEST(quorum_refuses_a_root_with_one_old_key_left)
{
	struct cs_buf request = { 0 };
	struct ceremony c;

	ceremony_init(&c);
	ceremony_found(&c);
	ceremony_next_root(&c, 3, &request);
	for (unsigned i = 3; i < 6; i++)
		CHECK_OK(ceremony_sign(c.key[i], &request));
	CHECK_OK(ceremony_sign(c.key[0], &request));
	CHECK_ERR(CS_INCOMPLETE, ceremony_apply(&c, &request, 0));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

TEST(quorum_signs_for_both_versions_with_a_key_of_both)
{
	struct cs_buf request = { 0 };
	struct cs_signing v;
	struct cs_quorum q;
	struct cs_quorum_core core;
	struct ceremony c;

	ceremony_init(&c);
	ceremony_found(&c);
	ceremony_next_root(&c, 1, &request); /* 1, 2 stay, 3 comes */
	CHECK_OK(ceremony_sign(c.key[1], &request));
	CHECK_OK(cs_signing_decode(cs_buf_view(&request), &v));
	CHECK_OK(cs_quorum_open(&v, &q));
	CHECK_NUM(2, v.n_rows);
	core = cs_quorum_core(&q, 0);
	CHECK_NUM(2, core.n_sides);
	CHECK_NUM(1, cs_quorum_count(v.rows, 0, &core.side[0]));
	CHECK_NUM(1, cs_quorum_count(v.rows, 0, &core.side[1]));
	CHECK_OK(ceremony_sign(c.key[2], &request));
	CHECK_OK(ceremony_apply(&c, &request, 0));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

TEST(quorum_follows_the_versions_one_by_one)
{
	struct cs_buf request = { 0 };
	struct cs_signing v;
	struct ceremony c;

	ceremony_init(&c);
	ceremony_found(&c);
	for (unsigned first = 1; first <= 3; first++) {
		ceremony_next_root(&c, first, &request);
		for (unsigned i = first - 1; i < first + 3; i++)
			CHECK_OK(ceremony_sign(c.key[i], &request));
		CHECK_OK(ceremony_apply(&c, &request, 0));
		cs_buf_reset(&request);
	}
	ceremony_registrar(&c, c.registrar, 1, &request);
	CHECK_OK(cs_signing_decode(cs_buf_view(&request), &v));
	CHECK_NUM(4, v.n_roots);
	CHECK_OK(judge(&v));
	/* the last left out: the entry is by an older root, and judged so */
	v.roots.n -= 2 + cs_signing_root(&v, 3).n;
	v.n_roots--;
	CHECK_OK(judge(&v));
	/* the first left out: another network */
	v.roots.p += 2 + cs_signing_root(&v, 0).n;
	v.roots.n -= 2 + cs_signing_root(&v, 0).n;
	v.n_roots--;
	CHECK_ERR(CS_WRONG_NETWORK, judge(&v));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

/* Body of core i, writable: the request is the test's own. */
static uint8_t *
core_bytes(const struct cs_signing *v, uint8_t i)
{
	struct cs_bytes core = cs_signing_core(v, i);
	uint8_t *copy = test_alloc(v->cores.n);
	size_t at = (size_t)(core.p - v->cores.p);

	memcpy(copy, v->cores.p, v->cores.n);
	return copy + at;
}

#define AT_AUTHORITY (1 + 1 + 8 + CS_ID_BYTES + 8)
#define AT_BODY      (AT_AUTHORITY + CS_ID_BYTES + 2)

TEST(quorum_refuses_a_version_that_does_not_follow)
{
	struct cs_buf request = { 0 };
	struct cs_signing v;
	struct ceremony c;
	uint8_t *core;

	ceremony_init(&c);
	ceremony_found(&c);
	ceremony_next_root(&c, 3, &request);
	CHECK_OK(cs_signing_decode(cs_buf_view(&request), &v));
	core = core_bytes(&v, 0);
	core[AT_BODY + 3]++; /* version 3 after 1 */
	v.cores.p = core - 2;
	CHECK_ERR(CS_CLASH, judge(&v));
	core[AT_BODY + 3]--;
	CHECK_OK(judge(&v));
	core[AT_AUTHORITY] ^= 1; /* not by this root */
	CHECK_ERR(CS_DENIED, judge(&v));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

TEST(quorum_refuses_a_forged_root_version)
{
	struct cs_buf request = { 0 }, roots = { 0 };
	struct cs_signing v;
	struct ceremony c;

	ceremony_init(&c);
	ceremony_found(&c);
	ceremony_registrar(&c, c.registrar, 1, &request);
	CHECK_OK(cs_signing_decode(cs_buf_view(&request), &v));
	cs_buf_put_bytes(&roots, v.roots);
	roots.p[roots.n - 1] ^= 1; /* in its last signature */
	v.roots = cs_buf_view(&roots);
	CHECK_ERR(CS_BAD_SIGNATURE, judge(&v));
	cs_buf_fini(&request);
	cs_buf_fini(&roots);
	ceremony_fini(&c);
}

TEST(quorum_refuses_a_forged_signature)
{
	uint8_t row[CS_SIGNING_ROW_BYTES];
	struct cs_buf request = { 0 };
	struct cs_signing v;
	struct ceremony c;

	ceremony_init(&c);
	ceremony_founding(&c, &request);
	CHECK_OK(ceremony_sign(c.key[0], &request));
	CHECK_OK(judge_bytes(&request));
	CHECK_OK(cs_signing_decode(cs_buf_view(&request), &v));
	memcpy(row, v.rows.p, sizeof(row));
	v.rows = (struct cs_bytes){ row, sizeof(row) };
	v.n_rows = 1;
	CHECK_OK(judge(&v));
	row[2] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE, judge(&v));
	row[2] ^= 1;
	row[1] = 3; /* there are three keys */
	CHECK_ERR(CS_DENIED, judge(&v));
	row[1] = CS_ENTRY_PREVIOUS_KEY; /* there is no version before */
	CHECK_ERR(CS_DENIED, judge(&v));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

TEST(quorum_signs_for_its_own_network_alone)
{
	struct cs_buf request = { 0 }, founding = { 0 };
	struct ceremony c, other;

	ceremony_init(&c);
	ceremony_init(&other);
	ceremony_founding(&c, &founding);
	CHECK_ERR(CS_DENIED, ceremony_sign(other.key[0], &founding));
	/* a keyring that knows its network signs for no other */
	cs_keyring_set_network(c.key[0], other.network_id);
	CHECK_ERR(CS_WRONG_NETWORK, ceremony_sign(c.key[0], &founding));
	cs_keyring_set_network(c.key[0], c.network_id);
	CHECK_OK(ceremony_sign(c.key[0], &founding));
	cs_buf_fini(&request);
	cs_buf_fini(&founding);
	ceremony_fini(&c);
	ceremony_fini(&other);
}

TEST(quorum_begins_with_its_root)
{
	struct cs_buf request = { 0 };
	struct cs_signing v;
	struct ceremony c;

	ceremony_init(&c);
	ceremony_registrar(&c, c.registrar, CS_ENTRY_NO_PREV, &request);
	CHECK_OK(cs_signing_decode(cs_buf_view(&request), &v));
	CHECK_ERR(CS_DENIED, judge(&v));
	cs_buf_reset(&request);
	ceremony_founding(&c, &request);
	CHECK_OK(cs_signing_decode(cs_buf_view(&request), &v));
	v.network_id[0] ^= 1;
	CHECK_ERR(CS_WRONG_NETWORK, judge(&v));
	cs_buf_fini(&request);
	ceremony_fini(&c);
}

TEST(quorum_card_is_signed_by_its_own_key)
{
	struct cs_buf out = { 0 };
	struct cs_card card;
	struct ceremony c;

	ceremony_init(&c);
	CHECK_OK(cs_quorum_make_card(c.key[0], cs_bytes_str("safe 1"), &out));
	CHECK_OK(cs_quorum_read_card(cs_buf_view(&out), &card));
	CHECK_NUM(CS_KEYRING_ROOT, card.kind);
	CHECK_VIEW(cs_bytes_str("safe 1"), card.name);
	CHECK_BYTES(cs_keyring_info(c.key[0])->sign_key, 32, card.sign_key, 32);
	for (size_t i = 0; i < out.n; i++) {
		out.p[i] ^= 1;
		CHECK(cs_quorum_read_card(cs_buf_view(&out), &card) != CS_OK);
		out.p[i] ^= 1;
	}
	out.p[out.n - 1] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_quorum_read_card(cs_buf_view(&out), &card));
	cs_buf_fini(&out);
	ceremony_fini(&c);
}
