// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmrctl check: is a binding stuck? It is if it has not drained when stuck_seconds have passed
 * since it closed, or, which root alone can see, if it has not attached when they have passed.
 */
#include <string.h>

#include "nmrctl.h"

#define STUCK_SECONDS	30	/* if nmr's parameter is 0 */

static double limit(const struct options *options)
{
	long seconds;

	if (options->stuck >= 0)
		return options->stuck * 1000;
	seconds = parameter("stuck_seconds", STUCK_SECONDS);
	return (seconds > 0 ? seconds : STUCK_SECONDS) * 1000.0;
}

static void select_party(struct party *party)
{
	party->selected = true;
	party->interface->selected = true;
}

static void select_none(struct model *model)
{
	enum nmr_side side;
	size_t i;

	for (i = 0; i < model->nr_bindings; i++)
		model->bindings[i].selected = false;
	for (i = 0; i < model->nr_interfaces; i++)
		model->interfaces[i].selected = false;
	for (side = 0; side < SIDES; side++)
		for (i = 0; i < model->nr_parties[side]; i++)
			model->parties[side][i].selected = false;
}

static void binding_say(const struct binding *b)
{
	char since[TEXT_SIZE], waits[TEXT_SIZE];

	binding_since_text(b, since, sizeof(since));
	binding_waits_text(b, waits, sizeof(waits));
	printf("b%llu: %s (c%llu) -> %s (p%llu) %s; %s\n", b->id,
	       b->party[CLIENT]->module, b->party_id[CLIENT], b->party[PROVIDER]->module,
	       b->party_id[PROVIDER], since, waits);
}

static bool bindings_check(struct model *model, double ms, bool say)
{
	bool stuck = false;
	size_t i;

	for (i = 0; i < model->nr_bindings; i++) {
		struct binding *b = &model->bindings[i];

		if (!binding_drains(b) || b->pending_ms < ms)
			continue;
		stuck = true;
		b->selected = true;
		select_party(b->party[CLIENT]);
		select_party(b->party[PROVIDER]);
		if (say)
			binding_say(b);
	}
	return stuck;
}

static bool pairs_check(struct model *model, double ms, bool say)
{
	char text[TEXT_SIZE];
	bool stuck = false;
	size_t i;

	for (i = 0; i < model->nr_pairs; i++) {
		const struct pair *pair = &model->pairs[i];
		struct party *client = model_party(model, CLIENT, pair->party_id[CLIENT]);
		struct party *provider = model_party(model, PROVIDER,
						     pair->party_id[PROVIDER]);

		if (strcmp(pair->outcome, "attaching") || pair->for_ms < ms)
			continue;
		stuck = true;
		select_party(client);
		select_party(provider);
		pair_text(pair, text, sizeof(text));
		if (say)
			printf("%s (c%llu) -> %s (p%llu) %s\n", client->module,
			       client->id, provider->module, provider->id, text);
	}
	return stuck;
}

int cmd_check(struct options *options, int count, char **arguments)
{
	const struct terms none = {};
	struct model model = {};
	bool say = !options->json, stuck;
	int status;

	if (count)
		return fail(USAGE, "check takes no OBJECT: %s", arguments[0]);
	status = model_get(&model, options, options->json ? NEED_ALL :
			   NEED_DRAIN | NEED_CALLS | NEED_MODULE | NEED_INTERFACE |
			   NEED_ALL_PAIRS, &none);
	if (!status) {
		select_none(&model);
		stuck = bindings_check(&model, limit(options), say);
		stuck |= pairs_check(&model, limit(options), say);
		status = stuck ? NO : DONE;
		if (options->json && json_print(&model))
			status = FAILED;
	}
	model_free(&model);
	return status;
}
