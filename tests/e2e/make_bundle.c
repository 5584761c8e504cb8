/*
 * make_bundle FILE [BYTES]: a network, a bundle with an attachment of BYTES and
 * its receipts, made by our own code with fresh keys, as JSON for the second
 * implementation (tests/vectors/check.mjs). Bytes are hexadecimal text, u64
 * decimal text.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/casefile.h"
#include "proto/invite.h"
#include "proto/object.h"
#include "proto/said.h"
#include "proto/statement.h"
#include "tests/support/bundle.h"
#include "tests/support/fakelog.h"
#include "tests/support/vectors.h"
#include "tests/test.h"

#define DEFAULT_BYTES 3

/* -------------------------------------------------------------------- JSON */

static json_t *
hex(struct cs_bytes v)
{
	char *text = test_alloc(2 * v.n + 1);

	return json_string(sodium_bin2hex(text, 2 * v.n + 1, v.p, v.n));
}

static json_t *
hex_of(const uint8_t *p, size_t n)
{
	return hex((struct cs_bytes){ p, n });
}

static json_t *
num(uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	return json_string(text);
}

static void
set(json_t *o, const char *key, json_t *v)
{
	CHECK(json_object_set_new(o, key, v) == 0);
}

static void
push(json_t *list, json_t *v)
{
	CHECK(json_array_append_new(list, v) == 0);
}

/* ----------------------------------------------------------------- network */

/* A checkpoint of the relay over one of its logs. */
static void
make_note(const struct network *n, enum cs_log log, struct cs_checkpoint *cp,
    struct cs_buf *ret)
{
	const struct cs_keyring_info *relay = cs_keyring_info(n->relay);
	struct cs_buf origin = { 0 }, body = { 0 };

	cs_checkpoint_origin(log, n->network_id, relay->id, &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), cp, &body);
	cs_keyring_sign(n->relay, cs_buf_view(&body), cp->signature);
	cs_checkpoint_encode(cs_buf_view(&origin), cp, relay->sign_key, ret);
	CHECK_OK(cs_buf_err(ret));
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
}

static void
write_network(const struct network *n, json_t *out)
{
	const struct cs_keyring_info *relay = cs_keyring_info(n->relay);
	struct cs_log_view view = cs_directory_view(n->dir);
	struct cs_checkpoint cp = {
		.size = view.size, .time_s = n->now_s, .counter = 1
	};
	json_t *leaves = json_array();
	struct cs_buf note = { 0 };

	memcpy(cp.root, view.root, sizeof(cp.root));
	make_note(n, CS_LOG_DIRECTORY, &cp, &note);
	for (uint64_t i = 0; i < view.size; i++) {
		struct cs_bytes leaf;

		CHECK_OK(cs_directory_leaf(n->dir, i, &leaf));
		push(leaves, hex(leaf));
	}
	set(out, "network_id", hex(CS_BYTES(n->network_id)));
	set(out, "relay_id", hex(CS_BYTES(relay->id)));
	set(out, "relay_key", hex(CS_BYTES(relay->sign_key)));
	set(out, "leaves", leaves);
	set(out, "root", hex(CS_BYTES(view.root)));
	set(out, "checkpoint", hex(cs_buf_view(&note)));
	cs_buf_fini(&note);
}

static void
write_invite(struct network *n, json_t *out)
{
	struct cs_buf binary = { 0 }, text = { 0 };

	network_invite(n, "new@clinic", &binary);
	cs_invite_armour(cs_buf_view(&binary), "For you.", &text);
	set(out, "invite", hex(cs_buf_view(&binary)));
	set(out, "invite_text", hex(cs_buf_view(&text)));
	cs_buf_fini(&binary);
	cs_buf_fini(&text);
}

/* ------------------------------------------------------------------ bundle */

static json_t *
seal_object(struct bundle *b, uint64_t bytes)
{
	uint32_t n = cs_object_segments(bytes);
	uint8_t *plain = test_alloc(bytes + 1);
	uint8_t *leaves = test_alloc(n * (size_t)CS_HASH_BYTES);
	json_t *stored = json_array(), *o = json_object();
	struct cs_secret *key = NULL;
	struct cs_buf segment = { 0 };

	vectors_pattern(0, plain, bytes);
	CHECK_OK(cs_secret_copy(CS_BYTES(b->object_key), &key));
	for (uint32_t i = 0; i < n; i++) {
		CHECK_OK(cs_seal_segment(key, b->object.object_id, bytes, i,
		    (struct cs_bytes){
			plain + (size_t)i * CS_SEGMENT_PLAIN_BYTES,
			cs_object_segment_plain(bytes, i) },
		    &segment));
		cs_object_leaf(cs_buf_view(&segment),
		    leaves + (size_t)i * CS_HASH_BYTES);
		push(stored, hex(cs_buf_view(&segment)));
		cs_buf_reset(&segment);
	}
	b->object.segments = n;
	cs_object_root(leaves, n, b->object.root);
	set(o, "object_id", hex(CS_BYTES(b->object.object_id)));
	set(o, "object_root", hex(CS_BYTES(b->object.root)));
	set(o, "bytes", num(bytes));
	set(o, "stored", stored);
	cs_secret_free(key);
	cs_buf_fini(&segment);
	return o;
}

