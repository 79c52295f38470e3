/* SPDX-License-Identifier: GPL-2.0-only */
/* The @NAME@ NPI: what a provider and a client have to agree on. */
#ifndef _@UPPER@_NPI_H
#define _@UPPER@_NPI_H

#include <linux/nmr.h>

/* The name of the NPI. Another table of functions needs another GUID, see uuidgen(1). */
#define @UPPER@_NPI_GUID	"@GUID@"

static const guid_t @NAME@_npi_id = NMR_GUID(@UPPER@_NPI_GUID);

/**
 * struct @NAME@_provider_dispatch - functions of a provider of the @NAME@ NPI
 * @greet: greet @name; @context is the provider's binding context
 */
struct @NAME@_provider_dispatch {
	void (*greet)(void *context, const char *name);
};

/* Call a provider, in a call that the client has entered. */
static inline void @NAME@_call_greet(const struct nmr_call *call, const char *name)
{
	const struct @NAME@_provider_dispatch *dispatch = call->dispatch;

	dispatch->greet(call->context, name);
}

#endif /* _@UPPER@_NPI_H */
