#include "client/wadors.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/dicomweb.h"
#include "keys/file.h"
#include "proto/multipart.h"

#define CONNECT_S       30L
#define SLOW_BYTES      1024L /* a second, for SLOW_S: too slow */
#define SLOW_S          60L
#define LONGEST_S       UINT64_C(86400)
#define HEADER_FILE_MAX 8192
#define HEADERS_MAX     32
#define OVERHEAD_BYTES  (64u << 10) /* delimiters, preamble, epilogue */

#define ACCEPT                                                                 \
	"Accept: multipart/related; type=\"application/dicom\"; "              \
	"transfer-syntax=*"

struct cs_wadors {
	CURL *curl;
	struct curl_slist *headers;
	bool is_named;
	const volatile sig_atomic_t *stop;
	char error[CURL_ERROR_SIZE];
};

/* One retrieval. */
struct transfer {
	struct cs_wadors *w;
	struct cs_multipart parts;
	bool is_begun;
	bool is_private; /* it would have gone to a private address */
	uint64_t raw_left, left;
	cs_wadors_sink *sink;
	void *ctx;
	cs_err e;
};

/* ------------------------------------------------------------------- addresses
 */

static bool
is_public_v4(uint32_t a)
{
	static const struct {
		uint32_t net;
		unsigned bits;
	} special[] = {
		{ 0x00000000, 8 },  /* this network */
		{ 0x0a000000, 8 },  /* private */
		{ 0x64400000, 10 }, /* carrier's */
		{ 0x7f000000, 8 },  /* this machine */
		{ 0xa9fe0000, 16 }, /* link, and clouds' metadata */
		{ 0xac100000, 12 }, /* private */
		{ 0xc0000000, 24 }, /* protocol assignments */
		{ 0xc0a80000, 16 }, /* private */
		{ 0xc6120000, 15 }, /* benchmarks */
		{ 0xe0000000, 3 },  /* multicast, reserved, broadcast */
	};

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if ((a ^ special[i].net) >> (32 - special[i].bits) == 0)
			return false;
	return true;
}

bool
cs_wadors_is_public(const struct sockaddr *sa)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		return is_public_v4(ntohl(v4.sin_addr.s_addr));
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(&v6, sa, sizeof(v6));
	/* 2000::/3 without 6to4 and Teredo, which carry IPv4 addresses */
	if ((v6.sin6_addr.s6_addr[0] & 0xe0) != 0x20)
		return false;
	return !(v6.sin6_addr.s6_addr[0] == 0x20 &&
		   v6.sin6_addr.s6_addr[1] == 0x02) &&
	       memcmp(v6.sin6_addr.s6_addr, "\x20\x01\x00\x00", 4) != 0;
}

