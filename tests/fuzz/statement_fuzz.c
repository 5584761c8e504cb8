#include "proto/statement.h"
#include "tests/fuzz/fuzz.h"

static void
read_rows(const struct cs_statement *st)
{
	struct cs_custody_object object;
	struct cs_custody_recipient recipient;
	struct cs_buf objects = { 0 }, recipients = { 0 };

	for (uint16_t i = 0; i < st->n_objects; i++) {
		if (st->fact == CS_FACT_CUSTODY) {
			cs_statement_custody_object(st, i, &object);
			cs_statement_put_custody_object(&objects, &object);
		} else {
			cs_buf_put(&objects, cs_statement_object_id(st, i),
			    CS_ID_BYTES);
		}
	}
	for (uint16_t i = 0; i < st->n_recipients; i++) {
		cs_statement_custody_recipient(st, i, &recipient);
		cs_statement_put_custody_recipient(&recipients, &recipient);
	}
	fuzz_same(st->objects, &objects);
	fuzz_same(st->recipients, &recipients);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_statement st;
	struct cs_buf again = { 0 };

	if (cs_statement_decode(in, &st) != CS_OK)
		return 0;
	read_rows(&st);
	fuzz_read(st.text);
	if (st.fact == CS_FACT_DELIVERED)
		REQUIRE(cs_statement_result_name(st.result) != NULL);
	if (st.fact == CS_FACT_OUTCOME)
		REQUIRE(cs_statement_outcome_name(st.outcome) != NULL);
	REQUIRE(cs_statement_encode(&st, &again) == CS_OK);
	fuzz_same(in, &again);
	return 0;
}
