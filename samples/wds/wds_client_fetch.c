// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread of a transport client, which fetches the file.
 *
 * The thread does one step in each call through the slot: it joins, or reads a chunk, or leaves.
 * Between the calls it writes, truncates and syncs its file, so no server waits for the client's
 * disk. If the slot has another server than before, the thread joins there. It goes on where it
 * was, if that server has the same content, and begins again otherwise.
 *
 * A deferred pair is offered again when something happens. If nothing does, the thread waits for
 * a server in vain, and calls nmr_client_reoffer().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "wds_client.h"

#define CLIENT_END	1	/* no server is needed any more */

/* Steps in a call */

/* Forget the server that the client had, if another one is in the slot. */
static void client_meet(u64 binding)
{
	spin_lock(&client_lock);
	if (binding != job.binding) {
		job.binding = binding;
		job.out = false;
		job.id = 0;
		job.wants = WDS_DISCONNECT_UNKNOWN;
		if (job.status == CLIENT_JOINED)
			job.status = CLIENT_WAITING;
	}
	spin_unlock(&client_lock);
}

/* Begin the file again if this server has another content of the name. */
static void client_compare(u64 size, const u8 *digest)
{
	bool same = size == job.size && !memcmp(digest, job.digest, SHA256_DIGEST_SIZE);

	memcpy(job.digest, digest, SHA256_DIGEST_SIZE);
	job.restart = job.done && !same;
	spin_lock(&client_lock);
	job.size = size;
	if (job.done && same)
		job.resumes++;
	spin_unlock(&client_lock);
}

static int client_join(const struct nmr_call *call)
{
	const struct wds_server_dispatch *server = call->dispatch;
	u8 digest[SHA256_DIGEST_SIZE];
	struct wds_session_info info;
	u32 session, id;
	int err;

	err = server->find(call->context, content, &session);
	if (err)
		return err;
	err = server->join(call->context, session, &id);
	if (err == -EPERM)
		job.wants = WDS_DISCONNECT_ABORT;
	if (err)
		return err;
	spin_lock(&client_lock);
	job.session = session;
	job.id = id;
	job.joins++;
	job.status = CLIENT_JOINED;
	spin_unlock(&client_lock);
	job.got = 0;
	job.joined_ns = ktime_get_ns();
	job.ran_ns = current->se.sum_exec_runtime;
	err = server->info(call->context, session, &info);
	if (!err)
		err = server->checksum(call->context, id, digest);
	if (!err)
		client_compare(info.size, digest);
	return err;
}

static int client_report(const struct nmr_call *call)
{
	const struct wds_server_dispatch *server = call->dispatch;
	u64 ns = ktime_get_ns() - job.joined_ns + 1;
	u64 ran = current->se.sum_exec_runtime - job.ran_ns;
	struct wds_progress progress;
	struct sysinfo memory;

	si_meminfo(&memory);
	progress.percent = job.size ? div64_u64(job.done * 100, job.size) : 100;
	progress.cpu = min_t(u64, div64_u64(ran * 100, ns), 100);
	progress.memory = 100 - memory.freeram * 100 / memory.totalram;
	progress.network = mul_u64_u64_div_u64(job.got, NSEC_PER_SEC, ns);
	return server->report(call->context, job.id, &progress);
}

/* Leave the session: the client has all bytes, or cannot write them. */
static int client_leave(const struct nmr_call *call)
{
	const struct wds_server_dispatch *server = call->dispatch;

	client_report(call);
	server->leave(call->context, job.id);
	spin_lock(&client_lock);
	job.id = 0;
	spin_unlock(&client_lock);
	return CLIENT_END;
}

/*
 * Compare the checksum of all bytes. If they came from this server alone, and are wrong, the
 * server's file is not what it was, and the client never tries the server again.
 */
static int client_finish(const struct nmr_call *call)
{
	struct sha256_ctx state = job.state;
	u8 digest[SHA256_DIGEST_SIZE];

	sha256_final(&state, digest);
	if (!memcmp(digest, job.digest, SHA256_DIGEST_SIZE))
		return client_leave(call);
	job.restart = true;
	if (job.got == job.size)
		job.wants = WDS_DISCONNECT_ABORT;
	return -EBADMSG;
}

