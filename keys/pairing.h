#ifndef CS_KEYS_PAIRING_H
#define CS_KEYS_PAIRING_H

#include "keys/directory.h"
#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/invite.h"

/*
 * A further device of a member, invited by one that is in the log: DESIGN 7.
 * The log gets a pending device with a one-time key, the new machine the file
 * with that key; there the device is given a key of its own, once. As
 * keys/enrol: values in, entries out.
 */

/*
 * Invites a device of this name.
 *   kr         the inviting device
 *   dir        synced mirror
 *   ret_entry  the pending device, appended: to be appended to the log
 *   ret_file   the invitation in its binary layout, appended; holds a secret
 * CS_OK, CS_EXISTS (a device of the member that was not revoked has the name),
 * CS_EXPIRED (expires_s is past), CS_NO_KEY (no relay in the log), CS_NOT_FOUND
 * (kr is not in the log), CS_MALFORMED, CS_TOO_LARGE (the name), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_pairing_invite(const struct cs_keyring *kr,
    const struct cs_directory *dir, struct cs_bytes name, uint64_t expires_s,
    uint64_t now_s, struct cs_buf *ret_entry, struct cs_buf *ret_file);

/*
 * The one entry that the one-time key signs: the device gets the key of kr,
 * whose id is the invited device's.
 * CS_OK, CS_MALFORMED (not an invitation of this device), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_pairing_join(const struct cs_invite *inv,
    const struct cs_keyring *kr, uint64_t now_s, struct cs_buf *ret);

/* Device of a member that goes by this name and was not revoked. CS_OK,
 * CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_pairing_find(const struct cs_directory *dir,
    const uint8_t member_id[static CS_ID_BYTES], struct cs_bytes name,
    struct cs_directory_device *ret);

#endif
