// SPDX-License-Identifier: GPL-2.0-or-later
/* nmrctl reoffer: have pairs offered again that are not attached */
#include <errno.h>

#include "nmrctl.h"

static int reoffer(const struct party *party, const char *word)
{
	int err = word_write(party->side, party->id, "reoffer", word);

	if (!err)
		return DONE;
	if (err == ESHUTDOWN)
		return fail(NO,
			    "%c%llu (%s) is deregistering (ESHUTDOWN), so it gets no offers",
			    id_letter[party->side], party->id, party->module);
	if (err == ENOENT || err == ENODEV)
		return fail(NO, "%c%llu (%s) has gone (%s)", id_letter[party->side],
			    party->id, party->module, error_name(err));
	return fail_errno(err, NULL, "offering to %c%llu (%s) again",
			  id_letter[party->side], party->id, party->module);
}

/* All pairs of an interface are those of its clients. */
static bool concerned(const struct party *party)
{
	return party->named || (party->side == CLIENT && party->interface &&
				party->interface->named);
}

static int check_terms(const struct terms *terms)
{
	size_t i;

	for (i = 0; i < terms->nr; i++)
		if (terms->term[i].type == TERM_ID && terms->term[i].kset == BINDINGS)
			return fail(USAGE,
				    "%s is a binding; reoffer takes clients, providers, interfaces and modules",
				    terms->term[i].given);
	return DONE;
}

int cmd_reoffer(struct options *options, int count, char **arguments)
{
	const char *word = options->all ? "all" : "deferred";
	struct model model = {};
	struct terms terms = {};
	int status, result;
	enum nmr_side side;
	size_t i;

	if (!count)
		return fail(USAGE, "usage: nmrctl reoffer [--all] OBJECT...");
	result = terms_parse(&terms, arguments, count);
	if (!result)
		result = check_terms(&terms);
	if (!result)
		result = model_get(&model, options, 0, &terms);
	/* The model may have selected some when a fault in the command line is found. */
	if (result)
		goto out;
	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < model.nr_parties[side]; i++) {
			status = concerned(&model.parties[side][i]) ?
				 reoffer(&model.parties[side][i], word) : DONE;
			result = result ?: status;
		}
	}
out:
	terms_free(&terms);
	model_free(&model);
	return result;
}
