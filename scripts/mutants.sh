#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mutants.sh [NAME]...: break the code on purpose, and see that the suites notice.
#
# Each kunit/mutants/NAME.patch is one small fault, with a line that says what it is and one
# that names the suites which have to fail with it. KTAP in build/mutants.log.

. "$(dirname "$0")/common.sh" || exit 1

tree=$BUILD/mutants
log=$tree/build/kunit/kasan/test.log

# Copy this checkout, and put the fault into it. What a fault makes a test wait for never
# comes, so there a minute is long enough to wait.
break_it()
{
	rm -rf "$tree"
	mkdir -p "$tree"
	cp -r "$TOP"/{Kbuild,Kconfig,include,module,kunit,samples,bench,torture,scripts,tools} "$tree"
	sed -i 's/^\(#define NT_TIMEOUT\).*/\1	(60 * HZ)/' "$tree/kunit/base.h"
	patch --silent --strip=1 --directory="$tree" < "$1"
}

# What the suites said of it first. A kernel that did not get as far as to run them, as
# it does not compile, has said nothing.
killer()
{
	grep -q 'KTAP version' "$log" || return 1
	sed -n 's/\r$//; s/^\[[ 0-9.]*\] *//; /^not ok/p; /^Bail out/p' "$log" | head -n 1
}

# Run a suite, as far as to the first case that fails: a fault that makes one hang makes
# the next one hang, too, each for as long as its waits are bounded.
run_suite()
{
	local runner

	rm -f "$log"
	setsid "$tree/scripts/kunit.sh" -t 180 "$1" > "$tree/out" 2>&1 &
	runner=$!
	# Not a pipe, which fails if tail does, as it must once grep has seen enough.
	if grep -q -m 1 ' not ok ' \
	   < <(tail --pid="$runner" -n +1 -F "$log" 2> /dev/null); then
		kill -- "-$runner" 2> /dev/null || true
	fi
	wait "$runner"
}

# try PATCH: says who killed it; fails if nobody did.
try()
{
	local suite suites

	break_it "$1" || {
		echo "the patch does not apply"
		return 1
	}
	read -r -a suites < <(sed -n 's/^Suites: //p' "$1")
	for suite in "${suites[@]}"; do
		run_suite "$suite" && continue
		killer && return
		echo "$suite has not run"
		return 1
	done
	echo "survived"
	return 1
}

[ $# -gt 0 ] || set -- "$TOP"/kunit/mutants/*.patch
number=0
{
	echo "KTAP version 1"
	echo "1..$#"
	for patch; do
		name=${patch##*/}
		name=${name%.patch}
		number=$((number + 1)) verdict=ok
		said=$(try "$TOP/kunit/mutants/$name.patch") || verdict="not ok"
		echo "$verdict $number $name # $said"
	done
} | tee "$BUILD/mutants.log"
code=0
! grep -q '^not ok' "$BUILD/mutants.log" || code=1
"$TOP/scripts/summary.sh" "$BUILD/mutants.log" || code=1
exit $code
