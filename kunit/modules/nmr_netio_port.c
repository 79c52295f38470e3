// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ported peer for the selftests, of the NPI of peer.c: a provider, a client, or both, that may
 * forget to deregister or to wait.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/string.h>

#include <nmr/netioddk.h>

#define PORT_MAGIC	0x6e6d725f70656572ULL	/* as in peer.c */

static bool provider;
module_param(provider, bool, 0444);
MODULE_PARM_DESC(provider, "register a provider");

static bool client;
module_param(client, bool, 0444);
MODULE_PARM_DESC(client, "register a client");

static unsigned int rounds;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "times that a client and a provider register and leave first");

static char *leave = "";
module_param(leave, charp, 0444);
MODULE_PARM_DESC(leave, "forget (to deregister), nowait (after it), or neither");

static bool hold_call;
module_param(hold_call, bool, 0644);
MODULE_PARM_DESC(hold_call, "calls into this module do not return");

static atomic_t calls_held = ATOMIC_INIT(0);
module_param_named(calls_held, calls_held.counter, int, 0444);
MODULE_PARM_DESC(calls_held, "calls into this module that are held now");

static atomic_t attached = ATOMIC_INIT(0);
module_param_named(attached, attached.counter, int, 0444);
MODULE_PARM_DESC(attached, "attach callbacks that succeeded");

static atomic_t cleaned = ATOMIC_INIT(0);
module_param_named(cleaned, cleaned.counter, int, 0444);
MODULE_PARM_DESC(cleaned, "cleanup callbacks");

struct port_dispatch {
	u64 (*ask)(void *context, u64 question);
};

static u64 port_ask(void *context, u64 question)
{
	if (in_task() && READ_ONCE(hold_call)) {
		atomic_inc(&calls_held);
		while (READ_ONCE(hold_call))
			schedule_timeout_idle(1);
		atomic_dec(&calls_held);
	}
	return question ^ PORT_MAGIC;
}

static const struct port_dispatch port_dispatch = { .ask = port_ask };

static NTSTATUS port_attach_provider(HANDLE binding, PVOID context,
				     PNPI_REGISTRATION_INSTANCE instance)
{
	PVOID peer_context;
	const VOID *dispatch;
	NTSTATUS status = NmrClientAttachProvider(binding, NULL, &port_dispatch,
						  &peer_context, &dispatch);

	if (!status)
		atomic_inc(&attached);
	return status;
}

static NTSTATUS port_attach_client(HANDLE binding, PVOID context,
				   PNPI_REGISTRATION_INSTANCE instance, PVOID client_context,
				   const VOID *client_dispatch, PVOID *provider_context,
				   const VOID **provider_dispatch)
{
	*provider_context = NULL;
	*provider_dispatch = &port_dispatch;
	atomic_inc(&attached);
	return STATUS_SUCCESS;
}

static NTSTATUS port_detach(PVOID context)
{
	return STATUS_SUCCESS;
}

static VOID port_cleanup(PVOID context)
{
	atomic_inc(&cleaned);
}

DEFINE_GUID(port_npi_id, 0x6e6d7201, 0x7065, 0x6572, 0x80, 0, 0, 0, 0, 0, 0, 1);

static const NPI_MODULEID port_module_id = {
	.Length = sizeof(port_module_id),
	.Type = MIT_IF_LUID,
	.IfLuid = { .LowPart = 7 },
};

#define PORT_INSTANCE {							\
	.Size = sizeof(NPI_REGISTRATION_INSTANCE),			\
	.NpiId = &port_npi_id,						\
	.ModuleId = &port_module_id,					\
}

static const NPI_CLIENT_CHARACTERISTICS port_client = {
	.Length = sizeof(port_client),
	.ClientAttachProvider = port_attach_provider,
	.ClientDetachProvider = port_detach,
	.ClientCleanupBindingContext = port_cleanup,
	.ClientRegistrationInstance = PORT_INSTANCE,
};

static const NPI_PROVIDER_CHARACTERISTICS port_provider = {
	.Length = sizeof(port_provider),
	.ProviderAttachClient = port_attach_client,
	.ProviderDetachClient = port_detach,
	.ProviderCleanupBindingContext = port_cleanup,
	.ProviderRegistrationInstance = PORT_INSTANCE,
};

static DECLARE_COMPLETION(port_done);
static HANDLE provider_handle;
static HANDLE client_handle;

static void port_leave(void)
{
	if (!strcmp(leave, "forget"))
		return;
	if (client_handle)
		NmrDeregisterClient(client_handle);
	if (provider_handle)
		NmrDeregisterProvider(provider_handle);
	if (!strcmp(leave, "nowait"))
		return;
	if (client_handle)
		NmrWaitForClientDeregisterComplete(client_handle);
	if (provider_handle)
		NmrWaitForProviderDeregisterComplete(provider_handle);
}

/* Register a client and leave, again and again. Return: a status. */
static int port_clients(void *unused)
{
	NTSTATUS status = STATUS_SUCCESS;
	HANDLE handle;
	unsigned int i;

	for (i = 0; i < rounds && !status; i++) {
		status = NmrRegisterClient(&port_client, NULL, &handle);
		if (!status && NmrDeregisterClient(handle) == STATUS_PENDING)
			status = NmrWaitForClientDeregisterComplete(handle);
	}
	complete(&port_done);
	return status;
}

/* Do the same with a provider, in the task that loads the module, beside the clients. */
static NTSTATUS port_storm(void)
{
	struct task_struct *task = kthread_run(port_clients, NULL, "nmr_netio_port");
	NTSTATUS status = STATUS_SUCCESS;
	HANDLE handle;
	unsigned int i;

	if (IS_ERR(task))
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < rounds && !status; i++) {
		status = NmrRegisterProvider(&port_provider, NULL, &handle);
		if (!status && NmrDeregisterProvider(handle) == STATUS_PENDING)
			status = NmrWaitForProviderDeregisterComplete(handle);
	}
	wait_for_completion(&port_done);
	return status;
}

static int __init port_init(void)
{
	NTSTATUS status = STATUS_SUCCESS;

	if (rounds)
		status = port_storm();
	if (!status && provider)
		status = NmrRegisterProvider(&port_provider, NULL, &provider_handle);
	if (!status && client)
		status = NmrRegisterClient(&port_client, NULL, &client_handle);
	if (status)
		port_leave();
	return NmrLinuxErrno(status);
}
module_init(port_init);

static void __exit port_exit(void)
{
	port_leave();
}
module_exit(port_exit);

MODULE_DESCRIPTION("A ported provider and client for the selftests of nmr");
MODULE_LICENSE("GPL");
