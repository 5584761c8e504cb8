#include "relay/receiptlog.h"

#include <string.h>

#include "keys/verify.h"
#include "proto/merkle.h"
#include "relay/limits.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* What others may ask of the receipt log: how it grew, and to have something
 * of theirs entered. */

static struct test_clinic c;

static struct cs_checkpoint
read_note(struct cs_bytes note)
{
	const struct cs_keyring_info *relay = cs_keyring_info(c.r.net.relay);
	struct cs_checkpoint cp;

	CHECK_OK(cs_verify_checkpoint(note, CS_LOG_RECEIPTS, relay->network_id,
	    relay->id, relay->sign_key, &cp));
	return cp;
}

/* The log from a size to a size; the newest checkpoint and the proof. */
static cs_err
ask_log(const struct cs_principal *who, uint64_t from, uint64_t to,
    struct cs_checkpoint *ret, struct cs_buf *proof)
{
	const struct cs_frame_receipt_log v = { from, to };
	struct cs_frame_receipt_log_reply reply;
	struct cs_buf ask = { 0 };
	struct test_ask a;
	cs_err e;

	cs_frame_receipt_log_encode(&ask, 1, &v);
	e = test_relay_ask(&c.r, who, &ask, &a);
	if (e == CS_OK) {
		CHECK_OK(cs_frame_receipt_log_reply_decode(&a.w, &reply));
		*ret = read_note(reply.checkpoint);
		cs_buf_reset(proof);
		cs_buf_put_bytes(proof, reply.consistency);
	}
	test_relay_end(&a);
	return e;
}

/* Has n leaves entered, the first of which begins with v; every proof leads
 * to the checkpoint, for exactly what the log says of an anchor. */
static cs_err
anchor(const struct test_member *m, uint16_t v, unsigned n, uint64_t *ret_first,
    uint64_t *ret_size)
{
	static uint8_t leaves[CS_FRAME_MAX_ANCHORS][CS_HASH_BYTES];
	uint8_t data[CS_HASH_BYTES], hash[CS_HASH_BYTES];
	const struct cs_frame_anchor ask_v = { { leaves[0],
	    n * CS_HASH_BYTES } };
	struct cs_frame_anchor_reply reply;
	struct cs_checkpoint cp;
	struct cs_buf ask = { 0 };
	struct test_ask a;
	cs_err e;

	for (unsigned i = 0; i < n; i++) {
		cs_bytes_be(v, 2, leaves[i]);
		leaves[i][2] = (uint8_t)i;
	}
	cs_frame_anchor_encode(&ask, 1, &ask_v);
	e = test_relay_ask(&c.r, &m->who, &ask, &a);
	if (e == CS_OK) {
		CHECK_OK(cs_frame_anchor_reply_decode(&a.w, &reply));
		CHECK_NUM(n, reply.n);
		cp = read_note(reply.checkpoint);
		for (unsigned i = 0; i < n; i++) {
			cs_statement_anchor(leaves[i], data);
			cs_merkle_leaf(CS_BYTES(data), hash);
			CHECK_OK(cs_merkle_check_inclusion(hash,
			    reply.first + i, cp.size,
			    cs_wire_bin(&reply.proofs, 64 * CS_HASH_BYTES),
			    cp.root));
		}
		*ret_first = reply.first;
		*ret_size = cp.size;
	}
	test_relay_end(&a);
	return e;
}

TEST(what_is_anchored_is_in_the_log_and_asking_again_changes_nothing)
{
	uint64_t first, size, again, size_again;

	test_clinic_init(&c);
	CHECK_OK(anchor(&c.ann, 1, 3, &first, &size));
	CHECK_NUM(first + 3, size);
	CHECK_OK(anchor(&c.ann, 1, 3, &again, &size_again));
	CHECK_NUM(first, again);
	CHECK_NUM(size, size_again);
	/* another device's log goes on in between, and a restart */
	CHECK_OK(anchor(&c.bob, 1, 3, &again, &size_again));
	CHECK_NUM(size, again);
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	CHECK_OK(anchor(&c.ann, 1, 3, &again, &size_again));
	CHECK_NUM(first, again);
	CHECK_NUM(size + 3, size_again);
	CHECK_NUM(0, test_relay_counter(&c.r, "leaves_anchored"));
	test_clinic_fini(&c);
}

