/* SPDX-License-Identifier: GPL-2.0 */
/* Between the two halves of the harness. */
#ifndef _NMR_KUNIT_HARNESS_INTERNAL_H
#define _NMR_KUNIT_HARNESS_INTERNAL_H

struct nt;

bool nt_join_all(struct nt *nt, unsigned long timeout);
void nt_end_watch(struct nt *nt);

#endif /* _NMR_KUNIT_HARNESS_INTERNAL_H */
