// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmrctl load: load the modules of providers for clients that have none, as udev does for the
 * MODALIAS of a client's event. It honours the blacklists and options of modprobe.d.
 */
#include <errno.h>
#include <libkmod.h>
#include <string.h>

#include "nmrctl.h"

static const char *name_of(const struct interface *in)
{
	return in->name ?: in->guid;
}

/* Insert a module. Return: DONE, NO if it is blacklisted, or the code of a failure. */
static int insert(struct kmod_module *module, const struct interface *in)
{
	const char *name = kmod_module_get_name(module);
	bool there = kmod_module_get_initstate(module) >= 0;
	int err = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST, NULL, NULL,
						  NULL, NULL);

	if (err == KMOD_PROBE_APPLY_BLACKLIST)
		return NO;
	if (err == -EPERM || err == -EACCES)
		return fail_errno(-err, NULL, "loading %s for %s", name, name_of(in));
	if (err < 0 && err != -EEXIST)
		return fail(FAILED, "loading %s for %s: %s (%s); the kernel's log may say why",
			    name, name_of(in), error_text(-err), error_name(-err));
	if (!there && !err)
		printf("%s: loaded for %s\n", name, name_of(in));
	return DONE;
}

/*
 * Load all modules that provide an interface. If it was asked for by name, that none is there
 * is worth a message.
 */
static int load(struct kmod_ctx *kmod, const struct interface *in, bool asked)
{
	struct kmod_list *list = NULL, *entry;
	int status, result = DONE, err, done = 0, found = 0;
	char alias[64];

	snprintf(alias, sizeof(alias), "nmr-provider:%s", in->guid);
	err = kmod_module_new_from_lookup(kmod, alias, &list);
	if (err < 0)
		return fail(FAILED, "%s: the index of modules cannot be read (%s); run depmod",
			    name_of(in), error_name(-err));
	kmod_list_foreach(entry, list) {
		struct kmod_module *module = kmod_module_get_module(entry);

		status = insert(module, in);
		kmod_module_unref(module);
		found++;
		done += status == DONE;
		if (status > NO)
			result = result ?: status;
	}
	kmod_module_unref_list(list);
	if (!asked || result || done)
		return result;
	return fail(NO, found ? "%s: the modules that provide it are blacklisted" :
		    "%s: no module on disk provides it", name_of(in));
}

static int load_all(struct kmod_ctx *kmod, struct model *model, bool asked)
{
	int status, result = DONE;
	size_t i;

	for (i = 0; i < model->nr_interfaces; i++) {
		struct interface *in = &model->interfaces[i];

		if ((asked && !in->named) || in->nr_parties[PROVIDER])
			continue;
		status = load(kmod, in, asked);
		result = result ?: status;
	}
	return result;
}

static int check_terms(const struct terms *terms)
{
	size_t i;

	for (i = 0; i < terms->nr; i++)
		if (terms->term[i].type == TERM_ID || terms->term[i].type == TERM_MODULE)
			return fail(USAGE,
				    "%s is no interface; load takes names and GUIDs of interfaces",
				    terms->term[i].given);
	return DONE;
}

int cmd_load(struct options *options, int count, char **arguments)
{
	struct kmod_ctx *kmod = NULL;
	struct model model = {};
	struct terms terms = {};
	int status = terms_parse(&terms, arguments, count);
	size_t i;

	if (!status)
		status = check_terms(&terms);
	for (i = 0; !status && i < terms.nr; i++)
		if (terms.term[i].type == TERM_NAME)
			terms.term[i].type = TERM_INTERFACE;
	if (!status)
		status = model_get(&model, options, NEED_SELECT, &terms);
	if (!status) {
		kmod = kmod_new(NULL, NULL);
		if (!kmod)
			status = fail(FAILED, "reading modprobe's configuration failed");
	}
	if (!status)
		status = load_all(kmod, &model, count > 0);
	kmod_unref(kmod);
	terms_free(&terms);
	model_free(&model);
	return status;
}
