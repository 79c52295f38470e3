// SPDX-License-Identifier: GPL-2.0-only
/*
 * The races of nmr_race_test.c with threads that run freely on all CPUs, and crowds.
 *
 * The harness checks each callback. At the end the sums must agree: every party that
 * attached was detached and cleaned up once, on both sides.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/hash.h>
#include <linux/rcupdate.h>

#include "racers.h"

/* A registration with its directory takes milliseconds on a debug kernel. */
#define ROUNDS	8

/* Races, round after round */

/* Two clients and two providers. */
struct four {
	struct nt *nt;
	struct nt_party *party[NT_RACERS];
};

static struct four *new_four(struct nt *nt, struct four *four)
{
	unsigned int i;

	four->nt = nt;
	for (i = 0; i < NT_RACERS; i++)
		four->party[i] = nt_party(nt, i & 1);
	return four;
}

static void all_run(struct nt_racers *race, struct four *four, int (*fn)(void *arg))
{
	unsigned int i;

	for (i = 0; i < NT_RACERS; i++)
		nt_enlist(race, i, fn, four->party[i]);
	nt_race(race);
}

static void expect_visits(struct kunit *test, struct nt_party *party, int n)
{
	enum nmr_side side = party->side;

	KUNIT_EXPECT_EQ(test, nt_entered(party, NT_C_ATTACH + side), n);
	KUNIT_EXPECT_EQ(test, nt_returned(party, NT_C_DETACH + side), n);
	KUNIT_EXPECT_EQ(test, nt_returned(party, NT_C_CLEANUP + side), n);
}

/* Wait for both parties of a pair, and expect one detach and one cleanup of each. */
static void expect_one_end(struct kunit *test, struct nt_party *party[NMR_SIDES])
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		KUNIT_ASSERT_EQ(test, nt_wait(party[side]), 0);
		expect_visits(test, party[side], 1);
	}
}

/* Register all at once: each client is offered each provider once. */
static void register_at_once_offers_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	struct four four;
	unsigned int i, round;

	for (round = 0; round < ROUNDS; round++) {
		new_four(nt, &four);
		all_run(race, &four, nt_register_thread);
		for (i = 0; i < NT_RACERS; i++)
			KUNIT_EXPECT_EQ(test, nt_returned(four.party[i],
							  NT_C_ATTACH + (i & 1)), 2);
		all_run(race, &four, nt_deregister_thread);
		for (i = 0; i < NT_RACERS; i++) {
			KUNIT_ASSERT_EQ(test, nt_wait(four.party[i]), 0);
			expect_visits(test, four.party[i], 2);
		}
		nt_forget(nt);
	}
}

static int fall_back_thread(void *arg)
{
	struct nt_binding *nb = arg;

	return nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK);
}

static int abort_thread(void *arg)
{
	struct nt_binding *nb = arg;

	return nmr_detach_binding(nb->b, NMR_DETACH_ABORT);
}

/* Expect that the first of four ways gave the reason, and the others returned so. */
static void expect_one_reason(struct kunit *test, struct nt_racers *race,
			      struct nt_binding *nb)
{
	enum nmr_detach_reason reason = nb->reason[NMR_CLIENT];

	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], reason);
	KUNIT_EXPECT_EQ(test, race->racer[0].ret, -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, race->racer[1].ret, -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, race->racer[2].ret == 0, reason == NMR_DETACH_FALLBACK);
	KUNIT_EXPECT_EQ(test, race->racer[3].ret == 0, reason == NMR_DETACH_ABORT);
}

/* End a binding in four ways at once. */
static void all_ends_at_once_detach_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	struct nt_party *party[NMR_SIDES];
	struct nt_binding *nb;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		nb = nt_new_pair(nt, party);
		nt_get(nb);
		nt_enlist(race, 0, nt_deregister_thread, party[NMR_CLIENT]);
		nt_enlist(race, 1, nt_deregister_thread, party[NMR_PROVIDER]);
		nt_enlist(race, 2, fall_back_thread, nb);
		nt_enlist(race, 3, abort_thread, nb);
		nt_race(race);
		expect_one_end(test, party);
		expect_one_reason(test, race, nb);
		nt_forget(nt);
	}
}

static int complete_client_thread(void *arg)
{
	nt_complete(arg, NMR_CLIENT);
	return 0;
}

static int complete_provider_thread(void *arg)
{
	nt_complete(arg, NMR_PROVIDER);
	return 0;
}

