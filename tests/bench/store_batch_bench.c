/*
 * Durable commits of the store against a bare LMDB loop on the same disk.
 *
 *	store_batch_bench [DIR] [SECONDS]
 *
 * A store batch is what the relay writes for n envelopes of 4 KiB to one
 * recipient each: reservation and envelope, mailbox item, custody statement,
 * quotas, log leaf, one checkpoint. The bare loop puts n values of 4 KiB into
 * one table, in order of key. Both sync once per batch. The two take turns
 * for each size, so that they meet the same disk.
 */
#include <endian.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "proto/merkle.h"
#include "relay/store.h"

#define ENVELOPE_BYTES 4096u
#define OPS_EACH       8u /* operations per envelope, and one note */
#define BATCH_MAX      256u
#define DEVICES        1000u

static uint8_t envelope[ENVELOPE_BYTES], statement[500], note[300];

static __attribute__((noreturn)) void
die(const char *what, const char *why)
{
	fprintf(stderr, "store_batch_bench: %s: %s\n", what, why);
	exit(1);
}

static void
must(cs_err e, const char *what)
{
	if (e != CS_OK)
		die(what, cs_err_text(e));
}

static void
must_mdb(int rc, const char *what)
{
	if (rc != 0)
		die(what, mdb_strerror(rc));
}

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* -------------------------------------------------------------------- store */

struct bench {
	struct cs_store *s;
	struct cs_merkle_edge edge;
	uint64_t seq[DEVICES];
	uint32_t n; /* envelopes so far */
	struct cs_buf nodes[BATCH_MAX];
	struct cs_store_op ops[BATCH_MAX * OPS_EACH + 1];
};

static void
collect(void *ctx, uint8_t level, uint64_t index,
    const uint8_t hash[static CS_HASH_BYTES])
{
	(void)level;
	(void)index;
	cs_buf_put(ctx, hash, CS_HASH_BYTES);
}

static void
set_append(struct bench *b, struct cs_store_append *a, struct cs_buf *nodes)
{
	static const uint8_t data[CS_HASH_BYTES];
	uint8_t leaf[CS_HASH_BYTES];

	cs_buf_reset(nodes);
	a->log = CS_LOG_RECEIPTS;
	a->index = b->edge.size;
	a->data = CS_BYTES(data);
	cs_merkle_leaf(a->data, leaf);
	cs_merkle_append(&b->edge, leaf, collect, nodes);
	must(cs_buf_err(nodes), "nodes");
	a->nodes = cs_buf_view(nodes);
}

static void
set_usage(struct cs_store_op *op, enum cs_store_usage_kind kind, uint32_t id)
{
	*op = (struct cs_store_op){ .kind = CS_STORE_USAGE };
	op->usage.kind = kind;
	memcpy(op->usage.id, &id, sizeof(id));
	op->usage.delta = ENVELOPE_BYTES;
	op->usage.limit = UINT64_MAX;
}

/* The operations of one envelope; its id is random, as a client's is. */
static void
set_envelope(struct bench *b, struct cs_store_op *op, struct cs_buf *nodes)
{
	uint32_t device = b->n++ % DEVICES;
	uint8_t id[CS_ID_BYTES];

	randombytes_buf(id, sizeof(id));
	memset(op, 0, OPS_EACH * sizeof(*op));
	op[0].kind = CS_STORE_RESERVE;
	memcpy(op[0].reserve.envelope_id, id, CS_ID_BYTES);
	op[0].reserve.due_s = 1 + b->n;
	op[1].kind = CS_STORE_ACCEPT;
	memcpy(op[1].accept.envelope_id, id, CS_ID_BYTES);
	op[1].accept.due_s = 1000000 + b->n;
	op[1].accept.envelope = CS_BYTES(envelope);
	op[2].kind = CS_STORE_DELIVER;
	memcpy(op[2].deliver.device_id, &device, sizeof(device));
	op[2].deliver.expected_seq = b->seq[device]++;
	memcpy(op[2].deliver.item.envelope_id, id, CS_ID_BYTES);
	op[3].kind = CS_STORE_STATEMENT;
	memcpy(op[3].statement.envelope_id, id, CS_ID_BYTES);
	op[3].statement.bytes = CS_BYTES(statement);
	op[4].kind = CS_STORE_APPEND;
	set_append(b, &op[4].append, nodes);
	set_usage(&op[5], CS_STORE_USAGE_SENDER, device);
	set_usage(&op[6], CS_STORE_USAGE_MAILBOX, device);
	set_usage(&op[7], CS_STORE_USAGE_TOTAL, 0);
}

