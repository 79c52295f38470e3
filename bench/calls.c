// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of protecting the callee of a call, in several ways: call an empty function
 * through a pointer, in a loop, on 1, 2 and 4 CPUs concurrently.
 *
 * The module prints "bench-calls NAME CPUS COST", the cost of a call, including the loop, in
 * hundredths of a nanosecond (of an instruction, see bench.h).
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/percpu-refcount.h>
#include <linux/percpu-rwsem.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>

#include "bench.h"

static unsigned int calls = 20000;
module_param(calls, uint, 0444);
MODULE_PARM_DESC(calls, "calls in a round");

#define BENCH_ROUNDS	21

struct bench_dispatch {
	void (*op)(void *context);
};

static struct nmr_binding *bench_binding;
DEFINE_NMR_SLOT(bench_slot);
static bool bench_revoked;
static struct bench_dispatch __rcu *bench_revocable;
static struct percpu_ref bench_percpu_ref;
static refcount_t bench_refcount = REFCOUNT_INIT(1);
static DEFINE_RWLOCK(bench_rwlock);
static DECLARE_RWSEM(bench_rwsem);
DEFINE_STATIC_PERCPU_RWSEM(bench_percpu_rwsem);
DEFINE_STATIC_SRCU(bench_srcu);
#ifdef DEFINE_STATIC_SRCU_FAST
DEFINE_STATIC_SRCU_FAST(bench_srcu_fast);
#endif
static DEFINE_SPINLOCK(bench_spinlock);
static unsigned int bench_count;

static noinline void bench_op(void *context)
{
	barrier();
}

static struct bench_dispatch bench_ops = {
	.op = bench_op,
};

/* Enter the way that the documentation of NMR shows: a counter and a flag under a lock. */
static __always_inline bool bench_spin_enter(void)
{
	bool enter;

	spin_lock(&bench_spinlock);
	enter = !bench_revoked;
	bench_count += enter;
	spin_unlock(&bench_spinlock);
	return enter;
}

static __always_inline void bench_spin_exit(void)
{
	spin_lock(&bench_spinlock);
	bench_count--;
	spin_unlock(&bench_spinlock);
}

static __always_inline void bench_nothing(void)
{
}

/*
 * Define a loop for a way, in a function of its own, so that the compiler treats all ways
 * alike. The function returns the number of calls that it made.
 */
#define BENCH_WAY(name, enter, exit)					\
static noinline unsigned int bench_way_##name(const struct bench_dispatch *d, \
					      struct nmr_binding *binding) \
{									\
	int __maybe_unused idx;						\
	unsigned int i;							\
									\
	for (i = 0; i < calls; i++) {					\
		if (!(enter))						\
			break;						\
		d->op(binding);						\
		exit;							\
	}								\
	return i;							\
}

/* Define a loop for a lock, under which the caller tests a condition. */
#define BENCH_LOCK(name, lock, may_call, unlock)			\
static noinline unsigned int bench_way_##name(const struct bench_dispatch *d, \
					      struct nmr_binding *binding) \
{									\
	int __maybe_unused idx;						\
	unsigned int i;							\
									\
	for (i = 0; i < calls; i++) {					\
		lock;							\
		if (likely(may_call))					\
			d->op(binding);					\
		unlock;							\
	}								\
	return i;							\
}

BENCH_WAY(bare, true, bench_nothing())
BENCH_WAY(nmr, nmr_client_call_enter(binding), nmr_client_call_exit(binding))
BENCH_WAY(nmr_provider, nmr_provider_call_enter(binding), nmr_provider_call_exit(binding))
BENCH_WAY(nmr_rcu_loop, nmr_client_may_call_rcu(binding), bench_nothing())
BENCH_WAY(percpu_ref, percpu_ref_tryget_live(&bench_percpu_ref),
	  percpu_ref_put(&bench_percpu_ref))
BENCH_WAY(refcount, refcount_inc_not_zero(&bench_refcount), refcount_dec(&bench_refcount))
BENCH_WAY(spinlock, bench_spin_enter(), bench_spin_exit())
BENCH_WAY(try_module_get, try_module_get(THIS_MODULE), module_put(THIS_MODULE))
BENCH_LOCK(srcu, idx = srcu_read_lock(&bench_srcu), !READ_ONCE(bench_revoked),
	   srcu_read_unlock(&bench_srcu, idx))
