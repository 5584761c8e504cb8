#ifndef CS_PROTO_BASE_ERR_H
#define CS_PROTO_BASE_ERR_H

/*
 * One table of errors (err.def) for every layer. CS_OK is 0. Numbers are not
 * stable between versions and never leave the process; codes on the wire are
 * those of proto/frame.def.
 */
typedef enum cs_err {
	CS_OK = 0,
#define CS_ERR(name, class, text) CS_##name,
#include "proto/base/err.def"
#undef CS_ERR
	CS_ERR_COUNT
} cs_err;

/* Exit codes of every program: DESIGN 10. */
enum cs_exit {
	CS_EXIT_OK = 0,
	CS_EXIT_IO = 1,
	CS_EXIT_USAGE = 2,
	CS_EXIT_NOTHING = 3,
	CS_EXIT_AUTH = 4,
	CS_EXIT_BUSY = 5,
};

#define CS_MUST_USE __attribute__((warn_unused_result))

/* The only control-flow macro: needs `cs_err e;` and a label `out:`. */
#define CS_TRY(x)                                                              \
	do {                                                                   \
		e = (x);                                                       \
		if (e != CS_OK)                                                \
			goto out;                                              \
	} while (0)

/* Symbolic name of e, e.g. "BAD_MAC"; static storage, never NULL. */
const char *cs_err_name(cs_err e);

/* One lower-case phrase for e; static storage, never NULL. */
const char *cs_err_text(cs_err e);

/* Exit code of e: one of enum cs_exit. */
int cs_err_exit_code(cs_err e);

#endif
