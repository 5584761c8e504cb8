#include "client/agent.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/agentd.h"
#include "tests/test.h"

static struct cs_home *
make_home(const char *name)
{
	struct cs_home *h = NULL;

	CHECK_OK(cs_home_open(test_path(name), true, NULL, &h));
	return h;
}

static struct cs_secret *
make_key(void)
{
	struct cs_secret *key = NULL;

	CHECK_OK(cs_secret_random(32, &key));
	return key;
}

/* An agent in a process of its own, listening when this returns. */
static pid_t
start(const struct cs_home *h)
{
	struct cs_agentd *a = NULL;
	char ready;
	int pipe_fd[2];
	pid_t pid;

	CHECK(pipe(pipe_fd) == 0);
	pid = fork();
	if (pid == 0) {
		cs_err e = cs_agentd_open(h, NULL, &a);

		if (e == CS_OK && write(pipe_fd[1], "", 1) == 1)
			e = cs_agentd_run(a, -1);
		cs_agentd_close(a);
		_exit(e == CS_OK ? 0 : 1);
	}
	close(pipe_fd[1]);
	CHECK(pid > 0 && read(pipe_fd[0], &ready, 1) == 1);
	close(pipe_fd[0]);
	return pid;
}

/* Its exit status; -signal. */
static int
ended(pid_t pid)
{
	int status = 0;

	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(agent_holds_a_key)
{
	struct cs_home *h = make_home("h");
	struct cs_secret *key = make_key(), *got = NULL;
	struct cs_agent_status s;
	struct stat st;
	pid_t pid = start(h);

	CHECK(stat(test_path("h/agent"), &st) == 0);
	CHECK_NUM(0600, st.st_mode & 07777);
	CHECK_OK(cs_agent_status(h, &s));
	CHECK_NUM((uint64_t)pid, (uint64_t)s.pid);
	CHECK(!s.unlocked);
	CHECK_ERR(CS_NO_KEY, cs_agent_get(h, &got));
	CHECK_ERR(CS_NO_KEY, cs_agent_put(h, key, 0));
	CHECK_OK(cs_agent_put(h, key, 60));
	CHECK_OK(cs_agent_get(h, &got));
	CHECK(cs_secret_eq(key, got));
	CHECK_OK(cs_agent_status(h, &s));
	CHECK(s.unlocked);
	CHECK_NUM(60, s.left_s);
	CHECK_OK(cs_agent_lock(h));
	cs_secret_free(got);
	got = NULL;
	CHECK_ERR(CS_NO_KEY, cs_agent_get(h, &got));
	CHECK_OK(cs_agent_stop(h));
	CHECK_NUM(0, ended(pid));
	CHECK(access(test_path("h/agent"), F_OK) != 0);
	CHECK_ERR(CS_NOT_FOUND, cs_agent_get(h, &got));
	CHECK(got == NULL);
	cs_secret_free(key);
	cs_home_close(h);
}

TEST(agent_locks_itself)
{
	struct cs_home *h = make_home("h");
	struct cs_secret *key = make_key(), *got = NULL;
	pid_t pid = start(h);

	CHECK_OK(cs_agent_put(h, key, 1));
	sleep(2);
	CHECK_ERR(CS_NO_KEY, cs_agent_get(h, &got));
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK_NUM(0, ended(pid));
	CHECK(access(test_path("h/agent"), F_OK) != 0);
	cs_secret_free(key);
	cs_home_close(h);
}

TEST(agent_of_a_home_is_one)
{
	struct cs_home *h = make_home("h");
	struct cs_agentd *a = NULL;
	struct cs_secret *got = NULL;
	struct cs_why why = { 0 };
	pid_t pid = start(h);

	CHECK_ERR(CS_EXISTS, cs_agentd_open(h, &why, &a));
	CHECK(strstr(why.text, "running") != NULL);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK_NUM((uint64_t)-SIGKILL, (uint64_t)ended(pid));
	/* its socket stays, and nothing answers */
	CHECK(access(test_path("h/agent"), F_OK) == 0);
	CHECK_ERR(CS_NOT_FOUND, cs_agent_get(h, &got));
	pid = start(h);
	CHECK_ERR(CS_NO_KEY, cs_agent_get(h, &got));
	CHECK_OK(cs_agent_stop(h));
	CHECK_NUM(0, ended(pid));
	CHECK(a == NULL && got == NULL);
	cs_home_close(h);
}

/* A path longer than an address of a socket may be. */
TEST(agent_of_a_home_with_a_long_path)
{
	char name[220];
	struct cs_home *h;
	struct cs_agent_status s;
	pid_t pid;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	h = make_home(name);
	pid = start(h);
	CHECK_OK(cs_agent_status(h, &s));
	CHECK_OK(cs_agent_stop(h));
	CHECK_NUM(0, ended(pid));
	cs_home_close(h);
}

static int
dial(const struct cs_home *h)
{
	struct sockaddr_un to;
	int dir = -1, fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	CHECK_OK(cs_agent_address(h, &to, &dir));
	CHECK(fd >= 0);
	CHECK(connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0);
	close(dir);
	return fd;
}

/* Nobody's nonsense, silence or size keeps it from answering others. */
TEST(agent_outlives_its_callers)
{
	static const uint8_t junk[4096] = { 'C', 'S', 'A', '1', 9 };
	struct cs_home *h = make_home("h");
	struct cs_agent_status s;
	uint8_t answer[64];
	pid_t pid = start(h);
	int silent, fd;

	for (size_t n = 0; n <= sizeof(junk); n = n ? n * 2 : 1) {
		fd = dial(h);
		CHECK(send(fd, junk, n, MSG_NOSIGNAL) == (ssize_t)n);
		CHECK(recv(fd, answer, sizeof(answer), 0) <= 0);
		close(fd);
	}
	silent = dial(h);
	fd = dial(h);
	close(fd);
	CHECK_OK(cs_agent_status(h, &s));
	close(silent);
	CHECK_OK(cs_agent_stop(h));
	CHECK_NUM(0, ended(pid));
	cs_home_close(h);
}

/* One that does not answer, or not as an agent does. */
TEST(agent_that_is_none)
{
	static const uint8_t junk[49] = { 'C', 'S', 'A', '9' };
	struct cs_home *h = make_home("h");
	struct cs_secret *got = NULL;
	struct sockaddr_un at;
	int dir = -1, fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), peer, i;
	pid_t pid;

	CHECK_OK(cs_agent_address(h, &at, &dir));
	CHECK(bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK(listen(fd, 4) == 0);
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < 2; i++) {
			peer = accept(fd, NULL, NULL);
			if (send(peer, junk, i ? 48 : 49, 0) < 0)
				_exit(1);
			recv(peer, &at, sizeof(at), 0);
			close(peer);
		}
		pause();
	}
	CHECK_ERR(CS_UNSUPPORTED, cs_agent_get(h, &got));
	CHECK_ERR(CS_UNSUPPORTED, cs_agent_get(h, &got));
	/* connected by the kernel, and then silence */
	CHECK_ERR(CS_TIMEOUT, cs_agent_get(h, &got));
	CHECK(got == NULL);
	kill(pid, SIGKILL);
	ended(pid);
	close(fd);
	close(dir);
	CHECK_ERR(CS_NOT_FOUND, cs_agent_get(h, &got));
	cs_home_close(h);
}

