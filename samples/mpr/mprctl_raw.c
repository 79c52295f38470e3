// SPDX-License-Identifier: GPL-2.0-only
/*
 * Malformed messages, which mprctl makes by hand.
 *
 * raw_all() makes a valid message for each command. For each of its attributes it then sends one
 * in which the attribute is missing, too short, too long, nested too deep, or has a wrong length.
 * It prints a line for each: the command, the attribute, what is wrong, and the errno.
 *
 * raw_deaf() sends well-formed messages, and does not read the replies in time.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nmr_mpr.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "ynl.h"
#include "mprctl.h"

#define DEPTH	200

enum kind {
	END,
	U32,
	STRING,
	DATA,
	INFO,
};

enum spoil {
	NONE,
	MISSING,
	SHORT,
	LONG,
	NESTED,
	TINY,	/* nla_len is below the size of a header */
	HUGE,	/* nla_len goes beyond the message */
	FAULTS
};

static const char *const faults[] = {
	"none", "missing", "short", "long", "nested", "tiny", "huge"
};

struct attribute {
	int	type;
	int	kind;
	int	optional;
};

/* The last two take away what the others need. */
static const struct message {
	const char		*name;
	int			cmd;
	int			dump;
	struct attribute	attributes[5];
} messages[] = {
	{ "connect", NMR_MPR_CMD_CONNECT, 0, { { NMR_MPR_A_ROUTER, STRING, 1 } } },
	{ "interface-create", NMR_MPR_CMD_INTERFACE_CREATE, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_LEVEL, U32, 1 },
		{ NMR_MPR_A_INFO, INFO, 0 } } },
	{ "interface-find", NMR_MPR_CMD_INTERFACE_FIND, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_NAME, STRING, 0 } } },
	{ "interface-get", NMR_MPR_CMD_INTERFACE_GET, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_INTERFACE, U32, 0 },
		{ NMR_MPR_A_LEVEL, U32, 1 } } },
	{ "interface-set", NMR_MPR_CMD_INTERFACE_SET, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_INTERFACE, U32, 0 },
		{ NMR_MPR_A_LEVEL, U32, 1 }, { NMR_MPR_A_INFO, INFO, 0 } } },
	{ "interface-list", NMR_MPR_CMD_INTERFACE_LIST, 1, { { NMR_MPR_A_SERVER, U32, 0 } } },
	{ "transport-create", NMR_MPR_CMD_TRANSPORT_CREATE, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_INTERFACE, U32, 1 },
		{ NMR_MPR_A_PROTOCOL, U32, 0 }, { NMR_MPR_A_DATA, DATA, 1 } } },
	{ "transport-find", NMR_MPR_CMD_TRANSPORT_FIND, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_INTERFACE, U32, 1 },
		{ NMR_MPR_A_PROTOCOL, U32, 0 } } },
	{ "transport-get", NMR_MPR_CMD_TRANSPORT_GET, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_TRANSPORT, U32, 0 } } },
	{ "transport-set", NMR_MPR_CMD_TRANSPORT_SET, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_TRANSPORT, U32, 0 },
		{ NMR_MPR_A_DATA, DATA, 0 } } },
	{ "transport-delete", NMR_MPR_CMD_TRANSPORT_DELETE, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_TRANSPORT, U32, 0 } } },
	{ "transport-list", NMR_MPR_CMD_TRANSPORT_LIST, 1, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_INTERFACE, U32, 1 } } },
	{ "interface-delete", NMR_MPR_CMD_INTERFACE_DELETE, 0, {
		{ NMR_MPR_A_SERVER, U32, 0 }, { NMR_MPR_A_INTERFACE, U32, 0 } } },
	{ "disconnect", NMR_MPR_CMD_DISCONNECT, 0, { { NMR_MPR_A_SERVER, U32, 0 } } },
};

/* What a nest of an interface has */
static const struct attribute info[] = {
	{ NMR_MPR_A_IF_INFO_NAME, STRING, 0 },
	{ NMR_MPR_A_IF_INFO_TYPE, U32, 0 },
	{ NMR_MPR_A_IF_INFO_ENABLED, DATA, 0 },
	{ NMR_MPR_A_IF_INFO_HOURS, DATA, 0 },
	{ NMR_MPR_A_IF_INFO_PHONE, STRING, 0 },
	{ NMR_MPR_A_IF_INFO_IDLE, U32, 0 },
	{ NMR_MPR_A_IF_INFO_ADDRESS, DATA, 0 },
	{ }
};

static unsigned int handles[NMR_MPR_A_MAX + 1];

static union {
	struct nlmsghdr	header;
	char		bytes[16384];
} request;

static char zeros[8192];

static void *tail(void)
{
	return request.bytes + request.header.nlmsg_len;
}

/* Append an attribute. Return: the attribute, which the caller may spoil. */
static struct nlattr *put(int type, const void *data, size_t len)
{
	struct nlattr *attr = tail();

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memcpy((char *)attr + NLA_HDRLEN, data, len);
	request.header.nlmsg_len += NLA_ALIGN(attr->nla_len);
	return attr;
}

