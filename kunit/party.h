/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripted clients and providers, their bindings, and calls through these.
 *
 * nt_client() and nt_provider() make parties of a case, nt_register() registers them.
 * Every attempt to bind two of them leaves a &struct nt_binding, into which their
 * binding contexts point.
 *
 * A party is scripted point by point (&enum nt_point). The script has the value that
 * the party returns, a hook that runs inside the callback, and whether the callback
 * stops there until the test releases it. A test acts in such a window, then waits for
 * an event. No test sleeps to make sure.
 */
#ifndef _NMR_KUNIT_PARTY_H
#define _NMR_KUNIT_PARTY_H

#include <linux/atomic.h>
#include <linux/nmr.h>
#include <linux/sched.h>

#include "base.h"

/*
 * Where a script can step in. Client and provider alternate, see nt_side(). The last
 * two are the functions of the NPI, which the other side calls.
 */
enum nt_point {
	NT_C_ATTACH,		/* attach_provider, before it asks the provider */
	NT_P_ATTACH,		/* attach_client */
	NT_C_BOUND,		/* attach_provider again, with the provider's answer */
	NT_P_ATTACHED,		/* client_attached */
	NT_C_DETACH,
	NT_P_DETACH,
	NT_C_CLEANUP,
	NT_P_CLEANUP,
	NT_C_OP,		/* the provider calls the client */
	NT_P_OP,		/* the client calls the provider */
	NT_POINTS
};

const char *nt_point_name(enum nt_point point);

static inline enum nmr_side nt_side(enum nt_point point)
{
	return point & 1 ? NMR_PROVIDER : NMR_CLIENT;
}

static inline enum nmr_side nt_peer(enum nmr_side side)
{
	return side == NMR_CLIENT ? NMR_PROVIDER : NMR_CLIENT;
}

/* Return the reason for which a binding ends when a side leaves. */
static inline enum nmr_detach_reason nt_reason_of(enum nmr_side leaver)
{
	return leaver == NMR_CLIENT ? NMR_DETACH_CLIENT_DEREGISTERED :
				      NMR_DETACH_PROVIDER_DEREGISTERED;
}

struct nt_binding;

/*
 * @ret: the callback's return value, if not 0. At NT_C_BOUND, the return value of a
 *	 client that attached; a client returns the provider's refusal unchanged.
 * @first, @nfirst: the first @nfirst visits return @first instead
 * @hook: runs inside the callback. It is passed the callback's return value, and
 *	 returns the one to use instead. At NT_C_BOUND it is passed the result of
 *	 nmr_client_attach_provider(), also a refusal.
 * @held: stop here, after the hook, until nt_release(); see nt_step()
 */
struct nt_script {
	int ret;
	int first;
	int nfirst;
	int (*hook)(struct nt_binding *nb, int ret);
	bool held;
	atomic_t steps;
	atomic_t entered;
	atomic_t returned;
};

/* An NPI's dispatch table: both sides implement the same function. */
struct nt_dispatch {
	int (*op)(void *binding_context, int value);
};

/*
 * A client or a provider. A test may set the members up to @at before nt_register().
 *
 * @slot: the slot of a client, or NULL
 * @absent: BIT(point) of the optional callbacks that are left NULL
 * @never_asks: the client does not call nmr_client_attach_provider(), and returns from
 *	 NT_C_ATTACH what the script says, including 0
 * @null_context: the binding context is NULL (one such party a side and case)
 * @null_endpoint: the client passes no endpoint
 * @unwanted: the client does not want the provider's endpoint
 * @priv: private data of the test
 * @gone: the wait for the party has returned 0
 * @running: callbacks of the party that have not returned
 * @bindings: bindings from attach until cleanup
 */
struct nt_party {
	struct nt *nt;
	struct list_head node;
	enum nmr_side side;

	guid_t npi_id;
	guid_t module_id;
	u32 number;
	const void *npi_specific;
	u32 max_bindings;
	const struct nmr_slot *slot;
	unsigned long absent;
	bool never_asks;
	bool null_context;
	bool null_endpoint;
	bool unwanted;
	void *priv;
	struct nt_script at[NT_POINTS];

	struct nt_dispatch dispatch;
	union {
		u64 id;
		struct nmr_client_handle client;
		struct nmr_provider_handle provider;
	};
	bool registered;
	struct task_struct *registering;
	bool gone;
	atomic_t running;
	atomic_t bindings;
};

/* A binding context points to one of these. */
struct nt_end {
	struct nt_binding *nb;
	enum nmr_side side;
};

/*
 * An offer, and the binding that came of it.
 *
 * @end: the binding contexts, by side
 * @peer: the endpoint that each side was given by its peer
 * @seen: the peer's registration instance as each side's attach callback saw it
 * @when: sequence numbers of entry [0] and return [1] at each point; 0: never
 * @value: the return value at each point
 * @answer: the result of nmr_client_attach_provider(); NT_UNASKED if not called
 * @reason: the reason that each side's detach callback was given
 * @attacher: the task that ran the attach callbacks
 * @on_worker: that task is a worker
 * @calls: calls that each side has in flight, by nt_enter() or nt_call()
 * @kept: those of them that nt_enter() made
 * @pending: BIT(side): the side's detach callback returned -EINPROGRESS
 * @completed: BIT(side): the side has completed its detach
 */
