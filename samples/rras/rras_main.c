// SPDX-License-Identifier: GPL-2.0-only
/*
 * A router manager: a client of the routing protocol NPI.
 *
 * Each network namespace may have a router, which runs one routing protocol. Commands act in
 * the namespace of the task that writes them:
 *
 *	cd /sys/module/rras/parameters
 *	echo start > router			also: begin, complete, stop
 *	echo "add veth0 1" > interface		also: up, down, update, unbind, delete
 *	echo "connect veth0 10.0.0.2" > client	also: disconnect
 *	cat /proc/net/rras
 *
 * "start" is "begin" and "complete". The write fails with the errno of the protocol.
 *
 * Authors of clients may note:
 *
 * - A router registers when it starts, and has a slot, which holds its protocol.
 * - The manager keeps what was configured. When a protocol attaches, now or later, a work item
 *   starts it and configures it. So the protocol may be unloaded and loaded at any time.
 * - The attach callback only queues the work item. A task that registers a router holds the
 *   lock of its configuration, so a callback must not take it.
 * - The manager stops the protocol before it deregisters, because a stop may be pending, and the
 *   protocol ends it by a call. If the protocol leaves meanwhile, it stops by itself.
 *
 * Locking, from outermost to innermost:
 *
 *   rras_commands   mutex. Held for a whole command. It protects @started. No callback takes it,
 *		     and no namespace that ends: a command keeps its own namespace, and no other
 *		     namespace waits for it.
 *   router->lock    mutex. It protects the configuration. It is held while the protocol is
 *		     called, but not while the manager waits for a stop.
 *   event_lock	     spinlock. It protects the last events.
 */
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <net/netns/generic.h>
#include "rras.h"

static uint version = RRAS_VERSION;
module_param(version, uint, 0644);
MODULE_PARM_DESC(version, "Version of the NPI that routers offer");

static uint features = RRAS_ROUTING | RRAS_DEMAND_UPDATE | RRAS_CLIENTS;
module_param(features, uint, 0644);
MODULE_PARM_DESC(features, "Features that routers offer");

static uint required = RRAS_ROUTING;
module_param(required, uint, 0644);
MODULE_PARM_DESC(required, "Features that a protocol must have");

static uint update_ms = 30000, timeout_ms = 180000, garbage_ms = 120000;
module_param(update_ms, uint, 0644);
MODULE_PARM_DESC(update_ms, "Time between announcements");
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "Time after which a route that is not announced times out");
module_param(garbage_ms, uint, 0644);
MODULE_PARM_DESC(garbage_ms, "Time for which a route is announced as unreachable");

static bool drain = true;
module_param(drain, bool, 0644);
MODULE_PARM_DESC(drain, "Take events out of the protocol's queue");

DEFINE_MUTEX(rras_commands);	/* for commands, see above */
static bool rras_ready;
static unsigned int rras_net_id;

/* What was configured. The caller holds router->lock. */

struct rras_iface *rras_find(struct rras_router *router, int ifindex)
{
	struct rras_iface *iface;

	list_for_each_entry(iface, &router->ifaces, list)
		if (iface->ifindex == ifindex)
			return iface;
	return NULL;
}

void rras_forget_client(struct rras_client *client)
{
	list_del(&client->list);
	kfree(client);
}

void rras_forget(struct rras_iface *iface)
{
	struct rras_client *client, *next;

	if (!iface)
		return;
	list_for_each_entry_safe(client, next, &iface->clients, list)
		rras_forget_client(client);
	list_del(&iface->list);
	kfree(iface);
}

static void rras_forget_all(struct rras_router *router)
{
	struct rras_iface *iface, *next;

	list_for_each_entry_safe(iface, next, &router->ifaces, list)
		rras_forget(iface);
}

/* Call the protocol. Return: what @fn returned; -ENODEV: there is no protocol */
int rras_call(struct rras_router *router, nmr_call_fn *fn, void *arg)
{
	struct nmr_call call;
	int err;

	if (!nmr_slot_enter(&router->slot, &call))
		return -ENODEV;
	err = fn(&call, arg);
	nmr_slot_exit(&call);
	return err;
}

/* Tell a protocol of an interface, and of its clients. Return: false if it is of no use. */
static bool rras_restore(const struct nmr_call *call, struct rras_iface *iface)
{
	const struct rras_protocol_dispatch *protocol = call->dispatch;
	struct rras_client *client, *next;

	if (protocol->add_interface(call->context, iface->ifindex, &iface->info))
		return false;
	if (iface->active &&
	    protocol->interface_status(call->context, iface->ifindex, true))
		return false;
	list_for_each_entry_safe(client, next, &iface->clients, list)
		if (protocol->connect_client(call->context, iface->ifindex, &client->addr))
			rras_forget_client(client);
	return true;
}

