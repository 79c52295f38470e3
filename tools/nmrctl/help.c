// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands, and their help */
#include <string.h>

#include "nmrctl.h"

const struct command commands[] = {
	{ "tree", cmd_tree, "JosngSCi", "tree [OBJECT...] [--inverse]",
	  "interfaces, their providers and the clients of these",
	  "Without a command, nmrctl prints the tree. --inverse: interfaces, their clients and\n"
	  "the providers of these.\n" },
	{ "list", cmd_list, "JosngSC",
	  "list [interfaces|providers|clients|bindings] [OBJECT...]",
	  "one a line; bindings, if none is said",
	  "--output sets the columns; with a plus sign it adds to them.\n" },
	{ "show", cmd_show, "JgC", "show OBJECT...",
	  "all about it, and what it waits for",
	  "Root also sees why a client and a provider are not attached, and, if nmr was built\n"
	  "with NMR_DEBUG=1, the stacks of calls in flight.\n" },
	{ "watch", cmd_watch, "osngSCid", "watch [OBJECT...] [-d SECONDS]",
	  "the tree on the whole screen",
	  "It is drawn again at each event, and each second or each -d SECONDS. The arrows and\n"
	  "the keys for pages scroll; q ends it.\n" },
	{ "monitor", cmd_monitor, "JgCT", "monitor [OBJECT...] [--time=iso|delta|none]",
	  "one line an event, until it is interrupted",
	  "Events are add, remove, change, stuck, again (sent once more by a write to uevent)\n"
	  "and lost (events came too fast).\n" },
	{ "wait", cmd_wait, "tC", "wait bound|unbound|gone OBJECT [-t SECONDS]",
	  "until it is so, for scripts and units",
	  "bound: a binding of the object is attached. unbound: the object has no binding.\n"
	  "gone: nothing of the object is registered. The exit code is 1 after -t SECONDS.\n" },
	{ "detach", cmd_detach, "wC", "detach fallback|abort BINDING... [--wait[=SECONDS]]",
	  "end bindings; both sides stay registered",
	  "fallback: nmr offers the two to each other again later. abort: it does not.\n" },
	{ "reoffer", cmd_reoffer, "aC", "reoffer [--all] OBJECT...",
	  "offer again what was deferred",
	  "--all: also what was declined or aborted.\n" },
	{ "load", cmd_load, "C", "load [INTERFACE...]",
	  "load what is on disk for clients without a provider",
	  "It honours the blacklists of modprobe.d.\n" },
	{ "check", cmd_check, "JkC", "check [--stuck=SECONDS]",
	  "silent and 0 if nothing is stuck",
	  "A binding is stuck if it has not drained after --stuck seconds, or after nmr's\n"
	  "parameter stuck_seconds. Each one is printed, and the exit code is 1.\n" },
	{ "graph", cmd_graph, "gSC", "graph [OBJECT...]",
	  "DOT; | dot -Tsvg draws it", "" },
	{ "help", cmd_help, "C", "help [COMMAND]", "this, or more on a command", "" },
	{ NULL }
};

const struct command *command_find(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

static void usage_print(void)
{
	const struct command *command;

	printf("Usage: nmrctl [OPTION...] [COMMAND]\n\n"
	       "Show and manage the bindings of nmr, the Network Module Registrar.\n\n"
	       "Commands (without one: tree):\n");
	for (command = commands; command->name; command++)
		printf("  %s\n          %s\n", command->usage, command->summary);
	printf("\nOBJECT is bN, cN or pN (a binding, a client, a provider), a path below\n"
	       "/sys/kernel/nmr, a GUID, the name of an interface or of a module.\n"
	       "interface:NAME and module:NAME tell these apart.\n\n"
	       "Options:\n"
	       "  -J, --json                    print JSON\n"
	       "  -o, --output [+]COLUMN,...    set or add columns\n"
	       "  -s, --sort COLUMN             sort by a column\n"
	       "  -n, --no-headings             print no headings\n"
	       "  -g, --guids                   print GUIDs instead of names\n"
	       "      --state STATE             only what is in this state\n"
	       "      --color[=auto|always|never]\n"
	       "  -h, --help                    help, on a command if there is one\n"
	       "  -V, --version\n\n"
	       "Exit codes: 0 done, or yes; 1 no: not found, timed out, stuck; 2 wrong usage;\n"
	       "3 nmr is not loaded; 4 not permitted; 5 anything else.\n");
}

static bool takes(const struct command *command, char letter)
{
	return strchr(command->options, letter);
}

static void options_print(const struct command *command)
{
	static const struct {
		char letter;
		const char *text;
	} texts[] = {
		{ 'J', "-J, --json" },
		{ 'o', "-o, --output [+]COLUMN,..." },
		{ 's', "-s, --sort COLUMN" },
		{ 'n', "-n, --no-headings" },
		{ 'g', "-g, --guids" },
		{ 'S', "    --state STATE" },
		{ 'i', "    --inverse" },
		{ 'd', "-d, --delay SECONDS" },
		{ 'T', "    --time=iso|delta|none" },
		{ 't', "-t, --timeout SECONDS" },
		{ 'w', "    --wait[=SECONDS]" },
		{ 'a', "    --all" },
		{ 'k', "    --stuck=SECONDS" },
		{ 'C', "    --color[=auto|always|never]" },
	};
	size_t i;

	printf("\nOptions:\n");
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (takes(command, texts[i].letter))
			printf("  %s\n", texts[i].text);
}

/* Print the help on a command, or on all. */
int help_print(const struct command *command)
{
	size_t i;

	if (!command) {
		usage_print();
		return DONE;
	}
	printf("Usage: nmrctl %s\n\nnmrctl %s: %s\n%s", command->usage, command->name,
	       command->summary, command->help);
	options_print(command);
	if (!takes(command, 'o'))
		return DONE;
	printf("\nColumns:\n");
	for (i = 0; i < NR_COLUMNS; i++)
		printf("  %-16s %s\n", columns[i].name, columns[i].help);
	return DONE;
}

int cmd_help(struct options *options, int count, char **arguments)
{
	const struct command *command = count ? command_find(arguments[0]) : NULL;

	if (count && !command)
		return fail(USAGE, "unknown command %s; nmrctl help lists them", arguments[0]);
	return help_print(command);
}
