# SPDX-License-Identifier: GPL-2.0-only
# Make results.json from the logs of the guests, that of the guest which counts instructions
# first. Each line is an object, so that line-wise tools can read the file.

{ sub(/\r$/, ""); sub(/^\[[ 0-9.]*\] /, "") }

$1 == "bench-calls" {
	if (!($2 in known)) {
		known[$2] = 1
		names[++ways] = $2
	}
	if (FNR == NR)
		instructions[$2] = sprintf("%.2f", $4 / 100)
	else
		ns[$2] = ns[$2] sprintf("%s\"%d\":%.2f", ns[$2] ? "," : "", $3, $4 / 100)
	next
}

$1 ~ /^bench-/ {
	kind = substr($1, 7)
	if (!(kind in objects))
		kinds[++nkinds] = kind
	objects[kind] = objects[kind] (objects[kind] ? ",\n" : "") substr($0, length($1) + 2)
}

END {
	printf "{\"kernel\":\"%s\",\n\"calls\":[\n", kernel
	for (i = 1; i <= ways; i++)
		printf "{\"name\":\"%s\",\"instructions\":%s,\"ns\":{%s}}%s\n", names[i],
		       instructions[names[i]], ns[names[i]], i < ways ? "," : ""
	printf "]"
	for (i = 1; i <= nkinds; i++)
		printf ",\n\"%s\":[\n%s\n]", kinds[i], objects[kinds[i]]
	printf "}\n"
}
