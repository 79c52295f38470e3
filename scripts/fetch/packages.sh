#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# packages.sh GROUP...: make sure that the tools of these groups are installed.
#
# On Debian install the missing ones, as root or through sudo. Elsewhere print them and fail.

. "$(dirname "$0")/../common.sh" || exit 1

# needs GROUP: print the commands and files that have to exist, with their Debian packages
needs()
{
	case $1 in
	build)	# build external modules; the headers depend on their compiler
		cat <<-END
			make			make
			gcc			gcc
			depmod			kmod
		END
		;;
	source)	# unpack the source of a kernel
		cat <<-END
			xz			xz-utils
		END
		;;
	kernel)	# compile a kernel by kunit.py
		cat <<-END
			/usr/include/stdio.h	libc6-dev
			/usr/include/gelf.h	libelf-dev
			make			make
			gcc			gcc
			bison			bison
			flex			flex
			bc			bc
			cpio			cpio
			python3			python3
		END
		;;
	clang)
		cat <<-END
			clang			clang
			ld.lld			lld
			llvm-ar			llvm
		END
		;;
	clang-16)
		cat <<-END
			clang-16		clang-16
			ld.lld-16		lld-16
			llvm-ar-16		llvm-16
		END
		;;
	tidy)	# check nmrctl, and link its fuzzer
		cat <<-END
			clang			clang
			clang-tidy		clang-tidy
			/usr/lib/clang/14/lib/linux/libclang_rt.fuzzer-x86_64.a	libclang-rt-14-dev
		END
		;;
	arm64)	# compile a kernel for another machine
		cat <<-END
			aarch64-linux-gnu-gcc	gcc-aarch64-linux-gnu
		END
		;;
	riscv)
		cat <<-END
			riscv64-linux-gnu-gcc	gcc-riscv64-linux-gnu
		END
		;;
	s390)
		cat <<-END
			s390x-linux-gnu-gcc	gcc-s390x-linux-gnu
		END
		;;
	guest-um)	# the kernel is a program
		;;
	guest-arm64)
		cat <<-END
			qemu-system-aarch64	qemu-system-arm
		END
		;;
	guest-riscv)
		cat <<-END
			qemu-system-riscv64	qemu-system-misc
			/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.elf	opensbi
		END
		;;
	guest-s390)
		cat <<-END
			qemu-system-s390x	qemu-system-misc
		END
		;;
	guest-i386)
		cat <<-END
			qemu-system-i386	qemu-system-x86
		END
		;;
	guest|guest-x86_64)	# boot a kernel
		cat <<-END
			qemu-system-x86_64	qemu-system-x86
			busybox			busybox-static
			cpio			cpio
		END
		;;
	network)	# configure a network in a guest
		cat <<-END
			ip			iproute2
			xz			xz-utils
		END
		;;
	machine)	# install Debian into a folder, and make a disk of it
		cat <<-END
			debootstrap		debootstrap
			mke2fs			e2fsprogs
			depmod			kmod
		END
		;;
	tools)	# build nmrctl, and format its manual
		cat <<-END
			rst2man			python3-docutils
			make			make
			gcc			gcc
			/usr/include/stdio.h	libc6-dev
			/usr/include/libsmartcols/libsmartcols.h	libsmartcols-dev
			/usr/include/json-c/json.h	libjson-c-dev
			/usr/include/libudev.h	libudev-dev
			/usr/include/libkmod.h	libkmod-dev
			/usr/include/curses.h	libncurses-dev
		END
		;;
	manual)	# format the manual
		cat <<-END
			man			man-db
			groff			groff-base
		END
		;;
	tools-test)	# look at what nmrctl does on a terminal, and at its documents
		cat <<-END
			tmux			tmux
			jq			jq
			/usr/lib/python3/dist-packages/jsonschema/__init__.py	python3-jsonschema
		END
		;;
	deb)	# build packages, and check them
		cat <<-END
			dpkg-buildpackage	dpkg-dev
			dh			debhelper
			dh_dkms			dh-dkms
			lintian			lintian
		END
		;;
	ynl)	# generate code of a netlink protocol, and compile a program for a guest
		cat <<-END
			/usr/lib/python3/dist-packages/yaml		python3-yaml
			/usr/lib/python3/dist-packages/jsonschema	python3-jsonschema
			/usr/include/stdio.h				libc6-dev
			/usr/bin/python3				python3
			gcc						gcc
		END
		;;
	bench)	# draw plots
		cat <<-END
			gnuplot			gnuplot-nox
		END
		;;
	docs)	# build the pages
		cat <<-END
			sphinx-build		python3-sphinx
			perl			perl
		END
		;;
	look)	# look at the pages, in a font that is wider than most
		cat <<-END
			chromium		chromium
			/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf	fonts-dejavu-core
		END
		;;
	figures)	# draw the figures of the pages
		cat <<-END
			dot			graphviz
		END
		;;
	patch)	# check patches in a kernel tree; checkpatch.pl runs spdxcheck.py, and kselftest rsync
		cat <<-END
			rsync			rsync
			/usr/lib/python3/dist-packages/ply/__init__.py	python3-ply
			/usr/lib/python3/dist-packages/git/__init__.py	python3-git
		END
		;;
	model)
		cat <<-END
			spin			spin
			gcc			gcc
			/usr/include/stdio.h	libc6-dev
		END
		;;
	lint)	# pod2text stands for a perl with all of its modules
		cat <<-END
			sparse			sparse
			spatch			coccinelle
			shellcheck		shellcheck
			pod2text		perl
		END
		;;
	*)
		die "no group $1"
		;;
	esac
}

have()
{
	case $1 in
	/*)	 [ -e "$1" ] ;;
	busybox) file_is_static "$(command -v busybox)" ;;
	*)	 PATH=$PATH:/usr/sbin:/sbin command -v "$1" > /dev/null ;;
	esac
}

# file_is_static FILE: test that it needs no libraries, which the initramfs does not have
file_is_static()
{
	[ -n "$1" ] && ! ldd "$1" > /dev/null 2>&1
}

missing=()
for group; do
	while read -r what package; do
		have "$what" || missing+=("$package")
	done < <(needs "$group")
done
[ ${#missing[@]} -gt 0 ] || exit 0

install_packages "${missing[@]}"
