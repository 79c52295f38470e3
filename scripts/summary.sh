#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# summary.sh LOG...: count the KTAP results in these logs, at any depth. Print each failure and,
# last, "N passed, N failed, N skipped". A plan that was not kept, a "Bail out!", a log without
# a result and a missing log are failures, too.

[ $# -gt 0 ] || { echo "usage: ${0##*/} LOG..." >&2; exit 1; }
for log; do
	[ -e "$log" ] || : > "$log"
done

exec awk '
function fail(what)
{
	failed++
	print "FAILED " name ": " what
}

# Compare the number of results at this depth and below with the plan.
function close_level(depth)
{
	if (depth in plan && plan[depth] != seen[depth])
		fail("planned " plan[depth] " results" of[depth] ", got " seen[depth] + 0)
	delete plan[depth]
	delete seen[depth]
	delete of[depth]
}

function close_log(depth)
{
	for (depth = 20; depth >= 0; depth--) {
		close_level(depth)
		before[depth] = failed
	}
}

FNR == 1 {
	close_log()
	name = FILENAME
}

{
	sub(/\r$/, "")
	sub(/^\[ *[0-9.]+\](\[[^]]*\])? /, "")
	match($0, /^ */)
	depth = int(RLENGTH / 4)
	$0 = substr($0, RLENGTH + 1)
}

/^KTAP version / { close_level(depth) }
/^1\.\.[0-9]+$/ { plan[depth] = substr($0, 4) + 0 }
/^# Subtest: / { of[depth] = " of " substr($0, 12) }
/^Bail out!/ { fail($0) }

# A result with results below it is their sum, and is not counted.
/^(not )?ok [0-9]+/ {
	seen[depth]++
	results[name]++
	parent = depth + 1 in seen
	close_level(depth + 1)
	if (/^not / && !(parent && failed > before[depth]))
		fail($0)
	else if (parent || /^not /)
		;
	else if (/# SKIP/)
		skipped++
	else
		passed++
	for (level = depth; level <= 20; level++)
		before[level] = failed
}

END {
	close_log()
	for (i = 1; i < ARGC; i++) {
		name = ARGV[i]
		if (!(name in results))
			fail("no result")
	}
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed || !passed
}' "$@"
