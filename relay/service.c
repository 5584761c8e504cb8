#include "relay/service.h"

#include <stdlib.h>

#include "relay/auditlog.h"
#include "relay/auditread.h"
#include "relay/authz.h"
#include "relay/cancelled.h"
#include "relay/core.h"
#include "relay/cosign.h"
#include "relay/dirappend.h"
#include "relay/dirlog.h"
#include "relay/ended.h"
#include "relay/epochkeys.h"
#include "relay/expiry.h"
#include "relay/handover.h"
#include "relay/identity.h"
#include "relay/job.h"
#include "relay/limits.h"
#include "relay/mailbox.h"
#include "relay/parked.h"
#include "relay/pool.h"
#include "relay/receiptlog.h"
#include "relay/report.h"
#include "relay/segcopy.h"
#include "relay/submit.h"
#include "relay/upload.h"
#include "relay/withdraw.h"
#include "relay/writer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct cs_service {
	struct cs_core core;
	struct cs_secret *store_key;
};

/* -------------------------------------------------------------- operations */

static cs_err
ping_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_frame_ping_reply answer = { cs_clock_now_s(&c->clock) };
	struct cs_wire args = job->args;
	struct cs_frame_ping ask;
	cs_err e;

	CS_TRY(cs_frame_ping_decode(&args, &ask));
	cs_frame_ping_reply_encode(reply, job->id, &answer);
out:
	return e;
}

/* login is no row: it makes a principal, and the session asks for it. */
/* clang-format off */
static const struct cs_job_kind kinds[] = {
	{ CS_OP_PING,            ping_run, NULL, NULL },
	{ CS_OP_ENROL,           cs_dirappend_run, cs_dirappend_plan, cs_dirappend_answer },
	{ CS_OP_DIR_SYNC,        cs_dirlog_sync_run, NULL, NULL },
	{ CS_OP_DIR_APPEND,      cs_dirappend_run, cs_dirappend_plan, cs_dirappend_answer },
	{ CS_OP_COSIGN,          cs_cosign_run, cs_cosign_plan, cs_cosign_answer },
	{ CS_OP_EPOCH_PUT,       cs_epochkeys_put_run, cs_epochkeys_put_plan, NULL },
	{ CS_OP_EPOCH_GET,       cs_epochkeys_get_run, NULL, NULL },
	{ CS_OP_UPLOAD_BEGIN,    cs_upload_begin_run, cs_upload_begin_plan, cs_upload_begin_answer },
	{ CS_OP_SEGMENT_PUT,     cs_upload_segment_run, cs_upload_segment_plan, NULL },
	{ CS_OP_SEGMENT_MISSING, cs_upload_missing_run, NULL, NULL },
	{ CS_OP_SUBMIT,          cs_submit_run, cs_submit_plan, cs_submit_answer },
	{ CS_OP_UPLOAD_CANCEL,   cs_upload_cancel_run, cs_upload_cancel_plan, cs_upload_cancel_answer },
	{ CS_OP_STATUS,          cs_submit_status_run, NULL, NULL },
	{ CS_OP_EXTEND,          cs_withdraw_extend_run, cs_withdraw_extend_plan, cs_withdraw_extend_answer },
	{ CS_OP_WITHDRAW,        cs_withdraw_run, cs_withdraw_plan, cs_withdraw_answer },
	{ CS_OP_SEGMENT_COPY,    cs_segcopy_run, cs_segcopy_plan, cs_segcopy_answer },
	{ CS_OP_ANCHOR,          cs_receiptlog_anchor_run, cs_receiptlog_anchor_plan, cs_receiptlog_anchor_answer },
	{ CS_OP_RECEIPT_LOG,     cs_receiptlog_run, NULL, NULL },
	{ CS_OP_RECEIPT_LEAVES,  cs_receiptlog_leaves_run, NULL, NULL },
	{ CS_OP_LIST,            cs_mailbox_list_run, NULL, NULL },
	{ CS_OP_FETCH,           cs_mailbox_fetch_run, NULL, NULL },
	{ CS_OP_SEGMENT_GET,     cs_mailbox_segment_run, NULL, NULL },
	{ CS_OP_ACK,             cs_mailbox_ack_run, cs_mailbox_ack_plan, cs_mailbox_ack_answer },
	{ CS_OP_HANDOVER,        cs_handover_run, cs_handover_plan, cs_handover_answer },
	{ CS_OP_AUDIT_READ,      cs_auditread_run, cs_auditread_plan, cs_auditread_answer },
	{ CS_OP_AUDIT_NOTE,      cs_auditread_note_run, cs_auditread_note_plan, NULL },
};
/* clang-format on */

