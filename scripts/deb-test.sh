#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deb-test.sh: test the packages of Debian in the root of a Debian 12 that has two kernels, and
# boot it. Needs root. KTAP goes to build/deb-test.log, that of the machine to
# build/packages.log.

# shellcheck disable=SC2016,SC2317	# scripts for another shell; functions are called by name

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1
. "$(dirname "$0")/debian-root.sh" || exit 1

dir=$BUILD/deb-test
root=$dir/root

# apt ARGUMENT...: run apt-get in the root
apt()
{
	inside "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 --yes \
		--no-install-recommends "$@"
}

# next_version: build packages of a later version, in which the symbols have other CRCs
next_version()
{
	local next=$dir/next name

	rm -rf "$next"
	git clone -q "$TOP" "$next"
	sed -i 's/^\(NMR_RELEASE.*:= \).*/\199.0/' "$next/Kbuild"
	sed -i '1s/(.*)/(99.0-1)/' "$next/debian/changelog"
	for name in call registration_instance; do
		sed -i "s/^struct nmr_$name {\$/&\n\tint next;/" "$next/include/linux/nmr.h"
	done
	git -C "$next" commit -qam "Change symbols"
	"$next/scripts/deb.sh" > /dev/null
}

# packages TOP: set packages to the paths of the packages in the root
packages()
{
	rm -rf "$root/packages"
	mkdir "$root/packages"
	cp "$1"/build/deb/*.deb "$root/packages"
	mapfile -t packages < <(cd "$root" && printf '/%s\n' packages/*.deb)
}

# Print what files there are, without the logs and lists of apt and dpkg, which keep a record of
# each package, and without dkms's key, which is the machine's.
files()
{
	(cd "$root" && find . -path ./packages -prune -o -path ./proc -prune -o \
		-path ./var/lib/dpkg -prune -o -path ./var/lib/apt/lists -prune -o \
		-path ./var/log -prune -o -path ./tmp -prune -o \
		-path ./var/cache -prune -o -path './var/lib/dkms/mok.*' -o -path ./nmr -prune -o \
		-print) | sort
}

# built VERSION MODULE RELEASE: test that dkms has installed it
built()
{
	inside "$root" dkms status "$2/$1" -k "$3" | grep ': installed'
}

# module RELEASE NAME: print the path of a module
module()
{
	find "$root/lib/modules/$1/updates" -name "$2.ko*" | grep .
}

# versions RELEASE: print the CRCs of nmr's symbols that its users were built with
versions()
{
	local name

	for name in greeter visitor; do
		PATH=$PATH:/sbin modprobe --dump-modversions "$(module "$1" "$name")"
	done | grep -P '\t(__)?nmr_' | sort -u
}

# fit RELEASE: test that these are the CRCs of the nmr that is installed
fit()
{
	versions "$1" | grep . && ! versions "$1" | grep -vxFf \
		<(cut -f 1,2 "$root/var/lib/dkms/nmr/kernel-$1-x86_64/module/Module.symvers")
}

test_two_builds_are_identical()
{
	local before after

	before=$(cd "$BUILD" && sha256sum dist/*.tar.xz deb/*.deb)
	"$TOP/scripts/deb.sh" > /dev/null
	after=$(cd "$BUILD" && sha256sum dist/*.tar.xz deb/*.deb)
	diff <(echo "$before") <(echo "$after")
}

# purged: purge the packages, and test that no file of theirs is left
purged()
{
	apt purge nmr-dkms nmr-dev nmr-tools && diff "$dir/files" <(files)
}

# The test installs from an archive.
test_dkms_autopkgtest_passes()
{
	local list=$root/etc/apt/sources.list.d/nmr.list said code=0

	(cd "$root/packages" && dpkg-scanpackages . > Packages) &&
		echo "deb [trusted=yes] file:/packages ./" > "$list" && apt update || return
	said=$(inside "$root" sh -c "cd /tmp && /usr/lib/dkms/dkms-autopkgtest nmr-dkms 2>&1")
	echo "$said"
	[[ $said == *"PASS $old"* && $said == *"PASS $new"* ]] || code=1
	apt purge nmr-dkms nmr-dev nmr-tools
	rm "$list"
	apt update && diff "$dir/files" <(files) && [ "$code" = 0 ]
}

# installs_later: test that dpkg ends what did not succeed, now that the cause has gone, and that
# the packages can be purged
installs_later()
{
	inside "$root" dpkg --configure -a && built "$version" nmr "$old" &&
		built "$version" nmr "$new" && purged
}

# refused TEXT COMMAND...: test that the command fails, and that apt says why
refused()
{
	local text=$1 said

	shift
	! said=$("$@" 2>&1) && echo "$said" && [[ $said == *"$text"* ]]
}

# apt names the log of make, which has the reason.
test_headers_without_symvers_are_told()
{
	local symvers=$root/usr/src/linux-headers-$old/Module.symvers log

	log=/var/lib/dkms/nmr/$version/build/make.log
	mv "$symvers" "$dir/symvers"
	refused "Consult $log" apt install "${packages[@]}" &&
		grep "$old has no Module.symvers, and a module .* install the headers" "$root$log"
	set -- $?
	mv "$dir/symvers" "$symvers"
	[ "$1" = 0 ] && installs_later
}

# The packages are there, but not what dkms builds.
test_full_disk_leaves_no_module()
{
	refused "No space left on device" inside "$root" sh -c \
		'mount -t tmpfs -o size=256k none /var/lib/dkms &&
		DEBIAN_FRONTEND=noninteractive apt-get -qq --yes install "$@"' \
		sh "${packages[@]}" &&
		! module "$old" nmr && ! module "$new" nmr && installs_later
}

test_half_configured_dkms_is_configured_first()
{
	sed -i '/^Package: dkms$/,/^$/s/^Status: .*/Status: install ok half-configured/' \
		"$root/var/lib/dpkg/status"
	apt install "${packages[@]}" && installs_later
}

