// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registrations and their handles: the return values of register, deregister, wait and
 * reoffer, and the precedence of errors.
 */
#include <kunit/test.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/sched/signal.h>

#include "harness.h"

#define NEVER_ISSUED	BIT_ULL(60)

/* Make a party that is not registered, with an invented handle. */
static struct nt_party *nt_invented(struct nt *nt, enum nmr_side side, u64 id)
{
	struct nt_party *party = nt_party(nt, side);

	party->client.id = id;
	return party;
}

/* Register calls that fail, which the log explains once for each place that registers */

static int refused_attach(struct nmr_binding *binding, void *context,
			  const struct nmr_registration_instance *peer)
{
	nt_fail(context, "a refused client is offered a provider");
	return -ENODEV;
}

static int unexpected_attach(struct nmr_binding *binding, void *context,
			     const struct nmr_registration_instance *instance,
			     const struct nmr_endpoint *client,
			     struct nmr_endpoint *provider)
{
	nt_fail(context, "a refused provider is offered a client");
	return -ENODEV;
}

/* The argument that is NULL. */
enum missing { CHARACTERISTICS, NPI_ID, MODULE_ID, HANDLE, NOTHING };

struct omission {
	const char *name;
	enum missing missing;
	const char *why;
};

static const struct omission omissions[] = {
	{ "characteristics", CHARACTERISTICS, "the characteristics are NULL" },
	{ "npi_id", NPI_ID, "instance.npi_id is NULL" },
	{ "module_id", MODULE_ID, "instance.module_id is NULL" },
	{ "handle", HANDLE, "the pointer to the handle is NULL" },
};

NT_PARAM(omission, omissions);

static struct nmr_site nt_site(size_t size)
{
	struct nmr_site site = {
		.version = NMR_VERSION,
		.size = size,
		.modname = KBUILD_MODNAME,
		.owner = THIS_MODULE,
	};

	return site;
}

static int register_bad_client(struct nt *nt, struct nmr_site *site, enum missing missing,
			       struct nmr_client_handle *handle)
{
	guid_t id = GUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
	const struct nmr_client_characteristics c = {
		.attach_provider = refused_attach,
		.instance.npi_id = missing == NPI_ID ? NULL : &nt->npi_id,
		.instance.module_id = missing == MODULE_ID ? NULL : &id,
	};

	return __nmr_client_register(missing == CHARACTERISTICS ? NULL : &c, nt,
				     missing == HANDLE ? NULL : handle, site);
}

static int register_bad_provider(struct nt *nt, struct nmr_site *site, enum missing missing,
				 struct nmr_provider_handle *handle)
{
	guid_t id = GUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
	const struct nmr_provider_characteristics c = {
		.attach_client = unexpected_attach,
		.instance.npi_id = missing == NPI_ID ? NULL : &nt->npi_id,
		.instance.module_id = missing == MODULE_ID ? NULL : &id,
	};

	return __nmr_provider_register(missing == CHARACTERISTICS ? NULL : &c, nt,
				       missing == HANDLE ? NULL : handle, site);
}

/* Register twice at one place without an argument, and expect one line in the log. */
static void register_tells_what_is_null(struct kunit *test)
{
	const struct omission *omission = test->param_value;
	struct nt *nt = test->priv;
	struct nmr_client_handle client = { .id = 77 };
	struct nmr_provider_handle provider = { .id = 77 };
	struct nmr_site site[NMR_SIDES] = {
		nt_site(sizeof(struct nmr_client_characteristics)),
		nt_site(sizeof(struct nmr_provider_characteristics)),
	};
	char line[100];
	int i;

	snprintf(line, sizeof(line), "nmr: " KBUILD_MODNAME " cannot register: %s",
		 omission->why);
	nt_join_npi(nt_client(nt));
	nt_join_npi(nt_provider(nt));
	nt_watch_log(nt);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, register_bad_client(nt, &site[NMR_CLIENT],
							  omission->missing, &client),
				-EINVAL);
	KUNIT_EXPECT_EQ(test, nt_watched_lines(nt), 1);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(nt->line, line), "%s", nt->line);
	nt_watch_log(nt);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, register_bad_provider(nt, &site[NMR_PROVIDER],
							    omission->missing, &provider),
				-EINVAL);
	KUNIT_EXPECT_EQ(test, nt_watched_lines(nt), 1);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(nt->line, line), "%s", nt->line);
	KUNIT_EXPECT_EQ(test, client.id, 77ULL);
	KUNIT_EXPECT_EQ(test, provider.id, 77ULL);
}

