// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forced races: a case stops one party in the window, lets the other party move, and
 * checks the result. nmr_stress_test.c has the same races with threads that run freely.
 *
 * Most of these races were bugs of users of the Network Module Registrar of Windows, or
 * of their replacements for it. A comment that begins with "Bug:" says what went wrong.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>

#include "harness.h"

static bool shut(struct nt_binding *nb)
{
	return !nt_open(nb, NMR_CLIENT) && !nt_open(nb, NMR_PROVIDER);
}

/*
 * Register @early, then @late in a thread of its own, and stop their attach at @point.
 */
static struct nt_thread *stop_attach_at(struct nt *nt, struct nt_party *early,
					struct nt_party *late, enum nt_point point)
{
	struct nt_party *held = early->side == nt_side(point) ? early : late;
	struct nt_thread *thread;
	int visits;

	if (!early->registered)
		nt_join_npi(early);
	visits = nt_entered(held, point);
	nt_hold(held, point);
	thread = nt_spawn(nt, nt_register_thread, late);
	nt_await(nt, nt_entered(held, point) > visits);
	return thread;
}

/* Expect the end of a binding that attached. */
static void expect_detached(struct kunit *test, struct nt_binding *nb,
			    enum nmr_detach_reason reason)
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_C_DETACH + side));
		KUNIT_EXPECT_TRUE(test, nt_has_left(nb, NT_C_CLEANUP + side));
		KUNIT_EXPECT_EQ(test, nb->reason[side], reason);
	}
}

static void expect_untouched(struct kunit *test, struct nt_binding *nb,
			     enum nmr_side side)
{
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_DETACH + side));
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP + side));
}

/*
 * Wait until work has run that was queued before, without waiting for a grace period. An
 * offer is deferred, and made again on the workqueue.
 */
static void pass_workqueue(struct nt *nt)
{
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	int i;

	nt_move_to_new_npi(client, provider);
	client->at[NT_C_ATTACH].first = -EPROBE_DEFER;
	client->at[NT_C_ATTACH].nfirst = 4;
	nt_join_npi(client);
	nt_join_npi(provider);
	for (i = 2; i <= 4; i++) {
		KUNIT_ASSERT_EQ(nt->test, nt_reoffer(client), 0);
		nt_await(nt, nt_returned(client, NT_C_ATTACH) == i);
	}
}

/* Late deregistration */

struct late {
	enum nmr_side leaver;
	enum nmr_side registers;
	enum nt_point at;
};

static void late_desc(const struct late *late, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s leaves in %s, %s registers",
		 nt_side_name(late->leaver), nt_point_name(late->at),
		 nt_side_name(late->registers));
}

static const struct late lates[] = {
	{ NMR_CLIENT, NMR_CLIENT, NT_C_ATTACH },
	{ NMR_CLIENT, NMR_CLIENT, NT_P_ATTACH },
	{ NMR_CLIENT, NMR_CLIENT, NT_C_BOUND },
	{ NMR_CLIENT, NMR_CLIENT, NT_P_ATTACHED },
	{ NMR_CLIENT, NMR_PROVIDER, NT_C_ATTACH },
	{ NMR_CLIENT, NMR_PROVIDER, NT_P_ATTACH },
	{ NMR_CLIENT, NMR_PROVIDER, NT_C_BOUND },
	{ NMR_CLIENT, NMR_PROVIDER, NT_P_ATTACHED },
	{ NMR_PROVIDER, NMR_CLIENT, NT_C_ATTACH },
	{ NMR_PROVIDER, NMR_CLIENT, NT_P_ATTACH },
	{ NMR_PROVIDER, NMR_CLIENT, NT_C_BOUND },
	{ NMR_PROVIDER, NMR_CLIENT, NT_P_ATTACHED },
	{ NMR_PROVIDER, NMR_PROVIDER, NT_C_ATTACH },
	{ NMR_PROVIDER, NMR_PROVIDER, NT_P_ATTACH },
	{ NMR_PROVIDER, NMR_PROVIDER, NT_C_BOUND },
	{ NMR_PROVIDER, NMR_PROVIDER, NT_P_ATTACHED },
};

KUNIT_ARRAY_PARAM(late, lates, late_desc);

static void expect_late_end(struct kunit *test, struct nt_binding *nb,
			    const struct late *late)
{
	if (late->at == NT_C_ATTACH) {
		KUNIT_EXPECT_EQ(test, nb->answer, -ECANCELED);
		expect_untouched(test, nb, NMR_CLIENT);
		expect_untouched(test, nb, NMR_PROVIDER);
		return;
	}
	KUNIT_EXPECT_EQ(test, nb->answer, 0);
	expect_detached(test, nb, nt_reason_of(late->leaver));
	KUNIT_EXPECT_EQ(test, nt_was_at(nb, NT_P_ATTACHED),
			late->at == NT_P_ATTACHED);
}

/*
 * Deregister a side while an attach callback runs. Bug: the module took the binding for
 * one that was leaving, then made it ready, and never detached it. The wait hung.
 */
static void late_deregister_during_attach_detaches(struct kunit *test)
{
	const struct late *late = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_party *leaver = party[late->leaver];
	struct nt_thread *thread;
	struct nt_binding *nb;

	thread = stop_attach_at(nt, party[nt_peer(late->registers)],
				party[late->registers], late->at);
	nb = nt_find(nt, NULL, NULL);
	KUNIT_EXPECT_EQ(test, nt_deregister(leaver), -EINPROGRESS);
	KUNIT_EXPECT_TRUE(test, shut(nb));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(leaver, 1), -ETIMEDOUT);

	nt_release(party[nt_side(late->at)], late->at);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
	expect_late_end(test, nb, late);
	nt_leave(party[nt_peer(late->leaver)]);
}

/*
 * Deregister a side while an attach callback runs, which then fails. Bug: both paths tore
 * the binding down. The first reason must prevail.
 */
static void failed_attach_and_deregister_have_one_owner(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_party *leaver = party[nt_param_side(test)];
	struct nt_thread *thread;
	struct nt_binding *nb;

	party[NMR_CLIENT]->at[NT_C_BOUND].ret = -ENODEV;
	thread = stop_attach_at(nt, party[NMR_CLIENT], party[NMR_PROVIDER],
				NT_C_BOUND);
	nb = nt_find(nt, NULL, NULL);
	KUNIT_EXPECT_EQ(test, nt_deregister(leaver), -EINPROGRESS);
	nt_release(party[NMR_CLIENT], NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);

	expect_untouched(test, nb, NMR_CLIENT);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_PROVIDER], NT_P_DETACH), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_PROVIDER], NT_P_CLEANUP), 1);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], nt_reason_of(nt_param_side(test)));
}

