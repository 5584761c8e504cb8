#ifndef CS_TESTS_SUPPORT_BUNDLE_H
#define CS_TESTS_SUPPORT_BUNDLE_H

#include "keys/epoch.h"
#include "keys/open.h"
#include "keys/seal.h"
#include "tests/support/network.h"

/*
 * One case on its way: a network, a sender, recipients with epoch keys, an
 * attachment, the job that seals it; and the tools of an attacker who holds
 * the file key.
 */

struct bundle_party {
	struct cs_keyring *kr;
	struct cs_epoch *epoch;
	uint8_t public_key[CS_KEM_PUBLIC_BYTES];
	uint8_t key_id[CS_HASH_BYTES];
};

#define BUNDLE_RECIPIENTS 2
#define BUNDLE_TIME       (UINT64_C(2900) * 604800 + 4000)
#define BUNDLE_CONTENT    "the content of the case"

struct bundle {
	struct network net;
	struct bundle_party sender, stranger;
	struct bundle_party to[BUNDLE_RECIPIENTS]; /* ascending device id */
	struct cs_seal_recipient recipients[BUNDLE_RECIPIENTS];
	struct cs_envelope_object object;
	uint8_t object_key[32];
	struct cs_buf addressees, devices, objects;
	struct cs_seal_job job; /* good; tests change it */
};

void bundle_init(struct bundle *b);
void bundle_fini(struct bundle *b);

/* Packs the manifest's lists anew from recipients and object. */
void bundle_pack(struct bundle *b);

/* Seals the job; it must succeed. */
void bundle_seal(const struct bundle *b, struct cs_buf *out,
    struct cs_seal_facts *facts);

/* Opens as this party; *ret_step is the failed step, else 0. */
cs_err bundle_open_as(const struct bundle *b, const struct bundle_party *p,
    struct cs_bytes envelope, int *ret_step);

/* Device id of a party. */
const uint8_t *bundle_id(const struct bundle_party *p);

/* An envelope in pieces. Written from docs/protocol.md, without keys/suite.c:
 * what it makes and what is opened agree only if both follow the page. */
struct forge {
	uint8_t file_key[32];
	uint8_t nonce[32];
	struct cs_buf preamble, stanzas; /* H */
	struct cs_buf m;
	uint32_t claimed_bytes; /* written as len(M) unless 0 */
	uint8_t sig[CS_SIGNATURE_BYTES];
	struct cs_buf padding;
};

/* What recipient i knows of an envelope. */
void forge_take(struct forge *f, const struct bundle *b, unsigned i,
    struct cs_bytes envelope);
void forge_fini(struct forge *f);

/* A stanza for row i of the preamble: this key and file key, properly bound. */
void forge_stanza(struct forge *f, const struct bundle *b, unsigned i,
    const uint8_t *public_key, const uint8_t file_key[static 32]);

/* SHA-512(H) into M; signature over both by kr. */
void forge_bind(struct forge *f);
void forge_sign(struct forge *f, const struct cs_keyring *kr);

/* Padding as it should be. */
void forge_pad(struct forge *f);

/* Header mac and body under the file key: a whole envelope. */
void forge_put(const struct forge *f, struct cs_buf *out);

#endif
