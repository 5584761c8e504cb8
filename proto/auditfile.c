#include "proto/auditfile.h"

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/merkle.h"

#define MAGIC   "CSA"
#define VERSION '1'
/* A consistency proof can be one hash longer than the tree is high. */
#define MAX_HASHES (CS_MERKLE_MAX_PROOF + 1)

/* A count of hashes and the hashes. */
static struct cs_bytes
take_proof(struct cs_cursor *c)
{
	uint32_t n = cs_field_count(c, cs_cursor_u8(c), 0, MAX_HASHES);

	return cs_cursor_take(c, (size_t)n * CS_HASH_BYTES);
}

static void
put_proof(struct cs_buf *out, struct cs_bytes proof)
{
	cs_buf_put_u8(out, (uint8_t)(proof.n / CS_HASH_BYTES));
	cs_buf_put_bytes(out, proof);
}

cs_err
cs_auditfile_decode(struct cs_bytes in, struct cs_auditfile *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_auditfile v;
	uint8_t version;
	cs_err e;

	CS_TRY(in.n <= CS_AUDITFILE_MAX_BYTES ? CS_OK : CS_TOO_LARGE);
	cs_cursor_expect(&c, cs_bytes_str(MAGIC));
	version = cs_cursor_u8(&c);
	CS_TRY(cs_cursor_err(&c));
	CS_TRY(version == VERSION ? CS_OK : CS_UNSUPPORTED);
	cs_cursor_copy(&c, v.network_id, CS_NETWORK_ID_BYTES);
	cs_cursor_copy(&c, v.relay_id, CS_ID_BYTES);
	v.from_s = cs_cursor_u64(&c);
	v.until_s = cs_cursor_u64(&c);
	v.certs = cs_field_var32(&c);
	v.note = cs_field_var32(&c);
	v.previous.size = cs_cursor_u64(&c);
	cs_cursor_copy(&c, v.previous.root, CS_HASH_BYTES);
	v.consistency = take_proof(&c);
	v.proof_first = take_proof(&c);
	v.proof_last = take_proof(&c);
	v.first = cs_cursor_u64(&c);
	v.n =
	    cs_field_count(&c, cs_cursor_u32(&c), 1, CS_AUDITFILE_MAX_RECORDS);
	v.records = cs_cursor_take(&c, (size_t)v.n * CS_AUDIT_RECORD_BYTES);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

void
cs_auditfile_encode(const struct cs_auditfile *v, struct cs_buf *out)
{
	cs_buf_put_str(out, MAGIC);
	cs_buf_put_u8(out, VERSION);
	cs_buf_put(out, v->network_id, CS_NETWORK_ID_BYTES);
	cs_buf_put(out, v->relay_id, CS_ID_BYTES);
	cs_buf_put_u64(out, v->from_s);
	cs_buf_put_u64(out, v->until_s);
	cs_field_put_var32(out, v->certs);
	cs_field_put_var32(out, v->note);
	cs_buf_put_u64(out, v->previous.size);
	cs_buf_put(out, v->previous.root, CS_HASH_BYTES);
	put_proof(out, v->consistency);
	put_proof(out, v->proof_first);
	put_proof(out, v->proof_last);
	cs_buf_put_u64(out, v->first);
	cs_buf_put_u32(out, v->n);
	cs_buf_put_bytes(out, v->records);
}

struct cs_bytes
cs_auditfile_record(const struct cs_auditfile *v, uint32_t i)
{
	return (struct cs_bytes){ v->records.p +
				      (size_t)i * CS_AUDIT_RECORD_BYTES,
		CS_AUDIT_RECORD_BYTES };
}
