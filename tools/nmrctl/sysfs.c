// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads and writes files of /sys/kernel/nmr. An object may vanish at any time: each function
 * then says so, and the caller leaves the object out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nmrctl.h"

#define NMR	"/sys/kernel/nmr"

const char *const kset_name[KSETS] = {
	[CLIENT] = "clients", [PROVIDER] = "providers", [BINDINGS] = "bindings",
};

bool nmr_loaded(void)
{
	return !access(rooted(NMR), F_OK);
}

/* Test whether there is a module for the running kernel. */
static bool nmr_is_installed(void)
{
	struct kmod_ctx *kmod = kmod_new(NULL, NULL);
	struct kmod_list *list = NULL;
	bool found;

	found = kmod && kmod_module_new_from_lookup(kmod, "nmr", &list) >= 0 && list;
	kmod_module_unref_list(list);
	kmod_unref(kmod);
	return found;
}

/* Say why there is nothing to read. Return: the exit code. */
int nmr_absent(void)
{
	struct utsname kernel;

	if (access(rooted("/sys/kernel"), F_OK))
		return fail(FAILED, "sysfs is not mounted on %s; mount -t sysfs none /sys",
			    rooted("/sys"));
	if (nmr_is_installed() || uname(&kernel))
		return fail(ABSENT, "nmr is not loaded; modprobe nmr");
	return fail(ABSENT, "nmr is not loaded, and there is no module for %s: install its headers",
		    kernel.release);
}

/* Return: the open folder, or -1. */
int kset_open(int kset)
{
	char path[64];

	snprintf(path, sizeof(path), NMR "/%s", kset_name[kset]);
	return open(rooted(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void path_of(char *path, size_t size, unsigned long long id, const char *file)
{
	snprintf(path, size, "%llu/%s", id, file);
}

/* Read the line of a file. Return: its length, or -1 if the object has gone. */
int word_read(int dir, unsigned long long id, const char *file, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	path_of(path, sizeof(path), id, file);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	length = read(fd, text, size - 1);
	close(fd);
	if (length < 0)
		return -1;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	printable(text);
	return strlen(text);
}

/* Write a word to a file of an object. Return: 0, or an errno. */
int word_write(int kset, unsigned long long id, const char *file, const char *word)
{
	int dir = kset_open(kset), fd, err = 0;
	char path[64];

	if (dir < 0)
		return errno;
	path_of(path, sizeof(path), id, file);
	fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, word, strlen(word)) < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	close(dir);
	return err;
}

/* Read the number that a link to another object ends with. */
bool link_read(int dir, unsigned long long id, const char *name, unsigned long long *target)
{
	char path[64], text[256];
	const char *last, *end;
	ssize_t length;

	path_of(path, sizeof(path), id, name);
	length = readlinkat(dir, path, text, sizeof(text) - 1);
	if (length < 0)
		return false;
	text[length] = '\0';
	last = strrchr(text, '/');
	return last && id_parse(last + 1, target, &end) && !*end;
}

static int compare_ids(const void *a, const void *b)
{
	const unsigned long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Read the numbers that the names in a folder are, in order. */
unsigned long long *ids_read(int dir, size_t *count)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	unsigned long long *ids = NULL, id;
	struct dirent *entry;
	const char *end;

	*count = 0;
	while (stream && (entry = readdir(stream))) {
		if (!id_parse(entry->d_name, &id, &end) || *end)
			continue;
		ids = enlarge(ids, *count, sizeof(*ids));
		ids[(*count)++] = id;
	}
	if (stream)
		closedir(stream);
	else if (copy >= 0)
		close(copy);
	if (*count)
		qsort(ids, *count, sizeof(*ids), compare_ids);
	return ids;
}

/* Return: the value of a parameter of nmr, or @otherwise. */
long parameter(const char *name, long otherwise)
{
	char path[128], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/nmr/parameters/%s", name);
	file = fopen(rooted(path), "re");
	if (!file)
		return otherwise;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return *text ? strtol(text, NULL, 10) : otherwise;
}
