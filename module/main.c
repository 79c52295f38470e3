// SPDX-License-Identifier: GPL-2.0-only
/*
 * nmr.ko: the Network Module Registrar. Module init and exit.
 *
 * Exit runs when no module uses the registrar any more, so every registration has
 * finished; nor while references of nmr_binding_get() exist, which pin this module. What
 * may be left are objects on their way out: kobjects that are released late, and RCU
 * callbacks. Both run this module's text, and exit waits for them.
 *
 * Locking: none is taken here; internal.h has their order.
 */

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "internal.h"

/* Protects all that internal.h marks L */
DEFINE_SPINLOCK(nmr_lock);

/*
 * Callbacks of modules run on a queue of their own. They may sleep and wait for each other,
 * so hundreds may run at once: per CPU, as an unbound queue shares them out by node. They
 * may compute for long, so none holds up the start of the next: WQ_CPU_INTENSIVE. They may
 * flush any work: not WQ_MEM_RECLAIM, or that would warn.
 *
 * The registrar's own work never waits behind a callback that sleeps. Scans, finishes and
 * reaping have a work item a registration: they may sleep, and scans may compute, and none
 * waits for another. Bindings are reaped by one worker a CPU unless that sleeps, as many at
 * once would contend for the locks of kernfs. What comes before any callback of a detach is
 * one ordered queue.
 *
 * The queues of the system are not used: their workers may all be blocked by tasks that
 * wait for the registrar.
 */
struct workqueue_struct *nmr_callback_wq;
struct workqueue_struct *nmr_reap_wq;
struct workqueue_struct *nmr_wq;
struct workqueue_struct *nmr_closed_wq;

static void nmr_workqueues_exit(void)
{
	if (nmr_callback_wq)
		destroy_workqueue(nmr_callback_wq);
	if (nmr_closed_wq)
		destroy_workqueue(nmr_closed_wq);
	if (nmr_reap_wq)
		destroy_workqueue(nmr_reap_wq);
	if (nmr_wq)
		destroy_workqueue(nmr_wq);
}

static int __init nmr_workqueues_init(void)
{
	nmr_wq = alloc_workqueue("nmr", WQ_PERCPU | WQ_CPU_INTENSIVE, WQ_MAX_ACTIVE);
	nmr_reap_wq = alloc_workqueue("nmr_reap", WQ_PERCPU, WQ_MAX_ACTIVE);
	nmr_closed_wq = alloc_ordered_workqueue("nmr_closed", 0);
	nmr_callback_wq = alloc_workqueue("nmr_callbacks", WQ_PERCPU | WQ_CPU_INTENSIVE,
					  NMR_CALLBACKS_AT_ONCE);
	if (nmr_wq && nmr_reap_wq && nmr_closed_wq && nmr_callback_wq)
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
	err = nmr_registrar_init();
	if (err)
		goto out_sysfs;
	nmr_debugfs_init();
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
	nmr_registrar_exit();
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

/* Before the modules that register, should all be built in. */
subsys_initcall(nmr_init);
module_exit(nmr_exit);

MODULE_DESCRIPTION("Network Module Registrar");
MODULE_LICENSE("GPL");
