// SPDX-License-Identifier: GPL-2.0
/*
 * What a call through a gate costs over the bare call of the same function.
 *
 * On a guest whose clock counts instructions (qemu -icount shift=0,sleep=off, one
 * CPU) a nanosecond is an instruction, and the figures are the same in every run.
 * On one that runs its CPUs on host threads, the time of a call from one CPU and
 * from two at once tells whether the gate writes what CPUs share; next to it the
 * same for a refcount, which does.
 *
 * All of it is measured when the module is loaded, in hundredths of a nanosecond
 * a call.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/nmr.h>
#include <linux/refcount.h>
#include <linux/smp.h>
#include <linux/sysfs.h>

#define GATECOST_CALLS		200000
#define GATECOST_ROUNDS		5
#define GATECOST_CPUS		2

struct gatecost_dispatch {
	void (*op)(void *context);
};

enum gatecost_way {
	GATECOST_BARE,
	GATECOST_CLIENT,
	GATECOST_PROVIDER,
	GATECOST_REFCOUNT,
	GATECOST_WAYS
};

static unsigned int gatecost_alone[GATECOST_WAYS];

static int gatecost_over_get(char *buffer, const struct kernel_param *kp)
{
	const unsigned int *gated = kp->arg;

	return sysfs_emit(buffer, "%d\n", *gated - gatecost_alone[GATECOST_BARE]);
}

static const struct kernel_param_ops gatecost_over_ops = {
	.get = gatecost_over_get,
};

module_param_named(bare, gatecost_alone[GATECOST_BARE], uint, 0444);
MODULE_PARM_DESC(bare, "a call through a pointer, loop included");
module_param_cb(client_over, &gatecost_over_ops,
		&gatecost_alone[GATECOST_CLIENT], 0444);
MODULE_PARM_DESC(client_over, "what the client's enter and exit add to it");
module_param_cb(provider_over, &gatecost_over_ops,
		&gatecost_alone[GATECOST_PROVIDER], 0444);
MODULE_PARM_DESC(provider_over, "what the provider's enter and exit add to it");

static unsigned long gatecost_calls;
module_param_named(calls, gatecost_calls, ulong, 0444);
MODULE_PARM_DESC(calls, "calls measured: fewer if a gate was shut");

static struct nmr_binding *gatecost_binding;
static struct nmr_endpoint gatecost_callee;
static refcount_t gatecost_refcount = REFCOUNT_INIT(1);

static noinline void gatecost_op(void *context)
{
	barrier();
}

static const struct gatecost_dispatch gatecost_ops = {
	.op = gatecost_op,
};

/*
 * A loop for each way, in a function of its own, so that the compiler treats all
 * alike. Each returns the number of calls it made.
 */

static noinline unsigned int gatecost_bare(const struct gatecost_dispatch *d,
					   struct nmr_binding *binding)
{
	unsigned int i;

	for (i = 0; i < GATECOST_CALLS; i++)
		d->op(binding);
	return i;
}

static noinline unsigned int gatecost_client(const struct gatecost_dispatch *d,
					     struct nmr_binding *binding)
{
	unsigned int i;

	for (i = 0; i < GATECOST_CALLS; i++) {
		if (!nmr_client_call_enter(binding))
			break;
		d->op(binding);
		nmr_client_call_exit(binding);
	}
	return i;
}

static noinline unsigned int gatecost_provider(const struct gatecost_dispatch *d,
					       struct nmr_binding *binding)
{
	unsigned int i;

	for (i = 0; i < GATECOST_CALLS; i++) {
		if (!nmr_provider_call_enter(binding))
			break;
		d->op(binding);
		nmr_provider_call_exit(binding);
	}
	return i;
}

static noinline unsigned int gatecost_ref(const struct gatecost_dispatch *d,
					  struct nmr_binding *binding)
{
	unsigned int i;

	for (i = 0; i < GATECOST_CALLS; i++) {
		if (!refcount_inc_not_zero(&gatecost_refcount))
			break;
		d->op(binding);
		refcount_dec(&gatecost_refcount);
	}
	return i;
}

static const struct {
	const char *name;
	unsigned int (*loop)(const struct gatecost_dispatch *d,
			     struct nmr_binding *binding);
} gatecost_ways[GATECOST_WAYS] = {
	[GATECOST_BARE]     = { "bare call", gatecost_bare },
	[GATECOST_CLIENT]   = { "client's gate", gatecost_client },
	[GATECOST_PROVIDER] = { "provider's gate", gatecost_provider },
	[GATECOST_REFCOUNT] = { "refcount", gatecost_ref },
};

/* One round: all CPUs that take part, at once, with interrupts off. */
struct gatecost_round {
	enum gatecost_way way;
	atomic_long_t	  calls;
	atomic64_t	  ns;
};

