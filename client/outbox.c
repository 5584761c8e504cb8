#include "client/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/about.h"
#include "client/alarm.h"
#include "client/anchor.h"
#include "client/archives.h"
#include "client/copying.h"
#include "client/held.h"
#include "client/inbox.h"
#include "client/kept.h"
#include "client/notices.h"
#include "client/outrec.h"
#include "client/parents.h"
#include "client/resolve.h"
#include "client/segfile.h"
#include "client/thread.h"
#include "client/withdrawing.h"
#include "proto/field.h"
#include "proto/text.h"

#define LIFETIME_S         (UINT64_C(30) * 86400)
#define RECEIPT_LIFETIME_S (UINT64_C(60) * 86400)
#define LOCK_WAIT_MS       2000
#define ALL_RECEIPTS                                                           \
	(CS_RECEIPT_DELIVERED | CS_RECEIPT_OPENED | CS_RECEIPT_ACKNOWLEDGED)

/* One message on its way into the outbox. */
struct add {
	struct cs_client *c;
	const struct cs_outbox_job *job;
	struct cs_outrec rec;
	struct cs_buf addressees, members, parents;
	struct cs_buf manifest_objects, objects; /* the first holds keys */
	int spool_fd; /* locked while we write: see cs_outbox_sweep */
};

/* -------------------------------------------------------------- addressees */

/* An address belongs to one subject for ever: the same text is the same one. */
static bool
is_repeated(const struct cs_outbox_job *job, uint32_t i)
{
	uint32_t k;

	for (k = 0; k < i; k++)
		if (cs_bytes_eq(job->to[k], job->to[i]))
			return true;
	return false;
}

/* May be otherwise in a newer directory than ours. */
static bool
is_perhaps_news(cs_err e)
{
	return e == CS_NOT_FOUND || e == CS_NO_KEY;
}

/*
 *   later  whom the directory known here cannot resolve is left to be looked
 *          up at delivery: an all-zero id
 */
static cs_err
resolve_all(struct add *a, bool later, struct cs_why *why)
{
	struct cs_manifest_addressee row;
	uint32_t i;
	cs_err e = CS_OK;

	cs_buf_reset(&a->addressees);
	cs_buf_reset(&a->members);
	a->rec.manifest.n_addressees = 0;
	for (i = 0; i < a->job->n_to; i++) {
		struct cs_resolve_party party = { 0 };

		if (is_repeated(a->job, i))
			continue;
		e = cs_resolve_address(cs_client_directory(a->c), a->job->to[i],
		    cs_client_self(a->c)->member_id, cs_client_now(), why,
		    &party);
		if (later && is_perhaps_news(e))
			e = CS_OK;
		CS_TRY(e);
		row.address = a->job->to[i];
		row.entry = party.entry;
		cs_manifest_put_addressee(&a->addressees, &row);
		cs_buf_put(&a->members, party.id, CS_ID_BYTES);
		a->rec.manifest.n_addressees++;
	}
out:
	return e;
}

/* An address we do not know, or one without a device, may be news: look
 * once; with the relay out of reach leave it to the delivery. */
static cs_err
add_addressees(struct add *a)
{
	struct cs_why *why = cs_client_why(a->c);
	struct cs_why first = { 0 };
	cs_err e;

	if (a->job->n_to == 0 || a->job->n_to > CS_LIMIT_RECIPIENTS) {
		cs_why_set(why, "a message goes to 1 to %d addresses",
		    CS_LIMIT_RECIPIENTS);
		return CS_USAGE;
	}
	e = resolve_all(a, false, &first);
	if (is_perhaps_news(e)) {
		bool later = cs_err_exit_code(cs_client_connect(a->c,
				 LOCK_WAIT_MS)) == CS_EXIT_BUSY;

		cs_client_disconnect(a->c);
		cs_why_clear(why);
		cs_why_clear(&first);
		e = resolve_all(a, later, &first);
	}
	if (e != CS_OK)
		cs_why_set(why, "%s", first.text);
	CS_TRY(e);
	CS_TRY(cs_buf_err(&a->addressees));
	CS_TRY(cs_buf_err(&a->members));
	a->rec.manifest.addressees = cs_buf_view(&a->addressees);
	a->rec.members = cs_buf_view(&a->members);
out:
	return e;
}

