#include "client/agentd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "client/agent.h"
#include "client/agentstate.h"

#define BACKLOG 16
/* poll does not count while the machine sleeps: after that the key must not
 * stay longer than this. */
#define LOOK_MS 5000
/* For a process that connects and says nothing. */
#define PEER_MS 500
/* For an agent that was told to stop to be gone. */
#define GONE_MS 2000
#define POLL_MS 20

struct cs_agentd {
	struct cs_agentstate state;
	struct cs_secret *message; /* what comes in and goes out */
	int dir;                   /* the home: it may be renamed */
	int lock, listener;
	dev_t dev; /* of the socket, which somebody may replace */
	ino_t ino;
};

static volatile sig_atomic_t ended; /* a signal asked for it */

/* ----------------------------------------------------------------- opening */

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* Held for life: which agent is the one does not depend on a file that stays
 * behind. */
static cs_err
take_lock(struct cs_agentd *a, struct cs_why *why, const char *home)
{
	unsigned waited = 0;

	a->lock = openat(a->dir, CS_HOME_AGENT ".lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a->lock < 0) {
		cs_why_set(why, "%s/" CS_HOME_AGENT ".lock: %s", home,
		    strerror(errno));
		return CS_IO;
	}
	while (flock(a->lock, LOCK_EX | LOCK_NB) != 0) {
		if (waited >= GONE_MS) {
			cs_why_set(why, "%s: an agent of this home is running",
			    home);
			return CS_EXISTS;
		}
		pause_ms(POLL_MS);
		waited += POLL_MS;
	}
	return CS_OK;
}

