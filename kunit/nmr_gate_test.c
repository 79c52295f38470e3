// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls in flight: when a gate is open, where calls are counted, what a binding waits for,
 * and how long a binding may be used.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>

#include "harness.h"
#include "look.h"

/* When gates are open */

struct gates {
	bool at[NT_POINTS][NMR_SIDES];
};

static int look(struct nt_binding *nb, enum nt_point point, int ret)
{
	struct gates *gates = nb->party[NMR_CLIENT]->priv;
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++)
		gates->at[point][side] = nt_open(nb, side);
	return ret;
}

static void gate_opens_when_the_callee_has_attached(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct gates *gates = nt_zalloc(nt, sizeof(*gates));
	struct nt_binding *nb;
	enum nt_point point;

	client->priv = gates;
	look_everywhere(client, provider);
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_CLIENT));
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_PROVIDER));
	nt_leave(provider);
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_CLEANUP), 1);

	for (point = NT_C_ATTACH; point <= NT_P_CLEANUP; point++) {
		bool client_open = point == NT_C_BOUND || point == NT_P_ATTACHED;
		bool provider_open = point == NT_P_ATTACHED;

		KUNIT_EXPECT_EQ_MSG(test, gates->at[point][NMR_CLIENT],
				    client_open, "client's at point %d", point);
		KUNIT_EXPECT_EQ_MSG(test, gates->at[point][NMR_PROVIDER],
				    provider_open, "provider's at point %d", point);
	}
}

/* Refuse a binding, and expect that none of its gates opens. */
static void gate_of_a_refused_binding_stays_shut(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct gates *gates = nt_zalloc(nt, sizeof(*gates));

	client->priv = gates;
	client->at[NT_C_BOUND].hook = look_NT_C_BOUND;
	provider->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(provider);
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nt_returned(client, NT_C_BOUND), 1);
	KUNIT_EXPECT_FALSE(test, gates->at[NT_C_BOUND][NMR_CLIENT]);
	KUNIT_EXPECT_FALSE(test, gates->at[NT_C_BOUND][NMR_PROVIDER]);
}

/* Expect that deregister closes the gates of all bindings, which are more than a batch. */
static void deregister_closes_all_gates(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *hub = nt_party(nt, side), *peer;
	struct nt_binding **nb;
	int i, n = 70, open = 0;

	nb = nt_zalloc(nt, n * sizeof(*nb));
	nt->quiet = true;
	nt_join_npi(hub);
	for (i = 0; i < n; i++) {
		peer = nt_party(nt, nt_peer(side));
		nb[i] = side == NMR_CLIENT ? nt_pair(nt, hub, peer) :
					     nt_pair(nt, peer, hub);
		nt_get(nb[i]);
		KUNIT_EXPECT_TRUE(test, nt_open(nb[i], NMR_CLIENT));
		KUNIT_EXPECT_TRUE(test, nt_open(nb[i], NMR_PROVIDER));
	}
	nt_deregister(hub);
	for (i = 0; i < n; i++)
		open += nt_open(nb[i], NMR_CLIENT) + nt_open(nb[i], NMR_PROVIDER);
	KUNIT_EXPECT_EQ(test, open, 0);
	KUNIT_EXPECT_EQ(test, nt_wait(hub), 0);
	for (i = 0; i < n; i++)
		nt_put(nb[i]);
}

/* Draining */

struct caller {
	struct nt_binding *nb;
	enum nmr_side side;
};

static int call_thread(void *arg)
{
	struct caller *caller = arg;

	return nt_call(caller->nb, caller->side) ? 0 : -ENODEV;
}

