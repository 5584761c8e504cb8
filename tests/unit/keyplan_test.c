#include "client/keyplan.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/join.h"
#include "client/outrec.h"
#include "client/owed.h"
#include "keys/file.h"
#include "keys/seal.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define WAIT_MS  1000
#define ROWS_MAX 64

static struct fake_relay f;
static struct cs_client *c;

static void
begin(void)
{
	struct cs_join_result r;
	struct cs_join j = { .dir = test_path("a"),
		.device_name = cs_bytes_str("a laptop") };

	fake_relay_start(&f);
	j.invitation = fake_relay_invite(&f, "ann@clinic");
	CHECK_OK(cs_join_run(&j, NULL, &r));
	c = NULL;
	CHECK_OK(cs_client_open(test_path("a"), NULL, NULL, &c));
	CHECK_OK(cs_client_connect(c, WAIT_MS));
}

static void
end(void)
{
	cs_client_close(c);
	fake_relay_stop(&f);
}

struct rows {
	uint32_t n;
	struct cs_keyplan_row row[ROWS_MAX];
};

static cs_err
keep(void *ctx, const struct cs_keyplan_row *row)
{
	struct rows *r = ctx;

	CHECK(r->n < ROWS_MAX);
	r->row[r->n++] = *row;
	return CS_OK;
}

static struct rows
plan(void)
{
	struct rows r = { 0 };

	CHECK_OK(cs_keyplan_run(c, keep, &r));
	return r;
}

/* A record on its way, sealed by the key of a log entry. */
static void
put(uint8_t id, enum cs_outrec_stage stage, uint64_t entry)
{
	const uint8_t which = CS_LOCAL_OUT;
	struct cs_outrec rec = { .id = { id }, .stage = stage };
	struct cs_local_txn *txn = NULL;

	rec.manifest.sender_entry = entry;
	CHECK_OK(cs_local_begin(cs_client_local(c), true, &txn));
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &rec));
	CHECK_OK(cs_local_put(txn, CS_LOCAL_PENDING, CS_BYTES(rec.id),
	    (struct cs_bytes){ &which, 1 }));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
}

static struct cs_directory_device
self(void)
{
	struct cs_directory_device d;

	CHECK_OK(cs_directory_device(cs_client_directory(c),
	    cs_client_self(c)->id, &d));
	return d;
}

TEST(keyplan_lists_the_signing_key_and_the_epoch_keys)
{
	const uint64_t now = cs_client_now();
	struct rows r;

	begin();
	r = plan();
	CHECK_NUM(1 + CS_EPOCHS_PER_BATCH, r.n);
	CHECK_NUM(CS_KEYPLAN_SIGNING, r.row[0].kind);
	CHECK_BYTES(cs_client_self(c)->sign_key, 32, r.row[0].key, 32);
	CHECK(r.row[0].since_s >= now - 1 && r.row[0].destroy_at_s == 0);
	for (uint32_t i = 1; i < r.n; i++) {
		CHECK_NUM(CS_KEYPLAN_EPOCH, r.row[i].kind);
		CHECK_NUM(cs_epoch_of(now) + i - 1, r.row[i].epoch);
		CHECK_NUM(r.row[i].epoch * CS_EPOCH_S, r.row[i].since_s);
		CHECK_NUM(r.row[i].since_s + CS_EPOCH_S, r.row[i].until_s);
		CHECK(r.row[i].destroy_at_s > r.row[i].until_s);
		CHECK_NUM(0, r.row[i].n_in_flight);
	}
	end();
}

/* What was submitted before a rotation stays under the key that signed it. */
TEST(keyplan_counts_what_is_sealed_under_each_signing_key)
{
	struct rows r;

	begin();
	put(1, CS_OUTREC_QUEUED, self().entry);
	put(2, CS_OUTREC_SEALED, self().entry);
	put(3, CS_OUTREC_SUBMITTED, self().entry);
	r = plan();
	CHECK_NUM(2, r.row[0].n_in_flight);
	CHECK_OK(cs_client_rotate(c, WAIT_MS));
	r = plan();
	CHECK_NUM(CS_KEYPLAN_SIGNING, r.row[0].kind);
	CHECK_NUM(0, r.row[0].n_in_flight);
	CHECK_NUM(CS_KEYPLAN_REPLACED, r.row[1].kind);
	CHECK_NUM(1, r.row[1].n_in_flight);
	CHECK_OK(cs_client_rotate(c, WAIT_MS));
	put(4, CS_OUTREC_SUBMITTED, self().entry);
	r = plan();
	CHECK_NUM(1, r.row[0].n_in_flight);
	CHECK_NUM(CS_KEYPLAN_REPLACED, r.row[1].kind);
	CHECK_NUM(1, r.row[1].n_in_flight);
	CHECK_NUM(CS_KEYPLAN_EPOCH, r.row[2].kind);
	end();
}

