#ifndef CS_KEYS_ADMIN_FOUNDING_H
#define CS_KEYS_ADMIN_FOUNDING_H

#include "keys/admin/ceremony.h"

/* A folder whose registrar waits for the root: how it becomes a network, or a
 * part of one. Both may be repeated. */

/* Packs the entry of a registrar into a request's cores; prev as in struct
 * cs_entry. CS_OK, CS_USAGE (name), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_founding_pack_registrar(struct cs_admin *admin,
    const uint8_t root_id[static CS_ID_BYTES],
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES], struct cs_bytes name,
    uint64_t valid_until_s, uint64_t prev, struct cs_buf *cores);

/* Packs a root version. CS_OK, CS_USAGE (name), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_founding_pack_root(struct cs_admin *admin,
    const struct cs_ceremony_root *root, uint32_t version, struct cs_bytes name,
    const uint8_t root_id[static CS_ID_BYTES], uint64_t prev,
    struct cs_buf *cores);

/*
 * Founds the network of admin->dir by a request that enough have signed:
 * writes genesis.
 * CS_OK (also if it is founded already), CS_INCOMPLETE, CS_WRONG_NETWORK (a
 * request of another folder), errors of cs_network_load_registrar,
 * cs_directory_found and cs_file_write.
 */
CS_MUST_USE cs_err cs_founding_complete(struct cs_admin *admin,
    const struct cs_ceremony_request *r);

/*
 * Makes the registrar of admin->dir, who is of no network yet, one of the
 * network whose root signed for it.
 *   ret_joined  false: it is of a network already, or not the one signed for
 * Errors of cs_network_load_registrar, cs_keyring_save, cs_file_write.
 */
CS_MUST_USE cs_err cs_founding_join(struct cs_admin *admin,
    const struct cs_ceremony_request *r, bool *ret_joined);

#endif
