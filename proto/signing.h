#ifndef CS_PROTO_SIGNING_H
#define CS_PROTO_SIGNING_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/limits.h"

/*
 * Signing request: the entries that the root quorum is asked to sign, the root
 * versions by which to judge who may, and the signatures given so far. It goes
 * from holder to holder as a text file; each adds what it signs. Nothing in it
 * is secret, and nothing in it is believed that is not signed.
 */
#define CS_SIGNING_ARMOUR    "CONSIL SIGNING REQUEST"
#define CS_SIGNING_MAX_ROOTS 256
#define CS_SIGNING_MAX_CORES 8
#define CS_SIGNING_MAX_BYTES (4u << 20)

struct cs_signing {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	/* Where the relay is, for a registrar who has no mirror yet. */
	uint8_t relay_id[CS_ID_BYTES];
	uint8_t relay_noise_key[CS_NOISE_KEY_BYTES];
	uint8_t relay_sign_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_bytes relay_url;
	uint16_t n_roots;      /* 0: the request founds the network */
	struct cs_bytes roots; /* whole entries, each behind a u16 length */
	uint8_t n_cores;       /* 1..CS_SIGNING_MAX_CORES */
	struct cs_bytes cores; /* unsigned entries, each behind a u16 length */
	struct cs_bytes asked; /* decode only: all of the above */
	uint16_t n_rows;
	struct cs_bytes rows; /* see struct cs_signing_row; ascending */
};

/* One signature: of which entry, by which key of which root version (see
 * CS_ENTRY_PREVIOUS_KEY). */
struct cs_signing_row {
	uint8_t core, number;
	const uint8_t *signature; /* borrowed */
};
#define CS_SIGNING_ROW_BYTES (2 + CS_SIGNATURE_BYTES)

/*
 * Layout; views borrow from in. Roots are whole root entries, cores are
 * entries of a type that a root signs; no signature is checked.
 * Returns CS_OK, CS_MALFORMED (also: its SHA-256 does not fit), CS_TOO_LARGE,
 * CS_UNSUPPORTED (other version).
 */
CS_MUST_USE cs_err cs_signing_decode(struct cs_bytes in,
    struct cs_signing *ret);

/* Appends the layout. CS_OK, and what the decoder refuses; CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_signing_encode(const struct cs_signing *v,
    struct cs_buf *out);

/* Appends an entry to the packed roots or cores of a request in the making. */
void cs_signing_pack(struct cs_buf *out, struct cs_bytes entry);

/* Root i, core i, row i; i below the number there is. */
struct cs_bytes cs_signing_root(const struct cs_signing *v, uint16_t i);
struct cs_bytes cs_signing_core(const struct cs_signing *v, uint8_t i);
struct cs_signing_row cs_signing_row(struct cs_bytes rows, uint16_t i);

/* Enters a row in its place among packed rows; one with the same core and
 * number stays as it is. */
void cs_signing_put_row(struct cs_buf *rows, const struct cs_signing_row *row);

#endif
