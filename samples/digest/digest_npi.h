/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The digest NPI: a provider computes SHA-256, a client has data to digest.
 *
 * A digest is a conversation of several calls: init, update as often as there is
 * data, final. Either module may leave between any two of them. So that nobody
 * is left with half a digest to clean up, its state is memory of the *client*,
 * and a provider keeps nothing that belongs to one digest: a client that finds
 * its binding closed forgets the state and begins again with another provider.
 * For the same reason a client should enter the gate for each call, or for few,
 * and not for as long as a conversation may last: the provider's module_exit()
 * waits for every call that has entered.
 */
#ifndef _DIGEST_NPI_H
#define _DIGEST_NPI_H

#include <linux/slab.h>
#include <linux/types.h>
#include <linux/uuid.h>

#define DIGEST_NPI_GUID		"20fd82c5-6014-4438-90c1-3e7d0270e70b"

static const guid_t digest_npi_id =
	GUID_INIT(0x20fd82c5, 0x6014, 0x4438,
		  0x90, 0xc1, 0x3e, 0x7d, 0x02, 0x70, 0xe7, 0x0b);

/* Raise it when a structure below changes; a client declines any other. */
#define DIGEST_VERSION		1

#define DIGEST_SIZE		32	/* bytes of a SHA-256 */
#define DIGEST_STATE_SIZE	1024	/* a provider that needs more may not register */
#define DIGEST_NAME_SIZE	32

/**
 * struct digest_characteristics - the NPI-specific characteristics of a provider
 * @version:	%DIGEST_VERSION
 * @name:	for people, shorter than %DIGEST_NAME_SIZE
 *
 * A client may read them in its attach callback, and no later.
 */
struct digest_characteristics {
	u32		 version;
	const char	*name;
};

/**
 * struct digest_state - the state of one digest
 * @space: the provider's to use, the client's to keep; needs no release
 */
struct digest_state {
	u8 space[DIGEST_STATE_SIZE] __aligned(ARCH_KMALLOC_MINALIGN);
};

/**
 * struct digest_provider_dispatch - what a provider can do
 * @init:	begins a digest in @state, whatever was there before
 * @update:	adds @len bytes at @data
 * @final:	writes the %DIGEST_SIZE bytes of the result to @digest
 *
 * @context is the provider's binding context. All pointers are to memory from
 * kmalloc(), never to the stack or to vmalloc(): hardware may want to reach it.
 * One digest is in one call at a time; different ones run concurrently.
 *
 * Context: Process context, may sleep; call between nmr_client_call_enter() and
 * nmr_client_call_exit().
 * Return: 0 or a negative errno; the digest has failed then.
 */
struct digest_provider_dispatch {
	int (*init)(void *context, struct digest_state *state);
	int (*update)(void *context, struct digest_state *state,
		      const u8 *data, size_t len);
	int (*final)(void *context, struct digest_state *state, u8 *digest);
};

#endif /* _DIGEST_NPI_H */
