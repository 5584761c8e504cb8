/*
 * A backup of a home whose passphrase is cheap to check: for tests of all but
 * the cost of Argon2id. Usage: make_backup HOME FILE PASSPHRASE
 */
#include <stdio.h>

#include "client/client.h"
#include "client/export.h"
#include "keys/kdf.h"

int
main(int argc, char **argv)
{
	struct cs_kdf cost = cs_kdf_new(CS_KDF_KEPT);
	struct cs_export args = { .cost = &cost };
	struct cs_secret *passphrase = NULL;
	struct cs_export_report report;
	struct cs_client *c = NULL;
	cs_err e;

	if (argc != 4 || cs_secret_process_init() != CS_OK ||
	    cs_secret_copy(cs_bytes_str(argv[3]), &passphrase) != CS_OK)
		return 2;
	cost.ops = 1;
	cost.mem_bytes = 8192;
	args.path = argv[2];
	args.passphrase = passphrase;
	e = cs_client_open(argv[1], NULL, NULL, &c);
	if (e == CS_OK)
		e = cs_export_run(c, &args, &report);
	cs_client_close(c);
	cs_secret_free(passphrase);
	return e == CS_OK ? 0 : 1;
}
