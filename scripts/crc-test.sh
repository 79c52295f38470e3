#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test that modules need not be built again when a private structure of nmr changes: adding a
# member to any structure of module/*.h does not change the CRC of an exported symbol. KTAP goes
# to build/crc.log.

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/crc

# Build the copy in $out for the stock 6.1 kernel, and print symbols and CRCs.
crcs()
{
	make -C "$out" -s -j"$JOBS" KDIR="$KDIR" modules >&2 &&
		awk '$1 ~ /^0x/ && $1 !~ /^0x0*$/ { print $2, $1 }' "$out/Module.symvers" |
		sort | grep .
}

# add_member STRUCTURE...: add a member to these structures in the copy
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

# same STRUCTURE...: test that adding a member to these structures changes no CRC
same()
{
	add_member "$@" && crcs > "$out/after" && diff "$out/before" "$out/after" >&2
}

"$TOP/scripts/fetch/packages.sh" build
assignments=$("$TOP/scripts/fetch/kernel.sh" headers 6.1)
eval "$assignments"
rm -rf "$out"
mkdir -p "$out"
cp -r "$TOP"/{Makefile,Kbuild,include,module,netio} "$out"
crcs > "$out/before"
mapfile -t structures < <(sed -n 's/^struct \([a-z0-9_]*\) {$/\1/p' "$TOP"/module/*.h)

# If all structures together change a CRC, try one by one to find which does.
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
