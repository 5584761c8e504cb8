#include "relay/auditlog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "relay/limits.h"
#include "relay/report.h"
#include "relay/writer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Besides those that fit: one row for each event, for all that do not. */
#define ROOM (CS_LIMIT_AUDIT_WAITING + 8)

struct records {
	size_t n;
	struct cs_audit_record *row; /* ROOM */
};

struct cs_auditlog {
	pthread_mutex_t lock;
	struct records waiting; /* with lock */
	uint64_t since_ms;      /* with lock: uptime of the first of them */

	struct records taken;      /* the writer's: not yet durable */
	bool riding;               /* the writer's: they are in its batch */
	bool due;                  /* the writer's: commit them even alone */
	_Atomic bool held;         /* they do not go into the log */
	_Atomic bool pushed;       /* a task of ours is with the writer */
	_Atomic uint64_t retry_ms; /* uptime before which not to try again */
	bool started;
};

cs_err
cs_auditlog_new(struct cs_auditlog **ret)
{
	struct cs_auditlog *a = calloc(1, sizeof(*a));
	cs_err e;

	CS_TRY(a ? CS_OK : CS_NO_MEMORY);
	pthread_mutex_init(&a->lock, NULL);
	a->waiting.row = calloc(ROOM, sizeof(*a->waiting.row));
	a->taken.row = calloc(ROOM, sizeof(*a->taken.row));
	CS_TRY(a->waiting.row && a->taken.row ? CS_OK : CS_NO_MEMORY);
	*ret = a;
	a = NULL;
out:
	cs_auditlog_free(a);
	return e;
}

void
cs_auditlog_free(struct cs_auditlog *a)
{
	if (!a)
		return;
	pthread_mutex_destroy(&a->lock);
	free(a->waiting.row);
	free(a->taken.row);
	free(a);
}

/* ----------------------------------------------------------------- records */

struct cs_audit_record
cs_auditlog_record(const struct cs_principal *who, enum cs_audit_event event)
{
	static const enum cs_audit_who kinds[] = {
#define CS_AUTHZ_WHO(NAME, text) [CS_PRINCIPAL_##NAME] = CS_AUDIT_WHO_##NAME,
#include "proto/authz.def"
	};
	struct cs_audit_record r = { .event = event, .who = kinds[who->kind] };

	if (who->kind != CS_PRINCIPAL_ANYONE)
		memcpy(r.id, who->id, CS_ID_BYTES);
	return r;
}

/* One of whoever can start the relay, or of the relay itself. */
static struct cs_audit_record
own_record(const struct cs_core *c, enum cs_audit_who who,
    enum cs_audit_event event)
{
	struct cs_audit_record r = { .event = event, .who = who };

	memcpy(r.id, c->me->id, CS_ID_BYTES);
	return r;
}

/* What an entry of the directory changes. */
static enum cs_audit_event
event_of(enum cs_entry_type type)
{
	static const struct {
		enum cs_entry_type type;
		enum cs_audit_event event;
	} rows[] = {
		{ CS_ENTRY_ROOT, CS_AUDIT_KEY },
		{ CS_ENTRY_REGISTRAR, CS_AUDIT_KEY },
		{ CS_ENTRY_RELAY, CS_AUDIT_KEY },
		{ CS_ENTRY_WITNESS, CS_AUDIT_KEY },
		{ CS_ENTRY_DEVICE, CS_AUDIT_ENROLMENT },
		{ CS_ENTRY_DEVICE_ROTATE, CS_AUDIT_KEY },
		{ CS_ENTRY_EPOCH_BATCH, CS_AUDIT_KEY },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].type == type)
			return rows[i].event;
	return CS_AUDIT_PERMISSION;
}

cs_err
cs_auditlog_entries(struct cs_core *c, struct cs_batch *b,
    const struct cs_principal *who, const struct cs_dirlog_leaves *leaves)
{
	struct cs_audit_record r;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	cs_err e = CS_OK;

	for (uint32_t i = 0; i < leaves->n; i++) {
		CS_TRY(cs_entry_leaf_decode(cs_buf_view(&leaves->leaf[i]),
		    &leaf));
		CS_TRY(cs_entry_decode(leaf.entry, &entry));
		r = who ? cs_auditlog_record(who, event_of(entry.type))
			: own_record(c, CS_AUDIT_WHO_OPERATOR,
			      event_of(entry.type));
		memcpy(r.object, entry.subject, CS_ID_BYTES);
		r.a = leaf.seq;
		r.b = (uint64_t)entry.type;
		CS_TRY(cs_batch_audit(b, &r));
	}
out:
	return e;
}

/* ----------------------------------------------------------------- waiting */

static bool
is_same(const struct cs_audit_record *x, const struct cs_audit_record *y)
{
	return x->event == y->event && x->who == y->who &&
	       x->result == y->result && x->b == y->b &&
	       memcmp(x->id, y->id, CS_ID_BYTES) == 0 &&
	       memcmp(x->object, y->object, CS_ID_BYTES) == 0;
}

