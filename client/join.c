#include "client/join.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/client.h"
#include "client/conn.h"
#include "client/home.h"
#include "client/leaves.h"
#include "client/local.h"
#include "client/skew.h"
#include "client/upkeep.h"
#include "keys/directory.h"
#include "keys/enrol.h"
#include "keys/epoch.h"
#include "keys/pairing.h"
#include "proto/invite.h"

#define LOCK_WAIT_MS 2000

/* One enrolment on its way. */
struct run {
	const struct cs_join *args;
	struct cs_why *why;
	struct cs_buf binary; /* holds the one-time seed: wiped */
	struct cs_invite inv; /* borrows from binary */
	struct cs_enrol_card card;
	struct cs_home *home;
	struct cs_keyring *kr;
	struct cs_epoch *epochs;
	struct cs_local *local;
	struct cs_directory *dir;
	struct cs_conn *conn;
	struct cs_checkpoint checkpoint;
	uint64_t now_s; /* that both clocks bear out; once connected */
	bool resumed;
	bool refused; /* for good: these keys will never be enrolled */
};

static void
run_fini(struct run *r)
{
	cs_conn_close(r->conn);
	cs_directory_free(r->dir);
	cs_local_close(r->local);
	cs_epoch_free(r->epochs);
	cs_keyring_free(r->kr);
	cs_home_close(r->home);
	cs_buf_fini(&r->binary);
}

static cs_err
read_invitation(struct run *r)
{
	bool begun = false;
	cs_err e;

	/* One that was begun in time may be enrolled already: the relay
	 * judges whether it is not. */
	e = cs_join_is_begun(r->args->dir, &begun);
	if (e != CS_OK) {
		cs_why_set(r->why, "the home of this device cannot be opened");
		return e;
	}
	CS_TRY(cs_invite_dearmour(r->args->invitation, &r->binary));
	CS_TRY(cs_invite_decode(cs_buf_view(&r->binary), &r->inv));
	CS_TRY(cs_enrol_check_invite(&r->inv, begun ? 0 : cs_client_now(),
	    &r->card));
out:
	if (e == CS_EXPIRED)
		cs_why_set(r->why,
		    r->inv.device_entry.n > 0
			? "this invitation has expired; make a new one with "
			  "`consil device invite` on the other device"
			: "this invitation has expired; ask the registrar for "
			  "a new one");
	else if (e != CS_OK)
		cs_why_set(r->why,
		    "this is not a whole invitation; ask the registrar for the "
		    "file again");
	return e;
}

/* -------------------------------------------------------------------- keys */

static cs_err
make_keyring(struct run *r, const char *path,
    const struct cs_keyring_lock *lock)
{
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	if (r->card.is_further)
		memcpy(id, r->card.device_id, sizeof(id));
	else
		randombytes_buf(id, sizeof(id));
	CS_TRY(cs_keyring_new(CS_KEYRING_DEVICE, r->inv.network_id, id,
	    r->card.member_id, &r->kr));
	CS_TRY(cs_keyring_save(r->kr, path, lock, false));
out:
	if (e != CS_OK)
		cs_why_set(r->why, "writing the keyring %s", path);
	return e;
}

/* A keyring that is there must be of an earlier try with this invitation. */
static cs_err
check_keyring(struct run *r, const char *path)
{
	const struct cs_keyring_info *info = cs_keyring_info(r->kr);

	r->resumed = true;
	if (memcmp(info->network_id, r->inv.network_id, CS_NETWORK_ID_BYTES) !=
	    0) {
		cs_why_set(r->why,
		    "%s is of another network; set CONSIL_HOME to a new folder",
		    path);
		return CS_WRONG_NETWORK;
	}
	if (memcmp(info->member_id, r->card.member_id, CS_ID_BYTES) != 0) {
		cs_why_set(r->why,
		    "%s is another member's; set CONSIL_HOME to a new folder",
		    path);
		return CS_EXISTS;
	}
	if (r->card.is_further &&
	    memcmp(info->id, r->card.device_id, CS_ID_BYTES) != 0) {
		cs_why_set(r->why,
		    "%s is another device's; set CONSIL_HOME to a new folder",
		    path);
		return CS_EXISTS;
	}
	return CS_OK;
}

