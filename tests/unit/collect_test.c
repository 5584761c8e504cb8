/* The mailbox as a relay may serve it: honestly, or not. */
#include "client/collect.h"

#include <glob.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/held.h"
#include "client/inbox.h"
#include "client/join.h"
#include "client/outrec.h"
#include "client/receipt.h"
#include "client/sent.h"
#include "client/sync.h"
#include "keys/seal.h"
#include "proto/object.h"
#include "proto/statement.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define ITEMS 8
#define NOTE  "the note"

/* Bob's mailbox at a relay that does what a test tells it. */
struct fixture {
	struct fake_relay relay;
	struct cs_client *bob, *ann;
	struct cs_buf envelope[ITEMS];
	struct cs_frame_item item[ITEMS];
	uint8_t head[ITEMS + 1][CS_HASH_BYTES];
	uint32_t n;        /* items listed */
	uint64_t first;    /* lists items from this index on: earlier expired */
	int wrong_head;    /* states another chain */
	uint64_t saw_more; /* than the relay shows, say senders … */
	bool saw_other;    /* … or something else … */
	bool saw_unsigned; /* … or what the relay never signed */
	uint8_t lives;     /* how often the relay was restored */
	uint8_t wants;     /* receipts besides delivered */
	int swap;          /* index whose envelope it serves for every item */
	unsigned fetched, acked, segments;
	struct cs_buf segment; /* of the one attachment, as stored */
	bool attach;           /* messages carry it … */
	bool lie;              /* … and say that it is something else */
	const struct cs_manifest_reply *reply; /* what messages answer */
	struct cs_sync_report report;
};

static void
join(struct fixture *x, const char *home, const char *address,
    struct cs_client **ret)
{
	const struct cs_join j = { .dir = test_path(home),
		.invitation = fake_relay_invite(&x->relay, address),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;

	CHECK_OK(cs_join_run(&j, NULL, &r));
	CHECK_OK(cs_client_open(test_path(home), NULL, NULL, ret));
}

/* ------------------------------------------------------------------ mailbox */

static void
list(struct fixture *x, uint32_t id, struct cs_wire *w, struct cs_buf *out)
{
	struct cs_frame_list_reply reply = { .head_seq = x->n };
	struct cs_frame_list v;
	uint64_t i, from;

	if (cs_frame_list_decode(w, &v) != CS_OK)
		return;
	from = v.after_seq > x->first ? v.after_seq : x->first;
	memcpy(reply.head_chain, x->head[x->n], CS_HASH_BYTES);
	reply.head_chain[0] ^= (uint8_t)x->wrong_head;
	reply.n = from < x->n ? (uint32_t)(x->n - from) : 0;
	cs_frame_list_reply_encode(out, id, &reply);
	for (i = from; i < x->n; i++)
		cs_frame_put_item(out, &x->item[i]);
}

static void
fetch(struct fixture *x, uint32_t id, struct cs_wire *w, struct cs_buf *out)
{
	struct cs_frame_fetch_reply reply = { 0 };
	struct cs_frame_envelope_id v;
	uint32_t i;

	if (cs_frame_envelope_id_decode(w, &v) != CS_OK)
		return;
	for (i = 0; i < x->n; i++)
		if (memcmp(x->item[i].envelope_id, v.envelope_id,
			CS_ID_BYTES) == 0)
			break;
	x->fetched++;
	if (i == x->n || x->envelope[i].n == 0) {
		cs_frame_error_encode(out, id, CS_NOT_FOUND, "gone", 0);
		return;
	}
	reply.envelope =
	    cs_buf_view(&x->envelope[x->swap >= 0 ? x->swap : (int)i]);
	cs_frame_fetch_reply_encode(out, id, &reply);
}

static bool
mailbox(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	struct fixture *x = ctx;

	if (op == CS_OP_LIST) {
		list(x, id, w, out);
	} else if (op == CS_OP_FETCH) {
		fetch(x, id, w, out);
	} else if (op == CS_OP_ACK) {
		x->acked++;
		cs_frame_ok_encode(out, id);
	} else if (op == CS_OP_SEGMENT_GET) {
		const struct cs_frame_segment_get_reply reply = {
			cs_buf_view(&x->segment)
		};

		x->segments++;
		cs_frame_segment_get_reply_encode(out, id, &reply);
	} else {
		return false;
	}
	return true;
}

/* ----------------------------------------------------------------- messages */

static void
case_file(struct cs_buf *out)
{
	struct cs_casefile cf = { .subject = cs_bytes_str("a case"),
		.question = cs_bytes_str("what is it?"),
		.note = cs_bytes_str(NOTE),
		.urgency = CS_CLASS_ROUTINE };

	cs_casefile_encode_begin(out, 0);
	CHECK_OK(cs_casefile_encode_end(out, &cf));
}

/* Bob's key of this epoch, as his own device makes it. */
static void
bobs_key(struct fixture *x, struct cs_buf *key, uint8_t *ret_id)
{
	const uint64_t epoch = cs_epoch_of((uint64_t)time(NULL));
	struct cs_epoch *ep = NULL;
	uint8_t root[CS_HASH_BYTES];

	CHECK_OK(cs_epoch_load(test_path("bob/epochs"),
	    cs_client_keyring(x->bob), &ep));
	CHECK_OK(cs_epoch_batch(ep, epoch, 1, key, root));
	cs_entry_epoch_key_id(cs_client_self(x->bob)->id, epoch, key->p,
	    ret_id);
	cs_epoch_free(ep);
}

/* The attachment of a message from Ann: row of the manifest and of H. */
static void
attach(struct fixture *x, const struct cs_secret *key, struct cs_buf *objects,
    struct cs_envelope_object *ret)
{
	const struct cs_bytes content = cs_bytes_str("a scan");
	struct cs_manifest_object row = { .object_id = { 7 },
		.name = cs_bytes_str("scan.txt"),
		.bytes = content.n,
		.key = cs_secret_bytes(key) };
	uint8_t leaf[CS_HASH_BYTES];

