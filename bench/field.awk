# SPDX-License-Identifier: GPL-2.0-only
# Functions for table.awk and plot-data.awk, which read lines of results.json.

# Return the value of a field of this line's object.
function field(name,	value)
{
	if (!match($0, "\"" name "\":(\"[^\"]*\"|[0-9.]+)"))
		return ""
	value = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
	gsub(/"/, "", value)
	return value
}
