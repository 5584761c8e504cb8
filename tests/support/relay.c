#include "tests/support/relay.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keys/verify.h"
#include "proto/field.h"
#include "proto/object.h"
#include "tests/test.h"

#define STEP_MS UINT64_C(100)

static struct cs_bytes
entry_at(const struct network *n, uint64_t i)
{
	struct cs_entry_leaf leaf;
	struct cs_bytes v;

	CHECK_OK(cs_directory_leaf(n->dir, i, &v));
	CHECK_OK(cs_entry_leaf_decode(v, &leaf));
	return leaf.entry;
}

/* ------------------------------------------------------------- start, stop */

void
test_relay_init(struct test_relay *r)
{
	struct cs_buf genesis = { 0 };

	*r = (struct test_relay){ .now_ms = TEST_RELAY_TIME * 1000 };
	network_init(&r->net, TEST_RELAY_TIME);
	r->known = cs_directory_view(r->net.dir).size;
	for (uint64_t i = 0; i < r->known; i++) {
		struct cs_bytes entry = entry_at(&r->net, i);

		cs_field_put_var32(&genesis, entry);
	}
	test_write(test_path("genesis"), cs_buf_view(&genesis));
	cs_buf_fini(&genesis);
	CHECK_OK(cs_identity_new(r->net.relay, &r->identity));
	r->settings = (struct cs_service_settings){
		.store = test_path("store"),
		.genesis = test_path("genesis"),
		.identity = r->identity,
		.quota_total_bytes = UINT64_C(1) << 30,
		.quota_sender_bytes = UINT64_C(1) << 28,
		.quota_mailbox_bytes = UINT64_C(1) << 28,
		.quota_share_bytes = UINT64_C(1) << 28,
		.map_bytes = UINT64_C(256) << 20,
	};
}

struct cs_clock_reading
test_relay_now(const struct test_relay *r)
{
	return (struct cs_clock_reading){ r->now_ms, r->boot_ms };
}

void
test_relay_start(struct test_relay *r)
{
	struct cs_buf problem = { 0 };
	cs_err e =
	    cs_service_open(&r->settings, test_relay_now(r), &r->s, &problem);

	if (e != CS_OK)
		fprintf(stderr, "%.*s\n", (int)problem.n, problem.p);
	CHECK_OK(e);
	cs_buf_fini(&problem);
}

void
test_relay_stop(struct test_relay *r)
{
	cs_service_close(r->s);
	r->s = NULL;
}

void
test_relay_fini(struct test_relay *r)
{
	test_relay_stop(r);
	cs_identity_free(r->identity);
	network_fini(&r->net);
}

/* ---------------------------------------------------------------- requests */

static void
on_answer(void *ctx, struct cs_buf *reply)
{
	struct test_ask *a = ctx;

	pthread_mutex_lock(&a->lock);
	if (a->n++ == 0) {
		a->reply = *reply;
		*reply = (struct cs_buf){ 0 };
	}
	pthread_cond_signal(&a->answered);
	pthread_mutex_unlock(&a->lock);
}

void
test_relay_begin(struct test_relay *r, const struct cs_principal *who,
    const struct cs_buf *request, struct test_ask *a)
{
	*a = (struct test_ask){ 0 };
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->answered, NULL);
	CHECK_OK(cs_buf_err(request));
	cs_service_request(r->s, who, cs_buf_view(request), on_answer, a);
}

bool
test_relay_is_answered(struct test_ask *a)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = a->n > 0;
	pthread_mutex_unlock(&a->lock);
	return is;
}

cs_err
test_relay_wait(struct test_ask *a)
{
	struct timespec until;
	struct cs_frame_error error;
	uint32_t id, n_results;
	uint64_t code;
	unsigned n;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&a->lock);
	while (a->n == 0 &&
	       pthread_cond_timedwait(&a->answered, &a->lock, &until) == 0)
		;
	n = a->n;
	pthread_mutex_unlock(&a->lock);
	CHECK_NUM(1, n); /* one answer, and in time */
	CHECK_OK(cs_frame_head(cs_buf_view(&a->reply), &a->w, &code, &id,
	    &n_results));
	a->e = cs_frame_code_err(code);
	if (a->e != CS_OK) {
		CHECK_OK(cs_frame_error_decode(code, &a->w, &error));
		a->retry_s = error.retry_after_s;
		snprintf(a->detail, sizeof(a->detail), "%.*s",
		    (int)error.detail.n, (const char *)error.detail.p);
	}
	return a->e;
}

