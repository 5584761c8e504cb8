#include "client/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/archives.h"
#include "client/inrec.h"
#include "client/kept.h"
#include "client/listing.h"
#include "client/outbox.h"
#include "client/ownkeys.h"
#include "client/place.h"
#include "client/receipt.h"
#include "client/segfile.h"

/* ------------------------------------------------------------------ reading */

const char *
cs_inbox_state_name(enum cs_inbox_state state)
{
	static const char *const names[] = {
		[CS_INBOX_NEW] = "new",
		[CS_INBOX_OPENED] = "opened",
		[CS_INBOX_ACKNOWLEDGED] = "acknowledged",
		[CS_INBOX_INCOMPLETE] = "incomplete",
		[CS_INBOX_UNREADABLE] = "unreadable",
		[CS_INBOX_WAITING] = "waiting",
		[CS_INBOX_PURGED] = "purged",
	};

	return names[state];
}

static enum cs_inbox_state
state_of(const struct cs_inrec *r)
{
	if (r->purged_at_s)
		return CS_INBOX_PURGED;
	if (r->is_waiting)
		return CS_INBOX_WAITING;
	if (!r->is_readable)
		return CS_INBOX_UNREADABLE;
	if (r->acknowledged_at_s)
		return CS_INBOX_ACKNOWLEDGED;
	if (r->opened_at_s)
		return CS_INBOX_OPENED;
	return r->missing.n > 0 ? CS_INBOX_INCOMPLETE : CS_INBOX_NEW;
}

static uint64_t
plain_bytes(const struct cs_manifest *m)
{
	struct cs_manifest_object object;
	uint64_t n = m->content.n;
	size_t pos = 0;

	while (cs_manifest_next_object(m, &pos, &object))
		n += object.bytes;
	return n;
}

/* Who wrote what was forwarded: judged by the directory of now, so that what it
 * learns later about a key counts. */
static cs_err
decode_forward(const struct cs_directory *d, struct cs_inbox_message *m)
{
	struct cs_directory_member author;
	cs_err e;

	CS_TRY(cs_author_verify(d, &m->forward, &m->author));
	CS_TRY(cs_forward_carries(&m->forward, &m->manifest) ? CS_OK
							     : CS_CLASH);
	CS_TRY(cs_directory_member(d, m->author.member_id, &author));
	m->author_address = author.address;
	m->author_name = author.name;
	m->is_withdrawal =
	    m->forward.manifest.content_kind == CS_CONTENT_WITHDRAWAL &&
	    cs_withdrawal_decode(m->forward.manifest.content, &m->withdrawal) ==
		CS_OK;
	m->has_case =
	    !m->is_withdrawal && cs_casefile_decode(m->forward.manifest.content,
				     &m->casefile) == CS_OK;
out:
	return e;
}

void
cs_inbox_content(const struct cs_directory *d, struct cs_inbox_message *m)
{
	m->size_bytes = plain_bytes(&m->manifest);
	/* A sender may have signed what is no case file: then there is none. */
	m->is_forward =
	    m->manifest.content_kind == CS_CONTENT_FORWARD &&
	    cs_forward_decode(m->manifest.content, &m->forward) == CS_OK;
	m->is_withdrawal =
	    m->manifest.content_kind == CS_CONTENT_WITHDRAWAL &&
	    cs_withdrawal_decode(m->manifest.content, &m->withdrawal) == CS_OK;
	if (m->is_forward)
		m->authorship = decode_forward(d, m);
	else if (!m->is_withdrawal)
		m->has_case = cs_casefile_decode(m->manifest.content,
				  &m->casefile) == CS_OK;
}

/* The record was checked when it came; what does not decode now is damage. */
static cs_err
decode_content(const struct cs_directory *d, const struct cs_inrec *r,
    struct cs_inbox_message *m)
{
	m->size_bytes = r->stored_bytes;
	if (!r->is_readable)
		return CS_OK;
	if (cs_manifest_decode(r->m, &m->manifest) != CS_OK)
		return CS_CORRUPT;
	m->m = r->m;
	cs_inbox_content(d, m);
	return CS_OK;
}

