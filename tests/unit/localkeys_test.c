#include "client/localkeys.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/local.h"
#include "tests/test.h"

/* Ids of messages. */
#define GONE  "0000000000000001"
#define KEPT  "0000000000000002"
#define OTHER "0000000000000003"

static const uint8_t nobody[CS_NETWORK_ID_BYTES];

static struct cs_keyring *
keyring(void)
{
	struct cs_keyring *kr = NULL;

	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, nobody, nobody, nobody,
	    &kr));
	return kr;
}

static struct cs_local *
open_store(const struct cs_keyring *kr)
{
	struct cs_local *l = NULL;

	CHECK_OK(cs_local_open(test_path("store"), kr, &l));
	return l;
}

static void
put(struct cs_local *l, enum cs_local_table table, const char *id,
    const char *text)
{
	CHECK_OK(cs_local_write(l, table, cs_bytes_str(id),
	    cs_bytes_str(text)));
}

static void
check_is(struct cs_local *l, enum cs_local_table table, const char *id,
    const char *text)
{
	struct cs_secret *v = NULL;

	CHECK_OK(cs_local_read(l, table, cs_bytes_str(id), &v));
	CHECK_VIEW(cs_bytes_str(text), cs_secret_view(v));
	cs_secret_free(v);
}

static void
check_gone(struct cs_local *l, enum cs_local_table table, const char *id)
{
	struct cs_secret *v = NULL;

	CHECK_ERR(CS_NOT_FOUND, cs_local_read(l, table, cs_bytes_str(id), &v));
}

/* Deletes GONE from both tables, replaces OTHER, and forgets. */
static void
destroy(struct cs_local *l)
{
	struct cs_local_txn *txn = NULL;

	CHECK_OK(cs_local_begin(l, true, &txn));
	CHECK_OK(cs_local_delete(txn, CS_LOCAL_IN, cs_bytes_str(GONE)));
	CHECK_OK(cs_local_put(txn, CS_LOCAL_OUT, cs_bytes_str(OTHER),
	    cs_bytes_str("a stub")));
	CHECK_OK(cs_local_commit_and_forget(&txn));
	CHECK(txn == NULL);
}

static void
fill(struct cs_local *l)
{
	put(l, CS_LOCAL_IN, GONE, "a case");
	put(l, CS_LOCAL_IN, KEPT, "another case");
	put(l, CS_LOCAL_OUT, OTHER, "a case that was sent");
	put(l, CS_LOCAL_SEEN, KEPT, "no message");
}

static void
load_file(const struct cs_keyring *kr, struct cs_archivekey_file *ret)
{
	struct cs_secret *file_key = NULL;

	CHECK_OK(cs_keyring_derive(kr, "archive-file", &file_key));
	CHECK_OK(cs_archivekey_load(test_path("store/archive"), file_key, ret));
	cs_secret_free(file_key);
}

static void
save_file(const struct cs_keyring *kr, const struct cs_archivekey_file *v)
{
	struct cs_secret *file_key = NULL;

	CHECK_OK(cs_keyring_derive(kr, "archive-file", &file_key));
	CHECK_OK(cs_archivekey_save(test_path("store/archive"), file_key, v));
	cs_secret_free(file_key);
}

/* How often, at whatever place of the bytes, the key of a message opens. */
static unsigned
count_openings(struct cs_bytes store, const struct cs_secret *key,
    enum cs_local_table table, const char *id)
{
	uint8_t ad[2 + 16] = { CS_LOCAL_KEY, (uint8_t)table };
	uint8_t got[CS_ARCHIVEKEY_BYTES];
	unsigned n = 0;

	memcpy(ad + 2, id, 16);
	for (size_t at = 0; at + CS_ARCHIVEKEY_WRAPPED_BYTES <= store.n; at++)
		n += cs_archivekey_unwrap(key, CS_BYTES(ad),
			 (struct cs_bytes){
			     store.p + at, CS_ARCHIVEKEY_WRAPPED_BYTES },
			 got) == CS_OK;
	return n;
}

TEST(localkeys_what_was_forgotten_is_gone_and_the_rest_is_there)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);

	fill(l);
	destroy(l);
	for (int i = 0; i < 2; i++) {
		check_gone(l, CS_LOCAL_IN, GONE);
		check_is(l, CS_LOCAL_IN, KEPT, "another case");
		check_is(l, CS_LOCAL_OUT, OTHER, "a stub");
		check_is(l, CS_LOCAL_SEEN, KEPT, "no message");
		cs_local_close(l);
		l = open_store(kr);
	}
	/* again, and with nothing to forget */
	put(l, CS_LOCAL_IN, GONE, "came again");
	destroy(l);
	destroy(l);
	check_gone(l, CS_LOCAL_IN, GONE);
	check_is(l, CS_LOCAL_IN, KEPT, "another case");
	cs_local_close(l);
	cs_keyring_free(kr);
}

/* The point of it: whoever has the keyring and every byte there is or ever was
 * of the store, but not the archive key from before, opens nothing. */