void
test_relay_end(struct test_ask *a)
{
	CHECK_NUM(1, a->n);
	cs_buf_fini(&a->reply);
	pthread_cond_destroy(&a->answered);
	pthread_mutex_destroy(&a->lock);
}

cs_err
test_relay_ask(struct test_relay *r, const struct cs_principal *who,
    struct cs_buf *request, struct test_ask *a)
{
	test_relay_begin(r, who, request, a);
	cs_buf_fini(request);
	return test_relay_wait(a);
}

cs_err
test_relay_say(struct test_relay *r, const struct cs_principal *who,
    struct cs_buf *request)
{
	struct test_ask a;
	cs_err e = test_relay_ask(r, who, request, &a);

	test_relay_end(&a);
	return e;
}

/* ------------------------------------------------------------- time, state */

uint64_t
test_relay_counter(struct test_relay *r, const char *name)
{
	struct cs_metric m;

	for (unsigned i = 0; cs_service_counter(r->s, i, &m); i++)
		if (strcmp(m.name, name) == 0)
			return m.value;
	CHECK(!"there is such a counter");
	return 0;
}

void
test_relay_pass(struct test_relay *r, uint64_t ms)
{
	uint64_t end_ms = r->now_ms + ms, step_ms;

	/* Long times in steps of minutes, still far from a jump. */
	step_ms = ms > 60000 ? 60000 : STEP_MS;
	while (r->now_ms < end_ms) {
		if (step_ms > end_ms - r->now_ms)
			step_ms = end_ms - r->now_ms;
		r->now_ms += step_ms;
		r->boot_ms += step_ms;
		cs_service_tick(r->s, test_relay_now(r));
	}
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

void
test_relay_await(struct test_relay *r, const char *name, uint64_t value)
{
	for (unsigned i = 0; i < 10000 && test_relay_counter(r, name) < value;
	     i++) {
		test_relay_pass(r, STEP_MS);
		nap();
	}
	CHECK(test_relay_counter(r, name) >= value);
}

/* Adds a file, or what is in a folder, to the hash; in order of names. */
static void
hash_path(crypto_hash_sha256_state *st, const char *path)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	char below[4096];

	if (n < 0 && strstr(path, "lock") == NULL) {
		struct cs_bytes v = test_read(path);

		crypto_hash_sha256_update(st, v.p, v.n);
	}
	for (int i = 0; i < n; i++) {
		snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			hash_path(st, below);
		free(names[i]);
	}
	free(names);
}

void
test_relay_hash(struct test_relay *r, uint8_t ret[static CS_HASH_BYTES])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	hash_path(&st, r->settings.store);
	crypto_hash_sha256_final(&st, ret);
}

/* ----------------------------------------------------------------- members */

struct cs_principal
test_relay_registrar(const struct test_relay *r)
{
	struct cs_principal who = { .kind = CS_PRINCIPAL_REGISTRAR };

	memcpy(who.id, cs_keyring_info(r->net.registrar)->id, CS_ID_BYTES);
	return who;
}

void
test_relay_join(struct test_relay *r, const char *address,
    struct test_member *ret)
{
	static const struct cs_principal anyone;
	struct cs_frame_entries entries = { 0 };
	struct cs_directory_device device;
	struct cs_buf ask = { 0 };

	*ret = (struct test_member){ .kr = network_join(&r->net, address) };
	while (r->known < cs_directory_view(r->net.dir).size)
		entries.entry[entries.n++] = entry_at(&r->net, r->known++);
	cs_frame_entries_encode(&ask, 1, CS_OP_ENROL, &entries);
	CHECK_OK(test_relay_say(r, &anyone, &ask));
	ret->who.kind = CS_PRINCIPAL_DEVICE;
	memcpy(ret->who.id, cs_keyring_info(ret->kr)->id, CS_ID_BYTES);
	memcpy(ret->member_id, cs_keyring_info(ret->kr)->member_id,
	    CS_ID_BYTES);
	CHECK_OK(cs_directory_device(r->net.dir, ret->who.id, &device));
	ret->entry = device.entry;
}

