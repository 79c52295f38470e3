/* SPDX-License-Identifier: GPL-2.0-only */
/* Callbacks of modules that run: see callback.c. */
#ifndef _NMR_CALLBACK_H
#define _NMR_CALLBACK_H

#include <linux/sched.h>
#include <linux/types.h>

struct nmr_binding;
struct nmr_registration;
struct work_struct;
struct workqueue_struct;

/* Callbacks that run concurrently on the callback workqueue, on each CPU */
#define NMR_CALLBACKS_AT_ONCE	512

/*
 * Frames nested on one stack: the offers of a deeper register call use another stack. The text of
 * <linux/nmr.h> promises the number.
 */
#define NMR_CALLBACKS_NESTED	8

#define NMR_TASK_NAME	(TASK_COMM_LEN + 12)	/* "name/number" */

/* A callback that runs, on the stack of the task that has called it */
struct nmr_callback {
	struct hlist_node		node;	/* nmr_callback_lock: in the table, by @task */
	const struct task_struct	*task;
	const struct nmr_binding	*binding;	/* NULL: stands in for @outer */
	const struct nmr_callback	*outer;	/* the callback this one is inside of, or NULL */
	unsigned int			depth;	/* frames on this stack, with this one */
	bool				tracked;	/* lockdep knows of it */
};

void nmr_callback_begin(struct nmr_callback *cb, struct nmr_binding *b);
void nmr_callback_end(struct nmr_callback *cb, struct nmr_binding *b);
bool nmr_callback_nested(const struct nmr_callback **outer);
void nmr_callback_stand_in(struct nmr_callback *cb, const struct nmr_callback *outer);
void nmr_callback_stand_in_end(struct nmr_callback *cb);
bool nmr_callback_in(const struct nmr_registration *reg);
bool nmr_callback_task(const struct nmr_binding *b, char *name);
void nmr_might_wait(struct nmr_registration *reg);
bool nmr_queue_work(struct workqueue_struct *wq, struct work_struct *work);

#endif /* _NMR_CALLBACK_H */
