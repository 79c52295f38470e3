/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that run at once, each on a CPU of its own, round after round.
 *
 * The threads leave a common start together, plus a few microseconds that differ from
 * round to round and sweep one function's steps over those of the others: what a
 * race needs is many different meetings, not many rounds.
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

/* @n threads, that wait for the first round; the end of the case ends them. */
struct nt_racers *nt_racers(struct nt *nt, unsigned int n);

/* What racer @i does in the next rounds. */
static inline void nt_enlist(struct nt_racers *race, unsigned int i,
			     int (*fn)(void *arg), void *arg)
{
	race->racer[i].fn = fn;
	race->racer[i].arg = arg;
}

/* One round. Each racer's ret is then what its function returned. */
void nt_race(struct nt_racers *race);

/* For functions: what party @arg can do. */
int nt_deregister_thread(void *arg);

#endif /* _NMR_KUNIT_RACERS_H */
