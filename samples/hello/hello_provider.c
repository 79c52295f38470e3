// SPDX-License-Identifier: GPL-2.0-only
/* The smallest provider: it greets its clients, and may be unloaded at any time. */
#include <linux/nmr.h>
#include "hello_npi.h"

static void hello_greet(void *context, const char *name)
{
	pr_info("hello_provider: hello, %s\n", name);
}

static const struct hello_provider_dispatch hello_dispatch = { .greet = hello_greet };

static int hello_attach_client(struct nmr_binding *binding, void *provider_context,
			       const struct nmr_registration_instance *instance,
			       const struct nmr_endpoint *client, struct nmr_endpoint *provider)
{
	provider->dispatch = &hello_dispatch;
	return 0;
}

static const guid_t hello_module_id =
	GUID_INIT(0x6b769fe5, 0xd6f6, 0x4960, 0x8a, 0xef, 0x82, 0x71, 0xdd, 0xae, 0x9f, 0xa6);

static const struct nmr_provider_characteristics hello_provider = {
	.attach_client = hello_attach_client,
	.instance = { .npi_id = &hello_npi_id, .module_id = &hello_module_id },
};
module_nmr_provider(hello_provider, NULL);

MODULE_ALIAS_NMR_PROVIDER(HELLO_NPI_GUID);
MODULE_DESCRIPTION("NMR sample: the smallest provider");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(NMR);
