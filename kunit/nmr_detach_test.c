// SPDX-License-Identifier: GPL-2.0-only
/*
 * Detach and cleanup: order, reasons, which step waits for which, contexts in which a
 * pending detach may be completed, and misuse.
 */
#include <kunit/test.h>
#include <linux/workqueue.h>

#include "harness.h"

struct ending {
	const char *name;
	enum nmr_detach_reason reason;
};

static const struct ending endings[] = {
	{ "client-deregistered", NMR_DETACH_CLIENT_DEREGISTERED },
	{ "provider-deregistered", NMR_DETACH_PROVIDER_DEREGISTERED },
	{ "fallback", NMR_DETACH_FALLBACK },
	{ "abort", NMR_DETACH_ABORT },
};

NT_PARAM(ending, endings);

/* End a binding for @reason. Return: the result of the call that ends it. */
static int nt_end_for(struct nt_binding *nb, enum nmr_detach_reason reason)
{
	switch (reason) {
	case NMR_DETACH_CLIENT_DEREGISTERED:
		return nt_deregister(nb->party[NMR_CLIENT]);
	case NMR_DETACH_PROVIDER_DEREGISTERED:
		return nt_deregister(nb->party[NMR_PROVIDER]);
	default:
		return nmr_detach_binding(nb->b, reason);
	}
}

static void detach_comes_in_order(struct kunit *test)
{
	const struct ending *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));
	struct nt_party *client = nb->party[NMR_CLIENT];
	struct nt_party *provider = nb->party[NMR_PROVIDER];

	KUNIT_EXPECT_EQ(test, nt_end_for(nb, param->reason),
			param->reason < NMR_DETACH_FALLBACK ? -EINPROGRESS : 0);
	nt_await(nt, nt_returned(provider, NT_P_CLEANUP) == 1);
	KUNIT_EXPECT_TRUE(test, nt_before(nb, NT_C_DETACH, NT_P_DETACH));
	KUNIT_EXPECT_TRUE(test, nt_before(nb, NT_P_DETACH, NT_C_CLEANUP));
	KUNIT_EXPECT_TRUE(test, nt_before(nb, NT_C_CLEANUP, NT_P_CLEANUP));
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_CLIENT], param->reason);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], param->reason);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_DETACH), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_CLEANUP), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_CLEANUP), 1);
}

static const enum nt_point steps[] = {
	NT_C_DETACH, NT_P_DETACH, NT_C_CLEANUP, NT_P_CLEANUP
};

/* Hold each step: the next one waits for it, and both registrations for the last. */
static void each_step_of_detach_waits(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *party;
	struct nt_binding *nb;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		nt_hold(nt_side(steps[i]) == NMR_CLIENT ? client : provider, steps[i]);
	nb = nt_pair(nt, client, provider);
	nt_deregister(client);
	nt_deregister(provider);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		party = nt_side(steps[i]) == NMR_CLIENT ? client : provider;
		nt_await(nt, nt_entered(party, steps[i]) == 1);
		nt_settle(nt);
		for (j = i + 1; j < ARRAY_SIZE(steps); j++)
			KUNIT_EXPECT_FALSE(test, nt_was_at(nb, steps[j]));
		KUNIT_EXPECT_EQ(test, nt_wait_timeout(client, 1), -ETIMEDOUT);
		KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 1), -ETIMEDOUT);
		nt_release(party, steps[i]);
	}
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Optional callbacks */

struct absence {
	const char *name;
	unsigned long client;
	unsigned long provider;
};

static const struct absence absences[] = {
	{ "no client detach", BIT(NT_C_DETACH), 0 },
	{ "no client cleanup", BIT(NT_C_CLEANUP), 0 },
	{ "no client_attached", 0, BIT(NT_P_ATTACHED) },
	{ "no provider detach", 0, BIT(NT_P_DETACH) },
	{ "no provider cleanup", 0, BIT(NT_P_CLEANUP) },
	{ "no detach", BIT(NT_C_DETACH), BIT(NT_P_DETACH) },
	{ "none", BIT(NT_C_DETACH) | BIT(NT_C_CLEANUP),
	  BIT(NT_P_ATTACHED) | BIT(NT_P_DETACH) | BIT(NT_P_CLEANUP) },
};

