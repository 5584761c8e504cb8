#include "keys/witness.h"

#include <string.h>

#include "keys/verify.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000)

static struct network n;

TEST(witness_fingerprint_names_id_and_key)
{
	uint8_t id[16] = { 1 }, key[32] = { 2 }, a[32], b[32];

	cs_witness_fingerprint(id, key, a);
	id[0]++;
	cs_witness_fingerprint(id, key, b);
	CHECK(memcmp(a, b, 32) != 0);
	id[0]--;
	key[0]++;
	cs_witness_fingerprint(id, key, b);
	CHECK(memcmp(a, b, 32) != 0);
}

/* ------------------------------------------------------------ cosignatures */

/* A note over the log as it is, by the relay. */
static void
sign_note(struct cs_buf *note)
{
	const struct cs_log_view view = cs_directory_view(n.dir);
	struct cs_checkpoint cp = { .size = view.size, .time_s = n.now_s };

	memcpy(cp.root, view.root, sizeof(cp.root));
	network_sign_checkpoint(&n, &cp, note);
	CHECK_OK(cs_directory_check_checkpoint(n.dir, cs_buf_view(note), &cp));
}

static uint32_t
count(const struct cs_buf *note)
{
	struct cs_witness_word words[CS_WITNESS_MAX];
	uint32_t all, cosigned = 0;

	CHECK_OK(cs_witness_words(n.dir, cs_buf_view(note), words, &all));
	for (uint32_t i = 0; i < all; i++)
		cosigned += words[i].cosigned;
	return cosigned;
}

TEST(words_count_each_witness_in_force_once)
{
	struct cs_witness_word words[CS_WITNESS_MAX];
	struct cs_keyring *a, *b, *stranger;
	struct cs_buf note = { 0 };
	uint32_t all;

	network_init(&n, NOW);
	a = network_witness(&n, "A");
	b = network_witness(&n, "B");
	stranger = network_keyring(&n, CS_KEYRING_WITNESS, NULL);
	sign_note(&note);
	CHECK_NUM(0, count(&note));
	network_cosign(a, NOW + 5, &note);
	network_cosign(a, NOW + 6, &note);
	network_cosign(stranger, NOW, &note);
	CHECK_NUM(1, count(&note));
	network_cosign(b, NOW + 7, &note);
	CHECK_OK(cs_witness_words(n.dir, cs_buf_view(&note), words, &all));
	CHECK_NUM(2, all);
	CHECK_BYTES(cs_keyring_info(a)->id, 16, words[0].id, 16);
	CHECK(words[0].cosigned && words[1].cosigned);
	CHECK_NUM(NOW + 5, words[0].time_s);
	CHECK_NUM(NOW + 7, words[1].time_s);

	/* on another note, byte for byte the same but for its time */
	cs_buf_reset(&note);
	n.now_s++;
	sign_note(&note);
	CHECK_NUM(0, count(&note));
	cs_buf_fini(&note);
	cs_keyring_free(a);
	cs_keyring_free(b);
	cs_keyring_free(stranger);
	network_fini(&n);
}

TEST(words_of_the_revoked_count_for_nothing)
{
	struct cs_entry_revoke v = { .reason = CS_REVOKE_LEFT };
	struct cs_directory_witness got;
	struct cs_keyring *a;
	struct cs_buf note = { 0 }, body = { 0 };

	network_init(&n, NOW);
	a = network_witness(&n, "A");
	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	CHECK_OK(network_append_as(&n, n.registrar, CS_ENTRY_REVOKE,
	    cs_keyring_info(a)->id, CS_ENTRY_NO_PREV, cs_buf_view(&body)));
	CHECK_OK(cs_directory_witness(n.dir, cs_keyring_info(a)->id, &got));
	CHECK(got.revoked);
	sign_note(&note);
	network_cosign(a, NOW, &note);
	CHECK_NUM(0, count(&note));
	cs_buf_fini(&note);
	cs_buf_fini(&body);
	cs_keyring_free(a);
	network_fini(&n);
}