static cs_err
listen_at(struct cs_agentd *a, const struct sockaddr_un *at)
{
	struct stat st;
	mode_t mask;
	int r;

	/* we hold the lock: what is there is of an agent that was killed */
	if (unlinkat(a->dir, CS_HOME_AGENT, 0) != 0 && errno != ENOENT)
		return CS_IO;
	a->listener =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->listener < 0)
		return CS_IO;
	mask = umask(0177); /* 0600 from its first moment on */
	r = bind(a->listener, (const struct sockaddr *)at, sizeof(*at));
	umask(mask);
	if (r != 0 || listen(a->listener, BACKLOG) != 0 ||
	    fstatat(a->dir, CS_HOME_AGENT, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return CS_IO;
	a->dev = st.st_dev;
	a->ino = st.st_ino;
	return CS_OK;
}

cs_err
cs_agentd_open(const struct cs_home *h, struct cs_why *why,
    struct cs_agentd **ret)
{
	struct cs_agentd *a = calloc(1, sizeof(*a));
	struct sockaddr_un at;
	cs_err e;

	if (!a)
		return CS_NO_MEMORY;
	a->dir = a->lock = a->listener = -1;
	CS_TRY(cs_secret_new(CS_AGENTMSG_BYTES + 1, &a->message));
	CS_TRY(cs_agent_address(h, &at, &a->dir));
	CS_TRY(take_lock(a, why, cs_home_dir(h)));
	e = listen_at(a, &at);
	if (e != CS_OK)
		cs_why_set(why, "socket %s/" CS_HOME_AGENT ": %s",
		    cs_home_dir(h), strerror(errno));
	CS_TRY(e);
	*ret = a;
	a = NULL;
out:
	cs_agentd_close(a);
	return e;
}

/* Whether whoever looks into the home still finds this agent. */
static bool
is_in_home(const struct cs_agentd *a)
{
	struct stat st;

	return fstatat(a->dir, CS_HOME_AGENT, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == a->dev && st.st_ino == a->ino;
}

void
cs_agentd_close(struct cs_agentd *a)
{
	if (!a)
		return;
	cs_agentstate_lock(&a->state);
	cs_secret_free(a->message);
	if (a->listener >= 0) {
		if (is_in_home(a))
			unlinkat(a->dir, CS_HOME_AGENT, 0);
		close(a->listener);
	}
	if (a->lock >= 0)
		close(a->lock);
	if (a->dir >= 0)
		close(a->dir);
	free(a);
}

/* ----------------------------------------------------------------- serving */

/* Counts while the machine sleeps: a lid closed over lunch is idle time. */
static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

cs_err
cs_agentd_put(struct cs_agentd *a, const struct cs_secret *key,
    uint64_t timeout_s)
{
	const struct cs_agentmsg_request r = { .op = CS_AGENTMSG_PUT,
		.timeout_s = timeout_s,
		.key = cs_secret_bytes(key) };
	struct cs_agentmsg_reply reply;

	cs_agentstate_handle(&a->state, &r, now_ms(), &reply);
	return reply.code == CS_AGENTMSG_DONE ? CS_OK : CS_NO_MEMORY;
}

/* One message, one answer. Whatever is wrong with it ends the connection and
 * nothing else. */
static void
serve_one(struct cs_agentd *a, int fd)
{
	const struct timeval wait = { .tv_usec = PEER_MS * 1000 };
	struct cs_agentmsg_request request;
	struct cs_agentmsg_reply reply;
	uint8_t *p = cs_secret_mut(a->message);
	struct cs_buf out;
	pid_t pid;
	ssize_t n;

	if (cs_agent_peer(fd, &pid) != CS_OK ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0)
		return;
	n = recv(fd, p, cs_secret_len(a->message), 0);
	if (n < 0 || cs_agentmsg_request((struct cs_bytes){ p, (size_t)n },
			 &request) != CS_OK)
		return;
	cs_agentstate_handle(&a->state, &request, now_ms(), &reply);
	out = cs_buf_fixed(p, CS_AGENTMSG_BYTES);
	cs_agentmsg_put_reply(&out, &reply);
	(void)!send(fd, out.p, out.n, MSG_NOSIGNAL);
}

static void
accept_one(struct cs_agentd *a)
{
	uint8_t *p = cs_secret_mut(a->message);
	int fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	serve_one(a, fd);
	close(fd);
	/* the message may have held a key */
	explicit_bzero(p, cs_secret_len(a->message));
}

static void
on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

/* Signals arrive while it waits and at no other time. */
static cs_err
prepare_signals(sigset_t *ret_waiting)
{
	static const int ends[] = { SIGTERM, SIGINT };
	struct sigaction end = { .sa_handler = on_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (sigaction(ends[i], &end, NULL) != 0)
			return CS_IO;
		sigaddset(&blocked, ends[i]);
	}
	if (sigprocmask(SIG_BLOCK, &blocked, ret_waiting) != 0)
		return CS_IO;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sigdelset(ret_waiting, ends[i]);
	ended = 0;
	return CS_OK;
}

/* Waits for a connection, the lifeline, a signal or the end of the key's time.
 * CS_OK, CS_IO. */
static cs_err
wait_for(struct cs_agentd *a, struct pollfd p[static 2],
    const sigset_t *waiting)
{
	uint64_t ms = cs_agentstate_idle_ms(&a->state, now_ms());
	struct timespec t;

	ms = ms < LOOK_MS ? ms : LOOK_MS;
	t = (struct timespec){ .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };
	p[0].revents = p[1].revents = 0;
	return ppoll(p, 2, &t, waiting) >= 0 || errno == EINTR ? CS_OK : CS_IO;
}

cs_err
cs_agentd_run(struct cs_agentd *a, int lifeline)
{
	struct pollfd p[2] = { { .fd = a->listener, .events = POLLIN },
		{ .fd = lifeline } };
	sigset_t waiting;
	cs_err e;

	CS_TRY(prepare_signals(&waiting));
	while (!ended && !a->state.is_stopped && is_in_home(a)) {
		CS_TRY(wait_for(a, p, &waiting));
		cs_agentstate_tick(&a->state, now_ms());
		if (p[0].revents != 0)
			accept_one(a);
		else if (p[1].revents != 0 && !a->state.key)
			break;
		else if (p[1].revents != 0)
			p[1].fd = -1;
	}
out:
	cs_agentstate_lock(&a->state);
	return e;
}