static void gatecost_measure(void *arg)
{
	struct gatecost_round *r = arg;
	u64 start = ktime_get_ns();
	unsigned int calls;

	calls = gatecost_ways[r->way].loop(gatecost_callee.dispatch,
					   gatecost_binding);
	atomic64_add(ktime_get_ns() - start, &r->ns);
	atomic_long_add(calls, &r->calls);
}

/* The best of some rounds: what else the host does only ever adds. */
static unsigned int gatecost_best(enum gatecost_way way, const struct cpumask *cpus)
{
	unsigned int i, cost, best = UINT_MAX;

	for (i = 0; i < GATECOST_ROUNDS; i++) {
		struct gatecost_round r = { .way = way };

		on_each_cpu_mask(cpus, gatecost_measure, &r, true);
		gatecost_calls += atomic_long_read(&r.calls);
		cost = div64_u64(atomic64_read(&r.ns) * 100,
				 (u64)GATECOST_CALLS * cpumask_weight(cpus));
		best = min(best, cost);
		cond_resched();
	}
	return best;
}

static void gatecost_measure_all(const struct cpumask *one, const struct cpumask *two)
{
	enum gatecost_way way;

	for (way = 0; way < GATECOST_WAYS; way++) {
		unsigned int alone = gatecost_best(way, one);
		unsigned int both = gatecost_best(way, two);

		gatecost_alone[way] = alone;
		pr_info("%s: %s: %u.%02u ns on 1 CPU, %u.%02u ns on %u\n",
			KBUILD_MODNAME, gatecost_ways[way].name,
			alone / 100, alone % 100, both / 100, both % 100,
			cpumask_weight(two));
	}
}

static int gatecost_measure_cpus(void)
{
	cpumask_var_t one, two;
	unsigned int cpu;
	int err = -ENOMEM;

	if (!zalloc_cpumask_var(&one, GFP_KERNEL))
		return err;
	if (!zalloc_cpumask_var(&two, GFP_KERNEL))
		goto out_one;
	for_each_online_cpu(cpu) {
		if (cpumask_empty(one))
			cpumask_set_cpu(cpu, one);
		if (cpumask_weight(two) < GATECOST_CPUS)
			cpumask_set_cpu(cpu, two);
	}
	gatecost_measure_all(one, two);
	err = 0;
	free_cpumask_var(two);
out_one:
	free_cpumask_var(one);
	return err;
}

/* The binding that is measured: both sides are this module. */

static int gatecost_attach_provider(struct nmr_binding *binding, void *context,
				    const struct nmr_registration_instance *provider)
{
	gatecost_binding = binding;
	return nmr_client_attach_provider(binding, NULL, &gatecost_callee);
}

static int gatecost_attach_client(struct nmr_binding *binding, void *context,
				  const struct nmr_registration_instance *instance,
				  const struct nmr_endpoint *client,
				  struct nmr_endpoint *provider)
{
	provider->dispatch = &gatecost_ops;
	return 0;
}

static const guid_t gatecost_id = GUID_INIT(0x6e6d7204, 0x6761, 0x7465,
					    0x80, 0, 0, 0, 0, 0, 0, 1);

static const struct nmr_client_characteristics gatecost_client_chars = {
	.attach_provider = gatecost_attach_provider,
	.instance = { .npi_id = &gatecost_id, .module_id = &gatecost_id },
};

static const struct nmr_provider_characteristics gatecost_provider_chars = {
	.attach_client = gatecost_attach_client,
	.instance = { .npi_id = &gatecost_id, .module_id = &gatecost_id },
};

static struct nmr_client_handle gatecost_client_handle;
static struct nmr_provider_handle gatecost_provider_handle;

static void gatecost_leave(void)
{
	nmr_deregister_client_sync(gatecost_client_handle);
	nmr_deregister_provider_sync(gatecost_provider_handle);
}

static int __init gatecost_init(void)
{
	int err;

	err = nmr_register_provider(&gatecost_provider_chars, NULL,
				    &gatecost_provider_handle);
	if (err)
		return err;
	err = nmr_register_client(&gatecost_client_chars, NULL,
				  &gatecost_client_handle);
	if (err) {
		nmr_deregister_provider_sync(gatecost_provider_handle);
		return err;
	}
	err = gatecost_binding ? gatecost_measure_cpus() : -ENODEV;
	if (err)
		gatecost_leave();
	return err;
}

static void __exit gatecost_exit(void)
{
	gatecost_leave();
}

module_init(gatecost_init);
module_exit(gatecost_exit);

MODULE_DESCRIPTION("Measures the call gates of nmr");
MODULE_IMPORT_NS(NMR);
MODULE_LICENSE("GPL");
