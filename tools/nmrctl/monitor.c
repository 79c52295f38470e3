// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmrctl monitor: a line for each event, for ever. An event of a binding has the numbers of its
 * sides, and not their modules, so the command remembers the modules of all parties.
 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <poll.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nmrctl.h"

/* A party that is known */
struct known {
	int		side;
	unsigned long long	id;
	const char	*module;
	const char	*guid;
};

static void *parties;	/* a tree of search.h */

static int compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static struct known *known_find(int side, unsigned long long id)
{
	const struct known key = { .side = side, .id = id };
	struct known **found = tfind(&key, &parties, compare_known);

	return found ? *found : NULL;
}

static void known_add(int side, unsigned long long id, const char *module, const char *guid)
{
	struct known *known = known_find(side, id);

	if (!known) {
		known = allocate(sizeof(*known));
		known->side = side;
		known->id = id;
		tsearch(known, &parties, compare_known);
	}
	known->module = module;
	known->guid = guid;
	if (guid && module)
		names_learn(guid, &module, 1);
}

static void known_remove(int side, unsigned long long id)
{
	struct known *known = known_find(side, id);

	if (known)
		tdelete(known, &parties, compare_known);
	free(known);
}

/* Learn all parties that sysfs has now. */
static void known_read(void)
{
	struct model model;
	enum nmr_side side;
	size_t i;

	tdestroy(parties, free);
	parties = NULL;
	model_read(&model, NEED_NAMES);
	for (side = 0; side < SIDES; side++)
		for (i = 0; i < model.nr_parties[side]; i++)
			known_add(side, model.parties[side][i].id,
				  model.parties[side][i].module, model.parties[side][i].guid);
	model_free(&model);
}

/* Return: the module of a side of a binding. Its own event may come later. */
static const char *module_of(int side, unsigned long long id)
{
	struct known *known = known_find(side, id);
	char text[256];
	int dir;

	if (known)
		return known->module;
	dir = kset_open(side);
	if (dir < 0)
		return NULL;
	if (word_read(dir, id, "module", text, sizeof(text)) >= 0)
		known_add(side, id, intern(text), NULL);
	close(dir);
	known = known_find(side, id);
	return known ? known->module : NULL;
}

static void event_complete(struct event *event)
{
	enum nmr_side side;

	if (event->kset != BINDINGS) {
		known_add(event->kset, event->id, event->module[event->kset], event->guid);
		return;
	}
	for (side = 0; side < SIDES; side++)
		event->module[side] = module_of(side, event->party[side]);
}

static bool term_hits_event(const struct term *term, const struct event *event)
{
	enum nmr_side side;

	if (event->kset != BINDINGS)
		return term_hits_party(term, event->kset, event->id, event->guid,
				       event->module[event->kset]);
	if (term->type == TERM_ID && term->kset == BINDINGS)
		return term->id == event->id;
	for (side = 0; side < SIDES; side++)
		if (term_hits_party(term, side, event->party[side], event->guid,
				    event->module[side]))
			return true;
	return false;
}

static bool wanted(const struct terms *terms, const struct event *event)
{
	size_t i;

	for (i = 0; i < terms->nr; i++)
		if (term_hits_event(&terms->term[i], event))
			return true;
	return !terms->nr;
}

/* Time */

static void iso_time(double time, char *text, size_t size)
{
	time_t seconds = floor(time);
	char day[32], zone[8];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text, size, "%s.%06d%.3s:%s", day, (int)((time - seconds) * 1e6), zone,
		 zone + 3);
}

static void print_time(const struct options *options, double time)
{
	static double last;
	char text[64];

	if (!options->time || !strcmp(options->time, "iso")) {
		iso_time(time, text, sizeof(text));
		printf("%s ", text);
	} else if (!strcmp(options->time, "delta")) {
		printf("%12.6f ", last && time > last ? time - last : 0);
	}
	last = time;
}

/* Lines */

static void print_party(const struct event *event, enum nmr_side side)
{
	printf("%s (%c%llu)", event->module[side] ?: "?", id_letter[side],
	       event->party[side]);
}

