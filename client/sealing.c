#include "client/sealing.h"

#include <stdlib.h>
#include <string.h>

#include "client/archives.h"
#include "client/ask.h"
#include "client/cosigned.h"
#include "client/marks.h"
#include "client/mirror.h"
#include "client/notices.h"
#include "client/parents.h"
#include "client/resolve.h"
#include "keys/seal.h"

/* A device that gets the message, and its key. */
struct target {
	uint8_t device_id[CS_ID_BYTES];
	uint8_t member_id[CS_ID_BYTES];
	uint8_t key_id[CS_HASH_BYTES];
	uint8_t public_key[CS_KEM_PUBLIC_BYTES];
	uint64_t epoch;
	enum cs_key_kind kind;
};

struct sealing {
	struct cs_client *c;
	const struct cs_directory *dir;
	struct cs_outrec *rec;
	struct cs_sealing_lists *lists;
	uint64_t now_s;
	uint32_t n;
	uint16_t n_left_out;
	struct target *targets; /* CS_LIMIT_RECIPIENTS of them */
};

static int
by_device_id(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	return memcmp(x->device_id, y->device_id, CS_ID_BYTES);
}

/* ----------------------------------------------------------------- devices */

/* Somebody may be reached twice: by name, and in one group or several. */
static bool
is_target(const struct sealing *p, const uint8_t *member_id)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (memcmp(p->targets[i].member_id, member_id, CS_ID_BYTES) ==
		    0)
			return true;
	return false;
}

static cs_err
add_devices(struct sealing *p, const uint8_t *member_id)
{
	struct cs_directory_device device;
	uint32_t pos = 0;
	cs_err e;

	while ((e = cs_resolve_next_device(p->dir, member_id, p->now_s, &pos,
		    &device)) == CS_OK) {
		if (p->n == CS_LIMIT_RECIPIENTS) {
			cs_why_set(cs_client_why(p->c),
			    "a message goes to at most %d devices",
			    CS_LIMIT_RECIPIENTS);
			return CS_TOO_LARGE;
		}
		memcpy(p->targets[p->n].device_id, device.id, CS_ID_BYTES);
		memcpy(p->targets[p->n].member_id, member_id, CS_ID_BYTES);
		p->n++;
	}
	return e == CS_NOT_FOUND ? CS_OK : e;
}

void
cs_sealing_lists_fini(struct cs_sealing_lists *l)
{
	cs_buf_fini(&l->addressees);
	cs_buf_fini(&l->members);
	cs_buf_fini(&l->parents);
	cs_buf_fini(&l->marks);
	cs_buf_fini(&l->devices);
	cs_buf_fini(&l->left_out);
}

static cs_err
add_party(struct sealing *p, const struct cs_resolve_party *party)
{
	uint8_t id[CS_ID_BYTES];
	uint32_t pos = 0;
	cs_err e;

	while ((e = cs_resolve_next_member(p->dir, party,
		    cs_client_self(p->c)->member_id, p->now_s, &pos, id)) ==
	       CS_OK) {
		if (!is_target(p, id))
			CS_TRY(add_devices(p, id));
	}
	e = CS_OK;
out:
	return e;
}

/* Its address must still be the same one's as when the human wrote, unless the
 * directory known here lacked it then (an all-zero id). */
static cs_err
resolve_one(struct sealing *p, struct cs_manifest_addressee *row,
    const uint8_t *id)
{
	static const uint8_t unknown_id[CS_ID_BYTES] = { 0 };
	struct cs_why *why = cs_client_why(p->c);
	const bool was_unknown = memcmp(unknown_id, id, CS_ID_BYTES) == 0;
	struct cs_resolve_party party;
	cs_err e;

	CS_TRY(cs_resolve_address(p->dir, row->address,
	    cs_client_self(p->c)->member_id, p->now_s, why, &party));
	if (!was_unknown && memcmp(party.id, id, CS_ID_BYTES) != 0) {
		cs_why_set(why, "%.*s: belongs to another member now",
		    (int)row->address.n, (const char *)row->address.p);
		return CS_NOT_FOUND;
	}
	CS_TRY(add_party(p, &party));
	/* a group is who is in it now, and M says by which entry */
	if (was_unknown || party.is_roster)
		row->entry = party.entry;
	cs_manifest_put_addressee(&p->lists->addressees, row);
	cs_buf_put(&p->lists->members, party.id, CS_ID_BYTES);
out:
	return e;
}

