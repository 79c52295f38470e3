/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _NETIO_CLIENT_H
#define _NETIO_CLIENT_H

#include "port.h"

DRIVER_INITIALIZE DriverEntry;
NTSTATUS CounterAdd(ULONG Step, PUINT64 Sum);

#endif /* _NETIO_CLIENT_H */
