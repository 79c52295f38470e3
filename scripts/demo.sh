#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh [KERNEL]: run the demonstration on a stock kernel (6.1), or on one of kunit/kernels that
# has the samples, see guest/demo.sh. The log is build/demo-KERNEL.log.

. "$(dirname "$0")/common.sh" || exit 1

kernel=${1-6.1} name=demo-${1-6.1}
! skipped "$kernel" "$BUILD/$name.log" || exit 0
build_modules "$kernel"
"$TOP/scripts/guest.sh" -n "$name" -k "$kernel" "${built[@]/#/-f}" \
	-s "$TOP/scripts/guest/demo.sh"

# As a test it has one result. guest.sh has ended this script if it failed.
printf 'KTAP version 1\n1..1\nok 1 %s\n' "$name" >> "$BUILD/$name.log"
