#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 512 -a preempt=full
#
# The selftests that depend on where a task may be preempted, on a kernel that preempts
# everywhere. By default Debian's kernels preempt at voluntary points only.

export TEST_SKIP=no

/nmr/run_tests.sh \
	"test-drain.sh provider_waits_for_calls_to_it client_waits_for_upcalls_to_it
		both_leave_with_calls_held_both_ways calls_outlive_their_cpus" \
	"test-misuse.sh provider_unloads_without_deregistering" \
	"test-order.sh fifty_loads_and_unloads_under_readers"
