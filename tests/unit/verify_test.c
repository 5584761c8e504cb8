#include "keys/verify.h"

#include <sodium.h>
#include <string.h>

#include "proto/merkle.h"
#include "tests/test.h"

/* ----------------------------------------------------------------- Ed25519 */

TEST(vectors_wycheproof_ed25519)
{
	const json_t *groups =
	    json_object_get(test_json(test_shared("vectors/wycheproof/"
						  "ed25519_test.json")),
		"testGroups");
	const json_t *g, *t;
	size_t i, k, n = 0, other_length = 0;

	json_array_foreach(groups, i, g)
	{
		struct cs_bytes pk =
		    test_json_hex(json_object_get(g, "publicKey"), "pk");

		CHECK_NUM(32, pk.n);
		json_array_foreach(json_object_get(g, "tests"), k, t)
		{
			struct cs_bytes sig = test_json_hex(t, "sig");
			bool ok =
			    strcmp(test_json_str(t, "result"), "valid") == 0;

			if (sig.n != CS_SIGNATURE_BYTES) {
				CHECK(!ok); /* decoders cut exact lengths */
				other_length++;
				continue;
			}
			CHECK_ERR(ok ? CS_OK : CS_BAD_SIGNATURE,
			    cs_verify_ed25519(pk.p, test_json_hex(t, "msg"),
				sig.p));
			n++;
		}
	}
	CHECK_NUM(139, n);
	CHECK_NUM(12, other_length);
}

/*
 * "Taming the many EdDSAs", table 5: libsodium is strict and cofactorless.
 * A verdict that changes with a new version would split the network: some
 * would take a signature that others refuse.
 */
static const struct {
	bool accepted;
	const char *what;
} speccheck[] = {
	{ false, "S = 0, A and R of small order" },
	{ false, "A of small order" },
	{ false, "R of small order" },
	{ true, "A and R of mixed order, both equations hold" },
	{ false, "mixed order, only the cofactored equation holds" },
	{ false, "the same, h not reduced before multiplying by 8" },
	{ false, "S not below the group order" },
	{ false, "S far above the group order" },
	{ false, "R not canonical, reduced before hashing" },
	{ false, "R not canonical, not reduced" },
	{ false, "A not canonical, reduced before hashing" },
	{ false, "A not canonical, not reduced" },
};

TEST(vectors_ed25519_speccheck)
{
	const json_t
	    *all =
		test_json(test_shared("vectors/ed25519/speccheck-cases.json")),
	    *t;
	size_t i;

	CHECK_NUM(sizeof(speccheck) / sizeof(speccheck[0]),
	    json_array_size(all));
	json_array_foreach(all, i, t)
	{
		cs_err e = cs_verify_ed25519(test_json_hex(t, "pub_key").p,
		    test_json_hex(t, "message"),
		    test_json_hex(t, "signature").p);

		if (e != (speccheck[i].accepted ? CS_OK : CS_BAD_SIGNATURE))
			print_message("# %zu: %s\n", i, speccheck[i].what);
		CHECK_ERR(speccheck[i].accepted ? CS_OK : CS_BAD_SIGNATURE, e);
	}
}

TEST(login_bytes_layout)
{
	uint8_t h[32], relay[16], device[16], got[CS_VERIFY_LOGIN_BYTES];

	CHECK_NUM(77, sizeof(got));
	memset(h, 1, sizeof(h));
	memset(relay, 2, sizeof(relay));
	memset(device, 3, sizeof(device));
	cs_verify_login_bytes(h, relay, device, got);
	CHECK_BYTES((const uint8_t *)"consil/login", 13, got, 13);
	CHECK_BYTES(h, 32, got + 13, 32);
	CHECK_BYTES(relay, 16, got + 45, 16);
	CHECK_BYTES(device, 16, got + 61, 16);
}

/* ------------------------------------------------- checkpoints, statements */

static const uint8_t network[CS_NETWORK_ID_BYTES] = { 7 };
static const uint8_t relay[CS_ID_BYTES] = { 9 };

struct signer {
	uint8_t pk[32], sk[64];
};

static void
signer_init(struct signer *s)
{
	crypto_sign_keypair(s->pk, s->sk);
}

/* A signed note of this log over this tree. */
static void
put_note(const struct signer *s, enum cs_log log, const uint8_t *relay_id,
    struct cs_checkpoint *cp, struct cs_buf *out)
{
	struct cs_buf origin = { 0 }, body = { 0 };

	cs_checkpoint_origin(log, network, relay_id, &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), cp, &body);
	crypto_sign_detached(cp->signature, NULL, body.p, body.n, s->sk);
	cs_checkpoint_encode(cs_buf_view(&origin), cp, s->pk, out);
	CHECK_OK(cs_buf_err(out));
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
}

