// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scripted clients and providers, and the checks in each of their callbacks.
 *
 * The callbacks write the records of bindings, in the order that the registrar calls
 * them, and tests read a record once the awaited event has happened.
 *
 * Locking: nt->lock for the lists and the log; it is never held across a callback.
 */
#include <linux/kernel.h>
#include <linux/slab.h>

#include "by_side.h"
#include "party.h"

#define NT_POISON	0xa5

/* A callback that runs, and its task. */
struct nt_frame {
	struct list_head node;
	struct task_struct *task;
};

static const char * const nt_point_names[NT_POINTS] = {
	[NT_C_ATTACH]	= "client attach",
	[NT_P_ATTACH]	= "provider attach",
	[NT_C_BOUND]	= "client bound",
	[NT_P_ATTACHED]	= "client_attached",
	[NT_C_DETACH]	= "client detach",
	[NT_P_DETACH]	= "provider detach",
	[NT_C_CLEANUP]	= "client cleanup",
	[NT_P_CLEANUP]	= "provider cleanup",
	[NT_C_OP]	= "client op",
	[NT_P_OP]	= "provider op",
};

/* The binding with a NULL context: at most one a side at a time. */
static struct nt_binding *nt_null_binding[NMR_SIDES];

const char *nt_point_name(enum nt_point point)
{
	return nt_point_names[point];
}

/* Record an event in the life of a binding, with its place in the order of all events. */
static void nt_note(struct nt_binding *nb, enum nt_point point, int phase,
		    int value)
{
	struct nt *nt = nb->nt;
	u32 seq = atomic_inc_return(&nt->seq);
	struct nt_event *event = &nt->log[seq % NT_EVENTS];
	unsigned long flags;

	WRITE_ONCE(nb->value[point], value);
	/* Pairs with nt_was_at() and nt_has_left(): readers of it see the value. */
	smp_store_release(&nb->when[point][phase], seq);
	if (nt->quiet)
		return;
	raw_spin_lock_irqsave(&nt->lock, flags);
	*event = (struct nt_event){
		.seq = seq, .point = point, .phase = phase, .binding = nb->id,
		.pid = current->pid, .value = value,
	};
	raw_spin_unlock_irqrestore(&nt->lock, flags);
}

/* Bindings */

static bool nt_attached(struct nt_binding *nb)
{
	return nt_has_left(nb, NT_C_ATTACH) && !nb->value[NT_C_ATTACH] &&
	       !nb->answer;
}

/* Match a binding, where NULL stands for any party. Must be called with nt->lock held. */
static bool nt_is_of(struct nt_binding *nb, struct nt_party *client,
		     struct nt_party *provider)
{
	return (!client || nb->party[NMR_CLIENT] == client) &&
	       (!provider || nb->party[NMR_PROVIDER] == provider);
}

