// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the configuration server: it offers the server to administrators in user space, by
 * generic netlink. mpr.yaml describes the protocol, and mpr_nl_gen.c is generated from that. This
 * file has the connections; mpr_nl_request.c, mpr_nl_interface.c and mpr_nl_transport.c have the
 * requests.
 *
 *	insmod mpr_nl.ko router=east	# without router=, the first router that there is
 *
 * Each request enters the slot, and exits it before it ends. So the server may leave at any time,
 * also between two parts of a dump. Requests then fail with -ENODEV until there is
 * another server, which does not know the handles of the old one.
 *
 * A connection belongs to the socket that has asked for it. When the socket closes, the notifier
 * ends its connections. When the server leaves, it ends all connections itself, and the cleanup
 * callback forgets the owners. Each server issues handles from 1 on, so a socket gets a number
 * of this module instead. A number is used again after 2^31 connections, and not before, whatever
 * server comes next. So a socket, or a dump, never reaches a connection that it did not make.
 *
 * The kernel frees the port of a socket before it calls the notifier. A socket that gets the same
 * port in between has the old socket's connections until the notifier ends them, with its own.
 *
 * Only requests with CAP_NET_ADMIN in the initial user namespace pass (GENL_ADMIN_PERM), and the
 * family exists in the initial network namespace only.
 *
 * Locking: a task that has entered the slot holds mpr_nl_lock until it exits. The lock protects
 * the owners. Their binding is the one in the slot. It also keeps the connection, and so the
 * buffers that the server has returned: threads that share a socket call at the same time. The
 * cleanup callback runs when no task is in the slot, and does not take the lock.
 */
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include "mpr_netlink.h"

static char *router = "";
module_param(router, charp, 0444);
MODULE_PARM_DESC(router, "Name of the router; empty: the first one that there is");

/*
 * A connection.
 *
 * @node:   in mpr_nl_ports
 * @portid: the socket that the connection belongs to
 * @number: what the socket calls the connection
 * @server: what the server calls it
 */
struct mpr_nl_owner {
	struct hlist_node	node;
	u32			portid;
	u32			number;
	u32			server;
};

static DEFINE_MUTEX(mpr_nl_lock);
static DEFINE_XARRAY_ALLOC1(mpr_nl_owners);	/* by number */
static DEFINE_HASHTABLE(mpr_nl_ports, 8);	/* the same, by socket */
static u32 mpr_nl_next;				/* outlives bindings */

DEFINE_NMR_SLOT(mpr_nl_slot);

/* Enter the slot. Return: 0, or -ENODEV if there is no server. */
int mpr_nl_enter_slot(struct mpr_nl_call *call, struct netlink_ext_ack *extack)
{
	if (!nmr_slot_enter(&mpr_nl_slot, &call->nmr)) {
		NL_SET_ERR_MSG(extack, "there is no configuration server");
		return -ENODEV;
	}
	call->ops = call->nmr.dispatch;
	call->context = call->nmr.context;
	mutex_lock(&mpr_nl_lock);
	return 0;
}

void mpr_nl_exit(struct mpr_nl_call *call)
{
	mutex_unlock(&mpr_nl_lock);
	nmr_slot_exit(&call->nmr);
}

/* Enter the slot for a request with a connection that belongs to the socket. */
int mpr_nl_enter(struct mpr_nl_call *call, struct nlattr **attrs, u32 portid,
		 struct netlink_ext_ack *extack)
{
	struct mpr_nl_owner *owner;
	int err;

	if (NL_REQ_ATTR_CHECK(extack, NULL, attrs, NMR_MPR_A_SERVER)) {
		NL_SET_ERR_MSG(extack, "an attribute is missing");
		return -EINVAL;
	}
	err = mpr_nl_enter_slot(call, extack);
	if (err)
		return err;
	call->number = nla_get_u32(attrs[NMR_MPR_A_SERVER]);
	owner = xa_load(&mpr_nl_owners, call->number);
	if (owner && owner->portid == portid) {
		call->server = owner->server;
		return 0;
	}
	mpr_nl_exit(call);
	NL_SET_ERR_MSG(extack, "the socket has no such connection");
	return -ENODEV;
}

/* Connections */

/* Forget an owner. Return: the server's handle */
static u32 mpr_nl_forget(u32 number)
{
	struct mpr_nl_owner *owner = xa_erase(&mpr_nl_owners, number);
	u32 server = owner->server;

	hash_del(&owner->node);
	kfree(owner);
	return server;
}

/* End a connection. */
static void mpr_nl_disconnect(struct mpr_nl_call *call)
{
	call->ops->disconnect(call->context, mpr_nl_forget(call->number));
}

/* Note the owner of a connection. Return: 0 or -ENOMEM. */
static int mpr_nl_own(struct mpr_nl_call *call, u32 portid)
{
	struct mpr_nl_owner *owner = kmalloc(sizeof(*owner), GFP_KERNEL);
	int err;

	if (!owner)
		return -ENOMEM;
	err = xa_alloc_cyclic(&mpr_nl_owners, &call->number, owner, xa_limit_31b, &mpr_nl_next,
			      GFP_KERNEL);
	if (err < 0) {
		kfree(owner);
		return err;
	}
	owner->portid = portid;
	owner->server = call->server;
	owner->number = call->number;
	hash_add(mpr_nl_ports, &owner->node, portid);
	return 0;
}

