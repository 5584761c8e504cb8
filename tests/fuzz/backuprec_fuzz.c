#include "keys/backup.h"
#include "proto/backuprec.h"
#include "tests/fuzz/fuzz.h"

static void
record(struct cs_bytes in)
{
	const struct cs_bytes body = { in.p + CS_BACKUPREC_HEAD_BYTES,
		in.n - CS_BACKUPREC_HEAD_BYTES };
	struct cs_backuprec_keyring kr;
	struct cs_backuprec_row row;
	struct cs_backuprec_end end;
	struct cs_backuprec_head h;
	struct cs_buf again = { 0 };

	if (cs_backuprec_head((struct cs_bytes){ in.p,
				  CS_BACKUPREC_HEAD_BYTES },
		&h) != CS_OK ||
	    h.n != body.n)
		return;
	if (h.type == CS_BACKUPREC_KEYRING &&
	    cs_backuprec_keyring(body, &kr) == CS_OK)
		cs_backuprec_put_keyring(&again, &kr);
	else if (h.type == CS_BACKUPREC_ROW &&
		 cs_backuprec_row(body, &row) == CS_OK)
		cs_backuprec_put_row(&again, &row);
	else if (h.type == CS_BACKUPREC_END &&
		 cs_backuprec_end(body, &end) == CS_OK)
		cs_backuprec_put_end(&again, &end);
	else
		return;
	fuzz_same(in, &again);
}

/* A path that is taken leads nowhere but below its folder. */
static void
path(struct cs_bytes in)
{
	if (!cs_backuprec_is_path(in))
		return;
	REQUIRE(in.n > 0 && in.n <= CS_BACKUPREC_PATH_BYTES && in.p[0] != '/');
	for (size_t i = 0; i < in.n; i++) {
		REQUIRE(in.p[i] > ' ' && in.p[i] < 127);
		REQUIRE(in.p[i] != '.' || (i > 0 && in.p[i - 1] != '/'));
	}
}

/* Records, paths, and the head of a file. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cs_bytes in = { p, n };
	struct cs_backup_info info;
	struct cs_kdf cost;
	cs_err e;

	path(in);
	if (n >= CS_BACKUPREC_HEAD_BYTES)
		record(in);
	e = cs_backup_decode(in, &info, &cost);
	REQUIRE(e == CS_OK || e == CS_CORRUPT || e == CS_UNSUPPORTED);
	if (e == CS_OK)
		REQUIRE(cs_kdf_is_allowed(&cost));
	return 0;
}
