#include "client/listing.h"

#include <stdlib.h>
#include <string.h>

struct row {
	uint64_t number;
	uint8_t id[CS_ID_BYTES];
};

static int
by_number(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return memcmp(x->id, y->id, CS_ID_BYTES); /* public */
}

static cs_err
collect(struct cs_local_txn *txn, enum cs_local_table table, cs_listing_by *by,
    struct cs_buf *rows)
{
	struct cs_local_ids at = { .table = table };
	struct cs_secret *buf = NULL;
	struct row row;
	cs_err e;

	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		memcpy(row.id, at.id, CS_ID_BYTES);
		CS_TRY(by(txn, at.id, &buf, &row.number));
		cs_buf_put(rows, &row, sizeof(row));
		CS_TRY(cs_buf_err(rows));
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_secret_free(buf);
	return e;
}

cs_err
cs_listing(struct cs_local_txn *txn, enum cs_local_table table,
    cs_listing_by *by, struct cs_buf *ret)
{
	struct cs_buf rows = { 0 };
	struct row row;
	size_t at;
	cs_err e;

	CS_TRY(collect(txn, table, by, &rows));
	if (rows.n > 0)
		qsort(rows.p, rows.n / sizeof(row), sizeof(row), by_number);
	for (at = 0; at < rows.n; at += sizeof(row)) {
		memcpy(&row, rows.p + at, sizeof(row));
		cs_buf_put(ret, row.id, CS_ID_BYTES);
	}
	e = cs_buf_err(ret);
out:
	cs_buf_fini(&rows);
	return e;
}
