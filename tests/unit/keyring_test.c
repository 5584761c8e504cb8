#include "keys/keyring.h"

#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/kdf.h"
#include "keys/verify.h"
#include "tests/test.h"

/* Argon2id as cheap as it goes: what is tested is not its cost. */
#define CHEAP .kdf_ops = 1, .kdf_mem_bytes = 8192

/* Where docs/protocol.md puts things in the file. */
#define AT_KIND    4
#define AT_LOCK    5
#define AT_OPS     6
#define AT_MEM     10
#define AT_NETWORK 30
#define HASH_BYTES 32

static const uint8_t network[CS_NETWORK_ID_BYTES] = { 1, 2, 3 };
static const uint8_t id[CS_ID_BYTES] = { 4, 5 };
static const uint8_t member[CS_ID_BYTES] = { 6 };

static struct cs_secret *
pass(const char *text)
{
	struct cs_secret *s = NULL;

	CHECK_OK(cs_secret_copy(cs_bytes_str(text), &s));
	return s;
}

static struct cs_keyring *
make(enum cs_keyring_kind kind)
{
	struct cs_keyring *kr = NULL;

	CHECK_OK(cs_keyring_new(kind, network, id, member, &kr));
	return kr;
}

static void
check_same(const struct cs_keyring *a, const struct cs_keyring *b)
{
	const struct cs_keyring_info *x = cs_keyring_info(a);
	const struct cs_keyring_info *y = cs_keyring_info(b);
	struct cs_secret *dx = NULL, *dy = NULL;
	uint8_t sig[CS_SIGNATURE_BYTES];

	CHECK_NUM(x->kind, y->kind);
	CHECK_BYTES(x->network_id, 32, y->network_id, 32);
	CHECK_BYTES(x->id, 16, y->id, 16);
	CHECK_BYTES(x->member_id, 16, y->member_id, 16);
	CHECK_BYTES(x->sign_key, 32, y->sign_key, 32);
	CHECK_BYTES(x->noise_key, 32, y->noise_key, 32);
	cs_keyring_sign(b, HEX("616263"), sig);
	CHECK_OK(cs_verify_ed25519(x->sign_key, HEX("616263"), sig));
	CHECK_OK(cs_keyring_derive(a, "local-store", &dx));
	CHECK_OK(cs_keyring_derive(b, "local-store", &dy));
	CHECK(cs_secret_eq(dx, dy));
	cs_secret_free(dx);
	cs_secret_free(dy);
	CHECK((cs_keyring_noise_secret(a) == NULL) ==
	      (cs_keyring_noise_secret(b) == NULL));
	if (cs_keyring_noise_secret(a))
		CHECK(cs_secret_eq(cs_keyring_noise_secret(a),
		    cs_keyring_noise_secret(b)));
}

/* A file of n bytes with its hash made right again: damage becomes forgery. */
static void
rewrite(const char *path, uint8_t *p, size_t n)
{
	crypto_hash_sha256(p + n - HASH_BYTES, p, n - HASH_BYTES);
	test_write(path, (struct cs_bytes){ p, n });
	CHECK(chmod(path, 0600) == 0);
}

static struct cs_bytes
copy_of(struct cs_bytes v)
{
	uint8_t *p = test_alloc(v.n);

	memcpy(p, v.p, v.n);
	return (struct cs_bytes){ p, v.n };
}

TEST(keyring_comes_back_from_a_passphrase)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *got = NULL;
	struct cs_secret *right = pass("correct horse"), *wrong = pass("horse");
	struct cs_keyring_lock lock = { .passphrase = right, CHEAP };
	const char *path = test_path("k");
	struct stat st;

	CHECK_OK(cs_keyring_save(kr, path, &lock, false));
	CHECK(stat(path, &st) == 0);
	CHECK_NUM(0600, st.st_mode & 07777);
	CHECK_ERR(CS_EXISTS, cs_keyring_save(kr, path, &lock, false));
	CHECK_OK(cs_keyring_save(kr, path, &lock, true));
	CHECK_OK(cs_keyring_load(path, &lock, &got));
	CHECK(!cs_keyring_info(got)->unattended);
	check_same(kr, got);
	cs_keyring_free(got);
	got = NULL;
	lock.passphrase = wrong;
	CHECK_ERR(CS_BAD_PASSPHRASE, cs_keyring_load(path, &lock, &got));
	lock = (struct cs_keyring_lock){ .key_file = test_path("k.key") };
	CHECK_ERR(CS_USAGE, cs_keyring_load(path, &lock, &got));
	CHECK(got == NULL);
	cs_secret_free(right);
	cs_secret_free(wrong);
	cs_keyring_free(kr);
}