NT_PARAM(absence, absences);

static void expect_called_but_absent(struct kunit *test, struct nt_binding *nb,
				     enum nt_point point)
{
	bool absent = nb->party[nt_side(point)]->absent & BIT(point);

	KUNIT_EXPECT_EQ_MSG(test, nt_has_left(nb, point), !absent, "point %d", point);
}

static void callbacks_may_be_null(struct kunit *test)
{
	const struct absence *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;
	enum nmr_side side;

	client->absent = param->client;
	provider->absent = param->provider;
	nb = nt_pair(nt, client, provider);
	expect_called_but_absent(test, nb, NT_P_ATTACHED);
	for (side = 0; side < NMR_SIDES; side++)
		KUNIT_EXPECT_TRUE(test, nt_call(nb, side));

	/* A side without a detach callback detaches when its calls have drained. */
	for (side = 0; side < NMR_SIDES; side++)
		KUNIT_EXPECT_TRUE(test, nt_enter(nb, side));
	nt_deregister(client);
	nt_settle(nt);
	for (side = 0; side < NMR_SIDES; side++) {
		KUNIT_EXPECT_EQ(test, nt_wait_timeout(client, 1), -ETIMEDOUT);
		KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
		KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_P_CLEANUP));
		nt_exit(nb, side);
	}
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	expect_called_but_absent(test, nb, NT_C_DETACH);
	expect_called_but_absent(test, nb, NT_P_DETACH);
	expect_called_but_absent(test, nb, NT_C_CLEANUP);
	expect_called_but_absent(test, nb, NT_P_CLEANUP);
}

/* Pass NULL as binding contexts, which is valid. */
static void contexts_may_be_null(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->null_context = true;
	provider->null_context = true;
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_NULL(test, nb->peer[NMR_CLIENT].binding_context);
	KUNIT_EXPECT_NULL(test, nb->peer[NMR_PROVIDER].binding_context);
	KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_P_ATTACHED));
	KUNIT_EXPECT_TRUE(test, nt_call(nb, NMR_CLIENT));
	KUNIT_EXPECT_TRUE(test, nt_call(nb, NMR_PROVIDER));
	nt_leave(provider);
	KUNIT_EXPECT_TRUE(test, nt_before(nb, NT_C_DETACH, NT_P_DETACH));
	KUNIT_EXPECT_TRUE(test, nt_before(nb, NT_C_CLEANUP, NT_P_CLEANUP));
	KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_P_CLEANUP));
}

/* Pending */

struct completion_case {
	const char *name;
	enum nmr_side side;
	enum nt_context context;
};

static const struct completion_case completions[] = {
	{ "client, task", NMR_CLIENT, NT_TASK },
	{ "client, kthread", NMR_CLIENT, NT_KTHREAD },
	{ "client, softirq", NMR_CLIENT, NT_SOFTIRQ },
	{ "client, hardirq", NMR_CLIENT, NT_HARDIRQ },
	{ "client, RCU callback", NMR_CLIENT, NT_RCU_CALLBACK },
	{ "client, raw lock", NMR_CLIENT, NT_RAW_LOCK },
	{ "provider, task", NMR_PROVIDER, NT_TASK },
	{ "provider, kthread", NMR_PROVIDER, NT_KTHREAD },
	{ "provider, softirq", NMR_PROVIDER, NT_SOFTIRQ },
	{ "provider, hardirq", NMR_PROVIDER, NT_HARDIRQ },
	{ "provider, RCU callback", NMR_PROVIDER, NT_RCU_CALLBACK },
	{ "provider, raw lock", NMR_PROVIDER, NT_RAW_LOCK },
};

NT_PARAM(completion, completions);

