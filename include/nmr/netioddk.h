/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The documented interface of the Windows Network Module Registrar, on Linux.
 *
 * nmr_netio.ko implements it with nmr.ko. A driver adds include/nmr to its include path, and
 * includes <netioddk.h> after the headers of Linux.
 *
 * Documentation/porting.rst says what differs from Windows, name by name.
 */
#ifndef _NMR_NETIODDK_H
#define _NMR_NETIODDK_H

#include <linux/module.h>
#include <linux/nmr.h>
#include <linux/string.h>

#include "netiodef.h"

MODULE_IMPORT_NMR();

/**
 * struct _NPI_REGISTRATION_INSTANCE - identity of a registration, as its peers see it
 * @Version: any number; the peer sees it
 * @Size:    size of the structure, or more
 * @NpiId:   identifies the NPI
 * @ModuleId: identifies the module
 * @Number:  distinguishes implementations of one module
 * @NpiSpecificCharacteristics: what the NPI defines, or NULL. It is not copied: it stays valid
 *	     until the wait for the deregistration has returned.
 */
typedef struct _NPI_REGISTRATION_INSTANCE {
	USHORT		Version;
	USHORT		Size;
	PNPIID		NpiId;
	PNPI_MODULEID	ModuleId;
	ULONG		Number;
	const void	*NpiSpecificCharacteristics;
} NPI_REGISTRATION_INSTANCE;
typedef CONST NPI_REGISTRATION_INSTANCE *PNPI_REGISTRATION_INSTANCE;

static_assert(sizeof(NPI_REGISTRATION_INSTANCE) == 40);

typedef NTSTATUS NTAPI
NPI_CLIENT_ATTACH_PROVIDER_FN(HANDLE NmrBindingHandle, PVOID ClientContext,
			      PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance);
typedef NPI_CLIENT_ATTACH_PROVIDER_FN *PNPI_CLIENT_ATTACH_PROVIDER_FN;

typedef NTSTATUS NTAPI NPI_CLIENT_DETACH_PROVIDER_FN(PVOID ClientBindingContext);
typedef NPI_CLIENT_DETACH_PROVIDER_FN *PNPI_CLIENT_DETACH_PROVIDER_FN;

typedef VOID NTAPI NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN(PVOID ClientBindingContext);
typedef NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN *PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN;

typedef NTSTATUS NTAPI
NPI_PROVIDER_ATTACH_CLIENT_FN(HANDLE NmrBindingHandle, PVOID ProviderContext,
			      PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
			      PVOID ClientBindingContext, CONST VOID *ClientDispatch,
			      PVOID *ProviderBindingContext, CONST VOID **ProviderDispatch);
typedef NPI_PROVIDER_ATTACH_CLIENT_FN *PNPI_PROVIDER_ATTACH_CLIENT_FN;

typedef NTSTATUS NTAPI NPI_PROVIDER_DETACH_CLIENT_FN(PVOID ProviderBindingContext);
typedef NPI_PROVIDER_DETACH_CLIENT_FN *PNPI_PROVIDER_DETACH_CLIENT_FN;

typedef VOID NTAPI NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN(PVOID ProviderBindingContext);
typedef NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN *PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN;

/**
 * struct _NPI_CLIENT_CHARACTERISTICS - callbacks and identity of a client
 * @Version: 0
 * @Length:  size of the structure, or more
 * @ClientAttachProvider: asks the provider with NmrClientAttachProvider(), or declines
 * @ClientDetachProvider: ends the use of the provider, or returns STATUS_PENDING
 * @ClientCleanupBindingContext: frees the binding context; may be NULL
 * @ClientRegistrationInstance: identity of the client
 */
typedef struct _NPI_CLIENT_CHARACTERISTICS {
	USHORT	Version;
	USHORT	Length;
	PNPI_CLIENT_ATTACH_PROVIDER_FN		ClientAttachProvider;
	PNPI_CLIENT_DETACH_PROVIDER_FN		ClientDetachProvider;
	PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN	ClientCleanupBindingContext;
	NPI_REGISTRATION_INSTANCE		ClientRegistrationInstance;
} NPI_CLIENT_CHARACTERISTICS;
typedef CONST NPI_CLIENT_CHARACTERISTICS *PNPI_CLIENT_CHARACTERISTICS;

static_assert(sizeof(NPI_CLIENT_CHARACTERISTICS) == 72);

/**
 * struct _NPI_PROVIDER_CHARACTERISTICS - callbacks and identity of a provider
 * @Version: 0
 * @Length:  size of the structure, or more
 * @ProviderAttachClient: accepts the client, or declines
 * @ProviderDetachClient: ends the use of the client, or returns STATUS_PENDING
 * @ProviderCleanupBindingContext: frees the binding context; may be NULL
 * @ProviderRegistrationInstance: identity of the provider
 */
