// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of attaching and detaching a pair among many pairs; and that of the same in the
 * driver core, which adds a device and binds it, unbinds and deletes it. The module prints
 * "bench-bindings JSON".
 *
 * For the registrar, the module also prints "bench-callable JSON", the cost until the two
 * sides can call each other. This is an upper bound: the cost of an offer that the client
 * declines, plus the cost from the client's attach callback to client_attached of an offer
 * that the client accepts.
 */
#include "bindings.h"

unsigned int bench_n = 1000;
module_param_named(n, bench_n, uint, 0444);
MODULE_PARM_DESC(n, "bindings");

static char *peer = "nmr";
module_param(peer, charp, 0444);
MODULE_PARM_DESC(peer, "nmr, auxiliary or platform");

static char *label;
module_param(label, charp, 0444);
MODULE_PARM_DESC(label, "name of the peer in the results");

static char *shape = "clients";
module_param(shape, charp, 0444);
MODULE_PARM_DESC(shape, "many clients of one provider, or many providers of one client");

atomic_t bench_bound;

static const struct bench_peer *bench_peer;

/* Attach all pairs. Return: 0, with the cost of one in @cost, or a negative errno. */
static int bench_attach(u64 *cost)
{
	u64 start;
	int err;

	bench_settle();
	start = bench_busy();
	err = bench_peer->attach();
	*cost = div_u64(bench_busy() - start, bench_n);
	return err;
}

/* Detach all pairs. Return: 0, with the cost of one in @cost, or a negative errno. */
static int bench_detach(u64 *cost)
{
	unsigned int bound;
	u64 start;

	bench_settle();
	bound = atomic_read(&bench_bound);
	start = bench_busy();
	bench_peer->detach();
	rcu_barrier();
	*cost = div_u64(bench_busy() - start, bench_n);
	return bound == (bench_decline ? 0 : bench_n) ? 0 : -ENOENT;
}

static int bench_costs(void)
{
	u64 attach, detach;
	s64 memory;
	int err;

	bench_settle();
	memory = bench_memory();
	err = bench_attach(&attach);
	memory = bench_memory() - memory;
	err = bench_detach(&detach) ?: err;
	if (err)
		return err;
	pr_info("bench-bindings {\"peer\":\"%s\",\"shape\":\"%s\",\"n\":%u,\"attach_instructions\":%llu,\"detach_instructions\":%llu,\"bytes\":%lld}\n",
		label ?: peer, shape, bench_n, attach, detach,
		div_s64(memory, bench_n));
	return 0;
}

static int bench_until_callable(void)
{
	u64 declined, unused;
	int err;

	bench_timed = true;
	err = bench_attach(&unused);
	err = bench_detach(&unused) ?: err;
	if (err)
		return err;
	bench_decline = true;
	err = bench_attach(&declined);
	err = bench_detach(&unused) ?: err;
	if (err)
		return err;
	pr_info("bench-callable {\"peer\":\"%s\",\"shape\":\"%s\",\"n\":%u,\"instructions\":%llu}\n",
		label ?: peer, shape, bench_n, declined + div_u64(bench_callable, bench_n));
	return 0;
}

static int bench_run(void)
{
	int err;

	err = bench_clock_start();
	if (err)
		return err;
	err = bench_peer->prepare(shape);
	if (!err)
		err = bench_costs();
	if (!err && bench_peer == &bench_nmr)
		err = bench_until_callable();
	bench_peer->finish();
	bench_clock_stop();
	return err;
}

static int __init bench_bindings_init(void)
{
	static const struct bench_peer * const peers[] = {
		&bench_nmr, &bench_platform,
#ifdef BENCH_AUXILIARY
		&bench_auxiliary,
#endif
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(peers); i++)
		if (!strcmp(peers[i]->name, peer))
			bench_peer = peers[i];
	return bench_peer && bench_n ? bench_run() : -EINVAL;
}

static void __exit bench_bindings_exit(void)
{
}

module_init(bench_bindings_init);
module_exit(bench_bindings_exit);

MODULE_DESCRIPTION("Cost of attaching and detaching in nmr and in the driver core");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
