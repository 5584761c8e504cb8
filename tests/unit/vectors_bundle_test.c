/*
 * Envelopes of the second implementation (tests/vectors, written from
 * docs/protocol.md alone), opened by each of their recipients.
 */
#include <string.h>

#include "keys/author.h"
#include "keys/open.h"
#include "proto/casefile.h"
#include "proto/forward.h"
#include "proto/object.h"
#include "proto/statement.h"
#include "tests/support/vectors.h"
#include "tests/test.h"

static const json_t *
bundles(void)
{
	return vectors_file("bundles.json");
}

/* The device of files.json with this id, as hexadecimal text. */
static const json_t *
device_file(const char *id)
{
	const json_t *devices =
	    vectors_get(vectors_file("files.json"), "devices");

	for (size_t i = 0; i < json_array_size(devices); i++)
		if (strcmp(test_json_str(vectors_row(devices, i), "id"), id) ==
		    0)
			return vectors_row(devices, i);
	CHECK(!"a device of this id");
	return NULL;
}

/* ------------------------------------------------------------------ fields */

static void
same_header(const json_t *want, const struct cs_envelope *env)
{
	const json_t *h = vectors_get(want, "header");
	const json_t *recipients = vectors_get(want, "recipients");
	const json_t *objects = vectors_get(want, "objects");

	VECTORS_SAME(h, "network_id", env->network_id);
	VECTORS_SAME(h, "envelope_id", env->envelope_id);
	vectors_same_num(h, "created", env->created_hour_s);
	vectors_same_num(h, "expires", env->expires_at_s);
	vectors_same_num(h, "class", env->class);
	VECTORS_SAME(want, "body_nonce", env->body_nonce);
	CHECK_NUM(json_array_size(recipients), env->n_recipients);
	for (uint16_t i = 0; i < env->n_recipients; i++) {
		struct cs_envelope_recipient r;

		cs_envelope_recipient(env, i, &r);
		VECTORS_SAME(vectors_row(recipients, i), "device_id",
		    r.device_id);
		VECTORS_SAME(vectors_row(recipients, i), "key_id", r.key_id);
	}
	CHECK_NUM(json_array_size(objects), env->n_objects);
	for (uint16_t i = 0; i < env->n_objects; i++) {
		struct cs_envelope_object o;

		cs_envelope_object(env, i, &o);
		VECTORS_SAME(vectors_row(objects, i), "object_id", o.object_id);
		vectors_same_num(vectors_row(objects, i), "segments",
		    o.segments);
		VECTORS_SAME(vectors_row(objects, i), "object_root", o.root);
	}
}

static void
same_reply(const json_t *want, const struct cs_manifest *m)
{
	CHECK(json_is_null(want) == !m->has_reply);
	if (!m->has_reply)
		return;
	VECTORS_SAME(want, "envelope_id", m->reply.envelope_id);
	VECTORS_SAME(want, "e", m->reply.e);
	VECTORS_SAME(want, "s", m->reply.s);
	VECTORS_SAME(want, "manifest_hash", m->reply.m_hash);
}

static void
same_thread(const json_t *want, const struct cs_manifest *m)
{
	const json_t *related = vectors_get(want, "related");
	const json_t *parents = vectors_get(want, "parents");
	const json_t *marks = vectors_get(want, "marks");
	struct cs_manifest_message parent;
	struct cs_manifest_mark mark;
	size_t pos = 0, i = 0;

	CHECK(json_is_null(related) == (m->relation == CS_RELATION_NONE));
	if (!json_is_null(related)) {
		vectors_same_num(related, "relation", m->relation);
		VECTORS_SAME(related, "envelope_id", m->related.envelope_id);
		VECTORS_SAME(related, "s", m->related.s);
	}
	for (; cs_manifest_next_parent(m, &pos, &parent); i++) {
		VECTORS_SAME(vectors_row(parents, i), "envelope_id",
		    parent.envelope_id);
		VECTORS_SAME(vectors_row(parents, i), "s", parent.s);
	}
	CHECK_NUM(json_array_size(parents), i);
	pos = i = 0;
	for (; cs_manifest_next_mark(m, &pos, &mark); i++) {
		VECTORS_SAME(vectors_row(marks, i), "device_id",
		    mark.device_id);
		vectors_same_num(vectors_row(marks, i), "seq", mark.seq);
		VECTORS_SAME(vectors_row(marks, i), "head", mark.head);
	}
	CHECK_NUM(json_array_size(marks), i);
}

