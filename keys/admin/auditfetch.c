#include "keys/admin/auditfetch.h"

#include <stdio.h>
#include <string.h>

#include "client/ask.h"
#include "client/present.h"
#include "keys/certs.h"
#include "keys/file.h"
#include "keys/verify.h"
#include "proto/auditfile.h"
#include "proto/merkle.h"

struct fetch {
	struct cs_network *n;
	struct cs_why *why;
	struct cs_directory_relay relay;
	bool has_previous;
	struct cs_checkpoint previous, now;
	struct cs_frame_audit_read ask;
	/* copies: a reply is gone with the next one */
	struct cs_buf certs, note, consistency, proof_first, proof_last;
	struct cs_buf records;
	uint64_t first;
	uint32_t count;
};

/* ---------------------------------------------------------------- previous */

/* What was exported last, if anything was: our own file. */
static cs_err
load_previous(struct fetch *f, const char *dir)
{
	const struct cs_keyring_info *me =
	    cs_keyring_info(cs_network_registrar(f->n));
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_buf file = { 0 }, origin = { 0 };
	struct cs_note note;
	cs_err e;

	CS_TRY(cs_network_path(dir, CS_NETWORK_AUDIT, path));
	e = cs_file_read(path, CS_LIMIT_CHECKPOINT_BYTES, true, &file);
	if (e == CS_NOT_FOUND) {
		e = CS_OK;
		goto out;
	}
	cs_checkpoint_origin(CS_LOG_AUDIT, me->network_id, f->relay.id,
	    &origin);
	if (e == CS_OK)
		e = cs_checkpoint_split(cs_buf_view(&file), &note);
	if (e == CS_OK)
		e = cs_checkpoint_decode_body(note.body, cs_buf_view(&origin),
		    &f->previous);
	if (e != CS_OK)
		cs_why_set(f->why,
		    "%s, the checkpoint of the last export, cannot be used; "
		    "without it nobody can tell whether the log was shortened",
		    path);
	CS_TRY(e);
	f->has_previous = true;
out:
	cs_buf_fini(&file);
	cs_buf_fini(&origin);
	return e;
}

cs_err
cs_auditfetch_remember(const char *dir, struct cs_bytes note,
    struct cs_why *why)
{
	char path[CS_NETWORK_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_network_path(dir, CS_NETWORK_AUDIT, path));
	e = cs_file_write(path, note, 0600, true);
	if (e != CS_OK)
		cs_why_set(why, "%s", path);
out:
	return e;
}

/* ------------------------------------------------------------------- pages */

static cs_err
copy(struct cs_buf *to, struct cs_bytes v)
{
	cs_buf_reset(to);
	cs_buf_put_bytes(to, v);
	return cs_buf_err(to);
}

/* Time of the last record of a page. */
static cs_err
last_time(const struct cs_frame_audit_read_reply *page, uint64_t *ret)
{
	struct cs_bytes last = { page->records.p + page->records.n -
				     CS_AUDIT_RECORD_BYTES,
		CS_AUDIT_RECORD_BYTES };
	struct cs_audit_record r;
	cs_err e;

	CS_TRY(cs_audit_decode(last, &r));
	*ret = r.time_s;
out:
	return e;
}

static cs_err
take_page(struct fetch *f, const struct cs_frame_audit_read_reply *page,
    bool *ret_done)
{
	const struct cs_keyring_info *me =
	    cs_keyring_info(cs_network_registrar(f->n));
	size_t n = page->records.n / CS_AUDIT_RECORD_BYTES;
	uint64_t time_s;
	cs_err e;

	if (f->count == 0)
		f->first = page->first;
	CS_TRY(n > 0 && page->first == f->first + f->count ? CS_OK
							   : CS_MALFORMED);
	CS_TRY(n <= CS_AUDITFILE_MAX_RECORDS - f->count ? CS_OK : CS_TOO_LARGE);
	CS_TRY(cs_verify_checkpoint(page->checkpoint, CS_LOG_AUDIT,
	    me->network_id, f->relay.id, f->relay.relay.sign_key, &f->now));
	CS_TRY(copy(&f->note, page->checkpoint));
	CS_TRY(copy(&f->consistency, page->consistency));
	CS_TRY(copy(&f->proof_first, page->proof_anchor));
	CS_TRY(copy(&f->proof_last, page->proof_last));
	cs_buf_put_bytes(&f->records, page->records);
	CS_TRY(cs_buf_err(&f->records));
	f->count += (uint32_t)n;
	CS_TRY(last_time(page, &time_s));
	*ret_done =
	    time_s >= f->ask.until_s || f->first + f->count >= f->now.size;
out:
	return e;
}

