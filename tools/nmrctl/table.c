// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables and trees, drawn by libsmartcols */
#include <langinfo.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "nmrctl.h"

static int columns_add(struct table *table, const char *text)
{
	size_t length;
	int column;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		column = column_find(text, length);
		if (column < 0)
			return fail(USAGE,
				    "unknown column %.*s; nmrctl help list shows the columns",
				    (int)length, text);
		if (table->nr_columns == MAX_COLUMNS)
			return fail(USAGE, "more than %d columns", MAX_COLUMNS);
		table->columns[table->nr_columns++] = column;
		if (!text[length])
			return DONE;
	}
}

/* Set the columns: the defaults, or those of --output. */
int table_columns(struct table *table, const struct options *options,
		  const enum column_id *defaults, size_t nr)
{
	const char *output = options->output;

	if (options->sort && column_find(options->sort, strlen(options->sort)) < 0)
		return fail(USAGE, "unknown column %s; nmrctl help list shows the columns",
			    options->sort);
	table->nr_columns = 0;
	if (!output || *output == '+') {
		memcpy(table->columns, defaults, nr * sizeof(*defaults));
		table->nr_columns = nr;
	}
	return output ? columns_add(table, output + (*output == '+')) : DONE;
}

/* Return: what the columns need to be read. */
unsigned int table_need(const struct table *table, const struct options *options)
{
	unsigned int need = 0;
	size_t i;

	for (i = 0; i < table->nr_columns; i++)
		need |= columns[table->columns[i]].need;
	if (options->sort)
		need |= columns[column_find(options->sort, strlen(options->sort))].need;
	return need;
}

/* Return: the index of the row. */
long table_add(struct table *table, const struct row *row)
{
	table->rows = enlarge(table->rows, table->nr, sizeof(*row));
	table->rows[table->nr] = *row;
	return table->nr++;
}

void table_free(struct table *table)
{
	free(table->rows);
	table->rows = NULL;
	table->nr = 0;
}

/* Order */

struct order {
	const struct table	*table;
	const struct model	*model;
	enum column_id		column;
};

/* List the indices of a row's ancestors and of the row. Return: how many there are. */
static int path(const struct table *table, long row, long *rows)
{
	int depth = 0, i;
	long up;

	for (up = row; up >= 0; up = table->rows[up].parent)
		depth++;
	for (i = depth, up = row; up >= 0; up = table->rows[up].parent)
		rows[--i] = up;
	return depth;
}

/* A parent comes before its children, and siblings are compared by the column. */
static int compare_rows(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	long x[4], y[4];
	int m = path(order->table, *(const long *)a, x);
	int n = path(order->table, *(const long *)b, y);
	int i = 0, result;

	while (i < m && i < n && x[i] == y[i])
		i++;
	if (i == m || i == n)
		return m - n;
	result = row_compare(order->model, &order->table->rows[x[i]],
			     &order->table->rows[y[i]], order->column);
	return result ?: x[i] < y[i] ? -1 : 1;
}

/* Return: the indices of the rows in the order of --sort, or as they were added. */
long *table_order(const struct table *table, const struct model *model,
		  const struct options *options)
{
	struct order order = { .table = table, .model = model };
	long *rows = allocate(table->nr * sizeof(*rows));
	size_t i;

	for (i = 0; i < table->nr; i++)
		rows[i] = i;
	if (options->sort) {
		order.column = column_find(options->sort, strlen(options->sort));
		qsort_r(rows, table->nr, sizeof(*rows), compare_rows, &order);
	}
	return rows;
}

/*
 * Widths. libsmartcols shares a width that is too small among the columns. Here the columns
 * with long texts give way first, so that states and numbers can be read. All texts are ASCII.
 */

struct fit {
	enum column_id	column;		/* NR_COLUMNS: any */
	size_t		least;
};

static const struct fit fits[] = {
	{ COL_WAITS, 8 }, { COL_NAME, 16 }, { COL_MODULE_ID, 8 }, { COL_GUID, 8 },
	{ COL_INTERFACE, 8 }, { COL_PROVIDER, 8 }, { COL_CLIENT, 8 }, { COL_MODULE, 8 },
	{ NR_COLUMNS, 1 },
};

static const char *heading(const struct table *table, enum column_id column)
{
	return column == COL_NAME && table->heading ? table->heading : columns[column].heading;
}

/* Return: how many columns of the screen the branches before a row take. */
static size_t branches(const struct table *table, const struct row *row, enum column_id column)
{
	size_t width = 0;
	long up;

	for (up = row->parent; column == COL_NAME && up >= 0; up = table->rows[up].parent)
		width += 2;
	return width;
}

static void natural_widths(const struct table *table, const struct model *model,
			   const struct options *options, size_t *widths)
{
	char text[TEXT_SIZE];
	size_t i, j, width;

	for (j = 0; j < table->nr_columns; j++) {
		widths[j] = options->no_headings ? 1 :
			    strlen(heading(table, table->columns[j]));
		for (i = 0; i < table->nr; i++) {
			const struct row *row = &table->rows[i];

			cell_text(model, row, table->columns[j], options->guids, text,
				  sizeof(text));
			width = strlen(text) + branches(table, row, table->columns[j]);
			if (width > widths[j])
				widths[j] = width;
		}
	}
}

