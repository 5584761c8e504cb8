/* What came is passed on, and what somebody passed on is believed, only with
 * the first author's signature. */
#include "client/forwarding.h"

#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "client/inbox.h"
#include "client/inrec.h"
#include "client/outbox.h"
#include "client/outrec.h"
#include "client/segfile.h"
#include "keys/suite.h"
#include "proto/casefile.h"
#include "proto/forward.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

/* Ann writes, Eve passes on, Bob reads: all records are put into Bob's home. */
struct fixture {
	struct fake_relay relay;
	struct cs_client *ann, *eve, *bob;
	struct cs_buf casefile;
	struct cs_secret *key; /* of the one attachment */
	/* what the next message is made of */
	struct cs_bytes content;
	bool attach, miss;
	uint8_t sha_flip; /* the attachment is signed as another one */
	uint8_t object;   /* first byte of its id */
	/* the last message made */
	struct cs_buf m;
	uint8_t signature[CS_SIGNATURE_BYTES];
};

static void
begin(struct fixture *x)
{
	struct cs_casefile cf = { .subject = cs_bytes_str("a case"),
		.note = cs_bytes_str("what Ann wrote"),
		.urgency = CS_CLASS_ROUTINE };

	*x = (struct fixture){ .object = 7 };
	fake_relay_start(&x->relay);
	fake_relay_join(&x->relay, "ann", "ann@clinic", &x->ann);
	fake_relay_join(&x->relay, "eve", "eve@clinic", &x->eve);
	fake_relay_join(&x->relay, "bob", "bob@clinic", &x->bob);
	CHECK_OK(cs_secret_random(CS_FILE_KEY_BYTES, &x->key));
	cs_casefile_encode_begin(&x->casefile, 0);
	CHECK_OK(cs_casefile_encode_end(&x->casefile, &cf));
	x->content = cs_buf_view(&x->casefile);
}

static void
end(struct fixture *x)
{
	cs_client_close(x->ann);
	cs_client_close(x->eve);
	cs_client_close(x->bob);
	cs_buf_fini(&x->casefile);
	cs_buf_fini(&x->m);
	cs_secret_free(x->key);
	fake_relay_stop(&x->relay);
}

/* The attachment as it lies in Bob's home, and its row. */
static void
put_object(struct fixture *x, const uint8_t *id, struct cs_buf *objects)
{
	struct cs_manifest_object row = { .object_id = { x->object },
		.name = cs_bytes_str("scan.txt"),
		.media_type = cs_bytes_str("text/plain"),
		.key = cs_secret_bytes(x->key) };
	char path[CS_HOME_PATH_BYTES];
	struct cs_segfile_sealed sealed;

	test_write(test_path("scan"), cs_bytes_str("a scan"));
	CHECK_OK(cs_home_mkdir(cs_client_home(x->bob), CS_HOME_OBJECTS, id));
	cs_home_path(cs_client_home(x->bob), CS_HOME_OBJECTS, id, row.object_id,
	    path);
	CHECK_OK(cs_segfile_seal(test_path("scan"), x->key, row.object_id, path,
	    NULL, &sealed));
	row.bytes = sealed.bytes;
	memcpy(row.sha256, sealed.sha256, CS_HASH_BYTES);
	row.sha256[0] ^= x->sha_flip;
	cs_manifest_put_object(objects, &row);
}

