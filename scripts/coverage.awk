# SPDX-License-Identifier: GPL-2.0-only
# Print a line for each file, of what gcov --branch-probabilities --stdout says. Exit with 1 if
# less than 97.7 % of all lines ran.

function percent(part, all)
{
	return all ? 100 * part / all : 100
}

function row(name, l, all_l, b, all_b)
{
	printf "%-18s %5d of %4d lines %6.1f %%   %5d of %4d branches %6.1f %%\n", name,
	       l, all_l, percent(l, all_l), b, all_b, percent(b, all_b)
}

function flush()
{
	if (name)
		row(name, ran, lines, taken, branches)
	all_ran += ran
	all_lines += lines
	all_taken += taken
	all_branches += branches
	ran = lines = taken = branches = 0
}

FNR == 1 {
	flush()
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.gcov$/, "", name)
}
/^ *#####:/ { lines++ }
/^ *[0-9]+\*?:/ { lines++; ran++ }
/^branch/ { branches++ }
/^branch +[0-9]+ taken [1-9]/ { taken++ }
END {
	flush()
	row("all", all_ran, all_lines, all_taken, all_branches)
	exit percent(all_ran, all_lines) < 97.7
}
