// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmrctl watch: the tree on the whole screen, drawn again at each event and each interval.
 * Keys scroll; q and ^C end it, and the terminal is as before.
 */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "nmrctl.h"

#define REDRAW	0.1	/* seconds between two drawings: events may come by the thousand */

/* What is on the screen: the lines of the tree, and a colour for each */
struct screen {
	char	*text;
	char	**lines;
	short	*colors;
	int	nr;
	int	top;		/* the first that is shown */
	char	message[128];	/* if there is no tree */
};

static void screen_clear(struct screen *screen)
{
	free(screen->text);
	free(screen->lines);
	free(screen->colors);
	screen->text = NULL;
	screen->lines = NULL;
	screen->colors = NULL;
	screen->nr = 0;
	screen->message[0] = '\0';
}

static short color_pair(const char *name)
{
	if (!name)
		return 0;
	return strcmp(name, "magenta") ? 1 : 2;
}

/* Split the text of a table into lines. The first is the heading, if there is one. */
static void screen_split(struct screen *screen, const struct table *table,
			 const struct model *model, const struct options *options)
{
	long *order = table_order(table, model, options);
	int first = !options->no_headings;
	char *line, *save;

	for (line = strtok_r(screen->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		int row = screen->nr - first;

		screen->lines = enlarge(screen->lines, screen->nr, sizeof(char *));
		screen->colors = enlarge(screen->colors, screen->nr, sizeof(short));
		screen->lines[screen->nr] = line;
		screen->colors[screen->nr++] = row >= 0 && row < (int)table->nr ?
			color_pair(row_color(&table->rows[order[row]])) : 0;
	}
	free(order);
}

/* Read the tree anew. Return: DONE, or USAGE if an OBJECT is ambiguous. */
static int screen_read(struct screen *screen, struct table *table, const struct terms *terms,
		       const struct options *options)
{
	struct model model;
	int status;

	screen_clear(screen);
	model_read(&model, tree_need(table, options) | select_need(terms, options->state));
	status = model_select(&model, terms, false);
	if (!status && options->state)
		model_keep_state(&model, options->state);
	if (!status) {
		tree_fill(table, &model, options);
		screen->text = table_text(table, &model, options, COLS);
		screen_split(screen, table, &model, options);
		if (!model.loaded)
			snprintf(screen->message, sizeof(screen->message),
				 "nmr is not loaded");
		else if (!table->nr)
			snprintf(screen->message, sizeof(screen->message),
				 terms->nr ? "nothing of these is registered" :
				 "nothing is registered");
	}
	table_free(table);
	model_free(&model);
	return status;
}

static void draw_line(int y, const char *text, attr_t attributes, short color)
{
	attr_set(attributes, color, NULL);
	mvaddnstr(y, 0, text, -1);
	attr_set(A_NORMAL, 0, NULL);
}

static void draw_foot(const struct screen *screen, int shown)
{
	char text[128], clock[16];
	time_t seconds = time(NULL);
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s  %d of %d lines  q: quit", clock,
		 shown, screen->nr);
	text[COLS > 0 && COLS < (int)sizeof(text) ? COLS - 1 : (int)sizeof(text) - 1] = '\0';
	draw_line(LINES - 1, text, A_DIM, 0);
}

static void screen_draw(struct screen *screen, const struct options *options)
{
	int head = !options->no_headings && screen->nr, y, i;
	int rows = LINES - 1 - head;

	if (screen->top > screen->nr - head - rows)
		screen->top = screen->nr - head - rows;
	if (screen->top < 0)
		screen->top = 0;
	erase();
	if (head && LINES > 1)
		draw_line(0, screen->lines[0], A_BOLD, 0);
	for (y = head, i = head + screen->top; y < LINES - 1 && i < screen->nr; y++, i++)
		draw_line(y, screen->lines[i], A_NORMAL, screen->colors[i]);
	if (*screen->message && LINES > 1)
		draw_line(0, screen->message, A_NORMAL, 0);
	draw_foot(screen, i - screen->top);
	refresh();
}

/* Obey a key. Return: false to end. */
static bool key(struct screen *screen, int c)
{
	switch (c) {
	case 'q':
	case 'Q':
		return false;
	case KEY_DOWN:
	case 'j':
		screen->top++;
		break;
	case KEY_UP:
	case 'k':
		screen->top--;
		break;
	case KEY_NPAGE:
	case ' ':
		screen->top += LINES - 2;
		break;
	case KEY_PPAGE:
		screen->top -= LINES - 2;
		break;
	case KEY_HOME:
		screen->top = 0;
		break;
	case KEY_END:
		screen->top = screen->nr;
		break;
	}
	return true;
}

static void start_curses(const struct options *options)
{
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	if (!color_wanted(options) || !has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(1, COLOR_YELLOW, -1);
	init_pair(2, COLOR_MAGENTA, -1);
}

/* Return: a file that has the signals which end the command, and that of a new size. */
static int catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void resize(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clearok(stdscr, TRUE);
}

/* Obey the signals that have come. Return: false to end. */
static bool obey_signals(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGWINCH)
			return false;
		resize();
	}
	return true;
}

/* Sleep until a key, an event, a signal or the end of the interval. Return: false to end. */
static bool pause_screen(struct screen *screen, struct events *events, int signals,
			 double interval)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = events_fd(events), .events = POLLIN },
	};
	int c;

	if (poll(fds, ARRAY_SIZE(fds), (int)(interval * 1000)) > 0) {
		if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			return false;
		if (fds[2].revents) {
			poll(fds, 2, (int)(REDRAW * 1000));
			events_drain(events);
		}
	}
	if (!obey_signals(signals))
		return false;
	while ((c = getch()) != ERR)
		if (!key(screen, c))
			return false;
	return true;
}

static int watch(struct table *table, const struct terms *terms, struct options *options)
{
	struct screen screen = {};
	struct events *events = events_open();
	int signals = catch_signals();
	int status;

	do {
		status = screen_read(&screen, table, terms, options);
		if (!status)
			screen_draw(&screen, options);
	} while (!status && pause_screen(&screen, events, signals, options->interval));
	screen_clear(&screen);
	events_close(events);
	close(signals);
	return status;
}

static int on_terminal(struct table *table, const struct terms *terms,
		       struct options *options)
{
	SCREEN *terminal;
	int status;

	if (options->interval < REDRAW)
		return fail(USAGE, "-d is at least %g seconds", REDRAW);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fail(FAILED, "watch needs a terminal; nmrctl monitor does not");
	names_load();
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return fail(FAILED, "the terminal %s is not known; set TERM",
			    getenv("TERM") ?: "(none)");
	messages_hold(true);
	start_curses(options);
	status = watch(table, terms, options);
	endwin();
	delscreen(terminal);
	messages_hold(false);
	return status;
}

int cmd_watch(struct options *options, int count, char **arguments)
{
	struct terms terms = {};
	struct table table;
	int status = tree_prepare(&table, options);

	if (!status)
		status = terms_parse(&terms, arguments, count);
	if (!status)
		status = on_terminal(&table, &terms, options);
	terms_free(&terms);
	return status;
}
