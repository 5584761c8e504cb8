#include "keys/admin/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "client/ask.h"
#include "client/conn.h"
#include "client/mirror.h"
#include "client/relock.h"
#include "keys/file.h"
#include "proto/armour.h"
#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/signing.h"

#define GENESIS_MAX_BYTES (1u << 20)
#define MIRROR_MAX_BYTES  (1u << 30)

struct cs_network {
	const char *dir;
	struct cs_why *why;
	struct cs_keyring *registrar;
	struct cs_keyring *next; /* to follow it; or NULL */
	bool has_rotated;
	struct cs_directory *dir_log;  /* the mirror */
	struct cs_directory *founding; /* of genesis; until there is a mirror */
	struct cs_checkpoint last;
	struct cs_buf note;        /* signed, over the mirror */
	struct cs_conn_relay hint; /* where the relay is, without a mirror */
	char hint_url[256];
	struct cs_conn *conn;
};

/* ------------------------------------------------------------------- files */

cs_err
cs_network_path(const char *dir, enum cs_network_file file,
    char ret[static CS_NETWORK_PATH_BYTES])
{
	static const char *const names[CS_NETWORK_FILES] = {
		[CS_NETWORK_ROOT_KEYRING] = "root.keyring",
		[CS_NETWORK_ROOT_KEY] = "root.key",
		[CS_NETWORK_REGISTRAR_KEYRING] = "registrar.keyring",
		[CS_NETWORK_REGISTRAR_KEY] = "registrar.key",
		[CS_NETWORK_REGISTRAR_NEXT] = "registrar.keyring.next",
		[CS_NETWORK_REGISTRAR_OLD] = "registrar.keyring.old",
		[CS_NETWORK_REGISTRAR_CARD] = "registrar.card",
		[CS_NETWORK_RELAY_KEYRING] = "relay.keyring",
		[CS_NETWORK_RELAY_KEY] = "relay.key",
		[CS_NETWORK_RELAY_NEXT] = "relay.keyring.next",
		[CS_NETWORK_RELAY_OLD] = "relay.keyring.old",
		[CS_NETWORK_REQUEST] = "root.request",
		[CS_NETWORK_GENESIS] = "genesis",
		[CS_NETWORK_RELAY_CONF] = "relay.conf",
		[CS_NETWORK_ADMIN] = "admin",
		[CS_NETWORK_MIRROR] = "admin/directory",
		[CS_NETWORK_AUDIT] = "admin/audit",
		[CS_NETWORK_VETTING] = "admin/vetting",
	};
	int n = snprintf(ret, CS_NETWORK_PATH_BYTES, "%s/%s", dir, names[file]);

	return n < 0 || n >= CS_NETWORK_PATH_BYTES ? CS_USAGE : CS_OK;
}

/* Sets why to the path of a file that cannot be used. */
static cs_err
about(struct cs_why *why, cs_err e, const char *path, const char *remedy)
{
	if (e != CS_OK)
		cs_why_set(why, "%s%s%s", path, remedy ? "; " : "",
		    remedy ? remedy : "");
	return e;
}

cs_err
cs_network_needs_passphrase(const char *dir, struct cs_why *why, bool *ret)
{
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_info info;
	cs_err e;

	CS_TRY(cs_network_path(dir, CS_NETWORK_REGISTRAR_KEYRING, path));
	e = cs_keyring_peek(path, &info);
	if (e == CS_NOT_FOUND)
		cs_why_set(why,
		    "%s holds no registrar's keyring; `consil-admin init` "
		    "makes a network",
		    dir);
	CS_TRY(about(why, e, path, NULL));
	*ret = !info.unattended;
out:
	return e;
}

