#ifndef CS_KEYS_VERIFY_H
#define CS_KEYS_VERIFY_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/cosignature.h"
#include "proto/said.h"
#include "proto/statement.h"

/* Signature checks: public keys only, shared by relay and client. */

/* Ed25519, strict (RFC 8032 with canonical S, no small-order keys; cofactored
 * edge cases refused as libsodium does). CS_OK or CS_BAD_SIGNATURE. */
CS_MUST_USE cs_err
cs_verify_ed25519(const uint8_t key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_bytes message, const uint8_t sig[static CS_SIGNATURE_BYTES]);

/*
 * `consil/login` ‖ handshake hash ‖ relay_id ‖ device_id: the bytes a device
 * signs to log in (session.c of relay, conn.c of client). 77 bytes.
 */
#define CS_VERIFY_LOGIN_BYTES (13 + 32 + CS_ID_BYTES + CS_ID_BYTES)
void cs_verify_login_bytes(const uint8_t handshake[static 32],
    const uint8_t relay_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES],
    uint8_t ret[static CS_VERIFY_LOGIN_BYTES]);

/*
 * A checkpoint note signed by the relay over one of its logs.
 *   relay_id  NULL for the directory log
 * Returns CS_OK, CS_MALFORMED, CS_WRONG_NETWORK (origin), CS_BAD_SIGNATURE.
 */
CS_MUST_USE cs_err cs_verify_checkpoint(struct cs_bytes note, enum cs_log log,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t *relay_id, const uint8_t key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_checkpoint *ret);

/*
 * A witness's cosignature in a note.
 *   ret_time_s  what the witness's clock said
 * CS_OK, CS_NOT_FOUND (none of this key), CS_MALFORMED, CS_BAD_SIGNATURE,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_verify_cosignature(const struct cs_note *note,
    const uint8_t witness_id[static CS_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES], uint64_t *ret_time_s);

/*
 * A directory checkpoint as manifests and statements carry it: the signature
 * over the note body that it stands for.
 * CS_OK, CS_BAD_SIGNATURE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_verify_seen(const struct cs_checkpoint *cp,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES]);

/*
 * A custody or outcome statement: layout, network, relay, leaf, inclusion
 * proof and checkpoint signature.
 *   ret_st  views borrow from logged
 * Returns CS_OK, CS_MALFORMED, CS_WRONG_NETWORK, CS_WRONG_RELAY,
 * CS_BAD_SIGNATURE, CS_FORKED (proof does not lead to the root).
 */
CS_MUST_USE cs_err cs_verify_logged(struct cs_bytes logged,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_id[static CS_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES], struct cs_statement *ret_st,
    struct cs_checkpoint *ret_cp);

/*
 * What a device showed the relay as its word for an outcome: an ack, a
 * withdraw, or that it could not open the message, signed by that device and a
 * leaf of the relay's log. device_key  of the signer, by the directory; see
 * cs_statement_decode As cs_verify_logged.
 */
CS_MUST_USE cs_err cs_verify_evidence(struct cs_bytes evidence,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_id[static CS_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES],
    const uint8_t device_key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_statement *ret_st, struct cs_checkpoint *ret_cp);

/*
 * Is what a device said in the receipt log under a checkpoint, as an anchor?
 * The checkpoint's signature is judged elsewhere.
 *   said  anchored
 * CS_OK, CS_MALFORMED, CS_FORKED: as cs_merkle_check_inclusion.
 */
CS_MUST_USE cs_err cs_verify_anchor(const struct cs_said *said,
    const struct cs_checkpoint *cp);

#endif
