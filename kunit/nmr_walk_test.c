// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks: which peers the functions nmr_..._for_each_...() call, in which order, and what the
 * function that they call may do to the bindings that the walk has passed, stands on, or has
 * still to visit.
 *
 * A hub has several peers. Each case runs with the hub on either side, and most cases also run
 * under RCU.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/rcupdate.h>

#include "files.h"
#include "harness.h"

#define PEERS	5
#define SEEN	128

struct variant {
	const char *name;
	enum nmr_side side;	/* of the hub */
	bool rcu;
};

static const struct variant variants[] = {
	{ "client", NMR_CLIENT, false },
	{ "provider", NMR_PROVIDER, false },
	{ "client, RCU", NMR_CLIENT, true },
	{ "provider, RCU", NMR_PROVIDER, true },
};

NT_PARAM(variant, variants);

static int for_each(enum nmr_side side, u64 id, bool rcu, nmr_call_fn *fn, void *arg)
{
	return rcu ? by_side_walk_rcu(side, id, fn, arg) :
		     by_side_walk(side, id, fn, arg);
}

/*
 * One walk. @hook runs in each visit, and what it returns ends the walk unless it is 0.
 * @seen: the bindings, in the order of the visits
 * @stand: number of the visit in which @hook acts, in some cases
 * @peer: the peers of the hub, in the order in which they were offered
 */
struct walk {
	struct kunit *test;
	struct nt_party *hub;
	struct nt_party *peer[PEERS];
	bool rcu;
	int (*hook)(struct walk *walk, struct nt_binding *nb);
	struct nt_binding *seen[SEEN];
	int n;
	int stand;
	unsigned int victims;	/* BIT(number of a peer) */
	struct walk *other;
	bool reached;
	bool go;
};

static struct walk *new_walk(struct kunit *test, enum nmr_side side, bool rcu)
{
	struct walk *walk = nt_zalloc(test->priv, sizeof(*walk));

	walk->test = test;
	walk->rcu = rcu;
	walk->hub = nt_party(test->priv, side);
	return walk;
}

static struct walk *variant_walk(struct kunit *test)
{
	const struct variant *variant = test->param_value;

	return new_walk(test, variant->side, variant->rcu);
}

/* Another walk of the same hub */
static struct walk *second_walk(struct walk *walk)
{
	struct walk *second = nt_zalloc(walk->hub->nt, sizeof(*second));

	second->test = walk->test;
	second->rcu = walk->rcu;
	second->hub = walk->hub;
	memcpy(second->peer, walk->peer, sizeof(second->peer));
	return second;
}

static struct nt_party *new_peer(struct nt_party *hub)
{
	return nt_party(hub->nt, nt_peer(hub->side));
}

/* Register the hub and its peers. Return: the number of the last binding. */
static void attach_peers(struct walk *walk)
{
	int i;

	nt_join_npi(walk->hub);
	for (i = 0; i < PEERS; i++) {
		walk->peer[i] = new_peer(walk->hub);
		nt_join_npi(walk->peer[i]);
	}
}

/* Visit a peer: check that the call is what the peer has handed over, and make it. */
static int visit(const struct nmr_call *call, void *arg)
{
	struct walk *walk = arg;
	struct nt *nt = walk->hub->nt;
	const struct nt_dispatch *dispatch = call->dispatch;
	struct nt_end *end = call->context;
	struct nt_binding *nb = end->nb;
	int i;

	nt_check(nt, end->side == nt_peer(walk->hub->side));
	nt_check(nt, call->binding == nb->b);
	nt_check(nt, dispatch == &nb->party[end->side]->dispatch);
	nt_check(nt, nb->party[walk->hub->side] == walk->hub);
	nt_check(nt, !nt_was_at(nb, NT_C_DETACH) && !nt_was_at(nb, NT_P_DETACH));
	nt_check(nt, dispatch->op(call->context, 41) == 42);
	for (i = 0; i < walk->n; i++)
		nt_check(nt, walk->seen[i] != nb);
	if (nt_check(nt, walk->n < SEEN))
		walk->seen[walk->n++] = nb;
	return walk->hook ? walk->hook(walk, nb) : 0;
}

static int run(struct walk *walk)
{
	walk->n = 0;
	return for_each(walk->hub->side, walk->hub->id, walk->rcu, visit, walk);
}

static int walk_thread(void *walk)
{
	return run(walk);
}

