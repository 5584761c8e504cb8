#include "client/dicomshow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/test.h"

TEST(dicomshow_makes_nothing_of_what_is_no_image)
{
	int in = memfd_create("in", MFD_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);
	char junk[200] = { 0 };
	cs_err e;

	memcpy(junk + 128, "DICM", 4);
	CHECK(write(in, junk, sizeof(junk)) == sizeof(junk));
	e = cs_dicomshow(in, out);
	if (e == CS_NOT_FOUND)
		SKIP("dcmtk is not installed");
	CHECK_ERR(CS_UNSUPPORTED, e);
	close(in);
	close(out);
}

TEST(dicomshow_says_that_no_program_is_there)
{
	int in = memfd_create("in", MFD_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);

	CHECK(setenv("PATH", "/nowhere", 1) == 0);
	CHECK_ERR(CS_NOT_FOUND, cs_dicomshow(in, out));
	close(in);
	close(out);
}