/* Let calls from every CPU sleep in the callee, and expect cleanup to wait for each. */
static void sleeping_calls_are_waited_for(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct caller *caller = nt_zalloc(nt, sizeof(*caller));
	enum nt_point op = NT_C_OP + nt_peer(side);
	struct nt_party *callee;
	int cpu, calls = 0;

	caller->nb = nt_pair(nt, client, provider);
	caller->side = side;
	callee = caller->nb->party[nt_peer(side)];
	nt_hold(callee, op);
	for_each_online_cpu(cpu) {
		nt_spawn_on(nt, cpu, call_thread, caller);
		nt_spawn_on(nt, cpu, call_thread, caller);
		calls += 2;
	}
	nt_await(nt, nt_entered(callee, op) == calls);

	/* The gate closes at once, and the calls continue. */
	nt_deregister(provider);
	KUNIT_EXPECT_FALSE(test, nt_call(caller->nb, side));
	while (--calls) {
		nt_step(callee, op);
		nt_await(nt, atomic_read(&caller->nb->calls[side]) == calls);
	}
	/* One call is left. If any call had not been counted, cleanup would have begun. */
	nt_expect_draining(caller->nb);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 1), -ETIMEDOUT);
	nt_step(callee, op);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Detach one binding while a call is in flight. */
static void detach_binding_waits_for_calls(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));

	KUNIT_EXPECT_TRUE(test, nt_enter(nb, side));
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_expect_draining(nb);
	nt_exit(nb, side);
	nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
}

/* Exit calls of one side, and expect that they do not count for the other. */
static void gates_are_counted_apart(struct kunit *test)
{
	enum nmr_side last = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));
	int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, nt_enter(nb, nt_peer(last)));
	KUNIT_EXPECT_TRUE(test, nt_enter(nb, last));
	nt_deregister(nb->party[NMR_CLIENT]);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	for (i = 0; i < 3; i++)
		nt_exit(nb, nt_peer(last));
	nt_expect_draining(nb);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(nb->party[NMR_CLIENT], 1), -ETIMEDOUT);
	nt_exit(nb, last);
	KUNIT_EXPECT_EQ(test, nt_wait(nb->party[NMR_CLIENT]), 0);
}

/* Calls that enter on one CPU and exit on another */

/*
 * Enter three calls on one CPU and exit them on another, @after of them after the gate has
 * closed. The count of one CPU becomes negative, and only the sum is the number of calls
 * in flight.
 */
static void calls_may_move(struct kunit *test, int after)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	int first = cpumask_first(cpu_online_mask);
	int other = cpumask_next(first, cpu_online_mask);
	struct nt_party *client = nt_client(nt);
	struct nt_binding *nb;
	int i;

	if (other >= nr_cpu_ids)
		kunit_skip(test, "wants two CPUs");
	nb = nt_pair(nt, client, nt_provider(nt));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, nt_enter_on(nb, side, first));
	for (i = 0; i < 3 - after; i++)
		nt_exit_on(nb, side, other);
	nt_deregister(client);
	if (after) {
		nt_await(nt, nt_has_left(nb, NT_P_DETACH));
		for (i = 0; i < after - 1; i++)
			nt_exit_on(nb, side, other);
		nt_expect_draining(nb);
		nt_exit_on(nb, side, other);
	}
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

static void calls_may_move_while_open(struct kunit *test)
{
	calls_may_move(test, 0);
}

static void calls_may_move_while_closing(struct kunit *test)
{
	calls_may_move(test, 2);
}

static void calls_may_move_while_closed(struct kunit *test)
{
	calls_may_move(test, 3);
}

/* Calls under RCU, which are not counted */

static bool may_call_rcu(struct nt_binding *nb, enum nmr_side side)
{
	bool may;

	rcu_read_lock();
	may = by_side_may_call_rcu(side, nb->b);
	rcu_read_unlock();
	return may;
}

/* Expect that RCU readers may call while the gate is open for counted calls. */
static void rcu_readers_may_call(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	nt_hold(provider, NT_P_ATTACH);
	nt_join_npi(provider);
	nt_spawn(nt, nt_register_thread, client);
	nt_await(nt, nt_find(nt, client, provider));
	nb = nt_find(nt, client, provider);
	nt_await(nt, nt_was_at(nb, NT_P_ATTACH));
	KUNIT_EXPECT_FALSE(test, may_call_rcu(nb, side));
	nt_release(provider, NT_P_ATTACH);
	nt_await(nt, nt_returned(client, NT_C_ATTACH) && nt_open(nb, side));
	KUNIT_EXPECT_TRUE(test, may_call_rcu(nb, side));
	nt_get(nb);
	nt_leave(provider);
	KUNIT_EXPECT_FALSE(test, may_call_rcu(nb, side));
}

struct rcu_caller {
	struct nt_binding *nb;
	enum nmr_side side;
	bool inside;
	bool leave;
};

