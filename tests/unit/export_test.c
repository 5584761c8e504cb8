#include "client/export.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/import.h"
#include "client/join.h"
#include "keys/backup.h"
#include "proto/backuprec.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

static const struct cs_kdf cheap = {
	.ops = 1, .mem_bytes = 8192, .salt = { 1 }
};
static struct cs_why why;

static struct cs_secret *
pass(const char *text)
{
	struct cs_secret *s = NULL;

	CHECK_OK(cs_secret_copy(cs_bytes_str(text), &s));
	return s;
}

static void
put(const char *path, struct cs_bytes v)
{
	test_write(test_path(path), v);
	CHECK(chmod(test_path(path), 0600) == 0);
}

/* An enrolled device in the folder "a", with a message and its attachment. */
static struct cs_client *
enrolled(void)
{
	static struct fake_relay f;
	struct cs_join_result r;
	struct cs_client *c = NULL;
	const struct cs_join j = { .dir = test_path("a"),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join join = j;

	fake_relay_start(&f);
	join.invitation = fake_relay_invite(&f, "ann@clinic");
	CHECK_OK(cs_join_run(&join, &why, &r));
	fake_relay_stop(&f);
	CHECK_OK(cs_client_open(test_path("a"), NULL, NULL, &c));
	CHECK_OK(cs_local_write(cs_client_local(c), CS_LOCAL_IN,
	    HEX("00112233445566778899aabbccddeeff"), HEX("c0ffee")));
	CHECK_OK(cs_local_write(cs_client_local(c), CS_LOCAL_SEEN,
	    HEX("00112233445566778899aabbccddeeff"), HEX("01")));
	CHECK_OK(cs_home_make(test_path("a/objects/0a")));
	put("a/objects/0a/0b", (struct cs_bytes){ test_alloc(200000), 200000 });
	put("a/objects/0a/0c.part", HEX("00"));
	put("a/objects/0a/.hidden", HEX("00"));
	return c;
}

static cs_err export(struct cs_client *c, const char *path, bool keys_only,
    struct cs_export_report *ret)
{
	struct cs_secret *p = pass("safe");
	const struct cs_export x = { .path = test_path(path),
		.passphrase = p,
		.cost = &cheap,
		.keys_only = keys_only,
		.wait_ms = 100 };
	cs_err e = cs_export_run(c, &x, ret);

	cs_secret_free(p);
	return e;
}

static cs_err
import(const char *path, const char *home, const char *passphrase,
    struct cs_import_report *ret)
{
	struct cs_secret *p = pass(passphrase);
	const struct cs_import x = {
		.dir = test_path(home), .path = test_path(path), .passphrase = p
	};
	cs_err e;

	cs_why_clear(&why);
	e = cs_import_run(&x, &why, ret);
	cs_secret_free(p);
	return e;
}

static bool
is_there(const char *path)
{
	return access(test_path(path), F_OK) == 0;
}

static cs_err
read_row(struct cs_client *c, enum cs_local_table table)
{
	struct cs_secret *v = NULL;
	cs_err e = cs_local_read(cs_client_local(c), table,
	    HEX("00112233445566778899aabbccddeeff"), &v);

	cs_secret_free(v);
	return e;
}

TEST(export_makes_the_same_home_again)
{
	struct cs_client *a = enrolled(), *b = NULL;
	struct cs_export_report x = { 0 };
	struct cs_import_report m = { 0 };

	CHECK_OK(export(a, "backup", false, &x));
	CHECK_NUM(2, x.files); /* epoch keys, one attachment */
	CHECK_NUM(test_read(test_path("backup")).n, x.bytes);
	CHECK_OK(import("backup", "b", "safe", &m));
	CHECK_STR("ann@clinic", m.address);
	CHECK_NUM(x.rows, m.rows);
	CHECK_NUM(x.files, m.files);
	CHECK_STR(test_path("b"), m.home);
	CHECK(!is_there("b.importing"));
	CHECK_VIEW(test_read(test_path("a/objects/0a/0b")),
	    test_read(test_path("b/objects/0a/0b")));
	CHECK(!is_there("b/objects/0a/0c.part"));
	CHECK(!is_there("b/objects/0a/.hidden"));
	CHECK_VIEW(test_read(test_path("a/epochs")),
	    test_read(test_path("b/epochs")));
	CHECK_OK(cs_client_open(test_path("b"), NULL, NULL, &b));
	CHECK_BYTES(cs_client_self(a)->sign_key, 32,
	    cs_client_self(b)->sign_key, 32);
	CHECK_OK(read_row(b, CS_LOCAL_IN));
	CHECK_NUM(cs_client_checkpoint(a)->size, cs_client_checkpoint(b)->size);
	cs_client_close(a);
	cs_client_close(b);
}

TEST(export_of_the_keys_leaves_the_archive_out)
{
	struct cs_client *a = enrolled(), *b = NULL;
	struct cs_export_report x = { 0 };
	struct cs_import_report m = { 0 };

	CHECK_OK(export(a, "backup", true, &x));
	CHECK_NUM(1, x.files);
	CHECK_OK(import("backup", "b", "safe", &m));
	CHECK_OK(cs_client_open(test_path("b"), NULL, NULL, &b));
	CHECK_ERR(CS_NOT_FOUND, read_row(b, CS_LOCAL_IN));
	/* a replay is known all the same */
	CHECK_OK(read_row(b, CS_LOCAL_SEEN));
	CHECK(!is_there("b/objects"));
	cs_client_close(a);
	cs_client_close(b);
}

TEST(export_says_what_keeps_it_from_it)
{
	struct cs_client *a = enrolled(), *b = NULL;
	struct cs_export_report x = { .bytes = 7 };
	struct cs_keyring *next = NULL;

	put("backup", HEX("00"));
	CHECK_ERR(CS_EXISTS, export(a, "backup", false, &x));
	CHECK_ERR(CS_IO, export(a, "no/backup", false, &x));
	CHECK_OK(cs_client_open(test_path("a"), NULL, NULL, &b));
	CHECK_OK(cs_client_lock(b, 0));
	CHECK_ERR(CS_BUSY, export(a, "busy", false, &x));
	cs_client_close(b);
	/* between two signing keys it would be of neither */
	CHECK_OK(cs_keyring_successor(cs_client_keyring(a), &next));
	CHECK_OK(cs_keyring_save(next, test_path("a/keyring.next"), NULL,
	    false));
	cs_why_clear(cs_client_why(a));
	CHECK_ERR(CS_CHANGED, export(a, "busy", false, &x));
	CHECK(strstr(cs_client_why(a)->text, "consil sync") != NULL);
	CHECK(unlink(test_path("a/keyring.next")) == 0);
	/* a file that became shorter while it was read */
	CHECK(truncate(test_path("a/epochs"), 0) == 0);
	CHECK_OK(export(a, "backup2", false, &x));
	CHECK_ERR(CS_CORRUPT,
	    import("backup2", "b", "safe", &(struct cs_import_report){ 0 }));
	CHECK(!is_there("busy"));
	cs_keyring_free(next);
	cs_client_close(a);
}

TEST(import_says_what_is_wrong)
{
	struct cs_client *a = enrolled();
	struct cs_export_report x;
	struct cs_import_report m = { .rows = 7 };
	struct cs_bytes file;
	int fd;

	CHECK_OK(export(a, "backup", false, &x));
	cs_client_close(a);
	CHECK_ERR(CS_BAD_PASSPHRASE, import("backup", "b", "other", &m));
	CHECK_ERR(CS_NOT_FOUND, import("none", "b", "safe", &m));
	CHECK_ERR(CS_EXISTS, import("backup", "a", "safe", &m));
	CHECK_ERR(CS_EXISTS, cs_import_check(test_path("a"), &why));
	CHECK_OK(cs_import_check(test_path("b"), &why));
	put("zero", HEX(""));
	CHECK_ERR(CS_CORRUPT, import("zero", "b", "safe", &m));

	/* what an import that died left, and one that is at it */
	CHECK_OK(cs_home_make(test_path("b.importing/objects/x")));
	put("b.importing/objects/x/y", HEX("00"));
	fd = open(test_path("b.importing"), O_RDONLY | O_DIRECTORY);
	CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
	CHECK_ERR(CS_BUSY, import("backup", "b", "safe", &m));
	CHECK(is_there("b.importing/objects/x/y"));
	close(fd);
	file = test_read(test_path("backup"));
	put("cut", (struct cs_bytes){ file.p, file.n - 1 });
	CHECK_ERR(CS_CORRUPT, import("cut", "b", "safe", &m));
	CHECK(strstr(why.text, "not whole") != NULL);
	CHECK(!is_there("b") && !is_there("b.importing"));
	CHECK_NUM(7, m.rows);
	CHECK(mkdir(test_path("b"), 0700) == 0);
	CHECK_OK(import("backup", "b", "safe", &m));
}

/* ------------------------------------------- files that no export writes */

/* A backup of these records, by somebody who knows the passphrase. */
static void
forge(const char *path, const struct cs_backup_info *info, struct cs_bytes v)
{
	struct cs_secret *p = pass("safe");
	struct cs_backup_writer *w = NULL;
	uint64_t bytes;
	int fd = open(test_path(path), O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK_OK(cs_backup_create(fd, info, p, &cheap, &w));
	CHECK_OK(cs_backup_write(w, v));
	CHECK_OK(cs_backup_finish(w, &bytes));
	cs_backup_writer_free(w);
	close(fd);
	cs_secret_free(p);
}

static void
put_keyring(struct cs_buf *b, const struct cs_keyring *kr)
{
	struct cs_secret *key = NULL;
	struct cs_buf file = { 0 };

	CHECK_OK(cs_secret_random(32, &key));
	CHECK_OK(cs_keyring_encode(kr, key, &file));
	cs_backuprec_put_keyring(b,
	    &(struct cs_backuprec_keyring){ .name = cs_bytes_str("keyring"),
		.key = cs_secret_view(key),
		.file = cs_buf_view(&file) });
	cs_buf_fini(&file);
	cs_secret_free(key);
}

static void
put_file(struct cs_buf *b, const char *path)
{
	cs_backuprec_put_file(b, cs_bytes_str(path), 1);
	cs_buf_put_u8(b, 'x');
}

TEST(import_refuses_records_that_make_no_sense)
{
	static const char *const paths[] = { "../x", "keyring",
		"store/data.mdb", "objects/../../x" };
	struct cs_client *a = enrolled();
	struct cs_backup_info info = { .kind = CS_BACKUP_HOME };
	struct cs_import_report m;
	struct cs_buf b = { 0 };

	memcpy(info.network_id, cs_client_self(a)->network_id, 32);
	memcpy(info.id, cs_client_self(a)->id, 16);
	for (unsigned i = 0; i < 9; i++) {
		struct cs_backup_info other = info;
		struct cs_backuprec_end end = { .keyrings = 1 };

		cs_buf_reset(&b);
		if (i != 4)
			put_keyring(&b, cs_client_keyring(a));
		if (i < 4) { /* a path that leads elsewhere */
			put_file(&b, paths[i]);
			end.files = 1;
		} else if (i == 5) { /* two of one name */
			put_file(&b, "epochs");
			put_file(&b, "epochs");
			end.files = 2;
		} else if (i == 6) { /* two keyrings */
			put_keyring(&b, cs_client_keyring(a));
			end.keyrings = 2;
		} else if (i == 7) { /* miscounted */
			end.rows = 1;
		} else if (i == 8) { /* another device's name on it */
			other.id[0] ^= 1;
		}
		cs_backuprec_put_end(&b, &end);
		forge("forged", &other, cs_buf_view(&b));
		CHECK_ERR(CS_CORRUPT, import("forged", "b", "safe", &m));
		CHECK(!is_there("b") && !is_there("b.importing"));
		CHECK(!is_there("x"));
	}
	info.kind = CS_BACKUP_NETWORK;
	forge("forged", &info, cs_buf_view(&b));
	CHECK_ERR(CS_USAGE, import("forged", "b", "safe", &m));
	cs_buf_fini(&b);
	cs_client_close(a);
}
