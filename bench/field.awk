# SPDX-License-Identifier: GPL-2.0-only
# Read before table.awk or plot-data.awk, for lines of results.json.

# The value of a field of this line's object.
function field(name,	value)
{
	if (!match($0, "\"" name "\":(\"[^\"]*\"|[0-9.]+)"))
		return ""
	value = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
	gsub(/"/, "", value)
	return value
}