typedef struct _NPI_PROVIDER_CHARACTERISTICS {
	USHORT	Version;
	USHORT	Length;
	PNPI_PROVIDER_ATTACH_CLIENT_FN		ProviderAttachClient;
	PNPI_PROVIDER_DETACH_CLIENT_FN		ProviderDetachClient;
	PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN ProviderCleanupBindingContext;
	NPI_REGISTRATION_INSTANCE		ProviderRegistrationInstance;
} NPI_PROVIDER_CHARACTERISTICS;
typedef CONST NPI_PROVIDER_CHARACTERISTICS *PNPI_PROVIDER_CHARACTERISTICS;

static_assert(sizeof(NPI_PROVIDER_CHARACTERISTICS) == 72);

NTSTATUS __NmrRegisterClient(PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics,
			     PVOID ClientContext, PHANDLE NmrClientHandle,
			     struct nmr_site *site);
NTSTATUS __NmrRegisterProvider(PNPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics,
			       PVOID ProviderContext, PHANDLE NmrProviderHandle,
			       struct nmr_site *site);

/**
 * NmrRegisterClient() - register a client of an NPI
 * @ClientCharacteristics: copied, with the NPIID and the NPI_MODULEID that it points to
 * @ClientContext: passed to ClientAttachProvider
 * @NmrClientHandle: written before the first callback runs; not written on failure
 *
 * This is a macro, so that the registrar knows the module and the place that register. It
 * evaluates each argument once.
 *
 * Context: Process context. May sleep.
 *
 * Return:
 * * STATUS_SUCCESS - the client is registered
 * * STATUS_INVALID_PARAMETER - a pointer is NULL that must not be, or the version, the length
 *   or the type of a structure is wrong
 * * STATUS_INSUFFICIENT_RESOURCES - allocation failure; no callback has run
 * * STATUS_NOINTERFACE - the registrar is not initialised
 */
#define NmrRegisterClient(ClientCharacteristics, ClientContext, NmrClientHandle) \
({									\
	static struct nmr_site __nmr_site =				\
		__NMR_SITE(struct nmr_client_characteristics);		\
									\
	__NmrRegisterClient(ClientCharacteristics, ClientContext,	\
			    NmrClientHandle, &__nmr_site);		\
})

/**
 * NmrRegisterProvider() - register a provider of an NPI
 * @ProviderCharacteristics: copied, with the NPIID and the NPI_MODULEID that it points to
 * @ProviderContext: passed to ProviderAttachClient
 * @NmrProviderHandle: written before the first callback runs; not written on failure
 *
 * This is a macro, as NmrRegisterClient() is.
 *
 * Context: Process context. May sleep.
 *
 * Return: as NmrRegisterClient()
 */
#define NmrRegisterProvider(ProviderCharacteristics, ProviderContext, NmrProviderHandle) \
({									\
	static struct nmr_site __nmr_site =				\
		__NMR_SITE(struct nmr_provider_characteristics);	\
									\
	__NmrRegisterProvider(ProviderCharacteristics, ProviderContext,	\
			      NmrProviderHandle, &__nmr_site);		\
})

/**
 * NmrDeregisterClient() - begin to deregister a client
 * @NmrClientHandle: handle of the client
 *
 * The bindings of the client have closed when the function returns. The callbacks run later,
 * on a workqueue, and never inside of this function.
 *
 * Context: Process or softirq context. Does not sleep.
 *
 * Return:
 * * STATUS_PENDING - the client is deregistering, or has been deregistered before: call
 *   NmrWaitForClientDeregisterComplete()
 * * STATUS_INVALID_PARAMETER - the handle was never issued to a client
 */
NTSTATUS NmrDeregisterClient(HANDLE NmrClientHandle);

/**
 * NmrDeregisterProvider() - begin to deregister a provider
 * @NmrProviderHandle: handle of the provider
 *
 * The function does what NmrDeregisterClient() does, with the sides exchanged.
 *
 * Context: Process or softirq context. Does not sleep.
 *
 * Return: as NmrDeregisterClient()
 */
NTSTATUS NmrDeregisterProvider(HANDLE NmrProviderHandle);

/**
 * NmrWaitForClientDeregisterComplete() - wait until a client is deregistered
 * @NmrClientHandle: handle of the client, which has been deregistered
 *
 * Any number of tasks may wait, any number of times.
 *
 * Context: Process context. May sleep.
 *
 * Return:
 * * STATUS_SUCCESS - no callback of the client runs or will run
 * * STATUS_INVALID_PARAMETER - the handle was never issued to a client, or the client has not
 *   been deregistered
 * * STATUS_POSSIBLE_DEADLOCK - the task is inside a callback of one of the client's bindings
 */
NTSTATUS NmrWaitForClientDeregisterComplete(HANDLE NmrClientHandle);