/* An item that waits, with an envelope to key_id; NULL: nothing is here. */
static void
put_waiting(uint8_t id, const uint8_t *key_id)
{
	struct cs_frame_item item = { .seq = id, .envelope_id = { id } };
	struct cs_seal_recipient to = { 0 };
	struct cs_manifest_device row = { .key_kind = CS_KEY_EPOCH };
	struct cs_manifest_addressee name = {
		.address = cs_bytes_str("ann@clinic"),
	};
	struct cs_seal_job job = { .class = CS_CLASS_ROUTINE,
		.created_s = cs_client_now(),
		.expires_at_s = cs_client_now() + 86400,
		.n_recipients = 1,
		.recipients = &to };
	uint8_t public_key[CS_KEM_PUBLIC_BYTES], sk[CS_KEM_SECRET_BYTES];
	struct cs_buf envelope = { 0 }, devices = { 0 }, names = { 0 };
	struct cs_local_txn *txn = NULL;
	struct cs_seal_facts facts;
	char path[64];

	CHECK_OK(cs_local_begin(cs_client_local(c), true, &txn));
	CHECK_OK(cs_owed_put_item(txn, &item));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
	if (!key_id)
		return;
	crypto_kem_xwing_keypair(public_key, sk);
	memcpy(to.device_id, cs_client_self(c)->id, CS_ID_BYTES);
	memcpy(to.key_id, key_id, CS_HASH_BYTES);
	to.public_key = public_key;
	memcpy(job.network_id, f.net.network_id, CS_NETWORK_ID_BYTES);
	memcpy(job.envelope_id, item.envelope_id, CS_ID_BYTES);
	memcpy(job.manifest.thread_id, item.envelope_id, CS_ID_BYTES);
	memcpy(row.device_id, to.device_id, CS_ID_BYTES);
	memcpy(row.key_id, key_id, CS_HASH_BYTES);
	cs_manifest_put_device(&devices, &row);
	cs_manifest_put_addressee(&names, &name);
	memcpy(job.manifest.sender_device, to.device_id, CS_ID_BYTES);
	memcpy(job.manifest.sender_member, cs_client_self(c)->member_id,
	    CS_ID_BYTES);
	job.manifest.content_kind = CS_CONTENT_CASE;
	job.manifest.receipt_policy = CS_RECEIPT_DELIVERED;
	job.manifest.created_s = job.created_s;
	job.manifest.content = cs_bytes_str("x");
	job.manifest.n_addressees = job.manifest.n_devices = 1;
	job.manifest.addressees = cs_buf_view(&names);
	job.manifest.devices = cs_buf_view(&devices);
	CHECK_OK(cs_seal_envelope(cs_client_keyring(c), &job, &envelope,
	    &facts));
	CHECK_OK(cs_home_mkdir(cs_client_home(c), CS_HOME_OBJECTS,
	    item.envelope_id));
	snprintf(path, sizeof(path),
	    "a/objects/%02x000000000000000000000000000000/envelope", id);
	CHECK_OK(cs_file_write(test_path(path), cs_buf_view(&envelope), 0600,
	    true));
	cs_buf_fini(&envelope);
	cs_buf_fini(&devices);
	cs_buf_fini(&names);
}

TEST(keyplan_counts_what_waits_under_each_epoch_key)
{
	static const uint8_t unknown[CS_HASH_BYTES] = { 7 };
	struct rows r;

	begin();
	r = plan();
	put_waiting(1, r.row[1].key);
	put_waiting(2, r.row[1].key);
	put_waiting(3, r.row[4].key);
	put_waiting(4, unknown);
	put_waiting(5, NULL);
	r = plan();
	CHECK_NUM(2, r.row[1].n_in_flight);
	CHECK_NUM(0, r.row[2].n_in_flight);
	CHECK_NUM(1, r.row[4].n_in_flight);
	CHECK_NUM(2 + CS_EPOCHS_PER_BATCH, r.n);
	CHECK_NUM(CS_KEYPLAN_UNKNOWN, r.row[r.n - 1].kind);
	CHECK_NUM(2, r.row[r.n - 1].n_in_flight);
	end();
}

TEST(keyplan_destroys_nothing_too_early)
{
	const uint64_t epoch = cs_epoch_of(cs_client_now());

	begin();
	CHECK_ERR(CS_TOO_EARLY, cs_keyplan_destroy(c, epoch));
	CHECK(strstr(cs_client_why(c)->text, "by itself") != NULL);
	cs_why_clear(cs_client_why(c));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_keyplan_destroy(c, epoch + CS_EPOCHS_PER_BATCH));
	CHECK_OK(cs_keyplan_destroy(c, epoch - 1));
	CHECK_NUM(1 + CS_EPOCHS_PER_BATCH, plan().n);
	fake_relay_set(&f, (struct fake_relay_mood){ .behind_s = 7200 });
	CHECK_ERR(CS_CLOCK, cs_keyplan_destroy(c, epoch));
	end();
}
