/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations of a peer that bindings.c measures. */
#ifndef _NMR_BENCH_BINDINGS_H
#define _NMR_BENCH_BINDINGS_H

#include "bench.h"

#ifdef __has_include	/* sparse lacks it */
#if __has_include("linux/auxiliary_bus.h")
#define BENCH_AUXILIARY		/* from 5.11 on */
#endif
#endif

/*
 * @prepare: make all that is not a binding
 * @attach:  make bench_n bindings
 * @detach:  end these bindings
 * @finish:  undo @prepare, also after it failed
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
extern atomic_t bench_bound;	/* number of bindings */

/* For the registrar only, see bindings.c. */
extern bool bench_decline;
extern bool bench_timed;
extern u64 bench_callable;

#endif /* _NMR_BENCH_BINDINGS_H */
