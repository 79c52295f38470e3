/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that run concurrently, each on a CPU of its own, round after round.
 *
 * The threads leave a common start together, except for a few microseconds that differ
 * from round to round. These sweep the steps of one function over those of the others,
 * because a race needs many different meetings, not many rounds.
 */
#ifndef _NMR_KUNIT_RACERS_H
#define _NMR_KUNIT_RACERS_H

#include "harness.h"

#define NT_RACERS	4

struct nt_racers;

struct nt_racer {
	struct nt_racers *race;
	int (*fn)(void *arg);
	void *arg;
	int ret;
};

struct nt_racers {
	struct nt *nt;
	unsigned int n;
	unsigned int round;
	atomic_t at_start;
	atomic_t finished;
	struct nt_racer racer[NT_RACERS];
};

/* Start @n threads, which wait for the first round and end with the case. */
struct nt_racers *nt_racers(struct nt *nt, unsigned int n);

/* Set the function that racer @i runs in the next rounds. */
static inline void nt_enlist(struct nt_racers *race, unsigned int i,
			     int (*fn)(void *arg), void *arg)
{
	race->racer[i].fn = fn;
	race->racer[i].arg = arg;
}

/* Run one round. On return, each racer's ret is the return value of its function. */
void nt_race(struct nt_racers *race);

/* Make a client, a provider and their binding, for a round. */
struct nt_binding *nt_new_pair(struct nt *nt, struct nt_party *party[NMR_SIDES]);

/*
 * Run one round of calls in both directions while the side that @round chooses leaves.
 * Racer 0 runs @fn, or calls as well if @fn is NULL. Expect every call to have been
 * counted once by its caller and once by its callee.
 */
void nt_race_calls(struct nt_racers *race, unsigned int round, int (*fn)(void *arg));

#endif /* _NMR_KUNIT_RACERS_H */
