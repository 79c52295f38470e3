#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tree.sh TREE MAINTAINER: put into a pristine kernel tree all that scripts/patch.sh makes patches
# of. stage.sh puts the sources there. This script takes out of them what only other kernels and
# external modules need. It adds the documents as Documentation/driver-api/nmr and
# Documentation/tools/nmr, the tools as tools/nmr, and an entry for MAINTAINER to MAINTAINERS.

. "$(dirname "$0")/../common.sh" || exit 1

{ [ $# -eq 2 ] && [ -e "$1/drivers/Kconfig" ]; } || die "usage: ${0##*/} TREE MAINTAINER"
tree=$(realpath "$1") maintainer=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$TOP"
scripts/stage.sh "$tree"
read -r version patchlevel sublevel < <(sed -n '2,4s/.* = //p' "$tree/Makefile" | xargs)

# resolve FILE...: take out of sources the conditions that this kernel decides: those on its
# version, on a header, and on macros of these headers. Then drop comments of a line that stand
# before nothing.
resolve()
{
	local code=$(((version << 16) + (patchlevel << 8) + (sublevel > 255 ? 255 : sublevel)))
	local class=-UDEFINE_CLASS file

	[ ! -e "$tree/include/linux/cleanup.h" ] || class=-DDEFINE_CLASS
	gcc -O -w -o "$tmp/unifdef" "$tree/scripts/unifdef.c"
	cd "$tree/include"
	for file; do
		perl -pi -e 's/KERNEL_VERSION\((\d+), (\d+), (\d+)\)/($1 << 16) + ($2 << 8) + $3/ge;
			     s/__has_include\("(.*?)"\)/-e $1 ? 1 : 0/e;
			     s/^#ifdef __has_include\K.*//' "$file"
		"$tmp/unifdef" -k -D__has_include -DTASK_FREEZABLE "$class" \
			-DLINUX_VERSION_CODE=$code "$file" > "$tmp/source" || [ $? -eq 1 ]
		cp "$tmp/source" "$file"
		perl -0pi -e 's/^#include <linux\/version.h>\n//m; s/\n{3,}/\n\n/g;
			      s/\n\/\* [^\n]* \*\/\n(?=\n)//g' "$file"
	done
}

# The folders of the project's documents are those of the kernel. In the kernel their pages are
# in one folder. documents: copy them, and name each page and tool where it is in the kernel.
documents()
{
	local from to=Documentation/driver-api/nmr script=$tmp/names

	cp Documentation/ABI/testing/* "$tree/Documentation/ABI/testing"
	sed -i "s/^\(KernelVersion:\t*\)out of tree/\1$version.$patchlevel/" \
		"$tree"/Documentation/ABI/testing/*nmr
	find Documentation \( -path Documentation/ABI -o -path Documentation/performance \
		-o -path Documentation/sphinx-static -o -path Documentation/tools \) -prune \
		-o -type f ! -name '*.md' ! -name conf.py -print | while read -r from; do
		name=${from#Documentation/}
		name=${name#driver-api/}
		name=${name#admin-guide/}
		install -D -m 644 "$from" "$tree/$to/$name"
		printf '%s\n' "s,\\b$from\\b,$to/$name,g"
	done > "$script"
	find "$tree"/{drivers,include,tools,Documentation/{driver-api,ABI/testing}} -path '*nmr*' \
		-type f -exec sed -i -E -f "$script" \
		-e 's,\btools/(bpftrace|model|nmrctl)/,tools/nmr/\1/,g' {} +
	# shellcheck disable=SC2016	# a role of Sphinx
	find "$tree/$to" -name '*.rst' -exec sed -i -E \
		-e 's,(^ +|[`<])(\.\./)?(driver-api/|admin-guide/)?,\1,g' \
		-e '/^   (abi-testing|tools\/nmr\/index)$/d' \
		-e 's,:doc:`abi-testing`,Documentation/ABI/testing/sysfs-kernel-nmr,' {} +
}

# The pages of results and of how to test the project stay out.
index()
{
	local page

	for page in index nmr-choosing; do
		perl -00 -ni -e \
			'next if /Documentation\/[\w-]+\.md/;
			 print $. > 1 ? "\n" : "", s/\n+$/\n/r' \
			"$tree/Documentation/driver-api/nmr/$page.rst"
	done
	sed -i '/^   auxiliary_bus$/a \   nmr/index' "$tree/Documentation/driver-api/index.rst"
}

# nmr-new is a tool for external modules.
manual()
{
	local pages=Documentation/tools/nmr

	cp -r $pages "$tree/Documentation/tools"
	rm "$tree/$pages/nmr-new.rst"
	sed -i '/^   nmr-new$/d' "$tree/$pages/index.rst"
	sed -i 's/^   rtla\/index$/   nmr\/index\n&/' "$tree/Documentation/tools/index.rst"
}

tools()
{
	mkdir "$tree/tools/nmr"
	cp -r tools/{bpftrace,model,nmrctl} "$tree/tools/nmr"
	sed -i -e 's,\.\./\.\./Kbuild,../../../drivers/nmr/Kbuild,' \
		-e 's,\.\./\.\./Documentation,../../../Documentation,' \
		-e 's,(abspath \.\./\.\./build/nmrctl),(abspath build),' \
		-e 's,build/nmrctl at the top,build,' "$tree/tools/nmr/nmrctl/Makefile"
	echo /build/ > "$tree/tools/nmr/nmrctl/.gitignore"
}

# The entry of the project's MAINTAINERS, with an address and with the files in the kernel
entry()
{
	sed -n "/^NETWORK/,/^S:/ { s/^S:/M:\t$maintainer\n&/; p }" MAINTAINERS
	printf 'F:\t%s\n' Documentation/ABI/testing/{debugfs,sysfs-kernel}-nmr \
		Documentation/driver-api/nmr/ Documentation/tools/nmr/ drivers/nmr/ \
		include/linux/nmr.h include/nmr/ include/trace/events/nmr.h tools/nmr/ \
		tools/testing/selftests/nmr/
}

# Entries are sorted by title. A title stands before a line with a letter and a colon.
maintainers()
{
	entry=$(entry) awk '
	/^[A-Z]:\t/ && last !~ /^[A-Z]:\t/ && last > ENVIRON["entry"] && !done {
		print ENVIRON["entry"] "\n"
		done = 1
	}
	NR > 1 { print last }
	{ last = $0 }
	END { print last }' "$tree/MAINTAINERS" > "$tmp/MAINTAINERS"
	cp "$tmp/MAINTAINERS" "$tree/MAINTAINERS"
}

# What coverage.sh needs is not for a patch, either.
kbuild()
{
	sed -i -e '/^# What an external module needs/,/^endif # KBUILD_EXTMOD/d' \
		-e '/^# Has an effect with CONFIG_GCOV/,/^$/d' "$tree/drivers/nmr/Kbuild"
	sed -i -z 's/\n\n\n/\n\n/g' "$tree/drivers/nmr/Kbuild"
}

# By 7.0 an allocation names the object, and checkpatch asks for that.
allocations()
{
	! grep -q 'define kzalloc_obj(' "$tree/include/linux/slab.h" ||
		find "$tree"/drivers/nmr "$tree"/include -path '*nmr*' -name '*.[ch]' -exec \
			perl -pi -e 's/\b(k[mz]alloc)\(sizeof\(([^()]+)\), /$1_obj($2, /g' {} +
}

kbuild
allocations
(resolve linux/nmr.h ../drivers/nmr/{module,kunit,samples}/compat.h)
tools
documents
index
manual
maintainers