/* What a practice sends and gets its archive keeps too, if it has one. What
 * only says how mail fared is no record. */
static cs_err
add_archives(struct sealing *p)
{
	struct cs_archives archives = { 0 };
	struct cs_directory_member keeper;
	uint32_t pos = 0;
	cs_err e = CS_OK;

	if (p->rec->class == CS_CLASS_RECEIPT)
		return CS_OK;
	CS_TRY(cs_archives_add(&archives, p->dir,
	    cs_client_self(p->c)->member_id, NULL));
	for (uint32_t i = 0; i < p->n; i++)
		CS_TRY(cs_archives_add(&archives, p->dir,
		    p->targets[i].member_id, NULL));
	while (cs_archives_next(&archives, p->dir, p->now_s, &pos, &keeper) ==
	       CS_OK)
		CS_TRY(add_devices(p, keeper.id));
out:
	cs_archives_fini(&archives);
	return e;
}

/* Who cannot be sent to is left out and named, where all others shall have it
 * all the same: unless nobody is left. */
static cs_err
resolve_or_leave_out(struct sealing *p, struct cs_manifest_addressee *row,
    const uint8_t *id)
{
	cs_err e = resolve_one(p, row, id);

	if (!p->rec->leaves_out ||
	    (e != CS_REVOKED && e != CS_NOT_FOUND && e != CS_DENIED &&
		e != CS_LAPSED && e != CS_NO_KEY))
		return e;
	cs_buf_put_bytes(&p->lists->left_out, row->address);
	cs_buf_put_u8(&p->lists->left_out, 0);
	p->n_left_out++;
	if (p->n_left_out == p->rec->manifest.n_addressees)
		return e;
	cs_why_clear(cs_client_why(p->c));
	return CS_OK;
}

/* Members and groups were chosen when the human wrote; devices, and who is in
 * a group, are those of now. */
static cs_err
resolve(struct sealing *p)
{
	struct cs_manifest_addressee row;
	const uint8_t *id = p->rec->members.p;
	size_t pos = 0;
	cs_err e = CS_OK;

	cs_buf_put_bytes(&p->lists->left_out, p->rec->left_out);
	for (; cs_manifest_next_addressee(&p->rec->manifest, &pos, &row);
	     id += CS_ID_BYTES)
		CS_TRY(resolve_or_leave_out(p, &row, id));
	CS_TRY(cs_buf_err(&p->lists->left_out));
	CS_TRY(add_archives(p));
	CS_TRY(cs_buf_err(&p->lists->addressees));
	CS_TRY(cs_buf_err(&p->lists->members));
	p->rec->manifest.addressees = cs_buf_view(&p->lists->addressees);
	p->rec->manifest.n_addressees -= p->n_left_out;
	p->rec->left_out = cs_buf_view(&p->lists->left_out);
	p->rec->members = cs_buf_view(&p->lists->members);
	qsort(p->targets, p->n, sizeof(*p->targets), by_device_id);
out:
	return e;
}

/* -------------------------------------------------------------------- keys */

/* The relay serves keys, the log decides which: the one of this epoch, else
 * the last that was published. Any other would be a downgrade. */
static cs_err
check_key(struct sealing *p, struct target *t,
    const struct cs_frame_epoch_found *found)
{
	const uint64_t now = cs_epoch_of(p->now_s);
	struct cs_directory_batch b;
	uint64_t want;
	cs_err e;

	CS_TRY(cs_directory_batch(p->dir, t->device_id, now, &b));
	want = b.batch.first_epoch + b.batch.count - 1;
	if (want > now)
		want = now;
	if (found->key.n != CS_KEM_PUBLIC_BYTES || found->epoch != want)
		return CS_NO_KEY;
	CS_TRY(cs_epoch_check_key(t->device_id, found->epoch,
	    b.batch.first_epoch, b.batch.count, b.batch.root, found->key.p,
	    found->proof, t->key_id));
	memcpy(t->public_key, found->key.p, CS_KEM_PUBLIC_BYTES);
	t->epoch = found->epoch;
	t->kind = found->epoch == now ? CS_KEY_EPOCH : CS_KEY_FALLBACK;
out:
	return e;
}

