#include "relay/monitor.h"

#include <nng/nng.h>
#include <nng/supplemental/http/http.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "relay/nngerr.h"

struct cs_monitor {
	const struct cs_metrics *metrics;
	nng_http_server *server;
	unsigned port;
	_Atomic bool stopping;
};

/* ------------------------------------------------------------------ answers */

static const char *
health(struct cs_monitor *mon)
{
	return cs_service_is_alive(mon->metrics->service)
		   ? NULL
		   : "its threads stand still";
}

static const char *
readiness(struct cs_monitor *mon)
{
	const char *why = health(mon);

	if (mon->stopping)
		return "stopping";
	return why ? why : cs_service_obstacle(mon->metrics->service);
}

static int
answer(nng_aio *aio, uint16_t status, const char *type, struct cs_bytes body)
{
	nng_http_res *res = NULL;
	int rv = nng_http_res_alloc(&res);

	if (rv == 0)
		rv = nng_http_res_set_status(res, status);
	if (rv == 0)
		rv = nng_http_res_set_header(res, "Content-Type", type);
	if (rv == 0)
		rv = nng_http_res_set_header(res, "Cache-Control", "no-store");
	if (rv == 0)
		rv = nng_http_res_copy_data(res, body.p, body.n);
	if (rv == 0)
		rv = nng_aio_set_output(aio, 0, res);
	if (rv != 0 && res)
		nng_http_res_free(res);
	return rv;
}

static void
answer_state(nng_aio *aio, const char *why)
{
	struct cs_buf body = { 0 };
	int rv = NNG_ENOMEM;

	cs_buf_printf(&body, "%s\n", why ? why : "ok");
	if (cs_buf_err(&body) == CS_OK)
		rv = answer(aio,
		    why ? NNG_HTTP_STATUS_SERVICE_UNAVAILABLE
			: NNG_HTTP_STATUS_OK,
		    "text/plain; charset=utf-8", cs_buf_view(&body));
	cs_buf_fini(&body);
	nng_aio_finish(aio, rv);
}

static struct cs_monitor *
of(nng_aio *aio)
{
	return nng_http_handler_get_data(nng_aio_get_input(aio, 1));
}

static void
on_health(nng_aio *aio)
{
	answer_state(aio, health(of(aio)));
}

static void
on_ready(nng_aio *aio)
{
	answer_state(aio, readiness(of(aio)));
}

static void
on_metrics(nng_aio *aio)
{
	struct cs_buf body = { 0 };
	int rv;

	if (cs_metrics_text(of(aio)->metrics, &body) == CS_OK)
		rv = answer(aio, NNG_HTTP_STATUS_OK,
		    "text/plain; version=0.0.4; charset=utf-8",
		    cs_buf_view(&body));
	else
		rv = answer(aio, NNG_HTTP_STATUS_SERVICE_UNAVAILABLE,
		    "text/plain; charset=utf-8",
		    cs_bytes_str("the store cannot be read\n"));
	cs_buf_fini(&body);
	nng_aio_finish(aio, rv);
}

/* ------------------------------------------------------------------ opening */

bool
cs_monitor_is_local(const char *url)
{
	static const char *const hosts[] = { "http://127.0.0.1:",
		"http://[::1]:" };
	char *end;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		const size_t n = strlen(hosts[i]);

		if (strncmp(url, hosts[i], n) != 0 || url[n] < '0' ||
		    url[n] > '9')
			continue;
		return strtoul(url + n, &end, 10) <= 65535 && *end == '\0';
	}
	return false;
}

static int
add(struct cs_monitor *mon, const char *path, void (*on)(nng_aio *))
{
	nng_http_handler *h = NULL;
	int rv = nng_http_handler_alloc(&h, path, on);

	if (rv == 0)
		rv = nng_http_handler_set_data(h, mon, NULL);
	if (rv == 0)
		rv = nng_http_server_add_handler(mon->server, h);
	if (rv != 0 && h)
		nng_http_handler_free(h);
	return rv;
}

static int
start(struct cs_monitor *mon, const char *text)
{
	nng_sockaddr bound = { 0 };
	nng_url *url = NULL;
	int rv = nng_url_parse(&url, text);

	if (rv == 0)
		rv = nng_http_server_hold(&mon->server, url);
	if (url)
		nng_url_free(url);
	if (rv == 0)
		rv = add(mon, "/metrics", on_metrics);
	if (rv == 0)
		rv = add(mon, "/healthz", on_health);
	if (rv == 0)
		rv = add(mon, "/readyz", on_ready);
	if (rv == 0)
		rv = nng_http_server_start(mon->server);
	if (rv == 0)
		rv = nng_http_server_get_addr(mon->server, &bound);
	/* both families have it at the same place, in network order */
	mon->port = (unsigned)(bound.s_in.sa_port & 0xff) << 8 |
		    (unsigned)bound.s_in.sa_port >> 8;
	return rv;
}

cs_err
cs_monitor_open(const char *url, const struct cs_metrics *m,
    struct cs_monitor **ret, struct cs_buf *ret_problem)
{
	struct cs_monitor *mon = calloc(1, sizeof(*mon));
	int rv;
	cs_err e = CS_OK;

	if (!mon)
		return CS_NO_MEMORY;
	mon->metrics = m;
	rv = start(mon, url);
	if (rv != 0) {
		e = cs_nngerr_listen(url, rv, ret_problem);
		if (mon->server)
			nng_http_server_release(mon->server);
		free(mon);
		return e;
	}
	*ret = mon;
	return e;
}

void
cs_monitor_stopping(struct cs_monitor *mon)
{
	if (mon)
		mon->stopping = true;
}

unsigned
cs_monitor_port(const struct cs_monitor *mon)
{
	return mon->port;
}
