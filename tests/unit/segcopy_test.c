#include "relay/segcopy.h"

#include <string.h>

#include "tests/support/clinic.h"
#include "tests/test.h"

/* What the relay has need not travel again; who may not have it learns
 * nothing. */

static struct test_clinic c;

static cs_err
say(const struct test_member *m, struct cs_buf *ask)
{
	return test_relay_say(&c.r, &m->who, ask);
}

static cs_err
copy(const struct test_member *m, const struct test_bundle *to,
    const struct test_bundle *from, uint32_t *ret_number)
{
	struct cs_frame_segment_copy v = { .count = 16 };
	struct cs_frame_segment_copy_reply reply = { 0 };
	struct cs_buf ask = { 0 };
	struct test_ask a;
	cs_err e;

	memcpy(v.envelope_id, to->id, CS_ID_BYTES);
	memcpy(v.object_id, to->object[0].object_id, CS_ID_BYTES);
	memcpy(v.source_envelope_id, from->id, CS_ID_BYTES);
	memcpy(v.source_object_id, from->object[0].object_id, CS_ID_BYTES);
	cs_frame_segment_copy_encode(&ask, 6, &v);
	e = test_relay_ask(&c.r, &m->who, &ask, &a);
	if (e == CS_OK)
		CHECK_OK(cs_frame_segment_copy_reply_decode(&a.w, &reply));
	test_relay_end(&a);
	*ret_number = reply.number;
	return e;
}

/* The same attachment in another envelope to eve. */
static void
forward(const struct test_bundle *from, struct test_bundle *ret)
{
	test_bundle_make(&c.r, ret, &c.eve, 1, 1);
	memcpy(&ret->object[0], &from->object[0], sizeof(ret->object[0]));
	memcpy(ret->last[0], from->last[0], sizeof(ret->last[0]));
	test_bundle_write(&c.r, ret);
}

static void
begin(const struct test_member *m, const struct test_bundle *b)
{
	struct cs_buf ask = { 0 };

	test_bundle_begin(b, &ask);
	CHECK_OK(say(m, &ask));
}

static cs_err
submit(const struct test_member *m, const struct test_bundle *b)
{
	struct cs_buf ask = { 0 };

	test_bundle_submit(b, &ask);
	return say(m, &ask);
}

TEST(a_recipient_forwards_without_sending_the_attachment_again)
{
	struct test_bundle b, f;
	struct cs_buf ask = { 0 };
	struct test_member to[2];
	uint32_t n;

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, &b, to, 2, 1);
	test_bundle_send(&c.r, &c.ann, &b);
	/* bob took it; the relay has it for eve still */
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
	forward(&b, &f);
	begin(&c.bob, &f);
	CHECK_ERR(CS_PARTIAL, submit(&c.bob, &f));
	CHECK_OK(copy(&c.bob, &f, &b, &n));
	CHECK_NUM(1, n);
	CHECK_OK(copy(&c.bob, &f, &b, &n)); /* said twice */
	CHECK_NUM(1, n);
	CHECK_NUM(1, test_relay_counter(&c.r, "segments_copied"));
	CHECK_OK(submit(&c.bob, &f));
	CHECK_ERR(CS_EXISTS, copy(&c.bob, &f, &b, &n));
	test_bundle_fini(&b);
	test_bundle_fini(&f);
	test_clinic_fini(&c);
}

TEST(the_sender_copies_its_own_and_a_stranger_learns_nothing)
{
	struct test_bundle b, absent, f, g;
	uint32_t n;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	test_bundle_make(&c.r, &absent, &c.bob, 1, 1);
	test_bundle_send(&c.r, &c.ann, &b);
	forward(&b, &f);
	begin(&c.ann, &f);
	CHECK_OK(copy(&c.ann, &f, &b, &n));
	CHECK_NUM(1, n);
	/* into another's upload; from what one was not sent; from nothing */
	CHECK_ERR(CS_NOT_FOUND, copy(&c.bob, &f, &b, &n));
	forward(&b, &g);
	begin(&c.eve, &g);
	CHECK_ERR(CS_NOT_FOUND, copy(&c.eve, &g, &b, &n));
	CHECK_ERR(CS_NOT_FOUND, copy(&c.eve, &g, &absent, &n));
	/* from an upload that is not accepted yet, one's own */
	CHECK_ERR(CS_NOT_FOUND, copy(&c.ann, &f, &f, &n));
	test_bundle_fini(&b);
	test_bundle_fini(&absent);
	test_bundle_fini(&f);
	test_bundle_fini(&g);
	test_clinic_fini(&c);
}

TEST(what_is_gone_cannot_be_copied)
{
	struct test_bundle b, f;
	struct cs_buf ask = { 0 };
	uint32_t n;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	test_bundle_send(&c.r, &c.ann, &b);
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
	forward(&b, &f);
	begin(&c.bob, &f);
	CHECK_ERR(CS_NOT_FOUND, copy(&c.bob, &f, &b, &n));
	test_bundle_fini(&b);
	test_bundle_fini(&f);
	test_clinic_fini(&c);
}
