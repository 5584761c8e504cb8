#include "relay/handover.h"

#include <stdlib.h>
#include <string.h>

#include "keys/verify.h"
#include "proto/base/cursor.h"
#include "relay/auditlog.h"
#include "relay/identity.h"
#include "relay/limits.h"
#include "relay/report.h"
#include "relay/writer.h"

static const char elsewhere[] =
    "this network's relay gets other keys by an entry about itself";
static const char not_held[] =
    "the relay does not hold these keys: put keyring.next beside its keyring";

static const char one_at_a_time[] =
    "the keys before the last change still make handshakes: destroy them first";

/* ------------------------------------------------------- entries about relays
 */

/* What leaf i says of a relay; false if it is about something else. */
static bool
read_relay(const struct cs_dirlog_leaves *leaves, uint32_t i,
    struct cs_entry *ret_entry, struct cs_entry_relay *ret)
{
	struct cs_entry_leaf leaf;

	return cs_entry_leaf_decode(cs_buf_view(&leaves->leaf[i]), &leaf) ==
		   CS_OK &&
	       cs_entry_decode(leaf.entry, ret_entry) == CS_OK &&
	       ret_entry->type == CS_ENTRY_RELAY &&
	       cs_entry_relay_decode(ret_entry->body, ret) == CS_OK;
}

cs_err
cs_handover_check(struct cs_core *c, const struct cs_dirlog_leaves *leaves,
    const char **ret_detail)
{
	struct cs_entry_relay keys;
	struct cs_entry entry;

	for (uint32_t i = 0; i < leaves->n; i++) {
		if (!read_relay(leaves, i, &entry, &keys))
			continue;
		if (memcmp(entry.subject, c->me->id, CS_ID_BYTES) != 0) {
			*ret_detail = elsewhere;
			return CS_DENIED;
		}
		/* put beside the keyring a moment ago, it may be */
		if (!cs_identity_find(c->identity, &keys))
			cs_identity_reload(c->identity);
		if (!cs_identity_find(c->identity, &keys)) {
			*ret_detail = not_held;
			return CS_NO_KEY;
		}
		if (cs_identity_is_next(c->identity, &keys) &&
		    cs_identity_has_old(c->identity)) {
			*ret_detail = one_at_a_time;
			return CS_EXISTS;
		}
	}
	return CS_OK;
}

cs_err
cs_handover_signer(struct cs_core *c, const struct cs_dirlog_leaves *leaves,
    const struct cs_keyring **ret)
{
	const struct cs_keyring *kr = cs_identity_signer(c->identity);
	struct cs_entry_relay keys;
	struct cs_entry entry;

	for (uint32_t i = 0; i < leaves->n; i++)
		if (read_relay(leaves, i, &entry, &keys))
			kr = cs_identity_find(c->identity, &keys);
	if (!kr)
		return CS_WRONG_RELAY;
	*ret = kr;
	return CS_OK;
}

cs_err
cs_handover_done(struct cs_core *c, const struct cs_dirlog_leaves *leaves)
{
	struct cs_entry_relay keys;
	struct cs_entry entry;
	cs_err e = CS_OK;

	for (uint32_t i = 0; i < leaves->n; i++) {
		if (!read_relay(leaves, i, &entry, &keys))
			continue;
		CS_TRY(cs_identity_follow(c->identity, &keys));
		cs_report(CS_REPORT_INFO,
		    "signs with the keys of directory entry %llu",
		    (unsigned long long)leaves->size + i);
	}
out:
	return e;
}

/* The entry of ours that follows backwards from at, and its keys. */
static cs_err
read_entry(struct cs_dirlog *d, uint64_t at, uint64_t *ret_prev,
    struct cs_entry_relay *ret)
{
	struct cs_buf bytes = { 0 };
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	struct cs_entry_relay v;
	cs_err e;

	CS_TRY(cs_dirlog_leaf(d, at, &bytes));
	CS_TRY(cs_entry_leaf_decode(cs_buf_view(&bytes), &leaf));
	CS_TRY(cs_entry_decode(leaf.entry, &entry));
	CS_TRY(cs_entry_relay_decode(entry.body, &v));
	*ret_prev = entry.prev;
	v.url = (struct cs_bytes){ 0 }; /* goes with bytes */
	*ret = v;
out:
	cs_buf_fini(&bytes);
	return e;
}

cs_err
cs_handover_verify(struct cs_core *c, struct cs_bytes note, enum cs_log log,
    struct cs_checkpoint *ret)
{
	struct cs_directory_relay relay;
	struct cs_entry_relay keys;
	uint64_t at;
	cs_err e;

	CS_TRY(cs_dirlog_relay(c->dirlog, &relay));
	at = relay.entry;
	do {
		CS_TRY(read_entry(c->dirlog, at, &at, &keys));
		e = cs_verify_checkpoint(note, log, c->me->network_id,
		    c->me->id, keys.sign_key, ret);
	} while (e == CS_BAD_SIGNATURE && at != CS_ENTRY_NO_PREV);
out:
	return e;
}

/* ------------------------------------------------------------ who knows of it
 */

/* A value of the store for each device: the newest relay entry that it was
 * seen to know. */
#define NAME_BYTES (6 + CS_ID_BYTES)
static void
name_of(const uint8_t *device_id, uint8_t ret[static NAME_BYTES])
{
	memcpy(ret, "knows/", 6);
	memcpy(ret + 6, device_id, CS_ID_BYTES);
}

static bool
knows(struct cs_core *c, const uint8_t *device_id, uint64_t entry,
    uint64_t *ret_version)
{
	uint8_t name[NAME_BYTES];
	struct cs_buf value = { 0 };
	struct cs_cursor at;
	bool known = false;

	*ret_version = 0;
	name_of(device_id, name);
	if (cs_store_value(c->store, CS_BYTES(name), &value, ret_version) ==
	    CS_OK) {
		at = cs_cursor_new(cs_buf_view(&value));
		known = cs_cursor_u64(&at) >= entry;
	}
	cs_buf_fini(&value);
	return known;
}

