#ifndef CS_KEYS_OPEN_H
#define CS_KEYS_OPEN_H

#include "keys/directory.h"
#include "keys/epoch.h"
#include "keys/secret.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/manifest.h"

/* Opening: DESIGN 5, in that order, every step a reason to stop. */

struct cs_open; /* one opened and verified message; M in guarded memory */

/* Which step failed: for the local log and the delivered receipt only. */
enum cs_open_step {
	CS_OPEN_LAYOUT = 1,
	CS_OPEN_NETWORK,
	CS_OPEN_RECIPIENT,
	CS_OPEN_STANZA,
	CS_OPEN_HEADER_MAC,
	CS_OPEN_BODY,
	CS_OPEN_MANIFEST,
	CS_OPEN_LISTS,
	CS_OPEN_CERTIFICATE,
	CS_OPEN_SIGNATURE,
};

/*
 * Opens an envelope for one device and verifies its sender.
 *   dir       mirrored log; the sender's device must be certified in it
 *   ret_step  set on failure (also when ret stays untouched); may be NULL
 * Returns CS_OK, CS_MALFORMED, CS_UNSUPPORTED, CS_TOO_LARGE,
 * CS_WRONG_NETWORK, CS_NO_KEY (not addressed to this device, or the epoch key
 * is deleted), CS_BAD_MAC, CS_BAD_SIGNATURE, CS_NOT_FOUND (sender's entry not
 * in the mirror: sync first), CS_REVOKED, CS_DENIED and CS_LAPSED (practice
 * refused, its vetting lapsed), CS_NO_MEMORY.
 * Whether the envelope_id was seen before is the caller's to check.
 */
CS_MUST_USE cs_err cs_open_envelope(struct cs_bytes envelope,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], const struct cs_epoch *keys,
    const struct cs_directory *dir, struct cs_open **ret,
    enum cs_open_step *ret_step);
void cs_open_free(struct cs_open *o);

/* Borrowed from o. The envelope view borrows from the envelope bytes given
 * to cs_open_envelope, which must outlive it. */
const struct cs_envelope *cs_open_header(const struct cs_open *o);
const struct cs_manifest *cs_open_manifest(const struct cs_open *o);
struct cs_bytes cs_open_manifest_bytes(const struct cs_open *o);
const uint8_t *cs_open_e(const struct cs_open *o);         /* 32 */
const uint8_t *cs_open_s(const struct cs_open *o);         /* 32 */
const uint8_t *cs_open_m_hash(const struct cs_open *o);    /* 64 */
const uint8_t *cs_open_signature(const struct cs_open *o); /* 64 */

/*
 * Decrypts one stored segment.
 *   ret  appended: true plaintext, padding checked (zero) and removed
 * CS_OK, CS_MALFORMED (length), CS_BAD_MAC, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_open_segment(const uint8_t object_key[static 32],
    const uint8_t object_id[static CS_ID_BYTES], uint64_t object_bytes,
    uint32_t index, struct cs_bytes stored, struct cs_buf *ret);

#endif
