#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Show providers and clients meet, work and leave on a stock kernel.

. "$(dirname "$0")/common.sh" || exit 1

modules=$("$TOP/scripts/modules.sh" 6.1 -s)
# shellcheck disable=SC2086	# a list of files
"$TOP/scripts/guest.sh" -n demo -k 6.1 ${modules//$BUILD/-f $BUILD} \
	-s "$TOP/scripts/guest/demo.sh"

# Among the tests it is one; it has exited if it failed.
printf 'KTAP version 1\n1..1\nok 1 demo\n' >> "$BUILD/demo.log"
