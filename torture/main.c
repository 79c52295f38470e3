// SPDX-License-Identifier: GPL-2.0-only
/*
 * The torture test: starts the threads, watches them, and stops them. Its last line says
 * SUCCESS or FAILURE, and with which parameters.
 *
 * As a module it begins when it is loaded, and ends after so many seconds and operations,
 * or when it is unloaded. Built in, it begins at boot if it was given seconds.
 *
 * Locking: nmrt_mutex for beginning and ending. Counts are per CPU, errors atomic.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "torture.h"

#define NMRT_THREADS	64
#define NMRT_STAGES	3	/* grace periods that a context ages */

static unsigned long long seed = 1;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "what all decisions follow from");

static unsigned int seconds;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "how long it runs (default 0: until it is unloaded)");

static unsigned long long operations;
module_param(operations, ullong, 0444);
MODULE_PARM_DESC(operations, "at least so many before it ends, if it was given seconds");

static unsigned int registrars = 16;
module_param(registrars, uint, 0444);
MODULE_PARM_DESC(registrars, "threads that register and deregister");

static unsigned int callers = 4;
module_param(callers, uint, 0444);
MODULE_PARM_DESC(callers, "threads that call");

static unsigned int meddlers = 2;
module_param(meddlers, uint, 0444);
MODULE_PARM_DESC(meddlers, "threads that detach, wait and so on what is not theirs");

static unsigned int stall_seconds = 300;
module_param(stall_seconds, uint, 0444);
MODULE_PARM_DESC(stall_seconds, "a thread that does not come around for so long is stuck");

static char *busted = "";
module_param(busted, charp, 0444);
MODULE_PARM_DESC(busted, "a check that is to fail, by the name of its error");

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
	[NMRT_UNEXPECTED_VALUE]		= "unexpected-value",
	[NMRT_SUMS]			= "sums",
	[NMRT_STALL]			= "stall",
};

static atomic_t nmrt_errors[NMRT_ERRORS];
static int nmrt_busted_error = -1;

/* The first of a kind says where it was seen. */
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

/* Decisions */

static atomic64_t nmrt_streams;

u32 nmrt_random(struct nmrt_random *r)
{
	const siphash_key_t key = { { seed, 0 } };

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
	[NMRT_CALLS_SOFTIRQ]	 = "calls in softirqs",
	[NMRT_CALLS_HARDIRQ]	 = "calls in hardirqs",
	[NMRT_CALLS_REFUSED]	 = "calls refused",
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

/* Memory */

static atomic_long_t nmrt_allocated;

/* What begins with a &struct nmrt_aged. */
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

/* Nobody should come here any more; for some grace periods it is seen who does. */
void nmrt_age(struct nmrt_aged *aged)
{
	call_rcu(&aged->rcu, nmrt_age_rcu);
}

/* Threads */

struct workqueue_struct *nmrt_wq;
static struct nmrt_thread nmrt_threads[NMRT_THREADS];
static unsigned int nmrt_nr_threads;

bool nmrt_go_on(struct nmrt_thread *thread)
{
	WRITE_ONCE(thread->beat, jiffies);
	cond_resched();
	return !kthread_should_stop();
}

static int nmrt_spawn(int (*fn)(void *data), const char *name, unsigned int n)
{
	for (; n; n--) {
		struct nmrt_thread *thread = &nmrt_threads[nmrt_nr_threads];

		if (nmrt_nr_threads == NMRT_THREADS)
			return -EINVAL;
		thread->beat = jiffies;
		thread->task = kthread_create(fn, thread, "nmrt_%s/%u", name, n);
		if (IS_ERR(thread->task))
			return PTR_ERR(thread->task);
		get_task_struct(thread->task);
		nmrt_nr_threads++;
		wake_up_process(thread->task);
	}
	return 0;
}

/* Count all but refused calls. */
static u64 nmrt_operations(void)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < NMRT_OPS; i++)
		if (i != NMRT_CALLS_REFUSED)
			sum += nmrt_counted(i);
	return sum;
}

/* Tell the count once a minute if it has risen: a log that stands still means a hang. */
static void nmrt_tell_progress(void)
{
	static unsigned int second;
	static u64 told;
	u64 sum = nmrt_operations();

	if (++second % 60 || sum == told)
		return;
	pr_notice("%llu operations\n", sum);
	told = sum;
}

/* Once a second: does each thread come around? */
static void nmrt_watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(nmrt_watch_work, nmrt_watch);

static void nmrt_watch(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < nmrt_nr_threads; i++) {
		unsigned long still = jiffies - READ_ONCE(nmrt_threads[i].beat);

		if ((long)still < (long)stall_seconds * HZ)
			continue;
		if (!atomic_read(&nmrt_errors[NMRT_STALL]))
			pr_alert("%s has not come around for %lu s\n",
				 nmrt_threads[i].task->comm, still / HZ);
		nmrt_error(NMRT_STALL);
	}
	if (atomic_read(&nmrt_errors[NMRT_STALL]))
		nmrt_complete_lost();
	nmrt_tell_progress();
	queue_delayed_work(nmrt_wq, &nmrt_watch_work, HZ);
}

