/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration server NPI: what the server and its clients have to agree on.
 *
 * A provider is the stored configuration of a router: interfaces, and transports of the router
 * and of interfaces. It outlives the clients, and takes effect when the router starts. A client
 * is an administrator's program. The server never calls a client: the client's dispatch table is
 * NULL. The model is MprConfigServerConnect and its neighbours:
 * https://learn.microsoft.com/windows/win32/rras/understanding-router-management-functions
 */
#ifndef _MPR_NPI_H
#define _MPR_NPI_H

#include <linux/in6.h>
#include <linux/nmr.h>
#include <linux/ppp_defs.h>

#define MPR_NPI_GUID	"a88cba60-8acb-4e2c-b06f-6c4385850cc1"

static const guid_t __maybe_unused mpr_npi_id = NMR_GUID(MPR_NPI_GUID);

/**
 * struct mpr_router_info - what a provider says of itself: its npi_specific
 * @name: name of the router; a client that wants another router declines
 */
struct mpr_router_info {
	const char	*name;
};

#define MPR_NAME_SIZE	256	/* name of a router or of an interface, with its null */
#define MPR_PHONE_SIZE	64
#define MPR_HOURS_LEN	21	/* a bit for each hour of a week */
#define MPR_DATA_MAX	2048	/* bytes of the configuration of a transport */
#define MPR_LEVELS	4

/**
 * enum mpr_interface_type - what kind of interface this is
 * @MPR_CLIENT:	     a client that dials in
 * @MPR_HOME_ROUTER: a small router that dials in
 * @MPR_FULL_ROUTER: a router that both sides may call
 * @MPR_DEDICATED:   a network card, or another device that is always connected
 * @MPR_INTERNAL:    the router's side of all clients that dial in
 * @MPR_LOOPBACK:    the loopback device
 * @MPR_TUNNEL:	     a tunnel
 * @MPR_DIALOUT:     an interface that only dials out
 * @MPR_INTERFACE_TYPES: number of types
 */
enum mpr_interface_type {
	MPR_CLIENT,
	MPR_HOME_ROUTER,
	MPR_FULL_ROUTER,
	MPR_DEDICATED,
	MPR_INTERNAL,
	MPR_LOOPBACK,
	MPR_TUNNEL,
	MPR_DIALOUT,
	MPR_INTERFACE_TYPES
};

/**
 * struct mpr_interface_0 - an interface at level 0
 * @name:    neither empty nor "." nor ".."; without slashes and control characters. It does not
 *	     change.
 * @type:    &enum mpr_interface_type; does not change
 * @enabled: the interface is used when the router starts
 */
struct mpr_interface_0 {
	char	name[MPR_NAME_SIZE];
	u32	type;
	bool	enabled;
};

/**
 * struct mpr_interface_1 - an interface at level 1
 * @level0: level 0
 * @hours:  bit map of the hours in which the interface may dial out; the week begins on Sunday
 */
struct mpr_interface_1 {
	struct mpr_interface_0	level0;
	u8			hours[MPR_HOURS_LEN];
};

/**
 * struct mpr_interface_2 - an interface at level 2
 * @level1: level 1
 * @phone:  number to dial; may be empty
 * @idle:   seconds until the interface hangs up if it is idle, or 0 for never
 */
struct mpr_interface_2 {
	struct mpr_interface_1	level1;
	char			phone[MPR_PHONE_SIZE];
	u32			idle;
};

/**
 * struct mpr_interface_3 - an interface at level 3
 * @level2:  level 2
 * @address: IPv6 address, or all 0 if the interface has none; no multicast address
 */
struct mpr_interface_3 {
	struct mpr_interface_2	level2;
	struct in6_addr		address;
};

/**
 * struct mpr_transport_0 - a transport, as it is enumerated
 * @protocol: PPP_IP, PPP_IPV6 or PPP_IPX
 * @size:     bytes of its data
 */
struct mpr_transport_0 {
	u32	protocol;
	u32	size;
};

/**
 * struct mpr_enum - state of an enumeration, which begins with all members 0 but @max
 * @level:  0
 * @max:    bytes that the buffer may have, enough for an entry
 * @resume: where the next call goes on; written by the server
 * @count:  entries in the buffer; written by the server
 * @total:  entries that there are now, those before @resume included; written by the server
 *
 * What exists during all of an enumeration is enumerated once. What is created or deleted
 * meanwhile is enumerated once or not at all.
 */
