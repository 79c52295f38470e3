/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: Files and locks
 *
 * Each file has one concern. A file calls only files below it, except through a work item:
 *
 * ====================== =============================================================
 * ``main.c``             module init and exit, workqueues
 * ``debugfs.c``          pairs that are not attached, bindings that are still referenced
 * ``api.c``              the functions of registrations: register, deregister, wait, walk
 * ``leave.c``            a registration's end: leave, wait, finish; the safety net
 * ``offer.c``            which offers are made, and when
 * ``registration.c``     which registrations there are: publish and find
 * ``binding.c``          a binding's life: attach, close, detach, clean up
 * ``walk.c``             calls to all peers of a registration
 * ``slot.c``             slots: the provider that a client has now
 * ``stuck.c``            warnings of bindings that do not attach or do not drain
 * ``sysfs.c``            sysfs and uevents
 * ``pair.c``             what became of the offers that were made, and what repeats them
 * ``refs.c``             memory, references, the counts that decide when objects end, and
 *                        exits from a closed gate, which may end a binding
 * ``npi.c``              NPIs, and which registrations have joined them in which order
 * ``gate.c``             calls in flight: open, close, drain
 * ``callback.c``         which callbacks run, on which CPU, in which task; may a task wait
 * ``call_debug.c``       what debug kernels are told of each call
 * ``call_trace.c``       the stacks of calls in flight (``NMR_DEBUG``)
 * ``lockdep.c``          callbacks, calls and waits as lockdep sees them
 * ``misuse.c``           warnings of misuse
 * ``trace.c``            tracepoints
 * ====================== =============================================================
 *
 * The functions of bindings that modules call are in ``binding.c`` (attach, detach, complete)
 * and in ``refs.c`` (get, put). A reason to decline an offer belongs in nmr_call_attach() of
 * ``binding.c``, because a pair records the outcome of a binding.
 *
 * Two calls go up: sysfs.c calls nmr_detach_binding() if a process writes to the file *detach*
 * of a binding, and stuck.c calls nmr_binding_us(), which only reads.
 *
 * Each object has a header: ``gate.h``, ``registration.h`` (NPIs, registrations, pairs),
 * ``binding.h``, ``callback.h``. ``debug.h`` declares what only reports. The lock of each
 * member stands at the member. "L" is nmr_lock.
 *
 * Locks:
 *
 * ====================== =============================================================
 * ``nmr_lock``           Spinlock, interrupts off. Protects all members marked "L".
 *                        Never held while a callback of a module runs. A loop that
 *                        grows with the registry drops it every ``NMR_BATCH`` steps.
 *                        A reader of the file references does not: it skips bindings
 *                        that only wait for the grace period before the free.
 * ``nmr_npi_lock``       Spinlock of npi.c, a leaf. The tree of NPIs.
 * ``nmr_callback_lock``  Spinlock of callback.c, a leaf. The table of callbacks.
 * ``nmr_counts_lock``    Spinlock of gate.c, interrupts off, a leaf. Free counts.
 * ``nmr_records_lock``   Raw spinlock of call_trace.c, interrupts off, a leaf.
 * ====================== =============================================================
 *
 * No leaf is taken while nmr_lock is held. No line is printed and no uevent is sent under it.
 * No lock is held while a function allocates memory that may sleep, or adds or removes a
 * directory in sysfs. So no registration waits for the memory or for the readers of another
 * one. A long loop keeps its place in a form that survives the drop of nmr_lock: a number, an
 * object with a reference, the head of a list from which each step removes an entry, or a
 * pointer that is advanced if its object goes.
 *
 * Hardirqs may enter and exit calls, complete a detach, and get and put references. These
 * functions take no lock but nmr_records_lock: they work with atomics, queue_work() and
 * call_rcu(). Since queue_work() may wake a worker, they may be called under a raw spinlock,
 * but not under the locks of the scheduler, and not in NMIs.
 */
#ifndef _NMR_INTERNAL_H
#define _NMR_INTERNAL_H

#include <linux/lockdep.h>
#include <linux/nmr.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"

#define NMR_BATCH	64	/* steps of a long loop before other tasks get a turn */

/* main.c */
extern spinlock_t nmr_lock;
extern struct workqueue_struct *nmr_callback_wq;
extern struct workqueue_struct *nmr_wq;
extern struct workqueue_struct *nmr_timed_wq;
extern struct workqueue_struct *nmr_reap_wq;
extern struct workqueue_struct *nmr_closed_wq;

/* api.c */
void nmr_api_init(void);

/* debugfs.c */
void nmr_debugfs_init(void);
void nmr_debugfs_exit(void);

/* sysfs.c */
int nmr_sysfs_init(void);
void nmr_sysfs_exit(void);

static inline const char *nmr_side_name(enum nmr_side side)
{
	return side == NMR_CLIENT ? "client" : "provider";
}

static inline enum nmr_side nmr_peer(enum nmr_side side)
{
	return side == NMR_CLIENT ? NMR_PROVIDER : NMR_CLIENT;
}

#endif /* _NMR_INTERNAL_H */