/* M by the device of `by`, and its signature, as a sender makes them. */
static void
make(struct fixture *x, struct cs_client *by, enum cs_content kind,
    const uint8_t *id)
{
	const struct cs_keyring_info *self = cs_client_self(by);
	const struct cs_manifest_addressee to = {
		.address = cs_bytes_str("bob@clinic")
	};
	struct cs_manifest_device row = { .key_kind = CS_KEY_EPOCH };
	struct cs_buf addressees = { 0 }, devices = { 0 }, objects = { 0 };
	struct cs_manifest m = { .content_kind = kind,
		.created_s = cs_client_now(),
		.header_hash = { 5 },
		.n_addressees = 1,
		.n_devices = 1,
		.content = x->content };
	uint8_t message[CS_SUITE_SIGNED_BYTES], m_hash[CS_HASH512_BYTES];
	struct cs_directory_device device;

	CHECK_OK(cs_directory_device(cs_client_directory(by), self->id,
	    &device));
	memcpy(m.sender_member, self->member_id, CS_ID_BYTES);
	memcpy(m.sender_device, self->id, CS_ID_BYTES);
	memcpy(m.thread_id, id, CS_ID_BYTES);
	m.sender_entry = device.entry;
	cs_manifest_put_addressee(&addressees, &to);
	cs_manifest_put_device(&devices, &row);
	if (x->attach) {
		put_object(x, id, &objects);
		m.n_objects = 1;
	}
	m.addressees = cs_buf_view(&addressees);
	m.devices = cs_buf_view(&devices);
	m.objects = cs_buf_view(&objects);
	cs_buf_reset(&x->m);
	CHECK_OK(cs_manifest_encode(&m, &x->m));
	cs_suite_hash512(cs_buf_view(&x->m), m_hash);
	cs_suite_signed(m.header_hash, m_hash, message);
	cs_keyring_sign(cs_client_keyring(by), CS_BYTES(message), x->signature);
	cs_buf_fini(&addressees);
	cs_buf_fini(&devices);
	cs_buf_fini(&objects);
}

/* A message by one of them in Bob's inbox, as the intake keeps it. */
static void
put_message(struct fixture *x, struct cs_client *by, enum cs_content kind,
    uint8_t first, uint8_t ret_id[static CS_ID_BYTES])
{
	const uint8_t id[CS_ID_BYTES] = { first };
	struct cs_inrec r = { .is_readable = true,
		.class = CS_CLASS_URGENT,
		.from =
		    cs_bytes_str(by == x->ann ? "ann@clinic" : "eve@clinic") };
	struct cs_local_txn *txn = NULL;

	make(x, by, kind, id);
	memcpy(r.id, id, CS_ID_BYTES);
	memset(r.e, first, CS_HASH_BYTES);
	memcpy(r.signature, x->signature, CS_SIGNATURE_BYTES);
	r.m = cs_buf_view(&x->m);
	if (x->miss)
		r.missing = (struct cs_bytes){ id, CS_ID_BYTES };
	CHECK_OK(cs_local_begin(cs_client_local(x->bob), true, &txn));
	CHECK_OK(cs_inrec_put(txn, &r));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
	memcpy(ret_id, id, CS_ID_BYTES);
}

/* What Eve puts into a forward: what Ann signed, and a note. */
static void
encode_forward(struct fixture *x, struct cs_buf *out)
{
	struct cs_forward f = { .m = cs_buf_view(&x->m),
		.note = cs_bytes_str("Eve's word") };

	memcpy(f.signature, x->signature, CS_SIGNATURE_BYTES);
	CHECK_OK(cs_forward_encode(&f, out));
}

/* What Bob sees of a forward from Eve with this content. */
static void
get_forward(struct fixture *x, struct cs_bytes content, uint8_t first,
    struct cs_inbox_message *ret)
{
	uint8_t id[CS_ID_BYTES];

	x->content = content;
	put_message(x, x->eve, CS_CONTENT_FORWARD, first, id);
	CHECK_OK(cs_inbox_get(x->bob, id, ret));
	CHECK(ret->is_forward);
}

static cs_err
forward(struct fixture *x, const uint8_t *id, uint8_t *ret_id)
{
	const struct cs_bytes to = cs_bytes_str("eve@clinic");
	const struct cs_forwarding what = {
		.n_to = 1, .to = &to, .note = cs_bytes_str("Bob's word")
	};
	uint8_t unused[CS_ID_BYTES];

	cs_why_clear(cs_client_why(x->bob));
	return cs_forwarding_add(x->bob, id, &what, ret_id ? ret_id : unused);
}

