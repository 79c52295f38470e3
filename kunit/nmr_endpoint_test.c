// SPDX-License-Identifier: GPL-2.0-only
/*
 * Endpoints in the characteristics: what each side hands over if it has no attach callback,
 * and what a callback changes. The parties of the harness always have attach callbacks, so the
 * cases have clients and providers of their own.
 */
#include <kunit/test.h>
#include <linux/err.h>

#include "harness.h"

/* What a side was told */
struct told {
	struct nmr_endpoint peer;
	struct nmr_endpoint preset;
	void *attached;
	void *detach;
	void *cleanup;
	enum nmr_detach_reason reason;
	int offers;
	int cleanups;
};

/*
 * A client and a provider of an NPI of their own.
 * @ret: what the attach callback of a side returns
 * @other: what the attach callback of a side hands over, if not @c.endpoint or @p.endpoint
 */
struct ends {
	struct nt *nt;
	guid_t npi_id;
	struct nmr_client_characteristics c;
	struct nmr_provider_characteristics p;
	struct nmr_client_handle client;
	struct nmr_provider_handle provider;
	struct told told[NMR_SIDES];
	int ret[NMR_SIDES];
	const struct nmr_endpoint *other[NMR_SIDES];
};

/* Context and table that a side hands over. The first points to the ends. */
struct end {
	struct ends *ends;
	int table;
};

static struct ends *new_ends(struct kunit *test)
{
	struct ends *ends = nt_zalloc(test->priv, sizeof(*ends));

	ends->nt = test->priv;
	guid_gen(&ends->npi_id);
	ends->c.instance.npi_id = &ends->npi_id;
	ends->c.instance.module_id = &ends->npi_id;
	ends->p.instance = ends->c.instance;
	return ends;
}

static struct nmr_endpoint new_endpoint(struct ends *ends)
{
	struct end *end = nt_zalloc(ends->nt, sizeof(*end));

	end->ends = ends;
	return (struct nmr_endpoint){ end, &end->table };
}

/* Callbacks */

static int attach_provider(struct nmr_binding *binding, void *client_context,
			   const struct nmr_registration_instance *provider)
{
	struct ends *ends = client_context;
	struct told *told = &ends->told[NMR_CLIENT];

	told->offers++;
	return ends->ret[NMR_CLIENT] ?:
	       nmr_client_attach_provider(binding, ends->other[NMR_CLIENT], &told->peer);
}

static int attach_client(struct nmr_binding *binding, void *provider_context,
			 const struct nmr_registration_instance *instance,
			 const struct nmr_endpoint *client, struct nmr_endpoint *provider)
{
	struct ends *ends = provider_context;
	struct told *told = &ends->told[NMR_PROVIDER];

	told->offers++;
	told->peer = *client;
	told->preset = *provider;
	if (ends->other[NMR_PROVIDER])
		*provider = *ends->other[NMR_PROVIDER];
	return ends->ret[NMR_PROVIDER];
}

static void client_attached(void *context)
{
	struct end *end = context;

	end->ends->told[NMR_PROVIDER].attached = context;
}

static int detach(void *context, enum nmr_detach_reason reason, enum nmr_side side)
{
	struct end *end = context;

	end->ends->told[side].detach = context;
	end->ends->told[side].reason = reason;
	return 0;
}

static int detach_provider(void *context, enum nmr_detach_reason reason)
{
	return detach(context, reason, NMR_CLIENT);
}

static int detach_client(void *context, enum nmr_detach_reason reason)
{
	return detach(context, reason, NMR_PROVIDER);
}

static void cleanup(void *context, enum nmr_side side)
{
	struct end *end = context;
	struct told *told = &end->ends->told[side];

	told->cleanup = context;
	smp_store_release(&told->cleanups, told->cleanups + 1);	/* pairs with cleanups_of() */
	nt_kick(end->ends->nt);
}