/* ------------------------------------------------------------- attachments */

static int
by_object_id(const void *a, const void *b)
{
	const struct cs_outbox_file *const *x = a, *const *y = b;

	return memcmp((*x)->object_id, (*y)->object_id, CS_ID_BYTES);
}

static cs_err
add_file(struct add *a, const struct cs_outbox_file *f)
{
	struct cs_why *why = cs_client_why(a->c);
	struct cs_manifest_object row = { .name = f->name,
		.media_type = f->media_type };
	struct cs_envelope_object object;
	struct cs_segfile_sealed sealed;
	struct cs_secret *key = NULL;
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	cs_home_path(cs_client_home(a->c), CS_HOME_SPOOL, a->rec.id,
	    f->object_id, path);
	if (f->stored) {
		CS_TRY(cs_segfile_adopt(f->path, f->stored, path, why,
		    &sealed));
		row.key = f->stored->key;
	} else {
		CS_TRY(cs_secret_random(CS_FILE_KEY_BYTES, &key));
		CS_TRY(cs_segfile_seal(f->path, key, f->object_id, path, why,
		    &sealed));
		row.key = cs_secret_bytes(key);
	}
	if (f->sha256 && memcmp(f->sha256, sealed.sha256, CS_HASH_BYTES) != 0) {
		cs_why_set(why, "%s", f->path);
		e = CS_CHANGED;
		goto out;
	}
	memcpy(row.object_id, f->object_id, CS_ID_BYTES);
	row.bytes = sealed.bytes;
	memcpy(row.sha256, sealed.sha256, CS_HASH_BYTES);
	cs_manifest_put_object(&a->manifest_objects, &row);
	memcpy(object.object_id, f->object_id, CS_ID_BYTES);
	object.segments = sealed.segments;
	memcpy(object.root, sealed.root, CS_HASH_BYTES);
	cs_outrec_put_object(&a->objects, &object);
out:
	cs_secret_free(key);
	return e;
}

static cs_err
check_files(struct add *a, const struct cs_outbox_file **sorted)
{
	struct cs_why *why = cs_client_why(a->c);
	const uint32_t n = a->job->n_files;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (sorted[i]->name.n > CS_LIMIT_LABEL_BYTES ||
		    sorted[i]->media_type.n > UINT8_MAX ||
		    !cs_text_is_utf8(sorted[i]->name)) {
			cs_why_set(why,
			    "%s: its name is too long or not UTF-8; rename it",
			    sorted[i]->path);
			return CS_USAGE;
		}
		if (i > 0 && by_object_id(&sorted[i - 1], &sorted[i]) == 0)
			return CS_INTERNAL;
	}
	return CS_OK;
}

static cs_err
add_files(struct add *a)
{
	const struct cs_outbox_file **sorted = NULL;
	const uint32_t n = a->job->n_files;
	uint32_t i;
	cs_err e = CS_OK;

	if (n > CS_LIMIT_OBJECTS) {
		cs_why_set(cs_client_why(a->c),
		    "%u attachments; a message carries up to %d", n,
		    CS_LIMIT_OBJECTS);
		return CS_TOO_LARGE;
	}
	sorted = calloc(n + 1, sizeof(const struct cs_outbox_file *));
	if (!sorted)
		return CS_NO_MEMORY;
	for (i = 0; i < n; i++)
		sorted[i] = &a->job->files[i];
	qsort(sorted, n, sizeof(const struct cs_outbox_file *), by_object_id);
	CS_TRY(check_files(a, sorted));
	for (i = 0; i < n; i++)
		CS_TRY(add_file(a, sorted[i]));
	CS_TRY(cs_buf_err(&a->manifest_objects));
	CS_TRY(cs_buf_err(&a->objects));
	a->rec.manifest.n_objects = (uint16_t)n;
	a->rec.manifest.objects = cs_buf_view(&a->manifest_objects);
	a->rec.objects = cs_buf_view(&a->objects);
out:
	free(sorted);
	return e;
}

