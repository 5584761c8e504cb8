#ifndef CS_CLIENT_STORED_H
#define CS_CLIENT_STORED_H

#include "client/home.h"
#include "client/outbox.h"
#include "proto/base/err.h"
#include "proto/manifest.h"

/*
 * The objects of one message as they lie here, to go out with another one under
 * the same ids and keys, so that the relay can copy what it has: who gets M has
 * the keys anyway.
 */
struct cs_stored { /* borrows from the manifest; `{ 0 }` is none */
	struct cs_manifest_object *objects;
	struct cs_outbox_file *files; /* as many as the manifest has objects */
	char (*paths)[CS_HOME_PATH_BYTES];
};

/* Where an object of a message lies: cs_kept_path, or its like. */
typedef void cs_stored_path(const struct cs_home *h,
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t object_id[static CS_ID_BYTES],
    char ret[static CS_HOME_PATH_BYTES]);

/*
 *   m, id  of the message, decoded
 *   ret    to be freed with fini, also after a failure
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_stored_list(const struct cs_home *h,
    const struct cs_manifest *m, const uint8_t id[static CS_ID_BYTES],
    cs_stored_path *path, struct cs_stored *ret);
void cs_stored_fini(struct cs_stored *s);

#endif