TEST(keyring_comes_back_from_a_key_file)
{
	struct cs_keyring *kr = make(CS_KEYRING_RELAY), *got = NULL;
	struct cs_keyring_lock lock = { .key_file = test_path("k.key") };
	const char *path = test_path("k");
	struct cs_keyring_info info;
	struct cs_secret *passphrase = pass("x");
	struct stat st;

	CHECK_OK(cs_keyring_save(kr, path, &lock, false));
	CHECK(stat(lock.key_file, &st) == 0);
	CHECK_NUM(0600, st.st_mode & 07777);
	CHECK_NUM(32, st.st_size);
	CHECK_OK(cs_keyring_load(path, &lock, &got));
	CHECK(cs_keyring_info(got)->unattended);
	check_same(kr, got);
	CHECK_OK(cs_keyring_peek(path, &info));
	CHECK(info.unattended);
	CHECK_BYTES(cs_keyring_info(kr)->sign_key, 32, info.sign_key, 32);
	/* saved again it uses the same key file */
	CHECK_OK(cs_keyring_save(kr, path, &lock, true));
	cs_keyring_free(got);
	got = NULL;
	CHECK_OK(cs_keyring_load(path, &lock, &got));
	cs_keyring_free(got);
	got = NULL;

	lock.passphrase = passphrase;
	CHECK_ERR(CS_USAGE, cs_keyring_load(path, &lock, &got));
	lock.passphrase = NULL;
	test_write(lock.key_file, HEX("00"));
	CHECK_ERR(CS_CORRUPT, cs_keyring_load(path, &lock, &got));
	CHECK_ERR(CS_CORRUPT, cs_keyring_save(kr, path, &lock, true));
	test_write(lock.key_file, (struct cs_bytes){ test_alloc(32), 32 });
	CHECK_ERR(CS_BAD_PASSPHRASE, cs_keyring_load(path, &lock, &got));
	CHECK(chmod(lock.key_file, 0644) == 0);
	CHECK_ERR(CS_DENIED, cs_keyring_load(path, &lock, &got));
	CHECK(unlink(lock.key_file) == 0);
	CHECK_ERR(CS_NOT_FOUND, cs_keyring_load(path, &lock, &got));
	CHECK(got == NULL);
	cs_secret_free(passphrase);
	cs_keyring_free(kr);
}

TEST(keyring_of_every_kind_has_its_keys)
{
	for (unsigned kind = CS_KEYRING_DEVICE; kind <= CS_KEYRING_RELAY;
	     kind++) {
		struct cs_keyring *kr = make(kind);

		CHECK((cs_keyring_noise_secret(kr) != NULL) ==
		      (kind == CS_KEYRING_RELAY));
		CHECK(sodium_is_zero(cs_keyring_info(kr)->noise_key, 32) ==
		      (kind != CS_KEYRING_RELAY));
		cs_keyring_free(kr);
	}
}

TEST(keyring_derives_a_key_for_each_purpose)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *other;
	struct cs_secret *a = NULL, *b = NULL, *c = NULL;

	other = make(CS_KEYRING_DEVICE);
	CHECK_OK(cs_keyring_derive(kr, "local-store", &a));
	CHECK_OK(cs_keyring_derive(kr, "record-tag", &b));
	CHECK_OK(cs_keyring_derive(other, "local-store", &c));
	CHECK(!cs_secret_eq(a, b));
	CHECK(!cs_secret_eq(a, c));
	cs_secret_free(a);
	cs_secret_free(b);
	cs_secret_free(c);
	cs_keyring_free(kr);
	cs_keyring_free(other);
}

