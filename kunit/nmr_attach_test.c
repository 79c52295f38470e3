// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching: what either side may answer, what comes of each answer, and which side is
 * told; and what happens to a binding if a side leaves, or a task detaches the binding,
 * while it attaches.
 */
#include <kunit/test.h>

#include "harness.h"

static bool nt_is_attached_to(struct nt_party *client)
{
	return !nmr_client_wait_for_binding(client->client, 0);
}

static void attach_succeeds(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));

	/* The attach callbacks nest, and client_attached follows. */
	KUNIT_EXPECT_LT(test, nb->when[NT_C_ATTACH][0], nb->when[NT_P_ATTACH][0]);
	KUNIT_EXPECT_TRUE(test, nt_before(nb, NT_P_ATTACH, NT_C_BOUND));
	KUNIT_EXPECT_LT(test, nb->when[NT_C_BOUND][1], nb->when[NT_C_ATTACH][1]);
	KUNIT_EXPECT_TRUE(test, nt_before(nb, NT_C_ATTACH, NT_P_ATTACHED));
	KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_P_ATTACHED));
	KUNIT_EXPECT_TRUE(test, nt_call(nb, NMR_CLIENT));
	KUNIT_EXPECT_TRUE(test, nt_call(nb, NMR_PROVIDER));
	KUNIT_EXPECT_EQ(test, nt_returned(nb->party[NMR_PROVIDER], NT_P_OP), 1);
	KUNIT_EXPECT_EQ(test, nt_returned(nb->party[NMR_CLIENT], NT_C_OP), 1);
}

/* A side refuses */

struct refusal {
	const char *name;
	enum nt_point point;
	int value;
	bool never_asks;
	bool logged;
	const char *advice;	/* to the author, if the value is misuse */
};

static const struct refusal refusals[] = {
	{ "client -ENODEV", NT_C_ATTACH, -ENODEV },
	{ "client -ECANCELED", NT_C_ATTACH, -ECANCELED },
	{ "client -EIO", NT_C_ATTACH, -EIO, .logged = true },
	{ "client -ENOMEM", NT_C_ATTACH, -ENOMEM, .logged = true },
	{ "client positive", NT_C_ATTACH, 5,
	  .advice = "return 0 or a negative errno from the attach callback of the client" },
	{ "client 0 without asking", NT_C_ATTACH, 0, .never_asks = true,
	  .advice = "return what nmr_client_attach_provider() returned" },
	{ "provider -ENODEV", NT_P_ATTACH, -ENODEV },
	{ "provider -ECANCELED", NT_P_ATTACH, -ECANCELED },
	{ "provider -EIO", NT_P_ATTACH, -EIO, .logged = true },
	{ "provider positive", NT_P_ATTACH, 5,
	  .advice = "return 0 or a negative errno from the attach callback of the provider" },
};

NT_PARAM(refusal, refusals);

/* Expect that no callback and no offer follows, and that no wait has to block. */
static void expect_refused_for_good(struct kunit *test, struct nt_binding *nb)
{
	struct nt_party *client = nb->party[NMR_CLIENT];
	struct nt_party *provider = nb->party[NMR_PROVIDER];

	KUNIT_EXPECT_FALSE(test, nt_is_attached_to(client));
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	KUNIT_EXPECT_EQ(test, nt_reoffer(provider), 0);
	nt_settle(nb->nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	nt_leave(client);
	nt_leave(provider);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_ATTACHED), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_CLEANUP), 0);
}

static void refusal_is_final(struct kunit *test)
{
	const struct refusal *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;
	int lines;

	client->never_asks = param->never_asks;
	(nt_side(param->point) == NMR_CLIENT ? client : provider)
		->at[param->point].ret = param->value;
	nt_join_npi(client);
	if (param->advice)
		nt_expect_warnings(nt);
	else
		nt_watch_log(nt);
	nt_join_npi(provider);
	if (param->advice) {
		nt_expect_advice(nt, "%s", param->advice);
	} else {
		lines = nt_watched_lines(nt);
		KUNIT_EXPECT_EQ(test, lines, param->logged ? 1 : 0);
	}
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	expect_refused_for_good(test, nb);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_DETACH), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_CLEANUP), 0);
}

static int say_zero(struct nt_binding *nb, int ret)
{
	return 0;
}