/* ------------------------------------------------------------------- reading
 */

TEST(forwarding_shows_who_wrote_it)
{
	struct cs_buf content = { 0 };
	struct cs_inbox_message m;
	struct fixture x;
	uint8_t id[CS_ID_BYTES] = { 1 };

	begin(&x);
	make(&x, x.ann, CS_CONTENT_CASE, id);
	encode_forward(&x, &content);
	get_forward(&x, cs_buf_view(&content), 2, &m);
	CHECK_ERR(CS_OK, m.authorship);
	CHECK(m.has_case);
	CHECK_VIEW(cs_bytes_str("ann@clinic"), m.author_address);
	CHECK_VIEW(cs_bytes_str("eve@clinic"), m.from);
	CHECK_VIEW(cs_bytes_str("what Ann wrote"), m.casefile.note);
	CHECK_VIEW(cs_bytes_str("Eve's word"), m.forward.note);
	cs_inbox_fini(&m);
	cs_buf_fini(&content);
	end(&x);
}

/* Eve wrote it and says that it was Ann; or she changed what Ann wrote. */
TEST(forwarding_does_not_show_what_the_author_did_not_sign)
{
	struct cs_buf content = { 0 };
	struct cs_inbox_message m;
	struct fixture x;
	uint8_t id[CS_ID_BYTES] = { 1 }, first = 2;

	begin(&x);
	make(&x, x.ann, CS_CONTENT_CASE, id);
	/* a letter of the note; the case file ends the manifest */
	for (size_t i = x.m.n - 1; i > 0; i--) {
		if (memcmp(x.m.p + i, "Ann", 3) == 0) {
			x.m.p[i] = 'a';
			break;
		}
	}
	encode_forward(&x, &content);
	get_forward(&x, cs_buf_view(&content), first++, &m);
	CHECK_ERR(CS_BAD_SIGNATURE, m.authorship);
	CHECK(!m.has_case && m.casefile.note.n == 0);
	CHECK_ERR(CS_BAD_SIGNATURE, forward(&x, m.id, NULL));
	cs_inbox_fini(&m);

	/* Eve's own signature under Ann's name */
	cs_buf_reset(&content);
	x.content = cs_buf_view(&x.casefile);
	make(&x, x.eve, CS_CONTENT_CASE, id);
	memcpy(x.m.p + 4, cs_client_self(x.ann)->member_id, CS_ID_BYTES);
	encode_forward(&x, &content);
	get_forward(&x, cs_buf_view(&content), first++, &m);
	CHECK_ERR(CS_BAD_SIGNATURE, m.authorship);
	cs_inbox_fini(&m);
	cs_buf_fini(&content);
	end(&x);
}

/* The author signed the hash of the attachment that must come with it. */
TEST(forwarding_does_not_show_other_attachments)
{
	struct cs_buf content = { 0 };
	struct cs_inbox_message m;
	struct fixture x;
	uint8_t id[CS_ID_BYTES] = { 1 }, first = 2;

	begin(&x);
	x.attach = true;
	make(&x, x.ann, CS_CONTENT_CASE, id);
	encode_forward(&x, &content);
	x.object = 8; /* the id is another one */
	get_forward(&x, cs_buf_view(&content), first++, &m);
	CHECK_ERR(CS_OK, m.authorship);
	cs_inbox_fini(&m);
	x.sha_flip = 1;
	get_forward(&x, cs_buf_view(&content), first++, &m);
	CHECK_ERR(CS_CLASH, m.authorship);
	CHECK(!m.has_case);
	cs_inbox_fini(&m);
	x.attach = false;
	get_forward(&x, cs_buf_view(&content), first++, &m);
	CHECK_ERR(CS_CLASH, m.authorship);
	cs_inbox_fini(&m);
	cs_buf_fini(&content);
	end(&x);
}

/* ---------------------------------------------------------------- passing on
 */

