// SPDX-License-Identifier: GPL-2.0-only
/* Functions that run at once, see racers.h. */
#include <linux/cpumask.h>
#include <linux/delay.h>

#include "racers.h"

/* How far the slowest starts behind the first: about as long as a call takes. */
#define NT_SPREAD	97

/* The last one to come gives the start. */
static void nt_line_up(struct nt_racers *race, unsigned int round)
{
	atomic_inc(&race->at_start);
	while (atomic_read(&race->at_start) < race->n * round &&
	       !READ_ONCE(race->nt->stopping)) {
		cpu_relax();
		cond_resched();
	}
}

static int nt_racer_thread(void *arg)
{
	static const unsigned int steps[NT_RACERS] = { 0, 5, 31, 71 };
	struct nt_racer *racer = arg;
	struct nt_racers *race = racer->race;
	struct nt *nt = race->nt;
	unsigned int round = 1;

	for (;; round++) {
		/* Pairs with the release in nt_race(): fn and arg are set. */
		wait_event_idle(nt->wait, smp_load_acquire(&race->round) >= round ||
				READ_ONCE(nt->stopping));
		if (READ_ONCE(nt->stopping))
			return 0;
		nt_line_up(race, round);
		udelay(round * steps[racer - race->racer] % NT_SPREAD);
		racer->ret = racer->fn(racer->arg);
		/* Pairs with nt_race(), which reads ret. */
		smp_mb__before_atomic();
		atomic_inc(&race->finished);
		nt_kick(nt);
	}
}

struct nt_racers *nt_racers(struct nt *nt, unsigned int n)
{
	struct nt_racers *race = nt_zalloc(nt, sizeof(*race));
	unsigned int i;

	race->nt = nt;
	race->n = n;
	for (i = 0; i < n; i++) {
		race->racer[i].race = race;
		nt_spawn_on(nt, i % num_online_cpus(), nt_racer_thread, &race->racer[i]);
	}
	return race;
}

void nt_race(struct nt_racers *race)
{
	struct nt *nt = race->nt;
	unsigned int round = race->round + 1;

	/* Pairs with the acquire in nt_racer_thread(). */
	smp_store_release(&race->round, round);
	nt_kick(nt);
	nt_await(nt, atomic_read_acquire(&race->finished) == race->n * round);
}

int nt_deregister_thread(void *arg)
{
	return nt_deregister(arg);
}
