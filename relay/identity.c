#include "relay/identity.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/file.h"
#include "relay/report.h"

/* What signs, what follows it and what it followed; and some that are no use
 * any more, but may be in use by a thread. */
#define MAX_SETS   8
#define PATH_BYTES 4096

enum role {
	NONE,  /* given up */
	SIGNS, /* exactly one */
	NEXT,  /* the directory does not name it yet */
	OLD,   /* the directory named it before; makes handshakes */
};

struct set {
	const struct cs_keyring *kr; /* NULL: the place is free */
	struct cs_keyring *owned;    /* or NULL */
	enum role role;
};

struct cs_identity {
	struct cs_keyring_info me;
	const char *path, *key_file; /* NULL: no files */
	char next[PATH_BYTES], old[PATH_BYTES];
	pthread_rwlock_t lock; /* of roles, and of more sets */
	struct set set[MAX_SETS];
};

/* --------------------------------------------------------------------- sets */

static bool
has_keys(const struct cs_keyring_info *info, const struct cs_entry_relay *keys)
{
	/* public keys */
	return memcmp(info->sign_key, keys->sign_key, CS_SIGN_PUBLIC_BYTES) ==
		   0 &&
	       memcmp(info->noise_key, keys->noise_key, CS_NOISE_KEY_BYTES) ==
		   0;
}

static struct set *
find_role(struct cs_identity *id, enum role role)
{
	for (unsigned i = 0; i < MAX_SETS; i++)
		if (id->set[i].role == role)
			return &id->set[i];
	return NULL;
}

static struct set *
find_keys(struct cs_identity *id, const struct cs_entry_relay *keys)
{
	for (unsigned i = 0; i < MAX_SETS; i++)
		if (id->set[i].role != NONE &&
		    has_keys(cs_keyring_info(id->set[i].kr), keys))
			return &id->set[i];
	return NULL;
}

/* Records of the store are tagged under a key of the keyring: another one
 * would make all of them void. */
static cs_err
check_local_keys(const struct cs_keyring *a, const struct cs_keyring *b)
{
	struct cs_secret *x = NULL, *y = NULL;
	cs_err e;

	CS_TRY(cs_keyring_derive(a, "record-tag", &x));
	CS_TRY(cs_keyring_derive(b, "record-tag", &y));
	CS_TRY(cs_secret_eq(x, y) ? CS_OK : CS_CORRUPT);
out:
	cs_secret_free(x);
	cs_secret_free(y);
	return e;
}

/* Is kr of the same relay as the set that signs? */
static cs_err
check_same(struct cs_identity *id, const struct cs_keyring *kr)
{
	const struct cs_keyring_info *a = &id->me, *b = cs_keyring_info(kr);

	/* public ids */
	if (b->kind != CS_KEYRING_RELAY ||
	    memcmp(a->id, b->id, CS_ID_BYTES) != 0 ||
	    memcmp(a->network_id, b->network_id, CS_NETWORK_ID_BYTES) != 0)
		return CS_WRONG_RELAY;
	return check_local_keys(find_role(id, SIGNS)->kr, kr);
}

/* One more set; role as far as the files tell. Under the lock. */
static cs_err
add(struct cs_identity *id, const struct cs_keyring *kr,
    struct cs_keyring *owned, enum role role)
{
	unsigned at = 0;
	cs_err e;

	CS_TRY(check_same(id, kr));
	while (at < MAX_SETS && id->set[at].kr)
		at++;
	CS_TRY(at < MAX_SETS ? CS_OK : CS_FULL);
	id->set[at] = (struct set){ .kr = kr, .owned = owned, .role = role };
out:
	return e;
}

/* ------------------------------------------------------------- open and free
 */

cs_err
cs_identity_new(const struct cs_keyring *kr, struct cs_identity **ret)
{
	struct cs_identity *id = calloc(1, sizeof(*id));

	if (!id)
		return CS_NO_MEMORY;
	pthread_rwlock_init(&id->lock, NULL);
	id->me = *cs_keyring_info(kr);
	id->set[0] = (struct set){ .kr = kr, .role = SIGNS };
	*ret = id;
	return CS_OK;
}

cs_err
cs_identity_add(struct cs_identity *id, const struct cs_keyring *kr)
{
	cs_err e;

	pthread_rwlock_wrlock(&id->lock);
	e = add(id, kr, NULL, NEXT);
	pthread_rwlock_unlock(&id->lock);
	return e;
}

