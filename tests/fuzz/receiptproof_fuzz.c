#include "proto/receiptproof.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* The SHA-256 at the end is made right: behind it is what is looked for. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_receiptproof_item item;
	struct cs_receiptproof_cert cert;
	struct cs_receiptproof v;
	struct cs_buf in = { 0 }, again = { 0 }, certs = { 0 }, items = { 0 };
	size_t pos = 0;
	uint32_t n_certs = 0, n_items = 0;

	cs_buf_put(&in, p, n);
	if (n >= CS_HASH_BYTES)
		crypto_hash_sha256(in.p + n - CS_HASH_BYTES, in.p,
		    n - CS_HASH_BYTES);
	if (cs_receiptproof_decode(cs_buf_view(&in), &v) == CS_OK) {
		while (cs_receiptproof_next_cert(&v, &pos, &cert)) {
			n_certs++;
			cs_receiptproof_put_cert(&certs, &cert);
		}
		REQUIRE(n_certs == v.n_certs);
		fuzz_same(v.certs, &certs);
		pos = 0;
		while (cs_receiptproof_next_item(&v, &pos, &item)) {
			n_items++;
			cs_receiptproof_put_item(&items, &item);
		}
		REQUIRE(n_items == v.n_items);
		fuzz_same(v.items, &items);
		fuzz_read(v.note);
		fuzz_read(v.peaks);
		fuzz_read(v.leaves);
		REQUIRE(cs_receiptproof_encode(&v, &again) == CS_OK);
		fuzz_same(cs_buf_view(&in), &again);
	}
	cs_buf_fini(&in);
	return 0;
}
