/* The mailbox as a relay may serve it: honestly, or not. */
#include "client/collect.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/inbox.h"
#include "client/join.h"
#include "client/sync.h"
#include "keys/seal.h"
#include "proto/statement.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define ITEMS 4
#define NOTE  "the note"

/* Bob's mailbox at a relay that does what a test tells it. */
struct fixture {
	struct fake_relay relay;
	struct cs_client *bob, *ann;
	struct cs_buf envelope[ITEMS];
	struct cs_frame_item item[ITEMS];
	uint8_t head[ITEMS + 1][CS_HASH_BYTES];
	uint32_t n;     /* items listed */
	uint64_t first; /* lists items from this index on: earlier expired */
	int wrong_head; /* states another chain */
	int swap;       /* index whose envelope it serves for every item */
	unsigned fetched, acked;
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

/* A message from Ann to Bob, without attachments. */
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
	struct cs_seal_facts facts;

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
	m->content_kind = CS_CONTENT_CASE;
	m->receipt_policy = CS_RECEIPT_DELIVERED;
	memcpy(m->sender_member, ann->member_id, CS_ID_BYTES);
	memcpy(m->sender_device, ann->id, CS_ID_BYTES);
	m->sender_entry = device.entry;
	m->created_s = job.created_s;
	m->seen = cs_directory_view(cs_client_directory(x->ann));
	m->n_addressees = m->n_devices = 1;
	m->addressees = cs_buf_view(&to);
	m->devices = cs_buf_view(&devices);
	m->content = cs_buf_view(&content);
	memcpy(job.network_id, ann->network_id, CS_NETWORK_ID_BYTES);
	job.envelope_id[0] = (uint8_t)(x->n + 1);
	CHECK_OK(cs_seal_envelope(cs_client_keyring(x->ann), &job, out,
	    &facts));
	cs_buf_fini(&content);
	cs_buf_fini(&key);
	cs_buf_fini(&to);
	cs_buf_fini(&devices);
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
	bad.p[bad.n - 1] ^= 1; /* the tag of the body */
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
	struct fixture x;

	begin(&x);
	send(&x);
	send(&x);
	x.swap = 1;
	CHECK_OK(collect(&x));
	CHECK_NUM(1, x.report.received);
	CHECK_NUM(1, x.report.unreadable);
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

/* Receipts are made once, queued for the sender, and chained. */
TEST(inbox_states_facts_once)
{
	struct cs_inbox_message m;
	struct fixture x;
	const uint8_t *id;

	begin(&x);
	send(&x);
	CHECK_OK(collect(&x));
	id = x.item[0].envelope_id;
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
	CHECK_ERR(CS_NOT_FOUND, cs_inbox_opened(x.bob, x.head[2]));
	end(&x);
}