test_kernel_that_has_nmr_is_skipped()
{
	local config=$root/usr/src/linux-headers-$old/.config

	cp "$config" "$dir/config" && echo CONFIG_NMR=m >> "$config"
	apt install "${packages[@]}" > "$dir/said" 2>&1 && cat "$dir/said" &&
		grep 'BUILD_EXCLUSIVE directive which does not match this' "$dir/said" &&
		! module "$old" nmr && built "$version" nmr "$new"
	set -- $?
	cp "$dir/config" "$config"
	[ "$1" = 0 ] && purged
}

# Follow README.md, with the sources of the archive that make dist has made.
test_readme_is_followed_with_dkms_alone()
{
	local sources

	sources=$(basename "$BUILD"/dist/*.tar.xz .tar.xz)
	tar -xf "$BUILD/dist/$sources.tar.xz" -C "$root/packages" || return
	grep dkms_version "$TOP/README.md" > "$root/packages/commands" &&
		inside "$root" sh -exc "cd /packages/$sources && . /packages/commands" &&
		built "$version" nmr "$old"
	set -- $?
	inside "$root" sh -c "dkms remove nmr/$version --all; rm -r /usr/src/nmr-*"
	rm -r "$root/packages/$sources" "$root/packages/commands"
	[ "$1" = 0 ] && diff "$dir/files" <(files)
}

# Do what the page for newcomers says under "Install", in a folder with the packages. The machine
# gets its second kernel later.
test_newcomer_installs_as_printed()
{
	echo 'APT::Get::Assume-Yes "true";' > "$root/etc/apt/apt.conf.d/99-nmr-test"
	begin_page install "From a checkout|Begin|Build|Leave|Keep|What" &&
		grep -c '^apt install' "$root/nmr/install.sh" | grep -x 2 &&
		apt purge "linux-headers-$new" "linux-image-$new-unsigned" &&
		inside "$root" sh -exc "cd /packages && $(grep -v ^modprobe "$root/nmr/install.sh")"
	set -- $?
	rm "$root/etc/apt/apt.conf.d/99-nmr-test"
	[ "$1" = 0 ] && built "$version" nmr "$old" && ! module "$new" nmr
}

test_second_kernel_is_built_for_by_itself()
{
	apt install "linux-headers-$new" "linux-image-$new-unsigned" && built "$version" nmr "$new"
	set -- $?
	rm "$root/boot/initrd.img-$new"		# which the root did not have before
	return "$1"
}

test_modinfo_is_complete_and_signed()
{
	local field

	for field in version author description license signer parm; do
		modinfo -F "$field" "$(module "$old" nmr)" | grep . || return
	done
	module "$old" nmr_netio
}

test_symvers_is_kept()
{
	[ -s "$root/var/lib/dkms/nmr/kernel-$old-x86_64/module/Module.symvers" ]
}

test_nmr_new_makes_a_pair_that_builds()
{
	inside "$root" sh -ec "cd /root && guid=\$(cat /proc/sys/kernel/random/uuid)
		nmr-new provider greeter \$guid && nmr-new client visitor \$guid
		for kernel in $old $new; do
			for name in greeter visitor; do
				make -s -C \$name KCFLAGS=-Werror KDIR=/lib/modules/\$kernel/build \
					modules
				make -s -C \$name KDIR=/lib/modules/\$kernel/build clean
			done
		done"
}

# fails SENTENCE COMMAND...: test that a command fails, and says it
fails()
{
	local sentence=$1 said

	shift
	! said=$(inside "$root" "$@" 2>&1) && echo "$said" && [[ $said == *"$sentence"* ]]
}

test_nmr_new_refuses_odd_names()
{
	local name guid=a2c8f4de-62c5-4b3f-8f0a-4d6f1f6f0b11

	fails "greeter exists" sh -c 'cd /root && nmr-new client greeter' || return
	for name in 4you a-b "a b" ../a "" 'a\nb' $'a\nb' "$(printf 'a%.0s' {1..56})" nmr; do
		fails "nmr-new: " nmr-new provider "$name" || return
	done
	for name in 1234 '' "$guid "{x,} "$guid"$'\nx' "$guid"'\n'; do
		fails "is no GUID" nmr-new provider other "$name" || return
	done
	fails "usage" nmr-new provider && fails "usage" nmr-new both name
}

# The disk has one block for the folder, and none for a file.
test_nmr_new_leaves_nothing_on_a_full_disk()
{
	inside "$root" sh -c 'mount -t tmpfs -o size=8k none /mnt && cd /mnt &&
		! nmr-new provider full && [ -z "$(ls -A)" ]'
}

test_dkms_builds_a_user_after_nmr()
{
	local name

	for name in greeter visitor; do
		# The first line of dkms.conf says what to do.
		inside "$root" sh -exc "cd /root/$name &&
			$(sed -n '1s/.*: //p' "$root/root/$name/dkms.conf")" &&
			built 0.1 "$name" "$old" || return
	done
	inside "$root" dkms autoinstall -k "$new" && built 0.1 greeter "$new" && fit "$old"
}

test_missing_headers_are_told()
{
	fails "nmr is not loaded, and there is no module for $(uname -r): install its headers" \
		sh -c 'mount -t sysfs none /sys && nmrctl list'
}

test_users_are_built_again_after_an_upgrade()
{
	local before after

	before=$(versions "$old")
	packages "$dir/next"
	apt install "${packages[@]}" && built 99.0 nmr "$old" && built 99.0 nmr "$new" &&
		fit "$old" && fit "$new" || return
	after=$(versions "$old")
	diff <(echo "$before") <(echo "$after")
	[ "$before" != "$after" ]
}

# While a kernel has no headers, dkms builds no nmr for it. What was built with the later nmr goes,
# until there is an nmr for that kernel.
test_users_are_built_again_after_a_downgrade()
{
	packages "$TOP"
	mv "$root/lib/modules/$old/build" "$dir/headers"
	apt --allow-downgrades install "${packages[@]}" > "$dir/said" 2>&1 && cat "$dir/said" &&
		grep "greeter/0.1 for $old is gone until nmr is built" "$dir/said" &&
		built "$version" nmr "$new" && fit "$new" && ! built "$version" nmr "$old" && ! module "$old" greeter
	set -- $?
	mv "$dir/headers" "$root/lib/modules/$old/build"
	[ "$1" = 0 ] && inside "$root" dkms autoinstall -k "$old" && built "$version" nmr "$old" &&
		built 0.1 greeter "$old" && fit "$old" && ! built 99.0 nmr "$old"
}

# The kernel seems to have an nmr of its own. dkms takes its own out, and the user of nmr stays.
test_user_of_the_nmr_of_a_kernel_stays()
{
	local config=$root/usr/src/linux-headers-$old/.config

	cp "$config" "$dir/config" && echo CONFIG_NMR=m >> "$config"
	inside "$root" dpkg-reconfigure -f noninteractive nmr-dkms &&
		! built "$version" nmr "$old" && built 0.1 greeter "$old"
	set -- $?
	cp "$dir/config" "$config"
	inside "$root" dpkg-reconfigure -f noninteractive nmr-dkms &&
		built "$version" nmr "$old" && built 0.1 greeter "$old" && fit "$old" &&
		[ "$1" = 0 ]
}

test_purge_leaves_no_file()
{
	inside "$root" sh -ec 'for name in greeter visitor; do
			dkms remove $name/0.1 --all; rm -r /usr/src/$name-0.1 /root/$name
		done'
	purged
}

# begin_page NAME SKIP: write a script of what the page for newcomers says outside of some sections
begin_page()
{
	awk -v skip="^($2)" -f "$TOP/scripts/commands.awk" \
		"$TOP/Documentation/driver-api/nmr-getting-started.rst" > "$root/nmr/$1.sh"
}

# The machine runs with what is in the root now, and does what the pages tell a newcomer and an
# administrator.
test_machine()
{
	begin_page newcomer "Install|From a checkout"
	begin_page checkout "Install|Begin|Build|Leave|Keep|What"
	cp "$TOP/Documentation/admin-guide"/nmr-{administration,troubleshooting}.rst "$root/nmr"
	tar -xf "$BUILD"/dist/*.tar.xz -C "$root/packages" || return
	boot_root packages "$root" "$old" test-packages.sh
}

! skipped 6.1,6.12 "$BUILD/deb-test.log" || exit 0
[ "$(id -u)" -eq 0 ] || die "needs root, to install into the root of a machine"
"$TOP/scripts/fetch/packages.sh" guest machine
old=$("$TOP/scripts/fetch/kernel.sh" stock 6.1 | field RELEASE -)
new=$("$TOP/scripts/fetch/kernel.sh" stock 6.12 | field RELEASE -)
assignments=$("$TOP/scripts/fetch/machine.sh" 6.1 dkms openssl sudo "linux-headers-$old" \
	"linux-image-$new-unsigned" "linux-headers-$new" \
	libsmartcols-dev libjson-c-dev libudev-dev libkmod-dev libncurses-dev \
	python3-docutils)
eval "$assignments"
version=$(sed -n 's/^NMR_RELEASE[[:space:]]*:= //p' "$TOP/Kbuild")
say "building packages of two versions"
make -C "$TOP" --no-print-directory deb > /dev/null
next_version
# shellcheck disable=SC2153	# of fetch/machine.sh
say "copying $ROOT"
rm -rf "$root"
cp -a --reflink=auto "$ROOT" "$root"
# The kernel that runs here is none of the root's, where uname says that it is the first of them.
# dkms builds for all.
printf '#!/bin/sh\n[ "$*" != -r ] || exec echo %s\nexec /bin/uname "$@"\n' "$old" \
	> "$root/usr/local/bin/uname"
chmod 755 "$root/usr/local/bin/uname"
echo 'autoinstall_all_kernels="yes"' >> "$root/etc/dkms/framework.conf"
install_tests "$root"
make_initramfs "$root" "$old"
packages "$TOP"
files > "$dir/files"
cases=(two_builds_are_identical dkms_autopkgtest_passes headers_without_symvers_are_told
	full_disk_leaves_no_module half_configured_dkms_is_configured_first
	kernel_that_has_nmr_is_skipped readme_is_followed_with_dkms_alone
	newcomer_installs_as_printed second_kernel_is_built_for_by_itself
	modinfo_is_complete_and_signed symvers_is_kept nmr_new_makes_a_pair_that_builds
	nmr_new_refuses_odd_names nmr_new_leaves_nothing_on_a_full_disk
	dkms_builds_a_user_after_nmr missing_headers_are_told
	users_are_built_again_after_an_upgrade machine users_are_built_again_after_a_downgrade
	user_of_the_nmr_of_a_kernel_stays purge_leaves_no_file)
number=0 code=0
{
	echo "KTAP version 1"
	echo "1..${#cases[@]}"
	for name in "${cases[@]}"; do
		number=$((number + 1)) verdict=ok
		"test_$name" > "$dir/$name.out" 2>&1 || verdict="not ok"
		echo "$verdict $number $name"
		[ "$verdict" = ok ] || sed 's/^/# /' "$dir/$name.out" | tail -n 30
	done
} | tee "$BUILD/deb-test.log"
rm -rf "$root"
"$TOP/scripts/summary.sh" "$BUILD/deb-test.log" "$BUILD/packages.log" || code=1
exit $code
