// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmrctl: show which clients are bound to which providers, what is stuck and why. This file parses
 * the command line, and calls a command.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nmrctl.h"

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'J' },
	{ "output", required_argument, NULL, 'o' },
	{ "sort", required_argument, NULL, 's' },
	{ "no-headings", no_argument, NULL, 'n' },
	{ "guids", no_argument, NULL, 'g' },
	{ "state", required_argument, NULL, 'S' },
	{ "color", optional_argument, NULL, 'C' },
	{ "inverse", no_argument, NULL, 'i' },
	{ "time", required_argument, NULL, 'T' },
	{ "delay", required_argument, NULL, 'd' },
	{ "timeout", required_argument, NULL, 't' },
	{ "wait", optional_argument, NULL, 'w' },
	{ "all", no_argument, NULL, 'a' },
	{ "stuck", required_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{}
};

/* What the command line said */
struct parsed {
	struct options	options;
	char		seen[32];	/* letters of options, each once */
	const char	*name[256];	/* of the option of a letter, as it was written */
	bool		help;
	bool		version;
	int		status;
	char		error[256];	/* the first, which -h lets be forgotten */
};

static void wrong(struct parsed *parsed, const char *what, const char *text)
{
	if (parsed->status)
		return;
	parsed->status = USAGE;
	snprintf(parsed->error, sizeof(parsed->error), "%s %s; nmrctl -h shows the options",
		 what, text ?: "");
}

static void parse_seconds(struct parsed *parsed, const char *text, double *seconds)
{
	if (!seconds_parse(text, seconds))
		wrong(parsed, "no time in seconds, from 0 to 1000000000:", text);
}

static void parse_color(struct parsed *parsed, const char *text)
{
	if (!text || !strcmp(text, "always"))
		parsed->options.color = COLOR_ALWAYS;
	else if (!strcmp(text, "auto"))
		parsed->options.color = COLOR_AUTO;
	else if (!strcmp(text, "never"))
		parsed->options.color = COLOR_NEVER;
	else
		wrong(parsed, "--color is auto, always or never, not", text);
}

/* Take an option with an argument. */
static void parse_value(struct parsed *parsed, int letter, const char *value)
{
	struct options *options = &parsed->options;

	switch (letter) {
	case 'o':
		options->output = value;
		break;
	case 's':
		options->sort = value;
		break;
	case 'S':
		options->state = value;
		break;
	case 'T':
		options->time = value;
		break;
	case 'C':
		parse_color(parsed, value);
		break;
	case 'd':
		parse_seconds(parsed, value, &options->interval);
		break;
	case 't':
		parse_seconds(parsed, value, &options->timeout);
		break;
	case 'k':
		parse_seconds(parsed, value, &options->stuck);
		break;
	case 'w':
		options->wait = INFINITY;
		if (value)
			parse_seconds(parsed, value, &options->wait);
		break;
	}
}

static void parse_flag(struct parsed *parsed, int letter)
{
	struct options *options = &parsed->options;

	switch (letter) {
	case 'J':
		options->json = true;
		break;
	case 'n':
		options->no_headings = true;
		break;
	case 'g':
		options->guids = true;
		break;
	case 'i':
		options->inverse = true;
		break;
	case 'a':
		options->all = true;
		break;
	case 'h':
		parsed->help = true;
		break;
	case 'V':
		parsed->version = true;
		break;
	}
}

/* Name the option that getopt_long() did not like: optopt, or the last argument. */
static const char *bad_option(char **argv)
{
	static char text[3] = "-?";

	if (optind > 0 && argv[optind - 1] && !strncmp(argv[optind - 1], "--", 2))
		return argv[optind - 1];
	text[1] = optopt;
	return text;
}

/* Long options are not abbreviated either. */
static bool abbreviated(char **argv, int index)
{
	const char *name = long_options[index].name;
	size_t length = strlen(name);
	int i;

	for (i = optind - 1; i >= optind - 2 && i > 0; i--)
		if (!strncmp(argv[i], "--", 2) && !strncmp(argv[i] + 2, name, length) &&
		    (!argv[i][2 + length] || argv[i][2 + length] == '='))
			return false;
	return true;
}

static void parse_options(struct parsed *parsed, int argc, char **argv)
{
	int letter, index = -1;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":Jo:s:ngd:t:hV", long_options,
				     &index)) != -1) {
		if (letter == '?') {
			wrong(parsed, "unknown option", bad_option(argv));
		} else if (letter == ':') {
			wrong(parsed, "a value is missing after", bad_option(argv));
		} else if (index >= 0 && abbreviated(argv, index)) {
			wrong(parsed, "unknown option", argv[optind - 1]);
		} else {
			if (!strchr(parsed->seen, letter))
				parsed->seen[strlen(parsed->seen)] = letter;
			parse_flag(parsed, letter);
			parse_value(parsed, letter, optarg);
		}
		index = -1;
	}
}

/* Refuse options that the command does not take. */
static int check_options(const struct parsed *parsed, const struct command *command)
{
	const char *letter;
	size_t i;

	for (letter = parsed->seen; *letter; letter++) {
		if (strchr(command->options, *letter))
			continue;
		for (i = 0; long_options[i].val != *letter; i++)
			;
		return fail(USAGE, "%s takes no --%s; nmrctl help %s shows what it takes",
			    command->name, long_options[i].name, command->name);
	}
	return DONE;
}

static int run(struct parsed *parsed, int count, char **arguments)
{
	const char *name = count ? arguments[0] : "tree";
	const struct command *command = command_find(name);

	if (parsed->help)
		return help_print(count ? command : NULL);
	if (parsed->version) {
		printf("nmrctl %s\n", NMRCTL_VERSION);
		return DONE;
	}
	if (parsed->status)
		return fail(parsed->status, "%s", parsed->error);
	if (!command)
		return fail(USAGE, "unknown command %s; nmrctl help lists the commands", name);
	if (check_options(parsed, command))
		return USAGE;
	parsed->options.command = command->name;
	return command->run(&parsed->options, count ? count - 1 : 0, arguments + !!count);
}

/* Tell whether to colour what goes to stdout. */
bool color_wanted(const struct options *options)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb");
}

/* Read the model, and select from it what the terms touch. */
int model_get(struct model *model, const struct options *options, unsigned int need,
	      const struct terms *terms)
{
	int status;

	model_read(model, need | select_need(terms, options->state));
	if (!model->loaded)
		return nmr_absent();
	status = model_select(model, terms, true);
	if (!status && options->state)
		model_keep_state(model, options->state);
	return status;
}

/*
 * Fill the places of stdin, stdout and stderr, so that no file that is opened takes one. A
 * write to such a stdout fails.
 */
static void guard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	struct parsed parsed = {
		.options = { .interval = 1, .timeout = -1, .wait = -1, .stuck = -1 },
	};

	guard_streams();
	signal(SIGPIPE, SIG_IGN);
	setlocale(LC_CTYPE, "");
	parse_options(&parsed, argc, argv);
	return finish_output(run(&parsed, argc - optind, argv + optind));
}
