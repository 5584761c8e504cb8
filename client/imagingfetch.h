#ifndef CS_CLIENT_IMAGINGFETCH_H
#define CS_CLIENT_IMAGINGFETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "client/wadors.h"
#include "client/why.h"
#include "proto/base/err.h"
#include "proto/casefile.h"

/*
 * The instances that a case refers to, from their archive into a folder: all of
 * them, each as it was signed, or nothing.
 */
struct cs_imagingfetch {
	const struct cs_casefile *cf; /* of a message whose signature held */
	const char *dir;              /* must not exist */
	const char *from;    /* service's address instead of the case's,
				or NULL */
	bool without_hashes; /* also what nothing proves */
	struct cs_wadors_options http; /* is_named is set by from */
};

struct cs_imagingfetch_file {
	const char *path; /* below dir */
	struct cs_bytes instance;
	uint64_t bytes;
	bool is_proven; /* had a hash */
};

/* Told of each file once all of them are in place. */
typedef void cs_imagingfetch_each(void *ctx,
    const struct cs_imagingfetch_file *file);

/*
 * Retrieves into a hidden folder beside dir, verifies size, SHA-256, UIDs and
 * patient of each, then gives the folder its name. Files are ours by name
 * (ST0001/SE0001/IM000001), 0600.
 *   why  names the instance that is not what was signed
 * CS_OK; CS_NOTHING (the case refers to none); CS_EXISTS (dir); CS_UNPROVEN
 * (one has no hash and that was not asked for); CS_ALTERED (not what was
 * signed), CS_CLASH (another patient); CS_USAGE (no address); CS_FULL, CS_IO
 * and errors of cs_wadors_new, cs_wadors_get and cs_imaging_add. Then nothing
 * is left.
 */
CS_MUST_USE cs_err cs_imagingfetch(const struct cs_imagingfetch *f,
    cs_imagingfetch_each *each, void *ctx, struct cs_why *why);

#endif
