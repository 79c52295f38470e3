// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ported and native parties, see netio_party.h.
 *
 * Locking: the callbacks of a binding do not run concurrently, and tests read what they have
 * written once they have seen the counters.
 */
#include <linux/slab.h>

#include "netio_party.h"

#define NP_POISON	0xa5

static struct {
	struct nt *nt;
	struct np party[NMR_SIDES];
	NPIID npi_id;
	guid_t native_npi_id;
	char trace[64];
	atomic_t length;
} np_case;

struct np *np_client(void)
{
	return &np_case.party[NMR_CLIENT];
}

struct np *np_provider(void)
{
	return &np_case.party[NMR_PROVIDER];
}

struct np *np_peer(const struct np *np)
{
	return &np_case.party[nt_peer(np->side)];
}

const char *np_trace(void)
{
	return np_case.trace;
}

bool np_both_pending(void)
{
	return READ_ONCE(np_client()->pending) && READ_ONCE(np_provider()->pending);
}

NPIID np_npi_id(void)
{
	return np_case.npi_id;
}

/* Append the letter of a callback. */
static void np_note(char letter)
{
	int at = atomic_inc_return(&np_case.length) - 1;

	if (at < (int)sizeof(np_case.trace) - 1)
		WRITE_ONCE(np_case.trace[at], letter);
	nt_kick(np_case.nt);
}

/* Attach */

static void np_begin_attach(struct np *np)
{
	np_note(np->side == NMR_CLIENT ? 'A' : 'B');
	atomic_inc(&np->offers);
	np->seen_handle = READ_ONCE(np->handle);
	if (np->at_attach)
		np->at_attach(np);
}

/* End an attach callback with the status or the errno @ret. */
static int np_end_attach(struct np *np, int ret)
{
	if (!ret)
		atomic_inc(&np->attaches);
	nt_kick(np->nt);
	return ret;
}

static void np_see(struct np *np, PNPI_REGISTRATION_INSTANCE peer)
{
	np->peer = *peer;
	np->peer_module_id = *peer->ModuleId;
	nt_check(np->nt, !memcmp(peer->NpiId, &np_case.npi_id, sizeof(NPIID)));
}

static NTSTATUS np_attach_provider(HANDLE binding, PVOID context,
				   PNPI_REGISTRATION_INSTANCE provider)
{
	struct np *np = np_client();

	nt_check(np->nt, context == np);
	np->binding = binding;
	np_begin_attach(np);
	np_see(np, provider);
	if (np->answer || np->unasking)
		return np->answer;
	np->asked = NmrClientAttachProvider(binding, np->context, np->dispatch,
					    &np->peer_context, &np->peer_dispatch);
	return np_end_attach(np, np->asked ?: np->late);
}

static NTSTATUS np_attach_client(HANDLE binding, PVOID context,
				 PNPI_REGISTRATION_INSTANCE client, PVOID client_context,
				 const VOID *client_dispatch, PVOID *provider_context,
				 const VOID **provider_dispatch)
{
	struct np *np = np_provider();

	nt_check(np->nt, context == np);
	np->binding = binding;
	np_begin_attach(np);
	np_see(np, client);
	np->peer_context = client_context;
	np->peer_dispatch = client_dispatch;
	*provider_context = np->context;
	*provider_dispatch = np->dispatch;
	return np_end_attach(np, np->answer);
}

static int np_native_attach_client(struct nmr_binding *binding, void *context,
				   const struct nmr_registration_instance *instance,
				   const struct nmr_endpoint *client,
				   struct nmr_endpoint *provider);

static int np_native_attach_provider(struct nmr_binding *binding, void *context,
				     const struct nmr_registration_instance *provider)
{
	struct np *np = context;
	struct nmr_endpoint mine = { np->context, np->dispatch }, theirs;

	np->native_binding = binding;
	np_begin_attach(np);
	np->peer_guid = *provider->module_id;
	np->peer.Number = provider->number;
	if (np->answer)
		return np->answer;
	np->asked = nmr_client_attach_provider(binding, &mine, &theirs);
	if (np->asked)
		return np->asked;
	np->peer_context = theirs.binding_context;
	np->peer_dispatch = theirs.dispatch;
	np->kin = nmr_binding_kin(binding, NMR_PROVIDER, np_native_attach_client);
	if (np->layer)
		nmr_binding_set_context(binding, NMR_CLIENT, np->layer);
	return np_end_attach(np, np->late);
}

static int np_native_attach_client(struct nmr_binding *binding, void *context,
				   const struct nmr_registration_instance *instance,
				   const struct nmr_endpoint *client,
				   struct nmr_endpoint *provider)
{
	struct np *np = context;

