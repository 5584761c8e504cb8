#ifndef CS_PROTO_MULTIPART_H
#define CS_PROTO_MULTIPART_H

#include <stdbool.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * The one part of a multipart/related answer (RFC 2387, RFC 2046 section 5.1),
 * as WADO-RS sends an instance, read as it arrives: whatever the pieces,
 * nothing is kept but the place in it. An answer that is the instance itself
 * (application/dicom) passes through.
 */
#define CS_MULTIPART_BOUNDARY_BYTES 70
#define CS_MULTIPART_HEADER_BYTES   8192 /* of the part, in all */

enum cs_multipart_state {
	CS_MULTIPART_PLAIN,     /* no parts: all is the body */
	CS_MULTIPART_PREAMBLE,  /* before the first delimiter */
	CS_MULTIPART_DELIMITED, /* after one, up to the end of its line */
	CS_MULTIPART_HEADER,    /* lines up to an empty one */
	CS_MULTIPART_BODY,
	CS_MULTIPART_DONE, /* what follows the last delimiter is ignored */
};

struct cs_multipart {
	enum cs_multipart_state state;
	/* CR LF - - boundary; a CR is nowhere else in it, so that a partial
	 * match can only begin anew at the byte that ended it */
	char delimiter[4 + CS_MULTIPART_BOUNDARY_BYTES + 1];
	size_t n_delimiter;
	size_t n_matched; /* of the delimiter, in preamble and body */
	size_t n_line;    /* of the line in a delimiter's or header's state */
	size_t n_header;
	char line[2]; /* its first bytes */
	char last;    /* byte before this one */
	unsigned n_parts;
};

/*
 *   content_type  value of that header
 * CS_OK, CS_MALFORMED (neither multipart/related with a boundary nor
 * application/dicom).
 */
CS_MUST_USE cs_err cs_multipart_init(struct cs_multipart *ret,
    struct cs_bytes content_type);

/* Takes bytes of the body; an error ends the reading and is what it returns. */
typedef cs_err cs_multipart_sink(void *ctx, struct cs_bytes v);

/* Reads on. CS_OK, CS_MALFORMED (a second part, a header too long, no line end
 * where one must be), what sink returned. */
CS_MUST_USE cs_err cs_multipart_feed(struct cs_multipart *m, struct cs_bytes v,
    cs_multipart_sink *sink, void *ctx);

/* The answer has ended. CS_OK, CS_MALFORMED (not one whole part). */
CS_MUST_USE cs_err cs_multipart_end(const struct cs_multipart *m);

#endif
