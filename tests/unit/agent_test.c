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

/* The folder keeps others out; if it did not, who they are would. */
TEST(agent_serves_its_user_only)
{
	struct cs_home *h = make_home("h");
	struct cs_secret *key = make_key(), *got = NULL;
	uint8_t answer[64];
	int status = -1, fd;
	pid_t pid, other;

	if (geteuid() != 0)
		SKIP("only root can be another user");
	pid = start(h);
	CHECK_OK(cs_agent_put(h, key, 60));
	for (const char *p = "h"; p; p = strcmp(p, "h") ? NULL : "h/agent")
		CHECK(chmod(test_path(p), 0777) == 0);
	CHECK(chmod(test_dir(), 0755) == 0);
	other = fork();
	if (other == 0) {
		struct sockaddr_un to;
		static const uint8_t get[48] = { 'C', 'S', 'A', '1', 1 };
		int dir;

		fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		if (setresuid(65534, 65534, 65534) != 0 ||
		    cs_agent_address(h, &to, &dir) != CS_OK ||
		    connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
			_exit(2);
		(void)!send(fd, get, sizeof(get), MSG_NOSIGNAL);
		if (recv(fd, answer, sizeof(answer), 0) > 0)
			_exit(3);
		/* nor does this side trust an agent of somebody else */
		_exit(cs_agent_get(h, &got) == CS_DENIED ? 0 : 4);
	}
	CHECK(waitpid(other, &status, 0) == other && WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		SKIP("another user cannot get there");
	CHECK_NUM(0, WEXITSTATUS(status));
	CHECK_OK(cs_agent_get(h, &got));
	CHECK_OK(cs_agent_stop(h));
	CHECK_NUM(0, ended(pid));
	cs_secret_free(got);
	cs_secret_free(key);
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
