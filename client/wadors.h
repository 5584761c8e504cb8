#ifndef CS_CLIENT_WADORS_H
#define CS_CLIENT_WADORS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/why.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Instances from a DICOMweb archive (WADO-RS, PS3.18 section 10.4) by libcurl,
 * one after the other over one connection. Whatever the archive answers: no
 * redirect is followed, no more than asked for is taken, nothing waits for
 * ever.
 */
struct cs_wadors_options {
	/* The user named the address, not a sender: then it may lie in a
	 * private network, be http on this machine, and is given credentials.
	 */
	bool is_named;
	const char *netrc_path;  /* user names and passwords, or NULL */
	const char *header_path; /* lines of HTTP headers, 0600, or NULL */
	const char *ca_path;     /* certificates to trust instead, or NULL */
	/* set by a signal handler: ends a retrieval; or NULL */
	const volatile sig_atomic_t *stop;
};

struct cs_wadors;

/* CS_OK; CS_USAGE (credentials for an address that is not named, a header file
 * that holds none); CS_NOT_FOUND, CS_DENIED (it is open to others), CS_IO;
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_wadors_new(const struct cs_wadors_options *options,
    struct cs_why *why, struct cs_wadors **ret);
void cs_wadors_free(struct cs_wadors *w);

/* Takes bytes of the instance; an error ends the retrieval. */
typedef cs_err cs_wadors_sink(void *ctx, struct cs_bytes v);

/*
 *   url        checked by cs_dicomweb_split
 *   max_bytes  of the instance; more is CS_ALTERED
 * CS_OK; CS_USAGE (no https); CS_DENIED (a private address that is not named,
 * credentials refused); CS_NOT_FOUND; CS_MALFORMED (no such answer);
 * CS_UNREACHABLE, CS_TIMEOUT, CS_CLOSED (also: stopped); CS_BAD_SIGNATURE
 * (certificate); what sink returned.
 */
CS_MUST_USE cs_err cs_wadors_get(struct cs_wadors *w, const char *url,
    uint64_t max_bytes, cs_wadors_sink *sink, void *ctx, struct cs_why *why);

/* Whether an address (struct sockaddr_in or _in6) belongs to the internet at
 * large, not to this machine, a private network or one of special use. */
struct sockaddr;
bool cs_wadors_is_public(const struct sockaddr *sa);

#endif
