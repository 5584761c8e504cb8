#include "relay/dirlog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/file.h"
#include "keys/verify.h"
#include "proto/field.h"
#include "relay/auditlog.h"
#include "relay/handover.h"
#include "relay/identity.h"
#include "relay/limits.h"
#include "relay/report.h"
#include "relay/tree.h"

#define LOAD_BYTES (1u << 20) /* leaves read from the store at once */

struct cs_dirlog {
	pthread_rwlock_t lock;
	struct cs_directory *dir;
	struct cs_buf note;      /* checkpoint over exactly these leaves */
	struct cs_checkpoint cp; /* what it says */
	uint64_t relay_entry;
};

/* ------------------------------------------------------------------- state */

/* What follows changes d: under the lock, or before there are readers. */

static cs_err
take_leaves(struct cs_dirlog *d, const struct cs_dirlog_leaves *leaves)
{
	cs_err e = CS_OK;

	for (uint32_t i = 0; i < leaves->n; i++)
		CS_TRY(cs_directory_reload(d->dir,
		    cs_buf_view(&leaves->leaf[i])));
out:
	return e;
}

/* The relay's own word over all that was taken. */
static cs_err
check_note(struct cs_dirlog *d)
{
	struct cs_directory_relay relay;
	cs_err e;

	CS_TRY(cs_directory_check_checkpoint(d->dir, cs_buf_view(&d->note),
	    &d->cp));
	CS_TRY(cs_directory_relay(d->dir, &relay));
	d->relay_entry = relay.entry;
out:
	return e;
}

static cs_err
take_note(struct cs_dirlog *d, struct cs_bytes note)
{
	cs_err e;

	cs_buf_reset(&d->note);
	cs_buf_put_bytes(&d->note, note);
	CS_TRY(cs_buf_err(&d->note));
	CS_TRY(check_note(d));
out:
	return e;
}

/* Is this the directory of our network, with us as its relay? */
static cs_err
check_ours(const struct cs_core *c, const struct cs_dirlog *d)
{
	struct cs_directory_relay relay;
	cs_err e;

	CS_TRY(cs_directory_relay(d->dir, &relay) == CS_OK ? CS_OK : CS_NO_KEY);
	CS_TRY(memcmp(relay.id, c->me->id, CS_ID_BYTES) == 0 ? CS_OK
							     : CS_WRONG_RELAY);
	CS_TRY(cs_identity_follow(c->identity, &relay.relay));
out:
	return e;
}

