#include "client/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/leaves.h"
#include "client/notices.h"
#include "client/ownkeys.h"
#include "client/skew.h"
#include "client/upkeep.h"
#include "proto/text.h"

#define URL_BYTES 256

struct cs_client {
	struct cs_home *home;
	struct cs_local *local;
	struct cs_ownkeys *keys;
	struct cs_directory *dir;
	struct cs_checkpoint checkpoint;
	struct cs_epoch *epochs; /* while connected */
	struct cs_conn *conn;    /* while connected */
	bool is_parked;          /* connected without the lock */
	struct cs_transfer transfer;
	struct cs_why why;
};

uint64_t
cs_client_now(void)
{
	return (uint64_t)time(NULL);
}

/* ----------------------------------------------------------------- opening */

/* An empty directory, filled from the store. */
static cs_err
reload(struct cs_client *c)
{
	struct cs_directory *dir = NULL;
	struct cs_checkpoint cp;
	cs_err e;

	CS_TRY(cs_directory_new(cs_client_self(c)->network_id, &dir));
	CS_TRY(cs_leaves_load(c->local, dir, &cp));
	cs_directory_free(c->dir);
	c->dir = dir;
	c->checkpoint = cp;
	dir = NULL;
out:
	if (e == CS_CORRUPT)
		cs_why_set(&c->why,
		    "%s/" CS_HOME_STORE ": the stored directory is damaged or "
		    "was altered",
		    cs_home_dir(c->home));
	cs_directory_free(dir);
	return e;
}

/* What other processes of this home synced meanwhile. */
static cs_err
catch_up(struct cs_client *c)
{
	struct cs_checkpoint cp;
	cs_err e = cs_leaves_load(c->local, c->dir, &cp);

	if (e != CS_OK)
		return reload(c);
	c->checkpoint = cp;
	return CS_OK;
}

/* A client made by join.c before it is enrolled, or one that is. */
static cs_err
open_all(struct cs_client *c, const char *dir,
    const struct cs_keyring_lock *lock)
{
	char path[CS_HOME_PATH_BYTES];
	struct cs_directory_device self;
	cs_err e;

	CS_TRY(cs_home_open(dir, false, &c->why, &c->home));
	CS_TRY(cs_ownkeys_open(c->home, lock, &c->why, &c->keys));
	cs_home_path(c->home, CS_HOME_STORE, NULL, NULL, path);
	e = cs_local_open(path, cs_client_keyring(c), &c->local);
	if (e != CS_OK)
		cs_why_set(&c->why, "local store %s", path);
	CS_TRY(e);
	CS_TRY(reload(c));
	e = cs_directory_device(c->dir, cs_client_self(c)->id, &self);
	if (e == CS_NOT_FOUND) {
		cs_why_set(&c->why,
		    "%s: an enrolment was broken off here; run `consil join` "
		    "again with the same invitation",
		    cs_home_dir(c->home));
		e = CS_INCOMPLETE;
	}
out:
	return e;
}

cs_err
cs_client_open(const char *dir, const struct cs_keyring_lock *lock,
    struct cs_why *why, struct cs_client **ret)
{
	struct cs_client *c = calloc(1, sizeof(*c));
	cs_err e;

	if (!c)
		return CS_NO_MEMORY;
	CS_TRY(open_all(c, dir, lock));
	*ret = c;
	c = NULL;
out:
	if (c && c->why.text[0] != '\0')
		cs_why_set(why, "%s", c->why.text);
	cs_client_close(c);
	return e;
}

void
cs_client_close(struct cs_client *c)
{
	if (!c)
		return;
	cs_client_disconnect(c);
	cs_directory_free(c->dir);
	cs_local_close(c->local);
	cs_ownkeys_close(c->keys);
	cs_home_close(c->home);
	free(c);
}

