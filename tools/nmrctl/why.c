// SPDX-License-Identifier: GPL-2.0-or-later
/* What a binding or a party waits for, as a word and as a sentence */
#include <string.h>

#include "nmrctl.h"

static bool is(const char *word, const char *other)
{
	return word && !strcmp(word, other);
}

/* Tell whether the registrar waits for calls or for a side. */
bool binding_drains(const struct binding *b)
{
	return is(b->state, "detaching");
}

static bool pending(const struct binding *b, enum nmr_side side)
{
	return is(b->detach[side], "pending");
}

static bool has_calls(const struct binding *b, enum nmr_side side)
{
	return pending(b, side) && b->calls[side] > 0;
}

/* Return: the word for what a binding waits for; NULL: nothing, or not known. */
const char *binding_waits_for(const struct binding *b)
{
	if (is(b->state, "cleaning"))
		return "cleanup";
	if (!binding_drains(b) || !b->detach[CLIENT] || !b->detach[PROVIDER])
		return NULL;
	if (has_calls(b, CLIENT) || has_calls(b, PROVIDER))
		return "calls";
	if (pending(b, CLIENT) && pending(b, PROVIDER))
		return "both";
	if (pending(b, CLIENT))
		return "client";
	if (pending(b, PROVIDER))
		return "provider";
	return "registrar";
}

/* Return: the word for what a party waits for; NULL: nothing, or not known. */
const char *party_waits_for(const struct party *party)
{
	if (is(party->state, "deregistering"))
		return party->nr_bindings ? "bindings" : "offer";
	if (party->nr_bindings || !party->interface || party->side == PROVIDER)
		return NULL;
	return party->interface->nr_parties[PROVIDER] ? "offer" : "provider";
}

/* Return: the state as people see it: a client without a binding is unbound. */
const char *party_state_text(const struct party *party)
{
	if (party->side == CLIENT && !party->nr_bindings && is(party->state, "active"))
		return "unbound";
	return party->state ?: "";
}

static size_t pairs_count(const struct model *model, const struct party *client)
{
	const struct pair *pair = NULL;
	size_t n = 0;

	while (model->nr_pairs && (pair = pair_of(model, client, pair)))
		n++;
	return n;
}

/* Write what a party waits for, with the reason why the first offer came to nothing. */
void party_waits_text(const struct model *model, const struct party *party, char *text,
		      size_t size)
{
	const char *word = party_waits_for(party);
	char why[TEXT_SIZE];
	size_t n;

	snprintf(text, size, "%s", word ?: "");
	if (!is(word, "offer") || party->side != CLIENT)
		return;
	n = pairs_count(model, party);
	if (!n)
		return;
	pair_text(pair_of(model, party, NULL), why, sizeof(why));
	if (n == 1)
		snprintf(text, size, "offer, %s", why);
	else
		snprintf(text, size, "offer, %s; %zu more", why, n - 1);
}

static const char *reason_text(const struct binding *b)
{
	if (is(b->reason, "client-deregistered"))
		return "the client deregistered";
	if (is(b->reason, "provider-deregistered"))
		return "the provider deregistered";
	if (is(b->reason, "attach-failed"))
		return "the client failed to attach";
	if (is(b->reason, "fallback"))
		return "the binding was detached (fallback)";
	if (is(b->reason, "abort"))
		return "the binding was detached (abort)";
	return b->reason;
}

/* Write "detaching for 12.3 s, since the provider deregistered". */
void binding_since_text(const struct binding *b, char *text, size_t size)
{
	const char *reason = reason_text(b);
	char time[32];

	if (b->pending_ms < 0 || is(b->state, "attached")) {
		snprintf(text, size, "%s", b->state ?: "state not known");
		return;
	}
	duration_text(b->pending_ms, time, sizeof(time));
	snprintf(text, size, "%s for %s%s%s", b->state, time, reason ? ", since " : "",
		 reason ?: "");
}

static void calls_text(const struct binding *b, char *text, size_t size)
{
	enum nmr_side side = has_calls(b, CLIENT) ? CLIENT : PROVIDER;
	long long n = b->calls[side];

	snprintf(text, size, "waits for %lld call%s that %s made and that %s not returned", n,
		 n == 1 ? "" : "s", b->party[side]->module, n == 1 ? "has" : "have");
	if (side == CLIENT && has_calls(b, PROVIDER)) {
		size_t used = strlen(text);

		snprintf(text + used, size - used, ", and for %lld that %s made",
			 b->calls[PROVIDER], b->party[PROVIDER]->module);
	}
}

/* Write a sentence on what a binding waits for; nothing if it waits for nothing. */
void binding_waits_text(const struct binding *b, char *text, size_t size)
{
	const char *word = binding_waits_for(b);
	const char *client = b->party[CLIENT]->module, *provider = b->party[PROVIDER]->module;

	*text = '\0';
	if (is(word, "calls"))
		calls_text(b, text, size);
	else if (is(word, "both"))
		snprintf(text, size, "waits for the client %s and the provider %s to detach",
			 client, provider);
	else if (is(word, "client"))
		snprintf(text, size, "waits for the client %s to detach", client);
	else if (is(word, "provider"))
		snprintf(text, size, "waits for the provider %s to detach", provider);
	else if (is(word, "registrar"))
		snprintf(text, size, "waits for the registrar to call the detach callbacks");
	else if (is(word, "cleanup"))
		snprintf(text, size, "waits for the cleanup callbacks of %s and %s", client,
			 provider);
}
