#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# machine.sh [CASE]...: test nmr and nmrctl on a whole Debian 12: systemd, udevd, modprobe, an initramfs of
# initramfs-tools, bpftrace and trace-cmd, on a stock kernel. guest/machine.sh runs in it. Needs
# root. The console goes to build/machine.log.

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1

SERIES=6.1
dir=$BUILD/machine
root=$dir/root

# inside COMMAND...: run a command in the root of the machine
inside()
{
	chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" >&2
}

# Put our own parts in: modules, tools, tests, and a unit that runs these.
install_ours()
{
	"$TOP/scripts/modules.sh" -d "$dir/modules" "$SERIES" > /dev/null
	make -C "$KDIR" M="$dir/modules/$RELEASE" INSTALL_MOD_PATH="$root" DEPMOD=true \
		CONFIG_NMR_SAMPLES=m CONFIG_NMR_TEST_MODULES=m modules_install > /dev/null
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$root" "$RELEASE"
	make -s -C "$TOP" tools_install DESTDIR="$root" prefix=/usr >&2
	cp -r "$TOP/tools/testing/selftests/nmr" "$root/nmr"
	cp "$TOP/scripts/guest/machine.sh" "$root/nmr"
	cp "$TOP/tools/nmrctl/90-nmr-sample.rules" "$root/etc/udev/rules.d"
	cp "$TOP/scripts/guest/machine.service" "$root/etc/systemd/system/nmr-test.service"
	inside systemctl --quiet enable nmr-test.service nmr-load.service
}

# Make the initramfs, which has a client and no provider.
make_initramfs()
{
	printf '%s\n' virtio_pci virtio_blk ext4 hello_client \
		>> "$root/etc/initramfs-tools/modules"
	sed -i 's/^MODULES=.*/MODULES=list/' "$root/etc/initramfs-tools/initramfs.conf"
	inside update-initramfs -c -k "$RELEASE"
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
make_initramfs
say "making a disk"
rm -f "$dir/disk"
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -t ext4 -d "$root" "$dir/disk" 3G
say "booting"
qemu "$BUILD/machine.log" "$SILENCE" "$(accel)" "$root/boot/vmlinuz-$RELEASE" \
     "$root/boot/initrd.img-$RELEASE" "$dir/verdict" \
     "root=/dev/vda rw systemd.show_status=0 cases=$(IFS=,; echo "$*")" -smp 2 -m 1536 \
     -drive "file=$dir/disk,format=raw,if=virtio,cache=unsafe" |
	awk '/guest: begin/ { on = 1; next } /guest: exit/ { on = 0 } on' || true
code=0
judge "$BUILD/machine.log" "$dir/verdict" || code=1
rm -rf "$root" "$dir/disk"
exit $code
