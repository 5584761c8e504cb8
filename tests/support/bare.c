#include "tests/support/bare.h"

#include <endian.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/bench.h"

#define MAP_BYTES (UINT64_C(64) << 30)

struct bare {
	char *path;
	MDB_env *env;
	MDB_dbi dbi;
	uint64_t number;
	unsigned group;
	size_t bytes;
	uint8_t *content;
};

struct bare *
bare_open(const char *path, unsigned group, size_t bytes)
{
	struct bare *b = calloc(1, sizeof(*b));
	MDB_txn *txn;

	bench_must(b != NULL, "memory");
	b->group = group;
	b->bytes = bytes;
	b->content = calloc(1, bytes);
	bench_must(b->content != NULL && asprintf(&b->path, "%s", path) > 0,
	    "memory");
	bench_must(mkdir(path, 0700) == 0 && mdb_env_create(&b->env) == 0 &&
		       mdb_env_set_mapsize(b->env, MAP_BYTES) == 0 &&
		       mdb_env_open(b->env, path, MDB_NOTLS | MDB_NORDAHEAD,
			   0600) == 0 &&
		       mdb_txn_begin(b->env, NULL, 0, &txn) == 0 &&
		       mdb_dbi_open(txn, NULL, 0, &b->dbi) == 0 &&
		       mdb_txn_commit(txn) == 0,
	    path);
	return b;
}

void
bare_put(void *ctx)
{
	struct bare *b = ctx;
	MDB_txn *txn;

	bench_must(mdb_txn_begin(b->env, NULL, 0, &txn) == 0, "begin");
	for (unsigned i = 0; i < b->group; i++) {
		uint64_t number = htobe64(b->number++);
		MDB_val key = { sizeof(number), &number };
		MDB_val value = { b->bytes, b->content };

		bench_must(mdb_put(txn, b->dbi, &key, &value, 0) == 0, "put");
	}
	bench_must(mdb_txn_commit(txn) == 0, "commit");
}

void
bare_close(struct bare *b)
{
	static const char *const files[] = { "data.mdb", "lock.mdb" };
	char name[4096];

	mdb_env_close(b->env);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s/%s", b->path, files[i]);
		unlink(name);
	}
	rmdir(b->path);
	free(b->path);
	free(b->content);
	free(b);
}