/* Return 0 from a client that its provider has refused: no binding comes of it. */
static void client_cannot_overrule_a_refusal(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	provider->at[NT_P_ATTACH].ret = -ENODEV;
	client->at[NT_C_BOUND].hook = say_zero;
	nt_join_npi(client);
	nt_expect_warnings(nt);
	nt_join_npi(provider);
	KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 1);
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	expect_refused_for_good(test, nb);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_DETACH), 0);
}

/* Refuse some pairs, and expect that the registrar offers the others all the same. */
static void refusal_concerns_one_pair(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider[4];
	int i;

	for (i = 0; i < ARRAY_SIZE(provider); i++) {
		provider[i] = nt_provider(nt);
		provider[i]->at[NT_P_ATTACH].ret = i & 1 ? 0 : -ENODEV;
		nt_join_npi(provider[i]);
	}
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 4);
	for (i = 0; i < ARRAY_SIZE(provider); i++)
		KUNIT_EXPECT_EQ(test, nt_entered(provider[i], NT_P_ATTACHED), i & 1);
}

/* Misuse attach three times, and expect one warning a registration and kind. */
static void misuse_at_attach_warns_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	int i;

	client->at[NT_C_ATTACH].ret = 5;
	nt_join_npi(client);
	nt_expect_warnings(nt);
	for (i = 0; i < 3; i++)
		nt_join_npi(nt_provider(nt));
	KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 3);
}

/* The client fails after its provider has attached */

static const struct refusal failures[] = {
	{ "-EIO", NT_C_BOUND, -EIO, .logged = true },
	{ "-ENODEV", NT_C_BOUND, -ENODEV },
	{ "-ECANCELED", NT_C_BOUND, -ECANCELED },
	{ "positive", NT_C_BOUND, 7,
	  .advice = "return 0 or a negative errno from the attach callback of the client" },
};

NT_PARAM(failure, failures);

static int call_and_keep_one(struct nt_binding *nb, int ret)
{
	nt_check(nb->nt, nt_call(nb, NMR_CLIENT));
	nt_check(nb->nt, nt_enter(nb, NMR_CLIENT));
	return ret;
}

static void client_fails_late(struct kunit *test)
{
	const struct refusal *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->at[NT_C_BOUND].ret = param->value;
	client->at[NT_C_BOUND].hook = call_and_keep_one;
	nt_join_npi(client);
	if (param->advice)
		nt_expect_warnings(nt);
	else
		nt_watch_log(nt);
	nt_join_npi(provider);
	if (param->advice)
		nt_expect_advice(nt, "%s", param->advice);
	else
		KUNIT_EXPECT_EQ(test, nt_watched_lines(nt),
				param->logged ? 1 : 0);

	/* The gate is closed, and cleanup waits for the call in flight. */
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_EXPECT_FALSE(test, nt_enter(nb, NMR_CLIENT));
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == 1);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], NMR_DETACH_ATTACH_FAILED);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_CLEANUP), 0);
	nt_exit(nb, NMR_CLIENT);
	nt_await(nt, nt_returned(provider, NT_P_CLEANUP) == 1);
	expect_refused_for_good(test, nb);
}

/* Leave the provider's detach pending, and expect both registrations to wait for it. */
static void client_fails_late_and_provider_pends(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->at[NT_C_BOUND].ret = -ENODEV;
	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	nt_join_npi(provider);
	nt_join_npi(client);
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == 1);
	nt_deregister(client);
	nt_deregister(provider);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(client, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_CLEANUP), 0);
	nt_complete(nb, NMR_PROVIDER);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_CLEANUP), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_CLEANUP), 0);
}

/* nmr_client_attach_provider() */

static int ask(struct nt_binding *nb)
{
	struct nmr_endpoint out = { .dispatch = nb };
	int ret = nmr_client_attach_provider(nb->b, NULL, &out);

	nt_check(nb->nt, out.dispatch == nb && !out.binding_context);
	return ret;
}

static int ask_thread(void *nb)
{
	return ask(nb);
}

static int ask_from_another_task(struct nt_binding *nb, int ret)
{
	nt_check(nb->nt, nt_join(nt_spawn(nb->nt, ask_thread, nb)) == -EINVAL);
	return ret;
}

