#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# patch-test.sh [SERIES...]: test the patches of scripts/patch.sh as a maintainer of a kernel tree
# would. The results go to build/patch.log, as KTAP, and what each case said to
# build/patch/SERIES.CASE.log.
#
# Without SERIES all are tested that patch.sh writes patches for. A tree that this machine cannot
# get is skipped.
#
# patch-test.sh -c CASE SERIES: run one case on the patches and in the tree that are there.

. "$(dirname "$0")/common.sh" || exit 1

log=$BUILD/patch.log

# The patches apply to the pristine tree, without a warning of whitespace.
case_applies()
{
	rm -rf "$tree" "$objects"
	git clone -q --shared "$PRISTINE" "$tree"
	git -C "$tree" -c user.name=test -c user.email=test@localhost am -q \
		--whitespace=error "$BUILD/patch/$series"/*.patch
}

# checkpatch.pl runs spdxcheck.py, which needs modules of Debian's python.
case_checkpatch()
{
	PATH=/usr/bin:$PATH "$TOP/scripts/checkpatch.sh" . "$BUILD/patch/$series"/*.patch
}

kernel()
{
	make O="$objects" -s -j"$JOBS" "$@"
}

# Everything of nmr compiles without a warning, for gcc and for sparse. allmodconfig has WERROR.
case_allmodconfig()
{
	kernel allmodconfig > /dev/null
	kernel prepare modules_prepare > "$objects/prepare" 2>&1 ||
		{ cat "$objects/prepare"; return 1; }
	kernel W=1 C=2 CF=-Wsparse-error drivers/nmr/
	ls "$objects"/drivers/nmr/{nmr,kunit/nmr_kunit,samples/hello/hello_client}.o > /dev/null
}

# Everything compiles built in, too, and Kconfig lets a user do without nmr.
case_values()
{
	local option

	# With KUNIT_ALL_TESTS the suites have no prompt.
	scripts/config --file "$objects/.config" --disable KUNIT_ALL_TESTS
	for option in NMR NMR_DEBUG KUNIT NMR_NETIO NMR_KUNIT_TEST NMR_TORTURE_TEST; do
		scripts/config --file "$objects/.config" --enable "$option"
	done
	kernel olddefconfig
	grep -x CONFIG_NMR_KUNIT_TEST=y "$objects/.config"
	kernel W=1 drivers/nmr/
	scripts/config --file "$objects/.config" --disable NMR
	kernel olddefconfig
	! grep '^CONFIG_NMR[_=]' "$objects/.config"
}

# get_maintainer.pl names our entry, and each pattern of the entry has a file.
case_maintainers()
{
	local path

	git diff --name-only --diff-filter=A origin | sed 's,/nmr/.*,/nmr/,' | sort -u |
		while read -r path; do
			scripts/get_maintainer.pl --no-git --no-git-fallback --sections \
				-f "$path" | grep '^NETWORK MODULE REGISTRAR' || {
				echo "no entry for $path"
				exit 1
			}
		done
	sed -n '/^NETWORK MODULE REGISTRAR/,/^$/s/^F:\t//p' MAINTAINERS | xargs ls -d
}

# Names of documents in our files are right.
case_references()
{
	local check

	check=$(git ls-files scripts/documentation-file-ref-check \
		tools/docs/documentation-file-ref-check)
	! { "./$check" 2>&1 || true; } | grep -w nmr
}

case_documentation()
{
	local code=0

	make O="$objects" -s SPHINXDIRS='driver-api/nmr tools/nmr' htmldocs \
		> "$objects/docs" 2>&1 || code=$?
	! grep -E '(warning|error|WARNING|ERROR).*nmr|nmr[/.].*(warning|error|WARNING|ERROR)' \
		<(sed "s,$BUILD/,,g" "$objects/docs") || return 1
	[ "$(find "$objects" -name nmr-internals.html -o -name nmrctl.html | wc -l)" = 2 ] ||
		cat "$objects/docs"
	return "$code"
}

# The command that the message of the patch names runs the suites as User-mode Linux.
case_kunit()
{
	local command

	command=$(git log --format=%B origin.. | sed -n 's/^ *\(.*kunit\.py run\)/\1/p')
	echo "$command"
	$command --build_dir="$objects.um" --jobs="$JOBS"
}

case_tools()
{
	"$TOP/scripts/fetch/packages.sh" tools
	make -s -C tools/nmr/nmrctl O="$objects/nmrctl" WERROR=-Werror
	"$objects/nmrctl/nmrctl" --version | grep '[0-9]\.[0-9]'
}

# As the README of the tests says: merge_config.sh gives the kernel what the tests need, and
# "make install" copies each of them.
case_selftests()
{
	local selftests=tools/testing/selftests

	kernel defconfig > /dev/null
	scripts/kconfig/merge_config.sh -O "$objects" "$objects/.config" "$selftests/nmr/config" |
		tee "$objects/merged"
	if grep 'not in final .config' "$objects/merged"; then
		return 1
	fi
	make -s -C "$selftests" TARGETS=nmr INSTALL_PATH="$objects/selftests" install
	"$objects/selftests/run_kselftest.sh" --list > "$objects/list"
	diff "$objects/list" <(cd "$selftests" && printf '%s\n' nmr/test-*.sh | sed s,/,:,)
	for test in lib.sh network.sh ktap_helpers.sh run_tests.sh settings; do
		diff "$selftests/nmr/$test" "$objects/selftests/nmr/$test"
	done
}

# run CASE: run it in the tree, with errexit, in a shell of its own
run()
{
	local said=$BUILD/patch/$series.$1.log code=0

	"$TOP/scripts/patch-test.sh" -c "$1" "$series" > "$said" 2>&1 || code=$?
	count=$((count + 1))
	if [ "$code" -eq 0 ]; then
		echo "ok $count $series.$1"
	else
		sed 's/^/# /' "$said" | tail -n 20
		echo "not ok $count $series.$1"
	fi
}

# place SERIES: set what the cases of a series use
place()
{
	series=$1 tree=$BUILD/patch/$1.tree objects=$BUILD/patch/$1.objects
	assignments=$("$TOP/scripts/fetch/kernel.sh" pristine "$series")
	eval "$assignments"
}

if [ "${1-}" = -c ]; then
	place "$3"
	[ "$2" = applies ] || cd "$tree"
	mkdir -p "$objects"
	"case_$2"
	exit
fi

# Print the results of all cases.
results()
{
	local name count=0

	echo "KTAP version 1"
	for series; do
		if [ ! -d "$BUILD/patch/$series" ]; then
			count=$((count + 1))
			echo "ok $count $series # SKIP no source"
			continue
		fi
		for name in applies checkpatch allmodconfig values maintainers references \
			documentation tools selftests kunit; do
			run "$name"
		done
	done
	echo "1..$count"
}

mapfile -t all < <(patch_series)
[ $# -gt 0 ] || set -- "${all[@]}"
"$TOP/scripts/fetch/packages.sh" kernel lint docs patch
"$TOP/scripts/patch.sh" "$@"
results "$@" > "$log"
"$TOP/scripts/summary.sh" "$log"
