// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the configuration server: an administrator's program inside the kernel. It makes
 * one call for each command, and passes what the command says, also if that is wrong:
 *
 *	cd /sys/module/mpr_admin/parameters
 *	echo "connect -" > command; cat answer		# 0 1: the connection has handle 1
 *	echo "create 1 0 eth0 3 1" > command		# connection, level, name, type, enabled
 *	echo "enum 1 0 65536 0" > command		# connection, level, max, resume
 *
 * The answer is the errno, and what the server has returned. "-" stands for NULL, and a command
 * that ends with "!" passes NULL for what the server writes. The module keeps the buffers that it
 * gets, by number. It frees a buffer by the command free only: the server takes back the others.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "mpr_npi.h"

#define ADMIN_BUFFERS	64
#define ADMIN_ANSWER	1024

static char *router = "";
module_param(router, charp, 0444);
MODULE_PARM_DESC(router, "Name of the router; empty: the first one that there is");

DEFINE_NMR_SLOT(admin_slot);

static DEFINE_MUTEX(admin_lock);	/* protects these, and calls one after the other */
static void *admin_buffers[ADMIN_BUFFERS];
static uint admin_count;
static char admin_answer[ADMIN_ANSWER];
static char admin_copy[MPR_DATA_MAX + 1];

/* A command: its words, and a call to the server */
struct admin_command {
	const struct mpr_dispatch	*ops;
	void				*context;
	char				**words;
	int				count;
	bool				null;	/* the last word is "!" */
};

static u32 admin_number(const struct admin_command *c, int i)
{
	u32 number = 0;

	if (i >= c->count || kstrtou32(c->words[i], 0, &number))
		return 0;
	return number;
}

/* Return: the word, or NULL if it is "-" or absent. */
static const char *admin_word(const struct admin_command *c, int i)
{
	return i < c->count && strcmp(c->words[i], "-") ? c->words[i] : NULL;
}

static void admin_say(const char *format, ...) __printf(1, 2);
static void admin_say(const char *format, ...)
{
	size_t length = strlen(admin_answer);
	va_list args;

	va_start(args, format);
	vscnprintf(admin_answer + length, sizeof(admin_answer) - length, format, args);
	va_end(args);
}

/* Keep a buffer of the server. Return: its number. */
static uint admin_keep(void *buffer)
{
	admin_buffers[admin_count % ADMIN_BUFFERS] = buffer;
	return admin_count++ % ADMIN_BUFFERS;
}

static int admin_say_handle(int err, u32 handle)
{
	if (!err)
		admin_say(" %u", handle);
	return err;
}

static int admin_connect(const struct admin_command *c)
{
	u32 server = 0;
	int err = c->ops->connect(c->context, admin_word(c, 1), c->null ? NULL : &server);

	return admin_say_handle(err, server);
}

static int admin_disconnect(const struct admin_command *c)
{
	c->ops->disconnect(c->context, admin_number(c, 1));
	return 0;
}

static int admin_free(const struct admin_command *c)
{
	void *buffer = admin_word(c, 2) ?
		       admin_buffers[admin_number(c, 2) % ADMIN_BUFFERS] : NULL;

	return c->ops->buffer_free(c->context, admin_number(c, 1), buffer);
}

/* Copy a word into a field. A word that is too long has no null there. */
static void admin_field(char *field, size_t size, const char *word)
{
	if (word)
		memcpy(field, word, strnlen(word, size));
}

/* Make level 3 of an interface out of name, type, enabled, phone and address, from @i on. */
static void admin_info(const struct admin_command *c, int i, struct mpr_interface_3 *info)
{
	struct mpr_interface_0 *level0 = &info->level2.level1.level0;

	memset(info, 0, sizeof(*info));
	admin_field(level0->name, MPR_NAME_SIZE, admin_word(c, i));
	level0->type = admin_number(c, i + 1);
	level0->enabled = admin_number(c, i + 2);
	admin_field(info->level2.phone, MPR_PHONE_SIZE, admin_word(c, i + 3));
	info->address.s6_addr[0] = admin_number(c, i + 4);
}

static int admin_create(const struct admin_command *c)
{
	struct mpr_interface_3 info;
	u32 handle = 0;
	int err;

	admin_info(c, 3, &info);
	err = c->ops->interface_create(c->context, admin_number(c, 1), admin_number(c, 2),
				       admin_word(c, 3) ? &info : NULL,
				       c->null ? NULL : &handle);
	return admin_say_handle(err, handle);
}

