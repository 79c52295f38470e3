// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration server, a part of mpr.ko: the functions of the NPI.
 *
 * Locking: each function of the NPI takes mpr_lock, and the others must be called with it held.
 */
#include <linux/err.h>
#include <linux/string.h>
#include "mpr.h"

/* Connections */

static int mpr_connect(void *context, const char *router, u32 *server)
{
	struct mpr_peer *peer = context;
	int err;

	if (!server)
		return -EINVAL;
	if (router && *router) {
		if (!mpr_name_is_allowed(router))
			return -EINVAL;
		if (strcmp(router, peer->router->info.name))
			return -EHOSTUNREACH;
	}
	mutex_lock(&mpr_lock);
	err = mpr_server_add(peer, server);
	mutex_unlock(&mpr_lock);
	return err;
}

static void mpr_disconnect(void *context, u32 server)
{
	struct mpr_peer *peer = context;

	mutex_lock(&mpr_lock);
	if (mpr_server_find(peer, server))
		mpr_server_end(peer, server);
	mutex_unlock(&mpr_lock);
}

static int mpr_buffer_free(void *context, u32 server, void *buffer)
{
	struct mpr_server *conn;
	int err = -ENODEV;

	if (!buffer)
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(context, server);
	if (conn)
		err = mpr_buffer_remove(conn, buffer);
	mutex_unlock(&mpr_lock);
	return err;
}

/* Enumerations */

static bool mpr_enum_is_allowed(const struct mpr_enum *state, void **buffer, size_t size)
{
	return state && buffer && !state->level && state->max >= size;
}

/*
 * Copy what is in @among from state->resume on, as far as it fits, into a new buffer. The caller
 * has set state->total. Return: 0, -ENODATA, or an error of mpr_buffer_add().
 */
static int mpr_enum(struct mpr_server *conn, struct xarray *among,
		    void (*copy)(void *entry, const void *object), size_t size,
		    struct mpr_enum *state, void **buffer)
{
	unsigned long index = state->resume;
	void *object = xa_find(among, &index, ULONG_MAX, XA_PRESENT), *entries;
	u32 count = 0, room = min_t(size_t, state->max / size, state->total);

	if (!object)
		return -ENODATA;
	entries = mpr_buffer_add(conn, room * size);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	while (object && count < room) {
		copy(entries + count++ * size, object);
		state->resume = index + 1;
		object = xa_find_after(among, &index, ULONG_MAX, XA_PRESENT);
	}
	state->count = count;
	*buffer = entries;
	return 0;
}

/* Objects */

/* Issue the handle of an object that is new. If there is none, there is no object either. */
static int mpr_issue(struct mpr_server *conn, struct mpr_object *object, u32 *id)
{
	int err = mpr_handle_add(conn, object, id);

	if (err)
		mpr_remove(conn->peer->router, object);
	return err;
}

static int mpr_delete(void *context, u32 server, enum mpr_kind kind, u32 id)
{
	struct mpr_peer *peer = context;
	struct mpr_object *object;
	struct mpr_server *conn;
	int err = -ENODEV;

	mutex_lock(&mpr_lock);
	conn = mpr_server_find(peer, server);
	object = mpr_object_of(conn, kind, id);
	if (object) {
		mpr_remove(peer->router, object);
		mpr_handle_end(conn, id);
		err = 0;
	}
	mutex_unlock(&mpr_lock);
	return err;
}

/* Interfaces */

static int mpr_interface_create(void *context, u32 server, u32 level, const void *info, u32 *id)
{
	struct mpr_peer *peer = context;
	struct mpr_interface *interface;
	struct mpr_server *conn;
	int err = -ENODEV;

	if (!info || !id || level >= MPR_LEVELS)
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(peer, server);
	if (conn) {
		interface = mpr_interface_add(peer->router, level, info);
		err = PTR_ERR_OR_ZERO(interface) ?: mpr_issue(conn, &interface->object, id);
	}
	mutex_unlock(&mpr_lock);
	return err;
}

static int mpr_interface_get_handle(void *context, u32 server, const char *name, u32 *id)
{
	struct mpr_peer *peer = context;
	struct mpr_interface *interface;
	struct mpr_server *conn;
	int err = -ENODEV;

	if (!name || !id || !mpr_name_is_allowed(name))
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(peer, server);
	if (conn) {
		interface = mpr_interface_find(peer->router, name);
		err = interface ? mpr_handle_get(conn, &interface->object, id) : -ENOENT;
	}
	mutex_unlock(&mpr_lock);
	return err;
}

static int mpr_interface_get_info(void *context, u32 server, u32 id, u32 level, void **buffer,
				  size_t *size)
{
	struct mpr_interface *interface;
	struct mpr_server *conn;
	int err = -ENODEV;

	if (!buffer || !size || level >= MPR_LEVELS)
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(context, server);
	interface = mpr_interface_of(conn, id);
	if (interface) {
		err = mpr_buffer_dup(conn, &interface->info, mpr_level_size[level], buffer);
		*size = mpr_level_size[level];
	}
	mutex_unlock(&mpr_lock);
	return err;
}

static int mpr_interface_set_info(void *context, u32 server, u32 id, u32 level,
				  const void *info)
{
	struct mpr_interface *interface;
	int err = -ENODEV;

	if (!info || level >= MPR_LEVELS)
		return -EINVAL;
	mutex_lock(&mpr_lock);
	interface = mpr_interface_of(mpr_server_find(context, server), id);
	if (interface)
		err = mpr_interface_change(interface, level, info);
	mutex_unlock(&mpr_lock);
	return err;
}

