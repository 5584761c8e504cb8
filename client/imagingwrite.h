#ifndef CS_CLIENT_IMAGINGWRITE_H
#define CS_CLIENT_IMAGINGWRITE_H

#include "client/imaging.h"
#include "proto/base/buf.h"

/* Begins a case file (cs_casefile_encode_begin) and writes all studies of what
 * was checked; the caller ends it. Also right for none. */
void cs_imagingwrite(const struct cs_imaging *im, struct cs_buf *out);

#endif
