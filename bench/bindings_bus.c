// SPDX-License-Identifier: GPL-2.0-only
/* The driver core: add and bind, unbind and delete many devices. */
#include <linux/platform_device.h>

#include "bindings.h"

static void **bus_devices;

#ifdef BENCH_AUXILIARY
#include <linux/auxiliary_bus.h>

/* Auxiliary bus */

static struct device *aux_parent;
static bool aux_registered;

static int aux_probe(struct auxiliary_device *device, const struct auxiliary_device_id *id)
{
	atomic_inc(&bench_bound);
	return 0;
}

static void aux_remove(struct auxiliary_device *device)
{
	atomic_dec(&bench_bound);
}

static const struct auxiliary_device_id aux_ids[] = {
	{ .name = KBUILD_MODNAME ".bench" },
	{}
};

static struct auxiliary_driver aux_driver = {
	.name	  = "bench",
	.probe	  = aux_probe,
	.remove	  = aux_remove,
	.id_table = aux_ids,
};

static void aux_release(struct device *dev)
{
	kfree(to_auxiliary_dev(dev));
}

static int aux_prepare(const char *shape)
{
	int err;

	bus_devices = kvcalloc(bench_n, sizeof(*bus_devices), GFP_KERNEL);
	if (!bus_devices)
		return -ENOMEM;
	aux_parent = root_device_register("nmr_bench");
	if (IS_ERR(aux_parent))
		return PTR_ERR(aux_parent);
	err = auxiliary_driver_register(&aux_driver);
	aux_registered = !err;
	return err;
}

static int aux_add(unsigned int i)
{
	struct auxiliary_device *device = kzalloc(sizeof(*device), GFP_KERNEL);
	int err;

	if (!device)
		return -ENOMEM;
	device->name = "bench";
	device->id = i;
	device->dev.parent = aux_parent;
	device->dev.release = aux_release;
	err = auxiliary_device_init(device);
	if (err) {
		kfree(device);
		return err;
	}
	err = auxiliary_device_add(device);
	if (err) {
		auxiliary_device_uninit(device);
		return err;
	}
	bus_devices[i] = device;
	return 0;
}

static int aux_attach(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < bench_n; i++) {
		err = aux_add(i);
		cond_resched();
	}
	return err;
}

static void aux_detach(void)
{
	unsigned int i;

	for (i = 0; i < bench_n && bus_devices[i]; i++) {
		struct auxiliary_device *device = bus_devices[i];

		auxiliary_device_delete(device);
		auxiliary_device_uninit(device);
		cond_resched();
	}
}

static void aux_finish(void)
{
	if (aux_registered)
		auxiliary_driver_unregister(&aux_driver);
	if (!IS_ERR_OR_NULL(aux_parent))
		root_device_unregister(aux_parent);
	kvfree(bus_devices);
}

const struct bench_peer bench_auxiliary = {
	.name	 = "auxiliary",
	.prepare = aux_prepare,
	.attach	 = aux_attach,
	.detach	 = aux_detach,
	.finish	 = aux_finish,
};

#endif /* BENCH_AUXILIARY */

/* Platform bus */

static bool platform_registered;

static int bus_platform_probe(struct platform_device *device)
{
	atomic_inc(&bench_bound);
	return 0;
}

/* Without remove, the type of which is not the same on all kernels */
static struct platform_driver bus_platform_driver = {
	.probe	     = bus_platform_probe,
	.driver.name = "nmr_bench",
};

static int bus_platform_prepare(const char *shape)
{
	int err;

	bus_devices = kvcalloc(bench_n, sizeof(*bus_devices), GFP_KERNEL);
	if (!bus_devices)
		return -ENOMEM;
	err = platform_driver_register(&bus_platform_driver);
	platform_registered = !err;
	return err;
}

static int bus_platform_attach(void)
{
	struct platform_device *device;
	unsigned int i;

	for (i = 0; i < bench_n; i++) {
		device = platform_device_register_simple("nmr_bench", i, NULL, 0);
		if (IS_ERR(device))
			return PTR_ERR(device);
		bus_devices[i] = device;
		cond_resched();
	}
	return 0;
}

static void bus_platform_detach(void)
{
	unsigned int i;

	for (i = 0; i < bench_n && bus_devices[i]; i++) {
		platform_device_unregister(bus_devices[i]);
		cond_resched();
	}
}

static void bus_platform_finish(void)
{
	if (platform_registered)
		platform_driver_unregister(&bus_platform_driver);
	kvfree(bus_devices);
}

const struct bench_peer bench_platform = {
	.name	 = "platform",
	.prepare = bus_platform_prepare,
	.attach	 = bus_platform_attach,
	.detach	 = bus_platform_detach,
	.finish	 = bus_platform_finish,
};
