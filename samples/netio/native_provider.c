// SPDX-License-Identifier: GPL-2.0-only
/* A provider of the counter NPI that is written for Linux. It does not call its clients. */
#include <linux/nmr.h>

#include "counter_npi.h"

static atomic64_t sum = ATOMIC64_INIT(0);

static NTSTATUS counter_add(PVOID context, ULONG step, PUINT64 result)
{
	*result = atomic64_add_return(step, &sum);
	return STATUS_SUCCESS;
}

static const COUNTER_PROVIDER_DISPATCH counter_dispatch = { .Add = counter_add };

static const guid_t npi_id = NMR_GUID("0d6e3a57-91c2-4b6f-8f0a-52b7c1d46e80");
static const guid_t module_id = NMR_GUID("c57d10f3-2b8e-4a96-b4e1-6f93a05c8d27");

static const struct nmr_provider_characteristics counter_provider = {
	.endpoint = { .dispatch = &counter_dispatch },
	.instance = { .npi_id = &npi_id, .module_id = &module_id },
};
module_nmr_provider(counter_provider, NULL);

MODULE_DESCRIPTION("NMR sample: a native provider for the client written for Windows");
MODULE_LICENSE("GPL");
