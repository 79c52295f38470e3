// SPDX-License-Identifier: GPL-2.0-or-later
/* nmrctl detach: end bindings. Their sides stay registered. */
#include <errno.h>
#include <string.h>

#include "nmrctl.h"

static int detach(const struct term *term, const char *word)
{
	int err = word_write(BINDINGS, term->id, "detach", word);

	switch (err) {
	case 0:
		return DONE;
	case EALREADY:
		return fail(NO,
			    "b%llu was closed already (EALREADY); nmrctl show b%llu says what it waits for",
			    term->id, term->id);
	case ENOENT:
	case ENODEV:
		return fail(NO, "b%llu: there is no such binding now (%s)", term->id,
			    error_name(err));
	default:
		return fail_errno(err, NULL, "detaching b%llu", term->id);
	}
}

static int check_terms(const struct terms *terms)
{
	size_t i;

	for (i = 0; i < terms->nr; i++)
		if (terms->term[i].type != TERM_ID || terms->term[i].kset != BINDINGS)
			return fail(USAGE, "%s is no binding; write bN", terms->term[i].given);
	return nmr_loaded() ? DONE : nmr_absent();
}

int cmd_detach(struct options *options, int count, char **arguments)
{
	struct terms terms = {};
	int status, result;
	size_t i;

	if (count < 2)
		return fail(USAGE,
			    "usage: nmrctl detach fallback|abort BINDING... [--wait[=SECONDS]]");
	if (strcmp(arguments[0], "fallback") && strcmp(arguments[0], "abort"))
		return fail(USAGE, "unknown way to detach: %s; it is fallback or abort",
			    arguments[0]);
	result = terms_parse(&terms, arguments + 1, count - 1);
	if (!result)
		result = check_terms(&terms);
	/* Detach nothing if there is a fault in the command line. */
	if (result)
		goto out;
	for (i = 0; result <= NO && i < terms.nr; i++) {
		status = detach(&terms.term[i], arguments[0]);
		if (!status && options->wait >= 0)
			status = wait_gone(terms.term[i].id, options->wait);
		if (status > result)
			result = status;
	}
out:
	terms_free(&terms);
	return result;
}