static void attach_provider_wants_its_task(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);

	/* The call of the other task does not count: that of the client attaches. */
	client->at[NT_C_ATTACH].hook = ask_from_another_task;
	nt_pair(nt, client, nt_provider(nt));
}

static int ask_again(struct nt_binding *nb, int ret)
{
	nt_check(nb->nt, ask(nb) == -EINVAL);
	nt_check(nb->nt, ask(nb) == -EINVAL);
	return ret;
}

static void attach_provider_is_called_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *refuses = nt_provider(nt), *accepts = nt_provider(nt);

	client->at[NT_C_BOUND].hook = ask_again;
	refuses->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(client);
	nt_join_npi(refuses);
	nt_pair(nt, client, accepts);
	KUNIT_EXPECT_EQ(test, nt_entered(refuses, NT_P_ATTACH), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(accepts, NT_P_ATTACH), 1);
}

static int ask_where_not_due(struct nt_binding *nb, int ret)
{
	struct nt_binding *other = nb->party[NMR_CLIENT]->priv;

	nt_check(nb->nt, ask(other ? other : nb) == -EINVAL);
	return ret;
}

static int keep_reference(struct nt_binding *nb, int ret)
{
	nt_get(nb);
	return ret;
}

/* A client that has declined without having asked must not ask afterwards. */
static void attach_provider_comes_too_late(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->at[NT_C_ATTACH].hook = keep_reference;
	client->at[NT_C_ATTACH].ret = -ENODEV;
	nt_join_npi(provider);
	nt_join_npi(client);
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_EXPECT_EQ(test, ask(nb), -EINVAL);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_ATTACH), 0);
	nt_put(nb);
}

/* Ask in another callback of the binding, in one of another binding, and in none. */
static void attach_provider_wants_its_callback(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *second = nt_client(nt);
	struct nt_binding *nb;

	provider->at[NT_P_ATTACH].hook = ask_where_not_due;
	provider->at[NT_P_ATTACHED].hook = ask_where_not_due;
	client->at[NT_C_DETACH].hook = ask_where_not_due;
	client->at[NT_C_CLEANUP].hook = ask_where_not_due;
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_EQ(test, ask(nb), -EINVAL);

	second->priv = nb;
	second->at[NT_C_ATTACH].hook = ask_where_not_due;
	provider->at[NT_P_ATTACH].hook = NULL;
	nt_pair(nt, second, provider);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_ATTACH), 2);
	second->priv = NULL;
	nt_leave(client);
	KUNIT_EXPECT_EQ(test, nt_returned(client, NT_C_CLEANUP), 1);
}

static void endpoints_may_be_null(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->null_endpoint = true;
	client->unwanted = true;
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_NULL(test, nb->peer[NMR_PROVIDER].dispatch);
	KUNIT_EXPECT_NULL(test, nb->peer[NMR_PROVIDER].binding_context);
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_CLIENT));
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_PROVIDER));
	nt_leave(client);
	KUNIT_EXPECT_EQ(test, nt_returned(client, NT_C_CLEANUP), 1);
}

/* A side leaves while the binding attaches */

struct window {
	const char *name;
	enum nt_point point;
	enum nmr_side leaver;
	bool inside;
};

static const struct window windows[] = {
	{ "client leaves, not asked yet", NT_C_ATTACH, NMR_CLIENT },
	{ "provider leaves, not asked yet", NT_C_ATTACH, NMR_PROVIDER },
	{ "client leaves, provider attaches", NT_P_ATTACH, NMR_CLIENT },
	{ "provider leaves, provider attaches", NT_P_ATTACH, NMR_PROVIDER },
	{ "client leaves, bound", NT_C_BOUND, NMR_CLIENT },
	{ "provider leaves, bound", NT_C_BOUND, NMR_PROVIDER },
	{ "client leaves, client_attached", NT_P_ATTACHED, NMR_CLIENT },
	{ "provider leaves, client_attached", NT_P_ATTACHED, NMR_PROVIDER },
};

NT_PARAM(window, windows);

/* Expect the end of a binding that a side left at @point. */
static void expect_left_at(struct kunit *test, struct nt_binding *nb,
			   enum nt_point point, enum nmr_detach_reason reason)
{
	bool asked = point != NT_C_ATTACH;

