// SPDX-License-Identifier: GPL-2.0-only
/*
 * Offers: which pairs the registrar offers, how often, and when again (promises 1 and 2).
 *
 * nt_settle() is a barrier after which all work has run that was queued before. A case
 * uses it to see that the registrar does not make an offer.
 */
#include <kunit/test.h>

#include "harness.h"

/* Tell whether a pair was made @offers offers, and the last one has an outcome. */
static bool nt_offered(struct nt_party *client, struct nt_party *provider, int offers)
{
	struct nt_binding *nb = nt_find(client->nt, client, provider);

	return nt_offers(client, provider) == offers &&
	       nb && nt_has_left(nb, NT_C_ATTACH);
}

static void expect_offers(struct kunit *test, struct nt_party *client,
			  struct nt_party *provider, int offers)
{
	nt_settle(test->priv);
	KUNIT_EXPECT_EQ(test, nt_offers(client, provider), offers);
}

static void await_offers(struct kunit *test, struct nt_party *client,
			 struct nt_party *provider, int offers)
{
	nt_await(client->nt, nt_offered(client, provider, offers));
}

/* Decline all providers but the one in priv. */
static int only_its_peer(struct nt_binding *nb, int ret)
{
	struct nt_party *client = nb->party[NMR_CLIENT];

	return client->priv == nb->party[NMR_PROVIDER] ? ret : -ENODEV;
}

/* Promise 1: each pair once, in any order of arrival */

#define MANY	4

struct order {
	const char *name;
	const char *sequence;
};

/* c: the next client registers, p: the next provider. */
static const struct order orders[] = {
	{ "clients first", "ccccpppp" },
	{ "providers first", "ppppcccc" },
	{ "in turn, client first", "cpcpcpcp" },
	{ "in turn, provider first", "pcpcpcpc" },
	{ "in groups", "ccpppccp" },
};

NT_PARAM(order, orders);

static void each_pair_is_offered_once(struct kunit *test)
{
	const struct order *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client[MANY], *provider[MANY];
	int clients = 0, providers = 0, i, j;
	const char *p;

	for (p = param->sequence; *p; p++) {
		if (*p == 'c') {
			client[clients] = nt_client(nt);
			nt_join_npi(client[clients++]);
		} else {
			provider[providers] = nt_provider(nt);
			nt_join_npi(provider[providers++]);
		}
		for (i = 0; i < clients; i++) {
			for (j = 0; j < providers; j++)
				KUNIT_EXPECT_EQ(test,
						nt_offers(client[i], provider[j]), 1);
		}
	}
	for (i = 0; i < clients; i++)
		KUNIT_EXPECT_EQ(test, nt_reoffer(client[i]), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client[0], NT_C_ATTACH), providers);
	KUNIT_EXPECT_EQ(test, nt_entered(provider[0], NT_P_ATTACHED), clients);
}

/* Register anew while the old registration still drains: it is another registration. */
static void new_registration_is_offered_anew(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *stays = nt_party(nt, nt_peer(side));
	struct nt_party *old = nt_party(nt, side), *young = nt_party(nt, side);
	enum nt_point detach = NT_C_DETACH + side;

	nt_join_npi(stays);
	nt_join_npi(old);
	nt_hold(old, detach);
	nt_deregister(old);
	nt_await(nt, nt_entered(old, detach) == 1);
	nt_join_npi(young);
	KUNIT_EXPECT_EQ(test, nt_returned(side == NMR_PROVIDER ? young : stays,
					  NT_P_ATTACHED),
			side == NMR_PROVIDER ? 1 : 2);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(old, 1), -ETIMEDOUT);
	nt_release(old, detach);
	KUNIT_EXPECT_EQ(test, nt_wait(old), 0);
}

/* Register a peer while a registration leaves: the two are not offered to each other. */
static void leaving_registration_is_not_offered(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *leaves = nt_party(nt, side);
	struct nt_party *first = nt_party(nt, nt_peer(side));
	struct nt_party *second = nt_party(nt, nt_peer(side));
	enum nt_point detach = NT_C_DETACH + side;

	nt_join_npi(leaves);
	nt_join_npi(first);
	nt_hold(leaves, detach);
	nt_deregister(leaves);
	nt_await(nt, nt_entered(leaves, detach) == 1);
	nt_join_npi(second);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(leaves, NT_C_ATTACH + side), 1);
	nt_release(leaves, detach);
	KUNIT_EXPECT_EQ(test, nt_wait(leaves), 0);
	KUNIT_EXPECT_NULL(test, nt_find_between(leaves, second));
}