static cs_err
open_keyring(struct run *r)
{
	char path[CS_HOME_PATH_BYTES], key_file[CS_HOME_PATH_BYTES];
	const struct cs_keyring_lock own = { .key_file = key_file };
	const struct cs_keyring_lock *lock =
	    r->args->lock ? r->args->lock : &own;
	cs_err e;

	cs_home_path(r->home, CS_HOME_KEYRING, NULL, NULL, path);
	cs_home_path(r->home, CS_HOME_KEY_FILE, NULL, NULL, key_file);
	e = cs_keyring_load(path, lock, &r->kr);
	if (e == CS_NOT_FOUND)
		return make_keyring(r, path, lock);
	if (e == CS_DENIED)
		cs_why_set(r->why,
		    "keyring %s of an earlier join, or its key file beside it, "
		    "can be read by others: chmod 600 both",
		    path);
	else if (e != CS_OK)
		cs_why_set(r->why, "keyring %s of an earlier join", path);
	CS_TRY(e);
	CS_TRY(check_keyring(r, path));
out:
	return e;
}

/* Nothing is published before this file is on disk. A new chain begins now,
 * and cannot go back: see dial. */
static cs_err
open_epochs(struct run *r)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	cs_home_path(r->home, CS_HOME_EPOCHS, NULL, NULL, path);
	e = cs_epoch_load(path, r->kr, &r->epochs);
	if (e == CS_NOT_FOUND) {
		CS_TRY(cs_epoch_new(cs_keyring_info(r->kr)->id, r->now_s,
		    &r->epochs));
		e = cs_epoch_save(r->epochs, r->kr, path);
	}
out:
	if (e != CS_OK)
		cs_why_set(r->why, "epoch keys %s", path);
	return e;
}

/* Publishing the epoch keys is the last step: a join without it goes on. */
static cs_err
check_unfinished(struct run *r)
{
	const struct cs_upkeep u = {
		.local = r->local, .kr = r->kr, .dir = r->dir
	};
	struct cs_directory_device self;
	bool is_put = false;
	cs_err e;

	if (cs_directory_device(r->dir, cs_keyring_info(r->kr)->id, &self) !=
	    CS_OK)
		return CS_OK;
	CS_TRY(cs_upkeep_is_put(&u, &is_put));
	if (is_put) {
		cs_why_set(r->why, "%s is enrolled already, as %.*s",
		    cs_home_dir(r->home), (int)r->card.member.address.n,
		    (const char *)r->card.member.address.p);
		e = CS_EXISTS;
	}
out:
	return e;
}

static cs_err
open_store(struct run *r)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	cs_home_path(r->home, CS_HOME_STORE, NULL, NULL, path);
	CS_TRY(cs_local_open(path, r->kr, &r->local));
	CS_TRY(cs_directory_new(r->inv.network_id, &r->dir));
	CS_TRY(cs_leaves_load(r->local, r->dir, &r->checkpoint));
	CS_TRY(check_unfinished(r));
out:
	if (e != CS_OK)
		cs_why_set(r->why, "local store %s", path);
	return e;
}

/* --------------------------------------------------------------- enrolling */

/* Also holds the clocks against each other, before anything is made by one. */
static cs_err
dial(struct run *r)
{
	struct cs_conn_relay to = { 0 };
	uint64_t relay_s;
	char url[256];
	cs_err e;

	snprintf(url, sizeof(url), "%.*s", (int)r->inv.relay_url.n,
	    (const char *)r->inv.relay_url.p);
	to.url = url;
	memcpy(to.network_id, r->inv.network_id, CS_NETWORK_ID_BYTES);
	memcpy(to.relay_id, r->inv.relay_id, CS_ID_BYTES);
	memcpy(to.noise_key, r->inv.relay_noise_key, CS_NOISE_KEY_BYTES);
	CS_TRY(cs_conn_open(&to, r->why, &r->conn));
	CS_TRY(cs_ask_ping(r->conn, &relay_s));
	CS_TRY(cs_skew_check(cs_client_now(), relay_s, r->why, &r->now_s));
out:
	return e;
}

static cs_err
login(struct run *r)
{
	const struct cs_log_view seen = cs_directory_view(r->dir);

	return cs_conn_login(r->conn, r->kr, &seen, NULL);
}

