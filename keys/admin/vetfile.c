#include "keys/admin/vetfile.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "keys/file.h"
#include "proto/text.h"

#define CHUNK_BYTES (64u << 10)

/* -------------------------------------------------------------- evidence */

static cs_err
hash_file(const char *path, uint8_t ret[CS_HASH_BYTES])
{
	static uint8_t chunk[CHUNK_BYTES];
	crypto_hash_sha256_state h;
	FILE *f = fopen(path, "rb");
	size_t n;
	cs_err e = CS_OK;

	if (!f)
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	crypto_hash_sha256_init(&h);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		crypto_hash_sha256_update(&h, chunk, n);
	if (ferror(f))
		e = CS_IO;
	fclose(f);
	crypto_hash_sha256_final(&h, ret);
	return e;
}

/* Says what is wrong with one file of the evidence; whether anything is. */
static bool
is_other(const char *dir, const struct cs_vetting_evidence *v)
{
	char path[CS_NETWORK_PATH_BYTES];
	uint8_t hash[CS_HASH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, v->file);
	cs_err e = n < (int)sizeof(path) ? hash_file(path, hash) : CS_USAGE;

	if (e == CS_OK && memcmp(hash, v->sha256, sizeof(hash)) == 0)
		return false;
	cs_present_note(CS_ADMIN_NAME, "domains.%s.evidence: %s: %s", v->domain,
	    path,
	    e == CS_OK ? "is another file than the record names"
		       : cs_err_text(e));
	return true;
}

cs_err
cs_vetfile_evidence(struct cs_admin *admin, const char *name, const char *dir,
    const struct cs_vetfile *f)
{
	struct cs_vetting_evidence v;
	size_t n_other = 0;

	for (size_t i = 0;
	     dir && cs_vetting_evidence(f->record, i, &v) == CS_OK; i++)
		n_other += is_other(dir, &v);
	if (n_other == 0)
		return CS_OK;
	cs_why_set(&admin->why, "%s: evidence that does not fit: %zu", name,
	    n_other);
	return CS_MALFORMED;
}

/* -------------------------------------------------------------------- read */

static void
say_faults(const char *name, struct cs_buf *faults)
{
	char *line, *rest = NULL;

	cs_buf_put_u8(faults, 0);
	if (cs_buf_err(faults) != CS_OK)
		return;
	for (line = strtok_r((char *)faults->p, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		cs_present_note(CS_ADMIN_NAME, "%s: %s", name, line);
}

cs_err
cs_vetfile_judge(struct cs_admin *admin, const char *name,
    struct cs_bytes bytes, struct cs_vetfile *ret)
{
	struct cs_buf faults = { 0 };
	cs_err e;

	cs_buf_put_bytes(&ret->bytes, bytes);
	CS_TRY(cs_buf_err(&ret->bytes));
	cs_vetting_hash(bytes, ret->hash);
	e = cs_vetting_read(bytes, cs_admin_now(), &faults, &ret->record);
	if (e == CS_MALFORMED || e == CS_DENIED) {
		say_faults(name, &faults);
		cs_why_set(&admin->why, "%s: %s", name,
		    e == CS_DENIED
			? "the practice does not fulfil what admission needs"
			: "the record does not hold; see above");
	}
out:
	cs_buf_fini(&faults);
	return e;
}

cs_err
cs_vetfile_read(struct cs_admin *admin, const char *path, const char *evidence,
    struct cs_vetfile *ret)
{
	struct cs_buf bytes = { 0 };
	cs_err e;

	e = cs_file_read(path, CS_VETTING_FILE_BYTES, false, &bytes);
	if (e != CS_OK)
		cs_why_set(&admin->why, "reading %s", path);
	CS_TRY(e);
	CS_TRY(cs_vetfile_judge(admin, path, cs_buf_view(&bytes), ret));
	CS_TRY(cs_vetfile_evidence(admin, path, evidence, ret));
out:
	cs_buf_fini(&bytes);
	return e;
}

void
cs_vetfile_fini(struct cs_vetfile *f)
{
	cs_vetting_free(f->record);
	cs_buf_fini(&f->bytes);
	*f = (struct cs_vetfile){ 0 };
}

/* -------------------------------------------------------------------- keep */

cs_err
cs_vetfile_path(const struct cs_admin *admin, struct cs_bytes handle,
    const uint8_t hash[static CS_HASH_BYTES],
    char ret[static CS_NETWORK_PATH_BYTES])
{
	char dir[CS_NETWORK_PATH_BYTES], hex[2 * CS_HASH_BYTES + 1];
	int n;
	cs_err e;

	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_VETTING, dir));
	cs_text_hex((struct cs_bytes){ hash, CS_HASH_BYTES }, hex);
	n = snprintf(ret, CS_NETWORK_PATH_BYTES, "%s/%.*s-%.16s.json", dir,
	    (int)handle.n, (const char *)handle.p, hex);
	e = n < CS_NETWORK_PATH_BYTES ? CS_OK : CS_USAGE;
out:
	return e;
}

static cs_err
make_folder(struct cs_admin *admin, enum cs_network_file file)
{
	char path[CS_NETWORK_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_network_path(admin->dir, file, path));
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return CS_OK;
	cs_why_set(&admin->why, "%s: %s", path, strerror(errno));
	e = CS_IO;
out:
	return e;
}

