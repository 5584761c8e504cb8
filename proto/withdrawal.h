#ifndef CS_PROTO_WITHDRAWAL_H
#define CS_PROTO_WITHDRAWAL_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Content of a withdrawal: why the sender takes an earlier message back. Which
 * one stands in the manifest (CS_RELATION_WITHDRAWS). The relay learns that
 * something is withdrawn, but not why. Layout: docs/protocol.md.
 */
#define CS_WITHDRAWAL_TEXT_BYTES 4096

enum cs_withdrawal_reason {
	CS_WITHDRAWAL_OTHER = 1,
	CS_WITHDRAWAL_WRONG_PATIENT,
	CS_WITHDRAWAL_WRONG_RECIPIENT,
	CS_WITHDRAWAL_CORRECTED, /* another message stands in its place */
	CS_WITHDRAWAL_SENT_IN_ERROR,
};

struct cs_withdrawal {
	enum cs_withdrawal_reason reason;
	struct cs_bytes text; /* UTF-8, may be empty; borrows when decoded */
};

/* CS_OK, CS_MALFORMED (reason, text that is no UTF-8), CS_TOO_LARGE,
 * CS_UNSUPPORTED (version). */
CS_MUST_USE cs_err cs_withdrawal_decode(struct cs_bytes in,
    struct cs_withdrawal *ret);

/* Appends it; refuses what cs_withdrawal_decode would. CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_withdrawal_encode(const struct cs_withdrawal *w,
    struct cs_buf *out);

/* "other", "wrong-patient", "wrong-recipient", "corrected", "sent-in-error";
 * NULL if none. */
const char *cs_withdrawal_reason_name(enum cs_withdrawal_reason reason);

#endif