/* ------------------------------------------------------------------ record */

static bool
has_author(const struct cs_inbox_message *to)
{
	return to->is_forward && to->authorship == CS_OK;
}

static void
bind_message(struct cs_manifest *m, const struct cs_inbox_message *to)
{
	cs_thread_id(&to->manifest, to->id, m->thread_id);
	memcpy(m->reply.envelope_id, to->id, CS_ID_BYTES);
	memcpy(m->reply.e, to->e, CS_HASH_BYTES);
	memcpy(m->reply.s, to->s, CS_HASH_BYTES);
	memcpy(m->reply.m_hash, to->m_hash, CS_HASH512_BYTES);
}

/* What was forwarded. Its id and E are the forwarder's word; the author, who
 * knows them, will see whether they fit. */
static void
bind_original(struct cs_manifest *m, const struct cs_inbox_message *to)
{
	const struct cs_forward *f = &to->forward;

	cs_thread_id(&f->manifest, f->envelope_id, m->thread_id);
	memcpy(m->reply.envelope_id, f->envelope_id, CS_ID_BYTES);
	memcpy(m->reply.e, f->e, CS_HASH_BYTES);
	memcpy(m->reply.s, to->author.s, CS_HASH_BYTES);
	memcpy(m->reply.m_hash, to->author.m_hash, CS_HASH512_BYTES);
}

/* A copy stands in the place of its original: in its thread, under the same
 * parents, answering the same. */
static cs_err
bind_copy(struct add *a)
{
	const struct cs_manifest *first = &a->job->copy_of->manifest;
	struct cs_manifest *m = &a->rec.manifest;

	memcpy(m->thread_id, first->thread_id, CS_ID_BYTES);
	m->has_reply = first->has_reply;
	m->reply = first->reply;
	cs_buf_put_bytes(&a->parents, first->parents);
	m->n_parents = first->n_parents;
	m->parents = cs_buf_view(&a->parents);
	return cs_buf_err(&a->parents);
}

static cs_err
bind_reply(struct add *a)
{
	struct cs_manifest *m = &a->rec.manifest;
	struct cs_inbox_message to = { 0 };
	cs_err e;

	memcpy(m->thread_id, a->job->thread_id ? a->job->thread_id : a->rec.id,
	    CS_ID_BYTES);
	if (!a->job->reply_to)
		return CS_OK;
	CS_TRY(cs_inbox_get(a->c, a->job->reply_to, &to));
	if (to.state == CS_INBOX_UNREADABLE || to.state == CS_INBOX_WAITING ||
	    (a->job->is_to_author && !has_author(&to))) {
		cs_why_set(cs_client_why(a->c),
		    "this message could not be opened, so nobody knows whom to "
		    "answer");
		e = CS_DENIED;
		goto out;
	}
	m->has_reply = true;
	if (a->job->is_to_author)
		bind_original(m, &to);
	else
		bind_message(m, &to);
out:
	cs_inbox_fini(&to);
	return e;
}

/* What it stands in the place of, or is a copy of, which is of one thread with
 * it. */
