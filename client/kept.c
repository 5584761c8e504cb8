#include "client/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name is in one folder or the other, whatever breaks off. */
static cs_err
rename_folder(const struct cs_home *h, const uint8_t *id, const char *from)
{
	char to[CS_HOME_PATH_BYTES], above[CS_HOME_PATH_BYTES];
	cs_err e;

	cs_home_path(h, CS_HOME_SENT, NULL, NULL, above);
	cs_home_path(h, CS_HOME_SENT, id, NULL, to);
	CS_TRY(cs_home_make(above));
	if (rename(from, to) != 0)
		e = errno == ENOSPC || errno == EDQUOT ? CS_FULL : CS_IO;
out:
	return e;
}

static void
drop_envelope(int folder)
{
	unlinkat(folder, CS_HOME_ENVELOPE, 0);
}

cs_err
cs_kept_move(const struct cs_home *h, const uint8_t id[static CS_ID_BYTES])
{
	char from[CS_HOME_PATH_BYTES];
	int folder;

	cs_home_path(h, CS_HOME_SPOOL, id, NULL, from);
	folder = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0)
		return errno == ENOENT ? CS_OK : CS_IO;
	/* custody is proved: what it was sealed into is not needed again */
	drop_envelope(folder);
	close(folder);
	if (rmdir(from) == 0 || errno == ENOENT)
		return CS_OK;
	return rename_folder(h, id, from);
}

void
cs_kept_path(const struct cs_home *h, const uint8_t id[static CS_ID_BYTES],
    const uint8_t object_id[static CS_ID_BYTES],
    char ret[static CS_HOME_PATH_BYTES])
{
	struct stat st;

	/* It only ever moves one way: looked for in that order, it is found. */
	cs_home_path(h, CS_HOME_SPOOL, id, object_id, ret);
	if (stat(ret, &st) != 0)
		cs_home_path(h, CS_HOME_SENT, id, object_id, ret);
}

cs_err
cs_kept_remove(const struct cs_home *h, const uint8_t id[static CS_ID_BYTES])
{
	cs_err e;

	CS_TRY(cs_home_remove(h, CS_HOME_SPOOL, id));
	CS_TRY(cs_home_remove(h, CS_HOME_SENT, id));
out:
	return e;
}
