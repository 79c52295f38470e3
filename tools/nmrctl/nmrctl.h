/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nmrctl: what its files share. Each file says at its head what it is for; the order here is
 * that of the layers.
 */
#ifndef _NMRCTL_H
#define _NMRCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SCHEMA		1	/* of the JSON documents */

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Exit codes */
enum status {
	DONE	= 0,
	NO	= 1,	/* not found, timed out, stuck */
	USAGE	= 2,
	ABSENT	= 3,	/* nmr is not loaded */
	DENIED	= 4,
	FAILED	= 5,
};

/* error.c */

[[gnu::format(printf, 2, 3)]] int fail(int status, const char *format, ...);
[[gnu::format(printf, 3, 4)]] int fail_errno(int err, const char *advice, const char *format, ...);
[[gnu::format(printf, 1, 2)]] void warning(const char *format, ...);
void messages_hold(bool hold);
const char *error_name(int err);
const char *error_text(int err);
int finish_output(int status);
bool output_closed(void);

/* util.c */

#define GUID_SIZE	37
#define TEXT_SIZE	512	/* of a cell, or of a sentence */

void *allocate(size_t size);
void *enlarge(void *array, size_t count, size_t size);
char *duplicate(const char *text);
const char *intern(const char *text);
const char *rooted(const char *path);
bool guid_parse(const char *text, char guid[GUID_SIZE]);
bool id_parse(const char *text, unsigned long long *id, const char **end);
bool seconds_parse(const char *text, double *seconds);
void printable(char *text);
double now(void);
void duration_text(long long ms, char *text, size_t size);

/* sysfs.c */

extern const char *const kset_name[];

bool nmr_loaded(void);
int nmr_absent(void);
int kset_open(int kset);
int word_read(int dir, unsigned long long id, const char *file, char *text, size_t size);
int word_write(int kset, unsigned long long id, const char *file, const char *word);
bool link_read(int dir, unsigned long long id, const char *name, unsigned long long *target);
unsigned long long *ids_read(int dir, size_t *count);
long parameter(const char *name, long otherwise);

/* names.c */

struct party;

void names_load(void);
void names_learn(const char *guid, const char *const *modules, size_t count);
const char *interface_name(const char *guid);
int names_parse(FILE *file, const char *path);

/* model.c */

enum nmr_side { CLIENT, PROVIDER, SIDES };
enum { BINDINGS = SIDES, KSETS };	/* ids of the third series */

extern const char *const side_name[SIDES];
extern const char id_letter[KSETS];

/* What a command prints, and so what the model has to read */
enum need {
	NEED_SIDES	= 1 << 0,	/* which parties a binding joins */
	NEED_STATE	= 1 << 1,	/* of bindings */
	NEED_CALLS	= 1 << 2,
	NEED_DRAIN	= 1 << 3,	/* reason, detaches and time of a binding that ends */
	NEED_MODULE	= 1 << 4,
	NEED_INTERFACE	= 1 << 5,
	NEED_NAMES	= 1 << 6,	/* of interfaces */
	NEED_IDENTITY	= 1 << 7,	/* module_id and number */
	NEED_CLIENT	= 1 << 8,	/* the state of each client */
	NEED_PROVIDER	= 1 << 9,
	NEED_UNBOUND	= 1 << 10,	/* interface and state of parties without bindings */
	NEED_PAIRS	= 1 << 11,	/* debugfs, if there are clients without bindings */
	NEED_ALL_PAIRS	= 1 << 12,
	NEED_BINDINGS	= 1 << 13,	/* the numbers of bindings, and those of parties */
	NEED_PARTIES	= 1 << 14,
	NEED_ALL	= (1 << 15) - 1,
};

struct interface {
	const char	*guid;		/* interned, as all words */
	const char	*name;		/* NULL: it has none */
	struct party	**parties[SIDES];
	size_t		nr_parties[SIDES];
	size_t		nr_bindings;
	bool		named;		/* an OBJECT */
	bool		selected;	/* an OBJECT touches it */
};