/* The header that a module was built with, as a difference to ours. */
struct build {
	const char *name;
	int version;
	int size;
};

static const struct build builds[] = {
	{ "an older version", -1, 0 },
	{ "a newer version", 1, 0 },
	{ "shorter characteristics", 0, -8 },
	{ "longer characteristics", 0, 8 },
};

NT_PARAM(build, builds);

static void register_refuses_another_header(struct kunit *test)
{
	const struct build *build = test->param_value;
	struct nt *nt = test->priv;
	struct nmr_client_handle client = { .id = 77 };
	struct nmr_provider_handle provider = { .id = 77 };
	struct nmr_site site[NMR_SIDES] = {
		nt_site(sizeof(struct nmr_client_characteristics)),
		nt_site(sizeof(struct nmr_provider_characteristics)),
	};
	char line[100];
	int i;

	nt_join_npi(nt_client(nt));
	nt_join_npi(nt_provider(nt));
	nt_watch_log(nt);
	for (i = 0; i < NMR_SIDES; i++) {
		site[i].version += build->version;
		site[i].size += build->size;
	}
	KUNIT_EXPECT_EQ(test, register_bad_client(nt, &site[NMR_CLIENT], NOTHING, &client),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, register_bad_provider(nt, &site[NMR_PROVIDER], NOTHING,
						    &provider), -EINVAL);
	KUNIT_EXPECT_EQ(test, nt_watched_lines(nt), 2);
	snprintf(line, sizeof(line),
		 "nmr: " KBUILD_MODNAME " was built with version %u of nmr.h", site[0].version);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(nt->line, line), "%s", nt->line);
	KUNIT_EXPECT_EQ(test, client.id, 77ULL);
	KUNIT_EXPECT_EQ(test, provider.id, 77ULL);
}

/* What register calls returned before nmr_init() had run */
static int too_early[NMR_SIDES];

#ifndef MODULE
static int __init register_too_early(void)
{
	static const guid_t id = GUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
	const struct nmr_client_characteristics c = {
		.instance = { .npi_id = &id, .module_id = &id },
	};
	const struct nmr_provider_characteristics p = {
		.instance = { .npi_id = &id, .module_id = &id },
	};
	struct nmr_client_handle client;
	struct nmr_provider_handle provider;

	too_early[NMR_CLIENT] = nmr_register_client(&c, NULL, &client);
	too_early[NMR_PROVIDER] = nmr_register_provider(&p, NULL, &provider);
	return 0;
}
core_initcall(register_too_early);
#endif

static void register_before_init_fails(struct kunit *test)
{
	if (__is_defined(MODULE))
		kunit_skip(test, "nmr has been initialised before a module can register");
	KUNIT_EXPECT_EQ(test, too_early[NMR_CLIENT], -ENODEV);
	KUNIT_EXPECT_EQ(test, too_early[NMR_PROVIDER], -ENODEV);
}

/* Pass NULL to the functions that take it, for error paths. */
static void null_bindings_are_taken(struct kunit *test)
{
	struct nt *nt = test->priv;

	KUNIT_EXPECT_EQ(test, nmr_binding_id(NULL), 0ULL);
	KUNIT_EXPECT_NULL(test, nmr_binding_get(NULL));
	nmr_binding_put(NULL);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(NULL, NMR_DETACH_ABORT), -EINVAL);
	KUNIT_EXPECT_EQ(test, nmr_client_attach_provider(NULL, NULL, NULL), -EINVAL);
	/* The registrar cannot name a module here. */
	nt_expect_warnings(nt);
	nmr_client_detach_provider_complete(NULL);
	nmr_provider_detach_client_complete(NULL);
	nt_watched_lines(nt);
	KUNIT_EXPECT_EQ(test, nt->warnings, 1);
}

static int leave_at_once(struct nt_binding *nb, int ret)
{
	struct nt_party *party = nb->party[NMR_CLIENT];

	if (!READ_ONCE(party->registering))
		party = nb->party[NMR_PROVIDER];
	nt_check(nb->nt, READ_ONCE(party->registering) == current);
	nt_check(nb->nt, nt_deregister(party) == -EINPROGRESS);
	return ret;
}

/* Use the handle in the first callback, before the register call returns. */
static void handle_is_set_before_the_first_callback(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *first = nt_party(nt, nt_peer(nt_param_side(test)));
	struct nt_party *second = nt_party(nt, nt_param_side(test));
	struct nt_party *client = first->side == NMR_CLIENT ? first : second;

	client->at[NT_C_ATTACH].hook = leave_at_once;
	nt_join_npi(first);
	nt_join_npi(second);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	KUNIT_EXPECT_EQ(test, nt_deregister(second), -EALREADY);
	KUNIT_EXPECT_EQ(test, nt_wait(second), 0);
}

