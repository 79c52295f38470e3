// SPDX-License-Identifier: GPL-2.0-only
/*
 * RIP version 2 (RFC 2453) as a provider of the routing protocol NPI.
 *
 * A router manager registers once for each network namespace, so each binding has a router of
 * its own. rip_state.c starts and stops a router, rip_if.c has its interfaces and clients,
 * rip_io.c its sockets, rip_table.c its routes, and rip_rtm.c adds the routes to the kernel's
 * table: there each router is a client of the routing table manager.
 *
 * A router has one work item, which does everything that happens by itself: it receives, lets
 * routes age, announces, tells the table manager of changes and the router manager of events.
 *
 * Authors of providers may note:
 *
 * - The router has a pointer to its binding, to call its own manager and no other, and to
 *   complete a detach. The pointer is valid until the cleanup callback returns.
 * - The detach callback cannot stop the router, since that waits for the table manager. It
 *   queues a work item, which completes the detach.
 * - A call that has entered may run while the detach callback runs. The state says to both what
 *   the router does. Cleanup comes after such calls, so it cancels what they may have queued.
 *
 * Locking, from outermost to innermost:
 *
 *   router->control   mutex. Held while the router starts or stops, and while it waits for its
 *		       binding to the table manager to end. No callback takes it.
 *   RTNL	       Held to add and to free interfaces. The notifier is called with it.
 *   rip_mutex	       It protects the list of routers, and everything that they have. It is not
 *		       held across a call to the table manager or to the router manager.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "rip.h"

#define RIP_POLL	HZ		/* how often addresses and timeouts are looked at */
#define RIP_DAMPING	(5 * HZ)	/* time between two triggered updates, at most */

DEFINE_MUTEX(rip_mutex);	/* for all that routers have, see above */
LIST_HEAD(rip_routers);
struct workqueue_struct *rip_wq;

/* Events */

/* Tell the manager of an event. Must be called with rip_mutex held. */
void rip_post(struct rip_router *r, enum rras_event_type type, int ifindex, int status)
{
	struct rras_event event = { .type = type, .ifindex = ifindex, .status = status };

	if (kfifo_is_full(&r->events)) {
		kfifo_skip(&r->events);
		r->events_lost = true;
	}
	kfifo_put(&r->events, event);
	r->tell = true;
	mod_delayed_work(rip_wq, &r->work, 0);
}

static int rip_get_event(void *context, struct rras_event *event)
{
	struct rip_router *r = context;
	int err = 0;

	mutex_lock(&rip_mutex);
	if (r->events_lost)
		err = -ENOBUFS;
	else if (!kfifo_get(&r->events, event))
		err = -ENODATA;
	r->events_lost = false;
	mutex_unlock(&rip_mutex);
	return err;
}

/* Call the manager if there are events. The manager is not called before start_complete(). */
static void rip_tell(struct rip_router *r)
{
	const struct rras_manager_dispatch *manager = r->client->dispatch;
	bool tell;

	mutex_lock(&rip_mutex);
	tell = r->tell && r->completed;
	if (tell)
		r->tell = false;
	mutex_unlock(&rip_mutex);
	if (!tell || !nmr_provider_call_enter(r->binding))
		return;
	manager->event_ready(r->client->binding_context);
	nmr_provider_call_exit(r->binding);
}

/* The work item */

/* Return: a number from 0 to @limit, so that the routers of a link do not speak in step */
static unsigned long rip_random(unsigned long limit)
{
	return get_random_u32() % (limit + 1);
}

/* Announce what is due. Return: when the work item has to run again */
static unsigned long rip_timers(struct rip_router *r)
{
	unsigned long delay = clamp_t(unsigned long, r->update / 8, 1, RIP_POLL);
	unsigned long damping = r->update / 30 + rip_random(r->update / 8);

	rip_age(r);
	if (time_after_eq(jiffies, r->next_update)) {
		rip_announce(r, true);
		r->next_update = jiffies + r->update - rip_random(r->update / 6);
	} else if (r->changed && time_after_eq(jiffies, r->next_trigger)) {
		rip_announce(r, false);
		r->next_trigger = jiffies + min_t(unsigned long, damping, RIP_DAMPING);
	} else if (r->changed) {
		delay = min(delay, r->next_trigger - jiffies);
	}
	return delay;
}

static void rip_work(struct work_struct *work)
{
	struct rip_router *r = container_of(to_delayed_work(work), struct rip_router, work);
	bool more = rip_receive(r), running;
	unsigned long delay = 0;

	mutex_lock(&rip_mutex);
	running = r->state == RIP_RUNNING;
	if (running)
		delay = rip_timers(r);
	mutex_unlock(&rip_mutex);
	rip_rtm_push(r);
	rip_tell(r);
	if (running)
		queue_delayed_work(rip_wq, &r->work, more ? 0 : delay);
}

/* The provider */

static const struct rras_protocol_dispatch rip_dispatch = {
	.version		= RRAS_VERSION,
	.features		= RRAS_ROUTING | RRAS_DEMAND_UPDATE | RRAS_CLIENTS,
	.protocol		= RTPROT_RIP,
	.name			= "rip",
	.start			= rip_start,
	.start_complete		= rip_start_complete,
	.stop			= rip_stop,
	.get_event		= rip_get_event,
	.add_interface		= rip_add_interface,
	.delete_interface	= rip_delete_interface,
	.interface_status	= rip_interface_status,
	.do_update_routes	= rip_update_routes,
	.unbind_interface	= rip_unbind_interface,
	.connect_client		= rip_connect_client,
	.disconnect_client	= rip_disconnect_client,
};

static void rip_free(struct kref *kref)
{
	struct rip_router *r = container_of(kref, struct rip_router, kref);

	nmr_slot_free(&r->rtm);
	kfree(r);
}

