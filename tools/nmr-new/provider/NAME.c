// SPDX-License-Identifier: GPL-2.0-only
/* A provider of the @NAME@ NPI. It may be unloaded at any time. */
#include "@NAME@_npi.h"

static void @NAME@_greet(void *context, const char *name)
{
	pr_info("@NAME@: hello, %s\n", name);
}

static const struct @NAME@_provider_dispatch @NAME@_dispatch = {
	.greet = @NAME@_greet,
};

static const guid_t @NAME@_id = NMR_GUID("@MODULE_GUID@");

static const struct nmr_provider_characteristics @NAME@_provider = {
	.endpoint = { .dispatch = &@NAME@_dispatch },
	.instance = { .npi_id = &@NAME@_npi_id, .module_id = &@NAME@_id },
};
module_nmr_provider(@NAME@_provider, NULL);

MODULE_NMR_PROVIDER(@UPPER@_NPI_GUID);
MODULE_NMR_INTERFACE(@UPPER@_NPI_GUID, "@NAME@_npi");
MODULE_DESCRIPTION("@NAME@: a provider of nmr");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