void
cs_identity_free(struct cs_identity *id)
{
	if (!id)
		return;
	for (unsigned i = 0; i < MAX_SETS; i++)
		cs_keyring_free(id->set[i].owned);
	pthread_rwlock_destroy(&id->lock);
	free(id);
}

/* -------------------------------------------------------------------- files */

/* Whether the public half in a file is that of a set we hold. */
static struct set *
find_file(struct cs_identity *id, const struct cs_keyring_info *info)
{
	struct cs_entry_relay keys;

	memcpy(keys.sign_key, info->sign_key, sizeof(keys.sign_key));
	memcpy(keys.noise_key, info->noise_key, sizeof(keys.noise_key));
	return find_keys(id, &keys);
}

/* Takes over the keys in a file beside the keyring, if there are any that are
 * new to us. Under the lock. */
static cs_err
take_file(struct cs_identity *id, const char *path, enum role role,
    bool *ret_new)
{
	const struct cs_keyring_lock lock = { .key_file = id->key_file };
	struct cs_keyring_info info;
	struct cs_keyring *kr = NULL;
	cs_err e;

	e = cs_keyring_peek(path, &info);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	if (find_file(id, &info))
		goto out;
	CS_TRY(cs_keyring_load(path, &lock, &kr));
	CS_TRY(add(id, kr, kr, role));
	kr = NULL;
	*ret_new = true;
out:
	cs_keyring_free(kr);
	if (e != CS_OK)
		cs_report(CS_REPORT_WARNING,
		    "%s cannot be used: %s; it is left as it is", path,
		    e == CS_CORRUPT
			? "damaged, or not made by `consil-admin rotate relay`"
			: cs_err_text(e));
	return e;
}

static cs_err
name_files(struct cs_identity *id)
{
	int a = snprintf(id->next, sizeof(id->next), "%s.next", id->path);
	int b = snprintf(id->old, sizeof(id->old), "%s.old", id->path);

	return a < 0 || (size_t)a >= sizeof(id->next) || b < 0 ||
		       (size_t)b >= sizeof(id->old)
		   ? CS_BAD_CONFIG
		   : CS_OK;
}

cs_err
cs_identity_open(const char *keyring, const char *key_file,
    struct cs_identity **ret, struct cs_buf *ret_problem)
{
	const struct cs_keyring_lock lock = { .key_file = key_file };
	struct cs_identity *id = NULL;
	struct cs_keyring *kr = NULL;
	bool is_new;
	cs_err e;

	CS_TRY(cs_keyring_load(keyring, &lock, &kr));
	if (cs_keyring_info(kr)->kind != CS_KEYRING_RELAY) {
		cs_buf_printf(ret_problem,
		    "%s: holds keys of somebody else, not of a relay", keyring);
		e = CS_BAD_CONFIG;
		goto out;
	}
	CS_TRY(cs_identity_new(kr, &id));
	id->set[0].owned = kr;
	kr = NULL;
	id->path = keyring;
	id->key_file = key_file;
	CS_TRY(name_files(id));
	(void)!take_file(id, id->next, NEXT, &is_new);
	(void)!take_file(id, id->old, OLD, &is_new);
	*ret = id;
	id = NULL;
out:
	cs_keyring_free(kr);
	cs_identity_free(id);
	return e;
}

/* What of the old set is left when its file went. Under the lock. */
static bool
give_up_old(struct cs_identity *id)
{
	struct set *old = find_role(id, OLD);

	if (!old || access(id->old, F_OK) == 0)
		return false;
	old->role = NONE; /* wiped in the end: another thread may be using it */
	return true;
}

void
cs_identity_reload(struct cs_identity *id)
{
	bool came = false, went;

	if (!id->path)
		return;
	pthread_rwlock_wrlock(&id->lock);
	if (!find_role(id, NEXT))
		(void)!take_file(id, id->next, NEXT, &came);
	went = give_up_old(id);
	pthread_rwlock_unlock(&id->lock);
	if (came)
		cs_report(CS_REPORT_INFO,
		    "holds the keys that are to follow: `consil-admin rotate "
		    "relay` can go on");
	if (went)
		cs_report(CS_REPORT_INFO,
		    "the keys that were followed are gone");
}

/*
 * The set that signs is to be in the keyring itself. It was in keyring.next,
 * or, where the directory went back with its store, in keyring.old.
 */
