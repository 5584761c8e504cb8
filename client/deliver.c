#include "client/deliver.h"

#include <string.h>

#include "client/outrec.h"
#include "client/receipt.h"
#include "client/sealing.h"
#include "client/upload.h"
#include "keys/file.h"

#define ENVELOPE_FILE "envelope"

/* One pending message. */
struct job {
	struct cs_client *c;
	enum cs_local_table table;
	uint8_t id[CS_ID_BYTES];
	struct cs_outrec rec;
	struct cs_secret *value;       /* rec borrows from it … */
	struct cs_sealing_lists lists; /* … and from this once sealed */
	struct cs_buf envelope;
};

static void
envelope_path(const struct job *j, char ret[static CS_HOME_PATH_BYTES])
{
	char folder[CS_HOME_PATH_BYTES];
	size_t n;

	cs_home_path(cs_client_home(j->c), CS_HOME_SPOOL, j->id, NULL, folder);
	n = strlen(folder);
	memcpy(ret, folder, n);
	memcpy(ret + n, "/" ENVELOPE_FILE, sizeof("/" ENVELOPE_FILE));
}

/* Writes the record, and takes it off the queue where it is done with. */
static cs_err
save(struct job *j)
{
	const struct cs_bytes key = CS_BYTES(j->id);
	const bool done = j->rec.stage == CS_OUTREC_ACCEPTED ||
			  j->rec.stage == CS_OUTREC_FAILED;
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(j->c), true, &txn));
	if (done)
		CS_TRY(cs_local_delete(txn, CS_LOCAL_PENDING, key));
	if (done && j->table == CS_LOCAL_OWED)
		CS_TRY(cs_local_delete(txn, j->table, key));
	else
		CS_TRY(cs_outrec_put(txn, j->table, &j->rec));
	if (j->rec.stage == CS_OUTREC_ACCEPTED && j->table == CS_LOCAL_OUT)
		CS_TRY(cs_local_put(txn, CS_LOCAL_OPEN, key, key));
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

/* Sealed once and kept: what was begun to be uploaded must not change. */
static cs_err
seal(struct job *j)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

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
	cs_err e;

	envelope_path(j, path);
	e = cs_file_read(path, CS_LIMIT_ENVELOPE_BYTES, false, &j->envelope);
	if (e != CS_OK)
		cs_why_set(cs_client_why(j->c), "spooled message %s", path);
	return e == CS_NOT_FOUND ? CS_CORRUPT : e;
}

static cs_err
accept_custody(struct job *j, struct cs_bytes logged)
{
	struct cs_directory_relay relay;
	struct cs_statement st;
	cs_err e;

	CS_TRY(cs_directory_relay(cs_client_directory(j->c), &relay));
	e = cs_receipt_check_custody(&j->rec, logged,
	    cs_client_self(j->c)->network_id, &relay, &st);
	if (e != CS_OK)
		cs_why_set(cs_client_why(j->c),
		    "the relay's custody statement does not fit what was sent; "
		    "tell the registrar");
	CS_TRY(e);
	j->rec.custody = logged;
	j->rec.stage = CS_OUTREC_ACCEPTED;
	j->rec.failure = CS_OK;
	j->rec.why = (struct cs_bytes){ 0 };
	CS_TRY(save(j));
	/* What is left of the spool, the sweep removes. */
	if (cs_home_remove(cs_client_home(j->c), CS_HOME_SPOOL, j->id) != CS_OK)
		cs_why_set(cs_client_why(j->c), "emptying the spool");
out:
	return e;
}

static cs_err
check_lifetime(const struct job *j)
{
	if (j->rec.expires_s == 0 || j->rec.expires_s > cs_client_now())
		return CS_OK;
	cs_why_set(cs_client_why(j->c),
	    "it could not be delivered within its lifetime; send it again");
	return CS_EXPIRED;
}

/*
 * The relay takes what was sealed a short while ago, so that the envelope's own
 * time can be believed. What lay here for longer is sealed anew; segments that
 * are with the relay stay there.
 */
