#include "keys/fork.h"

#include <string.h>

#include "keys/enrol.h"
#include "proto/forkproof.h"
#include "tests/support/practice.h"
#include "tests/test.h"

struct fixture {
	struct practice f;
	struct cs_checkpoint mine; /* over all of its log */
};

static void
begin(struct fixture *x)
{
	practice_init(&x->f);
	x->mine = network_seen(&x->f.n);
}

static void
end(struct fixture *x)
{
	practice_fini(&x->f);
}

/* The relay's word for a size and root. */
static struct cs_checkpoint
word(struct fixture *x, uint64_t size, uint8_t spoil)
{
	struct cs_checkpoint cp = { .size = size, .time_s = NOW };

	CHECK_OK(cs_directory_root_at(x->f.n.dir, size, cp.root));
	cp.root[0] ^= spoil;
	network_sign_checkpoint(&x->f.n, &cp, NULL);
	return cp;
}

static void
check_proof(const struct fixture *x, const struct cs_buf *proof, uint64_t a,
    uint64_t b)
{
	struct cs_fork_verdict v;
	uint8_t elsewhere[CS_NETWORK_ID_BYTES] = { 1 };
	struct cs_buf broken = { 0 };

	CHECK_OK(cs_fork_check(cs_buf_view(proof), x->f.n.network_id, &v));
	CHECK_NUM(a, v.a.size);
	CHECK_NUM(b, v.b.size);
	CHECK(!v.same_log);
	CHECK_BYTES(cs_keyring_info(x->f.n.relay)->id, 16, v.relay.id, 16);
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_fork_check(cs_buf_view(proof), elsewhere, &v));
	for (size_t i = 0; i < proof->n; i += 7) {
		cs_buf_reset(&broken);
		cs_buf_put_bytes(&broken, cs_buf_view(proof));
		broken.p[i] ^= 1;
		CHECK(cs_fork_check(cs_buf_view(&broken), x->f.n.network_id,
			  &v) != CS_OK);
	}
	cs_buf_fini(&broken);
}

TEST(fork_of_one_size_is_proved)
{
	struct cs_checkpoint seen;
	struct cs_buf proof = { 0 };
	struct fixture x;

	begin(&x);
	seen = word(&x, x.mine.size, 1);
	CHECK_OK(cs_fork_prove(x.f.n.dir, &x.mine, &seen, NULL, NULL, &proof));
	check_proof(&x, &proof, x.mine.size, x.mine.size);
	cs_buf_fini(&proof);
	end(&x);
}

TEST(fork_from_an_earlier_size_is_proved)
{
	struct cs_buf proof = { 0 };
	struct fixture x;

	begin(&x);
	for (uint64_t size = 4; size < x.mine.size; size++) {
		struct cs_checkpoint seen = word(&x, size, 1);

		cs_buf_reset(&proof);
		CHECK_OK(cs_fork_prove(x.f.n.dir, &x.mine, &seen, NULL, NULL,
		    &proof));
		check_proof(&x, &proof, size, x.mine.size);
	}
	cs_buf_fini(&proof);
	end(&x);
}

/* Hashes of leaves as a relay shows them. */
struct shown {
	uint8_t leaf[32][CS_HASH_BYTES];
};

static cs_err
read_shown(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	const struct shown *s = ctx;
	struct cs_merkle_edge edge = { 0 };

	for (uint64_t i = index << level; i < (index + 1) << level; i++)
		cs_merkle_append(&edge, s->leaf[i], NULL, NULL);
	cs_merkle_root(&edge, ret);
	return CS_OK;
}

/* The relay shows a longer log that is not ours: its own leaves prove it. */
TEST(fork_into_a_longer_log_is_proved)
{
	struct shown shown = { 0 };
	struct cs_checkpoint longer = { .size = 20, .time_s = NOW };
	struct cs_merkle_edge edge = { 0 };
	struct cs_buf proof = { 0 };
	struct fixture x;

	begin(&x);
	for (uint64_t i = 0; i < longer.size; i++) {
		memset(shown.leaf[i], (int)i + 1, CS_HASH_BYTES);
		cs_merkle_append(&edge, shown.leaf[i], NULL, NULL);
	}
	cs_merkle_root(&edge, longer.root);
	network_sign_checkpoint(&x.f.n, &longer, NULL);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_fork_prove(x.f.n.dir, &x.mine, &longer, NULL, NULL, &proof));
	CHECK_OK(cs_fork_prove(x.f.n.dir, &x.mine, &longer, read_shown, &shown,
	    &proof));
	check_proof(&x, &proof, x.mine.size, 20);
	/* what it shows is not what it signed: nothing is proved */
	shown.leaf[3][0] ^= 1;
	cs_buf_reset(&proof);
	CHECK_ERR(CS_NOT_FOUND, cs_fork_prove(x.f.n.dir, &x.mine, &longer,
				    read_shown, &shown, &proof));
	CHECK_NUM(0, proof.n);
	cs_buf_fini(&proof);
	end(&x);
}