static cs_err
dirlog_new(const struct cs_keyring_info *me, struct cs_dirlog **ret)
{
	struct cs_dirlog *d = calloc(1, sizeof(*d));
	pthread_rwlockattr_t attr;
	cs_err e;

	CS_TRY(d ? CS_OK : CS_NO_MEMORY);
	/* Readers never stop coming; the one writer must get its turn. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
	    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&d->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	e = cs_directory_new(me->network_id, &d->dir);
	if (e != CS_OK)
		cs_dirlog_free(d);
	else
		*ret = d;
out:
	return e;
}

void
cs_dirlog_free(struct cs_dirlog *d)
{
	if (!d)
		return;
	cs_directory_free(d->dir);
	cs_buf_fini(&d->note);
	pthread_rwlock_destroy(&d->lock);
	free(d);
}

/* -------------------------------------------------------------------- open */

static cs_err
reload_page(struct cs_dirlog *d, struct cs_bytes page)
{
	struct cs_cursor c = cs_cursor_new(page);
	cs_err e = CS_OK;

	while (c.left > 0) {
		struct cs_bytes leaf = cs_field_var32(&c);

		CS_TRY(cs_cursor_err(&c));
		CS_TRY(cs_directory_reload(d->dir, leaf));
	}
out:
	return e;
}

static cs_err
load(struct cs_dirlog *d, struct cs_store *store)
{
	struct cs_buf page = { 0 };
	uint64_t from = 0, size;
	size_t n = 1;
	cs_err e = CS_OK;

	while (n > 0) {
		cs_buf_reset(&page);
		CS_TRY(cs_store_log_leaves(store, CS_LOG_DIRECTORY, from,
		    LOAD_BYTES, &page, &n, &size));
		CS_TRY(reload_page(d, cs_buf_view(&page)));
		from += n;
	}
	if (from > 0)
		CS_TRY(cs_store_log_note(store, CS_LOG_DIRECTORY, &d->note,
		    &size));
out:
	cs_buf_fini(&page);
	return e;
}

/* u32 length ‖ entry, repeated to the end. */
static cs_err
split_genesis(struct cs_bytes file, struct cs_frame_entries *ret)
{
	struct cs_cursor c = cs_cursor_new(file);

	while (c.left > 0 && ret->n < CS_FRAME_MAX_ENTRIES)
		ret->entry[ret->n++] = cs_field_var32(&c);
	return ret->n > 0 ? cs_cursor_end(&c) : CS_MALFORMED;
}

/* Leaves that may be none, under a new checkpoint; they come from who can
 * start the relay. */
static cs_err
commit(struct cs_core *c, struct cs_dirlog *d,
    const struct cs_dirlog_leaves *leaves)
{
	uint64_t now_s = cs_clock_now_s(&c->clock);
	struct cs_batch *b = NULL;
	struct cs_bytes note;
	uint32_t task;
	cs_err e;

	CS_TRY(cs_batch_new(c, &b));
	CS_TRY(cs_dirlog_add(c, b, leaves, now_s, &note));
	/* Before the commit: it must never hold a log that is not ours. */
	CS_TRY(take_leaves(d, leaves));
	CS_TRY(check_ours(c, d));
	CS_TRY(take_note(d, note));
	CS_TRY(cs_auditlog_entries(c, b, NULL, leaves));
	CS_TRY(cs_batch_seal(b));
	CS_TRY(cs_batch_commit(b, &task));
out:
	cs_batch_free(b);
	return e;
}

static cs_err
import(struct cs_core *c, struct cs_dirlog *d,
    const struct cs_frame_entries *entries)
{
	struct cs_dirlog_leaves leaves = { 0 };
	cs_err e;

	CS_TRY(cs_dirlog_check(d, entries, cs_clock_now_s(&c->clock), &leaves));
	CS_TRY(commit(c, d, &leaves));
out:
	cs_dirlog_leaves_fini(&leaves);
	return e;
}

static cs_err
import_file(struct cs_core *c, struct cs_dirlog *d, const char *path,
    struct cs_buf *ret_problem)
{
	struct cs_frame_entries entries = { 0 };
	struct cs_buf file = { 0 };
	cs_err e;

	e = path ? cs_file_read(path, CS_LIMIT_GENESIS_BYTES, false, &file)
		 : CS_NOT_FOUND;
	if (e != CS_OK) {
		cs_buf_printf(ret_problem,
		    "the directory is empty and its first entries cannot be "
		    "read from %s: %s; set genesis to the file that "
		    "`consil-admin init` made",
		    path ? path : "(no file set)", cs_err_text(e));
		goto out;
	}
	e = split_genesis(cs_buf_view(&file), &entries);
	if (e == CS_OK)
		e = import(c, d, &entries);
	if (e != CS_OK)
		cs_buf_printf(ret_problem,
		    "%s does not begin a directory for this relay's keys: %s; "
		    "genesis and keyring must come from one `consil-admin "
		    "init`",
		    path, cs_err_text(e));
out:
	cs_buf_fini(&file);
	return e;
}

/* By the checkpoint clients learn that the store was restored: they must not
 * see one of an incarnation before this one. */
static cs_err
renew_incarnation(struct cs_core *c, struct cs_dirlog *d)
{
	const struct cs_dirlog_leaves none = { .size = d->cp.size };
	struct cs_store_incarnation in;

	cs_store_incarnation(c->store, &in);
	if (d->cp.counter == in.counter &&
	    memcmp(d->cp.incarnation, in.id, CS_ID_BYTES) == 0)
		return CS_OK;
	return commit(c, d, &none);
}

cs_err
cs_dirlog_open(struct cs_core *c, const char *genesis, struct cs_dirlog **ret,
    uint64_t *ret_last_s, struct cs_buf *ret_problem)
{
	struct cs_dirlog *d = NULL;
	uint64_t last_s = 0;
	cs_err e;

	CS_TRY(dirlog_new(c->me, &d));
	CS_TRY(load(d, c->store));
	if (cs_directory_edge(d->dir)->size == 0) {
		CS_TRY(import_file(c, d, genesis, ret_problem));
	} else {
		CS_TRY(check_ours(c, d));
		CS_TRY(check_note(d));
		last_s = d->cp.time_s;
		CS_TRY(renew_incarnation(c, d));
	}
	*ret = d;
	*ret_last_s = last_s;
	d = NULL;
out:
	if (e != CS_OK && ret_problem->n == 0)
		cs_buf_printf(ret_problem,
		    "the directory in the store does not fit this relay's "
		    "keyring or its own checkpoint: %s; use the keyring and "
		    "the store of one relay",
		    cs_err_text(e));
	cs_dirlog_free(d);
	return e;
}

/* ------------------------------------------------------------------- reads */

void
cs_dirlog_seen(struct cs_dirlog *d, struct cs_checkpoint *ret,
    uint64_t *ret_relay_entry)
{
	pthread_rwlock_rdlock(&d->lock);
	*ret = d->cp;
	*ret_relay_entry = d->relay_entry;
	pthread_rwlock_unlock(&d->lock);
}

cs_err
cs_dirlog_relay(struct cs_dirlog *d, struct cs_directory_relay *ret)
{
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = cs_directory_relay(d->dir, ret);
	pthread_rwlock_unlock(&d->lock);
	if (e == CS_OK)
		ret->relay.url = (struct cs_bytes){ 0 };
	return e;
}

uint64_t
cs_dirlog_lifetime(struct cs_dirlog *d)
{
	uint64_t most_s = CS_LIMIT_LIFETIME_S, policy_s;

	pthread_rwlock_rdlock(&d->lock);
	if (cs_directory_policy(d->dir, CS_POLICY_LIFETIME_S, &policy_s) ==
		CS_OK &&
	    policy_s < most_s)
		most_s = policy_s;
	pthread_rwlock_unlock(&d->lock);
	return most_s;
}

cs_err
cs_dirlog_leaf(struct cs_dirlog *d, uint64_t index, struct cs_buf *ret)
{
	struct cs_bytes leaf;
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = cs_directory_leaf(d->dir, index, &leaf);
	if (e == CS_OK)
		cs_buf_put_bytes(ret, leaf);
	pthread_rwlock_unlock(&d->lock);
	return e == CS_OK ? cs_buf_err(ret) : e;
}

void
cs_dirlog_devices(struct cs_dirlog *d, uint64_t now_s,
    void (*fn)(void *ctx, const uint8_t device_id[static CS_ID_BYTES]),
    void *ctx)
{
	struct cs_directory_member m;
	struct cs_directory_device device;

	pthread_rwlock_rdlock(&d->lock);
	for (uint32_t i = 0; cs_directory_member_at(d->dir, i, &m) == CS_OK;
	     i++)
		for (uint32_t k = 0; cs_directory_member_device(d->dir, m.id, k,
					 &device) == CS_OK;
		     k++)
			if (cs_directory_standing(d->dir, device.id, now_s) ==
			    CS_OK)
				fn(ctx, device.id);
	pthread_rwlock_unlock(&d->lock);
}

uint64_t
cs_dirlog_invitations(struct cs_dirlog *d, uint64_t entry, uint64_t now_s,
    uint64_t *ret_until_s)
{
	struct cs_directory_member m;
	uint64_t n = 0;

	*ret_until_s = 0;
	pthread_rwlock_rdlock(&d->lock);
	for (uint32_t i = 0; cs_directory_member_at(d->dir, i, &m) == CS_OK;
	     i++) {
		if (m.n_devices > 0 || m.revoked || m.entry > entry ||
		    m.enrol_expires_s < now_s)
			continue;
		n++;
		if (m.enrol_expires_s > *ret_until_s)
			*ret_until_s = m.enrol_expires_s;
	}
	pthread_rwlock_unlock(&d->lock);
	return n;
}

static cs_err
witness_key(const struct cs_dirlog *d, const uint8_t *id,
    uint8_t ret[static CS_SIGN_PUBLIC_BYTES])
{
	struct cs_directory_witness w;
	cs_err e;

	CS_TRY(cs_directory_witness(d->dir, id, &w));
	CS_TRY(w.revoked ? CS_REVOKED : CS_OK);
	memcpy(ret, w.key, CS_SIGN_PUBLIC_BYTES);
out:
	return e;
}

/* Key of a device, witness or registrar, and which of them it is. */
static cs_err
find_key(struct cs_dirlog *d, const uint8_t *id, uint64_t now_s,
    struct cs_principal *ret, uint8_t ret_key[static CS_SIGN_PUBLIC_BYTES])
{
	struct cs_directory_device device;
	struct cs_directory_witness witness;
	cs_err e = CS_OK;

	memcpy(ret->id, id, CS_ID_BYTES);
	if (cs_directory_device(d->dir, id, &device) == CS_OK) {
		ret->kind = CS_PRINCIPAL_DEVICE;
		ret->entry = device.entry;
		memcpy(ret_key, device.sign_key, CS_SIGN_PUBLIC_BYTES);
	} else if (cs_directory_witness(d->dir, id, &witness) == CS_OK) {
		ret->kind = CS_PRINCIPAL_WITNESS;
		memcpy(ret_key, witness.key, CS_SIGN_PUBLIC_BYTES);
	} else {
		ret->kind = CS_PRINCIPAL_REGISTRAR;
		e = cs_directory_registrar_key(d->dir, id, now_s, ret_key);
	}
	return e;
}

/* A session ends with the key that it was logged in by: who holds an old copy
 * of a rotated key has nothing of it. */
static cs_err
device_standing(struct cs_dirlog *d, const struct cs_principal *who,
    uint64_t now_s)
{
	struct cs_directory_device device;
	cs_err e;

	/* who reads and acknowledges needs no vetting: see relay/vetted.h */
	e = cs_directory_standing(d->dir, who->id, now_s);
	CS_TRY(e == CS_LAPSED ? CS_OK : e);
	if (who->entry == 0)
		goto out;
	CS_TRY(cs_directory_device(d->dir, who->id, &device));
	CS_TRY(device.entry == who->entry ? CS_OK : CS_REVOKED);
out:
	return e;
}

static cs_err
standing(struct cs_dirlog *d, const struct cs_principal *who, uint64_t now_s)
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	cs_err e = CS_DENIED;

	switch (who->kind) {
	case CS_PRINCIPAL_ANYONE:
		e = CS_OK;
		break;
	case CS_PRINCIPAL_DEVICE:
		e = device_standing(d, who, now_s);
		break;
	case CS_PRINCIPAL_REGISTRAR:
		e = cs_directory_registrar_key(d->dir, who->id, now_s, key);
		break;
	case CS_PRINCIPAL_WITNESS:
		e = witness_key(d, who->id, key);
		break;
	}
	return e;
}

