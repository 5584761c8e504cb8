#include "client/dicompng.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "client/tool.h"

#define PNG_MAX ((size_t)64 << 20)

static cs_err
render(int fd, unsigned size, bool has_window, struct cs_buf *out,
    struct cs_why *why)
{
	char from[CS_TOOL_PATH_BYTES], columns[16];
	const char *argv[16] = { "dcmj2pnm", "-q", "+on", "+F", "1", "+Sxv",
		columns };
	size_t n = 7;

	cs_tool_path(fd, from);
	snprintf(columns, sizeof(columns), "%u", size);
	argv[n++] = has_window ? "+Wi" : "+Wm";
	if (has_window)
		argv[n++] = "1";
	argv[n++] = from;
	return cs_tool_read(argv, "dcmtk", PNG_MAX, out, why);
}

cs_err
cs_dicompng(int fd, unsigned size, struct cs_buf *out, struct cs_why *why)
{
	const size_t before = out->n;
	cs_err e = render(fd, size, true, out, why);

	if (e == CS_MALFORMED && out->n == before)
		e = render(fd, size, false, out, why);
	if (e == CS_OK && out->n == before)
		e = CS_MALFORMED;
	return e;
}
