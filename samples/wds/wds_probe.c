// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client that makes single calls of the NPI, which an administrator writes to its file:
 *
 *	cd /sys/kernel/debug
 *	echo find vmlinuz > wds_probe		# a write fails with the errno of the call
 *	cat wds_probe				# the result, and the upcalls
 *
 * The calls are: find NAME, info SESSION, join SESSION, leave CLIENT, report CLIENT PERCENT,
 * read CLIENT OFFSET LENGTH, checksum CLIENT. The client stays with its server when it is
 * disconnected, so that the errors of joining again can be seen.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crc32.h>
#include <linux/debugfs.h>
#include <linux/etherdevice.h>
#include <linux/in.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "../compat.h"
#include "wds_npi.h"

#define PROBE_SIZE	1024	/* of a command and of a result */
#define PROBE_READ_MAX	SZ_1M	/* more than a server accepts */

static char *name = KBUILD_MODNAME;
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "Name that the server is told");

static ushort family = AF_INET;
module_param(family, ushort, 0444);
MODULE_PARM_DESC(family, "Family of the address that the server is told");

static char *mac = "02:00:00:00:00:01";
module_param(mac, charp, 0444);
MODULE_PARM_DESC(mac, "MAC address that the server is told");

static uint version = WDS_VERSION;
module_param(version, uint, 0444);
MODULE_PARM_DESC(version, "Version of the NPI that the server is told");

DEFINE_NMR_SLOT(probe_slot);
static struct nmr_client_handle probe_handle;
static struct dentry *probe_dentry;
static DEFINE_MUTEX(probe_lock);	/* protects the result and the upcalls */
static char probe_result[PROBE_SIZE];
static ulong probe_upcalls[WDS_DISCONNECT_TYPES];
static u32 probe_told;

static void probe_disconnected(void *context, u32 client, enum wds_disconnect_type type)
{
	mutex_lock(&probe_lock);
	probe_told = client;
	probe_upcalls[type]++;
	mutex_unlock(&probe_lock);
}

static __printf(1, 2) void probe_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mutex_lock(&probe_lock);
	vscnprintf(probe_result, sizeof(probe_result), format, args);
	mutex_unlock(&probe_lock);
	va_end(args);
}

