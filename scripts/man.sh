#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# man.sh [DIR]: make a manual page of section 9 for each function, macro and structure of
# include/linux/nmr.h, in DIR/man9. The default of DIR is build/man. The pages are the same on
# each machine and day: their date is that of nmr(4).

. "$(dirname "$0")/common.sh" || exit 1

dir=${1:-$BUILD/man}/man9
assignments=$("$TOP/scripts/fetch/kernel.sh" source 6.1)
eval "$assignments"
rm -rf "$dir"
mkdir -p "$dir"
date=$(sed -n 's/^:Date: //p' "$TOP/Documentation/tools/nmr/nmr.rst")
version=$(sed -n 's/^NMR_RELEASE[[:space:]]*:= //p' "$TOP/Kbuild")
"$SOURCE/scripts/kernel-doc" -man -no-doc-sections "$TOP/include/linux/nmr.h" |
	awk -v dir="$dir" -v date="$date" -v source="nmr $version" -f "$TOP/scripts/man.awk"
