/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For sources that were written for Windows: annotations, which have no effect, and
 * module_init() and module_exit() for a DriverEntry. A header of its own, because IN and OUT are
 * words that other headers use, too.
 */
#ifndef _NMR_SAL_H
#define _NMR_SAL_H

#include "netioddk.h"

#define _In_
#define _In_opt_
#define _Out_
#define _Out_opt_
#define _Inout_
#define _Outptr_
#define _Outptr_result_maybenull_
#define _Use_decl_annotations_
#define _IRQL_requires_max_(irql)
#define _Must_inspect_result_
#define _Frees_ptr_
#define __drv_aliasesMem
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif

#define UNREFERENCED_PARAMETER(P)	((void)(P))

struct _DRIVER_OBJECT;
struct _UNICODE_STRING;

typedef VOID DRIVER_UNLOAD(struct _DRIVER_OBJECT *DriverObject);
typedef NTSTATUS DRIVER_INITIALIZE(struct _DRIVER_OBJECT *DriverObject,
				   struct _UNICODE_STRING *RegistryPath);

/**
 * struct _DRIVER_OBJECT - all that is here of a DRIVER_OBJECT
 * @DriverUnload: set by DriverEntry; runs when the module unloads
 */
typedef struct _DRIVER_OBJECT {
	DRIVER_UNLOAD	*DriverUnload;
} DRIVER_OBJECT, *PDRIVER_OBJECT;

typedef struct _UNICODE_STRING UNICODE_STRING, *PUNICODE_STRING;

/**
 * MODULE_DRIVER_ENTRY() - define module_init() and module_exit() of a driver
 * @DriverEntry: the function that the driver begins with. It is passed NULL as its
 *		 RegistryPath. If it fails, DriverUnload is not called.
 */
#define MODULE_DRIVER_ENTRY(DriverEntry)				\
static DRIVER_OBJECT DriverEntry##_object;				\
static int __init DriverEntry##_init(void)				\
{									\
	NTSTATUS status = DriverEntry(&DriverEntry##_object, NULL);	\
									\
	return NT_SUCCESS(status) ? 0 : NmrLinuxErrno(status);		\
}									\
module_init(DriverEntry##_init);					\
static void __exit DriverEntry##_exit(void)				\
{									\
	if (DriverEntry##_object.DriverUnload)				\
		DriverEntry##_object.DriverUnload(&DriverEntry##_object); \
}									\
module_exit(DriverEntry##_exit)

#endif /* _NMR_SAL_H */
