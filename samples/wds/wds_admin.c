// SPDX-License-Identifier: GPL-2.0-only
/*
 * The administrator's half of a transport server: commands, and what they act on, in debugfs.
 *
 *	contents	NUMBER content NAME size BYTES sha256 DIGEST
 *	sessions	NUMBER session, its content, master client, clients, rate, bytes sent, and
 *			the server's network device
 *	clients		NUMBER client, its session, and all that the server knows of it
 *
 * The file control takes one command in each write:
 *
 *	content PATH			open a file, and begin a session of it
 *	session CONTENT			begin one more session of a content
 *	disconnect CLIENT TYPE		disconnect a client; TYPE is fallback or abort
 *	terminate-session SESSION	disconnect all clients of the session, and end it
 *	terminate-content CONTENT	end all sessions of the content, and close its file
 *
 * A client of a session that is terminated is told %WDS_DISCONNECT_FALLBACK: another server
 * may have the content.
 */
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/limits.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "wds_server.h"

static DEFINE_MUTEX(server_admin);
static struct dentry *server_dentry;
static u32 server_next_session;

static char *dev = "lo";
module_param(dev, charp, 0444);
MODULE_PARM_DESC(dev, "Network device of the sessions, of which clients are told the address");

/* Disconnecting */

/* What a client is told, after it has been removed */
struct server_notice {
	u64				binding;
	u32				client;
	enum wds_disconnect_type	type;
};

/* Tell the client of the walk, if the notice is for it. Return: 1 to end the walk. */
static int server_tell(const struct nmr_call *call, void *arg)
{
	const struct wds_client_dispatch *dispatch = call->dispatch;
	const struct server_notice *notice = arg;

	if (nmr_binding_id(call->binding) != notice->binding)
		return 0;
	dispatch->disconnected(call->context, notice->client, notice->type);
	return 1;
}

/*
 * Remove a client, and fill @notice. The caller passes @notice to server_tell() when it has
 * released server_lock. Must be called with server_lock held.
 */
static void server_drop(struct server_member *member, enum wds_disconnect_type type,
			struct server_notice *notice)
{
	notice->binding = member->peer->binding;
	notice->client = member->id;
	notice->type = type;
	if (type == WDS_DISCONNECT_ABORT)
		member->peer->aborted = true;
	server_remove_member(member);
}

/*
 * Disconnect the client @id. Return: 0 if the client was told, or %-ENODEV if its binding has
 * closed meanwhile.
 */
static int server_disconnect(u32 id, enum wds_disconnect_type type)
{
	struct server_member *member;
	struct server_notice notice;

	if (type != WDS_DISCONNECT_FALLBACK && type != WDS_DISCONNECT_ABORT)
		return -EINVAL;
	mutex_lock(&server_lock);
	member = xa_load(&server_members, id);
	if (member)
		server_drop(member, type, &notice);
	mutex_unlock(&server_lock);
	if (!member)
		return -ENOENT;
	return nmr_provider_for_each_client(server_handle, server_tell, &notice) == 1 ? 0 : -ENODEV;
}

/* Drop one client of @session. Return: false if it has none. */
static bool server_drop_one(const struct server_session *session, struct server_notice *notice)
{
	struct server_member *member;
	u32 id;

	mutex_lock(&server_lock);
	id = server_master(session);
	member = id ? xa_load(&server_members, id) : NULL;
	if (member)
		server_drop(member, WDS_DISCONNECT_FALLBACK, notice);
	mutex_unlock(&server_lock);
	return member;
}

/* No client joins a session that is out of the array. */
static int server_terminate_session(u32 id)
{
	struct server_session *session;
	struct server_notice notice;

	mutex_lock(&server_lock);
	session = xa_erase(&server_sessions, id);
	mutex_unlock(&server_lock);
	if (!session)
		return -ENOENT;
	while (server_drop_one(session, &notice))
		nmr_provider_for_each_client(server_handle, server_tell, &notice);
	kfree(session);
	return 0;
}

static int server_terminate_content(u32 id)
{
	struct server_content *content = xa_load(&server_contents, id);
	struct server_session *session;
	unsigned long i;

	if (!content)
		return -ENOENT;
	xa_for_each(&server_sessions, i, session)
		if (session->content == content)
			server_terminate_session(i);
	mutex_lock(&server_lock);
	xa_erase(&server_contents, id);
	mutex_unlock(&server_lock);
	fput(content->file);
	kfree(content);
	return 0;
}

