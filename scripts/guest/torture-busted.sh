#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 1024
#
# For each check of the torture test, do wrong what that check is for. The check has to complain,
# and the verdict has to be FAILURE.

. /nmr/lib.sh

checks="call-after-cleanup call-after-detach cleanup-in-call callback-order reasons-differ
	after-wait too-many-bindings bound-twice slot-after-close walk-order unexpected-value
	sums stall"

# Test that the check has complained. The one of the sums complains only at the end.
noticed()
{
	[ "$name" = sums ] || logged "!!! $name"
}

test_busted()
{
	mark
	loaded nmr || load nmr
	say "# expect: WARNING begin"
	load nmr_torture busted="$name" stall_seconds=3
	await "it is noticed" noticed
	unload nmr_torture
	say "# expect: WARNING end"
	check "it says what was wrong" logged "!!! $name: [0-9]* times"
	check "the verdict says so" logged "end of test: FAILURE: .* busted=$name"
	unload nmr
}

number=0 failures=0
echo "KTAP version 1"
echo "1..$(echo "$checks" | wc -w)"
for name in $checks; do
	number=$((number + 1))
	if (test_busted); then
		echo "ok $number $name"
	else
		echo "not ok $number $name"
		failures=$((failures + 1))
		rmmod nmr_torture nmr
	fi
done
[ $failures -eq 0 ]
