#include "client/local.h"

#include <lmdb.h>
#include <string.h>

#include "tests/test.h"

#define MARKER "a marker that must not be on the disk"

static const uint8_t nobody[CS_NETWORK_ID_BYTES];
static const struct cs_bytes none = { 0 };

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

static struct cs_bytes
key(const char *text)
{
	return cs_bytes_str(text);
}

static void
check_value(struct cs_local *l, enum cs_local_table table, const char *k,
    const char *expected)
{
	struct cs_secret *v = NULL;

	CHECK_OK(cs_local_read(l, table, key(k), &v));
	CHECK_VIEW(cs_bytes_str(expected), cs_secret_view(v));
	cs_secret_free(v);
}

TEST(local_keeps_values_over_a_restart)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_secret *v = NULL;

	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("a"), key("first")));
	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("a"), key(MARKER)));
	CHECK_OK(cs_local_write(l, CS_LOCAL_OUT, key("a"), key("")));
	cs_local_close(l);
	l = open_store(kr);
	check_value(l, CS_LOCAL_IN, "a", MARKER);
	check_value(l, CS_LOCAL_OUT, "a", "");
	CHECK_ERR(CS_NOT_FOUND, cs_local_read(l, CS_LOCAL_IN, key("b"), &v));
	CHECK(v == NULL);
	cs_local_close(l);
	cs_keyring_free(kr);
}

TEST(local_leaves_no_plaintext_on_the_disk)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_bytes file;

	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("a"), key(MARKER)));
	cs_local_close(l);
	file = test_read(test_path("store/data.mdb"));
	CHECK(memmem(file.p, file.n, MARKER, 8) == NULL);
	cs_keyring_free(kr);
}

TEST(local_refuses_another_keyring)
{
	struct cs_keyring *kr = keyring(), *other = keyring();
	struct cs_local *l = open_store(kr);

	cs_local_close(l);
	l = NULL;
	CHECK_ERR(CS_CORRUPT, cs_local_open(test_path("store"), other, &l));
	CHECK(l == NULL);
	cs_keyring_free(kr);
	cs_keyring_free(other);
}

/* What a thief of the disk can do who comes back: the raw table. */
struct raw {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
};

static void
raw_open(struct raw *r)
{
	CHECK(mdb_env_create(&r->env) == 0);
	CHECK(mdb_env_open(r->env, test_path("store"), 0, 0600) == 0);
	CHECK(mdb_txn_begin(r->env, NULL, 0, &r->txn) == 0);
	CHECK(mdb_dbi_open(r->txn, NULL, 0, &r->dbi) == 0);
}

static void
raw_close(struct raw *r)
{
	CHECK(mdb_txn_commit(r->txn) == 0);
	mdb_env_close(r->env);
}

static struct cs_bytes
raw_get(struct raw *r, uint8_t table, const char *k)
{
	char full[64];
	MDB_val mk, v;
	uint8_t *copy;

	full[0] = (char)table;
	memcpy(full + 1, k, strlen(k));
	mk = (MDB_val){ 1 + strlen(k), full };
	CHECK(mdb_get(r->txn, r->dbi, &mk, &v) == 0);
	copy = test_alloc(v.mv_size);
	memcpy(copy, v.mv_data, v.mv_size);
	return (struct cs_bytes){ copy, v.mv_size };
}

static void
raw_put(struct raw *r, uint8_t table, const char *k, struct cs_bytes value)
{
	char full[64];
	MDB_val mk, v = { value.n, test_alloc(value.n) };

	memcpy(v.mv_data, value.p, value.n);
	full[0] = (char)table;
	memcpy(full + 1, k, strlen(k));
	mk = (MDB_val){ 1 + strlen(k), full };
	CHECK(mdb_put(r->txn, r->dbi, &mk, &v, 0) == 0);
}

/* Writes two values, lets change them, and expects both refused. */
static void
check_tampered(void (*change)(struct raw *r))
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_secret *v = NULL;
	struct raw r;

	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("a"), key("the first")));
	CHECK_OK(cs_local_write(l, CS_LOCAL_OUT, key("b"), key("a second")));
	cs_local_close(l);
	raw_open(&r);
	change(&r);
	raw_close(&r);
	l = open_store(kr);
	CHECK_ERR(CS_CORRUPT, cs_local_read(l, CS_LOCAL_IN, key("a"), &v));
	CHECK(v == NULL);
	cs_local_close(l);
	cs_keyring_free(kr);
}

static void
flip_a_bit(struct raw *r)
{
	struct cs_bytes v = raw_get(r, CS_LOCAL_IN, "a");
	uint8_t *copy = test_alloc(v.n);

	memcpy(copy, v.p, v.n);
	copy[v.n / 2] ^= 1;
	raw_put(r, CS_LOCAL_IN, "a", (struct cs_bytes){ copy, v.n });
}