	cs_buf_reset(&x->segment);
	CHECK_OK(cs_seal_segment(key, row.object_id, content.n, 0, content,
	    &x->segment));
	crypto_hash_sha256(row.sha256, content.p, content.n);
	row.sha256[0] ^= x->lie;
	cs_manifest_put_object(objects, &row);
	memcpy(ret->object_id, row.object_id, CS_ID_BYTES);
	ret->segments = 1;
	cs_object_leaf(cs_buf_view(&x->segment), leaf);
	cs_object_root(leaf, 1, ret->root);
}

/* A message from Ann to Bob. */
static void
seal(struct fixture *x, struct cs_buf *out)
{
	const struct cs_keyring_info *ann = cs_client_self(x->ann);
	const struct cs_keyring_info *bob = cs_client_self(x->bob);
	struct cs_buf content = { 0 }, key = { 0 }, to = { 0 }, devices = { 0 };
	struct cs_manifest_addressee addressee = {
		.address = cs_bytes_str("bob@clinic")
	};
	struct cs_manifest_device row = { .key_kind = CS_KEY_EPOCH };
	struct cs_seal_recipient recipient;
	struct cs_seal_job job = { .class = CS_CLASS_ROUTINE,
		.created_s = cs_client_now(),
		.expires_at_s = cs_client_now() + 86400,
		.n_recipients = 1,
		.recipients = &recipient };
	struct cs_manifest *m = &job.manifest;
	struct cs_directory_device device;
	struct cs_envelope_object object;
	struct cs_buf objects = { 0 };
	struct cs_secret *object_key = NULL;
	struct cs_seal_facts facts;

	CHECK_OK(cs_secret_random(CS_HASH_BYTES, &object_key));
	if (x->attach) {
		attach(x, object_key, &objects, &object);
		job.n_objects = m->n_objects = 1;
		job.objects = &object;
		m->objects = cs_buf_view(&objects);
	}
	if (x->reply) {
		m->has_reply = true;
		m->reply = *x->reply;
	}
	case_file(&content);
	bobs_key(x, &key, row.key_id);
	memcpy(row.device_id, bob->id, CS_ID_BYTES);
	memcpy(row.member_id, bob->member_id, CS_ID_BYTES);
	row.epoch = cs_epoch_of(cs_client_now());
	memcpy(recipient.device_id, bob->id, CS_ID_BYTES);
	memcpy(recipient.key_id, row.key_id, CS_HASH_BYTES);
	recipient.public_key = key.p;
	cs_manifest_put_addressee(&to, &addressee);
	cs_manifest_put_device(&devices, &row);
	CHECK_OK(cs_directory_device(cs_client_directory(x->ann), ann->id,
	    &device));
	m->content_kind = x->reply ? CS_CONTENT_REPLY : CS_CONTENT_CASE;
	m->receipt_policy = CS_RECEIPT_DELIVERED | x->wants;
	memcpy(m->sender_member, ann->member_id, CS_ID_BYTES);
	memcpy(m->sender_device, ann->id, CS_ID_BYTES);
	m->sender_entry = device.entry;
	m->created_s = job.created_s;
	m->seen = *cs_client_checkpoint(x->ann);
	m->seen.size += x->saw_more;
	m->seen.root[0] ^= (uint8_t)x->saw_other;
	if (x->saw_more > 0 || x->saw_other)
		network_sign_checkpoint(&x->relay.net, &m->seen, NULL);
	m->seen.signature[0] ^= (uint8_t)x->saw_unsigned;
	m->n_addressees = m->n_devices = 1;
	m->addressees = cs_buf_view(&to);
	m->devices = cs_buf_view(&devices);
	m->content = cs_buf_view(&content);
	memcpy(job.network_id, ann->network_id, CS_NETWORK_ID_BYTES);
	job.envelope_id[0] = (uint8_t)(x->n + 1);
	job.envelope_id[2] = x->lives;
	CHECK_OK(cs_seal_envelope(cs_client_keyring(x->ann), &job, out,
	    &facts));
	cs_buf_fini(&content);
	cs_buf_fini(&key);
	cs_buf_fini(&to);
	cs_buf_fini(&devices);
	cs_buf_fini(&objects);
	cs_secret_free(object_key);
}

/* Makes an envelope one that opens for nobody: its header_mac is wrong. */
static void
spoil(struct cs_buf *envelope)
{
	struct cs_envelope env;

	CHECK_OK(cs_envelope_decode(cs_buf_view(envelope), &env));
	envelope->p[env.mac.p - envelope->p] ^= 1;
}

/* The next item of the mailbox: what it names is read from its bytes. */
static void
deliver(struct fixture *x, struct cs_bytes envelope)
{
	struct cs_frame_item *item = &x->item[x->n];
	struct cs_envelope env;

	CHECK_OK(cs_envelope_decode(envelope, &env));
	if (x->envelope[x->n].n == 0)
		cs_buf_put_bytes(&x->envelope[x->n], envelope);
	item->seq = x->n + 1;
	item->class = (uint8_t)env.class;
	item->received_at_s = cs_client_now();
	item->expires_at_s = env.expires_at_s;
	item->stored_bytes = envelope.n;
	memcpy(item->envelope_id, env.envelope_id, CS_ID_BYTES);
	cs_envelope_hash(&env, item->e);
	cs_statement_chain(x->head[x->n], item->seq, item->envelope_id, item->e,
	    x->head[x->n + 1]);
	x->n++;
}

static void
send(struct fixture *x)
{
	seal(x, &x->envelope[x->n]);
	deliver(x, cs_buf_view(&x->envelope[x->n]));
}

static void
begin(struct fixture *x)
{
	*x = (struct fixture){ .swap = -1 };
	fake_relay_start(&x->relay);
	join(x, "bob", "bob@clinic", &x->bob);
	join(x, "ann", "ann@clinic", &x->ann);
	fake_relay_set(&x->relay,
	    (struct fake_relay_mood){ .hook = mailbox, .ctx = x });
}

static void
end(struct fixture *x)
{
	int i;

	cs_client_close(x->bob);
	cs_client_close(x->ann);
	fake_relay_stop(&x->relay);
	for (i = 0; i < ITEMS; i++)
		cs_buf_fini(&x->envelope[i]);
	cs_buf_fini(&x->segment);
}

/* Bob collects, and acknowledges what he has. */
static cs_err
collect(struct fixture *x)
{
	cs_err e;

	x->report = (struct cs_sync_report){ 0 };
	cs_why_clear(cs_client_why(x->bob));
	CS_TRY(cs_client_connect(x->bob, 0));
	CS_TRY(cs_collect_run(x->bob, NULL, NULL, &x->report));
	CS_TRY(cs_collect_acknowledge(x->bob));
out:
	cs_client_disconnect(x->bob);
	return e;
}

/* -------------------------------------------------------------------- tests */

TEST(collect_takes_in_a_message)
{
	struct cs_inbox_message m;
	struct fixture x;

	begin(&x);
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(1, x.acked);
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_NUM(CS_INBOX_NEW, m.state);
	CHECK_VIEW(cs_bytes_str("ann@clinic"), m.from);
	CHECK(m.has_case);
	CHECK_VIEW(cs_bytes_str(NOTE), m.casefile.note);
	cs_inbox_fini(&m);
	/* Once: neither collected nor acknowledged again. */
	CHECK_OK(collect(&x));
	CHECK_NUM(0, x.report.received);
	CHECK_NUM(1, x.fetched);
	CHECK_NUM(1, x.acked);
	end(&x);
}

TEST(collect_refuses_a_replay)
{
	struct fixture x;

	begin(&x);
	send(&x);
	CHECK_OK(collect(&x));
	deliver(&x, cs_buf_view(&x.envelope[0]));
	CHECK_OK(collect(&x));
	CHECK_NUM(0, x.report.received);
	CHECK_NUM(1, x.report.refused);
	CHECK_NUM(1, x.fetched); /* not even fetched */
	CHECK_NUM(2, x.acked);
	end(&x);
}

TEST(collect_keeps_what_does_not_open)
{
	char path[4096];
	struct cs_inbox_message m;
	struct cs_buf bad = { 0 };
	struct fixture x;

	begin(&x);
	seal(&x, &bad);
	spoil(&bad);
	deliver(&x, cs_buf_view(&bad));
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.unreadable);
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(2, x.acked);
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_NUM(CS_INBOX_UNREADABLE, m.state);
	snprintf(path, sizeof(path), "%s/envelope",
	    test_path("bob/objects/01000000000000000000000000000000"));
	CHECK_VIEW(cs_buf_view(&bad), test_read(path));
	cs_inbox_fini(&m);
	CHECK_ERR(CS_DENIED, cs_inbox_opened(x.bob, x.item[0].envelope_id));
	cs_buf_fini(&bad);
	end(&x);
}