/* Register a late peer after nt_register() has poisoned the early characteristics. */
static void characteristics_are_copied(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test), peer = nt_peer(side);
	struct nt_party *early = nt_party(nt, side);
	struct nt_party *late = nt_party(nt, peer);
	struct nt_binding *nb;

	early->number = 4711;
	early->npi_specific = test;
	late->number = 42;
	late->npi_specific = nt;
	nt_join_npi(early);
	nt_join_npi(late);
	nb = nt_find(nt, NULL, NULL);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	KUNIT_EXPECT_TRUE(test, guid_equal(&nb->seen[peer].npi_id, &nt->npi_id));
	KUNIT_EXPECT_TRUE(test, guid_equal(&nb->seen[peer].module_id,
					   &early->module_id));
	KUNIT_EXPECT_EQ(test, nb->seen[peer].number, 4711);
	KUNIT_EXPECT_PTR_EQ(test, nb->seen[peer].npi_specific, (const void *)test);
	KUNIT_EXPECT_TRUE(test, guid_equal(&nb->seen[side].module_id,
					   &late->module_id));
	KUNIT_EXPECT_EQ(test, nb->seen[side].number, 42);
	KUNIT_EXPECT_PTR_EQ(test, nb->seen[side].npi_specific, (const void *)nt);
}

/* Expect that this task has made the offers to earlier peers on return. */
static void offers_are_made_before_register_returns(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *peer[5];
	struct nt_binding *nb;
	int i;

	for (i = 0; i < ARRAY_SIZE(peer); i++) {
		peer[i] = nt_party(nt, nt_peer(side));
		nt_join_npi(peer[i]);
	}
	nt_join_npi(party);
	for (i = 0; i < ARRAY_SIZE(peer); i++) {
		nb = nt_find_between(party, peer[i]);
		KUNIT_ASSERT_NOT_NULL(test, nb);
		KUNIT_EXPECT_PTR_EQ(test, nb->attacher, current);
		KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_P_ATTACHED));
	}
}

static void other_npis_are_not_offered(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	u8 *last = (u8 *)&provider->npi_id + sizeof(guid_t) - 1;

	*last ^= 1;
	nt_join_npi(client);
	nt_join_npi(provider);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	KUNIT_EXPECT_EQ(test, nt_reoffer(provider), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 0);
}

static void deregister_returns(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *peer = nt_party(nt, nt_peer(side));
	enum nt_point cleanup = NT_C_CLEANUP + side;

	KUNIT_EXPECT_EQ(test, nt_deregister(nt_invented(nt, side, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, nt_deregister(nt_invented(nt, side, NEVER_ISSUED)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, nt_deregister(nt_invented(nt, side, U64_MAX)),
			-EINVAL);

	nt_join_npi(party);
	nt_join_npi(peer);
	KUNIT_EXPECT_EQ(test,
			nt_deregister(nt_invented(nt, side, party->client.id + 1)),
			-EINVAL);
	nt_hold(party, cleanup);
	KUNIT_EXPECT_EQ(test, nt_deregister(party), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, nt_deregister(party), -EALREADY);
	nt_await(nt, nt_entered(party, cleanup) == 1);
	KUNIT_EXPECT_EQ(test, nt_deregister(party), -EALREADY);
	nt_release(party, cleanup);
	KUNIT_EXPECT_EQ(test, nt_wait(party), 0);
	KUNIT_EXPECT_EQ(test, nt_deregister(party), -EALREADY);
}

/* Expect -EINPROGRESS also if a wait would not block. */
static void deregister_alone_is_in_progress(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *party = nt_party(nt, nt_param_side(test));

	nt_join_npi(party);
	KUNIT_EXPECT_EQ(test, nt_deregister(party), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, nt_wait_forever(party), 0);
	KUNIT_EXPECT_EQ(test, nt_deregister(party), -EALREADY);
}

static void wait_returns(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *peer = nt_party(nt, nt_peer(side));
	struct nt_party *never = nt_invented(nt, side, NEVER_ISSUED);
	enum nt_point detach = NT_C_DETACH + side;

	KUNIT_EXPECT_EQ(test, nt_wait_forever(nt_invented(nt, side, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, nt_wait_forever(never), -EINVAL);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(never, 0), -EINVAL);

	nt_join_npi(party);
	nt_join_npi(peer);
	KUNIT_EXPECT_EQ(test, nt_wait_forever(party), -EINVAL);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party, 0), -EINVAL);

	nt_hold(party, detach);
	nt_deregister(party);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party, 0), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party, 1), -ETIMEDOUT);
	nt_await(nt, nt_entered(party, detach) == 1);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party, 1), -ETIMEDOUT);
	nt_release(party, detach);
	KUNIT_EXPECT_EQ(test, nt_wait(party), 0);

	/* All forms of the wait accept a registration that has finished. */
	KUNIT_EXPECT_EQ(test, nt_wait_forever(party), 0);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party, 0), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_wait_forever(party), 0);
}

