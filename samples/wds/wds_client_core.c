// SPDX-License-Identifier: GPL-2.0-only
/*
 * A transport client: it fetches one file, from one server after the other if need be.
 *
 *	insmod wds_client.ko content=vmlinuz dest=/tmp/vmlinuz
 *	cat /sys/kernel/debug/wds_client
 *
 * A thread joins a session of the content at the server that is in the client's slot, and reads
 * chunk after chunk, see wds_client_fetch.c. If the server disconnects the client with
 * "fallback", the client detaches from the server with NMR_DETACH_FALLBACK, and the registrar
 * offers the next one. After "abort" it detaches with NMR_DETACH_ABORT: the registrar never
 * offers this server again. An administrator does the same from outside:
 *
 *	echo fallback > /sys/kernel/nmr/bindings/N/detach
 *
 * Authors of clients may note:
 *
 * - The upcall detaches. While the server is in the upcall, the binding is valid, so the client
 *   hands it over as its binding context. The first reason to detach wins, so an upcall that
 *   only left a note for the thread could lose to another reason.
 * - If "fallback" has won before "abort" arrives, the registrar offers the pair once more. The
 *   client remembers the server, and its attach callback declines.
 * - The upcall may come before join() has returned the number that it is for.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/etherdevice.h>
#include <linux/in.h>
#include <linux/inetdevice.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/nsproxy.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "wds_client.h"

static const char * const client_names[] = { "waiting", "joined", "done", "failed" };

char *content = "";
module_param(content, charp, 0444);
MODULE_PARM_DESC(content, "Name of the content to fetch");

static char *dest = "";
module_param(dest, charp, 0444);
MODULE_PARM_DESC(dest, "Path of the file to write");

static char *name = KBUILD_MODNAME;
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "Name that the servers are told");

static char *dev = "lo";
module_param(dev, charp, 0444);
MODULE_PARM_DESC(dev, "Network device, of which the servers are told the addresses");

uint chunk = SZ_16K;
module_param(chunk, uint, 0444);
MODULE_PARM_DESC(chunk, "Bytes to read at a time");

uint retry_ms = 1000;
module_param(retry_ms, uint, 0644);
MODULE_PARM_DESC(retry_ms, "Milliseconds between two attempts");

/* A server that the client is attached to, or that it never attaches to again */
struct client_peer {
	struct list_head	list;
	struct nmr_binding	*binding;
	bool			aborted;	/* by an upcall */
	enum nmr_detach_reason	reason;
	char			name[WDS_NAME_SIZE];
};

struct client_job job;
DEFINE_SPINLOCK(client_lock);
DECLARE_WAIT_QUEUE_HEAD(client_wait);
static LIST_HEAD(client_aborted);	/* protected by client_lock */
struct nmr_client_handle client_handle;
static struct task_struct *client_task;
static struct dentry *client_dentry;
DEFINE_NMR_SLOT(client_slot);

/* A place where an upcall waits until an administrator releases it */

static atomic_t client_calls_held = ATOMIC_INIT(0);
static bool hold_upcall;

static int client_hold_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_bool(val, kp);

	wake_up_all(&client_wait);
	return err;
}

static const struct kernel_param_ops client_hold_ops = {
	.set = client_hold_set,
	.get = param_get_bool,
};

module_param_cb(hold_upcall, &client_hold_ops, &hold_upcall, 0644);
MODULE_PARM_DESC(hold_upcall, "Upcalls wait before the client heeds them");
module_param_named(calls_held, client_calls_held.counter, int, 0444);
MODULE_PARM_DESC(calls_held, "Upcalls that wait now");

static void client_hold(void)
{
	if (!READ_ONCE(hold_upcall))
		return;
	atomic_inc(&client_calls_held);
	wait_event_idle(client_wait, !READ_ONCE(hold_upcall));
	atomic_dec(&client_calls_held);
}

/* Upcall */

void client_leave_server(struct nmr_binding *binding, enum wds_disconnect_type type)
{
	nmr_detach_binding(binding, type == WDS_DISCONNECT_ABORT ? NMR_DETACH_ABORT :
								   NMR_DETACH_FALLBACK);
}

/* The client joins once for each binding, so the upcall is for the number that it has. */
static void client_disconnected(void *context, u32 id, enum wds_disconnect_type type)
{
	struct client_peer *peer = context;

	client_hold();
	spin_lock(&client_lock);
	job.out = true;
	job.upcalls[type]++;
	if (type == WDS_DISCONNECT_ABORT)
		peer->aborted = true;
	spin_unlock(&client_lock);
	client_leave_server(peer->binding, type);
	wake_up(&client_wait);
}

static const struct wds_client_dispatch client_dispatch = {
	.disconnected = client_disconnected,
};

/* The life of a binding */

/* Test for a server that was aborted. The pair counts as declined then, so forget the server. */
static bool client_declines(const char *name)
{
	struct client_peer *peer, *found = NULL;
	bool aborted;

	spin_lock(&client_lock);
	list_for_each_entry(peer, &client_aborted, list)
		if (!strcmp(peer->name, name))
			found = peer;
	aborted = found;
	if (aborted)
		list_del(&found->list);
	spin_unlock(&client_lock);
	kfree(found);
	return aborted;
}

static int client_attach_provider(struct nmr_binding *binding, void *context,
				  const struct nmr_registration_instance *provider)
{
	const struct wds_server_identity *server = provider->npi_specific;
	struct nmr_endpoint me = { .dispatch = &client_dispatch };
	struct client_peer *peer;
	int err;

	if (!server || server->version != WDS_VERSION || client_declines(server->name))
		return -ENODEV;
	peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return -EPROBE_DEFER;	/* There may be memory later. */
	peer->binding = binding;
	strscpy(peer->name, server->name, sizeof(peer->name));
	me.binding_context = peer;
	err = nmr_client_attach_provider(binding, &me, NULL);
	if (err)
		kfree(peer);
	return err;
}

