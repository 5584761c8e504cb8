#ifndef CS_CLIENT_HTMLOUT_H
#define CS_CLIENT_HTMLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * A page being written, bit by bit and in bounded memory. Markup is ours and
 * constant; whatever another wrote goes through cs_htmlout_text. What goes
 * wrong is kept and told by cs_htmlout_end.
 */
struct cs_htmlout { /* begins as { .fd = … } */
	int fd;     /* borrowed */
	struct cs_buf buf;
	cs_err err;
};

/* Markup of ours. */
void cs_htmlout_raw(struct cs_htmlout *o, const char *markup);
void cs_htmlout_printf(struct cs_htmlout *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Text of others, for an element or an attribute in double quotes: control,
 * escape, bidi and invisible characters and invalid UTF-8 made visible as on a
 * terminal (cs_text_show), then & < > " ' as references.
 *   keep_lines  tab and newline pass
 */
void cs_htmlout_text(struct cs_htmlout *o, struct cs_bytes v, bool keep_lines);

/* Lower-case hex; a time in UTC, a dash for 0 or what is no time. */
void cs_htmlout_hex(struct cs_htmlout *o, struct cs_bytes v);
void cs_htmlout_time(struct cs_htmlout *o, uint64_t time_s);

/* All bytes of a file from its beginning, base64 on one line. */
void cs_htmlout_base64(struct cs_htmlout *o, int in_fd);

/* Writes what is left and frees the buffer, always. CS_OK, CS_FULL, CS_IO,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_htmlout_end(struct cs_htmlout *o);

#endif
