#include "relay/cosign.h"

#include <sodium.h>
#include <string.h>

#include "keys/verify.h"
#include "proto/cosignature.h"
#include "relay/auditlog.h"
#include "relay/dirlog.h"

struct cosign {
	struct cs_buf before, after; /* notes */
	uint64_t size;               /* of the log */
};

static void
drop(void *state)
{
	struct cosign *v = state;

	cs_buf_fini(&v->before);
	cs_buf_fini(&v->after);
}

/* Is it about the checkpoint that we have? */
static cs_err
check_newest(const struct cs_note *note, const struct cs_frame_cosign *ask)
{
	uint8_t hash[CS_HASH_BYTES];

	crypto_hash_sha256(hash, note->body.p, note->body.n);
	return memcmp(hash, ask->note_hash, sizeof(hash)) == 0 ? CS_OK
							       : CS_LOST;
}

/*
 * The note with the witness's line. Left as it is where it has one: the first
 * word on a checkpoint stands.
 */
static cs_err
add_line(struct cosign *v, const struct cs_job *job,
    const struct cs_frame_cosign *ask, const uint8_t *key)
{
	struct cs_note before = { 0 }, after;
	uint64_t time_s;
	cs_err e;

	CS_TRY(cs_checkpoint_split(cs_buf_view(&v->before), &before));
	CS_TRY(check_newest(&before, ask));
	cs_buf_put_bytes(&v->after, cs_buf_view(&v->before));
	e = cs_verify_cosignature(&before, job->who.id, key, &time_s);
	if (e != CS_NOT_FOUND)
		return e;
	cs_cosignature_encode(job->who.id, key, &ask->cosignature, &v->after);
	CS_TRY(cs_buf_err(&v->after));
	/* Also the bound of a note: CS_TOO_LARGE, and nothing is changed. */
	CS_TRY(cs_checkpoint_split(cs_buf_view(&v->after), &after));
	CS_TRY(cs_verify_cosignature(&after, job->who.id, key, &time_s));
out:
	return e;
}

cs_err
cs_cosign_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	struct cs_frame_cosign ask;
	struct cosign *v;
	void *state;
	cs_err e;

	CS_TRY(cs_frame_cosign_decode(&args, &ask));
	CS_TRY(job->condition == CS_AUTHZ_OWN_WORD ? CS_OK : CS_DENIED);
	CS_TRY(cs_dirlog_witness_key(c->dirlog, job->who.id, key));
	CS_TRY(cs_job_state(job, sizeof(*v), drop, &state));
	v = state;
	CS_TRY(cs_dirlog_note(c->dirlog, &v->before, &v->size));
	CS_TRY(add_line(v, job, &ask, key));
	if (v->after.n == v->before.n)
		cs_frame_ok_encode(reply, job->id);
out:
	return e;
}

cs_err
cs_cosign_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct cs_audit_record r =
	    cs_auditlog_record(&job->who, CS_AUDIT_COSIGNED);
	struct cosign *v = job->state;
	struct cs_store_op op = { .kind = CS_STORE_NOTE,
		.note = { .log = CS_LOG_DIRECTORY,
		    .size = v->size,
		    .note = cs_buf_view(&v->after) } };
	struct cs_buf now = { 0 };
	uint64_t size;
	cs_err e;

	/* Alone in its batch with the directory: what is visible is then what
	 * is stored, and another line or checkpoint is not written over. */
	CS_TRY(cs_batch_claim(b, cs_batch_directory, true));
	CS_TRY(cs_dirlog_note(c->dirlog, &now, &size));
	CS_TRY(cs_bytes_eq(cs_buf_view(&now), cs_buf_view(&v->before))
		   ? CS_OK
		   : CS_LOST);
	CS_TRY(cs_batch_add(b, &op));
	r.a = v->size;
	CS_TRY(cs_batch_audit(b, &r));
out:
	cs_buf_fini(&now);
	return e;
}

cs_err
cs_cosign_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct cosign *v = job->state;
	cs_err e;

	(void)b;
	CS_TRY(cs_dirlog_cosigned(c->dirlog, cs_buf_view(&v->after)));
	c->count[CS_COUNT_COSIGNED]++;
	cs_frame_ok_encode(reply, job->id);
out:
	return e;
}
