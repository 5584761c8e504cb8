#include "client/evidence.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ask.h"
#include "keys/file.h"
#include "keys/fork.h"
#include "proto/armour.h"
#include "proto/forkproof.h"
#include "proto/merkle.h"
#include "proto/text.h"

/* A relay cannot make us read for ever. */
#define MAX_LEAVES (UINT64_C(1) << 24)

/* ------------------------------------------------------ the log of somebody */

/* Hashes of leaves, in order. */
struct other {
	uint64_t n, cap;
	uint8_t (*leaf)[CS_HASH_BYTES];
};

static cs_err
add_leaf(struct other *o, struct cs_bytes leaf)
{
	uint64_t cap = o->cap ? o->cap : 1024;
	void *p;

	if (o->n == o->cap) {
		cap = o->cap ? 2 * cap : cap;
		p = reallocarray(o->leaf, cap, sizeof(*o->leaf));
		if (!p)
			return CS_NO_MEMORY;
		o->leaf = p;
		o->cap = cap;
	}
	cs_merkle_leaf(leaf, o->leaf[o->n++]);
	return CS_OK;
}

/* The leaves that the relay shows now, from the first on. */
static cs_err
read_log(struct cs_conn *conn, uint64_t size, struct other *o)
{
	struct cs_frame_dir_sync_reply page;
	cs_err e;

	CS_TRY(size <= MAX_LEAVES ? CS_OK : CS_NOT_FOUND);
	while (o->n < size) {
		CS_TRY(cs_ask_dir_sync(conn, o->n, &page));
		CS_TRY(page.n > 0 ? CS_OK : CS_NOT_FOUND);
		for (uint32_t i = 0; i < page.n && o->n < size; i++) {
			struct cs_bytes leaf = cs_wire_bin(&page.leaves,
			    CS_LIMIT_ENTRY_BYTES + 64);

			CS_TRY(cs_wire_err(&page.leaves));
			CS_TRY(add_leaf(o, leaf));
		}
	}
	e = CS_OK;
out:
	return e;
}

/* cs_merkle_read: root of a complete subtree. */
static cs_err
read_node(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	const struct other *o = ctx;
	struct cs_merkle_edge edge = { 0 };
	const uint64_t n = UINT64_C(1) << level;

	if (index >= o->n >> level)
		return CS_NOT_FOUND;
	for (uint64_t i = 0; i < n; i++)
		cs_merkle_append(&edge, o->leaf[index * n + i], NULL, NULL);
	cs_merkle_root(&edge, ret);
	return CS_OK;
}

static cs_err
prove(const struct cs_directory *dir, const struct cs_checkpoint *mine,
    const struct cs_checkpoint *seen, struct cs_conn *conn, struct cs_buf *ret)
{
	struct other o = { 0 };
	bool reads = conn && seen->size > mine->size;
	cs_err e;

	if (reads)
		CS_TRY(read_log(conn, seen->size, &o));
	CS_TRY(cs_fork_prove(dir, mine, seen, reads ? read_node : NULL, &o,
	    ret));
out:
	free(o.leaf);
	return e;
}

/* ------------------------------------------------------------------- public */

cs_err
cs_evidence_keep(const struct cs_home *h, const char *name,
    struct cs_bytes what)
{
	char below[128], path[CS_HOME_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_home_mkdir(h, CS_HOME_EVIDENCE, NULL));
	snprintf(below, sizeof(below), CS_HOME_EVIDENCE "/%s", name);
	cs_home_path(h, below, NULL, NULL, path);
	e = cs_file_write(path, what, 0600, false);
	if (e == CS_EXISTS)
		e = CS_OK;
out:
	return e;
}

cs_err
cs_evidence_fork(const struct cs_home *h, const struct cs_directory *dir,
    const struct cs_checkpoint *mine, const struct cs_checkpoint *seen,
    struct cs_conn *conn, char *ret_path)
{
	static const char human[] =
	    "Proof that a relay showed two directories. A member checks it:\n"
	    "    consil verify FILE\n"
	    "Without a home, as far as the certificate in it goes:\n"
	    "    consil verify FILE --network-id ID\n";
	struct cs_buf binary = { 0 }, text = { 0 };
	char hex[17], name[64], below[128];
	uint8_t hash[CS_HASH_BYTES];
	cs_err e;

	CS_TRY(prove(dir, mine, seen, conn, &binary));
	crypto_hash_sha256(hash, binary.p, binary.n);
	cs_text_hex((struct cs_bytes){ hash, 8 }, hex);
	snprintf(name, sizeof(name), "fork-%s.proof", hex);
	cs_armour_encode(CS_FORKPROOF_ARMOUR, cs_buf_view(&binary), human,
	    &text);
	CS_TRY(cs_buf_err(&text));
	CS_TRY(cs_evidence_keep(h, name, cs_buf_view(&text)));
	snprintf(below, sizeof(below), CS_HOME_EVIDENCE "/%s", name);
	if (ret_path)
		cs_home_path(h, below, NULL, NULL, ret_path);
out:
	cs_buf_fini(&binary);
	cs_buf_fini(&text);
	return e;
}
