#include "client/keyobjectwrite.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/keyobject.h"
#include "client/tool.h"

#define UID_BYTES      65
#define LINE_MAX_BYTES 256

#define ITEM         "(fffe,e000) na\n"
#define ITEM_END     "(fffe,e00d) na\n"
#define SEQUENCE_END "(fffe,e0dd) na\n"

/* -------------------------------------------------------------- the text of it
 */

__attribute__((format(printf, 2, 3))) static void
line(struct cs_buf *out, const char *fmt, ...)
{
	char s[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	cs_buf_put_str(out, s);
}

/* A value may hold nothing that ends it, its line or, as DICOM's delimiter, one
 * of several values. */
static void
value(struct cs_buf *out, const char *tag, struct cs_bytes v)
{
	cs_buf_put_str(out, tag);
	cs_buf_put_str(out, " [");
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		cs_buf_put_u8(out,
		    c < 0x20 || c == 0x7f || c == '[' || c == ']' || c == '\\'
			? '_'
			: c);
	}
	cs_buf_put_str(out, "]\n");
}

/* A new UID from a random UUID (PS3.5 B.2): 2.25. and its 128 bits in decimal.
 */
static void
new_uid(char ret[static UID_BYTES])
{
	uint8_t n[16];
	char digits[40];
	size_t at = sizeof(digits);

	randombytes_buf(n, sizeof(n));
	n[0] |= 0x80; /* no leading zero */
	digits[--at] = '\0';
	for (bool any = true; any;) {
		unsigned rest = 0;

		any = false;
		for (size_t i = 0; i < sizeof(n); i++) {
			rest = rest << 8 | n[i];
			n[i] = (uint8_t)(rest / 10);
			rest %= 10;
			any |= n[i] != 0;
		}
		digits[--at] = (char)('0' + rest);
	}
	snprintf(ret, UID_BYTES, "2.25.%s", digits + at);
}

static void
code(struct cs_buf *out, const char *code_value, const char *meaning)
{
	line(out,
	    "(0040,a043) SQ\n" ITEM "(0008,0100) SH [%s]\n"
	    "(0008,0102) SH [DCM]\n(0008,0104) LO [%s]\n" ITEM_END SEQUENCE_END,
	    code_value, meaning);
}

static void
put_reference(struct cs_buf *out, const struct cs_casefile_instance *in)
{
	cs_buf_put_str(out, ITEM);
	value(out, "(0008,1150) UI", in->sop_class);
	value(out, "(0008,1155) UI", in->sop_instance);
	cs_buf_put_str(out, ITEM_END);
}

static void
put_evidence(struct cs_buf *out, const struct cs_casefile_study *st)
{
	struct cs_casefile_study walk = *st;
	struct cs_casefile_series se;
	struct cs_casefile_instance in;

	line(out, "(0040,a375) SQ\n" ITEM "(0008,1115) SQ\n");
	while (cs_casefile_next_series(&walk, &se)) {
		struct cs_bytes series = se.uid;

		cs_buf_put_str(out, ITEM);
		if (st->retrieve.n > 0) {
			struct cs_buf url = { 0 };

			cs_buf_put_bytes(&url, st->retrieve);
			cs_buf_put_str(&url, "/series/");
			cs_buf_put_bytes(&url, series);
			value(out, "(0008,1190) UR", cs_buf_view(&url));
			cs_buf_fini(&url);
		}
		cs_buf_put_str(out, "(0008,1199) SQ\n");
		while (cs_casefile_next_instance(&se, &in))
			put_reference(out, &in);
		cs_buf_put_str(out, SEQUENCE_END);
		value(out, "(0020,000e) UI", series);
		cs_buf_put_str(out, ITEM_END);
	}
	cs_buf_put_str(out, SEQUENCE_END);
	value(out, "(0020,000d) UI", st->uid);
	cs_buf_put_str(out, ITEM_END SEQUENCE_END);
}

/* Documents (SR and encapsulated) are no images. */
static bool is_image(struct cs_bytes class)
{
	static const char *const documents[] = { "1.2.840.10008.5.1.4.1.1.88.",
		"1.2.840.10008.5.1.4.1.1.104." };

	for (size_t i = 0; i < 2; i++)
		if (class.n > strlen(documents[i]) &&
		    memcmp(class.p, documents[i], strlen(documents[i])) == 0)
			return false;
	return true;
}

