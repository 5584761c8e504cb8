#include "tests/test.h"

#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/merkle.h"
#include "relay/store_lmdb_row.h"
#include "tests/support/store.h"

/* What the LMDB engine promises about disks, other processes and its end. */

static const struct cs_bytes none = { NULL, 0 };

/* Path of a file of the store that is called "s" in these tests. */
static const char *
in_store(const char *name)
{
	char relative[64];

	snprintf(relative, sizeof(relative), "s%s", name);
	return test_path(relative);
}

/* ------------------------------------------------------------ damaged records
 */

/* Flips one bit in every copy of needle in a file; returns how many. */
static unsigned
flip(const char *path, struct cs_bytes needle)
{
	struct cs_bytes file = test_read(path);
	uint8_t *p = test_alloc(file.n), *at = p;
	unsigned n = 0;

	memcpy(p, file.p, file.n);
	while ((at = memmem(at, file.n - (size_t)(at - p), needle.p,
		    needle.n)) != NULL) {
		at[needle.n / 2] ^= 0x10;
		n++;
	}
	test_write(path, (struct cs_bytes){ p, file.n });
	return n;
}

/* Closes the store, flips needle in its rows, and opens it again. */
static void
damage_rows(struct test_store *ts, struct cs_bytes needle)
{
	test_store_close(ts);
	CHECK(flip(in_store("/rows/data.mdb"), needle) > 0);
	CHECK_OK(test_store_open(ts));
	CHECK_NUM(0, ts->events[CS_STORE_DAMAGED]);
}

static void
check_damaged(struct test_store *ts, const char *table)
{
	struct cs_store_stats stats;

	CHECK(ts->events[CS_STORE_DAMAGED] > 0);
	CHECK_STR(table, ts->last_table);
	CHECK_OK(cs_store_stats(ts->s, &stats));
	CHECK_NUM(ts->events[CS_STORE_DAMAGED], stats.damaged);
}

TEST(a_flipped_bit_in_an_envelope_is_seen)
{
	struct test_store ts;
	struct cs_bytes sealed = test_store_bytes(3000, 7);
	struct cs_buf out = { 0 };

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, sealed.n));
	CHECK_OK(test_store_mail(&ts, 8, 2, 1, 50));
	damage_rows(&ts, (struct cs_bytes){ sealed.p + 100, 64 });
	CHECK_ERR(CS_CORRUPT, cs_store_envelope(ts.s, ENVELOPE(7), NULL, &out));
	CHECK_NUM(0, out.n);
	check_damaged(&ts, "body");
	CHECK_OK(cs_store_envelope(ts.s, ENVELOPE(8), NULL, &out));
	/* It can still be taken out of the store. */
	CHECK_OK(test_store_do(&ts, test_store_take(2, 1, 7)));
	CHECK_OK(test_store_do(&ts, test_store_release(7, 9000)));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(a_damaged_item_does_not_hide_the_mail_behind_it)
{
	struct test_store ts;
	struct cs_store_op op;
	struct cs_store_mailbox head;
	struct cs_frame_item items[8];
	uint8_t marked[CS_HASH_BYTES];
	size_t n;

	memset(marked, 0xa5, sizeof(marked));
	test_store_start(&ts, "s");
	for (uint32_t i = 1; i <= 5; i++) {
		CHECK_OK(test_store_do(&ts, test_store_reserve(i, none)));
		CHECK_OK(test_store_do(&ts,
		    test_store_accept(i, cs_bytes_str("sealed"))));
		op = test_store_deliver(2, i - 1, i);
		if (i == 3)
			memcpy(op.deliver.item.e, marked, CS_HASH_BYTES);
		CHECK_OK(test_store_do(&ts, op));
	}
	damage_rows(&ts, CS_BYTES(marked));
	CHECK_ERR(CS_CORRUPT, cs_store_item(ts.s, DEVICE(2), 3, items));
	CHECK_OK(cs_store_list(ts.s, DEVICE(2), 0, 8, &head, items, &n));
	CHECK_NUM(4, n);
	CHECK_NUM(2, items[1].seq);
	CHECK_NUM(4, items[2].seq);
	check_damaged(&ts, "item");
	test_store_fini(&ts);
}

