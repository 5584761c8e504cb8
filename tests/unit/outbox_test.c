#include "client/outbox.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "client/join.h"
#include "client/outrec.h"
#include "client/sent.h"
#include "client/sync.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define MARKER "planted-marker-of-a-patient"

/* Ann's home, a relay that is not there, and Bob in the mirror. */
struct fixture {
	struct fake_relay relay;
	struct cs_client *c;
	struct cs_buf content;
	struct cs_outbox_job job;
	struct cs_bytes to[3];
	struct cs_outbox_file file;
};

static void
join(struct fake_relay *relay, const char *home, const char *address)
{
	const struct cs_join j = { .dir = test_path(home),
		.invitation = fake_relay_invite(relay, address),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;

	CHECK_OK(cs_join_run(&j, NULL, &r));
}

static void
begin(struct fixture *x)
{
	struct cs_casefile cf = { .subject = cs_bytes_str("a case"),
		.question = cs_bytes_str("what is it?"),
		.note = cs_bytes_str(MARKER),
		.urgency = CS_CLASS_URGENT };

	*x = (struct fixture){ 0 };
	fake_relay_start(&x->relay);
	join(&x->relay, "bob", "bob@clinic");
	join(&x->relay, "ann", "ann@clinic");
	CHECK_OK(cs_client_open(test_path("ann"), NULL, NULL, &x->c));
	cs_casefile_encode_begin(&x->content, 0);
	CHECK_OK(cs_casefile_encode_end(&x->content, &cf));
	x->to[0] = x->to[1] = cs_bytes_str("bob@clinic");
	x->job = (struct cs_outbox_job){ .content_kind = CS_CONTENT_CASE,
		.class = CS_CLASS_URGENT,
		.n_to = 1,
		.to = x->to,
		.content = cs_buf_view(&x->content),
		.files = &x->file };
	test_write(test_path("scan"), cs_bytes_str("pixels of " MARKER));
	x->file = (struct cs_outbox_file){ .path = test_path("scan"),
		.name = cs_bytes_str("scan.dcm"),
		.object_id = { 9 } };
}

static void
end(struct fixture *x)
{
	cs_client_close(x->c);
	cs_buf_fini(&x->content);
	fake_relay_stop(&x->relay);
}

/* Folders below the spool. */
static unsigned
count_spool(void)
{
	const struct dirent *d;
	unsigned n = 0;
	DIR *dir = opendir(test_path("ann/spool"));

	while (dir && (d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static cs_err
count_one(void *ctx, const struct cs_sent_message *m)
{
	unsigned *n = ctx;

	(void)m;
	(*n)++;
	return CS_OK;
}

static unsigned
count_sent(struct cs_client *c)
{
	unsigned n = 0;

	CHECK_OK(cs_sent_list(c, count_one, &n));
	return n;
}

static cs_err
check_bob(void *ctx, const struct cs_sent_recipient *r)
{
	unsigned *n = ctx;

	CHECK_VIEW(cs_bytes_str("bob@clinic"), r->address);
	CHECK(!r->has_device && r->custody_at_s == 0 && !r->overdue);
	(*n)++;
	return CS_OK;
}

TEST(outbox_accepts_without_the_relay)
{
	uint8_t id[CS_ID_BYTES];
	struct cs_sent_message m;
	struct fixture x;
	unsigned n = 0;

	begin(&x);
	fake_relay_halt(&x.relay);
	x.job.n_files = 1;
	x.job.n_to = 2; /* the same address twice is one recipient */
	CHECK_OK(cs_outbox_add(x.c, &x.job, id));
	CHECK_NUM(1, count_spool());
	/* It survives this process. */
	cs_client_close(x.c);
	CHECK_OK(cs_client_open(test_path("ann"), NULL, NULL, &x.c));
	CHECK_OK(cs_sent_get(x.c, id, &m));
	CHECK_NUM(CS_SENT_QUEUED, m.stage);
	CHECK_VIEW(cs_bytes_str("a case"), m.subject);
	CHECK_NUM(CS_CLASS_URGENT, m.class);
	CHECK_NUM(1, m.n_to);
	CHECK_NUM(1, m.n_objects);
	CHECK_NUM(0, m.n_devices);
	cs_sent_fini(&m);
	CHECK_OK(cs_sent_recipients(x.c, id, check_bob, &n));
	CHECK_NUM(1, n);
	end(&x);
}

TEST(outbox_leaves_no_plaintext)
{
	char path[CS_HOME_PATH_BYTES];
	uint8_t id[CS_ID_BYTES];
	struct cs_bytes v;
	struct fixture x;

	begin(&x);
	x.job.n_files = 1;
	CHECK_OK(cs_outbox_add(x.c, &x.job, id));
	cs_home_path(cs_client_home(x.c), CS_HOME_SPOOL, id, x.file.object_id,
	    path);
	v = test_read(path);
	CHECK(v.n > 16384 && !memmem(v.p, v.n, MARKER, strlen(MARKER)));
	v = test_read(test_path("ann/store/data.mdb"));
	CHECK(v.n > 0 && !memmem(v.p, v.n, MARKER, strlen(MARKER)));
	end(&x);
}

/* Refused with this error and this word, and nothing is left of it. */
static void
check_refused(struct fixture *x, cs_err expected, const char *word)
{
	uint8_t id[CS_ID_BYTES] = { 0 };

	cs_why_clear(cs_client_why(x->c));
	CHECK_ERR(expected, cs_outbox_add(x->c, &x->job, id));
	CHECK(strstr(cs_client_why(x->c)->text, word) != NULL);
	CHECK_NUM(0, count_spool());
	CHECK_NUM(0, count_sent(x->c));
	CHECK_NUM(0, id[0]);
}

TEST(outbox_refuses_who_cannot_be_sent_to)
{
	struct fixture x;

	begin(&x);
	x.to[0] = cs_bytes_str("nobody@clinic");
	check_refused(&x, CS_NOT_FOUND, "nobody@clinic");
	x.to[0] = cs_bytes_str("not an address");
	check_refused(&x, CS_BAD_ADDRESS, "name@practice");
	x.job.n_to = 0;
	check_refused(&x, CS_USAGE, "addresses");
	end(&x);
}

TEST(outbox_looks_once_for_a_newer_directory)
{
	uint8_t id[CS_ID_BYTES];
	struct fixture x;

	begin(&x);
	join(&x.relay, "carl", "carl@clinic");
	x.to[0] = cs_bytes_str("carl@clinic");
	CHECK_OK(cs_outbox_add(x.c, &x.job, id));
	CHECK(cs_client_conn(x.c) == NULL);
	end(&x);
}

TEST(outbox_refuses_files)
{
	static const uint8_t other[CS_HASH_BYTES] = { 1 };
	struct fixture x;

	begin(&x);
	x.job.n_files = 1;
	x.file.sha256 = other;
	check_refused(&x, CS_CHANGED, "scan");
	x.file.sha256 = NULL;
	x.file.path = test_path("vanished");
	check_refused(&x, CS_NOT_FOUND, "vanished");
	x.file.path = test_dir();
	check_refused(&x, CS_USAGE, "not a regular file");
	x.file.path = "/proc/self/status";
	check_refused(&x, CS_CHANGED, "/proc/self/status");
	x.file.path = test_path("scan");
	x.file.name = cs_bytes_str("\xff");
	check_refused(&x, CS_USAGE, "UTF-8");
	x.job.n_files = CS_LIMIT_OBJECTS + 1;
	check_refused(&x, CS_TOO_LARGE, "attachments");
	end(&x);
}

TEST(outbox_full_disk)
{
	struct rlimit old, small;
	struct fixture x;

	begin(&x);
	x.job.n_files = 1;
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
	small = old;
	small.rlim_cur = 8192;
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	check_refused(&x, CS_FULL, "scan");
	CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
	end(&x);
}

TEST(outbox_sweeps_what_died)
{
	static const uint8_t dead[CS_ID_BYTES] = { 0xdd };
	uint8_t id[CS_ID_BYTES];
	struct fixture x;

	begin(&x);
	x.job.n_files = 1;
	CHECK_OK(cs_outbox_add(x.c, &x.job, id));
	CHECK_OK(cs_home_mkdir(cs_client_home(x.c), CS_HOME_SPOOL, dead));
	CHECK_NUM(2, count_spool());
	CHECK_OK(cs_outbox_sweep(x.c));
	CHECK_NUM(1, count_spool());
	end(&x);
}

TEST(outbox_stays_queued_while_the_relay_is_away)
{
	struct cs_sync_report report;
	uint8_t id[CS_ID_BYTES];
	struct fixture x;

	begin(&x);
	fake_relay_halt(&x.relay);
	CHECK_OK(cs_outbox_add(x.c, &x.job, id));
	CHECK_ERR(CS_UNREACHABLE, cs_sync_deliver(x.c, 0, &report));
	CHECK_NUM(1, report.queued);
	CHECK_NUM(0, report.delivered);
	end(&x);
}

/* The fake has no mailboxes: what it refuses. */
static bool
refuse_keys(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	const cs_err *e = ctx;

	(void)w;
	if (op != CS_OP_EPOCH_GET)
		return false;
	cs_frame_error_encode(out, id, *e, "because", 0);
	return true;
}

static void
check_delivery(cs_err answer)
{
	struct cs_sync_report report;
	struct cs_sent_message m;
	uint8_t id[CS_ID_BYTES];
	struct fixture x;

	begin(&x);
	x.job.n_files = 1;
	CHECK_OK(cs_outbox_add(x.c, &x.job, id));
	fake_relay_set(&x.relay,
	    (struct fake_relay_mood){ .hook = refuse_keys, .ctx = &answer });
	CHECK_OK(cs_sync_deliver(x.c, 0, &report));
	CHECK_NUM(0, report.failed);
	CHECK_NUM(1, report.queued);
	CHECK_OK(cs_sent_get(x.c, id, &m));
	CHECK_NUM(CS_SENT_QUEUED, m.stage);
	CHECK_ERR(answer, m.failure);
	CHECK(memmem(m.why.p, m.why.n, "because", 7) != NULL);
	CHECK_NUM(1, count_spool());
	cs_sent_fini(&m);
	end(&x);
}

TEST(outbox_keeps_what_is_over_quota)
{
	check_delivery(CS_QUOTA);
}

TEST(outbox_keeps_what_meets_a_full_relay)
{
	check_delivery(CS_FULL);
}

/* ------------------------------------------------------------------- record */

TEST(outrec_round_trip_and_damage)
{
	struct cs_envelope_object object = {
		.object_id = { 1 }, .segments = 3, .root = { 2 }
	};
	struct cs_manifest_addressee to = { .address = cs_bytes_str("a@b"),
		.entry = 4 };
	struct cs_buf addressees = { 0 }, objects = { 0 }, bytes = { 0 };
	struct cs_outrec r = { .id = { 5 },
		.stage = CS_OUTREC_FAILED,
		.class = CS_CLASS_PAGE,
		.failure = CS_QUOTA,
		.why = cs_bytes_str("full"),
		.expires_s = 77,
		.custody = cs_bytes_str("c") };
	uint8_t member[CS_ID_BYTES] = { 6 };
	struct cs_outrec back;
	size_t n;

	cs_manifest_put_addressee(&addressees, &to);
	cs_outrec_put_object(&objects, &object);
	r.manifest.n_addressees = 1;
	r.manifest.addressees = cs_buf_view(&addressees);
	r.manifest.n_objects = 1;
	r.members = CS_BYTES(member);
	r.objects = cs_buf_view(&objects);
	r.manifest.content = cs_bytes_str("content");
	CHECK_OK(cs_outrec_encode(&r, &bytes));
	CHECK_OK(cs_outrec_decode(cs_buf_view(&bytes), &back));
	CHECK_ERR(CS_QUOTA, back.failure);
	CHECK_VIEW(cs_bytes_str("full"), back.why);
	CHECK_VIEW(cs_bytes_str("content"), back.manifest.content);
	CHECK_NUM(77, back.expires_s);
	cs_outrec_object(&back, 0, &object);
	CHECK_NUM(3, object.segments);
	for (n = 0; n < bytes.n; n++)
		CHECK_ERR(CS_CORRUPT,
		    cs_outrec_decode((struct cs_bytes){ bytes.p, n }, &back));
	cs_buf_fini(&addressees);
	cs_buf_fini(&objects);
	cs_buf_fini(&bytes);
}

/* As it is once the relay may have it: its S is what it will be. */
static void
pretend_submitted(struct cs_client *c, const uint8_t *id)
{
	struct cs_local_txn *txn;
	struct cs_secret *value;
	struct cs_outrec rec;

	CHECK_OK(cs_local_begin(cs_client_local(c), true, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value));
	rec.stage = CS_OUTREC_SUBMITTED;
	memset(rec.s, 0x5a, sizeof(rec.s));
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &rec));
	CHECK_OK(cs_local_commit(&txn));
	cs_secret_free(value);
}

TEST(outbox_relation_is_to_what_was_sent)
{
	uint8_t first[CS_ID_BYTES], id[CS_ID_BYTES], none[CS_ID_BYTES] = { 1 };
	struct cs_local_txn *txn;
	struct cs_secret *value;
	struct cs_outrec rec;
	struct fixture x;

	begin(&x);
	fake_relay_halt(&x.relay);
	CHECK_OK(cs_outbox_add(x.c, &x.job, first));
	x.job.relation = CS_RELATION_SUPERSEDES;
	x.job.related = none;
	CHECK_ERR(CS_NOT_FOUND, cs_outbox_add(x.c, &x.job, id));
	cs_why_clear(cs_client_why(x.c));
	x.job.related = first;
	CHECK_ERR(CS_USAGE, cs_outbox_add(x.c, &x.job, id));
	CHECK(strstr(cs_client_why(x.c)->text, "has not been sent yet"));
	pretend_submitted(x.c, first);
	CHECK_OK(cs_outbox_add(x.c, &x.job, id));
	CHECK_OK(cs_local_begin(cs_client_local(x.c), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value));
	CHECK_NUM(CS_RELATION_SUPERSEDES, rec.manifest.relation);
	CHECK_BYTES(first, CS_ID_BYTES, rec.manifest.related.envelope_id,
	    CS_ID_BYTES);
	CHECK(rec.manifest.related.s[0] == 0x5a &&
	      rec.manifest.related.s[31] == 0x5a);
	CHECK_BYTES(first, CS_ID_BYTES, rec.manifest.thread_id, CS_ID_BYTES);
	cs_secret_free(value);
	cs_local_end(&txn);
	end(&x);
}
