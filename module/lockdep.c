// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Lockdep
 *
 * A wait for a registration ends if its callbacks and calls have ended. So lockdep is told
 * that a callback, and a call in flight, reads the maps of both registrations, and that a wait
 * writes the map of its registration. A wait inside a call, and a wait under a lock that some
 * call takes, are reported once the two orders have been seen, and not only if they meet.
 * kernfs tells lockdep of its active references in the same way. A function that waits calls
 * nmr_might_wait() of callback.c. nmr_client_wait_for_binding() does not: it does not wait for
 * callbacks or calls to end.
 *
 * **Exits.** An exit does not say which enter it belongs to. A task may hold the same maps for
 * a callback, for a call of this binding, and for calls of other bindings. So each call also
 * holds a map of its own binding. An exit releases what an enter of the same binding in the
 * same task has acquired, or nothing. A call that nests in another call of its binding only
 * holds that map once more. If a call that was handed over exits in a task that is inside
 * another call of the same binding, lockdep takes the other call for the one that has ended.
 *
 * **Classes.** Each place in the source that registers has a lock class. Callbacks and calls
 * are readers by trylock: otherwise lockdep would follow what a callback takes to one of the
 * two maps alone. Lockdep is not told of a wait with timeout 0, which only tests.
 *
 * **Interrupts.** A call in an interrupt holds nothing. It takes no lock that a wait could be
 * under, since waits sleep, and held_locks are those of the interrupted task.
 */
/* Locking: none. Calls come from any context but NMI, the rest from process context. */

#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "binding.h"
#include "debug.h"

/* Beyond this depth, held_locks are left to the task. */
#define NMR_LOCKDEP_DEPTH		(MAX_LOCK_DEPTH / 2)

static struct lock_class_key nmr_call_key;

/* Initialise the map of a new binding. */
void nmr_lockdep_init(struct nmr_binding *b)
{
	lockdep_init_map(&b->call_map, "nmr_call", &nmr_call_key, 0);
}

/* Tell whether held_locks has room for the registrar and for the task's own locks. */
static bool nmr_lockdep_room(void)
{
	return debug_locks && current->lockdep_depth < NMR_LOCKDEP_DEPTH;
}

/*
 * Acquire as a reader what a wait writes. It is a trylock: the locks that the callee takes
 * depend on this map, but no task waits for this map in order to call.
 */
static void nmr_map_acquire(struct nmr_registration *reg, unsigned long ip)
{
	lock_acquire(&reg->dep_map, 0, 1, 2, 1, NULL, ip);
}

/**
 * nmr_lockdep_callback() - tell lockdep that a callback begins
 * @b: the binding
 *
 * Return: true if nmr_lockdep_callback_end() must be called, false if there is no room.
 */
bool nmr_lockdep_callback(struct nmr_binding *b)
{
	enum nmr_side side;

	if (!nmr_lockdep_room())
		return false;
	for (side = 0; side < NMR_SIDES; side++)
		nmr_map_acquire(b->reg[side], _RET_IP_);
	return true;
}

/* Tell lockdep that the callback has returned. */
void nmr_lockdep_callback_end(struct nmr_binding *b)
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++)
		lock_release(&b->reg[side]->dep_map, _RET_IP_);
}

void nmr_lockdep_enter(struct nmr_binding *b)
{
	enum nmr_side side;

	if (!in_task() || !nmr_lockdep_room())
		return;
	if (!lock_is_held(&b->call_map))
		for (side = 0; side < NMR_SIDES; side++)
			nmr_map_acquire(b->reg[side], _RET_IP_);
	/* Not validated (check = 0): it only marks the call. */
	lock_acquire(&b->call_map, 0, 1, 2, 0, NULL, _RET_IP_);
}

void nmr_lockdep_exit(struct nmr_binding *b)
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
 * Tell whether the calling task holds the map of another registration of the class of @reg.
 * @map is a copy of the map of @reg. When lockdep turns itself off, held_locks[] keeps its
 * entries forever, and the maps may be gone, so this function reads no map from an entry. It
 * acquires @map only to learn the class index that lockdep notes for it.
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
 * nmr_lockdep_wait() - tell lockdep that the calling task is about to wait
 * @reg: for the callbacks and calls of this registration
 *
 * The function tells nothing
 *
 * - inside a callback or a call of another registration of the same class: a driver that
 *   registers many from one place may let one wait for another, and lockdep cannot tell that
 *   from waiting for itself;
 * - if @reg has finished, since its module and class may be gone. A module that unloads waits
 *   for RCU readers before its classes go.
 *
 * The wait acquires a copy of the map, because a call of the same task may hold the map.
 */
void nmr_lockdep_wait(struct nmr_registration *reg)
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
