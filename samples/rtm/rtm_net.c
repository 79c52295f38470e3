// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of network namespaces, and their devices.
 *
 * A namespace that ends takes its tables with it. Clients of these tables stay attached until
 * they leave, and their calls return -ENODEV. They keep the memory of the table.
 *
 * A table has no reference to a device. It has the indices of devices, and hears by notifiers of a
 * device that leaves, goes down or comes up, and of its IPv4 addresses. The kernel removes routes
 * of its FIB then.
 *
 * A client may register for a namespace before rtm_net_init() or after rtm_net_exit() has run for
 * it, since other modules have such functions, too. net_generic() must not be used then. So clients
 * find their tables in a list.
 *
 * Locking: rtm_lock protects the list, and rtm_net.tables while it is in the list.
 */
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <net/netns/generic.h>
#include "rtm.h"

/* The tables of a network namespace */
struct rtm_net {
	struct list_head	list;		/* in rtm_nets, while clients may attach */
	const struct net	*net;
	struct rtm_table	*tables[2];	/* IPv4, IPv6 */
	struct notifier_block	devices;
};

static unsigned int rtm_net_id __read_mostly;
static LIST_HEAD(rtm_nets);
static DEFINE_MUTEX(rtm_lock);

/* Tables */

static void rtm_table_free(struct kref *ref)
{
	struct rtm_table *t = container_of(ref, struct rtm_table, ref);

	WARN_ON(t->nr_routes || rcu_access_pointer(t->trie.root));
	xa_destroy(&t->clients);
	kfree(t);
}

void rtm_table_put(struct rtm_table *t)
{
	kref_put(&t->ref, rtm_table_free);
}

/* Return the table with a reference, or NULL if the namespace begins or ends. */
struct rtm_table *rtm_table_get(const struct net *net, sa_family_t family)
{
	struct rtm_table *t = NULL;
	struct rtm_net *rn;

	mutex_lock(&rtm_lock);
	list_for_each_entry(rn, &rtm_nets, list) {
		if (rn->net != net)
			continue;
		t = rn->tables[family == AF_INET6];
		kref_get(&t->ref);
		break;
	}
	mutex_unlock(&rtm_lock);
	return t;
}

/* Return the table, for a reader in the namespace. */
struct rtm_table *rtm_net_table(struct net *net, sa_family_t family)
{
	struct rtm_net *rn = net_generic(net, rtm_net_id);

	return rn->tables[family == AF_INET6];
}

static struct rtm_table *rtm_table_start(struct net *net, sa_family_t family)
{
	struct rtm_table *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	t->net = net;
	t->family = family;
	t->trie.wide = family == AF_INET6;
	kref_init(&t->ref);
	mutex_init(&t->lock);
	xa_init(&t->clients);
	timerqueue_init_head(&t->expiries);
	INIT_DELAYED_WORK(&t->expire, rtm_table_expire);
	if (rtm_fib_start(t)) {
		kfree(t);
		return NULL;
	}
	return t;
}

/* Remove all routes for good. The FIB has none of them when the function returns. */
static void rtm_table_stop(struct rtm_table *t)
{
	struct rtm_client *c;
	unsigned long protocol;

	mutex_lock(&t->lock);
	WRITE_ONCE(t->dead, true);
	xa_for_each(&t->clients, protocol, c)
		rtm_table_delete_all(c, 0, false);
	mutex_unlock(&t->lock);
	cancel_delayed_work_sync(&t->expire);
	rtm_fib_stop(t);
}

/* Free a table that no client has seen, if it is one. */
static void rtm_table_cancel(struct rtm_table *t)
{
	if (!t)
		return;
	rtm_fib_stop(t);
	rtm_table_put(t);
}

/* Devices */

