#include "relay/epochkeys.h"

#include <string.h>

#include "keys/epoch.h"
#include "tests/support/auditlog.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

static struct test_clinic c;
static struct test_audit audit;

struct batch {
	uint64_t first;
	struct cs_buf keys;
	struct cs_entry_epoch_batch entry;
};

static void
make(struct cs_epoch *ep, uint64_t first, uint8_t count, struct batch *b)
{
	*b = (struct batch){ .first = first,
		.entry = { .first_epoch = first, .count = count } };
	CHECK_OK(cs_epoch_batch(ep, first, count, &b->keys, b->entry.root));
}

static cs_err
log_batch(const struct batch *b, uint64_t prev, uint64_t *ret_index)
{
	struct cs_frame_entries v = { .n = 1 };
	struct cs_frame_entries_reply answer;
	struct cs_buf entry = { 0 }, ask = { 0 };
	struct test_ask a;
	cs_err e;

	CHECK_OK(cs_enrol_batch(c.ann.kr, &b->entry, prev, c.r.now_ms / 1000,
	    &entry));
	v.entry[0] = cs_buf_view(&entry);
	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &v);
	e = test_relay_ask(&c.r, &c.ann.who, &ask, &a);
	if (e == CS_OK) {
		CHECK_OK(cs_frame_entries_reply_decode(&a.w, &answer));
		*ret_index = answer.first;
	}
	test_relay_end(&a);
	cs_buf_fini(&entry);
	return e;
}

static cs_err
put(const struct test_member *m, const struct batch *b)
{
	struct cs_frame_epoch_put v = { b->first, cs_buf_view(&b->keys) };
	struct cs_buf ask = { 0 };

	cs_frame_epoch_put_encode(&ask, 1, &v);
	return test_relay_say(&c.r, &m->who, &ask);
}

/* What is served for ann and for bob, who has none, at an epoch. */
static uint64_t
get(uint64_t epoch, const struct batch *b, unsigned n_batches)
{
	const bool ann_first =
	    memcmp(c.ann.who.id, c.bob.who.id, CS_ID_BYTES) < 0;
	uint8_t ids[2 * CS_ID_BYTES], key_id[CS_HASH_BYTES];
	struct cs_frame_epoch_get v = { epoch, CS_BYTES(ids) };
	struct cs_frame_epoch_get_reply answer;
	struct cs_frame_epoch_found row, none;
	struct cs_buf ask = { 0 };
	struct test_ask a;
	unsigned i;

	memcpy(ids + (ann_first ? 0 : CS_ID_BYTES), c.ann.who.id, CS_ID_BYTES);
	memcpy(ids + (ann_first ? CS_ID_BYTES : 0), c.bob.who.id, CS_ID_BYTES);
	cs_frame_epoch_get_encode(&ask, 1, &v);
	CHECK_OK(test_relay_ask(&c.r, &c.eve.who, &ask, &a));
	CHECK_OK(cs_frame_epoch_get_reply_decode(&a.w, &answer));
	CHECK_NUM(2, answer.n);
	CHECK_OK(cs_frame_next_epoch_found(&answer.found,
	    ann_first ? &row : &none));
	CHECK_OK(cs_frame_next_epoch_found(&answer.found,
	    ann_first ? &none : &row));
	CHECK_NUM(0, none.key.n);
	for (i = 0; row.key.n > 0 && i < n_batches; i++)
		if (b[i].first == row.first_epoch)
			CHECK_OK(cs_epoch_check_key(c.ann.who.id, row.epoch,
			    row.first_epoch, row.count, b[i].entry.root,
			    row.key.p, row.proof, key_id));
	test_relay_end(&a);
	return row.epoch;
}

TEST(keys_are_taken_only_as_logged_and_served_with_their_path)
{
	const struct cs_audit_record *last;
	uint64_t now, index = 0;
	struct cs_epoch *ep = NULL;
	struct batch b[2];

	test_clinic_init(&c);
	now = cs_epoch_of(c.r.now_ms / 1000);
	CHECK_OK(cs_epoch_new(c.ann.who.id, c.r.now_ms / 1000, &ep));
	make(ep, now, 5, &b[0]);
	CHECK_NUM(0, get(now, b, 0));
	CHECK_ERR(CS_NOT_FOUND, put(&c.ann, &b[0])); /* not logged */
	CHECK_OK(log_batch(&b[0], CS_ENTRY_NO_PREV, &index));
	CHECK_NUM(0, get(now, b, 0));
	CHECK_ERR(CS_NOT_FOUND, put(&c.bob, &b[0])); /* not his */
	b[0].keys.p[700] ^= 1;
	CHECK_ERR(CS_CLASH, put(&c.ann, &b[0]));
	b[0].keys.p[700] ^= 1;
	b[0].keys.n -= CS_KEM_PUBLIC_BYTES; /* not all of them */
	CHECK_ERR(CS_CLASH, put(&c.ann, &b[0]));
	b[0].keys.n += CS_KEM_PUBLIC_BYTES;
	CHECK_OK(put(&c.ann, &b[0]));
	CHECK_OK(put(&c.ann, &b[0])); /* repeated */
	for (unsigned i = 0; i < 5; i++)
		CHECK_NUM(now + i, get(now + i, b, 1));
	CHECK_NUM(now + 4, get(now + 5, b, 1)); /* the last one there is */
	CHECK_NUM(now + 4, get(now + 500, b, 1));
	CHECK_NUM(0, get(now - 1, b, 1));

	make(ep, now + 5, 26, &b[1]);
	CHECK_OK(log_batch(&b[1], index, &index));
	CHECK_NUM(now + 4, get(now + 6, b, 2)); /* logged, not put yet */
	CHECK_OK(put(&c.ann, &b[1]));
	CHECK_NUM(now + 6, get(now + 6, b, 2));
	CHECK_NUM(now + 2, get(now + 2, b, 2));
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	CHECK_NUM(now + 30, get(now + 30, b, 2));
	CHECK_OK(put(&c.ann, &b[0]));
	/* each batch once, where the log has the entry and where the keys */
	test_audit_all(&c.r, &audit);
	CHECK_NUM(2, test_audit_count(&audit, CS_AUDIT_EPOCH_KEYS, &last));
	CHECK_NUM(CS_AUDIT_WHO_DEVICE, last->who);
	CHECK_BYTES(c.ann.who.id, CS_ID_BYTES, last->object, CS_ID_BYTES);
	CHECK_NUM(now + 5, last->a);
	CHECK_NUM(26, last->b);
	CHECK(test_audit_count(&audit, CS_AUDIT_KEY, &last) >= 2);
	CHECK_NUM(CS_ENTRY_EPOCH_BATCH, last->b);
	CHECK_NUM(index, last->a);
	test_audit_fini(&audit);
	cs_buf_fini(&b[0].keys);
	cs_buf_fini(&b[1].keys);
	cs_epoch_free(ep);
	test_clinic_fini(&c);
}
