#ifndef CS_CLIENT_EVIDENCE_H
#define CS_CLIENT_EVIDENCE_H

#include "client/conn.h"
#include "client/home.h"
#include "keys/directory.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * What speaks against the relay, in the home's evidence folder: proofs that
 * anybody can check (keys/fork.h), and where nothing can be proved, what was
 * shown.
 */

/*
 * Writes the proof that the relay showed another directory than ours; the same
 * proof has the same name.
 *   dir, mine, seen  as cs_fork_prove
 *   conn      NULL, or a session with the relay that shows seen: where seen is
 *             the larger one, its log is read there
 *   ret_path  CS_HOME_PATH_BYTES; may be NULL
 * CS_OK, CS_NOT_FOUND (it cannot be proved), CS_BAD_SIGNATURE (seen is nobody's
 * word), CS_FULL, CS_IO, CS_NO_MEMORY, errors of cs_conn_call.
 */
CS_MUST_USE cs_err cs_evidence_fork(const struct cs_home *h,
    const struct cs_directory *dir, const struct cs_checkpoint *mine,
    const struct cs_checkpoint *seen, struct cs_conn *conn, char *ret_path);

/* Writes text or a note under this name in the folder; what is there under it
 * stays. CS_OK, CS_FULL, CS_IO. */
CS_MUST_USE cs_err cs_evidence_keep(const struct cs_home *h, const char *name,
    struct cs_bytes what);

#endif