/* Another good envelope than the one listed: the chain is about the list. */
TEST(collect_notices_a_swapped_envelope)
{
	struct cs_inbox_message m;
	struct fixture x;

	begin(&x);
	send(&x);
	send(&x);
	x.swap = 1;
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(1, x.report.waiting);
	CHECK_NUM(1, x.acked); /* nobody says to have had the other one */
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_NUM(CS_INBOX_WAITING, m.state);
	cs_inbox_fini(&m);
	CHECK_ERR(CS_DENIED, cs_inbox_opened(x.bob, x.item[0].envelope_id));
	/* Once it is served, it is taken in. */
	x.swap = -1;
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(2, x.acked);
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_NUM(CS_INBOX_NEW, m.state);
	cs_inbox_fini(&m);
	end(&x);
}

/* Junk under the id of a genuine envelope, before it. */
TEST(collect_is_not_shut_out_by_junk)
{
	struct cs_inbox_message m;
	struct cs_buf good = { 0 };
	struct fixture x;

	begin(&x);
	seal(&x, &good);
	cs_buf_put_bytes(&x.envelope[0], cs_buf_view(&good));
	spoil(&x.envelope[0]);
	deliver(&x, cs_buf_view(&x.envelope[0]));
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.unreadable);
	cs_buf_reset(&x.envelope[0]);
	cs_buf_put_bytes(&x.envelope[0], cs_buf_view(&good));
	deliver(&x, cs_buf_view(&good));
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_NUM(CS_INBOX_NEW, m.state);
	cs_inbox_fini(&m);
	cs_buf_fini(&good);
	end(&x);
}

