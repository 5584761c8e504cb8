#include "proto/manifest.h"

#include <string.h>

#include "tests/test.h"

#define AT_VERSION  0
#define AT_KIND     1
#define AT_FLAGS    2
#define AT_RECEIPTS 3
#define AT_REPLY    276

static const uint8_t key[32] = { 0x4b, [31] = 0x4c };

/* A manifest and the lists it borrows. */
struct draft {
	struct cs_manifest m;
	struct cs_buf addressees, devices, objects, parents, marks;
};

static struct cs_bytes
text(const char *s)
{
	return cs_bytes_str(s);
}

static void
add_addressee(struct draft *d, struct cs_bytes address, uint64_t entry)
{
	struct cs_manifest_addressee row = { address, entry };

	cs_manifest_put_addressee(&d->addressees, &row);
	d->m.addressees = cs_buf_view(&d->addressees);
	d->m.n_addressees++;
}

static void
add_device(struct draft *d, unsigned id, enum cs_key_kind kind)
{
	struct cs_manifest_device row = { .key_kind = kind,
		.epoch = 2800 + id };

	row.device_id[0] = (uint8_t)(id >> 8);
	row.device_id[1] = (uint8_t)id;
	memset(row.key_id, 0x21, sizeof(row.key_id));
	memset(row.member_id, 0x22, sizeof(row.member_id));
	cs_manifest_put_device(&d->devices, &row);
	d->m.devices = cs_buf_view(&d->devices);
	d->m.n_devices++;
}

static void
add_object(struct draft *d, unsigned id, struct cs_bytes name,
    struct cs_bytes type, uint64_t bytes)
{
	struct cs_manifest_object row = {
		.name = name, .media_type = type, .bytes = bytes, .key = key
	};

	row.object_id[0] = (uint8_t)(id >> 8);
	row.object_id[1] = (uint8_t)id;
	memset(row.sha256, 0x31, sizeof(row.sha256));
	cs_manifest_put_object(&d->objects, &row);
	d->m.objects = cs_buf_view(&d->objects);
	d->m.n_objects++;
}

static void
add_parent(struct draft *d, uint8_t id)
{
	struct cs_manifest_message row = { .envelope_id = { id } };

	memset(row.s, 0x51, sizeof(row.s));
	cs_manifest_put_parent(&d->parents, &row);
	d->m.parents = cs_buf_view(&d->parents);
	d->m.n_parents++;
}

static void
add_mark(struct draft *d, unsigned id, uint64_t seq)
{
	struct cs_manifest_mark row = { .seq = seq };

	row.device_id[0] = (uint8_t)(id >> 8);
	row.device_id[1] = (uint8_t)id;
	memset(row.head, 0x61, sizeof(row.head));
	cs_manifest_put_mark(&d->marks, &row);
	d->m.marks = cs_buf_view(&d->marks);
	d->m.n_marks++;
}

/* Scalars only. */
static void
start(struct draft *d)
{
	struct cs_manifest *m = &d->m;

	*d = (struct draft){ 0 };
	m->content_kind = CS_CONTENT_CASE;
	m->flags = CS_MANIFEST_STALE_OK;
	m->receipt_policy = 7;
	memset(m->sender_member, 1, sizeof(m->sender_member));
	memset(m->sender_device, 2, sizeof(m->sender_device));
	m->sender_entry = 3;
	memset(m->header_hash, 4, sizeof(m->header_hash));
	memset(m->thread_id, 5, sizeof(m->thread_id));
	m->created_s = 1700000000;
	m->answer_by_s = 1700003600;
	m->seen.size = 6;
	memset(m->seen.root, 7, sizeof(m->seen.root));
	m->seen.time_s = 5;
	memset(m->seen.incarnation, 8, sizeof(m->seen.incarnation));
	m->seen.counter = 3;
	memset(m->seen.signature, 7, sizeof(m->seen.signature));
	m->content = text("case");
}

/* Two addressees, two devices, two objects. */
static void
fill(struct draft *d)
{
	start(d);
	add_addressee(d, text("z.last@clinic"), 11);
	add_addressee(d, text("a@lab-2.org"), 12);
	add_device(d, 1, CS_KEY_EPOCH);
	add_device(d, 2, CS_KEY_FALLBACK);
	add_object(d, 1, text("scan.pdf"), text("application/pdf"), 9);
	add_object(d, 2, text(""), text(""), CS_LIMIT_OBJECT_BYTES);
}

