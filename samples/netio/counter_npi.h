/* SPDX-License-Identifier: GPL-2.0-only */
/* The counter NPI: a provider adds for its clients, and tells them the sum. */
#ifndef _COUNTER_NPI_H
#define _COUNTER_NPI_H

#include <netioddk.h>

/* {0d6e3a57-91c2-4b6f-8f0a-52b7c1d46e80} */
DEFINE_GUID(COUNTER_NPIID,
	    0x0d6e3a57, 0x91c2, 0x4b6f, 0x8f, 0x0a, 0x52, 0xb7, 0xc1, 0xd4, 0x6e, 0x80);

typedef NTSTATUS COUNTER_ADD_FN(PVOID ProviderBindingContext, ULONG Step, PUINT64 Sum);

typedef struct _COUNTER_PROVIDER_DISPATCH {
	COUNTER_ADD_FN	*Add;
} COUNTER_PROVIDER_DISPATCH;

typedef VOID COUNTER_TOLD_FN(PVOID ClientBindingContext, UINT64 Sum);

typedef struct _COUNTER_CLIENT_DISPATCH {
	COUNTER_TOLD_FN	*Told;
} COUNTER_CLIENT_DISPATCH;

#endif /* _COUNTER_NPI_H */