TEST(a_damaged_head_stops_the_mailbox_and_not_the_others)
{
	struct test_store ts;
	struct cs_store_mailbox head;
	struct cs_store_op op = test_store_deliver(2, 0, 1);

	memset(op.deliver.chain, 0xc3, CS_HASH_BYTES);
	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts, test_store_reserve(1, none)));
	CHECK_OK(test_store_do(&ts, test_store_accept(1, cs_bytes_str("x"))));
	CHECK_OK(test_store_do(&ts, op));
	damage_rows(&ts, CS_BYTES(op.deliver.chain));
	CHECK_ERR(CS_CORRUPT, cs_store_mailbox(ts.s, DEVICE(2), &head));
	CHECK_ERR(CS_CORRUPT, test_store_mail(&ts, 5, 2, 1, 10));
	check_damaged(&ts, "mailbox");
	CHECK_OK(test_store_mail(&ts, 5, 3, 0, 10));
	test_store_fini(&ts);
}

TEST(a_flipped_bit_in_a_segment_or_its_row_is_seen)
{
	struct test_store ts;
	struct cs_bytes a = test_store_bytes(CS_SEGMENT_BYTES, 1);
	struct cs_bytes b = test_store_bytes(CS_SEGMENT_BYTES, 2);
	struct cs_store_op add_b = test_store_segment(1, 1, 1, b);
	struct cs_buf out = { 0 };

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 3, 0))));
	CHECK_OK(test_store_do(&ts, test_store_segment(1, 1, 0, a)));
	CHECK_OK(test_store_do(&ts, add_b));
	CHECK_OK(test_store_do(&ts,
	    test_store_segment(1, 1, 2, cs_bytes_str("whole"))));
	CHECK_OK(test_store_do(&ts, test_store_accept(1, cs_bytes_str("x"))));
	CHECK_OK(test_store_do(&ts, test_store_deliver(2, 0, 1)));
	test_store_close(&ts);
	CHECK_NUM(1, flip(in_store("/segments/data.mdb"),
			 (struct cs_bytes){ a.p + 70000, 64 }));
	CHECK(flip(in_store("/rows/data.mdb"), CS_BYTES(add_b.segment.leaf)) >
	      0);
	CHECK_OK(test_store_open(&ts));
	CHECK_ERR(CS_CORRUPT,
	    cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 0, &out));
	CHECK_NUM(0, out.n);
	check_damaged(&ts, "segment bytes");
	CHECK_ERR(CS_CORRUPT,
	    cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 1, &out));
	check_damaged(&ts, "segment");
	CHECK_OK(cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 2,
	    &out));
	CHECK_VIEW(cs_bytes_str("whole"), cs_buf_view(&out));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(a_short_segment_is_padded_with_zeros_and_not_with_memory)
{
	struct test_store ts;
	struct cs_bytes full = test_store_bytes(CS_SEGMENT_BYTES, 1);

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 10, 0))));
	CHECK_OK(test_store_do(&ts, test_store_segment(1, 1, 0, full)));
	for (uint32_t i = 1; i < 10; i++)
		CHECK_OK(test_store_do(&ts,
		    test_store_segment(1, 1, i, cs_bytes_str("x"))));
	test_store_close(&ts);
	CHECK_NUM(1, flip(in_store("/segments/data.mdb"),
			 (struct cs_bytes){ full.p + 500000, 64 }));
	test_store_fini(&ts);
}

/* A record with its valid tag, put where another was: the tag is over the key
 * too. */
