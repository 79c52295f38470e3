#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kunit.sh [-k KERNEL] [-t SECONDS] [FILTER]: run the KUnit suites, and have kunit.py print the
# results.
#
# KERNEL names a line of kunit/kernels; the default is the first. FILTER is a glob for suites, or
# SUITE.CASE. The results and the console's log go to build/kunit/KERNEL. A kernel that prints
# nothing for SECONDS (400) is ended, and has failed.

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1

kernel=$(awk '!/^#/ { print $1; exit }' "$TOP/kunit/kernels")
silence=$SILENCE
while getopts k:t: option; do
	case $option in
	k) kernel=$OPTARG ;;
	t) silence=$OPTARG ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))

out=$BUILD/kunit/$kernel
log=$out/test.log
extra=$(awk -v name="$kernel" '$1 == name { $1 = $2 = $3 = $4 = $5 = ""; print }' \
	      "$TOP/kunit/kernels")

# uml ARGS: run User-mode Linux, which is a process. Its time skips waits. If its console is a pipe that
# is full, it drops lines, so the console is the log.
uml()
{
	local code=0

	: > "$log"
	# shellcheck disable=SC2086,SC2094	# words; watched() looks at the size of the log
	watched "$log" "$silence" "$image" mem=1G console=tty time-travel $1 \
		kunit_shutdown=halt oops=panic < /dev/null >> "$log" 2>&1 || code=$?
	cat "$log"
	return $code
}

# run FILTER: boot the kernel. On x86-64 an init looks for leaks after the suites. On the other
# machines there is no init: the kernel reboots, or halts, after the suites.
run()
{
	local machine args="kunit.enable=1 kunit.filter_glob=$1"

	if [ "$ARCH" = x86_64 ]; then
		initramfs "$out/initrd" "$TOP/scripts/guest/kmemleak.sh"
		# shellcheck disable=SC2086	# words
		qemu "$log" "$silence" "$(accel)" "$image" "$out/initrd" \
		     "$out/verdict" "$args" -smp 4 -m 1024 $extra
		return
	fi
	case $ARCH in
	um)	machine='' ;;
	arm64)	machine="qemu-system-aarch64 -machine virt -cpu cortex-a57"
		args+=" console=ttyAMA0" ;;
	riscv)	machine="qemu-system-riscv64 -machine virt -cpu rv64"
		args+=" console=ttyS0" ;;
	s390)	machine="qemu-system-s390x -machine s390-ccw-virtio -cpu qemu"
		args+=" console=ttyS0" ;;
	*)	machine=qemu-system-$ARCH
		args+=" console=ttyS0" ;;
	esac
	if [ "$ARCH" = um ]; then
		uml "$args"
	else
		args+=" kunit_shutdown=reboot panic=-1 oops=panic softlockup_panic=1"
		# shellcheck disable=SC2086	# words
		console "$log" "$silence" $machine -accel tcg,thread=multi -smp 4,sockets=4 \
			-m 1024 -kernel "$image" -append "$args"
	fi
	echo "exit 0" > "$out/verdict"
}

# kunit.py exits after the last result. Read on, so that the log gets the rest.
parse()
{
	local code=0

	python3 "$SOURCE/tools/testing/kunit/kunit.py" parse || code=$?
	cat > /dev/null
	return $code
}

mkdir -p "$out"
! skipped "$kernel" "$log" || exit 0
assignments=$("$TOP/scripts/fetch/own-kernel.sh" "$kernel")
eval "$assignments"
# shellcheck disable=SC2153	# of own-kernel.sh
image=$KERNEL
"$TOP/scripts/fetch/packages.sh" "guest-$ARCH"

# A kernel that ends before the first suite is booted again, see guest.sh.
for _ in 1 2 3; do
	code=0
	run "${1:-*}" | parse || code=$?
	! grep -q 'KTAP version' "$log" || break
done
judge "$log" "$out/verdict" || code=1
"$TOP/scripts/summary.sh" "$log" || code=1
exit "$code"
