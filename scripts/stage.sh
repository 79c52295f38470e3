#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# stage.sh TREE: put nmr into a kernel source tree, as drivers/nmr and
# tools/testing/selftests/nmr.
#
# It may run again on the same tree. Files that did not change keep their time, so that the next
# build compiles only those that did.

. "$(dirname "$0")/common.sh" || exit 1

[ -e "${1-}/drivers/Kconfig" ] || die "usage: ${0##*/} TREE"
tree=$1
new=$(mktemp -d "$tree/.nmr.XXXXXX")
trap 'rm -rf "$new"' EXIT

# update FILE FILE-OF-TREE: copy the file unless the contents are equal
update()
{
	cmp -s "$1" "$2" && return
	mkdir -p "${2%/*}"
	cp "$1" "$2.new"
	mv "$2.new" "$2"
}

mkdir -p "$new/drivers/nmr" "$tree/drivers/nmr"
cd "$TOP"
selftests=tools/testing/selftests
for header in $(cd include && find . -name '*.h'); do
	update "include/$header" "$tree/include/$header"
done
cp Kbuild Kconfig "$new/drivers/nmr"
find module netio kunit samples torture \( -name '*.[ch]' -o -name Kbuild -o -name Kconfig \
	-o -name .kunitconfig \) |
	cpio --quiet -pd "$new/drivers/nmr"
mkdir -p "$new/$selftests"
cp -r "$selftests/nmr" "$new/$selftests"
(cd "$new" && find drivers tools -type f) | while read -r file; do
	update "$new/$file" "$tree/$file"
done
(cd "$tree" && find drivers/nmr $selftests/nmr -type f) | while read -r file; do
	[ -e "$new/$file" ] || rm "$tree/$file"
done

# Add the lines that a patch to these files would add.
sed -e '/drivers\/nmr\//d' -e '/^endmenu/i source "drivers/nmr/Kconfig"' \
    "$tree/drivers/Kconfig" > "$new/Kconfig"
update "$new/Kconfig" "$tree/drivers/Kconfig"
{
	sed '/+= nmr\//d' "$tree/drivers/Makefile"
	# shellcheck disable=SC2016	# for make
	echo 'obj-$(CONFIG_NMR) += nmr/'
} > "$new/Makefile"
update "$new/Makefile" "$tree/drivers/Makefile"
sed -e '/^TARGETS += nmr$/d' -e '/^TARGETS += nsfs$/i TARGETS += nmr' \
	"$tree/$selftests/Makefile" > "$new/Makefile.selftests"
update "$new/Makefile.selftests" "$tree/$selftests/Makefile"
