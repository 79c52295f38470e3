/* SPDX-License-Identifier: GPL-2.0-only */
/* Call gates: see gate.c. They know nothing of bindings. */
#ifndef _NMR_GATE_H
#define _NMR_GATE_H

#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/nmr.h>
#include <linux/percpu-defs.h>

struct nmr_chunk;

/* The calls in flight of each side, as far as they were counted on one CPU */
struct nmr_calls {
	s64 count[NMR_SIDES];
} __aligned(sizeof(s64));

/*
 * The gates of a binding: gate[NMR_CLIENT] counts the calls that the client makes. On 64-bit
 * machines they fill the first cache line of a binding. Nothing in that line is written while
 * the binding is attached.
 */
struct nmr_gates {
	struct nmr_gate		gate[NMR_SIDES];	/* all that a call reads */
	struct nmr_calls __percpu *calls;		/* where open gates lead */
	struct nmr_chunk	*chunk;			/* owns @calls */
	s64 __percpu		*slot;			/* more calls of the client, or NULL */
	atomic64_t		draining[NMR_SIDES];	/* calls in flight, after closing */
	struct llist_node	batch;			/* links gates that close together */
};

int nmr_gates_alloc(struct nmr_gates *g);
void nmr_gates_free(struct nmr_gates *g);
void nmr_gates_exit(void);

void nmr_gates_add_slot(struct nmr_gates *g, s64 __percpu *count);
void nmr_gate_open(struct nmr_gates *g, enum nmr_side caller);
void nmr_gate_close(struct nmr_gates *g, enum nmr_side caller);
struct llist_node *nmr_gates_take_batch(struct llist_node *first);
s64 nmr_gate_fold(struct nmr_gates *g, enum nmr_side caller);
s64 nmr_gate_exit(struct nmr_gates *g, enum nmr_side caller);

unsigned int nmr_gate_in_flight(const struct nmr_gates *g, enum nmr_side caller);
bool nmr_gate_drained(const struct nmr_gates *g, enum nmr_side caller);

/* Counts to take, of a gate or of a slot. Only the white-box suite of gate.c uses this. */
struct nmr_take {
	s64 __percpu	*count;
	atomic64_t	*draining;
	s64		from;		/* what to subtract: NMR_CALLS_OPEN, or an earlier find */
};

void nmr_take_offline(struct nmr_take *take, int cpu);

#endif /* _NMR_GATE_H */