/* Reads one; buf is used again, and what ret borrows from. */
static cs_err
get(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id,
    struct cs_secret **buf, struct cs_inbox_message *ret)
{
	struct cs_inbox_message m = { 0 };
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_inrec_reget(txn, id, &r, buf));
	memcpy(m.id, id, CS_ID_BYTES);
	m.state = state_of(&r);
	m.class = r.class;
	m.seq = r.seq;
	m.received_at_s = r.received_at_s;
	m.expires_at_s = r.expires_at_s;
	m.opened_at_s = r.opened_at_s;
	m.acknowledged_at_s = r.acknowledged_at_s;
	m.purged_at_s = r.purged_at_s;
	m.purged_by = r.purged_by;
	memcpy(m.e, r.e, sizeof(m.e));
	memcpy(m.s, r.s, sizeof(m.s));
	memcpy(m.m_hash, r.m_hash, sizeof(m.m_hash));
	m.is_answer = r.answer == CS_INREC_ANSWER;
	m.was_forwarded = r.answer == CS_INREC_ANSWER_FORWARDED;
	m.from = r.from;
	m.from_name = r.from_name;
	m.n_missing = (uint16_t)(r.missing.n / CS_ID_BYTES);
	memcpy(m.signature, r.signature, sizeof(m.signature));
	CS_TRY(decode_content(cs_client_directory(c), &r, &m));
	*ret = m;
out:
	return e;
}

cs_err
cs_inbox_get(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    struct cs_inbox_message *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *record = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(get(c, txn, id, &record, ret));
	ret->record = record;
	record = NULL;
out:
	cs_local_end(&txn);
	cs_secret_free(record);
	if (e == CS_CORRUPT)
		cs_why_set(cs_client_why(c),
		    "local store in %s: the record of this message is damaged",
		    cs_home_dir(cs_client_home(c)));
	else if (e != CS_OK)
		cs_why_set(cs_client_why(c), "message in the inbox");
	return e;
}

void
cs_inbox_fini(struct cs_inbox_message *m)
{
	cs_secret_free(m->record);
	*m = (struct cs_inbox_message){ 0 };
}

/* ------------------------------------------------------------------ listing */

/* By number within a second; numbers begin anew where the relay's store did. */
#define SEQ_BITS 24

static cs_err
arrival(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    struct cs_secret **buf, uint64_t *ret)
{
	struct cs_inrec r;
	cs_err e = cs_inrec_reget(txn, id, &r, buf);

	if (e == CS_OK)
		*ret = r.received_at_s << SEQ_BITS |
		       (r.seq & ((UINT64_C(1) << SEQ_BITS) - 1));
	return e;
}

static void
explain_damage(struct cs_client *c, cs_err e)
{
	if (e == CS_CORRUPT)
		cs_why_set(cs_client_why(c),
		    "local store in %s: a record of the inbox is damaged",
		    cs_home_dir(cs_client_home(c)));
}

cs_err
cs_inbox_list(struct cs_client *c, cs_inbox_each *each, void *ctx)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *buf = NULL;
	struct cs_inbox_message m;
	struct cs_buf ids = { 0 };
	size_t at;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_listing(txn, CS_LOCAL_IN, arrival, &ids));
	for (at = 0; at < ids.n; at += CS_ID_BYTES) {
		CS_TRY(get(c, txn, ids.p + at, &buf, &m));
		CS_TRY(each(ctx, &m));
	}
out:
	cs_local_end(&txn);
	cs_secret_free(buf);
	cs_buf_fini(&ids);
	explain_damage(c, e);
	return e;
}

