/*
 * What the store costs beside LMDB alone, both durable: a mail of the size of
 * a sealed case reserved, accepted and delivered in one commit, beside the same
 * bytes put under one key and committed; eight of them in one commit; a segment
 * of an attachment beside the same bytes. With the argument `lmdb` only the
 * first figure: what other measurements are held against.
 */
#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/object.h"
#include "tests/support/bench.h"
#include "tests/support/store.h"
#include "tests/test.h"

#define MAIL_BYTES 5429 /* header for one recipient, body of 4 KiB */
#define GROUP      8
#define SEGMENTS   30 /* in a round: bounds the disk that this needs */
#define MAILS      4000
#define MAP_BYTES  (UINT64_C(64) << 30)

/* ---------------------------------------------------------------- LMDB alone
 */

struct bare {
	MDB_env *env;
	MDB_dbi dbi;
	uint64_t number;
	unsigned group;
	size_t bytes;
};

static void
bare_init(struct bare *b, const char *name, unsigned group, size_t bytes)
{
	const char *path = test_path(name);
	MDB_txn *txn;

	*b = (struct bare){ .group = group, .bytes = bytes };
	bench_must(mkdir(path, 0700) == 0 && mdb_env_create(&b->env) == 0 &&
		       mdb_env_set_mapsize(b->env, MAP_BYTES) == 0 &&
		       mdb_env_open(b->env, path, MDB_NOTLS | MDB_NORDAHEAD,
			   0600) == 0 &&
		       mdb_txn_begin(b->env, NULL, 0, &txn) == 0 &&
		       mdb_dbi_open(txn, NULL, 0, &b->dbi) == 0 &&
		       mdb_txn_commit(txn) == 0,
	    "LMDB");
}

static void
bare_put(void *ctx)
{
	static uint8_t content[CS_SEGMENT_BYTES];
	struct bare *b = ctx;
	MDB_val value = { b->bytes, content };
	MDB_txn *txn;

	bench_must(mdb_txn_begin(b->env, NULL, 0, &txn) == 0, "begin");
	for (unsigned i = 0; i < b->group; i++) {
		uint8_t bytes[8];
		MDB_val key = { sizeof(bytes), bytes };

		for (unsigned k = 0; k < 8; k++)
			bytes[k] = (uint8_t)(b->number >> (56 - 8 * k));
		b->number++;
		bench_must(mdb_put(txn, b->dbi, &key, &value, 0) == 0, "put");
	}
	bench_must(mdb_txn_commit(txn) == 0, "commit");
}

/* ----------------------------------------------------------------- the store
 */

struct mails {
	struct test_store store;
	struct cs_bytes content;
	uint32_t number;
	unsigned group;
};

static void
mails_init(struct mails *m, const char *name, unsigned group)
{
	*m = (struct mails){ .group = group };
	test_store_init(&m->store, name);
	m->store.config.map_bytes = MAP_BYTES;
	CHECK_OK(test_store_open(&m->store));
	m->content = test_store_bytes(MAIL_BYTES, 1);
}

static void
mails_put(void *ctx)
{
	struct mails *m = ctx;
	struct cs_store_op ops[3 * GROUP];
	unsigned n = 0;

	for (unsigned i = 0; i < m->group; i++) {
		uint32_t id = ++m->number;

		ops[n++] = test_store_reserve(id, (struct cs_bytes){ 0 });
		ops[n++] = test_store_accept(id, m->content);
		ops[n++] = test_store_deliver(1, id - 1, id);
	}
	CHECK_OK(cs_store_commit(m->store.s, ops, n, NULL));
}

struct segments {
	struct test_store store;
	struct cs_store_op op;
};

static void
segments_init(struct segments *s, const char *name)
{
	const struct cs_bytes content = test_store_bytes(CS_SEGMENT_BYTES, 2);

	*s = (struct segments){ 0 };
	test_store_init(&s->store, name);
	s->store.config.map_bytes = MAP_BYTES;
	CHECK_OK(test_store_open(&s->store));
	CHECK_OK(test_store_do(&s->store,
	    test_store_reserve(1,
		test_store_objects(1, (uint32_t)CS_LIMIT_SEGMENTS,
		    (uint32_t)0))));
	s->op = test_store_segment(1, 1, 0, content);
}

static void
segments_put(void *ctx)
{
	struct segments *s = ctx;

	CHECK_OK(cs_store_commit(s->store.s, &s->op, 1, NULL));
	s->op.segment.index++;
}

/* ------------------------------------------------------------------- figures
 */

/* b[0] without and b[1] with the store; amount is what one call moves. */
static void
print_pair(const char *bare, const char *ours, const struct bench *b,
    double amount, const char *unit)
{
	char ratio[64], base[64];

	bench_print(bare, amount / b[0].seconds, unit);
	bench_print(ours, amount / b[1].seconds, unit);
	snprintf(ratio, sizeof(ratio), "%s_ratio", ours);
	snprintf(base, sizeof(base), "x_%s", bare);
	bench_print(ratio, b[0].seconds / b[1].seconds, base);
}

static void
remove_all(const char *path)
{
	char command[4096];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	bench_must(system(command) == 0, command);
}

static void
measure_lmdb(void)
{
	struct bare one;
	struct bench b = { .once = bare_put, .ctx = &one, .most = MAILS };

	bare_init(&one, "bare-1", 1, MAIL_BYTES);
	bench_run(&b, 1);
	bench_print("lmdb_put", 1 / b.seconds, "commits/s");
	mdb_env_close(one.env);
}

static void
measure_all(void)
{
	struct bare one, many, big;
	struct mails mail, mails;
	struct segments segments;
	struct bench b[] = { { .once = bare_put, .ctx = &one, .most = MAILS },
		{ .once = mails_put, .ctx = &mail, .most = MAILS },
		{ .once = bare_put, .ctx = &many, .most = MAILS / GROUP },
		{ .once = mails_put, .ctx = &mails, .most = MAILS / GROUP },
		{ .once = bare_put, .ctx = &big, .most = SEGMENTS },
		{ .once = segments_put, .ctx = &segments, .most = SEGMENTS } };

	bare_init(&one, "bare-1", 1, MAIL_BYTES);
	bare_init(&many, "bare-8", GROUP, MAIL_BYTES);
	bare_init(&big, "bare-segment", 1, CS_SEGMENT_BYTES);
	mails_init(&mail, "mail-1", 1);
	mails_init(&mails, "mail-8", GROUP);
	segments_init(&segments, "segments");
	bench_run(b, 6);
	print_pair("lmdb_put", "store_mail", &b[0], 1, "commits/s");
	print_pair("lmdb_put_by_8", "store_mail_by_8", &b[2], GROUP, "puts/s");
	print_pair("lmdb_put_segment", "store_segment", &b[4],
	    CS_SEGMENT_BYTES / 1e6, "MB/s");
	mdb_env_close(one.env);
	mdb_env_close(many.env);
	mdb_env_close(big.env);
	test_store_fini(&mail.store);
	test_store_fini(&mails.store);
	test_store_fini(&segments.store);
}

int
main(int argc, char **argv)
{
	bench_must(sodium_init() >= 0, "libsodium");
	if (argc > 1 && strcmp(argv[1], "lmdb") == 0)
		measure_lmdb();
	else
		measure_all();
	remove_all(test_dir());
	return 0;
}
