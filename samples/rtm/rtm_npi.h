/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The routing table manager NPI: what the table manager and its clients have to agree on.
 *
 * A client registers once for each network namespace and address family that it has routes in,
 * with a &struct rtm_client_info as its npi_specific. The model is version 1 of the Routing Table
 * Manager: https://learn.microsoft.com/windows/win32/rras/routing-table-manager-version-1
 */
#ifndef _RTM_NPI_H
#define _RTM_NPI_H

#include <linux/netfilter.h>
#include <linux/nmr.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>

#define RTM_NPI_GUID	"be4d6e5e-488c-4c3a-9e90-a3863ba413ae"

static const guid_t rtm_npi_id __maybe_unused = NMR_GUID(RTM_NPI_GUID);

#define RTM_TTL_INFINITE	U32_MAX

/**
 * struct rtm_client_info - what a client says of itself: its npi_specific
 * @net:      network namespace that the routes belong to; the client must leave before it ends
 * @family:   AF_INET or AF_INET6
 * @protocol: RTPROT_*, above RTPROT_STATIC or RTPROT_STATIC itself; ip route shows it
 * @flags:    %RTM_SINGLE_ROUTE or 0
 *
 * The result of nmr_client_attach_provider() is -EEXIST if another client has the protocol, and
 * -EINVAL if a member is wrong.
 */
struct rtm_client_info {
	struct net	*net;
	sa_family_t	family;
	u8		protocol;
	u32		flags;
};

#define RTM_SINGLE_ROUTE	BIT(0)	/* a route replaces the client's other one to its network */

/**
 * struct rtm_route - a route
 * @dst:      network; bits beyond @plen are 0
 * @gateway:  next hop, or all 0 if the network is on-link
 * @ifindex:  device
 * @metric:   the lowest is best; the protocol with the lower number is best among equals
 * @plen:     prefix length
 * @protocol: the client that added the route; written by the table manager
 * @reserved: ignored; the table manager writes 0, so that routes can be compared as memory
 */
struct rtm_route {
	union nf_inet_addr	dst;
	union nf_inet_addr	gateway;
	int			ifindex;
	u32			metric;
	u8			plen;
	u8			protocol;
	u16			reserved;
};

/**
 * enum rtm_change_type - what happened to the best route to a network
 * @RTM_NO_CHANGE: the best route is what it was
 * @RTM_ADDED:	   the network had no route; there is a current one
 * @RTM_CHANGED:   another route is best, or its metric or gateway changed
 * @RTM_DELETED:   the network has no route any more; there is a previous one
 */
enum rtm_change_type {
	RTM_NO_CHANGE,
	RTM_ADDED,
	RTM_CHANGED,
	RTM_DELETED,
};

/**
 * struct rtm_change - a change of the best route to a network
 * @type: what happened
 * @cur:  best route now; undefined with %RTM_DELETED
 * @prev: best route before; undefined with %RTM_ADDED
 */
struct rtm_change {
	enum rtm_change_type	type;
	struct rtm_route	cur;
	struct rtm_route	prev;
};

/**
 * struct rtm_dispatch - functions of the table manager
 * @add: add a route, or change the metric of the client's route with the same network, device and
 *	gateway. The route expires @ttl seconds from now, unless it is added again. Returns
 *
 *	* %0 - @change has what became best; the other clients are told
 *	* %-EINVAL - @ttl is 0, the prefix is too long or has bits beyond its length, the network or
 *	  the gateway is a multicast, loopback or broadcast address, or the namespace has no such
 *	  device
 *	* %-ENOMEM - allocation failure
 *	* %-ENOBUFS - the table has as many routes as it takes
 * @del: delete the client's route with this network, device and gateway. The metric is ignored.
 *	Returns
 *
 *	* %0 - @change has what became best; the other clients are told
 *	* %-EINVAL - as for @add, except that the device may be gone
 *	* %-ESRCH - the client has no such route
 * @block_delete: delete the client's routes through a device, or all if @ifindex is 0. The caller
 *	is told of each change by its queue, as the other clients are. Returns
 *
 *	* %0 - deleted
 *	* %-EINVAL - @ifindex is negative
 *	* %-ESRCH - the client has no such route
 * @get_best: find the best route to an address, by longest match among the routes of all clients.
 *	May be called in softirq context, too. Returns
 *
 *	* %0 - @route is the route
 *	* %-ESRCH - there is none
 * @dequeue: take the oldest change out of the client's queue. Returns
 *
 *	* %0 - @change was the last one
 *	* %1 - there are more
 *	* %-EAGAIN - the queue is empty
 *	* %-ENOBUFS - the queue was full, and later changes were lost; the next call goes on with
 *	  the changes that are in the queue
 *	* %-EOPNOTSUPP - the client has no route_changed, and therefore no queue
 *
 * The functions may be called in process context, and may sleep, with the exception of @get_best.
 * They take no lock that a caller may hold, and not the RTNL, so a netdevice notifier may call
 * them. @context is the provider's binding context.
 *
 * A call that is in flight when the client leaves returns %-ESHUTDOWN. When the namespace has
 * ended, calls return %-ENODEV.
 */
struct rtm_dispatch {
	int (*add)(void *context, const struct rtm_route *route, u32 ttl,
		   struct rtm_change *change);
	int (*del)(void *context, const struct rtm_route *route, struct rtm_change *change);
	int (*block_delete)(void *context, int ifindex);
	int (*get_best)(void *context, const union nf_inet_addr *dst, struct rtm_route *route);
	int (*dequeue)(void *context, struct rtm_change *change);
};

/**
 * struct rtm_client_dispatch - functions of a client; the dispatch table may be NULL
 * @route_changed: the client's queue is no longer empty. Process context; may sleep, and may
 *	     call the table manager.
 */
struct rtm_client_dispatch {
	void (*route_changed)(void *context);
};

#endif /* _RTM_NPI_H */
