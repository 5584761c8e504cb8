#ifndef CS_RELAY_TERMS_H
#define CS_RELAY_TERMS_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/frame.h"

/*
 * What room was reserved for: kept with the reservation, and what is submitted
 * must be exactly that. u64 expires ‖ u32 envelope bytes ‖ u8 class ‖ u16 n ‖
 * n × device_id ‖ m × (object_id ‖ u32 segments).
 */
struct cs_terms {
	uint64_t expires_at_s;
	uint32_t envelope_bytes;
	uint8_t class;
	struct cs_bytes device_ids; /* n × 16 */
	struct cs_bytes objects;    /* m × 20 */
};

/* Appends the terms of a request. */
void cs_terms_encode(const struct cs_frame_upload_begin *v, struct cs_buf *out);

/* Reads them back; views borrow. CS_OK, CS_MALFORMED. */
CS_MUST_USE cs_err cs_terms_decode(struct cs_bytes in, struct cs_terms *ret);

/* Bytes to count for them: the envelope and every segment counted full. */
uint64_t cs_terms_bytes(const struct cs_terms *t);

/* Is this envelope what the room was reserved for? CS_OK, CS_CLASH. */
CS_MUST_USE cs_err cs_terms_check(const struct cs_terms *t,
    const struct cs_envelope *env, size_t envelope_bytes);

#endif