/*
 * Fail the client's attach after its provider has attached. Bug: the provider was cleaned
 * up without a detach, and so was the client, which had freed its context.
 */
static void failed_attach_detaches_the_provider_alone(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	client->at[NT_C_BOUND].ret = -ENODEV;
	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	nt_join_npi(client);
	nt_join_npi(provider);
	nb = nt_find(nt, client, provider);
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == 1);
	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], NMR_DETACH_ATTACH_FAILED);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_CLEANUP), 0);
	nt_complete(nb, NMR_PROVIDER);
	nt_await(nt, nt_returned(provider, NT_P_CLEANUP) == 1);
	expect_untouched(test, nb, NMR_CLIENT);
}

static void refused_attach_ends_nothing(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	provider->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(client);
	nt_join_npi(provider);
	nt_leave(provider);
	nt_leave(client);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_ATTACH), 1);
	expect_untouched(test, nt_find(nt, client, provider), NMR_CLIENT);
	expect_untouched(test, nt_find(nt, client, provider), NMR_PROVIDER);
}

static int await_registered(struct nt_binding *nb, int ret)
{
	struct nt_party *party = nb->party[NMR_PROVIDER];

	nt_check(nb->nt, nt_wait_until(nb->nt, !READ_ONCE(party->registering)));
	return ret;
}

/* Deregister the client in its attach callback, which the provider's register call runs. */
static int leave(struct nt_binding *nb, int ret)
{
	nt_deregister(nb->party[NMR_CLIENT]);
	return ret;
}

/*
 * Deregister in an attach callback, with detach callbacks that wait for the register call.
 * Bug: the late detach ran on the stack of the register call, and waited for a lock that
 * the registering thread released only afterwards.
 */
static void detach_never_on_the_registering_stack(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	client->at[NT_C_BOUND].hook = leave;
	client->at[NT_C_DETACH].hook = await_registered;
	provider->at[NT_P_DETACH].hook = await_registered;
	nt_join_npi(client);
	nt_join_npi(provider);
	nt_kick(nt);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	expect_detached(test, nt_find(nt, client, provider),
			NMR_DETACH_CLIENT_DEREGISTERED);
}

static const enum nt_point attach_windows[] = {
	NT_P_ATTACH, NT_C_BOUND, NT_P_ATTACHED
};

KUNIT_ARRAY_PARAM(window, attach_windows, nt_point_desc);

/*
 * Deregister both sides while an attach callback runs: detach waits for it to return. Bug:
 * detach cleared a pointer, and attach, still running, set it again.
 */
static void detach_waits_for_attach_to_return(struct kunit *test)
{
	enum nt_point window = *(const enum nt_point *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_thread *thread;
	struct nt_binding *nb;

	thread = stop_attach_at(nt, party[NMR_CLIENT], party[NMR_PROVIDER], window);
	nb = nt_find(nt, NULL, NULL);
	KUNIT_EXPECT_EQ(test, nt_deregister(party[NMR_PROVIDER]), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, nt_deregister(party[NMR_CLIENT]), -EINPROGRESS);
	nt_settle(nt);
	expect_untouched(test, nb, NMR_CLIENT);
	expect_untouched(test, nb, NMR_PROVIDER);
	nt_release(party[nt_side(window)], window);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(party[NMR_CLIENT]), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(party[NMR_PROVIDER]), 0);
	expect_detached(test, nb, NMR_DETACH_PROVIDER_DEREGISTERED);
}

/* Deregister both sides while detach runs: one detach, one reason. */
static void both_ends_deregister_at_once(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	enum nmr_side first = nt_param_side(test);
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);

	nt_hold(party[NMR_CLIENT], NT_C_DETACH);
	KUNIT_EXPECT_EQ(test, nt_deregister(party[first]), -EINPROGRESS);
	nt_await(nt, nt_entered(party[NMR_CLIENT], NT_C_DETACH) == 1);
	KUNIT_EXPECT_EQ(test, nt_deregister(party[nt_peer(first)]), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party[first], 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party[nt_peer(first)], 1), -ETIMEDOUT);
	nt_release(party[NMR_CLIENT], NT_C_DETACH);
	KUNIT_EXPECT_EQ(test, nt_wait(party[nt_peer(first)]), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(party[first]), 0);
	expect_detached(test, nb, nt_reason_of(first));
}

/* Gates */

struct caller {
	struct nt_binding *nb;
	enum nmr_side side;
	int before;
	bool stop;
};

/* Call without pause, with the callee checking each call. */
static int call_until_told(void *arg)
{
	struct caller *caller = arg;

	while (!READ_ONCE(caller->stop) && !READ_ONCE(caller->nb->nt->stopping)) {
		nt_call(caller->nb, caller->side);
		cond_resched();
	}
	return 0;
}

static struct caller *begin_calls(struct nt_binding *nb, enum nmr_side side)
{
	struct caller *caller = nt_zalloc(nb->nt, sizeof(*caller));

	caller->nb = nb;
	caller->side = side;
	nt_spawn(nb->nt, call_until_told, caller);
	return caller;
}

/*
 * Call before attach has succeeded. Bug: the data path was open too early, so that calls
 * met a callee that was not ready, and continued after the attach had been refused.
 */
static void no_call_before_attach_succeeds(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;
	struct nt_binding *nb;

	nt_hold(client, NT_C_BOUND);
	nt_hold(provider, NT_P_ATTACHED);
	thread = stop_attach_at(nt, client, provider, NT_P_ATTACH);
	nb = nt_find(nt, client, provider);
	nt_get(nb);
	begin_calls(nb, NMR_CLIENT);
	begin_calls(nb, NMR_PROVIDER);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_OP), 0);

	nt_release(provider, NT_P_ATTACH);
	nt_await(nt, nt_entered(client, NT_C_BOUND));
	nt_await(nt, nt_entered(provider, NT_P_OP) > 1);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_OP), 0);

	nt_release(client, NT_C_BOUND);
	nt_await(nt, nt_entered(client, NT_C_OP) > 1);
	nt_release(provider, NT_P_ATTACHED);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
}

