// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interfaces of a router, and the clients that are connected on them.
 *
 * An interface holds a reference to its device, and each client holds another one. All
 * references are dropped when the router manager deletes the interface, when the router stops,
 * when the manager or the namespace leaves, or when the device is unregistered. An interface is
 * added, and the list of interfaces searched for a device that is unregistered, with RTNL held.
 * So no reference is taken after the notifier has run.
 */
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include "rip.h"

struct rip_iface *rip_find_iface(struct rip_router *r, int ifindex)
{
	struct rip_iface *iface;

	list_for_each_entry(iface, &r->ifaces, list)
		if (iface->dev->ifindex == ifindex)
			return iface;
	return NULL;
}

/* Test if packets may be sent and received. */
bool rip_iface_runs(const struct rip_iface *iface)
{
	return iface->sock && iface->active && netif_running(iface->dev);
}

/* Test if the address is the network's own, or the one for all of its hosts. */
static bool rip_no_host(const struct in_ifaddr *ifa, __be32 addr)
{
	__be32 host = addr & ~ifa->ifa_mask;

	return ifa->ifa_prefixlen < 31 && (!host || host == ~ifa->ifa_mask);
}

/* Test if an address belongs to a neighbour on the link, and not to this router. */
bool rip_onlink(const struct net_device *dev, __be32 addr)
{
	struct in_device *in_dev;
	struct in_ifaddr *ifa;
	bool own = false, onlink = false;

	rcu_read_lock();
	in_dev = __in_dev_get_rcu(dev);
	if (in_dev) {
		in_dev_for_each_ifa_rcu(ifa, in_dev) {
			own |= ifa->ifa_local == addr;
			onlink |= inet_ifa_match(addr, ifa) && !rip_no_host(ifa, addr);
		}
	}
	rcu_read_unlock();
	return onlink && !own;
}

/* Clients */

static void rip_free_peer(struct rip_peer *peer)
{
	list_del(&peer->list);
	netdev_put(peer->dev, &peer->tracker);
	kfree(peer);
}

static struct rip_peer *rip_find_peer(struct rip_iface *iface, __be32 addr)
{
	struct rip_peer *peer;

	list_for_each_entry(peer, &iface->peers, list)
		if (peer->addr == addr)
			return peer;
	return NULL;
}

/* Find the interface that a client is on, and take the client's address apart. */
static int rip_find_link(struct rip_router *r, int ifindex,
			 const struct sockaddr_storage *addr, struct rip_iface **iface)
{
	int err = rip_usable(r);

	if (err)
		return err;
	if (!(r->dispatch.features & RRAS_CLIENTS))
		return -EOPNOTSUPP;
	*iface = rip_find_iface(r, ifindex);
	if (!*iface || !(*iface)->sock || !addr)
		return -EINVAL;
	return addr->ss_family == AF_INET ? 0 : -EAFNOSUPPORT;
}

static int rip_connect(struct rip_router *r, int ifindex, const struct sockaddr_storage *addr)
{
	struct rip_iface *iface;
	struct rip_peer *peer;
	int err = rip_find_link(r, ifindex, addr, &iface);
	__be32 ip;

	if (err)
		return err;
	ip = ((const struct sockaddr_in *)addr)->sin_addr.s_addr;
	if (rip_find_peer(iface, ip))
		return -EEXIST;
	if (!rip_onlink(iface->dev, ip))
		return -EINVAL;
	peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return -ENOMEM;
	peer->addr = ip;
	peer->dev = iface->dev;
	netdev_hold(peer->dev, &peer->tracker, GFP_KERNEL);
	list_add_tail(&peer->list, &iface->peers);
	return 0;
}

static int rip_disconnect(struct rip_router *r, int ifindex,
			  const struct sockaddr_storage *addr)
{
	struct rip_iface *iface;
	struct rip_peer *peer;
	int err = rip_find_link(r, ifindex, addr, &iface);

	if (err)
		return err;
	peer = rip_find_peer(iface, ((const struct sockaddr_in *)addr)->sin_addr.s_addr);
	if (!peer)
		return -ENOENT;
	rip_free_peer(peer);
	return 0;
}

/* The device of the interface is held, and cannot be unregistered without the notifier. */
int rip_connect_client(void *context, int ifindex, const struct sockaddr_storage *addr)
{
	int err;

	mutex_lock(&rip_mutex);
	err = rip_connect(context, ifindex, addr);
	mutex_unlock(&rip_mutex);
	return err;
}

int rip_disconnect_client(void *context, int ifindex, const struct sockaddr_storage *addr)
{
	int err;

	mutex_lock(&rip_mutex);
	err = rip_disconnect(context, ifindex, addr);
	mutex_unlock(&rip_mutex);
	return err;
}

/* Interfaces */

/* Stop to use an interface. Must be called with RTNL and rip_mutex held. */
static void rip_unbind(struct rip_router *r, struct rip_iface *iface)
{
	struct rip_peer *peer, *next;

	rip_close(iface);
	iface->active = false;
	list_for_each_entry_safe(peer, next, &iface->peers, list)
		rip_free_peer(peer);
	rip_expire_iface(r, iface->dev->ifindex);
	if (iface->updating)
		rip_post(r, RRAS_UPDATE_DONE, iface->dev->ifindex, -ETIMEDOUT);
	iface->updating = false;
}

/* Drop everything that an interface has. Must be called with RTNL and rip_mutex held. */
static void rip_free_iface(struct rip_router *r, struct rip_iface *iface)
{
	rip_unbind(r, iface);
	list_del(&iface->list);
	netdev_put(iface->dev, &iface->tracker);
	kfree(iface);
}

