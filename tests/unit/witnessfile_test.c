#include "proto/witnessfile.h"

#include <string.h>

#include "tests/support/network.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000)

static struct network n;

/* Of the test network; the root entry borrows from its log. */
static struct cs_witnessfile
network_file(void)
{
	struct cs_witnessfile v = { .witness_id = { 1 },
		.relay_id = { 2 },
		.relay_noise_key = { 3 },
		.relay_url = cs_bytes_str("tcp://127.0.0.1:1"),
		.network_name = cs_bytes_str("Net") };
	struct cs_entry_leaf leaf;
	struct cs_bytes root;

	CHECK_OK(cs_directory_leaf(n.dir, 0, &root));
	CHECK_OK(cs_entry_leaf_decode(root, &leaf));
	v.root_entry = leaf.entry;
	memcpy(v.network_id, n.network_id, sizeof(v.network_id));
	return v;
}

TEST(witnessfile_round_trip)
{
	struct cs_witnessfile v, got;
	struct cs_buf out = { 0 };

	network_init(&n, NOW);
	v = network_file();
	CHECK_OK(cs_witnessfile_encode(&v, &out));
	CHECK_OK(cs_witnessfile_decode(cs_buf_view(&out), &got));
	CHECK_BYTES(v.network_id, 32, got.network_id, 32);
	CHECK_BYTES(v.witness_id, 16, got.witness_id, 16);
	CHECK_BYTES(v.relay_id, 16, got.relay_id, 16);
	CHECK_BYTES(v.relay_noise_key, 32, got.relay_noise_key, 32);
	CHECK_VIEW(v.relay_url, got.relay_url);
	CHECK_VIEW(v.network_name, got.network_name);
	CHECK_VIEW(v.root_entry, got.root_entry);
	cs_buf_fini(&out);
	network_fini(&n);
}

TEST(witnessfile_refuses)
{
	struct cs_witnessfile v, got = { .relay_id = { 77 } };
	struct cs_entry_leaf leaf;
	struct cs_buf out = { 0 };
	struct cs_bytes other;
	uint8_t *big = test_alloc(70000);

	network_init(&n, NOW);
	v = network_file();
	CHECK_OK(cs_witnessfile_encode(&v, &out));
	for (size_t i = 0; i < out.n; i++) {
		CHECK_ERR(CS_MALFORMED,
		    cs_witnessfile_decode((struct cs_bytes){ out.p, i }, &got));
		out.p[i] ^= 1; /* every bit is under the sum */
		CHECK(cs_witnessfile_decode(cs_buf_view(&out), &got) != CS_OK);
		out.p[i] ^= 1;
	}
	out.p[3] = '2';
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_witnessfile_decode(cs_buf_view(&out), &got));
	memset(big, 'x', 70000);
	CHECK_ERR(CS_TOO_LARGE,
	    cs_witnessfile_decode((struct cs_bytes){ big, 70000 }, &got));
	out.n = 0;

	v.relay_url = cs_bytes_str("");
	CHECK_ERR(CS_MALFORMED, cs_witnessfile_encode(&v, &out));
	v.relay_url = (struct cs_bytes){ big, 256 };
	CHECK_ERR(CS_TOO_LARGE, cs_witnessfile_encode(&v, &out));
	cs_buf_fini(&out); /* a length that does not fit sticks */
	v = network_file();
	v.network_id[0] ^= 1; /* another network's root */
	CHECK_ERR(CS_MALFORMED, cs_witnessfile_encode(&v, &out));
	v = network_file();
	CHECK_OK(cs_directory_leaf(n.dir, 1, &other));
	CHECK_OK(cs_entry_leaf_decode(other, &leaf));
	v.root_entry = leaf.entry; /* a registrar */
	CHECK_ERR(CS_MALFORMED, cs_witnessfile_encode(&v, &out));
	CHECK_NUM(0, out.n);
	CHECK_NUM(77, got.relay_id[0]);
	cs_buf_fini(&out);
	network_fini(&n);
}