/* The walk has visited the peers in @mask once each, in order, and no other. */
static void expect_seen(struct walk *walk, unsigned int mask)
{
	struct kunit *test = walk->test;
	int i, n = 0;

	for (i = 0; i < PEERS; i++) {
		if (!(mask & BIT(i)))
			continue;
		if (n < walk->n)
			KUNIT_EXPECT_PTR_EQ_MSG(test, walk->seen[n],
						nt_find_between(walk->hub, walk->peer[i]),
						"visit %d, peer %d", n, i);
		n++;
	}
	KUNIT_EXPECT_EQ(test, walk->n, n);
}

#define ALL	(BIT(PEERS) - 1)

/* Which peers are visited */

static void walk_visits_all_in_order(struct kunit *test)
{
	struct walk *walk = variant_walk(test);
	int i;

	attach_peers(walk);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, run(walk), 0);
		expect_seen(walk, ALL);
	}
}

static void walk_without_peers_visits_none(struct kunit *test)
{
	struct walk *walk = variant_walk(test);
	struct nt_party *peer = new_peer(walk->hub);

	nt_join_npi(walk->hub);
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	KUNIT_EXPECT_EQ(test, walk->n, 0);
	nt_join_npi(peer);
	nt_leave(peer);
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	KUNIT_EXPECT_EQ(test, walk->n, 0);
}

/* Peers that decline are not visited. */
static void walk_passes_refusals(struct kunit *test)
{
	struct walk *walk = variant_walk(test);
	struct nt_party *peer = new_peer(walk->hub);

	peer->at[NT_C_ATTACH + peer->side].ret = -ENODEV;
	nt_join_npi(peer);
	attach_peers(walk);
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL);
}

static const enum nt_point attach_points[] = {
	NT_C_ATTACH, NT_P_ATTACH, NT_C_BOUND, NT_P_ATTACHED
};

/* A peer is not visited before the last callback of attach has returned. */
static void walk_passes_attaching_peers(struct kunit *test)
{
	struct walk *walk = variant_walk(test);
	struct nt *nt = test->priv;
	struct nt_thread *registrar;
	struct nt_party *party;
	int i;

	nt_join_npi(walk->hub);
	for (i = 0; i < ARRAY_SIZE(attach_points); i++) {
		enum nt_point point = attach_points[i];

		walk->peer[i] = new_peer(walk->hub);
		party = nt_side(point) == walk->hub->side ? walk->hub : walk->peer[i];
		nt_hold(party, point);
		registrar = nt_spawn(nt, nt_register_thread, walk->peer[i]);
		nt_await(nt, nt_entered(party, point) == (party == walk->hub ? i + 1 : 1));
		KUNIT_EXPECT_EQ(test, run(walk), 0);
		expect_seen(walk, BIT(i) - 1);
		nt_release(party, point);
		KUNIT_EXPECT_EQ(test, nt_join(registrar), 0);
		KUNIT_EXPECT_EQ(test, run(walk), 0);
		expect_seen(walk, BIT(i + 1) - 1);
	}
}

/* More than the 64 bindings that a walk looks at while it holds the lock */
#define CROWD	70

static void walk_passes_a_crowd_that_attaches(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct walk *walk = new_walk(test, side, false);
	struct nt_party *peer;
	int i;

	nt_join_npi(walk->hub);
	for (i = 0; i < CROWD; i++) {
		peer = new_peer(walk->hub);
		nt_hold(peer, NT_C_ATTACH + peer->side);
		nt_spawn(nt, nt_register_thread, peer);
		nt_await(nt, nt_entered(peer, NT_C_ATTACH + peer->side) == 1);
	}
	walk->peer[0] = new_peer(walk->hub);
	nt_join_npi(walk->peer[0]);
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, BIT(0));
}

/* A binding that has closed is not visited, from the moment on that the function returns. */
static void walk_passes_closed_bindings(struct kunit *test)
{
	struct walk *walk = variant_walk(test);
	struct nt_party *last;
	int i, err, seen;

	attach_peers(walk);
	for (i = 0; i < PEERS - 1; i++)
		nt_hold(walk->peer[i], NT_C_DETACH + walk->peer[i]->side);
	nt_deregister(walk->peer[0]);
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL & ~BIT(0));
	nmr_detach_binding(nt_find_between(walk->hub, walk->peer[2])->b, NMR_DETACH_ABORT);
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL & ~(BIT(0) | BIT(2)));
	if (!walk->rcu)
		return;
	/* No worker has run, nor can one. */
	last = walk->peer[PEERS - 1];
	rcu_read_lock();
	nt_deregister(last);
	err = run(walk);
	seen = walk->n;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, seen, PEERS - 3);
}