static int cleanups_of(struct ends *ends, enum nmr_side side)
{
	return smp_load_acquire(&ends->told[side].cleanups);	/* pairs with cleanup() */
}

static void cleanup_client(void *context)
{
	cleanup(context, NMR_CLIENT);
}

static void cleanup_provider(void *context)
{
	cleanup(context, NMR_PROVIDER);
}

/* Register both sides. The registrar keeps a copy of the characteristics. */
static void join(struct kunit *test, struct ends *ends)
{
	struct nmr_client_characteristics c = ends->c;
	struct nmr_provider_characteristics p = ends->p;

	KUNIT_ASSERT_EQ(test, nmr_register_provider(&p, ends, &ends->provider), 0);
	memset(&p, 0xa5, sizeof(p));
	KUNIT_ASSERT_EQ(test, nmr_register_client(&c, ends, &ends->client), 0);
	memset(&c, 0xa5, sizeof(c));
	barrier_data(&c);
	barrier_data(&p);
}

static void leave(struct ends *ends)
{
	nmr_deregister_client_sync(ends->client);
	nmr_deregister_provider_sync(ends->provider);
}

static int note_call(const struct nmr_call *call, void *arg)
{
	struct nmr_endpoint *seen = arg;

	nt_check(((struct end *)call->context)->ends->nt, call->binding);
	seen->binding_context = call->context;
	seen->dispatch = call->dispatch;
	return 1;
}

static void expect_same(struct kunit *test, const struct nmr_endpoint *seen,
			const struct nmr_endpoint *wanted)
{
	KUNIT_EXPECT_PTR_EQ(test, seen->binding_context, wanted->binding_context);
	KUNIT_EXPECT_PTR_EQ(test, seen->dispatch, wanted->dispatch);
}

/* Each side calls what the other side has handed over. */
static void expect_handed_over(struct kunit *test, struct ends *ends,
			       const struct nmr_endpoint *client,
			       const struct nmr_endpoint *provider)
{
	struct nmr_endpoint seen = {};

	KUNIT_EXPECT_EQ(test, 1, nmr_client_for_each_provider(ends->client, note_call, &seen));
	expect_same(test, &seen, provider);
	KUNIT_EXPECT_EQ(test, 1, nmr_provider_for_each_client(ends->provider, note_call,
							      &seen));
	expect_same(test, &seen, client);
}

static void expect_told(struct kunit *test, struct ends *ends, enum nmr_side side,
			const struct nmr_endpoint *own)
{
	const struct told *told = &ends->told[side];

	KUNIT_EXPECT_PTR_EQ(test, told->detach, own->binding_context);
	KUNIT_EXPECT_PTR_EQ(test, told->cleanup, own->binding_context);
	KUNIT_EXPECT_EQ(test, told->reason, NMR_DETACH_CLIENT_DEREGISTERED);
	KUNIT_EXPECT_EQ(test, cleanups_of(ends, side), 1);
}

/* Cases */

/* Which sides have an attach callback, as a mask of BIT(side) */
static const unsigned int callbacks[] = {
	0, BIT(NMR_CLIENT), BIT(NMR_PROVIDER), BIT(NMR_CLIENT) | BIT(NMR_PROVIDER)
};