static cs_err
bind_related(struct add *a)
{
	struct cs_manifest *m = &a->rec.manifest;
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec first;
	cs_err e;

	if (a->job->relation == CS_RELATION_NONE)
		return CS_OK;
	CS_TRY(cs_local_begin(cs_client_local(a->c), false, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, a->job->related, &first,
	    &value));
	if (!cs_outrec_is_final_s(&first)) {
		cs_why_set(cs_client_why(a->c),
		    "the message it is about has not been sent yet: wait for "
		    "the next sync");
		e = CS_USAGE;
		goto out;
	}
	m->relation = a->job->relation;
	memcpy(m->related.envelope_id, first.id, CS_ID_BYTES);
	memcpy(m->related.s, first.s, CS_HASH_BYTES);
	if (!a->job->reply_to && !a->job->thread_id)
		cs_thread_id(&first.manifest, first.id, m->thread_id);
out:
	cs_secret_free(value);
	cs_local_end(&txn);
	if (e == CS_NOT_FOUND)
		cs_why_set(cs_client_why(a->c),
		    "no such message was sent from here");
	return e;
}

/* Record and queue entry, in one change. */
static cs_err
put(struct cs_local_txn *txn, enum cs_local_table table,
    const struct cs_outrec *rec)
{
	const uint8_t which = (uint8_t)table;
	cs_err e;

	CS_TRY(cs_outrec_put(txn, table, rec));
	CS_TRY(cs_local_put(txn, CS_LOCAL_PENDING, CS_BYTES(rec->id),
	    (struct cs_bytes){ &which, 1 }));
out:
	return e;
}

static cs_err
commit(struct add *a)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	/* The names of the spooled files, before the record that needs them. */
	if (fsync(a->spool_fd) != 0)
		return CS_IO;
	CS_TRY(cs_local_begin(cs_client_local(a->c), true, &txn));
	/* With the record: what two write at once is one chain all the same. */
	if (!a->job->copy_of)
		CS_TRY(cs_parents_put(a->c, txn, a->rec.manifest.thread_id,
		    &a->parents, &a->rec.manifest.n_parents));
	a->rec.manifest.parents = cs_buf_view(&a->parents);
	CS_TRY(put(txn, CS_LOCAL_OUT, &a->rec));
	if (a->job->withdraw.n > 0)
		CS_TRY(cs_withdrawing_owe(txn, a->job->related,
		    a->job->withdraw));
	CS_TRY(cs_thread_put(txn, &a->rec.manifest, a->rec.id, true));
	CS_TRY(cs_about_put(txn, a->rec.id, &a->rec.manifest));
	/* of a copy the original calls for its sender */
	if (a->job->copy_of)
		CS_TRY(cs_copying_made(txn, &a->rec, a->job->related,
		    a->job->copy_for));
	else
		CS_TRY(cs_alarm_begin(txn, a->rec.id));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	if (e != CS_OK)
		cs_why_set(cs_client_why(a->c), "local store in %s",
		    cs_home_dir(cs_client_home(a->c)));
	return e;
}

/* Makes and locks the folder; true if the sweep of another verb took it away
 * in between. */
static cs_err
open_spool_once(struct add *a, const char *path, bool *ret_swept)
{
	struct stat st;
	cs_err e;

	CS_TRY(cs_home_mkdir(cs_client_home(a->c), CS_HOME_SPOOL, a->rec.id));
	a->spool_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_swept = a->spool_fd < 0 && errno == ENOENT;
	if (*ret_swept)
		return CS_OK;
	if (a->spool_fd < 0 || flock(a->spool_fd, LOCK_EX) != 0 ||
	    fstat(a->spool_fd, &st) != 0)
		return CS_IO;
	*ret_swept = st.st_nlink == 0;
	if (*ret_swept) {
		close(a->spool_fd);
		a->spool_fd = -1;
	}
out:
	return e;
}

static cs_err
open_spool(struct add *a)
{
	char path[CS_HOME_PATH_BYTES];
	bool swept = true;
	cs_err e = CS_OK;

	cs_home_path(cs_client_home(a->c), CS_HOME_SPOOL, a->rec.id, NULL,
	    path);
	while (swept && e == CS_OK)
		e = open_spool_once(a, path, &swept);
	if (e != CS_OK)
		cs_why_set(cs_client_why(a->c), "spool %s", path);
	return e;
}

