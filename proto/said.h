#ifndef CS_PROTO_SAID_H
#define CS_PROTO_SAID_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/statement.h"

/*
 * What a recipient's device said of a message, as it travels in a receipt
 * (content of kind 3) and lies in both stores: statement ‖ signature, and,
 * where the device had it entered in the relay's receipt log first, what shows
 * that: u8 1 ‖ salt 32 ‖ u64 index ‖ u8 n ‖ n × hash ‖ u32 len ‖ checkpoint
 * note. The log's leaf is cs_statement_anchor of cs_statement_leaf.
 */
struct cs_said {
	struct cs_bytes statement; /* as signed */
	uint8_t signature[CS_SIGNATURE_BYTES];
	bool is_anchored;
	struct cs_logged anchor; /* of the same statement, if anchored */
};

/*
 * Views borrow from in; the note is not looked into.
 *   ret_st  the statement; NULL: not wanted
 * CS_OK, and the errors of cs_statement_decode.
 */
CS_MUST_USE cs_err cs_said_decode(struct cs_bytes in, struct cs_said *ret,
    struct cs_statement *ret_st);

/* Appends the layout above. */
void cs_said_encode(const struct cs_said *said, struct cs_buf *out);

#endif
