#ifndef CS_PROTO_RECEIPTPROOF_H
#define CS_PROTO_RECEIPTPROOF_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/cursor.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/limits.h"
#include "proto/statement.h"

/*
 * What was stated of one message, with all that it takes to judge it knowing
 * only the network: entries of the directory and their places in it, the
 * statements, their places in the relay's receipt log, and checkpoints of that
 * before and after. Ids, hashes, names of the directory: nothing of a case.
 * Text armour around a fixed layout with a SHA-256 over it: docs/protocol.md
 * section 10. What it shows says keys/judge.h.
 */
#define CS_RECEIPTPROOF_ARMOUR     "CONSIL RECEIPT PROOF"
#define CS_RECEIPTPROOF_MAX_BYTES  (64u << 20)
#define CS_RECEIPTPROOF_MAX_CERTS  65536
#define CS_RECEIPTPROOF_MAX_ITEMS  4096
#define CS_RECEIPTPROOF_MAX_LEAVES 1000000

/* How a statement is vouched for. */
enum cs_receiptproof_how {
	CS_RECEIPTPROOF_LOGGED = 1, /* by the relay's log: custody, outcome */
	CS_RECEIPTPROOF_SHOWN,      /* signed, and logged as the relay was shown
				       it: ack, withdraw */
	CS_RECEIPTPROOF_SIGNED,     /* signed, in no log */
	CS_RECEIPTPROOF_ANCHORED,   /* signed, and entered by its device */
	CS_RECEIPTPROOF_SENDER,     /* not a statement: the message's own
				       signature */
};

/* A place in the receipt log, and what was there before it. */
struct cs_receiptproof_entered {
	uint8_t salt[32];
	uint64_t index;
	struct cs_bytes proof;       /* inclusion, hashes */
	struct cs_bytes note;        /* checkpoint it is under */
	struct cs_bytes before;      /* note that did not have it, or empty */
	struct cs_bytes consistency; /* of before and note, hashes */
};

struct cs_receiptproof_item {
	enum cs_receiptproof_how how;
	struct cs_bytes statement;              /* but of the sender */
	uint8_t signature[CS_SIGNATURE_BYTES];  /* but logged */
	struct cs_receiptproof_entered entered; /* logged, shown, anchored */
	/* sender */
	uint8_t member[CS_ID_BYTES], device[CS_ID_BYTES];
	uint64_t entry;
	uint8_t h_hash[CS_HASH512_BYTES];
};

/* An entry of the directory, whole, and its place. */
struct cs_receiptproof_cert {
	struct cs_bytes leaf;
	struct cs_bytes proof; /* inclusion under seen, hashes */
};

struct cs_receiptproof {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t envelope_id[CS_ID_BYTES], e[CS_HASH_BYTES], s[CS_HASH_BYTES];
	uint8_t m_hash[CS_HASH512_BYTES];
	struct cs_checkpoint seen; /* of the directory */
	uint32_t n_certs;
	struct cs_bytes certs; /* packed; read with next_cert */
	uint16_t n_items;
	struct cs_bytes items; /* packed; read with next_item */
	/* that no acknowledgement is in the log under a later checkpoint */
	bool has_silence;
	struct cs_bytes note;   /* that checkpoint */
	struct cs_bytes peaks;  /* of the tree that ends with the custody
				   statement, largest first, hashes */
	struct cs_bytes leaves; /* leaf data after it, 32 bytes each */
};

/*
 * Binary layout, of all rows too; views borrow from in. Statements, notes and
 * leaves are not looked into. Returns CS_OK, CS_MALFORMED (also: the SHA-256
 * does not fit), CS_TOO_LARGE, CS_UNSUPPORTED (other version).
 */
CS_MUST_USE cs_err cs_receiptproof_decode(struct cs_bytes in,
    struct cs_receiptproof *ret);

/* Appends the binary layout. CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY:
 * it refuses what decode does. */
CS_MUST_USE cs_err cs_receiptproof_encode(const struct cs_receiptproof *v,
    struct cs_buf *out);

/* Walk over rows: *pos begins at 0; false past the end. */
bool cs_receiptproof_next_cert(const struct cs_receiptproof *v, size_t *pos,
    struct cs_receiptproof_cert *ret);
bool cs_receiptproof_next_item(const struct cs_receiptproof *v, size_t *pos,
    struct cs_receiptproof_item *ret);

/* Append one row. */
void cs_receiptproof_put_cert(struct cs_buf *out,
    const struct cs_receiptproof_cert *row);
void cs_receiptproof_put_item(struct cs_buf *out,
    const struct cs_receiptproof_item *row);

#endif
