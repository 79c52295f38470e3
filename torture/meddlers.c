// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that act on registrations and bindings of other threads, as the API allows:
 * they detach a binding, deregister, re-offer, wait, keep a reference, signal a task that
 * waits, and use handles that were never issued.
 *
 * Locking: none.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "../kunit/by_side.h"
#include "torture.h"

/* The last task that waited. nmrt_spawn() keeps a reference until nmrt_join(). */
static struct task_struct *nmrt_waiter;

static void nmrt_detach_one(struct nmrt_random *r)
{
	enum nmr_detach_reason reason =
		nmrt_one_in(r, 4) ? NMR_DETACH_ABORT : NMR_DETACH_FALLBACK;
	struct nmrt_half *half;
	int err = -EALREADY;

	rcu_read_lock();
	half = nmrt_some_half(r);
	if (half)
		err = nmr_detach_binding(half->binding, reason);
	rcu_read_unlock();
	nmrt_expect(!err || err == -EALREADY);
	if (!err)
		nmrt_count(NMRT_DETACHED_ALONE);
}

/* Keep a reference for a while, and enter. Either result is right. */
static void nmrt_keep_one(struct nmrt_random *r)
{
	struct nmr_binding *binding = NULL;
	struct nmrt_half *half;
	enum nmr_side side;

	rcu_read_lock();
	half = nmrt_some_half(r);
	if (half) {
		binding = nmr_binding_get(half->binding);
		side = half->side;
	}
	rcu_read_unlock();
	if (!binding)
		return;
	usleep_range(10, 5000);
	if (by_side_enter(side, binding))
		by_side_exit(side, binding);
	nmrt_expect(nmr_binding_id(binding));
	nmr_binding_put(binding);
}

static void nmrt_reoffer(struct nmrt_random *r)
{
	enum nmr_side side;
	u64 id;
	int err;

	for (side = 0; side < NMR_SIDES; side++) {
		id = nmrt_some_handle(r, side);
		err = by_side_reoffer(side, id);
		nmrt_expect(!err || err == -ESHUTDOWN || (err == -EINVAL && !id));
	}
}

static void nmrt_wait_for_binding(struct nmrt_random *r)
{
	u64 id = nmrt_some_handle(r, NMR_CLIENT);
	int err;

	WRITE_ONCE(nmrt_waiter, current);
	err = nmr_client_wait_for_binding((struct nmr_client_handle){ id },
					  nmrt_random(r) % 3);
	flush_signals(current);
	nmrt_expect(!err || err == -ETIMEDOUT || err == -ESHUTDOWN ||
		    err == -ERESTARTSYS || (err == -EINVAL && !id));
}

static void nmrt_wait_for_one(struct nmrt_random *r)
{
	enum nmr_side side = nmrt_random(r) % NMR_SIDES;
	u64 id = nmrt_some_handle(r, side);
	int err = by_side_wait_timeout(side, id, nmrt_random(r) % 3);

	nmrt_expect(!err || err == -ETIMEDOUT || err == -EINVAL);
}

static void nmrt_walk_some(struct nmrt_random *r)
{
	enum nmr_side side = nmrt_random(r) % NMR_SIDES;

	nmrt_walk(r, side, nmrt_some_handle(r, side));
}

static void nmrt_invent(void)
{
	struct nmr_client_handle none = { 0 }, future = { U64_MAX };

	nmrt_expect(nmr_deregister_client(none) == -EINVAL);
	nmrt_expect(nmr_deregister_client(future) == -EINVAL);
	nmrt_expect(nmr_wait_for_client_deregister_complete(future) == -EINVAL);
	nmrt_expect(nmr_client_reoffer(future) == -EINVAL);
}

static void nmrt_meddle(struct nmrt_random *r)
{
	struct task_struct *waiter;
	enum nmr_side side;

	switch (nmrt_random(r) % 10) {
	case 0:
	case 1:
		nmrt_detach_one(r);
		break;
	case 2:
		nmrt_keep_one(r);
		break;
	case 3:
		nmrt_reoffer(r);
		break;
	case 4:
		nmrt_wait_for_binding(r);
		break;
	case 5:
		nmrt_wait_for_one(r);
		break;
	case 6:
		side = nmrt_random(r) % NMR_SIDES;
		if (nmrt_one_in(r, 4))
			nmrt_deregister(side, nmrt_some_handle(r, side));
		break;
	case 7:
		nmrt_invent();
		waiter = READ_ONCE(nmrt_waiter);
		if (waiter)
			send_sig(SIGUSR1, waiter, 0);
		break;
	case 8:
		WRITE_ONCE(nmrt_waiter, current);
		nmrt_wait_for_slot(r);
		break;
	case 9:
		nmrt_walk_some(r);
		break;
	}
	nmrt_count(NMRT_MEDDLED);
}

int nmrt_meddler(void *data)
{
	struct nmrt_thread *thread = data;
	struct nmrt_random random;

	nmrt_random_init(&random);
	allow_signal(SIGUSR1);
	while (nmrt_go_on(thread)) {
		nmrt_meddle(&random);
		flush_signals(current);
		if (nmrt_one_in(&random, 2))
			schedule_timeout_idle(1);
	}
	return 0;
}
