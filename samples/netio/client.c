// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the counter NPI, as it is written for Windows: it counts its calls in progress, and
 * its detach is pending until the last one has returned.
 */
#include "client.h"
#include "counter_npi.h"

#define CLIENT_TAG	0x6c74434e

typedef struct _CLIENT_BINDING {
	struct _CLIENT_BINDING *Next;
	HANDLE NmrBindingHandle;
	PVOID ProviderBindingContext;
	const COUNTER_PROVIDER_DISPATCH *ProviderDispatch;
	ULONG CallsInProgress;
	BOOLEAN Detaching;
	UINT64 Sum;
} CLIENT_BINDING;

static KSPIN_LOCK ClientLock;
static CLIENT_BINDING *ClientBindings;	/* those that may be called */
static HANDLE ClientHandle;

static VOID ClientTold(PVOID ClientBindingContext, UINT64 Sum)
{
	CLIENT_BINDING *Binding = ClientBindingContext;
	KIRQL OldIrql;

	KeAcquireSpinLock(&ClientLock, &OldIrql);
	Binding->Sum = Sum;
	KeReleaseSpinLock(&ClientLock, OldIrql);
}

static const COUNTER_CLIENT_DISPATCH ClientDispatch = { ClientTold };

static NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext;

static NTSTATUS ClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientContext,
				     PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance)
{
	CLIENT_BINDING *Binding;
	NTSTATUS Status;
	KIRQL OldIrql;

	UNREFERENCED_PARAMETER(ClientContext);
	UNREFERENCED_PARAMETER(ProviderRegistrationInstance);
	Binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Binding), CLIENT_TAG);
	if (!Binding)
		return STATUS_INSUFFICIENT_RESOURCES;
	Binding->NmrBindingHandle = NmrBindingHandle;
	Status = NmrClientAttachProvider(NmrBindingHandle, Binding, &ClientDispatch,
					 &Binding->ProviderBindingContext,
					 (const VOID **)&Binding->ProviderDispatch);
	if (!NT_SUCCESS(Status)) {
		ExFreePoolWithTag(Binding, CLIENT_TAG);
		return Status;
	}
	KeAcquireSpinLock(&ClientLock, &OldIrql);
	Binding->Next = ClientBindings;
	ClientBindings = Binding;
	KeReleaseSpinLock(&ClientLock, OldIrql);
	return STATUS_SUCCESS;
}

static NTSTATUS ClientDetachProvider(PVOID ClientBindingContext)
{
	CLIENT_BINDING *Binding = ClientBindingContext, **Link;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeAcquireSpinLock(&ClientLock, &OldIrql);
	for (Link = &ClientBindings; *Link != Binding; Link = &(*Link)->Next)
		;
	*Link = Binding->Next;
	Binding->Detaching = TRUE;
	Status = Binding->CallsInProgress ? STATUS_PENDING : STATUS_SUCCESS;
	KeReleaseSpinLock(&ClientLock, OldIrql);
	return Status;
}

static VOID ClientCleanupBindingContext(PVOID ClientBindingContext)
{
	ExFreePoolWithTag(ClientBindingContext, CLIENT_TAG);
}

static CLIENT_BINDING *ClientBeginCall(VOID)
{
	CLIENT_BINDING *Binding;
	KIRQL OldIrql;

	KeAcquireSpinLock(&ClientLock, &OldIrql);
	Binding = ClientBindings;
	if (Binding)
		Binding->CallsInProgress++;
	KeReleaseSpinLock(&ClientLock, OldIrql);
	return Binding;
}

static VOID ClientEndCall(CLIENT_BINDING *Binding)
{
	HANDLE NmrBindingHandle = Binding->NmrBindingHandle;
	BOOLEAN Last;
	KIRQL OldIrql;

	KeAcquireSpinLock(&ClientLock, &OldIrql);
	Last = !--Binding->CallsInProgress && Binding->Detaching;
	KeReleaseSpinLock(&ClientLock, OldIrql);
	if (Last)
		NmrClientDetachProviderComplete(NmrBindingHandle);
}

NTSTATUS CounterAdd(ULONG Step, PUINT64 Sum)
{
	CLIENT_BINDING *Binding = ClientBeginCall();
	NTSTATUS Status;

	if (!Binding)
		return STATUS_DEVICE_NOT_READY;
	Status = Binding->ProviderDispatch->Add(Binding->ProviderBindingContext, Step, Sum);
	ClientEndCall(Binding);
	return Status;
}

static const NPI_MODULEID ClientModuleId = {
	sizeof(NPI_MODULEID), MIT_GUID,
	{ { 0x4f1c7a02, 0x6d35, 0x4e8b,
	    { 0xa1, 0x3c, 0x90, 0x5e, 0xf7, 0x21, 0x8b, 0x64 } } }
};

static const NPI_CLIENT_CHARACTERISTICS ClientCharacteristics = {
	0,
	sizeof(NPI_CLIENT_CHARACTERISTICS),
	ClientAttachProvider,
	ClientDetachProvider,
	ClientCleanupBindingContext,
	{
		0,
		sizeof(NPI_REGISTRATION_INSTANCE),
		&COUNTER_NPIID,
		&ClientModuleId,
		0,
		NULL
	}
};

static VOID ClientUnload(PDRIVER_OBJECT DriverObject)
{
	UNREFERENCED_PARAMETER(DriverObject);
	if (NmrDeregisterClient(ClientHandle) == STATUS_PENDING)
		NmrWaitForClientDeregisterComplete(ClientHandle);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	UNREFERENCED_PARAMETER(RegistryPath);
	KeInitializeSpinLock(&ClientLock);
	DriverObject->DriverUnload = ClientUnload;
	return NmrRegisterClient(&ClientCharacteristics, NULL, &ClientHandle);
}
