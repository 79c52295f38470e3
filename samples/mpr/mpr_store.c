// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration server, a part of mpr.ko: the stored configuration. It lives as long as the
 * module, whatever its clients do.
 *
 * The store has a reference to each object, and so has each handle. A client that deletes an
 * object takes it out of the store and marks it as gone. The last handle frees it. The data of a
 * transport does not wait for that.
 *
 * Locking: must be called with mpr_lock held.
 */
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/stringhash.h>
#include <net/ipv6.h>
#include "mpr.h"

DEFINE_MUTEX(mpr_lock);	/* protects everything, see mpr.h */

uint mpr_objects;

const size_t mpr_level_size[MPR_LEVELS] = {
	sizeof(struct mpr_interface_0),
	sizeof(struct mpr_interface_1),
	sizeof(struct mpr_interface_2),
	sizeof(struct mpr_interface_3),
};

/* Objects */

static void mpr_object_init(struct mpr_object *object, enum mpr_kind kind)
{
	kref_init(&object->ref);
	object->kind = kind;
	mpr_objects++;
}

/* Free an interface that the store has removed with its transports, or a transport. */
static void mpr_object_free(struct kref *ref)
{
	struct mpr_object *object = container_of(ref, struct mpr_object, ref);

	mpr_objects--;
	if (object->kind == MPR_TRANSPORT)
		kfree(container_of(object, struct mpr_transport, object)->data);
	kfree(object);	/* the first member of both kinds */
}

void mpr_put(struct mpr_object *object)
{
	kref_put(&object->ref, mpr_object_free);
}

/* Names and values */

