#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# packages.sh GROUP...: see that the tools of these groups are there.
#
# What is missing is installed on Debian, as root or through sudo. Elsewhere
# this names it and fails.

. "$(dirname "$0")/../common.sh" || exit 1

# A command or a file that has to exist, and the Debian package that has it.
needs()
{
	case $1 in
	build)	# external modules; the headers bring their compiler
		cat <<-END
			make			make
			gcc			gcc
			depmod			kmod
		END
		;;
	source)	# unpack a kernel's source
		cat <<-END
			xz			xz-utils
		END
		;;
	kernel)	# compile one, with nmr put into it, by kunit.py
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
	arm64)	# compile one for that
		cat <<-END
			aarch64-linux-gnu-gcc	gcc-aarch64-linux-gnu
		END
		;;
	guest-arm64)
		cat <<-END
			qemu-system-aarch64	qemu-system-arm
		END
		;;
	guest-i386)
		cat <<-END
			qemu-system-i386	qemu-system-x86
		END
		;;
	guest|guest-x86_64)	# boot one
		cat <<-END
			qemu-system-x86_64	qemu-system-x86
			busybox			busybox-static
			cpio			cpio
		END
		;;
	bench)	# plot
		cat <<-END
			gnuplot			gnuplot-nox
		END
		;;
	docs)
		cat <<-END
			sphinx-build		python3-sphinx
			perl			perl
		END
		;;
	model)
		cat <<-END
			spin			spin
			gcc			gcc
			/usr/include/stdio.h	libc6-dev
		END
		;;
	lint)	# a perl that has all of its modules
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

# A busybox that needs libraries is no use as the only file of an initramfs.
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
