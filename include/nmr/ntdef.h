/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The basic types of the documented Windows interfaces that <netioddk.h> has, and NTSTATUS.
 *
 * Windows is LLP64: ULONG and LONG have 32 bits.
 */
#ifndef _NMR_NTDEF_H
#define _NMR_NTDEF_H

#include <linux/build_bug.h>
#include <linux/types.h>

#ifndef CONFIG_64BIT
#error "the interface of netioddk.h is for 64-bit kernels"
#endif

#ifndef VOID
#define VOID		void
#endif
#ifndef CONST
#define CONST		const
#endif
#ifndef TRUE
#define TRUE		1
#endif
#ifndef FALSE
#define FALSE		0
#endif
#ifndef NTAPI
#define NTAPI
#endif

typedef void		*PVOID;
typedef void		*HANDLE;
typedef HANDLE		*PHANDLE;

typedef u32		ULONG;
typedef s32		LONG;
typedef u16		USHORT;
typedef u8		UCHAR;
typedef u8		BOOLEAN;
#ifndef UINT8
typedef u8		UINT8;
#endif
#ifndef UINT16
typedef u16		UINT16;
#endif
#ifndef UINT32
typedef u32		UINT32;
#endif
#ifndef UINT64
typedef u64		UINT64;
#endif

typedef UINT64		*PUINT64;

#define INVALID_HANDLE_VALUE	((HANDLE)-1L)

/**
 * struct _GUID - a GUID with its numbers in host order
 * @Data1: the first 8 hexadecimal digits
 * @Data2: the next 4
 * @Data3: the next 4
 * @Data4: the other 16, a pair an element
 */
typedef struct _GUID {
	ULONG	Data1;
	USHORT	Data2;
	USHORT	Data3;
	UCHAR	Data4[8];
} GUID;

static_assert(sizeof(GUID) == 16);

/**
 * DEFINE_GUID() - define a constant of type GUID
 * @name: name of the constant
 * @l:	  Data1
 * @w1:	  Data2
 * @w2:	  Data3
 * @b1:	  Data4[0]
 * @b2:	  Data4[1]
 * @b3:	  Data4[2]
 * @b4:	  Data4[3]
 * @b5:	  Data4[4]
 * @b6:	  Data4[5]
 * @b7:	  Data4[6]
 * @b8:	  Data4[7]
 */
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)	\
	static const struct _GUID name __maybe_unused =				\
		{ l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 } }

/**
 * struct _LUID - a locally unique identifier
 * @LowPart:  the low 32 bits
 * @HighPart: the high 32 bits
 */
typedef struct _LUID {
	ULONG	LowPart;
	LONG	HighPart;
} LUID;

static_assert(sizeof(LUID) == 8);

/*
 * Statuses, with the values of [MS-ERREF].
 * Documentation/porting.rst has their errnos.
 */
typedef s32		NTSTATUS;

/**
 * NT_SUCCESS() - tell whether a status is of the success or of the informational class
 * @Status: the status
 */
#define NT_SUCCESS(Status)		((NTSTATUS)(Status) >= 0)

#define STATUS_SUCCESS			((NTSTATUS)0x00000000)
#define STATUS_PENDING			((NTSTATUS)0x00000103)
#define STATUS_DEVICE_BUSY		((NTSTATUS)0x80000011)
#define STATUS_UNSUCCESSFUL		((NTSTATUS)0xc0000001)
#define STATUS_NOT_IMPLEMENTED		((NTSTATUS)0xc0000002)
#define STATUS_INVALID_PARAMETER	((NTSTATUS)0xc000000d)
#define STATUS_NO_MEMORY		((NTSTATUS)0xc0000017)
#define STATUS_ACCESS_DENIED		((NTSTATUS)0xc0000022)
#define STATUS_OBJECT_NAME_COLLISION	((NTSTATUS)0xc0000035)
#define STATUS_REVISION_MISMATCH	((NTSTATUS)0xc0000059)
#define STATUS_PRIVILEGE_NOT_HELD	((NTSTATUS)0xc0000061)
#define STATUS_INSUFFICIENT_RESOURCES	((NTSTATUS)0xc000009a)
#define STATUS_DEVICE_NOT_READY		((NTSTATUS)0xc00000a3)
#define STATUS_IO_TIMEOUT		((NTSTATUS)0xc00000b5)
#define STATUS_NOT_SUPPORTED		((NTSTATUS)0xc00000bb)
#define STATUS_CANCELLED		((NTSTATUS)0xc0000120)
#define STATUS_INVALID_DEVICE_STATE	((NTSTATUS)0xc0000184)
#define STATUS_POSSIBLE_DEADLOCK	((NTSTATUS)0xc0000194)
#define STATUS_NOT_FOUND		((NTSTATUS)0xc0000225)
#define STATUS_RETRY			((NTSTATUS)0xc000022d)
#define STATUS_NOINTERFACE		((NTSTATUS)0xc00002b9)

#endif /* _NMR_NTDEF_H */