static int rcu_caller_thread(void *arg)
{
	struct rcu_caller *caller = arg;
	bool may;

	rcu_read_lock();
	may = by_side_may_call_rcu(caller->side, caller->nb->b);
	WRITE_ONCE(caller->inside, true);
	nt_kick(caller->nb->nt);
	while (!READ_ONCE(caller->leave))
		cpu_relax();
	rcu_read_unlock();
	return may;
}

/* Let an RCU reader call, and expect detach to wait for its read-side section. */
static void detach_waits_for_rcu_readers(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct rcu_caller *caller = nt_zalloc(nt, sizeof(*caller));
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));
	struct nt_thread *thread;

	nt_needs_spinner(test);
	caller->nb = nb;
	caller->side = nt_param_side(test);
	thread = nt_spawn_spinner(nt, rcu_caller_thread, caller);
	nt_await(nt, READ_ONCE(caller->inside));
	nt_deregister(nb->party[NMR_PROVIDER]);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(nb->party[NMR_PROVIDER], HZ / 10), -ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_DETACH));
	WRITE_ONCE(caller->leave, true);
	KUNIT_EXPECT_EQ(test, nt_wait(nb->party[NMR_PROVIDER]), 0);
	KUNIT_EXPECT_EQ(test, nt_join(thread), true);
}

/* Enter several calls through one binding, and exit one by one. */
static void calls_nest(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));
	int i;

	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_TRUE(test, nt_enter(nb, side));
	for (i = 0; i < 2; i++)
		nt_exit(nb, side);
	nt_deregister(nb->party[NMR_PROVIDER]);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_FALSE(test, nt_enter(nb, side));
		nt_exit(nb, side);
	}
	nt_expect_draining(nb);
	nt_exit(nb, side);
	KUNIT_EXPECT_EQ(test, nt_wait(nb->party[NMR_PROVIDER]), 0);
}

static int call_back(struct nt_binding *nb, int ret)
{
	nt_check(nb->nt, nt_call(nb, NMR_PROVIDER));
	return ret;
}

static int call_forth_once(struct nt_binding *nb, int ret)
{
	if (nt_entered(nb->party[NMR_CLIENT], NT_C_OP) == 1)
		nt_check(nb->nt, nt_call(nb, NMR_CLIENT));
	return ret;
}

/* Call the peer, which calls back, which calls again. */
static void calls_may_call_back(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	provider->at[NT_P_OP].hook = call_back;
	client->at[NT_C_OP].hook = call_forth_once;
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_TRUE(test, nt_call(nb, NMR_CLIENT));
	KUNIT_EXPECT_EQ(test, nt_returned(provider, NT_P_OP), 2);
	KUNIT_EXPECT_EQ(test, nt_returned(client, NT_C_OP), 2);
	nt_leave(client);
}

/* Contexts in which calls may enter and exit */

static const enum nt_context contexts[] = {
	NT_TASK, NT_KTHREAD, NT_SOFTIRQ, NT_HARDIRQ, NT_RCU_CALLBACK, NT_RAW_LOCK,
};

KUNIT_ARRAY_PARAM(context, contexts, nt_context_desc);

static void try_both(void *arg)
{
	struct nt_binding *nb = arg;
	struct gates *gates = nb->party[NMR_CLIENT]->priv;
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++)
		gates->at[0][side] = nt_open(nb, side);
}

static void exit_both(void *arg)
{
	nt_exit(arg, NMR_CLIENT);
	nt_exit(arg, NMR_PROVIDER);
}

static void enter_both(void *arg)
{
	struct nt_binding *nb = arg;

	nt_check(nb->nt, nt_enter(nb, NMR_CLIENT));
	nt_check(nb->nt, nt_enter(nb, NMR_PROVIDER));
}

static void get_and_put(void *arg)
{
	struct nt_binding *nb = arg;

	nt_get(nb);
	nt_put(nb);
}

static void put_it(void *nb)
{
	nt_put(nb);
}

