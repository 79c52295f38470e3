// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ground of the torture test: decisions, errors, counts, memory that ages, and the
 * heartbeat of threads.
 *
 * Locking: none. Counts are per CPU, errors are atomic.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "torture.h"

#define NMRT_STAGES	3	/* grace periods that a context ages */

unsigned long long nmrt_seed = 1;
module_param_named(seed, nmrt_seed, ullong, 0444);
MODULE_PARM_DESC(seed, "seed of all random decisions");

char *nmrt_busted_name = "";
module_param_named(busted, nmrt_busted_name, charp, 0444);
MODULE_PARM_DESC(busted, "name of the error to provoke, to see that its check works");

struct workqueue_struct *nmrt_wq;

/* Errors */

static const char * const nmrt_error_names[NMRT_ERRORS] = {
	[NMRT_CALL_AFTER_CLEANUP]	= "call-after-cleanup",
	[NMRT_CALL_AFTER_DETACH]	= "call-after-detach",
	[NMRT_CLEANUP_IN_CALL]		= "cleanup-in-call",
	[NMRT_CALLBACK_ORDER]		= "callback-order",
	[NMRT_REASONS_DIFFER]		= "reasons-differ",
	[NMRT_AFTER_WAIT]		= "after-wait",
	[NMRT_TOO_MANY_BINDINGS]	= "too-many-bindings",
	[NMRT_BOUND_TWICE]		= "bound-twice",
	[NMRT_SLOT_AFTER_CLOSE]		= "slot-after-close",
	[NMRT_WALK_ORDER]		= "walk-order",
	[NMRT_UNEXPECTED_VALUE]		= "unexpected-value",
	[NMRT_SUMS]			= "sums",
	[NMRT_STALL]			= "stall",
};

static atomic_t nmrt_errors[NMRT_ERRORS];
static int nmrt_busted_error = -1;

/* Choose the check that is to fail. Return: 0, or -EINVAL if there is no such error. */
int nmrt_choose_busted(void)
{
	if (!*nmrt_busted_name)
		return 0;
	nmrt_busted_error = match_string(nmrt_error_names, NMRT_ERRORS, nmrt_busted_name);
	return nmrt_busted_error < 0 ? -EINVAL : 0;
}

/* Count an error. The first one of its kind prints where it happened. */
void nmrt_error(enum nmrt_error error)
{
	if (atomic_inc_return(&nmrt_errors[error]) > 1)
		return;
	WARN(1, "nmr_torture: !!! %s\n", nmrt_error_names[error]);
}

bool nmrt_busted(enum nmrt_error error)
{
	return nmrt_busted_error == (int)error;
}

void nmrt_expect(bool expected)
{
	if (!expected)
		nmrt_error(NMRT_UNEXPECTED_VALUE);
}

bool nmrt_happened(enum nmrt_error error)
{
	return atomic_read(&nmrt_errors[error]);
}

bool nmrt_failed(void)
{
	int i;

	for (i = 0; i < NMRT_ERRORS; i++)
		if (nmrt_happened(i))
			return true;
	return false;
}

void nmrt_print_errors(void)
{
	int i;

	for (i = 0; i < NMRT_ERRORS; i++)
		if (nmrt_happened(i))
			pr_alert("!!! %s: %d times\n", nmrt_error_names[i],
				 atomic_read(&nmrt_errors[i]));
}

/* Decisions */

static atomic64_t nmrt_streams;

u32 nmrt_random(struct nmrt_random *r)
{
	const siphash_key_t key = { { nmrt_seed, 0 } };

	return siphash_2u64(r->stream, atomic64_inc_return(&r->n), &key);
}

void nmrt_random_init(struct nmrt_random *r)
{
	r->stream = atomic64_inc_return(&nmrt_streams);
	atomic64_set(&r->n, 0);
}

/* Counts */

