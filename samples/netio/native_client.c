// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the counter NPI that is written for Linux:
 * echo 3 > /sys/module/netio_native_client/parameters/add
 */
#include <linux/nmr.h>

#include "counter_npi.h"

DEFINE_NMR_SLOT(counter);

static void counter_told(PVOID context, UINT64 sum)
{
}

static const COUNTER_CLIENT_DISPATCH counter_client_dispatch = { .Told = counter_told };

static int counter_add(const char *step, const struct kernel_param *param)
{
	const COUNTER_PROVIDER_DISPATCH *dispatch;
	struct nmr_call call;
	NTSTATUS status;
	UINT64 sum;
	u32 n;
	int err = kstrtou32(step, 0, &n);

	if (err)
		return err;
	if (!nmr_slot_enter(&counter, &call))
		return -ENODEV;
	dispatch = call.dispatch;
	status = dispatch->Add(call.context, n, &sum);
	nmr_slot_exit(&call);
	if (!NT_SUCCESS(status))
		return -EIO;
	pr_info("netio_native_client: the sum is %llu\n", sum);
	return 0;
}
module_param_call(add, counter_add, NULL, NULL, 0200);

static const guid_t npi_id = NMR_GUID("0d6e3a57-91c2-4b6f-8f0a-52b7c1d46e80");
static const guid_t module_id = NMR_GUID("1e94b6a8-5c70-4d2f-9b83-d8f61c2a7e05");

static const struct nmr_client_characteristics counter_client = {
	.endpoint = { .dispatch = &counter_client_dispatch },
	.slot = &counter, .instance = { .npi_id = &npi_id, .module_id = &module_id },
};
module_nmr_client(counter_client, NULL);

MODULE_DESCRIPTION("NMR sample: a native client for the provider written for Windows");
MODULE_LICENSE("GPL");
