#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# docs.sh [CHECK...]: build the documentation as HTML, in build/docs, and check in documents what
# no tool of the kernel checks. Print nothing and exit with 0 if no check complains. The checks:
#
#   html	Sphinx, with the kernel's extensions, has no warning
#   links	each file that a document names exists, here or in the kernel
#   names	each function of nmr that a document names exists
#   messages	the page on troubleshooting has each message of the log, and each errno
#   figures	each drawing is what scripts/figures.sh makes of its source
#   man		each name that nmr.h documents has a page of section 9, and man has no warning
#   targets	each target of make that a document prints exists
#   samples	the code that README.md shows is the code of samples/hello

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/docs
cd "$TOP"
mapfile -t documents < <(find . \( -path ./build -o -path ./.git \) -prune -o \
			 -name '*.md' -print -o -name '*.rst' -print -o \
			 -path './Documentation/ABI/*' -type f -print)

# Have Documentation/ in build/docs/source, with a page of Documentation/ABI. A kernel tree has such
# a page, of this name.
stage()
{
	local page=$out/source/admin-guide/abi-testing.rst

	rm -rf "$out/source"
	cp -rs "$TOP/Documentation" "$out/source"
	{
		printf 'ABI testing symbols\n===================\n\n'
		perl "$SOURCE/scripts/get_abi.pl" --dir Documentation/ABI rest
	} > "$page"
}

# The pages name files as a kernel tree does, where the project is drivers/nmr. A missing
# DOC: title is no warning for Sphinx; kernel-doc writes it to stderr.
check_html()
{
	"$TOP/scripts/fetch/packages.sh" docs
	mkdir -p "$out/tree/drivers"
	ln -sfn "$TOP" "$out/tree/drivers/nmr"
	ln -sfn "$TOP/include" "$out/tree/include"
	stage
	NMR_DOCS_KERNEL=$SOURCE NMR_DOCS_TREE=$out/tree PYTHONDONTWRITEBYTECODE=1 \
		sphinx-build -q -E -n -W --keep-going -b html -c Documentation \
		-d "$out/doctrees" "$out/source" "$out/html" 2>&1 | report
}

# Print the input, and fail if there is any.
report()
{
	! grep ''
}

# Print what document $1 names: the targets of its links, and words that look like a file of
# the project or like a document.
named_files()
{
	local folder='Documentation|driver-api|ABI|performance|include|module|netio|kunit|samples'

	folder+='|scripts|tools|torture|bench'
	grep -oP '\]\(\K[^)#]+' "$1" || true
	grep -oP "(?<![\w/.-])($folder)/[\w./-]*\w" "$1" | grep -F . || true
	grep -oP '(?<![\w/.\[-])[\w-]+\.(md|rst)\b' "$1" || true
}