/* Enter and exit in each context, including the last exit and the last put. */
static void calls_in_any_context(struct kunit *test)
{
	enum nt_context context = *(const enum nt_context *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct gates *gates = nt_zalloc(nt, sizeof(*gates));
	struct nt_binding *nb;
	enum nmr_side side;

	client->priv = gates;
	nb = nt_pair(nt, client, provider);
	nt_run_in(nt, context, try_both, nb);
	for (side = 0; side < NMR_SIDES; side++)
		KUNIT_EXPECT_TRUE(test, gates->at[0][side]);
	nt_run_in(nt, context, enter_both, nb);
	nt_run_in(nt, context, get_and_put, nb);
	nt_deregister(provider);
	nt_run_in(nt, context, try_both, nb);
	for (side = 0; side < NMR_SIDES; side++)
		KUNIT_EXPECT_FALSE(test, gates->at[0][side]);
	nt_expect_draining(nb);
	nt_get(nb);
	nt_run_in(nt, context, exit_both, nb);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	nt_run_in(nt, context, put_it, nb);
}

static int note_cpu(struct nt_binding *nb, int ret)
{
	int *cpu = nb->party[NMR_CLIENT]->priv;

	*cpu = raw_smp_processor_id();
	return ret;
}

/* Exit the last call on an isolated CPU, and expect cleanup to run on another CPU. */
static void isolated_cpu_runs_no_callback(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	int isolated = nt_isolated_cpu();
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	int *cpu = nt_zalloc(nt, sizeof(*cpu));
	struct nt_binding *nb;

	if (isolated < 0)
		kunit_skip(test, "wants an isolated CPU");
	*cpu = isolated;
	client->priv = cpu;
	client->at[NT_C_CLEANUP].hook = note_cpu;
	nb = nt_pair(nt, client, nt_provider(nt));
	KUNIT_EXPECT_TRUE(test, nt_enter(nb, side));
	nt_deregister(client);
	nt_expect_draining(nb);
	nt_exit_on(nb, side, isolated);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_NE(test, *cpu, isolated);
}

/* Exits without an enter */

static void stray_exit_warns(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_binding *nb = nt_pair(nt, client, nt_provider(nt));

	/* Closing the gate finds the stray exit, and is not delayed by it. */
	nt_expect_warnings(nt);
	by_side_exit(side, nb->b);
	nt_leave(client);
	nt_expect_advice(nt, "call nmr_%s_call_exit() only if enter returned true",
			 nt_side_name(side));
}

static void stray_exit_of_a_closed_gate_warns(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;
	int i;

	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	nt_deregister(client);
	nt_expect_draining(nb);
	nt_expect_warnings(nt);
	for (i = 0; i < 2; i++)
		by_side_exit(side, nb->b);
	nt_expect_advice(nt, "call nmr_%s_call_exit() only if enter returned true",
			 nt_side_name(side));
	nt_complete(nb, NMR_PROVIDER);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* How long a binding may be used */

/* Keep references: they keep the object, delay no wait, and open no gate. */
static void reference_outlives_cleanup(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);

	nt_get(nb);
	nt_get(nb);
	nt_leave(client);
	nt_leave(provider);
	rcu_barrier();
	nt_put(nb);
	rcu_barrier();
	KUNIT_EXPECT_FALSE(test, nt_open(nb, NMR_CLIENT));
	KUNIT_EXPECT_FALSE(test, nt_open(nb, NMR_PROVIDER));
	KUNIT_EXPECT_EQ(test, nmr_binding_id(nb->b), nb->id);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), -EALREADY);
	KUNIT_EXPECT_PTR_EQ(test, nmr_binding_get(nb->b), nb->b);
	nmr_binding_put(nb->b);
	nt_put(nb);
}

static int take_reference(struct nt_binding *nb, int ret)
{
	nt_get(nb);
	return ret;
}

/* Take a reference in the attach callback of an offer that is then refused. */
static void reference_outlives_a_refusal(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->at[NT_C_ATTACH].hook = take_reference;
	provider->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(client);
	nt_join_npi(provider);
	nb = nt_find(nt, client, provider);
	nt_leave(client);
	nt_leave(provider);
	rcu_barrier();
	KUNIT_EXPECT_FALSE(test, nt_open(nb, NMR_CLIENT));
	KUNIT_EXPECT_FALSE(test, nt_open(nb, NMR_PROVIDER));
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), -EALREADY);
	nt_put(nb);
}

