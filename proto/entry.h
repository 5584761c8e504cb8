#ifndef CS_PROTO_ENTRY_H
#define CS_PROTO_ENTRY_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/* Directory entries: DESIGN 7, bytes in docs/protocol.md. */

enum cs_entry_type {
	CS_ENTRY_ROOT = 1,
	CS_ENTRY_REGISTRAR,
	CS_ENTRY_RELAY,
	CS_ENTRY_WITNESS,
	CS_ENTRY_POLICY,
	CS_ENTRY_ORGANISATION,
	CS_ENTRY_MEMBER,
	CS_ENTRY_DEVICE,
	CS_ENTRY_DEVICE_ROTATE,
	CS_ENTRY_EPOCH_BATCH,
	CS_ENTRY_GROUP,
	CS_ENTRY_SERVICE,
	CS_ENTRY_REVOKE,
	CS_ENTRY_TYPES,
};

#define CS_ENTRY_NO_PREV UINT64_MAX

/* Signatures name their key by a number: 0, or in a root quorum the key's
 * place in the body of the root version that signs. A root entry after the
 * first is signed by two versions: the previous one's numbers have this bit. */
#define CS_ENTRY_PREVIOUS_KEY   0x80
#define CS_ENTRY_MAX_KEYS       16 /* of a root version */
#define CS_ENTRY_MAX_SIGNATURES (2 * CS_ENTRY_MAX_KEYS)

/* What signers sign (after `consil/directory` ‖ network_id). */
struct cs_entry {
	enum cs_entry_type type;
	uint64_t time_s; /* signer's claim */
	uint8_t subject[CS_ID_BYTES];
	uint64_t prev; /* index of the subject's previous entry of this type */
	uint8_t authority[CS_ID_BYTES]; /* subject whose key signs */
	struct cs_bytes body;           /* decoded by the functions below */
	struct cs_bytes core;           /* decode only: the signed part */
	uint8_t n_signatures;           /* 1, or up to n of the root quorum */
	struct cs_bytes signatures;     /* packed: u8 key number ‖ 64 bytes */
};

/* A leaf of the log: what the relay adds in front when it orders. */
struct cs_entry_leaf {
	uint64_t seq;
	uint64_t logged_at_s; /* relay clock */
	struct cs_bytes entry;
};

struct cs_entry_root {
	uint32_t version;
	uint8_t threshold, n_keys; /* 1..CS_ENTRY_MAX_KEYS */
	struct cs_bytes keys;      /* n × 32, ascending */
	struct cs_bytes name;      /* of the network */
};
struct cs_entry_registrar {
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	uint64_t valid_until_s;
	struct cs_bytes name;
};
struct cs_entry_relay {
	uint8_t noise_key[CS_NOISE_KEY_BYTES];
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_bytes url;
};
struct cs_entry_witness {
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	struct cs_bytes name;
};
enum cs_policy_key {
	CS_POLICY_FRESH_S = 1,  /* oldest checkpoint to send on */
	CS_POLICY_COSIGNATURES, /* witnesses required */
	CS_POLICY_LIFETIME_S,   /* longest envelope life */
};
#define CS_POLICY_KEYS 3
struct cs_entry_policy {
	uint8_t n;
	struct cs_bytes rows; /* u8 key ‖ u64 value, ascending keys */
};
enum cs_decision {
	CS_DECISION_ADMITTED = 1,
	CS_DECISION_CONDITIONAL, /* by a waiver, which two registrars sign */
	CS_DECISION_REFUSED,
};
struct cs_entry_organisation {
	struct cs_bytes handle; /* right of the @ */
	struct cs_bytes name;
	uint8_t vetting_hash[CS_HASH_BYTES]; /* of the record; zero: none, for
						a refused one alone */
	enum cs_decision decision;
	uint8_t co_registrar[CS_ID_BYTES]; /* conditional: whose signature
					      number 1 is; else zero */
	uint64_t valid_until_s;
};
struct cs_entry_member {
	uint8_t organisation[CS_ID_BYTES];
	uint8_t
	    enrol_key[CS_SIGN_PUBLIC_BYTES]; /* one-time, of the invitation */
	uint64_t enrol_expires_s;
	struct cs_bytes address, name;
	struct cs_bytes role; /* several: separated by ", "; CS_ROLE_ARCHIVE
				 alone: whose devices keep a practice's copy */
	/* of a clinician; each empty, or 0, where it does not apply */
	struct cs_bytes npi; /* as cs_entry_npi_check wants it */
	struct cs_bytes specialty;
	struct cs_bytes licence_state, licence_number;
	uint64_t licence_until_s;
};
#define CS_ROLE_ARCHIVE "archive"
enum cs_device_kind { CS_DEVICE_PERSONAL = 1, CS_DEVICE_ARCHIVE = 2 };
struct cs_entry_device {
	uint8_t member[CS_ID_BYTES];
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES];
	enum cs_device_kind kind;
	uint64_t enrol_expires_s; /* not 0: sign_key is the one-time key of an
				     invitation, good for one device-rotate
				     until then */
	struct cs_bytes name;
};
struct cs_entry_device_rotate {
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES];
	uint8_t
	    proof[CS_SIGNATURE_BYTES]; /* by the new key over `consil/rotate` ‖
					  network_id ‖ device ‖ old key */
};
struct cs_entry_epoch_batch { /* subject: the device */
	uint64_t first_epoch; /* unix seconds / CS_EPOCH_S; < 2^32 */
	uint8_t count;        /* 1..CS_EPOCHS_PER_BATCH */
	uint8_t root[CS_HASH_BYTES];
};
struct cs_entry_roster { /* group and service */
	struct cs_bytes address, name;
	uint16_t n_members;      /* 0..CS_LIMIT_RECIPIENTS */
	struct cs_bytes members; /* n × 16, ascending */
};
enum cs_revoke_reason {
	CS_REVOKE_LOST = 1,
	CS_REVOKE_LEFT,
	CS_REVOKE_COMPROMISED,
	CS_REVOKE_SUPERSEDED,
	CS_REVOKE_LAPSED,
};
struct cs_entry_revoke { /* subject: what is revoked */
	enum cs_revoke_reason reason;
	uint64_t compromised_since_s; /* 0: not compromised */
};

