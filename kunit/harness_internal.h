/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the two halves of the harness. */
#ifndef _NMR_KUNIT_HARNESS_INTERNAL_H
#define _NMR_KUNIT_HARNESS_INTERNAL_H

struct nt;
struct ratelimit_state;

/* Of misuse.c, if nmr is built in; its address is NULL if it is a module. */
extern struct ratelimit_state nmr_misuse_limit __weak;

bool nt_join_all(struct nt *nt, unsigned long timeout);
void nt_end_watch(struct nt *nt);

#endif /* _NMR_KUNIT_HARNESS_INTERNAL_H */