static cs_err
get_keys(struct sealing *p)
{
	struct cs_frame_epoch_get v = { .epoch = cs_epoch_of(p->now_s) };
	struct cs_frame_epoch_get_reply reply;
	struct cs_frame_epoch_found found;
	struct cs_buf ids = { 0 }, address = { 0 };
	uint32_t i;
	cs_err e;

	for (i = 0; i < p->n; i++)
		cs_buf_put(&ids, p->targets[i].device_id, CS_ID_BYTES);
	CS_TRY(cs_buf_err(&ids));
	v.device_ids = cs_buf_view(&ids);
	CS_TRY(cs_ask_epoch_get(cs_client_conn(p->c), &v, &reply));
	if (reply.n != p->n) {
		e = CS_MALFORMED;
		goto out;
	}
	for (i = 0; i < p->n; i++) {
		CS_TRY(cs_frame_next_epoch_found(&reply.found, &found));
		e = check_key(p, &p->targets[i], &found);
		if (e == CS_OK)
			continue;
		cs_client_put_address(p->c, p->targets[i].member_id, &address);
		cs_why_set(cs_client_why(p->c),
		    "%.*s: the relay does not give the key that the directory "
		    "promises",
		    (int)address.n, (const char *)address.p);
		goto out;
	}
out:
	cs_buf_fini(&ids);
	cs_buf_fini(&address);
	return e;
}

/* ----------------------------------------------------------------- sealing */

static cs_err
fill_manifest(struct sealing *p)
{
	struct cs_buf *devices = &p->lists->devices;
	const struct cs_keyring_info *self = cs_client_self(p->c);
	const struct cs_checkpoint *seen = cs_client_checkpoint(p->c);
	struct cs_manifest *m = &p->rec->manifest;
	struct cs_directory_device device;
	struct cs_manifest_device row;
	uint32_t i;
	cs_err e;

	CS_TRY(cs_directory_device(p->dir, self->id, &device));
	memcpy(m->sender_member, self->member_id, CS_ID_BYTES);
	memcpy(m->sender_device, self->id, CS_ID_BYTES);
	m->sender_entry = device.entry;
	m->created_s = p->rec->created_s;
	m->seen = *seen;
	e = cs_mirror_check_fresh(p->dir, seen, p->now_s);
	if (e == CS_STALE && p->rec->stale_ok) {
		m->flags |= CS_MANIFEST_STALE_OK;
		e = CS_OK;
	}
	if (e != CS_OK)
		cs_why_set(cs_client_why(p->c),
		    "the relay's directory checkpoint is older than this "
		    "network allows; check this machine's clock, tell the "
		    "registrar");
	CS_TRY(e);
	for (i = 0; i < p->n; i++) {
		const struct target *t = &p->targets[i];

		memcpy(row.device_id, t->device_id, CS_ID_BYTES);
		memcpy(row.member_id, t->member_id, CS_ID_BYTES);
		memcpy(row.key_id, t->key_id, CS_HASH_BYTES);
		row.key_kind = t->kind;
		row.epoch = t->epoch;
		cs_manifest_put_device(devices, &row);
	}
	CS_TRY(cs_buf_err(devices));
	m->n_devices = (uint16_t)p->n;
	m->devices = cs_buf_view(devices);
out:
	return e;
}

/* As long as the sender wants and the network's policy lets it. */
static uint64_t
lifetime(const struct sealing *p)
{
	uint64_t most_s;

	return cs_directory_policy(p->dir, CS_POLICY_LIFETIME_S, &most_s) ==
			   CS_OK &&
		       most_s < p->rec->lifetime_s
		   ? most_s
		   : p->rec->lifetime_s;
}

