#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Find Debian's kernels in the cache, or fetch them.
#
#   kernel.sh headers SERIES	  KDIR and RELEASE, to build modules
#   kernel.sh stock SERIES	  the same, IMAGE to boot, and MODULES, the folder of its modules
#   kernel.sh source 6.1|6.12	  SOURCE, a tree, and VERSION; scripts/stage.sh may have run on it
#   kernel.sh pristine SERIES	  PRISTINE, a bare repository with one commit, the tree of Debian's
#				  package linux-source-SERIES as it is
#
# SERIES is in the first column of fetch/series.
#
# Print shell assignments. If the cache has no kernel of a series, the newest of Debian is taken;
# remove the cache to get a newer one. If this machine cannot get the series, print SKIP, the
# reason, and exit with 4, as root.sh does.

. "$(dirname "$0")/../common.sh" || exit 1

# newest PATTERN: print the newest package of apt's lists with such a name
newest()
{
	apt-cache search --names-only "$1" | cut -d' ' -f1 | sort -V | tail -n1
}

# resolve SERIES: print the release of its newest kernel by apt, and fail if there is none. The
# cloud flavour is small; the realtime kernel has none.
resolve()
{
	local series=${1%-rt} flavour=cloud-amd64 pattern package

	[ "$series" = "$1" ] || flavour=rt-amd64

	command -v apt-get > /dev/null ||
		die "Debian's apt-get is needed to find a stock $series kernel;" \
		    "make KDIR=... builds for another"
	pattern="^linux-image-${series//./\\.}\\.[0-9].*-$flavour-unsigned\$"
	package=$(newest "$pattern")
	if [ -z "$package" ]; then
		as_root apt-get -qq update >&2 || true
		package=$(newest "$pattern")
	fi
	[ -n "$package" ] || return 1
	package=${package#linux-image-}
	echo "${package%-unsigned}"
}

# release SERIES: print the release that the cache has settled on, for headers and image alike
release()
{
	local series=$1 known=$CACHE/release-$1

	if [ ! -s "$known" ]; then
		resolve "$series" > "$known.new" || return
		mv "$known.new" "$known"
	fi
	cat "$known"
}

headers()
{
	RELEASE=$(release "$1") || skip "no $1 kernel in the archive, or no way to it"
	KDIR=/usr/src/linux-headers-$RELEASE
	[ -e "$KDIR/Makefile" ] || install_packages "linux-headers-$RELEASE" ||
		skip "linux-headers-$RELEASE cannot be installed"
}

# download PACKAGE: from the suites of the series
download()
{
	if [ ${#suites[@]} -gt 0 ]; then
		"$TOP/scripts/fetch/root.sh" -d "$1" "$series" "${suites[@]}"
	else
		apt_or_update apt-get -o APT::Sandbox::User=root download "$1"
	fi
}

# fetch PACKAGE UNPACK TARGET: download it, run "UNPACK DEB DIR", and rename DIR to TARGET
fetch()
{
	local package=$1 unpack=$2 target=$3 tmp

	say "downloading $package"
	mkdir -p "${target%/*}"
	tmp=$(mktemp -d "$target.XXXXXX")
	# shellcheck disable=SC2064	# this directory, now
	trap "rm -rf '$tmp'" EXIT
	(cd "$tmp" && download "$package" >&2) ||
		skip "no $package in the archive, or no way to it"
	mkdir "$tmp/tree"
	"$unpack" "$tmp"/*.deb "$tmp/tree"
	mv "$tmp/tree" "$target"
	rm -rf "$tmp"
}

unpack_image()
{
	dpkg-deb -x "$1" "$2"
}

unpack_source()
{
	say "unpacking ${1##*/}"
	dpkg-deb --fsys-tarfile "$1" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		tar -xJ -C "$2" --strip-components=1
}

# With this threshold git adds all files to one pack, and none to a file of its own.
unpack_pristine()
{
	local tree=$2.tree
	local git=(git -C "$tree" --git-dir="$2" --work-tree=. -c core.bigFileThreshold=1)

	git init -q --bare "$2"
	mkdir "$tree"
	unpack_source "$1" "$tree"
	"${git[@]}" add --all --force
	GIT_AUTHOR_DATE='@0 +0000' GIT_COMMITTER_DATE='@0 +0000' "${git[@]}" \
		-c user.name=Debian -c user.email= commit -q -m "$(basename "$1" .deb)"
	rm -rf "$tree"
}

stock()
{
	headers "$1"
	IMAGE=$CACHE/stock/$RELEASE/boot/vmlinuz-$RELEASE
	MODULES=$CACHE/stock/$RELEASE/lib/modules/$RELEASE
	[ -e "$IMAGE" ] || fetch "linux-image-$RELEASE-unsigned" unpack_image \
			       "$CACHE/stock/$RELEASE"
}

# source_tree SERIES: set SOURCE, and VERSION by the tree's Makefile
source_tree()
{
	SOURCE=$CACHE/source/$1
	if [ ! -e "$SOURCE/Makefile" ]; then
		"$TOP/scripts/fetch/packages.sh" source
		fetch "linux-source-$1" unpack_source "$SOURCE"
	fi
	VERSION=$1.$(sed -n 's/^SUBLEVEL = //p' "$SOURCE/Makefile")
}

pristine()
{
	PRISTINE=$CACHE/pristine/$1.git
	[ -e "$PRISTINE" ] || {
		"$TOP/scripts/fetch/packages.sh" source
		fetch "linux-source-$1" unpack_pristine "$PRISTINE"
	}
}

[ $# -eq 2 ] || die "usage: ${0##*/} headers|stock|source|pristine SERIES"
series=$2
read -r -a suites < <(awk -v series="$2" '$1 == series { $1 = $2 = ""; print }' \
			  "$TOP/scripts/fetch/series") ||
	[ "$1" = source ] || die "no $2 in fetch/series"
cache_lock "kernel-$2"
if [[ $1 != source && $1 != pristine && ${#suites[@]} -gt 0 ]]; then
	exec "$TOP/scripts/fetch/root.sh" "$2" "${suites[@]}"
fi
case $1 in
headers)
	headers "$2"
	printf 'KDIR=%s\nRELEASE=%s\n' "$KDIR" "$RELEASE"
	;;
stock)
	stock "$2"
	printf 'KDIR=%s\nRELEASE=%s\nIMAGE=%s\nMODULES=%s\n' \
	       "$KDIR" "$RELEASE" "$IMAGE" "$MODULES"
	;;
source)
	source_tree "$2"
	printf 'SOURCE=%s\nVERSION=%s\n' "$SOURCE" "$VERSION"
	;;
pristine)
	pristine "$2"
	printf 'PRISTINE=%s\n' "$PRISTINE"
	;;
*)
	die "no $1"
	;;
esac