#ifdef DEFINE_STATIC_SRCU_FAST
BENCH_LOCK(srcu_fast, struct srcu_ctr __percpu *ctr = srcu_read_lock_fast(&bench_srcu_fast),
	   !READ_ONCE(bench_revoked), srcu_read_unlock_fast(&bench_srcu_fast, ctr))
#endif
BENCH_LOCK(rwlock, read_lock(&bench_rwlock), !READ_ONCE(bench_revoked),
	   read_unlock(&bench_rwlock))
BENCH_LOCK(rwsem, down_read(&bench_rwsem), !READ_ONCE(bench_revoked),
	   up_read(&bench_rwsem))
BENCH_LOCK(percpu_rwsem, percpu_down_read(&bench_percpu_rwsem),
	   !READ_ONCE(bench_revoked), percpu_up_read(&bench_percpu_rwsem))
/*
 * A reader of revocable, which was proposed for 7.0, and reverted before: SRCU and a pointer.
 */
BENCH_LOCK(revocable, idx = srcu_read_lock(&bench_srcu),
	   srcu_dereference(bench_revocable, &bench_srcu),
	   srcu_read_unlock(&bench_srcu, idx))

static noinline unsigned int bench_way_nmr_rcu(const struct bench_dispatch *d,
					       struct nmr_binding *binding)
{
	unsigned int made;

	rcu_read_lock();
	made = bench_way_nmr_rcu_loop(d, binding);
	rcu_read_unlock();
	return made;
}

/* Define a loop of scoped calls, which exit from the counts that they have entered on. */
#define BENCH_SCOPE(name, scoped)					\
static noinline unsigned int bench_way_##name(const struct bench_dispatch *d, \
					      struct nmr_binding *binding) \
{									\
	unsigned int i;							\
									\
	for (i = 0; i < calls; i++) {					\
		scoped(binding)						\
			d->op(binding);					\
	}								\
	return i;							\
}

#ifdef NT_SCOPED_CALLS
BENCH_SCOPE(nmr_scoped, scoped_nmr_client_call)
BENCH_SCOPE(nmr_scoped_provider, scoped_nmr_provider_call)
#endif

/* The slot has the dispatch table and the context, which the other ways have in registers. */
static noinline unsigned int bench_way_nmr_slot(const struct bench_dispatch *d,
						struct nmr_binding *binding)
{
	const struct bench_dispatch *dispatch;
	struct nmr_call call;
	unsigned int i;

	for (i = 0; i < calls; i++) {
		if (!nmr_slot_enter(&bench_slot, &call))
			break;
		dispatch = call.dispatch;
		dispatch->op(call.context);
		nmr_slot_exit(&call);
	}
	return i;
}

static const struct {
	const char *name;
	unsigned int (*loop)(const struct bench_dispatch *d, struct nmr_binding *binding);
} bench_ways[] = {
#define BENCH_NAME(name)	{ #name, bench_way_##name }
	BENCH_NAME(bare), BENCH_NAME(nmr), BENCH_NAME(nmr_provider), BENCH_NAME(nmr_rcu),
	BENCH_NAME(nmr_slot),
#ifdef NT_SCOPED_CALLS
	BENCH_NAME(nmr_scoped), BENCH_NAME(nmr_scoped_provider),
#endif
	BENCH_NAME(percpu_ref), BENCH_NAME(srcu), BENCH_NAME(revocable),
#ifdef DEFINE_STATIC_SRCU_FAST
	BENCH_NAME(srcu_fast),
#endif
	BENCH_NAME(refcount), BENCH_NAME(rwlock), BENCH_NAME(percpu_rwsem),
	BENCH_NAME(rwsem), BENCH_NAME(spinlock), BENCH_NAME(try_module_get),
};

/* A round: a thread on each of some CPUs. */
struct bench_round {
	unsigned int	way;
	atomic_t	missing;
	atomic64_t	ns;
	atomic_t	failed;
	struct completion done;
	atomic_t	running;
};

