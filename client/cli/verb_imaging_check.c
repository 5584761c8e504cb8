#include "client/cli/patient.h"
#include "client/cli/studies.h"
#include "client/cli/verbs.h"

static const struct cs_option options[] = {
	{ "patient", CS_OPTION_ONE, "FILE",
	    "whom they are of; images of anybody else are an error" },
	{ 0 },
};

static cs_err
run(struct cs_cli *cli)
{
	struct cs_casefile_patient patient;
	struct cs_imaging *im = NULL;
	struct cs_buf words = { 0 };
	const char *path;
	cs_err e;

	CS_TRY(cs_imaging_new(&im));
	for (size_t i = 0; (path = cs_options_operand(cli->options, i)); i++)
		CS_TRY(cs_imaging_add(im, path, true, cs_cli_why(cli)));
	CS_TRY(cs_imaging_check(im, cs_cli_why(cli)));
	CS_TRY(cs_patient_settle(cli, NULL, im, &words, &patient));
	CS_TRY(cs_studies_show(cli, im));
out:
	cs_buf_fini(&words);
	cs_imaging_free(im);
	return e;
}

const struct cs_cli_verb cs_verb_imaging_check = {
	.name = "imaging check",
	.operands = "PATH...",
	.summary = "whether DICOM files go together and can be sent",
	.help =
	    "As `consil send --imaging` does before it sends: one patient, "
	    "sound UIDs, each instance once,\nas many as the files say. Dates "
	    "and accession numbers that differ are a warning.",
	.options = options,
	.min_operands = 1,
	.max_operands = 64,
	.run = run,
};
