#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh -n NAME -k KERNEL -s SCRIPT [-c CPUS] [-m MEM] [-t SECONDS]
#	   [-a KERNEL-ARGS] [-q QEMU-ARGS] [-f FILE[:GUESTPATH]]... [-i]
#
# Boot a kernel that runs SCRIPT, see guest/init. KERNEL is a stock one of fetch/series, or the
# name of an x86-64 one of kunit/kernels. FILE is put into /modules, or else to GUESTPATH.
# Lines "# guest: OPTIONS" in the script set defaults for these options. The console goes to
# build/NAME.log, and to stdout from where the script begins. Succeed if the script does and
# the kernel's log has no complaint. A guest that prints nothing for SECONDS (400) is ended, and
# has failed. With -i the terminal is the console until the guest ends, and there is no verdict.

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1

name='' kernel='' script='' cpus=2 memory=512 silence=$SILENCE args='' qemu_args=''
interactive=
files=()
options()
{
	local option OPTIND=1

	while getopts n:k:s:c:m:t:a:q:f:i option; do
		case $option in
		n) name=$OPTARG ;;
		k) kernel=$OPTARG ;;
		s) script=$OPTARG ;;
		c) cpus=$OPTARG ;;
		m) memory=$OPTARG ;;
		t) silence=$OPTARG ;;
		a) args=$OPTARG ;;
		q) qemu_args=$OPTARG ;;
		f) files+=("$OPTARG") ;;
		i) interactive=yes ;;
		*) exit 1 ;;
		esac
	done
}

options "$@"
if [ -z "$name" ] || [ -z "$kernel" ] || [ ! -e "$script" ]; then
	die "needs -n NAME, -k KERNEL and -s SCRIPT"
fi
eval "options $(sed -n 's/^# guest: //p' "$script" | tr '\n' ' ')"
options "$@"

"$TOP/scripts/fetch/packages.sh" guest
case $kernel in
[0-9]*)	image=$("$TOP/scripts/fetch/kernel.sh" stock "$kernel" | field IMAGE -) ;;
*)	image=$("$TOP/scripts/fetch/own-kernel.sh" "$kernel" | field KERNEL -) ;;
esac
log=$BUILD/$name.log
initrd=$BUILD/$name.cpio
verdict=$BUILD/$name.verdict
initramfs "$initrd" "$script" "${files[@]}"

# QEMU can count instructions only if it runs all CPUs in one thread.
case $qemu_args in
*-icount*) accel="-accel tcg,thread=single" ;;
*)	   accel=$(accel) ;;
esac

if [ -n "$interactive" ]; then
	code=0
	# shellcheck disable=SC2086	# words
	qemu "$log" "" "$accel" "$image" "$initrd" "$verdict" "$args TERM=${TERM:-dumb}" \
	     -smp "$cpus" -m "$memory" $qemu_args || code=$?
	rm -f "$initrd"
	exit "$code"
fi

# QEMU with a thread for each CPU may crash when a kernel patches its own code at boot. A guest
# that ends before init has run nothing of ours, and is booted again.
for _ in 1 2 3; do
	# shellcheck disable=SC2086	# words
	qemu "$log" "$silence" "$accel" "$image" "$initrd" "$verdict" "$args" \
	     -smp "$cpus" -m "$memory" $qemu_args |
		awk '/guest: begin/ { on = 1; next } /guest: exit/ { on = 0 } on' || true
	! grep -q 'guest: begin' "$log" || break
done
rm -f "$initrd"
judge "$log" "$verdict"