static int exit_client_thread(void *arg)
{
	nt_exit(arg, NMR_CLIENT);
	return 0;
}

static int exit_provider_thread(void *arg)
{
	nt_exit(arg, NMR_PROVIDER);
	return 0;
}

/* Meet all four conditions of cleanup at once, in threads that then leave the binding. */
static void last_of_four_at_once_cleans_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	struct nt_party *party[NMR_SIDES];
	struct nt_binding *nb;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		nb = nt_new_pair(nt, party);
		party[NMR_CLIENT]->at[NT_C_DETACH].ret = -EINPROGRESS;
		party[NMR_PROVIDER]->at[NT_P_DETACH].ret = -EINPROGRESS;
		KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_CLIENT));
		KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_PROVIDER));
		KUNIT_EXPECT_EQ(test, nt_deregister(party[NMR_CLIENT]), -EINPROGRESS);
		/* In every other round, the callback's return races as well. */
		nt_await(nt, round & 1 ? nt_returned(party[NMR_PROVIDER], NT_P_DETACH) :
					 nt_entered(party[NMR_PROVIDER], NT_P_DETACH));
		nt_enlist(race, 0, complete_client_thread, nb);
		nt_enlist(race, 1, complete_provider_thread, nb);
		nt_enlist(race, 2, exit_client_thread, nb);
		nt_enlist(race, 3, exit_provider_thread, nb);
		nt_race(race);
		KUNIT_EXPECT_EQ(test, nt_deregister(party[NMR_PROVIDER]), -EINPROGRESS);
		expect_one_end(test, party);
		nt_forget(nt);
	}
}

/* Expect that callbacks of detach and cleanup match the outcome of attach. */
static void expect_consistent(struct kunit *test, struct nt_binding *nb)
{
	bool asked = nt_was_at(nb, NT_P_ATTACH);
	bool attached = asked && nb->value[NT_C_ATTACH] == 0;

	KUNIT_EXPECT_EQ(test, nt_has_left(nb, NT_P_DETACH), asked);
	KUNIT_EXPECT_EQ(test, nt_has_left(nb, NT_P_CLEANUP), asked);
	KUNIT_EXPECT_EQ(test, nt_has_left(nb, NT_C_DETACH), attached);
	KUNIT_EXPECT_EQ(test, nt_has_left(nb, NT_C_CLEANUP), attached);
}

/*
 * Register a provider while a client leaves, or a client while a provider leaves. In every
 * third round the client's attach fails late.
 */
static void register_and_deregister_at_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, 2);
	struct nt_party *party[NMR_SIDES], *leaver, *comer;
	struct nt_binding *nb;
	unsigned int round;

	for (round = 0; round < 2 * ROUNDS; round++) {
		party[NMR_CLIENT] = nt_client(nt);
		party[NMR_PROVIDER] = nt_provider(nt);
		party[NMR_CLIENT]->at[NT_C_BOUND].ret = round % 3 ? 0 : -ENODEV;
		leaver = party[round & 1];
		comer = party[!(round & 1)];
		nt_join_npi(leaver);
		nt_enlist(race, 0, nt_register_thread, comer);
		nt_enlist(race, 1, nt_deregister_thread, leaver);
		nt_race(race);
		KUNIT_EXPECT_EQ(test, race->racer[0].ret, 0);
		KUNIT_EXPECT_EQ(test, race->racer[1].ret, -EINPROGRESS);
		KUNIT_ASSERT_EQ(test, nt_wait(leaver), 0);
		nb = nt_find(nt, NULL, NULL);
		if (nb)
			expect_consistent(test, nb);
		nt_leave(comer);
		nt_forget(nt);
	}
}

/* Call in both directions while a side leaves. */
static void calls_while_a_side_leaves(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	unsigned int round;

	nt->quiet = true;
	for (round = 0; round < ROUNDS; round++)
		nt_race_calls(race, round, NULL);
}

/* Register providers at once for a client that takes one, and let them leave in turn. */
static void providers_race_for_one_slot(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS - 1);
	struct nt_party *client, *provider[NT_RACERS - 1];
	unsigned int i, k, round;

	for (round = 0; round < ROUNDS / 2; round++) {
		client = nt_client(nt);
		client->max_bindings = 1;
		nt_join_npi(client);
		for (i = 0; i < race->n; i++) {
			provider[i] = nt_provider(nt);
			nt_enlist(race, i, nt_register_thread, provider[i]);
		}
		nt_race(race);
		for (k = 1; k <= race->n; k++) {
			struct nt_binding *nb;

			nt_await(nt, nt_returned(client, NT_C_ATTACH) == k);
			nb = nt_find(nt, client, NULL);
			nt_leave(nb->party[NMR_PROVIDER]);
		}
		KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), race->n);
		nt_leave(client);
		for (i = 0; i < race->n; i++)
			expect_visits(test, provider[i], 1);
		nt_forget(nt);
	}
}