cs_err
cs_inbox_walk(struct cs_client *c, cs_inbox_each *each, void *ctx)
{
	struct cs_local_ids at = { .table = CS_LOCAL_IN };
	struct cs_local_txn *txn = NULL;
	struct cs_secret *buf = NULL;
	struct cs_inbox_message m;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		CS_TRY(get(c, txn, at.id, &buf, &m));
		CS_TRY(each(ctx, &m));
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
out:
	cs_local_end(&txn);
	cs_secret_free(buf);
	explain_damage(c, e);
	return e;
}

/* ---------------------------------------------------------------- statements
 */

/* A statement about a message of ours: begun from its record. */
static void
begin_statement(const struct cs_inrec *r, enum cs_fact fact,
    struct cs_statement *st)
{
	*st = (struct cs_statement){ .fact = fact };
	memcpy(st->envelope_id, r->id, CS_ID_BYTES);
	memcpy(st->e, r->e, CS_HASH_BYTES);
	memcpy(st->s, r->s, CS_HASH_BYTES);
	memcpy(st->m_hash, r->m_hash, CS_HASH512_BYTES);
	memcpy(st->prev, r->last, CS_HASH_BYTES);
}

/* Signs it, queues it for the sender if the sender asked for this kind, and
 * writes the record: one change. */
static cs_err
state(struct cs_client *c, struct cs_local_txn *txn, struct cs_inrec *r,
    const struct cs_statement *st, uint8_t policy_bit)
{
	struct cs_buf receipt = { 0 };
	struct cs_manifest m;
	cs_err e;

	CS_TRY(cs_manifest_decode(r->m, &m));
	if (m.receipt_policy & policy_bit) {
		CS_TRY(cs_ownkeys_check(txn, cs_client_keyring(c),
		    cs_client_why(c)));
		CS_TRY(cs_receipt_make(c, st, &receipt));
		cs_statement_hash((struct cs_bytes){ receipt.p,
				      receipt.n - CS_SIGNATURE_BYTES },
		    r->last);
		CS_TRY(cs_outbox_put_act(c, txn, m.sender_member, r->id,
		    r->class, cs_buf_view(&receipt)));
	}
	CS_TRY(cs_inrec_put(txn, r));
out:
	cs_buf_fini(&receipt);
	return e;
}

static cs_err
load(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id,
    struct cs_inrec *r, struct cs_secret **value)
{
	cs_err e = cs_inrec_get(txn, id, r, value);

	if (e == CS_OK && r->purged_at_s) {
		cs_why_set(cs_client_why(c),
		    "the content of this message was purged here: nothing "
		    "more is stated of it");
		e = CS_DENIED;
	} else if (e == CS_OK && !r->is_readable) {
		cs_why_set(cs_client_why(c),
		    "this message could not be opened, so there is nobody to "
		    "tell");
		e = CS_DENIED;
	}
	return e;
}

/* The objects that are here, as packed ids in the manifest's order. */
static cs_err
put_present(const struct cs_inrec *r, struct cs_buf *ret)
{
	struct cs_manifest_object object;
	struct cs_manifest m;
	size_t pos = 0, at;
	cs_err e;

	CS_TRY(cs_manifest_decode(r->m, &m));
	while (cs_manifest_next_object(&m, &pos, &object)) {
		for (at = 0; at < r->missing.n; at += CS_ID_BYTES)
			if (memcmp(r->missing.p + at, object.object_id,
				CS_ID_BYTES) == 0)
				break;
		if (at >= r->missing.n)
			cs_buf_put(ret, object.object_id, CS_ID_BYTES);
	}
	e = cs_buf_err(ret);
out:
	return e;
}

cs_err
cs_inbox_opened(struct cs_client *c, const uint8_t id[static CS_ID_BYTES])
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_buf present = { 0 };
	struct cs_statement st;
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(load(c, txn, id, &r, &value));
	if (r.opened_at_s)
		goto out;
	CS_TRY(put_present(&r, &present));
	begin_statement(&r, CS_FACT_OPENED, &st);
	st.objects = cs_buf_view(&present);
	st.n_objects = (uint16_t)(present.n / CS_ID_BYTES);
	r.opened_at_s = cs_client_now();
	CS_TRY(state(c, txn, &r, &st, CS_RECEIPT_OPENED));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	cs_secret_free(value);
	cs_buf_fini(&present);
	return e;
}