TEST(keyring_successor_changes_what_signs_and_keeps_what_stores)
{
	const enum cs_keyring_kind kinds[] = { CS_KEYRING_DEVICE,
		CS_KEYRING_REGISTRAR, CS_KEYRING_RELAY };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct cs_keyring *old = make(kinds[i]), *new = NULL;
		const struct cs_keyring_info *x = cs_keyring_info(old), *y;
		struct cs_secret *dx = NULL, *dy = NULL;

		CHECK_OK(cs_keyring_successor(old, &new));
		y = cs_keyring_info(new);
		CHECK_NUM(x->kind, y->kind);
		CHECK_BYTES(x->network_id, 32, y->network_id, 32);
		CHECK_BYTES(x->id, 16, y->id, 16);
		CHECK_BYTES(x->member_id, 16, y->member_id, 16);
		CHECK(memcmp(x->sign_key, y->sign_key, 32) != 0);
		CHECK((memcmp(x->noise_key, y->noise_key, 32) != 0) ==
		      (kinds[i] == CS_KEYRING_RELAY));
		CHECK_OK(cs_keyring_derive(old, "record-tag", &dx));
		CHECK_OK(cs_keyring_derive(new, "record-tag", &dy));
		CHECK(cs_secret_eq(dx, dy));
		cs_secret_free(dx);
		cs_secret_free(dy);
		cs_keyring_free(old);
		cs_keyring_free(new);
	}
}

TEST(keyring_file_hides_its_keys)
{
	struct cs_keyring *kr = make(CS_KEYRING_RELAY);
	struct cs_keyring_lock lock = { .key_file = test_path("k.key") };
	const struct cs_secret *noise = cs_keyring_noise_secret(kr);
	struct cs_bytes file;

	CHECK_OK(cs_keyring_save(kr, test_path("k"), &lock, false));
	file = test_read(test_path("k"));
	CHECK(memmem(file.p, file.n, cs_secret_bytes(noise), 32) == NULL);
	CHECK(memmem(file.p, file.n, cs_keyring_info(kr)->noise_key, 32) !=
	      NULL);
	cs_keyring_free(kr);
}

TEST(keyring_notices_every_flipped_bit_and_every_cut)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *got = NULL;
	struct cs_keyring_lock lock = { .key_file = test_path("k.key") };
	const char *path = test_path("k");
	struct cs_bytes file;
	uint8_t *p;

	CHECK_OK(cs_keyring_save(kr, path, &lock, false));
	file = copy_of(test_read(path));
	p = (uint8_t *)(uintptr_t)file.p;
	for (size_t i = 0; i < file.n; i++) {
		/* the version byte is the one whose change means something */
		cs_err expected = i == 3 ? CS_UNSUPPORTED : CS_CORRUPT;

		p[i] ^= 1u << (i % 8);
		test_write(path, file);
		CHECK_ERR(expected, cs_keyring_load(path, &lock, &got));
		p[i] ^= 1u << (i % 8);
		test_write(path, (struct cs_bytes){ file.p, i });
		CHECK_ERR(CS_CORRUPT, cs_keyring_load(path, &lock, &got));
	}
	CHECK(got == NULL);
	test_write(path, file);
	CHECK_OK(cs_keyring_load(path, &lock, &got));
	cs_keyring_free(got);
	cs_keyring_free(kr);
}

/* The hash protects from nobody; the sealing has to. */
TEST(keyring_notices_every_forged_bit)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *got = NULL;
	struct cs_keyring_lock lock = { .key_file = test_path("k.key") };
	const char *path = test_path("k");
	struct cs_bytes file;
	uint8_t *p;

	CHECK_OK(cs_keyring_save(kr, path, &lock, false));
	file = copy_of(test_read(path));
	p = (uint8_t *)(uintptr_t)file.p;
	for (size_t i = 4; i < file.n - HASH_BYTES; i++) {
		p[i] ^= 1u << (i % 8);
		rewrite(path, p, file.n);
		CHECK(cs_keyring_load(path, &lock, &got) != CS_OK);
		CHECK(got == NULL);
		p[i] ^= 1u << (i % 8);
	}
	p[AT_NETWORK] ^= 1;
	rewrite(path, p, file.n);
	CHECK_ERR(CS_CORRUPT, cs_keyring_load(path, &lock, &got));
	p[AT_NETWORK] ^= 1;
	p[AT_KIND] = 9;
	rewrite(path, p, file.n);
	CHECK_ERR(CS_UNSUPPORTED, cs_keyring_load(path, &lock, &got));
	cs_keyring_free(kr);
}

static void
put_u32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static long
peak_kib(void)
{
	struct rusage use;

	CHECK(getrusage(RUSAGE_SELF, &use) == 0);
	return use.ru_maxrss;
}

