// SPDX-License-Identifier: GPL-2.0-only
/* The smallest client: echo -n Ada > /sys/module/hello_client/parameters/greet */
#include "hello_npi.h"

DEFINE_NMR_SLOT(hello);		/* holds the provider that the client has now */

static int hello_greet(const char *name, const struct kernel_param *param)
{
	struct nmr_call call;

	if (!nmr_slot_enter(&hello, &call))
		return -ENODEV;		/* there is no provider, or it is leaving */
	hello_call_greet(&call, name);	/* until exit the provider stays */
	nmr_slot_exit(&call);
	return 0;
}
module_param_call(greet, hello_greet, NULL, NULL, 0200);

static const guid_t hello_id = NMR_GUID("b68ea1d2-172e-4a93-a0c5-4d66000da7c0");

static const struct nmr_client_characteristics hello_client = {
	.slot = &hello, .instance = { .npi_id = &hello_npi_id, .module_id = &hello_id },
};
module_nmr_client(hello_client, NULL);

MODULE_NMR_INTERFACE(HELLO_NPI_GUID, "hello");
MODULE_DESCRIPTION("NMR sample: the smallest client");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