check_links()
{
	local document target

	for document in "${documents[@]}"; do
		named_files "$document" | sort -u | while read -r target; do
			[[ -e $target || -e ${document%/*}/$target ||
			   -e $SOURCE/$target || $target = *://* ]] ||
				echo "$document: there is no $target"
		done
	done | report
}

# A word of code that is called like a function of nmr. Those of samples and of the tests
# count, too. The changelog may name what has gone.
check_names()
{
	local name

	printf '%s\n' "${documents[@]}" | grep -v CHANGELOG |
		xargs grep -ohE '\b_*(nmr|NMR|nt)_[A-Za-z0-9_]+\(\)' | sort -u |
		while read -r name; do
			grep -rqwF "${name%()}" include module netio kunit torture bench samples ||
				echo "a document names $name, which does not exist"
		done | report
}

# targets_of DOCUMENT: print what its blocks, which are fenced or have a prompt, have make do here
targets_of()
{
	awk '
	/^```/ { fence = !fence; next }
	fence || sub(/^\t[$#] /, "") {
		sub(/ #.*/, "")
		for (n = split($0, commands, /[;&|]+/); n; n--) {
			words = split(commands[n], word)
			if (word[1] == "make" && word[2] != "-C")
				for (; words > 1; words--)
					print word[words]
		}
	}' "$1"
}

# A word of make that is neither an option nor a variable is a target.
check_targets()
{
	local document target

	for document in "${documents[@]}"; do
		targets_of "$document" | sort -u | while read -r target; do
			[[ $target != +([a-z_-]) ]] ||
				grep -qE "^([a-z_-]+ )*$target( [a-z_-]+)*:" Makefile ||
				echo "$document: make has no $target"
		done
	done | report
}

# Print the constant parts of the messages in these files: what stands between conversions. A text
# that ends in "=" is a variable of an event.
message_parts()
{
	# shellcheck disable=SC2016	# for perl
	perl -0777 -ne '
		s{/\*.*?\*/|//[^\n]*}{}gs;
		my $string = qr/"(?:[^"\\]|\\.)*"/;
		my $print = qr/pr_(?!fmt)\w+|\w*WARN\w*|sc?nprintf|nmr_(?:refuse|say|log_command)/;
		my $kind = qr/\[NMR_MISUSE_\w+\] = (\{[^}]*\})/;
		while (/\b$print(\((?:[^()"]|$string|(?1))*\))|$kind/gs) {
			foreach (($1 // $2) =~ /$string/g) {
				print map { "$_\n" }
					split /%[hlzj]*[a-zA-Z]\w?|\\n/, substr($_, 1, -1);
			}
		}' "$@" | sed 's/^[ ,.:;(]*//; s/[ ,.:;(]*$//' | grep -E '.{5}[^=]$' | sort -u
}

check_messages()
{
	local page=Documentation/admin-guide/nmr-troubleshooting.rst text part

	text=$(tr -s '[:space:]' ' ' < "$page")
	{
		message_parts {module,netio}/*.[ch] include/linux/nmr.h
		grep -oE '%-E[A-Z_]+' include/linux/nmr.h | sort -u |
			sed 's/%\(.*\)/\x60\x60\1\x60\x60/'
	} | while IFS= read -r part; do
		[[ $text == *"$part"* ]] || echo "$page lacks: $part"
	done | report
}

check_figures()
{
	local figure drawn=$out/figures

	rm -rf "$drawn"
	mkdir "$drawn"
	"$TOP/scripts/figures.sh" "$drawn"
	find Documentation -name '*.dot' | while read -r figure; do
		figure=${figure%.dot}.svg
		cmp -s "$figure" "$drawn/${figure##*/}" ||
			echo "$figure is not what make figures draws"
	done | report
}

check_man()
{
	local name page

	"$TOP/scripts/fetch/packages.sh" manual
	"$TOP/scripts/man.sh" "$out/man"
	{
		sed -nE 's/^ \* ((struct|enum|typedef) )?(\w+)(\(\))? - .*/\3/p' \
			include/linux/nmr.h |
			while read -r name; do
				[ -e "$out/man/man9/$name.9" ] || echo "$name has no page"
			done
		for page in "$out"/man/man9/*.9; do
			LC_ALL=C.UTF-8 man --warnings -l -Tutf8 -Z "$page" 2>&1 > /dev/null || true
		done
	} | report
}

# Each block of C and of make in README.md stands in one of the files, as it is.
check_samples()
{
	local block='' line inside=''

	while IFS= read -r line; do
		case $line in
		'```c'|'```make')
			inside=y block=''
			;;
		'```')
			[ -z "$inside" ] || is_sample "$block" ||
				printf 'README.md shows other code than samples/hello:\n%s' \
				       "$block"
			inside=''
			;;
		*)
			block+=$line$'\n'
			;;
		esac
	done < README.md | report
}

is_sample()
{
	local file

	for file in samples/hello/*; do
		[[ $(< "$file")$'\n' != *"$1"* ]] || return 0
	done
	return 1
}

assignments=$("$TOP/scripts/fetch/kernel.sh" source 6.1)
eval "$assignments"
mkdir -p "$out"
for check; do
	case $check in
	html)		check_html ;;
	links)		check_links ;;
	names)		check_names ;;
	messages)	check_messages ;;
	figures)	check_figures ;;
	man)		check_man ;;
	targets)	check_targets ;;
	samples)	check_samples ;;
	*)		die "no check $check" ;;
	esac
done
[ $# -eq 0 ] || exit 0

# Run all of them, even if one fails.
code=0
for check in links names messages figures man targets samples html; do
	"$TOP/scripts/docs.sh" "$check" || code=1
done
exit "$code"
