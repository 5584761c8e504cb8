#ifndef CS_KEYS_ADMIN_NETWORK_H
#define CS_KEYS_ADMIN_NETWORK_H

#include <stdbool.h>

#include "client/conn.h"
#include "client/why.h"
#include "keys/directory.h"
#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/frame.h"

/*
 * The folder that `consil-admin init` makes: keyrings, genesis, relay.conf;
 * and in admin/ the registrar's mirror of the directory log. The mirror is
 * verified anew, signatures included, each time it is read.
 */
struct cs_network;

#define CS_NETWORK_PATH_BYTES 4096

enum cs_network_file {
	CS_NETWORK_ROOT_KEYRING,
	CS_NETWORK_ROOT_KEY,
	CS_NETWORK_REGISTRAR_KEYRING,
	CS_NETWORK_REGISTRAR_KEY,
	CS_NETWORK_REGISTRAR_NEXT, /* keyring that is to follow, being rotated
				    */
	CS_NETWORK_REGISTRAR_OLD,  /* keyring that was followed */
	CS_NETWORK_REGISTRAR_CARD,
	CS_NETWORK_RELAY_KEYRING,
	CS_NETWORK_RELAY_KEY,
	CS_NETWORK_RELAY_NEXT,
	CS_NETWORK_RELAY_OLD,
	CS_NETWORK_REQUEST, /* that made this folder's registrar one */
	CS_NETWORK_GENESIS,
	CS_NETWORK_RELAY_CONF,
	CS_NETWORK_ADMIN, /* folder of the mirror */
	CS_NETWORK_MIRROR,
	CS_NETWORK_AUDIT,   /* checkpoint of the newest audit export */
	CS_NETWORK_VETTING, /* folder of the vetting records */
	CS_NETWORK_FILES,
};

/* Path of a file of the network in dir. CS_OK, CS_USAGE (too long). */
CS_MUST_USE cs_err cs_network_path(const char *dir, enum cs_network_file file,
    char ret[static CS_NETWORK_PATH_BYTES]);

/* Whether the registrar of dir is sealed by a passphrase.
 * CS_OK, CS_NOT_FOUND (no network there), errors of cs_keyring_peek. */
CS_MUST_USE cs_err cs_network_needs_passphrase(const char *dir,
    struct cs_why *why, bool *ret);

/* The registrar's keyring of dir. passphrase NULL: by the key file. Errors of
 * cs_keyring_load, CS_CORRUPT (somebody else's keyring). */
CS_MUST_USE cs_err cs_network_load_registrar(const char *dir,
    const struct cs_secret *passphrase, struct cs_why *why,
    struct cs_keyring **ret);

/*
 * Opens the registrar's keyring, and the mirror or, before the first contact,
 * what genesis or the request that made this registrar says.
 *   passphrase  NULL: by the key file
 *   why         borrowed until close
 * CS_OK, CS_INCOMPLETE (no root has signed yet), errors of cs_keyring_load and
 * cs_directory_apply, CS_CORRUPT (mirror, genesis or request).
 */
CS_MUST_USE cs_err cs_network_open(const char *dir,
    const struct cs_secret *passphrase, struct cs_why *why,
    struct cs_network **ret);

/* NULL does nothing. */
void cs_network_close(struct cs_network *n);

/* Connects to the relay once, logs in as the registrar, takes over what is
 * new and keeps it. Errors of cs_conn_open, cs_conn_login, cs_mirror_sync,
 * cs_file_write. */
CS_MUST_USE cs_err cs_network_sync(struct cs_network *n);

/* Has the relay append an entry, after asking our own mirror whether it may;
 * then sync. Needs a sync before. */
CS_MUST_USE cs_err cs_network_append(struct cs_network *n,
    struct cs_bytes entry);

/*
 * The keys that are to follow the registrar's, made and kept (sealed as the
 * ones in use) if there are none yet. They come into use by the first sync that
 * finds them in the log. Borrowed from n.
 * Errors of cs_keyring_successor, cs_keyring_save and cs_keyring_load.
 */
CS_MUST_USE cs_err cs_network_next_registrar(struct cs_network *n,
    const struct cs_keyring **ret);

/* Whether a sync of n took over keys that were to follow. */
bool cs_network_has_rotated(const struct cs_network *n);

/* How far the relay's newest keys are known; with destroy, those before are
 * destroyed. Needs a sync before. Errors of cs_ask_handover. */
CS_MUST_USE cs_err cs_network_handover(struct cs_network *n, bool destroy,
    struct cs_frame_handover_reply *ret);

/* Borrowed from n. */
const struct cs_keyring *cs_network_registrar(const struct cs_network *n);
struct cs_directory *cs_network_directory(const struct cs_network *n);

/* The session of the last sync; NULL before. Borrowed from n. */
struct cs_conn *cs_network_conn(const struct cs_network *n);

/* Newest checkpoint note, cosignatures included; empty before the first
 * contact. Borrowed from n. */
struct cs_bytes cs_network_note(const struct cs_network *n);

/* Newest checked checkpoint; size 0 before the first contact. */
const struct cs_checkpoint *cs_network_checkpoint(const struct cs_network *n);

#endif