/* Call while an attach is refused: no gate opens. */
static void no_call_after_a_refusal(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;
	struct nt_binding *nb;

	nt_hold(client, NT_C_BOUND);
	provider->at[NT_P_ATTACH].ret = -ENODEV;
	thread = stop_attach_at(nt, client, provider, NT_P_ATTACH);
	nb = nt_find(nt, client, provider);
	nt_get(nb);
	begin_calls(nb, NMR_CLIENT);
	begin_calls(nb, NMR_PROVIDER);
	nt_release(provider, NT_P_ATTACH);
	nt_await(nt, nt_entered(client, NT_C_BOUND));
	nt_settle(nt);
	nt_release(client, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(provider, NT_P_OP), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_OP), 0);
}

static int expect_shut_thread(void *arg)
{
	struct nt_binding *nb = arg;

	nt_check(nb->nt, shut(nb));
	return 0;
}

/*
 * Call on all CPUs while a side deregisters: the gates are closed on all CPUs before the
 * deregister call returns, so that the side can clear its pointer afterwards. Bug: a side
 * cleared its pointer before it deregistered, and calls in between failed.
 */
static void gates_close_before_deregister_returns(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);
	int cpu;

	nt_get(nb);
	begin_calls(nb, NMR_CLIENT);
	begin_calls(nb, NMR_PROVIDER);
	nt_await(nt, nt_entered(party[NMR_CLIENT], NT_C_OP) > 1);
	nt_await(nt, nt_entered(party[NMR_PROVIDER], NT_P_OP) > 1);
	KUNIT_EXPECT_EQ(test, nt_deregister(party[nt_param_side(test)]), -EINPROGRESS);
	KUNIT_EXPECT_TRUE(test, shut(nb));
	for_each_online_cpu(cpu)
		nt_join(nt_spawn_on(nt, cpu, expect_shut_thread, nb));
	KUNIT_EXPECT_EQ(test, nt_wait(party[nt_param_side(test)]), 0);
	KUNIT_EXPECT_TRUE(test, shut(nb));
}

struct reader {
	struct nt_binding *nb;
	bool ready;
	bool done;
	unsigned long until;
};

/* Spin as an RCU reader with a pointer to a binding, as if preempted while entering. */
static void read_until_done(struct reader *reader)
{
	WRITE_ONCE(reader->ready, true);
	nt_kick(reader->nb->nt);
	while (!READ_ONCE(reader->done) && !READ_ONCE(reader->nb->nt->stopping) &&
	       time_before(jiffies, reader->until))
		cpu_relax();
}

static int reader_thread(void *arg)
{
	struct reader *reader = arg;

	rcu_read_lock();
	read_until_done(reader);
	rcu_read_unlock();
	return 0;
}

static struct reader *reader_of(struct nt_binding *nb, unsigned long duration)
{
	struct reader *reader = nt_zalloc(nb->nt, sizeof(*reader));

	reader->nb = nb;
	reader->until = jiffies + duration;
	return reader;
}

/*
 * Deregister while an RCU reader runs: a grace period passes between close and detach. A
 * caller that has seen the gate open may be about to enter.
 */
static void detach_awaits_a_grace_period(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	struct reader *reader = reader_of(nb, NT_TIMEOUT);
	struct nt_thread *thread;

	nt_needs_spinner(test);
	thread = nt_spawn_spinner(nt, reader_thread, reader);
	nt_await(nt, READ_ONCE(reader->ready));
	KUNIT_EXPECT_EQ(test, nt_deregister(client), -EINPROGRESS);
	pass_workqueue(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_DETACH), 0);
	WRITE_ONCE(reader->done, true);
	nt_join(thread);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	expect_detached(test, nb, NMR_DETACH_CLIENT_DEREGISTERED);
}

/* Use a binding in the last grace period, and then by a reference. */
static int last_reader_thread(void *arg)
{
	struct reader *reader = arg;
	struct nt_binding *nb = reader->nb;

	rcu_read_lock();
	read_until_done(reader);
	nt_check(nb->nt, shut(nb));
	nmr_binding_get(nb->b);
	rcu_read_unlock();
	synchronize_rcu();
	synchronize_rcu();
	nt_check(nb->nt, shut(nb));
	nt_check(nb->nt, nmr_binding_id(nb->b) == nb->id);
	nmr_binding_put(nb->b);
	return 0;
}

/*
 * Use a binding in the grace period after cleanup: entering fails, and a reference may
 * still be taken. The wait may end before the reader, but need not, so the reader has a
 * bound.
 */
static void binding_outlives_cleanup_by_a_grace_period(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	struct reader *reader;
	struct nt_thread *thread;

	nt_needs_spinner(test);
	nt_hold(provider, NT_P_CLEANUP);
	KUNIT_EXPECT_EQ(test, nt_deregister(client), -EINPROGRESS);
	nt_await(nt, nt_entered(provider, NT_P_CLEANUP) == 1);
	reader = reader_of(nb, 2 * HZ);
	thread = nt_spawn_spinner(nt, last_reader_thread, reader);
	nt_await(nt, READ_ONCE(reader->ready));
	nt_release(provider, NT_P_CLEANUP);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	nt_leave(provider);
	WRITE_ONCE(reader->done, true);
	nt_join(thread);
}

/* Enter a call of each side. */
static void enter_both_on(struct nt_binding *nb, int cpu)
{
	nt_check(nb->nt, nt_enter_on(nb, NMR_CLIENT, cpu));
	nt_check(nb->nt, nt_enter_on(nb, NMR_PROVIDER, cpu));
}

static void exit_both_on(struct nt_binding *nb, int cpu)
{
	nt_exit_on(nb, NMR_CLIENT, cpu);
	nt_exit_on(nb, NMR_PROVIDER, cpu);
}

/* Exit calls on another CPU than they entered on. Bug: such calls were not counted. */
static void calls_that_move_are_counted(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	int cpu;

	if (num_online_cpus() < 2)
		kunit_skip(test, "wants two CPUs");
	for_each_online_cpu(cpu)
		enter_both_on(nb, cpu);
	/* One CPU exits all calls but one, some before the close and some after it. */
	cpu = cpumask_first(cpu_online_mask);
	exit_both_on(nb, cpu);
	KUNIT_EXPECT_EQ(test, nt_deregister(client), -EINPROGRESS);
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == 1);
	while (atomic_read(&nb->kept[NMR_CLIENT]) > 1)
		exit_both_on(nb, cpu);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_CLEANUP), 0);
	exit_both_on(nb, cpu);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* Completion and cleanup */

/* Conditions that cleanup waits for. */
enum holder { CLIENT_CALL, PROVIDER_CALL, CLIENT_PENDING, PROVIDER_PENDING, HOLDERS };