static int leave_at_first(struct nt_binding *nb, int ret)
{
	enum nmr_side side = nb->party[NMR_CLIENT]->priv ? NMR_CLIENT : NMR_PROVIDER;

	nt_check(nb->nt, nt_deregister(nb->party[side]) == -EINPROGRESS);
	return ret;
}

/* Deregister in the first offer of a register call: the call makes no other, not even a number. */
static void leaving_registration_makes_no_offer(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *leaves = nt_party(nt, side), *next = nt_party(nt, side);
	struct nt_party *first = nt_party(nt, nt_peer(side));
	struct nt_party *second = nt_party(nt, nt_peer(side));
	enum nt_point attach = NT_C_ATTACH + side;

	nt_join_npi(first);
	nt_join_npi(second);
	leaves->priv = nt;
	leaves->at[attach].hook = leave_at_first;
	nt_join_npi(leaves);
	KUNIT_EXPECT_EQ(test, nt_wait(leaves), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(leaves, attach), 1);
	KUNIT_EXPECT_NULL(test, nt_find_between(leaves, second));
	nt_join_npi(next);
	KUNIT_EXPECT_EQ(test, nt_find_between(next, first)->id,
			nt_find_between(leaves, first)->id + 1);
}

/* Events, and pairs that were declined */

struct event {
	const char *name;
	void (*happens)(struct kunit *test, struct nt_party *client,
			struct nt_party *provider);
};

static void nt_reoffer_client(struct kunit *test, struct nt_party *client,
			      struct nt_party *provider)
{
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
}

static void nt_reoffer_provider(struct kunit *test, struct nt_party *client,
				struct nt_party *provider)
{
	KUNIT_EXPECT_EQ(test, nt_reoffer(provider), 0);
}

/* Register another provider, which accepts no client. */
static void nt_provider_arrives(struct kunit *test, struct nt_party *client,
				struct nt_party *provider)
{
	struct nt_party *newcomer = nt_provider(test->priv);

	newcomer->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(newcomer);
}

/* End the client's attached binding with another provider, see nt_others(). */
static void nt_client_is_freed(struct kunit *test, struct nt_party *client,
			       struct nt_party *provider)
{
	struct nt_binding *nb = nt_find(test->priv, client, client->priv);

	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_await(nb->nt, nt_has_left(nb, NT_P_CLEANUP));
}

static void nt_provider_is_freed(struct kunit *test, struct nt_party *client,
				 struct nt_party *provider)
{
	struct nt_binding *nb = nt_find(test->priv, provider->priv, provider);

	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_await(nb->nt, nt_has_left(nb, NT_P_CLEANUP));
}

static void nt_clients_peer_leaves(struct kunit *test, struct nt_party *client,
				   struct nt_party *provider)
{
	nt_leave(client->priv);
}

static void nt_providers_peer_leaves(struct kunit *test, struct nt_party *client,
				     struct nt_party *provider)
{
	nt_leave(provider->priv);
}

static const struct event events[] = {
	{ "client reoffers", nt_reoffer_client },
	{ "provider reoffers", nt_reoffer_provider },
	{ "a provider arrives", nt_provider_arrives },
	{ "client's other binding ends", nt_client_is_freed },
	{ "provider's other binding ends", nt_provider_is_freed },
	{ "client's other provider leaves", nt_clients_peer_leaves },
	{ "provider's other client leaves", nt_providers_peer_leaves },
};

NT_PARAM(event, events);

/*
 * Give each of a pair a binding with another party, which is then in its priv:
 *
 *	client ---- provider
 *	   \            /
 *	 another     another
 *	provider     client	(the client declines the provider)
 */
static void nt_others(struct nt *nt, struct nt_party *client, struct nt_party *provider)
{
	struct nt_party *other_client = nt_client(nt);
	struct nt_party *other_provider = nt_provider(nt);

	client->priv = other_provider;
	provider->priv = other_client;
	other_client->priv = provider;
	other_client->at[NT_C_ATTACH].hook = only_its_peer;
	nt_join_npi(other_provider);
	nt_join_npi(other_client);
}

/* Register the pair after the others, so that their arrivals are no events for it. */
static void nt_pair_with_others(struct kunit *test, struct nt_party *client,
				struct nt_party *provider)
{
	struct nt *nt = test->priv;

	nt_others(nt, client, provider);
	nt_join_npi(provider);
	nt_join_npi(client);
	KUNIT_ASSERT_EQ(test, nt_returned(client->priv, NT_P_ATTACHED), 1);
	KUNIT_ASSERT_GE(test, nt_returned(provider, NT_P_ATTACHED), 1);
	KUNIT_ASSERT_EQ(test, nt_offers(client, provider), 1);
}

