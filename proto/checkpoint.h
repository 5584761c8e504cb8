#ifndef CS_PROTO_CHECKPOINT_H
#define CS_PROTO_CHECKPOINT_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/cursor.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * C2SP tlog-checkpoint inside a C2SP signed note. Body lines: origin, size,
 * base64 root, then two extension lines of ours, `time SECONDS` and
 * `incarnation HEX COUNTER`. Signature lines as in signed-note, Ed25519
 * (algorithm byte 0x01); cosignatures (0x04) stand beside them, see
 * proto/cosignature.h.
 */
struct cs_checkpoint {
	uint64_t size;
	uint8_t root[CS_HASH_BYTES];
	uint64_t time_s; /* relay clock when signed */
	uint8_t incarnation[CS_ID_BYTES];
	uint64_t counter;                      /* incarnation counter */
	uint8_t signature[CS_SIGNATURE_BYTES]; /* the relay's, over the body;
						  zero while it has none */
};

/*
 * A directory checkpoint in a fixed layout, as manifests and statements carry
 * the one their author saw: size u64 ‖ root 32 ‖ time u64 ‖ incarnation 16 ‖
 * counter u64 ‖ signature 64. The origin follows from the network, so the
 * signed body can be written anew and checked: two of them that contradict
 * each other are the relay's own word against itself.
 */
#define CS_CHECKPOINT_BYTES                                                    \
	(8 + CS_HASH_BYTES + 8 + CS_ID_BYTES + 8 + CS_SIGNATURE_BYTES)

/* Appends the layout above. */
void cs_checkpoint_put(const struct cs_checkpoint *cp, struct cs_buf *out);

/* Reads it; what it says is not judged. */
void cs_checkpoint_take(struct cs_cursor *c, struct cs_checkpoint *ret);

/* Size and root of a log: what a device says at login that it has. */
struct cs_log_view {
	uint64_t size;
	uint8_t root[CS_HASH_BYTES];
};

enum cs_log { CS_LOG_DIRECTORY, CS_LOG_RECEIPTS, CS_LOG_AUDIT };
#define CS_LOGS 3

/*
 * Origin line, also the key name in signatures:
 * `consil/directory/<network_id hex>`,
 * `consil/receipts/<network_id hex>/<relay_id hex>` or
 * `consil/audit/<network_id hex>/<relay_id hex>`. Appended without a zero.
 *   relay_id  may be NULL for CS_LOG_DIRECTORY, which is not one relay's
 */
void cs_checkpoint_origin(enum cs_log log,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t *relay_id, struct cs_buf *out);

/* Appends the note body (what is signed); reads no signature. */
void cs_checkpoint_encode_body(struct cs_bytes origin,
    const struct cs_checkpoint *cp, struct cs_buf *out);

/* Appends body, blank line and the line of cp's signature: the whole note. */
void cs_checkpoint_encode(struct cs_bytes origin,
    const struct cs_checkpoint *cp,
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES], struct cs_buf *out);

/* A note taken apart; views borrow from the note. */
struct cs_note {
	struct cs_bytes body; /* the signed bytes, with their last newline */
	struct cs_bytes signatures; /* the lines after the blank one */
};

/* Splits a signed note at its last blank line. CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE. */
CS_MUST_USE cs_err cs_checkpoint_split(struct cs_bytes note,
    struct cs_note *ret);

/*
 * Finds the first signature of key (name, public key) in a note.
 * Returns CS_OK, CS_NOT_FOUND (no line with that name and key hash),
 * CS_MALFORMED (a line that is none), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_checkpoint_signature(const struct cs_note *note,
    struct cs_bytes name, const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret[static CS_SIGNATURE_BYTES]);

/* What the key of a signature line signs: the algorithm byte of C2SP
 * signed-note, part of the key's hash. */
enum cs_note_algorithm {
	CS_NOTE_ED25519 = 0x01,     /* the note's body */
	CS_NOTE_COSIGNATURE = 0x04, /* see proto/cosignature.h */
};

/* Appends the signature line of a key: what stands behind its key hash is the
 * caller's. */
void cs_checkpoint_put_line(struct cs_bytes name,
    enum cs_note_algorithm algorithm,
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_bytes signature, struct cs_buf *out);

/*
 * Finds the first line of a key in a note: the n bytes behind its key hash.
 * Returns CS_OK, CS_NOT_FOUND, CS_MALFORMED (a line that is none, or one of
 * this key with more or fewer bytes), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_checkpoint_find_line(const struct cs_note *note,
    struct cs_bytes name, enum cs_note_algorithm algorithm,
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES], uint8_t *ret,
    size_t n);

/* Parses a note body, which has exactly our five lines in their one spelling;
 * the signature is left zero.
 * CS_OK, CS_MALFORMED, CS_WRONG_NETWORK (other origin), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_checkpoint_decode_body(struct cs_bytes body,
    struct cs_bytes origin, struct cs_checkpoint *ret);

#endif
