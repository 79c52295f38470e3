// SPDX-License-Identifier: GPL-2.0-only
/*
 * mprctl: an administrator's program in user space. It speaks to mpr_nl.ko by the code that the
 * kernel's tools/net/ynl generates from mpr.yaml. scripts/fetch/mprctl.sh builds it.
 *
 *	mprctl connect			# one command, or
 *	mprctl < commands		# a command a line, by one socket
 *
 * It answers each command by a line: 0 and what the server has returned, or the errno and the
 * kernel's message. Commands:
 *
 *	connect [ROUTER]			disconnect SERVER
 *	create SERVER LEVEL INFO		find SERVER NAME
 *	get SERVER INTERFACE LEVEL		set SERVER INTERFACE LEVEL INFO
 *	delete SERVER INTERFACE			list SERVER
 *	transport-create SERVER INTERFACE PROTOCOL [DATA]
 *	transport-find SERVER INTERFACE PROTOCOL
 *	transport-get SERVER TRANSPORT		transport-set SERVER TRANSPORT DATA
 *	transport-delete SERVER TRANSPORT	transport-list SERVER INTERFACE
 *	begin SERVER		begin a list, and read its first part; prints 1 and its names
 *	end			read the rest; prints how many parts there were, and the names
 *	race LAST		list by each connection from 1 to LAST, while another process
 *				disconnects it
 *	raw SERVER INTERFACE TRANSPORT		send malformed messages, and print each errno
 *	raw-valid				send these again, but well-formed
 *	deaf SERVER INTERFACE	create 20 interfaces, then a transport of INTERFACE, then connect,
 *				with a buffer too small for the replies; prints how many came
 *
 * INFO is NAME TYPE ENABLED, and for higher levels HOURS PHONE IDLE ADDRESS. For a number, "@" is
 * the last handle that connect has returned, and "%" that of create or find.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "mpr-user.h"
#include "ynl.h"
#include "mprctl.h"

#define WORDS	16

static char *words[WORDS + 1];
static int count;
static unsigned int last_server, last_interface;	/* handles that the server has issued */

static unsigned int number(int i)
{
	if (i >= count)
		return 0;
	if (!strcmp(words[i], "@"))
		return last_server;
	if (!strcmp(words[i], "%"))
		return last_interface;
	return strtoul(words[i], NULL, 0);
}

static int failed(struct ynl_sock *ys)
{
	printf("-%d %s\n", ys->err.code, ys->err.msg);
	return 1;
}

static int handle(unsigned int value)
{
	printf("0 %u\n", value);
	return 0;
}

static void *copy(const void *data, size_t len)
{
	void *new = malloc(len);

	return new ? memcpy(new, data, len) : NULL;
}

/* Set what the command gives from word @i on. The code that is generated frees it. */
static void set_info(struct nmr_mpr_if_info *info, int i)
{
	unsigned char hours[NMR_MPR_HOURS_LEN];
	struct in6_addr address = {};

	info->_present.type = count > i + 1;
	info->type = number(i + 1);
	info->_present.enabled = count > i + 2;
	info->enabled = number(i + 2);
	info->_present.idle = count > i + 5;
	info->idle = number(i + 5);
	if (count > i) {
		info->name = strdup(words[i]);
		info->_present.name_len = strlen(words[i]);
	}
	if (count > i + 3) {
		memset(hours, number(i + 3), sizeof(hours));
		info->hours = copy(hours, sizeof(hours));
		info->_present.hours_len = sizeof(hours);
	}
	if (count > i + 4) {
		info->phone = strdup(words[i + 4]);
		info->_present.phone_len = strlen(words[i + 4]);
	}
	if (count > i + 6) {
		inet_pton(AF_INET6, words[i + 6], &address);
		info->address = copy(&address, sizeof(address));
		info->_present.address_len = sizeof(address);
	}
}