static const enum holder holders[] = {
	CLIENT_CALL, PROVIDER_CALL, CLIENT_PENDING, PROVIDER_PENDING
};

static void holder_desc(const enum holder *holder, char *desc)
{
	static const char * const names[HOLDERS] = {
		"a call of the client is the last", "a call of the provider is the last",
		"the client is the last", "the provider is the last",
	};

	strscpy(desc, names[*holder], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(holder, holders, holder_desc);

static void let_go(struct nt_binding *nb, enum holder holder)
{
	switch (holder) {
	case CLIENT_CALL:
		nt_exit(nb, NMR_CLIENT);
		break;
	case PROVIDER_CALL:
		nt_exit(nb, NMR_PROVIDER);
		break;
	case CLIENT_PENDING:
		nt_complete(nb, NMR_CLIENT);
		break;
	default:
		nt_complete(nb, NMR_PROVIDER);
		break;
	}
}

/* Meet all four conditions of cleanup. Bug: detach freed contexts that the peer used. */
static void cleanup_waits_for_the_last_of_four(struct kunit *test)
{
	enum holder holder, last = *(const enum holder *)test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);

	client->at[NT_C_DETACH].ret = -EINPROGRESS;
	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_CLIENT));
	KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_PROVIDER));
	KUNIT_EXPECT_EQ(test, nt_deregister(provider), -EINPROGRESS);
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == 1);
	for (holder = 0; holder < HOLDERS; holder++) {
		if (holder != last)
			let_go(nb, holder);
	}
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_P_CLEANUP));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 1), -ETIMEDOUT);
	let_go(nb, last);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	expect_detached(test, nb, NMR_DETACH_PROVIDER_DEREGISTERED);
}

static int complete_inside(struct nt_binding *nb, int ret)
{
	enum nmr_side side = nt_was_at(nb, NT_P_DETACH) ? NMR_PROVIDER : NMR_CLIENT;

	nt_complete(nb, side);
	return -EINPROGRESS;
}

/*
 * Complete in the own detach callback, which then returns -EINPROGRESS, as if the callback
 * put the last reference of its side.
 */
static void complete_inside_detach(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);

	party[side]->at[NT_C_DETACH + side].hook = complete_inside;
	nt_leave(party[NMR_CLIENT]);
	expect_detached(test, nb, NMR_DETACH_CLIENT_DEREGISTERED);
}

/* Complete in another thread before the detach callback returns. */
static void complete_overtakes_detach(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);

	party[side]->at[NT_C_DETACH + side].ret = -EINPROGRESS;
	nt_hold(party[side], NT_C_DETACH + side);
	KUNIT_EXPECT_EQ(test, nt_deregister(party[NMR_CLIENT]), -EINPROGRESS);
	nt_await(nt, nt_entered(party[side], NT_C_DETACH + side) == 1);
	nt_complete(nb, side);
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_CLEANUP));
	nt_release(party[side], NT_C_DETACH + side);
	KUNIT_EXPECT_EQ(test, nt_wait(party[NMR_CLIENT]), 0);
	expect_detached(test, nb, NMR_DETACH_CLIENT_DEREGISTERED);
}

/* Complete both sides before the callback returns. Bug: the binding was cleaned up twice. */
static void complete_of_both_sides_cleans_once(struct kunit *test)
{
	enum nmr_side first = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);

	party[NMR_CLIENT]->at[NT_C_DETACH].ret = -EINPROGRESS;
	party[NMR_PROVIDER]->at[NT_P_DETACH].ret = -EINPROGRESS;
	nt_hold(party[NMR_PROVIDER], NT_P_DETACH);
	KUNIT_EXPECT_EQ(test, nt_deregister(party[NMR_PROVIDER]), -EINPROGRESS);
	nt_await(nt, nt_entered(party[NMR_PROVIDER], NT_P_DETACH) == 1);
	nt_complete(nb, first);
	nt_complete(nb, nt_peer(first));
	nt_release(party[NMR_PROVIDER], NT_P_DETACH);
	KUNIT_EXPECT_EQ(test, nt_wait(party[NMR_PROVIDER]), 0);
	nt_settle(nt);
	expect_detached(test, nb, NMR_DETACH_PROVIDER_DEREGISTERED);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_CLIENT], NT_C_CLEANUP), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_PROVIDER], NT_P_CLEANUP), 1);
}

static void leave_in_softirq(void *arg)
{
	struct nt_binding *nb = arg;

	nt_check(nb->nt, nt_deregister(nb->party[NMR_PROVIDER]) == -EINPROGRESS);
}

static void end_in_hardirq(void *arg)
{
	struct nt_binding *nb = arg;

	nt_exit(nb, NMR_CLIENT);
	nt_complete(nb, NMR_PROVIDER);
}

static int sleep_a_moment(struct nt_binding *nb, int ret)
{
	msleep(20);
	return ret;
}

/*
 * Deregister, exit and complete in interrupts, with callbacks that sleep. Bug: detach ran
 * in the context of deregister, and took sleeping locks there.
 */
static void interrupts_lead_to_callbacks_that_sleep(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	enum nt_point point;

	for (point = NT_C_DETACH; point <= NT_P_CLEANUP; point++) {
		client->at[point].hook = sleep_a_moment;
		provider->at[point].hook = sleep_a_moment;
	}
	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_CLIENT));
	nt_run_in(nt, NT_SOFTIRQ, leave_in_softirq, nb);
	nt_await(nt, nt_returned(provider, NT_P_DETACH) == 1);
	nt_run_in(nt, NT_HARDIRQ, end_in_hardirq, nb);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	expect_detached(test, nb, NMR_DETACH_PROVIDER_DEREGISTERED);
}

/* Waits */

/* Wait in many tasks, some with a timeout. Bug: two modules waited for each other. */
static void many_wait_and_some_give_up(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);
	struct nt_thread *thread[8];
	int i;

	party[NMR_PROVIDER]->at[NT_P_DETACH].ret = -EINPROGRESS;
	KUNIT_EXPECT_EQ(test, nt_deregister(party[side]), -EINPROGRESS);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = nt_spawn_on(nt, i % num_online_cpus(), nt_wait_thread,
					party[side]);
	nt_await(nt, nt_returned(party[NMR_PROVIDER], NT_P_DETACH) == 1);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party[side], 0), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party[side], 2), -ETIMEDOUT);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_FALSE(test, nt_finished(thread[i]));
	nt_complete(nb, NMR_PROVIDER);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, nt_join(thread[i]), 0);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party[side], 0), 0);
}

