#include "keys/seal.h"

#include <sodium.h>
#include <string.h>

#include "keys/open.h"
#include "tests/support/bundle.h"
#include "tests/test.h"

static void
refused(struct bundle *b, cs_err want)
{
	struct cs_buf out = { 0 };
	struct cs_seal_facts facts;

	memset(&facts, 0x55, sizeof(facts));
	cs_buf_put_str(&out, "before");
	CHECK_ERR(want, cs_seal_envelope(b->sender.kr, &b->job, &out, &facts));
	CHECK_BYTES((const uint8_t *)"before", 6, out.p, out.n);
	CHECK_NUM(0x55, facts.e[0]);
	CHECK_NUM(0x55, facts.m_hash[63]);
	cs_buf_fini(&out);
}

TEST(seal_and_open)
{
	struct bundle b;
	struct cs_seal_facts facts;
	struct cs_buf out = { 0 };

	bundle_init(&b);
	cs_buf_put_str(&out, "before");
	bundle_seal(&b, &out, &facts);
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++) {
		struct cs_open *o = NULL;
		const struct cs_manifest *m;
		struct cs_manifest_object row;
		size_t pos = 0;

		CHECK_OK(cs_open_envelope((struct cs_bytes){ out.p + 6,
					      out.n - 6 },
		    b.net.network_id, bundle_id(&b.to[i]), b.to[i].epoch,
		    b.net.dir, &o, NULL));
		m = cs_open_manifest(o);
		CHECK_VIEW(cs_bytes_str(BUNDLE_CONTENT), m->content);
		CHECK(cs_manifest_next_object(m, &pos, &row));
		CHECK_BYTES(b.object_key, 32, row.key, 32);
		CHECK_BYTES(facts.e, 32, cs_open_e(o), 32);
		CHECK_BYTES(facts.s, 32, cs_open_s(o), 32);
		CHECK_BYTES(facts.m_hash, 64, cs_open_m_hash(o), 64);
		CHECK_NUM(2900 * UINT64_C(604800) +
			      3600, /* rounded to the hour */
		    cs_open_header(o)->created_hour_s);
		CHECK_BYTES(b.job.envelope_id, 16,
		    cs_open_header(o)->envelope_id, 16);
		cs_open_free(o);
	}
	cs_buf_fini(&out);
	bundle_fini(&b);
}

/* The facts are what docs/protocol.md calls E, S and SHA-512(M); the forge
 * takes the envelope apart without keys/suite.c. */
TEST(seal_facts_and_signature_are_those_of_the_protocol)
{
	struct bundle b;
	struct cs_seal_facts facts;
	struct cs_buf out = { 0 };
	struct forge f;
	uint8_t hash[64], message[16 + 64 + 64] = "consil/envelope";
	size_t h;

	bundle_init(&b);
	bundle_seal(&b, &out, &facts);
	forge_take(&f, &b, 0, cs_buf_view(&out));
	h = f.preamble.n + f.stanzas.n;
	crypto_hash_sha256(hash, out.p, h + 32);
	CHECK_BYTES(hash, 32, facts.e, 32);
	crypto_hash_sha256(hash, f.sig, 64);
	CHECK_BYTES(hash, 32, facts.s, 32);
	crypto_hash_sha512(hash, f.m.p, f.m.n);
	CHECK_BYTES(hash, 64, facts.m_hash, 64);
	crypto_hash_sha512(message + 16, out.p, h);
	crypto_hash_sha512(message + 80, f.m.p, f.m.n);
	CHECK(crypto_sign_verify_detached(f.sig, message, sizeof(message),
		  cs_keyring_info(b.sender.kr)->sign_key) == 0);
	/* Put together again under the same file key it is the same. */
	{
		struct cs_buf again = { 0 };

		forge_put(&f, &again);
		CHECK_VIEW(cs_buf_view(&out), cs_buf_view(&again));
		cs_buf_fini(&again);
	}
	forge_fini(&f);
	cs_buf_fini(&out);
	bundle_fini(&b);
}

/* The relay must not learn who sends, and what. */
TEST(seal_names_no_sender_in_clear)
{
	struct bundle b;
	struct cs_buf out = { 0 };
	const struct cs_keyring_info *me;

	bundle_init(&b);
	me = cs_keyring_info(b.sender.kr);
	bundle_seal(&b, &out, NULL);
	CHECK(memmem(out.p, out.n, me->id, 16) == NULL);
	CHECK(memmem(out.p, out.n, me->member_id, 16) == NULL);
	CHECK(memmem(out.p, out.n, me->sign_key, 32) == NULL);
	CHECK(memmem(out.p, out.n, b.object_key, 32) == NULL);
	CHECK(memmem(out.p, out.n, "content", 7) == NULL);
	CHECK(memmem(out.p, out.n, "scan.pdf", 8) == NULL);
	cs_buf_fini(&out);
	bundle_fini(&b);
}

