#ifndef CS_KEYS_ADMIN_CEREMONY_H
#define CS_KEYS_ADMIN_CEREMONY_H

#include "keys/admin/admin.h"
#include "keys/quorum.h"

/*
 * The papers of a key ceremony as files: cards of public keys, and signing
 * requests that go from holder to holder. What goes wrong with one is said in
 * admin->why, with its name.
 */

/* A card, and the bytes it borrows from. */
struct cs_ceremony_card {
	struct cs_buf bytes;
	struct cs_card card;
};

/* A request that was judged, its signatures, and the bytes both borrow from. */
struct cs_ceremony_request {
	struct cs_buf bytes, rows;
	struct cs_quorum q;
};

/* What a root version is made of: the cards given as --root-key, and
 * --threshold. */
struct cs_ceremony_root {
	uint8_t keys[CS_ENTRY_MAX_KEYS][CS_SIGN_PUBLIC_BYTES]; /* ascending */
	uint8_t n_keys, threshold;
};

/* A card of this kind. Errors of cs_file_read and cs_quorum_read_card;
 * CS_USAGE (of another kind). */
CS_MUST_USE cs_err cs_ceremony_read_card(struct cs_admin *admin,
    const char *file, enum cs_keyring_kind kind, struct cs_ceremony_card *ret);
void cs_ceremony_card_fini(struct cs_ceremony_card *c);

/* Writes the card of kr; never over a file. CS_OK, CS_EXISTS, CS_USAGE (name),
 * CS_IO, CS_FULL, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_ceremony_write_card(struct cs_admin *admin,
    const struct cs_keyring *kr, const char *name, const char *file);

/* A request. Errors of cs_file_read, cs_signing_decode, cs_quorum_open. */
CS_MUST_USE cs_err cs_ceremony_read_request(struct cs_admin *admin,
    const char *file, struct cs_ceremony_request *ret);
void cs_ceremony_request_fini(struct cs_ceremony_request *r);

/* Adds the signatures of another file of the same request. CS_OK, CS_CLASH
 * (another request), errors of cs_ceremony_read_request. */
CS_MUST_USE cs_err cs_ceremony_merge(struct cs_admin *admin,
    struct cs_ceremony_request *r, const char *file);

/* Writes a request under these signatures; never over a file.
 * CS_OK, CS_EXISTS, CS_TOO_LARGE, CS_IO, CS_FULL, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_ceremony_write_request(struct cs_admin *admin,
    const struct cs_signing *v, struct cs_bytes rows, const char *file);

/* The root that the options describe. CS_OK, CS_USAGE, errors of
 * cs_ceremony_read_card. */
CS_MUST_USE cs_err cs_ceremony_read_root(struct cs_admin *admin,
    struct cs_ceremony_root *ret);

/* What two people compare: 128 bits of SHA-256 over the public key, in groups
 * of four digits. */
#define CS_CEREMONY_FINGERPRINT_BYTES 40
void cs_ceremony_fingerprint(const uint8_t key[static CS_SIGN_PUBLIC_BYTES],
    char ret[static CS_CEREMONY_FINGERPRINT_BYTES]);

#endif
