/*
 * What a client does that mirrors a directory for the first time, and what it
 * does at each later start: MEMBERS members with a device and a batch of epoch
 * keys each, replayed and verified; the same again trusting what was verified
 * before; beside as many bare Ed25519 verifications as the log has entries.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/epoch.h"
#include "tests/support/bench.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW             (UINT64_C(2900) * CS_EPOCH_S + 4000)
#define MEMBERS_DEFAULT 10000u
#define ROUNDS          BENCH_ROUNDS
#define SAMPLE          1000u /* bare verifications per round */

#define NEWCOMERS 100u /* a day's increment to the mirror */

typedef cs_err take(struct cs_directory *d, struct cs_bytes leaf);

/* Leaves from..to of the log of from into d. */
static void
copy(const struct network *from, struct cs_directory *d, uint64_t at,
    uint64_t end, take *one)
{
	struct cs_bytes leaf;

	for (; at < end; at++) {
		CHECK_OK(cs_directory_leaf(from->dir, at, &leaf));
		CHECK_OK(one(d, leaf));
	}
}

static void
enrol(struct network *n, unsigned number)
{
	struct cs_entry_epoch_batch batch = { .first_epoch = cs_epoch_of(NOW),
		.count = CS_EPOCHS_PER_BATCH };
	struct cs_keyring *kr;
	struct cs_buf entry = { 0 };
	char address[64];

	snprintf(address, sizeof(address), "m%u@clinic", number);
	kr = network_join(n, address);
	randombytes_buf(batch.root, sizeof(batch.root));
	CHECK_OK(cs_enrol_batch(kr, &batch, CS_ENTRY_NO_PREV, NOW, &entry));
	CHECK_OK(network_append(n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
	cs_keyring_free(kr);
}

/* Seconds to take the whole log of from into an empty directory. */
static double
replay(const struct network *from, take *one)
{
	const uint64_t size = cs_directory_view(from->dir).size;
	struct cs_directory *d = NULL;
	double start = bench_now(), seconds;
	struct cs_log_view seen, want = cs_directory_view(from->dir);

	CHECK_OK(cs_directory_new(from->network_id, &d));
	copy(from, d, 0, size, one);
	seconds = bench_now() - start;
	seen = cs_directory_view(d);
	bench_must(seen.size == want.size &&
		       memcmp(seen.root, want.root, CS_HASH_BYTES) == 0,
	    "replay gives the same tree");
	cs_directory_free(d);
	return seconds;
}

/* Seconds to take what is after `known` leaves into a mirror that has those. */
static double
increment(const struct network *from, uint64_t known)
{
	struct cs_directory *d = NULL;
	double start, seconds;

	CHECK_OK(cs_directory_new(from->network_id, &d));
	copy(from, d, 0, known, cs_directory_reload);
	start = bench_now();
	copy(from, d, known, cs_directory_view(from->dir).size,
	    cs_directory_apply);
	seconds = bench_now() - start;
	cs_directory_free(d);
	return seconds;
}

/* Seconds of one signature check over a message as long as an entry. */
static double
bare_verify(void)
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
	uint8_t sig[crypto_sign_BYTES], message[250] = { 0 };
	double start;

	crypto_sign_keypair(pk, sk);
	crypto_sign_detached(sig, NULL, message, sizeof(message), sk);
	start = bench_now();
	for (unsigned i = 0; i < SAMPLE; i++)
		bench_must(crypto_sign_verify_detached(sig, message,
			       sizeof(message), pk) == 0,
		    "Ed25519");
	return (bench_now() - start) / SAMPLE;
}

static uint64_t
log_bytes(const struct network *n, uint64_t from)
{
	const uint64_t size = cs_directory_view(n->dir).size;
	uint64_t sum = 0;

	for (uint64_t i = from; i < size; i++) {
		struct cs_bytes leaf;

		CHECK_OK(cs_directory_leaf(n->dir, i, &leaf));
		sum += leaf.n;
	}
	return sum;
}

int
main(int argc, char **argv)
{
	unsigned members =
	    argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : MEMBERS_DEFAULT;
	double first[ROUNDS], again[ROUNDS], bare[ROUNDS], more[ROUNDS];
	double entries;
	uint64_t known;
	struct network net;

	bench_must(sodium_init() >= 0, "libsodium");
	network_init(&net, NOW);
	for (unsigned i = 0; i < members; i++)
		enrol(&net, i);
	for (unsigned i = 0; i < ROUNDS; i++) {
		first[i] = replay(&net, cs_directory_apply);
		again[i] = replay(&net, cs_directory_reload);
		bare[i] = bare_verify();
	}
	known = cs_directory_view(net.dir).size;
	entries = (double)known;
	bench_print("directory_members", members, "members");
	bench_print("directory_entries", entries, "entries");
	bench_print("directory_bytes", (double)log_bytes(&net, 0) / 1e6, "MB");
	bench_print("directory_replay", bench_median(first, ROUNDS), "s");
	bench_print("directory_reload", bench_median(again, ROUNDS), "s");
	bench_print("directory_replay_ratio",
	    bench_median(first, ROUNDS) /
		(bench_median(bare, ROUNDS) * entries),
	    "x_ed25519");
	bench_print("ed25519_verify", bench_median(bare, ROUNDS) * 1e6, "us");
	for (unsigned i = 0; i < NEWCOMERS; i++)
		enrol(&net, members + i);
	for (unsigned i = 0; i < ROUNDS; i++)
		more[i] = increment(&net, known);
	bench_print("directory_increment_entries",
	    (double)(cs_directory_view(net.dir).size - known), "entries");
	bench_print("directory_increment_bytes",
	    (double)log_bytes(&net, known) / 1e3, "kB");
	bench_print("directory_increment", bench_median(more, ROUNDS) * 1e3,
	    "ms");
	network_fini(&net);
	return 0;
}
