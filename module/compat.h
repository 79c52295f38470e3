/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernels that nmr.ko is built for differ; and the namespace of its symbols */
#ifndef _NMR_COMPAT_H
#define _NMR_COMPAT_H

#include <linux/export.h>
#include <linux/llist.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define EXPORT_SYMBOL_NMR(sym)	EXPORT_SYMBOL_NS_GPL(sym, NMR)
#else
#define EXPORT_SYMBOL_NMR(sym)	EXPORT_SYMBOL_NS_GPL(sym, "NMR")
#endif

/* For the white-box suites, as EXPORT_SYMBOL_IF_KUNIT(), which 6.1 has not */
#if IS_ENABLED(CONFIG_NMR_KUNIT_TEST)
#define EXPORT_SYMBOL_NMR_IF_KUNIT(sym)	EXPORT_SYMBOL_NMR(sym)
#else
#define EXPORT_SYMBOL_NMR_IF_KUNIT(sym)
#endif

/* From 6.2 on call_rcu() may delay callbacks, for up to ten seconds. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define call_rcu_hurry		call_rcu
#endif

/* The callbacks of a kset lack the parameter kset from 5.17 on. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 17, 0)
#define NMR_KSET_PARAMETER	struct kset *kset,
#else
#define NMR_KSET_PARAMETER
#endif

/* The callbacks of a kset have a const parameter from 6.2 on. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define NMR_KSET_CONST		const
#else
#define NMR_KSET_CONST
#endif

/* From 6.17 on a workqueue has to say so if it is per CPU. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define WQ_PERCPU		0
#endif

/*
 * Sleep, and let the freezer freeze the task if @freezable. From 6.1 on the state of the task
 * says that it may.
 */
#ifdef TASK_FREEZABLE
#define nmr_schedule_timeout(timeout, freezable)	schedule_timeout(timeout)
#else
#include <linux/freezer.h>

#define TASK_FREEZABLE		0
static inline long nmr_schedule_timeout(long timeout, bool freezable)
{
	return freezable ? freezable_schedule_timeout(timeout) : schedule_timeout(timeout);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#include <linux/completion.h>
#include <linux/swait.h>

/* For TASK_IDLE. completion_done() waits until complete() has let go of the completion. */
static inline void nmr_wait_for_completion_idle(struct completion *completion)
{
	swait_event_idle_exclusive(completion->wait, completion_done(completion));
}

#define wait_for_completion_state(completion, state)	nmr_wait_for_completion_idle(completion)
#endif

/*
 * From 6.4 on <linux/sched/isolation.h> has it, and so have later stable releases of 6.1. By 7.2
 * it leaves out the CPUs of nohz_full=.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0) || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#include <linux/sched/isolation.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 18, 0)
#define HK_TYPE_DOMAIN		HK_FLAG_DOMAIN
#define HK_TYPE_TICK		HK_FLAG_TICK
#endif

static inline bool nmr_cpu_is_isolated(int cpu)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	if (cpu_is_isolated(cpu))
		return true;
#endif
	return !housekeeping_cpu(cpu, HK_TYPE_DOMAIN) || !housekeeping_cpu(cpu, HK_TYPE_TICK);
}

#define cpu_is_isolated		nmr_cpu_is_isolated
#endif

/* From 5.11 on <linux/llist.h> has it. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
static inline bool __llist_add(struct llist_node *node, struct llist_head *head)
{
	node->next = head->first;
	head->first = node;
	return !node->next;
}
#endif

/* From 5.12 on <linux/rbtree.h> has these. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 12, 0)
static inline struct rb_node *
rb_find_add(struct rb_node *node, struct rb_root *tree,
	    int (*cmp)(struct rb_node *node, const struct rb_node *other))
{
	struct rb_node **link = &tree->rb_node, *parent = NULL;
	int order;

	while (*link) {
		parent = *link;
		order = cmp(node, parent);
		if (!order)
			return parent;
		link = order < 0 ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, tree);
	return NULL;
}

static inline void rb_add(struct rb_node *node, struct rb_root *tree,
			  bool (*less)(struct rb_node *node, const struct rb_node *other))
{
	struct rb_node **link = &tree->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less(node, parent) ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, tree);
}

static inline struct rb_node *rb_find(const void *key, const struct rb_root *tree,
				      int (*cmp)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = tree->rb_node;
	int order;

	while (node) {
		order = cmp(key, node);
		if (!order)
			break;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return node;
}
#endif

#endif /* _NMR_COMPAT_H */
