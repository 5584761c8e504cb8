#include "tests/support/auditlog.h"

#include <string.h>

#include "keys/verify.h"
#include "proto/merkle.h"
#include "tests/test.h"

static struct cs_bytes
record(const struct test_audit *a, size_t i)
{
	return (struct cs_bytes){ a->reply.records.p +
				      i * CS_AUDIT_RECORD_BYTES,
		CS_AUDIT_RECORD_BYTES };
}

static void
check_proof(const struct test_audit *a, size_t i, struct cs_bytes proof)
{
	uint8_t leaf[CS_HASH_BYTES];

	cs_merkle_leaf(record(a, i), leaf);
	CHECK_OK(cs_merkle_check_inclusion(leaf, a->first + i, a->cp.size,
	    proof, a->cp.root));
}

static void
check_chain(const struct test_relay *r, const struct test_audit *a)
{
	const struct cs_keyring_info *relay = cs_keyring_info(r->net.relay);
	uint8_t hash[CS_HASH_BYTES];

	if (a->first == 0 && a->n > 0) {
		cs_audit_first(relay->network_id, relay->id, hash);
		CHECK_BYTES(hash, sizeof(hash), a->r[0].prev, CS_HASH_BYTES);
	}
	for (size_t i = 0; i < a->n; i++) {
		CHECK_NUM(a->first + i, a->r[i].seq);
		if (i == 0)
			continue;
		cs_audit_hash(record(a, i - 1), hash);
		CHECK_BYTES(hash, sizeof(hash), a->r[i].prev, CS_HASH_BYTES);
		CHECK(a->r[i].time_s >= a->r[i - 1].time_s);
	}
}

void
test_audit_read(struct test_relay *r, const struct cs_frame_audit_read *v,
    struct test_audit *ret)
{
	const struct cs_keyring_info *relay = cs_keyring_info(r->net.relay);
	const struct cs_principal registrar = test_relay_registrar(r);
	struct cs_buf ask = { 0 };

	memset(ret, 0, sizeof(*ret));
	cs_frame_audit_read_encode(&ask, 1, v);
	test_relay_begin(r, &registrar, &ask, &ret->ask);
	cs_buf_fini(&ask);
	CHECK_OK(test_relay_wait(&ret->ask));
	CHECK_OK(cs_frame_audit_read_reply_decode(&ret->ask.w, &ret->reply));
	CHECK_OK(cs_verify_checkpoint(ret->reply.checkpoint, CS_LOG_AUDIT,
	    relay->network_id, relay->id, relay->sign_key, &ret->cp));
	ret->first = ret->reply.first;
	ret->n = ret->reply.records.n / CS_AUDIT_RECORD_BYTES;
	for (size_t i = 0; i < ret->n; i++)
		CHECK_OK(cs_audit_decode(record(ret, i), &ret->r[i]));
	check_chain(r, ret);
	if (ret->n == 0)
		return;
	if (v->anchor == CS_FRAME_AUDIT_FIRST)
		check_proof(ret, 0, ret->reply.proof_anchor);
	check_proof(ret, ret->n - 1, ret->reply.proof_last);
}

void
test_audit_fini(struct test_audit *a)
{
	test_relay_end(&a->ask);
}

void
test_audit_all(struct test_relay *r, struct test_audit *ret)
{
	const struct cs_frame_audit_read all = { .until_s = UINT64_MAX,
		.anchor = CS_FRAME_AUDIT_FIRST };

	/* What is asked is recorded too, and takes along what waits. */
	test_audit_read(r, &all, ret);
	test_audit_fini(ret);
	test_audit_read(r, &all, ret);
}

size_t
test_audit_count(const struct test_audit *a, enum cs_audit_event event,
    const struct cs_audit_record **ret_last)
{
	size_t n = 0;

	if (ret_last)
		*ret_last = NULL;
	for (size_t i = 0; i < a->n; i++) {
		if (a->r[i].event != event)
			continue;
		n++;
		if (ret_last)
			*ret_last = &a->r[i];
	}
	return n;
}