static void complete_client(void *nb)
{
	nt_complete(nb, NMR_CLIENT);
}

static void complete_provider(void *nb)
{
	nt_complete(nb, NMR_PROVIDER);
}

/* Leave one detach pending: the provider's detach follows, and cleanup waits. */
static void pending_is_completed(struct kunit *test)
{
	const struct completion_case *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *pends = param->side == NMR_CLIENT ? client : provider;
	struct nt_binding *nb;

	pends->at[NT_C_DETACH + param->side].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_deregister(provider);
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == 1);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 1), -ETIMEDOUT);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 0), -ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_P_CLEANUP));
	nt_run_in(nt, param->context, param->side == NMR_CLIENT ?
		  complete_client : complete_provider, nb);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_P_CLEANUP));
}

/* Leave both sides pending: the second completion starts cleanup, in either order. */
static void both_sides_pend(struct kunit *test)
{
	enum nmr_side first = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->at[NT_C_DETACH].ret = -EINPROGRESS;
	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_deregister(client);
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == 1);
	nt_complete(nb, first);
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_P_CLEANUP));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(client, 1), -ETIMEDOUT);
	nt_complete(nb, nt_peer(first));
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* Complete before the last exit, and after it: cleanup waits for both. */
static void pending_and_calls_in_flight(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *pends = side == NMR_CLIENT ? client : provider;
	struct nt_binding *nb[2];
	int i;

	pends->at[NT_C_DETACH + side].ret = -EINPROGRESS;
	nb[0] = nt_pair(nt, client, provider);
	nb[1] = side == NMR_CLIENT ? nt_pair(nt, client, nt_provider(nt)) :
				     nt_pair(nt, nt_client(nt), provider);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_TRUE(test, nt_enter(nb[i], side));
	nt_deregister(pends);
	for (i = 0; i < 2; i++)
		nt_await(nt, nt_has_left(nb[i], NT_P_DETACH));
	nt_complete(nb[0], side);
	nt_exit(nb[1], side);
	nt_settle(nt);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_FALSE(test, nt_was_at(nb[i], NT_C_CLEANUP));
	nt_exit(nb[0], side);
	nt_await(nt, nt_has_left(nb[0], NT_P_CLEANUP));
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb[1], NT_C_CLEANUP));
	nt_complete(nb[1], side);
	KUNIT_EXPECT_EQ(test, nt_wait(pends), 0);
}

/* Complete while the own detach callback runs, in it or in another task */

static int complete_own(struct nt_binding *nb, int ret)
{
	struct nt_party *client = nb->party[NMR_CLIENT];

	nt_complete(nb, client->priv ? NMR_CLIENT : NMR_PROVIDER);
	return ret;
}

static void complete_inside_its_detach(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *party = side == NMR_CLIENT ? client : provider;
	enum nt_point detach = NT_C_DETACH + side;
	struct nt_binding *nb;

	party->priv = party;
	party->at[detach].hook = complete_own;
	party->at[detach].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_leave(client);
	KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_P_CLEANUP));
}

static void complete_beside_its_detach(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *party = side == NMR_CLIENT ? client : provider;
	enum nt_point detach = NT_C_DETACH + side;
	struct nt_binding *nb;

	nt_hold(party, detach);
	party->at[detach].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_deregister(client);
	nt_await(nt, nt_entered(party, detach) == 1);
	nt_complete(nb, side);
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	nt_release(party, detach);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

static int complete_client_here(struct nt_binding *nb, int ret)
{
	nt_complete(nb, NMR_CLIENT);
	return ret;
}

/* Complete the client's pending detach in the provider's detach callback. */
static void complete_inside_the_other_detach(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	client->at[NT_C_DETACH].ret = -EINPROGRESS;
	provider->at[NT_P_DETACH].hook = complete_client_here;
	nt_pair(nt, client, provider);
	nt_leave(provider);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_CLEANUP), 1);
}

/* The first reason wins */

