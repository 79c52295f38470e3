#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# own-kernel.sh NAME: compile a kernel of kunit/kernels with nmr and its tests, and print shell
# assignments: SOURCE, ARCH, BUILT (a build folder in the cache, one for each configuration) and
# KERNEL (the image to boot).
# own-kernel.sh -l MAKE-ARGUMENT...: only compile nmr and the suites, in build/lint.

. "$(dirname "$0")/../common.sh" || exit 1

[ $# -gt 0 ] || die "usage: ${0##*/} NAME"
lint=
if [ "$1" = -l ]; then
	lint=yes
	name=$(awk '!/^#/ { print $1; exit }' "$TOP/kunit/kernels")
	shift
else
	name=$1
fi

read -r series ARCH config < <(awk -v name="$name" \
	'$1 == name { print $2, $3, $4 }' "$TOP/kunit/kernels") ||
	die "no $name in kunit/kernels"
read -r -a configs <<< "${config//,/ }"
configs=("${configs[@]/#/"$TOP/kunit/"}")

cross=
case $ARCH in
arm64)	cross=aarch64-linux-gnu- image=arch/arm64/boot/Image.gz ;;
riscv)	cross=riscv64-linux-gnu- image=arch/riscv/boot/Image ;;
s390)	cross=s390x-linux-gnu- image=arch/s390/boot/bzImage ;;
um)	image=vmlinux ;;
*)	image=arch/x86/boot/bzImage ;;
esac

# kCFI needs a newer LLVM than the default of Debian 12.
compiler=${cross}gcc options=(--make_options=--silent)
if [[ $config == *kcfi.config* ]]; then
	compiler=clang-16
	options+=(--make_options=LLVM=-16)
fi

# Print all configuration files as one. The last value of an option counts.
merged()
{
	awk '
	/^CONFIG_/ { name = $0; sub(/=.*/, "", name) }
	/^# CONFIG_.* is not set$/ { name = $2 }
	name && !(name in option) { names[++n] = name }
	name { option[name] = $0; name = "" }
	END { for (i = 1; i <= n; i++) print option[names[i]] }' "${configs[@]}"
}

# configure config|build DIR: have kunit.py do it, which checks that each option took effect
configure()
{
	local command=$1 dir=$2

	shift 2
	mkdir -p "$dir"
	merged > "$dir/merged.config"
	(cd "$SOURCE" && python3 tools/testing/kunit/kunit.py "$command" \
		--arch="$ARCH" ${cross:+--cross_compile="$cross"} --build_dir="$dir" \
		--kunitconfig="$dir/merged.config" "${options[@]}" "$@") \
		> "$dir/kunit.log" 2>&1 || {
		cat "$dir/kunit.log" >&2
		die "the $name kernel does not build"
	}
}

compile_only()
{
	configure config "$BUILD/lint/kunit"
	make -C "$SOURCE" ARCH="$ARCH" O="$BUILD/lint/kunit" -s -j"$JOBS" prepare
	make -C "$SOURCE" ARCH="$ARCH" O="$BUILD/lint/kunit" -s -j"$JOBS" "$@" \
	     drivers/nmr/
}

build()
{
	local hash

	hash=$( (merged | sort; "$compiler" --version) | sha256sum | cut -c1-8)
	BUILT=$CACHE/kunit/$name-$VERSION-$hash
	[ -e "$BUILT/vmlinux" ] ||
		say "compiling the $name kernel ($VERSION), once: some minutes"
	configure build "$BUILT" --jobs="$JOBS"
}

"$TOP/scripts/fetch/packages.sh" kernel ${cross:+"$ARCH"}
[ "$compiler" != clang-16 ] || "$TOP/scripts/fetch/packages.sh" clang-16
assignments=$("$TOP/scripts/fetch/kernel.sh" source "$series")
eval "$assignments"
cache_lock "source-$series"
"$TOP/scripts/stage.sh" "$SOURCE"
# A warning in nmr is an error, and one in the rest of the kernel is not. kunit.py hides warnings.
echo 'subdir-ccflags-y += -Werror' >> "$SOURCE/drivers/nmr/Kbuild"
if [ -n "$lint" ]; then
	compile_only "$@"
	exit
fi
build
# Another run may stage other sources and build there, so boot a copy.
KERNEL=$BUILD/kunit/$name/$image
install -D "$BUILT/$image" "$KERNEL"
rm -rf "$BUILD/kunit/$name/modules"
find "$BUILT/drivers/nmr" -name '*.ko' \
	-exec install -D -t "$BUILD/kunit/$name/modules" {} +
printf 'SOURCE=%s\nARCH=%s\nBUILT=%s\nKERNEL=%s\n' "$SOURCE" "$ARCH" "$BUILT" "$KERNEL"
