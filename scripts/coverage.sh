#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# coverage.sh: count the lines and branches of module/ that the tests run. A gcov kernel runs all
# tests that need no kernel of their own. Print a table, and each line that did not run, below
# the name of its function; Documentation/reliability.md explains these. Fail if less than
# 97.7 % of the lines ran. Both are kept in build/coverage, in "table" and "uncovered".

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/coverage
rm -rf "$out"
mkdir -p "$out"

assignments=$("$TOP/scripts/fetch/own-kernel.sh" gcov)
eval "$assignments"
mapfile -t modules < <(find "$BUILD/kunit/gcov/modules" -name '*.ko')
code=0
"$TOP/scripts/guest.sh" -n coverage -k gcov "${modules[@]/#/-f}" \
	-q "-serial file:$out/counts.tar" -s "$TOP/scripts/guest/coverage.sh" || code=1

# gcov reads the kernel's counts and the compiler's notes from one folder.
tar -xf "$out/counts.tar" -C "$out"
for counts in "$out"/*.gcda; do
	name=$(basename "$counts" .gcda)
	# shellcheck disable=SC2153	# of own-kernel.sh
	cp "$BUILT/drivers/nmr/module/$name.gcno" "$out"
	(cd "$BUILT" && gcov --branch-probabilities --stdout "$counts" 2> /dev/null) |
		awk -v name="$name.c" '
		/^ *-: *0:Source:/ { on = $0 ~ "/module/" name "$" }
		on' > "$out/$name.c.gcov"
done
awk -f "$TOP/scripts/coverage.awk" "$out"/*.c.gcov | tee "$out/table" || code=1
echo
awk -f "$TOP/scripts/uncovered.awk" "$out"/*.c.gcov | tee "$out/uncovered"
exit $code
