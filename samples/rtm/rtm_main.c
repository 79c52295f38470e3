// SPDX-License-Identifier: GPL-2.0-only
/*
 * The routing table manager: a provider, with a table for each network namespace and address
 * family. Its clients are routing protocols.
 *
 * The table of a client follows from its npi_specific. A client is attached to one table, and
 * its binding context is a struct rtm_client. When the client leaves, in whatever way, the
 * registrar calls rtm_detach_client(), and there its routes go. Calls of the client that are still
 * in flight then find "left" set.
 *
 * The files: this one has what the registrar calls. rtm_net.c has the tables of namespaces,
 * rtm_table.c the routes, rtm_trie.c the longest match, rtm_fib.c the mirror in the FIB, and
 * rtm_proc.c a file that shows the tables.
 *
 * Locking: see rtm.h.
 */
#include "rtm.h"

struct workqueue_struct *rtm_wq;

unsigned int rtm_max_routes = 1 << 20;
module_param_named(max_routes, rtm_max_routes, uint, 0644);
MODULE_PARM_DESC(max_routes, "routes that a table takes; then add returns -ENOBUFS");

static unsigned int queue = 256;
module_param(queue, uint, 0444);
MODULE_PARM_DESC(queue, "changes that a client may leave in its queue, 2 or more");

module_param_named(routes, rtm_nr_routes.counter, int, 0444);
MODULE_PARM_DESC(routes, "routes of all tables now");

module_param_named(nodes, rtm_nr_nodes.counter, int, 0444);
MODULE_PARM_DESC(nodes, "nodes of all tries now");

/* Operations of clients, see struct rtm_dispatch */

static int rtm_add(void *context, const struct rtm_route *route, u32 ttl,
		   struct rtm_change *change)
{
	struct rtm_client *c = context;

	if (!ttl)
		return -EINVAL;
	return rtm_check_network(c->table, route) ?: rtm_table_add(c, route, ttl, change);
}

static int rtm_del(void *context, const struct rtm_route *route, struct rtm_change *change)
{
	struct rtm_client *c = context;

	return rtm_check_network(c->table, route) ?: rtm_table_del(c, route, change);
}

static int rtm_block_delete(void *context, int ifindex)
{
	struct rtm_client *c = context;
	int err;

	if (ifindex < 0)
		return -EINVAL;
	mutex_lock(&c->table->lock);
	err = rtm_check_client(c);
	if (!err && !rtm_table_delete_all(c, ifindex, true))
		err = -ESRCH;
	mutex_unlock(&c->table->lock);
	return err;
}

static int rtm_get_best(void *context, const union nf_inet_addr *dst, struct rtm_route *route)
{
	struct rtm_client *c = context;
	const struct rtm_entry *best;
	int err = rtm_check_client(c);
	u64 key[2];

	if (err)
		return err;
	rtm_key(c->table->family, dst, key);
	rcu_read_lock();
	best = rtm_trie_lookup(&c->table->trie, key);
	if (best)
		*route = best->route;
	rcu_read_unlock();
	return best ? 0 : -ESRCH;
}

static int rtm_dequeue(void *context, struct rtm_change *change)
{
	struct rtm_client *c = context;
	int err;

	mutex_lock(&c->table->lock);
	err = rtm_check_client(c);
	if (err)
		;
	else if (!c->wants)
		err = -EOPNOTSUPP;
	else if (c->lost)
		err = -ENOBUFS;
	else if (!kfifo_get(&c->queue, change))
		err = -EAGAIN;
	else
		err = !kfifo_is_empty(&c->queue);
	if (err == -ENOBUFS)
		c->lost = false;
	mutex_unlock(&c->table->lock);
	return err;
}

static const struct rtm_dispatch rtm_dispatch = {
	.add		= rtm_add,
	.del		= rtm_del,
	.block_delete	= rtm_block_delete,
	.get_best	= rtm_get_best,
	.dequeue	= rtm_dequeue,
};

/* Clients */

/* Tell a client that its queue is no longer empty. */
static void rtm_upcall(struct work_struct *work)
{
	struct rtm_client *c = container_of(work, struct rtm_client, upcall);
	const struct rtm_client_dispatch *dispatch = c->peer.dispatch;

	/* If the client leaves, its cleanup waits for this work item. */
	if (!nmr_provider_call_enter(c->binding))
		return;
	dispatch->route_changed(c->peer.binding_context);
	nmr_provider_call_exit(c->binding);
}

static struct rtm_client *rtm_client_alloc(struct nmr_binding *binding,
					   const struct rtm_client_info *info,
					   const struct nmr_endpoint *peer)
{
	const struct rtm_client_dispatch *dispatch = peer->dispatch;
	struct rtm_client *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	/* Later the dispatch table may be read in a call only. */
	c->wants = dispatch && dispatch->route_changed;
	c->binding = binding;
	c->peer = *peer;
	c->protocol = info->protocol;
	c->flags = info->flags;
	INIT_LIST_HEAD(&c->entries);
	INIT_WORK(&c->upcall, rtm_upcall);
	if (c->wants && kfifo_alloc(&c->queue, queue, GFP_KERNEL)) {
		kfree(c);
		return NULL;
	}
	return c;
}