/* Append an attribute in itself, and so on. */
static void put_nested(int type)
{
	struct nlattr *attr;
	int i;

	for (i = DEPTH; i > 0; i--) {
		attr = put(type | NLA_F_NESTED, NULL, 0);
		attr->nla_len = i * NLA_HDRLEN;
	}
}

/* The size of a fixed binary attribute in a nest of an interface */
static size_t fixed(int type)
{
	switch (type) {
	case NMR_MPR_A_IF_INFO_ENABLED:
		return 1;
	case NMR_MPR_A_IF_INFO_HOURS:
		return NMR_MPR_HOURS_LEN;
	default:
		return 16;
	}
}

static void put_info(const struct attribute *wrong, enum spoil fault);

static void put_string(int type, enum spoil fault)
{
	static char name[300];

	if (fault == LONG) {
		memset(name, 'a', sizeof(name) - 1);
		put(type, name, sizeof(name));
	} else {
		put(type, "local", fault == SHORT ? 5 : 6);
	}
}

/* Append an attribute of a message, or of a nest if @inner, with a fault. */
static void put_attribute(const struct attribute *a, enum spoil fault, int inner)
{
	unsigned int value = inner ? 1 : handles[a->type];
	struct nlattr *attr = tail();

	if (fault == MISSING)
		return;
	if (fault == NESTED) {
		put_nested(a->type);
		return;
	}
	switch (a->kind) {
	case U32:
		memcpy(zeros, &value, sizeof(value));
		put(a->type, zeros, fault == SHORT ? 3 : fault == LONG ? 5 : 4);
		memset(zeros, 0, sizeof(value));
		break;
	case STRING:
		put_string(a->type, fault);
		break;
	case DATA:
		if (inner)
			put(a->type, zeros, fixed(a->type) - (fault == SHORT) + (fault == LONG));
		else
			put(a->type, zeros, fault == LONG ? 5000 : 8);
		break;
	case INFO:
		put_info(NULL, fault);
		break;
	}
	if (fault == TINY)
		attr->nla_len = NLA_HDRLEN - 2;
	if (fault == HUGE)
		attr->nla_len = 0xfff0;
}

/* Append a nest of level 3, in which one attribute is wrong, or which is wrong itself. */
static void put_info(const struct attribute *wrong, enum spoil fault)
{
	struct nlattr *nest = put(NMR_MPR_A_INFO | NLA_F_NESTED, NULL, 0);
	const struct attribute *a;

	if (wrong || fault != SHORT)
		for (a = info; a->kind; a++)
			put_attribute(a, a == wrong ? fault : NONE, 1);
	if (!wrong && fault == LONG)
		put(99, NULL, 0);
	nest->nla_len = (char *)tail() - (char *)nest;
}

static void begin(struct ynl_sock *ys, const struct message *m)
{
	struct genlmsghdr *genl;

	memset(&request, 0, sizeof(request));
	request.header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	request.header.nlmsg_type = ys->family_id;
	request.header.nlmsg_flags = NLM_F_REQUEST | (m->dump ? NLM_F_DUMP : NLM_F_ACK);
	request.header.nlmsg_seq = 1;
	genl = NLMSG_DATA(&request.header);
	genl->cmd = m->cmd;
	genl->version = NMR_MPR_FAMILY_VERSION;
}

/* Make a message in which the attribute @wrong, or @inner of its nest, has the fault. */
static void make(struct ynl_sock *ys, const struct message *m, const struct attribute *wrong,
		 const struct attribute *inner, enum spoil fault)
{
	const struct attribute *a;

	begin(ys, m);
	for (a = m->attributes; a->kind; a++) {
		if (a == wrong && inner)
			put_info(inner, fault);
		else
			put_attribute(a, a == wrong ? fault : NONE, 0);
	}
}

