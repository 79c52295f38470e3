// SPDX-License-Identifier: GPL-2.0-only
/* The packet format of RIP version 2, RFC 2453: what is right, and how to write it */
#include <linux/inetdevice.h>
#include <linux/socket.h>
#include "rip.h"

/*
 * Check the header of a packet, and count its entries. Return: RIP_RECEIVED, or why the router
 * drops the packet. Version 1 knows no masks, and this router does not speak it.
 */
enum rip_stat rip_check(struct rip_input *in)
{
	const struct rip_packet *packet = &in->packet;

	if (in->len < RIP_HEADER + sizeof(struct rip_entry) || in->len > sizeof(*packet) ||
	    (in->len - RIP_HEADER) % sizeof(struct rip_entry))
		return RIP_BAD_LENGTH;
	if (packet->version != RIP_VERSION)
		return RIP_BAD_VERSION;
	if (packet->command != RIP_REQUEST && packet->command != RIP_RESPONSE)
		return RIP_BAD_COMMAND;
	/* A request may come from a program that is no router. */
	if (packet->command == RIP_RESPONSE && in->port != cpu_to_be16(RIP_PORT))
		return RIP_BAD_PORT;
	/* The packet authenticates, and this router has no password. */
	if (packet->entry[0].family == cpu_to_be16(RIP_AUTHENTICATION))
		return RIP_BAD_FAMILY;
	in->entries = (in->len - RIP_HEADER) / sizeof(struct rip_entry);
	return RIP_RECEIVED;
}

/* Test for a request for the whole table: a single entry without a family. */
bool rip_asks_for_all(const struct rip_input *in)
{
	const struct rip_entry *entry = in->packet.entry;

	return in->entries == 1 && !entry->family &&
	       entry->metric == cpu_to_be32(RIP_INFINITY);
}

/*
 * Check an entry of a response. Return: RIP_RECEIVED, or why the router ignores the entry.
 */
enum rip_stat rip_check_entry(const struct rip_entry *entry)
{
	u32 metric = be32_to_cpu(entry->metric);

	if (entry->family != cpu_to_be16(AF_INET))
		return RIP_BAD_FAMILY;
	if (bad_mask(entry->mask, entry->dst) || ipv4_is_loopback(entry->dst) ||
	    ipv4_is_multicast(entry->dst) || ipv4_is_lbcast(entry->dst) ||
	    (ipv4_is_zeronet(entry->dst) && (entry->dst || entry->mask)))
		return RIP_BAD_PREFIX;
	if (!metric || metric > RIP_INFINITY)
		return RIP_BAD_METRIC;
	return RIP_RECEIVED;
}

/* Return: the length of the prefix of an entry that was checked */
u8 rip_plen(const struct rip_entry *entry)
{
	return inet_mask_len(entry->mask);
}

void rip_begin(struct rip_packet *packet, u8 command)
{
	packet->command = command;
	packet->version = RIP_VERSION;
	packet->zero = 0;
}

/*
 * Write a route into an entry. The gateway of 0 says that this router is the next hop.
 */
void rip_fill(struct rip_entry *entry, const struct rip_route *route, u8 metric)
{
	*entry = (struct rip_entry) {
		.family	= cpu_to_be16(AF_INET),
		.tag	= route->tag,
		.dst	= route->dst,
		.mask	= inet_make_mask(route->plen),
		.metric	= cpu_to_be32(metric),
	};
}
