#ifndef CS_CLIENT_SEALING_H
#define CS_CLIENT_SEALING_H

#include "client/client.h"
#include "client/outrec.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"

/* Whom it is sealed to, as of now: addressees whose member was not known when
 * the human wrote, included. */
struct cs_sealing_lists {
	struct cs_buf addressees, members, devices, parents, marks, left_out;
};
void cs_sealing_lists_fini(struct cs_sealing_lists *l);

/*
 * Seals a message for the devices its addressees have now: resolves them in
 * the mirror, gets their epoch keys from the relay, checks each against the
 * log.
 *   c        connected
 *   rec      in: stage queued, or sealed and never submitted: it keeps its
 *            expiry. Out: stage sealed with facts, expiry and the lists, which
 *            borrow from ret_lists; stage failed where an error is for good,
 *            whatever any relay says
 *   ret_lists     packed rows; the caller fini's it
 *   ret_envelope  the envelope, appended
 * CS_OK, CS_NOT_FOUND, CS_REVOKED, CS_DENIED, CS_LAPSED, CS_NO_KEY (an
 * addressee that cannot be sent to any more, or whose keys the relay does not
 * give), CS_FORKED (a key that the log does not promise), CS_STALE (directory
 * checkpoint too old), CS_UNWITNESSED (too few witnesses cosigned it),
 * CS_TOO_LARGE (body, or too many devices), CS_NO_MEMORY and what a session
 * says.
 */
CS_MUST_USE cs_err cs_sealing_run(struct cs_client *c, struct cs_outrec *rec,
    struct cs_sealing_lists *ret_lists, struct cs_buf *ret_envelope);

#endif
