// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trie of networks: longest match under RCU.
 *
 * The kernel has two such structures, and a module can use neither: fib_trie.c exports its
 * lookup only, and lpm_trie.c is part of bpf. A hash table for each prefix length would cost a
 * probe for each length in use. So this is a trie of its own: a binary one, with compressed
 * paths. A node holds its whole prefix, and skips the bits that all nodes below it share. So
 * there are fewer forks than networks, and a lookup passes at most one node per bit that tells
 * networks apart.
 *
 * Locking: the lock of the table excludes writers. A writer completes a node before it publishes
 * the node by one pointer, and frees a node after a grace period. A reader that stands in a node
 * that was removed still finds what was below it.
 */
#include "rtm.h"

atomic_t rtm_nr_nodes = ATOMIC_INIT(0);

/* Write the address to @key: two words in host order, an IPv4 address in the upper half of one. */
void rtm_key(sa_family_t family, const union nf_inet_addr *addr, u64 *key)
{
	if (family == AF_INET) {
		key[0] = (u64)be32_to_cpu(addr->ip) << 32;
		key[1] = 0;
	} else {
		key[0] = (u64)be32_to_cpu(addr->ip6[0]) << 32 | be32_to_cpu(addr->ip6[1]);
		key[1] = (u64)be32_to_cpu(addr->ip6[2]) << 32 | be32_to_cpu(addr->ip6[3]);
	}
}

struct rtm_node *rtm_node_alloc(void)
{
	return kzalloc(sizeof(struct rtm_node), GFP_KERNEL);
}

/* Return a word with the upper @bits set. */
static u64 rtm_word_mask(unsigned int bits)
{
	return bits ? ~0ULL << (64 - min(bits, 64U)) : 0;
}

/* Write the mask of a prefix of this length. */
void rtm_mask(unsigned int plen, u64 *mask)
{
	mask[0] = rtm_word_mask(plen);
	mask[1] = plen > 64 ? rtm_word_mask(plen - 64) : 0;
}

/* Initialise a node as this network. */
void rtm_node_set(struct rtm_node *node, const u64 *key, unsigned int plen)
{
	node->plen = plen;
	rtm_mask(plen, node->mask);
	node->key[0] = key[0] & node->mask[0];
	node->key[1] = key[1] & node->mask[1];
	INIT_LIST_HEAD(&node->entries);
	INIT_LIST_HEAD(&node->dirty);
	atomic_inc(&rtm_nr_nodes);
}

/* Return the bit of @key at @plen. A node of full length has no children, so any bit will do. */
static __always_inline unsigned int rtm_bit(const u64 *key, unsigned int plen, bool wide)
{
	u64 word = wide ? key[(plen >> 6) & 1] : key[0];

	return word >> (63 - (plen & 63)) & 1;
}

/* Test that the address is in the network of the node. */
static __always_inline bool rtm_node_has(const struct rtm_node *node, const u64 *key, bool wide)
{
	u64 difference = (node->key[0] ^ key[0]) & node->mask[0];

	if (wide)
		difference |= (node->key[1] ^ key[1]) & node->mask[1];
	return !difference;
}

static __always_inline struct rtm_entry *
rtm_lookup(const struct rtm_trie *trie, const u64 *key, const bool wide)
{
	struct rtm_node *node = rcu_dereference(trie->root);
	struct rtm_entry *best = NULL, *entry;

	while (node && rtm_node_has(node, key, wide)) {
		entry = rcu_dereference(node->best);
		if (entry)
			best = entry;
		node = rcu_dereference(node->child[rtm_bit(key, node->plen, wide)]);
	}
	return best;
}

/* Return the best route of the longest network that has the address, or NULL. An RCU reader. */
struct rtm_entry *rtm_trie_lookup(const struct rtm_trie *trie, const u64 *key)
{
	return trie->wide ? rtm_lookup(trie, key, true) : rtm_lookup(trie, key, false);
}

static struct rtm_node *rtm_get(const struct rtm_table *t, struct rtm_node __rcu * const *link)
{
	return rcu_dereference_protected(*link, lockdep_is_held(&t->lock));
}

/* Return the node of this network, or NULL. */
struct rtm_node *rtm_trie_find(const struct rtm_table *t, const u64 *key, unsigned int plen)
{
	struct rtm_node *node = rtm_get(t, &t->trie.root);

