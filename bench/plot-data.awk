# SPDX-License-Identifier: GPL-2.0-only
# Make the data of plots.gp from results.json: a file a figure, in dir.

/^{"name":"bare"/ { bare = field("instructions") }

/^{"name"/ && field("name") != "bare" && field("name") !~ /^nmr.*_provider$/ {
	name = field("name")
	gsub(/_/, "\\_", name)
	printf "\"%s\" %s\n", name, field("instructions") - bare > (dir "/calls.dat")
	printf "\"%s\" %s %s %s\n", name, field(1), field(2), field(4) > (dir "/cpus.dat")
}

/"attach_instructions"/ {
	name = field("peer") "-" field("shape")
	both = field("attach_instructions") + field("detach_instructions")
	printf "%s %s %s\n", field("n"), both, field("bytes") > (dir "/" name ".dat")
}
