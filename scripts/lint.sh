#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lint.sh [CHECK...]: run these checks over all of the project, or all checks. If no check
# complains, exit with 0, and print nothing but a line for each kernel that this machine cannot get.

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/lint

# left_out KERNEL: test whether this machine cannot get it, as skipped() does, and say so
left_out()
{
	skipped "$1" && say "lint: ${1%-source} is left out: $reason"
}

# Check all files of the patches. Of the templates of nmr-new, check what it makes of them.
check_style()
{
	local new=$out/new side

	rm -rf "$new"
	mkdir "$new"
	for side in provider client; do
		(cd "$new" && "$TOP/tools/nmr-new/nmr-new" $side new_$side > /dev/null)
	done
	find "$TOP"/{module,netio,kunit,samples,bench,torture,tools,include} "$new" \
		-path "$TOP/tools/nmr-new" -prune -o \
		\( -name '*.[ch]' -o -name '*.bt' -o -path '*/selftests/*.sh' \) \
		-exec "$TOP/scripts/checkpatch.sh" "$SOURCE" --no-tree -f {} +
}

# With -v kernel-doc asks for Return: sections, but also prints the name of each file.
check_doc()
{
	local code=0

	find "$TOP"/{module,netio,kunit,samples,bench,torture,tools,include} \
		-path "$TOP/tools/nmr-new" -prune -o -name '*.[ch]' -exec \
		"$SOURCE/scripts/kernel-doc" -none -v -Werror {} + \
		> "$out/doc.all" 2>&1 || code=$?
	grep -v ' info: Scanning doc for ' "$out/doc.all" || true
	return "$code"
}

# get_abi.pl exits with 0 in any case.
check_abi()
{
	! perl "$SOURCE/scripts/get_abi.pl" --dir "$TOP/Documentation/ABI" \
		validate 2>&1 > /dev/null | grep .
}