static int do_connect(struct ynl_sock *ys)
{
	struct nmr_mpr_connect_req *req = nmr_mpr_connect_req_alloc();
	struct nmr_mpr_connect_rsp *rsp;

	if (count > 1)
		nmr_mpr_connect_req_set_router(req, words[1]);
	rsp = nmr_mpr_connect(ys, req);
	nmr_mpr_connect_req_free(req);
	if (!rsp)
		return failed(ys);
	last_server = rsp->server;
	nmr_mpr_connect_rsp_free(rsp);
	return handle(last_server);
}

static int do_disconnect(struct ynl_sock *ys)
{
	struct nmr_mpr_disconnect_req *req = nmr_mpr_disconnect_req_alloc();
	int err;

	nmr_mpr_disconnect_req_set_server(req, number(1));
	err = nmr_mpr_disconnect(ys, req);
	nmr_mpr_disconnect_req_free(req);
	if (err)
		return failed(ys);
	puts("0");
	return 0;
}

static int do_create(struct ynl_sock *ys)
{
	struct nmr_mpr_interface_create_req *req = nmr_mpr_interface_create_req_alloc();
	struct nmr_mpr_interface_create_rsp *rsp;

	nmr_mpr_interface_create_req_set_server(req, number(1));
	nmr_mpr_interface_create_req_set_level(req, number(2));
	req->_present.info = 1;
	set_info(&req->info, 3);
	rsp = nmr_mpr_interface_create(ys, req);
	nmr_mpr_interface_create_req_free(req);
	if (!rsp)
		return failed(ys);
	last_interface = rsp->interface;
	nmr_mpr_interface_create_rsp_free(rsp);
	return handle(last_interface);
}

static int do_find(struct ynl_sock *ys)
{
	struct nmr_mpr_interface_find_req *req = nmr_mpr_interface_find_req_alloc();
	struct nmr_mpr_interface_find_rsp *rsp;

	nmr_mpr_interface_find_req_set_server(req, number(1));
	if (count > 2)
		nmr_mpr_interface_find_req_set_name(req, words[2]);
	rsp = nmr_mpr_interface_find(ys, req);
	nmr_mpr_interface_find_req_free(req);
	if (!rsp)
		return failed(ys);
	last_interface = rsp->interface;
	nmr_mpr_interface_find_rsp_free(rsp);
	return handle(last_interface);
}

static void print_info(const struct nmr_mpr_if_info *info)
{
	char address[INET6_ADDRSTRLEN];

	printf("0 %s %u %u", info->name, info->type, info->enabled);
	if (info->_present.hours_len)
		printf(" %u", *(unsigned char *)info->hours);
	if (info->_present.idle)
		printf(" %s %u", info->phone, info->idle);
	if (info->_present.address_len)
		printf(" %s", inet_ntop(AF_INET6, info->address, address, sizeof(address)));
	puts("");
}

static int do_get(struct ynl_sock *ys)
{
	struct nmr_mpr_interface_get_req *req = nmr_mpr_interface_get_req_alloc();
	struct nmr_mpr_interface_get_rsp *rsp;

	nmr_mpr_interface_get_req_set_server(req, number(1));
	nmr_mpr_interface_get_req_set_interface(req, number(2));
	nmr_mpr_interface_get_req_set_level(req, number(3));
	rsp = nmr_mpr_interface_get(ys, req);
	nmr_mpr_interface_get_req_free(req);
	if (!rsp)
		return failed(ys);
	print_info(&rsp->info);
	nmr_mpr_interface_get_rsp_free(rsp);
	return 0;
}

static int do_set(struct ynl_sock *ys)
{
	struct nmr_mpr_interface_set_req *req = nmr_mpr_interface_set_req_alloc();
	int err;

	nmr_mpr_interface_set_req_set_server(req, number(1));
	nmr_mpr_interface_set_req_set_interface(req, number(2));
	nmr_mpr_interface_set_req_set_level(req, number(3));
	req->_present.info = 1;
	set_info(&req->info, 4);
	err = nmr_mpr_interface_set(ys, req);
	nmr_mpr_interface_set_req_free(req);
	if (err)
		return failed(ys);
	puts("0");
	return 0;
}

