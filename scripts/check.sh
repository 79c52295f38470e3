#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh [model] [torture]: run the tests of a change, and count the results. "model" and "torture"
# (a million operations on each of three kernels) take longer, and run only if they are named. The
# output of each step goes to build/check/STEP.out, and is shown if the step fails.

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/check
rm -rf "$out" "$BUILD"/kunit/*/test.log "$BUILD"/*.log
mkdir -p "$out"

# step NAME COMMAND...: run it, and print whether it succeeded
step()
{
	local name=$1 begin=$SECONDS verdict=ok

	shift
	echo "     $name ..."
	"$@" > "$out/$name.out" 2>&1 || {
		verdict=FAIL
		touch "$out/failed"
		tail -n 40 "$out/$name.out"
	}
	printf '%-4s %s (%d s)\n' $verdict "$name" $((SECONDS - begin))
}

step packages "$TOP/scripts/fetch/packages.sh" build source kernel guest

mapfile -t kernels < <(awk '$5 == "check" { print $1 }' "$TOP/kunit/kernels")
mapfile -t stock < <(series check)

# The steps that take longest come first. If the cache is empty, the first kernel takes minutes
# to compile, and the stock kernels run their tests meanwhile.
beside step systems "$TOP/scripts/systems.sh" -k 6.12
beside step "kunit-${kernels[0]}" "$TOP/scripts/kunit.sh" -k "${kernels[0]}"
for name in "${stock[@]}"; do
	beside step "integration-$name" "$TOP/scripts/integration.sh" -c "$name"
done
for kernel in "${kernels[@]:1}"; do
	beside step "kunit-$kernel" "$TOP/scripts/kunit.sh" -k "$kernel"
done
[[ " $* " != *" model "* ]] || beside step model "$TOP/scripts/model.sh"
# All tests of the sample systems take half an hour on the kernel with KASAN, a row of matrix.sh.
beside step stack "$TOP/scripts/systems.sh" test-stack.sh
beside step install "$TOP/scripts/install-test.sh"
beside step vm "$TOP/scripts/vm-test.sh"
beside step crc "$TOP/scripts/crc-test.sh"
beside step demo "$TOP/scripts/demo.sh"
beside step demo-stack "$TOP/scripts/demo-stack.sh"
wait

logs=("$BUILD"/{install,vm-test,crc,demo-6.1,demo-stack-6.1}.log
      "$BUILD"/integration-systems-{stack,6.12}.log)
for kernel in "${kernels[@]}"; do
	logs+=("$BUILD/kunit/$kernel/test.log")
done
for name in "${stock[@]}"; do
	mapfile -t -O ${#logs[@]} logs < <(guest_logs "$name" -c)
done
[[ " $* " != *" model "* ]] || logs+=("$BUILD/model.log")
if [[ " $* " == *" torture "* ]]; then
	mapfile -t x86 < <(awk '$5 == "check" && $3 == "x86_64" { print $1 }' "$TOP/kunit/kernels")
	for kernel in "${x86[@]}" 6.1; do
		beside step "torture-$kernel" \
			"$TOP/scripts/torture.sh" -k "$kernel" -t 20 -o 1000000
		logs+=("$BUILD/torture-$kernel.log")
	done
	beside step torture-busted "$TOP/scripts/torture.sh" -k 6.12 -b
	wait
	logs+=("$BUILD/torture-busted-6.12.log")
fi
code=0
[ ! -e "$out/failed" ] || code=1
"$TOP/scripts/summary.sh" "${logs[@]#"$PWD/"}" || code=1
exit $code
