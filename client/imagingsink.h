#ifndef CS_CLIENT_IMAGINGSINK_H
#define CS_CLIENT_IMAGINGSINK_H

#include <stdbool.h>

#include "client/dicomdump.h"
#include "proto/base/err.h"

/*
 * What a manifest says, told by client/keyobject.h and client/fhirstudy.h as
 * they read it. Texts are borrowed for the call; an error ends the reading and
 * is what it returns.
 */
struct cs_imagingsink {
	void *ctx;
	/* An instance; NULL where the manifest says nothing. */
	cs_err (*instance)(void *ctx, const char *const value[CS_DICOM_TAGS]);
	/* An image that somebody pointed at. */
	cs_err (*key)(void *ctx, const char *sop_instance, const char *title,
	    const char *note);
	/* Where a study is: the address as the manifest has it. */
	cs_err (*address)(void *ctx, const char *study, const char *url);
};

#endif
