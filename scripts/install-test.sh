#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test make and make modules_install as a user runs them, in a copy of the sources and into a
# folder. The hello pair is built with what they install, and loads with it. KTAP goes to
# build/install.log.

. "$(dirname "$0")/common.sh" || exit 1

# begin SERIES: copy what a user has to build/install/SERIES, and set what builds there.
begin()
{
	assignments=$("$TOP/scripts/fetch/kernel.sh" headers "$1")
	eval "$assignments"
	dir=$BUILD/install/$1
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$TOP"/{Makefile,Kbuild,include,module,scripts} "$TOP/samples/hello" "$dir"
	build=(make -C "$dir" -s -j"$JOBS")
	install=(INSTALL_MOD_PATH="$dir/root" modules_install)
	build_hello=(make -C "$dir/hello" -s KDIR="$KDIR" KCFLAGS=-Werror)
}

# Print the path of the installed module, which differs between kernels.
installed()
{
	find "$dir/root/lib/modules/$RELEASE" -name 'nmr.ko*' | grep .
}

# debug FILE: test that it was built with NMR_DEBUG
debug()
{
	nm "$1" | grep ' nmr_call_trace_enter$'
}

test_what_was_built_is_installed()
{
	"${build[@]}" KDIR="$KDIR" NMR_DEBUG=1 &&
		"${build[@]}" "${install[@]}" && debug "$(installed)"
}

test_what_is_told_now_is_built_and_installed()
{
	"${build[@]}" NMR_DEBUG='' "${install[@]}" && installed && ! debug "$(installed)"
}

test_what_was_not_built_is_built_and_installed()
{
	"${build[@]}" KDIR="$KDIR" "${install[@]}" && installed
}

# info FIELD: print it, one line for each value
info()
{
	PATH=$PATH:/usr/sbin:/sbin modinfo -F "$1" "$(installed)"
}

# The version is the one of Kbuild.
test_modinfo_shows_version_and_author()
{
	[ "$(info version)" = "$(sed -n 's/^NMR_RELEASE[[:space:]]*:= //p' "$TOP/Kbuild")" ] &&
		info author | grep . && info description | grep . &&
		info license | grep -x GPL
}

# modinfo prints "NAME:DESCRIPTION (TYPE)", or "NAME:TYPE" if there is no description.
test_modinfo_describes_each_parameter()
{
	info parm | grep . && ! info parm | grep -v ':.* (.*)$'
}

test_modprobe_finds_it()
{
	modprobe -d "$dir/root" -S "$RELEASE" --show-depends nmr |
		grep -F "insmod $(installed)"
}

test_a_user_is_built_without_a_warning()
{
	"${build_hello[@]}" NMR_DIR="$dir/root/lib/modules/$RELEASE/nmr" &&
		modinfo -F depends "$dir/hello/hello_client.ko" | grep -x nmr
}

test_a_user_looks_where_its_kernel_has_it()
{
	"${build_hello[@]}" -n | grep -F -- "-I/lib/modules/$RELEASE/nmr/include"
}

# If there are no headers for the running kernel, make says so in its first line.
test_make_says_for_which_kernel()
{
	local first

	mkdir "$dir/bin"
	printf '#!/bin/sh\necho 0.0-none\n' > "$dir/bin/uname"
	chmod +x "$dir/bin/uname"
	first=$(PATH=$dir/bin:$PATH make -C "$dir" -n --no-print-directory | sed -n 1p)
	echo "$first"
	[[ $first == *0.0-none*$RELEASE* ]]
}

# run SERIES CASE...: run the cases in this order, in one folder
run()
{
	local series=$1 name verdict

	shift
	begin "$series"
	for name; do
		number=$((number + 1)) verdict=ok
		"test_$name" >&2 || verdict="not ok"
		echo "$verdict $number $name, $series"
	done
}

"$TOP/scripts/fetch/packages.sh" build
number=0
{
	echo "KTAP version 1"
	echo "1..13"
	run 6.1 what_was_built_is_installed what_is_told_now_is_built_and_installed \
		modinfo_shows_version_and_author modinfo_describes_each_parameter \
		modprobe_finds_it a_user_is_built_without_a_warning \
		a_user_looks_where_its_kernel_has_it make_says_for_which_kernel
	run 6.12 what_was_not_built_is_built_and_installed \
		modinfo_shows_version_and_author modinfo_describes_each_parameter \
		modprobe_finds_it \
		a_user_is_built_without_a_warning
} > "$BUILD/install.log"
"$TOP/scripts/summary.sh" "$BUILD/install.log"
