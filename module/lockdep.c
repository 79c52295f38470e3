// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks and calls in flight as lockdep sees them, on kernels that have it.
 *
 * A wait for a registration ends when its callbacks and calls have. So a callback, and a
 * call in flight, is a reader of the maps of both registrations, and a wait writes its own:
 * a wait inside a call, and a wait under a lock that some call takes, are reported when the
 * two orders have been seen, not when they meet. kernfs does so for its active references.
 *
 * An exit does not say which enter it belongs to, and a task may hold the same maps for a
 * callback, for a call of this binding and for calls of others. So each call also holds a
 * map that is its binding's own: an exit releases what an enter of the same binding in the
 * same task has acquired, or nothing. A call that nests in another one of its binding holds
 * that map once more, and nothing else. What remains is an exit of a call that was handed
 * over, in a task that is inside another call of the same binding: lockdep takes that one
 * for the call that has ended.
 *
 * A call of an interrupt holds nothing. It takes no lock that a wait could be under, since
 * waits sleep; and what is held meanwhile is the interrupted task's.
 *
 * Locking: none. Calls come from any context but NMI, the rest from process context.
 */

#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "internal.h"

#ifdef CONFIG_LOCKDEP
/* The rest is for the task's own locks. */
#define NMR_TRACK_DEPTH		(MAX_LOCK_DEPTH / 2)

static struct lock_class_key nmr_call_key;

/* Initialise what lockdep wants of a new binding. */
void nmr_track_init(struct nmr_binding *b)
{
	lockdep_init_map(&b->call_map, "nmr_call", &nmr_call_key, 0);
}

/* Has lockdep room for more, and the task still enough for its own locks? */
static bool nmr_track_room(void)
{
	return debug_locks && current->lockdep_depth < NMR_TRACK_DEPTH;
}

/*
 * Acquire as a reader what a wait writes. As a trylock: what the callee takes depends on
 * this map and on all below it, and nothing is taken to wait for the callee to begin.
 */
static void nmr_map_acquire(struct nmr_registration *reg, unsigned long ip)
{
	lock_acquire(&reg->dep_map, 0, 1, 2, 1, NULL, ip);
}

/**
 * nmr_track_callback() - tell lockdep that a callback begins
 * @b: the binding
 *
 * Return: true if nmr_track_callback_end() is to be called; false if there is no room.
 */
bool nmr_track_callback(struct nmr_binding *b)
{
	enum nmr_side side;

	if (!nmr_track_room())
		return false;
	for (side = 0; side < NMR_SIDES; side++)
		nmr_map_acquire(b->reg[side], _RET_IP_);
	return true;
}

/* Tell lockdep that the callback has returned. */
void nmr_track_callback_end(struct nmr_binding *b)
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++)
		lock_release(&b->reg[side]->dep_map, _RET_IP_);
}

static void nmr_track_enter(struct nmr_binding *b)
{
	enum nmr_side side;

	if (!in_task() || !nmr_track_room())
		return;
	if (!lock_is_held(&b->call_map))
		for (side = 0; side < NMR_SIDES; side++)
			nmr_map_acquire(b->reg[side], _RET_IP_);
	/* Nothing depends on this one. */
	lock_acquire(&b->call_map, 0, 1, 2, 0, NULL, _RET_IP_);
}

static void nmr_track_exit(struct nmr_binding *b)
{
	enum nmr_side side;

	if (!in_task() || !lock_is_held(&b->call_map))
		return;
	lock_release(&b->call_map, _RET_IP_);
	if (!lock_is_held(&b->call_map))
		for (side = 0; side < NMR_SIDES; side++)
			lock_release(&b->reg[side]->dep_map, _RET_IP_);
}

/*
 * Does the calling task hold the map of another registration of the class of @reg, of which
 * @map is? When lockdep turns itself off, what is held stays in held_locks[] for ever: the
 * maps may be gone, so nothing is read from them. The number of a class is what lockdep notes
 * of a map that is acquired.
 */
static bool nmr_class_is_held(const struct nmr_registration *reg, struct lockdep_map *map)
{
	const struct held_lock *held = current->held_locks, *last;
	bool found = false;

	lock_acquire(map, 0, 1, 2, 1, NULL, _RET_IP_);
	last = held + current->lockdep_depth - 1;
	for (; held < last && !found; held++)
		found = held->class_idx == last->class_idx && held->instance != &reg->dep_map;
	lock_release(map, _RET_IP_);
	return found;
}

/**
 * nmr_track_wait() - tell lockdep that the calling task is about to wait
 * @reg: for the callbacks and calls of this registration
 *
 * Not inside a callback or a call of another registration of the same class: a driver that
 * registers many from one place may let one wait for another, and lockdep cannot tell that
 * from waiting for itself. Not for one that has finished: its module, and with it the class,
 * may be gone. A module that unloads waits for RCU readers before its classes go.
 *
 * The wait has a map of its own: a call of the same task may hold that of @reg.
 */
void nmr_track_wait(struct nmr_registration *reg)
{
	struct lockdep_map map;

	if (!debug_locks)
		return;
	rcu_read_lock();
	if (!nmr_registration_finished(reg)) {
		lockdep_copy_map(&map, &reg->dep_map);
		if (!nmr_class_is_held(reg, &map)) {
			lock_map_acquire(&map);
			lock_map_release(&map);
		}
	}
	rcu_read_unlock();
}
#else
static void nmr_track_enter(struct nmr_binding *b)
{
}

static void nmr_track_exit(struct nmr_binding *b)
{
}
#endif

/*
 * Warn if a CPU calls that comes up and is not online yet. It runs hotplug callbacks of the
 * STARTING section then, in its idle task. Another CPU may take its counts meanwhile, and a
 * call that enters or exits at that moment would be lost.
 */
static void nmr_check_cpu(const struct nmr_binding *b, enum nmr_side caller)
{
	int cpu = raw_smp_processor_id();

	WARN_ONCE(!task_pid_nr(current) && !cpu_online(cpu),
		  "nmr: %s: a call enters or exits on CPU %d, which is not online yet\n",
		  b->reg[caller]->modname, cpu);
}

/**
 * __nmr_call_entered() - a call is in flight
 * @binding: the binding
 * @caller:  the side that makes the call
 *
 * Context: Any but NMI.
 */
void __nmr_call_entered(struct nmr_binding *binding, enum nmr_side caller)
{
	nmr_check_cpu(binding, caller);
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
	nmr_check_cpu(binding, caller);
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