/* Connect. Return: 0, -ENOMEM, or an error of the server. */
static int mpr_nl_connect(struct mpr_nl_call *call, struct genl_info *info, struct sk_buff *reply)
{
	struct nlattr *name = info->attrs[NMR_MPR_A_ROUTER];
	int err;

	err = call->ops->connect(call->context, name ? nla_data(name) : NULL, &call->server);
	if (err)
		return err;
	err = mpr_nl_own(call, info->snd_portid);
	if (err) {
		call->ops->disconnect(call->context, call->server);
		return err;
	}
	return nla_put_u32(reply, NMR_MPR_A_SERVER, call->number);	/* The reply has room. */
}

int nmr_mpr_nl_connect_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_ask_first(info, mpr_nl_connect, mpr_nl_disconnect);
}

/* A handle that is gone is no error. */
int nmr_mpr_nl_disconnect_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mpr_nl_call call;

	if (mpr_nl_lacks(info, NMR_MPR_A_SERVER))
		return -EINVAL;
	if (!mpr_nl_enter(&call, info->attrs, info->snd_portid, NULL)) {
		mpr_nl_disconnect(&call);
		mpr_nl_exit(&call);
	}
	return 0;
}

/* End the connections of a socket that closes. */
static int mpr_nl_notify(struct notifier_block *block, unsigned long event, void *data)
{
	struct netlink_notify *socket = data;
	struct mpr_nl_owner *owner;
	struct hlist_node *next;
	struct mpr_nl_call call;

	if (event != NETLINK_URELEASE || socket->protocol != NETLINK_GENERIC ||
	    !net_eq(socket->net, &init_net) || xa_empty(&mpr_nl_owners))
		return NOTIFY_DONE;
	if (mpr_nl_enter_slot(&call, NULL))
		return NOTIFY_DONE;	/* the server ends all connections */
	hash_for_each_possible_safe(mpr_nl_ports, owner, next, node, socket->portid) {
		if (owner->portid != socket->portid)
			continue;
		call.number = owner->number;
		mpr_nl_disconnect(&call);
	}
	mpr_nl_exit(&call);
	return NOTIFY_DONE;
}

static struct notifier_block mpr_nl_notifier = { .notifier_call = mpr_nl_notify };

/* The module */

struct genl_family mpr_nl_family __ro_after_init = {
	.name		= NMR_MPR_FAMILY_NAME,
	.version	= NMR_MPR_FAMILY_VERSION,
	.module		= THIS_MODULE,
	.parallel_ops	= true,		/* a slow server does not hold up other families */
	.maxattr	= NMR_MPR_A_DATA,
	.policy		= nmr_mpr_mpr_nl_policy,
	.small_ops	= nmr_mpr_nl_ops,
	.n_small_ops	= ARRAY_SIZE(nmr_mpr_nl_ops),
	.resv_start_op	= NMR_MPR_CMD_CONNECT,
};

static int mpr_nl_attach(struct nmr_binding *binding, void *client_context,
			 const struct nmr_registration_instance *provider)
{
	const struct mpr_router_info *info = provider->npi_specific;

	if (*router && strcmp(router, info->name))
		return -ENODEV;
	return nmr_client_attach_provider(binding, NULL, NULL);
}

/* Forget the owners: the server ends the connections. No call is in the slot. */
static void mpr_nl_cleanup(void *context)
{
	unsigned long number;
	void *owner;

	xa_for_each(&mpr_nl_owners, number, owner)
		mpr_nl_forget(number);
}

static const guid_t mpr_nl_id = NMR_GUID("3f04bafe-167d-47f7-bf2f-7e0d507803d5");

static const struct nmr_client_characteristics mpr_nl_client = {
	.attach_provider	 = mpr_nl_attach,
	.cleanup_binding_context = mpr_nl_cleanup,
	.slot			 = &mpr_nl_slot,
	.instance		 = {
		.npi_id		= &mpr_npi_id,
		.module_id	= &mpr_nl_id,
	},
};

static struct nmr_client_handle mpr_nl_handle;

static int __init mpr_nl_init(void)
{
	int err;

	err = netlink_register_notifier(&mpr_nl_notifier);
	if (err)
		return err;
	err = genl_register_family(&mpr_nl_family);
	if (err)
		goto err_notifier;
	err = nmr_register_client(&mpr_nl_client, NULL, &mpr_nl_handle);
	if (err)
		goto err_family;
	return 0;

err_family:
	genl_unregister_family(&mpr_nl_family);
err_notifier:
	netlink_unregister_notifier(&mpr_nl_notifier);
	return err;
}
module_init(mpr_nl_init);

static void __exit mpr_nl_exit_module(void)
{
	nmr_deregister_client_sync(mpr_nl_handle);
	genl_unregister_family(&mpr_nl_family);
	netlink_unregister_notifier(&mpr_nl_notifier);
}
module_exit(mpr_nl_exit_module);

MODULE_NMR_INTERFACE(MPR_NPI_GUID, "mpr");
MODULE_DESCRIPTION("NMR sample: the configuration server, by generic netlink");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