/*
 * Registrars, the first, last: they wait for what the others do. They are watched until
 * they have stopped, and known until nobody watches or signals them.
 */
static void nmrt_join(void)
{
	unsigned int i;

	for (i = nmrt_nr_threads; i; i--)
		kthread_stop(nmrt_threads[i - 1].task);
	cancel_delayed_work_sync(&nmrt_watch_work);
	for (i = 0; i < nmrt_nr_threads; i++)
		put_task_struct(nmrt_threads[i].task);
	nmrt_nr_threads = 0;
}

/* The verdict */

static void nmrt_check_sums(void)
{
	bool even = nmrt_counted(NMRT_REGISTERED) == nmrt_counted(NMRT_DEREGISTERED) &&
		    nmrt_counted(NMRT_ATTACHED) == nmrt_counted(NMRT_CLEANED) &&
		    nmrt_counted(NMRT_PENDING) <= nmrt_counted(NMRT_COMPLETED) &&
		    !atomic_long_read(&nmrt_allocated);

	if (nmrt_busted(NMRT_SUMS))
		even = nmrt_counted(NMRT_REGISTERED) == nmrt_counted(NMRT_ATTACHED);
	if (!even)
		nmrt_error(NMRT_SUMS);
}

static bool nmrt_failed(void)
{
	int i;

	for (i = 0; i < NMRT_ERRORS; i++)
		if (atomic_read(&nmrt_errors[i]))
			return true;
	return false;
}

static void nmrt_verdict(void)
{
	int i;

	for (i = 0; i < NMRT_OPS; i++)
		pr_info("%12llu %s\n", nmrt_counted(i), nmrt_op_names[i]);
	for (i = 0; i < NMRT_ERRORS; i++)
		if (atomic_read(&nmrt_errors[i]))
			pr_alert("!!! %s: %d times\n", nmrt_error_names[i],
				 atomic_read(&nmrt_errors[i]));
	pr_info("end of test: %s: %llu operations, seed=%llu registrars=%u callers=%u meddlers=%u stall_seconds=%u busted=%s\n",
		nmrt_failed() ? "FAILURE" : "SUCCESS", nmrt_operations(), seed, registrars,
		callers, meddlers, stall_seconds, busted);
}

/* Begin and end */

static DEFINE_MUTEX(nmrt_mutex);
static bool nmrt_running;

static void nmrt_stop(void)
{
	unsigned int stage;

	nmrt_interrupts_stop();
	nmrt_join();
	flush_workqueue(nmrt_wq);
	for (stage = 0; stage <= NMRT_STAGES; stage++)
		rcu_barrier();
	destroy_workqueue(nmrt_wq);
}

/* Return: 0, or an errno and nothing runs. */
int nmrt_begin(void)
{
	int err;

	nmrt_wq = alloc_workqueue("nmr_torture", WQ_UNBOUND, 0);
	if (!nmrt_wq)
		return -ENOMEM;
	nmrt_interrupts_start();
	err = nmrt_spawn(nmrt_registrar, "registrar", registrars);
	err = err ?: nmrt_spawn(nmrt_caller, "caller", callers);
	err = err ?: nmrt_spawn(nmrt_meddler, "meddler", meddlers);
	queue_delayed_work(nmrt_wq, &nmrt_watch_work, HZ);
	if (err)
		nmrt_stop();
	mutex_lock(&nmrt_mutex);
	nmrt_running = !err;
	mutex_unlock(&nmrt_mutex);
	return err;
}

/* Stop, if it runs, and tell. Return: true if nothing was wrong. */
bool nmrt_end(void)
{
	mutex_lock(&nmrt_mutex);
	if (nmrt_running) {
		nmrt_stop();
		nmrt_check_sums();
		nmrt_verdict();
	}
	nmrt_running = false;
	mutex_unlock(&nmrt_mutex);
	return !nmrt_failed();
}

static void nmrt_time_is_up(struct work_struct *work);
static DECLARE_DELAYED_WORK(nmrt_end_work, nmrt_time_is_up);

static void nmrt_time_is_up(struct work_struct *work)
{
	if (nmrt_operations() < operations && !nmrt_failed())
		queue_delayed_work(system_unbound_wq, &nmrt_end_work, HZ);
	else
		nmrt_end();
}

#ifdef MODULE
#define NMRT_ONLY_IF_ASKED	false
#else
#define NMRT_ONLY_IF_ASKED	true
#endif

static int __init nmrt_init(void)
{
	int err;

	if (NMRT_ONLY_IF_ASKED && !seconds)
		return 0;
	if (*busted) {
		nmrt_busted_error = match_string(nmrt_error_names, NMRT_ERRORS, busted);
		if (nmrt_busted_error < 0)
			return -EINVAL;
	}
	err = nmrt_begin();
	if (!err && seconds)
		queue_delayed_work(system_unbound_wq, &nmrt_end_work, seconds * HZ);
	return err;
}

static void __exit nmrt_exit_module(void)
{
	cancel_delayed_work_sync(&nmrt_end_work);
	nmrt_end();
}

late_initcall(nmrt_init);
module_exit(nmrt_exit_module);

MODULE_DESCRIPTION("Torture test of the Network Module Registrar");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(NMR);