/* The body is not in E: whoever altered it may be the relay. */
TEST(collect_tries_again_what_was_altered)
{
	struct fixture x;
	uint8_t *tag;

	begin(&x);
	send(&x);
	tag = x.envelope[0].p + x.envelope[0].n - 1;
	*tag ^= 1;
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.waiting);
	CHECK_NUM(0, x.acked);
	*tag ^= 1;
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(1, x.acked);
	end(&x);
}

/* Another envelope under an id that was taken in: neither taken nor
 * acknowledged. */
TEST(collect_acknowledges_no_other_envelope)
{
	struct fixture x;

	begin(&x);
	send(&x);
	CHECK_OK(collect(&x));
	deliver(&x, cs_buf_view(&x.envelope[0]));
	x.item[1].e[0] ^= 1;
	cs_statement_chain(x.head[1], 2, x.item[1].envelope_id, x.item[1].e,
	    x.head[2]);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.refused);
	CHECK_NUM(1, x.acked);
	end(&x);
}

/* The relay hides the sender's enrolment: their mail waits for it. */
TEST(collect_waits_for_an_unknown_sender)
{
	struct cs_inbox_message m;
	struct fixture x;
	uint64_t before;

	begin(&x);
	before = cs_directory_view(cs_client_directory(x.bob)).size;
	send(&x);
	fake_relay_set(&x.relay,
	    (struct fake_relay_mood){
		.hook = mailbox, .ctx = &x, .hide_from = before });
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.waiting);
	CHECK_NUM(0, x.acked);
	CHECK_OK(collect(&x));
	CHECK_NUM(0, x.report.waiting); /* told once */
	CHECK_NUM(1, x.fetched);        /* its ciphertext was kept */
	fake_relay_set(&x.relay,
	    (struct fake_relay_mood){ .hook = mailbox, .ctx = &x });
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(1, x.acked);
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_VIEW(cs_bytes_str("ann@clinic"), m.from);
	cs_inbox_fini(&m);
	end(&x);
}

