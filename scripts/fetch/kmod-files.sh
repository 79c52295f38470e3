#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kmod-files.sh: print the options of guest.sh that put kmod and its libraries into a guest, as
# /sbin/modprobe and /sbin/depmod.

. "$(dirname "$0")/../common.sh" || exit 1

"$TOP/scripts/fetch/packages.sh" build
kmod=$(readlink -f "$(PATH=$PATH:/usr/sbin:/sbin command -v modprobe)")
for tool in modprobe depmod; do
	echo "-f $kmod:/sbin/$tool"
done
ldd "$kmod" | awk '/=> \// { print $3 } /^\t\/lib/ { print $1 }' | while read -r library; do
	echo "-f $(readlink -f "$library"):$library"
done
