#include "client/place.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/segfile.h"
#include "tests/test.h"

static const char *
name_of(const char *label)
{
	char *name = test_alloc(CS_PLACE_NAME_BYTES);

	cs_place_name(cs_bytes_str(label), name);
	return name;
}

TEST(place_names_are_harmless)
{
	CHECK_STR("scan.pdf", name_of("scan.pdf"));
	CHECK_STR("passwd", name_of("../../etc/passwd"));
	CHECK_STR("x.exe", name_of("C:\\Users\\x.exe"));
	CHECK_STR("attachment", name_of(""));
	CHECK_STR("attachment", name_of("folder/"));
	CHECK_STR("__", name_of(".."));
	CHECK_STR("_bashrc", name_of(".bashrc"));
	CHECK_STR("_rf", name_of("-rf"));
	CHECK_STR("a_b__x09c__x0a.txt", name_of("a b;\tc|\n.txt"));
	CHECK_STR("Größe.dcm", name_of("Größe.dcm"));
}

/* A right-to-left override would show exe.pdf for pdf.exe. */
TEST(place_names_show_what_is_hidden)
{
	CHECK(strstr(name_of("fdp\xe2\x80\xae.exe"), "\xe2\x80\xae") == NULL);
	CHECK(strchr(name_of("a\x1b[2J"), '\x1b') == NULL);
}

TEST(place_names_are_bounded)
{
	char label[1025];
	const char *name;

	memset(label, 'a', 1024);
	memcpy(label + 1020, ".pdf", 4);
	label[1024] = '\0';
	name = name_of(label);
	CHECK(strlen(name) < 200);
	CHECK_STR(".pdf", name + strlen(name) - 4);
	memset(label, '\xc3', 1024);
	for (int i = 1; i < 1024; i += 2)
		label[i] = '\xa4';
	name = name_of(label);
	CHECK(strlen(name) < 200 && strlen(name) % 2 == 0);
}

/* An attachment in the home, and the row that names it. */
struct stored {
	struct cs_secret *key;
	struct cs_manifest_object row;
	int dirfd;
};

static void
begin(struct stored *s, const char *label)
{
	struct cs_segfile_sealed sealed;

	*s = (struct stored){ 0 };
	CHECK_OK(cs_secret_random(CS_FILE_KEY_BYTES, &s->key));
	test_write(test_path("plain"), cs_bytes_str("the sender's bytes"));
	CHECK_OK(cs_segfile_seal(test_path("plain"), s->key, s->row.object_id,
	    test_path("sealed"), NULL, &sealed));
	s->row.name = cs_bytes_str(label);
	s->row.bytes = sealed.bytes;
	s->row.key = cs_secret_bytes(s->key);
	memcpy(s->row.sha256, sealed.sha256, CS_HASH_BYTES);
	CHECK(mkdir(test_path("out"), 0700) == 0);
	s->dirfd = open(test_path("out"), O_RDONLY | O_DIRECTORY);
}

static void
end(struct stored *s)
{
	close(s->dirfd);
	cs_secret_free(s->key);
}

TEST(place_writes_and_never_overwrites)
{
	char name[CS_PLACE_NAME_BYTES];
	struct stored s;
	struct stat st;

	begin(&s, "../scan.pdf");
	CHECK_OK(cs_place_object(s.dirfd, test_path("sealed"), &s.row, name));
	CHECK_STR("scan.pdf", name);
	CHECK(stat(test_path("out/scan.pdf"), &st) == 0);
	CHECK_NUM(0600, st.st_mode & 0777);
	CHECK(symlink("/etc/passwd", test_path("out/scan-2.pdf")) == 0);
	CHECK_OK(cs_place_object(s.dirfd, test_path("sealed"), &s.row, name));
	CHECK_STR("scan-3.pdf", name);
	CHECK_VIEW(cs_bytes_str("the sender's bytes"),
	    test_read(test_path("out/scan-3.pdf")));
	end(&s);
}

TEST(place_leaves_nothing_of_what_does_not_verify)
{
	char name[CS_PLACE_NAME_BYTES] = "untouched";
	struct stored s;

	begin(&s, "scan.pdf");
	s.row.sha256[3] ^= 1;
	CHECK_ERR(CS_CORRUPT,
	    cs_place_object(s.dirfd, test_path("sealed"), &s.row, name));
	CHECK_STR("untouched", name);
	end(&s);
	CHECK(rmdir(test_path("out")) == 0); /* empty */
}
