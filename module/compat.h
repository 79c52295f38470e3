/* SPDX-License-Identifier: GPL-2.0 */
/* Where the kernels that nmr.ko is built for differ. */
#ifndef _NMR_COMPAT_H
#define _NMR_COMPAT_H

#include <linux/export.h>
#include <linux/version.h>

/* The namespace became a string in 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define EXPORT_SYMBOL_NMR(sym)	EXPORT_SYMBOL_NS_GPL(sym, "NMR")
#else
#define EXPORT_SYMBOL_NMR(sym)	EXPORT_SYMBOL_NS_GPL(sym, NMR)
#endif

/* From 6.2 on plain callbacks may be lazy, for up to ten seconds. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define call_rcu_hurry		call_rcu
#endif

/* Workers of one CPU were what a queue had that asked for no other, and are not any more. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define NMR_WQ_PERCPU	0
#else
#define NMR_WQ_PERCPU	WQ_PERCPU
#endif

#endif /* _NMR_COMPAT_H */
