#ifndef CS_KEYS_QUORUM_H
#define CS_KEYS_QUORUM_H

#include <stdbool.h>

#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/card.h"
#include "proto/entry.h"
#include "proto/signing.h"

/*
 * The root quorum: k of n offline keys that sign entries one holder after the
 * other (proto/signing.h). Everything is judged from the request itself, whose
 * root versions are followed from the one that founded the network.
 */

/* A root version, as one of those whose keys sign an entry. */
struct cs_quorum_side {
	uint8_t previous; /* CS_ENTRY_PREVIOUS_KEY, or 0 */
	struct cs_entry_root root;
};

/* A request that holds together; views borrow from it. */
struct cs_quorum {
	struct cs_signing req;
	uint8_t root_id[CS_ID_BYTES];
	struct cs_entry_root root; /* in force before it; version 0: none yet */
};

/* One of its entries, and which versions sign it. */
struct cs_quorum_core {
	struct cs_entry entry;
	uint8_t n_sides; /* 1, or 2 for a root that follows another */
	struct cs_quorum_side side[2]; /* the new or only version first */
};

/*
 * Signatures of entry whose numbers have the bit `previous` are by keys of
 * root: each must be, and there must be threshold of them.
 *   message     as cs_entry_signed_bytes
 *   signatures  false for an entry verified before: they are only counted
 * CS_OK, CS_DENIED (too few, or by no key of it), CS_BAD_SIGNATURE.
 */
CS_MUST_USE cs_err cs_quorum_signed(const struct cs_entry *entry,
    const struct cs_entry_root *root, uint8_t previous, struct cs_bytes message,
    bool signatures);

/*
 * Judges a request: its root versions follow from its network id one by one,
 * its entries are by that root, and every signature given so far verifies.
 * CS_OK, CS_MALFORMED, CS_WRONG_NETWORK, CS_DENIED, CS_BAD_SIGNATURE,
 * CS_CLASH (a root version that does not follow), CS_TOO_LARGE,
 * CS_UNSUPPORTED, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_quorum_open(const struct cs_signing *req,
    struct cs_quorum *ret);

/*
 * From nothing (root version 0), or from the root version in q, to the one of
 * this entry, of the network that q->req names. q borrows from it. CS_OK,
 * CS_MALFORMED, CS_WRONG_NETWORK, CS_DENIED, CS_BAD_SIGNATURE, CS_CLASH,
 * CS_TOO_LARGE, CS_UNSUPPORTED, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_quorum_follow(struct cs_quorum *q, struct cs_bytes entry);

/* Entry i and who signs it; i below req.n_cores. */
struct cs_quorum_core cs_quorum_core(const struct cs_quorum *q, uint8_t i);

/* Place of a key in a root version; n_keys if it is none of them. */
uint8_t cs_quorum_place(const struct cs_entry_root *root,
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES]);

/* How many keys of one side have signed entry i by these rows. */
unsigned cs_quorum_count(struct cs_bytes rows, uint8_t i,
    const struct cs_quorum_side *side);

/*
 * Signs all that this key may sign.
 *   rows  packed rows, added to
 * CS_OK, CS_DENIED (the key is in no root version that signs here),
 * CS_WRONG_NETWORK (a keyring of another one), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_quorum_sign(const struct cs_quorum *q,
    const struct cs_keyring *root, struct cs_buf *rows);

/* Appends entry i with its signatures. CS_OK, CS_INCOMPLETE (too few have
 * signed), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_quorum_entry(const struct cs_quorum *q,
    struct cs_bytes rows, uint8_t i, struct cs_buf *out);

/*
 * Packs an unsigned entry by the root into a request's cores.
 *   subject  NULL: the root itself
 *   prev     as in struct cs_entry
 * CS_OK, CS_TOO_LARGE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_quorum_pack(enum cs_entry_type type,
    const uint8_t root_id[static CS_ID_BYTES], const uint8_t *subject,
    uint64_t prev, uint64_t now_s, struct cs_bytes body, struct cs_buf *cores);

/* Appends the card of a keyring's public half, signed by it. CS_OK,
 * CS_MALFORMED, CS_TOO_LARGE (name), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_quorum_make_card(const struct cs_keyring *kr,
    struct cs_bytes name, struct cs_buf *out);

/* A card that its own key signed. Errors of cs_card_decode,
 * CS_BAD_SIGNATURE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_quorum_read_card(struct cs_bytes in, struct cs_card *ret);

#endif
