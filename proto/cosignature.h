#ifndef CS_PROTO_COSIGNATURE_H
#define CS_PROTO_COSIGNATURE_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/limits.h"

/*
 * C2SP tlog-cosignature (cosignature/v1): a witness's word that at a time of
 * its clock this checkpoint was the largest it had seen of this log, and that
 * it continues all it had seen before. A line of the checkpoint's note.
 */
struct cs_cosignature {
	uint64_t time_s; /* the witness's clock */
	uint8_t signature[CS_SIGNATURE_BYTES];
};

/* Name of a witness's key: `consil/witness/<witness id hex>`. Appended without
 * a zero. */
void cs_cosignature_name(const uint8_t witness_id[static CS_ID_BYTES],
    struct cs_buf *out);

/* Appends what a witness signs: "cosignature/v1", the time, the note's body.
 * The first line sets it apart from everything else it signs. */
void cs_cosignature_message(uint64_t time_s, struct cs_bytes note_body,
    struct cs_buf *out);

/* Appends the line. */
void cs_cosignature_encode(const uint8_t witness_id[static CS_ID_BYTES],
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    const struct cs_cosignature *v, struct cs_buf *out);

/*
 * A witness's first line in a note; its signature is not checked here.
 * CS_OK, CS_NOT_FOUND, CS_MALFORMED (a line that is none), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_cosignature_find(const struct cs_note *note,
    const uint8_t witness_id[static CS_ID_BYTES],
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_cosignature *ret);

#endif
