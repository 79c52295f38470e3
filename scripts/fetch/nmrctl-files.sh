#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nmrctl-files.sh [TEST-PROGRAMS]: build nmrctl, and print the options of guest.sh that put it
# into a guest; with an argument, also kmod, jq and tmux, by which its tests look at it, and its
# manual, the examples of which the tests run. With NMRCTL_SANITIZE=1 in the environment, the
# tool is built with ASan and UBSan.

. "$(dirname "$0")/../common.sh" || exit 1

make --no-print-directory -C "$TOP" tools >&2
tool=$BUILD/nmrctl/nmrctl
if [ -n "${NMRCTL_SANITIZE-}" ]; then
	make --no-print-directory -C "$TOP/tools/nmrctl" sanitize >&2
	tool=$BUILD/nmrctl/sanitize/nmrctl
fi
"$TOP/scripts/fetch/program-files.sh" "$tool"
[ $# -gt 0 ] || exit 0
"$TOP/scripts/fetch/packages.sh" tools-test
"$TOP/scripts/fetch/program-files.sh" modprobe:/sbin/modprobe depmod:/sbin/depmod jq tmux
echo "-f $TOP/Documentation/tools/nmr/nmrctl.rst:/nmr/nmrctl.rst"
echo "-f /usr/lib/locale/C.utf8/LC_CTYPE:/usr/lib/locale/C.utf8/LC_CTYPE"
for terminal in s/screen t/tmux x/xterm d/dumb; do
	[ ! -e "/lib/terminfo/$terminal" ] ||
		echo "-f /lib/terminfo/$terminal:/lib/terminfo/$terminal"
done