static int stop_at(struct walk *walk, struct nt_binding *nb)
{
	return walk->n - 1 == walk->stand ? walk->victims : 0;
}

static void value_ends_the_walk(struct kunit *test)
{
	static const int values[] = { 1, -1, -EAGAIN, -ESHUTDOWN, INT_MIN, INT_MAX };
	struct walk *walk = variant_walk(test);
	int i;

	attach_peers(walk);
	walk->hook = stop_at;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		walk->victims = values[i];
		walk->stand = i % PEERS;
		KUNIT_EXPECT_EQ(test, run(walk), values[i]);
		expect_seen(walk, BIT(i % PEERS + 1) - 1);
	}
	walk->victims = 0;
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL);
}

static int visit_never(const struct nmr_call *call, void *nt)
{
	nt_fail(nt, "a walk visits what it must not");
	return 0;
}

static void walk_checks_its_arguments(struct kunit *test)
{
	const struct variant *variant = test->param_value;
	struct walk *walk = variant_walk(test);
	enum nmr_side side = variant->side;
	bool rcu = variant->rcu;
	struct nt *nt = test->priv;
	u64 id;

	KUNIT_EXPECT_EQ(test, for_each(side, 0, rcu, visit_never, nt), -EINVAL);
	KUNIT_EXPECT_EQ(test, for_each(side, U64_MAX, rcu, visit_never, nt), -EINVAL);
	KUNIT_EXPECT_EQ(test, for_each(side, 0, rcu, NULL, nt), -EINVAL);
	attach_peers(walk);
	id = walk->hub->id;
	KUNIT_EXPECT_EQ(test, for_each(side, id, rcu, NULL, nt), -EINVAL);
	nt_hold(walk->hub, NT_C_DETACH + side);
	nt_deregister(walk->hub);
	KUNIT_EXPECT_EQ(test, for_each(side, id, rcu, visit_never, nt), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, for_each(side, id, rcu, NULL, nt), -EINVAL);
	nt_release(walk->hub, NT_C_DETACH + side);
	KUNIT_EXPECT_EQ(test, nt_wait(walk->hub), 0);
	KUNIT_EXPECT_EQ(test, for_each(side, id, rcu, visit_never, nt), -ESHUTDOWN);
}

/* Walks under RCU come from any context. */

static const enum nt_context contexts[] = {
	NT_TASK, NT_KTHREAD, NT_SOFTIRQ, NT_HARDIRQ, NT_RCU_CALLBACK, NT_RAW_LOCK
};

KUNIT_ARRAY_PARAM(context, contexts, nt_context_desc);

static void run_checked(void *arg)
{
	struct walk *walk = arg;

	nt_check(walk->hub->nt, run(walk) == 0);
}

static void rcu_walk_comes_from_any_context(struct kunit *test)
{
	enum nt_context context = *(const enum nt_context *)test->param_value;
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		struct walk *walk = new_walk(test, side, true);

		guid_gen(&((struct nt *)test->priv)->npi_id);
		guid_copy(&walk->hub->npi_id, &((struct nt *)test->priv)->npi_id);
		attach_peers(walk);
		nt_run_in(test->priv, context, run_checked, walk);
		expect_seen(walk, ALL);
	}
}

/* What the function may do */

static int close_victims(struct walk *walk, struct nt_binding *nb)
{
	int i;

	if (walk->n - 1 != walk->stand)
		return 0;
	for (i = 0; i < PEERS; i++)
		if (walk->victims & BIT(i))
			nt_check(nb->nt, nt_deregister(walk->peer[i]) == -EINPROGRESS);
	return 0;
}

static int detach_victims(struct walk *walk, struct nt_binding *nb)
{
	struct nt_binding *victim;
	int i;

	if (walk->n - 1 != walk->stand)
		return 0;
	for (i = 0; i < PEERS; i++) {
		victim = nt_find_between(walk->hub, walk->peer[i]);
		if (walk->victims & BIT(i))
			nt_check(nb->nt, !nmr_detach_binding(victim->b, NMR_DETACH_ABORT));
	}
	return 0;
}

