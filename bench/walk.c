// SPDX-License-Identifier: GPL-2.0-only
/*
 * What nmr_provider_for_each_client() and its RCU variant take for each client of a provider,
 * beside the function that they call: with n/100 clients, and with n. The cost of a client
 * must not depend on their number.
 *
 * Says "bench-walk" and JSON.
 */
#include "bench.h"

static unsigned int n = 100000;
module_param(n, uint, 0444);
MODULE_PARM_DESC(n, "clients of the provider");

#define WALK_ROUNDS	3

static const guid_t walk_id = BENCH_GUID(7);

static struct nmr_provider_handle walk_provider;
static struct nmr_client_handle *walk_clients;

static noinline int walk_visit(const struct nmr_call *call, void *visits)
{
	++*(unsigned int *)visits;
	return 0;
}

/* Call the function as often without a walk. Return: instructions. */
static u64 walk_bare(unsigned int clients)
{
	nmr_call_fn *fn = walk_visit;
	struct nmr_call call = {};
	unsigned int visits = 0, i;
	u64 start;

	/* The compiler must not know the function, as it does not in a walk. */
	OPTIMIZER_HIDE_VAR(fn);
	start = ktime_get_ns();
	for (i = 0; i < clients; i++)
		fn(&call, &visits);
	return ktime_get_ns() - start;
}

/* Return: hundredths of an instruction for each client, beside the function; or an errno. */
static s64 walk_once(unsigned int clients, bool rcu)
{
	unsigned int visits = 0;
	u64 start, bare = walk_bare(clients);
	int err;

	start = ktime_get_ns();
	if (rcu)
		err = nmr_provider_for_each_client_rcu(walk_provider, walk_visit, &visits);
	else
		err = nmr_provider_for_each_client(walk_provider, walk_visit, &visits);
	start = ktime_get_ns() - start;
	if (err || !clients || visits != clients || start < bare)
		return err ?: -EINVAL;
	return div_u64((start - bare) * 100, clients);
}

/* Measure some times, as a timer interrupt may come between. */
static s64 walk_least(unsigned int clients, bool rcu)
{
	s64 least = S64_MAX, cost;
	int i;

	for (i = 0; i < WALK_ROUNDS; i++) {
		cost = walk_once(clients, rcu);
		if (cost < 0)
			return cost;
		least = min(least, cost);
	}
	return least;
}

static int walk_measure(unsigned int clients)
{
	s64 calls = walk_least(clients, false), rcu = walk_least(clients, true);

	if (calls < 0 || rcu < 0)
		return -EINVAL;
	pr_info("bench-walk {\"clients\":%u,\"walk_hundredths\":%lld,\"walk_rcu_hundredths\":%lld}\n",
		clients, calls, rcu);
	return 0;
}

/* Register clients @from to @to, and walk. */
static int walk_many(unsigned int from, unsigned int to)
{
	struct nmr_client_characteristics c = {
		.instance = { .npi_id = &walk_id, .module_id = &walk_id },
	};
	int err;

	for (; from < to; from++) {
		err = nmr_register_client(&c, NULL, &walk_clients[from]);
		if (err)
			return err;
		cond_resched();
	}
	bench_settle();
	return walk_measure(to);
}

static void walk_leave(void)
{
	unsigned int i;

	nmr_deregister_provider_sync(walk_provider);
	for (i = 0; i < n && walk_clients[i].id; i++)
		nmr_deregister_client(walk_clients[i]);
	while (i--)
		nmr_wait_for_client_deregister_complete(walk_clients[i]);
}

static int __init walk_init(void)
{
	struct nmr_provider_characteristics p = {
		.instance = { .npi_id = &walk_id, .module_id = &walk_id },
	};
	int err;

	if (n < 100)
		return -EINVAL;
	walk_clients = vcalloc(n, sizeof(*walk_clients));
	if (!walk_clients)
		return -ENOMEM;
	err = nmr_register_provider(&p, NULL, &walk_provider);
	if (!err) {
		err = walk_many(0, n / 100) ?: walk_many(n / 100, n);
		walk_leave();
	}
	vfree(walk_clients);
	return err;
}

static void __exit walk_exit(void)
{
}

module_init(walk_init);
module_exit(walk_exit);

MODULE_DESCRIPTION("What a walk through all peers of a registration costs");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
