/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the parts of mpr.ko: the stored configuration of a router, and connections to it */
#ifndef _MPR_H
#define _MPR_H

#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include "mpr_npi.h"

/* Protects everything of all routers and of all connections. */
extern struct mutex mpr_lock;

/* Of the connections, handles and buffers of a client, and of the interfaces of a router, each */
extern uint mpr_limit;
extern uint mpr_objects;	/* interfaces and transports in memory */
extern uint mpr_connections, mpr_handles, mpr_buffers;

enum mpr_kind {
	MPR_INTERFACE,
	MPR_TRANSPORT,
};

/*
 * An interface or a transport.
 *
 * @ref:  the store has a reference, and each handle
 * @kind: what it is
 * @gone: it has been deleted, and only handles refer to it
 */
struct mpr_object {
	struct kref	ref;
	enum mpr_kind	kind;
	bool		gone;
};

struct mpr_interface {
	struct mpr_object	object;
	struct hlist_node	node;		/* in mpr_router.names */
	u32			index;		/* in mpr_router.interfaces */
	struct xarray		transports;	/* by protocol */
	struct mpr_interface_3	info;
};

struct mpr_transport {
	struct mpr_object	object;
	struct xarray		*among;		/* the router's or an interface's, unless gone */
	u32			protocol;
	size_t			size;
	void			*data;		/* NULL if there is none */
};

/*
 * @interfaces: by a number that is not used again, so that an enumeration can go on
 * @names:	the same interfaces, by name
 * @transports: of the router itself, by protocol
 */
struct mpr_router {
	struct mpr_router_info		info;
	struct nmr_provider_handle	handle;
	struct xarray			interfaces;
	u32				next;
	u32				count;
	DECLARE_HASHTABLE(names, 8);
	struct xarray			transports;
};

/* The store, mpr_store.c */

extern const size_t mpr_level_size[MPR_LEVELS];

bool mpr_name_is_allowed(const char *name);
void mpr_put(struct mpr_object *object);
void mpr_remove(struct mpr_router *router, struct mpr_object *object);

void mpr_router_init(struct mpr_router *router, const char *name);
void mpr_router_destroy(struct mpr_router *router);

struct mpr_interface *mpr_interface_find(struct mpr_router *router, const char *name);
struct mpr_interface *mpr_interface_add(struct mpr_router *router, u32 level,
					const void *info);
int mpr_interface_change(struct mpr_interface *interface, u32 level, const void *info);

struct mpr_transport *mpr_transport_add(struct xarray *among, u32 protocol, const void *data,
					size_t size);
int mpr_transport_change(struct mpr_transport *transport, const void *data, size_t size);

/* Connections, mpr_connection.c */

/*
 * A client, as it is bound to a router: the provider's binding context.
 *
 * @servers:	connections by handle
 * @next:	where to look for a handle that has not been used
 * @count:	connections that are open
 * @nr_handles:	handles of objects that all of these connections have
 * @nr_buffers:	buffers that the client owns
 */
struct mpr_peer {
	struct mpr_router	*router;
	struct xarray		servers;
	u32			next;
	u32			count;
	u32			nr_handles;
	u32			nr_buffers;
};

/*
 * A handle, which has a reference to its object.
 *
 * @node: among all handles, by connection and object
 */
struct mpr_handle {
	struct hlist_node	node;
	struct mpr_server	*server;
	struct mpr_object	*object;
	u32			id;
};

/*
 * A connection.
 *
 * @handles:	by their numbers
 * @next:	where to look for a handle that has not been used
 * @buffers:	what the client owns, the newest first
 */
struct mpr_server {
	struct mpr_peer		*peer;
	struct xarray		handles;
	u32			next;
	struct list_head	buffers;
};

struct mpr_buffer {
	struct list_head	list;
	u8			data[] __aligned(8);
};

struct mpr_server *mpr_server_find(struct mpr_peer *peer, u32 id);
int mpr_server_add(struct mpr_peer *peer, u32 *id);
void mpr_server_end(struct mpr_peer *peer, u32 id);

int mpr_handle_add(struct mpr_server *server, struct mpr_object *object, u32 *id);
int mpr_handle_get(struct mpr_server *server, struct mpr_object *object, u32 *id);
void mpr_handle_end(struct mpr_server *server, u32 id);

struct mpr_object *mpr_object_of(struct mpr_server *server, enum mpr_kind kind, u32 id);
struct mpr_interface *mpr_interface_of(struct mpr_server *server, u32 id);
struct mpr_transport *mpr_transport_of(struct mpr_server *server, u32 id);
struct xarray *mpr_transports_of(struct mpr_peer *peer, struct mpr_server *server, u32 interface);

void *mpr_buffer_add(struct mpr_server *server, size_t size);
int mpr_buffer_dup(struct mpr_server *server, const void *data, size_t size, void **buffer);
int mpr_buffer_remove(struct mpr_server *server, void *data);

struct mpr_peer *mpr_peer_alloc(struct mpr_router *router);
void mpr_peer_free(struct mpr_peer *peer);

/* The NPI, mpr_server.c */

extern const struct mpr_dispatch mpr_dispatch;

#endif /* _MPR_H */
