# SPDX-License-Identifier: GPL-2.0-only
#
# awk -v dir=DIR -v date=DATE -v source=SOURCE -f man.awk: cut the output of kernel-doc -man into
# pages, DIR/NAME.9, and mend them. kernel-doc titles each structure "Kernel API", prints
# synopses that fill and quote wrongly, and leaves lists as they stand in the comment.

function put(line)
{
	print line > page
}

# Print the heading that waits for its first text.
function begin()
{
	if (heading)
		put(".SH " toupper(heading))
	heading = ""
}

# End a list, and begin a paragraph if there was an empty line.
function next_paragraph()
{
	if (list)
		put(".RE")
	if (list || empty)
		put(tagged ? ".IP \"\" 8" : ".PP")
	list = empty = 0
}

# Print a declaration in lines of at most 78 columns, broken after commas.
function declare(text,    words, n, i, line)
{
	n = split(text, words, ", ")
	line = words[1]
	for (i = 2; i <= n; i++) {
		line = line ","
		if (length(line) + length(words[i]) > 76) {
			put(line)
			line = "        " words[i]
		} else {
			line = line " " words[i]
		}
	}
	put(line)
}

# Print the synopsis, of which the lines were joined by newlines.
function end_synopsis()
{
	if (!synopsis)
		return
	put(".nf")
	put("#include <linux/nmr.h>")
	put(".PP")
	put(".ft B")
	if (synopsis ~ /\{/) {
		n = split(synopsis, lines, "\n")
		for (i = 1; i <= n; i++)
			declare(lines[i])
	} else {
		gsub(/\n/, " ", synopsis)
		gsub(/ +\(/, "(", synopsis)
		gsub(/ +,/, ",", synopsis)
		gsub(/ +\)/, ")", synopsis)
		declare(synopsis)
	}
	put(".ft R")
	put(".fi")
	synopsis = ""
}

function end_section()
{
	end_synopsis()
	if (list)
		put(".RE")
	list = empty = tagged = 0
}

function end_page()
{
	if (!page)
		return
	end_section()
	put(".SH SEE ALSO")
	put(".BR nmr (4)")
	close(page)
}

/^\.TH / {
	end_page()
	split($0, part, "\"")
	n = split(part[4], word, " ")
	page = dir "/" word[n] ".9"
	put(".\\\" SPDX-License-Identifier: GPL-2.0-only")
	put(".\\\" Made by scripts/man.sh from include/linux/nmr.h")
	put(".TH " word[n] " 9 \"" date "\" \"" source "\" \"Kernel Interfaces\"")
	next
}
/^\.SH / {
	end_section()
	heading = substr($0, 5)
	gsub(/"/, "", heading)
	section = heading
	next
}
section == "SYNOPSIS" {
	gsub(/^\.BI? |"|^\.br$/, "")
	gsub(/, *$/, ",")
	if ($0 == "," || $0 ~ /^ *;$/) {
		synopsis = synopsis $0
	} else if (NF) {
		begin()
		match($0, /^ */)
		indent = RLENGTH
		gsub(/ +/, " ")
		gsub(/,const/, ", const")
		sub(/^ /, sprintf("%*s", indent, ""))
		synopsis = synopsis (synopsis ? "\n" : "") $0
	}
	next
}
/^\.IP / {
	begin()
	end_section()
	tagged = 1
	put(".TP 8")
	split($0, part, "\"")
	put(".I " part[2])
	next
}
!NF {
	empty = !heading
	next
}
section == "NAME" {
	sub(/^(struct|enum|typedef) /, "")
}
{
	begin()
	gsub(/-E/, "\\-E")
	gsub(/\\fB[A-Za-z_]+\\fP/, "&()")
}
/^\* / {
	if (!list)
		put(".RS")
	put(".IP \\(bu 2")
	put(substr($0, 3))
	list = 1
	empty = 0
	next
}
{
	if (empty)
		next_paragraph()
	put($0)
}
END {
	end_page()
}
