#include "client/why.h"

#include <stdarg.h>
#include <stdio.h>

void
cs_why_set(struct cs_why *w, const char *fmt, ...)
{
	va_list ap;

	if (!w || w->text[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
}

void
cs_why_clear(struct cs_why *w)
{
	if (w)
		w->text[0] = '\0';
}
