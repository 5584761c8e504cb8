/*
 * Attacks on an envelope, one test each. "Forged" means: by somebody who holds
 * the file key, as every recipient does, and makes everything right again that
 * can be made right without the sender's signing key.
 */
#include "keys/open.h"

#include <sodium.h>
#include <string.h>

#include "proto/entry.h"
#include "tests/support/bundle.h"
#include "tests/test.h"

#define PREAMBLE_ROWS 73 /* of recipients, 48 bytes each */
#define STANZA_BYTES  (CS_KEM_ENC_BYTES + CS_WRAPPED_BYTES)

struct attack {
	struct bundle b;
	struct cs_buf envelope;
	struct forge f; /* the envelope in pieces, as recipient 0 has them */
	struct cs_buf out;
};

static void
begin(struct attack *a)
{
	memset(a, 0, sizeof(*a));
	bundle_init(&a->b);
	bundle_seal(&a->b, &a->envelope, NULL);
	forge_take(&a->f, &a->b, 0, cs_buf_view(&a->envelope));
}

static void
end(struct attack *a)
{
	forge_fini(&a->f);
	cs_buf_fini(&a->envelope);
	cs_buf_fini(&a->out);
	bundle_fini(&a->b);
}

/* Fails unless this party is refused at this step for this reason. */
static void
check_refused_at(struct attack *a, const struct bundle_party *p,
    struct cs_bytes envelope, cs_err want, int want_step)
{
	int step;

	CHECK_ERR(want, bundle_open_as(&a->b, p, envelope, &step));
	CHECK_NUM((uint64_t)want_step, (uint64_t)step);
}

/* The same for recipient 0 and what the forge puts together. */
static void
check_forged(struct attack *a, cs_err want, int want_step)
{
	cs_buf_reset(&a->out);
	forge_put(&a->f, &a->out);
	check_refused_at(a, &a->b.to[0], cs_buf_view(&a->out), want, want_step);
}

/* Both stanzas anew for the preamble as it is now. */
static void
wrap_again(struct attack *a)
{
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++)
		forge_stanza(&a->f, &a->b, i, a->b.to[i].public_key,
		    a->f.file_key);
}

/* What the other tests change one thing of must open. */
TEST(honest_forgery_opens)
{
	struct attack a;
	int step;

	begin(&a);
	wrap_again(&a);
	forge_bind(&a.f);
	forge_sign(&a.f, a.b.sender.kr);
	forge_pad(&a.f);
	forge_put(&a.f, &a.out);
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++)
		CHECK_OK(bundle_open_as(&a.b, &a.b.to[i], cs_buf_view(&a.out),
		    &step));
	end(&a);
}

/* -------------------------------------------------- keys, stanzas, addresses
 */

/* A sender who wraps one file key for A and another for B, to show each
 * another message, fails at the commitment. */
TEST(attack_two_recipients_different_keys)
{
	struct attack a;
	uint8_t other[32];
	int step;

	begin(&a);
	randombytes_buf(other, sizeof(other));
	forge_stanza(&a.f, &a.b, 1, a.b.to[1].public_key, other);
	forge_bind(&a.f);
	forge_sign(&a.f, a.b.sender.kr);
	forge_put(&a.f, &a.out);
	CHECK_OK(bundle_open_as(&a.b, &a.b.to[0], cs_buf_view(&a.out), &step));
	check_refused_at(&a, &a.b.to[1], cs_buf_view(&a.out), CS_BAD_MAC,
	    CS_OPEN_HEADER_MAC);
	end(&a);
}

/* A recipient sends the sender's message on to a stranger, as if it had been
 * meant for him: M and signature as they are. */