static void many_tasks_wait(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *peer = nt_party(nt, nt_peer(side));
	enum nt_point cleanup = NT_C_CLEANUP + side;
	struct nt_thread *waiter[8];
	int i;

	nt_join_npi(party);
	nt_join_npi(peer);
	nt_hold(party, cleanup);
	nt_deregister(party);
	for (i = 0; i < ARRAY_SIZE(waiter); i++)
		waiter[i] = nt_spawn(nt, nt_wait_thread, party);
	nt_await(nt, nt_entered(party, cleanup) == 1);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party, 1), -ETIMEDOUT);
	for (i = 0; i < ARRAY_SIZE(waiter); i++)
		KUNIT_EXPECT_FALSE(test, nt_finished(waiter[i]));
	nt_release(party, cleanup);
	for (i = 0; i < ARRAY_SIZE(waiter); i++)
		KUNIT_EXPECT_EQ(test, nt_join(waiter[i]), 0);
}

/*
 * Wait for a registration that does not finish. A long wait is neither a hung task nor
 * load, and does not prevent suspend, unless it is in a callback, which other tasks may
 * wait for.
 */
static void waits_are_idle_and_freezable(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	enum nt_point cleanup = NT_C_CLEANUP + side;
	struct nt_thread *waiter;

	nt_join_npi(party);
	nt_join_npi(nt_party(nt, nt_peer(side)));
	nt_hold(party, cleanup);
	nt_deregister(party);
	waiter = nt_spawn(nt, nt_wait_thread, party);
	nt_await_idle(nt, waiter->task);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(waiter->task->__state) & TASK_FREEZABLE);
	nt_release(party, cleanup);
	KUNIT_EXPECT_EQ(test, nt_join(waiter), 0);
}

static int wait_for_the_held_one(struct nt_binding *nb, int ret)
{
	nt_check(nb->nt, nt_wait_forever(nb->party[NMR_CLIENT]->priv) == 0);
	return ret;
}

/* Register without lockdep. A task that holds a lock by lockdep is not frozen, either. */
static int register_untracked(void *party)
{
	int err;

	lockdep_off();
	err = nt_register_thread(party);
	lockdep_on();
	return err;
}

static void waits_in_a_callback_are_not_freezable(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *held = nt_client(nt);
	struct nt_party *host = nt_provider(nt);
	struct nt_thread *thread;

	nt_move_to_new_npi(held, host);
	nt_pair(nt, held, host);
	nt_hold(held, NT_C_CLEANUP);
	nt_deregister(held);
	client->priv = held;
	client->at[NT_C_ATTACH].hook = wait_for_the_held_one;
	nt_join_npi(nt_provider(nt));
	thread = nt_spawn(nt, register_untracked, client);
	nt_await(nt, nt_entered(client, NT_C_ATTACH) == 1);
	nt_await_idle(nt, thread->task);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(thread->task->__state) & TASK_FREEZABLE);
	nt_release(held, NT_C_CLEANUP);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
}

static void sync_waits(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *peer = nt_party(nt, nt_peer(side));

	nt_join_npi(party);
	nt_join_npi(peer);
	nt_sync(party);
	KUNIT_EXPECT_EQ(test, nt_returned(party, NT_C_CLEANUP + side), 1);
	KUNIT_EXPECT_EQ(test, nt_returned(peer, NT_C_CLEANUP + nt_peer(side)), 1);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party, 0), 0);
	/* A second call is valid: another task may have deregistered, or the party is gone. */
	nt_sync(party);
	nt_deregister(peer);
	nt_sync(peer);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(peer, 0), 0);
}

/* Expect a line in the log, since the function returns nothing. */
static void sync_of_an_invented_handle_is_logged(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *never = nt_invented(nt, nt_param_side(test), NEVER_ISSUED);

	nt_watch_log(nt);
	nt_sync(never);
	KUNIT_EXPECT_EQ(test, nt_watched_lines(nt), 1);
}

