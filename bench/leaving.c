// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of leaving: how long a module waits for its bindings, idle ones and ones with
 * calls in flight, and whether a binding that is stuck delays others.
 *
 * The module compares waits with a synchronize_rcu() of the same run. It prints
 * "bench-leaving", "bench-draining" and "bench-stuck", each with JSON.
 */
#include <linux/rcupdate_wait.h>

#include "bench.h"

#define BENCH_MANY	10000

static const guid_t leaving_id = BENCH_GUID(3);

static struct nmr_client_handle clients[BENCH_MANY];
static struct nmr_provider_handle provider;
static struct nmr_binding *binding;	/* the last one that attached */

static int leaving_register_provider(void)
{
	struct nmr_provider_characteristics p = bench_provider(&leaving_id);

	return nmr_register_provider(&p, NULL, &provider);
}

static int leaving_register_clients(unsigned int n)
{
	struct nmr_client_characteristics c = bench_client(&leaving_id);
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		err = nmr_register_client(&c, &binding, &clients[i]);
		cond_resched();
	}
	return err;
}

static void leaving_deregister_clients(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		nmr_deregister_client(clients[i]);
	for (i = 0; i < n; i++)
		nmr_wait_for_client_deregister_complete(clients[i]);
}

/*
 * Return the average time that synchronize_rcu() waits, in ns. On one CPU, 5.10 does not wait
 * if preemption is off, so wait for a callback.
 */
static u64 bench_grace_period(void)
{
	u64 idle = bench_idle();
	int i;

	for (i = 0; i < 10; i++)
		wait_rcu_gp(call_rcu_hurry);
	return max(div_u64(bench_idle() - idle, 10), 1ULL);
}

/*
 * Let the provider of @n clients leave while no call is in flight; or let all clients leave,
 * one after the other, before the first wait.
 */
static int bench_idle_bindings(unsigned int n, bool all_clients)
{
	u64 gp, idle, busy;
	int err;

	err = leaving_register_clients(n);
	err = leaving_register_provider() ?: err;
	if (err)
		return err;
	bench_settle();
	gp = bench_grace_period();
	idle = bench_idle();
	busy = bench_busy();
	if (all_clients)
		leaving_deregister_clients(n);
	else
		nmr_deregister_provider_sync(provider);
	busy = bench_busy() - busy;
	idle = bench_idle() - idle;
	if (all_clients)
		nmr_deregister_provider_sync(provider);
	else
		leaving_deregister_clients(n);
	idle = div64_u64(idle * 100, gp);
	pr_info("bench-leaving {\"leaver\":\"%s\",\"bindings\":%u,\"synchronize_rcu_multiple\":%llu.%02llu,\"instructions\":%llu}\n",
		all_clients ? "clients" : "provider", n, div_u64(idle, 100),
		idle - div_u64(idle, 100) * 100, div_u64(busy, n));
	return 0;
}

/* Let the provider leave while @n calls are in flight, and then let these return. */
static int bench_calls_in_flight(unsigned int n)
{
	u64 start, exits, rest;
	unsigned int i;
	int err;

	err = leaving_register_provider();
	err = leaving_register_clients(1) ?: err;
	if (err)
		return err;
	for (i = 0; i < n; i++) {
		if (!nmr_client_call_enter(binding))
			return -ENOENT;
		nmr_client_call_handover(binding);
	}
	nmr_deregister_provider(provider);
	bench_settle();
	start = bench_busy();
	for (i = 0; i < n; i++)
		nmr_client_call_exit(binding);
	exits = bench_busy() - start;
	nmr_wait_for_provider_deregister_complete(provider);
	rest = bench_busy() - start - exits;
	leaving_deregister_clients(1);
	pr_info("bench-draining {\"calls\":%u,\"exit_instructions\":%llu,\"until_complete_instructions\":%llu}\n",
		n, div_u64(exits, n), rest);
	return 0;
}

/* Return the time until a client has left, in ns. */
static u64 bench_leave_one(struct nmr_client_handle client)
{
	u64 start = ktime_get_ns();

	nmr_deregister_client_sync(client);
	return ktime_get_ns() - start;
}

/* Let a client leave before, and while, another client has a call in flight. */
static int bench_stuck(void)
{
	u64 alone, beside;
	int err;

	err = leaving_register_provider();
	err = leaving_register_clients(3) ?: err;
	if (err)
		return err;
	bench_settle();
	alone = bench_leave_one(clients[0]);
	if (!nmr_client_call_enter(binding))
		return -ENOENT;
	nmr_client_call_handover(binding);
	nmr_deregister_client(clients[2]);
	bench_settle();
	beside = bench_leave_one(clients[1]);
	nmr_client_call_exit(binding);
	nmr_wait_for_client_deregister_complete(clients[2]);
	nmr_deregister_provider_sync(provider);
	pr_info("bench-stuck {\"alone_ns\":%llu,\"beside_a_stuck_one_ns\":%llu}\n",
		alone, beside);
	return 0;
}

static int __init bench_leaving_init(void)
{
	unsigned int n;
	int err = bench_clock_start();

	if (err)
		return err;
	for (n = 1; !err && n <= BENCH_MANY; n *= 100)
		err = bench_idle_bindings(n, false) ?: bench_idle_bindings(n, true);
	for (n = 1; !err && n <= BENCH_MANY; n *= 100)
		err = bench_calls_in_flight(n);
	err = err ?: bench_stuck();
	bench_clock_stop();
	return err;
}

static void __exit bench_leaving_exit(void)
{
}

module_init(bench_leaving_init);
module_exit(bench_leaving_exit);

MODULE_DESCRIPTION("Cost of leaving in nmr");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
