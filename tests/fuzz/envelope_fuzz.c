#include "proto/envelope.h"
#include "tests/fuzz/fuzz.h"

static struct cs_envelope_recipient recipients[CS_LIMIT_RECIPIENTS];
static struct cs_envelope_object objects[CS_LIMIT_OBJECTS];

static void
read_rows(const struct cs_envelope *env, struct cs_buf *stanzas)
{
	struct cs_envelope_stanza stanza;
	uint16_t at;

	for (uint16_t i = 0; i < env->n_recipients; i++) {
		cs_envelope_recipient(env, i, &recipients[i]);
		REQUIRE(cs_envelope_find(env, recipients[i].device_id, &at) ==
			CS_OK);
		REQUIRE(at == i);
		cs_envelope_stanza(env, i, &stanza);
		cs_buf_put(stanzas, stanza.enc, sizeof(stanza.enc));
		cs_buf_put(stanzas, stanza.wrapped, sizeof(stanza.wrapped));
	}
	for (uint16_t i = 0; i < env->n_objects; i++)
		cs_envelope_object(env, i, &objects[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_envelope env;
	struct cs_buf again = { 0 }, stanzas = { 0 };
	uint8_t hash[CS_HASH_BYTES];

	if (cs_envelope_decode(in, &env) != CS_OK)
		return 0;
	REQUIRE(env.n_recipients >= 1 &&
		env.n_recipients <= CS_LIMIT_RECIPIENTS);
	REQUIRE(env.n_objects <= CS_LIMIT_OBJECTS);
	REQUIRE(cs_envelope_class_name(env.class) != NULL);
	read_rows(&env, &stanzas);
	cs_envelope_hash(&env, hash);
	REQUIRE(cs_envelope_stored_bytes(&env, n) >= n);
	REQUIRE(cs_envelope_encode_preamble(&env, (uint32_t)env.body.n,
		    recipients, objects, &again) == CS_OK);
	REQUIRE(cs_bytes_eq(env.preamble, cs_buf_view(&again)));
	cs_buf_put_bytes(&again, cs_buf_view(&stanzas));
	REQUIRE(cs_bytes_eq(env.header, cs_buf_view(&again)));
	cs_buf_put_bytes(&again, env.mac);
	cs_buf_put_bytes(&again, env.body);
	fuzz_same(in, &again);
	cs_buf_fini(&stanzas);
	return 0;
}