static void callbacks_name(const unsigned int *mask, char *desc)
{
	static const char * const names[] = {
		"no attach callback", "client's", "provider's", "both"
	};

	strscpy(desc, names[*mask], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(callbacks, callbacks, callbacks_name);

/* With all other callbacks, which get the contexts of the endpoints. */
static struct ends *param_ends(struct kunit *test)
{
	unsigned int mask = *(const unsigned int *)test->param_value;
	struct ends *ends = new_ends(test);

	ends->c.attach_provider = mask & BIT(NMR_CLIENT) ? attach_provider : NULL;
	ends->c.detach_provider = detach_provider;
	ends->c.cleanup_binding_context = cleanup_client;
	ends->p.attach_client = mask & BIT(NMR_PROVIDER) ? attach_client : NULL;
	ends->p.client_attached = client_attached;
	ends->p.detach_client = detach_client;
	ends->p.cleanup_binding_context = cleanup_provider;
	ends->c.endpoint = new_endpoint(ends);
	ends->p.endpoint = new_endpoint(ends);
	return ends;
}

/* A callback that passes NULL, or leaves the endpoint alone, hands over the same. */
static void endpoints_are_handed_over(struct kunit *test)
{
	unsigned int mask = *(const unsigned int *)test->param_value;
	struct ends *ends = param_ends(test);
	const struct told *told = ends->told;

	join(test, ends);
	expect_handed_over(test, ends, &ends->c.endpoint, &ends->p.endpoint);
	KUNIT_EXPECT_PTR_EQ(test, told[NMR_PROVIDER].attached,
			    ends->p.endpoint.binding_context);
	if (mask & BIT(NMR_CLIENT))
		expect_same(test, &told[NMR_CLIENT].peer, &ends->p.endpoint);
	if (mask & BIT(NMR_PROVIDER)) {
		expect_same(test, &told[NMR_PROVIDER].peer, &ends->c.endpoint);
		expect_same(test, &told[NMR_PROVIDER].preset, &ends->p.endpoint);
	}
	leave(ends);
	expect_told(test, ends, NMR_CLIENT, &ends->c.endpoint);
	expect_told(test, ends, NMR_PROVIDER, &ends->p.endpoint);
}

/* What an attach callback hands over is used instead. */
static void callback_overrides_the_endpoint(struct kunit *test)
{
	unsigned int mask = *(const unsigned int *)test->param_value;
	struct ends *ends = param_ends(test);
	struct nmr_endpoint own[NMR_SIDES] = { ends->c.endpoint, ends->p.endpoint };
	struct nmr_endpoint other[NMR_SIDES];
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		other[side] = new_endpoint(ends);
		ends->other[side] = &other[side];
		if (mask & BIT(side))
			own[side] = other[side];
	}
	join(test, ends);
	expect_handed_over(test, ends, &own[NMR_CLIENT], &own[NMR_PROVIDER]);
	if (mask & BIT(NMR_PROVIDER)) {
		expect_same(test, &ends->told[NMR_PROVIDER].peer, &own[NMR_CLIENT]);
		expect_same(test, &ends->told[NMR_PROVIDER].preset, &ends->p.endpoint);
	}
	leave(ends);
	expect_told(test, ends, NMR_CLIENT, &own[NMR_CLIENT]);
	expect_told(test, ends, NMR_PROVIDER, &own[NMR_PROVIDER]);
}

static int count_visit(const struct nmr_call *call, void *n)
{
	++*(int *)n;
	return call->context || call->dispatch ? -EINVAL : 0;
}

/* Without callbacks and endpoints, both sides hand over NULL. */
static void nothing_is_an_endpoint(struct kunit *test)
{
	struct ends *ends = new_ends(test);
	int n = 0;

	join(test, ends);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(ends->client, 0), 0);
	KUNIT_EXPECT_EQ(test, 0, nmr_client_for_each_provider(ends->client, count_visit, &n));
	KUNIT_EXPECT_EQ(test, 0, nmr_provider_for_each_client(ends->provider, count_visit,
							      &n));
	KUNIT_EXPECT_EQ(test, n, 2);
	leave(ends);
}

static const int refusals[] = { -ENODEV, -ECANCELED, -EPROBE_DEFER, -EIO };

static void refusal_name(const int *refusal, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%d", *refusal);
}

KUNIT_ARRAY_PARAM(refusal, refusals, refusal_name);

