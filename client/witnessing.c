#include "client/witnessing.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/conn.h"
#include "client/leaffile.h"
#include "client/mirror.h"
#include "client/witnesshome.h"
#include "keys/file.h"
#include "keys/verify.h"
#include "keys/witness.h"
#include "proto/text.h"
#include "proto/witnessfile.h"

#define URL_BYTES    256
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define SLICE_MS     100 /* pauses are slept in slices: a signal ends them */

struct cs_witnessing {
	const char *dir;
	struct cs_why *why;
	struct cs_keyring *kr;
	struct cs_buf binary;          /* the network file … */
	struct cs_witnessfile network; /* … which this borrows from */
	struct cs_leaffile *kept;      /* NULL after a failure: open anew */
	struct cs_checkpoint last;     /* of kept, also while that is NULL */
	struct cs_conn *conn;
	int lock_fd;
};

/* ----------------------------------------------------------------- opening */

static cs_err
lock(struct cs_witnessing *w)
{
	char path[CS_WITNESSHOME_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_witnesshome_path(w->dir, "lock", w->why, path));
	w->lock_fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->lock_fd < 0) {
		cs_why_set(w->why, "%s: %s", path, strerror(errno));
		return errno == EACCES ? CS_DENIED : CS_IO;
	}
	if (flock(w->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		cs_why_set(w->why, "%s: another witness runs on it", w->dir);
		e = CS_BUSY;
	}
out:
	return e;
}

/* What is kept, anew. */
static cs_err
load_kept(struct cs_witnessing *w)
{
	cs_err e;

	cs_leaffile_close(w->kept);
	w->kept = NULL;
	CS_TRY(cs_leaffile_open(w->dir, w->network.network_id, w->why,
	    &w->kept));
	w->last = *cs_leaffile_checkpoint(w->kept);
out:
	return e;
}

cs_err
cs_witnessing_open(const char *dir, const struct cs_secret *passphrase,
    struct cs_why *why, struct cs_witnessing **ret)
{
	struct cs_witnessing *w = calloc(1, sizeof(*w));
	cs_err e;

	if (!w)
		return CS_NO_MEMORY;
	w->dir = dir;
	w->why = why;
	w->lock_fd = -1;
	CS_TRY(cs_witnesshome_keyring(dir, passphrase, why, &w->kr));
	CS_TRY(lock(w));
	CS_TRY(cs_witnesshome_network(dir, why, &w->binary, &w->network));
	CS_TRY(load_kept(w));
	*ret = w;
	w = NULL;
out:
	cs_witnessing_close(w);
	return e;
}

void
cs_witnessing_close(struct cs_witnessing *w)
{
	if (!w)
		return;
	cs_conn_close(w->conn);
	cs_leaffile_close(w->kept);
	cs_keyring_free(w->kr);
	cs_buf_fini(&w->binary);
	if (w->lock_fd >= 0)
		close(w->lock_fd);
	free(w);
}

const struct cs_checkpoint *
cs_witnessing_checkpoint(const struct cs_witnessing *w)
{
	return &w->last;
}

/* -------------------------------------------------------------- connecting */

static cs_err
dial(struct cs_witnessing *w, const uint8_t *relay_id, const uint8_t *noise_key,
    struct cs_bytes relay_url)
{
	struct cs_conn_relay to = { 0 };
	char url[URL_BYTES];

	snprintf(url, sizeof(url), "%.*s", (int)relay_url.n,
	    (const char *)relay_url.p);
	to.url = url;
	memcpy(to.network_id, w->network.network_id, CS_NETWORK_ID_BYTES);
	memcpy(to.relay_id, relay_id, CS_ID_BYTES);
	memcpy(to.noise_key, noise_key, CS_NOISE_KEY_BYTES);
	return cs_conn_open(&to, w->why, &w->conn);
}

/* The relay that the log certifies; else, as before the first contact or when
 * it moved while we were away, the one of the registrar's file. */
