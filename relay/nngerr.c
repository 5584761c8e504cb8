#include "relay/nngerr.h"

#include <nng/nng.h>
#include <stddef.h>

cs_err
cs_nngerr_listen(const char *url, int nng_result, struct cs_buf *problem)
{
	static const struct {
		int rv;
		cs_err e;
		const char *remedy;
	} rows[] = {
		{ NNG_EADDRINUSE, CS_BUSY,
		    "stop the program that uses it, or choose another port" },
		{ NNG_EPERM, CS_DENIED,
		    "choose a port from 1024, or give the relay "
		    "CAP_NET_BIND_SERVICE" },
		{ NNG_EADDRINVAL, CS_BAD_CONFIG,
		    "name an address of this machine" },
		{ NNG_EINVAL, CS_BAD_CONFIG,
		    "write tcp://, tls+tcp:// or ws:// and ADDRESS:PORT" },
		{ NNG_ENOTSUP, CS_BAD_CONFIG,
		    "nng was built without this transport" },
		{ NNG_ECRYPTO, CS_BAD_CONFIG,
		    "tls_cert and tls_key must be PEM and belong together" },
		{ NNG_ENOMEM, CS_NO_MEMORY, "give the relay more memory" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].rv != nng_result)
			continue;
		cs_buf_printf(problem, "cannot listen on %s: %s; %s", url,
		    nng_strerror(nng_result), rows[i].remedy);
		return rows[i].e;
	}
	cs_buf_printf(problem, "cannot listen on %s: %s", url,
	    nng_strerror(nng_result));
	return CS_IO;
}
