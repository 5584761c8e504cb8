#ifndef CS_KEYS_ADMIN_VETFILE_H
#define CS_KEYS_ADMIN_VETFILE_H

#include "client/vetting.h"
#include "keys/admin/admin.h"
#include "proto/base/buf.h"

/* Vetting records as files: the one that is handed in, and those that the
 * network's folder keeps, byte for byte, as the log has their hashes. */

/* What the registrar handed in; `{ 0 }` is empty. */
struct cs_vetfile {
	struct cs_buf bytes;
	struct cs_vetting *record;
	uint8_t hash[CS_HASH_BYTES];
};

/*
 * Reads and judges a record, and says on stderr all that is wrong with it.
 *   evidence  folder in which the files of the evidence lie, to be compared
 *             with their hashes; NULL: they are not looked at
 * CS_OK, errors of cs_file_read and cs_vetting_read; CS_MALFORMED also where a
 * file of the evidence is missing or another one (see why).
 */
CS_MUST_USE cs_err cs_vetfile_read(struct cs_admin *admin, const char *path,
    const char *evidence, struct cs_vetfile *ret);
/* The same for bytes that came another way; `name` is what they are called. */
CS_MUST_USE cs_err cs_vetfile_judge(struct cs_admin *admin, const char *name,
    struct cs_bytes bytes, struct cs_vetfile *ret);
/* Compares the files of the evidence in a folder; NULL: does nothing. CS_OK,
 * CS_MALFORMED (see why). */
CS_MUST_USE cs_err cs_vetfile_evidence(struct cs_admin *admin, const char *name,
    const char *dir, const struct cs_vetfile *f);
void cs_vetfile_fini(struct cs_vetfile *f);

/* Path under which a record is kept. CS_OK, CS_USAGE (too long). */
CS_MUST_USE cs_err cs_vetfile_path(const struct cs_admin *admin,
    struct cs_bytes handle, const uint8_t hash[static CS_HASH_BYTES],
    char ret[static CS_NETWORK_PATH_BYTES]);

/* Keeps a record, durably; before the log names it. Errors of cs_file_write
 * (see why). */
CS_MUST_USE cs_err cs_vetfile_keep(struct cs_admin *admin,
    const struct cs_vetfile *f);

/* A record that was kept. CS_OK, CS_NOT_FOUND, CS_CORRUPT (its hash is another
 * one), errors of cs_file_read (see why). */
CS_MUST_USE cs_err cs_vetfile_find(struct cs_admin *admin,
    struct cs_bytes handle, const uint8_t hash[static CS_HASH_BYTES],
    struct cs_buf *ret);

/* Id and newest entry of the practice of a record: new ones where it is not in
 * the network. CS_OK, CS_EXISTS (the log has this record), CS_REVOKED (see
 * why). */
CS_MUST_USE cs_err cs_vetfile_place(struct cs_admin *admin,
    const struct cs_network *n, const struct cs_vetfile *f,
    uint8_t ret_id[static CS_ID_BYTES], uint64_t *ret_prev);

/* Says on stderr which other practice, not revoked, has the NPI of this record:
 * of those whose record this network's folder keeps. */
void cs_vetfile_note_npi(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_vetfile *f);

/* Says on stdout what was decided and where its record is. CS_OK, CS_USAGE,
 * CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_vetfile_show(struct cs_admin *admin,
    const struct cs_vetfile *f);

#endif