static cs_err
seal_again(struct job *j)
{
	cs_err e;

	cs_why_clear(cs_client_why(j->c));
	cs_secret_free(j->value);
	j->value = NULL;
	cs_sealing_lists_fini(&j->lists);
	j->lists = (struct cs_sealing_lists){ 0 };
	cs_buf_reset(&j->envelope);
	CS_TRY(load(j));
	/* First: the spooled envelope and the record must not differ. */
	j->rec.stage = CS_OUTREC_QUEUED;
	CS_TRY(save(j));
	CS_TRY(seal(j));
out:
	return e;
}

static cs_err
upload(struct job *j, struct cs_bytes *ret_custody)
{
	cs_err e;

	e = cs_upload_run(j->c, &j->rec, cs_buf_view(&j->envelope),
	    ret_custody);
	if (e == CS_STALE) {
		CS_TRY(seal_again(j));
		e = cs_upload_run(j->c, &j->rec, cs_buf_view(&j->envelope),
		    ret_custody);
	}
out:
	return e;
}

static cs_err
deliver(struct job *j)
{
	struct cs_bytes custody;
	cs_err e;

	CS_TRY(load(j));
	CS_TRY(check_lifetime(j));
	if (j->rec.stage == CS_OUTREC_QUEUED)
		CS_TRY(seal(j));
	else
		CS_TRY(read_envelope(j));
	CS_TRY(upload(j, &custody));
	CS_TRY(accept_custody(j, custody));
out:
	return e;
}

/* ---------------------------------------------------------------- failures */

/* Refusals that trying again does not heal: the human must act. Not what is
 * wrong with the relay's logs or our clock: that may be mended. */
static bool
is_final(cs_err e)
{
	static const cs_err healing[] = { CS_STALE, CS_FORKED, CS_WENT_BACK,
		CS_WRONG_RELAY, CS_CLASH, CS_BAD_SIGNATURE };
	const int code = cs_err_exit_code(e);
	size_t i;

	for (i = 0; i < sizeof(healing) / sizeof(healing[0]); i++)
		if (e == healing[i])
			return false;
	return code != CS_EXIT_BUSY && code != CS_EXIT_IO;
}

/* Keeps the reason with the message. The views in rec may be of a session's
 * buffer that is gone, so the record is read anew. */
static cs_err
record_failure(struct job *j, cs_err failure)
{
	const char *why = cs_client_why(j->c)->text;
	cs_err e;

	cs_secret_free(j->value);
	j->value = NULL;
	CS_TRY(load(j));
	j->rec.failure = failure;
	j->rec.why = cs_bytes_str(why);
	if (is_final(failure))
		j->rec.stage = CS_OUTREC_FAILED;
	CS_TRY(save(j));
	if (j->rec.stage == CS_OUTREC_FAILED)
		CS_TRY(cs_home_remove(cs_client_home(j->c), CS_HOME_SPOOL,
		    j->id));
out:
	return e;
}

static cs_err
run_one(struct job *j, struct cs_sync_report *report)
{
	cs_err e = deliver(j), saved;

	if (e == CS_OK) {
		report->delivered += j->table == CS_LOCAL_OUT;
		return CS_OK;
	}
	/* Also a record that does not open must not hold up the others. */
	saved = record_failure(j, e);
	if (saved != CS_OK && saved != CS_CORRUPT && saved != CS_NOT_FOUND)
		return saved;
	if (is_final(e))
		report->failed += j->table == CS_LOCAL_OUT;
	else
		report->queued += j->table == CS_LOCAL_OUT;
	return cs_conn_is_open(cs_client_conn(j->c)) ? CS_OK : e;
}

static cs_err
next_pending(struct cs_client *c, struct cs_local_ids *at,
    enum cs_local_table *ret_table)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf which = { 0 };
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_local_next_id(txn, at));
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

cs_err
cs_deliver_run(struct cs_client *c, struct cs_sync_report *ret)
{
	struct cs_local_ids at = { .table = CS_LOCAL_PENDING };
	enum cs_local_table table;
	cs_err e;

	while ((e = next_pending(c, &at, &table)) == CS_OK) {
		struct job j = { .c = c, .table = table };

		cs_why_clear(cs_client_why(c));
		memcpy(j.id, at.id, CS_ID_BYTES);
		e = run_one(&j, ret);
		cs_secret_free(j.value);
		cs_sealing_lists_fini(&j.lists);
		cs_buf_fini(&j.envelope);
		CS_TRY(e);
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}