/* Waits in a callback of a binding of the same registration, at each point */

static const enum nt_point wait_points[] = {
	NT_C_ATTACH, NT_P_ATTACH, NT_C_BOUND, NT_P_ATTACHED,
	NT_C_DETACH, NT_P_DETACH, NT_C_CLEANUP, NT_P_CLEANUP,
};

KUNIT_ARRAY_PARAM(wait_point, wait_points, nt_point_desc);

/* Wait in another task, which is no deadlock. */
static void wait_elsewhere(void *arg)
{
	struct nt_party *party = arg;

	nt_check(party->nt, nt_wait_timeout(party, 0) == -ETIMEDOUT);
}

static int wait_for_own_binding(struct nt_binding *nb, int ret)
{
	struct nt *nt = nb->nt;
	struct nt_party *party;
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		party = nb->party[side];
		nt_check(nt, nt_wait_forever(party) == -EINVAL);
		nt_check(nt, nt_wait_timeout(party, 0) == -EINVAL);
		nt_check(nt, nt_deregister(party) == -EINPROGRESS);
		nt_check(nt, nt_wait_forever(party) == -EDEADLK);
		nt_check(nt, nt_wait_timeout(party, 0) == -EDEADLK);
		nt_run_in(nt, NT_KTHREAD, wait_elsewhere, party);
	}
	return ret;
}

static void wait_in_a_callback_is_a_deadlock(struct kunit *test)
{
	enum nt_point point = *(const enum nt_point *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *party;
	struct nt_binding *nb;

	party = nt_side(point) == NMR_CLIENT ? client : provider;
	party->at[point].hook = wait_for_own_binding;
	nt_join_npi(client);
	nt_join_npi(provider);
	if (point >= NT_C_DETACH) {
		nb = nt_find(nt, client, provider);
		KUNIT_ASSERT_NOT_NULL(test, nb);
		KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT),
				0);
	}
	nt_await(nt, nt_returned(party, point) == 1);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Wait for the parties of an outer callback, further down the stack. */
static int wait_for_outer_binding(struct nt_binding *nb, int ret)
{
	struct nt_binding *outer = nb->party[NMR_CLIENT]->priv;
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		nt_deregister(outer->party[side]);
		nt_check(nb->nt, nt_wait_forever(outer->party[side]) == -EDEADLK);
	}
	return ret;
}

static int register_inner(struct nt_binding *nb, int ret)
{
	struct nt *nt = nb->nt;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	nt_move_to_new_npi(client, provider);
	client->priv = nb;
	client->at[NT_C_ATTACH].hook = wait_for_outer_binding;
	nt_check(nt, nt_register(client) == 0);
	nt_check(nt, nt_register(provider) == 0);
	nt_check(nt, nt_returned(client, NT_C_ATTACH) == 1);
	return ret;
}

static void wait_under_an_outer_callback_is_a_deadlock(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	provider->at[NT_P_ATTACH].hook = register_inner;
	nt_join_npi(provider);
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_ATTACH), 1);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Wait for other parties, which promise 12 allows in callbacks. */
static int wait_for_others(struct nt_binding *nb, int ret)
{
	struct nt_binding *others = nb->party[NMR_CLIENT]->priv;
	enum nmr_side side;

	if (!others)
		others = nb->party[NMR_PROVIDER]->priv;
	for (side = 0; side < NMR_SIDES; side++)
		nt_leave(others->party[side]);
	return ret;
}

static void wait_in_a_callback_for_others(struct kunit *test)
{
	enum nt_point point = *(const enum nt_point *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *party, *other[NMR_SIDES];
	struct nt_binding *others;

	other[NMR_CLIENT] = nt_client(nt);
	other[NMR_PROVIDER] = nt_provider(nt);
	nt_move_to_new_npi(other[NMR_CLIENT], other[NMR_PROVIDER]);
	others = nt_pair(nt, other[NMR_CLIENT], other[NMR_PROVIDER]);

	party = nt_side(point) == NMR_CLIENT ? client : provider;
	party->priv = others;
	party->at[point].hook = wait_for_others;
	nt_join_npi(client);
	nt_join_npi(provider);
	nt_deregister(client);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_returned(party, point), 1);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(other[NMR_PROVIDER]->gone));
}