/*
 * Signed entry and leaf; views borrow from in. The entry's body and the leaf's
 * entry are not looked into. Returns CS_OK, CS_MALFORMED, CS_TOO_LARGE,
 * CS_UNSUPPORTED (other version or type).
 */
CS_MUST_USE cs_err cs_entry_decode(struct cs_bytes in, struct cs_entry *ret);
CS_MUST_USE cs_err cs_entry_leaf_decode(struct cs_bytes in,
    struct cs_entry_leaf *ret);
void cs_entry_leaf_encode(const struct cs_entry_leaf *leaf, struct cs_buf *out);

/* Appends version … body: the part that is signed. Returns CS_OK,
 * CS_TOO_LARGE, CS_UNSUPPORTED (type), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_entry_encode_core(const struct cs_entry *e,
    struct cs_buf *out);

/* What cs_entry_encode_core made, before anybody signed: n_signatures is 0.
 * Returns CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED. */
CS_MUST_USE cs_err cs_entry_core_decode(struct cs_bytes in,
    struct cs_entry *ret);

/* Appends core ‖ signatures: the whole entry. Signatures are packed as in
 * struct cs_entry, ascending by key number. */
void cs_entry_encode(struct cs_bytes core, uint8_t n_signatures,
    struct cs_bytes signatures, struct cs_buf *out);

/* Key number and signature i of a decoded entry. */
uint8_t cs_entry_signature(const struct cs_entry *e, uint8_t i,
    const uint8_t **ret_sig);

/* Bytes to sign: `consil/directory` ‖ network_id ‖ core. */
void cs_entry_signed_bytes(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_bytes core, struct cs_buf *out);

/* network_id = SHA-256(`consil/network` ‖ subject ‖ body) of root version 1. */
void cs_entry_network_id(const struct cs_entry *root_v1,
    uint8_t ret[static CS_NETWORK_ID_BYTES]);

/* Bodies: decode from cs_entry.body (views borrow); encode appends. All
 * return CS_OK, CS_MALFORMED or CS_TOO_LARGE; encode also CS_NO_MEMORY. The
 * encoders refuse exactly what the decoders refuse. */
#define CS_ENTRY_BODY(stem)                                                    \
	CS_MUST_USE cs_err cs_entry_##stem##_decode(struct cs_bytes body,      \
	    struct cs_entry_##stem *ret);                                      \
	CS_MUST_USE cs_err                                                     \
	    cs_entry_##stem##_encode(const struct cs_entry_##stem *v,          \
		struct cs_buf *out);
CS_ENTRY_BODY(root)
CS_ENTRY_BODY(registrar)
CS_ENTRY_BODY(relay)
CS_ENTRY_BODY(witness)
CS_ENTRY_BODY(policy)
CS_ENTRY_BODY(organisation)
CS_ENTRY_BODY(member)
CS_ENTRY_BODY(device)
CS_ENTRY_BODY(device_rotate)
CS_ENTRY_BODY(epoch_batch)
CS_ENTRY_BODY(roster)
CS_ENTRY_BODY(revoke)
#undef CS_ENTRY_BODY

/* The value of a key of a decoded policy. CS_OK, CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_entry_policy_value(const struct cs_entry_policy *v,
    enum cs_policy_key key, uint64_t *ret);

/* Leaf data of an epoch key in its batch: device_id ‖ u64 epoch ‖ public key.
 * key_id is its RFC 6962 leaf hash. */
void cs_entry_epoch_key_id(const uint8_t device_id[static CS_ID_BYTES],
    uint64_t epoch, const uint8_t public_key[static CS_KEM_PUBLIC_BYTES],
    uint8_t ret_key_id[static CS_HASH_BYTES]);

/* A National Provider Identifier: ten digits that begin with 1 or 2, the last
 * of them the Luhn check digit over `80840` and the others (CMS, 45 CFR
 * 162.406). CS_OK or CS_MALFORMED. */
CS_MUST_USE cs_err cs_entry_npi_check(struct cs_bytes npi);

/* "member", "device", …; NULL if none. */
const char *cs_entry_type_name(enum cs_entry_type type);

/* "admitted", "conditional", "refused"; NULL if none. */
const char *cs_entry_decision_name(enum cs_decision decision);

/* "lost", "left", …; NULL if none. */
const char *cs_entry_reason_name(enum cs_revoke_reason reason);

#endif
