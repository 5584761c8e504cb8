#include "keys/backup.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/buf.h"
#include "proto/base/cursor.h"
#include "proto/label.h"

/*
 * The file (docs/protocol.md, Backup): header ‖ commitment ‖ chunks. The key
 * is of this file alone (its salt is fresh), so counting nonces are safe.
 */
#define MAGIC       "CSB1"
#define MAGIC_BYTES 4
#define HEADER_BYTES                                                           \
	(MAGIC_BYTES + 1 + 3 + 4 + 4 + CS_KDF_SALT_BYTES + 8 +                 \
	    CS_NETWORK_ID_BYTES + CS_ID_BYTES)
#define HEAD_BYTES  (HEADER_BYTES + CS_KDF_COMMITMENT_BYTES)
#define CHUNK_BYTES 65536
#define TAG_BYTES   crypto_aead_aegis256_ABYTES
#define NONCE_BYTES crypto_aead_aegis256_NPUBBYTES

/* Both ways the same: which chunk is sealed or opened with what. */
struct chain {
	int fd;
	struct cs_secret *key;
	uint8_t bound[CS_HASH_BYTES]; /* SHA-256(header ‖ commitment) */
	uint64_t index;               /* of the next chunk */
	struct cs_secret *plain;      /* CHUNK_BYTES */
	size_t n;                     /* how much of it is filled */
	/* a chunk, its tag, and a byte that shows whether more follows */
	uint8_t sealed[CHUNK_BYTES + TAG_BYTES + 1];
};

struct cs_backup_writer {
	struct chain chain;
	uint64_t written;
};

struct cs_backup_reader {
	struct chain chain;
	size_t at;      /* how much of plain was read */
	bool has_ahead; /* sealed begins with a byte of the next chunk */
	bool is_last;
};

/* ------------------------------------------------------------------ header */

static void
header_put(struct cs_buf *out, const struct cs_backup_info *i,
    const struct cs_kdf *cost)
{
	cs_buf_put(out, MAGIC, MAGIC_BYTES);
	cs_buf_put_u8(out, (uint8_t)i->kind);
	cs_buf_put_zero(out, 3);
	cs_buf_put_u32(out, cost->ops);
	cs_buf_put_u32(out, cost->mem_bytes);
	cs_buf_put(out, cost->salt, sizeof(cost->salt));
	cs_buf_put_u64(out, i->created_s);
	cs_buf_put(out, i->network_id, sizeof(i->network_id));
	cs_buf_put(out, i->id, sizeof(i->id));
}

cs_err
cs_backup_decode(struct cs_bytes head, struct cs_backup_info *ret,
    struct cs_kdf *ret_cost)
{
	struct cs_cursor c = cs_cursor_new(head);
	struct cs_backup_info i = { 0 };
	struct cs_kdf cost;
	struct cs_bytes magic = cs_cursor_take(&c, MAGIC_BYTES);
	struct cs_bytes zero;

	/* public: every file begins with it */
	if (magic.n != MAGIC_BYTES || memcmp(magic.p, MAGIC, 3) != 0)
		return CS_CORRUPT;
	if (magic.p[3] != MAGIC[3])
		return CS_UNSUPPORTED;
	i.kind = cs_cursor_u8(&c);
	zero = cs_cursor_take(&c, 3);
	cost.ops = cs_cursor_u32(&c);
	cost.mem_bytes = cs_cursor_u32(&c);
	cs_cursor_copy(&c, cost.salt, sizeof(cost.salt));
	i.created_s = cs_cursor_u64(&c);
	cs_cursor_copy(&c, i.network_id, sizeof(i.network_id));
	cs_cursor_copy(&c, i.id, sizeof(i.id));
	if (cs_cursor_end(&c) != CS_OK)
		return CS_CORRUPT;
	if (i.kind < CS_BACKUP_HOME || i.kind > CS_BACKUP_NETWORK ||
	    !sodium_is_zero(zero.p, zero.n) || !cs_kdf_is_allowed(&cost))
		return CS_UNSUPPORTED;
	*ret = i;
	*ret_cost = cost;
	return CS_OK;
}

/* ------------------------------------------------------------------ chunks */

