#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mutants.sh [NAME]...: break the code on purpose, and check that tests fail.
#
# Each kunit/mutants/NAME.patch is one small fault. Its first line says what the fault is, and a
# line "Suites:" names the suites, or the cases, that have to fail. If no suite can see the fault, a
# line "Selftests:" names a program of the selftests, and its cases that have to fail. KTAP goes to
# build/mutants.log, and the log of each guest to build/mutants.
#
# nmr, the suites and the modules of the selftests are modules for one kernel. Each fault has a
# guest of its own, and as many guests run concurrently as there are CPUs. The first guests run all
# named cases without a fault: they have to pass.

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1

out=$BUILD/mutants
no_fault=without-a-fault
silence=180	# seconds; longer than a wait of a test, see build_suites()

# globs PATCH...: print the suites and cases that the patches name, one a line
globs()
{
	sed -n 's/^Suites: //p' "$@" | tr ' ' '\n' | sort -u
}

# selftests PATCH...: print the programs that the patches name, each with all cases, one a line
selftests()
{
	sed -n 's/^Selftests: //p' "$@" |
		awk '{
			for (i = 2; i <= NF; i++)
				if (!seen[$1, $i]++)
					cases[$1] = cases[$1] " " $i
		}
		END { for (program in cases) print program cases[program] }' | sort
}

# build TREE [MAKE-ARGUMENT]...: build the modules of TREE with the headers of TREE. The include/
# of the kernel may have the headers of another checkout.
build()
{
	local tree=$1

	shift
	# shellcheck disable=SC2153	# of own-kernel.sh
	make -C "$BUILT" M="$tree" NOSTDINC_FLAGS="-nostdinc -I$tree/include" "$@" modules \
		> "$tree/make.log" 2>&1
}

# Build the suites, once, as the faults are in nmr. An event that a fault prevents never comes,
# so let tests wait for no more than a minute.
build_suites()
{
	local tree=$out/suites

	mkdir -p "$tree"
	cp -r "$TOP"/{Kbuild,include,module,netio,kunit} "$tree"
	sed -i 's/^\(#define NT_TIMEOUT\).*/\1	(60 * HZ)/' "$tree"/kunit/*.h
	build "$tree" -j"$JOBS" CONFIG_NMR_TEST_MODULES=m || {
		cat "$tree/make.log" >&2
		die "the suites do not build"
	}
}

# first_failure TREE LOG: print the first result that is not ok, after the names of its suite and
# case. If there is none, print the kernel's first complaint.
first_failure()
{
	awk '
	{ sub(/\r$/, ""); sub(/^\[ *[0-9.]+\](\[[^]]*\])? /, ""); depth = match($0, /[^ ]/) }
	sub(/^ *# Subtest: /, "") { name[depth] = $0 }
	sub(/^ *not ok [0-9]+ /, "") {
		for (i = 1; i <= depth; i++)
			if (i in name)
				printf "%s: ", name[i]
		print
		failed = 1
		exit
	}
	END { exit !failed }' "$2" || sed 's/^\[ *[0-9.]*\] //; s/^.*\.log: //; q' "$1/complaint"
}

# outcome TREE LOG: build the nmr of TREE, run the cases of TREE/globs or TREE/selftests with it,
# and print the first failure. Return 0 if all cases pass, 1 if there is a failure, 2 if no test has
# run.
outcome()
{
	local tree=$1 log=$2 script=mutants.sh args="kunit.enable=1" modules program cases

	build "$tree" CONFIG_NMR_KUNIT_TEST= || {
		echo "nmr does not build"
		return 2
	}
	modules=("$out/suites/kunit/nmr_kunit.ko")
	if [ -s "$tree/selftests" ]; then
		script=integration.sh
		read -r program cases < "$tree/selftests"
		args="programs=$program cases=${cases// /,}"
		modules=("$out"/suites/kunit/modules/*.ko)
	fi
	initramfs "$tree/initrd" "$TOP/scripts/guest/$script" "$tree/globs:/globs" \
		"$tree/nmr.ko" "$tree/netio/nmr_netio.ko" "${modules[@]}"
	# A guest that ends before init is booted again, see guest.sh.
	for _ in 1 2 3; do
		# shellcheck disable=SC2153	# of own-kernel.sh
		qemu "$log" "$silence" "$accel" "$KERNEL" "$tree/initrd" "$tree/verdict" \
		     "$args" -smp 4 -m 1024 > /dev/null || true
		! grep -q 'guest: begin' "$log" || break
	done
	grep -q '# Subtest: nmr_\|TAP version 13' "$log" || {
		echo "no test has run"
		return 2
	}
	judge "$log" "$tree/verdict" 2> "$tree/complaint" || {
		first_failure "$tree" "$log"
		return 1
	}
	echo "all cases pass"
}

# try TREE NAME: print the result of a fault. Copy the files that the fault has changed anew, so
# that the next build compiles only the files of two faults.
try()
{
	local tree=$1 name=$2 patch=$TOP/kunit/mutants/$2.patch said code=0 good=1 file

	if [ ! -e "$tree/Kbuild" ]; then
		mkdir -p "$tree"
		cp -r "$TOP"/{Kbuild,include,module,netio} "$tree"
	fi
	case $name in
	"$no_fault")
		good=0 patch=/dev/null
		globs "${patches[@]}" | sed 's/\..*//' | sort -u > "$tree/globs"
		: > "$tree/selftests" ;;
	"$no_fault"-*)
		good=0 patch=/dev/null
		: > "$tree/globs"
		selftests "${patches[@]}" | grep "^${name#"$no_fault"-}.sh " > "$tree/selftests" ;;
	*)
		globs "$patch" > "$tree/globs"
		selftests "$patch" > "$tree/selftests" ;;
	esac
	if patch --silent --strip=1 --fuzz=0 --directory="$tree" < "$patch" > /dev/null; then
		said=$(outcome "$tree" "$out/$name.log") || code=$?
	else
		said="the patch does not apply" code=2
	fi
	sed -n 's|^--- a/||p' "$patch" | while read -r file; do
		cp "$TOP/$file" "$tree/$file"
	done
	[ $code -eq $good ] && echo "ok $name # $said" || echo "not ok $name # $said"
}

