// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory, words that are kept once, GUIDs, numbers and times */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nmrctl.h"

static void *checked(void *memory)
{
	if (!memory)
		exit(fail(FAILED, "out of memory (ENOMEM)"));
	return memory;
}

/* Allocate, filled with zeros. The program ends if it cannot, so the result is never NULL. */
void *allocate(size_t size)
{
	return checked(calloc(1, size ?: 1));
}

/* Enlarge an array that has @count elements, if it is full: at powers of two. */
void *enlarge(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return checked(reallocarray(array, count ? 2 * count : 1, size));
}

char *duplicate(const char *text)
{
	return checked(strdup(text));
}

/* Words: states, GUIDs and names of modules. Equal words are one pointer. */

#define BUCKETS	4096

struct word {
	struct word	*next;
	char		text[];
};

static struct word *words[BUCKETS];

static unsigned int hash(const char *text)
{
	unsigned int h = 2166136261U;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619U;
	return h ^ h >> 16;
}

const char *intern(const char *text)
{
	struct word **place = &words[hash(text) % BUCKETS], *word;
	size_t size = strlen(text) + 1;

	for (word = *place; word; word = word->next)
		if (!strcmp(word->text, text))
			return word->text;
	word = allocate(sizeof(*word) + size);
	memcpy(word->text, text, size);
	word->next = *place;
	*place = word;
	return word->text;
}

/* Return: @path below the folder NMRCTL_ROOT, which has a copy of another machine's files. */
const char *rooted(const char *path)
{
	const char *root = getenv("NMRCTL_ROOT");
	static char text[4096];

	if (!root || !*root)
		return path;
	snprintf(text, sizeof(text), "%s%s", root, path);
	return text;
}

/* Parse a GUID of any case, also in braces, to lower case. */
bool guid_parse(const char *text, char guid[GUID_SIZE])
{
	bool braces = *text == '{';
	size_t i;

	text += braces;
	if (strlen(text) != (size_t)(GUID_SIZE - 1 + braces) ||
	    (braces && text[GUID_SIZE - 1] != '}'))
		return false;
	for (i = 0; i < GUID_SIZE - 1; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
		guid[i] = tolower((unsigned char)text[i]);
	}
	guid[i] = '\0';
	return true;
}

/* Parse a number as sysfs writes it. Return: false if it is none, or above 2^64 - 1. */
bool id_parse(const char *text, unsigned long long *id, const char **end)
{
	const char *start = text;
	unsigned long long n = 0;

	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *text - '0', &n))
			return false;
	*id = n;
	*end = text;
	return text > start && (*start != '0' || text == start + 1);
}

/* Parse a time of at least 0 and at most 30 years. */
bool seconds_parse(const char *text, double *seconds)
{
	char *end;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return false;
	if (text[0] == '0' && tolower((unsigned char)text[1]) == 'x')
		return false;
	*seconds = strtod(text, &end);
	return end > text && !*end && *seconds >= 0 && *seconds <= 1e9;
}

/* Replace what could control a terminal, and what is not UTF-8 for sure. */
void printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			*text = '?';
}

/* Return: seconds of a clock that never goes back. */
double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void duration_text(long long ms, char *text, size_t size)
{
	double s = ms / 1000.0;

	if (s < 100)
		snprintf(text, size, "%.1f s", s);
	else if (s < 6000)
		snprintf(text, size, "%.0f min", floor(s / 60));
	else if (s < 360000)
		snprintf(text, size, "%.0f h", floor(s / 3600));
	else
		snprintf(text, size, "%.0f d", floor(s / 86400));
}
