#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dist.sh: write build/dist/nmr-VERSION.tar.xz, and print its path: what is committed, without
# what belongs to packages of Debian, and man/man9, which needs the source of a kernel to make.
# The same commit gives the same file.

. "$(dirname "$0")/common.sh" || exit 1

[ -e "$TOP/.git" ] || die "needs a clone by git: a tarball has what make and dkms need"
version=$(sed -n 's/^NMR_RELEASE[[:space:]]*:= //p' "$TOP/Kbuild")
name=nmr-$version
out=$BUILD/dist

cd "$TOP"
[ -z "$(git status --porcelain --untracked-files=no)" ] ||
	say "what is not committed is left out"
rm -rf "$out"
mkdir -p "$out/$name"
git archive HEAD | tar -x -C "$out/$name" --exclude=./debian
rm -rf "$out/$name"/{debian,.ci}
"$TOP/scripts/man.sh" "$out/$name/man" >&2
tar -C "$out" -c --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s \
	--mtime="@$(git log -1 --format=%ct)" "$name" | xz -T1 -6 > "$out/$name.tar.xz"
echo "$out/$name.tar.xz"