/* Asked with the address that a name turned out to be, so that no name server
 * can change its mind in between. */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *t = ctx;

	(void)purpose;
	if (!t->w->is_named && !cs_wadors_is_public(&to->addr)) {
		t->is_private = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* ----------------------------------------------------------------- credentials
 */

static cs_err
add_header(struct cs_wadors *w, const char *line)
{
	struct curl_slist *grown = curl_slist_append(w->headers, line);

	if (!grown)
		return CS_NO_MEMORY;
	w->headers = grown;
	return CS_OK;
}

/* In guarded memory until libcurl has its copy. */
static cs_err
read_headers(struct cs_wadors *w, const char *path, struct cs_why *why)
{
	struct cs_secret *raw = NULL;
	struct cs_bytes v;
	size_t n = 0;
	cs_err e;

	CS_TRY(cs_file_read_secret(path, HEADER_FILE_MAX, &raw));
	v = cs_secret_view(raw);
	while (v.n > 0) {
		char line[HEADER_FILE_MAX + 1];
		const uint8_t *end = memchr(v.p, '\n', v.n);
		size_t len = end ? (size_t)(end - v.p) : v.n;
		size_t use = len > 0 && v.p[len - 1] == '\r' ? len - 1 : len;

		if (memchr(v.p, '\0', len) || n == HEADERS_MAX ||
		    (use > 0 && !memchr(v.p, ':', use))) {
			cs_why_set(why, "%s: lines are `Name: value`", path);
			e = CS_USAGE;
			goto out;
		}
		memcpy(line, v.p, use);
		line[use] = '\0';
		if (use > 0) {
			e = add_header(w, line);
			n++;
		}
		explicit_bzero(line, use);
		CS_TRY(e);
		len += end != NULL;
		v = (struct cs_bytes){ v.p + len, v.n - len };
	}
	if (n == 0) {
		cs_why_set(why, "%s holds no header", path);
		e = CS_USAGE;
	}
out:
	cs_secret_free(raw);
	return e;
}

/* ---------------------------------------------------------------------- answer
 */

static cs_err
take_part(void *ctx, struct cs_bytes v)
{
	struct transfer *t = ctx;

	if (v.n > t->left)
		return CS_ALTERED;
	t->left -= v.n;
	return t->sink(t->ctx, v);
}

/* The headers are all there when the first bytes come. */
static cs_err
begin(struct transfer *t)
{
	const char *type = NULL;

	if (curl_easy_getinfo(t->w->curl, CURLINFO_CONTENT_TYPE, &type) !=
		CURLE_OK ||
	    !type)
		return CS_MALFORMED;
	return cs_multipart_init(&t->parts, cs_bytes_str(type));
}

static size_t
take(char *p, size_t one, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	long status = 0;

	(void)one;
	curl_easy_getinfo(t->w->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return 0; /* a page about an error: what it says is no use */
	if (!t->is_begun) {
		t->is_begun = true;
		t->e = begin(t);
	}
	if (t->e == CS_OK && n > t->raw_left)
		t->e = CS_ALTERED;
	if (t->e != CS_OK)
		return 0;
	t->raw_left -= n;
	t->e = cs_multipart_feed(&t->parts,
	    (struct cs_bytes){ (const uint8_t *)p, n }, take_part, t);
	return t->e == CS_OK ? n : 0;
}

/* ------------------------------------------------------------------------ curl
 */

/* Asked about once a second, whatever the archive does. */
static int
is_stopped(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct cs_wadors *w = ctx;

	(void)a, (void)b, (void)c, (void)d;
	return w->stop && *w->stop;
}

static bool
set_up(struct cs_wadors *w, const struct cs_wadors_options *o)
{
	CURL *c = w->curl;
	bool ok =
	    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSLVERSION,
		(long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S) ==
		CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES) ==
		CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, SLOW_S) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, w->headers) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, w->error) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) ==
		CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_XFERINFODATA, w) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, is_stopped) ==
		CURLE_OK;

	if (ok && o->ca_path)
		ok =
		    curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_path) == CURLE_OK;
	if (ok && o->netrc_path)
		ok = curl_easy_setopt(c, CURLOPT_NETRC,
			 (long)CURL_NETRC_REQUIRED) == CURLE_OK &&
		     curl_easy_setopt(c, CURLOPT_NETRC_FILE, o->netrc_path) ==
			 CURLE_OK;
	return ok;
}

cs_err
cs_wadors_new(const struct cs_wadors_options *options, struct cs_why *why,
    struct cs_wadors **ret)
{
	struct cs_wadors *w = NULL;
	cs_err e = CS_OK;

	if (!options->is_named &&
	    (options->netrc_path || options->header_path)) {
		cs_why_set(why,
		    "credentials go only where you say: name the archive with "
		    "--from");
		return CS_USAGE;
	}
	if (options->netrc_path && access(options->netrc_path, R_OK) != 0) {
		cs_why_set(why, "%s cannot be read", options->netrc_path);
		return CS_NOT_FOUND;
	}
	w = calloc(1, sizeof(*w));
	if (!w || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(w);
		return CS_NO_MEMORY;
	}
	w->is_named = options->is_named;
	w->stop = options->stop;
	w->curl = curl_easy_init();
	CS_TRY(w->curl ? CS_OK : CS_NO_MEMORY);
	CS_TRY(add_header(w, ACCEPT));
	if (options->header_path)
		CS_TRY(read_headers(w, options->header_path, why));
	if (!set_up(w, options)) {
		cs_why_set(why, "this libcurl lacks what a safe retrieval "
				"needs");
		e = CS_UNSUPPORTED;
		goto out;
	}
	*ret = w;
	w = NULL;
out:
	cs_wadors_free(w);
	return e;
}