static void first_reason_wins(struct kunit *test)
{
	const struct ending *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;
	int i;

	nt_hold(client, NT_C_DETACH);
	nb = nt_pair(nt, client, provider);
	nt_end_for(nb, param->reason);
	for (i = 0; i < ARRAY_SIZE(endings); i++)
		nt_end_for(nb, endings[i].reason);
	nt_await(nt, nt_entered(client, NT_C_DETACH) == 1);
	for (i = 0; i < ARRAY_SIZE(endings); i++)
		KUNIT_EXPECT_EQ(test, nt_end_for(nb, endings[i].reason), -EALREADY);
	nt_release(client, NT_C_DETACH);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_CLIENT], param->reason);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], param->reason);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_DETACH), 1);
}

/* nmr_detach_binding() */

static void detach_binding_wants_a_reason(struct kunit *test)
{
	static const int wrong[] = {
		NMR_DETACH_CLIENT_DEREGISTERED,
		NMR_DETACH_PROVIDER_DEREGISTERED,
		NMR_DETACH_ATTACH_FAILED,
		NMR_DETACH_ABORT + 1,
		-1,
	};
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));
	int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, wrong[i]), -EINVAL);
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_CLIENT));
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_PROVIDER));
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_DETACH));
}

/* Detach one binding: the other bindings of both parties stay. */
static void detach_binding_detaches_one(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client[2], *provider[2];
	struct nt_binding *nb[2][2];
	int i, j;

	for (i = 0; i < 2; i++) {
		client[i] = nt_client(nt);
		provider[i] = nt_provider(nt);
		nt_join_npi(client[i]);
	}
	for (i = 0; i < 2; i++)
		nt_join_npi(provider[i]);
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++)
			nb[i][j] = nt_pair(nt, client[i], provider[j]);
	}
	nt_get(nb[0][1]);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb[0][1]->b, NMR_DETACH_ABORT), 0);
	KUNIT_EXPECT_FALSE(test, nt_open(nb[0][1], NMR_CLIENT));
	KUNIT_EXPECT_FALSE(test, nt_open(nb[0][1], NMR_PROVIDER));
	nt_put(nb[0][1]);
	nt_await(nt, nt_returned(provider[1], NT_P_CLEANUP) == 1);
	nt_settle(nt);
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++) {
			if (nb[i][j] == nb[0][1])
				continue;
			KUNIT_EXPECT_TRUE(test, nt_call(nb[i][j], NMR_CLIENT));
			KUNIT_EXPECT_TRUE(test, nt_call(nb[i][j], NMR_PROVIDER));
			KUNIT_EXPECT_FALSE(test, nt_was_at(nb[i][j], NT_C_DETACH));
		}
	}
}

static void abort_it(void *arg)
{
	struct nt_binding *nb = arg;

	nt_check(nb->nt, nmr_detach_binding(nb->b, NMR_DETACH_ABORT) == 0);
	nt_check(nb->nt, !nt_open(nb, NMR_CLIENT));
	nt_check(nb->nt, !nt_open(nb, NMR_PROVIDER));
}

static const enum nt_context contexts[] = {
	NT_TASK, NT_KTHREAD, NT_SOFTIRQ, NT_RCU_CALLBACK,
};

KUNIT_ARRAY_PARAM(context, contexts, nt_context_desc);

static void detach_binding_in_any_context(struct kunit *test)
{
	enum nt_context context = *(const enum nt_context *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));

	nt_get(nb);
	nt_run_in(nt, context, abort_it, nb);
	nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_CLIENT], NMR_DETACH_ABORT);
}

static int abort_again(struct nt_binding *nb, int ret)
{
	nt_check(nb->nt, nmr_detach_binding(nb->b, NMR_DETACH_ABORT) == -EALREADY);
	return ret;
}

