/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernels that the sample systems are built for differ */
#ifndef _NMR_SAMPLES_COMPAT_H
#define _NMR_SAMPLES_COMPAT_H

#include <linux/version.h>

/* mac_pton(). Before, it is in <linux/kernel.h>. */
#ifdef __has_include	/* sparse lacks it */
#if __has_include("linux/hex.h")
#include <linux/hex.h>
#endif
#endif

/* From 6.17 on. Later kernels warn of work that is queued on system_unbound_wq. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define system_dfl_wq		system_unbound_wq
#endif

/* From 6.17 on sha256_init() takes this type. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define sha256_ctx		sha256_state
#endif

/* From 6.19 on kernel_bind() takes this type. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define sockaddr_unsized	sockaddr
#endif

#endif /* _NMR_SAMPLES_COMPAT_H */
