#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh [SERIES]: run the demonstration on a stock kernel (6.1), see guest/demo.sh.

. "$(dirname "$0")/common.sh" || exit 1

series=${1-6.1}
modules=$("$TOP/scripts/modules.sh" "$series" -s)
# shellcheck disable=SC2086	# a list of files
"$TOP/scripts/guest.sh" -n demo -k "$series" ${modules//$BUILD/-f $BUILD} \
	-s "$TOP/scripts/guest/demo.sh"

# As a test it has one result. guest.sh has ended this script if it failed.
printf 'KTAP version 1\n1..1\nok 1 demo\n' >> "$BUILD/demo.log"
