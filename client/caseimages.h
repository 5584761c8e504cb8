#ifndef CS_CLIENT_CASEIMAGES_H
#define CS_CLIENT_CASEIMAGES_H

#include <stdint.h>

#include "client/client.h"
#include "client/htmlout.h"
#include "proto/base/err.h"
#include "proto/manifest.h"

/*
 * The attachments of a message on a page: a table of all, then as pictures
 * those that are PNG, JPEG or DICOM images by their bytes, whatever they are
 * said to be. Plaintext is in memory only. What is not shown says why.
 */
#define CS_CASEIMAGES_FILE_BYTES (24 << 20)  /* of an attachment shown */
#define CS_CASEIMAGES_BYTES      (200 << 20) /* of all of a page */
#define CS_CASEIMAGES_RENDERED   100         /* DICOM images of a page */

struct cs_caseimages { /* begins as { 0 }: one for a page */
	uint64_t bytes;
	uint32_t n_shown, n_not_shown, n_rendered;
};

/*
 * id and is_ours say where the files lie; an attachment that is not here, or
 * was damaged here, is said to be so. CS_OK, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_caseimages_put(struct cs_client *c,
    struct cs_caseimages *page, const uint8_t id[static CS_ID_BYTES],
    bool is_ours, const struct cs_manifest *m, struct cs_htmlout *o);

#endif