TEST(checkpoint_is_verified)
{
	struct signer s, other;
	struct cs_checkpoint cp = { .size = 3, .time_s = 5, .counter = 1 }, got;
	struct cs_buf note = { 0 };
	uint8_t elsewhere[CS_NETWORK_ID_BYTES] = { 8 };
	uint8_t other_relay[CS_ID_BYTES] = { 1 };

	signer_init(&s);
	signer_init(&other);
	put_note(&s, CS_LOG_DIRECTORY, NULL, &cp, &note);
	memset(&got, 0xaa, sizeof(got));
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_verify_checkpoint(cs_buf_view(&note), CS_LOG_DIRECTORY, network,
		NULL, other.pk, &got));
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_verify_checkpoint(cs_buf_view(&note), CS_LOG_DIRECTORY,
		elsewhere, NULL, s.pk, &got));
	/* The checkpoint of one log is none of the other. */
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_verify_checkpoint(cs_buf_view(&note), CS_LOG_RECEIPTS, network,
		other_relay, s.pk, &got));
	CHECK_ERR(CS_MALFORMED,
	    cs_verify_checkpoint(cs_bytes_str("x"), CS_LOG_DIRECTORY, network,
		NULL, s.pk, &got));
	CHECK(got.size == 0xaaaaaaaaaaaaaaaa);
	CHECK_OK(cs_verify_checkpoint(cs_buf_view(&note), CS_LOG_DIRECTORY,
	    network, NULL, s.pk, &got));
	CHECK_NUM(3, got.size);
	CHECK_BYTES(cp.signature, 64, got.signature, 64);
	cs_buf_fini(&note);
}

TEST(checkpoint_without_its_note_is_verified)
{
	struct signer s, other;
	struct cs_checkpoint cp = { .size = 3, .time_s = 5, .counter = 1 };
	struct cs_buf bytes = { 0 }, note = { 0 };
	uint8_t elsewhere[CS_NETWORK_ID_BYTES] = { 8 };

	signer_init(&s);
	signer_init(&other);
	put_note(&s, CS_LOG_DIRECTORY, NULL, &cp, &note);
	CHECK_OK(cs_verify_seen(&cp, network, s.pk));
	CHECK_ERR(CS_BAD_SIGNATURE, cs_verify_seen(&cp, network, other.pk));
	CHECK_ERR(CS_BAD_SIGNATURE, cs_verify_seen(&cp, elsewhere, s.pk));
	cs_checkpoint_put(&cp, &bytes);
	CHECK_NUM(CS_CHECKPOINT_BYTES, bytes.n);
	for (size_t i = 0; i < bytes.n; i++) {
		struct cs_cursor c = cs_cursor_new(cs_buf_view(&bytes));
		struct cs_checkpoint got;

		bytes.p[i] ^= 1;
		cs_checkpoint_take(&c, &got);
		CHECK_OK(cs_cursor_end(&c));
		CHECK_ERR(CS_BAD_SIGNATURE,
		    cs_verify_seen(&got, network, s.pk));
		bytes.p[i] ^= 1;
	}
	cs_buf_fini(&bytes);
	cs_buf_fini(&note);
}

TEST(checkpoint_tampered_at_every_byte)
{
	struct signer s;
	struct cs_checkpoint cp = { .size = 3, .time_s = 5, .counter = 1 }, got;
	struct cs_buf note = { 0 };

	signer_init(&s);
	put_note(&s, CS_LOG_DIRECTORY, NULL, &cp, &note);
	for (size_t i = 0; i < note.n; i++) {
		note.p[i] ^= 1;
		CHECK(cs_verify_checkpoint(cs_buf_view(&note), CS_LOG_DIRECTORY,
			  network, NULL, s.pk, &got) != CS_OK);
		note.p[i] ^= 1;
	}
	cs_buf_fini(&note);
}

/* A receipt log of three leaves, the statement in the middle. */
struct receipt {
	struct signer s;
	struct cs_statement st;
	uint8_t salt[32];
	struct cs_buf statement, proof, note, logged;
};