struct reader {
	struct nt_binding *nb;
	bool reading;
	int entered;
};

/* Try the gates long enough for KASAN to see a binding that is freed meanwhile. */
static void try_gates(struct reader *reader, unsigned long duration)
{
	unsigned long deadline = jiffies + duration;

	while (time_before(jiffies, deadline)) {
		reader->entered += nt_open(reader->nb, NMR_CLIENT);
		reader->entered += nt_open(reader->nb, NMR_PROVIDER);
	}
}

/*
 * Begin an RCU read-side section during the last cleanup callback. After the callback has
 * returned, try the gates and take a reference. KASAN reports a binding freed too early.
 */
static int read_past_cleanup(void *arg)
{
	struct reader *reader = arg;
	struct nt_binding *nb = reader->nb;
	unsigned long deadline = jiffies + NT_TIMEOUT;

	rcu_read_lock();
	WRITE_ONCE(reader->reading, true);
	nt_kick(nb->nt);
	while (!nt_has_left(nb, NT_P_CLEANUP) && time_before(jiffies, deadline))
		cpu_relax();
	/* Meanwhile a worker returns from the callback, and puts its reference. */
	try_gates(reader, HZ / 10 + NT_RELEASE_DELAY);
	/* A reference may still be taken. */
	nt_get(nb);
	rcu_read_unlock();
	synchronize_rcu();
	reader->entered += nt_open(nb, NMR_CLIENT);
	reader->entered += nt_open(nb, NMR_PROVIDER);
	nt_put(nb);
	return 0;
}

static void binding_lives_a_grace_period_more(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct reader *reader = nt_zalloc(nt, sizeof(*reader));
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;

	nt_needs_spinner(test);
	nt_hold(provider, NT_P_CLEANUP);
	reader->nb = nt_pair(nt, client, provider);
	nt_deregister(client);
	nt_deregister(provider);
	nt_await(nt, nt_entered(provider, NT_P_CLEANUP) == 1);
	thread = nt_spawn_spinner(nt, read_past_cleanup, reader);
	nt_await(nt, READ_ONCE(reader->reading));
	nt_release(provider, NT_P_CLEANUP);
	/* The reader does not delay the wait. */
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, reader->entered, 0);
}

static void binding_ids_are_never_issued_twice(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider;
	u64 id, last = 0;
	int i;

	nt_join_npi(client);
	for (i = 0; i < 16; i++) {
		provider = nt_provider(nt);
		id = nt_pair(nt, client, provider)->id;
		KUNIT_EXPECT_GT(test, id, last);
		last = id;
		if (i & 1)
			nt_leave(provider);
	}
}

/* Scoped calls */

#ifdef DEFINE_CLASS
/* Make scoped calls. Return: how many of their bodies ran. */
static int scoped_calls(struct nt_binding *nb)
{
	int calls = 0;

	scoped_nmr_client_call(nb->b)
		calls++;
	scoped_nmr_provider_call(nb->b)
		calls++;
	scoped_nmr_client_call(nb->b) {
		scoped_nmr_client_call(nb->b)
			return calls + 1;
	}
	return calls;
}

static int class_calls(struct nt_binding *nb)
{
	CLASS(nmr_client_call, down)(nb->b);
	CLASS(nmr_provider_call, up)(nb->b);

	return !!down + !!up;
}

/* Expect that scoped calls run their body if the gate is open, and always exit. */
static void scoped_calls_leave(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_binding *nb = nt_pair(nt, client, nt_provider(nt));

	nt_get(nb);
	KUNIT_EXPECT_EQ(test, scoped_calls(nb), 3);
	KUNIT_EXPECT_EQ(test, class_calls(nb), 2);
	nt_leave(client);
	KUNIT_EXPECT_EQ(test, scoped_calls(nb), 0);
	KUNIT_EXPECT_EQ(test, class_calls(nb), 0);
	nt_put(nb);
}

