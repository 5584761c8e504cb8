#ifndef CS_CLIENT_PRESENT_H
#define CS_CLIENT_PRESENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/options.h"
#include "client/why.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * How `consil` and `consil-admin` speak: what others wrote is made visible
 * before it reaches a terminal, times and JSON look the same everywhere, and
 * an error ends in one line and an exit code. Only programs call this.
 */

/* ------------------------------------------------------------------- stdout */

/* Text of others with control characters made visible; the same padded to a
 * column and two spaces. */
void cs_present_text(struct cs_bytes v, bool keep_lines);
void cs_present_cell(struct cs_bytes v, int width);

/* An id in hex; a local time, "-" for 0, in a column of 19. */
void cs_present_id(const uint8_t id[static CS_ID_BYTES]);
void cs_present_time(uint64_t time_s);

/* The twelve words of a fingerprint (proto/words.h), on two lines that begin
 * with indent. */
void cs_present_words(const uint8_t hash[static CS_HASH_BYTES],
    const char *indent);

/* "2026-11-21", local, "-" where there is no such day; "1.4 MB". Each ret
 * holds 16 bytes. */
void cs_present_date_text(uint64_t time_s, char ret[static 16]);
void cs_present_size_text(uint64_t bytes, char ret[static 16]);

/* One JSON object on a line; steals the reference. CS_OK, CS_IO,
 * CS_NO_MEMORY (also if o is NULL). */
CS_MUST_USE cs_err cs_present_json(json_t *o);

/* JSON values: text (invalid UTF-8 made visible), hex digits, those of an id,
 * the words of a fingerprint, RFC 3339 in UTC or null for 0. NULL without
 * memory. */
json_t *cs_present_json_text(struct cs_bytes v);
json_t *cs_present_json_hex(struct cs_bytes v);
json_t *cs_present_json_id(const uint8_t id[static CS_ID_BYTES]);
json_t *cs_present_json_words(const uint8_t hash[static CS_HASH_BYTES]);
json_t *cs_present_json_time(uint64_t time_s);

/* Whether all of it arrived: a full disk or a closed pipe must not pass as
 * success. CS_OK, CS_IO (see why). */
CS_MUST_USE cs_err cs_present_flush(struct cs_why *why);

/* --------------------------------------------------------------------- help */

/* The lines of an option table. */
void cs_present_options(const struct cs_option *options);

/* The last lines of a program's overview: where there is more, what its exit
 * codes mean. */
void cs_present_overview_end(FILE *to, const char *program);

/* ------------------------------------------------------------------- stderr */

/* A line that stands on the terminal until the next bar or note; NULL: none.
 * Its bytes are ours. */
void cs_present_bar(const char *line);

/* `program: text`, made visible. */
void cs_present_note(const char *program, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Says where secrets could not be locked in memory (RLIMIT_MEMLOCK); nothing
 * where all were. Once, at the end of a program. */
void cs_present_memory(const char *program);

/*
 * How a verb ended: nothing for CS_OK, else the sentence of why, what kind of
 * error it is, and after a wrong command line where help is.
 * Returns the exit code.
 */
int cs_present_end(const char *program, const char *verb,
    const struct cs_why *why, cs_err e);

#endif
