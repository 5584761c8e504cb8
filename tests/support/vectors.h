#ifndef CS_TESTS_SUPPORT_VECTORS_H
#define CS_TESTS_SUPPORT_VECTORS_H

#include "keys/directory.h"
#include "keys/epoch.h"
#include "keys/keyring.h"
#include "tests/test.h"

/*
 * The vectors of the second implementation (tests/vectors): bytes are
 * hexadecimal text, u64 decimal text, shorter integers numbers.
 */

/* A file of tests/vectors, and the row with this "name" of a list. */
const json_t *vectors_file(const char *name);
const json_t *vectors_named(const json_t *list, const char *name);

/* Member key of o: an object or list, or a number in either form. */
const json_t *vectors_get(const json_t *o, const char *key);
uint64_t vectors_num(const json_t *o, const char *key);

/* Fail unless member key of o is this. */
void vectors_same(const json_t *o, const char *key, const uint8_t *p, size_t n);
void vectors_same_num(const json_t *o, const char *key, uint64_t v);
void vectors_same_text(const json_t *o, const char *key, struct cs_bytes v);

/* The same for a fixed array. */
#define VECTORS_SAME(o, key, array)                                            \
	vectors_same((o), (key), (array), sizeof(array))

/* Element i of a list. */
const json_t *vectors_row(const json_t *list, size_t i);

/* Fails unless packed is this list of hexadecimal texts of n bytes each. */
void vectors_same_rows(const json_t *list, struct cs_bytes packed, size_t n);

/* Fails unless member "seen" of o is this, and is signed by the relay of
 * network.json. */
void vectors_same_seen(const json_t *o, const struct cs_checkpoint *seen);

/* Of network.json: the id, and the mirror of its log; the caller frees. */
struct cs_bytes vectors_network_id(void);
struct cs_directory *vectors_mirror(void);

/* A keyring of files.json, unlocked as its "lock" says; the caller frees. */
struct cs_keyring *vectors_keyring(const json_t *file);

/* A device of files.json with its epoch keys. */
struct vectors_device {
	struct cs_keyring *kr;
	struct cs_epoch *epochs;
	const uint8_t *id;
};
void vectors_device_init(struct vectors_device *d, const json_t *file);

/* The same for one epoch key alone, in a keyring of its own: {device_id,
 * key_id, seed}. */
void vectors_device_of_key(struct vectors_device *d, const json_t *key);
void vectors_device_fini(struct vectors_device *d);

/* n bytes of the attachments' pattern from byte `from` on. */
void vectors_pattern(uint64_t from, uint8_t *p, size_t n);

/*
 * A stored segment as the second implementation made it: AEGIS-256 of n padded
 * bytes after their nonce. The caller fini's ret.
 */
void vectors_segment(struct cs_bytes key, struct cs_bytes nonce,
    struct cs_bytes ad, struct cs_bytes padded, struct cs_buf *ret);

#endif
