#include "client/keyobject.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Every text that is told is a whole one. */
static void
touch(const char *s)
{
	static volatile size_t sum;

	for (; s && *s; s++)
		sum += (unsigned char)*s;
}

static cs_err
instance(void *ctx, const char *const value[CS_DICOM_TAGS])
{
	(void)ctx;
	for (int t = 0; t < CS_DICOM_TAGS; t++)
		touch(value[t]);
	return CS_OK;
}

static cs_err
key(void *ctx, const char *sop_instance, const char *title, const char *note)
{
	(void)ctx;
	touch(sop_instance);
	touch(title);
	touch(note);
	return CS_OK;
}

static cs_err
address(void *ctx, const char *study, const char *url)
{
	(void)ctx;
	touch(study);
	touch(url);
	return CS_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cs_imagingsink sink = { NULL, instance, key, address };
	struct cs_why why = { 0 };
	cs_err e =
	    cs_keyobject_parse((struct cs_bytes){ p, n }, "x", &sink, &why);

	if (e != CS_OK && e != CS_MALFORMED)
		__builtin_trap();
	return 0;
}
