#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# coverage.sh: which lines and branches of module/ the tests run, by a gcov kernel that
# runs all that needs no kernel of its own. Fails below 95 % of lines. The lines that did
# not run are in build/coverage/uncovered; Documentation/reliability.md explains them.

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

# What the kernel has counted, to where the compiler has left what the counts mean.
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
grep -H '^ *#####' "$out"/*.c.gcov |
	sed 's|.*/\(.*\)\.gcov: *#####: *\([0-9]*\):|\1:\2:|' > "$out/uncovered" || true
say "$(wc -l < "$out/uncovered") lines did not run, see $out/uncovered"
exit $code
