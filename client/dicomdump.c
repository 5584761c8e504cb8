#include "client/dicomdump.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool.h"

static const char *const tag_path[CS_DICOM_TAGS] = {
#define CS_DICOM(name, path) [CS_DICOM_##name] = path,
	CS_DICOM_TABLE
#undef CS_DICOM
};

/* What a DICOMDIR calls the instance that a record is about. */
#define LISTED "(0004,1220).(0004,1511)"

/*
 * +F names each file by its number, +p marks what is nested in a sequence, so
 * that a reference inside a key object is not taken for the file's own UID;
 * +U8 converts to UTF-8 and +Qo quotes every byte that could end a line.
 */
static const char *const options[] = { "dcmdump", "-q", "+F", "+p", "+L", "-M",
	"-Un", "+U8", "+Qo", "+sb", "7fe0,0010" };
#define N_OPTIONS (sizeof(options) / sizeof(*options))

void
cs_dicomdump_fini(struct cs_dicomdump_file *file)
{
	for (int t = 0; t < CS_DICOM_TAGS; t++) {
		if (file->value[t])
			sodium_memzero(file->value[t], strlen(file->value[t]));
		free(file->value[t]);
	}
	memset(file, 0, sizeof(*file));
}

const char *
cs_dicomdump_value(const struct cs_dicomdump_file *file, enum cs_dicom_tag tag)
{
	return file->value[tag] ? file->value[tag] : "";
}

static size_t
cut_utf8(const char *s, size_t max)
{
	if (strlen(s) <= max)
		return strlen(s);
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

cs_err
cs_dicomdump_set(struct cs_dicomdump_file *file, enum cs_dicom_tag tag,
    const char *v)
{
	char *copy = strndup(v, cut_utf8(v, CS_DICOMDUMP_VALUE_BYTES));

	if (!copy)
		return CS_NO_MEMORY;
	free(file->value[tag]);
	file->value[tag] = copy;
	return CS_OK;
}

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

/* `(0010,0010) PN [Doe^Jane]    #  8, 1 PatientName`: the value is between the
 * first bracket and the last one before the comment. NULL: there is none. */
static char *
value_in(char *line)
{
	char *begin = strchr(line, '[');
	char *comment = strrchr(line, '#');
	char *end;

	if (!begin || !comment || begin > comment)
		return NULL;
	*comment = '\0';
	end = strrchr(begin, ']');
	if (!end)
		return NULL;
	*end = '\0';
	begin++;
	unquote(begin);
	for (size_t n = strlen(begin); n > 0 && begin[n - 1] == ' ';)
		begin[--n] = '\0';
	return begin;
}

static bool
has_path(const char *line, const char *path)
{
	size_t n = strlen(path);

	return strncmp(line, path, n) == 0 && line[n] == ' ';
}

static cs_err
parse_line(char *line, struct cs_dicomdump_file *file)
{
	if (has_path(line, LISTED))
		file->n_listed++;
	for (int t = 0; t < CS_DICOM_TAGS; t++) {
		const char *v;

		/* the first one counts: others repeat it or are forged */
		if (!has_path(line, tag_path[t]) || file->value[t])
			continue;
		v = value_in(line);
		return v ? cs_dicomdump_set(file, (enum cs_dicom_tag)t, v)
			 : CS_OK;
	}
	return CS_OK;
}

static cs_err
parse_output(FILE *out, size_t n, struct cs_dicomdump_file *ret)
{
	struct cs_dicomdump_file *file = NULL;
	char *line = NULL;
	size_t cap = 0, k;
	cs_err e = CS_OK;

	while (e == CS_OK && getline(&line, &cap, out) > 0) {
		if (sscanf(line, "# dcmdump (%zu/", &k) == 1)
			file = k >= 1 && k <= n ? &ret[k - 1] : NULL;
		else if (file && line[0] == '(')
			e = parse_line(line, file);
	}
	if (line)
		sodium_memzero(line, cap);
	free(line);
	return e != CS_OK ? e : ferror(out) ? CS_IO : CS_OK;
}

/* The last tag of a path, without its brackets: what dcmdump looks for. */
static void
last_tag(const char *path, char ret[static 10])
{
	memcpy(ret, path + strlen(path) - 10, 9);
	ret[9] = '\0';
}

/* Options, a +P for each tag, then the files. */
static const char **
make_argv(const char *const *paths, size_t n,
    char tags[static CS_DICOM_TAGS + 1][10])
{
	const char **argv =
	    calloc(N_OPTIONS + 2 * (CS_DICOM_TAGS + 1) + n + 1, sizeof(*argv));
	size_t k = 0;

	if (!argv)
		return NULL;
	for (size_t i = 0; i < N_OPTIONS; i++)
		argv[k++] = options[i];
	for (size_t i = 0; i <= CS_DICOM_TAGS; i++) {
		last_tag(i < CS_DICOM_TAGS ? tag_path[i] : LISTED, tags[i]);
		argv[k++] = "+P";
		argv[k++] = tags[i];
	}
	for (size_t i = 0; i < n; i++)
		argv[k++] = paths[i];
	return argv;
}

cs_err
cs_dicomdump(const char *const *paths, size_t n, struct cs_dicomdump_file *ret,
    struct cs_why *why)
{
	char tags[CS_DICOM_TAGS + 1][10];
	const char **argv = make_argv(paths, n, tags);
	struct cs_tool t;
	cs_err e;

	if (!argv)
		return CS_NO_MEMORY;
	CS_TRY(cs_tool_start(argv, "dcmtk", &t, why));
	e = parse_output(t.out, n, ret);
	cs_tool_end(&t); /* not 0: one file was no DICOM */
out:
	free(argv);
	return e;
}
