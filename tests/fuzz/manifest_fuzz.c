#include "proto/manifest.h"
#include "tests/fuzz/fuzz.h"

/* Each list read row by row and packed again must be the list. */
static void
recode_lists(const struct cs_manifest *m)
{
	struct cs_manifest_addressee addressee;
	struct cs_manifest_device device;
	struct cs_manifest_object object;
	struct cs_manifest_message parent;
	struct cs_manifest_mark mark;
	struct cs_buf again = { 0 };
	size_t pos = 0;
	unsigned count = 0;

	for (; cs_manifest_next_addressee(m, &pos, &addressee); count++)
		cs_manifest_put_addressee(&again, &addressee);
	REQUIRE(count == m->n_addressees);
	fuzz_same(m->addressees, &again);
	pos = count = 0;
	for (; cs_manifest_next_device(m, &pos, &device); count++)
		cs_manifest_put_device(&again, &device);
	REQUIRE(count == m->n_devices);
	fuzz_same(m->devices, &again);
	pos = count = 0;
	for (; cs_manifest_next_object(m, &pos, &object); count++)
		cs_manifest_put_object(&again, &object);
	REQUIRE(count == m->n_objects);
	fuzz_same(m->objects, &again);
	pos = count = 0;
	for (; cs_manifest_next_parent(m, &pos, &parent); count++)
		cs_manifest_put_parent(&again, &parent);
	REQUIRE(count == m->n_parents);
	fuzz_same(m->parents, &again);
	pos = count = 0;
	for (; cs_manifest_next_mark(m, &pos, &mark); count++)
		cs_manifest_put_mark(&again, &mark);
	REQUIRE(count == m->n_marks);
	fuzz_same(m->marks, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_manifest m;
	struct cs_buf again = { 0 };

	if (cs_manifest_decode(in, &m) != CS_OK)
		return 0;
	recode_lists(&m);
	fuzz_read(m.content);
	REQUIRE(cs_manifest_encode(&m, &again) == CS_OK);
	fuzz_same(in, &again);
	return 0;
}