# try_all NAME...: try the faults, each in a tree that no other fault uses at that time
try_all()
{
	local name pid trees=() tree_of=()

	for ((n = 0; n < JOBS; n++)); do
		trees+=("$out/$n")
	done
	for name; do
		if [ ${#trees[@]} -eq 0 ]; then
			wait -n -p pid || true
			trees=("${tree_of[pid]}")
		fi
		try "${trees[0]}" "$name" &
		tree_of[$!]=${trees[0]}
		trees=("${trees[@]:1}")
	done
	wait
}

[ $# -gt 0 ] || set -- "$TOP"/kunit/mutants/*.patch
names=("${@##*/}")
names=("${names[@]%.patch}")
patches=("${names[@]/#/$TOP/kunit/mutants/}")
patches=("${patches[@]/%/.patch}")
ls "${patches[@]}" > /dev/null
faultless=()
[ -z "$(globs "${patches[@]}")" ] || faultless+=("$no_fault")
while read -r program _; do
	faultless+=("$no_fault-${program%.sh}")
done < <(selftests "${patches[@]}")

! skipped mutants "$BUILD/mutants.log" || exit 0
assignments=$("$TOP/scripts/fetch/own-kernel.sh" mutants)
eval "$assignments"
"$TOP/scripts/fetch/packages.sh" guest
accel=$(accel)
rm -rf "$out"
build_suites
{
	echo "KTAP version 1"
	echo "1..$((${#names[@]} + ${#faultless[@]}))"
	number=0
	try_all "${faultless[@]}" "${names[@]}" | while read -r result; do
		number=$((number + 1))
		echo "${result/ok /ok $number }"
	done
} | tee "$BUILD/mutants.log"
code=0
! grep -q '^not ok' "$BUILD/mutants.log" || code=1
"$TOP/scripts/summary.sh" "$BUILD/mutants.log" || code=1
exit $code