TEST(seal_uses_nothing_twice)
{
	struct bundle b;
	struct cs_buf first = { 0 }, second = { 0 };
	struct forge f, g;

	bundle_init(&b);
	bundle_seal(&b, &first, NULL);
	bundle_seal(&b, &second, NULL);
	forge_take(&f, &b, 0, cs_buf_view(&first));
	forge_take(&g, &b, 0, cs_buf_view(&second));
	CHECK(memcmp(f.file_key, g.file_key, 32) != 0);
	CHECK(memcmp(f.nonce, g.nonce, 32) != 0);
	CHECK(memcmp(f.stanzas.p, g.stanzas.p, 32) != 0);
	forge_fini(&f);
	forge_fini(&g);
	cs_buf_fini(&first);
	cs_buf_fini(&second);
	bundle_fini(&b);
}

/* Lengths on both sides of each step of the padding. */
TEST(seal_pads_bodies_of_every_length)
{
	struct bundle b;
	uint8_t *content = test_alloc(40000);

	memset(content, 'x', 40000);
	bundle_init(&b);
	for (size_t n = 0; n < 40000; n += n < 5000 ? 331 : 2377) {
		struct cs_buf out = { 0 };
		int step;

		b.job.manifest.content = (struct cs_bytes){ content, n };
		bundle_seal(&b, &out, NULL);
		CHECK_OK(bundle_open_as(&b, &b.to[0], cs_buf_view(&out),
		    &step));
		if (n < 3000)
			CHECK_NUM(259 + 2 * 1168 + 32 + 4096 + 32, out.n);
		cs_buf_fini(&out);
	}
	bundle_fini(&b);
}

TEST(seal_refuses_recipients_out_of_order)
{
	struct bundle b;
	struct cs_seal_recipient first;

	bundle_init(&b);
	first = b.recipients[0];
	b.recipients[0] = b.recipients[1];
	b.recipients[1] = first;
	refused(&b, CS_MALFORMED);
	b.recipients[1] = b.recipients[0]; /* twice the same */
	refused(&b, CS_MALFORMED);
	bundle_fini(&b);
}

TEST(seal_refuses_no_recipient)
{
	struct bundle b;

	bundle_init(&b);
	b.job.n_recipients = 0;
	refused(&b, CS_MALFORMED);
	bundle_fini(&b);
}

TEST(seal_refuses_lists_that_differ)
{
	struct bundle b;
	uint8_t packed[256];
	struct cs_bytes good;

	bundle_init(&b);
	good = b.job.manifest.devices;
	memcpy(packed, good.p, good.n);
	b.job.manifest.devices.p = packed;
	packed[16] ^= 1; /* key_id of the first */
	refused(&b, CS_MALFORMED);
	packed[16] ^= 1;
	b.object.segments = 2;
	refused(&b, CS_MALFORMED);
	b.object.segments = 1;
	b.job.n_objects = 0;
	refused(&b, CS_MALFORMED);
	bundle_fini(&b);
}

TEST(seal_refuses_another_sender)
{
	struct bundle b;

	bundle_init(&b);
	b.job.manifest.sender_device[0] ^= 1;
	refused(&b, CS_MALFORMED);
	b.job.manifest.sender_device[0] ^= 1;
	b.job.manifest.sender_member[0] ^= 1;
	refused(&b, CS_MALFORMED);
	bundle_fini(&b);
}

TEST(seal_refuses_times)
{
	struct bundle b;

	bundle_init(&b);
	b.job.expires_at_s = b.job.created_s - 3601;
	refused(&b, CS_MALFORMED);
	b.job.expires_at_s = b.job.created_s + 91 * 86400;
	refused(&b, CS_MALFORMED);
	bundle_fini(&b);
}

TEST(seal_refuses_too_large_a_body)
{
	struct bundle b;
	size_t n = CS_LIMIT_BODY_BYTES + 1;
	uint8_t *content = test_alloc(n);

	memset(content, 0, n);
	bundle_init(&b);
	b.job.manifest.content = (struct cs_bytes){ content, n };
	refused(&b, CS_TOO_LARGE);
	b.job.manifest.content.n = CS_LIMIT_BODY_BYTES - 100;
	refused(&b, CS_TOO_LARGE);
	bundle_fini(&b);
}

TEST(seal_refuses_a_key_that_is_none)
{
	struct bundle b;

	bundle_init(&b);
	memset(b.to[1].public_key, 0xff, 32); /* over the modulus */
	refused(&b, CS_NO_KEY);
	bundle_fini(&b);
}
