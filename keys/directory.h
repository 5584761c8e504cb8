#ifndef CS_KEYS_DIRECTORY_H
#define CS_KEYS_DIRECTORY_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/entry.h"
#include "proto/merkle.h"

/*
 * The verified directory: replays the log, checks every entry against the
 * one table of who may append what, answers look-ups. Relay and client run
 * the same code. In memory; the caller stores the leaves. Not thread safe.
 */
struct cs_directory;
struct cs_dirstate;

/* Empty mirror of the network with this id (the pinned root v1).
 * CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err
cs_directory_new(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_directory **ret);
void cs_directory_free(struct cs_directory *d);

/*
 * The same of which only some leaves are to be applied, in order: all that
 * concerns the subjects in question and those who certified them. Whether they
 * are in the log, the caller proves. It has no root, and answers nothing about
 * what is absent. CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err
cs_directory_new_part(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_directory **ret);

/*
 * Next leaf of the log, from outside: layout, seq, authority, signature,
 * prev, uniqueness, expiry; then it is part of the mirror.
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED, CS_BAD_SIGNATURE,
 * CS_DENIED (wrong authority), CS_REVOKED, CS_EXPIRED, CS_USED (invitation,
 * handle or address taken), CS_CLASH (seq, prev, or an id of another kind),
 * CS_NOT_FOUND (names a subject that the log does not have),
 * CS_WRONG_NETWORK, CS_QUOTA (the member's devices are as many as there may
 * be, or have signed as many entries that day), CS_NO_MEMORY: nothing changed.
 */
CS_MUST_USE cs_err cs_directory_apply(struct cs_directory *d,
    struct cs_bytes leaf);

/* The same for a leaf that this caller verified before and kept under its own
 * authentication: skips the signature. */
CS_MUST_USE cs_err cs_directory_reload(struct cs_directory *d,
    struct cs_bytes leaf);

/*
 * Relay: would these entries, appended in this order now, be valid?
 *   logged_at_s  the relay's clock; a leaf is never dated before the last one
 *   ret_leaves   filled with n leaf encodings (seq and logged_at_s set),
 *                one buffer each; caller fini's them
 * d is unchanged afterwards. Errors as apply.
 */
CS_MUST_USE cs_err cs_directory_check(struct cs_directory *d,
    const struct cs_bytes *entries, uint32_t n, uint64_t logged_at_s,
    struct cs_buf *ret_leaves);

/*
 * The first entries of a network out of a genesis file, into an empty d.
 * All or none: errors as apply, and CS_CLASH where d is not empty.
 */
CS_MUST_USE cs_err cs_directory_found(struct cs_directory *d,
    struct cs_bytes genesis, uint64_t logged_at_s);

/* Index of exactly this entry, if it is in the log already: what makes
 * appending repeatable. CS_OK, CS_NOT_FOUND, or an error of the layout. */
CS_MUST_USE cs_err cs_directory_find(const struct cs_directory *d,
    struct cs_bytes entry, uint64_t *ret);

/* Size and root of what was applied; edge for storing. */
struct cs_log_view cs_directory_view(const struct cs_directory *d);
const struct cs_merkle_edge *cs_directory_edge(const struct cs_directory *d);

/*
 * Whether this log is the one of a checkpoint that somebody else has seen.
 * Who signed that is another question: cs_directory_seen_by.
 * CS_OK, CS_STALE (they saw more than is here), CS_FORKED (another log).
 */
CS_MUST_USE cs_err cs_directory_compare(const struct cs_directory *d,
    const struct cs_checkpoint *seen);

/* Root when the log had so many leaves, and the consistency proof from there
 * to a later size, appended to out. CS_OK, CS_NOT_FOUND (more than there are;
 * from 0), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_directory_root_at(const struct cs_directory *d,
    uint64_t size, uint8_t ret[static CS_HASH_BYTES]);
CS_MUST_USE cs_err cs_directory_prove(const struct cs_directory *d,
    uint64_t from, uint64_t to, struct cs_buf *out);

/* Inclusion proof of a leaf in the log of that size, appended to out. Errors
 * as above. */
CS_MUST_USE cs_err cs_directory_prove_leaf(const struct cs_directory *d,
    uint64_t index, uint64_t size, struct cs_buf *out);

/*
 * When a member was enrolled anew by the registrar, after devices of its own
 * had been in the log: who then holds its keys, the registrar alone has said.
 * CS_OK, CS_NOT_FOUND (never, or no such member).
 */
CS_MUST_USE cs_err cs_directory_reenrolled(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t *ret_at_s);

/* The network it is of. */
void cs_directory_network_id(const struct cs_directory *d,
    uint8_t ret[static CS_NETWORK_ID_BYTES]);

