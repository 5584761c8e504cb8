#ifndef CS_PROTO_INVITE_H
#define CS_PROTO_INVITE_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * Invitation file: text armour around a fixed layout with a SHA-256 over it
 * (a cut copy is noticed). Holds a one-time secret: file mode 0600.
 */
struct cs_invite {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t relay_id[CS_ID_BYTES];
	uint8_t relay_noise_key[CS_NOISE_KEY_BYTES];
	uint8_t relay_sign_key[CS_SIGN_PUBLIC_BYTES];
	uint64_t expires_s;
	struct cs_bytes relay_url;
	struct cs_bytes network_name;
	struct cs_bytes root_entry;   /* root v1, whole */
	struct cs_bytes member_entry; /* signed by the registrar, to append; of
					 a further device: in the log */
	struct cs_bytes device_entry; /* of a further device, in the log: the
					 pending one; else empty */
	const uint8_t *enrol_seed;    /* 32 bytes, borrowed; secret */
};

/*
 * Binary layout; views borrow from in, entries are not looked into. Returns
 * CS_OK, CS_MALFORMED (also: its SHA-256 does not fit), CS_TOO_LARGE,
 * CS_UNSUPPORTED (other version).
 */
CS_MUST_USE cs_err cs_invite_decode(struct cs_bytes in, struct cs_invite *ret);

/* Appends the binary layout; a field longer than its length makes
 * cs_buf_err(out) CS_TOO_LARGE. */
void cs_invite_encode(const struct cs_invite *inv, struct cs_buf *out);

/* Appends the text form: human (may be NULL), then BEGIN and END lines around
 * base64 of 64 columns. */
void cs_invite_armour(struct cs_bytes binary, const char *human,
    struct cs_buf *out);

/* Appends the bytes of a text form. What stands around it and blanks around
 * its lines are ignored. CS_OK, CS_MALFORMED, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_invite_dearmour(struct cs_bytes text,
    struct cs_buf *ret_binary);

#endif
