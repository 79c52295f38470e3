// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The JSON document of tree, list, show and check. nmrctl.schema.json describes it. Each key is
 * there always; what is not known, or is not there, is null.
 */
#include <json-c/json.h>
#include <string.h>

#include "nmrctl.h"

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static struct json_object *word(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *count(long long n)
{
	return n >= 0 ? json_object_new_int64(n) : NULL;
}

static struct json_object *id(int kset, unsigned long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%c%llu", id_letter[kset], number);
	return json_object_new_string(text);
}

static struct json_object *interfaces(const struct model *model)
{
	struct json_object *array = json_object_new_array(), *object;
	size_t i;

	for (i = 0; i < model->nr_interfaces; i++) {
		const struct interface *in = &model->interfaces[i];

		if (!in->selected)
			continue;
		object = json_object_new_object();
		add(object, "id", word(in->guid));
		add(object, "name", word(in->name));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *bindings_of(const struct party *party)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < party->nr_bindings; i++)
		if (party->bindings[i]->selected)
			json_object_array_add(array, id(BINDINGS, party->bindings[i]->id));
	return array;
}

static struct json_object *parties(const struct model *model, enum nmr_side side)
{
	struct json_object *array = json_object_new_array(), *object;
	size_t i;

	for (i = 0; i < model->nr_parties[side]; i++) {
		const struct party *party = &model->parties[side][i];

		if (!party->selected)
			continue;
		object = json_object_new_object();
		add(object, "id", id(side, party->id));
		add(object, "interface", word(party->guid));
		add(object, "module", word(party->module));
		add(object, "module_id", word(party->module_id));
		add(object, "number", count(party->number));
		add(object, "state", word(party->state));
		add(object, "bindings", bindings_of(party));
		add(object, "waits_for", word(party_waits_for(party)));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *bindings(const struct model *model)
{
	struct json_object *array = json_object_new_array(), *object;
	size_t i;

	for (i = 0; i < model->nr_bindings; i++) {
		const struct binding *b = &model->bindings[i];

		if (!b->selected)
			continue;
		object = json_object_new_object();
		add(object, "id", id(BINDINGS, b->id));
		add(object, "client", id(CLIENT, b->party_id[CLIENT]));
		add(object, "provider", id(PROVIDER, b->party_id[PROVIDER]));
		add(object, "state", word(b->state));
		add(object, "reason", word(b->reason));
		add(object, "client_calls", count(b->calls[CLIENT]));
		add(object, "provider_calls", count(b->calls[PROVIDER]));
		add(object, "client_detach", word(b->detach[CLIENT]));
		add(object, "provider_detach", word(b->detach[PROVIDER]));
		add(object, "pending_ms", count(b->pending_ms));
		add(object, "waits_for", word(binding_waits_for(b)));
		json_object_array_add(array, object);
	}
	return array;
}

static bool pair_selected(const struct model *model, const struct pair *pair)
{
	const struct party *client = model_party(model, CLIENT, pair->party_id[CLIENT]);
	const struct party *provider = model_party(model, PROVIDER, pair->party_id[PROVIDER]);

	return client->selected && provider->selected;
}

static struct json_object *pairs(const struct model *model)
{
	struct json_object *array, *object;
	size_t i;

	if (!model->pairs_known)
		return NULL;
	array = json_object_new_array();
	for (i = 0; i < model->nr_pairs; i++) {
		const struct pair *pair = &model->pairs[i];

		if (!pair_selected(model, pair))
			continue;
		object = json_object_new_object();
		add(object, "client", id(CLIENT, pair->party_id[CLIENT]));
		add(object, "provider", id(PROVIDER, pair->party_id[PROVIDER]));
		add(object, "outcome", word(pair->outcome));
		add(object, "by", word(pair->by));
		add(object, "error", word(pair->error ? error_name(pair->error) : NULL));
		add(object, "for_ms", count(pair->for_ms));
		add(object, "task", word(pair->task));
		json_object_array_add(array, object);
	}
	return array;
}

/* Print what is selected. */
int json_print(const struct model *model)
{
	struct json_object *document = json_object_new_object();
	const char *text;

	add(document, "schema", json_object_new_int(SCHEMA));
	add(document, "interfaces", interfaces(model));
	add(document, "providers", parties(model, PROVIDER));
	add(document, "clients", parties(model, CLIENT));
	add(document, "bindings", bindings(model));
	add(document, "pairs", pairs(model));
	text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return fail(FAILED, "out of memory (ENOMEM)");
	puts(text);
	json_object_put(document);
	return DONE;
}
