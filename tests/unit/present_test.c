#include "client/present.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/test.h"

/* ESC and the control sequence a hostile subject would send. */
#define HOSTILE "a\x1b[2J\nb"

/* ---------------------------------------------------------------- catching */

static int kept;

/* Sends a stream of ours to a file until caught. */
static void
catch_from(FILE *stream)
{
	int fd = open(test_path("caught"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	fflush(stream);
	kept = dup(fileno(stream));
	CHECK(kept >= 0 && dup2(fd, fileno(stream)) >= 0);
	close(fd);
}

static struct cs_bytes
caught(FILE *stream)
{
	fflush(stream);
	dup2(kept, fileno(stream));
	close(kept);
	return test_read(test_path("caught"));
}

#define CHECK_CAUGHT(expected, stream)                                         \
	CHECK_VIEW(cs_bytes_str(expected), caught(stream))

/* ------------------------------------------------------------------ stdout */

TEST(present_shows_what_would_steer_the_terminal)
{
	catch_from(stdout);
	cs_present_text(cs_bytes_str(HOSTILE), false);
	cs_present_text(cs_bytes_str(HOSTILE), true);
	CHECK_CAUGHT("a\\x1b[2J\\x0ab"
		     "a\\x1b[2J\nb",
	    stdout);
}

TEST(present_pads_by_characters)
{
	catch_from(stdout);
	cs_present_cell(cs_bytes_str("Jos\xc3\xa9"), 6);
	cs_present_cell(cs_bytes_str("longer than that"), 6);
	cs_present_cell((struct cs_bytes){ 0 }, 2);
	CHECK_CAUGHT("Jos\xc3\xa9    longer than that      ", stdout);
}

TEST(present_breaks_a_fingerprint_into_two_lines)
{
	static const uint8_t hash[CS_HASH_BYTES] = { 0 };

	catch_from(stdout);
	cs_present_words(hash, "> ");
	CHECK_CAUGHT("> abandon abandon abandon abandon abandon abandon\n"
		     "> abandon abandon abandon abandon abandon abandon\n",
	    stdout);
}

TEST(present_knows_sizes_and_dates)
{
	char text[16];

	setenv("TZ", "UTC", 1);
	cs_present_size_text(999, text);
	CHECK_STR("999 B", text);
	cs_present_size_text(1400000, text);
	CHECK_STR("1.4 MB", text);
	cs_present_size_text(UINT64_MAX, text);
	CHECK_STR("18446744.1 TB", text);
	cs_present_date_text(UINT64_C(1795219200), text);
	CHECK_STR("2026-11-21", text);
	cs_present_date_text(UINT64_MAX, text);
	CHECK_STR("-", text);
}

TEST(present_keeps_times_to_their_column)
{
	setenv("TZ", "UTC", 1);
	catch_from(stdout);
	cs_present_time(0);
	cs_present_time(UINT64_C(1795219200));
	cs_present_time(UINT64_MAX);
	CHECK_CAUGHT("-                  2026-11-21 00:00:00-                 "
		     " ",
	    stdout);
}

TEST(present_writes_json_in_ascii)
{
	uint8_t id[CS_ID_BYTES] = { 0xab };

	catch_from(stdout);
	CHECK_OK(cs_present_json(json_pack("{s:o, s:o, s:o, s:o}", "text",
	    cs_present_json_text(cs_bytes_str("\xc3\xa9\x1b")), "id",
	    cs_present_json_id(id), "at", cs_present_json_time(1), "never",
	    cs_present_json_time(0))));
	CHECK_CAUGHT("{\"text\":\"\\u00E9\\u001B\","
		     "\"id\":\"ab000000000000000000000000000000\","
		     "\"at\":\"1970-01-01T00:00:01Z\",\"never\":null}\n",
	    stdout);
	CHECK_ERR(CS_NO_MEMORY, cs_present_json(NULL));
}

TEST(present_makes_json_of_what_is_no_text)
{
	json_t *v = cs_present_json_text(HEX("61 ff 62"));

	CHECK_STR("a\\xff"
		  "b",
	    json_string_value(v));
	json_decref(v);
}

TEST(present_notices_a_full_disk)
{
	struct cs_why why = { 0 };
	int fd = open("/dev/full", O_WRONLY);
	cs_err e;

	if (fd < 0)
		SKIP("no /dev/full");
	fflush(stdout);
	kept = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	fputs("lost", stdout);
	e = cs_present_flush(&why);
	clearerr(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	CHECK_ERR(CS_IO, e);
	CHECK_STR("standard output cannot be written", why.text);
	CHECK_OK(cs_present_flush(&why));
}

/* ------------------------------------------------------------------ stderr */

TEST(present_ends_in_one_line_and_a_code)
{
	struct cs_why why = { HOSTILE }, none = { 0 };
	char expected[512];
	int ok, denied, usage;

	catch_from(stderr);
	ok = cs_present_end("prog", "verb", &why, CS_OK);
	denied = cs_present_end("prog", "verb", &why, CS_BAD_MAC);
	usage = cs_present_end("prog", "verb", &none, CS_USAGE);
	snprintf(expected, sizeof(expected),
	    "prog: a\\x1b[2J\\x0ab (%s)\nprog: %s\n"
	    "prog: see `prog verb --help`\n",
	    cs_err_text(CS_BAD_MAC), cs_err_text(CS_USAGE));
	CHECK_CAUGHT(expected, stderr);
	CHECK_NUM(CS_EXIT_OK, (unsigned)ok);
	CHECK_NUM((unsigned)cs_err_exit_code(CS_BAD_MAC), (unsigned)denied);
	CHECK_NUM(CS_EXIT_USAGE, (unsigned)usage);
}
