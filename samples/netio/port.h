/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the drivers take from the Windows kernel besides the registrar: pool and spin locks. Each
 * port has such a header of its own.
 */
#ifndef _NETIO_PORT_H
#define _NETIO_PORT_H

#include <linux/slab.h>
#include <linux/spinlock.h>

#include <netioddk.h>
#include <sal.h>

typedef unsigned long	KIRQL;
typedef spinlock_t	KSPIN_LOCK;

#define KeInitializeSpinLock(SpinLock)		spin_lock_init(SpinLock)
#define KeAcquireSpinLock(SpinLock, OldIrql)	spin_lock_irqsave(SpinLock, *(OldIrql))
#define KeReleaseSpinLock(SpinLock, NewIrql)	spin_unlock_irqrestore(SpinLock, NewIrql)

#define POOL_FLAG_NON_PAGED	0x40

/* Return: zeroed memory, or NULL. */
static inline PVOID ExAllocatePool2(UINT64 Flags, size_t NumberOfBytes, ULONG Tag)
{
	return kzalloc(NumberOfBytes, GFP_KERNEL);
}

static inline VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
	kfree(P);
}

#endif /* _NETIO_PORT_H */
