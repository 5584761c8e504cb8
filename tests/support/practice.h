#ifndef CS_TESTS_SUPPORT_PRACTICE_H
#define CS_TESTS_SUPPORT_PRACTICE_H

#include "tests/support/network.h"

/*
 * A network with two members of one practice, for the tests of the directory.
 * Its log: 0 root, 1 registrar, 2 relay, 3 practice "clinic", 4 member ann,
 * 5 and 6 her devices, 7 member bob, 8 his device.
 */
#define NOW  UINT64_C(1800000000)
#define DAY  UINT64_C(86400)
#define NONE CS_ENTRY_NO_PREV

/* An id that nobody has. */
extern const uint8_t practice_stranger[CS_ID_BYTES];

/* A body of each type that is right for the fixture's subjects. */
struct bodies {
	struct cs_buf of[CS_ENTRY_TYPES];
	uint8_t subject[CS_ENTRY_TYPES][CS_ID_BYTES];
	uint64_t prev[CS_ENTRY_TYPES];
};

struct practice {
	struct network n;
	struct cs_keyring *ann, *ann2, *bob; /* devices */
	struct cs_keyring *seed;             /* signs as an invited member */
	struct bodies b;
};

void practice_init(struct practice *f);
void practice_fini(struct practice *f);

/* Would the entry of this type in f->b be taken if kr signed it? */
cs_err practice_try(struct practice *f, enum cs_entry_type type,
    const struct cs_keyring *kr);

/* Fails unless the log is as it was. */
void practice_check_unchanged(const struct network *n,
    struct cs_log_view before);

/* A one-time key; the id of its keyring serves as the member's. */
struct cs_keyring *practice_enrol_key(const struct network *n);

/* A member invited with the key of enrol for a day; and into the log with it,
 * by the registrar. */
struct cs_entry_member practice_member_body(const struct network *n,
    const char *address, const struct cs_keyring *enrol);
cs_err practice_append_member(struct network *n, const uint8_t *id,
    uint64_t prev, const struct cs_entry_member *v);

/* kr's device. */
void practice_device_body(const struct cs_keyring *kr, uint64_t enrol_expires_s,
    struct cs_buf *ret);

/* A device in the making, whose one-time key is that of once, by the key of a
 * sibling; and its rotation to the key of kr, which has the same ids. */
cs_err practice_invite_device(struct network *n,
    const struct cs_keyring *signer, const struct cs_keyring *once);
cs_err practice_accept_device(struct network *n, const struct cs_keyring *once,
    const struct cs_keyring *kr);

/* kr's device into the log, by the key of signer, whose id is the authority:
 * the member's, that was invited, or a sibling's, by the two steps above. */
cs_err practice_append_device(struct network *n,
    const struct cs_keyring *signer, const struct cs_keyring *kr);

/* The key of the device with this id changes from that of `from` to that of
 * `to`, which proves itself. */
void practice_rotate_body(const struct network *n, const uint8_t *id,
    const struct cs_keyring *from, const struct cs_keyring *to,
    struct cs_buf *ret);

#endif
