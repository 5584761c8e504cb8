#include "client/cli/duty.h"

#include <stdio.h>
#include <string.h>

/* Whoever was shown it through us does not hear from its author. */
static cs_err
print_untold(struct cs_cli *cli, const uint8_t *original, const uint8_t *origin,
    const uint8_t *notice)
{
	struct cs_buf list = { 0 };
	cs_err e;

	CS_TRY(cs_about_untold(cli->client, original, origin, &list));
	for (size_t at = 0; at < list.n;
	     at += strlen((const char *)list.p + at) + 1) {
		fputs(at == 0 ? "You forwarded it to " : ", ", stdout);
		cs_present_text(cs_bytes_str((const char *)list.p + at), false);
	}
	if (list.n > 0) {
		fputs(", whom its author does not tell:\n  consil forward ",
		    stdout);
		cs_present_id(notice);
		puts("\npasses the withdrawal on, as its author signed it\n");
	}
out:
	cs_buf_fini(&list);
	return e;
}

cs_err
cs_duty_print(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_about *about)
{
	struct cs_inbox_message notice = { 0 };
	cs_err e = CS_OK;

	if (m->is_withdrawal)
		return print_untold(cli, cs_about_withdrawn(m),
		    cs_about_origin(m), m->id);
	if (!about->is_withdrawn)
		return CS_OK;
	CS_TRY(cs_inbox_get(cli->client, about->notice, &notice));
	e = print_untold(cli, cs_about_origin(m), cs_about_origin(&notice),
	    about->notice);
out:
	cs_inbox_fini(&notice);
	return e;
}
