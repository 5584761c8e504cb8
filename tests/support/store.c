#include "tests/support/store.h"

#include <stdio.h>
#include <string.h>

#include "proto/merkle.h"
#include "proto/object.h"
#include "tests/test.h"

static void
count_event(void *ctx, enum cs_store_event event, const char *table,
    struct cs_bytes key)
{
	struct test_store *ts = ctx;

	(void)key;
	ts->events[event]++;
	snprintf(ts->last_table, sizeof(ts->last_table), "%s", table);
}

static void
count_hint(void *ctx, const uint8_t device_id[CS_ID_BYTES])
{
	struct test_store *ts = ctx;

	(void)device_id;
	ts->hints++;
}

void
test_store_init(struct test_store *ts, const char *name)
{
	static const uint8_t key[CS_STORE_KEY_BYTES] = "a key for the tags";
	struct cs_secret *secret = NULL;

	*ts = (struct test_store){ 0 };
	CHECK_OK(cs_secret_copy(CS_BYTES(key), &secret));
	ts->config = (struct cs_store_config){ .path = test_path(name),
		.key = secret,
		.map_bytes = TEST_STORE_MAP_BYTES,
		.report = count_event,
		.hint = count_hint,
		.ctx = ts };
}

cs_err
test_store_open(struct test_store *ts)
{
	return cs_store_open(&ts->config, &ts->s);
}

void
test_store_close(struct test_store *ts)
{
	cs_store_close(ts->s);
	ts->s = NULL;
}

void
test_store_fini(struct test_store *ts)
{
	/* The config promises not to change it; it is ours all the same. */
	struct cs_secret *key = (struct cs_secret *)(uintptr_t)ts->config.key;

	test_store_close(ts);
	cs_secret_free(key);
	ts->config.key = NULL;
}

void
test_store_start(struct test_store *ts, const char *name)
{
	test_store_init(ts, name);
	CHECK_OK(test_store_open(ts));
}

struct test_id
test_store_id(char kind, uint32_t n)
{
	struct test_id id = { { 0 } };

	id.b[0] = (uint8_t)kind;
	for (unsigned i = 0; i < 4; i++)
		id.b[15 - i] = (uint8_t)(n >> (8 * i));
	return id;
}

static struct cs_bytes
keep(struct cs_buf *b)
{
	uint8_t *p = test_alloc(b->n + 1);
	struct cs_bytes v = { p, b->n };

	CHECK_OK(cs_buf_err(b));
	if (b->n > 0)
		memcpy(p, b->p, b->n);
	cs_buf_fini(b);
	return v;
}

struct cs_bytes
test_store_objects(uint32_t number, ...)
{
	struct cs_buf b = { 0 };
	va_list ap;

	va_start(ap, number);
	for (; number != 0; number = va_arg(ap, uint32_t)) {
		cs_buf_put(&b, OBJECT(number), CS_ID_BYTES);
		cs_buf_put_u32(&b, va_arg(ap, uint32_t));
	}
	va_end(ap);
	return keep(&b);
}

struct cs_bytes
test_store_bytes(size_t n, uint32_t seed)
{
	uint8_t *p = test_alloc(n + 1);
	uint32_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		p[i] = (uint8_t)(x >> 24);
	}
	return (struct cs_bytes){ p, n };
}

static void
set_hash(uint8_t *p, uint32_t n)
{
	memset(p, 0, CS_HASH_BYTES);
	memcpy(p, &n, sizeof(n));
}