static void
begin_record(struct add *a)
{
	const struct cs_outbox_job *job = a->job;
	struct cs_outrec *r = &a->rec;

	randombytes_buf(r->id, sizeof(r->id));
	r->stage = CS_OUTREC_QUEUED;
	r->class = job->class;
	r->stale_ok = job->stale_ok;
	r->leaves_out = job->leaves_out;
	r->created_s = cs_client_now();
	r->lifetime_s = job->lifetime_s ? job->lifetime_s : LIFETIME_S;
	if (r->lifetime_s > CS_LIMIT_LIFETIME_S)
		r->lifetime_s = CS_LIMIT_LIFETIME_S;
	r->manifest.content_kind = job->content_kind;
	r->manifest.receipt_policy =
	    job->receipt_policy ? job->receipt_policy : ALL_RECEIPTS;
	r->manifest.answer_by_s = job->answer_by_s;
	r->manifest.content = job->content;
	if (job->source)
		memcpy(r->source, job->source, CS_ID_BYTES);
}

/* Who keeps copies for others has nothing to say in their name. */
static cs_err
check_sender(struct cs_client *c)
{
	if (!cs_archives_keeps(cs_client_directory(c),
		cs_client_self(c)->member_id))
		return CS_OK;
	cs_why_set(cs_client_why(c),
	    "this device keeps the archive of its practice: it sends and "
	    "answers nothing");
	return CS_DENIED;
}

cs_err
cs_outbox_add(struct cs_client *c, const struct cs_outbox_job *job,
    uint8_t ret_id[static CS_ID_BYTES])
{
	struct add a = { .c = c, .job = job, .spool_fd = -1 };
	cs_err e;

	CS_TRY(check_sender(c));
	CS_TRY(cs_notices_check(c));
	begin_record(&a);
	CS_TRY(bind_reply(&a));
	CS_TRY(bind_related(&a));
	if (job->copy_of)
		CS_TRY(bind_copy(&a));
	CS_TRY(add_addressees(&a));
	CS_TRY(open_spool(&a));
	CS_TRY(add_files(&a));
	CS_TRY(cs_thread_adopt(c));
	CS_TRY(commit(&a));
	memcpy(ret_id, a.rec.id, CS_ID_BYTES);
out:
	/* What is left behind if this fails too, the sweep removes. */
	if (e != CS_OK && a.spool_fd >= 0 &&
	    cs_home_remove(cs_client_home(c), CS_HOME_SPOOL, a.rec.id) != CS_OK)
		cs_why_set(cs_client_why(c), "removing what was spooled");
	if (a.spool_fd >= 0)
		close(a.spool_fd);
	cs_buf_fini(&a.addressees);
	cs_buf_fini(&a.members);
	cs_buf_fini(&a.parents);
	cs_buf_fini(&a.manifest_objects);
	cs_buf_fini(&a.objects);
	return e;
}

/* held: NULL for what may leave at once. */
static cs_err
put_receipt(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t *to_member, const uint8_t *about, struct cs_bytes content,
    const struct cs_held *held)
{
	struct cs_outrec r = { .stage = CS_OUTREC_QUEUED,
		.class = CS_CLASS_RECEIPT,
		.stale_ok = true,
		.created_s = cs_client_now(),
		.lifetime_s = RECEIPT_LIFETIME_S };
	struct cs_manifest_addressee row = { 0 };
	struct cs_directory_member member;
	struct cs_buf addressees = { 0 };
	cs_err e;

	CS_TRY(cs_directory_member(cs_client_directory(c), to_member, &member));
	row.address = member.address;
	row.entry = member.entry;
	cs_manifest_put_addressee(&addressees, &row);
	CS_TRY(cs_buf_err(&addressees));
	randombytes_buf(r.id, sizeof(r.id));
	r.manifest.content_kind = CS_CONTENT_RECEIPT;
	r.manifest.n_addressees = 1;
	r.manifest.addressees = cs_buf_view(&addressees);
	r.manifest.content = content;
	memcpy(r.manifest.thread_id, about, CS_ID_BYTES);
	r.members = (struct cs_bytes){ to_member, CS_ID_BYTES };
	CS_TRY(put(txn, CS_LOCAL_OWED, &r));
	if (held)
		CS_TRY(cs_held_put(txn, CS_BYTES(r.id), held));
	CS_TRY(cs_anchor_keep(txn, content, held));
out:
	cs_buf_fini(&addressees);
	return e;
}

