#include "proto/forward.h"

#include <string.h>

#include "tests/test.h"

static const uint8_t key[32] = { 0x4b };

/* An original and what it borrows; a forward of it. */
struct draft {
	struct cs_manifest m; /* of the original */
	struct cs_buf addressees, devices, objects, bytes, out;
	struct cs_forward f;
};

static void
put_object(struct cs_buf *to, unsigned id, const char *name, uint8_t sha)
{
	struct cs_manifest_object row = { .name = cs_bytes_str(name),
		.media_type = cs_bytes_str("text/plain"),
		.bytes = 9,
		.key = key };

	row.object_id[0] = (uint8_t)id;
	memset(row.sha256, sha, sizeof(row.sha256));
	cs_manifest_put_object(to, &row);
}

static void
draft_init(struct draft *d, enum cs_content kind)
{
	const struct cs_manifest_addressee to = { cs_bytes_str("a@b"), 1 };
	struct cs_manifest_device device = { .key_kind = CS_KEY_EPOCH };

	*d = (struct draft){ 0 };
	cs_manifest_put_addressee(&d->addressees, &to);
	cs_manifest_put_device(&d->devices, &device);
	put_object(&d->objects, 1, "one", 1);
	put_object(&d->objects, 2, "two", 2);
	d->m.content_kind = kind;
	d->m.has_reply = kind == CS_CONTENT_REPLY;
	d->m.n_addressees = d->m.n_devices = 1;
	d->m.n_objects = 2;
	d->m.addressees = cs_buf_view(&d->addressees);
	d->m.devices = cs_buf_view(&d->devices);
	d->m.objects = cs_buf_view(&d->objects);
	d->m.content = cs_bytes_str("what the author wrote");
	CHECK_OK(cs_manifest_encode(&d->m, &d->bytes));
	memset(d->f.envelope_id, 0x11, CS_ID_BYTES);
	memset(d->f.e, 0x22, CS_HASH_BYTES);
	memset(d->f.signature, 0x33, CS_SIGNATURE_BYTES);
	d->f.m = cs_buf_view(&d->bytes);
	d->f.note = cs_bytes_str("see this, ü");
}

static void
draft_fini(struct draft *d)
{
	cs_buf_fini(&d->addressees);
	cs_buf_fini(&d->devices);
	cs_buf_fini(&d->objects);
	cs_buf_fini(&d->bytes);
	cs_buf_fini(&d->out);
}

TEST(forward_round_trip)
{
	static const enum cs_content kinds[] = { CS_CONTENT_CASE,
		CS_CONTENT_REPLY };
	struct cs_forward got;
	struct draft d;

	for (size_t i = 0; i < 2; i++) {
		draft_init(&d, kinds[i]);
		CHECK_OK(cs_forward_encode(&d.f, &d.out));
		CHECK_OK(cs_forward_decode(cs_buf_view(&d.out), &got));
		CHECK_BYTES(d.f.envelope_id, CS_ID_BYTES, got.envelope_id,
		    CS_ID_BYTES);
		CHECK_BYTES(d.f.e, CS_HASH_BYTES, got.e, CS_HASH_BYTES);
		CHECK_BYTES(d.f.signature, CS_SIGNATURE_BYTES, got.signature,
		    CS_SIGNATURE_BYTES);
		CHECK_VIEW(d.f.m, got.m);
		CHECK_VIEW(d.f.note, got.note);
		CHECK_VIEW(d.m.content, got.manifest.content);
		CHECK_NUM(kinds[i], got.manifest.content_kind);
		draft_fini(&d);
	}
}

TEST(forward_layout_is_that_of_the_page)
{
	struct draft d;
	struct cs_bytes v;

	draft_init(&d, CS_CONTENT_CASE);
	CHECK_OK(cs_forward_encode(&d.f, &d.out));
	v = cs_buf_view(&d.out);
	CHECK_NUM(1 + 16 + 32 + 64 + 4 + d.f.m.n + 4 + d.f.note.n, v.n);
	CHECK_NUM(1, v.p[0]);
	CHECK_NUM(0x11, v.p[1]);
	CHECK_NUM(0x22, v.p[17]);
	CHECK_NUM(0x33, v.p[49]);
	CHECK_NUM(d.f.m.n, (unsigned)v.p[115] << 8 | v.p[116]);
	CHECK_BYTES(d.f.m.p, d.f.m.n, v.p + 117, d.f.m.n);
	draft_fini(&d);
}

