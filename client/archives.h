#ifndef CS_CLIENT_ARCHIVES_H
#define CS_CLIENT_ARCHIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"
#include "proto/manifest.h"

/*
 * Archives of practices: DESIGN 10. A practice may have a member whose only
 * role is to keep a copy of what its members send and get. That is in the log,
 * and every sender seals to its devices, names them in M and says so: there is
 * no other escrow.
 */

/* Practices that have to do with a message; `{ 0 }` is none. */
struct cs_archives {
	struct cs_buf practices; /* packed ids, each once */
};
void cs_archives_fini(struct cs_archives *a);

/* Adds the practice of a member; *ret_new, if not NULL, tells whether it was
 * not there. CS_OK, CS_NOT_FOUND (no such member), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_archives_add(struct cs_archives *a,
    const struct cs_directory *d, const uint8_t member_id[static CS_ID_BYTES],
    bool *ret_new);

/* Next member that keeps the archive of one of the practices and has a device
 * that can be sealed to; *pos starts at 0. CS_OK, CS_NOT_FOUND at the end. */
CS_MUST_USE cs_err cs_archives_next(const struct cs_archives *a,
    const struct cs_directory *d, uint64_t now_s, uint32_t *pos,
    struct cs_directory_member *ret);

/* Adds every practice that has an archive now. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_archives_add_all(struct cs_archives *a,
    const struct cs_directory *d, uint64_t now_s);

/* Whether a practice was added. */
bool cs_archives_has(const struct cs_archives *a,
    const uint8_t practice[static CS_ID_BYTES]);

/* Calls each with the name of every practice whose archive a signed message is
 * sealed to. CS_OK, CS_NO_MEMORY and what each returns. */
typedef cs_err cs_archives_of(void *ctx, struct cs_bytes practice);
CS_MUST_USE cs_err cs_archives_each(const struct cs_directory *d,
    const struct cs_manifest *m, cs_archives_of *each, void *ctx);

/* Whether a member keeps an archive. */
bool cs_archives_keeps(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES]);

/* What the practice of a member is called; empty if it is not in the log. */
struct cs_bytes cs_archives_practice(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES]);

#endif
