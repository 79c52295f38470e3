#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kunit.sh [-k KERNEL] [-t SECONDS] [FILTER]: run the KUnit suites with kunit.py.
#
# KERNEL is a line of kunit/kernels, the first if not given; FILTER a glob for
# suites, or SUITE.CASE. Results and the console log are in build/kunit/KERNEL.

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1

kernel=$(awk '!/^#/ { print $1; exit }' "$TOP/kunit/kernels")
seconds=600
while getopts k:t: option; do
	case $option in
	k) kernel=$OPTARG ;;
	t) seconds=$OPTARG ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))

out=$BUILD/kunit/$kernel
log=$out/test.log
machine=$(awk -v name="$kernel" '$1 == name { $1 = $2 = $3 = $4 = $5 = ""; print }' \
	      "$TOP/kunit/kernels")

exec_suites()
{
	(cd "$SOURCE" && python3 tools/testing/kunit/kunit.py exec --arch="$ARCH" \
		--build_dir="$out" --timeout="$seconds" "$@" 2>&1) |
		grep --line-buffered -v '^stty: '
}

# kunit.py ends its command line with an order to reboot after the suites. After
# a -- it is init's instead of the kernel's, and init goes on to the leaks. Only x86-64
# has an init here; elsewhere the suites are all that runs.
run()
{
	local accel args

	if [ "$ARCH" != x86_64 ]; then
		exec_suites --kernel_args="kunit.filter_glob=$1 panic=-1 oops=panic" \
			--qemu_args="-smp 4,sockets=4 -accel tcg,thread=multi"
		echo "exit 0" > "$out/verdict"
		return
	fi
	accel=$(accel)
	args="kunit.enable=1 kunit.filter_glob=$1 $(kernel_args "$accel") --"
	initramfs "$out/initrd" "$TOP/scripts/guest/kmemleak.sh"
	exec_suites --kernel_args="$args" \
		--qemu_args="-no-user-config -smp 4 $accel $machine" \
		--qemu_args="-initrd $out/initrd -serial file:$out/verdict"
}

assignments=$("$TOP/scripts/own-kernel.sh" "$kernel")
eval "$assignments"
"$TOP/scripts/packages.sh" "guest-$ARCH"

rm -f "$log" "$out/verdict"
# What dies before the first suite is booted again, see guest.sh.
for _ in 1 2 3; do
	code=0
	run "${1:-*}" || code=$?
	! grep -q 'KTAP version' "$log" || break
done
judge "$log" "$out/verdict" || code=1
"$TOP/scripts/summary.sh" "$log" || code=1
exit "$code"
