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

static const guid_t rtm_npi_id = NMR_GUID(RTM_NPI_GUID);

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
 */
struct rtm_route {
	union nf_inet_addr	dst;
	union nf_inet_addr	gateway;
	int			ifindex;
	u32			metric;
	u8			plen;
	u8			protocol;
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
 *
 * All of them may be called in process context. @get_best may be called in softirq context, too.
 * After the namespace of the client has ended they return -ENODEV.
 *
 * @add:     add a route, or change the metric of the client's route with the same network,
 *	     device and gateway. It expires after @ttl seconds unless it is added again. The
 *	     caller learns what became best by @change; other clients are told.
 *	     Return: 0, -EINVAL (a member is wrong), -ENOMEM, -ENOBUFS (too many routes)
 * @del:     delete the client's route with this network, device and gateway.
 *	     Return: 0, -EINVAL, -ESRCH (there is no such route)
 * @block_delete: delete the client's routes through a device, or all if @ifindex is 0. The caller
 *	     is told of the changes by its queue, too. Return: 0, -ESRCH (there is none)
 * @get_best: find the best route to an address, by longest match. Return: 0, -ESRCH
 * @dequeue: take the oldest change out of the client's queue. Return: 0 (it was the last), 1
 *	     (there are more), -EAGAIN (the queue is empty), -EOPNOTSUPP (the client has no
 *	     route_changed), -ENOBUFS (changes were lost since the queue was full; the next call
 *	     goes on)
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
