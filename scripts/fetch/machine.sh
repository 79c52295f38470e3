#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# machine.sh SERIES [PACKAGE]...: install Debian 12 with systemd, udev, a stock kernel of the series
# and these packages into a folder of the cache, and print ROOT, the folder, and RELEASE, the
# kernel. Packages come from where this machine gets its own. Needs root.

. "$(dirname "$0")/../common.sh" || exit 1
. "$(dirname "$0")/../debian-root.sh" || exit 1

RELEASE=$("$TOP/scripts/fetch/kernel.sh" stock "$1" | field RELEASE -)
PACKAGES=(systemd-sysv udev kmod initramfs-tools bpftrace trace-cmd linux-perf jq libsmartcols1
	  libjson-c5 libncursesw6 bsdutils "linux-image-$RELEASE-unsigned" "${@:2}")
ROOT=$CACHE/machine-$1-$(printf '%s\n' "$RELEASE" "${PACKAGES[@]}" | sha256sum | cut -c1-8)

# Print the address of Debian 12's packages, by apt of this machine.
mirror()
{
	# shellcheck disable=SC2016	# apt's variables
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Codename: bookworm' | head -n 1 | grep .
}

# install ROOT: install the system
install_root()
{
	local root=$1

	debootstrap --variant=minbase bookworm "$root" "$(mirror)" >&2
	rm -f "$root/etc/apt/sources.list"
	cp -a /etc/apt/{sources.list*,apt.conf.d,preferences.d,trusted.gpg.d} "$root/etc/apt"
	cp -L /etc/resolv.conf /etc/hosts "$root/etc"
	printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	inside "$root" apt-get -qq update >&2
	inside "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 \
		--yes --no-install-recommends install "${PACKAGES[@]}" >&2
	inside "$root" apt-get clean
	rm -f "$root/usr/sbin/policy-rc.d" "$root"/boot/initrd.img-*
}

cache_lock "machine-$1"
if [ ! -d "$ROOT" ]; then
	[ "$(id -u)" -eq 0 ] || die "needs root, to install Debian 12 into a folder"
	"$TOP/scripts/fetch/packages.sh" machine
	say "installing Debian 12 into $ROOT"
	rm -rf "$ROOT.new"
	install_root "$ROOT.new"
	mv "$ROOT.new" "$ROOT"
fi
printf 'ROOT=%q\nRELEASE=%q\n' "$ROOT" "$RELEASE"
