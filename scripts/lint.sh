#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lint.sh [CHECK...]: the kernel's checkers over all of the project, or some of
# them. Silent and 0 if they have nothing to say.

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/lint

# Two things that checkpatch wants of the kernel itself do not go here: the layout
# of TRACE_EVENT() is another, and a module for several kernels asks for which.
check_style()
{
	local checkpatch=("$SOURCE/scripts/checkpatch.pl" --no-tree --strict
			  --show-types --quiet)

	find "$TOP"/{module,kunit,samples,bench,torture,tools,include/linux} -name '*.[ch]' \
		! -name compat.h -exec perl "${checkpatch[@]}" -f {} +
	perl "${checkpatch[@]}" --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT \
		-f "$TOP"/include/trace/events/*.h
	perl "${checkpatch[@]}" --ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON \
		-f "$TOP/module/compat.h"
}

# With -v it asks for Return: sections, and says what it reads.
check_doc()
{
	local code=0

	find "$TOP"/{module,kunit,samples,bench,torture,tools,include} -name '*.[ch]' -exec \
		"$SOURCE/scripts/kernel-doc" -none -v -Werror {} + \
		> "$out/doc.all" 2>&1 || code=$?
	grep -v ' info: Scanning doc for ' "$out/doc.all" || true
	return "$code"
}

# What is said of interfaces in sysfs; only stderr tells.
check_abi()
{
	! perl "$SOURCE/scripts/get_abi.pl" --dir "$TOP/Documentation/ABI" \
		validate 2>&1 > /dev/null | grep .
}

check_shell()
{
	cd "$TOP"
	shellcheck -x -P SCRIPTDIR .ci/run scripts/*.sh scripts/fetch/*.sh scripts/guest/init \
		tools/testing/selftests/nmr/*.sh
	find scripts/guest -name '*.sh' -exec \
		shellcheck -x -s dash -P tools/testing/selftests {} +
}

# The kernel's scripts, but those in OCaml. Each is one run of spatch.
check_coccinelle()
{
	local src=$out/src	# without what was built

	rm -rf "$src"
	mkdir "$src"
	cp -r "$TOP"/{include,module,kunit,samples,bench,torture,tools} "$src"
	! grep -rLZ --include='*.cocci' 'script: *ocaml' \
		"$SOURCE/scripts/coccinelle" |
		KBUILD_EXTMOD=$src srctree=$SOURCE J=1 MODE=report \
		LINUXINCLUDE="-I$src/include -I$SOURCE/include" \
		xargs -0 -P"$JOBS" -I{} \
		env COCCI={} bash "$SOURCE/scripts/coccicheck" 2>&1 |
		grep "^$src/"
}

# Modules for the stock kernels, warnings being errors; sparse by the older's
# headers.
check_modules()
{
	"$TOP/scripts/modules.sh" -d "$out" 6.12 -s W=1e > /dev/null
	"$TOP/scripts/modules.sh" -d "$out" 6.1 -s W=1e C=2 CF=-Wsparse-error \
		> /dev/null
}

# The suites need a kernel with KUnit.
check_kunit()
{
	"$TOP/scripts/fetch/own-kernel.sh" -l W=1e C=2 CF=-Wsparse-error
}

"$TOP/scripts/fetch/packages.sh" lint
assignments=$("$TOP/scripts/fetch/kernel.sh" source 6.1)
eval "$assignments"
mkdir -p "$out"

for check; do
	case $check in
	style)		check_style ;;
	doc)		check_doc ;;
	abi)		check_abi ;;
	shell)		check_shell ;;
	coccinelle)	check_coccinelle ;;
	modules)	check_modules ;;
	kunit)		check_kunit ;;
	*)		die "no check $check" ;;
	esac
done
[ $# -eq 0 ] || exit 0

# All: one after the other, keeping what each says.
run()
{
	local check

	for check; do
		"$0" "$check" > "$out/$check.log" 2>&1 ||
			echo "$check" >> "$out/failed"
	done
}

rm -f "$out/failed"
run modules kunit &
run style doc abi shell coccinelle &
wait
[ -e "$out/failed" ] || exit 0
while read -r check; do
	echo "== $check"
	cat "$out/$check.log"
done < "$out/failed"
exit 1