cs_err
cs_client_needs_passphrase(const char *dir, struct cs_why *why, bool *ret)
{
	struct cs_keyring_info info;
	struct cs_home *home = NULL;
	cs_err e;

	CS_TRY(cs_home_open(dir, false, why, &home));
	CS_TRY(cs_ownkeys_peek(home, why, &info));
	*ret = !info.unattended;
out:
	cs_home_close(home);
	return e;
}

cs_err
cs_client_network(const char *dir, struct cs_why *why,
    uint8_t ret[static CS_NETWORK_ID_BYTES])
{
	struct cs_keyring_info info;
	struct cs_home *home = NULL;
	cs_err e;

	CS_TRY(cs_home_open(dir, false, why, &home));
	CS_TRY(cs_ownkeys_peek(home, why, &info));
	memcpy(ret, info.network_id, CS_NETWORK_ID_BYTES);
out:
	cs_home_close(home);
	return e;
}

/* --------------------------------------------------------------- accessors */

struct cs_why *
cs_client_why(struct cs_client *c)
{
	return &c->why;
}

struct cs_transfer *
cs_client_transfer(struct cs_client *c)
{
	return &c->transfer;
}

struct cs_home *
cs_client_home(struct cs_client *c)
{
	return c->home;
}

struct cs_local *
cs_client_local(struct cs_client *c)
{
	return c->local;
}

const struct cs_keyring *
cs_client_keyring(const struct cs_client *c)
{
	return cs_ownkeys_current(c->keys);
}

const struct cs_directory *
cs_client_directory(const struct cs_client *c)
{
	return c->dir;
}

const struct cs_keyring_info *
cs_client_self(const struct cs_client *c)
{
	return cs_keyring_info(cs_client_keyring(c));
}

struct cs_conn *
cs_client_conn(struct cs_client *c)
{
	return c->conn;
}

const struct cs_epoch *
cs_client_epochs(const struct cs_client *c)
{
	return c->epochs;
}

const struct cs_checkpoint *
cs_client_checkpoint(const struct cs_client *c)
{
	return &c->checkpoint;
}

/* -------------------------------------------------------------- connecting */

/* The relay as the mirrored log certifies it. */
static cs_err
dial(struct cs_client *c)
{
	struct cs_directory_relay relay;
	struct cs_conn_relay to = { 0 };
	char url[URL_BYTES];
	cs_err e;

	CS_TRY(cs_directory_relay(c->dir, &relay));
	snprintf(url, sizeof(url), "%.*s", (int)relay.relay.url.n,
	    (const char *)relay.relay.url.p);
	to.url = url;
	memcpy(to.network_id, cs_client_self(c)->network_id,
	    CS_NETWORK_ID_BYTES);
	memcpy(to.relay_id, relay.id, CS_ID_BYTES);
	memcpy(to.noise_key, relay.relay.noise_key, CS_NOISE_KEY_BYTES);
	CS_TRY(cs_conn_open(&to, &c->why, &c->conn));
out:
	return e;
}

/* What is new about the owner of this device. */
static cs_err
take_notice(struct cs_client *c)
{
	const struct cs_keyring *next = cs_ownkeys_next(c->keys);
	const struct cs_keyring_info *me = cs_client_self(c);
	struct cs_notices_self self;

	memcpy(self.device, me->id, CS_ID_BYTES);
	memcpy(self.member, me->member_id, CS_ID_BYTES);
	memcpy(self.sign_key, me->sign_key, CS_SIGN_PUBLIC_BYTES);
	memcpy(self.next_key,
	    next ? cs_keyring_info(next)->sign_key : me->sign_key,
	    CS_SIGN_PUBLIC_BYTES);
	return cs_notices_update(c->local, c->dir, &self);
}

static cs_err
sync_directory(struct cs_client *c)
{
	cs_err e =
	    cs_leaves_sync(c->local, c->home, cs_client_self(c)->network_id,
		c->dir, c->conn, &c->why, &c->checkpoint);

	/* The mirror may hold what no checkpoint covers: begin again. */
	if (e != CS_OK && reload(c) != CS_OK)
		return CS_CORRUPT;
	return e == CS_OK ? take_notice(c) : e;
}

