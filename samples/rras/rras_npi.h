/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The routing protocol NPI: what a router manager and a routing protocol have to agree on.
 *
 * The router manager is the client. It registers once for each network namespace that it has a
 * router in, with a &struct rras_manager_info as its npi_specific. So a binding is one protocol
 * of one router, and the provider's binding context names it in each call. The model is the
 * interface between the router manager and the routing protocols of Windows:
 * https://learn.microsoft.com/windows/win32/api/routprot/
 *
 * A binding that has attached is what RegisterProtocol returns there. The manager then calls
 * start, adds interfaces, and calls start_complete. Until then the protocol neither sends nor
 * accepts packets, and it does not call the manager. All functions are called in process
 * context, and may sleep.
 */
#ifndef _RRAS_NPI_H
#define _RRAS_NPI_H

#include <linux/bits.h>
#include <linux/in.h>
#include <linux/nmr.h>
#include <linux/socket.h>
#include <net/net_namespace.h>

#define RRAS_NPI_GUID	"e3b509f9-b470-42da-8160-144666a8f7b1"

static const guid_t __maybe_unused rras_npi_id = NMR_GUID(RRAS_NPI_GUID);

#define RRAS_VERSION		1	/* of the NPI; the first one is 1 */

#define RRAS_ROUTING		BIT(0)	/* the protocol routes; each protocol needs this */
#define RRAS_DEMAND_UPDATE	BIT(1)	/* do_update_routes */
#define RRAS_CLIENTS		BIT(2)	/* connect_client and disconnect_client */
#define RRAS_MULTICAST		BIT(3)	/* the protocol routes multicast */

/**
 * struct rras_manager_info - what a router manager offers: its npi_specific
 * @net:      network namespace of the router; the manager must leave before it ends
 * @version:  newest version of the NPI that the manager speaks; older ones, too
 * @features: RRAS_* features that the manager knows
 *
 * The protocol narrows the offer: its dispatch table has the version and the features that the
 * two have in common. If the protocol does not speak such a version, or cannot do without a
 * feature that the manager does not know, it declines, and there is no binding. A manager that
 * needs a feature that the protocol has left out declines in turn.
 */
struct rras_manager_info {
	struct net	*net;
	u32		version;
	u32		features;
};

/**
 * struct rras_timers - what a protocol needs to know to start
 * @update_ms:	time between two announcements
 * @timeout_ms: time after which a route that is not announced any more becomes unreachable
 * @garbage_ms: time for which the protocol announces that a route has become unreachable
 */
struct rras_timers {
	u32	update_ms;
	u32	timeout_ms;
	u32	garbage_ms;
};

#define RRAS_MAX_COST	15

/**
 * struct rras_interface - what a protocol needs to know of an interface
 * @cost:    what the interface adds to the metric of a route, from 1 to %RRAS_MAX_COST
 * @passive: the protocol announces the networks of the interface elsewhere, and does not speak
 *	     on it
 */
struct rras_interface {
	u32	cost;
	bool	passive;
};

/**
 * enum rras_event_type - what a protocol tells its manager by its queue of events
 * @RRAS_ROUTER_STOPPED: a stop that was pending is done
 * @RRAS_UPDATE_DONE:	 do_update_routes() is done; the status is 0 or -ETIMEDOUT
 * @RRAS_INTERFACE_GONE: the device was unregistered, so the protocol has deleted the interface
 * @RRAS_EVENT_TYPES:	 number of types
 */
enum rras_event_type {
	RRAS_ROUTER_STOPPED,
	RRAS_UPDATE_DONE,
	RRAS_INTERFACE_GONE,
	RRAS_EVENT_TYPES
};

/**
 * struct rras_event - an event
 * @type:    what happened
 * @ifindex: interface that the event is about, or 0
 * @status:  0, or a negative errno
 */
struct rras_event {
	enum rras_event_type	type;
	int			ifindex;
	int			status;
};

