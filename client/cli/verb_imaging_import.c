#include "client/cli/studies.h"
#include "client/cli/verbs.h"

static const struct cs_option options[] = {
	{ 0 },
};

static cs_err
run(struct cs_cli *cli)
{
	struct cs_imaging *im = NULL;
	const char *path;
	cs_err e;

	CS_TRY(cs_imaging_new(&im));
	for (size_t i = 0; (path = cs_options_operand(cli->options, i)); i++)
		CS_TRY(cs_imaging_refer(im, path, cs_cli_why(cli)));
	CS_TRY(cs_imaging_check(im, cs_cli_why(cli)));
	CS_TRY(cs_studies_show(cli, im));
out:
	cs_imaging_free(im);
	return e;
}

const struct cs_cli_verb cs_verb_imaging_import = {
	.name = "imaging import",
	.operands = "FILE...",
	.summary = "what a key object or FHIR ImagingStudy refers to",
	.help = "Shows what `consil send --imaging-ref FILE` would put into a "
		"case.",
	.options = options,
	.min_operands = 1,
	.max_operands = 64,
	.run = run,
};