cs_err
cs_network_load_registrar(const char *dir, const struct cs_secret *passphrase,
    struct cs_why *why, struct cs_keyring **ret)
{
	char path[CS_NETWORK_PATH_BYTES], key_file[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_lock lock = { .passphrase = passphrase };
	struct cs_keyring *kr = NULL;
	cs_err e;

	CS_TRY(cs_network_path(dir, CS_NETWORK_REGISTRAR_KEYRING, path));
	CS_TRY(cs_network_path(dir, CS_NETWORK_REGISTRAR_KEY, key_file));
	if (!passphrase)
		lock.key_file = key_file;
	e = cs_keyring_load(path, &lock, &kr);
	cs_relock_explain(path, e, why);
	CS_TRY(e);
	if (cs_keyring_info(kr)->kind != CS_KEYRING_REGISTRAR)
		CS_TRY(about(why, CS_CORRUPT, path, "not a registrar's"));
	*ret = kr;
	kr = NULL;
out:
	cs_keyring_free(kr);
	return e;
}

/* ---------------------------------------------------------------- next keys */

/* The same principal, sealed the same way. */
static cs_err
load_next(struct cs_network *n)
{
	const struct cs_keyring_lock lock = {
		.key = cs_keyring_lock_key(n->registrar)
	};
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_keyring *kr = NULL;
	const struct cs_keyring_info *info, *now;
	cs_err e;

	CS_TRY(cs_network_path(n->dir, CS_NETWORK_REGISTRAR_NEXT, path));
	e = cs_keyring_load(path, &lock, &kr);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(about(n->why, e, path, NULL));
	info = cs_keyring_info(kr);
	now = cs_keyring_info(n->registrar);
	/* public ids */
	CS_TRY(about(n->why,
	    memcmp(info->id, now->id, CS_ID_BYTES) == 0 &&
		    info->kind == now->kind
		? CS_OK
		: CS_CORRUPT,
	    path, "not this registrar's; move it away"));
	n->next = kr;
	kr = NULL;
out:
	cs_keyring_free(kr);
	return e;
}

cs_err
cs_network_next_registrar(struct cs_network *n, const struct cs_keyring **ret)
{
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_keyring *kr = NULL;
	cs_err e = CS_OK;

	if (!n->next) {
		CS_TRY(cs_network_path(n->dir, CS_NETWORK_REGISTRAR_NEXT,
		    path));
		CS_TRY(cs_keyring_successor(n->registrar, &kr));
		CS_TRY(about(n->why, cs_keyring_save(kr, path, NULL, false),
		    path, NULL));
		n->next = kr;
		kr = NULL;
	}
	*ret = n->next;
out:
	cs_keyring_free(kr);
	return e;
}

bool
cs_network_has_rotated(const struct cs_network *n)
{
	return n->has_rotated;
}

/* Once the log names them, the next keys are those of the registrar. */
static cs_err
take_over_next(struct cs_network *n)
{
	char path[CS_NETWORK_PATH_BYTES], next[CS_NETWORK_PATH_BYTES];
	char old[CS_NETWORK_PATH_BYTES];
	const struct cs_keyring_info *info;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	cs_err e;

	if (!n->next)
		return CS_OK;
	info = cs_keyring_info(n->next);
	if (cs_directory_registrar_key(n->dir_log, info->id,
		(uint64_t)time(NULL), key) != CS_OK ||
	    memcmp(key, info->sign_key, sizeof(key)) != 0) /* public */
		return CS_OK;
	CS_TRY(cs_network_path(n->dir, CS_NETWORK_REGISTRAR_KEYRING, path));
	CS_TRY(cs_network_path(n->dir, CS_NETWORK_REGISTRAR_NEXT, next));
	CS_TRY(cs_network_path(n->dir, CS_NETWORK_REGISTRAR_OLD, old));
	CS_TRY(about(n->why, cs_file_succeed(path, next, old), path, NULL));
	cs_keyring_free(n->registrar);
	n->registrar = n->next;
	n->next = NULL;
	n->has_rotated = true;
out:
	return e;
}

/* ----------------------------------------------------------------- genesis */

static void
take_hint(struct cs_network *n, const struct cs_signing *v)
{
	snprintf(n->hint_url, sizeof(n->hint_url), "%.*s", (int)v->relay_url.n,
	    (const char *)v->relay_url.p);
	n->hint.url = n->hint_url;
	memcpy(n->hint.network_id, v->network_id, sizeof(n->hint.network_id));
	memcpy(n->hint.relay_id, v->relay_id, sizeof(n->hint.relay_id));
	memcpy(n->hint.noise_key, v->relay_noise_key,
	    sizeof(n->hint.noise_key));
}

/* A further registrar has no genesis: where its relay is says the request by
 * which it became one. What is believed is only what the log shows then. */
static cs_err
load_request(struct cs_network *n)
{
	const struct cs_keyring_info *me = cs_keyring_info(n->registrar);
	struct cs_buf text = { 0 }, binary = { 0 };
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_signing v;
	cs_err e;

	CS_TRY(cs_network_path(n->dir, CS_NETWORK_REQUEST, path));
	e = cs_field_is_zero(me->network_id, sizeof(me->network_id))
		? CS_NOT_FOUND
		: cs_file_read(path, GENESIS_MAX_BYTES, false, &text);
	if (e == CS_OK)
		e = cs_armour_decode(CS_SIGNING_ARMOUR, cs_buf_view(&text),
		    &binary);
	if (e == CS_OK)
		e = cs_signing_decode(cs_buf_view(&binary), &v);
	if (e == CS_NOT_FOUND || (e == CS_OK && v.n_roots == 0)) {
		cs_why_set(n->why,
		    "%s: the root has not signed for it yet: `consil-admin "
		    "root sign`, then `consil-admin root apply %s FILE`",
		    n->dir, n->dir);
		e = CS_INCOMPLETE;
	}
	CS_TRY(about(n->why, e, path, NULL));
	take_hint(n, &v);
out:
	cs_buf_fini(&text);
	cs_buf_fini(&binary);
	return e;
}

/* What the relay does with it at its first start. */
static cs_err
load_genesis(struct cs_network *n)
{
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_buf file = { 0 };
	cs_err e;

	CS_TRY(cs_network_path(n->dir, CS_NETWORK_GENESIS, path));
	CS_TRY(cs_directory_new(cs_keyring_info(n->registrar)->network_id,
	    &n->founding));
	e = cs_file_read(path, GENESIS_MAX_BYTES, false, &file);
	if (e == CS_OK)
		e = cs_directory_found(n->founding, cs_buf_view(&file),
		    (uint64_t)time(NULL));
	if (e == CS_NOT_FOUND) {
		cs_directory_free(n->founding);
		n->founding = NULL;
		return load_request(n);
	}
	CS_TRY(about(n->why, e, path, NULL));
out:
	cs_buf_fini(&file);
	return e;
}

/* ------------------------------------------------------------------ mirror */

/* The file: u32 length ‖ checkpoint note, then u32 length ‖ leaf for each. */
static cs_err
replay_mirror(struct cs_network *n, struct cs_bytes file)
{
	struct cs_cursor c = cs_cursor_new(file);
	struct cs_bytes note = cs_field_var32(&c);
	cs_err e;

	while (c.left > 0) {
		struct cs_bytes leaf = cs_field_var32(&c);

		CS_TRY(cs_cursor_err(&c));
		CS_TRY(cs_directory_apply(n->dir_log, leaf));
	}
	CS_TRY(cs_cursor_end(&c));
	CS_TRY(cs_directory_check_checkpoint(n->dir_log, note, &n->last));
	cs_buf_put_bytes(&n->note, note);
	CS_TRY(cs_buf_err(&n->note));
out:
	return e;
}

static cs_err
load_mirror(struct cs_network *n)
{
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_buf file = { 0 };
	cs_err e;

	CS_TRY(cs_network_path(n->dir, CS_NETWORK_MIRROR, path));
	CS_TRY(cs_directory_new(cs_keyring_info(n->registrar)->network_id,
	    &n->dir_log));
	e = cs_file_read(path, MIRROR_MAX_BYTES, true, &file);
	if (e == CS_NOT_FOUND) {
		e = load_genesis(n);
		goto out;
	}
	CS_TRY(about(n->why, e, path, NULL));
	if (replay_mirror(n, cs_buf_view(&file)) != CS_OK)
		e = about(n->why, CS_CORRUPT, path,
		    "if you moved it aside it would be fetched again, but "
		    "what the relay showed before could no longer be compared");
out:
	cs_buf_fini(&file);
	return e;
}

static cs_err
save_mirror(struct cs_network *n)
{
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_buf file = { 0 };
	struct cs_bytes leaf;
	cs_err e;

	CS_TRY(cs_network_path(n->dir, CS_NETWORK_ADMIN, path));
	e = mkdir(path, 0700) == 0 || errno == EEXIST ? CS_OK : CS_IO;
	CS_TRY(about(n->why, e, path, NULL));
	CS_TRY(cs_network_path(n->dir, CS_NETWORK_MIRROR, path));
	cs_field_put_var32(&file, cs_buf_view(&n->note));
	for (uint64_t i = 0; cs_directory_leaf(n->dir_log, i, &leaf) == CS_OK;
	     i++) {
		cs_field_put_var32(&file, leaf);
	}
	CS_TRY(cs_buf_err(&file));
	CS_TRY(about(n->why,
	    cs_file_write(path, cs_buf_view(&file), 0600, true), path, NULL));
out:
	cs_buf_fini(&file);
	return e;
}

/* -------------------------------------------------------------------- open */

cs_err
cs_network_open(const char *dir, const struct cs_secret *passphrase,
    struct cs_why *why, struct cs_network **ret)
{
	struct cs_network *n = calloc(1, sizeof(*n));
	cs_err e;