static int sync_own(struct nt_binding *nb, int ret)
{
	struct nt_party *party = nb->party[NMR_CLIENT];

	if (!party->priv)
		party = nb->party[NMR_PROVIDER];
	nt_sync(party);
	nt_check(nb->nt, nt_deregister(party) == -EALREADY);
	/* The registrar warns once a registration and kind. */
	nt_sync(party);
	return ret;
}

/* Call _sync in a callback of the same registration: it warns, starts, and does not wait. */
static void sync_in_a_callback_warns(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *peer = nt_party(nt, nt_peer(side));
	enum nt_point attach = NT_C_ATTACH + side;

	party->priv = nt;
	party->at[attach].hook = sync_own;
	nt_join_npi(party);
	nt_expect_warnings(nt);
	nt_join_npi(peer);
	nt_expect_advice(nt, "call nmr_deregister_%s() there, and wait for it elsewhere",
			 nt_side_name(side));
	KUNIT_EXPECT_EQ(test, nt_returned(party, attach), 1);
	KUNIT_EXPECT_EQ(test, nt_wait(party), 0);
}

static void handles_are_never_issued_twice(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party[32];
	int i, j;

	for (i = 0; i < ARRAY_SIZE(party); i++) {
		party[i] = nt_party(nt, side);
		nt_join_npi(party[i]);
		if (i & 1)
			nt_leave(party[i]);
		KUNIT_EXPECT_NE(test, party[i]->client.id, 0ULL);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, party[i]->client.id,
					party[j]->client.id);
	}
}

/* Expect that ids of clients and of providers are separate series. */
static void ids_of_the_sides_are_apart(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *before = nt_party(nt, side), *after = nt_party(nt, side);
	struct nt_party *other = nt_party(nt, nt_peer(side));

	nt_join_npi(before);
	nt_join_npi(other);
	nt_join_npi(after);
	KUNIT_EXPECT_EQ(test, after->client.id, before->client.id + 1);
}

/* Use a stale handle, which must not be taken for that of a later registration. */
static void stale_handles_are_told(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *old = nt_party(nt, side), *young = nt_party(nt, side);

	nt_join_npi(old);
	nt_leave(old);
	nt_join_npi(young);
	KUNIT_EXPECT_EQ(test, nt_deregister(old), -EALREADY);
	KUNIT_EXPECT_EQ(test, nt_wait_forever(old), 0);
	KUNIT_EXPECT_EQ(test, nt_reoffer(old), -ESHUTDOWN);
	if (side == NMR_CLIENT)
		KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(old->client, 0),
				-ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(young, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, nt_reoffer(young), 0);
}

static void reoffer_returns(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *peer = nt_party(nt, nt_peer(side));
	enum nt_point detach = NT_C_DETACH + side;

	KUNIT_EXPECT_EQ(test, nt_reoffer(nt_invented(nt, side, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, nt_reoffer(nt_invented(nt, side, NEVER_ISSUED)),
			-EINVAL);
	nt_join_npi(party);
	KUNIT_EXPECT_EQ(test, nt_reoffer(party), 0);
	nt_join_npi(peer);
	KUNIT_EXPECT_EQ(test, nt_reoffer(party), 0);
	nt_hold(party, detach);
	nt_deregister(party);
	KUNIT_EXPECT_EQ(test, nt_reoffer(party), -ESHUTDOWN);
	nt_release(party, detach);
	KUNIT_EXPECT_EQ(test, nt_wait(party), 0);
	KUNIT_EXPECT_EQ(test, nt_reoffer(party), -ESHUTDOWN);
}

/* nmr_client_wait_for_binding() */

static void wait_for_binding_returns(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nmr_client_handle zero = { .id = 0 };
	struct nmr_client_handle never = { .id = NEVER_ISSUED };

	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(zero, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(never, 0), -EINVAL);

	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 0),
			-ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 1),
			-ETIMEDOUT);
	nt_join_npi(provider);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 0), 0);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, HZ), 0);

	/* The only binding has ended. */
	nt_leave(provider);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 0),
			-ETIMEDOUT);

	/* One of two bindings remains. */
	nt_join_npi(nt_provider(nt));
	provider = nt_provider(nt);
	nt_join_npi(provider);
	nt_leave(provider);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 0), 0);
}

