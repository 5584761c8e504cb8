/*
 * Another wall clock, for LD_PRELOAD: CONSIL_CLOCK_SHIFT seconds are added, or
 * what the file CONSIL_CLOCK_FILE says at that moment. A second number there is
 * added to CLOCK_BOOTTIME: with both, time passes; with the first alone, the
 * wall clock steps. Clocks that only measure how long something takes are left
 * alone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h> /* syscall */

static void
shifts(time_t *ret_wall, time_t *ret_boot)
{
	const char *text = getenv("CONSIL_CLOCK_SHIFT");
	const char *path = getenv("CONSIL_CLOCK_FILE");
	char content[64] = "", *end;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	*ret_wall = *ret_boot = 0;
	if (fd >= 0) {
		if (read(fd, content, sizeof(content) - 1) > 0)
			text = content;
		close(fd);
	}
	if (!text)
		return;
	*ret_wall = (time_t)strtoll(text, &end, 10);
	*ret_boot = (time_t)strtoll(end, NULL, 10);
}

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	long r = syscall(SYS_clock_gettime, clock, ret);
	time_t wall, boot;

	if (r != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
		return (int)r;
	shifts(&wall, &boot);
	ret->tv_sec += clock == CLOCK_REALTIME ? wall : boot;
	return 0;
}

time_t
time(time_t *ret)
{
	struct timespec now;
	time_t t;

	clock_gettime(CLOCK_REALTIME, &now);
	t = now.tv_sec;
	if (ret != NULL)
		*ret = t;
	return t;
}
