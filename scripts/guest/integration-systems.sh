#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 1024 $("$TOP/scripts/fetch/network-files.sh" "$kernel")
# guest: -f $("$TOP/scripts/fetch/mprctl.sh"):/bin/mprctl
# guest: $(for name in mpr netio rras rtm wds; do
# guest: echo "-f$TOP/samples/$name/README.md:/nmr/readme-$name.md"; done)
#
# The tests of the sample systems, in a guest with network devices and iproute2.
# "programs=" and "cases=" on the kernel's command line select as in integration.sh. On a kernel
# with kmemleak, the guest fails if a program has left a leak.

export TEST_SKIP=no

SYSTEMS="test-rtm.sh test-rras.sh test-mpr.sh test-wds.sh test-stack.sh test-readme.sh"

mkdir -p /run/netns
for device in dummy veth; do
	[ ! -e /modules/$device.ko ] || insmod /modules/$device.ko || exit
done
cd /nmr || exit
if [ -n "$programs" ]; then
	# shellcheck disable=SC2046	# a list of words
	set -- $(echo "$programs" | tr , ' ')
	[ -z "$cases" ] || set -- "$1 $(echo "$cases" | tr , ' ')"
else
	# shellcheck disable=SC2046,SC2086	# a list of words
	set -- $(ls $SYSTEMS 2> /dev/null)
fi
./run_tests.sh "$@"
code=$?
if [ -e /sys/kernel/debug/kmemleak ]; then
	# shellcheck source=SCRIPTDIR/kmemleak.sh
	(. /kmemleak.sh) || code=1
fi
exit $code
