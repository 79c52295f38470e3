#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# systems.sh [-k KERNEL] [PROGRAM[,PROGRAM]... [CASE]...]: run the tests of the sample systems, or
# some programs, or some cases of one. KERNEL is one of kunit/kernels with stack.config, or a stock
# one; the default has KASAN, lockdep and kmemleak.

. "$(dirname "$0")/common.sh" || exit 1

kernel=stack
while getopts k: option; do
	case $option in
	k) kernel=$OPTARG ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))

# The guest has mprctl, which comes from the source of 6.12.
name=integration-systems-$kernel
! skipped "$kernel,6.12-source" "$BUILD/$name.log" || exit 0
build_modules "$kernel"
args=
[ $# -eq 0 ] || args="programs=$1"
shift || true
cases=$*
# test-stack.sh counts the objects of slab caches, for which each CPU must have no slab of its own.
case $kernel in
[0-9]*)	args+=" slub_debug=F" ;;
esac
"$TOP/scripts/guest.sh" -n "$name" -k "$kernel" "${built[@]/#/-f}" \
	-a "$args${cases:+ cases=${cases// /,}}" -s "$TOP/scripts/guest/integration-systems.sh"
