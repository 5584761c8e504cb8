#ifndef CS_CLIENT_WHY_H
#define CS_CLIENT_WHY_H

/*
 * The sentence behind an error: which party, which object, what to do. Filled
 * where the failure is known best, printed by the program as
 * `consil: <text>: <cs_err_text>`. Parts of it may come from a relay or a
 * sender: whoever prints it passes it through cs_text_show.
 */
#define CS_WHY_BYTES 512

struct cs_why {
	char text[CS_WHY_BYTES]; /* `{ 0 }` is empty */
};

/* Writes the sentence, cut to fit, unless one is there already: the innermost
 * place knows most. w may be NULL. */
void cs_why_set(struct cs_why *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Empties it; before a new attempt. w may be NULL. */
void cs_why_clear(struct cs_why *w);

#endif
