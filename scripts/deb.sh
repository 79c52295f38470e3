#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deb.sh: build packages of Debian into build/deb, have lintian check them, and print their paths.

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/deb

"$TOP/scripts/fetch/packages.sh" build tools deb
tarball=$("$TOP/scripts/dist.sh")
rm -rf "$out"
mkdir -p "$out"
name=$(basename "$tarball" .tar.xz)
cp "$tarball" "$out/${name/-/_}.orig.tar.xz"
tar -C "$out" -xf "$tarball"
cp -r "$TOP/debian" "$out/$name"
cd "$out/$name"
dpkg-buildpackage -us -uc > "$out/build.log" 2>&1 || {
	tail -n 40 "$out/build.log" >&2
	die "the packages do not build: $out/build.log"
}
lintian --allow-root --pedantic --display-info --fail-on=error,warning,info,pedantic \
	"$out"/*.changes >&2
ls "$out"/*.deb
