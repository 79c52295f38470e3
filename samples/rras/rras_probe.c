// SPDX-License-Identifier: GPL-2.0-only
/*
 * A protocol for the tests of the router manager: it does not route, and does what a protocol
 * should not do, such as to be slow.
 *
 *	cd /sys/module/rras_probe/parameters
 *	echo 1 > hold_stop; cat held	# stop() does not return until hold_stop is 0
 *	echo 1 > hold_attached		# the same for client_attached
 *	echo 77 > event			# have an event of this type, and tell the manager
 *	echo -5 > error			# get_event() fails with this error
 *
 * Parameters that are held become 0 before the module is unloaded.
 */
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/wait.h>
#include "rras_npi.h"

static bool hold_stop, hold_attached;
static int error, event;
static bool has_event, started;
static atomic_t held = ATOMIC_INIT(0), starts = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(probe_wake);
static struct nmr_provider_handle probe_handle;

static int probe_set_hold(const char *val, const struct kernel_param *param)
{
	int err = param_set_bool(val, param);

	wake_up_all(&probe_wake);
	return err;
}

static const struct kernel_param_ops probe_hold_ops = {
	.set = probe_set_hold,
	.get = param_get_bool,
};

module_param_cb(hold_stop, &probe_hold_ops, &hold_stop, 0644);
MODULE_PARM_DESC(hold_stop, "stop() does not return");
module_param_cb(hold_attached, &probe_hold_ops, &hold_attached, 0644);
MODULE_PARM_DESC(hold_attached, "client_attached does not return");
module_param(error, int, 0644);
MODULE_PARM_DESC(error, "what get_event() returns, unless it is 0");
module_param_named(held, held.counter, int, 0444);
MODULE_PARM_DESC(held, "calls that do not return");
module_param_named(starts, starts.counter, int, 0444);
MODULE_PARM_DESC(starts, "how often the protocol was started");

/* Wait until the parameter is 0. */
static void probe_hold(const bool *hold)
{
	atomic_inc(&held);
	wait_event_idle(probe_wake, !READ_ONCE(*hold));
	atomic_dec(&held);
}

static int probe_start(void *context, const struct rras_timers *timers)
{
	if (xchg(&started, true))
		return -EALREADY;
	atomic_inc(&starts);
	return 0;
}

static int probe_start_complete(void *context)
{
	return 0;
}

static int probe_stop(void *context)
{
	probe_hold(&hold_stop);
	WRITE_ONCE(started, false);
	return 0;
}

static int probe_get_event(void *context, struct rras_event *to)
{
	int err = READ_ONCE(error);

	if (err)
		return err;
	if (!xchg(&has_event, false))
		return -ENODATA;
	*to = (struct rras_event){ .type = READ_ONCE(event) };
	return 0;
}

static int probe_add_interface(void *context, int ifindex, const struct rras_interface *info)
{
	return 0;
}

static int probe_interface(void *context, int ifindex)
{
	return 0;
}

static int probe_interface_status(void *context, int ifindex, bool active)
{
	return 0;
}

static int probe_client(void *context, int ifindex, const struct sockaddr_storage *addr)
{
	return 0;
}

static const struct rras_protocol_dispatch probe_dispatch = {
	.version		= RRAS_VERSION,
	.features		= RRAS_ROUTING | RRAS_DEMAND_UPDATE | RRAS_CLIENTS,
	.protocol		= RTPROT_RIP,
	.name			= "probe",
	.start			= probe_start,
	.start_complete		= probe_start_complete,
	.stop			= probe_stop,
	.get_event		= probe_get_event,
	.add_interface		= probe_add_interface,
	.delete_interface	= probe_interface,
	.interface_status	= probe_interface_status,
	.do_update_routes	= probe_interface,
	.unbind_interface	= probe_interface,
	.connect_client		= probe_client,
	.disconnect_client	= probe_client,
};

static int probe_tell(const struct nmr_call *call, void *arg)
{
	const struct rras_manager_dispatch *manager = call->dispatch;

	manager->event_ready(call->context);
	return 0;
}

static int probe_set_event(const char *val, const struct kernel_param *param)
{
	int err = param_set_int(val, param);

	if (err)
		return err;
	WRITE_ONCE(has_event, true);
	return nmr_provider_for_each_client(probe_handle, probe_tell, NULL);
}
module_param_call(event, probe_set_event, param_get_int, &event, 0644);
MODULE_PARM_DESC(event, "have an event of this type");

static void probe_client_attached(void *context)
{
	probe_hold(&hold_attached);
}

static const guid_t probe_id = NMR_GUID("c5ad3434-d52d-4f6a-ba43-3ccf98da13b7");

static const struct nmr_provider_characteristics probe_provider = {
	.client_attached = probe_client_attached,
	.endpoint	 = { .dispatch = &probe_dispatch },
	.instance	 = { .npi_id = &rras_npi_id, .module_id = &probe_id },
};

static int __init probe_init(void)
{
	return nmr_register_provider(&probe_provider, NULL, &probe_handle);
}
module_init(probe_init);

static void __exit probe_exit(void)
{
	nmr_deregister_provider_sync(probe_handle);
}
module_exit(probe_exit);

MODULE_DESCRIPTION("NMR sample: a protocol for the tests of the router manager");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