void
cs_wadors_free(struct cs_wadors *w)
{
	if (!w)
		return;
	for (struct curl_slist *h = w->headers; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(w->headers);
	curl_easy_cleanup(w->curl);
	free(w);
	curl_global_cleanup();
}

static const struct {
	CURLcode code;
	cs_err e;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, CS_UNREACHABLE },
	{ CURLE_COULDNT_CONNECT, CS_UNREACHABLE },
	{ CURLE_OPERATION_TIMEDOUT, CS_TIMEOUT },
	{ CURLE_PEER_FAILED_VERIFICATION, CS_BAD_SIGNATURE },
	{ CURLE_SSL_CACERT_BADFILE, CS_USAGE },
	{ CURLE_OUT_OF_MEMORY, CS_NO_MEMORY },
};

static cs_err
judge(const struct transfer *t, CURLcode code, struct cs_why *why)
{
	const char *text =
	    t->w->error[0] ? t->w->error : curl_easy_strerror(code);
	long status = 0;

	curl_easy_getinfo(t->w->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_ABORTED_BY_CALLBACK) {
		cs_why_set(why, "stopped, nothing was kept");
		return CS_CLOSED;
	}
	if (t->is_private) {
		cs_why_set(why,
		    "the sender's address leads into a private network: if "
		    "that is where the archive is, name it with --from");
		return CS_DENIED;
	}
	if (status >= 300 && status < 400) {
		cs_why_set(why,
		    "the archive redirects (HTTP %ld), which is not "
		    "followed: name the right one with --from",
		    status);
		return CS_DENIED;
	}
	if (status != 0 && status != 200) {
		cs_why_set(why, "the archive says HTTP %ld", status);
		return status == 401 || status == 403   ? CS_DENIED
		       : status == 404 || status == 410 ? CS_NOT_FOUND
		       : status >= 500                  ? CS_UNREACHABLE
							: CS_MALFORMED;
	}
	if (t->e != CS_OK) {
		if (t->e == CS_MALFORMED)
			cs_why_set(why,
			    "the archive's answer is not one DICOM instance");
		return t->e;
	}
	if (code == CURLE_OK)
		return CS_OK;
	cs_why_set(why, "the archive: %s", text);
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
		if (failures[i].code == code)
			return failures[i].e;
	return CS_CLOSED;
}

/* As long as the slowest bearable line needs for it, at most a day. */
static long
longest_s(uint64_t bytes)
{
	uint64_t s = (uint64_t)(2 * SLOW_S) + bytes / (uint64_t)SLOW_BYTES;

	return s < LONGEST_S ? (long)s : (long)LONGEST_S;
}

cs_err
cs_wadors_get(struct cs_wadors *w, const char *url, uint64_t max_bytes,
    cs_wadors_sink *sink, void *ctx, struct cs_why *why)
{
	struct cs_bytes v = cs_bytes_str(url);
	struct transfer t = { .w = w,
		.raw_left = max_bytes + OVERHEAD_BYTES,
		.left = max_bytes,
		.sink = sink,
		.ctx = ctx };
	bool is_plain = w->is_named && cs_dicomweb_is_loopback(v);
	CURLcode code;
	cs_err e;

	if (!cs_dicomweb_is_https(v) && !is_plain) {
		cs_why_set(why, "only https (http on this machine)");
		return CS_USAGE;
	}
	w->error[0] = '\0';
	if (curl_easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR,
		is_plain ? "https,http" : "https") != CURLE_OK ||
	    curl_easy_setopt(w->curl, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, &t) != CURLE_OK ||
	    curl_easy_setopt(w->curl, CURLOPT_OPENSOCKETDATA, &t) != CURLE_OK ||
	    curl_easy_setopt(w->curl, CURLOPT_TIMEOUT, longest_s(max_bytes)) !=
		CURLE_OK)
		return CS_NO_MEMORY;
	code = curl_easy_perform(w->curl);
	e = judge(&t, code, why);
	if (e == CS_OK) {
		e = t.is_begun ? cs_multipart_end(&t.parts) : CS_MALFORMED;
		if (e != CS_OK)
			cs_why_set(why,
			    "the archive's answer is not one DICOM instance");
	}
	return e;
}
