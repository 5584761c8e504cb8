/* Delivering to a relay that refuses, over days: this program's clock, and
 * the fake relay's with it, is moved by the tests. */
#include "client/deliver.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/cosigned.h"
#include "client/join.h"
#include "client/notices.h"
#include "client/outbox.h"
#include "client/outcome.h"
#include "client/outrec.h"
#include "client/sealing.h"
#include "client/sent.h"
#include "client/sync.h"
#include "keys/enrol.h"
#include "proto/invite.h"
#include "proto/merkle.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define HOUR 3600
#define DAY  86400

static time_t shift_s;

time_t
time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += shift_s;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

/* What the fake relay has of Bob's keys, and what it answers. */
struct fixture {
	struct fake_relay relay;
	struct cs_client *c;
	struct cs_buf content;
	struct cs_bytes to;
	struct cs_outbox_job job;
	uint8_t id[CS_ID_BYTES];
	uint8_t bob[CS_ID_BYTES];
	uint64_t first_epoch;
	uint8_t keys[CS_EPOCHS_PER_BATCH][CS_KEM_PUBLIC_BYTES];
	bool has_keys;
	cs_err begin, submit, keys_answer; /* refusals; CS_OK: none */
	unsigned submits, cancels, status_asks;
	unsigned least_asked, most_asked; /* devices whose keys were wanted */
	uint64_t expires_s, reserved_expires_s;
	uint32_t n_envelope;
};

/* ------------------------------------------------------------- epoch keys */

static void
leaf_of(const struct fixture *x, unsigned i, uint8_t ret[static 32])
{
	uint8_t data[CS_ID_BYTES + 8 + CS_KEM_PUBLIC_BYTES];

	memcpy(data, x->bob, CS_ID_BYTES);
	cs_bytes_be(x->first_epoch + i, 8, data + CS_ID_BYTES);
	memcpy(data + CS_ID_BYTES + 8, x->keys[i], CS_KEM_PUBLIC_BYTES);
	cs_merkle_leaf(CS_BYTES(data), ret);
}

/* Inclusion proof of leaf i of n from the given one on. */
static void
prove(const struct fixture *x, unsigned from, unsigned n, unsigned i,
    struct cs_buf *out)
{
	const bool left = n > 1;
	struct cs_merkle_edge edge = { 0 };
	uint8_t hash[CS_HASH_BYTES];
	unsigned k = 1, at, end;

