#ifndef CS_CLIENT_CLI_PATIENT_H
#define CS_CLIENT_CLI_PATIENT_H

#include "client/cli/cli.h"
#include "client/imaging.h"
#include "proto/base/buf.h"
#include "proto/casefile.h"

/*
 * Whom a case is about. Named by the file of --patient (lines `id: `, `issuer:
 * `, `name: `, `born: `, `sex: `: what is in a file is in no process list), by
 * the case it belongs to, by its images; none may contradict another. known of
 * what it answers or is added to; NULL or empty: nobody im         checked
 *   words      what ret may borrow from, with im and known; emptied by the
 * caller CS_OK (ret is empty where nobody is named), CS_CLASH, CS_USAGE
 * (--patient), CS_NOT_FOUND, CS_TOO_LARGE, CS_IO.
 */
CS_MUST_USE cs_err cs_patient_settle(struct cs_cli *cli,
    const struct cs_casefile_patient *known, const struct cs_imaging *im,
    struct cs_buf *words, struct cs_casefile_patient *ret);

/* The warnings of checked images on stderr. */
void cs_patient_warnings(const struct cs_imaging *im);

#endif
