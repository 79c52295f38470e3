/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the harness share, and suites do not use. */
#ifndef _NMR_KUNIT_HARNESS_INTERNAL_H
#define _NMR_KUNIT_HARNESS_INTERNAL_H

#include <linux/types.h>

struct kunit;
struct nt;
struct ratelimit_state;

/* From misuse.c, if nmr is built in; if nmr is a module, the address is NULL. */
extern struct ratelimit_state nmr_misuse_limit __weak;

/* base.c */
struct nt *nt_new(struct kunit *test);
void nt_free(struct nt *nt);

/* context.c */
bool nt_join_all(struct nt *nt, unsigned long timeout);
void nt_end_watch(struct nt *nt);

#endif /* _NMR_KUNIT_HARNESS_INTERNAL_H */