	if (!left)
		return;
	while (2 * k < n)
		k *= 2;
	if (i < k)
		prove(x, from, k, i, out);
	else
		prove(x, from + k, n - k, i - k, out);
	at = i < k ? from + k : from;
	end = i < k ? from + n : from + k;
	for (; at < end; at++) {
		leaf_of(x, at, hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	cs_merkle_root(&edge, hash);
	cs_buf_put(out, hash, sizeof(hash));
}

static void
epoch_get(struct fixture *x, uint32_t id, struct cs_wire *w, struct cs_buf *out)
{
	struct cs_frame_epoch_get_reply reply = { .n = 1 };
	struct cs_frame_epoch_found row = { .count = CS_EPOCHS_PER_BATCH };
	struct cs_buf proof = { 0 };
	struct cs_frame_epoch_get v;
	unsigned i;

	CHECK_OK(cs_frame_epoch_get_decode(w, &v));
	i = (unsigned)(v.epoch - x->first_epoch);
	prove(x, 0, CS_EPOCHS_PER_BATCH, i, &proof);
	row.epoch = v.epoch;
	row.first_epoch = x->first_epoch;
	row.key.p = x->keys[i];
	row.key.n = CS_KEM_PUBLIC_BYTES;
	row.proof = cs_buf_view(&proof);
	cs_frame_epoch_get_reply_encode(out, id, &reply);
	cs_frame_put_epoch_found(out, &row);
	cs_buf_fini(&proof);
}

/* The first who publishes is Bob. */
static void
epoch_put(struct fixture *x, struct cs_wire *w)
{
	struct cs_frame_epoch_put v;

	if (x->has_keys || cs_frame_epoch_put_decode(w, &v) != CS_OK)
		return;
	x->has_keys = true;
	x->first_epoch = v.first_epoch;
	memcpy(x->keys, v.keys.p, sizeof(x->keys));
}

/* ------------------------------------------------------------------ relay */

static void
upload_begin(struct fixture *x, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	struct cs_frame_upload_begin_reply reply = { .reserved_until_s = 1 };
	struct cs_frame_upload_begin v;

	CHECK_OK(cs_frame_upload_begin_decode(w, &v));
	x->expires_s = v.expires_at_s;
	x->n_envelope = v.envelope_bytes;
	if (x->begin == CS_CLASH && x->cancels > 0)
		cs_frame_upload_begin_reply_encode(out, id, &reply);
	else if (x->begin != CS_OK)
		cs_frame_error_encode(out, id, x->begin, "because", 0);
	else
		cs_frame_upload_begin_reply_encode(out, id, &reply);
}

static void
status(struct fixture *x, uint32_t id, struct cs_wire *w, struct cs_buf *out)
{
	struct cs_frame_status_reply reply = { .n = 1 };
	struct cs_frame_status v;

	CHECK_OK(cs_frame_status_decode(w, &v));
	x->status_asks++;
	if (v.envelope_ids.n > CS_ID_BYTES) {
		cs_frame_error_encode(out, id, CS_TOO_LARGE, "fewer", 0);
		return;
	}
	cs_frame_status_reply_encode(out, id, &reply);
	cs_frame_put_status_row(out, CS_UPLOAD_GONE, (struct cs_bytes){ 0 },
	    NULL, 0);
}

static void
note_asked(struct fixture *x, struct cs_wire w)
{
	struct cs_frame_epoch_get v;
	unsigned n;

	CHECK_OK(cs_frame_epoch_get_decode(&w, &v));
	n = (unsigned)(v.device_ids.n / CS_ID_BYTES);
	if (x->least_asked == 0 || n < x->least_asked)
		x->least_asked = n;
	if (n > x->most_asked)
		x->most_asked = n;
}

static bool
hook(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	struct fixture *x = ctx;

	if (op == CS_OP_EPOCH_PUT) {
		epoch_put(x, w);
		return false;
	}
	if (op == CS_OP_EPOCH_GET)
		note_asked(x, *w);
	if (op == CS_OP_EPOCH_GET && x->keys_answer != CS_OK)
		cs_frame_error_encode(out, id, x->keys_answer, "because", 0);
	else if (op == CS_OP_EPOCH_GET)
		epoch_get(x, id, w, out);
	else if (op == CS_OP_UPLOAD_BEGIN)
		upload_begin(x, id, w, out);
	else if (op == CS_OP_SUBMIT)
		cs_frame_error_encode(out, id, x->submit, "because", 0);
	else if (op == CS_OP_STATUS)
		status(x, id, w, out);
	else if (op == CS_OP_UPLOAD_CANCEL)
		cs_frame_ok_encode(out, id);
	else
		return false;
	x->submits += op == CS_OP_SUBMIT;
	x->cancels += op == CS_OP_UPLOAD_CANCEL;
	return true;
}

static void
join(struct fixture *x, const char *home, const char *address, uint8_t *ret_id)
{
	const struct cs_join j = { .dir = test_path(home),
		.invitation = fake_relay_invite(&x->relay, address),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;

	CHECK_OK(cs_join_run(&j, NULL, &r));
	if (ret_id)
		memcpy(ret_id, r.device_id, CS_ID_BYTES);
}

/* A case of Ann's for Bob, in her outbox. */
static void
begin(struct fixture *x)
{
	struct cs_casefile cf = { .subject = cs_bytes_str("a case"),
		.question = cs_bytes_str("what is it?"),
		.note = cs_bytes_str("a note"),
		.urgency = CS_CLASS_ROUTINE };

	shift_s = 0;
	memset(x, 0, sizeof(*x));
	x->submit = CS_DENIED;
	fake_relay_start(&x->relay);
	fake_relay_set(&x->relay,
	    (struct fake_relay_mood){ .hook = hook, .ctx = x });
	join(x, "bob", "bob@clinic", x->bob);
	join(x, "ann", "ann@clinic", NULL);
	CHECK_OK(cs_client_open(test_path("ann"), NULL, NULL, &x->c));
	cs_casefile_encode_begin(&x->content, 0);
	CHECK_OK(cs_casefile_encode_end(&x->content, &cf));
	x->to = cs_bytes_str("bob@clinic");
	x->job = (struct cs_outbox_job){ .content_kind = CS_CONTENT_CASE,
		.class = CS_CLASS_ROUTINE,
		.n_to = 1,
		.to = &x->to,
		.content = cs_buf_view(&x->content) };
	CHECK_OK(cs_outbox_add(x->c, &x->job, x->id));
}

static void
end(struct fixture *x)
{
	cs_client_close(x->c);
	cs_buf_fini(&x->content);
	fake_relay_stop(&x->relay);
}

/* One try, this long after the first; what it ends as. */
static void
check_try(struct fixture *x, time_t after_s, enum cs_outrec_stage stage)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_sync_report report;
	struct cs_outrec rec;
	bool known;

	shift_s = after_s;
	cs_client_disconnect(x->c);
	CHECK_OK(cs_sync_deliver(x->c, 0, &report));
	CHECK_NUM(stage == CS_OUTREC_FAILED, report.failed);
	CHECK_NUM(stage != CS_OUTREC_FAILED, report.queued);
	CHECK_OK(cs_local_begin(cs_client_local(x->c), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, x->id, &rec, &value));
	CHECK_NUM(stage, rec.stage);
	/* the relay's own word, but where ours says more */
	known = memmem(rec.why.p, rec.why.n, "because", 7) != NULL ||
		memmem(rec.why.p, rec.why.n, "another message", 15) != NULL ||
		rec.failure == CS_EXPIRED;
	if (!known)
		printf("# error %d: %.*s\n", (int)rec.failure, (int)rec.why.n,
		    (const char *)rec.why.p);
	CHECK(known);
	cs_secret_free(value);
	cs_local_end(&txn);
}

static struct cs_bytes
spooled(const struct fixture *x)
{
	char path[CS_HOME_PATH_BYTES], file[CS_HOME_PATH_BYTES + 16];

	cs_home_path(cs_client_home(x->c), CS_HOME_SPOOL, x->id, NULL, path);
	snprintf(file, sizeof(file), "%s/envelope", path);
	return test_read(file);
}

static bool
has_spool(const struct fixture *x)
{
	char path[CS_HOME_PATH_BYTES];

	cs_home_path(cs_client_home(x->c), CS_HOME_SPOOL, x->id, NULL, path);
	return access(path, F_OK) == 0;
}

/* ------------------------------------------------------------------ tests */

/* Nothing a relay says is for good, at any step. */
TEST(deliver_gives_up_on_no_relays_word)
{
	static const cs_err words[] = { CS_DENIED, CS_NOT_FOUND, CS_EXPIRED,
		CS_TOO_LARGE, CS_NO_KEY, CS_REVOKED, CS_MALFORMED, CS_CORRUPT,
		CS_UNSUPPORTED };
	struct fixture x;
	size_t i;

	begin(&x);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		x.keys_answer = words[i];
		check_try(&x, 0, CS_OUTREC_QUEUED);
	}
	x.keys_answer = CS_OK;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		x.begin = words[i];
		check_try(&x, 0, CS_OUTREC_SEALED);
	}
	x.begin = CS_OK;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		x.submit = words[i];
		check_try(&x, 0, CS_OUTREC_SUBMITTED);
	}
	end(&x);
}

