/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client and a provider, each ported or native, for the suites of nmr_netio.
 *
 * The binding contexts of a case are arbitrary values, which need not differ. So a case has one
 * client and one provider, which the callbacks find by a static pointer. Each callback appends a
 * letter to the trace of the case.
 */
#ifndef _NMR_KUNIT_NETIO_PARTY_H
#define _NMR_KUNIT_NETIO_PARTY_H

#include <nmr/netioddk.h>

#include "../netio/netio.h"
#include "harness.h"

/*
 * A party. A test may set the members up to @at_detach before np_join().
 *
 * @native: the party uses <linux/nmr.h>
 * @context, @dispatch: what it hands over
 * @number, @version: in the instance; a native party has no version
 * @module_id: in the instance; @guid if the party is native
 * @answer: the status, or the errno of a native party, with which it refuses an offer
 * @late: the same of a client, after the provider has attached
 * @detach: what the detach callback returns; native: likewise
 * @unasking: the client does not call NmrClientAttachProvider()
 * @early: the test completes the detach before it is pending, or races with it
 * @layer: a native party passes it to nmr_binding_set_context()
 * @slot: of a native client
 * @no_cleanup: the cleanup callback is NULL
 * @at_attach, @at_detach: hooks that run in the callback
 * @handle: of the registration
 * @seen_handle: @handle as the last attach callback has found it
 * @binding: the handle of the last binding; @native_binding if the party is native
 * @asked: the client's result of asking the provider
 * @peer_context, @peer_dispatch, @peer, @peer_module_id, @peer_guid: what the peer has shown
 * @offers, @attaches, @detaches, @cleanups: attach callbacks, those that accepted, and others
 * @kin: what nmr_binding_kin() has returned for the peer of a native party
 * @joined: the party is registered, and has not been waited for
 * @pending: a detach is pending, and the test has not completed it
 */
struct np {
	enum nmr_side side;
	bool native;
	PVOID context;
	const VOID *dispatch;
	ULONG number;
	USHORT version;
	NPI_MODULEID module_id;
	guid_t guid;
	int answer;
	int late;
	int detach;
	bool unasking;
	bool early;
	bool no_cleanup;
	void *layer;
	const struct nmr_slot *slot;
	void (*at_attach)(struct np *np);
	void (*at_detach)(struct np *np);

	struct nt *nt;
	union {
		HANDLE handle;
		u64 id;
	};
	HANDLE seen_handle;
	HANDLE binding;
	struct nmr_binding *native_binding;
	int asked;
	PVOID peer_context;
	const VOID *peer_dispatch;
	NPI_REGISTRATION_INSTANCE peer;
	NPI_MODULEID peer_module_id;
	guid_t peer_guid;
	void *kin;
	atomic_t offers;
	atomic_t attaches;
	atomic_t detaches;
	atomic_t cleanups;
	bool joined;
	bool pending;
};

/* .init and .exit of a suite */
int np_init(struct kunit *test);
void np_exit(struct kunit *test);

/* The parties of the case, and its NPI in both forms */
struct np *np_client(void);
struct np *np_provider(void);
struct np *np_peer(const struct np *np);
const char *np_trace(void);
NPIID np_npi_id(void);

/* Tell whether the detach of both parties is pending. */
bool np_both_pending(void);

/* Register; deregister; wait. Return: a status, also of a native party. */
NTSTATUS np_register(struct np *np);
NTSTATUS np_deregister(struct np *np);
NTSTATUS np_wait(struct np *np);
void np_complete(void *np);

/* Register, or deregister and wait, and end the case on failure. */
void np_join(struct kunit *test, struct np *np);
void np_leave(struct kunit *test, struct np *np);

/* Expect that the layer has @n objects, and that this is all that is left. */
#define np_expect_objects(test, n)					\
	KUNIT_EXPECT_EQ(test, atomic_read(&netio_objects), n)

#endif /* _NMR_KUNIT_NETIO_PARTY_H */