TEST(a_record_under_another_key_is_seen)
{
	struct test_store ts;
	struct cs_bytes a = test_store_bytes(700, 1);
	struct cs_bytes b = test_store_bytes(700, 2);
	const size_t n = a.n + CS_STORE_LMDB_TAG_BYTES;
	struct cs_bytes file;
	struct cs_buf out = { 0 };
	uint8_t *p, *at_a, *at_b, *keep = test_alloc(n);

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 1, 2, 0, a.n));
	CHECK_OK(test_store_mail(&ts, 2, 2, 1, b.n));
	test_store_close(&ts);
	file = test_read(in_store("/rows/data.mdb"));
	p = test_alloc(file.n);
	memcpy(p, file.p, file.n);
	at_a = memmem(p, file.n, a.p, a.n);
	CHECK(at_a != NULL);
	memcpy(keep, at_a, n);
	at_b = memmem(p, file.n, b.p, b.n);
	CHECK(at_b != NULL);
	/* Copy-on-write left older pages: exchange in all of them. */
	while ((at_a = memmem(p, file.n, a.p, a.n)) != NULL)
		memcpy(at_a, at_b, n);
	for (at_b = p; (at_b = memmem(at_b, file.n - (size_t)(at_b - p), b.p,
			    b.n)) != NULL;
	     at_b += n)
		if (file.p[at_b - p] == b.p[0])
			memcpy(at_b, keep, n);
	test_write(in_store("/rows/data.mdb"), (struct cs_bytes){ p, file.n });
	CHECK_OK(test_store_open(&ts));
	CHECK_ERR(CS_CORRUPT, cs_store_envelope(ts.s, ENVELOPE(1), NULL, &out));
	CHECK_ERR(CS_CORRUPT, cs_store_envelope(ts.s, ENVELOPE(2), NULL, &out));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(another_key_does_not_open_it)
{
	struct test_store ts, other;

	test_store_start(&ts, "s");
	test_store_close(&ts);
	test_store_init(&other, "s");
	cs_secret_mut((struct cs_secret *)(uintptr_t)other.config.key)[0] ^= 1;
	CHECK_ERR(CS_CORRUPT, test_store_open(&other));
	cs_secret_cut((struct cs_secret *)(uintptr_t)other.config.key, 31);
	CHECK_ERR(CS_NO_KEY, test_store_open(&other));
	CHECK_OK(test_store_open(&ts));
	test_store_fini(&other);
	test_store_fini(&ts);
}

/* ------------------------------------------------------------ other processes
 */

/* Runs f in a child; what it returns is the child's exit code. */
static int
in_child(int (*f)(struct test_store *ts), struct test_store *ts)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(f(ts));
	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
try_open(struct test_store *ts)
{
	return (int)cs_store_open(&ts->config, &ts->s);
}

/* Everything a reader of a running relay's store may and may not do. */
static int
read_beside(struct test_store *ts)
{
	struct cs_store_stats stats;
	struct cs_buf out = { 0 };
	struct cs_store_op op = test_store_reserve(9, none);
	bool more;
	cs_err e;

	ts->config.read_only = true;
	CS_TRY(cs_store_open(&ts->config, &ts->s));
	CS_TRY(cs_store_stats(ts->s, &stats));
	if (stats.envelopes != 1 || stats.items != 1)
		CS_TRY(CS_INTERNAL);
	CS_TRY(cs_store_envelope(ts->s, ENVELOPE(7), NULL, &out));
	if (cs_store_commit(ts->s, &op, 1, NULL) != CS_DENIED ||
	    cs_store_sweep(ts->s, true, &more) != CS_DENIED)
		CS_TRY(CS_INTERNAL);
	cs_store_close(ts->s);
out:
	return (int)e;
}

TEST(one_process_at_a_time_and_readers_beside_it)
{
	struct test_store ts, second;

	test_store_start(&ts, "s");
	test_store_init(&second, "s");
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, 100));
	CHECK_ERR(CS_BUSY, (cs_err)in_child(try_open, &second));
	CHECK_ERR(CS_BUSY, test_store_open(&second)); /* nor twice in one */
	CHECK_ERR(CS_OK, (cs_err)in_child(read_beside, &second));
	CHECK_OK(test_store_mail(&ts, 8, 2, 1, 100));
	test_store_close(&ts);
	CHECK_ERR(CS_OK, (cs_err)in_child(try_open, &second));
	test_store_fini(&second);
	test_store_fini(&ts);
}

