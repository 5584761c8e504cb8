#ifndef CS_TESTS_SUPPORT_BARE_H
#define CS_TESTS_SUPPORT_BARE_H

#include <stddef.h>
#include <stdint.h>

/*
 * LMDB and nothing of ours: what the store is held against. Values are put
 * under ascending keys, some of them in one durable commit.
 */
struct bare; /* an environment of its own */

/* In the new folder path; each commit puts `group` values of `bytes` bytes.
 * A failure ends the process (tests/support/bench.h). */
struct bare *bare_open(const char *path, unsigned group, size_t bytes);

/* One commit; ctx is a struct bare. */
void bare_put(void *ctx);

/* Closes it and removes the folder. */
void bare_close(struct bare *b);

#endif