static struct cs_audit_record *
find(struct records *v, const struct cs_audit_record *r)
{
	for (size_t i = 0; i < v->n; i++)
		if (is_same(&v->row[i], r))
			return &v->row[i];
	return NULL;
}

/* Strangers share few rows: they may be many, and name what they like. */
static bool
has_room(const struct records *v, const struct cs_audit_record *r)
{
	unsigned strangers = 0;

	if (r->who == CS_AUDIT_WHO_ANYONE)
		for (size_t i = 0; i < v->n; i++)
			strangers += v->row[i].who == r->who &&
				     v->row[i].event == r->event;
	return v->n < CS_LIMIT_AUDIT_WAITING &&
	       strangers < CS_LIMIT_AUDIT_STRANGERS;
}

/* What is counted only: something of this kind, by anyone. */
static struct cs_audit_record
rest_of(const struct cs_audit_record *r)
{
	return (struct cs_audit_record){ .event = r->event,
		.who = CS_AUDIT_WHO_ANYONE,
		.result = r->result == 0 ? 0 : cs_frame_code(CS_DENIED) };
}

/* Once more what r says; a counts. */
static void
wait_for_commit(struct cs_core *c, struct cs_audit_record r)
{
	struct cs_auditlog *a = c->audit;
	struct records *v = &a->waiting;
	struct cs_audit_record *row;

	r.a = 0;
	pthread_mutex_lock(&a->lock);
	if (v->n == 0)
		a->since_ms = cs_clock_uptime_ms(&c->clock);
	row = find(v, &r);
	if (!row && !has_room(v, &r)) {
		r = rest_of(&r);
		row = find(v, &r);
	}
	if (!row) {
		row = &v->row[v->n++];
		*row = r;
	}
	row->a++;
	pthread_mutex_unlock(&a->lock);
}

void
cs_auditlog_login(struct cs_core *c, const struct cs_principal *who)
{
	wait_for_commit(c, cs_auditlog_record(who, CS_AUDIT_LOGIN));
}

void
cs_auditlog_login_failed(struct cs_core *c, const uint8_t *claimed, cs_err e)
{
	struct cs_audit_record r = { .event = CS_AUDIT_LOGIN_FAILED,
		.who = CS_AUDIT_WHO_ANYONE,
		.result = cs_frame_code(e) };

	if (claimed)
		memcpy(r.object, claimed, CS_ID_BYTES);
	wait_for_commit(c, r);
}

void
cs_auditlog_refused(struct cs_core *c, const struct cs_principal *who,
    uint64_t op, cs_err e)
{
	/* Not there, and there for somebody else, are one answer. */
	static const cs_err reasons[] = { CS_DENIED, CS_NOT_FOUND, CS_REVOKED,
		CS_EXPIRED, CS_LAPSED, CS_BAD_SIGNATURE, CS_USED, CS_CLASH };
	struct cs_audit_record r = cs_auditlog_record(who, CS_AUDIT_DENIED);

	for (size_t i = 0; i < COUNT(reasons); i++) {
		if (reasons[i] != e)
			continue;
		r.result = cs_frame_code(e);
		r.b = cs_frame_info(op) ? op : 0;
		wait_for_commit(c, r);
	}
}

/* ------------------------------------------------------------- the writer's */

cs_err
cs_auditlog_add(struct cs_auditlog *a, struct cs_batch *b)
{
	struct records none;
	cs_err e = CS_OK;

	a->riding = false;
	if (a->held || (cs_batch_ops(b) == 0 && !a->due))
		return CS_OK;
	pthread_mutex_lock(&a->lock);
	if (a->taken.n == 0) {
		none = a->taken;
		a->taken = a->waiting;
		a->waiting = none;
	}
	pthread_mutex_unlock(&a->lock);
	CS_TRY(cs_batch_audit_earlier(b, a->taken.row, a->taken.n));
	a->riding = a->taken.n > 0;
out:
	return e;
}

void
cs_auditlog_added(struct cs_auditlog *a)
{
	if (a->riding)
		a->taken.n = 0;
	a->riding = a->due = false;
}

bool
cs_auditlog_hold(struct cs_auditlog *a)
{
	bool again = a->riding;

	a->riding = false;
	a->held = again;
	if (again)
		cs_report(CS_REPORT_ERROR,
		    "the audit log does not take records: logins and refusals "
		    "wait; see to the disk");
	return again;
}

/* --------------------------------------------------------- commits of its own
 */

struct flush {
	struct cs_task task;
	struct cs_core *core;
};

/* The writer adds what waits to this batch, whatever else is in it. */
static cs_err
plan_flush(struct cs_task *task, struct cs_batch *b)
{
	struct flush *f = (struct flush *)task;

	(void)b;
	f->core->audit->due = true;
	return CS_OK;
}

