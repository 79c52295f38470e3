// SPDX-License-Identifier: GPL-2.0-only
/*
 * A transport server: it sends files to the clients that have joined a session.
 *
 *	insmod wds_server.ko content=/boot/vmlinuz
 *	cd /sys/kernel/debug/wds_server
 *	cat contents sessions clients
 *	echo disconnect 1 fallback > control
 *
 * wds_admin.c describes these files.
 *
 * Authors of providers may note:
 *
 * - The server calls one client by a walk that looks for the number of its binding. Therefore
 *   the server keeps no pointer to a binding.
 * - A client that the server disconnects is not joined any more before it is told. Therefore it
 *   is told once, also if it leaves, or is detached, concurrently.
 * - Detach removes the client from its sessions. A call of join() that is in flight then must
 *   not put it back, so detach leaves a mark.
 * - module_exit() ends the sessions first, because nothing can be told once the binding has
 *   closed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include "wds_server.h"

DEFINE_MUTEX(server_lock);	/* protects all objects */
DEFINE_XARRAY_ALLOC1(server_contents);
DEFINE_XARRAY_ALLOC1(server_sessions);
DEFINE_XARRAY_ALLOC1(server_members);
struct nmr_provider_handle server_handle;
static u32 server_next_member;

static char *content = "";
module_param(content, charp, 0444);
MODULE_PARM_DESC(content, "Path of the first content");

/* Places where a call waits until an administrator releases it */

static DECLARE_WAIT_QUEUE_HEAD(server_wait);
static atomic_t server_calls_held = ATOMIC_INIT(0);
static ulong hold_read, hold_join, hold_joined;

static int server_hold_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_ulong(val, kp);

	wake_up_all(&server_wait);
	return err;
}

static const struct kernel_param_ops server_hold_ops = {
	.set = server_hold_set,
	.get = param_get_ulong,
};

module_param_cb(hold_read, &server_hold_ops, &hold_read, 0644);
MODULE_PARM_DESC(hold_read, "Chunks at this offset, and beyond, do not return (0: all return)");
module_param_cb(hold_join, &server_hold_ops, &hold_join, 0644);
MODULE_PARM_DESC(hold_join, "Calls of join() wait before the client is joined");
module_param_cb(hold_joined, &server_hold_ops, &hold_joined, 0644);
MODULE_PARM_DESC(hold_joined, "Calls of join() wait after the client was joined");
module_param_named(calls_held, server_calls_held.counter, int, 0444);
MODULE_PARM_DESC(calls_held, "Calls that wait now");

static bool server_holds(const ulong *from, u64 offset)
{
	ulong held = READ_ONCE(*from);

	return held && offset >= held;
}

static void server_hold(const ulong *from, u64 offset)
{
	if (!server_holds(from, offset))
		return;
	atomic_inc(&server_calls_held);
	wait_event_idle(server_wait, !server_holds(from, offset));
	atomic_dec(&server_calls_held);
}

/* Members */

/* Return: the member that @peer calls @id, or NULL. Must be called with server_lock held. */
static struct server_member *server_find_member(struct server_peer *peer, u32 id)
{
	struct server_member *member = xa_load(&server_members, id);

	return member && member->peer == peer ? member : NULL;
}

void server_remove_member(struct server_member *member)
{
	xa_erase(&server_members, member->id);
	kfree(member);
}

u32 server_master(const struct server_session *session)
{
	struct server_member *member;
	unsigned long id;

	xa_for_each(&server_members, id, member)
		if (member->session == session)
			return id;
	return 0;
}

static int server_add_member(struct server_peer *peer, u32 session, u32 *id)
{
	struct server_member *member, *other;
	unsigned long i;
	int err;

	if (peer->detached)
		return -ESHUTDOWN;
	if (peer->aborted)
		return -EPERM;
	xa_for_each(&server_members, i, other)
		if (other->peer == peer)
			return -EEXIST;
	member = kzalloc(sizeof(*member), GFP_KERNEL);
	if (!member)
		return -ENOMEM;
	member->peer = peer;
	member->since = ktime_get();
	member->session = xa_load(&server_sessions, session);
	err = -ENOENT;
	if (member->session)
		err = xa_alloc_cyclic(&server_members, &member->id, member, xa_limit_32b,
				      &server_next_member, GFP_KERNEL);
	if (err < 0) {
		kfree(member);
		return err;
	}
	*id = member->id;
	return 0;
}