static void
chain_fini(struct chain *c)
{
	cs_secret_free(c->key);
	cs_secret_free(c->plain);
}

/* Sets the commitment behind the header in head, the key and what every chunk
 * is bound to. */
static cs_err
chain_init(struct chain *c, int fd, const struct cs_kdf *cost,
    const struct cs_secret *passphrase, uint8_t head[static HEAD_BYTES])
{
	struct cs_secret *key = NULL;
	cs_err e;

	c->fd = fd;
	CS_TRY(cs_secret_new(CHUNK_BYTES, &c->plain));
	CS_TRY(cs_kdf_run(cost, passphrase, &key));
	CS_TRY(cs_kdf_expand(CS_LABEL_BACKUP, key, head + HEADER_BYTES,
	    &c->key));
	crypto_hash_sha256(c->bound, head, HEAD_BYTES);
out:
	cs_secret_free(key);
	return e;
}

static void
nonce_of(const struct chain *c, bool is_last, uint8_t ret[static NONCE_BYTES])
{
	memset(ret, 0, NONCE_BYTES);
	ret[NONCE_BYTES - 9] = is_last;
	for (unsigned i = 0; i < 8; i++)
		ret[NONCE_BYTES - 8 + i] = (uint8_t)(c->index >> (56 - 8 * i));
}

static cs_err
write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno == ENOSPC || errno == EDQUOT ||
				       errno == EFBIG
				   ? CS_FULL
				   : CS_IO;
		p += put;
		n -= (size_t)put;
	}
	return CS_OK;
}

