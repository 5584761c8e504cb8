/* Where the attachments of what was sent lie, before custody and after it. */
#include "client/kept.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/outbox.h"
#include "client/outrec.h"
#include "client/ownmail.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

static const uint8_t id[CS_ID_BYTES] = { 0xab };
static const uint8_t object[CS_ID_BYTES] = { 1 };

static struct cs_home *
home(void)
{
	struct cs_home *h = NULL;

	CHECK_OK(cs_home_open(test_path("home"), true, NULL, &h));
	return h;
}

static void
spool(const struct cs_home *h, bool with_object)
{
	char path[CS_HOME_PATH_BYTES + 16];

	CHECK_OK(cs_home_mkdir(h, CS_HOME_SPOOL, id));
	cs_home_path(h, CS_HOME_SPOOL, id, NULL, path);
	strcat(path, "/" CS_HOME_ENVELOPE);
	test_write(path, cs_bytes_str("sealed"));
	if (!with_object)
		return;
	cs_home_path(h, CS_HOME_SPOOL, id, object, path);
	test_write(path, cs_bytes_str("segments"));
}

static bool
is_in(const struct cs_home *h, const char *name, const uint8_t *file)
{
	char path[CS_HOME_PATH_BYTES];

	cs_home_path(h, name, id, file, path);
	return access(path, F_OK) == 0;
}

static void
check_found(const struct cs_home *h)
{
	char path[CS_HOME_PATH_BYTES];

	cs_kept_path(h, id, object, path);
	CHECK_VIEW(cs_bytes_str("segments"), test_read(path));
}

TEST(kept_moves_attachments_without_the_envelope)
{
	struct cs_home *h = home();
	char path[CS_HOME_PATH_BYTES + 16];

	spool(h, true);
	check_found(h);
	CHECK_OK(cs_kept_move(h, id));
	CHECK(!is_in(h, CS_HOME_SPOOL, NULL));
	check_found(h);
	cs_home_path(h, CS_HOME_SENT, id, NULL, path);
	strcat(path, "/" CS_HOME_ENVELOPE);
	CHECK(access(path, F_OK) != 0);
	CHECK_OK(cs_kept_move(h, id)); /* moved before */
	check_found(h);
	CHECK_OK(cs_kept_remove(h, id));
	CHECK(!is_in(h, CS_HOME_SENT, NULL));
	CHECK_OK(cs_kept_remove(h, id));
	cs_home_close(h);
}

TEST(kept_leaves_no_empty_folder)
{
	struct cs_home *h = home();

	spool(h, false);
	CHECK_OK(cs_kept_move(h, id));
	CHECK(!is_in(h, CS_HOME_SPOOL, NULL));
	CHECK(!is_in(h, CS_HOME_SENT, NULL));
	spool(h, true);
	CHECK_OK(cs_kept_remove(h, id));
	CHECK(!is_in(h, CS_HOME_SPOOL, NULL));
	cs_home_close(h);
}

TEST(kept_says_where_it_cannot)
{
	struct cs_home *h = home();
	char path[CS_HOME_PATH_BYTES];

	spool(h, true);
	/* something else has the name: nothing of either is lost */
	CHECK_OK(cs_home_mkdir(h, CS_HOME_SENT, id));
	cs_home_path(h, CS_HOME_SENT, id, object, path);
	test_write(path, cs_bytes_str("another"));
	CHECK_ERR(CS_IO, cs_kept_move(h, id));
	check_found(h);
	CHECK_VIEW(cs_bytes_str("another"), test_read(path));
	cs_home_close(h);
}

/* ------------------------------------------------------------ with a record */

/* Puts a record of Ann's at a stage, with one object. */
static void
put(struct cs_client *c, enum cs_outrec_stage stage)
{
	static const uint8_t key[CS_FILE_KEY_BYTES] = { 1 };
	struct cs_manifest_object row = { .key = key, .bytes = 8 };
	struct cs_envelope_object stored = { .segments = 1 };
	struct cs_buf objects = { 0 }, rows = { 0 };
	struct cs_outrec r = { .stage = stage,
		.class = CS_CLASS_URGENT,
		.created_s = 77,
		.manifest = {
		    .content_kind = CS_CONTENT_CASE, .n_objects = 1 } };
	struct cs_local_txn *txn = NULL;

	memcpy(r.id, id, CS_ID_BYTES);
	memcpy(row.object_id, object, CS_ID_BYTES);
	memcpy(stored.object_id, object, CS_ID_BYTES);
	cs_manifest_put_object(&objects, &row);
	cs_outrec_put_object(&rows, &stored);
	r.manifest.objects = cs_buf_view(&objects);
	r.objects = cs_buf_view(&rows);
	CHECK_OK(cs_local_begin(cs_client_local(c), true, &txn));
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &r));
	CHECK_OK(cs_local_commit(&txn));
	cs_buf_fini(&objects);
	cs_buf_fini(&rows);
}

TEST(kept_is_put_right_by_the_sweep_as_the_record_says)
{
	struct fake_relay relay;
	struct cs_inbox_message m;
	const struct cs_home *h;
	struct cs_client *c;

	fake_relay_start(&relay);
	fake_relay_join(&relay, "ann", "ann@clinic", &c);
	h = cs_client_home(c);
	/* killed after custody was noted, before it was moved */
	spool(h, true);
	put(c, CS_OUTREC_ACCEPTED);
	CHECK_OK(cs_ownmail_get(c, id, &m));
	CHECK(m.is_own && m.n_missing == 0);
	CHECK_NUM(77, m.received_at_s);
	CHECK_VIEW(cs_bytes_str("ann@clinic"), m.from);
	CHECK(!m.has_case); /* this one holds none */
	cs_inbox_fini(&m);
	CHECK_OK(cs_outbox_sweep(c));
	CHECK(!is_in(h, CS_HOME_SPOOL, NULL));
	check_found(h);
	/* what failed waits for its human, what was taken back goes */
	spool(h, true);
	put(c, CS_OUTREC_FAILED);
	CHECK_OK(cs_outbox_sweep(c));
	CHECK(is_in(h, CS_HOME_SPOOL, object));
	CHECK_OK(cs_kept_remove(h, id));
	spool(h, true);
	put(c, CS_OUTREC_WITHDRAWN);
	CHECK_OK(cs_outbox_sweep(c));
	CHECK(!is_in(h, CS_HOME_SPOOL, NULL));
	CHECK_OK(cs_ownmail_get(c, id, &m));
	CHECK_NUM(1, m.n_missing);
	cs_inbox_fini(&m);
	CHECK_ERR(CS_NOT_FOUND, cs_ownmail_get(c, object, &m));
	cs_client_close(c);
	fake_relay_stop(&relay);
}