/* The record of what Bob sends: the forward in it, of a message that came. */
static void
check_sent(struct fixture *x, const uint8_t *from, const uint8_t *id,
    struct cs_bytes original, struct cs_bytes note)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_manifest_object object;
	struct cs_outrec rec;
	struct cs_forward f;
	size_t pos = 0;
	char path[CS_HOME_PATH_BYTES];

	CHECK_OK(cs_local_begin(cs_client_local(x->bob), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value));
	CHECK_NUM(CS_CONTENT_FORWARD, rec.manifest.content_kind);
	CHECK_NUM(CS_CLASS_URGENT, rec.class);
	CHECK_OK(cs_forward_decode(rec.manifest.content, &f));
	CHECK_VIEW(original, f.m);
	CHECK_VIEW(note, f.note);
	CHECK(cs_forward_carries(&f, &rec.manifest));
	CHECK_BYTES(from, CS_ID_BYTES, rec.source, CS_ID_BYTES);
	while (cs_manifest_next_object(&rec.manifest, &pos, &object)) {
		/* as it came, so that the relay can copy it */
		CHECK_NUM(x->object, object.object_id[0]);
		CHECK_BYTES(object.key, 32, cs_secret_bytes(x->key), 32);
		cs_home_path(cs_client_home(x->bob), CS_HOME_SPOOL, id,
		    object.object_id, path);
		CHECK_OK(cs_segfile_check(path, &object));
	}
	cs_local_end(&txn);
	cs_secret_free(value);
}

TEST(forwarding_keeps_the_original_through_any_hands)
{
	struct cs_buf content = { 0 }, original = { 0 };
	uint8_t id[CS_ID_BYTES], sent[CS_ID_BYTES];
	struct cs_inbox_message m;
	struct fixture x;

	begin(&x);
	x.attach = true;
	put_message(&x, x.ann, CS_CONTENT_CASE, 1, id);
	cs_buf_put_bytes(&original, cs_buf_view(&x.m));
	CHECK_OK(forward(&x, id, sent));
	check_sent(&x, id, sent, cs_buf_view(&original),
	    cs_bytes_str("Bob's word"));
	/* what was forwarded goes on as Ann wrote it, without Eve's word */
	encode_forward(&x, &content);
	x.object = 8;
	get_forward(&x, cs_buf_view(&content), 2, &m);
	CHECK_OK(forward(&x, m.id, sent));
	check_sent(&x, m.id, sent, cs_buf_view(&original),
	    cs_bytes_str("Bob's word"));
	cs_inbox_fini(&m);
	cs_buf_fini(&content);
	cs_buf_fini(&original);
	end(&x);
}

TEST(forwarding_is_whole_or_not_at_all)
{
	uint8_t id[CS_ID_BYTES];
	char path[CS_HOME_PATH_BYTES];
	const uint8_t object[CS_ID_BYTES] = { 7 };
	struct fixture x;

	begin(&x);
	x.attach = x.miss = true;
	put_message(&x, x.ann, CS_CONTENT_CASE, 1, id);
	CHECK_ERR(CS_PARTIAL, forward(&x, id, NULL));
	/* damaged here since it came */
	x.miss = false;
	put_message(&x, x.ann, CS_CONTENT_CASE, 2, id);
	cs_home_path(cs_client_home(x.bob), CS_HOME_OBJECTS, id, object, path);
	test_write(path, cs_bytes_str("nonsense"));
	CHECK_ERR(CS_MALFORMED, forward(&x, id, NULL));
	end(&x);
}