/* Register anew before the old registration has drained. Bug: the new one failed. */
static void registers_again_while_the_old_one_drains(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *stays = nt_party(nt, nt_peer(side));
	struct nt_party *old = nt_party(nt, side), *new = nt_party(nt, side);
	struct nt_binding *nb;

	guid_copy(&new->module_id, &old->module_id);
	new->number = 1;
	nt_join_npi(stays);
	nt_join_npi(old);
	nb = nt_find(nt, NULL, NULL);
	KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_CLIENT));
	KUNIT_EXPECT_EQ(test, nt_deregister(old), -EINPROGRESS);
	nt_join_npi(new);
	KUNIT_EXPECT_PTR_NE(test, nb, nt_find(nt, NULL, NULL));
	KUNIT_EXPECT_TRUE(test, nt_call(nt_find(nt, NULL, NULL), NMR_CLIENT));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(old, 0), -ETIMEDOUT);
	nt_exit(nb, NMR_CLIENT);
	KUNIT_EXPECT_EQ(test, nt_wait(old), 0);
	KUNIT_EXPECT_TRUE(test, nt_call(nt_find(nt, NULL, NULL), NMR_PROVIDER));
	nt_leave(new);
}

/* Wait for a binding. Bug: a failed attach woke the wait, or the wakeup came before it. */
static void wait_for_binding_loses_no_attach(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *refuses = nt_provider(nt), *attaches = nt_provider(nt);
	struct nt_thread *waiter, *thread;

	refuses->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(refuses);
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 0),
			-ETIMEDOUT);
	thread = stop_attach_at(nt, client, attaches, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 1),
			-ETIMEDOUT);
	waiter = nt_spawn(nt, nt_wait_for_binding_thread, client);
	nt_release(client, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_join(waiter), 0);
	/* A wait that begins after the event returns 0 at once. */
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 0), 0);
	nt_leave(attaches);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, 0),
			-ETIMEDOUT);
}

/* Slots */

/* Hold each step of a detach of a full client. Bug: its slot came free early, or never. */
static void slot_comes_free_at_cleanup(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);
	struct nt_binding *nb;

	client->max_bindings = 1;
	nt_hold(first, NT_P_CLEANUP);
	nb = nt_pair(nt, client, first);
	nt_join_npi(second);
	KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_CLIENT));
	KUNIT_EXPECT_EQ(test, nt_deregister(first), -EINPROGRESS);
	nt_await(nt, nt_returned(first, NT_P_DETACH) == 1);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	nt_exit(nb, NMR_CLIENT);
	nt_await(nt, nt_entered(first, NT_P_CLEANUP) == 1);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	nt_release(first, NT_P_CLEANUP);
	nt_await(nt, nt_returned(client, NT_C_ATTACH) == 2);
	KUNIT_EXPECT_NOT_NULL(test, nt_find(nt, client, second));
}

/*
 * Register a second provider while the only slot of a client is taken by an offer that will
 * fail: it is offered afterwards. Bug: the client refused the second provider itself, and
 * freed memory that the first one used.
 */
static void two_providers_race_for_one_slot(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *first = nt_provider(nt), *second = nt_provider(nt);
	struct nt_thread *thread;

	client->max_bindings = 1;
	client->at[NT_C_BOUND].first = -ENODEV;
	client->at[NT_C_BOUND].nfirst = 1;
	thread = stop_attach_at(nt, client, first, NT_C_BOUND);
	nt_join_npi(second);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	nt_hold(first, NT_P_CLEANUP);
	nt_release(client, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	/* The failed binding keeps its slot until the provider is cleaned up. */
	nt_await(nt, nt_entered(first, NT_P_CLEANUP) == 1);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	nt_release(first, NT_P_CLEANUP);
	nt_await(nt, nt_returned(client, NT_C_ATTACH) == 2);
	KUNIT_EXPECT_NOT_NULL(test, nt_find(nt, client, second));
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 2);
}

/*
 * Free the slot of a client while a register call walks over the clients, and has passed
 * that client or not: the offer is made once.
 */
static void slot_comes_free_while_register_walks(struct kunit *test)
{
	bool passed = nt_param_side(test) == NMR_CLIENT;
	struct nt *nt = test->priv;
	struct nt_party *holder = nt_provider(nt), *walker = nt_provider(nt);
	struct nt_party *full = nt_client(nt), *stop = nt_client(nt);
	struct nt_thread *thread;

	full->max_bindings = 1;
	if (passed)
		nt_join_npi(full);
	nt_join_npi(stop);
	if (!passed)
		nt_join_npi(full);
	nt_join_npi(holder);
	thread = stop_attach_at(nt, stop, walker, NT_C_BOUND);
	KUNIT_EXPECT_NULL(test, nt_find(nt, full, walker));
	nt_leave(holder);
	if (passed)
		nt_await(nt, nt_find(nt, full, walker));
	nt_settle(nt);
	nt_release(stop, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_await(nt, nt_find(nt, full, walker));
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(full, NT_C_ATTACH), 2);
}

/* Offers */

/* Let two register calls overlap: the later one makes its offers while the first runs. */
static void overlapping_registers_offer_once(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	enum nt_point window = side == NMR_CLIENT ? NT_P_ATTACH : NT_C_BOUND;
	struct nt *nt = test->priv;
	struct nt_party *earlier = nt_party(nt, nt_peer(side));
	struct nt_party *first = nt_party(nt, side), *second = nt_party(nt, nt_peer(side));
	struct nt_thread *thread;
	struct nt_binding *nb;

	thread = stop_attach_at(nt, earlier, first, window);
	nt_join_npi(second);
	nb = nt_find(nt, NULL, NULL);
	KUNIT_EXPECT_PTR_EQ(test, nb->party[side], first);
	KUNIT_EXPECT_PTR_EQ(test, nb->party[nt_peer(side)], second);
	KUNIT_EXPECT_PTR_EQ(test, nb->attacher, current);
	KUNIT_EXPECT_TRUE(test, nt_call(nb, NMR_CLIENT));
	nt_release(earlier, window);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(first, NT_C_ATTACH + side), 2);
	KUNIT_EXPECT_EQ(test, nt_entered(second, NT_C_ATTACH + nt_peer(side)), 1);
}

#define SLEEPERS	32

/*
 * Keep the workqueue of callbacks busy with the detach callbacks of @clients, which sleep
 * until the test releases them.
 */