struct mpr_enum {
	u32	level;
	size_t	max;
	u32	resume;
	u32	count;
	u32	total;
};

/**
 * struct mpr_dispatch - functions of the configuration server
 * @connect: connect to the router of this name; NULL or an empty name is the provider's router.
 *	     Write the handle of the connection. %-EHOSTUNREACH: the provider's router has another
 *	     name.
 * @disconnect: end a connection with its handles and its buffers. It cannot fail. If there is no
 *	     such connection it does nothing.
 * @buffer_free: free a buffer that a function of this connection has returned. Until then it
 *	     belongs to the client, which may change it. %-EINVAL: the connection has no such
 *	     buffer.
 * @interface_create: store an interface. What is above @level is 0. Write the handle. %-EEXIST:
 *	     there is one with this name.
 * @interface_get_handle: find an interface. The connection gets the same handle each time.
 *	     %-ENOENT: there is none with this name.
 * @interface_get_info: return a buffer with the interface at this level, and its size.
 * @interface_set_info: change an interface; what is above @level stays. %-EINVAL: also if
 *	     the interface is enabled and MPR_DEDICATED or MPR_INTERNAL, or if its name or its
 *	     type would change
 * @interface_delete: delete an interface and its transports. The handle ends.
 * @interface_enum: return a buffer with an array of &struct mpr_interface_0. %-EINVAL: also if
 *	     &mpr_enum.max is below the size of an entry. %-ENODATA: there are no more.
 * @transport_create: store a transport of an interface, or of the router if @interface is 0.
 *	     Write the handle. %-EPROTONOSUPPORT: the server knows no such protocol. %-EEXIST: there
 *	     is one with this protocol.
 * @transport_get_handle: find a transport. %-EPROTONOSUPPORT: there is none with this protocol.
 * @transport_get_info: return a buffer with the data of the transport, and its size, which may be
 *	     0; and its protocol.
 * @transport_set_info: change the data of a transport.
 * @transport_delete: delete a transport. The handle ends.
 * @transport_enum: return a buffer with an array of &struct mpr_transport_0, as @interface_enum
 *	     does.
 *
 * Each function may be called in process context, and may sleep. A handle is a number above 0.
 * It belongs to a connection, is not issued again, and does not keep its object: an object that
 * any client has deleted is gone. Handles and buffers end with their connection, and connections
 * with their binding.
 *
 * Each function but @disconnect returns 0 or
 *
 * * %-EINVAL - a pointer is NULL, a name or a value is not allowed, or there is no such level
 * * %-ENODEV - the connection, the interface or the transport is gone, or never was; not @connect
 * * %-ENOMEM - allocation failure; not @disconnect, @buffer_free and the functions that delete
 * * %-ENOBUFS - the client has as many connections, handles or buffers as it may have, or the
 *   router has as many interfaces
 * * another error that is given below
 */
struct mpr_dispatch {
	int  (*connect)(void *context, const char *router, u32 *server);
	void (*disconnect)(void *context, u32 server);
	int  (*buffer_free)(void *context, u32 server, void *buffer);

	int  (*interface_create)(void *context, u32 server, u32 level, const void *info,
				 u32 *interface);
	int  (*interface_get_handle)(void *context, u32 server, const char *name,
				     u32 *interface);
	int  (*interface_get_info)(void *context, u32 server, u32 interface, u32 level,
				   void **buffer, size_t *size);
	int  (*interface_set_info)(void *context, u32 server, u32 interface, u32 level,
				   const void *info);
	int  (*interface_delete)(void *context, u32 server, u32 interface);
	int  (*interface_enum)(void *context, u32 server, struct mpr_enum *state,
			       void **buffer);

	int  (*transport_create)(void *context, u32 server, u32 interface, u32 protocol,
				 const void *data, size_t size, u32 *transport);
	int  (*transport_get_handle)(void *context, u32 server, u32 interface, u32 protocol,
				     u32 *transport);
	int  (*transport_get_info)(void *context, u32 server, u32 transport, u32 *protocol,
				   void **buffer, size_t *size);
	int  (*transport_set_info)(void *context, u32 server, u32 transport, const void *data,
				   size_t size);
	int  (*transport_delete)(void *context, u32 server, u32 transport);
	int  (*transport_enum)(void *context, u32 server, u32 interface, struct mpr_enum *state,
			       void **buffer);
};

#endif /* _MPR_NPI_H */