static int do_delete(struct ynl_sock *ys)
{
	struct nmr_mpr_interface_delete_req *req = nmr_mpr_interface_delete_req_alloc();
	int err;

	nmr_mpr_interface_delete_req_set_server(req, number(1));
	nmr_mpr_interface_delete_req_set_interface(req, number(2));
	err = nmr_mpr_interface_delete(ys, req);
	nmr_mpr_interface_delete_req_free(req);
	if (err)
		return failed(ys);
	puts("0");
	return 0;
}

static int do_list(struct ynl_sock *ys)
{
	struct nmr_mpr_interface_list_req_dump *req = nmr_mpr_interface_list_req_dump_alloc();
	struct nmr_mpr_interface_list_rsp_list *list;

	nmr_mpr_interface_list_req_dump_set_server(req, number(1));
	list = nmr_mpr_interface_list_dump(ys, req);
	nmr_mpr_interface_list_req_dump_free(req);
	if (!list)
		return failed(ys);
	printf("0");
	ynl_dump_foreach(list, entry)
		printf(" %s", entry->info.name);
	puts("");
	nmr_mpr_interface_list_rsp_list_free(list);
	return 0;
}

static int do_transport_create(struct ynl_sock *ys)
{
	struct nmr_mpr_transport_create_req *req = nmr_mpr_transport_create_req_alloc();
	struct nmr_mpr_transport_create_rsp *rsp;
	unsigned int transport;

	nmr_mpr_transport_create_req_set_server(req, number(1));
	if (number(2))
		nmr_mpr_transport_create_req_set_interface(req, number(2));
	nmr_mpr_transport_create_req_set_protocol(req, number(3));
	if (count > 4)
		nmr_mpr_transport_create_req_set_data(req, words[4], strlen(words[4]));
	rsp = nmr_mpr_transport_create(ys, req);
	nmr_mpr_transport_create_req_free(req);
	if (!rsp)
		return failed(ys);
	transport = rsp->transport;
	nmr_mpr_transport_create_rsp_free(rsp);
	return handle(transport);
}

static int do_transport_find(struct ynl_sock *ys)
{
	struct nmr_mpr_transport_find_req *req = nmr_mpr_transport_find_req_alloc();
	struct nmr_mpr_transport_find_rsp *rsp;
	unsigned int transport;

	nmr_mpr_transport_find_req_set_server(req, number(1));
	if (number(2))
		nmr_mpr_transport_find_req_set_interface(req, number(2));
	nmr_mpr_transport_find_req_set_protocol(req, number(3));
	rsp = nmr_mpr_transport_find(ys, req);
	nmr_mpr_transport_find_req_free(req);
	if (!rsp)
		return failed(ys);
	transport = rsp->transport;
	nmr_mpr_transport_find_rsp_free(rsp);
	return handle(transport);
}

static int do_transport_get(struct ynl_sock *ys)
{
	struct nmr_mpr_transport_get_req *req = nmr_mpr_transport_get_req_alloc();
	struct nmr_mpr_transport_get_rsp *rsp;

	nmr_mpr_transport_get_req_set_server(req, number(1));
	nmr_mpr_transport_get_req_set_transport(req, number(2));
	rsp = nmr_mpr_transport_get(ys, req);
	nmr_mpr_transport_get_req_free(req);
	if (!rsp)
		return failed(ys);
	printf("0 %u %.*s\n", rsp->protocol, (int)rsp->_present.data_len, (char *)rsp->data);
	nmr_mpr_transport_get_rsp_free(rsp);
	return 0;
}

