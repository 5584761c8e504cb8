#include "keys/dirindex.h"

#include "tests/test.h"

static struct cs_bytes
key_of(const uint32_t *i)
{
	return (struct cs_bytes){ (const uint8_t *)i, sizeof(*i) };
}

/* The newest candidate for i that is right; NONE if there is none. */
static uint32_t
find(const struct cs_dirindex *ix, uint32_t i)
{
	uint32_t at = CS_DIRINDEX_NONE, v;

	while ((v = cs_dirindex_next(ix, key_of(&i), &at)) != CS_DIRINDEX_NONE)
		if (v == i)
			return v;
	return CS_DIRINDEX_NONE;
}

TEST(dirindex_finds_what_was_put)
{
	struct cs_dirindex ix;

	cs_dirindex_init(&ix);
	CHECK_NUM(CS_DIRINDEX_NONE, find(&ix, 0));
	for (uint32_t i = 0; i < 1000; i++) {
		CHECK_OK(cs_dirindex_reserve(&ix, 1));
		cs_dirindex_put(&ix, key_of(&i), i);
	}
	for (uint32_t i = 0; i < 1000; i++)
		CHECK_NUM(i, find(&ix, i));
	CHECK_NUM(CS_DIRINDEX_NONE, find(&ix, 1000));
	cs_dirindex_fini(&ix);
}

/* Across a growth in between, too. */
TEST(dirindex_pops_in_reverse)
{
	struct cs_dirindex ix;

	cs_dirindex_init(&ix);
	for (uint32_t i = 0; i < 200; i++) {
		CHECK_OK(cs_dirindex_reserve(&ix, 1));
		cs_dirindex_put(&ix, key_of(&i), i);
	}
	for (uint32_t i = 200; i-- > 50;) {
		cs_dirindex_pop(&ix);
		CHECK_NUM(CS_DIRINDEX_NONE, find(&ix, i));
		CHECK_NUM(i - 1, find(&ix, i - 1));
	}
	for (uint32_t i = 0; i < 50; i++)
		CHECK_NUM(i, find(&ix, i));
	cs_dirindex_fini(&ix);
}

TEST(dirindex_keeps_several_values_of_a_key_newest_first)
{
	struct cs_dirindex ix;
	uint32_t at = CS_DIRINDEX_NONE, key = 7;

	cs_dirindex_init(&ix);
	CHECK_OK(cs_dirindex_reserve(&ix, 2));
	cs_dirindex_put(&ix, key_of(&key), 1);
	cs_dirindex_put(&ix, key_of(&key), 2);
	CHECK_NUM(2, cs_dirindex_next(&ix, key_of(&key), &at));
	CHECK_NUM(1, cs_dirindex_next(&ix, key_of(&key), &at));
	CHECK_NUM(CS_DIRINDEX_NONE, cs_dirindex_next(&ix, key_of(&key), &at));
	CHECK_ERR(CS_NO_MEMORY, cs_dirindex_reserve(&ix, UINT32_MAX));
	cs_dirindex_fini(&ix);
}
