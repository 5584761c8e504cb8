#include "tests/support/liar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/join.h"
#include "keys/enrol.h"
#include "keys/noise.h"
#include "proto/merkle.h"
#include "tests/test.h"

uint64_t liar_time_s = TEST_RELAY_TIME;

/* ----------------------------------------------------------- the honest half
 */

/* Asks the service; appends its reply. */
static void
ask(struct liar *l, const struct cs_principal *who, struct cs_bytes request,
    struct cs_buf *out)
{
	struct cs_buf copy = { 0 };
	struct test_ask a;

	cs_buf_put_bytes(&copy, request);
	test_relay_begin(&l->r, who, &copy, &a);
	cs_buf_fini(&copy);
	(void)test_relay_wait(&a);
	cs_buf_put_bytes(out, cs_buf_view(&a.reply));
	test_relay_end(&a);
}

void
liar_catch_up(struct liar *l)
{
	const struct cs_principal registrar = test_relay_registrar(&l->r);
	struct cs_frame_dir_sync_reply page;
	struct cs_frame_dir_sync v;
	struct cs_buf request = { 0 };
	struct test_ask a;
	uint32_t n;

	do {
		v.from = cs_directory_view(l->r.net.dir).size;
		cs_frame_dir_sync_encode(&request, 1, &v);
		CHECK_OK(test_relay_ask(&l->r, &registrar, &request, &a));
		CHECK_OK(cs_frame_dir_sync_reply_decode(&a.w, &page));
		n = page.n;
		for (uint32_t i = 0; i < n; i++)
			CHECK_OK(cs_directory_apply(l->r.net.dir,
			    cs_wire_bin(&page.leaves,
				CS_LIMIT_ENTRY_BYTES + 64)));
		test_relay_end(&a);
	} while (n > 0);
	l->r.known = cs_directory_view(l->r.net.dir).size;
}

void
liar_append(struct liar *l, const struct cs_buf *entry)
{
	const struct cs_principal registrar = test_relay_registrar(&l->r);
	struct cs_frame_entries v = { .n = 1, .entry = { cs_buf_view(entry) } };
	struct cs_buf request = { 0 };

	cs_frame_entries_encode(&request, 1, CS_OP_DIR_APPEND, &v);
	CHECK_OK(test_relay_say(&l->r, &registrar, &request));
	liar_catch_up(l);
}

/* ------------------------------------------------------------ the directory */