TEST(forwarding_refuses_what_holds_no_case)
{
	struct cs_inrec r = { .id = { 3 } }; /* unreadable */
	const uint8_t nothing[CS_ID_BYTES] = { 9 };
	struct cs_local_txn *txn = NULL;
	uint8_t id[CS_ID_BYTES];
	struct fixture x;

	begin(&x);
	x.content = cs_bytes_str("no case file");
	put_message(&x, x.ann, CS_CONTENT_CASE, 1, id);
	CHECK_ERR(CS_UNSUPPORTED, forward(&x, id, NULL));
	put_message(&x, x.ann, CS_CONTENT_FORWARD, 2, id);
	CHECK_ERR(CS_UNSUPPORTED, forward(&x, id, NULL));
	CHECK_OK(cs_local_begin(cs_client_local(x.bob), true, &txn));
	CHECK_OK(cs_inrec_put(txn, &r));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
	CHECK_ERR(CS_DENIED, forward(&x, r.id, NULL));
	CHECK_ERR(CS_NOT_FOUND, forward(&x, nothing, NULL));
	end(&x);
}

TEST(forwarding_bounds_the_note)
{
	const struct cs_bytes to = cs_bytes_str("eve@clinic");
	const size_t n = CS_FORWARD_NOTE_BYTES + 1;
	uint8_t *note = test_alloc(n);
	const struct cs_forwarding what = {
		.n_to = 1, .to = &to, .note = { note, n }
	};
	uint8_t id[CS_ID_BYTES], sent[CS_ID_BYTES];
	struct fixture x;

	memset(note, 'x', n);
	begin(&x);
	put_message(&x, x.ann, CS_CONTENT_CASE, 1, id);
	CHECK_ERR(CS_TOO_LARGE, cs_forwarding_add(x.bob, id, &what, sent));
	end(&x);
}

/* ------------------------------------------------------------------ answering
 */

static cs_err
answer_author(struct fixture *x, const uint8_t *id, uint8_t *ret_id)
{
	const struct cs_bytes to = cs_bytes_str("ann@clinic");
	const struct cs_outbox_job job = { .content_kind = CS_CONTENT_REPLY,
		.class = CS_CLASS_ROUTINE,
		.n_to = 1,
		.to = &to,
		.content = cs_buf_view(&x->casefile),
		.reply_to = id,
		.is_to_author = true };

	cs_why_clear(cs_client_why(x->bob));
	return cs_outbox_add(x->bob, &job, ret_id);
}

TEST(forwarding_answer_to_the_author_names_what_they_wrote)
{
	const uint8_t thread[CS_ID_BYTES] = { 1 };
	uint8_t signature[CS_SIGNATURE_BYTES], s[CS_HASH_BYTES];
	uint8_t sent[CS_ID_BYTES], id[CS_ID_BYTES];
	struct cs_secret *value = NULL;
	struct cs_local_txn *txn = NULL;
	struct cs_buf content = { 0 };
	struct cs_inbox_message m;
	struct cs_outrec rec;
	struct fixture x;

	begin(&x);
	make(&x, x.ann, CS_CONTENT_CASE, thread);
	memcpy(signature, x.signature, sizeof(signature));
	encode_forward(&x, &content);
	get_forward(&x, cs_buf_view(&content), 2, &m);
	CHECK_OK(answer_author(&x, m.id, sent));
	CHECK_OK(cs_local_begin(cs_client_local(x.bob), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, sent, &rec, &value));
	crypto_hash_sha256(s, signature, sizeof(signature));
	CHECK(rec.manifest.has_reply);
	CHECK_BYTES(s, CS_HASH_BYTES, rec.manifest.reply.s, CS_HASH_BYTES);
	CHECK_BYTES(m.author.m_hash, CS_HASH512_BYTES,
	    rec.manifest.reply.m_hash, CS_HASH512_BYTES);
	CHECK_BYTES(thread, CS_ID_BYTES, rec.manifest.thread_id, CS_ID_BYTES);
	cs_local_end(&txn);
	cs_secret_free(value);
	cs_inbox_fini(&m);

	/* without an author there is none to be answered */
	x.content = cs_buf_view(&x.casefile);
	put_message(&x, x.ann, CS_CONTENT_CASE, 3, id);
	CHECK_ERR(CS_DENIED, answer_author(&x, id, sent));
	cs_buf_fini(&content);
	end(&x);
}