void
test_relay_leave(struct test_member *m)
{
	cs_keyring_free(m->kr);
}

void
test_relay_witness(struct test_relay *r, const char *name,
    struct test_witness *ret)
{
	const struct cs_principal registrar = test_relay_registrar(r);
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_buf ask = { 0 };

	*ret = (struct test_witness){ .kr = network_witness(&r->net, name),
		.who = { .kind = CS_PRINCIPAL_WITNESS } };
	memcpy(ret->who.id, cs_keyring_info(ret->kr)->id, CS_ID_BYTES);
	entries.entry[0] = entry_at(&r->net, r->known++);
	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &entries);
	CHECK_OK(test_relay_say(r, &registrar, &ask));
}

/* ----------------------------------------------------------------- bundles */

static int
by_device(const void *a, const void *b)
{
	return memcmp(a, b, CS_ID_BYTES);
}

void
test_bundle_write(const struct test_relay *r, struct test_bundle *b)
{
	static const uint32_t body_bytes = 4096 + 32;
	struct cs_envelope env = { .expires_at_s = b->expires_s,
		.created_hour_s = r->now_ms / 1000 / 3600 * 3600,
		.class = b->class,
		.n_recipients = b->n_recipients,
		.n_objects = b->n_objects };
	size_t rest =
	    (size_t)b->n_recipients * (CS_KEM_ENC_BYTES + CS_WRAPPED_BYTES) +
	    32 + body_bytes;

	memcpy(env.network_id, r->net.network_id, CS_NETWORK_ID_BYTES);
	memcpy(env.envelope_id, b->id, CS_ID_BYTES);
	cs_buf_reset(&b->envelope);
	CHECK_OK(cs_envelope_encode_preamble(&env, body_bytes, b->to, b->object,
	    &b->envelope));
	randombytes_buf(cs_buf_extend(&b->envelope, rest), rest);
	CHECK_OK(cs_envelope_decode(cs_buf_view(&b->envelope), &env));
	cs_envelope_hash(&env, b->e);
}

void
test_bundle_make(const struct test_relay *r, struct test_bundle *b,
    const struct test_member *to, uint16_t n, uint16_t n_objects)
{
	uint8_t leaf[CS_HASH_BYTES];

	*b = (struct test_bundle){ .class = CS_CLASS_ROUTINE,
		.n_recipients = n,
		.n_objects = n_objects };
	b->expires_s = r->now_ms / 1000 + 7200;
	randombytes_buf(b->id, sizeof(b->id));
	for (uint16_t i = 0; i < n; i++) {
		memcpy(b->to[i].device_id, to[i].who.id, CS_ID_BYTES);
		randombytes_buf(b->to[i].key_id, CS_HASH_BYTES);
	}
	qsort(b->to, n, sizeof(b->to[0]), by_device);
	for (uint16_t i = 0; i < n_objects; i++) {
		struct cs_bytes segment = { b->last[i], TEST_BUNDLE_LAST };

		randombytes_buf(b->object[i].object_id, CS_ID_BYTES);
		b->object[i].object_id[0] = (uint8_t)i;
		b->object[i].segments = 1;
		randombytes_buf(b->last[i], TEST_BUNDLE_LAST);
		cs_object_leaf(segment, leaf);
		cs_object_root(leaf, 1, b->object[i].root);
	}
	test_bundle_write(r, b);
}

void
test_bundle_fini(struct test_bundle *b)
{
	cs_buf_fini(&b->envelope);
}

