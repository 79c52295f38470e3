// SPDX-License-Identifier: GPL-2.0-only
/* The part of the provider that is written for Linux. */
#include "port.h"

DRIVER_INITIALIZE DriverEntry;
MODULE_DRIVER_ENTRY(DriverEntry);

MODULE_NMR_PROVIDER("0d6e3a57-91c2-4b6f-8f0a-52b7c1d46e80");
MODULE_DESCRIPTION("NMR sample: a provider written for Windows");
MODULE_LICENSE("GPL");