/* The first batch of epoch keys. */
static cs_err
make_batch(struct run *r, struct cs_buf *ret)
{
	struct cs_entry_epoch_batch batch = { .count = CS_EPOCHS_PER_BATCH };
	char path[CS_HOME_PATH_BYTES];
	struct cs_buf keys = { 0 };
	cs_err e;

	batch.first_epoch = cs_epoch_of(r->now_s);
	CS_TRY(cs_epoch_batch(r->epochs, batch.first_epoch, batch.count, &keys,
	    batch.root));
	cs_home_path(r->home, CS_HOME_EPOCHS, NULL, NULL, path);
	CS_TRY(cs_epoch_save(r->epochs, r->kr, path));
	CS_TRY(cs_enrol_batch(r->kr, &batch, CS_ENTRY_NO_PREV, r->now_s, ret));
out:
	cs_buf_fini(&keys);
	return e;
}

/* What goes into the log. A first device: the member as invited, the device,
 * its keys. A further one is there: only its key changes to its own. */
static cs_err
make_entries(struct run *r, struct cs_buf *device, struct cs_buf *batch,
    struct cs_frame_entries *ret)
{
	cs_err e;

	if (r->card.is_further) {
		CS_TRY(cs_pairing_join(&r->inv, r->kr, r->now_s, device));
	} else {
		CS_TRY(cs_enrol_device(&r->inv, r->kr, r->args->device_name,
		    r->now_s, device));
		ret->entry[ret->n++] = r->inv.member_entry;
	}
	CS_TRY(make_batch(r, batch));
	ret->entry[ret->n++] = cs_buf_view(device);
	ret->entry[ret->n++] = cs_buf_view(batch);
out:
	return e;
}

static const char *
why_void(const struct run *r, cs_err e)
{
	if (r->card.is_further)
		return e == CS_EXPIRED
			   ? "it has expired; make a new one with `consil "
			     "device invite`"
			   : "it was used or taken back; if it was not you, "
			     "tell the registrar at once, else make a new one "
			     "with `consil device invite`";
	return e == CS_USED
		   ? "another device of this member has joined; if it is not "
		     "yours, tell the registrar at once"
		   : "it is no longer valid; ask the registrar for a new one";
}

/* The invitation is void, and no try of it will be taken. */
static bool
is_void(cs_err e)
{
	return e == CS_USED || e == CS_EXPIRED || e == CS_DENIED;
}

static cs_err
enrol(struct run *r)
{
	struct cs_buf device = { 0 }, batch = { 0 };
	struct cs_frame_entries entries = { 0 };
	uint64_t first;
	cs_err e;

	CS_TRY(make_entries(r, &device, &batch, &entries));
	e = cs_ask_enrol(r->conn, &entries, &first);
	if (is_void(e)) {
		cs_why_clear(r->why);
		cs_why_set(r->why, "invitation of %.*s: %s",
		    (int)r->card.member.address.n,
		    (const char *)r->card.member.address.p, why_void(r, e));
	}
out:
	cs_buf_fini(&device);
	cs_buf_fini(&batch);
	return e;
}

/* An earlier try may have been enrolled without hearing of it: then this
 * device can log in, and enrolling again would be refused as used. */
static cs_err
enrol_or_resume(struct run *r)
{
	cs_err e;

	if (r->resumed) {
		if (login(r) == CS_OK)
			return CS_OK;
		cs_why_clear(r->why);
		cs_conn_close(r->conn);
		r->conn = NULL;
		CS_TRY(dial(r));
	}
	e = enrol(r);
	r->refused = is_void(e);
	CS_TRY(e);
	CS_TRY(login(r));
out:
	return e;
}

/* Was the relay of the invitation this log's when the invitation was made? Its
 * keys may have changed since. */
static bool
is_certified(const struct run *r)
{
	uint64_t size = cs_directory_view(r->dir).size;
	struct cs_directory_relay relay;

	for (; cs_directory_relay_at(r->dir, size, &relay) == CS_OK;
	     size = relay.entry) {
		/* public keys */
		if (memcmp(relay.id, r->inv.relay_id, CS_ID_BYTES) == 0 &&
		    memcmp(relay.relay.noise_key, r->inv.relay_noise_key,
			CS_NOISE_KEY_BYTES) == 0 &&
		    memcmp(relay.relay.sign_key, r->inv.relay_sign_key,
			CS_SIGN_PUBLIC_BYTES) == 0)
			return true;
	}
	return false;
}

