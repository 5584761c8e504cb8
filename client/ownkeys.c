#include "client/ownkeys.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/client.h"
#include "client/outrec.h"
#include "client/relock.h"
#include "keys/enrol.h"
#include "keys/file.h"

/* Longest wait for the relay's clock to pass ours. */
#define AHEAD_MAX_S 60

static const struct cs_bytes signer_key = { (const uint8_t *)"signer", 6 };

struct cs_ownkeys {
	char path[CS_HOME_PATH_BYTES], next_path[CS_HOME_PATH_BYTES];
	char old_path[CS_HOME_PATH_BYTES]; /* what it was, for a moment */
	char key_file[CS_HOME_PATH_BYTES];
	struct cs_keyring *current;
	struct cs_keyring *next; /* NULL: no rotation is under way */
};

/* ---------------------------------------------------------------- the files */

/* Why the keyring of a home does not open, and what to do about it. */
static void
explain(const struct cs_home *home, const char *path, cs_err e,
    struct cs_why *why)
{
	if (e == CS_NOT_FOUND)
		cs_why_set(why,
		    "%s: nobody is enrolled here; run `consil join "
		    "INVITATION`, or set CONSIL_HOME",
		    cs_home_dir(home));
	else
		cs_relock_explain(path, e, why);
}

/* The next keyring, if there is one: whoever opened the one in use has its
 * lock. */
static cs_err
load_next(const char *path, const struct cs_keyring *current,
    struct cs_keyring **ret)
{
	const struct cs_keyring_lock lock = {
		.key = cs_keyring_lock_key(current),
	};
	cs_err e = cs_keyring_load(path, &lock, ret);

	return e == CS_NOT_FOUND ? CS_OK : e;
}

cs_err
cs_ownkeys_open(const struct cs_home *home, const struct cs_keyring_lock *lock,
    struct cs_why *why, struct cs_ownkeys **ret)
{
	struct cs_ownkeys *k = calloc(1, sizeof(*k));
	const struct cs_keyring_lock own = { .key_file =
						 k ? k->key_file : NULL };
	cs_err e;

	CS_TRY(k ? CS_OK : CS_NO_MEMORY);
	cs_home_path(home, CS_HOME_KEYRING, NULL, NULL, k->path);
	cs_home_path(home, CS_HOME_KEYRING_NEXT, NULL, NULL, k->next_path);
	cs_home_path(home, CS_HOME_KEYRING_OLD, NULL, NULL, k->old_path);
	cs_home_path(home, CS_HOME_KEY_FILE, NULL, NULL, k->key_file);
	e = cs_keyring_load(k->path, lock ? lock : &own, &k->current);
	explain(home, k->path, e, why);
	CS_TRY(e);
	e = load_next(k->next_path, k->current, &k->next);
	explain(home, k->next_path, e, why);
	CS_TRY(e);
	*ret = k;
	k = NULL;
out:
	cs_ownkeys_close(k);
	return e;
}

cs_err
cs_ownkeys_peek(const struct cs_home *home, struct cs_why *why,
    struct cs_keyring_info *ret)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	cs_home_path(home, CS_HOME_KEYRING, NULL, NULL, path);
	e = cs_keyring_peek(path, ret);
	explain(home, path, e, why);
	return e;
}

void
cs_ownkeys_close(struct cs_ownkeys *k)
{
	if (!k)
		return;
	cs_keyring_free(k->current);
	cs_keyring_free(k->next);
	free(k);
}

const struct cs_keyring *
cs_ownkeys_current(const struct cs_ownkeys *k)
{
	return k->current;
}

const struct cs_keyring *
cs_ownkeys_next(const struct cs_ownkeys *k)
{
	return k->next;
}

static bool
is_key_of(const struct cs_keyring *kr, const uint8_t *sign_key)
{
	/* public */
	return memcmp(cs_keyring_info(kr)->sign_key, sign_key,
		   CS_SIGN_PUBLIC_BYTES) == 0;
}

bool
cs_ownkeys_is_changed(const struct cs_ownkeys *k)
{
	struct cs_keyring_info info;

	if (cs_keyring_peek(k->path, &info) != CS_OK)
		return false; /* whoever reads it next says why */
	return !is_key_of(k->current, info.sign_key) ||
	       (access(k->next_path, F_OK) == 0) != (k->next != NULL);
}

/* The key that the one in use has replaced. */
static cs_err
forget_old(const struct cs_ownkeys *k)
{
	cs_err e = cs_file_destroy(k->old_path);

	return e == CS_NOT_FOUND ? CS_OK : e;
}

cs_err
cs_ownkeys_refresh(struct cs_ownkeys *k, struct cs_why *why)
{
	struct cs_keyring *current = NULL, *next = NULL;
	const struct cs_keyring_lock lock = {
		.key = cs_keyring_lock_key(k->current),
	};
	cs_err e;

	CS_TRY(forget_old(k));
	if (!cs_ownkeys_is_changed(k))
		return CS_OK;
	CS_TRY(cs_keyring_load(k->path, &lock, &current));
	CS_TRY(load_next(k->next_path, current, &next));
	cs_keyring_free(k->current);
	cs_keyring_free(k->next);
	k->current = current;
	k->next = next;
	current = next = NULL;
out:
	if (e == CS_BAD_PASSPHRASE)
		cs_why_set(why,
		    "%s: the signing key was rotated and the passphrase "
		    "changed meanwhile; start this again",
		    k->path);
	else
		cs_relock_explain(k->path, e, why);
	cs_keyring_free(current);
	cs_keyring_free(next);
	return e;
}