bool mpr_name_is_allowed(const char *name)
{
	size_t i, len = strnlen(name, MPR_NAME_SIZE);

	if (!len || len == MPR_NAME_SIZE || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (i = 0; i < len; i++)
		if (name[i] == '/' || iscntrl(name[i]))
			return false;
	return true;
}

/* Test what a client wants to store. Each level begins with the one below. */
static bool mpr_info_is_allowed(u32 level, const void *info)
{
	const struct mpr_interface_3 *new = info;
	const struct mpr_interface_2 *level2 = &new->level2;
	const struct mpr_interface_0 *level0 = &level2->level1.level0;

	if (!mpr_name_is_allowed(level0->name) || level0->type >= MPR_INTERFACE_TYPES)
		return false;
	if (level >= 2 && strnlen(level2->phone, MPR_PHONE_SIZE) == MPR_PHONE_SIZE)
		return false;
	return level < 3 || !ipv6_addr_is_multicast(&new->address);
}

static bool mpr_protocol_is_known(u32 protocol)
{
	return protocol == PPP_IP || protocol == PPP_IPV6 || protocol == PPP_IPX;
}

/* Transports */

/* Copy the data of a transport, which may be empty. Return: 0, -EINVAL or -ENOMEM. */
static int mpr_data_dup(const void *data, size_t size, void **copy)
{
	*copy = NULL;
	if (size > MPR_DATA_MAX || (size && !data))
		return -EINVAL;
	if (!size)
		return 0;
	*copy = kmemdup(data, size, GFP_KERNEL);
	return *copy ? 0 : -ENOMEM;
}

struct mpr_transport *mpr_transport_add(struct xarray *among, u32 protocol, const void *data,
					size_t size)
{
	struct mpr_transport *transport;
	int err;

	if (!mpr_protocol_is_known(protocol))
		return ERR_PTR(-EPROTONOSUPPORT);
	transport = kzalloc(sizeof(*transport), GFP_KERNEL);
	if (!transport)
		return ERR_PTR(-ENOMEM);
	mpr_object_init(&transport->object, MPR_TRANSPORT);
	transport->among = among;
	transport->protocol = protocol;
	transport->size = size;
	err = mpr_data_dup(data, size, &transport->data);
	if (!err)
		err = xa_insert(among, protocol, transport, GFP_KERNEL);
	if (!err)
		return transport;
	mpr_put(&transport->object);
	return ERR_PTR(err == -EBUSY ? -EEXIST : err);
}

int mpr_transport_change(struct mpr_transport *transport, const void *data, size_t size)
{
	void *copy;
	int err = mpr_data_dup(data, size, &copy);

	if (err)
		return err;
	kfree(transport->data);
	transport->data = copy;
	transport->size = size;
	return 0;
}

static void mpr_transport_remove(struct mpr_transport *transport)
{
	xa_erase(transport->among, transport->protocol);
	transport->among = NULL;
	kfree(transport->data);
	transport->data = NULL;
	transport->size = 0;
	transport->object.gone = true;
	mpr_put(&transport->object);
}

static void mpr_transports_destroy(struct xarray *among)
{
	struct mpr_transport *transport;
	unsigned long protocol;

	xa_for_each(among, protocol, transport)
		mpr_transport_remove(transport);
	xa_destroy(among);
}

/* Interfaces */

static u32 mpr_name_hash(const char *name)
{
	return full_name_hash(NULL, name, strlen(name));
}

static const char *mpr_interface_name(const struct mpr_interface *interface)
{
	return interface->info.level2.level1.level0.name;
}

struct mpr_interface *mpr_interface_find(struct mpr_router *router, const char *name)
{
	struct mpr_interface *interface;

	hash_for_each_possible(router->names, interface, node, mpr_name_hash(name))
		if (!strcmp(mpr_interface_name(interface), name))
			return interface;
	return NULL;
}

static struct mpr_interface *mpr_interface_alloc(u32 level, const void *info)
{
	struct mpr_interface *interface = kzalloc(sizeof(*interface), GFP_KERNEL);

	if (!interface)
		return ERR_PTR(-ENOMEM);
	mpr_object_init(&interface->object, MPR_INTERFACE);
	xa_init(&interface->transports);
	memcpy(&interface->info, info, mpr_level_size[level]);
	return interface;
}

struct mpr_interface *mpr_interface_add(struct mpr_router *router, u32 level,
					const void *info)
{
	struct mpr_interface *interface;
	const char *name = info;	/* the first member */
	int err;

	if (!mpr_info_is_allowed(level, info))
		return ERR_PTR(-EINVAL);
	if (mpr_interface_find(router, name))
		return ERR_PTR(-EEXIST);
	if (router->count >= mpr_limit)
		return ERR_PTR(-ENOBUFS);
	interface = mpr_interface_alloc(level, info);
	if (IS_ERR(interface))
		return interface;
	err = xa_alloc_cyclic(&router->interfaces, &interface->index, interface, xa_limit_31b,
			      &router->next, GFP_KERNEL);
	if (err < 0) {
		mpr_put(&interface->object);
		return ERR_PTR(err);
	}
	hash_add(router->names, &interface->node, mpr_name_hash(name));
	router->count++;
	return interface;
}

/* Name and type do not change. An interface that the router itself needs is not edited. */
int mpr_interface_change(struct mpr_interface *interface, u32 level, const void *info)
{
	const struct mpr_interface_0 *old = &interface->info.level2.level1.level0, *new = info;

	if (!mpr_info_is_allowed(level, info))
		return -EINVAL;
	if (strcmp(old->name, new->name) || old->type != new->type)
		return -EINVAL;
	if (old->enabled && (old->type == MPR_DEDICATED || old->type == MPR_INTERNAL))
		return -EINVAL;
	memcpy(&interface->info, info, mpr_level_size[level]);
	return 0;
}

static void mpr_interface_remove(struct mpr_router *router, struct mpr_interface *interface)
{
	mpr_transports_destroy(&interface->transports);
	xa_erase(&router->interfaces, interface->index);
	hash_del(&interface->node);
	router->count--;
	interface->object.gone = true;
	mpr_put(&interface->object);
}

/* Take an object out of the store of the router. */
void mpr_remove(struct mpr_router *router, struct mpr_object *object)
{
	if (object->kind == MPR_INTERFACE)
		mpr_interface_remove(router, container_of(object, struct mpr_interface, object));
	else
		mpr_transport_remove(container_of(object, struct mpr_transport, object));
}

/* Routers */

void mpr_router_init(struct mpr_router *router, const char *name)
{
	router->info.name = name;
	xa_init_flags(&router->interfaces, XA_FLAGS_ALLOC1);
	xa_init(&router->transports);
	hash_init(router->names);
}

void mpr_router_destroy(struct mpr_router *router)
{
	struct mpr_interface *interface;
	unsigned long index;

	mpr_transports_destroy(&router->transports);
	xa_for_each(&router->interfaces, index, interface)
		mpr_interface_remove(router, interface);
	xa_destroy(&router->interfaces);
}
