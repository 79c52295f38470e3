// SPDX-License-Identifier: GPL-2.0
/*
 * Calls in flight as lockdep sees them, on kernels that have it.
 *
 * A wait for a registration ends when its calls have. So a call is, as a callback is, a
 * reader of the maps of both registrations, and a wait writes its own (callback.c): a
 * wait inside a call, and a wait under a lock that some call takes, are reported when
 * the two orders have been seen, not when they meet. kernfs does so for its active
 * references.
 *
 * A call that nests in another one of its binding holds the provider's map once more,
 * not the client's. Where lockdep has no room left, or a call goes on in another task,
 * nothing is held, and exit finds that out.
 *
 * Locking: none. Any context but NMI.
 */

#include <linux/lockdep.h>
#include <linux/sched.h>

#include "internal.h"

#ifdef CONFIG_LOCKDEP
/* The rest is for the task's own locks. */
#define NMR_TRACK_DEPTH		(MAX_LOCK_DEPTH / 2)

/*
 * As a trylock: what the callee takes depends on both maps, and nothing is taken to
 * wait for a call to begin.
 */
static void nmr_track_enter(struct nmr_binding *b)
{
	struct lockdep_map *client = &b->reg[NMR_CLIENT]->dep_map;
	struct lockdep_map *provider = &b->reg[NMR_PROVIDER]->dep_map;

	if (!debug_locks || current->lockdep_depth >= NMR_TRACK_DEPTH)
		return;
	if (!lock_is_held(provider))
		lock_acquire(client, 0, 1, 2, 1, NULL, _RET_IP_);
	lock_acquire(provider, 0, 1, 2, 1, NULL, _RET_IP_);
}

static void nmr_track_exit(struct nmr_binding *b)
{
	struct lockdep_map *client = &b->reg[NMR_CLIENT]->dep_map;
	struct lockdep_map *provider = &b->reg[NMR_PROVIDER]->dep_map;

	if (!debug_locks || !lock_is_held(provider))
		return;
	lock_release(provider, _RET_IP_);
	if (!lock_is_held(provider) && lock_is_held(client))
		lock_release(client, _RET_IP_);
}
#else
static void nmr_track_enter(struct nmr_binding *b)
{
}

static void nmr_track_exit(struct nmr_binding *b)
{
}
#endif

/**
 * __nmr_call_entered() - a call is in flight
 * @binding: the binding
 * @caller:  the side that makes the call
 *
 * Context: Any but NMI.
 */
void __nmr_call_entered(struct nmr_binding *binding, enum nmr_side caller)
{
	nmr_track_enter(binding);
	nmr_holder_add(binding, caller);
	/* Not a tail call: the stack is to have a frame of this function, to be skipped. */
	barrier();
}
EXPORT_SYMBOL_NMR(__nmr_call_entered);

/**
 * __nmr_call_exiting() - a call is about to end
 * @binding: the binding
 * @caller:  the side that made the call
 *
 * Context: Any but NMI.
 */
void __nmr_call_exiting(struct nmr_binding *binding, enum nmr_side caller)
{
	nmr_track_exit(binding);
	nmr_holder_remove(binding, caller);
}
EXPORT_SYMBOL_NMR(__nmr_call_exiting);

/**
 * __nmr_call_handed_over() - a call will end elsewhere than it began
 * @binding: the binding
 * @caller:  the side that makes the call
 *
 * Context: Any but NMI.
 */
void __nmr_call_handed_over(struct nmr_binding *binding, enum nmr_side caller)
{
	nmr_track_exit(binding);
	nmr_holder_hand_over(binding, caller);
}
EXPORT_SYMBOL_NMR(__nmr_call_handed_over);