static int mpr_interface_delete(void *context, u32 server, u32 id)
{
	return mpr_delete(context, server, MPR_INTERFACE, id);
}

static void mpr_interface_copy(void *entry, const void *object)
{
	const struct mpr_interface *interface = object;

	*(struct mpr_interface_0 *)entry = interface->info.level2.level1.level0;
}

static int mpr_interface_enum(void *context, u32 server, struct mpr_enum *state, void **buffer)
{
	struct mpr_peer *peer = context;
	struct mpr_server *conn;
	int err = -ENODEV;

	if (!mpr_enum_is_allowed(state, buffer, sizeof(struct mpr_interface_0)))
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(peer, server);
	if (conn) {
		state->total = peer->router->count;
		err = mpr_enum(conn, &peer->router->interfaces, mpr_interface_copy,
			       sizeof(struct mpr_interface_0), state, buffer);
	}
	mutex_unlock(&mpr_lock);
	return err;
}

/* Transports */

static int mpr_transport_create(void *context, u32 server, u32 interface, u32 protocol,
				const void *data, size_t size, u32 *id)
{
	struct mpr_transport *transport;
	struct mpr_server *conn;
	struct xarray *among;
	int err = -ENODEV;

	if (!id)
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(context, server);
	among = mpr_transports_of(context, conn, interface);
	if (among) {
		transport = mpr_transport_add(among, protocol, data, size);
		err = PTR_ERR_OR_ZERO(transport) ?: mpr_issue(conn, &transport->object, id);
	}
	mutex_unlock(&mpr_lock);
	return err;
}

static int mpr_transport_get_handle(void *context, u32 server, u32 interface, u32 protocol,
				    u32 *id)
{
	struct mpr_transport *transport;
	struct mpr_server *conn;
	struct xarray *among;
	int err = -ENODEV;

	if (!id)
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(context, server);
	among = mpr_transports_of(context, conn, interface);
	if (among) {
		transport = xa_load(among, protocol);
		err = transport ? mpr_handle_get(conn, &transport->object, id) :
				  -EPROTONOSUPPORT;
	}
	mutex_unlock(&mpr_lock);
	return err;
}

static int mpr_transport_get_info(void *context, u32 server, u32 id, u32 *protocol,
				  void **buffer, size_t *size)
{
	struct mpr_transport *transport;
	struct mpr_server *conn;
	int err = -ENODEV;

	if (!protocol || !buffer || !size)
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(context, server);
	transport = mpr_transport_of(conn, id);
	if (transport) {
		err = mpr_buffer_dup(conn, transport->data, transport->size, buffer);
		*protocol = transport->protocol;
		*size = transport->size;
	}
	mutex_unlock(&mpr_lock);
	return err;
}

static int mpr_transport_set_info(void *context, u32 server, u32 id, const void *data,
				  size_t size)
{
	struct mpr_transport *transport;
	int err = -ENODEV;

	mutex_lock(&mpr_lock);
	transport = mpr_transport_of(mpr_server_find(context, server), id);
	if (transport)
		err = mpr_transport_change(transport, data, size);
	mutex_unlock(&mpr_lock);
	return err;
}

static int mpr_transport_delete(void *context, u32 server, u32 id)
{
	return mpr_delete(context, server, MPR_TRANSPORT, id);
}

static void mpr_transport_copy(void *entry, const void *object)
{
	const struct mpr_transport *transport = object;
	struct mpr_transport_0 *copy = entry;

	copy->protocol = transport->protocol;
	copy->size = transport->size;
}

static int mpr_transport_enum(void *context, u32 server, u32 interface, struct mpr_enum *state,
			      void **buffer)
{
	struct mpr_transport *transport;
	unsigned long protocol;
	struct mpr_server *conn;
	struct xarray *among;
	int err = -ENODEV;

	if (!mpr_enum_is_allowed(state, buffer, sizeof(struct mpr_transport_0)))
		return -EINVAL;
	mutex_lock(&mpr_lock);
	conn = mpr_server_find(context, server);
	among = mpr_transports_of(context, conn, interface);
	if (among) {
		state->total = 0;
		xa_for_each(among, protocol, transport)
			state->total++;
		err = mpr_enum(conn, among, mpr_transport_copy,
			       sizeof(struct mpr_transport_0), state, buffer);
	}
	mutex_unlock(&mpr_lock);
	return err;
}

const struct mpr_dispatch mpr_dispatch = {
	.connect		= mpr_connect,
	.disconnect		= mpr_disconnect,
	.buffer_free		= mpr_buffer_free,
	.interface_create	= mpr_interface_create,
	.interface_get_handle	= mpr_interface_get_handle,
	.interface_get_info	= mpr_interface_get_info,
	.interface_set_info	= mpr_interface_set_info,
	.interface_delete	= mpr_interface_delete,
	.interface_enum		= mpr_interface_enum,
	.transport_create	= mpr_transport_create,
	.transport_get_handle	= mpr_transport_get_handle,
	.transport_get_info	= mpr_transport_get_info,
	.transport_set_info	= mpr_transport_set_info,
	.transport_delete	= mpr_transport_delete,
	.transport_enum		= mpr_transport_enum,
};