/* Refuse all clients but the one in priv. */
static int refuse_but_one(struct nt_binding *nb, int refusal)
{
	struct nt_party *provider = nb->party[NMR_PROVIDER];

	return nb->party[NMR_CLIENT] == provider->priv ? 0 : refusal;
}

static int decline_but_one(struct nt_binding *nb, int ret)
{
	return refuse_but_one(nb, -ENODEV);
}

static void declined_pair_is_not_offered_again(struct kunit *test)
{
	const struct event *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	provider->at[NT_P_ATTACH].hook = decline_but_one;
	nt_pair_with_others(test, client, provider);
	param->happens(test, client, provider);
	expect_offers(test, client, provider, 1);
}

/* Deferred */

/* Defer the first offer of each client but the one in priv. */
static int defer_but_one_once(struct nt_binding *nb, int ret)
{
	if (nt_offers(nb->party[NMR_CLIENT], nb->party[NMR_PROVIDER]) > 1)
		return ret;
	return refuse_but_one(nb, -EPROBE_DEFER);
}

static void deferred_pair_is_offered_after(struct kunit *test)
{
	const struct event *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	provider->at[NT_P_ATTACH].hook = defer_but_one_once;
	nt_pair_with_others(test, client, provider);
	/* Its own failure is no event. */
	expect_offers(test, client, provider, 1);
	param->happens(test, client, provider);
	await_offers(test, client, provider, 2);

	/* A worker made the offer, and no other offer follows. */
	nb = nt_find(nt, client, provider);
	KUNIT_EXPECT_TRUE(test, nb->on_worker);
	nt_await(nt, nt_has_left(nb, NT_P_ATTACHED));
	expect_offers(test, client, provider, 2);
}

/* The callback that defers, or declines. */
struct deferral {
	const char *name;
	enum nt_point point;
};

static const struct deferral deferrals[] = {
	{ "client", NT_C_ATTACH },
	{ "provider", NT_P_ATTACH },
	{ "client, late", NT_C_BOUND },
};

NT_PARAM(deferral, deferrals);

static int decline_what_was_deferred(struct nt_binding *nb, int ret)
{
	return ret == -EPROBE_DEFER ? -ENODEV : ret;
}

/* The provider defers, and the client's attach callback returns an errno of its own. */
static void deferral_outlasts_the_errno_of_the_client(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	client->at[NT_C_BOUND].hook = decline_what_was_deferred;
	provider->at[NT_P_ATTACH].first = -EPROBE_DEFER;
	provider->at[NT_P_ATTACH].nfirst = 1;
	nt_join_npi(client);
	nt_join_npi(provider);
	expect_offers(test, client, provider, 1);
	KUNIT_EXPECT_EQ(test, nt_reoffer(provider), 0);
	await_offers(test, client, provider, 2);
	nt_await(nt, nt_returned(provider, NT_P_ATTACHED) == 1);
}

static void deferred_silently_and_only_when_due(struct kunit *test)
{
	const struct deferral *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *defers;
	int i;

	defers = nt_side(param->point) == NMR_CLIENT ? client : provider;
	defers->at[param->point].first = -EPROBE_DEFER;
	defers->at[param->point].nfirst = 3;
	nt_join_npi(provider);
	nt_watch_log(nt);
	nt_join_npi(client);
	for (i = 1; i <= 3; i++) {
		expect_offers(test, client, provider, i);
		KUNIT_EXPECT_EQ(test, nt_reoffer(i & 1 ? client : provider), 0);
		await_offers(test, client, provider, i + 1);
	}
	KUNIT_EXPECT_EQ(test, nt_watched_lines(nt), 0);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, NT_TIMEOUT),
			0);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_CLEANUP),
			param->point == NT_C_BOUND ? 3 : 0);
}

/* Detach a pair, and wait for the cleanup of its binding. */
static void nt_detach(struct kunit *test, struct nt_party *client,
		      struct nt_party *provider, enum nmr_detach_reason reason)
{
	struct nt_binding *nb = nt_find(test->priv, client, provider);

	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_ASSERT_EQ(test, nmr_detach_binding(nb->b, reason), 0);
	nt_await(nb->nt, nt_has_left(nb, NT_P_CLEANUP));
}

/* No events: the end of a binding that never attached, or of another pair */

static int defer_always(struct nt_binding *nb, int ret)
{
	return -EPROBE_DEFER;
}

static void failed_binding_is_no_event(struct kunit *test)
{
	const struct deferral *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *provider = nt_provider(nt), *fails = nt_provider(nt);

	provider->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	if (param->point == NT_P_ATTACH)
		fails->at[NT_P_ATTACH].hook = defer_always;
	else
		client->at[param->point].ret = -EPROBE_DEFER;
	nt_join_npi(provider);
	nt_join_npi(fails);
	nt_join_npi(client);
	KUNIT_ASSERT_EQ(test, nt_offers(client, provider), 1);

	/* The offer of one pair, which fails, does not make the other pair due. */
	KUNIT_EXPECT_EQ(test, nt_reoffer(fails), 0);
	await_offers(test, client, fails, 2);
	expect_offers(test, client, provider, 1);
	expect_offers(test, client, fails, 2);
}