static void
reply(struct draft *d)
{
	d->m.content_kind = CS_CONTENT_REPLY;
	d->m.has_reply = true;
	memset(d->m.reply.envelope_id, 0x41, 16);
	memset(d->m.reply.e, 0x42, 32);
	memset(d->m.reply.s, 0x43, 32);
	memset(d->m.reply.m_hash, 0x44, 64);
}

static void
drop(struct draft *d)
{
	cs_buf_fini(&d->addressees);
	cs_buf_fini(&d->devices);
	cs_buf_fini(&d->objects);
	cs_buf_fini(&d->parents);
	cs_buf_fini(&d->marks);
}

/* Bytes in memory of their exact size; ends the draft. */
static struct cs_bytes
encode(struct draft *d, uint8_t **ret_p)
{
	struct cs_buf out = { 0 };
	struct cs_bytes v;

	CHECK_OK(cs_manifest_encode(&d->m, &out));
	v.n = out.n;
	v.p = *ret_p = test_alloc(out.n);
	memcpy(*ret_p, out.p, out.n);
	cs_buf_fini(&out);
	drop(d);
	return v;
}

/* Expects that the draft is not written; ends it. */
static void
refuse(cs_err want, struct draft *d)
{
	struct cs_buf out = { 0 };

	cs_buf_put_u8(&out, 1);
	CHECK_ERR(want, cs_manifest_encode(&d->m, &out));
	CHECK_NUM(1, out.n);
	cs_buf_fini(&out);
	drop(d);
}

TEST(manifest_scalars_round_trip)
{
	struct draft d;
	struct cs_manifest got;
	uint8_t *p;
	struct cs_bytes in;

	fill(&d);
	reply(&d);
	in = encode(&d, &p);
	CHECK_OK(cs_manifest_decode(in, &got));
	CHECK_NUM(CS_CONTENT_REPLY, got.content_kind);
	CHECK_NUM(CS_MANIFEST_STALE_OK, got.flags);
	CHECK_NUM(7, got.receipt_policy);
	CHECK_BYTES(d.m.sender_member, 16, got.sender_member, 16);
	CHECK_BYTES(d.m.sender_device, 16, got.sender_device, 16);
	CHECK_NUM(3, got.sender_entry);
	CHECK_BYTES(d.m.header_hash, 64, got.header_hash, 64);
	CHECK_BYTES(d.m.thread_id, 16, got.thread_id, 16);
	CHECK_NUM(1700000000, got.created_s);
	CHECK_NUM(1700003600, got.answer_by_s);
	CHECK_NUM(6, got.seen.size);
	CHECK_BYTES(d.m.seen.root, 32, got.seen.root, 32);
	CHECK_NUM(5, got.seen.time_s);
	CHECK_BYTES(d.m.seen.incarnation, 16, got.seen.incarnation, 16);
	CHECK_NUM(3, got.seen.counter);
	CHECK_BYTES(d.m.seen.signature, 64, got.seen.signature, 64);
	CHECK(got.has_reply);
	CHECK_BYTES(d.m.reply.envelope_id, 16, got.reply.envelope_id, 16);
	CHECK_BYTES(d.m.reply.e, 32, got.reply.e, 32);
	CHECK_BYTES(d.m.reply.s, 32, got.reply.s, 32);
	CHECK_BYTES(d.m.reply.m_hash, 64, got.reply.m_hash, 64);
	CHECK_VIEW(text("case"), got.content);
}

