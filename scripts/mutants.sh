#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mutants.sh [NAME]...: break the code on purpose, and check that the suites fail.
#
# Each kunit/mutants/NAME.patch is one small fault. Its first line says what the fault is, and a
# line "Suites:" names the suites that have to fail. KTAP goes to build/mutants.log.

. "$(dirname "$0")/common.sh" || exit 1

tree=$BUILD/mutants
log=$tree/build/kunit/kasan/test.log

# break_it PATCH: copy this checkout, and apply the fault. An event that the fault prevents never
# comes, so let tests wait for no more than a minute.
break_it()
{
	rm -rf "$tree"
	mkdir -p "$tree"
	cp -r "$TOP"/{Kbuild,Kconfig,include,module,kunit,samples,bench,torture,scripts,tools} "$tree"
	sed -i 's/^\(#define NT_TIMEOUT\).*/\1	(60 * HZ)/' "$tree/kunit/base.h"
	patch --silent --strip=1 --directory="$tree" < "$1"
}

# Print the first failure. Fail if no suite ran, as when the kernel does not compile.
killer()
{
	grep -q 'KTAP version' "$log" || return 1
	sed -n 's/\r$//; s/^\[[ 0-9.]*\] *//; /^not ok/p; /^Bail out/p' "$log" | head -n 1
}

# run_suite SUITE: run it up to the first case that fails. A fault that makes one case time out
# is likely to make the following cases time out, too.
run_suite()
{
	local runner

	rm -f "$log"
	setsid "$tree/scripts/kunit.sh" -t 180 "$1" > "$tree/out" 2>&1 &
	runner=$!
	# In a pipe tail would fail once grep has exited, and the pipe with it.
	if grep -q -m 1 ' not ok ' \
	   < <(tail --pid="$runner" -n +1 -F "$log" 2> /dev/null); then
		kill -- "-$runner" 2> /dev/null || true
	fi
	wait "$runner"
}

# try PATCH: print the failure that the fault causes, and fail if it causes none
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
