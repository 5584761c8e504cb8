#ifndef CS_CLIENT_MIRROR_H
#define CS_CLIENT_MIRROR_H

#include "client/conn.h"
#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * Brings a directory up to the relay's newest checkpoint. Knows nothing of
 * where leaves are kept: consil keeps them sealed in its local store,
 * consil-admin in a folder.
 */

/* Called in order for every leaf that is new and covered by a checked
 * checkpoint; a failure ends the sync with that error. */
typedef cs_err cs_mirror_leaf(void *ctx, uint64_t index, struct cs_bytes leaf);

struct cs_mirror {
	uint8_t network_id[CS_NETWORK_ID_BYTES]; /* in */
	struct cs_directory *dir;  /* in: what is known; out: grown */
	struct cs_checkpoint last; /* in: newest checked before, size 0 if
				      none; out: the one checked now */
	struct cs_buf note;        /* out: newest note, also on a failure:
				      the relay's signed contradiction is
				      evidence; the caller fini's it */
	uint64_t now_s;            /* in: this machine's clock */
	struct cs_why *why;        /* may be NULL */
};

/*
 * One sync over a logged-in session.
 *   leaf  may be NULL
 * CS_OK; CS_WENT_BACK (shorter log, older incarnation), CS_FORKED (root or
 * incarnation contradicts): keep note; CS_CLOCK (an entry or the checkpoint is
 * dated ahead of our clock: it would hold off what really comes next, and keep
 * alive what has ended); errors of cs_directory_apply and
 * cs_conn_call. After any failure m->dir may hold unchecked leaves: free it
 * and load anew; m->last is untouched.
 */
CS_MUST_USE cs_err cs_mirror_sync(struct cs_mirror *m, struct cs_conn *conn,
    cs_mirror_leaf *leaf, void *ctx);

/* Longest age of a checkpoint to send on: what the root has laid down, else
 * CS_MIRROR_FRESH_S. */
#define CS_MIRROR_FRESH_S (UINT64_C(24) * 3600)
uint64_t cs_mirror_fresh_s(const struct cs_directory *dir);

/* Older than that, or none at all. CS_OK or CS_STALE. */
CS_MUST_USE cs_err cs_mirror_check_fresh(const struct cs_directory *dir,
    const struct cs_checkpoint *last, uint64_t now_s);

#endif