static void rip_detach_work(struct work_struct *work)
{
	struct rip_router *r = container_of(work, struct rip_router, detach_work);

	mutex_lock(&r->control);
	rip_shut_down(r, RIP_DEAD);
	mutex_unlock(&r->control);
	nmr_provider_detach_client_complete(r->binding);
}

static struct rip_router *rip_new_router(struct net *net)
{
	struct rip_router *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r || nmr_slot_init(&r->rtm)) {
		kfree(r);
		return NULL;
	}
	kref_init(&r->kref);
	mutex_init(&r->control);
	INIT_LIST_HEAD(&r->ifaces);
	INIT_LIST_HEAD(&r->dirty);
	INIT_KFIFO(r->events);
	INIT_DELAYED_WORK(&r->work, rip_work);
	INIT_WORK(&r->stop_work, rip_stop_work);
	INIT_WORK(&r->detach_work, rip_detach_work);
	r->net = net;
	r->dispatch = rip_dispatch;
	return r;
}

/* Narrow what the manager offers. The manager may speak a newer version, and older ones, too. */
static int rip_attach_client(struct nmr_binding *binding, void *provider_context,
			     const struct nmr_registration_instance *instance,
			     const struct nmr_endpoint *client, struct nmr_endpoint *provider)
{
	const struct rras_manager_info *offer = instance->npi_specific;
	struct rip_router *r;

	if (!offer || !client->dispatch || offer->version < RRAS_VERSION ||
	    !(offer->features & RRAS_ROUTING))
		return -ENODEV;
	r = rip_new_router(offer->net);
	if (!r)
		return -EPROBE_DEFER;	/* There may be memory later. */
	r->dispatch.features &= offer->features;
	r->binding = binding;
	r->client = client;
	mutex_lock(&rip_mutex);
	list_add_tail(&r->list, &rip_routers);
	mutex_unlock(&rip_mutex);
	provider->binding_context = r;
	provider->dispatch = &r->dispatch;
	return 0;
}

static int rip_detach_client(void *provider_binding_context, enum nmr_detach_reason reason)
{
	struct rip_router *r = provider_binding_context;

	queue_work(rip_wq, &r->detach_work);
	return -EINPROGRESS;
}

/* All calls have returned, so that nothing queues work any more. */
static void rip_cleanup(void *provider_binding_context)
{
	struct rip_router *r = provider_binding_context;

	WARN_ON(r->state != RIP_DEAD || !list_empty(&r->ifaces));
	mutex_lock(&rip_mutex);
	list_del(&r->list);
	mutex_unlock(&rip_mutex);
	cancel_work_sync(&r->stop_work);
	cancel_delayed_work_sync(&r->work);
	kref_put(&r->kref, rip_free);
}

static const guid_t rip_id = NMR_GUID("92f7dffe-d997-47b3-8d6d-b1c5b68e45aa");

static const struct nmr_provider_characteristics rip_provider = {
	.attach_client		 = rip_attach_client,
	.detach_client		 = rip_detach_client,
	.cleanup_binding_context = rip_cleanup,
	.instance		 = { .npi_id = &rras_npi_id, .module_id = &rip_id },
};

static struct nmr_provider_handle rip_handle;

/* Network namespaces */

static struct rip_router *rip_get_router(struct net *net)
{
	struct rip_router *r, *found = NULL;

	mutex_lock(&rip_mutex);
	list_for_each_entry(r, &rip_routers, list)
		if (r->net == net && r->state != RIP_DEAD)
			found = r;
	if (found)
		kref_get(&found->kref);
	mutex_unlock(&rip_mutex);
	return found;
}

static int __net_init rip_net_init(struct net *net)
{
	if (!proc_create_net_single("rip", 0444, net->proc_net, rip_proc_show, NULL))
		return -ENOMEM;
	return 0;
}

/* The namespace may end while the manager is attached. The devices have to be dropped now. */
static void __net_exit rip_net_exit(struct net *net)
{
	struct rip_router *r;

	while ((r = rip_get_router(net))) {
		mutex_lock(&r->control);
		rip_shut_down(r, RIP_DEAD);
		mutex_unlock(&r->control);
		kref_put(&r->kref, rip_free);
	}
	remove_proc_entry("rip", net->proc_net);
}

static struct pernet_operations rip_net_ops = {
	.init = rip_net_init,
	.exit = rip_net_exit,
};

/* The module */

static int __init rip_init(void)
{
	int err;

	rip_wq = alloc_workqueue("rip", WQ_UNBOUND, 0);
	if (!rip_wq)
		return -ENOMEM;
	err = register_pernet_device(&rip_net_ops);
	if (err)
		goto err_wq;
	err = register_netdevice_notifier(&rip_netdev_notifier);
	if (err)
		goto err_net;
	err = nmr_register_provider(&rip_provider, NULL, &rip_handle);
	if (err)
		goto err_notifier;
	return 0;

err_notifier:
	unregister_netdevice_notifier(&rip_netdev_notifier);
err_net:
	unregister_pernet_device(&rip_net_ops);
err_wq:
	destroy_workqueue(rip_wq);
	return err;
}
module_init(rip_init);

static void __exit rip_exit(void)
{
	nmr_deregister_provider_sync(rip_handle);
	unregister_netdevice_notifier(&rip_netdev_notifier);
	unregister_pernet_device(&rip_net_ops);
	destroy_workqueue(rip_wq);
}
module_exit(rip_exit);

MODULE_NMR_PROVIDER(RRAS_NPI_GUID);
MODULE_NMR_INTERFACE(RRAS_NPI_GUID, "rras");
MODULE_DESCRIPTION("NMR sample: RIP version 2, a routing protocol");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
