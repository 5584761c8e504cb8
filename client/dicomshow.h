#ifndef CS_CLIENT_DICOMSHOW_H
#define CS_CLIENT_DICOMSHOW_H

#include "proto/base/err.h"

/* Most that a rendered image may take, and how long it may take. */
#define CS_DICOMSHOW_BYTES   (24 << 20)
#define CS_DICOMSHOW_SECONDS 20

/*
 * Renders the first frame of a DICOM image as PNG by dcmtk's dcmj2pnm or
 * dcm2pnm, with the first window of the file, in a process of its own that may
 * use so much time and space.
 *   in_fd   the file; need not have a name
 *   out_fd  an empty file that PNG is written to; to be thrown away after a
 *           failure
 * CS_OK, CS_NOT_FOUND (neither program is installed), CS_UNSUPPORTED (it is no
 * image they show, or it takes too much), CS_IO.
 */
CS_MUST_USE cs_err cs_dicomshow(int in_fd, int out_fd);

#endif