/* In the visit of peer @stand, the peers in @victims leave. The walk passes the later ones. */
static void expect_victims_passed(struct kunit *test, int stand, unsigned int victims,
				  int (*hook)(struct walk *walk, struct nt_binding *nb))
{
	struct walk *walk = variant_walk(test);
	unsigned int later = ALL & ~(BIT(stand + 1) - 1);
	struct nt *nt = test->priv;
	int i;

	guid_gen(&walk->hub->npi_id);
	guid_copy(&nt->npi_id, &walk->hub->npi_id);
	attach_peers(walk);
	walk->hook = hook;
	walk->stand = stand;
	walk->victims = victims;
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL & ~(victims & later));
	walk->hook = NULL;
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL & ~victims);
	nt_leave(walk->hub);
	for (i = 0; i < PEERS; i++) {
		nt_deregister(walk->peer[i]);
		KUNIT_EXPECT_EQ(test, nt_wait(walk->peer[i]), 0);
	}
}

/* Each peer in turn, before, on and after the place where the walk stands */
static void peer_leaves_during_the_walk(struct kunit *test)
{
	int stand, victim;

	for (stand = 0; stand < PEERS; stand++)
		for (victim = 0; victim < PEERS; victim++)
			expect_victims_passed(test, stand, BIT(victim), close_victims);
}

static void binding_closes_during_the_walk(struct kunit *test)
{
	int stand, victim;

	for (stand = 0; stand < PEERS; stand++)
		for (victim = 0; victim < PEERS; victim++)
			expect_victims_passed(test, stand, BIT(victim), detach_victims);
}

/* Several at once: the next ones, all that are left, the ones around the walk, all */
static void several_peers_leave_during_the_walk(struct kunit *test)
{
	static const unsigned int masks[] = {
		BIT(1) | BIT(2), BIT(2) | BIT(3) | BIT(4), BIT(3) | BIT(4), BIT(0) | BIT(2),
		BIT(1) | BIT(3), BIT(0) | BIT(1) | BIT(2) | BIT(3), ALL
	};
	int stand, i;

	for (stand = 0; stand < PEERS; stand += 2)
		for (i = 0; i < ARRAY_SIZE(masks); i++)
			expect_victims_passed(test, stand, masks[i], detach_victims);
}

static int detach_own(struct walk *walk, struct nt_binding *nb)
{
	nt_check(nb->nt, nmr_detach_binding(nb->b, NMR_DETACH_ABORT) == 0);
	return 0;
}

/* Each visit closes the binding that it is in. */
static void each_visit_detaches_its_binding(struct kunit *test)
{
	struct walk *walk = variant_walk(test);

	attach_peers(walk);
	walk->hook = detach_own;
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL);
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	KUNIT_EXPECT_EQ(test, walk->n, 0);
}

static int leave_here(struct walk *walk, struct nt_binding *nb)
{
	if (walk->n - 1 == walk->stand)
		nt_check(nb->nt, nt_deregister(walk->hub) == -EINPROGRESS);
	return 0;
}

/* The hub deregisters in a visit: the walk ends there, and is not an error. */
static void hub_leaves_during_its_walk(struct kunit *test)
{
	struct walk *walk;
	int stand;

	for (stand = 0; stand < PEERS; stand++) {
		walk = variant_walk(test);
		guid_gen(&walk->hub->npi_id);
		guid_copy(&((struct nt *)test->priv)->npi_id, &walk->hub->npi_id);
		attach_peers(walk);
		walk->hook = leave_here;
		walk->stand = stand;
		KUNIT_EXPECT_EQ(test, run(walk), 0);
		expect_seen(walk, BIT(stand + 1) - 1);
		KUNIT_EXPECT_EQ(test, nt_wait(walk->hub), 0);
		KUNIT_EXPECT_EQ(test, run(walk), -ESHUTDOWN);
	}
}

static int register_peer(struct walk *walk, struct nt_binding *nb)
{
	struct nt_party *peer = new_peer(walk->hub);

	nt_check(nb->nt, nt_register(peer) == 0);
	return walk->n < 3 * PEERS ? 0 : -E2BIG;
}

