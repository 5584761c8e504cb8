#include "client/cli/notify.h"

#include <sodium.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/present.h"

extern char **environ;

static bool
is_in(const char *folder, size_t n, const char *program)
{
	char path[4096];

	return snprintf(path, sizeof(path), "%.*s/%s", (int)n, folder,
		   program) < (int)sizeof(path) &&
	       access(path, X_OK) == 0;
}

/* As posix_spawnp will look for it. */
static bool
is_found(const char *program)
{
	const char *at = getenv("PATH");

	if (strchr(program, '/'))
		return access(program, X_OK) == 0;
	while (at && *program) {
		size_t n = strcspn(at, ":");

		if (is_in(n ? at : ".", n ? n : 1, program))
			return true;
		at = at[n] ? at + n + 1 : NULL;
	}
	return false;
}

cs_err
cs_notify_init(struct cs_notify *n, const char *program, struct cs_why *why)
{
	*n = (struct cs_notify){ .program = program };
	if (!program || is_found(program))
		return CS_OK;
	cs_why_set(why, "--notify %s: no such program", program);
	return CS_NOT_FOUND;
}

/* A free place, after those that ended were taken off; NULL: none. */
static int *
free_place(struct cs_notify *n)
{
	int *found = NULL;

	for (size_t i = 0; i < CS_NOTIFY_AT_ONCE; i++) {
		if (n->running[i] && waitpid(n->running[i], NULL, WNOHANG) != 0)
			n->running[i] = 0;
		if (!n->running[i])
			found = &n->running[i];
	}
	return found;
}

static int
start(char *const *argv, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return rc;
	/* stdout is what the verb was asked for */
	rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, 2, 1);
	if (rc == 0)
		rc = posix_spawnp(ret, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

void
cs_notify_tell(struct cs_notify *n, const char *event,
    const uint8_t id[static CS_ID_BYTES], const char *reason)
{
	char hex[2 * CS_ID_BYTES + 1];
	const char *argv[] = { n->program, event, hex, reason, NULL };
	int *place;
	pid_t pid;
	int rc;

	if (!n->program)
		return;
	place = free_place(n);
	if (!place) {
		cs_present_note(CS_CLI_NAME,
		    "%s: %d of it are still running, this event is not told",
		    n->program, CS_NOTIFY_AT_ONCE);
		return;
	}
	sodium_bin2hex(hex, sizeof(hex), id, CS_ID_BYTES);
	rc = start((char *const *)(uintptr_t)argv, &pid);
	if (rc == 0)
		*place = pid;
	else
		cs_present_note(CS_CLI_NAME, "%s: %s", n->program,
		    strerror(rc));
}
