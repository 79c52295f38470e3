// SPDX-License-Identifier: GPL-2.0-only
/* A client of the @NAME@ NPI: echo Ada > /sys/module/@NAME@/parameters/greet */
#include "@NAME@_npi.h"

DEFINE_NMR_SLOT(@NAME@_slot);	/* holds the provider that the client has now */

static int @NAME@_greet(const char *name, const struct kernel_param *param)
{
	struct nmr_call call;

	if (!nmr_slot_enter(&@NAME@_slot, &call))
		return -ENODEV;		/* there is no provider, or it is leaving */
	@NAME@_call_greet(&call, name);	/* until exit the provider stays */
	nmr_slot_exit(&call);
	return 0;
}
module_param_call(greet, @NAME@_greet, NULL, NULL, 0200);

static const guid_t @NAME@_id = NMR_GUID("@MODULE_GUID@");

static const struct nmr_client_characteristics @NAME@_client = {
	.slot = &@NAME@_slot,
	.instance = { .npi_id = &@NAME@_npi_id, .module_id = &@NAME@_id },
};
module_nmr_client(@NAME@_client, NULL);

MODULE_DESCRIPTION("@NAME@: a client of nmr");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