static void rtm_client_free(struct rtm_client *c)
{
	if (c->wants)
		kfifo_free(&c->queue);
	kfree(c);
}

static bool rtm_info_is_right(const struct rtm_client_info *info)
{
	return info && info->net && (info->family == AF_INET || info->family == AF_INET6) &&
	       info->protocol >= RTPROT_STATIC && !(info->flags & ~RTM_SINGLE_ROUTE);
}

/* Enter a client into the table of its namespace and family. */
static int rtm_client_join(struct rtm_client *c, const struct rtm_client_info *info)
{
	struct rtm_table *t = rtm_table_get(info->net, info->family);
	int err;

	if (!t)
		return -EPROBE_DEFER;
	mutex_lock(&t->lock);
	err = t->dead ? -ENODEV : xa_insert(&t->clients, c->protocol, c, GFP_KERNEL);
	mutex_unlock(&t->lock);
	if (err) {
		rtm_table_put(t);
		if (err == -ENOMEM)
			return -EPROBE_DEFER;	/* There may be memory later. */
		return err == -EBUSY ? -EEXIST : err;
	}
	c->table = t;
	return 0;
}

static int rtm_attach_client(struct nmr_binding *binding, void *provider_context,
			     const struct nmr_registration_instance *instance,
			     const struct nmr_endpoint *client, struct nmr_endpoint *provider)
{
	const struct rtm_client_info *info = instance->npi_specific;
	struct rtm_client *c;
	int err;

	if (!rtm_info_is_right(info))
		return -EINVAL;
	c = rtm_client_alloc(binding, info, client);
	if (!c)
		return -EPROBE_DEFER;
	err = rtm_client_join(c, info);
	if (err) {
		rtm_client_free(c);
		return err;
	}
	provider->binding_context = c;
	return 0;
}

/* Calls of the client are open now: tell it what changed since it has joined the table. */
static void rtm_client_attached(void *context)
{
	struct rtm_client *c = context;

	mutex_lock(&c->table->lock);
	if (c->wants && !kfifo_is_empty(&c->queue))
		queue_work(rtm_wq, &c->upcall);
	mutex_unlock(&c->table->lock);
}

/* The client leaves: its routes go, and the other clients hear what became best. */
static int rtm_detach_client(void *context, enum nmr_detach_reason reason)
{
	struct rtm_client *c = context;
	struct rtm_table *t = c->table;

	mutex_lock(&t->lock);
	WRITE_ONCE(c->left, true);
	xa_erase(&t->clients, c->protocol);
	rtm_table_delete_all(c, 0, false);
	mutex_unlock(&t->lock);
	return 0;
}

static void rtm_cleanup(void *context)
{
	struct rtm_client *c = context;

	WARN_ON(!list_empty(&c->entries));
	cancel_work_sync(&c->upcall);
	rtm_table_put(c->table);
	rtm_client_free(c);
}

static const guid_t rtm_module_id = NMR_GUID("5bf8ce5b-22b6-4f36-9fa5-36f1b5c7a6a7");

static const struct nmr_provider_characteristics rtm_provider = {
	.attach_client			= rtm_attach_client,
	.client_attached		= rtm_client_attached,
	.detach_client			= rtm_detach_client,
	.cleanup_binding_context	= rtm_cleanup,
	.endpoint			= { .dispatch = &rtm_dispatch },
	.instance			= { .npi_id = &rtm_npi_id, .module_id = &rtm_module_id },
};

static struct nmr_provider_handle rtm_handle;

/* Have clients attach that were deferred because their namespace had no tables yet. */
void rtm_reoffer(void)
{
	/* While this module loads, the provider is not registered, and there is no such client. */
	nmr_provider_reoffer(rtm_handle);
}

static int __init rtm_init(void)
{
	int err;

	if (queue < 2)
		return -EINVAL;		/* A kfifo has at least 2 elements. */
	rtm_wq = alloc_workqueue("rtm", WQ_UNBOUND, 0);
	if (!rtm_wq)
		return -ENOMEM;
	err = rtm_net_register();
	if (err)
		goto err_wq;
	err = nmr_register_provider(&rtm_provider, NULL, &rtm_handle);
	if (err)
		goto err_net;
	return 0;

err_net:
	rtm_net_unregister();
err_wq:
	destroy_workqueue(rtm_wq);
	return err;
}
module_init(rtm_init);

static void __exit rtm_exit(void)
{
	/* Deregister first: then no client is left, and the tables are empty. */
	nmr_deregister_provider_sync(rtm_handle);
	rtm_net_unregister();
	destroy_workqueue(rtm_wq);
}
module_exit(rtm_exit);

MODULE_NMR_PROVIDER(RTM_NPI_GUID);
MODULE_NMR_INTERFACE(RTM_NPI_GUID, "rtm");
MODULE_DESCRIPTION("NMR sample: a routing table manager");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