TEST(localkeys_no_copy_of_an_old_page_opens)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_archivekey_file was, is;
	struct cs_secret *store_key = NULL;
	struct cs_bytes before, after;

	fill(l);
	cs_local_close(l);
	before = test_read(test_path("store/data.mdb"));
	load_file(kr, &was);
	l = open_store(kr);
	destroy(l);
	cs_local_close(l);
	after = test_read(test_path("store/data.mdb"));
	load_file(kr, &is);
	CHECK_NUM(1, is.n);
	CHECK_NUM(was.list[0].generation + 1, is.list[0].generation);
	CHECK_OK(cs_keyring_derive(kr, "local-store", &store_key));

	/* LMDB leaves the old pages where they are … */
	CHECK(count_openings(after, was.list[0].key, CS_LOCAL_IN, GONE) > 0);
	CHECK(count_openings(before, was.list[0].key, CS_LOCAL_OUT, OTHER) > 0);
	/* … and what is left opens none of them */
	CHECK_NUM(0, count_openings(after, is.list[0].key, CS_LOCAL_IN, GONE));
	CHECK_NUM(0, count_openings(before, is.list[0].key, CS_LOCAL_IN, GONE));
	CHECK_NUM(0,
	    count_openings(before, is.list[0].key, CS_LOCAL_OUT, OTHER));
	CHECK_NUM(0, count_openings(before, store_key, CS_LOCAL_IN, GONE));
	/* of what was replaced there is one key: the new one's */
	CHECK_NUM(1,
	    count_openings(after, is.list[0].key, CS_LOCAL_OUT, OTHER));
	CHECK_NUM(1, count_openings(after, is.list[0].key, CS_LOCAL_IN, KEPT));

	/* the old store beside the new key */
	test_write(test_path("store/data.mdb"), before);
	l = NULL;
	CHECK_ERR(CS_CORRUPT, cs_local_open(test_path("store"), kr, &l));
	CHECK(l == NULL);
	cs_archivekey_fini(&was);
	cs_archivekey_fini(&is);
	cs_secret_free(store_key);
	cs_keyring_free(kr);
}

/* Killed before the commit: the store says that the old key counts. */
TEST(localkeys_broken_off_before_the_commit_goes_back)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_archivekey_file file;

	fill(l);
	cs_local_close(l);
	load_file(kr, &file);
	file.list[1].generation = file.list[0].generation + 1;
	CHECK_OK(cs_secret_random(CS_ARCHIVEKEY_BYTES, &file.list[1].key));
	file.n = 2;
	save_file(kr, &file);
	cs_archivekey_fini(&file);
	l = open_store(kr);
	check_is(l, CS_LOCAL_IN, GONE, "a case");
	load_file(kr, &file);
	CHECK_NUM(1, file.n);
	CHECK_NUM(1, file.list[0].generation);
	cs_archivekey_fini(&file);
	destroy(l);
	check_gone(l, CS_LOCAL_IN, GONE);
	cs_local_close(l);
	cs_keyring_free(kr);
}

/* Killed after the commit: the old key is still there, and goes when somebody
 * opens the store. */
TEST(localkeys_broken_off_after_the_commit_is_brought_to_its_end)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_archivekey_file was, file;

	fill(l);
	load_file(kr, &was);
	destroy(l);
	cs_local_close(l);
	load_file(kr, &file);
	was.list[1] = file.list[0];
	file.list[0].key = NULL;
	was.n = 2;
	save_file(kr, &was);
	test_write(test_path("store/archive.old"), HEX("01"));
	l = open_store(kr);
	check_is(l, CS_LOCAL_IN, KEPT, "another case");
	check_gone(l, CS_LOCAL_IN, GONE);
	load_file(kr, &file);
	CHECK_NUM(1, file.n);
	CHECK_NUM(2, file.list[0].generation);
	CHECK(access(test_path("store/archive.old"), F_OK) != 0);
	cs_local_close(l);
	cs_archivekey_fini(&was);
	cs_archivekey_fini(&file);
	cs_keyring_free(kr);
}

TEST(localkeys_a_store_without_its_archive_key_is_damaged)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);

	fill(l);
	cs_local_close(l);
	CHECK(unlink(test_path("store/archive")) == 0);
	l = NULL;
	CHECK_ERR(CS_CORRUPT, cs_local_open(test_path("store"), kr, &l));
	test_write(test_path("store/archive"), HEX("00"));
	CHECK_ERR(CS_CORRUPT, cs_local_open(test_path("store"), kr, &l));
	CHECK(l == NULL);
	cs_keyring_free(kr);
}

static void
destroy_elsewhere(const struct cs_keyring *kr)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		destroy(open_store(kr));
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A process that has the store open takes the new key by itself, and what it
 * was reading stays as it was. */
TEST(localkeys_another_process_may_forget)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_local_txn *then = NULL;
	struct cs_secret *v = NULL;

	fill(l);
	CHECK_OK(cs_local_begin(l, false, &then));
	destroy_elsewhere(kr);
	check_gone(l, CS_LOCAL_IN, GONE);
	check_is(l, CS_LOCAL_IN, KEPT, "another case");
	CHECK_OK(cs_local_get(then, CS_LOCAL_IN, cs_bytes_str(GONE), &v));
	CHECK_VIEW(cs_bytes_str("a case"), cs_secret_view(v));
	cs_secret_free(v);
	cs_local_end(&then);
	put(l, CS_LOCAL_IN, GONE, "written by the new key");
	destroy_elsewhere(kr);
	destroy(l);
	check_is(l, CS_LOCAL_IN, KEPT, "another case");
	cs_local_close(l);
	cs_keyring_free(kr);
}