TEST(collect_brings_attachments)
{
	struct cs_inbox_message m;
	struct fixture x;

	begin(&x);
	x.attach = true;
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.segments);
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_NUM(CS_INBOX_NEW, m.state);
	CHECK_OK(cs_inbox_save(x.bob, &m, test_path("out"), NULL, NULL));
	CHECK_VIEW(cs_bytes_str("a scan"),
	    test_read(test_path("out/scan.txt")));
	cs_inbox_fini(&m);
	end(&x);
}

/* Nobody vouches for junk: its attachments are not brought. */
TEST(collect_brings_no_attachments_of_junk)
{
	struct cs_buf bad = { 0 };
	struct fixture x;

	begin(&x);
	x.attach = true;
	seal(&x, &bad);
	spoil(&bad);
	deliver(&x, cs_buf_view(&bad));
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.unreadable);
	CHECK_NUM(0, x.segments);
	cs_buf_fini(&bad);
	end(&x);
}

/* What lies under the name of an attachment is not it because of that. */
TEST(collect_brings_an_attachment_over_junk)
{
	struct cs_inbox_message m;
	struct fixture x;

	begin(&x);
	x.attach = true;
	send(&x);
	CHECK_OK(cs_home_mkdir(cs_client_home(x.bob), CS_HOME_OBJECTS,
	    x.item[0].envelope_id));
	test_write(test_path("bob/objects/01000000000000000000000000000000/"
			     "07000000000000000000000000000000"),
	    cs_bytes_str("junk"));
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.segments);
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_OK(cs_inbox_save(x.bob, &m, test_path("out"), NULL, NULL));
	cs_inbox_fini(&m);
	end(&x);
}

/* The stored bytes are those of the header; the plaintext is not what the
 * sender signed: not delivered whole. */
TEST(collect_opens_attachments)
{
	struct cs_inbox_message m;
	struct fixture x;

	begin(&x);
	x.attach = x.lie = true;
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_OK(cs_inbox_get(x.bob, x.item[0].envelope_id, &m));
	CHECK_NUM(CS_INBOX_INCOMPLETE, m.state);
	CHECK_NUM(1, m.n_missing);
	CHECK_ERR(CS_PARTIAL,
	    cs_inbox_save(x.bob, &m, test_path("out"), NULL, NULL));
	cs_inbox_fini(&m);
	end(&x);
}

