#ifndef CS_KEYS_WITNESS_H
#define CS_KEYS_WITNESS_H

#include <stdbool.h>

#include "keys/directory.h"
#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/cosignature.h"
#include "proto/limits.h"

/* A witness's hand, and what a checkpoint carries of it. */

/* What witness and registrar compare by telephone: SHA-256(`consil/witness` ‖
 * id ‖ key). */
void cs_witness_fingerprint(const uint8_t id[static CS_ID_BYTES],
    const uint8_t sign_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret[static CS_HASH_BYTES]);

/* Cosigns a note's body at time_s. The caller has checked that it continues
 * all it saw before, and has made it durable. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_witness_cosign(const struct cs_keyring *witness,
    struct cs_bytes note_body, uint64_t time_s, struct cs_cosignature *ret);

/* Witnesses of one network that are looked at: a checkpoint has no room for
 * the lines of more. */
#define CS_WITNESS_MAX 24

/* One witness in force, and its word on a checkpoint. */
struct cs_witness_word {
	uint8_t id[CS_ID_BYTES];
	bool cosigned;
	uint64_t time_s; /* of its clock; 0: did not cosign */
};

/*
 * What the witnesses in force say about a checkpoint: one row for each, in
 * order of their entries; a key counts once, however many entries name it.
 *   dir   mirror over exactly the leaves of the note
 *   note  checked (cs_directory_check_checkpoint); lines of others, and
 *         signatures that do not verify, count for nothing
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_witness_words(const struct cs_directory *dir,
    struct cs_bytes note, struct cs_witness_word ret[static CS_WITNESS_MAX],
    uint32_t *ret_n);

#endif
