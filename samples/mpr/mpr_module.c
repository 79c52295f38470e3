// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration server: a part of mpr.ko that registers a provider for each router.
 *
 *	insmod mpr.ko router=east,west		# the default is one called local
 *	cat /sys/module/mpr/parameters/buffers	# what is in use; also connections, handles, objects
 *
 * The other parts are mpr_store.c, mpr_connection.c and mpr_server.c.
 *
 * A binding has connections, and a connection has handles and buffers. The cleanup callback ends
 * the connections that the client has left open. Then the client holds nothing: its calls have
 * returned, and the registrar lets none enter. So the provider needs no detach callback. The
 * configuration stays until the module unloads.
 *
 * Locking: mpr_lock protects everything.
 */
#include <linux/module.h>
#include "mpr.h"

#define MPR_ROUTERS	8

static char *mpr_names[MPR_ROUTERS] = { "local" };
static uint mpr_nr_names = 1;
module_param_array_named(router, mpr_names, charp, &mpr_nr_names, 0444);
MODULE_PARM_DESC(router, "Names of up to 8 routers (local)");

uint mpr_limit = 65536;
module_param_named(limit, mpr_limit, uint, 0444);
MODULE_PARM_DESC(limit, "Interfaces of a router; also what a client may have of each kind (65536)");

module_param_named(objects, mpr_objects, uint, 0444);
MODULE_PARM_DESC(objects, "Interfaces and transports in memory");

module_param_named(connections, mpr_connections, uint, 0444);
module_param_named(handles, mpr_handles, uint, 0444);
module_param_named(buffers, mpr_buffers, uint, 0444);
MODULE_PARM_DESC(connections, "Connections that are open");
MODULE_PARM_DESC(handles, "Handles of interfaces and transports");
MODULE_PARM_DESC(buffers, "Buffers that clients own");

static struct mpr_router mpr_routers[MPR_ROUTERS];

static int mpr_attach_client(struct nmr_binding *binding, void *provider_context,
			     const struct nmr_registration_instance *instance,
			     const struct nmr_endpoint *client, struct nmr_endpoint *provider)
{
	provider->binding_context = mpr_peer_alloc(provider_context);
	return provider->binding_context ? 0 : -EPROBE_DEFER;	/* There may be memory later. */
}

static void mpr_cleanup(void *context)
{
	mutex_lock(&mpr_lock);
	mpr_peer_free(context);
	mutex_unlock(&mpr_lock);
}

static const guid_t mpr_module_id = NMR_GUID("f8a70b8a-4ca0-4419-b663-7b3f004441f7");

static int __init mpr_router_register(struct mpr_router *router, u32 number)
{
	struct nmr_provider_characteristics characteristics = {
		.attach_client			= mpr_attach_client,
		.cleanup_binding_context	= mpr_cleanup,
		.endpoint			= { .dispatch = &mpr_dispatch },
		.instance = {
			.npi_id			= &mpr_npi_id,
			.module_id		= &mpr_module_id,
			.number			= number,
			.npi_specific		= &router->info,
		},
	};

	mpr_router_init(router, mpr_names[number]);
	return nmr_register_provider(&characteristics, router, &router->handle);
}

static void mpr_routers_end(uint count)
{
	uint i;

	/* Begin with all, so that the waits overlap. */
	for (i = 0; i < count; i++)
		nmr_deregister_provider(mpr_routers[i].handle);
	for (i = 0; i < count; i++)
		nmr_deregister_provider_sync(mpr_routers[i].handle);
	mutex_lock(&mpr_lock);
	for (i = 0; i < count; i++)
		mpr_router_destroy(&mpr_routers[i]);
	mutex_unlock(&mpr_lock);
	WARN_ON(mpr_objects || mpr_connections || mpr_handles || mpr_buffers);
}

static int __init mpr_init(void)
{
	int err;
	uint i;

	for (i = 0; i < mpr_nr_names; i++)
		if (!mpr_name_is_allowed(mpr_names[i]))
			return -EINVAL;
	for (i = 0; i < mpr_nr_names; i++) {
		err = mpr_router_register(&mpr_routers[i], i);
		if (err) {
			mpr_routers_end(i);
			return err;
		}
	}
	return 0;
}
module_init(mpr_init);

static void __exit mpr_exit(void)
{
	mpr_routers_end(mpr_nr_names);
}
module_exit(mpr_exit);

MODULE_NMR_PROVIDER(MPR_NPI_GUID);
MODULE_NMR_INTERFACE(MPR_NPI_GUID, "mpr");
MODULE_DESCRIPTION("NMR sample: the configuration server of a router");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