TEST(manifest_rows_round_trip)
{
	struct draft d;
	struct cs_manifest got;
	struct cs_manifest_addressee to;
	struct cs_manifest_device device;
	struct cs_manifest_object object;
	uint8_t *p;
	size_t pos = 0;

	fill(&d);
	CHECK_OK(cs_manifest_decode(encode(&d, &p), &got));
	CHECK(got.n_addressees == 2 && got.n_devices == 2 &&
	      got.n_objects == 2);
	CHECK(cs_manifest_next_addressee(&got, &pos, &to));
	CHECK_VIEW(text("z.last@clinic"), to.address);
	CHECK_NUM(11, to.entry);
	CHECK(cs_manifest_next_addressee(&got, &pos, &to));
	CHECK_VIEW(text("a@lab-2.org"), to.address);
	CHECK(!cs_manifest_next_addressee(&got, &pos, &to));

	pos = 0;
	CHECK(cs_manifest_next_device(&got, &pos, &device));
	CHECK(device.device_id[1] == 1 && device.key_kind == CS_KEY_EPOCH);
	CHECK(cs_manifest_next_device(&got, &pos, &device));
	CHECK(device.device_id[1] == 2 && device.key_kind == CS_KEY_FALLBACK);
	CHECK(device.key_id[31] == 0x21 && device.member_id[15] == 0x22);
	CHECK_NUM(2802, device.epoch);
	CHECK(!cs_manifest_next_device(&got, &pos, &device));

	pos = 0;
	CHECK(cs_manifest_next_object(&got, &pos, &object));
	CHECK_NUM(1, object.object_id[1]);
	CHECK_VIEW(text("scan.pdf"), object.name);
	CHECK_VIEW(text("application/pdf"), object.media_type);
	CHECK_NUM(9, object.bytes);
	CHECK_BYTES(key, 32, object.key, 32);
	CHECK_NUM(0x31, object.sha256[31]);
	CHECK(cs_manifest_next_object(&got, &pos, &object));
	CHECK(object.name.n == 0 && object.media_type.n == 0);
	CHECK_NUM(CS_LIMIT_OBJECT_BYTES, object.bytes);
	CHECK(!cs_manifest_next_object(&got, &pos, &object));
}

TEST(manifest_layout_is_that_of_the_page)
{
	struct draft d;
	uint8_t *p;
	struct cs_bytes in;

	start(&d);
	add_addressee(&d, text("a@b"), 1);
	add_device(&d, 0x0102, CS_KEY_FALLBACK);
	in = encode(&d, &p);
	CHECK_NUM(AT_REPLY + 1 + 1 + 1 + 2 + 2 + 12 + 2 + 73 + 2 + 4 + 4, in.n);
	CHECK_VIEW(HEX("01 01 01 07 01"), ((struct cs_bytes){ p, 5 }));
	CHECK_VIEW(HEX("02 0000000000000003 04"),
	    ((struct cs_bytes){ p + 35, 10 }));
	CHECK_VIEW(HEX("05 000000006553f100 000000006553ff10 0000000000000006"
		       "07"),
	    ((struct cs_bytes){ p + 123, 26 }));
	CHECK_VIEW(HEX("07 0000000000000005 08"),
	    ((struct cs_bytes){ p + 179, 10 }));
	CHECK_VIEW(HEX("08 0000000000000003 07"),
	    ((struct cs_bytes){ p + 203, 10 }));
	CHECK_VIEW(HEX("07 00 00 00 0000 0001 03614062 0000000000000001 0001"
		       "0102"),
	    ((struct cs_bytes){ p + AT_REPLY - 1, 24 }));
	CHECK_VIEW(HEX("22 02 0000000000000bf2 0000 00000004 63617365"),
	    ((struct cs_bytes){ p + in.n - 20, 20 }));
}

TEST(manifest_without_objects_or_reply)
{
	struct draft d;
	struct cs_manifest got;
	struct cs_manifest_object object;
	uint8_t *p;
	size_t pos = 0;

	start(&d);
	add_addressee(&d, text("a@b"), 1);
	add_device(&d, 1, CS_KEY_EPOCH);
	d.m.content_kind = CS_CONTENT_RECEIPT;
	d.m.content = (struct cs_bytes){ 0 };
	CHECK_OK(cs_manifest_decode(encode(&d, &p), &got));
	CHECK(!got.has_reply && got.n_objects == 0 && got.content.n == 0);
	CHECK(!cs_manifest_next_object(&got, &pos, &object));
}

