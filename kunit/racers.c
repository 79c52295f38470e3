// SPDX-License-Identifier: GPL-2.0-only
/* Functions that run concurrently, see racers.h. */
#include <linux/cpumask.h>
#include <linux/delay.h>

#include "racers.h"

/* Microseconds between the first start and the last: about the duration of a call. */
#define NT_SPREAD	97

/* Wait at the start until all racers of a round have come. */
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
		/* Pairs with the release in nt_race(), after the stores to fn and arg. */
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

struct nt_binding *nt_new_pair(struct nt *nt, struct nt_party *party[NMR_SIDES])
{
	party[NMR_CLIENT] = nt_client(nt);
	party[NMR_PROVIDER] = nt_provider(nt);
	return nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);
}

/* Calls that a racer makes in a round, unless the gate closes. */
#define NT_CALLS	200

static int nt_calls(struct nt_binding *nb, enum nmr_side caller)
{
	int i, n = 0;

	for (i = 0; i < NT_CALLS; i++)
		n += nt_call(nb, caller);
	return n;
}

static int nt_call_provider_thread(void *nb)
{
	return nt_calls(nb, NMR_CLIENT);
}

static int nt_call_client_thread(void *nb)
{
	return nt_calls(nb, NMR_PROVIDER);
}

void nt_race_calls(struct nt_racers *race, unsigned int round, int (*fn)(void *arg))
{
	struct nt *nt = race->nt;
	struct nt_party *party[NMR_SIDES], *leaver;
	struct nt_binding *nb = nt_new_pair(nt, party);
	int calls;

	leaver = party[round % NMR_SIDES];
	nt_get(nb);
	nt_enlist(race, 0, fn ?: nt_call_provider_thread, nb);
	nt_enlist(race, 1, nt_call_client_thread, nb);
	nt_enlist(race, 2, nt_call_provider_thread, nb);
	nt_enlist(race, 3, nt_deregister_thread, leaver);
	nt_race(race);
	KUNIT_ASSERT_EQ(nt->test, nt_wait(leaver), 0);
	calls = race->racer[2].ret + (fn ? 0 : race->racer[0].ret);
	KUNIT_EXPECT_EQ(nt->test, nt_entered(party[NMR_PROVIDER], NT_P_OP), calls);
	KUNIT_EXPECT_EQ(nt->test, nt_entered(party[NMR_CLIENT], NT_C_OP),
			race->racer[1].ret);
	nt_leave(party[nt_peer(leaver->side)]);
	nt_forget(nt);
}
