// SPDX-License-Identifier: GPL-2.0-only
/* The smallest client: every provider that it attaches to greets it. */
#include <linux/nmr.h>
#include "hello_npi.h"

static int hello_attach_provider(struct nmr_binding *binding, void *client_context,
				 const struct nmr_registration_instance *instance)
{
	const struct hello_provider_dispatch *hello;
	struct nmr_endpoint provider;
	int err;

	err = nmr_client_attach_provider(binding, NULL, &provider);
	if (err)
		return err;
	/* Between enter and exit the provider stays. False: the provider is leaving. */
	if (nmr_client_call_enter(binding)) {
		hello = provider.dispatch;
		hello->greet(provider.binding_context, KBUILD_MODNAME);
		nmr_client_call_exit(binding);
	}
	return 0;
}

static const guid_t hello_module_id =
	GUID_INIT(0xb68ea1d2, 0x172e, 0x4a93, 0xa0, 0xc5, 0x4d, 0x66, 0x00, 0x0d, 0xa7, 0xc0);

static const struct nmr_client_characteristics hello_client = {
	.attach_provider = hello_attach_provider,
	.instance = { .npi_id = &hello_npi_id, .module_id = &hello_module_id },
};
module_nmr_client(hello_client, NULL);

MODULE_DESCRIPTION("NMR sample: the smallest client");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(NMR);