static int client_detach_provider(void *context, enum nmr_detach_reason reason)
{
	enum wds_disconnect_type type = WDS_DISCONNECT_UNKNOWN;
	struct client_peer *peer = context;

	if (reason == NMR_DETACH_FALLBACK)
		type = WDS_DISCONNECT_FALLBACK;
	if (reason == NMR_DETACH_ABORT)
		type = WDS_DISCONNECT_ABORT;
	peer->reason = reason;
	spin_lock(&client_lock);
	job.out = true;
	job.detaches[type]++;
	spin_unlock(&client_lock);
	wake_up(&client_wait);
	return 0;
}

/* No upcall is in flight any more. After NMR_DETACH_FALLBACK the pair will be offered again. */
static void client_cleanup(void *context)
{
	struct client_peer *peer = context;

	if (!peer->aborted || peer->reason != NMR_DETACH_FALLBACK) {
		kfree(peer);
		return;
	}
	spin_lock(&client_lock);
	list_add(&peer->list, &client_aborted);
	spin_unlock(&client_lock);
}

/* What debugfs shows */

static int client_show(struct seq_file *m, void *unused)
{
	spin_lock(&client_lock);
	seq_printf(m, "status %s\nbinding %llu\nsession %u\nclient %u\n",
		   client_names[job.status], job.binding, job.session, job.id);
	seq_printf(m, "size %llu\ndone %llu\nerror %d\n", job.size, job.done, job.error);
	seq_printf(m, "joins %lu\nresumes %lu\nrestarts %lu\n", job.joins, job.resumes,
		   job.restarts);
	seq_printf(m, "upcalls %lu %lu %lu\ndetaches %lu %lu %lu\n", job.upcalls[0],
		   job.upcalls[1], job.upcalls[2], job.detaches[0], job.detaches[1],
		   job.detaches[2]);
	spin_unlock(&client_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(client);

/* The module */

static struct wds_client_identity client_identity = { .version = WDS_VERSION };

static const guid_t client_module_id = NMR_GUID("ee0b2546-0f81-4edb-b9d4-15a32caedcf7");

static const struct nmr_client_characteristics client_characteristics = {
	.attach_provider	 = client_attach_provider,
	.detach_provider	 = client_detach_provider,
	.cleanup_binding_context = client_cleanup,
	.slot			 = &client_slot,
	.instance		 = {
		.npi_id		= &wds_npi_id,
		.module_id	= &client_module_id,
		.npi_specific	= &client_identity,
	},
};

/* Take the addresses of a network device, in the network namespace of insmod. */
static int __init client_identify(void)
{
	struct sockaddr_in *address = (struct sockaddr_in *)&client_identity.address;
	struct net_device *device;

	device = dev_get_by_name(current->nsproxy->net_ns, dev);
	if (!device)
		return -ENODEV;
	if (device->addr_len == ETH_ALEN)
		memcpy(client_identity.mac, device->dev_addr, ETH_ALEN);
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = inet_select_addr(device, 0, RT_SCOPE_HOST);
	dev_put(device);
	client_identity.name = name;
	client_identity.user = current_uid();
	return 0;
}

/* Open the file. It must be a regular one: writing to a FIFO would block. */
static int __init client_open_dest(void)
{
	job.file = filp_open(dest, O_WRONLY | O_CREAT | O_TRUNC | O_LARGEFILE | O_NONBLOCK, 0600);
	if (IS_ERR(job.file))
		return PTR_ERR(job.file);
	return S_ISREG(file_inode(job.file)->i_mode) ? 0 : -EINVAL;
}

static int __init client_prepare(void)
{
	int err = client_identify();

	if (!err)
		err = client_open_dest();
	if (err)
		return err;
	sha256_init(&job.state);
	job.buffer = kmalloc(chunk, GFP_KERNEL);
	if (!job.buffer)
		return -ENOMEM;
	client_task = kthread_create(client_thread, (void *)&client_slot, KBUILD_MODNAME);
	return PTR_ERR_OR_ZERO(client_task);
}

/* Undo client_prepare(), as far as it got. The client must not be registered. */
static void client_free(void)
{
	struct client_peer *peer, *next;

	if (!IS_ERR_OR_NULL(client_task))
		kthread_stop(client_task);
	if (!IS_ERR_OR_NULL(job.file))
		filp_close(job.file, NULL);
	kfree(job.buffer);
	list_for_each_entry_safe(peer, next, &client_aborted, list)
		kfree(peer);
}

static int __init client_init(void)
{
	int err = -EINVAL;

	if (chunk && chunk <= WDS_CHUNK_MAX)
		err = client_prepare();
	if (!err)
		err = nmr_register_client(&client_characteristics, NULL, &client_handle);
	if (err) {
		client_free();
		return err;
	}
	client_dentry = debugfs_create_file(KBUILD_MODNAME, 0444, NULL, NULL, &client_fops);
	wake_up_process(client_task);
	return 0;
}
module_init(client_init);

static void __exit client_exit(void)
{
	nmr_deregister_client_sync(client_handle);
	debugfs_remove(client_dentry);
	client_free();
}
module_exit(client_exit);

MODULE_NMR_INTERFACE(WDS_NPI_GUID, "wds");
MODULE_DESCRIPTION("NMR sample: a client that fetches a file from transport servers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
