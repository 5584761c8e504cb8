#include "client/deliver.h"

#include <string.h>

#include "client/anchor.h"
#include "client/ask.h"
#include "client/cosigned.h"
#include "client/held.h"
#include "client/kept.h"
#include "client/logbook.h"
#include "client/marks.h"
#include "client/outrec.h"
#include "client/receipt.h"
#include "client/sealing.h"
#include "client/upload.h"
#include "keys/file.h"
#include "proto/envelope.h"

#define SUBMIT_TRIES 3
/* Sealed again after this: half of what the relay allows is left for a long
 * upload. */
#define RESEAL_S (CS_LIMIT_CREATED_BEFORE_S / 2)

/* One pending message. */
struct job {
	struct cs_client *c;
	enum cs_local_table table;
	uint8_t id[CS_ID_BYTES];
	struct cs_outrec rec;
	struct cs_secret *value;       /* rec borrows from it … */
	struct cs_sealing_lists lists; /* … and from this once sealed */
	struct cs_buf envelope, said;
	uint64_t sealed_s; /* from the envelope, to the hour; 0: not sealed */
};

static void
envelope_path(const struct job *j, char ret[static CS_HOME_PATH_BYTES])
{
	char folder[CS_HOME_PATH_BYTES];
	size_t n;

	cs_home_path(cs_client_home(j->c), CS_HOME_SPOOL, j->id, NULL, folder);
	n = strlen(folder);
	memcpy(ret, folder, n);
	memcpy(ret + n, "/" CS_HOME_ENVELOPE, sizeof("/" CS_HOME_ENVELOPE));
}

/* Writes the record, and takes it off the queue where it is done with. */
static cs_err
save(struct job *j)
{
	const struct cs_bytes key = CS_BYTES(j->id);
	const bool done = j->rec.stage == CS_OUTREC_ACCEPTED ||
			  j->rec.stage == CS_OUTREC_FAILED;
	struct cs_local_txn *txn = NULL;
	struct cs_logged logged;
	struct cs_statement st;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(j->c), true, &txn));
	if (done)
		CS_TRY(cs_local_delete(txn, CS_LOCAL_PENDING, key));
	if (done && j->table == CS_LOCAL_OWED)
		CS_TRY(cs_local_delete(txn, j->table, key));
	else
		CS_TRY(cs_outrec_put(txn, j->table, &j->rec));
	if (j->rec.stage == CS_OUTREC_ACCEPTED) {
		CS_TRY(cs_statement_logged_decode(j->rec.custody, &logged));
		CS_TRY(cs_statement_decode(logged.statement, &st));
		CS_TRY(cs_marks_keep(txn, j->rec.custody, &st));
	}
	if (j->rec.stage == CS_OUTREC_ACCEPTED && j->table == CS_LOCAL_OUT) {
		CS_TRY(cs_local_put(txn, CS_LOCAL_OPEN, key, key));
		/* the first: later ones keep it for longer */
		CS_TRY(cs_receipt_store(txn, j->id, st.signer_device,
		    CS_FACT_CUSTODY, j->rec.custody, NULL));
		CS_TRY(cs_logbook_want(j->c, txn, logged.checkpoint,
		    logged.index));
	}
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* -------------------------------------------------------------------- steps */

static cs_err
load(struct job *j)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(j->c), false, &txn));
	CS_TRY(cs_outrec_get(txn, j->table, j->id, &j->rec, &j->value));
out:
	cs_local_end(&txn);
	return e;
}

/* A receipt takes along what shows by when it was there, if the relay lets it
 * be entered. */
static cs_err
attach_evidence(struct job *j)
{
	struct cs_manifest *m = &j->rec.manifest;
	cs_err e;

	if (j->table != CS_LOCAL_OWED || m->content_kind != CS_CONTENT_RECEIPT)
		return CS_OK;
	CS_TRY(cs_anchor_run(j->c));
	cs_buf_reset(&j->said);
	e = cs_anchor_load(j->c, m->content, &j->said);
	if (e == CS_OK)
		m->content = cs_buf_view(&j->said);
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

/* Anew each time: other stanzas, another E under the same id. */
static cs_err
seal(struct job *j)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	CS_TRY(attach_evidence(j));
	cs_buf_reset(&j->envelope);
	j->sealed_s = cs_client_now();
	CS_TRY(cs_sealing_run(j->c, &j->rec, &j->lists, &j->envelope));
	CS_TRY(cs_home_mkdir(cs_client_home(j->c), CS_HOME_SPOOL, j->id));
	envelope_path(j, path);
	CS_TRY(cs_file_write(path, cs_buf_view(&j->envelope), 0600, true));
	CS_TRY(save(j));
out:
	return e;
}