/* As another user, in the folder of the home, whose path it could not walk. */
static bool
become_nobody(void)
{
	return chdir(test_path("h")) == 0 &&
	       setresuid(65534, 65534, 65534) == 0;
}

static const struct sockaddr_un here = { .sun_family = AF_UNIX,
	.sun_path = "agent" };

/* The folder keeps others out; if it did not, who they are would. */
TEST(agent_serves_its_user_only)
{
	static const uint8_t get[48] = { 'C', 'S', 'A', '1', 1 };
	struct cs_home *h;
	struct cs_secret *key, *got = NULL;
	uint8_t answer[64];
	pid_t pid, other;

	if (geteuid() != 0)
		SKIP("only root can be another user");
	h = make_home("h");
	key = make_key();
	pid = start(h);
	CHECK_OK(cs_agent_put(h, key, 60));
	CHECK(chmod(test_path("h"), 0777) == 0);
	CHECK(chmod(test_path("h/agent"), 0777) == 0);
	other = fork();
	if (other == 0) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

		if (!become_nobody() ||
		    connect(fd, (const struct sockaddr *)&here, sizeof(here)))
			_exit(2);
		(void)!send(fd, get, sizeof(get), MSG_NOSIGNAL);
		_exit(recv(fd, answer, sizeof(answer), 0) > 0 ? 3 : 0);
	}
	CHECK_NUM(0, (uint64_t)ended(other));
	CHECK_OK(cs_agent_get(h, &got));
	CHECK_OK(cs_agent_stop(h));
	CHECK_NUM(0, (uint64_t)ended(pid));
	cs_secret_free(got);
	cs_secret_free(key);
	cs_home_close(h);
}

/* Nor is an agent of somebody else told anything. */
TEST(agent_of_another_user_is_not_asked)
{
	struct cs_home *h;
	struct cs_secret *got = NULL;
	char ready;
	int pipe_fd[2];
	pid_t other;

	if (geteuid() != 0)
		SKIP("only root can be another user");
	h = make_home("h");
	CHECK(chmod(test_path("h"), 0777) == 0);
	CHECK(pipe(pipe_fd) == 0);
	other = fork();
	if (other == 0) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

		if (!become_nobody() ||
		    bind(fd, (const struct sockaddr *)&here, sizeof(here)) ||
		    listen(fd, 4) != 0 || write(pipe_fd[1], "", 1) != 1)
			_exit(2);
		pause();
	}
	close(pipe_fd[1]);
	CHECK(read(pipe_fd[0], &ready, 1) == 1);
	CHECK_ERR(CS_DENIED, cs_agent_get(h, &got));
	CHECK(got == NULL);
	kill(other, SIGKILL);
	ended(other);
	close(pipe_fd[0]);
	cs_home_close(h);
}

/* Without its socket nobody can lock it any more: it must not stay. */
TEST(agent_ends_when_its_home_does)
{
	struct cs_home *h = make_home("h");
	struct cs_secret *key = make_key();
	pid_t pid = start(h);

	CHECK_OK(cs_agent_put(h, key, 60));
	CHECK(unlink(test_path("h/agent")) == 0);
	CHECK_NUM(0, ended(pid));
	cs_secret_free(key);
	cs_home_close(h);
}