/* The object's row of M, for its real length. */
static void
pack_object(struct bundle *b, uint64_t bytes)
{
	struct cs_manifest_object row = {
		.name = cs_bytes_str("scan.pdf"),
		.media_type = cs_bytes_str("application/pdf"),
		.bytes = bytes,
		.key = b->object_key,
	};
	uint8_t *plain = test_alloc(bytes + 1);

	vectors_pattern(0, plain, bytes);
	crypto_hash_sha256(row.sha256, plain, bytes);
	memcpy(row.object_id, b->object.object_id, CS_ID_BYTES);
	bundle_pack(b);
	cs_buf_reset(&b->objects);
	cs_manifest_put_object(&b->objects, &row);
	b->job.manifest.objects = cs_buf_view(&b->objects);
}

/* A word on two earlier messages, one of them in the place of which it stands,
 * and on the mailboxes. */
static void
pack_thread(struct bundle *b, struct cs_buf *parents, struct cs_buf *marks)
{
	struct cs_manifest *m = &b->job.manifest;
	struct cs_manifest_message earlier = { .envelope_id = { 1 } };

	m->content_kind = CS_CONTENT_ADDENDUM;
	m->relation = CS_RELATION_SUPERSEDES;
	randombytes_buf(earlier.s, sizeof(earlier.s));
	cs_manifest_put_parent(parents, &earlier);
	m->related = earlier;
	earlier.envelope_id[0] = 2;
	cs_manifest_put_parent(parents, &earlier);
	m->n_parents = 2;
	m->parents = cs_buf_view(parents);
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++) {
		struct cs_manifest_mark mark = { .seq = i + 1 };

		memcpy(mark.device_id, bundle_id(&b->to[i]), CS_ID_BYTES);
		randombytes_buf(mark.head, sizeof(mark.head));
		cs_manifest_put_mark(marks, &mark);
	}
	m->n_marks = BUNDLE_RECIPIENTS;
	m->marks = cs_buf_view(marks);
}

static void
make_case(const struct bundle *b, struct cs_buf *ret)
{
	struct cs_casefile cf = { .subject = cs_bytes_str("Nodule, 8 mm"),
		.question = cs_bytes_str("Biopsy?"),
		.note = cs_bytes_str("Größe: 8 mm → 11 mm\n"),
		.urgency = CS_CLASS_URGENT,
		.n_studies = 1 };
	struct cs_casefile_study study = { .uid = cs_bytes_str("1.2.3"),
		.patient = { .name = cs_bytes_str("Doe^Jane") },
		.n_series = 1 };
	struct cs_casefile_series series = { .uid = cs_bytes_str("1.2.3.4"),
		.modality = cs_bytes_str("CT"),
		.n_instances = 1 };
	struct cs_casefile_instance instance = {
		.sop_class = cs_bytes_str("1.2.840.10008.5.1.4.1.1.2"),
		.sop_instance = cs_bytes_str("1.2.3.4.5"),
	};

	memcpy(instance.object_id, b->object.object_id, CS_ID_BYTES);
	cs_casefile_encode_begin(ret, 1);
	cs_casefile_put_study(ret, &study);
	cs_casefile_put_study_series(ret, &study);
	cs_casefile_put_series(ret, &series);
	cs_casefile_put_instance(ret, &instance);
	cs_casefile_put_series_end(ret, &series);
	cs_casefile_put_study_end(ret, &study);
	CHECK_OK(cs_casefile_encode_end(ret, &cf));
}

static void
write_recipients(const struct bundle *b, json_t *out)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++) {
		const struct bundle_party *p = &b->to[i];
		struct cs_secret *seed = NULL;
		json_t *row = json_object();

		CHECK_OK(cs_epoch_secret(p->epoch, p->key_id, &seed));
		set(row, "device_id", hex_of(bundle_id(p), CS_ID_BYTES));
		set(row, "key_id", hex(CS_BYTES(p->key_id)));
		set(row, "seed", hex(cs_secret_view(seed)));
		push(list, row);
		cs_secret_free(seed);
	}
	set(out, "recipients", list);
}

