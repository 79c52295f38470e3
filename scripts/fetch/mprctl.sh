#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mprctl.sh: build mprctl, which speaks to samples/mpr by generic netlink, and print its path.
# mprctl.sh -g: only generate the kernel's code from samples/mpr/mpr.yaml, in samples/mpr.
#
# The protocol's code of both sides is what the tools/net/ynl of Linux 6.12 generates. It fails
# if the code in samples/mpr is another one. The tools look for the schema in the folder above
# the specification, and for the root of a kernel by a file MAINTAINERS.

. "$(dirname "$0")/../common.sh" || exit 1

out=$BUILD/mprctl
sample=$TOP/samples/mpr
stale=

"$TOP/scripts/fetch/packages.sh" ynl
assignments=$("$TOP/scripts/fetch/kernel.sh" source 6.12)
eval "$assignments"
# shellcheck disable=SC2153	# of kernel.sh
ynl=$SOURCE/tools/net/ynl

mkdir -p "$out"
exec 8> "$out.lock"
flock 8
if [ "${1-}" != -g ]; then
	sum=$(cat "$0" "$sample"/{mpr.yaml,mprctl{,_list,_raw}.c,mprctl.h,mpr_nl_gen.[ch]} \
		  "$sample/uapi/linux/nmr_mpr.h" "$ynl"/{ynl-gen-c.py,lib/*.[ch]} |
		  sha256sum)
	if [ "$(cat "$out/sum" 2> /dev/null)" = "$sum" ]; then
		echo "$out/mprctl"
		exit
	fi
fi

mkdir -p "$out/samples/mpr" "$out/linux"
touch "$out/MAINTAINERS"
cp "$SOURCE/Documentation/netlink/genetlink-legacy.yaml" "$out/samples"
cp "$sample/mpr.yaml" "$out/samples/mpr"

# generate MODE KIND FILE: have the generator, which tests the specification first, write FILE
generate()
{
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$ynl/ynl-gen-c.py" \
		--spec "$out/samples/mpr/mpr.yaml" --mode "$1" "--$2" -o "$out/$3" >&2 ||
		die "the generator refuses samples/mpr/mpr.yaml"
}

generate uapi header linux/nmr_mpr.h
generate kernel header mpr_nl_gen.h
generate kernel source mpr_nl_gen.c
generate user header mpr-user.h
generate user source mpr-user.c

if [ "${1-}" = -g ]; then
	mkdir -p "$sample/uapi/linux"
	cp "$out/linux/nmr_mpr.h" "$sample/uapi/linux"
	cp "$out"/mpr_nl_gen.[ch] "$sample"
	exit
fi
for file in mpr_nl_gen.h mpr_nl_gen.c; do
	cmp "$out/$file" "$sample/$file" >&2 || stale=yes
done
cmp "$out/linux/nmr_mpr.h" "$sample/uapi/linux/nmr_mpr.h" >&2 || stale=yes
[ -z "$stale" ] || die "samples/mpr is not what its mpr.yaml says: run $0 -g"

gcc -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -Wshadow -static \
    -I"$out" -I"$ynl/lib" -idirafter "$SOURCE/include/uapi" -o "$out/mprctl" \
    "$sample"/mprctl{,_list,_raw}.c "$out/mpr-user.c" "$ynl/lib/ynl.c"
echo "$sum" > "$out/sum"
echo "$out/mprctl"