static cs_err
read_envelope(struct job *j)
{
	char path[CS_HOME_PATH_BYTES];
	struct cs_envelope envelope;
	uint8_t hash[CS_HASH_BYTES];
	cs_err e;

	envelope_path(j, path);
	CS_TRY(cs_file_read(path, CS_LIMIT_ENVELOPE_BYTES, false,
	    &j->envelope));
	CS_TRY(cs_envelope_decode(cs_buf_view(&j->envelope), &envelope) == CS_OK
		   ? CS_OK
		   : CS_CORRUPT);
	/* Sealing again was broken off before the record was written. */
	cs_envelope_hash(&envelope, hash);
	CS_TRY(memcmp(hash, j->rec.e, sizeof(hash)) == 0 ? CS_OK : CS_CORRUPT);
	j->sealed_s = envelope.created_hour_s;
out:
	if (e != CS_OK)
		cs_why_set(cs_client_why(j->c), "spooled message %s", path);
	return e == CS_NOT_FOUND ? CS_CORRUPT : e;
}

/* Is its lifetime over? Before it is sealed, that counts from when it was
 * written. */
static bool
is_over(const struct cs_outrec *rec)
{
	const uint64_t end_s =
	    rec->expires_s ? rec->expires_s : rec->created_s + rec->lifetime_s;

	return end_s <= cs_client_now();
}

/* Whether a device that it was sealed to has been revoked since: the relay
 * takes nothing for it, and the others shall have it all the same. */
static bool
is_for_revoked(const struct job *j)
{
	struct cs_manifest_device row;
	size_t pos = 0;

	while (cs_manifest_next_device(&j->rec.manifest, &pos, &row))
		if (cs_directory_standing(cs_client_directory(j->c),
			row.device_id, 0) == CS_REVOKED)
			return true;
	return false;
}

/* The bytes to submit: docs/protocol.md section 2, Sealed again. */
static cs_err
prepare(struct job *j)
{
	cs_err e;

	/* Sealing gives it a life from now on: not to a case whose time is
	 * over. A statement about one is wanted all the same. */
	if (j->rec.stage == CS_OUTREC_QUEUED)
		return j->table == CS_LOCAL_OUT && is_over(&j->rec) ? CS_EXPIRED
								    : seal(j);
	e = read_envelope(j);
	if (j->rec.stage == CS_OUTREC_SUBMITTED) {
		if (e == CS_CORRUPT)
			j->rec.stage = CS_OUTREC_FAILED;
		return e;
	}
	if (is_over(&j->rec))
		return CS_EXPIRED;
	if (e == CS_CORRUPT ||
	    (e == CS_OK && (j->sealed_s + RESEAL_S < cs_client_now() ||
			       is_for_revoked(j)))) {
		cs_why_clear(cs_client_why(j->c));
		return seal(j);
	}
	return e;
}

static cs_err
submit(struct job *j, struct cs_bytes *ret_custody)
{
	int try;
	cs_err e = CS_PARTIAL;

	/* Partial: a reservation ran out meanwhile, or a segment was lost. */
	for (try = 0; try < SUBMIT_TRIES && e == CS_PARTIAL; try++) {
		cs_why_clear(cs_client_why(j->c));
		CS_TRY(cs_upload_run(j->c, &j->rec, j->envelope.n));
		/* Durable before the first byte leaves. */
		if (j->rec.stage == CS_OUTREC_SEALED) {
			j->rec.stage = CS_OUTREC_SUBMITTED;
			CS_TRY(save(j));
		}
		e = cs_ask_submit(cs_client_conn(j->c),
		    cs_buf_view(&j->envelope), ret_custody);
	}
out:
	/* What this device sealed under an id it seals once, but for one case.
	 */
	if (e == CS_CLASH) {
		cs_why_clear(cs_client_why(j->c));
		cs_why_set(cs_client_why(j->c),
		    "the relay holds another message under this id: it was "
		    "sent before this home was restored from a backup, ask the "
		    "recipient");
	}
	return e;
}

