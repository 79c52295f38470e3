#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kunit.sh [-k KERNEL] [-t SECONDS] [FILTER]: run the KUnit suites; kunit.py says how they
# went.
#
# KERNEL is a line of kunit/kernels, the first if not given; FILTER a glob for
# suites, or SUITE.CASE. Results and the console log are in build/kunit/KERNEL. A kernel
# that says nothing for SECONDS (400) is ended, and has failed.

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

# On x86-64 an init looks for leaks when the suites are through. There is none for the
# other machines: the kernel reboots, and only the results tell whether all suites ran.
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
	args+=" kunit_shutdown=reboot panic=-1 oops=panic"
	case $ARCH in
	arm64)	machine="qemu-system-aarch64 -machine virt -cpu cortex-a57"
		args+=" console=ttyAMA0" ;;
	*)	machine=qemu-system-$ARCH
		args+=" console=ttyS0" ;;
	esac
	# shellcheck disable=SC2086	# words
	console "$log" "$silence" $machine -accel tcg,thread=multi -smp 4,sockets=4 \
		-m 1024 -kernel "$image" -append "$args"
	echo "exit 0" > "$out/verdict"
}

# kunit.py goes with the last result; what the kernel says after that belongs to the log.
parse()
{
	local code=0

	python3 "$SOURCE/tools/testing/kunit/kunit.py" parse || code=$?
	cat > /dev/null
	return $code
}

assignments=$("$TOP/scripts/fetch/own-kernel.sh" "$kernel")
eval "$assignments"
# shellcheck disable=SC2153	# of own-kernel.sh
image=$KERNEL
"$TOP/scripts/fetch/packages.sh" "guest-$ARCH"

# What dies before the first suite is booted again, see guest.sh.
for _ in 1 2 3; do
	code=0
	run "${1:-*}" | parse || code=$?
	! grep -q 'KTAP version' "$log" || break
done
judge "$log" "$out/verdict" || code=1
"$TOP/scripts/summary.sh" "$log" || code=1
exit "$code"