TEST(an_anchor_never_is_a_statement_of_the_relay)
{
	uint8_t leaf[CS_HASH_BYTES], data[CS_HASH_BYTES];
	const uint8_t salt[32] = { 1 };

	/* what a forger would anchor: the leaf of a custody that never was */
	cs_statement_leaf(salt, cs_bytes_str("consil/custody"), leaf);
	cs_statement_anchor(leaf, data);
	CHECK(memcmp(leaf, data, sizeof(leaf)) != 0);
}

TEST(a_device_has_so_much_entered_in_a_day)
{
	uint64_t first, size;
	uint16_t v = 0;

	test_clinic_init(&c);
	for (; v < CS_LIMIT_ANCHORS_DAY / 64; v++)
		CHECK_OK(anchor(&c.ann, v, 64, &first, &size));
	CHECK_ERR(CS_QUOTA, anchor(&c.ann, v, 1, &first, &size));
	/* the last one is still answered, others are not kept out */
	CHECK_OK(anchor(&c.ann, v - 1, 64, &first, &size));
	CHECK_OK(anchor(&c.bob, v, 1, &first, &size));
	c.r.now_ms += UINT64_C(86400) * 1000;
	c.r.boot_ms += UINT64_C(86400) * 1000;
	test_relay_pass(&c.r, 1);
	CHECK_OK(anchor(&c.ann, v, 1, &first, &size));
	test_clinic_fini(&c);
}

TEST(the_log_shows_how_it_grew)
{
	struct cs_principal registrar;
	struct cs_checkpoint old, cp;
	struct test_witness witness;
	struct cs_buf proof = { 0 };
	uint64_t first, size;

	test_clinic_init(&c);
	registrar = test_relay_registrar(&c.r);
	test_relay_witness(&c.r, "Witness", &witness);
	CHECK_ERR(CS_NOT_FOUND, ask_log(&c.ann.who, 0, 0, &cp, &proof));
	CHECK_OK(anchor(&c.ann, 1, 3, &first, &size));
	CHECK_OK(ask_log(&c.ann.who, 0, 0, &old, &proof));
	CHECK_NUM(3, old.size);
	CHECK_NUM(0, proof.n);
	CHECK_OK(anchor(&c.ann, 2, 4, &first, &size));
	CHECK_OK(ask_log(&registrar, 3, 0, &cp, &proof));
	CHECK_NUM(7, cp.size);
	CHECK_OK(cs_merkle_check_consistency(3, 7, cs_buf_view(&proof),
	    old.root, cp.root));
	CHECK_OK(ask_log(&witness.who, 3, 3, &cp, &proof));
	CHECK_NUM(0, proof.n);
	/* between two of before, though the note is newer */
	CHECK_OK(anchor(&c.ann, 3, 1, &first, &size));
	old = cp;
	CHECK_OK(ask_log(&c.bob.who, 3, 7, &cp, &proof));
	CHECK_NUM(8, cp.size);
	CHECK(proof.n > 0);
	CHECK_ERR(CS_NOT_FOUND, ask_log(&c.bob.who, 9, 0, &cp, &proof));
	CHECK_ERR(CS_NOT_FOUND, ask_log(&c.bob.who, 3, 9, &cp, &proof));
	CHECK_ERR(CS_MALFORMED, ask_log(&c.bob.who, 7, 3, &cp, &proof));
	cs_buf_fini(&proof);
	cs_keyring_free(witness.kr);
	test_clinic_fini(&c);
}
