// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Stuck bindings
 *
 * A binding is stuck if its attach, or its detach, has taken ``stuck_seconds``. The kernel's
 * log says what a stuck binding waits for.
 *
 * Bindings are watched in the order in which they began to attach or closed, so a check stops
 * at the first binding that is not due. A binding that is due moves to the list of stuck
 * bindings of the registration that accounts for it. One line tells of a registration with stuck
 * bindings: it describes the first of them and counts the others. The line comes at once, and
 * again after intervals that double. A check writes ``NMR_STUCK_LINES`` such lines at most. If
 * more lines are due, one more line counts their registrations. The interval of a registration
 * without a line does not double, and the registration comes before those that had one when lines
 * are due again. So each gets its turn. If another binding of a registration is stuck, the
 * intervals begin anew. The log has room for other messages, however many bindings and
 * registrations are stuck.
 *
 * A binding leaves these lists if it has attached, or when its cleanup begins. While any binding
 * is watched or stuck, a check runs once a second. So a new value of ``stuck_seconds`` applies at
 * once to bindings that have not been found stuck.
 */
/* Locking: the lists under nmr_lock. Lines are written without it: a console may be slow. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <trace/events/nmr.h>

#include "binding.h"
#include "callback.h"
#include "debug.h"

#define NMR_STUCK_TEXT		320		/* what a line says of a binding */
#define NMR_STUCK_LINES		4		/* in one check */
#define NMR_STUCK_LONGEST	(24U * 60 * 60)	/* interval, in seconds */

static unsigned int stuck_seconds = 30;
module_param(stuck_seconds, uint, 0644);
MODULE_PARM_DESC(stuck_seconds,
		 "warn of a binding that has not attached, or has not drained after it closed, for so long (default 30; 0: never)");

static LIST_HEAD(nmr_watched);		/* bindings */
static LIST_HEAD(nmr_stuck);		/* registrations */
static unsigned int nmr_nr_stuck;	/* how many these are */
static bool nmr_stuck_armed;		/* a check is queued or runs */

static void nmr_stuck_check(struct work_struct *work);
static DECLARE_DELAYED_WORK(nmr_stuck_work, nmr_stuck_check);

/* What a line says of a binding: phrases, separated by commas */
struct nmr_text {
	char	buf[NMR_STUCK_TEXT];
	size_t	len;
};

__printf(2, 3) static void nmr_say(struct nmr_text *text, const char *fmt, ...)
{
	va_list args;

	if (text->len)
		text->len += scnprintf(text->buf + text->len, sizeof(text->buf) - text->len,
				       ", ");
	va_start(args, fmt);
	text->len += vscnprintf(text->buf + text->len, sizeof(text->buf) - text->len, fmt,
				args);
	va_end(args);
}

static void nmr_say_calls(struct nmr_text *text, const struct nmr_binding *b,
			  enum nmr_side caller)
{
	unsigned int calls = nmr_gate_in_flight(&b->gates, caller);
	enum nmr_side callee = nmr_peer(caller);

	if (calls)
		nmr_say(text, "%u call%s of %s %s into %s %s %s not returned", calls,
			calls == 1 ? "" : "s", nmr_side_name(caller),
			b->reg[caller]->modname, nmr_side_name(callee),
			b->reg[callee]->modname, calls == 1 ? "has" : "have");
}

static void nmr_say_detach(struct nmr_text *text, const struct nmr_binding *b,
			   enum nmr_side side)
{
	const char *module = b->reg[side]->modname;
	char task[NMR_TASK_NAME];

	switch (atomic_read(&b->detach[side])) {
	case NMR_DETACH_CALLED:
	case NMR_DETACH_COMPLETED:
		nmr_callback_task(b, task);
		nmr_say(text, "the detach callback of %s %s has not returned (task %s)",
			nmr_side_name(side), module, task);
		break;
	case NMR_DETACH_PENDING:
		nmr_say(text, "%s %s returned -EINPROGRESS and has not completed its detach",
			nmr_side_name(side), module);
		break;
	}
}

static void nmr_say_attach(struct nmr_text *text, const struct nmr_binding *b)
{
	char task[NMR_TASK_NAME];

	if (nmr_callback_task(b, task))
		nmr_say(text, "an attach callback has not returned (task %s)", task);
}

