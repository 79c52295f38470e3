// SPDX-License-Identifier: GPL-2.0-only
/*
 * The routes of a router: those to connected networks, and those that neighbours told of.
 *
 * A route that is not announced any more becomes unreachable after a while: its metric becomes
 * 16. The router announces that to its neighbours, and frees the route some time later. All
 * functions must be called with rip_mutex held.
 */
#include <linux/inetdevice.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "rip.h"

static uint rip_max_routes = 10000;
module_param_named(max_routes, rip_max_routes, uint, 0644);
MODULE_PARM_DESC(max_routes, "Routes with which a router learns no more; connected networks are added");

struct rip_route *rip_find(struct rip_router *r, __be32 dst, u8 plen)
{
	struct rip_route *route;

	hash_for_each_possible(r->routes, route, node, (__force u32)dst)
		if (route->dst == dst && route->plen == plen)
			return route;
	return NULL;
}

/* Tell the table manager of a change. */
static void rip_dirty(struct rip_router *r, struct rip_route *route)
{
	list_move_tail(&route->dirty, &r->dirty);
	mod_delayed_work(rip_wq, &r->work, 0);
}

/* Tell the neighbours and the table manager of a change. */
static void rip_changed(struct rip_router *r, struct rip_route *route)
{
	route->changed = true;
	r->changed = true;
	rip_dirty(r, route);
}

/* Make a route unreachable, if it is not yet. */
static void rip_expire(struct rip_router *r, struct rip_route *route)
{
	if (route->metric == RIP_INFINITY)
		return;
	route->metric = RIP_INFINITY;
	route->expires = jiffies + r->garbage;
	rip_changed(r, route);
}

static void rip_free_route(struct rip_router *r, struct rip_route *route)
{
	hash_del(&route->node);
	list_del(&route->dirty);
	kfree(route);
	r->nr_routes--;
}

static struct rip_route *rip_new_route(struct rip_router *r, __be32 dst, u8 plen)
{
	struct rip_route *route = kzalloc(sizeof(*route), GFP_KERNEL);

	if (!route) {
		r->stats[RIP_FULL]++;
		return NULL;
	}
	INIT_LIST_HEAD(&route->dirty);
	route->dst = dst;
	route->plen = plen;
	route->metric = RIP_INFINITY;
	hash_add(r->routes, &route->node, (__force u32)dst);
	r->nr_routes++;
	return route;
}

/* Learning, RFC 2453 section 3.9.2 */

/*
 * Return: the next hop of an entry: the neighbour that sent it, unless the entry names another
 * one on the same link
 */
static __be32 rip_gateway(const struct rip_iface *iface, __be32 from, __be32 gateway)
{
	return gateway && rip_onlink(iface->dev, gateway) ? gateway : from;
}

/* Test if the route is the one that the same neighbour told of before. */
static bool rip_same_source(const struct rip_route *route, const struct rip_iface *iface,
			    __be32 from)
{
	return route->from == from && route->ifindex == iface->dev->ifindex;
}

/* Take over what a neighbour says of a route that has a metric below infinity. */
static void rip_adopt(struct rip_router *r, struct rip_route *route, struct rip_iface *iface,
		      __be32 from, const struct rip_entry *entry, u8 metric)
{
	__be32 gateway = rip_gateway(iface, from, entry->gateway);
	bool same = rip_same_source(route, iface, from) && route->metric == metric &&
		    route->gateway == gateway && route->tag == entry->tag;

	route->expires = jiffies + r->timeout;
	route->from = from;
	route->gateway = gateway;
	route->ifindex = iface->dev->ifindex;
	route->tag = entry->tag;
	route->metric = metric;
	/* If the table manager had no memory for the route, the router tries again. */
	if (!same)
		rip_changed(r, route);
	else if (!route->in_rtm)
		rip_dirty(r, route);
}

/* A table that is full of what neighbours say still has room for connected networks. */
static struct rip_route *rip_new_learned(struct rip_router *r, __be32 dst, u8 plen)
{
	if (r->nr_routes < READ_ONCE(rip_max_routes))
		return rip_new_route(r, dst, plen);
	r->stats[RIP_FULL]++;
	return NULL;
}

