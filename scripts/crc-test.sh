#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is private to nmr may change without a user of it being built anew: a member more in
# any structure of module/*.h leaves the CRC of each exported symbol as it is. KTAP in
# build/crc.log.

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/crc

# crcs: build what is in $out for a stock 6.1, and print symbols and CRCs.
crcs()
{
	make -C "$out" -s -j"$JOBS" KDIR="$KDIR" modules >&2 &&
		awk '$1 ~ /^0x/ && $1 !~ /^0x0*$/ { print $2, $1 }' "$out/Module.symvers" |
		sort | grep .
}

# add_member STRUCTURE...: to these, in the copy
add_member()
{
	local header

	cp "$TOP"/module/*.h "$out/module"
	for header in "$out"/module/*.h; do
		awk -v structures=" $* " '
		/^struct [a-z0-9_]+ \{$/ { inside = index(structures, " " $2 " ") }
		inside && /^}/ { print "\tint member_of_crc_test;"; inside = 0 }
		{ print }' "$header" > "$header.new"
		mv "$header.new" "$header"
	done
	[ "$(cat "$out"/module/*.h | grep -c 'int member_of_crc_test;')" -eq $# ]
}

# same STRUCTURE...: with a member more in these, no CRC is another.
same()
{
	add_member "$@" && crcs > "$out/after" && diff "$out/before" "$out/after" >&2
}

"$TOP/scripts/fetch/packages.sh" build
assignments=$("$TOP/scripts/fetch/kernel.sh" headers 6.1)
eval "$assignments"
rm -rf "$out"
mkdir -p "$out"
cp -r "$TOP"/{Makefile,Kbuild,include,module} "$out"
crcs > "$out/before"
mapfile -t structures < <(sed -n 's/^struct \([a-z0-9_]*\) {$/\1/p' "$TOP"/module/*.h)

# One by one only to see which it is.
all=same
same "${structures[@]}" 2> "$out/diff" || all=
number=0
{
	echo "KTAP version 1"
	echo "1..${#structures[@]}"
	for structure in "${structures[@]}"; do
		number=$((number + 1)) verdict=ok
		[ -n "$all" ] || same "$structure" || verdict="not ok"
		echo "$verdict $number a member more in struct $structure"
	done
} > "$BUILD/crc.log"
"$TOP/scripts/summary.sh" "$BUILD/crc.log"
