#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/casepage.h"
#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"
#include "keys/file.h"

static const struct cs_option options[] = {
	{ "html", CS_OPTION_ONE, "FILE",
	    "the page to write; - for standard output" },
	{ "force", CS_OPTION_FLAG, NULL, "put it over an existing file" },
	{ "offline", CS_OPTION_FLAG, NULL, "take what is here, ask no relay" },
	{ 0 },
};

#define PATH_BYTES 4096

/* Under another name first, which takes the place of what is there. */
static cs_err
begin_file(struct cs_cli *cli, const char *path, char first[static PATH_BYTES],
    struct cs_file_new **ret, int *ret_fd)
{
	const bool force = cs_options_has(cli->options, "force");
	struct stat st;
	cs_err e;

	if (lstat(path, &st) == 0 && (!force || !S_ISREG(st.st_mode))) {
		cs_why_set(cs_cli_why(cli), "%s%s", path,
		    force ? ": no regular file" : ": --force puts it over");
		return CS_EXISTS;
	}
	if (snprintf(first, PATH_BYTES, "%s%s", path, force ? ".new" : "") >=
	    PATH_BYTES) {
		cs_why_set(cs_cli_why(cli), "--html: that is too long");
		return CS_USAGE;
	}
	e = cs_file_create(first, ret, ret_fd);
	if (e != CS_OK)
		cs_why_set(cs_cli_why(cli), "%s", first);
	return e;
}

static cs_err
keep_file(struct cs_cli *cli, const char *path, const char *first, int fd,
    struct cs_file_new **file)
{
	cs_err e = fsync(fd) == 0 ? CS_OK : CS_IO;

	if (e == CS_OK)
		e = cs_file_keep(file);
	if (e == CS_OK && strcmp(first, path) != 0 && rename(first, path) != 0)
		e = CS_IO;
	if (e != CS_OK)
		cs_why_set(cs_cli_why(cli), "%s", path);
	return e;
}

static cs_err
write_page(struct cs_cli *cli, const struct cs_thread *t, const char *path,
    struct cs_casepage_report *ret)
{
	struct cs_file_new *file = NULL;
	char first[PATH_BYTES];
	int fd = STDOUT_FILENO;
	cs_err e;

	if (strcmp(path, "-") == 0)
		return cs_casepage_write(cli->client, t, fd, ret);
	CS_TRY(begin_file(cli, path, first, &file, &fd));
	CS_TRY(cs_casepage_write(cli->client, t, fd, ret));
	CS_TRY(keep_file(cli, path, first, fd, &file));
out:
	cs_file_drop(file);
	return e;
}

static cs_err
tell(const struct cs_cli *cli, const char *path,
    const struct cs_casepage_report *r)
{
	cs_present_note(CS_CLI_NAME,
	    "the case is in the clear there: whoever can read the page can "
	    "read it");
	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:I, s:I, s:I}", "file",
		    cs_present_json_text(cs_bytes_str(path)), "messages",
		    (json_int_t)r->n_messages, "images",
		    (json_int_t)r->n_images, "not_shown",
		    (json_int_t)r->n_not_shown));
	if (strcmp(path, "-") == 0)
		return CS_OK;
	cs_present_text(cs_bytes_str(path), false);
	printf(": %u message%s, %u image%s", r->n_messages,
	    r->n_messages == 1 ? "" : "s", r->n_images,
	    r->n_images == 1 ? "" : "s");
	if (r->n_not_shown > 0)
		printf(", %u not shown (the page says why)", r->n_not_shown);
	puts("");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *path = cs_options_get(cli->options, "html");
	struct cs_casepage_report report = { 0 };
	struct cs_thread t = { 0 };
	cs_err e, collected = CS_OK;

	if (!path || *path == '\0' || (cli->json && strcmp(path, "-") == 0)) {
		cs_why_set(cs_cli_why(cli),
		    path && *path ? "--json and --html - would both be on "
				    "standard output"
				  : "--html FILE is missing");
		return CS_USAGE;
	}
	if (!cs_options_has(cli->options, "offline"))
		collected = cs_cli_collect(cli, "made of what was here before");
	CS_TRY(cs_casefiles_load(cli, cs_options_operand(cli->options, 0), &t));
	CS_TRY(write_page(cli, &t, path, &report));
	CS_TRY(tell(cli, path, &report));
	e = collected;
out:
	cs_thread_fini(&t);
	return e;
}

const struct cs_cli_verb cs_verb_case_export = {
	.name = "case export",
	.operands = "ID",
	.summary = "write a case as one page, to print or keep, in the clear",
	.help = "One HTML page without script and without anything from "
		"elsewhere: the messages in order, who is in\nit, imaging and "
		"attachments, PNG, JPEG and DICOM images (these by dcmtk), "
		"signatures and receipts.\nIt shows up whole or not at all. "
		"Nothing is stated to anybody by it: `consil read` is what "
		"says\nthat you opened a message.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
