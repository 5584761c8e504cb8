#ifndef CS_CLIENT_LEAFFILE_H
#define CS_CLIENT_LEAFFILE_H

#include "client/why.h"
#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * A mirror of the directory log in two files of a folder: `leaves`, to which
 * it only appends (u32 length ‖ leaf each), and `checkpoint`, the newest note,
 * replaced whole. Leaves are durable before the note that covers them, so that
 * a crash leaves at most leaves that no note covers: they are cut off.
 */
struct cs_leaffile;

/*
 * Opens or makes the files, and replays them, every signature included.
 *   dir  folder, there; borrowed for the life of it
 *   why  for the failure; may be NULL
 * CS_OK, CS_CORRUPT (leaves and checkpoint do not fit), CS_DENIED (others may
 * read them), CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_leaffile_open(const char *dir,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES], struct cs_why *why,
    struct cs_leaffile **ret);
void cs_leaffile_close(struct cs_leaffile *f);

/* What is kept: the mirror, exactly the leaves of the note; the note, empty
 * before the first; what it says, size 0 before the first. Borrowed. */
struct cs_directory *cs_leaffile_directory(struct cs_leaffile *f);
struct cs_bytes cs_leaffile_note(const struct cs_leaffile *f);
const struct cs_checkpoint *cs_leaffile_checkpoint(const struct cs_leaffile *f);

/*
 * The directory was grown by the caller up to this note, which it checked: both
 * become durable. What is kept already costs nothing.
 * CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY: nothing can be relied on but what a
 * cs_leaffile_open anew finds.
 */
CS_MUST_USE cs_err cs_leaffile_keep(struct cs_leaffile *f, struct cs_bytes note,
    const struct cs_checkpoint *cp);

#endif
