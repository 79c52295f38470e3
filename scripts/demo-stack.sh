#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run all sample systems together on a stock kernel, see guest/demo-stack.sh.

. "$(dirname "$0")/common.sh" || exit 1

modules=$("$TOP/scripts/modules.sh" 6.1 -s)
# shellcheck disable=SC2086	# a list of files
"$TOP/scripts/guest.sh" -n demo-stack -k 6.1 ${modules//$BUILD/-f $BUILD} \
	-s "$TOP/scripts/guest/demo-stack.sh"

# As a test it has one result. guest.sh has ended this script if it failed.
printf 'KTAP version 1\n1..1\nok 1 demo-stack\n' >> "$BUILD/demo-stack.log"
