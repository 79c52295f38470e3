#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 1024 $("$TOP/scripts/fetch/program-files.sh" setpriv)
#
# The selftests on a stock kernel, but for those that other integration-*.sh run. With
# "programs=test-order.sh,test-drain.sh" on the kernel's command line only these run, and with
# "cases=..." as well only those cases of one program.

export TEST_SKIP=no

cd /nmr || exit
if [ -n "$programs" ]; then
	# shellcheck disable=SC2046	# a list of words
	set -- $(echo "$programs" | tr , ' ')
	[ -z "$cases" ] || set -- "$1 $(echo "$cases" | tr , ' ')"
else
	# shellcheck disable=SC2046	# a list of words
	set -- $(sh /programs.sh)
fi
./run_tests.sh "$@"