/* Wait while a provider refuses, and while an attach is in progress. */
static void wait_for_binding_waits(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_party *refuses = nt_provider(nt);
	struct nt_thread *waiter[3], *registrar;
	int i;

	nt_join_npi(client);
	for (i = 0; i < ARRAY_SIZE(waiter); i++)
		waiter[i] = nt_spawn(nt, nt_wait_for_binding_thread, client);
	refuses->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(refuses);
	nt_hold(client, NT_C_BOUND);
	registrar = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(client, NT_C_BOUND) == 2);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 1),
			-ETIMEDOUT);
	for (i = 0; i < ARRAY_SIZE(waiter); i++)
		KUNIT_EXPECT_FALSE(test, nt_finished(waiter[i]));
	nt_release(client, NT_C_BOUND);
	for (i = 0; i < ARRAY_SIZE(waiter); i++)
		KUNIT_EXPECT_EQ(test, nt_join(waiter[i]), 0);
	KUNIT_EXPECT_EQ(test, nt_join(registrar), 0);
}

/* Deregister while a task waits for a binding: -ESHUTDOWN takes precedence over 0. */
static void wait_for_binding_shuts_down(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *bound = nt_client(nt), *lonely = nt_client(nt);
	struct nt_party *provider = nt_provider(nt);
	struct nt_thread *waiter;

	guid_gen(&lonely->npi_id);
	nt_join_npi(lonely);
	waiter = nt_spawn(nt, nt_wait_for_binding_thread, lonely);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(lonely->client, 1),
			-ETIMEDOUT);
	nt_deregister(lonely);
	KUNIT_EXPECT_EQ(test, nt_join(waiter), -ESHUTDOWN);

	nt_hold(bound, NT_C_DETACH);
	nt_pair(nt, bound, provider);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(bound->client, 0), 0);
	nt_deregister(bound);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(bound->client, HZ),
			-ESHUTDOWN);
	nt_release(bound, NT_C_DETACH);
	KUNIT_EXPECT_EQ(test, nt_wait(bound), 0);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(bound->client, HZ),
			-ESHUTDOWN);
}

static int wait_for_binding_inside(struct nt_binding *nb, int ret)
{
	struct nt_party *client = nb->party[NMR_CLIENT];

	nt_check(nb->nt, nmr_client_wait_for_binding(client->client, 0) ==
		 -EDEADLK);
	return ret;
}

/* Wait in callbacks; in the second round the client has attached to the first provider. */
static void wait_for_binding_in_a_callback_is_a_deadlock(struct kunit *test)
{
	enum nt_point point = *(const enum nt_point *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *provider[2];
	struct nt_party *party = client;
	struct nt_binding *nb;
	int i;

	nt_join_npi(client);
	for (i = 0; i < 2; i++) {
		provider[i] = nt_provider(nt);
		if (nt_side(point) == NMR_PROVIDER)
			party = provider[i];
		party->at[point].hook = wait_for_binding_inside;
		nt_join_npi(provider[i]);
	}
	for (i = 0; i < 2 && point >= NT_C_DETACH; i++) {
		nb = nt_find(nt, client, provider[i]);
		KUNIT_ASSERT_NOT_NULL(test, nb);
		nmr_detach_binding(nb->b, NMR_DETACH_ABORT);
		nt_await(nt, nt_entered(provider[i], NT_P_CLEANUP) == 1);
	}
	KUNIT_EXPECT_EQ(test, nt_entered(party, point),
			party == client ? 2 : 1);
}

struct signalled {
	struct nt_party *client;
	bool ready;
};

static int wait_for_binding_signalled(void *arg)
{
	struct signalled *signalled = arg;
	struct nt_party *client = signalled->client;
	int ret;

	allow_signal(SIGINT);
	WRITE_ONCE(signalled->ready, true);
	nt_kick(client->nt);
	ret = nmr_client_wait_for_binding(client->client, NT_TIMEOUT);
	flush_signals(current);
	return ret;
}

static void wait_for_binding_is_interruptible(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct signalled *signalled = nt_zalloc(nt, sizeof(*signalled));
	struct nt_thread *waiter;

	signalled->client = nt_client(nt);
	nt_join_npi(signalled->client);
	waiter = nt_spawn(nt, wait_for_binding_signalled, signalled);
	nt_await(nt, READ_ONCE(signalled->ready));
	send_sig(SIGINT, waiter->task, 1);
	KUNIT_EXPECT_EQ(test, nt_join(waiter), -ERESTARTSYS);
}

/* Contexts that must not sleep */

static const enum nt_context contexts[] = {
	NT_TASK, NT_KTHREAD, NT_SOFTIRQ, NT_RCU_CALLBACK,
};

KUNIT_ARRAY_PARAM(context, contexts, nt_context_desc);

struct leaver {
	struct nt_party *party;
	struct nt_binding *nb;
	int deregister;
	int again;
	int reoffer[2];
	int detach;
	bool open;
};

static void leave_in(void *arg)
{
	struct leaver *l = arg;

	l->reoffer[0] = nt_reoffer(l->party);
	l->deregister = nt_deregister(l->party);
	l->open = nt_open(l->nb, NMR_CLIENT) || nt_open(l->nb, NMR_PROVIDER);
	l->again = nt_deregister(l->party);
	l->reoffer[1] = nt_reoffer(l->party);
	l->detach = nmr_detach_binding(l->nb->b, NMR_DETACH_ABORT);
}

static void deregister_in_any_context(struct kunit *test)
{
	enum nt_context context = *(const enum nt_context *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES];
	struct leaver *l;
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		party[NMR_CLIENT] = nt_client(nt);
		party[NMR_PROVIDER] = nt_provider(nt);
		l = nt_zalloc(nt, sizeof(*l));
		l->party = party[side];
		l->nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);
		nt_get(l->nb);
		nt_run_in(nt, context, leave_in, l);
		KUNIT_EXPECT_EQ(test, l->reoffer[0], 0);
		KUNIT_EXPECT_EQ(test, l->deregister, -EINPROGRESS);
		KUNIT_EXPECT_FALSE(test, l->open);
		KUNIT_EXPECT_EQ(test, l->again, -EALREADY);
		KUNIT_EXPECT_EQ(test, l->reoffer[1], -ESHUTDOWN);
		KUNIT_EXPECT_EQ(test, l->detach, -EALREADY);
		KUNIT_EXPECT_EQ(test, nt_wait(party[side]), 0);
		nt_leave(party[nt_peer(side)]);
		nt_put(l->nb);
	}
}

