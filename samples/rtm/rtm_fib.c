// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mirror: the FIB of the namespace has the best route to each network.
 *
 * The kernel exports no function that adds a route. A work item therefore writes to a netlink
 * socket of the kernel's own, as a routing daemon does, with some networks in each message. The
 * kernel handles such a message before the write returns, and answers to each part that fails.
 * The message has an address, for the same reason for which sendto(2) has one: without it the
 * kernel would look for the file of the socket, and this socket has none. The work item has the
 * credentials of the kernel, whichever task changed the table.
 *
 * A network that changed is put on the list "dirty", once, however often it changes. The work
 * item compares the best route with the one that the FIB has, and asks for the difference. It
 * adds the new route before it deletes the old one, so that no packet finds a gap.
 *
 * If the FIB refuses a route (the device is down, no address makes the gateway reachable), the
 * kernel's log says so, and the network waits on the list "refused". A timer offers it again, at
 * growing intervals, and a device that comes up or gets an IPv4 address does so at once. The route
 * that was best before is not kept: the table says that it is not best any more.
 *
 * If an answer is lost, the routes of the batch are refused with -ENOBUFS. The FIB gives this
 * error, too, if it has no memory. Such a network is unsure.
 *
 * The kernel removes routes by itself if a device goes down, or loses its last IPv4 address. A
 * notifier tells, but not whether the work item has written before or after the kernel did so. So
 * such a network is unsure: the FIB has its route, or has not. The work item deletes the route, and
 * then adds it.
 *
 * Locking: the lock of the table protects the lists, and rtm_node.fib. The work item does not
 * hold it while it writes, because the kernel then takes the RTNL. A node in a list stays.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/netlink.h>
#include <net/ip6_route.h>
#include <net/netlink.h>
#include "rtm.h"

#define RTM_PARTS	(2 * RTM_BATCH)	/* messages in a batch */
#define RTM_FIRST_DELAY	HZ
#define RTM_LAST_DELAY	(32 * HZ)

/* Two messages for each network of a batch */
#define RTM_MESSAGE_SIZE						\
	(NLMSG_SPACE(sizeof(struct rtmsg)) +				\
	 2 * NLA_ALIGN(NLA_HDRLEN + sizeof(struct in6_addr)) +		\
	 2 * NLA_ALIGN(NLA_HDRLEN + sizeof(u32)))
#define RTM_BATCH_SIZE	(2 * RTM_BATCH * RTM_MESSAGE_SIZE)

/* Return the metric as the FIB has it: for IPv6, 0 is no metric, and means the default. */
static u32 rtm_fib_metric(const struct rtm_table *t, const struct rtm_route *r)
{
	return t->family == AF_INET6 && !r->metric ? IP6_RT_PRIO_USER : r->metric;
}

/*
 * Append a message to the batch. It never is too large for the buffer. @part: number of the network
 * in the batch, doubled, and 1 more for a new route. The answer has it, and the batch's number.
 */
static void rtm_fib_put(struct rtm_table *t, const struct rtm_route *r, u16 type, u32 part)
{
	u32 seq = t->mirror.batch * RTM_PARTS + part;
	u16 flags = type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_APPEND : 0;
	int size = t->family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(__be32);
	bool on_link = !memchr_inv(&r->gateway, 0, sizeof(r->gateway));
	struct sk_buff *skb = t->mirror.message;
	struct nlmsghdr *header;

	header = nlmsg_put(skb, 0, seq, type, sizeof(struct rtmsg), NLM_F_REQUEST | flags);
	if (WARN_ON_ONCE(!header))
		return;
	*(struct rtmsg *)nlmsg_data(header) = (struct rtmsg) {
		.rtm_family	= t->family,
		.rtm_dst_len	= r->plen,
		.rtm_table	= RT_TABLE_MAIN,
		.rtm_protocol	= r->protocol,
		.rtm_scope	= on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type	= RTN_UNICAST,
	};
	WARN_ON_ONCE(nla_put(skb, RTA_DST, size, &r->dst) ||
		     nla_put_u32(skb, RTA_OIF, r->ifindex) ||
		     nla_put_u32(skb, RTA_PRIORITY, rtm_fib_metric(t, r)) ||
		     (!on_link && nla_put(skb, RTA_GATEWAY, size, &r->gateway)));
	nlmsg_end(skb, header);
}

/* Test that the FIB takes the two for one: they differ in the protocol only. */
static bool rtm_fib_same(const struct rtm_table *t, const struct rtm_route *a,
			 const struct rtm_route *b)
{
	return a->ifindex == b->ifindex && rtm_fib_metric(t, a) == rtm_fib_metric(t, b) &&
	       !memcmp(&a->gateway, &b->gateway, sizeof(a->gateway));
}

