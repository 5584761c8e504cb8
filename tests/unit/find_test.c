#include "client/find.h"

#include "tests/test.h"

TEST(a_word_is_found_by_its_beginning_whatever_case_and_diacritics)
{
	static const struct {
		const char *text, *word;
		bool found;
		size_t at;
	} rows[] = {
		{ "Resect or treat first?", "treat", true, 10 },
		{ "Resect or treat first?", "TREA", true, 10 },
		{ "Resect or treat first?", "reat", false, 0 },
		{ "Müller, Zoë", "muller", true, 0 },
		{ "Muller", "Müller", true, 0 },
		{ "Müller, Zoë", "zoe", true, 9 },
		{ "Łódź", "lodz", true, 0 },
		{ "ISO-8859", "8859", true, 4 },
		{ "a", "ab", false, 0 },
		{ "", "a", false, 0 },
		{ "пациент", "паци", true, 0 },
		{ "1.2.840", "840", true, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t at = 0;

		CHECK(cs_find_word(cs_bytes_str(rows[i].text),
			  cs_bytes_str(rows[i].word), &at) == rows[i].found);
		CHECK_NUM(rows[i].at, at);
	}
}

TEST(text_that_ends_in_the_middle_of_a_character_is_not_read_beyond)
{
	uint8_t *text = test_alloc(3);
	const uint8_t cut[] = { 'a', ' ', 0xc3 };

	for (size_t i = 0; i < 3; i++)
		text[i] = cut[i];
	CHECK(!cs_find_word((struct cs_bytes){ text, 3 }, cs_bytes_str("b"),
	    NULL));
	CHECK(cs_find_word((struct cs_bytes){ text, 3 }, cs_bytes_str("a"),
	    NULL));
}
