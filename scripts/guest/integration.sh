#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 1024
#
# The integration tests: real modules on a stock kernel, see kunit/modules. Runs in the
# guest, with nmr.ko and those modules in /modules. Each function test_... in cases/ is a
# case; with cases=NAME,... on the kernel's command line, only these are.

. /lib.sh
for file in /cases/*.sh; do
	# shellcheck source=/dev/null
	. "$file"
done

if [ -z "$cases" ]; then
	cases=$(sed -n 's/^test_\([a-z0-9_]*\)()$/\1/p' /cases/*.sh)
fi
# shellcheck disable=SC2046	# a list of words
run_cases $(echo "$cases" | tr , ' ')
