#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# integration.sh [-c] [SERIES]...: run the selftests on stock kernels (all in fetch/series), by
# each scripts/guest/integration*.sh, and count the instructions of a call. On 6.1 also check the
# size of nmr.ko, and on 6.12 also test modules built with NMR_DEBUG. -c: leave out what
# scripts/check.sh runs elsewhere. A series that this machine cannot get is skipped.

. "$(dirname "$0")/common.sh" || exit 1

TEXT=$((34 * 1024))	# bytes of .text and the sections that are named after it

# small_enough NMR.KO: print the size of its text, and test it
small_enough()
{
	local text

	text=$(size -A "$1" | awk '$1 ~ /^\.text/ { n += $2 } END { print n }')
	say "nmr.ko: $text bytes of text, of at most $TEXT"
	[ "$text" -le "$TEXT" ]
}

options=
[ "${1-}" != -c ] || {
	options=-c
	shift
}
# shellcheck disable=SC2046	# words
[ $# -gt 0 ] || set -- $(series check matrix)
code=0
for series; do
	mapfile -t scripts < <(guest_tests "$series" $options)
	mapfile -t logs < <(guest_logs "$series" $options)
	! skipped "$series" "${logs[@]}" || continue
	say "building for $series"
	mapfile -t modules < <("$TOP/scripts/modules.sh" "$series" -s)
	if [ "$series" = 6.1 ]; then
		small_enough "$(printf '%s\n' "${modules[@]}" | grep '/nmr\.ko$')" || code=1
	fi
	for script in "${scripts[@]}"; do
		name=$(basename "$script" .sh)
		if [ "$name" = integration-systems ]; then
			"$TOP/scripts/systems.sh" -k "$series" || code=1
			continue
		fi
		"$TOP/scripts/guest.sh" -n "$name-$series" -k "$series" \
			"${modules[@]/#/-f}" -s "$script" || code=1
	done
	documents=$BUILD/integration-nmrctl-$series.documents
	[[ " ${scripts[*]} " != *-nmrctl.sh\ * ]] ||
		"$TOP/scripts/documents.py" "$TOP/tools/nmrctl/nmrctl.schema.json" "$documents" ||
		code=1
	[ "$series" = 6.12 ] || continue
	mapfile -t modules < <("$TOP/scripts/modules.sh" -d "$BUILD/debug" 6.12 -s NMR_DEBUG=1)
	"$TOP/scripts/guest.sh" -n debug-6.12 -k 6.12 "${modules[@]/#/-f}" \
		-s "$TOP/scripts/guest/debug.sh" || code=1
done
exit $code