/* Detach a binding again in each callback of its end, and after its end. */
static void detach_binding_while_it_ends(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->at[NT_C_DETACH].hook = abort_again;
	provider->at[NT_P_DETACH].hook = abort_again;
	client->at[NT_C_CLEANUP].hook = abort_again;
	provider->at[NT_P_CLEANUP].hook = abort_again;
	nb = nt_pair(nt, client, provider);
	nt_get(nb);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), 0);
	nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT),
			-EALREADY);
	/* The abort came too late: the pair is offered again. */
	client->at[NT_C_DETACH].hook = NULL;
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	nt_await(nt, nt_returned(provider, NT_P_ATTACHED) == 2);
}

static int abort_in_call(struct nt_binding *nb, int ret)
{
	nt_check(nb->nt, nmr_detach_binding(nb->b, NMR_DETACH_ABORT) == 0);
	nt_check(nb->nt, !nt_open(nb, NMR_CLIENT));
	return ret;
}

/* Detach a binding in a call through it. */
static void detach_binding_inside_a_call(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	provider->at[NT_P_OP].hook = abort_in_call;
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_TRUE(test, nt_call(nb, NMR_CLIENT));
	nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
	KUNIT_EXPECT_GT(test, nb->when[NT_C_CLEANUP][0], nb->when[NT_P_OP][1]);
}

/* Misuse, which the registrar warns of, once a registration and kind, and ignores */

/* Expect a warning of a completion for which no detach is pending. */
static void expect_stray_completion(struct nt *nt, enum nmr_side side)
{
	nt_expect_advice(nt, "if the detach callback of the %s returns -EINPROGRESS",
			 nt_side_name(side));
}

static void complete_before_detach_warns(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *party = side == NMR_CLIENT ? client : provider;
	struct nt_binding *nb;

	party->at[NT_C_DETACH + side].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_expect_warnings(nt);
	by_side_complete(side, nb->b);
	by_side_complete(side, nb->b);
	expect_stray_completion(nt, side);
	KUNIT_EXPECT_TRUE(test, nt_call(nb, NMR_CLIENT));

	/* The registrar ignored it: the detach that follows needs a completion of its own. */
	nt_deregister(provider);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 1), -ETIMEDOUT);
	nt_complete(nb, side);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Complete the provider's detach before its callback begins, in that of the client. */
static void complete_before_its_turn_warns(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	nt_hold(client, NT_C_DETACH);
	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_deregister(client);
	nt_await(nt, nt_entered(client, NT_C_DETACH) == 1);
	nt_expect_warnings(nt);
	by_side_complete(NMR_PROVIDER, nb->b);
	expect_stray_completion(nt, NMR_PROVIDER);
	nt_release(client, NT_C_DETACH);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	nt_complete(nb, NMR_PROVIDER);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* Complete a side that returned 0, while the other side keeps the binding. */
static void complete_without_pending_warns(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *other = side == NMR_CLIENT ? provider : client;
	struct nt_binding *nb;

	other->at[NT_C_DETACH + nt_peer(side)].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_deregister(client);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	/* The worker has returned from the callback after this. */
	nt_settle(nt);
	nt_expect_warnings(nt);
	by_side_complete(side, nb->b);
	by_side_complete(side, nb->b);
	expect_stray_completion(nt, side);
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	nt_complete(nb, nt_peer(side));
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* Complete in the own detach callback, which then returns 0: one of the two is wrong. */
static void complete_and_return_zero_warns(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *party = side == NMR_CLIENT ? client : provider;
	struct nt_binding *nb;

	party->priv = party;
	party->at[NT_C_DETACH + side].hook = complete_own;
	nb = nt_pair(nt, client, provider);
	nt_expect_warnings(nt);
	nt_leave(client);
	expect_stray_completion(nt, side);
	KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_P_CLEANUP));
}

