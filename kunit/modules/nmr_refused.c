// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with register calls that the registrar refuses. The module prints the result
 * of the last one, and fails to load.
 *
 * The module passes a struct nmr_site of its own, like a module that was built with
 * another version of <linux/nmr.h>.
 */
#include <linux/nmr.h>

static bool provider;
module_param(provider, bool, 0444);
MODULE_PARM_DESC(provider, "register a provider, not a client");

static unsigned int version = NMR_VERSION;
module_param(version, uint, 0444);
MODULE_PARM_DESC(version, "version of the header to pass");

static int more_bytes;
module_param(more_bytes, int, 0444);
MODULE_PARM_DESC(more_bytes, "bytes to add to the size of the characteristics");

static char *missing = "";
module_param(missing, charp, 0444);
MODULE_PARM_DESC(missing, "what is NULL: characteristics, npi_id, module_id or handle");

static unsigned int times = 1;
module_param(times, uint, 0444);
MODULE_PARM_DESC(times, "number of register calls");

static const guid_t refused_id = NMR_GUID("6e6d7207-7265-6675-8000-000000000001");

static struct nmr_site refused_site = {
	.modname = KBUILD_MODNAME,
	.owner = THIS_MODULE,
};

static bool has(const char *what)
{
	return strcmp(missing, what);
}

static struct nmr_registration_instance refused_instance(void)
{
	return (struct nmr_registration_instance) {
		.npi_id = has("npi_id") ? &refused_id : NULL,
		.module_id = has("module_id") ? &refused_id : NULL,
	};
}

static int refused_register_client(void)
{
	const struct nmr_client_characteristics c = {
		.instance = refused_instance(),
	};
	struct nmr_client_handle handle = {};
	int err;

	err = __nmr_client_register(has("characteristics") ? &c : NULL, NULL,
				    has("handle") ? &handle : NULL, &refused_site);
	if (!err)
		nmr_deregister_client_sync(handle);
	return err;
}

static int refused_register_provider(void)
{
	const struct nmr_provider_characteristics p = {
		.instance = refused_instance(),
	};
	struct nmr_provider_handle handle = {};
	int err;

	err = __nmr_provider_register(has("characteristics") ? &p : NULL, NULL,
				      has("handle") ? &handle : NULL, &refused_site);
	if (!err)
		nmr_deregister_provider_sync(handle);
	return err;
}

static int __init refused_init(void)
{
	unsigned int i;
	int err = 0;

	refused_site.version = version;
	refused_site.size = more_bytes +
		(provider ? sizeof(struct nmr_provider_characteristics) :
			    sizeof(struct nmr_client_characteristics));
	for (i = 0; i < times; i++)
		err = provider ? refused_register_provider() : refused_register_client();
	pr_info("%s: the last of %u register calls returned %d\n", KBUILD_MODNAME, times, err);
	return err;
}

static void __exit refused_exit(void)
{
}

module_init(refused_init);
module_exit(refused_exit);

MODULE_DESCRIPTION("Register calls that are refused");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
