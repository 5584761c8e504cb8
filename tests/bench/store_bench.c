/*
 * What the store costs beside LMDB alone, both durable: all that the relay
 * writes when it takes a small case into custody, in one commit, beside the
 * same envelope put under one key and committed; eight of them in one commit;
 * a segment of an attachment beside the same bytes.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "proto/merkle.h"
#include "proto/object.h"
#include "tests/support/bare.h"
#include "tests/support/bench.h"
#include "tests/support/store.h"
#include "tests/test.h"

#define GROUP           8
#define DEVICES         1000
#define OPS_EACH        8 /* for an envelope; and one note for a commit */
#define STATEMENT_BYTES 500
#define NOTE_BYTES      300
#define SEGMENTS        30 /* in a round: bounds the disk that this needs */
#define COMMITS         2000
#define MAP_BYTES       (UINT64_C(64) << 30)

static const uint8_t envelope[BENCH_MAIL_BYTES], statement[STATEMENT_BYTES],
    note[NOTE_BYTES];

/* --------------------------------------------------------------------- cases
 */

struct cases {
	struct test_store store;
	struct cs_merkle_edge edge; /* of the receipt log */
	uint64_t seq[DEVICES];
	uint32_t number;
	unsigned group;
	struct cs_buf nodes[GROUP];
};

static void
cases_init(struct cases *c, const char *name, unsigned group)
{
	*c = (struct cases){ .group = group };
	test_store_init(&c->store, name);
	c->store.config.map_bytes = MAP_BYTES;
	CHECK_OK(test_store_open(&c->store));
}

static void
cases_fini(struct cases *c)
{
	for (unsigned i = 0; i < GROUP; i++)
		cs_buf_fini(&c->nodes[i]);
	test_store_fini(&c->store);
}

static void
collect(void *ctx, uint8_t level, uint64_t index,
    const uint8_t hash[static CS_HASH_BYTES])
{
	(void)level;
	(void)index;
	cs_buf_put(ctx, hash, CS_HASH_BYTES);
}

static void
set_append(struct cases *c, struct cs_store_op *op, struct cs_buf *nodes)
{
	uint8_t leaf[CS_HASH_BYTES];

	op->kind = CS_STORE_APPEND;
	op->append.log = CS_LOG_RECEIPTS;
	op->append.index = c->edge.size;
	op->append.data = (struct cs_bytes){ statement, CS_HASH_BYTES };
	cs_buf_reset(nodes);
	cs_merkle_leaf(op->append.data, leaf);
	cs_merkle_append(&c->edge, leaf, collect, nodes);
	op->append.nodes = cs_buf_view(nodes);
}

static void
set_usage(struct cs_store_op *op, enum cs_store_usage_kind kind, uint32_t id)
{
	op->kind = CS_STORE_USAGE;
	op->usage.kind = kind;
	memcpy(op->usage.id, &id, sizeof(id));
	op->usage.delta = BENCH_MAIL_BYTES;
	op->usage.limit = UINT64_MAX;
}

/* One envelope to one device; its id is random, as a client's is. */
static void
set_case(struct cases *c, struct cs_store_op *op, struct cs_buf *nodes)
{
	uint32_t device = c->number++ % DEVICES;
	uint8_t id[CS_ID_BYTES];

	randombytes_buf(id, sizeof(id));
	memset(op, 0, OPS_EACH * sizeof(*op));
	op[0].kind = CS_STORE_RESERVE;
	memcpy(op[0].reserve.envelope_id, id, CS_ID_BYTES);
	op[0].reserve.due_s = 1 + c->number;
	op[1].kind = CS_STORE_ACCEPT;
	memcpy(op[1].accept.envelope_id, id, CS_ID_BYTES);
	op[1].accept.due_s = 1000000 + c->number;
	op[1].accept.envelope = CS_BYTES(envelope);
	op[2].kind = CS_STORE_DELIVER;
	memcpy(op[2].deliver.device_id, &device, sizeof(device));
	op[2].deliver.expected_seq = c->seq[device]++;
	memcpy(op[2].deliver.item.envelope_id, id, CS_ID_BYTES);
	op[3].kind = CS_STORE_STATEMENT;
	memcpy(op[3].statement.envelope_id, id, CS_ID_BYTES);
	op[3].statement.bytes = CS_BYTES(statement);
	set_append(c, &op[4], nodes);
	set_usage(&op[5], CS_STORE_USAGE_SENDER, device);
	set_usage(&op[6], CS_STORE_USAGE_MAILBOX, device);
	set_usage(&op[7], CS_STORE_USAGE_TOTAL, 0);
}

static void
cases_put(void *ctx)
{
	struct cases *c = ctx;
	struct cs_store_op ops[GROUP * OPS_EACH + 1];
	struct cs_store_op *last = &ops[c->group * OPS_EACH];

	for (unsigned i = 0; i < c->group; i++)
		set_case(c, &ops[i * OPS_EACH], &c->nodes[i]);
	*last = (struct cs_store_op){ .kind = CS_STORE_NOTE };
	last->note.log = CS_LOG_RECEIPTS;
	last->note.size = c->edge.size;
	last->note.note = CS_BYTES(note);
	CHECK_OK(cs_store_commit(c->store.s, ops, c->group * OPS_EACH + 1,
	    NULL));
}

/* ------------------------------------------------------------------ segments
 */

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

int
main(void)
{
	static struct cases one, many;
	struct segments segments;
	struct bare *bare[3];
	struct bench b[] = { { .once = bare_put, .most = COMMITS },
		{ .once = cases_put, .ctx = &one, .most = COMMITS },
		{ .once = bare_put, .most = COMMITS / GROUP },
		{ .once = cases_put, .ctx = &many, .most = COMMITS / GROUP },
		{ .once = bare_put, .most = SEGMENTS },
		{ .once = segments_put, .ctx = &segments, .most = SEGMENTS } };

	bench_must(sodium_init() >= 0, "libsodium");
	bare[0] = bare_open(test_path("bare-1"), 1, BENCH_MAIL_BYTES);
	bare[1] = bare_open(test_path("bare-8"), GROUP, BENCH_MAIL_BYTES);
	bare[2] = bare_open(test_path("bare-segment"), 1, CS_SEGMENT_BYTES);
	for (unsigned i = 0; i < 3; i++)
		b[2 * i].ctx = bare[i];
	cases_init(&one, "one", 1);
	cases_init(&many, "many", GROUP);
	segments_init(&segments, "segments");
	bench_run(b, 6);
	print_pair("lmdb_put", "store_case", &b[0], 1, "cases/s");
	print_pair("lmdb_put_by_8", "store_case_by_8", &b[2], GROUP, "cases/s");
	print_pair("lmdb_put_segment", "store_segment", &b[4],
	    CS_SEGMENT_BYTES / 1e6, "MB/s");
	for (unsigned i = 0; i < 3; i++)
		bare_close(bare[i]);
	cases_fini(&one);
	cases_fini(&many);
	test_store_fini(&segments.store);
	remove_all(test_dir());
	return 0;
}
