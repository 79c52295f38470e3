// SPDX-License-Identifier: GPL-2.0-only
/*
 * The routes of a table: adding, deleting and expiry, and messages about the best ones.
 *
 * Each change goes the same way. A function changes the list of routes of a network, and then
 * rtm_settle() compares the first route with the one that was first before. If these differ,
 * rtm_settle() publishes the new one for readers, tells the clients and tells the mirror.
 *
 * Nothing that removes a route allocates memory: messages go to queues that exist since the
 * client has attached, and the mirror has a list of the networks that changed.
 *
 * Locking: every function but rtm_check_client() must be called with the lock of the table held,
 * or takes it.
 */
#include <linux/in.h>
#include <linux/inetdevice.h>
#include <net/ipv6.h>
#include "rtm.h"

atomic_t rtm_nr_routes = ATOMIC_INIT(0);

#define RTM_LONGEST_WAIT	(3600 * MSEC_PER_SEC)

/* A change under way: what is known about the network before */
struct rtm_before {
	bool			had;
	struct rtm_route	best;
};

static struct rtm_entry *rtm_first(struct rtm_node *node)
{
	return list_first_entry_or_null(&node->entries, struct rtm_entry, of_node);
}

static struct rtm_before rtm_before(struct rtm_node *node)
{
	const struct rtm_entry *first = rtm_first(node);

	return first ? (struct rtm_before){ true, first->route } : (struct rtm_before){};
}

/* Queue a change for a client that wants changes, and wake the client if it had none. */
static void rtm_tell(struct rtm_client *c, const struct rtm_change *change)
{
	bool first;

	if (!c->wants)
		return;
	first = kfifo_is_empty(&c->queue);
	if (!kfifo_put(&c->queue, *change))
		c->lost = true;
	if (first)
		queue_work(rtm_wq, &c->upcall);
}

static void rtm_tell_others(struct rtm_table *t, const struct rtm_client *but,
			    const struct rtm_change *change)
{
	struct rtm_client *c;
	unsigned long protocol;

	xa_for_each(&t->clients, protocol, c)
		if (c != but)
			rtm_tell(c, change);
}

/*
 * Finish a change of the network. Tell all clients but @but what became best, and write that to
 * @change. The node may be gone afterwards.
 */
static void rtm_settle(struct rtm_table *t, struct rtm_node *node, const struct rtm_before *before,
		       const struct rtm_client *but, struct rtm_change *change)
{
	struct rtm_entry *best = rtm_first(node);

	*change = (struct rtm_change){};
	if (before->had)
		change->prev = before->best;
	if (best)
		change->cur = best->route;
	if (best && !before->had)
		change->type = RTM_ADDED;
	else if (!best && before->had)
		change->type = RTM_DELETED;
	else if (best && memcmp(&best->route, &before->best, sizeof(best->route)))
		change->type = RTM_CHANGED;

	rcu_assign_pointer(node->best, best);
	if (change->type != RTM_NO_CHANGE) {
		rtm_tell_others(t, but, change);
		rtm_fib_changed(t, node);
	}
	rtm_trie_prune(t, node);
}

static bool rtm_better(const struct rtm_route *a, const struct rtm_route *b)
{
	return a->metric != b->metric ? a->metric < b->metric : a->protocol < b->protocol;
}

static void rtm_expiry_set(struct rtm_table *t, struct rtm_entry *entry, u32 ttl)
{
	if (!RB_EMPTY_NODE(&entry->expiry.node))
		timerqueue_del(&t->expiries, &entry->expiry);
	if (ttl == RTM_TTL_INFINITE)
		return;
	entry->expiry.expires = ktime_add_ms(ktime_get(), ttl * (u64)MSEC_PER_SEC);
	if (timerqueue_add(&t->expiries, &entry->expiry))
		mod_delayed_work(rtm_wq, &t->expire, 0);
}

static void rtm_entry_insert(struct rtm_table *t, struct rtm_entry *entry, u32 ttl)
{
	struct rtm_entry *next;

	list_for_each_entry(next, &entry->node->entries, of_node)
		if (rtm_better(&entry->route, &next->route))
			break;
	/* If no route is worse, this is the head of the list. */
	list_add_tail(&entry->of_node, &next->of_node);
	list_add_tail(&entry->of_client, &entry->client->entries);
	rtm_expiry_set(t, entry, ttl);
	t->nr_routes++;
	atomic_inc(&rtm_nr_routes);
}

/*
 * Take a route out of all lists. The caller settles its network, and frees the route afterwards:
 * until then readers find it.
 */
static void rtm_entry_remove(struct rtm_table *t, struct rtm_entry *entry)
{
	rtm_expiry_set(t, entry, RTM_TTL_INFINITE);
	list_del(&entry->of_node);
	list_del(&entry->of_client);
	t->nr_routes--;
	atomic_dec(&rtm_nr_routes);
}

