#ifndef CS_KEYS_ADMIN_TRAIL_H
#define CS_KEYS_ADMIN_TRAIL_H

#include <jansson.h>

#include "keys/directory.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/* Where what the log says about a subject came from: its first entry and its
 * newest one. */
struct cs_trail {
	uint32_t n;                 /* entries of that chain */
	uint64_t since_s, newest_s; /* when the relay logged them */
	uint8_t first_by[CS_ID_BYTES], by[CS_ID_BYTES]; /* who signed them */
};

/* Follows the chain that ends with this entry. CS_OK, CS_NOT_FOUND,
 * CS_MALFORMED (never of a mirror: it was decoded before). */
CS_MUST_USE cs_err cs_trail_read(const struct cs_directory *dir, uint64_t entry,
    struct cs_trail *ret);

/* The entry before this one of its chain, or CS_ENTRY_NO_PREV. CS_OK,
 * CS_NOT_FOUND, CS_MALFORMED. */
CS_MUST_USE cs_err cs_trail_before(const struct cs_directory *dir,
    uint64_t entry, uint64_t *ret);

/* What an organisation entry says; views borrow from dir. CS_OK, CS_NOT_FOUND,
 * CS_MALFORMED (also: it is another kind of entry). */
CS_MUST_USE cs_err cs_trail_organisation(const struct cs_directory *dir,
    uint64_t entry, struct cs_entry_organisation *ret);

/* Adds "since", "by", "changed" and, of a revoked subject, "revoked": what it
 * says, who said so and when. Returns object, NULL without memory. */
json_t *cs_trail_json(json_t *object, const struct cs_directory *dir,
    uint64_t entry, const uint8_t id[static CS_ID_BYTES]);

/* Says on stdout how and why a subject ended; nothing where it did not. */
void cs_trail_print_end(const struct cs_directory *dir,
    const uint8_t id[static CS_ID_BYTES]);

#endif
