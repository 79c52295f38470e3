#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# try.sh [-k SERIES] [-s SCRIPT] [-d] [MODULE]...: boot a stock kernel of fetch/series (6.1)
# with an nmr.ko that is built for it, and with these modules, all in /modules.
#
# If there is a script, busybox's sh runs it in the guest, and its exit code decides. Otherwise
# this terminal gets a shell in the guest; "exit" ends the guest, and so does Ctrl-A X. -d: build
# nmr.ko with NMR_DEBUG. The console's log is build/vm.log.

. "$(dirname "$0")/common.sh" || exit 1

series=6.1 script='' parent=$BUILD debug=()
while getopts k:s:d option; do
	case $option in
	k) series=$OPTARG ;;
	s) script=$OPTARG ;;
	d) parent=$BUILD/debug debug=(NMR_DEBUG=1) ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))

assignments=$("$TOP/scripts/fetch/kernel.sh" headers "$series")
eval "$assignments"
"$TOP/scripts/fetch/packages.sh" build
# shellcheck disable=SC2153	# of kernel.sh
nmr=$parent/$RELEASE

# fits MODULE: die unless it is a module for this kernel
fits()
{
	local release

	[ -e "$1" ] || die "no $1"
	release=$(PATH=$PATH:/usr/sbin:/sbin modinfo -F vermagic "$1") ||
		die "$1 is not a module"
	release=${release%% *}
	[ "$release" = "$RELEASE" ] || die "$1 is for the kernel $release, and this is" \
		"$RELEASE; build it with: $how"
}

"$TOP/scripts/modules.sh" -d "$parent" "$series" -s "${debug[@]}" > /dev/null
how="make KDIR=$KDIR NMR_MK=$nmr/nmr.mk"
[ $# -gt 0 ] || say "modules for this kernel are built with: $how"
for module; do
	fits "$module"
done
run=("$TOP/scripts/guest.sh" -n vm -k "$series" -f "$nmr/nmr.ko" "${@/#/-f}")
[ -n "$script" ] || exec "${run[@]}" -i -s "$TOP/scripts/guest/shell.sh"
exec "${run[@]}" -s "$script"
