#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# machine.sh [CASE]...: test nmr and nmrctl on a whole Debian 12, see
# test-machine.sh: systemd, udevd, modprobe, an initramfs of initramfs-tools, bpftrace, perf and
# trace-cmd, on a stock kernel. Needs root. The console goes to build/machine.log.

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1
. "$(dirname "$0")/debian-root.sh" || exit 1

SERIES=6.1
dir=$BUILD/machine
root=$dir/root

# Put our own parts in: modules, tools and tests.
install_ours()
{
	"$TOP/scripts/modules.sh" -d "$dir/modules" "$SERIES" > /dev/null
	# shellcheck disable=SC2153	# of kernel.sh
	make -C "$KDIR" M="$dir/modules/$RELEASE" INSTALL_MOD_PATH="$root" DEPMOD=true \
		CONFIG_NMR_SAMPLES=m CONFIG_NMR_TEST_MODULES=m modules_install > /dev/null
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$root" "$RELEASE"
	make -s -C "$TOP" tools_install DESTDIR="$root" prefix=/usr >&2
	cp "$TOP/tools/nmrctl/90-nmr-sample.rules" "$root/etc/udev/rules.d"
	install_tests "$root"
	inside "$root" systemctl --quiet enable nmr-load.service >&2
}

[ "$(id -u)" -eq 0 ] || die "needs root, to install into the root of a machine"
"$TOP/scripts/fetch/packages.sh" guest machine tools
assignments=$("$TOP/scripts/fetch/machine.sh" "$SERIES")
eval "$assignments"
# shellcheck disable=SC2153	# of fetch/machine.sh
base=$ROOT
assignments=$("$TOP/scripts/fetch/kernel.sh" headers "$SERIES")
eval "$assignments"

say "copying $base"
rm -rf "$root"
mkdir -p "$dir"
cp -a --reflink=auto "$base" "$root"
say "installing nmr"
install_ours
# It has a client, and no provider.
make_initramfs "$root" "$RELEASE" hello_client
code=0
boot_root machine "$root" "$RELEASE" test-machine.sh "$@" || code=1
rm -rf "$root"
exit $code
