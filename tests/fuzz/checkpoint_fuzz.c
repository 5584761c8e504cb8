#include "proto/cosignature.h"

#include "tests/fuzz/fuzz.h"

/* What the seeds are about: their first line, and a key that signed them. */
#define ORIGIN "consil/test"
static const uint8_t key[CS_SIGN_PUBLIC_BYTES] = { 1 };
static const uint8_t witness_id[CS_ID_BYTES] = { 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
	9, 9, 9, 9, 9, 9 };

static void
recode_body(struct cs_bytes body)
{
	struct cs_checkpoint cp;
	struct cs_buf again = { 0 };
	struct cs_bytes origin = cs_bytes_str(ORIGIN);

	if (cs_checkpoint_decode_body(body, origin, &cp) != CS_OK)
		return;
	cs_checkpoint_encode_body(origin, &cp, &again);
	fuzz_same(body, &again);
}

/* The input as a body, and as a whole note. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_note note;
	struct cs_cosignature word;
	uint8_t signature[CS_SIGNATURE_BYTES];
	struct cs_buf again = { 0 };
	cs_err e;

	recode_body(in);
	if (cs_checkpoint_split(in, &note) != CS_OK)
		return 0;
	recode_body(note.body);
	e = cs_checkpoint_signature(&note, cs_bytes_str(ORIGIN), key,
	    signature);
	REQUIRE(e == CS_OK || e == CS_NOT_FOUND || e == CS_MALFORMED);
	if (e == CS_OK)
		fuzz_read(CS_BYTES(signature));
	e = cs_cosignature_find(&note, witness_id, key, &word);
	REQUIRE(e == CS_OK || e == CS_NOT_FOUND || e == CS_MALFORMED);
	if (e == CS_OK)
		fuzz_read(CS_BYTES(word.signature));
	cs_buf_put_bytes(&again, note.body);
	cs_buf_put_u8(&again, '\n');
	cs_buf_put_bytes(&again, note.signatures);
	fuzz_same(in, &again);
	return 0;
}
