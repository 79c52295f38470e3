/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernels that the test modules and the benchmarks are built for differ */
#ifndef _NMR_TESTS_COMPAT_H
#define _NMR_TESTS_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/mmzone.h>
#include <linux/nmr.h>
#include <linux/percpu.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#include "../module/compat.h"

/* From 6.2 on, and in some stable kernels before. From 6.15 on the old name is gone. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete_sync	del_timer_sync
#endif

/* From 6.13 on. From 6.15 on hrtimer_init() is gone. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void nt_hrtimer_setup(struct hrtimer *timer,
				    enum hrtimer_restart (*fn)(struct hrtimer *timer),
				    clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}

#define hrtimer_setup		nt_hrtimer_setup
#endif

/* From 6.17 on. Later kernels warn of work that is queued on system_unbound_wq. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define system_dfl_wq		system_unbound_wq
#endif

/* The kernel has <linux/cleanup.h>, and compiles as C99 or later, which it does from 5.18 on. */
#if defined(DEFINE_CLASS) && LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
#define NT_SCOPED_CALLS
#endif

/* Return the number of pages in a CPU's list, which is in another member from 5.14 on. */
static inline int nt_pages_in_list(struct zone *zone, int cpu)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0)
	return per_cpu_ptr(zone->pageset, cpu)->pcp.count;
#else
	return per_cpu_ptr(zone->per_cpu_pageset, cpu)->count;
#endif
}

#endif /* _NMR_TESTS_COMPAT_H */
