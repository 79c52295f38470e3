# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Work with the root of a Debian 12 in a folder. A script that is root reads this after common.sh
# and vm.sh.

# inside ROOT COMMAND...: run a command in a root that has /proc
inside()
{
	# shellcheck disable=SC2016	# of the other shell
	unshare --mount --pid --fork bash -c '
		mount -t proc proc "$1/proc" && exec chroot "$1" \
			env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"' bash "$@"
}

# install_tests ROOT: install the selftests, and a unit that runs them when the machine has booted
install_tests()
{
	cp -r "$TOP/tools/testing/selftests/nmr" "$1/nmr"
	cp "$TOP/Documentation/admin-guide/nmr-tracing.rst" "$1/nmr"
	cp "$TOP/scripts/guest/machine.sh" "$1/nmr"
	cp "$TOP/scripts/guest/machine.service" "$1/etc/systemd/system/nmr-test.service"
	inside "$1" systemctl --quiet enable nmr-test.service >&2
	# The prompt of a login would stand before a line of the tests.
	inside "$1" systemctl --quiet mask serial-getty@ttyS0.service >&2
}

# make_initramfs ROOT RELEASE [MODULE]...: make the initramfs, which has these modules and those
# that find the disk
make_initramfs()
{
	printf '%s\n' virtio_pci virtio_blk ext4 "${@:3}" >> "$1/etc/initramfs-tools/modules"
	sed -i 's/^MODULES=.*/MODULES=list/' "$1/etc/initramfs-tools/initramfs.conf"
	inside "$1" update-initramfs -c -k "$2" >&2
}

# boot_root NAME ROOT RELEASE PROGRAM [CASE]...: boot the root on a disk of its own, run the cases
# of a program of the selftests, and judge them. The console goes to build/NAME.log.
boot_root()
{
	local name=$1 root=$2 release=$3 program=$4 dir=$BUILD/$1 code=0 cases

	cases=cases=$(IFS=,; echo "${*:5}")
	say "making a disk"
	mkdir -p "$dir"
	rm -f "$dir/disk"
	PATH=$PATH:/sbin:/usr/sbin mke2fs -q -t ext4 -d "$root" "$dir/disk" 4G
	say "booting"
	qemu "$BUILD/$name.log" "$SILENCE" "$(accel)" "$root/boot/vmlinuz-$release" \
	     "$root/boot/initrd.img-$release" "$dir/verdict" \
	     "root=/dev/vda rw systemd.show_status=0 program=$program $cases" \
	     -smp 2 -m 1536 -drive "file=$dir/disk,format=raw,if=virtio,cache=unsafe" |
		awk '/guest: begin/ { on = 1; next } /guest: exit/ { on = 0 } on' || true
	judge "$BUILD/$name.log" "$dir/verdict" || code=1
	rm -f "$dir/disk"
	return $code
}
