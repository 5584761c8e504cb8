#ifndef CS_KEYS_ENROL_H
#define CS_KEYS_ENROL_H

#include <stdbool.h>

#include "keys/directory.h"
#include "keys/keyring.h"
#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/invite.h"
#include "proto/limits.h"

/*
 * Enrolment: makes the signed entries that found a network, admit a practice,
 * invite a member and bring a device in. Each makes one entry from keyrings
 * and values, without files, clock or network; a fault in what was asked
 * (name too long, address no address) is CS_MALFORMED, CS_TOO_LARGE or
 * CS_BAD_ADDRESS, and ret stays as it was. ret is always appended to.
 *   now_s  the signer's clock, claimed in the entry
 *   prev   log index of the subject's previous entry, or CS_ENTRY_NO_PREV
 */

/*
 * Root version 1 with this one key, named after the network; signs itself.
 *   ret_network_id  what it founds; give it to the keyrings
 *                   (cs_keyring_set_network)
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_enrol_root(const struct cs_keyring *root,
    struct cs_bytes network_name, uint64_t now_s, struct cs_buf *ret,
    uint8_t ret_network_id[static CS_NETWORK_ID_BYTES]);

/* The registrar of this keyring's public half, certified by the root.
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_enrol_registrar(const struct cs_keyring *root,
    const struct cs_keyring_info *registrar, struct cs_bytes name,
    uint64_t valid_until_s, uint64_t prev, uint64_t now_s, struct cs_buf *ret);

/* The relay of this keyring's public half, at url, certified by a registrar.
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_enrol_relay(const struct cs_keyring *registrar,
    const struct cs_keyring_info *relay, struct cs_bytes url, uint64_t prev,
    uint64_t now_s, struct cs_buf *ret);

/* A witness with this id, key and name. CS_OK, CS_MALFORMED, CS_TOO_LARGE,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_enrol_witness(const struct cs_keyring *registrar,
    const uint8_t id[static CS_ID_BYTES], const struct cs_entry_witness *v,
    uint64_t prev, uint64_t now_s, struct cs_buf *ret);

/* An organisation (practice): its vetting as decided.
 * CS_OK, CS_BAD_ADDRESS (handle), CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_enrol_organisation(const struct cs_keyring *registrar,
    const uint8_t id[static CS_ID_BYTES],
    const struct cs_entry_organisation *organisation, uint64_t prev,
    uint64_t now_s, struct cs_buf *ret);

/* A version of a group or service (type): its members as of now.
 * CS_OK, CS_BAD_ADDRESS, CS_MALFORMED (also: members not ascending),
 * CS_TOO_LARGE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_enrol_roster(const struct cs_keyring *registrar,
    enum cs_entry_type type, const uint8_t id[static CS_ID_BYTES],
    const struct cs_entry_roster *roster, uint64_t prev, uint64_t now_s,
    struct cs_buf *ret);

/* Whom to invite, as the registrar vetted them. */
struct cs_enrol_guest {
	struct cs_bytes address, name, role;
	/* of a clinician; as in struct cs_entry_member */
	struct cs_bytes npi, specialty, licence_state, licence_number;
	uint64_t licence_until_s;
	uint64_t expires_s;
};

/*
 * An invitation to join dir's network: the member's signed particulars and a
 * fresh one-time key, in the binary layout of proto/invite.h. Nothing is
 * appended to the log: joining does that. A member who is in the log already
 * keeps the id.
 *   dir  synced mirror of the registrar; unchanged (asked whether the log
 *        would take the entry now)
 *   ret  holds a secret: wiped by cs_buf_fini, for a 0600 file
 * CS_OK, CS_BAD_ADDRESS, CS_NOT_FOUND (no such practice), CS_EXISTS (has a
 * usable device: the log takes a further one from that device alone), CS_USED
 * (the address is a group's),
 * CS_REVOKED, CS_EXPIRED, CS_DENIED (practice or registrar not in good
 * standing), CS_NO_KEY (no relay in the log), CS_MALFORMED, CS_TOO_LARGE,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_enrol_invite(const struct cs_keyring *registrar,
    struct cs_directory *dir, const struct cs_enrol_guest *guest,
    uint64_t now_s, struct cs_buf *ret);

/*
 * The same particulars without an invitation: of a member who has joined; or,
 * of one who has not, so that invitations issued before can never be used (the
 * log knows the address by then).
 * CS_OK, CS_BAD_ADDRESS, CS_NOT_FOUND (no such practice), CS_MALFORMED,
 * CS_TOO_LARGE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_enrol_member(const struct cs_keyring *registrar,
    const struct cs_directory *dir, const struct cs_enrol_guest *guest,
    uint64_t now_s, struct cs_buf *ret);

/* Fills in what every invitation to dir's network says: the network and its
 * relay; views borrow from dir. CS_OK, CS_NO_KEY (no relay in the log),
 * CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_enrol_describe(const struct cs_directory *dir,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_invite *ret);

/* What an invitation says, for the screen and the device's keyring. */
struct cs_enrol_card {
	uint8_t member_id[CS_ID_BYTES];
	struct cs_entry_member member; /* views borrow from the invitation */
	enum cs_device_kind kind;      /* what the new device will be */
	bool is_further; /* another device of the member invited it: */
	uint8_t device_id[CS_ID_BYTES]; /* the log knows it by this id */
};

/*
 * Does this invitation agree with itself: the root entry founds its network,
 * the member entry, or that of a further device, is one and names the public
 * half of the seed, not expired? Who signed them only the log can tell.
 * CS_OK, CS_MALFORMED, CS_UNSUPPORTED, CS_WRONG_NETWORK, CS_EXPIRED.
 */
CS_MUST_USE cs_err cs_enrol_check_invite(const struct cs_invite *inv,
    uint64_t now_s, struct cs_enrol_card *ret);

/*
 * The first device of a member: that of this keyring (its member_id is the
 * card's), certified by the invitation's one-time key; an archive's where the
 * member is one. Append it after inv->member_entry.
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_enrol_device(const struct cs_invite *inv,
    const struct cs_keyring *device, struct cs_bytes name, uint64_t now_s,
    struct cs_buf *ret);

/*
 * Ends a subject (device, member, organisation, registrar, relay, witness,
 * group, service); whether this principal may, the log says.
 *   by  signs: a registrar, the root, or the subject itself
 * CS_OK, CS_MALFORMED, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_enrol_revoke(const struct cs_keyring *by,
    const uint8_t subject[static CS_ID_BYTES],
    const struct cs_entry_revoke *revoke, uint64_t prev, uint64_t now_s,
    struct cs_buf *ret);

/*
 * A device's next signing key: signed by the one in use, with a proof that the
 * next one is held.
 *   next  cs_keyring_successor of device
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_enrol_rotate(const struct cs_keyring *device,
    const struct cs_keyring *next, uint64_t prev, uint64_t now_s,
    struct cs_buf *ret);

/* What member and admin compare by telephone: SHA-256(network_id ‖ device id ‖
 * signing key). */
void cs_enrol_fingerprint(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES],
    const uint8_t sign_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret[static CS_HASH_BYTES]);

/* A batch of the device's epoch keys (cs_epoch_batch made its root).
 * CS_OK, CS_MALFORMED, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_enrol_batch(const struct cs_keyring *device,
    const struct cs_entry_epoch_batch *batch, uint64_t prev, uint64_t now_s,
    struct cs_buf *ret);

#endif
