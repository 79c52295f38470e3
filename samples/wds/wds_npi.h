/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The NPI of transport sessions: what a transport server and its clients have to agree on.
 *
 * A server has contents, which are files. A session transfers one content. A client joins a
 * session, reads the content in chunks, at its own pace, and reports its progress. It leaves,
 * or the server disconnects it, with a type that says what to do next.
 */
#ifndef _WDS_NPI_H
#define _WDS_NPI_H

#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/nmr.h>
#include <linux/sizes.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <crypto/sha2.h>

#define WDS_NPI_GUID	"b386750e-67f9-4a8e-9c3a-d528df48916e"

static const guid_t wds_npi_id __maybe_unused = NMR_GUID(WDS_NPI_GUID);

#define WDS_VERSION	1
#define WDS_NAME_SIZE	64	/* of a name with its NUL */
#define WDS_CHUNK_MAX	SZ_64K

/**
 * enum wds_disconnect_type - what a client does that is disconnected
 * @WDS_DISCONNECT_UNKNOWN:  The server has gone, and has not said why: a binding was detached.
 *			     No server may pass this value.
 * @WDS_DISCONNECT_FALLBACK: leave, and try another server; this one is welcome again later
 * @WDS_DISCONNECT_ABORT:    leave, and never try this server again
 */
enum wds_disconnect_type {
	WDS_DISCONNECT_UNKNOWN	= 0,
	WDS_DISCONNECT_FALLBACK	= 1,
	WDS_DISCONNECT_ABORT	= 2,
};

#define WDS_DISCONNECT_TYPES	3

/**
 * struct wds_server_identity - NPI-specific characteristics of a server
 * @version: WDS_VERSION
 * @name:    name of the server
 */
struct wds_server_identity {
	u32		version;
	const char	*name;
};

/**
 * struct wds_client_identity - NPI-specific characteristics of a client
 * @version: WDS_VERSION
 * @name:    name of the client's machine: 1 to 63 bytes, printable, without a slash
 * @address: IP address, of the family AF_INET or AF_INET6
 * @mac:     MAC address of the client's network device; no group address
 * @user:    the user that runs the client
 *
 * The server reads them in its attach callback. If they are wrong, the attach fails with
 * %-ENODEV (@version), %-EINVAL (@name, @mac), %-ENAMETOOLONG (@name) or %-EAFNOSUPPORT
 * (@address).
 */
struct wds_client_identity {
	u32			version;
	const char		*name;
	struct sockaddr_storage	address;
	u8			mac[ETH_ALEN];
	kuid_t			user;
};

/**
 * struct wds_session_info - what a client may know of a session
 * @id:		number of the session
 * @content:	number of the content
 * @master:	number of the client that joined first of those that are joined; 0 if none is
 * @size:	size of the content in bytes
 * @rate:	transfer rate: bytes sent per second since the session began
 * @device:	name of the server's network device
 * @mac:	its MAC address
 */
struct wds_session_info {
	u32	id;
	u32	content;
	u32	master;
	u64	size;
	u64	rate;
	char	device[IFNAMSIZ];
	u8	mac[ETH_ALEN];
};

/**
 * struct wds_progress - what a client reports
 * @percent: part of the content that the client has, 0 to 100
 * @cpu:     part of its time since it joined that the client's thread ran, 0 to 100
 * @memory:  part of the machine's memory that is in use, 0 to 100
 * @network: bytes that the client received per second
 */
struct wds_progress {
	u8	percent;
	u8	cpu;
	u8	memory;
	u64	network;
};

/**
 * struct wds_server_dispatch - functions of a server
 * @find:     Look for a session of the content @name, and store its number. Return: 0,
 *	      %-EINVAL (@name is empty or has a slash), %-ENAMETOOLONG (@name has 64 bytes or
 *	      more) or %-ENOENT (there is none).
 * @info:     Describe a session. Return: 0 or %-ENOENT (no such session).
 * @join:     Join a session, and store the number of the client in it. The upcall
 *	      disconnected() may arrive before this returns. A client that joins in its attach
 *	      callback would miss it, because the server cannot call the client yet. Return: 0,
 *	      %-EPERM (the client was disconnected with %WDS_DISCONNECT_ABORT), %-ENOENT (no
 *	      such session), %-EEXIST (the client is joined already), %-ESHUTDOWN (the server
 *	      is leaving the client), %-ENOMEM, or %-EBUSY (no number is free).
 * @leave:    Leave the session. Return: 0 or %-ENOENT (see below).
 * @report:   Report progress. Return: 0, %-EINVAL (more than 100 percent) or %-ENOENT.
 * @read:     Copy a chunk of the content. Return: the number of bytes; 0 if @offset is the end;
 *	      %-EINVAL (@offset is beyond the end, or @len is 0 or above WDS_CHUNK_MAX),
 *	      %-ENOENT, %-ESTALE (the file has become shorter), or an error of the file system.
 *	      The function may sleep.
 * @checksum: Store the SHA-256 that the content had when the server opened it. Return: 0 or
 *	      %-ENOENT.
 *
 * The parameter context is the server's binding context. The parameter client is a number that
 * join() stored, for the same binding. %-ENOENT says that the client is not joined, or not any
 * more, by this number. The server does not issue a number again soon.
 */
struct wds_server_dispatch {
	int	(*find)(void *context, const char *name, u32 *session);
	int	(*info)(void *context, u32 session, struct wds_session_info *info);
	int	(*join)(void *context, u32 session, u32 *client);
	int	(*leave)(void *context, u32 client);
	int	(*report)(void *context, u32 client, const struct wds_progress *progress);
	ssize_t	(*read)(void *context, u32 client, loff_t offset, void *buffer, size_t len);
	int	(*checksum)(void *context, u32 client, u8 digest[SHA256_DIGEST_SIZE]);
};

/**
 * struct wds_client_dispatch - functions of a client
 * @disconnected: Note that the server has disconnected the client, which is not joined any
 *		  more. The server calls this once for each number that it disconnects, without
 *		  a lock. The client must not wait for a call of its own.
 *
 * If the binding is detached, there is no upcall: that is %WDS_DISCONNECT_UNKNOWN.
 */
struct wds_client_dispatch {
	void	(*disconnected)(void *context, u32 client, enum wds_disconnect_type type);
};

#endif /* _WDS_NPI_H */
