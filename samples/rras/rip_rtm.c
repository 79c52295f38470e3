// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other side of rip.ko: each router is a client of the routing table manager.
 *
 * A router has a slot, which holds the table manager of its namespace.
 *
 * The table manager may be loaded and unloaded at any time. When it leaves, it removes the
 * routes from the kernel's table. When one attaches, the router adds all of its routes again.
 *
 * Only the router's work item calls the table manager, and holds no lock meanwhile.
 */
#include "rip.h"

/* Note that the table manager has none of the routes. */
static void rip_rtm_resync(struct rip_router *r)
{
	struct rip_route *route;
	unsigned int bucket;

	mutex_lock(&rip_mutex);
	hash_for_each(r->routes, bucket, route, node) {
		route->in_rtm = false;
		list_move_tail(&route->dirty, &r->dirty);
	}
	mutex_unlock(&rip_mutex);
}

/*
 * A change that the table manager has to be told of.
 *
 * @new: the route, if @add is true
 * @old: the route that the table manager has, if @had is true
 */
struct rip_update {
	struct rtm_route	new;
	struct rtm_route	old;
	bool			add;
	bool			had;
};

/*
 * Take a route that the table manager has to be told of. Return: false if there is none. Routes to
 * connected networks are the kernel's.
 */
static bool rip_take_dirty(struct rip_router *r, struct rip_update *u)
{
	struct rip_route *route;

	mutex_lock(&rip_mutex);
	do {
		route = list_first_entry_or_null(&r->dirty, struct rip_route, dirty);
		if (!route)
			break;
		list_del_init(&route->dirty);
		u->had = route->in_rtm;
		u->old = route->rtm;
		u->add = route->from && route->metric < RIP_INFINITY;
		if (u->add)
			route->rtm = (struct rtm_route) {
				.dst.ip		= route->dst,
				.gateway.ip	= route->gateway,
				.ifindex	= route->ifindex,
				.metric		= route->metric,
				.plen		= route->plen,
			};
		u->new = route->rtm;
		route->in_rtm = u->add;
	} while (!u->add && !u->had);
	mutex_unlock(&rip_mutex);
	return route;
}

/* Note that the table manager could not add a route. The next update of it tries again. */
static void rip_add_failed(struct rip_router *r, const struct rtm_route *rtm)
{
	struct rip_route *route;

	mutex_lock(&rip_mutex);
	route = rip_find(r, rtm->dst.ip, rtm->plen);
	if (route)
		route->in_rtm = false;
	mutex_unlock(&rip_mutex);
}

/* Tell a table manager of all that has changed. A route replaces the one that it has. */
static void rip_rtm_tell(struct rip_router *r, const struct nmr_call *call)
{
	const struct rtm_dispatch *rtm = call->dispatch;
	struct rtm_change change;
	struct rip_update u;

	while (rip_take_dirty(r, &u)) {
		if (u.add && !rtm->add(call->context, &u.new, RTM_TTL_INFINITE, &change))
			continue;
		if (u.add)
			rip_add_failed(r, &u.new);
		/* The old route is not right any more, even if nothing replaces it. */
		if (u.had)
			rtm->del(call->context, &u.old, &change);
	}
}

/* Enter the table manager, if there is one. A new one has none of the routes, and gets them all. */
static bool rip_rtm_enter(struct rip_router *r, struct nmr_call *call)
{
	u64 id;

	if (!nmr_slot_enter(&r->rtm, call))
		return false;
	id = nmr_binding_id(call->binding);
	if (id != r->rtm_id)
		rip_rtm_resync(r);
	r->rtm_id = id;
	return true;
}

/*
 * Bring the table manager up to date, in the router's work item. If there is none, the routes
 * wait in the router. The work item runs each second at least, and finds a new one then. What
 * changes once the table manager has been told queues the work item again.
 */
void rip_rtm_push(struct rip_router *r)
{
	struct rip_update u;
	struct nmr_call call;

	if (rip_rtm_enter(r, &call)) {
		rip_rtm_tell(r, &call);
		nmr_slot_exit(&call);
		return;
	}
	while (rip_take_dirty(r, &u))
		rip_add_failed(r, &u.new);
}

static int rip_rtm_attach(struct nmr_binding *binding, void *client_context,
			  const struct nmr_registration_instance *provider)
{
	struct rip_router *r = client_context;

	r->rtm_error = nmr_client_attach_provider(binding, NULL, NULL);
	return r->rtm_error;
}

/* Test if the table manager has refused the router. It may have left, or have no memory now. */
static bool rip_rtm_refuses(const struct rip_router *r)
{
	return r->rtm_error && r->rtm_error != -ENODEV && r->rtm_error != -ECANCELED &&
	       r->rtm_error != -EPROBE_DEFER;
}

static const guid_t rip_rtm_id = NMR_GUID("79229eac-8c92-480e-ba17-734b5772190f");

/*
 * Register with the table manager. Return: 0, also if there is no table manager yet; -ENOMEM; -EIO:
 * it refused the router, because another protocol of this number is in the namespace.
 */
int rip_rtm_join(struct rip_router *r)
{
	const struct nmr_client_characteristics client = {
		.attach_provider = rip_rtm_attach,
		.slot		 = &r->rtm,
		.instance	 = {
			.npi_id		= &rtm_npi_id,
			.module_id	= &rip_rtm_id,
			.npi_specific	= &r->rtm_info,
		},
	};
	int err;

	r->rtm_info = (struct rtm_client_info) {
		.net		= r->net,
		.family		= AF_INET,
		.protocol	= RTPROT_RIP,
		.flags		= RTM_SINGLE_ROUTE,
	};
	r->rtm_error = 0;
	err = nmr_register_client(&client, r, &r->rtm_handle);
	if (err)
		return err == -ENOMEM ? err : -EIO;
	if (!rip_rtm_refuses(r))
		return 0;
	rip_rtm_leave(r);
	return -EIO;
}

/* Deregister. The table manager removes the routes before the function returns. */
void rip_rtm_leave(struct rip_router *r)
{
	nmr_deregister_client_sync(r->rtm_handle);
}
