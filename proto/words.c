#include "proto/words.h"

#include <string.h>

#define BITS 11

static const char *const words[1u << BITS] = {
#include "proto/words.def"
};

/* Bits at..at+10 of hash. */
static unsigned
index_at(const uint8_t *hash, unsigned at)
{
	unsigned v = 0;

	for (unsigned i = at; i < at + BITS; i++)
		v = v << 1 | (hash[i / 8] >> (7 - i % 8) & 1u);
	return v;
}

void
cs_words_text(const uint8_t hash[static CS_HASH_BYTES],
    char ret[static CS_WORDS_BYTES])
{
	char *to = ret;

	for (unsigned i = 0; i < CS_WORDS; i++) {
		const char *word = words[index_at(hash, i * BITS)];

		if (i > 0)
			*to++ = ' ';
		to = stpcpy(to, word);
	}
}
