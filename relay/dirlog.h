#ifndef CS_RELAY_DIRLOG_H
#define CS_RELAY_DIRLOG_H

#include "keys/directory.h"
#include "relay/core.h"
#include "relay/job.h"
#include "relay/service.h"

/*
 * The directory log: replayed in memory by the rules every client uses,
 * readable from any thread, changed by the writer alone and only after the
 * commit. The relay orders and dates entries; it decides nothing.
 */
struct cs_dirlog;

/*
 * Reads the log from the store; where that is empty, imports the file of first
 * entries (u32 length ‖ entry, repeated). Before the writer starts.
 *   genesis      path; NULL: none
 *   ret_problem  on failure one clause
 *   ret_last_s   time of the newest checkpoint; 0: none
 * Errors as cs_service_open.
 */
CS_MUST_USE cs_err cs_dirlog_open(struct cs_core *c, const char *genesis,
    struct cs_dirlog **ret, uint64_t *ret_last_s, struct cs_buf *ret_problem);
void cs_dirlog_free(struct cs_dirlog *d);

/* The newest checkpoint of the log, and the entry of this relay. */
void cs_dirlog_seen(struct cs_dirlog *d, struct cs_checkpoint *ret,
    uint64_t *ret_relay_entry);

/* The relay's newest entry; its url is left out. CS_OK, CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_dirlog_relay(struct cs_dirlog *d,
    struct cs_directory_relay *ret);

/* Longest life of an envelope that begins now: the network's policy, at most
 * CS_LIMIT_LIFETIME_S. */
uint64_t cs_dirlog_lifetime(struct cs_dirlog *d);

/* Appends a copy of a leaf. CS_OK, CS_NOT_FOUND, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_dirlog_leaf(struct cs_dirlog *d, uint64_t index,
    struct cs_buf *ret);

/* Calls fn with each device in good standing, under the lock. */
void cs_dirlog_devices(struct cs_dirlog *d, uint64_t now_s,
    void (*fn)(void *ctx, const uint8_t device_id[static CS_ID_BYTES]),
    void *ctx);

/* How many invitations of before an entry wait to be used, and until when the
 * last of them can be. */
uint64_t cs_dirlog_invitations(struct cs_dirlog *d, uint64_t entry,
    uint64_t now_s, uint64_t *ret_until_s);

/* Who signed this login. Errors as cs_service_login. */
CS_MUST_USE cs_err cs_dirlog_login(struct cs_dirlog *d, const struct cs_core *c,
    const struct cs_frame_login *login, const uint8_t handshake[static 32],
    struct cs_principal *ret, uint64_t *ret_size);

/* Whether anybody who could log in has this id, in whatever standing. */
bool cs_dirlog_knows(struct cs_dirlog *d, const uint8_t id[static CS_ID_BYTES]);

/* May this principal ask for anything now? Also where the vetting of its
 * practice has lapsed: relay/vetted.h says for what not. CS_OK, CS_NOT_FOUND,
 * CS_REVOKED, CS_EXPIRED, CS_DENIED. */
CS_MUST_USE cs_err cs_dirlog_standing(struct cs_dirlog *d,
    const struct cs_principal *who, uint64_t now_s);

/* The practice behind a device. CS_OK, CS_NOT_FOUND. */
struct cs_dirlog_vetting {
	char handle[CS_LIMIT_ADDRESS_BYTES + 1];
	uint64_t valid_until_s;
};
CS_MUST_USE cs_err cs_dirlog_vetting(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES], struct cs_dirlog_vetting *ret);

/* As the functions of keys/directory.h, under the lock. */
CS_MUST_USE cs_err cs_dirlog_device_standing(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t now_s);
CS_MUST_USE cs_err cs_dirlog_signer(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t entry,
    uint64_t signed_at_s, uint8_t ret_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret_member[static CS_ID_BYTES]);
/*
 * Devices that are revoked, by themselves or with their member or practice.
 *   pos  0 at first; where to go on
 * Returns how many of max are filled; 0: no more.
 */
CS_MUST_USE size_t cs_dirlog_revoked(struct cs_dirlog *d, uint32_t *pos,
    size_t max, uint8_t (*ret_ids)[CS_ID_BYTES]);
/* The member a device is of, whatever its standing. CS_OK, CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_dirlog_member(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES],
    uint8_t ret[static CS_ID_BYTES]);
CS_MUST_USE cs_err cs_dirlog_batch(struct cs_dirlog *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t epoch,
    struct cs_directory_batch *ret);

/* Signing key of a witness in force. CS_OK, CS_NOT_FOUND, CS_REVOKED. */
CS_MUST_USE cs_err cs_dirlog_witness_key(struct cs_dirlog *d,
    const uint8_t id[static CS_ID_BYTES],
    uint8_t ret[static CS_SIGN_PUBLIC_BYTES]);

/* Copies the newest checkpoint, cosignatures included, and the number of
 * leaves it is over. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_dirlog_note(struct cs_dirlog *d, struct cs_buf *ret,
    uint64_t *ret_size);

/* Leaves that were checked and are to be appended. */
struct cs_dirlog_leaves {
	uint64_t first; /* index of the first entry asked for */
	uint64_t size;  /* of the log that the leaves follow */
	uint32_t n;     /* new leaves; 0: all are in the log already */
	struct cs_buf leaf[CS_FRAME_MAX_ENTRIES];
};
void cs_dirlog_leaves_fini(struct cs_dirlog_leaves *v);

/*
 * Would these entries, appended now, be valid? Those at the start that are in
 * the log already are passed over: appending may be repeated.
 * Errors as cs_directory_check.
 */
CS_MUST_USE cs_err cs_dirlog_check(struct cs_dirlog *d,
    const struct cs_frame_entries *entries, uint64_t now_s,
    struct cs_dirlog_leaves *ret);

/* Adds leaves (may be none) and the checkpoint over them to a batch.
 *   signed_s  what the checkpoint says of its time
 *   ret_note  the checkpoint, until the batch is reset
 * CS_OK, CS_LOST (the log is not of this size), CS_CORRUPT, CS_NO_MEMORY,
 * CS_IO. */
CS_MUST_USE cs_err cs_dirlog_add(struct cs_core *c, struct cs_batch *b,
    const struct cs_dirlog_leaves *leaves, uint64_t signed_s,
    struct cs_bytes *ret_note);

/* What was committed becomes visible: the leaves and the checkpoint over
 * them. Any error leaves memory behind the store. CS_OK, CS_NO_MEMORY and
 * others. */
CS_MUST_USE cs_err cs_dirlog_apply(struct cs_dirlog *d,
    const struct cs_dirlog_leaves *leaves, struct cs_bytes note);

/* The checkpoint was committed anew, with more cosignatures. CS_OK,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_dirlog_cosigned(struct cs_dirlog *d,
    struct cs_bytes note);

/* dir_sync. */
CS_MUST_USE cs_err cs_dirlog_sync_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

#endif
