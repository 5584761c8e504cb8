#ifndef CS_RELAY_REPORT_H
#define CS_RELAY_REPORT_H

/*
 * What the relay tells its operator. Libraries call cs_report; only the
 * daemon decides where the lines go. Lines are free of content: no address,
 * no name, no key, no envelope id above CS_REPORT_DEBUG.
 */
enum cs_report_level {
	CS_REPORT_ERROR, /* needs a human */
	CS_REPORT_WARNING,
	CS_REPORT_INFO,
	CS_REPORT_DEBUG,
	CS_REPORT_LEVELS
};

/* Gets one line without its newline; called from any thread. */
typedef void cs_report_sink(enum cs_report_level level, const char *line);

/*
 * Where lines go from now on, and the last level that is passed on; NULL (as
 * at the start of the process) drops them. Before any thread is started.
 */
void cs_report_to(cs_report_sink *sink, enum cs_report_level up_to);

/* One line, printf-style; control characters are replaced, the end is cut. */
void cs_report(enum cs_report_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "error", "warning", "info", "debug"; NULL past the last. */
const char *cs_report_level_name(unsigned level);

#endif
