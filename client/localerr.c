#include "client/localerr.h"

#include <errno.h>
#include <lmdb.h>
#include <stddef.h>

cs_err
cs_localerr(int rc)
{
	static const struct {
		int rc;
		cs_err e;
	} table[] = {
		{ 0, CS_OK },
		{ MDB_NOTFOUND, CS_NOT_FOUND },
		{ MDB_MAP_FULL, CS_FULL },
		{ ENOSPC, CS_FULL },
		{ EDQUOT, CS_FULL },
		{ EFBIG, CS_FULL },
		{ ENOMEM, CS_NO_MEMORY },
		{ EACCES, CS_DENIED },
		{ EPERM, CS_DENIED },
		{ EROFS, CS_DENIED },
		{ MDB_CORRUPTED, CS_CORRUPT },
		{ MDB_PAGE_NOTFOUND, CS_CORRUPT },
		{ MDB_INVALID, CS_CORRUPT },
		{ MDB_VERSION_MISMATCH, CS_CORRUPT },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].rc == rc)
			return table[i].e;
	return CS_IO;
}