static void
sign_note(const struct liar_log *log, struct cs_buf *note)
{
	struct cs_buf origin = { 0 }, body = { 0 };
	struct cs_checkpoint cp = log->cp;

	cs_checkpoint_origin(CS_LOG_DIRECTORY, log->network_id, NULL, &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	cs_keyring_sign(log->signer, cs_buf_view(&body), cp.signature);
	cs_checkpoint_encode(cs_buf_view(&origin), &cp,
	    cs_keyring_info(log->signer)->sign_key, note);
	if (log->unsigned_note)
		note->n = body.n + 1; /* with the empty line */
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
}

static void
measure(struct liar_log *log)
{
	struct cs_merkle_edge edge = { 0 };
	uint8_t hash[CS_HASH_BYTES];

	if (log->keep_cp)
		return;
	for (uint32_t i = 0; i < log->n; i++) {
		cs_merkle_leaf(cs_buf_view(&log->leaf[i]), hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	log->cp.size = log->n;
	cs_merkle_root(&edge, log->cp.root);
}

/* The honest log; incarnation and time as the relay signed them. */
static void
read_log(struct liar *l, struct cs_bytes note, struct liar_log *log)
{
	struct cs_buf origin = { 0 };
	struct cs_note parts;
	struct cs_bytes leaf;

	memcpy(log->network_id, l->r.net.network_id, CS_NETWORK_ID_BYTES);
	log->signer = l->r.net.relay;
	cs_checkpoint_origin(CS_LOG_DIRECTORY, log->network_id, NULL, &origin);
	CHECK_OK(cs_checkpoint_split(note, &parts));
	CHECK_OK(cs_checkpoint_decode_body(parts.body, cs_buf_view(&origin),
	    &log->cp));
	for (; cs_directory_leaf(l->r.net.dir, log->n, &leaf) == CS_OK;
	     log->n++)
		cs_buf_put_bytes(&log->leaf[log->n], leaf);
	cs_buf_fini(&origin);
}

static void
lie_about_log(struct liar *l, uint32_t id, struct cs_wire args,
    struct cs_buf *reply)
{
	struct liar_log *log = calloc(1, sizeof(*log));
	struct cs_frame_dir_sync_reply page = { 0 };
	struct cs_frame_dir_sync v;
	struct cs_buf note = { 0 };
	struct cs_wire w;
	uint64_t code;
	uint32_t was, n;

	CHECK(log != NULL);
	CHECK_OK(cs_frame_dir_sync_decode(&args, &v));
	CHECK_OK(cs_frame_head(cs_buf_view(reply), &w, &code, &was, &n));
	CHECK_OK(cs_frame_dir_sync_reply_decode(&w, &page));
	liar_catch_up(l);
	read_log(l, page.checkpoint, log);
	l->log_lie(l, log);
	l->lies++;
	measure(log);
	sign_note(log, &note);
	cs_buf_reset(reply);
	page.checkpoint = cs_buf_view(&note);
	page.n = v.from < log->n ? log->n - (uint32_t)v.from : 0;
	cs_frame_dir_sync_reply_encode(reply, id, &page);
	for (uint64_t i = v.from; i < log->n; i++)
		cs_wire_put_bin(reply, cs_buf_view(&log->leaf[i]));
	for (uint32_t i = 0; i < LIAR_LEAVES; i++)
		cs_buf_fini(&log->leaf[i]);
	cs_buf_fini(&note);
	free(log);
}

uint32_t
liar_last(const struct liar_log *log, enum cs_entry_type type)
{
	struct cs_entry_leaf leaf;
	struct cs_entry entry;

	for (uint32_t i = log->n; i-- > 0;) {
		CHECK_OK(cs_entry_leaf_decode(cs_buf_view(&log->leaf[i]),
		    &leaf));
		CHECK_OK(cs_entry_decode(leaf.entry, &entry));
		if (entry.type == type)
			return i;
	}
	CHECK(!"there is an entry of this type");
	return 0;
}

void
liar_forge(struct liar *l, struct liar_log *log, const struct cs_keyring *kr,
    const uint8_t *authority, enum cs_entry_type type, const uint8_t *subject,
    uint64_t prev, struct cs_bytes body)
{
	struct cs_entry_leaf leaf = { .seq = log->n,
		.logged_at_s = liar_time_s };
	struct cs_buf entry = { 0 };

	CHECK(log->n < LIAR_LEAVES);
	network_sign_for(&l->r.net, kr, authority, type, subject, prev, body,
	    &entry);
	leaf.entry = cs_buf_view(&entry);
	cs_entry_leaf_encode(&leaf, &log->leaf[log->n++]);
	cs_buf_fini(&entry);
}

/* ------------------------------------------------------------------ the wire
 */

static void
login(struct liar *l, const struct cs_noise *session, uint32_t id,
    struct cs_wire w, struct cs_buf *out)
{
	struct cs_frame_login_reply reply;
	cs_err e;

	CHECK_OK(cs_frame_login_decode(&w, &l->login));
	e = cs_service_login(l->r.s, &l->login, cs_noise_hash(session), &l->who,
	    &reply);
	if (e == CS_OK)
		cs_frame_login_reply_encode(out, id, &reply);
	else
		cs_frame_error_encode(out, id, e, cs_err_text(e), 0);
}

static void
answer(void *ctx, const struct cs_noise *session, struct cs_bytes request,
    struct cs_buf *out)
{
	struct liar *l = ctx;
	struct cs_wire args;
	uint32_t id, n;
	uint64_t op;

	CHECK_OK(cs_frame_head(request, &args, &op, &id, &n));
	if (memcmp(l->session, cs_noise_hash(session), sizeof(l->session)) !=
	    0) {
		memcpy(l->session, cs_noise_hash(session), sizeof(l->session));
		l->who = (struct cs_principal){ 0 };
	}
	if (op == CS_OP_LOGIN)
		login(l, session, id, args, out);
	else
		ask(l, &l->who, request, out);
	if (l->log_lie && op == CS_OP_DIR_SYNC)
		lie_about_log(l, id, args, out);
	if (l->reply_lie)
		l->reply_lie(l, (enum cs_op)op, id, args, out);
}

void
liar_start(struct liar *l)
{
	struct cs_directory_relay relay;
	struct cs_buf entry = { 0 };

	memset(l, 0, sizeof(*l));
	liar_time_s = TEST_RELAY_TIME;
	test_relay_init(&l->r);
	test_relay_start(&l->r);
	fake_relay_open(&l->f, &l->r.net);
	CHECK_OK(cs_directory_relay(l->r.net.dir, &relay));
	CHECK_OK(cs_enrol_relay(l->r.net.registrar,
	    cs_keyring_info(l->r.net.relay), cs_bytes_str(l->f.url),
	    relay.entry, liar_time_s, &entry));
	liar_append(l, &entry);
	cs_buf_fini(&entry);
	l->f.mood = (struct fake_relay_mood){ .whole = answer, .ctx = l };
	fake_relay_run(&l->f);
}

void
liar_stop(struct liar *l)
{
	fake_relay_close(&l->f);
	test_relay_fini(&l->r);
}

void
liar_set(struct liar *l, liar_log_lie *log_lie, liar_reply_lie *reply_lie)
{
	pthread_mutex_lock(&l->f.mutex);
	l->log_lie = log_lie;
	l->reply_lie = reply_lie;
	l->lies = 0;
	pthread_mutex_unlock(&l->f.mutex);
}

struct cs_client *
liar_join(struct liar *l, const char *home, const char *address)
{
	const struct cs_join j = { .dir = test_path(home),
		.invitation = fake_relay_invite(&l->f, address),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;
	struct cs_client *c = NULL;
	struct cs_why why = { 0 };
	cs_err e = cs_join_run(&j, &why, &r);

	if (e != CS_OK)
		printf("# %s\n", why.text);
	CHECK_OK(e);
	CHECK_OK(cs_client_open(test_path(home), NULL, NULL, &c));
	liar_catch_up(l);
	return c;
}