struct nt_binding *nt_find(struct nt *nt, struct nt_party *client,
			   struct nt_party *provider)
{
	struct nt_binding *nb, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&nt->lock, flags);
	list_for_each_entry(nb, &nt->bindings, node) {
		if (nt_is_of(nb, client, provider)) {
			found = nb;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	return found;
}

struct nt_binding *nt_find_between(struct nt_party *party, struct nt_party *peer)
{
	return party->side == NMR_CLIENT ? nt_find(party->nt, party, peer) :
					   nt_find(party->nt, peer, party);
}

int nt_offers(struct nt_party *client, struct nt_party *provider)
{
	struct nt *nt = client->nt;
	struct nt_binding *nb;
	unsigned long flags;
	int offers = 0;

	raw_spin_lock_irqsave(&nt->lock, flags);
	list_for_each_entry(nb, &nt->bindings, node)
		offers += nt_is_of(nb, client, provider);
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	return offers;
}

/*
 * Find the record of a binding that attaches. Memory may be reused, so the newest record
 * with this address is the right one.
 */
static struct nt_binding *nt_find_attaching(struct nt *nt, struct nmr_binding *b)
{
	struct nt_binding *nb, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&nt->lock, flags);
	list_for_each_entry(nb, &nt->bindings, node) {
		if (nb->b == b) {
			found = nb;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	return found;
}

/* Find the provider that a client is offered: a module id and a number name a party. */
static struct nt_party *
nt_find_provider(struct nt *nt, const struct nmr_registration_instance *instance)
{
	struct nt_party *party, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&nt->lock, flags);
	list_for_each_entry(party, &nt->parties, node) {
		if (party->side == NMR_PROVIDER &&
		    party->number == instance->number &&
		    guid_equal(&party->module_id, instance->module_id) &&
		    guid_equal(&party->npi_id, instance->npi_id)) {
			found = party;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	return found;
}

static void nt_see(struct nt_binding *nb, enum nmr_side side,
		   const struct nmr_registration_instance *peer)
{
	guid_copy(&nb->seen[side].npi_id, peer->npi_id);
	guid_copy(&nb->seen[side].module_id, peer->module_id);
	nb->seen[side].number = peer->number;
	nb->seen[side].npi_specific = peer->npi_specific;
}

/* Check that a pair has one binding at a time, and a client at most max_bindings. */
static void nt_check_offer(struct nt_binding *nb)
{
	struct nt_party *client = nb->party[NMR_CLIENT];
	int bindings = atomic_inc_return(&client->bindings);
	u32 max = client->slot ? 1 : client->max_bindings;
	struct nt_binding *other;
	unsigned long flags;
	bool twice = false;

	if (max && bindings > max)
		nt_fail(nb->nt, "offer %llu: client has %d bindings of %u",
			nb->id, bindings, max);
	if (nb->nt->quiet)
		return;
	raw_spin_lock_irqsave(&nb->nt->lock, flags);
	list_for_each_entry(other, &nb->nt->bindings, node) {
		twice |= other != nb && !READ_ONCE(other->over) &&
			 other->party[NMR_CLIENT] == client &&
			 other->party[NMR_PROVIDER] == nb->party[NMR_PROVIDER];
	}
	raw_spin_unlock_irqrestore(&nb->nt->lock, flags);
	if (twice)
		nt_fail(nb->nt, "offer %llu: the pair has a binding", nb->id);
}

static struct nt_binding *
nt_new_binding(struct nt_party *client, struct nmr_binding *b,
	       const struct nmr_registration_instance *instance)
{
	struct nt *nt = client->nt;
	struct nt_binding *nb;
	enum nmr_side side;
	unsigned long flags;

	nb = kzalloc(sizeof(*nb), GFP_KERNEL | __GFP_NOFAIL);
	nb->nt = nt;
	nb->b = b;
	nb->id = nmr_binding_id(b);
	nb->answer = NT_UNASKED;
	nb->attacher = current;
	nb->on_worker = current->flags & PF_WQ_WORKER;
	nb->party[NMR_CLIENT] = client;
	nb->party[NMR_PROVIDER] = nt_find_provider(nt, instance);
	for (side = 0; side < NMR_SIDES; side++) {
		nb->end[side].nb = nb;
		nb->end[side].side = side;
	}
	nt_see(nb, NMR_CLIENT, instance);
	if (!nb->party[NMR_PROVIDER])
		nt_fail(nt, "offer %llu: the provider is unknown", nb->id);

	raw_spin_lock_irqsave(&nt->lock, flags);
	list_add(&nb->node, &nt->bindings);
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	nt_check_offer(nb);
	return nb;
}

static void *nt_context_of(struct nt_binding *nb, enum nmr_side side)
{
	struct nt_party *party = nb->party[side];

	if (!party->null_context && !party->null_endpoint)
		return &nb->end[side];
	nt_null_binding[side] = nb;
	return NULL;
}

/* Find the binding of a callback by its context, which also names the side. */
static struct nt_binding *nt_binding_of(void *context, enum nmr_side side)
{
	struct nt_end *end = context;

	if (!end)
		return nt_null_binding[side];
	if (end->side != side)
		nt_fail(end->nb->nt, "binding %llu: the context is that of the other side",
			end->nb->id);
	return end->nb;
}

/*
 * Tell whether this is the last callback of a binding. If both cleanup callbacks are
 * absent, no callback shows the end, so attach counts as the last one.
 */
static bool nt_is_last(struct nt_binding *nb, enum nt_point point)
{
	if (nb->answer)
		return point == NT_C_ATTACH;
	if (!(nb->party[NMR_PROVIDER]->absent & BIT(NT_P_CLEANUP)))
		return point == NT_P_CLEANUP;
	if (nb->value[NT_C_ATTACH] == 0 &&
	    !(nb->party[NMR_CLIENT]->absent & BIT(NT_C_CLEANUP)))
		return point == NT_C_CLEANUP;
	return point == NT_C_ATTACH;
}

/* All callbacks */

static void nt_begin(struct nt_binding *nb, enum nt_point point,
		     struct nt_frame *frame)
{
	struct nt_party *party = nb->party[nt_side(point)];
	struct nt *nt = nb->nt;
	unsigned long flags;

	might_sleep();
	nt_check(nt, !in_interrupt() && !irqs_disabled());
	nt_check(nt, nmr_binding_id(nb->b) == nb->id);
	/* The handle is set before the first callback. */
	nt_check(nt, party->id != 0);
	if (READ_ONCE(party->gone))
		nt_fail(nt, "binding %llu: %s after the wait has returned",
			nb->id, nt_point_names[point]);
	atomic_inc(&party->running);

	frame->task = current;
	raw_spin_lock_irqsave(&nt->lock, flags);
	list_add(&frame->node, &nt->frames);
	raw_spin_unlock_irqrestore(&nt->lock, flags);
}

static void nt_finish(struct nt_binding *nb, enum nt_point point, int value,
		      struct nt_frame *frame)
{
	struct nt_party *party = nb->party[nt_side(point)];
	struct nt *nt = nb->nt;
	unsigned long flags;

	raw_spin_lock_irqsave(&nt->lock, flags);
	list_del(&frame->node);
	raw_spin_unlock_irqrestore(&nt->lock, flags);

	WRITE_ONCE(nb->value[point], value);
	if (nt_is_last(nb, point)) {
		WRITE_ONCE(nb->over, true);
		atomic_dec(&nb->party[NMR_CLIENT]->bindings);
	}
	nt_note(nb, point, 1, value);
	atomic_dec(&party->running);
	atomic_inc(&party->at[point].returned);
	nt_kick(nt);
}

static bool nt_may_pass(struct nt_script *script)
{
	return !READ_ONCE(script->held) ||
	       atomic_dec_if_positive(&script->steps) >= 0;
}

/* Follow the script at a point. Return: the scripted value, or @ret if there is none. */
static int nt_visit(struct nt_binding *nb, enum nt_point point, int ret)
{
	struct nt_script *script = &nb->party[nt_side(point)]->at[point];
	int nth;

	/* nt_spawn_spinner() reads it once the visit can be seen. */
	if (READ_ONCE(script->held))
		WRITE_ONCE(nb->nt->held_on, raw_smp_processor_id());
	nth = atomic_inc_return(&script->entered);
	nt_note(nb, point, 0, ret);
	nt_kick(nb->nt);
	if (!ret)
		ret = nth <= script->nfirst ? script->first : script->ret;
	if (script->hook)
		ret = script->hook(nb, ret);
	if (READ_ONCE(script->held))
		wait_event(nb->nt->wait, nt_may_pass(script));
	return ret;
}

/* Attach */

static void nt_check_attach(struct nt_binding *nb, enum nt_point point)
{
	nt_check(nb->nt, !nt_was_at(nb, point));
	nt_check(nb->nt, current == nb->attacher);
	nt_check(nb->nt, !nt_open(nb, NMR_CLIENT));
	nt_check(nb->nt, !nt_open(nb, NMR_PROVIDER));
}

/* Check the result of nmr_client_attach_provider() against the provider's answer. */
static void nt_check_answer(struct nt_binding *nb, int answer)
{
	int said = nb->value[NT_P_ATTACH];

	if (!nt_was_at(nb, NT_P_ATTACH))
		nt_check(nb->nt, answer == -ECANCELED);
	else
		nt_check(nb->nt, answer == (said > 0 ? -ENODEV : said));
}

/* Check that outputs are written on success, and only then. */
static void nt_check_endpoint(struct nt_binding *nb,
			      const struct nmr_endpoint *theirs)
{
	struct nt_party *provider = nb->party[NMR_PROVIDER];
	struct nmr_endpoint untouched;

	memset(&untouched, NT_POISON, sizeof(untouched));
	if (nb->answer) {
		nt_check(nb->nt, !memcmp(theirs, &untouched, sizeof(untouched)));
		return;
	}
	nt_check(nb->nt, theirs->dispatch == &provider->dispatch);
	nt_check(nb->nt, theirs->binding_context ==
		 (provider->null_context ? NULL : &nb->end[NMR_PROVIDER]));
}

static int nt_ask(struct nt_binding *nb)
{
	struct nt_party *client = nb->party[NMR_CLIENT];
	struct nmr_endpoint mine = {
		.binding_context = nt_context_of(nb, NMR_CLIENT),
		.dispatch = &client->dispatch,
	};
	struct nmr_endpoint theirs;
	int ret;

	memset(&theirs, NT_POISON, sizeof(theirs));
	nb->answer = nmr_client_attach_provider(nb->b,
						client->null_endpoint ? NULL : &mine,
						client->unwanted ? NULL : &theirs);
	nt_check_answer(nb, nb->answer);
	if (!client->unwanted)
		nt_check_endpoint(nb, &theirs);
	if (!nb->answer && !client->unwanted)
		nb->peer[NMR_CLIENT] = theirs;
	nt_check(nb->nt, !nt_open(nb, NMR_PROVIDER));

	ret = nt_visit(nb, NT_C_BOUND, nb->answer);
	nt_note(nb, NT_C_BOUND, 1, ret);
	atomic_inc(&client->at[NT_C_BOUND].returned);
	nt_kick(nb->nt);
	return ret;
}

static int nt_attach_provider(struct nmr_binding *b, void *client_context,
			      const struct nmr_registration_instance *provider)
{
	struct nt_party *client = client_context;
	struct nt_binding *nb = nt_new_binding(client, b, provider);
	struct nt_frame frame;
	int ret;

	if (!nb->party[NMR_PROVIDER])
		return -ENODEV;
	nt_begin(nb, NT_C_ATTACH, &frame);
	nt_check_attach(nb, NT_C_ATTACH);
	nt_check(nb->nt, current->flags & PF_WQ_WORKER ||
		 current == READ_ONCE(client->registering) ||
		 current == READ_ONCE(nb->party[NMR_PROVIDER]->registering));
	ret = nt_visit(nb, NT_C_ATTACH, 0);
	if (!ret && !client->never_asks)
		ret = nt_ask(nb);
	nt_finish(nb, NT_C_ATTACH, ret, &frame);
	return ret;
}

static void nt_check_client(struct nt_binding *nb, const struct nmr_endpoint *client)
{
	struct nt_party *party = nb->party[NMR_CLIENT];
	const void *context = &nb->end[NMR_CLIENT];

	if (!nt_check(nb->nt, client))
		return;
	if (party->null_context || party->null_endpoint)
		context = NULL;
	nt_check(nb->nt, client->binding_context == context);
	nt_check(nb->nt, client->dispatch ==
		 (party->null_endpoint ? NULL : &party->dispatch));
}

static int nt_attach_client(struct nmr_binding *b, void *provider_context,
			    const struct nmr_registration_instance *instance,
			    const struct nmr_endpoint *client,
			    struct nmr_endpoint *provider)
{
	struct nt_party *party = provider_context;
	struct nt_binding *nb = nt_find_attaching(party->nt, b);
	struct nt_frame frame;
	int ret;

	if (!nt_check(party->nt, nb))
		return -ENODEV;
	nb->party[NMR_PROVIDER] = party;
	nt_begin(nb, NT_P_ATTACH, &frame);
	nt_check_attach(nb, NT_P_ATTACH);
	nt_check_client(nb, client);
	nt_see(nb, NMR_PROVIDER, instance);
	nb->peer[NMR_PROVIDER] = *client;
	provider->binding_context = nt_context_of(nb, NMR_PROVIDER);
	provider->dispatch = &party->dispatch;
	ret = nt_visit(nb, NT_P_ATTACH, 0);
	nt_finish(nb, NT_P_ATTACH, ret, &frame);
	return ret;
}

static void nt_client_attached(void *provider_binding_context)
{
	struct nt_binding *nb = nt_binding_of(provider_binding_context,
					      NMR_PROVIDER);
	struct nt_frame frame;

	nt_begin(nb, NT_P_ATTACHED, &frame);
	nt_check(nb->nt, !nt_was_at(nb, NT_P_ATTACHED));
	nt_check(nb->nt, current == nb->attacher);
	nt_check(nb->nt, nt_attached(nb));
	nt_check(nb->nt, !nt_was_at(nb, NT_C_DETACH));
	nt_check(nb->nt, !nt_was_at(nb, NT_P_DETACH));
	nt_visit(nb, NT_P_ATTACHED, 0);
	nt_finish(nb, NT_P_ATTACHED, 0, &frame);
}

/* Detach */

/* Check that detach and cleanup run on a worker, and inside no other callback. */
static void nt_check_worker(struct nt_binding *nb)
{
	struct nt_frame *frame;
	unsigned long flags;
	int depth = 0;

	nt_check(nb->nt, current->flags & PF_WQ_WORKER);
	raw_spin_lock_irqsave(&nb->nt->lock, flags);
	list_for_each_entry(frame, &nb->nt->frames, node)
		depth += frame->task == current;
	raw_spin_unlock_irqrestore(&nb->nt->lock, flags);
	nt_check(nb->nt, depth == 1);
}

static bool nt_has(struct nt_binding *nb, enum nt_point point)
{
	return !(nb->party[nt_side(point)]->absent & BIT(point));
}

static void nt_check_detach(struct nt_binding *nb, enum nmr_side side,
			    enum nmr_detach_reason reason)
{
	struct nt *nt = nb->nt;

	nt_check_worker(nb);
	nt_check(nt, !nt_was_at(nb, NT_C_DETACH + side));
	nt_check(nt, nt_has_left(nb, NT_C_ATTACH));
	nt_check(nt, nt_has_left(nb, NT_P_ATTACHED) ||
		 !nt_was_at(nb, NT_P_ATTACHED));
	nt_check(nt, nb->answer == 0);
	nt_check(nt, !nt_open(nb, NMR_CLIENT));
	nt_check(nt, !nt_open(nb, NMR_PROVIDER));
	if (side == NMR_CLIENT) {
		nt_check(nt, nt_attached(nb));
		nt_check(nt, reason != NMR_DETACH_ATTACH_FAILED);
	} else if (nt_attached(nb) && nt_has(nb, NT_C_DETACH)) {
		nt_check(nt, nt_has_left(nb, NT_C_DETACH));
		nt_check(nt, reason == nb->reason[NMR_CLIENT]);
	}
}

static int nt_detach(void *context, enum nmr_detach_reason reason,
		     enum nmr_side side)
{
	enum nt_point point = NT_C_DETACH + side;
	struct nt_binding *nb = nt_binding_of(context, side);
	struct nt_frame frame;
	int ret;

	nt_begin(nb, point, &frame);
	nt_check_detach(nb, side, reason);
	nb->reason[side] = reason;
	ret = nt_visit(nb, point, 0);
	if (ret == -EINPROGRESS && READ_ONCE(nb->nt->stopping))
		ret = test_bit(side, &nb->completed) ? ret : 0;
	if (ret == -EINPROGRESS)
		set_bit(side, &nb->pending);
	nt_finish(nb, point, ret, &frame);
	return ret;
}

static int nt_detach_provider(void *client_binding_context,
			      enum nmr_detach_reason reason)
{
	return nt_detach(client_binding_context, reason, NMR_CLIENT);
}

static int nt_detach_client(void *provider_binding_context,
			    enum nmr_detach_reason reason)
{
	return nt_detach(provider_binding_context, reason, NMR_PROVIDER);
}

/* Cleanup */

static void nt_check_detached(struct nt_binding *nb, enum nmr_side side)
{
	enum nt_point point = NT_C_DETACH + side;
	bool called = side == NMR_PROVIDER || nt_attached(nb);

	nt_check(nb->nt, atomic_read(&nb->calls[side]) == 0);
	if (!called || !nt_has(nb, point))
		return;
	nt_check(nb->nt, nt_has_left(nb, point));
	nt_check(nb->nt, nb->value[point] != -EINPROGRESS ||
		 test_bit(side, &nb->completed));
}

static void nt_cleanup(void *context, enum nmr_side side)
{
	enum nt_point point = NT_C_CLEANUP + side;
	struct nt_binding *nb = nt_binding_of(context, side);
	struct nt *nt = nb->nt;
	struct nt_frame frame;

	nt_begin(nb, point, &frame);
	nt_check_worker(nb);
	nt_check(nt, !nt_was_at(nb, point));
	nt_check(nt, nb->answer == 0);
	nt_check_detached(nb, NMR_CLIENT);
	nt_check_detached(nb, NMR_PROVIDER);
	nt_check(nt, side == NMR_PROVIDER || nt_attached(nb));
	if (side == NMR_PROVIDER && nt_attached(nb) && nt_has(nb, NT_C_CLEANUP))
		nt_check(nt, nt_has_left(nb, NT_C_CLEANUP));
	nt_visit(nb, point, 0);
	nt_finish(nb, point, 0, &frame);
}

static void nt_cleanup_client(void *client_binding_context)
{
	nt_cleanup(client_binding_context, NMR_CLIENT);
}

static void nt_cleanup_provider(void *provider_binding_context)
{
	nt_cleanup(provider_binding_context, NMR_PROVIDER);
}

/* Calls */

/* Check that the callee has attached, and that no cleanup callback has begun. */
static void nt_check_call(struct nt_binding *nb, enum nmr_side callee)
{
	if (callee == NMR_CLIENT)
		nt_check(nb->nt, nt_attached(nb));
	else
		nt_check(nb->nt, nt_has_left(nb, NT_P_ATTACH));
	nt_check(nb->nt, !nt_was_at(nb, NT_C_CLEANUP));
	nt_check(nb->nt, !nt_was_at(nb, NT_P_CLEANUP));
}

static int nt_op(void *context, int value, enum nmr_side callee)
{
	struct nt_binding *nb = nt_binding_of(context, callee);
	enum nt_point point = NT_C_OP + callee;
	int ret;

	nt_check_call(nb, callee);
	ret = nt_visit(nb, point, 0);
	nt_check_call(nb, callee);
	nt_note(nb, point, 1, ret);
	atomic_inc(&nb->party[callee]->at[point].returned);
	nt_kick(nb->nt);
	return value + 1;
}

static int nt_client_op(void *client_binding_context, int value)
{
	return nt_op(client_binding_context, value, NMR_CLIENT);
}

static int nt_provider_op(void *provider_binding_context, int value)
{
	return nt_op(provider_binding_context, value, NMR_PROVIDER);
}

bool nt_open(struct nt_binding *nb, enum nmr_side caller)
{
	if (!by_side_enter(caller, nb->b))
		return false;
	by_side_exit(caller, nb->b);
	return true;
}

/* Enter, and check that no call can enter any more when a detach callback runs. */
static bool nt_count_enter(struct nt_binding *nb, enum nmr_side caller)
{
	bool closed = nt_was_at(nb, NT_C_DETACH) || nt_was_at(nb, NT_P_DETACH);

	/* Order the reads above before the test of the gate. */
	smp_mb();
	if (!by_side_enter(caller, nb->b))
		return false;
	atomic_inc(&nb->calls[caller]);
	nt_check(nb->nt, !closed);
	return true;
}

static void nt_count_exit(struct nt_binding *nb, enum nmr_side caller)
{
	atomic_dec(&nb->calls[caller]);
	by_side_exit(caller, nb->b);
}

bool nt_enter(struct nt_binding *nb, enum nmr_side caller)
{
	if (!nt_count_enter(nb, caller))
		return false;
	/* The task of the test may wait while the call is in flight. */
	by_side_handover(caller, nb->b);
	atomic_inc(&nb->kept[caller]);
	return true;
}

void nt_exit(struct nt_binding *nb, enum nmr_side caller)
{
	if (atomic_dec_if_positive(&nb->kept[caller]) >= 0)
		nt_count_exit(nb, caller);
}

bool nt_call(struct nt_binding *nb, enum nmr_side caller)
{
	const struct nt_dispatch *dispatch;

	if (!nt_count_enter(nb, caller))
		return false;
	dispatch = READ_ONCE(nb->peer[caller].dispatch);
	if (dispatch)
		nt_check(nb->nt,
			 dispatch->op(nb->peer[caller].binding_context, 41) == 42);
	nt_count_exit(nb, caller);
	return dispatch;
}

void nt_complete(struct nt_binding *nb, enum nmr_side side)
{
	if (!test_and_set_bit(side, &nb->completed))
		by_side_complete(side, nb->b);
}

void nt_get(struct nt_binding *nb)
{
	nmr_binding_get(nb->b);
	atomic_inc(&nb->refs);
}

void nt_put(struct nt_binding *nb)
{
	if (atomic_dec_if_positive(&nb->refs) >= 0)
		nmr_binding_put(nb->b);
}

/* Parties */

struct nt_party *nt_party(struct nt *nt, enum nmr_side side)
{
	struct nt_party *party;
	unsigned long flags;

	party = kzalloc(sizeof(*party), GFP_KERNEL | __GFP_NOFAIL);
	party->nt = nt;
	party->side = side;
	guid_copy(&party->npi_id, &nt->npi_id);
	guid_gen(&party->module_id);
	party->dispatch.op = side == NMR_CLIENT ? nt_client_op : nt_provider_op;

	raw_spin_lock_irqsave(&nt->lock, flags);
	list_add_tail(&party->node, &nt->parties);
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	return party;
}

struct nt_party *nt_client(struct nt *nt)
{
	return nt_party(nt, NMR_CLIENT);
}

struct nt_party *nt_provider(struct nt *nt)
{
	return nt_party(nt, NMR_PROVIDER);
}

static int nt_register_client(struct nt_party *party,
			      const struct nmr_registration_instance *instance)
{
	struct nmr_client_characteristics c = {
		.attach_provider = nt_attach_provider,
		.instance = *instance,
		.max_bindings = party->max_bindings,
		.slot = party->slot,
	};
	int ret;

	if (!(party->absent & BIT(NT_C_DETACH)))
		c.detach_provider = nt_detach_provider;
	if (!(party->absent & BIT(NT_C_CLEANUP)))
		c.cleanup_binding_context = nt_cleanup_client;
	ret = nmr_register_client(&c, party, &party->client);
	memset(&c, NT_POISON, sizeof(c));
	barrier_data(&c);
	return ret;
}

static int nt_register_provider(struct nt_party *party,
				const struct nmr_registration_instance *instance)
{
	struct nmr_provider_characteristics c = {
		.attach_client = nt_attach_client,
		.instance = *instance,
	};
	int ret;

	if (!(party->absent & BIT(NT_P_ATTACHED)))
		c.client_attached = nt_client_attached;
	if (!(party->absent & BIT(NT_P_DETACH)))
		c.detach_client = nt_detach_client;
	if (!(party->absent & BIT(NT_P_CLEANUP)))
		c.cleanup_binding_context = nt_cleanup_provider;
	ret = nmr_register_provider(&c, party, &party->provider);
	memset(&c, NT_POISON, sizeof(c));
	barrier_data(&c);
	return ret;
}

int nt_register(struct nt_party *party)
{
	guid_t ids[2];
	struct nmr_registration_instance instance = {
		.npi_id = &ids[0],
		.module_id = &ids[1],
		.number = party->number,
		.npi_specific = party->npi_specific,
	};
	int ret;

	guid_copy(&ids[0], &party->npi_id);
	guid_copy(&ids[1], &party->module_id);
	WRITE_ONCE(party->registered, true);
	WRITE_ONCE(party->registering, current);
	if (party->side == NMR_CLIENT)
		ret = nt_register_client(party, &instance);
	else
		ret = nt_register_provider(party, &instance);
	WRITE_ONCE(party->registering, NULL);
	memset(ids, NT_POISON, sizeof(ids));
	barrier_data(ids);
	if (ret)
		WRITE_ONCE(party->registered, false);
	return ret;
}

void nt_join_npi(struct nt_party *party)
{
	KUNIT_ASSERT_EQ(party->nt->test, nt_register(party), 0);
}

int nt_deregister(struct nt_party *party)
{
	return by_side_deregister(party->side, party->id);
}

int nt_reoffer(struct nt_party *party)
{
	return by_side_reoffer(party->side, party->id);
}

/* Check promises 5 and 7: no callback runs, and no binding is left. */
static void nt_check_gone(struct nt_party *party)
{
	struct nt *nt = party->nt;
	struct nt_binding *nb;
	unsigned long flags;
	u64 left = 0;

	nt_check(nt, atomic_read(&party->running) == 0);
	WRITE_ONCE(party->gone, true);
	if (nt->quiet)
		return;
	raw_spin_lock_irqsave(&nt->lock, flags);
	list_for_each_entry(nb, &nt->bindings, node) {
		if (nb->party[party->side] == party && !READ_ONCE(nb->over))
			left = nb->id;
	}
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	if (left)
		nt_fail(nt, "binding %llu is left after the wait", left);
}

int nt_wait_timeout(struct nt_party *party, unsigned long timeout)
{
	int ret = by_side_wait_timeout(party->side, party->id, timeout);

	if (!ret)
		nt_check_gone(party);
	return ret;
}

int nt_wait_forever(struct nt_party *party)
{
	int ret = by_side_wait(party->side, party->id);

	if (!ret)
		nt_check_gone(party);
	return ret;
}

int nt_wait(struct nt_party *party)
{
	return nt_wait_timeout(party, NT_TIMEOUT);
}

void nt_sync(struct nt_party *party)
{
	by_side_sync(party->side, party->id);
}

void nt_leave(struct nt_party *party)
{
	nt_check(party->nt, nt_deregister(party) == -EINPROGRESS);
	nt_check(party->nt, nt_wait(party) == 0);
}

void nt_move_to_new_npi(struct nt_party *party, struct nt_party *peer)
{
	guid_gen(&party->npi_id);
	guid_copy(&peer->npi_id, &party->npi_id);
}

struct nt_binding *nt_pair(struct nt *nt, struct nt_party *client,
			   struct nt_party *provider)
{
	struct nt_binding *nb;

	if (!client->registered)
		nt_join_npi(client);
	if (!provider->registered)
		nt_join_npi(provider);
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(nt->test, nb);
	KUNIT_ASSERT_TRUE(nt->test, nt_attached(nb));
	return nb;
}

void nt_hold(struct nt_party *party, enum nt_point point)
{
	WRITE_ONCE(party->at[point].held, true);
}

void nt_step(struct nt_party *party, enum nt_point point)
{
	atomic_inc(&party->at[point].steps);
	nt_kick(party->nt);
}

void nt_release(struct nt_party *party, enum nt_point point)
{
	WRITE_ONCE(party->at[point].held, false);
	nt_kick(party->nt);
}

void nt_settle(struct nt *nt)
{
	struct nt_party *client, *provider;
	int i;

	for (i = 0; i < 2; i++) {
		client = nt_client(nt);
		provider = nt_provider(nt);
		nt_move_to_new_npi(client, provider);
		client->at[NT_C_ATTACH].first = -EPROBE_DEFER;
		client->at[NT_C_ATTACH].nfirst = 1;
		nt_join_npi(client);
		nt_join_npi(provider);
		KUNIT_ASSERT_EQ(nt->test, nt_reoffer(client), 0);
		nt_await(nt, nt_returned(client, NT_C_ATTACH) == 2);
		nt_leave(provider);
		nt_leave(client);
	}
}

void nt_expect_draining(struct nt_binding *nb)
{
	nt_await(nb->nt, nt_has_left(nb, NT_P_DETACH));
	nt_settle(nb->nt);
	KUNIT_EXPECT_FALSE(nb->nt->test, nt_was_at(nb, NT_C_CLEANUP));
	KUNIT_EXPECT_FALSE(nb->nt->test, nt_was_at(nb, NT_P_CLEANUP));
}