/* Say what @b waits for. */
static void nmr_say_why(struct nmr_text *text, const struct nmr_binding *b)
{
	enum nmr_side side;

	if (nmr_binding_attaching(b)) {
		nmr_say_attach(text, b);
	} else {
		for (side = 0; side < NMR_SIDES; side++)
			nmr_say_calls(text, b, side);
		for (side = 0; side < NMR_SIDES; side++)
			nmr_say_detach(text, b, side);
	}
	if (!text->len)
		nmr_say(text, "no worker has got to it");
}

/* Write a line on @b, and on @others more stuck bindings of @reg. */
static void nmr_stuck_warn(const struct nmr_binding *b, const struct nmr_registration *reg,
			   unsigned int others)
{
	enum nmr_binding_state state;
	struct nmr_text text = {};
	char more[64] = "";
	bool closed;

	nmr_say_why(&text, b);
	/*
	 * If the attach has ended meanwhile, @b is attached, or has finished. Pairs with
	 * smp_store_release() in nmr_binding_advance(): after CLOSING, the reason is valid.
	 */
	state = smp_load_acquire(&b->state);
	if (state == NMR_ATTACHED || state == NMR_FINISHED)
		return;
	closed = state >= NMR_CLOSING;
	if (others)
		scnprintf(more, sizeof(more), "; so have %u more bindings of %s %llu", others,
			  nmr_side_name(reg->side), reg->id);
	pr_warn("binding %llu (%s -> %s) has not %s for %lu s%s%s: %s%s\n", b->id,
		b->reg[NMR_CLIENT]->modname, b->reg[NMR_PROVIDER]->modname,
		closed ? "drained" : "attached", (jiffies - READ_ONCE(b->since)) / HZ,
		closed ? " after " : "", closed ? nmr_reason_name(b->reason) : "",
		text.buf, more);
	if (IS_ENABLED(CONFIG_NMR_DEBUG))
		nmr_call_trace_report(b);
	else
		pr_warn_once("nmr.ko and a module that calls, both built with NMR_DEBUG=1, show the stacks of calls in flight here\n");
}

/* Queue a check, unless one is queued. */
static void nmr_stuck_arm(void)
{
	lockdep_assert_held(&nmr_lock);
	if (nmr_stuck_armed)
		return;
	nmr_stuck_armed = true;
	queue_delayed_work(nmr_timed_wq, &nmr_stuck_work, HZ);
}

/* Watch @b from now on: its attach begins, or it has closed. @b must not be watched yet. */
void nmr_stuck_watch(struct nmr_binding *b)
{
	list_add_tail(&b->watch, &nmr_watched);
	nmr_stuck_arm();
}

/* Stop watching @b. */
void nmr_stuck_forget(struct nmr_binding *b)
{
	struct nmr_registration *reg = b->stuck_of;

	lockdep_assert_held(&nmr_lock);
	list_del_init(&b->watch);
	if (!reg)
		return;
	b->stuck_of = NULL;
	if (--reg->nr_stuck)
		return;
	list_del_init(&reg->stuck_node);
	nmr_nr_stuck--;
}

/*
 * Have the next check find @b again, if a check has found it: now that @b has a directory, it can
 * also send a uevent. A binding that is due is the first to be watched. The check is armed, as @b
 * was stuck.
 */
void nmr_stuck_again(struct nmr_binding *b)
{
	if (!b->stuck_of)
		return;
	nmr_stuck_forget(b);
	list_add(&b->watch, &nmr_watched);
}

/* Make @b, which is due, one of the stuck bindings of the registration that accounts for it. */
static void nmr_stuck_add(struct nmr_binding *b, unsigned int seconds)
{
	struct nmr_registration *reg = nmr_binding_leaver(b);

	lockdep_assert_held(&nmr_lock);
	if (trace_nmr_stuck_enabled())
		trace_nmr_stuck(b->id, nmr_binding_us(b));
	b->stuck_of = reg;
	list_move_tail(&b->watch, &reg->stuck);
	reg->stuck_seconds = min(seconds, NMR_STUCK_LONGEST);
	if (reg->nr_stuck++) {
		if (time_after(reg->stuck_next, jiffies + reg->stuck_seconds * HZ))
			reg->stuck_next = jiffies + reg->stuck_seconds * HZ;
		return;
	}
	reg->stuck_next = jiffies;
	list_add_tail(&reg->stuck_node, &nmr_stuck);
	nmr_nr_stuck++;
}

/* Tell whether @b waits for nothing but its cleanup. */
static bool nmr_stuck_cleans(const struct nmr_binding *b)
{
	return !nmr_binding_attaching(b) && !atomic_read(&b->todo);
}