TEST(forward_refuses_what_is_no_forward)
{
	struct cs_forward got;
	struct draft d;
	uint8_t *p;
	size_t n;

	draft_init(&d, CS_CONTENT_CASE);
	CHECK_OK(cs_forward_encode(&d.f, &d.out));
	n = d.out.n;
	p = test_alloc(n + 1);
	memcpy(p, d.out.p, n);
	p[n] = 0;
	for (size_t i = 0; i < n; i++)
		CHECK_ERR(CS_MALFORMED,
		    cs_forward_decode((struct cs_bytes){ p, i }, &got));
	CHECK_ERR(CS_MALFORMED,
	    cs_forward_decode((struct cs_bytes){ p, n + 1 }, &got));
	p[0] = 2;
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_forward_decode((struct cs_bytes){ p, n }, &got));
	p[0] = 1;
	p[n - 1] = 0xff; /* of the note: not UTF-8 */
	CHECK_ERR(CS_MALFORMED,
	    cs_forward_decode((struct cs_bytes){ p, n }, &got));
	draft_fini(&d);
}

TEST(forward_is_of_a_case_file_only)
{
	static const enum cs_content kinds[] = { CS_CONTENT_RECEIPT,
		CS_CONTENT_FORWARD };
	struct draft d;

	for (size_t i = 0; i < 2; i++) {
		draft_init(&d, kinds[i]);
		CHECK_ERR(CS_UNSUPPORTED, cs_forward_encode(&d.f, &d.out));
		CHECK_NUM(0, d.out.n);
		draft_fini(&d);
	}
	draft_init(&d, CS_CONTENT_CASE);
	d.f.m.n--; /* no manifest */
	CHECK_ERR(CS_MALFORMED, cs_forward_encode(&d.f, &d.out));
	draft_fini(&d);
}

TEST(forward_limits_are_exact)
{
	struct draft d;
	uint8_t *note = test_alloc(CS_FORWARD_NOTE_BYTES + 1);

	memset(note, 'x', CS_FORWARD_NOTE_BYTES + 1);
	draft_init(&d, CS_CONTENT_CASE);
	d.f.note = (struct cs_bytes){ note, CS_FORWARD_NOTE_BYTES };
	CHECK_OK(cs_forward_encode(&d.f, &d.out));
	d.f.note.n++;
	CHECK_ERR(CS_TOO_LARGE, cs_forward_encode(&d.f, &d.out));
	d.f.note.n = 0;
	d.f.m.n = CS_LIMIT_BODY_BYTES + 1;
	CHECK_ERR(CS_TOO_LARGE, cs_forward_encode(&d.f, &d.out));
	draft_fini(&d);
}

/* Outside says how long the note is: the decoder bounds it too. */
TEST(forward_note_from_outside_is_bounded)
{
	uint8_t *note = test_alloc(CS_FORWARD_NOTE_BYTES + 1);
	struct cs_buf raw = { 0 };
	struct cs_forward got;
	struct draft d;

	memset(note, 'x', CS_FORWARD_NOTE_BYTES + 1);
	draft_init(&d, CS_CONTENT_CASE);
	CHECK_OK(cs_forward_encode(&d.f, &d.out));
	cs_buf_put(&raw, d.out.p, d.out.n - d.f.note.n - 4);
	cs_buf_put_u32(&raw, CS_FORWARD_NOTE_BYTES + 1);
	cs_buf_put(&raw, note, CS_FORWARD_NOTE_BYTES + 1);
	CHECK_ERR(CS_TOO_LARGE, cs_forward_decode(cs_buf_view(&raw), &got));
	cs_buf_fini(&raw);
	draft_fini(&d);
}

/* The message around it: two attachments of these names and hashes. */
static bool
carries(struct draft *d, const char *first, uint8_t first_sha,
    const char *second, uint8_t second_sha)
{
	struct cs_buf objects = { 0 };
	struct cs_manifest outer = { 0 };
	struct cs_forward got;
	bool is;

	put_object(&objects, 8, first, first_sha);
	outer.n_objects = 1;
	if (second) {
		put_object(&objects, 9, second, second_sha);
		outer.n_objects = 2;
	}
	outer.objects = cs_buf_view(&objects);
	CHECK_OK(cs_forward_decode(cs_buf_view(&d->out), &got));
	is = cs_forward_carries(&got, &outer);
	cs_buf_fini(&objects);
	return is;
}

TEST(forward_carries_just_what_the_author_signed)
{
	struct draft d;

	draft_init(&d, CS_CONTENT_CASE);
	CHECK_OK(cs_forward_encode(&d.f, &d.out));
	CHECK(carries(&d, "one", 1, "two", 2));
	CHECK(!carries(&d, "one", 1, "two", 3)); /* another content */
	CHECK(!carries(&d, "one", 1, "2", 2));   /* another name */
	CHECK(!carries(&d, "two", 2, "one", 1)); /* in another order */
	CHECK(!carries(&d, "one", 1, NULL, 0));  /* one is missing */
	draft_fini(&d);
}