TEST(deliver_seals_again_what_was_never_submitted)
{
	struct cs_bytes first, again;
	uint64_t expires_s;
	struct fixture x;

	begin(&x);
	x.begin = CS_QUOTA;
	check_try(&x, 0, CS_OUTREC_SEALED);
	first = spooled(&x);
	expires_s = x.expires_s;
	check_try(&x, 20 * HOUR, CS_OUTREC_SEALED);
	CHECK_VIEW(first, spooled(&x));
	/* Room was reserved for this, so the terms are the same. */
	check_try(&x, 26 * HOUR, CS_OUTREC_SEALED);
	again = spooled(&x);
	CHECK(again.n == first.n && memcmp(again.p, first.p, first.n) != 0);
	CHECK_NUM(expires_s, x.expires_s);
	CHECK_NUM(again.n, x.n_envelope);
	/* Where they cannot be, the reservation gives way. */
	x.begin = CS_CLASH;
	check_try(&x, 26 * HOUR, CS_OUTREC_SUBMITTED);
	CHECK_NUM(1, x.cancels);
	CHECK_NUM(1, x.submits);
	end(&x);
}

/* The practice gets an archive, with keys in the log. */
static void
add_archive(struct network *n)
{
	const struct cs_enrol_guest guest = {
		.address = cs_bytes_str("vault@clinic"),
		.name = cs_bytes_str("Vault"),
		.role = cs_bytes_str(CS_ROLE_ARCHIVE),
		.expires_s = n->now_s + DAY,
	};
	const struct cs_entry_epoch_batch batch = {
		.first_epoch = cs_epoch_of(cs_client_now()),
		.count = CS_EPOCHS_PER_BATCH,
	};
	struct cs_buf file = { 0 }, device = { 0 }, keys = { 0 };
	struct cs_enrol_card card;
	struct cs_keyring *kr;
	struct cs_invite inv;

	n->now_s = cs_client_now();
	CHECK_OK(cs_enrol_invite(n->registrar, n->dir, &guest, n->now_s,
	    &file));
	CHECK_OK(cs_invite_decode(cs_buf_view(&file), &inv));
	CHECK_OK(cs_enrol_check_invite(&inv, n->now_s, &card));
	kr = network_keyring(n, CS_KEYRING_DEVICE, card.member_id);
	CHECK_OK(cs_enrol_device(&inv, kr, cs_bytes_str("box"), n->now_s,
	    &device));
	CHECK_OK(cs_enrol_batch(kr, &batch, CS_ENTRY_NO_PREV, n->now_s, &keys));
	CHECK_OK(network_append(n, inv.member_entry));
	CHECK_OK(network_append(n, cs_buf_view(&device)));
	CHECK_OK(network_append(n, cs_buf_view(&keys)));
	cs_keyring_free(kr);
	cs_buf_fini(&file);
	cs_buf_fini(&device);
	cs_buf_fini(&keys);
}

