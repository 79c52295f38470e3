#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# modules.sh [-d DIR] SERIES [MAKE-ARGUMENT]...: build nmr, the samples and the test modules for
# a stock kernel in DIR/RELEASE, and print the paths of the modules. The default of DIR is
# build. Several of these may run concurrently.

. "$(dirname "$0")/common.sh" || exit 1

parent=$BUILD
if [ "$1" = -d ]; then
	parent=$2
	shift 2
fi

"$TOP/scripts/fetch/packages.sh" build
assignments=$("$TOP/scripts/fetch/kernel.sh" headers "$1")
eval "$assignments"
shift
dir=$parent/$RELEASE

# kbuild builds where the sources are, so make a folder of links to them.
mkdir -p "$dir"
exec 8> "$dir.lock"
flock 8
cp -rsf "$TOP"/{Kbuild,nmr.mk,include,module,netio,kunit,samples,bench,torture,tools} "$dir"
# Object files beside the sources may be of another kernel.
find "$dir"/{module,netio,kunit,samples,bench,torture,tools} -type l \
	\( -name '*.o' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \) -delete
find "$dir"/{include,module,netio,kunit,samples,bench,torture,tools} -xtype l -delete

# BTF needs a vmlinux, which Debian's headers lack.
make -C "$KDIR" M="$dir" --no-print-directory -j"$JOBS" CONFIG_NMR_SAMPLES=m \
     CONFIG_NMR_TEST_MODULES=m CONFIG_NMR_TORTURE_TEST=m CONFIG_NMR_BENCH=m \
     CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules >&2
sed -e 's/\.k\?o$/.ko/' -e "s|^\([^/]\)|$dir/\1|" "$dir/modules.order"
