#include "client/cosigned.h"

#include <string.h>
#include <time.h>

#include "client/join.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

/* A device and the witnesses of its network. */

#define HOUR UINT64_C(3600)
#define NOW  UINT64_C(1800000000)

struct fixture {
	struct fake_relay relay;
	struct cs_client *c;
	struct cs_keyring *a, *b; /* witnesses in the log */
	unsigned syncs;
};

static void
begin(struct fixture *x)
{
	struct cs_join_result r;
	struct cs_join j = { .dir = test_path("ann"),
		.device_name = cs_bytes_str("laptop") };

	memset(x, 0, sizeof(*x));
	fake_relay_start(&x->relay);
	j.invitation = fake_relay_invite(&x->relay, "ann@clinic");
	CHECK_OK(cs_join_run(&j, NULL, &r));
	CHECK_OK(cs_client_open(test_path("ann"), NULL, NULL, &x->c));
}

/* Two witnesses; the session is new afterwards. */
static void
add_witnesses(struct fixture *x)
{
	cs_client_disconnect(x->c);
	x->relay.net.now_s = (uint64_t)time(NULL);
	x->a = network_witness(&x->relay.net, "A");
	x->b = network_witness(&x->relay.net, "B");
}

static void
end(struct fixture *x)
{
	cs_client_close(x->c);
	cs_keyring_free(x->a);
	cs_keyring_free(x->b);
	fake_relay_stop(&x->relay);
}

/* What a check says after a sync with such a relay. */
static cs_err
check_with(struct fixture *x, struct fake_relay_mood mood, bool stale_ok)
{
	fake_relay_set(&x->relay, mood);
	CHECK_OK(cs_client_connect(x->c, 0));
	cs_why_clear(cs_client_why(x->c));
	return cs_cosigned_check(x->c, stale_ok);
}

TEST(what_counts_is_on_the_newest_and_of_about_now)
{
	struct cs_cosigned v = { .n = 6,
		.row = {
		    { .time_s = NOW, .newest = true },
		    { .time_s = NOW, .newest = false },
		    { .time_s = NOW - 24 * HOUR, .newest = true },
		    { .time_s = NOW - 24 * HOUR - 1, .newest = true },
		    { .time_s = NOW + HOUR, .newest = true },
		    { .time_s = NOW + HOUR + 1, .newest = true },
		} };

	CHECK_NUM(3, cs_cosigned_count(&v, NOW, false));
	CHECK_NUM(4, cs_cosigned_count(&v, NOW, true));
}

TEST(nothing_is_needed_unless_somebody_says_so)
{
	struct fixture x;

	begin(&x);
	CHECK_OK(check_with(&x, (struct fake_relay_mood){ 0 }, false));
	CHECK_OK(cs_cosigned_set(x.c, 1));
	CHECK_ERR(CS_UNWITNESSED,
	    check_with(&x, (struct fake_relay_mood){ 0 }, false));
	CHECK(strstr(cs_client_why(x.c)->text, "the network has 0"));
	CHECK_OK(cs_cosigned_set(x.c, 0));
	CHECK_OK(check_with(&x, (struct fake_relay_mood){ 0 }, false));
	end(&x);
}

TEST(this_devices_own_number_counts)
{
	struct fixture x;
	struct fake_relay_mood none = { 0 }, one, both, old, ahead;

	begin(&x);
	add_witnesses(&x);
	one = (struct fake_relay_mood){ .cosigner = { x.a } };
	both = (struct fake_relay_mood){ .cosigner = { x.a, x.b } };
	old = both;
	old.cosigned_before_s = 25 * HOUR;
	ahead = both;
	ahead.cosigned_before_s = 0 - 2 * HOUR;
	CHECK_OK(cs_cosigned_set(x.c, 1));
	CHECK_ERR(CS_UNWITNESSED, check_with(&x, none, false));
	CHECK(strstr(cs_client_why(x.c)->text, "0 of the 1"));
	CHECK_OK(check_with(&x, one, false));
	CHECK_OK(cs_cosigned_set(x.c, 2));
	CHECK_ERR(CS_UNWITNESSED, check_with(&x, one, false));
	CHECK_OK(check_with(&x, both, false));
	CHECK_ERR(CS_UNWITNESSED, check_with(&x, old, false));
	CHECK_OK(check_with(&x, old, true));
	CHECK_ERR(CS_UNWITNESSED, check_with(&x, ahead, false));
	CHECK_ERR(CS_UNWITNESSED, check_with(&x, ahead, true));

	/* set and rows are on disk */
	cs_client_close(x.c);
	CHECK_OK(cs_client_open(test_path("ann"), NULL, NULL, &x.c));
	CHECK_ERR(CS_UNWITNESSED, cs_cosigned_check(x.c, false));
	CHECK_OK(check_with(&x, both, false));
	cs_client_close(x.c);
	CHECK_OK(cs_client_open(test_path("ann"), NULL, NULL, &x.c));
	CHECK_OK(cs_cosigned_check(x.c, false));
	end(&x);
}