static int client_read(const struct nmr_call *call)
{
	const struct wds_server_dispatch *server = call->dispatch;
	ssize_t got;
	int err;

	err = client_report(call);
	if (err)
		return err;
	got = server->read(call->context, job.id, job.done, job.buffer, chunk);
	if (got < 0)
		return got;
	job.filled = got;
	job.got += got;
	return 0;
}

/* Do one step. Return: 0, CLIENT_END, or an error of this server. */
static int client_step(const struct nmr_call *call)
{
	client_meet(nmr_binding_id(call->binding));
	if (job.status == CLIENT_FAILED)
		return client_leave(call);
	if (job.wants) {
		client_leave_server(call->binding, job.wants);
		return 0;
	}
	if (!job.id)
		return client_join(call);
	return job.done == job.size ? client_finish(call) : client_read(call);
}

/* What the thread does between calls */

static void client_fail(int err)
{
	spin_lock(&client_lock);
	job.error = err;
	job.status = CLIENT_FAILED;
	spin_unlock(&client_lock);
}

/* Write the chunk that was read. */
static void client_store(void)
{
	loff_t pos = job.done;
	ssize_t put;

	put = kernel_write(job.file, job.buffer, job.filled, &pos);
	if (put != job.filled) {
		client_fail(put < 0 ? put : -EIO);
	} else {
		sha256_update(&job.state, job.buffer, job.filled);
		spin_lock(&client_lock);
		job.done += put;
		spin_unlock(&client_lock);
	}
	job.filled = 0;
}

/* Begin the file again. What was written counts until the file is empty. */
static void client_restart(void)
{
	int err = vfs_truncate(&job.file->f_path, 0);

	job.restart = false;
	if (err) {
		client_fail(err);
		return;
	}
	sha256_init(&job.state);
	spin_lock(&client_lock);
	job.done = 0;
	job.restarts++;
	spin_unlock(&client_lock);
}

/* The client has all bytes. They must be on the disk, and nothing else in the file. */
static void client_conclude(void)
{
	int err = vfs_fsync(job.file, 0);

	if (!err && i_size_read(file_inode(job.file)) != job.size)
		err = -EIO;
	if (err) {
		client_fail(err);
		return;
	}
	spin_lock(&client_lock);
	job.status = CLIENT_DONE;
	spin_unlock(&client_lock);
}

/* Test whether the client is joined no more, because of an upcall or a detach. */
static bool client_is_out(void)
{
	return READ_ONCE(job.out);
}

/*
 * Pause after an error, and then leave for another server. If the client is disconnected or
 * detached meanwhile, the error was a consequence of that.
 */
static void client_pause(int err)
{
	wait_event_freezable_timeout(client_wait, client_is_out() || kthread_should_stop(),
				     client_retry());
	if (client_is_out())
		return;
	if (!job.wants)
		job.wants = WDS_DISCONNECT_FALLBACK;
	spin_lock(&client_lock);
	job.error = err;
	spin_unlock(&client_lock);
}

/* Do what a step has left to do. @err is what the step returned. */
static void client_settle(int err)
{
	if (job.filled)
		client_store();
	if (job.restart)
		client_restart();
	if (job.status == CLIENT_FAILED)
		return;
	if (err == CLIENT_END)
		client_conclude();
	if (err < 0)
		client_pause(err);
}

int client_thread(void *arg)
{
	const struct nmr_slot *slot = arg;
	struct nmr_call call;
	int err = 0;

	set_freezable();
	while (err != CLIENT_END) {
		try_to_freeze();
		err = nmr_slot_enter_wait(slot, &call, client_retry());
		if (err == -ETIMEDOUT && job.status != CLIENT_FAILED) {
			nmr_client_reoffer(client_handle);
			continue;
		}
		if (err)
			break;
		err = client_step(&call);
		nmr_slot_exit(&call);
		client_settle(err);
		cond_resched();
	}
	wait_event_freezable(client_wait, kthread_should_stop());
	return 0;
}
