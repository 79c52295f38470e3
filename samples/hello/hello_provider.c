// SPDX-License-Identifier: GPL-2.0-only
/* The smallest provider: it greets for its clients, and may be unloaded at any time. */
#include "hello_npi.h"

static void hello_greet(void *context, const char *name)
{
	pr_info("hello_provider: hello, %s\n", name);
}

static const struct hello_provider_dispatch hello_dispatch = { .greet = hello_greet };

static const guid_t hello_id = NMR_GUID("6b769fe5-d6f6-4960-8aef-8271ddae9fa6");

static const struct nmr_provider_characteristics hello_provider = {
	.endpoint = { .dispatch = &hello_dispatch },
	.instance = { .npi_id = &hello_npi_id, .module_id = &hello_id },
};
module_nmr_provider(hello_provider, NULL);

MODULE_NMR_PROVIDER(HELLO_NPI_GUID);
MODULE_NMR_INTERFACE(HELLO_NPI_GUID, "hello");
MODULE_DESCRIPTION("NMR sample: the smallest provider");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
