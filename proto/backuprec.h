#ifndef CS_PROTO_BACKUPREC_H
#define CS_PROTO_BACKUPREC_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * What is in a backup once it is opened (docs/protocol.md, Backup): records one
 * after the other, each a head and a body. It holds keys: encode and decode in
 * guarded memory. A backup was sealed by its owner; its content is checked all
 * the same, since it becomes paths and rows.
 */
enum cs_backuprec_type {
	CS_BACKUPREC_KEYRING = 1, /* struct cs_backuprec_keyring */
	CS_BACKUPREC_ROW,         /* struct cs_backuprec_row */
	CS_BACKUPREC_FILE,        /* u16 length ‖ path ‖ content */
	CS_BACKUPREC_END,         /* struct cs_backuprec_end */
};

#define CS_BACKUPREC_HEAD_BYTES    9
#define CS_BACKUPREC_KEY_BYTES     32
#define CS_BACKUPREC_PATH_BYTES    255
#define CS_BACKUPREC_ROW_MAX_BYTES (32u << 20)
#define CS_BACKUPREC_KEYRING_MAX   4096
#define CS_BACKUPREC_ROW_KEY_MAX   128

struct cs_backuprec_head {
	enum cs_backuprec_type type;
	uint64_t n; /* bytes of the body */
};

struct cs_backuprec_keyring {
	struct cs_bytes name; /* of its file: "keyring", "root.keyring" */
	struct cs_bytes key;  /* that opens the bytes of the file */
	struct cs_bytes file;
};

struct cs_backuprec_row { /* of the local store, as it lies there */
	struct cs_bytes key, sealed;
};

struct cs_backuprec_end { /* how many there were */
	uint64_t keyrings, rows, files;
};

/* Head: CS_OK, CS_MALFORMED (also: a body longer or shorter than one of its
 * type can be), CS_UNSUPPORTED (type). */
void cs_backuprec_put_head(struct cs_buf *out,
    const struct cs_backuprec_head *h);
CS_MUST_USE cs_err cs_backuprec_head(struct cs_bytes in,
    struct cs_backuprec_head *ret);

/* Whole records, head included; views of what is decoded borrow from the body
 * given. CS_OK, CS_MALFORMED. */
void cs_backuprec_put_keyring(struct cs_buf *out,
    const struct cs_backuprec_keyring *r);
CS_MUST_USE cs_err cs_backuprec_keyring(struct cs_bytes body,
    struct cs_backuprec_keyring *ret);
void cs_backuprec_put_row(struct cs_buf *out, const struct cs_backuprec_row *r);
CS_MUST_USE cs_err cs_backuprec_row(struct cs_bytes body,
    struct cs_backuprec_row *ret);
void cs_backuprec_put_end(struct cs_buf *out, const struct cs_backuprec_end *r);
CS_MUST_USE cs_err cs_backuprec_end(struct cs_bytes body,
    struct cs_backuprec_end *ret);

/* The beginning of a file's record: n bytes of content follow. */
void cs_backuprec_put_file(struct cs_buf *out, struct cs_bytes path,
    uint64_t n);

/* Whether a file of a home may be in a backup under this path: below a folder
 * of files, or "epochs"; letters, digits, `.`, `_`, `-`, at most three parts,
 * none of which begins with a dot. */
bool cs_backuprec_is_path(struct cs_bytes path);

/* Whether a keyring may have this name: one such part. */
bool cs_backuprec_is_name(struct cs_bytes name);

#endif