/* Append what makes the FIB agree with the table about a network. */
static void rtm_fib_compare(struct rtm_table *t, struct rtm_node *node, unsigned int i)
{
	const struct rtm_entry *best = list_first_entry_or_null(&node->entries, struct rtm_entry,
								of_node);
	struct rtm_fib_change *change = &t->mirror.changes[i];
	bool delete_first = best && node->in_fib &&
			    (node->unsure || rtm_fib_same(t, &best->route, &node->fib));

	*change = (struct rtm_fib_change){ node, node->fib, node->in_fib, node->unsure };
	node->in_fib = best;
	node->unsure = false;
	if (best)
		node->fib = best->route;
	if (best && change->had_old && !change->unsure &&
	    !memcmp(&node->fib, &change->old, sizeof(node->fib)))
		return;
	if (delete_first)
		rtm_fib_put(t, &change->old, RTM_DELROUTE, 2 * i);
	if (best)
		rtm_fib_put(t, &best->route, RTM_NEWROUTE, 2 * i + 1);
	if (change->had_old && !delete_first)
		rtm_fib_put(t, &change->old, RTM_DELROUTE, 2 * i);
}

/* Move some networks from "dirty" to "sending", and write the message. Return: how many. */
static unsigned int rtm_fib_collect(struct rtm_table *t)
{
	struct rtm_mirror *m = &t->mirror;
	struct rtm_node *node;
	unsigned int n = 0;

	skb_trim(m->message, 0);
	m->batch++;
	mutex_lock(&t->lock);
	while (n < RTM_BATCH && !list_empty(&m->dirty)) {
		node = list_first_entry(&m->dirty, struct rtm_node, dirty);
		list_move_tail(&node->dirty, &m->sending);
		node->sending = true;
		rtm_fib_compare(t, node, n++);
	}
	mutex_unlock(&t->lock);
	return n;
}

/*
 * Note an answer: the route is not added. A route that cannot be deleted is gone already, and one
 * that is there already was added by an earlier batch. Answers to earlier batches do not count.
 */
static void rtm_fib_answer(struct rtm_mirror *m, const struct nlmsghdr *header)
{
	const struct nlmsgerr *answer = nlmsg_data(header);
	u32 part = header->nlmsg_seq - m->batch * RTM_PARTS;

	if (header->nlmsg_type != NLMSG_ERROR || part >= RTM_PARTS || !answer->error)
		return;
	if (part % 2)
		m->changes[part / 2].err = answer->error == -EEXIST ? 0 : answer->error;
	else if (answer->error != -ESRCH && answer->error != -ENODEV)
		pr_warn_ratelimited("the FIB does not delete a route: error %d\n", answer->error);
}

/* Note that an answer is lost: each route of the batch that has no other answer may be refused. */
static void rtm_fib_lost(struct rtm_mirror *m)
{
	struct rtm_fib_change *change = m->changes;

	for (; change < m->changes + RTM_BATCH; change++)
		if (!change->err)
			change->err = -ENOBUFS;
}

/*
 * Send the message, and read the answers. A socket that has lost an answer takes no other one until
 * it is empty, so read on then. Return: a negative errno if nothing was sent.
 */
static int rtm_fib_send(struct rtm_mirror *m)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr out = { .msg_name = &kernel, .msg_namelen = sizeof(kernel) };
	struct kvec vec = { m->message->data, m->message->len };
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;
	int len;

	if (!vec.iov_len)
		return 0;
	len = kernel_sendmsg(m->sock, &out, &vec, 1, vec.iov_len);
	if (len < 0)
		return len;
	do {
		struct msghdr in = {};

		vec = (struct kvec){ &answer, sizeof(answer) };
		len = kernel_recvmsg(m->sock, &in, &vec, 1, sizeof(answer), MSG_DONTWAIT);
		if (len >= (int)sizeof(answer))
			rtm_fib_answer(m, &answer.header);
		else if (len < 0 && len != -EAGAIN)
			rtm_fib_lost(m);
	} while (len > 0 || len == -ENOBUFS);
	return 0;
}

static void rtm_fib_tell(const struct rtm_table *t, const struct rtm_route *r, int err)
{
	if (t->family == AF_INET6)
		pr_warn_ratelimited("the FIB refuses %pI6c/%u of protocol %u: error %d\n",
				    &r->dst.in6, r->plen, r->protocol, err);
	else
		pr_warn_ratelimited("the FIB refuses %pI4/%u of protocol %u: error %d\n",
				    &r->dst.ip, r->plen, r->protocol, err);
}

/*
 * Note what became of a network. @err: nothing was sent. If the network has changed meanwhile, it
 * is dirty again, and the next batch will tell.
 */
static void rtm_fib_finish_node(struct rtm_table *t, struct rtm_fib_change *change, int err)
{
	struct rtm_node *node = change->node;

	if (err) {
		node->fib = change->old;
		node->in_fib = change->had_old;
		node->unsure = change->unsure;
	} else if (change->err == -ENOBUFS) {
		node->unsure = true;
	} else if (change->err) {
		node->in_fib = false;
	}
	if (!node->sending)
		return;
	node->sending = false;
	if (err || change->err) {
		if (!err && node->refused != change->err)
			rtm_fib_tell(t, &node->fib, change->err);
		node->refused = change->err;
		list_move_tail(&node->dirty, &t->mirror.refused);
		return;
	}
	node->refused = 0;
	t->mirror.delay = RTM_FIRST_DELAY;
	list_del_init(&node->dirty);
	rtm_trie_prune(t, node);
}