static const struct cs_job_kind *
find_kind(uint64_t op)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].op == op)
			return &kinds[i];
	return NULL;
}

/* ---------------------------------------------------------------- requests */

/* What is known before anything is decoded: may they ask at all? */
static cs_err
admit(struct cs_core *c, const struct cs_principal *who, uint64_t op,
    size_t bytes, enum cs_authz_condition *ret)
{
	const struct cs_frame_info *info = cs_frame_info(op);
	cs_err e;

	CS_TRY(cs_authz_request(who->kind, op, ret));
	CS_TRY(info ? CS_OK : CS_DENIED);
	CS_TRY(cs_dirlog_standing(c->dirlog, who, cs_clock_now_s(&c->clock)));
	CS_TRY(bytes <= info->limit_bytes ? CS_OK : CS_TOO_LARGE);
	CS_TRY(c->count[CS_COUNT_WORK_BYTES] + bytes <= CS_LIMIT_WORK_BYTES
		   ? CS_OK
		   : CS_BUSY);
out:
	return e;
}

static void
count_refusal(struct cs_core *c, cs_err e)
{
	if (e == CS_BUSY)
		c->count[CS_COUNT_BUSY]++;
	else if (e == CS_MALFORMED || e == CS_TOO_LARGE)
		c->count[CS_COUNT_REFUSED]++;
	else
		c->count[CS_COUNT_DENIED]++;
}

void
cs_service_request(struct cs_service *s, const struct cs_principal *who,
    struct cs_bytes request, cs_service_done *done, void *ctx)
{
	struct cs_core *c = &s->core;
	enum cs_authz_condition condition = CS_AUTHZ_NEVER;
	const struct cs_job_kind *kind;
	struct cs_job *job = NULL;
	struct cs_buf reply = { 0 };
	uint32_t id = 0, arguments;
	struct cs_wire args;
	uint64_t op = 0;
	cs_err e;

	c->count[CS_COUNT_REQUESTS]++;
	CS_TRY(cs_frame_head(request, &args, &op, &id, &arguments));
	CS_TRY(admit(c, who, op, request.n, &condition));
	kind = find_kind(op);
	CS_TRY(kind ? CS_OK : CS_DENIED);
	CS_TRY(cs_job_new(c, kind, condition, who, request, done, ctx, &job));
	cs_job_push(job);
out:
	if (e != CS_OK) {
		count_refusal(c, e);
		cs_auditlog_refused(c, who, op, e);
		cs_frame_error_encode(&reply, id, e, cs_err_text(e),
		    cs_job_retry_s(e));
		done(ctx, &reply);
		cs_buf_fini(&reply);
	}
}

cs_err
cs_service_login(struct cs_service *s, const struct cs_frame_login *login,
    const uint8_t handshake_hash[static 32], struct cs_principal *ret,
    struct cs_frame_login_reply *ret_reply)
{
	struct cs_core *c = &s->core;
	struct cs_frame_login_reply answer = { .time_s =
						   cs_clock_now_s(&c->clock) };
	bool is_known;
	cs_err e;

	CS_TRY(cs_dirlog_login(c->dirlog, c, login, handshake_hash, ret,
	    &answer.dir_size));
	cs_auditlog_login(c, ret);
	if (ret->kind == CS_PRINCIPAL_DEVICE)
		cs_handover_saw(c, ret->id, login->seen.size);
	*ret_reply = answer;
out:
	if (e != CS_OK) {
		is_known = cs_dirlog_knows(c->dirlog, login->device_id);
		cs_auditlog_login_failed(c, is_known ? login->device_id : NULL,
		    e);
	}
	return e;
}

void
cs_service_cancel(struct cs_service *s, const void *ctx)
{
	cs_parked_cancel(s->core.parked, ctx);
}

void
cs_service_tick(struct cs_service *s, struct cs_clock_reading now)
{
	struct cs_core *c = &s->core;

	if (!cs_clock_tick(&c->clock, now)) {
		c->count[CS_COUNT_CLOCK_STEPS]++;
		cs_report(CS_REPORT_WARNING,
		    "the clock stepped: nothing expires for the next %u "
		    "minutes",
		    (unsigned)(CS_LIMIT_CLOCK_STEADY_MS / 60000));
	}
	cs_parked_tick(c->parked, cs_clock_uptime_ms(&c->clock));
	cs_expiry_tick(c->expiry);
	cs_ended_tick(c->ended);
	cs_dirappend_tick(c);
	cs_auditlog_tick(c);
}