/* One page more. */
static cs_err
read_page(struct fetch *f, bool *ret_done)
{
	struct cs_frame_audit_read_reply page;
	cs_err e;

	CS_TRY(cs_ask_audit_read(cs_network_conn(f->n), &f->ask, &page));
	e = take_page(f, &page, ret_done);
	if (e == CS_TOO_LARGE)
		cs_why_set(f->why,
		    "more than %u records: export a shorter time",
		    CS_AUDITFILE_MAX_RECORDS);
	else if (e != CS_OK)
		cs_why_set(f->why,
		    "what the relay answered is no page of its audit log");
out:
	return e;
}

/* All pages, proved against the note of the last one. */
static cs_err
read_pages(struct fetch *f, uint64_t from_s)
{
	bool done = false, again = true;
	cs_err e = CS_OK;

	f->count = 0;
	cs_buf_reset(&f->records);
	f->ask.by_time = true;
	f->ask.from = from_s;
	f->ask.anchor = CS_FRAME_AUDIT_FIRST;
	while (!done) {
		e = read_page(f, &done);
		/* Its key was rotated a moment ago, and nothing has been
		 * recorded since: that we asked has been, now. */
		if (e == CS_BAD_SIGNATURE && again) {
			cs_why_clear(f->why);
			again = false;
			continue;
		}
		CS_TRY(e);
		f->ask.by_time = false;
		f->ask.from = f->first + f->count;
		f->ask.anchor = f->first;
	}
out:
	return e;
}

/* A log that cannot be shown to go on where the last export ended. */
static cs_err
judge_break(struct fetch *f, bool *ret_restored)
{
	char day[16];

	if (f->now.counter > f->previous.counter) {
		*ret_restored = true;
		return CS_OK;
	}
	cs_present_date_text(f->previous.time_s, day);
	cs_why_set(f->why,
	    "the relay's audit log does not continue the one that was exported "
	    "on %s: keep both exports, and the relay's store, as evidence",
	    day);
	return CS_WENT_BACK;
}

static void
encode(const struct fetch *f, uint64_t from_s, struct cs_buf *ret)
{
	struct cs_auditfile v = {
		.from_s = from_s,
		.until_s = f->ask.until_s,
		.certs = cs_buf_view(&f->certs),
		.note = cs_buf_view(&f->note),
		.consistency = cs_buf_view(&f->consistency),
		.proof_first = cs_buf_view(&f->proof_first),
		.proof_last = cs_buf_view(&f->proof_last),
		.first = f->first,
		.n = f->count,
		.records = cs_buf_view(&f->records),
	};

	memcpy(v.network_id,
	    cs_keyring_info(cs_network_registrar(f->n))->network_id,
	    CS_NETWORK_ID_BYTES);
	memcpy(v.relay_id, f->relay.id, CS_ID_BYTES);
	if (f->has_previous) {
		v.previous.size = f->previous.size;
		memcpy(v.previous.root, f->previous.root, CS_HASH_BYTES);
	}
	cs_auditfile_encode(&v, ret);
}

static void
fetch_fini(struct fetch *f)
{
	cs_buf_fini(&f->certs);
	cs_buf_fini(&f->note);
	cs_buf_fini(&f->consistency);
	cs_buf_fini(&f->proof_first);
	cs_buf_fini(&f->proof_last);
	cs_buf_fini(&f->records);
}

/* Whether what was fetched continues what was exported before. */
static bool
continues(const struct fetch *f)
{
	return f->previous.size <= f->now.size &&
	       cs_merkle_check_consistency(f->previous.size, f->now.size,
		   cs_buf_view(&f->consistency), f->previous.root,
		   f->now.root) == CS_OK;
}

cs_err
cs_auditfetch(struct cs_network *n, const char *dir, uint64_t from_s,
    uint64_t until_s, struct cs_why *why, struct cs_buf *ret,
    bool *ret_restored)
{
	struct fetch f = { .n = n, .why = why, .ask = { .until_s = until_s } };
	bool restored = false;
	cs_err e, broken = CS_OK;

	CS_TRY(cs_directory_relay(cs_network_directory(n), &f.relay));
	CS_TRY(cs_certs_collect(cs_network_directory(n), &f.certs));
	CS_TRY(load_previous(&f, dir));
	f.ask.old_size = f.has_previous ? f.previous.size : 0;
	e = read_pages(&f, from_s);
	if (e == CS_NOT_FOUND && f.has_previous) { /* it is shorter now */
		cs_why_clear(why);
		f.ask.old_size = 0;
		e = read_pages(&f, from_s);
	}
	CS_TRY(e);
	if (f.has_previous && !continues(&f))
		broken = judge_break(&f, &restored);
	encode(&f, from_s, ret);
	CS_TRY(cs_buf_err(ret));
	*ret_restored = restored;
	e = broken;
out:
	fetch_fini(&f);
	return e;
}
