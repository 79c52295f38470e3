// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a router starts and stops.
 *
 * A router is stopped, started, running after start_complete(), stopping, and stopped again. When
 * the manager or the network namespace leaves, it is dead. rip_shut_down() is the one way out.
 */
#include <linux/rtnetlink.h>
#include "rip.h"

#define RIP_LONGEST_MS	3600000

/* Return: 0 if the router is started. Must be called with rip_mutex held. */
int rip_usable(const struct rip_router *r)
{
	if (r->state == RIP_DEAD)
		return -ENODEV;
	return r->state == RIP_STARTED || r->state == RIP_RUNNING ? 0 : -ESHUTDOWN;
}

static int rip_may_start(struct rip_router *r)
{
	int err;

	mutex_lock(&rip_mutex);
	err = rip_usable(r);
	if (!err)
		err = -EALREADY;
	else if (r->state == RIP_STOPPING)
		err = -EBUSY;
	else if (err == -ESHUTDOWN)
		err = check_net(r->net) ? 0 : -ENODEV;
	mutex_unlock(&rip_mutex);
	return err;
}

static bool rip_timers_right(const struct rras_timers *timers)
{
	return timers && timers->update_ms && timers->timeout_ms >= timers->update_ms &&
	       timers->timeout_ms <= RIP_LONGEST_MS && timers->garbage_ms &&
	       timers->garbage_ms <= RIP_LONGEST_MS;
}

static void rip_set_started(struct rip_router *r, const struct rras_timers *timers)
{
	mutex_lock(&rip_mutex);
	r->update = msecs_to_jiffies(timers->update_ms);
	r->timeout = msecs_to_jiffies(timers->timeout_ms);
	r->garbage = msecs_to_jiffies(timers->garbage_ms);
	r->completed = false;
	r->events_lost = false;
	kfifo_reset(&r->events);
	r->state = RIP_STARTED;
	mutex_unlock(&rip_mutex);
}

int rip_start(void *context, const struct rras_timers *timers)
{
	struct rip_router *r = context;
	int err;

	mutex_lock(&r->control);
	err = rip_may_start(r);
	if (!err && !rip_timers_right(timers))
		err = -EINVAL;
	if (!err)
		err = rip_rtm_join(r);
	if (!err)
		rip_set_started(r, timers);
	mutex_unlock(&r->control);
	return err;
}

int rip_start_complete(void *context)
{
	struct rip_router *r = context;
	struct rip_iface *iface;
	int err;

	mutex_lock(&rip_mutex);
	err = rip_usable(r);
	if (!err && r->state == RIP_RUNNING)
		err = -EALREADY;
	if (!err) {
		r->state = RIP_RUNNING;
		r->completed = true;
		r->next_update = jiffies;
		r->next_trigger = jiffies;
		list_for_each_entry(iface, &r->ifaces, list) {
			rip_discard(iface);
			if (rip_iface_runs(iface) && !iface->passive)
				rip_ask(r, iface);
		}
		mod_delayed_work(rip_wq, &r->work, 0);
	}
	mutex_unlock(&rip_mutex);
	return err;
}

/* Stopping */

/*
 * Release everything that the router has: tell the neighbours that no route leads here, drop
 * the devices, and withdraw the routes. Must be called with r->control held.
 */
void rip_shut_down(struct rip_router *r, enum rip_state state)
{
	bool started;

	rtnl_lock();
	mutex_lock(&rip_mutex);
	started = r->state != RIP_STOPPED && r->state != RIP_DEAD;
	if (started) {
		r->state = RIP_STOPPING;
		if (r->completed) {
			rip_expire_all(r);
			rip_announce(r, true);
		}
		rip_free_ifaces(r);
	} else if (r->state != RIP_DEAD) {
		r->state = state;
	}
	mutex_unlock(&rip_mutex);
	rtnl_unlock();
	if (!started)
		return;
	rip_rtm_leave(r);
	mutex_lock(&rip_mutex);
	rip_free_routes(r);
	r->state = state;
	/* Not later: the manager may start the router again as soon as that is stopped. */
	if (r->stop_pending)
		rip_post(r, RRAS_ROUTER_STOPPED, 0, 0);
	r->stop_pending = false;
	mutex_unlock(&rip_mutex);
}

void rip_stop_work(struct work_struct *work)
{
	struct rip_router *r = container_of(work, struct rip_router, stop_work);

	mutex_lock(&r->control);
	rip_shut_down(r, RIP_STOPPED);
	mutex_unlock(&r->control);
}

/*
 * Stop. A router without interfaces has nothing to tell its neighbours, and stops at once. So
 * does a router that must not call its manager yet.
 */
int rip_stop(void *context)
{
	struct rip_router *r = context;
	bool idle;
	int err;

	mutex_lock(&rip_mutex);
	err = r->state == RIP_STOPPING ? -EBUSY : rip_usable(r);
	idle = list_empty(&r->ifaces) || !r->completed;
	if (!err) {
		r->state = RIP_STOPPING;
		r->stop_pending = !idle;
	}
	mutex_unlock(&rip_mutex);
	if (err)
		return err;
	if (!idle) {
		queue_work(rip_wq, &r->stop_work);
		return -EINPROGRESS;
	}
	mutex_lock(&r->control);
	rip_shut_down(r, RIP_STOPPED);
	mutex_unlock(&r->control);
	return 0;
}