/* Start a protocol, unless it is started. The caller holds router->lock. */
int rras_start_one(const struct nmr_call *call, void *arg)
{
	const struct rras_protocol_dispatch *protocol = call->dispatch;
	struct rras_router *router = arg;
	struct rras_iface *iface, *next;
	int err;

	err = protocol->start(call->context, &router->timers);
	if (err)
		return err == -EALREADY ? 0 : err;
	list_for_each_entry_safe(iface, next, &router->ifaces, list)
		if (!rras_restore(call, iface))
			rras_forget(iface);
	return router->completed ? protocol->start_complete(call->context) : 0;
}

static int rras_complete_one(const struct nmr_call *call, void *arg)
{
	const struct rras_protocol_dispatch *protocol = call->dispatch;
	int err = rras_start_one(call, arg);

	return err ?: protocol->start_complete(call->context);
}

/*
 * Start a protocol that has attached. It is in the slot as soon as its own callbacks have returned,
 * whenever that is. If it leaves before, the next one is started. If the router leaves, the wait
 * ends.
 */
static void rras_attach_work(struct work_struct *work)
{
	struct rras_router *router = container_of(work, struct rras_router, attach_work);
	struct nmr_call call;
	int err;

	if (nmr_slot_enter_wait(&router->slot, &call, MAX_SCHEDULE_TIMEOUT))
		return;
	mutex_lock(&router->lock);
	err = rras_start_one(&call, router);
	mutex_unlock(&router->lock);
	nmr_slot_exit(&call);
	if (err)
		pr_warn_ratelimited("rras: the protocol does not start, error %d\n", err);
}

/* Events */

static void rras_note_event(struct rras_router *router, const struct rras_event *event)
{
	if (event->type == RRAS_INTERFACE_GONE) {
		mutex_lock(&router->lock);
		rras_forget(rras_find(router, event->ifindex));
		mutex_unlock(&router->lock);
	}
	spin_lock(&router->event_lock);
	if (kfifo_is_full(&router->events))
		kfifo_skip(&router->events);
	kfifo_put(&router->events, *event);
	spin_unlock(&router->event_lock);
	if (event->type == RRAS_ROUTER_STOPPED)
		WRITE_ONCE(router->stopped, true);
}

/* Take all events. A protocol that cannot tell them cannot tell that it has stopped, either. */
static int rras_drain(const struct nmr_call *call, void *arg)
{
	const struct rras_protocol_dispatch *protocol = call->dispatch;
	struct rras_router *router = arg;
	struct rras_event event;
	int err;

	while ((err = protocol->get_event(call->context, &event)) != -ENODATA) {
		if (!err && event.type < RRAS_EVENT_TYPES) {
			rras_note_event(router, &event);
		} else if (!err) {
			pr_warn_ratelimited("rras: %s has an unknown event\n", protocol->name);
		} else if (err == -ENOBUFS) {
			pr_warn_ratelimited("rras: %s has lost events\n", protocol->name);
		} else {
			pr_warn_ratelimited("rras: %s has no events, error %d\n", protocol->name,
					    err);
			WRITE_ONCE(router->stopped, true);
			break;
		}
	}
	return 0;
}

static void rras_event_work(struct work_struct *work)
{
	struct rras_router *router = container_of(work, struct rras_router, event_work);

	if (READ_ONCE(drain) || !READ_ONCE(router->stopped))
		rras_call(router, rras_drain, router);
	wake_up(&router->wake);
}

/* The NPI: what the protocol calls */

static void rras_event_ready(void *context)
{
	struct rras_router *router = context;

	atomic_inc(&router->upcalls);
	queue_work(system_dfl_wq, &router->event_work);
}

static bool rras_validate_route(void *context, __be32 addr, u8 plen, int ifindex)
{
	struct rras_router *router = context;

	atomic_inc(&router->upcalls);
	return !rras_denies(addr);
}

static const struct rras_manager_dispatch rras_dispatch = {
	.event_ready	= rras_event_ready,
	.validate_route	= rras_validate_route,
};

/* Attach, unless the protocol lacks a feature that the manager needs. */
static int rras_attach_provider(struct nmr_binding *binding, void *client_context,
				const struct nmr_registration_instance *provider)
{
	const struct nmr_endpoint self = { client_context, &rras_dispatch };
	const struct rras_protocol_dispatch *protocol;
	struct rras_router *router = client_context;
	struct nmr_endpoint peer;
	int err;

	err = nmr_client_attach_provider(binding, &self, &peer);
	if (err)
		return err;
	protocol = peer.dispatch;
	if (required & ~protocol->features)
		return -ENODEV;
	queue_work(system_dfl_wq, &router->attach_work);
	return 0;
}

/* Wake a task that waits for a stop. A protocol that leaves stops without an event. */
static int rras_detach_provider(void *client_binding_context, enum nmr_detach_reason reason)
{
	struct rras_router *router = client_binding_context;

	wake_up(&router->wake);
	return 0;
}

static const guid_t rras_id = NMR_GUID("c8adfadd-bf77-46f1-ae8c-37c1cfa9b8a6");

/* Starting and stopping. The caller holds rras_commands, or the namespace ends. */