	while (node && node->plen < plen && rtm_node_has(node, key, true))
		node = rtm_get(t, &node->child[rtm_bit(key, node->plen, true)]);
	return node && node->plen == plen && rtm_node_has(node, key, true) ? node : NULL;
}

/* Return how many leading bits the two have in common, and at most @max. */
static unsigned int rtm_common(const u64 *a, const u64 *b, unsigned int max)
{
	u64 high = a[0] ^ b[0], low = a[1] ^ b[1];

	if (high)
		return min(max, 64U - fls64(high));
	return low ? min(max, 128U - fls64(low)) : max;
}

static void rtm_set_child(struct rtm_node *parent, struct rtm_node *child)
{
	child->parent = parent;
	RCU_INIT_POINTER(parent->child[rtm_bit(child->key, parent->plen, true)], child);
}

/*
 * Insert a network that the trie has not. @fork becomes a fork if the trie needs one. Return: the
 * fork if the trie needs none, or NULL.
 */
struct rtm_node *rtm_trie_insert(struct rtm_table *t, struct rtm_node *node,
				 struct rtm_node *fork)
{
	struct rtm_node __rcu **link = &t->trie.root;
	struct rtm_node *parent = NULL, *below, *top = node;
	unsigned int bits = 0;

	for (below = rtm_get(t, link); below; below = rtm_get(t, link)) {
		bits = rtm_common(below->key, node->key, min(below->plen, node->plen));
		if (bits < below->plen)
			break;
		parent = below;
		link = &below->child[rtm_bit(node->key, below->plen, true)];
	}
	if (below && bits < node->plen) {
		rtm_node_set(fork, node->key, bits);
		rtm_set_child(fork, node);
		top = fork;
		fork = NULL;
	}
	if (below)
		rtm_set_child(top, below);
	top->parent = parent;
	rcu_assign_pointer(*link, top);
	return fork;
}

static bool rtm_node_in_use(const struct rtm_node *node)
{
	return !list_empty(&node->entries) || !list_empty(&node->dirty) || node->in_fib;
}

/* Remove a node if nothing needs it any more, and then the fork above. Allocates nothing. */
void rtm_trie_prune(struct rtm_table *t, struct rtm_node *node)
{
	while (node && !rtm_node_in_use(node)) {
		struct rtm_node *left = rtm_get(t, &node->child[0]);
		struct rtm_node *right = rtm_get(t, &node->child[1]);
		struct rtm_node *child = left ?: right, *parent = node->parent;
		struct rtm_node __rcu **link = &t->trie.root;

		if (left && right)
			return;
		if (parent)
			link = &parent->child[rtm_bit(node->key, parent->plen, true)];
		if (child)
			child->parent = parent;
		rcu_assign_pointer(*link, child);
		atomic_dec(&rtm_nr_nodes);
		kfree_rcu(node, rcu);
		if (child)
			return;
		node = parent;
	}
}

/* Return the node after @node in the order of addresses, or the first one for NULL. */
struct rtm_node *rtm_trie_next(const struct rtm_table *t, const struct rtm_node *node)
{
	struct rtm_node *next;

	if (!node)
		return rtm_get(t, &t->trie.root);
	next = rtm_get(t, &node->child[0]) ?: rtm_get(t, &node->child[1]);
	while (!next && node->parent) {
		next = rtm_get(t, &node->parent->child[1]);
		if (next == node)
			next = NULL;
		node = node->parent;
	}
	return next;
}

/*
 * Return the first node that is not before this network in the order of addresses, or NULL. The
 * trie need not have the network.
 */
struct rtm_node *rtm_trie_from(const struct rtm_table *t, const u64 *key, unsigned int plen)
{
	struct rtm_node *node = rtm_get(t, &t->trie.root), *after = NULL, *right;
	unsigned int bits;

	while (node) {
		bits = rtm_common(node->key, key, min_t(unsigned int, node->plen, plen));
		if (bits < node->plen && bits < plen)
			/* The two fork: all below the node is after the network, or before it. */
			return rtm_bit(node->key, bits, true) ? node : after;
		if (node->plen >= plen)
			return node;
		right = rtm_get(t, &node->child[1]);
		if (!rtm_bit(key, node->plen, true)) {
			after = right ?: after;
			right = rtm_get(t, &node->child[0]);
		}
		node = right;
	}
	return after;
}
