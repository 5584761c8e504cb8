#include "client/keyplan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/ask.h"
#include "client/outrec.h"
#include "client/owed.h"
#include "client/skew.h"
#include "keys/file.h"
#include "proto/entry.h"
#include "proto/envelope.h"

/* Epoch keys there can be at once: kept ones, and those ahead. */
#define ROWS_MAX 128

struct plan {
	struct cs_client *c;
	struct cs_epoch *epochs;
	cs_keyplan_each *each;
	void *ctx;
};

/* ------------------------------------------------------------- signing keys */

/* Messages whose envelope names this key and that the relay may not have. */
static cs_err
count_signed(struct cs_client *c, uint64_t entry, uint32_t *ret)
{
	struct cs_local_ids at = { .table = CS_LOCAL_PENDING };
	struct cs_local_txn *txn = NULL;
	struct cs_buf which = { 0 };
	uint32_t n = 0;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		struct cs_secret *value = NULL;
		struct cs_outrec rec;

		cs_buf_reset(&which);
		CS_TRY(cs_local_get_public(txn, CS_LOCAL_PENDING,
		    CS_BYTES(at.id), &which));
		CS_TRY(which.n == 1 ? CS_OK : CS_CORRUPT);
		e = cs_outrec_get(txn, (enum cs_local_table)which.p[0], at.id,
		    &rec, &value);
		n += e == CS_OK && rec.stage != CS_OUTREC_QUEUED &&
		     rec.manifest.sender_entry == entry;
		cs_secret_free(value);
		CS_TRY(e);
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	*ret = n;
out:
	cs_local_end(&txn);
	cs_buf_fini(&which);
	return e;
}

/* The device entry or rotation at an index of the log: its key, its time, and
 * where the key before it stands. */
static cs_err
read_key(struct cs_client *c, const struct cs_directory_device *self,
    uint64_t index, struct cs_keyplan_row *row, uint64_t *ret_before)
{
	struct cs_entry_device_rotate rotate;
	struct cs_entry_device device;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	struct cs_bytes bytes;
	cs_err e;

	CS_TRY(cs_directory_leaf(cs_client_directory(c), index, &bytes));
	CS_TRY(cs_entry_leaf_decode(bytes, &leaf));
	CS_TRY(cs_entry_decode(leaf.entry, &entry));
	row->since_s = leaf.logged_at_s;
	if (entry.type == CS_ENTRY_DEVICE_ROTATE) {
		CS_TRY(cs_entry_device_rotate_decode(entry.body, &rotate));
		memcpy(row->key, rotate.sign_key, CS_SIGN_PUBLIC_BYTES);
		*ret_before = entry.prev == CS_ENTRY_NO_PREV ? self->certified
							     : entry.prev;
	} else {
		CS_TRY(cs_entry_device_decode(entry.body, &device));
		memcpy(row->key, device.sign_key, CS_SIGN_PUBLIC_BYTES);
		*ret_before = CS_ENTRY_NO_PREV;
	}
out:
	return e;
}

static cs_err
each_signing_key(struct plan *p)
{
	struct cs_keyplan_row row = { .kind = CS_KEYPLAN_SIGNING };
	struct cs_directory_device self;
	uint64_t at, before;
	cs_err e;

	CS_TRY(cs_directory_device(cs_client_directory(p->c),
	    cs_client_self(p->c)->id, &self));
	for (at = self.entry; at != CS_ENTRY_NO_PREV; at = before) {
		CS_TRY(read_key(p->c, &self, at, &row, &before));
		CS_TRY(count_signed(p->c, at, &row.n_in_flight));
		if (row.kind == CS_KEYPLAN_SIGNING || row.n_in_flight > 0)
			CS_TRY(p->each(p->ctx, &row));
		row = (struct cs_keyplan_row){ .kind = CS_KEYPLAN_REPLACED };
	}
out:
	return e;
}

/* --------------------------------------------------------------- epoch keys */

/* What an item that waits is sealed to. False where its ciphertext is not here.
 */
static bool
sealed_to(struct cs_client *c, const uint8_t *id,
    uint8_t ret_key_id[CS_HASH_BYTES])
{
	char folder[CS_HOME_PATH_BYTES], path[CS_HOME_PATH_BYTES + 16];
	struct cs_envelope_recipient row;
	struct cs_envelope envelope;
	struct cs_buf file = { 0 };
	bool found = false;
	uint16_t i;

	cs_home_path(cs_client_home(c), CS_HOME_OBJECTS, id, NULL, folder);
	snprintf(path, sizeof(path), "%s/" CS_HOME_ENVELOPE, folder);
	if (cs_file_read(path, CS_LIMIT_ENVELOPE_BYTES, false, &file) ==
		CS_OK &&
	    cs_envelope_decode(cs_buf_view(&file), &envelope) == CS_OK &&
	    cs_envelope_find(&envelope, cs_client_self(c)->id, &i) == CS_OK) {
		cs_envelope_recipient(&envelope, i, &row);
		memcpy(ret_key_id, row.key_id, CS_HASH_BYTES);
		found = true;
	}
	cs_buf_fini(&file);
	return found;
}