TEST(attack_readdressed_by_a_recipient)
{
	struct attack a;
	struct cs_seal_recipient to[2];
	uint8_t *row;

	begin(&a);
	/* The stranger takes the row of recipient 1; rows must ascend, so the
	 * stranger's id is put where it belongs. */
	memcpy(to, a.b.recipients, sizeof(to));
	row = a.f.preamble.p + PREAMBLE_ROWS;
	if (memcmp(bundle_id(&a.b.stranger), to[0].device_id, 16) > 0)
		row += 48;
	memcpy(row, bundle_id(&a.b.stranger), 16);
	memcpy(row + 16, a.b.stranger.key_id, 32);
	forge_stanza(&a.f, &a.b, row == a.f.preamble.p + PREAMBLE_ROWS ? 0 : 1,
	    a.b.stranger.public_key, a.f.file_key);
	forge_put(&a.f, &a.out);
	check_refused_at(&a, &a.b.stranger, cs_buf_view(&a.out), CS_MALFORMED,
	    CS_OPEN_LISTS);
	/* With SHA-512(H) set right in M, the signature is left. */
	forge_bind(&a.f);
	cs_buf_reset(&a.out);
	forge_put(&a.f, &a.out);
	check_refused_at(&a, &a.b.stranger, cs_buf_view(&a.out), CS_MALFORMED,
	    CS_OPEN_LISTS);
	end(&a);
}

/* The relay puts a device that it controls into a row. It has no file key, so
 * the stanza stays the one that was there. */
TEST(attack_readdressed_by_the_relay)
{
	struct attack a;
	uint8_t *row;
	unsigned i;

	begin(&a);
	i = memcmp(bundle_id(&a.b.stranger), bundle_id(&a.b.to[0]), 16) > 0;
	row = a.envelope.p + PREAMBLE_ROWS + i * 48;
	memcpy(row, bundle_id(&a.b.stranger), 16);
	memcpy(row + 16, a.b.stranger.key_id, 32);
	check_refused_at(&a, &a.b.stranger, cs_buf_view(&a.envelope),
	    CS_BAD_MAC, CS_OPEN_STANZA);
	end(&a);
}

/* Or another key of the recipient, to learn which ones he still holds. */
TEST(attack_other_key_id)
{
	struct attack a;

	begin(&a);
	memcpy(a.envelope.p + PREAMBLE_ROWS + 16, a.b.stranger.key_id, 32);
	check_refused_at(&a, &a.b.to[0], cs_buf_view(&a.envelope), CS_NO_KEY,
	    CS_OPEN_RECIPIENT);
	end(&a);
}

TEST(attack_dropped_recipient_by_the_relay)
{
	struct attack a;
	struct cs_buf cut = { 0 };
	struct cs_bytes whole;
	size_t preamble, header;

	begin(&a);
	whole = cs_buf_view(&a.envelope);
	preamble = a.f.preamble.n;
	header = preamble + a.f.stanzas.n;
	/* Without the second row and its stanza, n = 1. */
	cs_buf_put(&cut, whole.p, 71);
	cs_buf_put_u16(&cut, 1);
	cs_buf_put(&cut, whole.p + 73, 48);
	cs_buf_put(&cut, whole.p + 73 + 96, preamble - 73 - 96);
	cs_buf_put(&cut, whole.p + preamble, STANZA_BYTES);
	cs_buf_put(&cut, whole.p + header, whole.n - header);
	check_refused_at(&a, &a.b.to[0], cs_buf_view(&cut), CS_BAD_MAC,
	    CS_OPEN_STANZA);
	cs_buf_fini(&cut);
	end(&a);
}

/* The same with everything made right that the file key allows. */
TEST(attack_dropped_recipient_by_a_recipient)
{
	struct attack a;
	uint8_t *p;

	begin(&a);
	p = a.f.preamble.p;
	p[72] = 1;
	memmove(p + 73 + 48, p + 73 + 96, a.f.preamble.n - 73 - 96);
	a.f.preamble.n -= 48;
	a.f.stanzas.n = STANZA_BYTES;
	forge_stanza(&a.f, &a.b, 0, a.b.to[0].public_key, a.f.file_key);
	check_forged(&a, CS_MALFORMED, CS_OPEN_LISTS);
	forge_bind(&a.f);
	check_forged(&a, CS_MALFORMED, CS_OPEN_LISTS);
	end(&a);
}