static void strangers_binding_is_no_event(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *stranger = nt_client(nt), *host = nt_provider(nt);
	struct nt_binding *nb;

	stranger->priv = host;
	stranger->at[NT_C_ATTACH].hook = only_its_peer;
	host->priv = stranger;
	host->at[NT_P_ATTACH].hook = decline_but_one;
	provider->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	nt_join_npi(host);
	nt_join_npi(stranger);
	nt_join_npi(provider);
	nt_join_npi(client);
	KUNIT_ASSERT_EQ(test, nt_offers(client, provider), 1);

	nb = nt_find(nt, stranger, host);
	KUNIT_EXPECT_EQ(test, nt_reoffer(stranger), 0);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
	expect_offers(test, client, provider, 1);
	/* The end of unrelated registrations is no event either. */
	nt_leave(stranger);
	nt_leave(host);
	expect_offers(test, client, provider, 1);
}

/* Register another client: this is no event for deferred pairs of other clients. */
static void arriving_client_is_no_event(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *newcomer = nt_client(nt);
	struct nt_party *defers = nt_provider(nt), *falls_back = nt_provider(nt);

	defers->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	nt_join_npi(defers);
	nt_join_npi(client);
	/* The arrival of a provider is an event for the deferred pair, and so is its end. */
	nt_pair(nt, client, falls_back);
	await_offers(test, client, defers, 2);
	nt_detach(test, client, falls_back, NMR_DETACH_FALLBACK);
	await_offers(test, client, defers, 3);
	nt_join_npi(newcomer);
	expect_offers(test, client, defers, 3);
	expect_offers(test, client, falls_back, 1);
	expect_offers(test, newcomer, defers, 1);
}

/* Register another client between an offer and its outcome: this is no event. */
static void client_arriving_during_the_offer_is_no_event(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *newcomer = nt_client(nt);
	struct nt_party *defers = nt_provider(nt);
	struct nt_thread *thread;

	client->at[NT_C_ATTACH].ret = -EPROBE_DEFER;
	nt_hold(client, NT_C_ATTACH);
	nt_join_npi(defers);
	thread = nt_spawn(nt, nt_register_thread, client);
	nt_await(nt, nt_entered(client, NT_C_ATTACH) == 1);
	nt_join_npi(newcomer);
	nt_release(client, NT_C_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	expect_offers(test, client, defers, 1);
}

/*
 * Register a provider while more clients than a batch have a deferred pair, so that the
 * registrar drops the lock between batches. The arrival makes the pair of each one due.
 */
static void arriving_provider_concerns_each_client(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client[70], *newcomer = nt_provider(nt);
	struct nt_party *defers = nt_provider(nt);
	int i;

	defers->at[NT_P_ATTACH].first = -EPROBE_DEFER;
	defers->at[NT_P_ATTACH].nfirst = ARRAY_SIZE(client);
	newcomer->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(defers);
	for (i = 0; i < ARRAY_SIZE(client); i++) {
		client[i] = nt_client(nt);
		nt_join_npi(client[i]);
	}
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(defers, NT_P_ATTACH), (int)ARRAY_SIZE(client));
	nt_join_npi(newcomer);
	for (i = 0; i < ARRAY_SIZE(client); i++)
		await_offers(test, client[i], defers, 2);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(defers, NT_P_ATTACH),
			2 * (int)ARRAY_SIZE(client));
}

/* Re-offer a client with more deferred pairs than a batch. */
static void event_concerns_each_deferred_pair(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider[70];
	int i;

	client->at[NT_C_ATTACH].first = -EPROBE_DEFER;
	client->at[NT_C_ATTACH].nfirst = ARRAY_SIZE(provider);
	for (i = 0; i < ARRAY_SIZE(provider); i++) {
		provider[i] = nt_provider(nt);
		nt_join_npi(provider[i]);
	}
	nt_join_npi(client);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), (int)ARRAY_SIZE(provider));
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	for (i = 0; i < ARRAY_SIZE(provider); i++)
		await_offers(test, client, provider[i], 2);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH),
			2 * (int)ARRAY_SIZE(provider));
}