/* A hostile file may not make us compute for hours or take all memory. */
TEST(keyring_bounds_the_work_before_it_is_done)
{
	static const struct {
		uint32_t ops, mem;
	} rows[] = {
		{ CS_KDF_OPS_MAX + 1, 8192 },
		{ 1, CS_KDF_MEM_BYTES_MAX + 1 },
		{ UINT32_MAX, UINT32_MAX },
		{ 0, 8192 },
		{ 1, 0 },
		{ 1, 8191 },
	};
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *got = NULL;
	struct cs_secret *passphrase = pass("x");
	struct cs_keyring_lock lock = { .passphrase = passphrase, CHEAP };
	const char *path = test_path("k");
	struct cs_bytes file;
	long before;

	CHECK_OK(cs_keyring_save(kr, path, &lock, false));
	file = copy_of(test_read(path));
	before = peak_kib();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *p = (uint8_t *)(uintptr_t)file.p;

		put_u32(p + AT_OPS, rows[i].ops);
		put_u32(p + AT_MEM, rows[i].mem);
		rewrite(path, p, file.n);
		CHECK_ERR(CS_UNSUPPORTED, cs_keyring_load(path, &lock, &got));
	}
	CHECK(peak_kib() - before < 64 << 10);
	lock.kdf_ops = CS_KDF_OPS_MAX + 1;
	CHECK_ERR(CS_USAGE, cs_keyring_save(kr, path, &lock, true));
	cs_secret_free(passphrase);
	cs_keyring_free(kr);
}

TEST(keyring_is_private)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *got = NULL;
	struct cs_keyring_lock lock = { .key_file = test_path("k.key") };
	const char *path = test_path("k");
	struct cs_keyring_info info;

	CHECK_OK(cs_keyring_save(kr, path, &lock, false));
	CHECK(chmod(path, 0644) == 0);
	CHECK_ERR(CS_DENIED, cs_keyring_load(path, &lock, &got));
	CHECK_ERR(CS_DENIED, cs_keyring_peek(path, &info));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_keyring_load(test_path("none"), &lock, &got));
	CHECK_ERR(CS_IO, cs_keyring_load(test_dir(), &lock, &got));
	CHECK(got == NULL);
	cs_keyring_free(kr);
}

TEST(keyring_save_makes_no_key_file_for_nothing)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE);
	struct cs_keyring_lock lock = { .key_file = test_path("k.key") };

	test_write(test_path("k"), HEX("00"));
	CHECK_ERR(CS_EXISTS, cs_keyring_save(kr, test_path("k"), &lock, false));
	CHECK(access(lock.key_file, F_OK) != 0);
	CHECK_ERR(CS_IO, cs_keyring_save(kr, test_path("no/k"), &lock, false));
	cs_keyring_free(kr);
}

/* What an agent holds: opens the file, and another file locked the same way,
 * until the passphrase changes. */
TEST(keyring_opens_by_the_key_an_agent_holds)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *a = NULL, *b = NULL;
	struct cs_secret *passphrase = pass("right"), *key = NULL;
	struct cs_keyring_lock lock = { .passphrase = passphrase, CHEAP };
	struct cs_keyring_lock by_key = { 0 };
	const char *path = test_path("k"), *next = test_path("k.next");

	CHECK(cs_keyring_lock_key(kr) == NULL);
	CHECK_ERR(CS_USAGE, cs_keyring_save(kr, path, NULL, false));
	CHECK_OK(cs_keyring_save(kr, path, &lock, false));
	CHECK_OK(cs_keyring_load(path, &lock, &a));
	CHECK_OK(cs_secret_copy(cs_secret_view(cs_keyring_lock_key(a)), &key));
	CHECK_NUM(32, cs_secret_len(key));
	by_key.key = key;
	CHECK_OK(cs_keyring_load(path, &by_key, &b));
	check_same(kr, b);
	/* as it was locked: by the passphrase and by its key */
	CHECK_OK(cs_keyring_save(b, next, NULL, false));
	cs_keyring_free(a);
	cs_keyring_free(b);
	a = b = NULL;
	CHECK_OK(cs_keyring_load(next, &lock, &a));
	CHECK_OK(cs_keyring_load(next, &by_key, &b));
	check_same(a, b);
	cs_keyring_free(b);
	b = NULL;

	/* so are its successor's keys, without asking anybody */
	CHECK_OK(cs_keyring_successor(a, &b));
	CHECK_OK(cs_keyring_save(b, next, NULL, true));
	cs_keyring_free(a);
	a = NULL;
	CHECK_OK(cs_keyring_load(next, &by_key, &a));
	check_same(a, b);
	cs_keyring_free(b);
	b = NULL;

	CHECK_OK(cs_keyring_save(kr, path, &lock, true)); /* another salt */
	CHECK_ERR(CS_BAD_PASSPHRASE, cs_keyring_load(path, &by_key, &b));
	cs_secret_cut(key, 31);
	CHECK_ERR(CS_USAGE, cs_keyring_load(path, &by_key, &b));
	CHECK(b == NULL);
	cs_secret_free(key);
	cs_secret_free(passphrase);
	cs_keyring_free(a);
	cs_keyring_free(kr);
}

