#include "tests/support/random.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cs_bytes fixed;
static uint8_t seed_now[randombytes_SEEDBYTES];

static const char *
name(void)
{
	return "consil-test";
}

static void
fixed_buf(void *const buf, const size_t n)
{
	if (n > fixed.n) {
		fprintf(stderr, "more random bytes than the test has\n");
		abort();
	}
	memcpy(buf, fixed.p, n);
	fixed.p += n;
	fixed.n -= n;
}

static void
seeded_buf(void *const buf, const size_t n)
{
	randombytes_buf_deterministic(buf, n, seed_now);
	sodium_increment(seed_now, sizeof(seed_now));
}

static uint32_t
fixed_word(void)
{
	uint32_t v;

	fixed_buf(&v, sizeof(v));
	return v;
}

static uint32_t
seeded_word(void)
{
	uint32_t v;

	seeded_buf(&v, sizeof(v));
	return v;
}

static randombytes_implementation fixed_source = {
	.implementation_name = name, .random = fixed_word, .buf = fixed_buf
};
static randombytes_implementation seeded_source = {
	.implementation_name = name, .random = seeded_word, .buf = seeded_buf
};

void
test_random_fixed(struct cs_bytes v)
{
	fixed = v;
	randombytes_set_implementation(&fixed_source);
}

void
test_random_seed(uint8_t seed)
{
	memset(seed_now, 0, sizeof(seed_now));
	seed_now[sizeof(seed_now) - 1] = seed;
	randombytes_set_implementation(&seeded_source);
}

void
test_random_system(void)
{
	randombytes_set_implementation(&randombytes_sysrandom_implementation);
}
