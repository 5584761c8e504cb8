#include "relay/report.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define LINE_BYTES 512

static cs_report_sink *to;
static enum cs_report_level last;

static const char *const names[CS_REPORT_LEVELS] = {
	[CS_REPORT_ERROR] = "error",
	[CS_REPORT_WARNING] = "warning",
	[CS_REPORT_INFO] = "info",
	[CS_REPORT_DEBUG] = "debug",
};

void
cs_report_to(cs_report_sink *sink, enum cs_report_level up_to)
{
	to = sink;
	last = up_to;
}

void
cs_report(enum cs_report_level level, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	char *c;

	if (to == NULL || level > last)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* A path or URL from outside must not make a second line. */
	for (c = line; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	to(level, line);
}

const char *
cs_report_level_name(unsigned level)
{
	return level < CS_REPORT_LEVELS ? names[level] : NULL;
}
