// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmrctl wait: until an object is bound, unbound or gone. Events wake the command. It also
 * looks once a second, as bindings send no events if nmr's parameter uevents is off. An event may
 * come shortly before what it tells of, so after one the command looks again after 10 ms, 20 ms
 * and so on.
 */
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "nmrctl.h"

#define SHORTEST_PAUSE	10	/* ms */
#define LONGEST_PAUSE	1000

enum goal { GOAL_BOUND, GOAL_UNBOUND, GOAL_GONE, GOALS };

static const char *const goals[GOALS] = {
	[GOAL_BOUND] = "bound", [GOAL_UNBOUND] = "unbound", [GOAL_GONE] = "gone",
};

static bool reached(const struct model *model, enum goal goal)
{
	enum nmr_side side;
	size_t i;

	for (i = 0; i < model->nr_bindings; i++) {
		const struct binding *b = &model->bindings[i];

		if (!b->selected)
			continue;
		if (goal != GOAL_BOUND || !strcmp(b->state, "attached"))
			return goal == GOAL_BOUND;
	}
	for (side = 0; goal == GOAL_GONE && side < SIDES; side++)
		for (i = 0; i < model->nr_parties[side]; i++)
			if (model->parties[side][i].selected)
				return false;
	return goal != GOAL_BOUND;
}

/* Return: DONE, NO if not yet, or USAGE. */
static int look(const struct terms *terms, enum goal goal)
{
	struct model model;
	int status;

	model_read(&model, NEED_SELECT | NEED_STATE);
	status = model_select(&model, terms, false);
	if (!status && !reached(&model, goal))
		status = NO;
	model_free(&model);
	return status;
}

/*
 * Wait for an event, or for @pause ms, or until the deadline. Return: false after that. @pause
 * becomes the next pause.
 */
static bool sleep_until(struct events *events, double deadline, int *pause)
{
	struct pollfd fd = { .fd = events_fd(events), .events = POLLIN };
	double left = (deadline - now()) * 1000;

	if (left <= 0)
		return false;
	if (poll(&fd, 1, left < *pause ? (int)ceil(left) : *pause) > 0)
		*pause = SHORTEST_PAUSE;
	else
		*pause = *pause < LONGEST_PAUSE / 2 ? 2 * *pause : LONGEST_PAUSE;
	events_drain(events);
	return true;
}

int cmd_wait(struct options *options, int count, char **arguments)
{
	double deadline = options->timeout < 0 ? INFINITY : now() + options->timeout;
	struct events *events;
	enum goal goal = 0;
	struct terms terms = {};
	int status, pause = LONGEST_PAUSE;

	if (count != 2)
		return fail(USAGE, "usage: nmrctl wait bound|unbound|gone OBJECT [-t SECONDS]");
	while (goal < GOALS && strcmp(arguments[0], goals[goal]))
		goal++;
	if (goal == GOALS)
		return fail(USAGE, "cannot wait for %s; wait bound, unbound or gone",
			    arguments[0]);
	status = terms_parse(&terms, arguments + 1, 1);
	events = status ? NULL : events_open();
	while (!status) {
		status = look(&terms, goal);
		if (status != NO)
			break;
		status = sleep_until(events, deadline, &pause) ? DONE : NO;
	}
	events_close(events);
	terms_free(&terms);
	if (status == NO)
		fail(NO, "%s is not %s after %g s; nmrctl show %s says why", arguments[1],
		     goals[goal], options->timeout, arguments[1]);
	return status;
}

/* Wait until a binding has gone. Return: DONE or NO. */
int wait_gone(unsigned long long binding, double seconds)
{
	double deadline = now() + seconds;
	struct events *events = events_open();
	int pause = LONGEST_PAUSE;
	char path[64];
	bool there;

	snprintf(path, sizeof(path), "/sys/kernel/nmr/bindings/%llu", binding);
	do {
		there = !access(rooted(path), F_OK);
	} while (there && sleep_until(events, deadline, &pause));
	events_close(events);
	if (there)
		return fail(NO,
			    "b%llu has not ended after %g s; nmrctl show b%llu says why",
			    binding, seconds, binding);
	return DONE;
}