static int admin_find(const struct admin_command *c)
{
	u32 handle = 0;
	int err = c->ops->interface_get_handle(c->context, admin_number(c, 1),
					       admin_word(c, 2), c->null ? NULL : &handle);

	return admin_say_handle(err, handle);
}

static int admin_get(const struct admin_command *c)
{
	u32 level = admin_number(c, 3);
	struct mpr_interface_3 *info;
	size_t size;
	void *buffer = NULL;
	int err = c->ops->interface_get_info(c->context, admin_number(c, 1),
					     admin_number(c, 2), level,
					     c->null ? NULL : &buffer, &size);

	if (err || !buffer)
		return err;
	info = buffer;
	admin_say(" %u %zu %s %u %d", admin_keep(buffer), size,
		  info->level2.level1.level0.name, info->level2.level1.level0.type,
		  info->level2.level1.level0.enabled);
	if (level >= 2)
		admin_say(" %s", info->level2.phone);
	return 0;
}

static int admin_set(const struct admin_command *c)
{
	struct mpr_interface_3 info;

	admin_info(c, 4, &info);
	return c->ops->interface_set_info(c->context, admin_number(c, 1), admin_number(c, 2),
					  admin_number(c, 3), admin_word(c, 4) ? &info : NULL);
}

static int admin_delete(const struct admin_command *c)
{
	return c->ops->interface_delete(c->context, admin_number(c, 1), admin_number(c, 2));
}

static int admin_enum(const struct admin_command *c)
{
	struct mpr_enum state = {
		.level = admin_number(c, 2),
		.max = admin_number(c, 3),
		.resume = admin_number(c, 4),
	};
	struct mpr_interface_0 *entries;
	void *buffer = NULL;
	int err;
	u32 i;

	err = c->ops->interface_enum(c->context, admin_number(c, 1), &state,
				     c->null ? NULL : &buffer);
	if (err || !buffer)
		return err;
	entries = buffer;
	admin_say(" %u %u %u %u", admin_keep(buffer), state.resume, state.count, state.total);
	for (i = 0; i < state.count; i++)
		admin_say(" %s", entries[i].name);
	return 0;
}

/*
 * Copy the data of a transport, and write its size: word @i + 1, or else the length of word @i.
 * Zeros follow the word, because the server reads as many bytes as the command says. It reads no
 * more than MPR_DATA_MAX. Return: NULL if word @i is "-" or absent.
 */
static const void *admin_data(const struct admin_command *c, int i, size_t *size)
{
	const char *word = admin_word(c, i);

	*size = c->count > i + 1 ? admin_number(c, i + 1) : strlen(word ?: "");
	if (!word)
		return NULL;
	strscpy_pad(admin_copy, word, sizeof(admin_copy));
	return admin_copy;
}

static int admin_transport_create(const struct admin_command *c)
{
	u32 handle = 0;
	size_t size;
	const void *data = admin_data(c, 4, &size);
	int err = c->ops->transport_create(c->context, admin_number(c, 1), admin_number(c, 2),
					   admin_number(c, 3), data, size,
					   c->null ? NULL : &handle);

	return admin_say_handle(err, handle);
}

static int admin_transport_find(const struct admin_command *c)
{
	u32 handle = 0;
	int err = c->ops->transport_get_handle(c->context, admin_number(c, 1),
					       admin_number(c, 2), admin_number(c, 3),
					       c->null ? NULL : &handle);

	return admin_say_handle(err, handle);
}

static int admin_transport_get(const struct admin_command *c)
{
	u32 protocol;
	size_t size;
	void *buffer = NULL;
	int err = c->ops->transport_get_info(c->context, admin_number(c, 1),
					     admin_number(c, 2), &protocol,
					     c->null ? NULL : &buffer, &size);

	if (!err && buffer)
		admin_say(" %u %u %zu %.*s", admin_keep(buffer), protocol, size, (int)size,
			  (char *)buffer);
	return err;
}

static int admin_transport_set(const struct admin_command *c)
{
	size_t size;
	const void *data = admin_data(c, 3, &size);

	return c->ops->transport_set_info(c->context, admin_number(c, 1), admin_number(c, 2),
					  data, size);
}

