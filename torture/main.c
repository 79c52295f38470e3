// SPDX-License-Identifier: GPL-2.0-only
/*
 * The torture test: start the threads, watch them, and stop them. The last line of its
 * output is SUCCESS or FAILURE, with all parameters.
 *
 * The module begins the test when it is loaded. It ends the test after the given seconds
 * and operations, or when it is unloaded. If built in, the test begins at boot, provided
 * that seconds are given.
 *
 * Locking: nmrt_mutex for begin and end.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>

#include "torture.h"

#define NMRT_THREADS	64

static unsigned int seconds;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "duration of the test (default 0: until the module is unloaded)");

static unsigned long long operations;
module_param(operations, ullong, 0444);
MODULE_PARM_DESC(operations, "least number of operations, if seconds are given");

static unsigned int registrars = 16;
module_param(registrars, uint, 0444);
MODULE_PARM_DESC(registrars, "threads that register and deregister");

static unsigned int callers = 4;
module_param(callers, uint, 0444);
MODULE_PARM_DESC(callers, "threads that call");

static unsigned int meddlers = 2;
module_param(meddlers, uint, 0444);
MODULE_PARM_DESC(meddlers, "threads that act on registrations of other threads");

static unsigned int stall_seconds = 300;
module_param(stall_seconds, uint, 0444);
MODULE_PARM_DESC(stall_seconds, "seconds after which a thread without progress is stuck");

/* Threads */

static struct nmrt_thread nmrt_threads[NMRT_THREADS];
static unsigned int nmrt_nr_threads;

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

/* Print the count once a minute if it has risen, so that a silent log means a hang. */
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

static void nmrt_watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(nmrt_watch_work, nmrt_watch);

/* Check once a second that every thread makes progress. */
static void nmrt_watch(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < nmrt_nr_threads; i++) {
		unsigned long still = jiffies - READ_ONCE(nmrt_threads[i].beat);

		if ((long)still < (long)stall_seconds * HZ)
			continue;
		if (!nmrt_happened(NMRT_STALL))
			pr_alert("%s has made no progress for %lu s\n",
				 nmrt_threads[i].task->comm, still / HZ);
		nmrt_error(NMRT_STALL);
	}
	if (nmrt_happened(NMRT_STALL))
		nmrt_complete_lost();
	nmrt_tell_progress();
	queue_delayed_work(nmrt_wq, &nmrt_watch_work, HZ);
}

/*
 * Stop the threads. Registrars, which were started first, are stopped last, because they
 * wait for actions of the others. The watch goes on until all threads have stopped.
 * References keep the tasks until no thread can watch or signal them.
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
		    !nmrt_leaks();

	if (nmrt_busted(NMRT_SUMS))
		even = nmrt_counted(NMRT_REGISTERED) == nmrt_counted(NMRT_ATTACHED);
	if (!even)
		nmrt_error(NMRT_SUMS);
}

static void nmrt_verdict(void)
{
	nmrt_print_counts();
	nmrt_print_errors();
	pr_info("end of test: %s: %llu operations, seed=%llu registrars=%u callers=%u meddlers=%u stall_seconds=%u busted=%s\n",
		nmrt_failed() ? "FAILURE" : "SUCCESS", nmrt_operations(), nmrt_seed,
		registrars, callers, meddlers, stall_seconds, nmrt_busted_name);
}

/* Begin and end */

static DEFINE_MUTEX(nmrt_mutex);
static bool nmrt_running;

static void nmrt_stop(void)
{
	nmrt_interrupts_stop();
	nmrt_join();
	flush_workqueue(nmrt_wq);
	nmrt_wait_for_aged();
	destroy_workqueue(nmrt_wq);
}

/* Begin the test. Return: 0, or an errno, and then no thread runs. */
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

/* End the test, if it runs, and print the verdict. Return: true if there was no error. */
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
		queue_delayed_work(system_dfl_wq, &nmrt_end_work, HZ);
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
	err = nmrt_choose_busted() ?: nmrt_begin();
	if (!err && seconds)
		queue_delayed_work(system_dfl_wq, &nmrt_end_work, seconds * HZ);
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
MODULE_IMPORT_NMR();
