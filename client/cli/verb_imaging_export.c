#include <stdio.h>

#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"
#include "client/fhirstudy.h"
#include "client/keyobjectwrite.h"
#include "keys/file.h"

static const struct cs_option options[] = {
	{ "fhir", CS_OPTION_ONE, "FILE",
	    "a FHIR R4 bundle: ImagingStudy, Patient, Endpoint" },
	{ "kos", CS_OPTION_ONE, "FILE",
	    "a DICOM Key Object Selection, of one study" },
	{ "study", CS_OPTION_ONE, "UID", "which, where there are several" },
	{ 0 },
};

static cs_err
find_study(struct cs_cli *cli, const struct cs_casefile *cf,
    struct cs_casefile_study *ret)
{
	const char *uid = cs_options_get(cli->options, "study");
	struct cs_casefile walk = *cf;
	struct cs_casefile_study st;

	if (!uid && cf->n_studies > 1) {
		cs_why_set(cs_cli_why(cli),
		    "the case has %u studies: --study UID says which",
		    cf->n_studies);
		return CS_USAGE;
	}
	while (cs_casefile_next_study(&walk, &st)) {
		if (uid && !cs_bytes_eq(st.uid, cs_bytes_str(uid)))
			continue;
		*ret = st;
		return CS_OK;
	}
	cs_why_set(cs_cli_why(cli), "the case has no such study");
	return CS_NOTHING;
}

static cs_err
write_file(struct cs_cli *cli, const char *path, const struct cs_buf *content)
{
	cs_err e = cs_file_write(path, cs_buf_view(content), 0600, false);

	if (e == CS_EXISTS)
		cs_why_set(cs_cli_why(cli), "%s is there already", path);
	else if (e != CS_OK)
		cs_why_set(cs_cli_why(cli), "%s cannot be written", path);
	return e;
}

static cs_err
write_all(struct cs_cli *cli, const struct cs_casefile *cf)
{
	const char *fhir = cs_options_get(cli->options, "fhir");
	const char *kos = cs_options_get(cli->options, "kos");
	struct cs_casefile_study st;
	struct cs_buf out = { 0 };
	cs_err e = CS_OK;

	if (fhir) {
		CS_TRY(cs_fhirstudy_write(cf, &out));
		CS_TRY(write_file(cli, fhir, &out));
	}
	if (kos) {
		cs_buf_reset(&out);
		CS_TRY(find_study(cli, cf, &st));
		CS_TRY(cs_keyobjectwrite(&st, cs_client_now(), &out,
		    cs_cli_why(cli)));
		CS_TRY(write_file(cli, kos, &out));
	}
out:
	cs_buf_fini(&out);
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_casefiles_one one = { 0 };
	cs_err e;

	if (!cs_options_has(cli->options, "fhir") &&
	    !cs_options_has(cli->options, "kos")) {
		cs_why_set(cs_cli_why(cli), "--fhir FILE, --kos FILE or both");
		return CS_USAGE;
	}
	CS_TRY(cs_casefiles_open(cli, cs_options_operand(cli->options, 0),
	    &one));
	if (one.cf->n_studies == 0) {
		cs_why_set(cs_cli_why(cli), "this message has no imaging");
		e = CS_NOTHING;
		goto out;
	}
	CS_TRY(write_all(cli, one.cf));
out:
	cs_casefiles_shut(&one);
	return e;
}

const struct cs_cli_verb cs_verb_imaging_export = {
	.name = "imaging export",
	.operands = "ID",
	.summary = "the imaging references of a case for other programs",
	.help = "What they lose: neither format has a place for the hashes. "
		"Nothing is overwritten.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
