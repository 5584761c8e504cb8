#ifndef CS_KEYS_ADMIN_ROSTERS_H
#define CS_KEYS_ADMIN_ROSTERS_H

#include <jansson.h>

#include "keys/admin/admin.h"
#include "keys/directory.h"
#include "keys/roster.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* What the verbs of groups and services share. They are the same to everybody
 * but the people who named them. */
struct cs_rosters_kind {
	enum cs_entry_type type;
	const char *word, *other; /* "group", and what it is not */
};
extern const struct cs_rosters_kind cs_rosters_group, cs_rosters_service;

/* The newest version of what has this address. CS_OK, CS_NOT_FOUND, CS_USAGE
 * (it is of the other kind): see why. */
CS_MUST_USE cs_err cs_rosters_find(struct cs_admin *admin,
    const struct cs_rosters_kind *kind, const struct cs_directory *d,
    struct cs_bytes address, struct cs_roster *ret);

/* Who is in one. CS_OK, CS_CORRUPT (the log has no such member). */
CS_MUST_USE cs_err cs_rosters_member(const struct cs_directory *d,
    const uint8_t *id, struct cs_directory_member *ret);

/* What keeps a member from being sent to, in a word or two, or "reachable";
 * "open", "closed" or what keeps a group from it. */
const char *cs_rosters_word(cs_err e);
const char *cs_rosters_state(const struct cs_directory *d,
    const struct cs_roster *r);

/* One version beside the one before; was is NULL for the first. CS_OK, CS_IO,
 * CS_CORRUPT. */
CS_MUST_USE cs_err cs_rosters_show_version(struct cs_admin *admin,
    const struct cs_directory *d, const struct cs_roster *r,
    const struct cs_roster *was);

/* "signed by NAME"; the name alone; "3 members". */
void cs_rosters_print_registrar(const struct cs_directory *d,
    const uint8_t *id);
json_t *cs_rosters_registrar_json(const struct cs_directory *d,
    const uint8_t *id);
void cs_rosters_print_count(const struct cs_roster *r);

#endif
