// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sockets of a router: one for each interface, bound to its device.
 *
 * The socket's callback, which a softirq runs, queues the router's work item. The work item
 * takes one packet after the other, checks it, asks the router manager about each route, and
 * lets rip_table.c learn. It holds rip_mutex to take the packet and to learn, but not while it
 * calls the manager.
 */
#include <linux/igmp.h>
#include <linux/inetdevice.h>
#include <linux/net.h>
#include <net/ip.h>
#include <net/sock.h>
#include "rip.h"

#define RIP_BUDGET	64	/* packets that a run of the work item takes */

static void rip_data_ready(struct sock *sk)
{
	struct rip_router *r;

	read_lock_bh(&sk->sk_callback_lock);
	r = sk->sk_user_data;
	if (r)
		mod_delayed_work(rip_wq, &r->work, 0);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void rip_set_user(struct sock *sk, struct rip_router *r)
{
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = r;
	if (r)
		sk->sk_data_ready = rip_data_ready;
	write_unlock_bh(&sk->sk_callback_lock);
}

static int rip_option(struct socket *sock, int option, int value)
{
	return sock->ops->setsockopt(sock, SOL_IP, option, KERNEL_SOCKPTR(&value),
				     sizeof(value));
}

/* Join RIP's group, or leave it. Must be called with RTNL held. */
static int rip_member(struct socket *sock, int ifindex, bool join)
{
	struct ip_mreqn group = {
		.imr_multiaddr.s_addr	= RIP_GROUP,
		.imr_ifindex		= ifindex,
	};
	int err;

	lock_sock(sock->sk);
	err = join ? ip_mc_join_group(sock->sk, &group) : ip_mc_leave_group(sock->sk, &group);
	release_sock(sock->sk);
	return err;
}

/* Bind a socket to the device, so that only packets from its link come, and to RIP's port. */
static int rip_bind(struct socket *sock, int ifindex)
{
	struct sockaddr_in addr = {
		.sin_family	= AF_INET,
		.sin_port	= cpu_to_be16(RIP_PORT),
	};
	int err;

	err = sock_bindtoindex(sock->sk, ifindex, true);
	if (!err)
		err = kernel_bind(sock, (struct sockaddr_unsized *)&addr, sizeof(addr));
	/* No packet of this router may leave the link, nor come back. */
	if (!err)
		err = rip_option(sock, IP_TTL, 1);
	if (!err)
		err = rip_option(sock, IP_MULTICAST_TTL, 1);
	if (!err)
		err = rip_option(sock, IP_MULTICAST_LOOP, 0);
	return err;
}

/* Open the socket of an interface. Must be called with RTNL and rip_mutex held. */
int rip_open(struct rip_router *r, struct rip_iface *iface)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(r->net, PF_INET, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return err;
	err = rip_bind(sock, iface->dev->ifindex);
	if (!err)
		err = rip_member(sock, iface->dev->ifindex, true);
	if (err) {
		sock_release(sock);
		return err;
	}
	iface->sock = sock;
	rip_set_user(sock->sk, r);
	return 0;
}

/*
 * Close the socket of an interface. sock_release() takes RTNL if the socket is a member of a
 * group, so it leaves the group before. Must be called with RTNL and rip_mutex held.
 */
void rip_close(struct rip_iface *iface)
{
	struct socket *sock = iface->sock;

	if (!sock)
		return;
	iface->sock = NULL;
	rip_set_user(sock->sk, NULL);
	rip_member(sock, iface->dev->ifindex, false);
	sock_release(sock);
}

/* Send so many entries of r->output. Must be called with rip_mutex held. */
void rip_send(struct rip_router *r, struct rip_iface *iface, __be32 to, __be16 port,
	      unsigned int entries)
{
	struct sockaddr_in addr = {
		.sin_family		= AF_INET,
		.sin_port		= port,
		.sin_addr.s_addr	= to,
	};
	struct msghdr msg = {
		.msg_name	= &addr,
		.msg_namelen	= sizeof(addr),
		.msg_flags	= MSG_DONTWAIT,
	};
	struct kvec vec = {
		.iov_base	= &r->output,
		.iov_len	= RIP_HEADER + entries * sizeof(struct rip_entry),
	};

	if (kernel_sendmsg(iface->sock, &msg, &vec, 1, vec.iov_len) > 0)
		r->stats[RIP_SENT]++;
}

/* Send the same packet to the group, and to each client that is connected. */
static void rip_send_all(struct rip_router *r, struct rip_iface *iface, unsigned int entries)
{
	struct rip_peer *peer;

	rip_send(r, iface, RIP_GROUP, cpu_to_be16(RIP_PORT), entries);
	list_for_each_entry(peer, &iface->peers, list)
		rip_send(r, iface, peer->addr, cpu_to_be16(RIP_PORT), entries);
}

/* Ask all neighbours on an interface for all of their routes. */
void rip_ask(struct rip_router *r, struct rip_iface *iface)
{
	rip_begin(&r->output, RIP_REQUEST);
	r->output.entry[0] = (struct rip_entry){ .metric = cpu_to_be32(RIP_INFINITY) };
	rip_send_all(r, iface, 1);
}

/*
 * Return: the metric that this router announces on an interface. A route is unreachable for the
 * neighbours that it leads to: split horizon with poisoned reverse.
 */
static u8 rip_metric(const struct rip_route *route, const struct rip_iface *iface)
{
	if (route->from && route->ifindex == iface->dev->ifindex)
		return RIP_INFINITY;
	return route->metric;
}

/* Send all routes, or those that have changed. If @to is 0, all neighbours get them. */
static void rip_send_routes(struct rip_router *r, struct rip_iface *iface, __be32 to,
			    __be16 port, bool all)
{
	struct rip_route *route;
	unsigned int bucket, n = 0;

	rip_begin(&r->output, RIP_RESPONSE);
	hash_for_each(r->routes, bucket, route, node) {
		if (!all && !route->changed)
			continue;
		rip_fill(&r->output.entry[n++], route, rip_metric(route, iface));
		if (n < RIP_ENTRIES)
			continue;
		if (to)
			rip_send(r, iface, to, port, n);
		else
			rip_send_all(r, iface, n);
		n = 0;
	}
	if (n && to)
		rip_send(r, iface, to, port, n);
	else if (n)
		rip_send_all(r, iface, n);
}

/*
 * Announce all routes, or those that have changed, on all interfaces. Must be called with
 * rip_mutex held.
 */
void rip_announce(struct rip_router *r, bool all)
{
	struct rip_route *route;
	struct rip_iface *iface;
	unsigned int bucket;

	list_for_each_entry(iface, &r->ifaces, list)
		if (rip_iface_runs(iface) && !iface->passive)
			rip_send_routes(r, iface, 0, 0, all);
	hash_for_each(r->routes, bucket, route, node)
		route->changed = false;
	r->changed = false;
}

/* Answer a request: with the whole table, or with a metric for each entry of it. */
static void rip_answer(struct rip_router *r, struct rip_iface *iface, struct rip_input *in)
{
	struct rip_route *route;
	struct rip_entry *entry;
	unsigned int i;

	if (rip_asks_for_all(in)) {
		rip_send_routes(r, iface, in->from, in->port, true);
		return;
	}
	r->output = in->packet;
	rip_begin(&r->output, RIP_RESPONSE);
	for (i = 0; i < in->entries; i++) {
		entry = &r->output.entry[i];
		route = rip_find(r, entry->dst, rip_plen(entry));
		entry->metric = cpu_to_be32(route ? route->metric : RIP_INFINITY);
	}
	rip_send(r, iface, in->from, in->port, in->entries);
}

/* Receive a packet from an interface into r->input. Return: false if there is none. */
static bool rip_take_from(struct rip_router *r, struct rip_iface *iface)
{
	struct rip_input *in = &r->input;
	struct kvec vec = { .iov_base = &in->packet, .iov_len = sizeof(in->packet) };
	struct sockaddr_in addr;
	struct msghdr msg = { .msg_name = &addr };
	int len;

	len = kernel_recvmsg(iface->sock, &msg, &vec, 1, vec.iov_len,
			     MSG_DONTWAIT | MSG_TRUNC);
	if (len < 0)
		return false;
	in->ifindex = iface->dev->ifindex;
	in->from = addr.sin_addr.s_addr;
	in->port = addr.sin_port;
	in->len = len;
	in->entries = 0;
	return true;
}

/*
 * Discard the packets that have come. No more than these fit into the buffer of the socket, so a
 * neighbour that sends without end holds nothing up. Must be called with rip_mutex held.
 */
void rip_discard(struct rip_iface *iface)
{
	struct kvec vec = {};
	struct msghdr msg;
	int n, err = 0;

	if (!iface->sock)
		return;
	for (n = iface->sock->sk->sk_rcvbuf / SKB_TRUESIZE(0); n >= 0 && err >= 0; n--) {
		msg = (struct msghdr){};
		err = kernel_recvmsg(iface->sock, &msg, &vec, 1, 0, MSG_DONTWAIT);
	}
}

/* Return: the interface that a packet came from, or NULL. The caller holds rip_mutex. */
static struct rip_iface *rip_take(struct rip_router *r)
{
	struct rip_iface *iface;

	if (r->state != RIP_RUNNING)
		return NULL;
	list_for_each_entry(iface, &r->ifaces, list) {
		if (!iface->sock || !rip_take_from(r, iface))
			continue;
		/* The next packet comes from another interface, if that has one. */
		list_move_tail(&iface->list, &r->ifaces);
		return iface;
	}
	return NULL;
}

/*
 * Check a packet, and answer if it is a request. Return: true if it is a response with entries
 * to learn from. Must be called with rip_mutex held.
 */
static bool rip_accept(struct rip_router *r, struct rip_iface *iface)
{
	struct rip_input *in = &r->input;
	enum rip_stat stat;
	unsigned int i;

	if (!rip_iface_runs(iface) || iface->passive)
		return false;
	stat = rip_onlink(iface->dev, in->from) ? rip_check(in) : RIP_BAD_SOURCE;
	r->stats[stat]++;
	if (stat != RIP_RECEIVED)
		return false;
	if (in->packet.command == RIP_REQUEST) {
		rip_answer(r, iface, in);
		return false;
	}
	bitmap_zero(in->usable, RIP_ENTRIES);
	for (i = 0; i < in->entries; i++) {
		stat = rip_check_entry(&in->packet.entry[i]);
		if (stat == RIP_RECEIVED)
			__set_bit(i, in->usable);
		else
			r->stats[stat]++;
	}
	return true;
}

/*
 * Ask the router manager about each entry. If the manager leaves, the router learns nothing.
 * Return: how many entries the manager refused.
 */
static unsigned int rip_validate(struct rip_router *r)
{
	const struct rras_manager_dispatch *manager = r->client->dispatch;
	struct rip_input *in = &r->input;
	const struct rip_entry *entry;
	unsigned int i, denied = 0;

	if (!nmr_provider_call_enter(r->binding)) {
		bitmap_zero(in->usable, RIP_ENTRIES);
		return 0;
	}
	for_each_set_bit(i, in->usable, in->entries) {
		entry = &in->packet.entry[i];
		if (manager->validate_route(r->client->binding_context, entry->dst,
					    rip_plen(entry), in->ifindex))
			continue;
		__clear_bit(i, in->usable);
		denied++;
	}
	nmr_provider_call_exit(r->binding);
	return denied;
}

/* Learn from the packet in r->input. Must be called with rip_mutex held. */
static void rip_learn_all(struct rip_router *r)
{
	struct rip_input *in = &r->input;
	struct rip_iface *iface = rip_find_iface(r, in->ifindex);
	unsigned int i;

	/* The interface may have gone while the manager was called. */
	if (!iface || !rip_iface_runs(iface))
		return;
	for_each_set_bit(i, in->usable, in->entries)
		rip_learn(r, iface, in->from, &in->packet.entry[i]);
	if (iface->updating) {
		iface->updating = false;
		rip_post(r, RRAS_UPDATE_DONE, in->ifindex, 0);
	}
}

/* Receive packets, in the router's work item. Return: true if there may be more. */
bool rip_receive(struct rip_router *r)
{
	unsigned int denied, budget = RIP_BUDGET;
	struct rip_iface *iface;
	bool learn;

	while (budget--) {
		mutex_lock(&rip_mutex);
		iface = rip_take(r);
		learn = iface && rip_accept(r, iface);
		mutex_unlock(&rip_mutex);
		if (!iface)
			return false;
		if (!learn)
			continue;
		denied = rip_validate(r);
		mutex_lock(&rip_mutex);
		r->stats[RIP_DENIED] += denied;
		rip_learn_all(r);
		mutex_unlock(&rip_mutex);
	}
	return true;
}