/* The relay does not take this device, by this key. */
static bool
is_refusal(cs_err e)
{
	return e == CS_NOT_FOUND || e == CS_DENIED || e == CS_REVOKED ||
	       e == CS_EXPIRED || e == CS_BAD_SIGNATURE;
}

static const char *
refusal(cs_err e)
{
	if (e == CS_BAD_SIGNATURE)
		return "the relay does not know this device by this key: its "
		       "signing key was rotated in another copy of this home, "
		       "or it is not enrolled; ask the registrar";
	if (e == CS_REVOKED)
		return "the relay says that this device, its member or its "
		       "practice was revoked; what it has is still read with "
		       "--offline, for a new "
		       "device ask the registrar";
	return "the relay does not let this device in; ask the registrar";
}

static cs_err
login_by(struct cs_client *c, const struct cs_keyring *kr,
    uint64_t *ret_relay_s)
{
	const struct cs_log_view seen = cs_directory_view(c->dir);

	return cs_conn_login(c->conn, kr, &seen, ret_relay_s);
}

/* By the next key where a rotation was broken off after the directory took it.
 */
static cs_err
login_by_next(struct cs_client *c, uint64_t *ret_relay_s)
{
	cs_err e;

	cs_conn_close(c->conn);
	c->conn = NULL;
	cs_why_clear(&c->why);
	CS_TRY(dial(c));
	CS_TRY(login_by(c, cs_ownkeys_next(c->keys), ret_relay_s));
out:
	return e;
}

/* ret_now_s: a time that both clocks bear out. */
static cs_err
login(struct cs_client *c, uint64_t *ret_now_s)
{
	uint64_t relay_s;
	cs_err e = login_by(c, cs_client_keyring(c), &relay_s);

	if (is_refusal(e) && cs_ownkeys_next(c->keys))
		e = login_by_next(c, &relay_s);
	if (is_refusal(e)) {
		cs_why_clear(&c->why);
		cs_why_set(&c->why, "%s", refusal(e));
	}
	CS_TRY(e);
	CS_TRY(cs_skew_check(cs_client_now(), relay_s, &c->why, ret_now_s));
out:
	return e;
}

static cs_err
keep_epochs(struct cs_client *c, uint64_t now_s)
{
	struct cs_upkeep u = { .home = c->home,
		.local = c->local,
		.kr = cs_client_keyring(c),
		.epochs = c->epochs,
		.conn = c->conn,
		.now_s = now_s };
	bool appended;
	cs_err e;

	u.dir = c->dir;
	CS_TRY(cs_upkeep_advance(&u));
	CS_TRY(cs_upkeep_append(&u, &appended));
	if (appended)
		CS_TRY(sync_directory(c));
	u.dir = c->dir;
	CS_TRY(cs_upkeep_put(&u));
out:
	if (e != CS_OK)
		cs_why_set(&c->why, "keeping epoch keys published");
	return e;
}

/* What other verbs may have changed while we did not hold the lock. */
static cs_err
load_state(struct cs_client *c)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_ownkeys_refresh(c->keys, &c->why));
	CS_TRY(catch_up(c));
	cs_epoch_free(c->epochs);
	c->epochs = NULL;
	cs_home_path(c->home, CS_HOME_EPOCHS, NULL, NULL, path);
	e = cs_epoch_load(path, cs_client_keyring(c), &c->epochs);
	if (e != CS_OK)
		cs_why_set(&c->why, "epoch keys %s", path);
out:
	return e;
}

cs_err
cs_client_lock(struct cs_client *c, unsigned wait_ms)
{
	cs_err e = cs_home_lock(c->home, wait_ms);

	if (e != CS_OK)
		cs_why_set(&c->why, "%s: another consil of this home is busy",
		    cs_home_dir(c->home));
	return e;
}