/*
 * A checkpoint note of the relay over exactly the applied leaves.
 * CS_OK, CS_MALFORMED, CS_BAD_SIGNATURE, CS_WRONG_NETWORK, CS_FORKED (root or
 * size differs: the relay shows another log), CS_NO_KEY (no relay entry yet).
 */
CS_MUST_USE cs_err cs_directory_check_checkpoint(const struct cs_directory *d,
    struct cs_bytes note, struct cs_checkpoint *ret);

/* A leaf as applied; borrowed until free. CS_OK or CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_directory_leaf(const struct cs_directory *d,
    uint64_t index, struct cs_bytes *ret);

/* What the log says now about a subject. Strings are borrowed from d. */
struct cs_directory_organisation {
	uint8_t id[CS_ID_BYTES];
	uint64_t entry; /* index of its newest entry */
	struct cs_bytes handle, name;
	uint8_t vetting_hash[CS_HASH_BYTES];
	enum cs_decision decision;
	uint8_t co_registrar[CS_ID_BYTES]; /* conditional: the second one */
	uint64_t valid_until_s;
	bool revoked;
};
struct cs_directory_member {
	uint8_t id[CS_ID_BYTES];
	uint8_t organisation[CS_ID_BYTES];
	uint64_t entry;
	struct cs_bytes address, name, role;
	struct cs_bytes npi, specialty, licence_state, licence_number;
	uint64_t licence_until_s;
	uint64_t enrol_expires_s;
	uint32_t n_devices; /* usable ones, and pending */
	bool archive;       /* its devices keep the practice's copy */
	bool revoked;
};
struct cs_directory_device {
	uint8_t id[CS_ID_BYTES];
	uint8_t member[CS_ID_BYTES];
	uint64_t entry;     /* of the key in use: device or device-rotate */
	uint64_t certified; /* index of its device entry */
	uint64_t rotation;  /* its newest one, or CS_ENTRY_NO_PREV */
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES];
	enum cs_device_kind kind;
	struct cs_bytes name;
	uint64_t epoch_end; /* first epoch without a published key; 0: none */
	uint64_t pending_until_s; /* its invitation waits; 0: it was used */
	bool revoked;
};
struct cs_directory_relay {
	uint8_t id[CS_ID_BYTES];
	struct cs_entry_relay relay; /* url borrowed */
	uint64_t entry;
};
struct cs_directory_witness {
	uint8_t id[CS_ID_BYTES];
	uint64_t entry;
	uint64_t since_s; /* when that entry was logged */
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	struct cs_bytes name;
	bool revoked;
};

/* Look-ups. CS_OK or CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_directory_organisation(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES],
    struct cs_directory_organisation *ret);
CS_MUST_USE cs_err
cs_directory_organisation_by_handle(const struct cs_directory *d,
    struct cs_bytes handle, struct cs_directory_organisation *ret);
CS_MUST_USE cs_err cs_directory_member(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_member *ret);
CS_MUST_USE cs_err cs_directory_member_by_address(const struct cs_directory *d,
    struct cs_bytes address, struct cs_directory_member *ret);
CS_MUST_USE cs_err cs_directory_device(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_device *ret);
CS_MUST_USE cs_err cs_directory_relay(const struct cs_directory *d,
    struct cs_directory_relay *ret);

/* The relay as it was when the log had so many leaves (more than there are:
 * as it is now): its keys change. CS_OK or CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_directory_relay_at(const struct cs_directory *d,
    uint64_t size, struct cs_directory_relay *ret);

/*
 * Which relay signed a checkpoint that somebody has seen: the one of that
 * time, else any that this log certified and did not revoke. Never by a key
 * that had been changed for the next when it claims to be signed.
 * CS_OK, CS_BAD_SIGNATURE (none did: it is nobody's word).
 */
CS_MUST_USE cs_err cs_directory_seen_by(const struct cs_directory *d,
    const struct cs_checkpoint *cp, struct cs_directory_relay *ret);

/*
 * Is exactly this relay entry in the log, and could its key sign at that time?
 * CS_OK, CS_NOT_FOUND (no such entry), CS_EXPIRED (the relay had its next key
 * by then), CS_REVOKED (revoked or compromised by then), or an error of the
 * layout.
 */
CS_MUST_USE cs_err cs_directory_relay_in_force(const struct cs_directory *d,
    struct cs_bytes entry, uint64_t time_s);

/* Name of the network, by its newest root version. CS_OK or CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_directory_network_name(const struct cs_directory *d,
    struct cs_bytes *ret);

/* The next witness of the log, in order of admission, revoked ones included:
 * *pos begins at 0. CS_OK or CS_NOT_FOUND past the end. */