	CS_TRY(n ? CS_OK : CS_NO_MEMORY);
	n->dir = dir;
	n->why = why;
	CS_TRY(cs_network_load_registrar(dir, passphrase, why, &n->registrar));
	CS_TRY(load_next(n));
	CS_TRY(load_mirror(n));
	*ret = n;
	n = NULL;
out:
	cs_network_close(n);
	return e;
}

void
cs_network_close(struct cs_network *n)
{
	if (!n)
		return;
	cs_conn_close(n->conn);
	cs_keyring_free(n->registrar);
	cs_keyring_free(n->next);
	cs_directory_free(n->dir_log);
	cs_directory_free(n->founding);
	cs_buf_fini(&n->note);
	free(n);
}

const struct cs_keyring *
cs_network_registrar(const struct cs_network *n)
{
	return n->registrar;
}

struct cs_directory *
cs_network_directory(const struct cs_network *n)
{
	return n->founding ? n->founding : n->dir_log;
}

struct cs_bytes
cs_network_note(const struct cs_network *n)
{
	return cs_buf_view(&n->note);
}

struct cs_conn *
cs_network_conn(const struct cs_network *n)
{
	return n->conn;
}

const struct cs_checkpoint *
cs_network_checkpoint(const struct cs_network *n)
{
	return &n->last;
}

/* -------------------------------------------------------------------- sync */

/* An absent relay is the commonest failure: say how to start it. */
static cs_err
about_relay(struct cs_network *n, cs_err e, const char *url)
{
	char path[CS_NETWORK_PATH_BYTES];

	if (e != CS_UNREACHABLE && e != CS_TIMEOUT)
		return e;
	if (cs_network_path(n->dir, CS_NETWORK_RELAY_CONF, path) != CS_OK)
		return e;
	cs_why_clear(n->why);
	cs_why_set(n->why,
	    "no relay answers at %s; start it with: consil-relay --config %s",
	    url, path);
	return e;
}

/* The relay as the mirror certifies it. */
static cs_err
find_relay(struct cs_network *n, char url[static 256],
    struct cs_conn_relay *ret)
{
	struct cs_directory_relay relay;