TEST(attack_stanza_of_another_envelope)
{
	struct attack a;
	struct cs_buf second = { 0 };
	struct forge g;

	begin(&a);
	bundle_seal(&a.b, &second, NULL);
	forge_take(&g, &a.b, 0, cs_buf_view(&second));
	memcpy(a.f.stanzas.p, g.stanzas.p, STANZA_BYTES);
	check_forged(&a, CS_BAD_MAC, CS_OPEN_STANZA);
	forge_fini(&g);
	cs_buf_fini(&second);
	end(&a);
}

/* My stanza from another envelope with the same preamble and another key. */
TEST(attack_stanza_with_another_file_key)
{
	struct attack a;
	uint8_t other[32] = { 1 };

	begin(&a);
	forge_stanza(&a.f, &a.b, 0, a.b.to[0].public_key, other);
	check_forged(&a, CS_BAD_MAC, CS_OPEN_HEADER_MAC);
	end(&a);
}

TEST(attack_stanzas_swapped)
{
	struct attack a;
	uint8_t first[STANZA_BYTES];

	begin(&a);
	memcpy(first, a.f.stanzas.p, STANZA_BYTES);
	memcpy(a.f.stanzas.p, a.f.stanzas.p + STANZA_BYTES, STANZA_BYTES);
	memcpy(a.f.stanzas.p + STANZA_BYTES, first, STANZA_BYTES);
	check_forged(&a, CS_BAD_MAC, CS_OPEN_STANZA);
	end(&a);
}

TEST(attack_wrong_network)
{
	struct attack a;
	struct cs_open *o = NULL;
	enum cs_open_step step = 0;
	uint8_t other[CS_NETWORK_ID_BYTES];

	begin(&a);
	memcpy(other, a.b.net.network_id, sizeof(other));
	other[0] ^= 1;
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_open_envelope(cs_buf_view(&a.envelope), other,
		bundle_id(&a.b.to[0]), a.b.to[0].epoch, a.b.net.dir, &o,
		&step));
	CHECK_NUM(CS_OPEN_NETWORK, step);
	/* Put into this network by somebody: bound by the stanza. */
	a.f.preamble.p[6] ^= 1;
	CHECK_ERR(CS_BAD_MAC,
	    cs_open_envelope((forge_put(&a.f, &a.out), cs_buf_view(&a.out)),
		other, bundle_id(&a.b.to[0]), a.b.to[0].epoch, a.b.net.dir, &o,
		&step));
	CHECK_NUM(CS_OPEN_STANZA, step);
	CHECK(o == NULL);
	end(&a);
}

TEST(attack_not_addressed_to_me)
{
	struct attack a;

	begin(&a);
	check_refused_at(&a, &a.b.stranger, cs_buf_view(&a.envelope), CS_NO_KEY,
	    CS_OPEN_RECIPIENT);
	end(&a);
}

TEST(epoch_key_already_deleted)
{
	struct attack a;
	struct cs_buf keys = { 0 };
	uint8_t root[CS_HASH_BYTES];
	uint64_t later = BUNDLE_TIME + UINT64_C(400) * 86400;
	bool changed;

	begin(&a);
	/* A newer batch: the old key is no fallback any more. */
	CHECK_OK(cs_epoch_advance(a.b.to[0].epoch, BUNDLE_TIME + 604800,
	    &changed));
	CHECK_OK(cs_epoch_batch(a.b.to[0].epoch, cs_epoch_of(BUNDLE_TIME) + 1,
	    60, &keys, root));
	CHECK_OK(cs_epoch_advance(a.b.to[0].epoch, later, &changed));
	check_refused_at(&a, &a.b.to[0], cs_buf_view(&a.envelope), CS_NO_KEY,
	    CS_OPEN_RECIPIENT);
	cs_buf_fini(&keys);
	end(&a);
}

/* -------------------------------------------------------- header and body */