/* Re-offer a provider that has deferred pairs with more clients than a batch. */
static void reoffer_concerns_each_client(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt), *client[70];
	int i;

	provider->at[NT_P_ATTACH].first = -EPROBE_DEFER;
	provider->at[NT_P_ATTACH].nfirst = ARRAY_SIZE(client);
	nt_join_npi(provider);
	for (i = 0; i < ARRAY_SIZE(client); i++) {
		client[i] = nt_client(nt);
		nt_join_npi(client[i]);
	}
	KUNIT_EXPECT_EQ(test, nt_reoffer(provider), 0);
	for (i = 0; i < ARRAY_SIZE(client); i++)
		await_offers(test, client[i], provider, 2);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_ATTACH),
			2 * (int)ARRAY_SIZE(client));
}

/*
 * Let an event happen while the pair is in its attach callback, which then defers. The
 * event between an offer and its outcome counts.
 */
static void event_during_the_offer_counts(struct kunit *test)
{
	const struct event *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;

	provider->at[NT_P_ATTACH].hook = defer_but_one_once;
	nt_others(nt, client, provider);
	nt_join_npi(provider);
	nt_hold(provider, NT_P_ATTACH);
	thread = nt_spawn(nt, nt_register_thread, client);
	/* The client's other provider registered first, so the two have attached. */
	nt_await(nt, nt_entered(provider, NT_P_ATTACH) == 2);
	KUNIT_ASSERT_EQ(test, nt_returned(client->priv, NT_P_ATTACHED), 1);
	param->happens(test, client, provider);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_offers(client, provider), 1);
	nt_release(provider, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	await_offers(test, client, provider, 2);
	expect_offers(test, client, provider, 2);
}

/* Withheld: a full client */

static void full_client_gets_no_offer(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider[5];
	int i;

	client->max_bindings = 2;
	for (i = 0; i < 4; i++) {
		provider[i] = nt_provider(nt);
		nt_join_npi(provider[i]);
	}
	nt_join_npi(client);
	provider[4] = nt_provider(nt);
	nt_join_npi(provider[4]);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	KUNIT_EXPECT_EQ(test, nt_reoffer(provider[4]), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 2);
}

/*
 * Let the bound providers of a full client leave, one by one. The others are offered, each
 * once. The harness checks that the client never has more bindings than it takes.
 */
static void withheld_pairs_are_offered_as_slots_come_free(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider[8];
	int i, j, gone = 0, bound;

	client->max_bindings = 3;
	nt_join_npi(client);
	for (i = 0; i < ARRAY_SIZE(provider); i++) {
		provider[i] = nt_provider(nt);
		nt_join_npi(provider[i]);
	}
	while (gone < ARRAY_SIZE(provider)) {
		bound = min(gone + 3, (int)ARRAY_SIZE(provider));
		nt_await(nt, nt_returned(client, NT_C_ATTACH) == bound);
		nt_settle(nt);
		KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), bound);
		for (j = 0; j < ARRAY_SIZE(provider); j++) {
			if (!provider[j]->gone && nt_offers(client, provider[j]))
				break;
		}
		KUNIT_ASSERT_LT(test, j, (int)ARRAY_SIZE(provider));
		nt_leave(provider[j]);
		gone++;
	}
	for (i = 0; i < ARRAY_SIZE(provider); i++)
		KUNIT_EXPECT_EQ(test, nt_offers(client, provider[i]), 1);
}

/* Decline offers of a full client, and expect that each frees its slot. */
static void declined_offers_free_their_slot(struct kunit *test)
{
	const struct deferral *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *refuses[3], *accepts = nt_provider(nt);
	int i;

	client->max_bindings = 1;
	client->at[NT_C_ATTACH].nfirst = param->point == NT_C_ATTACH ? 3 : 0;
	client->at[NT_C_BOUND].nfirst = param->point == NT_C_BOUND ? 3 : 0;
	client->at[NT_C_ATTACH].first = -ENODEV;
	client->at[NT_C_BOUND].first = -ENODEV;
	for (i = 0; i < ARRAY_SIZE(refuses); i++) {
		refuses[i] = nt_provider(nt);
		if (param->point == NT_P_ATTACH)
			refuses[i]->at[NT_P_ATTACH].ret = -ENODEV;
		nt_join_npi(refuses[i]);
	}
	nt_join_npi(accepts);
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, NT_TIMEOUT),
			0);
	for (i = 0; i < ARRAY_SIZE(refuses); i++)
		expect_offers(test, client, refuses[i], 1);
	expect_offers(test, client, accepts, 1);
}

