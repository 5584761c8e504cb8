#include "relay/writer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/cancelled.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* What a failed commit does: nobody is told anything, the process ends, and
 * the next start finds what was acknowledged and nothing else. */

static struct test_clinic c;

static cs_err
say(const struct test_member *m, struct cs_buf *ask)
{
	return test_relay_say(&c.r, &m->who, ask);
}

/* Codes of the child, besides those of enum cs_exit. */
enum { ANSWERED = 90, SILENT, NOT_OPENED, NOT_BROKEN, WRONG_ANSWER };

static void
answered(void *ctx, struct cs_buf *reply)
{
	(void)ctx;
	(void)reply;
	_Exit(ANSWERED);
}

/* From now on nothing can be written to any file of the store: its
 * descriptors only read. */
static void
break_disk(void)
{
	char link[64], path[4096];
	ssize_t n;
	int fd;

	for (int i = 3; i < 256; i++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", i);
		n = readlink(link, path, sizeof(path) - 1);
		if (n < 0)
			continue;
		path[n] = '\0';
		if (strncmp(path, c.r.settings.store,
			strlen(c.r.settings.store)) != 0)
			continue;
		fd = open(path, O_RDONLY);
		if (fd < 0 || dup2(fd, i) != i)
			_Exit(NOT_BROKEN);
	}
}

static void
open_in_child(void)
{
	struct cs_buf problem = { 0 };

	if (cs_service_open(&c.r.settings, test_relay_now(&c.r), &c.r.s,
		&problem) != CS_OK)
		_Exit(NOT_OPENED);
	/* until what is done at the start is done */
	for (unsigned i = 0; i < 20; i++) {
		cs_service_tick(c.r.s, test_relay_now(&c.r));
		usleep(5000);
	}
}

static _Noreturn void
fail_in_child(const struct test_bundle *b)
{
	struct cs_buf ask = { 0 };

	open_in_child();
	break_disk();
	test_bundle_submit(b, &ask);
	cs_service_request(c.r.s, &c.ann.who, cs_buf_view(&ask), answered,
	    NULL);
	sleep(20);
	_Exit(SILENT);
}

static int
run_child(void (*child)(const struct test_bundle *b),
    const struct test_bundle *b)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(b);
	CHECK(pid > 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A bundle of which everything is there but the submission; the relay is
 * stopped. */
static void
prepare(struct test_bundle *b)
{
	struct cs_buf ask = { 0 };

	test_bundle_make(&c.r, b, &c.bob, 1, 1);
	test_bundle_begin(b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_segment(b, 0, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_relay_stop(&c.r);
}

TEST(a_commit_that_fails_acknowledges_nobody_and_ends_the_process)
{
	struct cs_buf ask = { 0 };
	struct test_bundle kept, b;
	struct test_status st;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &kept, &c.bob, 1, 1);
	test_bundle_send(&c.r, &c.ann, &kept);
	prepare(&b);
	CHECK_NUM(CS_EXIT_IO, run_child(fail_in_child, &b));

	test_relay_start(&c.r);
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	test_clinic_status(&c, &c.ann, &kept, &st);
	CHECK_NUM(CS_UPLOAD_ACCEPTED, st.state);
	cs_buf_fini(&st.reply);
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(CS_UPLOAD_RESERVED, st.state);
	cs_buf_fini(&st.reply);
	test_bundle_submit(&b, &ask); /* the client simply asks again */
	CHECK_OK(say(&c.ann, &ask));
	CHECK_NUM(2, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	test_bundle_fini(&kept);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

/* A full disk: refused with its name, and when there is room again it goes
 * on. Nothing is lost by having asked. */
static _Noreturn void
fill_in_child(const struct test_bundle *b)
{
	struct rlimit limit = { 0 };
	struct cs_buf ask = { 0 };
	struct test_ask a;

	open_in_child();
	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		_Exit(NOT_BROKEN);
	limit.rlim_cur = 4096;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_Exit(NOT_BROKEN);
	test_bundle_submit(b, &ask);
	if (test_relay_ask(&c.r, &c.ann.who, &ask, &a) != CS_FULL ||
	    a.retry_s == 0)
		_Exit(WRONG_ANSWER);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_Exit(NOT_BROKEN);
	test_bundle_submit(b, &ask);
	if (say(&c.ann, &ask) != CS_OK)
		_Exit(WRONG_ANSWER);
	_Exit(0);
}

TEST(a_full_disk_refuses_and_goes_on_when_there_is_room)
{
	struct test_bundle b;

	test_clinic_init(&c);
	prepare(&b);
	CHECK_NUM(0, run_child(fill_in_child, &b));
	test_relay_start(&c.r);
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

/* A process that is killed at any moment is the same to its clients. */
static _Noreturn void
work_in_child(const struct test_bundle *b, int told)
{
	open_in_child();
	for (unsigned i = 0;; i++) {
		test_bundle_send(&c.r, &c.ann, &b[i]);
		if (write(told, &i, sizeof(i)) != sizeof(i))
			_Exit(NOT_BROKEN);
	}
}

TEST(what_was_acknowledged_before_a_kill_is_there)
{
	enum { N = 400 };
	static struct test_bundle b[N];
	struct test_status st;
	unsigned told = 0, i;
	int status, fd[2];
	pid_t pid;

	test_clinic_init(&c);
	test_relay_stop(&c.r);
	for (i = 0; i < N; i++)
		test_bundle_make(&c.r, &b[i], &c.bob, 1, i % 3);
	CHECK(pipe(fd) == 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		work_in_child(b, fd[1]);
	CHECK(pid > 0);
	for (i = 0; i < 25; i++)
		CHECK(read(fd[0], &told, sizeof(told)) == sizeof(told));
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	close(fd[1]);
	while (read(fd[0], &told, sizeof(told)) == sizeof(told))
		;
	close(fd[0]);

	test_relay_start(&c.r);
	CHECK(test_clinic_list(&c, &c.bob, 0, NULL, NULL) >= told + 1);
	for (i = 0; i <= told; i++) {
		test_clinic_status(&c, &c.ann, &b[i], &st);
		CHECK_NUM(CS_UPLOAD_ACCEPTED, st.state);
		CHECK_NUM(CS_FACT_CUSTODY, st.custody.fact);
		cs_buf_fini(&st.reply);
	}
	for (i = told + 1; i < told + 3; i++) /* begun or not: sent again */
		test_bundle_send(&c.r, &c.ann, &b[i]);
	for (i = 0; i < N; i++)
		test_bundle_fini(&b[i]);
	test_clinic_fini(&c);
}

TEST(a_reservation_that_was_cancelled_meanwhile_is_noticed)
{
	struct cs_cancelled *v = NULL;
	uint8_t a[CS_ID_BYTES] = { 1 }, b[CS_ID_BYTES] = { 2 };
	uint64_t ticket;

	CHECK_OK(cs_cancelled_new(&v));
	cs_cancelled_add(v, a);
	ticket = cs_cancelled_ticket(v);
	CHECK(!cs_cancelled_since(v, ticket, a));
	cs_cancelled_add(v, b);
	CHECK(!cs_cancelled_since(v, ticket, a));
	CHECK(cs_cancelled_since(v, ticket, b));
	for (unsigned i = 0; i < 2000; i++)
		cs_cancelled_add(v, a);
	b[0] = 3;
	CHECK(cs_cancelled_since(v, ticket, b)); /* too long ago to say */
	cs_cancelled_free(v);
}