static const char * const nmrt_op_names[NMRT_OPS] = {
	[NMRT_REGISTERED]	 = "registered",
	[NMRT_DEREGISTERED]	 = "deregistered",
	[NMRT_DECLINED]		 = "declined",
	[NMRT_DEFERRED]		 = "deferred",
	[NMRT_FAILED_LATE]	 = "failed late",
	[NMRT_ATTACHED]		 = "attached",
	[NMRT_CLEANED]		 = "cleaned up",
	[NMRT_PENDING]		 = "pending",
	[NMRT_COMPLETED]	 = "completed",
	[NMRT_CALLS_SHORT]	 = "short calls",
	[NMRT_CALLS_SLEEPING]	 = "sleeping calls",
	[NMRT_CALLS_NESTED]	 = "nested calls",
	[NMRT_CALLS_HANDED_OVER] = "calls handed over",
	[NMRT_CALLS_RCU]	 = "calls under RCU",
	[NMRT_CALLS_SCOPED_CLIENT] = "scoped calls of clients",
	[NMRT_CALLS_SCOPED_PROVIDER] = "scoped calls of providers",
	[NMRT_CALLS_SCOPED_LATE] = "scoped calls that exit late",
	[NMRT_CALLS_SOFTIRQ]	 = "calls in softirqs",
	[NMRT_CALLS_HARDIRQ]	 = "calls in hardirqs",
	[NMRT_CALLS_SLOT]	 = "calls through slots",
	[NMRT_CALLS_SLOT_WAITED] = "calls through slots after a wait",
	[NMRT_CALLS_REFUSED]	 = "calls refused",
	[NMRT_VISITS]		 = "visits of walks",
	[NMRT_WALKS]		 = "walks",
	[NMRT_DETACHED_ALONE]	 = "detached alone",
	[NMRT_MEDDLED]		 = "meddled",
};

struct nmrt_counts {
	u64 n[NMRT_OPS];
};

static DEFINE_PER_CPU(struct nmrt_counts, nmrt_counts);

void nmrt_count(enum nmrt_op op)
{
	this_cpu_inc(nmrt_counts.n[op]);
}

u64 nmrt_counted(enum nmrt_op op)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(nmrt_counts, cpu).n[op];
	return sum;
}

/* Add up all operations but refused calls. */
u64 nmrt_operations(void)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < NMRT_OPS; i++)
		if (i != NMRT_CALLS_REFUSED)
			sum += nmrt_counted(i);
	return sum;
}

void nmrt_print_counts(void)
{
	int i;

	for (i = 0; i < NMRT_OPS; i++)
		pr_info("%12llu %s\n", nmrt_counted(i), nmrt_op_names[i]);
}

/* Memory */

static atomic_long_t nmrt_allocated;

/* Allocate an object that begins with a &struct nmrt_aged. */
void *nmrt_alloc(size_t size)
{
	void *p = kzalloc(size, GFP_KERNEL);

	if (p)
		atomic_long_inc(&nmrt_allocated);
	return p;
}

static void nmrt_age_rcu(struct rcu_head *rcu)
{
	struct nmrt_aged *aged = container_of(rcu, struct nmrt_aged, rcu);

	if (++aged->stage < NMRT_STAGES) {
		call_rcu(rcu, nmrt_age_rcu);
		return;
	}
	kfree(aged);
	atomic_long_dec(&nmrt_allocated);
}

/*
 * Free an object some grace periods from now. A task that still uses it meanwhile finds
 * it poisoned, and reports an error.
 */
void nmrt_age(struct nmrt_aged *aged)
{
	call_rcu(&aged->rcu, nmrt_age_rcu);
}

/* Wait until all objects that age have been freed. */
void nmrt_wait_for_aged(void)
{
	unsigned int stage;

	for (stage = 0; stage <= NMRT_STAGES; stage++)
		rcu_barrier();
}

bool nmrt_leaks(void)
{
	return atomic_long_read(&nmrt_allocated);
}

/* Threads */

/* Note that a thread makes progress. Return: false if the thread has to stop. */
bool nmrt_go_on(struct nmrt_thread *thread)
{
	WRITE_ONCE(thread->beat, jiffies);
	cond_resched();
	return !kthread_should_stop();
}