/* The NPI */

u64 server_rate(const struct server_session *session)
{
	return div64_u64(session->sent * MSEC_PER_SEC,
			 ktime_ms_delta(ktime_get(), session->since) + 1);
}

static int server_op_find(void *context, const char *name, u32 *id)
{
	struct server_session *session;
	unsigned long i;
	int err = -ENOENT;

	if (!*name || strchr(name, '/'))
		return -EINVAL;
	if (strnlen(name, WDS_NAME_SIZE) == WDS_NAME_SIZE)
		return -ENAMETOOLONG;
	mutex_lock(&server_lock);
	xa_for_each(&server_sessions, i, session) {
		if (strcmp(session->content->name, name))
			continue;
		*id = i;
		err = 0;
		break;
	}
	mutex_unlock(&server_lock);
	return err;
}

static int server_op_info(void *context, u32 id, struct wds_session_info *info)
{
	struct server_session *session;

	mutex_lock(&server_lock);
	session = xa_load(&server_sessions, id);
	if (session) {
		*info = (struct wds_session_info) {
			.id = id,
			.content = session->content->id,
			.master = server_master(session),
			.size = session->content->size,
			.rate = server_rate(session),
		};
		strscpy(info->device, session->device, sizeof(info->device));
		ether_addr_copy(info->mac, session->mac);
	}
	mutex_unlock(&server_lock);
	return session ? 0 : -ENOENT;
}

static int server_op_join(void *context, u32 session, u32 *client)
{
	int err;

	server_hold(&hold_join, ULONG_MAX);
	mutex_lock(&server_lock);
	err = server_add_member(context, session, client);
	mutex_unlock(&server_lock);
	if (!err)
		server_hold(&hold_joined, ULONG_MAX);
	return err;
}

static int server_op_leave(void *context, u32 client)
{
	struct server_member *member;

	mutex_lock(&server_lock);
	member = server_find_member(context, client);
	if (member)
		server_remove_member(member);
	mutex_unlock(&server_lock);
	return member ? 0 : -ENOENT;
}

static int server_op_report(void *context, u32 client, const struct wds_progress *progress)
{
	struct server_member *member;

	if (progress->percent > 100 || progress->cpu > 100 || progress->memory > 100)
		return -EINVAL;
	mutex_lock(&server_lock);
	member = server_find_member(context, client);
	if (member)
		member->progress = *progress;
	mutex_unlock(&server_lock);
	return member ? 0 : -ENOENT;
}

/* Read from @file, of which a client may read @size bytes. Return: as the read() of the NPI */
static ssize_t server_read_file(struct file *file, u64 size, loff_t offset, void *buffer,
				size_t len)
{
	ssize_t got;

	if (!len || len > WDS_CHUNK_MAX || offset < 0 || offset > size)
		return -EINVAL;
	len = min_t(u64, len, size - offset);
	if (!len)
		return 0;
	got = kernel_read(file, buffer, len, &offset);
	return got ?: -ESTALE;
}

/*
 * The file stays open during the call, also if an administrator ends the content meanwhile. The
 * session may end, so the call looks for it again.
 */
static ssize_t server_op_read(void *context, u32 client, loff_t offset, void *buffer, size_t len)
{
	struct server_session *session;
	struct server_member *member;
	struct file *file = NULL;
	u64 size = 0;
	u32 id = 0;
	ssize_t got;

	mutex_lock(&server_lock);
	member = server_find_member(context, client);
	if (member) {
		id = member->session->id;
		size = member->session->content->size;
		file = get_file(member->session->content->file);
	}
	mutex_unlock(&server_lock);
	if (!file)
		return -ENOENT;
	server_hold(&hold_read, offset);
	got = server_read_file(file, size, offset, buffer, len);
	fput(file);
	mutex_lock(&server_lock);
	session = xa_load(&server_sessions, id);
	if (session && got > 0)
		session->sent += got;
	mutex_unlock(&server_lock);
	return got;
}