TEST(open_says_what_is_wrong)
{
	struct test_store ts;

	test_store_init(&ts, "s");
	ts.config.read_only = true;
	CHECK_ERR(CS_NOT_FOUND, test_store_open(&ts));
	ts.config.read_only = false;
	ts.config.path = test_path("absent/s");
	CHECK_ERR(CS_NOT_FOUND, test_store_open(&ts));
	test_write(test_path("file"), cs_bytes_str("x"));
	ts.config.path = test_path("file");
	CHECK_ERR(CS_IO, test_store_open(&ts));
	CHECK(ts.s == NULL);

	ts.config.path = test_path("s");
	CHECK_OK(test_store_open(&ts));
	test_store_close(&ts);
	test_write(in_store("/rows/data.mdb"), test_store_bytes(3 * 4096, 1));
	CHECK_ERR(CS_CORRUPT, test_store_open(&ts));
	test_store_fini(&ts);
}

/* ------------------------------------------------------------ sudden deaths */

#define KILL_ROUNDS 120

/* The child: delivers envelope after envelope to one mailbox, each with a
 * leaf and every fourth with a segment, and tells fd of each that is durable.
 */
static int
deliver_until_killed(struct test_store *ts, int fd)
{
	struct cs_merkle_edge edge = { 0 };
	struct cs_store_mailbox head;
	struct cs_store_log log;
	struct cs_store_op ops[5];
	uint32_t n;
	size_t k;
	cs_err e;

	CS_TRY(cs_store_open(&ts->config, &ts->s));
	log = (struct cs_store_log){ ts->s, CS_LOG_RECEIPTS };
	for (;;) {
		CS_TRY(cs_store_mailbox(ts->s, DEVICE(2), &head));
		CS_TRY(cs_merkle_read_edge(cs_store_log_read, &log, head.seq,
		    &edge));
		n = (uint32_t)head.seq + 1;
		k = 0;
		ops[k++] = test_store_reserve(n,
		    test_store_objects(n % 4 == 0 ? 1 : 0, 1, 0));
		if (n % 4 == 0)
			ops[k++] = test_store_segment(n, 1, 0,
			    test_store_bytes(5000, n));
		ops[k++] = test_store_accept(n, test_store_bytes(600, n));
		ops[k++] = test_store_deliver(2, head.seq, n);
		ops[k++] = test_store_append(CS_LOG_RECEIPTS, &edge,
		    test_store_bytes(32, n));
		CS_TRY(cs_store_commit(ts->s, ops, k, NULL));
		if (write(fd, &n, sizeof(n)) != sizeof(n))
			CS_TRY(CS_IO);
	}
out:
	return (int)e;
}

