#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 512 -a preempt=full
#
# Those integration tests that depend on where a task may be preempted, once more on a
# kernel that preempts everywhere. Debian's preempts where it is asked to.

cases=provider_waits_for_calls_to_it,client_waits_for_upcalls_to_it
cases=$cases,both_leave_with_calls_held_both_ways,calls_outlive_their_cpus
cases=$cases,provider_unloads_without_deregistering
cases=$cases,fifty_loads_and_unloads_under_readers

. /integration.sh