TEST(the_networks_number_counts_where_it_is_larger)
{
	const uint8_t row[] = { CS_POLICY_COSIGNATURES, 0, 0, 0, 0, 0, 0, 0,
		1 };
	struct cs_entry_policy policy = { .n = 1, .rows = CS_BYTES(row) };
	struct cs_cosigned_needs needs;
	struct fixture x;
	struct cs_buf body = { 0 };

	begin(&x);
	add_witnesses(&x);
	CHECK_OK(cs_entry_policy_encode(&policy, &body));
	CHECK_OK(network_append_as(&x.relay.net, x.relay.net.root,
	    CS_ENTRY_POLICY, NULL, CS_ENTRY_NO_PREV, cs_buf_view(&body)));
	CHECK_ERR(CS_UNWITNESSED,
	    check_with(&x, (struct fake_relay_mood){ 0 }, false));
	CHECK_OK(cs_cosigned_needs(x.c, &needs));
	CHECK_NUM(1, needs.network);
	CHECK_NUM(0, needs.own);
	CHECK_NUM(1, cs_cosigned_needed(&needs));
	CHECK_OK(check_with(&x, (struct fake_relay_mood){ .cosigner = { x.b } },
	    false));
	CHECK_OK(cs_cosigned_set(x.c, 2));
	CHECK_OK(cs_cosigned_needs(x.c, &needs));
	CHECK_NUM(2, cs_cosigned_needed(&needs));
	CHECK_ERR(CS_UNWITNESSED, cs_cosigned_check(x.c, false));
	cs_buf_fini(&body);
	end(&x);
}

/* Who falls silent is seen by the age of its last word. */
TEST(the_last_word_of_each_witness_is_remembered)
{
	struct cs_cosigned v;
	struct fixture x;
	uint64_t size;

	begin(&x);
	CHECK_OK(cs_cosigned_load(cs_client_local(x.c), &v));
	CHECK_NUM(0, v.n);
	add_witnesses(&x);
	CHECK_OK(check_with(&x,
	    (struct fake_relay_mood){
		.cosigner = { x.a }, .cosigned_before_s = HOUR },
	    false));
	size = cs_client_checkpoint(x.c)->size;
	cs_client_disconnect(x.c);
	x.relay.net.now_s = (uint64_t)time(NULL);
	cs_keyring_free(network_join(&x.relay.net, "bob@clinic"));
	CHECK_OK(check_with(&x, (struct fake_relay_mood){ .cosigner = { x.b } },
	    false));
	CHECK_OK(cs_cosigned_load(cs_client_local(x.c), &v));
	CHECK_NUM(2, v.n);
	CHECK_BYTES(cs_keyring_info(x.a)->id, 16, v.row[0].id, 16);
	CHECK(!v.row[0].newest);
	CHECK_NUM(size, v.row[0].size);
	CHECK(cs_client_now() - v.row[0].time_s >= HOUR);
	CHECK(v.row[1].newest);
	CHECK_NUM(cs_client_checkpoint(x.c)->size, v.row[1].size);
	end(&x);
}

/* The witness comes to the third look. */
static bool
cosign_late(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	struct fixture *x = ctx;

	(void)id;
	(void)w;
	(void)out;
	if (op == CS_OP_DIR_SYNC && ++x->syncs == 3)
		x->relay.mood.cosigner[0] = x->a;
	return false;
}

TEST(a_moment_is_given_to_witnesses_that_are_at_it)
{
	struct fake_relay_mood mood = { .hook = cosign_late };
	struct fixture x;

	begin(&x);
	add_witnesses(&x);
	mood.ctx = &x;
	CHECK_OK(cs_cosigned_set(x.c, 1));
	CHECK_ERR(CS_UNWITNESSED, check_with(&x, mood, false));
	CHECK_OK(cs_cosigned_await(x.c));
	CHECK_OK(cs_cosigned_check(x.c, false));
	CHECK(x.syncs >= 3);

	/* not where there are too few of them */
	CHECK_OK(cs_cosigned_set(x.c, 3));
	x.syncs = 10;
	CHECK_OK(cs_cosigned_await(x.c));
	CHECK_NUM(10, x.syncs);
	end(&x);
}