	np->native_binding = binding;
	np_begin_attach(np);
	np->peer_guid = *instance->module_id;
	np->peer.Number = instance->number;
	np->peer_context = client->binding_context;
	np->peer_dispatch = client->dispatch;
	provider->binding_context = np->context;
	provider->dispatch = np->dispatch;
	np->kin = nmr_binding_kin(binding, NMR_CLIENT, np_native_attach_provider);
	if (np->layer)
		nmr_binding_set_context(binding, NMR_PROVIDER, np->layer);
	return np_end_attach(np, np->answer);
}

/* Detach and cleanup */

static int np_begin_detach(struct np *np, PVOID context, int pending)
{
	np_note(np->side == NMR_CLIENT ? 'D' : 'E');
	nt_check(np->nt, context == (np->layer ?: np->context));
	WRITE_ONCE(np->pending, np->detach == pending && !np->early);
	if (np->at_detach)
		np->at_detach(np);
	atomic_inc(&np->detaches);
	nt_kick(np->nt);
	return np->detach;
}

static NTSTATUS np_detach_provider(PVOID context)
{
	return np_begin_detach(np_client(), context, STATUS_PENDING);
}

static NTSTATUS np_detach_client(PVOID context)
{
	return np_begin_detach(np_provider(), context, STATUS_PENDING);
}

static int np_native_detach_provider(void *context, enum nmr_detach_reason reason)
{
	return np_begin_detach(np_client(), context, -EINPROGRESS);
}

static int np_native_detach_client(void *context, enum nmr_detach_reason reason)
{
	return np_begin_detach(np_provider(), context, -EINPROGRESS);
}

static void np_cleanup(struct np *np, PVOID context)
{
	np_note(np->side == NMR_CLIENT ? 'X' : 'Y');
	nt_check(np->nt, context == (np->layer ?: np->context));
	nt_check(np->nt, !READ_ONCE(np->pending));
	atomic_inc(&np->cleanups);
	nt_kick(np->nt);
}

static VOID np_cleanup_client(PVOID context)
{
	np_cleanup(np_client(), context);
}

static VOID np_cleanup_provider(PVOID context)
{
	np_cleanup(np_provider(), context);
}

/* Complete the detach of a party, from any context. */
void np_complete(void *arg)
{
	struct np *np = arg;

	WRITE_ONCE(np->pending, false);
	if (np->native && np->side == NMR_CLIENT)
		nmr_client_detach_provider_complete(np->native_binding);
	else if (np->native)
		nmr_provider_detach_client_complete(np->native_binding);
	else if (np->side == NMR_CLIENT)
		NmrClientDetachProviderComplete(np->binding);
	else
		NmrProviderDetachClientComplete(np->binding);
}

/* Register */

/* What a ported party passes, and what is overwritten afterwards */
struct np_passed {
	NPI_CLIENT_CHARACTERISTICS client;
	NPI_PROVIDER_CHARACTERISTICS provider;
	NPI_REGISTRATION_INSTANCE instance;
	NPIID npi_id;
	NPI_MODULEID module_id;
};

static void np_fill(struct np *np, struct np_passed *passed)
{
	passed->npi_id = np_case.npi_id;
	passed->module_id = np->module_id;
	passed->instance = (NPI_REGISTRATION_INSTANCE){
		.Version = np->version, .Size = sizeof(passed->instance),
		.NpiId = &passed->npi_id, .ModuleId = &passed->module_id,
		.Number = np->number, .NpiSpecificCharacteristics = np,
	};
	passed->client = (NPI_CLIENT_CHARACTERISTICS){
		.Length = sizeof(passed->client),
		.ClientAttachProvider = np_attach_provider,
		.ClientDetachProvider = np_detach_provider,
		.ClientCleanupBindingContext = np->no_cleanup ? NULL : np_cleanup_client,
		.ClientRegistrationInstance = passed->instance,
	};
	passed->provider = (NPI_PROVIDER_CHARACTERISTICS){
		.Length = sizeof(passed->provider),
		.ProviderAttachClient = np_attach_client,
		.ProviderDetachClient = np_detach_client,
		.ProviderCleanupBindingContext = np->no_cleanup ? NULL : np_cleanup_provider,
		.ProviderRegistrationInstance = passed->instance,
	};
}

/* Have the arguments overwritten, since the layer has to copy them. */
static NTSTATUS np_register_ported(struct np *np)
{
	struct np_passed *passed = kmalloc(sizeof(*passed), GFP_KERNEL | __GFP_NOFAIL);
	NTSTATUS status;

	np_fill(np, passed);
	if (np->side == NMR_CLIENT)
		status = NmrRegisterClient(&passed->client, np, &np->handle);
	else
		status = NmrRegisterProvider(&passed->provider, np, &np->handle);
	memset(passed, NP_POISON, sizeof(*passed));
	kfree(passed);
	return status;
}