static void print_text(const struct options *options, const struct event *event)
{
	const char *name = event->guid ? interface_name(event->guid) : NULL;
	char id[32];

	print_time(options, event->time);
	if (event->kset < 0) {
		printf("%s\n", event->word);
		return;
	}
	snprintf(id, sizeof(id), "%c%llu", id_letter[event->kset], event->id);
	printf("%-7s %-3s ", event->word, id);
	if (event->kset == BINDINGS) {
		print_party(event, CLIENT);
		printf(" -> ");
		print_party(event, PROVIDER);
	} else {
		printf("%s", event->module[event->kset] ?: "?");
	}
	printf("  %s\n", name && !options->guids ? name : event->guid ?: "?");
}

static struct json_object *json_id(int kset, unsigned long long id)
{
	char text[32];

	snprintf(text, sizeof(text), "%c%llu", id_letter[kset], id);
	return json_object_new_string(text);
}

static void print_json(const struct event *event)
{
	static const char *const types[] = { "client", "provider", "binding" };
	struct json_object *object = json_object_new_object();
	bool binding = event->kset == BINDINGS;
	char time[64];

	iso_time(event->time, time, sizeof(time));
	json_object_object_add(object, "schema", json_object_new_int(SCHEMA));
	json_object_object_add(object, "time", json_object_new_string(time));
	json_object_object_add(object, "seq", event->seq ?
			       json_object_new_uint64(event->seq) : NULL);
	json_object_object_add(object, "event", json_object_new_string(event->word));
	json_object_object_add(object, "type", event->kset < 0 ? NULL :
			       json_object_new_string(types[event->kset]));
	json_object_object_add(object, "id", event->kset < 0 ? NULL :
			       json_id(event->kset, event->id));
	json_object_object_add(object, "interface", event->guid ?
			       json_object_new_string(event->guid) : NULL);
	json_object_object_add(object, "client", binding ?
			       json_id(CLIENT, event->party[CLIENT]) : NULL);
	json_object_object_add(object, "provider", binding ?
			       json_id(PROVIDER, event->party[PROVIDER]) : NULL);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static void print(const struct options *options, const struct event *event)
{
	if (options->json)
		print_json(event);
	else
		print_text(options, event);
	fflush(stdout);
}

/* Say that events were lost, and learn anew what there is. */
static void lost(const struct options *options)
{
	struct event event = { .word = "lost", .kset = -1 };
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	event.time = ts.tv_sec + ts.tv_nsec / 1e9;
	print(options, &event);
	known_read();
}

/* Print all events that have come. Return: 0, or a negative errno. */
static int print_events(const struct options *options, const struct terms *terms,
			struct events *events)
{
	struct event event;
	int err;

	while ((err = events_next(events, &event))) {
		if (err == -ENOBUFS) {
			lost(options);
			continue;
		}
		if (err < 0)
			return err;
		event_complete(&event);
		if (wanted(terms, &event))
			print(options, &event);
		if (event.kset != BINDINGS && !strcmp(event.word, "remove"))
			known_remove(event.kset, event.id);
		if (ferror(stdout))
			return 0;
	}
	return 0;
}

static int follow(const struct options *options, const struct terms *terms,
		  struct events *events)
{
	struct pollfd fds[] = {
		{ .fd = events_fd(events), .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* POLLERR: a pipe has lost its reader */
	};
	int err = 0;

	known_read();
	while (!err && !ferror(stdout) && !output_closed()) {
		err = print_events(options, terms, events);
		if (!err && !ferror(stdout))
			poll(fds, ARRAY_SIZE(fds), -1);
	}
	return err ? fail_errno(-err, NULL, "receiving events") : DONE;
}

static int check_time(const char *time)
{
	if (!time || !strcmp(time, "iso") || !strcmp(time, "delta") || !strcmp(time, "none"))
		return DONE;
	return fail(USAGE, "unknown --time=%s; it is iso, delta or none", time);
}

int cmd_monitor(struct options *options, int count, char **arguments)
{
	struct events *events = NULL;
	struct terms terms = {};
	int status = check_time(options->time);

	if (!status)
		status = terms_parse(&terms, arguments, count);
	if (!status) {
		events = events_open();
		status = events ? follow(options, &terms, events) :
			 fail_errno(errno ?: EIO, NULL, "listening to events");
	}
	events_close(events);
	terms_free(&terms);
	return status;
}
