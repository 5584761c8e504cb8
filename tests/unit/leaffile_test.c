#include "client/leaffile.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/network.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000)

static struct network n;
static const char *dir;

static void
setup(void)
{
	network_init(&n, NOW);
	dir = test_path("mirror");
	CHECK(mkdir(dir, 0700) == 0);
}

/* The network's log as f lacks it, and a note over it. */
static struct cs_checkpoint
grow(struct cs_leaffile *f, struct cs_buf *note)
{
	struct cs_directory *to = cs_leaffile_directory(f);
	struct cs_log_view view;
	struct cs_checkpoint cp = { .time_s = n.now_s };
	struct cs_bytes leaf;

	while (cs_directory_leaf(n.dir, cs_directory_view(to).size, &leaf) ==
	       CS_OK)
		CHECK_OK(cs_directory_apply(to, leaf));
	view = cs_directory_view(to);
	cp.size = view.size;
	memcpy(cp.root, view.root, sizeof(cp.root));
	cs_buf_reset(note);
	network_sign_checkpoint(&n, &cp, note);
	CHECK_OK(cs_directory_check_checkpoint(to, cs_buf_view(note), &cp));
	return cp;
}

/* A mirror of the network, kept. */
static void
keep_all(struct cs_buf *note)
{
	struct cs_leaffile *f = NULL;
	struct cs_checkpoint cp;

	CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
	cp = grow(f, note);
	CHECK_OK(cs_leaffile_keep(f, cs_buf_view(note), &cp));
	cs_leaffile_close(f);
}

static char *
in_dir(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static size_t
size_of(const char *name)
{
	struct stat st;

	CHECK(stat(in_dir(name), &st) == 0);
	return (size_t)st.st_size;
}

TEST(leaffile_begins_empty_and_keeps)
{
	struct cs_leaffile *f = NULL;
	struct cs_buf note = { 0 };
	struct cs_checkpoint cp;
	size_t before;

	setup();
	CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
	CHECK_NUM(0, cs_leaffile_checkpoint(f)->size);
	CHECK_NUM(0, cs_leaffile_note(f).n);
	cs_leaffile_close(f);

	keep_all(&note);
	CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
	CHECK_NUM(4, cs_leaffile_checkpoint(f)->size);
	CHECK_VIEW(cs_buf_view(&note), cs_leaffile_note(f));

	/* what comes next is appended */
	before = size_of("leaves");
	cs_keyring_free(network_join(&n, "ann@clinic"));
	cp = grow(f, &note);
	CHECK_OK(cs_leaffile_keep(f, cs_buf_view(&note), &cp));
	CHECK(size_of("leaves") > before);
	before = size_of("leaves");
	CHECK_OK(cs_leaffile_keep(f, cs_buf_view(&note), &cp));
	CHECK_NUM(before, size_of("leaves"));
	cs_leaffile_close(f);
	CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
	CHECK_NUM(6, cs_leaffile_checkpoint(f)->size);
	CHECK_NUM(6, cs_directory_view(cs_leaffile_directory(f)).size);
	cs_leaffile_close(f);
	cs_buf_fini(&note);
	network_fini(&n);
}

/* Ended between the leaves and their note, at any byte. */
TEST(leaffile_cuts_off_what_no_note_covers)
{
	struct cs_leaffile *f = NULL;
	struct cs_buf note = { 0 };
	struct cs_bytes more = HEX("0000000a 0102030405");
	size_t before;
	int fd;

	setup();
	keep_all(&note);
	before = size_of("leaves");
	for (size_t cut = 1; cut <= more.n; cut++) {
		fd = open(in_dir("leaves"), O_WRONLY | O_APPEND);
		CHECK(fd >= 0 && write(fd, more.p, cut) == (ssize_t)cut);
		close(fd);
		CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
		CHECK_NUM(4, cs_leaffile_checkpoint(f)->size);
		cs_leaffile_close(f);
		CHECK_NUM(before, size_of("leaves"));
	}
	/* before the first note: all of it */
	CHECK(unlink(in_dir("checkpoint")) == 0);
	CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
	cs_leaffile_close(f);
	CHECK_NUM(0, size_of("leaves"));
	cs_buf_fini(&note);
	network_fini(&n);
}

TEST(leaffile_refuses_what_was_altered)
{
	struct cs_leaffile *f = NULL;
	struct cs_buf note = { 0 };
	struct cs_bytes leaves, checkpoint;
	struct cs_why why = { 0 };
	uint8_t *p;

	setup();
	keep_all(&note);
	leaves = test_read(in_dir("leaves"));
	checkpoint = test_read(in_dir("checkpoint"));
	for (size_t i = 0; i < leaves.n; i += 7) {
		p = test_alloc(leaves.n);
		memcpy(p, leaves.p, leaves.n);
		p[i] ^= 1;
		test_write(in_dir("leaves"), (struct cs_bytes){ p, leaves.n });
		CHECK_ERR(CS_CORRUPT,
		    cs_leaffile_open(dir, n.network_id, &why, &f));
		CHECK(strstr(why.text, "leaves") || strstr(why.text, "check"));
	}
	/* the last leaf is gone */
	test_write(in_dir("leaves"), (struct cs_bytes){ leaves.p, 100 });
	CHECK_ERR(CS_CORRUPT, cs_leaffile_open(dir, n.network_id, NULL, &f));
	test_write(in_dir("leaves"), leaves);
	p = test_alloc(checkpoint.n);
	memcpy(p, checkpoint.p, checkpoint.n);
	p[checkpoint.n - 20] ^= 1;
	test_write(in_dir("checkpoint"), (struct cs_bytes){ p, checkpoint.n });
	CHECK_ERR(CS_CORRUPT, cs_leaffile_open(dir, n.network_id, NULL, &f));
	test_write(in_dir("checkpoint"), cs_bytes_str("none\n"));
	CHECK_ERR(CS_CORRUPT, cs_leaffile_open(dir, n.network_id, NULL, &f));
	test_write(in_dir("checkpoint"), checkpoint);
	CHECK(chmod(in_dir("checkpoint"), 0644) == 0);
	CHECK_ERR(CS_DENIED, cs_leaffile_open(dir, n.network_id, NULL, &f));
	CHECK(chmod(in_dir("checkpoint"), 0600) == 0);
	CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
	cs_leaffile_close(f);
	cs_buf_fini(&note);
	network_fini(&n);
}

TEST(leaffile_says_when_it_cannot_write)
{
	const struct rlimit little = { 64, RLIM_INFINITY };
	struct cs_leaffile *f = NULL;
	struct cs_buf note = { 0 };
	struct cs_checkpoint cp;
	struct rlimit before;

	setup();
	CHECK_ERR(CS_IO,
	    cs_leaffile_open(test_path("nowhere"), n.network_id, NULL, &f));
	CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
	cp = grow(f, &note);
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	CHECK(setrlimit(RLIMIT_FSIZE, &little) == 0);
	CHECK_ERR(CS_FULL, cs_leaffile_keep(f, cs_buf_view(&note), &cp));
	CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	cs_leaffile_close(f);
	CHECK_OK(cs_leaffile_open(dir, n.network_id, NULL, &f));
	CHECK_NUM(0, cs_leaffile_checkpoint(f)->size);
	cs_leaffile_close(f);
	cs_buf_fini(&note);
	network_fini(&n);
}
