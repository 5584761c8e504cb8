#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keys/secret.h"
#include "proto/field.h"
#include "proto/frame.h"
#include "relay/identity.h"
#include "relay/service.h"
#include "tests/support/network.h"

/*
 * Arbitrary requests of each kind of principal, one after the other, to a real
 * service over a new store: each is answered, once, with a reply that a client
 * can read; and who did not log in is let in nowhere.
 *
 * Input: repeated u8 who (0 nobody, 1 ann, 2 bob, 3 the registrar, 4 the
 * witness) ‖ u16
 * length ‖ request. Ids of the network are random: an input has names in their
 * places, as long as they are.
 */
#define PRINCIPALS 5
#define REQUESTS   12 /* of one input */

static const char *const names[PRINCIPALS] = { "no device       ",
	"device of ann   ", "device of bob   ", "the registrar   ",
	"the witness     " };
static const char network_name[] = "the network of the fuzzed relay.";

static struct {
	struct network net;
	struct cs_identity *identity;
	struct cs_keyring *kr[PRINCIPALS];
	struct cs_principal who[PRINCIPALS];
	char folder[64], genesis[80], store[80], mark[96];
} f;

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
clean(void)
{
	nftw(f.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
write_genesis(void)
{
	FILE *out = fopen(f.genesis, "wb");
	struct cs_entry_leaf leaf;
	struct cs_buf entry = { 0 };
	struct cs_bytes v;

	for (uint64_t i = 0; cs_directory_leaf(f.net.dir, i, &v) == CS_OK;
	     i++) {
		if (cs_entry_leaf_decode(v, &leaf) != CS_OK)
			abort();
		cs_field_put_var32(&entry, leaf.entry);
	}
	if (!out || fwrite(entry.p, entry.n, 1, out) != 1 || fclose(out) != 0)
		abort();
	cs_buf_fini(&entry);
}

static void
set_up(void)
{
	static const enum cs_principal_kind kinds[PRINCIPALS] = {
		CS_PRINCIPAL_ANYONE, CS_PRINCIPAL_DEVICE, CS_PRINCIPAL_DEVICE,
		CS_PRINCIPAL_REGISTRAR, CS_PRINCIPAL_WITNESS
	};
	/* Thousands of stores: in memory, where there is such a place. */
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	REQUIRE(cs_secret_process_init() == CS_OK);
	snprintf(f.folder, sizeof(f.folder), "%s/consil-fuzz-XXXXXX", tmp);
	if (!mkdtemp(f.folder))
		abort();
	atexit(clean);
	snprintf(f.genesis, sizeof(f.genesis), "%s/genesis", f.folder);
	snprintf(f.store, sizeof(f.store), "%s/store", f.folder);
	snprintf(f.mark, sizeof(f.mark), "%s.mark", f.store);
	network_init(&f.net, UINT64_C(1800000000));
	f.kr[1] = network_join(&f.net, "ann@clinic");
	f.kr[2] = network_join(&f.net, "bob@clinic");
	f.kr[3] = f.net.registrar;
	f.kr[4] = network_witness(&f.net, "Witness");
	for (unsigned i = 1; i < PRINCIPALS; i++) {
		f.who[i].kind = kinds[i];
		memcpy(f.who[i].id, cs_keyring_info(f.kr[i])->id, CS_ID_BYTES);
	}
	write_genesis();
	if (cs_identity_new(f.net.relay, &f.identity) != CS_OK)
		abort();
}

static struct cs_service *
open_service(void)
{
	struct cs_service_settings settings = { .store = f.store,
		.genesis = f.genesis,
		.identity = f.identity,
		.quota_total_bytes = 8u << 20,
		.quota_sender_bytes = 6u << 20,
		.quota_mailbox_bytes = 4u << 20,
		.quota_share_bytes = 3u << 20,
		.map_bytes = 32u << 20 };
	struct cs_buf problem = { 0 };
	struct cs_service *s = NULL;

	nftw(f.store, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	(void)remove(f.mark);
	if (cs_service_open(&settings,
		(struct cs_clock_reading){ UINT64_C(1800000000000), 0 }, &s,
		&problem) != CS_OK) {
		fprintf(stderr, "%.*s\n", (int)problem.n, problem.p);
		abort();
	}
	return s;
}

/* ---------------------------------------------------------------- requests */

struct ask {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	unsigned n;
	struct cs_buf reply;
};

static void
on_answer(void *ctx, struct cs_buf *reply)
{
	struct ask *a = ctx;

	pthread_mutex_lock(&a->lock);
	if (a->n++ == 0) {
		a->reply = *reply;
		*reply = (struct cs_buf){ 0 };
	}
	pthread_cond_signal(&a->answered);
	pthread_mutex_unlock(&a->lock);
}

/* Ids in place of their names. */
static void
put_ids(uint8_t *p, size_t n)
{
	for (size_t i = 0; i + CS_ID_BYTES <= n; i++) {
		for (unsigned k = 1; k < PRINCIPALS; k++)
			if (memcmp(p + i, names[k], CS_ID_BYTES) == 0)
				memcpy(p + i, f.who[k].id, CS_ID_BYTES);
		if (n - i >= CS_NETWORK_ID_BYTES &&
		    memcmp(p + i, network_name, CS_NETWORK_ID_BYTES) == 0)
			memcpy(p + i, f.net.network_id, CS_NETWORK_ID_BYTES);
	}
}

static void
check_reply(const struct cs_principal *who, const struct cs_buf *reply,
    uint64_t op)
{
	struct cs_frame_error error;
	struct cs_wire w;
	uint32_t id, n;
	uint64_t code;

	if (cs_frame_head(cs_buf_view(reply), &w, &code, &id, &n) != CS_OK)
		abort();
	if (code == 0 && who->kind == CS_PRINCIPAL_ANYONE && op != CS_OP_PING &&
	    op != CS_OP_ENROL)
		abort();
	if (code != 0 && cs_frame_error_decode(code, &w, &error) != CS_OK)
		abort();
	/* nothing from outside may be our own fault */
	if (code != 0 && error.err == CS_INTERNAL)
		abort();
}

static bool
is_answered(struct ask *a)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = a->n > 0;
	pthread_mutex_unlock(&a->lock);
	return is;
}

static void
make_request(struct cs_service *s, const struct cs_principal *who,
    struct cs_bytes request)
{
	struct ask a = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.answered = PTHREAD_COND_INITIALIZER };
	struct timespec until;
	uint64_t op = 0;
	uint32_t id, n;
	struct cs_wire w;

	(void)!cs_frame_head(request, &w, &op, &id, &n);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 8;
	cs_service_request(s, who, request, on_answer, &a);
	/* A `list` may wait: once a worker has seen it, its connection ends. */
	while (op == CS_OP_LIST && !is_answered(&a)) {
		cs_service_cancel(s, &a);
		sched_yield();
	}
	pthread_mutex_lock(&a.lock);
	while (a.n == 0 &&
	       pthread_cond_timedwait(&a.answered, &a.lock, &until) == 0)
		;
	REQUIRE(a.n == 1);
	pthread_mutex_unlock(&a.lock);
	check_reply(who, &a.reply, op);
	cs_buf_fini(&a.reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_service *s;

	if (f.folder[0] == '\0')
		set_up();
	s = open_service();
	for (unsigned i = 0; i < REQUESTS && n >= 3; i++) {
		const struct cs_principal *who = &f.who[p[0] % PRINCIPALS];
		size_t length = (size_t)p[1] << 8 | p[2];
		uint8_t *request;

		p += 3;
		n -= 3;
		length = length < n ? length : n;
		request = malloc(length ? length : 1);
		if (!request)
			abort();
		memcpy(request, p, length);
		put_ids(request, length);
		make_request(s, who, (struct cs_bytes){ request, length });
		free(request);
		p += length;
		n -= length;
	}
	cs_service_close(s);
	return 0;
}
