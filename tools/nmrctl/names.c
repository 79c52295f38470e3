// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of interfaces. They come from the files of modules (MODULE_NMR_INTERFACE() makes a
 * line "nmr_interface=GUID name" of modinfo), and from /etc/nmr/interfaces, which overrides
 * them. A name is of visible ASCII characters, so that it controls no terminal.
 */
#include <errno.h>
#include <libkmod.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "nmrctl.h"

#define FILE_OF_NAMES	"/etc/nmr/interfaces"
#define NAME_MAX_LENGTH	63
#define WARNINGS	10

struct name {
	char		guid[GUID_SIZE];
	bool		ours;	/* of /etc/nmr/interfaces */
	char		name[];
};

static void *names;		/* a tree of search.h */
static void *modules_seen;
static struct kmod_ctx *kmod;

static int compare_names(const void *a, const void *b)
{
	return memcmp(a, b, GUID_SIZE);
}

static struct name *name_find(const char *guid)
{
	struct name **found = tfind(guid, &names, compare_names);

	return found ? *found : NULL;
}

/* Return: the name, which is kept as long as the program runs, or NULL. */
const char *interface_name(const char *guid)
{
	struct name *name = name_find(guid);

	return name ? name->name : NULL;
}

static void name_add(const char *guid, const char *text, bool ours)
{
	size_t size = strlen(text) + 1;
	struct name *name = name_find(guid);

	if (name && (name->ours > ours || !strcmp(name->name, text)))
		return;
	if (name)
		tdelete(name, &names, compare_names);
	name = allocate(sizeof(*name) + size);
	memcpy(name->guid, guid, GUID_SIZE);
	name->ours = ours;
	memcpy(name->name, text, size);
	tsearch(name, &names, compare_names);
}

static bool name_valid(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return i > 0 && i <= NAME_MAX_LENGTH;
}

/* Parse "GUID name". Return: NULL, or what is wrong. */
static const char *pair_add(char *text, bool ours)
{
	char guid[GUID_SIZE], *save, *first, *second;

	first = strtok_r(text, " \t", &save);
	second = strtok_r(NULL, " \t", &save);
	if (!first || !guid_parse(first, guid))
		return "no GUID";
	if (!second)
		return "no name";
	if (!name_valid(second))
		return "a name has 1 to 63 visible ASCII characters";
	if (strtok_r(NULL, " \t", &save))
		return "more than a GUID and a name";
	name_add(guid, second, ours);
	return NULL;
}

static const char *line_add(char *line, size_t length)
{
	line[strcspn(line, "\n")] = '\0';
	if (strlen(line) + 1 < length)
		return "a zero byte";
	line[strcspn(line, "#")] = '\0';
	if (!line[strspn(line, " \t")])
		return NULL;
	return pair_add(line, true);
}

/*
 * Parse a file of lines "GUID name", and say which lines are broken. Return: the number of
 * these.
 */
int names_parse(FILE *file, const char *path)
{
	char *line = NULL;
	const char *wrong;
	size_t size = 0;
	unsigned long number = 0, broken = 0;
	ssize_t length;

	while ((length = getline(&line, &size, file)) > 0) {
		number++;
		wrong = line_add(line, length);
		if (wrong && broken++ < WARNINGS)
			warning("%s:%lu: %s; the line is ignored", path, number, wrong);
	}
	if (broken > WARNINGS)
		warning("%s: %lu more broken lines are ignored", path, broken - WARNINGS);
	free(line);
	return broken;
}

/* Read /etc/nmr/interfaces, once. */
void names_load(void)
{
	static bool loaded;
	FILE *file;

	if (loaded)
		return;
	loaded = true;
	file = fopen(rooted(FILE_OF_NAMES), "re");
	if (file) {
		names_parse(file, rooted(FILE_OF_NAMES));
		fclose(file);
	} else if (errno != ENOENT && errno != ENOTDIR) {
		warning("%s: %s (%s); interfaces are named by modules alone",
			rooted(FILE_OF_NAMES), error_text(errno), error_name(errno));
	}
}

/* Modules */

[[gnu::format(printf, 6, 0)]] static void no_log(void *data, int priority, const char *file,
						 int line, const char *function,
						 const char *format, va_list args)
{
}

static void info_learn(struct kmod_module *module)
{
	struct kmod_list *list = NULL, *entry;
	char text[256];

	if (kmod_module_get_info(module, &list) < 0)
		return;
	kmod_list_foreach(entry, list) {
		if (strcmp(kmod_module_info_get_key(entry), "nmr_interface"))
			continue;
		snprintf(text, sizeof(text), "%s", kmod_module_info_get_value(entry));
		pair_add(text, false);
	}
	kmod_module_info_free_list(list);
}

static int compare_words(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

/* Learn the names in the file of a module, once. */
static void module_learn(const char *name)
{
	struct kmod_module *module;

	if (tfind(name, &modules_seen, compare_words))
		return;
	tsearch(name, &modules_seen, compare_words);
	if (kmod_module_new_from_name(kmod, name, &module) < 0)
		return;
	info_learn(module);
	kmod_module_unref(module);
}

/* Learn the name of an interface from the providers on disk. */
static void alias_learn(const char *guid)
{
	struct kmod_list *list = NULL, *entry;
	char alias[64];

	snprintf(alias, sizeof(alias), "nmr-provider:%s", guid);
	if (kmod_module_new_from_lookup(kmod, alias, &list) < 0)
		return;
	kmod_list_foreach(entry, list) {
		struct kmod_module *module = kmod_module_get_module(entry);

		module_learn(intern(kmod_module_get_name(module)));
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
}

/* Find a name for an interface that has none: in its modules, or in others on disk. */
void names_learn(const char *guid, const char *const *modules, size_t count)
{
	static const char *no_config;
	static void *aliases_seen;
	size_t i;

	names_load();
	if (!kmod) {
		kmod = kmod_new(NULL, &no_config);
		if (!kmod)
			return;
		kmod_set_log_fn(kmod, no_log, NULL);
	}
	for (i = 0; i < count && !interface_name(guid); i++)
		module_learn(modules[i]);
	if (interface_name(guid) || tfind(guid, &aliases_seen, compare_words))
		return;
	tsearch(guid, &aliases_seen, compare_words);
	alias_learn(guid);
}