cs_err
cs_vetfile_keep(struct cs_admin *admin, const struct cs_vetfile *f)
{
	char path[CS_NETWORK_PATH_BYTES];
	cs_err e;

	CS_TRY(make_folder(admin, CS_NETWORK_ADMIN));
	CS_TRY(make_folder(admin, CS_NETWORK_VETTING));
	CS_TRY(cs_vetfile_path(admin, cs_vetting_facts(f->record)->handle,
	    f->hash, path));
	e = cs_file_write(path, cs_buf_view(&f->bytes), 0600, true);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", path);
out:
	return e;
}

cs_err
cs_vetfile_find(struct cs_admin *admin, struct cs_bytes handle,
    const uint8_t hash[static CS_HASH_BYTES], struct cs_buf *ret)
{
	char path[CS_NETWORK_PATH_BYTES];
	uint8_t found[CS_HASH_BYTES];
	struct cs_buf bytes = { 0 };
	cs_err e;

	CS_TRY(cs_vetfile_path(admin, handle, hash, path));
	e = cs_file_read(path, CS_VETTING_FILE_BYTES, false, &bytes);
	if (e == CS_NOT_FOUND)
		cs_why_set(&admin->why,
		    "%s: the record is with whoever vetted the practice", path);
	else if (e != CS_OK)
		cs_why_set(&admin->why, "reading %s", path);
	CS_TRY(e);
	cs_vetting_hash(cs_buf_view(&bytes), found);
	if (memcmp(found, hash, sizeof(found)) != 0) { /* public */
		cs_why_set(&admin->why,
		    "%s is not what the log has the hash of", path);
		e = CS_CORRUPT;
		goto out;
	}
	*ret = bytes;
	bytes = (struct cs_buf){ 0 };
out:
	cs_buf_fini(&bytes);
	return e;
}

/* ------------------------------------------------------------ in the network
 */

cs_err
cs_vetfile_place(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_vetfile *f, uint8_t ret_id[static CS_ID_BYTES],
    uint64_t *ret_prev)
{
	const struct cs_vetting_facts *v = cs_vetting_facts(f->record);
	struct cs_directory_organisation known;

	if (cs_directory_organisation_by_handle(cs_network_directory(n),
		v->handle, &known) != CS_OK) {
		randombytes_buf(ret_id, CS_ID_BYTES);
		*ret_prev = CS_ENTRY_NO_PREV;
		return CS_OK;
	}
	if (memcmp(known.vetting_hash, f->hash, CS_HASH_BYTES) == 0) {
		cs_why_set(&admin->why,
		    "this record of %.*s is in the log; a new vetting has a "
		    "new one",
		    (int)v->handle.n, (const char *)v->handle.p);
		return CS_EXISTS;
	}
	if (known.revoked) {
		cs_why_set(&admin->why,
		    "%.*s was revoked; a practice that comes back needs "
		    "another handle",
		    (int)v->handle.n, (const char *)v->handle.p);
		return CS_REVOKED;
	}
	memcpy(ret_id, known.id, CS_ID_BYTES);
	*ret_prev = known.entry;
	return CS_OK;
}

/* Whether the record that the log names for a practice has this NPI. */
static bool
record_has_npi(struct cs_admin *admin,
    const struct cs_directory_organisation *o, struct cs_bytes npi)
{
	struct cs_buf bytes = { 0 };
	bool has = false;

	if (cs_vetfile_find(admin, o->handle, o->vetting_hash, &bytes) == CS_OK)
		has = cs_vetting_has_npi(cs_buf_view(&bytes), npi);
	else
		cs_why_clear(&admin->why); /* another registrar has it */
	cs_buf_fini(&bytes);
	return has;
}

void
cs_vetfile_note_npi(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_vetfile *f)
{
	const struct cs_vetting_facts *v = cs_vetting_facts(f->record);
	struct cs_directory_organisation o;

	for (uint32_t i = 0;
	     cs_directory_organisation_at(cs_network_directory(n), i, &o) ==
	     CS_OK;
	     i++) {
		if (!o.revoked &&
		    !cs_bytes_eq(o.handle, v->handle) && /* public */
		    record_has_npi(admin, &o, v->npi))
			cs_present_note(CS_ADMIN_NAME,
			    "attention: the NPI %.*s of %.*s is that of %.*s "
			    "too; one of the two is wrong, unless they are "
			    "parts of one organisation",
			    (int)v->npi.n, (const char *)v->npi.p,
			    (int)v->handle.n, (const char *)v->handle.p,
			    (int)o.handle.n, (const char *)o.handle.p);
	}
}

cs_err
cs_vetfile_show(struct cs_admin *admin, const struct cs_vetfile *f)
{
	const struct cs_vetting_facts *v = cs_vetting_facts(f->record);
	const bool refused = v->decision == CS_DECISION_REFUSED;
	char path[CS_NETWORK_PATH_BYTES], until[16];
	cs_err e;

	CS_TRY(cs_vetfile_path(admin, v->handle, f->hash, path));
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:s, s:o, s:o, "
						 "s:s}",
		    "handle", cs_present_json_text(v->handle), "name",
		    cs_present_json_text(v->name), "decision",
		    cs_entry_decision_name(v->decision), "valid_until",
		    cs_present_json_time(v->valid_until_s), "vetting_hash",
		    cs_present_json_hex(CS_BYTES(f->hash)), "record", path));
	cs_present_text(v->handle, false);
	printf(" (");
	cs_present_text(v->name, false);
	cs_present_date_text(v->valid_until_s, until);
	if (refused)
		printf(") is refused.\n");
	else
		printf(") is admitted%s; its vetting holds until %s.\n",
		    v->decision == CS_DECISION_CONDITIONAL ? " by a waiver"
							   : "",
		    until);
	printf("The record is kept in %s.\n", path);
out:
	return e;
}