TEST(attack_header_tampered_at_every_byte)
{
	struct attack a;
	size_t header, last = 0;
	int step;

	begin(&a);
	header = a.f.preamble.n + a.f.stanzas.n + 32;
	for (size_t i = 0; i < header; i++) {
		a.envelope.p[i] ^= 1;
		CHECK(bundle_open_as(&a.b, &a.b.to[0], cs_buf_view(&a.envelope),
			  &step) != CS_OK);
		CHECK(step <= CS_OPEN_HEADER_MAC);
		a.envelope.p[i] ^= 1;
		last = (size_t)step;
	}
	CHECK_NUM(CS_OPEN_HEADER_MAC, last); /* of the mac itself */
	CHECK_OK(bundle_open_as(&a.b, &a.b.to[0], cs_buf_view(&a.envelope),
	    &step));
	end(&a);
}

TEST(attack_body_tampered)
{
	struct attack a;
	size_t body;

	begin(&a);
	body = a.f.preamble.n + a.f.stanzas.n + 32;
	for (size_t i = body; i < a.envelope.n; i += 13) {
		a.envelope.p[i] ^= 0x40;
		check_refused_at(&a, &a.b.to[0], cs_buf_view(&a.envelope),
		    CS_BAD_MAC, CS_OPEN_BODY);
		a.envelope.p[i] ^= 0x40;
	}
	a.envelope.p[a.envelope.n - 1] ^= 1;
	check_refused_at(&a, &a.b.to[0], cs_buf_view(&a.envelope), CS_BAD_MAC,
	    CS_OPEN_BODY);
	end(&a);
}

TEST(attack_body_of_another_envelope)
{
	struct attack a;
	struct cs_buf second = { 0 };
	size_t body;

	begin(&a);
	bundle_seal(&a.b, &second, NULL);
	CHECK_NUM(a.envelope.n, second.n);
	body = a.f.preamble.n + a.f.stanzas.n + 32;
	memcpy(a.envelope.p + body, second.p + body, second.n - body);
	check_refused_at(&a, &a.b.to[0], cs_buf_view(&a.envelope), CS_BAD_MAC,
	    CS_OPEN_BODY);
	cs_buf_fini(&second);
	end(&a);
}

TEST(attack_envelope_truncated)
{
	struct attack a;
	uint8_t *copy;

	begin(&a);
	copy = test_alloc(a.envelope.n + 1);
	memcpy(copy, a.envelope.p, a.envelope.n);
	copy[a.envelope.n] = 0;
	for (size_t n = 0; n < a.envelope.n; n += 7)
		check_refused_at(&a, &a.b.to[0], (struct cs_bytes){ copy, n },
		    CS_MALFORMED, CS_OPEN_LAYOUT);
	check_refused_at(&a, &a.b.to[0],
	    (struct cs_bytes){ copy, a.envelope.n + 1 }, CS_MALFORMED,
	    CS_OPEN_LAYOUT);
	end(&a);
}

TEST(attack_other_suite)
{
	struct attack a;

	begin(&a);
	a.envelope.p[5] = 1;
	check_refused_at(&a, &a.b.to[0], cs_buf_view(&a.envelope),
	    CS_UNSUPPORTED, CS_OPEN_LAYOUT);
	end(&a);
}

TEST(attack_larger_than_the_limit)
{
	struct attack a;
	size_t n = CS_LIMIT_ENVELOPE_BYTES + 1;
	uint8_t *zero = test_alloc(n);

	memset(zero, 0, n);
	begin(&a);
	check_refused_at(&a, &a.b.to[0], (struct cs_bytes){ zero, n },
	    CS_TOO_LARGE, CS_OPEN_LAYOUT);
	end(&a);
}

TEST(attack_padding_not_zero)
{
	struct attack a;

	begin(&a);
	a.f.padding.p[a.f.padding.n - 1] = 1;
	check_forged(&a, CS_MALFORMED, CS_OPEN_BODY);
	a.f.padding.p[a.f.padding.n - 1] = 0;
	a.f.padding.p[0] = 1;
	check_forged(&a, CS_MALFORMED, CS_OPEN_BODY);
	end(&a);
}

