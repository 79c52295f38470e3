#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# patch.sh [SERIES...]: write patches that put nmr into a pristine kernel tree of each series, for
# git am, into build/patch/SERIES. Without arguments: of 6.1, 6.12 and the newest series.
#
# patch/tree.sh makes the tree. Each file patch/N-NAME is the message of one patch. Its first line
# has the paths that the patch takes of those that no patch before it took. The project's last
# commit gives the author and the date, so that the same commit gives the same patches.

. "$(dirname "$0")/common.sh" || exit 1

# In Kbuild and Kconfig, a line that names a folder comes with the patch that adds the folder, and
# so does what selects a symbol. A condition around no line is left out. in_turn FILE: print the
# file as it is now.
in_turn()
{
	local line folder

	while IFS= read -r line; do
		folder=
		if [[ $line =~ \+=\ ([a-z/]+)/[a-z_.]*$ ]]; then
			folder=${1%/*}/${BASH_REMATCH[1]}
		elif [[ $line =~ ^source\ \"(.*)/Kconfig\" ]]; then
			folder=${BASH_REMATCH[1]}
		elif [[ $line == *'select NMR_NETIO'* ]]; then
			folder=drivers/nmr/netio
		fi
		[[ -z $folder || $there == *"$folder/"* ]] || continue
		printf '%s\n' "$line"
	done < "$1" | perl -0pe 's/\n(#.*\n)*ifeq .*\nendif$//mg; s/\n+\z/\n/'
}

# commit MESSAGE: commit what the message takes
commit()
{
	local paths there file blob

	read -r -a paths < <(sed -n '1s/^# //p' "$1")
	git add --sparse --force -- "${paths[@]}"
	there=$(git ls-files drivers/nmr)
	for file in drivers/nmr/{Kbuild,Kconfig} drivers/nmr/{kunit,samples}/Kconfig \
		drivers/nmr/samples/Kbuild; do
		[[ $there == *"$file"* ]] || continue
		blob=$(in_turn "$file" | git hash-object -w --stdin)
		git update-index --cacheinfo "100644,$blob,$file"
	done
	git commit -q -s -F "$1" --cleanup=strip
}

# Write the patches of one series. Of the tree only those folders exist that nmr goes into.
patches()
{
	local series=$1 out=$BUILD/patch/$1 tree assignments message left

	tree=$BUILD/patch/$series.scratch
	rm -rf "$out" "$tree"
	assignments=$("$TOP/scripts/fetch/kernel.sh" pristine "$series") || {
		say "no patches for $series: $(field SKIP - <<< "$assignments")"
		return
	}
	eval "$assignments"
	# shellcheck disable=SC2153	# of kernel.sh
	git clone -q --shared --no-checkout "$PRISTINE" "$tree"
	cd "$tree"
	git sparse-checkout set --no-cone '/*' '!/*/' '/drivers/*' '!/drivers/*/' \
		'/scripts/unifdef.c' '/include/linux/' '/tools/testing/selftests/Makefile' \
		'/Documentation/driver-api/index.rst' '/Documentation/tools/index.rst' \
		'/Documentation/ABI/testing/'
	git checkout -q
	"$TOP/scripts/patch/tree.sh" "$tree" "$name <$email>"
	for message in "$TOP"/scripts/patch/[0-9]-*; do
		commit "$message"
	done
	left=$(git status --porcelain --ignored)
	[ -z "$left" ] || die "no patch takes: $left"
	git format-patch -q --no-signature --zero-commit --abbrev=12 -o "$out" origin
	rm -rf "$tree"
}

name=$(git -C "$TOP" log -1 --format=%an) email=$(git -C "$TOP" log -1 --format=%ae)
date=$(git -C "$TOP" log -1 --format=%aI)
export GIT_AUTHOR_NAME=$name GIT_AUTHOR_EMAIL=$email GIT_AUTHOR_DATE=$date
export GIT_COMMITTER_NAME=$name GIT_COMMITTER_EMAIL=$email GIT_COMMITTER_DATE=$date
mapfile -t all < <(patch_series)
[ $# -gt 0 ] || set -- "${all[@]}"
for series; do
	(patches "$series")
done