static void put_to_sleep(struct nt *nt, struct nt_party **clients, unsigned int n)
{
	struct nt_party *provider = nt_provider(nt);
	unsigned int i;

	guid_gen(&provider->npi_id);
	nt_join_npi(provider);
	for (i = 0; i < n; i++) {
		clients[i] = nt_client(nt);
		guid_copy(&clients[i]->npi_id, &provider->npi_id);
		nt_hold(clients[i], NT_C_DETACH);
		nt_join_npi(clients[i]);
	}
	KUNIT_EXPECT_EQ(nt->test, nt_deregister(provider), -EINPROGRESS);
	for (i = 0; i < n; i++)
		nt_await(nt, nt_entered(clients[i], NT_C_DETACH) == 1);
}

static void wake_up_clients(struct nt_party **clients, unsigned int n)
{
	while (n--)
		nt_release(clients[n], NT_C_DETACH);
}

/* Let many detach callbacks sleep. Bug: one slow peer delayed all others. */
static void sleeping_callbacks_delay_no_other(struct kunit *test)
{
	struct nt *nt = test->priv;
	unsigned int n = SLEEPERS;
	struct nt_party **clients = nt_zalloc(nt, n * sizeof(*clients));
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	nt_pair(nt, client, provider);
	put_to_sleep(nt, clients, n);
	nt_leave(provider);
	nt_settle(nt);
	nt_leave(client);
	wake_up_clients(clients, n);
}

/* Events that make a deferred pair due. */
enum event {
	CLIENT_REOFFER, PROVIDER_REOFFER, PROVIDER_ARRIVES, CLIENT_CLEANUP,
	PROVIDER_CLEANUP
};

static const enum event events[] = {
	CLIENT_REOFFER, PROVIDER_REOFFER, PROVIDER_ARRIVES, CLIENT_CLEANUP,
	PROVIDER_CLEANUP
};

static void event_desc(const enum event *event, char *desc)
{
	static const char * const names[] = {
		[CLIENT_REOFFER]   = "client reoffers",
		[PROVIDER_REOFFER] = "provider reoffers",
		[PROVIDER_ARRIVES] = "another provider arrives",
		[CLIENT_CLEANUP]   = "another binding of the client ends",
		[PROVIDER_CLEANUP] = "another binding of the provider ends",
	};

	strscpy(desc, names[*event], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(event, events, event_desc);

/*
 * A pair, and the other parties that the two are bound to. The provider's attach callback
 * holds the first offer of the pair until @go, and then defers it.
 */
struct deferring {
	struct nt_party *client;
	struct nt_party *provider;
	struct nt_party *other[NMR_SIDES];
	bool asked;
	bool go;
};

static int defer_first_offer(struct nt_binding *nb, int ret)
{
	struct deferring *d = nb->party[NMR_PROVIDER]->priv;

	if (nb->party[NMR_CLIENT] != d->client || d->asked)
		return ret;
	WRITE_ONCE(d->asked, true);
	nt_kick(nb->nt);
	nt_check(nb->nt, nt_wait_until(nb->nt, READ_ONCE(d->go)));
	return -EPROBE_DEFER;
}

static struct deferring *deferring_pair(struct nt *nt)
{
	struct deferring *d = nt_zalloc(nt, sizeof(*d));

	d->client = nt_client(nt);
	d->provider = nt_provider(nt);
	d->other[NMR_CLIENT] = nt_client(nt);
	d->other[NMR_PROVIDER] = nt_provider(nt);
	d->provider->priv = d;
	d->provider->at[NT_P_ATTACH].hook = defer_first_offer;
	/* The order makes the provider attach to the other client first. */
	nt_join_npi(d->other[NMR_CLIENT]);
	nt_join_npi(d->other[NMR_PROVIDER]);
	nt_join_npi(d->client);
	return d;
}

static void go(struct deferring *d)
{
	WRITE_ONCE(d->go, true);
	nt_kick(d->client->nt);
}

static void cause(struct deferring *d, enum event event)
{
	struct nt *nt = d->client->nt;

	switch (event) {
	case CLIENT_REOFFER:
		KUNIT_EXPECT_EQ(nt->test, nt_reoffer(d->client), 0);
		break;
	case PROVIDER_REOFFER:
		KUNIT_EXPECT_EQ(nt->test, nt_reoffer(d->provider), 0);
		break;
	case PROVIDER_ARRIVES:
		nt_join_npi(nt_provider(nt));
		break;
	case CLIENT_CLEANUP:
		nt_leave(d->other[NMR_PROVIDER]);
		break;
	case PROVIDER_CLEANUP:
		nt_leave(d->other[NMR_CLIENT]);
		break;
	}
}

static int offers(struct deferring *d)
{
	return nt_offers(d->client, d->provider);
}

/*
 * Let an event happen after the provider has decided to defer, and before the registrar
 * knows: the event is not lost, and counts once.
 */
static void event_between_offer_and_outcome_counts(struct kunit *test)
{
	enum event event = *(const enum event *)test->param_value;
	struct nt *nt = test->priv;
	struct deferring *d = deferring_pair(nt);
	struct nt_thread *thread = nt_spawn(nt, nt_register_thread, d->provider);

	nt_await(nt, READ_ONCE(d->asked));
	cause(d, event);
	go(d);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_await(nt, offers(d) == 2);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, offers(d), 2);
}

/* Defer without an event in between: the failure itself is no event. */
static void deferring_is_no_event(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct deferring *d = deferring_pair(nt);

	go(d);
	nt_join_npi(d->provider);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, offers(d), 1);
	nt_reoffer(d->provider);
	nt_await(nt, offers(d) == 2);
}

/* Let an event happen before the pair's last binding is cleaned up: it is remembered. */
static void event_before_cleanup_is_remembered(struct kunit *test)
{
	enum event event = *(const enum event *)test->param_value;
	struct nt *nt = test->priv;
	struct deferring *d = deferring_pair(nt);
	struct nt_binding *nb;

	d->provider->at[NT_P_ATTACH].hook = NULL;
	nt_join_npi(d->provider);
	nb = nt_find(nt, d->client, d->provider);
	KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_CLIENT));
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), 0);
	cause(d, event);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, offers(d), 1);
	nt_exit(nb, NMR_CLIENT);
	nt_await(nt, offers(d) == 2);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, offers(d), 2);
}