static int admin_transport_delete(const struct admin_command *c)
{
	return c->ops->transport_delete(c->context, admin_number(c, 1), admin_number(c, 2));
}

static int admin_transport_enum(const struct admin_command *c)
{
	struct mpr_enum state = {
		.level = admin_number(c, 3),
		.max = admin_number(c, 4),
		.resume = admin_number(c, 5),
	};
	struct mpr_transport_0 *entries;
	void *buffer = NULL;
	int err;
	u32 i;

	err = c->ops->transport_enum(c->context, admin_number(c, 1), admin_number(c, 2),
				     &state, c->null ? NULL : &buffer);
	if (err || !buffer)
		return err;
	entries = buffer;
	admin_say(" %u %u %u %u", admin_keep(buffer), state.resume, state.count, state.total);
	for (i = 0; i < state.count; i++)
		admin_say(" %u", entries[i].protocol);
	return 0;
}

static const struct {
	const char	*name;
	int		(*call)(const struct admin_command *c);
} admin_commands[] = {
	{ "connect", admin_connect },
	{ "disconnect", admin_disconnect },
	{ "free", admin_free },
	{ "create", admin_create },
	{ "find", admin_find },
	{ "get", admin_get },
	{ "set", admin_set },
	{ "delete", admin_delete },
	{ "enum", admin_enum },
	{ "transport-create", admin_transport_create },
	{ "transport-find", admin_transport_find },
	{ "transport-get", admin_transport_get },
	{ "transport-set", admin_transport_set },
	{ "transport-delete", admin_transport_delete },
	{ "transport-enum", admin_transport_enum },
};

/* Call the server. Return: -EINVAL: there is no such command, and no call is made. */
static int admin_run(struct admin_command *c)
{
	struct nmr_call call;
	int err, i;

	for (i = 0; i < ARRAY_SIZE(admin_commands); i++)
		if (c->count && !strcmp(c->words[0], admin_commands[i].name))
			break;
	if (i == ARRAY_SIZE(admin_commands))
		return -EINVAL;
	strscpy(admin_answer, "0", sizeof(admin_answer));
	if (!nmr_slot_enter(&admin_slot, &call)) {
		strscpy(admin_answer, "no server", sizeof(admin_answer));
		return 0;
	}
	c->ops = call.dispatch;
	c->context = call.context;
	err = admin_commands[i].call(c);
	nmr_slot_exit(&call);
	if (err)
		scnprintf(admin_answer, sizeof(admin_answer), "%d", err);
	return 0;
}

static int admin_set_command(const char *value, const struct kernel_param *param)
{
	struct admin_command c = {};
	int err;

	c.words = argv_split(GFP_KERNEL, value, &c.count);
	if (!c.words)
		return -ENOMEM;
	c.null = c.count && !strcmp(c.words[c.count - 1], "!");
	c.count -= c.null;
	mutex_lock(&admin_lock);
	err = admin_run(&c);
	mutex_unlock(&admin_lock);
	argv_free(c.words);
	return err;
}
module_param_call(command, admin_set_command, NULL, NULL, 0200);

static int admin_get_answer(char *buffer, const struct kernel_param *param)
{
	int length;

	mutex_lock(&admin_lock);
	length = sysfs_emit(buffer, "%s\n", admin_answer);
	mutex_unlock(&admin_lock);
	return length;
}
module_param_call(answer, NULL, admin_get_answer, NULL, 0400);

static int admin_attach(struct nmr_binding *binding, void *client_context,
			const struct nmr_registration_instance *provider)
{
	const struct mpr_router_info *info = provider->npi_specific;

	if (*router && strcmp(router, info->name))
		return -ENODEV;
	return nmr_client_attach_provider(binding, NULL, NULL);
}

static const guid_t admin_id = NMR_GUID("d239ebab-ee6b-4838-a43f-e709d1af2f21");

static const struct nmr_client_characteristics admin_client = {
	.attach_provider	= admin_attach,
	.slot			= &admin_slot,
	.instance		= {
		.npi_id		= &mpr_npi_id,
		.module_id	= &admin_id,
	},
};
module_nmr_client(admin_client, NULL);

MODULE_DESCRIPTION("NMR sample: an administrator's program inside the kernel");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