	KUNIT_EXPECT_EQ(test, nt_was_at(nb, NT_P_ATTACH), asked);
	KUNIT_EXPECT_EQ(test, nb->answer, asked ? 0 : -ECANCELED);
	KUNIT_EXPECT_EQ(test, nt_was_at(nb, NT_P_ATTACHED), point == NT_P_ATTACHED);
	KUNIT_EXPECT_EQ(test, nt_has_left(nb, NT_C_DETACH), asked);
	KUNIT_EXPECT_EQ(test, nt_has_left(nb, NT_P_DETACH), asked);
	KUNIT_EXPECT_EQ(test, nt_has_left(nb, NT_C_CLEANUP), asked);
	KUNIT_EXPECT_EQ(test, nt_has_left(nb, NT_P_CLEANUP), asked);
	if (asked) {
		KUNIT_EXPECT_EQ(test, nb->reason[NMR_CLIENT], reason);
		KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], reason);
	}
}

static void leave_while_attaching(struct kunit *test)
{
	const struct window *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *leaver, *held;
	struct nt_thread *thread;
	struct nt_binding *nb;

	leaver = param->leaver == NMR_CLIENT ? client : provider;
	held = nt_side(param->point) == NMR_CLIENT ? client : provider;
	nt_hold(held, param->point);
	nt_join_npi(client);
	thread = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(held, param->point) == 1);
	nb = nt_find(nt, client, provider);

	KUNIT_EXPECT_EQ(test, nt_open(nb, NMR_CLIENT), param->point >= NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_open(nb, NMR_PROVIDER),
			param->point == NT_P_ATTACHED);
	KUNIT_EXPECT_EQ(test, nt_deregister(leaver), -EINPROGRESS);
	KUNIT_EXPECT_FALSE(test, nt_open(nb, NMR_CLIENT));
	KUNIT_EXPECT_FALSE(test, nt_open(nb, NMR_PROVIDER));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(leaver, 1), -ETIMEDOUT);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_DETACH), 0);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(leaver, 0), -ETIMEDOUT);

	nt_release(held, param->point);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
	expect_left_at(test, nb, param->point, nt_reason_of(param->leaver));
}

static int leave_here(struct nt_binding *nb, int ret)
{
	struct nt_party *leaver = nb->party[NMR_CLIENT];

	if (!leaver->priv)
		leaver = nb->party[NMR_PROVIDER];
	nt_check(nb->nt, nt_deregister(leaver) == -EINPROGRESS);
	nt_check(nb->nt, !nt_open(nb, NMR_CLIENT));
	nt_check(nb->nt, !nt_open(nb, NMR_PROVIDER));
	return ret;
}

/* Leave likewise, but in the callback itself. */
static void leave_inside_attach(struct kunit *test)
{
	const struct window *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *leaver, *acts;

	leaver = param->leaver == NMR_CLIENT ? client : provider;
	leaver->priv = leaver;
	acts = nt_side(param->point) == NMR_CLIENT ? client : provider;
	acts->at[param->point].hook = leave_here;
	nt_join_npi(provider);
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
	expect_left_at(test, nt_find(nt, client, provider), param->point,
		       nt_reason_of(param->leaver));
}

/* Let both sides leave: the first one gives the reason, and both wait. */
static void both_leave_while_attaching(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;

	nt_hold(client, NT_C_BOUND);
	nt_join_npi(client);
	thread = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(client, NT_C_BOUND) == 1);
	nt_deregister(provider);
	nt_deregister(client);
	nt_release(client, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	expect_left_at(test, nt_find(nt, client, provider), NT_C_BOUND,
		       NMR_DETACH_PROVIDER_DEREGISTERED);
}

/* Leave, then fail: the first reason prevails over ATTACH_FAILED. */
static void leave_and_fail_late(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	provider->priv = provider;
	client->at[NT_C_BOUND].hook = leave_here;
	client->at[NT_C_BOUND].ret = -ENODEV;
	nt_join_npi(provider);
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	nb = nt_find(nt, client, provider);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER],
			NMR_DETACH_PROVIDER_DEREGISTERED);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_CLEANUP), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_CLEANUP), 0);
}

/* A task detaches a binding that attaches */

static int abort_here(struct nt_binding *nb, int ret)
{
	nt_check(nb->nt, nmr_detach_binding(nb->b, NMR_DETACH_ABORT) == 0);
	nt_check(nb->nt, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK) ==
		 -EALREADY);
	nt_check(nb->nt, !nt_open(nb, NMR_CLIENT));
	nt_check(nb->nt, !nt_open(nb, NMR_PROVIDER));
	return ret;
}

