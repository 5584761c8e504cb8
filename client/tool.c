#include "client/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static cs_err
spawn(const char *const *argv, const char *package, int write_end,
    pid_t *ret_pid, struct cs_why *why)
{
	posix_spawn_file_actions_t actions;
	int rc;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return CS_NO_MEMORY;
	rc = posix_spawn_file_actions_adddup2(&actions, write_end, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
		    O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawnp(ret_pid, argv[0], &actions, NULL,
		    (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc == ENOENT) {
		cs_why_set(why,
		    "this needs the program %s: install the package %s",
		    argv[0], package);
		return CS_NOT_FOUND;
	}
	if (rc != 0)
		cs_why_set(why, "%s cannot be started: %s", argv[0],
		    strerror(rc));
	return rc == 0 ? CS_OK : CS_IO;
}

cs_err
cs_tool_start(const char *const *argv, const char *package, struct cs_tool *ret,
    struct cs_why *why)
{
	int ends[2] = { -1, -1 };
	struct cs_tool t = { .pid = -1 };
	cs_err e;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return CS_IO;
	CS_TRY(spawn(argv, package, ends[1], &t.pid, why));
	t.out = fdopen(ends[0], "r");
	if (!t.out) {
		kill(t.pid, SIGTERM);
		waitpid(t.pid, NULL, 0);
		e = CS_NO_MEMORY;
		goto out;
	}
	ends[0] = -1;
	*ret = t;
out:
	if (ends[0] >= 0)
		close(ends[0]);
	close(ends[1]);
	return e;
}

int
cs_tool_end(struct cs_tool *t)
{
	int status = 0;

	fclose(t->out);
	while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

cs_err
cs_tool_read(const char *const *argv, const char *package, size_t max,
    struct cs_buf *out, struct cs_why *why)
{
	const size_t before = out->n;
	struct cs_tool t;
	uint8_t chunk[16u << 10];
	cs_err e;
	size_t n;

	CS_TRY(cs_tool_start(argv, package, &t, why));
	while (e == CS_OK && (n = fread(chunk, 1, sizeof(chunk), t.out)) > 0) {
		if (n > max - (out->n - before))
			e = CS_TOO_LARGE;
		else
			cs_buf_put(out, chunk, n);
	}
	if (e == CS_OK && ferror(t.out))
		e = CS_IO;
	if (cs_tool_end(&t) != 0 && e == CS_OK)
		e = CS_MALFORMED;
	if (e == CS_OK)
		e = cs_buf_err(out);
out:
	return e;
}

/* ------------------------------------------------------------- files in memory
 */

int
cs_tool_file(struct cs_bytes content)
{
	int fd = memfd_create("consil", 0);

	while (fd >= 0 && content.n > 0) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return -1;
		}
		content.p += n;
		content.n -= (size_t)n;
	}
	return fd;
}

cs_err
cs_tool_take(int fd, struct cs_buf *out)
{
	struct stat st;
	uint8_t *p;
	off_t at = 0;

	if (fstat(fd, &st) != 0)
		return CS_IO;
	if (st.st_size == 0)
		return CS_NOTHING;
	p = cs_buf_extend(out, (size_t)st.st_size);
	while (p && at < st.st_size) {
		ssize_t n = pread(fd, p + at, (size_t)(st.st_size - at), at);

		if (n <= 0)
			return CS_IO;
		at += n;
	}
	return cs_buf_err(out);
}

void
cs_tool_path(int fd, char ret[static CS_TOOL_PATH_BYTES])
{
	snprintf(ret, CS_TOOL_PATH_BYTES, "/proc/self/fd/%d", fd);
}
