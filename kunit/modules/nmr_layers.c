// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stack of layers. Each layer is a client of the layer below, and in its attach callback
 * registers a provider for the layer above. The lowest layer registers last, so that its
 * register call brings up all layers, one inside the other.
 */
#include <linux/nmr.h>

#define LAYERS_MAX	64

static unsigned int layers = 40;
module_param(layers, uint, 0444);
MODULE_PARM_DESC(layers, "layers above the lowest one");

static unsigned int attached;
module_param(attached, uint, 0444);
MODULE_PARM_DESC(attached, "layers attached when the register call of the lowest one returned");

struct layer {
	guid_t				id;	/* of its NPI, and of its module */
	struct nmr_client_handle	client;
	struct nmr_provider_handle	provider;
	bool				up;
};

static struct layer layer_stack[LAYERS_MAX];

static int layer_attach_client(struct nmr_binding *binding, void *context,
			       const struct nmr_registration_instance *instance,
			       const struct nmr_endpoint *client,
			       struct nmr_endpoint *provider)
{
	return 0;
}

static int layer_provide(struct layer *layer)
{
	const struct nmr_provider_characteristics p = {
		.attach_client = layer_attach_client,
		.instance = { .npi_id = &layer->id, .module_id = &layer->id },
	};

	return nmr_register_provider(&p, NULL, &layer->provider);
}

static int layer_attach_provider(struct nmr_binding *binding, void *context,
				 const struct nmr_registration_instance *provider)
{
	struct layer *layer = context;
	int err = nmr_client_attach_provider(binding, NULL, NULL);

	if (err)
		return err;
	layer->up = true;
	return layer_provide(layer);
}

static int layer_use(struct layer *layer)
{
	const struct nmr_client_characteristics c = {
		.attach_provider = layer_attach_provider,
		.instance = { .npi_id = &layer[-1].id, .module_id = &layer->id },
	};

	return nmr_register_client(&c, layer, &layer->client);
}

/* Deregister all layers, each before the layer above. */
static void layers_leave(void)
{
	unsigned int i;

	for (i = 0; i <= layers; i++) {
		if (layer_stack[i].client.id)
			nmr_deregister_client_sync(layer_stack[i].client);
		if (layer_stack[i].provider.id)
			nmr_deregister_provider_sync(layer_stack[i].provider);
	}
}

static int __init layers_init(void)
{
	unsigned int i;
	int err = 0;

	if (layers >= LAYERS_MAX)
		return -EINVAL;
	for (i = 0; i <= layers; i++)
		layer_stack[i].id = GUID_INIT(0x6e6d7206, 0x6c61, 0x7965,
					      0x80, 0, 0, 0, 0, 0, 0, i);
	for (i = 1; !err && i <= layers; i++)
		err = layer_use(&layer_stack[i]);
	if (!err)
		err = layer_provide(&layer_stack[0]);
	if (err)
		layers_leave();
	for (i = 1; i <= layers; i++)
		attached += layer_stack[i].up;
	return err;
}

static void __exit layers_exit(void)
{
	layers_leave();
}

module_init(layers_init);
module_exit(layers_exit);

MODULE_DESCRIPTION("Attach callbacks that register, one inside the other");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