struct party {
	unsigned long long	id;
	enum nmr_side	side;
	struct interface *interface;
	const char	*guid;
	const char	*module;
	const char	*module_id;
	const char	*state;
	long long	number;		/* -1: not known */
	struct binding	**bindings;
	size_t		nr_bindings;
	bool		gone;
	bool		named;
	bool		selected;
};

struct binding {
	unsigned long long	id;
	unsigned long long	party_id[SIDES];
	struct party	*party[SIDES];
	const char	*state;
	const char	*reason;	/* NULL: none, or not known */
	const char	*detach[SIDES];
	long long	calls[SIDES];	/* -1: not known */
	long long	pending_ms;	/* -1: not known */
	bool		gone;
	bool		named;
	bool		selected;
};

/* Why a client and a provider are not attached, a line of debugfs */
struct pair {
	unsigned long long	party_id[SIDES];
	const char	*outcome;	/* attaching, deferred, declined, aborted, full, ... */
	const char	*by;		/* declined: the side */
	int		error;		/* declined: positive */
	long long	for_ms;		/* attaching and detaching; or -1 */
	const char	*task;		/* that runs a callback, or NULL */
};

struct model {
	unsigned int	need;
	bool		loaded;
	struct party	*parties[SIDES];
	size_t		nr_parties[SIDES];
	struct binding	*bindings;
	size_t		nr_bindings;
	struct interface *interfaces;	/* in the order of their names */
	size_t		nr_interfaces;
	struct pair	*pairs;
	size_t		nr_pairs;
	bool		pairs_known;
	struct party	**interface_parties[SIDES];
	struct binding	**party_bindings[SIDES];
};

void model_read(struct model *model, unsigned int need);
void model_free(struct model *model);
struct party *model_party(const struct model *model, enum nmr_side side, unsigned long long id);
struct binding *model_binding(const struct model *model, unsigned long long id);

/* model-read.c and model-join.c */

void bindings_read(struct model *model);
void parties_read(struct model *model);
void party_rest_read(struct model *model);
void model_join(struct model *model);
void model_group(struct model *model);

/* pairs.c */

bool pair_parse(const char *line, struct pair *pair);
void pairs_read(struct model *model);
const struct pair *pair_of(const struct model *model, const struct party *client,
			   const struct pair *after);
void pair_text(const struct pair *pair, char *text, size_t size);

/* why.c */

bool binding_drains(const struct binding *b);
const char *binding_waits_for(const struct binding *b);
const char *party_waits_for(const struct party *party);
const char *party_state_text(const struct party *party);
void party_waits_text(const struct model *model, const struct party *party, char *text,
		      size_t size);
void binding_since_text(const struct binding *b, char *text, size_t size);
void binding_waits_text(const struct binding *b, char *text, size_t size);

/* select.c */

struct term {
	enum { TERM_ID, TERM_GUID, TERM_NAME, TERM_INTERFACE, TERM_MODULE } type;
	int		kset;		/* of an id */
	unsigned long long	id;
	const char	*text;		/* GUID or name */
	const char	*given;
};

struct terms {
	struct term	*term;
	size_t		nr;
};

#define NEED_SELECT	(NEED_SIDES | NEED_MODULE | NEED_INTERFACE | NEED_NAMES | \
			 NEED_BINDINGS | NEED_PARTIES)

int terms_parse(struct terms *terms, char **objects, int count);
void terms_free(struct terms *terms);
unsigned int select_need(const struct terms *terms, const char *state);
bool term_hits_interface(const struct term *term, const char *guid);
bool term_hits_party(const struct term *term, int side, unsigned long long id, const char *guid,
		     const char *module);
int model_select(struct model *model, const struct terms *terms, bool must_exist);
int state_check(const char *state);
void model_keep_state(struct model *model, const char *state);

/* main.c */

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct options {
	const char	*command;
	bool		json;
	bool		no_headings;
	bool		guids;
	bool		inverse;
	bool		all;
	const char	*output;
	const char	*sort;
	const char	*state;
	const char	*time;
	enum color	color;
	double		interval;	/* watch */
	double		timeout;	/* wait; < 0: none */
	double		wait;		/* detach; < 0: do not, INFINITY: without end */
	double		stuck;		/* check; < 0: as nmr does */
};