TEST(manifest_thread_round_trips)
{
	struct draft d;
	struct cs_manifest got;
	struct cs_manifest_message parent;
	struct cs_manifest_mark mark;
	uint8_t *p;
	struct cs_bytes in;
	size_t pos = 0;

	fill(&d);
	d.m.content_kind = CS_CONTENT_ADDENDUM;
	d.m.relation = CS_RELATION_COPY;
	memset(d.m.related.envelope_id, 0x45, 16);
	memset(d.m.related.s, 0x46, 32);
	add_parent(&d, 8);
	add_parent(&d, 9);
	add_mark(&d, 2, UINT64_MAX);
	in = encode(&d, &p);
	CHECK_VIEW(HEX("00 02 45"), ((struct cs_bytes){ p + AT_REPLY, 3 }));
	CHECK_VIEW(HEX("46 02 08"),
	    ((struct cs_bytes){ p + AT_REPLY + 1 + 48, 3 }));
	CHECK_VIEW(HEX("51 0001 0002"),
	    ((struct cs_bytes){ p + AT_REPLY + 2 + 3 * 48, 5 }));
	CHECK_OK(cs_manifest_decode(in, &got));
	CHECK_NUM(CS_RELATION_COPY, got.relation);
	CHECK_BYTES(d.m.related.envelope_id, 16, got.related.envelope_id, 16);
	CHECK_BYTES(d.m.related.s, 32, got.related.s, 32);
	CHECK(cs_manifest_next_parent(&got, &pos, &parent));
	CHECK(parent.envelope_id[0] == 8 && parent.s[31] == 0x51);
	CHECK(cs_manifest_next_parent(&got, &pos, &parent));
	CHECK_NUM(9, parent.envelope_id[0]);
	CHECK(!cs_manifest_next_parent(&got, &pos, &parent));
	pos = 0;
	CHECK(cs_manifest_next_mark(&got, &pos, &mark));
	CHECK(mark.device_id[1] == 2 && mark.seq == UINT64_MAX);
	CHECK_NUM(0x61, mark.head[31]);
	CHECK(!cs_manifest_next_mark(&got, &pos, &mark));
}

TEST(manifest_thread_is_checked)
{
	struct draft d;
	struct cs_manifest got;
	uint8_t *p;

	fill(&d);
	add_parent(&d, 2);
	add_parent(&d, 1);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_parent(&d, 1);
	add_parent(&d, 1);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	for (uint8_t i = 0; i < CS_LIMIT_PARENTS; i++)
		add_parent(&d, i);
	CHECK_OK(cs_manifest_decode(encode(&d, &p), &got));
	fill(&d);
	for (uint8_t i = 0; i <= CS_LIMIT_PARENTS; i++)
		add_parent(&d, i);
	refuse(CS_TOO_LARGE, &d);
	fill(&d);
	add_mark(&d, 3, 1); /* of no device in the list */
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_mark(&d, 0, 1);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_mark(&d, 2, 1);
	add_mark(&d, 1, 1);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_mark(&d, 1, 1);
	add_mark(&d, 1, 2);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_mark(&d, 1, 0);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	d.m.relation = CS_RELATION_WITHDRAWS + 1;
	refuse(CS_MALFORMED, &d);
}

/* Of the two only the message it is about has a place in a thread. */
TEST(manifest_of_a_receipt_has_no_thread)
{
	struct draft d;
	struct cs_manifest got;
	uint8_t *p;

	fill(&d);
	d.m.content_kind = CS_CONTENT_RECEIPT;
	add_mark(&d, 1, 1);
	CHECK_OK(cs_manifest_decode(encode(&d, &p), &got));
	CHECK_NUM(1, got.n_marks);
	fill(&d);
	d.m.content_kind = CS_CONTENT_RECEIPT;
	add_parent(&d, 1);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	d.m.content_kind = CS_CONTENT_RECEIPT;
	d.m.relation = CS_RELATION_SUPERSEDES;
	refuse(CS_MALFORMED, &d);
}

TEST(manifest_of_a_withdrawal_withdraws_and_no_other_does)
{
	struct draft d;
	struct cs_manifest got;
	uint8_t *p;

	fill(&d);
	d.m.content_kind = CS_CONTENT_WITHDRAWAL;
	d.m.relation = CS_RELATION_WITHDRAWS;
	CHECK_OK(cs_manifest_decode(encode(&d, &p), &got));
	CHECK_NUM(CS_RELATION_WITHDRAWS, got.relation);
	fill(&d);
	d.m.content_kind = CS_CONTENT_WITHDRAWAL;
	refuse(CS_MALFORMED, &d);
	fill(&d);
	d.m.content_kind = CS_CONTENT_WITHDRAWAL;
	d.m.relation = CS_RELATION_SUPERSEDES;
	refuse(CS_MALFORMED, &d);
	fill(&d);
	d.m.relation = CS_RELATION_WITHDRAWS;
	refuse(CS_MALFORMED, &d);
}

