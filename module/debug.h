/* SPDX-License-Identifier: GPL-2.0-only */
/* What reports, and changes nothing: stuck bindings, misuse, lockdep, traces of calls. */
#ifndef _NMR_DEBUG_H
#define _NMR_DEBUG_H

#include <linux/nmr.h>
#include <linux/ratelimit_types.h>

struct dentry;
struct nmr_registration;

/* stuck.c */
void nmr_stuck_watch(struct nmr_binding *b);
void nmr_stuck_again(struct nmr_binding *b);
void nmr_stuck_forget(struct nmr_binding *b);
void nmr_stuck_exit(void);

/* misuse.c: each kind is warned of once a registration */
enum nmr_misuse {
	NMR_MISUSE_ATTACH_VALUE,	/* an attach callback returned a positive value */
	NMR_MISUSE_NOT_ATTACHED,	/* a client's returned 0 without having attached */
	NMR_MISUSE_DETACH_VALUE,	/* a detach callback returned neither 0 nor pending */
	NMR_MISUSE_COMPLETE,		/* complete, but no detach is pending */
	NMR_MISUSE_EXIT,		/* more calls exited than entered */
	NMR_MISUSE_SYNC,		/* a synchronous deregister inside a callback */
	NMR_MISUSE_UNLOAD,		/* the module unloads while registered */
	NMR_MISUSE_NO_WAIT,		/* the module unloads without having waited */
	NMR_MISUSES
};

extern struct ratelimit_state nmr_misuse_limit;
void nmr_misuse(struct nmr_registration *reg, enum nmr_misuse kind, u64 binding);

/* lockdep.c */
#ifdef CONFIG_LOCKDEP
void nmr_lockdep_init(struct nmr_binding *b);
bool nmr_lockdep_callback(struct nmr_binding *b);
void nmr_lockdep_callback_end(struct nmr_binding *b);
void nmr_lockdep_enter(struct nmr_binding *b);
void nmr_lockdep_exit(struct nmr_binding *b);
void nmr_lockdep_wait(struct nmr_registration *reg);
#else
static inline void nmr_lockdep_init(struct nmr_binding *b)
{
}

static inline bool nmr_lockdep_callback(struct nmr_binding *b)
{
	return false;
}

static inline void nmr_lockdep_callback_end(struct nmr_binding *b)
{
}

static inline void nmr_lockdep_enter(struct nmr_binding *b)
{
}

static inline void nmr_lockdep_exit(struct nmr_binding *b)
{
}

static inline void nmr_lockdep_wait(struct nmr_registration *reg)
{
}
#endif

/* call_trace.c */
#ifdef CONFIG_NMR_DEBUG
void nmr_call_trace_init(struct dentry *debugfs);
void nmr_call_trace_enter(const struct nmr_binding *b, enum nmr_side caller);
void nmr_call_trace_exit(const struct nmr_binding *b, enum nmr_side caller);
void nmr_call_trace_hand_over(const struct nmr_binding *b, enum nmr_side caller);
void nmr_call_trace_report(const struct nmr_binding *b);
#else
static inline void nmr_call_trace_init(struct dentry *debugfs)
{
}

static inline void nmr_call_trace_enter(const struct nmr_binding *b, enum nmr_side caller)
{
}

static inline void nmr_call_trace_exit(const struct nmr_binding *b, enum nmr_side caller)
{
}

static inline void nmr_call_trace_hand_over(const struct nmr_binding *b,
					    enum nmr_side caller)
{
}

static inline void nmr_call_trace_report(const struct nmr_binding *b)
{
}
#endif

#endif /* _NMR_DEBUG_H */