/*
 * Move the next watched binding that is due to the stuck ones. Return: false if none is due.
 * If @b is set, this function has added a part to its todo, so that its directory remains
 * while the caller sends a uevent. The caller must call nmr_binding_part_done().
 */
static bool nmr_stuck_next_binding(unsigned int seconds, struct nmr_binding **b)
{
	struct nmr_binding *next;

	lockdep_assert_held(&nmr_lock);
	*b = NULL;
	next = list_first_entry_or_null(&nmr_watched, struct nmr_binding, watch);
	if (!next || !seconds || (jiffies - next->since) / HZ < seconds)
		return false;
	if (nmr_stuck_cleans(next)) {
		list_del_init(&next->watch);
		return true;
	}
	nmr_stuck_add(next, seconds);
	if (!nmr_binding_attaching(next) && atomic_inc_not_zero(&next->todo))
		*b = next;
	return true;
}

static void nmr_stuck_find(unsigned int seconds)
{
	struct nmr_binding *b;
	bool found;

	do {
		spin_lock_irq(&nmr_lock);
		found = nmr_stuck_next_binding(seconds, &b);
		spin_unlock_irq(&nmr_lock);
		if (b) {
			nmr_sysfs_tell_stuck(b);
			nmr_binding_part_done(b);
		}
		cond_resched();
	} while (found);
}

/*
 * Look at up to NMR_BATCH of @left registrations. If the line of a registration is due, return
 * its first stuck binding, with a reference and with a part more to do: the counts of a slot
 * may be gone after its cleanup. Otherwise return NULL.
 */
static struct nmr_binding *nmr_stuck_next_line(unsigned int *left)
{
	struct nmr_registration *reg;
	struct nmr_binding *b;
	unsigned int budget;

	lockdep_assert_held(&nmr_lock);
	for (budget = NMR_BATCH; budget && *left; budget--) {
		reg = list_first_entry_or_null(&nmr_stuck, struct nmr_registration,
					       stuck_node);
		if (!reg) {
			*left = 0;
			break;
		}
		--*left;
		list_move_tail(&reg->stuck_node, &nmr_stuck);
		if (time_before(jiffies, reg->stuck_next))
			continue;
		b = list_first_entry(&reg->stuck, struct nmr_binding, watch);
		if (!atomic_inc_not_zero(&b->todo)) {
			nmr_stuck_forget(b);
			++*left;
			continue;
		}
		reg->stuck_next = jiffies + reg->stuck_seconds * HZ;
		__nmr_binding_get(b);
		return b;
	}
	return NULL;
}

static void nmr_stuck_tell(void)
{
	struct nmr_registration *reg = NULL;
	unsigned int left = UINT_MAX, lines = 0, others = 0;
	struct nmr_binding *b;
	LIST_HEAD(waiting);

	do {
		spin_lock_irq(&nmr_lock);
		left = min(left, nmr_nr_stuck);
		b = nmr_stuck_next_line(&left);
		if (b) {
			reg = b->stuck_of;
			others = reg->nr_stuck - 1;
			if (lines < NMR_STUCK_LINES)
				reg->stuck_seconds = min(2 * reg->stuck_seconds,
							 NMR_STUCK_LONGEST);
			else
				list_move_tail(&reg->stuck_node, &waiting);
		}
		spin_unlock_irq(&nmr_lock);
		if (b) {
			if (lines++ < NMR_STUCK_LINES)
				nmr_stuck_warn(b, reg, others);
			nmr_binding_part_done(b);
			__nmr_binding_put(b);
		}
		cond_resched();
	} while (left);
	spin_lock_irq(&nmr_lock);
	list_splice(&waiting, &nmr_stuck);
	spin_unlock_irq(&nmr_lock);
	if (lines > NMR_STUCK_LINES)
		pr_warn("bindings of %u more clients and providers are stuck: see nmrctl check\n",
			lines - NMR_STUCK_LINES);
}

static void nmr_stuck_check(struct work_struct *work)
{
	unsigned int seconds = READ_ONCE(stuck_seconds);

	nmr_stuck_find(seconds);
	if (seconds)
		nmr_stuck_tell();

	spin_lock_irq(&nmr_lock);
	nmr_stuck_armed = false;
	if (!list_empty(&nmr_watched) || nmr_nr_stuck)
		nmr_stuck_arm();
	spin_unlock_irq(&nmr_lock);
}

void nmr_stuck_exit(void)
{
	cancel_delayed_work_sync(&nmr_stuck_work);
}