cs_err
cs_dirlog_standing(struct cs_dirlog *d, const struct cs_principal *who,
    uint64_t now_s)
{
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = standing(d, who, now_s);
	pthread_rwlock_unlock(&d->lock);
	return e;
}

cs_err
cs_dirlog_login(struct cs_dirlog *d, const struct cs_core *c,
    const struct cs_frame_login *login, const uint8_t handshake[static 32],
    struct cs_principal *ret, uint64_t *ret_size)
{
	uint64_t now_s = cs_clock_now_s(&c->clock);
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	uint8_t signed_bytes[CS_VERIFY_LOGIN_BYTES];
	struct cs_principal who = { 0 };
	struct cs_checkpoint here;
	uint64_t relay_entry;
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = find_key(d, login->device_id, now_s, &who, key);
	pthread_rwlock_unlock(&d->lock);
	/* A stranger must not learn which ids the directory holds; only who
	 * has the key is told why it does not open. */
	CS_TRY(e == CS_OK ? CS_OK : CS_BAD_SIGNATURE);
	cs_verify_login_bytes(handshake, c->me->id, who.id, signed_bytes);
	CS_TRY(cs_verify_ed25519(key, CS_BYTES(signed_bytes),
	    login->signature));
	CS_TRY(cs_dirlog_standing(d, &who, now_s));
	cs_dirlog_seen(d, &here, &relay_entry);
	if (login->seen.size > here.size)
		cs_report(CS_REPORT_WARNING,
		    "a member has seen a directory of %llu entries, this store "
		    "holds %llu: was it restored from a backup?",
		    (unsigned long long)login->seen.size,
		    (unsigned long long)here.size);
	*ret = who;
	*ret_size = here.size;
out:
	return e;
}