struct nt_binding {
	struct nt *nt;
	struct list_head node;
	struct nmr_binding *b;
	u64 id;
	struct nt_party *party[NMR_SIDES];
	struct nt_end end[NMR_SIDES];
	struct nmr_endpoint peer[NMR_SIDES];
	struct {
		guid_t npi_id;
		guid_t module_id;
		u32 number;
		const void *npi_specific;
	} seen[NMR_SIDES];
	u32 when[NT_POINTS][2];
	int value[NT_POINTS];
	int answer;
	enum nmr_detach_reason reason[NMR_SIDES];
	struct task_struct *attacher;
	bool on_worker;
	atomic_t calls[NMR_SIDES];
	atomic_t kept[NMR_SIDES];
	atomic_t refs;
	unsigned long pending;
	unsigned long completed;
	bool over;
};

#define NT_UNASKED	1000

/* Make a party. The case ends if there is no memory. */
struct nt_party *nt_party(struct nt *nt, enum nmr_side side);
struct nt_party *nt_client(struct nt *nt);
struct nt_party *nt_provider(struct nt *nt);

/*
 * nt_register() may be called from any thread, and poisons the characteristics and the
 * GUIDs that it passed before it returns. nt_join_npi() also ends the case on failure.
 *
 * nt_wait() waits for deregistration, at most for NT_TIMEOUT. nt_wait_forever() has no
 * bound, and is for threads. Both check promise 7. nt_leave() deregisters and waits,
 * and records a failure if either fails.
 */
int nt_register(struct nt_party *party);
void nt_join_npi(struct nt_party *party);
int nt_deregister(struct nt_party *party);
int nt_wait_forever(struct nt_party *party);
int nt_wait(struct nt_party *party);
int nt_wait_timeout(struct nt_party *party, unsigned long timeout);
void nt_sync(struct nt_party *party);
int nt_reoffer(struct nt_party *party);
void nt_leave(struct nt_party *party);

/* Move two parties that are not registered yet to a new NPI of their own. */
void nt_move_to_new_npi(struct nt_party *party, struct nt_party *peer);

/* Register two parties, unless they are. Return: their binding, which has attached. */
struct nt_binding *nt_pair(struct nt *nt, struct nt_party *client,
			   struct nt_party *provider);

/* Find the newest binding of @client and @provider, where NULL stands for any. */
struct nt_binding *nt_find(struct nt *nt, struct nt_party *client,
			   struct nt_party *provider);

/* Find the newest binding of two parties, given in either order. */
struct nt_binding *nt_find_between(struct nt_party *party, struct nt_party *peer);

/* Count the offers that the registrar made to a pair. */
int nt_offers(struct nt_party *client, struct nt_party *provider);

/* Count a party's visits to a point, and its returns from there. */
static inline int nt_entered(struct nt_party *party, enum nt_point point)
{
	return atomic_read(&party->at[point].entered);
}

static inline int nt_returned(struct nt_party *party, enum nt_point point)
{
	return atomic_read(&party->at[point].returned);
}

static inline bool nt_was_at(struct nt_binding *nb, enum nt_point point)
{
	/* Pairs with the release in nt_note(). */
	return smp_load_acquire(&nb->when[point][0]);
}

static inline bool nt_has_left(struct nt_binding *nb, enum nt_point point)
{
	/* Pairs with the release in nt_note(). */
	return smp_load_acquire(&nb->when[point][1]);
}

/* Tell whether @a had returned when @b began. Return: false if either never happened. */
static inline bool nt_before(struct nt_binding *nb, enum nt_point a,
			     enum nt_point b)
{
	return nb->when[a][1] && nb->when[b][0] &&
	       nb->when[a][1] < nb->when[b][0];
}

/* Stop a party at a point; release one visitor; release all visitors. */
void nt_hold(struct nt_party *party, enum nt_point point);
void nt_step(struct nt_party *party, enum nt_point point);
void nt_release(struct nt_party *party, enum nt_point point);

/*
 * nt_call() calls through the peer's dispatch table, and returns false if the gate is
 * closed. It may be called from any context if the callee is neither held nor has a hook
 * that sleeps. nt_enter() and nt_exit() use the gate alone. The end of the case exits
 * the calls that the test left in flight.
 */
bool nt_call(struct nt_binding *nb, enum nmr_side caller);
bool nt_enter(struct nt_binding *nb, enum nmr_side caller);
void nt_exit(struct nt_binding *nb, enum nmr_side caller);

/* Tell whether a gate is open, without a trace in @calls. */
bool nt_open(struct nt_binding *nb, enum nmr_side caller);

/* Complete the detach of a side, unless it has been completed. */
void nt_complete(struct nt_binding *nb, enum nmr_side side);

/* Take a reference. The end of the case puts it if the test does not. */
void nt_get(struct nt_binding *nb);
void nt_put(struct nt_binding *nb);

/*
 * Wait until all work has begun that the registrar had queued before. A test then sees
 * that a pair is not offered again. Two parties of another NPI are deferred, re-offered,
 * attached and deregistered, twice over, which takes work, grace periods, and work again.
 */
void nt_settle(struct nt *nt);

/* Expect a binding to be detached, and not to be cleaned up yet. */
void nt_expect_draining(struct nt_binding *nb);

#endif /* _NMR_KUNIT_PARTY_H */