static void
same_scalars(const json_t *want, const struct cs_manifest *m)
{
	vectors_same_num(want, "content_kind", m->content_kind);
	vectors_same_num(want, "flags", m->flags);
	vectors_same_num(want, "receipt_policy", m->receipt_policy);
	VECTORS_SAME(want, "sender_member", m->sender_member);
	VECTORS_SAME(want, "sender_device", m->sender_device);
	vectors_same_num(want, "sender_entry", m->sender_entry);
	VECTORS_SAME(want, "header_hash", m->header_hash);
	VECTORS_SAME(want, "thread_id", m->thread_id);
	vectors_same_num(want, "created", m->created_s);
	vectors_same_num(want, "answer_by", m->answer_by_s);
	vectors_same_seen(want, &m->seen);
	same_reply(vectors_get(want, "reply"), m);
	same_thread(want, m);
	vectors_same(want, "content", m->content.p, m->content.n);
}

static void
same_addressees(const json_t *want, const struct cs_manifest *m)
{
	struct cs_manifest_addressee a;
	size_t pos = 0, i = 0;

	for (; cs_manifest_next_addressee(m, &pos, &a); i++) {
		vectors_same_text(vectors_row(want, i), "address", a.address);
		vectors_same_num(vectors_row(want, i), "entry", a.entry);
	}
	CHECK_NUM(json_array_size(want), i);
}

static void
same_devices(const json_t *want, const struct cs_manifest *m)
{
	struct cs_manifest_device d;
	size_t pos = 0, i = 0;

	for (; cs_manifest_next_device(m, &pos, &d); i++) {
		const json_t *r = vectors_row(want, i);

		VECTORS_SAME(r, "device_id", d.device_id);
		VECTORS_SAME(r, "key_id", d.key_id);
		VECTORS_SAME(r, "member_id", d.member_id);
		vectors_same_num(r, "key_kind", d.key_kind);
		vectors_same_num(r, "epoch", d.epoch);
	}
	CHECK_NUM(json_array_size(want), i);
}

static void
same_objects(const json_t *want, const struct cs_manifest *m)
{
	struct cs_manifest_object o;
	size_t pos = 0, i = 0;

	for (; cs_manifest_next_object(m, &pos, &o); i++) {
		const json_t *r = vectors_row(want, i);

		VECTORS_SAME(r, "object_id", o.object_id);
		vectors_same_text(r, "name", o.name);
		vectors_same_text(r, "media_type", o.media_type);
		vectors_same_num(r, "bytes", o.bytes);
		vectors_same(r, "object_key", o.key, 32);
		VECTORS_SAME(r, "sha256", o.sha256);
	}
	CHECK_NUM(json_array_size(want), i);
}

static void
same_opened(const json_t *want, const struct cs_open *o)
{
	const struct cs_manifest *m = cs_open_manifest(o);
	struct cs_bytes bytes = cs_open_manifest_bytes(o);
	struct cs_buf again = { 0 };

	same_header(want, cs_open_header(o));
	same_scalars(vectors_get(want, "manifest"), m);
	same_addressees(vectors_get(vectors_get(want, "manifest"),
			    "addressees"),
	    m);
	same_devices(vectors_get(want, "recipients"), m);
	same_objects(vectors_get(want, "objects"), m);
	vectors_same(want, "e", cs_open_e(o), CS_HASH_BYTES);
	vectors_same(want, "s", cs_open_s(o), CS_HASH_BYTES);
	vectors_same(want, "sig", cs_open_signature(o), CS_SIGNATURE_BYTES);
	vectors_same(want, "manifest_hash", cs_open_m_hash(o),
	    CS_HASH512_BYTES);
	vectors_same(want, "M", bytes.p, bytes.n);
	CHECK_OK(cs_manifest_encode(m, &again));
	CHECK_VIEW(bytes, cs_buf_view(&again));
	cs_buf_fini(&again);
}

/* Opens a bundle as recipient i of it. */
static struct cs_open *
open_as(const json_t *want, size_t i, const struct cs_directory *dir,
    struct vectors_device *d)
{
	const json_t *to = vectors_row(vectors_get(want, "recipients"), i);
	struct cs_open *o = NULL;

	vectors_device_init(d, device_file(test_json_str(to, "device_id")));
	CHECK_OK(cs_open_envelope(test_json_hex(want, "envelope"),
	    vectors_network_id().p, d->id, d->epochs, dir, &o, NULL));
	return o;
}

TEST(bundles_open_for_each_recipient)
{
	struct cs_directory *dir = vectors_mirror();

	CHECK(json_array_size(bundles()) == 6);
	for (size_t b = 0; b < json_array_size(bundles()); b++) {
		const json_t *want = vectors_row(bundles(), b);
		size_t n = json_array_size(vectors_get(want, "recipients"));

		for (size_t i = 0; i < n; i++) {
			struct vectors_device d;
			struct cs_open *o = open_as(want, i, dir, &d);

			same_opened(want, o);
			cs_open_free(o);
			vectors_device_fini(&d);
		}
	}
	cs_directory_free(dir);
}

