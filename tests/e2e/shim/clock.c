/*
 * Another wall clock, for LD_PRELOAD: CONSIL_CLOCK_SHIFT seconds are added, or
 * what the file CONSIL_CLOCK_FILE says at that moment.
 * Clocks that only measure how long something takes are left alone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h> /* syscall */

static time_t
shift(void)
{
	const char *text = getenv("CONSIL_CLOCK_SHIFT");
	const char *path = getenv("CONSIL_CLOCK_FILE");
	char content[32] = "";
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		if (read(fd, content, sizeof(content) - 1) > 0)
			text = content;
		close(fd);
	}
	return text ? (time_t)strtoll(text, NULL, 10) : 0;
}

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	long r = syscall(SYS_clock_gettime, clock, ret);

	if (r == 0 && clock == CLOCK_REALTIME)
		ret->tv_sec += shift();
	return (int)r;
}

time_t
time(time_t *ret)
{
	struct timespec now;
	time_t t;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	t = now.tv_sec + shift();
	if (ret != NULL)
		*ret = t;
	return t;
}