/* The log must certify the relay that the invitation named, and us. */
static cs_err
check_log(struct run *r)
{
	const struct cs_keyring_info *info = cs_keyring_info(r->kr);
	struct cs_directory_device self;
	cs_err e;

	if (!is_certified(r)) {
		cs_why_set(r->why,
		    "the directory certifies another relay than the "
		    "invitation; ask the registrar for a new one");
		return CS_WRONG_RELAY;
	}
	CS_TRY(cs_directory_device(r->dir, info->id, &self));
	if (memcmp(self.sign_key, info->sign_key, CS_SIGN_PUBLIC_BYTES) != 0)
		e = CS_FORKED;
out:
	if (e != CS_OK)
		cs_why_set(r->why, "the directory does not show this device");
	return e;
}

static cs_err
mirror_and_publish(struct run *r)
{
	struct cs_upkeep u = { .home = r->home,
		.local = r->local,
		.kr = r->kr,
		.dir = r->dir,
		.epochs = r->epochs,
		.conn = r->conn,
		.now_s = r->now_s };
	cs_err e;

	CS_TRY(cs_leaves_sync(r->local, r->home, r->inv.network_id, r->dir,
	    r->conn, r->why, &r->checkpoint));
	CS_TRY(check_log(r));
	/* If this is broken off, the next join or connection does it. */
	CS_TRY(cs_upkeep_put(&u));
out:
	return e;
}

/* ------------------------------------------------------------------ public */

static void
describe(const struct run *r, struct cs_join_result *ret)
{
	const struct cs_keyring_info *info = cs_keyring_info(r->kr);

	*ret = (struct cs_join_result){ 0 };
	memcpy(ret->member_id, info->member_id, CS_ID_BYTES);
	memcpy(ret->device_id, info->id, CS_ID_BYTES);
	snprintf(ret->address, sizeof(ret->address), "%.*s",
	    (int)r->card.member.address.n,
	    (const char *)r->card.member.address.p);
	snprintf(ret->network_name, sizeof(ret->network_name), "%.*s",
	    (int)r->inv.network_name.n, (const char *)r->inv.network_name.p);
	snprintf(ret->relay_url, sizeof(ret->relay_url), "%.*s",
	    (int)r->inv.relay_url.n, (const char *)r->inv.relay_url.p);
	cs_enrol_fingerprint(info->network_id, info->id, info->sign_key,
	    ret->fingerprint);
	ret->unattended = !r->args->lock || r->args->lock->key_file;
	ret->resumed = r->resumed;
	ret->is_further = r->card.is_further;
}

/* Without the refused keys, and the store sealed under them, the home is free
 * for another invitation. What cannot be removed the next join names. */
static void
forget_keys(struct run *r)
{
	static const char *const names[] = { CS_HOME_STORE "/data.mdb",
		CS_HOME_STORE "/lock.mdb", CS_HOME_EPOCHS, CS_HOME_KEYRING,
		CS_HOME_KEY_FILE };
	char path[CS_HOME_PATH_BYTES];

	cs_local_close(r->local);
	r->local = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		cs_home_path(r->home, names[i], NULL, NULL, path);
		(void)unlink(path);
	}
}

cs_err
cs_join_run(const struct cs_join *j, struct cs_why *why,
    struct cs_join_result *ret)
{
	struct run r = { .args = j, .why = why };
	cs_err e;

	CS_TRY(read_invitation(&r));
	CS_TRY(cs_home_open(j->dir, true, why, &r.home));
	e = cs_home_lock(r.home, LOCK_WAIT_MS);
	if (e != CS_OK)
		cs_why_set(why, "%s: another consil of this home is busy",
		    cs_home_dir(r.home));
	CS_TRY(e);
	CS_TRY(open_keyring(&r));
	CS_TRY(open_store(&r));
	CS_TRY(dial(&r));
	CS_TRY(open_epochs(&r));
	CS_TRY(enrol_or_resume(&r));
	CS_TRY(mirror_and_publish(&r));
	describe(&r, ret);
out:
	if (r.refused)
		forget_keys(&r);
	run_fini(&r);
	return e;
}

cs_err
cs_join_is_begun(const char *dir, bool *ret)
{
	char path[CS_HOME_PATH_BYTES];
	struct cs_home *home = NULL;
	cs_err e;

	e = cs_home_open(dir, false, NULL, &home);
	if (e == CS_OK) {
		cs_home_path(home, CS_HOME_KEYRING, NULL, NULL, path);
		*ret = access(path, F_OK) == 0;
		cs_home_close(home);
		return CS_OK;
	}
	if (e != CS_NOT_FOUND && e != CS_DENIED)
		return e;
	*ret = false;
	return CS_OK;
}