static struct kunit_case nmr_registration_cases[] = {
	KUNIT_CASE_PARAM(register_tells_what_is_null, omission_gen_params),
	KUNIT_CASE_PARAM(register_refuses_another_header, build_gen_params),
	KUNIT_CASE(register_before_init_fails),
	KUNIT_CASE(null_bindings_are_taken),
	KUNIT_CASE_PARAM(handle_is_set_before_the_first_callback, nt_side_gen_params),
	KUNIT_CASE_PARAM(characteristics_are_copied, nt_side_gen_params),
	KUNIT_CASE_PARAM(offers_are_made_before_register_returns, nt_side_gen_params),
	KUNIT_CASE(other_npis_are_not_offered),
	KUNIT_CASE_PARAM(deregister_returns, nt_side_gen_params),
	KUNIT_CASE_PARAM(deregister_alone_is_in_progress, nt_side_gen_params),
	KUNIT_CASE_PARAM(wait_returns, nt_side_gen_params),
	KUNIT_CASE_PARAM(many_tasks_wait, nt_side_gen_params),
	KUNIT_CASE_PARAM(waits_are_idle_and_freezable, nt_side_gen_params),
	KUNIT_CASE(waits_in_a_callback_are_not_freezable),
	KUNIT_CASE_PARAM(sync_waits, nt_side_gen_params),
	KUNIT_CASE_PARAM(sync_of_an_invented_handle_is_logged, nt_side_gen_params),
	KUNIT_CASE_PARAM(wait_in_a_callback_is_a_deadlock, wait_point_gen_params),
	KUNIT_CASE(wait_under_an_outer_callback_is_a_deadlock),
	KUNIT_CASE_PARAM(wait_in_a_callback_for_others, wait_point_gen_params),
	KUNIT_CASE_PARAM(sync_in_a_callback_warns, nt_side_gen_params),
	KUNIT_CASE_PARAM(handles_are_never_issued_twice, nt_side_gen_params),
	KUNIT_CASE_PARAM(ids_of_the_sides_are_apart, nt_side_gen_params),
	KUNIT_CASE_PARAM(stale_handles_are_told, nt_side_gen_params),
	KUNIT_CASE_PARAM(reoffer_returns, nt_side_gen_params),
	KUNIT_CASE(wait_for_binding_returns),
	KUNIT_CASE(wait_for_binding_waits),
	KUNIT_CASE(wait_for_binding_shuts_down),
	KUNIT_CASE_PARAM(wait_for_binding_in_a_callback_is_a_deadlock,
			 wait_point_gen_params),
	KUNIT_CASE(wait_for_binding_is_interruptible),
	KUNIT_CASE_PARAM(deregister_in_any_context, context_gen_params),
	{}
};

static struct kunit_suite nmr_registration_suite = {
	.name = "nmr_registration",
	.init = nt_init,
	.test_cases = nmr_registration_cases,
};

kunit_test_suite(nmr_registration_suite);