static int reoffer_when_asked_thread(void *arg)
{
	struct nt_party *client = arg;

	nt_check(client->nt, nt_wait_until(client->nt, nt_entered(client, NT_C_ATTACH)));
	return nt_reoffer(client);
}

/* Re-offer at about the time when the attach callback defers. */
static void reoffer_and_defer_at_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, 2);
	struct nt_party *client, *provider;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		client = nt_client(nt);
		provider = nt_provider(nt);
		client->at[NT_C_ATTACH].first = -EPROBE_DEFER;
		client->at[NT_C_ATTACH].nfirst = 1;
		nt_join_npi(client);
		nt_enlist(race, 0, nt_register_thread, provider);
		nt_enlist(race, 1, reoffer_when_asked_thread, client);
		nt_race(race);
		KUNIT_EXPECT_EQ(test, race->racer[1].ret, 0);
		nt_await(nt, nt_returned(client, NT_C_ATTACH) == 2);
		nt_leave(provider);
		nt_leave(client);
		KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 2);
		nt_forget(nt);
	}
}

/* Wait for a binding while the provider registers, or the client leaves. */
static void wait_for_binding_and_its_end_at_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, 3);
	struct nt_party *client, *provider;
	unsigned int round;
	bool leaves;

	for (round = 0; round < ROUNDS; round++) {
		leaves = round & 1;
		client = nt_client(nt);
		provider = nt_provider(nt);
		nt_join_npi(client);
		nt_enlist(race, 0, nt_wait_for_binding_thread, client);
		nt_enlist(race, 1, nt_wait_for_binding_thread, client);
		nt_enlist(race, 2, leaves ? nt_deregister_thread : nt_register_thread,
			  leaves ? client : provider);
		nt_race(race);
		KUNIT_EXPECT_EQ(test, race->racer[0].ret, leaves ? -ESHUTDOWN : 0);
		KUNIT_EXPECT_EQ(test, race->racer[1].ret, leaves ? -ESHUTDOWN : 0);
		nt_deregister(client);
		KUNIT_ASSERT_EQ(test, nt_wait(client), 0);
		if (!leaves)
			nt_leave(provider);
		nt_forget(nt);
	}
}

static int wait_thread(void *arg)
{
	return nt_wait(arg);
}

static int reoffer_thread(void *arg)
{
	return nt_reoffer(arg);
}

/* Use a handle in all ways while its registration ends, and check the results. */
static void handle_is_used_while_it_goes(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	struct nt_party *party[NMR_SIDES], *provider;
	unsigned int round;
	int *ret[NT_RACERS], i;

	for (i = 0; i < NT_RACERS; i++)
		ret[i] = &race->racer[i].ret;
	for (round = 0; round < ROUNDS; round++) {
		nt_new_pair(nt, party);
		provider = party[NMR_PROVIDER];
		nt_enlist(race, 0, nt_deregister_thread, provider);
		nt_enlist(race, 1, nt_deregister_thread, provider);
		nt_enlist(race, 2, wait_thread, provider);
		nt_enlist(race, 3, reoffer_thread, provider);
		nt_race(race);
		KUNIT_EXPECT_EQ(test, *ret[0] + *ret[1], -EINPROGRESS - EALREADY);
		KUNIT_EXPECT_TRUE(test, *ret[2] == 0 || *ret[2] == -EINVAL);
		KUNIT_EXPECT_TRUE(test, *ret[3] == 0 || *ret[3] == -ESHUTDOWN);
		KUNIT_ASSERT_EQ(test, nt_wait(provider), 0);
		KUNIT_EXPECT_EQ(test, nt_deregister(provider), -EALREADY);
		nt_leave(party[NMR_CLIENT]);
		nt_forget(nt);
	}
}

