/*
 * cs_open_envelope against everything a relay, a stranger, and a recipient who
 * knows the file key can put into an envelope. Nothing but what the sender
 * signed may ever open.
 *
 * First byte: 0 the rest is an envelope; 1 the rest is patches (u16 place, u8
 * xor) to a good one; 2 the rest is the manifest, sealed properly.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/bundle.h"
#include "tests/support/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct bundle b;
static struct cs_buf good;
static struct forge parts;
static uint8_t good_m[4096];
static size_t good_m_bytes;

static void
setup(void)
{
	if (good.n != 0)
		return;
	if (sodium_init() < 0)
		abort();
	test_random_seed(1);
	bundle_init(&b);
	bundle_seal(&b, &good, NULL);
	forge_take(&parts, &b, 0, cs_buf_view(&good));
	if (parts.m.n > sizeof(good_m))
		abort();
	good_m_bytes = parts.m.n;
	memcpy(good_m, parts.m.p, good_m_bytes);
}

static void
patch(struct cs_buf *out, const uint8_t *p, size_t n)
{
	cs_buf_put_bytes(out, cs_buf_view(&good));
	for (; n >= 3; p += 3, n -= 3)
		out->p[(p[0] << 8 | p[1]) % out->n] ^= p[2];
}

static void
seal_manifest(struct cs_buf *out, const uint8_t *p, size_t n)
{
	if (n > 4096 - 4 - 64) /* one length of body is enough */
		n = 4096 - 4 - 64;
	cs_buf_reset(&parts.m);
	cs_buf_put(&parts.m, p, n);
	if (n >= 44 + 64) /* past SHA-512(H), to what comes after */
		forge_bind(&parts);
	forge_pad(&parts);
	forge_put(&parts, out);
}

static void
open_it(struct cs_bytes envelope)
{
	struct cs_open *o = NULL;
	struct cs_bytes m;

	if (cs_open_envelope(envelope, b.net.network_id, bundle_id(&b.to[0]),
		b.to[0].epoch, b.net.dir, &o, NULL) != CS_OK)
		return;
	m = cs_open_manifest_bytes(o);
	if (m.n != good_m_bytes || memcmp(m.p, good_m, m.n) != 0)
		abort();
	cs_open_free(o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_buf out = { 0 };

	setup();
	if (n == 0)
		return 0;
	if (p[0] == 0) {
		open_it((struct cs_bytes){ p + 1, n - 1 });
	} else if (p[0] == 1) {
		patch(&out, p + 1, n - 1);
		open_it(cs_buf_view(&out));
	} else {
		seal_manifest(&out, p + 1, n - 1);
		open_it(cs_buf_view(&out));
	}
	cs_buf_fini(&out);
	return 0;
}
