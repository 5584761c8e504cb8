#ifndef CS_PROTO_ENVELOPE_H
#define CS_PROTO_ENVELOPE_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/* The outer envelope: header H ‖ header_mac ‖ body (docs/protocol.md). */

enum cs_class {
	CS_CLASS_ROUTINE = 1,
	CS_CLASS_URGENT = 2,
	CS_CLASS_PAGE = 3,
	CS_CLASS_RECEIPT = 4,
};

struct cs_envelope_recipient {
	uint8_t device_id[CS_ID_BYTES];
	uint8_t key_id[CS_HASH_BYTES];
};

struct cs_envelope_object {
	uint8_t object_id[CS_ID_BYTES];
	uint32_t segments; /* 1..CS_LIMIT_SEGMENTS */
	uint8_t root[CS_HASH_BYTES];
};

struct cs_envelope_stanza {
	uint8_t enc[CS_KEM_ENC_BYTES];
	uint8_t wrapped[CS_WRAPPED_BYTES];
};

/* A decoded envelope. The byte views borrow from the input of decode. */
struct cs_envelope {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t envelope_id[CS_ID_BYTES];
	uint64_t created_hour_s; /* unix seconds, a multiple of 3600 */
	uint64_t expires_at_s;
	enum cs_class class;
	uint16_t n_recipients; /* 1..CS_LIMIT_RECIPIENTS */
	uint16_t n_objects;    /* 0..CS_LIMIT_OBJECTS */
	uint8_t body_nonce[32];
	struct cs_bytes preamble; /* H up to the stanzas */
	struct cs_bytes header;   /* H */
	struct cs_bytes mac;      /* 32 bytes */
	struct cs_bytes body;     /* AEGIS-256 ciphertext and 32-byte tag */
	struct cs_bytes recipients, objects, stanzas; /* packed rows */
};

/*
 * Decodes one whole envelope.
 *   ret      on success views into in
 * Returns CS_OK; CS_UNSUPPORTED (other magic version or suite); CS_TOO_LARGE
 * (a count or length above the limits); CS_MALFORMED (short, trailing bytes,
 * unsorted or repeated recipients or objects, no recipient, no segment, body
 * below its floor, unknown class, created not on the hour, expiry not after
 * creation or beyond CS_LIMIT_LIFETIME_S + 1 h).
 */
CS_MUST_USE cs_err cs_envelope_decode(struct cs_bytes in,
    struct cs_envelope *ret);

/* Row i of a decoded envelope; i must be below the count. */
void cs_envelope_recipient(const struct cs_envelope *env, uint16_t i,
    struct cs_envelope_recipient *ret);
void cs_envelope_object(const struct cs_envelope *env, uint16_t i,
    struct cs_envelope_object *ret);
void cs_envelope_stanza(const struct cs_envelope *env, uint16_t i,
    struct cs_envelope_stanza *ret);

/* Finds the row of a device. CS_OK or CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_envelope_find(const struct cs_envelope *env,
    const uint8_t device_id[static CS_ID_BYTES], uint16_t *ret_i);

/*
 * Writes the preamble: everything of H before the stanzas.
 *   env         scalar fields, counts and body_nonce are read; views ignored
 *   body_bytes  length of the body ciphertext with its tag
 *   recipients  env->n_recipients rows, ascending by device_id
 *   objects     env->n_objects rows, ascending by object_id
 * Appends to out. Refuses what cs_envelope_decode would: CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_envelope_encode_preamble(const struct cs_envelope *env,
    uint32_t body_bytes, const struct cs_envelope_recipient *recipients,
    const struct cs_envelope_object *objects, struct cs_buf *out);

/* E = SHA-256(H ‖ header_mac): the name of this exact envelope. */
void cs_envelope_hash(const struct cs_envelope *env,
    uint8_t ret_e[static CS_HASH_BYTES]);

/*
 * Bytes the relay must hold for this envelope: its own length and every
 * segment counted full. Used for quotas and said in the custody receipt.
 */
uint64_t cs_envelope_stored_bytes(const struct cs_envelope *env,
    size_t envelope_bytes);

/* Length of the shortest envelope for so many recipients and objects. */
uint32_t cs_envelope_least_bytes(uint16_t n_recipients, uint16_t n_objects);

/* Word for a class: "routine", "urgent", "page", "receipt"; NULL if none. */
const char *cs_envelope_class_name(enum cs_class class);

#endif