static void
move_from_another_table(struct raw *r)
{
	raw_put(r, CS_LOCAL_IN, "a", raw_get(r, CS_LOCAL_OUT, "b"));
}

static void
shorten(struct raw *r)
{
	struct cs_bytes v = raw_get(r, CS_LOCAL_IN, "a");

	v.n = 63;
	raw_put(r, CS_LOCAL_IN, "a", v);
}

TEST(local_notices_a_flipped_bit)
{
	check_tampered(flip_a_bit);
}

TEST(local_notices_a_moved_value)
{
	check_tampered(move_from_another_table);
}

TEST(local_notices_a_shortened_value)
{
	check_tampered(shorten);
}

TEST(local_gives_up_what_was_not_committed)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_local_txn *txn = NULL;
	struct cs_secret *v = NULL;

	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("a"), key("old")));
	CHECK_OK(cs_local_begin(l, true, &txn));
	CHECK_OK(cs_local_put(txn, CS_LOCAL_IN, key("a"), key("new")));
	CHECK_OK(cs_local_put(txn, CS_LOCAL_IN, key("b"), key("new")));
	cs_local_end(&txn);
	CHECK(txn == NULL);
	check_value(l, CS_LOCAL_IN, "a", "old");
	CHECK_ERR(CS_NOT_FOUND, cs_local_read(l, CS_LOCAL_IN, key("b"), &v));
	cs_local_close(l);
	cs_keyring_free(kr);
}

TEST(local_walks_a_table_and_a_prefix)
{
	static const char *const keys[] = { "aa", "ab", "b", "ba" };
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_local_txn *txn = NULL;
	uint8_t k[CS_LOCAL_KEY_BYTES];
	struct cs_bytes after = { k, 0 };
	size_t i, n;

	CHECK_OK(cs_local_write(l, CS_LOCAL_OPEN, key("zz"), none));
	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("0"), none));
	for (i = 0; i < 4; i++)
		CHECK_OK(cs_local_write(l, CS_LOCAL_FACT, key(keys[i]), none));
	CHECK_OK(cs_local_begin(l, false, &txn));
	for (i = 0; i < 4; i++) {
		CHECK_OK(cs_local_next(txn, CS_LOCAL_FACT, none, after, k, &n));
		after.n = n;
		CHECK_VIEW(key(keys[i]), ((struct cs_bytes){ k, n }));
	}
	CHECK_ERR(CS_NOT_FOUND,
	    cs_local_next(txn, CS_LOCAL_FACT, none, after, k, &n));
	CHECK_OK(cs_local_next(txn, CS_LOCAL_FACT, key("b"), key("b"), k, &n));
	CHECK_VIEW(key("ba"), ((struct cs_bytes){ k, n }));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_local_next(txn, CS_LOCAL_FACT, key("ab"), key("ab"), k, &n));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_local_next(txn, CS_LOCAL_FACT, key("c"), none, k, &n));
	cs_local_end(&txn);
	cs_local_close(l);
	cs_keyring_free(kr);
}

TEST(local_walks_ids_from_one_transaction_to_the_next)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_local_ids all = { .table = CS_LOCAL_IN };
	struct cs_local_ids some = { .table = CS_LOCAL_IN, .prefix = key("b") };
	struct cs_local_txn *txn = NULL;

	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("a123456789abcdef"), none));
	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("b123456789abcdef"), none));
	CHECK_OK(cs_local_write(l, CS_LOCAL_OUT, key("b123456789abcdf0"),
	    none));
	CHECK_OK(cs_local_begin(l, false, &txn));
	CHECK_OK(cs_local_next_id(txn, &all));
	CHECK_VIEW(key("a123456789abcdef"), CS_BYTES(all.id));
	cs_local_end(&txn);
	CHECK_OK(cs_local_begin(l, false, &txn));
	CHECK_OK(cs_local_next_id(txn, &all));
	CHECK_VIEW(key("b123456789abcdef"), CS_BYTES(all.id));
	CHECK_ERR(CS_NOT_FOUND, cs_local_next_id(txn, &all));
	CHECK_OK(cs_local_next_id(txn, &some));
	CHECK_VIEW(key("b123456789abcdef"), CS_BYTES(some.id));
	CHECK_ERR(CS_NOT_FOUND, cs_local_next_id(txn, &some));
	cs_local_end(&txn);
	cs_local_close(l);
	cs_keyring_free(kr);
}

TEST(local_tells_a_key_that_is_no_id)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_local_ids at = { .table = CS_LOCAL_IN };
	struct cs_local_txn *txn = NULL;

	CHECK_OK(cs_local_write(l, CS_LOCAL_IN, key("short"), none));
	CHECK_OK(cs_local_begin(l, false, &txn));
	CHECK_ERR(CS_CORRUPT, cs_local_next_id(txn, &at));
	cs_local_end(&txn);
	cs_local_close(l);
	cs_keyring_free(kr);
}

