#include "tests/support/fakerelay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/join.h"
#include "keys/noise.h"
#include "keys/verify.h"
#include "proto/invite.h"
#include "tests/test.h"

/* ---------------------------------------------------------------- transport */

static bool
read_all(int fd, void *p, size_t n)
{
	uint8_t *at = p;

	while (n > 0) {
		ssize_t got = recv(fd, at, n, 0);

		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static bool
write_frame(int fd, struct cs_bytes v)
{
	uint8_t head[4];

	cs_bytes_be(v.n, sizeof(head), head);
	return send(fd, head, 4, MSG_NOSIGNAL | MSG_MORE) == 4 &&
	       send(fd, v.p, v.n, MSG_NOSIGNAL) == (ssize_t)v.n;
}

static bool
read_frame(int fd, struct cs_buf *ret)
{
	uint8_t head[4];
	uint32_t n;

	cs_buf_reset(ret);
	if (!read_all(fd, head, sizeof(head)))
		return false;
	n = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 |
	    (uint32_t)head[2] << 8 | head[3];
	return n < (16u << 20) && read_all(fd, cs_buf_extend(ret, n), n);
}

/* ------------------------------------------------------------------ answers */

static uint64_t
shown_size(const struct fake_relay *f)
{
	const uint64_t size = cs_directory_view(f->net.dir).size;

	return f->mood.hide_from && f->mood.hide_from < size ? f->mood.hide_from
							     : size;
}

/* A note over the first n leaves, signed by the network's relay. */
static void
sign_note(const struct fake_relay *f, uint64_t n, struct cs_buf *note)
{
	struct cs_checkpoint cp = { .size = n,
		.time_s = (uint64_t)time(NULL) - f->mood.clock_offset_s,
		.counter = f->mood.counter };
	struct cs_merkle_edge edge = { 0 };
	uint8_t hash[CS_HASH_BYTES];
	struct cs_bytes leaf;
	uint64_t i;

	for (i = 0; i < n; i++) {
		if (cs_directory_leaf(f->net.dir, i, &leaf) != CS_OK)
			abort();
		cs_merkle_leaf(leaf, hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	cs_merkle_root(&edge, cp.root);
	if (f->mood.fork)
		cp.root[0] ^= 1;
	network_sign_checkpoint(&f->net, &cp, note);
	for (i = 0; i < sizeof(f->mood.cosigner) / sizeof(*f->mood.cosigner);
	     i++)
		if (f->mood.cosigner[i])
			network_cosign(f->mood.cosigner[i],
			    (uint64_t)time(NULL) - f->mood.cosigned_before_s,
			    note);
}

static void
dir_sync(struct fake_relay *f, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	struct cs_frame_dir_sync_reply reply = { 0 };
	struct cs_frame_dir_sync v;
	struct cs_buf note = { 0 };
	const uint64_t size = shown_size(f);
	struct cs_bytes leaf;
	uint64_t i, end;

	if (cs_frame_dir_sync_decode(w, &v) != CS_OK)
		abort();
	sign_note(f, size, &note);
	reply.checkpoint = cs_buf_view(&note);
	/* Two leaves a page: paging is part of what is tested. A log that is
	 * long would take long. */
	end = v.from + (size < 256 ? 2 : 128);
	end = end < size ? end : size;
	reply.n = v.from < end ? (uint32_t)(end - v.from) : 0;
	cs_frame_dir_sync_reply_encode(out, id, &reply);
	for (i = v.from; i < end; i++) {
		if (cs_directory_leaf(f->net.dir, i, &leaf) != CS_OK)
			abort();
		cs_wire_put_bin(out, leaf);
	}
	cs_buf_fini(&note);
}

/* All or none, as the relay does. */
static void
append(struct fake_relay *f, uint32_t id, struct cs_wire *w, struct cs_buf *out)
{
	struct cs_frame_entries_reply reply = {
		.first = cs_directory_view(f->net.dir).size
	};
	struct cs_buf leaves[CS_FRAME_MAX_ENTRIES] = { 0 };
	struct cs_frame_entries v;
	uint64_t now_s;
	uint32_t i;
	cs_err e;

	if (cs_frame_entries_decode(w, &v) != CS_OK)
		abort();
	/* what a test appends next is not to be dated before this */
	now_s = (uint64_t)time(NULL);
	if (f->net.now_s < now_s)
		f->net.now_s = now_s;
	e = cs_directory_check(f->net.dir, v.entry, v.n, f->net.now_s, leaves);
	for (i = 0; i < v.n && e == CS_OK; i++)
		e = cs_directory_apply(f->net.dir, cs_buf_view(&leaves[i]));
	for (i = 0; i < v.n; i++)
		cs_buf_fini(&leaves[i]);
	if (e != CS_OK) {
		cs_frame_error_encode(out, id, e, "refused by the fake", 0);
		return;
	}
	f->enrolled++;
	cs_frame_entries_reply_encode(out, id, &reply);
}

static void
cosign(struct fake_relay *f, uint32_t id, struct cs_wire *w, struct cs_buf *out)
{
	if (cs_frame_cosign_decode(w, &f->word) != CS_OK)
		abort();
	f->cosigned++;
	cs_frame_ok_encode(out, id);
}

static void
login(struct fake_relay *f, uint32_t id, struct cs_wire *w, struct cs_buf *out)
{
	struct cs_frame_login_reply reply = {
		.time_s = (uint64_t)time(NULL) - f->mood.behind_s,
		.dir_size = shown_size(f),
	};
	uint8_t signed_bytes[CS_VERIFY_LOGIN_BYTES];
	struct cs_directory_witness witness;
	struct cs_directory_device device;
	const uint8_t *key = NULL;
	struct cs_frame_login v;

	if (cs_frame_login_decode(w, &v) != CS_OK)
		abort();
	cs_verify_login_bytes(f->handshake, cs_keyring_info(f->net.relay)->id,
	    v.device_id, signed_bytes);
	if (cs_directory_device(f->net.dir, v.device_id, &device) == CS_OK)
		key = device.sign_key;
	if (cs_directory_witness(f->net.dir, v.device_id, &witness) == CS_OK)
		key = witness.key;
	if (!key)
		cs_frame_error_encode(out, id, CS_NOT_FOUND, "who?", 0);
	else if (cs_verify_ed25519(key, CS_BYTES(signed_bytes), v.signature) !=
		 CS_OK)
		cs_frame_error_encode(out, id, CS_BAD_SIGNATURE, "who?", 0);
	else
		cs_frame_login_reply_encode(out, id, &reply);
}

/* False: hang up. */
static bool
answer(struct fake_relay *f, const struct cs_noise *session,
    struct cs_bytes request, struct cs_buf *out)
{
	const struct cs_frame_ping_reply pong = {
		.time_s = (uint64_t)time(NULL) - f->mood.behind_s,
	};
	struct cs_wire w;
	uint64_t op;
	uint32_t id, n;

	if (f->mood.whole) {
		f->mood.whole(f->mood.ctx, session, request, out);
		return out->n > 0;
	}
	if (cs_frame_head(request, &w, &op, &id, &n) != CS_OK)
		return false;
	if (f->mood.hook &&
	    f->mood.hook(f->mood.ctx, (enum cs_op)op, id, &w, out))
		return true;
	if (op == CS_OP_LOGIN)
		login(f, id, &w, out);
	else if (op == CS_OP_DIR_SYNC)
		dir_sync(f, id, &w, out);
	else if (op == CS_OP_ENROL || op == CS_OP_DIR_APPEND)
		append(f, id, &w, out);
	else if (op == CS_OP_COSIGN)
		cosign(f, id, &w, out);
	else if (op == CS_OP_PING)
		cs_frame_ping_reply_encode(out, id, &pong);
	else if (op == CS_OP_EPOCH_PUT)
		cs_frame_ok_encode(out, id);
	else
		cs_frame_error_encode(out, id, CS_UNSUPPORTED,
		    "not in the fake", 7);
	f->put += op == CS_OP_EPOCH_PUT;
	return !(op == CS_OP_ENROL && f->mood.hang_up_after_enrol) &&
	       !(op == CS_OP_DIR_APPEND && f->mood.hang_up_after_append);
}

/* ------------------------------------------------------------------ session */

/* False: hang up. */
static bool
shake_hands(struct fake_relay *f, int fd, struct cs_noise *noise)
{
	struct cs_buf in = { 0 }, out = { 0 };
	uint8_t hint;
	bool open;

	open = read_frame(fd, &in);
	pthread_mutex_lock(&f->mutex);
	f->greeted++;
	hint = f->mood.hint;
	open = open && !f->mood.hang_up;
	pthread_mutex_unlock(&f->mutex);
	if (open && hint == 0 &&
	    cs_noise_handshake_read(noise, cs_buf_view(&in)) != CS_OK)
		hint = CS_FRAME_HINT_HANDSHAKE;
	if (open && hint != 0)
		(void)write_frame(fd, (struct cs_bytes){ &hint, 1 });
	open = open && hint == 0 &&
	       cs_noise_handshake_write(noise, &out) == CS_OK &&
	       write_frame(fd, cs_buf_view(&out));
	cs_buf_fini(&in);
	cs_buf_fini(&out);
	return open;
}

static void
serve(struct fake_relay *f, int fd)
{
	struct cs_buf in = { 0 }, plain = { 0 }, reply = { 0 }, out = { 0 };
	struct cs_noise *noise = NULL;
	bool open;

	open = cs_noise_new_responder(f->net.network_id,
		   cs_keyring_noise_secret(f->net.relay), &noise) == CS_OK &&
	       shake_hands(f, fd, noise);
	while (open && read_frame(fd, &in)) {
		cs_buf_reset(&plain);
		cs_buf_reset(&reply);
		cs_buf_reset(&out);
		if (cs_noise_decrypt(noise, cs_buf_view(&in), &plain) != CS_OK)
			break;
		pthread_mutex_lock(&f->mutex);
		f->handshake = cs_noise_hash(noise);
		open = answer(f, noise, cs_buf_view(&plain), &reply);
		pthread_mutex_unlock(&f->mutex);
		open = open &&
		       cs_noise_encrypt(noise, cs_buf_view(&reply), &out) ==
			   CS_OK &&
		       write_frame(fd, cs_buf_view(&out));
	}
	cs_noise_free(noise);
	cs_buf_fini(&in);
	cs_buf_fini(&plain);
	cs_buf_fini(&reply);
	cs_buf_fini(&out);
}

static void *
run(void *arg)
{
	struct fake_relay *f = arg;
	bool stop = false;
	int fd;

	while (!stop) {
		fd = accept(f->listener, NULL, NULL);
		pthread_mutex_lock(&f->mutex);
		stop = f->stop || fd < 0;
		f->connection = stop ? -1 : fd;
		pthread_mutex_unlock(&f->mutex);
		if (!stop)
			serve(f, fd);
		pthread_mutex_lock(&f->mutex);
		f->connection = -1;
		pthread_mutex_unlock(&f->mutex);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static void
listen_anywhere(struct fake_relay *f)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(f->listener >= 0);
	CHECK(bind(f->listener, (struct sockaddr *)&a, n) == 0);
	CHECK(listen(f->listener, 8) == 0);
	CHECK(getsockname(f->listener, (struct sockaddr *)&a, &n) == 0);
	snprintf(f->url, sizeof(f->url), "tcp://127.0.0.1:%u",
	    (unsigned)ntohs(a.sin_port));
}

void
fake_relay_open(struct fake_relay *f, const struct network *net)
{
	*f = (struct fake_relay){ .connection = -1 };
	if (net)
		f->net = *net;
	listen_anywhere(f);
}

void
fake_relay_run(struct fake_relay *f)
{
	CHECK(pthread_mutex_init(&f->mutex, NULL) == 0);
	CHECK(pthread_create(&f->thread, NULL, run, f) == 0);
}

void
fake_relay_close(struct fake_relay *f)
{
	fake_relay_halt(f);
	pthread_mutex_destroy(&f->mutex);
}

void
fake_relay_start(struct fake_relay *f)
{
	struct cs_directory_relay relay;
	struct cs_buf entry = { 0 };

	fake_relay_open(f, NULL);
	network_init(&f->net, (uint64_t)time(NULL));
	CHECK_OK(cs_directory_relay(f->net.dir, &relay));
	CHECK_OK(cs_enrol_relay(f->net.registrar, cs_keyring_info(f->net.relay),
	    cs_bytes_str(f->url), relay.entry, f->net.now_s, &entry));
	CHECK_OK(network_append(&f->net, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
	fake_relay_run(f);
}

void
fake_relay_halt(struct fake_relay *f)
{
	if (f->listener < 0)
		return;
	pthread_mutex_lock(&f->mutex);
	f->stop = true;
	if (f->connection >= 0)
		shutdown(f->connection, SHUT_RDWR);
	pthread_mutex_unlock(&f->mutex);
	shutdown(f->listener, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(f->listener);
	f->listener = -1;
}

void
fake_relay_stop(struct fake_relay *f)
{
	fake_relay_close(f);
	network_fini(&f->net);
}

void
fake_relay_set(struct fake_relay *f, struct fake_relay_mood mood)
{
	pthread_mutex_lock(&f->mutex);
	f->mood = mood;
	pthread_mutex_unlock(&f->mutex);
}

struct cs_bytes
fake_relay_invite(struct fake_relay *f, const char *address)
{
	struct cs_buf binary = { 0 }, text = { 0 };
	struct cs_bytes ret;
	uint8_t *copy;

	network_invite(&f->net, address, &binary);
	cs_invite_armour(cs_buf_view(&binary), "For a test.\n", &text);
	copy = test_alloc(text.n);
	memcpy(copy, text.p, text.n);
	ret = (struct cs_bytes){ copy, text.n };
	cs_buf_fini(&binary);
	cs_buf_fini(&text);
	return ret;
}

void
fake_relay_join(struct fake_relay *f, const char *home, const char *address,
    struct cs_client **ret)
{
	const struct cs_join j = { .dir = test_path(home),
		.invitation = fake_relay_invite(f, address),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;

	CHECK_OK(cs_join_run(&j, NULL, &r));
	CHECK_OK(cs_client_open(test_path(home), NULL, NULL, ret));
}
