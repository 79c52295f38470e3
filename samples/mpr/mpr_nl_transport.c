// SPDX-License-Identifier: GPL-2.0-only
/* The configuration server by generic netlink, a part of mpr_nl.ko: requests for transports */
#include <net/netlink.h>
#include "mpr_netlink.h"

static const void *mpr_nl_data(struct genl_info *info, size_t *size)
{
	struct nlattr *data = info->attrs[NMR_MPR_A_DATA];

	*size = data ? nla_len(data) : 0;
	return data ? nla_data(data) : NULL;
}

static int mpr_nl_transport_create(struct mpr_nl_call *call, struct genl_info *info,
				   struct sk_buff *reply)
{
	const void *data;
	size_t size;
	int err;

	data = mpr_nl_data(info, &size);
	err = call->ops->transport_create(call->context, call->server,
					  mpr_nl_u32(info, NMR_MPR_A_INTERFACE),
					  mpr_nl_u32(info, NMR_MPR_A_PROTOCOL), data, size,
					  &call->handle);
	return err ?: nla_put_u32(reply, NMR_MPR_A_TRANSPORT, call->handle);
}

static void mpr_nl_transport_undo(struct mpr_nl_call *call)
{
	call->ops->transport_delete(call->context, call->server, call->handle);
}

int nmr_mpr_nl_transport_create_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_ask(info, NMR_MPR_A_PROTOCOL, mpr_nl_transport_create,
			  mpr_nl_transport_undo);
}

static int mpr_nl_transport_find(struct mpr_nl_call *call, struct genl_info *info,
				 struct sk_buff *reply)
{
	int err = call->ops->transport_get_handle(call->context, call->server,
						  mpr_nl_u32(info, NMR_MPR_A_INTERFACE),
						  mpr_nl_u32(info, NMR_MPR_A_PROTOCOL),
						  &call->handle);

	return err ?: nla_put_u32(reply, NMR_MPR_A_TRANSPORT, call->handle);
}

int nmr_mpr_nl_transport_find_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_ask(info, NMR_MPR_A_PROTOCOL, mpr_nl_transport_find, NULL);
}

static int mpr_nl_transport_get(struct mpr_nl_call *call, struct genl_info *info,
				struct sk_buff *reply)
{
	u32 protocol;
	void *buffer;
	size_t size;
	int err;

	err = call->ops->transport_get_info(call->context, call->server,
					    mpr_nl_u32(info, NMR_MPR_A_TRANSPORT), &protocol,
					    &buffer, &size);
	if (err)
		return err;
	err = nla_put_u32(reply, NMR_MPR_A_PROTOCOL, protocol) ?:
	      nla_put(reply, NMR_MPR_A_DATA, size, buffer);
	call->ops->buffer_free(call->context, call->server, buffer);
	return err;
}

int nmr_mpr_nl_transport_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_ask(info, NMR_MPR_A_TRANSPORT, mpr_nl_transport_get, NULL);
}

static int mpr_nl_transport_set(struct mpr_nl_call *call, struct genl_info *info,
				struct sk_buff *reply)
{
	const void *data;
	size_t size;

	data = mpr_nl_data(info, &size);
	return call->ops->transport_set_info(call->context, call->server,
					     mpr_nl_u32(info, NMR_MPR_A_TRANSPORT), data, size);
}

int nmr_mpr_nl_transport_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (mpr_nl_lacks(info, NMR_MPR_A_DATA))
		return -EINVAL;
	return mpr_nl_tell(info, NMR_MPR_A_TRANSPORT, mpr_nl_transport_set);
}

static int mpr_nl_transport_delete(struct mpr_nl_call *call, struct genl_info *info,
				   struct sk_buff *reply)
{
	return call->ops->transport_delete(call->context, call->server,
					   mpr_nl_u32(info, NMR_MPR_A_TRANSPORT));
}

int nmr_mpr_nl_transport_delete_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_tell(info, NMR_MPR_A_TRANSPORT, mpr_nl_transport_delete);
}

static int mpr_nl_transport_ask(struct mpr_nl_call *call, struct nlattr **attrs,
				struct mpr_enum *state, void **buffer)
{
	struct nlattr *interface = attrs[NMR_MPR_A_INTERFACE];

	return call->ops->transport_enum(call->context, call->server,
					 interface ? nla_get_u32(interface) : 0, state, buffer);
}

static int mpr_nl_transport_put(struct sk_buff *skb, const void *entry)
{
	const struct mpr_transport_0 *transport = entry;

	return nla_put_u32(skb, NMR_MPR_A_PROTOCOL, transport->protocol) ?:
	       nla_put_u32(skb, NMR_MPR_A_SIZE, transport->size);
}

int nmr_mpr_nl_transport_list_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct mpr_nl_list list = {
		.cmd		= NMR_MPR_CMD_TRANSPORT_LIST,
		.message	= nlmsg_total_size(GENL_HDRLEN) + 2 * nla_total_size(sizeof(u32)),
		.entry		= sizeof(struct mpr_transport_0),
		.ask		= mpr_nl_transport_ask,
		.put		= mpr_nl_transport_put,
	};

	return mpr_nl_dump(skb, cb, &list);
}