cs_err
cs_outbox_put_receipt(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t to_member[static CS_ID_BYTES],
    const uint8_t about[static CS_ID_BYTES], struct cs_bytes content)
{
	return put_receipt(c, txn, to_member, about, content, NULL);
}

cs_err
cs_outbox_put_act(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t to_member[static CS_ID_BYTES],
    const uint8_t about[static CS_ID_BYTES], enum cs_class class,
    struct cs_bytes content)
{
	const struct cs_held held = cs_held_draw(class, cs_client_now());

	return put_receipt(c, txn, to_member, about, content, &held);
}

/* ------------------------------------------------------------------- sweep */

/* False where no record of a case or an answer has this id. */
static bool
is_at(struct cs_local_txn *txn, const uint8_t *id, enum cs_outrec_stage stage)
{
	struct cs_secret *value = NULL;
	struct cs_outrec rec;
	bool is = cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value) == CS_OK &&
		  rec.stage == stage;

	cs_secret_free(value);
	return is;
}

cs_err
cs_outbox_discard(struct cs_client *c, const uint8_t id[static CS_ID_BYTES])
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	if (!is_at(txn, id, CS_OUTREC_FAILED)) {
		cs_why_set(cs_client_why(c),
		    "only what failed can be discarded: this is still on its "
		    "way, or has arrived");
		e = CS_USAGE;
		goto out;
	}
	CS_TRY(cs_home_remove(cs_client_home(c), CS_HOME_SPOOL, id));
out:
	cs_local_end(&txn);
	return e;
}

/* What failed is kept until it is discarded, what was accepted for good. */
static cs_err
sweep_folder(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id)
{
	if (is_at(txn, id, CS_OUTREC_FAILED))
		return CS_OK;
	if (is_at(txn, id, CS_OUTREC_ACCEPTED))
		return cs_kept_move(cs_client_home(c), id);
	return cs_home_remove(cs_client_home(c), CS_HOME_SPOOL, id);
}

/* A folder nobody writes to and that is not on its way. */
static cs_err
sweep_one(struct cs_client *c, int parent, const char *name)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	uint8_t id[CS_ID_BYTES];
	int fd = -1;
	cs_err e;

	if (cs_text_unhex(cs_bytes_str(name), id, sizeof(id)) != CS_OK)
		return CS_OK;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return CS_OK;
	/* The lock first: whoever held it may have committed the record. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		e = CS_OK;
		goto out;
	}
	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	e = cs_local_get(txn, CS_LOCAL_PENDING, CS_BYTES(id), &value);
	if (e == CS_NOT_FOUND)
		e = sweep_folder(c, txn, id);
out:
	cs_secret_free(value);
	cs_local_end(&txn);
	close(fd);
	return e;
}

cs_err
cs_outbox_sweep(struct cs_client *c)
{
	char path[CS_HOME_PATH_BYTES];
	const struct dirent *d;
	DIR *dir;
	cs_err e = CS_OK;

	cs_home_path(cs_client_home(c), CS_HOME_SPOOL, NULL, NULL, path);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? CS_OK : CS_IO;
	while ((d = readdir(dir)) != NULL && e == CS_OK)
		e = sweep_one(c, dirfd(dir), d->d_name);
	closedir(dir);
	return e;
}