TEST(collect_notices_another_chain)
{
	struct fixture x;

	begin(&x);
	send(&x);
	x.wrong_head = 1;
	CHECK_ERR(CS_FORKED, collect(&x));
	CHECK(strstr(cs_client_why(x.bob)->text, "mailbox") != NULL);
	end(&x);
}

TEST(collect_notices_a_mailbox_that_went_back)
{
	struct fixture x;

	begin(&x);
	send(&x);
	send(&x);
	CHECK_OK(collect(&x));
	x.n = 1;
	CHECK_ERR(CS_WENT_BACK, collect(&x));
	end(&x);
}

/* A backup of before the second item: its number means other mail then. */
static void
restore(struct fixture *x)
{
	x->n = 1;
	x->lives++;
	cs_buf_fini(&x->envelope[1]);
}

TEST(collect_goes_on_after_a_mailbox_went_back)
{
	struct fixture x;

	begin(&x);
	send(&x);
	send(&x);
	CHECK_OK(collect(&x));
	restore(&x);
	CHECK_ERR(CS_WENT_BACK, collect(&x));
	CHECK(strstr(cs_client_why(x.bob)->text,
		  "not restored from a backup") != NULL);
	CHECK(!x.report.restored);
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(1, x.report.refused); /* taken in before */
	CHECK_NUM(0, x.report.missing);
	end(&x);
}

/* A relay that was declared restored: nothing to complain of. */
TEST(collect_reads_a_restored_mailbox_anew)
{
	struct fixture x;

	begin(&x);
	send(&x);
	send(&x);
	CHECK_OK(collect(&x));
	restore(&x);
	send(&x);
	fake_relay_set(&x.relay,
	    (struct fake_relay_mood){
		.hook = mailbox, .ctx = &x, .counter = 1 });
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(0, x.report.missing);
	CHECK(x.report.restored);
	CHECK_OK(collect(&x));
	CHECK(!x.report.restored);      /* told once */
	CHECK_NUM(0, x.report.refused); /* once */
	end(&x);
}

/* What was taken in is acknowledged whatever the relay states besides. */
TEST(sync_goes_on_after_a_contradiction)
{
	struct cs_sync_report report;
	struct fixture x;

	begin(&x);
	send(&x);
	x.wrong_head = 1;
	CHECK_ERR(CS_FORKED, cs_sync_run(x.bob, 0, NULL, NULL, &report));
	CHECK(strstr(cs_client_why(x.bob)->text, "contradicts") != NULL);
	CHECK_NUM(1, report.received);
	CHECK_NUM(1, x.acked);
	cs_client_disconnect(x.bob);
	end(&x);
}

TEST(collect_counts_what_expired)
{
	struct fixture x;

	begin(&x);
	send(&x);
	send(&x);
	send(&x);
	x.first = 2; /* the first two are not listed any more */
	CHECK_OK(collect(&x));
	CHECK_NUM(2, x.report.missing);
	CHECK_NUM(1, x.report.received);
	CHECK_OK(collect(&x));
	CHECK_NUM(0, x.report.missing);
	end(&x);
}

TEST(collect_goes_on_past_what_is_gone)
{
	struct fixture x;

	begin(&x);
	send(&x);
	send(&x);
	cs_buf_fini(&x.envelope[0]);
	x.item[0].expires_at_s = cs_client_now() - 1;
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.missing);
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(1, x.acked); /* what never came is not acknowledged */
	end(&x);
}

TEST(collect_waits)
{
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_client_connect(x.bob, 0));
	CHECK_ERR(CS_NOTHING, cs_collect_wait(x.bob, 1));
	cs_client_disconnect(x.bob);
	send(&x);
	CHECK_OK(cs_client_connect(x.bob, 0));
	CHECK_OK(cs_collect_wait(x.bob, 1));
	end(&x);
}

