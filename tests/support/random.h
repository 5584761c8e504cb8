#ifndef CS_TESTS_SUPPORT_RANDOM_H
#define CS_TESTS_SUPPORT_RANDOM_H

#include "proto/base/bytes.h"

/*
 * Replaces libsodium's randomness in this process, for vectors with fixed
 * ephemeral keys and for fuzz targets that must repeat themselves. The code
 * under test needs no back door for it.
 */

/* The next random bytes are v (borrowed); asking for more aborts. */
void test_random_fixed(struct cs_bytes v);

/* From here on a stream that depends on seed alone. */
void test_random_seed(uint8_t seed);

/* Back to the system's randomness. */
void test_random_system(void);

#endif