bool
cs_dirlog_knows(struct cs_dirlog *d, const uint8_t id[static CS_ID_BYTES])
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	struct cs_principal who;
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = find_key(d, id, 0, &who, key);
	pthread_rwlock_unlock(&d->lock);
	return e != CS_NOT_FOUND;
}

cs_err
cs_dirlog_device_standing(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t now_s)
{
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = cs_directory_standing(d->dir, device_id, now_s);
	pthread_rwlock_unlock(&d->lock);
	return e;
}

cs_err
cs_dirlog_vetting(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES], struct cs_dirlog_vetting *ret)
{
	struct cs_directory_organisation practice;
	struct cs_directory_device device;
	struct cs_directory_member member;
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	CS_TRY(cs_directory_device(d->dir, device_id, &device));
	CS_TRY(cs_directory_member(d->dir, device.member, &member));
	CS_TRY(cs_directory_organisation(d->dir, member.organisation,
	    &practice));
	snprintf(ret->handle, sizeof(ret->handle), "%.*s",
	    (int)practice.handle.n, (const char *)practice.handle.p);
	ret->valid_until_s = practice.valid_until_s;
out:
	pthread_rwlock_unlock(&d->lock);
	return e;
}

size_t
cs_dirlog_revoked(struct cs_dirlog *d, uint32_t *pos, size_t max,
    uint8_t (*ret_ids)[CS_ID_BYTES])
{
	struct cs_directory_device device;
	size_t n = 0;

	pthread_rwlock_rdlock(&d->lock);
	while (n < max &&
	       cs_directory_device_at(d->dir, *pos, &device) == CS_OK) {
		(*pos)++;
		if (cs_directory_standing(d->dir, device.id, 0) == CS_REVOKED)
			memcpy(ret_ids[n++], device.id, CS_ID_BYTES);
	}
	pthread_rwlock_unlock(&d->lock);
	return n;
}