/* What the checker compares of what it read with what was meant. */
static void
write_meant(const struct bundle *b, const struct cs_seal_facts *facts,
    json_t *out)
{
	const struct cs_manifest *m = &b->job.manifest;
	json_t *meant = json_object();

	set(meant, "envelope_id", hex(CS_BYTES(b->job.envelope_id)));
	set(meant, "created", num(m->created_s));
	set(meant, "expires", num(b->job.expires_at_s));
	set(meant, "class", num(b->job.class));
	set(meant, "sender_member", hex(CS_BYTES(m->sender_member)));
	set(meant, "sender_device", hex(CS_BYTES(m->sender_device)));
	set(meant, "sender_entry", num(m->sender_entry));
	set(meant, "address", json_string("a@clinic"));
	set(meant, "related", hex(CS_BYTES(m->related.s)));
	set(meant, "name", json_string("scan.pdf"));
	set(meant, "subject", json_string("Nodule, 8 mm"));
	set(meant, "note", json_string("Größe: 8 mm → 11 mm\n"));
	set(meant, "e", hex(CS_BYTES(facts->e)));
	set(meant, "s", hex(CS_BYTES(facts->s)));
	set(meant, "manifest_hash", hex(CS_BYTES(facts->m_hash)));
	set(out, "meant", meant);
}

/* ---------------------------------------------------------------- receipts */

static struct cs_statement
statement(const struct bundle *b, const struct cs_seal_facts *facts)
{
	struct cs_statement st = { .signer_entry = 2,
		.time_s = BUNDLE_TIME + 9,
		.seen = network_seen(&b->net) };

	memcpy(st.network_id, b->net.network_id, sizeof(st.network_id));
	memcpy(st.envelope_id, b->job.envelope_id, sizeof(st.envelope_id));
	memcpy(st.e, facts->e, sizeof(st.e));
	return st;
}

/* The same, entered in the relay's receipt log before it went. */
static void
write_said(const struct bundle *b, struct cs_bytes is_signed, json_t *out)
{
	struct cs_buf note = { 0 }, proof = { 0 }, bytes = { 0 };
	uint8_t leaf[CS_HASH_BYTES];
	struct cs_said said;
	struct fake_log log;

	CHECK_OK(cs_said_decode(is_signed, &said, NULL));
	said.is_anchored = true;
	memset(said.anchor.salt, 0x5a, sizeof(said.anchor.salt));
	said.anchor.index = 5;
	fake_log_init(&log, &b->net);
	log.now_s = BUNDLE_TIME + 10;
	fake_log_grow(&log, 5);
	cs_statement_leaf(said.anchor.salt, said.statement, leaf);
	cs_statement_anchor(leaf, log.leaf[log.n++]);
	fake_log_grow(&log, 3);
	fake_log_note(&log, log.n, &note, NULL);
	fake_log_prove(&log, said.anchor.index, log.n, &proof);
	said.anchor.proof = cs_buf_view(&proof);
	said.anchor.checkpoint = cs_buf_view(&note);
	cs_said_encode(&said, &bytes);
	set(out, "said", hex(cs_buf_view(&bytes)));
	fake_log_fini(&log);
	cs_buf_fini(&note);
	cs_buf_fini(&proof);
	cs_buf_fini(&bytes);
}

/* Signed by the first recipient. */
static void
write_delivered(const struct bundle *b, const struct cs_seal_facts *facts,
    json_t *out)
{
	const struct cs_keyring_info *me = cs_keyring_info(b->to[0].kr);
	struct cs_statement st = statement(b, facts);
	uint8_t signature[CS_SIGNATURE_BYTES];
	struct cs_buf bytes = { 0 };

	st.fact = CS_FACT_DELIVERED;
	st.result = CS_DELIVERED_OK;
	memcpy(st.signer_member, me->member_id, CS_ID_BYTES);
	memcpy(st.signer_device, me->id, CS_ID_BYTES);
	memcpy(st.s, facts->s, sizeof(st.s));
	memcpy(st.m_hash, facts->m_hash, sizeof(st.m_hash));
	CHECK_OK(cs_statement_encode(&st, &bytes));
	cs_keyring_sign(b->to[0].kr, cs_buf_view(&bytes), signature);
	cs_buf_put_bytes(&bytes, CS_BYTES(signature));
	set(out, "delivered", hex(cs_buf_view(&bytes)));
	set(out, "delivered_key", hex(CS_BYTES(me->sign_key)));
	write_said(b, cs_buf_view(&bytes), out);
	cs_buf_fini(&bytes);
}

