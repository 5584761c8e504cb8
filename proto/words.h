#ifndef CS_PROTO_WORDS_H
#define CS_PROTO_WORDS_H

#include <stdint.h>

#include "proto/limits.h"

/* Hashes as words, to be read out over a telephone. */

#define CS_WORDS       12  /* × 11 bits = 132 */
#define CS_WORDS_BYTES 108 /* of the longest such text, with its zero */

/*
 * The first 132 bits of a hash as 12 lower-case words with a space between:
 * 11 bits each, most significant first, as an index into the English list of
 * BIP-39 (without a checksum).
 */
void cs_words_text(const uint8_t hash[static CS_HASH_BYTES],
    char ret[static CS_WORDS_BYTES]);

#endif
