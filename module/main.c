// SPDX-License-Identifier: GPL-2.0
/*
 * nmr.ko: the Network Module Registrar. Module init and exit.
 *
 * Exit runs when no module uses the registrar any more, so every registration has
 * finished. What may be left are objects on their way out: references of nmr_binding_get(),
 * kobjects that are released late, RCU callbacks. All of them run this module's text,
 * and are waited for.
 *
 * Locking: none is taken here; internal.h has their order.
 */

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "internal.h"

/* Clients and providers that meet, and all that internal.h marks L */
DEFINE_SPINLOCK(nmr_lock);
/* Ids and NPIs; outside nmr_lock */
DEFINE_MUTEX(nmr_registry_mutex);

/*
 * Callbacks of modules run on a queue of their own. They may sleep and wait for each other,
 * so hundreds may run at once: per CPU, as an unbound queue shares them out by node. They may
 * compute for long, so none holds up the next one's start: WQ_CPU_INTENSIVE. They may flush
 * any work: not WQ_MEM_RECLAIM, or that would warn. What the registrar itself has to do
 * is one ordered queue, so that it never waits behind a callback that sleeps; and what
 * comes before any callback of a detach is another, so that it does not wait for sysfs.
 * Not the system's queues: work that waits for nmr may have filled them.
 */
struct workqueue_struct *nmr_callback_wq;
struct workqueue_struct *nmr_wq;
struct workqueue_struct *nmr_closed_wq;

static void nmr_workqueues_exit(void)
{
	if (nmr_callback_wq)
		destroy_workqueue(nmr_callback_wq);
	if (nmr_closed_wq)
		destroy_workqueue(nmr_closed_wq);
	if (nmr_wq)
		destroy_workqueue(nmr_wq);
}

static int __init nmr_workqueues_init(void)
{
	nmr_wq = alloc_ordered_workqueue("nmr", 0);
	nmr_closed_wq = alloc_ordered_workqueue("nmr_closed", 0);
	nmr_callback_wq = alloc_workqueue("nmr_callbacks", NMR_WQ_PERCPU | WQ_CPU_INTENSIVE,
					  NMR_CALLBACKS_AT_ONCE);
	if (nmr_wq && nmr_closed_wq && nmr_callback_wq)
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
	err = nmr_npi_init();
	if (err)
		goto out_objects;
	err = nmr_registration_init();
	if (err)
		goto out_npi;
	err = nmr_sysfs_init();
	if (err)
		goto out_registration;
	err = nmr_registrar_init();
	if (err)
		goto out_sysfs;
	nmr_holders_init();
	return 0;

out_sysfs:
	nmr_sysfs_exit();
out_registration:
	nmr_registration_exit();
out_npi:
	nmr_npi_exit();
out_objects:
	nmr_objects_exit();
out_workqueues:
	nmr_workqueues_exit();
	return err;
}

static void __exit nmr_exit(void)
{
	nmr_holders_exit();
	nmr_registrar_exit();
	nmr_stuck_exit();
	nmr_offer_exit();
	flush_workqueue(nmr_closed_wq);
	flush_workqueue(nmr_callback_wq);
	flush_workqueue(nmr_wq);
	nmr_objects_exit();
	nmr_sysfs_exit();
	nmr_registration_exit();
	nmr_npi_exit();
	nmr_workqueues_exit();
}

/* Before the modules that register, should all be built in. */
subsys_initcall(nmr_init);
module_exit(nmr_exit);

MODULE_DESCRIPTION("Network Module Registrar");
MODULE_LICENSE("GPL");