/* What Bob sent, as he keeps it: to a device of Ann's, of that member. */
static void
put_sent(struct fixture *x, const uint8_t *id, const uint8_t *member_id)
{
	struct cs_outrec sent = { .stage = CS_OUTREC_ACCEPTED,
		.created_s = cs_client_now(),
		.e = { 1 },
		.s = { 2 },
		.m_hash = { 3 } };
	struct cs_manifest_device row = { .key_kind = CS_KEY_EPOCH };
	const struct cs_manifest_addressee to = {
		.address = cs_bytes_str("ann@clinic")
	};
	struct cs_local_txn *txn = NULL;
	struct cs_buf devices = { 0 }, addressees = { 0 };

	cs_manifest_put_addressee(&addressees, &to);
	sent.manifest.n_addressees = 1;
	sent.manifest.addressees = cs_buf_view(&addressees);
	sent.members = (struct cs_bytes){ member_id, CS_ID_BYTES };
	memcpy(row.device_id, cs_client_self(x->ann)->id, CS_ID_BYTES);
	memcpy(row.member_id, member_id, CS_ID_BYTES);
	memcpy(sent.id, id, CS_ID_BYTES);
	cs_manifest_put_device(&devices, &row);
	sent.manifest.n_devices = 1;
	sent.manifest.devices = cs_buf_view(&devices);
	CHECK_OK(cs_local_begin(cs_client_local(x->bob), true, &txn));
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &sent));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
	cs_buf_fini(&devices);
	cs_buf_fini(&addressees);
}

/* True if Ann's next message, bound to this, is an answer. */
static bool
is_answer(struct fixture *x, const struct cs_manifest_reply *bound)
{
	struct cs_inbox_message m;
	bool is;

	x->reply = bound;
	send(x);
	CHECK_OK(collect(x));
	CHECK_NUM(1, x->report.received);
	CHECK_OK(cs_inbox_get(x->bob, x->item[x->n - 1].envelope_id, &m));
	is = m.is_answer;
	/* sent to others: they must have shown it to her */
	CHECK(m.was_forwarded == (bound->envelope_id[0] == 8));
	CHECK(m.manifest.has_reply);
	cs_inbox_fini(&m);
	return is;
}

/* Whoever learnt an id cannot make their message an answer to it. */
TEST(collect_checks_what_is_answered)
{
	const struct cs_manifest_reply good = {
		.envelope_id = { 9 }, .e = { 1 }, .s = { 2 }, .m_hash = { 3 }
	};
	struct cs_manifest_reply bad[] = { good, good, good, good, good };
	struct fixture x;
	size_t i;

	bad[0].envelope_id[0] = 7; /* nothing that Bob sent */
	bad[1].e[0] ^= 1;
	bad[2].s[31] ^= 1;
	bad[3].m_hash[63] ^= 1;
	bad[4].envelope_id[0] = 8; /* sent to others */
	begin(&x);
	put_sent(&x, good.envelope_id, cs_client_self(x.ann)->member_id);
	put_sent(&x, bad[4].envelope_id, cs_client_self(x.bob)->member_id);
	CHECK(is_answer(&x, &good));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!is_answer(&x, &bad[i]));
	end(&x);
}

/* Ann's word that it was delivered, at a time that she names. */
static void
put_delivered(struct fixture *x, const uint8_t *id, uint64_t time_s)
{
	const uint8_t *ann = cs_client_self(x->ann)->id;
	const uint8_t sig[CS_SIGNATURE_BYTES] = { 0 };
	struct cs_statement st = { .fact = CS_FACT_DELIVERED,
		.result = CS_DELIVERED_OK,
		.signer_member = { 1 },
		.s = { 2 },
		.m_hash = { 3 },
		.time_s = time_s };
	struct cs_local_txn *txn = NULL;
	struct cs_buf bytes = { 0 };

	memcpy(st.signer_device, ann, CS_ID_BYTES);
	memcpy(st.envelope_id, id, CS_ID_BYTES);
	CHECK_OK(cs_statement_encode(&st, &bytes));
	cs_buf_put(&bytes, sig, sizeof(sig));
	CHECK_OK(cs_local_begin(cs_client_local(x->bob), true, &txn));
	CHECK_OK(cs_receipt_store(txn, id, ann, st.fact, cs_buf_view(&bytes),
	    NULL));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
	cs_buf_fini(&bytes);
}

