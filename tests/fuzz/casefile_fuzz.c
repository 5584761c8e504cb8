#include "proto/casefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void
copy_series(struct cs_casefile_series *se, struct cs_buf *out)
{
	struct cs_casefile_instance in;

	cs_casefile_put_series(out, se);
	while (cs_casefile_next_instance(se, &in))
		cs_casefile_put_instance(out, &in);
	require(cs_wire_err(&se->instances) == CS_OK);
	cs_casefile_put_series_end(out, se);
}

static void
copy_study(struct cs_casefile_study *st, struct cs_buf *out)
{
	struct cs_casefile_series se;

	struct cs_casefile_key key;

	cs_casefile_put_study(out, st);
	while (cs_casefile_next_key(st, &key))
		cs_casefile_put_key(out, &key);
	require(cs_wire_err(&st->keys) == CS_OK);
	cs_casefile_put_study_series(out, st);
	while (cs_casefile_next_series(st, &se))
		copy_series(&se, out);
	require(cs_wire_err(&st->series) == CS_OK);
	cs_casefile_put_study_end(out, st);
}

/* What is decoded reads without failing, and is written as the same bytes. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_casefile_study st;
	struct cs_casefile cf;
	struct cs_buf out = { 0 };

	if (cs_casefile_decode(in, &cf) != CS_OK)
		return 0;
	cs_casefile_encode_begin(&out, cf.n_studies);
	while (cs_casefile_next_study(&cf, &st))
		copy_study(&st, &out);
	require(cs_wire_err(&cf.studies) == CS_OK);
	require(cs_casefile_encode_end(&out, &cf) == CS_OK);
	require(cs_bytes_eq(in, cs_buf_view(&out)));
	cs_buf_fini(&out);
	return 0;
}