struct cs_store_op
test_store_reserve(uint32_t envelope, struct cs_bytes objects)
{
	struct cs_store_op op = { .kind = CS_STORE_RESERVE };

	memcpy(op.reserve.envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	memcpy(op.reserve.sender, DEVICE(0), CS_ID_BYTES);
	op.reserve.class = 1;
	op.reserve.due_s = 1000 + envelope;
	op.reserve.stored_bytes = 4096;
	op.reserve.objects = objects;
	op.reserve.terms = cs_bytes_str("terms");
	return op;
}

struct cs_store_op
test_store_segment(uint32_t envelope, uint32_t object, uint32_t index,
    struct cs_bytes bytes)
{
	struct cs_store_op op = { .kind = CS_STORE_SEGMENT };

	memcpy(op.segment.envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	memcpy(op.segment.object_id, OBJECT(object), CS_ID_BYTES);
	op.segment.index = index;
	op.segment.bytes = bytes;
	cs_object_leaf(bytes, op.segment.leaf);
	return op;
}

struct cs_store_op
test_store_accept(uint32_t envelope, struct cs_bytes content)
{
	struct cs_store_op op = { .kind = CS_STORE_ACCEPT };

	memcpy(op.accept.envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	set_hash(op.accept.e, envelope);
	op.accept.due_s = 1000 + envelope;
	op.accept.stored_bytes = content.n;
	op.accept.envelope = content;
	return op;
}

struct cs_store_op
test_store_release(uint32_t envelope, uint64_t due_s)
{
	struct cs_store_op op = { .kind = CS_STORE_RELEASE };

	memcpy(op.release.envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	op.release.due_s = due_s;
	return op;
}

struct cs_store_op
test_store_cancel(uint32_t envelope)
{
	struct cs_store_op op = { .kind = CS_STORE_CANCEL };

	memcpy(op.cancel.envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	return op;
}

struct cs_store_op
test_store_forget(uint32_t envelope)
{
	struct cs_store_op op = { .kind = CS_STORE_FORGET };

	memcpy(op.forget.envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	return op;
}

struct cs_store_op
test_store_deliver(uint32_t device, uint64_t expected_seq, uint32_t envelope)
{
	struct cs_store_op op = { .kind = CS_STORE_DELIVER };
	struct cs_frame_item *item = &op.deliver.item;

	memcpy(op.deliver.device_id, DEVICE(device), CS_ID_BYTES);
	op.deliver.expected_seq = expected_seq;
	set_hash(op.deliver.chain, (uint32_t)expected_seq + 1);
	memcpy(item->envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	set_hash(item->e, envelope);
	item->class = 2;
	item->stored_bytes = 4096 + envelope;
	item->received_at_s = 500 + envelope;
	item->expires_at_s = 1000 + envelope;
	return op;
}

struct cs_store_op
test_store_take(uint32_t device, uint64_t seq, uint32_t envelope)
{
	struct cs_store_op op = { .kind = CS_STORE_TAKE };

	memcpy(op.take.device_id, DEVICE(device), CS_ID_BYTES);
	op.take.seq = seq;
	memcpy(op.take.envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	return op;
}

struct cs_store_op
test_store_state(uint32_t envelope, uint32_t device, struct cs_bytes bytes)
{
	struct cs_store_op op = { .kind = CS_STORE_STATEMENT };

	memcpy(op.statement.envelope_id, ENVELOPE(envelope), CS_ID_BYTES);
	if (device != 0)
		memcpy(op.statement.device_id, DEVICE(device), CS_ID_BYTES);
	op.statement.bytes = bytes;
	return op;
}

struct cs_store_op
test_store_usage(enum cs_store_usage_kind kind, uint32_t id, int64_t delta,
    uint64_t limit)
{
	struct cs_store_op op = { .kind = CS_STORE_USAGE };

	op.usage.kind = kind;
	memcpy(op.usage.id, DEVICE(id), CS_ID_BYTES);
	op.usage.delta = delta;
	op.usage.limit = limit;
	return op;
}

static void
collect(void *ctx, uint8_t level, uint64_t index,
    const uint8_t hash[static CS_HASH_BYTES])
{
	(void)level;
	(void)index;
	cs_buf_put(ctx, hash, CS_HASH_BYTES);
}

struct cs_store_op
test_store_append(enum cs_log log, struct cs_merkle_edge *edge,
    struct cs_bytes data)
{
	struct cs_store_op op = { .kind = CS_STORE_APPEND };
	uint8_t leaf[CS_HASH_BYTES];
	struct cs_buf nodes = { 0 };

	op.append.log = log;
	op.append.index = edge->size;
	op.append.data = data;
	cs_merkle_leaf(data, leaf);
	cs_merkle_append(edge, leaf, collect, &nodes);
	op.append.nodes = keep(&nodes);
	return op;
}

cs_err
test_store_do(struct test_store *ts, struct cs_store_op op)
{
	return cs_store_commit(ts->s, &op, 1, NULL);
}

cs_err
test_store_mail(struct test_store *ts, uint32_t envelope, uint32_t device,
    uint64_t expected_seq, size_t bytes)
{
	const struct cs_store_op ops[] = {
		test_store_reserve(envelope, (struct cs_bytes){ NULL, 0 }),
		test_store_accept(envelope, test_store_bytes(bytes, envelope)),
		test_store_deliver(device, expected_seq, envelope),
	};

	return cs_store_commit(ts->s, ops, 3, NULL);
}

unsigned
test_store_sweep_all(struct test_store *ts, bool full)
{
	bool more = true;
	unsigned n = 0;

	while (more) {
		CHECK_OK(cs_store_sweep(ts->s, full, &more));
		full = false;
		n++;
		CHECK(n < 10000);
	}
	return n;
}