/* More padding than Padmé gives: a covert channel, and another length. */
TEST(attack_padding_too_long)
{
	struct attack a;
	uint8_t *body_len;

	begin(&a);
	body_len = a.f.preamble.p + a.f.preamble.n - 4;
	cs_buf_put_zero(&a.f.padding, 256);
	CHECK_NUM(0x10, body_len[2]); /* 4096 + 32 */
	body_len[2] = 0x11;
	wrap_again(&a);
	forge_bind(&a.f);
	forge_sign(&a.f, a.b.sender.kr);
	check_forged(&a, CS_MALFORMED, CS_OPEN_BODY);
	end(&a);
}

TEST(attack_manifest_length_that_is_not_its_own)
{
	struct attack a;

	begin(&a);
	/* No room for a signature; beyond the body; beyond all. */
	a.f.claimed_bytes = 4096 - 4 - 63;
	check_forged(&a, CS_MALFORMED, CS_OPEN_BODY);
	a.f.claimed_bytes = 4097;
	check_forged(&a, CS_MALFORMED, CS_OPEN_BODY);
	a.f.claimed_bytes = UINT32_MAX;
	check_forged(&a, CS_MALFORMED, CS_OPEN_BODY);
	/* One byte of the signature read as M, which then has one too many;
	 * the byte at the end is zero, as padding should be. */
	a.f.claimed_bytes = (uint32_t)a.f.m.n + 1;
	check_forged(&a, CS_MALFORMED, CS_OPEN_MANIFEST);
	/* As it is, it opens. */
	a.f.claimed_bytes = 0;
	check_forged(&a, CS_OK, 0);
	end(&a);
}

/* ------------------------------------------------- manifest and signature */

/* A recipient alters what the sender wrote and keeps the signature. */
TEST(attack_rewritten_by_a_recipient)
{
	struct attack a;
	uint8_t *text;

	begin(&a);
	text = memmem(a.f.m.p, a.f.m.n, BUNDLE_CONTENT, 10);
	CHECK(text != NULL);
	text[0] ^= 1;
	check_forged(&a, CS_BAD_SIGNATURE, CS_OPEN_SIGNATURE);
	/* Signing it himself makes it his, and it says it is the sender's. */
	forge_sign(&a.f, a.b.to[0].kr);
	check_forged(&a, CS_BAD_SIGNATURE, CS_OPEN_SIGNATURE);
	end(&a);
}

/* A recipient alters H alone: its expiry, and wraps the key again. */
TEST(attack_header_rewritten_by_a_recipient)
{
	struct attack a;

	begin(&a);
	a.f.preamble.p[69] ^= 1; /* expires */
	wrap_again(&a);
	check_forged(&a, CS_MALFORMED, CS_OPEN_LISTS);
	forge_bind(&a.f);
	check_forged(&a, CS_BAD_SIGNATURE, CS_OPEN_SIGNATURE);
	end(&a);
}

TEST(attack_signature_tampered)
{
	struct attack a;

	begin(&a);
	for (size_t i = 0; i < 64; i += 9) {
		a.f.sig[i] ^= 1;
		check_forged(&a, CS_BAD_SIGNATURE, CS_OPEN_SIGNATURE);
		a.f.sig[i] ^= 1;
	}
	end(&a);
}

/* The sender himself names another H: no second envelope for one M. */
TEST(attack_manifest_of_another_header)
{
	struct attack a;

	begin(&a);
	a.f.m.p[44] ^= 1;
	forge_sign(&a.f, a.b.sender.kr);
	check_forged(&a, CS_MALFORMED, CS_OPEN_LISTS);
	end(&a);
}

/* The sender shows the humans another list than the machines. */
TEST(attack_device_list_differs_from_header)
{
	struct attack a;
	uint8_t *row;

	begin(&a);
	row = memmem(a.f.m.p, a.f.m.n, a.b.to[1].key_id, 32);
	CHECK(row != NULL);
	row[31] ^= 1;
	forge_sign(&a.f, a.b.sender.kr);
	check_forged(&a, CS_MALFORMED, CS_OPEN_LISTS);
	end(&a);
}

