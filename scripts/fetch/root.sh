#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# root.sh [-d PACKAGE] SERIES SUITE...: unpack the newest kernel of a series, its headers and its
# compiler, from these suites of the archive that the machine's apt has, into a root in the cache.
# Nothing is installed, and no script of a package runs. Print KDIR, RELEASE, IMAGE and MODULES as
# kernel.sh does. With -d only download a package of these suites, into the current folder.
#
# If the archive lacks the series or cannot be reached, or if there are no mount namespaces, in
# which root.mk runs make, print SKIP, the reason, and exit with 4.

. "$(dirname "$0")/../common.sh" || exit 1

package=
if [ "${1-}" = -d ]; then
	package=${2-}
	shift 2
fi
[ $# -ge 2 ] || die "usage: ${0##*/} [-d PACKAGE] SERIES SUITE..."
series=$1
shift
suites=("$@")
root=$CACHE/root/$series

# What the headers do not depend on, but make and kbuild run
programs=(bash binutils coreutils dash findutils grep make mawk perl-base sed xz-utils)

# archive LABEL: print the address of the archive by that name that apt is configured for
archive()
{
	# shellcheck disable=SC2016	# for apt
	apt-get indextargets --format '$(REPO_URI)' "Label: $1" | sed -n 1p
}

# Print the lines of sources.list for the suites.
sources()
{
	local suite label address

	for suite in "${suites[@]}"; do
		label=Debian
		[[ $suite != *-security ]] || label=Debian-Security
		address=$(archive $label)
		[ -n "$address" ] || return 1
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
		     "$address $suite main"
	done
}

# apt COMMAND ARGUMENT...: run apt-COMMAND with the suites alone, as if nothing were installed
apt()
{
	local command=$1

	shift
	"apt-$command" -o Dir::Etc::SourceList="$tmp/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::State="$tmp/state" \
		-o Dir::State::Status=/dev/null -o Dir::Cache="$tmp/cache" \
		-o APT::Sandbox::User="$(id -un)" -o APT::Update::Error-Mode=any \
		-o Acquire::Languages=none -o Debug::NoLocking=yes -qq "$@"
}

# Print the release of the newest kernel.
newest()
{
	apt cache search --names-only \
		"^linux-headers-${series//./\\.}\\.[0-9].*-cloud-amd64\$" |
		sed 's/ .*//; s/^linux-headers-//' | sort -V | tail -n 1
}

# download RELEASE: get all packages into the current folder. By 7.0 the image is in a package
# "binary", and the modules are in another.
download()
{
	local package kernel=()

	for package in linux-{image,binary,modules}-"$1"; do
		apt cache show "$package" > /dev/null 2>&1 && kernel+=("$package")
	done
	apt get download "${kernel[@]}" &&
		apt get --yes --no-install-recommends --download-only install \
			"linux-headers-$1" "${programs[@]}" &&
		mv "$tmp"/cache/archives/*.deb .
}

# unpack DIR: put the packages of the current folder there. All that is outside of /usr goes
# inside, as on machines of today.
unpack()
{
	local dir deb

	mkdir -p "$1/usr"
	for dir in bin lib lib64 sbin; do
		mkdir "$1/usr/$dir"
		ln -s "usr/$dir" "$1/$dir"
	done
	for deb in ./*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x --keep-directory-symlink --no-same-owner -C "$1"
	done
	ln -sf mawk "$1/usr/bin/awk"
}

# Have apt know what the suites have.
update()
{
	command -v apt-get > /dev/null || skip "no apt-get to find a $series kernel with"
	mkdir -p "$tmp"/{state/lists/partial,cache/archives/partial,debs}
	sources > "$tmp/sources.list" || skip "apt is configured for no archive of Debian"
	apt get update >&2 || skip "no ${suites[*]} in the archive, or no way to it"
}

# make_root: make it whole, then rename it
make_root()
{
	local release headers user=()

	[ "$(id -u)" -eq 0 ] || user=(--map-root-user)
	unshare --mount "${user[@]}" true 2> /dev/null ||
		skip "no mount namespaces to build for $series in"
	say "downloading $series, its headers and its compiler"
	update
	release=$(newest)
	[ -n "$release" ] || skip "no $series kernel in ${suites[*]}"
	(cd "$tmp/debs" && download "$release" >&2) ||
		skip "the archive does not have all of the $release kernel"
	(cd "$tmp/debs" && unpack "$tmp/root")
	headers=$tmp/root/usr/src/linux-headers-$release
	mv "$headers/Makefile" "$headers/Makefile.debian"
	cp "$TOP/scripts/fetch/root.mk" "$headers/Makefile"
	echo "$release" > "$tmp/root/release"
	mkdir -p "${root%/*}"
	mv "$tmp/root" "$root"
}

if [ -n "$package" ] || [ ! -e "$root" ]; then
	tmp=$(mktemp -d "$CACHE/root.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
fi
if [ -n "$package" ]; then
	update
	apt get download "$package" >&2 || skip "no $package in ${suites[*]}"
	exit
fi
[ -e "$root" ] || make_root
RELEASE=$(cat "$root/release")
printf 'KDIR=%s\nRELEASE=%s\nIMAGE=%s\nMODULES=%s\n' "$root/usr/src/linux-headers-$RELEASE" \
	"$RELEASE" "$(find "$root/boot" "$root/usr/lib/modules/$RELEASE" -name 'vmlinuz*')" \
	"$root/usr/lib/modules/$RELEASE"
