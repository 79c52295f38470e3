#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What make modules_install leaves is enough to build a user's module: the hello
# pair is built from a copy against it, without a warning. KTAP in build/install.log.

. "$(dirname "$0")/common.sh" || exit 1

# user_build SERIES: in build/install/SERIES
user_build()
{
	local dir=$BUILD/install/$1 assignments KDIR RELEASE

	"$TOP/scripts/packages.sh" build
	assignments=$("$TOP/scripts/kernel.sh" headers "$1")
	eval "$assignments"
	rm -rf "$dir"
	mkdir -p "$dir/nmr"
	cp -r "$TOP"/{Makefile,Kbuild,include,module} "$TOP/samples/hello" "$dir"
	make -C "$dir" -s -j"$JOBS" KDIR="$KDIR" INSTALL_MOD_PATH="$dir/root" modules_install
	make -C "$dir/hello" -s KDIR="$KDIR" KCFLAGS=-Werror \
	     NMR_DIR="$dir/root/lib/modules/$RELEASE/nmr"
	modinfo -F depends "$dir/hello/hello_client.ko" | grep -qx nmr
}

[ $# -eq 0 ] || {
	user_build "$1"
	exit
}

number=0 code=0
{
	echo "KTAP version 1"
	echo "1..2"
	for series in 6.1 6.12; do
		number=$((number + 1)) verdict=ok
		"$0" "$series" >&2 || verdict="not ok" code=1
		echo "$verdict $number build against nmr for $series"
	done
} > "$BUILD/install.log"
exit $code
