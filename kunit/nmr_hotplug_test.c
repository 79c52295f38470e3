// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls and CPU hotplug: the count of a CPU is part of the sum whether the CPU is online
 * or not.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>

#include "harness.h"
#include "racers.h"

#define ROUNDS	6

static int victim;

static int hotplug_init_case(struct kunit *test)
{
	int err = nt_init(test);

	if (err)
		return err;
	victim = cpumask_last(cpu_online_mask);
	if (!victim)
		kunit_skip(test, "wants two CPUs");
	return 0;
}

static void hotplug_exit_case(struct kunit *test)
{
	if (!cpu_online(victim))
		add_cpu(victim);
}

static struct nt_binding *new_binding(struct kunit *test)
{
	struct nt *nt = test->priv;

	return nt_pair(nt, nt_client(nt), nt_provider(nt));
}

/* Enter two calls on a CPU, take it offline, and exit them elsewhere. */
static void enters_of_a_cpu_that_has_gone(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt_binding *nb = new_binding(test);
	struct nt_party *provider = nb->party[NMR_PROVIDER];

	KUNIT_EXPECT_TRUE(test, nt_enter_on(nb, side, victim));
	KUNIT_EXPECT_TRUE(test, nt_enter_on(nb, side, victim));
	KUNIT_ASSERT_EQ(test, remove_cpu(victim), 0);
	nt_exit_on(nb, side, 0);
	nt_deregister(provider);
	nt_expect_draining(nb);
	nt_exit_on(nb, side, 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Exit a call on a CPU, so that its count becomes negative, and take it offline. */
static void exits_of_a_cpu_that_has_gone(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt_binding *nb = new_binding(test);
	struct nt_party *provider = nb->party[NMR_PROVIDER];

	KUNIT_EXPECT_TRUE(test, nt_enter_on(nb, side, 0));
	KUNIT_EXPECT_TRUE(test, nt_enter_on(nb, side, 0));
	nt_exit_on(nb, side, victim);
	KUNIT_ASSERT_EQ(test, remove_cpu(victim), 0);
	nt_deregister(provider);
	nt_expect_draining(nb);
	nt_exit_on(nb, side, 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Bring a CPU back online after the gate has closed without it. */
static void cpu_comes_back_while_draining(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt_binding *nb = new_binding(test);
	struct nt_party *provider = nb->party[NMR_PROVIDER];

	KUNIT_EXPECT_TRUE(test, nt_enter_on(nb, side, victim));
	KUNIT_EXPECT_TRUE(test, nt_enter_on(nb, side, victim));
	KUNIT_ASSERT_EQ(test, remove_cpu(victim), 0);
	nt_deregister(provider);
	nt_expect_draining(nb);
	KUNIT_ASSERT_EQ(test, add_cpu(victim), 0);
	nt_exit_on(nb, side, victim);
	KUNIT_EXPECT_FALSE(test, nt_enter(nb, side));
	nt_expect_draining(nb);
	nt_exit_on(nb, side, victim);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

static int come_and_go_thread(void *unused)
{
	return remove_cpu(victim) ?: add_cpu(victim);
}

/* Call from all CPUs while one CPU goes and comes back, and a side leaves. */
static void cpu_comes_and_goes_while_a_side_leaves(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, NT_RACERS);
	unsigned int round;

	nt->quiet = true;
	for (round = 0; round < ROUNDS; round++) {
		nt_race_calls(race, round, come_and_go_thread);
		KUNIT_EXPECT_EQ(test, race->racer[0].ret, 0);
	}
}

static struct nt_binding *starting;

/* Enter a call on the CPU that comes up, before it is online. Another task will exit it. */
static int enter_on_start(unsigned int cpu)
{
	if (nmr_client_call_enter(starting->b))
		nmr_client_call_handover(starting->b);
	return 0;
}

/* Exit a call there. */
static int exit_on_start(unsigned int cpu)
{
	nmr_client_call_exit(starting->b);
	return 0;
}

/* A state of hardware that no machine of the tests has. */
#define UNUSED_STARTING_STATE	CPUHP_AP_JCORE_TIMER_STARTING

/* Bring a CPU back that runs @fn before it is online. The kernel warns of the first only. */
static void start_with(struct kunit *test, int (*fn)(unsigned int cpu))
{
	static bool warned;
	struct nt *nt = test->priv;

	KUNIT_ASSERT_EQ(test, cpuhp_setup_state_nocalls(UNUSED_STARTING_STATE,
							"nmr_kunit:starting", fn, NULL), 0);
	if (!warned)
		nt_expect_warnings(nt);
	KUNIT_EXPECT_EQ(test, add_cpu(victim), 0);
	/* A CPU that is not online passes no tracepoint: kunit.sh reads the log. */
	if (!warned)
		nt_expected_warnings(nt);
	warned = true;
	cpuhp_remove_state_nocalls(UNUSED_STARTING_STATE);
}

/* Take the CPU offline that will make a call of a new binding when it comes back. */
static void prepare_start(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP) && !IS_ENABLED(CONFIG_NMR_DEBUG))
		kunit_skip(test, "calls are not tracked");
	starting = new_binding(test);
	KUNIT_ASSERT_EQ(test, remove_cpu(victim), 0);
}

/* Enter where no call may be made: the call counts, as no side leaves at that time. */
static void enter_on_a_cpu_that_is_not_online(struct kunit *test)
{
	struct nt_party *provider;

	prepare_start(test);
	start_with(test, enter_on_start);
	provider = starting->party[NMR_PROVIDER];
	nt_deregister(provider);
	nt_expect_draining(starting);
	nmr_client_call_exit(starting->b);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Exit there likewise. */
static void exit_on_a_cpu_that_is_not_online(struct kunit *test)
{
	prepare_start(test);
	KUNIT_EXPECT_TRUE(test, nmr_client_call_enter(starting->b));
	nmr_client_call_handover(starting->b);
	start_with(test, exit_on_start);
	nt_leave(starting->party[NMR_PROVIDER]);
}

static struct kunit_case nmr_hotplug_cases[] = {
	NT_CASE_PARAM_SLOW(enters_of_a_cpu_that_has_gone, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(exits_of_a_cpu_that_has_gone, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(cpu_comes_back_while_draining, nt_side_gen_params),
	KUNIT_CASE_SLOW(cpu_comes_and_goes_while_a_side_leaves),
	KUNIT_CASE_SLOW(enter_on_a_cpu_that_is_not_online),
	KUNIT_CASE_SLOW(exit_on_a_cpu_that_is_not_online),
	{}
};

static struct kunit_suite nmr_hotplug_suite = {
	.name = "nmr_hotplug",
	.init = hotplug_init_case,
	.exit = hotplug_exit_case,
	.test_cases = nmr_hotplug_cases,
};

kunit_test_suite(nmr_hotplug_suite);
