// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that mprctl makes by hand: a list that stops in the middle, and lists in one process
 * while another one disconnects. The processes share the socket.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nmr_mpr.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ynl.h"
#include "mprctl.h"

static union {
	struct nlmsghdr	header;
	char		bytes[65536];
} reply;

static char names[65536];	/* of the interfaces in the replies, each behind a space */

/* Find an attribute among others. Return: NULL if there is none. */
static struct nlattr *find(void *from, void *end, int type)
{
	struct nlattr *attr = from;

	while ((char *)attr + NLA_HDRLEN <= (char *)end && attr->nla_len >= NLA_HDRLEN) {
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		attr = (struct nlattr *)((char *)attr + NLA_ALIGN(attr->nla_len));
	}
	return NULL;
}

/* Note the name of an interface, if the message has one. */
static void note_name(struct nlmsghdr *h)
{
	size_t used = strlen(names);
	struct nlattr *attr;

	attr = find((char *)NLMSG_DATA(h) + GENL_HDRLEN, (char *)h + h->nlmsg_len, NMR_MPR_A_INFO);
	if (attr)
		attr = find((char *)attr + NLA_HDRLEN, (char *)attr + attr->nla_len,
			    NMR_MPR_A_IF_INFO_NAME);
	if (attr)
		snprintf(names + used, sizeof(names) - used, " %s", (char *)attr + NLA_HDRLEN);
}

/*
 * Read one part of an answer, and note its names. Return: 1 if there are more parts, or else the
 * errno, 0 or below.
 */
int raw_receive(int fd)
{
	ssize_t size = recv(fd, &reply, sizeof(reply), MSG_TRUNC);
	struct nlmsghdr *h = &reply.header;

	if (size < 0)
		return -errno;
	if ((size_t)size > sizeof(reply))
		return -EMSGSIZE;
	for (; NLMSG_OK(h, (size_t)size); h = NLMSG_NEXT(h, size)) {
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
			return *(int *)NLMSG_DATA(h);
		note_name(h);
	}
	return 1;
}

/* Send a request that has the number of a connection, and nothing else. */
static int request(struct ynl_sock *ys, int cmd, int flags, unsigned int server)
{
	struct {
		struct nlmsghdr		header;
		struct genlmsghdr	genl;
		struct nlattr		attr;
		unsigned int		server;
	} message = {
		.header = {
			.nlmsg_len	= sizeof(message),
			.nlmsg_type	= ys->family_id,
			.nlmsg_flags	= NLM_F_REQUEST | flags,
			.nlmsg_seq	= 1,
		},
		.genl	= { .cmd = cmd, .version = NMR_MPR_FAMILY_VERSION },
		.attr	= {
			.nla_len	= NLA_HDRLEN + sizeof(server),
			.nla_type	= NMR_MPR_A_SERVER,
		},
		.server	= server,
	};

	if (send(ynl_socket_get_fd(ys), &message, sizeof(message), 0) < 0)
		return -errno;
	return 0;
}

int raw_begin(struct ynl_sock *ys, unsigned int server)
{
	int err = request(ys, NMR_MPR_CMD_INTERFACE_LIST, NLM_F_DUMP, server);

	names[0] = '\0';
	if (!err)
		err = raw_receive(ynl_socket_get_fd(ys));
	printf("%d%s\n", err, names);
	return err < 0;
}

int raw_end(struct ynl_sock *ys)
{
	int parts = 1, err;

	names[0] = '\0';
	do {
		err = raw_receive(ynl_socket_get_fd(ys));
		parts++;
	} while (err > 0);
	printf("%d %d%s\n", err, parts, names);
	return err < 0;
}

/* Read what has come, whatever it is. The kernel may have dropped some of it. */
static void drain(int fd)
{
	while (recv(fd, &reply, sizeof(reply), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
}

/* List the interfaces by each connection until the other process has disconnected it. */
static void list_all(struct ynl_sock *ys, unsigned int last, atomic_uint *listed,
		     atomic_uint *disconnected)
{
	while (*disconnected < last) {
		request(ys, NMR_MPR_CMD_INTERFACE_LIST, NLM_F_DUMP, *disconnected + 1);
		++*listed;
		drain(ynl_socket_get_fd(ys));
	}
}

int raw_race(struct ynl_sock *ys, unsigned int last)
{
	atomic_uint *shared = mmap(NULL, 2 * sizeof(*shared), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int number, before;
	pid_t child;

	child = shared == MAP_FAILED ? -1 : fork();
	if (child < 0) {
		printf("-%d\n", errno);
		return 1;
	}
	if (!child) {
		list_all(ys, last, &shared[0], &shared[1]);
		_exit(0);
	}
	for (number = 1; number <= last; number++) {
		for (before = shared[0]; shared[0] == before; )
			;
		request(ys, NMR_MPR_CMD_DISCONNECT, 0, number);
		shared[1] = number;
	}
	waitpid(child, NULL, 0);
	drain(ynl_socket_get_fd(ys));
	puts("0");
	return 0;
}
