/*
 * A device that lost the keys of now: its chain of epoch keys is stepped far
 * ahead, as a wrong clock or a mixed-up file could have done.
 * Usage: lose_keys HOME
 */
#include <stdio.h>

#include "client/client.h"
#include "keys/epoch.h"

#define FAR_S (400 * UINT64_C(86400))

int
main(int argc, char **argv)
{
	char path[CS_HOME_PATH_BYTES];
	struct cs_epoch *epochs = NULL;
	struct cs_client *c = NULL;
	bool changed;
	cs_err e;

	if (argc != 2 || cs_secret_process_init() != CS_OK)
		return 2;
	CS_TRY(cs_client_open(argv[1], NULL, NULL, &c));
	cs_home_path(cs_client_home(c), CS_HOME_EPOCHS, NULL, NULL, path);
	CS_TRY(cs_epoch_load(path, cs_client_keyring(c), &epochs));
	CS_TRY(cs_epoch_advance(epochs, cs_client_now() + FAR_S, &changed));
	CS_TRY(cs_epoch_save(epochs, cs_client_keyring(c), path));
out:
	cs_epoch_free(epochs);
	cs_client_close(c);
	return e == CS_OK ? 0 : 1;
}
