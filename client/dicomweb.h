#ifndef CS_CLIENT_DICOMWEB_H
#define CS_CLIENT_DICOMWEB_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Addresses of DICOMweb (PS3.18 section 10.4.1):
 * {base}/studies/{study}/series/{series}/instances/{instance}.
 */

/*
 * Checks and takes apart the address of a study or of the service itself:
 * http(s)://host[:port]/path, of letters, digits and `-._~%/:[]` only, so that
 * nothing in it means something else to a library, a log or a terminal. No user
 * name, query or fragment.
 *   ret_base   the part before "/studies/", without a slash at its end
 *   ret_study  the UID after it, empty: the service's own address
 * CS_OK, CS_MALFORMED.
 */
CS_MUST_USE cs_err cs_dicomweb_split(struct cs_bytes url,
    struct cs_bytes *ret_base, struct cs_bytes *ret_study);

/* Whether it is an https address. */
bool cs_dicomweb_is_https(struct cs_bytes url);

/* The host of any such address, lower or upper case as written, without port
 * and brackets; empty for what is none. */
struct cs_bytes cs_dicomweb_host(struct cs_bytes url);

/* Whether the host is this machine: 127.0.0.0/8, ::1 or localhost. */
bool cs_dicomweb_is_loopback(struct cs_bytes url);

/* Appends the address of a study, or with series and instance of one of its
 * instances. */
void cs_dicomweb_study_url(struct cs_bytes base, struct cs_bytes study,
    struct cs_buf *out);
void cs_dicomweb_instance_url(struct cs_bytes base, struct cs_bytes study,
    struct cs_bytes series, struct cs_bytes instance, struct cs_buf *out);

#endif
