/*
 * A disk that takes its time, for LD_PRELOAD: every sync, and every write
 * through a descriptor that syncs each write, ends CONSIL_SYNC_MS milliseconds
 * later than it would. (LMDB commits by one fdatasync and one write of its
 * meta page through an O_DSYNC descriptor.)
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
delay(void)
{
	const char *text = getenv("CONSIL_SYNC_MS");
	long ms = text ? strtol(text, NULL, 10) : 0;
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	if (ms > 0)
		nanosleep(&t, NULL);
}

int
fsync(int fd)
{
	long r = syscall(SYS_fsync, fd);

	delay();
	return (int)r;
}

int
fdatasync(int fd)
{
	long r = syscall(SYS_fdatasync, fd);

	delay();
	return (int)r;
}

static ssize_t
synced_pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t r = syscall(SYS_pwrite64, fd, p, n, at);
	int flags = fcntl(fd, F_GETFL);

	if (flags != -1 && (flags & O_DSYNC) != 0)
		delay();
	return r;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return synced_pwrite(fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return synced_pwrite(fd, p, n, at);
}
