#ifndef CS_CLIENT_RECEIPTFILE_H
#define CS_CLIENT_RECEIPTFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * Making receipt proofs (proto/receiptproof.h) of what is kept here: of a
 * message sent its custody, outcomes with what caused them, and what recipients
 * stated; of one that came what this device stated, and the sender's signature.
 * Without a session it takes what is here.
 */
struct cs_receiptfile {
	bool is_sent; /* else it came */
	uint8_t id[CS_ID_BYTES];
	bool without_text;  /* leave out acknowledgements with a text */
	bool has_silence;   /* of one sent: that no acknowledgement … */
	uint64_t silence_s; /* … was in the log at that time or later */
};

struct cs_receiptfile_report {
	uint32_t n_items;
	uint32_t n_texts; /* acknowledgements with a text that are in it */
	uint32_t n_left_out;
	uint64_t silence_s; /* time of the checkpoint that was found */
	bool is_acked;      /* an acknowledgement is in the log by then: there
			       was no silence, and verifiers say so */
};

/*
 *   ret  the text form, appended
 * CS_OK; CS_NOT_FOUND (no such message; no custody, or no checkpoint of that
 * time or later yet, see why), CS_NOTHING (nothing was stated of it yet),
 * CS_UNREACHABLE (for silence there must be a session), CS_FORKED (what the
 * relay answers is not its log), CS_TOO_LARGE, what cs_ask_* say, CS_CORRUPT,
 * CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_receiptfile_make(struct cs_client *c,
    const struct cs_receiptfile *what, struct cs_buf *ret,
    struct cs_receiptfile_report *ret_report);

#endif
