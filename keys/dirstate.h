#ifndef CS_KEYS_DIRSTATE_H
#define CS_KEYS_DIRSTATE_H

#include <stdbool.h>

#include "keys/dirindex.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/merkle.h"

/*
 * What a replayed directory log says: leaves, and one record per subject. It
 * judges nothing (keys/dirrules.h does); it can go back to an earlier mark.
 * Inside keys/directory only.
 */

/* A subject's entries are chained by `prev`, one chain for each of these. */
enum cs_dirstate_chain {
	CS_DIRSTATE_OWN, /* of the subject's own type */
	CS_DIRSTATE_ROTATE,
	CS_DIRSTATE_BATCH,
	CS_DIRSTATE_POLICY,
	CS_DIRSTATE_REVOKE,
	CS_DIRSTATE_CHAINS,
};

union cs_dirstate_body {
	struct cs_entry_root root;
	struct cs_entry_registrar registrar;
	struct cs_entry_relay relay;
	struct cs_entry_witness witness;
	struct cs_entry_policy policy;
	struct cs_entry_organisation organisation;
	struct cs_entry_member member;
	struct cs_entry_device device;
	struct cs_entry_device_rotate device_rotate;
	struct cs_entry_epoch_batch epoch_batch;
	struct cs_entry_roster roster;
	struct cs_entry_revoke revoke;
};

/* A leaf from outside, its body decoded; views borrow from it. */
struct cs_dirstate_leaf {
	struct cs_bytes bytes;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	union cs_dirstate_body body;
};

#define CS_DIRSTATE_NONE UINT32_MAX

struct cs_dirstate_subject {
	uint8_t id[CS_ID_BYTES];
	enum cs_entry_type type;
	uint64_t newest[CS_DIRSTATE_CHAINS]; /* index, or CS_ENTRY_NO_PREV */
	union cs_dirstate_body is; /* newest of OWN; views into its leaf */
	uint64_t ended_at_s; /* revoked or compromised since; see is_revoked */
	bool is_compromised; /* says one of its revocations */

	/* of a member */
	bool enrol_used;
	uint32_t first_device, last_device, n_usable;
	uint64_t day;      /* of the newest entry that a device of it signed */
	uint32_t n_of_day; /* such entries on that day */

	/* of a device */
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES]; /* in use */
	uint64_t key_entry;                     /* where it came from */
	uint64_t epoch_end;
	uint32_t next_device; /* of the same member, or NONE */
};

/* Since leaf `from`, the relay is that of entry `entry` (NO_PREV: none). */
struct cs_dirstate_relay {
	uint64_t from, entry;
};

/* How far things have grown: all that a way back has to restore besides the
 * subjects that were touched. */
struct cs_dirstate_mark {
	struct cs_merkle_edge edge; /* edge.size: number of leaves */
	uint32_t n_subjects, n_names, n_members, n_devices, n_organisations;
	uint32_t n_rosters, n_touched, n_relays;
	uint32_t root, relay; /* subjects, or NONE */
	uint64_t logged_at_s; /* of the last leaf */
};

struct cs_dirstate {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_dirstate_mark now;
	struct cs_bytes *leaves; /* each its own allocation */
	bool is_part;            /* only some leaves of the log are here … */
	uint64_t *seqs; /* … with these numbers, ascending; the same cap */
	uint64_t at;    /* number of the leaf that is being applied */
	uint8_t (*nodes)[CS_HASH_BYTES]; /* of complete subtrees, in the order
					    in which leaves completed them */
	uint64_t cap_leaves;
	struct cs_dirstate_subject *subjects;
	uint32_t cap_subjects;
	/* in order of admission */
	uint32_t *members, *devices, *organisations, *rosters;
	struct cs_dirstate_relay *relays; /* in order of from */
	uint32_t cap_relays;
	struct cs_dirindex ids, names;
	struct cs_dirstate_touched *touched; /* as they were before */
	uint32_t cap_touched;
};

/* Empty state of a network. */
void cs_dirstate_init(struct cs_dirstate *s,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES]);
void cs_dirstate_fini(struct cs_dirstate *s);

/* The subject with this id, or with this handle or address; NULL if none.
 * Valid until the next reserve. */
struct cs_dirstate_subject *cs_dirstate_find(const struct cs_dirstate *s,
    const uint8_t id[static CS_ID_BYTES]);
struct cs_dirstate_subject *cs_dirstate_find_name(const struct cs_dirstate *s,
    struct cs_bytes name);

/* The same where it must be a subject of this type; else NULL. */
struct cs_dirstate_subject *cs_dirstate_find_type(const struct cs_dirstate *s,
    const uint8_t id[static CS_ID_BYTES], enum cs_entry_type type);

/* Number of a subject found above, for the links between them. */
uint32_t cs_dirstate_number(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject);

/* Whether a device waits for the one rotation that its invitation is good
 * for, and can do nothing else. */
bool cs_dirstate_is_pending(const struct cs_dirstate_subject *device);

/* Whether any revocation of the subject is in the log. */
bool cs_dirstate_is_revoked(const struct cs_dirstate_subject *subject);

/* Room for all that one leaf can change, so that from here to its end nothing
 * fails and no subject moves. CS_OK or CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_dirstate_reserve(struct cs_dirstate *s);

/* The rest needs reserve before. A new leaf; takes over the allocation. */
void cs_dirstate_add_leaf(struct cs_dirstate *s, struct cs_bytes leaf,
    uint64_t logged_at_s);

/* Number that the next leaf has, or, of a part of a log, has at least. */
uint64_t cs_dirstate_end(const struct cs_dirstate *s);

/* The leaf with this number. CS_OK, CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_dirstate_leaf(const struct cs_dirstate *s,
    uint64_t number, struct cs_bytes *ret);

/* Root of the tree as it was with size leaves. CS_OK, CS_NOT_FOUND (more than
 * there are). */
CS_MUST_USE cs_err cs_dirstate_root_at(const struct cs_dirstate *s,
    uint64_t size, uint8_t ret[static CS_HASH_BYTES]);

/* Appends the consistency proof between two sizes of the tree. CS_OK,
 * CS_NOT_FOUND (not such sizes), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_dirstate_prove(const struct cs_dirstate *s, uint64_t from,
    uint64_t to, struct cs_buf *out);

/* Appends the inclusion proof of a leaf in the tree of that size. Errors as
 * above. */
CS_MUST_USE cs_err cs_dirstate_prove_leaf(const struct cs_dirstate *s,
    uint64_t number, uint64_t size, struct cs_buf *out);

/* A new subject; the caller fills in its body and then names it. */
struct cs_dirstate_subject *cs_dirstate_add(struct cs_dirstate *s,
    const uint8_t id[static CS_ID_BYTES], enum cs_entry_type type);

/* Enters a new subject under its name and in the list of its type. */
void cs_dirstate_enlist(struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject);

/* The relay is this subject from the leaf on that is being applied (or none:
 * NONE); `entry` is the newest of its own. */
void cs_dirstate_set_relay(struct cs_dirstate *s, uint32_t number,
    uint64_t entry);

/* To be called before an existing subject is changed. */
void cs_dirstate_touch(struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject);

/* Where we are; the way back to it; giving up the way back. */
struct cs_dirstate_mark cs_dirstate_mark(const struct cs_dirstate *s);
void cs_dirstate_rollback(struct cs_dirstate *s,
    const struct cs_dirstate_mark *to);
void cs_dirstate_commit(struct cs_dirstate *s);

#endif