static int server_op_checksum(void *context, u32 client, u8 digest[SHA256_DIGEST_SIZE])
{
	struct server_member *member;

	mutex_lock(&server_lock);
	member = server_find_member(context, client);
	if (member)
		memcpy(digest, member->session->content->digest, SHA256_DIGEST_SIZE);
	mutex_unlock(&server_lock);
	return member ? 0 : -ENOENT;
}

static const struct wds_server_dispatch server_dispatch = {
	.find		= server_op_find,
	.info		= server_op_info,
	.join		= server_op_join,
	.leave		= server_op_leave,
	.report		= server_op_report,
	.read		= server_op_read,
	.checksum	= server_op_checksum,
};

/* The life of a binding */

static int server_check_identity(const struct wds_client_identity *client)
{
	const char *p;

	if (!client || client->version != WDS_VERSION)
		return -ENODEV;
	if (!client->name || !*client->name)
		return -EINVAL;
	if (strnlen(client->name, WDS_NAME_SIZE) == WDS_NAME_SIZE)
		return -ENAMETOOLONG;
	for (p = client->name; *p; p++)
		if (!isascii(*p) || !isgraph(*p) || *p == '/')
			return -EINVAL;
	if (client->address.ss_family != AF_INET && client->address.ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	return is_multicast_ether_addr(client->mac) ? -EINVAL : 0;
}

static int server_attach_client(struct nmr_binding *binding, void *context,
				const struct nmr_registration_instance *instance,
				const struct nmr_endpoint *client, struct nmr_endpoint *provider)
{
	const struct wds_client_identity *identity = instance->npi_specific;
	struct server_peer *peer;
	const struct wds_client_dispatch *dispatch = client->dispatch;
	int err = dispatch && dispatch->disconnected ? server_check_identity(identity) : -EINVAL;

	if (err)
		return err;
	peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return -EPROBE_DEFER;	/* There may be memory later. */
	peer->binding = nmr_binding_id(binding);
	strscpy(peer->name, identity->name, sizeof(peer->name));
	peer->address = identity->address;
	ether_addr_copy(peer->mac, identity->mac);
	peer->user = identity->user;
	provider->binding_context = peer;
	return 0;
}

static int server_detach_client(void *context, enum nmr_detach_reason reason)
{
	struct server_peer *peer = context;
	struct server_member *member;
	unsigned long id;

	mutex_lock(&server_lock);
	peer->detached = true;
	xa_for_each(&server_members, id, member)
		if (member->peer == peer)
			server_remove_member(member);
	mutex_unlock(&server_lock);
	return 0;
}

static void server_cleanup(void *context)
{
	kfree(context);
}

static const guid_t server_module_id = NMR_GUID("5df4bacb-ae31-45fe-9117-aa70b50995ca");

static const struct wds_server_identity server_identity = {
	.version = WDS_VERSION, .name = KBUILD_MODNAME,
};

static const struct nmr_provider_characteristics server_characteristics = {
	.attach_client		 = server_attach_client,
	.detach_client		 = server_detach_client,
	.cleanup_binding_context = server_cleanup,
	.instance		 = {
		.npi_id		= &wds_npi_id,
		.module_id	= &server_module_id,
		.npi_specific	= &server_identity,
	},
	.endpoint		 = { .dispatch = &server_dispatch },
};

static int __init server_init(void)
{
	int err = server_admin_begin(content);

	if (!err)
		err = nmr_register_provider(&server_characteristics, NULL, &server_handle);
	if (err)
		server_admin_end();
	return err;
}
module_init(server_init);

static void __exit server_exit(void)
{
	server_admin_terminate();
	nmr_deregister_provider_sync(server_handle);
	server_admin_end();
}
module_exit(server_exit);

MODULE_NMR_PROVIDER(WDS_NPI_GUID);
MODULE_NMR_INTERFACE(WDS_NPI_GUID, "wds");
MODULE_DESCRIPTION("NMR sample: a server of transport sessions");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
