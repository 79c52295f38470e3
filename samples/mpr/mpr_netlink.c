// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the configuration server: it offers the server to administrators in user space, by
 * generic netlink. mpr.yaml describes the protocol, and mpr_nl_gen.c is generated from that.
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
 * @portid: the socket that the connection belongs to
 * @server: the server's handle
 */
struct mpr_nl_owner {
	u32	portid;
	u32	server;
};

static DEFINE_MUTEX(mpr_nl_lock);
static DEFINE_XARRAY_ALLOC1(mpr_nl_owners);	/* by the number that the socket gets */
static u32 mpr_nl_next;				/* outlives bindings */

DEFINE_NMR_SLOT(mpr_nl_slot);

static bool mpr_nl_enter_slot(struct mpr_nl_call *call)
{
	if (!nmr_slot_enter(&mpr_nl_slot, &call->nmr))
		return false;
	call->ops = call->nmr.dispatch;
	call->context = call->nmr.context;
	mutex_lock(&mpr_nl_lock);
	return true;
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

	if (NL_REQ_ATTR_CHECK(extack, NULL, attrs, NMR_MPR_A_SERVER)) {
		NL_SET_ERR_MSG(extack, "an attribute is missing");
		return -EINVAL;
	}
	if (!mpr_nl_enter_slot(call)) {
		NL_SET_ERR_MSG(extack, "there is no configuration server");
		return -ENODEV;
	}
	owner = xa_load(&mpr_nl_owners, nla_get_u32(attrs[NMR_MPR_A_SERVER]));
	if (owner && owner->portid == portid) {
		call->server = owner->server;
		return 0;
	}
	mpr_nl_exit(call);
	NL_SET_ERR_MSG(extack, "the socket has no such connection");
	return -ENODEV;
}

/* Say in words what an error of the server means. Return: @err. */
int mpr_nl_explain(struct netlink_ext_ack *extack, int err)
{
	switch (err) {
	case -EINVAL:
		NL_SET_ERR_MSG(extack, "the server does not allow this name, value or change");
		break;
	case -ENODEV:
		NL_SET_ERR_MSG(extack, "what the handle stood for is gone");
		break;
	case -ENOENT:
		NL_SET_ERR_MSG(extack, "there is no such interface");
		break;
	case -EEXIST:
		NL_SET_ERR_MSG(extack, "there is one already");
		break;
	case -EPROTONOSUPPORT:
		NL_SET_ERR_MSG(extack, "there is no such protocol");
		break;
	case -EHOSTUNREACH:
		NL_SET_ERR_MSG(extack, "the router has another name");
		break;
	case -ENOBUFS:
		NL_SET_ERR_MSG(extack, "the server has as many of these as it allows");
		break;
	}
	return err;
}

/* Requests and replies */

bool mpr_nl_lacks(struct genl_info *info, int attr)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return false;
	NL_SET_ERR_MSG(info->extack, "an attribute is missing");
	return true;
}

u32 mpr_nl_u32(struct genl_info *info, int attr)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : 0;
}

/*
 * Begin a request that has a reply: allocate it, and enter. Return: 0, -ENOMEM, or an error of
 * mpr_nl_enter(). If it is 0 the caller calls mpr_nl_end().
 */
int mpr_nl_begin(struct mpr_nl_call *call, struct mpr_nl_reply *reply, struct genl_info *info)
{
	int err;

	reply->skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->header = genlmsg_put_reply(reply->skb, info, &mpr_nl_family, 0,
					  info->genlhdr->cmd);
	err = mpr_nl_enter(call, info->attrs, info->snd_portid, info->extack);
	if (err)
		nlmsg_free(reply->skb);
	return err;
}

/* Exit, and send the reply unless there is an error. */
int mpr_nl_end(struct mpr_nl_call *call, struct mpr_nl_reply *reply, struct genl_info *info,
	       int err)
{
	mpr_nl_exit(call);
	if (err) {
		nlmsg_free(reply->skb);
		return mpr_nl_explain(info->extack, err);
	}
	genlmsg_end(reply->skb, reply->header);
	return genlmsg_reply(reply->skb, info);
}

/* End a request that has a handle as its reply. */
int mpr_nl_end_handle(struct mpr_nl_call *call, struct mpr_nl_reply *reply,
		      struct genl_info *info, int err, int attr, u32 handle)
{
	if (!err)
		err = nla_put_u32(reply->skb, attr, handle);
	return mpr_nl_end(call, reply, info, err);
}

/* End a request that has no reply. */
int mpr_nl_done(struct mpr_nl_call *call, struct genl_info *info, int err)
{
	mpr_nl_exit(call);
	return mpr_nl_explain(info->extack, err);
}

/* Enumerations */

/*
 * Begin a part of a dump: read the request, and enter. Return: 0, or an error. If it is 0 the
 * caller calls mpr_nl_dump_end().
 */
