#ifndef CS_CLIENT_PLACE_H
#define CS_CLIENT_PLACE_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/manifest.h"

/* Attachments out of the home into a folder of the user's. */

#define CS_PLACE_NAME_BYTES 256

/*
 * A file name of ours from a sender's label: last path component, visible
 * characters only, nothing a shell or path would read otherwise, no leading
 * dot or dash, bounded, never empty.
 */
void cs_place_name(struct cs_bytes label, char ret[static CS_PLACE_NAME_BYTES]);

/*
 * Decrypts the stored object at path into folder dirfd under cs_place_name of
 * its label, with a suffix where that name is taken: 0600, verified before it
 * gets its name, never overwriting.
 * CS_OK, CS_FULL, CS_IO and errors of cs_segfile_unseal.
 */
CS_MUST_USE cs_err cs_place_object(int dirfd, const char *path,
    const struct cs_manifest_object *object,
    char ret_name[static CS_PLACE_NAME_BYTES]);

#endif
