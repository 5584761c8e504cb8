#include "client/day.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define FIRST_YEAR 1900u
#define LAST_YEAR  9999u

struct day {
	unsigned year, month, day;
};

static unsigned
month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* n digits. */
static bool
read_digits(const uint8_t *p, size_t n, unsigned *ret)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = 10 * v + (unsigned)(p[i] - '0');
	}
	*ret = v;
	return true;
}

static cs_err
read_day(struct cs_bytes text, struct day *ret)
{
	struct day d;

	if (text.n != CS_DAY_BYTES - 1 || text.p[4] != '-' ||
	    text.p[7] != '-' || !read_digits(text.p, 4, &d.year) ||
	    !read_digits(text.p + 5, 2, &d.month) ||
	    !read_digits(text.p + 8, 2, &d.day))
		return CS_MALFORMED;
	if (d.year < FIRST_YEAR || d.month < 1 || d.month > 12 || d.day < 1 ||
	    d.day > month_days(d.year, d.month))
		return CS_MALFORMED;
	*ret = d;
	return CS_OK;
}

static void
write_day(struct day d, char ret[static CS_DAY_BYTES])
{
	char text[40];

	snprintf(text, sizeof(text), "%04u-%02u-%02u", d.year, d.month, d.day);
	snprintf(ret, CS_DAY_BYTES, "%.10s", text);
}

cs_err
cs_day_check(struct cs_bytes text)
{
	struct day d;

	return read_day(text, &d);
}

cs_err
cs_day_end(struct cs_bytes text, uint64_t *ret)
{
	struct tm tm = {
		.tm_isdst = -1, .tm_hour = 23, .tm_min = 59, .tm_sec = 59
	};
	struct day d;
	time_t t;
	cs_err e;

	CS_TRY(read_day(text, &d));
	tm.tm_year = (int)(d.year - 1900);
	tm.tm_mon = (int)(d.month - 1);
	tm.tm_mday = (int)d.day;
	t = mktime(&tm);
	CS_TRY(t > 0 ? CS_OK : CS_MALFORMED);
	*ret = (uint64_t)t;
out:
	return e;
}

void
cs_day_of(uint64_t time_s, char ret[static CS_DAY_BYTES])
{
	time_t t = (time_t)time_s;
	struct tm tm;

	ret[0] = '\0';
	if (time_s > INT64_MAX || !localtime_r(&t, &tm) || tm.tm_year < 0 ||
	    tm.tm_year > (int)(LAST_YEAR - 1900))
		return;
	write_day((struct day){ (unsigned)tm.tm_year + 1900,
		      (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday },
	    ret);
}

cs_err
cs_day_later(struct cs_bytes text, unsigned months,
    char ret[static CS_DAY_BYTES])
{
	unsigned month;
	struct day d;
	cs_err e;

	CS_TRY(read_day(text, &d));
	month = d.month - 1 + months % 12;
	d.year += months / 12 + month / 12;
	d.month = month % 12 + 1;
	CS_TRY(d.year <= LAST_YEAR ? CS_OK : CS_MALFORMED);
	if (d.day > month_days(d.year, d.month))
		d.day = month_days(d.year, d.month);
	write_day(d, ret);
out:
	return e;
}