/* Deregister in the body of a scoped call, which is in flight while the body runs. */
static int scoped_body(void *arg)
{
	struct nt_binding *nb = arg;

	scoped_nmr_client_call(nb->b) {
		/* Without this, lockdep would rightly report the wait. */
		nmr_client_call_handover(nb->b);
		nt_deregister(nb->party[NMR_PROVIDER]);
		nt_check(nb->nt, nt_wait_until(nb->nt, nt_has_left(nb, NT_P_DETACH)));
		nt_check(nb->nt, nt_wait_timeout(nb->party[NMR_PROVIDER], HZ / 10) ==
			 -ETIMEDOUT);
		nt_check(nb->nt, !nt_was_at(nb, NT_C_CLEANUP));
	}
	return nt_wait(nb->party[NMR_PROVIDER]);
}

/* Let the gate close during a call, and the call exit before the counts have been taken. */
static void scoped_call_exits_before_the_grace_period(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *leaver = nt_party(nt, side);
	struct nt_binding *nb = nt_pair(nt, side == NMR_CLIENT ? leaver : nt_client(nt),
					side == NMR_CLIENT ? nt_provider(nt) : leaver);
	int err = 0, calls = -1;

	rcu_read_lock();
	scoped_nmr_client_call(nb->b) {
		scoped_nmr_provider_call(nb->b) {
			err = nt_deregister(leaver);
			calls = scoped_calls(nb);
		}
	}
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, err, -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, calls, 0);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
	KUNIT_EXPECT_EQ(test, nt_returned(leaver, NT_C_CLEANUP + side), 1);
}

static void scoped_call_is_in_flight(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));

	KUNIT_EXPECT_EQ(test, nt_join(nt_spawn(nt, scoped_body, nb)), 0);
}
#else
static void scoped_calls_leave(struct kunit *test)
{
	kunit_skip(test, "the kernel has no <linux/cleanup.h>");
}

static void scoped_call_exits_before_the_grace_period(struct kunit *test)
{
	kunit_skip(test, "the kernel has no <linux/cleanup.h>");
}

static void scoped_call_is_in_flight(struct kunit *test)
{
	kunit_skip(test, "the kernel has no <linux/cleanup.h>");
}
#endif

static struct kunit_case nmr_gate_cases[] = {
	KUNIT_CASE(gate_opens_when_the_callee_has_attached),
	KUNIT_CASE(gate_of_a_refused_binding_stays_shut),
	KUNIT_CASE_PARAM(deregister_closes_all_gates, nt_side_gen_params),
	KUNIT_CASE_PARAM(sleeping_calls_are_waited_for, nt_side_gen_params),
	KUNIT_CASE_PARAM(detach_binding_waits_for_calls, nt_side_gen_params),
	KUNIT_CASE_PARAM(gates_are_counted_apart, nt_side_gen_params),
	KUNIT_CASE_PARAM(calls_may_move_while_open, nt_side_gen_params),
	KUNIT_CASE_PARAM(calls_may_move_while_closing, nt_side_gen_params),
	KUNIT_CASE_PARAM(calls_may_move_while_closed, nt_side_gen_params),
	KUNIT_CASE_PARAM(rcu_readers_may_call, nt_side_gen_params),
	KUNIT_CASE_PARAM(detach_waits_for_rcu_readers, nt_side_gen_params),
	KUNIT_CASE_PARAM(calls_nest, nt_side_gen_params),
	KUNIT_CASE(calls_may_call_back),
	KUNIT_CASE_PARAM(calls_in_any_context, context_gen_params),
	KUNIT_CASE_PARAM(isolated_cpu_runs_no_callback, nt_side_gen_params),
	KUNIT_CASE_PARAM(stray_exit_warns, nt_side_gen_params),
	KUNIT_CASE_PARAM(stray_exit_of_a_closed_gate_warns, nt_side_gen_params),
	KUNIT_CASE(reference_outlives_cleanup),
	KUNIT_CASE(reference_outlives_a_refusal),
	KUNIT_CASE(binding_lives_a_grace_period_more),
	KUNIT_CASE(binding_ids_are_never_issued_twice),
	KUNIT_CASE(scoped_calls_leave),
	KUNIT_CASE_PARAM(scoped_call_exits_before_the_grace_period, nt_side_gen_params),
	KUNIT_CASE(scoped_call_is_in_flight),
	{}
};

static struct kunit_suite nmr_gate_suite = {
	.name = "nmr_gate",
	.init = nt_init,
	.test_cases = nmr_gate_cases,
};

kunit_test_suite(nmr_gate_suite);