static void complete_twice_warns(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->at[NT_C_DETACH].ret = -EINPROGRESS;
	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_deregister(client);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	nt_complete(nb, side);
	nt_expect_warnings(nt);
	by_side_complete(side, nb->b);
	by_side_complete(side, nb->b);
	expect_stray_completion(nt, side);

	/* The second completion did not count for the other side. */
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(client, 1), -ETIMEDOUT);
	nt_complete(nb, nt_peer(side));
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* Misuse two bindings of each of two registrations: each registration warns once. */
static void misuse_warns_once_a_registration(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[2], *peer[2];
	struct nt_binding *nb;
	int i, j;

	for (i = 0; i < 2; i++) {
		party[i] = nt_party(nt, side);
		peer[i] = nt_party(nt, nt_peer(side));
		nt_join_npi(peer[i]);
	}
	for (i = 0; i < 2; i++) {
		nt_join_npi(party[i]);
		nt_expect_warnings(nt);
		for (j = 0; j < 2; j++) {
			nb = nt_find_between(party[i], peer[j]);
			by_side_complete(side, nb->b);
		}
		KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 1);
	}
}

/*
 * Misuse two bindings, one after the other, in three ways: each way warns once, and blames the
 * party that does it.
 */
static void misuse_is_told_by_kind_and_side(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *hub = nt_party(nt, side), *peer[2];
	struct nt_binding *nb;
	int i;

	hub->at[NT_C_DETACH + side].ret = -EIO;
	for (i = 0; i < ARRAY_SIZE(peer); i++) {
		peer[i] = nt_party(nt, nt_peer(side));
		nt_join_npi(peer[i]);
	}
	nt_join_npi(hub);
	nt_expect_warnings(nt);
	for (i = 0; i < ARRAY_SIZE(peer); i++) {
		nb = nt_find_between(hub, peer[i]);
		by_side_complete(side, nb->b);
		by_side_exit(side, nb->b);
		KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
		nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
	}
	KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 3);
}

static const int odd_values[] = { 1, -EIO, -ENODEV, -EBUSY };

static void odd_value_name(const int *value, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%d", *value);
}

KUNIT_ARRAY_PARAM(odd_value, odd_values, odd_value_name);

/* Return another value from a detach callback: the registrar treats it as 0. */
static void odd_detach_value_warns(struct kunit *test)
{
	int value = *(const int *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES];
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		party[NMR_CLIENT] = nt_client(nt);
		party[NMR_PROVIDER] = nt_provider(nt);
		party[side]->at[NT_C_DETACH + side].ret = value;
		nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);
		nt_expect_warnings(nt);
		nt_leave(party[NMR_CLIENT]);
		nt_expect_advice(nt, "return one of the two from the detach callback of the %s",
				 nt_side_name(side));
		KUNIT_EXPECT_EQ(test,
				nt_returned(party[NMR_PROVIDER], NT_P_CLEANUP), 1);
		nt_leave(party[NMR_PROVIDER]);
	}
}

/* Callbacks may call the API */

static const enum nt_point anywhere[] = {
	NT_C_ATTACH, NT_P_ATTACH, NT_P_ATTACHED,
	NT_C_DETACH, NT_P_DETACH, NT_C_CLEANUP, NT_P_CLEANUP,
};

KUNIT_ARRAY_PARAM(anywhere, anywhere, nt_point_desc);

/* Run the whole life of another pair inside a callback. */
static int live_another_life(struct nt_binding *nb, int ret)
{
	struct nt *nt = nb->nt;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *other;

	nt_move_to_new_npi(client, provider);
	nt_check(nt, nt_register(client) == 0);
	nt_check(nt, nt_reoffer(client) == 0);
	nt_check(nt, nt_register(provider) == 0);
	nt_check(nt, nmr_client_wait_for_binding(client->client, 0) == 0);
	other = nt_find(nt, client, provider);
	if (!nt_check(nt, other))
		return ret;
	nt_get(other);
	nt_check(nt, nt_call(other, NMR_CLIENT));
	nt_check(nt, nt_call(other, NMR_PROVIDER));
	nt_check(nt, nmr_detach_binding(other->b, NMR_DETACH_FALLBACK) == 0);
	nt_check(nt, nt_wait_until(nt, nt_has_left(other, NT_P_CLEANUP)));
	nt_leave(client);
	nt_leave(provider);
	nt_put(other);

	/* For the own binding and its parties, call the functions that do not wait. */
	nt_check(nt, nmr_binding_get(nb->b) == nb->b);
	nmr_binding_put(nb->b);
	nt_check(nt, nt_reoffer(nb->party[NMR_CLIENT]) != -EINVAL);
	nt_check(nt, nt_reoffer(nb->party[NMR_PROVIDER]) != -EINVAL);
	return ret;
}