static cs_err
accept_custody(struct job *j, struct cs_bytes logged)
{
	struct cs_statement st;
	cs_err e;

	e = cs_receipt_check_custody(&j->rec, logged,
	    cs_client_self(j->c)->network_id, cs_client_directory(j->c), &st);
	if (e != CS_OK && e != CS_STALE)
		cs_why_set(cs_client_why(j->c),
		    "the relay's custody statement does not fit what was sent; "
		    "tell the registrar");
	CS_TRY(e);
	CS_TRY(cs_marks_check(j->c, logged, &st));
	j->rec.custody = logged;
	j->rec.stage = CS_OUTREC_ACCEPTED;
	j->rec.failure = CS_OK;
	j->rec.why = (struct cs_bytes){ 0 };
	CS_TRY(save(j));
	/* What is left in the spool, the sweep sees to. */
	e = j->table == CS_LOCAL_OUT
		? cs_kept_move(cs_client_home(j->c), j->id)
		: cs_home_remove(cs_client_home(j->c), CS_HOME_SPOOL, j->id);
	if (e != CS_OK)
		cs_why_set(cs_client_why(j->c), "emptying the spool");
	e = CS_OK;
out:
	return e;
}

static cs_err
deliver(struct job *j)
{
	struct cs_bytes custody;
	cs_err e;

	CS_TRY(load(j));
	CS_TRY(prepare(j));
	CS_TRY(submit(j, &custody));
	e = accept_custody(j, custody);
	if (e == CS_STALE) {
		/* signed by keys that the relay has had only since we synced */
		CS_TRY(cs_client_connect(j->c, 0));
		CS_TRY(submit(j, &custody));
		e = accept_custody(j, custody);
	}
	CS_TRY(e);
out:
	return e;
}

/* ---------------------------------------------------------------- failures */

/* Can no relay take it any more, by our clock (which is the relay's to the
 * hour)? What was submitted keeps its bytes, and they grow too old. */
static bool
is_too_late(const struct job *j)
{
	return is_over(&j->rec) ||
	       (j->rec.stage == CS_OUTREC_SUBMITTED &&
		   j->sealed_s + CS_LIMIT_CREATED_BEFORE_S + 2 * 3600 <
		       cs_client_now());
}

/*
 * Whether to give up. Never on the relay's word alone: it may be wrong, or
 * mended tomorrow, and after a refusal it may hold the message all the same.
 * It must have answered, though, now that nothing can be hoped for: then it
 * has just been asked once more for its custody statement.
 */
static bool
is_final(const struct job *j, cs_err e)
{
	const int code = cs_err_exit_code(e);

	if (j->rec.stage == CS_OUTREC_FAILED)
		return true;
	return is_too_late(j) &&
	       (code != CS_EXIT_BUSY || e == CS_UNWITNESSED) &&
	       code != CS_EXIT_IO && cs_conn_is_open(cs_client_conn(j->c));
}

static void
explain_end(struct job *j)
{
	struct cs_why last = *cs_client_why(j->c);

	cs_why_clear(cs_client_why(j->c));
	cs_why_set(cs_client_why(j->c),
	    "it could not be delivered in time; send it again%s%s",
	    last.text[0] ? ". Last: " : "", last.text);
}

/* Keeps the reason with the message. The views in rec may be of a session's
 * buffer that is gone, so the record is read anew. */
static cs_err
record_failure(struct job *j, cs_err failure, bool final)
{
	const char *why = cs_client_why(j->c)->text;
	cs_err e;

	cs_secret_free(j->value);
	j->value = NULL;
	CS_TRY(load(j));
	j->rec.failure = failure;
	j->rec.why = cs_bytes_str(why);
	if (final)
		j->rec.stage = CS_OUTREC_FAILED;
	CS_TRY(save(j));
	/* What a human wrote stays until that human discards it. */
	if (final && j->table == CS_LOCAL_OWED)
		CS_TRY(cs_home_remove(cs_client_home(j->c), CS_HOME_SPOOL,
		    j->id));
out:
	return e;
}