cs_err
cs_dirlog_member(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES],
    uint8_t ret[static CS_ID_BYTES])
{
	struct cs_directory_device device;
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = cs_directory_device(d->dir, device_id, &device);
	if (e == CS_OK)
		memcpy(ret, device.member, CS_ID_BYTES);
	pthread_rwlock_unlock(&d->lock);
	return e;
}

cs_err
cs_dirlog_signer(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t entry,
    uint64_t signed_at_s, uint8_t ret_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret_member[static CS_ID_BYTES])
{
	struct cs_directory_device device;
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	CS_TRY(cs_directory_device(d->dir, device_id, &device));
	CS_TRY(cs_directory_signer(d->dir, device_id, entry, signed_at_s,
	    ret_key));
	memcpy(ret_member, device.member, CS_ID_BYTES);
out:
	pthread_rwlock_unlock(&d->lock);
	return e;
}

cs_err
cs_dirlog_batch(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t epoch,
    struct cs_directory_batch *ret)
{
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = cs_directory_batch(d->dir, device_id, epoch, ret);
	pthread_rwlock_unlock(&d->lock);
	return e;
}

cs_err
cs_dirlog_witness_key(struct cs_dirlog *d, const uint8_t id[static CS_ID_BYTES],
    uint8_t ret[static CS_SIGN_PUBLIC_BYTES])
{
	cs_err e;

	pthread_rwlock_rdlock(&d->lock);
	e = witness_key(d, id, ret);
	pthread_rwlock_unlock(&d->lock);
	return e;
}

cs_err
cs_dirlog_note(struct cs_dirlog *d, struct cs_buf *ret, uint64_t *ret_size)
{
	pthread_rwlock_rdlock(&d->lock);
	cs_buf_put_bytes(ret, cs_buf_view(&d->note));
	*ret_size = d->cp.size;
	pthread_rwlock_unlock(&d->lock);
	return cs_buf_err(ret);
}

/* --------------------------------------------------------------- dir_sync */

/* Leaves from `from` on that fit a reply. */
static uint32_t
count_leaves(const struct cs_dirlog *d, uint64_t from)
{
	struct cs_bytes leaf;
	size_t bytes = 0;
	uint32_t n = 0;

	while (cs_directory_leaf(d->dir, from + n, &leaf) == CS_OK) {
		bytes += leaf.n;
		if (n > 0 && bytes > CS_FRAME_SYNC_BYTES)
			break;
		n++;
	}
	return n;
}

cs_err
cs_dirlog_sync_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_dirlog *d = c->dirlog;
	struct cs_frame_dir_sync_reply answer = { 0 };
	struct cs_wire args = job->args;
	struct cs_frame_dir_sync ask;
	struct cs_bytes leaf;
	cs_err e;

	CS_TRY(cs_frame_dir_sync_decode(&args, &ask));
	/* Note and leaves under one lock: a page never goes beyond its
	 * checkpoint. Who has more than there is gets no leaf, and sees by
	 * the checkpoint that this relay went back. */
	pthread_rwlock_rdlock(&d->lock);
	answer.checkpoint = cs_buf_view(&d->note);
	answer.n = ask.from < d->cp.size ? count_leaves(d, ask.from) : 0;
	cs_frame_dir_sync_reply_encode(reply, job->id, &answer);
	for (uint32_t i = 0; i < answer.n; i++)
		if (cs_directory_leaf(d->dir, ask.from + i, &leaf) == CS_OK)
			cs_wire_put_bin(reply, leaf);
	pthread_rwlock_unlock(&d->lock);
