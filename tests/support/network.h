#ifndef CS_TESTS_SUPPORT_NETWORK_H
#define CS_TESTS_SUPPORT_NETWORK_H

#include "keys/directory.h"
#include "keys/enrol.h"
#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/limits.h"

/*
 * A small network for tests: real keys, a real log, made by the functions that
 * programs use. A failing step fails the test.
 */
struct network {
	struct cs_keyring *root, *registrar, *relay;
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t practice[CS_ID_BYTES]; /* handle "clinic" */
	struct cs_directory *dir;
	uint64_t now_s; /* the relay's clock: logged_at of what comes next */
};

/* Root, registrar and relay, and the practice "clinic", in the log. */
void network_init(struct network *n, uint64_t now_s);

/* Only the keys, and an empty log. */
void network_init_keys(struct network *n, uint64_t now_s);
void network_fini(struct network *n);

/* A keyring of this network with a random id. */
struct cs_keyring *network_keyring(const struct network *n,
    enum cs_keyring_kind kind, const uint8_t *member_id);

/* entry as the next leaf; and what apply says to it. */
void network_leaf(const struct network *n, struct cs_bytes entry,
    struct cs_buf *ret);
cs_err network_append(struct network *n, struct cs_bytes entry);

/*
 * Signs an entry with a body by kr as authority, whoever that is.
 *   subject  NULL: kr's own id
 */
void network_sign(const struct network *n, const struct cs_keyring *kr,
    enum cs_entry_type type, const uint8_t *subject, uint64_t prev,
    struct cs_bytes body, struct cs_buf *ret);

/* The same where the key of kr has become that of another subject. */
void network_sign_for(const struct network *n, const struct cs_keyring *kr,
    const uint8_t *authority, enum cs_entry_type type, const uint8_t *subject,
    uint64_t prev, struct cs_bytes body, struct cs_buf *ret);

/* As network_sign, and appends it. */
cs_err network_append_as(struct network *n, const struct cs_keyring *kr,
    enum cs_entry_type type, const uint8_t *subject, uint64_t prev,
    struct cs_bytes body);

/* Invites address and joins it with a new device: what a device needs is in
 * the log, except epoch keys. Returns its keyring. */
struct cs_keyring *network_join(struct network *n, const char *address);

/* A witness of this name, in the log. Returns its keyring. */
struct cs_keyring *network_witness(struct network *n, const char *name);

/* Writes the file that the registrar gives to a witness; returns path. */
const char *network_witness_file(const struct network *n, const char *path,
    const uint8_t *witness_id, const char *relay_url);

/* Adds kr's cosignature to a note. */
void network_cosign(const struct cs_keyring *kr, uint64_t time_s,
    struct cs_buf *note);

/*
 * Signs a directory checkpoint as the network's relay.
 *   cp    in: what it says; out: with its signature
 *   note  gets the whole note; may be NULL
 */
void network_sign_checkpoint(const struct network *n, struct cs_checkpoint *cp,
    struct cs_buf *note);

/* What a member sees who has all of the log: the relay's checkpoint of now. */
struct cs_checkpoint network_seen(const struct network *n);

/* An invitation (binary) for address, for one day. */
void network_invite(struct network *n, const char *address, struct cs_buf *ret);

#endif