TEST(manifest_kinds_of_case_files)
{
	static const struct {
		enum cs_content kind;
		bool is_case;
	} rows[] = { { CS_CONTENT_CASE, true }, { CS_CONTENT_REPLY, true },
		{ CS_CONTENT_RECEIPT, false }, { CS_CONTENT_FORWARD, false },
		{ CS_CONTENT_ADDENDUM, true }, { CS_CONTENT_CLOSE, true },
		{ CS_CONTENT_REOPEN, true }, { CS_CONTENT_WITHDRAWAL, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(cs_manifest_is_case(rows[i].kind) == rows[i].is_case);
}

TEST(manifest_refuses_cuts_and_trailing_bytes)
{
	struct draft d;
	struct cs_manifest got = { .n_devices = 77 };
	uint8_t *p, *longer;
	struct cs_bytes in;

	fill(&d);
	reply(&d);
	d.m.relation = CS_RELATION_SUPERSEDES;
	add_parent(&d, 1);
	add_mark(&d, 1, 1);
	in = encode(&d, &p);
	for (size_t n = 0; n < in.n; n++)
		CHECK_ERR(CS_MALFORMED,
		    cs_manifest_decode((struct cs_bytes){ p, n }, &got));
	longer = test_alloc(in.n + 1);
	memcpy(longer, p, in.n);
	longer[in.n] = 0;
	CHECK_ERR(CS_MALFORMED,
	    cs_manifest_decode((struct cs_bytes){ longer, in.n + 1 }, &got));
	CHECK_NUM(77, got.n_devices);
}

TEST(manifest_refuses_spoilt_fields)
{
	static const struct {
		size_t at;
		uint8_t value;
		cs_err want;
	} cases[] = {
		{ AT_VERSION, 2, CS_UNSUPPORTED },
		{ AT_KIND, 0, CS_UNSUPPORTED }, { AT_KIND, 9, CS_UNSUPPORTED },
		{ AT_KIND, CS_CONTENT_REPLY, CS_MALFORMED }, /* to nothing */
		{ AT_FLAGS, 2, CS_MALFORMED }, { AT_RECEIPTS, 8, CS_MALFORMED },
		{ AT_REPLY, 2, CS_MALFORMED },
		{ AT_REPLY + 1, 4, CS_MALFORMED },   /* relation */
		{ AT_REPLY + 2, 17, CS_TOO_LARGE },  /* parents */
		{ AT_REPLY + 3, 8, CS_TOO_LARGE },   /* 2048 marks */
		{ AT_REPLY + 5, 8, CS_TOO_LARGE },   /* 2050 addressees */
		{ AT_REPLY + 8, 'A', CS_MALFORMED }, /* not an address */
		{ AT_REPLY + 7, 0, CS_MALFORMED },   /* none */
		{ AT_REPLY + 7, 200, CS_TOO_LARGE }, /* longer than one */
	};
	struct draft d;
	struct cs_manifest got = { .n_devices = 77 };
	uint8_t *p, was;
	struct cs_bytes in;

	fill(&d);
	in = encode(&d, &p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		was = p[cases[i].at];
		p[cases[i].at] = cases[i].value;
		CHECK_ERR(cases[i].want, cs_manifest_decode(in, &got));
		p[cases[i].at] = was;
	}
	CHECK_NUM(77, got.n_devices);
	CHECK_OK(cs_manifest_decode(in, &got));
}

TEST(manifest_rows_ascend)
{
	struct draft d;

	fill(&d);
	add_device(&d, 2, CS_KEY_EPOCH);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_device(&d, 1, CS_KEY_EPOCH);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_object(&d, 2, text("x"), text(""), 1);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_object(&d, 1, text("x"), text(""), 1);
	refuse(CS_MALFORMED, &d);
}

TEST(manifest_row_values_are_checked)
{
	struct draft d;

	fill(&d);
	add_device(&d, 3, 0);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_device(&d, 3, 3);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_object(&d, 3, HEX("c0af"), text(""), 1); /* not UTF-8 */
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_object(&d, 3, text(""), HEX("ff"), 1);
	refuse(CS_MALFORMED, &d);
	fill(&d);
	add_object(&d, 3, text(""), text(""), CS_LIMIT_OBJECT_BYTES + 1);
	refuse(CS_TOO_LARGE, &d);
	fill(&d);
	d.m.content_kind = CS_CONTENT_WITHDRAWAL + 1;
	refuse(CS_UNSUPPORTED, &d);
	start(&d);
	add_device(&d, 1, CS_KEY_EPOCH);
	refuse(CS_MALFORMED, &d); /* no addressee */
	start(&d);
	add_addressee(&d, text("a@b"), 1);
	refuse(CS_MALFORMED, &d); /* no device */
}

TEST(manifest_limits_are_exact)
{
	static char name[UINT16_MAX + 2];
	struct draft d;
	struct cs_manifest got;
	uint8_t *p;
	struct cs_bytes in;

	memset(name, 'n', sizeof(name));
	start(&d);
	for (unsigned i = 0; i < CS_LIMIT_RECIPIENTS; i++) {
		add_addressee(&d, text("a@b"), i);
		add_device(&d, i, CS_KEY_EPOCH);
	}
	for (unsigned i = 0; i < CS_LIMIT_OBJECTS; i++)
		add_object(&d, i, (struct cs_bytes){ (uint8_t *)name, 1024 },
		    (struct cs_bytes){ (uint8_t *)name, 255 }, 1);
	in = encode(&d, &p);
	CHECK_OK(cs_manifest_decode(in, &got));
	CHECK_NUM(CS_LIMIT_OBJECTS, got.n_objects);

	start(&d);
	add_addressee(&d, text("a@b"), 1);
	for (unsigned i = 0; i <= CS_LIMIT_RECIPIENTS; i++)
		add_device(&d, i, CS_KEY_EPOCH);
	refuse(CS_TOO_LARGE, &d);
	start(&d);
	add_device(&d, 1, CS_KEY_EPOCH);
	for (unsigned i = 0; i <= CS_LIMIT_RECIPIENTS; i++)
		add_addressee(&d, text("a@b"), i);
	refuse(CS_TOO_LARGE, &d);
	fill(&d);
	for (unsigned i = 2; i < CS_LIMIT_OBJECTS; i++)
		add_object(&d, i + 1, text(""), text(""), 1);
	add_object(&d, 5000, text(""), text(""), 1);
	refuse(CS_TOO_LARGE, &d);
	fill(&d);
	add_object(&d, 3, (struct cs_bytes){ (uint8_t *)name, 1025 }, text(""),
	    1);
	refuse(CS_TOO_LARGE, &d);

	/* Text that does not fit its length is noticed at once. */
	fill(&d);
	add_object(&d, 3, (struct cs_bytes){ (uint8_t *)name, UINT16_MAX + 1 },
	    text(""), 1);
	CHECK_ERR(CS_TOO_LARGE, cs_buf_err(&d.objects));
	drop(&d);
	fill(&d);
	add_addressee(&d, (struct cs_bytes){ (uint8_t *)name, 256 }, 1);
	CHECK_ERR(CS_TOO_LARGE, cs_buf_err(&d.addressees));
	drop(&d);
}

TEST(manifest_size_is_limited)
{
	struct draft d;
	struct cs_manifest got;
	uint8_t *big = test_alloc(CS_LIMIT_BODY_BYTES + 1), *p;
	struct cs_bytes in;

	memset(big, 0, CS_LIMIT_BODY_BYTES + 1);
	fill(&d);
	in = encode(&d, &p);
	fill(&d);
	/* "case" is 4 of the bytes in.n counts */
	d.m.content =
	    (struct cs_bytes){ big, CS_LIMIT_BODY_BYTES - (in.n - 4) };
	in = encode(&d, &p);
	CHECK_NUM(CS_LIMIT_BODY_BYTES, in.n);
	CHECK_OK(cs_manifest_decode(in, &got));
	fill(&d);
	d.m.content = (struct cs_bytes){ big, got.content.n + 1 };
	refuse(CS_TOO_LARGE, &d);
	fill(&d);
	d.m.content = (struct cs_bytes){ big, CS_LIMIT_BODY_BYTES + 1 };
	refuse(CS_TOO_LARGE, &d);
	CHECK_ERR(CS_TOO_LARGE,
	    cs_manifest_decode((struct cs_bytes){ big,
				   CS_LIMIT_BODY_BYTES + 1 },
		&got));
}