static cs_err
take_recipient(void *ctx, const struct cs_sent_recipient *r)
{
	*(struct cs_sent_recipient *)ctx = *r;
	return CS_OK;
}

/* A claimed time is shown where it can be; else when the statement came. */
TEST(sent_shows_no_time_that_cannot_be)
{
	const uint64_t now = cs_client_now();
	const struct {
		uint64_t claim;
		bool is_wrong;
	} times[] = { { now + 60, false }, { 1, true }, { 0, true },
		{ now - 172800, true }, { now + 172800, true },
		{ UINT64_MAX, true } };
	struct cs_sent_recipient r;
	struct fixture x;
	uint8_t id[CS_ID_BYTES] = { 0 };
	size_t i;

	begin(&x);
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		id[0] = (uint8_t)(i + 1);
		put_sent(&x, id, cs_client_self(x.ann)->member_id);
		put_delivered(&x, id, times[i].claim);
		CHECK_OK(cs_sent_recipients(x.bob, id, take_recipient, &r));
		CHECK_NUM(times[i].is_wrong, r.is_clock_wrong);
		CHECK(r.delivered_at_s >= now);
		CHECK(r.delivered_at_s <= now + 90);
	}
	end(&x);
}

static size_t
count_proofs(void)
{
	char pattern[512];
	size_t n = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s",
	    test_path("bob/evidence/fork-*.proof"));
	if (glob(pattern, 0, NULL, &found) == 0)
		n = found.gl_pathc;
	globfree(&found);
	return n;
}

/* Ann says that she saw what the relay does not show to Bob: her mail is good,
 * and somebody lies. */
TEST(collect_compares_directories)
{
	char name[128];
	struct fixture x;

	begin(&x);
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(0, x.report.disputed);
	x.saw_other = true;
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.disputed);
	CHECK_NUM(1, x.report.received);
	snprintf(name, sizeof(name), "%s",
	    test_path("bob/evidence/seen-02000000000000000000000000000000"));
	CHECK(strstr((const char *)test_read(name).p, "seen ") != NULL);
	CHECK_NUM(1, count_proofs());
	x.saw_other = false;
	x.saw_unsigned = true;
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.disputed);
	CHECK_NUM(1, count_proofs()); /* that is nobody's word */
	x.saw_unsigned = false;
	x.saw_more = 1000;
	send(&x);
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.disputed);
	CHECK_NUM(1, x.report.received);
	end(&x);
}

/* Receipts are made once, queued for the sender, and chained. */
TEST(inbox_states_facts_once)
{
	struct cs_held_state held;
	struct cs_inbox_message m;
	struct fixture x;
	const uint8_t *id;

	begin(&x);
	x.wants = CS_RECEIPT_OPENED | CS_RECEIPT_ACKNOWLEDGED;
	send(&x);
	CHECK_OK(collect(&x));
	id = x.item[0].envelope_id;
	CHECK_OK(cs_held_look(cs_client_local(x.bob), 0, &held));
	CHECK_NUM(0,
	    held.n_receipts); /* that it was delivered leaves at once */
	CHECK_OK(cs_inbox_opened(x.bob, id));
	CHECK_OK(cs_inbox_get(x.bob, id, &m));
	CHECK_NUM(CS_INBOX_OPENED, m.state);
	CHECK(m.opened_at_s > 0);
	cs_inbox_fini(&m);
	CHECK_OK(cs_inbox_opened(x.bob, id));
	CHECK_OK(cs_inbox_acknowledge(x.bob, id, true, cs_bytes_str("yes")));
	CHECK_ERR(CS_EXISTS,
	    cs_inbox_acknowledge(x.bob, id, true, cs_bytes_str("yes")));
	CHECK_OK(cs_inbox_get(x.bob, id, &m));
	CHECK_NUM(CS_INBOX_ACKNOWLEDGED, m.state);
	cs_inbox_fini(&m);
	CHECK_OK(cs_held_look(cs_client_local(x.bob), cs_client_now(), &held));
	CHECK_NUM(2, held.n_receipts);
	CHECK_ERR(CS_NOT_FOUND, cs_inbox_opened(x.bob, x.head[2]));
	end(&x);
}