/* A peer that attaches during the walk is visited once or not, and the walk ends. */
static void visit_registers_a_peer(struct kunit *test)
{
	struct walk *walk = new_walk(test, nt_param_side(test), false);

	attach_peers(walk);
	walk->hook = register_peer;
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	KUNIT_EXPECT_GE(test, walk->n, PEERS);
	walk->hook = NULL;
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	KUNIT_EXPECT_GE(test, walk->n, 2 * PEERS);
}

static int replace_peer(struct walk *walk, struct nt_binding *nb)
{
	struct nt_party *peer = new_peer(walk->hub);

	if (walk->n - 1 != walk->stand)
		return 0;
	nt_check(nb->nt, nt_deregister(walk->peer[PEERS - 1]) == -EINPROGRESS);
	nt_check(nb->nt, nt_register(peer) == 0);
	walk->peer[PEERS - 1] = peer;
	return 0;
}

/* The last one leaves, on which the walk may stand, and another comes behind it. */
static void last_peer_is_replaced_during_the_walk(struct kunit *test)
{
	struct walk *walk;
	int stand;

	for (stand = 0; stand < PEERS; stand++) {
		walk = new_walk(test, nt_param_side(test), false);
		guid_gen(&walk->hub->npi_id);
		guid_copy(&((struct nt *)test->priv)->npi_id, &walk->hub->npi_id);
		attach_peers(walk);
		walk->hook = replace_peer;
		walk->stand = stand;
		KUNIT_EXPECT_EQ(test, run(walk), 0);
		KUNIT_EXPECT_GE(test, walk->n, PEERS - (stand < PEERS - 1));
		KUNIT_EXPECT_LE(test, walk->n, PEERS + 1);
		walk->hook = NULL;
		KUNIT_EXPECT_EQ(test, run(walk), 0);
		expect_seen(walk, ALL);
		nt_leave(walk->hub);
	}
}

/* Calls in flight */

static int hold_here(struct walk *walk, struct nt_binding *nb)
{
	if (walk->n - 1 != walk->stand)
		return 0;
	WRITE_ONCE(walk->reached, true);
	nt_kick(nb->nt);
	wait_event(nb->nt->wait, READ_ONCE(walk->go) || READ_ONCE(nb->nt->stopping));
	return 0;
}

static struct nt_thread *walk_up_to(struct walk *walk, int stand)
{
	struct nt_thread *thread;

	walk->hook = hold_here;
	walk->stand = stand;
	thread = nt_spawn(walk->hub->nt, walk_thread, walk);
	nt_await(walk->hub->nt, READ_ONCE(walk->reached));
	return thread;
}

static void go_on(struct walk *walk)
{
	WRITE_ONCE(walk->go, true);
	nt_kick(walk->hub->nt);
}

static void expect_in_flight(struct kunit *test, struct nt_binding *nb, enum nmr_side caller,
			     const char *calls)
{
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];

	nt_binding_path(nb, caller == NMR_CLIENT ? "client_calls" : "provider_calls", path);
	nt_read(path, value);
	KUNIT_EXPECT_STREQ(test, value, calls);
}

/* A visit is a call of the hub. It delays the cleanup of the binding that it is in, alone. */
static void visit_delays_cleanup_of_its_binding(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct walk *walk = new_walk(test, side, false);
	struct nt *nt = test->priv;
	struct nt_thread *thread;
	struct nt_binding *nb[PEERS];
	int i;

	attach_peers(walk);
	for (i = 0; i < PEERS; i++)
		nb[i] = nt_find_between(walk->hub, walk->peer[i]);
	thread = walk_up_to(walk, 2);
	for (i = 0; i < PEERS; i++) {
		expect_in_flight(test, nb[i], side, i == 2 ? "1" : "0");
		expect_in_flight(test, nb[i], nt_peer(side), "0");
	}
	for (i = 0; i < PEERS; i++)
		nt_deregister(walk->peer[i]);
	for (i = 0; i < PEERS; i++)
		if (i != 2)
			KUNIT_EXPECT_EQ(test, nt_wait(walk->peer[i]), 0);
	nt_expect_draining(nb[2]);
	expect_in_flight(test, nb[2], side, "1");
	/* The binding that the walk would have visited next is freed. */
	schedule_timeout_uninterruptible(NT_RELEASE_DELAY);
	rcu_barrier();
	go_on(walk);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(walk->peer[2]), 0);
	KUNIT_EXPECT_EQ(test, walk->n, 3);
	nt_settle(nt);
}