static int probe_read(const struct nmr_call *call, u32 client, long long offset, size_t len)
{
	const struct wds_server_dispatch *server = call->dispatch;
	ssize_t got;
	void *buffer;

	if (len > PROBE_READ_MAX)
		return -E2BIG;
	buffer = kvmalloc(len + 1, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	got = server->read(call->context, client, offset, buffer, len);
	if (got >= 0)
		probe_say("read %zd crc32 %08x", got, crc32_le(~0, buffer, got));
	kvfree(buffer);
	return min_t(ssize_t, got, 0);
}

static int probe_info(const struct nmr_call *call, u32 session)
{
	const struct wds_server_dispatch *server = call->dispatch;
	struct wds_session_info info;
	int err = server->info(call->context, session, &info);

	if (!err)
		probe_say("session %u content %u master %u size %llu rate %llu device %s mac %pM",
			  info.id, info.content, info.master, info.size, info.rate,
			  info.device, info.mac);
	return err;
}

static int probe_find(const struct nmr_call *call, const char *content)
{
	const struct wds_server_dispatch *server = call->dispatch;
	u32 session;
	int err = server->find(call->context, content, &session);

	if (!err)
		probe_say("session %u", session);
	return err;
}

static int probe_join(const struct nmr_call *call, u32 session)
{
	const struct wds_server_dispatch *server = call->dispatch;
	u32 client;
	int err = server->join(call->context, session, &client);

	if (!err)
		probe_say("client %u", client);
	return err;
}

static int probe_checksum(const struct nmr_call *call, u32 client)
{
	const struct wds_server_dispatch *server = call->dispatch;
	u8 digest[SHA256_DIGEST_SIZE];
	int err = server->checksum(call->context, client, digest);

	if (!err)
		probe_say("sha256 %*phN", SHA256_DIGEST_SIZE, digest);
	return err;
}

static int probe_command(const struct nmr_call *call, char *command)
{
	const struct wds_server_dispatch *server = call->dispatch;
	struct wds_progress progress = {};
	char *verb = strsep(&command, " ");
	long long offset;
	size_t len;
	u32 id;

	if (!command)
		command = "";
	if (!strcmp(verb, "find"))
		return probe_find(call, command);
	if (sscanf(command, "%u %lld %zu", &id, &offset, &len) == 3 && !strcmp(verb, "read"))
		return probe_read(call, id, offset, len);
	if (sscanf(command, "%u %hhu", &id, &progress.percent) == 2 && !strcmp(verb, "report"))
		return server->report(call->context, id, &progress);
	if (kstrtou32(command, 10, &id))
		return -EBADRQC;
	if (!strcmp(verb, "info"))
		return probe_info(call, id);
	if (!strcmp(verb, "join"))
		return probe_join(call, id);
	if (!strcmp(verb, "leave"))
		return server->leave(call->context, id);
	return strcmp(verb, "checksum") ? -EBADRQC : probe_checksum(call, id);
}

static ssize_t probe_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct nmr_call call;
	char *command;
	int err = -ENODEV;

	if (count >= PROBE_SIZE)
		return -E2BIG;
	command = memdup_user_nul(buf, count);
	if (IS_ERR(command))
		return PTR_ERR(command);
	if (command[0] && command[count - 1] == '\n')
		command[count - 1] = '\0';
	if (nmr_slot_enter(&probe_slot, &call)) {
		err = probe_command(&call, command);
		nmr_slot_exit(&call);
	}
	kfree(command);
	return err ?: count;
}

static int probe_show(struct seq_file *m, void *unused)
{
	mutex_lock(&probe_lock);
	seq_printf(m, "result %s\ntold %u\nupcalls %lu %lu %lu\n", probe_result, probe_told,
		   probe_upcalls[0], probe_upcalls[1], probe_upcalls[2]);
	mutex_unlock(&probe_lock);
	return 0;
}

static int probe_open(struct inode *inode, struct file *file)
{
	return single_open(file, probe_show, NULL);
}

static const struct file_operations probe_fops = {
	.owner		= THIS_MODULE,
	.open		= probe_open,
	.read		= seq_read,
	.write		= probe_write,
	.release	= single_release,
};

static struct wds_client_identity probe_identity;

static const struct wds_client_dispatch probe_dispatch = {
	.disconnected = probe_disconnected,
};

static const guid_t probe_module_id = NMR_GUID("2eddb2f5-144f-42e7-b1d8-4727ffc69981");

static const struct nmr_client_characteristics probe_characteristics = {
	.slot		= &probe_slot,
	.instance	= {
		.npi_id		= &wds_npi_id,
		.module_id	= &probe_module_id,
		.npi_specific	= &probe_identity,
	},
	.endpoint	= { .dispatch = &probe_dispatch },
};

static int __init probe_init(void)
{
	int err;

	if (!mac_pton(mac, probe_identity.mac))
		return -EINVAL;
	probe_identity.version = version;
	probe_identity.name = name;
	probe_identity.address.ss_family = family;
	probe_identity.user = current_uid();
	err = nmr_register_client(&probe_characteristics, NULL, &probe_handle);
	if (!err)
		probe_dentry = debugfs_create_file(KBUILD_MODNAME, 0600, NULL, NULL,
						   &probe_fops);
	return err;
}
module_init(probe_init);

static void __exit probe_exit(void)
{
	nmr_deregister_client_sync(probe_handle);
	debugfs_remove(probe_dentry);
}
module_exit(probe_exit);

MODULE_NMR_INTERFACE(WDS_NPI_GUID, "wds");
MODULE_DESCRIPTION("NMR sample: a client that makes the calls that an administrator writes");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
