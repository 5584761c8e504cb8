/*
 * A power cut, for LD_PRELOAD: the program is killed before call number
 * CONSIL_KILL_AT of those that change a file system, from 1 on; counted from
 * when the file CONSIL_KILL_FROM exists, if one is named.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void
count(void)
{
	static atomic_long calls;
	const char *text = getenv("CONSIL_KILL_AT");
	const char *from = getenv("CONSIL_KILL_FROM");

	if (from && access(from, F_OK) != 0)
		return;
	if (text && atomic_fetch_add(&calls, 1) + 1 == atol(text))
		kill(getpid(), SIGKILL);
}

#define COUNTED(type, name, parameters, ...)                                   \
	type name parameters                                                   \
	{                                                                      \
		static type(*next) parameters;                                 \
		if (!next)                                                     \
			next = (type(*) parameters)dlsym(RTLD_NEXT, #name);    \
		count();                                                       \
		return next(__VA_ARGS__);                                      \
	}

COUNTED(ssize_t, write, (int fd, const void *p, size_t n), fd, p, n)
COUNTED(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), fd, p, n,
    at)
COUNTED(ssize_t, writev, (int fd, const struct iovec *v, int n), fd, v, n)
COUNTED(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), fd,
    v, n, at)
COUNTED(int, ftruncate, (int fd, off_t n), fd, n)
COUNTED(int, fsync, (int fd), fd)
COUNTED(int, fdatasync, (int fd), fd)
COUNTED(int, fchmod, (int fd, mode_t mode), fd, mode)
COUNTED(int, rename, (const char *from, const char *to), from, to)
COUNTED(int, link, (const char *from, const char *to), from, to)
COUNTED(int, linkat,
    (int from_fd, const char *from, int to_fd, const char *to, int flags),
    from_fd, from, to_fd, to, flags)
COUNTED(int, unlink, (const char *path), path)
COUNTED(int, mkdir, (const char *path, mode_t mode), path, mode)
COUNTED(int, rmdir, (const char *path), path)
COUNTED(int, mkostemp, (char *path, int flags), path, flags)
