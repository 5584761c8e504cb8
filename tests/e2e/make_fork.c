/*
 * make_fork DIR: a network whose relay showed two directories. Writes
 * DIR/fork.proof, DIR/honest.proof (which proves nothing) and DIR/network-id,
 * for tests of `consil verify`.
 */
#include <stdio.h>
#include <string.h>

#include "keys/fork.h"
#include "proto/armour.h"
#include "proto/forkproof.h"
#include "proto/text.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000)

static void
write_text(const char *dir, const char *name, struct cs_bytes v)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	CHECK(f != NULL);
	CHECK(fwrite(v.p, 1, v.n, f) == v.n);
	CHECK(fclose(f) == 0);
}

static void
write_proof(const char *dir, const char *name, struct cs_bytes binary)
{
	struct cs_buf text = { 0 };

	cs_armour_encode(CS_FORKPROOF_ARMOUR, binary, "Proof.\n", &text);
	write_text(dir, name, cs_buf_view(&text));
	cs_buf_fini(&text);
}

static void
make(const char *dir)
{
	struct cs_checkpoint mine, seen = { .size = 3, .time_s = NOW };
	struct cs_buf proof = { 0 }, forged = { 0 };
	char hex[2 * CS_NETWORK_ID_BYTES + 1];
	struct cs_forkproof v;
	struct network n;

	network_init(&n, NOW);
	mine = network_seen(&n);
	CHECK_OK(cs_directory_root_at(n.dir, 3, seen.root));
	network_sign_checkpoint(&n, &seen, NULL);
	v.a = seen;
	seen.root[0] ^= 1;
	network_sign_checkpoint(&n, &seen, NULL);
	CHECK_OK(cs_fork_prove(n.dir, &mine, &seen, NULL, NULL, &proof));
	write_proof(dir, "fork.proof", cs_buf_view(&proof));
	seen = v.a;
	CHECK_OK(cs_forkproof_decode(cs_buf_view(&proof), &v));
	v.a = seen;
	CHECK_OK(cs_forkproof_encode(&v, &forged));
	write_proof(dir, "honest.proof", cs_buf_view(&forged));
	cs_text_hex(CS_BYTES(n.network_id), hex);
	write_text(dir, "network-id", cs_bytes_str(hex));
	cs_buf_fini(&proof);
	cs_buf_fini(&forged);
	network_fini(&n);
}

int
main(int argc, char **argv)
{
	if (argc != 2 || cs_secret_process_init() != CS_OK) {
		fprintf(stderr, "usage: make_fork DIR\n");
		return 2;
	}
	make(argv[1]);
	return 0;
}