/* Up to n bytes; fewer only at the end of the file. */
static cs_err
read_up_to(int fd, uint8_t *p, size_t n, size_t *ret_n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = read(fd, p + done, n - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return CS_IO;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_n = done;
	return CS_OK;
}

/* ----------------------------------------------------------------- writing */

static cs_err
flush(struct cs_backup_writer *w, bool is_last)
{
	struct chain *c = &w->chain;
	uint8_t nonce[NONCE_BYTES];
	cs_err e;

	nonce_of(c, is_last, nonce);
	crypto_aead_aegis256_encrypt(c->sealed, NULL, cs_secret_bytes(c->plain),
	    c->n, c->bound, sizeof(c->bound), NULL, nonce,
	    cs_secret_bytes(c->key));
	CS_TRY(write_all(c->fd, c->sealed, c->n + TAG_BYTES));
	w->written += c->n + TAG_BYTES;
	c->index++;
	c->n = 0;
out:
	return e;
}

cs_err
cs_backup_create(int fd, const struct cs_backup_info *info,
    const struct cs_secret *passphrase, const struct cs_kdf *cost,
    struct cs_backup_writer **ret)
{
	const struct cs_kdf kept = cs_kdf_new(CS_KDF_KEPT);
	struct cs_backup_writer *w = calloc(1, sizeof(*w));
	uint8_t head[HEAD_BYTES];
	struct cs_buf out = cs_buf_fixed(head, sizeof(head));
	cs_err e;

	CS_TRY(w ? CS_OK : CS_NO_MEMORY);
	header_put(&out, info, cost ? cost : &kept);
	CS_TRY(cs_buf_err(&out));
	CS_TRY(chain_init(&w->chain, fd, cost ? cost : &kept, passphrase,
	    head));
	CS_TRY(write_all(fd, head, sizeof(head)));
	w->written = sizeof(head);
	*ret = w;
	w = NULL;
out:
	cs_backup_writer_free(w);
	return e;
}

cs_err
cs_backup_write(struct cs_backup_writer *w, struct cs_bytes v)
{
	struct chain *c = &w->chain;
	cs_err e = CS_OK;

	while (v.n > 0) {
		size_t room = CHUNK_BYTES - c->n;
		size_t n = v.n < room ? v.n : room;

		/* Not before more comes: this one could be the last. */
		if (room == 0) {
			CS_TRY(flush(w, false));
			continue;
		}
		memcpy(cs_secret_mut(c->plain) + c->n, v.p, n);
		c->n += n;
		v.p += n;
		v.n -= n;
	}
out:
	return e;
}

cs_err
cs_backup_finish(struct cs_backup_writer *w, uint64_t *ret_bytes)
{
	cs_err e;

	CS_TRY(flush(w, true));
	if (fsync(w->chain.fd) != 0)
		CS_TRY(errno == ENOSPC || errno == EDQUOT ? CS_FULL : CS_IO);
	*ret_bytes = w->written;
out:
	return e;
}

void
cs_backup_writer_free(struct cs_backup_writer *w)
{
	if (!w)
		return;
	chain_fini(&w->chain);
	free(w);
}

/* ----------------------------------------------------------------- reading */

/* Opens the next chunk: the last one is the one after which the file ends. */
static cs_err
fill(struct cs_backup_reader *r)
{
	struct chain *c = &r->chain;
	uint8_t nonce[NONCE_BYTES];
	size_t n, ahead = r->has_ahead;
	cs_err e;

	if (r->is_last)
		return CS_CORRUPT;
	CS_TRY(read_up_to(c->fd, c->sealed + ahead, sizeof(c->sealed) - ahead,
	    &n));
	n += ahead;
	r->is_last = n < sizeof(c->sealed);
	n -= !r->is_last;
	if (n < TAG_BYTES)
		return CS_CORRUPT;
	nonce_of(c, r->is_last, nonce);
	if (crypto_aead_aegis256_decrypt(cs_secret_mut(c->plain), NULL, NULL,
		c->sealed, n, c->bound, sizeof(c->bound), nonce,
		cs_secret_bytes(c->key)) != 0)
		return CS_CORRUPT;
	c->sealed[0] = c->sealed[sizeof(c->sealed) - 1];
	r->has_ahead = !r->is_last;
	c->n = n - TAG_BYTES;
	r->at = 0;
	/* one file for one stream: only an empty one ends in nothing */
	if (c->n == 0 && c->index > 0)
		return CS_CORRUPT;
	c->index++;
out:
	return e;
}

cs_err
cs_backup_open(int fd, const struct cs_secret *passphrase,
    struct cs_backup_info *ret_info, struct cs_backup_reader **ret)
{
	struct cs_backup_reader *r = calloc(1, sizeof(*r));
	uint8_t head[HEAD_BYTES], commitment[CS_KDF_COMMITMENT_BYTES];
	struct cs_backup_info info;
	struct cs_kdf cost;
	size_t n;
	cs_err e;

	CS_TRY(r ? CS_OK : CS_NO_MEMORY);
	CS_TRY(read_up_to(fd, head, sizeof(head), &n));
	CS_TRY(n == sizeof(head) ? CS_OK : CS_CORRUPT);
	CS_TRY(cs_backup_decode((struct cs_bytes){ head, HEADER_BYTES }, &info,
	    &cost));
	memcpy(commitment, head + HEADER_BYTES, sizeof(commitment));
	CS_TRY(chain_init(&r->chain, fd, &cost, passphrase, head));
	CS_TRY(sodium_memcmp(commitment, head + HEADER_BYTES,
		   sizeof(commitment)) == 0
		   ? CS_OK
		   : CS_BAD_PASSPHRASE);
	CS_TRY(fill(r)); /* what the header says is true now */
	*ret_info = info;
	*ret = r;
	r = NULL;
out:
	cs_backup_reader_free(r);
	return e;
}

cs_err
cs_backup_read(struct cs_backup_reader *r, uint8_t *p, size_t n)
{
	struct chain *c = &r->chain;
	cs_err e = CS_OK;

	while (n > 0) {
		size_t here = c->n - r->at;

		if (here == 0) {
			CS_TRY(fill(r));
			continue;
		}
		here = here < n ? here : n;
		memcpy(p, cs_secret_bytes(c->plain) + r->at, here);
		r->at += here;
		p += here;
		n -= here;
	}
out:
	return e;
}

cs_err
cs_backup_end(struct cs_backup_reader *r)
{
	return r->is_last && r->at == r->chain.n ? CS_OK : CS_CORRUPT;
}

void
cs_backup_reader_free(struct cs_backup_reader *r)
{
	if (!r)
		return;
	chain_fini(&r->chain);
	free(r);
}
