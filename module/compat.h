/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernels that nmr.ko is built for differ; and the namespace of its symbols */
#ifndef _NMR_COMPAT_H
#define _NMR_COMPAT_H

#include <linux/export.h>
#include <linux/version.h>

#define EXPORT_SYMBOL_NMR(sym)	EXPORT_SYMBOL_NS_GPL(sym, NMR)

/* For the white-box suites, as EXPORT_SYMBOL_IF_KUNIT(), which 6.1 has not */
#if IS_ENABLED(CONFIG_NMR_KUNIT_TEST)
#define EXPORT_SYMBOL_NMR_IF_KUNIT(sym)	EXPORT_SYMBOL_NMR(sym)
#else
#define EXPORT_SYMBOL_NMR_IF_KUNIT(sym)
#endif

/* From 6.2 on call_rcu() may delay callbacks, for up to ten seconds. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define call_rcu_hurry		call_rcu
#endif

/* The callbacks of a kset have a const parameter from 6.2 on. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define NMR_KSET_CONST		const
#else
#define NMR_KSET_CONST
#endif

#endif /* _NMR_COMPAT_H */
