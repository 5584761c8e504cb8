/*
 * How many small cases a relay takes into custody in a second.
 *
 *     custody_bench TO COUNT HOME...
 *
 * Each HOME (enrolled, unattended) is one sender with a session of its own. All
 * letters to TO are sealed before the clock starts; then every sender sends
 * COUNT of them, one after the other and as `consil` does: reserve, submit,
 * custody statement. Rounds of the first sender alone, of all senders, and
 * of bare LMDB putting one such envelope at a time beside the first
 * HOME take turns, so that they meet the same disk.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ask.h"
#include "client/client.h"
#include "keys/seal.h"
#include "tests/support/bare.h"
#include "tests/support/bench.h"

#define TEXT        1500 /* bytes of case file: a note of a page */
#define LIFETIME_S  86400
#define MOST        64 /* senders */
#define LOCK_MS     10000
#define RECIPIENT_N 1

struct letter {
	uint8_t id[CS_ID_BYTES];
	uint64_t expires_s;
	struct cs_buf envelope;
};

struct sender {
	struct cs_client *c;
	struct cs_seal_recipient to;
	uint8_t public_key[CS_KEM_PUBLIC_BYTES];
	struct cs_directory_member member;
	struct cs_seal_job job;
	struct cs_buf addressees, devices;
	struct letter *letters;
	unsigned count;
	pthread_barrier_t *start;
	pthread_t thread;
};

static void
must(cs_err e, const struct sender *s, const char *what)
{
	if (e == CS_OK)
		return;
	fprintf(stderr, "custody_bench: %s: %s: %s\n", what, cs_err_text(e),
	    s->c ? cs_client_why(s->c)->text : "");
	exit(1);
}

/* ------------------------------------------------------------------ sealing */

/* The key of the recipient's device for now, checked as a client does. */
static void
find_key(struct sender *s, struct cs_manifest_device *row)
{
	const struct cs_directory *dir = cs_client_directory(s->c);
	const uint64_t epoch = cs_epoch_of(cs_client_now());
	struct cs_frame_epoch_get ask = { .epoch = epoch };
	struct cs_frame_epoch_get_reply reply;
	struct cs_frame_epoch_found found;
	struct cs_directory_device device;
	struct cs_directory_batch b;

	must(cs_directory_member_device(dir, s->member.id, 0, &device), s,
	    "device of the recipient");
	must(cs_directory_batch(dir, device.id, epoch, &b), s, "batch");
	ask.device_ids = CS_BYTES(device.id);
	must(cs_ask_epoch_get(cs_client_conn(s->c), &ask, &reply), s, "key");
	must(cs_frame_next_epoch_found(&reply.found, &found), s, "key");
	must(cs_epoch_check_key(device.id, found.epoch, b.batch.first_epoch,
		 b.batch.count, b.batch.root, found.key.p, found.proof,
		 s->to.key_id),
	    s, "key");
	memcpy(s->public_key, found.key.p, CS_KEM_PUBLIC_BYTES);
	memcpy(s->to.device_id, device.id, CS_ID_BYTES);
	s->to.public_key = s->public_key;
	memcpy(row->device_id, device.id, CS_ID_BYTES);
	memcpy(row->member_id, s->member.id, CS_ID_BYTES);
	memcpy(row->key_id, s->to.key_id, CS_HASH_BYTES);
	row->key_kind = CS_KEY_EPOCH;
	row->epoch = found.epoch;
}

static void
fill_job(struct sender *s)
{
	static const uint8_t text[TEXT];
	const struct cs_keyring_info *self = cs_client_self(s->c);
	struct cs_manifest *m = &s->job.manifest;
	struct cs_manifest_addressee to = { s->member.address,
		s->member.entry };
	struct cs_manifest_device row = { 0 };
	struct cs_directory_device device;

	find_key(s, &row);
	must(cs_directory_device(cs_client_directory(s->c), self->id, &device),
	    s, "own device");
	cs_manifest_put_addressee(&s->addressees, &to);
	cs_manifest_put_device(&s->devices, &row);
	m->content_kind = CS_CONTENT_CASE;
	memcpy(m->sender_member, self->member_id, CS_ID_BYTES);
	memcpy(m->sender_device, self->id, CS_ID_BYTES);
	m->sender_entry = device.entry;
	m->created_s = cs_client_now();
	m->seen = *cs_client_checkpoint(s->c);
	m->n_addressees = RECIPIENT_N;
	m->n_devices = RECIPIENT_N;
	m->addressees = cs_buf_view(&s->addressees);
	m->devices = cs_buf_view(&s->devices);
	m->content = CS_BYTES(text);
	memcpy(s->job.network_id, self->network_id, CS_NETWORK_ID_BYTES);
	s->job.class = CS_CLASS_ROUTINE;
	s->job.created_s = m->created_s;
	s->job.expires_at_s = m->created_s + LIFETIME_S;
	s->job.n_recipients = RECIPIENT_N;
	s->job.recipients = &s->to;
}

