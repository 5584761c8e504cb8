#include "client/witnesshome.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keys/quorum.h"
#include "proto/armour.h"
#include "proto/card.h"
#include "tests/support/network.h"
#include "tests/test.h"

static const char *dir;
static struct cs_why why;

static char *
in_dir(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct cs_keyring_info
make(void)
{
	struct cs_keyring_info info;

	dir = test_path("w");
	why = (struct cs_why){ 0 };
	CHECK_OK(cs_witnesshome_make(dir, cs_bytes_str("Records"), NULL, &why,
	    &info));
	return info;
}

TEST(witnesshome_make_writes_a_card)
{
	struct cs_keyring_info info = make(), again;
	struct cs_buf binary = { 0 };
	struct cs_card card;
	bool needed = true;

	CHECK_OK(cs_armour_decode(CS_CARD_ARMOUR,
	    test_read(in_dir(CS_WITNESSHOME_CARD)), &binary));
	CHECK_OK(cs_quorum_read_card(cs_buf_view(&binary), &card));
	CHECK_NUM(CS_KEYRING_WITNESS, card.kind);
	CHECK_BYTES(info.id, 16, card.id, 16);
	CHECK_BYTES(info.sign_key, 32, card.sign_key, 32);
	CHECK_VIEW(cs_bytes_str("Records"), card.name);
	CHECK_OK(cs_witnesshome_needs_passphrase(dir, &why, &needed));
	CHECK(!needed);
	CHECK_ERR(CS_EXISTS,
	    cs_witnesshome_make(dir, cs_bytes_str("R"), NULL, &why, &again));

	/* broken off before the card: the same key goes on */
	CHECK(unlink(in_dir(CS_WITNESSHOME_CARD)) == 0);
	CHECK_OK(cs_witnesshome_make(dir, cs_bytes_str("R"), NULL, &why,
	    &again));
	CHECK_BYTES(info.id, 16, again.id, 16);
	CHECK_BYTES(info.sign_key, 32, again.sign_key, 32);
	cs_buf_fini(&binary);
}

TEST(witnesshome_make_refuses)
{
	struct cs_keyring_info info;
	struct cs_secret *good = NULL, *bad = NULL;
	struct cs_keyring *kr = NULL;
	uint8_t *big = test_alloc(CS_LIMIT_NAME_BYTES + 1);
	bool needed = false;

	memset(big, 'x', CS_LIMIT_NAME_BYTES + 1);
	CHECK_ERR(CS_MALFORMED, cs_witnesshome_make(test_path("a"),
				    cs_bytes_str(""), NULL, &why, &info));
	CHECK_ERR(CS_TOO_LARGE,
	    cs_witnesshome_make(test_path("b"),
		(struct cs_bytes){ big, CS_LIMIT_NAME_BYTES + 1 }, NULL, &why,
		&info));
	CHECK_ERR(CS_IO, cs_witnesshome_make("/proc/none/w", cs_bytes_str("R"),
			     NULL, &why, &info));
	test_write(test_path("file"), cs_bytes_str("x"));
	CHECK_ERR(CS_IO, cs_witnesshome_make(test_path("file"),
			     cs_bytes_str("R"), NULL, &why, &info));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_witnesshome_needs_passphrase(test_path("none"), &why, &needed));

	dir = test_path("locked");
	CHECK_OK(cs_secret_copy(cs_bytes_str("good"), &good));
	CHECK_OK(cs_secret_copy(cs_bytes_str("bad"), &bad));
	CHECK_OK(cs_witnesshome_make(dir, cs_bytes_str("R"), good, &why,
	    &info));
	CHECK_OK(cs_witnesshome_needs_passphrase(dir, &why, &needed));
	CHECK(needed);
	CHECK(unlink(in_dir(CS_WITNESSHOME_CARD)) == 0);
	CHECK_ERR(CS_BAD_PASSPHRASE,
	    cs_witnesshome_make(dir, cs_bytes_str("R"), bad, &why, &info));
	CHECK_ERR(CS_USAGE, cs_witnesshome_keyring(dir, NULL, &why, &kr));
	CHECK_OK(cs_witnesshome_keyring(dir, good, &why, &kr));
	CHECK_BYTES(info.id, 16, cs_keyring_info(kr)->id, 16);
	cs_keyring_free(kr);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_witnesshome_keyring(test_path("none"), good, &why, &kr));
	cs_secret_free(good);
	cs_secret_free(bad);
}

TEST(witnesshome_takes_the_file_of_its_own_network)
{
	static const uint8_t other_id[CS_ID_BYTES] = { 1 };
	struct cs_keyring_info me = make();
	struct cs_buf binary = { 0 };
	struct cs_witnessfile v;
	struct network a, b;

	network_init(&a, (uint64_t)time(NULL));
	network_init(&b, (uint64_t)time(NULL));
	CHECK_ERR(CS_NOT_FOUND, cs_witnesshome_network(dir, &why, &binary, &v));
	CHECK(strstr(why.text, "--network-file"));
	why = (struct cs_why){ 0 };
	CHECK_ERR(CS_NOT_FOUND,
	    cs_witnesshome_adopt(dir, test_path("none"), &why));
	test_write(test_path("junk"), cs_bytes_str("junk"));
	CHECK_ERR(CS_MALFORMED,
	    cs_witnesshome_adopt(dir, test_path("junk"), &why));
	CHECK_ERR(CS_DENIED, cs_witnesshome_adopt(dir,
				 network_witness_file(&a, test_path("other"),
				     other_id, "tcp://127.0.0.1:1"),
				 &why));
	CHECK_OK(cs_witnesshome_adopt(dir,
	    network_witness_file(&a, test_path("a"), me.id,
		"tcp://127.0.0.1:1"),
	    &why));
	/* the relay moved */
	CHECK_OK(cs_witnesshome_adopt(dir,
	    network_witness_file(&a, test_path("a2"), me.id,
		"tcp://127.0.0.1:2"),
	    &why));
	CHECK_ERR(CS_WRONG_NETWORK, cs_witnesshome_adopt(dir,
					network_witness_file(&b, test_path("b"),
					    me.id, "tcp://127.0.0.1:1"),
					&why));
	binary.n = 0;
	CHECK_OK(cs_witnesshome_network(dir, &why, &binary, &v));
	CHECK_VIEW(cs_bytes_str("tcp://127.0.0.1:2"), v.relay_url);
	CHECK_BYTES(a.network_id, 32, v.network_id, 32);
	cs_buf_fini(&binary);
	network_fini(&a);
	network_fini(&b);
}