/* Free all interfaces. Must be called with RTNL and rip_mutex held. */
void rip_free_ifaces(struct rip_router *r)
{
	struct rip_iface *iface, *next;

	list_for_each_entry_safe(iface, next, &r->ifaces, list)
		rip_free_iface(r, iface);
}

static int rip_new_iface(struct rip_router *r, struct net_device *dev,
			 const struct rras_interface *info)
{
	struct rip_iface *iface = kzalloc(sizeof(*iface), GFP_KERNEL);
	int err;

	if (!iface)
		return -ENOMEM;
	INIT_LIST_HEAD(&iface->peers);
	iface->dev = dev;
	iface->cost = info->cost;
	iface->passive = info->passive;
	err = rip_open(r, iface);
	if (err) {
		kfree(iface);
		return err == -ENOMEM ? err : -EIO;
	}
	netdev_hold(dev, &iface->tracker, GFP_KERNEL);
	list_add_tail(&iface->list, &r->ifaces);
	return 0;
}

static int rip_add(struct rip_router *r, int ifindex, const struct rras_interface *info)
{
	struct net_device *dev;
	int err = rip_usable(r);

	if (err)
		return err;
	if (!info || !info->cost || info->cost > RRAS_MAX_COST || rip_find_iface(r, ifindex))
		return -EINVAL;
	dev = __dev_get_by_index(r->net, ifindex);
	return dev ? rip_new_iface(r, dev, info) : -EINVAL;
}

int rip_add_interface(void *context, int ifindex, const struct rras_interface *info)
{
	int err;

	rtnl_lock();
	mutex_lock(&rip_mutex);
	err = rip_add(context, ifindex, info);
	mutex_unlock(&rip_mutex);
	rtnl_unlock();
	return err;
}

/* Delete an interface, or only unbind it. */
static int rip_leave(struct rip_router *r, int ifindex, bool delete)
{
	struct rip_iface *iface;
	int err;

	rtnl_lock();
	mutex_lock(&rip_mutex);
	err = rip_usable(r);
	iface = rip_find_iface(r, ifindex);
	if (!err && !(iface && (delete || iface->sock)))
		err = -EINVAL;
	if (!err && delete)
		rip_free_iface(r, iface);
	else if (!err)
		rip_unbind(r, iface);
	mutex_unlock(&rip_mutex);
	rtnl_unlock();
	return err;
}

int rip_delete_interface(void *context, int ifindex)
{
	return rip_leave(context, ifindex, true);
}

int rip_unbind_interface(void *context, int ifindex)
{
	return rip_leave(context, ifindex, false);
}

/* Begin to speak on an interface, if the router works and the device is up. */
static void rip_greet(struct rip_router *r, struct rip_iface *iface)
{
	if (r->state != RIP_RUNNING || !rip_iface_runs(iface))
		return;
	if (!iface->passive)
		rip_ask(r, iface);
	mod_delayed_work(rip_wq, &r->work, 0);
}

static int rip_status(struct rip_router *r, int ifindex, bool active)
{
	struct rip_iface *iface;
	int err = rip_usable(r);

	if (err)
		return err;
	iface = rip_find_iface(r, ifindex);
	if (!iface || !iface->sock)
		return -EINVAL;
	iface->active = active;
	if (active)
		rip_greet(r, iface);
	else
		rip_expire_iface(r, ifindex);
	return 0;
}

int rip_interface_status(void *context, int ifindex, bool active)
{
	int err;

	mutex_lock(&rip_mutex);
	err = rip_status(context, ifindex, active);
	mutex_unlock(&rip_mutex);
	return err;
}

static int rip_update(struct rip_router *r, int ifindex)
{
	struct rip_iface *iface;
	int err = rip_usable(r);

	if (err)
		return err;
	if (!(r->dispatch.features & RRAS_DEMAND_UPDATE))
		return -EOPNOTSUPP;
	iface = rip_find_iface(r, ifindex);
	if (!iface || !iface->sock)
		return -EINVAL;
	if (r->state != RIP_RUNNING || !rip_iface_runs(iface) || iface->passive)
		return -EIO;
	iface->updating = true;
	iface->update_by = jiffies + r->update;
	rip_ask(r, iface);
	return 0;
}

int rip_update_routes(void *context, int ifindex)
{
	int err;

	mutex_lock(&rip_mutex);
	err = rip_update(context, ifindex);
	mutex_unlock(&rip_mutex);
	return err;
}

/* The notifier */

static void rip_netdev_router(struct rip_router *r, struct net_device *dev,
			      unsigned long event)
{
	struct rip_iface *iface = rip_find_iface(r, dev->ifindex);

	if (!iface || iface->dev != dev)
		return;
	if (event == NETDEV_UNREGISTER) {
		rip_free_iface(r, iface);
		rip_post(r, RRAS_INTERFACE_GONE, dev->ifindex, 0);
	} else if (event == NETDEV_DOWN) {
		rip_expire_iface(r, dev->ifindex);
	} else {
		rip_greet(r, iface);
	}
}

/* The kernel calls this with RTNL held. */
static int rip_netdev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct rip_router *r;

	if (event != NETDEV_UNREGISTER && event != NETDEV_DOWN && event != NETDEV_UP)
		return NOTIFY_DONE;
	mutex_lock(&rip_mutex);
	list_for_each_entry(r, &rip_routers, list)
		rip_netdev_router(r, dev, event);
	mutex_unlock(&rip_mutex);
	return NOTIFY_DONE;
}

struct notifier_block rip_netdev_notifier = { .notifier_call = rip_netdev_event };
