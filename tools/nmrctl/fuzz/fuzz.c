// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fuzzer of what nmrctl parses: lines of /etc/nmr/interfaces and of nmr/pairs, OBJECTs, and
 * trees of files as in sysfs, which each command that reads then prints. The first byte selects.
 *
 *	build/nmrctl/fuzz -max_total_time=600 -close_fd_mask=3 [CORPUS]
 */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../nmrctl.h"

#define GUID	"20fd82c5-6014-4438-90c1-3e7d0270e70b"

/* A file of the tree, and what it says if the input says nothing */
struct file {
	const char	*path;
	const char	*text;
};

static const struct file files[] = {
	{ "clients/1/module", "digest_client" },
	{ "clients/1/npi_id", GUID },
	{ "clients/1/module_id", GUID },
	{ "clients/1/number", "0" },
	{ "clients/1/state", "active" },
	{ "clients/2/module", "digest_verify" },
	{ "clients/2/npi_id", GUID },
	{ "clients/2/module_id", GUID },
	{ "clients/2/number", "1" },
	{ "clients/2/state", "deregistering" },
	{ "providers/1/module", "digest_shash" },
	{ "providers/1/npi_id", GUID },
	{ "providers/1/module_id", GUID },
	{ "providers/1/number", "0" },
	{ "providers/1/state", "active" },
	{ "bindings/1/state", "detaching" },
	{ "bindings/1/reason", "provider-deregistered" },
	{ "bindings/1/client_calls", "4" },
	{ "bindings/1/provider_calls", "0" },
	{ "bindings/1/client_detach", "pending" },
	{ "bindings/1/provider_detach", "done" },
	{ "bindings/1/pending_ms", "12300" },
};

static const char *root(void)
{
	static char path[64];

	if (!*path) {
		snprintf(path, sizeof(path), "/dev/shm/nmrctl-fuzz-XXXXXX");
		if (!mkdtemp(path))
			abort();
		setenv("NMRCTL_ROOT", path, 1);
	}
	return path;
}

static void make_folders(char *path)
{
	char *slash = path;

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void write_file(const char *name, const char *text, size_t size)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s%s", root(), name);
	make_folders(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, text, size) < 0)
		abort();
	close(fd);
}

static void link_to(const char *name, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/sys/kernel/nmr/%s", root(), name);
	unlink(path);
	if (symlink(target, path))
		abort();
}

static int run(int (*command)(struct options *options, int count, char **arguments), bool json,
	       const char *argument)
{
	struct options options = {
		.json = json, .interval = 1, .timeout = 0, .wait = -1, .stuck = 0,
	};
	char *arguments[1];

	arguments[0] = (char *)argument;
	return command(&options, !!argument, arguments);
}

static void run_all(void)
{
	run(cmd_tree, false, NULL);
	run(cmd_tree, true, NULL);
	run(cmd_list, false, NULL);
	run(cmd_list, false, "clients");
	run(cmd_show, false, "b1");
	run(cmd_show, false, "c2");
	run(cmd_show, false, GUID);
	run(cmd_check, false, NULL);
	run(cmd_graph, false, NULL);
}

/* Return: a part of the input up to a zero byte, and move on. */
static const char *part(const char **data, size_t *size, size_t *length)
{
	const char *start = *data;

	*length = strnlen(start, *size);
	*data += *length;
	*size -= *length;
	if (*size) {
		++*data;
		--*size;
	}
	return start;
}

/* Make a tree, the files of which say the parts of the input that are not empty. */
static void fuzz_tree(const char *data, size_t size)
{
	const char *text;
	char name[128], target[64];
	size_t length, i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		text = part(&data, &size, &length);
		snprintf(name, sizeof(name), "/sys/kernel/nmr/%s", files[i].path);
		if (length)
			write_file(name, text, length);
		else
			write_file(name, files[i].text, strlen(files[i].text));
	}
	link_to("bindings/1/client", "../../clients/1");
	text = part(&data, &size, &length);
	snprintf(target, sizeof(target), "../../providers/%.*s", length ? (int)length : 1,
		 length ? text : "1");
	link_to("bindings/1/provider", target);
	write_file("/sys/kernel/debug/nmr/pairs", data, size);
	run_all();
}

static void fuzz_names(const char *data, size_t size)
{
	FILE *file = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!file)
		return;
	names_parse(file, "fuzz");
	fclose(file);
}

static void fuzz_words(const char *data, size_t size)
{
	char *text = allocate(size + 1);
	struct terms terms = {};
	struct pair pair;
	double seconds;
	char out[TEXT_SIZE];

	memcpy(text, data, size);
	terms_parse(&terms, &text, 1);
	free(terms.term);
	seconds_parse(text, &seconds);
	column_find(text, strlen(text));
	if (pair_parse(text, &pair))
		pair_text(&pair, out, sizeof(out));
	free(text);
}

/* The name is the one that libFuzzer calls. */
int fuzz_one(const uint8_t *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

int fuzz_one(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (!size)
		return 0;
	root();
	switch (data[0] % 4) {
	case 0:
		fuzz_names(text, size - 1);
		break;
	case 1:
		fuzz_words(text, size - 1);
		break;
	default:
		fuzz_tree(text, size - 1);
	}
	return 0;
}