TEST(local_deletes)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = open_store(kr);
	struct cs_local_txn *txn = NULL;
	struct cs_secret *v = NULL;

	CHECK_OK(cs_local_write(l, CS_LOCAL_ACK, key("a"), key("1")));
	CHECK_OK(cs_local_begin(l, true, &txn));
	CHECK_OK(cs_local_delete(txn, CS_LOCAL_ACK, key("a")));
	CHECK_OK(cs_local_delete(txn, CS_LOCAL_ACK, key("never")));
	CHECK_OK(cs_local_commit(&txn));
	CHECK_ERR(CS_NOT_FOUND, cs_local_read(l, CS_LOCAL_ACK, key("a"), &v));
	cs_local_close(l);
	cs_keyring_free(kr);
}

TEST(local_says_when_there_is_no_place)
{
	struct cs_keyring *kr = keyring();
	struct cs_local *l = NULL;

	CHECK_ERR(CS_IO, cs_local_open(test_path("no/such/folder"), kr, &l));
	CHECK(l == NULL);
	cs_keyring_free(kr);
}

/* A backup: every row as it lies there, into another store of this keyring. */
TEST(local_rows_are_taken_over_as_they_lie_there)
{
	struct cs_keyring *kr = keyring(), *stranger = keyring();
	struct cs_local *from = NULL, *to = NULL, *other = NULL;
	struct cs_local_txn *in = NULL, *out = NULL;
	struct cs_local_row row = { 0 };
	struct cs_secret *v = NULL;
	uint8_t wrong[CS_LOCAL_ROW_KEY_BYTES];
	unsigned n = 0;

	CHECK_OK(cs_local_open(test_path("from"), kr, &from));
	CHECK_OK(cs_local_open(test_path("to"), kr, &to));
	CHECK_OK(cs_local_open(test_path("other"), stranger, &other));
	CHECK_OK(cs_local_write(from, CS_LOCAL_IN, HEX("0102"), HEX("aabb")));
	CHECK_OK(cs_local_write(from, CS_LOCAL_IN, HEX("01"), HEX("cc")));
	CHECK_OK(cs_local_write(from, CS_LOCAL_WAITING, HEX("05"), HEX("")));
	CHECK_OK(cs_local_begin(from, false, &in));
	/* what is written now is not of this moment */
	CHECK_OK(cs_local_write(from, CS_LOCAL_IN, HEX("03"), HEX("dd")));
	CHECK_OK(cs_local_begin(to, true, &out));
	while (cs_local_next_row(in, &row) == CS_OK) {
		CHECK_OK(cs_local_put_row(out,
		    (struct cs_bytes){ row.key, row.key_n }, row.sealed));
		n++;
	}
	CHECK_ERR(CS_NOT_FOUND, cs_local_next_row(in, &row));
	CHECK_NUM(4, n); /* one tells whose store it is */

	/* moved, cut, or of another keyring it does not open */
	memcpy(wrong, row.key, row.key_n);
	wrong[row.key_n - 1] ^= 1;
	CHECK_ERR(CS_CORRUPT,
	    cs_local_put_row(out, (struct cs_bytes){ wrong, row.key_n },
		row.sealed));
	CHECK_ERR(CS_CORRUPT,
	    cs_local_put_row(out, (struct cs_bytes){ row.key, row.key_n },
		(struct cs_bytes){ row.sealed.p, row.sealed.n - 1 }));
	CHECK_ERR(CS_CORRUPT,
	    cs_local_put_row(out, (struct cs_bytes){ row.key, row.key_n },
		HEX("00")));
	CHECK_ERR(CS_CORRUPT, cs_local_put_row(out, HEX(""), row.sealed));
	CHECK_OK(cs_local_commit(&out));
	CHECK_OK(cs_local_begin(other, true, &out));
	CHECK_ERR(CS_CORRUPT,
	    cs_local_put_row(out, (struct cs_bytes){ row.key, row.key_n },
		row.sealed));
	cs_local_end(&out);
	cs_local_end(&in);
	CHECK_OK(cs_local_read(to, CS_LOCAL_IN, HEX("0102"), &v));
	CHECK_VIEW(HEX("aabb"), cs_secret_view(v));
	cs_secret_free(v);
	CHECK_ERR(CS_NOT_FOUND, cs_local_read(to, CS_LOCAL_IN, HEX("03"), &v));
	cs_local_close(from);
	cs_local_close(to);
	cs_local_close(other);
	cs_keyring_free(kr);
	cs_keyring_free(stranger);
}