/* Send a client that takes one provider from one to the other, again and again. */
static void fallback_moves_a_client_for_ever(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *provider[2] = { nt_provider(nt), nt_provider(nt) };
	struct nt_binding *nb;
	unsigned int round;

	client->max_bindings = 1;
	nt_join_npi(provider[0]);
	nt_join_npi(provider[1]);
	nt_join_npi(client);
	for (round = 0; round < ROUNDS; round++) {
		nt_await(nt, nt_returned(client, NT_C_ATTACH) == round + 1);
		nb = nt_find(nt, client, NULL);
		KUNIT_ASSERT_PTR_EQ(test, nb->party[NMR_PROVIDER], provider[round & 1]);
		KUNIT_ASSERT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), 0);
	}
	nt_await(nt, nt_returned(client, NT_C_ATTACH) == ROUNDS + 1);
}

/* Crowds */

#define CROWD	100
#define GROUP	25	/* of the crowd, in one round */

/*
 * Many parties, and a party that meets all of them.
 *
 * @next: index of the next party in this round
 * @end: index at which this round ends
 */
struct crowd {
	struct nt *nt;
	struct nt_party *one;
	struct nt_party *party[CROWD];
	atomic_t next;
	int end;
};

static struct nt_party *next_of(struct crowd *crowd)
{
	int i = atomic_inc_return(&crowd->next) - 1;

	return i < crowd->end ? crowd->party[i] : NULL;
}

static int register_crowd_thread(void *arg)
{
	struct nt_party *party;

	while ((party = next_of(arg))) {
		nt_check(party->nt, nt_register(party) == 0);
		cond_resched();
	}
	return 0;
}

/* Keep the binding in the client's priv, since a search would take long. */
static int remember(struct nt_binding *nb, int ret)
{
	nb->party[NMR_CLIENT]->priv = nb;
	return ret;
}

static int complete_crowd_thread(void *arg)
{
	struct nt_party *party;

	while ((party = next_of(arg))) {
		nt_complete(party->priv, NMR_CLIENT);
		cond_resched();
	}
	return 0;
}

static void crowd_runs(struct crowd *crowd, struct nt_racers *race,
		       int (*fn)(void *arg))
{
	unsigned int i;

	for (i = 0; i < race->n; i++)
		nt_enlist(race, i, fn, crowd);
	for (i = 0; i < CROWD; i += GROUP) {
		atomic_set(&crowd->next, i);
		crowd->end = i + GROUP;
		nt_race(race);
	}
}

static struct crowd *clients_of_one(struct nt *nt, struct nt_racers *race)
{
	struct crowd *crowd = nt_zalloc(nt, sizeof(*crowd));
	int i;

	crowd->nt = nt;
	crowd->one = nt_provider(nt);
	nt_join_npi(crowd->one);
	for (i = 0; i < CROWD; i++) {
		crowd->party[i] = nt_client(nt);
		crowd->party[i]->at[NT_C_ATTACH].hook = remember;
		crowd->party[i]->at[NT_C_DETACH].ret = -EINPROGRESS;
	}
	crowd_runs(crowd, race, register_crowd_thread);
	return crowd;
}

static void leave_all(struct crowd *crowd)
{
	int i;

	for (i = 0; i < CROWD; i++)
		nt_check(crowd->nt, nt_deregister(crowd->party[i]) == -EINPROGRESS);
	for (i = 0; i < CROWD; i++)
		nt_check(crowd->nt, nt_wait(crowd->party[i]) == 0);
}

/*
 * Count the grace periods since @cookie was taken. The two low bits of a cookie are a
 * state.
 */
static unsigned long grace_periods_since(unsigned long cookie)
{
	return (get_state_synchronize_rcu() - cookie) >> 2;
}

/*
 * Check promise 9: many bindings of one provider end in the grace periods of one binding.
 * Check promise 8: while all of them are pending, no other registration waits.
 */
static void many_end_in_the_grace_periods_of_one(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	struct nt_party *provider;
	struct crowd *crowd;
	unsigned long cookie;

	nt->quiet = true;
	crowd = clients_of_one(nt, race);
	provider = crowd->one;
	KUNIT_ASSERT_EQ(test, nt_returned(provider, NT_P_ATTACHED), CROWD);

	cookie = get_state_synchronize_rcu();
	KUNIT_EXPECT_EQ(test, nt_deregister(provider), -EINPROGRESS);
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == CROWD);
	/* Other users of RCU add grace periods, but not one a binding. */
	KUNIT_EXPECT_LT(test, grace_periods_since(cookie), CROWD / 2UL);

	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_CLEANUP), 0);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 0), -ETIMEDOUT);
	crowd_runs(crowd, race, complete_crowd_thread);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_CLEANUP), CROWD);
	leave_all(crowd);
}

