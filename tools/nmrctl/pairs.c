// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why a client and a provider are not attached: the lines of nmr/pairs in debugfs, which root
 * alone can read. Documentation/ABI/testing/debugfs-nmr has their texts.
 */
#include <stdlib.h>
#include <string.h>

#include "nmrctl.h"

#define PAIRS	"/sys/kernel/debug/nmr/pairs"

struct outcome {
	const char	*text;		/* the beginning of what the kernel says */
	const char	*word;
	const char	*by;
};

static const struct outcome outcomes[] = {
	{ "attaching", "attaching", NULL },
	{ "detaching", "detaching", NULL },
	{ "deferred", "deferred", NULL },
	{ "declined by the client", "declined", "client" },
	{ "declined by the provider", "declined", "provider" },
	{ "aborted", "aborted", NULL },
	{ "withheld, the client has as many bindings as it takes", "full", NULL },
	{ "withheld, an allocation failed", "no-memory", NULL },
	{ "about to be offered", "offered", NULL },
};

/* Parse "SIDE N (MODULE)". Return: what follows, or NULL. */
static const char *party_parse(const char *line, const char *side, unsigned long long *id)
{
	size_t length = strlen(side);

	if (strncmp(line, side, length) || line[length] != ' ' ||
	    !id_parse(line + length + 1, id, &line) || strncmp(line, " (", 2))
		return NULL;
	line = strchr(line, ')');
	return line ? line + 1 : NULL;
}

static void details_parse(const char *text, struct pair *pair)
{
	const char *found = strstr(text, ", error "), *end;
	unsigned long long n;

	pair->error = 0;
	if (found && found[8] == '-' && id_parse(found + 9, &n, &end) && n < 4096)
		pair->error = n;
	pair->for_ms = -1;
	found = strstr(text, " for ");
	if (found && id_parse(found + 5, &n, &end) && n < INT64_MAX && !strncmp(end, " ms", 3))
		pair->for_ms = n;
	found = strstr(text, " in task ");
	pair->task = found ? intern(found + 9) : NULL;
}

/* Parse a line without its end. The words of a newer kernel are kept as they are. */
bool pair_parse(const char *line, struct pair *pair)
{
	size_t i;

	line = party_parse(line, "client", &pair->party_id[CLIENT]);
	if (!line || *line++ != ' ')
		return false;
	line = party_parse(line, "provider", &pair->party_id[PROVIDER]);
	if (!line || strncmp(line, ": ", 2))
		return false;
	line += 2;
	details_parse(line, pair);
	for (i = 0; i < ARRAY_SIZE(outcomes); i++) {
		if (strncmp(line, outcomes[i].text, strlen(outcomes[i].text)))
			continue;
		pair->outcome = outcomes[i].word;
		pair->by = outcomes[i].by;
		return true;
	}
	pair->outcome = intern(line);
	pair->by = NULL;
	return true;
}

/* Tell whether a client waits for an offer. */
static bool pairs_matter(const struct model *model)
{
	size_t i;

	if (model->need & NEED_ALL_PAIRS)
		return true;
	for (i = 0; model->need & NEED_PAIRS && i < model->nr_parties[CLIENT]; i++) {
		const struct party *client = &model->parties[CLIENT][i];

		if (!client->nr_bindings && client->interface &&
		    client->interface->nr_parties[PROVIDER])
			return true;
	}
	return false;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	enum nmr_side side = x->party_id[CLIENT] != y->party_id[CLIENT] ? CLIENT : PROVIDER;

	return x->party_id[side] < y->party_id[side] ? -1 :
	       x->party_id[side] > y->party_id[side];
}

/* Read the lines on parties that the model has. */
void pairs_read(struct model *model)
{
	FILE *file = pairs_matter(model) ? fopen(rooted(PAIRS), "re") : NULL;
	struct pair pair;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return;
	model->pairs_known = true;
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		printable(line);
		if (!pair_parse(line, &pair) ||
		    !model_party(model, CLIENT, pair.party_id[CLIENT]) ||
		    !model_party(model, PROVIDER, pair.party_id[PROVIDER]))
			continue;
		model->pairs = enlarge(model->pairs, model->nr_pairs, sizeof(pair));
		model->pairs[model->nr_pairs++] = pair;
	}
	free(line);
	fclose(file);
	if (model->nr_pairs)
		qsort(model->pairs, model->nr_pairs, sizeof(pair), compare_pairs);
}

static const struct pair *client_pair(const struct model *model, unsigned long long client)
{
	size_t low = 0, high = model->nr_pairs, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (model->pairs[middle].party_id[CLIENT] < client)
			low = middle + 1;
		else
			high = middle;
	}
	return &model->pairs[low];
}

/* Return: the next pair of a client, or NULL; the first if @after is NULL. */
const struct pair *pair_of(const struct model *model, const struct party *client,
			   const struct pair *after)
{
	const struct pair *pair = after ? after + 1 : client_pair(model, client->id);

	if (pair == model->pairs + model->nr_pairs || pair->party_id[CLIENT] != client->id)
		return NULL;
	return pair;
}

/* Write the outcome of a pair in words, without its parties. */
void pair_text(const struct pair *pair, char *text, size_t size)
{
	char time[32];

	if (pair->by) {
		snprintf(text, size, "declined by the %s: %s", pair->by,
			 error_name(pair->error));
	} else if (pair->for_ms >= 0) {
		duration_text(pair->for_ms, time, sizeof(time));
		snprintf(text, size, "%s for %s%s%s", pair->outcome, time,
			 pair->task ? ", in task " : "", pair->task ?: "");
	} else if (!strcmp(pair->outcome, "full")) {
		snprintf(text, size, "the client is full");
	} else if (!strcmp(pair->outcome, "no-memory")) {
		snprintf(text, size, "an allocation failed");
	} else if (!strcmp(pair->outcome, "offered")) {
		snprintf(text, size, "about to be offered");
	} else {
		snprintf(text, size, "%s", pair->outcome);
	}
}
