#ifndef CS_TESTS_SUPPORT_CEREMONY_H
#define CS_TESTS_SUPPORT_CEREMONY_H

#include "keys/directory.h"
#include "keys/quorum.h"
#include "proto/signing.h"

/*
 * A network whose root is three keys, of which two sign; and requests about
 * it, made as consil-admin makes them.
 */
#define CEREMONY_KEYS 6 /* 0..2 of version 1; 3..5 for later */
#define CEREMONY_NOW  UINT64_C(1800000000)

struct ceremony {
	struct cs_keyring *key[CEREMONY_KEYS];
	struct cs_keyring *registrar, *relay;
	uint8_t root_id[CS_ID_BYTES];
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_directory *dir; /* empty until ceremony_found */
	struct cs_buf roots;      /* packed: the versions in force */
	uint16_t n_roots;
	uint64_t root_entry; /* index of the newest of them */
};

/* Keys and ids; the log is empty. */
void ceremony_init(struct ceremony *c);
void ceremony_fini(struct ceremony *c);

/* A request of the founding root and the registrar, unsigned. */
void ceremony_founding(struct ceremony *c, struct cs_buf *ret);

/* A request of this next root version, of keys first..first + 2; of a
 * registrar with these keys. */
void ceremony_next_root(struct ceremony *c, unsigned first, struct cs_buf *ret);
void ceremony_registrar(struct ceremony *c, const struct cs_keyring *kr,
    uint64_t prev, struct cs_buf *ret);

/* Adds the signature of one key to a request. */
cs_err ceremony_sign(const struct cs_keyring *kr, struct cs_buf *request);

/* Entry i of a request into the log. CS_INCOMPLETE, or what apply says. */
cs_err ceremony_apply(struct ceremony *c, const struct cs_buf *request,
    uint8_t i);

/* Founds the network: entries 0 and 1 of the log. */
void ceremony_found(struct ceremony *c);

#endif
