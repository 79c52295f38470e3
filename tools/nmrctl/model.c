// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model: flat lists of what is registered and bound, joined by their numbers.
 *
 * The order of reading is that of parties, bindings, and the files of parties. If a side of a
 * binding is not in the list, the binding has come later, and is left out. A file that is read
 * may vanish, and then its object is left out, with the bindings of that object.
 */
#include <stdlib.h>
#include <string.h>

#include "nmrctl.h"

const char *const side_name[SIDES] = { [CLIENT] = "client", [PROVIDER] = "provider" };
const char id_letter[KSETS] = { [CLIENT] = 'c', [PROVIDER] = 'p', [BINDINGS] = 'b' };

static unsigned int with_implied(unsigned int need)
{
	if (need & (NEED_PAIRS | NEED_ALL_PAIRS))
		need |= NEED_UNBOUND;
	if (need & NEED_NAMES)
		need |= NEED_MODULE;
	if (need & (NEED_UNBOUND | NEED_NAMES))
		need |= NEED_INTERFACE;
	if (need & NEED_INTERFACE)
		need |= NEED_SIDES;
	if (need & (NEED_MODULE | NEED_IDENTITY | NEED_CLIENT | NEED_PROVIDER | NEED_SIDES))
		need |= NEED_PARTIES;
	if (need & (NEED_SIDES | NEED_STATE | NEED_CALLS | NEED_DRAIN))
		need |= NEED_BINDINGS;
	if (need & (NEED_CALLS | NEED_DRAIN))
		need |= NEED_STATE;
	return need;
}

/* Read what is needed. If nmr is not loaded, the model is empty. */
void model_read(struct model *model, unsigned int need)
{
	memset(model, 0, sizeof(*model));
	model->need = with_implied(need);
	model->loaded = nmr_loaded();
	if (!model->loaded)
		return;
	parties_read(model);
	bindings_read(model);
	model_join(model);
	party_rest_read(model);
	model_group(model);
	pairs_read(model);
}

void model_free(struct model *model)
{
	enum nmr_side side;
	size_t i;

	for (i = 0; i < model->nr_interfaces; i++)
		for (side = 0; side < SIDES; side++)
			free(model->interfaces[i].parties[side]);
	for (side = 0; side < SIDES; side++) {
		free(model->parties[side]);
		free(model->party_bindings[side]);
	}
	free(model->bindings);
	free(model->interfaces);
	free(model->pairs);
	memset(model, 0, sizeof(*model));
}

static int compare_party(const void *key, const void *element)
{
	const unsigned long long *id = key;
	const struct party *party = element;

	return *id < party->id ? -1 : *id > party->id;
}

struct party *model_party(const struct model *model, enum nmr_side side, unsigned long long id)
{
	if (!model->nr_parties[side])
		return NULL;
	return bsearch(&id, model->parties[side], model->nr_parties[side],
		       sizeof(struct party), compare_party);
}

static int compare_binding(const void *key, const void *element)
{
	const unsigned long long *id = key;
	const struct binding *b = element;

	return *id < b->id ? -1 : *id > b->id;
}

struct binding *model_binding(const struct model *model, unsigned long long id)
{
	if (!model->nr_bindings)
		return NULL;
	return bsearch(&id, model->bindings, model->nr_bindings, sizeof(struct binding),
		       compare_binding);
}