/* Bind one client to many providers, and let them part. */
static void one_client_of_many_providers(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	struct nt_party *client = nt_client(nt);
	struct crowd *crowd = nt_zalloc(nt, sizeof(*crowd));
	int i;

	nt->quiet = true;
	for (i = 0; i < CROWD; i++)
		crowd->party[i] = nt_provider(nt);
	crowd->nt = nt;
	crowd_runs(crowd, race, register_crowd_thread);
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nt_returned(client, NT_C_ATTACH), CROWD);
	nt_leave(client);
	expect_visits(test, client, CROWD);
	leave_all(crowd);
}

/* A storm of all operations */

#define LIVES		25	/* parties that each thread registers */
#define BINDINGS	1000	/* bindings that are recorded */

/*
 * @binding: bindings of which the provider attached, in this order, with a reference each
 * @over: all parties are gone
 */
struct storm {
	struct nt *nt;
	struct nt_binding **binding;
	atomic_t bindings;
	atomic_t calls;
	struct nt_party *party[NT_RACERS][LIVES];
	atomic_t lives;
	bool over;
};

/* Throw dice, with a result that depends on the binding and not on the schedule. */
static unsigned int dice(struct nt_binding *nb, unsigned int salt, unsigned int sides)
{
	return hash_64(nb->id * 8 + salt, 32) % sides;
}

static int storm_attach(struct nt_binding *nb, int ret)
{
	static const int outcomes[] = { -ENODEV, -EPROBE_DEFER };
	struct storm *storm = nb->party[NMR_CLIENT]->priv;
	unsigned int outcome = dice(nb, nt_was_at(nb, NT_P_ATTACH), 12);

	if (atomic_read(&storm->bindings) > BINDINGS - 2 * NT_RACERS)
		return -ENODEV;
	return outcome < ARRAY_SIZE(outcomes) ? outcomes[outcome] : ret;
}

static int storm_bound(struct nt_binding *nb, int ret)
{
	struct storm *storm = nb->party[NMR_CLIENT]->priv;
	int i;

	if (ret)
		return ret;
	nt_get(nb);
	i = atomic_inc_return(&storm->bindings) - 1;
	if (!nt_check(nb->nt, i < BINDINGS))
		return ret;
	/* Pairs with the acquire in storm_binding(). */
	smp_store_release(&storm->binding[i], nb);
	return dice(nb, 2, 8) ? 0 : -EPROBE_DEFER;
}

static int storm_detach(struct nt_binding *nb, int ret)
{
	return dice(nb, 3 + nt_was_at(nb, NT_P_DETACH), 2) ? -EINPROGRESS : 0;
}

static bool storm_over(struct storm *storm)
{
	return READ_ONCE(storm->over) || READ_ONCE(storm->nt->stopping);
}

/* Pick a binding, which may have ended. */
static struct nt_binding *storm_binding(struct storm *storm, unsigned int i)
{
	unsigned int n = atomic_read(&storm->bindings);

	/* Pairs with the release in storm_bound(). */
	return n ? smp_load_acquire(&storm->binding[i % n]) : NULL;
}

static struct nt_party *storm_party(struct storm *storm, enum nmr_side side,
				    unsigned int nth)
{
	struct nt_party *party = nt_party(storm->nt, side);

	party->priv = storm;
	party->max_bindings = nth % 3;
	party->at[NT_C_ATTACH + side].hook = storm_attach;
	party->at[NT_C_DETACH + side].hook = storm_detach;
	if (side == NMR_CLIENT)
		party->at[NT_C_BOUND].hook = storm_bound;
	return party;
}

/* Register party after party, each of which meets some others before it leaves. */
static int live_thread(void *arg)
{
	struct storm *storm = arg;
	unsigned int self = atomic_inc_return(&storm->lives) - 1, i;
	int met;

	for (i = 0; i < LIVES; i++) {
		struct nt_party *party = storm_party(storm, self & 1, i);

		storm->party[self][i] = party;
		met = atomic_read(&storm->bindings) + i % 4;
		nt_check(storm->nt, nt_register(party) == 0);
		wait_event_timeout(storm->nt->wait,
				   atomic_read(&storm->bindings) > met, HZ / 10);
		nt_check(storm->nt, nt_deregister(party) == -EINPROGRESS);
		nt_check(storm->nt, nt_wait(party) == 0);
	}
	return 0;
}