static int np_register_native(struct np *np)
{
	const struct nmr_registration_instance instance = {
		.npi_id = &np_case.native_npi_id,
		.module_id = &np->guid,
		.number = np->number, .npi_specific = np,
	};
	const struct nmr_client_characteristics client = {
		.attach_provider = np_native_attach_provider,
		.detach_provider = np_native_detach_provider,
		.cleanup_binding_context = np_cleanup_client, .instance = instance,
		.slot = np->slot,
	};
	const struct nmr_provider_characteristics provider = {
		.attach_client = np_native_attach_client,
		.detach_client = np_native_detach_client,
		.cleanup_binding_context = np_cleanup_provider, .instance = instance,
	};
	struct nmr_provider_handle provider_handle = {};
	struct nmr_client_handle client_handle = {};
	int err;

	if (np->side == NMR_CLIENT)
		err = nmr_register_client(&client, np, &client_handle);
	else
		err = nmr_register_provider(&provider, np, &provider_handle);
	np->id = np->side == NMR_CLIENT ? client_handle.id : provider_handle.id;
	return err;
}

NTSTATUS np_register(struct np *np)
{
	NTSTATUS status = np->native ? np_register_native(np) : np_register_ported(np);

	np->joined = !status;
	return status;
}

NTSTATUS np_deregister(struct np *np)
{
	if (np->native)
		return by_side_deregister(np->side, np->id) == -EINPROGRESS ? STATUS_PENDING :
								STATUS_UNSUCCESSFUL;
	return np->side == NMR_CLIENT ? NmrDeregisterClient(np->handle) :
					NmrDeregisterProvider(np->handle);
}

NTSTATUS np_wait(struct np *np)
{
	NTSTATUS status;

	if (np->native)
		status = by_side_wait(np->side, np->id);
	else if (np->side == NMR_CLIENT)
		status = NmrWaitForClientDeregisterComplete(np->handle);
	else
		status = NmrWaitForProviderDeregisterComplete(np->handle);
	if (!status)
		WRITE_ONCE(np->joined, false);
	return status;
}

void np_join(struct kunit *test, struct np *np)
{
	KUNIT_ASSERT_EQ(test, np_register(np), STATUS_SUCCESS);
}

void np_leave(struct kunit *test, struct np *np)
{
	KUNIT_EXPECT_EQ(test, np_deregister(np), STATUS_PENDING);
	KUNIT_ASSERT_EQ(test, np_wait(np), STATUS_SUCCESS);
}

/* A case */

static void np_set_up(struct nt *nt, enum nmr_side side)
{
	struct np *np = &np_case.party[side];

	np->nt = nt;
	np->side = side;
	np->context = (PVOID)(0x11UL + side);
	np->dispatch = (const VOID *)(0x31UL + side);
	np->number = 5 + side;
	np->version = 7 + side;
	np->module_id = (NPI_MODULEID){
		.Length = sizeof(np->module_id), .Type = MIT_GUID,
		.Guid = { 0x10203040 + side, 0x5060, 0x7080, { 1, 2, 3, 4, 5, 6, 7, 8 } },
	};
	np->guid = GUID_INIT(0x10203040 + side, 0x5060, 0x7080, 1, 2, 3, 4, 5, 6, 7, 8);
}

int np_init(struct kunit *test)
{
	int err = nt_init(test);
	struct nt *nt;
	const u8 *b;

	if (err)
		return err;
	nt = test->priv;
	memset(&np_case, 0, sizeof(np_case));
	np_case.nt = nt;
	np_case.native_npi_id = nt->npi_id;
	b = nt->npi_id.b;
	np_case.npi_id.Data1 = (u32)b[3] << 24 | b[2] << 16 | b[1] << 8 | b[0];
	np_case.npi_id.Data2 = b[5] << 8 | b[4];
	np_case.npi_id.Data3 = b[7] << 8 | b[6];
	memcpy(np_case.npi_id.Data4, b + 8, sizeof(np_case.npi_id.Data4));
	np_set_up(nt, NMR_CLIENT);
	np_set_up(nt, NMR_PROVIDER);
	return 0;
}

/* End what a failed case has left, and check that nothing is left of a case. */
void np_exit(struct kunit *test)
{
	enum nmr_side side;

	for (side = 0; np_case.nt && side < NMR_SIDES; side++) {
		struct np *np = &np_case.party[side];

		WRITE_ONCE(np->detach, 0);
		if (np->joined)
			np_deregister(np);
	}
	for (side = 0; np_case.nt && side < NMR_SIDES; side++) {
		struct np *np = &np_case.party[side];

		if (READ_ONCE(np->pending) ||
		    (np->early && atomic_read(&np->cleanups) < atomic_read(&np->attaches)))
			np_complete(np);
		if (np->joined)
			np_wait(np);
	}
	np_expect_objects(test, 0);
	np_case.nt = NULL;
}