/* Kills the child within some milliseconds; returns the last it reported. */
static uint32_t
kill_one(struct test_store *ts, useconds_t after_us)
{
	uint32_t n, last = 0;
	int fd[2], status;
	pid_t child;

	CHECK(pipe(fd) == 0);
	child = fork();
	if (child == 0)
		_exit(deliver_until_killed(ts, fd[1]));
	CHECK(child > 0);
	close(fd[1]);
	usleep(after_us);
	kill(child, SIGKILL);
	while (read(fd[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	close(fd[0]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status)); /* and not: failed by itself */
	return last;
}

/* Everything up to the head is whole: mailbox, log, envelopes, segments. */
static uint32_t
check_whole(struct test_store *ts, uint32_t from)
{
	struct cs_store_mailbox head;
	struct cs_frame_item items[64];
	struct cs_buf out = { 0 };
	uint64_t size, after = from > 40 ? from - 40 : 0;
	size_t n;

	CHECK_OK(cs_store_log_size(ts->s, CS_LOG_RECEIPTS, &size));
	do {
		CHECK_OK(cs_store_list(ts->s, DEVICE(2), after, 64, &head,
		    items, &n));
		CHECK_NUM(size, head.seq);
		for (size_t i = 0; i < n; i++) {
			const uint32_t seq = (uint32_t)++after;

			CHECK_NUM(seq, items[i].seq);
			cs_buf_reset(&out);
			CHECK_OK(cs_store_envelope(ts->s, ENVELOPE(seq),
			    DEVICE(2), &out));
			CHECK_VIEW(test_store_bytes(600, seq),
			    cs_buf_view(&out));
			if (seq % 4 != 0)
				continue;
			cs_buf_reset(&out);
			CHECK_OK(cs_store_segment(ts->s, DEVICE(2),
			    ENVELOPE(seq), OBJECT(1), 0, &out));
			CHECK_VIEW(test_store_bytes(5000, seq),
			    cs_buf_view(&out));
		}
	} while (n == 64);
	CHECK_NUM(head.seq, after);
	cs_buf_fini(&out);
	return (uint32_t)head.seq;
}

TEST(what_was_reported_survives_kill_9)
{
	struct test_store ts;
	struct cs_store_stats stats;
	uint32_t reported, reached = 0;
	long window_us = 25000;

	test_store_init(&ts, "s");
	ts.config.map_bytes = UINT64_C(4) << 30;
	srandom(1);
	for (unsigned i = 0; i < KILL_ROUNDS; i++) {
		reported = kill_one(&ts, (useconds_t)(random() % window_us));
		CHECK_OK(test_store_open(&ts));
		if (reported < reached)
			reported = reached;
		reached = check_whole(&ts, reached);
		CHECK(reached >= reported);
		test_store_close(&ts);
		if (reached <= i) /* slow machine, or a sanitizer: kill later */
			window_us += window_us / 4;
	}
	CHECK(reached > KILL_ROUNDS); /* it did get somewhere */

	CHECK_OK(test_store_open(&ts));
	test_store_sweep_all(&ts, true);
	CHECK_OK(cs_store_stats(ts.s, &stats));
	CHECK_NUM(reached / 4, stats.segments);
	CHECK_NUM(reached / 4, stats.segments_bytes / (256 * 4096));
	check_whole(&ts, 0);
	test_store_fini(&ts);
}

/* A segment whose rows were never committed, as a death between the two
 * commits leaves it. */
static void
plant_orphan(const char *path)
{
	static uint8_t bytes[CS_SEGMENT_BYTES];
	uint8_t key[CS_STORE_LMDB_SEGMENT_KEY_BYTES] = { 0, 0, 0, 0, 0, 0, 9 };
	MDB_val k = { sizeof(key), key }, v = { sizeof(bytes), bytes };
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	CHECK(mdb_env_create(&env) == 0);
	CHECK(mdb_env_set_mapsize(env, TEST_STORE_MAP_BYTES) == 0);
	CHECK(mdb_env_set_maxdbs(env, 1) == 0);
	CHECK(mdb_env_open(env, path, 0, 0600) == 0);
	CHECK(mdb_txn_begin(env, NULL, 0, &txn) == 0);
	CHECK(mdb_dbi_open(txn, "segment", 0, &dbi) == 0);
	CHECK(mdb_put(txn, dbi, &k, &v, 0) == 0);
	CHECK(mdb_txn_commit(txn) == 0);
	mdb_env_close(env);
}

TEST(orphans_are_swept_after_a_start_and_on_demand)
{
	struct test_store ts;
	struct cs_store_stats stats;
	struct cs_buf out = { 0 };

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 1, 0))));
	CHECK_OK(test_store_do(&ts,
	    test_store_segment(1, 1, 0, cs_bytes_str("kept"))));
	CHECK_OK(test_store_do(&ts, test_store_accept(1, cs_bytes_str("x"))));
	CHECK_OK(test_store_do(&ts, test_store_deliver(2, 0, 1)));
	for (unsigned i = 0; i < 2; i++) {
		test_store_close(&ts);
		plant_orphan(in_store("/segments"));
		CHECK_OK(test_store_open(&ts));
		CHECK_OK(cs_store_stats(ts.s, &stats));
		CHECK_NUM(2, stats.segments_bytes / (256 * 4096));
		CHECK_NUM(1, stats.segments);
		test_store_sweep_all(&ts, i == 1);
		CHECK_OK(cs_store_stats(ts.s, &stats));
		CHECK_NUM(1, stats.segments_bytes / (256 * 4096));
	}
	CHECK_OK(cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 0,
	    &out));
	CHECK_VIEW(cs_bytes_str("kept"), cs_buf_view(&out));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

/* ------------------------------------------------------------ going back */