/* ---------------------------------------------------------------- the steps */

/* How long until the relay's clock is past a time of ours: 0 if it is. */
static cs_err
check_clock(struct cs_conn *conn, uint64_t ours_s, struct cs_why *why,
    uint64_t *ret_ahead_s)
{
	uint64_t relay_s;
	cs_err e;

	CS_TRY(cs_ask_ping(conn, &relay_s));
	if (relay_s + AHEAD_MAX_S <= ours_s) {
		cs_why_set(why,
		    "this machine's clock is %llu seconds ahead of the "
		    "relay's: what it signed would count for nothing after the "
		    "rotation; set it",
		    (unsigned long long)(ours_s - relay_s));
		return CS_CLOCK;
	}
	*ret_ahead_s = relay_s > ours_s ? 0 : ours_s - relay_s + 1;
out:
	return e;
}

/* Until the relay's clock shows a later second than ours does now. */
static cs_err
outwait(struct cs_conn *conn, struct cs_why *why)
{
	const uint64_t signed_s = cs_client_now();
	uint64_t ahead_s;
	cs_err e;

	for (;;) {
		CS_TRY(check_clock(conn, signed_s, why, &ahead_s));
		if (ahead_s == 0)
			break;
		sleep((unsigned)ahead_s);
	}
out:
	return e;
}

/* Sealed, and no byte of it is with the relay: back to the queue. */
static cs_err
queue_again(struct cs_local_txn *txn, enum cs_local_table table,
    const uint8_t *id)
{
	struct cs_secret *value = NULL;
	struct cs_outrec rec;
	cs_err e = cs_outrec_get(txn, table, id, &rec, &value);

	/* a record that does not open is told at delivery */
	if (e == CS_OK && rec.stage == CS_OUTREC_SEALED) {
		rec.stage = CS_OUTREC_QUEUED;
		e = cs_outrec_put(txn, table, &rec);
	} else if (e == CS_CORRUPT || e == CS_NOT_FOUND) {
		e = CS_OK;
	}
	cs_secret_free(value);
	return e;
}

static cs_err
queue_all_again(struct cs_local_txn *txn)
{
	struct cs_local_ids at = { .table = CS_LOCAL_PENDING };
	struct cs_buf which = { 0 };
	cs_err e;

	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		cs_buf_reset(&which);
		CS_TRY(cs_local_get_public(txn, CS_LOCAL_PENDING,
		    CS_BYTES(at.id), &which));
		if (which.n == 1)
			CS_TRY(queue_again(txn, (enum cs_local_table)which.p[0],
			    at.id));
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_buf_fini(&which);
	return e;
}

/* Also where a rotation is gone on with: it may have been broken off before. */
static cs_err
set_signer(struct cs_ownkeys *k, struct cs_local *l)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(l, true, &txn));
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, signer_key,
	    CS_BYTES(cs_keyring_info(k->next)->sign_key)));
	CS_TRY(queue_all_again(txn));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_ownkeys_begin(struct cs_ownkeys *k, struct cs_local *l, struct cs_conn *conn,
    struct cs_why *why)
{
	struct cs_keyring *next = NULL;
	uint64_t ahead_s;
	cs_err e = CS_OK;

	if (!k->next) {
		CS_TRY(check_clock(conn, cs_client_now(), why, &ahead_s));
		CS_TRY(cs_keyring_successor(k->current, &next));
		CS_TRY(cs_keyring_save(next, k->next_path, NULL, true));
		k->next = next;
		next = NULL;
	}
	CS_TRY(set_signer(k, l));
out:
	cs_keyring_free(next);
	return e;
}

cs_err
cs_ownkeys_append(struct cs_ownkeys *k, const struct cs_directory *dir,
    struct cs_conn *conn, struct cs_why *why)
{
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_directory_device self;
	struct cs_buf entry = { 0 };
	uint64_t first;
	cs_err e;

	CS_TRY(cs_directory_device(dir, cs_keyring_info(k->current)->id,
	    &self));
	CS_TRY(outwait(conn, why));
	CS_TRY(cs_enrol_rotate(k->current, k->next, self.rotation,
	    cs_client_now(), &entry));
	entries.entry[0] = cs_buf_view(&entry);
	CS_TRY(cs_ask_dir_append(conn, &entries, &first));
out:
	cs_buf_fini(&entry);
	return e;
}

cs_err
cs_ownkeys_finish(struct cs_ownkeys *k)
{
	cs_err e;

	CS_TRY(cs_file_succeed(k->path, k->next_path, k->old_path));
	cs_keyring_free(k->current);
	k->current = k->next;
	k->next = NULL;
	/* broken off here, the next connection does it */
	CS_TRY(forget_old(k));
out:
	return e;
}

/* -------------------------------------------------------------- whose word */

cs_err
cs_ownkeys_check(struct cs_local_txn *txn, const struct cs_keyring *kr,
    struct cs_why *why)
{
	struct cs_secret *v = NULL;
	cs_err e;

	e = cs_local_get(txn, CS_LOCAL_META, signer_key, &v);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	if (cs_secret_len(v) != CS_SIGN_PUBLIC_BYTES ||
	    !is_key_of(kr, cs_secret_bytes(v))) {
		cs_why_set(why,
		    "the signing key of this device is being rotated, or was "
		    "meanwhile: run `consil sync`, then this again");
		e = CS_CHANGED;
	}
out:
	cs_secret_free(v);
	return e;
}