/* Adds an item to the row of its key; the row past the end takes the rest. */
static void
count_item(struct cs_client *c, const uint8_t *id, struct cs_keyplan_row *rows,
    uint32_t n)
{
	uint8_t key_id[CS_HASH_BYTES];
	uint32_t i = n;

	if (sealed_to(c, id, key_id))
		for (i = 0; i < n; i++)
			if (memcmp(rows[i].key, key_id, CS_HASH_BYTES) == 0)
				break;
	rows[i].n_in_flight++;
}

static cs_err
count_waiting(struct cs_client *c, struct cs_keyplan_row *rows, uint32_t n)
{
	struct cs_local_ids at = { .table = CS_LOCAL_WAITING };
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK)
		count_item(c, at.id, rows, n);
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_local_end(&txn);
	return e;
}

/* ret: rows of all epoch keys, and one more for what waits for none of them. */
static cs_err
list_epoch_keys(struct plan *p, struct cs_keyplan_row *rows, uint32_t *ret_n)
{
	struct cs_epoch_key key;
	uint32_t n = 0;
	cs_err e;

	while (n < ROWS_MAX - 1 &&
	       (e = cs_epoch_key_at(p->epochs, n, &key)) == CS_OK) {
		rows[n] = (struct cs_keyplan_row){
			.kind = CS_KEYPLAN_EPOCH,
			.epoch = key.epoch,
			.since_s = key.epoch * CS_EPOCH_S,
			.until_s = (key.epoch + 1) * CS_EPOCH_S,
			.destroy_at_s = key.destroy_at_s,
		};
		memcpy(rows[n++].key, key.key_id, CS_HASH_BYTES);
	}
	rows[n] = (struct cs_keyplan_row){ .kind = CS_KEYPLAN_UNKNOWN };
	*ret_n = n;
	return e == CS_NOT_FOUND ? CS_OK : e;
}

static cs_err
each_epoch_key(struct plan *p)
{
	struct cs_keyplan_row *rows = calloc(ROWS_MAX, sizeof(*rows));
	uint32_t n = 0;
	cs_err e;

	CS_TRY(rows ? CS_OK : CS_NO_MEMORY);
	CS_TRY(list_epoch_keys(p, rows, &n));
	CS_TRY(count_waiting(p->c, rows, n));
	for (uint32_t i = 0; i < n + (rows[n].n_in_flight > 0); i++)
		CS_TRY(p->each(p->ctx, &rows[i]));
out:
	free(rows);
	return e;
}

/* ------------------------------------------------------------------- public */

static cs_err
load_epochs(struct cs_client *c, struct cs_epoch **ret)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	cs_home_path(cs_client_home(c), CS_HOME_EPOCHS, NULL, NULL, path);
	e = cs_epoch_load(path, cs_client_keyring(c), ret);
	if (e != CS_OK)
		cs_why_set(cs_client_why(c), "epoch keys %s", path);
	return e;
}

cs_err
cs_keyplan_run(struct cs_client *c, cs_keyplan_each *each, void *ctx)
{
	struct plan p = { .c = c, .each = each, .ctx = ctx };
	cs_err e;

	CS_TRY(load_epochs(c, &p.epochs));
	CS_TRY(each_signing_key(&p));
	CS_TRY(each_epoch_key(&p));
out:
	cs_epoch_free(p.epochs);
	return e;
}

static void
say_when(struct cs_client *c, uint64_t epoch, uint64_t at_s)
{
	char day[sizeof("2026-11-22")];
	const time_t t = (time_t)at_s;
	struct tm tm;

	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&t, &tm));
	cs_why_set(cs_client_why(c),
	    "mail sealed to the key of epoch %llu may be under way until %s; "
	    "it is destroyed by itself then",
	    (unsigned long long)epoch, day);
}

cs_err
cs_keyplan_destroy(struct cs_client *c, uint64_t epoch)
{
	struct cs_epoch *epochs = NULL;
	char path[CS_HOME_PATH_BYTES];
	uint64_t relay_s, now_s, at_s;
	cs_err e;

	CS_TRY(cs_ask_ping(cs_client_conn(c), &relay_s));
	CS_TRY(cs_skew_check(cs_client_now(), relay_s, cs_client_why(c),
	    &now_s));
	CS_TRY(load_epochs(c, &epochs));
	e = cs_epoch_destroy(epochs, epoch, now_s, &at_s);
	if (e == CS_NOT_FOUND && epoch < cs_epoch_of(now_s)) {
		e = CS_OK; /* connecting has done it */
		goto out;
	}
	if (e == CS_TOO_EARLY)
		say_when(c, epoch, at_s);
	else if (e == CS_NOT_FOUND)
		cs_why_set(cs_client_why(c),
		    "there is no key of epoch %llu yet",
		    (unsigned long long)epoch);
	CS_TRY(e);
	cs_home_path(cs_client_home(c), CS_HOME_EPOCHS, NULL, NULL, path);
	CS_TRY(cs_epoch_save(epochs, cs_client_keyring(c), path));
out:
	cs_epoch_free(epochs);
	return e;
}
