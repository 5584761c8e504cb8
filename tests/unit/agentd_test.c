#include "client/agentd.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

static struct cs_home *
make_home(void)
{
	struct cs_home *h = NULL;

	CHECK_OK(cs_home_open(test_path("h"), true, NULL, &h));
	return h;
}

/* Who started it gave up at the prompt: a locked agent of nobody is no use. */
TEST(agentd_ends_with_its_lifeline)
{
	struct cs_home *h = make_home();
	struct cs_agentd *a = NULL;
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK_OK(cs_agentd_open(h, NULL, &a));
	close(pair[0]);
	CHECK_OK(cs_agentd_run(a, pair[1]));
	cs_agentd_close(a);
	close(pair[1]);
	cs_home_close(h);
}

TEST(agentd_stays_with_a_key)
{
	struct cs_home *h = make_home();
	struct cs_agentd *a = NULL;
	struct cs_secret *key = NULL;
	int pair[2];
	pid_t killer;

	CHECK_OK(cs_secret_random(32, &key));
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK_OK(cs_agentd_open(h, NULL, &a));
	CHECK_OK(cs_agentd_put(a, key, 60));
	close(pair[0]);
	alarm(20); /* if it does not hear of SIGTERM */
	killer = fork();
	if (killer == 0) {
		usleep(300000);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	CHECK_OK(cs_agentd_run(a, pair[1]));
	alarm(0);
	CHECK(killer > 0 && waitpid(killer, NULL, 0) == killer);
	cs_agentd_close(a);
	close(pair[1]);
	cs_secret_free(key);
	cs_home_close(h);
}

TEST(agentd_says_where_there_can_be_no_socket)
{
	struct cs_home *h = make_home();
	struct cs_agentd *a = NULL;
	struct cs_why why = { 0 };

	CHECK(mkdir(test_path("h/agent"), 0700) == 0);
	CHECK_ERR(CS_IO, cs_agentd_open(h, &why, &a));
	CHECK(strstr(why.text, "h/agent") != NULL);
	CHECK(a == NULL);
	cs_home_close(h);
}
