#ifndef CS_PROTO_MANIFEST_H
#define CS_PROTO_MANIFEST_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/limits.h"

/* Manifest M: what the sender signs. Fixed layout, see docs/protocol.md. */

enum cs_content {
	CS_CONTENT_CASE = 1,    /* case file: a request */
	CS_CONTENT_REPLY = 2,   /* case file answering a request */
	CS_CONTENT_RECEIPT = 3, /* statement ‖ signature 64 */
	CS_CONTENT_FORWARD = 4, /* what another one wrote: proto/forward.h */
	/* case files too, about a case that there is: */
	CS_CONTENT_ADDENDUM = 5,
	CS_CONTENT_CLOSE = 6,      /* its author takes the case for done … */
	CS_CONTENT_REOPEN = 7,     /* … or no longer */
	CS_CONTENT_WITHDRAWAL = 8, /* an earlier one is taken back:
				      proto/withdrawal.h */
};

/* What a message is to an earlier one of the same sender. */
enum cs_relation {
	CS_RELATION_NONE = 0,
	CS_RELATION_SUPERSEDES = 1, /* stands in its place */
	CS_RELATION_COPY = 2, /* the same, sealed again for who could not open
				 it */
	CS_RELATION_WITHDRAWS = 3, /* of a withdrawal, and there alone: takes it
				      back */
};

enum cs_key_kind {
	CS_KEY_EPOCH = 1,    /* key of the epoch in which it was sealed */
	CS_KEY_FALLBACK = 2, /* last published key: no forward secrecy since */
};

#define CS_RECEIPT_DELIVERED    0x01 /* receipts the sender asks for */
#define CS_RECEIPT_OPENED       0x02
#define CS_RECEIPT_ACKNOWLEDGED 0x04

#define CS_MANIFEST_STALE_OK 0x01 /* sent on a checkpoint older than 24 h */

struct cs_manifest_addressee { /* as the human meant it */
	struct cs_bytes address;
	uint64_t entry; /* directory index of the member (or roster) entry */
};

struct cs_manifest_device {
	uint8_t device_id[CS_ID_BYTES];
	uint8_t key_id[CS_HASH_BYTES];
	uint8_t member_id[CS_ID_BYTES];
	enum cs_key_kind key_kind;
	uint64_t epoch; /* of the key used */
};

struct cs_manifest_object {
	uint8_t object_id[CS_ID_BYTES];
	struct cs_bytes name; /* label only: never a path of ours */
	struct cs_bytes media_type;
	uint64_t bytes;     /* true length */
	const uint8_t *key; /* 32 bytes, borrowed; secret */
	uint8_t sha256[CS_HASH_BYTES];
};

struct cs_manifest_reply { /* binding to what is answered */
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t e[CS_HASH_BYTES];
	uint8_t s[CS_HASH_BYTES];
	uint8_t m_hash[CS_HASH512_BYTES];
};

/* A message by what nobody but its author can have made: S is a hash of their
 * signature, which is over H and M. */
struct cs_manifest_message {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t s[CS_HASH_BYTES];
};

/* What the relay's newest custody statement that the sender holds says of a
 * recipient's mailbox: their client compares it with what the relay shows. */
struct cs_manifest_mark {
	uint8_t device_id[CS_ID_BYTES];
	uint64_t seq;                /* from 1 */
	uint8_t head[CS_HASH_BYTES]; /* of the mailbox's chain at seq */
};

struct cs_manifest {
	enum cs_content content_kind;
	uint8_t flags;
	uint8_t receipt_policy;
	uint8_t sender_member[CS_ID_BYTES];
	uint8_t sender_device[CS_ID_BYTES];
	uint64_t sender_entry; /* directory index of the device entry */
	uint8_t header_hash[CS_HASH512_BYTES]; /* SHA-512(H) */
	uint8_t thread_id[CS_ID_BYTES]; /* envelope_id that began the thread */
	uint64_t created_s;             /* sender's clock */
	uint64_t answer_by_s;           /* 0: none */
	struct cs_checkpoint seen;      /* of the directory, by the sender */
	bool has_reply;
	struct cs_manifest_reply reply;
	enum cs_relation relation;
	struct cs_manifest_message related; /* unless relation is none */
	/* parents: the newest of the thread that its author knew */
	uint16_t n_parents, n_marks;
	uint16_t n_addressees, n_devices, n_objects;
	/* packed */
	struct cs_bytes parents, marks, addressees, devices, objects;
	struct cs_bytes content;
};

/*
 * Decodes M completely: every row is checked, so that the row readers below
 * cannot fail. Views borrow from in. Devices ascend by device_id, objects by
 * object_id, none twice; so do parents by envelope_id and marks by device_id,
 * each of a device of the list; addressees stay in the sender's order; text is
 * valid UTF-8; a reply says what it answers; a receipt has neither relation nor
 * parents; a withdrawal, and nothing else, withdraws.
 * Returns CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED (version, kind).
 */
CS_MUST_USE cs_err cs_manifest_decode(struct cs_bytes in,
    struct cs_manifest *ret);

/* Appends M; lists are given already packed by the put functions. Refuses
 * what cs_manifest_decode would: CS_OK, CS_MALFORMED, CS_TOO_LARGE,
 * CS_UNSUPPORTED, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_manifest_encode(const struct cs_manifest *m,
    struct cs_buf *out);

/* Whether what such a message says is a case file: the kinds that a human
 * writes, but for a forward, which carries another's, and a withdrawal. */
bool cs_manifest_is_case(enum cs_content kind);

/* Append one row to a packed list. Text too long for its length makes
 * cs_buf_err(out) CS_TOO_LARGE; all else is checked by cs_manifest_encode. */
void cs_manifest_put_addressee(struct cs_buf *out,
    const struct cs_manifest_addressee *row);
void cs_manifest_put_device(struct cs_buf *out,
    const struct cs_manifest_device *row);
void cs_manifest_put_object(struct cs_buf *out,
    const struct cs_manifest_object *row);
void cs_manifest_put_parent(struct cs_buf *out,
    const struct cs_manifest_message *row);
void cs_manifest_put_mark(struct cs_buf *out,
    const struct cs_manifest_mark *row);

/* Walks packed rows of a decoded manifest: *pos starts at 0; false at the
 * end. */
bool cs_manifest_next_addressee(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_addressee *ret);
bool cs_manifest_next_device(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_device *ret);
bool cs_manifest_next_object(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_object *ret);
bool cs_manifest_next_parent(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_message *ret);
bool cs_manifest_next_mark(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_mark *ret);

#endif