/* Decline an offer that is in progress while the next provider registers. */
static void slot_of_an_offer_in_the_making(struct kunit *test)
{
	const struct deferral *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *held;
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);
	struct nt_thread *thread;

	client->max_bindings = 1;
	held = nt_side(param->point) == NMR_CLIENT ? client : first;
	held->at[param->point].first = -ENODEV;
	held->at[param->point].nfirst = 1;
	nt_hold(held, param->point);
	nt_join_npi(client);
	thread = nt_spawn(nt, nt_register_thread, first);
	nt_await(nt, nt_entered(held, param->point) == 1);
	nt_join_npi(second);
	expect_offers(test, client, second, 0);
	nt_release(held, param->point);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	await_offers(test, client, second, 1);
	expect_offers(test, client, first, 1);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, NT_TIMEOUT),
			0);
}

/* Hold each step of a detach, and expect that the binding keeps its slot. */
static void slot_is_free_after_cleanup(struct kunit *test)
{
	static const enum nt_point points[] = {
		NT_C_DETACH, NT_P_DETACH, NT_C_CLEANUP, NT_P_CLEANUP
	};
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *acts;
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);
	int i;

	client->max_bindings = 1;
	nt_join_npi(client);
	for (i = 0; i < ARRAY_SIZE(points); i++)
		nt_hold(nt_side(points[i]) == NMR_CLIENT ? client : first, points[i]);
	nt_join_npi(first);
	nt_join_npi(second);
	nt_deregister(first);
	for (i = 0; i < ARRAY_SIZE(points); i++) {
		acts = nt_side(points[i]) == NMR_CLIENT ? client : first;
		nt_await(nt, nt_entered(acts, points[i]) == 1);
		expect_offers(test, client, second, 0);
		nt_release(acts, points[i]);
	}
	await_offers(test, client, second, 1);
	KUNIT_EXPECT_TRUE(test, nt_find(nt, client, second)->on_worker);
}

/* Let a provider leave while its offer is withheld: the next provider is offered. */
static void withheld_provider_may_leave(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);
	struct nt_party *third = nt_provider(nt);

	client->max_bindings = 1;
	nt_pair(nt, client, first);
	nt_join_npi(second);
	nt_join_npi(third);
	nt_leave(second);
	nt_leave(first);
	await_offers(test, client, third, 1);
	KUNIT_EXPECT_EQ(test, nt_offers(client, second), 0);
}

/* Expect that full clients delay neither other clients nor each other. */
static void full_clients_delay_no_other(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *full[3], *open = nt_client(nt);
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);
	int i;

	nt_join_npi(first);
	for (i = 0; i < ARRAY_SIZE(full); i++) {
		full[i] = nt_client(nt);
		full[i]->max_bindings = 1;
		nt_join_npi(full[i]);
	}
	nt_join_npi(open);
	nt_join_npi(second);
	KUNIT_EXPECT_EQ(test, nt_offers(open, second), 1);
	nt_leave(first);
	for (i = 0; i < ARRAY_SIZE(full); i++)
		await_offers(test, full[i], second, 1);
}

/* Scans while a register call is on its way to the client */

static void nt_slot_comes_free(struct kunit *test, struct nt_party *client,
			       struct nt_party *provider)
{
	nt_detach(test, client, provider, NMR_DETACH_ABORT);
}

static void nt_pair_is_due(struct kunit *test, struct nt_party *client,
			   struct nt_party *provider)
{
	int offers = nt_offers(client, client->priv);

	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	await_offers(test, client, client->priv, offers + 1);
}

static const struct event scans[] = {
	{ "a slot comes free", nt_slot_comes_free },
	{ "reoffer", nt_pair_is_due },
};

NT_PARAM(scan, scans);

/* Scan a client that a register call has not reached: the call makes the offer, once. */
static void scan_leaves_an_offer_on_its_way(struct kunit *test)
{
	const struct event *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *stop = nt_client(nt);
	struct nt_party *bound = nt_provider(nt), *defers = nt_provider(nt);
	struct nt_party *walker = nt_provider(nt);
	struct nt_thread *thread;

	client->max_bindings = 3;
	client->priv = defers;
	defers->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	nt_join_npi(bound);
	nt_join_npi(defers);
	nt_join_npi(stop);
	nt_join_npi(client);
	nt_hold(walker, NT_P_ATTACH);
	thread = nt_spawn(nt, nt_register_thread, walker);
	nt_await(nt, nt_entered(walker, NT_P_ATTACH) == 1);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_offers(stop, walker), 1);
	/* The walker's arrival is an event. */
	await_offers(test, stop, defers, 2);
	await_offers(test, client, defers, 2);
	param->happens(test, client, bound);
	expect_offers(test, client, walker, 0);
	nt_release(walker, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_offers(client, walker), 1);
	KUNIT_EXPECT_FALSE(test, nt_find(nt, client, walker)->on_worker);
	expect_offers(test, client, walker, 1);
}

/* FALLBACK and ABORT */

