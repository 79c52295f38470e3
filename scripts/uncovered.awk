# SPDX-License-Identifier: GPL-2.0-only
# Print each line that did not run, below the name of its function, of what
# gcov --branch-probabilities --stdout says.

FNR == 1 {
	file = FILENAME
	sub(/.*\//, "", file)
	sub(/\.gcov$/, "", file)
}
/^function / { name = $2 }
/^ *#####:/ {
	if (told != file name) {
		print file ": " name "()"
		told = file name
	}
	line = $0
	sub(/^ *#####: */, "", line)
	sub(/:/, ":\t", line)
	print file ":" line
}
