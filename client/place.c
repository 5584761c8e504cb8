#include "client/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/segfile.h"
#include "proto/text.h"

#define NAME_MAX_BYTES 180 /* room for a suffix */
#define TYPE_MAX_BYTES 16  /* ".nii.gz" and the like */
#define SUFFIX_MAX     10000
#define TMP_BYTES      48

/* -------------------------------------------------------------------- names */

/* What follows the last separator of any system. */
static struct cs_bytes
last_component(struct cs_bytes v)
{
	size_t i;

	for (i = v.n; i > 0; i--)
		if (v.p[i - 1] == '/' || v.p[i - 1] == '\\')
			return (struct cs_bytes){ v.p + i, v.n - i };
	return v;
}

static bool
is_plain(uint8_t c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
}

/* Where the type begins: the last dot, unless what follows is long. */
static size_t
type_at(struct cs_bytes v)
{
	size_t i;

	for (i = v.n; i > 1 && v.n - i < TYPE_MAX_BYTES; i--)
		if (v.p[i - 1] == '.')
			return i - 1;
	return v.n;
}

/* Longest part of v below max that does not cut a UTF-8 character. */
static size_t
cut(struct cs_bytes v, size_t max)
{
	size_t n = v.n < max ? v.n : max;

	while (n > 0 && n < v.n && (v.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void
cs_place_name(struct cs_bytes label, char ret[static CS_PLACE_NAME_BYTES])
{
	struct cs_buf shown = { 0 };
	struct cs_bytes v;
	size_t i, at, n;

	cs_text_show(last_component(label), false, &shown);
	if (cs_buf_err(&shown) != CS_OK)
		cs_buf_reset(&shown);
	for (i = 0; i < shown.n; i++)
		if (!is_plain(shown.p[i]))
			shown.p[i] = '_';
	for (i = 0; i < shown.n && (shown.p[i] == '.' || shown.p[i] == '-');
	     i++)
		shown.p[i] = '_';
	v = cs_buf_view(&shown);
	at = type_at(v);
	n = cut((struct cs_bytes){ v.p, at }, NAME_MAX_BYTES);
	if (v.n == 0)
		snprintf(ret, CS_PLACE_NAME_BYTES, "attachment");
	else
		snprintf(ret, CS_PLACE_NAME_BYTES, "%.*s%.*s", (int)n,
		    (const char *)v.p, (int)(v.n - at), (const char *)v.p + at);
	cs_buf_fini(&shown);
}

/* name, name-2, name-3, … before the type. */
static void
with_suffix(const char *name, int i, char ret[static CS_PLACE_NAME_BYTES])
{
	const struct cs_bytes v = cs_bytes_str(name);
	const size_t at = type_at(v);

	if (i < 2)
		snprintf(ret, CS_PLACE_NAME_BYTES, "%s", name);
	else
		snprintf(ret, CS_PLACE_NAME_BYTES, "%.*s-%d%s", (int)at, name,
		    i, name + at);
}

/* ------------------------------------------------------------------ placing */

/* CS_EXISTS where the name is taken: nothing is ever replaced. */
static cs_err
give_name(int dirfd, const char *tmp, const char *name)
{
	int rc = renameat2(dirfd, tmp, dirfd, name, RENAME_NOREPLACE);

	/* A file system without that: a second name, then without the first. */
	if (rc != 0 && (errno == EINVAL || errno == ENOSYS)) {
		rc = linkat(dirfd, tmp, dirfd, name, 0);
		if (rc == 0)
			rc = unlinkat(dirfd, tmp, 0);
	}
	if (rc == 0)
		return CS_OK;
	return errno == EEXIST ? CS_EXISTS : CS_IO;
}

static cs_err
name_it(int dirfd, const char *tmp, struct cs_bytes label,
    char ret_name[static CS_PLACE_NAME_BYTES])
{
	char name[CS_PLACE_NAME_BYTES], full[CS_PLACE_NAME_BYTES];
	cs_err e = CS_EXISTS;
	int i;

	cs_place_name(label, name);
	for (i = 1; i < SUFFIX_MAX && e == CS_EXISTS; i++) {
		with_suffix(name, i, full);
		e = give_name(dirfd, tmp, full);
	}
	if (e == CS_OK)
		memcpy(ret_name, full, sizeof(full));
	return e;
}

cs_err
cs_place_object(int dirfd, const char *path,
    const struct cs_manifest_object *object,
    char ret_name[static CS_PLACE_NAME_BYTES])
{
	char tmp[TMP_BYTES], hex[2 * 8 + 1];
	uint8_t random[8];
	int fd;
	cs_err e;

	randombytes_buf(random, sizeof(random));
	cs_text_hex(CS_BYTES(random), hex);
	snprintf(tmp, sizeof(tmp), ".consil-%s", hex);
	fd = openat(dirfd, tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == ENOSPC || errno == EDQUOT ? CS_FULL : CS_IO;
	CS_TRY(cs_segfile_unseal(path, object, fd));
	if (fsync(fd) != 0) {
		e = errno == ENOSPC || errno == EDQUOT ? CS_FULL : CS_IO;
		goto out;
	}
	CS_TRY(name_it(dirfd, tmp, object->name, ret_name));
out:
	close(fd);
	if (e != CS_OK)
		unlinkat(dirfd, tmp, 0);
	return e;
}