/* ----------------------------------------------------------------- objects */

/* Segment i as it was made; its leaf entry proves that it is the same. */
static void
make_segment(const json_t *object, uint32_t i, struct cs_buf *ret)
{
	const json_t *nonces = vectors_get(object, "nonces");
	const char *leaf =
	    json_string_value(vectors_row(vectors_get(object, "leaf_entries"),
		i));
	uint64_t bytes = vectors_num(object, "bytes");
	uint32_t plain = cs_object_segment_plain(bytes, i);
	size_t padded = cs_object_segment_stored(bytes, i) -
			CS_SEGMENT_NONCE_BYTES - CS_SEGMENT_TAG_BYTES;
	uint8_t *p = test_alloc(padded);
	uint8_t entry[CS_HASH_BYTES];
	struct cs_buf ad = { 0 };

	memset(p, 0, padded);
	vectors_pattern((uint64_t)i * CS_SEGMENT_PLAIN_BYTES, p, plain);
	cs_buf_put_bytes(&ad, test_json_hex(object, "object_id"));
	cs_buf_put_u32(&ad, i);
	cs_buf_put_u8(&ad, i + 1 == cs_object_segments(bytes));
	vectors_segment(test_json_hex(object, "object_key"),
	    HEX(json_string_value(vectors_row(nonces, i))), cs_buf_view(&ad),
	    (struct cs_bytes){ p, padded }, ret);
	cs_object_leaf(cs_buf_view(ret), entry);
	CHECK_VIEW(HEX(leaf), CS_BYTES(entry));
	cs_buf_fini(&ad);
}

static void
check_object(const json_t *object)
{
	struct cs_bytes key = test_json_hex(object, "object_key");
	struct cs_bytes id = test_json_hex(object, "object_id");
	uint64_t bytes = vectors_num(object, "bytes");
	uint32_t n = cs_object_segments(bytes);
	uint8_t root[CS_HASH_BYTES];
	uint8_t *leaves = test_alloc(n * CS_HASH_BYTES);
	uint8_t *want = test_alloc(bytes + 1);
	struct cs_buf stored = { 0 }, plain = { 0 };

	vectors_same_num(object, "segments", n);
	for (uint32_t i = 0; i < n; i++) {
		make_segment(object, i, &stored);
		cs_object_leaf(cs_buf_view(&stored),
		    leaves + i * (size_t)CS_HASH_BYTES);
		CHECK_OK(cs_open_segment(key.p, id.p, bytes, i,
		    cs_buf_view(&stored), &plain));
		cs_buf_reset(&stored);
	}
	vectors_pattern(0, want, bytes);
	CHECK_BYTES(want, bytes, plain.p, plain.n);
	cs_object_root(leaves, n, root);
	VECTORS_SAME(object, "object_root", root);
	cs_buf_fini(&stored);
	cs_buf_fini(&plain);
}

TEST(objects_open_segment_by_segment)
{
	const json_t *objects =
	    vectors_get(vectors_named(bundles(), "case"), "objects");

	CHECK_NUM(3, json_array_size(objects));
	for (size_t i = 0; i < json_array_size(objects); i++)
		check_object(vectors_row(objects, i));
}

/* ----------------------------------------------------------------- content */

static void
same_instances(const json_t *want, struct cs_casefile_series *se)
{
	struct cs_casefile_instance in;
	size_t i = 0;

	for (; cs_casefile_next_instance(se, &in); i++) {
		const json_t *f = vectors_row(want, i);

		vectors_same_text(f, "class", in.sop_class);
		vectors_same_text(f, "uid", in.sop_instance);
		VECTORS_SAME(f, "object", in.object_id);
		VECTORS_SAME(f, "sha256", in.sha256);
		CHECK_NUM((uint64_t)json_integer_value(json_object_get(f,
			      "bytes")),
		    in.bytes);
	}
	CHECK_NUM(json_array_size(want), i);
}

static void
same_patient(const json_t *f, const struct cs_casefile_patient *p)
{
	vectors_same_text(f, "id", p->id);
	vectors_same_text(f, "id_issuer", p->id_issuer);
	vectors_same_text(f, "name", p->name);
	vectors_same_text(f, "birth_date", p->birth_date);
	vectors_same_text(f, "sex", p->sex);
}

