#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo-stack.sh: run all sample systems together on a stock 6.1, see guest/demo-stack.sh. The log
# is build/demo-stack-6.1.log.

. "$(dirname "$0")/common.sh" || exit 1

# The guest has mprctl, which comes from the source of 6.12.
name=demo-stack-6.1
! skipped 6.1,6.12-source "$BUILD/$name.log" || exit 0
build_modules 6.1
"$TOP/scripts/guest.sh" -n "$name" -k 6.1 "${built[@]/#/-f}" \
	-s "$TOP/scripts/guest/demo-stack.sh"

# As a test it has one result. guest.sh has ended this script if it failed.
printf 'KTAP version 1\n1..1\nok 1 %s\n' "$name" >> "$BUILD/$name.log"