bool
cs_service_counter(struct cs_service *s, unsigned i, struct cs_metric *ret)
{
	static const struct cs_metric rows[CS_COUNTERS] = {
#define CS_COUNTER(NAME, name, is_level, help)                                 \
	[CS_COUNT_##NAME] = { #name, help, is_level, 0 },
#include "relay/counter.def"
#undef CS_COUNTER
	};

	if (i >= CS_COUNTERS)
		return false;
	*ret = rows[i];
	ret->value = s->core.count[i];
	return true;
}

const struct cs_histogram *
cs_service_histogram(const struct cs_service *s, enum cs_histogram_kind kind)
{
	return &s->core.histogram[kind];
}

cs_err
cs_service_stats(struct cs_service *s, struct cs_store_stats *ret)
{
	return cs_store_stats(s->core.store, ret);
}

bool
cs_service_is_alive(const struct cs_service *s)
{
	return cs_clock_read().boot_ms <
	       s->core.clock.boot_ms + cs_clock_uptime_ms(&s->core.clock) +
		   CS_LIMIT_STILL_MS;
}

const char *
cs_service_obstacle(struct cs_service *s)
{
	const uint64_t since_ms = s->core.commit_ms;
	struct cs_store_stats st;

	if (cs_store_stats(s->core.store, &st) != CS_OK)
		return "the store cannot be read";
	if (st.refuses)
		return "the store takes no commit";
	if (since_ms != 0 && cs_clock_uptime_ms(&s->core.clock) >=
				 since_ms - 1 + CS_LIMIT_STILL_MS)
		return "a commit waits for the disk";
	return NULL;
}

/* ------------------------------------------------------------------- store */

static void
on_report(void *ctx, enum cs_store_event event, const char *table,
    struct cs_bytes key)
{
	static const struct {
		enum cs_report_level level;
		const char *text;
	} lines[] = {
		[CS_STORE_DAMAGED] = { CS_REPORT_ERROR,
		    "a record of table %s is damaged and is not served: run a "
		    "check of the disk" },
		[CS_STORE_UNDERRUN] = { CS_REPORT_WARNING,
		    "a counter of table %s would go below zero" },
		[CS_STORE_REFUSES] = { CS_REPORT_ERROR,
		    "writing the %s failed" },
	};
	struct cs_core *c = ctx;

	(void)key; /* ids: not for the log */
	if (event == CS_STORE_DAMAGED)
		c->count[CS_COUNT_DAMAGED]++;
		/* The formats are ours, each with one %s. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	cs_report(lines[event].level, lines[event].text, table);
#pragma GCC diagnostic pop
}

static void
on_hint(void *ctx, const uint8_t device_id[CS_ID_BYTES])
{
	struct cs_core *c = ctx;

	cs_parked_wake(c->parked, device_id);
}

/* What to tell the operator when the store does not open. */
static void
explain_store(cs_err e, const char *path, struct cs_buf *out)
{
	static const struct {
		cs_err e;
		const char *remedy;
	} rows[] = {
		{ CS_BUSY, "another relay uses it; stop that one first" },
		{ CS_DENIED, "give the relay's user the folder" },
		{ CS_NOT_FOUND, "make the folder it is to be in" },
		{ CS_CORRUPT,
		    "it is damaged, or belongs to another relay's keyring" },
		{ CS_WENT_BACK,
		    "it is older than its .mark file says, or that is missing "
		    "or damaged, and members may have seen more: bring back "
		    "the newest store; if this is a backup and no newer one is "
		    "left, declare it with --restored" },
		{ CS_UNSUPPORTED, "it was made by another version" },
		{ CS_FULL, "make room on its disk" },
		{ CS_NO_MEMORY,
		    "allow the process more address space, or make the map "
		    "smaller" },
	};
	const char *remedy = "see to the disk";

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].e == e)
			remedy = rows[i].remedy;
	cs_buf_printf(out, "store %s: %s: %s", path, cs_err_text(e), remedy);
}

static cs_err
open_store(struct cs_service *s, const struct cs_service_settings *settings,
    struct cs_buf *ret_problem)
{
	struct cs_store_config config = { .path = settings->store,
		.map_bytes = settings->map_bytes,
		.restored_at_s =
		    settings->restored ? cs_clock_now_s(&s->core.clock) : 0,
		.report = on_report,
		.hint = on_hint,
		.ctx = &s->core };
	cs_err e;

	CS_TRY(cs_keyring_derive(cs_identity_signer(settings->identity),
	    "record-tag", &s->store_key));
	config.key = s->store_key;
	e = cs_store_open(&config, &s->core.store);
	if (e != CS_OK)
		explain_store(e, settings->store, ret_problem);
out:
	return e;
}

