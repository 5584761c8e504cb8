#include "client/dicomweb.h"

#include <string.h>
#include <strings.h>

#include "proto/casefile.h"

#define STUDIES "/studies/"

static bool
is_plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c != '\0' && strchr("-._~%/:[]", c));
}

static bool
begins(struct cs_bytes v, const char *s)
{
	return v.n >= strlen(s) &&
	       strncasecmp((const char *)v.p, s, strlen(s)) == 0;
}

static struct cs_bytes
after(struct cs_bytes v, size_t n)
{
	return (struct cs_bytes){ v.p + n, v.n - n };
}

/* host[:port] of what begins with http:// or https://. */
static struct cs_bytes
authority(struct cs_bytes url)
{
	struct cs_bytes v = after(url, begins(url, "https://") ? 8 : 7);
	const uint8_t *slash = memchr(v.p, '/', v.n);

	if (slash)
		v.n = (size_t)(slash - v.p);
	return v;
}

static struct cs_bytes
without_slashes(struct cs_bytes v)
{
	while (v.n > 0 && v.p[v.n - 1] == '/')
		v.n--;
	return v;
}

/* Letters, digits, dots and dashes, or an IPv6 address in brackets; then
 * perhaps a port. */
static bool
is_authority(struct cs_bytes v)
{
	size_t i = 0;

	if (v.n > 0 && v.p[0] == '[') {
		const uint8_t *end = memchr(v.p, ']', v.n);

		if (!end)
			return false;
		i = (size_t)(end - v.p) + 1;
	} else {
		while (i < v.n && v.p[i] != ':') {
			if (strchr("/%[]~_", v.p[i]))
				return false;
			i++;
		}
	}
	if (i == 0)
		return false;
	if (i == v.n)
		return true;
	if (v.p[i] != ':' || i + 1 == v.n || v.n - i > 6)
		return false;
	for (i++; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return true;
}

/* Nothing in it means something else to a library, a log or a terminal. */
static bool
is_address(struct cs_bytes url)
{
	if (!begins(url, "https://") && !begins(url, "http://"))
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (!is_plain(url.p[i]))
			return false;
	/* a library would resolve these, and ask for something else */
	return is_authority(authority(url)) &&
	       !memmem(url.p, url.n, "/../", 4) &&
	       !memmem(url.p, url.n, "/./", 3);
}

cs_err
cs_dicomweb_split(struct cs_bytes url, struct cs_bytes *ret_base,
    struct cs_bytes *ret_study)
{
	struct cs_bytes base, study = { 0 };
	const uint8_t *at;

	if (url.n > CS_CASEFILE_URL_BYTES || !is_address(url))
		return CS_MALFORMED;
	base = without_slashes(url);
	at = memmem(base.p, base.n, STUDIES, strlen(STUDIES));
	if (at) {
		study = after(base, (size_t)(at - base.p) + strlen(STUDIES));
		base.n = (size_t)(at - base.p);
		if (!cs_casefile_is_uid(study))
			return CS_MALFORMED;
		base = without_slashes(base);
	}
	*ret_base = base;
	*ret_study = study;
	return CS_OK;
}

bool
cs_dicomweb_is_https(struct cs_bytes url)
{
	return begins(url, "https://");
}

struct cs_bytes
cs_dicomweb_host(struct cs_bytes url)
{
	struct cs_bytes v;
	const uint8_t *end;

	if (!is_address(url))
		return (struct cs_bytes){ 0 };
	v = authority(url);
	if (v.p[0] == '[') {
		v = after(v, 1);
		end = memchr(v.p, ']', v.n);
	} else {
		end = memchr(v.p, ':', v.n);
	}
	if (end)
		v.n = (size_t)(end - v.p);
	return v;
}

/* 127.0.0.0/8 as four numbers: "127.evil.example" is a name. */
static bool
is_127(struct cs_bytes host)
{
	size_t dots = 0;

	if (host.n < 9 || memcmp(host.p, "127.", 4) != 0)
		return false;
	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] == '.')
			dots++;
		else if (host.p[i] < '0' || host.p[i] > '9')
			return false;
	}
	return dots == 3;
}

bool
cs_dicomweb_is_loopback(struct cs_bytes url)
{
	struct cs_bytes host = cs_dicomweb_host(url);

	return is_127(host) || cs_bytes_eq(host, cs_bytes_str("::1")) ||
	       (host.n == 9 && begins(host, "localhost"));
}

void
cs_dicomweb_study_url(struct cs_bytes base, struct cs_bytes study,
    struct cs_buf *out)
{
	cs_buf_put_bytes(out, base);
	cs_buf_put_bytes(out, cs_bytes_str(STUDIES));
	cs_buf_put_bytes(out, study);
}

void
cs_dicomweb_instance_url(struct cs_bytes base, struct cs_bytes study,
    struct cs_bytes series, struct cs_bytes instance, struct cs_buf *out)
{
	cs_dicomweb_study_url(base, study, out);
	cs_buf_put_bytes(out, cs_bytes_str("/series/"));
	cs_buf_put_bytes(out, series);
	cs_buf_put_bytes(out, cs_bytes_str("/instances/"));
	cs_buf_put_bytes(out, instance);
}
