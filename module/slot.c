// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Slots of clients
 *
 * A slot has counts of calls that outlive its bindings, so nmr_slot_enter() counts without a
 * pointer to a binding. If the slot is static, their address is a constant. While a binding is
 * in the slot, these counts count for the client, beside the binding's own counts (see "Gates").
 * A slot serves one binding at a time. Its client has max_bindings 1, so the next binding begins
 * when the previous one has finished.
 *
 * nmr_slot_publish() and nmr_slot_release() begin and end the time of a client.
 * nmr_slot_fill() fills the slot when a binding has attached. nmr_slot_empty() empties it when
 * a binding closes, also a binding that never filled it. Each nmr_slot_x() is a wrapper in
 * binding.h, which calls __nmr_slot_x() if the client has a slot.
 *
 * **Enter** counts first, and looks at *open* afterwards. If the slot is not open, the caller
 * backs out: it exits as a call would. If the slot is open, the call is in flight, and
 * *binding* and *provider* do not change until it exits.
 *
 * **A binding that closes** clears *open* under nmr_lock. Then the counts are taken as those
 * of a gate. A caller that has counted, and that has not yet looked at *open* or still finds
 * it set, is among the calls that are taken: the binding waits until that caller has exited.
 * *Binding* says which binding the counts belong to: a late exit, and a caller that backs out
 * late, subtract from the *draining* of that binding. nmr_slot_prepare() writes *binding*
 * before the counts open, and nmr_slot_forget() clears it after the binding has drained.
 *
 * **While the slot is not filled** enter returns false. The counts are closed from the time
 * when a binding closes them until the next binding prepares the slot, and open otherwise. If
 * a caller counts in open counts before a binding is there, and looks afterwards, it enters
 * that binding. The counts have been open all the time, so the binding takes that call with
 * the others.
 */
/*
 * Locking: nmr_lock while a slot is filled or emptied. nmr_slot_prepare() takes no lock, because
 * one binding at a time uses a slot. The claim is an atomic bit. Enter and exit take no lock.
 */

#include <linux/bitops.h>
#include <linux/rcupdate.h>

#include "binding.h"

/* Claim @slot, which may be NULL, for @client. Return: 0, or -EBUSY: another client has it. */
int nmr_slot_claim(struct nmr_registration *client, const struct nmr_slot *slot)
{
	if (!slot)
		return 0;
	if (test_and_set_bit_lock(0, &slot->state->claimed))
		return -EBUSY;
	client->slot = slot;
	return 0;
}

/* Give up the slot of @client. Its module may free the slot afterwards. */
void __nmr_slot_release(struct nmr_registration *client)
{
	RCU_INIT_POINTER(client->slot->state->client, NULL);
	clear_bit_unlock(0, &client->slot->state->claimed);
}

/* Let tasks that wait for the slot find @client. */
void __nmr_slot_publish(struct nmr_registration *client)
{
	rcu_assign_pointer(client->slot->state->client, client);
}

/* Find the client that has @slot. Return: it, with a reference, or NULL. */
struct nmr_registration *nmr_slot_client(const struct nmr_slot *slot)
{
	struct nmr_registration *client;

	rcu_read_lock();
	client = rcu_dereference(slot->state->client);
	if (client && !refcount_inc_not_zero(&client->refs))
		client = NULL;
	rcu_read_unlock();
	return client;
}

/* Have the counts of the slot count for @b. The gates of @b are closed. */
void __nmr_slot_prepare(struct nmr_binding *b)
{
	const struct nmr_slot *slot = b->reg[NMR_CLIENT]->slot;

	WRITE_ONCE(slot->state->binding, b);
	nmr_gates_add_slot(&b->gates, slot->calls);
}

/* Fill the slot of the client, as @b has attached. */
void __nmr_slot_fill(struct nmr_binding *b)
{
	const struct nmr_slot *slot = b->reg[NMR_CLIENT]->slot;

	lockdep_assert_held(&nmr_lock);
	slot->state->provider = b->end[NMR_PROVIDER];
	/* Pairs with smp_load_acquire() in __nmr_slot_enter(). */
	smp_store_release(&slot->state->open, true);
}

/* Empty the slot of the client, as @b closes. */
void __nmr_slot_empty(struct nmr_binding *b)
{
	const struct nmr_slot *slot = b->reg[NMR_CLIENT]->slot;

	lockdep_assert_held(&nmr_lock);
	WRITE_ONCE(slot->state->open, false);
}

/* Have the slot forget @b, which has drained. */
void __nmr_slot_forget(struct nmr_binding *b)
{
	const struct nmr_slot *slot = b->reg[NMR_CLIENT]->slot;

	lockdep_assert_held(&nmr_lock);
	if (slot->state->binding == b)
		WRITE_ONCE(slot->state->binding, NULL);
}

/*
 * Account for the exit of a call from a slot. The counts of the slot were closed after the call
 * entered. The RCU read-side critical section is for an exit that is misuse: the binding may
 * have finished.
 */
void __nmr_slot_exit_closed(const struct nmr_slot *slot)
{
	struct nmr_binding *b;

	rcu_read_lock();
	b = READ_ONCE(slot->state->binding);
	if (!WARN_ONCE(!b, "nmr: a call exits an empty slot, which it has not entered\n"))
		__nmr_gate_exit_closed(b, NMR_CLIENT);
	rcu_read_unlock();
}
EXPORT_SYMBOL_NMR(__nmr_slot_exit_closed);

/* Exit, after nmr_slot_enter() has counted a call and has found the slot empty. */
void __nmr_slot_back_out(const struct nmr_slot *slot)
{
	if (__nmr_count_exit(slot->calls))
		__nmr_slot_exit_closed(slot);
}
EXPORT_SYMBOL_NMR(__nmr_slot_back_out);
