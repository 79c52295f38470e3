// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Workqueues
 *
 * **nmr_callback_wq** runs callbacks of modules. Callbacks may sleep and wait for each other,
 * so hundreds may run concurrently: the queue is per CPU, because an unbound queue divides its
 * limit among nodes. Callbacks may compute for long, so the queue is ``WQ_CPU_INTENSIVE``: a
 * callback does not delay the start of the next. Callbacks may flush any work, so the queue
 * is not ``WQ_MEM_RECLAIM``, which would warn.
 *
 * **nmr_wq** runs scans and finishes of registrations. Each registration has its own work item.
 * Scans may sleep, and compute for long, so the queue is ``WQ_CPU_INTENSIVE``, too: a scan delays
 * no other work.
 *
 * **nmr_timed_wq** runs what comes after a delay: the retries of offers that found no memory, and
 * the check for stuck bindings. It is unbound, because a timer may expire on an isolated CPU.
 *
 * **nmr_reap_wq** takes bindings out of sysfs, in a work item of each registration. It is a
 * queue of its own, because readers of sysfs can make many items sleep. It is per CPU and not
 * CPU intensive: many workers at once would contend for the locks of kernfs.
 *
 * **nmr_closed_wq** collects the counts of closed bindings. It is ordered, because collecting
 * interrupts every CPU.
 *
 * The registrar's own work never waits behind a callback that sleeps. System workqueues
 * cannot be used: their workers may all be blocked by tasks that wait for the registrar.
 */
/*
 * Module init and exit. "Memory and unloading" in refs.c says what exit waits for.
 *
 * Locking: none.
 */

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "binding.h"
#include "callback.h"
#include "debug.h"

/* Protects the members marked L. */
DEFINE_SPINLOCK(nmr_lock);

struct workqueue_struct *nmr_callback_wq;
struct workqueue_struct *nmr_reap_wq;
struct workqueue_struct *nmr_wq;
struct workqueue_struct *nmr_timed_wq;
struct workqueue_struct *nmr_closed_wq;

static void nmr_workqueues_exit(void)
{
	if (nmr_callback_wq)
		destroy_workqueue(nmr_callback_wq);
	if (nmr_closed_wq)
		destroy_workqueue(nmr_closed_wq);
	if (nmr_reap_wq)
		destroy_workqueue(nmr_reap_wq);
	if (nmr_timed_wq)
		destroy_workqueue(nmr_timed_wq);
	if (nmr_wq)
		destroy_workqueue(nmr_wq);
}

static int __init nmr_workqueues_init(void)
{
	nmr_wq = alloc_workqueue("nmr", WQ_PERCPU | WQ_CPU_INTENSIVE, WQ_MAX_ACTIVE);
	nmr_timed_wq = alloc_workqueue("nmr_timed", WQ_UNBOUND, 0);
	nmr_reap_wq = alloc_workqueue("nmr_reap", WQ_PERCPU, WQ_MAX_ACTIVE);
	nmr_closed_wq = alloc_ordered_workqueue("nmr_closed", 0);
	nmr_callback_wq = alloc_workqueue("nmr_callbacks", WQ_PERCPU | WQ_CPU_INTENSIVE,
					  NMR_CALLBACKS_AT_ONCE);
	if (nmr_wq && nmr_timed_wq && nmr_reap_wq && nmr_closed_wq && nmr_callback_wq)
		return 0;
	nmr_workqueues_exit();
	return -ENOMEM;
}

static int __init nmr_init(void)
{
	int err;

	err = nmr_workqueues_init();
	if (err)
		return err;
	err = nmr_objects_init();
	if (err)
		goto out_workqueues;
	err = nmr_sysfs_init();
	if (err)
		goto out_objects;
	err = nmr_leave_init();
	if (err)
		goto out_sysfs;
	nmr_debugfs_init();
	nmr_api_init();
	return 0;

out_sysfs:
	nmr_sysfs_exit();
out_objects:
	nmr_objects_exit();
out_workqueues:
	nmr_workqueues_exit();
	return err;
}

static void __exit nmr_exit(void)
{
	nmr_debugfs_exit();
	nmr_leave_exit();
	nmr_stuck_exit();
	nmr_offer_exit();
	flush_workqueue(nmr_closed_wq);
	flush_workqueue(nmr_callback_wq);
	flush_workqueue(nmr_reap_wq);
	flush_workqueue(nmr_wq);
	nmr_objects_exit();
	nmr_sysfs_exit();
	nmr_workqueues_exit();
}

/* If all is built in, init runs before the modules that register. */
subsys_initcall(nmr_init);
module_exit(nmr_exit);

MODULE_DESCRIPTION("Network Module Registrar");
MODULE_AUTHOR("nmr maintainers");
MODULE_VERSION(NMR_RELEASE);
MODULE_LICENSE("GPL");