static void fallback_pair_is_offered_after(struct kunit *test)
{
	const struct event *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	nt_pair_with_others(test, client, provider);
	nt_detach(test, client, provider, NMR_DETACH_FALLBACK);
	/* Its own cleanup is no event. */
	expect_offers(test, client, provider, 1);
	param->happens(test, client, provider);
	await_offers(test, client, provider, 2);
	expect_offers(test, client, provider, 2);
}

static void aborted_pair_is_not_offered_again(struct kunit *test)
{
	const struct event *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	nt_pair_with_others(test, client, provider);
	nt_detach(test, client, provider, NMR_DETACH_ABORT);
	param->happens(test, client, provider);
	expect_offers(test, client, provider, 1);
}

/* Register a side anew after an abort: a new registration is another pair. */
static void abort_ends_with_the_registration(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *stays = nt_party(nt, nt_peer(side));
	struct nt_party *aborts = nt_party(nt, side), *again = nt_party(nt, side);
	struct nt_party *client = side == NMR_CLIENT ? aborts : stays;
	struct nt_party *provider = side == NMR_CLIENT ? stays : aborts;

	nt_pair(nt, client, provider);
	nt_detach(test, client, provider, NMR_DETACH_ABORT);
	nt_leave(aborts);
	nt_join_npi(again);
	KUNIT_EXPECT_EQ(test, side == NMR_CLIENT ? nt_offers(again, stays) :
						   nt_offers(stays, again), 1);
}

/* Let a full client fall back to another provider, and back again when that leaves. */
static void fallback_moves_a_full_client(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);

	client->max_bindings = 1;
	nt_pair(nt, client, first);
	nt_join_npi(second);
	nt_detach(test, client, first, NMR_DETACH_FALLBACK);
	await_offers(test, client, second, 1);
	expect_offers(test, client, first, 1);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, NT_TIMEOUT),
			0);
	nt_leave(second);
	await_offers(test, client, first, 2);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, NT_TIMEOUT),
			0);
}

/* Let an event happen before the pair's last binding is cleaned up. */
static void event_before_cleanup_is_remembered(struct kunit *test)
{
	const struct event *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	nt_pair_with_others(test, client, provider);
	nb = nt_find(nt, client, provider);
	/* Events count from the closing of the binding, and the call delays its cleanup. */
	KUNIT_EXPECT_TRUE(test, nt_enter(nb, NMR_CLIENT));
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), 0);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	param->happens(test, client, provider);
	expect_offers(test, client, provider, 1);
	nt_exit(nb, NMR_CLIENT);
	await_offers(test, client, provider, 2);
	expect_offers(test, client, provider, 2);
}

/*
 * Let an event happen while the client is full. A decline, which is no event, then frees
 * the slot, and the registrar makes the offer for the earlier event.
 */
static void event_while_full_is_remembered(struct kunit *test)
{
	enum nmr_side reoffers = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *defers = nt_provider(nt), *declines = nt_provider(nt);
	struct nt_thread *thread;

	client->max_bindings = 1;
	defers->at[NT_P_ATTACH].first = -EPROBE_DEFER;
	defers->at[NT_P_ATTACH].nfirst = 1;
	declines->at[NT_P_ATTACH].ret = -ENODEV;
	nt_hold(declines, NT_P_ATTACH);
	nt_join_npi(defers);
	nt_join_npi(declines);
	thread = nt_spawn(nt, nt_register_thread, client);
	nt_await(nt, nt_entered(declines, NT_P_ATTACH) == 1);
	KUNIT_ASSERT_EQ(test, nt_offers(client, defers), 1);
	KUNIT_EXPECT_EQ(test, nt_reoffer(reoffers == NMR_CLIENT ? client : defers), 0);
	expect_offers(test, client, defers, 1);
	nt_release(declines, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	await_offers(test, client, defers, 2);
}

/* Let a full client leave with a pair that is due: its provider forgets the pair. */
static void client_leaves_with_a_pair_that_is_due(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *defers = nt_provider(nt), *holder = nt_provider(nt);

	client->max_bindings = 1;
	defers->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	nt_join_npi(defers);
	nt_join_npi(holder);
	nt_join_npi(client);
	KUNIT_ASSERT_EQ(test, nt_offers(client, holder), 1);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_offers(client, defers), 1);
	nt_leave(client);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_reoffer(defers), 0);
	nt_settle(nt);
	nt_leave(defers);
	KUNIT_EXPECT_EQ(test, nt_entered(defers, NT_P_ATTACH), 1);
}

/* Free the slot likewise without an event: no offer follows. */
static void free_slot_is_no_event(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *defers = nt_provider(nt), *declines = nt_provider(nt);

	client->max_bindings = 1;
	defers->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	declines->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(defers);
	nt_join_npi(declines);
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nt_offers(client, declines), 1);
	expect_offers(test, client, defers, 1);
}