TEST(fork_of_two_stores_under_one_number_is_proved)
{
	struct cs_checkpoint seen;
	struct cs_fork_verdict v;
	struct cs_buf proof = { 0 };
	struct fixture x;

	begin(&x);
	seen = word(&x, 6, 0);
	seen.incarnation[0] = 9;
	network_sign_checkpoint(&x.f.n, &seen, NULL);
	CHECK_OK(cs_fork_prove(x.f.n.dir, &x.mine, &seen, NULL, NULL, &proof));
	CHECK_OK(cs_fork_check(cs_buf_view(&proof), x.f.n.network_id, &v));
	CHECK(v.same_log);
	cs_buf_fini(&proof);
	end(&x);
}

TEST(fork_is_not_proved_of_an_honest_relay)
{
	struct cs_checkpoint seen;
	struct cs_buf proof = { 0 };
	struct fixture x;

	begin(&x);
	seen = word(&x, 6, 0); /* of the same log, earlier */
	CHECK_ERR(CS_NOT_FOUND,
	    cs_fork_prove(x.f.n.dir, &x.mine, &seen, NULL, NULL, &proof));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_fork_prove(x.f.n.dir, &x.mine, &x.mine, NULL, NULL, &proof));
	seen = word(&x, 6, 1);
	seen.signature[5] ^= 1; /* who makes it up proves nothing */
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_fork_prove(x.f.n.dir, &x.mine, &seen, NULL, NULL, &proof));
	CHECK_NUM(0, proof.n);
	end(&x);
}

/* What holds by its form but does not show a contradiction. */
TEST(fork_check_sees_through_what_proves_nothing)
{
	struct cs_fork_verdict verdict;
	struct cs_forkproof v;
	struct cs_checkpoint seen;
	struct cs_buf proof = { 0 }, forged = { 0 };
	struct fixture x;

	begin(&x);
	seen = word(&x, 6, 1);
	CHECK_OK(cs_fork_prove(x.f.n.dir, &x.mine, &seen, NULL, NULL, &proof));
	CHECK_OK(cs_forkproof_decode(cs_buf_view(&proof), &v));
	v.a = word(&x, 6, 0);
	CHECK_OK(cs_forkproof_encode(&v, &forged));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_fork_check(cs_buf_view(&forged), x.f.n.network_id, &verdict));
	v.other_root[0] ^= 1; /* a difference that the proof does not bear */
	cs_buf_reset(&forged);
	CHECK_OK(cs_forkproof_encode(&v, &forged));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_fork_check(cs_buf_view(&forged), x.f.n.network_id, &verdict));
	v.a.signature[0] ^= 1;
	cs_buf_reset(&forged);
	CHECK_OK(cs_forkproof_encode(&v, &forged));
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_fork_check(cs_buf_view(&forged), x.f.n.network_id, &verdict));
	v.certs_a.n = 0;
	cs_buf_reset(&forged);
	CHECK_OK(cs_forkproof_encode(&v, &forged));
	CHECK_ERR(CS_INCOMPLETE,
	    cs_fork_check(cs_buf_view(&forged), x.f.n.network_id, &verdict));
	v.a.size = x.mine.size + 1; /* not in order */
	cs_buf_reset(&forged);
	CHECK_ERR(CS_MALFORMED, cs_forkproof_encode(&v, &forged));
	forged.n = 0;
	cs_buf_put_bytes(&forged, cs_buf_view(&proof));
	forged.p[3] = '2';
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_fork_check(cs_buf_view(&forged), x.f.n.network_id, &verdict));
	cs_buf_fini(&proof);
	cs_buf_fini(&forged);
	end(&x);
}

/* Two relays of a network have a log each in time; neither forked. */
TEST(fork_is_of_one_relay)
{
	struct cs_checkpoint seen;
	struct cs_keyring *second, *first;
	struct cs_buf entry = { 0 }, proof = { 0 };
	struct fixture x;

	begin(&x);
	seen = word(&x, 6, 1);
	first = x.f.n.relay;
	second = network_keyring(&x.f.n, CS_KEYRING_RELAY, NULL);
	CHECK_OK(cs_enrol_relay(x.f.n.registrar, cs_keyring_info(second),
	    cs_bytes_str("tcp://second:1"), NONE, NOW, &entry));
	CHECK_OK(network_append(&x.f.n, cs_buf_view(&entry)));
	x.f.n.relay = second;
	x.mine = network_seen(&x.f.n);
	x.f.n.relay = first;
	CHECK_ERR(CS_NOT_FOUND,
	    cs_fork_prove(x.f.n.dir, &x.mine, &seen, NULL, NULL, &proof));
	cs_keyring_free(second);
	cs_buf_fini(&entry);
	cs_buf_fini(&proof);
	end(&x);
}
