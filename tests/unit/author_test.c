#include "keys/author.h"

#include <string.h>

#include "tests/support/bundle.h"
#include "tests/test.h"

/* A message that came, and what a forward of it holds. */
struct passed {
	struct bundle b;
	struct cs_buf envelope;
	struct cs_seal_facts facts;
	struct cs_open *open;
	uint8_t *m; /* a copy to spoil */
	struct cs_forward f;
};

static void
decode(struct passed *p)
{
	CHECK_OK(cs_manifest_decode(p->f.m, &p->f.manifest));
}

static void
passed_init(struct passed *p)
{
	const struct bundle_party *to;
	struct cs_bytes m;

	*p = (struct passed){ 0 };
	bundle_init(&p->b);
	bundle_seal(&p->b, &p->envelope, &p->facts);
	to = &p->b.to[0];
	CHECK_OK(cs_open_envelope(cs_buf_view(&p->envelope),
	    p->b.net.network_id, bundle_id(to), to->epoch, p->b.net.dir,
	    &p->open, NULL));
	m = cs_open_manifest_bytes(p->open);
	p->m = test_alloc(m.n);
	memcpy(p->m, m.p, m.n);
	p->f.m = (struct cs_bytes){ p->m, m.n };
	memcpy(p->f.signature, cs_open_signature(p->open), CS_SIGNATURE_BYTES);
	decode(p);
}

static void
passed_fini(struct passed *p)
{
	cs_open_free(p->open);
	cs_buf_fini(&p->envelope);
	bundle_fini(&p->b);
}

static cs_err
verify(const struct passed *p)
{
	struct cs_author author;

	return cs_author_verify(p->b.net.dir, &p->f, &author);
}

static void
revoke(struct passed *p, const uint8_t *subject, uint64_t logged_at_s,
    uint64_t since_s)
{
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_COMPROMISED,
		.compromised_since_s = since_s };
	struct cs_buf entry = { 0 };

	p->b.net.now_s = logged_at_s;
	CHECK_OK(cs_enrol_revoke(p->b.net.registrar, subject, &v,
	    CS_ENTRY_NO_PREV, logged_at_s, &entry));
	CHECK_OK(network_append(&p->b.net, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

static void
decide(struct passed *p, enum cs_decision decision, uint64_t logged_at_s,
    uint64_t valid_until_s)
{
	struct cs_entry_organisation v = { .handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("C"),
		.decision = decision,
		.vetting_hash = { 1 },
		.valid_until_s = valid_until_s };
	struct cs_directory_organisation was;
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_directory_organisation(p->b.net.dir, p->b.net.practice,
	    &was));
	p->b.net.now_s = logged_at_s;
	CHECK_OK(cs_enrol_organisation(p->b.net.registrar, p->b.net.practice,
	    &v, was.entry, logged_at_s, &entry));
	CHECK_OK(network_append(&p->b.net, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

TEST(author_is_who_signed)
{
	const struct cs_keyring_info *sender;
	struct cs_author author;
	struct passed p;

	passed_init(&p);
	sender = cs_keyring_info(p.b.sender.kr);
	CHECK_OK(cs_author_verify(p.b.net.dir, &p.f, &author));
	CHECK_BYTES(sender->member_id, CS_ID_BYTES, author.member_id,
	    CS_ID_BYTES);
	CHECK_NUM(BUNDLE_TIME, author.signed_at_s);
	CHECK_BYTES(p.facts.s, CS_HASH_BYTES, author.s, CS_HASH_BYTES);
	CHECK_BYTES(p.facts.m_hash, CS_HASH512_BYTES, author.m_hash,
	    CS_HASH512_BYTES);
	passed_fini(&p);
}

TEST(author_of_changed_bytes_is_nobody)
{
	struct passed p;

	passed_init(&p);
	for (size_t i = 0; i < CS_SIGNATURE_BYTES; i += 21) {
		p.f.signature[i] ^= 1;
		CHECK_ERR(CS_BAD_SIGNATURE, verify(&p));
		p.f.signature[i] ^= 1;
	}
	/* the last byte is one of the content */
	p.m[p.f.m.n - 1] ^= 1;
	decode(&p);
	CHECK_ERR(CS_BAD_SIGNATURE, verify(&p));
	p.m[p.f.m.n - 1] ^= 1;
	p.m[44] ^= 1; /* SHA-512(H) */
	decode(&p);
	CHECK_ERR(CS_BAD_SIGNATURE, verify(&p));
	p.m[44] ^= 1;
	decode(&p);
	CHECK_OK(verify(&p));
	passed_fini(&p);
}

/* Whoever forwards signs as themselves, and says that another one wrote it. */
TEST(author_cannot_be_another_device_or_member)
{
	const struct cs_keyring_info *stranger;
	struct cs_directory_device device;
	struct passed p;

	passed_init(&p);
	stranger = cs_keyring_info(p.b.stranger.kr);
	memcpy(p.m + 4, stranger->member_id, CS_ID_BYTES);
	decode(&p);
	CHECK_ERR(CS_BAD_SIGNATURE, verify(&p)); /* member of another */
	memcpy(p.m + 20, stranger->id, CS_ID_BYTES);
	decode(&p);
	CHECK_ERR(CS_NOT_FOUND, verify(&p)); /* not by that entry */
	CHECK_OK(cs_directory_device(p.b.net.dir, stranger->id, &device));
	for (unsigned i = 0; i < 8; i++)
		p.m[36 + i] = (uint8_t)(device.entry >> (56 - 8 * i));
	decode(&p);
	CHECK_ERR(CS_BAD_SIGNATURE, verify(&p)); /* not by that key */
	memset(p.m + 36, 0x7f, 8);
	decode(&p);
	CHECK_ERR(CS_NOT_FOUND, verify(&p));
	passed_fini(&p);
}

TEST(author_who_is_revoked_later_wrote_it_all_the_same)
{
	const uint8_t *id;
	struct passed p;

	passed_init(&p);
	id = cs_keyring_info(p.b.sender.kr)->id;
	revoke(&p, id, BUNDLE_TIME + 100, 0);
	CHECK_OK(verify(&p));
	passed_fini(&p);

	passed_init(&p);
	id = cs_keyring_info(p.b.sender.kr)->id;
	revoke(&p, id, BUNDLE_TIME + 100, BUNDLE_TIME - 100);
	CHECK_ERR(CS_REVOKED, verify(&p));
	passed_fini(&p);
}

TEST(author_is_judged_by_the_vetting_of_then)
{
	struct passed p;

	/* refused or renewed later */
	passed_init(&p);
	decide(&p, CS_DECISION_REFUSED, BUNDLE_TIME + 100,
	    BUNDLE_TIME + 1000 * 86400);
	CHECK_OK(verify(&p));
	passed_fini(&p);

	/* refused when it was written */
	passed_init(&p);
	decide(&p, CS_DECISION_REFUSED, BUNDLE_TIME,
	    BUNDLE_TIME + 1000 * 86400);
	CHECK_ERR(CS_DENIED, verify(&p));
	passed_fini(&p);

	/* lapsed when it was written, renewed since */
	passed_init(&p);
	decide(&p, CS_DECISION_ADMITTED, BUNDLE_TIME, BUNDLE_TIME - 1);
	decide(&p, CS_DECISION_ADMITTED, BUNDLE_TIME + 100,
	    BUNDLE_TIME + 1000 * 86400);
	CHECK_ERR(CS_LAPSED, verify(&p));
	passed_fini(&p);
}
