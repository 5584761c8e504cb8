#include "client/cli/pictures.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/dicompng.h"
#include "client/home.h"
#include "client/segfile.h"
#include "client/tool.h"

#define PICTURE_PIXELS 800
#define OUTPUT_MAX     ((size_t)32 << 20)
#define COLUMNS        80
#define ROWS           24

/* Where the attachment of an instance is; false: it is a reference only. */
static bool
find_object(const struct cs_inbox_message *m, struct cs_bytes instance,
    struct cs_manifest_object *ret)
{
	struct cs_casefile walk = m->casefile;
	struct cs_casefile_study st;
	struct cs_casefile_series se;
	struct cs_casefile_instance in;
	size_t pos = 0;
	bool is_found = false;
	uint8_t id[CS_ID_BYTES];

	while (cs_casefile_next_study(&walk, &st))
		while (cs_casefile_next_series(&st, &se))
			while (cs_casefile_next_instance(&se, &in)) {
				if (is_found ||
				    !cs_bytes_eq(in.sop_instance, instance))
					continue;
				memcpy(id, in.object_id, sizeof(id));
				is_found = true;
			}
	while (is_found && cs_manifest_next_object(&m->manifest, &pos, ret))
		if (memcmp(ret->object_id, id, sizeof(id)) == 0)
			return true;
	return false;
}

/* The terminal's size, or the usual one. */
static void
picture_size(char *ret, size_t n)
{
	struct winsize w = { 0 };
	unsigned columns = COLUMNS, rows = ROWS;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 &&
	    w.ws_row > 2) {
		columns = w.ws_col;
		rows = w.ws_row - 2u;
	}
	snprintf(ret, n, "%ux%u", columns, rows);
}

/* PNG on the terminal: text blocks, sixels, whatever chafa finds it can. */
static cs_err
show(struct cs_cli *cli, const struct cs_buf *png)
{
	const char *format = cs_options_get(cli->options, "pictures-as");
	char path[CS_TOOL_PATH_BYTES], size[32];
	const char *argv[10] = { "chafa", "--animate", "off", "--size", size };
	struct cs_buf out = { 0 };
	size_t n = 5;
	int fd = cs_tool_file(cs_buf_view(png));
	cs_err e = CS_IO;

	if (fd < 0)
		return CS_IO;
	cs_tool_path(fd, path);
	picture_size(size, sizeof(size));
	if (format) {
		argv[n++] = "--format";
		argv[n++] = format;
	}
	argv[n++] = path;
	CS_TRY(cs_tool_read(argv, "chafa", OUTPUT_MAX, &out, cs_cli_why(cli)));
	fwrite(out.p, 1, out.n, stdout);
	puts("");
out:
	cs_buf_fini(&out);
	close(fd);
	return e;
}

static cs_err
draw_object(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_manifest_object *object)
{
	char path[CS_HOME_PATH_BYTES];
	struct cs_buf png = { 0 };
	int fd = cs_tool_file((struct cs_bytes){ 0 });
	cs_err e;

	if (fd < 0)
		return CS_IO;
	cs_home_path(cs_client_home(cli->client), CS_HOME_OBJECTS, m->id,
	    object->object_id, path);
	CS_TRY(cs_segfile_unseal(path, object, fd));
	CS_TRY(cs_dicompng(fd, PICTURE_PIXELS, &png, cs_cli_why(cli)));
	CS_TRY(show(cli, &png));
out:
	cs_buf_fini(&png);
	close(fd);
	return e;
}

static void
title(const struct cs_casefile_key *key)
{
	puts("");
	cs_present_text(key->title, false);
	if (key->note.n > 0) {
		fputs(": ", stdout);
		cs_present_text(key->note, false);
	}
	puts("");
}

/* One that cannot be drawn does not keep the others from being. */
static cs_err
draw(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_casefile_key *key)
{
	struct cs_manifest_object object;
	cs_err e;

	if (!find_object(m, key->sop_instance, &object)) {
		cs_present_note(CS_CLI_NAME,
		    "key image %.*s is not in this message: consil imaging "
		    "fetch gets it",
		    (int)key->sop_instance.n,
		    (const char *)key->sop_instance.p);
		return CS_OK;
	}
	title(key);
	e = draw_object(cli, m, &object);
	if (e == CS_MALFORMED || cs_segfile_is_damage(e)) {
		cs_present_note(CS_CLI_NAME, "key image %.*s cannot be drawn",
		    (int)key->sop_instance.n,
		    (const char *)key->sop_instance.p);
		cs_why_clear(cs_cli_why(cli));
		return CS_OK;
	}
	return e;
}

static cs_err
check_format(struct cs_cli *cli)
{
	static const char *const formats[] = { "symbols", "sixels", "kitty",
		"iterm" };
	const char *format = cs_options_get(cli->options, "pictures-as");

	for (size_t i = 0; format && i < sizeof(formats) / sizeof(*formats);
	     i++)
		if (strcmp(format, formats[i]) == 0)
			return CS_OK;
	if (!format)
		return CS_OK;
	cs_why_set(cs_cli_why(cli),
	    "--pictures-as: symbols, sixels, kitty or iterm");
	return CS_USAGE;
}

cs_err
cs_pictures_draw(struct cs_cli *cli, const struct cs_inbox_message *m)
{
	struct cs_casefile walk = m->casefile;
	struct cs_casefile_study st;
	struct cs_casefile_key key;
	bool is_asked = cs_options_has(cli->options, "pictures-as");
	size_t n = 0;
	cs_err e;

	CS_TRY(check_format(cli));
	if (cli->json || !m->has_case ||
	    (!is_asked && !(cs_options_has(cli->options, "pictures") &&
			      isatty(STDOUT_FILENO))))
		return CS_OK;
	while (cs_casefile_next_study(&walk, &st))
		while (cs_casefile_next_key(&st, &key)) {
			n++;
			CS_TRY(draw(cli, m, &key));
		}
	if (n == 0)
		cs_present_note(CS_CLI_NAME, "there are no key images in it");
out:
	return e;
}