/* Delete a route, and tell all clients but @but. */
static void rtm_entry_delete(struct rtm_table *t, struct rtm_entry *entry,
			     const struct rtm_client *but, struct rtm_change *change)
{
	struct rtm_node *node = entry->node;
	struct rtm_before before = rtm_before(node);

	rtm_entry_remove(t, entry);
	rtm_settle(t, node, &before, but, change);
	kfree_rcu(entry, rcu);
}

/* Checks */

static bool rtm_is_unicast(const struct rtm_table *t, const union nf_inet_addr *addr)
{
	if (t->family == AF_INET6)
		return !(ipv6_addr_type(&addr->in6) & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LOOPBACK));
	return !ipv4_is_multicast(addr->ip) && !ipv4_is_loopback(addr->ip) &&
	       !ipv4_is_lbcast(addr->ip);
}

/* Test that the prefix is one, and is of unicast addresses. Return: 0 or -EINVAL. */
int rtm_check_network(const struct rtm_table *t, const struct rtm_route *route)
{
	u64 key[2], mask[2];

	if (route->plen > (t->family == AF_INET6 ? 128 : 32) || route->ifindex <= 0)
		return -EINVAL;
	rtm_key(t->family, &route->dst, key);
	rtm_mask(route->plen, mask);
	if ((key[0] & ~mask[0]) || (key[1] & ~mask[1]))
		return -EINVAL;
	return rtm_is_unicast(t, &route->dst) && rtm_is_unicast(t, &route->gateway) ? 0 : -EINVAL;
}

/*
 * Test that the namespace has the device. A device that leaves is unlisted before the table hears
 * of it, so with the lock of the table held no route of it comes late.
 */
static int rtm_check_device(const struct rtm_table *t, int ifindex)
{
	bool found;

	rcu_read_lock();
	found = dev_get_by_index_rcu(t->net, ifindex);
	rcu_read_unlock();
	return found ? 0 : -EINVAL;
}

/*
 * Test that the client and its table are still there. The answer is final with the table's lock
 * held. Return: 0, -ENODEV or -ESHUTDOWN.
 */
int rtm_check_client(const struct rtm_client *c)
{
	if (READ_ONCE(c->table->dead))
		return -ENODEV;
	return READ_ONCE(c->left) ? -ESHUTDOWN : 0;
}

/* Copy what matters of a route, so that routes can be compared as memory. */
static void rtm_route_copy(const struct rtm_client *c, struct rtm_route *to,
			   const struct rtm_route *from)
{
	memset(to, 0, sizeof(*to));
	if (c->table->family == AF_INET6) {
		to->dst.in6 = from->dst.in6;
		to->gateway.in6 = from->gateway.in6;
	} else {
		to->dst.ip = from->dst.ip;
		to->gateway.ip = from->gateway.ip;
	}
	to->ifindex = from->ifindex;
	to->metric = from->metric;
	to->plen = from->plen;
	to->protocol = c->protocol;
}

static bool rtm_same_way(const struct rtm_route *a, const struct rtm_route *b)
{
	return a->ifindex == b->ifindex &&
	       !memcmp(&a->gateway, &b->gateway, sizeof(a->gateway));
}

/* Find the client's route to the network of @node: the one of @way, or any if @way is NULL. */
static struct rtm_entry *rtm_entry_find(const struct rtm_client *c, const struct rtm_node *node,
					const struct rtm_route *way)
{
	struct rtm_entry *entry;

	list_for_each_entry(entry, &node->entries, of_node)
		if (entry->client == c && (!way || rtm_same_way(&entry->route, way)))
			return entry;
	return NULL;
}

/* Operations */

/* Memory that adding a route may need */
struct rtm_supply {
	struct rtm_entry	*entry;
	struct rtm_node		*node, *fork;
};

static void rtm_supply_free(struct rtm_supply *s)
{
	kfree(s->entry);
	kfree(s->node);
	kfree(s->fork);
}

static int rtm_supply_alloc(struct rtm_supply *s)
{
	s->entry = kzalloc(sizeof(*s->entry), GFP_KERNEL);
	s->node = rtm_node_alloc();
	s->fork = rtm_node_alloc();
	return s->entry && s->node && s->fork ? 0 : -ENOMEM;
}

/* Find the node of the network, or insert one. */
static struct rtm_node *rtm_node_make(struct rtm_table *t, const struct rtm_route *route,
				      struct rtm_supply *s)
{
	struct rtm_node *node;
	u64 key[2];

	rtm_key(t->family, &route->dst, key);
	node = rtm_trie_find(t, key, route->plen);
	if (node)
		return node;
	node = s->node;
	s->node = NULL;
	rtm_node_set(node, key, route->plen);
	s->fork = rtm_trie_insert(t, node, s->fork);
	return node;
}