/* ------------------------------------------------------------ open, close */

static cs_err
start_threads(struct cs_core *c)
{
	cs_err e;

	CS_TRY(cs_expiry_new(c, &c->expiry));
	CS_TRY(cs_ended_new(c, &c->ended));
	CS_TRY(cs_writer_open(c, &c->writer));
	CS_TRY(cs_pool_open(CS_LIMIT_WORKERS, &c->pool));
	cs_writer_sweep(c->writer, true);
out:
	return e;
}

/* The time of a log's checkpoint, if that is later than what was known. */
static cs_err
read_time(struct cs_core *c, enum cs_log log, uint64_t *last_s)
{
	struct cs_buf note = { 0 };
	struct cs_checkpoint cp;
	uint64_t size;
	cs_err e;

	e = cs_store_log_note(c->store, log, &note, &size);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	CS_TRY(cs_handover_verify(c, cs_buf_view(&note), log, &cp));
	if (cp.time_s > *last_s)
		*last_s = cp.time_s;
out:
	cs_buf_fini(&note);
	return e;
}

/* The newest time of which the store knows. */
static cs_err
read_last_time(struct cs_core *c, uint64_t *last_s)
{
	cs_err e;

	CS_TRY(read_time(c, CS_LOG_RECEIPTS, last_s));
	CS_TRY(read_time(c, CS_LOG_AUDIT, last_s));
out:
	return e;
}

/* A relay that cannot record what is done does not run. */
static cs_err
record_start(struct cs_core *c, const struct cs_service_settings *settings,
    struct cs_buf *ret_problem)
{
	cs_err e = settings->restored
		       ? cs_auditlog_restored(c)
		       : cs_auditlog_start(c, settings->config_hash);

	if (e != CS_OK)
		cs_buf_printf(ret_problem,
		    "the audit log in store %s takes no record: %s; see to the "
		    "disk, or restore the store from its backup",
		    settings->store, cs_err_text(e));
	return e;
}

cs_err
cs_service_open(const struct cs_service_settings *settings,
    struct cs_clock_reading now, struct cs_service **ret,
    struct cs_buf *ret_problem)
{
	struct cs_service *s = calloc(1, sizeof(*s));
	struct cs_core *c;
	uint64_t last_s;
	cs_err e;

	CS_TRY(s ? CS_OK : CS_NO_MEMORY);
	c = &s->core;
	c->identity = settings->identity;
	c->me = cs_identity_info(settings->identity);
	c->quota_total_bytes = settings->quota_total_bytes;
	c->quota_sender_bytes = settings->quota_sender_bytes;
	c->quota_mailbox_bytes = settings->quota_mailbox_bytes;
	c->quota_share_bytes = settings->quota_share_bytes;
	cs_clock_init(&c->clock, now, 0);
	CS_TRY(cs_parked_new(&c->parked));
	CS_TRY(cs_cancelled_new(&c->cancelled));
	CS_TRY(cs_auditlog_new(&c->audit));
	CS_TRY(open_store(s, settings, ret_problem));
	CS_TRY(cs_dirlog_open(c, settings->genesis, &c->dirlog, &last_s,
	    ret_problem));
	CS_TRY(read_last_time(c, &last_s));
	cs_clock_init(&c->clock, now, last_s);
	CS_TRY(record_start(c, settings, ret_problem));
	CS_TRY(cs_dirappend_start(c));
	CS_TRY(start_threads(c));
	*ret = s;
	s = NULL;
out:
	if (e != CS_OK && ret_problem->n == 0)
		cs_buf_printf(ret_problem, "the relay cannot start: %s",
		    cs_err_text(e));
	cs_service_close(s);
	return e;
}

void
cs_service_close(struct cs_service *s)
{
	struct cs_core *c;

	if (!s)
		return;
	c = &s->core;
	/* Workers feed the writer, the writer wakes what is parked, and what
	 * a stopped one is given it refuses at once. */
	if (c->pool)
		cs_pool_stop(c->pool);
	if (c->writer)
		cs_writer_stop(c->writer);
	if (c->pool)
		cs_parked_end(c->parked);
	cs_auditlog_stop(c);
	cs_writer_free(c->writer);
	cs_pool_free(c->pool);
	cs_expiry_free(c->expiry);
	cs_ended_free(c->ended);
	cs_dirlog_free(c->dirlog);
	cs_store_close(c->store);
	cs_cancelled_free(c->cancelled);
	cs_auditlog_free(c->audit);
	cs_parked_free(c->parked);
	cs_secret_free(s->store_key);
	free(s);
}