void
test_bundle_begin(const struct test_bundle *b, struct cs_buf *out)
{
	struct cs_buf devices = { 0 }, objects = { 0 };
	struct cs_frame_upload_begin v = { .class = b->class,
		.expires_at_s = b->expires_s,
		.envelope_bytes = (uint32_t)b->envelope.n };

	for (uint16_t i = 0; i < b->n_recipients; i++)
		cs_buf_put(&devices, b->to[i].device_id, CS_ID_BYTES);
	for (uint16_t i = 0; i < b->n_objects; i++) {
		cs_buf_put(&objects, b->object[i].object_id, CS_ID_BYTES);
		cs_buf_put_u32(&objects, b->object[i].segments);
	}
	memcpy(v.envelope_id, b->id, CS_ID_BYTES);
	v.device_ids = cs_buf_view(&devices);
	v.objects = cs_buf_view(&objects);
	cs_frame_upload_begin_encode(out, 7, &v);
	cs_buf_fini(&devices);
	cs_buf_fini(&objects);
}

void
test_bundle_segment(const struct test_bundle *b, uint16_t object,
    struct cs_buf *out)
{
	struct cs_frame_segment_put v = { .segment = { b->last[object],
					      TEST_BUNDLE_LAST } };

	memcpy(v.envelope_id, b->id, CS_ID_BYTES);
	memcpy(v.object_id, b->object[object].object_id, CS_ID_BYTES);
	cs_frame_segment_put_encode(out, 8, &v);
}

void
test_bundle_submit(const struct test_bundle *b, struct cs_buf *out)
{
	struct cs_frame_submit v = { cs_buf_view(&b->envelope) };

	cs_frame_submit_encode(out, 9, &v);
}

/* A device's statement about an envelope, signed: st has its fact. */
static void
sign(struct test_relay *r, const struct test_member *m,
    const uint8_t *envelope_id, const uint8_t *e, struct cs_statement *st,
    struct cs_buf *ret, uint8_t ret_signature[static CS_SIGNATURE_BYTES])
{
	st->signer_entry = m->entry;
	st->time_s = r->now_ms / 1000;
	memcpy(st->network_id, r->net.network_id, CS_NETWORK_ID_BYTES);
	memcpy(st->envelope_id, envelope_id, CS_ID_BYTES);
	memcpy(st->e, e, CS_HASH_BYTES);
	memcpy(st->signer_member, m->member_id, CS_ID_BYTES);
	memcpy(st->signer_device, m->who.id, CS_ID_BYTES);
	CHECK_OK(cs_statement_encode(st, ret));
	cs_keyring_sign(m->kr, cs_buf_view(ret), ret_signature);
}

void
test_bundle_ack(struct test_relay *r, const struct test_member *m,
    const uint8_t *envelope_id, const uint8_t *e, uint64_t seq,
    struct cs_buf *out)
{
	struct cs_statement st = { .fact = CS_FACT_ACK, .seq = seq };
	struct cs_buf bytes = { 0 };
	struct cs_frame_ack ack;

	sign(r, m, envelope_id, e, &st, &bytes, ack.signature);
	ack.statement = cs_buf_view(&bytes);
	cs_frame_ack_encode(out, 10, &ack);
	cs_buf_fini(&bytes);
}

void
test_bundle_withdraw(struct test_relay *r, const struct test_member *m,
    const uint8_t *envelope_id, const uint8_t *e, struct cs_buf *out)
{
	struct cs_statement st = { .fact = CS_FACT_WITHDRAW };
	struct cs_frame_withdraw withdraw;
	struct cs_buf bytes = { 0 };

	sign(r, m, envelope_id, e, &st, &bytes, withdraw.signature);
	withdraw.statement = cs_buf_view(&bytes);
	cs_frame_withdraw_encode(out, 11, &withdraw);
	cs_buf_fini(&bytes);
}

void
test_bundle_send(struct test_relay *r, const struct test_member *from,
    const struct test_bundle *b)
{
	struct cs_buf ask = { 0 };

	test_bundle_begin(b, &ask);
	CHECK_OK(test_relay_say(r, &from->who, &ask));
	for (uint16_t i = 0; i < b->n_objects; i++) {
		test_bundle_segment(b, i, &ask);
		CHECK_OK(test_relay_say(r, &from->who, &ask));
	}
	test_bundle_submit(b, &ask);
	CHECK_OK(test_relay_say(r, &from->who, &ask));
}
