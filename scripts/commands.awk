# SPDX-License-Identifier: GPL-2.0-only
#
# awk [-v skip=REGEX] -f commands.awk PAGE.rst: print, as a shell script, what the page has its
# reader do: the commands after "$ " and "# " in blocks of type console, and a here-document for
# each block that has a caption, which is the name of the file. Sections with a title that matches
# the regular expression are left out.
#
# The content of a block is indented by one tab. What a block shows of the output of a command is
# left out.

function finish()
{
	if (file)
		print "END_OF_FILE"
	type = file = ""
}

/^(====*|----*)$/ {
	left_out = skip && title ~ skip
}
{
	title = $0
}
/^[^\t]/ {
	finish()
}
/^\.\. code-block:: / {
	type = left_out ? "" : $3
	next
}
type && /^\t:caption: / {
	file = $2
	print "cat > " file " << 'END_OF_FILE'"
	started = 0
	next
}
file && (started || NF) {
	sub(/^\t/, "")
	print
	started = 1
	next
}
type == "console" && /^\t[$#] / {
	print substr($0, 4)
}
END {
	finish()
}