static int exchange(struct ynl_sock *ys)
{
	int fd = ynl_socket_get_fd(ys), err;

	if (send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return -errno;
	do
		err = raw_receive(fd);
	while (err > 0);
	return err;
}

static void print(struct ynl_sock *ys, const struct message *m, const char *attribute,
		  int number, const char *fault)
{
	printf("%s %s%d %s %d\n", m->name, attribute, number, fault, exchange(ys));
}

/* Spoil each attribute of a nest. */
static void raw_nest(struct ynl_sock *ys, const struct message *m, const struct attribute *nest)
{
	const struct attribute *a;
	int fault;

	for (a = info; a->kind; a++) {
		for (fault = MISSING; fault < FAULTS; fault++) {
			make(ys, m, nest, a, fault);
			print(ys, m, "info.", a->type, faults[fault]);
		}
	}
}

/* Spoil each attribute of a message. Data may have any length that is short. */
static void raw_attributes(struct ynl_sock *ys, const struct message *m)
{
	const struct attribute *a;
	int fault;

	for (a = m->attributes; a->kind; a++) {
		for (fault = MISSING; fault < FAULTS; fault++) {
			if ((fault == MISSING && a->optional) ||
			    (fault == SHORT && a->kind == DATA))
				continue;
			make(ys, m, a, NULL, fault);
			print(ys, m, "", a->type, faults[fault]);
		}
		if (a->kind == INFO)
			raw_nest(ys, m, a);
	}
}

/* Spoil the headers of a message. */
static void raw_headers(struct ynl_sock *ys, const struct message *m)
{
	struct genlmsghdr *genl = NLMSG_DATA(&request.header);

	make(ys, m, NULL, NULL, NONE);
	genl->reserved = 1;
	print(ys, m, "", 0, "reserved");
	make(ys, m, NULL, NULL, NONE);
	genl->cmd = NMR_MPR_CMD_MAX + 1;
	print(ys, m, "", 0, "command");
	make(ys, m, NULL, NULL, NONE);
	request.header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN - 1);
	print(ys, m, "", 0, "header");
	make(ys, m, NULL, NULL, NONE);
	put(NMR_MPR_A_MAX + 1, NULL, 0);
	print(ys, m, "", 0, "unknown");
	make(ys, m, NULL, NULL, NONE);
	request.header.nlmsg_flags ^= NLM_F_DUMP;
	request.header.nlmsg_flags |= NLM_F_ACK;
	print(ys, m, "", 0, m->dump ? "no-dump" : "dump");
}

int raw_all(struct ynl_sock *ys, unsigned int server, unsigned int interface,
	    unsigned int transport)
{
	const size_t number = ARRAY_SIZE(messages);
	size_t i;

	handles[NMR_MPR_A_SERVER] = server;
	handles[NMR_MPR_A_INTERFACE] = interface;
	handles[NMR_MPR_A_TRANSPORT] = transport;
	handles[NMR_MPR_A_LEVEL] = 3;
	handles[NMR_MPR_A_PROTOCOL] = 0x57;
	for (i = 0; i < number; i++) {
		raw_headers(ys, &messages[i]);
		raw_attributes(ys, &messages[i]);
	}
	puts("end");
	return 0;
}

/* Send each message without a fault. */
int raw_valid(struct ynl_sock *ys)
{
	const size_t number = ARRAY_SIZE(messages);
	size_t i;

	for (i = 0; i < number; i++) {
		make(ys, &messages[i], NULL, NULL, NONE);
		print(ys, &messages[i], "", 0, faults[NONE]);
	}
	puts("end");
	return 0;
}

/* Make a request to create an interface of level 0, or @cmd without one. */
static void make_request(struct ynl_sock *ys, int cmd, unsigned int server, const char *name)
{
	const struct message m = { .cmd = cmd };
	unsigned char enabled = 0;
	struct nlattr *nest;
	unsigned int type = 0;

	begin(ys, &m);
	request.header.nlmsg_flags = NLM_F_REQUEST;
	put(NMR_MPR_A_SERVER, &server, sizeof(server));
	if (!name)
		return;
	nest = put(NMR_MPR_A_INFO | NLA_F_NESTED, NULL, 0);
	put(NMR_MPR_A_IF_INFO_NAME, name, strlen(name) + 1);
	put(NMR_MPR_A_IF_INFO_TYPE, &type, sizeof(type));
	put(NMR_MPR_A_IF_INFO_ENABLED, &enabled, sizeof(enabled));
	nest->nla_len = (char *)tail() - (char *)nest;
}

/* Count the replies that have come. The kernel says once that it has dropped some. */
static int replies(struct ynl_sock *ys)
{
	int fd = ynl_socket_get_fd(ys), number = 0;
	ssize_t size;

	do {
		size = recv(fd, &request, sizeof(request), MSG_DONTWAIT);
		number += size > 0 && request.header.nlmsg_type == ys->family_id;
	} while (size > 0 || errno == ENOBUFS);
	return number;
}

int raw_deaf(struct ynl_sock *ys, unsigned int server, unsigned int interface)
{
	int fd = ynl_socket_get_fd(ys), small = 1, large = 1 << 16, i;
	unsigned int protocol = 33;
	char name[16];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "deaf%d", i);
		make_request(ys, NMR_MPR_CMD_INTERFACE_CREATE, server, name);
		send(fd, &request, request.header.nlmsg_len, 0);
	}
	make_request(ys, NMR_MPR_CMD_TRANSPORT_CREATE, server, NULL);
	put(NMR_MPR_A_INTERFACE, &interface, sizeof(interface));
	put(NMR_MPR_A_PROTOCOL, &protocol, sizeof(protocol));
	send(fd, &request, request.header.nlmsg_len, 0);
	make_request(ys, NMR_MPR_CMD_CONNECT, server, NULL);
	send(fd, &request, request.header.nlmsg_len, 0);
	printf("0 %d\n", replies(ys));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large));
	return 0;
}
