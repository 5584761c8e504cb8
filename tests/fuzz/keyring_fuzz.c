#include <sodium.h>
#include <string.h>

#include "keys/keyring.h"
#include "tests/fuzz/fuzz.h"

#define HASH_BYTES 32

static void
decode(struct cs_bytes file)
{
	struct cs_keyring_info info;
	cs_err e = cs_keyring_decode(file, &info);

	REQUIRE(e == CS_OK || e == CS_CORRUPT || e == CS_UNSUPPORTED);
	if (e == CS_OK)
		REQUIRE(info.kind >= CS_KEYRING_DEVICE &&
			info.kind <= CS_KEYRING_RELAY);
}

/* cs_keyring_decode; a second time with the hash made right, which a fuzzer
 * cannot guess and an attacker can compute. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t file[1024];

	decode((struct cs_bytes){ p, n });
	if (n < HASH_BYTES || n > sizeof(file))
		return 0;
	memcpy(file, p, n);
	crypto_hash_sha256(file + n - HASH_BYTES, file, n - HASH_BYTES);
	decode((struct cs_bytes){ file, n });
	return 0;
}
