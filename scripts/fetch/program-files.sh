#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# program-files.sh PROGRAM[:GUESTPATH]...: print the options of guest.sh that put programs of
# this machine and their libraries into a guest. A program is a name or a path, and GUESTPATH is
# /bin/NAME if it is not given.

. "$(dirname "$0")/../common.sh" || exit 1

PATH=$PATH:/usr/sbin:/sbin
for program; do
	path=/bin/$(basename "${program%%:*}")
	case $program in
	*:*)	path=${program#*:} program=${program%%:*} ;;
	esac
	file=$(readlink -f "$(command -v "$program")") || die "no $program"
	echo "-f $file:$path"
	ldd "$file" | awk '/=> \// { print $3 } /^\t\/lib/ { print $1 }' |
		while read -r library; do
			echo "-f $(readlink -f "$library"):$library"
		done
done | sort -u