static double
store_rate(struct bench *b, unsigned batch, double seconds)
{
	double start = now_s(), end = start + seconds, t;
	uint32_t before = b->n;

	do {
		struct cs_store_op *last = &b->ops[batch * OPS_EACH];

		for (unsigned i = 0; i < batch; i++)
			set_envelope(b, &b->ops[i * OPS_EACH], &b->nodes[i]);
		*last = (struct cs_store_op){ .kind = CS_STORE_NOTE };
		last->note.log = CS_LOG_RECEIPTS;
		last->note.size = b->edge.size;
		last->note.note = CS_BYTES(note);
		must(cs_store_commit(b->s, b->ops, batch * OPS_EACH + 1, NULL),
		    "commit");
		t = now_s();
	} while (t < end);
	return (b->n - before) / (t - start);
}

/* --------------------------------------------------------------- bare LMDB */

static double
bare_rate(MDB_env *env, MDB_dbi dbi, uint64_t *n, unsigned batch,
    double seconds)
{
	double start = now_s(), end = start + seconds, t;
	uint64_t before = *n;

	do {
		MDB_txn *txn;

		must_mdb(mdb_txn_begin(env, NULL, 0, &txn), "begin");
		for (unsigned i = 0; i < batch; i++) {
			uint64_t key = htobe64(++*n);
			MDB_val k = { sizeof(key), &key };
			MDB_val v = { sizeof(envelope), envelope };

			must_mdb(mdb_put(txn, dbi, &k, &v, 0), "put");
		}
		must_mdb(mdb_txn_commit(txn), "commit");
		t = now_s();
	} while (t < end);
	return (double)(*n - before) / (t - start);
}

static MDB_env *
bare_open(const char *path, MDB_dbi *ret_dbi)
{
	MDB_env *env;
	MDB_txn *txn;

	mkdir(path, 0700);
	must_mdb(mdb_env_create(&env), "env");
	must_mdb(mdb_env_set_mapsize(env, (size_t)1 << 36), "map");
	must_mdb(mdb_env_open(env, path, MDB_NOTLS | MDB_NORDAHEAD, 0600),
	    path);
	must_mdb(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	must_mdb(mdb_dbi_open(txn, NULL, 0, ret_dbi), "table");
	must_mdb(mdb_txn_commit(txn), "commit");
	return env;
}

int
main(int argc, char **argv)
{
	static const unsigned sizes[] = { 1, 8, 64, 256 };
	static struct bench b;
	char dir[] = "/tmp/store_batch_bench-XXXXXX", path[4096];
	const char *base = argc > 1 ? argv[1] : mkdtemp(dir);
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
	struct cs_store_config config = { .path = path };
	struct cs_secret *key = NULL;
	uint64_t n = 0;
	MDB_env *env;
	MDB_dbi dbi;

	if (base == NULL || sodium_init() < 0)
		die("start", "no directory");
	must(cs_secret_random(CS_STORE_KEY_BYTES, &key), "key");
	config.key = key;
	snprintf(path, sizeof(path), "%s/store", base);
	must(cs_store_open(&config, &b.s), path);
	snprintf(path, sizeof(path), "%s/bare", base);
	env = bare_open(path, &dbi);

	printf("envelopes of 4 KiB made durable per second, in %s\n", base);
	printf("%7s %10s %10s %8s\n", "batch", "store", "bare LMDB", "share");
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		double bare = bare_rate(env, dbi, &n, sizes[i], seconds);
		double store = store_rate(&b, sizes[i], seconds);

		printf("%7u %10.0f %10.0f %7.0f%%\n", sizes[i], store, bare,
		    100 * store / bare);
	}
	cs_store_close(b.s);
	mdb_env_close(env);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		cs_buf_fini(&b.nodes[i]);
	cs_secret_free(key);
	return 0;
}