TEST(attack_object_list_differs_from_header)
{
	struct attack a;
	uint8_t *row;

	begin(&a);
	row = memmem(a.f.m.p, a.f.m.n, a.b.object.object_id, 16);
	CHECK(row != NULL);
	row[15] ^= 1;
	forge_sign(&a.f, a.b.sender.kr);
	check_forged(&a, CS_MALFORMED, CS_OPEN_LISTS);
	end(&a);
}

/* H says two segments where M's length makes one. */
TEST(attack_segment_count_differs_from_length)
{
	struct attack a;
	uint8_t *count;

	begin(&a);
	count = a.f.preamble.p + PREAMBLE_ROWS + 96 + 2 + 16;
	CHECK_BYTES((const uint8_t *)"\0\0\0\1", 4, count, 4);
	count[3] = 2;
	wrap_again(&a);
	forge_bind(&a.f);
	forge_sign(&a.f, a.b.sender.kr);
	check_forged(&a, CS_MALFORMED, CS_OPEN_LISTS);
	end(&a);
}

TEST(attack_manifest_malformed)
{
	struct attack a;

	begin(&a);
	a.f.m.p[0] = 9;
	forge_sign(&a.f, a.b.sender.kr);
	check_forged(&a, CS_UNSUPPORTED, CS_OPEN_MANIFEST);
	a.f.m.p[0] = 1;
	a.f.m.n--; /* the padding grows by the byte */
	forge_sign(&a.f, a.b.sender.kr);
	forge_pad(&a.f);
	check_forged(&a, CS_MALFORMED, CS_OPEN_MANIFEST);
	end(&a);
}

/* ------------------------------------------------------------------ sender */

/* Puts another sender into M; everything else is right and signed by kr. */
static void
send_as(struct attack *a, const struct cs_keyring_info *device,
    const uint8_t *member_id, uint64_t entry, const struct cs_keyring *kr)
{
	uint8_t *m = a->f.m.p;

	memcpy(m + 4, member_id, 16);
	memcpy(m + 20, device->id, 16);
	for (int i = 0; i < 8; i++)
		m[36 + i] = (uint8_t)(entry >> (56 - 8 * i));
	forge_sign(&a->f, kr);
}

TEST(attack_sender_not_certified)
{
	struct attack a;
	struct cs_keyring *kr;
	const struct cs_keyring_info *info;

	begin(&a);
	kr = network_keyring(&a.b.net, CS_KEYRING_DEVICE,
	    cs_keyring_info(a.b.sender.kr)->member_id);
	info = cs_keyring_info(kr);
	/* Names the entry of a real device; then one that is not there. */
	send_as(&a, info, info->member_id, a.b.job.manifest.sender_entry, kr);
	check_forged(&a, CS_NOT_FOUND, CS_OPEN_CERTIFICATE);
	send_as(&a, info, info->member_id, 1000, kr);
	check_forged(&a, CS_NOT_FOUND, CS_OPEN_CERTIFICATE);
	cs_keyring_free(kr);
	end(&a);
}

TEST(attack_signature_by_another_device)
{
	struct attack a;

	begin(&a);
	forge_sign(&a.f, a.b.stranger.kr);
	check_forged(&a, CS_BAD_SIGNATURE, CS_OPEN_SIGNATURE);
	end(&a);
}

/* A certified device says that it is another member's. */
TEST(attack_sender_claims_another_member)
{
	struct attack a;
	struct cs_directory_device device;
	const struct cs_keyring_info *info;

	begin(&a);
	info = cs_keyring_info(a.b.stranger.kr);
	CHECK_OK(cs_directory_device(a.b.net.dir, info->id, &device));
	send_as(&a, info, cs_keyring_info(a.b.sender.kr)->member_id,
	    device.entry, a.b.stranger.kr);
	check_forged(&a, CS_BAD_SIGNATURE, CS_OPEN_CERTIFICATE);
	/* As himself he may. */
	send_as(&a, info, info->member_id, device.entry, a.b.stranger.kr);
	check_forged(&a, CS_OK, 0);
	end(&a);
}