static void
put_content(struct cs_buf *out, const struct cs_casefile_study *st)
{
	struct cs_casefile_study walk = *st;
	struct cs_casefile_series se;
	struct cs_casefile_instance in;

	cs_buf_put_str(out, "(0040,a730) SQ\n");
	while (cs_casefile_next_series(&walk, &se)) {
		while (cs_casefile_next_instance(&se, &in)) {
			cs_buf_put_str(out, ITEM "(0008,1199) SQ\n");
			put_reference(out, &in);
			line(out,
			    SEQUENCE_END "(0040,a010) CS [CONTAINS]\n"
					 "(0040,a040) CS [%s]\n" ITEM_END,
			    is_image(in.sop_class) ? "IMAGE" : "COMPOSITE");
		}
	}
	cs_buf_put_str(out, SEQUENCE_END);
}

static void
put_all(struct cs_buf *out, const struct cs_casefile_study *st, uint64_t at_s)
{
	char instance[UID_BYTES], series[UID_BYTES], date[16], day_time[16];
	time_t at = (time_t)at_s;
	struct tm tm;

	new_uid(instance);
	new_uid(series);
	gmtime_r(&at, &tm);
	strftime(date, sizeof(date), "%Y%m%d", &tm);
	strftime(day_time, sizeof(day_time), "%H%M%S", &tm);
	line(out,
	    "(0008,0005) CS [ISO_IR 192]\n(0008,0016) UI [%s]\n"
	    "(0008,0018) UI [%s]\n",
	    CS_KEYOBJECT_CLASS, instance);
	value(out, "(0008,0020) DA", st->date);
	line(out,
	    "(0008,0023) DA [%s]\n(0008,0030) TM []\n(0008,0033) TM [%s]\n",
	    date, day_time);
	value(out, "(0008,0050) SH", st->accession);
	line(out, "(0008,0060) CS [KO]\n(0008,0070) LO [Consil]\n"
		  "(0008,0090) PN []\n(0008,0201) SH [+0000]\n");
	value(out, "(0008,1030) LO", st->description);
	line(out, "(0008,1111) SQ\n" SEQUENCE_END);
	value(out, "(0010,0010) PN", st->patient.name);
	value(out, "(0010,0020) LO", st->patient.id);
	if (st->patient.id_issuer.n > 0)
		value(out, "(0010,0021) LO", st->patient.id_issuer);
	value(out, "(0010,0030) DA", st->patient.birth_date);
	value(out, "(0010,0040) CS", st->patient.sex);
	value(out, "(0020,000d) UI", st->uid);
	line(out,
	    "(0020,000e) UI [%s]\n(0020,0010) SH []\n(0020,0011) IS [1]\n"
	    "(0020,0013) IS [1]\n(0040,a040) CS [CONTAINER]\n",
	    series);
	code(out, "113030", "Manifest");
	line(out, "(0040,a050) CS [SEPARATE]\n");
	put_evidence(out, st);
	line(out, "(0040,a504) SQ\n" ITEM
		  "(0008,0105) CS [DCMR]\n(0040,db00) CS [2010]\n" ITEM_END
		      SEQUENCE_END);
	put_content(out, st);
}

/* ------------------------------------------------------------------ the file
 * of it */

cs_err
cs_keyobjectwrite(const struct cs_casefile_study *st, uint64_t at_s,
    struct cs_buf *out, struct cs_why *why)
{
	char from[CS_TOOL_PATH_BYTES], to[CS_TOOL_PATH_BYTES];
	const char *const argv[] = { "dump2dcm", "-q", from, to, NULL };
	struct cs_buf dump = { 0 }, said = { 0 };
	int in_fd = -1, out_fd = -1;
	cs_err e;

	if (st->n_series == 0)
		return CS_NOTHING;
	put_all(&dump, st, at_s);
	CS_TRY(cs_buf_err(&dump));
	in_fd = cs_tool_file(cs_buf_view(&dump));
	out_fd = cs_tool_file((struct cs_bytes){ 0 });
	if (in_fd < 0 || out_fd < 0) {
		e = CS_IO;
		goto out;
	}
	cs_tool_path(in_fd, from);
	cs_tool_path(out_fd, to);
	CS_TRY(cs_tool_read(argv, "dcmtk", 4096, &said, why));
	CS_TRY(cs_tool_take(out_fd, out));
out:
	if (in_fd >= 0)
		close(in_fd);
	if (out_fd >= 0)
		close(out_fd);
	cs_buf_fini(&said);
	cs_buf_fini(&dump);
	return e;
}
