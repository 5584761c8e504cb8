/*
 * A bundle that C made once (tests/vectors/from_c.json, by tests/e2e/
 * make_bundle) still opens, and what has one encoding is still written so: a
 * format that moves by accident is noticed here, without node.
 */
#include "keys/open.h"
#include "keys/verify.h"
#include "proto/invite.h"
#include "proto/object.h"
#include "proto/statement.h"
#include "tests/support/vectors.h"
#include "tests/test.h"

static const json_t *
made(void)
{
	return vectors_file("from_c.json");
}

static struct cs_directory *
mirror(void)
{
	const json_t *leaves = vectors_get(made(), "leaves");
	struct cs_directory *d = NULL;

	CHECK_OK(cs_directory_new(test_json_hex(made(), "network_id").p, &d));
	for (size_t i = 0; i < json_array_size(leaves); i++)
		CHECK_OK(cs_directory_apply(d,
		    HEX(json_string_value(vectors_row(leaves, i)))));
	return d;
}

/* The envelope as recipient i has it; views borrow from envelope. */
static struct cs_open *
open_as(size_t i, struct cs_bytes envelope)
{
	struct cs_directory *dir = mirror();
	struct vectors_device d;
	struct cs_open *o = NULL;

	vectors_device_of_key(&d,
	    vectors_row(vectors_get(made(), "recipients"), i));
	CHECK_OK(cs_open_envelope(envelope,
	    test_json_hex(made(), "network_id").p, d.id, d.epochs, dir, &o,
	    NULL));
	vectors_device_fini(&d);
	cs_directory_free(dir);
	return o;
}

TEST(log_and_checkpoint_are_still_good)
{
	struct cs_directory *d = mirror();
	struct cs_checkpoint cp;

	CHECK_OK(cs_directory_check_checkpoint(d,
	    test_json_hex(made(), "checkpoint"), &cp));
	VECTORS_SAME(made(), "root", cp.root);
	cs_directory_free(d);
}

TEST(envelope_still_opens_for_both)
{
	const json_t *meant = vectors_get(made(), "meant");
	struct cs_bytes envelope = test_json_hex(made(), "envelope");

	for (size_t i = 0; i < 2; i++) {
		struct cs_open *o = open_as(i, envelope);
		struct cs_buf again = { 0 };

		vectors_same(meant, "e", cs_open_e(o), CS_HASH_BYTES);
		vectors_same(meant, "s", cs_open_s(o), CS_HASH_BYTES);
		vectors_same(meant, "manifest_hash", cs_open_m_hash(o),
		    CS_HASH512_BYTES);
		CHECK_OK(cs_manifest_encode(cs_open_manifest(o), &again));
		CHECK_VIEW(cs_open_manifest_bytes(o), cs_buf_view(&again));
		cs_buf_fini(&again);
		cs_open_free(o);
	}
}

TEST(preamble_is_still_written_so)
{
	struct cs_envelope_recipient recipients[2];
	struct cs_envelope_object object;
	struct cs_envelope env;
	struct cs_buf again = { 0 };

	CHECK_OK(cs_envelope_decode(test_json_hex(made(), "envelope"), &env));
	CHECK_NUM(2, env.n_recipients);
	CHECK_NUM(1, env.n_objects);
	for (uint16_t i = 0; i < 2; i++)
		cs_envelope_recipient(&env, i, &recipients[i]);
	cs_envelope_object(&env, 0, &object);
	CHECK_OK(cs_envelope_encode_preamble(&env, (uint32_t)env.body.n,
	    recipients, &object, &again));
	CHECK_VIEW(env.preamble, cs_buf_view(&again));
	cs_buf_fini(&again);
}

TEST(object_still_opens)
{
	const json_t *object = vectors_get(made(), "object");
	struct cs_bytes envelope = test_json_hex(made(), "envelope");
	struct cs_bytes stored =
	    HEX(json_string_value(vectors_row(vectors_get(object, "stored"),
		0)));
	struct cs_open *o = open_as(0, envelope);
	struct cs_manifest_object row;
	struct cs_buf plain = { 0 };
	uint8_t leaf[CS_HASH_BYTES], root[CS_HASH_BYTES], want[3];
	size_t pos = 0;

	CHECK(cs_manifest_next_object(cs_open_manifest(o), &pos, &row));
	CHECK_OK(cs_open_segment(row.key, row.object_id, row.bytes, 0, stored,
	    &plain));
	vectors_pattern(0, want, sizeof(want));
	CHECK_VIEW(CS_BYTES(want), cs_buf_view(&plain));
	cs_object_leaf(stored, leaf);
	cs_object_root(leaf, 1, root);
	VECTORS_SAME(object, "object_root", root);
	cs_buf_fini(&plain);
	cs_open_free(o);
}

static void
check_statement(struct cs_bytes bytes)
{
	struct cs_statement st;
	struct cs_buf again = { 0 };

	CHECK_OK(cs_statement_decode(bytes, &st));
	CHECK_OK(cs_statement_encode(&st, &again));
	CHECK_VIEW(bytes, cs_buf_view(&again));
	cs_buf_fini(&again);
}

TEST(receipts_are_still_good_and_written_so)
{
	struct cs_bytes delivered = test_json_hex(made(), "delivered");
	struct cs_bytes custody = test_json_hex(made(), "custody");
	struct cs_statement st;
	struct cs_checkpoint cp;
	struct cs_logged lg;
	struct cs_buf again = { 0 };

	delivered.n -= CS_SIGNATURE_BYTES;
	CHECK_OK(cs_verify_ed25519(test_json_hex(made(), "delivered_key").p,
	    delivered, delivered.p + delivered.n));
	check_statement(delivered);
	CHECK_OK(cs_verify_logged(custody,
	    test_json_hex(made(), "network_id").p,
	    test_json_hex(made(), "relay_id").p,
	    test_json_hex(made(), "relay_key").p, &st, &cp));
	CHECK_OK(cs_statement_logged_decode(custody, &lg));
	check_statement(lg.statement);
	cs_statement_logged_encode(&lg, &again);
	CHECK_VIEW(custody, cs_buf_view(&again));
	cs_buf_fini(&again);
}

TEST(invitation_is_still_written_so)
{
	struct cs_bytes binary = test_json_hex(made(), "invite");
	struct cs_invite inv;
	struct cs_buf again = { 0 };

	CHECK_OK(cs_invite_decode(binary, &inv));
	cs_invite_encode(&inv, &again);
	CHECK_VIEW(binary, cs_buf_view(&again));
	cs_buf_reset(&again);
	cs_invite_armour(binary, "For you.", &again);
	CHECK_VIEW(test_json_hex(made(), "invite_text"), cs_buf_view(&again));
	cs_buf_fini(&again);
}