static void
copy_file(const char *name, const char *from, const char *to)
{
	char a[128], b[128];

	snprintf(a, sizeof(a), "%s%s", from, name);
	snprintf(b, sizeof(b), "%s%s", to, name);
	test_write(test_path(b), test_read(test_path(a)));
}

static void
copy_store(const char *from, const char *to)
{
	copy_file("/rows/data.mdb", from, to);
	copy_file("/segments/data.mdb", from, to);
}

TEST(a_restored_backup_is_noticed_and_may_be_accepted)
{
	struct test_store ts;
	struct cs_merkle_edge edge = { 0 };
	struct cs_store_incarnation first, second;

	mkdir(test_path("backup"), 0700);
	mkdir(test_path("backup/rows"), 0700);
	mkdir(test_path("backup/segments"), 0700);
	test_store_start(&ts, "s");
	cs_store_incarnation(ts.s, &first);
	CHECK_NUM(1, first.counter);
	CHECK_OK(test_store_do(&ts,
	    test_store_append(CS_LOG_RECEIPTS, &edge, cs_bytes_str("1"))));
	test_store_close(&ts);
	copy_store("s", "backup");
	CHECK_OK(test_store_open(&ts));
	cs_store_incarnation(ts.s, &second);
	CHECK_BYTES(first.id, CS_ID_BYTES, second.id, CS_ID_BYTES);
	CHECK_OK(test_store_do(&ts,
	    test_store_append(CS_LOG_RECEIPTS, &edge, cs_bytes_str("2"))));
	test_store_close(&ts);

	copy_store("backup", "s");
	CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
	CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
	ts.config.restored_at_s = 1;
	CHECK_OK(test_store_open(&ts));
	cs_store_incarnation(ts.s, &second);
	CHECK_NUM(2, second.counter);
	CHECK(memcmp(first.id, second.id, CS_ID_BYTES) != 0);
	test_store_close(&ts);
	ts.config.restored_at_s = 0;
	CHECK_OK(test_store_open(&ts));
	test_store_fini(&ts);
}

TEST(a_store_that_vanished_is_noticed_by_its_mark)
{
	struct test_store ts;

	test_store_init(&ts, "s");
	ts.config.mark_path = test_path("elsewhere.mark");
	CHECK_OK(test_store_open(&ts));
	test_store_close(&ts);
	CHECK(rename(test_path("s"), test_path("lost")) == 0);
	CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
	CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
	test_store_fini(&ts);
}

TEST(the_mark_knows_each_log)
{
	struct test_store ts;

	mkdir(test_path("backup"), 0700);
	mkdir(test_path("backup/rows"), 0700);
	mkdir(test_path("backup/segments"), 0700);
	mkdir(test_path("later"), 0700);
	mkdir(test_path("later/rows"), 0700);
	mkdir(test_path("later/segments"), 0700);
	test_store_start(&ts, "s");
	test_store_close(&ts);
	for (unsigned i = 0; i < CS_LOGS; i++) {
		struct cs_merkle_edge edge = { 0 };

		copy_store("s", "backup");
		CHECK_OK(test_store_open(&ts));
		CHECK_OK(test_store_do(&ts, test_store_append((enum cs_log)i,
						&edge, cs_bytes_str("1"))));
		test_store_close(&ts);
		copy_store("s", "later");
		copy_store("backup", "s");
		CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
		copy_store("later", "s");
	}
	CHECK_OK(test_store_open(&ts));
	test_store_fini(&ts);
}

