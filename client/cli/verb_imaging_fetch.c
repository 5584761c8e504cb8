#include <signal.h>
#include <stdio.h>

#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"
#include "client/imagingfetch.h"

static const struct cs_option options[] = {
	{ "output", CS_OPTION_ONE, "DIR",
	    "the folder to make (-o); must not be there" },
	{ "from", CS_OPTION_ONE, "URL",
	    "the archive's DICOMweb address, instead of the sender's" },
	{ "netrc-file", CS_OPTION_ONE, "FILE",
	    "user and password for the archive named by --from" },
	{ "header-file", CS_OPTION_ONE, "FILE",
	    "HTTP headers for it, `Authorization: Bearer …`; 0600" },
	{ "ca-file", CS_OPTION_ONE, "FILE",
	    "certificates to trust instead of the system's" },
	{ "without-hashes", CS_OPTION_FLAG, NULL,
	    "also take what has no hash in the case: nothing proves it" },
	{ 0 },
};

static volatile sig_atomic_t stopping;

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

/* What has come of a study is taken away again when it is broken off. */
static void
clear_up_when_stopped(void)
{
	struct sigaction on_stop = { .sa_handler = stop };

	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGHUP, &on_stop, NULL);
}

struct report {
	bool json;
	json_t *files;
	size_t n, n_proven;
	uint64_t bytes;
};

static void
came(void *ctx, const struct cs_imagingfetch_file *file)
{
	struct report *r = ctx;

	r->n++;
	r->n_proven += file->is_proven;
	r->bytes += file->bytes;
	if (r->json)
		json_array_append_new(r->files,
		    json_pack("{s:s, s:o, s:I, s:b}", "saved_as", file->path,
			"uid", cs_present_json_text(file->instance),
			"size_bytes", (json_int_t)file->bytes, "proven",
			(int)file->is_proven));
}

static cs_err
tell(struct cs_cli *cli, const char *dir, struct report *r)
{
	char size[16];

	if (cli->json)
		return cs_present_json(json_pack("{s:s, s:O}", "saved_in", dir,
		    "files", r->files));
	cs_present_size_text(r->bytes, size);
	printf("%zu instances, %s, in ", r->n, size);
	cs_present_text(cs_bytes_str(dir), false);
	if (r->n_proven == r->n)
		puts(": each as it was signed");
	else
		printf(": %zu of them as signed, of the others nothing is "
		       "proved\n",
		    r->n_proven);
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_imagingfetch f = {
		.dir = cs_options_get(cli->options, "output"),
		.from = cs_options_get(cli->options, "from"),
		.without_hashes =
		    cs_options_has(cli->options, "without-hashes"),
		.http = {
			.netrc_path =
			    cs_options_get(cli->options, "netrc-file"),
			.header_path =
			    cs_options_get(cli->options, "header-file"),
			.ca_path = cs_options_get(cli->options, "ca-file"),
			.stop = &stopping,
		},
	};
	struct report r = { .json = cli->json, .files = json_array() };
	struct cs_casefiles_one one = { 0 };
	cs_err e;

	if (!f.dir) {
		cs_why_set(cs_cli_why(cli), "--output DIR says where to");
		e = CS_USAGE;
		goto out;
	}
	CS_TRY(cs_casefiles_open(cli, cs_options_operand(cli->options, 0),
	    &one));
	f.cf = one.cf;
	clear_up_when_stopped();
	CS_TRY(cs_imagingfetch(&f, came, &r, cs_cli_why(cli)));
	CS_TRY(tell(cli, f.dir, &r));
out:
	json_decref(r.files);
	cs_casefiles_shut(&one);
	return e;
}

const struct cs_cli_verb cs_verb_imaging_fetch = {
	.name = "imaging fetch",
	.operands = "ID",
	.summary = "get the images a case refers to, each as it was signed",
	.help =
	    "From their archive by DICOMweb (WADO-RS), into a new folder that "
	    "appears only when every\ninstance has the hash that the sender "
	    "signed. An address of the sender's must be public\nand https, and "
	    "gets no credentials; name the archive with --from for anything "
	    "else.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