/* The hub leaves, and its wait returns when the visit and the walk have ended. */
static void hub_waits_for_the_visit(struct kunit *test)
{
	struct walk *walk = new_walk(test, nt_param_side(test), false);
	struct nt_thread *thread;

	attach_peers(walk);
	thread = walk_up_to(walk, 1);
	KUNIT_EXPECT_EQ(test, nt_deregister(walk->hub), -EINPROGRESS);
	nt_expect_draining(nt_find_between(walk->hub, walk->peer[1]));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(walk->hub, 1), -ETIMEDOUT);
	go_on(walk);
	KUNIT_EXPECT_EQ(test, nt_wait(walk->hub), 0);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	expect_seen(walk, BIT(0) | BIT(1));
}

/* Several walks */

/* Two walks of a hub stand in different places, and a peer leaves that is next for both. */
static void walks_of_a_hub_are_independent(struct kunit *test)
{
	struct walk *first = new_walk(test, nt_param_side(test), false), *second, *third;
	struct nt_thread *thread[2];

	attach_peers(first);
	second = second_walk(first);
	third = second_walk(first);
	thread[0] = walk_up_to(first, 1);
	thread[1] = walk_up_to(second, 1);
	KUNIT_EXPECT_EQ(test, run(third), 0);
	expect_seen(third, ALL);
	nt_deregister(first->peer[2]);
	nt_deregister(first->peer[4]);
	KUNIT_EXPECT_EQ(test, run(third), 0);
	expect_seen(third, BIT(0) | BIT(1) | BIT(3));
	go_on(second);
	KUNIT_EXPECT_EQ(test, nt_join(thread[1]), 0);
	expect_seen(second, BIT(0) | BIT(1) | BIT(3));
	nt_deregister(first->peer[3]);
	go_on(first);
	KUNIT_EXPECT_EQ(test, nt_join(thread[0]), 0);
	expect_seen(first, BIT(0) | BIT(1));
}

static int walk_inside(struct walk *walk, struct nt_binding *nb)
{
	walk->other->hook = walk->victims ? close_victims : NULL;
	walk->other->stand = walk->stand;
	walk->other->victims = walk->n - 1 == walk->stand ? walk->victims : 0;
	nt_check(nb->nt, run(walk->other) == 0);
	return 0;
}

/* A visit walks the same hub. */
static void walks_nest(struct kunit *test)
{
	struct walk *walk = variant_walk(test);

	attach_peers(walk);
	walk->other = second_walk(walk);
	walk->hook = walk_inside;
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL);
	expect_seen(walk->other, ALL);
	/* The inner walk closes what is next for itself and for the outer one. */
	walk->stand = 1;
	walk->victims = BIT(2) | BIT(3);
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, BIT(0) | BIT(1) | BIT(4));
	expect_seen(walk->other, BIT(0) | BIT(1) | BIT(4));
}

/* A walk of each hub in a visit of the other's: their peers are not mixed up. */
static void walks_of_different_hubs_nest(struct kunit *test)
{
	struct walk *walk = variant_walk(test);
	struct nt *nt = test->priv;

	attach_peers(walk);
	guid_gen(&nt->npi_id);
	walk->other = variant_walk(test);
	attach_peers(walk->other);
	walk->hook = walk_inside;
	KUNIT_EXPECT_EQ(test, run(walk), 0);
	expect_seen(walk, ALL);
	expect_seen(walk->other, ALL);
}

/* Clients with a slot */

DEFINE_NMR_SLOT(walk_slot);

/* A client that has a slot walks its one provider, which in turn finds the client. */
static void walk_and_slot_share_the_gate(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct walk *walk = variant_walk(test);
	struct nt_party *peer = new_peer(walk->hub);
	struct nt_party *client = walk->hub->side == NMR_CLIENT ? walk->hub : peer;
	struct nmr_call call;
	int i;

	client->slot = &walk_slot;
	nt_join_npi(walk->hub);
	nt_join_npi(peer);
	walk->peer[0] = peer;
	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, nmr_slot_enter_wait(&walk_slot, &call, NT_TIMEOUT), 0);
		KUNIT_EXPECT_EQ(test, run(walk), 0);
		expect_seen(walk, BIT(0));
		nmr_slot_exit(&call);
		nmr_detach_binding(nt_find_between(walk->hub, peer)->b, NMR_DETACH_FALLBACK);
		KUNIT_EXPECT_EQ(test, run(walk), 0);
		KUNIT_EXPECT_EQ(test, walk->n, 0);
		nt_await(nt, nt_has_left(nt_find_between(walk->hub, peer), NT_P_CLEANUP));
		KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	}
}

