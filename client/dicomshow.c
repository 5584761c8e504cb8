#include "client/dicomshow.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* The descriptors as the program sees them; no file of ours has a name. */
#define IN_FD   5
#define MEMORY  (UINT64_C(2) << 30)
#define TICK_NS 20000000
#define TICKS   (CS_DICOMSHOW_SECONDS * 50)

/* The image goes to standard output. */
static const char *const programs[][7] = {
	{ "dcmj2pnm", "-q", "--write-png", "+Wi", "1", "/dev/fd/5", NULL },
	{ "dcm2pnm", "-q", "--write-png", "+Wi", "1", "/dev/fd/5", NULL },
};

/* What it reads was written by a stranger: it gets so much, no more. */
static void
bound(pid_t pid)
{
	const struct rlimit cpu = { CS_DICOMSHOW_SECONDS,
		CS_DICOMSHOW_SECONDS },
			    memory = { MEMORY, MEMORY },
			    file = { CS_DICOMSHOW_BYTES, CS_DICOMSHOW_BYTES };

	(void)prlimit(pid, RLIMIT_CPU, &cpu, NULL);
	(void)prlimit(pid, RLIMIT_AS, &memory, NULL);
	(void)prlimit(pid, RLIMIT_FSIZE, &file, NULL);
}

static cs_err
spawn(const char *const *argv, int in_fd, int out_fd, pid_t *ret_pid)
{
	posix_spawn_file_actions_t a;
	int rc;

	if (posix_spawn_file_actions_init(&a) != 0)
		return CS_NO_MEMORY;
	rc = posix_spawn_file_actions_adddup2(&a, out_fd, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&a, in_fd, IN_FD);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&a, 0, "/dev/null",
		    O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&a, 2, "/dev/null",
		    O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawnp(ret_pid, argv[0], &a, NULL,
		    (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&a);
	return rc == 0 ? CS_OK : rc == ENOENT ? CS_NOT_FOUND : CS_IO;
}

/* Whether it ended by itself, in time and well. */
static bool
wait_for(pid_t pid)
{
	const struct timespec tick = { 0, TICK_NS };
	int status = -1;

	for (int i = 0; i < TICKS; i++) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		if (got < 0 && errno != EINTR)
			return false;
		nanosleep(&tick, NULL);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return false;
}

cs_err
cs_dicomshow(int in_fd, int out_fd)
{
	cs_err e = CS_NOT_FOUND;
	struct stat st;
	pid_t pid = -1;

	for (size_t i = 0;
	     i < sizeof(programs) / sizeof(*programs) && e == CS_NOT_FOUND; i++)
		e = spawn(programs[i], in_fd, out_fd, &pid);
	if (e != CS_OK)
		return e;
	bound(pid);
	if (!wait_for(pid))
		return CS_UNSUPPORTED;
	if (fstat(out_fd, &st) != 0)
		return CS_IO;
	return st.st_size > 0 && st.st_size < CS_DICOMSHOW_BYTES
		   ? CS_OK
		   : CS_UNSUPPORTED;
}