/* Let two bindings of a client fall back: the cleanup of one is an event for the other. */
static void two_fallbacks_bring_each_other_back(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);
	struct nt_binding *nb[2];

	nb[0] = nt_pair(nt, client, first);
	nb[1] = nt_pair(nt, client, second);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb[0]->b, NMR_DETACH_FALLBACK), 0);
	nt_await(nt, nt_has_left(nb[0], NT_P_CLEANUP));
	expect_offers(test, client, first, 1);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb[1]->b, NMR_DETACH_FALLBACK), 0);
	await_offers(test, client, first, 2);
	expect_offers(test, client, second, 1);
}

static int register_second(struct nt_binding *nb, int ret)
{
	struct nt_party *second = nb->party[NMR_CLIENT]->priv;

	if (!second->registered) {
		nt_check(nb->nt, nt_register(second) == 0);
		nt_check(nb->nt, nt_offers(nb->party[NMR_CLIENT], second) == 0);
	}
	return ret;
}

/* Register a provider in an attach callback of a client that takes one binding. */
static void nested_registration_finds_the_client_full(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);

	client->max_bindings = 1;
	client->priv = second;
	client->at[NT_C_ATTACH].hook = register_second;
	nt_join_npi(first);
	nt_pair(nt, client, first);
	expect_offers(test, client, second, 0);
	nt_leave(first);
	await_offers(test, client, second, 1);
}

static struct kunit_case nmr_offers_cases[] = {
	KUNIT_CASE_PARAM(each_pair_is_offered_once, order_gen_params),
	KUNIT_CASE_PARAM(new_registration_is_offered_anew, nt_side_gen_params),
	KUNIT_CASE_PARAM(leaving_registration_is_not_offered, nt_side_gen_params),
	KUNIT_CASE_PARAM(leaving_registration_makes_no_offer, nt_side_gen_params),
	KUNIT_CASE_PARAM(declined_pair_is_not_offered_again, event_gen_params),
	KUNIT_CASE_PARAM(deferred_pair_is_offered_after, event_gen_params),
	KUNIT_CASE(deferral_outlasts_the_errno_of_the_client),
	KUNIT_CASE_PARAM(deferred_silently_and_only_when_due, deferral_gen_params),
	KUNIT_CASE_PARAM(failed_binding_is_no_event, deferral_gen_params),
	KUNIT_CASE(strangers_binding_is_no_event),
	KUNIT_CASE(arriving_client_is_no_event),
	KUNIT_CASE(client_arriving_during_the_offer_is_no_event),
	KUNIT_CASE(arriving_provider_concerns_each_client),
	KUNIT_CASE(event_concerns_each_deferred_pair),
	KUNIT_CASE(reoffer_concerns_each_client),
	KUNIT_CASE_PARAM(event_during_the_offer_counts, event_gen_params),
	KUNIT_CASE(full_client_gets_no_offer),
	KUNIT_CASE(withheld_pairs_are_offered_as_slots_come_free),
	KUNIT_CASE_PARAM(declined_offers_free_their_slot, deferral_gen_params),
	KUNIT_CASE_PARAM(slot_of_an_offer_in_the_making, deferral_gen_params),
	KUNIT_CASE(slot_is_free_after_cleanup),
	KUNIT_CASE(withheld_provider_may_leave),
	KUNIT_CASE(full_clients_delay_no_other),
	KUNIT_CASE_PARAM(scan_leaves_an_offer_on_its_way, scan_gen_params),
	KUNIT_CASE_PARAM(fallback_pair_is_offered_after, event_gen_params),
	KUNIT_CASE_PARAM(aborted_pair_is_not_offered_again, event_gen_params),
	KUNIT_CASE_PARAM(abort_ends_with_the_registration, nt_side_gen_params),
	KUNIT_CASE(fallback_moves_a_full_client),
	KUNIT_CASE_PARAM(event_before_cleanup_is_remembered, event_gen_params),
	KUNIT_CASE_PARAM(event_while_full_is_remembered, nt_side_gen_params),
	KUNIT_CASE(client_leaves_with_a_pair_that_is_due),
	KUNIT_CASE(free_slot_is_no_event),
	KUNIT_CASE(two_fallbacks_bring_each_other_back),
	KUNIT_CASE(nested_registration_finds_the_client_full),
	{}
};

static struct kunit_suite nmr_offers_suite = {
	.name = "nmr_offers",
	.init = nt_init,
	.test_cases = nmr_offers_cases,
};

kunit_test_suite(nmr_offers_suite);
