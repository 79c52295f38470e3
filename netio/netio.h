/* SPDX-License-Identifier: GPL-2.0-only */
/* What nmr_netio shows to its suites */
#ifndef _NMR_NETIO_H
#define _NMR_NETIO_H

#include <linux/atomic.h>

/* The registrations and bindings of ported modules that have memory */
extern atomic_t netio_objects;

#endif /* _NMR_NETIO_H */