static cs_err
seal(struct sealing *p, struct cs_buf *ret)
{
	struct cs_outrec *rec = p->rec;
	struct cs_seal_recipient *recipients = NULL;
	struct cs_envelope_object *objects = NULL;
	struct cs_seal_job job = { .class = rec->class,
		.created_s = p->now_s,
		.expires_at_s =
		    rec->expires_s ? rec->expires_s : p->now_s + lifetime(p),
		.n_recipients = (uint16_t)p->n,
		.n_objects = rec->manifest.n_objects,
		.manifest = rec->manifest };
	struct cs_seal_facts facts;
	uint16_t i;
	cs_err e = CS_NO_MEMORY;

	recipients = calloc(p->n, sizeof(*recipients));
	objects = calloc(job.n_objects + 1u, sizeof(*objects));
	if (!recipients || !objects)
		goto out;
	for (i = 0; i < job.n_recipients; i++) {
		const struct target *t = &p->targets[i];

		memcpy(recipients[i].device_id, t->device_id, CS_ID_BYTES);
		memcpy(recipients[i].key_id, t->key_id, CS_HASH_BYTES);
		recipients[i].public_key = t->public_key;
	}
	for (i = 0; i < job.n_objects; i++)
		cs_outrec_object(rec, i, &objects[i]);
	memcpy(job.network_id, cs_client_self(p->c)->network_id,
	    CS_NETWORK_ID_BYTES);
	memcpy(job.envelope_id, rec->id, CS_ID_BYTES);
	job.recipients = recipients;
	job.objects = objects;
	CS_TRY(cs_seal_envelope(cs_client_keyring(p->c), &job, ret, &facts));
	memcpy(rec->e, facts.e, sizeof(rec->e));
	memcpy(rec->s, facts.s, sizeof(rec->s));
	memcpy(rec->m_hash, facts.m_hash, sizeof(rec->m_hash));
	rec->expires_s = job.expires_at_s;
	rec->stage = CS_OUTREC_SEALED;
out:
	free(recipients);
	free(objects);
	return e;
}

/* What the human alone can mend: from a revocation nobody comes back. All else
 * may be otherwise tomorrow, or with a relay that is honest. */
static cs_err
judge(struct sealing *p, cs_err e)
{
	if (e == CS_REVOKED || e == CS_TOO_LARGE)
		p->rec->stage = CS_OUTREC_FAILED;
	return e;
}

/* As with an old checkpoint: old words of witnesses do where the human said so,
 * and the message says it. */
static cs_err
check_witnesses(struct cs_client *c, struct cs_outrec *rec)
{
	cs_err e = cs_cosigned_check(c, false);

	if (e != CS_UNWITNESSED || !rec->stale_ok)
		return e;
	cs_why_clear(cs_client_why(c));
	e = cs_cosigned_check(c, true);
	if (e == CS_OK)
		rec->manifest.flags |= CS_MANIFEST_STALE_OK;
	return e;
}

cs_err
cs_sealing_run(struct cs_client *c, struct cs_outrec *rec,
    struct cs_sealing_lists *ret_lists, struct cs_buf *ret_envelope)
{
	struct sealing p = { .c = c,
		.dir = cs_client_directory(c),
		.rec = rec,
		.lists = ret_lists,
		.now_s = cs_client_now() };
	cs_err e;

	p.targets = calloc(CS_LIMIT_RECIPIENTS, sizeof(*p.targets));
	if (!p.targets)
		return CS_NO_MEMORY;
	CS_TRY(check_witnesses(c, rec));
	/* Receipts say only what was: they go out all the same. */
	if (rec->class != CS_CLASS_RECEIPT) {
		CS_TRY(cs_notices_check(c));
		CS_TRY(cs_resolve_sender(p.dir, cs_client_self(c)->member_id,
		    p.now_s, cs_client_why(c)));
	}
	CS_TRY(judge(&p, resolve(&p)));
	CS_TRY(get_keys(&p));
	CS_TRY(cs_parents_name(c, &rec->manifest, &ret_lists->parents));
	CS_TRY(fill_manifest(&p));
	CS_TRY(cs_marks_fill(c, &rec->manifest, &ret_lists->marks));
	CS_TRY(judge(&p, seal(&p, ret_envelope)));
out:
	free(p.targets);
	return e;
}