static void
seal_letters(struct sender *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		struct letter *l = &s->letters[i];
		struct cs_seal_facts facts;

		cs_buf_reset(&l->envelope);
		randombytes_buf(l->id, CS_ID_BYTES);
		l->expires_s = s->job.expires_at_s;
		memcpy(s->job.envelope_id, l->id, CS_ID_BYTES);
		memcpy(s->job.manifest.thread_id, l->id, CS_ID_BYTES);
		must(cs_seal_envelope(cs_client_keyring(s->c), &s->job,
			 &l->envelope, &facts),
		    s, "seal");
	}
}

static void
sender_init(struct sender *s, const char *home, const char *to, unsigned count)
{
	*s = (struct sender){ .count = count };
	must(cs_client_open(home, NULL, NULL, &s->c), s, home);
	must(cs_client_connect(s->c, LOCK_MS), s, home);
	must(cs_directory_member_by_address(cs_client_directory(s->c),
		 cs_bytes_str(to), &s->member),
	    s, to);
	s->letters = calloc(count, sizeof(*s->letters));
	bench_must(s->letters != NULL, "memory");
	fill_job(s);
}

static void
sender_fini(struct sender *s)
{
	for (unsigned i = 0; i < s->count; i++)
		cs_buf_fini(&s->letters[i].envelope);
	free(s->letters);
	cs_buf_fini(&s->addressees);
	cs_buf_fini(&s->devices);
	cs_client_close(s->c);
}

/* ------------------------------------------------------------------ sending */

static void
send_letter(struct sender *s, const struct letter *l)
{
	struct cs_frame_upload_begin v = { .class = CS_CLASS_ROUTINE,
		.expires_at_s = l->expires_s,
		.device_ids = CS_BYTES(s->to.device_id),
		.envelope_bytes = (uint32_t)l->envelope.n };
	struct cs_bytes custody;

	memcpy(v.envelope_id, l->id, CS_ID_BYTES);
	must(cs_ask_upload_begin(cs_client_conn(s->c), &v), s, "reserve");
	must(cs_ask_submit(cs_client_conn(s->c), cs_buf_view(&l->envelope),
		 &custody),
	    s, "submit");
	bench_must(custody.n > 0, "custody statement");
}

static void *
send_all(void *ctx)
{
	struct sender *s = ctx;

	pthread_barrier_wait(s->start);
	for (unsigned i = 0; i < s->count; i++)
		send_letter(s, &s->letters[i]);
	return NULL;
}

/* Custody statements per second of n senders at once, one round. */
static double
round_of(struct sender *s, unsigned n)
{
	pthread_barrier_t start;
	unsigned letters = 0;
	double began;

	bench_must(pthread_barrier_init(&start, NULL, n + 1) == 0, "barrier");
	for (unsigned i = 0; i < n; i++) {
		seal_letters(&s[i]);
		letters += s[i].count;
		s[i].start = &start;
		bench_must(pthread_create(&s[i].thread, NULL, send_all,
			       &s[i]) == 0,
		    "thread");
	}
	pthread_barrier_wait(&start);
	began = bench_now();
	for (unsigned i = 0; i < n; i++)
		pthread_join(s[i].thread, NULL);
	began = bench_now() - began;
	pthread_barrier_destroy(&start);
	return letters / began;
}

/* Puts per second of LMDB alone, one round. */
static double
bare_round(struct bare *bare)
{
	struct bench b = { .once = bare_put, .ctx = bare };

	return 1 / bench_round(&b);
}

static void
print_rate(const char *name, double rate, double bare)
{
	char ratio[64];

	bench_print(name, rate, "cases/s");
	snprintf(ratio, sizeof(ratio), "%s_ratio", name);
	bench_print(ratio, rate / bare, "x_lmdb_put");
}

static void
measure(struct sender *s, unsigned n, const char *folder)
{
	struct bare *bare = bare_open(folder, 1, BENCH_MAIL_BYTES);
	double put[BENCH_ROUNDS], one[BENCH_ROUNDS], all[BENCH_ROUNDS], median;
	char name[32];

	for (unsigned r = 0; r < BENCH_ROUNDS; r++) {
		put[r] = bare_round(bare);
		one[r] = round_of(s, 1);
		all[r] = round_of(s, n);
	}
	median = bench_median(put, BENCH_ROUNDS);
	bench_print("custody_lmdb_put", median, "cases/s");
	print_rate("custody_1_sender", bench_median(one, BENCH_ROUNDS), median);
	snprintf(name, sizeof(name), "custody_%u_senders", n);
	print_rate(name, bench_median(all, BENCH_ROUNDS), median);
	bare_close(bare);
}

int
main(int argc, char **argv)
{
	struct sender *s;
	unsigned n = argc > 3 ? (unsigned)argc - 3 : 0, count;
	char folder[4096];

	if (n == 0 || n > MOST) {
		fprintf(stderr, "usage: custody_bench TO COUNT HOME...\n");
		return 2;
	}
	bench_must(cs_secret_process_init() == CS_OK, "libsodium");
	count = (unsigned)strtoul(argv[2], NULL, 10);
	s = calloc(n, sizeof(*s));
	bench_must(s != NULL && count > 0, "COUNT");
	for (unsigned i = 0; i < n; i++)
		sender_init(&s[i], argv[3 + i], argv[1], count);
	snprintf(folder, sizeof(folder), "%s.bare", argv[3]);
	measure(s, n, folder);
	for (unsigned i = 0; i < n; i++)
		sender_fini(&s[i]);
	free(s);
	return 0;
}