static void
same_study(const json_t *f, struct cs_casefile_study *st)
{
	const json_t *list = vectors_get(f, "series");
	struct cs_casefile_series se;
	struct cs_casefile_key key;
	size_t i = 0;

	vectors_same_text(f, "uid", st->uid);
	vectors_same_text(f, "date", st->date);
	vectors_same_text(f, "description", st->description);
	vectors_same_text(f, "accession", st->accession);
	vectors_same_text(f, "accession_issuer", st->accession_issuer);
	vectors_same_text(f, "retrieve", st->retrieve);
	VECTORS_SAME(f, "root", st->root);
	same_patient(vectors_get(f, "patient"), &st->patient);
	for (; cs_casefile_next_key(st, &key); i++) {
		const json_t *row =
		    vectors_row(vectors_get(f, "key_images"), i);

		vectors_same_text(row, "uid", key.sop_instance);
		vectors_same_text(row, "title", key.title);
		vectors_same_text(row, "note", key.note);
	}
	CHECK_NUM(json_array_size(vectors_get(f, "key_images")), i);
	i = 0;
	for (; cs_casefile_next_series(st, &se); i++) {
		const json_t *row = vectors_row(list, i);

		vectors_same_text(row, "uid", se.uid);
		vectors_same_text(row, "modality", se.modality);
		vectors_same_text(row, "body_part", se.body_part);
		vectors_same_text(row, "description", se.description);
		same_instances(vectors_get(row, "instances"), &se);
	}
	CHECK_NUM(json_array_size(list), i);
}

static void
same_case(const json_t *f, struct cs_bytes content)
{
	const json_t *list = vectors_get(f, "imaging");
	struct cs_casefile_study st;
	struct cs_casefile cf;
	size_t i = 0;

	CHECK_OK(cs_casefile_decode(content, &cf));
	vectors_same_text(f, "subject", cf.subject);
	vectors_same_text(f, "question", cf.question);
	vectors_same_text(f, "note", cf.note);
	same_patient(vectors_get(f, "patient"), &cf.patient);
	CHECK_STR(test_json_str(f, "urgency"),
	    cs_envelope_class_name(cf.urgency));
	for (; cs_casefile_next_study(&cf, &st); i++)
		same_study(vectors_row(list, i), &st);
	CHECK_NUM(json_array_size(list), i);
}

/* The case in a message: its own, or the one that was forwarded. */
static struct cs_bytes
case_in(const json_t *want)
{
	const json_t *m = vectors_get(want, "manifest");
	struct cs_bytes content = test_json_hex(m, "content");
	struct cs_forward f;

	if (vectors_num(m, "content_kind") != CS_CONTENT_FORWARD)
		return content;
	CHECK_OK(cs_forward_decode(content, &f));
	return f.manifest.content;
}

TEST(content_is_a_case_or_a_statement)
{
	unsigned cases = 0;

	for (size_t b = 0; b < json_array_size(bundles()); b++) {
		const json_t *want = vectors_row(bundles(), b);
		const json_t *f = vectors_get(want, "case");
		struct cs_bytes content = case_in(want);
		struct cs_statement st;

		if (json_is_null(f)) {
			content.n -= CS_SIGNATURE_BYTES;
			CHECK_OK(cs_statement_decode(content, &st));
			CHECK_NUM(CS_FACT_DELIVERED, st.fact);
		} else {
			same_case(f, content);
			cases++;
		}
	}
	CHECK_NUM(5, cases);
}

/* Who wrote it, the second implementation says by the bundle it made it from.
 */
TEST(forward_is_of_the_first_author)
{
	const json_t *of = vectors_named(bundles(), "case");
	const json_t *want = vectors_named(bundles(), "forward");
	const json_t *m = vectors_get(want, "manifest");
	struct cs_directory *dir = vectors_mirror();
	struct vectors_device d;
	struct cs_open *o = open_as(want, 0, dir, &d);
	struct cs_author author;
	struct cs_buf again = { 0 };
	struct cs_forward f;

	CHECK_OK(cs_forward_decode(cs_open_manifest(o)->content, &f));
	VECTORS_SAME(vectors_get(of, "header"), "envelope_id", f.envelope_id);
	VECTORS_SAME(of, "e", f.e);
	VECTORS_SAME(of, "sig", f.signature);
	vectors_same(of, "M", f.m.p, f.m.n);
	CHECK_VIEW(cs_bytes_str("F\xc3\xbcr dich, bitte.\n"), f.note);
	CHECK(cs_forward_carries(&f, cs_open_manifest(o)));
	CHECK_OK(cs_author_verify(dir, &f, &author));
	VECTORS_SAME(vectors_get(of, "manifest"), "sender_member",
	    author.member_id);
	VECTORS_SAME(of, "s", author.s);
	VECTORS_SAME(of, "manifest_hash", author.m_hash);
	CHECK_OK(cs_forward_encode(&f, &again));
	vectors_same(m, "content", again.p, again.n);
	cs_buf_fini(&again);
	cs_open_free(o);
	vectors_device_fini(&d);
	cs_directory_free(dir);
}