/* Logged in, with the directory of now. */
static cs_err
enter(struct cs_client *c, uint64_t *ret_now_s)
{
	cs_err e;

	CS_TRY(dial(c));
	CS_TRY(login(c, ret_now_s));
	CS_TRY(sync_directory(c));
out:
	return e;
}

/* Whether the directory names the next key: only that makes it ours, whatever
 * a relay says. */
static bool
next_is_taken(const struct cs_client *c)
{
	const struct cs_keyring_info *next =
	    cs_keyring_info(cs_ownkeys_next(c->keys));
	struct cs_directory_device self;

	return cs_directory_device(c->dir, next->id, &self) == CS_OK &&
	       memcmp(self.sign_key, next->sign_key, CS_SIGN_PUBLIC_BYTES) == 0;
}

/* Brings a rotation to its end, wherever it was broken off. */
static cs_err
rotate(struct cs_client *c, uint64_t *ret_now_s)
{
	cs_err e, appended = CS_OK;

	if (!next_is_taken(c)) {
		CS_TRY(cs_ownkeys_begin(c->keys, c->local, c->conn, &c->why));
		appended = cs_ownkeys_append(c->keys, c->dir, c->conn, &c->why);
		/* what an earlier try sent may have come before this one */
		CS_TRY(appended == CS_CLASH ? CS_OK : appended);
		cs_conn_close(c->conn);
		c->conn = NULL;
		CS_TRY(enter(c, ret_now_s));
	}
	if (!next_is_taken(c)) {
		cs_why_set(&c->why,
		    "the relay took the next signing key of this device, but "
		    "its directory does not show it; tell the registrar");
		return appended != CS_OK ? appended : CS_FORKED;
	}
	CS_TRY(cs_ownkeys_finish(c->keys));
out:
	return e;
}

static cs_err
connect_anew(struct cs_client *c, unsigned wait_ms)
{
	uint64_t now_s;
	cs_err e;

	CS_TRY(cs_client_lock(c, wait_ms));
	CS_TRY(load_state(c));
	CS_TRY(enter(c, &now_s));
	if (cs_ownkeys_next(c->keys))
		CS_TRY(rotate(c, &now_s));
	CS_TRY(keep_epochs(c, now_s));
out:
	return e;
}

/* CS_CHANGED: the session is of a key that was rotated meanwhile. */
static cs_err
reconnect(struct cs_client *c, unsigned wait_ms)
{
	cs_err e;

	cs_conn_set_stop(c->conn, NULL);
	if (c->is_parked) {
		CS_TRY(cs_client_lock(c, wait_ms));
		c->is_parked = false;
		CS_TRY(cs_ownkeys_is_changed(c->keys) ? CS_CHANGED : CS_OK);
		CS_TRY(load_state(c));
	}
	CS_TRY(sync_directory(c));
out:
	return e;
}

cs_err
cs_client_connect(struct cs_client *c, unsigned wait_ms)
{
	cs_err e = CS_CHANGED;

	if (c->conn && cs_conn_is_open(c->conn))
		e = reconnect(c, wait_ms);
	if (e == CS_CHANGED) {
		cs_client_disconnect(c);
		e = connect_anew(c, wait_ms);
	}
	if (e != CS_OK)
		cs_client_disconnect(c);
	return e;
}

bool
cs_client_is_rotating(const struct cs_client *c)
{
	return cs_ownkeys_next(c->keys) || cs_ownkeys_is_changed(c->keys);
}

bool
cs_client_has_new_keys(const struct cs_client *c)
{
	return cs_ownkeys_is_changed(c->keys);
}

cs_err
cs_client_rotate(struct cs_client *c, unsigned wait_ms)
{
	const bool is_begun = cs_ownkeys_next(c->keys) != NULL;
	uint64_t now_s;
	cs_err e;

	CS_TRY(cs_client_connect(c, wait_ms));
	if (!is_begun) {
		CS_TRY(cs_ownkeys_begin(c->keys, c->local, c->conn, &c->why));
		CS_TRY(rotate(c, &now_s));
	}
out:
	if (e != CS_OK)
		cs_client_disconnect(c);
	return e;
}