/* Contents and sessions */

/* Digest the file of @content, by chunks in @buffer. */
static int server_digest(struct server_content *content, u8 *buffer)
{
	struct sha256_ctx state;
	loff_t pos = 0;
	ssize_t got;

	sha256_init(&state);
	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		got = kernel_read(content->file, buffer, WDS_CHUNK_MAX, &pos);
		if (got < 0)
			return got;
		sha256_update(&state, buffer, got);
	} while (got);
	content->size = pos;
	sha256_final(&state, content->digest);
	return 0;
}

/* Open a regular file. O_NONBLOCK is for a FIFO, where filp_open() would wait for a writer. */
static int server_open(struct server_content *content, const char *path)
{
	const char *name = kbasename(path);
	u8 *buffer;
	int err;

	if (strscpy(content->name, name, sizeof(content->name)) < 0)
		return -ENAMETOOLONG;
	content->file = filp_open(path, O_RDONLY | O_LARGEFILE | O_NONBLOCK, 0);
	if (IS_ERR(content->file))
		return PTR_ERR(content->file);
	buffer = kmalloc(WDS_CHUNK_MAX, GFP_KERNEL);
	err = buffer ? 0 : -ENOMEM;
	if (!err)
		err = S_ISREG(file_inode(content->file)->i_mode) ? 0 : -EINVAL;
	if (!err)
		err = server_digest(content, buffer);
	kfree(buffer);
	if (err)
		fput(content->file);
	return err;
}

/* Look for the device in the network namespace of the administrator. */
static int server_note_device(struct server_session *session)
{
	struct net_device *device = dev_get_by_name(current->nsproxy->net_ns, dev);

	if (!device)
		return -ENODEV;
	strscpy(session->device, device->name, sizeof(session->device));
	if (device->addr_len == ETH_ALEN)
		memcpy(session->mac, device->dev_addr, ETH_ALEN);
	dev_put(device);
	return 0;
}

static int server_begin_session(u32 id)
{
	struct server_session *session;
	int err = -ENOENT;

	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session)
		return -ENOMEM;
	session->since = ktime_get();
	mutex_lock(&server_lock);
	session->content = xa_load(&server_contents, id);
	if (session->content)
		err = server_note_device(session);
	if (!err)
		err = xa_alloc_cyclic(&server_sessions, &session->id, session, xa_limit_32b,
				      &server_next_session, GFP_KERNEL);
	mutex_unlock(&server_lock);
	if (err < 0)
		kfree(session);
	return min(err, 0);
}

static bool server_has_content(const char *name)
{
	struct server_content *content;
	unsigned long i;

	xa_for_each(&server_contents, i, content)
		if (!strcmp(content->name, name))
			return true;
	return false;
}

static int server_begin_content(const char *path)
{
	struct server_content *content;
	int err;

	content = kzalloc(sizeof(*content), GFP_KERNEL);
	if (!content)
		return -ENOMEM;
	err = server_has_content(kbasename(path)) ? -EEXIST : server_open(content, path);
	if (err)
		goto err_free;
	mutex_lock(&server_lock);
	err = xa_alloc(&server_contents, &content->id, content, xa_limit_32b, GFP_KERNEL);
	mutex_unlock(&server_lock);
	if (err)
		goto err_close;
	err = server_begin_session(content->id);
	if (err)
		server_terminate_content(content->id);
	return err;

err_close:
	fput(content->file);
err_free:
	kfree(content);
	return err;
}

/* Commands */

static int server_command_disconnect(char *arguments)
{
	static const char * const types[] = { "unknown", "fallback", "abort" };
	char *number = strsep(&arguments, " ");
	int type = arguments ? match_string(types, ARRAY_SIZE(types), arguments) : -EINVAL;
	u32 id;

	if (type < 0 || kstrtou32(number, 10, &id))
		return -EINVAL;
	return server_disconnect(id, type);
}

