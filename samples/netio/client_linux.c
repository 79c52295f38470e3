// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the client that is written for Linux: threads that call.
 *
 * ClientUnload() is called first, and the threads are stopped afterwards, since they may still be
 * returning from the registrar.
 */
#include <linux/atomic.h>
#include <linux/kthread.h>

#include "client.h"

static struct task_struct *callers[8];

static unsigned int threads;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "threads that call, at most 8");

static atomic_t calls = ATOMIC_INIT(0);
module_param_named(calls, calls.counter, int, 0444);
MODULE_PARM_DESC(calls, "calls that have succeeded");

static atomic_t wrong = ATOMIC_INIT(0);
module_param_named(wrong, wrong.counter, int, 0444);
MODULE_PARM_DESC(wrong, "calls with a wrong sum");

static DRIVER_OBJECT driver;

static int caller(void *unused)
{
	UINT64 sum;

	while (!kthread_should_stop()) {
		sum = 0;
		if (!NT_SUCCESS(CounterAdd(3, &sum))) {
			schedule_timeout_idle(1);
			continue;
		}
		if (!sum || sum % 3)
			atomic_inc(&wrong);
		atomic_inc(&calls);
		cond_resched();
	}
	return 0;
}

static void stop_callers(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(callers); i++)
		if (!IS_ERR_OR_NULL(callers[i]))
			kthread_stop(callers[i]);
}

static int __init netio_client_init(void)
{
	NTSTATUS status;
	unsigned int i;

	if (threads > ARRAY_SIZE(callers))
		return -EINVAL;
	status = DriverEntry(&driver, NULL);
	if (!NT_SUCCESS(status))
		return NmrLinuxErrno(status);
	for (i = 0; i < threads; i++) {
		callers[i] = kthread_run(caller, NULL, "netio_client/%u", i);
		if (IS_ERR(callers[i])) {
			driver.DriverUnload(&driver);
			stop_callers();
			return PTR_ERR(callers[i]);
		}
	}
	return 0;
}
module_init(netio_client_init);

static void __exit netio_client_exit(void)
{
	driver.DriverUnload(&driver);
	stop_callers();
}
module_exit(netio_client_exit);

MODULE_DESCRIPTION("NMR sample: a client written for Windows");
MODULE_LICENSE("GPL");
