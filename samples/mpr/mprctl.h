/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages that mprctl makes by hand */
#ifndef _MPRCTL_H
#define _MPRCTL_H

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

struct ynl_sock;

/* mprctl_list.c */

int raw_receive(int fd);
int raw_begin(struct ynl_sock *ys, unsigned int server);
int raw_end(struct ynl_sock *ys);
int raw_race(struct ynl_sock *ys, unsigned int last);

/* mprctl_raw.c */

int raw_all(struct ynl_sock *ys, unsigned int server, unsigned int interface,
	    unsigned int transport);
int raw_valid(struct ynl_sock *ys);
int raw_deaf(struct ynl_sock *ys, unsigned int server, unsigned int interface);

#endif /* _MPRCTL_H */
