#include "relay/quota.h"

#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "relay/dirlog.h"

/* Who pays: what a counter's id is made of. */
struct account {
	uint8_t member[CS_ID_BYTES];
	const uint8_t *device_id; /* of a mailbox; NULL: none */
};

static void
all(const struct account *a, uint8_t ret[static CS_ID_BYTES])
{
	(void)a;
	memset(ret, 0, CS_ID_BYTES);
}

static void
member(const struct account *a, uint8_t ret[static CS_ID_BYTES])
{
	memcpy(ret, a->member, CS_ID_BYTES);
}

static void
mailbox(const struct account *a, uint8_t ret[static CS_ID_BYTES])
{
	memcpy(ret, a->device_id, CS_ID_BYTES);
}

static void
pair(const struct account *a, uint8_t ret[static CS_ID_BYTES])
{
	uint8_t both[2 * CS_ID_BYTES];

	memcpy(both, a->member, CS_ID_BYTES);
	memcpy(both + CS_ID_BYTES, a->device_id, CS_ID_BYTES);
	crypto_generichash(ret, CS_ID_BYTES, both, sizeof(both), NULL, 0);
}

#define LIMIT(field) offsetof(struct cs_core, field)

static const struct counter {
	enum cs_store_usage_kind kind;
	void (*id)(const struct account *a, uint8_t ret[static CS_ID_BYTES]);
	size_t limit;
	const char *detail;
} counters[] = {
	{ CS_STORE_USAGE_TOTAL, all, LIMIT(quota_total_bytes),
	    "the relay is full" },
	{ CS_STORE_USAGE_SENDER, member, LIMIT(quota_sender_bytes),
	    "the sender has too much on the relay" },
	{ CS_STORE_USAGE_BEGUN, member, LIMIT(quota_share_bytes),
	    "the sender has begun too much that is not complete" },
	{ CS_STORE_USAGE_MAILBOX, mailbox, LIMIT(quota_mailbox_bytes),
	    "a recipient's mailbox is full" },
	{ CS_STORE_USAGE_SHARE, pair, LIMIT(quota_share_bytes),
	    "the sender has too much waiting in a recipient's mailbox" },
};

static const struct counter *
counter_of(enum cs_store_usage_kind kind)
{
	const struct counter *at = counters;

	while (at->kind != kind)
		at++;
	return at;
}

static uint64_t
limit_of(const struct cs_core *c, const struct counter *at)
{
	uint64_t v;

	memcpy(&v, (const uint8_t *)c + at->limit, sizeof(v));
	return v;
}

static cs_err
add(const struct cs_core *c, struct cs_batch *b, const struct account *a,
    enum cs_store_usage_kind kind, int64_t delta)
{
	const struct counter *at = counter_of(kind);
	struct cs_store_op op = { .kind = CS_STORE_USAGE,
		.usage = {
		    .kind = kind, .delta = delta, .limit = limit_of(c, at) } };

	at->id(a, op.usage.id);
	return cs_batch_add(b, &op);
}

static cs_err
open_account(struct cs_core *c, const uint8_t *sender, struct account *ret)
{
	ret->device_id = NULL;
	return cs_dirlog_member(c->dirlog, sender, ret->member);
}

static cs_err
add_mailbox(const struct cs_core *c, struct cs_batch *b, struct account *a,
    const uint8_t *device_id, int64_t delta)
{
	cs_err e;

	a->device_id = device_id;
	CS_TRY(add(c, b, a, CS_STORE_USAGE_MAILBOX, delta));
	CS_TRY(add(c, b, a, CS_STORE_USAGE_SHARE, delta));
out:
	return e;
}

static cs_err
add_all(struct cs_core *c, struct cs_batch *b, const uint8_t *sender,
    struct cs_bytes device_ids, int64_t delta)
{
	struct account a;
	cs_err e;

	CS_TRY(open_account(c, sender, &a));
	CS_TRY(add(c, b, &a, CS_STORE_USAGE_TOTAL, delta));
	CS_TRY(add(c, b, &a, CS_STORE_USAGE_SENDER, delta));
	CS_TRY(add(c, b, &a, CS_STORE_USAGE_BEGUN, delta));
	for (size_t i = 0; i < device_ids.n; i += CS_ID_BYTES)
		CS_TRY(add_mailbox(c, b, &a, device_ids.p + i, delta));
out:
	return e;
}

cs_err
cs_quota_begin(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES], struct cs_bytes device_ids,
    uint64_t bytes)
{
	return add_all(c, b, sender, device_ids, (int64_t)bytes);
}

cs_err
cs_quota_cancel(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES], struct cs_bytes device_ids,
    uint64_t bytes)
{
	return add_all(c, b, sender, device_ids, -(int64_t)bytes);
}

cs_err
cs_quota_complete(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES], uint64_t bytes)
{
	struct account a;
	cs_err e;

	CS_TRY(open_account(c, sender, &a));
	CS_TRY(add(c, b, &a, CS_STORE_USAGE_BEGUN, -(int64_t)bytes));
out:
	return e;
}

cs_err
cs_quota_taken(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], uint64_t bytes)
{
	struct account a;
	cs_err e;

	CS_TRY(open_account(c, sender, &a));
	CS_TRY(add_mailbox(c, b, &a, device_id, -(int64_t)bytes));
out:
	return e;
}

cs_err
cs_quota_free(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES], uint64_t bytes)
{
	struct account a;
	cs_err e;

	CS_TRY(open_account(c, sender, &a));
	CS_TRY(add(c, b, &a, CS_STORE_USAGE_TOTAL, -(int64_t)bytes));
	CS_TRY(add(c, b, &a, CS_STORE_USAGE_SENDER, -(int64_t)bytes));
out:
	return e;
}

/* ------------------------------------------------------------------- check */

static cs_err
check(struct cs_core *c, const struct account *a, enum cs_store_usage_kind kind,
    uint64_t bytes, const char **ret_detail)
{
	const struct counter *at = counter_of(kind);
	const uint64_t limit = limit_of(c, at);
	uint8_t id[CS_ID_BYTES];
	uint64_t used;
	cs_err e;

	at->id(a, id);
	CS_TRY(cs_store_usage(c->store, kind, id, &used));
	if (used > limit || bytes > limit - used) {
		*ret_detail = at->detail;
		e = CS_QUOTA;
	}
out:
	return e;
}

cs_err
cs_quota_check(struct cs_core *c, const uint8_t sender[static CS_ID_BYTES],
    struct cs_bytes device_ids, uint64_t bytes, const char **ret_detail)
{
	struct account a;
	cs_err e;

	CS_TRY(open_account(c, sender, &a));
	CS_TRY(check(c, &a, CS_STORE_USAGE_TOTAL, bytes, ret_detail));
	CS_TRY(check(c, &a, CS_STORE_USAGE_SENDER, bytes, ret_detail));
	CS_TRY(check(c, &a, CS_STORE_USAGE_BEGUN, bytes, ret_detail));
	for (size_t i = 0; i < device_ids.n; i += CS_ID_BYTES) {
		a.device_id = device_ids.p + i;
		CS_TRY(check(c, &a, CS_STORE_USAGE_SHARE, bytes, ret_detail));
		CS_TRY(check(c, &a, CS_STORE_USAGE_MAILBOX, bytes, ret_detail));
	}
out:
	return e;
}
