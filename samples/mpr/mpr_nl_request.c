// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration server by generic netlink, a part of mpr_nl.ko: what its requests share
 *
 * A request enters, asks the server, and exits. A reply is allocated before the server is asked,
 * and sent before the exit. A socket that does not get the reply does not know the handle in it, so
 * what the request did is undone.
 */
#include <net/genetlink.h>
#include "mpr_netlink.h"

/* Say in words what an error of the server means, unless that was said. Return: @err. */
static int mpr_nl_explain(struct netlink_ext_ack *extack, int err)
{
	if (extack && extack->_msg)
		return err;
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

/* Run a request that has no reply. The socket has a connection, and sends @attr. */
int mpr_nl_tell(struct genl_info *info, int attr, mpr_nl_fn *fn)
{
	struct mpr_nl_call call;
	int err;

	if (mpr_nl_lacks(info, attr))
		return -EINVAL;
	err = mpr_nl_enter(&call, info->attrs, info->snd_portid, info->extack);
	if (err)
		return err;
	err = mpr_nl_explain(info->extack, fn(&call, info, NULL));
	mpr_nl_exit(&call);
	return err;
}

/* Ask the server, in a request that has entered, and send the reply. */
static int mpr_nl_reply(struct mpr_nl_call *call, struct genl_info *info, mpr_nl_fn *fn,
			void (*undo)(struct mpr_nl_call *call))
{
	struct sk_buff *reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *header;
	int err;

	if (!reply)
		return -ENOMEM;
	header = genlmsg_put_reply(reply, info, &mpr_nl_family, 0, info->genlhdr->cmd);
	err = fn(call, info, reply);
	if (err) {
		nlmsg_free(reply);
		return mpr_nl_explain(info->extack, err);
	}
	genlmsg_end(reply, header);
	err = genlmsg_reply(reply, info);
	if (err && undo)
		undo(call);
	return err;
}

/*
 * Run a request that has a reply. The socket has a connection, and sends @attr. @undo: undo what
 * @fn did, or NULL if there is nothing to undo
 */
int mpr_nl_ask(struct genl_info *info, int attr, mpr_nl_fn *fn,
	       void (*undo)(struct mpr_nl_call *call))
{
	struct mpr_nl_call call;
	int err;

	if (mpr_nl_lacks(info, attr))
		return -EINVAL;
	err = mpr_nl_enter(&call, info->attrs, info->snd_portid, info->extack);
	if (err)
		return err;
	err = mpr_nl_reply(&call, info, fn, undo);
	mpr_nl_exit(&call);
	return err;
}

/* The same for a socket that has no connection yet */
int mpr_nl_ask_first(struct genl_info *info, mpr_nl_fn *fn,
		     void (*undo)(struct mpr_nl_call *call))
{
	struct mpr_nl_call call;
	int err = mpr_nl_enter_slot(&call, info->extack);

	if (err)
		return err;
	err = mpr_nl_reply(&call, info, fn, undo);
	mpr_nl_exit(&call);
	return err;
}

/* Enumerations */

/* Put one entry into a part of a dump. Return: 0 or -EMSGSIZE. */
static int mpr_nl_list_one(struct sk_buff *skb, struct netlink_callback *cb,
			   const struct mpr_nl_list *list, const void *entry)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &mpr_nl_family, NLM_F_MULTI, list->cmd);

	if (!header)
		return -EMSGSIZE;
	if (list->put(skb, entry)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* Ask the server for as many entries as fit in any case. cb->args[0] says where to go on. */
static int mpr_nl_list_part(struct mpr_nl_call *call, struct nlattr **attrs,
			    struct sk_buff *skb, struct netlink_callback *cb,
			    const struct mpr_nl_list *list)
{
	struct mpr_enum state = {
		.max = skb_tailroom(skb) / list->message * list->entry,
		.resume = cb->args[0],
	};
	void *buffer;
	int err;
	u32 i;

	err = list->ask(call, attrs, &state, &buffer);
	if (err)
		return err;
	for (i = 0; i < state.count && !err; i++)
		err = mpr_nl_list_one(skb, cb, list, buffer + i * list->entry);
	call->ops->buffer_free(call->context, call->server, buffer);
	cb->args[0] = state.resume;
	return err;
}

/* Make a part of a dump. Return: what the dump's callback returns, 0 at the end. */
int mpr_nl_dump(struct sk_buff *skb, struct netlink_callback *cb, const struct mpr_nl_list *list)
{
	struct nlattr *attrs[NMR_MPR_A_DATA + 1];
	struct mpr_nl_call call;
	int err;

	err = genlmsg_parse(cb->nlh, &mpr_nl_family, attrs, NMR_MPR_A_DATA, nmr_mpr_mpr_nl_policy,
			    cb->extack);
	if (!err)
		err = mpr_nl_enter(&call, attrs, NETLINK_CB(cb->skb).portid, cb->extack);
	if (err)
		return err;
	err = mpr_nl_list_part(&call, attrs, skb, cb, list);
	mpr_nl_exit(&call);
	if (err && err != -ENODATA)
		return mpr_nl_explain(cb->extack, err);
	return skb->len;
}