/* What was sent is a record; how it fared is none. */
static cs_err
settle(void *ctx, const struct cs_notice *n)
{
	return cs_notices_settle(ctx, n->seq);
}

TEST(deliver_seals_cases_to_the_archive_and_receipts_not)
{
	static const uint8_t about[CS_ID_BYTES] = { 1 };
	struct cs_directory_device bob;
	struct cs_local_txn *txn = NULL;
	struct cs_sync_report report;
	const struct cs_statement opened = { .fact = CS_FACT_OPENED };
	struct cs_buf said = { 0 };
	struct fixture x;

	begin(&x);
	x.keys_answer = CS_DENIED;
	check_try(&x, 0, CS_OUTREC_QUEUED);
	CHECK_NUM(1, x.most_asked);
	cs_client_disconnect(x.c);
	add_archive(&x.relay.net);
	/* not before a human has said that the archive is known */
	CHECK_OK(cs_sync_deliver(x.c, 0, &report));
	CHECK_NUM(1, report.queued);
	CHECK_NUM(1, x.most_asked);
	CHECK_ERR(CS_UNCONFIRMED, cs_notices_check(x.c));
	CHECK_OK(cs_notices_list(x.c, settle, x.c));
	CHECK_OK(cs_notices_check(x.c));
	check_try(&x, 0, CS_OUTREC_QUEUED);
	CHECK_NUM(2, x.most_asked);
	CHECK_OK(cs_directory_device(cs_client_directory(x.c), x.bob, &bob));
	CHECK_OK(cs_local_begin(cs_client_local(x.c), true, &txn));
	CHECK_OK(cs_statement_encode(&opened, &said));
	cs_buf_put_zero(&said, CS_SIGNATURE_BYTES);
	CHECK_OK(cs_outbox_put_receipt(x.c, txn, bob.member, about,
	    cs_buf_view(&said)));
	CHECK_OK(cs_local_commit(&txn));
	cs_buf_fini(&said);
	x.least_asked = x.most_asked = 0;
	CHECK_OK(cs_sync_deliver(x.c, 0, &report));
	CHECK_NUM(1, x.least_asked);
	CHECK_NUM(2, x.most_asked);
	end(&x);
}