static int fall_back_here(struct nt_binding *nb, int ret)
{
	if (nt_entered(nb->party[NMR_CLIENT], NT_C_ATTACH) > 1)
		return ret;
	nt_check(nb->nt, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK) == 0);
	nt_check(nb->nt, nmr_detach_binding(nb->b, NMR_DETACH_ABORT) ==
		 -EALREADY);
	return ret;
}

struct detach_window {
	const char *name;
	enum nt_point point;
	enum nmr_detach_reason reason;
};

static const struct detach_window detach_windows[] = {
	{ "fallback, not asked yet", NT_C_ATTACH, NMR_DETACH_FALLBACK },
	{ "abort, not asked yet", NT_C_ATTACH, NMR_DETACH_ABORT },
	{ "fallback, provider attaches", NT_P_ATTACH, NMR_DETACH_FALLBACK },
	{ "abort, provider attaches", NT_P_ATTACH, NMR_DETACH_ABORT },
	{ "fallback, bound", NT_C_BOUND, NMR_DETACH_FALLBACK },
	{ "abort, bound", NT_C_BOUND, NMR_DETACH_ABORT },
	{ "fallback, client_attached", NT_P_ATTACHED, NMR_DETACH_FALLBACK },
	{ "abort, client_attached", NT_P_ATTACHED, NMR_DETACH_ABORT },
};

NT_PARAM(detach_window, detach_windows);

/* Detach while the binding attaches: the provider is still asked, then detach follows. */
static void detach_while_attaching(struct kunit *test)
{
	const struct detach_window *param = test->param_value;
	bool fallback = param->reason == NMR_DETACH_FALLBACK;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *acts;
	struct nt_binding *nb;

	acts = nt_side(param->point) == NMR_CLIENT ? client : provider;
	acts->at[param->point].hook = fallback ? fall_back_here : abort_here;
	nt_join_npi(provider);
	nt_join_npi(client);
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	nt_await(nt, nt_returned(provider, NT_P_CLEANUP) == 1);
	KUNIT_EXPECT_EQ(test, nb->answer, 0);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_CLIENT], param->reason);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], param->reason);
	KUNIT_EXPECT_EQ(test, nt_was_at(nb, NT_P_ATTACHED),
			param->point == NT_P_ATTACHED);
	KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_C_CLEANUP));

	/* The pair is offered again after FALLBACK, on request, and never after ABORT. */
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	if (fallback)
		nt_await(nt, nt_returned(client, NT_C_ATTACH) == 2);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), fallback ? 2 : 1);
}

/*
 * If the attach fails after FALLBACK, the failure decides whether the pair is offered
 * again. If it fails after ABORT, the pair is never offered again.
 */
struct detach_failure {
	const char *name;
	enum nt_point fails;
	int value;
	enum nmr_detach_reason reason;
	bool again;
};

static const struct detach_failure detach_failures[] = {
	{ "fallback, provider refuses", NT_P_ATTACH, -ENODEV, NMR_DETACH_FALLBACK },
	{ "fallback, client fails late", NT_C_BOUND, -ENODEV, NMR_DETACH_FALLBACK },
	{ "fallback, provider defers", NT_P_ATTACH, -EPROBE_DEFER,
	  NMR_DETACH_FALLBACK, .again = true },
	{ "fallback, client defers late", NT_C_BOUND, -EPROBE_DEFER,
	  NMR_DETACH_FALLBACK, .again = true },
	{ "abort, provider defers", NT_P_ATTACH, -EPROBE_DEFER, NMR_DETACH_ABORT },
	{ "abort, client defers late", NT_C_BOUND, -EPROBE_DEFER, NMR_DETACH_ABORT },
};

NT_PARAM(detach_failure, detach_failures);

static void detach_and_fail_to_attach(struct kunit *test)
{
	const struct detach_failure *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *fails;

	client->at[NT_C_ATTACH].hook = param->reason == NMR_DETACH_ABORT ?
				       abort_here : fall_back_here;
	fails = nt_side(param->fails) == NMR_CLIENT ? client : provider;
	fails->at[param->fails].first = param->value;
	fails->at[param->fails].nfirst = 1;
	nt_join_npi(provider);
	nt_join_npi(client);
	if (param->fails == NT_C_BOUND)
		nt_await(nt, nt_returned(provider, NT_P_CLEANUP) == 1);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_ATTACH), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 0);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_CLEANUP),
			param->fails == NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_reoffer(provider), 0);
	if (param->again)
		nt_await(nt, nt_returned(client, NT_C_ATTACH) == 2);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), param->again ? 2 : 1);
}

