# SPDX-License-Identifier: GPL-2.0-only
# Print results.json as tables.

function heading(text)
{
	printf "\n%s\n", text
}

/^{"kernel"/ { printf "Linux %s\n", field("kernel") }

/^"calls"/ {
	heading("A call: instructions over the bare call; ns on 1, 2 and 4 CPUs at once, as a multiple of the bare call's")
	printf "%-20s %12s %8s %8s %8s\n", "", "instructions", "1", "2", "4"
}
/^{"name"/ {
	name = field("name")
	if (name == "bare") {
		bare = field("instructions")
		for (n = 1; n <= 4; n *= 2)
			ns[n] = field(n)
	}
	printf "%-20s %+12.2f %8.2f %8.2f %8.2f\n", name, field("instructions") - bare,
	       field(1) / ns[1], field(2) / ns[2], field(4) / ns[4]
}

/"bindings":\[/ {
	heading("A pair: instructions to attach and to detach, bytes while it is bound")
	printf "%-16s %-10s %8s %8s %8s %8s %8s\n", "", "many", "n", "attach", "detach",
	       "both", "bytes"
}
/"attach_instructions"/ {
	printf "%-16s %-10s %8d %8d %8d %8d %8d\n", field("peer"), field("shape"),
	       field("n"), field("attach_instructions"), field("detach_instructions"),
	       field("attach_instructions") + field("detach_instructions"), field("bytes")
}

/"callable":\[/ { heading("Until the two can call each other: instructions at most") }
/^{"peer".*"instructions"/ {
	printf "%-16s %-10s %8d %8d\n", field("peer"), field("shape"), field("n"),
	       field("instructions")
}

/"leaving":\[/ {
	heading("Leaving idle bindings: waiting, as a multiple of one synchronize_rcu(); instructions a binding")
}
/"synchronize_rcu_multiple"/ {
	printf "%-10s %8d %8.2f %8d\n", field("leaver"), field("bindings"),
	       field("synchronize_rcu_multiple"), field("instructions")
}

/"closing":\[/ {
	heading("Closing on many CPUs: ms of one synchronize_rcu(), until the last detach callback, and until the wait returns")
	printf "%8s %8s %8s %8s %8s\n", "CPUs", "bindings", "RCU", "told", "gone"
}
/"told_us"/ {
	printf "%8d %8d %8.1f %8.1f %8.1f\n", field("cpus"), field("bindings"),
	       field("rcu_us") / 1000, field("told_us") / 1000, field("gone_us") / 1000
}

/"draining":\[/ {
	heading("Leaving with calls in flight: instructions of each exit, and from the last until complete")
}
/"exit_instructions"/ {
	printf "%8d %8d %8d\n", field("calls"), field("exit_instructions"),
	       field("until_complete_instructions")
}

/"stuck":\[/ { heading("Leaving alone, and beside a binding that does not drain: ns") }
/"alone_ns"/ { printf "%8d %8d\n", field("alone_ns"), field("beside_a_stuck_one_ns") }

/"registration":\[/ {
	heading("Registering and leaving: instructions a registration, with its bindings; to find one")
	printf "%8s %9s %8s %9s %9s %9s %9s\n", "clients", "providers", "NPIs", "bindings",
	       "register", "leave", "find"
}
/"register_instructions"/ {
	n = field("clients") + field("providers")
	printf "%8d %9d %8d %9d %9d %9d %9d\n", field("clients"), field("providers"),
	       field("npis"), field("bindings"), field("register_instructions") / n,
	       field("leave_instructions") / n, field("lookup_instructions")
}

/"walk":\[/ {
	heading("A walk through all clients of a provider: instructions a client, with a gate entered, and under RCU")
	printf "%8s %8s %8s\n", "clients", "gate", "RCU"
}
/"walk_hundredths"/ {
	printf "%8d %8.2f %8.2f\n", field("clients"), field("walk_hundredths") / 100,
	       field("walk_rcu_hundredths") / 100
}