static cs_err
dial_any(struct cs_witnessing *w)
{
	const struct cs_witnessfile *file = &w->network;
	struct cs_directory_relay relay;
	cs_err e = CS_NOT_FOUND;

	if (cs_directory_relay(cs_leaffile_directory(w->kept), &relay) ==
	    CS_OK) {
		e = dial(w, relay.id, relay.relay.noise_key, relay.relay.url);
		if (e == CS_OK ||
		    (cs_bytes_eq(relay.relay.url, file->relay_url) &&
			memcmp(relay.relay.noise_key, file->relay_noise_key,
			    CS_NOISE_KEY_BYTES) == 0)) /* public */
			return e;
		cs_why_clear(w->why);
	}
	return dial(w, file->relay_id, file->relay_noise_key, file->relay_url);
}

static cs_err
connect_relay(struct cs_witnessing *w, const volatile sig_atomic_t *stop)
{
	const struct cs_log_view seen =
	    cs_directory_view(cs_leaffile_directory(w->kept));
	cs_err e;

	CS_TRY(dial_any(w));
	cs_conn_set_stop(w->conn, stop);
	e = cs_conn_login(w->conn, w->kr, &seen, NULL);
	if (e == CS_BAD_SIGNATURE) {
		cs_why_clear(w->why);
		cs_why_set(w->why,
		    "the relay does not know this witness: the registrar "
		    "enters its card with `consil-admin witness add`");
	}
out:
	return e;
}

/* ------------------------------------------------------------------- round */

static void
keep_one(struct cs_witnessing *w, const char *what, uint64_t size,
    struct cs_bytes note)
{
	char path[CS_WITNESSHOME_PATH_BYTES], name[96], hex[17];
	uint8_t hash[CS_HASH_BYTES];

	crypto_hash_sha256(hash, note.p, note.n);
	cs_text_hex((struct cs_bytes){ hash, 8 }, hex);
	snprintf(name, sizeof(name), CS_WITNESSHOME_EVIDENCE "/%s-%llu-%s",
	    what, (unsigned long long)size, hex);
	if (note.n > 0 &&
	    cs_witnesshome_path(w->dir, name, NULL, path) == CS_OK)
		(void)!cs_file_write(path, note, 0600, false);
}

/* The relay's two words against each other. Best effort: that we do not sign
 * does not depend on it. */
static void
keep_evidence(struct cs_witnessing *w, struct cs_bytes note)
{
	const struct cs_why why = *w->why;
	char path[CS_WITNESSHOME_PATH_BYTES];

	if (cs_witnesshome_path(w->dir, CS_WITNESSHOME_EVIDENCE, NULL, path) !=
		CS_OK ||
	    (mkdir(path, 0700) != 0 && errno != EEXIST))
		return;
	keep_one(w, "shown-before", w->last.size, cs_leaffile_note(w->kept));
	keep_one(w, "shown-after", w->last.size, note);
	cs_why_clear(w->why);
	cs_why_set(w->why, "%s. Both checkpoints are in %s", why.text, path);
}

/* Takes over what is new, checked like by any client, and keeps it: durable
 * before it is signed. Who forgets could be led elsewhere. */
static cs_err
take_over(struct cs_witnessing *w, struct cs_mirror *m)
{
	cs_err e;

	m->dir = cs_leaffile_directory(w->kept);
	m->last = *cs_leaffile_checkpoint(w->kept);
	m->why = w->why;
	memcpy(m->network_id, w->network.network_id, CS_NETWORK_ID_BYTES);
	e = cs_mirror_sync(m, w->conn, NULL, NULL);
	if (e == CS_FORKED || e == CS_WENT_BACK) {
		keep_evidence(w, cs_buf_view(&m->note));
		/* A store that is back from an old backup is another log too:
		 * what was cosigned once is not unsaid by waiting. */
		e = CS_FORKED;
	}
	CS_TRY(e);
	CS_TRY(cs_leaffile_keep(w->kept, cs_buf_view(&m->note), &m->last));
	w->last = m->last;
out:
	if (e != CS_OK) {
		/* The mirror may hold what no checkpoint covers. */
		cs_leaffile_close(w->kept);
		w->kept = NULL;
	}
	return e;
}