/* All at once */

static int storm_visit(const struct nmr_call *call, void *arg)
{
	const struct nt_dispatch *dispatch = call->dispatch;

	nt_check(arg, dispatch->op(call->context, 41) == 42);
	return 0;
}

static int storm_thread(void *arg)
{
	struct walk *walk = arg;
	struct nt *nt = walk->hub->nt;
	int err;

	while (!READ_ONCE(nt->stopping)) {
		err = for_each(walk->hub->side, walk->hub->id, walk->rcu, storm_visit, nt);
		nt_check(nt, !err || err == -ESHUTDOWN);
		cond_resched();
	}
	return 0;
}

/*
 * Two walks of each kind, while peers come and go, and at last the hub. The harness checks
 * that no call meets a peer that has been cleaned up.
 */
static void walks_survive_a_storm(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct walk *walk = new_walk(test, nt_param_side(test), false), *rcu;
	struct nt_thread *thread[4];
	struct nt_party *peer;
	int i, round;

	nt->quiet = true;
	attach_peers(walk);
	rcu = second_walk(walk);
	rcu->rcu = true;
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = nt_spawn(nt, storm_thread, i & 1 ? rcu : walk);
	for (round = 0; round < 12; round++) {
		peer = walk->peer[(3 * round + 1) % PEERS];
		nt_await(nt, nt_entered(peer, NT_C_OP + peer->side));
		nt_leave(peer);
		peer = new_peer(walk->hub);
		nt_join_npi(peer);
		walk->peer[(3 * round + 1) % PEERS] = peer;
	}
	nt_leave(walk->hub);
	WRITE_ONCE(nt->stopping, true);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, nt_join(thread[i]), 0);
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE_PARAM(walk_visits_all_in_order, variant_gen_params),
	KUNIT_CASE_PARAM(walk_without_peers_visits_none, variant_gen_params),
	KUNIT_CASE_PARAM(walk_passes_refusals, variant_gen_params),
	KUNIT_CASE_PARAM(walk_passes_attaching_peers, variant_gen_params),
	KUNIT_CASE_PARAM(walk_passes_a_crowd_that_attaches, nt_side_gen_params),
	KUNIT_CASE_PARAM(walk_passes_closed_bindings, variant_gen_params),
	KUNIT_CASE_PARAM(value_ends_the_walk, variant_gen_params),
	KUNIT_CASE_PARAM(walk_checks_its_arguments, variant_gen_params),
	KUNIT_CASE_PARAM(rcu_walk_comes_from_any_context, context_gen_params),
	NT_CASE_PARAM_SLOW(peer_leaves_during_the_walk, variant_gen_params),
	NT_CASE_PARAM_SLOW(binding_closes_during_the_walk, variant_gen_params),
	NT_CASE_PARAM_SLOW(several_peers_leave_during_the_walk, variant_gen_params),
	KUNIT_CASE_PARAM(each_visit_detaches_its_binding, variant_gen_params),
	KUNIT_CASE_PARAM(hub_leaves_during_its_walk, variant_gen_params),
	KUNIT_CASE_PARAM(visit_registers_a_peer, nt_side_gen_params),
	KUNIT_CASE_PARAM(last_peer_is_replaced_during_the_walk, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(visit_delays_cleanup_of_its_binding, nt_side_gen_params),
	KUNIT_CASE_PARAM(hub_waits_for_the_visit, nt_side_gen_params),
	KUNIT_CASE_PARAM(walks_of_a_hub_are_independent, nt_side_gen_params),
	KUNIT_CASE_PARAM(walks_nest, variant_gen_params),
	KUNIT_CASE_PARAM(walks_of_different_hubs_nest, variant_gen_params),
	KUNIT_CASE_PARAM(walk_and_slot_share_the_gate, variant_gen_params),
	NT_CASE_PARAM_SLOW(walks_survive_a_storm, nt_side_gen_params),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "nmr_walk",
	.suite_init = nt_mount_files,
	.suite_exit = nt_unmount_files,
	.init = nt_init,
	.test_cases = walk_cases,
};

kunit_test_suites(&walk_suite);