cs_err
cs_inbox_acknowledge(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    bool responsibility, struct cs_bytes text)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_statement st;
	struct cs_inrec r;
	cs_err e;

	if (text.n > CS_LIMIT_ACK_TEXT_BYTES) {
		cs_why_set(cs_client_why(c), "a note of %zu bytes, at most %d",
		    text.n, CS_LIMIT_ACK_TEXT_BYTES);
		return CS_TOO_LARGE;
	}
	if (cs_archives_keeps(cs_client_directory(c),
		cs_client_self(c)->member_id)) {
		cs_why_set(cs_client_why(c),
		    "this device keeps the archive of its practice: it answers "
		    "for nobody");
		return CS_DENIED;
	}
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(load(c, txn, id, &r, &value));
	if (r.acknowledged_at_s) {
		cs_why_set(cs_client_why(c), "this message is acknowledged");
		e = CS_EXISTS;
		goto out;
	}
	begin_statement(&r, CS_FACT_ACKNOWLEDGED, &st);
	st.responsibility = responsibility;
	st.text = text;
	r.acknowledged_at_s = cs_client_now();
	CS_TRY(state(c, txn, &r, &st, CS_RECEIPT_ACKNOWLEDGED));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	cs_secret_free(value);
	return e;
}

/* ------------------------------------------------------------------- saving */

static cs_err
open_folder(struct cs_client *c, const char *dir, int *ret_fd)
{
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		cs_why_set(cs_client_why(c), "%s: %s", dir, strerror(errno));
		return errno == ENOSPC || errno == EDQUOT ? CS_FULL : CS_IO;
	}
	*ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0) {
		cs_why_set(cs_client_why(c), "%s: %s", dir, strerror(errno));
		return CS_IO;
	}
	return CS_OK;
}

/* Writes one. What is the matter with the attachment itself goes to *lacks:
 * it must not stop the others. */
static cs_err
save_one(struct cs_client *c, const struct cs_inbox_message *m,
    const struct cs_manifest_object *object, int fd,
    char name[static CS_PLACE_NAME_BYTES], cs_err *lacks)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	if (m->is_own)
		cs_kept_path(cs_client_home(c), m->id, object->object_id, path);
	else
		cs_home_path(cs_client_home(c), CS_HOME_OBJECTS, m->id,
		    object->object_id, path);
	e = cs_place_object(fd, path, object, name);
	if (e == CS_OK)
		return CS_OK;
	name[0] = '\0';
	cs_why_set(cs_client_why(c),
	    e != CS_NOT_FOUND ? "attachment %.*s could not be written"
	    : m->is_own
		? "attachment %.*s is not kept here any more"
		: "attachment %.*s never arrived whole; ask the sender for it",
	    (int)object->name.n, (const char *)object->name.p);
	if (e != CS_NOT_FOUND && !cs_segfile_is_damage(e))
		return e;
	if (*lacks == CS_OK || *lacks == CS_PARTIAL)
		*lacks = e == CS_NOT_FOUND ? CS_PARTIAL : e;
	return CS_OK;
}

cs_err
cs_inbox_save(struct cs_client *c, const struct cs_inbox_message *m,
    const char *dir, cs_inbox_saved *each, void *ctx)
{
	char name[CS_PLACE_NAME_BYTES];
	struct cs_manifest_object object;
	cs_err e, lacks = CS_OK;
	size_t pos = 0;
	int fd = -1;

	CS_TRY(open_folder(c, dir, &fd));
	while (cs_manifest_next_object(&m->manifest, &pos, &object)) {
		CS_TRY(save_one(c, m, &object, fd, name, &lacks));
		if (each && name[0] != '\0')
			each(ctx, name, &object);
	}
	e = fsync(fd) == 0 ? lacks : CS_IO;
out:
	if (fd >= 0)
		close(fd);
	return e;
}
