#ifndef CS_PROTO_FORWARD_H
#define CS_PROTO_FORWARD_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"
#include "proto/manifest.h"

/*
 * Content of a forward: what somebody else wrote and signed, exactly as it
 * came, and a word of whoever passes it on. The first author's signature is
 * over SHA-512(H), which their M states, and SHA-512(M): it can be verified
 * with M alone. Layout: docs/protocol.md.
 */
#define CS_FORWARD_NOTE_BYTES (1u << 20)

struct cs_forward { /* views borrow from what was decoded */
	uint8_t envelope_id[CS_ID_BYTES]; /* of the original */
	uint8_t e[CS_HASH_BYTES];         /* of the original, as it came */
	uint8_t signature[CS_SIGNATURE_BYTES];
	struct cs_bytes m;           /* the original's, byte by byte */
	struct cs_manifest manifest; /* decode only: m decoded */
	struct cs_bytes note;        /* of whoever forwards; may be empty */
};

/*
 * Decodes all of it, the original's M included, which is of a case file or a
 * withdrawal: what
 * was forwarded before is forwarded again as it was first written. Says
 * nothing of who wrote it: keys/author.h.
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED (version, kind).
 */
CS_MUST_USE cs_err cs_forward_decode(struct cs_bytes in,
    struct cs_forward *ret);

/* Appends it; refuses what cs_forward_decode would. CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE, CS_UNSUPPORTED, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_forward_encode(const struct cs_forward *f,
    struct cs_buf *out);

/* The case file in a message, of a forward that of whoever wrote it; what is
 * none is not a case file: its decoder says so. Borrows from m. */
struct cs_bytes cs_forward_content(const struct cs_manifest *m);

/* Whether the attachments of the message that carries the forward are those
 * that the author signed: as many, and one by one of the same name, type,
 * length and hash. Their ids and keys are new ones. */
bool cs_forward_carries(const struct cs_forward *f,
    const struct cs_manifest *outer);

#endif
