/*
 * Fills a home with as many messages as somebody has after years.
 *
 *     fill_home HOME COUNT
 *
 * HOME (enrolled, unattended) has sent and received something. Copies of these
 * records under new ids are put into its local store in turn, until it has
 * COUNT in all: what searching and listing open, not what the relay knows.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/inrec.h"
#include "client/outrec.h"
#include "tests/support/bench.h"

#define COPIES_IN_COMMIT 500
#define MODELS           64 /* records that are copied, of each table */

struct models {
	uint8_t id[MODELS][CS_ID_BYTES];
	unsigned n;
};

static void
must(cs_err e, const char *what)
{
	if (e == CS_OK)
		return;
	fprintf(stderr, "fill_home: %s: %s\n", what, cs_err_text(e));
	exit(1);
}

static void
find_models(struct cs_local *local, enum cs_local_table table,
    struct models *ret)
{
	struct cs_local_ids at = { .table = table };
	struct cs_local_txn *txn = NULL;

	must(cs_local_begin(local, false, &txn), "begin");
	while (ret->n < MODELS && cs_local_next_id(txn, &at) == CS_OK)
		memcpy(ret->id[ret->n++], at.id, CS_ID_BYTES);
	cs_local_end(&txn);
	bench_must(ret->n > 0, "something sent and something received");
}

static void
copy_came(struct cs_local_txn *txn, const uint8_t *model)
{
	struct cs_secret *value = NULL;
	struct cs_inrec r;

	must(cs_inrec_get(txn, model, &r, &value), "record of the inbox");
	randombytes_buf(r.id, sizeof(r.id));
	must(cs_inrec_put(txn, &r), "record of the inbox");
	cs_secret_free(value);
}

static void
copy_sent(struct cs_local_txn *txn, const uint8_t *model)
{
	struct cs_secret *value = NULL;
	struct cs_outrec r;

	must(cs_outrec_get(txn, CS_LOCAL_OUT, model, &r, &value), "sent");
	randombytes_buf(r.id, sizeof(r.id));
	must(cs_outrec_put(txn, CS_LOCAL_OUT, &r), "record of what was sent");
	cs_secret_free(value);
}

static void
fill(struct cs_local *local, unsigned count)
{
	struct models came = { 0 }, sent = { 0 };
	struct cs_local_txn *txn = NULL;

	find_models(local, CS_LOCAL_IN, &came);
	find_models(local, CS_LOCAL_OUT, &sent);
	for (unsigned n = came.n + sent.n; n < count; n++) {
		if (!txn)
			must(cs_local_begin(local, true, &txn), "begin");
		if (n % 2 == 0)
			copy_came(txn, came.id[n / 2 % came.n]);
		else
			copy_sent(txn, sent.id[n / 2 % sent.n]);
		if (n % COPIES_IN_COMMIT == 0 || n + 1 == count)
			must(cs_local_commit(&txn), "commit");
	}
}

int
main(int argc, char **argv)
{
	struct cs_client *c = NULL;
	struct cs_why why = { 0 };

	if (argc != 3) {
		fprintf(stderr, "usage: fill_home HOME COUNT\n");
		return 2;
	}
	bench_must(cs_secret_process_init() == CS_OK, "libsodium");
	must(cs_client_open(argv[1], NULL, &why, &c), why.text);
	fill(cs_client_local(c), (unsigned)strtoul(argv[2], NULL, 10));
	cs_client_close(c);
	return 0;
}
