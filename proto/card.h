#ifndef CS_PROTO_CARD_H
#define CS_PROTO_CARD_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * Public card of a key that others are to certify: who it is and the public
 * half, signed by the key itself, so that nobody hands in the key of another
 * and a cut or mistyped copy is noticed. Public: mode 0644 is fine.
 */
#define CS_CARD_ARMOUR "CONSIL CARD"

struct cs_card {
	uint8_t kind; /* enum cs_keyring_kind */
	uint8_t id[CS_ID_BYTES];
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_bytes name;     /* of holder or registrar; may be empty */
	struct cs_bytes content;  /* decode only: what is signed */
	const uint8_t *signature; /* decode only */
};

/* Layout; views borrow from in, the signature is not checked. Returns CS_OK,
 * CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED (other version). */
CS_MUST_USE cs_err cs_card_decode(struct cs_bytes in, struct cs_card *ret);

/* Appends all but the signature; a name longer than its length makes
 * cs_buf_err(out) CS_TOO_LARGE. */
void cs_card_encode(const struct cs_card *card, struct cs_buf *out);

/* Appends what is signed: `consil/card` ‖ content. */
void cs_card_signed_bytes(struct cs_bytes content, struct cs_buf *out);

#endif
