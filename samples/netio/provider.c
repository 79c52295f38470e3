// SPDX-License-Identifier: GPL-2.0-only
/*
 * A provider of the counter NPI, as it is written for Windows. It calls its clients, too, so it
 * counts these calls.
 */
#include "port.h"
#include "counter_npi.h"

#define PROVIDER_TAG	0x7674504e

typedef struct _PROVIDER_BINDING {
	HANDLE NmrBindingHandle;
	PVOID ClientBindingContext;
	const COUNTER_CLIENT_DISPATCH *ClientDispatch;
	KSPIN_LOCK Lock;
	ULONG CallsInProgress;
	BOOLEAN Detaching;
	UINT64 Sum;
} PROVIDER_BINDING;

static HANDLE ProviderHandle;

static BOOLEAN ProviderBeginCall(PROVIDER_BINDING *Binding, ULONG Step, PUINT64 Sum)
{
	BOOLEAN Begun;
	KIRQL OldIrql;

	KeAcquireSpinLock(&Binding->Lock, &OldIrql);
	Binding->Sum += Step;
	*Sum = Binding->Sum;
	Begun = Binding->ClientDispatch && !Binding->Detaching;
	if (Begun)
		Binding->CallsInProgress++;
	KeReleaseSpinLock(&Binding->Lock, OldIrql);
	return Begun;
}

static VOID ProviderEndCall(PROVIDER_BINDING *Binding)
{
	HANDLE NmrBindingHandle = Binding->NmrBindingHandle;
	BOOLEAN Last;
	KIRQL OldIrql;

	KeAcquireSpinLock(&Binding->Lock, &OldIrql);
	Last = !--Binding->CallsInProgress && Binding->Detaching;
	KeReleaseSpinLock(&Binding->Lock, OldIrql);
	if (Last)
		NmrProviderDetachClientComplete(NmrBindingHandle);
}

static NTSTATUS ProviderAdd(PVOID ProviderBindingContext, ULONG Step, PUINT64 Sum)
{
	PROVIDER_BINDING *Binding = ProviderBindingContext;

	if (ProviderBeginCall(Binding, Step, Sum)) {
		Binding->ClientDispatch->Told(Binding->ClientBindingContext, *Sum);
		ProviderEndCall(Binding);
	}
	return STATUS_SUCCESS;
}

static const COUNTER_PROVIDER_DISPATCH ProviderDispatchTable = { ProviderAdd };

static NPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN ProviderCleanupBindingContext;

static NTSTATUS ProviderAttachClient(HANDLE NmrBindingHandle, PVOID ProviderContext,
				     PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
				     PVOID ClientBindingContext, const VOID *ClientDispatch,
				     PVOID *ProviderBindingContext,
				     const VOID **ProviderDispatch)
{
	PROVIDER_BINDING *Binding;

	UNREFERENCED_PARAMETER(ProviderContext);
	UNREFERENCED_PARAMETER(ClientRegistrationInstance);
	Binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Binding), PROVIDER_TAG);
	if (!Binding)
		return STATUS_INSUFFICIENT_RESOURCES;
	KeInitializeSpinLock(&Binding->Lock);
	Binding->NmrBindingHandle = NmrBindingHandle;
	Binding->ClientBindingContext = ClientBindingContext;
	Binding->ClientDispatch = ClientDispatch;
	*ProviderBindingContext = Binding;
	*ProviderDispatch = &ProviderDispatchTable;
	return STATUS_SUCCESS;
}

static NTSTATUS ProviderDetachClient(PVOID ProviderBindingContext)
{
	PROVIDER_BINDING *Binding = ProviderBindingContext;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeAcquireSpinLock(&Binding->Lock, &OldIrql);
	Binding->Detaching = TRUE;
	Status = Binding->CallsInProgress ? STATUS_PENDING : STATUS_SUCCESS;
	KeReleaseSpinLock(&Binding->Lock, OldIrql);
	return Status;
}

static VOID ProviderCleanupBindingContext(PVOID ProviderBindingContext)
{
	ExFreePoolWithTag(ProviderBindingContext, PROVIDER_TAG);
}

static const NPI_MODULEID ProviderModuleId = {
	sizeof(NPI_MODULEID), MIT_GUID,
	{ { 0x83b2d9e6, 0x07f4, 0x4c19,
	    { 0x95, 0x60, 0x1d, 0x4a, 0xc8, 0x3e, 0x72, 0x0b } } }
};

static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
	0,
	sizeof(NPI_PROVIDER_CHARACTERISTICS),
	ProviderAttachClient,
	ProviderDetachClient,
	ProviderCleanupBindingContext,
	{
		0,
		sizeof(NPI_REGISTRATION_INSTANCE),
		&COUNTER_NPIID,
		&ProviderModuleId,
		0,
		NULL
	}
};

static VOID ProviderUnload(PDRIVER_OBJECT DriverObject)
{
	UNREFERENCED_PARAMETER(DriverObject);
	if (NmrDeregisterProvider(ProviderHandle) == STATUS_PENDING)
		NmrWaitForProviderDeregisterComplete(ProviderHandle);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	UNREFERENCED_PARAMETER(RegistryPath);
	DriverObject->DriverUnload = ProviderUnload;
	return NmrRegisterProvider(&ProviderCharacteristics, NULL, &ProviderHandle);
}