/**
 * NmrWaitForProviderDeregisterComplete() - wait until a provider is deregistered
 * @NmrProviderHandle: handle of the provider, which has been deregistered
 *
 * The function does what NmrWaitForClientDeregisterComplete() does, with the sides exchanged.
 *
 * Context: Process context. May sleep.
 *
 * Return: as NmrWaitForClientDeregisterComplete()
 */
NTSTATUS NmrWaitForProviderDeregisterComplete(HANDLE NmrProviderHandle);

/**
 * NmrClientAttachProvider() - ask the offered provider to attach
 * @NmrBindingHandle: handle that ClientAttachProvider was passed
 * @ClientBindingContext: the client's context of this binding, for its callbacks and for the
 *	provider
 * @ClientDispatch: functions for the provider
 * @ProviderBindingContext: receives the context for the provider's functions
 * @ProviderDispatch: receives the provider's functions
 *
 * The client calls this once, in its ClientAttachProvider callback.
 *
 * Context: Process context, in the task that runs the callback. May sleep.
 *
 * Return:
 * * STATUS_SUCCESS - the provider has attached
 * * STATUS_NOINTERFACE - the provider declined, or a side is leaving
 * * STATUS_INVALID_PARAMETER - this is no such handle, a pointer is NULL, the task is not inside
 *   the callback, or this is a second call
 * * another status - what ProviderAttachClient returned
 */
NTSTATUS NmrClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientBindingContext,
				 CONST VOID *ClientDispatch,
				 PVOID *ProviderBindingContext,
				 CONST VOID **ProviderDispatch);

/**
 * NmrClientDetachProviderComplete() - complete a pending detach of the client
 * @NmrBindingHandle: handle that ClientAttachProvider was passed
 *
 * This is the last thing that the client does for the binding. The call may come before
 * ClientDetachProvider is called; that callback then returns STATUS_PENDING.
 *
 * Context: Any context but NMI.
 */
void NmrClientDetachProviderComplete(HANDLE NmrBindingHandle);

/**
 * NmrProviderDetachClientComplete() - complete a pending detach of the provider
 * @NmrBindingHandle: handle that ProviderAttachClient was passed
 *
 * The function does what NmrClientDetachProviderComplete() does, with the sides exchanged.
 *
 * Context: Any context but NMI.
 */
void NmrProviderDetachClientComplete(HANDLE NmrBindingHandle);

/**
 * NmrIsEqualNpiModuleId() - compare the identity of two modules
 * @ModuleId1: one
 * @ModuleId2: the other
 *
 * Return: TRUE if both are of the same type and have the same value.
 */
static inline BOOLEAN NmrIsEqualNpiModuleId(PNPI_MODULEID ModuleId1,
					    PNPI_MODULEID ModuleId2)
{
	if (ModuleId1->Type != ModuleId2->Type)
		return FALSE;
	if (ModuleId1->Type == MIT_GUID)
		return !memcmp(&ModuleId1->Guid, &ModuleId2->Guid, sizeof(GUID));
	return !memcmp(&ModuleId1->IfLuid, &ModuleId2->IfLuid, sizeof(LUID));
}

/* Beyond Windows: for a port that also uses <linux/nmr.h> */

/**
 * NmrLinuxBinding() - return the binding of a handle
 * @NmrBindingHandle: handle that an attach callback was passed
 *
 * With it a port may enter the gates: nmr_client_call_enter() or nmr_provider_call_enter().
 *
 * Return: the binding, which is valid as long as the handle is: until one RCU grace period
 * after the own cleanup callback has returned.
 */
static inline struct nmr_binding *NmrLinuxBinding(HANDLE NmrBindingHandle)
{
	return ((struct nmr_binding **)NmrBindingHandle)[1];
}

/**
 * NmrLinuxClientHandle() - return the handle that <linux/nmr.h> uses
 * @NmrClientHandle: handle of a client
 *
 * Return: the handle; its number is the name of the client's directory in sysfs.
 */
static inline struct nmr_client_handle NmrLinuxClientHandle(HANDLE NmrClientHandle)
{
	return (struct nmr_client_handle){ (uintptr_t)NmrClientHandle >> 1 };
}

/**
 * NmrLinuxProviderHandle() - return the handle that <linux/nmr.h> uses
 * @NmrProviderHandle: handle of a provider
 *
 * Return: the handle; its number is the name of the provider's directory in sysfs.
 */
static inline struct nmr_provider_handle NmrLinuxProviderHandle(HANDLE NmrProviderHandle)
{
	return (struct nmr_provider_handle){ (uintptr_t)NmrProviderHandle >> 1 };
}

/**
 * NmrLinuxErrno() - return the errno of a status
 * @Status: the status
 *
 * Return: 0 for STATUS_SUCCESS, a negative errno for a warning or an error, and 1 for another
 * status.
 */
int NmrLinuxErrno(NTSTATUS Status);

#endif /* _NMR_NETIODDK_H */
