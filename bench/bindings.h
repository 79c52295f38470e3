/* SPDX-License-Identifier: GPL-2.0-only */
/* What bindings.c measures of each peer. */
#ifndef _NMR_BENCH_BINDINGS_H
#define _NMR_BENCH_BINDINGS_H

#include "bench.h"

/*
 * @prepare: all that is not a binding
 * @attach:  bench_n of them
 * @detach:  all of these
 * @finish:  undo @prepare, however far it got
 */
struct bench_peer {
	const char *name;
	int (*prepare)(const char *shape);
	int (*attach)(void);
	void (*detach)(void);
	void (*finish)(void);
};

extern const struct bench_peer bench_nmr, bench_auxiliary, bench_platform;

extern unsigned int bench_n;
extern atomic_t bench_bound;	/* bindings that there are now */

/* Of the registrar alone: see bindings.c. */
extern bool bench_decline;
extern bool bench_timed;
extern u64 bench_callable;

#endif /* _NMR_BENCH_BINDINGS_H */