TEST(deliver_never_changes_what_was_submitted)
{
	struct cs_bytes first;
	struct fixture x;

	begin(&x);
	check_try(&x, 0, CS_OUTREC_SUBMITTED);
	first = spooled(&x);
	check_try(&x, 47 * HOUR, CS_OUTREC_SUBMITTED);
	CHECK_VIEW(first, spooled(&x));
	/* A clash now is no reason to take back what may be accepted. */
	x.begin = CS_CLASH;
	check_try(&x, 47 * HOUR, CS_OUTREC_SUBMITTED);
	CHECK_NUM(0, x.cancels);
	x.begin = CS_OK;
	/* Too old for any relay: asked once more, then given up. */
	x.submits = 0;
	check_try(&x, 52 * HOUR, CS_OUTREC_FAILED);
	CHECK_NUM(1, x.submits);
	CHECK_VIEW(first, spooled(&x));
	end(&x);
}

/* Sealed to nobody while too few witnesses bear the directory out; as soon as
 * they do, or, if they never do, until its time is over. */
TEST(deliver_waits_for_witnesses)
{
	struct fake_relay_mood mood = { .hook = hook };
	struct cs_sent_message m;
	struct cs_keyring *witness;
	struct cs_sync_report r;
	struct fixture x;

	begin(&x);
	mood.ctx = &x;
	x.begin = CS_QUOTA;
	x.relay.net.now_s = (uint64_t)time(NULL);
	witness = network_witness(&x.relay.net, "W");
	CHECK_OK(cs_cosigned_set(x.c, 1));
	CHECK_OK(cs_sync_deliver(x.c, 0, &r));
	CHECK_NUM(1, r.queued);
	CHECK_OK(cs_sent_get(x.c, x.id, &m));
	CHECK_NUM(CS_SENT_QUEUED, m.stage);
	CHECK_ERR(CS_UNWITNESSED, m.failure);
	CHECK(memmem(m.why.p, m.why.n, "witnesses", 9) != NULL);
	cs_sent_fini(&m);
	mood.cosigner[0] = witness;
	fake_relay_set(&x.relay, mood);
	check_try(&x, 0, CS_OUTREC_SEALED);
	end(&x);
	cs_keyring_free(witness);
}

/* Old words do where the human said so, and the message says it. */
TEST(deliver_says_that_it_went_on_old_cosignatures)
{
	struct fake_relay_mood mood = { .hook = hook,
		.cosigned_before_s = 30 * HOUR };
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	uint8_t id[CS_ID_BYTES];
	struct cs_keyring *witness;
	struct cs_sent_message m;
	struct cs_sync_report r;
	struct cs_sealing_lists lists = { 0 };
	struct cs_buf envelope = { 0 };
	struct cs_outrec rec;
	struct fixture x;

	begin(&x);
	mood.ctx = &x;
	x.begin = CS_QUOTA;
	x.job.stale_ok = true;
	CHECK_OK(cs_outbox_add(x.c, &x.job, id));
	x.relay.net.now_s = (uint64_t)time(NULL);
	witness = network_witness(&x.relay.net, "W");
	mood.cosigner[0] = witness;
	fake_relay_set(&x.relay, mood);
	CHECK_OK(cs_cosigned_set(x.c, 1));
	CHECK_OK(cs_sync_deliver(x.c, 0, &r));
	CHECK_OK(cs_sent_get(x.c, x.id, &m));
	CHECK_NUM(CS_SENT_QUEUED, m.stage);
	CHECK_ERR(CS_UNWITNESSED, m.failure);
	cs_sent_fini(&m);
	CHECK_OK(cs_local_begin(cs_client_local(x.c), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value));
	CHECK_NUM(CS_OUTREC_SEALED, rec.stage);
	cs_local_end(&txn);
	/* the record does not keep what sealing fills in: once more */
	CHECK_OK(cs_sealing_run(x.c, &rec, &lists, &envelope));
	CHECK(rec.manifest.flags & CS_MANIFEST_STALE_OK);
	cs_sealing_lists_fini(&lists);
	cs_buf_fini(&envelope);
	cs_secret_free(value);
	end(&x);
	cs_keyring_free(witness);
}

TEST(deliver_does_not_wait_for_witnesses_for_ever)
{
	struct cs_sync_report r;
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_cosigned_set(x.c, 1));
	CHECK_OK(cs_sync_deliver(x.c, 0, &r));
	CHECK_NUM(1, r.queued);
	shift_s = 91 * DAY;
	cs_client_disconnect(x.c);
	CHECK_OK(cs_sync_deliver(x.c, 0, &r));
	CHECK_NUM(1, r.failed);
	end(&x);
}

