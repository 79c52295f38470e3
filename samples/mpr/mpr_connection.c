// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration server, a part of mpr.ko: connections, with their handles and buffers.
 *
 * Locking: must be called with mpr_lock held.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "mpr.h"

uint mpr_connections, mpr_handles, mpr_buffers;

static DEFINE_HASHTABLE(mpr_by_object, 12);	/* handles of all connections */

/* Connections */

struct mpr_server *mpr_server_find(struct mpr_peer *peer, u32 id)
{
	return xa_load(&peer->servers, id);
}

int mpr_server_add(struct mpr_peer *peer, u32 *id)
{
	struct mpr_server *server;
	int err;

	if (peer->count >= mpr_limit)
		return -ENOBUFS;
	server = kzalloc(sizeof(*server), GFP_KERNEL);
	if (!server)
		return -ENOMEM;
	server->peer = peer;
	xa_init_flags(&server->handles, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&server->buffers);
	err = xa_alloc_cyclic(&peer->servers, id, server, xa_limit_31b, &peer->next,
			      GFP_KERNEL);
	if (err < 0) {
		kfree(server);
		return err;
	}
	peer->count++;
	mpr_connections++;
	return 0;
}

void mpr_handle_end(struct mpr_server *server, u32 id)
{
	struct mpr_handle *handle = xa_erase(&server->handles, id);

	hash_del(&handle->node);
	server->peer->nr_handles--;
	mpr_handles--;
	mpr_put(handle->object);
	kfree(handle);
}

static void mpr_buffer_end(struct mpr_server *server, struct mpr_buffer *buffer)
{
	list_del(&buffer->list);
	server->peer->nr_buffers--;
	mpr_buffers--;
	kvfree(buffer);
}

void mpr_server_end(struct mpr_peer *peer, u32 id)
{
	struct mpr_server *server = xa_erase(&peer->servers, id);
	struct mpr_buffer *buffer, *next;
	struct mpr_handle *handle;
	unsigned long number;

	xa_for_each(&server->handles, number, handle)
		mpr_handle_end(server, number);
	xa_destroy(&server->handles);
	list_for_each_entry_safe(buffer, next, &server->buffers, list)
		mpr_buffer_end(server, buffer);
	kfree(server);
	peer->count--;
	mpr_connections--;
}

/* Handles */

static unsigned long mpr_handle_key(const struct mpr_server *server,
				    const struct mpr_object *object)
{
	return (unsigned long)server + (unsigned long)object;
}

/* Issue a handle of an object. Return: 0, -ENOBUFS or -ENOMEM. */
int mpr_handle_add(struct mpr_server *server, struct mpr_object *object, u32 *id)
{
	struct mpr_handle *handle;
	int err;

	if (server->peer->nr_handles >= mpr_limit)
		return -ENOBUFS;
	handle = kmalloc(sizeof(*handle), GFP_KERNEL);
	if (!handle)
		return -ENOMEM;
	err = xa_alloc_cyclic(&server->handles, id, handle, xa_limit_31b, &server->next,
			      GFP_KERNEL);
	if (err < 0) {
		kfree(handle);
		return err;
	}
	kref_get(&object->ref);
	handle->server = server;
	handle->object = object;
	handle->id = *id;
	hash_add(mpr_by_object, &handle->node, mpr_handle_key(server, object));
	server->peer->nr_handles++;
	mpr_handles++;
	return 0;
}

/* Find the handle that the connection has of an object, or issue one. */
int mpr_handle_get(struct mpr_server *server, struct mpr_object *object, u32 *id)
{
	struct mpr_handle *handle;

	hash_for_each_possible(mpr_by_object, handle, node, mpr_handle_key(server, object)) {
		if (handle->server == server && handle->object == object) {
			*id = handle->id;
			return 0;
		}
	}
	return mpr_handle_add(server, object, id);
}

/* Return: NULL if the connection does not exist or has no such handle, or the object is gone. */
struct mpr_object *mpr_object_of(struct mpr_server *server, enum mpr_kind kind, u32 id)
{
	struct mpr_handle *handle = server ? xa_load(&server->handles, id) : NULL;

	if (!handle || handle->object->kind != kind || handle->object->gone)
		return NULL;
	return handle->object;
}

struct mpr_interface *mpr_interface_of(struct mpr_server *server, u32 id)
{
	struct mpr_object *object = mpr_object_of(server, MPR_INTERFACE, id);

	return object ? container_of(object, struct mpr_interface, object) : NULL;
}

struct mpr_transport *mpr_transport_of(struct mpr_server *server, u32 id)
{
	struct mpr_object *object = mpr_object_of(server, MPR_TRANSPORT, id);

	return object ? container_of(object, struct mpr_transport, object) : NULL;
}

/* Return: the transports of an interface, or of the router if @interface is 0; NULL if gone. */
struct xarray *mpr_transports_of(struct mpr_peer *peer, struct mpr_server *server, u32 interface)
{
	struct mpr_interface *found;

	if (server && !interface)
		return &peer->router->transports;
	found = mpr_interface_of(server, interface);
	return found ? &found->transports : NULL;
}

/* Buffers */

/* Allocate a buffer that the client owns from now on. Return: an ERR_PTR(), or the data. */
void *mpr_buffer_add(struct mpr_server *server, size_t size)
{
	struct mpr_buffer *buffer;

	if (server->peer->nr_buffers >= mpr_limit)
		return ERR_PTR(-ENOBUFS);
	buffer = kvzalloc(struct_size(buffer, data, size), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	list_add(&buffer->list, &server->buffers);
	server->peer->nr_buffers++;
	mpr_buffers++;
	return buffer->data;
}

/* Give the client a copy of @data, which it owns. Return: 0, -ENOBUFS or -ENOMEM. */
int mpr_buffer_dup(struct mpr_server *server, const void *data, size_t size, void **buffer)
{
	void *copy = mpr_buffer_add(server, size);

	if (IS_ERR(copy))
		return PTR_ERR(copy);
	if (size)
		memcpy(copy, data, size);
	*buffer = copy;
	return 0;
}

/* Return: 0, or -EINVAL: the connection has no such buffer. @data need not be valid. */
int mpr_buffer_remove(struct mpr_server *server, void *data)
{
	struct mpr_buffer *buffer;

	list_for_each_entry(buffer, &server->buffers, list) {
		if (buffer->data == data) {
			mpr_buffer_end(server, buffer);
			return 0;
		}
	}
	return -EINVAL;
}

/* Bindings */

struct mpr_peer *mpr_peer_alloc(struct mpr_router *router)
{
	struct mpr_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);

	if (!peer)
		return NULL;
	peer->router = router;
	xa_init_flags(&peer->servers, XA_FLAGS_ALLOC1);
	return peer;
}

/* End what the client has left open. */
void mpr_peer_free(struct mpr_peer *peer)
{
	struct mpr_server *server;
	unsigned long id;

	xa_for_each(&peer->servers, id, server)
		mpr_server_end(peer, id);
	xa_destroy(&peer->servers);
	kfree(peer);
}
