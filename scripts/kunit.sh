#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kunit.sh [-k KERNEL] [-t SECONDS] [FILTER]: run the KUnit suites with the kernel's kunit.py.
# kunit.sh -l MAKE-ARGUMENT...: only compile nmr and the suites, in build/lint.
#
# KERNEL is a line of kunit/kernels, the first if not given; FILTER a glob for
# suites, or SUITE.CASE. The kernel is built in the cache, one build folder for
# each configuration; results and the console log are in build/kunit/KERNEL.

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1

kernel=$(awk '!/^#/ { print $1; exit }' "$TOP/kunit/kernels")
lint=
seconds=600
while getopts k:lt: option; do
	case $option in
	k) kernel=$OPTARG ;;
	t) seconds=$OPTARG ;;
	l) lint=yes ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))

read -r series config < <(awk -v name="$kernel" \
	'$1 == name { print $2, $3 }' "$TOP/kunit/kernels") ||
	die "no $kernel in kunit/kernels"
configs=("$TOP/kunit/.kunitconfig" "$TOP/kunit/base.config" "$TOP/kunit/$config")

# The console log, and what kunit.py needs to boot, are this checkout's; the
# source tree and the build folder belong to all.
out=$BUILD/kunit/$kernel
log=$out/test.log

kunit_py()
{
	(cd "$SOURCE" && python3 tools/testing/kunit/kunit.py "$@")
}

# configure config|build DIR: kunit.py checks that every option took.
configure()
{
	local command=$1 dir=$2

	shift 2
	mkdir -p "$dir"
	kunit_py "$command" --arch=x86_64 --build_dir="$dir" \
		"${configs[@]/#/--kunitconfig=}" --make_options=--silent "$@" \
		> "$dir/kunit.log" 2>&1 || {
		cat "$dir/kunit.log" >&2
		die "the $kernel kernel does not build"
	}
}

compile_only()
{
	configure config "$BUILD/lint/kunit"
	make -C "$SOURCE" ARCH=x86_64 O="$BUILD/lint/kunit" -s -j"$JOBS" prepare
	make -C "$SOURCE" ARCH=x86_64 O="$BUILD/lint/kunit" -s -j"$JOBS" "$@" \
	     drivers/nmr/
}

build()
{
	local dir hash

	hash=$(cat "${configs[@]}" <(gcc --version) | sha256sum | cut -c1-8)
	dir=$CACHE/kunit/$kernel-$VERSION-$hash
	[ -e "$dir/vmlinux" ] ||
		say "compiling the $kernel kernel ($VERSION), once: some minutes"
	configure build "$dir" --jobs="$JOBS"
	install -D "$dir/arch/x86/boot/bzImage" "$out/arch/x86/boot/bzImage"
}

# kunit.py ends its command line with an order to reboot after the suites. After
# a -- it is init's instead of the kernel's, and init goes on to the leaks.
run()
{
	local accel args

	accel=$(accel)
	args="kunit.enable=1 kunit.filter_glob=$1 $(kernel_args "$accel") --"
	initramfs "$out/initrd" "$TOP/scripts/guest/kmemleak.sh"
	kunit_py exec --arch=x86_64 --build_dir="$out" --timeout="$seconds" \
		--kernel_args="$args" \
		--qemu_args="-no-user-config -smp 4 $accel" \
		--qemu_args="-initrd $out/initrd -serial file:$out/verdict" 2>&1 |
		grep --line-buffered -v '^stty: '
}

"$TOP/scripts/packages.sh" kernel guest
assignments=$("$TOP/scripts/kernel.sh" source "$series")
eval "$assignments"
(
	cache_lock "source-$series"
	"$TOP/scripts/stage.sh" "$SOURCE"
	if [ -n "$lint" ]; then
		compile_only "$@"
	else
		build
	fi
)
[ -z "$lint" ] || exit 0

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