static bool rras_closed(struct nmr_binding *binding)
{
	if (!nmr_client_call_enter(binding))
		return true;
	nmr_client_call_exit(binding);
	return false;
}

static int rras_stop_one(const struct nmr_call *call, void *arg)
{
	const struct rras_protocol_dispatch *protocol = call->dispatch;
	struct rras_router *router = arg;

	WRITE_ONCE(router->stopped, false);
	if (protocol->stop(call->context) == -EINPROGRESS)
		wait_event_idle(router->wake, READ_ONCE(router->stopped) ||
				rras_closed(call->binding));
	WRITE_ONCE(router->stopped, true);
	return 0;
}

int rras_stop(struct rras_router *router)
{
	if (!router->started)
		return -ESHUTDOWN;
	rras_call(router, rras_stop_one, router);
	nmr_deregister_client_sync(router->handle);
	cancel_work_sync(&router->attach_work);
	cancel_work_sync(&router->event_work);
	mutex_lock(&router->lock);
	rras_forget_all(router);
	router->started = false;
	mutex_unlock(&router->lock);
	return 0;
}

static int rras_register(struct rras_router *router, struct net *net)
{
	const struct nmr_client_characteristics client = {
		.attach_provider = rras_attach_provider,
		.detach_provider = rras_detach_provider,
		.slot		 = &router->slot,
		.instance	 = {
			.npi_id		= &rras_npi_id,
			.module_id	= &rras_id,
			.npi_specific	= &router->info,
		},
	};

	router->info = (struct rras_manager_info){ net, version, features };
	router->timers = (struct rras_timers){ update_ms, timeout_ms, garbage_ms };
	return nmr_register_client(&client, router, &router->handle);
}

int rras_start(struct rras_router *router, struct net *net, bool complete)
{
	int err;

	if (router->started)
		return -EALREADY;
	mutex_lock(&router->lock);
	router->completed = complete;
	err = rras_register(router, net);
	router->started = !err;
	if (!err)
		err = rras_call(router, rras_start_one, router);
	mutex_unlock(&router->lock);
	if (err == -ENODEV)
		return 0;	/* A protocol may attach later. */
	if (err && router->started)
		rras_stop(router);
	return err;
}

int rras_complete(struct rras_router *router)
{
	int err;

	if (!router->started)
		return -ESHUTDOWN;
	mutex_lock(&router->lock);
	err = rras_call(router, rras_complete_one, router);
	router->completed |= !err || err == -ENODEV;
	mutex_unlock(&router->lock);
	return err == -ENODEV ? 0 : err;
}

/* Namespaces */

struct rras_router *rras_router_of(struct net *net)
{
	return net_generic(net, rras_net_id);
}

/*
 * Return: the router of the namespace of the task; NULL: the module is not initialised yet, or
 * leaves. The caller holds rras_commands.
 */
struct rras_router *rras_router(void)
{
	return rras_ready ? rras_router_of(current->nsproxy->net_ns) : NULL;
}

static int __net_init rras_net_init(struct net *net)
{
	struct rras_router *router = net_generic(net, rras_net_id);

	mutex_init(&router->lock);
	INIT_LIST_HEAD(&router->ifaces);
	INIT_WORK(&router->attach_work, rras_attach_work);
	INIT_WORK(&router->event_work, rras_event_work);
	init_waitqueue_head(&router->wake);
	spin_lock_init(&router->event_lock);
	INIT_KFIFO(router->events);
	router->stopped = true;
	if (nmr_slot_init(&router->slot))
		return -ENOMEM;
	if (proc_create_net_single("rras", 0444, net->proc_net, rras_show, NULL))
		return 0;
	nmr_slot_free(&router->slot);
	return -ENOMEM;
}

/*
 * The router gets no command any more: a task that writes one would keep the namespace, and a
 * module that leaves has waited for the last one.
 */
static void __net_exit rras_net_exit(struct net *net)
{
	struct rras_router *router = net_generic(net, rras_net_id);

	rras_stop(router);
	remove_proc_entry("rras", net->proc_net);
	nmr_slot_free(&router->slot);
}

static struct pernet_operations rras_net_ops = {
	.init	= rras_net_init,
	.exit	= rras_net_exit,
	.id	= &rras_net_id,
	.size	= sizeof(struct rras_router),
};

/* The module. Its parameters are there before it is initialised, and until after it has left. */

static void rras_set_ready(bool ready)
{
	mutex_lock(&rras_commands);
	rras_ready = ready;
	mutex_unlock(&rras_commands);
}

static int __init rras_init(void)
{
	int err = register_pernet_device(&rras_net_ops);

	if (!err)
		rras_set_ready(true);
	return err;
}
module_init(rras_init);

static void __exit rras_exit(void)
{
	rras_set_ready(false);
	unregister_pernet_device(&rras_net_ops);
}
module_exit(rras_exit);

MODULE_NMR_INTERFACE(RRAS_NPI_GUID, "rras");
MODULE_DESCRIPTION("NMR sample: a router manager");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