static int rtm_add(struct rtm_client *c, const struct rtm_route *route, u32 ttl,
		   struct rtm_change *change, struct rtm_supply *s)
{
	struct rtm_node *node = rtm_node_make(c->table, route, s);
	struct rtm_before before = rtm_before(node);
	struct rtm_entry *old;

	old = rtm_entry_find(c, node, c->flags & RTM_SINGLE_ROUTE ? NULL : route);
	if (!old && c->table->nr_routes >= READ_ONCE(rtm_max_routes)) {
		rtm_trie_prune(c->table, node);
		return -ENOBUFS;
	}
	if (old && !memcmp(&old->route, route, sizeof(*route))) {
		rtm_expiry_set(c->table, old, ttl);
		rtm_settle(c->table, node, &before, c, change);
		return 0;
	}
	if (old)
		rtm_entry_remove(c->table, old);
	s->entry->route = *route;
	s->entry->node = node;
	s->entry->client = c;
	timerqueue_init(&s->entry->expiry);
	rtm_entry_insert(c->table, s->entry, ttl);
	s->entry = NULL;
	rtm_settle(c->table, node, &before, c, change);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* Add a checked route. @change gets what became best. */
int rtm_table_add(struct rtm_client *c, const struct rtm_route *from, u32 ttl,
		  struct rtm_change *change)
{
	struct rtm_table *t = c->table;
	struct rtm_supply s;
	struct rtm_route route;
	int err;

	rtm_route_copy(c, &route, from);
	err = rtm_supply_alloc(&s);
	if (err)
		goto out;
	mutex_lock(&t->lock);
	err = rtm_check_client(c) ?: rtm_check_device(t, route.ifindex);
	if (!err)
		err = rtm_add(c, &route, ttl, change, &s);
	mutex_unlock(&t->lock);
out:
	rtm_supply_free(&s);
	return err;
}

int rtm_table_del(struct rtm_client *c, const struct rtm_route *from, struct rtm_change *change)
{
	struct rtm_table *t = c->table;
	struct rtm_entry *entry = NULL;
	struct rtm_route route;
	struct rtm_node *node;
	u64 key[2];
	int err;

	rtm_route_copy(c, &route, from);
	rtm_key(t->family, &route.dst, key);
	mutex_lock(&t->lock);
	err = rtm_check_client(c);
	if (!err) {
		node = rtm_trie_find(t, key, route.plen);
		if (node)
			entry = rtm_entry_find(c, node, &route);
		if (entry)
			rtm_entry_delete(t, entry, c, change);
		else
			err = -ESRCH;
	}
	mutex_unlock(&t->lock);
	return err;
}

/*
 * Delete the client's routes through a device, or all for index 0. Begin with the newest: the
 * trie of the FIB shrinks at less cost in the reverse of the order in which it grew. Must be
 * called with the lock held. Return: true if there was a route.
 */
bool rtm_table_delete_all(struct rtm_client *c, int ifindex, bool tell_client)
{
	struct rtm_entry *entry, *next;
	struct rtm_change change;
	bool found = false;

	list_for_each_entry_safe_reverse(entry, next, &c->entries, of_client) {
		cond_resched();
		if (ifindex && entry->route.ifindex != ifindex)
			continue;
		rtm_entry_delete(c->table, entry, tell_client ? NULL : c, &change);
		found = true;
	}
	return found;
}

/*
 * Delete the routes through a device that leaves the namespace, and tell all clients. Must be
 * called with the lock held.
 */
void rtm_table_device_gone(struct rtm_table *t, int ifindex)
{
	struct rtm_client *c;
	unsigned long protocol;

	xa_for_each(&t->clients, protocol, c)
		rtm_table_delete_all(c, ifindex, true);
}

/* Delete routes that have expired, tell all clients, and come back for the next one. */
void rtm_table_expire(struct work_struct *work)
{
	struct rtm_table *t = container_of(to_delayed_work(work), struct rtm_table, expire);
	struct timerqueue_node *next;
	struct rtm_change change;
	s64 wait = 0;

	mutex_lock(&t->lock);
	for (next = timerqueue_getnext(&t->expiries); next;
	     next = timerqueue_getnext(&t->expiries)) {
		wait = ktime_to_ms(ktime_sub(next->expires, ktime_get()));
		if (wait > 0)
			break;
		rtm_entry_delete(t, container_of(next, struct rtm_entry, expiry), NULL, &change);
		cond_resched();
	}
	if (next)
		queue_delayed_work(rtm_wq, &t->expire,
				   msecs_to_jiffies(min_t(s64, wait, RTM_LONGEST_WAIT)) + 1);
	mutex_unlock(&t->lock);
}
