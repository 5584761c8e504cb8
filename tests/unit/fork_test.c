#include "keys/fork.h"

#include <string.h>

#include "keys/certs.h"
#include "keys/enrol.h"
#include "proto/base/cursor.h"
#include "proto/field.h"
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
	CHECK_OK(cs_fork_confirm(x->f.n.dir, &v));
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

/* An entry that gives the relay's id this keyring's keys. */
static void
put_relay(const struct cs_keyring *k, struct cs_buf *body)
{
	const struct cs_keyring_info *info = cs_keyring_info(k);
	struct cs_entry_relay v = { .url = cs_bytes_str("tcp://relay:1") };

	memcpy(v.noise_key, info->noise_key, sizeof(v.noise_key));
	memcpy(v.sign_key, info->sign_key, sizeof(v.sign_key));
	CHECK_OK(cs_entry_relay_encode(&v, body));
}

/* The relay's certificates with another entry at their end. */
static void
swap_relay(const struct fixture *x, struct cs_bytes entry, struct cs_buf *ret)
{
	struct cs_buf certs = { 0 };
	struct cs_bytes before = { 0 };
	struct cs_cursor c;

	CHECK_OK(cs_certs_collect(x->f.n.dir, &certs));
	c = cs_cursor_new(cs_buf_view(&certs));
	while (c.left > 0) {
		if (before.n > 0)
			cs_field_put_var32(ret, before);
		before = cs_field_var32(&c);
	}
	cs_field_put_var32(ret, entry);
	cs_buf_fini(&certs);
}

/* Who has any registrar's key, also an ended one, can certify a key of his own
 * under the honest relay's id. No log has that. */
TEST(fork_by_a_certificate_that_no_log_has_convicts_nobody)
{
	struct cs_buf body = { 0 }, entry = { 0 }, certs = { 0 };
	struct cs_buf forged = { 0 }, proof = { 0 };
	struct cs_fork_verdict verdict;
	struct cs_forkproof v = { 0 };
	struct cs_keyring *evil;
	struct network theirs;
	struct fixture x;

	begin(&x);
	evil = network_keyring(&x.f.n, CS_KEYRING_RELAY, NULL);
	put_relay(evil, &body);
	network_sign(&x.f.n, x.f.n.registrar, CS_ENTRY_RELAY,
	    cs_keyring_info(x.f.n.relay)->id, 2, cs_buf_view(&body), &entry);
	CHECK_OK(cs_certs_collect(x.f.n.dir, &certs));
	swap_relay(&x, cs_buf_view(&entry), &forged);
	theirs = x.f.n;
	theirs.relay = evil;
	memcpy(v.network_id, x.f.n.network_id, CS_NETWORK_ID_BYTES);
	v.a = x.mine;
	v.b = x.mine;
	v.b.root[0] ^= 1;
	network_sign_checkpoint(&theirs, &v.b, NULL);
	v.certs_a = cs_buf_view(&certs);
	v.certs_b = cs_buf_view(&forged);
	CHECK_OK(cs_forkproof_encode(&v, &proof));
	CHECK_OK(cs_fork_check(cs_buf_view(&proof), x.f.n.network_id,
	    &verdict)); /* as far as the certificate goes */
	CHECK_ERR(CS_NOT_FOUND, cs_fork_confirm(x.f.n.dir, &verdict));
	cs_keyring_free(evil);
	cs_buf_fini(&body);
	cs_buf_fini(&entry);
	cs_buf_fini(&certs);
	cs_buf_fini(&forged);
	cs_buf_fini(&proof);
	end(&x);
}

/* The relay gets its next key; n keeps signing with the one of before. */
static void
rotate_relay(struct fixture *x, struct cs_keyring *next)
{
	struct cs_directory_relay now;
	struct cs_buf body = { 0 };

	CHECK_OK(cs_directory_relay(x->f.n.dir, &now));
	put_relay(next, &body);
	CHECK_OK(network_append_as(&x->f.n, x->f.n.registrar, CS_ENTRY_RELAY,
	    now.id, now.entry, cs_buf_view(&body)));
	cs_buf_fini(&body);
}

/* A stolen key that was changed says nothing of the time after; what the relay
 * signed with it before still convicts. */
TEST(fork_by_a_key_that_was_changed_convicts_for_the_time_before_only)
{
	struct cs_checkpoint before, after;
	struct cs_fork_verdict verdict;
	struct cs_directory_relay relay;
	struct cs_buf proof = { 0 }, old = { 0 };
	struct cs_keyring *next;
	struct network theirs;
	struct fixture x;

	begin(&x);
	before = word(&x, 6, 1);
	after = before;
	after.time_s = x.f.n.now_s + DAY;
	network_sign_checkpoint(&x.f.n, &after, NULL);
	CHECK_OK(cs_fork_prove(x.f.n.dir, &x.mine, &after, NULL, NULL, &old));
	next = network_keyring(&x.f.n, CS_KEYRING_RELAY, NULL);
	rotate_relay(&x, next);
	theirs = x.f.n;
	theirs.relay = next;
	x.mine = network_seen(&theirs);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_directory_seen_by(x.f.n.dir, &after, &relay));
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_fork_prove(x.f.n.dir, &x.mine, &after, NULL, NULL, &proof));
	CHECK_OK(cs_fork_check(cs_buf_view(&old), x.f.n.network_id, &verdict));
	CHECK_ERR(CS_EXPIRED, cs_fork_confirm(x.f.n.dir, &verdict));
	CHECK_OK(cs_fork_prove(x.f.n.dir, &x.mine, &before, NULL, NULL,
	    &proof));
	CHECK_OK(cs_fork_check(cs_buf_view(&proof), x.f.n.network_id,
	    &verdict));
	CHECK_OK(cs_fork_confirm(x.f.n.dir, &verdict));
	cs_keyring_free(next);
	cs_buf_fini(&old);
	cs_buf_fini(&proof);
	end(&x);
}

/* What a revoked relay signed before convicts it still. */
TEST(fork_by_a_revoked_relay_convicts_for_the_time_before_only)
{
	struct cs_entry_revoke revoke = { .reason = CS_REVOKE_COMPROMISED,
		.compromised_since_s = NOW + 1 };
	struct cs_fork_verdict verdict;
	struct cs_checkpoint seen;
	struct cs_buf proof = { 0 }, body = { 0 };
	struct fixture x;

	begin(&x);
	seen = word(&x, x.mine.size, 1);
	CHECK_OK(cs_fork_prove(x.f.n.dir, &x.mine, &seen, NULL, NULL, &proof));
	CHECK_OK(cs_fork_check(cs_buf_view(&proof), x.f.n.network_id,
	    &verdict));
	CHECK_OK(cs_entry_revoke_encode(&revoke, &body));
	x.f.n.now_s += DAY;
	CHECK_OK(network_append_as(&x.f.n, x.f.n.registrar, CS_ENTRY_REVOKE,
	    cs_keyring_info(x.f.n.relay)->id, NONE, cs_buf_view(&body)));
	verdict.a.time_s = NOW;
	verdict.b.time_s = NOW;
	CHECK_OK(cs_fork_confirm(x.f.n.dir, &verdict));
	verdict.b.time_s = NOW + 1;
	CHECK_ERR(CS_REVOKED, cs_fork_confirm(x.f.n.dir, &verdict));
	cs_buf_fini(&body);
	cs_buf_fini(&proof);
	end(&x);
}