/* Set the widths of the columns, so that lines are not longer than @width. */
static void fit_widths(const struct table *table, const struct model *model,
		       const struct options *options, size_t width, size_t *widths)
{
	size_t total = table->nr_columns - 1, i, j;

	natural_widths(table, model, options, widths);
	for (j = 0; j < table->nr_columns; j++)
		total += widths[j];
	for (i = 0; i < ARRAY_SIZE(fits); i++) {
		for (j = table->nr_columns; total > width && j-- > 0;) {
			size_t cut = total - width;

			if (fits[i].column != NR_COLUMNS &&
			    fits[i].column != table->columns[j])
				continue;
			if (widths[j] <= fits[i].least)
				continue;
			if (cut > widths[j] - fits[i].least)
				cut = widths[j] - fits[i].least;
			widths[j] -= cut;
			total -= cut;
		}
	}
}

static void cut_text(char *text, size_t width)
{
	if (strlen(text) > width)
		text[width] = '\0';
}

/* Drawing */

static void add_column(struct libscols_table *out, const struct table *table, size_t j,
		       const size_t *widths)
{
	enum column_id column = table->columns[j];
	int flags = columns[column].right ? SCOLS_FL_RIGHT : 0;
	char text[64];

	if (column == COL_NAME && table->nr && table->rows[0].tree)
		flags |= SCOLS_FL_TREE;
	snprintf(text, sizeof(text), "%s", heading(table, column));
	cut_text(text, widths[j]);
	if (!scols_table_new_column(out, text, 1, flags))
		exit(fail(FAILED, "out of memory (ENOMEM)"));
}

static void add_cells(struct libscols_line *line, const struct table *table,
		      const struct model *model, const struct options *options,
		      const struct row *row, const size_t *widths)
{
	char text[TEXT_SIZE];
	size_t j, used;

	for (j = 0; j < table->nr_columns; j++) {
		cell_text(model, row, table->columns[j], options->guids, text, sizeof(text));
		if (widths[j] != SIZE_MAX) {
			used = branches(table, row, table->columns[j]);
			cut_text(text, widths[j] > used ? widths[j] - used : 0);
		}
		if (*text && scols_line_set_data(line, j, text))
			exit(fail(FAILED, "out of memory (ENOMEM)"));
	}
}

static void add_lines(struct libscols_table *out, const struct table *table,
		      const struct model *model, const struct options *options,
		      const size_t *widths)
{
	struct libscols_line **lines = allocate(table->nr * sizeof(*lines));
	long *order = table_order(table, model, options);
	size_t i;

	for (i = 0; i < table->nr; i++) {
		const struct row *row = &table->rows[order[i]];
		struct libscols_line *line;

		line = scols_table_new_line(out, row->parent < 0 ? NULL : lines[row->parent]);
		if (!line)
			exit(fail(FAILED, "out of memory (ENOMEM)"));
		lines[order[i]] = line;
		if (scols_table_colors_wanted(out) && row_color(row))
			scols_line_set_color(line, row_color(row));
		add_cells(line, table, model, options, row, widths);
	}
	free(order);
	free(lines);
}

/* Return: the table, with lines of at most @width columns, or of any width if that is 0. */
static struct libscols_table *new_table(const struct table *table, const struct model *model,
					const struct options *options, bool color,
					size_t width)
{
	struct libscols_table *out = scols_new_table();
	size_t widths[MAX_COLUMNS], j;

	if (!out)
		exit(fail(FAILED, "out of memory (ENOMEM)"));
	for (j = 0; j < table->nr_columns; j++)
		widths[j] = SIZE_MAX;
	if (width)
		fit_widths(table, model, options, width, widths);
	scols_table_set_termforce(out, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_noheadings(out, options->no_headings);
	scols_table_enable_ascii(out, strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
	scols_table_enable_colors(out, color);
	for (j = 0; j < table->nr_columns; j++)
		add_column(out, table, j, widths);
	add_lines(out, table, model, options, widths);
	return out;
}

/* The library prints nothing for a table without lines. */
static void print_headings(const struct table *table)
{
	size_t i;

	for (i = 0; i < table->nr_columns; i++)
		printf("%s%s", i ? " " : "", heading(table, table->columns[i]));
	putchar('\n');
}

/* Return: the table as text that is @width wide at most, without colours, to be freed. */
char *table_text(const struct table *table, const struct model *model,
		 const struct options *options, size_t width)
{
	struct libscols_table *out = new_table(table, model, options, false, width ?: 1);
	char *text = NULL;

	if (scols_print_table_to_string(out, &text) || !text)
		text = duplicate("");
	scols_unref_table(out);
	return text;
}

/* Return: the width of the terminal; 0 if stdout is none. */
static size_t terminal_width(void)
{
	const char *text = getenv("COLUMNS"), *end;
	struct winsize size;
	unsigned long long n;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return text && id_parse(text, &n, &end) && !*end && n > 0 ? n : 80;
}

/* Print the table; cut it to the width of a terminal alone. */
int table_print(const struct table *table, const struct model *model,
		const struct options *options)
{
	struct libscols_table *out;

	if (!table->nr) {
		if (!options->no_headings)
			print_headings(table);
		return DONE;
	}
	out = new_table(table, model, options, color_wanted(options), terminal_width());
	scols_print_table(out);
	scols_unref_table(out);
	return DONE;
}
