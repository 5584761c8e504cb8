#include "client/htmlout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/test.h"

static char written[1 << 20];

/* What was written to fd, as a string. */
static const char *
all_of(int fd)
{
	ssize_t n = pread(fd, written, sizeof(written) - 1, 0);

	CHECK(n >= 0);
	written[n] = '\0';
	return written;
}

static int
new_file(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static void
check_text(const char *expected, struct cs_bytes v, bool keep_lines)
{
	struct cs_htmlout o = { .fd = new_file() };

	cs_htmlout_text(&o, v, keep_lines);
	CHECK_OK(cs_htmlout_end(&o));
	CHECK_STR(expected, all_of(o.fd));
	close(o.fd);
}

TEST(htmlout_text_is_never_markup)
{
	check_text("&lt;script&gt;&amp;amp;", cs_bytes_str("<script>&amp;"),
	    false);
	check_text("&quot;onload=&#39;x&#39;", cs_bytes_str("\"onload='x'"),
	    false);
	check_text("]]&gt;--&gt;&lt;/pre&gt;", cs_bytes_str("]]>--></pre>"),
	    true);
	check_text("", (struct cs_bytes){ 0 }, true);
}

TEST(htmlout_text_shows_what_hides)
{
	check_text("a\\x1b[2Jb\\x00", HEX("611b5b324a6200"), true);
	check_text("\\u202egnp", HEX("e280ae676e70"), false);
	check_text("\\xff&lt;\\xc3", HEX("ff3cc3"), false);
	check_text("a\\x0ab", cs_bytes_str("a\nb"), false);
	check_text("a\nb\tc", cs_bytes_str("a\r\nb\tc"), true);
	check_text("Müller", cs_bytes_str("Müller"), false);
}

TEST(htmlout_writes_numbers_times_and_hex)
{
	struct cs_htmlout o = { .fd = new_file() };

	cs_htmlout_printf(&o, "<td>%u</td>", 7u);
	cs_htmlout_hex(&o, HEX("00ff"));
	cs_htmlout_time(&o, 1796096000);
	cs_htmlout_time(&o, 0);
	cs_htmlout_time(&o, UINT64_MAX);
	CHECK_OK(cs_htmlout_end(&o));
	CHECK_STR("<td>7</td>00ff2026-12-01 03:33:20 UTC––", all_of(o.fd));
	close(o.fd);
}

TEST(htmlout_base64_is_of_the_whole_file)
{
	static uint8_t bytes[3 * 4096 + 1];
	struct cs_htmlout o = { .fd = new_file() };
	int in = new_file();

	bytes[sizeof(bytes) - 1] = 0xff;
	CHECK(write(in, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes));
	cs_htmlout_base64(&o, in);
	CHECK_OK(cs_htmlout_end(&o));
	CHECK_NUM(4 * 4096 + 4, strlen(all_of(o.fd)));
	CHECK_STR("AAAA/w==", written + 4 * 4096 - 4);
	close(o.fd);
	close(in);
}

TEST(htmlout_says_where_nothing_can_be_written)
{
	struct cs_htmlout o = { .fd = open("/dev/full", O_WRONLY) };

	for (int i = 0; i < 100000; i++)
		cs_htmlout_text(&o, cs_bytes_str("<<<<<<<<"), false);
	CHECK_ERR(CS_FULL, cs_htmlout_end(&o));
	CHECK(o.buf.p == NULL);
	close(o.fd);
	o = (struct cs_htmlout){ .fd = -1 };
	cs_htmlout_raw(&o, "x");
	CHECK_ERR(CS_IO, cs_htmlout_end(&o));
	o = (struct cs_htmlout){ .fd = -1 };
	cs_htmlout_base64(&o, -1);
	CHECK_ERR(CS_IO, cs_htmlout_end(&o));
}
