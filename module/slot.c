// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Slots of clients
 *
 * A slot has static counts of calls, so that nmr_slot_enter() counts with one instruction that
 * needs no pointer. The client's gate of each binding uses these counts (see nmr_gate_use()):
 * calls through the slot, and calls that enter the binding, are counted in one place. A slot
 * serves one binding at a time. Its client has max_bindings 1, so the next binding begins when
 * the previous one has finished.
 *
 * **Enter** counts first, and looks at *open* afterwards. If the slot is not open, the caller
 * backs out: it exits as a call would. If the slot is open, the call is in flight, and the slot
 * does not change until it exits.
 *
 * **A binding that closes** clears *open* under nmr_lock, so no call enters afterwards. Then
 * its counts are taken as those of any gate. A caller that has counted but not yet looked at
 * *open* is among the calls that are taken, and the binding waits until it has backed out.
 * *Binding* says which binding the counts belong to: a late exit, and a caller that backs out
 * late, subtract from the *draining* of that binding. It changes only while no gate uses the
 * counts. If a caller counts before that and looks afterwards, it enters the next
 * binding, and the counts, which have been open all the time, belong to that binding.
 *
 * **Before a binding and after it**, the counts are open or closed. Enter returns false in both
 * cases.
 */
/*
 * Locking: nmr_lock while a slot is filled or emptied. The claim is an atomic bit. Enter and
 * exit take no lock.
 */

#include <linux/bitops.h>

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
void nmr_slot_release(struct nmr_registration *client)
{
	if (!client->slot)
		return;
	WRITE_ONCE(client->slot->state->client, 0);
	clear_bit_unlock(0, &client->slot->state->claimed);
}

/* Let tasks that wait for the slot find @client. */
void nmr_slot_publish(struct nmr_registration *client)
{
	if (client->slot)
		WRITE_ONCE(client->slot->state->client, client->id);
}

/* Have the client's gate of @b, which has not opened yet, use the counts of the slot. */
void nmr_slot_prepare(struct nmr_binding *b)
{
	const struct nmr_slot *slot = b->reg[NMR_CLIENT]->slot;

	if (!slot)
		return;
	WRITE_ONCE(slot->state->binding, b);
	nmr_gate_use(&b->gates, NMR_CLIENT, slot->calls);
}

/* Fill the slot of the client, as @b has attached. */
void nmr_slot_fill(struct nmr_binding *b)
{
	const struct nmr_slot *slot = b->reg[NMR_CLIENT]->slot;

	lockdep_assert_held(&nmr_lock);
	if (!slot)
		return;
	slot->state->provider = b->end[NMR_PROVIDER];
	/* Pairs with smp_load_acquire() in nmr_slot_enter(). */
	smp_store_release(&slot->state->open, true);
}

/* Empty the slot of the client, as @b closes. */
void nmr_slot_empty(struct nmr_binding *b)
{
	const struct nmr_slot *slot = b->reg[NMR_CLIENT]->slot;

	lockdep_assert_held(&nmr_lock);
	if (slot)
		WRITE_ONCE(slot->state->open, false);
}

/* Have the slot forget @b, which has drained. */
void nmr_slot_forget(struct nmr_binding *b)
{
	const struct nmr_slot *slot = b->reg[NMR_CLIENT]->slot;

	lockdep_assert_held(&nmr_lock);
	if (slot && slot->state->binding == b)
		WRITE_ONCE(slot->state->binding, NULL);
}

/* Account for the exit of a call from a slot. Its counts have been closed meanwhile. */
void __nmr_slot_exit_closed(const struct nmr_slot *slot)
{
	struct nmr_binding *b = READ_ONCE(slot->state->binding);

	if (!WARN_ONCE(!b, "nmr: a call exits an empty slot, which it has not entered\n"))
		__nmr_gate_exit_closed(b, NMR_CLIENT);
}
EXPORT_SYMBOL_NMR(__nmr_slot_exit_closed);

/* Exit, after nmr_slot_enter() has counted a call and has found the slot empty. */
void __nmr_slot_back_out(const struct nmr_slot *slot)
{
	if (__nmr_count_exit(slot->calls))
		__nmr_slot_exit_closed(slot);
}
EXPORT_SYMBOL_NMR(__nmr_slot_back_out);