	if (cs_directory_relay(cs_network_directory(n), &relay) != CS_OK) {
		*ret = n->hint;
		if (!n->hint.url)
			cs_why_set(n->why, "the directory has no relay");
		return n->hint.url ? CS_OK : CS_NOT_FOUND;
	}
	snprintf(url, 256, "%.*s", (int)relay.relay.url.n,
	    (const char *)relay.relay.url.p);
	*ret = (struct cs_conn_relay){ .url = url };
	memcpy(ret->network_id, cs_keyring_info(n->registrar)->network_id,
	    sizeof(ret->network_id));
	memcpy(ret->relay_id, relay.id, sizeof(ret->relay_id));
	memcpy(ret->noise_key, relay.relay.noise_key, sizeof(ret->noise_key));
	return CS_OK;
}

static cs_err
log_in(struct cs_network *n, const struct cs_conn_relay *to,
    const struct cs_keyring *as)
{
	const struct cs_log_view seen = cs_directory_view(n->dir_log);
	cs_err e;

	cs_conn_close(n->conn);
	n->conn = NULL;
	CS_TRY(about_relay(n, cs_conn_open(to, n->why, &n->conn), to->url));
	CS_TRY(cs_conn_login(n->conn, as, &seen, NULL));
out:
	return e;
}

static cs_err
connect_relay(struct cs_network *n)
{
	struct cs_conn_relay to;
	char url[256];
	cs_err e;

	CS_TRY(find_relay(n, url, &to));
	e = log_in(n, &to, n->registrar);
	if (e == CS_BAD_SIGNATURE && n->next) {
		/* a rotation was broken off after the log had it */
		cs_why_clear(n->why);
		e = log_in(n, &to, n->next);
	}
	if (e == CS_BAD_SIGNATURE) {
		cs_why_clear(n->why);
		cs_why_set(n->why,
		    "the relay's directory does not know this registrar's "
		    "key%s",
		    n->hint.url ? "; has the registrar who asked for it "
				  "applied the request already?"
				: "");
	}
out:
	return e;
}

cs_err
cs_network_sync(struct cs_network *n)
{
	struct cs_mirror m = {
		.dir = n->dir_log,
		.last = n->last,
		.now_s = (uint64_t)time(NULL),
		.why = n->why,
	};
	cs_err e;

	memcpy(m.network_id, cs_keyring_info(n->registrar)->network_id,
	    sizeof(m.network_id));
	if (!n->conn)
		CS_TRY(connect_relay(n));
	CS_TRY(cs_mirror_sync(&m, n->conn, NULL, NULL));
	cs_buf_fini(&n->note);
	n->note = m.note;
	m.note = (struct cs_buf){ 0 };
	n->last = m.last;
	cs_directory_free(n->founding);
	n->founding = NULL;
	CS_TRY(save_mirror(n));
	CS_TRY(take_over_next(n));
out:
	cs_buf_fini(&m.note);
	return e;
}

cs_err
cs_network_append(struct cs_network *n, struct cs_bytes entry)
{
	struct cs_frame_entries v = { .n = 1, .entry = { entry } };
	struct cs_buf leaf = { 0 };
	uint64_t index;
	cs_err e;

	CS_TRY(cs_directory_check(n->dir_log, &entry, 1, (uint64_t)time(NULL),
	    &leaf));
	CS_TRY(cs_ask_dir_append(n->conn, &v, &index));
	CS_TRY(cs_network_sync(n));
out:
	cs_buf_fini(&leaf);
	return e;
}

cs_err
cs_network_handover(struct cs_network *n, bool destroy,
    struct cs_frame_handover_reply *ret)
{
	const struct cs_frame_handover v = { .destroy = destroy };

	return cs_ask_handover(n->conn, &v, ret);
}