static void rtm_fib_finish(struct rtm_table *t, unsigned int n, int err)
{
	unsigned int i;

	if (err)
		pr_warn_ratelimited("cannot write to the FIB: error %d\n", err);
	mutex_lock(&t->lock);
	for (i = 0; i < n; i++)
		rtm_fib_finish_node(t, &t->mirror.changes[i], err);
	mutex_unlock(&t->lock);
}

static void rtm_fib_work(struct work_struct *work)
{
	struct rtm_table *t = container_of(work, struct rtm_table, mirror.work);
	struct rtm_mirror *m = &t->mirror;
	unsigned int n;

	while ((n = rtm_fib_collect(t))) {
		rtm_fib_finish(t, n, rtm_fib_send(m));
		cond_resched();
	}
	mutex_lock(&t->lock);
	if (!list_empty(&m->refused) && !t->dead)
		queue_delayed_work(rtm_wq, &m->retry, m->delay);
	mutex_unlock(&t->lock);
}

static void rtm_fib_retry(struct work_struct *work)
{
	struct rtm_table *t = container_of(to_delayed_work(work), struct rtm_table, mirror.retry);
	unsigned long delay = 2 * t->mirror.delay;

	mutex_lock(&t->lock);
	rtm_fib_offer(t);
	t->mirror.delay = min_t(unsigned long, delay, RTM_LAST_DELAY);
	mutex_unlock(&t->lock);
}

/*
 * Offer the routes that were refused again: a device came up, or the timer has expired. Must be
 * called with the lock held.
 */
void rtm_fib_offer(struct rtm_table *t)
{
	t->mirror.delay = RTM_FIRST_DELAY;
	if (list_empty(&t->mirror.refused) || t->dead)
		return;
	list_splice_tail_init(&t->mirror.refused, &t->mirror.dirty);
	queue_work(rtm_wq, &t->mirror.work);
}

/* Have the worker look at a network: its best route has changed. */
void rtm_fib_changed(struct rtm_table *t, struct rtm_node *node)
{
	if (t->mirror.stopped)
		return;
	node->sending = false;
	list_move_tail(&node->dirty, &t->mirror.dirty);
	queue_work(rtm_wq, &t->mirror.work);
}

/*
 * Note that the kernel removes the routes of the FIB through a device, which goes down, leaves, or
 * has lost its last address. Must be called with the lock held.
 */
void rtm_fib_flushed(struct rtm_table *t, int ifindex)
{
	struct rtm_fib_change *change = t->mirror.changes;
	struct rtm_node *node = NULL;

	while ((node = rtm_trie_next(t, node))) {
		cond_resched();
		if (!node->in_fib || node->fib.ifindex != ifindex)
			continue;
		node->unsure = true;
		rtm_fib_changed(t, node);
	}
	for (; change < t->mirror.changes + RTM_BATCH; change++)
		if (change->old.ifindex == ifindex)
			change->unsure = true;
}

int rtm_fib_start(struct rtm_table *t)
{
	struct rtm_mirror *m = &t->mirror;
	int err;

	INIT_LIST_HEAD(&m->dirty);
	INIT_LIST_HEAD(&m->sending);
	INIT_LIST_HEAD(&m->refused);
	INIT_WORK(&m->work, rtm_fib_work);
	INIT_DELAYED_WORK(&m->retry, rtm_fib_retry);
	m->delay = RTM_FIRST_DELAY;
	m->message = alloc_skb(RTM_BATCH_SIZE, GFP_KERNEL);
	if (!m->message)
		return -ENOMEM;
	err = sock_create_kern(t->net, PF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &m->sock);
	if (err)
		kfree_skb(m->message);
	return err;
}

/*
 * End the mirror of a table that has no routes and gets none any more. The FIB has none either
 * when the function returns.
 */
void rtm_fib_stop(struct rtm_table *t)
{
	struct rtm_mirror *m = &t->mirror;
	struct rtm_node *node, *next;

	cancel_delayed_work_sync(&m->retry);
	flush_work(&m->work);
	mutex_lock(&t->lock);
	m->stopped = true;
	mutex_unlock(&t->lock);
	cancel_work_sync(&m->work);
	/*
	 * A device may have gone meanwhile, and queued the work again: its routes are not in the
	 * FIB. The FIB keeps what could not be written for lack of memory.
	 */
	mutex_lock(&t->lock);
	list_splice_tail_init(&m->dirty, &m->refused);
	list_for_each_entry_safe(node, next, &m->refused, dirty) {
		list_del_init(&node->dirty);
		node->in_fib = false;
		rtm_trie_prune(t, node);
	}
	mutex_unlock(&t->lock);
	sock_release(m->sock);
	kfree_skb(m->message);
}
