/*
 * storm_peer KEYRING URL: an honest client in a storm. Connects, shakes hands,
 * asks for the time, leaves; again and again until its stdin ends. Last comes
 * one line `served N, failed N, slowest N ms`. KEYRING is the relay's: only its
 * public half is read.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/conn.h"
#include "proto/frame.h"

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static cs_err
ask_the_time(const struct cs_conn_relay *relay)
{
	struct cs_buf request = { 0 };
	struct cs_frame_ping_reply answer;
	struct cs_conn *c = NULL;
	struct cs_wire w;
	cs_err e;

	CS_TRY(cs_conn_open(relay, NULL, &c));
	cs_frame_ping_encode(&request, cs_conn_id(c),
	    &(struct cs_frame_ping){ 0 });
	CS_TRY(cs_conn_call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_ping_reply_decode(&w, &answer));
out:
	cs_conn_close(c);
	cs_buf_fini(&request);
	return e;
}

int
main(int argc, char **argv)
{
	struct cs_conn_relay relay = { 0 };
	struct cs_keyring_info info;
	unsigned served = 0, failed = 0;
	struct pollfd until = { .fd = 0, .events = POLLIN };
	double start, took, slowest = 0;
	cs_err e;

	if (argc != 3 || cs_secret_process_init() != CS_OK ||
	    cs_keyring_peek(argv[1], &info) != CS_OK)
		return 2;
	relay.url = argv[2];
	memcpy(relay.network_id, info.network_id, CS_NETWORK_ID_BYTES);
	memcpy(relay.relay_id, info.id, CS_ID_BYTES);
	memcpy(relay.noise_key, info.noise_key, CS_NOISE_KEY_BYTES);
	do {
		start = now_ms();
		e = ask_the_time(&relay);
		took = now_ms() - start;
		slowest = took > slowest ? took : slowest;
		served += e == CS_OK;
		failed += e != CS_OK;
		if (e != CS_OK)
			fprintf(stderr, "not served: %s\n", cs_err_text(e));
	} while (poll(&until, 1, 20) == 0);
	printf("served %u, failed %u, slowest %.0f ms\n", served, failed,
	    slowest);
	return 0;
}
