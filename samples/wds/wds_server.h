/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of a transport server. wds_core.c has the NPI, and wds_admin.c what an administrator
 * does.
 *
 * Locks:
 *
 *   server_admin  mutex, outermost. It lets one command run at a time. It is held across
 *		   upcalls.
 *   server_lock   mutex, innermost. It protects all objects. It is not held across an upcall,
 *		   nor while a file is read.
 */
#ifndef _WDS_SERVER_H
#define _WDS_SERVER_H

#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include "../compat.h"
#include "wds_npi.h"

struct server_content {
	u32		id;
	u64		size;
	struct file	*file;
	u8		digest[SHA256_DIGEST_SIZE];
	char		name[WDS_NAME_SIZE];
};

struct server_session {
	u32			id;
	struct server_content	*content;
	ktime_t			since;
	u64			sent;	/* bytes */
	char			device[IFNAMSIZ];
	u8			mac[ETH_ALEN];
};

/* The server's half of a binding */
struct server_peer {
	u64			binding;	/* its number */
	bool			aborted;	/* it must not join again */
	bool			detached;
	char			name[WDS_NAME_SIZE];
	struct sockaddr_storage	address;
	u8			mac[ETH_ALEN];
	kuid_t			user;
};

/* A client that has joined a session */
struct server_member {
	u32			id;
	struct server_peer	*peer;
	struct server_session	*session;
	ktime_t			since;
	struct wds_progress	progress;
};

extern struct mutex server_lock;
extern struct xarray server_contents;
extern struct xarray server_sessions;
extern struct xarray server_members;
extern struct nmr_provider_handle server_handle;

/* Free a member, which the caller has found. Must be called with server_lock held. */
void server_remove_member(struct server_member *member);

/* Return: the number of the first client of @session, or 0. Must be called with server_lock. */
u32 server_master(const struct server_session *session);

/* Return: bytes per second. Must be called with server_lock held. */
u64 server_rate(const struct server_session *session);

/* Open the content at @path, if it is not empty, and make the files in debugfs. */
int server_admin_begin(const char *path);

/* End all contents, and tell each client that has joined a session. */
void server_admin_terminate(void);

/* Remove the files in debugfs, and close all contents. */
void server_admin_end(void);

#endif /* _WDS_SERVER_H */
