#include "client/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/agentmsg.h"

/* An agent answers at once; one that was stopped must not stop its user. */
#define WAIT_S 5

cs_err
cs_agent_address(const struct cs_home *h, struct sockaddr_un *ret, int *ret_dir)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char path[CS_HOME_PATH_BYTES];
	int dir = open(cs_home_dir(h), O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return CS_IO;
	cs_home_path(h, CS_HOME_AGENT, NULL, NULL, path);
	if (strlen(path) < sizeof(a.sun_path))
		memcpy(a.sun_path, path, strlen(path) + 1);
	else
		snprintf(a.sun_path, sizeof(a.sun_path),
		    "/proc/self/fd/%d/" CS_HOME_AGENT, dir);
	*ret = a;
	*ret_dir = dir;
	return CS_OK;
}

cs_err
cs_agent_peer(int fd, pid_t *ret)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		return CS_IO;
	if (peer.uid != geteuid())
		return CS_DENIED;
	*ret = peer.pid;
	return CS_OK;
}

/* What a failed system call on the socket means. */
static cs_err
socket_err(int number)
{
	static const struct {
		int number;
		cs_err e;
	} table[] = {
		{ ENOENT, CS_NOT_FOUND },
		{ ECONNREFUSED, CS_NOT_FOUND }, /* one that was killed */
		{ EACCES, CS_DENIED },
		{ EPROTOTYPE, CS_UNSUPPORTED },
		{ EAGAIN, CS_TIMEOUT },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (table[i].number == number)
			return table[i].e;
	}
	return CS_IO;
}

static cs_err
dial(const struct cs_home *h, int *ret_fd, pid_t *ret_pid)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	struct sockaddr_un to;
	int dir = -1, fd = -1;
	cs_err e;

	CS_TRY(cs_agent_address(h, &to, &dir));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		CS_TRY(socket_err(errno));
	CS_TRY(cs_agent_peer(fd, ret_pid));
	*ret_fd = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return e;
}

/* Messages hold keys: both lie in guarded memory. */
static cs_err
exchange(int fd, const struct cs_agentmsg_request *r,
    struct cs_secret **ret_raw, struct cs_agentmsg_reply *ret)
{
	struct cs_secret *raw = NULL;
	struct cs_buf out;
	ssize_t n;
	cs_err e;

	/* one byte more shows a message that is too long */
	CS_TRY(cs_secret_new(CS_AGENTMSG_BYTES + 1, &raw));
	out = cs_buf_fixed(cs_secret_mut(raw), CS_AGENTMSG_BYTES);
	cs_agentmsg_put_request(&out, r);
	if (send(fd, out.p, out.n, MSG_NOSIGNAL) != (ssize_t)out.n)
		CS_TRY(socket_err(errno));
	n = recv(fd, cs_secret_mut(raw), cs_secret_len(raw), 0);
	if (n < 0)
		CS_TRY(socket_err(errno));
	cs_secret_cut(raw, (size_t)n);
	CS_TRY(cs_agentmsg_reply(cs_secret_view(raw), ret));
	*ret_raw = raw;
	raw = NULL;
out:
	cs_secret_free(raw);
	return e;
}

/* ret_raw: what ret->key borrows from. */
static cs_err
ask(const struct cs_home *h, const struct cs_agentmsg_request *r,
    struct cs_secret **ret_raw, struct cs_agentmsg_reply *ret, pid_t *ret_pid)
{
	static const cs_err codes[] = {
		[CS_AGENTMSG_DONE] = CS_OK,
		[CS_AGENTMSG_LOCKED] = CS_NO_KEY,
		[CS_AGENTMSG_REFUSED] = CS_NO_MEMORY,
	};
	struct cs_secret *raw = NULL;
	int fd = -1;
	cs_err e;

	CS_TRY(dial(h, &fd, ret_pid));
	CS_TRY(exchange(fd, r, &raw, ret));
	CS_TRY(codes[ret->code]);
	*ret_raw = raw;
	raw = NULL;
out:
	if (fd >= 0)
		close(fd);
	cs_secret_free(raw);
	return e;
}

static cs_err
tell(const struct cs_home *h, const struct cs_agentmsg_request *r)
{
	struct cs_agentmsg_reply reply;
	struct cs_secret *raw = NULL;
	pid_t pid;
	cs_err e = ask(h, r, &raw, &reply, &pid);

	cs_secret_free(raw);
	return e;
}

cs_err
cs_agent_get(const struct cs_home *h, struct cs_secret **ret_key)
{
	const struct cs_agentmsg_request r = { .op = CS_AGENTMSG_GET };
	struct cs_agentmsg_reply reply;
	struct cs_secret *raw = NULL;
	pid_t pid;
	cs_err e;

	CS_TRY(ask(h, &r, &raw, &reply, &pid));
	CS_TRY(reply.key ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_secret_copy((struct cs_bytes){ reply.key,
				  CS_AGENTMSG_KEY_BYTES },
	    ret_key));
out:
	cs_secret_free(raw);
	return e;
}

cs_err
cs_agent_put(const struct cs_home *h, const struct cs_secret *key,
    uint64_t timeout_s)
{
	return tell(h, &(struct cs_agentmsg_request){ .op = CS_AGENTMSG_PUT,
			   .timeout_s = timeout_s,
			   .key = cs_secret_bytes(key) });
}

cs_err
cs_agent_lock(const struct cs_home *h)
{
	return tell(h, &(struct cs_agentmsg_request){ .op = CS_AGENTMSG_LOCK });
}

cs_err
cs_agent_stop(const struct cs_home *h)
{
	return tell(h, &(struct cs_agentmsg_request){ .op = CS_AGENTMSG_STOP });
}

cs_err
cs_agent_status(const struct cs_home *h, struct cs_agent_status *ret)
{
	const struct cs_agentmsg_request r = { .op = CS_AGENTMSG_STATUS };
	struct cs_agentmsg_reply reply;
	struct cs_secret *raw = NULL;
	pid_t pid;
	cs_err e;

	CS_TRY(ask(h, &r, &raw, &reply, &pid));
	*ret = (struct cs_agent_status){
		.pid = pid, .unlocked = reply.unlocked, .left_s = reply.left_s
	};
out:
	cs_secret_free(raw);
	return e;
}
