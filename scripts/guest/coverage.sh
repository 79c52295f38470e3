#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 2048
#
# Runs in the gcov kernel: the suites, the integration tests and some torture, all as
# modules; then sends what was counted through the third serial port.

. /lib.sh

load nmr
load nmr_kunit
unload nmr_kunit
unload nmr
code=0
# But for those of samples, benchmarks, versions of symbols, uevents, hibernation and hung
# tasks, which this kernel has not.
cases=$(sed -n 's/^test_\([a-z0-9_]*\)()$/\1/p' /cases/*.sh |
	grep -v -e hello_pair_meets -e wrong_symbol_version_is_refused -e '^uevents\?_' \
	     -e every_call_of_two_cpus -e '^machine_hibernates_' -e waiting_is_not_hung)
(. /integration.sh) || code=1
(. /debug.sh) || code=1
load nmr
load nmr_torture seconds=10
until dmesg | grep -q 'nmr_torture: end of test'; do
	usleep 200000
done
unload nmr_torture
unload nmr

mkdir /tmp/counts
find /sys/kernel/debug/gcov -path '*/nmr/module/*.gcda' | while read -r file; do
	cat "$file" > "/tmp/counts/${file##*/}"
done
stty -F /dev/ttyS2 raw
tar -cf /dev/ttyS2 -C /tmp/counts .
exit $code