void
cs_client_park(struct cs_client *c)
{
	cs_home_unlock(c->home);
	c->is_parked = true;
}

void
cs_client_disconnect(struct cs_client *c)
{
	cs_conn_close(c->conn);
	c->conn = NULL;
	cs_epoch_free(c->epochs);
	c->epochs = NULL;
	c->is_parked = false;
	if (c->home)
		cs_home_unlock(c->home);
}

/* ---------------------------------------------------------------- look-ups */

/* The bytes that all of the digits make up, and whether they are hex. */
static cs_err
parse_prefix(const char *text, char hex[static 2 * CS_ID_BYTES + 1],
    uint8_t *ret, size_t *ret_n)
{
	size_t i, n = strlen(text);

	if (n < 6 || n > 2 * CS_ID_BYTES)
		return CS_USAGE;
	for (i = 0; i <= n; i++)
		hex[i] = text[i] >= 'A' && text[i] <= 'F'
			     ? (char)(text[i] - 'A' + 'a')
			     : text[i];
	if (n % 2 != 0 && !strchr("0123456789abcdef", hex[n - 1]))
		return CS_USAGE;
	*ret_n = n / 2;
	if (cs_text_unhex((struct cs_bytes){ (const uint8_t *)hex, n / 2 * 2 },
		ret, n / 2) != CS_OK)
		return CS_USAGE;
	return CS_OK;
}

/* Steps to the next id whose digits begin with hex. CS_OK, CS_NOT_FOUND. */
static cs_err
next_match(struct cs_local_txn *txn, struct cs_local_ids *at, const char *hex)
{
	char text[2 * CS_ID_BYTES + 1];
	cs_err e;

	do {
		CS_TRY(cs_local_next_id(txn, at));
		cs_text_hex(CS_BYTES(at->id), text);
	} while (strncmp(text, hex, strlen(hex)) != 0);
out:
	return e;
}

cs_err
cs_client_find(struct cs_client *c, enum cs_local_table table, const char *text,
    uint8_t ret_id[static CS_ID_BYTES])
{
	uint8_t raw[CS_ID_BYTES], id[CS_ID_BYTES];
	char hex[2 * CS_ID_BYTES + 1];
	struct cs_local_txn *txn = NULL;
	struct cs_local_ids at = { .table = table, .prefix = { .p = raw } };
	cs_err e;

	e = parse_prefix(text, hex, raw, &at.prefix.n);
	if (e != CS_OK)
		cs_why_set(&c->why, "%s: not an id; give 6 to 32 digits of it",
		    text);
	CS_TRY(e);
	CS_TRY(cs_local_begin(c->local, false, &txn));
	e = next_match(txn, &at, hex);
	if (e == CS_NOT_FOUND)
		cs_why_set(&c->why, "%s: no such message in %s", text,
		    table == CS_LOCAL_IN ? "the inbox" : "what was sent");
	CS_TRY(e);
	memcpy(id, at.id, CS_ID_BYTES);
	e = next_match(txn, &at, hex);
	if (e == CS_OK) {
		cs_why_set(&c->why,
		    "%s: several messages begin so; give more digits", text);
		e = CS_USAGE;
		goto out;
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
	CS_TRY(e);
	memcpy(ret_id, id, CS_ID_BYTES);
out:
	cs_local_end(&txn);
	return e;
}

void
cs_client_put_address(const struct cs_client *c,
    const uint8_t member_id[static CS_ID_BYTES], struct cs_buf *out)
{
	char hex[2 * CS_ID_BYTES + 1];
	struct cs_directory_member member;

	if (cs_directory_member(c->dir, member_id, &member) == CS_OK) {
		cs_buf_put_bytes(out, member.address);
		return;
	}
	cs_text_hex((struct cs_bytes){ member_id, CS_ID_BYTES }, hex);
	cs_buf_put_str(out, hex);
}