/**
 * struct rras_protocol_dispatch - the terms of a binding, and the functions of the protocol
 * @version:  version of the NPI, not above what the manager offered
 * @features: features, none that the manager did not offer
 * @protocol: RTPROT_*: routes have it as their protocol
 * @name:     name for people
 * @start:    Get ready. -EINVAL: a timer is 0, update_ms is above timeout_ms, or a timer is
 *	      above an hour; -EALREADY: the protocol is started; -EBUSY: it is stopping; -ENOMEM;
 *	      -EIO: it cannot start.
 * @start_complete: Begin to work. -EALREADY: the protocol works.
 * @stop:     Leave all interfaces and withdraw all routes. -EINPROGRESS: the stop is pending,
 *	      and the event %RRAS_ROUTER_STOPPED ends it; -EBUSY: the protocol is stopping;
 *	      -ESHUTDOWN: it is not started.
 * @get_event: Take the oldest event out of the queue. -ENODATA: it is empty; -ENOBUFS: events
 *	      were lost since the queue was full, the next call goes on.
 * @add_interface: Add an interface, which is not active. -EINVAL: there is no such device, the
 *	      interface was added before, or the information is wrong; -ENOMEM; -EIO: the
 *	      protocol cannot use the device.
 * @delete_interface: Delete it, its clients and its routes. -EINVAL: there is none.
 * @interface_status: Tell if the interface is active. -EINVAL: there is none, or it is unbound.
 * @do_update_routes: Ask the neighbours on the interface for their routes. The event
 *	      %RRAS_UPDATE_DONE tells the result. -EINVAL: there is no such interface, or it is
 *	      unbound; -EIO: it is not active; -EOPNOTSUPP: not one of @features.
 * @unbind_interface: Stop to use the interface, and drop its clients and the routes that were
 *	      learned there. -EINVAL: there is none, or it is unbound.
 * @connect_client: Send updates to this neighbour, too. -EINVAL: there is no such interface, it
 *	      is unbound, or the address is no neighbour's; -EAFNOSUPPORT: the family is not the
 *	      protocol's; -EEXIST: the client is connected; -ENOMEM; -EOPNOTSUPP: not one of
 *	      @features.
 * @disconnect_client: The opposite. -ENOENT: the client is not connected; otherwise as
 *	      @connect_client.
 *
 * Each function returns 0 or a negative errno. All but @start, @stop and @get_event return
 * -ESHUTDOWN if the protocol is not started, and all but @get_event -ENODEV if the network
 * namespace has ended. An interface is named by the index of its device. The index 0, a negative
 * one, and one of another namespace are invalid like any other that is not there.
 */
struct rras_protocol_dispatch {
	u32		version;
	u32		features;
	u8		protocol;
	const char	*name;

	int (*start)(void *context, const struct rras_timers *timers);
	int (*start_complete)(void *context);
	int (*stop)(void *context);
	int (*get_event)(void *context, struct rras_event *event);

	int (*add_interface)(void *context, int ifindex, const struct rras_interface *info);
	int (*delete_interface)(void *context, int ifindex);
	int (*interface_status)(void *context, int ifindex, bool active);
	int (*do_update_routes)(void *context, int ifindex);
	int (*unbind_interface)(void *context, int ifindex);

	int (*connect_client)(void *context, int ifindex, const struct sockaddr_storage *addr);
	int (*disconnect_client)(void *context, int ifindex,
				 const struct sockaddr_storage *addr);
};

/**
 * struct rras_manager_dispatch - functions of the router manager
 * @event_ready: The queue of events is not empty. The manager calls get_event later, or now.
 * @validate_route: Say if the protocol may use a route that it was told of. The parameters are
 *	     the network's address, the length of its prefix, and the interface.
 *
 * The protocol holds none of its locks in these calls.
 */
struct rras_manager_dispatch {
	void (*event_ready)(void *context);
	bool (*validate_route)(void *context, __be32 addr, u8 plen, int ifindex);
};

#endif /* _RRAS_NPI_H */