static int do_transport_set(struct ynl_sock *ys)
{
	struct nmr_mpr_transport_set_req *req = nmr_mpr_transport_set_req_alloc();
	int err;

	nmr_mpr_transport_set_req_set_server(req, number(1));
	nmr_mpr_transport_set_req_set_transport(req, number(2));
	if (count > 3)
		nmr_mpr_transport_set_req_set_data(req, words[3], strlen(words[3]));
	err = nmr_mpr_transport_set(ys, req);
	nmr_mpr_transport_set_req_free(req);
	if (err)
		return failed(ys);
	puts("0");
	return 0;
}

static int do_transport_delete(struct ynl_sock *ys)
{
	struct nmr_mpr_transport_delete_req *req = nmr_mpr_transport_delete_req_alloc();
	int err;

	nmr_mpr_transport_delete_req_set_server(req, number(1));
	nmr_mpr_transport_delete_req_set_transport(req, number(2));
	err = nmr_mpr_transport_delete(ys, req);
	nmr_mpr_transport_delete_req_free(req);
	if (err)
		return failed(ys);
	puts("0");
	return 0;
}

static int do_transport_list(struct ynl_sock *ys)
{
	struct nmr_mpr_transport_list_req_dump *req = nmr_mpr_transport_list_req_dump_alloc();
	struct nmr_mpr_transport_list_rsp_list *list;

	nmr_mpr_transport_list_req_dump_set_server(req, number(1));
	if (number(2))
		nmr_mpr_transport_list_req_dump_set_interface(req, number(2));
	list = nmr_mpr_transport_list_dump(ys, req);
	nmr_mpr_transport_list_req_dump_free(req);
	if (!list)
		return failed(ys);
	printf("0");
	ynl_dump_foreach(list, entry)
		printf(" %u:%u", entry->protocol, entry->size);
	puts("");
	nmr_mpr_transport_list_rsp_list_free(list);
	return 0;
}

static int do_begin(struct ynl_sock *ys)
{
	return raw_begin(ys, number(1));
}

static int do_race(struct ynl_sock *ys)
{
	return raw_race(ys, number(1));
}

static int do_raw(struct ynl_sock *ys)
{
	return raw_all(ys, number(1), number(2), number(3));
}

static int do_deaf(struct ynl_sock *ys)
{
	return raw_deaf(ys, number(1), number(2));
}

static const struct {
	const char	*name;
	int		(*run)(struct ynl_sock *ys);
} commands[] = {
	{ "connect", do_connect },
	{ "disconnect", do_disconnect },
	{ "create", do_create },
	{ "find", do_find },
	{ "get", do_get },
	{ "set", do_set },
	{ "delete", do_delete },
	{ "list", do_list },
	{ "transport-create", do_transport_create },
	{ "transport-find", do_transport_find },
	{ "transport-get", do_transport_get },
	{ "transport-set", do_transport_set },
	{ "transport-delete", do_transport_delete },
	{ "transport-list", do_transport_list },
	{ "begin", do_begin },
	{ "end", raw_end },
	{ "race", do_race },
	{ "raw", do_raw },
	{ "raw-valid", raw_valid },
	{ "deaf", do_deaf },
};

static int run(struct ynl_sock *ys)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (count && !strcmp(words[0], commands[i].name))
			return commands[i].run(ys);
	puts("no such command");
	return 1;
}

/* Split a line into words, in place. */
static void split(char *line)
{
	char *word = strtok(line, " \t\n");

	for (count = 0; word && count < WORDS; word = strtok(NULL, " \t\n"))
		words[count++] = word;
}

int main(int argc, char **argv)
{
	struct ynl_error error;
	struct ynl_sock *ys = ynl_sock_create(&ynl_nmr_mpr_family, &error);
	char *line = NULL;
	size_t size = 0;
	int code = 0;

	if (!ys) {
		printf("-%d %s\n", error.code, error.msg);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		for (count = 0; count < argc - 1 && count < WORDS; count++)
			words[count] = argv[count + 1];
		code = run(ys);
	} else {
		while (getline(&line, &size, stdin) > 0) {
			split(line);
			run(ys);
		}
		free(line);
	}
	ynl_sock_destroy(ys);
	return code;
}
