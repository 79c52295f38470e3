// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Joins bindings and parties by their numbers, and parties to interfaces. Each step sorts or
 * looks up by halves, so the cost is that of n log n.
 */
#include <stdlib.h>
#include <string.h>

#include "nmrctl.h"

/* Remove bindings that have no known sides, or that are gone. */
static void bindings_compact(struct model *model)
{
	struct binding *b = model->bindings;
	size_t i, n = 0;

	for (i = 0; i < model->nr_bindings; i++)
		if (!b[i].gone)
			b[n++] = b[i];
	model->nr_bindings = n;
}

static void parties_compact(struct model *model, enum nmr_side side)
{
	struct party *party = model->parties[side];
	size_t i, n = 0;

	for (i = 0; i < model->nr_parties[side]; i++)
		if (!party[i].gone)
			party[n++] = party[i];
	model->nr_parties[side] = n;
}

/* Give each party of a side the array of its bindings, in the order of their numbers. */
static void bindings_by_party(struct model *model, enum nmr_side side)
{
	struct binding **place;
	size_t i;

	free(model->party_bindings[side]);
	place = allocate(model->nr_bindings * sizeof(*place));
	model->party_bindings[side] = place;
	for (i = 0; i < model->nr_parties[side]; i++)
		model->parties[side][i].nr_bindings = 0;
	for (i = 0; i < model->nr_bindings; i++)
		model->bindings[i].party[side]->nr_bindings++;
	for (i = 0; i < model->nr_parties[side]; i++) {
		struct party *party = &model->parties[side][i];

		party->bindings = place;
		place += party->nr_bindings;
		party->nr_bindings = 0;
	}
	for (i = 0; i < model->nr_bindings; i++) {
		struct party *party = model->bindings[i].party[side];

		party->bindings[party->nr_bindings++] = &model->bindings[i];
	}
}

void model_join(struct model *model)
{
	enum nmr_side side;
	size_t i;

	if (!(model->need & NEED_SIDES))
		return;
	for (i = 0; i < model->nr_bindings; i++) {
		struct binding *b = &model->bindings[i];

		for (side = 0; side < SIDES; side++) {
			b->party[side] = model_party(model, side, b->party_id[side]);
			b->gone |= !b->party[side];
		}
	}
	bindings_compact(model);
	for (side = 0; side < SIDES; side++)
		bindings_by_party(model, side);
}

/* Let a client that is bound have the interface of its provider. */
static void guids_spread(struct model *model)
{
	size_t i;

	for (i = 0; model->need & NEED_SIDES && i < model->nr_bindings; i++) {
		struct party **party = model->bindings[i].party;

		if (!party[CLIENT]->guid)
			party[CLIENT]->guid = party[PROVIDER]->guid;
	}
}

static int compare_guids(const void *a, const void *b)
{
	const struct interface *x = a, *y = b;

	return x->guid < y->guid ? -1 : x->guid > y->guid;
}

static struct interface *interface_find(struct interface *interfaces, size_t n,
					const char *guid)
{
	struct interface key = { .guid = guid };

	return n ? bsearch(&key, interfaces, n, sizeof(key), compare_guids) : NULL;
}

/* List the GUIDs of all parties, each once, in the order of their addresses. */
static void interfaces_list(struct model *model)
{
	struct interface *list = NULL;
	size_t n = 0, i, unique = 0;
	const char *last = NULL;
	enum nmr_side side;

	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < model->nr_parties[side]; i++) {
			if (!model->parties[side][i].guid ||
			    model->parties[side][i].guid == last)
				continue;
			last = model->parties[side][i].guid;
			list = enlarge(list, n, sizeof(*list));
			list[n++] = (struct interface) { .guid = last };
		}
	}
	if (n)
		qsort(list, n, sizeof(*list), compare_guids);
	for (i = 0; i < n; i++)
		if (!unique || list[unique - 1].guid != list[i].guid)
			list[unique++] = list[i];
	model->interfaces = list;
	model->nr_interfaces = unique;
}

static void parties_by_interface(struct model *model)
{
	enum nmr_side side;
	size_t i;

	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < model->nr_parties[side]; i++) {
			struct party *party = &model->parties[side][i];
			struct interface *in = interface_find(model->interfaces,
							      model->nr_interfaces,
							      party->guid);

			if (!in)
				continue;
			in->parties[side] = enlarge(in->parties[side], in->nr_parties[side],
						    sizeof(party));
			in->parties[side][in->nr_parties[side]++] = party;
			in->nr_bindings += side == PROVIDER ? party->nr_bindings : 0;
		}
	}
}

/* Find the name of an interface: by /etc, or by the modules of its parties. */
static void interface_learn(struct interface *in)
{
	const char **modules = NULL, *last = NULL;
	enum nmr_side side;
	size_t i, n = 0;

	for (side = SIDES; side-- > 0;) {
		for (i = 0; i < in->nr_parties[side]; i++) {
			if (in->parties[side][i]->module == last)
				continue;
			last = in->parties[side][i]->module;
			modules = enlarge(modules, n, sizeof(*modules));
			modules[n++] = last;
		}
	}
	names_learn(in->guid, modules, n);
	in->name = interface_name(in->guid);
	free(modules);
}

/* Those with names come first, in the order of these. */
static int compare_names(const void *a, const void *b)
{
	const struct interface *x = a, *y = b;
	int order = !x->name - !y->name;

	if (!order && x->name)
		order = strcmp(x->name, y->name);
	return order ?: strcmp(x->guid, y->guid);
}

/* Join parties to interfaces, and drop all that has gone. */
void model_group(struct model *model)
{
	enum nmr_side side;
	size_t i, j;

	bindings_compact(model);
	for (side = 0; side < SIDES; side++) {
		parties_compact(model, side);
		free(model->party_bindings[side]);
		model->party_bindings[side] = NULL;
	}
	model_join(model);
	guids_spread(model);
	interfaces_list(model);
	parties_by_interface(model);
	for (i = 0; model->need & NEED_NAMES && i < model->nr_interfaces; i++)
		interface_learn(&model->interfaces[i]);
	if (model->nr_interfaces)
		qsort(model->interfaces, model->nr_interfaces, sizeof(*model->interfaces),
		      compare_names);
	for (i = 0; i < model->nr_interfaces; i++) {
		struct interface *in = &model->interfaces[i];

		for (side = 0; side < SIDES; side++)
			for (j = 0; j < in->nr_parties[side]; j++)
				in->parties[side][j]->interface = in;
	}
}