int mpr_nl_dump_begin(struct mpr_nl_call *call, struct nlattr **attrs,
		      struct netlink_callback *cb)
{
	int err;

	err = genlmsg_parse(cb->nlh, &mpr_nl_family, attrs, NMR_MPR_A_DATA, nmr_mpr_mpr_nl_policy,
			    cb->extack);
	if (err)
		return err;
	return mpr_nl_enter(call, attrs, NETLINK_CB(cb->skb).portid, cb->extack);
}

void *mpr_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &mpr_nl_family,
			   NLM_F_MULTI, cmd);
}

/* End a part of a dump. Return: what the dump's callback returns, 0 at the end. */
int mpr_nl_dump_end(struct mpr_nl_call *call, struct netlink_callback *cb, struct sk_buff *skb,
		    int err)
{
	mpr_nl_exit(call);
	if (err && err != -ENODATA)
		return mpr_nl_explain(cb->extack, err);
	return skb->len;
}

/* Connections */

/* End a connection. */
static void mpr_nl_disconnect(struct mpr_nl_call *call, u32 number)
{
	struct mpr_nl_owner *owner = xa_erase(&mpr_nl_owners, number);

	call->ops->disconnect(call->context, owner->server);
	kfree(owner);
}

/* Connect, and note the owner. Return: 0, -ENOMEM, or an error of the server. */
static int mpr_nl_connect(struct mpr_nl_call *call, struct genl_info *info, u32 *number)
{
	struct nlattr *name = info->attrs[NMR_MPR_A_ROUTER];
	struct mpr_nl_owner *owner = kmalloc(sizeof(*owner), GFP_KERNEL);
	int err;

	if (!owner)
		return -ENOMEM;
	owner->portid = info->snd_portid;
	err = call->ops->connect(call->context, name ? nla_data(name) : NULL, &owner->server);
	if (err)
		goto err_free;
	err = xa_alloc_cyclic(&mpr_nl_owners, number, owner, xa_limit_31b, &mpr_nl_next,
			      GFP_KERNEL);
	if (err >= 0)
		return 0;
	call->ops->disconnect(call->context, owner->server);
err_free:
	kfree(owner);
	return err;
}

/* Connect, and send the reply. A socket that does not get the reply has no connection. */
static int mpr_nl_connect_reply(struct mpr_nl_call *call, struct mpr_nl_reply *reply,
				struct genl_info *info)
{
	u32 number;
	int err = mpr_nl_connect(call, info, &number);

	if (err) {
		nlmsg_free(reply->skb);
		return mpr_nl_explain(info->extack, err);
	}
	nla_put_u32(reply->skb, NMR_MPR_A_SERVER, number);	/* The reply has room. */
	genlmsg_end(reply->skb, reply->header);
	err = genlmsg_reply(reply->skb, info);
	if (err)
		mpr_nl_disconnect(call, number);
	return err;
}

int nmr_mpr_nl_connect_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mpr_nl_reply reply;
	struct mpr_nl_call call;
	int err;

	reply.skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply.skb)
		return -ENOMEM;
	reply.header = genlmsg_put_reply(reply.skb, info, &mpr_nl_family, 0,
					 NMR_MPR_CMD_CONNECT);
	if (!mpr_nl_enter_slot(&call)) {
		nlmsg_free(reply.skb);
		NL_SET_ERR_MSG(info->extack, "there is no configuration server");
		return -ENODEV;
	}
	err = mpr_nl_connect_reply(&call, &reply, info);
	mpr_nl_exit(&call);
	return err;
}

/* A handle that is gone is no error. */
int nmr_mpr_nl_disconnect_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mpr_nl_call call;

	if (mpr_nl_lacks(info, NMR_MPR_A_SERVER))
		return -EINVAL;
	if (!mpr_nl_enter(&call, info->attrs, info->snd_portid, NULL)) {
		mpr_nl_disconnect(&call, mpr_nl_u32(info, NMR_MPR_A_SERVER));
		mpr_nl_exit(&call);
	}
	return 0;
}

/* End the connections of a socket that closes. */
static int mpr_nl_notify(struct notifier_block *block, unsigned long event, void *data)
{
	struct netlink_notify *socket = data;
	struct mpr_nl_owner *owner;
	struct mpr_nl_call call;
	unsigned long number;

	if (event != NETLINK_URELEASE || socket->protocol != NETLINK_GENERIC ||
	    !net_eq(socket->net, &init_net) || xa_empty(&mpr_nl_owners))
		return NOTIFY_DONE;
	if (!mpr_nl_enter_slot(&call))
		return NOTIFY_DONE;	/* the server ends all connections */
	xa_for_each(&mpr_nl_owners, number, owner)
		if (owner->portid == socket->portid)
			mpr_nl_disconnect(&call, number);
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
		kfree(xa_erase(&mpr_nl_owners, number));
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
MODULE_IMPORT_NS(NMR);