check_shell()
{
	cd "$TOP"
	shellcheck -x -P SCRIPTDIR .ci/run scripts/*.sh scripts/fetch/*.sh scripts/guest/init \
		scripts/patch/tree.sh debian/nmr-dkms.postinst debian/nmr-dkms.prerm \
		tools/testing/selftests/nmr/*.sh tools/nmrctl/nmrctl.bash tools/nmrctl/nmrctl.hook \
		tools/nmr-new/nmr-new
	find scripts/guest -name '*.sh' -exec \
		shellcheck -x -s dash -P tools/testing/selftests {} +
}

# Sentences have a subject: a task, a caller, a CPU. The only one of these words that may occur
# is the name of a user, as an argument of su and in a file of passwords.
check_words()
{
	local words='who|whoever|whom|whose|nobody|somebody|anybody'

	cd "$TOP"
	! {
		git ls-files -z -- . ':!LICENSES' ':!COPYING' ':!*.json' ':!*.svg' \
			':!scripts/lint.sh' |
			xargs -0 grep -nwiE "$words" || true
	} |
		grep -vE -e ':.*\bsu -s ' -e ':x:65534:'
}

# A function's body has at most 40 lines.
check_length()
{
	cd "$TOP"
	find module netio kunit samples torture bench tools -name '*.[ch]' ! -name '*.mod.c' \
		-exec awk '
	FNR == 1 { begin = 0 }
	/^[a-z].*\(/ { name = $0 }
	/^\{$/ { begin = FNR }
	/^\}$/ && begin {
		lines = FNR - begin - 1
		if (lines > 40) {
			print FILENAME ":" begin ": " lines " lines: " name
			bad = 1
		}
		begin = 0
	}
	END { exit bad }' {} +
}

# Run the kernel's semantic patches, except those in OCaml, each in a spatch of its own.
check_coccinelle()
{
	local src=$out/src	# without what was built

	rm -rf "$src"
	mkdir "$src"
	cp -r "$TOP"/{include,module,netio,kunit,samples,bench,torture,tools} "$src"
	! grep -rLZ --include='*.cocci' 'script: *ocaml' \
		"$SOURCE/scripts/coccinelle" |
		KBUILD_EXTMOD=$src srctree=$SOURCE J=1 MODE=report \
		LINUXINCLUDE="-I$src/include -I$SOURCE/include" \
		xargs -0 -P"$JOBS" -I{} \
		env COCCI={} bash "$SOURCE/scripts/coccicheck" 2>&1 |
		grep "^$src/"
}

# Compile the modules for the stock kernels, with warnings as errors; for 6.1 with sparse, too, and
# for 6.12 with gcc's static analyser.
check_modules()
{
	local kernel options

	for kernel in $(series check matrix); do
		case $kernel in
		6.1)	options="W=1e C=2 CF=-Wsparse-error" ;;
		6.12)	options="W=1e KCFLAGS=-fanalyzer" ;;
		*)	options="W=1 KCFLAGS=-Werror" ;;
		esac
		! left_out "$kernel" || continue
		# shellcheck disable=SC2086	# words
		"$TOP/scripts/modules.sh" -d "$out" "$kernel" -s $options > /dev/null
	done
}

# Compile the modules by clang, with its static analyser, and warnings as errors. The 6.12 tree is
# prepared, and not compiled, so there are no symbols to link with.
check_clang()
(
	! left_out 6.12-source || return 0
	dir=$out/clang
	"$TOP/scripts/fetch/packages.sh" clang
	assignments=$("$TOP/scripts/fetch/kernel.sh" source 6.12)
	eval "$assignments"
	cache_lock clang
	tree=$CACHE/clang-$VERSION
	make=(make -C "$SOURCE" O="$tree" LLVM=1 -s -j"$JOBS")
	[ -e "$tree/scripts/module.lds" ] || {
		mkdir -p "$tree"
		"${make[@]}" defconfig
		"${make[@]}" modules_prepare
	}
	mkdir -p "$dir"
	cp -rsf "$TOP"/{Kbuild,include,module,netio,kunit,samples,bench,torture,tools} "$dir"
	find "$dir" -xtype l -delete
	# The include/ of the kernel may have the headers of another checkout.
	"${make[@]}" M="$dir" W=1e CONFIG_NMR_SAMPLES=m CONFIG_NMR_TEST_MODULES=m \
		CONFIG_NMR_TORTURE_TEST=m CONFIG_NMR_BENCH=m \
		C=1 CHECK="clang --analyze --analyzer-output text -Xclang -analyzer-werror" \
		CHECKFLAGS= \
		NOSTDINC_FLAGS="-nostdinc -I$dir/include" "$dir"
)

# Run clang-tidy over nmrctl, and compile the fuzzer, which nothing else does.
check_nmrctl()
{
	"$TOP/scripts/fetch/packages.sh" tools tidy
	make -s -C "$TOP/tools/nmrctl" O="$out/nmrctl" WERROR=-Werror tidy fuzz
}

# Compile nmr and the suites inside a kernel tree, which has KUnit.
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
	words)		check_words ;;
	length)		check_length ;;
	docs)		"$TOP/scripts/docs.sh" ;;
	coccinelle)	check_coccinelle ;;
	modules)	check_modules ;;
	clang)		check_clang ;;
	nmrctl)		check_nmrctl ;;
	kunit)		check_kunit ;;
	*)		die "no check $check" ;;
	esac
done
[ $# -eq 0 ] || exit 0

# run CHECK...: run them one after the other, and keep what each says.
run()
{
	local check

	for check; do
		"$0" "$check" > "$out/$check.log" 2>&1 ||
			echo "$check" >> "$out/failed"
	done
}

rm -f "$out/failed" "$out"/*.log
run modules kunit clang &
run words length style doc docs abi shell nmrctl coccinelle &
wait
cat "$out"/*.log | grep '^lint: .* is left out: ' >&2 || true
[ -e "$out/failed" ] || exit 0
while read -r check; do
	echo "== $check"
	cat "$out/$check.log"
done < "$out/failed"
exit 1
