/* SPDX-License-Identifier: GPL-2.0-only */
/* The identity of modules in the documented interface of the Windows registrar. */
#ifndef _NMR_NETIODEF_H
#define _NMR_NETIODEF_H

#include "ntdef.h"

typedef GUID NPIID;
typedef CONST GUID *PNPIID;

/**
 * enum _NPI_MODULEID_TYPE - what identifies a module
 * @MIT_GUID:	 a GUID
 * @MIT_IF_LUID: the LUID of a network interface
 */
typedef enum _NPI_MODULEID_TYPE {
	MIT_GUID = 1,
	MIT_IF_LUID,
} NPI_MODULEID_TYPE;

/**
 * struct _NPI_MODULEID - identifies a module
 * @Length: size of the structure, or more
 * @Type:   says which of the other members is used
 * @Guid:   for MIT_GUID
 * @IfLuid: for MIT_IF_LUID
 */
typedef struct _NPI_MODULEID {
	USHORT			Length;
	NPI_MODULEID_TYPE	Type;
	union {
		GUID		Guid;
		LUID		IfLuid;
	};
} NPI_MODULEID;
typedef CONST NPI_MODULEID *PNPI_MODULEID;

static_assert(sizeof(NPI_MODULEID) == 24);

#endif /* _NMR_NETIODEF_H */
