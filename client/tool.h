#ifndef CS_CLIENT_TOOL_H
#define CS_CLIENT_TOOL_H

#include <stdio.h>
#include <sys/types.h>

#include "client/why.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Programs of others that are run for what we do not parse or draw ourselves:
 * dcmtk's and chafa. Found in PATH, no shell, nothing on their standard input.
 */
struct cs_tool { /* one that runs */
	pid_t pid;
	FILE *out; /* its standard output */
};

/*
 *   argv     NULL-terminated; argv[0] is the program
 *   package  what to install where it is missing, for the sentence
 * CS_OK (then cs_tool_end is owed), CS_NOT_FOUND (not installed), CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_tool_start(const char *const *argv, const char *package,
    struct cs_tool *ret, struct cs_why *why);

/* Closes its output, waits for it and returns its exit code, 255 where a signal
 * ended it. */
int cs_tool_end(struct cs_tool *t);

/*
 * Runs it to its end and appends all it printed to out.
 *   max  bytes; more is CS_TOO_LARGE
 * CS_OK, CS_MALFORMED (it says that its input is bad: exit code not 0),
 * CS_TOO_LARGE and those of cs_tool_start.
 */
CS_MUST_USE cs_err cs_tool_read(const char *const *argv, const char *package,
    size_t max, struct cs_buf *out, struct cs_why *why);

/*
 * A file in memory, without a name, that a program we run can open by the path
 * of cs_tool_path: patient data for it are on no disk and no command line.
 * Close it with close(2). Returns -1 on failure.
 */
#define CS_TOOL_PATH_BYTES 32
int cs_tool_file(struct cs_bytes content);
void cs_tool_path(int fd, char ret[static CS_TOOL_PATH_BYTES]);

/* Appends all that is in it. CS_OK, CS_NOTHING (it is empty), CS_IO,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_tool_take(int fd, struct cs_buf *out);

#endif