/* Call through recent bindings, which are likely to be attached. */
static int call_thread(void *arg)
{
	struct storm *storm = arg;
	struct nt_binding *nb;
	unsigned int i;

	for (i = 0; !storm_over(storm); i++) {
		nb = storm_binding(storm, atomic_read(&storm->bindings) - 1 - i % 5);
		if (nb && nt_call(nb, i & 1))
			atomic_inc(&storm->calls);
		cond_resched();
	}
	return 0;
}

static int detach_thread(void *arg)
{
	struct storm *storm = arg;
	struct nt_binding *nb;
	unsigned int i;

	for (i = 0; !storm_over(storm); i++) {
		schedule_timeout_uninterruptible(1);
		nb = storm_binding(storm, atomic_read(&storm->bindings) - 1 - i % 7);
		if (!nb)
			continue;
		nt_reoffer(nb->party[i & 1]);
		if (i % 3)
			nmr_detach_binding(nb->b, i % 3 == 1 ? NMR_DETACH_FALLBACK :
							       NMR_DETACH_ABORT);
	}
	return 0;
}

static int complete_thread(void *arg)
{
	struct storm *storm = arg;
	struct nt_binding *nb;
	enum nmr_side side;
	unsigned int i;

	for (i = 0; !storm_over(storm); i++) {
		nb = storm_binding(storm, i);
		for (side = 0; nb && side < NMR_SIDES; side++) {
			if (test_bit(side, &nb->pending))
				nt_complete(nb, side);
		}
		cond_resched();
	}
	return 0;
}

static void expect_sums(struct kunit *test, struct storm *storm)
{
	int i, k, calls = 0, bindings = 0;

	for (i = 0; i < atomic_read(&storm->bindings); i++)
		expect_consistent(test, storm->binding[i]);
	for (i = 0; i < NT_RACERS; i++) {
		for (k = 0; k < LIVES; k++) {
			struct nt_party *party = storm->party[i][k];

			calls += nt_returned(party, NT_C_OP) + nt_returned(party, NT_P_OP);
			bindings += nt_returned(party, NT_P_CLEANUP);
		}
	}
	KUNIT_EXPECT_EQ(test, calls, atomic_read(&storm->calls));
	KUNIT_EXPECT_EQ(test, bindings, atomic_read(&storm->bindings));
}

static void storm_of_everything(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct storm *storm = nt_zalloc(nt, sizeof(*storm));
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	struct nt_thread *thread[4];
	unsigned int i;

	nt->quiet = true;
	storm->nt = nt;
	storm->binding = nt_zalloc(nt, BINDINGS * sizeof(*storm->binding));
	thread[0] = nt_spawn(nt, call_thread, storm);
	thread[1] = nt_spawn(nt, call_thread, storm);
	thread[2] = nt_spawn(nt, detach_thread, storm);
	thread[3] = nt_spawn(nt, complete_thread, storm);
	for (i = 0; i < NT_RACERS; i++)
		nt_enlist(race, i, live_thread, storm);
	nt_race(race);
	WRITE_ONCE(storm->over, true);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		nt_join(thread[i]);
	expect_sums(test, storm);
	/* The storm had bindings and calls. */
	KUNIT_EXPECT_GT(test, atomic_read(&storm->bindings), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&storm->calls), 0);
}

static struct kunit_case nmr_stress_cases[] = {
	KUNIT_CASE_SLOW(register_at_once_offers_once),
	KUNIT_CASE_SLOW(all_ends_at_once_detach_once),
	KUNIT_CASE_SLOW(last_of_four_at_once_cleans_once),
	KUNIT_CASE_SLOW(register_and_deregister_at_once),
	KUNIT_CASE_SLOW(calls_while_a_side_leaves),
	KUNIT_CASE_SLOW(providers_race_for_one_slot),
	KUNIT_CASE_SLOW(reoffer_and_defer_at_once),
	KUNIT_CASE_SLOW(wait_for_binding_and_its_end_at_once),
	KUNIT_CASE_SLOW(handle_is_used_while_it_goes),
	KUNIT_CASE_SLOW(fallback_moves_a_client_for_ever),
	KUNIT_CASE_SLOW(many_end_in_the_grace_periods_of_one),
	KUNIT_CASE_SLOW(one_client_of_many_providers),
	KUNIT_CASE_SLOW(storm_of_everything),
	{}
};

static struct kunit_suite nmr_stress_suite = {
	.name = "nmr_stress",
	.init = nt_init,
	.test_cases = nmr_stress_cases,
};

kunit_test_suite(nmr_stress_suite);