/* Learn from an entry that was checked. */
void rip_learn(struct rip_router *r, struct rip_iface *iface, __be32 from,
	       const struct rip_entry *entry)
{
	u32 metric = min_t(u32, be32_to_cpu(entry->metric) + iface->cost, RIP_INFINITY);
	u8 plen = rip_plen(entry);
	struct rip_route *route = rip_find(r, entry->dst, plen);

	if (!route && metric < RIP_INFINITY)
		route = rip_new_learned(r, entry->dst, plen);
	if (!route)
		return;
	/* A connected network has no neighbour that it came from. */
	if (!route->from && route->metric < RIP_INFINITY)
		return;
	if (metric < route->metric ||
	    (rip_same_source(route, iface, from) && metric < RIP_INFINITY))
		rip_adopt(r, route, iface, from, entry, metric);
	else if (rip_same_source(route, iface, from))
		rip_expire(r, route);
}

/* Connected networks */

static void rip_connect_network(struct rip_router *r, struct rip_iface *iface, __be32 dst,
				u8 plen)
{
	struct rip_route *route = rip_find(r, dst, plen);

	if (!route)
		route = rip_new_route(r, dst, plen);
	if (!route)
		return;
	/* Another interface is on this network, too: the first one keeps it until it loses it. */
	if (!route->from && route->metric < RIP_INFINITY && route->ifindex != iface->dev->ifindex)
		return;
	route->sync = r->sync;
	if (!route->from && route->metric == iface->cost)
		return;
	route->from = 0;
	route->gateway = 0;
	route->tag = 0;
	route->ifindex = iface->dev->ifindex;
	route->metric = iface->cost;
	rip_changed(r, route);
}

/*
 * Find the networks of an interface. The list of addresses is read under RCU, where the router
 * cannot allocate a route, so copy it.
 */
static void rip_connect_iface(struct rip_router *r, struct rip_iface *iface)
{
	__be32 dst[RIP_ADDRESSES];
	u8 plen[RIP_ADDRESSES];
	struct in_device *in_dev;
	struct in_ifaddr *ifa;
	int n = 0;

	rcu_read_lock();
	in_dev = __in_dev_get_rcu(iface->dev);
	if (in_dev) {
		in_dev_for_each_ifa_rcu(ifa, in_dev) {
			if (n == RIP_ADDRESSES || ipv4_is_loopback(ifa->ifa_local))
				continue;
			dst[n] = ifa->ifa_address & ifa->ifa_mask;
			plen[n++] = ifa->ifa_prefixlen;
		}
	}
	rcu_read_unlock();
	while (n--)
		rip_connect_network(r, iface, dst[n], plen[n]);
}

/* Find the networks that are connected now, and expire those that are not any more. */
static void rip_sync_connected(struct rip_router *r)
{
	struct rip_iface *iface;
	struct rip_route *route;
	unsigned int bucket;

	r->sync++;
	list_for_each_entry(iface, &r->ifaces, list)
		if (rip_iface_runs(iface))
			rip_connect_iface(r, iface);
	hash_for_each(r->routes, bucket, route, node)
		if (!route->from && route->sync != r->sync)
			rip_expire(r, route);
}

/* Ageing */

/* Make the routes through a device unreachable. */
void rip_expire_iface(struct rip_router *r, int ifindex)
{
	struct rip_route *route;
	unsigned int bucket;

	hash_for_each(r->routes, bucket, route, node)
		if (route->ifindex == ifindex)
			rip_expire(r, route);
}

void rip_expire_all(struct rip_router *r)
{
	struct rip_route *route;
	unsigned int bucket;

	hash_for_each(r->routes, bucket, route, node)
		rip_expire(r, route);
}

/*
 * Do what time has come for. A route that is unreachable is freed when the table manager has
 * been told, and not before.
 */
void rip_age(struct rip_router *r)
{
	struct hlist_node *next;
	struct rip_iface *iface;
	struct rip_route *route;
	unsigned int bucket;

	rip_sync_connected(r);
	hash_for_each_safe(r->routes, bucket, next, route, node) {
		if (!route->from && route->metric < RIP_INFINITY)
			continue;
		if (time_before(jiffies, route->expires))
			continue;
		if (route->metric < RIP_INFINITY)
			rip_expire(r, route);
		else if (list_empty(&route->dirty))
			rip_free_route(r, route);
	}
	list_for_each_entry(iface, &r->ifaces, list) {
		if (!iface->updating || time_before(jiffies, iface->update_by))
			continue;
		iface->updating = false;
		rip_post(r, RRAS_UPDATE_DONE, iface->dev->ifindex, -ETIMEDOUT);
	}
}

void rip_free_routes(struct rip_router *r)
{
	struct hlist_node *next;
	struct rip_route *route;
	unsigned int bucket;

	hash_for_each_safe(r->routes, bucket, next, route, node)
		rip_free_route(r, route);
	r->changed = false;
}