/* Fall back, and expect that the end of the own binding is no event. */
static void own_cleanup_is_no_event(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);

	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), 0);
	nt_await(nt, nt_returned(provider, NT_P_CLEANUP) == 1);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	nt_reoffer(client);
	nt_await(nt, nt_entered(client, NT_C_ATTACH) == 2);
}

/*
 * Let an event happen while the only slot of the client is taken by an offer that will
 * fail. The failure is no event, and the registrar offers the pair for the earlier one.
 */
static void event_that_finds_the_client_full_is_remembered(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *deferred = nt_provider(nt), *blocker = nt_provider(nt);
	struct nt_thread *thread;
	int n;

	client->max_bindings = 1;
	deferred->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	blocker->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(client);
	nt_join_npi(deferred);
	thread = stop_attach_at(nt, client, blocker, NT_P_ATTACH);
	nt_settle(nt);
	n = nt_entered(deferred, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_reoffer(deferred), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(deferred, NT_P_ATTACH), n);
	nt_release(blocker, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_await(nt, nt_returned(deferred, NT_P_ATTACH) == n + 1);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(deferred, NT_P_ATTACH), n + 1);
}

/* Let the attach callback of a re-offer sleep: other re-offers are not delayed. */
static void slow_attach_delays_no_reoffer(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_party *slow = nt_provider(nt), *fast = nt_provider(nt);

	slow->at[NT_P_ATTACH].first = -EPROBE_DEFER;
	slow->at[NT_P_ATTACH].nfirst = 1;
	fast->at[NT_P_ATTACH].first = -EPROBE_DEFER;
	fast->at[NT_P_ATTACH].nfirst = 1;
	nt_join_npi(slow);
	nt_join_npi(fast);
	nt_join_npi(client);
	nt_hold(slow, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	nt_await(nt, nt_entered(slow, NT_P_ATTACH) == 2);
	nt_await(nt, nt_returned(fast, NT_P_ATTACH) == 2);
	KUNIT_EXPECT_EQ(test, nt_returned(slow, NT_P_ATTACH), 1);
}

/* nmr_detach_binding() */

struct early_detach {
	enum nmr_detach_reason reason;
	int outcome;
	int offers;
};

static const struct early_detach early_detaches[] = {
	{ NMR_DETACH_FALLBACK, 0, 2 },
	{ NMR_DETACH_FALLBACK, -EPROBE_DEFER, 2 },
	{ NMR_DETACH_FALLBACK, -ENODEV, 1 },
	{ NMR_DETACH_ABORT, 0, 1 },
	{ NMR_DETACH_ABORT, -EPROBE_DEFER, 1 },
	{ NMR_DETACH_ABORT, -ENODEV, 1 },
};

static void early_desc(const struct early_detach *early, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, then the attach returns %d",
		 early->reason == NMR_DETACH_ABORT ? "abort" : "fallback",
		 early->outcome);
}

KUNIT_ARRAY_PARAM(early, early_detaches, early_desc);

/*
 * Detach a binding before it has attached. The provider is still asked, and no gate opens.
 * The outcome decides whether the pair is offered again.
 */
static void detach_binding_during_attach(struct kunit *test)
{
	const struct early_detach *early = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;
	struct nt_binding *nb;

	client->at[NT_C_BOUND].first = early->outcome;
	client->at[NT_C_BOUND].nfirst = 1;
	nt_hold(client, NT_C_BOUND);
	thread = stop_attach_at(nt, client, provider, NT_C_ATTACH);
	nb = nt_find(nt, client, provider);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, early->reason), 0);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), -EALREADY);
	nt_release(client, NT_C_ATTACH);
	nt_await(nt, nt_entered(client, NT_C_BOUND) == 1);
	KUNIT_EXPECT_EQ(test, nb->answer, 0);
	KUNIT_EXPECT_TRUE(test, shut(nb));
	nt_release(client, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_await(nt, nt_returned(provider, NT_P_CLEANUP) == 1);

	KUNIT_EXPECT_EQ(test, nb->reason[NMR_PROVIDER], early->reason);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_P_ATTACHED));
	if (early->outcome)
		expect_untouched(test, nb, NMR_CLIENT);
	else
		expect_detached(test, nb, early->reason);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	if (early->offers > 1)
		nt_await(nt, nt_entered(client, NT_C_ATTACH) == early->offers);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), early->offers);
}

/* Detach a binding that the provider then refuses: no detach callback runs. */
static void detach_binding_then_refused(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;
	struct nt_binding *nb;

	provider->at[NT_P_ATTACH].ret = -ENODEV;
	thread = stop_attach_at(nt, client, provider, NT_P_ATTACH);
	nb = nt_find(nt, client, provider);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), 0);
	nt_release(provider, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_leave(client);
	nt_leave(provider);
	expect_untouched(test, nb, NMR_CLIENT);
	expect_untouched(test, nb, NMR_PROVIDER);
}

/* Detach a binding, then deregister a side: both sides get the first reason. */
static void fallback_then_deregister(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_party *leaver = party[nt_param_side(test)];
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);

	nt_hold(party[NMR_CLIENT], NT_C_DETACH);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), 0);
	KUNIT_EXPECT_EQ(test, nt_deregister(leaver), -EINPROGRESS);
	nt_await(nt, nt_entered(party[NMR_CLIENT], NT_C_DETACH) == 1);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(leaver, 1), -ETIMEDOUT);
	nt_release(party[NMR_CLIENT], NT_C_DETACH);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
	expect_detached(test, nb, NMR_DETACH_FALLBACK);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_CLIENT], NT_C_ATTACH), 1);
}

static void deregister_then_fallback(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_party *leaver = party[nt_param_side(test)];
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);

	nt_get(nb);
	KUNIT_EXPECT_EQ(test, nt_deregister(leaver), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), -EALREADY);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), -EALREADY);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), -EALREADY);
	expect_detached(test, nb, nt_reason_of(nt_param_side(test)));
}

/* Promise 12: every callback may call every function */

/* Call all functions for two parties of an NPI of their own. */
static void use_others(struct nt *nt)
{
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	nt_move_to_new_npi(client, provider);
	nt_check(nt, nt_register(provider) == 0);
	nt_check(nt, nt_register(client) == 0);
	nb = nt_find(nt, client, provider);
	if (nt_check(nt, nb)) {
		nt_check(nt, nmr_client_wait_for_binding(client->client, HZ) == 0);
		nt_check(nt, nt_call(nb, NMR_CLIENT));
		nt_check(nt, nt_call(nb, NMR_PROVIDER));
		nt_get(nb);
		nt_check(nt, nmr_detach_binding(nb->b, NMR_DETACH_ABORT) == 0);
	}
	nt_check(nt, nt_reoffer(client) == 0);
	nt_check(nt, nt_reoffer(provider) == 0);
	nt_sync(client);
	nt_leave(provider);
	if (nb)
		nt_put(nb);
}