static void
receipt_build(struct receipt *r)
{
	struct cs_merkle_edge edge = { 0 };
	struct cs_checkpoint cp = { .size = 3, .time_s = 5, .counter = 1 };
	uint8_t leaf[3][CS_HASH_BYTES], data[CS_HASH_BYTES];

	CHECK_OK(cs_statement_encode(&r->st, &r->statement));
	cs_statement_leaf(r->salt, cs_buf_view(&r->statement), data);
	for (int i = 0; i < 3; i++) {
		cs_merkle_leaf(i == 1 ? CS_BYTES(data)
				      : cs_bytes_str(i ? "c" : "a"),
		    leaf[i]);
		cs_merkle_append(&edge, leaf[i], NULL, NULL);
	}
	cs_merkle_root(&edge, cp.root);
	cs_buf_put(&r->proof, leaf[0], CS_HASH_BYTES);
	cs_buf_put(&r->proof, leaf[2], CS_HASH_BYTES);
	put_note(&r->s, CS_LOG_RECEIPTS, relay, &cp, &r->note);
	cs_statement_logged_encode(
	    &(struct cs_logged){
		.statement = cs_buf_view(&r->statement),
		.salt = { r->salt[0] },
		.index = 1,
		.proof = cs_buf_view(&r->proof),
		.checkpoint = cs_buf_view(&r->note),
	    },
	    &r->logged);
	CHECK_OK(cs_buf_err(&r->logged));
}

static void
receipt_init(struct receipt *r)
{
	memset(r, 0, sizeof(*r));
	signer_init(&r->s);
	r->salt[0] = 0x5a;
	r->st.fact = CS_FACT_OUTCOME;
	memcpy(r->st.network_id, network, sizeof(network));
	memcpy(r->st.signer_device, relay, sizeof(relay));
	r->st.outcome = CS_OUTCOME_FETCHED;
	r->st.seq = 1;
}

static void
receipt_fini(struct receipt *r)
{
	cs_buf_fini(&r->statement);
	cs_buf_fini(&r->proof);
	cs_buf_fini(&r->note);
	cs_buf_fini(&r->logged);
}

static cs_err
receipt_verify(const struct receipt *r)
{
	struct cs_statement st;
	struct cs_checkpoint cp;

	return cs_verify_logged(cs_buf_view(&r->logged), network, relay,
	    r->s.pk, &st, &cp);
}

TEST(logged_statement_is_verified)
{
	struct receipt r;
	struct cs_statement st;
	struct cs_checkpoint cp;

	receipt_init(&r);
	receipt_build(&r);
	CHECK_OK(cs_verify_logged(cs_buf_view(&r.logged), network, relay,
	    r.s.pk, &st, &cp));
	CHECK(st.fact == CS_FACT_OUTCOME);
	CHECK_NUM(3, cp.size);
	receipt_fini(&r);
}

TEST(logged_statement_of_another_network)
{
	struct receipt r;

	receipt_init(&r);
	r.st.network_id[0] ^= 1;
	receipt_build(&r);
	CHECK_ERR(CS_WRONG_NETWORK, receipt_verify(&r));
	receipt_fini(&r);
}

TEST(logged_statement_of_another_relay)
{
	struct receipt r;

	receipt_init(&r);
	r.st.signer_device[0] ^= 1;
	receipt_build(&r);
	CHECK_ERR(CS_WRONG_RELAY, receipt_verify(&r));
	receipt_fini(&r);
}

/* The relay may not log what only a member can say. */
TEST(logged_statement_of_a_member)
{
	struct receipt r;

	receipt_init(&r);
	r.st.fact = CS_FACT_ACK;
	receipt_build(&r);
	CHECK_ERR(CS_MALFORMED, receipt_verify(&r));
	receipt_fini(&r);
}

TEST(logged_statement_by_another_key)
{
	struct receipt r;

	receipt_init(&r);
	receipt_build(&r);
	r.s.pk[0] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE, receipt_verify(&r));
	receipt_fini(&r);
}

TEST(logged_statement_outside_the_log)
{
	struct receipt r;
	struct cs_buf first = { 0 };

	receipt_init(&r);
	receipt_build(&r);
	cs_buf_put_bytes(&first, cs_buf_view(&r.logged));
	/* One bit of the statement's seq: the checkpoint does not hold it. */
	r.logged.p[4 + r.statement.n - 2] ^= 2;
	CHECK_ERR(CS_FORKED, receipt_verify(&r));
	memcpy(r.logged.p, first.p, first.n);
	r.logged.p[4 + r.statement.n] ^= 1; /* the salt */
	CHECK_ERR(CS_FORKED, receipt_verify(&r));
	memcpy(r.logged.p, first.p, first.n);
	r.logged.p[4 + r.statement.n + 32 + 8 + 1] ^= 1; /* the proof */
	CHECK_ERR(CS_FORKED, receipt_verify(&r));
	memcpy(r.logged.p, first.p, first.n);
	r.logged.p[4 + r.statement.n + 32] ^= 1; /* the index */
	CHECK_ERR(CS_MALFORMED, receipt_verify(&r));
	cs_buf_fini(&first);
	receipt_fini(&r);
}
