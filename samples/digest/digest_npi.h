/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The digest NPI: a provider computes SHA-256, and a client has data to digest.
 *
 * A digest takes several calls: init, then update as often as there is data, then final.
 * Either module may leave between two of them. The state of a digest is therefore memory of
 * the *client*, and a provider keeps nothing that belongs to one digest. If a client finds
 * its binding closed, it forgets the state and begins again with another provider.
 *
 * For the same reason a client should enter the gate for each call, or for few calls, and
 * not for a whole digest: the provider's module_exit() waits for every call in flight.
 */
#ifndef _DIGEST_NPI_H
#define _DIGEST_NPI_H

#include <linux/nmr.h>
#include <linux/slab.h>

#define DIGEST_NPI_GUID		"20fd82c5-6014-4438-90c1-3e7d0270e70b"

static const guid_t digest_npi_id = NMR_GUID(DIGEST_NPI_GUID);

/* Raise this if a structure below changes. A client declines any other version. */
#define DIGEST_VERSION		2

#define DIGEST_SIZE		32	/* bytes of a SHA-256 */
#define DIGEST_STATE_SIZE	1024	/* a provider that needs more must not register */
#define DIGEST_NAME_SIZE	32

/**
 * struct digest_characteristics - the NPI-specific characteristics of a provider
 * @version: %DIGEST_VERSION
 *
 * A client may read the characteristics in its attach callback, and not later.
 */
struct digest_characteristics {
	u32 version;
};

/**
 * struct digest_state - the state of one digest
 * @space: memory that the client owns and the provider uses; the provider releases nothing
 */
struct digest_state {
	u8 space[DIGEST_STATE_SIZE] __aligned(ARCH_KMALLOC_MINALIGN);
};

/**
 * struct digest_provider_dispatch - functions of a provider
 * @init:	begin a digest in @state, which need not be initialised
 * @update:	add @len bytes at @data
 * @final:	write the %DIGEST_SIZE bytes of the result to @digest
 * @name:	name to display, shorter than %DIGEST_NAME_SIZE
 *
 * @context is the provider's binding context. All pointers are to memory from kmalloc(),
 * never to the stack or to vmalloc() memory, because hardware may access it. Calls for one
 * digest do not overlap. Calls for different digests run concurrently.
 *
 * Context: Process context. May sleep. The client has entered the call.
 *
 * Return: 0; a negative errno if the digest has failed.
 */
struct digest_provider_dispatch {
	int (*init)(void *context, struct digest_state *state);
	int (*update)(void *context, struct digest_state *state,
		      const u8 *data, size_t len);
	int (*final)(void *context, struct digest_state *state, u8 *digest);
	const char *name;
};

#endif /* _DIGEST_NPI_H */
