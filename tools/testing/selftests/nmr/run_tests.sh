#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run_tests.sh PROGRAM...: run test programs of this folder, and print a line of KTAP for each
# below the lines of its cases. In a kernel tree kselftest/runner.sh does this. An argument may be a program with its arguments: "test-order.sh nmr_comes_and_goes".

cd "$(dirname "$0")" || exit 1
exec 4>&1
TEST_SKIP=${TEST_SKIP:-yes}

# Indent each line as soon as it is there.
indent()
{
	while IFS= read -r line; do
		echo "    $line"
	done
}

# run PROGRAM [ARGUMENT]...: set $code to its exit code
run()
{
	name=$1
	shift
	code=$({ { "./$name" "$@" 2>&1 3>&- 4>&-; echo $? >&3; } | indent >&4; } 3>&1)
}

number=0 failures=0
echo "KTAP version 1"
echo "1..$#"
for program; do
	number=$((number + 1))
	# shellcheck disable=SC2086	# words
	run $program
	case $code-$TEST_SKIP in
	0-*)	echo "ok $number $name" ;;
	4-yes)	echo "ok $number $name # SKIP" ;;
	*)
		echo "not ok $number $name"
		failures=$((failures + 1)) ;;
	esac
done
[ "$failures" -eq 0 ]
