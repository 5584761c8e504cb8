#include "client/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/text.h"

#define LOCK_POLL_MS 50
/* Room for "/name/<id>/<id>" behind the home. */
#define TAIL_BYTES (2 * (2 * CS_ID_BYTES + 1) + 64)

struct cs_home {
	char dir[CS_HOME_PATH_BYTES - TAIL_BYTES];
	int lock_fd; /* -1: not held */
};

static cs_err
io_err(void)
{
	return errno == ENOSPC || errno == EDQUOT ? CS_FULL : CS_IO;
}

cs_err
cs_home_locate(const char *dir, char *ret, size_t n)
{
	const char *home = getenv("CONSIL_HOME");
	const char *xdg = getenv("XDG_DATA_HOME");
	const char *user = getenv("HOME");
	int len;

	if (dir && *dir)
		len = snprintf(ret, n, "%s", dir);
	else if (home && *home)
		len = snprintf(ret, n, "%s", home);
	else if (xdg && *xdg == '/')
		len = snprintf(ret, n, "%s/consil", xdg);
	else if (user && *user == '/')
		len = snprintf(ret, n, "%s/.local/share/consil", user);
	else
		return CS_BAD_CONFIG;
	return len < 0 || (size_t)len >= n ? CS_BAD_CONFIG : CS_OK;
}

cs_err
cs_home_make(const char *path)
{
	char part[CS_HOME_PATH_BYTES];
	size_t i, n = strlen(path);

	for (i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return io_err();
	}
	return CS_OK;
}

/* Ours alone; a folder the user made for us with a plain mkdir is closed. */
static cs_err
check_private(const char *dir, bool create, struct cs_why *why)
{
	struct stat st;

	if (stat(dir, &st) != 0) {
		if (errno != ENOENT && errno != ENOTDIR) {
			cs_why_set(why, "%s: %s", dir, strerror(errno));
			return CS_IO;
		}
		cs_why_set(why,
		    "%s: nobody is enrolled here; run `consil join "
		    "INVITATION`, or set CONSIL_HOME",
		    dir);
		return CS_NOT_FOUND;
	}
	if (!S_ISDIR(st.st_mode)) {
		cs_why_set(why, "%s: not a directory", dir);
		return CS_BAD_CONFIG;
	}
	/* Its owner may replace every file in it, keyring and spool too. */
	if (st.st_uid != geteuid()) {
		cs_why_set(why,
		    "%s: belongs to another user; run as that user, or set "
		    "CONSIL_HOME to a folder of your own",
		    dir);
		return CS_DENIED;
	}
	if ((st.st_mode & 077) == 0)
		return CS_OK;
	if (create && chmod(dir, 0700) == 0)
		return CS_OK;
	cs_why_set(why, "%s: others may enter it; run `chmod 700 %s`", dir,
	    dir);
	return CS_DENIED;
}

cs_err
cs_home_open(const char *dir, bool create, struct cs_why *why,
    struct cs_home **ret)
{
	struct cs_home *h = calloc(1, sizeof(*h));
	cs_err e;

	if (!h)
		return CS_NO_MEMORY;
	h->lock_fd = -1;
	e = cs_home_locate(dir, h->dir, sizeof(h->dir));
	if (e != CS_OK)
		cs_why_set(why, "no place for the home: set CONSIL_HOME");
	CS_TRY(e);
	if (create) {
		e = cs_home_make(h->dir);
		if (e != CS_OK)
			cs_why_set(why, "%s: %s", h->dir, strerror(errno));
		CS_TRY(e);
	}
	CS_TRY(check_private(h->dir, create, why));
	*ret = h;
	h = NULL;
out:
	cs_home_close(h);
	return e;
}

void
cs_home_close(struct cs_home *h)
{
	if (!h)
		return;
	cs_home_unlock(h);
	free(h);
}

const char *
cs_home_dir(const struct cs_home *h)
{
	return h->dir;
}

void
cs_home_path(const struct cs_home *h, const char *name, const uint8_t *id,
    const uint8_t *id2, char ret[static CS_HOME_PATH_BYTES])
{
	char hex[2 * CS_ID_BYTES + 1] = "", hex2[2 * CS_ID_BYTES + 1] = "";

	if (id)
		cs_text_hex((struct cs_bytes){ id, CS_ID_BYTES }, hex);
	if (id2)
		cs_text_hex((struct cs_bytes){ id2, CS_ID_BYTES }, hex2);
	snprintf(ret, CS_HOME_PATH_BYTES, "%s/%s%s%s%s%s", h->dir, name,
	    id ? "/" : "", hex, id2 ? "/" : "", hex2);
}

cs_err
cs_home_mkdir(const struct cs_home *h, const char *name, const uint8_t *id)
{
	char path[CS_HOME_PATH_BYTES];

	cs_home_path(h, name, id, NULL, path);
	return cs_home_make(path);
}

cs_err
cs_home_remove(const struct cs_home *h, const char *name,
    const uint8_t id[static CS_ID_BYTES])
{
	char path[CS_HOME_PATH_BYTES];
	const struct dirent *d;
	cs_err e = CS_OK;
	DIR *dir;

	cs_home_path(h, name, id, NULL, path);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? CS_OK : CS_IO;
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), d->d_name, 0) != 0)
			e = CS_IO;
	}
	closedir(dir);
	if (rmdir(path) != 0 && errno != ENOENT)
		e = CS_IO;
	return e;
}

cs_err
cs_home_lock(struct cs_home *h, unsigned wait_ms)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };
	char path[CS_HOME_PATH_BYTES];
	unsigned waited = 0;
	int fd;

	if (h->lock_fd >= 0)
		return CS_OK;
	cs_home_path(h, "lock", NULL, NULL, path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return io_err();
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK && waited >= wait_ms) {
			close(fd);
			return CS_BUSY;
		}
		if (errno != EWOULDBLOCK && errno != EINTR) {
			close(fd);
			return CS_IO;
		}
		nanosleep(&pause, NULL);
		waited += LOCK_POLL_MS;
	}
	h->lock_fd = fd;
	return CS_OK;
}

void
cs_home_unlock(struct cs_home *h)
{
	if (h->lock_fd >= 0)
		close(h->lock_fd);
	h->lock_fd = -1;
}
