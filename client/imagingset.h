#ifndef CS_CLIENT_IMAGINGSET_H
#define CS_CLIENT_IMAGINGSET_H

#include "client/imaging.h"
#include "client/imagingrow.h"
#include "client/why.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* The lists that client/imaging.h is made of, for the files that fill them. */

struct cs_imagingset_key { /* an image that a key object points at */
	char *instance, *title, *note;
};

struct cs_imagingset_address {
	char *study;
	char *url;
};

struct cs_imaging {
	struct cs_imagingrow **rows; /* sorted by place once checked */
	size_t n, cap;
	char **warnings;
	size_t n_warnings;
	struct cs_imagingset_key *keys;
	size_t n_keys;
	struct cs_imagingset_address *addresses;
	size_t n_addresses;
};

/* Says a warning to whoever asks for them; ctx is a struct cs_imaging. CS_OK,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_imagingset_warn(void *ctx, const char *text);
CS_MUST_USE cs_err cs_imagingset_warnf(struct cs_imaging *im, const char *fmt,
    ...) __attribute__((format(printf, 2, 3)));

/* An empty row at the end, borrowed. CS_OK, CS_TOO_LARGE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_imagingset_add(struct cs_imaging *im,
    struct cs_imagingrow **ret, struct cs_why *why);

/* A key image; texts are copied. CS_OK, CS_TOO_LARGE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_imagingset_add_key(struct cs_imaging *im,
    const char *instance, const char *title, const char *note,
    struct cs_why *why);

/* The address of a study, as the last word on it. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_imagingset_add_address(struct cs_imaging *im,
    struct cs_bytes base, struct cs_bytes study);

/* The address of a study, or NULL. */
const char *cs_imagingset_address(const struct cs_imaging *im,
    const char *study);

#endif