struct sighting {
	struct cs_task task;
	struct cs_core *core;
	uint8_t device_id[CS_ID_BYTES];
	uint64_t entry;
};

static cs_err
plan_sighting(struct cs_task *task, struct cs_batch *b)
{
	struct sighting *s = (struct sighting *)task;
	struct cs_store_op op = { .kind = CS_STORE_VALUE };
	uint8_t name[NAME_BYTES], value[8];
	uint64_t version;
	cs_err e = CS_OK;

	if (knows(s->core, s->device_id, s->entry, &version))
		return CS_OK;
	name_of(s->device_id, name);
	cs_bytes_be(s->entry, 8, value);
	op.value.expected = version;
	CS_TRY(cs_batch_keep(b, CS_BYTES(name), &op.value.name));
	CS_TRY(cs_batch_keep(b, CS_BYTES(value), &op.value.value));
	CS_TRY(cs_batch_add(b, &op));
out:
	return e;
}

/* What was not written is seen at the next login. */
static cs_err
sighting_done(struct cs_task *task, cs_err e, const struct cs_batch *b)
{
	(void)e;
	(void)b;
	free(task);
	return CS_OK;
}

void
cs_handover_saw(struct cs_core *c, const uint8_t device_id[static CS_ID_BYTES],
    uint64_t size)
{
	struct cs_directory_relay relay;
	struct sighting *s;
	uint64_t version;

	if (!cs_identity_has_old(c->identity) ||
	    cs_dirlog_relay(c->dirlog, &relay) != CS_OK ||
	    size <= relay.entry || knows(c, device_id, relay.entry, &version))
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		return; /* as above */
	s->task =
	    (struct cs_task){ .plan = plan_sighting, .done = sighting_done };
	s->core = c;
	memcpy(s->device_id, device_id, CS_ID_BYTES);
	s->entry = relay.entry;
	cs_writer_push(c->writer, &s->task);
}

/* ------------------------------------------------------------------- handover
 */

struct survey {
	struct cs_core *core;
	struct cs_frame_handover_reply v;
};

static void
count_device(void *ctx, const uint8_t device_id[static CS_ID_BYTES])
{
	struct survey *s = ctx;
	uint64_t version;

	s->v.n_devices++;
	s->v.n_waiting += !knows(s->core, device_id, s->v.entry, &version);
}

/* Who still needs the old keys, and until when at most. */
static cs_err
take_survey(struct cs_core *c, struct cs_frame_handover_reply *ret)
{
	struct survey s = { .core = c };
	struct cs_directory_relay relay;
	uint64_t now_s = cs_clock_now_s(&c->clock), open_until_s;
	struct cs_entry_leaf leaf;
	struct cs_buf bytes = { 0 };
	cs_err e;

	CS_TRY(cs_dirlog_relay(c->dirlog, &relay));
	CS_TRY(cs_dirlog_leaf(c->dirlog, relay.entry, &bytes));
	CS_TRY(cs_entry_leaf_decode(cs_buf_view(&bytes), &leaf));
	s.v.entry = relay.entry;
	s.v.since_s = leaf.logged_at_s;
	s.v.has_old = cs_identity_has_old(c->identity);
	s.v.due_s = s.v.since_s;
	if (s.v.has_old) {
		cs_dirlog_devices(c->dirlog, now_s, count_device, &s);
		s.v.n_invitations = cs_dirlog_invitations(c->dirlog,
		    relay.entry, now_s, &open_until_s);
		if (s.v.n_waiting > 0)
			s.v.due_s = s.v.since_s + CS_LIMIT_HANDOVER_S;
		if (s.v.n_invitations > 0 && open_until_s >= s.v.due_s)
			s.v.due_s = open_until_s + 1;
	}
	*ret = s.v;
out:
	cs_buf_fini(&bytes);
	return e;
}

cs_err
cs_handover_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_frame_handover_reply *v;
	struct cs_wire args = job->args;
	struct cs_frame_handover ask;
	void *state;
	cs_err e;

	CS_TRY(cs_frame_handover_decode(&args, &ask));
	CS_TRY(cs_job_state(job, sizeof(*v), NULL, &state));
	v = state;
	CS_TRY(take_survey(c, v));
	if (!ask.destroy) {
		cs_frame_handover_reply_encode(reply, job->id, v);
		goto out;
	}
	CS_TRY(v->has_old ? CS_OK : CS_NOT_FOUND);
	CS_TRY(cs_clock_now_s(&c->clock) >= v->due_s ? CS_OK : CS_TOO_EARLY);
out:
	return e;
}

/* Recorded first: a key that is gone cannot be told from one that never was. */
cs_err
cs_handover_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct cs_audit_record r = cs_auditlog_record(&job->who, CS_AUDIT_KEY);
	const struct cs_frame_handover_reply *v = job->state;

	memcpy(r.object, c->me->id, CS_ID_BYTES);
	r.a = v->entry;
	return cs_batch_audit(b, &r);
}

cs_err
cs_handover_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	struct cs_frame_handover_reply *v = job->state;
	cs_err e;

	(void)b;
	e = cs_identity_forget(c->identity);
	if (e != CS_OK && e != CS_NOT_FOUND) {
		cs_frame_error_encode(reply, job->id, CS_INTERNAL,
		    "the file of the old keys cannot be removed", 0);
		return CS_OK;
	}
	v->has_old = false;
	cs_frame_handover_reply_encode(reply, job->id, v);
	return CS_OK;
}