static cs_err
flush_done(struct cs_task *task, cs_err e, const struct cs_batch *b)
{
	struct flush *f = (struct flush *)task;
	struct cs_auditlog *a = f->core->audit;

	(void)b;
	if (e != CS_OK || a->held)
		a->retry_ms = cs_clock_uptime_ms(&f->core->clock) +
			      CS_LIMIT_UPKEEP_RETRY_MS;
	a->pushed = false;
	free(f);
	return CS_OK;
}

void
cs_auditlog_tick(struct cs_core *c)
{
	struct cs_auditlog *a = c->audit;
	uint64_t now_ms = cs_clock_uptime_ms(&c->clock);
	struct flush *f;
	bool due;

	pthread_mutex_lock(&a->lock);
	due = a->waiting.n >= CS_LIMIT_AUDIT_WAITING / 2 ||
	      (a->waiting.n > 0 &&
		  now_ms - a->since_ms >= CS_LIMIT_AUDIT_WAIT_MS);
	pthread_mutex_unlock(&a->lock);
	if (!due || a->pushed || now_ms < a->retry_ms)
		return;
	f = calloc(1, sizeof(*f));
	if (!f)
		return; /* the next tick tries again */
	f->task = (struct cs_task){ .plan = plan_flush, .done = flush_done };
	f->core = c;
	a->held = false;
	a->pushed = true;
	cs_writer_push(c->writer, &f->task);
}

/* Records in a commit of their own, with what waits. No writer runs. */
static cs_err
commit(struct cs_core *c, const struct cs_audit_record *r, size_t n)
{
	struct cs_batch *b = NULL;
	uint32_t task;
	cs_err e;

	CS_TRY(cs_batch_new(c, &b));
	c->audit->due = true;
	CS_TRY(cs_auditlog_add(c->audit, b));
	for (size_t i = 0; i < n; i++)
		CS_TRY(cs_batch_audit(b, &r[i]));
	CS_TRY(cs_batch_seal(b));
	CS_TRY(cs_batch_commit(b, &task));
	cs_auditlog_added(c->audit);
out:
	cs_batch_free(b);
	return e;
}

/* Incarnation and directory: which store this is. */
static struct cs_audit_record
store_record(struct cs_core *c, enum cs_audit_who who,
    enum cs_audit_event event)
{
	struct cs_audit_record r = own_record(c, who, event);
	struct cs_store_incarnation in;
	struct cs_checkpoint seen;
	uint64_t relay_entry;

	cs_store_incarnation(c->store, &in);
	cs_dirlog_seen(c->dirlog, &seen, &relay_entry);
	memcpy(r.object, in.id, CS_ID_BYTES);
	r.a = in.counter;
	r.b = seen.size;
	return r;
}

static struct cs_audit_record
config_record(struct cs_core *c, const uint8_t *hash)
{
	struct cs_audit_record r =
	    own_record(c, CS_AUDIT_WHO_OPERATOR, CS_AUDIT_CONFIGURATION);
	struct cs_cursor at =
	    cs_cursor_new((struct cs_bytes){ hash, CS_HASH_BYTES });

	cs_cursor_copy(&at, r.object, CS_ID_BYTES);
	r.a = cs_cursor_u64(&at);
	r.b = cs_cursor_u64(&at);
	return r;
}

cs_err
cs_auditlog_start(struct cs_core *c, const uint8_t *config_hash)
{
	struct cs_audit_record r[3];
	size_t n = 0;
	cs_err e;

	r[n++] = store_record(c, CS_AUDIT_WHO_OPERATOR, CS_AUDIT_START);
	if (config_hash)
		r[n++] = config_record(c, config_hash);
	r[n] = own_record(c, CS_AUDIT_WHO_RELAY, CS_AUDIT_LOGOFF);
	r[n].a = CS_LIMIT_IDLE_MS / 1000;
	r[n++].b = CS_LIMIT_SESSION_MS / 1000;
	CS_TRY(commit(c, r, n));
	c->audit->started = true;
out:
	return e;
}

cs_err
cs_auditlog_restored(struct cs_core *c)
{
	const struct cs_audit_record r =
	    store_record(c, CS_AUDIT_WHO_OPERATOR, CS_AUDIT_RESTORE);

	return commit(c, &r, 1);
}

void
cs_auditlog_stop(struct cs_core *c)
{
	const struct cs_audit_record r =
	    own_record(c, CS_AUDIT_WHO_OPERATOR, CS_AUDIT_STOP);
	cs_err e;

	if (!c->audit || !c->audit->started)
		return;
	e = commit(c, &r, 1);
	if (e != CS_OK)
		cs_report(CS_REPORT_WARNING, "recording the stop: %s",
		    cs_err_text(e));
}
