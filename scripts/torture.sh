#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# torture.sh [-k KERNEL] [-t SECONDS] [-o OPERATIONS] [-c CPUS] [-r SEED] [-n CYCLES]
#	     [-b | -i]: run the torture test, see torture/ and guest/torture.sh.
# torture.sh -p: replay what -i has recorded.
#
# The test lasts for SECONDS at least, and until there were OPERATIONS. KERNEL is a stock one
# (see fetch/series), or an x86-64 one of kunit/kernels. Afterwards modules load and unload
# CYCLES times. -b: do something wrong on purpose, and check that the test fails. -i: run on one
# CPU, count instructions and record all input, so that -p does exactly the same, to the last
# line of the log. KTAP goes to build/torture-KERNEL.log, or to build/torture-KERNEL-CPUS-cpus.log
# if CPUS is not 4, the default.

. "$(dirname "$0")/common.sh" || exit 1

kernel=$(awk '!/^#/ { print $1; exit }' "$TOP/kunit/kernels")
seconds=60 operations=0 cpus=4 seed=$RANDOM cycles='' script=torture qemu_args=''
record=$BUILD/torture.rr
[ "${1-}" != -p ] || {
	qemu_args="-icount shift=0,rr=replay,rrfile=$record"
	read -r -a recorded < "$record.options" || die "nothing is recorded"
	set -- "${recorded[@]}"
}
while getopts k:t:o:c:r:n:bi option; do
	case $option in
	k) kernel=$OPTARG ;;
	t) seconds=$OPTARG ;;
	o) operations=$OPTARG ;;
	c) cpus=$OPTARG ;;
	r) seed=$OPTARG ;;
	n) cycles=$OPTARG ;;
	b) script=torture-busted ;;
	i) qemu_args="-icount shift=0,rr=record,rrfile=$record" cpus=1 ;;
	*) exit 1 ;;
	esac
done

name=$script-$kernel
[ "$cpus" -eq 4 ] || name+=-$cpus-cpus
! skipped "$kernel" "$BUILD/$name.log" || exit 0
options="-k $kernel -t $seconds -o $operations -c $cpus -r $seed ${cycles:+-n $cycles}"
[[ $qemu_args != *rr=record* ]] || echo "$options" > "$record.options"
say "torture: kernel $kernel, $seconds s, $cpus CPUs, seed $seed"
args="torture_seconds=$seconds torture_operations=$operations torture_seed=$seed"
case $kernel in
[0-9]*)
	mapfile -t modules < <("$TOP/scripts/modules.sh" "$kernel" -s)
	cycles=${cycles:-500}
	;;
*)	# nmr and the torture test are built in.
	"$TOP/scripts/fetch/own-kernel.sh" "$kernel" > /dev/null
	mapfile -t modules < <(find "$BUILD/kunit/$kernel" -name '*.ko')
	args+=" nmr_torture.seconds=$seconds nmr_torture.operations=$operations"
	args+=" nmr_torture.seed=$seed kunit.filter_glob=none"
	# DEBUG_KOBJECT_RELEASE prints a line for each object, and delays each rmmod by seconds.
	args+=" loglevel=6"
	[ -n "$cycles" ] || cycles=10
	;;
esac
"$TOP/scripts/guest.sh" -n "$name" -k "$kernel" -c "$cpus" -m 2048 \
	-a "$args torture_cycles=$cycles" -q "$qemu_args" \
	"${modules[@]/#/-f}" -s "$TOP/scripts/guest/$script.sh"
