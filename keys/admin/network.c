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
#include "proto/base/cursor.h"
#include "proto/field.h"

#define GENESIS_MAX_BYTES (1u << 20)
#define MIRROR_MAX_BYTES  (1u << 30)

struct cs_network {
	const char *dir;
	struct cs_why *why;
	struct cs_keyring *registrar;
	struct cs_directory *dir_log;  /* the mirror */
	struct cs_directory *founding; /* of genesis; until there is a mirror */
	struct cs_checkpoint last;
	struct cs_buf note; /* signed, over the mirror */
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
		[CS_NETWORK_RELAY_KEYRING] = "relay.keyring",
		[CS_NETWORK_RELAY_KEY] = "relay.key",
		[CS_NETWORK_GENESIS] = "genesis",
		[CS_NETWORK_RELAY_CONF] = "relay.conf",
		[CS_NETWORK_ADMIN] = "admin",
		[CS_NETWORK_MIRROR] = "admin/directory",
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

static cs_err
load_registrar(struct cs_network *n, const struct cs_secret *passphrase)
{
	char path[CS_NETWORK_PATH_BYTES], key_file[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_lock lock = { .passphrase = passphrase };
	cs_err e;

	CS_TRY(cs_network_path(n->dir, CS_NETWORK_REGISTRAR_KEYRING, path));
	CS_TRY(cs_network_path(n->dir, CS_NETWORK_REGISTRAR_KEY, key_file));
	if (!passphrase)
		lock.key_file = key_file;
	e = cs_keyring_load(path, &lock, &n->registrar);
	cs_relock_explain(path, e, n->why);
	CS_TRY(e);
	if (cs_keyring_info(n->registrar)->kind != CS_KEYRING_REGISTRAR)
		e = about(n->why, CS_CORRUPT, path, "not a registrar's");
out:
	return e;
}

/* ----------------------------------------------------------------- genesis */

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
	CS_TRY(load_registrar(n, passphrase));
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

static cs_err
connect_relay(struct cs_network *n)
{
	const struct cs_log_view seen = cs_directory_view(n->dir_log);
	struct cs_conn_relay to = { 0 };
	struct cs_directory_relay relay;
	char url[256];
	cs_err e;

	e = cs_directory_relay(cs_network_directory(n), &relay);
	if (e != CS_OK)
		cs_why_set(n->why, "the directory has no relay");
	CS_TRY(e);
	snprintf(url, sizeof(url), "%.*s", (int)relay.relay.url.n,
	    (const char *)relay.relay.url.p);
	to.url = url;
	memcpy(to.network_id, cs_keyring_info(n->registrar)->network_id,
	    sizeof(to.network_id));
	memcpy(to.relay_id, relay.id, sizeof(to.relay_id));
	memcpy(to.noise_key, relay.relay.noise_key, sizeof(to.noise_key));
	CS_TRY(about_relay(n, cs_conn_open(&to, n->why, &n->conn), url));
	CS_TRY(cs_conn_login(n->conn, n->registrar, &seen, NULL));
out:
	return e;
}

cs_err
cs_network_sync(struct cs_network *n)
{
	struct cs_mirror m = {
		.dir = n->dir_log,
		.last = n->last,
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
