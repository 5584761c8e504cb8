#ifndef CS_CLIENT_CLI_STUDIES_H
#define CS_CLIENT_CLI_STUDIES_H

#include <jansson.h>

#include "client/cli/cli.h"
#include "client/imaging.h"
#include "proto/casefile.h"

/* The imaging of a case as everybody is shown it. */

/* On the screen, each study after an empty line.
 *   is_sent  of a message: says what is not attached to it */
void cs_studies_print(const struct cs_casefile *cf, bool is_sent);

/* A patient, empty texts where nothing is known. NULL without memory. */
json_t *cs_studies_patient(const struct cs_casefile_patient *p);

/* A list of objects, with is_whole every instance too. NULL without memory. */
json_t *cs_studies_json(const struct cs_casefile *cf, bool is_whole);

/* Shows checked images that are in no case yet, and their warnings. CS_OK,
 * errors of cs_casefile_encode_end, CS_IO. */
CS_MUST_USE cs_err cs_studies_show(struct cs_cli *cli,
    const struct cs_imaging *im);

#endif