TEST(keyring_is_locked_in_another_way)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *got = NULL;
	struct cs_secret *one = pass("one"), *two = pass("two");
	const struct cs_keyring_lock first = { .passphrase = one, CHEAP };
	const struct cs_keyring_lock second = { .passphrase = two, CHEAP };
	const struct cs_keyring_lock file = { .key_file = test_path("k.key") };
	struct cs_keyring_lock by_key = { 0 };
	struct cs_secret *key = NULL;
	const char *path = test_path("k");

	CHECK_OK(cs_keyring_save(kr, path, &first, false));
	CHECK_ERR(CS_BAD_PASSPHRASE,
	    cs_keyring_relock(path, &second, &first, NULL));
	CHECK_OK(cs_keyring_relock(path, &first, &second, &key));
	by_key.key = key;
	CHECK_OK(cs_keyring_load(path, &by_key, &got));
	cs_keyring_free(got);
	cs_secret_free(key);
	got = NULL;
	CHECK_ERR(CS_BAD_PASSPHRASE, cs_keyring_load(path, &first, &got));

	/* a key file that somebody may have copied is not used again */
	test_write(file.key_file, (struct cs_bytes){ test_alloc(32), 32 });
	CHECK_OK(cs_keyring_relock(path, &second, &file, NULL));
	CHECK(!sodium_is_zero(test_read(file.key_file).p, 32));
	CHECK_ERR(CS_USAGE, cs_keyring_load(path, &second, &got));
	CHECK_ERR(CS_EXISTS, cs_keyring_relock(path, &file, &file, NULL));
	CHECK_OK(cs_keyring_load(path, &file, &got));
	check_same(kr, got);
	cs_keyring_free(got);
	got = NULL;

	CHECK_OK(cs_keyring_relock(path, &file, &first, NULL));
	CHECK(access(file.key_file, F_OK) != 0);
	CHECK_OK(cs_keyring_load(path, &first, &got));
	check_same(kr, got);
	cs_keyring_free(got);
	got = NULL;
	CHECK_ERR(CS_NOT_FOUND,
	    cs_keyring_relock(test_path("none"), &first, &second, NULL));
	CHECK(got == NULL);
	cs_secret_free(one);
	cs_secret_free(two);
	cs_keyring_free(kr);
}

/* Broken off after each of its writes: the old way still opens it. */
TEST(keyring_survives_a_relock_that_breaks_off)
{
	struct cs_keyring *kr = make(CS_KEYRING_DEVICE), *got = NULL;
	struct cs_secret *one = pass("one");
	const struct cs_keyring_lock first = { .passphrase = one, CHEAP };
	const struct cs_keyring_lock file = { .key_file = test_path("k.key") };
	const char *path = test_path("k");
	struct cs_keyring_info info;
	struct rlimit before, full;

	CHECK_OK(cs_keyring_save(kr, path, &first, false));
	CHECK_OK(cs_keyring_peek(path, &info));
	CHECK_NUM(8192, info.unlock_bytes);
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	/* no room for anything; for the key file only */
	for (rlim_t room = 0; room <= 32; room += 32) {
		full = before;
		full.rlim_cur = room;
		CHECK(setrlimit(RLIMIT_FSIZE, &full) == 0);
		CHECK_ERR(CS_FULL,
		    cs_keyring_relock(path, &first, &file, NULL));
		CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
		CHECK_NUM(room, access(file.key_file, F_OK) == 0 ? 32 : 0);
		CHECK_OK(cs_keyring_load(path, &first, &got));
		check_same(kr, got);
		cs_keyring_free(got);
		got = NULL;
	}
	CHECK_OK(cs_keyring_relock(path, &first, &file, NULL));
	cs_secret_free(one);
	cs_keyring_free(kr);
}