TEST(deliver_ends_with_the_lifetime_since_writing)
{
	struct fixture x;

	begin(&x);
	x.keys_answer = CS_NO_KEY;
	check_try(&x, 29 * DAY, CS_OUTREC_QUEUED);
	check_try(&x, 30 * DAY + HOUR, CS_OUTREC_FAILED);
	end(&x);
}

/* A machine that was off all the time: the relay would take it. */
TEST(deliver_seals_nothing_whose_time_is_over)
{
	struct fixture x;

	begin(&x);
	check_try(&x, 30 * DAY + HOUR, CS_OUTREC_FAILED);
	CHECK_NUM(0, x.submits);
	end(&x);
}

TEST(deliver_ends_with_the_lifetime_since_sealing)
{
	struct fixture x;

	begin(&x);
	x.begin = CS_QUOTA;
	check_try(&x, 0, CS_OUTREC_SEALED);
	check_try(&x, 30 * DAY + HOUR, CS_OUTREC_FAILED);
	end(&x);
}

TEST(deliver_keeps_what_failed_until_it_is_discarded)
{
	struct fixture x;

	begin(&x);
	CHECK_ERR(CS_USAGE, cs_outbox_discard(x.c, x.id));
	check_try(&x, 0, CS_OUTREC_SUBMITTED);
	check_try(&x, 52 * HOUR, CS_OUTREC_FAILED);
	CHECK_OK(cs_outbox_sweep(x.c));
	CHECK(has_spool(&x));
	CHECK_OK(cs_outbox_discard(x.c, x.id));
	CHECK(!has_spool(&x));
	end(&x);
}

/* Sealing again that was broken off leaves an envelope its record does not
 * know. */
TEST(deliver_seals_again_what_is_damaged)
{
	char path[CS_HOME_PATH_BYTES], file[CS_HOME_PATH_BYTES + 16];
	struct fixture x;

	begin(&x);
	x.begin = CS_QUOTA;
	check_try(&x, 0, CS_OUTREC_SEALED);
	cs_home_path(cs_client_home(x.c), CS_HOME_SPOOL, x.id, NULL, path);
	snprintf(file, sizeof(file), "%s/envelope", path);
	test_write(file, cs_bytes_str("half of it"));
	check_try(&x, 0, CS_OUTREC_SEALED);
	CHECK(spooled(&x).n > 4096);
	/* Submitted, it cannot be made again. */
	x.begin = CS_OK;
	check_try(&x, 0, CS_OUTREC_SUBMITTED);
	test_write(file, cs_bytes_str("half of it"));
	cs_client_disconnect(x.c);
	CHECK_OK(cs_sync_deliver(x.c, 0, &(struct cs_sync_report){ 0 }));
	CHECK(has_spool(&x));
	end(&x);
}

TEST(outcome_asks_for_fewer_where_the_answer_is_too_large)
{
	struct cs_local_ids at = { .table = CS_LOCAL_OPEN };
	struct cs_local_txn *txn = NULL;
	struct fixture x;
	int i;

	begin(&x);
	CHECK_OK(cs_client_connect(x.c, 0));
	CHECK_OK(cs_local_begin(cs_client_local(x.c), true, &txn));
	for (i = 0; i < 5; i++) {
		CHECK_OK(cs_local_put(txn, CS_LOCAL_OPEN, CS_BYTES(x.id),
		    CS_BYTES(x.id)));
		CHECK_OK(cs_local_commit(&txn));
		CHECK_OK(cs_outbox_add(x.c, &x.job, x.id));
		CHECK_OK(cs_local_begin(cs_client_local(x.c), true, &txn));
	}
	cs_local_end(&txn);
	CHECK_OK(cs_outcome_poll(x.c));
	CHECK_NUM(9, x.status_asks); /* 5; 2, 3; 1, 1, 1, 2; 1, 1 */
	CHECK_OK(cs_local_begin(cs_client_local(x.c), false, &txn));
	CHECK_ERR(CS_NOT_FOUND, cs_local_next_id(txn, &at));
	cs_local_end(&txn);
	end(&x);
}