static void callbacks_may_call_anything(struct kunit *test)
{
	enum nt_point point = *(const enum nt_point *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *acts;

	acts = nt_side(point) == NMR_CLIENT ? client : provider;
	acts->at[point].hook = live_another_life;
	nt_pair(nt, client, provider);
	nt_deregister(client);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_returned(acts, point), 1);
}

static void nothing_work(struct work_struct *work)
{
}

static int flush_a_work(struct nt_binding *nb, int ret)
{
	struct work_struct *work = nt_zalloc(nb->nt, sizeof(*work));

	INIT_WORK(work, nothing_work);
	schedule_work(work);
	flush_work(work);
	return ret;
}

/* Flush a work item of a system workqueue in a callback, which WQ_MEM_RECLAIM forbids. */
static void callbacks_may_flush_work(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	client->at[NT_C_DETACH].hook = flush_a_work;
	provider->at[NT_P_DETACH].hook = flush_a_work;
	client->at[NT_C_CLEANUP].hook = flush_a_work;
	provider->at[NT_P_CLEANUP].hook = flush_a_work;
	nt_pair(nt, client, provider);
	nt_watch_log(nt);
	nt_leave(provider);
	KUNIT_EXPECT_EQ(test, nt_watched_lines(nt), 0);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_CLEANUP), 1);
}

/* Check promise 8: a pending detach delays no other binding, also of the same provider. */
static void pending_delays_no_other(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt), *client[40];
	struct nt_binding *nb[ARRAY_SIZE(client)];
	int i;

	nt_join_npi(provider);
	for (i = 0; i < ARRAY_SIZE(client); i++) {
		client[i] = nt_client(nt);
		if (i)
			client[i]->at[NT_C_DETACH].ret = -EINPROGRESS;
		nb[i] = nt_pair(nt, client[i], provider);
	}
	nt_deregister(provider);
	/* More detach callbacks run than may sleep at once. One of them is not pending. */
	for (i = 0; i < ARRAY_SIZE(client); i++)
		nt_await(nt, nt_has_left(nb[i], NT_P_DETACH));
	nt_leave(client[0]);
	KUNIT_EXPECT_TRUE(test, nt_has_left(nb[0], NT_P_CLEANUP));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 1), -ETIMEDOUT);
	for (i = ARRAY_SIZE(client) - 1; i > 0; i--) {
		KUNIT_EXPECT_FALSE(test, nt_was_at(nb[i], NT_C_CLEANUP));
		nt_complete(nb[i], NMR_CLIENT);
		nt_leave(client[i]);
	}
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Promise 12: 500 callbacks may wait concurrently, which takes a minute with KASAN. */
#define WAITING	(IS_ENABLED(CONFIG_KASAN) ? 100 : 500)

static int leave_the_other(struct nt_binding *nb, int ret)
{
	nt_leave(nb->party[NMR_CLIENT]->priv);
	return ret;
}

/* Make a client that waits, in its detach callback, for another client, of @other_hub. */
static struct nt_party *waiting_client(struct nt *nt, struct nt_party *other_hub)
{
	struct nt_party *client = nt_client(nt), *other = nt_client(nt);

	guid_copy(&other->npi_id, &other_hub->npi_id);
	other->at[NT_C_DETACH].ret = -EINPROGRESS;
	client->priv = other;
	client->at[NT_C_DETACH].hook = leave_the_other;
	nt_join_npi(client);
	nt_join_npi(other);
	return client;
}

