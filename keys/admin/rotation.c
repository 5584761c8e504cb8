#include "keys/admin/rotation.h"

#include <stdio.h>
#include <unistd.h>

#include "keys/admin/wording.h"

#define REGISTRAR_S (UINT64_C(5 * 365) * 86400)

cs_err
cs_rotation_check_output(struct cs_admin *admin)
{
	const char *file;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "output", &file));
	if (access(file, F_OK) == 0) {
		cs_why_set(&admin->why, "%s; name another file", file);
		e = CS_EXISTS;
	}
out:
	return e;
}

cs_err
cs_rotation_valid_until(struct cs_admin *admin, uint64_t *ret)
{
	uint64_t until_s = cs_admin_now() + REGISTRAR_S;
	cs_err e = CS_OK;

	if (cs_options_has(admin->options, "valid-until"))
		CS_TRY(cs_admin_parse_date(admin, "valid-until", &until_s));
	if (until_s <= cs_admin_now()) {
		cs_why_set(&admin->why, "--valid-until is in the past");
		return CS_USAGE;
	}
	*ret = until_s;
out:
	return e;
}

cs_err
cs_rotation_ask_root(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_history *h, const struct cs_buf *cores, uint8_t n_cores)
{
	const char *file = cs_options_get(admin->options, "output");
	struct cs_ceremony_request r = { 0 };
	struct cs_signing v;
	cs_err e;

	CS_TRY(cs_history_request(h, cs_network_directory(n),
	    cs_keyring_info(cs_network_registrar(n))->network_id, &v));
	v.n_cores = n_cores;
	v.cores = cs_buf_view(cores);
	CS_TRY(cs_ceremony_write_request(admin, &v, (struct cs_bytes){ 0 },
	    file));
	CS_TRY(cs_ceremony_read_request(admin, file, &r));
	CS_TRY(cs_wording_show(admin, &r));
	if (!admin->json)
		printf("\nNext, each holder of a root key:\n"
		       "  consil-admin root sign %s --key KEYRING -o SIGNED\n"
		       "and then here:\n"
		       "  consil-admin root apply %s SIGNED...\n",
		    file, admin->dir);
out:
	cs_ceremony_request_fini(&r);
	return e;
}