/* Call all functions for the binding itself and for its two sides. */
static void use_own(struct nt_binding *nb)
{
	struct nt_party *client = nb->party[NMR_CLIENT];
	struct nt *nt = nb->nt;
	enum nmr_side side;
	int err;

	for (side = 0; side < NMR_SIDES; side++) {
		err = nt_reoffer(nb->party[side]);
		nt_check(nt, err == 0 || err == -ESHUTDOWN);
		err = nt_deregister(nb->party[side]);
		nt_check(nt, err == -EINPROGRESS || err == -EALREADY);
		nt_check(nt, nt_wait_timeout(nb->party[side], HZ) == -EDEADLK);
		nt_check(nt, nt_wait_forever(nb->party[side]) == -EDEADLK);
		nt_check(nt, !nt_open(nb, side));
	}
	err = nmr_client_wait_for_binding(client->client, HZ);
	nt_check(nt, err == -EDEADLK || err == -ESHUTDOWN);
	nt_check(nt, nmr_detach_binding(nb->b, NMR_DETACH_ABORT) == -EALREADY);
	if (nt_was_at(nb, NT_C_BOUND))
		nt_check(nt, nmr_client_attach_provider(nb->b, NULL, NULL) == -EINVAL);
	nt_check(nt, nmr_binding_id(nmr_binding_get(nb->b)) == nb->id);
	nmr_binding_put(nb->b);
}

static int use_everything(struct nt_binding *nb, int ret)
{
	use_others(nb->nt);
	use_own(nb);
	return ret;
}

static int use_everything_and_complete(struct nt_binding *nb, int ret)
{
	enum nmr_side side = nt_was_at(nb, NT_P_DETACH) ? NMR_PROVIDER : NMR_CLIENT;

	use_everything(nb, ret);
	nt_complete(nb, side);
	return -EINPROGRESS;
}

static const enum nt_point callbacks[] = {
	NT_C_ATTACH, NT_P_ATTACH, NT_C_BOUND, NT_P_ATTACHED,
	NT_C_DETACH, NT_P_DETACH, NT_C_CLEANUP, NT_P_CLEANUP
};

KUNIT_ARRAY_PARAM(callback, callbacks, nt_point_desc);

static void callbacks_call_every_function(struct kunit *test)
{
	enum nt_point point = *(const enum nt_point *)test->param_value;
	bool detach = point == NT_C_DETACH || point == NT_P_DETACH;
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };

	party[nt_side(point)]->at[point].hook =
		detach ? use_everything_and_complete : use_everything;
	nt_join_npi(party[NMR_CLIENT]);
	nt_join_npi(party[NMR_PROVIDER]);
	nt_deregister(party[NMR_CLIENT]);
	KUNIT_EXPECT_EQ(test, nt_wait(party[NMR_CLIENT]), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(party[nt_side(point)], point), 1);
}

static struct kunit_case nmr_race_cases[] = {
	KUNIT_CASE_PARAM(late_deregister_during_attach_detaches, late_gen_params),
	KUNIT_CASE_PARAM(failed_attach_and_deregister_have_one_owner, nt_side_gen_params),
	KUNIT_CASE(failed_attach_detaches_the_provider_alone),
	KUNIT_CASE(refused_attach_ends_nothing),
	KUNIT_CASE(detach_never_on_the_registering_stack),
	KUNIT_CASE_PARAM(detach_waits_for_attach_to_return, window_gen_params),
	KUNIT_CASE_PARAM(both_ends_deregister_at_once, nt_side_gen_params),
	KUNIT_CASE(no_call_before_attach_succeeds),
	KUNIT_CASE(no_call_after_a_refusal),
	KUNIT_CASE_PARAM(gates_close_before_deregister_returns, nt_side_gen_params),
	KUNIT_CASE(detach_awaits_a_grace_period),
	KUNIT_CASE(binding_outlives_cleanup_by_a_grace_period),
	KUNIT_CASE(calls_that_move_are_counted),
	KUNIT_CASE_PARAM(cleanup_waits_for_the_last_of_four, holder_gen_params),
	KUNIT_CASE_PARAM(complete_inside_detach, nt_side_gen_params),
	KUNIT_CASE_PARAM(complete_overtakes_detach, nt_side_gen_params),
	KUNIT_CASE_PARAM(complete_of_both_sides_cleans_once, nt_side_gen_params),
	KUNIT_CASE(interrupts_lead_to_callbacks_that_sleep),
	KUNIT_CASE_PARAM(many_wait_and_some_give_up, nt_side_gen_params),
	KUNIT_CASE_PARAM(registers_again_while_the_old_one_drains, nt_side_gen_params),
	KUNIT_CASE(wait_for_binding_loses_no_attach),
	KUNIT_CASE(slot_comes_free_at_cleanup),
	KUNIT_CASE(two_providers_race_for_one_slot),
	KUNIT_CASE_PARAM(slot_comes_free_while_register_walks, nt_side_gen_params),
	KUNIT_CASE_PARAM(overlapping_registers_offer_once, nt_side_gen_params),
	KUNIT_CASE(sleeping_callbacks_delay_no_other),
	KUNIT_CASE_PARAM(event_between_offer_and_outcome_counts, event_gen_params),
	KUNIT_CASE(deferring_is_no_event),
	KUNIT_CASE_PARAM(event_before_cleanup_is_remembered, event_gen_params),
	KUNIT_CASE(own_cleanup_is_no_event),
	KUNIT_CASE(event_that_finds_the_client_full_is_remembered),
	KUNIT_CASE(slow_attach_delays_no_reoffer),
	KUNIT_CASE_PARAM(detach_binding_during_attach, early_gen_params),
	KUNIT_CASE(detach_binding_then_refused),
	KUNIT_CASE_PARAM(fallback_then_deregister, nt_side_gen_params),
	KUNIT_CASE_PARAM(deregister_then_fallback, nt_side_gen_params),
	KUNIT_CASE_PARAM(callbacks_call_every_function, callback_gen_params),
	{}
};

static struct kunit_suite nmr_race_suite = {
	.name = "nmr_race",
	.init = nt_init,
	.test_cases = nmr_race_cases,
};

kunit_test_suite(nmr_race_suite);
