#ifndef CS_CLIENT_CLI_PICTURES_H
#define CS_CLIENT_CLI_PICTURES_H

#include "client/cli/cli.h"
#include "client/inbox.h"

/* Options `pictures` and `pictures-as`; ends with a NULL name. */
#define CS_PICTURES_OPTIONS                                                    \
	{ "pictures", CS_OPTION_FLAG, NULL,                                    \
		"draw the key images, where the output is a terminal" },       \
	{                                                                      \
		"pictures-as", CS_OPTION_ONE, "FORMAT",                        \
		    "symbols, sixels, kitty or iterm; also where it is none"   \
	}

/*
 * Draws the key images that came with a message, by dcmtk and chafa, from
 * memory only. What cannot be drawn is said on stderr. Nothing unless asked
 * for. CS_OK, CS_USAGE (--pictures-as), CS_NOT_FOUND (a program is not
 * installed), CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_pictures_draw(struct cs_cli *cli,
    const struct cs_inbox_message *m);

#endif
