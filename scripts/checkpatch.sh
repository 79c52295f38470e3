#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checkpatch.sh TREE ARGUMENT...: run the checkpatch.pl of a kernel tree, strictly. Print what it
# says and checkpatch.allow does not allow, and fail if there is any.

[ $# -ge 2 ] || { echo "usage: ${0##*/} TREE ARGUMENT..." >&2; exit 1; }
tree=$1
shift
perl "$tree/scripts/checkpatch.pl" --strict --show-types --quiet --terse --showfile "$@" 2>&1 |
	awk '
	FILENAME != "-" {
		if ($0 ~ /^[^#]/)
			for (i = 2; i <= NF; i++)
				allowed[$i] = allowed[$i] "\n" $1
		next
	}
	/^total: / { next }
	match($0, /(ERROR|WARNING|CHECK):[A-Z_]+/) {
		type = substr($0, RSTART, RLENGTH)
		sub(/.*:/, "", type)
		n = split(allowed[type], files, "\n")
		for (i = 2; i <= n; i++)
			if (substr($0, 1, index($0 ":", ":") - 1) ~ files[i])
				next
	}
	{ print; bad = 1 }
	END { exit bad }' "${0%.sh}.allow" -