/* Gives our word on a note that is kept, unless it is there. */
static cs_err
cosign(struct cs_witnessing *w, struct cs_bytes note, uint64_t now_s, bool *ret)
{
	const struct cs_keyring_info *me = cs_keyring_info(w->kr);
	struct cs_frame_cosign v;
	struct cs_note parts;
	uint64_t time_s;
	cs_err e;

	CS_TRY(cs_checkpoint_split(note, &parts));
	if (cs_verify_cosignature(&parts, me->id, me->sign_key, &time_s) ==
	    CS_OK)
		return CS_OK;
	crypto_hash_sha256(v.note_hash, parts.body.p, parts.body.n);
	CS_TRY(cs_witness_cosign(w->kr, parts.body, now_s, &v.cosignature));
	e = cs_ask_cosign(w->conn, &v);
	if (e == CS_TOO_LARGE) {
		cs_why_clear(w->why);
		cs_why_set(w->why,
		    "the relay's checkpoint has no room for another witness");
		e = CS_QUOTA;
	}
	*ret = e == CS_OK;
	/* It has a newer one already: that is for the next round. */
	if (e == CS_LOST) {
		cs_why_clear(w->why);
		e = CS_OK;
	}
out:
	return e;
}

cs_err
cs_witnessing_round(struct cs_witnessing *w, uint64_t now_s,
    const volatile sig_atomic_t *stop, bool *ret)
{
	struct cs_mirror m = { 0 };
	bool cosigned = false;
	cs_err e;

	cs_why_clear(w->why);
	if (!w->kept)
		CS_TRY(load_kept(w));
	if (!w->conn || !cs_conn_is_open(w->conn)) {
		cs_conn_close(w->conn);
		w->conn = NULL;
		CS_TRY(connect_relay(w, stop));
	}
	m.now_s = now_s;
	CS_TRY(take_over(w, &m));
	CS_TRY(cosign(w, cs_buf_view(&m.note), now_s, &cosigned));
	*ret = cosigned;
out:
	/* Said to us, and not of an entry. */
	if (e == CS_REVOKED && m.note.n == 0) {
		cs_why_clear(w->why);
		cs_why_set(w->why, "the registrar removed this witness");
	}
	cs_buf_fini(&m.note);
	if (e != CS_OK) {
		cs_conn_close(w->conn);
		w->conn = NULL;
	}
	return e;
}

/* --------------------------------------------------------------------- run */

static void
pause_ms(unsigned ms, const volatile sig_atomic_t *stop)
{
	const struct timespec slice = { .tv_nsec = SLICE_MS * 1000000L };

	for (unsigned done = 0; done < ms && !*stop; done += SLICE_MS)
		nanosleep(&slice, NULL);
}

cs_err
cs_witnessing_run(struct cs_witnessing *w, unsigned every_ms,
    const struct cs_witnessing_events *events,
    const volatile sig_atomic_t *stop)
{
	unsigned pause = PAUSE_MIN_MS;
	bool is_offline = false, cosigned;

	while (!*stop) {
		cs_err e;

		cosigned = false;
		e = cs_witnessing_round(w, (uint64_t)time(NULL), stop,
		    &cosigned);
		if (*stop && e != CS_FORKED)
			break;
		if (e == CS_OK) {
			if (is_offline)
				events->online(events->ctx);
			is_offline = false;
			pause = PAUSE_MIN_MS;
			if (cosigned)
				events->cosigned(events->ctx, &w->last);
			pause_ms(every_ms, stop);
			continue;
		}
		if (cs_err_exit_code(e) != CS_EXIT_BUSY)
			return e;
		if (!is_offline)
			events->offline(events->ctx, e, w->why);
		is_offline = true;
		pause_ms(pause, stop);
		pause = pause * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause * 2;
	}
	return CS_OK;
}
