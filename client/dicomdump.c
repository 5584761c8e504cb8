#include "client/dicomdump.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *const tag_text[CS_DICOM_TAGS] = {
#define CS_DICOM(name, group, element) [CS_DICOM_##name] = #group "," #element,
	CS_DICOM_TABLE
#undef CS_DICOM
};

/*
 * +F names each file by its number, +p marks what is nested in a sequence, so
 * that a reference inside a key object is not taken for the file's own UID;
 * +U8 converts to UTF-8 and +Qo quotes every byte that could end a line.
 */
static const char *const options[] = { "dcmdump", "-q", "+F", "+p", "+L", "-M",
	"-Un", "+U8", "+Qo", "+sb", "7fe0,0010" };
#define N_OPTIONS (sizeof(options) / sizeof(*options))

/* `\ooo` of +Qo back to bytes, in place. */
static void
unquote(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
		    s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static void
cut_utf8(char *s, size_t max)
{
	if (strlen(s) <= max)
		return;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	s[max] = '\0';
}

/* `(0010,0010) PN [Doe^Jane]    #  8, 1 PatientName`: the value is between the
 * first bracket and the last one before the comment. */
static void
parse_value(char *line, char ret[CS_DICOMDUMP_VALUE_BYTES + 1])
{
	char *begin = strchr(line, '[');
	char *comment = strrchr(line, '#');
	char *end;

	if (!begin || !comment || begin > comment)
		return;
	*comment = '\0';
	end = strrchr(begin, ']');
	if (!end)
		return;
	*end = '\0';
	begin++;
	unquote(begin);
	for (size_t n = strlen(begin); n > 0 && begin[n - 1] == ' ';)
		begin[--n] = '\0';
	cut_utf8(begin, CS_DICOMDUMP_VALUE_BYTES);
	memcpy(ret, begin, strlen(begin) + 1);
}

static void
parse_line(char *line, struct cs_dicomdump_file *file)
{
	for (int t = 0; t < CS_DICOM_TAGS; t++) {
		/* the first one counts: others repeat it or are forged */
		if (strncmp(line + 1, tag_text[t], 9) == 0 && line[10] == ')' &&
		    line[11] == ' ' && file->value[t][0] == '\0') {
			parse_value(line, file->value[t]);
			return;
		}
	}
}

static cs_err
parse_output(FILE *out, size_t n, struct cs_dicomdump_file *ret)
{
	struct cs_dicomdump_file *file = NULL;
	char *line = NULL;
	size_t cap = 0, k;

	while (getline(&line, &cap, out) > 0) {
		if (sscanf(line, "# dcmdump (%zu/", &k) == 1)
			file = k >= 1 && k <= n ? &ret[k - 1] : NULL;
		else if (file && line[0] == '(' && strlen(line) > 12)
			parse_line(line, file);
	}
	free(line);
	return ferror(out) ? CS_IO : CS_OK;
}

static cs_err
spawn_dcmdump(const char *const *argv, int write_end, pid_t *ret_pid,
    struct cs_why *why)
{
	posix_spawn_file_actions_t actions;
	int rc;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return CS_NO_MEMORY;
	rc = posix_spawn_file_actions_adddup2(&actions, write_end, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
		    0, 0);
	if (rc == 0)
		rc = posix_spawnp(ret_pid, argv[0], &actions, NULL,
		    (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc == ENOENT) {
		cs_why_set(why,
		    "reading DICOM files needs the program dcmdump: "
		    "install the package dcmtk");
		return CS_NOT_FOUND;
	}
	if (rc != 0)
		cs_why_set(why, "dcmdump cannot be started: %s", strerror(rc));
	return rc == 0 ? CS_OK : CS_IO;
}

/* Options, a +P for each tag, then the files. */
static const char **
make_argv(const char *const *paths, size_t n)
{
	const char **argv =
	    calloc(N_OPTIONS + 2 * CS_DICOM_TAGS + n + 1, sizeof(*argv));
	size_t k = 0;

	if (!argv)
		return NULL;
	for (size_t i = 0; i < N_OPTIONS; i++)
		argv[k++] = options[i];
	for (size_t i = 0; i < CS_DICOM_TAGS; i++) {
		argv[k++] = "+P";
		argv[k++] = tag_text[i];
	}
	for (size_t i = 0; i < n; i++)
		argv[k++] = paths[i];
	return argv;
}

cs_err
cs_dicomdump(const char *const *paths, size_t n, struct cs_dicomdump_file *ret,
    struct cs_why *why)
{
	const char **argv = make_argv(paths, n);
	int ends[2] = { -1, -1 };
	FILE *out = NULL;
	pid_t pid = -1;
	cs_err e = CS_NO_MEMORY;

	if (!argv)
		goto out;
	memset(ret, 0, n * sizeof(*ret));
	e = CS_IO;
	if (pipe2(ends, O_CLOEXEC) != 0)
		goto out;
	CS_TRY(spawn_dcmdump(argv, ends[1], &pid, why));
	close(ends[1]);
	ends[1] = -1;
	out = fdopen(ends[0], "r");
	if (!out) {
		e = CS_IO;
		goto out;
	}
	ends[0] = -1;
	e = parse_output(out, n, ret);
out:
	if (out)
		fclose(out);
	if (ends[0] >= 0)
		close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0); /* non-zero: one file was no DICOM */
	free(argv);
	return e;
}
