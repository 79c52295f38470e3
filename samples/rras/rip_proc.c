// SPDX-License-Identifier: GPL-2.0-only
/* /proc/net/rip: the routers of the reader's network namespace */
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include "rip.h"

static const char * const rip_state_names[] = {
	[RIP_STOPPED]	= "stopped",
	[RIP_STARTED]	= "started",
	[RIP_RUNNING]	= "running",
	[RIP_STOPPING]	= "stopping",
	[RIP_DEAD]	= "dead",
};

static const char * const rip_stat_names[RIP_STATS] = {
	[RIP_RECEIVED]		= "received",
	[RIP_SENT]		= "sent",
	[RIP_BAD_SOURCE]	= "bad_source",
	[RIP_BAD_PORT]		= "bad_port",
	[RIP_BAD_LENGTH]	= "bad_length",
	[RIP_BAD_VERSION]	= "bad_version",
	[RIP_BAD_COMMAND]	= "bad_command",
	[RIP_BAD_FAMILY]	= "bad_family",
	[RIP_BAD_PREFIX]	= "bad_prefix",
	[RIP_BAD_METRIC]	= "bad_metric",
	[RIP_DENIED]		= "denied",
	[RIP_FULL]		= "full",
};

static void rip_show_iface(struct seq_file *m, const struct rip_iface *iface)
{
	struct rip_peer *peer;

	seq_printf(m, "interface %s %d cost %u%s%s%s\n", iface->dev->name,
		   iface->dev->ifindex, iface->cost, iface->active ? " active" : "",
		   iface->passive ? " passive" : "", iface->sock ? "" : " unbound");
	list_for_each_entry(peer, &iface->peers, list)
		seq_printf(m, "client %s %pI4\n", iface->dev->name, &peer->addr);
}

static void rip_show_router(struct seq_file *m, const struct rip_router *r)
{
	struct rip_iface *iface;
	struct rip_route *route;
	unsigned int i;

	seq_printf(m, "router %s\n", rip_state_names[r->state]);
	list_for_each_entry(iface, &r->ifaces, list)
		rip_show_iface(m, iface);
	hash_for_each(r->routes, i, route, node)
		seq_printf(m, "route %pI4/%u metric %u via %pI4 index %d%s\n", &route->dst,
			   route->plen, route->metric, &route->gateway, route->ifindex,
			   route->in_rtm ? " rtm" : "");
	for (i = 0; i < RIP_STATS; i++)
		seq_printf(m, "%s %llu\n", rip_stat_names[i], r->stats[i]);
}

int rip_proc_show(struct seq_file *m, void *unused)
{
	struct rip_router *r;

	mutex_lock(&rip_mutex);
	list_for_each_entry(r, &rip_routers, list)
		if (r->net == seq_file_single_net(m) && r->state != RIP_DEAD)
			rip_show_router(m, r);
	mutex_unlock(&rip_mutex);
	return 0;
}
