/*
 * Every way of lying that a relay has been thought of, and what a client says
 * to each: one row a lie, refused with the error in it, and nothing of it kept.
 * Here: what was in the log, and the checkpoint over it.
 */
#include <string.h>

#include "client/join.h"
#include "tests/support/hostile.h"
#include "tests/test.h"

static struct hostile h;

LIAR_CLOCK

/* ------------------------------------------------- lies about the directory */

static void
remove_leaf(struct liar_log *log, uint32_t i)
{
	struct cs_buf gone = log->leaf[i];

	memmove(&log->leaf[i], &log->leaf[i + 1],
	    (log->n - i - 1) * sizeof(log->leaf[0]));
	log->n--;
	log->leaf[log->n] = (struct cs_buf){ 0 };
	cs_buf_fini(&gone);
}

/* Numbers the leaves anew, as a relay that leaves one out has to. */
static void
renumber(struct liar_log *log)
{
	for (uint32_t i = 0; i < log->n; i++)
		cs_bytes_be(i, 8, log->leaf[i].p);
}

static void
swap_leaves(struct liar_log *log, uint32_t i, uint32_t j)
{
	struct cs_buf t = log->leaf[i];

	log->leaf[i] = log->leaf[j];
	log->leaf[j] = t;
}

static void
swapped_key(struct liar *x, struct liar_log *log)
{
	(void)x;
	/* head of the leaf 16, core 52, member 16: the signing key */
	hostile_flip(&log->leaf[h.carols_device], 16 + 52 + 16 + 4);
}

static void
swapped_epoch_keys(struct liar *x, struct liar_log *log)
{
	(void)x;
	hostile_flip(&log->leaf[liar_last(log, CS_ENTRY_EPOCH_BATCH)],
	    16 + 52 + 12);
}

static void
altered_signature(struct liar *x, struct liar_log *log)
{
	(void)x;
	hostile_flip(&log->leaf[log->n - 1], -1);
}

static void
altered_history(struct liar *x, struct liar_log *log)
{
	(void)x;
	hostile_flip(&log->leaf[h.had - 1], -1);
}

static void
reordered(struct liar *x, struct liar_log *log)
{
	(void)x;
	swap_leaves(log, log->n - 1, log->n - 2);
}

static void
reordered_and_renumbered(struct liar *x, struct liar_log *log)
{
	(void)x;
	swap_leaves(log, (uint32_t)h.carols_device,
	    (uint32_t)h.carols_device - 1);
	renumber(log);
}

static void
repeated(struct liar *x, struct liar_log *log)
{
	(void)x;
	cs_buf_put_bytes(&log->leaf[log->n],
	    cs_buf_view(&log->leaf[log->n - 1]));
	log->n++;
}

static void
repeated_and_renumbered(struct liar *x, struct liar_log *log)
{
	repeated(x, log);
	renumber(log);
}

static void
left_out(struct liar *x, struct liar_log *log)
{
	(void)x;
	remove_leaf(log, (uint32_t)h.carols_device - 1);
}

static void
left_out_and_renumbered(struct liar *x, struct liar_log *log)
{
	left_out(x, log);
	renumber(log);
}

/* What Ann saw is no more in it. */
static void
hidden_from_the_past(struct liar *x, struct liar_log *log)
{
	(void)x;
	remove_leaf(log, (uint32_t)h.had - 1);
	renumber(log);
}

static void
rolled_back(struct liar *x, struct liar_log *log)
{
	(void)x;
	while (log->n >= h.had)
		remove_leaf(log, log->n - 1);
}

static void
emptied(struct liar *x, struct liar_log *log)
{
	(void)x;
	while (log->n > 0)
		remove_leaf(log, log->n - 1);
}

static void
sealed_by_another_key(struct liar *x, struct liar_log *log)
{
	log->signer = x->r.net.registrar;
}

static void
of_another_network(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->network_id[0] ^= 1;
}

static void
without_a_signature(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->unsigned_note = true;
}

static void
another_root(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->keep_cp = true;
	log->cp.size = log->n;
	log->cp.root[3] ^= 1;
}

static void
says_more_than_it_shows(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->keep_cp = true;
	log->cp.size = log->n + 1;
}

static void
says_less_than_it_shows(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->keep_cp = true;
	log->cp.size = log->n - 1;
}

static void
older_incarnation(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->cp.counter--;
}

static void
another_incarnation(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->cp.incarnation[0] ^= 1;
}

static void
an_entry_of_tomorrow(struct liar *x, struct liar_log *log)
{
	(void)x;
	cs_bytes_be(liar_time_s + HOSTILE_DAY, 8, log->leaf[log->n - 1].p + 8);
}

