#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# network-files.sh KERNEL: print the options of guest.sh that put iproute2's ip, perl and BIRD into
# a guest, and the modules of a stock kernel for the devices that the samples are tested with.
# Other kernels have these devices built in.

. "$(dirname "$0")/../common.sh" || exit 1

"$TOP/scripts/fetch/packages.sh" network
"$TOP/scripts/fetch/program-files.sh" ip perl
"$TOP/scripts/fetch/bird.sh"

case $1 in
[0-9]*)	;;
*)	exit 0 ;;
esac
assignments=$("$TOP/scripts/fetch/kernel.sh" stock "$1")
eval "$assignments"
mkdir -p "$BUILD/stock/$RELEASE"
for device in dummy veth; do
	# shellcheck disable=SC2153	# of kernel.sh
	for module in "$MODULES/kernel/drivers/net/$device".ko*; do
		ko=$BUILD/stock/$RELEASE/$device.ko
		case $module in
		*.xz)	xz -dc "$module" > "$ko" ;;
		*)	cp "$module" "$ko" ;;
		esac
		echo "-f $ko"
	done
done