static cs_err
move_files(struct cs_identity *id, const struct cs_keyring_info *signs)
{
	struct cs_keyring_info there;
	cs_err e;

	CS_TRY(cs_keyring_peek(id->path, &there));
	if (memcmp(there.sign_key, signs->sign_key, CS_SIGN_PUBLIC_BYTES) ==
	    0) /* public */
		return CS_OK;
	if (cs_keyring_peek(id->next, &there) == CS_OK &&
	    memcmp(there.sign_key, signs->sign_key, CS_SIGN_PUBLIC_BYTES) ==
		0) /* public */
		return cs_file_succeed(id->path, id->next, id->old);
	e = cs_file_succeed(id->path, id->old, id->next);
out:
	return e;
}

/* -------------------------------------------------------------------- roles */

const struct cs_keyring_info *
cs_identity_info(const struct cs_identity *id)
{
	return &id->me;
}

const struct cs_keyring *
cs_identity_signer(struct cs_identity *id)
{
	const struct cs_keyring *kr;

	pthread_rwlock_rdlock(&id->lock);
	kr = find_role(id, SIGNS)->kr; /* there always is one */
	pthread_rwlock_unlock(&id->lock);
	return kr;
}

const struct cs_keyring *
cs_identity_find(struct cs_identity *id, const struct cs_entry_relay *keys)
{
	const struct set *set;

	pthread_rwlock_rdlock(&id->lock);
	set = find_keys(id, keys);
	pthread_rwlock_unlock(&id->lock);
	return set ? set->kr : NULL;
}

/* new signs in the place of now; who follows and was followed, accordingly. */
static void
exchange(struct cs_identity *id, struct set *now, struct set *new)
{
	struct set *old = find_role(id, OLD);

	if (new->role == OLD) {
		now->role = NEXT;
	} else {
		if (old)
			old->role = NONE;
		now->role = OLD;
	}
	new->role = SIGNS;
}

cs_err
cs_identity_follow(struct cs_identity *id, const struct cs_entry_relay *keys)
{
	const struct cs_keyring_info *signs;
	struct set *now, *new;
	cs_err e = CS_OK;

	pthread_rwlock_wrlock(&id->lock);
	now = find_role(id, SIGNS);
	new = find_keys(id, keys);
	CS_TRY(new ? CS_OK : CS_WRONG_RELAY);
	signs = cs_keyring_info(new->kr);
	if (new != now)
		exchange(id, now, new);
	/* also where nothing changed: the files may have been left behind */
	if (id->path && move_files(id, signs) != CS_OK)
		cs_report(CS_REPORT_WARNING,
		    "%s cannot be written: it will hold the keys in use after "
		    "the next start; see to the permissions of its folder",
		    id->path);
out:
	pthread_rwlock_unlock(&id->lock);
	return e;
}

bool
cs_identity_is_next(struct cs_identity *id, const struct cs_entry_relay *keys)
{
	const struct set *set;
	bool is;

	pthread_rwlock_rdlock(&id->lock);
	set = find_keys(id, keys);
	is = set && set->role == NEXT;
	pthread_rwlock_unlock(&id->lock);
	return is;
}

bool
cs_identity_has_old(struct cs_identity *id)
{
	bool has;

	pthread_rwlock_rdlock(&id->lock);
	has = find_role(id, OLD) != NULL;
	pthread_rwlock_unlock(&id->lock);
	return has;
}

cs_err
cs_identity_forget(struct cs_identity *id)
{
	struct set *old;
	cs_err e = CS_OK;

	pthread_rwlock_wrlock(&id->lock);
	old = find_role(id, OLD);
	CS_TRY(old ? CS_OK : CS_NOT_FOUND);
	if (id->path) {
		e = cs_file_destroy(id->old);
		CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	}
	cs_keyring_free(old->owned);
	*old = (struct set){ 0 };
out:
	pthread_rwlock_unlock(&id->lock);
	return e;
}

/* --------------------------------------------------------------- handshakes */

cs_err
cs_identity_responder(void *identity, unsigned i, struct cs_noise **ret)
{
	static const enum role order[] = { SIGNS, OLD };
	struct cs_identity *id = identity;
	const struct set *set;
	cs_err e;

	if (i >= sizeof(order) / sizeof(*order))
		return CS_NOT_FOUND;
	pthread_rwlock_rdlock(&id->lock);
	set = find_role(id, order[i]);
	CS_TRY(set ? CS_OK : CS_NOT_FOUND);
	CS_TRY(cs_noise_new_responder(cs_identity_info(id)->network_id,
	    cs_keyring_noise_secret(set->kr), ret));
out:
	pthread_rwlock_unlock(&id->lock);
	return e;
}