static void
a_checkpoint_of_next_year(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->cp.time_s = liar_time_s + 365 * HOSTILE_DAY;
}

static void
trailing_byte(struct liar *x, struct liar_log *log)
{
	(void)x;
	cs_buf_put_u8(&log->leaf[log->n - 1], 0);
}

static void
cut_leaf(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->leaf[log->n - 1].n--;
}

static void
unknown_type(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->leaf[log->n - 1].p[17] = CS_ENTRY_TYPES;
}

static void
unknown_version(struct liar *x, struct liar_log *log)
{
	(void)x;
	log->leaf[log->n - 1].p[16] = 2;
}

static void
backdated(struct liar *x, struct liar_log *log)
{
	(void)x;
	cs_bytes_be(liar_time_s - HOSTILE_DAY, 8, log->leaf[log->n - 1].p + 8);
}

/* The invitation was for a day. */
static void
invitation_used_late(struct liar *x, struct liar_log *log)
{
	(void)x;
	for (uint32_t i = (uint32_t)h.carols_device; i < log->n; i++)
		cs_bytes_be(liar_time_s + 2 * HOSTILE_DAY, 8,
		    log->leaf[i].p + 8);
}

static const struct hostile_row rows[] = {
	LOG_ROW(swapped_key, CS_BAD_SIGNATURE),
	LOG_ROW(swapped_epoch_keys, CS_BAD_SIGNATURE),
	LOG_ROW(altered_signature, CS_BAD_SIGNATURE),
	LOG_ROW(altered_history, CS_FORKED),
	LOG_ROW(reordered, CS_CLASH),
	LOG_ROW(reordered_and_renumbered, CS_DENIED),
	LOG_ROW(repeated, CS_CLASH),
	LOG_ROW(repeated_and_renumbered, CS_USED),
	LOG_ROW(left_out, CS_CLASH),
	LOG_ROW(left_out_and_renumbered, CS_DENIED),
	LOG_ROW(hidden_from_the_past, CS_DENIED),
	LOG_ROW(rolled_back, CS_WENT_BACK),
	LOG_ROW(emptied, CS_WENT_BACK),
	LOG_ROW(sealed_by_another_key, CS_BAD_SIGNATURE),
	LOG_ROW(of_another_network, CS_WRONG_NETWORK),
	LOG_ROW(without_a_signature, CS_MALFORMED),
	LOG_ROW(another_root, CS_FORKED),
	LOG_ROW(says_more_than_it_shows, CS_FORKED),
	LOG_ROW(says_less_than_it_shows, CS_WENT_BACK),
	LOG_ROW(older_incarnation, CS_WENT_BACK),
	LOG_ROW(another_incarnation, CS_FORKED),
	LOG_ROW(an_entry_of_tomorrow, CS_CLOCK),
	LOG_ROW(a_checkpoint_of_next_year, CS_CLOCK),
	LOG_ROW(trailing_byte, CS_MALFORMED),
	LOG_ROW(cut_leaf, CS_MALFORMED),
	LOG_ROW(unknown_type, CS_UNSUPPORTED),
	LOG_ROW(unknown_version, CS_UNSUPPORTED),
	LOG_ROW(backdated, CS_MALFORMED),
	LOG_ROW(invitation_used_late, CS_EXPIRED),
};

TEST(a_client_takes_no_lie_about_the_log)
{
	hostile_begin(&h);
	hostile_news(&h);
	hostile_connect(&h, rows, sizeof(rows) / sizeof(rows[0]));
	CHECK(cs_directory_view(cs_client_directory(h.ann)).size > h.had);
	hostile_end(&h);
}

static void
another_networks_root(struct liar *x, struct liar_log *log)
{
	(void)x;
	/* core 52, then the body: its first byte is of the version */
	hostile_flip(&log->leaf[0], 16 + 52 + 8);
}

TEST(a_newcomer_takes_no_other_network_for_his)
{
	const struct cs_join j = { .dir = test_path("dora"),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;
	struct cs_join with = j;

	hostile_begin(&h);
	with.invitation = fake_relay_invite(&h.l.f, "dora@clinic");
	liar_set(&h.l, another_networks_root, NULL);
	CHECK_ERR(CS_WRONG_NETWORK, cs_join_run(&with, NULL, &r));
	CHECK(h.l.lies > 0);
	/* nothing is lost by it: the same invitation, an honest relay */
	liar_set(&h.l, NULL, NULL);
	CHECK_OK(cs_join_run(&with, NULL, &r));
	hostile_end(&h);
}