TEST(without_its_mark_a_store_is_not_taken_for_the_newest)
{
	struct test_store ts;
	struct cs_merkle_edge edge = { 0 };
	struct cs_store_incarnation in;

	test_store_start(&ts, "s");
	test_store_close(&ts);
	/* Killed before the mark was durable: nothing was in it yet. */
	CHECK(unlink(test_path("s.mark")) == 0);
	CHECK_OK(test_store_open(&ts));
	CHECK_OK(test_store_do(&ts,
	    test_store_append(CS_LOG_RECEIPTS, &edge, cs_bytes_str("1"))));
	test_store_close(&ts);

	CHECK(unlink(test_path("s.mark")) == 0);
	CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
	CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
	test_write(test_path("s.mark"), test_store_bytes(60, 1));
	CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
	test_write(test_path("s.mark"), test_store_bytes(6, 1));
	CHECK_ERR(CS_WENT_BACK, test_store_open(&ts));
	/* Its counter is lost with the mark: time takes its place. */
	ts.config.restored_at_s = 1800000000;
	CHECK_OK(test_store_open(&ts));
	cs_store_incarnation(ts.s, &in);
	CHECK_NUM(1800000000, in.counter);
	test_store_close(&ts);
	CHECK_OK(test_store_open(&ts)); /* within a second */
	cs_store_incarnation(ts.s, &in);
	CHECK_NUM(1800000001, in.counter);
	test_store_close(&ts);
	ts.config.restored_at_s = 0;
	CHECK_OK(test_store_open(&ts));
	test_store_fini(&ts);
}

/* ------------------------------------------------------------ full, broken */

TEST(a_full_map_is_full_and_works_again_when_emptied)
{
	struct test_store ts;
	uint32_t n = 0;
	cs_err e;

	test_store_init(&ts, "s");
	ts.config.map_bytes = 12 << 20;
	CHECK_OK(test_store_open(&ts));
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 100, 0))));
	do {
		e = test_store_do(&ts,
		    test_store_segment(1, 1, n++, cs_bytes_str("x")));
		CHECK(n < 100);
	} while (e == CS_OK);
	CHECK_ERR(CS_FULL, e);
	CHECK(n > 8);
	CHECK_NUM(0, ts.events[CS_STORE_REFUSES]);
	CHECK_OK(test_store_do(&ts, test_store_cancel(1)));
	test_store_sweep_all(&ts, false);
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 100, 0))));
	for (uint32_t i = 0; i < n - 2; i++)
		CHECK_OK(test_store_do(&ts,
		    test_store_segment(1, 1, i, cs_bytes_str("y"))));
	test_store_fini(&ts);
}

/* A small file system of our own; skips where that is not allowed. */
static void
mount_small(const char *path)
{
	mkdir(path, 0700);
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", path, "tmpfs", 0, "size=26m") != 0)
		SKIP("cannot mount a small file system (not root)");
}

/* Mails of one size until the disk is full; n are there already. */
static uint32_t
fill(struct test_store *ts, uint32_t n, size_t bytes)
{
	cs_err e;

	do {
		e = test_store_mail(ts, n + 1, 2, n, bytes);
		n += e == CS_OK;
		CHECK(n < 10000);
	} while (e == CS_OK);
	CHECK_ERR(CS_FULL, e);
	return n;
}

TEST(a_full_disk_loses_nothing_and_can_be_emptied)
{
	const size_t large = 60000, small = 10;
	struct test_store ts;
	struct cs_buf out = { 0 };
	uint32_t n_large, n;

	mount_small(test_path("small"));
	test_store_start(&ts, "small/s");
	n_large = fill(&ts, 0, large);
	CHECK(n_large > 50);
	n = fill(&ts, n_large, small); /* to the last page */
	CHECK_NUM(0, ts.events[CS_STORE_REFUSES]);
	test_store_close(&ts);

	/* Restarted on the full disk: all there, and all can go. */
	CHECK_OK(test_store_open(&ts));
	for (uint32_t i = 1; i <= n; i++) {
		cs_buf_reset(&out);
		CHECK_OK(cs_store_envelope(ts.s, ENVELOPE(i), DEVICE(2), &out));
		CHECK_VIEW(test_store_bytes(i <= n_large ? large : small, i),
		    cs_buf_view(&out));
	}
	for (uint32_t i = 1; i <= n; i++) {
		const struct cs_store_op ops[] = { test_store_take(2, i, i),
			test_store_state(i, 2, test_store_bytes(3000, i)) };

		CHECK_OK(cs_store_commit(ts.s, ops, 2, NULL));
	}
	for (uint32_t i = 1; i <= n; i++)
		CHECK_OK(test_store_do(&ts, test_store_release(i, 9000)));
	CHECK_OK(test_store_mail(&ts, n + 1, 2, n, large));
	cs_buf_fini(&out);
	test_store_fini(&ts);
	umount2(test_path("small"), MNT_DETACH);
}