/* A client without an attach callback takes the provider's refusal as its own. */
static void refusal_of_the_provider_stands(struct kunit *test)
{
	int refusal = *(const int *)test->param_value;
	struct ends *ends = new_ends(test);
	const struct told *told = &ends->told[NMR_PROVIDER];

	ends->c.cleanup_binding_context = cleanup_client;
	ends->c.endpoint = new_endpoint(ends);
	ends->p.attach_client = attach_client;
	ends->p.cleanup_binding_context = cleanup_provider;
	ends->p.endpoint = new_endpoint(ends);
	ends->ret[NMR_PROVIDER] = refusal;
	join(test, ends);
	KUNIT_EXPECT_EQ(test, told->offers, 1);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(ends->client, 0), -ETIMEDOUT);
	ends->ret[NMR_PROVIDER] = 0;
	KUNIT_EXPECT_EQ(test, nmr_client_reoffer(ends->client), 0);
	if (refusal == -EPROBE_DEFER) {
		KUNIT_EXPECT_EQ(test, 0, nmr_client_wait_for_binding(ends->client,
								     NT_TIMEOUT));
		expect_handed_over(test, ends, &ends->c.endpoint, &ends->p.endpoint);
	} else {
		nt_settle(ends->nt);
		KUNIT_EXPECT_EQ(test, told->offers, 1);
	}
	leave(ends);
	KUNIT_EXPECT_EQ(test, cleanups_of(ends, NMR_CLIENT), refusal == -EPROBE_DEFER);
	KUNIT_EXPECT_EQ(test, cleanups_of(ends, NMR_PROVIDER), refusal == -EPROBE_DEFER);
}

/* A provider without an attach callback is asked by a client that then declines. */
static void client_that_declines_is_not_attached(struct kunit *test)
{
	struct ends *ends = new_ends(test);

	ends->c.attach_provider = attach_provider;
	ends->p.cleanup_binding_context = cleanup_provider;
	ends->p.endpoint = new_endpoint(ends);
	ends->ret[NMR_CLIENT] = -ENODEV;
	join(test, ends);
	KUNIT_EXPECT_EQ(test, ends->told[NMR_CLIENT].offers, 1);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(ends->client, 0), -ETIMEDOUT);
	leave(ends);
	KUNIT_EXPECT_EQ(test, cleanups_of(ends, NMR_PROVIDER), 0);
}

DEFINE_NMR_SLOT(endpoint_slot);

/* A client with a slot and an endpoint has no callback at all. */
static void slot_needs_no_callback(struct kunit *test)
{
	struct ends *ends = new_ends(test);
	struct nmr_call call;

	ends->c.slot = &endpoint_slot;
	ends->c.endpoint = new_endpoint(ends);
	ends->p.endpoint = new_endpoint(ends);
	join(test, ends);
	KUNIT_ASSERT_TRUE(test, nmr_slot_enter(&endpoint_slot, &call));
	KUNIT_EXPECT_PTR_EQ(test, call.context, ends->p.endpoint.binding_context);
	KUNIT_EXPECT_PTR_EQ(test, call.dispatch, ends->p.endpoint.dispatch);
	nmr_slot_exit(&call);
	expect_handed_over(test, ends, &ends->c.endpoint, &ends->p.endpoint);
	leave(ends);
	KUNIT_EXPECT_FALSE(test, nmr_slot_enter(&endpoint_slot, &call));
}

static struct kunit_case endpoint_cases[] = {
	KUNIT_CASE_PARAM(endpoints_are_handed_over, callbacks_gen_params),
	KUNIT_CASE_PARAM(callback_overrides_the_endpoint, callbacks_gen_params),
	KUNIT_CASE(nothing_is_an_endpoint),
	KUNIT_CASE_PARAM(refusal_of_the_provider_stands, refusal_gen_params),
	KUNIT_CASE(client_that_declines_is_not_attached),
	KUNIT_CASE(slot_needs_no_callback),
	{}
};

static struct kunit_suite endpoint_suite = {
	.name = "nmr_endpoint",
	.init = nt_init,
	.test_cases = endpoint_cases,
};

kunit_test_suites(&endpoint_suite);