static cs_err
run_one(struct job *j, struct cs_sync_report *report)
{
	cs_err e = deliver(j), saved;
	bool final;

	if (e == CS_OK) {
		report->delivered += j->table == CS_LOCAL_OUT;
		return CS_OK;
	}
	final = is_final(j, e);
	if (final && is_too_late(j))
		explain_end(j);
	/* Also a record that does not open must not hold up the others. */
	saved = record_failure(j, e, final);
	if (saved != CS_OK && saved != CS_CORRUPT && saved != CS_NOT_FOUND)
		return saved;
	if (final)
		report->failed += j->table == CS_LOCAL_OUT;
	else
		report->queued += j->table == CS_LOCAL_OUT;
	return cs_conn_is_open(cs_client_conn(j->c)) ? CS_OK : e;
}

/* The next that may leave. */
static cs_err
next_pending(struct cs_client *c, struct cs_local_ids *at,
    enum cs_local_table *ret_table)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf which = { 0 };
	bool is_held = true;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while (is_held) {
		CS_TRY(cs_local_next_id(txn, at));
		CS_TRY(cs_held_check(txn, CS_BYTES(at->id), &is_held));
	}
	CS_TRY(cs_local_get_public(txn, CS_LOCAL_PENDING, CS_BYTES(at->id),
	    &which));
	if (which.n != 1) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret_table = (enum cs_local_table)which.p[0];
out:
	cs_local_end(&txn);
	cs_buf_fini(&which);
	return e;
}

/* What is to be sealed needs them. */
static cs_err
await_witnesses(struct cs_client *c)
{
	struct cs_local_ids at = { .table = CS_LOCAL_PENDING };
	enum cs_local_table table;
	cs_err e = next_pending(c, &at, &table);

	if (e == CS_NOT_FOUND)
		return CS_OK;
	return e == CS_OK ? cs_cosigned_await(c) : e;
}

static cs_err deliver_one(struct cs_client *c, const uint8_t *id,
    enum cs_local_table table, struct cs_sync_report *ret);

/* What it names as its parents and is on its way itself goes first: only what
 * is sealed for good can be named. */
static cs_err
deliver_parents(struct cs_client *c, const uint8_t *id,
    struct cs_sync_report *ret)
{
	uint8_t ids[CS_LIMIT_PARENTS][CS_ID_BYTES];
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL, *pending = NULL;
	struct cs_manifest_message row;
	struct cs_outrec rec;
	size_t pos = 0, n = 0;
	bool is_pending;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value));
	while (n < CS_LIMIT_PARENTS &&
	       cs_manifest_next_parent(&rec.manifest, &pos, &row)) {
		e = cs_local_get(txn, CS_LOCAL_PENDING,
		    CS_BYTES(row.envelope_id), &pending);
		is_pending = e == CS_OK;
		cs_secret_free(pending);
		pending = NULL;
		CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
		if (is_pending)
			memcpy(ids[n++], row.envelope_id, CS_ID_BYTES);
	}
	cs_local_end(&txn);
	for (size_t i = 0; i < n; i++)
		CS_TRY(deliver_one(c, ids[i], CS_LOCAL_OUT, ret));
	e = CS_OK;
out:
	cs_secret_free(value);
	cs_local_end(&txn);
	return e;
}

static cs_err
deliver_one(struct cs_client *c, const uint8_t *id, enum cs_local_table table,
    struct cs_sync_report *ret)
{
	struct job j = { .c = c, .table = table };
	cs_err e;

	if (table == CS_LOCAL_OUT)
		CS_TRY(deliver_parents(c, id, ret));
	cs_why_clear(cs_client_why(c));
	memcpy(j.id, id, CS_ID_BYTES);
	e = run_one(&j, ret);
	cs_secret_free(j.value);
	cs_sealing_lists_fini(&j.lists);
	cs_buf_fini(&j.envelope);
	cs_buf_fini(&j.said);
out:
	return e;
}

cs_err
cs_deliver_run(struct cs_client *c, struct cs_sync_report *ret)
{
	struct cs_local_ids at = { .table = CS_LOCAL_PENDING };
	enum cs_local_table table;
	cs_err e;

	CS_TRY(cs_held_let_go(cs_client_local(c), cs_client_now(), false));
	CS_TRY(await_witnesses(c));
	while ((e = next_pending(c, &at, &table)) == CS_OK)
		CS_TRY(deliver_one(c, at.id, table, ret));
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}