/* Puts the file name in place of the rows' descriptor; returns the real one. */
static int
replace_file(struct test_store *ts, const char *name, int flags)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(ts->s);
	int fd, saved, other = open(name, flags);

	CHECK(other >= 0);
	CHECK(mdb_env_get_fd(st->rows, &fd) == 0);
	saved = dup(fd);
	CHECK(saved >= 0);
	CHECK(dup2(other, fd) == fd);
	close(other);
	return saved;
}

static void
restore_file(struct test_store *ts, int saved)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(ts->s);
	int fd;

	CHECK(mdb_env_get_fd(st->rows, &fd) == 0);
	CHECK(dup2(saved, fd) == fd);
	close(saved);
}

TEST(no_space_refuses_one_commit_an_io_error_all_that_follow)
{
	struct test_store ts;
	struct cs_store_stats stats;
	struct cs_buf out = { 0 };
	bool more;
	int saved;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 1, 2, 0, 100));
	saved = replace_file(&ts, "/dev/full", O_RDWR);
	CHECK_ERR(CS_FULL, test_store_mail(&ts, 2, 2, 1, 100));
	restore_file(&ts, saved);
	CHECK_OK(test_store_mail(&ts, 2, 2, 1, 100));
	CHECK_NUM(0, ts.events[CS_STORE_REFUSES]);

	saved = replace_file(&ts, "/dev/null", O_RDONLY);
	CHECK_ERR(CS_IO, test_store_mail(&ts, 3, 2, 2, 100));
	restore_file(&ts, saved);
	CHECK_NUM(1, ts.events[CS_STORE_REFUSES]);
	CHECK_ERR(CS_IO, test_store_mail(&ts, 3, 2, 2, 100));
	CHECK_ERR(CS_IO, cs_store_sweep(ts.s, true, &more));
	CHECK_NUM(1, ts.events[CS_STORE_REFUSES]);
	CHECK_OK(cs_store_stats(ts.s, &stats));
	CHECK(stats.refuses);
	CHECK_NUM(2, stats.items);
	CHECK_OK(cs_store_envelope(ts.s, ENVELOPE(2), NULL, &out));

	test_store_close(&ts);
	CHECK_OK(test_store_open(&ts));
	CHECK_OK(test_store_mail(&ts, 3, 2, 2, 100));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

/* ------------------------------------------------------------ many threads */

struct reader {
	struct test_store *ts;
	atomic_bool stop;
	atomic_uint lists, failures;
};

/* A cursor never skips mail: what is listed is all up to the head. */
static void *
read_on(void *arg)
{
	struct reader *r = arg;
	struct cs_store_mailbox head;
	struct cs_frame_item items[500];
	struct cs_buf out = { 0 };
	size_t n;

	while (!atomic_load(&r->stop)) {
		if (cs_store_list(r->ts->s, DEVICE(2), 0, 500, &head, items,
			&n) != CS_OK ||
		    n != head.seq || (n > 0 && items[n - 1].seq != n))
			atomic_fetch_add(&r->failures, 1);
		cs_buf_reset(&out);
		if (n > 0 &&
		    cs_store_envelope(r->ts->s, items[n - 1].envelope_id,
			DEVICE(2), &out) != CS_OK)
			atomic_fetch_add(&r->failures, 1);
		atomic_fetch_add(&r->lists, 1);
	}
	cs_buf_fini(&out);
	return NULL;
}

TEST(readers_see_whole_commits)
{
	struct test_store ts;
	struct reader r = { .ts = &ts };
	pthread_t threads[3];

	test_store_start(&ts, "s");
	for (unsigned i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, read_on, &r) == 0);
	for (uint32_t i = 1; i <= 200; i++)
		CHECK_OK(test_store_mail(&ts, i, 2, i - 1, 2000));
	atomic_store(&r.stop, true);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_NUM(0, atomic_load(&r.failures));
	CHECK(atomic_load(&r.lists) > 10);
	test_store_fini(&ts);
}