/*
 * Let all callbacks wait concurrently, on all nodes and CPUs. No wait can end before the
 * detach callback of the awaited client has run, which needs a worker as well.
 */
static void callbacks_may_all_wait(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *hub = nt_provider(nt), *other_hub = nt_provider(nt);
	struct nt_party **client = nt_zalloc(nt, WAITING * sizeof(*client)), *other;
	int i;

	nt->quiet = true;
	guid_gen(&other_hub->npi_id);
	nt_join_npi(hub);
	nt_join_npi(other_hub);
	for (i = 0; i < WAITING; i++)
		client[i] = waiting_client(nt, other_hub);
	nt_deregister(hub);
	for (i = 0; i < WAITING; i++) {
		other = client[i]->priv;
		nt_await(nt, nt_returned(other, NT_C_DETACH) == 1);
	}
	for (i = 0; i < WAITING; i++) {
		other = client[i]->priv;
		KUNIT_EXPECT_EQ(test, nt_returned(client[i], NT_C_DETACH), 0);
		nt_complete(nt_find(nt, other, other_hub), NMR_CLIENT);
	}
	for (i = 0; i < WAITING; i++)
		nt_await(nt, nt_returned(client[i], NT_C_CLEANUP) == 1);
	KUNIT_EXPECT_EQ(test, nt_wait(hub), 0);
}

static struct kunit_case nmr_detach_cases[] = {
	KUNIT_CASE_PARAM(detach_comes_in_order, ending_gen_params),
	KUNIT_CASE(each_step_of_detach_waits),
	KUNIT_CASE_PARAM(callbacks_may_be_null, absence_gen_params),
	KUNIT_CASE(contexts_may_be_null),
	KUNIT_CASE_PARAM(pending_is_completed, completion_gen_params),
	KUNIT_CASE_PARAM(both_sides_pend, nt_side_gen_params),
	KUNIT_CASE_PARAM(pending_and_calls_in_flight, nt_side_gen_params),
	KUNIT_CASE_PARAM(complete_inside_its_detach, nt_side_gen_params),
	KUNIT_CASE_PARAM(complete_beside_its_detach, nt_side_gen_params),
	KUNIT_CASE(complete_inside_the_other_detach),
	KUNIT_CASE_PARAM(first_reason_wins, ending_gen_params),
	KUNIT_CASE(detach_binding_wants_a_reason),
	KUNIT_CASE(detach_binding_detaches_one),
	KUNIT_CASE_PARAM(detach_binding_in_any_context, context_gen_params),
	KUNIT_CASE(detach_binding_while_it_ends),
	KUNIT_CASE(detach_binding_inside_a_call),
	KUNIT_CASE_PARAM(complete_before_detach_warns, nt_side_gen_params),
	KUNIT_CASE(complete_before_its_turn_warns),
	KUNIT_CASE_PARAM(complete_without_pending_warns, nt_side_gen_params),
	KUNIT_CASE_PARAM(complete_and_return_zero_warns, nt_side_gen_params),
	KUNIT_CASE_PARAM(complete_twice_warns, nt_side_gen_params),
	KUNIT_CASE_PARAM(misuse_warns_once_a_registration, nt_side_gen_params),
	KUNIT_CASE_PARAM(misuse_is_told_by_kind_and_side, nt_side_gen_params),
	KUNIT_CASE_PARAM(odd_detach_value_warns, odd_value_gen_params),
	KUNIT_CASE_PARAM(callbacks_may_call_anything, anywhere_gen_params),
	KUNIT_CASE(callbacks_may_flush_work),
	KUNIT_CASE(pending_delays_no_other),
	KUNIT_CASE_SLOW(callbacks_may_all_wait),
	{}
};

static struct kunit_suite nmr_detach_suite = {
	.name = "nmr_detach",
	.init = nt_init,
	.test_cases = nmr_detach_cases,
};

kunit_test_suite(nmr_detach_suite);