/* Abort, then fail: the first reason prevails over ATTACH_FAILED. */
static void abort_and_fail_late(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	client->at[NT_C_BOUND].hook = abort_here;
	client->at[NT_C_BOUND].ret = -ENODEV;
	nt_join_npi(provider);
	nt_join_npi(client);
	nt_await(nt, nt_returned(provider, NT_P_CLEANUP) == 1);
	KUNIT_EXPECT_EQ(test, nt_find(nt, client, provider)->reason[NMR_PROVIDER],
			NMR_DETACH_ABORT);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 0);
}

/* Attach callbacks register */

static int register_another_provider(struct nt_binding *nb, int ret)
{
	struct nt_party *provider = nb->party[NMR_CLIENT]->priv;

	if (provider->registered)
		return ret;
	nt_check(nb->nt, nt_register(provider) == 0);
	/* The provider was offered and attached before this register call returned. */
	nt_check(nb->nt, nt_returned(provider, NT_P_ATTACHED) == 1);
	return ret;
}

static void attach_may_register_on_the_same_npi(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);

	client->priv = second;
	client->at[NT_C_ATTACH].hook = register_another_provider;
	nt_join_npi(first);
	nt_pair(nt, client, first);
	nt_pair(nt, client, second);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 2);
}

/* Register the provider of a filter, which is the client of one NPI and provides the next. */
static int register_upper(struct nt_binding *nb, int ret)
{
	struct nt_party *upper = nb->party[NMR_CLIENT]->priv;

	nt_check(nb->nt, nt_register(upper) == 0);
	nt_check(nb->nt, nt_returned(upper, NT_P_ATTACHED) == 1);
	return ret;
}

static void attach_may_register_on_the_next_npi(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *top = nt_client(nt), *upper = nt_provider(nt);
	struct nt_party *lower = nt_client(nt), *bottom = nt_provider(nt);

	nt_move_to_new_npi(top, upper);
	nt_join_npi(top);
	nt_join_npi(bottom);
	lower->priv = upper;
	lower->at[NT_C_BOUND].hook = register_upper;
	nt_pair(nt, lower, bottom);
	nt_pair(nt, top, upper);
}

static struct kunit_case nmr_attach_cases[] = {
	KUNIT_CASE(attach_succeeds),
	KUNIT_CASE_PARAM(refusal_is_final, refusal_gen_params),
	KUNIT_CASE(client_cannot_overrule_a_refusal),
	KUNIT_CASE(refusal_concerns_one_pair),
	KUNIT_CASE(misuse_at_attach_warns_once),
	KUNIT_CASE_PARAM(client_fails_late, failure_gen_params),
	KUNIT_CASE(client_fails_late_and_provider_pends),
	KUNIT_CASE(attach_provider_wants_its_task),
	KUNIT_CASE(attach_provider_is_called_once),
	KUNIT_CASE(attach_provider_comes_too_late),
	KUNIT_CASE(attach_provider_wants_its_callback),
	KUNIT_CASE(endpoints_may_be_null),
	KUNIT_CASE_PARAM(leave_while_attaching, window_gen_params),
	KUNIT_CASE_PARAM(leave_inside_attach, window_gen_params),
	KUNIT_CASE(both_leave_while_attaching),
	KUNIT_CASE(leave_and_fail_late),
	KUNIT_CASE_PARAM(detach_while_attaching, detach_window_gen_params),
	KUNIT_CASE_PARAM(detach_and_fail_to_attach, detach_failure_gen_params),
	KUNIT_CASE(abort_and_fail_late),
	KUNIT_CASE(attach_may_register_on_the_same_npi),
	KUNIT_CASE(attach_may_register_on_the_next_npi),
	{}
};

static struct kunit_suite nmr_attach_suite = {
	.name = "nmr_attach",
	.init = nt_init,
	.test_cases = nmr_attach_cases,
};

kunit_test_suite(nmr_attach_suite);