static int bench_thread(void *arg)
{
	struct bench_round *round = arg;
	unsigned int made;
	u64 start;

	atomic_dec(&round->missing);
	/* The task that wakes the threads may be waiting for this CPU. */
	while (atomic_read(&round->missing))
		cond_resched();
	start = ktime_get_ns();
	made = bench_ways[round->way].loop(&bench_ops, bench_binding);
	atomic64_add(ktime_get_ns() - start, &round->ns);

	if (made != calls)
		atomic_set(&round->failed, 1);
	if (atomic_dec_and_test(&round->running))
		complete(&round->done);
	return 0;
}

/* Run a round. Return: hundredths of a ns a call, or a negative errno. */
static int bench_round(unsigned int way, unsigned int cpus)
{
	struct bench_round round = {
		.way	 = way,
		.missing = ATOMIC_INIT(cpus),
		.running = ATOMIC_INIT(cpus),
		.done	 = COMPLETION_INITIALIZER_ONSTACK(round.done),
	};
	struct task_struct *threads[4];
	unsigned int i;

	if (!cpus)
		return -EINVAL;
	for (i = 0; i < cpus; i++) {
		threads[i] = kthread_create(bench_thread, &round, "bench/%u", i);
		if (IS_ERR(threads[i]))
			break;
		kthread_bind(threads[i], i);
	}
	if (i < cpus) {
		while (i--)
			kthread_stop(threads[i]);
		return -ENOMEM;
	}
	for (i = 0; i < cpus; i++)
		wake_up_process(threads[i]);
	wait_for_completion(&round.done);
	if (atomic_read(&round.failed))
		return -EINVAL;
	return div64_u64(atomic64_read(&round.ns) * 100, (u64)calls * cpus);
}

static int bench_compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * Print the median of some rounds. In the fastest round the CPUs may not have met, and the
 * mean depends on what else the machine did.
 */
static int bench_way(unsigned int way, unsigned int cpus)
{
	int costs[BENCH_ROUNDS];
	unsigned int i;

	for (i = 0; i < BENCH_ROUNDS; i++) {
		costs[i] = bench_round(way, cpus);
		if (costs[i] < 0)
			return costs[i];
	}
	sort(costs, BENCH_ROUNDS, sizeof(*costs), bench_compare, NULL);
	pr_info("bench-calls %s %u %d\n", bench_ways[way].name, cpus,
		costs[BENCH_ROUNDS / 2]);
	return 0;
}

static int bench_all(void)
{
	unsigned int way, cpus;
	int err;

	for (way = 0; way < ARRAY_SIZE(bench_ways); way++) {
		for (cpus = 1; cpus <= min(num_online_cpus(), 4U); cpus *= 2) {
			err = bench_way(way, cpus);
			if (err)
				return err;
		}
	}
	return 0;
}

static void bench_released(struct percpu_ref *ref)
{
}

/* One client has a slot, the other one has none. */
static int bench_with_clients(const guid_t *id)
{
	struct nmr_client_characteristics c = bench_client(id), s = bench_client(id);
	struct nmr_client_handle client, with_slot;
	int err;

	err = nmr_register_client(&c, &bench_binding, &client);
	if (err)
		return err;
	s.slot = &bench_slot;
	err = nmr_register_client(&s, NULL, &with_slot);
	if (!err) {
		err = bench_binding ? bench_all() : -ENODEV;
		nmr_deregister_client_sync(with_slot);
	}
	nmr_deregister_client_sync(client);
	return err;
}

static int bench_bound(void)
{
	static const guid_t id = BENCH_GUID(1);
	struct nmr_provider_characteristics p = bench_provider(&id);
	struct nmr_provider_handle provider;
	int err;

	p.endpoint.dispatch = &bench_ops;
	err = nmr_register_provider(&p, NULL, &provider);
	if (err)
		return err;
	err = bench_with_clients(&id);
	nmr_deregister_provider_sync(provider);
	return err;
}

static int __init bench_calls_init(void)
{
	int err;

	if (!calls)
		return -EINVAL;
	rcu_assign_pointer(bench_revocable, &bench_ops);
	err = percpu_ref_init(&bench_percpu_ref, bench_released, 0, GFP_KERNEL);
	if (err)
		return err;
	err = bench_bound();
	percpu_ref_exit(&bench_percpu_ref);
	return err;
}

static void __exit bench_calls_exit(void)
{
}

module_init(bench_calls_init);
module_exit(bench_calls_exit);

MODULE_DESCRIPTION("Cost of a call through a gate of nmr, and of other ways");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