static void
make_custody(const struct bundle *b, const struct cs_seal_facts *facts,
    struct cs_buf *ret)
{
	struct cs_statement st = statement(b, facts);
	struct cs_buf objects = { 0 }, boxes = { 0 };
	struct cs_custody_object object;

	memcpy(object.object_id, b->object.object_id, CS_ID_BYTES);
	memcpy(object.root, b->object.root, CS_HASH_BYTES);
	cs_statement_put_custody_object(&objects, &object);
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++) {
		struct cs_custody_recipient box = { .seq = 1 };

		memcpy(box.device_id, bundle_id(&b->to[i]), CS_ID_BYTES);
		cs_statement_chain(box.chain_head, 1, st.envelope_id, st.e,
		    box.chain_head);
		cs_statement_put_custody_recipient(&boxes, &box);
	}
	st.fact = CS_FACT_CUSTODY;
	memcpy(st.signer_device, cs_keyring_info(b->net.relay)->id,
	    CS_ID_BYTES);
	st.n_objects = 1;
	st.objects = cs_buf_view(&objects);
	st.n_recipients = BUNDLE_RECIPIENTS;
	st.recipients = cs_buf_view(&boxes);
	st.stored_bytes = 12345;
	st.stored_until_s = b->job.expires_at_s;
	st.counter = 1;
	CHECK_OK(cs_statement_encode(&st, ret));
	cs_buf_fini(&objects);
	cs_buf_fini(&boxes);
}

/* Leaf 1 of a receipt log of two, with its proof. */
static void
write_custody(const struct bundle *b, const struct cs_seal_facts *facts,
    json_t *out)
{
	struct cs_merkle_edge edge = { 0 };
	struct cs_checkpoint cp = {
		.size = 2, .time_s = BUNDLE_TIME, .counter = 1
	};
	struct cs_buf st = { 0 }, note = { 0 }, bytes = { 0 };
	uint8_t leaf[CS_HASH_BYTES], other[CS_HASH_BYTES];
	struct cs_logged lg = { .index = 1, .proof = CS_BYTES(other) };

	make_custody(b, facts, &st);
	randombytes_buf(other, sizeof(other));
	randombytes_buf(lg.salt, sizeof(lg.salt));
	cs_statement_leaf(lg.salt, cs_buf_view(&st), leaf);
	cs_merkle_leaf(CS_BYTES(leaf), leaf);
	cs_merkle_append(&edge, other, NULL, NULL);
	cs_merkle_append(&edge, leaf, NULL, NULL);
	cs_merkle_root(&edge, cp.root);
	make_note(&b->net, CS_LOG_RECEIPTS, &cp, &note);
	lg.statement = cs_buf_view(&st);
	lg.checkpoint = cs_buf_view(&note);
	cs_statement_logged_encode(&lg, &bytes);
	CHECK_OK(cs_buf_err(&bytes));
	set(out, "custody", hex(cs_buf_view(&bytes)));
	cs_buf_fini(&st);
	cs_buf_fini(&note);
	cs_buf_fini(&bytes);
}

static json_t *
make(uint64_t bytes)
{
	struct cs_seal_facts facts;
	struct cs_buf content = { 0 }, envelope = { 0 };
	struct cs_buf parents = { 0 }, marks = { 0 };
	json_t *out = json_object();
	struct bundle b;

	bundle_init(&b);
	write_network(&b.net, out);
	write_invite(&b.net, out);
	write_recipients(&b, out);
	set(out, "object", seal_object(&b, bytes));
	pack_object(&b, bytes);
	pack_thread(&b, &parents, &marks);
	make_case(&b, &content);
	b.job.manifest.content = cs_buf_view(&content);
	bundle_seal(&b, &envelope, &facts);
	set(out, "envelope", hex(cs_buf_view(&envelope)));
	write_meant(&b, &facts, out);
	write_delivered(&b, &facts, out);
	write_custody(&b, &facts, out);
	cs_buf_fini(&envelope);
	cs_buf_fini(&content);
	cs_buf_fini(&parents);
	cs_buf_fini(&marks);
	bundle_fini(&b);
	return out;
}

int
main(int argc, char **argv)
{
	uint64_t bytes = DEFAULT_BYTES;
	json_t *out;
	int failed;

	if (argc < 2 || argc > 3 || cs_secret_process_init() != CS_OK) {
		fprintf(stderr, "usage: make_bundle FILE [BYTES]\n");
		return 2;
	}
	if (argc == 3)
		bytes = strtoull(argv[2], NULL, 10);
	out = make(bytes);
	failed = json_dump_file(out, argv[1], JSON_INDENT(1));
	json_decref(out);
	if (failed)
		perror(argv[1]);
	return failed ? 1 : 0;
}