struct command {
	const char	*name;
	int		(*run)(struct options *options, int count, char **arguments);
	const char	*options;	/* letters of those that it takes */
	const char	*usage;
	const char	*summary;
	const char	*help;
};

extern const struct command commands[];

const struct command *command_find(const char *name);
bool color_wanted(const struct options *options);
int model_get(struct model *model, const struct options *options, unsigned int need,
	      const struct terms *terms);

/* columns.c */

enum row_type { ROW_INTERFACE, ROW_PARTY, ROW_BINDING };

struct row {
	enum row_type	type;
	struct interface *interface;
	struct party	*party;
	struct binding	*binding;
	enum nmr_side	peer;		/* of a binding in a tree: the side that the row is */
	bool		tree;
	long		parent;		/* index; -1: none */
};

enum column_id {
	COL_NAME, COL_ID, COL_STATE, COL_CALLS, COL_FOR, COL_WAITS, COL_INTERFACE, COL_GUID,
	COL_MODULE, COL_MODULE_ID, COL_NUMBER, COL_CLIENT, COL_CLIENT_ID, COL_PROVIDER,
	COL_PROVIDER_ID, COL_REASON,
	COL_CLIENT_CALLS, COL_PROVIDER_CALLS, COL_CLIENT_DETACH, COL_PROVIDER_DETACH,
	COL_PENDING, COL_PROVIDERS, COL_CLIENTS, COL_BINDINGS, NR_COLUMNS
};

struct column {
	const char	*name;
	const char	*heading;
	bool		right;
	unsigned int	need;
	const char	*help;
};

#define MAX_COLUMNS	64

extern const struct column columns[NR_COLUMNS];

int column_find(const char *name, size_t length);
void cell_text(const struct model *model, const struct row *row, enum column_id column,
	       bool guids, char *text, size_t size);
int row_compare(const struct model *model, const struct row *a, const struct row *b,
		enum column_id column);
const char *row_color(const struct row *row);

/* table.c */

struct table {
	struct row	*rows;
	size_t		nr;
	enum column_id	columns[MAX_COLUMNS];
	size_t		nr_columns;
	const char	*heading;	/* of the column NAME */
};

int table_columns(struct table *table, const struct options *options,
		  const enum column_id *defaults, size_t nr);
unsigned int table_need(const struct table *table, const struct options *options);
long table_add(struct table *table, const struct row *row);
void table_free(struct table *table);
long *table_order(const struct table *table, const struct model *model,
		  const struct options *options);
char *table_text(const struct table *table, const struct model *model,
		 const struct options *options, size_t width);
int table_print(const struct table *table, const struct model *model,
		const struct options *options);

/* tree.c */

int tree_prepare(struct table *table, const struct options *options);
unsigned int tree_need(const struct table *table, const struct options *options);
void tree_fill(struct table *table, const struct model *model, const struct options *options);

/* json.c */

struct json_object;

int json_print(const struct model *model);

/* events.c */

struct event {
	double		time;
	unsigned long long seq;
	const char	*word;		/* add, remove, stuck, change, again, lost */
	int		kset;
	unsigned long long	id;
	const char	*guid;
	const char	*module[SIDES];
	unsigned long long	party[SIDES];
};

struct events;

struct events *events_open(void);
int events_fd(const struct events *events);
int events_next(struct events *events, struct event *event);
void events_drain(struct events *events);
void events_close(struct events *events);

/* The commands */

int cmd_tree(struct options *options, int count, char **arguments);
int cmd_list(struct options *options, int count, char **arguments);
int cmd_show(struct options *options, int count, char **arguments);
int cmd_watch(struct options *options, int count, char **arguments);
int cmd_monitor(struct options *options, int count, char **arguments);
int cmd_wait(struct options *options, int count, char **arguments);
int cmd_detach(struct options *options, int count, char **arguments);
int cmd_reoffer(struct options *options, int count, char **arguments);
int cmd_load(struct options *options, int count, char **arguments);
int cmd_check(struct options *options, int count, char **arguments);
int cmd_graph(struct options *options, int count, char **arguments);
int cmd_help(struct options *options, int count, char **arguments);

int help_print(const struct command *command);
int wait_gone(unsigned long long binding, double seconds);

#endif /* _NMRCTL_H */