static int server_command(char *command)
{
	char *verb = strsep(&command, " ");
	u32 id;

	if (!command)
		return -EINVAL;
	if (!strcmp(verb, "content"))
		return server_begin_content(command);
	if (!strcmp(verb, "disconnect"))
		return server_command_disconnect(command);
	if (kstrtou32(command, 10, &id))
		return -EINVAL;
	if (!strcmp(verb, "session"))
		return server_begin_session(id);
	if (!strcmp(verb, "terminate-session"))
		return server_terminate_session(id);
	if (!strcmp(verb, "terminate-content"))
		return server_terminate_content(id);
	return -EINVAL;
}

static ssize_t server_control_write(struct file *file, const char __user *buf, size_t count,
				    loff_t *pos)
{
	char *command;
	int err;

	if (count > PATH_MAX + 16)
		return -E2BIG;
	command = memdup_user_nul(buf, count);
	if (IS_ERR(command))
		return PTR_ERR(command);
	mutex_lock(&server_admin);
	err = server_command(strim(command));
	mutex_unlock(&server_admin);
	kfree(command);
	return err ?: count;
}

static const struct file_operations server_control_fops = {
	.owner	= THIS_MODULE,
	.write	= server_control_write,
};

/* Lists */

static int contents_show(struct seq_file *m, void *unused)
{
	struct server_content *content;
	unsigned long i;

	mutex_lock(&server_lock);
	xa_for_each(&server_contents, i, content) {
		seq_printf(m, "%lu content ", i);
		seq_escape(m, content->name, " \t\n\\");
		seq_printf(m, " size %llu sha256 %*phN\n", content->size, SHA256_DIGEST_SIZE,
			   content->digest);
	}
	mutex_unlock(&server_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(contents);

/* Return: how many clients have joined. Must be called with server_lock held. */
static uint server_count(const struct server_session *session)
{
	struct server_member *member;
	unsigned long i;
	uint count = 0;

	xa_for_each(&server_members, i, member)
		count += member->session == session;
	return count;
}

static int sessions_show(struct seq_file *m, void *unused)
{
	struct server_session *session;
	unsigned long i;

	mutex_lock(&server_lock);
	xa_for_each(&server_sessions, i, session) {
		seq_printf(m, "%lu session content %u master %u clients %u", i,
			   session->content->id, server_master(session), server_count(session));
		seq_printf(m, " rate %llu sent %llu device %s mac %pM\n", server_rate(session),
			   session->sent, session->device, session->mac);
	}
	mutex_unlock(&server_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sessions);

static void server_show_client(struct seq_file *m, const struct server_member *member)
{
	const struct server_peer *peer = member->peer;

	seq_printf(m, "%u client session %u name %s ip %pISc mac %pM user %u binding %llu",
		   member->id, member->session->id, peer->name, &peer->address, peer->mac,
		   from_kuid_munged(seq_user_ns(m), peer->user), peer->binding);
	seq_printf(m, " joined %lld percent %u cpu %u memory %u network %llu\n",
		   ktime_ms_delta(ktime_get(), member->since), member->progress.percent,
		   member->progress.cpu, member->progress.memory, member->progress.network);
}

static int clients_show(struct seq_file *m, void *unused)
{
	struct server_member *member;
	unsigned long i;

	mutex_lock(&server_lock);
	xa_for_each(&server_members, i, member)
		server_show_client(m, member);
	mutex_unlock(&server_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(clients);

/* The module */

int server_admin_begin(const char *path)
{
	int err = 0;

	mutex_lock(&server_admin);
	if (*path)
		err = server_begin_content(path);
	mutex_unlock(&server_admin);
	if (err)
		return err;
	server_dentry = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("contents", 0444, server_dentry, NULL, &contents_fops);
	debugfs_create_file("sessions", 0444, server_dentry, NULL, &sessions_fops);
	debugfs_create_file("clients", 0444, server_dentry, NULL, &clients_fops);
	debugfs_create_file("control", 0200, server_dentry, NULL, &server_control_fops);
	return 0;
}

void server_admin_terminate(void)
{
	struct server_content *content;
	unsigned long i;

	mutex_lock(&server_admin);
	xa_for_each(&server_contents, i, content)
		server_terminate_content(i);
	mutex_unlock(&server_admin);
}

void server_admin_end(void)
{
	debugfs_remove(server_dentry);
	server_admin_terminate();
	xa_destroy(&server_contents);
	xa_destroy(&server_sessions);
	xa_destroy(&server_members);
}
