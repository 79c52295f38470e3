#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 2048
#
# Run the suites, the selftests and some torture in the gcov kernel, all as modules. Then send
# the counts through the third serial port.

. /nmr/lib.sh

load nmr
load nmr_netio
load nmr_kunit
unload nmr_kunit
unload nmr_netio
unload nmr
code=0
# This kernel has no samples, benchmarks, versions of symbols, uevents, hibernation or
# khungtaskd. The cases that need these are skipped.
# shellcheck disable=SC2046	# a list of words
(cd /nmr && ./run_tests.sh $(sh /programs.sh)) || code=1
# shellcheck source-path=SCRIPTDIR source-path=SCRIPTDIR/..
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
