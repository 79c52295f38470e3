// SPDX-License-Identifier: GPL-2.0-only
/* /proc/net/rras: the router of the reader's network namespace */
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include "rras.h"

static const char * const rras_event_names[] = {
	[RRAS_ROUTER_STOPPED]	= "router_stopped",
	[RRAS_UPDATE_DONE]	= "update_done",
	[RRAS_INTERFACE_GONE]	= "interface_gone",
};

static int rras_show_protocol(const struct nmr_call *call, void *arg)
{
	const struct rras_protocol_dispatch *protocol = call->dispatch;

	seq_printf(arg, "protocol %s %u version %u features 0x%x\n", protocol->name,
		   protocol->protocol, protocol->version, protocol->features);
	return 0;
}

static void rras_show_iface(struct seq_file *m, const struct rras_iface *iface)
{
	struct rras_client *client;

	seq_printf(m, "interface %d cost %u%s%s\n", iface->ifindex, iface->info.cost,
		   iface->info.passive ? " passive" : "", iface->active ? " active" : "");
	list_for_each_entry(client, &iface->clients, list)
		seq_printf(m, "client %d %pIS\n", iface->ifindex, &client->addr);
}

int rras_show(struct seq_file *m, void *unused)
{
	struct rras_router *router = rras_router_of(seq_file_single_net(m));
	struct rras_event events[RRAS_LAST_EVENTS];
	struct rras_iface *iface;
	unsigned int i, n;

	mutex_lock(&router->lock);
	seq_printf(m, "router %s\n", router->started ? "started" : "stopped");
	rras_call(router, rras_show_protocol, m);
	list_for_each_entry(iface, &router->ifaces, list)
		rras_show_iface(m, iface);
	mutex_unlock(&router->lock);
	spin_lock(&router->event_lock);
	n = kfifo_out_peek(&router->events, events, RRAS_LAST_EVENTS);
	spin_unlock(&router->event_lock);
	for (i = 0; i < n; i++)
		seq_printf(m, "event %s %d %d\n", rras_event_names[events[i].type],
			   events[i].ifindex, events[i].status);
	seq_printf(m, "upcalls %d\n", atomic_read(&router->upcalls));
	return 0;
}