static int rtm_device_event(struct notifier_block *devices, unsigned long event, void *info)
{
	struct rtm_net *rn = container_of(devices, struct rtm_net, devices);
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	unsigned int i;

	if (event != NETDEV_UP && event != NETDEV_DOWN && event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	for (i = 0; i < ARRAY_SIZE(rn->tables); i++) {
		struct rtm_table *t = rn->tables[i];

		mutex_lock(&t->lock);
		if (event == NETDEV_UP)
			rtm_fib_offer(t);
		else
			rtm_fib_flushed(t, dev->ifindex);
		if (event == NETDEV_UNREGISTER)
			rtm_table_device_gone(t, dev->ifindex);
		mutex_unlock(&t->lock);
	}
	return NOTIFY_DONE;
}

/*
 * A device that loses its last IPv4 address loses its IPv4 routes. A new address may make a next
 * hop known.
 */
static int rtm_address_event(struct notifier_block *addresses, unsigned long event, void *info)
{
	const struct in_device *in_dev = ((const struct in_ifaddr *)info)->ifa_dev;
	struct rtm_table *t = rtm_table_get(dev_net(in_dev->dev), AF_INET);

	if (!t)
		return NOTIFY_DONE;
	mutex_lock(&t->lock);
	if (event == NETDEV_UP)
		rtm_fib_offer(t);
	else if (event == NETDEV_DOWN && !rcu_access_pointer(in_dev->ifa_list))
		rtm_fib_flushed(t, in_dev->dev->ifindex);
	mutex_unlock(&t->lock);
	rtm_table_put(t);
	return NOTIFY_DONE;
}

static struct notifier_block rtm_addresses = { .notifier_call = rtm_address_event };

/* Namespaces */

static void rtm_net_put_tables(struct rtm_net *rn)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rn->tables); i++)
		rtm_table_put(rn->tables[i]);
}

/*
 * Stop the tables before the notifier goes: unregistering it reports each device as gone, and
 * then the mirror would leave the routes to the kernel.
 */
static void __net_exit rtm_net_exit(struct net *net)
{
	struct rtm_net *rn = net_generic(net, rtm_net_id);

	mutex_lock(&rtm_lock);
	list_del(&rn->list);
	mutex_unlock(&rtm_lock);
	rtm_proc_remove(net);
	rtm_table_stop(rn->tables[0]);
	rtm_table_stop(rn->tables[1]);
	unregister_netdevice_notifier_net(net, &rn->devices);
	rtm_net_put_tables(rn);
}

static int __net_init rtm_net_init_tables(struct net *net, struct rtm_net *rn)
{
	struct rtm_table *ipv4 = rtm_table_start(net, AF_INET);
	struct rtm_table *ipv6 = rtm_table_start(net, AF_INET6);

	if (!ipv4 || !ipv6) {
		rtm_table_cancel(ipv4);
		rtm_table_cancel(ipv6);
		return -ENOMEM;
	}
	rn->tables[0] = ipv4;
	rn->tables[1] = ipv6;
	return 0;
}

static int __net_init rtm_net_init(struct net *net)
{
	struct rtm_net *rn = net_generic(net, rtm_net_id);
	int err;

	err = rtm_net_init_tables(net, rn);
	if (err)
		return err;
	rn->devices.notifier_call = rtm_device_event;
	err = register_netdevice_notifier_net(net, &rn->devices);
	if (err)
		goto err_tables;
	err = rtm_proc_create(net);
	if (err)
		goto err_devices;
	rn->net = net;
	mutex_lock(&rtm_lock);
	list_add(&rn->list, &rtm_nets);
	mutex_unlock(&rtm_lock);
	/* Clients that were loaded before this module may have registered before. */
	rtm_reoffer();
	return 0;

err_devices:
	unregister_netdevice_notifier_net(net, &rn->devices);
err_tables:
	rtm_table_stop(rn->tables[0]);
	rtm_table_stop(rn->tables[1]);
	rtm_net_put_tables(rn);
	return err;
}

static struct pernet_operations rtm_net_ops = {
	.init	= rtm_net_init,
	.exit	= rtm_net_exit,
	.id	= &rtm_net_id,
	.size	= sizeof(struct rtm_net),
};

/* Begin with all namespaces. As for a device, the tables go before the devices go. */
int rtm_net_register(void)
{
	int err = register_pernet_device(&rtm_net_ops);

	if (err)
		return err;
	err = register_inetaddr_notifier(&rtm_addresses);
	if (err)
		unregister_pernet_device(&rtm_net_ops);
	return err;
}

void rtm_net_unregister(void)
{
	unregister_inetaddr_notifier(&rtm_addresses);
	unregister_pernet_device(&rtm_net_ops);
}
