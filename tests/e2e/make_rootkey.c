/*
 * A root keyring whose passphrase is cheap to check: what is tested here is
 * not the cost of Argon2id. Usage: make_rootkey FILE PASSPHRASE
 */
#include <sodium.h>
#include <stdio.h>

#include "keys/keyring.h"

int
main(int argc, char **argv)
{
	static const uint8_t none[CS_NETWORK_ID_BYTES];
	struct cs_keyring_lock lock = { .kdf_ops = 1, .kdf_mem_bytes = 8192 };
	struct cs_secret *passphrase = NULL;
	struct cs_keyring *kr = NULL;
	uint8_t id[CS_ID_BYTES];

	if (argc != 3 || cs_secret_process_init() != CS_OK)
		return 2;
	randombytes_buf(id, sizeof(id));
	if (cs_secret_copy(cs_bytes_str(argv[2]), &passphrase) != CS_OK ||
	    cs_keyring_new(CS_KEYRING_ROOT, none, id, none, &kr) != CS_OK)
		return 1;
	lock.passphrase = passphrase;
	if (cs_keyring_save(kr, argv[1], &lock, false) != CS_OK)
		return 1;
	cs_keyring_free(kr);
	cs_secret_free(passphrase);
	return 0;
}
