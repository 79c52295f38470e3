/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The API of <linux/nmr.h> with the side as an argument, for tests that do the same to
 * clients and to providers.
 *
 * The handle of a registration is passed as its id.
 */
#ifndef _NMR_KUNIT_BY_SIDE_H
#define _NMR_KUNIT_BY_SIDE_H

#include <linux/nmr.h>

static inline bool by_side_enter(enum nmr_side caller, struct nmr_binding *binding)
{
	return caller == NMR_CLIENT ? nmr_client_call_enter(binding) :
				      nmr_provider_call_enter(binding);
}

static inline void by_side_exit(enum nmr_side caller, struct nmr_binding *binding)
{
	if (caller == NMR_CLIENT)
		nmr_client_call_exit(binding);
	else
		nmr_provider_call_exit(binding);
}

static inline void by_side_handover(enum nmr_side caller, struct nmr_binding *binding)
{
	if (caller == NMR_CLIENT)
		nmr_client_call_handover(binding);
	else
		nmr_provider_call_handover(binding);
}

static inline bool by_side_may_call_rcu(enum nmr_side caller, struct nmr_binding *binding)
{
	return caller == NMR_CLIENT ? nmr_client_may_call_rcu(binding) :
				      nmr_provider_may_call_rcu(binding);
}

static inline void by_side_complete(enum nmr_side side, struct nmr_binding *binding)
{
	if (side == NMR_CLIENT)
		nmr_client_detach_provider_complete(binding);
	else
		nmr_provider_detach_client_complete(binding);
}

static inline int by_side_deregister(enum nmr_side side, u64 id)
{
	return side == NMR_CLIENT ?
	       nmr_deregister_client((struct nmr_client_handle){ id }) :
	       nmr_deregister_provider((struct nmr_provider_handle){ id });
}

static inline int by_side_wait(enum nmr_side side, u64 id)
{
	struct nmr_client_handle client = { id };
	struct nmr_provider_handle provider = { id };

	return side == NMR_CLIENT ? nmr_wait_for_client_deregister_complete(client) :
				    nmr_wait_for_provider_deregister_complete(provider);
}

static inline int by_side_wait_timeout(enum nmr_side side, u64 id, unsigned long timeout)
{
	struct nmr_client_handle client = { id };
	struct nmr_provider_handle provider = { id };

	if (side == NMR_CLIENT)
		return nmr_wait_for_client_deregister_complete_timeout(client, timeout);
	return nmr_wait_for_provider_deregister_complete_timeout(provider, timeout);
}

static inline void by_side_sync(enum nmr_side side, u64 id)
{
	if (side == NMR_CLIENT)
		nmr_deregister_client_sync((struct nmr_client_handle){ id });
	else
		nmr_deregister_provider_sync((struct nmr_provider_handle){ id });
}

static inline int by_side_reoffer(enum nmr_side side, u64 id)
{
	return side == NMR_CLIENT ?
	       nmr_client_reoffer((struct nmr_client_handle){ id }) :
	       nmr_provider_reoffer((struct nmr_provider_handle){ id });
}

static inline int by_side_walk(enum nmr_side side, u64 id, nmr_call_fn *fn, void *arg)
{
	struct nmr_client_handle client = { id };
	struct nmr_provider_handle provider = { id };

	return side == NMR_CLIENT ? nmr_client_for_each_provider(client, fn, arg) :
				    nmr_provider_for_each_client(provider, fn, arg);
}

static inline int by_side_walk_rcu(enum nmr_side side, u64 id, nmr_call_fn *fn, void *arg)
{
	struct nmr_client_handle client = { id };
	struct nmr_provider_handle provider = { id };

	return side == NMR_CLIENT ? nmr_client_for_each_provider_rcu(client, fn, arg) :
				    nmr_provider_for_each_client_rcu(provider, fn, arg);
}

#endif /* _NMR_KUNIT_BY_SIDE_H */