CS_MUST_USE cs_err cs_directory_witness(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_witness *ret);
CS_MUST_USE cs_err cs_directory_next_witness(const struct cs_directory *d,
    uint32_t *pos, struct cs_directory_witness *ret);

/*
 * What a checkpoint note says, over whatever leaves, with the signature of any
 * relay as cs_directory_seen_by takes it.
 * CS_OK, CS_MALFORMED, CS_WRONG_NETWORK, CS_BAD_SIGNATURE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_directory_read_note(const struct cs_directory *d,
    struct cs_bytes note, struct cs_checkpoint *ret);

/*
 * The same of a note over the receipt log of a relay, by whatever key of a
 * relay of this log, if that was not changed or revoked by the note's time.
 *   ret_relay  whose it is; may be NULL
 * CS_OK, CS_MALFORMED, CS_WRONG_NETWORK, CS_BAD_SIGNATURE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_directory_read_receipts(const struct cs_directory *d,
    struct cs_bytes note, struct cs_directory_relay *ret_relay,
    struct cs_checkpoint *ret);

/* What the root has laid down; CS_OK or CS_NOT_FOUND (nothing). */
CS_MUST_USE cs_err cs_directory_policy(const struct cs_directory *d,
    enum cs_policy_key key, uint64_t *ret);

/* Key of a registrar in force now. CS_OK, CS_NOT_FOUND, CS_REVOKED,
 * CS_EXPIRED. */
CS_MUST_USE cs_err cs_directory_registrar_key(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], uint64_t now_s,
    uint8_t ret[static CS_SIGN_PUBLIC_BYTES]);

/* Device i of a member (revoked ones included), or member i / device i /
 * organisation i of the network in order of admission. CS_OK or CS_NOT_FOUND
 * past the end. */
CS_MUST_USE cs_err cs_directory_member_device(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint32_t i,
    struct cs_directory_device *ret);
CS_MUST_USE cs_err cs_directory_member_at(const struct cs_directory *d,
    uint32_t i, struct cs_directory_member *ret);
CS_MUST_USE cs_err cs_directory_device_at(const struct cs_directory *d,
    uint32_t i, struct cs_directory_device *ret);
CS_MUST_USE cs_err cs_directory_organisation_at(const struct cs_directory *d,
    uint32_t i, struct cs_directory_organisation *ret);

/* The newest revocation of a subject of any kind. CS_OK, CS_NOT_FOUND. */
struct cs_directory_revocation {
	uint64_t entry;
	uint64_t logged_at_s;
	struct cs_entry_revoke revoke;
	uint8_t by[CS_ID_BYTES]; /* registrar, root, or itself */
};
CS_MUST_USE cs_err cs_directory_revocation(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_revocation *ret);

/* The batch that covers this epoch for a device, else the newest before it;
 * CS_OK or CS_NOT_FOUND. */
struct cs_directory_batch {
	uint64_t entry;
	struct cs_entry_epoch_batch batch;
};
CS_MUST_USE cs_err cs_directory_batch(const struct cs_directory *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t epoch,
    struct cs_directory_batch *ret);

/* In good standing at now_s: device and member not revoked, organisation
 * admitted or conditional, not revoked, vetting not lapsed; none of them signed
 * for by a key that was compromised by then.
 * CS_OK, CS_NOT_FOUND, CS_REVOKED, CS_LAPSED (vetting), CS_DENIED (refused, not
 * certified, or pending: its invitation has not been used). */
CS_MUST_USE cs_err cs_directory_standing(const struct cs_directory *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t now_s);

/*
 * Signing key that a device had at log index `entry` (its device or rotate
 * entry), to check a signature made under it; fails when the device was
 * revoked, or had changed to its next key, before it signed (claimed time ≥
 * compromised_since or revocation, or ≥ the rotation's place in the log).
 * CS_OK, CS_NOT_FOUND (also: an invitation's one-time key), CS_REVOKED,
 * CS_DENIED (it or its practice signed for by a key that was compromised by
 * then).
 */
CS_MUST_USE cs_err cs_directory_signer(const struct cs_directory *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t entry,
    uint64_t signed_at_s, uint8_t ret_key[static CS_SIGN_PUBLIC_BYTES]);

/* From when on the key that a device had at log index `entry` counts no more:
 * its next key, its own revocation or its member's or practice's; UINT64_MAX:
 * it does. CS_OK, CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_directory_signer_ends(const struct cs_directory *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t entry,
    uint64_t *ret_s);

/* What was replayed, for the look-ups of keys/roster.c. */
const struct cs_dirstate *cs_directory_state(const struct cs_directory *d);

#endif