/* Who names one key twice does not make two witnesses of it. */
TEST(words_count_a_key_once)
{
	static const uint8_t second_id[CS_ID_BYTES] = { 5 };
	struct cs_entry_witness v = { .name = cs_bytes_str("A again") };
	struct cs_witness_word words[CS_WITNESS_MAX];
	struct cs_cosignature word;
	struct cs_keyring *a;
	struct cs_buf note = { 0 }, entry = { 0 };
	struct cs_note parts;
	uint32_t all;

	network_init(&n, NOW);
	a = network_witness(&n, "A");
	memcpy(v.key, cs_keyring_info(a)->sign_key, sizeof(v.key));
	CHECK_OK(cs_enrol_witness(n.registrar, second_id, &v, CS_ENTRY_NO_PREV,
	    NOW, &entry));
	CHECK_OK(network_append(&n, cs_buf_view(&entry)));
	sign_note(&note);
	network_cosign(a, NOW, &note);
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_OK(cs_witness_cosign(a, parts.body, NOW, &word));
	cs_cosignature_encode(second_id, v.key, &word, &note);
	CHECK_OK(cs_witness_words(n.dir, cs_buf_view(&note), words, &all));
	CHECK_NUM(1, all);
	CHECK_NUM(1, count(&note));
	cs_buf_fini(&note);
	cs_buf_fini(&entry);
	cs_keyring_free(a);
	network_fini(&n);
}

TEST(a_line_that_does_not_verify_counts_for_nothing)
{
	struct cs_cosignature word;
	struct cs_keyring *a;
	struct cs_buf note = { 0 };
	struct cs_note parts;
	uint64_t time_s;

	network_init(&n, NOW);
	a = network_witness(&n, "A");
	sign_note(&note);
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_verify_cosignature(&parts, cs_keyring_info(a)->id,
		cs_keyring_info(a)->sign_key, &time_s));
	CHECK_OK(cs_witness_cosign(a, parts.body, NOW, &word));
	word.time_s++; /* the time is signed too */
	cs_cosignature_encode(cs_keyring_info(a)->id,
	    cs_keyring_info(a)->sign_key, &word, &note);
	CHECK_OK(cs_checkpoint_split(cs_buf_view(&note), &parts));
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_verify_cosignature(&parts, cs_keyring_info(a)->id,
		cs_keyring_info(a)->sign_key, &time_s));
	CHECK_NUM(0, count(&note));
	CHECK_ERR(CS_MALFORMED,
	    cs_witness_words(n.dir, cs_bytes_str("no note"),
		(struct cs_witness_word[CS_WITNESS_MAX]){ 0 },
		&(uint32_t){ 0 }));
	cs_buf_fini(&note);
	cs_keyring_free(a);
	network_fini(&n);
}

/* --------------------------------------------------------------- directory */

TEST(the_directory_lists_witnesses_and_policy)
{
	const uint8_t rows[] = { 1, 0, 0, 0, 0, 0, 0, 0, 60, 2, 0, 0, 0, 0, 0,
		0, 0, 3 };
	struct cs_entry_policy policy = { .n = 2, .rows = CS_BYTES(rows) };
	struct cs_directory_witness got;
	struct cs_keyring *a, *b;
	struct cs_buf body = { 0 };
	uint32_t pos = 0;
	uint64_t v = 7;

	network_init(&n, NOW);
	CHECK_ERR(CS_NOT_FOUND, cs_directory_next_witness(n.dir, &pos, &got));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_policy(n.dir, CS_POLICY_COSIGNATURES, &v));
	a = network_witness(&n, "A");
	b = network_witness(&n, "B");
	pos = 0;
	CHECK_OK(cs_directory_next_witness(n.dir, &pos, &got));
	CHECK_BYTES(cs_keyring_info(a)->id, 16, got.id, 16);
	CHECK_BYTES(cs_keyring_info(a)->sign_key, 32, got.key, 32);
	CHECK_VIEW(cs_bytes_str("A"), got.name);
	CHECK_NUM(NOW, got.since_s);
	CHECK(!got.revoked);
	CHECK_OK(cs_directory_next_witness(n.dir, &pos, &got));
	CHECK_VIEW(cs_bytes_str("B"), got.name);
	CHECK_ERR(CS_NOT_FOUND, cs_directory_next_witness(n.dir, &pos, &got));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_witness(n.dir, cs_keyring_info(n.relay)->id, &got));

	CHECK_OK(cs_entry_policy_encode(&policy, &body));
	CHECK_OK(network_append_as(&n, n.root, CS_ENTRY_POLICY, NULL,
	    CS_ENTRY_NO_PREV, cs_buf_view(&body)));
	CHECK_OK(cs_directory_policy(n.dir, CS_POLICY_COSIGNATURES, &v));
	CHECK_NUM(3, v);
	CHECK_OK(cs_directory_policy(n.dir, CS_POLICY_FRESH_S, &v));
	CHECK_NUM(60, v);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_policy(n.dir, CS_POLICY_LIFETIME_S, &v));
	cs_buf_fini(&body);
	cs_keyring_free(a);
	cs_keyring_free(b);
	network_fini(&n);
}
