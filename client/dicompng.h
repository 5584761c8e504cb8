#ifndef CS_CLIENT_DICOMPNG_H
#define CS_CLIENT_DICOMPNG_H

#include "client/why.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"

/* Longest side that is asked for. */
#define CS_DICOMPNG_PIXELS 4096

/*
 * Renders a DICOM image as PNG by dcmtk's dcmj2pnm, with the window that the
 * file names, else with one over all its values; of several frames the first.
 *   fd    of cs_tool_file: the plaintext is in no file with a name
 *   size  columns of the picture in pixels, 1..CS_DICOMPNG_PIXELS
 *   out   appended
 * CS_OK, CS_MALFORMED (no image, or one that dcmtk does not draw), CS_NOT_FOUND
 * (dcmtk is not installed), CS_TOO_LARGE, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_dicompng(int fd, unsigned size, struct cs_buf *out,
    struct cs_why *why);

#endif
