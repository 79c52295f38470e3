#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bird.sh: print the options of guest.sh that put BIRD, a routing daemon, into a guest, with the
# libraries that it needs. Debian's packages are unpacked into the cache. Nothing is installed.

. "$(dirname "$0")/../common.sh" || exit 1

tree=$CACHE/bird
packages=(bird2 libssh-gcrypt-4 libgcrypt20 libgpg-error0 libgssapi-krb5-2 libkrb5-3 libk5crypto3
	  libkrb5support0 libcom-err2 libkeyutils1 zlib1g)

cache_lock bird
if [ ! -e "$tree" ]; then
	say "downloading bird2"
	tmp=$(mktemp -d "$tree.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	(cd "$tmp" && apt_or_update apt-get -o APT::Sandbox::User=root download "${packages[@]}")
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$tmp/tree"
	done
	mv "$tmp/tree" "$tree"
fi

libraries=$tree/usr/lib/x86_64-linux-gnu:$tree/lib/x86_64-linux-gnu
for program in bird birdcl; do
	echo "-f $tree/usr/sbin/$program:/bin/$program"
	LD_LIBRARY_PATH=$libraries ldd "$tree/usr/sbin/$program" |
		awk '/=> \// { print $3 } /^\t\/lib/ { print $1 }'
done | while read -r option file; do
	# A library of the tree goes where the loader of the guest looks.
	case $option in
	-f)		echo "-f $file" ;;
	"$tree"/*)	echo "-f $(readlink -f "$option"):/lib/x86_64-linux-gnu/${option##*/}" ;;
	*)		echo "-f $(readlink -f "$option"):$option" ;;
	esac
done | sort -u