out:
	return e;
}

/* ----------------------------------------------------------------- changes */

void
cs_dirlog_leaves_fini(struct cs_dirlog_leaves *v)
{
	for (uint32_t i = 0; i < v->n; i++)
		cs_buf_fini(&v->leaf[i]);
	v->n = 0;
}

/* Entries at the start that are in the log already, and where the first is. */
static uint32_t
count_known(const struct cs_dirlog *d, const struct cs_frame_entries *entries,
    uint64_t *ret_first)
{
	uint64_t index;
	uint32_t n = 0;

	*ret_first = cs_directory_edge(d->dir)->size;
	while (n < entries->n &&
	       cs_directory_find(d->dir, entries->entry[n], &index) == CS_OK) {
		if (n == 0)
			*ret_first = index;
		n++;
	}
	return n;
}

cs_err
cs_dirlog_check(struct cs_dirlog *d, const struct cs_frame_entries *entries,
    uint64_t now_s, struct cs_dirlog_leaves *ret)
{
	uint32_t known;
	cs_err e = CS_OK;

	cs_dirlog_leaves_fini(ret);
	pthread_rwlock_wrlock(&d->lock);
	known = count_known(d, entries, &ret->first);
	ret->size = cs_directory_edge(d->dir)->size;
	if (known < entries->n) {
		CS_TRY(cs_directory_check(d->dir, entries->entry + known,
		    entries->n - known, now_s, ret->leaf));
		ret->n = entries->n - known;
	}
out:
	pthread_rwlock_unlock(&d->lock);
	return e;
}

cs_err
cs_dirlog_add(struct cs_core *c, struct cs_batch *b,
    const struct cs_dirlog_leaves *leaves, uint64_t signed_s,
    struct cs_bytes *ret_note)
{
	struct cs_store_op op = { .kind = CS_STORE_APPEND,
		.append = { .log = CS_LOG_DIRECTORY } };
	const struct cs_keyring *signer;
	struct cs_store_incarnation in;
	struct cs_buf nodes = { 0 }, note = { 0 };
	struct cs_tree tree = { 0 };
	cs_err e;

	CS_TRY(cs_tree_init(&tree, c->store, CS_LOG_DIRECTORY));
	CS_TRY(tree.edge.size == leaves->size ? CS_OK : CS_LOST);
	for (uint32_t i = 0; i < leaves->n; i++) {
		op.append.index = tree.edge.size;
		op.append.data = cs_buf_view(&leaves->leaf[i]);
		cs_buf_reset(&nodes);
		CS_TRY(cs_tree_append(&tree, op.append.data, &nodes));
		CS_TRY(cs_batch_keep(b, cs_buf_view(&nodes), &op.append.nodes));
		CS_TRY(cs_batch_add(b, &op));
	}
	cs_store_incarnation(c->store, &in);
	CS_TRY(cs_handover_signer(c, leaves, &signer));
	CS_TRY(cs_tree_sign(&tree, signer, &in, signed_s, &note));
	op = (struct cs_store_op){ .kind = CS_STORE_NOTE,
		.note = { .log = CS_LOG_DIRECTORY, .size = tree.edge.size } };
	CS_TRY(cs_batch_keep(b, cs_buf_view(&note), &op.note.note));
	CS_TRY(cs_batch_add(b, &op));
	*ret_note = op.note.note;
out:
	cs_tree_fini(&tree);
	cs_buf_fini(&nodes);
	cs_buf_fini(&note);
	return e;
}

cs_err
cs_dirlog_apply(struct cs_dirlog *d, const struct cs_dirlog_leaves *leaves,
    struct cs_bytes note)
{
	cs_err e;

	pthread_rwlock_wrlock(&d->lock);
	CS_TRY(take_leaves(d, leaves));
	CS_TRY(take_note(d, note));
out:
	pthread_rwlock_unlock(&d->lock);
	return e;
}

cs_err
cs_dirlog_cosigned(struct cs_dirlog *d, struct cs_bytes note)
{
	cs_err e;

	pthread_rwlock_wrlock(&d->lock);
	cs_buf_reset(&d->note);
	cs_buf_put_bytes(&d->note, note);
	e = cs_buf_err(&d->note);
	pthread_rwlock_unlock(&d->lock);
	return e;
}
