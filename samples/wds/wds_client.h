/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two halves of a transport client share. wds_client_core.c has the bindings and the
 * module, and wds_client_fetch.c has the thread that fetches the file.
 *
 * Locks:
 *
 *   client_lock  spinlock, task context, innermost. It protects what callbacks, upcalls and the
 *		  thread share, and what debugfs shows.
 */
#ifndef _WDS_CLIENT_H
#define _WDS_CLIENT_H

#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "../compat.h"
#include "wds_npi.h"

enum client_status { CLIENT_WAITING, CLIENT_JOINED, CLIENT_DONE, CLIENT_FAILED };

/* The transfer. Only the thread uses the first part. */
struct client_job {
	struct file		*file;
	u8			*buffer;
	size_t			filled;		/* bytes in @buffer to write */
	bool			restart;	/* the file has to be begun again */
	struct sha256_ctx	state;		/* of what was written */
	u8			digest[SHA256_DIGEST_SIZE];
	enum wds_disconnect_type wants;		/* how to leave this server, if it has to */
	u64			got;		/* bytes, since the client joined */
	u64			joined_ns, ran_ns;
	/* The rest is protected by client_lock. */
	enum client_status	status;
	u64			binding;	/* of the server that the client knows */
	bool			out;		/* of the session: by an upcall or a detach */
	u32			session, id;	/* 0: not joined */
	u64			size, done;
	int			error;		/* the last one */
	ulong			joins, resumes, restarts;
	ulong			upcalls[WDS_DISCONNECT_TYPES];
	ulong			detaches[WDS_DISCONNECT_TYPES];
};

extern struct client_job job;
extern spinlock_t client_lock;
extern struct wait_queue_head client_wait;
extern struct nmr_client_handle client_handle;
extern char *content;
extern uint chunk, retry_ms;

static inline ulong client_retry(void)
{
	return msecs_to_jiffies(max(READ_ONCE(retry_ms), 1u));
}

/* Detach as @type says, and tell the registrar whether to offer the server again. */
void client_leave_server(struct nmr_binding *binding, enum wds_disconnect_type type);

/* Fetch the file from the servers in the slot @arg. The function of a kthread. */
int client_thread(void *arg);

#endif /* _WDS_CLIENT_H */
