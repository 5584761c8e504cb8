#include "proto/words.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"

/* BIP-39's own vectors: 128 bits of entropy, whose last word also holds the
 * four bits of checksum, which here are bits 128..131 of the hash. */
TEST(words_are_those_of_bip39)
{
	static const struct {
		const char *hex;
		const char *text;
	} rows[] = {
		{ "00000000000000000000000000000000"
		  "30000000000000000000000000000000",
		    "abandon abandon abandon abandon abandon abandon abandon "
		    "abandon abandon abandon abandon about" },
		{ "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f"
		  "80000000000000000000000000000000",
		    "legal winner thank year wave sausage worth useful legal "
		    "winner thank yellow" },
		{ "ffffffffffffffffffffffffffffffff"
		  "50000000000000000000000000000000",
		    "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong" },
	};
	char text[CS_WORDS_BYTES];
	uint8_t hash[CS_HASH_BYTES];
	size_t n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK(sodium_hex2bin(hash, sizeof(hash), rows[i].hex,
			  strlen(rows[i].hex), NULL, &n, NULL) == 0);
		CHECK_NUM(sizeof(hash), n);
		cs_words_text(hash, text);
		CHECK_STR(rows[i].text, text);
	}
}

/* What follows the 132 bits does not matter; each of them does. */
TEST(words_say_132_bits)
{
	char text[CS_WORDS_BYTES], other[CS_WORDS_BYTES];
	uint8_t hash[CS_HASH_BYTES];

	memset(hash, 0x5a, sizeof(hash));
	cs_words_text(hash, text);
	for (unsigned bit = 0; bit < 8 * sizeof(hash); bit++) {
		hash[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		cs_words_text(hash, other);
		CHECK((strcmp(text, other) != 0) == (bit < 132));
		hash[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	}
}

/* The list is the published one: its SHA-256, a word a line. */
TEST(words_list_is_the_published_one)
{
	static const char published[] =
	    "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda";
	crypto_hash_sha256_state st;
	uint8_t hash[CS_HASH_BYTES] = { 0 }, digest[CS_HASH_BYTES];
	char text[CS_WORDS_BYTES], hex[2 * CS_HASH_BYTES + 1];

	crypto_hash_sha256_init(&st);
	for (unsigned i = 0; i < 2048; i++) {
		char *end;

		hash[0] = (uint8_t)(i >> 3);
		hash[1] = (uint8_t)(i << 5);
		cs_words_text(hash, text);
		end = strchr(text, ' ');
		*end = '\n';
		crypto_hash_sha256_update(&st, (const uint8_t *)text,
		    (size_t)(end + 1 - text));
	}
	crypto_hash_sha256_final(&st, digest);
	sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
	CHECK_STR(published, hex);
}