static void
revoke(struct attack *a, const uint8_t *subject, uint64_t since_s)
{
	struct cs_buf body = { 0 };

	cs_buf_put_u8(&body, CS_REVOKE_COMPROMISED);
	cs_buf_put_u64(&body, since_s);
	CHECK_OK(network_append_as(&a->b.net, a->b.net.registrar,
	    CS_ENTRY_REVOKE, subject, CS_ENTRY_NO_PREV, cs_buf_view(&body)));
	cs_buf_fini(&body);
}

TEST(attack_sender_revoked_before)
{
	struct attack a;

	begin(&a);
	a.b.net.now_s = BUNDLE_TIME + 86400;
	revoke(&a, bundle_id(&a.b.sender), BUNDLE_TIME - 3600);
	check_forged(&a, CS_REVOKED, CS_OPEN_CERTIFICATE);
	/* The thief dates M back; H gives it away. */
	memset(a.f.m.p + 124, 0, 8);
	forge_sign(&a.f, a.b.sender.kr);
	check_forged(&a, CS_REVOKED, CS_OPEN_CERTIFICATE);
	end(&a);
}

TEST(sender_revoked_after)
{
	struct attack a;

	begin(&a);
	a.b.net.now_s = BUNDLE_TIME + 2 * 86400;
	revoke(&a, bundle_id(&a.b.sender), BUNDLE_TIME + 86400);
	check_forged(&a, CS_OK, 0);
	end(&a);
}

/* The practice's vetting lapsed before the message was made. */
TEST(attack_vetting_lapsed)
{
	struct attack a;
	uint64_t at = BUNDLE_TIME + UINT64_C(366) * 86400;

	begin(&a);
	a.b.job.created_s = at;
	a.b.job.expires_at_s = at + 86400;
	a.b.job.manifest.created_s = at;
	cs_buf_reset(&a.envelope);
	bundle_seal(&a.b, &a.envelope, NULL);
	check_refused_at(&a, &a.b.to[0], cs_buf_view(&a.envelope), CS_LAPSED,
	    CS_OPEN_CERTIFICATE);
	end(&a);
}

/* But what it says about mail that it has is heard. */
TEST(receipt_of_a_lapsed_practice_is_heard)
{
	struct attack a;
	uint64_t at = BUNDLE_TIME + UINT64_C(366) * 86400;
	struct cs_open *o = NULL;

	begin(&a);
	a.b.job.class = CS_CLASS_RECEIPT;
	a.b.job.created_s = at;
	a.b.job.expires_at_s = at + 86400;
	a.b.job.manifest.created_s = at;
	a.b.job.manifest.content_kind = CS_CONTENT_RECEIPT;
	cs_buf_reset(&a.envelope);
	bundle_seal(&a.b, &a.envelope, NULL);
	CHECK_OK(cs_open_envelope(cs_buf_view(&a.envelope), a.b.net.network_id,
	    bundle_id(&a.b.to[0]), a.b.to[0].epoch, a.b.net.dir, &o, NULL));
	cs_open_free(o);
	end(&a);
}

/* And the registrar refused it since. */
TEST(attack_practice_refused)
{
	struct attack a;
	struct cs_entry_organisation practice = {
		.handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("The Clinic"),
		.decision = CS_DECISION_REFUSED,
		.valid_until_s = BUNDLE_TIME + UINT64_C(365) * 86400,
	};
	struct cs_directory_organisation now;
	struct cs_buf body = { 0 };

	begin(&a);
	CHECK_OK(cs_directory_organisation(a.b.net.dir, a.b.net.practice,
	    &now));
	CHECK_OK(cs_entry_organisation_encode(&practice, &body));
	CHECK_OK(network_append_as(&a.b.net, a.b.net.registrar,
	    CS_ENTRY_ORGANISATION, a.b.net.practice, now.entry,
	    cs_buf_view(&body)));
	check_forged(&a, CS_DENIED, CS_OPEN_CERTIFICATE);
	cs_buf_fini(&body);
	end(&a);
}
